//! The live sessions that concern a place, for the segment: by a plain read of the folders of live sessions.

use std::path::Path;
use std::rc::Rc;

use jiff::Timestamp;

use super::live_sessions::{LiveSession, keep_one_of_each, shown_at};
use crate::session::conflict::{Grade, in_tree};
use crate::session::file_write::is_fresh;
use crate::session::id::SessionId;
use crate::session::manifest::Manifest;
use crate::session::state::{Need, State};
use crate::store::active;
use crate::store::manifest_file::Session;
use crate::store::place::Place;
use crate::store::root::Root;
use crate::sys::files::Meta;

/// The live sessions that concern a place.
#[derive(Clone, Debug, Default)]
pub struct Nearby {
    /// Those that are shown there: see [`shown_at`].
    pub live_sessions: Vec<LiveSession>,
    /// Those that work elsewhere, and lately wrote in this tree; each with the root that it is in.
    pub writers: Vec<(Session, Rc<Root>)>,
    /// Those that said in their last event that they wait, and are not shown there. Whether they run is not known yet.
    /// Empty unless they were asked for.
    waiting: Vec<(SessionId, Manifest, Meta, Rc<Root>)>,
}

impl Nearby {
    /// All of them.
    pub fn sessions(&self) -> impl Iterator<Item = &Session> {
        self.live_sessions
            .iter()
            .map(|live_session| &live_session.session)
            .chain(self.writers.iter().map(|(session, _)| session))
    }

    /// The conflict of this tree as far as a prompt warns of it: its grade, and how many sessions work there.
    pub fn conflict(&self, here: &Place, now: Timestamp) -> Option<(Grade, usize)> {
        // Where a writer was started does not matter here.
        let writers = self.writers.iter().map(|(session, _)| (&*session.manifest, Path::new(""), None));
        let live_sessions = self.live_sessions.iter().map(|live_session| {
            (&*live_session.session.manifest, &*live_session.place.root, live_session.place.repository.as_deref())
        });
        in_tree(live_sessions.chain(writers), &here.root, now)
    }
}

/// The live sessions of all profiles that concern a place, by a plain read of the folders: each manifest is read once, and
/// parsed only if it can matter here. Unreadable manifests are left out. `with_waiting`: also sessions elsewhere that wait.
pub fn nearby(root: &Root, here: &Place, now: Timestamp, with_waiting: bool) -> Nearby {
    let mut nearby = Nearby::default();
    let roots = root.with_profiles();
    for root in &roots {
        add_nearby(&mut nearby, root, here, now, with_waiting);
    }
    if roots.len() > 1 {
        keep_one_of_each(&mut nearby.live_sessions);
    }
    nearby.live_sessions = shown_at(nearby.live_sessions, here);
    nearby
}

fn add_nearby(nearby: &mut Nearby, root: &Rc<Root>, here: &Place, now: Timestamp, with_waiting: bool) {
    let (mut sessions, mut places, mut writers) = (Vec::new(), Vec::new(), Vec::new());
    for (id, manifest, meta) in active::read_if(root, may_concern(here, with_waiting)) {
        let place = Place::recorded(&manifest);
        // Only of these it is asked whether their processes run.
        if here.shows(&place) {
            places.push(place);
            sessions.push(Session::new(id, manifest, &meta));
        } else if manifest.wrote_in.iter().any(|wrote| Path::new(&wrote.tree) == here.root) {
            writers.push(Session::new(id, manifest, &meta));
        } else if with_waiting && manifest.state == State::Waiting && !manifest.headless {
            nearby.waiting.push((id, manifest, meta, Rc::clone(root)));
        }
    }
    active::resolve_shared_processes(&mut sessions, root);
    let live_sessions = sessions.into_iter().zip(places).filter(|(session, _)| session.counts(now));
    nearby.live_sessions.extend(live_sessions.map(|(session, place)| LiveSession::at(session, place, root)));
    let writers = writers.into_iter().filter(|session| session.counts(now));
    nearby.writers.extend(writers.map(|session| (session, Rc::clone(root))));
}

impl Nearby {
    /// Of the sessions elsewhere, the one that has been blocked for longest.
    pub fn blocked_elsewhere(&self, now: Timestamp) -> Option<LiveSession> {
        let live_session = |(id, manifest, meta, root): &(SessionId, Manifest, Meta, Rc<Root>)| {
            let session = Session::new(id.clone(), manifest.clone(), meta);
            let place = Place::recorded(&session.manifest);
            session.counts(now).then(|| LiveSession::at(session, place, root))
        };
        let live_sessions = self.waiting.iter().filter_map(live_session);
        let blocked = live_sessions.filter(|live_session| live_session.observed.need() == Some(Need::Answer));
        blocked.min_by_key(|live_session| live_session.urgency(now))
    }

    /// If no session is in this tree, shows those that lately wrote here: they were started in another tree and sent into
    /// this one.
    pub fn or_writers(mut self, here: &Place, now: Timestamp) -> Nearby {
        if !self.live_sessions.is_empty() {
            return self;
        }
        let wrote_here = |(session, _): &(Session, Rc<Root>)| {
            let mut wrote = session.manifest.wrote_in.iter();
            wrote.any(|wrote| Path::new(&wrote.tree) == here.root && is_fresh(wrote.at, now))
        };
        let (live_sessions, writers): (Vec<_>, Vec<_>) = self.writers.into_iter().partition(wrote_here);
        self.writers = writers;
        self.live_sessions =
            live_sessions.into_iter().map(|(session, root)| LiveSession::at(session, here.clone(), &root)).collect();
        self
    }
}

/// Tells by the bytes of a manifest whether its session may concern a place. Most manifests of other trees are told apart
/// without parsing: they have a tree, as ait writes it, and do not contain the root of this one. One with a backslash is
/// always parsed, because its paths may be written with escapes; so is one in another layout, or with `null` for a tree; and
/// `with_waiting` one of a session that waits.
fn may_concern(here: &Place, with_waiting: bool) -> impl Fn(&[u8]) -> bool {
    use memchr::memmem::Finder;
    // At the start of a line of the outermost object: a field of another program may contain a field of this name.
    let tree = Finder::new(b"\n  \"tree\": ");
    let waits = Finder::new(b"\n  \"state\": \"waiting\"");
    let root = Finder::new(here.root.as_os_str().as_encoded_bytes()).into_owned();
    let in_repository = here.repository.is_some();
    move |manifest| {
        let Some((before, value)) = tree.find(manifest).and_then(|at| manifest.split_at_checked(at)) else {
            return true;
        };
        if value.starts_with(b"\n  \"tree\": null") || memchr::memchr(b'\\', manifest).is_some() {
            return true;
        }
        // Outside of a repository only sessions without a tree of their own are shown. ait writes the state before the tree.
        in_repository && root.find(manifest).is_some() || with_waiting && waits.find(before).is_some()
    }
}
