//! `ait sessions next`: the session that waits most urgently for its user.

use std::path::Path;

use argh::{ArgsInfo, FromArgs};
use jiff::Timestamp;
use serde::Serialize;

use super::live::{self, put_heading};
use super::live_sessions::{self, LiveSession, LiveSessions};
use super::{Run, foreign_ignored, pane, tmux_socket};
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::render::json;
use crate::render::theme::ColorChoice;
use crate::render::ui::Ui;
use crate::report::{Data, Report};
use crate::session::json_object::JsonFields;
use crate::session::order::sort_by_key;
use crate::session::time::seconds_between;

/// show the session that has waited longest for you, blocked before finished
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(
    subcommand,
    name = "next",
    help_triggers("-h", "--help"),
    example = "  ait sessions next --go",
    note = "A session is blocked if it needs a permission or an answer; it is finished if",
    note = "its turn ended.",
    note = "The session in the current tmux pane is skipped."
)]
pub struct Next {
    /// switch to its tmux pane
    #[argh(switch)]
    go: bool,
    /// list all waiting sessions, also the one in the current tmux pane
    #[argh(switch)]
    all: bool,
    /// print one JSON object
    #[argh(switch)]
    json: bool,
    /// always, never or auto (the default)
    #[argh(option, arg_name = "when", default = "ColorChoice::Auto")]
    color: ColorChoice,
}

impl Run for Next {
    /// Shows which session waits most urgently, or all that wait, and goes there.
    ///
    /// # Errors
    /// If the folder cannot be read, or there is no pane to go to.
    fn run(&self, context: &Context) -> Result<Report> {
        let (root, now) = (context.root()?, context.now);
        let LiveSessions { live_sessions: mut waiting, foreign, .. } = if self.json {
            live_sessions::gather(root, context.now)?
        } else {
            live_sessions::overview(root, context.now)?
        };
        let here = CurrentPane::of(context);
        waiting
            .retain(|live_session| live_session.observed.need().is_some() && (self.all || !here.shows(live_session)));
        sort_by_key(&mut waiting, |live_session| live_session.urgency(now));
        if let Some(live_session) = waiting.iter().find(|live_session| self.go && !here.shows(live_session)) {
            pane::go_to(live_session)?;
        }
        let exit = if waiting.is_empty() { Exit::Failed } else { Exit::Done };
        let ignored = (foreign > 0).then(|| foreign_ignored(foreign));
        Ok(Report::new(WaitingSessions { waiting, all: self.all, now }).exit(exit).remarks(ignored))
    }

    fn json(&self) -> bool {
        self.json
    }

    fn color(&self) -> ColorChoice {
        self.color
    }
}

/// The tmux pane that the command runs in: its session is on the screen already.
struct CurrentPane {
    pane: Option<String>,
    socket: Option<String>,
}

impl CurrentPane {
    fn of(context: &Context) -> CurrentPane {
        CurrentPane { pane: context.variable("TMUX_PANE"), socket: tmux_socket(context) }
    }

    fn shows(&self, live_session: &LiveSession) -> bool {
        let manifest = &live_session.session.manifest;
        self.pane.is_some() && self.pane == manifest.tmux_pane && self.socket == manifest.tmux_socket
    }
}

struct WaitingSessions {
    /// The most urgent first.
    waiting: Vec<LiveSession>,
    /// List them all.
    all: bool,
    now: Timestamp,
}

#[derive(Serialize)]
struct Json {
    session: Option<JsonFields>,
    /// Whole seconds.
    waiting_seconds: Option<u64>,
    /// How many wait.
    waiting: usize,
    /// All that wait, if they were asked for.
    sessions: Option<Vec<JsonFields>>,
}

impl Data for WaitingSessions {
    fn json(&self) -> Option<String> {
        let first = self.waiting.first();
        let fields = |live_session| live_sessions::json(live_session, self.now);
        json::object(&Json {
            session: first.map(fields),
            waiting_seconds: first
                .and_then(|live_session| Some(seconds_between(live_session.observed.since?, self.now))),
            waiting: self.waiting.len(),
            sessions: self.all.then(|| self.waiting.iter().map(fields).collect()),
        })
    }

    fn text(&self, ui: &Ui) -> String {
        match self.waiting.first() {
            None => "No session is waiting for you.\n".to_owned(),
            Some(_) if self.all => {
                let entries = self.waiting.iter().enumerate();
                entries
                    .map(|(position, live_session)| for_people(live_session, Some(position + 1), ui, self.now))
                    .collect()
            }
            Some(first) => for_people(first, None, ui, self.now) + &others(self.waiting.len() - 1),
        }
    }
}

fn others(count: usize) -> String {
    match count {
        0 => String::new(),
        1 => "   and 1 more waits: ait sessions next --all\n".to_owned(),
        _ => format!("   and {count} more wait: ait sessions next --all\n"),
    }
}

fn for_people(live_session: &LiveSession, number: Option<usize>, ui: &Ui, now: Timestamp) -> String {
    let manifest = &live_session.session.manifest;
    let mut text = String::new();
    ui.line(&mut text, |line| put_heading(line, number, manifest, None, now));
    ui.line(&mut text, |line| {
        line.literal("   ");
        live::put_state(line, &live_session.observed, now);
    });
    ui.line(&mut text, |line| {
        line.literal("   ");
        ui.put_path(line, Path::new(&manifest.path));
        if let Some(pane) = &manifest.tmux_pane {
            line.literal(", tmux ");
            line.text(pane);
            if number.is_none() {
                line.literal(": ait sessions next --go");
            }
        }
    });
    if let Some(task) = &manifest.task {
        ui.line(&mut text, |line| {
            line.literal("   Task: ");
            line.text(task);
        });
    }
    text
}
