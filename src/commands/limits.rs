//! The limits of the subscription, for a format that shows them.

use std::path::PathBuf;

use crate::claude::status_payload::StatusPayload;
use crate::render::format::Format;
use crate::render::segment;
use crate::session::limits::{Limit, Limits};
use crate::store::limits;
use crate::store::root::Root;

/// The limits that a status line shows: the newest that this session or another one knows. If this session knows the newest,
/// they are stored for the others.
pub(super) fn of_status_line(
    root: Option<&Root>,
    payload: &StatusPayload,
    format: Format<'_>,
    now: i64,
) -> segment::Limits {
    let limit =
        |share: Option<f64>, at: Option<i64>| Some(Limit { tenths: (share? * 10.0).round() as i64, resets_at: at? });
    let five_hours = limit(payload.five_hours, payload.resets.0);
    let seven_days = limit(payload.seven_days, payload.resets.1);
    let ours = Limits { five_hours, seven_days }.valid_at(now);
    let shared = match root.filter(|_| ours != Limits::default() || is_shown(format)) {
        Some(root) => limits::share(root, ours, now),
        None => ours,
    };
    let shown = facts(shared, now);
    // Without the time of its reset a share cannot be compared.
    let undated = |share: Option<f64>, at: Option<i64>| share.filter(|_| at.is_none());
    segment::Limits {
        five_hours: shown.five_hours.or(undated(payload.five_hours, payload.resets.0)),
        seven_days: shown.seven_days.or(undated(payload.seven_days, payload.resets.1)),
        ..shown
    }
}

/// The limits that a prompt shows, and the file that they are from, with its line and the time of the next reset.
pub(super) fn of_prompt(
    root: &Root,
    format: Format<'_>,
    now: i64,
) -> (segment::Limits, Option<(PathBuf, String, i64)>) {
    let Some((path, line)) = is_shown(format).then(|| limits::read(root)).flatten() else { return Default::default() };
    let limits = Limits::parse(&line).valid_at(now);
    let resets = [limits.five_hours, limits.seven_days].into_iter().flatten().map(|limit| limit.resets_at);
    let file = resets.min().map(|at| (path, line, at));
    (facts(limits, now), file)
}

fn is_shown(format: Format<'_>) -> bool {
    format.mentions("limits") || format.mentions("resets")
}

fn facts(limits: Limits, now: i64) -> segment::Limits {
    let left = |limit: Option<Limit>| u64::try_from(limit?.resets_at - now).ok();
    segment::Limits {
        five_hours: limits.five_hours.map(Limit::share),
        seven_days: limits.seven_days.map(Limit::share),
        resets: (left(limits.five_hours), left(limits.seven_days)),
    }
}
