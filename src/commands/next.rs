//! `ait sessions next`: the session that has waited longest for its person.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use jiff::Timestamp;
use serde::Serialize;

use super::live::{self, put_heading};
use super::live_sessions::{self, LiveSession, LiveSessions};
use super::{Run, foreign_ignored};
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::render::json;
use crate::render::theme::ColorChoice;
use crate::render::ui::Ui;
use crate::report::{Data, Report};
use crate::session::json_object::JsonFields;
use crate::session::order::sort_by_key;
use crate::session::state::State;
use crate::session::time::seconds_between;
use crate::sys::process;

/// show which session has waited for you longest
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(subcommand, name = "next", help_triggers("-h", "--help"), example = "  ait sessions next --go")]
pub struct Next {
    /// switch to its tmux pane
    #[argh(switch)]
    go: bool,
    /// print one JSON object
    #[argh(switch)]
    json: bool,
    /// always, never or auto (the default)
    #[argh(option, arg_name = "when", default = "ColorChoice::Auto")]
    color: ColorChoice,
}

/// How long tmux may take to answer.
const TMUX_LIMIT: Duration = Duration::from_secs(2);

impl Run for Next {
    /// Shows who waits longest, and goes there.
    ///
    /// # Errors
    /// If the folder cannot be read, or there is no pane to go to.
    fn run(&self, context: &Context) -> Result<Report> {
        let (root, now) = (context.root()?, context.now);
        let LiveSessions { members: mut waiting, foreign, .. } = if self.json {
            live_sessions::gather(root, context.now)?
        } else {
            live_sessions::overview(root, context.now)?
        };
        waiting.retain(|member| member.observed.state == State::Waiting);
        sort_by_key(&mut waiting, |member| member.observed.since.unwrap_or(now));
        if let Some(member) = waiting.first().filter(|_| self.go) {
            go_to(member)?;
        }
        let exit = if waiting.is_empty() { Exit::Failed } else { Exit::Done };
        let ignored = (foreign > 0).then(|| foreign_ignored(foreign));
        Ok(Report::new(WaitingSessions { waiting, now }).exit(exit).remarks(ignored))
    }

    fn json(&self) -> bool {
        self.json
    }

    fn color(&self) -> ColorChoice {
        self.color
    }
}

struct WaitingSessions {
    /// The longest first.
    waiting: Vec<LiveSession>,
    now: Timestamp,
}

#[derive(Serialize)]
struct Json {
    session: Option<JsonFields>,
    /// Whole seconds.
    waiting_seconds: Option<u64>,
    /// How many wait.
    waiting: usize,
}

impl Data for WaitingSessions {
    fn json(&self) -> Option<String> {
        let longest = self.waiting.first();
        json::object(&Json {
            session: longest.map(|member| live_sessions::json(member, self.now)),
            waiting_seconds: longest.and_then(|member| Some(seconds_between(member.observed.since?, self.now))),
            waiting: self.waiting.len(),
        })
    }

    fn text(&self, ui: &Ui) -> String {
        match self.waiting.first() {
            None => "No session is waiting for you.\n".to_owned(),
            Some(member) => for_people(member, self.waiting.len(), ui, self.now),
        }
    }
}

fn for_people(member: &LiveSession, count: usize, ui: &Ui, now: Timestamp) -> String {
    let manifest = &member.session.manifest;
    let mut text = String::new();
    ui.line(&mut text, |line| put_heading(line, None, manifest, None, now));
    ui.line(&mut text, |line| {
        line.literal("   ");
        live::put_state(line, &member.observed, now);
    });
    ui.line(&mut text, |line| {
        line.literal("   ");
        ui.put_path(line, Path::new(&manifest.path));
        if let Some(pane) = &manifest.tmux_pane {
            line.literal(", tmux ");
            line.text(pane);
            line.literal(": ait sessions next --go");
        }
    });
    if let Some(task) = &manifest.task {
        ui.line(&mut text, |line| {
            line.literal("   Task: ");
            line.text(task);
        });
    }
    if count > 1 {
        text.push_str(&format!("   and {} more wait{}\n", count - 1, if count == 2 { "s" } else { "" }));
    }
    text
}

/// Shows the pane of a session, whatever session of tmux it is in.
fn go_to(member: &LiveSession) -> Result<()> {
    let doing = "switching to the session's pane";
    let manifest = &member.session.manifest;
    let short = member.session.id.short();
    let pane = manifest.tmux_pane.as_deref();
    // A pane's name becomes an argument of a program.
    let pane = pane.filter(|pane| pane.strip_prefix('%').is_some_and(|number| number.parse::<u32>().is_ok()));
    let Some(pane) = pane else {
        let pid = manifest.pid.map(|pid| format!(", pid {pid}")).unwrap_or_default();
        return Err(Error::new(doing, short, format!("it does not run in a tmux pane{pid}")));
    };
    let program = process::find_program("tmux").ok_or_else(|| Error::new(doing, "tmux", "not in PATH"))?;
    let tmux = |words: &[&str]| {
        let socket = manifest.tmux_socket.as_deref().filter(|socket| socket.starts_with('/'));
        let server = socket.into_iter().flat_map(|socket| ["-S", socket]);
        let words: Vec<&OsStr> = server.chain(words.iter().copied()).map(OsStr::new).collect();
        let done = process::run(&program, &words, &[], &PathBuf::from("/"), TMUX_LIMIT);
        matches!(done, Ok(output) if output.success)
    };
    // A client is switched to the pane's session, window and pane at once, where one is attached.
    if tmux(&["switch-client", "-t", pane]) {
        return Ok(());
    }
    if tmux(&["select-window", "-t", pane]) && tmux(&["select-pane", "-t", pane]) {
        return Err(Error::new(doing, pane, "no terminal is attached to this tmux session").hint("type: tmux attach"));
    }
    Err(Error::new(doing, pane, "tmux does not answer, or the pane no longer exists"))
}
