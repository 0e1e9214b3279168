//! What is checked out in a tree: the branch and its commit.

use std::path::{Path, PathBuf};

use super::packed;
use super::refs::{self, MAX_SMALL_FILE, REFTABLE_STUB, RefTarget, RefValue, parse_ref};
use super::tree::Tree;
use crate::sys::files::{self, Links};

/// git follows this many symbolic refs before it assumes a loop (`SYMREF_MAXDEPTH`).
const MAX_SYMBOLIC_STEPS: usize = 5;
/// Length of a commit in text for people.
const SHORT_COMMIT: usize = 7;

/// What is checked out in a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The branch, without `refs/heads/`; a ref of another kind in full. `None` if HEAD is detached or not known.
    pub branch: Option<String>,
    /// The commit, all of its 40 or 64 digits. `None` if there is none yet, or only git can tell.
    pub commit: Option<String>,
    /// Which of the cases it is.
    pub kind: HeadKind,
}

/// The states that HEAD can be in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadKind {
    /// On a branch with a commit.
    Branch,
    /// At a commit, and on no branch.
    Detached,
    /// On a branch without a commit.
    Unborn,
    /// The files do not tell: the refs are in a reftable ([`super::status`] knows), or HEAD is damaged or missing.
    Unknown,
}

impl Head {
    /// Its name for people: the branch, or the first 7 digits of the commit.
    pub fn display(&self) -> Option<String> {
        self.branch.clone().or_else(|| self.commit.as_deref().map(short))
    }
}

fn short(commit: &str) -> String {
    commit.chars().take(SHORT_COMMIT).collect()
}

/// Whether a repository, given by its common git folder, has a branch of this name. Always false with a reftable.
pub fn has_branch(common_dir: &Path, branch: &str) -> bool {
    let Some(RefTarget::Symbolic(name)) = refs::symbolic(format!("refs/heads/{branch}").as_bytes()) else {
        return false;
    };
    let is_loose = files::read(&common_dir.join(&name), MAX_SMALL_FILE).is_ok_and(|text| parse_ref(&text).is_some());
    is_loose || matches!(packed::look_up(&common_dir.join("packed-refs"), &name), RefValue::Commit(_))
}

impl Tree {
    /// The branch, as HEAD named it when the tree was found: no system call. `None` if HEAD is detached, or the
    /// repository keeps its refs in a reftable.
    pub fn branch(&self) -> Option<String> {
        self.head_file.branch()
    }

    /// What [`Head::display`] calls it, as it was when the tree was found: no system call.
    pub fn checked_out(&self) -> Option<String> {
        match &self.head_file {
            RefTarget::Commit(commit) => Some(short(commit)),
            target @ RefTarget::Symbolic(_) => target.branch(),
        }
    }

    /// The small files on which [`Tree::checked_out`] depends, each with its first line as it was when the tree was found.
    pub fn branch_files(&self) -> Vec<(PathBuf, String)> {
        let text = match &self.head_file {
            RefTarget::Symbolic(name) => format!("ref: {name}"),
            RefTarget::Commit(commit) => commit.clone(),
        };
        vec![(self.git_dir.join("HEAD"), text)]
    }

    /// What is checked out now: reads HEAD, the branch's own file and, if it has none, `packed-refs`.
    pub fn head(&self) -> Head {
        self.head_at(refs::read_head(&self.git_dir.join("HEAD")).ok().flatten())
    }

    /// As [`Tree::head`], with HEAD as it was when the tree was found.
    pub fn head_as_found(&self) -> Head {
        self.head_at(Some(self.head_file.clone()))
    }

    fn head_at(&self, target: Option<RefTarget>) -> Head {
        let branch = target.as_ref().and_then(RefTarget::branch);
        let (kind, commit) = match target {
            None => (HeadKind::Unknown, None),
            Some(RefTarget::Commit(commit)) => (HeadKind::Detached, Some(commit)),
            Some(RefTarget::Symbolic(name)) if name == REFTABLE_STUB => (HeadKind::Unknown, None),
            Some(RefTarget::Symbolic(name)) => match self.value_of(name) {
                RefValue::Commit(commit) => (HeadKind::Branch, Some(commit)),
                RefValue::Missing => (HeadKind::Unborn, None),
                RefValue::Unreadable => (HeadKind::Branch, None),
            },
        };
        Head { branch, commit, kind }
    }

    fn value_of(&self, mut name: String) -> RefValue {
        for _ in 0..MAX_SYMBOLIC_STEPS {
            match files::read_start(&self.folder_of_ref(&name).join(&name), Links::Follow, MAX_SMALL_FILE) {
                Ok(text) => match parse_ref(&text) {
                    Some(RefTarget::Commit(commit)) => return RefValue::Commit(commit),
                    Some(RefTarget::Symbolic(next)) => name = next,
                    None => return RefValue::Unreadable,
                },
                // Also for a folder: a branch `a` may be packed while an empty folder `a` is left of a branch `a/b`.
                Err(_) => return packed::look_up(&self.common_dir.join("packed-refs"), &name),
            }
        }
        RefValue::Unreadable
    }

    /// The folder that a ref belongs to: gitrepository-layout(5) names the ones that each tree has for itself.
    fn folder_of_ref(&self, name: &str) -> &Path {
        let is_own = ["refs/bisect/", "refs/worktree/", "refs/rewritten/"].iter().any(|own| name.starts_with(own));
        if is_own { &self.git_dir } else { &self.common_dir }
    }
}
