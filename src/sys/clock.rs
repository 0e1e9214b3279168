//! The clock and the local time zone.
#![expect(clippy::disallowed_methods, reason = "this is the place where the clock is read")]

use std::path::{Component, Path};
use std::time::{Duration, Instant};

use jiff::Timestamp;
use jiff::tz::TimeZone;
use once_cell::sync::OnceCell;

use super::files::{self, Kind};

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
    if !is_plausible() {
        return TimeZone::UTC;
    }
    ZONE.get_or_try_init(TimeZone::try_system).cloned().unwrap_or(TimeZone::UTC)
}

/// Whether `TZ` can be looked up: a path in it may name a device that gives bytes without end.
fn is_plausible() -> bool {
    const MAX_SIZE: u64 = 1 << 20;
    let Some(zone) = super::env::path("TZ") else { return true };
    // POSIX: what follows a colon is for the system to understand; here that is a name or a path.
    let text = zone.to_string_lossy();
    let path = Path::new(text.strip_prefix(':').unwrap_or(&text));
    let climbs = path.components().any(|part| part == Component::ParentDir);
    let small = |path| files::metadata(path).is_ok_and(|meta| meta.kind == Kind::File && meta.id.size <= MAX_SIZE);
    !climbs && (!path.is_absolute() || small(path))
}

/// How long something took, by the monotonic clock.
pub fn timed<T>(run: impl FnOnce() -> T) -> (T, Duration) {
    let begin = Instant::now();
    let result = run();
    (result, begin.elapsed())
}

/// Measures time by the monotonic clock.
#[derive(Clone, Copy, Debug)]
pub struct Stopwatch(Instant);

impl Stopwatch {
    /// From now on.
    pub fn start() -> Stopwatch {
        Stopwatch(Instant::now())
    }

    /// Milliseconds since the start.
    pub fn milliseconds(self) -> u128 {
        self.0.elapsed().as_millis()
    }
}
