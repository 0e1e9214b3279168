//! The result of one check.

use std::time::Duration;

use serde::Serialize;

use crate::session::order::sort_by;

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Status {
    Ok,
    Warn,
    Fail,
}

/// One check.
#[derive(Clone, Debug, Serialize)]
pub(super) struct Check {
    pub(super) name: &'static str,
    pub(super) status: Status,
    /// The finding; if there are several, the worst ones first.
    pub(super) detail: String,
    /// The command to type.
    pub(super) fix: Option<String>,
}

/// The problems that one check found. The worst ones are shown, and how many more there are.
#[derive(Debug, Default)]
pub(super) struct Findings(Vec<(Status, String, Option<String>)>);

impl Findings {
    pub(super) fn add(&mut self, status: Status, detail: impl Into<String>, fix: Option<&str>) {
        self.0.push((status, detail.into(), fix.map(str::to_owned)));
    }

    pub(super) fn check(self, name: &'static str, fine: impl Into<String>) -> Check {
        const MAX_SHOWN: usize = 3;
        let mut findings = self.0;
        // The worst first; of the same kind, as they were found.
        sort_by(&mut findings, |a, b| b.0.cmp(&a.0));
        let more = findings.len().saturating_sub(MAX_SHOWN);
        let mut details: Vec<String> = findings.iter().take(MAX_SHOWN).map(|(_, detail, _)| detail.clone()).collect();
        let Some((status, _, fix)) = findings.into_iter().next() else {
            return Check { name, status: Status::Ok, detail: fine.into(), fix: None };
        };
        if more > 0 {
            details.push(format!("and {more} more"));
        }
        Check { name, status, detail: details.join("; also: "), fix }
    }
}

/// The command that fixes most problems.
pub(super) const FIX: &str = "ait doctor --fix";
pub(super) const INSTALL: &str = "ait hooks install";

/// Seconds after which the first hook of a session, or one that tells of a new state, must have come.
pub(super) const GRACE: u64 = 10;
/// How many days of history are looked at, the newest.
pub(super) const DAYS: usize = 7;
/// How often a prompt is made to see how long it takes.
pub(super) const PROMPTS: usize = 5;
/// A slower prompt is noticeable.
pub(super) const SLOW: Duration = Duration::from_millis(20);
/// Here the shells stop waiting for it (shell/ait.zsh).
pub(super) const TOO_SLOW: Duration = Duration::from_millis(500);
/// A startup file is read up to this.
pub(super) const STARTUP_LIMIT: usize = 1 << 20;
