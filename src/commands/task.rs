//! `ait sessions task`: show, set or clear the task of a session.

use serde::Serialize;

use super::page::Page;
use super::{Output, fleet};
use crate::error::{Error, Result, moves_cursor};
use crate::render::json;
use crate::session::event::Outcome;
use crate::session::task::{self, TaskSource};
use crate::store::active::{self, PATIENCE};
use crate::store::root::Root;
use crate::sys::clock;

/// `ait sessions task`
#[derive(Clone, Debug)]
pub struct Task {
    /// The new task; an empty one clears it; none shows it.
    pub text: Option<String>,
    /// An id, or the start of one.
    pub session: Option<String>,
    /// JSON.
    pub json: bool,
}

#[derive(Serialize)]
struct Shown<'a> {
    session_id: &'a str,
    task: Option<&'a str>,
}

/// Shows the task and never changes it, or sets it, or clears it.
///
/// # Errors
/// Where no session answers, or several do, or the manifest cannot be written.
pub fn run(request: &Task) -> Result<Output> {
    let root = Root::find()?;
    let now = clock::now();
    let wanted = request.text.as_deref().map(task::set);
    let typed = match &wanted {
        Some((text, _)) => format!("ait sessions task {}", quoted(text)),
        None => "ait sessions task".to_owned(),
    };
    // What stands there for bytes that are no text: nobody would find that task again, or know what it was.
    if request.text.as_ref().is_some_and(|text| text.contains(char::REPLACEMENT_CHARACTER)) {
        return Err(Error::new("setting the task", "", "the text is not UTF-8").next("type it in UTF-8"));
    }
    let member = fleet::current(&root, request.session.as_deref(), &typed, now)?;
    let id = &member.session.id;
    let mut output = Output::nothing();
    let task = match wanted {
        None => member.session.manifest.task.clone(),
        Some((text, was_cut)) => {
            if was_cut {
                output = output.remark(format!("the task was cut to {} characters", task::MAX_SET));
            }
            let task = (!text.is_empty()).then_some(text);
            active::update(&root, id, false, PATIENCE, |manifest, known| {
                if !known {
                    return Err(Error::new("setting the task", id, "the session has ended meanwhile"));
                }
                manifest.task.clone_from(&task);
                manifest.task_source = Some(TaskSource::User);
                Ok((Outcome::Keep, ()))
            })?;
            task
        }
    };
    if request.json {
        let shown = Shown { session_id: id.as_str(), task: task.as_deref() };
        output.stdout = json::object(&shown).unwrap_or_default();
        return Ok(output);
    }
    let text = &mut output.stdout;
    match (&request.text, task) {
        (None, None) => {
            let id = id.short();
            return Ok(Output::nothing().remark(format!("session {id} has no task; type: ait sessions task \"...\"")));
        }
        (None, Some(task)) => Page::plain().line(text, |line| line.text(&task)),
        (Some(_), Some(task)) => Page::plain().line(text, |line| {
            line.own(format_args!("Task of {}: ", id.short()));
            line.text(&task);
        }),
        (Some(_), None) => Page::plain().line(text, |line| line.own(format_args!("Task of {} cleared", id.short()))),
    }
    Ok(output)
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
