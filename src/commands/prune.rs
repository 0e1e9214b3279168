//! `ait sessions prune`: archives the sessions whose process no longer exists.

use std::time::Duration;

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
use crate::session::manifest::Manifest;
use crate::session::order::sort_by;
use crate::session::time::seconds_between;
use crate::store::active::{self, LOCK_TIMEOUT};
use crate::store::lifecycle::{self, Archived};
use crate::store::live::Liveness;
use crate::store::manifest_file::Session;
use crate::store::write_log;

/// archive sessions whose process no longer exists
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(subcommand, name = "prune", help_triggers("-h", "--help"), example = "  ait sessions prune --dry-run")]
pub struct Prune {
    /// show what would be archived, without archiving it
    #[argh(switch)]
    dry_run: bool,
    /// also archive sessions of other containers or machines without an event for a day
    #[argh(switch)]
    elsewhere: bool,
    /// print one JSON object
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
        let (mut stale, mut alive, mut elsewhere) = (Vec::new(), 0, 0);
        let active = active::read_where(root, |session| {
            match session.liveness {
                _ if self.is_over(session, context) => {
                    let shown = self.dry_run.then(|| Pruned::from(session));
                    stale.push((session.manifest.started, session.id.clone(), shown));
                }
                Liveness::Elsewhere => elsewhere += 1,
                _ => alive += 1,
            }
            false
        })?;
        sort_by(&mut stale, |one, other| (one.0, &one.1).cmp(&(other.0, &other.1)));
        let (mut pruned, mut errors) = (Vec::new(), Vec::new());
        let mut timeout = LOCK_TIMEOUT;
        for (_, id, shown) in stale {
            let is_over = |session: &Session| self.is_over(session, context);
            let done = match shown {
                Some(shown) => Ok(Some(shown)),
                None => lifecycle::archive_if(root, &id, timeout, is_over).map(|done| done.map(Pruned::from)),
            };
            match done {
                Ok(session) => pruned.extend(session),
                Err(error) => {
                    errors.push(error.to_string());
                    // If the lock is taken, every session would wait as long again.
                    timeout = Duration::ZERO;
                }
            }
        }
        let mut remarks = unreadable(&active.broken);
        remarks.extend(left_elsewhere(elsewhere, self.elsewhere));
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
        let failed = errors.len();
        let pruned = PrunedSessions { pruned, failed, alive, elsewhere, dry_run: self.dry_run, now: context.now };
        let report = Report::new(pruned);
        Ok(report.remarks(errors).remarks(remarks).remarks(ignored).exit(exit))
    }

    fn json(&self) -> bool {
        self.json
    }
}

impl Prune {
    /// Whether a session is to be archived.
    fn is_over(&self, session: &Session, context: &Context) -> bool {
        let is_lost = session.liveness == Liveness::Elsewhere && !session.counts(context.now);
        session.liveness == Liveness::Stale || (self.elsewhere && is_lost)
    }
}

/// The remark about sessions that cannot be seen from here.
fn left_elsewhere(count: usize, asked: bool) -> Option<String> {
    let (sessions, are) =
        if count == 1 { ("1 session".to_owned(), "is") } else { (format!("{count} sessions"), "are") };
    let hint = if asked {
        "their last event is less than a day old"
    } else {
        "ait sessions prune --elsewhere archives those without an event for a day"
    };
    (count > 0).then(|| {
        format!("{sessions} of another container or machine cannot be seen from here and {are} left alone; {hint}")
    })
}

/// Archives what is not live, as `ait sessions prune` does.
///
/// # Errors
/// If the folder cannot be read.
pub(super) fn prune(context: &Context) -> Result<Report> {
    Prune { dry_run: false, elsewhere: false, json: false }.run(context)
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

impl From<Archived> for Pruned {
    fn from(archived: Archived) -> Pruned {
        let Archived { session, last_seen, day } = archived;
        let Manifest { project, path, task, .. } = *session.manifest;
        Pruned { session_id: session.id, project, path, task, last_seen, history: Some(day.to_string()) }
    }
}

/// A session that a dry run would archive.
impl From<&Session> for Pruned {
    fn from(session: &Session) -> Pruned {
        let Manifest { project, path, task, .. } = &*session.manifest;
        Pruned {
            session_id: session.id.clone(),
            project: project.clone(),
            path: path.clone(),
            task: task.clone(),
            last_seen: session.last_seen(),
            history: None,
        }
    }
}

struct PrunedSessions {
    pruned: Vec<Pruned>,
    /// How many could not be archived.
    failed: usize,
    alive: usize,
    elsewhere: usize,
    dry_run: bool,
    now: Timestamp,
}

#[derive(Serialize)]
struct Json {
    pruned: Vec<PrunedJson>,
    alive: usize,
    elsewhere: usize,
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
        json::object(&Json { pruned, alive: self.alive, elsewhere: self.elsewhere, dry_run: self.dry_run })
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
        text.push_str(&match (self.pruned.len(), self.failed, self.dry_run) {
            (0, 0, _) => format!("Nothing to archive; {alive} live.\n"),
            (count, _, true) => format!("{count} stale, {alive} live. Archive them: ait sessions prune\n"),
            (count, 0, false) => format!("{count} archived, {alive} live.\n"),
            (count, failed, false) => format!("{count} archived, {failed} not archived, {alive} live.\n"),
        });
        text
    }
}

#[cfg(test)]
mod tests {
    use super::left_elsewhere;

    #[test]
    fn the_remark_is_right_for_none_one_and_two_sessions() {
        assert_eq!(left_elsewhere(0, false), None);
        assert!(left_elsewhere(1, false).unwrap().starts_with("1 session of another container or machine cannot"));
        assert!(left_elsewhere(1, true).unwrap().contains(" is left alone; "));
        assert!(left_elsewhere(2, true).unwrap().contains(" are left alone; "));
    }
}
