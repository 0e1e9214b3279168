//! `ait sessions history`: ended sessions, by the local day on which they ended.

use argh::{ArgsInfo, FromArgs};
use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};
use serde::Serialize;

use super::live::put_heading;
use super::{Count, Run, live_sessions, unreadable};
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::render::theme::{ColorChoice, Role};
use crate::render::ui::{Ui, put};
use crate::render::{elapsed, json};
use crate::report::{Data, Report};
use crate::session::json_object::JsonFields;
use crate::session::manifest::Manifest;
use crate::session::order::{sort_by, sort_by_key};
use crate::store::history::{self, Day};
use crate::store::root::Root;

/// list sessions that ended today or on other days
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(
    subcommand,
    name = "history",
    help_triggers("-h", "--help"),
    example = "  ait sessions history --days 7 --project aiterm\n  ait sessions history --date 2025-12-25"
)]
pub struct History {
    /// the day: YYYY-MM-DD, today or yesterday
    #[argh(option, arg_name = "day")]
    date: Option<String>,
    /// number of days, ending with --date or today
    #[argh(option, arg_name = "n")]
    days: Option<Count>,
    /// only this project
    #[argh(option, arg_name = "name")]
    project: Option<String>,
    /// only sessions with this text in task, project, branch or path
    #[argh(option, arg_name = "text")]
    search: Option<String>,
    /// at most this many sessions
    #[argh(option, arg_name = "n")]
    limit: Option<Count>,
    /// also headless runs (claude -p)
    #[argh(switch)]
    headless: bool,
    /// print one JSON object
    #[argh(switch)]
    json: bool,
    /// always, never or auto (the default)
    #[argh(option, arg_name = "when", default = "ColorChoice::Auto")]
    color: ColorChoice,
}

impl Run for History {
    /// Shows the sessions of the days asked for, the newest first; reads the folders of those days and nothing else.
    ///
    /// # Errors
    /// If the day is not one, or a folder cannot be read.
    fn run(&self, context: &Context) -> Result<Report> {
        let root = context.root()?;
        let zone = context.time_zone();
        let last = day(self.date.as_deref().unwrap_or("today"), context.now, &zone)?;
        let wanted = days_up_to(last, self.days.map_or(1, |Count(days)| days));
        let known = history::days(root)?;

        let (mut days, mut unread, mut left_out) = (Vec::new(), Vec::new(), 0);
        let mut left = self.limit.map_or(usize::MAX, |Count(limit)| limit as usize);
        for day in known.iter().copied().filter(|day| *day <= last && wanted.is_none_or(|first| *day >= first)) {
            let (mut sessions, broken) = history::read_day(root, day)?;
            sessions.retain(|manifest| matches(manifest, self));
            let all = sessions.len();
            sessions.retain(|manifest| self.headless || !manifest.headless);
            left_out += all - sessions.len();
            sessions.truncate(left);
            left -= sessions.len();
            unread.extend(broken);
            if !sessions.is_empty() {
                days.push((day, sessions));
            }
            if left == 0 {
                break;
            }
        }
        let hint = if days.is_empty() { nothing_found(self, last, &known, root) } else { String::new() };
        let report = EndedSessions { days, left_out, hint, zone, now: context.now };
        Ok(Report::new(report).remarks(unreadable(&unread)))
    }

    fn json(&self) -> bool {
        self.json
    }

    fn color(&self) -> ColorChoice {
        self.color
    }
}

struct EndedSessions {
    days: Vec<(Day, Vec<Manifest>)>,
    /// How many headless runs were left out.
    left_out: usize,
    /// The text if there are none.
    hint: String,
    zone: TimeZone,
    now: Timestamp,
}

#[derive(Serialize)]
struct Json {
    days: Vec<String>,
    sessions: Vec<JsonFields>,
    /// How many headless runs were left out.
    headless_left_out: usize,
}

impl Data for EndedSessions {
    fn json(&self) -> Option<String> {
        let sessions = self.days.iter().flat_map(|(_, sessions)| sessions);
        json::object(&Json {
            days: self.days.iter().map(|(day, _)| day.to_string()).collect(),
            sessions: sessions.map(|manifest| live_sessions::ended_json(manifest, self.now)).collect(),
            headless_left_out: self.left_out,
        })
    }

    fn text(&self, ui: &Ui) -> String {
        let block = |(day, sessions): &(Day, Vec<Manifest>)| block(*day, sessions, ui, self.now, &self.zone);
        let blocks: Vec<String> = self.days.iter().map(block).collect();
        let text = if blocks.is_empty() { self.hint.clone() } else { blocks.join("\n") };
        let left_out = match self.left_out {
            0 => return text,
            1 => "1 headless run is not listed".to_owned(),
            count => format!("{count} headless runs are not listed"),
        };
        format!("{text}{left_out}; add --headless to list them.\n")
    }
}

pub(super) fn day(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Day> {
    let today = Day::of(now, zone);
    let ago = |days: i64| Day(today.0.saturating_sub(days.days()));
    match text {
        "today" => Ok(today),
        "yesterday" => Ok(ago(1)),
        _ => Day::parse(text).ok_or_else(|| {
            Error::new("reading the date", text, "not a day")
                .hint("write it as 2025-12-25, today or yesterday")
                .exit(Exit::NotFound)
        }),
    }
}

/// The first of `count` days that end with `last`; `None` if that is before the first date of the calendar.
pub(super) fn days_up_to(last: Day, count: u32) -> Option<Day> {
    let before = Span::new().try_days(count - 1).ok()?;
    last.0.checked_sub(before).ok().map(Day)
}

fn matches(manifest: &Manifest, request: &History) -> bool {
    let project = request.project.as_ref().is_none_or(|project| manifest.project.eq_ignore_ascii_case(project));
    let search = request.search.as_ref().is_none_or(|text| {
        let text = text.to_lowercase();
        let fields = [
            manifest.task.as_deref(),
            Some(manifest.project.as_str()),
            manifest.git_branch.as_deref(),
            Some(manifest.path.as_str()),
        ];
        fields.into_iter().flatten().any(|field| field.to_lowercase().contains(&text))
    });
    project && search
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

fn nothing_found(request: &History, last: Day, known: &[Day], root: &Root) -> String {
    let filtered = if request.project.is_some() || request.search.is_some() { " that match" } else { "" };
    let span = match request.days {
        Some(Count(days)) if days > 1 => format!("in the {days} days up to {last}"),
        _ => format!("on {last}"),
    };
    let mut text = format!("No sessions{filtered} ended {span}.\n");
    let mut near: Vec<Day> = known.to_vec();
    sort_by_key(&mut near, |day| (day.0 - last.0).get_days().abs());
    // Sessions that came back leave empty days behind.
    let mut near: Vec<Day> = near.into_iter().filter(|day| history::has_sessions(root, *day)).take(3).collect();
    sort_by(&mut near, Ord::cmp);
    if filtered.is_empty() && !near.is_empty() {
        let near: Vec<String> = near.iter().map(Day::to_string).collect();
        text.push_str(&format!(
            "Nearest days with sessions: {}. Type: ait sessions history --date {}\n",
            near.join(", "),
            near.last().map(String::as_str).unwrap_or_default()
        ));
    }
    text
}

fn block(day: Day, sessions: &[Manifest], ui: &Ui, now: Timestamp, zone: &TimeZone) -> String {
    let mut table = ui.table(&format!("Sessions ended on {day}"));
    for (number, manifest) in sessions.iter().enumerate() {
        table.row(|line| put_heading(line, Some(number + 1), manifest, None, now));
        let clock = |time: Option<Timestamp>| match time {
            Some(time) => {
                let time = time.to_zoned_datetime(zone.clone());
                // Of a session that began on another day, that day too.
                let date = if time.date() == day.0 { String::new() } else { format!("{} ", time.date()) };
                format!("{date}{:02}:{:02}", time.hour(), time.minute())
            }
            None => "?".to_owned(),
        };
        table.row(|line| {
            line.own(format_args!("   {} to {}, ", clock(manifest.started), clock(manifest.ended)));
            line.text(manifest.status.as_deref().unwrap_or("no status"));
            if let Some(reason) = manifest.end_reason.as_deref().and_then(in_words) {
                line.fixed(" (");
                put(line, Role::Dim, reason);
                line.fixed(")");
            }
            for (what, seconds) in [("worked", manifest.worked_seconds), ("waited", manifest.waited_seconds)] {
                if seconds > 0 {
                    line.own(format_args!(", {what} {}", elapsed::Short(seconds)));
                }
            }
        });
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
        table.end_entry();
    }
    table.finish()
}
