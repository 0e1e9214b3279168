//! What a session did over time, as bars on a line: working, blocked, idle, or not recorded.

use jiff::Timestamp;
use serde::Serialize;

use super::activity::{Kind, Span};
use super::order::sort_by_key;
use super::state::State;
use super::summary::SessionActivity;
use super::time::whole_seconds;

/// What a bar stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Mark {
    /// The session worked.
    Working,
    /// It waited for a permission or an answer.
    Blocked,
    /// It was open, and did neither.
    Idle,
    /// It was open before its times were recorded.
    Untimed,
}

impl Mark {
    /// All of them, in the order of a legend.
    pub const ALL: [Mark; 4] = [Mark::Working, Mark::Blocked, Mark::Idle, Mark::Untimed];

    /// The word for a legend.
    pub fn name(self) -> &'static str {
        match self {
            Mark::Working => "working",
            Mark::Blocked => "blocked",
            Mark::Idle => "idle",
            Mark::Untimed => "not recorded",
        }
    }
}

/// A stretch of one kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Bar {
    /// What it stands for.
    #[serde(rename = "state")]
    pub mark: Mark,
    /// Its begin.
    pub from: Timestamp,
    /// Its end, after its begin.
    pub to: Timestamp,
}

/// Whether a session worked at times that were not recorded, or nothing at all is recorded of it.
pub fn is_untimed(session: &SessionActivity) -> bool {
    let SessionActivity { manifest, activity, .. } = session;
    let nothing_known = activity.spans.is_empty() && manifest.state == State::Unknown;
    manifest.worked_seconds > activity.seconds(Kind::Working) || nothing_known
}

/// The bars of a session between two moments, in order of their begins. A short bar may lie within a longer one: spans
/// that are half a minute apart are merged, and it may have been blocked in between.
///
/// Before it was resumed, nothing says until when it had been open: there is no bar then.
pub fn bars(session: &SessionActivity, from: Timestamp, to: Timestamp, now: Timestamp) -> Vec<Bar> {
    let SessionActivity { manifest, activity, running } = session;
    let mut spans: Vec<Span> = activity.spans.clone();
    sort_by_key(&mut spans, |span| (span.from, span.kind));
    let last = spans.iter().map(|span| span.to).max();
    let first = spans.first().map(|span| span.from);
    let Some(begin) = manifest.started.or(first).or(manifest.ended) else { return Vec::new() };
    let seen = if *running { Some(now) } else { manifest.ended.or(manifest.last_seen()) };
    let (begin, end) = (whole_seconds(begin), whole_seconds(seen.or(last).unwrap_or(begin)));

    let mut bars = Vec::new();
    let mut add = |mark, begin: Timestamp, end: Timestamp| {
        let (from, to) = (begin.max(from), end.min(to));
        if from < to {
            bars.push(Bar { mark, from, to });
        }
    };
    let mut gap_mark = if is_untimed(session) { Mark::Untimed } else { Mark::Idle };
    let mut done = begin;
    let resumed = |from: Timestamp, to: Timestamp| manifest.resumed.filter(|at| from < *at && *at <= to);
    for span in &spans {
        add(gap_mark, resumed(done, span.from).unwrap_or(done), span.from);
        add(if span.kind == Kind::Working { Mark::Working } else { Mark::Blocked }, span.from, span.to);
        gap_mark = Mark::Idle;
        done = done.max(span.to);
    }
    let is_whole = spans.is_empty() && gap_mark == Mark::Untimed;
    add(gap_mark, resumed(done, end).filter(|_| !is_whole).unwrap_or(done), end);
    bars
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::activity::{Activity, Entry};
    use crate::session::manifest::Manifest;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn session(change: impl FnOnce(&mut Manifest), spans: &[(Kind, i64, i64)]) -> SessionActivity {
        let entries = spans.iter().map(|(kind, from, to)| Entry::Span(Span::new(*kind, at(*from), at(*to))));
        let activity = Activity::new(entries.collect());
        let mut manifest = Manifest::default();
        (manifest.started, manifest.ended, manifest.state) = (Some(at(0)), Some(at(1000)), State::Idle);
        manifest.worked_seconds = activity.seconds(Kind::Working);
        change(&mut manifest);
        SessionActivity { manifest, activity, running: false }
    }

    fn shown(session: &SessionActivity, from: i64, to: i64) -> Vec<(Mark, i64, i64)> {
        let second = |time: Timestamp| time.as_second() - 1_800_000_000;
        let bars = bars(session, at(from), at(to), at(5000));
        bars.iter().map(|bar| (bar.mark, second(bar.from), second(bar.to))).collect()
    }

    const SPANS: [(Kind, i64, i64); 2] = [(Kind::Working, 100, 300), (Kind::Blocked, 300, 400)];

    #[test]
    fn between_start_and_end_every_second_has_a_mark() {
        let session = session(|_| {}, &SPANS);
        let wanted =
            [(Mark::Idle, 0, 100), (Mark::Working, 100, 300), (Mark::Blocked, 300, 400), (Mark::Idle, 400, 1000)];
        assert_eq!(shown(&session, -100, 9000), wanted);
        assert_eq!(shown(&session, 200, 350), [(Mark::Working, 200, 300), (Mark::Blocked, 300, 350)]);
        assert_eq!(shown(&session, 1000, 2000), []);
    }

    #[test]
    fn a_running_session_goes_on_until_now() {
        let mut session = session(|manifest| manifest.ended = None, &SPANS);
        session.running = true;
        assert_eq!(shown(&session, 0, 9000).last(), Some(&(Mark::Idle, 400, 5000)));
    }

    #[test]
    fn nothing_is_invented_for_times_that_were_not_recorded() {
        let whole = session(|manifest| manifest.worked_seconds = 60, &[]);
        assert_eq!(shown(&whole, 0, 9000), [(Mark::Untimed, 0, 1000)]);
        let foreign = session(|manifest| manifest.state = State::Unknown, &[]);
        assert_eq!(shown(&foreign, 0, 9000), [(Mark::Untimed, 0, 1000)]);
        let partly = session(|manifest| manifest.worked_seconds = 900, &SPANS);
        assert_eq!(shown(&partly, 0, 9000).first(), Some(&(Mark::Untimed, 0, 100)));
        let idle = session(|_| {}, &[]);
        assert_eq!(shown(&idle, 0, 9000), [(Mark::Idle, 0, 1000)]);
    }

    #[test]
    fn before_it_was_resumed_a_session_is_not_shown_as_open() {
        let session = session(|manifest| manifest.resumed = Some(at(700)), &SPANS);
        assert_eq!(shown(&session, 400, 9000), [(Mark::Idle, 700, 1000)]);
    }
}
