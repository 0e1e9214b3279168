//! The meaning of a detached HEAD: a rebase or bisect in progress, a tag, or a bookmark of jj.
//!
//! Sources: git's `wt-status.c` and `contrib/completion/git-prompt.sh` for the files of a rebase or bisect; jj keeps HEAD
//! detached in a repository that it shares with git, and exports its bookmarks as branches.

use std::path::{Path, PathBuf};

use super::log::last_move_in;
use super::packed;
use super::refs::{MAX_SMALL_FILE, RefTarget, RefValue, is_object_id, parse_ref, path_line};
use crate::session::order::sort_by;
use crate::sys::files::{self, Folder, Links};

/// The most branches that are read in a repository that jj shares.
const MAX_BRANCHES: usize = 200;
/// How deep the folders of those branches are listed.
const MAX_DEPTH: usize = 4;

/// A git operation in progress.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operation {
    /// Commits are being applied anew; HEAD is detached until the end.
    Rebase,
    /// A commit with a fault is searched for; HEAD is at the one to test.
    Bisect,
}

impl Operation {
    /// Its name.
    pub fn as_str(self) -> &'static str {
        match self {
            Operation::Rebase => "rebase",
            Operation::Bisect => "bisect",
        }
    }
}

/// What is known of a detached HEAD besides its commit.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Detached {
    /// The branch that is being rebased, or a bookmark of jj at this commit.
    pub(super) branch: Option<String>,
    pub(super) operation: Option<Operation>,
    /// The tag that was checked out.
    pub(super) tag: Option<String>,
    /// The small file on which this depends, with its first line.
    pub(super) file: Option<(PathBuf, String)>,
}

/// Reads what a detached HEAD stands for: at most about ten system calls, except in a repository that jj shares.
pub(super) fn inspect(root: &Path, git_dir: &Path, common_dir: &Path, commit: &str) -> Detached {
    rebase(git_dir)
        .or_else(|| bisect(git_dir))
        .or_else(|| bookmark(root, common_dir, commit))
        .or_else(|| tag(git_dir, common_dir, commit))
        .unwrap_or_default()
}

fn rebase(git_dir: &Path) -> Option<Detached> {
    // The second folder belongs to the older way of `git rebase --apply`.
    let (file, text) = ["rebase-merge/head-name", "rebase-apply/head-name"].iter().find_map(|name| {
        let file = git_dir.join(name);
        Some((first_line(&file)?, file)).map(|(text, file)| (file, text))
    })?;
    // `detached HEAD` if no branch is being rebased.
    let branch = text.strip_prefix("refs/heads/").map(str::to_owned);
    Some(Detached { branch, operation: Some(Operation::Rebase), tag: None, file: Some((file, text)) })
}

fn bisect(git_dir: &Path) -> Option<Detached> {
    let file = git_dir.join("BISECT_START");
    let text = first_line(&file)?;
    Some(Detached { operation: Some(Operation::Bisect), file: Some((file, text)), ..Detached::default() })
}

fn first_line(file: &Path) -> Option<String> {
    let text = files::read_start(file, Links::Follow, MAX_SMALL_FILE).ok()?;
    let line = path_line(text.split(|byte| *byte == b'\n').next()?)?;
    Some(line.to_string_lossy().into_owned())
}

/// The branch at this commit, in a repository that jj shares; the first by name if there are several.
fn bookmark(root: &Path, common_dir: &Path, commit: &str) -> Option<Detached> {
    if !files::is_folder(&root.join(".jj")) {
        return None;
    }
    let heads = common_dir.join("refs/heads");
    let mut names = Vec::new();
    list_branches(&heads, "", MAX_DEPTH, &mut names);
    sort_by(&mut names, Ord::cmp);
    let is_here = |name: &&String| {
        let text = files::read_start(&heads.join(name), Links::Follow, MAX_SMALL_FILE).unwrap_or_default();
        parse_ref(&text).is_some_and(|target| target == RefTarget::Commit(commit.to_owned()))
    };
    if let Some(name) = names.iter().find(is_here) {
        let file = Some((heads.join(name), commit.to_owned()));
        return Some(Detached { branch: Some(name.clone()), file, ..Detached::default() });
    }
    // A branch with a file of its own has a newer commit than the packed one.
    let branch = packed::branch_at(&common_dir.join("packed-refs"), commit, &names)?;
    Some(Detached { branch: Some(branch), ..Detached::default() })
}

fn list_branches(folder: &Path, prefix: &str, depth: usize, found: &mut Vec<String>) {
    let Ok(names) = Folder::open(folder).and_then(|folder| folder.names()) else { return };
    for name in names {
        if found.len() >= MAX_BRANCHES {
            return;
        }
        let path = folder.join(&name);
        if !files::is_folder(&path) {
            found.push(format!("{prefix}{name}"));
        } else if depth > 1 {
            list_branches(&path, &format!("{prefix}{name}/"), depth - 1, found);
        }
    }
}

/// The tag that was checked out last, if HEAD is still there: what `git status` calls "HEAD detached at v1". It comes
/// from the reflog, because looking for the tags of a commit would mean to read all of them.
fn tag(git_dir: &Path, common_dir: &Path, commit: &str) -> Option<Detached> {
    let last = last_move_in(git_dir)?;
    let (_, to) = last.checkout()?;
    if last.new.as_deref() != Some(commit) || is_object_id(to.as_bytes()) {
        return None;
    }
    let name = format!("refs/tags/{}", to.strip_prefix("refs/tags/").unwrap_or(to));
    let Some(RefTarget::Symbolic(name)) = super::refs::symbolic(name.as_bytes()) else { return None };
    let is_loose = files::read_start(&common_dir.join(&name), Links::Follow, MAX_SMALL_FILE)
        .is_ok_and(|text| parse_ref(&text).is_some());
    let exists = is_loose || matches!(packed::look_up(&common_dir.join("packed-refs"), &name), RefValue::Commit(_));
    let tag = name.strip_prefix("refs/tags/").map(str::to_owned).filter(|_| exists);
    tag.map(|tag| Detached { tag: Some(tag), ..Detached::default() })
}
