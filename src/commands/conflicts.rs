//! `ait sessions conflicts`: where live sessions can hurt each other.

use jiff::Timestamp;
use serde::Serialize;

use super::Output;
use super::fleet::{self, Member};
use super::page::{Page, put, put_path};
use crate::error::{Exit, Result};
use crate::render::theme::Role;
use crate::render::{elapsed, json};
use crate::session::conflict::{Grade, shared};
use crate::session::raw::JsonFields;
use crate::store::root::Root;
use crate::sys::clock;

/// `ait sessions conflicts`
#[derive(Clone, Debug)]
pub struct Conflicts {
    /// Exit with 3 where there are conflicts.
    pub strict: bool,
    /// JSON.
    pub json: bool,
    /// always, never, auto.
    pub color: Option<String>,
}

#[derive(Serialize)]
struct Report {
    conflicts: Vec<Conflict>,
}

#[derive(Serialize)]
struct Conflict {
    grade: Grade,
    project: String,
    path: String,
    sessions: Vec<JsonFields>,
    files: [(); 0],
}

/// Shows the conflicts, worst first.
///
/// # Errors
/// Where the folder cannot be read.
pub fn run(request: &Conflicts) -> Result<Output> {
    let page = Page::choose(request.color.as_deref())?;
    let root = Root::find()?;
    let now = clock::now();
    let live = fleet::live(&root)?;
    let groups: Vec<Vec<&Member>> = shared(live.iter().map(|member| member.place.root.as_path()))
        .into_iter()
        .map(|group| group.into_iter().filter_map(|position| live.get(position)).collect())
        .collect();
    let exit = if request.strict && !groups.is_empty() { Exit::Conflicts } else { Exit::Done };
    if request.json {
        let conflicts = groups.iter().map(|group| in_json(group, now)).collect();
        return Ok(Output::data(json::object(&Report { conflicts }).unwrap_or_default()).exit(exit));
    }
    if groups.is_empty() {
        let count = live.len();
        return Ok(Output::data(format!(
            "No conflicts among {count} live session{}.\n",
            if count == 1 { "" } else { "s" }
        )));
    }
    let text: Vec<String> = groups.iter().map(|group| for_people(group, page, now)).collect();
    Ok(Output::data(text.join("\n")).exit(exit))
}

fn in_json(group: &[&Member], now: Timestamp) -> Conflict {
    Conflict {
        grade: Grade::SharedTree,
        project: group.first().map(|member| member.place.project()).unwrap_or_default(),
        path: group.first().map(|member| member.place.root.to_string_lossy().into_owned()).unwrap_or_default(),
        sessions: group.iter().map(|member| fleet::json(member, now)).collect(),
        files: [],
    }
}

fn for_people(group: &[&Member], page: Page, now: Timestamp) -> String {
    let mut text = String::new();
    page.line(&mut text, |line| {
        line.role(Role::Conflict);
        line.literal("⚠  Conflict Detected!");
        line.role(Role::Plain);
    });
    if let Some(member) = group.first() {
        page.line(&mut text, |line| {
            line.literal("Project: ");
            put(line, Role::Project, &member.place.project());
        });
        page.line(&mut text, |line| {
            line.literal("Tree:    ");
            put_path(line, &member.place.root);
        });
    }
    text.push_str("Sessions:\n");
    for member in group {
        let manifest = &member.session.manifest;
        page.line(&mut text, |line| {
            line.own(format_args!("  - {} (", member.session.id.short()));
            put(line, Role::Branch, manifest.git_branch.as_deref().unwrap_or("no branch"));
            line.literal(")");
            if let Some(seconds) = manifest.elapsed_seconds(now) {
                line.own(format_args!(" started {}", elapsed::Ago(seconds)));
            }
            if let Some(task) = &manifest.task {
                line.literal(": ");
                put(line, Role::Task, task);
            }
        });
    }
    text.push_str(
        "\nRisk: Parallel edits may overwrite each other; a checkout, stash or reset of one moves the other's files.\n",
    );
    text.push_str(
        "Recommendation: Coordinate work or close one session; `claude --worktree NAME` gives one a tree of its own.\n",
    );
    text
}
