//! What a client tells its status line about its session beyond what every status line shows.

use super::state::State;

/// What only some status lines show. Times are seconds.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Details {
    /// The name that the user or the client gave the session.
    pub name: Option<String>,
    /// The output style.
    pub output_style: Option<String>,
    /// How hard the model thinks: `low`, `medium`, `high`.
    pub effort: Option<String>,
    /// Extended thinking is on.
    pub thinking: bool,
    /// The mode of the vim editor.
    pub vim: Option<String>,
    /// The name of the agent that the session runs as.
    pub agent: Option<String>,
    /// The version of the client.
    pub version: Option<String>,
    /// Tokens sent and received.
    pub tokens: (Option<u64>, Option<u64>),
    /// How long the session has been running.
    pub duration: Option<u64>,
    /// How long it waited for the model.
    pub api_time: Option<u64>,
    /// How many folders were added.
    pub dirs: usize,
    /// The number of the pull request.
    pub pr: Option<u64>,
    /// The time, since 1970, at which the prompt cache becomes cold.
    pub cache_until: Option<i64>,
    /// The time now, since 1970.
    pub now: i64,
    /// How many stashes the repository has.
    pub stashes: usize,
    /// The worst state of other sessions, whether they have finished, and how many are in it.
    pub others: Option<(State, bool, usize)>,
}
