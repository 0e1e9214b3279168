//! Changes of state that no hook tells of: Esc, and the answer to a dialog. They are found at the next event, so that the
//! times worked and waited end when the work and the wait did.

use jiff::Timestamp;

use super::activity::MERGE_GAP;
use super::event::Event;
use super::manifest::Manifest;
use super::state::{INPUT, SAME_MOMENT, State, Status, StatusReport};
use super::time::seconds_between;

/// Whether the session may have left the state of its manifest before this event, so that it is worth asking. While it
/// works, only a turn that begins or a process that ends shows that the turn before was stopped with Esc.
pub fn is_possible(manifest: &Manifest, event: &Event, now: Timestamp) -> bool {
    let may_have_left = match manifest.state {
        State::Working => matches!(event, Event::Prompt(_) | Event::End { .. }),
        State::Waiting => manifest.waiting_for.as_deref() != Some(INPUT),
        _ => false,
    };
    may_have_left
        && manifest.ended.is_none()
        && manifest.state_since.is_some_and(|since| seconds_between(since, now) > 0)
}

/// The state that the session went into before this event, and when. `report` is Claude Code's record now, which it removes
/// before it ends; `written` is when it last wrote into the conversation.
pub fn find(
    manifest: &Manifest,
    event: &Event,
    report: Option<&StatusReport>,
    written: Option<Timestamp>,
    now: Timestamp,
) -> Option<(State, Timestamp)> {
    let since = manifest.state_since?;
    let Some(report) = report else {
        if let (Event::Prompt(prompt), State::Working, Some(last)) = (event, manifest.state, manifest.updated) {
            // Esc stopped the turn after the last event, unless a sub-agent worked on.
            let is_later = seconds_between(last, now) >= MERGE_GAP && !prompt.starts_with("<task-notification>");
            return is_later.then_some((State::Idle, last));
        }
        // The user typed something that ends a session, so no turn ran and no dialog was open.
        let is_typed = matches!(event, Event::End { reason: Some(reason) } if reason != "other");
        return written.filter(|_| is_typed).map(|written| (State::Idle, written.clamp(since, now.max(since))));
    };
    // The record is read a moment after the event.
    let changed = report.since?.min(now);
    if changed <= since {
        return None;
    }
    let is_of_event = seconds_between(changed, now) <= SAME_MOMENT.unsigned_abs();
    match (report.status, event) {
        (Status::Idle, _) => Some((State::Idle, changed)),
        // The record already tells of this prompt. What is known of the end of the turn before is that Claude Code wrote no
        // more.
        (Status::Busy, Event::Prompt(_)) if is_of_event => Some((State::Idle, written?.clamp(since, changed))),
        (Status::Busy, _) if manifest.state == State::Waiting => Some((State::Working, changed)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(second).unwrap()
    }

    #[test]
    fn what_the_record_tells_of_the_time_before_an_event() {
        let prompt = Event::Prompt("go".into());
        let end = Event::End { reason: None };
        use State::{Idle, Waiting, Working};
        for (state, event, status, changed, written, wanted) in [
            (Working, &prompt, Status::Idle, 101, None, Some((Idle, 101))),
            (Working, &prompt, Status::Busy, 170, Some(110), Some((Idle, 110))),
            (Working, &prompt, Status::Busy, 170, Some(50), Some((Idle, 100))),
            (Working, &prompt, Status::Busy, 170, Some(190), Some((Idle, 170))),
            (Working, &prompt, Status::Busy, 170, None, None),
            // A sub-agent has worked all the time.
            (Working, &prompt, Status::Busy, 90, Some(110), None),
            (Working, &end, Status::Idle, 101, None, Some((Idle, 101))),
            (Working, &end, Status::Busy, 90, None, None),
            (Waiting, &Event::ToolEnd, Status::Busy, 130, None, Some((Working, 130))),
            (Waiting, &Event::ToolEnd, Status::Idle, 130, None, Some((Idle, 130))),
            (Waiting, &Event::ToolEnd, Status::Waiting, 130, None, None),
            (Waiting, &prompt, Status::Busy, 170, Some(110), Some((Idle, 110))),
            // Another prompt while it works, after a dialog was answered.
            (Working, &prompt, Status::Busy, 130, Some(150), None),
            (Waiting, &prompt, Status::Busy, 130, Some(150), Some((Working, 130))),
        ] {
            let mut manifest = Manifest::default();
            (manifest.state, manifest.state_since) = (state, Some(at(100)));
            let report = StatusReport { status, since: Some(at(changed)), waiting_for: None };
            let found = find(&manifest, event, Some(&report), written.map(at), at(171));
            assert_eq!(
                found,
                wanted.map(|(state, second)| (state, at(second))),
                "{state} {event:?} {status:?} {changed}"
            );
        }
    }

    #[test]
    fn a_session_whose_user_typed_exit_had_stopped_working_when_claude_code_last_wrote() {
        let mut manifest = Manifest::default();
        (manifest.state, manifest.state_since) = (State::Working, Some(at(100)));
        let found = |reason: &str| {
            let end = Event::End { reason: Some(reason.to_owned()) };
            find(&manifest, &end, None, Some(at(110)), at(170))
        };
        assert_eq!(found("prompt_input_exit"), Some((State::Idle, at(110))));
        assert_eq!(found("other"), None);
    }
}
