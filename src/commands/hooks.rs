//! `ait hooks install | uninstall | list`: what makes Claude Code call `ait`.

use std::path::{Path, PathBuf};

use argh::{ArgsInfo, FromArgs};
use jiff::Timestamp;
use serde::Serialize;

use super::Run;
use crate::claude::jsonc::Problem;
use crate::claude::settings::{self, EVENTS, Hook, Inspection, Installed, Wanted};
use crate::context::Context;
use crate::error::{Error, Exit, Result, nearest};
use crate::render::ui::Ui;
use crate::render::{diff, elapsed, json, ui, width};
use crate::report::{Data, Report};
use crate::session::manifest::{milliseconds, seconds_between};
use crate::session::order::sort_by_key;
use crate::store::notes;
use crate::sys::edit::{Careful, Change, Current, Done};
use crate::sys::{files, process};

/// The scripts, as they are in the repository.
const SCRIPTS: [(Hook, &str); 2] = [
    (Hook::Register, include_str!("../../shell/session-register.sh")),
    (Hook::Cleanup, include_str!("../../shell/session-cleanup.sh")),
];
/// What stands in a script for the path of `ait`.
const PLACEHOLDER: &str = "@AIT@";
/// What tells a script of ours from one that only has its name.
const OURS: &str = "Written by `ait hooks install`";
/// A settings file larger than this is not one.
const LIMIT: usize = 64 << 20;
/// The mode of a script.
const EXECUTABLE: u32 = 0o755;

/// install hooks into Claude Code's settings
#[derive(FromArgs, ArgsInfo, Clone, Debug, Default)]
#[argh(
    subcommand,
    name = "install",
    help_triggers("-h", "--help"),
    example = "  ait hooks install              both hooks of sessions\n  ait hooks install statusline   the status line\n  ait hooks install --dry-run    show what would change"
)]
pub struct Install {
    /// session-register, session-cleanup, statusline; the first two where none is named
    #[argh(positional, arg_name = "hook")]
    pub names: Vec<String>,
    /// show what would change, and change nothing
    #[argh(switch)]
    pub dry_run: bool,
}

/// take hooks out of Claude Code's settings again
#[derive(FromArgs, ArgsInfo, Clone, Debug, Default)]
#[argh(subcommand, name = "uninstall", help_triggers("-h", "--help"), example = "  ait hooks uninstall --dry-run")]
pub struct Uninstall {
    /// session-register, session-cleanup, statusline; all where none is named
    #[argh(positional, arg_name = "hook")]
    pub names: Vec<String>,
    /// show what would change, and change nothing
    #[argh(switch)]
    pub dry_run: bool,
}

/// show which hooks are installed, and when each was last seen to fire
#[derive(FromArgs, ArgsInfo, Clone, Debug, Default)]
#[argh(subcommand, name = "list", help_triggers("-h", "--help"), example = "  ait hooks list --json")]
pub struct List {
    /// one JSON object
    #[argh(switch)]
    pub json: bool,
}

/// Where everything is that hooks have to do with.
#[derive(Clone, Debug)]
pub struct Place {
    /// Claude Code's folder.
    pub claude: PathBuf,
    /// The user's home.
    pub home: Option<PathBuf>,
    /// This program, by the path that lasts longest.
    pub ait: PathBuf,
    /// The settings that an administrator sets for all users.
    pub managed: PathBuf,
    /// The folder that `ait` was started in, where a project's own settings may be.
    pub folder: Option<PathBuf>,
    /// The local date and time, for names of copies: `20261122-180000`.
    pub stamp: String,
}

impl Place {
    /// `$CLAUDE_CONFIG_DIR`, else `~/.claude`, and the rest from where it usually is.
    ///
    /// # Errors
    /// Where neither is set to an absolute path, or this program cannot tell its own.
    pub fn find(context: &Context) -> Result<Place> {
        let home = context.home.clone();
        let claude = match (context.path_variable("CLAUDE_CONFIG_DIR"), &home) {
            (Some(folder), _) => folder,
            (None, Some(home)) => home.join(".claude"),
            (None, None) => {
                return Err(Error::new("finding Claude Code's settings", "HOME", "not set to an absolute path")
                    .next("set HOME, or CLAUDE_CONFIG_DIR to Claude Code's folder"));
            }
        };
        if !claude.is_absolute() {
            return Err(Error::new("finding Claude Code's settings", claude.display(), "not an absolute path")
                .next("set CLAUDE_CONFIG_DIR to an absolute path"));
        }
        let managed = if cfg!(target_os = "macos") {
            "/Library/Application Support/ClaudeCode/managed-settings.json"
        } else {
            "/etc/claude-code/managed-settings.json"
        };
        let now = context.now.to_zoned(context.time_zone());
        let day = format!("{:04}{:02}{:02}", now.year(), now.month(), now.day());
        let stamp = format!("{day}-{:02}{:02}{:02}", now.hour(), now.minute(), now.second());
        Ok(Place {
            claude,
            home,
            ait: own_path(context)?,
            managed: managed.into(),
            folder: context.folder().ok(),
            stamp,
        })
    }

    /// The settings of the user.
    pub fn settings(&self) -> PathBuf {
        self.claude.join("settings.json")
    }

    /// The folder of scripts.
    fn scripts(&self) -> PathBuf {
        self.claude.join("hooks")
    }

    pub(super) fn wanted(&self, hooks: &[Hook]) -> Result<Wanted> {
        let text = |path: &Path| {
            path.to_str().map(str::to_owned).ok_or_else(|| {
                Error::new("installing hooks", path.display(), "a path that is not UTF-8 cannot be in settings.json")
            })
        };
        let is_usual = self.home.as_ref().is_some_and(|home| self.claude == home.join(".claude"));
        // The tilde is what the documentation shows, and right on every machine that shares these settings.
        let scripts = if is_usual { "~/.claude/hooks".into() } else { settings::quote(&text(&self.scripts())?) };
        Ok(Wanted { hooks: hooks.to_vec(), ait: text(&self.ait)?, scripts })
    }

    fn careful<'a>(&'a self, doing: &'static str, path: &'a Path, suffix: &'a str, mode: Option<u32>) -> Careful<'a> {
        Careful { doing, path, limit: LIMIT, backup_suffix: suffix, mode }
    }

    fn suffix(&self) -> String {
        format!(".ait-backup-{}", self.stamp)
    }

    pub(super) fn show(&self, path: &Path) -> String {
        let home = self.home.as_ref().map(|home| home.to_string_lossy());
        clean(&ui::with_tilde(&path.to_string_lossy(), home.as_deref()))
    }
}

/// The path to call this program by: the one in `PATH` where that leads here, since it outlives an update.
fn own_path(context: &Context) -> Result<PathBuf> {
    let error =
        || Error::new("finding this program", "ait", "cannot tell its own path").next("call it by its full path");
    let this = context.program().filter(|path| files::exists(path)).ok_or_else(error)?;
    let named = this.file_name().and_then(|name| name.to_str()).and_then(process::find_program);
    Ok(named.filter(|path| files::resolve(path) == files::resolve(&this)).unwrap_or(this))
}

impl Run for Install {
    /// # Errors
    /// If a name is unknown, the settings do not parse or are not of the right shape, or something cannot be written.
    /// The settings are then as they were.
    fn run(&self, context: &Context) -> Result<Report> {
        Ok(install_in(&Place::find(context)?, self)?.report)
    }
}

impl Run for Uninstall {
    /// # Errors
    /// As for [`Install`].
    fn run(&self, context: &Context) -> Result<Report> {
        uninstall_in(&Place::find(context)?, self)
    }
}

impl Run for List {
    /// # Errors
    /// If the settings cannot be read or do not parse.
    fn run(&self, context: &Context) -> Result<Report> {
        let root = context.root()?;
        list_in(&Place::find(context)?, context.now, |event| notes::last_seen(root, event))
    }

    fn json(&self) -> bool {
        self.json
    }
}

/// What an installation did.
pub struct Installation {
    /// For the user.
    pub report: Report,
    /// The settings now have all the hooks asked for. False after a dry run.
    pub is_complete: bool,
}

/// Installs hooks in this place.
///
/// # Errors
/// As for [`Install`].
pub fn install_in(place: &Place, request: &Install) -> Result<Installation> {
    const DOING: &str = "installing hooks";
    let hooks = named(&request.names, &[Hook::Register, Hook::Cleanup])?;
    let wanted = place.wanted(&hooks)?;
    let file = place.settings();
    let suffix = place.suffix();
    let change = |current: Current, remarks: &mut Vec<String>| {
        let edit = settings::install(current.bytes, &wanted).map_err(|problem| refused(DOING, &file, &problem))?;
        let after = edit.bytes.unwrap_or_default();
        check_installed(current.bytes, &after, &wanted).map_err(|why| Error::new(DOING, file.display(), why))?;
        *remarks = edit.remarks;
        Ok(Change::Write { bytes: after, backup: true })
    };
    let mut remarks = Vec::new();
    let settings = place.careful(DOING, &file, &suffix, None);
    if request.dry_run {
        let mut out = String::new();
        for (path, text) in scripts(place, &hooks, &wanted) {
            preview(&place.careful(DOING, &path, &suffix, None), &mut out, |current| {
                Ok(script_change(current, &text, &path, place, &mut remarks))
            })?;
        }
        let mut of_settings = Vec::new();
        preview(&settings, &mut out, |current| change(current, &mut of_settings))?;
        remarks.append(&mut of_settings);
        return Ok(Installation { report: finish(dry(out), &remarks), is_complete: false });
    }
    // First whether the settings can be changed at all: nothing is half installed.
    preview(&settings, &mut String::new(), |current| change(current, &mut Vec::new()))?;
    let mut changed = false;
    for (path, text) in scripts(place, &hooks, &wanted) {
        let mut remark = Vec::new();
        let done = place
            .careful(DOING, &path, &suffix, Some(EXECUTABLE))
            .edit(|current| Ok(script_change(current, &text, &path, place, &mut remark)))?;
        changed |= done.changed;
        if let Some(copy) = &done.backup {
            remarks.push(format!("{} was not written by ait; it is kept as {}", place.show(&path), place.show(copy)));
        }
    }
    let mut of_settings = Vec::new();
    let done = settings.edit(|current| change(current, &mut of_settings))?;
    remarks.append(&mut of_settings);
    let ait = place.ait.to_string_lossy();
    if ait.contains("/target/debug/") || ait.contains("/target/release/") {
        remarks.push(format!(
            "the hooks call {}, which `cargo clean` removes; install ait and run this again to have them last",
            clean(&ait)
        ));
    }
    remarks.extend(managed_remark(place));
    let mut out = String::new();
    if changed || done.changed {
        for hook in &hooks {
            let events: Vec<&str> = EVENTS.iter().filter(|(_, of)| of == hook).map(|(event, _)| *event).collect();
            // In 80 columns.
            let lines: Vec<String> = events.chunks(4).map(|events| events.join(", ")).collect();
            let events =
                if lines.is_empty() { "the status line".to_owned() } else { lines.join(",\n                  ") };
            out.push_str(&format!("{:<17} {events}\n", hook.name()));
        }
        out.push_str(&written(place, &done));
        out.push_str("Sessions that already run take part from their next event on.\n");
    } else {
        let names: Vec<&str> = hooks.iter().map(|hook| hook.name()).collect();
        out = format!("Already installed in {}: {}. Nothing was changed.\n", place.show(&file), names.join(", "));
    }
    Ok(Installation { report: finish(out, &remarks), is_complete: true })
}

/// Uninstalls hooks in this place.
///
/// # Errors
/// As for [`Install`].
pub fn uninstall_in(place: &Place, request: &Uninstall) -> Result<Report> {
    const DOING: &str = "uninstalling hooks";
    let hooks = named(&request.names, &Hook::ALL)?;
    let file = place.settings();
    let suffix = place.suffix();
    let change = |current: Current, remarks: &mut Vec<String>| {
        let Some(bytes) = current.bytes else { return Ok(Change::Keep) };
        let edit = settings::uninstall(bytes, &hooks).map_err(|problem| refused(DOING, &file, &problem))?;
        check_uninstalled(edit.bytes.as_deref(), &hooks).map_err(|why| Error::new(DOING, file.display(), why))?;
        *remarks = edit.remarks;
        Ok(match edit.bytes {
            Some(bytes) => Change::Write { bytes, backup: true },
            // What a link points to is not ours to remove.
            None if current.is_link => Change::Write { bytes: b"{}\n".to_vec(), backup: true },
            None => Change::Remove { backup: true },
        })
    };
    let mut remarks = Vec::new();
    let settings = place.careful(DOING, &file, &suffix, None);
    let scripts: Vec<PathBuf> =
        hooks.iter().filter_map(|hook| hook.script()).map(|name| place.scripts().join(name)).collect();
    let mut out = String::new();
    if request.dry_run {
        preview(&settings, &mut out, |current| change(current, &mut remarks))?;
        for path in &scripts {
            preview(&place.careful(DOING, path, &suffix, None), &mut out, |current| {
                Ok(script_removal(current, path, place, &mut remarks))
            })?;
        }
        return Ok(finish(dry(out), &remarks));
    }
    let done = settings.edit(|current| change(current, &mut remarks))?;
    let mut changed = done.changed;
    for path in &scripts {
        let mut of_script = Vec::new();
        let removed = place
            .careful(DOING, path, &suffix, None)
            .edit(|current| Ok(script_removal(current, path, place, &mut of_script)))?;
        remarks.append(&mut of_script);
        if removed.changed {
            changed = true;
            out.push_str(&format!("Removed {}\n", place.show(path)));
            if let Some(copy) = give_back(&removed.file)? {
                out.push_str(&format!("Put back what {} was before: {}\n", place.show(path), place.show(&copy)));
            }
        }
    }
    if changed {
        if done.changed {
            out.push_str(&written(place, &done));
        }
        let copies = copies(&done.file);
        if copies > 0 {
            let them = if copies == 1 { "it" } else { "them" };
            out.push_str(&format!(
                "Dated copies there: {copies}, {}.ait-backup-*\nNothing needs {them}; delete {them} when you like.\n",
                place.show(&done.file)
            ));
        }
    } else {
        let names: Vec<&str> = hooks.iter().map(|hook| hook.name()).collect();
        out = format!("Not installed in {}: {}. Nothing was changed.\n", place.show(&file), names.join(", "));
    }
    Ok(finish(out, &remarks))
}

/// Puts the newest copy of a foreign script back that an installation set aside.
fn give_back(file: &Path) -> Result<Option<PathBuf>> {
    let (Some(parent), Some(name)) = (file.parent(), file.file_name().and_then(|name| name.to_str())) else {
        return Ok(None);
    };
    let error = |why| Error::new("uninstalling hooks", file.display(), why);
    let folder = files::Folder::open(parent).map_err(error)?;
    let prefix = format!("{name}.ait-backup-");
    let copies = folder.names().map_err(error)?;
    let Some(newest) = copies.into_iter().filter(|copy| copy.starts_with(&prefix)).max() else { return Ok(None) };
    folder.rename(&newest, name).map_err(error)?;
    Ok(Some(parent.join(newest)))
}

/// How many copies of a file lie beside it, made before each change.
fn copies(file: &Path) -> usize {
    let (Some(parent), Some(name)) = (file.parent(), file.file_name().and_then(|name| name.to_str())) else { return 0 };
    let prefix = format!("{name}.ait-backup-");
    let names = files::Folder::open(parent).and_then(|folder| folder.names()).unwrap_or_default();
    names.iter().filter(|copy| copy.starts_with(&prefix)).count()
}

#[derive(Serialize)]
pub(super) struct Row {
    pub(super) name: &'static str,
    pub(super) event: Option<&'static str>,
    installed: bool,
    pub(super) command: Option<String>,
    last_seen: Option<Timestamp>,
    file: Option<String>,
    line: Option<usize>,
    /// yes, no, outdated, or "never runs".
    pub(super) state: &'static str,
}

/// Lists the hooks in this place. `last_seen` says when Claude Code last called `ait` for an event.
///
/// # Errors
/// As for [`List`].
pub fn list_in(place: &Place, now: Timestamp, last_seen: impl Fn(&str) -> Option<Timestamp>) -> Result<Report> {
    let file = place.settings();
    let found = look("listing hooks", &file)?.unwrap_or_default();
    let wanted = place.wanted(&Hook::ALL)?;
    let rows = rows(&file, &found, &wanted, last_seen);
    let remarks = list_remarks(place, &file, &found, &rows);
    let hooks = HookList { place: place.clone(), rows, all_disabled: found.all_disabled, now };
    Ok(Report::new(hooks).remarks(remarks.iter().map(|remark| clean(remark))))
}

struct HookList {
    place: Place,
    rows: Vec<Row>,
    all_disabled: bool,
    now: Timestamp,
}

#[derive(Serialize)]
struct Json<'a> {
    hooks: &'a [Row],
    all_disabled: bool,
}

impl Data for HookList {
    fn json(&self) -> Option<String> {
        json::object(&Json { hooks: &self.rows, all_disabled: self.all_disabled })
    }

    fn text(&self, _ui: &Ui) -> String {
        let HookList { place, rows, now, .. } = self;
        let file = place.settings();
        let header = ["HOOK", "EVENT", "INSTALLED", "LAST SEEN"].map(str::to_owned);
        let cells = rows.iter().map(|row| {
            [
                row.name.to_owned(),
                row.event.unwrap_or("-").to_owned(),
                row.state.to_owned(),
                row.last_seen.map_or("-".to_owned(), |at| elapsed::Ago(seconds_between(at, *now)).to_string()),
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
        let mut commands: Vec<String> = Vec::new();
        for command in rows.iter().filter_map(|row| row.command.as_deref()) {
            let command = in_short(command, place);
            if !commands.contains(&command) {
                commands.push(command);
            }
        }
        out.push_str(&format!("\nIn {}{}\n", place.show(&file), if commands.is_empty() { "" } else { ", which runs" }));
        out.extend(commands.iter().map(|command| format!("  {command}\n")));
        let lacking = |hook: Hook| rows.iter().any(|row| row.name == hook.name() && row.state != "yes");
        if lacking(Hook::Register) || lacking(Hook::Cleanup) {
            out.push_str("Something is missing or out of date. Type: ait hooks install\n");
        }
        if rows.iter().any(|row| row.name == Hook::Statusline.name() && row.state == "no") {
            out.push_str("The status line is not installed; to have it, type: ait hooks install statusline\n");
        }
        out
    }
}

/// A command for people: without the question whether the program is there, and cut where somebody's own is long.
fn in_short(command: &str, place: &Place) -> String {
    const WIDEST: usize = 76;
    let guarded = command.strip_prefix("[ ! -x ").and_then(|rest| rest.split_once("] || exec "));
    let text = guarded.map_or(command, |(_, command)| command);
    let text = text.replace(&settings::quote(&place.ait.to_string_lossy()), &place.show(&place.ait));
    width::cut(&text, WIDEST, "…").into_owned()
}

/// Every hook and event there is, and how each stands.
pub(super) fn rows(
    file: &Path,
    found: &Inspection,
    wanted: &Wanted,
    last_seen: impl Fn(&str) -> Option<Timestamp>,
) -> Vec<Row> {
    let all = EVENTS.into_iter().chain([("", Hook::Statusline)]);
    all.map(|(event, hook)| row(file, found, wanted, event, hook, &last_seen)).collect()
}

fn row(
    file: &Path,
    found: &Inspection,
    wanted: &Wanted,
    event: &'static str,
    hook: Hook,
    last_seen: impl Fn(&str) -> Option<Timestamp>,
) -> Row {
    let mut here: Vec<&Installed> =
        found.installed.iter().filter(|entry| entry.hook == hook && entry.event == event).collect();
    // One that runs says more than one that does not.
    sort_by_key(&mut here, |entry| !entry.runs);
    let entry = here.first();
    let state = match entry {
        None => "no",
        Some(entry) if !entry.runs => "never runs",
        Some(entry) if !entry.alone || entry.command.starts_with(&wanted.command(event, hook)) => "yes",
        Some(_) => "outdated",
    };
    Row {
        name: hook.name(),
        event: (!event.is_empty()).then_some(event),
        installed: entry.is_some_and(|entry| entry.runs),
        command: entry.map(|entry| entry.command.clone()),
        last_seen: last_seen(event).filter(|_| !event.is_empty()).map(milliseconds),
        file: entry.map(|_| file.to_string_lossy().into_owned()),
        line: entry.map(|entry| entry.line),
        state,
    }
}

pub(super) fn list_remarks(place: &Place, file: &Path, found: &Inspection, rows: &[Row]) -> Vec<String> {
    let mut remarks = Vec::new();
    let shown = place.show(file);
    if found.all_disabled {
        remarks.push(format!("{shown}: \"disableAllHooks\" is true, so no hook and no status line runs"));
    }
    if let Some(line) = found.loose {
        remarks.push(format!(
            "{shown}, line {line}: Claude Code ignores a settings file with comments or trailing commas as a whole"
        ));
    }
    for entry in &found.installed {
        let known =
            entry.event.is_empty() || EVENTS.iter().any(|(event, hook)| *event == entry.event && *hook == entry.hook);
        if !known {
            remarks.push(format!(
                "{shown}, line {}: {} under {} does nothing there; type: ait hooks install",
                entry.line,
                entry.hook.name(),
                entry.event
            ));
        }
    }
    for hook in [Hook::Register, Hook::Cleanup] {
        let Some(name) = hook.script() else { continue };
        let path = place.scripts().join(name);
        let used = rows.iter().any(|row| row.installed && row.command.as_ref().is_some_and(|text| text.contains(name)));
        if used && !files::metadata(&path).is_ok_and(|meta| meta.mode & 0o111 != 0) {
            remarks.push(format!("{} is missing or cannot be executed; type: ait hooks install", place.show(&path)));
        }
    }
    for name in ["settings.json", "settings.local.json"] {
        let Some(folder) = &place.folder else { continue };
        let path = folder.join(".claude").join(name);
        if files::resolve(&path) == files::resolve(file) {
            continue;
        }
        // Somebody else's file: whatever is wrong with it is not asked here.
        if let Some(entry) = look("", &path).ok().flatten().and_then(|found| found.installed.into_iter().next()) {
            remarks.push(format!(
                "{}, line {}: {} is in this project's settings too; Claude Code runs both",
                place.show(&path),
                entry.line,
                entry.hook.name()
            ));
        }
    }
    remarks.extend(managed_remark(place));
    remarks
}

/// What the administrator has switched off.
pub(super) fn managed_remark(place: &Place) -> Option<String> {
    let found = look("", &place.managed).ok().flatten()?;
    let why = match (found.all_disabled, found.managed_only) {
        (true, _) => "\"disableAllHooks\"",
        (false, true) => "\"allowManagedHooksOnly\"",
        _ => return None,
    };
    Some(format!("{}: {why} is true, so Claude Code runs no hooks of yours", place.show(&place.managed)))
}

/// Looks into a settings file; `None` where there is none.
pub(super) fn look(doing: &'static str, file: &Path) -> Result<Option<Inspection>> {
    let bytes = match files::read(file, LIMIT) {
        Ok(bytes) => bytes,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(Error::new(doing, file.display(), why)),
    };
    settings::inspect(&bytes).map(Some).map_err(|problem| refused(doing, file, &problem))
}

/// The hooks of these names, in the usual order.
fn named(names: &[String], usual: &[Hook]) -> Result<Vec<Hook>> {
    let mut hooks = Vec::new();
    for name in names {
        let hook = Hook::named(name).ok_or_else(|| {
            let all = Hook::ALL.map(Hook::name);
            let error =
                Error::new("reading the command line", name, format!("no such hook; there are {}", all.join(", ")));
            let near = nearest(name, all.into_iter());
            near.map_or(error.clone(), |near| error.next(format!("did you mean `{near}`?"))).exit(Exit::NotFound)
        })?;
        hooks.push(hook);
    }
    let usual = if names.is_empty() { usual } else { &hooks };
    Ok(Hook::ALL.into_iter().filter(|hook| usual.contains(hook)).collect())
}

fn refused(doing: &'static str, file: &Path, problem: &Problem) -> Error {
    Error::new(doing, file.display(), problem).next("nothing was changed; put that right and type the same again")
}

/// Where each script belongs, and what is to stand in it.
pub(super) fn scripts(place: &Place, hooks: &[Hook], wanted: &Wanted) -> Vec<(PathBuf, String)> {
    let quoted = settings::quote(&wanted.ait);
    let of = |(hook, text): (Hook, &str)| {
        let name = hook.script().filter(|_| hooks.contains(&hook))?;
        Some((place.scripts().join(name), text.replace(PLACEHOLDER, &quoted)))
    };
    SCRIPTS.into_iter().filter_map(of).collect()
}

fn is_ours(script: &[u8]) -> bool {
    String::from_utf8_lossy(script).contains(OURS)
}

fn script_change(current: Current, text: &str, path: &Path, place: &Place, remarks: &mut Vec<String>) -> Change {
    let foreign = current.bytes.is_some_and(|bytes| !is_ours(bytes));
    if foreign {
        remarks.push(format!("{} was not written by ait; it would be kept beside the new one", place.show(path)));
    }
    Change::Write { bytes: text.into(), backup: foreign }
}

fn script_removal(current: Current, path: &Path, place: &Place, remarks: &mut Vec<String>) -> Change {
    if current.bytes.is_some_and(is_ours) {
        return Change::Remove { backup: false };
    }
    if current.bytes.is_some() {
        remarks.push(format!("left {} alone: it was not written by ait", place.show(path)));
    }
    Change::Keep
}

/// What an installation must be able to say of its own result before it is written.
fn check_installed(before: Option<&[u8]>, after: &[u8], wanted: &Wanted) -> Result<(), String> {
    let found = settings::inspect(after).map_err(|problem| format!("the result would not parse: {problem}"))?;
    let runs = |event: &str, hook: Hook| {
        found.installed.iter().any(|entry| entry.runs && entry.event == event && entry.hook == hook)
    };
    let events = EVENTS.into_iter().chain([("", Hook::Statusline)]);
    if let Some((event, hook)) = events.filter(|(_, hook)| wanted.hooks.contains(hook)).find(|(e, h)| !runs(e, *h)) {
        return Err(format!(
            "{} {event} could not be told apart afterwards; is this program called ait? ({})",
            hook.name(),
            wanted.ait
        ));
    }
    let without_ours = |bytes: Option<&[u8]>| match bytes {
        Some(bytes) => settings::uninstall(bytes, &Hook::ALL).map(|edit| edit.bytes),
        None => Ok(None),
    };
    let came_back = match (without_ours(before), without_ours(Some(after))) {
        (Ok(old), Ok(new)) if old.as_deref() == before => old == new,
        // Where entries of ours were there already, the white space around them may end up on either side.
        (Ok(Some(old)), Ok(Some(new))) => {
            let dense =
                |bytes: &[u8]| -> Vec<u8> { bytes.iter().copied().filter(|b| !b.is_ascii_whitespace()).collect() };
            dense(&old) == dense(&new)
        }
        (Ok(None), Ok(None)) => true,
        _ => false,
    };
    if came_back {
        Ok(())
    } else {
        Err("what is not ours would not come back as it was; please report this file".into())
    }
}

fn check_uninstalled(after: Option<&[u8]>, hooks: &[Hook]) -> Result<(), String> {
    let Some(after) = after else { return Ok(()) };
    let found = settings::inspect(after).map_err(|problem| format!("the result would not parse: {problem}"))?;
    match found.installed.iter().find(|entry| entry.alone && hooks.contains(&entry.hook)) {
        Some(entry) => Err(format!("{} {} would be left; please report this file", entry.hook.name(), entry.event)),
        None => Ok(()),
    }
}

/// Adds what a change would do to a file.
fn preview(careful: &Careful, out: &mut String, change: impl FnOnce(Current) -> Result<Change>) -> Result<()> {
    let (current, change) = careful.preview(change)?;
    let after = match &change {
        Change::Keep => return Ok(()),
        Change::Write { bytes, .. } => Some(bytes),
        Change::Remove { .. } => None,
    };
    let name = |there: bool| if there { clean(&careful.path.to_string_lossy()) } else { "/dev/null".to_owned() };
    let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
    let after_text = text(after.map(Vec::as_slice));
    out.push_str(&diff::unified(
        &name(current.is_some()),
        &name(after.is_some()),
        &text(current.as_deref()),
        &after_text,
    ));
    Ok(())
}

fn dry(diff: String) -> String {
    if diff.is_empty() { "Nothing would be changed.\n".into() } else { diff }
}

fn written(place: &Place, done: &Done) -> String {
    let file = place.show(&done.file);
    let mut out = match (done.changed, files::exists(&done.file)) {
        (true, true) => format!("Wrote {file}; what is not ours in it is as it was.\n"),
        (true, false) => format!("Removed {file}: nothing was left in it.\n"),
        (false, _) => format!("{file} was right already.\n"),
    };
    if let Some(copy) = &done.backup {
        out.push_str(&format!("What it was before is in {}\n", place.show(copy)));
    }
    out
}

fn finish(text: String, remarks: &[String]) -> Report {
    Report::text(text).remarks(remarks.iter().map(|remark| clean(remark)))
}

/// Text from outside without what could move a cursor.
fn clean(text: &str) -> String {
    width::visible(text)
}
