//! The days of a report, and the sessions that were active in them.

use std::fmt;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use super::{Count, live_sessions};
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::session::activity::{Activity, Entry, Kind, Span};
use crate::session::order::{sort_by, sort_by_key};
use crate::session::summary::{DayBounds, SessionActivity};
use crate::store::history::{self, Day};
use crate::store::manifest_file::{Session, UnreadableManifest};
use crate::store::root::Root;
use crate::store::{active, activity_log, commit_log, write_log};

/// The longest period, in days: a hundred years.
const MAX_DAYS: usize = 36_600;

/// Local days that follow each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Period {
    /// The first day.
    pub(super) first: Day,
    /// The last day, not in the future.
    pub(super) last: Day,
}

impl Period {
    /// The days that the options choose; today without any.
    ///
    /// # Errors
    /// If they choose several periods, a day is not one or in the future, or the first day is after the last.
    pub(super) fn new(
        days: Option<Count>,
        from: Option<&str>,
        to: Option<&str>,
        week: Option<i32>,
        now: Timestamp,
        zone: &TimeZone,
    ) -> Result<Period> {
        let wrong = |what: &dyn fmt::Display, why: &'static str| {
            Error::new("reading the dates", what, why).exit(Exit::NotFound)
        };
        let today = Day::of(now, zone);
        let first_of = |count| days_up_to(today, count).filter(|_| count as usize <= MAX_DAYS);
        let (first, last) = match (days, from, to, week) {
            (None, None, None, None) => (today, today),
            (Some(days), None, None, None) => (first_of(days.0).ok_or_else(|| wrong(&"--days", "too many"))?, today),
            (None, Some(from), to, None) => (day(from, now, zone)?, to.map_or(Ok(today), |to| day(to, now, zone))?),
            (None, None, None, Some(week)) => {
                let weeks = u32::try_from(-i64::from(week)).map_err(|_| wrong(&"--week", "in the future"))?;
                let since_monday = i64::from(today.0.weekday().to_monday_zero_offset());
                let first = today.plus(-since_monday - 7 * i64::from(weeks.min(5_000)));
                (first, first.plus(6).min(today))
            }
            (None, None, Some(_), None) => return Err(wrong(&"--to", "needs --from")),
            _ => return Err(wrong(&"--days, --from, --week", "only one of them is possible")),
        };
        if last > today {
            return Err(wrong(&last, "in the future"));
        }
        if first > last {
            return Err(wrong(&first, "after the last day"));
        }
        Ok(Period { first, last })
    }

    /// Whether a day is in it.
    pub(super) fn contains(&self, day: jiff::civil::Date) -> bool {
        self.first.0 <= day && day <= self.last.0
    }

    /// Its days by the local clock: where it is changed, a day has 23 or 25 hours.
    pub(super) fn days(&self, zone: &TimeZone) -> Vec<DayBounds> {
        let mut days = Vec::new();
        let mut day = self.first;
        while day <= self.last && days.len() < MAX_DAYS {
            let next = day.plus(1);
            days.push(DayBounds { name: day.to_string(), from: day.begin(zone), to: next.begin(zone) });
            day = next;
        }
        days
    }

    /// What to print if there is nothing in it. `typed` is the command that shows the day that follows it.
    pub(super) fn nothing(&self, context: &Context, is_filtered: bool, typed: &str) -> String {
        let mut text = format!("No work{} is recorded {self}.\n", if is_filtered { " that matches" } else { "" });
        let Ok(root) = context.root() else { return text };
        let mut near = history::days(root).unwrap_or_default();
        sort_by_key(&mut near, |day| day.distance(self.last));
        let mut near: Vec<Day> = near.into_iter().filter(|day| history::has_sessions(root, *day)).take(3).collect();
        sort_by(&mut near, Ord::cmp);
        if let Some(last) = near.last() {
            let names: Vec<String> = near.iter().map(Day::to_string).collect();
            let names = names.join(", ");
            text.push_str(&format!("Nearest days with sessions: {names}. Type: {typed} {last}\n"));
        }
        text
    }
}

impl fmt::Display for Period {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.first == self.last {
            true => write!(f, "on {}", self.first),
            false => write!(f, "from {} to {}", self.first, self.last),
        }
    }
}

/// The day that a word names: a date, `today` or `yesterday`.
///
/// # Errors
/// If it names none.
pub(super) fn day(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Day> {
    let today = Day::of(now, zone);
    match text {
        "today" => Ok(today),
        "yesterday" => Ok(today.plus(-1)),
        _ => Day::parse(text).ok_or_else(|| {
            Error::new("reading the date", text, "not a day")
                .hint("write it as 2025-12-25, today or yesterday")
                .exit(Exit::NotFound)
        }),
    }
}

/// The first of `count` days that end with `last`; `None` if that is before the first date of the calendar.
pub(super) fn days_up_to(last: Day, count: u32) -> Option<Day> {
    let before = SignedDuration::from_hours(24 * (i64::from(count) - 1));
    last.0.checked_sub(before).ok().map(Day)
}

/// The sessions of all profiles that ended on a day or later, or have not been archived; and the files that are no
/// manifests.
///
/// # Errors
/// If a folder cannot be read.
pub(super) fn sessions(context: &Context, first: Day) -> Result<(Vec<SessionActivity>, Vec<UnreadableManifest>)> {
    let (mut sessions, mut unread) = (Vec::new(), Vec::new());
    for root in context.root()?.with_profiles() {
        for day in history::days(&root)?.into_iter().filter(|day| *day >= first) {
            let (ended, broken) = history::read_day(&root, day)?;
            unread.extend(broken);
            for mut manifest in ended {
                let activity = std::mem::take(&mut manifest.activity);
                sessions.push(SessionActivity { manifest, activity, running: false });
            }
        }
        let active = active::read_all(&root)?;
        unread.extend(active.broken);
        sessions.extend(active.sessions.into_iter().map(|session| running(&root, session, context.now)));
    }
    Ok((sessions, unread))
}

/// A session that has not been archived, with what it does now.
pub(super) fn running(root: &Root, session: Session, now: Timestamp) -> SessionActivity {
    let mut entries = root.active_folder().map(|folder| activity_log::read(&folder, &session.id)).unwrap_or_default();
    let counts = session.counts(now);
    let observed = live_sessions::state_of(&session, root);
    let manifest = &session.manifest;
    let kind = Kind::of(manifest.state, manifest.waiting_for.as_deref());
    let observed_kind = Kind::of(observed.state, observed.waiting_for.as_deref());
    let is_other = kind != observed_kind && counts;
    // Since the last event the client may have told of another state, such as after Esc.
    let end = if !counts { session.last_seen() } else { observed.since.filter(|_| is_other).unwrap_or(now) };
    let mut add = |kind: Option<Kind>, from: Option<Timestamp>, to| {
        entries.extend(kind.zip(from).map(|(kind, from)| Entry::Span(Span::new(kind, from, to))));
    };
    add(kind, manifest.state_since, end);
    if is_other {
        add(observed_kind, observed.since, now);
    }
    let mut manifest = *session.manifest;
    manifest.touched = write_log::all(root, &session.id);
    manifest.commits = root.active_folder().map(|folder| commit_log::read(&folder, &session.id)).unwrap_or_default();
    SessionActivity { manifest, activity: Activity::new(entries), running: counts }
}
