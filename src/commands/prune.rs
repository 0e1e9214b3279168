//! `ait sessions prune`: archive the sessions whose process is gone.

use argh::{ArgsInfo, FromArgs};
use jiff::Timestamp;
use serde::Serialize;

use super::{Run, foreign_ignored, unreadable};
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::render::ui::Ui;
use crate::render::{elapsed, json};
use crate::report::{Data, Report};
use crate::session::id::SessionId;
use crate::session::manifest::{Manifest, seconds_between};
use crate::session::order::sort_by;
use crate::store::active::{self, LOCK_TIMEOUT};
use crate::store::lifecycle;
use crate::store::manifest_file::{Session, read_session};
use crate::store::root::Root;
use crate::store::write_log;

/// archive sessions whose process is gone
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(subcommand, name = "prune", help_triggers("-h", "--help"), example = "  ait sessions prune --dry-run")]
pub struct Prune {
    /// say what would be archived, and archive nothing
    #[argh(switch)]
    dry_run: bool,
    /// one JSON object
    #[argh(switch)]
    json: bool,
}

impl Run for Prune {
    /// Archives what is not live. A session that cannot be archived is reported, and the rest goes on.
    ///
    /// # Errors
    /// If the folder cannot be read.
    fn run(&self, context: &Context) -> Result<Report> {
        let root = context.root()?;
        // Of a hundred thousand manifests this keeps the names and the order, not the content: it is read again when it
        // is archived, in any case.
        let (mut stale, mut alive) = (Vec::new(), 0);
        let active = active::read_where(root, |session| {
            if session.liveness.counts() {
                alive += 1;
            } else {
                stale.push((session.manifest.started, session.id.clone()));
            }
            false
        })?;
        sort_by(&mut stale, Ord::cmp);
        let (mut pruned, mut errors) = (Vec::new(), Vec::new());
        for (_, id) in stale {
            match if self.dry_run { found(root, &id) } else { archived(root, &id) } {
                Ok(session) => pruned.extend(session),
                Err(error) => errors.push(error.to_string()),
            }
        }
        let mut remarks = unreadable(&active.broken);
        if root.active_folder().is_ok_and(|folder| !folder.has_locks()) {
            remarks.push(format!(
                "archiving sessions: {}: this file system has no locks: of two changes to one session in the same \
                 millisecond one can be lost",
                root.active().display()
            ));
        }
        if !self.dry_run {
            active::sweep(root);
            write_log::sweep(root);
        }
        let exit = if errors.is_empty() { Exit::Done } else { Exit::Failed };
        let ignored = (active.foreign > 0).then(|| foreign_ignored(active.foreign));
        let report = Report::new(PrunedSessions { pruned, alive, dry_run: self.dry_run, now: context.now });
        Ok(report.remarks(errors).remarks(remarks).remarks(ignored).exit(exit))
    }

    fn json(&self) -> bool {
        self.json
    }
}

/// Archives what is not live, as `ait sessions prune` does.
///
/// # Errors
/// If the folder cannot be read.
pub(super) fn prune(context: &Context) -> Result<Report> {
    Prune { dry_run: false, json: false }.run(context)
}

/// A session that is archived, or would be.
struct Pruned {
    session_id: SessionId,
    project: String,
    path: String,
    task: Option<String>,
    last_seen: Timestamp,
    /// The day of history that it is in.
    history: Option<String>,
}

impl Pruned {
    fn new(session: Session, last_seen: Timestamp, history: Option<String>) -> Pruned {
        let Manifest { project, path, task, .. } = *session.manifest;
        Pruned { session_id: session.id, project, path, task, last_seen, history }
    }
}

/// What would be archived; `None` if it is gone meanwhile.
fn found(root: &Root, id: &SessionId) -> Result<Option<Pruned>> {
    let session = root.active_folder().ok().and_then(|folder| read_session(&folder, id).ok().flatten());
    Ok(session.map(|session| {
        let last_seen = session.last_seen();
        Pruned::new(session, last_seen, None)
    }))
}

/// Archives a session; `None` if it came back, or was archived by another process.
fn archived(root: &Root, id: &SessionId) -> Result<Option<Pruned>> {
    let archived = lifecycle::archive_stale(root, id, LOCK_TIMEOUT)?;
    Ok(archived.map(|archived| Pruned::new(archived.session, archived.last_seen, Some(archived.day.to_string()))))
}

struct PrunedSessions {
    pruned: Vec<Pruned>,
    alive: usize,
    dry_run: bool,
    now: Timestamp,
}

#[derive(Serialize)]
struct Json {
    pruned: Vec<PrunedJson>,
    alive: usize,
    dry_run: bool,
}

#[derive(Serialize)]
struct PrunedJson {
    session_id: String,
    project: String,
    path: String,
    task: Option<String>,
    history: Option<String>,
}

impl Data for PrunedSessions {
    fn json(&self) -> Option<String> {
        let pruned = |pruned: &Pruned| PrunedJson {
            session_id: pruned.session_id.to_string(),
            project: pruned.project.clone(),
            path: pruned.path.clone(),
            task: pruned.task.clone(),
            history: pruned.history.clone(),
        };
        let pruned = self.pruned.iter().map(pruned).collect();
        json::object(&Json { pruned, alive: self.alive, dry_run: self.dry_run })
    }

    fn text(&self, ui: &Ui) -> String {
        let mut text = String::new();
        for pruned in &self.pruned {
            ui.line(&mut text, |line| {
                line.literal(if self.dry_run { "Would archive " } else { "Archived " });
                line.own(format_args!("{} ", pruned.session_id.short()));
                line.text(&pruned.project);
                line.own(format_args!(", last seen {}", elapsed::Ago(seconds_between(pruned.last_seen, self.now))));
                if let Some(task) = &pruned.task {
                    line.literal(": ");
                    line.text(task);
                }
                if let Some(day) = &pruned.history {
                    line.own(format_args!(" -> history/{day}"));
                }
            });
        }
        let alive = self.alive;
        text.push_str(&match (self.pruned.len(), self.dry_run) {
            (0, _) => format!("Nothing to archive; {alive} live.\n"),
            (count, true) => format!("{count} stale, {alive} live. Archive them: ait sessions prune\n"),
            (count, false) => format!("{count} archived, {alive} live.\n"),
        });
        text
    }
}
