//! References as git's files hold them: the text of HEAD or of a loose ref, and the value it leads to.

use std::io;
use std::path::Path;

use crate::sys::files::{self, Links};

/// The target of HEAD in a repository whose refs are in a reftable. It keeps old versions of git out.
pub(super) const REFTABLE_STUB: &str = "refs/heads/.invalid";
/// The most that is read of a file with one ref or one path, in bytes: more than the longest path that Linux accepts.
pub(super) const MAX_SMALL_FILE: usize = 4352;

/// The content of HEAD, or of another ref.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum RefTarget {
    /// Another ref, in full: `refs/heads/main`.
    Symbolic(String),
    /// A commit, in hex.
    Commit(String),
}

impl RefTarget {
    /// The first line of a file with this content, as git writes it.
    pub(super) fn text(&self) -> String {
        match self {
            RefTarget::Symbolic(name) => format!("ref: {name}"),
            RefTarget::Commit(commit) => commit.clone(),
        }
    }
}

/// The value of a ref.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum RefValue {
    /// The commit, in hex.
    Commit(String),
    /// The ref does not exist: a branch without a commit.
    Missing,
    /// The files are damaged, or the user may not read them.
    Unreadable,
}

/// Parses the text of HEAD or of a loose ref; `None` if git would not accept it.
///
/// Format: `ref: refs/heads/main`, or a commit in hex, then white space. git ignores everything after the hex digits.
pub fn parse_ref(text: &[u8]) -> Option<RefTarget> {
    if let Some(name) = text.strip_prefix(b"ref:") {
        return symbolic(name.trim_ascii());
    }
    let commit = text.split(|byte| byte.is_ascii_whitespace()).next()?;
    is_object_id(commit).then(|| RefTarget::Commit(String::from_utf8_lossy(commit).into_owned()))
}

/// A symbolic ref. The name becomes a path, so nothing in it may lead out of the folder of the refs.
pub(super) fn symbolic(name: &[u8]) -> Option<RefTarget> {
    let is_safe = name.starts_with(b"refs/")
        && !name.contains(&0)
        && name.split(|byte| *byte == b'/').all(|part| !matches!(part, b"" | b"." | b".."));
    is_safe.then(|| RefTarget::Symbolic(String::from_utf8_lossy(name).into_owned()))
}

/// Whether the text is an object name: SHA-1 or SHA-256, in hex.
pub(super) fn is_object_id(text: &[u8]) -> bool {
    matches!(text.len(), 40 | 64) && text.iter().all(u8::is_ascii_hexdigit)
}

/// Reads the HEAD file of a tree. `Ok(None)` if the file is not a valid HEAD.
pub(super) fn read_head(file: &Path) -> io::Result<Option<RefTarget>> {
    match files::read_start(file, Links::Refuse, MAX_SMALL_FILE) {
        Ok(text) if text.len() == MAX_SMALL_FILE => Ok(None),
        Ok(text) => Ok(parse_ref(&text)),
        // A dangling symlink gives another error, because links are not followed.
        Err(error) if matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory) => Err(error),
        // Until 2005 HEAD was a symlink to the branch's file, and `core.preferSymlinkRefs` still makes one.
        Err(error) => match files::read_link(file) {
            Ok(target) => Ok(symbolic(target.as_os_str().as_encoded_bytes())),
            Err(_) => Err(error),
        },
    }
}

/// Reads a file that contains one path, without the line ends after it.
pub(super) fn path_line(text: &[u8]) -> Option<&Path> {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    let end = text.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r'))?;
    // The kernel refuses a path that was cut at the end of the buffer, or that contains a NUL.
    Some(Path::new(OsStr::from_bytes(text.get(..=end)?)))
}
