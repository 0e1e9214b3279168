//! `ait sessions resume --go`: opens interrupted sessions again, each in a tmux window where it was.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::Serialize;

use super::resume_command::Lost;
use super::tmux::{Tmux, Windows};
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::render::json;
use crate::render::theme::Role;
use crate::render::ui::{Ui, put};
use crate::report::{Data, Report};
use crate::session::order::sort_by_key;
use crate::sys::{files, process, terminal};

const DOING: &str = "resuming sessions";
/// As many windows are opened without a question.
const MAX_UNASKED: usize = 5;
/// How long it may take to create a folder again. Checking out a large worktree takes minutes.
const RESTORE_LIMIT: Duration = Duration::from_mins(10);
/// Runs its arguments from the second on in the folder that is the first one, then a shell: when Claude Code ends, or
/// cannot start, its last lines stay readable.
const SCRIPT: &str = r#"cd -- "$1" && shift && "$@"; exec "${SHELL:-/bin/sh}""#;
/// Variables that tell Claude Code and ait where the sessions are. Windows have the environment of the tmux server.
const PASSED_ON: [&str; 2] = ["CLAUDE_CONFIG_DIR", "AIT_SESSIONS_DIR"];

/// Opens the sessions in windows of the tmux server with this socket.
///
/// # Errors
/// If the user does not want so many windows, or tmux or Claude Code is missing.
pub(super) fn open_all(mut lost: Vec<Lost>, socket: &str, yes: bool, context: &Context) -> Result<Report> {
    let claude = process::find_program("claude").ok_or_else(|| Error::new(DOING, "claude", "not in PATH"))?;
    let tmux = Tmux::at(Some(socket), DOING)?;
    let mut windows = Windows::of(&tmux, context.variable("TMUX_PANE").as_deref(), DOING)?;
    if lost.len() > MAX_UNASKED && !yes && !confirmed(lost.len(), context)? {
        return Ok(Report::text("Nothing was opened.\n"));
    }
    // In the order of their windows: if a number is taken, they still stand in this order.
    sort_by_key(&mut lost, |lost| {
        let window = lost.manifest.tmux_window.as_ref();
        (window.is_none(), window.map(|window| (window.session.clone(), window.index)))
    });
    let (mut opened, mut errors) = (Vec::new(), Vec::new());
    for lost in &lost {
        match open(lost, &claude, &mut windows, context) {
            Ok(window) => opened.push(Window::new(lost, window)),
            Err(error) => errors.push(error.to_string()),
        }
    }
    let exit = if errors.is_empty() { Exit::Done } else { Exit::Failed };
    Ok(Report::new(Opened { opened, errors: errors.clone() }).exit(exit).remarks(errors))
}

fn confirmed(count: usize, context: &Context) -> Result<bool> {
    if !context.stdin_is_terminal || !context.stderr_is_terminal {
        let why = format!("{count} windows would be opened");
        return Err(Error::new(DOING, "", why).hint("add --yes").exit(Exit::NotFound));
    }
    terminal::ask(&format!("Open {count} windows? [y/N] ")).map_err(|why| Error::new(DOING, "the terminal", why))
}

fn open(lost: &Lost, claude: &Path, windows: &mut Windows<'_>, context: &Context) -> Result<String> {
    let failed = |why: String| {
        let short: String = lost.manifest.session_id.chars().take(8).collect();
        Err(Error::new("resuming a session", short, why).hint(format!("type: {}", lost.way.command)))
    };
    if let Err(why) = restore(lost, context) {
        return failed(why);
    }
    let folder = match &lost.way.folder {
        Some(folder) => context.folder().unwrap_or_default().join(folder),
        None => context.home.clone().unwrap_or_else(|| PathBuf::from("/")),
    };
    let (Some(folder), Some(claude)) = (folder.to_str(), claude.to_str()) else {
        return failed("a path is not UTF-8".to_owned());
    };
    let passed_on = PASSED_ON.iter().filter_map(|name| Some(format!("{name}={}", context.variable(name)?)));
    let passed_on: Vec<String> = passed_on.collect();
    let mut command = vec!["/bin/sh", "-c", SCRIPT, "sh", folder, "env"];
    command.extend(passed_on.iter().map(String::as_str));
    command.push(claude);
    command.extend(lost.way.arguments.iter().map(String::as_str));
    match windows.open(lost.manifest.tmux_window.as_deref(), &command) {
        Some(window) => Ok(window),
        None => failed("tmux did not open a window".to_owned()),
    }
}

/// Creates the folder of a session again, unless it exists: another session may have been in the same one.
fn restore(lost: &Lost, context: &Context) -> std::result::Result<(), String> {
    let here = context.folder().unwrap_or_default();
    let (Some(folder), Some(restore)) = (&lost.way.folder, &lost.way.restore) else { return Ok(()) };
    let folder = here.join(folder);
    if files::is_folder(&folder) {
        return Ok(());
    }
    let script = format!("{{ {restore}\n}} 2>&1");
    let words = ["-c", &script].map(OsStr::new);
    let ran = process::run(Path::new("/bin/sh"), &words, &[], &here, RESTORE_LIMIT).map_err(|why| why.to_string())?;
    if ran.success && files::is_folder(&folder) {
        return Ok(());
    }
    let said = String::from_utf8_lossy(&ran.stdout);
    let last = said.lines().rfind(|line| !line.trim().is_empty()).unwrap_or("no reason given");
    Err(format!("its folder cannot be created: {last}"))
}

#[derive(Serialize)]
struct Window {
    session_id: String,
    project: String,
    /// `session:number` in tmux.
    window: String,
}

impl Window {
    fn new(lost: &Lost, window: String) -> Window {
        let manifest = &lost.manifest;
        Window { session_id: manifest.session_id.clone(), project: manifest.project.clone(), window }
    }
}

#[derive(Serialize)]
struct Opened {
    opened: Vec<Window>,
    errors: Vec<String>,
}

impl Data for Opened {
    fn json(&self) -> Option<String> {
        json::object(self)
    }

    fn text(&self, ui: &Ui) -> String {
        let mut text = String::new();
        for Window { project, window, .. } in &self.opened {
            ui.line(&mut text, |line| {
                line.literal("Opened ");
                put(line, Role::Project, project);
                line.literal(" in tmux ");
                line.text(window);
            });
        }
        text
    }
}
