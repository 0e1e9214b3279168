//! What Claude Code tells a hook, and what it does to a manifest.

use std::path::Path;

use jiff::{SignedDuration, Timestamp};

use super::activity::{Entry, Kind, Span};
use super::file_write::{self, Overlap, TreeWrite};
use super::manifest::{Manifest, ProcessStamp};
use super::state::{INPUT, State, StatusReport};
use super::task::{self, TaskSource};
use super::time::{milliseconds, seconds_between, whole_seconds};

/// Something that happened in a session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    /// A process began to run the session: startup, resume, clear or fork.
    Start {
        /// The model, where the client says it.
        model: Option<String>,
    },
    /// The conversation was summarised; the session goes on.
    Compacted,
    /// The person submitted a prompt, or Claude Code itself did.
    Prompt(String),
    /// A tool is about to run.
    ToolStart(String),
    /// The user must allow this tool.
    PermissionAsked(String),
    /// A tool has run.
    ToolEnd,
    /// A dialog has been open for a while.
    DialogOpen(Dialog),
    /// No prompt for a minute after the end of the turn.
    NobodyTyped,
    /// The turn ended.
    TurnEnd {
        /// A sub-agent still works in the background; the client says busy.
        in_background: bool,
    },
    /// The turn ended with an API error, as Claude Code names it: `rate_limit`.
    TurnFailed(Option<String>),
    /// A process stopped running the session.
    End {
        /// As the client gives it.
        reason: Option<String>,
    },
    /// Anything else: a sign of life.
    Other,
}

/// The kind of answer that a dialog asks for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialog {
    /// To run a tool.
    Permission,
    /// An answer.
    Question,
}

/// Where and when an event happened, gathered by the hook.
#[derive(Clone, Debug)]
pub struct EventContext {
    /// The time now.
    pub now: Timestamp,
    /// The process that runs the session; `None` where it was not found.
    pub process: Option<ProcessStamp>,
    /// The boot of this machine.
    pub boot_id: Option<String>,
    /// The pid namespace of the hook.
    pub pid_namespace: Option<u64>,
    /// The run has no user: `claude -p` and the like.
    pub is_headless: bool,
    /// The tmux pane of the process.
    pub tmux_pane: Option<String>,
    /// The socket of the tmux server that has this pane.
    pub tmux_socket: Option<String>,
    /// The options that the process was started with; looked up at a start only.
    pub start_options: Vec<String>,
    /// The user.
    pub user: Option<String>,
    /// This machine.
    pub host: Option<String>,
    /// The folder the session works in.
    pub folder: String,
    /// The root of the tree that the folder lies in.
    pub tree: Option<String>,
    /// git's common folder, which all trees of its repository share.
    pub repository: Option<String>,
    /// The tree that a file was just written in.
    pub wrote: Option<TreeWrite>,
    /// The sessions that had lately written the same file.
    pub overlaps: Vec<Overlap>,
    /// The project that folder belongs to.
    pub project: String,
    /// The branch there; `None` detached or without repository.
    pub branch: Option<String>,
    /// The commit there.
    pub head: Option<String>,
    /// Whether there are uncommitted changes; `None` where it was not asked or not answered.
    pub dirty: Option<bool>,
    /// The session's title, where the payload has one.
    pub title: Option<String>,
    /// What scheduled prompts would make as tasks; `None` if the event does not tell.
    pub scheduled_prompts: Option<Vec<String>>,
    /// The client says that nothing came of the prompt before this one.
    pub last_prompt_failed: bool,
    /// Claude Code's record of the conversation.
    pub transcript_path: Option<String>,
    /// What the client's record says at an event of a dialog, which comes six seconds after the dialog opened.
    pub report: Option<StatusReport>,
    /// The state that the session went into before this event without a hook, and when.
    pub silent_change: Option<(State, Timestamp)>,
    /// A sub-agent fired the event: it never changes the state of the session.
    pub from_subagent: bool,
    /// It is recorded late, after later ones: it does not change the state either.
    pub is_overtaken: bool,
}

/// What is to be done with the manifest after an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Keep it among the active ones.
    Keep,
    /// Move it to history.
    Archive,
    /// Write nothing.
    Ignore,
}

/// How long after a dialog opens Claude Code notifies of it, measured with 2.1.332.
const NOTIFICATION_DELAY: SignedDuration = SignedDuration::from_secs(6);
/// Seconds within which a tool opens its dialog: as long as the hooks for its start take, rounded up.
const DIALOG_DELAY: u64 = 3;

impl Event {
    /// Lets the event happen to a manifest. `is_live` tells whether a process still runs.
    pub fn apply(
        &self,
        manifest: &mut Manifest,
        event_context: &EventContext,
        is_live: impl Fn(&ProcessStamp) -> bool,
    ) -> Outcome {
        // What has ended runs nowhere: the process that ran it may go on with another session.
        let has_ended = manifest.ended.is_some() || manifest.status.is_some();
        let others = manifest
            .stamps()
            .filter(|stamp| !has_ended && !same_process(stamp, event_context.process.as_ref()) && is_live(stamp))
            .collect::<Vec<_>>();
        if has_ended {
            // What it did when it was interrupted has not gone on since.
            manifest.state = State::Idle;
            manifest.waiting_for = None;
        }
        let last_event = manifest.updated.replace(milliseconds(event_context.now));
        if let Some((state, at)) = event_context.silent_change
            && manifest.state_since.is_some_and(|since| since < at)
            // Another event may have ended what it was found for.
            && Kind::of(manifest.state, manifest.waiting_for.as_deref()).is_some()
        {
            set_state(manifest, state, None, at);
        }
        if let Event::End { reason } = self {
            return end(manifest, event_context, reason.clone(), others);
        }
        if matches!(self, Event::Start { .. }) {
            stamp_run(manifest, event_context, has_ended);
        }
        stamp(manifest, event_context, self, others);
        adopt_task(manifest, event_context, self);
        match self {
            // It never changes the state of its session.
            _ if (event_context.from_subagent || event_context.is_overtaken)
                && !matches!(self, Event::Start { .. }) => {}
            Event::Start { .. } | Event::Prompt(_) | Event::TurnEnd { .. } | Event::TurnFailed(_) => {
                self.apply_turn(manifest, event_context);
            }
            _ => self.apply_tool(manifest, event_context, last_event),
        }
        Outcome::Keep
    }

    /// The start, a prompt and the end of a turn: none of them leaves a tool in use.
    fn apply_turn(&self, manifest: &mut Manifest, event_context: &EventContext) {
        match self {
            Event::Start { model } => {
                manifest.head_moved = None;
                manifest.started_in = Some(event_context.folder.clone());
                manifest.start_options.clone_from(&event_context.start_options);
                if model.is_some() {
                    manifest.model.clone_from(model);
                }
                if !event_context.is_overtaken {
                    set_state(manifest, State::Idle, None, event_context.now);
                }
            }
            Event::Prompt(_) => {
                // After Esc no event tells that the tool ended.
                manifest.tool = None;
                set_state(manifest, State::Working, None, event_context.now);
            }
            Event::TurnEnd { in_background } => {
                manifest.tool = None;
                set_state(manifest, if *in_background { State::Working } else { State::Idle }, None, event_context.now);
                manifest.turn_finished = !in_background;
            }
            Event::TurnFailed(error) => {
                manifest.tool = None;
                set_state(manifest, State::Error, None, event_context.now);
                manifest.turn_error.clone_from(error);
            }
            _ => {}
        }
    }

    /// Tools and dialogs.
    fn apply_tool(&self, manifest: &mut Manifest, event_context: &EventContext, last_event: Option<Timestamp>) {
        match self {
            Event::ToolStart(tool) => {
                manifest.tool = Some(tool.clone());
                match asks_the_person(tool) {
                    Some(what) => set_state(manifest, State::Waiting, Some(what.to_owned()), event_context.now),
                    None => set_state(manifest, State::Working, None, event_context.now),
                }
            }
            Event::PermissionAsked(tool) => {
                set_state(manifest, State::Waiting, Some(permission_for(tool)), event_context.now);
            }
            Event::ToolEnd => {
                manifest.tool = None;
                set_state(manifest, State::Working, None, event_context.now);
            }
            Event::DialogOpen(dialog) => {
                let opened = event_context
                    .report
                    .as_ref()
                    .and_then(|report| report.since)
                    .filter(|since| *since <= event_context.now);
                let what = match dialog {
                    Dialog::Question => "question".to_owned(),
                    Dialog::Permission => {
                        let estimate = event_context.now.checked_sub(NOTIFICATION_DELAY).ok().max(last_event);
                        let tool = tool_of_dialog(manifest, last_event, opened.or(estimate));
                        tool.map_or_else(|| "permission".to_owned(), permission_for)
                    }
                };
                // The time until the present state began is added up already.
                let opened = opened.unwrap_or(event_context.now);
                let since = opened.max(manifest.state_since.unwrap_or(opened)).min(event_context.now);
                set_state(manifest, State::Waiting, Some(what), since);
            }
            // It has waited since its turn ended, not since the client noticed.
            Event::NobodyTyped => {
                let since = manifest.state_since.filter(|_| manifest.state == State::Idle);
                set_state(manifest, State::Waiting, Some(INPUT.to_owned()), since.unwrap_or(event_context.now));
                manifest.turn_finished = true;
            }
            _ => {}
        }
    }
}

/// The tools that are a question to the person.
fn asks_the_person(tool: &str) -> Option<&'static str> {
    match tool {
        "AskUserQuestion" => Some("question"),
        "ExitPlanMode" => Some("plan"),
        _ => None,
    }
}

/// What a session waits for while the user is asked to allow this tool. A tool that runs a sub-agent is not what is asked
/// about: the sub-agent's own tool is, and no event names it.
pub fn permission_for(tool: &str) -> String {
    match (asks_the_person(tool), tool) {
        (Some(what), _) => what.to_owned(),
        (None, "Agent" | "Task") => "permission".to_owned(),
        (None, tool) => format!("permission: {tool}"),
    }
}

/// The tool that a dialog asks about: the one that started last, if the dialog opened right after. Another one may be
/// asking otherwise, because most tools start without an event, and a tool that fails or is denied ends without one.
pub fn tool_of_dialog(manifest: &Manifest, last_event: Option<Timestamp>, opened: Option<Timestamp>) -> Option<&str> {
    let is_right_after =
        |(last, opened): (Timestamp, Timestamp)| last <= opened && seconds_between(last, opened) <= DIALOG_DELAY;
    let right_after = last_event.zip(opened).is_none_or(is_right_after);
    manifest.tool.as_deref().filter(|_| right_after)
}

fn same_process(stamp: &ProcessStamp, other: Option<&ProcessStamp>) -> bool {
    other.is_some_and(|other| {
        stamp.pid == other.pid && (stamp.start.is_none() || other.start.is_none() || stamp.start == other.start)
    })
}

fn end(
    manifest: &mut Manifest,
    event_context: &EventContext,
    reason: Option<String>,
    others: Vec<ProcessStamp>,
) -> Outcome {
    // An end says nothing about another process that runs the same session.
    let mut others = others.into_iter();
    if event_context.process.is_some()
        && let Some(next) = others.next()
    {
        manifest.pid = Some(next.pid);
        manifest.pid_start = next.start;
        manifest.processes = others.collect();
        return Outcome::Keep;
    }
    if is_below(event_context, &manifest.path) {
        stamp_repository(manifest, event_context);
        manifest.git_dirty = event_context.dirty;
    }
    // A signal or a closed terminal ended it, and what it did then is worth knowing. A headless run always ends this way.
    if reason.as_deref() == Some("other") && !event_context.is_headless {
        let (state, waiting_for) = (manifest.state, manifest.waiting_for.clone());
        let (turn_finished, turn_error) = (manifest.turn_finished, manifest.turn_error.clone());
        archive(manifest, event_context.now, "interrupted", reason);
        (manifest.state, manifest.waiting_for) = (state, waiting_for);
        (manifest.turn_finished, manifest.turn_error) = (turn_finished, turn_error);
    } else {
        archive(manifest, event_context.now, "completed", reason);
    }
    Outcome::Archive
}

/// Writes down the end of a session: when, with which status, for which reason.
pub fn archive(manifest: &mut Manifest, ended: Timestamp, status: &str, reason: Option<String>) {
    set_state(manifest, State::Idle, None, ended);
    manifest.tool = None;
    manifest.processes.clear();
    manifest.wrote_in.clear();
    manifest.overlaps.clear();
    manifest.head_moved = None;
    manifest.ended = Some(whole_seconds(ended));
    manifest.status = Some(status.to_owned());
    manifest.end_reason = reason;
}

/// Records a start. A second start of one process is the same run.
fn stamp_run(manifest: &mut Manifest, event_context: &EventContext, has_ended: bool) {
    let is_first = manifest.started.is_none();
    let same_run = !has_ended && manifest.stamps().any(|stamp| same_process(&stamp, event_context.process.as_ref()));
    if !is_first && !same_run {
        manifest.resumed = Some(whole_seconds(event_context.now));
    }
    manifest.headless = event_context.is_headless && (is_first || manifest.headless);
}

fn stamp(manifest: &mut Manifest, event_context: &EventContext, event: &Event, others: Vec<ProcessStamp>) {
    if let Some(process) = &event_context.process {
        manifest.pid = Some(process.pid);
        manifest.pid_start = process.start;
        manifest.processes = others;
        manifest.boot_id.clone_from(&event_context.boot_id);
        manifest.pid_namespace = event_context.pid_namespace;
        if (&manifest.tmux_pane, &manifest.tmux_socket) != (&event_context.tmux_pane, &event_context.tmux_socket) {
            manifest.tmux_window = None;
        }
        manifest.tmux_pane.clone_from(&event_context.tmux_pane);
        manifest.tmux_socket.clone_from(&event_context.tmux_socket);
        manifest.user.clone_from(&event_context.user);
        manifest.host.clone_from(&event_context.host);
    }
    manifest.started.get_or_insert(whole_seconds(event_context.now));
    manifest.ended = None;
    manifest.status = None;
    manifest.end_reason = None;
    // A sub-agent may run in a worktree of its own: its events never move the session.
    let is_elsewhere = is_subagent_elsewhere(manifest, event_context);
    if !is_elsewhere {
        if matches!(event, Event::Start { .. }) || !is_below(event_context, &manifest.path) {
            manifest.path.clone_from(&event_context.folder);
        }
        manifest.project.clone_from(&event_context.project);
        // git was asked at the start, and only about that tree.
        if matches!(event, Event::Start { .. }) || manifest.tree != event_context.tree {
            manifest.git_dirty = event_context.dirty;
        }
        stamp_repository(manifest, event_context);
        // Claude Code moves the conversation after `/cd` and EnterWorktree, and resumes it from the folder that it moved to.
        if is_moved(manifest.transcript_path.as_deref(), event_context.transcript_path.as_deref()) {
            manifest.started_in = Some(event_context.folder.clone());
        }
    }
    if let Some(wrote) = &event_context.wrote {
        let is_known = |known: &TreeWrite| known.tree == wrote.tree && !known.by_subagent;
        let by_subagent =
            is_elsewhere && event_context.tree.as_ref() == Some(&wrote.tree) && !manifest.wrote_in.iter().any(is_known);
        let wrote = TreeWrite { by_subagent, ..wrote.clone() };
        file_write::remember(&mut manifest.wrote_in, wrote, |known, new| known.tree == new.tree);
    }
    for overlap in &event_context.overlaps {
        let same = |known: &Overlap, new: &Overlap| known.path == new.path && known.session_id == new.session_id;
        file_write::remember(&mut manifest.overlaps, overlap.clone(), same);
    }
    if event_context.transcript_path.is_some() {
        manifest.transcript_path.clone_from(&event_context.transcript_path);
    }
}

fn stamp_repository(manifest: &mut Manifest, event_context: &EventContext) {
    manifest.tree.clone_from(&event_context.tree);
    manifest.repository.clone_from(&event_context.repository);
    manifest.git_branch.clone_from(&event_context.branch);
    manifest.head.clone_from(&event_context.head);
}

/// Whether the conversation is kept in another folder than before.
fn is_moved(before: Option<&str>, now: Option<&str>) -> bool {
    let (Some(before), Some(now)) = (before, now) else { return false };
    Path::new(before).parent() != Path::new(now).parent()
}

/// Whether the event comes from a sub-agent in another tree than the session's, or in a folder outside of the session's.
pub(super) fn is_subagent_elsewhere(manifest: &Manifest, event_context: &EventContext) -> bool {
    // A manifest without a path was never stamped: any folder is better than none.
    event_context.from_subagent
        && !manifest.path.is_empty()
        && (manifest.tree != event_context.tree
            || (event_context.tree.is_none() && !is_below(event_context, &manifest.path)))
}

/// Whether the session only went into a subfolder of where it works: the same tree, so the same place. A `cd` in its
/// shell is no move, a step into another tree (a linked worktree inside this one) is.
fn is_below(event_context: &EventContext, path: &str) -> bool {
    let path = Path::new(path);
    let same_tree = event_context.tree.as_ref().is_none_or(|tree| path.starts_with(tree));
    path.is_absolute() && Path::new(&event_context.folder).starts_with(path) && same_tree
}

fn adopt_task(manifest: &mut Manifest, event_context: &EventContext, event: &Event) {
    // Only what follows from a prompt tells that no hook refused it.
    if matches!(
        event,
        Event::ToolStart(_) | Event::PermissionAsked(_) | Event::ToolEnd | Event::TurnEnd { .. } | Event::TurnFailed(_)
    ) {
        manifest.task_unconfirmed = false;
    }
    let (found, source) = match (&event_context.title, event) {
        (Some(title), _) => (task::shorten(title), TaskSource::Title),
        (None, Event::Prompt(prompt)) if !event_context.from_subagent => {
            let typed = task::from_prompt(prompt).filter(|task| !manifest.scheduled_prompts.contains(task));
            (typed, TaskSource::Prompt)
        }
        _ => (None, TaskSource::Prompt),
    };
    if let Some(scheduled) = &event_context.scheduled_prompts {
        manifest.scheduled_prompts.clone_from(scheduled);
    }
    let stands = match manifest.task_source {
        // A task without a source was set by another program: it has the same priority as one that the user set.
        None => manifest.task.is_some(),
        // The first prompt stays, unless it was refused; a title may change.
        Some(TaskSource::Prompt) if source == TaskSource::Prompt => {
            !(manifest.task_unconfirmed && event_context.last_prompt_failed)
        }
        Some(known) => known > source,
    };
    if !stands && let Some(found) = found {
        manifest.task = Some(found);
        manifest.task_source = Some(source);
        manifest.task_unconfirmed = source == TaskSource::Prompt;
    }
}

/// Changes the state, and adds the time spent in the old one to the times worked and waited.
fn set_state(manifest: &mut Manifest, state: State, waiting_for: Option<String>, since: Timestamp) {
    manifest.turn_finished = false;
    manifest.turn_error = None;
    if manifest.state == state && manifest.waiting_for == waiting_for && manifest.state_since.is_some() {
        return;
    }
    let spent = manifest.state_since.map_or(0, |before| seconds_between(before, since));
    match manifest.state {
        State::Working => manifest.worked_seconds = manifest.worked_seconds.saturating_add(spent),
        State::Waiting => manifest.waited_seconds = manifest.waited_seconds.saturating_add(spent),
        State::Idle | State::Stopped | State::Error | State::Unknown => {}
    }
    let span = |(kind, begin)| Entry::Span(Span::new(kind, begin, since));
    let ended = Kind::of(manifest.state, manifest.waiting_for.as_deref()).zip(manifest.state_since).map(span);
    manifest.new_activity.extend(ended);
    manifest.state = state;
    manifest.state_since = Some(milliseconds(since));
    manifest.waiting_for = waiting_for;
}

#[cfg(test)]
pub(crate) mod tests {
    use super::*;
    use crate::session::state::Status;

    pub(crate) fn at(second: i64) -> EventContext {
        EventContext {
            now: Timestamp::from_second(1_800_000_000 + second).unwrap(),
            process: Some(ProcessStamp { pid: 10, start: Some(100) }),
            boot_id: Some("boot".into()),
            pid_namespace: Some(1),
            is_headless: false,
            tmux_pane: None,
            tmux_socket: None,
            start_options: Vec::new(),
            user: None,
            host: None,
            folder: "/p".into(),
            tree: None,
            repository: None,
            wrote: None,
            overlaps: Vec::new(),
            project: "p".into(),
            branch: Some("main".into()),
            head: None,
            dirty: None,
            title: None,
            scheduled_prompts: None,
            last_prompt_failed: false,
            transcript_path: None,
            report: None,
            silent_change: None,
            from_subagent: false,
            is_overtaken: false,
        }
    }

    fn dead(_: &ProcessStamp) -> bool {
        false
    }

    fn run(manifest: &mut Manifest, second: i64, event: Event) -> Outcome {
        event.apply(manifest, &at(second), dead)
    }

    #[test]
    fn a_turn() {
        let mut manifest = Manifest::default();
        run(&mut manifest, 0, Event::Start { model: None });
        assert_eq!(manifest.state, State::Idle);
        run(&mut manifest, 10, Event::Prompt("fix it".into()));
        run(&mut manifest, 20, Event::ToolStart("Bash".into()));
        let report =
            StatusReport { status: Status::Waiting, since: Some(at(20).now), waiting_for: Some("permission".into()) };
        let permission = Event::DialogOpen(Dialog::Permission);
        permission.apply(&mut manifest, &EventContext { report: Some(report), ..at(26) }, dead);
        assert_eq!((manifest.state, manifest.waiting_for.as_deref()), (State::Waiting, Some("permission: Bash")));
        run(&mut manifest, 56, Event::ToolEnd);
        run(&mut manifest, 60, Event::TurnEnd { in_background: false });
        assert_eq!((manifest.worked_seconds, manifest.waited_seconds), (14, 36));
        run(&mut manifest, 120, Event::NobodyTyped);
        assert_eq!(manifest.state_since, Some(at(60).now), "it has waited since its turn ended");
        assert_eq!(run(&mut manifest, 130, Event::End { reason: Some("other".into()) }), Outcome::Archive);
        assert_eq!((manifest.worked_seconds, manifest.waited_seconds), (14, 106));
        assert_eq!(manifest.status.as_deref(), Some("interrupted"));
    }

    /// WebFetch has no event of its own, and the command before it failed: that has none either.
    #[test]
    fn a_dialog_is_named_after_a_tool_only_if_it_opened_right_after_its_start() {
        let mut manifest = Manifest::default();
        run(&mut manifest, 0, Event::Prompt("fix it".into()));
        run(&mut manifest, 10, Event::ToolStart("Bash".into()));
        run(&mut manifest, 46, Event::DialogOpen(Dialog::Permission));
        assert_eq!((manifest.state, manifest.waiting_for.as_deref()), (State::Waiting, Some("permission")));
        run(&mut manifest, 50, Event::ToolStart("Edit".into()));
        run(&mut manifest, 56, Event::DialogOpen(Dialog::Permission));
        assert_eq!(manifest.waiting_for.as_deref(), Some("permission: Edit"));
        run(&mut manifest, 60, Event::Prompt("go on".into()));
        assert_eq!(manifest.tool, None, "Esc ended the tool, and no event said so");
    }

    #[test]
    fn a_session_that_was_interrupted_at_work_has_not_worked_until_it_was_resumed() {
        let mut manifest = Manifest::default();
        run(&mut manifest, 0, Event::Start { model: None });
        run(&mut manifest, 10, Event::Prompt("fix it".into()));
        run(&mut manifest, 20, Event::End { reason: Some("other".into()) });
        assert_eq!((manifest.state, manifest.worked_seconds), (State::Working, 10));
        run(&mut manifest, 50_000, Event::Start { model: None });
        assert_eq!((manifest.state, manifest.worked_seconds), (State::Idle, 10));
        assert_eq!(manifest.new_activity, [Entry::Span(Span::new(Kind::Working, at(10).now, at(20).now))]);
    }

    #[test]
    fn a_dialog_that_opened_before_the_present_state_began_counts_no_time_twice() {
        let mut manifest = Manifest::default();
        run(&mut manifest, 0, Event::Prompt("fix it".into()));
        run(&mut manifest, 10, Event::ToolStart("AskUserQuestion".into()));
        run(&mut manifest, 20, Event::ToolEnd);
        let report = StatusReport { status: Status::Waiting, since: Some(at(15).now), waiting_for: None };
        Event::DialogOpen(Dialog::Permission).apply(
            &mut manifest,
            &EventContext { report: Some(report), ..at(21) },
            dead,
        );
        run(&mut manifest, 30, Event::ToolEnd);
        assert_eq!((manifest.worked_seconds, manifest.waited_seconds), (10, 20));
    }

    #[test]
    fn a_silent_change_that_another_event_came_before_is_ignored() {
        let mut manifest = Manifest::default();
        run(&mut manifest, 0, Event::Prompt("fix it".into()));
        run(&mut manifest, 10, Event::TurnEnd { in_background: false });
        let late = EventContext { silent_change: Some((State::Working, at(20).now)), ..at(30) };
        Event::TurnEnd { in_background: false }.apply(&mut manifest, &late, dead);
        assert_eq!(manifest.worked_seconds, 10);
    }

    #[test]
    fn sub_agents_change_nothing_but_the_sign_of_life() {
        let mut manifest = Manifest::default();
        run(&mut manifest, 0, Event::Start { model: None });
        for event in [
            Event::ToolStart("Bash".into()),
            Event::DialogOpen(Dialog::Permission),
            Event::ToolEnd,
            Event::TurnEnd { in_background: false },
        ] {
            let event_context = EventContext { from_subagent: true, ..at(5) };
            event.apply(&mut manifest, &event_context, dead);
            assert_eq!((manifest.state, manifest.state_since), (State::Idle, Some(at(0).now)));
        }
        assert_eq!(manifest.updated, Some(at(5).now));
    }

    #[test]
    fn the_users_task_wins_over_the_title_over_the_first_prompt() {
        let mut manifest = Manifest::default();
        run(&mut manifest, 0, Event::Start { model: None });
        run(&mut manifest, 1, Event::Prompt("<task-notification>x".into()));
        assert_eq!(manifest.task, None);
        run(&mut manifest, 1, Event::Prompt("first".into()));
        run(&mut manifest, 2, Event::Prompt("second".into()));
        assert_eq!(manifest.task.as_deref(), Some("first"));
        Event::Other.apply(&mut manifest, &EventContext { title: Some("named".into()), ..at(3) }, dead);
        assert_eq!(manifest.task.as_deref(), Some("named"));
        manifest.task = Some("mine".into());
        manifest.task_source = Some(TaskSource::User);
        Event::Other.apply(&mut manifest, &EventContext { title: Some("other".into()), ..at(4) }, dead);
        assert_eq!(manifest.task.as_deref(), Some("mine"));
        manifest.task = None;
        run(&mut manifest, 5, Event::Prompt("third".into()));
        assert_eq!(manifest.task, None, "a task that the user cleared stays cleared");
    }

    #[test]
    fn a_task_of_somebody_elses_program_is_kept() {
        let mut manifest = Manifest::parse(br#"{"task":"theirs"}"#).unwrap();
        run(&mut manifest, 0, Event::Prompt("prompt".into()));
        assert_eq!(manifest.task.as_deref(), Some("theirs"));
    }

    #[test]
    fn an_end_in_one_terminal_leaves_the_other() {
        let mut manifest = Manifest::default();
        run(&mut manifest, 0, Event::Start { model: None });
        let second = EventContext { process: Some(ProcessStamp { pid: 20, start: Some(200) }), ..at(1) };
        Event::Start { model: None }.apply(&mut manifest, &second, |_| true);
        assert_eq!((manifest.pid, manifest.processes.len()), (Some(20), 1));
        let end = Event::End { reason: None };
        assert_eq!(end.apply(&mut manifest, &second, |_| true), Outcome::Keep);
        assert_eq!((manifest.pid, manifest.pid_start, manifest.processes.len()), (Some(10), Some(100), 0));
        assert_eq!(end.apply(&mut manifest, &at(2), |_| true), Outcome::Archive);
    }

    #[test]
    fn a_cd_into_a_subfolder_is_no_move_but_into_another_tree_is() {
        let mut manifest = Manifest::default();
        let event_context =
            |folder: &str, tree: &str| EventContext { folder: folder.into(), tree: Some(tree.into()), ..at(1) };
        Event::Start { model: None }.apply(&mut manifest, &event_context("/r/a", "/r"), dead);
        for (folder, tree, path) in [
            ("/r/a/b", "/r", "/r/a"),
            ("/r/.worktrees/x", "/r/.worktrees/x", "/r/.worktrees/x"),
            ("/r/.worktrees/x/deep", "/r/.worktrees/x", "/r/.worktrees/x"),
            ("/r", "/r", "/r"),
        ] {
            Event::Other.apply(&mut manifest, &event_context(folder, tree), dead);
            assert_eq!(manifest.path, path);
        }
        assert_eq!(manifest.started_in.as_deref(), Some("/r/a"));
    }

    #[test]
    fn a_resumed_session_keeps_its_task_and_first_start() {
        let mut manifest = Manifest::default();
        run(&mut manifest, 0, Event::Start { model: None });
        run(&mut manifest, 1, Event::Prompt("first".into()));
        run(&mut manifest, 2, Event::End { reason: None });
        let again = EventContext { process: Some(ProcessStamp { pid: 30, start: Some(300) }), ..at(50) };
        Event::Start { model: None }.apply(&mut manifest, &again, dead);
        assert_eq!((manifest.started, manifest.resumed), (Some(at(0).now), Some(at(50).now)));
        assert_eq!(manifest.elapsed_seconds(at(60).now), Some(10));
        Event::Start { model: None }.apply(&mut manifest, &EventContext { now: at(70).now, ..again }, |_| true);
        assert_eq!(manifest.resumed, Some(at(50).now), "a second start of the same process is no other run");
        assert_eq!((manifest.task.as_deref(), manifest.pid, manifest.ended), (Some("first"), Some(30), None));
    }
}
