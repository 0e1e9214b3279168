//! What a hook does when a session starts: archive stale sessions, and tell the new one who else works on its project.

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;

use super::hook_response::{self, Other};
use super::live_sessions::LiveSession;
use super::{hookless, start_job, tmux};
use crate::claude::payload::HookPayload;
use crate::context::Context;
use crate::render::elapsed;
use crate::report::Report;
use crate::session::event::{Event, EventContext, Outcome};
use crate::session::id::SessionId;
use crate::session::order::sort_by_key;
use crate::session::state::Need;
use crate::store::active::{self, Active};
use crate::store::manifest_file::Session;
use crate::store::place::Place;
use crate::store::root::Root;
use crate::store::{lifecycle, live};

/// How long a hook waits for another writer before it goes on without the lock. A person waits for it.
pub(super) const LOCK_TIMEOUT: Duration = Duration::from_millis(250);
/// How many stale sessions one hook archives in passing.
const IN_PASSING: usize = 16;

/// What is due when a session starts: stale ones met in passing are archived, and the others on this project are told.
pub(super) fn after_start(
    context: &Context,
    root: &Root,
    id: &SessionId,
    payload: &HookPayload,
    place: &Place,
    event_context: &EventContext,
) -> Report {
    if let (Some(socket), Some(pane), false) =
        (&event_context.tmux_socket, &event_context.tmux_pane, event_context.is_headless)
    {
        start_job(context, tmux::RECORD_WINDOW, &[socket, pane, id.as_str()]);
    }
    // One more, for this session itself may be taken for stale: its process is not always found.
    let active = active::read_some(root, IN_PASSING + 1);
    let stale = active.stale().filter(|session| session.id != *id);
    // A second start of the same process may be a phantom; one that says what it follows is not.
    let follows = matches!(payload.source.as_deref(), Some("clear" | "resume" | "fork"));
    let replaced =
        active.sessions.iter().filter(|session| follows && session.id != *id && replaced_by(session, event_context));
    for session in stale.take(IN_PASSING) {
        let _ = lifecycle::archive_stale(root, &session.id, LOCK_TIMEOUT);
    }
    active::sweep_some(root);
    for session in replaced {
        let _ = lifecycle::change(root, &session.id, LOCK_TIMEOUT, |manifest, known| {
            let end = Event::End { reason: Some("replaced".to_owned()) };
            let outcome = if known { end.apply(manifest, event_context, live::runs) } else { Outcome::Ignore };
            Ok((outcome, ()))
        });
    }
    tell_of_others(context, root, active, id, payload, place, event_context)
}

/// Tells a session that starts which others work on its repository: those of all profiles, with or without hooks.
fn tell_of_others(
    context: &Context,
    root: &Root,
    active: Active,
    id: &SessionId,
    payload: &HookPayload,
    place: &Place,
    event_context: &EventContext,
) -> Report {
    // Those of other profiles are read only: their own hooks archive them.
    let roots = root.with_profiles();
    let other_profiles = roots.iter().skip(1);
    let read = other_profiles.map(|root| (&**root, active::read_some(root, 0)));
    let read: Vec<_> = std::iter::once((root, active)).chain(read).collect();
    let live =
        read.iter().flat_map(|(root, active)| active.live(event_context.now).map(move |session| (*root, session)));
    let live: Vec<(&Root, &Session)> = live.collect();
    let known: Vec<&Session> = live.iter().map(|(_, session)| *session).collect();
    let hookless = hookless::find(root, &known);
    let hookless = hookless.iter().map(|(session, root, _)| (&**root, session));
    let (mut others, mut elsewhere): (Vec<Other<'_>>, Vec<LiveSession>) = (Vec::new(), Vec::new());
    for (root, session) in live.into_iter().chain(hookless) {
        if session.id == *id || replaced_by(session, event_context) {
            continue;
        }
        match same_tree(place, session) {
            Some(in_same_tree) if others.iter().all(|other| other.session.id != session.id) => {
                others.push(Other { session, root, in_same_tree });
            }
            None if !session.manifest.headless => {
                let place = Place::recorded(&session.manifest);
                elsewhere.push(LiveSession::at(session.clone(), place, &Rc::new(root.clone())));
            }
            _ => {}
        }
    }
    let is_new = matches!(payload.source.as_deref(), Some("startup" | "resume" | "fork")) && !event_context.is_headless;
    let reminder = if is_new { reminder(elsewhere, event_context.now) } else { None };
    hook_response::at_start(context, &others, payload, &event_context.project, reminder)
}

/// One line about the sessions on other projects that wait for the user, blocked before finished.
fn reminder(mut elsewhere: Vec<LiveSession>, now: Timestamp) -> Option<String> {
    const MAX_NAMED: usize = 3;
    elsewhere.retain(|session| session.observed.need().is_some());
    sort_by_key(&mut elsewhere, |session| session.urgency(now));
    let named = |session: &LiveSession| {
        let project = &session.session.manifest.project;
        let waiting = session.waiting(None, now)?;
        let ago = elapsed::Ago(waiting.seconds);
        Some(match session.observed.need()? {
            Need::Answer => {
                format!("{project} waits for {} ({})", waiting.for_what, elapsed::Short(waiting.seconds).text())
            }
            _ if waiting.failed => format!("{project} failed {ago}"),
            _ => format!("{project} finished its turn {ago}"),
        })
    };
    let mut parts: Vec<String> = elsewhere.iter().take(MAX_NAMED).filter_map(named).collect();
    if elsewhere.len() > MAX_NAMED {
        parts.push(format!("{} more wait", elsewhere.len() - MAX_NAMED));
    }
    (!parts.is_empty()).then(|| format!("Elsewhere: {}. ait sessions next --all", parts.join("; ")))
}

/// A process runs one session at a time: other manifests with this process belong to sessions that ended without an event.
fn replaced_by(session: &Session, event_context: &EventContext) -> bool {
    let mut stamps = session.manifest.stamps();
    event_context.process.is_some()
        && stamps.next().as_ref() == event_context.process.as_ref()
        && stamps.next().is_none()
}

/// `Some(true)` in the same tree, `Some(false)` in another tree of the same repository, else `None`.
fn same_tree(place: &Place, session: &Session) -> Option<bool> {
    let other = Place::of(Path::new(&session.manifest.path));
    if other.root == place.root {
        return Some(true);
    }
    (other.repository.is_some() && other.repository == place.repository).then_some(false)
}
