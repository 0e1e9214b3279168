//! `ait team`: who works on what today.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::here::{own_records, store_here};
use super::status::time;
use super::sync::refresh;
use crate::commands::hook_response::plural;
use crate::context::Context;
use crate::error::Result;
use crate::render::theme::Role;
use crate::render::ui::{Ui, put};
use crate::render::{elapsed, json};
use crate::report::{Data, Report};
use crate::session::order::{sort_by, sort_by_key};
use crate::store::history::Day;
use crate::team::days::{self, ByMember};
use crate::team::record::{Level, Record};

/// Members with a record in this many days are listed, even without work today.
const RECENT_DAYS: i64 = 7;
/// The news of a running session counts for a day.
const RUNNING_SECONDS: i64 = 86_400;

/// A member, with the sessions of the day.
struct Person {
    id: String,
    name: String,
    is_you: bool,
    heard: i64,
    sessions: Vec<Record>,
}

struct Today {
    project: String,
    day: Date,
    now: i64,
    fetched: i64,
    people: Vec<Person>,
}

/// Shows the team of the repository in the current folder. Fetches first if the store is older than five minutes; without
/// a connection the store is shown, and how old it is.
pub(super) fn today(context: &Context, offline: bool) -> Result<Report> {
    let (mut store, tree) = store_here(context)?;
    let error = if offline { None } else { refresh(context, &mut store, 1) };
    let zone = context.time_zone();
    let day = Day::of(context.now, &zone).0;
    let mut people = vec![you(context, &store, day, &zone)?];
    let records = days::current_records(&store, day, context.now);
    let records = ByMember::new(records);
    let mut remarks: Vec<String> = error.iter().map(ToString::to_string).collect();
    for member in days::members(&store) {
        let is_heard = context.now.as_second().saturating_sub(member.heard) < RUNNING_SECONDS;
        let is_shown =
            |record: &Record| record.is_running() && is_heard || record.days.iter().any(|work| work.day >= day);
        let sessions = records.of(&member.id).iter().map(|(_, record)| record);
        let sessions = sessions.filter(|record| is_shown(record)).cloned().collect();
        if member.rejected > 0 {
            let what = if member.rejected == 1 { "entry" } else { "entries" };
            remarks.push(format!("{} {what} of {} ignored: not valid", member.rejected, member.name));
        }
        people.push(Person { id: member.id, name: member.name, is_you: false, heard: member.heard, sessions });
    }
    remarks.extend(store.state.notes.iter().cloned());
    let project = tree.root.file_name().unwrap_or_default().to_string_lossy().into_owned();
    let today = Today { project, day, now: context.now.as_second(), fetched: store.state.fetched, people };
    Ok(Report::new(today).remarks(remarks))
}

/// The user's own sessions of the day, whether they were sent or not.
fn you(context: &Context, store: &crate::team::store::Store, day: Date, zone: &TimeZone) -> Result<Person> {
    let begin = day.at(0, 0, 0, 0).to_zoned_datetime(zone.clone()).map_or(context.now, |begin| begin.timestamp());
    let mut state = store.state.clone();
    state.not_before = 0;
    state.forgotten.clear();
    let mut sessions = own_records(context, &state, Level::All, begin)?;
    for record in &mut sessions {
        record.days.retain(|work| work.day == day);
    }
    sessions.retain(|record| record.is_running() || !record.days.is_empty());
    let heard = context.now.as_second();
    Ok(Person { id: state.member, name: state.name, is_you: true, heard, sessions })
}

#[derive(Serialize)]
struct Json<'a> {
    day: String,
    fetched: Option<String>,
    members: Vec<JsonMember<'a>>,
}

#[derive(Serialize)]
struct JsonMember<'a> {
    id: &'a str,
    name: &'a str,
    is_you: bool,
    last_heard: Option<String>,
    sessions: Vec<JsonSession<'a>>,
}

impl<'a> JsonMember<'a> {
    fn of(person: &'a Person) -> Self {
        JsonMember {
            id: &person.id,
            name: &person.name,
            is_you: person.is_you,
            last_heard: time(person.heard),
            sessions: person.sessions.iter().map(JsonSession::of).collect(),
        }
    }
}

#[derive(Serialize)]
struct JsonSession<'a> {
    project: &'a str,
    branch: Option<&'a str>,
    started: Option<Timestamp>,
    ended: Option<Timestamp>,
    status: Option<&'a str>,
    worked_seconds: u64,
    waited_seconds: u64,
    commits: &'a [String],
    task: Option<&'a str>,
    title: Option<&'a str>,
    files: &'a [String],
}

impl<'a> JsonSession<'a> {
    fn of(record: &'a Record) -> Self {
        JsonSession {
            project: &record.project,
            branch: record.branch.as_deref(),
            started: record.from,
            ended: record.to,
            status: record.end.as_deref(),
            worked_seconds: worked(record),
            waited_seconds: record.days.iter().map(|day| day.waited).sum(),
            commits: &record.commits,
            task: record.task.as_deref(),
            title: record.title.as_deref(),
            files: &record.files,
        }
    }
}

fn worked(record: &Record) -> u64 {
    record.days.iter().map(|day| day.worked).sum()
}

impl Data for Today {
    fn json(&self) -> Option<String> {
        json::object(&Json {
            day: self.day.to_string(),
            fetched: time(self.fetched),
            members: self.people.iter().map(JsonMember::of).collect(),
        })
    }

    fn text(&self, ui: &Ui) -> String {
        let fetched = match self.fetched {
            0 => "never fetched".to_owned(),
            time => format!("fetched {}", elapsed::Ago(self.ago(time))),
        };
        let mut table = ui.table(&format!("Team of {} today, {fetched}", crate::error::on_one_line(&self.project)));
        for person in self.people.iter().filter(|person| person.is_you || !person.sessions.is_empty()) {
            table.row(|line| {
                put(line, Role::Project, &person.name);
                line.literal(if person.is_you { " (you)" } else { "" });
                if person.sessions.is_empty() {
                    line.literal(" - nothing yet");
                }
            });
            for (branch, sessions) in by_branch(&person.sessions) {
                table.row(|line| {
                    line.literal("   ");
                    put(line, Role::Branch, branch.unwrap_or("no branch"));
                    line.own(format_args!(" - {}", figures(&sessions)));
                });
                for task in tasks(&sessions) {
                    table.row(|line| {
                        line.literal("      Task: ");
                        put(line, Role::Task, task);
                    });
                }
            }
            table.end_entry();
        }
        let quiet = |person: &&Person| {
            !person.is_you && person.sessions.is_empty() && self.now - person.heard < RECENT_DAYS * 86_400
        };
        let mut quiet: Vec<&Person> = self.people.iter().filter(quiet).collect();
        sort_by_key(&mut quiet, |person| person.name.clone());
        if !quiet.is_empty() {
            table.row(|line| line.literal("Heard of recently:"));
        }
        for person in quiet {
            table.row(|line| {
                line.literal("   ");
                line.text(&person.name);
                line.own(format_args!(" - {}", elapsed::Ago(self.ago(person.heard))));
            });
        }
        table.finish()
    }
}

impl Today {
    fn ago(&self, time: i64) -> u64 {
        u64::try_from(self.now.saturating_sub(time)).unwrap_or(0)
    }
}

/// The sessions of each branch, those with the latest start first.
fn by_branch(sessions: &[Record]) -> Vec<(Option<&str>, Vec<&Record>)> {
    let mut branches: Vec<(Option<&str>, Vec<&Record>)> = Vec::new();
    for record in sessions {
        let branch = record.branch.as_deref();
        match branches.iter_mut().find(|(known, _)| *known == branch) {
            Some((_, records)) => records.push(record),
            None => branches.push((branch, vec![record])),
        }
    }
    let latest = |records: &[&Record]| records.iter().filter_map(|record| record.from).max();
    sort_by(&mut branches, |a, b| (latest(&b.1), a.0).cmp(&(latest(&a.1), b.0)));
    branches
}

/// `2h 5m worked, 3 sessions (1 running)`
fn figures(sessions: &[&Record]) -> String {
    let seconds = sessions.iter().map(|record| worked(record)).sum();
    let count = sessions.len();
    let running = sessions.iter().filter(|record| record.is_running()).count();
    let running = if running > 0 { format!(" ({running} running)") } else { String::new() };
    format!("{} worked, {count} session{}{running}", elapsed::Short(seconds), plural(count))
}

/// The tasks and titles of sessions, each once.
fn tasks<'a>(sessions: &[&'a Record]) -> Vec<&'a str> {
    let mut tasks: Vec<&str> = Vec::new();
    for record in sessions {
        let task = record.task.as_deref().or(record.title.as_deref());
        tasks.extend(task.filter(|task| !tasks.contains(task)));
    }
    tasks
}
