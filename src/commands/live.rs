//! `ait sessions live`: what runs where, since when, on what task.

use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;

use super::Output;
use super::fleet::{self, Fleet, Member};
use super::page::{Page, put, put_path};
use crate::error::{Error, Exit, Result};
use crate::render::dialect::Line;
use crate::render::theme::Role;
use crate::render::{elapsed, json};
use crate::session::conflict::crowded;
use crate::session::manifest::{Manifest, seconds_between};
use crate::session::raw::JsonFields;
use crate::session::state::{State, StateSource, Told};
use crate::store::live::Liveness;
use crate::store::root::Root;
use crate::sys::{clock, env, files, process};

/// `ait sessions live`
#[derive(Clone, Debug)]
pub struct Live {
    /// Only this project.
    pub project: Option<String>,
    /// Only in this folder or below.
    pub path: Option<String>,
    /// Also the process, and where each state comes from.
    pub verbose: bool,
    /// Again and again, in place: `main` does that.
    pub watch: bool,
    /// JSON.
    pub json: bool,
    /// always, never, auto.
    pub color: Option<String>,
}

#[derive(Serialize)]
struct Report {
    sessions: Vec<JsonFields>,
}

/// Shows the live sessions, the oldest first.
///
/// # Errors
/// Where the folder cannot be read.
pub fn run(request: &Live) -> Result<Output> {
    if request.watch && request.json {
        return Err(Error::new("watching the sessions", "--json", "not for a screen")
            .next("type: ait sessions live --json")
            .exit(Exit::NotFound));
    }
    let page = Page::choose(request.color.as_deref())?;
    let root = Root::find()?;
    let now = clock::now();
    let Fleet { mut members, stale, broken, foreign } =
        if request.json { fleet::gather(&root)? } else { fleet::overview(&root)? };
    let all = members.len();
    members.retain(|member| wanted(member, request));

    let mut output = Output::nothing();
    for broken in &broken {
        output =
            output.remark(format!("reading a manifest: {}: {}; left where it is", broken.path.display(), broken.why));
    }
    if stale > 0 {
        output = output.remark(format!("{stale} stale: process gone; type: ait sessions prune"));
    }
    if foreign > 0 {
        output = output.remark(super::foreign_ignored(foreign));
    }
    if request.json {
        let report = Report { sessions: members.iter().map(|member| fleet::json(member, now)).collect() };
        output.stdout = json::object(&report).unwrap_or_default();
        return Ok(output);
    }
    if members.is_empty() {
        let none = if all > 0 { "No live sessions that match.\n" } else { "No live sessions.\n" };
        output.stdout = none.to_owned();
        return Ok(output);
    }
    output.stdout = table(&members, page, request.verbose, now);
    // The program ends here; to free a thousand sessions piece by piece would take a twentieth of its time.
    std::mem::forget(members);
    Ok(output)
}

fn wanted(member: &Member, request: &Live) -> bool {
    let manifest = &member.session.manifest;
    let project = request.project.as_ref().is_none_or(|project| manifest.project.eq_ignore_ascii_case(project));
    let path = request.path.as_ref().is_none_or(|path| {
        let below = env::current_dir().unwrap_or_default().join(path);
        files::resolve(Path::new(&manifest.path)).starts_with(files::resolve(&below))
    });
    project && path
}

fn table(members: &[Member], page: Page, verbose: bool, now: Timestamp) -> String {
    let crowded = crowded(members.iter().map(|member| member.trees(now)));
    let mut table = page.table("Active Claude Code Sessions");
    for (position, member) in members.iter().enumerate() {
        let manifest = &member.session.manifest;
        table.row(|line| {
            put_heading(line, Some(position + 1), manifest, now);
            if crowded.contains(&position) {
                line.fixed(" ");
                put(line, Role::Conflict, "⚠");
            }
        });
        table.row(|line| {
            line.fixed("   ");
            put_path(line, Path::new(&manifest.path));
        });
        if let Some(task) = &manifest.task {
            table.row(|line| {
                line.fixed("   Task: ");
                put(line, Role::Task, task);
            });
        }
        // Idle and unknown say nothing that anybody waits for.
        if verbose || matches!(member.told.state, State::Working | State::Waiting | State::Error) {
            table.row(|line| {
                line.fixed("   State: ");
                put_state(line, &member.told, now);
            });
        }
        if verbose {
            table.row(|line| put_receipt(line, &member.told, now));
            table.row(|line| line.own(format_args!("   Session: {}", member.session.id)));
            table.row(|line| put_process(line, member));
        }
        table.end_entry();
    }
    table.finish()
}

/// `1. project (branch) - 45m`, in a list.
pub(crate) fn put_heading(line: &mut Line, number: Option<usize>, manifest: &Manifest, now: Timestamp) {
    if let Some(number) = number {
        line.literal(itoa::Buffer::new().format(number));
        line.fixed(". ");
    }
    put(line, Role::Project, &manifest.project);
    if let Some(branch) = &manifest.git_branch {
        line.fixed(" (");
        put(line, Role::Branch, branch);
        line.fixed(")");
    } else if let Some(head) = manifest.head.as_deref().and_then(|head| head.get(..7)) {
        line.fixed(" (");
        put(line, Role::Branch, head);
        line.fixed(")");
    }
    if let Some(seconds) = manifest.elapsed_seconds(now) {
        line.fixed(" - ");
        put(line, Role::Elapsed, &elapsed::Short(seconds).text());
    }
}

/// `waiting (permission: Bash) for 3m`
pub(crate) fn put_state(line: &mut Line, told: &Told, now: Timestamp) {
    let role = match told.state {
        State::Working => Role::Working,
        State::Waiting => Role::Waiting,
        State::Error => Role::Error,
        State::Idle | State::Unknown => Role::Plain,
    };
    put(line, role, told.state.as_str());
    if let Some(waiting_for) = &told.waiting_for {
        line.fixed(" (");
        line.text(waiting_for);
        line.fixed(")");
    }
    if let Some(since) = told.since {
        line.fixed(" ");
        line.literal(&elapsed::For(seconds_between(since, now)).text());
    }
}

/// Which witness the state comes from, and when that was last heard.
fn put_receipt(line: &mut Line, told: &Told, now: Timestamp) {
    match (told.state, told.source) {
        (State::Unknown, _) => return line.fixed("   Source: nothing tells"),
        (_, StateSource::Hook) => line.fixed("   Source: the hooks"),
        (_, StateSource::Registry) => line.fixed("   Source: Claude Code's registry"),
    }
    if let Some(heard) = told.heard {
        line.own(format_args!(", heard {}", elapsed::Ago(seconds_between(heard, now))));
    }
}

/// The process, and what makes it this one and no other of the same number; short enough for 80 columns.
fn put_process(line: &mut Line, member: &Member) {
    let manifest = &member.session.manifest;
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
        (Some(start), None) => line.own(format_args!(", start time {start}, boot not stamped")),
        (None, _) => line.fixed(", start time not stamped"),
    }
    if member.session.liveness == Liveness::Elsewhere {
        line.fixed(", on ");
        line.text(manifest.host.as_deref().unwrap_or_default());
    }
    if let Some(pane) = &manifest.tmux_pane {
        line.fixed(", tmux ");
        line.text(pane);
    }
}
