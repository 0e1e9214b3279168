//! The conditions under which a shell may show a segment again, as far as they follow from what `ait prompt` looked at.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::live_sessions::LiveSession;
use super::nearby::Nearby;
use super::upstream::Distance;
use crate::context::Context;
use crate::git::HeadLabel;
use crate::render::reuse::Conditions;
use crate::session::manifest::ProcessStamp;
use crate::session::state::{Need, StateSource};
use crate::session::time::seconds_between;
use crate::store::live::{self, Liveness};
use crate::store::manifest_file::Session;
use crate::store::revision::{self, Revision};
use crate::sys::files;

/// Seconds for which any segment is valid at most.
const MAX_VALIDITY: i64 = 60;
/// Seconds for which a segment is valid that shows something whose change no condition can tell, such as a blocked session: Esc
/// in Claude Code sends no event.
const SHORT_VALIDITY: i64 = 5;

pub(super) fn conditions(
    nearby: &Nearby,
    chosen: Option<&LiveSession>,
    head: &HeadLabel,
    revisions: Vec<Revision>,
    now: Timestamp,
) -> Conditions {
    // Elapsed and waiting times change when their seconds reach a multiple of 60.
    let until_next_minute = |seconds: u64| MAX_VALIDITY - i64::try_from(seconds % 60).unwrap_or(0);
    let elapsed = chosen.and_then(|chosen| chosen.session.manifest.elapsed_seconds(now)).map_or(0, until_next_minute);
    let mut validity = if chosen.is_some() { elapsed.clamp(1, MAX_VALIDITY) } else { MAX_VALIDITY };
    let may_change_soon = |live_session: &LiveSession| {
        live_session.observed.need() == Some(Need::Answer) || is_unsettled(live_session, now)
    };
    if nearby.live_sessions.iter().any(may_change_soon) {
        validity = validity.min(SHORT_VALIDITY);
    }
    if let Some(waiting) = chosen.and_then(|chosen| chosen.waiting(None, now)) {
        validity = validity.min(until_next_minute(waiting.seconds));
    }
    let is_here = |session: &&Session| session.liveness == Liveness::Live;
    let processes = nearby.sessions().filter(is_here).flat_map(|session| {
        let stamps: Vec<ProcessStamp> = session.manifest.stamps().collect();
        // One of several processes of a live session may be gone already.
        let several = stamps.len() > 1;
        stamps.into_iter().filter(move |stamp| !several || live::runs(stamp)).map(|stamp| stamp.pid)
    });
    let revisions = revisions.into_iter().map(|revision| (revision.path, revision.text));
    let files = revisions.chain(head.files.iter().cloned()).collect();
    Conditions { until: now.as_second() + validity, processes: processes.collect(), files, unchanged: None }
}

/// The condition that the configuration file, if there is one, was not changed since the first revision. If it was, the
/// revision is changed, and the condition holds until the next time.
pub(super) fn configuration(context: &Context, revisions: &mut Vec<Revision>) -> Option<(PathBuf, PathBuf)> {
    let revision = revisions.first()?.path.clone();
    let config = context.config();
    let path = config.path.clone().filter(|path| config.exists && path.is_absolute())?;
    let changed = |path: &Path| Some(files::metadata(path).ok()?.modified);
    let config_changed = changed(&path)?;
    // A time in the future would be newer than any revision.
    if config_changed > context.now.as_nanosecond() {
        return None;
    }
    if changed(&revision)? <= config_changed {
        revision::change();
        *revisions = revision::current();
    }
    Some((path, revision))
}

/// The conditions of a segment that shows how far the branch and its upstream are apart. No file tells when a ref that is in
/// `packed-refs` changes.
pub(super) fn with_distance(mut conditions: Conditions, distance: Option<Distance>, now: Timestamp) -> Conditions {
    let Some(distance) = distance else { return conditions };
    if distance.files.len() < 2 {
        conditions.until = conditions.until.min(now.as_second() + SHORT_VALIDITY);
    }
    conditions.files.extend(distance.files);
    conditions
}

/// The conditions of a segment that shows limits: those of a file with this line, until the next reset.
pub(super) fn with_limits(mut conditions: Conditions, file: Option<(PathBuf, String, i64)>) -> Conditions {
    if let Some((path, line, resets_at)) = file {
        conditions.until = conditions.until.min(resets_at);
        conditions.files.push((path, line));
    }
    conditions
}

/// Limits the validity of a segment that shows a blocked session elsewhere.
pub(super) fn limit(mut conditions: Conditions, blocked: &LiveSession, now: Timestamp) -> Conditions {
    conditions.until = conditions.until.min(now.as_second() + SHORT_VALIDITY);
    if blocked.session.liveness == Liveness::Live {
        conditions.processes.extend(blocked.session.manifest.pid);
    }
    conditions
}

/// Whether an event and Claude Code's record differ, and the client may not have written the record since the event.
fn is_unsettled(live_session: &LiveSession, now: Timestamp) -> bool {
    const SECONDS: u64 = 2;
    let updated = live_session.session.manifest.updated;
    live_session.observed.source == StateSource::Registry
        && updated.is_some_and(|at| seconds_between(at, now) < SECONDS)
}
