//! A timeline: bars on lines, in groups, below an axis of time. As text, SVG or HTML.
//!
//! A chart says nothing of sessions, so that anything with a begin and an end can be drawn with it.

mod html;
mod svg;
mod text;

use jiff::civil::DateTime;
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};

use crate::session::time::seconds_between;
use crate::session::timeline::{Bar, Mark};

/// The first bytes of every SVG and HTML file that ait writes: it replaces no other file.
pub const SVG_START: &str = "<!-- Written by ait timeline. -->\n<svg ";
/// See [`SVG_START`].
pub const HTML_START: &str = "<!doctype html>\n<!-- Written by ait timeline. -->\n";

/// All that is drawn.
#[derive(Clone, Debug)]
pub struct Chart {
    /// The heading.
    pub title: String,
    /// The begin of the axis.
    pub from: Timestamp,
    /// The end of the axis, after its begin.
    pub to: Timestamp,
    /// The present, if it is on the axis.
    pub now: Option<Timestamp>,
    /// The time zone of the axis.
    pub zone: TimeZone,
    /// The groups, from top to bottom.
    pub groups: Vec<Group>,
    /// Sentences below the chart, each with a label.
    pub notes: Vec<(&'static str, String)>,
}

/// Lines that belong together.
#[derive(Clone, Debug)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// What is said of it, such as `2h worked, 3 sessions`.
    pub figures: String,
    /// Its lines, from top to bottom.
    pub rows: Vec<Row>,
}

/// One line.
#[derive(Clone, Debug)]
pub struct Row {
    /// What stands before the bars.
    pub name: String,
    /// What stands behind them, such as `1h 20m`.
    pub figure: String,
    /// What is shown on demand: labels and texts.
    pub details: Vec<(&'static str, String)>,
    /// The bars, drawn in this order.
    pub bars: Vec<Bar>,
}

/// A labelled point of the axis.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Tick {
    at: Timestamp,
    /// `14:00`, or the date where a day begins.
    label: String,
}

/// From this many days on, a date of the axis is its month and day; before, weekday and day.
const WEEKDAYS_UP_TO: usize = 14;
/// From this many days on, it is year and month.
const DATES_UP_TO: usize = 366;

impl Chart {
    /// Where a moment is on an axis of this length, in whole units. (Floating-point numbers would add their formatting to
    /// the program.)
    fn position(&self, at: Timestamp, length: usize) -> usize {
        let seconds = seconds_between(self.from, self.to).max(1);
        let units = seconds_between(self.from, at).min(seconds).saturating_mul(length as u64) / seconds;
        usize::try_from(units).unwrap_or(length)
    }

    /// The bars that it shows, in the order of a legend.
    fn marks(&self) -> impl Iterator<Item = Mark> {
        let is_shown = |mark| self.groups.iter().flat_map(|group| &group.rows).any(|row| row.has(mark));
        Mark::ALL.into_iter().filter(move |mark| *mark != Mark::Untimed || is_shown(*mark))
    }

    fn local(&self, at: Timestamp) -> DateTime {
        self.zone.to_datetime(at)
    }

    /// Local date and time, in minutes.
    pub fn date_and_clock(&self, at: Timestamp) -> String {
        let local = self.local(at);
        format!("{} {:02}:{:02}", local.date(), local.hour(), local.minute())
    }

    /// Local time in minutes; with the date where the axis does not say which.
    pub fn clock(&self, at: Timestamp) -> String {
        let text = self.date_and_clock(at);
        let is_clear = self.is_one_day() && self.local(at).date() == self.local(self.from).date();
        if is_clear { text.get(11..).unwrap_or_default().to_owned() } else { text }
    }

    fn is_one_day(&self) -> bool {
        let last = self.to.checked_sub(SignedDuration::from_secs(1)).unwrap_or(self.to);
        self.local(self.from).date() == self.local(last).date()
    }

    /// The labels of the axis, at most about `room` of them: local hours, and days where there are several.
    ///
    /// The axis is walked in steps of real time. Where clocks are changed, an hour is missing or comes twice.
    fn ticks(&self, room: usize) -> Vec<Tick> {
        let mut hours: Vec<(Timestamp, DateTime)> = Vec::new();
        let mut at = self.from;
        while at < self.to {
            let local = self.local(at);
            let behind = i64::from(local.minute()) * 60 + i64::from(local.second());
            if behind == 0 {
                hours.push((at, local));
            }
            let Ok(next) = at.checked_add(SignedDuration::from_secs(3600 - behind)) else { break };
            at = next;
        }
        let is_several = !self.is_one_day();
        let is_new_day = |at: usize| match (at.checked_sub(1).and_then(|before| hours.get(before)), hours.get(at)) {
            (Some((_, before)), Some((_, local))) => before.date() != local.date(),
            _ => is_several,
        };
        let days = (0..hours.len()).filter(|at| is_new_day(*at)).count();
        let step = [1, 2, 3, 4, 6, 12]
            .into_iter()
            .find(|step| hours.iter().filter(|(_, local)| local.hour() % step == 0).count() <= room.max(1));
        let every = days.div_ceil(room.max(1)).max(1);
        let mut ticks: Vec<Tick> = Vec::new();
        let mut day = 0;
        for (index, (at, local)) in hours.iter().enumerate() {
            let is_day = is_new_day(index);
            let is_wanted = match step {
                Some(step) => is_day || local.hour() % step == 0,
                None => is_day && day % every == 0,
            };
            day += usize::from(is_day);
            let label = if is_day { date_label(*local, days) } else { format!("{:02}:00", local.hour()) };
            if is_wanted && ticks.last().is_none_or(|last| last.label != label) {
                ticks.push(Tick { at: *at, label });
            }
        }
        ticks
    }
}

fn date_label(local: DateTime, days: usize) -> String {
    const WEEKDAYS: [&str; 7] = ["Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun"];
    let date = local.date();
    if days <= WEEKDAYS_UP_TO {
        let weekday = usize::try_from(date.weekday().to_monday_zero_offset()).unwrap_or_default();
        return format!("{} {}", WEEKDAYS.get(weekday).unwrap_or(&""), date.day());
    }
    let text = date.to_string();
    text.get(if days <= DATES_UP_TO { 5..10 } else { 0..7 }).unwrap_or_default().to_owned()
}

impl Row {
    fn has(&self, mark: Mark) -> bool {
        self.bars.iter().any(|bar| bar.mark == mark)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The axis between two local times.
    pub(super) fn chart(zone: &str, from: &str, to: &str) -> Chart {
        let zone = TimeZone::get(zone).unwrap();
        let at = |text: &str| {
            let local: DateTime = text.parse().unwrap();
            local.to_zoned_datetime(zone.clone()).unwrap().timestamp()
        };
        let (from, to) = (at(from), at(to));
        Chart { title: String::new(), from, to, now: None, zone, groups: Vec::new(), notes: Vec::new() }
    }

    fn labels(chart: &Chart, room: usize) -> String {
        chart.ticks(room).into_iter().map(|tick| tick.label).collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn hours_are_as_many_as_there_is_room_for() {
        let day = chart("UTC", "2026-11-27T08:00", "2026-11-27T18:00");
        assert_eq!(labels(&day, 10), "08:00 09:00 10:00 11:00 12:00 13:00 14:00 15:00 16:00 17:00");
        assert_eq!(labels(&day, 5), "08:00 10:00 12:00 14:00 16:00");
        assert_eq!(labels(&day, 1), "12:00");
        assert_eq!(labels(&day, 0), "12:00");
    }

    #[test]
    fn several_days_are_named() {
        let week = chart("UTC", "2026-11-25T00:00", "2026-11-28T00:00");
        assert_eq!(labels(&week, 6), "Wed 25 12:00 Thu 26 12:00 Fri 27 12:00");
        assert_eq!(labels(&week, 3), "Wed 25 Thu 26 Fri 27");
        assert_eq!(labels(&week, 1), "Wed 25");
        assert_eq!(labels(&chart("UTC", "2026-10-01T00:00", "2026-10-31T00:00"), 3), "10-01 10-11 10-21");
        assert_eq!(labels(&chart("UTC", "2023-06-01T00:00", "2026-05-31T00:00"), 3), "2023-06 2024-05 2025-05");
    }

    #[test]
    fn where_clocks_are_changed_an_hour_is_missing_or_comes_once() {
        let night = |zone, date: &str| labels(&chart(zone, &format!("{date}T00:00"), &format!("{date}T05:00")), 9);
        assert_eq!(night("Europe/Berlin", "2026-03-29"), "00:00 01:00 03:00 04:00");
        assert_eq!(night("Europe/Berlin", "2026-10-25"), "00:00 01:00 02:00 03:00 04:00");
        assert_eq!(night("America/New_York", "2026-03-08"), "00:00 01:00 03:00 04:00");
        assert_eq!(night("Australia/Lord_Howe", "2026-10-04"), "00:00 01:00 03:00 04:00");
        assert_eq!(night("Australia/Lord_Howe", "2026-04-05"), "00:00 01:00 02:00 03:00 04:00");
    }
}
