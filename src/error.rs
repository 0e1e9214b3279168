//! One error type: what was being done, to what, why it failed, what to do next.

use std::borrow::Cow;
use std::fmt;

/// Why `ait` ends, as an exit code. A hook never ends with 2: Claude Code takes that as an order to block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// 0: done.
    Done = 0,
    /// 1: failed, or nothing there.
    Failed = 1,
    /// 2: what was asked for was not found, or more than one thing answers to it.
    NotFound = 2,
    /// 3: there are conflicts, and `--strict` was given.
    Conflicts = 3,
}

/// One line: `what I was doing: on what: why`, and after a semicolon what to type next where that is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Error {
    doing: Cow<'static, str>,
    what: String,
    why: String,
    next: Option<String>,
    exit: Exit,
}

/// The result of everything in `ait` that can fail.
pub type Result<T, E = Error> = std::result::Result<T, E>;

impl Error {
    /// An error with exit code 1. `what` may be empty where `doing` says it all.
    pub fn new(doing: impl Into<Cow<'static, str>>, what: impl fmt::Display, why: impl fmt::Display) -> Self {
        Error { doing: doing.into(), what: what.to_string(), why: why.to_string(), next: None, exit: Exit::Failed }
    }

    /// Adds what the user can type or do next.
    pub fn next(mut self, next: impl Into<String>) -> Self {
        self.next = Some(next.into());
        self
    }

    /// Replaces the exit code.
    pub fn exit(mut self, exit: Exit) -> Self {
        self.exit = exit;
        self
    }

    /// The exit code that the process ends with when this error reaches `main`.
    pub fn code(&self) -> Exit {
        self.exit
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.doing)?;
        if !self.what.is_empty() {
            write!(f, ": {}", self.what)?;
        }
        write!(f, ": {}", self.why)?;
        match &self.next {
            Some(next) => write!(f, "; {next}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Error {}
