//! `ait report --team`: what the members of a team did in some days, by project, day, branch or task.

use std::collections::HashSet;

use serde::Serialize;

use super::status::time;
use super::work::TeamWork;
use crate::commands::hook_response::plural;
use crate::commands::period::Period;
use crate::context::Context;
use crate::error::Result;
use crate::render::theme::Role;
use crate::render::ui::{Ui, put};
use crate::render::{elapsed, json, markdown};
use crate::report::{Data, Report};
use crate::session::order::sort_by;
use crate::session::summary::By;
use crate::team::record::Record;

/// The options of the report.
pub(in crate::commands) struct Wanted {
    /// What makes a group.
    pub(in crate::commands) by: By,
    /// The word for it.
    pub(in crate::commands) by_name: &'static str,
    /// Only this project.
    pub(in crate::commands) project: Option<String>,
    /// Only this member.
    pub(in crate::commands) member: Option<String>,
}

/// What was done in one group.
#[derive(Default, Serialize)]
struct Group {
    name: Option<String>,
    sessions: usize,
    running: usize,
    worked_seconds: u64,
    blocked_seconds: u64,
    commits: usize,
    /// Who: the user first, the others by name.
    members: Vec<String>,
    tasks: Vec<String>,
    #[serde(skip)]
    seen: HashSet<(String, String)>,
    #[serde(skip)]
    seen_commits: HashSet<String>,
}

struct Work {
    period: Period,
    by: &'static str,
    member: Option<String>,
    now: i64,
    fetched: i64,
    groups: Vec<Group>,
    total: Group,
    markdown: bool,
}

/// Sums up the records of the members in a period. Fetches first if the store is old or does not reach back far enough.
///
/// # Errors
/// If this repository does not share, or there is no such member.
pub(in crate::commands) fn report(context: &Context, period: Period, wanted: Wanted, markdown: bool) -> Result<Report> {
    let team = TeamWork::read(context, &period, wanted.member.as_deref())?;
    let mut groups: Vec<Group> = Vec::new();
    let mut total = Group::default();
    for member in &team.members {
        for record in team.records(member, wanted.project.as_deref()) {
            for work in record.days.iter().filter(|work| period.contains(work.day)) {
                let name = match wanted.by {
                    By::Project => Some(record.project.clone()),
                    By::Day => Some(work.day.to_string()),
                    By::Branch => record.branch.clone(),
                    By::Task => record.task.clone().or(record.title.clone()),
                };
                let at = groups.iter().position(|group| group.name == name).unwrap_or_else(|| {
                    groups.push(Group { name, ..Group::default() });
                    groups.len() - 1
                });
                for group in groups.get_mut(at).into_iter().chain([&mut total]) {
                    group.add(&member.id, &member.name, record, work.worked, work.waited);
                }
            }
        }
    }
    match wanted.by {
        By::Day => sort_by(&mut groups, |a, b| a.name.cmp(&b.name)),
        _ => sort_by(&mut groups, |a, b| (b.worked_seconds, &a.name).cmp(&(a.worked_seconds, &b.name))),
    }
    let (now, fetched) = (context.now.as_second(), team.fetched);
    let work = Work { period, by: wanted.by_name, member: wanted.member, now, fetched, groups, total, markdown };
    Ok(Report::new(work).remarks(team.problem))
}

impl Group {
    fn add(&mut self, id: &str, name: &str, record: &Record, worked: u64, waited: u64) {
        self.worked_seconds = self.worked_seconds.saturating_add(worked);
        self.blocked_seconds = self.blocked_seconds.saturating_add(waited);
        if !self.members.iter().any(|known| known == name) {
            self.members.push(name.to_owned());
        }
        let task = record.task.as_ref().or(record.title.as_ref());
        if let Some(task) = task.filter(|task| !self.tasks.contains(task)) {
            self.tasks.push(task.clone());
        }
        for commit in &record.commits {
            self.commits += usize::from(self.seen_commits.insert(commit.clone()));
        }
        match record.sessions {
            Some(count) => self.sessions += usize::try_from(count).unwrap_or(0),
            None if self.seen.insert((id.to_owned(), record.session.clone())) => {
                self.sessions += 1;
                self.running += usize::from(record.is_running());
            }
            None => {}
        }
    }

    /// `5h worked, 7 sessions (1 running), 3 commits`
    fn figures(&self) -> String {
        let running = if self.running > 0 { format!(" ({} running)", self.running) } else { String::new() };
        let mut text = format!(
            "{} worked, {} session{}{running}",
            elapsed::Short(self.worked_seconds),
            self.sessions,
            plural(self.sessions)
        );
        if self.blocked_seconds > 0 {
            text.push_str(&format!(", {} blocked", elapsed::Short(self.blocked_seconds)));
        }
        if self.commits > 0 {
            text.push_str(&format!(", {} commit{}", self.commits, plural(self.commits)));
        }
        text
    }
}

#[derive(Serialize)]
struct Json<'a> {
    from: String,
    to: String,
    by: &'a str,
    member: Option<&'a str>,
    fetched: Option<String>,
    groups: &'a [Group],
    total: &'a Group,
}

impl Work {
    fn none(&self) -> &'static str {
        match self.by {
            "branch" => "no branch",
            "task" => "no task",
            _ => "unknown",
        }
    }

    fn sections(&self) -> Vec<(&str, &Group)> {
        let mut sections: Vec<(&str, &Group)> =
            self.groups.iter().map(|group| (group.name.as_deref().unwrap_or(self.none()), group)).collect();
        if self.groups.len() > 1 {
            sections.push(("Total", &self.total));
        }
        sections
    }

    fn title(&self) -> String {
        let who = self.member.as_ref().map_or("Team work".to_owned(), |name| format!("Work of {name}"));
        let fetched = match self.fetched {
            0 => "never fetched".to_owned(),
            time => format!("fetched {}", elapsed::Ago(u64::try_from(self.now - time).unwrap_or(0))),
        };
        crate::error::on_one_line(&format!("{who} {}, {fetched}", self.period))
    }
}

impl Data for Work {
    fn json(&self) -> Option<String> {
        json::object(&Json {
            from: self.period.first.to_string(),
            to: self.period.last.to_string(),
            by: self.by,
            member: self.member.as_deref(),
            fetched: time(self.fetched),
            groups: &self.groups,
            total: &self.total,
        })
    }

    fn text(&self, ui: &Ui) -> String {
        if self.groups.is_empty() {
            return format!("No work of the team is recorded {}.\n", self.period);
        }
        if self.markdown {
            return self.as_markdown();
        }
        let mut table = ui.table(&self.title());
        for (name, group) in self.sections() {
            table.row(|line| {
                put(line, Role::Project, name);
                line.own(format_args!(" - {}", group.figures()));
            });
            if name != "Total" && self.member.is_none() {
                table.row(|line| {
                    line.literal("   Who: ");
                    line.text(&group.members.join(", "));
                });
            }
            for task in group.tasks.iter().filter(|task| name != "Total" && *task != name) {
                table.row(|line| {
                    line.literal("   Task: ");
                    put(line, Role::Task, task);
                });
            }
            table.end_entry();
        }
        table.finish()
    }
}

impl Work {
    fn as_markdown(&self) -> String {
        let mut text = format!("## {}\n", markdown::escape(&self.title()));
        for (name, group) in self.sections() {
            text.push_str(&format!("\n**{}**: {}\n", markdown::escape(name), group.figures()));
            if name == "Total" {
                continue;
            }
            let mut gap = "\n";
            let who = Some(("Who", group.members.join(", "))).filter(|_| self.member.is_none());
            let tasks = group.tasks.iter().filter(|task| *task != name).map(|task| ("Task", task.clone()));
            for (label, entry) in who.into_iter().chain(tasks) {
                text.push_str(&format!("{gap}- {label}: {}\n", markdown::escape(&entry)));
                gap = "";
            }
        }
        text
    }
}
