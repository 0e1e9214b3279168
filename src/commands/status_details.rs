//! What only some status lines show: gathered only if the format mentions it.

use crate::claude::status_payload::StatusPayload;
use crate::context::Context;
use crate::render::format::{self, Format, TOKENS, Token};
use crate::session::details::Details;
use crate::session::id::SessionId;
use crate::session::state::{Need, State};
use crate::store::place::Place;
use crate::store::root::Root;
use crate::sys::files;

use super::live_sessions::{self, LiveSession};

/// More stashes are not counted: a line of git's log of them has about 150 bytes.
const MAX_STASH_LOG: usize = 256 * 1024;

/// The details for a format; `None` if it shows none.
pub(super) fn gather(
    context: &Context,
    payload: &[u8],
    format: Format<'_>,
    here: &Place,
    others_of: Option<(&Root, &SessionId)>,
) -> Option<Details> {
    // The usual format has none.
    let first = TOKENS.iter().position(|(_, token, _)| *token == Token::Stash)?;
    let mentions = |name: &str| format.mentions(name);
    if format.is(format::STATUS_LINE) || !TOKENS.iter().skip(first).any(|(name, ..)| mentions(name)) {
        return None;
    }
    let mut details = StatusPayload::details(payload);
    details.now = context.now.as_second();
    if mentions("stash") {
        // git keeps no other list of them.
        let log = here.repository.as_ref().map(|repository| repository.join("logs/refs/stash"));
        let log = log.and_then(|log| files::read(&log, MAX_STASH_LOG).ok()).unwrap_or_default();
        details.stashes = memchr::memchr_iter(b'\n', &log).count();
    }
    if mentions("others") {
        details.others = others_of.and_then(|(root, id)| worst(context, root, id));
    }
    Some(details)
}

/// The worst state of other sessions: failed before blocked before finished before working; and how many are in it.
fn worst(context: &Context, root: &Root, id: &SessionId) -> Option<(State, bool, usize)> {
    let sessions = live_sessions::overview(root, context.now).ok()?.live_sessions;
    let rank = |live_session: &LiveSession| match (live_session.observed.state, live_session.observed.need()) {
        (State::Error, _) => Some(0),
        (_, Some(Need::Answer)) => Some(1),
        (_, Some(_)) => Some(2),
        (State::Working, None) => Some(3),
        _ => None,
    };
    let others = sessions.iter().filter(|live_session| live_session.session.id != *id);
    let ranks: Vec<usize> = others.filter_map(rank).collect();
    let worst = ranks.iter().min()?;
    let (state, finished) = match worst {
        0 => (State::Error, false),
        1 => (State::Waiting, false),
        2 => (State::Idle, true),
        _ => (State::Working, false),
    };
    Some((state, finished, ranks.iter().filter(|rank| *rank == worst).count()))
}
