//! Repositories, trees and branches, read from git's files; git itself only where a command may be slow.
//!
//! [`Tree::find`] tells where a path belongs, [`Tree::head_label`] and [`Tree::head`] what is checked out there,
//! [`last_move`] how that happened. None of them starts a process. [`status`] and [`merge_conflicts`] ask git, with a
//! time limit, and with everything switched off that would let a repository run a program of its own.
//!
//! Names are returned as they are in git's files, with bytes that are not UTF-8 replaced; the caller escapes them.
//! Formats: gitrepository-layout(5), gitglossary(7), and git's `setup.c` and `refs/` where those are silent.

mod ask;
mod commits;
mod config;
mod detached;
mod head;
mod ignore;
mod log;
mod packed;
mod project;
mod refs;
mod reftable;
mod remote;
mod tree;
mod upstream;
mod worktrees;

pub use ask::{Status, merge_conflicts, parse_status, status};
pub use commits::{
    ChangedFile, CommitInfo, RefMove, commits, commits_of_file, has_introduced, last_change_of_line, moves_of_head,
    patch_ids, range, resolve, shallow_boundary,
};
pub use detached::Operation;
pub use head::{Head, HeadKind, HeadLabel, has_branch};
pub use log::{Move, last_move, parse_move};
pub use project::project_of;
pub use refs::{RefTarget, parse_ref};
pub use remote::{Bare, Call, REMOTE, Settings, complaint};
pub use tree::{Tree, parse_git_file};
pub use upstream::{BranchEnds, ahead_behind};
pub use worktrees::is_locked_worktree;
