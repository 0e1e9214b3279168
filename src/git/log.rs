//! The last move of HEAD, from its reflog.

use std::path::Path;

use jiff::Timestamp;

use super::refs::is_object_id;
use super::tree::Tree;
use crate::sys::files::Pieces;

/// How much of the end of the file is read, in bytes: first a little, then more if the last line is longer than that.
const TAILS: [u64; 2] = [4 << 10, 256 << 10];

/// One move of a tree's HEAD: a commit, checkout, reset, rebase, merge, pull.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The commit before; `None` if there was none.
    pub old: Option<String>,
    /// The commit after; `None` if there is none.
    pub new: Option<String>,
    /// The committer: `Name <address>`.
    pub who: String,
    /// The time, in whole seconds.
    pub at: Timestamp,
    /// git's description: `checkout: moving from main to topic`, `commit: message`, `reset: moving to HEAD~1`.
    pub message: String,
}

impl Move {
    /// The old and the new place if it was a checkout: branches, or what the user typed instead.
    pub fn checkout(&self) -> Option<(&str, &str)> {
        // The name of a branch contains no space.
        self.message.strip_prefix("checkout: moving from ")?.split_once(" to ")
    }
}

/// The last move of the tree's HEAD. Costs four system calls, however long the log is. `None` if git keeps no log
/// (`core.logAllRefUpdates`, the default of a bare repository) or keeps it in a reftable.
pub fn last_move(tree: &Tree) -> Option<Move> {
    last_move_in(&tree.git_dir)
}

/// [`last_move`] of the tree with this git folder.
pub(super) fn last_move_in(git_dir: &Path) -> Option<Move> {
    last_line(&git_dir.join("logs/HEAD"), parse_move)
}

fn last_line<T>(file: &Path, parse: fn(&[u8]) -> Option<T>) -> Option<T> {
    let log = Pieces::open(file).ok()?;
    TAILS.iter().find_map(|length| {
        let from = log.size().saturating_sub(*length);
        let tail = log.read_at(from, usize::try_from(*length).ok()?).ok()?;
        // Text after the last line end is a line that is being written.
        let end = tail.iter().rposition(|byte| *byte == b'\n')?;
        let tail = tail.get(..end)?;
        match tail.iter().rposition(|byte| *byte == b'\n') {
            Some(start) => parse(tail.get(start + 1..)?),
            None if from == 0 => parse(tail),
            None => None,
        }
    })
}

/// Reads a line of a reflog: `<old> <new> Name <address> <seconds> <zone>\t<message>`.
pub fn parse_move(line: &[u8]) -> Option<Move> {
    let tab = line.iter().position(|byte| *byte == b'\t');
    let (line, message) = line.split_at(tab.unwrap_or(line.len()));
    let mut words = line.splitn(3, |byte| *byte == b' ');
    let (old, new, rest) = (words.next()?, words.next()?, words.next()?);
    if !is_object_id(old) || !is_object_id(new) {
        return None;
    }
    let close = rest.iter().rposition(|byte| *byte == b'>')?;
    let (who, when) = rest.split_at(close + 1);
    let seconds = std::str::from_utf8(when).ok()?.split_ascii_whitespace().next()?.parse().ok()?;
    let commit = |hex: &[u8]| hex.iter().any(|digit| *digit != b'0').then(|| text(hex));
    Some(Move {
        old: commit(old),
        new: commit(new),
        who: text(who),
        at: Timestamp::from_second(seconds).ok()?,
        message: text(message.trim_ascii()),
    })
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
