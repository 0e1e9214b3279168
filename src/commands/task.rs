//! `ait sessions task`: show, set or clear the task of a session.

use argh::{ArgsInfo, FromArgs};
use serde::Serialize;

use super::{Run, live_sessions};
use crate::context::Context;
use crate::error::{Error, Result, moves_cursor};
use crate::render::json;
use crate::render::ui::Ui;
use crate::report::{Data, Report};
use crate::session::event::Outcome;
use crate::session::id::SessionId;
use crate::session::task::{self, TaskSource};
use crate::store::active::LOCK_TIMEOUT;
use crate::store::lifecycle;

/// show, set or clear the task of the current session
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(
    subcommand,
    name = "task",
    help_triggers("-h", "--help"),
    example = "  ait sessions task \"Fixing login bug\"   set it\n  ait sessions task                      show it\n  ait sessions task \"\"                   clear it"
)]
pub struct Task {
    /// the new task, empty to clear it; without it, show the task
    #[argh(positional)]
    text: Vec<String>,
    /// id of the session, or the start of it
    #[argh(option, arg_name = "id")]
    session: Option<String>,
    /// print one JSON object
    #[argh(switch)]
    json: bool,
}

impl Run for Task {
    /// Shows the task and never changes it, or sets it, or clears it.
    ///
    /// # Errors
    /// If no session matches, or several do, or the manifest cannot be written.
    fn run(&self, context: &Context) -> Result<Report> {
        let text = (!self.text.is_empty()).then(|| self.text.join(" "));
        let wanted = text.as_deref().map(task::set);
        let typed = match &wanted {
            Some((text, _)) => format!("ait sessions task {}", quoted(text)),
            None => "ait sessions task".to_owned(),
        };
        let (live_session, ignored) = live_sessions::current(context, self.session.as_deref(), &typed)?;
        let id = live_session.session.id;
        let Some((text, was_cut)) = wanted else {
            let report =
                Report::new(TaskOf { id: id.clone(), task: live_session.session.manifest.task.clone(), is_new: false });
            let none = live_session.session.manifest.task.is_none() && !self.json;
            let remark = none.then(|| format!("session {} has no task; type: ait sessions task \"...\"", id.short()));
            return Ok(report.remarks(remark).remarks(ignored));
        };
        if live_session.hookless.is_some() {
            return Err(Error::new(
                "setting the task",
                &id,
                "no hook has reported this session, so it has no manifest",
            )
            .hint("type: ait sessions live"));
        }
        let task = (!text.is_empty()).then_some(text);
        lifecycle::change(&live_session.root, &id, LOCK_TIMEOUT, |manifest, known| {
            if !known {
                return Err(Error::new("setting the task", &id, "the session has ended"));
            }
            manifest.task.clone_from(&task);
            manifest.task_source = Some(TaskSource::User);
            Ok((Outcome::Keep, ()))
        })?;
        let cut = was_cut.then(|| format!("the task was cut to {} characters", task::MAX_SET));
        Ok(Report::new(TaskOf { id, task, is_new: true }).remarks(cut).remarks(ignored))
    }

    fn json(&self) -> bool {
        self.json
    }
}

/// Sets the task of the session with this id.
///
/// # Errors
/// As those of the command.
pub(super) fn set(context: &Context, id: &str, text: String) -> Result<Report> {
    Task { text: vec![text], session: Some(id.to_owned()), json: false }.run(context)
}

struct TaskOf {
    id: SessionId,
    task: Option<String>,
    /// It was just set or cleared.
    is_new: bool,
}

#[derive(Serialize)]
struct Json<'a> {
    session_id: &'a str,
    task: Option<&'a str>,
}

impl Data for TaskOf {
    fn json(&self) -> Option<String> {
        json::object(&Json { session_id: self.id.as_str(), task: self.task.as_deref() })
    }

    fn text(&self, ui: &Ui) -> String {
        let mut text = String::new();
        let short = self.id.short();
        match (self.is_new, &self.task) {
            (false, None) => {}
            (false, Some(task)) => ui.line(&mut text, |line| line.text(task)),
            (true, Some(task)) => ui.line(&mut text, |line| {
                line.own(format_args!("Task of {short}: "));
                line.text(task);
            }),
            (true, None) => ui.line(&mut text, |line| line.own(format_args!("Task of {short} cleared"))),
        }
        text
    }
}

/// A text as it can be typed into a shell again, the same in sh, bash, zsh and fish; nothing in it moves a cursor.
///
/// In single quotes a backslash means itself in sh, and not always in fish: it stands outside of them. What a terminal
/// would act on is left to `printf`, which all of them have; in double quotes fish has the substitution since 3.4.
pub(super) fn quoted(text: &str) -> String {
    let plain = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_./:".contains(&byte));
    if plain {
        return text.to_owned();
    }
    if text.contains(moves_cursor) {
        return format!("\"$(printf '{}')\"", in_octal(text));
    }
    let mut out = String::with_capacity(text.len() + 2);
    let mut open = false;
    let mut is_open = |out: &mut String, wanted: bool| {
        if open != wanted {
            out.push('\'');
        }
        open = wanted;
    };
    is_open(&mut out, text.is_empty());
    for c in text.chars() {
        is_open(&mut out, !matches!(c, '\'' | '\\'));
        if matches!(c, '\'' | '\\') {
            out.push('\\');
        }
        out.push(c);
    }
    is_open(&mut out, false);
    out
}

/// A text as the format of `printf`, in single quotes within double quotes: there an interactive bash still takes `!`
/// for a word about its history.
fn in_octal(text: &str) -> String {
    let mut out = String::new();
    for c in text.chars() {
        if moves_cursor(c) || matches!(c, '\'' | '"' | '\\' | '!') {
            for byte in c.encode_utf8(&mut [0; 4]).bytes() {
                out.push_str(&format!("\\{byte:03o}"));
            }
        } else if c == '%' {
            out.push_str("%%");
        } else {
            out.push(c);
        }
    }
    out
}
