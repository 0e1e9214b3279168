//! The sessions of the `active` folder: all of them, or those that matter to a reader.
//!
//! A reader takes no lock and never waits; it sees the old manifest or the new one.

use std::cmp::Ordering;
use std::collections::BTreeMap;
use std::io::ErrorKind;
use std::time::Duration;

use jiff::Timestamp;

use super::live::Liveness;
use super::manifest_file::{MAX_SIZE, Session, UnreadableManifest, parse, read_session};
use super::root::Root;
use crate::claude::registry;
use crate::error::{Error, Result};
use crate::session::id::SessionId;
use crate::session::manifest::Manifest;
use crate::session::order::sort_by;
use crate::sys::files::{Folder, Meta};
use crate::sys::process;

/// How long a command waits for another writer. A writer holds the lock for microseconds, unless it was stopped.
pub const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// All that is in `active`.
#[derive(Clone, Debug, Default)]
pub struct Active {
    /// The sessions, the oldest start first.
    pub sessions: Vec<Session>,
    /// Manifests that could not be read.
    pub broken: Vec<UnreadableManifest>,
    /// How many manifests belong to other users, and are not read.
    pub foreign: usize,
}

impl Active {
    /// The sessions that count as live.
    pub fn live(&self, now: Timestamp) -> impl Iterator<Item = &Session> {
        self.sessions.iter().filter(move |session| session.counts(now))
    }

    /// The sessions whose process is gone.
    pub fn stale(&self) -> impl Iterator<Item = &Session> {
        self.sessions.iter().filter(|session| session.liveness == Liveness::Stale)
    }
}

/// Reads every manifest. No folder means no sessions.
///
/// # Errors
/// Where the folder is there and cannot be read.
pub fn read_all(root: &Root) -> Result<Active> {
    read_where(root, |_| true)
}

/// [`read_all`], keeping the sessions that are wanted: each of the others is forgotten before the next one is read.
///
/// # Errors
/// As [`read_all`].
pub fn read_where(root: &Root, mut wanted: impl FnMut(&Session) -> bool) -> Result<Active> {
    let path = root.active();
    let failed =
        |why: std::io::Error| Error::new("reading the live sessions", path.display(), why).hint("type: ait doctor");
    let folder = match root.active_folder() {
        Ok(folder) => folder,
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(Active::default()),
        Err(why) => return Err(failed(why)),
    };
    let mut active = Active::default();
    for name in folder.names().map_err(failed)? {
        let Some(id) = SessionId::from_file_name(&name) else {
            if is_stranger(&name) {
                active.broken.push(UnreadableManifest {
                    path: path.join(&name),
                    why: "its name is not a session id".to_owned(),
                });
            }
            continue;
        };
        match read_session(&folder, &id) {
            Ok(Some(session)) if wanted(&session) => active.sessions.push(session),
            Ok(Some(_)) => {}
            Ok(None) => active.foreign += usize::from(is_foreign(&folder, &name)),
            Err(why) => active.broken.push(UnreadableManifest { path: path.join(&name), why }),
        }
    }
    resolve_shared_processes(&mut active.sessions, root);
    sort_by(&mut active.sessions, by_age);
    sort_by(&mut active.broken, |a, b| a.path.cmp(&b.path));
    Ok(active)
}

/// At most this many names are looked at by a fast command. A folder with more was never pruned.
const FAST_NAMES: usize = 1_000;

/// The manifests that `may_matter` accepts by their bytes, each read once and parsed; whether their processes run is not
/// asked. Looks at the first thousand names; what cannot be read is left out.
///
/// Costs about 4 microseconds for a manifest that does not matter.
pub fn read_if(root: &Root, may_matter: impl Fn(&[u8]) -> bool) -> Vec<(SessionId, Manifest, Meta)> {
    let Ok(folder) = root.active_folder() else { return Vec::new() };
    let (mut ids, mut names) = (Vec::new(), 0);
    let _ = folder.names_while(|name| {
        names += 1;
        ids.extend(SessionId::from_file_name(name));
        names < FAST_NAMES
    });
    let read = |id: SessionId| {
        let (bytes, meta) = folder.read_with_meta(&id.file_name(), MAX_SIZE).ok()?;
        if meta.owner != process::user_id() || !may_matter(&bytes) {
            return None;
        }
        let manifest = parse(&bytes, &id).ok()?;
        Some((id, manifest, meta))
    };
    ids.into_iter().filter_map(read).collect()
}

/// How many manifests a hook reads of those that are not its own, and at how many names it looks. Who has that many
/// sessions has a folder that was never pruned.
const HOOK_READS: usize = 1_000;
const HOOK_NAMES: usize = 20_000;

/// The sessions as far as a hook reads them, so that its time and memory do not grow with what lies in the folder: all
/// the live ones and some of the stale ones, no more than `stale`. Where there are more than a thousand manifests, those
/// that the registry names, and the first ones of the folder. Other files are skipped.
pub fn read_some(root: &Root, stale: usize) -> Active {
    let mut active = Active::default();
    let Ok(folder) = root.active_folder() else { return active };
    let (mut ids, mut names) = (Vec::new(), 0);
    let listed = folder.names_while(|name| {
        names += 1;
        ids.extend(SessionId::from_file_name(name));
        names < HOOK_NAMES && ids.len() < HOOK_READS
    });
    let is_all = names < HOOK_NAMES && ids.len() < HOOK_READS;
    if listed.is_ok() && !is_all {
        ids.extend(registry::sessions(root.registry()).into_iter().take(HOOK_READS));
        sort_by(&mut ids, Ord::cmp);
        ids.dedup();
    }
    let mut left = stale;
    for id in ids {
        let Ok(Some(session)) = read_session(&folder, &id) else { continue };
        if session.liveness == Liveness::Stale {
            let Some(less) = left.checked_sub(1) else { continue };
            left = less;
        }
        active.sessions.push(session);
    }
    resolve_shared_processes(&mut active.sessions, root);
    sort_by(&mut active.sessions, by_age);
    active
}

/// Which of two sessions goes first in a list: the one that started earlier.
pub fn by_age(a: &Session, b: &Session) -> Ordering {
    (a.manifest.started, &a.id).cmp(&(b.manifest.started, &b.id))
}

/// Whether a file looks like a manifest although its name is not a session id.
pub(super) fn is_stranger(name: &str) -> bool {
    name.ends_with(".json") && !name.starts_with('.')
}

/// How many manifests belong to other users and are not read; 0 if that is unknown.
pub fn foreign(root: &Root) -> usize {
    let Ok(folder) = root.active_folder() else { return 0 };
    let mut count = 0;
    let _ = folder.each_name(|name| {
        count += usize::from(SessionId::from_file_name(name).is_some() && is_foreign(&folder, name));
    });
    count
}

fn is_foreign(folder: &Folder, name: &str) -> bool {
    folder.meta_of(name).is_ok_and(|meta| meta.owner != process::user_id())
}

/// Removes what killed writers left: their temporary files, here and in the cache.
pub fn sweep(root: &Root) {
    sweep_names(root, usize::MAX);
}

/// [`sweep`] as far as a hook does it.
pub fn sweep_some(root: &Root) {
    sweep_names(root, HOOK_NAMES);
}

fn sweep_names(root: &Root, max: usize) {
    for path in [root.active(), root.cache().to_owned(), root.cache().join("touched")] {
        let _ = Folder::open(path).and_then(|folder| folder.sweep_among(max));
    }
}

/// Of several sessions that were recorded for one process, marks all but one as [`Liveness::Replaced`]: the one that Claude
/// Code's record of the process names stays, else the one with the latest event. All of them are of one root.
pub fn resolve_shared_processes(sessions: &mut [Session], root: &Root) {
    let mut by_process: BTreeMap<(u32, u64), Vec<usize>> = BTreeMap::new();
    for (position, session) in sessions.iter().enumerate() {
        // Without its start time a pid does not identify a process: such a manifest was written by another program.
        let manifest = &session.manifest;
        if let (Liveness::Live, Some(pid), Some(start)) = (session.liveness, manifest.pid, manifest.pid_start) {
            by_process.entry((pid, start)).or_default().push(position);
        }
    }
    for ((pid, start), positions) in by_process.into_iter().filter(|(_, positions)| positions.len() > 1) {
        let record = root
            .record_of(pid, Some(start))
            .filter(|record| record.process_start.is_none_or(|recorded| recorded == start));
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
