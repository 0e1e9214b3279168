//! `ait sessions current`: the session of this folder, or the one whose shell this is.

use std::time::Duration;

use serde::Serialize;

use super::live::put_state;
use super::page::{Page, put, put_path};
use super::{Output, fleet};
use crate::error::Result;
use crate::git;
use crate::render::dialect::Line;
use crate::render::theme::Role;
use crate::render::{elapsed, json};
use crate::session::raw::JsonFields;
use crate::session::state::State;
use crate::store::root::Root;
use crate::sys::clock;

/// `ait sessions current`
#[derive(Clone, Debug)]
pub struct Current {
    /// An id, or the start of one.
    pub session: Option<String>,
    /// JSON.
    pub json: bool,
    /// always, never, auto.
    pub color: Option<String>,
}

#[derive(Serialize)]
struct Report {
    session: JsonFields,
}

/// How long git may take to tell whether the tree is dirty now.
const GIT_LIMIT: Duration = Duration::from_secs(1);

/// Shows one session.
///
/// # Errors
/// Where none answers, or several do.
pub fn run(request: &Current) -> Result<Output> {
    let page = Page::choose(request.color.as_deref())?;
    let root = Root::find()?;
    let now = clock::now();
    let mut member = fleet::current(&root, request.session.as_deref(), "ait sessions current", now)?;
    // What is true now, not at the last event.
    if let Some(status) = member.place.tree.as_ref().and_then(|tree| git::status(tree, GIT_LIMIT)) {
        member.session.manifest.git_dirty = Some(status.dirty);
        member.session.manifest.git_branch = status.branch;
    }
    if request.json {
        return Ok(Output::data(json::object(&Report { session: fleet::json(&member, now) }).unwrap_or_default()));
    }
    let manifest = &member.session.manifest;
    let mut text = String::new();
    let mut line = |label: &str, say: &dyn Fn(&mut Line)| {
        page.line(&mut text, |line| {
            line.own(format_args!("{label:<9}"));
            say(line);
        });
    };
    line("Session:", &|line| line.text(member.session.id.as_str()));
    line("Project:", &|line| put(line, Role::Project, &manifest.project));
    let detached = || Some(format!("detached at {}", manifest.head.as_deref()?.get(..7)?));
    if let Some(branch) = manifest.git_branch.clone().or_else(detached) {
        line("Branch:", &|line| {
            put(line, Role::Branch, &branch);
            if manifest.git_dirty == Some(true) {
                line.literal(" (dirty)");
            }
        });
    }
    if let Some(seconds) = manifest.elapsed_seconds(now) {
        line("Started:", &|line| line.own(format_args!("{}", elapsed::LongAgo(seconds))));
    }
    line("Task:", &|line| put(line, Role::Task, manifest.task.as_deref().unwrap_or("none")));
    if member.told.state != State::Unknown {
        line("State:", &|line| put_state(line, &member.told, now));
    }
    line("Path:", &|line| put_path(line, manifest.path.as_ref()));
    Ok(Output::data(text))
}
