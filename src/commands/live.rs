//! `ait sessions live`: the live sessions with place, time and task.

use std::path::Path;
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use jiff::Timestamp;
use serde::Serialize;

use super::hookless::Reason;
use super::live_sessions::{self, LiveSession, LiveSessions};
use super::{Run, foreign_ignored, unreadable};
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::render::line::Line;
use crate::render::theme::{ColorChoice, Mark, Role};
use crate::render::ui::{Ui, put};
use crate::render::{elapsed, json};
use crate::report::{Data, Report};
use crate::session::conflict::crowded;
use crate::session::json_object::JsonFields;
use crate::session::manifest::Manifest;
use crate::session::state::{ObservedState, State, StateSource};
use crate::session::time::seconds_between;
use crate::store::live::Liveness;
use crate::sys::env::PathArgument;
use crate::sys::{clock, files, process};

/// list live sessions
#[derive(FromArgs, ArgsInfo, Clone, Debug, Default)]
#[argh(
    subcommand,
    name = "live",
    help_triggers("-h", "--help"),
    example = "  ait sessions live --project aiterm --verbose",
    note = "The states:",
    note = "  working    in the middle of a turn",
    note = "  waiting    blocked: it needs a permission or an answer",
    note = "  finished   its turn ended, and it waits for the next prompt",
    note = "  idle       no turn has run yet, or you stopped it with Esc; shown with --verbose",
    note = "  stopped    its process is stopped with Ctrl-Z",
    note = "  error      its turn ended with an API error",
    note = "  unknown    nothing tells"
)]
pub struct Live {
    /// only this project
    #[argh(option, arg_name = "name")]
    project: Option<String>,
    /// only sessions in this folder or its subfolders
    #[argh(option, arg_name = "dir")]
    path: Option<PathArgument>,
    /// also show the process, and the source of each state
    #[argh(switch, short = 'v')]
    verbose: bool,
    /// keep the list on the screen and update it; q quits
    #[argh(switch, short = 'w')]
    watch: bool,
    /// print one JSON object
    #[argh(switch)]
    json: bool,
    /// always, never or auto (the default)
    #[argh(option, arg_name = "when", default = "ColorChoice::Auto")]
    color: ColorChoice,
}

impl Run for Live {
    /// Shows the live sessions, the oldest first.
    ///
    /// # Errors
    /// If the folder cannot be read.
    fn run(&self, context: &Context) -> Result<Report> {
        if self.watch && self.json {
            return Err(Error::new("watching the sessions", "--json", "--watch cannot print JSON")
                .hint("type: ait sessions live --json")
                .exit(Exit::NotFound));
        }
        let root = context.root()?;
        let LiveSessions { mut live_sessions, stale, broken, foreign } = live_sessions::gather(root, context.now)?;
        let all = live_sessions.len();
        live_sessions.retain(|entry| self.wants(entry, context));
        if self.json {
            ask_dirty(&mut live_sessions);
        }
        let reason = |entry: &LiveSession| Some(entry.hookless.as_ref()?.reason(context));
        let reasons = live_sessions.iter().map(reason).collect();
        let mut report =
            Report::new(LiveReport { live_sessions, reasons, all, verbose: self.verbose, now: context.now })
                .remarks(unreadable(&broken));
        if stale > 0 {
            report = report.remark(format!("{stale} stale: process no longer exists; type: ait sessions prune"));
        }
        if foreign > 0 {
            report = report.remark(foreign_ignored(foreign));
        }
        Ok(report)
    }

    fn json(&self) -> bool {
        self.json
    }

    fn color(&self) -> ColorChoice {
        self.color
    }

    fn watches(&self) -> bool {
        self.watch && !self.json
    }
}

impl Live {
    fn wants(&self, entry: &LiveSession, context: &Context) -> bool {
        let manifest = &entry.session.manifest;
        let project = self.project.as_ref().is_none_or(|project| manifest.project.eq_ignore_ascii_case(project));
        let path = self.path.as_ref().is_none_or(|path| {
            let below = context.folder().unwrap_or_default().join(&**path);
            files::resolve(Path::new(&manifest.path)).starts_with(files::resolve(&below))
        });
        project && path
    }
}

/// How long git may take in all to tell which trees are dirty.
const GIT_LIMIT: Duration = Duration::from_secs(1);

/// Asks git about each tree once. The trees that it does not get to in time stay unknown.
fn ask_dirty(live_sessions: &mut [LiveSession]) {
    let mut left = GIT_LIMIT;
    for position in 0..live_sessions.len() {
        let (before, rest) = live_sessions.split_at_mut(position);
        let Some(entry) = rest.first_mut() else { return };
        let same_tree = |other: &&LiveSession| entry.place.tree.is_some() && other.place.root == entry.place.root;
        match before.iter().find(same_tree) {
            Some(same_tree) => entry.dirty = same_tree.dirty,
            None => {
                let ((), taken) = clock::timed(|| entry.ask_dirty(left));
                left = left.saturating_sub(taken);
            }
        }
    }
}

struct LiveReport {
    live_sessions: Vec<LiveSession>,
    /// For each session, why no hook has reported it, and what to do about it.
    reasons: Vec<Option<(Reason, String)>>,
    /// How many there are, whether wanted or not.
    all: usize,
    verbose: bool,
    now: Timestamp,
}

#[derive(Serialize)]
struct Json {
    sessions: Vec<JsonFields>,
}

impl Data for LiveReport {
    fn json(&self) -> Option<String> {
        let session = |(entry, reason): (&LiveSession, &Option<(Reason, String)>)| {
            let mut fields = live_sessions::json(entry, self.now);
            fields.set("hookless_reason", &reason.as_ref().map(|(reason, _)| reason.as_str()));
            fields.set("hookless_hint", &reason.as_ref().map(|(_, hint)| hint));
            fields
        };
        json::object(&Json { sessions: self.live_sessions.iter().zip(&self.reasons).map(session).collect() })
    }

    fn text(&self, ui: &Ui) -> String {
        match (self.live_sessions.is_empty(), self.all) {
            (true, 0) => "No live sessions.\n".to_owned(),
            (true, _) => "No live sessions that match.\n".to_owned(),
            (false, _) => table(self, ui),
        }
    }
}

fn table(report: &LiveReport, ui: &Ui) -> String {
    let (live_sessions, verbose, now) = (&report.live_sessions, report.verbose, report.now);
    let crowded = crowded(live_sessions.iter().map(|entry| entry.trees(now)));
    let mut table = ui.table("Active Claude Code Sessions");
    for (position, (entry, reason)) in live_sessions.iter().zip(&report.reasons).enumerate() {
        let manifest = &entry.session.manifest;
        table.row(|line| {
            put_heading(line, Some(position + 1), manifest, entry.branch().as_deref(), now);
            if crowded.contains(&position) {
                line.fixed(" ");
                put(line, Role::Conflict, ui.icons.mark(Mark::Conflict));
            }
        });
        table.row(|line| {
            line.fixed("   ");
            ui.put_path(line, Path::new(&manifest.path));
        });
        if let Some(task) = &manifest.task {
            table.row(|line| {
                line.fixed("   Task: ");
                put(line, Role::Task, task);
            });
        }
        if entry.session.liveness == Liveness::Elsewhere {
            table.row(|line| {
                line.fixed("   Elsewhere: ");
                line.text(&elsewhere(manifest));
            });
        }
        if entry.headless == Some(true) {
            table.row(|line| line.fixed("   Headless"));
        }
        if let Some((reason, hint)) = reason {
            table.row(|line| {
                line.fixed("   No hooks: ");
                line.literal(reason.text());
            });
            table.row(|line| {
                line.fixed("   To track it, ");
                line.text(hint);
            });
        }
        // Idle and unknown sessions are of no interest.
        if verbose || entry.observed.is_finished() || !matches!(entry.observed.state, State::Idle | State::Unknown) {
            table.row(|line| {
                line.fixed("   State: ");
                put_state(line, &entry.observed, now);
            });
        }
        if verbose {
            table.row(|line| put_receipt(line, &entry.observed, now));
            table.row(|line| line.own(format_args!("   Session: {}", entry.session.id)));
            table.row(|line| put_process(line, entry));
        } else if live_sessions.iter().filter(|other| looks_the_same(other, entry)).count() > 1 {
            table.row(|line| put_identity(line, entry, live_sessions));
        }
        table.end_entry();
    }
    table.finish()
}

/// Whether two entries of the list, such as two new sessions in one folder, cannot be told apart by folder and task.
fn looks_the_same(one: &LiveSession, other: &LiveSession) -> bool {
    let (one, other) = (&one.session.manifest, &other.session.manifest);
    one.path == other.path && one.task == other.task
}

/// `Session: 3f9c1e07, tmux %5`
fn put_identity(line: &mut Line, entry: &LiveSession, all: &[LiveSession]) {
    let ids: Vec<&str> = all.iter().map(|entry| entry.session.id.as_str()).collect();
    line.own(format_args!("   Session: {}", live_sessions::shortest_unique(entry.session.id.as_str(), &ids)));
    put_pane(line, &entry.session.manifest);
}

fn put_pane(line: &mut Line, manifest: &Manifest) {
    if let Some(pane) = &manifest.tmux_pane {
        line.fixed(", tmux ");
        line.text(pane);
    }
}

/// Where a session is that cannot be seen from here.
fn elsewhere(manifest: &Manifest) -> String {
    match manifest.host.as_deref().filter(|host| *host != process::host()) {
        Some(host) => format!("on host {host}, or in a container with this host name"),
        None => "in another container on this machine".to_owned(),
    }
}

/// `1. project (branch) - 45m`, in a list.
pub(crate) fn put_heading(
    line: &mut Line,
    number: Option<usize>,
    manifest: &Manifest,
    branch: Option<&str>,
    now: Timestamp,
) {
    if let Some(number) = number {
        line.literal(itoa::Buffer::new().format(number));
        line.fixed(". ");
    }
    put(line, Role::Project, &manifest.project);
    if let Some(branch) = branch.or(manifest.git_branch.as_deref()).or_else(|| manifest.head.as_deref()?.get(..7)) {
        line.fixed(" (");
        put(line, Role::Branch, branch);
        line.fixed(")");
    }
    if let Some(seconds) = manifest.elapsed_seconds(now) {
        line.fixed(" - ");
        put(line, Role::Elapsed, &elapsed::Short(seconds).text());
    }
}

/// `waiting (permission: Bash) for 3m`
pub(crate) fn put_state(line: &mut Line, observed: &ObservedState, now: Timestamp) {
    let role = match observed.state {
        State::Working => Role::Working,
        State::Waiting => Role::Waiting,
        State::Error => Role::Error,
        State::Idle if observed.is_finished() => Role::Waiting,
        State::Idle | State::Stopped | State::Unknown => Role::Plain,
    };
    put(line, role, observed.word());
    if observed.is_finished() {
        if let Some(since) = observed.since {
            line.own(format_args!(" {}", elapsed::Ago(seconds_between(since, now))));
        }
        return;
    }
    if let Some(why) = observed.waiting_for.as_ref().or(observed.turn_error.as_ref()) {
        line.fixed(" (");
        line.text(why);
        line.fixed(")");
    }
    if let Some(since) = observed.since {
        line.fixed(" ");
        line.literal(&elapsed::For(seconds_between(since, now)).text());
    }
}

/// The source of the state, and the time of its last report.
fn put_receipt(line: &mut Line, observed: &ObservedState, now: Timestamp) {
    match (observed.state, observed.source) {
        (State::Unknown, _) => return line.fixed("   Source: none"),
        (_, StateSource::Hook) => line.fixed("   Source: hooks"),
        (_, StateSource::Registry) => line.fixed("   Source: Claude Code's registry"),
        (_, StateSource::Process) => line.fixed("   Source: the process"),
    }
    if let Some(heard) = observed.heard {
        line.own(format_args!(", {}", elapsed::Ago(seconds_between(heard, now))));
    }
}

/// The process, and what makes it this one and no other of the same number; short enough for 80 columns.
fn put_process(line: &mut Line, entry: &LiveSession) {
    let manifest = &entry.session.manifest;
    match manifest.pid {
        Some(pid) => line.own(format_args!("   Process: {pid}")),
        None => line.fixed("   Process: none"),
    }
    if let Some(process) = manifest.pid.and_then(process::look_up) {
        line.fixed(" (");
        line.text(&process.name);
        line.fixed(")");
    }
    match (manifest.pid_start, &manifest.boot_id) {
        (Some(start), Some(boot)) => {
            line.own(format_args!(", start time {start}, boot "));
            line.text(boot.get(..8).unwrap_or(boot));
        }
        (Some(start), None) => line.own(format_args!(", start time {start}, boot not recorded")),
        (None, _) => line.fixed(", start time not recorded"),
    }
    put_pane(line, manifest);
}
