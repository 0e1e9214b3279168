//! What a session is doing.

use std::fmt;

use serde::Serialize;

/// What a session is doing. Unknown is said rather than guessed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// Its turn is over; nobody has typed since.
    Idle,
    /// In the middle of a turn.
    Working,
    /// It cannot go on without its person: a permission, an answer, the next prompt.
    Waiting,
    /// The turn ended with an API error.
    Error,
    /// Nothing says.
    #[default]
    Unknown,
}

impl State {
    /// As it is written in a manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Idle => "idle",
            State::Working => "working",
            State::Waiting => "waiting",
            State::Error => "error",
            State::Unknown => "unknown",
        }
    }

    /// Reads what [`State::as_str`] wrote.
    pub fn parse(text: &str) -> Option<State> {
        [State::Idle, State::Working, State::Waiting, State::Error, State::Unknown]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}
