//! HEAD of a tree: the branch and its commit.

use std::path::{Path, PathBuf};

use super::detached::{self, Operation};
use super::refs::{self, MAX_SMALL_FILE, REFTABLE_STUB, RefTarget, RefValue, parse_ref};
use super::tree::Tree;
use super::{packed, reftable};
use crate::sys::files::{self, Links};

/// git follows this many symbolic refs before it assumes a loop (`SYMREF_MAXDEPTH`).
const MAX_SYMBOLIC_STEPS: usize = 5;
/// Length of a commit in text for people.
const SHORT_COMMIT: usize = 7;

/// HEAD of a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The branch, without `refs/heads/`; a ref of another kind in full. During a rebase, the branch that is being
    /// rebased; in a repository that jj shares, a bookmark at this commit. Otherwise `None` if HEAD is detached.
    pub branch: Option<String>,
    /// The commit, all of its 40 or 64 digits. `None` if there is none yet, or only git can tell.
    pub commit: Option<String>,
    /// Which of the cases it is.
    pub kind: HeadKind,
    /// A git operation in progress. Only looked for if HEAD is detached.
    pub operation: Option<Operation>,
    /// The tag that was checked out.
    pub tag: Option<String>,
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
    /// HEAD is damaged or missing.
    Unknown,
}

impl Head {
    /// Its name for people: the branch, or `v1@1a2b3c4` for a tag, or the first 7 digits of the commit.
    pub fn display(&self) -> Option<String> {
        if let Some(branch) = &self.branch {
            return Some(branch.clone());
        }
        let commit: String = self.commit.as_deref()?.chars().take(SHORT_COMMIT).collect();
        Some(self.tag.as_deref().map_or_else(|| commit.clone(), |tag| format!("{tag}@{commit}")))
    }
}

/// What a prompt shows of HEAD, and what it read to find out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HeadLabel {
    /// See [`Head::display`].
    pub name: Option<String>,
    /// See [`Head::operation`].
    pub operation: Option<Operation>,
    /// The small files on which the label depends, each with its first line as it was read. An empty text means that the
    /// label may change although the first line does not.
    pub files: Vec<(PathBuf, String)>,
}

/// Whether a repository, given by its common git folder, has a branch of this name.
pub fn has_branch(common_dir: &Path, branch: &str) -> bool {
    let Some(RefTarget::Symbolic(name)) = refs::symbolic(format!("refs/heads/{branch}").as_bytes()) else {
        return false;
    };
    let is_loose = || files::read(&common_dir.join(&name), MAX_SMALL_FILE).is_ok_and(|text| parse_ref(&text).is_some());
    let is_packed = || matches!(packed::look_up(&common_dir.join("packed-refs"), &name), RefValue::Commit(_));
    is_loose() || is_packed() || matches!(reftable::look_up(&common_dir.join("reftable"), &name), Ok(Some(_)))
}

impl Tree {
    /// What a prompt shows, as HEAD was when the tree was found. On a branch this takes no system call; with a detached
    /// HEAD about ten; with a reftable about five for each table of the stack.
    pub fn head_label(&self) -> HeadLabel {
        let (head, file) = self.head_without_commit(Some(self.head_file.clone()));
        let mut files = vec![(self.git_dir.join("HEAD"), self.head_file.text())];
        if self.has_reftable() {
            // A checkout adds a line at the end of this file.
            files.push((self.git_dir.join("reftable/tables.list"), String::new()));
        }
        files.extend(file);
        HeadLabel { name: head.display(), operation: head.operation, files }
    }

    /// What is checked out now: reads HEAD, the branch's own file and, if it has none, `packed-refs`.
    pub fn head(&self) -> Head {
        self.head_of(refs::read_head(&self.git_dir.join("HEAD")).ok().flatten())
    }

    /// As [`Tree::head_as_found`] without the commit of a branch: on a branch this takes no system call.
    pub fn head_for_display(&self) -> Head {
        self.head_without_commit(Some(self.head_file.clone())).0
    }

    /// As [`Tree::head`], with HEAD as it was when the tree was found.
    pub fn head_as_found(&self) -> Head {
        self.head_of(Some(self.head_file.clone()))
    }

    fn head_of(&self, target: Option<RefTarget>) -> Head {
        let target = target.and_then(|target| self.in_reftable(target));
        let (mut head, _) = self.head_without_commit(target.clone());
        if let Some(RefTarget::Symbolic(name)) = target {
            (head.kind, head.commit) = match self.value_of(name, &mut Vec::new()) {
                RefValue::Commit(commit) => (HeadKind::Branch, Some(commit)),
                RefValue::Missing => (HeadKind::Unborn, None),
                RefValue::Unreadable => (HeadKind::Branch, None),
            };
        }
        head
    }

    /// What HEAD itself tells, and the file besides HEAD that it depends on. The commit of a branch is not looked up.
    fn head_without_commit(&self, target: Option<RefTarget>) -> (Head, Option<(PathBuf, String)>) {
        let mut head = Head { branch: None, commit: None, kind: HeadKind::Unknown, operation: None, tag: None };
        match target.and_then(|target| self.in_reftable(target)) {
            None => (head, None),
            Some(RefTarget::Symbolic(name)) => {
                head.kind = HeadKind::Branch;
                head.branch = Some(name.strip_prefix("refs/heads/").map_or_else(|| name.clone(), str::to_owned));
                (head, None)
            }
            Some(RefTarget::Commit(commit)) => {
                let found = detached::inspect(&self.root, &self.git_dir, &self.common_dir, &commit);
                head.kind = HeadKind::Detached;
                head.commit = Some(commit);
                (head.branch, head.operation, head.tag) = (found.branch, found.operation, found.tag);
                (head, found.file)
            }
        }
    }

    fn has_reftable(&self) -> bool {
        matches!(&self.head_file, RefTarget::Symbolic(name) if name == REFTABLE_STUB)
    }

    /// HEAD of a reftable, if the file HEAD says that there is one.
    fn in_reftable(&self, target: RefTarget) -> Option<RefTarget> {
        match target {
            RefTarget::Symbolic(name) if name == REFTABLE_STUB => {
                reftable::look_up(&self.git_dir.join("reftable"), "HEAD").ok().flatten()
            }
            target => Some(target),
        }
    }

    /// The value of a ref. The file that contains it, if it is not `packed-refs`, is added to `files` with its first line.
    pub(super) fn value_of(&self, mut name: String, files: &mut Vec<(PathBuf, String)>) -> RefValue {
        for _ in 0..MAX_SYMBOLIC_STEPS {
            let folder = self.folder_of_ref(&name);
            let target = if self.has_reftable() {
                match reftable::look_up(&folder.join("reftable"), &name) {
                    Ok(None) => return RefValue::Missing,
                    found => found.ok().flatten(),
                }
            } else {
                let file = folder.join(&name);
                match files::read_start(&file, Links::Follow, MAX_SMALL_FILE) {
                    Ok(text) => {
                        let target = parse_ref(&text);
                        files.extend(target.as_ref().map(|target| (file, target.text())));
                        target
                    }
                    // Also for a folder: a branch `a` may be packed while an empty folder `a` is left of a branch `a/b`.
                    Err(_) => return packed::look_up(&self.common_dir.join("packed-refs"), &name),
                }
            };
            match target {
                Some(RefTarget::Commit(commit)) => return RefValue::Commit(commit),
                Some(RefTarget::Symbolic(next)) => name = next,
                None => return RefValue::Unreadable,
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
