//! Touches: the files that a session wrote.

use std::borrow::Cow;
use std::collections::HashSet;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::time::{milliseconds, parse_time, seconds_between};

/// Seconds after which a write is old: a conflict that depends on it is listed as old, and causes no warning.
pub const FADES_AFTER: u64 = 3600;

/// How many trees, and how many overlaps, a manifest remembers: it is read whole in every prompt.
const REMEMBERED: usize = 8;

/// Whether what happened at that time still counts.
pub fn is_fresh(at: Timestamp, now: Timestamp) -> bool {
    seconds_between(at, now) < FADES_AFTER
}

/// A file that a session wrote, and when it last did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileWrite {
    /// The root of the tree that the file lies in; `None` outside of any repository.
    pub tree: Option<String>,
    /// The file, from the root of the tree on; the whole path outside of any repository.
    pub path: String,
    /// When.
    #[serde(deserialize_with = "super::json_object::time")]
    pub at: Timestamp,
}

impl FileWrite {
    /// A line of a write log: `["2026-11-22T18:00:00.123Z","/the/tree","the/file"]` and a newline.
    pub fn to_line(&self) -> String {
        line(self.at, self.tree.as_deref().unwrap_or_default(), &self.path)
    }

    /// Reads a line of a log; `None` where it is none, such as one that was cut off by a full disk.
    pub fn from_line(text: &str) -> Option<FileWrite> {
        let (at, tree, path) = parse_line(text)?;
        Some(FileWrite {
            tree: (!tree.is_empty()).then(|| tree.into_owned()),
            path: path.into_owned(),
            at: parse_time(&at)?,
        })
    }

    /// Which file it is, apart from the time.
    pub fn file(&self) -> (Option<&str>, &str) {
        (self.tree.as_deref(), &self.path)
    }
}

/// A line of three texts as it is written to a log.
pub fn line(at: Timestamp, first: &str, second: &str) -> String {
    let mut line = serde_json::to_string(&(milliseconds(at), first, second)).unwrap_or_default();
    line.push('\n');
    line
}

/// The three texts of a line. Where a full disk cut off the line before it, that has no end of its own, and both are one
/// line: the later one counts.
pub fn parse_line(line: &str) -> Option<(Cow<'_, str>, Cow<'_, str>, Cow<'_, str>)> {
    #[derive(Deserialize)]
    struct Text<'a>(#[serde(borrow)] Cow<'a, str>);
    type Texts<'a> = (Text<'a>, Text<'a>, Text<'a>);
    let parse = |line| serde_json::from_str::<Texts<'_>>(line).ok();
    // A quote within a text has a backslash before it; the one at its end has no digit behind it.
    let begins = |at: &usize| line.get(at + 2..).is_some_and(|rest| rest.starts_with(|c: char| c.is_ascii_digit()));
    let last = || line.rmatch_indices("[\"").map(|(at, _)| at).find(begins).and_then(|at| line.get(at..));
    let (at, first, second) = parse(line).or_else(|| parse(last()?))?;
    Some((at.0, first.0, second.0))
}

/// The lines of a log that still say something: of those that agree in all but the time, the last one.
pub fn compact(log: &str) -> String {
    // Everything after the time has to agree.
    let mut known = HashSet::new();
    let mut kept = Vec::new();
    for line in log.lines().rev() {
        if line.split_once(',').is_some_and(|(_, rest)| known.insert(rest)) {
            kept.push(line);
        }
    }
    kept.iter().rev().flat_map(|line| [*line, "\n"]).collect()
}

/// A tree of which a session lately wrote a file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TreeWrite {
    /// The root of the tree.
    pub tree: String,
    /// git's common folder, which all trees of a repository share.
    pub repository: String,
    /// When the last of these files was written.
    #[serde(deserialize_with = "super::json_object::time")]
    pub at: Timestamp,
    /// Only sub-agents wrote there, each in a worktree of its own: the session itself still works where it was.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub by_subagent: bool,
}

/// A file that this session wrote within the hour after another one had.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Overlap {
    /// The file's whole path.
    pub path: String,
    /// The other session.
    pub session_id: String,
    /// When the other session had written it: both writes are fresh as long as this one is.
    #[serde(deserialize_with = "super::json_object::time")]
    pub at: Timestamp,
}

/// Puts an entry at the end of a short list, in place of the one that means the same, and lets the oldest go.
pub fn remember<T>(list: &mut Vec<T>, entry: T, same: impl Fn(&T, &T) -> bool) {
    list.retain(|known| !same(known, &entry));
    list.push(entry);
    if list.len() > REMEMBERED {
        list.remove(0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    #[test]
    fn a_line_of_a_write_log_is_read_back() {
        for (tree, path) in [(Some("/r"), "src/a.rs"), (None, "/tmp/x"), (Some("/with \"quotes\""), "tab\tnew\nline,ü")]
        {
            let touch = FileWrite { tree: tree.map(str::to_owned), path: path.into(), at: at(1) };
            let line = touch.to_line();
            assert_eq!(line.matches('\n').count(), 1, "{line:?}");
            assert_eq!(FileWrite::from_line(line.trim_end()), Some(touch));
        }
        assert_eq!(FileWrite::from_line("[\"2026-11-22T18:00:00Z\",\"/r\",\"cut of"), None);
    }

    #[test]
    fn a_line_behind_one_that_was_cut_off() {
        let touch = |path: &str| FileWrite { tree: Some("/r [".into()), path: path.into(), at: at(1) };
        let (lost, kept) = (touch("a").to_line(), touch("[\"2\",\"b").to_line());
        for length in 1..lost.len() {
            let line = format!("{}{}", lost.get(..length).unwrap(), kept.trim_end());
            assert_eq!(FileWrite::from_line(&line), Some(touch("[\"2\",\"b")), "{line}");
        }
    }

    #[test]
    fn compacting_keeps_the_last_of_each_file() {
        let touch =
            |path: &str, second| FileWrite { tree: Some("/r".into()), path: path.into(), at: at(second) }.to_line();
        let log = [touch("a", 1), touch("b", 2), "torn\n".to_owned(), touch("a", 3)].concat();
        assert_eq!(compact(&log), [touch("b", 2), touch("a", 3)].concat());
    }

    #[test]
    fn an_hour_is_the_border() {
        assert!(is_fresh(at(0), at(3599)) && !is_fresh(at(0), at(3600)));
        assert!(is_fresh(at(10), at(0)), "a clock that was set back");
    }

    #[test]
    fn a_short_list_stays_short() {
        let mut list = Vec::new();
        for number in [1, 2, 3, 1, 4, 5, 6, 7, 8, 9] {
            remember(&mut list, number, |a, b| a == b);
        }
        assert_eq!(list, [3, 1, 4, 5, 6, 7, 8, 9]);
    }
}
