//! `ait sessions prune`: archive the sessions whose process is gone.

use serde::Serialize;

use super::Output;
use super::page::Page;
use crate::error::{Exit, Result};
use crate::render::{elapsed, json};
use crate::session::manifest::seconds_between;
use crate::session::order::sort_by;
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
    // Of a hundred thousand manifests this keeps the names and the order, not what is in them: it is read again when it
    // is archived, in any case.
    let (mut stale, mut alive) = (Vec::new(), 0);
    let active = active::read_where(&root, |session| {
        if session.liveness.counts() {
            alive += 1;
        } else {
            stale.push((session.manifest.started, session.id.clone()));
        }
        false
    })?;
    sort_by(&mut stale, Ord::cmp);
    let folder = root.active_folder().ok();
    let mut output = Output::nothing();
    let mut report = Report { pruned: Vec::new(), alive, dry_run: request.dry_run };
    let (mut lines, mut count) = (String::new(), 0);
    for (_, id) in stale {
        let (session, last_seen, day) = if request.dry_run {
            let session = folder.as_ref().and_then(|folder| active::read_one(folder, &id).ok().flatten());
            let Some(session) = session else { continue };
            let last_seen = session.last_seen();
            (session, last_seen, None)
        } else {
            match active::archive_stale(&root, &id, PATIENCE) {
                Ok(Some(archived)) => (archived.session, archived.last_seen, Some(archived.day.to_string())),
                // It came back, or somebody else archived it.
                Ok(None) => continue,
                Err(error) => {
                    output = output.remark(error.to_string()).exit(Exit::Failed);
                    continue;
                }
            }
        };
        let manifest = *session.manifest;
        count += 1;
        if request.json {
            report.pruned.push(Pruned {
                session_id: session.id.to_string(),
                project: manifest.project,
                path: manifest.path,
                task: manifest.task,
                history: day,
            });
            continue;
        }
        Page::plain().line(&mut lines, |line| {
            line.literal(if day.is_some() { "Archived " } else { "Would archive " });
            line.own(format_args!("{} ", session.id.short()));
            line.text(&manifest.project);
            line.own(format_args!(", last seen {}", elapsed::Ago(seconds_between(last_seen, now))));
            if let Some(task) = &manifest.task {
                line.literal(": ");
                line.text(task);
            }
            if let Some(day) = &day {
                line.own(format_args!(" -> history/{day}"));
            }
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
    lines.push_str(&match (count, request.dry_run) {
        (0, _) => format!("Nothing to archive; {alive} live.\n"),
        (count, true) => format!("{count} stale, {alive} live. Archive them: ait sessions prune\n"),
        (count, false) => format!("{count} archived, {alive} live.\n"),
    });
    output.stdout = lines;
    Ok(output)
}
