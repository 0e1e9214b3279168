//! The revision: a short text that changes whenever a segment may have to change. Shells compare it with the one that
//! their last answer came with, instead of starting a process (docs/prompt-protocol.md).
//!
//! It is kept in `$XDG_RUNTIME_DIR/ait/revision` and in `ait/revision` of the cache folder. The first is on a fast file
//! system but is not the same for every process: a hook in a container, or one whose client was started without
//! `XDG_RUNTIME_DIR`, has another one or none. The second is shared by everything that shares the home folder. Writers
//! write both; a reader's answer depends on both.
//!
//! A revision may be deleted at any time: the next reader creates a new one, and shells ask once more.

use std::fmt::Write as _;
use std::io;
use std::path::PathBuf;

use super::profiles::cache_home;
use crate::sys::files::Folder;
use crate::sys::{clock, env, process};

/// The name of the file.
const NAME: &str = "revision";
/// A revision has fewer bytes than this, its newline included. A longer file was not written by ait.
const MAX_LENGTH: usize = 64;

/// One revision file, and what it contained when it was read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Revision {
    /// Its absolute path.
    pub path: PathBuf,
    /// Its first and only line, without the newline.
    pub text: String,
}

/// The folders that a revision is kept in: absolute paths, which need not exist.
pub fn folders() -> impl Iterator<Item = PathBuf> {
    runtime().map(|runtime| runtime.join("ait")).into_iter().chain(cache_home())
}

fn runtime() -> Option<PathBuf> {
    env::path("XDG_RUNTIME_DIR").filter(|path| path.is_absolute())
}

/// Opens such a folder, creating it where it is missing. A symlink, or a folder of another user, is refused.
fn open(path: PathBuf) -> io::Result<Folder> {
    let is_runtime = runtime().is_some_and(|runtime| path.parent() == Some(&runtime));
    let folder = match if is_runtime { Folder::open_own(&path) } else { Folder::open_or_make_own(&path) } {
        Err(why) if is_runtime && why.kind() == io::ErrorKind::NotFound => make_in_runtime()?,
        opened => opened?,
    };
    own(folder)
}

/// The runtime folder is made by the system at login. After `su` the variable may name that of another user, or one that
/// is gone: nothing is made there.
fn make_in_runtime() -> io::Result<Folder> {
    own(Folder::open(runtime().ok_or(io::ErrorKind::NotFound)?)?)?.folder_or_make("ait")
}

fn own(folder: Folder) -> io::Result<Folder> {
    if folder.meta()?.owner == process::user_id() { Ok(folder) } else { Err(io::ErrorKind::PermissionDenied.into()) }
}

/// Records that a segment may have to change. To be called after the change itself is on disk: a reader that sees the
/// old manifest then also sees the old revision. If a revision cannot be written, segments are outdated until their time
/// limit, a minute at most.
pub fn change() {
    // Unit tests write nothing outside of their own folders.
    if cfg!(test) {
        return;
    }
    let text = new_text();
    for folder in folders() {
        let _ = open(folder).and_then(|folder| folder.overwrite(NAME, text.as_bytes()));
    }
}

/// The current revisions, created where they are missing. To be called before any manifest is read. Empty if none can be
/// read or written: then nothing tells a shell about changes.
pub fn current() -> Vec<Revision> {
    folders().filter_map(read_or_create).collect()
}

fn read_or_create(folder: PathBuf) -> Option<Revision> {
    let folder = open(folder).ok()?;
    let path = folder.path().join(NAME);
    if let Some(text) = folder.read_own(NAME, MAX_LENGTH).ok().and_then(|bytes| parse(&bytes)) {
        return Some(Revision { path, text });
    }
    let text = new_text();
    folder.overwrite(NAME, text.as_bytes()).ok()?;
    Some(Revision { path, text: text.trim_end().to_owned() })
}

/// One line of letters and digits, or the file is not a revision.
fn parse(bytes: &[u8]) -> Option<String> {
    let line = std::str::from_utf8(bytes).ok()?.strip_suffix('\n')?;
    let is_valid = !line.is_empty() && line.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    is_valid.then(|| line.to_owned())
}

/// Always the same length, so that overwriting a revision in place leaves nothing of the old one. Different for each call:
/// no two processes have the same number at the same nanosecond.
fn new_text() -> String {
    let mut text = String::with_capacity(MAX_LENGTH);
    let _ = writeln!(text, "{:016x}-{:08x}", clock::now().as_nanosecond(), process::id());
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_revision_is_one_line_of_letters_and_digits() {
        let text = new_text();
        assert_eq!(parse(text.as_bytes()).as_deref(), Some(text.trim_end()));
        assert!(text.len() < MAX_LENGTH);
        for wrong in [&b""[..], b"\n", b"abc", b"a b\n", b"a\tb\n", b"a\nb\n", b"\xff\n"] {
            assert_eq!(parse(wrong), None);
        }
    }
}
