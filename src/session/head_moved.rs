//! A move of HEAD by another session.

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

/// HEAD of a tree stands elsewhere than a session believes.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct HeadMoved {
    /// The branch that the session believes it is on.
    pub from_branch: Option<String>,
    /// The commit that it believes it is at.
    pub from: Option<String>,
    /// The branch now; `None` detached.
    pub to_branch: Option<String>,
    /// The commit now.
    pub to: Option<String>,
    /// The session that moved it; `None` where it was none that is known.
    pub session_id: Option<String>,
    /// The task of that session.
    pub task: Option<String>,
    /// The action in git's reflog: checkout, commit, reset, rebase (finish).
    pub how: Option<String>,
    /// When.
    #[serde(deserialize_with = "super::json_object::time")]
    pub at: Timestamp,
}
