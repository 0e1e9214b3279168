//! Where a session was in tmux, as its manifest records it.

use serde::{Deserialize, Serialize};

/// A window of tmux.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TmuxWindow {
    /// The name of its session of tmux.
    pub session: String,
    /// Its number in that session.
    pub index: u32,
    /// The name that its user gave it; `None` if tmux names it after the program that runs in it.
    pub name: Option<String>,
}
