//! Manifests that cannot be read, and sessions that are gone.

use jiff::Timestamp;

use super::check::{Check, FIX, Findings, Status};
use super::folders::days;
use crate::commands::hook_response::plural;
use crate::store::active::Active;
use crate::store::history;
use crate::store::root::Root;
use crate::sys::files;

pub(super) fn manifests(root: &Root, active: &Active) -> Check {
    let mut findings = Findings::default();
    let mut broken = active.broken.clone();
    let mut count = active.sessions.len();
    for day in days(root) {
        if let Ok((sessions, more)) = history::read_day(root, day) {
            count += sessions.len();
            broken.extend(more);
        }
    }
    for file in broken {
        let detail = format!("{}: {}; the file was not changed", file.path.display(), file.why);
        findings.add(Status::Warn, detail, Some("correct or remove the file"));
    }
    findings.check("manifests", format!("{count} readable"))
}

pub(super) fn stale(root: &Root, active: &Active, now: Timestamp) -> Check {
    let mut findings = Findings::default();
    let count = active.stale().count();
    if count > 0 {
        let detail = format!("{count} stale: the process no longer exists; the next session to start archives them");
        findings.add(Status::Warn, detail, Some("ait sessions prune"));
    }
    if root.active_folder().is_ok_and(|folder| files::is_remote(&folder)) {
        let detail = "the sessions are on a network file system: two machines that write one session at once may lose a \
                      change";
        findings.add(Status::Warn, detail, Some("set AIT_SESSIONS_DIR to a folder on this machine"));
    }
    let left = root.active_folder().and_then(|folder| folder.leftovers()).unwrap_or_default().len();
    if left > 0 {
        findings.add(Status::Warn, format!("{left} temporary file{} of killed programs", plural(left)), Some(FIX));
    }
    findings.check("sessions", format!("{} live, 0 stale", active.live(now).count()))
}
