//! `ait sessions history`: ended sessions, by the local day on which they ended.

use jiff::tz::TimeZone;
use jiff::{Span, Timestamp, ToSpan};
use serde::Serialize;

use super::live::put_heading;
use super::page::{Page, put, put_path};
use super::{Output, fleet};
use crate::error::{Error, Exit, Result};
use crate::render::theme::Role;
use crate::render::{elapsed, json};
use crate::session::manifest::Manifest;
use crate::session::order::{sort_by, sort_by_key};
use crate::session::raw::JsonFields;
use crate::store::history::{self, Day};
use crate::store::root::Root;
use crate::sys::clock;

/// `ait sessions history`
#[derive(Clone, Debug)]
pub struct History {
    /// YYYY-MM-DD, today, yesterday.
    pub date: Option<String>,
    /// So many days, up to `date`.
    pub days: Option<u32>,
    /// Only this project.
    pub project: Option<String>,
    /// Only with this text in task, project, branch or path, whatever its case.
    pub search: Option<String>,
    /// At most so many.
    pub limit: Option<usize>,
    /// JSON.
    pub json: bool,
    /// always, never, auto.
    pub color: Option<String>,
}

#[derive(Serialize)]
struct Report {
    days: Vec<String>,
    sessions: Vec<JsonFields>,
}

/// Shows the sessions of the days asked for, the newest first; it reads the folders of those days and nothing else.
///
/// # Errors
/// Where the day cannot be read as one, or a folder cannot be read.
pub fn run(request: &History) -> Result<Output> {
    let page = Page::choose(request.color.as_deref())?;
    if request.limit == Some(0) {
        return Err(Error::new("reading the command line", "--limit", "0 shows nothing").exit(Exit::NotFound));
    }
    let root = Root::find()?;
    let now = clock::now();
    let zone = clock::time_zone();
    let last = day(request.date.as_deref().unwrap_or("today"), now, &zone)?;
    let wanted = days_up_to(last, request.days.unwrap_or(1));
    let known = history::days(&root)?;

    let mut output = Output::nothing();
    let mut left = request.limit.unwrap_or(usize::MAX);
    let mut found: Vec<(Day, Vec<Manifest>)> = Vec::new();
    for day in known.iter().copied().filter(|day| *day <= last && wanted.is_none_or(|first| *day >= first)) {
        let (mut sessions, broken) = history::read_day(&root, day)?;
        sessions.retain(|manifest| matches(manifest, request));
        sessions.truncate(left);
        left -= sessions.len();
        for broken in broken {
            output = output.remark(format!(
                "reading a manifest: {}: {}; left where it is",
                broken.path.display(),
                broken.why
            ));
        }
        if !sessions.is_empty() {
            found.push((day, sessions));
        }
        if left == 0 {
            break;
        }
    }

    if request.json {
        let report = Report {
            days: found.iter().map(|(day, _)| day.to_string()).collect(),
            sessions: found
                .iter()
                .flat_map(|(_, sessions)| sessions)
                .map(|manifest| fleet::ended_json(manifest, now))
                .collect(),
        };
        output.stdout = json::object(&report).unwrap_or_default();
        return Ok(output);
    }
    if found.is_empty() {
        output.stdout = nothing_found(request, last, &known, &root);
        return Ok(output);
    }
    let blocks: Vec<String> = found.iter().map(|(day, sessions)| block(*day, sessions, page, now, &zone)).collect();
    output.stdout = blocks.join("\n");
    Ok(output)
}

fn day(text: &str, now: Timestamp, zone: &TimeZone) -> Result<Day> {
    let today = Day::of(now, zone);
    let ago = |days: i64| Day(today.0.saturating_sub(days.days()));
    match text {
        "today" => Ok(today),
        "yesterday" => Ok(ago(1)),
        _ => Day::parse(text).ok_or_else(|| {
            Error::new("reading the date", text, "not a day")
                .next("write it as 2025-12-25, today or yesterday")
                .exit(Exit::NotFound)
        }),
    }
}

/// The first of so many days that end with `last`; `None` where that is before all calendars.
fn days_up_to(last: Day, count: u32) -> Option<Day> {
    let before = Span::new().try_days(count.max(1) - 1).ok()?;
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

/// Why a session ended, for people; `None` where that says nothing. The client's own words of SessionEnd, and ours.
fn in_words(reason: &str) -> Option<&str> {
    match reason {
        "clear" => Some("cleared"),
        "prompt_input_exit" => Some("exited"),
        "logout" => Some("logged out"),
        "resume" => Some("resumed another"),
        "replaced" => Some("another took its place"),
        "other" | "" => None,
        // Of a newer client.
        unknown => Some(unknown),
    }
}

fn nothing_found(request: &History, last: Day, known: &[Day], root: &Root) -> String {
    let filtered = if request.project.is_some() || request.search.is_some() { " that match" } else { "" };
    let span = match request.days {
        Some(days) if days > 1 => format!("in the {days} days up to {last}"),
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
            "Days near it with sessions: {}. Type: ait sessions history --date {}\n",
            near.join(", "),
            near.last().map(String::as_str).unwrap_or_default()
        ));
    }
    text
}

fn block(day: Day, sessions: &[Manifest], page: Page, now: Timestamp, zone: &TimeZone) -> String {
    let mut table = page.table(&format!("Sessions ended on {day}"));
    for (number, manifest) in sessions.iter().enumerate() {
        table.row(|line| put_heading(line, Some(number + 1), manifest, now));
        let clock = |time: Option<Timestamp>| match time {
            Some(time) => {
                let time = time.to_zoned(zone.clone());
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
            put_path(line, manifest.path.as_ref());
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
