//! `ait sessions resume`: the sessions that were interrupted or whose process is gone, and what to type to resume each.
//!
//! Nothing is started without `--go`. Claude Code finds a conversation from the folder it was started in, so the line goes
//! there first; if that folder was a worktree that was removed, the command before it creates the worktree again.

use std::collections::BTreeSet;
use std::path::Path;

use argh::{ArgsInfo, FromArgs};
use jiff::Timestamp;
use serde::Serialize;

use super::live::put_heading;
use super::period::days_up_to;
use super::resume_command::{Lost, push_commands, resume_command};
use super::{Count, Run, foreign_ignored, live_sessions, resume_go, tmux_socket};
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::render::theme::{ColorChoice, Role};
use crate::render::ui::{Ui, put};
use crate::render::{elapsed, json};
use crate::report::{Data, Report};
use crate::session::id::SessionId;
use crate::session::json_object::JsonFields;
use crate::session::manifest::Manifest;
use crate::session::order::sort_by;
use crate::session::time::seconds_between;
use crate::store::active::{self, LOCK_TIMEOUT};
use crate::store::history::{self, Day};
use crate::store::lifecycle;
use crate::store::live::Liveness;
use crate::store::root::Root;
use crate::sys::files;

/// list interrupted sessions, with the command that resumes each
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(
    subcommand,
    name = "resume",
    help_triggers("-h", "--help"),
    example = "  ait sessions resume --days 30\n  ait sessions resume --go",
    note = "Model, permission mode and added folders of the start are repeated; a prompt and",
    note = "options that switch permission questions off are not."
)]
pub struct Resume {
    /// open each in a tmux window where it was, and create its folder again if it was removed
    #[argh(switch)]
    go: bool,
    /// open more than five windows without asking
    #[argh(switch)]
    yes: bool,
    /// number of days of history to search (default: 7)
    #[argh(option, arg_name = "n", default = "DAYS")]
    days: Count,
    /// no longer list a session: its id, the start of its id, or all
    #[argh(option, arg_name = "id")]
    dismiss: Option<String>,
    /// print one JSON object
    #[argh(switch)]
    json: bool,
    /// always, never or auto (the default)
    #[argh(option, arg_name = "when", default = "ColorChoice::Auto")]
    color: ColorChoice,
}

/// How many days of history are searched by default.
const DAYS: Count = Count(7);

impl Run for Resume {
    /// Lists them, the last seen first; or dismisses some of them.
    ///
    /// # Errors
    /// If a folder cannot be read, or no session to dismiss has that id.
    fn run(&self, context: &Context) -> Result<Report> {
        let (lost, foreign) = lost(context, self.days)?;
        let ignored = (foreign > 0).then(|| foreign_ignored(foreign));
        if let Some(wanted) = &self.dismiss {
            return Ok(Report::new(dismiss(&lost, wanted, context)?).remarks(ignored));
        }
        let left_out: Vec<String> = lost.iter().filter_map(Lost::left_out).collect();
        let socket = tmux_socket(context).filter(|_| self.go && !lost.is_empty());
        let typed = (self.go && socket.is_none() && !lost.is_empty())
            .then_some("not inside tmux, so no window was opened; type the commands");
        let report = match socket {
            Some(socket) => resume_go::open_all(lost, &socket, self.yes, context)?,
            None => Report::new(LostSessions { lost, days: self.days.0, now: context.now }),
        };
        Ok(report.remarks(left_out).remarks(typed).remarks(ignored))
    }

    fn json(&self) -> bool {
        self.json
    }

    fn color(&self) -> ColorChoice {
        self.color
    }
}

/// The sessions to resume, and how many manifests belong to other users.
fn lost(context: &Context, days: Count) -> Result<(Vec<Lost>, usize)> {
    let root = context.root()?;
    // Of the live ones the names are enough.
    let mut known = BTreeSet::new();
    let active = active::read_where(root, |session| {
        let is_live = session.liveness != Liveness::Stale;
        if is_live {
            known.insert(session.id.to_string());
        }
        !is_live && (session.manifest.status.is_none() || is_interrupted(&session.manifest))
    })?;
    let mut lost: Vec<(Option<Timestamp>, Manifest)> =
        active.sessions.into_iter().map(|session| (Some(session.last_seen()), *session.manifest)).collect();
    let Count(days) = days;
    let today = Day::of(context.now, &context.time_zone());
    lost.extend(interrupted_in(root, today, days)?);
    // One that came back and runs is not lost; one that was lost twice is listed once.
    sort_by(&mut lost, |(a, one), (b, other)| (b, &one.session_id).cmp(&(a, &other.session_id)));
    lost.retain(|(_, manifest)| known.insert(manifest.session_id.clone()));
    lost.retain(|(_, manifest)| !manifest.dismissed && has_conversation(manifest));
    let lost =
        lost.into_iter().map(|(last_seen, manifest)| Lost { way: resume_command(&manifest), manifest, last_seen });
    Ok((lost.collect(), active.foreign))
}

/// The sessions of the last week that this command lists.
///
/// # Errors
/// If a folder cannot be read.
pub(super) fn interrupted(context: &Context) -> Result<Vec<Manifest>> {
    Ok(lost(context, DAYS)?.0.into_iter().map(|lost| lost.manifest).collect())
}

/// Whether a session in history ended without its user's will. `completed` with the reason `other` is how earlier versions
/// recorded a signal or a closed terminal.
fn is_interrupted(manifest: &Manifest) -> bool {
    match manifest.status.as_deref() {
        Some("pruned" | "interrupted") => true,
        Some("completed") => manifest.end_reason.as_deref() == Some("other"),
        _ => false,
    }
}

/// Whether there is something to resume: Claude Code writes the file of a conversation at the first prompt, and deletes it
/// after some weeks. Where its folder of conversations (`projects/NAME/`) is missing, a missing file proves nothing of a
/// session that was prompted.
pub(super) fn has_conversation(manifest: &Manifest) -> bool {
    let Some(file) = manifest.transcript_path.as_deref().map(Path::new) else { return true };
    let was_prompted = manifest.task_source.is_some() || manifest.worked_seconds > 0;
    let folder = file.parent().filter(|folder| folder.parent().is_some_and(|above| above.ends_with("projects")));
    files::metadata(file).is_ok() || (was_prompted && !folder.is_some_and(files::is_folder))
}

/// Marks these sessions so that they are not listed again.
fn dismiss(lost: &[Lost], wanted: &str, context: &Context) -> Result<Dismissed> {
    let doing = "dismissing a session";
    let ids: Vec<&str> = lost.iter().map(|lost| lost.manifest.session_id.as_str()).collect();
    let chosen: Vec<&str> = match wanted {
        "all" => ids,
        "" => Vec::new(),
        start => ids.into_iter().filter(|id| id.starts_with(start)).collect(),
    };
    match chosen.as_slice() {
        [] if wanted != "all" => {
            let error = Error::new(doing, wanted, "no interrupted session has this id");
            return Err(error.hint("type: ait sessions resume").exit(Exit::NotFound));
        }
        [_, _, ..] if wanted != "all" => {
            let error = Error::new(doing, wanted, format!("{} interrupted sessions match", chosen.len()));
            return Err(error.hint("type more of the id").exit(Exit::NotFound));
        }
        _ => {}
    }
    let mut dismissed = Vec::new();
    for id in chosen {
        let is_done = match SessionId::parse(id) {
            Some(id) => lifecycle::dismiss(context.root()?, &id, LOCK_TIMEOUT)?,
            None => false,
        };
        if !is_done {
            return Err(
                Error::new(doing, id, "it was resumed meanwhile, or another process holds the lock").hint("try again")
            );
        }
        dismissed.push(id.to_owned());
    }
    Ok(Dismissed { dismissed })
}

/// The ids of the sessions that were dismissed.
#[derive(Serialize)]
struct Dismissed {
    dismissed: Vec<String>,
}

impl Data for Dismissed {
    fn json(&self) -> Option<String> {
        json::object(self)
    }

    fn text(&self, _ui: &Ui) -> String {
        match self.dismissed.len() {
            0 => "Nothing to dismiss.\n".to_owned(),
            1 => "Dismissed 1 session.\n".to_owned(),
            count => format!("Dismissed {count} sessions.\n"),
        }
    }
}

/// The sessions of so many days up to today whose last end was an interruption, each with that end.
fn interrupted_in(root: &Root, today: Day, days: u32) -> Result<Vec<(Option<Timestamp>, Manifest)>> {
    let (mut interrupted, mut seen) = (Vec::new(), BTreeSet::new());
    // A first day before all calendars means every day.
    let first = days_up_to(today, days);
    for day in history::days(root)?.into_iter().filter(|day| first.is_none_or(|first| *day >= first)) {
        let (sessions, _) = history::read_day(root, day)?;
        // The last day and the last end come first.
        for manifest in sessions {
            if seen.insert(manifest.session_id.clone()) && is_interrupted(&manifest) {
                interrupted.push((manifest.ended, manifest));
            }
        }
    }
    Ok(interrupted)
}

struct LostSessions {
    lost: Vec<Lost>,
    days: u32,
    now: Timestamp,
}

#[derive(Serialize)]
struct Json {
    sessions: Vec<JsonFields>,
}

impl Data for LostSessions {
    fn json(&self) -> Option<String> {
        json::object(&Json { sessions: self.lost.iter().map(|lost| in_json(lost, self.now)).collect() })
    }

    fn text(&self, ui: &Ui) -> String {
        match (self.lost.is_empty(), self.days) {
            (true, 1) => "No interrupted sessions today.\n".to_owned(),
            (true, days) => format!("No interrupted sessions in the last {days} days.\n"),
            (false, _) => for_people(&self.lost, ui, self.now),
        }
    }
}

fn in_json(lost: &Lost, now: Timestamp) -> JsonFields {
    // It ran no longer than it was seen.
    let mut fields = live_sessions::ended_json(&lost.manifest, lost.last_seen.unwrap_or(now));
    fields.set("last_seen", &lost.last_seen);
    fields.set("folder", &lost.way.folder);
    fields.set("folder_exists", &(lost.way.folder.is_some() && lost.way.restore.is_none()));
    fields.set("restore", &lost.way.restore);
    fields.set("command", &lost.way.command);
    fields.set("not_repeated", &lost.way.left_out);
    fields
}

fn for_people(lost: &[Lost], ui: &Ui, now: Timestamp) -> String {
    let mut table = ui.table("Interrupted Sessions");
    for (position, Lost { manifest, last_seen, .. }) in lost.iter().enumerate() {
        table.row(|line| put_heading(line, Some(position + 1), manifest, None, last_seen.unwrap_or(now)));
        if let Some(last_seen) = last_seen {
            table.row(|line| {
                line.own(format_args!("   last seen {}", elapsed::Ago(seconds_between(*last_seen, now))));
            });
        }
        table.row(|line| {
            line.fixed("   ");
            match manifest.path.as_str() {
                "" => line.fixed("folder unknown"),
                path => ui.put_path(line, Path::new(path)),
            }
        });
        if let Some(task) = &manifest.task {
            table.row(|line| {
                line.fixed("   Task: ");
                put(line, Role::Task, task);
            });
        }
        table.end_entry();
    }
    let mut text = table.finish();
    text.push_str("\nType:\n");
    for (position, Lost { way, .. }) in lost.iter().enumerate() {
        // Outside of the box, whole, and without colours: these are to be copied. What is quoted holds nothing that a
        // terminal would act on, and loses its meaning where a character of it is left out.
        push_commands(&mut text, position + 1, way);
    }
    text
}
