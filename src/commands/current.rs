//! `ait sessions current`: the session that runs this shell, or the one in this folder.

use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use jiff::Timestamp;
use serde::Serialize;

use super::Run;
use super::live::put_state;
use super::live_sessions::{self, LiveSession};
use crate::context::Context;
use crate::error::Result;
use crate::render::line::Line;
use crate::render::theme::{ColorChoice, Role};
use crate::render::ui::{Ui, put};
use crate::render::{elapsed, json};
use crate::report::{Data, Report};
use crate::session::json_object::JsonFields;
use crate::session::state::State;
use crate::session::time::seconds_between;

/// show the session that runs this shell, or the one in this folder
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(subcommand, name = "current", help_triggers("-h", "--help"), example = "  ait sessions current --json")]
pub struct Current {
    /// id of the session, or the start of it
    #[argh(option, arg_name = "id")]
    session: Option<String>,
    /// print one JSON object
    #[argh(switch)]
    json: bool,
    /// always, never or auto (the default)
    #[argh(option, arg_name = "when", default = "ColorChoice::Auto")]
    color: ColorChoice,
}

/// How long git may take to tell whether the tree is dirty now.
const GIT_LIMIT: Duration = Duration::from_secs(1);

impl Run for Current {
    /// Shows one session.
    ///
    /// # Errors
    /// If no session matches, or several do.
    fn run(&self, context: &Context) -> Result<Report> {
        let (mut live_session, ignored) =
            live_sessions::current(context, self.session.as_deref(), "ait sessions current")?;
        live_session.ask_dirty(GIT_LIMIT);
        Ok(Report::new(CurrentSession { live_session, now: context.now }).remarks(ignored))
    }

    fn json(&self) -> bool {
        self.json
    }

    fn color(&self) -> ColorChoice {
        self.color
    }
}

struct CurrentSession {
    live_session: LiveSession,
    now: Timestamp,
}

#[derive(Serialize)]
struct Json {
    session: JsonFields,
}

impl Data for CurrentSession {
    fn json(&self) -> Option<String> {
        json::object(&Json { session: live_sessions::json(&self.live_session, self.now) })
    }

    fn text(&self, ui: &Ui) -> String {
        let CurrentSession { live_session, now } = self;
        let manifest = &live_session.session.manifest;
        let mut text = String::new();
        let mut line = |label: &str, say: &dyn Fn(&mut Line)| {
            ui.line(&mut text, |line| {
                line.own(format_args!("{label:<9}"));
                say(line);
            });
        };
        line("Session:", &|line| line.text(live_session.session.id.as_str()));
        line("Project:", &|line| put(line, Role::Project, &manifest.project));
        let is_detached = manifest.git_branch.is_none();
        if let Some(branch) = live_session.branch() {
            let branch = if is_detached { format!("detached at {branch}") } else { branch };
            line("Branch:", &|line| {
                put(line, Role::Branch, &branch);
                if live_session.dirty == Some(true) {
                    line.literal(" (dirty)");
                }
            });
        }
        let ago = |time: Timestamp| elapsed::LongAgo(seconds_between(time, *now));
        match (manifest.started, manifest.resumed) {
            (Some(started), Some(resumed)) => line("Started:", &|line| {
                line.own(format_args!("{}, resumed {}", ago(started), ago(resumed)));
            }),
            (Some(time), None) | (None, Some(time)) => {
                line("Started:", &|line| line.own(format_args!("{}", ago(time))));
            }
            (None, None) => {}
        }
        line("Task:", &|line| put(line, Role::Task, manifest.task.as_deref().unwrap_or("none")));
        if live_session.observed.state != State::Unknown {
            line("State:", &|line| put_state(line, &live_session.observed, *now));
        }
        line("Path:", &|line| ui.put_path(line, manifest.path.as_ref()));
        text
    }
}
