//! `ait sessions prune`: archive the sessions whose process is gone.

use serde::Serialize;

use super::Output;
use super::page::Page;
use crate::error::{Exit, Result};
use crate::render::{elapsed, json};
use crate::session::manifest::seconds_between;
use crate::store::active::{self, PATIENCE};
use crate::store::root::Root;
use crate::store::touched;
use crate::sys::clock;

/// `ait sessions prune`
#[derive(Clone, Debug)]
pub struct Prune {
    /// Change nothing.
    pub dry_run: bool,
    /// JSON.
    pub json: bool,
}

#[derive(Serialize)]
struct Pruned {
    session_id: String,
    project: String,
    path: String,
    task: Option<String>,
    history: Option<String>,
}

#[derive(Serialize)]
struct Report {
    pruned: Vec<Pruned>,
    alive: usize,
    dry_run: bool,
}

/// Archives what is not live. What cannot be archived is said, and the rest goes on.
///
/// # Errors
/// Where the folder cannot be read.
pub fn run(request: &Prune) -> Result<Output> {
    let root = Root::find()?;
    let now = clock::now();
    let active = active::read_all(&root)?;
    let mut output = Output::nothing();
    let mut report = Report { pruned: Vec::new(), alive: active.live().count(), dry_run: request.dry_run };
    let mut lines = String::new();
    for session in active.stale() {
        let manifest = &session.manifest;
        let day = if request.dry_run {
            None
        } else {
            match active::archive_stale(&root, &session.id, PATIENCE) {
                Ok(Some(day)) => Some(day.to_string()),
                // It came back, or somebody else archived it.
                Ok(None) => continue,
                Err(error) => {
                    output = output.remark(error.to_string()).exit(Exit::Failed);
                    continue;
                }
            }
        };
        Page::plain().line(&mut lines, |line| {
            line.literal(if day.is_some() { "Archived " } else { "Would archive " });
            line.own(format_args!("{} ", session.id.short()));
            line.text(&manifest.project);
            line.own(format_args!(", last seen {}", elapsed::Ago(seconds_between(session.last_seen(), now))));
            if let Some(task) = &manifest.task {
                line.literal(": ");
                line.text(task);
            }
            if let Some(day) = &day {
                line.own(format_args!(" -> history/{day}"));
            }
        });
        report.pruned.push(Pruned {
            session_id: session.id.to_string(),
            project: manifest.project.clone(),
            path: manifest.path.clone(),
            task: manifest.task.clone(),
            history: day,
        });
    }
    for broken in &active.broken {
        output =
            output.remark(format!("reading a manifest: {}: {}; left where it is", broken.path.display(), broken.why));
    }
    if root.active_folder().is_ok_and(|folder| !folder.has_locks()) {
        output = output.remark(format!(
            "archiving sessions: {}: this file system has no locks: of two changes to one session in the same \
             millisecond one can be lost",
            root.active().display()
        ));
    }
    if !request.dry_run {
        active::sweep(&root);
        touched::sweep(&root);
    }
    if request.json {
        output.stdout = json::object(&report).unwrap_or_default();
        return Ok(output);
    }
    let alive = report.alive;
    lines.push_str(&match (report.pruned.len(), request.dry_run) {
        (0, _) => format!("Nothing to archive; {alive} live.\n"),
        (count, true) => format!("{count} stale, {alive} live. Archive them: ait sessions prune\n"),
        (count, false) => format!("{count} archived, {alive} live.\n"),
    });
    output.stdout = lines;
    Ok(output)
}
