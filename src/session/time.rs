//! Times in manifests: how they are read, and how precisely they are written.

use jiff::{Timestamp, TimestampRound, Unit};

/// Reads a time as other people's scripts write it: RFC 3339, or the same without an offset, which is taken as UTC.
pub fn parse_time(text: &str) -> Option<Timestamp> {
    text.parse().ok().or_else(|| {
        let civil: jiff::civil::DateTime = text.parse().ok()?;
        civil.to_zoned_datetime(jiff::tz::TimeZone::UTC).ok().map(|zoned| zoned.timestamp())
    })
}

fn rounded(time: Timestamp, unit: Unit) -> Timestamp {
    time.round(TimestampRound::new().smallest(unit).mode(jiff::RoundMode::Trunc)).unwrap_or(time)
}

/// The documented precision of `started`.
pub fn whole_seconds(time: Timestamp) -> Timestamp {
    rounded(time, Unit::Second)
}

/// The precision of our own times: the client's registry, which they are compared with, has milliseconds.
pub fn milliseconds(time: Timestamp) -> Timestamp {
    rounded(time, Unit::Millisecond)
}

/// Whole seconds from one time to a later one; 0 where the clock was set back.
pub fn seconds_between(earlier: Timestamp, later: Timestamp) -> u64 {
    u64::try_from(later.as_second().saturating_sub(earlier.as_second())).unwrap_or(0)
}
