//! `ait report`: what all sessions did in some days, by project, day, branch or task.

use std::str::FromStr;

use argh::{ArgsInfo, FromArgs};
use serde::Serialize;

use super::hook_response::plural;
use super::period::{self, Period};
use super::{Count, Run, team, unreadable};
use crate::config::Key;
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::render::theme::{ColorChoice, Role};
use crate::render::ui::{Ui, put};
use crate::render::{elapsed, json, markdown};
use crate::report::{Data, Report as Output};
use crate::session::summary::{self, By, Group, Summary};

/// show how long all sessions worked, on what, and what they wrote
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(
    subcommand,
    name = "report",
    help_triggers("-h", "--help"),
    example = "  ait report\n  ait report --week -1 --by task --markdown"
)]
pub struct Report {
    /// number of days, ending today
    #[argh(option, arg_name = "n")]
    days: Option<Count>,
    /// the first day: YYYY-MM-DD, today or yesterday
    #[argh(option, arg_name = "day")]
    from: Option<String>,
    /// the last day, with --from (default: today)
    #[argh(option, arg_name = "day")]
    to: Option<String>,
    /// this week, or -1: the week before it
    #[argh(option, arg_name = "n")]
    week: Option<i32>,
    /// only this project
    #[argh(option, arg_name = "name")]
    project: Option<String>,
    /// project (the default), day, branch or task
    #[argh(option, arg_name = "group")]
    by: Option<By>,
    /// the work of the whole team of this repository; see ait team
    #[argh(switch)]
    team: bool,
    /// only this member of the team
    #[argh(option, arg_name = "name")]
    member: Option<String>,
    /// print Markdown, for a note or a time sheet
    #[argh(switch)]
    markdown: bool,
    /// print one JSON object
    #[argh(switch)]
    json: bool,
    /// always, never or auto (the default)
    #[argh(option, arg_name = "when", default = "ColorChoice::Auto")]
    color: ColorChoice,
}

impl FromStr for By {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<By, &'static str> {
        let known = [By::Project, By::Day, By::Branch, By::Task].into_iter().find(|by| name_of(*by) == text);
        known.ok_or("expected project, day, branch or task")
    }
}

fn name_of(by: By) -> &'static str {
    match by {
        By::Project => "project",
        By::Day => "day",
        By::Branch => "branch",
        By::Task => "task",
    }
}

impl Run for Report {
    /// Sums up the sessions that ended in these days or later, and those that are running.
    ///
    /// # Errors
    /// If the days are none, or a folder cannot be read.
    fn run(&self, context: &Context) -> Result<Output> {
        if self.markdown && self.json {
            let error = Error::new("reading the command line", "--markdown, --json", "only one of them is possible");
            return Err(error.exit(Exit::NotFound));
        }
        let by = self.by.or_else(|| context.config().text(Key::ReportBy)?.parse().ok()).unwrap_or(By::Project);
        let no_days = self.days.is_none() && self.from.is_none() && self.to.is_none() && self.week.is_none();
        let configured = if no_days { context.config().number(Key::ReportDays) } else { None };
        let days = self.days.or_else(|| Count::new(configured?));
        let zone = context.time_zone();
        let period = Period::new(days, self.from.as_deref(), self.to.as_deref(), self.week, context.now, &zone)?;
        if self.team || self.member.is_some() {
            let (project, member) = (self.project.clone(), self.member.clone());
            let wanted = team::Wanted { by, by_name: name_of(by), project, member };
            return team::report(context, period, wanted, self.markdown);
        }
        let (mut sessions, broken) = period::sessions(context, period.first)?;
        sessions.retain(|session| {
            self.project.as_ref().is_none_or(|name| session.manifest.project.eq_ignore_ascii_case(name))
        });
        let (headless, attended): (Vec<_>, Vec<_>) =
            sessions.into_iter().partition(|session| session.manifest.headless);
        let days = period.days(&zone);
        let summary = summary::summarize(&attended, &days, by);
        let headless = summary::summarize(&headless, &days, By::Project).total;
        let is_empty = summary.groups.is_empty() && headless.sessions == 0 && summary.untimed_sessions == 0;
        let nothing = || period.nothing(context, self.project.is_some(), "ait report --from");
        let hint = if is_empty { nothing() } else { String::new() };
        let data = Work { period, by, summary, headless, markdown: self.markdown, hint };
        Ok(Output::new(data).remarks(unreadable(&broken)))
    }

    fn json(&self) -> bool {
        self.json
    }

    fn color(&self) -> ColorChoice {
        self.color
    }
}

struct Work {
    period: Period,
    by: By,
    summary: Summary,
    headless: Group,
    markdown: bool,
    /// What to print if there is nothing.
    hint: String,
}

#[derive(Serialize)]
struct Json<'a> {
    from: String,
    to: String,
    by: &'a str,
    groups: &'a [Group],
    total: &'a Group,
    headless: &'a Group,
    untimed_sessions: usize,
    untimed_seconds: u64,
}

impl Data for Work {
    fn json(&self) -> Option<String> {
        json::object(&Json {
            from: self.period.first.to_string(),
            to: self.period.last.to_string(),
            by: name_of(self.by),
            groups: &self.summary.groups,
            total: &self.summary.total,
            headless: &self.headless,
            untimed_sessions: self.summary.untimed_sessions,
            untimed_seconds: self.summary.untimed_seconds,
        })
    }

    fn text(&self, ui: &Ui) -> String {
        let mut text = match (self.hint.is_empty(), self.markdown) {
            (false, _) => self.hint.clone(),
            (true, true) => self.as_markdown(),
            (true, false) => self.as_table(ui),
        };
        let Summary { untimed_sessions, untimed_seconds, .. } = self.summary;
        if untimed_sessions > 0 {
            let worked = elapsed::Short(untimed_seconds);
            let sessions = count(untimed_sessions, "session");
            text.push_str(&format!(
                "{}Not included: {worked} that {sessions} worked before ait recorded times.\n",
                if self.markdown { "\n" } else { "" }
            ));
        }
        text
    }
}

impl Work {
    /// The groups with their names; at the end all of them, if there are several, and the headless runs.
    fn sections(&self) -> Vec<(&str, &Group)> {
        let Summary { groups, total, .. } = &self.summary;
        let none = match self.by {
            By::Branch => "no branch",
            By::Task => "no task",
            By::Project | By::Day => "unknown",
        };
        let mut sections: Vec<(&str, &Group)> =
            groups.iter().map(|group| (group.name.as_deref().unwrap_or(none), group)).collect();
        if groups.len() > 1 {
            sections.push(("Total", total));
        }
        if self.headless.sessions > 0 {
            sections.push(("Headless", &self.headless));
        }
        sections
    }

    /// The details of a group: a label, a name, and a number. The total repeats none.
    fn details<'a>(&self, name: &str, group: &'a Group) -> Vec<(&'static str, &'a str, String)> {
        let mut details = Vec::new();
        if matches!(name, "Total" | "Headless") {
            return details;
        }
        for (by, label, none, shares) in [
            (By::Project, "Project", "", &group.projects),
            (By::Task, "Task", "no task", &group.tasks),
            (By::Branch, "Branch", "no branch", &group.branches),
        ] {
            for share in shares.iter().filter(|_| by != self.by) {
                let name = share.name.as_deref().unwrap_or(none);
                details.push((label, name, elapsed::Short(share.worked_seconds).text()));
            }
        }
        for commit in &group.commits {
            let id = commit.id.get(..8).unwrap_or(&commit.id);
            details.push(("Commit", &commit.subject, id.to_owned()));
        }
        for file in &group.files {
            details.push(("Wrote", &file.path, count(file.sessions, "session")));
        }
        details
    }

    /// Numbers come before names: a long name is cut at the width of the terminal.
    fn as_table(&self, ui: &Ui) -> String {
        let mut table = ui.table(&format!("Work {}", self.period));
        for (name, group) in self.sections() {
            table.row(|line| {
                put(line, Role::Project, name);
                line.own(format_args!(" - {}", figures(group)));
            });
            let more = more_figures(group);
            if !more.is_empty() {
                table.row(|line| line.own(format_args!("   {}", more.join(", "))));
            }
            for (label, name, number) in self.details(name, group) {
                table.row(|line| {
                    line.own(format_args!("   {label} ({number}): "));
                    put(line, if label == "Task" { Role::Task } else { Role::Plain }, name);
                });
            }
            table.end_entry();
        }
        table.finish()
    }

    fn as_markdown(&self) -> String {
        let mut text = format!("## Work {}\n", self.period);
        for (name, group) in self.sections() {
            let figures: Vec<String> = std::iter::once(figures(group)).chain(more_figures(group)).collect();
            text.push_str(&format!("\n**{}**: {}\n", markdown::escape(name), figures.join(", ")));
            let mut gap = "\n";
            for (label, name, number) in self.details(name, group) {
                text.push_str(&format!("{gap}- {label}: {} ({number})\n", markdown::escape(name)));
                gap = "";
            }
        }
        text
    }
}

/// `2h 5m worked, 3 sessions (1 running)`
fn figures(group: &Group) -> String {
    let running = if group.running > 0 { format!(" ({} running)", group.running) } else { String::new() };
    format!("{} worked, {}{running}", elapsed::Short(group.worked_seconds), count(group.sessions, "session"))
}

/// `1h wall time`, `12m blocked`, `4 files written`
fn more_figures(group: &Group) -> Vec<String> {
    let mut figures = Vec::new();
    // Below a minute it is not shown either.
    if group.wall_seconds + 60 <= group.worked_seconds {
        figures.push(format!("{} wall time", elapsed::Short(group.wall_seconds)));
    }
    if group.blocked_seconds > 0 {
        figures.push(format!("{} blocked", elapsed::Short(group.blocked_seconds)));
    }
    if group.commits_made > 0 {
        figures.push(count(group.commits_made, "commit"));
    }
    if group.files_written > 0 {
        figures.push(format!("{} written", count(group.files_written, "file")));
    }
    figures
}

fn count(number: usize, what: &str) -> String {
    format!("{number} {what}{}", plural(number))
}
