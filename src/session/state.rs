//! What a session is doing.

use std::fmt;

use jiff::Timestamp;
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

/// Where a state was learnt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StateSource {
    /// The hook events.
    Hook,
    /// Claude Code's own record of the running client.
    Registry,
}

/// A state, and how it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedState {
    /// What the session is doing.
    pub state: State,
    /// Since when.
    pub since: Option<Timestamp>,
    /// What it waits for, while it waits.
    pub waiting_for: Option<String>,
    /// Who says so.
    pub source: StateSource,
    /// When they last said anything.
    pub heard: Option<Timestamp>,
}

/// Seconds: one change, told by both.
const SAME_MOMENT: i64 = 2;

/// Out of what the hooks and the registry tell, the newer; where they agree, the longer wait and the more telling words.
///
/// Hooks are silent after Esc and when a dialog is rejected; the registry is right there. A permission dialog is told
/// by the registry at once, by a hook six seconds later.
pub fn newer(hook: ObservedState, registry: Option<ObservedState>) -> ObservedState {
    let Some(registry) = registry else { return hook };
    if hook.state == State::Unknown {
        return registry;
    }
    if hook.state == registry.state {
        let began_anew = |(new, old): (Timestamp, Timestamp)| new.as_second() > old.as_second() + SAME_MOMENT;
        return match hook.state {
            State::Waiting => ObservedState { since: hook.since.min(registry.since.or(hook.since)), ..hook },
            // Something happened in between that no hook told of.
            _ if registry.since.zip(hook.since).is_some_and(began_anew) => {
                ObservedState { waiting_for: hook.waiting_for, ..registry }
            }
            _ => hook,
        };
    }
    // To the client, a session that nobody has typed into for a minute is as idle as before.
    let same_wait =
        hook.state == State::Waiting && hook.waiting_for.as_deref() == Some("input") && registry.state == State::Idle;
    // The client shows an API error as idle.
    let same_end = hook.state == State::Error && registry.state == State::Idle;
    if registry.since <= hook.since || same_wait || same_end { hook } else { registry }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(state: State, second: i64, waiting_for: Option<&str>, source: StateSource) -> ObservedState {
        let since = Some(Timestamp::from_second(second).unwrap());
        ObservedState { state, since, waiting_for: waiting_for.map(str::to_owned), source, heard: since }
    }

    /// A permission that was asked for and granted, without a hook that told of it.
    #[test]
    fn the_same_state_may_have_begun_anew() {
        let hook = told(State::Working, 100, None, StateSource::Hook);
        for (second, since, source) in [(102, 100, StateSource::Hook), (1900, 1900, StateSource::Registry)] {
            let state = newer(hook.clone(), Some(told(State::Working, second, None, StateSource::Registry)));
            assert_eq!((state.since.unwrap().as_second(), state.source), (since, source));
        }
    }

    #[test]
    fn the_newer_one_wins() {
        let working = told(State::Working, 10, None, StateSource::Hook);
        let esc = told(State::Idle, 20, None, StateSource::Registry);
        assert_eq!(newer(working.clone(), Some(esc.clone())), esc);
        let next = told(State::Working, 30, None, StateSource::Hook);
        assert_eq!(newer(next.clone(), Some(esc)), next);
        assert_eq!(newer(next.clone(), None), next);
    }

    #[test]
    fn a_wait_is_as_long_as_the_longer_witness_says() {
        let hook = told(State::Waiting, 17, Some("permission: Bash"), StateSource::Hook);
        let registry = told(State::Waiting, 11, Some("permission"), StateSource::Registry);
        let both = newer(hook, Some(registry));
        assert_eq!(both.since.unwrap().as_second(), 11);
        assert_eq!(both.waiting_for.as_deref(), Some("permission: Bash"));
    }

    #[test]
    fn waiting_for_input_and_an_error_are_idle_to_the_client() {
        let input = told(State::Waiting, 10, Some("input"), StateSource::Hook);
        let idle = told(State::Idle, 11, None, StateSource::Registry);
        assert_eq!(newer(input.clone(), Some(idle.clone())), input);
        let error = told(State::Error, 10, None, StateSource::Hook);
        assert_eq!(newer(error.clone(), Some(idle)), error);
    }
}
