//! The last movement of HEAD, from its reflog.

use std::path::Path;

use jiff::Timestamp;

use super::head::is_commit;
use super::tree::Tree;
use crate::sys::files::Pieces;

/// A line is a name, an address and a first line of a message: what is longer than the second figure is not read.
const TAILS: [u64; 2] = [4 << 10, 256 << 10];

/// One movement of a tree's HEAD: a commit, checkout, reset, rebase, merge, pull.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Move {
    /// The commit before; `None` where there was none.
    pub old: Option<String>,
    /// The commit after; `None` where there is none.
    pub new: Option<String>,
    /// Who: `Name <address>`, as git was configured.
    pub who: String,
    /// When, to the second.
    pub at: Timestamp,
    /// What git says of it: `checkout: moving from main to topic`, `commit: message`, `reset: moving to HEAD~1`.
    pub message: String,
}

impl Move {
    /// From where to where, if it was a checkout: branches, or whatever the user typed instead of one.
    pub fn checkout(&self) -> Option<(&str, &str)> {
        // No branch has a space in its name.
        self.message.strip_prefix("checkout: moving from ")?.split_once(" to ")
    }
}

/// The last movement of the tree's HEAD: four system calls, whatever the length of the log. `None` where git keeps no
/// log (`core.logAllRefUpdates`, a bare repository's default) or keeps it in a reftable.
pub fn last_move(tree: &Tree) -> Option<Move> {
    last_line(&tree.git_dir.join("logs/HEAD"), parse_move)
}

fn last_line<T>(file: &Path, parse: fn(&[u8]) -> Option<T>) -> Option<T> {
    let log = Pieces::open(file).ok()?;
    TAILS.iter().find_map(|length| {
        let from = log.size().saturating_sub(*length);
        let tail = log.read_at(from, usize::try_from(*length).ok()?).ok()?;
        // What follows the last end of line is being written at this moment.
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
    if !is_commit(old) || !is_commit(new) {
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
