//! The list of `ait sessions history`, as text and as JSON.

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::live::put_heading;
use super::live_sessions;
use super::resume_command::{push_commands, resume_command};
use crate::render::line::Line;
use crate::render::theme::Role;
use crate::render::ui::{Ui, put};
use crate::render::{elapsed, json};
use crate::report::Data;
use crate::session::json_object::JsonFields;
use crate::session::manifest::Manifest;
use crate::store::history::Day;

/// Whether a session that is still in `active` runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Unfinished {
    /// It runs.
    Running,
    /// Its process is gone.
    Stale,
}

/// A session to be listed.
pub(super) struct Listed {
    /// Its manifest, with its activity up to now.
    pub(super) manifest: Manifest,
    /// `None` if it ended.
    pub(super) unfinished: Option<Unfinished>,
    /// When it ended or was last seen; of a running one: now.
    pub(super) end: Timestamp,
}

impl Listed {
    /// A session of history that ended on a day.
    pub(super) fn ended(manifest: Manifest, day: Day, zone: &TimeZone) -> Listed {
        let end = manifest.ended.unwrap_or_else(|| day.begin(zone));
        Listed { manifest, unfinished: None, end }
    }

    /// Its status: that of its manifest if it ended.
    pub(super) fn status(&self) -> Option<&str> {
        match self.unfinished {
            Some(Unfinished::Running) => Some("running"),
            Some(Unfinished::Stale) => Some("stale"),
            None => self.manifest.status.as_deref(),
        }
    }

    /// A list is ordered by this, the greatest first. `ended` has whole seconds, `updated` has more.
    pub(super) fn order(&self) -> (bool, Timestamp, Option<Timestamp>, &str) {
        let is_running = self.unfinished == Some(Unfinished::Running);
        (is_running, self.end, self.manifest.updated, &self.manifest.session_id)
    }

    /// `10:00 to 12:03`, with the dates that are not that of the day.
    pub(super) fn put_times(&self, line: &mut Line, day: Day, zone: &TimeZone) {
        let clock = |time: Option<Timestamp>| match time {
            Some(time) => {
                let time = time.to_zoned_datetime(zone.clone());
                let date = if time.date() == day.0 { String::new() } else { format!("{} ", time.date()) };
                format!("{date}{:02}:{:02}", time.hour(), time.minute())
            }
            None => "?".to_owned(),
        };
        let end = match self.unfinished {
            Some(Unfinished::Running) => "now".to_owned(),
            Some(Unfinished::Stale) => clock(Some(self.end)),
            None => clock(self.manifest.ended),
        };
        line.own(format_args!("{} to {end}", clock(self.manifest.started)));
    }
}

/// The sessions of some days.
pub(super) struct Sessions {
    pub(super) days: Vec<(Day, Vec<Listed>)>,
    /// How many headless runs were left out.
    pub(super) left_out: usize,
    /// The text if there are none.
    pub(super) hint: String,
    pub(super) zone: TimeZone,
    pub(super) now: Timestamp,
    /// Also show the command that resumes each.
    pub(super) resumable: bool,
}

#[derive(Serialize)]
struct Json {
    days: Vec<String>,
    sessions: Vec<JsonFields>,
    /// How many headless runs were left out.
    headless_left_out: usize,
}

impl Data for Sessions {
    fn json(&self) -> Option<String> {
        let fields = |listed: &Listed| in_json(listed, self.now, self.resumable);
        json::object(&Json {
            days: self.days.iter().map(|(day, _)| day.to_string()).collect(),
            sessions: self.days.iter().flat_map(|(_, sessions)| sessions).map(fields).collect(),
            headless_left_out: self.left_out,
        })
    }

    fn text(&self, ui: &Ui) -> String {
        let blocks: Vec<String> = self.days.iter().map(|(day, sessions)| self.block(*day, sessions, ui)).collect();
        let text = if blocks.is_empty() { self.hint.clone() } else { blocks.join("\n") };
        let left_out = match self.left_out {
            0 => return text,
            1 => "1 headless run is not listed".to_owned(),
            count => format!("{count} headless runs are not listed"),
        };
        format!("{text}{left_out}; add --headless to list them.\n")
    }
}

/// A session as `--json` shows it.
pub(super) fn in_json(listed: &Listed, now: Timestamp, resumable: bool) -> JsonFields {
    let mut fields = live_sessions::ended_json(&listed.manifest, now);
    fields.set("status", &listed.status());
    fields.set("running", &(listed.unfinished == Some(Unfinished::Running)));
    if resumable {
        fields.set("command", &resume_command(&listed.manifest).command);
    }
    fields
}

impl Sessions {
    fn block(&self, day: Day, sessions: &[Listed], ui: &Ui) -> String {
        let all = self.days.iter().flat_map(|(_, sessions)| sessions);
        let ids: Vec<&str> = all.map(|listed| listed.manifest.session_id.as_str()).collect();
        let mut table = ui.table(&format!("Sessions on {day}"));
        for (number, listed) in sessions.iter().enumerate() {
            let manifest = &listed.manifest;
            let now = if listed.unfinished.is_some() { listed.end } else { self.now };
            table.row(|line| put_heading(line, Some(number + 1), manifest, None, now));
            table.row(|line| self.put_course(line, listed, day));
            table.row(|line| {
                line.fixed("   ");
                ui.put_path(line, manifest.path.as_ref());
            });
            if let Some(task) = &manifest.task {
                table.row(|line| {
                    line.fixed("   Task: ");
                    put(line, Role::Task, task);
                });
            }
            table.row(|line| {
                line.fixed("   Session: ");
                line.text(live_sessions::shortest_unique(&manifest.session_id, &ids));
            });
            table.end_entry();
        }
        let mut text = table.finish();
        if self.resumable {
            text.push_str("\nType:\n");
            for (number, listed) in sessions.iter().enumerate() {
                push_commands(&mut text, number + 1, &resume_command(&listed.manifest));
            }
        }
        text
    }

    /// When it ran, how it ended, and how long it worked and waited.
    fn put_course(&self, line: &mut Line, listed: &Listed, day: Day) {
        let manifest = &listed.manifest;
        line.fixed("   ");
        listed.put_times(line, day, &self.zone);
        line.fixed(", ");
        match listed.unfinished {
            Some(Unfinished::Running) => put(line, Role::Working, "running"),
            Some(Unfinished::Stale) => line.fixed("stale: its process no longer exists"),
            None => line.text(manifest.status.as_deref().unwrap_or("no status")),
        }
        if let Some(reason) = manifest.end_reason.as_deref().and_then(in_words) {
            line.fixed(" (");
            put(line, Role::Dim, reason);
            line.fixed(")");
        }
        for (what, seconds) in [("worked", manifest.worked_seconds), ("waited", manifest.waited_seconds)] {
            // Less than a minute is not worth a word.
            if seconds >= 60 {
                line.own(format_args!(", {what} {}", elapsed::Short(seconds)));
            }
        }
    }
}

/// Why a session ended, for people; `None` if the reason says nothing. The reasons of SessionEnd, and those of ait.
fn in_words(reason: &str) -> Option<&str> {
    match reason {
        "clear" => Some("cleared"),
        "prompt_input_exit" => Some("exited"),
        "logout" => Some("logged out"),
        "resume" => Some("switched to another session"),
        "replaced" => Some("replaced by another session"),
        "other" | "" => None,
        // Of a newer client.
        unknown => Some(unknown),
    }
}
