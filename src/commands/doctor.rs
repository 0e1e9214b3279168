//! `ait doctor`: why something does not work, and what mends it.
//!
//! Each check looks at the real thing: settings, scripts, folders, records of running clients, startup files, and a
//! prompt that is really made. A check that does not come out well says why, and what to type. `--fix` does what can be
//! done without asking, and looks again.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use jiff::Timestamp;
use serde::Serialize;

use super::frameworks;
use super::hook_response::plural;
use super::hooks::{self, Install, Row};
use super::startup::{self, Folders};
use super::{Run, prune};
use crate::claude::client::{self, RECORDS, TELLS_PROCESS, TELLS_SESSION, Version};
use crate::claude::registry::Record;
use crate::claude::settings::{self, EVENTS, Hook};
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::render::format::{self, Format};
use crate::render::theme::{ColorChoice, Icons, Role};
use crate::render::ui::{Ui, put};
use crate::render::{elapsed, json};
use crate::report::{Data, Report};
use crate::session::id::SessionId;
use crate::session::manifest::{ProcessStamp, seconds_between};
use crate::session::order::sort_by;
use crate::store::active::{self, Active};
use crate::store::root::Root;
use crate::store::{event_log, history, live};
use crate::sys::files::{self, Folder, Kind, PRIVATE};
use crate::sys::{clock, process};

/// find out why something does not work, and what mends it
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(
    subcommand,
    name = "doctor",
    help_triggers("-h", "--help"),
    example = "  ait doctor        look at everything\n  ait doctor --fix  put hooks back, set modes right, archive what is gone"
)]
pub struct Doctor {
    /// mend what can be mended safely, then look again
    #[argh(switch)]
    fix: bool,
    /// one JSON object
    #[argh(switch)]
    json: bool,
    /// always, never or auto (the default)
    #[argh(option, arg_name = "when", default = "ColorChoice::Auto")]
    color: ColorChoice,
}

/// How a check came out.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
enum Status {
    Ok,
    Warn,
    Fail,
}

/// One check.
#[derive(Clone, Debug, Serialize)]
struct Check {
    name: &'static str,
    status: Status,
    /// What was found; where several things are wrong, the worst.
    detail: String,
    /// What to type.
    fix: Option<String>,
}

#[derive(Serialize)]
struct Examination {
    checks: Vec<Check>,
    /// What `--fix` did, a sentence each.
    mended: Vec<String>,
}

/// What is wrong in the course of one check: the worst is told, and how many more there are.
#[derive(Debug, Default)]
struct Findings(Vec<(Status, String, Option<String>)>);

impl Findings {
    fn add(&mut self, status: Status, detail: impl Into<String>, fix: Option<&str>) {
        self.0.push((status, detail.into(), fix.map(str::to_owned)));
    }

    fn check(self, name: &'static str, fine: impl Into<String>) -> Check {
        const TOLD: usize = 3;
        let mut findings = self.0;
        // The worst first; of the same kind, as they were found.
        sort_by(&mut findings, |a, b| b.0.cmp(&a.0));
        let more = findings.len().saturating_sub(TOLD);
        let mut details: Vec<String> = findings.iter().take(TOLD).map(|(_, detail, _)| detail.clone()).collect();
        let Some((status, _, fix)) = findings.into_iter().next() else {
            return Check { name, status: Status::Ok, detail: fine.into(), fix: None };
        };
        if more > 0 {
            details.push(format!("and {more} more"));
        }
        Check { name, status, detail: details.join("; also: "), fix }
    }
}

/// What most things are mended with.
const FIX: &str = "ait doctor --fix";
const INSTALL: &str = "ait hooks install";

/// Seconds after which the first hook of a session, or one that tells of a new state, must have come.
const GRACE: u64 = 10;
/// How many days of history are looked at, the newest.
const DAYS: usize = 7;
/// How often a prompt is made to see how long it takes.
const PROMPTS: usize = 5;
/// From here on a person feels it.
const SLOW: Duration = Duration::from_millis(20);
/// Here the shells stop waiting for it (shell/ait.zsh).
const TOO_SLOW: Duration = Duration::from_millis(500);
/// A startup file is read up to this.
const STARTUP_LIMIT: usize = 1 << 20;

impl Run for Doctor {
    /// Looks at everything.
    fn run(&self, context: &Context) -> Result<Report> {
        let mut examination = Examination { checks: look(context), mended: Vec::new() };
        let mut remarks = Vec::new();
        if self.fix {
            examination.mended = mend(context, &examination.checks, &mut remarks);
            examination.checks = look(context);
        }
        let failed = examination.checks.iter().any(|check| check.status == Status::Fail);
        let exit = if failed { Exit::Failed } else { Exit::Done };
        Ok(Report::new(examination).remarks(remarks).exit(exit))
    }

    fn json(&self) -> bool {
        self.json
    }

    fn color(&self) -> ColorChoice {
        self.color
    }
}

impl Data for Examination {
    fn json(&self) -> Option<String> {
        json::object(self)
    }

    fn text(&self, ui: &Ui) -> String {
        written(self, ui)
    }
}

fn written(report: &Examination, ui: &Ui) -> String {
    let mut out = String::new();
    for done in &report.mended {
        ui.line(&mut out, |line| {
            line.literal("Mended: ");
            line.text(done);
        });
    }
    for check in &report.checks {
        ui.line(&mut out, |line| {
            let (word, role) = match check.status {
                Status::Ok => ("ok    ", Role::Dim),
                Status::Warn => ("warn  ", Role::Waiting),
                Status::Fail => ("fail  ", Role::Error),
            };
            put(line, role, word.trim_end());
            line.own(format_args!("{:1$}{2:<12}", "", word.len() - word.trim_end().len(), check.name));
            line.text(&check.detail);
        });
        if let Some(fix) = &check.fix {
            ui.line(&mut out, |line| {
                line.own(format_args!("{:18}", ""));
                put(line, Role::Dim, "mend it:");
                line.literal(" ");
                line.text(fix);
            });
        }
    }
    let count = |status| report.checks.iter().filter(|check| check.status == status).count();
    let text = match (count(Status::Warn), count(Status::Fail)) {
        (0, 0) => "All is well.".to_owned(),
        (warn, fail) => format!("{} ok, {warn} to look at, {fail} wrong.", count(Status::Ok)),
    };
    ui.line(&mut out, |line| line.literal(&text));
    out
}

/// Every check, in an order in which the first that fails is often the reason for the rest.
fn look(context: &Context) -> Vec<Check> {
    let now = context.now;
    let mut checks = vec![program()];
    let (root, place) = (context.root(), hooks::Place::find(context));
    let (root, place) = match (&root, &place) {
        (Ok(root), Ok(place)) => (*root, place),
        (Err(error), _) | (_, Err(error)) => {
            let mut findings = Findings::default();
            findings.add(Status::Fail, error.to_string(), None);
            checks.push(findings.check("folders", ""));
            return checks;
        }
    };
    checks.push(on_path(place));
    checks.push(of_settings(place));
    let (of_hooks, installed) = of_hooks(root, place);
    checks.push(of_hooks);
    checks.push(of_folders(root));
    let running = running_clients(root);
    let active = active::read_all(root);
    checks.push(match &active {
        Ok(active) => firing(root, place, active, &running, installed, now),
        Err(error) => {
            let mut findings = Findings::default();
            findings.add(Status::Fail, error.to_string(), None);
            findings.check("firing", "")
        }
    });
    let active = active.unwrap_or_default();
    checks.push(manifests(root, &active));
    checks.push(stale(root, &active, now));
    checks.push(of_client(&running));
    checks.push(of_shell(context, place));
    checks.push(of_prompt(context, place));
    checks.push(of_log(root, place, now));
    checks
}

/// Where this was built for.
const SYSTEM: &str = if cfg!(target_os = "macos") {
    "apple-darwin"
} else if cfg!(target_env = "musl") {
    "unknown-linux-musl"
} else {
    "unknown-linux-gnu"
};
const MACHINE: &str = if cfg!(target_arch = "aarch64") { "aarch64" } else { "x86_64" };

fn program() -> Check {
    let linking = if cfg!(target_feature = "crt-static") { "static" } else { "dynamic" };
    let build = if cfg!(debug_assertions) { ", with debug checks" } else { "" };
    let about = format!("{}, {MACHINE}-{SYSTEM}, {linking}{build}", env!("CARGO_PKG_VERSION"));
    let mut findings = Findings::default();
    if cfg!(target_os = "linux") && !cfg!(target_feature = "crt-static") {
        let detail = format!("{about}: starts several times slower than the static one");
        findings.add(Status::Warn, detail, Some("sh shell/install.sh"));
    }
    findings.check("program", about)
}

fn on_path(place: &hooks::Place) -> Check {
    let this = &place.ait;
    let mut findings = Findings::default();
    match process::find_program("ait") {
        None => {
            let folder = this.parent().unwrap_or(Path::new("/")).to_string_lossy();
            findings.add(
                Status::Warn,
                format!("`ait` is in none of the absolute folders of PATH; this one is {}", place.show(this)),
                Some(&format!("export PATH={}:$PATH", settings::quote(&folder))),
            );
        }
        Some(found) if files::resolve(&found) != files::resolve(this) => findings.add(
            Status::Warn,
            format!("`ait` in PATH is {}, and this one is {}", place.show(&found), place.show(this)),
            Some("remove one of the two"),
        ),
        Some(_) => {}
    }
    findings.check("path", place.show(this))
}

fn of_settings(place: &hooks::Place) -> Check {
    let file = place.settings();
    let shown = place.show(&file);
    let mut findings = Findings::default();
    let found = hooks::read_settings("reading the settings", &file);
    let there = matches!(found, Ok(Some(_)));
    match found {
        Err(error) => findings.add(Status::Fail, error.to_string(), None),
        Ok(found) => {
            let found = found.unwrap_or_default();
            if found.all_disabled {
                let detail = format!("{shown}: \"disableAllHooks\" is true, so no hook and no status line runs");
                findings.add(Status::Fail, detail, Some("take that line out of the file"));
            }
            if let Some(line) = found.loose {
                let why = "Claude Code ignores a settings file with comments or trailing commas as a whole";
                findings.add(Status::Fail, format!("{shown}, line {line}: {why}"), Some("take them out of the file"));
            }
            if let Some(why) = &found.misshapen {
                findings.add(Status::Fail, format!("{shown}: {why}"), Some("put that right, then: ait hooks install"));
            }
            // The administrator's word stands above the user's.
            let managed = hooks::managed_remark(place);
            if let Some(remark) = &managed {
                findings.add(Status::Fail, remark, None);
            }
            if hooks::read_settings("", &place.managed).is_err() {
                let shown = place.show(&place.managed);
                findings.add(
                    Status::Warn,
                    format!("{shown}: not readable, so what it switches off is not known"),
                    None,
                );
            }
            for file in project_settings(place).into_iter().filter(|project| *project != file) {
                if hooks::read_settings("", &file).ok().flatten().is_some_and(|found| found.all_disabled) {
                    let detail =
                        format!("{}: \"disableAllHooks\" is true, so no hook runs in this folder", place.show(&file));
                    findings.add(Status::Warn, detail, Some("take that line out of the file"));
                }
            }
            let remarks = hooks::settings_remarks(place, &file, &Default::default());
            for remark in remarks.into_iter().filter(|remark| managed.as_ref() != Some(remark)) {
                findings.add(Status::Warn, remark, None);
            }
        }
    }
    let fine = if there { shown } else { format!("{shown} is not there, which is as good as empty") };
    findings.check("settings", fine)
}

/// The settings of the project in this folder.
fn project_settings(place: &hooks::Place) -> Vec<PathBuf> {
    let names = ["settings.json", "settings.local.json"];
    let folder = place.folder.as_ref().map(|folder| folder.join(".claude"));
    folder.iter().flat_map(|folder| names.map(|name| folder.join(name))).collect()
}

/// Whether the hooks are there and call this program; and whether they run at all.
fn of_hooks(root: &Root, place: &hooks::Place) -> (Check, bool) {
    let mut findings = Findings::default();
    let file = place.settings();
    let Ok(found) = hooks::read_settings("", &file).map(Option::unwrap_or_default) else {
        findings.add(Status::Fail, "cannot be told while the settings do not parse", None);
        return (findings.check("hooks", ""), false);
    };
    let wanted = match place.wanted(&Hook::ALL) {
        Ok(wanted) => wanted,
        Err(error) => {
            findings.add(Status::Fail, error.to_string(), None);
            return (findings.check("hooks", ""), false);
        }
    };
    let rows = hooks::rows(&file, &found, &wanted, |event| event_log::last_seen(root, event));
    let of_sessions = |row: &&Row| row.event.is_some();
    let missing: Vec<&str> =
        rows.iter().filter(of_sessions).filter(|row| row.state == "no").filter_map(|row| row.event).collect();
    let events = rows.iter().filter(of_sessions).count();
    if missing.len() == events {
        findings.add(Status::Fail, "none is installed, so no session is tracked", Some(INSTALL));
    } else if !missing.is_empty() {
        let detail = format!("not installed for {}", missing.join(", "));
        findings.add(Status::Fail, detail, Some(INSTALL));
    }
    for row in &rows {
        let event = row.event.unwrap_or("the status line");
        let again = if row.event.is_some() { INSTALL } else { "ait hooks install statusline" };
        match row.state {
            "never runs" => findings.add(
                Status::Fail,
                format!("{} for {event} is in a form that Claude Code never runs", row.name),
                Some(again),
            ),
            "outdated" => match row.command.as_deref().and_then(other_program) {
                Some(program) if program != place.ait => {
                    called(&mut findings, place, &format!("{} for {event} calls", row.name), &program, again);
                }
                _ => findings.add(Status::Warn, format!("{} for {event} is out of date", row.name), Some(again)),
            },
            _ => {}
        }
    }
    let scripted = rows.iter().any(|row| row.event == Some("SessionStart") && row.state != "no");
    for (path, text) in hooks::scripts(place, &Hook::ALL, &wanted).into_iter().filter(|_| scripted) {
        let shown = place.show(&path);
        match files::read_with_meta(&path, STARTUP_LIMIT) {
            Err(why) => findings.add(Status::Fail, format!("{shown}: {why}"), Some(INSTALL)),
            Ok((_, meta)) if meta.mode & 0o100 == 0 => {
                findings.add(Status::Fail, format!("{shown} cannot be executed"), Some(INSTALL));
            }
            Ok((bytes, _)) if bytes != text.as_bytes() => match other_program(&String::from_utf8_lossy(&bytes)) {
                Some(program) if program != place.ait => {
                    called(&mut findings, place, &format!("{shown} calls"), &program, INSTALL);
                }
                _ => findings.add(Status::Warn, format!("{shown} is another one than ait would write"), Some(INSTALL)),
            },
            Ok(_) => {}
        }
    }
    let status_line = rows.iter().any(|row| row.event.is_none() && row.state == "yes");
    let fine = format!(
        "installed for {events} events; the status line is {}",
        if status_line { "too" } else { "not, which is a matter of taste" }
    );
    let installed = missing.is_empty() && !found.all_disabled && found.loose.is_none();
    (findings.check("hooks", fine), installed)
}

/// The `ait` that a command or a script calls by its whole path.
fn other_program(command: &str) -> Option<PathBuf> {
    let words = settings::words(command).into_iter();
    let mut paths = words.map(|word| PathBuf::from(word.strip_prefix("ait=").unwrap_or(&word)));
    paths.find(|path| path.is_absolute() && path.file_name() == Some(OsStr::new("ait")))
}

fn called(findings: &mut Findings, place: &hooks::Place, who: &str, program: &Path, again: &str) {
    let shown = place.show(program);
    match files::metadata(program) {
        Ok(meta) if meta.mode & 0o111 != 0 => {
            findings.add(
                Status::Warn,
                format!("{who} {shown}, and this one is {}", place.show(&place.ait)),
                Some(again),
            );
        }
        _ => findings.add(Status::Fail, format!("{who} {shown}, which is not there"), Some(again)),
    }
}

/// The folders that are ours, where they are.
fn own_folders(root: &Root) -> Vec<PathBuf> {
    let mut folders = vec![root.active(), root.history(), root.cache().to_owned(), root.cache().join("seen")];
    folders.extend(days(root).into_iter().map(|day| root.history().join(day.to_string())));
    folders
}

fn days(root: &Root) -> Vec<history::Day> {
    let mut days = history::days(root).unwrap_or_default();
    days.truncate(DAYS);
    days
}

/// What is wrong with the folders, their modes and the modes of what lies in them.
fn of_folders(root: &Root) -> Check {
    let mut findings = Findings::default();
    let me = process::user_id();
    // Claude Code's own; it sets the mode itself at each start.
    match files::metadata(root.path()) {
        Ok(meta) if meta.kind != Kind::Folder => {
            findings.add(Status::Fail, format!("{} is not a folder", root.path().display()), None);
        }
        Ok(meta) if meta.owner != me => {
            let detail = format!("{} belongs to another user", root.path().display());
            findings.add(Status::Fail, detail, Some("set AIT_SESSIONS_DIR to a folder of yours"));
        }
        _ => {}
    }
    let mut there = 0;
    for path in own_folders(root) {
        let shown = path.display();
        let Ok(meta) = files::link_metadata(&path) else {
            match nearest_folder(&path) {
                Some(above) if !files::is_writable(&above) => findings.add(
                    Status::Fail,
                    format!("{shown} is not there and cannot be made: {} is not writable", above.display()),
                    None,
                ),
                _ => {}
            }
            continue;
        };
        there += 1;
        let quoted = settings::quote(&path.to_string_lossy());
        if meta.kind == Kind::Link {
            let detail = format!("{shown} is a symlink, which is not followed: nothing is written there");
            findings.add(Status::Fail, detail, Some("remove the link; AIT_SESSIONS_DIR moves all of it"));
        } else if meta.kind != Kind::Folder {
            findings.add(Status::Fail, format!("{shown} is not a folder"), Some(&format!("rm {quoted}")));
        } else if meta.owner != me {
            findings.add(Status::Fail, format!("{shown} belongs to another user"), None);
        } else if meta.mode & 0o700 != 0o700 || !files::is_writable(&path) {
            let detail = format!("{shown} cannot be read or written (mode {:04o})", meta.mode);
            findings.add(Status::Fail, detail, Some(FIX));
        } else if meta.mode & 0o022 != 0 {
            let detail = format!("others can write to {shown} (mode {:04o})", meta.mode);
            findings.add(Status::Fail, detail, Some(FIX));
        } else if meta.mode & 0o077 != 0 {
            findings.add(Status::Warn, format!("others can read {shown} (mode {:04o})", meta.mode), Some(FIX));
        }
    }
    for (path, meta) in own_files(root) {
        let shown = path.display();
        if meta.owner != me {
            let detail = format!("{shown} belongs to another user and is not read");
            findings.add(Status::Warn, detail, Some("find out who put it there, and remove it"));
        } else if meta.kind != Kind::File {
            findings.add(Status::Warn, format!("{shown} is no regular file and is not read"), Some("remove it"));
        } else if meta.mode & 0o077 != 0 {
            let status = if meta.mode & 0o022 != 0 { Status::Fail } else { Status::Warn };
            findings.add(status, format!("others can reach {shown} (mode {:04o})", meta.mode), Some(FIX));
        }
    }
    let fine = if there == 0 { "not made yet".to_owned() } else { format!("{}: yours alone", root.path().display()) };
    findings.check("folders", fine)
}

fn nearest_folder(path: &Path) -> Option<PathBuf> {
    path.ancestors().skip(1).find(|above| files::exists(above)).map(Path::to_owned)
}

/// The manifests and logs of ours, those of the newest days only.
fn own_files(root: &Root) -> Vec<(PathBuf, files::Meta)> {
    let mut found = Vec::new();
    let folders = std::iter::once(root.active());
    for path in folders.chain(days(root).into_iter().map(|day| root.history().join(day.to_string()))) {
        let Ok(folder) = Folder::open_own(&path) else { continue };
        let _ = folder.each_name(|name| {
            let ours = SessionId::from_file_name(name).is_some() || name.ends_with(".touched");
            if let Some(meta) = folder.meta_of(name).ok().filter(|_| ours) {
                found.push((path.join(name), meta));
            }
        });
    }
    found
}

/// The records of clients that run.
fn running_clients(root: &Root) -> Vec<Record> {
    let mut records = Record::all(root.registry());
    records
        .retain(|record| record.pid.is_some_and(|pid| live::runs(&ProcessStamp { pid, start: record.process_start })));
    records
}

/// Whether events come: a client that runs, and has done something since the hooks were installed, must have a manifest.
fn firing(
    root: &Root,
    place: &hooks::Place,
    active: &Active,
    running: &[Record],
    installed: bool,
    now: Timestamp,
) -> Check {
    let mut findings = Findings::default();
    let settings = files::metadata(&place.settings()).ok();
    let since = settings.and_then(|meta| Timestamp::from_nanosecond(meta.modified).ok());
    for record in running {
        let version = record.version.as_deref().and_then(Version::parse);
        // A picker that has not chosen yet, and a client that waits to be given a session, have no status.
        let undecided = record.status.is_none() && version.is_none_or(|version| version >= TELLS_SESSION);
        let known = active.sessions.iter().any(|session| {
            session.id.as_str() == record.session_id
                || session.manifest.stamps().any(|stamp| Some(stamp.pid) == record.pid)
        });
        let last = record.status_since.max(record.started);
        // Before the hooks were installed nothing can have been told; and the last word may be under way.
        let due = last.is_some_and(|last| {
            seconds_between(last, now) >= GRACE && (!installed || since.is_none_or(|since| last > since))
        });
        if !undecided && !known && due {
            let pid = record.pid.unwrap_or(0);
            let detail = format!("Claude Code runs a session (pid {pid}) that no hook has told of: hooks do not fire");
            let fix = if installed { "in that session, type /hooks to see what Claude Code runs" } else { FIX };
            findings.add(Status::Fail, detail, Some(fix));
        }
    }
    let seen = EVENTS.iter().filter_map(|each| Some((event_log::last_seen(root, each.event)?, each.event))).max();
    if seen.is_none() && installed {
        findings.add(Status::Warn, "no event was ever seen", Some("start Claude Code, type something, and look again"));
    }
    let fine = seen.map_or("no event was ever seen".to_owned(), |(at, event)| {
        format!("the last event was {event}, {}", elapsed::Ago(seconds_between(at, now)))
    });
    findings.check("firing", fine)
}

fn manifests(root: &Root, active: &Active) -> Check {
    let mut findings = Findings::default();
    let mut broken = active.broken.clone();
    let mut count = active.sessions.len();
    for day in days(root) {
        if let Ok((sessions, more)) = history::read_day(root, day) {
            count += sessions.len();
            broken.extend(more);
        }
    }
    for file in broken {
        let detail = format!("{}: {}; it is left where it is", file.path.display(), file.why);
        findings.add(Status::Warn, detail, Some("look at it, or remove it"));
    }
    findings.check("manifests", format!("{count} can be read"))
}

fn stale(root: &Root, active: &Active, now: Timestamp) -> Check {
    let mut findings = Findings::default();
    let count = active.stale().count();
    if count > 0 {
        let detail = format!("{count} of which the process is gone; the next session that starts archives them");
        findings.add(Status::Warn, detail, Some("ait sessions prune"));
    }
    if root.active_folder().is_ok_and(|folder| files::is_remote(&folder)) {
        let detail = "the sessions are on a network file system: two machines that write one session at once may lose a \
                      change";
        findings.add(Status::Warn, detail, Some("set AIT_SESSIONS_DIR to a folder on this machine"));
    }
    let left = root.active_folder().and_then(|folder| folder.leftovers()).unwrap_or_default().len();
    if left > 0 {
        findings.add(Status::Warn, format!("{left} temporary file{} of killed programs", plural(left)), Some(FIX));
    }
    findings.check("sessions", format!("{} live, none of them stale", active.live(now).count()))
}

fn of_client(running: &[Record]) -> Check {
    let mut findings = Findings::default();
    let oldest = running.iter().filter_map(|record| Version::parse(record.version.as_deref()?)).min();
    let installed = client::installed();
    let version = oldest.or_else(|| installed.as_ref()?.1);
    let fine = match version {
        None if installed.is_none() => {
            findings.add(Status::Warn, "`claude` is not in PATH, and none is running", None);
            String::new()
        }
        None => {
            findings.add(Status::Warn, "which version `claude` is cannot be told without running it", None);
            String::new()
        }
        Some(version) if version < TELLS_SESSION => {
            let record = if version < RECORDS { "keeps no record of itself" } else { "records no status" };
            let detail = format!(
                "{version} {record} and hands down no session id (since {TELLS_SESSION}): Esc is not noticed, \
                 and waiting for a permission six seconds late"
            );
            findings.add(Status::Warn, detail, Some("claude update"));
            String::new()
        }
        Some(version) if version < TELLS_PROCESS => {
            format!(
                "{version}: hands down the session id; the process is found by ancestry (told since {TELLS_PROCESS})"
            )
        }
        Some(version) => format!("{version}: hands down session and process, records its status"),
    };
    findings.check("client", fine)
}

/// Where a startup file loads ait, and beside which frameworks. `None`: it does not.
fn of_startup_file(
    file: &startup::Place,
    folders: &Folders,
    place: &hooks::Place,
    findings: &mut Findings,
) -> Option<String> {
    let read = |path: &Path| Some(String::from_utf8_lossy(&files::read(path, STARTUP_LIMIT).ok()?).into_owned());
    let lines = startup::lines(&file.file, folders, &read);
    let found = startup::find(file.target, &lines)?;
    let shown = place.show(&found.file);
    if let Some((later, line, what)) = &found.later {
        let of = if *later == found.file { String::new() } else { format!(" of {shown}") };
        let detail = format!(
            "{}: `{what}` on line {line} comes after ait on line {}{of} and may undo it",
            place.show(later),
            found.line
        );
        let fix = match *later == found.file {
            true => "move the line of ait to the end of the file".to_owned(),
            false => format!("move the line of ait to the end of {}", place.show(&file.file)),
        };
        findings.add(Status::Warn, detail, Some(&fix));
    }
    if file.target == "zsh" && frameworks::hides_right_prompt(startup::active(&lines)) {
        let detail = format!("{}: a zle widget sets RPS1 and does not draw it again", place.show(&file.file));
        findings.add(Status::Warn, detail, Some("add to that widget: zle reset-prompt"));
    }
    let mut frameworks = frameworks::names(startup::active(&lines));
    if file.target == "fish" && startup::has_tide(folders, &read) {
        frameworks.push("tide".to_owned());
    }
    let beside = if frameworks.is_empty() { String::new() } else { format!(", with {}", frameworks.join(", ")) };
    Some(format!("{} ({shown}, line {}{beside})", file.target, found.line))
}

fn of_shell(context: &Context, place: &hooks::Place) -> Check {
    let mut findings = Findings::default();
    let Some(home) = place.home.clone() else {
        findings.add(Status::Warn, "HOME is not set", None);
        return findings.check("shell", "");
    };
    let folders = Folders {
        home,
        config: context.path_variable("XDG_CONFIG_HOME").filter(|path| path.is_absolute()),
        zsh: context.path_variable("ZDOTDIR").filter(|path| path.is_absolute()),
        starship: context.path_variable("STARSHIP_CONFIG").filter(|path| path.is_absolute()),
    };
    let places = startup::places(&folders);
    let mut loaded = Vec::new();
    for file in &places {
        let Some(text) = of_startup_file(file, &folders, place, &mut findings) else { continue };
        // Read through another file too: it is there once.
        if !loaded.contains(&(file.target, text.clone())) {
            loaded.push((file.target, text));
        }
    }
    let shell = context.path_variable("SHELL").and_then(|shell| Some(shell.file_name()?.to_str()?.to_owned()));
    let mine = places.iter().find(|file| shell.as_deref() == Some(file.target));
    let is_loaded = |target: &str| loaded.iter().any(|(name, _)| *name == target);
    // starship places it in any shell.
    let missing = mine.filter(|mine| !is_loaded(mine.target) && !is_loaded("starship"));
    match (missing, loaded.is_empty()) {
        (Some(mine), _) => findings.add(
            Status::Warn,
            format!("your shell is {}, and {} does not load ait", mine.target, place.show(&mine.file)),
            Some(&startup::to_add(mine.target, Path::new(&place.show(&mine.file)))),
        ),
        (None, true) => findings.add(Status::Warn, "no shell, tmux or starship loads ait", Some("ait init --help")),
        _ => {}
    }
    let mut names: Vec<String> = loaded.into_iter().map(|(_, text)| text).collect();
    if context.variable("TERM_PROGRAM").as_deref() == Some("vscode") {
        names.push("the shell integration of VS Code".to_owned());
    }
    findings.check("shell", names.join(", "))
}

/// Makes a prompt, some times over.
fn of_prompt(context: &Context, place: &hooks::Place) -> Check {
    let mut findings = Findings::default();
    for (name, what) in [("AIT_FORMAT", "the segment"), ("AIT_STATUSLINE_FORMAT", "the status line")] {
        let Some(format) = context.variable(name) else { continue };
        if let Err(mistake) = Format::parse(&format) {
            let detail =
                format!("{name}: {}; {what} is made with the usual format", format::FormatError::to_string(&mistake));
            findings.add(Status::Warn, detail, Some(&format!("ait prompt --format {}", settings::quote(&format))));
        }
    }
    if let Some(Err(why)) = context.variable("AIT_ICONS").map(|name| name.parse::<Icons>()) {
        findings.add(Status::Warn, format!("AIT_ICONS: {why}"), None);
    }
    let this = context.program().unwrap_or_else(|| place.ait.clone());
    let folder = place.folder.clone().unwrap_or_else(|| PathBuf::from("/"));
    let words: Vec<&OsStr> = ["prompt", "--for", "plain"].iter().map(OsStr::new).collect();
    let mut times = Vec::new();
    for _ in 0..PROMPTS {
        let (done, took) = clock::timed(|| process::run(&this, &words, &[], &folder, TOO_SLOW * 4));
        match done {
            Ok(output) if output.success => times.push(took),
            Ok(output) => {
                findings.add(Status::Fail, format!("`ait prompt` ends with {:?}", output.code), None);
                break;
            }
            Err(why) => {
                findings.add(Status::Fail, format!("`ait prompt`: {why}"), None);
                break;
            }
        }
    }
    times.sort_unstable();
    let middle = times.get(times.len() / 2).copied().unwrap_or_default();
    let took = format!("a prompt here takes {}.{:01} ms", middle.as_millis(), middle.subsec_micros() % 1000 / 100);
    if middle >= TOO_SLOW {
        let detail = format!("{took}; shells wait for half a second");
        findings.add(Status::Fail, detail, Some("is this folder on a slow disk? ait prompt --dir / tells"));
    } else if middle >= SLOW {
        findings.add(Status::Warn, took.clone(), Some("is this folder on a slow disk? ait prompt --dir / tells"));
    }
    findings.check("prompt", took)
}

/// What the fast three swallowed.
fn of_log(root: &Root, place: &hooks::Place, now: Timestamp) -> Check {
    let mut findings = Findings::default();
    let lines = event_log::read_log(root);
    let at = |line: &String| line.split(' ').next()?.parse::<Timestamp>().ok();
    let lately = lines.iter().filter(|line| at(line).is_some_and(|at| seconds_between(at, now) < 86_400)).count();
    let log = root.cache().join("log");
    if let Some(last) = lines.last().filter(|_| lately > 0) {
        let detail = format!("{lately} troubles within a day, the last: {last}");
        findings.add(Status::Warn, detail, Some(&format!("tail {}", settings::quote(&log.to_string_lossy()))));
    }
    let fine = match lines.last().and_then(at) {
        Some(last) => {
            format!("{}: nothing lately, the last {}", place.show(&log), elapsed::Ago(seconds_between(last, now)))
        }
        None => "hooks, prompts and the status line met with no trouble".to_owned(),
    };
    findings.check("log", fine)
}

/// Mends what can be mended without asking, and says what was done. What went wrong goes to `remarks`.
fn mend(context: &Context, checks: &[Check], remarks: &mut Vec<String>) -> Vec<String> {
    let mut done = Vec::new();
    let Ok(root) = context.root() else { return done };
    let wrong = |name: &str| checks.iter().any(|check| check.name == name && check.status != Status::Ok);
    // Modes first: the rest has to read and write there.
    for (path, mode) in own_folders(root).into_iter().map(|path| (path, 0o700)) {
        mend_mode(&path, Kind::Folder, mode, &mut done, remarks);
    }
    for (path, _) in own_files(root) {
        mend_mode(&path, Kind::File, PRIVATE, &mut done, remarks);
    }
    if wrong("hooks") {
        let mut names = vec![Hook::Register.name().to_owned(), Hook::Cleanup.name().to_owned()];
        names.extend(status_line_is_ours(context).then(|| Hook::Statusline.name().to_owned()));
        let install = Install { names, dry_run: false };
        match hooks::Place::find(context).and_then(|place| hooks::install_in(&place, &install)) {
            Ok(installation) => {
                remarks.extend(installation.report.into_remarks());
                if installation.is_complete {
                    done.push("put the hooks back into Claude Code's settings".to_owned());
                }
            }
            Err(error) => remarks.push(error.to_string()),
        }
    }
    if wrong("sessions") {
        match prune::prune(context) {
            Ok(report) => {
                remarks.extend(report.into_remarks());
                done.push("archived the sessions that are gone, and swept temporary files".to_owned());
            }
            Err(error) => remarks.push(error.to_string()),
        }
    }
    let _ = Folder::open_own(root.cache()).and_then(|cache| cache.sweep());
    done
}

fn mend_mode(path: &Path, kind: Kind, mode: u32, done: &mut Vec<String>, remarks: &mut Vec<String>) {
    let Ok(meta) = files::link_metadata(path) else { return };
    if meta.kind != kind || meta.owner != process::user_id() || meta.mode == mode {
        return;
    }
    match files::set_mode(path, mode) {
        Ok(()) => done.push(format!("{} has mode {mode:04o} now, not {:04o}", path.display(), meta.mode)),
        Err(why) => remarks.push(format!("setting the mode: {}: {why}", path.display())),
    }
}

/// Whether the status line that is set is ours, in whatever shape.
fn status_line_is_ours(context: &Context) -> bool {
    let found = hooks::Place::find(context).and_then(|place| hooks::read_settings("", &place.settings()));
    let found = found.ok().flatten().unwrap_or_default();
    found.installed.iter().any(|entry| entry.hook == Hook::Statusline)
}
