//! The commits of live sessions: `active/<session_id>.commits`, beside the manifest, one JSON object a line.
//!
//! A detached process writes them, after the event that showed that HEAD moved. When the session is archived, they become the
//! field `commits` of its manifest; when it comes back, that becomes a log again. A session that was archived before its
//! commits were known gets them in its manifest in history.

use std::time::Duration;

use super::history;
use super::root::Root;
use crate::error::{Error, Result};
use crate::session::commit::{self, Commit};
use crate::session::id::SessionId;
use crate::session::manifest::Manifest;
use crate::sys::files::{FileId, Folder, Locking, PRIVATE};

/// The most bytes of a log that are read.
const MAX_LOG: usize = 4 << 20;

/// The commits of a live session, the last one at the end.
pub fn read(folder: &Folder, id: &SessionId) -> Vec<Commit> {
    commit::parse_log(&folder.read_own(&id.commits_name(), MAX_LOG).unwrap_or_default())
}

/// The commits of a session that lives or is in history.
pub fn read_anywhere(root: &Root, id: &SessionId) -> Vec<Commit> {
    let folder = root.active_folder().ok().filter(|folder| folder.meta_of(&id.file_name()).is_ok());
    match folder {
        Some(folder) => read(&folder, id),
        None => history::find(root, id).map(|ended| ended.manifest.commits).unwrap_or_default(),
    }
}

/// Adds commits to what is recorded of a session, wherever its manifest is now.
///
/// # Errors
/// If they cannot be written, there is no such session, or another process holds the lock for longer than `timeout`.
pub fn add(root: &Root, id: &SessionId, commits: Vec<Commit>, timeout: Duration) -> Result<()> {
    let failed = |why: std::io::Error| Error::new("recording commits", id, why);
    let folder = root.open_active()?;
    // Looking through history takes time, so it is done without the lock; under it only one file is compared.
    for _ in 0..3 {
        let is_active = folder.meta_of(&id.file_name()).is_ok();
        let ended = if is_active { None } else { history::find(root, id) };
        let lock = folder.lock(timeout);
        if matches!(lock, Locking::Busy) {
            return Err(failed(std::io::ErrorKind::TimedOut.into()));
        }
        if folder.meta_of(&id.file_name()).is_ok() {
            let all = [read(&folder, id), commits].concat();
            let log: String = commit::bounded(all).iter().map(Commit::to_line).collect();
            return folder.replace(&id.commits_name(), log.as_bytes(), PRIVATE).map_err(failed);
        }
        let Some(mut ended) = ended.filter(|ended| history::is_unchanged(root, ended, id)) else { continue };
        ended.manifest.commits.extend(commits);
        ended.manifest.commits = commit::bounded(std::mem::take(&mut ended.manifest.commits));
        return history::write(root, &ended, id);
    }
    Err(Error::new("recording commits", id, "no such session"))
}

/// The version of a session's log; `None` if there is none.
pub(super) fn version(folder: &Folder, id: &SessionId) -> Option<FileId> {
    folder.meta_of(&id.commits_name()).ok().map(|meta| meta.id)
}

/// Adds what the log contains to a manifest that goes to history. The log stays until [`forget`].
pub(super) fn fold(folder: &Folder, id: &SessionId, manifest: &mut Manifest) {
    let all = [std::mem::take(&mut manifest.commits), read(folder, id)].concat();
    manifest.commits = commit::bounded(all);
}

/// Removes the log of a session that is archived.
pub(super) fn forget(folder: &Folder, id: &SessionId) {
    let _ = folder.remove(&id.commits_name());
}

/// Makes a log again of what a manifest out of history contains.
pub(super) fn unfold(folder: &Folder, id: &SessionId, manifest: &mut Manifest) {
    if manifest.commits.is_empty() {
        return;
    }
    let log: String = manifest.commits.iter().map(Commit::to_line).collect();
    // If it cannot be written, the manifest keeps them.
    if folder.replace(&id.commits_name(), log.as_bytes(), PRIVATE).is_ok() {
        manifest.commits.clear();
    }
}
