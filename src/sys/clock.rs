//! The clock and the local time zone.
#![expect(clippy::disallowed_methods, reason = "this is the place where the clock is read")]

use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use once_cell::sync::OnceCell;

/// The time now.
pub fn now() -> Timestamp {
    let (seconds, nanoseconds) = super::ffi::clock();
    Timestamp::new(seconds, nanoseconds).unwrap_or(Timestamp::UNIX_EPOCH)
}

/// The local time zone; UTC where `TZ` and the system name none that exists.
///
/// Costs about a millisecond the first time, so it is never asked for on the fast path.
pub fn time_zone() -> TimeZone {
    static ZONE: OnceCell<TimeZone> = OnceCell::new();
    ZONE.get_or_try_init(TimeZone::try_system).cloned().unwrap_or(TimeZone::UTC)
}

/// How long something took, by a clock that nobody sets.
pub fn timed<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    let begin = Instant::now();
    let result = run();
    (result, begin.elapsed())
}
