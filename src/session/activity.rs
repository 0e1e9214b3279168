//! When a session worked and when it was blocked, and when its task and its branch changed.
//!
//! Hooks append one line for each of these to a log beside the manifest (`store::activity_log`). When the session is
//! archived, the lines become the field `activity` of its manifest.

use jiff::Timestamp;
use serde::{Deserialize, Serialize, Serializer};
use serde_json::value::RawValue;

use super::json_object::{items, number, text};
use super::order::{sort_by, sort_by_key};
use super::state::{INPUT, State};
use super::time::{parse_time, seconds_between, whole_seconds};

/// Spans of one kind that are less than this many seconds apart are merged.
pub(super) const MERGE_GAP: u64 = 30;
/// The most spans that are kept of one session. Few in unit tests, so that short sessions have more.
pub const MAX_SPANS: usize = if cfg!(test) { 6 } else { 500 };
/// The most changes of the task, and of the branch, that are kept of one session: the latest.
const MAX_CHANGES: usize = 50;

/// The activity of a session during a span.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Kind {
    /// It works.
    Working,
    /// It waits for a permission or an answer.
    Blocked,
}

impl Kind {
    /// What a state counts as; `None` if it is neither work nor a dialog. Waiting for the next prompt is no dialog.
    pub fn of(state: State, waiting_for: Option<&str>) -> Option<Kind> {
        match state {
            State::Working => Some(Kind::Working),
            State::Waiting if waiting_for != Some(INPUT) => Some(Kind::Blocked),
            _ => None,
        }
    }

    fn as_str(self) -> &'static str {
        match self {
            Kind::Working => "working",
            Kind::Blocked => "blocked",
        }
    }
}

/// A span of time. Both ends are whole seconds, so that the spans add up to `worked_seconds`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span {
    /// What the session did.
    pub kind: Kind,
    /// Its begin.
    pub from: Timestamp,
    /// Its end.
    pub to: Timestamp,
    /// How much of it was spent so, in seconds. Less than its length if shorter spans were merged.
    pub seconds: u64,
}

impl Span {
    /// A span, all of it spent in this way. It has no length if the clock was set back, or the state lasted less than a
    /// second: [`Activity::new`] drops it then.
    pub fn new(kind: Kind, from: Timestamp, to: Timestamp) -> Span {
        let whole = |time: Timestamp| Timestamp::from_second(time.as_second()).unwrap_or(time);
        Span { kind, from: whole(from), to: whole(to).max(whole(from)), seconds: seconds_between(from, to) }
    }

    /// Its part within a period, and the seconds of it in proportion; `None` if they do not overlap.
    pub fn within(&self, from: Timestamp, to: Timestamp) -> Option<Span> {
        let (begin, end) = (self.from.max(from), self.to.min(to));
        let length = seconds_between(self.from, self.to);
        // Differences of one running sum: the parts of a span add up to its seconds.
        let spent =
            |until| seconds_between(self.from, until).saturating_mul(self.seconds).checked_div(length).unwrap_or(0);
        (begin < end).then(|| Span { kind: self.kind, from: begin, to: end, seconds: spent(end) - spent(begin) })
    }
}

/// A change of the task or the branch.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Change {
    /// When.
    pub at: Timestamp,
    /// What it was before.
    pub before: Option<String>,
    /// What it is afterwards.
    pub after: Option<String>,
}

/// One entry of a log of activity.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// The session worked or was blocked.
    Span(Span),
    /// It got another task.
    Task(Change),
    /// Its folder got another branch.
    Branch(Change),
}

impl Serialize for Entry {
    /// `["working", from, to, seconds]`, `["task", when, before, after]`.
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self {
            Entry::Span(span) => (span.kind.as_str(), span.from, span.to, span.seconds).serialize(serializer),
            Entry::Task(change) => {
                ("task", whole_seconds(change.at), &change.before, &change.after).serialize(serializer)
            }
            Entry::Branch(change) => {
                ("branch", whole_seconds(change.at), &change.before, &change.after).serialize(serializer)
            }
        }
    }
}

impl Entry {
    /// A line of a log, with its line feed.
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }

    /// Reads what was serialized; `None` for anything else, such as a line that a full disk cut off.
    fn parse(line: &str) -> Option<Entry> {
        #[derive(Deserialize)]
        struct Fields<'a>(#[serde(borrow)] [&'a RawValue; 4]);
        let Fields(fields) = serde_json::from_str(line).ok()?;
        let [kind, at, third, fourth] = fields.map(RawValue::get);
        let at = parse_time(&text(at)?)?;
        let change = || Change { at, before: text(third), after: text(fourth) };
        match &*text(kind)? {
            "task" => Some(Entry::Task(change())),
            "branch" => Some(Entry::Branch(change())),
            kind => {
                let kind = [Kind::Working, Kind::Blocked].into_iter().find(|known| known.as_str() == kind)?;
                let span = Span::new(kind, at, parse_time(&text(third)?)?);
                Some(Entry::Span(Span { seconds: number(fourth)?.min(span.seconds), ..span }))
            }
        }
    }
}

/// The entries of a log. Where a full disk cut off a line, the next one may stand right behind it.
pub fn parse_log(log: &[u8]) -> Vec<Entry> {
    let parse = |line: &str| Entry::parse(line).or_else(|| Entry::parse(line.get(line.rfind("[\"")?..)?));
    String::from_utf8_lossy(log).lines().filter_map(parse).collect()
}

/// All that is recorded of a session's activity.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Activity {
    /// When it worked and was blocked: each kind by itself in order of time.
    pub spans: Vec<Span>,
    /// When its task changed.
    pub tasks: Vec<Change>,
    /// When its branch changed.
    pub branches: Vec<Change>,
}

impl Activity {
    /// Puts entries in order: spans of one kind that are less than half a minute apart are merged, and at most
    /// [`MAX_SPANS`] and the latest changes are kept.
    pub fn new(entries: Vec<Entry>) -> Activity {
        let mut activity = Activity::unmerged(entries);
        activity.merge();
        activity
    }

    /// The entries of a log in its order, without those that were replaced.
    fn unmerged(entries: Vec<Entry>) -> Activity {
        let mut activity = Activity::default();
        for entry in entries {
            match entry {
                Entry::Span(span) => push_span(&mut activity.spans, span),
                Entry::Task(change) => push_change(&mut activity.tasks, change),
                Entry::Branch(change) => push_change(&mut activity.branches, change),
            }
        }
        activity
    }

    fn merge(&mut self) {
        self.spans = merged(std::mem::take(&mut self.spans));
        for changes in [&mut self.tasks, &mut self.branches] {
            sort_by_key(changes, |change| change.at);
            changes.drain(..changes.len().saturating_sub(MAX_CHANGES));
        }
    }

    /// Whether nothing is recorded.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty() && self.tasks.is_empty() && self.branches.is_empty()
    }

    /// Its entries.
    pub fn entries(&self) -> Vec<Entry> {
        let mut entries: Vec<Entry> = self.spans.iter().copied().map(Entry::Span).collect();
        for (changes, entry) in [(&self.tasks, Entry::Task as fn(Change) -> Entry), (&self.branches, Entry::Branch)] {
            for change in changes {
                entries.push(entry(change.clone()));
            }
        }
        entries
    }

    /// The seconds of all spans of a kind.
    pub fn seconds(&self, kind: Kind) -> u64 {
        self.spans.iter().filter(|span| span.kind == kind).map(|span| span.seconds).sum()
    }

    /// As the field of a manifest.
    pub(super) fn to_json(&self) -> String {
        // A line feed within a text is escaped.
        let items = to_log(&self.entries()).trim_end().replace('\n', ",");
        format!("[{items}]")
    }

    /// Reads the field of a manifest; `None` if it is not a list. Out of line: a prompt parses many manifests without it.
    #[cold]
    pub(super) fn parse(raw: &str) -> Option<Activity> {
        let entries = items(raw)?;
        Some(Activity::new(entries.into_iter().filter_map(Entry::parse).collect()))
    }
}

/// Adds a span. One that begins like an earlier one of its kind replaces that one and all that follow it: their writers were
/// killed before they wrote the manifest, so the state that began then went on.
fn push_span(spans: &mut Vec<Span>, span: Span) {
    let mut later = spans.iter().rev().take_while(|known| known.from >= span.from);
    if let Some(back) = later.position(|known| (known.kind, known.from) == (span.kind, span.from)) {
        spans.truncate(spans.len() - 1 - back);
    }
    spans.push(span);
}

/// Adds a change, unless it repeats the last one.
fn push_change(changes: &mut Vec<Change>, change: Change) {
    if changes.last().is_none_or(|last| (&last.before, &last.after) != (&change.before, &change.after)) {
        changes.push(change);
    }
}

fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.retain(|span| span.seconds > 0);
    sort_by_key(&mut spans, |span| (span.kind, span.from));
    let spans = join(spans, &|earlier, later, _| gap(earlier, later) < MERGE_GAP);
    let surplus = spans.len().saturating_sub(MAX_SPANS);
    if surplus == 0 {
        return spans;
    }
    // The gap before each span, except where another kind begins.
    let mut gaps: Vec<(u64, usize)> = (1..spans.len())
        .filter_map(|position| {
            let (earlier, later) = (spans.get(position - 1)?, spans.get(position)?);
            (earlier.kind == later.kind).then(|| (gap(earlier, later), position))
        })
        .collect();
    sort_by(&mut gaps, Ord::cmp);
    let mut is_closed = vec![false; spans.len()];
    for (_, position) in gaps.into_iter().take(surplus) {
        if let Some(closed) = is_closed.get_mut(position) {
            *closed = true;
        }
    }
    join(spans, &|_, _, position| is_closed.get(position).copied().unwrap_or(false))
}

fn gap(earlier: &Span, later: &Span) -> u64 {
    seconds_between(earlier.to, later.from)
}

/// Joins each span to the one before it if both are of one kind and `is_joined` says so.
fn join(spans: Vec<Span>, is_joined: &dyn Fn(&Span, &Span, usize) -> bool) -> Vec<Span> {
    let mut joined: Vec<Span> = Vec::with_capacity(spans.len());
    for (position, span) in spans.into_iter().enumerate() {
        match joined.last_mut() {
            Some(last) if last.kind == span.kind && is_joined(last, &span, position) => {
                last.to = last.to.max(span.to);
                // Spans that overlap, because the clock was set back, count no time twice.
                last.seconds = last.seconds.saturating_add(span.seconds).min(seconds_between(last.from, last.to));
            }
            _ => joined.push(span),
        }
    }
    joined
}

/// A log with the same content as `log`, merged. The last spans stay as they are if they begin at or after `since`, when the
/// state began that the manifest tells of: their writers may have been killed before they wrote the manifest, and the next
/// event replaces them then.
pub fn compact(log: &[u8], since: Timestamp) -> String {
    let mut activity = Activity::unmerged(parse_log(log));
    let begin = whole_seconds(since);
    let recent = activity.spans.iter().rev().take_while(|span| span.from >= begin).count();
    let mut recent = activity.spans.split_off(activity.spans.len() - recent);
    activity.merge();
    activity.spans.append(&mut recent);
    to_log(&activity.entries())
}

/// The log with these entries.
pub fn to_log(entries: &[Entry]) -> String {
    let mut log = String::new();
    for entry in entries {
        log.push_str(&entry.to_line());
    }
    log
}

/// The value at a time, given its recorded changes and its present value.
pub fn in_force_at<'a>(changes: &'a [Change], now: Option<&'a str>, at: Timestamp) -> Option<&'a str> {
    match (changes.iter().rev().find(|change| change.at <= at), changes.first()) {
        (Some(change), _) => change.after.as_deref(),
        (None, Some(first)) => first.before.as_deref(),
        (None, None) => now,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn span(kind: Kind, from: i64, to: i64) -> Entry {
        Entry::Span(Span::new(kind, at(from), at(to)))
    }

    fn work(from: i64, to: i64) -> Entry {
        span(Kind::Working, from, to)
    }

    /// Begin, end and seconds of each span.
    fn shown(activity: &Activity) -> Vec<(i64, i64, u64)> {
        let second = |time: Timestamp| time.as_second() - 1_800_000_000;
        activity.spans.iter().map(|span| (second(span.from), second(span.to), span.seconds)).collect()
    }

    #[test]
    fn spans_less_than_half_a_minute_apart_are_merged_and_keep_their_seconds() {
        let activity = Activity::new(vec![work(0, 10), work(39, 50), work(80, 90), span(Kind::Blocked, 50, 80)]);
        assert_eq!(shown(&activity), [(0, 50, 21), (80, 90, 10), (50, 80, 30)]);
        assert_eq!((activity.seconds(Kind::Working), activity.seconds(Kind::Blocked)), (31, 30));
    }

    #[test]
    fn a_span_without_length_is_dropped_after_it_replaced_another() {
        assert_eq!(shown(&Activity::new(vec![work(5, 5), work(9, 7)])), []);
        assert_eq!(shown(&Activity::new(vec![work(5, 70), work(5, 5)])), []);
    }

    #[test]
    fn the_second_entry_with_the_same_begin_counts() {
        let activity = Activity::new(vec![work(0, 10), work(100, 110), work(100, 150)]);
        assert_eq!(shown(&activity), [(0, 10, 10), (100, 150, 50)]);
        let shorter = Activity::new(vec![work(100, 150), work(100, 110)]);
        assert_eq!(shown(&shorter), [(100, 110, 10)]);
    }

    #[test]
    fn what_killed_writers_wrote_of_a_state_that_went_on_is_replaced_whole_and_never_merged_before() {
        let killed = vec![span(Kind::Blocked, 100, 110), work(110, 200)];
        let last = span(Kind::Blocked, 100, 300);
        let entries = [vec![work(80, 100)], vec![killed.clone(); 5].concat(), vec![last]].concat();
        assert_eq!(shown(&Activity::new(entries.clone())), [(80, 100, 20), (100, 300, 200)]);
        let log = compact(to_log(&entries[..entries.len() - 1]).as_bytes(), at(100));
        assert_eq!(parse_log(log.as_bytes()), [vec![work(80, 100)], killed].concat());
    }

    #[test]
    fn spans_of_a_clock_that_was_set_back_count_no_time_twice() {
        assert_eq!(shown(&Activity::new(vec![work(0, 100), work(50, 120)])), [(0, 120, 120)]);
    }

    #[test]
    fn of_too_many_spans_those_with_the_shortest_gaps_are_merged() {
        // Each gap is 100 seconds longer than the one before it.
        let begins = (0..600_i64).map(|number| number * 1_000 + number * number * 50);
        let activity = Activity::new(begins.map(|begin| work(begin, begin + 10)).collect());
        assert_eq!(activity.spans.len(), MAX_SPANS);
        assert_eq!(activity.seconds(Kind::Working), 6_000);
        let last = 600 - MAX_SPANS;
        let (_, first_end, first_seconds) = shown(&activity)[0];
        assert_eq!(first_seconds, (last as u64 + 1) * 10);
        let last = last as i64;
        assert_eq!(first_end, last * 1_000 + last * last * 50 + 10);
    }

    #[test]
    fn a_log_is_read_back_and_compacting_it_changes_nothing() {
        let change = |before: Option<&str>, after: Option<&str>| Change {
            at: at(60),
            before: before.map(str::to_owned),
            after: after.map(str::to_owned),
        };
        let entries = [
            work(0, 10),
            Entry::Task(change(None, Some("a \"task\"\n[\"x\""))),
            Entry::Branch(change(Some("main"), None)),
            span(Kind::Blocked, 10, 50),
            work(50, 55),
        ];
        let log: String = entries.iter().map(Entry::to_line).collect();
        assert_eq!(parse_log(log.as_bytes()), entries);
        let activity = Activity::new(entries.to_vec());
        let compacted = compact(log.as_bytes(), at(50));
        assert_eq!(Activity::new(parse_log(compacted.as_bytes())), activity);
        assert!(compacted.contains(&entries[4].to_line()), "the last span may still be replaced");
        assert_eq!(Activity::parse(&activity.to_json()), Some(activity));
    }

    #[test]
    fn a_line_behind_one_that_was_cut_off_is_read() {
        let (lost, kept) = (work(0, 10).to_line(), work(100, 110).to_line());
        for length in 1..lost.len() {
            let log = format!("{}{kept}", lost.get(..length).unwrap());
            assert_eq!(parse_log(log.as_bytes()).last(), Some(&work(100, 110)), "{log}");
        }
        assert_eq!(parse_log(b"[\"working\",\"x\"]\n[]\nnonsense\n[\"dancing\",\"2026-11-22T18:00:00Z\",1,2]\n"), []);
    }

    #[test]
    fn the_parts_of_a_span_add_up_to_it() {
        let whole = Span { seconds: 71, ..Span::new(Kind::Working, at(0), at(100)) };
        let parts = [(-10, 33), (33, 34), (34, 300)].map(|(from, to)| whole.within(at(from), at(to)).unwrap());
        assert_eq!(parts.iter().map(|part| part.seconds).sum::<u64>(), 71);
        assert_eq!(whole.within(at(100), at(200)), None);
    }

    #[test]
    fn what_was_in_force_is_known_before_between_and_after_the_changes() {
        let change = |second, before: &str, after: &str| Change {
            at: at(second),
            before: Some(before.into()),
            after: Some(after.into()),
        };
        let changes = [change(10, "a", "b"), change(20, "b", "c")];
        for (second, wanted) in [(0, "a"), (10, "b"), (19, "b"), (20, "c"), (99, "c")] {
            assert_eq!(in_force_at(&changes, Some("now"), at(second)), Some(wanted));
        }
        assert_eq!(in_force_at(&[], Some("now"), at(0)), Some("now"));
    }

    #[test]
    fn only_the_latest_changes_are_kept() {
        let change = |number: i64| Change { at: at(number), before: None, after: Some(number.to_string()) };
        let activity = Activity::new((0..60).map(change).map(Entry::Task).collect());
        assert_eq!(activity.tasks.len(), MAX_CHANGES);
        assert_eq!(activity.tasks.last().unwrap().after.as_deref(), Some("59"));
    }
}
