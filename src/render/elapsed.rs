//! Durations in words. All arguments are whole seconds.

use std::fmt;

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;

/// A duration in at most two units: `<1m`, `45m`, `2h`, `2h 3m`, `3d`, `3d 4h`.
#[derive(Clone, Copy, Debug)]
pub struct Short(
    /// Seconds.
    pub u64,
);

impl Short {
    /// The words; in lists, where there are thousands, `format!` would take as long as all else in a line.
    pub fn text(self) -> String {
        let (first, unit, second, lesser) = match self.0 {
            0..MINUTE => return "<1m".to_owned(),
            MINUTE..HOUR => (self.0 / MINUTE, 'm', 0, 's'),
            HOUR..DAY => (self.0 / HOUR, 'h', self.0 % HOUR / MINUTE, 'm'),
            _ => (self.0 / DAY, 'd', self.0 % DAY / HOUR, 'h'),
        };
        let mut digits = itoa::Buffer::new();
        let mut text = digits.format(first).to_owned();
        text.push(unit);
        if second > 0 {
            text.push(' ');
            text.push_str(digits.format(second));
            text.push(lesser);
        }
        text
    }
}

impl fmt::Display for Short {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text())
    }
}

/// How long something has lasted, in a sentence: `for under a minute`, else `for ` and [`Short`].
#[derive(Clone, Copy, Debug)]
pub struct For(
    /// Seconds.
    pub u64,
);

impl For {
    /// The words.
    pub fn text(self) -> String {
        match self.0 {
            0..MINUTE => "for under a minute".to_owned(),
            _ => "for ".to_owned() + &Short(self.0).text(),
        }
    }
}

/// How long ago, short, in one unit: `just now`, `15m ago`, `2h ago`, `3d ago`.
#[derive(Clone, Copy, Debug)]
pub struct Ago(
    /// Seconds.
    pub u64,
);

impl fmt::Display for Ago {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            0..MINUTE => f.write_str("just now"),
            MINUTE..HOUR => write!(f, "{}m ago", self.0 / MINUTE),
            HOUR..DAY => write!(f, "{}h ago", self.0 / HOUR),
            _ => write!(f, "{}d ago", self.0 / DAY),
        }
    }
}

/// How long ago, in words, in at most two units: `just now`, `45 minutes ago`, `2 hours 3 minutes ago`, `1 day ago`.
#[derive(Clone, Copy, Debug)]
pub struct LongAgo(
    /// Seconds.
    pub u64,
);

impl fmt::Display for LongAgo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (first, unit, second, lesser) = match self.0 {
            0..MINUTE => return f.write_str("just now"),
            MINUTE..HOUR => (self.0 / MINUTE, "minute", 0, ""),
            HOUR..DAY => (self.0 / HOUR, "hour", self.0 % HOUR / MINUTE, "minute"),
            _ => (self.0 / DAY, "day", self.0 % DAY / HOUR, "hour"),
        };
        let plural = |count: u64| if count == 1 { "" } else { "s" };
        write!(f, "{first} {unit}{}", plural(first))?;
        if second > 0 {
            write!(f, " {second} {lesser}{}", plural(second))?;
        }
        f.write_str(" ago")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations_are_in_at_most_two_units() {
        for (seconds, short, ago, long) in [
            (0, "<1m", "just now", "just now"),
            (59, "<1m", "just now", "just now"),
            (60, "1m", "1m ago", "1 minute ago"),
            (45 * 60 + 59, "45m", "45m ago", "45 minutes ago"),
            (3600, "1h", "1h ago", "1 hour ago"),
            (2 * 3600 + 3 * 60, "2h 3m", "2h ago", "2 hours 3 minutes ago"),
            (86_399, "23h 59m", "23h ago", "23 hours 59 minutes ago"),
            (3 * 86_400 + 59 * 60, "3d", "3d ago", "3 days ago"),
            (3 * 86_400 + 4 * 3600, "3d 4h", "3d ago", "3 days 4 hours ago"),
            (86_400 + 3600, "1d 1h", "1d ago", "1 day 1 hour ago"),
        ] {
            assert_eq!(Short(seconds).to_string(), short);
            assert_eq!(Ago(seconds).to_string(), ago);
            assert_eq!(LongAgo(seconds).to_string(), long);
        }
        assert_eq!([For(59).text(), For(7380).text()], ["for under a minute", "for 2h 3m"]);
        assert!(!Short(u64::MAX).to_string().contains('-'));
    }
}
