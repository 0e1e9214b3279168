//! The limits of the subscription as the most recent status line was told: one line in the cache of the sessions folder.
//!
//! Claude Code tells each session only what came with the session's own last response. The file may be deleted at any time.

use std::path::PathBuf;

use super::root::Root;
use crate::session::limits::Limits;
use crate::sys::files::{self, Folder, PRIVATE};

const NAME: &str = "limits";
/// A longer file was not written by ait.
const MAX_LENGTH: usize = 200;

/// The file: its path and its line.
pub fn read(root: &Root) -> Option<(PathBuf, String)> {
    let path = root.cache().join(NAME);
    let text = String::from_utf8(files::read_own(&path, MAX_LENGTH).ok()?).ok()?;
    Some((path, text.lines().next().unwrap_or_default().to_owned()))
}

/// The limits of all sessions: those of the file and `ours`, both valid at `now` (seconds since 1970). If ours tell more than the
/// file, it is replaced. Errors are ignored: only other sessions would show the limits sooner.
pub fn share(root: &Root, ours: Limits, now: i64) -> Limits {
    let (_, line) = read(root).unwrap_or_default();
    let known = Limits::parse(&line).valid_at(now);
    let merged = known.merge(ours);
    if merged != known {
        let bytes = merged.to_line() + "\n";
        let _ =
            Folder::open_or_make_own(root.cache()).and_then(|folder| folder.replace(NAME, bytes.as_bytes(), PRIVATE));
    }
    merged
}
