//! Whether hooks run, and what the clients that run can do.

use jiff::Timestamp;

use super::check::{Check, FIX, Findings, GRACE, Status};
use crate::claude::client::{self, RECORDS, TELLS_PROCESS, TELLS_SESSION, Version};
use crate::claude::registry::Record;
use crate::claude::settings::EVENTS;
use crate::commands::hooks;
use crate::render::elapsed;
use crate::session::manifest::ProcessStamp;
use crate::session::time::seconds_between;
use crate::store::active::Active;
use crate::store::root::Root;
use crate::store::{event_log, live};
use crate::sys::files;

/// The records of clients that run.
pub(super) fn running_clients(root: &Root) -> Vec<Record> {
    let mut records = Record::all(root.registry());
    records
        .retain(|record| record.pid.is_some_and(|pid| live::runs(&ProcessStamp { pid, start: record.process_start })));
    records
}

/// Whether events come: a client that runs, and has done something since the hooks were installed, must have a manifest.
pub(super) fn firing(
    root: &Root,
    paths: &hooks::InstallPaths,
    active: &Active,
    running: &[Record],
    installed: bool,
    now: Timestamp,
) -> Check {
    let mut findings = Findings::default();
    let settings = files::metadata(&paths.settings()).ok();
    let since = settings.and_then(|meta| Timestamp::from_nanosecond(meta.modified).ok());
    for record in running {
        let known = active.sessions.iter().any(|session| {
            session.id.as_str() == record.session_id
                || session.manifest.stamps().any(|stamp| Some(stamp.pid) == record.pid)
        });
        let last = record.status_since.max(record.started);
        // Before the hooks were installed nothing can have been told; and the last word may be under way.
        let due = last.is_some_and(|last| {
            seconds_between(last, now) >= GRACE && (!installed || since.is_none_or(|since| last > since))
        });
        if record.has_session() && !known && due {
            let pid = record.pid.unwrap_or(0);
            let detail = format!("Claude Code runs a session (pid {pid}) that no hook has reported: hooks do not run");
            let fix = if installed { "type /hooks in that session to see which hooks Claude Code runs" } else { FIX };
            findings.add(Status::Fail, detail, Some(fix));
        }
    }
    let seen = EVENTS.iter().filter_map(|each| Some((event_log::last_seen(root, each.event)?, each.event))).max();
    if seen.is_none() && installed {
        findings.add(
            Status::Warn,
            "no event seen yet",
            Some("start Claude Code, send a prompt, and run ait doctor again"),
        );
    }
    let fine = seen.map_or("no event seen yet".to_owned(), |(at, event)| {
        format!("the last event was {event}, {}", elapsed::Ago(seconds_between(at, now)))
    });
    findings.check("firing", fine)
}

pub(super) fn of_client(running: &[Record]) -> Check {
    let mut findings = Findings::default();
    let oldest = running.iter().filter_map(|record| Version::parse(record.version.as_deref()?)).min();
    let installed = client::installed();
    let version = oldest.or_else(|| installed.as_ref()?.1);
    let fine = match version {
        None if installed.is_none() => {
            findings.add(Status::Warn, "`claude` is not in PATH, and none is running", None);
            String::new()
        }
        None => {
            findings.add(Status::Warn, "the version of `claude` cannot be read without running it", None);
            String::new()
        }
        Some(version) if version < TELLS_SESSION => {
            let record =
                if version < RECORDS { "writes no session record" } else { "writes no status to its session record" };
            let detail = format!(
                "{version} {record} and does not report the session id (added in {TELLS_SESSION}): Esc is not noticed, \
                 and a permission request is noticed six seconds late"
            );
            findings.add(Status::Warn, detail, Some("claude update"));
            String::new()
        }
        Some(version) if version < TELLS_PROCESS => {
            format!(
                "{version}: reports the session id; ait finds the process by its ancestors (reported since {TELLS_PROCESS})"
            )
        }
        Some(version) => format!("{version}: reports session id, process and status"),
    };
    findings.check("client", fine)
}
