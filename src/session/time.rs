//! Times in manifests: how they are read, and how precisely they are written.

use jiff::civil::{Date, DateTime};
use jiff::tz::Offset;
use jiff::{SignedDuration, Timestamp};

/// Reads a time as other people's scripts write it: RFC 3339, or the same without an offset, which is taken as UTC.
///
/// jiff's own parser is not used: it brings 55 KiB of error texts that nothing shows.
pub fn parse_time(text: &str) -> Option<Timestamp> {
    let mut input = Input(text.as_bytes());
    let date = input.date()?;
    let time = if input.accept(b"Tt ") { input.time_of_day(date)? } else { date.at(0, 0, 0, 0) };
    let offset = input.offset()?;
    input.0.is_empty().then(|| offset.to_timestamp(time).ok())?
}

/// Reads `YYYY-MM-DD`.
pub fn parse_date(text: &str) -> Option<Date> {
    let mut input = Input(text.as_bytes());
    let date = input.date()?;
    (input.0.is_empty() && text.len() == "YYYY-MM-DD".len()).then_some(date)
}

/// The rest of a text, not yet parsed.
struct Input<'a>(&'a [u8]);

impl Input<'_> {
    /// Skips the next character if it is one of these.
    fn accept(&mut self, any: &[u8]) -> bool {
        match self.0 {
            [first, rest @ ..] if any.contains(first) => {
                self.0 = rest;
                true
            }
            _ => false,
        }
    }

    fn digit(&mut self) -> Option<i8> {
        let (first, rest) = self.0.split_first()?;
        let digit = first.wrapping_sub(b'0');
        self.0 = rest;
        (digit < 10).then_some(digit as i8)
    }

    fn two_digits(&mut self) -> Option<i8> {
        Some(self.digit()? * 10 + self.digit()?)
    }

    /// `YYYY-MM-DD` or `YYYYMMDD`
    fn date(&mut self) -> Option<Date> {
        let year = i16::from(self.two_digits()?) * 100 + i16::from(self.two_digits()?);
        let separated = self.accept(b"-");
        let month = self.two_digits()?;
        if separated != self.accept(b"-") {
            return None;
        }
        Date::new(year, month, self.two_digits()?).ok()
    }

    /// `HH:MM:SS`, also without seconds or colons, or with a fraction. A leap second counts as the one before it.
    fn time_of_day(&mut self, date: Date) -> Option<DateTime> {
        let hour = self.two_digits()?;
        let separated = self.accept(b":");
        let minute = self.two_digits()?;
        let has_seconds = if separated { self.accept(b":") } else { self.0.first().is_some_and(u8::is_ascii_digit) };
        let second = if has_seconds { self.two_digits()? } else { 0 };
        let nanosecond = if has_seconds && self.accept(b".,") { self.fraction()? } else { 0 };
        let second = if second == 60 { 59 } else { second };
        DateTime::new(date.year(), date.month(), date.day(), hour, minute, second, nanosecond).ok()
    }

    /// Nanoseconds, of 1 to 9 digits.
    fn fraction(&mut self) -> Option<i32> {
        let (mut value, mut unit) = (i32::from(self.digit()?) * 100_000_000, 10_000_000);
        while self.0.first().is_some_and(u8::is_ascii_digit) {
            if unit == 0 {
                return None;
            }
            value += i32::from(self.digit()?) * unit;
            unit /= 10;
        }
        Some(value)
    }

    /// `Z`, `+HH:MM`, `+HHMM`, `+HH`, with seconds, or nothing.
    fn offset(&mut self) -> Option<Offset> {
        let is_west = self.accept(b"-");
        if !is_west && !self.accept(b"+") {
            self.accept(b"Zz");
            return Some(Offset::UTC);
        }
        let mut seconds = i32::from(self.two_digits()?) * 3600;
        for unit in [60, 1] {
            if self.0.is_empty() {
                break;
            }
            self.accept(b":");
            let part = self.two_digits().filter(|part| *part < 60)?;
            seconds += i32::from(part) * unit;
        }
        Offset::from_seconds(if is_west { -seconds } else { seconds }).ok()
    }
}

/// The date so many days later, or earlier; at most the first or last day of the calendar.
pub fn add_days(date: Date, days: i64) -> Date {
    // More than the calendar has.
    const MAX_DAYS: i64 = 10_000_000;
    date.saturating_add(SignedDuration::from_hours(24 * days.clamp(-MAX_DAYS, MAX_DAYS)))
}

/// The documented precision of `started`.
pub fn whole_seconds(time: Timestamp) -> Timestamp {
    Timestamp::from_second(time.as_second()).unwrap_or(time)
}

/// The precision of our own times: the client's registry, which they are compared with, has milliseconds.
pub fn milliseconds(time: Timestamp) -> Timestamp {
    Timestamp::from_millisecond(time.as_millisecond()).unwrap_or(time)
}

/// Whole seconds from one time to a later one; 0 where the clock was set back.
pub fn seconds_between(earlier: Timestamp, later: Timestamp) -> u64 {
    u64::try_from(later.as_second().saturating_sub(earlier.as_second())).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// The time according to jiff.
    fn expected(text: &str) -> Option<Timestamp> {
        text.parse().ok().or_else(|| {
            let civil: DateTime = text.parse().ok()?;
            Offset::UTC.to_timestamp(civil).ok()
        })
    }

    #[test]
    fn reads_the_same_times_as_jiff() {
        for text in [
            "2026-11-22T18:00:00Z",
            "2026-11-22t18:00:00.123z",
            "2026-11-22 18:00:00,123456789+01:00",
            "20261122T180000-0330",
            "2026-11-22T18:00-03",
            "2026-11-22T18:00:00+01:00:30",
            "2026-11-22T18:00:60Z",
            "2026-11-22T18:00:00",
            "2026-11-22",
            "20261122",
            "2024-02-29T00:00:00Z",
        ] {
            assert!(expected(text).is_some(), "{text}");
            assert_eq!(parse_time(text), expected(text), "{text}");
        }
        for text in [
            "",
            "2026",
            "2026-1122",
            "202611-22",
            "2026-02-29T00:00:00Z",
            "2026-13-01T00:00:00Z",
            "2026-11-22T24:00:00Z",
            "2026-11-22T18:00:61Z",
            "2026-11-22T18:00:00.Z",
            "2026-11-22T18:00:00.1234567891Z",
            "2026-11-22T18:00:00+01:60",
            "2026-11-22T18:00:00+99",
            "2026-11-22T18:00:00Z ",
            " 2026-11-22T18:00:00Z",
            "2026-11-22TZ",
            "2026-11-22T18Z5",
            "+2026-11-22T18:00:00Z",
            "٢٠٢٦-11-22T18:00:00Z",
        ] {
            assert_eq!(expected(text), None, "{text}");
            assert_eq!(parse_time(text), None, "{text}");
        }
    }

    #[test]
    fn reads_only_whole_dates() {
        assert_eq!(parse_date("2026-11-22"), Some(jiff::civil::date(2026, 11, 22)));
        for text in ["20261122", "2026-11-22T18:00:00Z", "2026-11-2", "2026-11-31", "2026-11-22 ", "today", ""] {
            assert_eq!(parse_date(text), None, "{text}");
        }
    }

    #[test]
    fn days_are_added_across_months_and_stop_at_the_end_of_the_calendar() {
        assert_eq!(add_days(jiff::civil::date(2026, 11, 30), 1), jiff::civil::date(2026, 12, 1));
        assert_eq!(add_days(jiff::civil::date(2024, 3, 1), -1), jiff::civil::date(2024, 2, 29));
        assert_eq!(add_days(Date::MAX, 1), Date::MAX);
        assert_eq!(add_days(jiff::civil::date(2026, 11, 30), i64::MIN), Date::MIN);
    }

    #[test]
    fn times_are_cut_to_their_precision() {
        let time = parse_time("2026-11-22T18:00:00.123956Z").unwrap();
        assert_eq!(whole_seconds(time).to_string(), "2026-11-22T18:00:00Z");
        assert_eq!(milliseconds(time).to_string(), "2026-11-22T18:00:00.123Z");
    }

    proptest! {
        #[test]
        fn what_jiff_writes_is_read_back(seconds in -62_000_000_000_i64..250_000_000_000, nanosecond in 0..1_000_000_000_i32) {
            let time = Timestamp::new(seconds, nanosecond).unwrap();
            let text = time.to_string();
            prop_assert_eq!(parse_time(&text), (!text.starts_with('-')).then_some(time));
        }

        #[test]
        fn no_text_is_read_otherwise_than_jiff_does(text in "[0-9]{4}-?[0-9]{2}-?[0-9]{2}([Tt ][0-9:]{2,8}([.,][0-9]{0,10})?([Zz]|[+-][0-9:]{2,8})?)?") {
            if let (Some(ours), Some(theirs)) = (parse_time(&text), expected(&text)) {
                prop_assert_eq!(ours, theirs);
            }
        }
    }
}
