//! `ait statusline`: the line below Claude Code's own prompt. One of the fast three.
//!
//! Payload -> the session in it -> where it works, and who else does -> facts -> one line. The session is the one in
//! the payload and never another; where it is not known, the payload and the folder still make a line. Whatever goes
//! wrong, the exit code is 0: Claude Code shows nothing of a status line that fails, and says nothing about it.

use std::borrow::Cow;
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::fleet::{self, Member};
use super::{Output, chain, page};
use crate::claude::registry::Record;
use crate::claude::status_payload::StatusPayload;
use crate::error::{Error, Result};
use crate::render::dialect::Dialect;
use crate::render::format::{self, Format};
use crate::render::segment::{self, Conflict, Facts, Limits, Waiting};
use crate::render::theme::{Icons, Look, use_color};
use crate::session::conflict::Grade;
use crate::session::head::in_short;
use crate::session::id::SessionId;
use crate::session::manifest::{Manifest, seconds_between};
use crate::session::state::State;
use crate::session::task::TaskSource;
use crate::store::notes;
use crate::store::place::Place;
use crate::store::root::Root;
use crate::sys::{clock, env, files, terminal};

/// `ait statusline`
#[derive(Clone, Debug, Default)]
pub struct Statusline {
    /// The format; `AIT_STATUSLINE_FORMAT` where it is not given.
    pub format: Option<String>,
    /// unicode, nerd, ascii.
    pub icons: Option<String>,
    /// always, never, auto.
    pub color: Option<String>,
    /// In terminal cells.
    pub max_width: Option<usize>,
    /// A command for the shell whose output follows ours: the status line that was there before.
    pub then: Option<String>,
}

/// A payload is 2 KiB.
const PAYLOAD_LIMIT: usize = 1 << 20;
/// Cells that the client keeps free beside a status line, both sides together, and takes from the width it tells.
const INDENT: usize = 4;
/// Seconds after which the first hook of a session must have come: it may ask git, and the first status line runs at
/// the same moment.
const GRACE: u64 = 10;

/// Prints the line, and below it what the chained command prints.
pub fn run(request: &Statusline) -> Output {
    if terminal::stdin_is_terminal() {
        return Output::nothing().remark(
            "ait statusline reads what Claude Code sends; to have it there, type: ait hooks install statusline",
        );
    }
    let now = clock::now();
    let mut trouble = Trouble::default();
    let root = trouble.take(Root::find());
    let failed = |why: &dyn std::fmt::Display| Error::new("reading a payload", "standard input", why);
    let bytes = trouble.take(files::read_stdin(PAYLOAD_LIMIT).map_err(|why| failed(&why)));
    let parsed = bytes.as_deref().map(|bytes| StatusPayload::parse(bytes).map_err(|why| failed(&why)));
    let payload = parsed.and_then(|parsed| trouble.take(parsed)).unwrap_or_default();

    let mut lines = line(request, &payload, root.as_ref(), now, &mut trouble);
    if let Some(command) = &request.then
        && let Some(theirs) = trouble
            .take(chain::output(command, bytes.as_deref().unwrap_or_default()))
            .filter(|theirs| !theirs.is_empty())
    {
        if !lines.is_empty() {
            lines.push('\n');
        }
        lines.push_str(&theirs);
    }
    if !lines.is_empty() {
        lines.push('\n');
    }
    trouble.tell(Output::data(lines), root.as_ref(), now)
}

fn line(
    request: &Statusline,
    payload: &StatusPayload,
    root: Option<&Root>,
    now: Timestamp,
    trouble: &mut Trouble,
) -> String {
    let look = look(request, trouble);
    let source = format_of(request);
    let format = trouble.take(Format::parse(&source).map_err(Error::from));
    // A mistake in somebody's format must not cost them the line.
    let Some(format) = format.or_else(|| Format::parse(format::STATUS_LINE).ok()) else { return String::new() };

    let folder = folder(payload);
    let here = place(folder.as_deref());
    let id = SessionId::parse(&payload.session_id);
    let mut nearby = root.map(|root| fleet::nearby(root, &here)).unwrap_or_default();
    // Without a repository those of a folder above are shown too, who do not work here.
    nearby.members.retain(|member| member.place.root == here.root);
    if let (Some(root), Some(id)) = (root, &id)
        && nearby.members.iter().all(|member| member.session.id != *id)
    {
        // Its manifest is as old as its last event, and may name another folder.
        let ours = trouble.take(fleet::one(root, id)).flatten();
        nearby.writers.retain(|session| session.id != *id);
        nearby.members.extend(ours.map(|ours| Member { place: here.clone(), ..ours }));
    }
    let members = &nearby.members;
    let ours = members.iter().find(|member| Some(&member.session.id) == id.as_ref());
    let conflict = nearby.conflict(&here, now);
    let conflict = conflict_with(conflict, members.len(), ours.is_some());

    let manifest = ours.map(|ours| &*ours.session.manifest);
    let moved = manifest.and_then(|manifest| manifest.head_moved.as_deref()).map(in_short);
    let branch = here.tree.as_ref().and_then(|tree| tree.checked_out());
    let worktree = here.tree.as_ref().and_then(|tree| tree.worktree_name());
    let project = manifest.map(|manifest| manifest.project.as_str()).filter(|project| !project.is_empty());
    let project = project.map_or_else(|| Cow::Owned(here.project()), Cow::Borrowed);
    let path = page::under_home(folder.as_deref().unwrap_or(&here.root));
    let facts = Facts {
        project: &project,
        // What is checked out now; the manifest's is as old as the last event.
        branch: branch.as_deref().or_else(|| manifest?.git_branch.as_deref()).or(payload.worktree_branch.as_deref()),
        worktree: worktree.as_deref().or(payload.worktree.as_deref()),
        elapsed: manifest
            .and_then(|manifest| manifest.elapsed_seconds(now))
            .or_else(|| Some(payload.duration_ms? / 1000)),
        task: task_of(manifest, payload.title.as_deref()),
        state: ours.map(|ours| ours.told.state),
        waiting: ours.and_then(|ours| waiting(ours, now)),
        conflict,
        count: Some(members.len() + usize::from(ours.is_none())),
        moved: moved.as_deref(),
        path: Some(&path),
        session: id.as_ref().map(SessionId::as_str),
        hooks_missing: ours.is_none() && id.is_some() && is_settled(payload, root, now),
        model: payload.model.as_deref(),
        context: payload.context,
        cost: payload.cost,
        lines: payload.lines,
        limits: Limits { five_hours: payload.five_hours, seven_days: payload.seven_days },
    };
    segment::render(format, &facts, Dialect::Ansi, look)
}

/// The folder that the session works in; the one it was started in, where the client does not say.
fn folder(payload: &StatusPayload) -> Option<PathBuf> {
    let told = [&payload.folder, &payload.project_folder];
    told.into_iter().flatten().map(Path::new).find(|folder| folder.is_absolute()).map(Path::to_owned)
}

/// The place of that folder. It is the one that the client runs us in, as a rule, and then the kernel has resolved it.
fn place(folder: Option<&Path>) -> Place {
    match (env::current_dir(), folder) {
        (Some(current), Some(folder)) if current != folder => Place::of(folder),
        (Some(current), _) => Place::of_resolved(current),
        (None, Some(folder)) => Place::of(folder),
        (None, None) => Place::of_resolved(PathBuf::from("/")),
    }
}

/// The conflict of the tree, with our own session in it where the other sessions do not know it.
fn conflict_with(told: Option<(Grade, usize)>, others: usize, known: bool) -> Option<Conflict> {
    match told {
        Some((grade, count)) => Some(Conflict { count: count + usize::from(!known), grade }),
        None if !known && others > 0 => Some(Conflict { count: others + 1, grade: Grade::SharedTree }),
        None => None,
    }
}

/// What the user set; else the title, which the client knows sooner than the hooks; else the first prompt.
fn task_of<'a>(manifest: Option<&'a Manifest>, title: Option<&'a str>) -> Option<&'a str> {
    let known = manifest.and_then(|manifest| manifest.task.as_deref());
    match manifest.and_then(|manifest| manifest.task_source) {
        Some(TaskSource::User) => known,
        Some(TaskSource::Title | TaskSource::Prompt) => title.or(known),
        // Set by somebody else's script.
        None => known.or(title),
    }
}

fn waiting(member: &Member, now: Timestamp) -> Option<Waiting<'_>> {
    (member.told.state == State::Waiting).then(|| Waiting {
        for_what: member.told.waiting_for.as_deref().unwrap_or_default(),
        seconds: member.told.since.map_or(0, |since| seconds_between(since, now)),
        whose: None,
    })
}

/// Whether a session has been running for so long that a hook must have made it known. Both the session and the
/// process must have: a session that was just resumed brings its time along, and `/clear` begins one in an old process.
fn is_settled(payload: &StatusPayload, root: Option<&Root>, now: Timestamp) -> bool {
    let session = payload.duration_ms.map(|duration| duration / 1000);
    let process = || {
        let pid = env::text("CLAUDE_PID")?.parse().ok()?;
        Some(seconds_between(Record::of_process(root?.path(), pid)?.started?, now))
    };
    session.is_some_and(|age| age >= GRACE) && process().is_none_or(|age| age >= GRACE)
}

/// `--format`, else `AIT_STATUSLINE_FORMAT`, else the usual one.
fn format_of(request: &Statusline) -> Cow<'static, str> {
    let wanted = request.format.clone().or_else(|| env::text("AIT_STATUSLINE_FORMAT"));
    wanted.map_or(Cow::Borrowed(format::STATUS_LINE), Cow::Owned)
}

fn look(request: &Statusline, trouble: &mut Trouble) -> Look {
    let icons = request
        .icons
        .clone()
        .or_else(|| env::text("AIT_ICONS"))
        .map(|name| name.parse::<Icons>().map_err(|why| Error::new("reading the command line", "--icons", why)));
    let choice = trouble.take(page::color_choice(request.color.as_deref())).unwrap_or_default();
    let (no_color, forced) = (env::text("NO_COLOR"), env::text("CLICOLOR_FORCE"));
    Look {
        // The client shows it on its terminal, whatever our own output goes to.
        color: use_color(choice, no_color.as_deref(), forced.as_deref(), true),
        icons: icons.and_then(|icons| trouble.take(icons)).unwrap_or_default(),
        max_width: request.max_width.or_else(room),
    }
}

/// The cells that the client has for a line. Clients before 2.1.156 do not tell; they cut it themselves.
fn room() -> Option<usize> {
    let columns: usize = env::text("COLUMNS")?.parse().ok()?;
    columns.checked_sub(INDENT).filter(|cells| *cells > 0)
}

/// What went wrong on the way to a line that is shown all the same.
#[derive(Debug, Default)]
struct Trouble(Vec<Error>);

impl Trouble {
    fn take<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|why| self.0.push(why)).ok()
    }

    /// Into the log; and to the person, where one is looking.
    fn tell(self, output: Output, root: Option<&Root>, now: Timestamp) -> Output {
        let seen = !self.0.is_empty() && terminal::stderr_is_terminal();
        self.0.into_iter().fold(output, |output, error| {
            if let Some(root) = root.filter(|_| !seen) {
                notes::log(root, now, &format!("statusline: {error}"));
            }
            if seen { output.remark(error.to_string()) } else { output }
        })
    }
}
