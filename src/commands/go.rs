//! `ait sessions go`: shows the tmux pane of a session, or its window. Without arguments the session is chosen from a list.

use argh::{ArgsInfo, FromArgs};
use jiff::Timestamp;

use super::live_sessions::{self, LiveSession};
use super::pane;
use super::picker::{Picker, in_order, state_of};
use super::{Run, Screenful};
use crate::context::Context;
use crate::error::{Error, Exit, Result, on_one_line};
use crate::render::theme::{ColorChoice, Role};
use crate::render::ui::{Ui, put};
use crate::report::{Data, Report};

/// switch to a session's tmux pane, or choose the session from a list
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(
    subcommand,
    name = "go",
    help_triggers("-h", "--help"),
    example = "  ait sessions go          choose from all live sessions\n  ait sessions go shop     go to the session of this project\n  ait sessions go 3f9c     go to the session whose id starts so",
    note = "In the list: type to filter; arrow keys, then Enter, or a digit: go; t: set",
    note = "the task; Esc: leave. To filter by a text that begins with t or a digit, type /",
    note = "first. With a filter, t and digits belong to it; Esc shows all again.",
    note = "With fzf: ait sessions go --list | fzf | cut -f1 | xargs -r ait sessions go"
)]
pub struct Go {
    /// its id, the start of its id, its project, or a part of its task
    #[argh(positional)]
    session: Option<String>,
    /// print all live sessions, blocked first: id, project, branch, state and task, separated by tabs
    #[argh(switch)]
    list: bool,
    /// always, never or auto (the default)
    #[argh(option, arg_name = "when", default = "ColorChoice::Auto")]
    color: ColorChoice,
}

impl Run for Go {
    /// Goes to the session that is named, or lists all.
    ///
    /// # Errors
    /// If none is named and there is no terminal, none or several match, or tmux cannot show the pane.
    fn run(&self, context: &Context) -> Result<Report> {
        let sessions = in_order(context)?;
        if self.list {
            return Ok(Report::text(sessions.iter().map(list_line).collect::<String>()));
        }
        let Some(wanted) = &self.session else {
            let error = Error::new("choosing a session", "standard input and output", "not a terminal");
            return Err(error.hint("name a session; type: ait sessions go --list").exit(Exit::NotFound));
        };
        let session = one_of(sessions, wanted, context.now)?;
        if pane::show(&session)? {
            return Ok(Report::nothing());
        }
        Ok(Report::new(NoPane(session)).exit(Exit::Failed))
    }

    fn color(&self) -> ColorChoice {
        self.color
    }

    fn screenful(&self, context: &Context) -> Option<Result<Box<dyn Screenful>>> {
        let is_asked = self.session.is_none() && !self.list && context.stdin_is_terminal && context.stdout_is_terminal;
        is_asked.then(|| Ok(Box::new(Picker::new(in_order(context)?, context.now)) as Box<dyn Screenful>))
    }
}

fn list_line(session: &LiveSession) -> String {
    let manifest = &session.session.manifest;
    let branch = session.branch().unwrap_or_default();
    let task = manifest.task.as_deref().unwrap_or_default();
    let fields = [session.session.id.as_str(), &manifest.project, &branch, state_of(session), task];
    // A tab in a field would be one more field.
    fields.map(on_one_line).join("\t") + "\n"
}

/// The only session that is meant: by its id, else by the start of it, else by its project, else by its task.
fn one_of(sessions: Vec<LiveSession>, wanted: &str, now: Timestamp) -> Result<LiveSession> {
    let doing = "finding a session";
    let lower = wanted.to_lowercase();
    let rank = |session: &LiveSession| {
        let manifest = &session.session.manifest;
        let id = session.session.id.as_str();
        let task = || manifest.task.as_ref().is_some_and(|task| task.to_lowercase().contains(&lower));
        match () {
            () if id == wanted => Some(0),
            () if lower.is_empty() => None,
            () if id.starts_with(wanted) => Some(1),
            () if manifest.project.to_lowercase() == lower => Some(2),
            () if task() => Some(3),
            () => None,
        }
    };
    let best = sessions.iter().filter_map(rank).min();
    let ids: Vec<String> = sessions.iter().map(|session| session.session.id.to_string()).collect();
    let mut matching: Vec<LiveSession> =
        sessions.into_iter().filter(|session| best.is_some() && rank(session) == best).collect();
    match matching.len() {
        0 => Err(Error::new(doing, wanted, "no live session has this id, project or task")
            .hint("type: ait sessions live")
            .exit(Exit::NotFound)),
        1 => Ok(matching.remove(0)),
        count => {
            let ids: Vec<&str> = ids.iter().map(String::as_str).collect();
            let mut hint = "choose one:".to_owned();
            for session in &matching {
                let id = live_sessions::shortest_unique(session.session.id.as_str(), &ids);
                hint.push_str(&format!("\n  ait sessions go {id}   {}", session.in_short(now)));
            }
            Err(Error::new(doing, wanted, format!("{count} live sessions match")).hint(hint).exit(Exit::NotFound))
        }
    }
}

/// A session that cannot be shown.
struct NoPane(LiveSession);

impl Data for NoPane {
    fn text(&self, ui: &Ui) -> String {
        let mut text = String::new();
        ui.line(&mut text, |line| {
            put(line, Role::Project, &self.0.session.manifest.project);
            line.fixed(" does not run in a tmux pane: ");
            line.text(&pane::place_of(&self.0, ui));
        });
        text
    }
}
