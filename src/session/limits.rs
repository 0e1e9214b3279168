//! How much of the limits of a subscription is used, as one session or another was last told.

use std::fmt::Write as _;

/// The most seconds from now to the reset of the five-hour limit: a longer time only comes from broken input.
const FIVE_HOURS: i64 = 6 * 3600;
/// The same for the seven-day limit.
const SEVEN_DAYS: i64 = 8 * 86_400;

/// How much of one limit is used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limit {
    /// The used share, in tenths of a percent: an integer, because reading a decimal number adds 30 kB to the program.
    pub tenths: i64,
    /// When it is reset, in seconds since 1970.
    pub resets_at: i64,
}

/// Both limits.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Limits {
    /// Over five hours.
    pub five_hours: Option<Limit>,
    /// Over seven days.
    pub seven_days: Option<Limit>,
}

impl Limit {
    /// The used share, in percent.
    pub fn share(self) -> f64 {
        self.tenths as f64 / 10.0
    }
}

impl Limits {
    /// Reads the line that [`Limits::to_line`] writes; what is not understood is left out.
    pub fn parse(line: &str) -> Limits {
        let mut limits = Limits::default();
        let mut words = line.split_ascii_whitespace();
        while let (Some(name), Some(share), Some(resets_at)) = (words.next(), words.next(), words.next()) {
            let limit = || Some(Limit { tenths: share.parse().ok()?, resets_at: resets_at.parse().ok()? });
            match name {
                "5h" => limits.five_hours = limit(),
                "7d" => limits.seven_days = limit(),
                _ => {}
            }
        }
        limits
    }

    /// One line: for each limit its name, the used share in tenths of a percent and the time of the reset.
    pub fn to_line(self) -> String {
        let mut line = String::new();
        for (name, limit) in [("5h", self.five_hours), ("7d", self.seven_days)] {
            if let Some(limit) = limit {
                let space = if line.is_empty() { "" } else { " " };
                let _ = write!(line, "{space}{name} {} {}", limit.tenths, limit.resets_at);
            }
        }
        line
    }

    /// Without the limits that have been reset, and without those that cannot be.
    pub fn valid_at(self, now: i64) -> Limits {
        let valid = |limit: Option<Limit>, longest: i64| {
            limit.filter(|limit| {
                (0..=10_000).contains(&limit.tenths) && limit.resets_at > now && limit.resets_at - now <= longest
            })
        };
        Limits { five_hours: valid(self.five_hours, FIVE_HOURS), seven_days: valid(self.seven_days, SEVEN_DAYS) }
    }

    /// Of each limit what was told later: a later reset, and of two shares before the same reset the higher one.
    #[must_use]
    pub fn merge(self, other: Limits) -> Limits {
        Limits {
            five_hours: later(self.five_hours, other.five_hours),
            seven_days: later(self.seven_days, other.seven_days),
        }
    }
}

fn later(one: Option<Limit>, other: Option<Limit>) -> Option<Limit> {
    let (Some(a), Some(b)) = (one, other) else { return one.or(other) };
    Some(if (b.resets_at, b.tenths) > (a.resets_at, a.tenths) { b } else { a })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limits(line: &str) -> String {
        Limits::parse(line).valid_at(1000).to_line()
    }

    #[test]
    fn a_line_is_read_as_it_was_written_and_what_cannot_be_is_left_out() {
        assert_eq!(limits("5h 425 2000 7d 70 9000"), "5h 425 2000 7d 70 9000");
        for wrong in
            ["", "5h", "5h x 2000", "5h 42 x", "5h 1.5 2000", "5h -1 2000", "5h 42 1000", "5h 42 99999999", "6h 1 2000"]
        {
            assert_eq!(limits(wrong), "", "{wrong}");
        }
        assert_eq!(limits("5h 42 1 7d 7 2000"), "7d 7 2000");
        assert_eq!(limits(&format!("5h 1 {} 7d 1 {}", i64::MIN, i64::MAX)), "");
    }

    #[test]
    fn the_later_reset_counts_and_before_the_same_reset_the_higher_share() {
        for (one, other, wanted) in [
            ("5h 90 2000", "5h 10 2001", "5h 10 2001"),
            ("5h 10 2000", "5h 20 2000", "5h 20 2000"),
            ("5h 10 2000", "7d 20 2000", "5h 10 2000 7d 20 2000"),
            ("", "5h 1 2000", "5h 1 2000"),
        ] {
            let (one, other) = (Limits::parse(one), Limits::parse(other));
            assert_eq!(one.merge(other).to_line(), wanted);
            assert_eq!(other.merge(one).to_line(), wanted);
        }
    }
}
