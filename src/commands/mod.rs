//! The commands, one file each: its arguments and what it does. A command takes a [`Context`] and returns a [`Report`];
//! only `main` writes and exits.

mod commit_origin;
pub mod completions;
pub mod config;
pub mod conflicts;
pub mod current;
pub mod demo;
pub mod doctor;
mod frameworks;
pub mod go;
pub mod guard;
pub mod history;
mod history_list;
pub mod history_query;
pub mod hook;
mod hook_response;
pub mod hookless;
pub mod hooks;
pub mod init;
pub mod jobs;
mod late_event;
mod limits;
pub mod live;
pub mod live_sessions;
pub mod man;
pub mod nearby;
pub mod next;
pub mod notify;
mod pane;
mod period;
mod picker;
mod plugin;
pub mod prompt;
mod prompt_conditions;
pub mod prompt_stream;
pub mod prune;
pub mod record_commits;
pub mod record_upstream;
pub mod report;
pub mod resume;
mod resume_command;
mod resume_go;
mod session_start;
pub mod sessions_for;
pub mod setup;
mod startup;
mod status_details;
pub mod statusline;
pub mod task;
pub mod team;
pub mod timeline;
mod tmux;
mod transcripts;
mod upstream;
mod wrapped_status_line;

use std::str::FromStr;

use crate::context::Context;
use crate::error::{Error, Result};
use crate::render::style::Theme;
use crate::render::theme::ColorChoice;
use crate::render::ui::Ui;
use crate::report::Report;
use crate::store::event_log;
use crate::store::manifest_file::UnreadableManifest;
use crate::sys::process;
use crate::sys::terminal::Key;

/// A command with its arguments.
pub trait Run {
    /// Does it.
    ///
    /// # Errors
    /// Each command says which.
    fn run(&self, context: &Context) -> Result<Report>;

    /// Whether JSON was asked for.
    fn json(&self) -> bool {
        false
    }

    /// What `--color` says.
    fn color(&self) -> ColorChoice {
        ColorChoice::Auto
    }

    /// The name of a fast command: it never fails loudly. An error goes to the log, unless it is a wrong argument and
    /// standard error is a terminal.
    fn fast(&self) -> Option<&'static str> {
        None
    }

    /// Whether the report is to be kept on the screen and up to date, until the user leaves.
    fn watches(&self) -> bool {
        false
    }

    /// Whether a report that is longer than the screen is to be shown in a pager.
    fn pages(&self) -> bool {
        false
    }

    /// A list on the whole screen from which the user chooses, instead of a report.
    fn screenful(&self, _context: &Context) -> Option<Result<Box<dyn Screenful>>> {
        None
    }

    /// Output that is written part by part as it comes, instead of a report.
    fn parts(&self, _context: &Context) -> Option<Result<Box<dyn Iterator<Item = Part>>>> {
        None
    }
}

/// A whole screen that answers to keys.
pub trait Screenful {
    /// What it shows on a screen with so many rows.
    fn text(&self, ui: &Ui, rows: usize) -> String;

    /// Looks at the sessions again.
    fn refresh(&mut self, context: &Context);

    /// Does what a key asks for; `true` at the end.
    fn press(&mut self, key: Key, context: &Context) -> bool;
}

/// A part of an output that comes part by part.
pub enum Part {
    /// Text for standard output.
    Text(String),
    /// How far a long search is, for a terminal.
    Progress(String),
    /// A remark for standard error.
    Remark(String),
}

/// A number of days or sessions on the command line.
#[derive(Clone, Copy, Debug)]
pub struct Count(u32);

impl Count {
    /// A number of at least one.
    fn new(number: usize) -> Option<Count> {
        u32::try_from(number).ok().filter(|count| *count > 0).map(Count)
    }
}

impl FromStr for Count {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Count, &'static str> {
        text.parse().ok().filter(|count| *count > 0).map(Count).ok_or("expected a whole number, 1 or more")
    }
}

/// Writes the error of a fast command to the log, where `ait doctor` finds it.
pub fn log_error(context: &Context, command: &str, error: &Error) {
    if let Ok(root) = context.root() {
        event_log::log(root, context.now, &format!("{command}: {error}"));
    }
}

/// The first word of a command line that runs a job.
pub const JOB: &str = "job";

/// Starts a job in a detached process (`ait job`); the first argument is its subject. If it cannot be started, the reason
/// goes to the log.
pub fn start_job(context: &Context, name: &str, arguments: &[&str]) {
    let words = [&[JOB, name], arguments].concat();
    if let Err(why) = process::start_detached(&words) {
        log_error(context, name, &Error::new("starting a job", name, why));
    }
}

/// Writes the first mistake of the configuration file to the log.
fn log_mistakes(context: &Context, command: &str) {
    if let Some(error) = context.config().error() {
        log_error(context, command, &error);
    }
}

/// The colours that the user has chosen; `None` for the defaults.
fn theme(context: &Context) -> Option<&Theme> {
    Some(context.config()).filter(|config| config.has_theme).map(|config| &config.theme)
}

/// The lesser of the widths of `--max-width` and the configuration file: shells pass one with each prompt.
fn at_most(option: Option<usize>, configured: Option<usize>) -> Option<usize> {
    option.into_iter().chain(configured).min()
}

/// The socket of the tmux server that the command runs in. `TMUX` is the socket, the server's pid and the session, separated
/// by commas.
fn tmux_socket(context: &Context) -> Option<String> {
    context.variable("TMUX").and_then(|tmux| Some(tmux.rsplitn(3, ',').nth(2)?.to_owned()))
}

/// The remark about manifests that are not read because they belong to other users.
fn foreign_ignored(count: usize) -> String {
    match count {
        1 => "1 manifest of another user ignored; type: ait doctor".to_owned(),
        _ => format!("{count} manifests of other users ignored; type: ait doctor"),
    }
}

/// The remarks about files that are not manifests.
fn unreadable(broken: &[UnreadableManifest]) -> Vec<String> {
    let remark = |broken: &UnreadableManifest| {
        format!("reading a manifest: {}: {}; the file was not changed", broken.path.display(), broken.why)
    };
    broken.iter().map(remark).collect()
}
