//! What is checked out in a tree: the branch, and the commit it stands at.

use std::io;
use std::path::{Path, PathBuf};

use super::packed;
use super::tree::Tree;
use crate::sys::files::{self, Links};

/// git reads as many steps from one symbolic ref to the next before it takes them for a loop (`SYMREF_MAXDEPTH`).
const STEPS: usize = 5;
/// What HEAD holds where the refs are in a reftable, to keep older versions of git out.
const REFTABLE: &str = "refs/heads/.invalid";
/// Longer than any path that the kernel takes, and so than any ref. A file that fills it is not one of git's.
pub(super) const SMALL: usize = 4352;

/// What is checked out in a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// The branch, without `refs/heads/`; a ref of another kind in full. `None` where HEAD is detached or not known.
    pub branch: Option<String>,
    /// The commit, all of its 40 or 64 digits. `None` where there is none yet, or only git can say.
    pub commit: Option<String>,
    /// Which of the cases it is.
    pub kind: HeadKind,
}

/// The ways in which a tree can stand at a commit.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeadKind {
    /// On a branch with a commit.
    Branch,
    /// On a commit, and on no branch.
    Detached,
    /// On a branch without a commit.
    Unborn,
    /// The files do not say: the refs are in a reftable ([`super::status`] knows), or HEAD is damaged or gone.
    Unknown,
}

impl Head {
    /// What to call it in one word: the branch, or the first 7 digits of the commit.
    pub fn display(&self) -> Option<String> {
        self.branch.clone().or_else(|| self.commit.as_deref().map(short))
    }
}

fn short(commit: &str) -> String {
    commit.chars().take(7).collect()
}

/// What the text of HEAD, or of another ref, points to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Points {
    /// Another ref, in full: `refs/heads/main`.
    To(String),
    /// A commit, in hex.
    At(String),
}

impl Points {
    /// The branch, or another ref in full; `None` for a commit, and where the ref stands for a reftable.
    pub(super) fn branch(&self) -> Option<String> {
        match self {
            Points::To(name) if name == REFTABLE => None,
            Points::To(name) => Some(name.strip_prefix("refs/heads/").unwrap_or(name).to_owned()),
            Points::At(_) => None,
        }
    }
}

/// Reads the text of HEAD or of a loose ref; `None` where it is not one that git would take.
///
/// `ref: refs/heads/main`, or a commit in hex, then white space. git itself takes what follows the hex for a comment.
pub fn parse_head(text: &[u8]) -> Option<Points> {
    if let Some(name) = text.strip_prefix(b"ref:") {
        return points_to(name.trim_ascii());
    }
    let commit = text.split(|byte| byte.is_ascii_whitespace()).next()?;
    is_commit(commit).then(|| Points::At(String::from_utf8_lossy(commit).into_owned()))
}

fn points_to(name: &[u8]) -> Option<Points> {
    // The name becomes a path below: nothing in it may lead out of the folder of the refs.
    let safe = name.starts_with(b"refs/")
        && !name.contains(&0)
        && name.split(|byte| *byte == b'/').all(|part| !matches!(part, b"" | b"." | b".."));
    safe.then(|| Points::To(String::from_utf8_lossy(name).into_owned()))
}

/// Whether it is the name of an object: SHA-1 or SHA-256, in hex.
pub(super) fn is_commit(text: &[u8]) -> bool {
    matches!(text.len(), 40 | 64) && text.iter().all(u8::is_ascii_hexdigit)
}

/// Reads a HEAD; `None` where there is none, or it is not one that git would take.
pub(super) fn read(head: &Path) -> io::Result<Option<Points>> {
    match files::read_start(head, Links::Refuse, SMALL) {
        Ok(text) if text.len() == SMALL => Ok(None),
        Ok(text) => Ok(parse_head(&text)),
        // A link that leads nowhere is not this error: it was not followed.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Err(error),
        // Until 2005 HEAD was a symlink to the file of the branch, and `core.preferSymlinkRefs` still makes one.
        Err(error) => match files::read_link(head) {
            Ok(target) => Ok(points_to(target.as_os_str().as_encoded_bytes())),
            Err(_) => Err(error),
        },
    }
}

/// Whether a repository, given by its common git folder, has a branch of that name. One with a reftable never says so.
pub fn has_branch(common_dir: &Path, branch: &str) -> bool {
    let Some(Points::To(name)) = points_to(format!("refs/heads/{branch}").as_bytes()) else { return false };
    let loose = files::read(&common_dir.join(&name), SMALL).is_ok_and(|text| parse_head(&text).is_some());
    loose || matches!(packed::look_up(&common_dir.join("packed-refs"), &name), Commit::At(_))
}

impl Tree {
    /// The branch, as HEAD named it when the tree was found: no system call. `None` where HEAD is detached, or the
    /// repository keeps its refs in a reftable.
    pub fn branch(&self) -> Option<String> {
        self.points.branch()
    }

    /// What [`Head::display`] calls it, as it was when the tree was found: no system call.
    pub fn checked_out(&self) -> Option<String> {
        match &self.points {
            Points::At(commit) => Some(short(commit)),
            points @ Points::To(_) => points.branch(),
        }
    }

    /// The small files on which [`Tree::checked_out`] depends, each with its first line as it was when the tree was found.
    pub fn branch_files(&self) -> Vec<(PathBuf, String)> {
        let text = match &self.points {
            Points::To(name) => format!("ref: {name}"),
            Points::At(commit) => commit.clone(),
        };
        vec![(self.git_dir.join("HEAD"), text)]
    }

    /// What is checked out now: reads HEAD, the branch's own file and, where it has none, `packed-refs`.
    pub fn head(&self) -> Head {
        self.head_at(read(&self.git_dir.join("HEAD")).ok().flatten())
    }

    /// As [`Tree::head`], with HEAD as it was when the tree was found: for whoever found it a moment ago.
    pub fn head_as_found(&self) -> Head {
        self.head_at(Some(self.points.clone()))
    }

    fn head_at(&self, points: Option<Points>) -> Head {
        let branch = points.as_ref().and_then(Points::branch);
        let (kind, commit) = match points {
            None => (HeadKind::Unknown, None),
            Some(Points::At(commit)) => (HeadKind::Detached, Some(commit)),
            Some(Points::To(name)) if name == REFTABLE => (HeadKind::Unknown, None),
            Some(Points::To(name)) => match self.commit_of(name) {
                Commit::At(commit) => (HeadKind::Branch, Some(commit)),
                Commit::None => (HeadKind::Unborn, None),
                Commit::Unreadable => (HeadKind::Branch, None),
            },
        };
        Head { branch, commit, kind }
    }

    fn commit_of(&self, mut name: String) -> Commit {
        for _ in 0..STEPS {
            // gitrepository-layout(5): these are the tree's own, all other refs the repository's.
            let own = ["refs/bisect/", "refs/worktree/", "refs/rewritten/"].iter().any(|own| name.starts_with(own));
            let folder = if own { &self.git_dir } else { &self.common_dir };
            match files::read_start(&folder.join(&name), Links::Follow, SMALL) {
                Ok(text) => match parse_head(&text) {
                    Some(Points::At(commit)) => return Commit::At(commit),
                    Some(Points::To(next)) => name = next,
                    None => return Commit::Unreadable,
                },
                // A folder: branches `a/b` may be packed beside a branch `a` that is packed too.
                Err(_) => return packed::look_up(&self.common_dir.join("packed-refs"), &name),
            }
        }
        Commit::Unreadable
    }
}

/// What a ref stands at.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Commit {
    /// A commit.
    At(String),
    /// There is no such ref: the branch is unborn.
    None,
    /// The files are damaged or may not be read.
    Unreadable,
}
