//! `ait timeline`: when each session worked, was blocked and was idle, as text, SVG, HTML or JSON.

use std::path::Path;

use argh::{ArgsInfo, FromArgs};
use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::hook_response::plural;
use super::period::{self, Period};
use super::{Count, Run, team, unreadable};
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::render::theme::ColorChoice;
use crate::render::timeline::{Chart, Group, HTML_START, Row, SVG_START};
use crate::render::ui::Ui;
use crate::render::{elapsed, json};
use crate::report::{Data, Report};
use crate::session::activity::{Kind, in_force_at};
use crate::session::order::sort_by_key;
use crate::session::summary::SessionActivity;
use crate::session::time::whole_seconds;
use crate::session::timeline::{self, Bar};
use crate::store::history::Day;
use crate::sys::atomic_edit::{AtomicEdit, Change};
use crate::sys::env::PathArgument;
use crate::sys::files;

/// The days of a timeline of the team, if none are chosen.
const TEAM_DAYS: usize = 7;

/// show when each session worked, was blocked and was idle
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(
    subcommand,
    name = "timeline",
    help_triggers("-h", "--help"),
    example = "  ait timeline\n  ait timeline --days 7 --html week.html\n  ait timeline --team"
)]
pub struct Timeline {
    /// the day: YYYY-MM-DD, today (the default) or yesterday
    #[argh(option, arg_name = "day")]
    date: Option<String>,
    /// number of days, ending today
    #[argh(option, arg_name = "n")]
    days: Option<Count>,
    /// only this project
    #[argh(option, arg_name = "name")]
    project: Option<String>,
    /// on which days each member of this repository's team worked; see ait team
    #[argh(switch)]
    team: bool,
    /// only this member of the team
    #[argh(option, arg_name = "name")]
    member: Option<String>,
    /// also headless runs (claude -p)
    #[argh(switch)]
    headless: bool,
    /// write an SVG image to this file; - is standard output
    #[argh(option, arg_name = "file")]
    svg: Option<PathArgument>,
    /// write an HTML page to this file; - is standard output
    #[argh(option, arg_name = "file")]
    html: Option<PathArgument>,
    /// print one JSON object
    #[argh(switch)]
    json: bool,
    /// always, never or auto (the default)
    #[argh(option, arg_name = "when", default = "ColorChoice::Auto")]
    color: ColorChoice,
}

/// A session with what is shown of it.
struct Shown {
    session: SessionActivity,
    bars: Vec<Bar>,
    worked: u64,
    blocked: u64,
    task: Option<String>,
    branch: Option<String>,
}

impl Run for Timeline {
    /// Shows the sessions that were open in these days; with a file, writes it.
    ///
    /// # Errors
    /// If the days are none, a folder cannot be read, or the file cannot be written or was not written by `ait timeline`.
    fn run(&self, context: &Context) -> Result<Report> {
        self.check()?;
        let zone = context.time_zone();
        let date = self.date.as_deref();
        let is_team = self.team || self.member.is_some();
        let days = self.days.or_else(|| Count::new(TEAM_DAYS).filter(|_| is_team && date.is_none()));
        let period = Period::new(days, date, date, None, context.now, &zone)?;
        if is_team {
            return self.team(context, period);
        }
        let (sessions, broken) = period::sessions(context, period.first)?;
        let days = period.days(&zone);
        let begin = days.first().map_or(context.now, |day| day.from);
        let end = days.last().map_or(context.now, |day| day.to);
        let is_wanted = |session: &SessionActivity| {
            self.project.as_ref().is_none_or(|name| session.manifest.project.eq_ignore_ascii_case(name))
        };
        let now = whole_seconds(context.now);
        let shown = |session| shown(session, begin, end.min(now), now);
        let mut sessions: Vec<Shown> =
            sessions.into_iter().filter(is_wanted).map(shown).filter(|shown| !shown.bars.is_empty()).collect();
        let all = sessions.len();
        sessions.retain(|shown| self.headless || !shown.session.manifest.headless);
        let left_out = all - sessions.len();
        let order = |shown: &Shown| (shown.bars.first().map(|bar| bar.from), shown.session.manifest.session_id.clone());
        sort_by_key(&mut sessions, order);
        let hint = match sessions.is_empty() {
            true => period.nothing(context, self.project.is_some(), "ait timeline --date"),
            false => String::new(),
        };
        let now = Some(now).filter(|now| *now < end);
        let entries = Entries { sessions, left_out, begin, end, now, zone, hint, period };
        let report = match self.write(context, &|| entries.chart())? {
            Some(report) => report,
            None => Report::new(entries),
        };
        Ok(report.remarks(unreadable(&broken)))
    }

    fn json(&self) -> bool {
        self.json
    }

    fn color(&self) -> ColorChoice {
        self.color
    }
}

impl Timeline {
    fn team(&self, context: &Context, period: Period) -> Result<Report> {
        let mut timeline = team::timeline(context, period, self.project.as_deref(), self.member.as_deref())?;
        let problem = timeline.problem.take();
        let report = match self.write(context, &|| timeline.chart())? {
            Some(report) => report,
            None => Report::new(timeline),
        };
        Ok(report.remarks(problem))
    }

    /// Writes the chart to the file that was asked for, if any.
    fn write(&self, context: &Context, chart: &dyn Fn() -> Chart) -> Result<Option<Report>> {
        match (&self.svg, &self.html) {
            (Some(path), _) => write(context, path, chart().svg(), SVG_START).map(Some),
            (_, Some(path)) => write(context, path, chart().html(), HTML_START).map(Some),
            (None, None) => Ok(None),
        }
    }

    /// Refuses options of which only one is possible.
    fn check(&self) -> Result<()> {
        let periods = [("--date", self.date.is_some()), ("--days", self.days.is_some())];
        let outputs = [("--svg", self.svg.is_some()), ("--html", self.html.is_some()), ("--json", self.json)];
        for options in [&periods[..], &outputs[..]] {
            let given: Vec<&str> = options.iter().filter(|(_, is_given)| *is_given).map(|(name, _)| *name).collect();
            if given.len() > 1 {
                let error = Error::new("reading the command line", given.join(", "), "only one of them is possible");
                return Err(error.exit(Exit::NotFound));
            }
        }
        Ok(())
    }
}

fn shown(session: SessionActivity, begin: Timestamp, end: Timestamp, now: Timestamp) -> Shown {
    let bars = timeline::bars(&session, begin, end, now);
    let SessionActivity { manifest, activity, .. } = &session;
    let seconds = |kind| {
        let parts = activity.spans.iter().filter(|span| span.kind == kind);
        parts.filter_map(|span| span.within(begin, end)).map(|part| part.seconds).sum()
    };
    // What was in force at the end of what is shown.
    let last = bars.iter().map(|bar| bar.to).max().unwrap_or(end);
    let text = |text: Option<&str>| text.map(str::to_owned).filter(|text| !text.trim().is_empty());
    Shown {
        worked: seconds(Kind::Working),
        blocked: seconds(Kind::Blocked),
        task: text(in_force_at(&activity.tasks, manifest.task.as_deref(), last)),
        branch: text(in_force_at(&activity.branches, manifest.git_branch.as_deref(), last)),
        bars,
        session,
    }
}

struct Entries {
    sessions: Vec<Shown>,
    /// How many headless runs were left out.
    left_out: usize,
    begin: Timestamp,
    end: Timestamp,
    now: Option<Timestamp>,
    zone: TimeZone,
    /// What to print if there are no sessions.
    hint: String,
    period: Period,
}

#[derive(Serialize)]
struct Json<'a> {
    from: String,
    to: String,
    begin: Timestamp,
    end: Timestamp,
    sessions: Vec<JsonSession<'a>>,
    headless_left_out: usize,
}

#[derive(Serialize)]
struct JsonSession<'a> {
    session_id: &'a str,
    project: &'a str,
    task: Option<&'a str>,
    git_branch: Option<&'a str>,
    path: &'a str,
    started: Option<Timestamp>,
    ended: Option<Timestamp>,
    running: bool,
    headless: bool,
    timed: bool,
    worked_seconds: u64,
    blocked_seconds: u64,
    bars: &'a [Bar],
}

fn json_session(shown: &Shown) -> JsonSession<'_> {
    let SessionActivity { manifest, running, .. } = &shown.session;
    JsonSession {
        session_id: &manifest.session_id,
        project: &manifest.project,
        task: shown.task.as_deref(),
        git_branch: shown.branch.as_deref(),
        path: &manifest.path,
        started: manifest.started,
        ended: manifest.ended,
        running: *running,
        headless: manifest.headless,
        timed: !timeline::is_untimed(&shown.session),
        worked_seconds: shown.worked,
        blocked_seconds: shown.blocked,
        bars: &shown.bars,
    }
}

impl Data for Entries {
    fn json(&self) -> Option<String> {
        json::object(&Json {
            from: self.period.first.to_string(),
            to: self.period.last.to_string(),
            begin: self.begin,
            end: self.end,
            sessions: self.sessions.iter().map(json_session).collect(),
            headless_left_out: self.left_out,
        })
    }

    fn text(&self, ui: &Ui) -> String {
        if !self.sessions.is_empty() {
            return self.chart().text(ui);
        }
        let mut text = self.hint.clone();
        for (label, note) in self.notes() {
            ui.sentence(&mut text, label, &note);
        }
        text
    }
}

impl Entries {
    fn chart(&self) -> Chart {
        let (from, to) = self.axis();
        let mut chart = Chart {
            title: format!("Timeline {}", self.period),
            from,
            to,
            now: self.now,
            zone: self.zone.clone(),
            groups: Vec::new(),
            notes: self.hint.lines().map(|line| ("", line.to_owned())).chain(self.notes()).collect(),
        };
        let mut projects: Vec<&str> = Vec::new();
        for shown in &self.sessions {
            if !projects.contains(&&*shown.session.manifest.project) {
                projects.push(&shown.session.manifest.project);
            }
        }
        for project in projects {
            let sessions = || self.sessions.iter().filter(|shown| shown.session.manifest.project == project);
            let worked = match sessions().map(|shown| shown.worked).sum() {
                0 => String::new(),
                seconds => format!("{} worked, ", elapsed::Short(seconds)),
            };
            let (count, running) = (sessions().count(), sessions().filter(|shown| shown.session.running).count());
            let running = if running > 0 { format!(" ({running} running)") } else { String::new() };
            let group = Group {
                name: if project.is_empty() { "unknown".to_owned() } else { project.to_owned() },
                figures: format!("{worked}{count} session{}{running}", plural(count)),
                rows: sessions().map(|shown| row(shown, &chart)).collect(),
            };
            chart.groups.push(group);
        }
        chart
    }

    /// The local hours around all that is shown, and now.
    fn axis(&self) -> (Timestamp, Timestamp) {
        let bars = || self.sessions.iter().flat_map(|shown| &shown.bars);
        let first = bars().map(|bar| bar.from).min().unwrap_or(self.begin);
        let last = bars().map(|bar| bar.to).chain(self.now).max().unwrap_or(self.end);
        let behind = |at: Timestamp| {
            let time = self.zone.to_datetime(at).time();
            SignedDuration::from_secs(i64::from(time.minute()) * 60 + i64::from(time.second()))
        };
        let hour = SignedDuration::from_hours(1);
        let from = first.checked_sub(behind(first)).unwrap_or(first);
        let to = if behind(last).is_zero() { last } else { last.checked_add(hour - behind(last)).unwrap_or(last) };
        // A line of one hour has no second label.
        let short = to.duration_since(from) < hour * 2;
        let from = if short { from.checked_sub(hour).unwrap_or(from) } else { from };
        // Several days are shown from midnight on.
        let day = Day::of(from, &self.zone);
        let from = if day == Day::of(last, &self.zone) { from } else { day.begin(&self.zone) };
        (from.max(self.begin), to.min(self.end))
    }

    /// What the chart does not show, each with a label.
    fn notes(&self) -> Vec<(&'static str, String)> {
        let mut notes = Vec::new();
        let untimed = self.sessions.iter().filter(|shown| timeline::is_untimed(&shown.session)).count();
        if untimed > 0 {
            let sessions = format!("the times of {untimed} session{}, shown from start to end.", plural(untimed));
            notes.push(("Not recorded:", sessions));
        }
        if self.left_out > 0 {
            let runs = format!("{} run{} not shown; add --headless.", self.left_out, plural(self.left_out));
            notes.push(("Headless:", runs));
        }
        notes
    }
}

fn row(shown: &Shown, chart: &Chart) -> Row {
    let SessionActivity { manifest, running, .. } = &shown.session;
    let id = &manifest.session_id;
    let clock = |at: Option<Timestamp>| at.map_or("?".to_owned(), |at| chart.clock(at));
    let end = if *running { "now".to_owned() } else { clock(manifest.ended.or(manifest.last_seen())) };
    let mut details = Vec::new();
    let mut add = |label, text: Option<&str>| details.extend(text.map(|text| (label, text.to_owned())));
    add("Task", shown.task.as_deref());
    add("Branch", shown.branch.as_deref());
    add("Open", Some(&format!("{} to {end}", clock(manifest.started))));
    add("Resumed", manifest.resumed.map(|at| chart.clock(at)).as_deref());
    let time = |seconds| Some(elapsed::Short(seconds).text()).filter(|_| seconds > 0);
    add("Worked", time(shown.worked).as_deref());
    add("Blocked", time(shown.blocked).as_deref());
    if timeline::is_untimed(&shown.session) {
        let untimed = manifest.worked_seconds.saturating_sub(shown.session.activity.seconds(Kind::Working));
        add("Not recorded", time(untimed).map(|time| format!("when it worked {time}")).as_deref());
    }
    add("Folder", Some(&*manifest.path).filter(|path| !path.is_empty()));
    add("Session", Some(id));
    let short = || id.chars().take(8).collect();
    Row {
        name: shown.task.clone().or(shown.branch.clone()).unwrap_or_else(short),
        figure: time(shown.worked).unwrap_or_default(),
        details,
        bars: shown.bars.clone(),
    }
}

/// Larger files were not written here.
const MAX_FILE: usize = 64 << 20;

/// Writes a file, or `-` to standard output. It replaces only an empty file, or one that `ait timeline` wrote.
fn write(context: &Context, path: &Path, content: String, start: &str) -> Result<Report> {
    const WRITING: &str = "writing the timeline";
    if path == Path::new("-") {
        return Ok(Report::text(content));
    }
    let file = context.folder()?.join(path);
    let failed = |why: &'static str| Error::new(WRITING, path.display(), why);
    if files::is_folder(&file) {
        return Err(failed("it is a folder").exit(Exit::NotFound));
    }
    if file.parent().is_none_or(|parent| !files::is_folder(parent)) {
        return Err(failed("its folder does not exist").exit(Exit::NotFound));
    }
    let edit = AtomicEdit { doing: WRITING, path: &file, limit: MAX_FILE, backup_suffix: "", mode: None };
    edit.edit(|current| match current.bytes {
        Some(bytes) if !bytes.is_empty() && !bytes.starts_with(start.as_bytes()) => {
            let error = failed("another program wrote this file");
            Err(error.hint("remove it, or choose another name").exit(Exit::NotFound))
        }
        _ => Ok(Change::Write { bytes: content.clone().into_bytes(), backup: false }),
    })?;
    Ok(Report::text(format!("Wrote {}\n", crate::error::on_one_line(&path.display().to_string()))))
}
