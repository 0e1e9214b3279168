//! The sessions together with what else is known of them: where each works, and what Claude Code's own registry says.

use std::path::Path;
use std::rc::Rc;
use std::time::Duration;

use jiff::Timestamp;

use super::hookless::{self, Hookless};
use crate::claude::registry::Record;
use crate::context::Context;
use crate::error::{Error, Exit, Result, on_one_line};
use crate::git::{self, Head, HeadKind, Operation};
use crate::render::elapsed;
use crate::render::segment::Waiting;
use crate::render::theme::ColorChoice;
use crate::session::conflict::works_in;
use crate::session::event::{self, tool_of_dialog};
use crate::session::id::SessionId;
use crate::session::json_object::JsonFields;
use crate::session::manifest::{Manifest, ProcessStamp};
use crate::session::order::sort_by;
use crate::session::state::{INPUT, Need, ObservedState, State, StateSource, StatusReport, observe};
use crate::session::task::{self, TaskSource};
use crate::session::time::seconds_between;
use crate::store::active;
use crate::store::live::Liveness;
use crate::store::manifest_file::{Session, UnreadableManifest, read_session};
use crate::store::place::Place;
use crate::store::root::Root;
use crate::sys::{files, process};

/// One session, with its place and its state as both sources tell it.
#[derive(Clone, Debug)]
pub struct LiveSession {
    /// What is on disk.
    pub session: Session,
    /// The root it is in: that of this profile or of another one.
    pub root: Rc<Root>,
    /// Where it works.
    pub place: Place,
    /// What it does.
    pub observed: ObservedState,
    /// What is checked out there now, without the commit of a branch; `None` if only the manifest tells.
    pub head: Option<Head>,
    /// Whether the tree is dirty now; `None` if git was not asked or did not answer.
    pub dirty: Option<bool>,
    /// Whether it is a headless run; `None` if the client does not tell, or was not asked.
    pub headless: Option<bool>,
    /// Set if no hook has reported the session.
    pub hookless: Option<Rc<Hookless>>,
}

impl LiveSession {
    /// A session as it is now: since its last event, `/cd`, `/rename` or a checkout in another shell may have changed its
    /// folder, task or branch.
    fn new(mut session: Session, root: &Rc<Root>) -> LiveSession {
        let record = record_of(&session, root);
        let observed = state_by(&session, record.as_ref());
        hide_refused_task(&mut session.manifest, &observed);
        if let Some(record) = &record {
            follow_client(&mut session.manifest, record);
        }
        let manifest = &mut session.manifest;
        let path = Path::new(&manifest.path);
        // The recorded root has no symlinks in it: nothing is to be resolved at the root itself, which also exists then.
        let is_root = manifest.tree.as_ref().is_some_and(|tree| *tree == manifest.path);
        let place = if is_root { Place::of_resolved(path.to_owned()) } else { Place::of(path) };
        let exists = || (is_root && place.root == path) || files::is_folder(path);
        // A manifest without a tree was written by another program, and says what that program knows.
        let tree = place.tree.as_ref().filter(|_| manifest.tree.is_some() && exists());
        let head = tree.map(|tree| tree.head_for_display()).filter(|head| head.kind != HeadKind::Unknown);
        if let Some(head) = &head {
            manifest.git_branch.clone_from(&head.branch);
        }
        // Without a tree git cannot be asked, and nothing else is known.
        let dirty = manifest.git_dirty.filter(|_| manifest.tree.is_none() && place.tree.is_none());
        // The manifest is about the session, the record about this run of it.
        let headless = record.as_ref().and_then(Record::is_headless).or(session.manifest.headless.then_some(true));
        LiveSession { headless, head, dirty, ..LiveSession::with(session, place, observed, root) }
    }

    /// A session as its last event recorded it.
    pub(super) fn at(mut session: Session, place: Place, root: &Rc<Root>) -> LiveSession {
        let observed = state_of(&session, root);
        hide_refused_task(&mut session.manifest, &observed);
        LiveSession::with(session, place, observed, root)
    }

    fn with(session: Session, place: Place, observed: ObservedState, root: &Rc<Root>) -> LiveSession {
        let root = Rc::clone(root);
        LiveSession { session, root, place, observed, head: None, dirty: None, headless: None, hookless: None }
    }

    /// What is checked out, for people: `main`, `feat/login|rebase`, `v1@1a2b3c4`, `1a2b3c4`.
    pub fn branch(&self) -> Option<String> {
        let manifest = &self.session.manifest;
        let Some(head) = &self.head else {
            return manifest.git_branch.clone().or_else(|| Some(manifest.head.as_deref()?.get(..7)?.to_owned()));
        };
        let operation = head.operation.map(|operation| format!("|{}", operation.as_str())).unwrap_or_default();
        Some(format!("{}{operation}", head.display()?))
    }

    /// Asks git whether the tree is dirty.
    pub fn ask_dirty(&mut self, limit: Duration) {
        if let Some(tree) = self.place.tree.as_ref().filter(|_| !limit.is_zero()) {
            self.dirty = git::status(tree, limit).map(|status| status.dirty);
        }
    }

    /// How urgently and since when it waits for its user, to order sessions by: blocked before finished, the longest first.
    pub fn urgency(&self, now: Timestamp) -> Option<(Need, Timestamp)> {
        Some((self.observed.need()?, self.observed.since.unwrap_or(now)))
    }

    /// What a segment shows of its waiting. `whose`: the project, if the segment does not name it already.
    pub(super) fn waiting<'a>(&'a self, whose: Option<&'a str>, now: Timestamp) -> Option<Waiting<'a>> {
        let (_, since) = self.urgency(now)?;
        let failed = self.observed.state == State::Error;
        let error = self.observed.turn_error.as_deref().unwrap_or("error");
        let for_what = if failed { error } else { self.observed.waiting_for.as_deref().unwrap_or(INPUT) };
        Some(Waiting { for_what, failed, seconds: seconds_between(since, now), whose })
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
pub(crate) fn json(live_session: &LiveSession, now: Timestamp) -> JsonFields {
    let mut fields = ended_json(&live_session.session.manifest, now);
    if let Some(tree) = live_session.place.tree.as_ref().filter(|_| live_session.head.is_some()) {
        fields.set("head", &tree.head_as_found().commit);
    }
    // The manifest's value is as old as the start of the session.
    fields.set("git_dirty", &live_session.dirty);
    fields.set("git_operation", &live_session.head.as_ref().and_then(|head| head.operation).map(Operation::as_str));
    fields.set("state", &live_session.observed.state);
    fields.set("state_since", &live_session.observed.since);
    fields.set("waiting_for", &live_session.observed.waiting_for);
    fields.set("turn_finished", &live_session.observed.is_finished());
    fields.set("turn_error", &live_session.observed.turn_error);
    fields.set("state_source", &live_session.observed.source);
    fields.set("live", &live_session.session.counts(now));
    fields.set("liveness", &live_session.session.liveness.as_str());
    fields.set("headless", &live_session.headless);
    fields.set("hookless", &live_session.hookless.is_some());
    fields
}

/// A session of history as `--json` shows it.
pub(crate) fn ended_json(manifest: &Manifest, now: Timestamp) -> JsonFields {
    let mut fields = manifest.json_fields();
    fields.set("elapsed_seconds", &manifest.elapsed_seconds(now));
    fields
}

/// The state of a session, out of what its hooks told and what Claude Code's registry says now.
pub fn state_of(session: &Session, root: &Root) -> ObservedState {
    state_by(session, record_of(session, root).as_ref())
}

/// Claude Code's record of the process that runs the session.
fn record_of(session: &Session, root: &Root) -> Option<Record> {
    session.manifest.pid.and_then(|pid| root.record_of(pid, session.manifest.pid_start))
}

/// Hides a task whose prompt the client never worked on: a hook of the user refused it, or Esc came at once.
fn hide_refused_task(manifest: &mut Manifest, observed: &ObservedState) {
    let is_idle_since = observed.state == State::Idle && observed.source == StateSource::Registry;
    if manifest.task_unconfirmed && is_idle_since && observed.since > manifest.state_since {
        manifest.task = None;
    }
}

/// Takes over what the client knows and no event has told yet.
fn follow_client(manifest: &mut Manifest, record: &Record) {
    if record.session_id != manifest.session_id {
        return;
    }
    // The client's folder only differs from that of the start if the user or Claude changed it; the next event then names
    // the new one. Otherwise events are more exact: they follow a `cd` in the Bash tool.
    if let Some(folder) = record.folder.as_ref().filter(|folder| Path::new(folder).is_absolute())
        && manifest.started_in.as_ref().is_some_and(|started_in| started_in != folder)
        && !Path::new(&manifest.path).starts_with(folder)
    {
        manifest.path.clone_from(folder);
        manifest.project = Place::of(Path::new(folder)).project();
    }
    let is_replaceable = match manifest.task_source {
        None => manifest.task.is_none(),
        Some(source) => source <= TaskSource::Title,
    };
    if record.is_named_by_user
        && is_replaceable
        && let Some(title) = record.name.as_deref().and_then(task::shorten)
    {
        manifest.task = Some(title);
        manifest.task_source = Some(TaskSource::Title);
        manifest.task_unconfirmed = false;
    }
}

fn state_by(session: &Session, record: Option<&Record>) -> ObservedState {
    let manifest = &session.manifest;
    if session.is_stopped {
        // Nothing records when it was stopped.
        let (state, source) = (State::Stopped, StateSource::Process);
        return ObservedState { state, since: None, waiting_for: None, source, heard: None, ..told_by_hooks(manifest) };
    }
    match record.and_then(|record| report_of(session, record)) {
        None if has_gone_on(manifest) => {
            ObservedState { state: State::Unknown, since: None, waiting_for: None, ..told_by_hooks(manifest) }
        }
        report => observe(told_by_hooks(manifest), report),
    }
}

/// The status that a record gives for this session; `None` if the record is of another process or session.
fn report_of(session: &Session, record: &Record) -> Option<StatusReport> {
    let manifest = &session.manifest;
    let same_process =
        record.process_start.is_none() || manifest.pid_start.is_none() || record.process_start == manifest.pid_start;
    let mut report = record.report().filter(|_| same_process && record.session_id == session.id.as_str())?;
    // The client says that it asks for a permission; the hooks know for which tool.
    if report.waiting_for.as_deref() == Some("permission")
        && let Some(tool) = tool_of_dialog(manifest, manifest.updated, report.since)
    {
        report.waiting_for = Some(event::permission_for(tool));
    }
    Some(report)
}

/// Whether Claude Code wrote into the conversation after its hooks said that a dialog is open: then it was answered, and
/// for most tools no event says so. Only asked without a registry, which knows.
fn has_gone_on(manifest: &Manifest) -> bool {
    // The writing that belongs to the event itself is done within this.
    const SLACK: u64 = 2;
    let is_dialog = manifest.state == State::Waiting && manifest.waiting_for.as_deref() != Some(INPUT);
    let later = |heard| last_written(manifest).is_some_and(|written| seconds_between(heard, written) > SLACK);
    is_dialog && manifest.updated.is_some_and(later)
}

/// When Claude Code last wrote into the conversation.
pub(super) fn last_written(manifest: &Manifest) -> Option<Timestamp> {
    let meta = files::metadata(Path::new(manifest.transcript_path.as_deref()?)).ok()?;
    Timestamp::from_nanosecond(meta.modified).ok()
}

fn told_by_hooks(manifest: &Manifest) -> ObservedState {
    ObservedState {
        state: manifest.state,
        since: manifest.state_since,
        waiting_for: manifest.waiting_for.clone(),
        finished: manifest.turn_finished,
        turn_error: manifest.turn_error.clone(),
        source: StateSource::Hook,
        heard: manifest.updated,
    }
}

/// The live sessions of all profiles, and what else lies with them.
#[derive(Clone, Debug, Default)]
pub struct LiveSessions {
    /// The live ones, the oldest start first.
    pub live_sessions: Vec<LiveSession>,
    /// How many others there are in this profile, whose process is gone.
    pub stale: usize,
    /// Manifests that could not be read.
    pub broken: Vec<UnreadableManifest>,
    /// How many manifests belong to other users, and are not read.
    pub foreign: usize,
}

/// The live sessions with every field of their manifests, and the place of each as it is now.
///
/// # Errors
/// Where the folder cannot be read.
pub fn gather(root: &Root, now: Timestamp) -> Result<LiveSessions> {
    gather_by(root, now, LiveSession::new)
}

fn gather_by(root: &Root, now: Timestamp, live_session: fn(Session, &Rc<Root>) -> LiveSession) -> Result<LiveSessions> {
    let mut all = LiveSessions::default();
    let roots = root.with_profiles();
    for (position, root) in roots.iter().enumerate() {
        let mut stale = 0;
        let read = active::read_where(root, |session| {
            stale += usize::from(session.liveness == Liveness::Stale);
            session.liveness != Liveness::Stale
        });
        let active = match read {
            // Another profile must not hide the sessions of this one.
            Err(error) if position > 0 => {
                all.broken.push(UnreadableManifest { path: root.active(), why: error.to_string() });
                continue;
            }
            read => read?,
        };
        if position == 0 {
            all.stale = stale;
        }
        all.broken.extend(active.broken);
        all.foreign += active.foreign;
        let live = active.sessions.into_iter().filter(|session| session.counts(now));
        all.live_sessions.extend(live.map(|session| live_session(session, root)));
    }
    let known: Vec<&Session> = all.live_sessions.iter().map(|live_session| &live_session.session).collect();
    let hookless = hookless::find(root, &known);
    let has_hookless = !hookless.is_empty();
    all.live_sessions.extend(hookless.into_iter().map(|(session, root, hookless)| LiveSession {
        headless: hookless.is_headless(),
        hookless: Some(Rc::new(hookless)),
        ..live_session(session, &root)
    }));
    if roots.len() > 1 || has_hookless {
        keep_one_of_each(&mut all.live_sessions);
        sort_by(&mut all.live_sessions, |one, other| active::by_age(&one.session, &other.session));
    }
    Ok(all)
}

/// A conversation that was resumed under another profile has a manifest in both: that of the reader's own profile stays.
pub(super) fn keep_one_of_each(live_sessions: &mut Vec<LiveSession>) {
    let mut ids: Vec<SessionId> = Vec::new();
    live_sessions.retain(|live_session| {
        let is_first = !ids.contains(&live_session.session.id);
        ids.push(live_session.session.id.clone());
        is_first
    });
}

/// The live sessions to be listed, the place of each as its last event recorded it.
///
/// # Errors
/// Where the folder cannot be read.
pub fn overview(root: &Root, now: Timestamp) -> Result<LiveSessions> {
    gather_by(root, now, |session, root| {
        let place = Place::recorded(&session.manifest);
        LiveSession::at(session, place, root)
    })
}

/// The current session: the one named by `--session` (its id, or the start of it); else, inside Claude Code's own
/// shell, the one that runs it; else the live session of this tree. With it comes a remark about manifests that were
/// ignored, if any.
///
/// # Errors
/// Exit code 2 if no session has that id, or several match; exit code 1 if none is here.
pub fn current(context: &Context, wanted: Option<&str>, typed: &str) -> Result<(LiveSession, Option<String>)> {
    let LiveSessions { live_sessions, foreign, .. } = gather(context.root()?, context.now)?;
    let ignored = (foreign > 0).then(|| super::foreign_ignored(foreign));
    Ok((current_of(live_sessions, context, wanted, typed)?, ignored))
}

fn current_of(
    live_sessions: Vec<LiveSession>,
    context: &Context,
    wanted: Option<&str>,
    typed: &str,
) -> Result<LiveSession> {
    let now = context.now;
    if let Some(wanted) = wanted {
        return by_id(live_sessions, wanted, typed, now);
    }
    if let Some(inside) = inside(context, &live_sessions) {
        return Ok(inside);
    }
    let folder = context.folder()?;
    let here = Place::of(&folder);
    let candidates = shown_at(live_sessions, &here);
    let shown = context.ui(ColorChoice::Never).path(&folder);
    match candidates.len() {
        0 => Err(Error::new("finding the current session", shown, "no live session works in this folder")
            .hint("type: ait sessions live")),
        _ => only(candidates, "finding the current session", shown, typed, now),
    }
}

/// The session whose shell this is: by the id that newer clients hand down, else by the nearest ancestor that is
/// stamped in a manifest.
fn inside(context: &Context, live_sessions: &[LiveSession]) -> Option<LiveSession> {
    if let Some(id) = context.variable("CLAUDE_CODE_SESSION_ID")
        && let Some(live_session) = live_sessions.iter().find(|live_session| live_session.session.id.as_str() == id)
    {
        return Some(live_session.clone());
    }
    let stamped = |ancestor: &process::Process, stamp: &ProcessStamp| {
        stamp.pid == ancestor.pid && stamp.start.is_none_or(|start| start == ancestor.start)
    };
    process::ancestors().find_map(|ancestor| {
        let mut runs_in_it = live_sessions
            .iter()
            .filter(|live_session| live_session.session.manifest.stamps().any(|stamp| stamped(&ancestor, &stamp)));
        // A process that two manifests claim proves nothing.
        runs_in_it.next().filter(|_| runs_in_it.next().is_none()).cloned()
    })
}

/// One session of this profile by its id, whether or not its process runs; `None` if it has no manifest.
///
/// # Errors
/// Where its manifest cannot be read.
pub fn one(root: &Root, id: &SessionId) -> Result<Option<LiveSession>> {
    let Ok(folder) = root.active_folder() else { return Ok(None) };
    let failed = |why| Error::new("reading a manifest", folder.path().join(id.file_name()).display(), why);
    Ok(read_session(&folder, id).map_err(failed)?.map(|mut session| {
        if let Some(record) = record_of(&session, root) {
            follow_client(&mut session.manifest, &record);
        }
        let place = Place::recorded(&session.manifest);
        LiveSession::at(session, place, &Rc::new(root.clone()))
    }))
}

/// The sessions to be shown at a place: those of its tree; without repository, those of the nearest folder above.
pub fn shown_at(live_sessions: Vec<LiveSession>, here: &Place) -> Vec<LiveSession> {
    let mut shown: Vec<LiveSession> =
        live_sessions.into_iter().filter(|live_session| here.shows(&live_session.place)).collect();
    let nearest = shown.iter().map(|live_session| live_session.place.root.components().count()).max();
    shown.retain(|live_session| Some(live_session.place.root.components().count()) == nearest);
    shown
}

fn by_id(live_sessions: Vec<LiveSession>, wanted: &str, typed: &str, now: Timestamp) -> Result<LiveSession> {
    let doing = "finding a session";
    if let Some(exact) = live_sessions.iter().find(|live_session| live_session.session.id.as_str() == wanted) {
        return Ok(exact.clone());
    }
    let matching: Vec<LiveSession> = live_sessions
        .into_iter()
        .filter(|live_session| !wanted.is_empty() && live_session.session.id.as_str().starts_with(wanted))
        .collect();
    if matching.is_empty() {
        let next = "type: ait sessions live --verbose";
        return Err(Error::new(doing, wanted, "no live session with this id").hint(next).exit(Exit::NotFound));
    }
    only(matching, doing, wanted.to_owned(), typed, now)
}

/// The only candidate; where there are several, an error that lists what to type for each.
fn only(
    candidates: Vec<LiveSession>,
    doing: &'static str,
    what: String,
    typed: &str,
    now: Timestamp,
) -> Result<LiveSession> {
    if let [only] = candidates.as_slice() {
        return Ok(only.clone());
    }
    let ids: Vec<&str> = candidates.iter().map(|live_session| live_session.session.id.as_str()).collect();
    let mut next = "choose one with --session:".to_owned();
    for live_session in &candidates {
        let id = shortest_unique(live_session.session.id.as_str(), &ids);
        next.push_str(&format!("\n  {typed} --session {id}   {}", live_session.in_short(now)));
    }
    let why = format!("{} live sessions match", candidates.len());
    Err(Error::new(doing, what, why).hint(next).exit(Exit::NotFound))
}

/// The first eight letters of an id, or as many more as it takes to mean it alone.
pub fn shortest_unique<'a>(id: &'a str, all: &[&str]) -> &'a str {
    (8..id.len())
        .filter_map(|length| id.get(..length))
        .find(|start| all.iter().filter(|other| other.starts_with(start)).count() == 1)
        .unwrap_or(id)
}
