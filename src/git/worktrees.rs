//! The list of linked worktrees that git keeps in `.git/worktrees`.

use std::path::Path;

use super::refs::{MAX_SMALL_FILE, path_line};
use crate::sys::files::{self, Folder, Links};

/// Whether a linked worktree is on git's list and locked: then `git worktree prune` keeps it there, also if its folder is
/// gone. Claude Code locks the worktrees that it makes, and the lock survives a killed client.
pub fn is_locked_worktree(common_dir: &Path, root: &Path) -> bool {
    let Ok(entries) = Folder::open(common_dir.join("worktrees")) else { return false };
    // git makes these names from the ASCII part of the folders' names, so all of them are UTF-8.
    entries.names().unwrap_or_default().iter().any(|name| {
        let entry = entries.path().join(name);
        let text = files::read_start(&entry.join("gitdir"), Links::Follow, MAX_SMALL_FILE).unwrap_or_default();
        let is_it = path_line(&text).is_some_and(|path| files::resolve(&entry.join(path)) == root.join(".git"));
        is_it && files::exists(&entry.join("locked"))
    })
}
