//! Whether a session is live: its process exists, and is the one that was recorded.

use crate::session::manifest::{Manifest, ProcessStamp};
use crate::sys::process::{self, Process};

/// Whether the process of a session runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// It runs.
    Live,
    /// It is gone.
    Stale,
    /// It belongs to another machine or another pid namespace (a container) that shares this folder. Nothing can be said
    /// from here, and nothing is archived.
    Elsewhere,
    /// It runs, and runs another session: a process runs one session at a time.
    Replaced,
}

impl Liveness {
    /// Its name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Liveness::Live => "live",
            Liveness::Stale => "stale",
            Liveness::Elsewhere => "elsewhere",
            Liveness::Replaced => "replaced",
        }
    }
}

/// Whether the session of a manifest is live, and whether its process is stopped. [`super::active::resolve_shared_processes`] tells sessions of
/// one process apart.
///
/// The boot id is compared first: within one boot of one kernel the host name says nothing, it can be changed, and a
/// container has one of its own. What a manifest does not record is taken to be as it is here.
pub fn liveness(manifest: &Manifest) -> (Liveness, bool) {
    let running = |found: Process| (Liveness::Live, found.stopped);
    if manifest.ended.is_some() {
        return (Liveness::Stale, false);
    }
    let same_host = manifest.host.as_deref().is_none_or(|host| host == process::host());
    match (manifest.boot_id.as_deref(), process::boot_id()) {
        (Some(recorded), Some(boot)) if recorded != boot => {
            return (if same_host { Liveness::Stale } else { Liveness::Elsewhere }, false);
        }
        (Some(_), Some(_)) => {}
        _ if !same_host => return (Liveness::Elsewhere, false),
        _ => {}
    }
    // Asked first: the pid and the start time identify the process, and looking up the namespace costs as much as reading
    // four manifests.
    if let Some(found) = manifest.stamps().find_map(|stamp| identified(&stamp)) {
        return running(found);
    }
    if let (Some(recorded), Some(namespace)) = (manifest.pid_namespace, process::pid_namespace())
        && recorded != namespace
    {
        return (Liveness::Elsewhere, false);
    }
    let runs = manifest.stamps().find(runs);
    runs.map_or((Liveness::Stale, false), |stamp| process::look_up(stamp.pid).map_or((Liveness::Live, false), running))
}

/// The running process with the pid and the start time of a stamp.
fn identified(stamp: &ProcessStamp) -> Option<Process> {
    let start = stamp.start?;
    process::look_up(stamp.pid).filter(|found| !found.zombie && found.start == start)
}

/// Whether the very process of a stamp runs: the pid exists, is not a zombie, and started when the stamp says. If the
/// kernel says nothing more of it (no `/proc`, no more files to be opened), a process that exists runs.
pub fn runs(stamp: &ProcessStamp) -> bool {
    match process::look_up(stamp.pid) {
        Some(found) => !found.zombie && stamp.start.is_none_or(|start| start == found.start),
        None => process::exists(stamp.pid),
    }
}
