//! Whether a session is live: its process exists, and is the one that was recorded.

use std::collections::BTreeMap;
use std::path::Path;

use super::manifest_file::Session;
use crate::claude::registry::Record;
use crate::session::manifest::{Manifest, ProcessStamp};
use crate::sys::process;

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
    /// As it is written in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Liveness::Live => "live",
            Liveness::Stale => "stale",
            Liveness::Elsewhere => "elsewhere",
            Liveness::Replaced => "replaced",
        }
    }
}

/// Whether the session of a manifest is live. [`resolve_shared_processes`] tells sessions of one process apart.
///
/// The boot id is compared first: within one boot of one kernel the host name says nothing, it can be changed, and a
/// container has one of its own. What a manifest does not record is taken to be as it is here.
pub fn liveness(manifest: &Manifest) -> Liveness {
    if manifest.ended.is_some() {
        return Liveness::Stale;
    }
    let same_host = manifest.host.as_deref().is_none_or(|host| host == process::host());
    match (manifest.boot_id.as_deref(), process::boot_id()) {
        (Some(recorded), Some(boot)) if recorded != boot => {
            return if same_host { Liveness::Stale } else { Liveness::Elsewhere };
        }
        (Some(_), Some(_)) => {}
        _ if !same_host => return Liveness::Elsewhere,
        _ => {}
    }
    if let (Some(recorded), Some(namespace)) = (manifest.pid_namespace, process::pid_namespace())
        && recorded != namespace
    {
        return Liveness::Elsewhere;
    }
    if manifest.stamps().any(|stamp| runs(&stamp)) { Liveness::Live } else { Liveness::Stale }
}

/// Whether the very process of a stamp runs: the pid exists, is not a zombie, and started when the stamp says. If the
/// kernel says nothing more of it (no `/proc`, no more files to be opened), a process that exists runs.
pub fn runs(stamp: &ProcessStamp) -> bool {
    match process::look_up(stamp.pid) {
        Some(found) => !found.zombie && stamp.start.is_none_or(|start| start == found.start),
        None => process::exists(stamp.pid),
    }
}

/// Of several sessions that were recorded for one process, marks all but one as [`Liveness::Replaced`]: the one that Claude
/// Code's record of the process names stays, else the one with the latest event. `registry` is the folder of the records.
pub fn resolve_shared_processes(sessions: &mut [Session], registry: &Path) {
    let mut by_process: BTreeMap<(u32, Option<u64>), Vec<usize>> = BTreeMap::new();
    for (position, session) in sessions.iter().enumerate() {
        if let (Liveness::Live, Some(pid)) = (session.liveness, session.manifest.pid) {
            by_process.entry((pid, session.manifest.pid_start)).or_default().push(position);
        }
    }
    for ((pid, start), positions) in by_process.into_iter().filter(|(_, positions)| positions.len() > 1) {
        let record = Record::of_process(registry, pid)
            .filter(|record| record.process_start.is_none() || start.is_none() || record.process_start == start);
        let is_named = |position: &&usize| {
            let session = sessions.get(**position);
            session.zip(record.as_ref()).is_some_and(|(session, record)| record.session_id == session.id.as_str())
        };
        let named = positions.iter().find(is_named).copied();
        let latest =
            || positions.iter().copied().max_by_key(|position| sessions.get(*position).map(Session::last_seen));
        let current = named.or_else(latest);
        for position in positions.into_iter().filter(|position| Some(*position) != current) {
            if let Some(session) = sessions.get_mut(position).filter(|session| session.manifest.processes.is_empty()) {
                session.liveness = Liveness::Replaced;
            }
        }
    }
}
