//! The facts that a segment is made of.

use crate::session::conflict::Grade;
use crate::session::details::Details;
use crate::session::state::State;

/// The facts that a segment can show. Absent facts are not shown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Facts<'a> {
    /// The name of the project.
    pub project: &'a str,
    /// The branch, or what stands for one.
    pub branch: Option<&'a str>,
    /// The git operation in progress: `rebase` or `bisect`.
    pub operation: Option<&'a str>,
    /// The name of the linked worktree; `None` in the main one.
    pub worktree: Option<&'a str>,
    /// How long the session has been running, in seconds.
    pub elapsed: Option<u64>,
    /// The task of the session.
    pub task: Option<&'a str>,
    /// The state of the session; `None` without a session.
    pub state: Option<State>,
    /// Its turn ended, and it waits for the next prompt.
    pub finished: bool,
    /// The session that waits most urgently for the user: blocked before finished, the longest first.
    pub waiting: Option<Waiting<'a>>,
    /// The worst conflict here.
    pub conflict: Option<Conflict>,
    /// How many sessions are live.
    pub count: Option<usize>,
    /// The folder.
    pub path: Option<&'a str>,
    /// The session's id.
    pub session: Option<&'a str>,
    /// Where another session moved this tree's branch or commit: `main -> dev`.
    pub moved: Option<&'a str>,
    /// Where no session works: the session elsewhere that is blocked, the longest of several.
    pub elsewhere: Option<Waiting<'a>>,
    /// Whether hooks are known not to run.
    pub hooks_missing: bool,
    /// The model's name.
    pub model: Option<&'a str>,
    /// The share of the context that is used, in percent.
    pub context: Option<f64>,
    /// The cost of the session in US dollars.
    pub cost: Option<f64>,
    /// Lines added and removed.
    pub lines: Option<(u64, u64)>,
    /// The shares of the limits that are used.
    pub limits: Limits,
    /// Whether the tree has changes.
    pub dirty: bool,
    /// How many commits the branch is ahead of its upstream; 0 if that is not known.
    pub ahead: u64,
    /// How many commits it is behind.
    pub behind: u64,
    /// What only some status lines show.
    pub details: Option<&'a Details>,
}

/// A session that waits for its user.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting<'a> {
    /// What the session waits for: `permission`, `question` or `input`; after an API error, which one.
    pub for_what: &'a str,
    /// Its turn ended with an API error.
    pub failed: bool,
    /// For how many seconds.
    pub seconds: u64,
    /// The project of the session, if the segment does not already name it.
    pub whose: Option<&'a str>,
}

/// Sessions that can hurt each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// How many sessions.
    pub count: usize,
    /// How badly. `Merge` is not shown: it needs no action now.
    pub grade: Grade,
}

/// How much of the limits of a subscription is used, in percent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// Of the limit over five hours.
    pub five_hours: Option<f64>,
    /// Of the limit over seven days.
    pub seven_days: Option<f64>,
    /// Seconds until each of them is reset.
    pub resets: (Option<u64>, Option<u64>),
}
