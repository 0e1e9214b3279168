//! `ait sessions next`: the session that has waited longest for its person.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::fleet::{self, Member};
use super::live::put_heading;
use super::page::{Page, put_path};
use super::{Output, live};
use crate::error::{Error, Exit, Result};
use crate::render::json;
use crate::session::manifest::seconds_between;
use crate::session::order::sort_by_key;
use crate::session::raw::JsonFields;
use crate::session::state::State;
use crate::store::root::Root;
use crate::sys::{clock, process};

/// `ait sessions next`
#[derive(Clone, Debug)]
pub struct Next {
    /// Switch to its tmux pane.
    pub go: bool,
    /// JSON.
    pub json: bool,
    /// always, never, auto.
    pub color: Option<String>,
}

#[derive(Serialize)]
struct Report {
    session: Option<JsonFields>,
    /// Whole seconds.
    waiting_seconds: Option<u64>,
    /// How many wait.
    waiting: usize,
}

/// How long tmux may take to answer.
const TMUX_LIMIT: Duration = Duration::from_secs(2);

/// Shows who waits longest, and goes there.
///
/// # Errors
/// Where the folder cannot be read, or there is no pane to go to.
pub fn run(request: &Next) -> Result<Output> {
    let page = Page::choose(request.color.as_deref())?;
    let root = Root::find()?;
    let now = clock::now();
    let fleet = if request.json { fleet::gather(&root)? } else { fleet::overview(&root)? };
    let mut waiting = fleet.members;
    waiting.retain(|member| member.told.state == State::Waiting);
    sort_by_key(&mut waiting, |member| member.told.since.unwrap_or(now));
    let longest = waiting.first();
    if let Some(member) = longest.filter(|_| request.go) {
        go_to(member)?;
    }
    let exit = if longest.is_some() { Exit::Done } else { Exit::Failed };
    if request.json {
        let report = Report {
            session: longest.map(|member| fleet::json(member, now)),
            waiting_seconds: longest.and_then(|member| Some(seconds_between(member.told.since?, now))),
            waiting: waiting.len(),
        };
        return Ok(Output::data(json::object(&report).unwrap_or_default()).exit(exit));
    }
    let Some(member) = longest else { return Ok(Output::data("Nobody waits for you.\n").exit(exit)) };
    Ok(Output::data(for_people(member, waiting.len(), page, now)))
}

fn for_people(member: &Member, count: usize, page: Page, now: Timestamp) -> String {
    let manifest = &member.session.manifest;
    let mut text = String::new();
    page.line(&mut text, |line| put_heading(line, None, manifest, now));
    page.line(&mut text, |line| {
        line.literal("   ");
        live::put_state(line, &member.told, now);
    });
    page.line(&mut text, |line| {
        line.literal("   ");
        put_path(line, Path::new(&manifest.path));
        if let Some(pane) = &manifest.tmux_pane {
            line.literal(", tmux ");
            line.text(pane);
            line.literal(": ait sessions next --go");
        }
    });
    if let Some(task) = &manifest.task {
        page.line(&mut text, |line| {
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
fn go_to(member: &Member) -> Result<()> {
    let doing = "switching to the session's pane";
    let manifest = &member.session.manifest;
    let short = member.session.id.short();
    let pane = manifest.tmux_pane.as_deref();
    // A pane's name becomes an argument of a program.
    let pane = pane.filter(|pane| pane.strip_prefix('%').is_some_and(|number| number.parse::<u32>().is_ok()));
    let Some(pane) = pane else {
        let pid = manifest.pid.map(|pid| format!(", pid {pid}")).unwrap_or_default();
        return Err(Error::new(doing, short, format!("it is in no tmux pane{pid}")));
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
        return Err(Error::new(doing, pane, "no terminal is attached to its tmux").next("type: tmux attach"));
    }
    Err(Error::new(doing, pane, "tmux has no such pane, or does not answer"))
}
