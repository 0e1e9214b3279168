//! `ait hooks list`: which hooks are installed, whether they run, and what keeps them from running.

use std::path::Path;

use argh::{ArgsInfo, FromArgs};
use jiff::Timestamp;
use serde::Serialize;

use crate::claude::settings::{self, EVENTS, Hook, Inspection, Installed, Registration, Wanted};
use crate::commands::Run;
use crate::context::Context;
use crate::error::Result;
use crate::render::ui::Ui;
use crate::render::{elapsed, json, width};
use crate::report::{Data, Report};
use crate::session::time::{milliseconds, seconds_between};
use crate::store::event_log;
use crate::sys::files;

use super::install_paths::{InstallPaths, read_settings};

/// show which hooks are installed and when each last ran
#[derive(FromArgs, ArgsInfo, Clone, Debug, Default)]
#[argh(subcommand, name = "list", help_triggers("-h", "--help"), example = "  ait hooks list --json")]
pub struct List {
    /// print one JSON object
    #[argh(switch)]
    pub json: bool,
}

impl Run for List {
    /// # Errors
    /// If the settings cannot be read or do not parse.
    fn run(&self, context: &Context) -> Result<Report> {
        let root = context.root()?;
        list_in(&InstallPaths::find(context)?, context.now, |event| event_log::last_seen(root, event))
    }

    fn json(&self) -> bool {
        self.json
    }
}

/// A hook under an event, and its condition.
#[derive(Serialize)]
pub(crate) struct Row {
    pub(crate) name: &'static str,
    pub(crate) event: Option<&'static str>,
    installed: bool,
    pub(crate) command: Option<String>,
    matcher: Option<String>,
    last_seen: Option<Timestamp>,
    file: Option<String>,
    line: Option<usize>,
    /// yes, no, outdated, "never runs", or plugin: only the Claude Code plugin runs it.
    pub(crate) state: &'static str,
}

struct HookList {
    paths: InstallPaths,
    rows: Vec<Row>,
    all_disabled: bool,
    now: Timestamp,
}

#[derive(Serialize)]
struct Json<'a> {
    hooks: &'a [Row],
    all_disabled: bool,
}

/// Lists the hooks in this place. `last_seen` says when Claude Code last called `ait` for an event.
///
/// # Errors
/// As for [`List`].
pub fn list_in(paths: &InstallPaths, now: Timestamp, last_seen: impl Fn(&str) -> Option<Timestamp>) -> Result<Report> {
    let file = paths.settings();
    let found = read_settings("listing hooks", &file)?.unwrap_or_default();
    let wanted = paths.wanted(&Hook::ALL)?;
    let rows = rows(&file, &found, &wanted, last_seen);
    let mut remarks = settings_remarks(paths, &file, &found);
    remarks.extend(script_remarks(paths, &rows));
    let hooks = HookList { paths: paths.clone(), rows, all_disabled: found.all_disabled, now };
    Ok(Report::new(hooks).remarks(remarks.iter().map(|remark| width::visible(remark))))
}

impl Data for HookList {
    fn json(&self) -> Option<String> {
        json::object(&Json { hooks: &self.rows, all_disabled: self.all_disabled })
    }

    fn text(&self, _ui: &Ui) -> String {
        let HookList { paths, rows, now, .. } = self;
        let mut out = table(rows, *now);
        let mut commands: Vec<String> = Vec::new();
        for command in rows.iter().filter_map(|row| row.command.as_deref()) {
            let command = shortened(command, paths);
            if !commands.contains(&command) {
                commands.push(command);
            }
        }
        let file = paths.show(&paths.settings());
        out.push_str(&format!("\nIn {file}{}\n", if commands.is_empty() { "" } else { ", which runs" }));
        out.extend(commands.iter().map(|command| format!("  {command}\n")));
        let is_fine = |row: &Row| matches!(row.state, "yes" | "plugin");
        let lacking = |hook: Hook| rows.iter().any(|row| row.name == hook.name() && !is_fine(row));
        if lacking(Hook::Register) || lacking(Hook::Cleanup) {
            out.push_str("Hooks are missing or out of date. Type: ait hooks install\n");
        }
        match rows.iter().find(|row| row.name == Hook::Statusline.name()).map(|row| row.state) {
            Some("no") => {
                out.push_str("The status line is not installed. Type: ait hooks install statusline\n");
            }
            Some("outdated") => {
                out.push_str("The status line is out of date. Type: ait hooks install statusline\n");
            }
            _ => {}
        }
        out
    }
}

fn table(rows: &[Row], now: Timestamp) -> String {
    let header = ["HOOK", "EVENT", "INSTALLED", "LAST SEEN"].map(str::to_owned);
    let cells = rows.iter().map(|row| {
        [
            row.name.to_owned(),
            row.event.unwrap_or("-").to_owned(),
            row.state.to_owned(),
            row.last_seen.map_or("-".to_owned(), |at| elapsed::Ago(seconds_between(at, now)).to_string()),
        ]
    });
    let lines: Vec<[String; 4]> = std::iter::once(header).chain(cells).collect();
    let mut out = String::new();
    for line in &lines {
        let mut text = String::new();
        for (column, cell) in line.iter().enumerate() {
            text.push_str(cell);
            let widest = lines.iter().filter_map(|line| line.get(column)).map(|cell| width::cells(cell)).max();
            width::pad(&mut text, width::cells(cell), widest.unwrap_or(0) + 2);
        }
        out.push_str(text.trim_end());
        out.push('\n');
    }
    out
}

/// A command for people: without the check whether the program exists, and cut if it is long.
fn shortened(command: &str, paths: &InstallPaths) -> String {
    const MAX_WIDTH: usize = 76;
    let guarded = command.split_once("[ ! -x ").and_then(|(_, rest)| rest.split_once(" ] || exec "));
    let text = guarded.map_or(command, |(_, command)| command);
    let text = text.replace(&settings::quote(&paths.ait.to_string_lossy()), &paths.show(&paths.ait));
    width::cut(&text, MAX_WIDTH, "…").into_owned()
}

/// Every hook and event, and the condition of each. An event that only newer clients know is left out unless it is
/// installed: which client there is may change at any time, and without it nothing is wrong.
pub(crate) fn rows(
    file: &Path,
    found: &Inspection,
    wanted: &Wanted,
    last_seen: impl Fn(&str) -> Option<Timestamp>,
) -> Vec<Row> {
    let is_wanted = |each: &Registration| wanted.events().any(|other| other == *each);
    let is_there =
        |each: &Registration| found.installed.iter().any(|entry| entry.event == each.event && entry.hook == each.hook);
    let events = EVENTS.into_iter().filter(|each| each.since.is_none() || is_there(each));
    let mut rows: Vec<Row> = events
        .map(|each| row(file, found, wanted, (each.event, each.hook), is_wanted(&each), each.matcher, &last_seen))
        .collect();
    rows.push(row(file, found, wanted, ("", Hook::Statusline), true, None, &last_seen));
    rows
}

fn row(
    file: &Path,
    found: &Inspection,
    wanted: &Wanted,
    (event, hook): (&'static str, Hook),
    is_wanted: bool,
    matcher: Option<&str>,
    last_seen: impl Fn(&str) -> Option<Timestamp>,
) -> Row {
    let here = || found.installed.iter().filter(|entry| entry.hook == hook && entry.event == event);
    // One that runs says more than one that does not.
    let entry = here().find(|entry| entry.runs).or_else(|| here().next());
    let up_to_date = |entry: &Installed| {
        let command = wanted.command(event, hook);
        let same = match hook {
            // Its options are the user's, and so is the command that it wraps.
            Hook::Statusline => entry.command.contains(&command),
            _ => entry.command == command,
        };
        !entry.alone || (same && entry.matcher.as_deref() == matcher)
    };
    let by_plugin = runs_by_plugin(found, event, hook);
    let state = match entry {
        None if by_plugin => "plugin",
        None => "no",
        Some(entry) if !entry.runs => "never runs",
        // Known to no client that is known, or to none that is installed: it stays as it is.
        Some(entry) if up_to_date(entry) && (is_wanted || wanted.client.is_none()) => "yes",
        Some(_) => "outdated",
    };
    Row {
        name: hook.name(),
        event: (!event.is_empty()).then_some(event),
        installed: entry.map_or(by_plugin, |entry| entry.runs),
        command: entry.map(|entry| entry.command.clone()),
        matcher: entry.and_then(|entry| entry.matcher.clone()),
        last_seen: last_seen(if event.is_empty() { event_log::STATUS_LINE } else { event }).map(milliseconds),
        file: entry.map(|_| file.to_string_lossy().into_owned()),
        line: entry.map(|entry| entry.line),
        state,
    }
}

/// Whether only the Claude Code plugin runs a hook. It leaves all events of a hook to the settings that name it.
fn runs_by_plugin(found: &Inspection, event: &str, hook: Hook) -> bool {
    let is_of_plugin = Registration::find(event, hook).is_some_and(|each| each.since.is_none());
    found.plugin && is_of_plugin && !found.installed.iter().any(|entry| entry.hook == hook)
}

/// Settings that keep hooks from running, or run them where they do nothing.
pub(crate) fn settings_remarks(paths: &InstallPaths, file: &Path, found: &Inspection) -> Vec<String> {
    let mut remarks = Vec::new();
    let shown = paths.show(file);
    if found.all_disabled {
        remarks.push(format!("{shown}: \"disableAllHooks\" is true, so no hook and no status line runs"));
    }
    let by_settings = found.installed.iter().any(|entry| entry.runs && entry.hook != Hook::Statusline);
    if found.plugin && by_settings {
        remarks
            .push("the Claude Code plugin is enabled too; it does nothing while these hooks are installed".to_owned());
    }
    if let Some(line) = found.loose {
        remarks.push(format!(
            "{shown}, line {line}: Claude Code ignores a settings file with comments or trailing commas as a whole"
        ));
    }
    for entry in found.installed.iter().filter(|entry| !entry.event.is_empty()) {
        if Registration::find(&entry.event, entry.hook).is_none() {
            remarks.push(format!(
                "{shown}, line {}: {} under {} does nothing there; type: ait hooks install",
                entry.line,
                entry.hook.name(),
                entry.event
            ));
        }
    }
    for name in ["settings.json", "settings.local.json"] {
        let Some(folder) = &paths.folder else { continue };
        let path = folder.join(".claude").join(name);
        if files::resolve(&path) == files::resolve(file) {
            continue;
        }
        // This file is not ours: its mistakes are not reported.
        if let Some(entry) =
            read_settings("", &path).ok().flatten().and_then(|found| found.installed.into_iter().next())
        {
            remarks.push(format!(
                "{}, line {}: {} is in this project's settings too; Claude Code runs both",
                paths.show(&path),
                entry.line,
                entry.hook.name()
            ));
        }
    }
    remarks.extend(managed_remark(paths));
    remarks
}

/// Which scripts are missing that an entry runs.
fn script_remarks(paths: &InstallPaths, rows: &[Row]) -> Vec<String> {
    let mut remarks = Vec::new();
    for name in Hook::ALL.into_iter().filter_map(Hook::script) {
        let path = paths.scripts().join(name);
        let used = rows.iter().any(|row| row.installed && row.command.as_ref().is_some_and(|text| text.contains(name)));
        if used && !files::metadata(&path).is_ok_and(|meta| meta.mode & 0o111 != 0) {
            remarks.push(format!("{} is missing or cannot be executed; type: ait hooks install", paths.show(&path)));
        }
    }
    remarks
}

/// The remark about hooks that the administrator disabled.
pub(crate) fn managed_remark(paths: &InstallPaths) -> Option<String> {
    let found = read_settings("", &paths.managed).ok().flatten()?;
    let why = match (found.all_disabled, found.managed_only) {
        (true, _) => "\"disableAllHooks\"",
        (false, true) => "\"allowManagedHooksOnly\"",
        _ => return None,
    };
    Some(format!("{}: {why} is true, so Claude Code runs none of your hooks", paths.show(&paths.managed)))
}
