//! Repository, worktree and branch, by reading git's files; git itself only where a command may be slow.
//!
//! [`Tree::find`] says where a path belongs, [`Tree::branch`] and [`Tree::head`] what is checked out there,
//! [`last_move`] how that came about. None of them starts a process or reads git's configuration. [`status`] and
//! [`merge_conflicts`] ask git, with a time limit and with everything switched off by which a repository could run a
//! program of its own.
//!
//! Names are given as git's files hold them, bytes that are not UTF-8 replaced: escaping is the business of whoever
//! shows them. Formats: gitrepository-layout(5), gitglossary(7), and git's `setup.c` and `refs/` where those are silent.

mod ask;
mod head;
mod log;
mod packed;
mod tree;

pub use ask::{Status, merge_conflicts, parse_status, status};
pub use head::{Head, HeadKind, Points, has_branch, parse_head};
pub use log::{Move, last_move, parse_move};
pub use tree::{Tree, parse_git_file, project_of};
