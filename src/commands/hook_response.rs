//! The response of a hook to Claude: which other sessions work here, wrote the file that it is about to write, or moved HEAD.
//!
//! Nothing here decides whether something may be done, but for what the person asked `ait guard` to; whatever goes
//! wrong, nothing is said and the work goes on.

use std::path::Path;
use std::rc::Rc;

use jiff::Timestamp;
use serde::Serialize;

use crate::claude::payload::HookPayload;
use crate::context::Context;
use crate::error::on_one_line;
use crate::git;
use crate::render::theme::ColorChoice;
use crate::render::{elapsed, json};
use crate::report::Report;
use crate::session::event::EventContext;
use crate::session::file_write::{FileWrite, Overlap, TreeWrite, is_fresh};
use crate::session::head;
use crate::session::id::SessionId;
use crate::session::manifest::{HeadMoved, Manifest};
use crate::session::task;
use crate::session::time::seconds_between;
use crate::store::active;
use crate::store::guard::{self, Guard};
use crate::store::lifecycle;
use crate::store::manifest_file::Session;
use crate::store::place::Place;
use crate::store::root::Root;
use crate::store::write_log::{self, PendingWrite};
use crate::sys::files;

/// The JSON response of a hook.
#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Answer {
    /// Shown to the person.
    #[serde(skip_serializing_if = "Option::is_none")]
    system_message: Option<String>,
    hook_specific_output: Specific,
}

#[derive(Default, Serialize)]
#[serde(rename_all = "camelCase")]
struct Specific {
    hook_event_name: String,
    /// Given to the model.
    #[serde(skip_serializing_if = "Option::is_none")]
    additional_context: Option<String>,
    /// ask or deny.
    #[serde(skip_serializing_if = "Option::is_none")]
    permission_decision: Option<&'static str>,
    /// Shown to the person, and to the model where it was denied.
    #[serde(skip_serializing_if = "Option::is_none")]
    permission_decision_reason: Option<String>,
}

impl Answer {
    fn report(self) -> Report {
        Report::text(json::line(&self).unwrap_or_default())
    }
}

/// The write in a payload, and the other sessions that wrote the file.
pub(super) fn write_of(root: &Root, id: &SessionId, payload: &HookPayload, now: Timestamp) -> Option<PendingWrite> {
    let path = Path::new(payload.writes.as_deref()?);
    let path = match path.is_absolute() {
        true => path.to_owned(),
        false => Path::new(payload.folder.as_deref()?).join(path),
    };
    path.is_absolute().then(|| write_log::look_up(root, files::resolve(&path), id, now))
}

/// The file write of a payload, and what the manifest is to remember of it. `here` is where the session works.
pub(super) fn file_write_of(write: &PendingWrite, here: &Place, event_context: &mut EventContext) -> FileWrite {
    // The file itself holds no repository; its folder may.
    let tree = git::Tree::find_beside(write.file.parent().unwrap_or(&write.file), here.tree.as_deref());
    event_context.wrote = tree.as_ref().map(|tree| TreeWrite {
        tree: tree.root.to_string_lossy().into_owned(),
        repository: tree.common_dir.to_string_lossy().into_owned(),
        at: event_context.now,
        by_subagent: false,
    });
    let whole = write.file.to_string_lossy().into_owned();
    let overlap =
        |(other, at): &(Session, Timestamp)| Overlap { path: whole.clone(), session_id: other.id.to_string(), at: *at };
    event_context.overlaps = write.others.iter().map(overlap).collect();
    let path = tree.as_ref().and_then(|tree| write.file.strip_prefix(&tree.root).ok());
    let path = path.map_or_else(|| whole.clone(), |path| path.to_string_lossy().into_owned());
    FileWrite { tree: event_context.wrote.as_ref().map(|wrote| wrote.tree.clone()), path, at: event_context.now }
}

/// The warning before a file is written that another session wrote.
fn warning(context: &Context, write: &PendingWrite, here: &Place) -> Option<(String, Guard)> {
    let (other, at) = write.others.first()?;
    let tree = git::Tree::find_beside(write.file.parent()?, here.tree.as_deref());
    let guard = guard::of(tree.as_ref().map(|tree| tree.common_dir.as_path()), || super::guard::configured(context));
    // It was told before its own last write; nothing has happened since.
    let told = write.mine.is_some_and(|mine| mine >= *at);
    if guard == Guard::Off || (guard == Guard::Tell && told) {
        return None;
    }
    let name = tree.as_ref().and_then(|tree| write.file.strip_prefix(&tree.root).ok()).unwrap_or(&write.file).display();
    let ago = elapsed::Ago(seconds_between(*at, context.now));
    let more = match write.others.len() {
        1 => String::new(),
        count => format!(", and {} more session{}", count - 1, plural(count - 1)),
    };
    Some((format!("{name} was written {ago} by session {}{more}.", describe(other)), guard))
}

/// The response before a tool runs, after it, or at a prompt.
pub(super) fn at_event(
    context: &Context,
    payload: &HookPayload,
    write: Option<&PendingWrite>,
    here: &Place,
    moved: Option<&HeadMoved>,
) -> Report {
    let mut specific = Specific { hook_event_name: payload.event.clone(), ..Specific::default() };
    let mut told = Vec::new();
    if let Some(moved) = moved {
        let ago = elapsed::Ago(seconds_between(moved.at, context.now)).to_string();
        told.push(head::message(moved, &ago));
    }
    if payload.event == "PreToolUse"
        && let Some((said, guard)) = write.and_then(|write| warning(context, write, here))
    {
        match guard {
            Guard::Off => {}
            Guard::Tell => told.push(format!("{said} Read it again before you write it.")),
            Guard::Ask | Guard::Deny => {
                let (decision, setting) = match guard {
                    Guard::Ask => ("ask", "asks"),
                    _ => ("deny", "denies"),
                };
                specific.permission_decision = Some(decision);
                specific.permission_decision_reason =
                    Some(clean(&format!("{said} `ait guard` {setting} within an hour of another session's write.")));
            }
        }
    }
    if told.is_empty() && specific.permission_decision.is_none() {
        return Report::nothing();
    }
    specific.additional_context = (!told.is_empty()).then(|| clean(&told.join(" ")));
    Answer { system_message: None, hook_specific_output: specific }.report()
}

/// Another live session on this repository.
pub(super) struct Other<'a> {
    pub(super) session: &'a Session,
    /// The root that it is in: that of this profile or of another one.
    pub(super) root: &'a Root,
    /// It works in the same tree, not in another one of the repository.
    pub(super) in_same_tree: bool,
}

/// The response to a session that starts: two lines about the others, and for the person a `reminder`.
pub(super) fn at_start(
    context: &Context,
    others: &[Other<'_>],
    payload: &HookPayload,
    project: &str,
    reminder: Option<String>,
) -> Report {
    let hook_event_name = "SessionStart".to_owned();
    if others.is_empty() {
        let hook_specific_output = Specific { hook_event_name, ..Specific::default() };
        return reminder.map_or_else(Report::nothing, |reminder| {
            Answer { system_message: Some(clean(&reminder)), hook_specific_output }.report()
        });
    }
    let here = others.iter().filter(|other| other.in_same_tree).count();
    let count = match (here, others.len() - here) {
        (here, 0) => format!("{here} other live session{} in this working tree", plural(here)),
        (0, there) => format!("{there} other live session{} in another working tree", plural(there)),
        (here, there) => format!("{here} other live session{} in this working tree, {there} in another", plural(here)),
    };
    let advice = match here {
        0 => "",
        _ => "; files may change while you work, and a checkout, stash or reset here changes their files too",
    };
    const MAX_SHOWN: usize = 5;
    let mut rows: Vec<String> = others.iter().take(MAX_SHOWN).map(|other| row(context, other)).collect();
    if others.len() > MAX_SHOWN {
        rows.push(format!("and {} more: ait sessions live", others.len() - MAX_SHOWN));
    }
    let (first, second) = (clean(&format!("{project}: {count}{advice}.")), clean(&rows.join("; ")));
    let specific =
        Specific { hook_event_name, additional_context: Some(format!("{first}\n{second}")), ..Specific::default() };
    // After a compaction the model has forgotten it; the person has not.
    let told_before = payload.source.as_deref() == Some("compact");
    let listed: String = rows.iter().map(|row| format!("\n- {}", clean(row))).collect();
    let reminder = reminder.map(|reminder| format!("\n{}", clean(&reminder))).unwrap_or_default();
    let system_message = (!told_before).then(|| clean(&format!("{project}: {count}")) + &listed + &reminder);
    Answer { system_message, hook_specific_output: specific }.report()
}

/// A line about another session: id, branch, age, task, folder, and the files that it recently wrote.
fn row(context: &Context, other: &Other<'_>) -> String {
    let (now, ui) = (context.now, context.ui(ColorChoice::Never));
    let session = other.session;
    let manifest = &session.manifest;
    let mut row = format!("{} on {}", session.id.short(), branch(manifest));
    if let Some(seconds) = manifest.elapsed_seconds(now) {
        row.push_str(&format!(", started {}", elapsed::Ago(seconds)));
    }
    if let Some(task) = manifest.task.as_deref().and_then(task::shorten) {
        row.push_str(&format!(", task: {task}"));
    }
    if !other.in_same_tree {
        row.push_str(&format!(", in {}", ui.path(Path::new(&manifest.path))));
    }
    let file_writes = write_log::recent(other.root, &session.id, 3);
    let fresh = file_writes.iter().filter(|file_write| is_fresh(file_write.at, now));
    let fresh: Vec<String> = fresh.map(|file_write| ui.path(Path::new(&file_write.path))).collect();
    if !fresh.is_empty() {
        row.push_str(&format!(", recently wrote {}", fresh.join(", ")));
    }
    row
}

/// A session with its branch and task.
fn describe(session: &Session) -> String {
    let manifest = &session.manifest;
    let task = manifest.task.as_deref().and_then(task::shorten);
    let task = task.map(|task| format!(", task: {task}")).unwrap_or_default();
    format!("{} ({}{task})", session.id.short(), branch(manifest))
}

fn branch(manifest: &Manifest) -> &str {
    manifest.git_branch.as_deref().or_else(|| manifest.head.as_deref()?.get(..7)).unwrap_or("no branch")
}

pub(super) fn plural(count: usize) -> &'static str {
    if count == 1 { "" } else { "s" }
}

/// Names come from outside: no line and no escape in them, and nothing that reorders what is said.
fn clean(text: &str) -> String {
    on_one_line(text)
}

/// Who moved HEAD of this tree, seen from a session that finds it moved: the note that the event goes on with. `None`
/// where no other live session works in the tree: then it was the person, who knows.
pub(super) fn find_mover(
    root: &Root,
    id: &SessionId,
    manifest: &Manifest,
    event_context: &EventContext,
) -> Option<HeadMoved> {
    let siblings = siblings(&root.with_profiles(), id, event_context)?;
    let mut in_shell = siblings.iter().filter(|session| session.manifest.tool.as_deref().is_some_and(is_shell_tool));
    let by = in_shell.next().filter(|_| in_shell.next().is_none());
    (!siblings.is_empty())
        .then(|| head_move(manifest, by.map(|session| (&session.id, &*session.manifest)), event_context))
}

/// Tells the others in the tree that this session moved HEAD: a note in the manifest of each. Those of other profiles find
/// out at their next event: only that profile writes to its folder.
pub(super) fn notify_siblings(
    root: &Root,
    id: &SessionId,
    mine: &Manifest,
    event_context: &EventContext,
    timeout: std::time::Duration,
) {
    for session in siblings(&[Rc::new(root.clone())], id, event_context).unwrap_or_default() {
        let there =
            |manifest: &Manifest| manifest.head == event_context.head && manifest.git_branch == event_context.branch;
        if there(&session.manifest) && session.manifest.head_moved.is_none() {
            continue;
        }
        let _ = lifecycle::change(root, &session.id, timeout, |manifest, known| {
            if !known || manifest.tree != event_context.tree || (there(manifest) && manifest.head_moved.is_none()) {
                return Ok((crate::session::event::Outcome::Ignore, ()));
            }
            let note = head_move(manifest, Some((id, mine)), event_context);
            head::record_move(manifest, event_context, || Some(note));
            Ok((crate::session::event::Outcome::Keep, ()))
        });
    }
}

fn head_move(manifest: &Manifest, by: Option<(&SessionId, &Manifest)>, event_context: &EventContext) -> HeadMoved {
    let last = event_context.tree.as_ref().and_then(|tree| git::last_move(&git::Tree::find_resolved(Path::new(tree))?));
    let last = last.filter(|last| last.new == event_context.head);
    HeadMoved {
        from_branch: manifest.git_branch.clone(),
        from: manifest.head.clone(),
        to_branch: event_context.branch.clone(),
        to: event_context.head.clone(),
        session_id: by.map(|(id, _)| id.to_string()),
        task: by.and_then(|(_, manifest)| manifest.task.as_deref().and_then(task::shorten)),
        how: last.as_ref().and_then(|last| Some(last.message.split_once(':')?.0.to_owned())),
        at: last.map_or(event_context.now, |last| last.at),
    }
}

/// The other live sessions that were in this tree at their last event.
fn siblings(roots: &[Rc<Root>], id: &SessionId, event_context: &EventContext) -> Option<Vec<Session>> {
    let tree = Path::new(event_context.tree.as_deref()?);
    let here = |session: &Session| match &session.manifest.tree {
        Some(other) => Path::new(other) == tree,
        // Written by another program.
        None => Place::of(Path::new(&session.manifest.path)).root == tree,
    };
    let read = |root: &Rc<Root>| active::read_some(root, 0).sessions;
    let mut sessions: Vec<Session> = roots.iter().flat_map(read).collect();
    sessions.retain(|session| session.id != *id && session.counts(event_context.now) && here(session));
    Some(sessions)
}

/// The tools that run what they are told.
pub(super) fn is_shell_tool(tool: &str) -> bool {
    matches!(tool, "Bash" | "PowerShell")
}
