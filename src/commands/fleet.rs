//! The sessions together with what else is known of them: where each works, and what Claude Code's own registry says.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use jiff::Timestamp;

use crate::claude::registry::Record;
use crate::error::{Error, Exit, Result, on_one_line};
use crate::render::elapsed;
use crate::session::conflict::{Grade, in_tree, works_in};
use crate::session::event;
use crate::session::id::SessionId;
use crate::session::manifest::{Manifest, ProcessStamp};
use crate::session::order::sort_by;
use crate::session::raw::JsonFields;
use crate::session::state::{StateSource, Told, newer};
use crate::store::active::{self, Broken, Session};
use crate::store::index::{self, Found};
use crate::store::place::Place;
use crate::store::records::Records;
use crate::store::root::Root;
use crate::store::touched;
use crate::sys::{env, process};

/// One session, with its place and its state as both sources tell it.
#[derive(Clone, Debug)]
pub struct Member {
    /// What is on disk.
    pub session: Session,
    /// Where it works.
    pub place: Place,
    /// What it does.
    pub told: Told,
}

impl Member {
    fn new(session: Session, root: &Root) -> Member {
        let place = Place::of(Path::new(&session.manifest.path));
        Member::at(session, place, root)
    }

    fn at(session: Session, place: Place, root: &Root) -> Member {
        let told = state_of(&session, root);
        Member { session, place, told }
    }

    /// The trees it works in.
    pub fn trees(&self, now: Timestamp) -> Vec<&Path> {
        works_in(&self.place.root, self.place.repository.as_deref(), &self.session.manifest.wrote_in, now)
    }

    /// Its branch and age and task in a few words, for a list of candidates.
    pub fn in_short(&self, now: Timestamp) -> String {
        let manifest = &self.session.manifest;
        let mut words = format!("{} ({})", manifest.project, manifest.git_branch.as_deref().unwrap_or("no branch"));
        if let Some(seconds) = manifest.elapsed_seconds(now) {
            words.push_str(&format!(" - {}", elapsed::Short(seconds)));
        }
        if let Some(task) = &manifest.task {
            words.push_str(&format!(", {task}"));
        }
        on_one_line(&words)
    }
}

/// A session as `--json` shows it: every field of its manifest, and what is known beyond it.
pub(crate) fn json(member: &Member, now: Timestamp) -> JsonFields {
    let mut fields = ended_json(&member.session.manifest, now);
    fields.set("state", &member.told.state);
    fields.set("state_since", &member.told.since);
    fields.set("waiting_for", &member.told.waiting_for);
    fields.set("state_source", &member.told.source);
    fields.set("live", &member.session.liveness.counts());
    fields
}

/// A session of history as `--json` shows it.
pub(crate) fn ended_json(manifest: &Manifest, now: Timestamp) -> JsonFields {
    let mut fields = manifest.json_fields();
    fields.set("elapsed_seconds", &manifest.elapsed_seconds(now));
    fields
}

/// The state of a session: what its hooks told, put right by Claude Code's registry where that is newer.
pub fn state_of(session: &Session, root: &Root) -> Told {
    let record = session.manifest.pid.and_then(|pid| Record::of_process(root.path(), pid));
    state_by(session, record.as_ref())
}

fn state_by(session: &Session, record: Option<&Record>) -> Told {
    let manifest = &session.manifest;
    let told = || {
        let record = record?;
        let same_process = record.process_start.is_none()
            || manifest.pid_start.is_none()
            || record.process_start == manifest.pid_start;
        let (state, waiting_for) =
            record.state().filter(|_| same_process && record.session_id == session.id.as_str())?;
        Some(Told {
            state,
            since: record.status_since,
            // The client says that it asks; the hooks know for which tool.
            waiting_for: waiting_for.map(|what| match (what, manifest.tool.as_deref()) {
                ("permission", Some(tool)) => event::permission_for(tool),
                _ => what.to_owned(),
            }),
            source: StateSource::Registry,
            heard: record.status_since,
        })
    };
    newer(told_by_hooks(manifest), told())
}

fn told_by_hooks(manifest: &Manifest) -> Told {
    Told {
        state: manifest.state,
        since: manifest.state_since,
        waiting_for: manifest.waiting_for.clone(),
        source: StateSource::Hook,
        heard: manifest.updated,
    }
}

/// The live sessions, and what else lies with them.
#[derive(Clone, Debug, Default)]
pub struct Fleet {
    /// The live ones, the oldest start first.
    pub members: Vec<Member>,
    /// How many others there are, whose process is gone.
    pub stale: usize,
    /// What could not be read.
    pub broken: Vec<Broken>,
    /// How many manifests belong to other users, and are not read.
    pub foreign: usize,
}

/// The live sessions with every field of their manifests, and the place of each as it is now.
///
/// # Errors
/// Where the folder cannot be read.
pub fn gather(root: &Root) -> Result<Fleet> {
    let mut stale = 0;
    let active = active::read_where(root, |session| {
        let is_live = session.liveness.counts();
        stale += usize::from(!is_live);
        is_live
    })?;
    let members = active.sessions.into_iter().map(|session| Member::new(session, root)).collect();
    Ok(Fleet { members, stale, broken: active.broken, foreign: active.foreign })
}

/// The live sessions to be listed: of their manifests what a list shows, the place of each as its last event noted it.
///
/// # Errors
/// Where the folder cannot be read.
pub fn overview(root: &Root, now: Timestamp) -> Result<Fleet> {
    let records = Records::open(root);
    let (stale, fresh) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    let found = index::all(root, now, |session| {
        if !session.liveness.counts() {
            stale.fetch_add(1, Ordering::Relaxed);
            return None;
        }
        let known = session.manifest.pid.and_then(|pid| records.as_ref()?.of_process(pid));
        let told = state_by(&session, known.as_ref().map(|known| &known.record));
        if let (Some(Cow::Owned(read)), Ok(mut fresh)) = (known, fresh.lock()) {
            fresh.push(read);
        }
        Some(Member { place: Place::noted(&session.manifest), session, told })
    })?;
    let Some(Found { found: mut members, broken, foreign }) = found else { return gather(root) };
    let fresh = fresh.into_inner().unwrap_or_default();
    if let Some(records) = records.filter(|_| !fresh.is_empty()) {
        let listed = members.iter().filter_map(|member| member.session.manifest.pid).collect();
        records.keep(root, fresh, listed, now);
    }
    sort_by(&mut members, |a, b| active::by_age(&a.session, &b.session));
    Ok(Fleet { members, stale: stale.into_inner(), broken, foreign })
}

/// The live ones, as [`gather`] gives them.
///
/// # Errors
/// Where the folder cannot be read.
pub fn live(root: &Root) -> Result<Vec<Member>> {
    Ok(gather(root)?.members)
}

/// The current folder, as the shell gives it where that is true.
///
/// # Errors
/// Where it is gone and `PWD` does not name it either.
pub fn current_folder() -> Result<PathBuf> {
    env::current_dir()
        .or_else(|| env::path("PWD").filter(|path| path.is_absolute()))
        .ok_or_else(|| Error::new("finding the current folder", "", "it was deleted").next("cd to one that exists"))
}

/// The current session: the one named by `--session` (its id, or the start of it); else, inside Claude Code's own
/// shell, the one that runs it; else the live session of this tree.
///
/// # Errors
/// Exit code 2 where no session has that id, or several answer; exit code 1 where none is here.
pub fn current(root: &Root, wanted: Option<&str>, typed: &str, now: Timestamp) -> Result<Member> {
    let members = live(root)?;
    if let Some(wanted) = wanted {
        return by_id(members, wanted, typed, now);
    }
    if let Some(inside) = inside(&members) {
        return Ok(inside);
    }
    let folder = current_folder()?;
    let here = Place::of(&folder);
    let candidates = shown_at(members, &here);
    let shown = super::page::under_home(&folder);
    match candidates.len() {
        0 => Err(Error::new("finding the current session", shown, "no live session works here")
            .next("type: ait sessions live")),
        _ => only(candidates, "finding the current session", shown, typed, now),
    }
}

/// The session whose shell this is: by the id that newer clients hand down, else by the nearest ancestor that is
/// stamped in a manifest.
fn inside(members: &[Member]) -> Option<Member> {
    if let Some(id) = env::text("CLAUDE_CODE_SESSION_ID")
        && let Some(member) = members.iter().find(|member| member.session.id.as_str() == id)
    {
        return Some(member.clone());
    }
    let stamped = |ancestor: &process::Process, stamp: &ProcessStamp| {
        stamp.pid == ancestor.pid && stamp.start.is_none_or(|start| start == ancestor.start)
    };
    process::ancestors().find_map(|ancestor| {
        let mut runs_in_it =
            members.iter().filter(|member| member.session.manifest.stamps().any(|stamp| stamped(&ancestor, &stamp)));
        // A process that two manifests claim proves nothing.
        runs_in_it.next().filter(|_| runs_in_it.next().is_none()).cloned()
    })
}

/// The live sessions to be shown at a place, by way of the index. A folder or a file
/// that cannot be read shows nothing.
pub fn here(root: &Root, here: &Place, now: Timestamp) -> Vec<Member> {
    let Ok(folder) = root.active_folder() else { return Vec::new() };
    let sessions = index::sessions_at(root, &folder, here, now);
    let live = sessions.into_iter().filter(|session| session.liveness.counts());
    let member = |session: Session| {
        // The usual case, worth not walking to the root of the tree again.
        let at_root = Path::new(&session.manifest.path) == here.root;
        let place = if at_root { here.clone() } else { Place::of(Path::new(&session.manifest.path)) };
        Member::at(session, place, root)
    };
    shown_at(live.map(member).collect(), here)
}

/// One session by its id, whether its process runs or not; `None` where there is no manifest of it.
///
/// # Errors
/// Where its manifest cannot be read.
pub fn one(root: &Root, id: &SessionId) -> Result<Option<Member>> {
    let Ok(folder) = root.active_folder() else { return Ok(None) };
    let failed = |why| Error::new("reading a manifest", folder.path().join(id.file_name()).display(), why);
    Ok(active::read_one(&folder, id).map_err(failed)?.map(|session| Member::new(session, root)))
}

/// The conflict of a tree, as far as a prompt warns of it: its grade, and how many sessions work there. `members` are
/// the sessions that are in the tree, as [`here`] gives them; those that only write in it are added.
pub fn conflict(root: &Root, members: &[Member], here: &Place, now: Timestamp) -> Option<(Grade, usize)> {
    let mut guests = touched::guests(root, &here.root, now);
    guests.retain(|guest| members.iter().all(|member| member.session.id != *guest));
    let folder = if guests.is_empty() { None } else { root.active_folder().ok() };
    let guests: Vec<Session> = folder
        .iter()
        .flat_map(|folder| guests.iter().filter_map(|guest| active::read_one(folder, guest).ok().flatten()))
        .filter(|session| session.liveness.counts())
        .collect();
    // Where a guest was started is no concern of this tree's.
    let guests = guests.iter().map(|session| (&*session.manifest, Path::new(""), None));
    let members = members
        .iter()
        .map(|member| (&*member.session.manifest, &*member.place.root, member.place.repository.as_deref()));
    in_tree(members.chain(guests), &here.root, now)
}

/// The sessions to be shown at a place: those of its tree; without repository, those of the nearest folder above.
pub fn shown_at(members: Vec<Member>, here: &Place) -> Vec<Member> {
    let mut shown: Vec<Member> = members.into_iter().filter(|member| here.shows(&member.place)).collect();
    let nearest = shown.iter().map(|member| member.place.root.components().count()).max();
    shown.retain(|member| Some(member.place.root.components().count()) == nearest);
    shown
}

fn by_id(members: Vec<Member>, wanted: &str, typed: &str, now: Timestamp) -> Result<Member> {
    let doing = "finding a session";
    if let Some(exact) = members.iter().find(|member| member.session.id.as_str() == wanted) {
        return Ok(exact.clone());
    }
    let matching: Vec<Member> = members
        .into_iter()
        .filter(|member| !wanted.is_empty() && member.session.id.as_str().starts_with(wanted))
        .collect();
    if matching.is_empty() {
        let next = "type: ait sessions live --verbose";
        return Err(Error::new(doing, wanted, "no live session has this id").next(next).exit(Exit::NotFound));
    }
    only(matching, doing, wanted.to_owned(), typed, now)
}

/// The only candidate; where there are several, an error that lists what to type for each.
fn only(candidates: Vec<Member>, doing: &'static str, what: String, typed: &str, now: Timestamp) -> Result<Member> {
    if let [only] = candidates.as_slice() {
        return Ok(only.clone());
    }
    let ids: Vec<&str> = candidates.iter().map(|member| member.session.id.as_str()).collect();
    let mut next = "say which one:".to_owned();
    for member in &candidates {
        let id = shortest_unique(member.session.id.as_str(), &ids);
        next.push_str(&format!("\n  {typed} --session {id}   {}", member.in_short(now)));
    }
    let why = format!("{} live sessions answer to it", candidates.len());
    Err(Error::new(doing, what, why).next(next).exit(Exit::NotFound))
}

/// The first eight letters of an id, or as many more as it takes to mean it alone.
pub fn shortest_unique<'a>(id: &'a str, all: &[&str]) -> &'a str {
    (8..id.len())
        .filter_map(|length| id.get(..length))
        .find(|start| all.iter().filter(|other| other.starts_with(start)).count() == 1)
        .unwrap_or(id)
}
