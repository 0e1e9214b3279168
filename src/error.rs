//! One error type: what was being done, to what, why it failed, what to do next.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

/// The exit code. A hook never exits with 2: Claude Code would block the tool.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done = 0,
    /// 1: failed, or nothing found.
    Failed = 1,
    /// 2: what was asked for was usage error, not found, or several match.
    NotFound = 2,
    /// 3: there are conflicts, and `--strict` was given.
    Conflicts = 3,
}

/// One line: `action: subject: cause`, and after a semicolon a hint, if there is one.
///
/// Behind a pointer: an error is passed up through many hands, and none of them should have to carry its texts.
#[derive(Clone, Debug)]
pub struct Error(Box<Parts>);

#[derive(Clone, Debug)]
struct Parts {
    doing: Cow<'static, str>,
    what: String,
    why: String,
    hint: Option<String>,
    exit: Exit,
    source: Option<Arc<dyn std::error::Error + Send + Sync>>,
}

/// Why something failed: a text, or another error, which is kept as the source.
pub struct Cause(String, Option<Arc<dyn std::error::Error + Send + Sync>>);

impl From<&str> for Cause {
    fn from(text: &str) -> Cause {
        Cause(text.to_owned(), None)
    }
}

impl From<String> for Cause {
    fn from(text: String) -> Cause {
        Cause(text, None)
    }
}

impl From<&String> for Cause {
    fn from(text: &String) -> Cause {
        Cause(text.clone(), None)
    }
}

impl From<fmt::Arguments<'_>> for Cause {
    fn from(text: fmt::Arguments<'_>) -> Cause {
        Cause(text.to_string(), None)
    }
}

impl From<std::io::Error> for Cause {
    fn from(error: std::io::Error) -> Cause {
        Cause(error.to_string(), Some(Arc::new(error)))
    }
}

impl From<serde_json::Error> for Cause {
    fn from(error: serde_json::Error) -> Cause {
        Cause(error.to_string(), Some(Arc::new(error)))
    }
}

/// The result of everything in `ait` that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error with exit code 1. `what` may be empty where `doing` says it all.
    pub fn new(doing: impl Into<Cow<'static, str>>, what: impl fmt::Display, why: impl Into<Cause>) -> Self {
        let Cause(why, source) = why.into();
        let (what, why) = (on_one_line(&what.to_string()), on_one_line(&why));
        Error(Box::new(Parts { doing: doing.into(), what, why, hint: None, exit: Exit::Failed, source }))
    }

    /// Adds what the user can type or do next.
    pub fn hint(mut self, hint: impl Into<String>) -> Self {
        self.0.hint = Some(hint.into());
        self
    }

    /// Replaces the exit code.
    pub fn exit(mut self, exit: Exit) -> Self {
        self.0.exit = exit;
        self
    }

    /// The exit code that the process ends with when this error reaches `main`.
    pub fn code(&self) -> Exit {
        self.0.exit
    }
}

/// A text from outside in an error line: nothing in it may break the line or move a cursor.
pub fn on_one_line(text: &str) -> String {
    text.chars().map(|c| if moves_cursor(c) { ' ' } else { c }).collect()
}

/// Whether a terminal would do something with a character instead of showing it: C0 and C1 controls, DEL, marks that
/// reorder a line, separators of lines.
pub fn moves_cursor(c: char) -> bool {
    c.is_control()
        || matches!(c, '\u{61c}' | '\u{200e}' | '\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

/// How many letters to add, drop or change to make one word of the other.
pub fn edits(one: &str, other: &str) -> usize {
    let mut row: Vec<usize> = (0..=other.chars().count()).collect();
    for (above, a) in one.chars().enumerate() {
        let mut diagonal = above;
        let mut left = above + 1;
        if let Some(first) = row.first_mut() {
            *first = left;
        }
        for (cell, b) in row.iter_mut().skip(1).zip(other.chars()) {
            let here = (diagonal + usize::from(a != b)).min(left + 1).min(*cell + 1);
            diagonal = *cell;
            *cell = here;
            left = here;
        }
    }
    row.last().copied().unwrap_or(0)
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Parts { doing, what, why, hint, .. } = &*self.0;
        f.write_str(doing)?;
        if !what.is_empty() {
            write!(f, ": {what}")?;
        }
        write!(f, ": {why}")?;
        match hint {
            Some(hint) => write!(f, "; {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        let source = self.0.source.as_ref()?;
        Some(&**source)
    }
}

/// The word that was probably meant: the fewest letters to change, and few of them.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (edits(word, candidate), candidate))
        .filter(|(edits, candidate)| {
            let letters = |word: &str| word.trim_start_matches('-').len();
            *edits <= 1 + letters(word).min(letters(candidate)) / 4 || (word.len() > 2 && candidate.starts_with(word))
        })
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_error_of_the_system_is_kept_as_the_source() {
        use std::error::Error as _;
        let error = Error::new("reading a manifest", "/a", std::io::Error::from_raw_os_error(13));
        assert!(error.source().unwrap().downcast_ref::<std::io::Error>().is_some());
        assert_eq!(error.to_string(), "reading a manifest: /a: Permission denied (os error 13)");
        assert!(Error::new("reading a manifest", "/a", "too large").source().is_none());
    }

    #[test]
    fn what_comes_from_outside_stays_on_the_line() {
        let error = Error::new("reading", "a\u{1b}]0;t\u{7}\r\nb", "c\u{9b}31m\u{202e}d");
        assert_eq!(error.to_string(), "reading: a ]0;t   b: c 31m d");
    }

    #[test]
    fn nearest_finds_mistyped_words() {
        let words = ["live", "current", "task", "conflicts", "history", "prune"];
        for (typed, meant) in [("liev", "live"), ("conflict", "conflicts"), ("hist", "history"), ("purne", "prune")] {
            assert_eq!(nearest(typed, words.into_iter()), Some(meant));
        }
        for (typed, words) in [("zzzzzz", &words[..]), ("foo", &["hook", "init"]), ("--foo", &["--json", "--color"])] {
            assert_eq!(nearest(typed, words.iter().copied()), None);
        }
    }
}
