//! What a session is doing.

use std::fmt;

use jiff::Timestamp;
use serde::Serialize;

/// What a session is doing. [`State::Unknown`] is reported rather than a guess.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum State {
    /// No turn runs: none has run yet, it ended, or the user stopped it with Esc.
    Idle,
    /// In the middle of a turn.
    Working,
    /// It cannot go on without its user: a permission, an answer, the next prompt.
    Waiting,
    /// Its process is stopped: Ctrl-Z.
    Stopped,
    /// The turn ended with an API error.
    Error,
    /// Nothing tells.
    #[default]
    Unknown,
}

impl State {
    /// Its name in a manifest.
    pub fn as_str(self) -> &'static str {
        match self {
            State::Idle => "idle",
            State::Working => "working",
            State::Waiting => "waiting",
            State::Stopped => "stopped",
            State::Error => "error",
            State::Unknown => "unknown",
        }
    }

    /// Reads what [`State::as_str`] wrote.
    pub fn parse(text: &str) -> Option<State> {
        [State::Idle, State::Working, State::Waiting, State::Stopped, State::Error, State::Unknown]
            .into_iter()
            .find(|state| state.as_str() == text)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Where a state is known from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum StateSource {
    /// The hook events.
    Hook,
    /// Claude Code's own record of the running client.
    Registry,
    /// The kernel, which knows that a process is stopped.
    Process,
}

/// What a session waits for after its turn has ended.
pub const INPUT: &str = "input";

/// A state, and how it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ObservedState {
    /// What the session is doing.
    pub state: State,
    /// Since when.
    pub since: Option<Timestamp>,
    /// What it waits for, while it waits.
    pub waiting_for: Option<String>,
    /// Its turn ended, and no prompt followed.
    pub finished: bool,
    /// The error that its turn ended with, as Claude Code names it, while the state is [`State::Error`].
    pub turn_error: Option<String>,
    /// Where this is known from.
    pub source: StateSource,
    /// When the source last reported anything.
    pub heard: Option<Timestamp>,
}

impl ObservedState {
    /// How urgently a session waits for its user; `None` if it does not wait.
    pub fn need(&self) -> Option<Need> {
        match self.activity() {
            Activity::Blocked => Some(Need::Answer),
            Activity::Finished | Activity::Failed => Some(Need::Prompt),
            _ => None,
        }
    }

    /// Whether its turn ended and it waits for the next prompt.
    pub fn is_finished(&self) -> bool {
        self.activity() == Activity::Finished
    }

    /// The state in a word, for people.
    pub fn word(&self) -> &'static str {
        if self.is_finished() { "finished" } else { self.state.as_str() }
    }

    fn activity(&self) -> Activity {
        match self.state {
            State::Unknown => Activity::Unknown,
            State::Idle if self.finished => Activity::Finished,
            State::Idle => Activity::Idle,
            State::Working => Activity::Working,
            State::Waiting if self.waiting_for.as_deref() == Some(INPUT) => Activity::Finished,
            State::Waiting => Activity::Blocked,
            State::Stopped => Activity::Stopped,
            State::Error => Activity::Failed,
        }
    }
}

/// How urgently a session waits for its user, the most urgent first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Need {
    /// It is blocked: it needs a permission or an answer to go on.
    Answer,
    /// It is finished or failed: it waits for the next prompt.
    Prompt,
}

/// The states as far as they differ for [`decide`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Activity {
    Unknown,
    Idle,
    Finished,
    Working,
    Blocked,
    Stopped,
    Failed,
}

/// What Claude Code's record of a running client tells.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Status {
    /// In a turn, or a sub-agent or teammate works.
    Busy,
    /// No turn runs and no dialog is open.
    Idle,
    /// A dialog is open.
    Waiting,
}

/// Claude Code's record of the client that runs a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct StatusReport {
    /// What the client does now.
    pub status: Status,
    /// Since when; it does not change while the status stays the same.
    pub since: Option<Timestamp>,
    /// What the dialog is about, while one is open.
    pub waiting_for: Option<String>,
}

/// What a session is doing, by the last hook event and by Claude Code's record.
///
/// The record tells what is true now; a hook tells what happened, and events of sub-agents, Esc and most dialogs have no
/// hook. So the record decides, whichever of the two is newer: its time stands still while its status stays true.
fn decide(hook: Activity, record: Option<Status>) -> Activity {
    use Activity::{Blocked, Failed, Finished, Idle, Stopped, Unknown, Working};
    match (hook, record) {
        (_, None) => hook,
        (_, Some(Status::Busy)) => Working,
        (_, Some(Status::Waiting)) => Blocked,
        // The client calls all of these idle.
        (Finished | Failed, Some(Status::Idle)) => hook,
        // No hook tells of Esc, of a rejected dialog, or of a prompt that was refused.
        (Unknown | Idle | Working | Blocked | Stopped, Some(Status::Idle)) => Idle,
    }
}

/// Seconds within which a hook and the record tell of the same change.
pub const SAME_MOMENT: i64 = 2;

/// The state of a session out of what the hooks tell and, if there is one, Claude Code's record.
pub fn observe(hook: ObservedState, record: Option<StatusReport>) -> ObservedState {
    let Some(record) = record else { return hook };
    let activity = decide(hook.activity(), Some(record.status));
    if activity == Activity::Blocked {
        return blocked(hook, record);
    }
    if activity == hook.activity() {
        // It may have begun anew since the last event: a dialog was answered, a teammate worked.
        let is_later = |(new, old): (Timestamp, Timestamp)| new.as_second() > old.as_second() + SAME_MOMENT;
        return match record.since.zip(hook.since).is_some_and(is_later) {
            true => ObservedState { since: record.since, source: StateSource::Registry, heard: record.since, ..hook },
            false => hook,
        };
    }
    ObservedState {
        state: if activity == Activity::Working { State::Working } else { State::Idle },
        since: record.since,
        waiting_for: None,
        finished: false,
        turn_error: None,
        source: StateSource::Registry,
        heard: record.since,
    }
}

/// A session with an open dialog. Hooks may name the tool that it is about; the record has known of it for longer.
fn blocked(hook: ObservedState, record: StatusReport) -> ObservedState {
    let same_dialog = hook.activity() == Activity::Blocked && is_same_dialog(&hook, &record);
    ObservedState {
        state: State::Waiting,
        since: record.since.or(hook.since.filter(|_| same_dialog)),
        waiting_for: if same_dialog { hook.waiting_for } else { record.waiting_for },
        finished: false,
        turn_error: None,
        source: if same_dialog { StateSource::Hook } else { StateSource::Registry },
        heard: if same_dialog { hook.heard } else { record.since },
    }
}

/// Whether both may tell of one dialog. To the client a plan is a permission.
fn is_same_dialog(hook: &ObservedState, record: &StatusReport) -> bool {
    let (hook, record) = (hook.waiting_for.as_deref(), record.waiting_for.as_deref());
    let is_permission = |what: &str| what.starts_with("permission") || what == "plan";
    match (hook, record) {
        (Some(hook), Some(record)) => hook == record || is_permission(hook) == is_permission(record),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Option<Timestamp> {
        Some(Timestamp::from_second(second).unwrap())
    }

    fn hook(state: State, waiting_for: Option<&str>, finished: bool) -> ObservedState {
        ObservedState {
            state,
            since: at(100),
            waiting_for: waiting_for.map(str::to_owned),
            finished,
            turn_error: None,
            source: StateSource::Hook,
            heard: at(100),
        }
    }

    fn record(status: Status, second: i64, waiting_for: Option<&str>) -> Option<StatusReport> {
        Some(StatusReport { status, since: at(second), waiting_for: waiting_for.map(str::to_owned) })
    }

    /// Every combination, and each with a record that is older and one that is newer than the hook.
    #[test]
    fn what_the_record_says_now_decides() {
        let unknown = hook(State::Unknown, None, false);
        let idle = hook(State::Idle, None, false);
        let finished = hook(State::Idle, None, true);
        let untyped = hook(State::Waiting, Some(INPUT), true);
        let working = hook(State::Working, None, false);
        let permission = hook(State::Waiting, Some("permission: Bash"), false);
        let question = hook(State::Waiting, Some("question"), false);
        let failed = hook(State::Error, None, false);
        // By hook: without a record, busy, idle, waiting for a permission.
        for (hook, alone, busy, idle, waiting) in [
            (&unknown, "unknown", "working", "idle", "waiting for permission"),
            (&idle, "idle", "working", "idle", "waiting for permission"),
            // Busy: a Stop hook of the user made it go on, a teammate works, or a command after `!`.
            (&finished, "finished", "working", "finished", "waiting for permission"),
            (&untyped, "finished", "working", "finished", "waiting for permission"),
            // Idle: Esc. Waiting: a tool without hooks, or a sub-agent's tool.
            (&working, "working", "working", "idle", "waiting for permission"),
            // Busy: it was approved. Idle: it was rejected.
            (&permission, "waiting for permission: Bash", "working", "idle", "waiting for permission: Bash"),
            // Busy: a hook denied the question, so that it was never asked.
            (&question, "waiting for question", "working", "idle", "waiting for permission"),
            (&failed, "error", "working", "error", "waiting for permission"),
        ] {
            let said = |observed: ObservedState| match &observed.waiting_for {
                Some(what) if !observed.is_finished() => format!("{} for {what}", observed.word()),
                _ => observed.word().to_owned(),
            };
            assert_eq!(said(observe(hook.clone(), None)), alone, "{hook:?}");
            for second in [1, 99, 101, 1_000] {
                for (status, wanted) in [(Status::Busy, busy), (Status::Idle, idle), (Status::Waiting, waiting)] {
                    let what = (status == Status::Waiting).then_some("permission");
                    let observed = observe(hook.clone(), record(status, second, what));
                    assert_eq!(said(observed), wanted, "{hook:?} {status:?} {second}");
                }
            }
        }
    }

    /// A permission that was asked for and granted, without a hook that told of it.
    #[test]
    fn the_same_state_may_have_begun_anew() {
        let working = hook(State::Working, None, false);
        for (second, since, source) in [(102, 100, StateSource::Hook), (1900, 1900, StateSource::Registry)] {
            let observed = observe(working.clone(), record(Status::Busy, second, None));
            assert_eq!((observed.since, observed.source), (at(since), source));
        }
    }

    #[test]
    fn a_dialog_is_open_since_the_record_says_so_and_named_by_the_hook() {
        let permission = hook(State::Waiting, Some("permission: Bash"), false);
        let observed = observe(permission, record(Status::Waiting, 94, Some("permission")));
        assert_eq!((observed.since, observed.waiting_for.as_deref()), (at(94), Some("permission: Bash")));
        let plan = hook(State::Waiting, Some("plan"), false);
        let observed = observe(plan, record(Status::Waiting, 100, Some("permission")));
        assert_eq!(observed.waiting_for.as_deref(), Some("plan"));
    }

    #[test]
    fn blocked_sessions_come_before_finished_and_failed_ones() {
        let need = |state, waiting_for, finished| hook(state, waiting_for, finished).need();
        assert!(need(State::Waiting, Some("question"), false) < need(State::Idle, None, true));
        assert_eq!(need(State::Idle, None, true), need(State::Error, None, false));
        assert_eq!(need(State::Waiting, Some(INPUT), false), Some(Need::Prompt));
        for state in [State::Idle, State::Working, State::Stopped, State::Unknown] {
            assert_eq!(need(state, None, false), None, "{state}");
        }
    }
}
