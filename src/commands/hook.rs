//! `ait hook NAME`: what Claude Code runs at each event. A fast command.
//!
//! Payload -> event context -> manifest -> disk. On any error the exit code is 0 and nothing is printed:
//! Claude Code takes exit code 2 as an order to block, and shows the rest to the user. The reason goes to the log.

use std::path::{Path, PathBuf};
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use jiff::Timestamp;

use super::live_sessions::last_written;
use super::session_start::{LOCK_TIMEOUT, after_start};
use super::{Run, hook_response, late_event, log_error, notify, plugin, record_commits, record_upstream, team};
use crate::claude::client::{is_client, is_headless};
use crate::claude::payload::HookPayload;
use crate::claude::registry::Record;
use crate::claude::settings::EVENTS;
use crate::claude::start_options::StartOptions;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::git::{self, HeadKind};
use crate::report::Report;
use crate::session::activity::Kind;
use crate::session::event::{Dialog, Event, EventContext, Outcome};
use crate::session::head::{self, Change};
use crate::session::id::SessionId;
use crate::session::manifest::{HeadMoved, Manifest, ProcessStamp};
use crate::session::silent_change;
use crate::session::state::{SAME_MOMENT, Status, StatusReport};
use crate::session::task;
use crate::session::upstream::Upstream;
use crate::store::lifecycle::{self, Known};
use crate::store::place::Place;
use crate::store::root::Root;
use crate::store::{event_log, live, write_log};
use crate::sys::fd;
use crate::sys::files::Folder;
use crate::sys::process::{self, Process};

/// record an event (Claude Code runs this, with JSON on standard input)
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(subcommand, name = "hook", help_triggers("-h", "--help"), example = "  ait hook session-register < event.json")]
pub struct Hook {
    /// session-register or session-cleanup
    #[argh(positional)]
    name: Option<String>,
    /// called by the Claude Code plugin: do nothing if the settings call ait too
    #[argh(switch)]
    plugin: bool,
}

/// After a write a payload contains the whole file; larger files are not edited.
const PAYLOAD_LIMIT: usize = 32 << 20;
/// How long git may take to tell whether a tree is dirty. Claude Code gives all SessionEnd hooks together 1.5 s.
const GIT_LIMIT: Duration = Duration::from_millis(400);

impl Run for Hook {
    /// Records one event. The event in the payload decides, not the name: a cleanup hook under `Stop` must not
    /// archive.
    ///
    /// # Errors
    /// If the event cannot be read, or not be written down.
    fn run(&self, context: &Context) -> Result<Report> {
        if context.stdin_is_terminal {
            let name = self.name.as_deref().unwrap_or("session-register");
            let remark = match is_known(name) {
                true => format!("ait hook {name} is run by Claude Code; to install it, type: ait hooks install"),
                false => format!("unknown hook `{name}`; the hooks are session-register and session-cleanup"),
            };
            return Ok(Report::nothing().remark(remark));
        }
        if let Some(name) = self.name.as_deref().filter(|_| self.plugin)
            && plugin::settings_have(context, name)
        {
            // Claude Code is still writing; it must not meet a closed pipe.
            let _ = fd::read_stdin(PAYLOAD_LIMIT);
            return Ok(Report::nothing());
        }
        take_event(context).or_else(|error| {
            // A wrong name does not matter while events come, and is the likely reason if none does.
            let name = self.name.as_deref().filter(|name| !is_known(name));
            let of = name.map(|name| format!(" {name:.80}")).unwrap_or_default();
            log_error(context, &format!("hook{of}"), &error);
            Ok(Report::nothing())
        })
    }

    fn fast(&self) -> Option<&'static str> {
        Some("hook")
    }
}

fn is_known(name: &str) -> bool {
    matches!(name, "session-register" | "session-cleanup")
}

/// The parts of a payload, and its session.
fn parse_payload(bytes: &[u8]) -> Result<(HookPayload, SessionId)> {
    let doing = "recording an event";
    let payload = HookPayload::parse(bytes).map_err(|why| Error::new(doing, "standard input", why))?;
    let id = SessionId::parse(&payload.session_id)
        .ok_or_else(|| Error::new(doing, format!("{:.80?}", payload.session_id), "not a session id"))?;
    match payload.event.is_empty() {
        true => Err(Error::new(doing, id, "no hook_event_name")),
        false => Ok((payload, id)),
    }
}

fn take_event(context: &Context) -> Result<Report> {
    let (root, now) = (context.root()?, context.now);
    let bytes = fd::read_stdin(PAYLOAD_LIMIT).map_err(|why| Error::new("recording an event", "standard input", why))?;
    let (payload, id) = parse_payload(&bytes)?;
    // Of the events that we register; a name from outside must not fill the cache.
    if EVENTS.iter().any(|each| each.event == payload.event) {
        event_log::mark_seen(root, &payload.event);
    }
    root.remember();
    let process = process_of(context, &payload);
    match record_event(context, &bytes, &payload, &id, process.as_ref(), None) {
        Err(error) if lifecycle::is_busy(&error) => {
            late_event::hand_over(context, &id, &bytes, process.as_ref())?;
            let write = hook_response::write_of(root, &id, &payload, now);
            Ok(hook_response::at_event(context, &payload, write.as_ref(), &place_of(&payload), None))
        }
        done => done,
    }
}

/// The job that records an event which a hook left to it, see [`late_event`].
///
/// # Errors
/// If the event cannot be read, or not be written down.
pub(super) fn record_late(context: &Context, arguments: &[String]) -> Result<()> {
    let Some(late) = late_event::read(context, arguments)? else { return Ok(()) };
    let (payload, id) = parse_payload(&late.payload)?;
    record_event(context, &late.payload, &payload, &id, late.process.as_ref(), Some(late.at))?;
    late.forget()
}

fn place_of(payload: &HookPayload) -> Place {
    let folder = payload.folder.as_deref().map(PathBuf::from).filter(|folder| folder.is_absolute());
    folder.map_or_else(Place::here, |folder| Place::of(&folder))
}

/// Records an event. `late`: when it happened, if this is not the hook itself; then the hook had no patience for the lock.
fn record_event(
    context: &Context,
    bytes: &[u8],
    payload: &HookPayload,
    id: &SessionId,
    process: Option<&Process>,
    late: Option<Timestamp>,
) -> Result<Report> {
    let timeout = if late.is_some() { lifecycle::UNLOCKED_AFTER } else { LOCK_TIMEOUT };
    let root = context.root()?;
    let mut event = payload.happened();
    let place = place_of(payload);
    let mut event_context = event_context(context, payload, &event, process, &place);
    if payload.event == "Notification" {
        event_context.report = report(root, id, &event_context);
        event = confirmed(event, event_context.report.as_ref());
    }
    let write = hook_response::write_of(root, id, payload, context.now);
    let file_write = write
        .as_ref()
        .filter(|_| event == Event::ToolEnd)
        .map(|write| hook_response::file_write_of(write, &place, &mut event_context));

    // Only a resumed session leaves history; another event that comes late must find it there.
    let returning = payload.source.as_deref() == Some("resume") || !matches!(event, Event::Start { .. });
    let folder = root.open_active()?;
    let known = Known::read(root, &folder, id, returning)?;
    let gathered = gather(root, id, known.manifest(), payload, &event, &mut event_context);
    let done = lifecycle::update(root, &folder, id, known, timeout, |manifest, is_known| {
        let was_blocked = is_blocked(manifest);
        event_context.is_overtaken = late.is_some() && manifest.updated > late;
        let by_user = head::is_users_command(manifest, &event);
        let moved_from = manifest.head.clone().unwrap_or_default();
        let change = notice_head(manifest, payload, &event, &event_context, gathered.moved_by);
        let outcome = apply_event(manifest, is_known, id, &event, &event_context, gathered.record.as_ref());
        let write = write.as_ref().zip(file_write.as_ref()).filter(|_| outcome == Outcome::Keep);
        let due = write.map(|(write, file_write)| write_log::append(&folder, id, file_write, write));
        let moved = if can_tell(payload) { manifest.head_moved.take() } else { None };
        let mine = (change == Change::Own).then(|| manifest.clone());
        let moved_from = Some(moved_from).filter(|_| change != Change::None && !by_user);
        let blocked = (!was_blocked && is_blocked(manifest)).then(|| manifest.clone());
        let upstream = manifest.git_upstream.clone();
        Ok((outcome, Done { outcome, moved, mine, moved_from, due, blocked, upstream }))
    })?;
    done.compact(context, root, id, &folder);
    if matches!(event, Event::Start { .. } | Event::End { .. }) {
        team::after_session(context, place.repository.as_deref());
    }
    if let Some(from) = &done.moved_from {
        record_commits::after_event(context, id, &event, &event_context, from, done.mine.is_some(), bytes);
    }
    if done.outcome != Outcome::Keep {
        return Ok(Report::nothing());
    }
    let (tree, upstream) = (place.tree.as_deref(), done.upstream.as_deref());
    record_upstream::after_event(context, id, &event, (payload, bytes), tree, upstream);
    done.tell(context, root, id, &event_context);
    match event {
        Event::Start { .. } | Event::Compacted => Ok(after_start(context, root, id, payload, &place, &event_context)),
        _ => Ok(hook_response::at_event(context, payload, write.as_ref(), &place, done.moved.as_deref())),
    }
}

/// What the change needs and must not look up under the lock.
struct Gathered {
    /// Claude Code's record of the process, if it decides whether the event counts.
    record: Option<Record>,
    /// Who moved HEAD, if it was not this session.
    moved_by: Option<HeadMoved>,
}

fn gather(
    root: &Root,
    id: &SessionId,
    known: Option<&Manifest>,
    payload: &HookPayload,
    event: &Event,
    event_context: &mut EventContext,
) -> Gathered {
    // It costs as much as reading four manifests, and never changes for a process.
    let recorded = known.filter(|manifest| manifest.stamps().next().as_ref() == event_context.process.as_ref());
    event_context.pid_namespace = recorded.and_then(|manifest| manifest.pid_namespace).or_else(process::pid_namespace);
    let starts_or_ends = matches!(event, Event::Start { .. } | Event::End { .. });
    let is_in_doubt = !starts_or_ends && known.is_none_or(|manifest| manifest.ended.is_some());
    let prompts_again = matches!(event, Event::Prompt(_)) && known.is_some_and(|manifest| manifest.task_unconfirmed);
    let may_have_changed = !event_context.from_subagent
        && known.is_some_and(|manifest| silent_change::is_possible(manifest, event, event_context.now));
    let process = event_context.process.as_ref().filter(|_| is_in_doubt || prompts_again || may_have_changed);
    let record = process.and_then(|process| root.record_of(process.pid, process.start));
    let Some(manifest) = known else { return Gathered { record, moved_by: None } };
    if may_have_changed {
        let ours = record.as_ref().filter(|record| record.session_id == id.as_str());
        let report = ours.and_then(Record::report);
        event_context.silent_change =
            silent_change::find(manifest, event, report.as_ref(), last_written(manifest), event_context.now);
    }
    event_context.last_prompt_failed =
        record.as_ref().is_some_and(|record| prompts_again && was_idle(record, id, manifest));
    keep_known(event_context, manifest);
    let is_foreign =
        head_change(manifest, payload, event, event_context) == Change::Foreign && manifest.head_moved.is_none();
    let moved_by = if is_foreign { hook_response::find_mover(root, id, manifest, event_context) } else { None };
    Gathered { record, moved_by }
}

/// Whether the client was idle after the prompt that a session works on by its hooks. The client may have become busy with
/// the next one, so a later change of its status counts too.
fn was_idle(record: &Record, id: &SessionId, manifest: &Manifest) -> bool {
    let prompted = manifest.state_since.map(|since| since.as_second() + SAME_MOMENT);
    let has_changed = record.status_since.map(Timestamp::as_second) > prompted && prompted.is_some();
    let is_idle = record.report().is_some_and(|report| report.status == Status::Idle);
    record.session_id == id.as_str() && (is_idle || has_changed)
}

fn is_blocked(manifest: &Manifest) -> bool {
    Kind::of(manifest.state, manifest.waiting_for.as_deref()) == Some(Kind::Blocked)
}

/// What came of an event.
struct Done {
    outcome: Outcome,
    /// Another session moved HEAD, and now Claude is told.
    moved: Option<Box<HeadMoved>>,
    /// This session moved HEAD; the others are to hear of it.
    mine: Option<Manifest>,
    /// HEAD moved from this commit (empty: from none), and not by a command of the user.
    moved_from: Option<String>,
    /// The session has become blocked.
    blocked: Option<Manifest>,
    /// How far its branch and the upstream are apart, when it was last counted.
    upstream: Option<Box<Upstream>>,
    /// The logs that have become worth compacting, if the event was a write.
    due: Option<std::io::Result<Vec<write_log::Due>>>,
}

impl Done {
    /// Tells the other sessions in the tree that HEAD moved, and the user that this one is blocked.
    fn tell(&self, context: &Context, root: &Root, id: &SessionId, event_context: &EventContext) {
        if let Some(mine) = &self.mine {
            hook_response::notify_siblings(root, id, mine, event_context, LOCK_TIMEOUT);
        }
        if let Some(manifest) = &self.blocked {
            notify::blocked(context, root, manifest);
        }
    }

    fn compact(&self, context: &Context, root: &Root, id: &SessionId, folder: &Folder) {
        match &self.due {
            Some(Ok(due)) => write_log::compact(root, folder, due, context.now),
            Some(Err(why)) => log_error(context, "hook", &Error::new("recording a write", id, why.to_string())),
            None => {}
        }
    }
}

/// Whether Claude itself, and not one of its sub-agents, hears what is said at this event.
fn can_tell(payload: &HookPayload) -> bool {
    let heard = matches!(payload.event.as_str(), "UserPromptSubmit" | "PreToolUse" | "PostToolUse");
    heard && payload.agent_id.is_none()
}

/// Whether HEAD moved since the last event of this session, and through whom.
fn head_change(manifest: &Manifest, payload: &HookPayload, event: &Event, event_context: &EventContext) -> Change {
    let ended = payload.tool.as_deref().filter(|_| *event == Event::ToolEnd);
    let shell_ran = [manifest.tool.as_deref(), ended].into_iter().flatten().any(hook_response::is_shell_tool);
    head::change(manifest, event_context, shell_ran || head::is_users_command(manifest, event))
}

fn notice_head(
    manifest: &mut Manifest,
    payload: &HookPayload,
    event: &Event,
    event_context: &EventContext,
    moved_by: Option<HeadMoved>,
) -> Change {
    let change = head_change(manifest, payload, event, event_context);
    if change == Change::Foreign || manifest.head_moved.is_some() {
        head::record_move(manifest, event_context, || moved_by);
    }
    change
}

/// Applies the event, unless it comes too late or belongs to an unknown session. `record` is Claude Code's record of the
/// process.
fn apply_event(
    manifest: &mut Manifest,
    is_known: bool,
    id: &SessionId,
    event: &Event,
    event_context: &EventContext,
    record: Option<&Record>,
) -> Outcome {
    let ours = record.filter(|record| record.session_id == id.as_str());
    let ended = manifest.ended.is_some();
    match event {
        // The end of a session that was never registered is nothing to remember; an end that was taken stays.
        Event::End { .. } if !is_known || ended => return Outcome::Ignore,
        Event::Start { .. } | Event::End { .. } => {}
        // A slow hook that comes after the end: its process runs another session by now, or none.
        _ if ended && ours.is_none() => return Outcome::Ignore,
        // Hooks were installed while it ran; the client knows since when.
        _ if !is_known => manifest.started = ours.and_then(|record| record.started),
        _ => {}
    }
    event.apply(manifest, event_context, live::runs)
}

fn event_context(
    context: &Context,
    payload: &HookPayload,
    event: &Event,
    process: Option<&Process>,
    place: &Place,
) -> EventContext {
    let (tmux_pane, tmux_socket) = tmux_of(context, process);
    let starts = matches!(event, Event::Start { .. });
    let command_line = process.filter(|_| starts).and_then(|process| process::command_line(process.pid));
    let mut event_context = EventContext {
        now: context.now,
        process: process.map(|process| ProcessStamp { pid: process.pid, start: Some(process.start) }),
        boot_id: process::boot_id().map(str::to_owned),
        pid_namespace: None,
        is_headless: context.variable("CLAUDE_CODE_ENTRYPOINT").is_some_and(|entrypoint| is_headless(&entrypoint)),
        tmux_pane,
        tmux_socket,
        start_options: command_line.map(|words| start_options(&words)).unwrap_or_default(),
        user: context.variable("USER").or_else(|| context.variable("LOGNAME")),
        host: Some(process::host().to_owned()),
        folder: payload.folder.clone().unwrap_or_else(|| place.root.to_string_lossy().into_owned()),
        tree: place.tree.as_ref().map(|tree| tree.root.to_string_lossy().into_owned()),
        repository: place.repository.as_deref().map(|folder| folder.to_string_lossy().into_owned()),
        wrote: None,
        overlaps: Vec::new(),
        project: place.project(),
        branch: None,
        head: None,
        dirty: None,
        title: payload.title.clone(),
        scheduled_prompts: payload
            .scheduled
            .as_ref()
            .map(|prompts| task::scheduled(prompts.iter().map(String::as_str))),
        last_prompt_failed: false,
        transcript_path: payload.transcript_path.clone(),
        report: None,
        silent_change: None,
        from_subagent: payload.agent_id.is_some(),
        is_overtaken: false,
    };
    if let Some(tree) = &place.tree {
        let head = tree.head_as_found();
        let ask = matches!(event, Event::Start { .. } | Event::End { .. });
        let status = if ask { git::status(tree, GIT_LIMIT) } else { None };
        event_context.dirty = status.as_ref().map(|status| status.dirty);
        (event_context.branch, event_context.head) = match (head.kind, status) {
            (HeadKind::Unknown, Some(status)) => (status.branch, status.commit),
            _ => (head.branch, head.commit),
        };
    }
    event_context
}

fn start_options(command_line: &[String]) -> Vec<String> {
    StartOptions::parse(command_line.iter().skip(1).map(String::as_str)).words()
}

/// The tmux pane of the session, and the socket of its server. An editor that was started in tmux passes both variables on to
/// terminals of its own, so the server must be an ancestor of the session's process.
fn tmux_of(context: &Context, process: Option<&Process>) -> (Option<String>, Option<String>) {
    let (pane, tmux) = (context.variable("TMUX_PANE"), context.variable("TMUX"));
    // tmux(1): the socket, the server's pid and the number of the session, separated by commas.
    let mut parts = tmux.as_deref().unwrap_or_default().rsplitn(3, ',').skip(1);
    let server: Option<u32> = parts.next().and_then(|pid| pid.parse().ok());
    if let (Some(process), Some(server)) = (process, server)
        && !process::ancestors_of(process).any(|ancestor| ancestor.pid == server)
    {
        return (None, None);
    }
    (pane, parts.next().map(str::to_owned))
}

/// The status of the session in the client's own record.
fn report(root: &Root, id: &SessionId, event_context: &EventContext) -> Option<StatusReport> {
    let process = event_context.process.as_ref()?;
    let record = root.record_of(process.pid, process.start)?;
    record.report().filter(|_| record.session_id == id.as_str())
}

/// The event that a notification stands for: the client's record tells whether a dialog is open.
fn confirmed(event: Event, report: Option<&StatusReport>) -> Event {
    let Some(report) = report else { return event };
    match (event, report.status) {
        (event @ Event::DialogOpen(_), Status::Waiting) => event,
        (_, Status::Waiting) if report.waiting_for.as_deref() == Some("permission") => {
            Event::DialogOpen(Dialog::Permission)
        }
        (_, Status::Waiting) => Event::DialogOpen(Dialog::Question),
        // It was answered in the meantime.
        (Event::DialogOpen(_), Status::Busy | Status::Idle) | (Event::NobodyTyped, Status::Busy) => Event::Other,
        (event, _) => event,
    }
}

/// If HEAD cannot be read, what was known of the tree stays.
fn keep_known(event_context: &mut EventContext, manifest: &Manifest) {
    let same_tree = event_context.tree.as_ref().is_some_and(|tree| Path::new(&manifest.path).starts_with(tree));
    if same_tree && event_context.branch.is_none() && event_context.head.is_none() {
        event_context.branch.clone_from(&manifest.git_branch);
        event_context.head.clone_from(&manifest.head);
    }
}

/// The process that runs the session: the one that the client names, where it is this very session that it names
/// (an older client inside a newer one inherits both); else the nearest ancestor that is a client.
fn process_of(context: &Context, payload: &HookPayload) -> Option<Process> {
    let named = context.variable("CLAUDE_PID").and_then(|pid| pid.parse().ok());
    let ours = context.variable("CLAUDE_CODE_SESSION_ID").is_none_or(|id| id == payload.session_id);
    if let Some(process) = named.filter(|_| ours).and_then(process::look_up) {
        return Some(process);
    }
    let ancestors: Vec<Process> = process::ancestors().collect();
    let client = ancestors.iter().find(|process| is_client(&process.name));
    // A client under a name that we do not know; but never the shell in between, and never the first process.
    let unknown = || ancestors.iter().find(|process| !is_shell(&process.name) && process.pid != 1);
    client.or_else(unknown).cloned()
}

fn is_shell(name: &str) -> bool {
    matches!(name, "sh" | "dash" | "bash" | "zsh" | "fish" | "ksh" | "mksh" | "ash" | "busybox")
}
