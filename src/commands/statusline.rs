//! `ait statusline`: the line below Claude Code's own prompt. A fast command.
//!
//! Payload -> the session in it -> where it works, and who else does -> facts -> one line. The session is the one in
//! the payload and never another; where it is not known, the payload and the folder still make a line. Whatever goes
//! wrong, the exit code is 0: Claude Code shows nothing of a status line that fails, and says nothing about it.

use std::borrow::Cow;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use argh::{ArgsInfo, FromArgs};

use super::live_sessions::{self, LiveSession};
use super::nearby::{self, Nearby};
use super::upstream::{self, Distance};
use super::{Run, at_most, limits, log_error, status_details, theme, wrapped_status_line};
use crate::claude::status_payload::StatusPayload;
use crate::config::Key;
use crate::context::Context;
use crate::error::{Cause, Error, Result};
use crate::git::Operation;
use crate::render::dialect::Dialect;
use crate::render::format::{self, Format};
use crate::render::segment::{self, Conflict, Facts, Limits};
use crate::render::style::Look;
use crate::render::theme::{ColorChoice, Icons};
use crate::report::Report;
use crate::session::conflict::Grade;
use crate::session::details::Details;
use crate::session::head;
use crate::session::id::SessionId;
use crate::session::manifest::Manifest;
use crate::session::task::TaskSource;
use crate::session::time::seconds_between;
use crate::store::event_log;
use crate::store::place::Place;
use crate::store::root::Root;
use crate::sys::fd;

/// print the status line (Claude Code runs this, with JSON on standard input)
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(
    subcommand,
    name = "statusline",
    help_triggers("-h", "--help"),
    example = "  ait statusline --format '[{{project}} ][{{branch}} ][{{task}}][ | {{context}}][ | {{cost}}]' < payload.json",
    note = "These tokens, and those of: ait prompt --help",
    note = "  context_bar   used context as a bar of ten cells",
    note = "  tokens_in     tokens sent; tokens_out: received",
    note = "  cost_rate     dollars per hour",
    note = "  resets        time until the limits are reset",
    note = "  cache         time until the prompt cache is cold",
    note = "  api_time      time spent waiting for the model",
    note = "  name output_style effort thinking vim agent version dirs pr",
    note = "                what Claude Code tells of the session",
    note = "  dirty stash   the tree has changes; how many stashes there are",
    note = "  ahead behind  commits that differ from the upstream",
    note = "  others        the worst state of other sessions, how many are in it",
    note = "  arrow fill    powerline separator; spaces up to the right edge",
    note = "Write \\n between the lines of a format."
)]
pub struct Statusline {
    /// what to show: text, {token}, [group hidden when empty]; AIT_STATUSLINE_FORMAT is the default
    #[argh(option, arg_name = "format")]
    format: Option<String>,
    /// unicode (the default), nerd or ascii
    #[argh(option, arg_name = "set")]
    icons: Option<Lenient<Icons>>,
    /// always, never or auto (the default: always, unless NO_COLOR is set)
    #[argh(option, arg_name = "when", default = "Lenient(Ok(ColorChoice::Auto))")]
    color: Lenient<ColorChoice>,
    /// maximum width in terminal cells (default: the width that Claude Code reports)
    #[argh(option, arg_name = "n")]
    max_width: Option<usize>,
    /// also run this command, your earlier status line, and show its output below
    #[argh(option, arg_name = "command")]
    then: Option<String>,
}

/// The value of an option that may be wrong: a mistake must not cost the line.
#[derive(Clone, Debug)]
struct Lenient<T>(std::result::Result<T, String>);

impl<T: FromStr<Err = String>> FromStr for Lenient<T> {
    type Err = std::convert::Infallible;

    fn from_str(text: &str) -> std::result::Result<Self, Self::Err> {
        Ok(Lenient(text.parse().map_err(|why| format!("`{text}`: {why}"))))
    }
}

impl<T: Copy> Lenient<T> {
    fn take(&self, option: &'static str, errors: &mut Errors) -> Option<T> {
        let value = self.0.as_ref().copied();
        errors.take(value.map_err(|why| Error::new("reading the command line", option, why)))
    }
}

/// A payload is 2 KiB.
const PAYLOAD_LIMIT: usize = 1 << 20;
/// Cells that the client keeps free beside a status line, both sides together, and takes from the width it tells.
const INDENT: usize = 4;
/// Seconds after which the first hook of a session must have come: it may ask git, and the first status line runs at
/// the same moment.
const GRACE: u64 = 10;

impl Run for Statusline {
    /// Prints the line, and below it what the wrapped command prints. Errors go to the log; the rest is shown.
    fn run(&self, context: &Context) -> Result<Report> {
        if context.stdin_is_terminal {
            return Ok(Report::nothing()
                .remark("ait statusline is run by Claude Code; to install it, type: ait hooks install statusline"));
        }
        let mut errors = Errors::default();
        let root = errors.take(context.root());
        let failed = |why: Cause| Error::new("reading a payload", "standard input", why);
        let bytes = errors.take(fd::read_stdin(PAYLOAD_LIMIT).map_err(|why| failed(why.into())));
        let parsed = bytes.as_deref().map(|bytes| StatusPayload::parse(bytes).map_err(|why| failed(why.into())));
        let payload = parsed.and_then(|parsed| errors.take(parsed)).unwrap_or_default();
        if let Some(root) = root.filter(|_| SessionId::parse(&payload.session_id).is_some()) {
            event_log::mark_status_line(root);
        }

        let mut lines = line(self, context, &payload, bytes.as_deref().unwrap_or_default(), root, &mut errors);
        let theirs = self.then.as_ref().and_then(|command| {
            let folder = context.folder().unwrap_or_else(|_| PathBuf::from("/"));
            errors.take(wrapped_status_line::output(command, &folder, bytes.as_deref().unwrap_or_default()))
        });
        if let Some(theirs) = theirs.filter(|theirs| !theirs.is_empty()) {
            if !lines.is_empty() {
                lines.push('\n');
            }
            lines.push_str(&theirs);
        }
        if !lines.is_empty() {
            lines.push('\n');
        }
        Ok(errors.report(Report::text(lines), context))
    }

    fn fast(&self) -> Option<&'static str> {
        Some("statusline")
    }
}

fn line(
    request: &Statusline,
    context: &Context,
    payload: &StatusPayload,
    bytes: &[u8],
    root: Option<&Root>,
    errors: &mut Errors,
) -> String {
    let look = appearance(request, context, errors);
    errors.0.extend(context.config().error());
    let source = format_of(request, context);
    let format = errors.take(Format::parse(&source).map_err(Error::from));
    // With a mistake in the user's format, the default format is used.
    let Some(format) = format.or_else(|| Format::parse(format::STATUS_LINE).ok()) else { return String::new() };
    let id = SessionId::parse(&payload.session_id);
    let more = |here: &Place, manifest: Option<&Manifest>| {
        let details = status_details::gather(context, bytes, format, here, root.zip(id.as_ref()));
        (details, upstream::distance(format, here, manifest))
    };
    let limits = limits::of_status_line(root, payload, format, context.now.as_second());
    with_facts(context, payload, root, errors, more, |facts| {
        segment::render_lines(format, &Facts { limits, ..*facts }, Dialect::Ansi, look)
    })
}

/// Collects what is known of the session in the payload and of its place.
fn with_facts<T>(
    context: &Context,
    payload: &StatusPayload,
    root: Option<&Root>,
    errors: &mut Errors,
    more: impl FnOnce(&Place, Option<&Manifest>) -> (Option<Details>, Option<Distance>),
    render: impl FnOnce(&Facts<'_>) -> T,
) -> T {
    let now = context.now;
    let id = SessionId::parse(&payload.session_id);
    let (folder, here, nearby) = surroundings(context, payload, root, id.as_ref(), errors);
    let live_sessions = &nearby.live_sessions;
    let ours = live_sessions.iter().find(|live_session| Some(&live_session.session.id) == id.as_ref());
    let conflict = nearby.conflict(&here, now);
    let conflict = conflict_with(conflict, live_sessions.len(), ours.is_some());

    let manifest = ours.map(|ours| &*ours.session.manifest);
    let moved = manifest.and_then(|manifest| manifest.head_moved.as_deref()).map(head::short_text);
    let head = here.tree.as_ref().map(|tree| tree.head_label()).unwrap_or_default();
    let worktree = here.tree.as_ref().and_then(|tree| tree.worktree_name());
    // After `/cd` the manifest still describes the tree before. One without a tree was written by another program.
    let is_described = |manifest: &&Manifest| manifest.tree.as_ref().is_none_or(|tree| Path::new(tree) == here.root);
    let described = manifest.filter(is_described);
    let project = described.map(|manifest| manifest.project.as_str()).filter(|project| !project.is_empty());
    let project = project.map_or_else(|| Cow::Owned(here.project()), Cow::Borrowed);
    let branch = head.name.as_deref().or_else(|| described?.git_branch.as_deref());
    let path = context.ui(ColorChoice::Never).path(folder.as_deref().unwrap_or(&here.root));
    let (details, distance) = more(&here, manifest);
    let (ahead, behind) = distance.map_or((0, 0), |distance| (distance.ahead, distance.behind));
    let facts = Facts {
        project: &project,
        // What is checked out now; the manifest's is as old as the last event.
        branch: branch.or(payload.worktree_branch.as_deref()),
        operation: head.operation.map(Operation::as_str),
        worktree: worktree.as_deref().or(payload.worktree.as_deref()),
        elapsed: manifest
            .and_then(|manifest| manifest.elapsed_seconds(now))
            .or_else(|| Some(payload.duration_ms? / 1000)),
        task: task_of(manifest, payload.title.as_deref()),
        state: ours.map(|ours| ours.observed.state),
        finished: ours.is_some_and(|ours| ours.observed.is_finished()),
        waiting: ours.and_then(|ours| ours.waiting(None, now)),
        conflict,
        count: Some(live_sessions.len() + usize::from(ours.is_none())),
        moved: moved.as_deref(),
        // Its reader is in a session.
        elsewhere: None,
        path: Some(&path),
        session: id.as_ref().map(SessionId::as_str),
        hooks_missing: ours.is_none() && id.is_some() && is_settled(context, payload, root),
        model: payload.model.as_deref(),
        context: payload.context,
        cost: payload.cost,
        lines: payload.lines,
        limits: Limits::default(),
        dirty: described.is_some_and(|manifest| manifest.git_dirty == Some(true)),
        ahead,
        behind,
        details: details.as_ref(),
    };
    render(&facts)
}

/// The folder that the session works in, its place, and the sessions there, of which it is one if it is known.
fn surroundings(
    context: &Context,
    payload: &StatusPayload,
    root: Option<&Root>,
    id: Option<&SessionId>,
    errors: &mut Errors,
) -> (Option<PathBuf>, Place, Nearby) {
    let told = folder(payload);
    let here = place(context, told.as_deref());
    let at = |here: &Place| {
        let mut nearby = root.map(|root| nearby::nearby(root, here, context.now, false)).unwrap_or_default();
        // Without a repository, sessions of a folder above are nearby too, but they do not work here.
        nearby.live_sessions.retain(|live_session| live_session.place.root == here.root);
        nearby
    };
    let nearby = at(&here);
    let is_ours = |live_session: &LiveSession| Some(&live_session.session.id) == id;
    let Some((root, id)) = root.zip(id).filter(|_| !nearby.live_sessions.iter().any(is_ours)) else {
        return (told, here, nearby);
    };
    let Some(ours) = errors.take(live_sessions::one(root, id)).flatten() else { return (told, here, nearby) };
    let manifest = &ours.session.manifest;
    let (folder, here, mut nearby) = if told.as_deref().is_some_and(|told| has_left(manifest, told, root, id)) {
        let folder = PathBuf::from(&manifest.path);
        let here = Place::of(&folder);
        let nearby = at(&here);
        (Some(folder), here, nearby)
    } else {
        (told, here, nearby)
    };
    nearby.writers.retain(|(session, _)| session.id != *id);
    if !nearby.live_sessions.iter().any(is_ours) {
        nearby.live_sessions.push(LiveSession { place: here.clone(), ..ours });
    }
    (folder, here, nearby)
}

/// Whether a session has left the folder that the client tells its status line. After EnterWorktree that is still the folder
/// of the start, while hooks and the client's own record know better. After `/cd` it is newer than the last hook.
fn has_left(manifest: &Manifest, told: &Path, root: &Root, id: &SessionId) -> bool {
    let path = Path::new(&manifest.path);
    let has_record = || {
        let record = manifest.pid.and_then(|pid| root.record_of(pid, manifest.pid_start));
        record.is_some_and(|record| record.session_id == id.as_str())
    };
    path.is_absolute()
        && !told.starts_with(path)
        && (manifest.started_in.as_deref().map(Path::new) == Some(told) || has_record())
}

/// The folder that the client tells: where the session works, else where it was started.
fn folder(payload: &StatusPayload) -> Option<PathBuf> {
    let told = [&payload.folder, &payload.project_folder];
    told.into_iter().flatten().map(Path::new).find(|folder| folder.is_absolute()).map(Path::to_owned)
}

/// The place of that folder. It is the one that the client runs us in, as a rule, and then the kernel has resolved it.
fn place(context: &Context, folder: Option<&Path>) -> Place {
    match (context.folder().ok(), folder) {
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
        // Set by another program.
        None => known.or(title),
    }
}

/// Whether a session has been running for so long that a hook must have made it known. Both the session and the
/// process must have: a session that was just resumed brings its time along, and `/clear` begins one in an old process.
fn is_settled(context: &Context, payload: &StatusPayload, root: Option<&Root>) -> bool {
    let session = payload.duration_ms.map(|duration| duration / 1000);
    let process = || {
        let pid = context.variable("CLAUDE_PID")?.parse().ok()?;
        Some(seconds_between(root?.record_of(pid, None)?.started?, context.now))
    };
    session.is_some_and(|age| age >= GRACE) && process().is_none_or(|age| age >= GRACE)
}

/// `--format`, else `AIT_STATUSLINE_FORMAT`, else that of the configuration file, else the default.
fn format_of<'a>(request: &'a Statusline, context: &'a Context) -> Cow<'a, str> {
    if let Some(format) = &request.format {
        return Cow::Borrowed(format);
    }
    match context.variable("AIT_STATUSLINE_FORMAT") {
        Some(format) => Cow::Owned(format),
        None => Cow::Borrowed(context.config().text(Key::StatuslineFormat).unwrap_or(format::STATUS_LINE)),
    }
}

fn appearance<'a>(request: &Statusline, context: &'a Context, errors: &mut Errors) -> Look<'a> {
    let icons = match (&request.icons, context.variable("AIT_ICONS")) {
        (Some(icons), _) => icons.take("--icons", errors),
        (None, Some(name)) => {
            let failed = |why: String| Error::new("reading the environment", "AIT_ICONS", why);
            errors.take(name.parse().map_err(failed))
        }
        (None, None) => context.configured_icons(),
    };
    let color = request.color.take("--color", errors).unwrap_or_default();
    Look {
        icons: icons.unwrap_or_else(|| context.default_icons(Dialect::Ansi)),
        // The client shows it on its terminal, whatever our own output goes to.
        color: context.color(color, true),
        max_width: at_most(
            request.max_width.or_else(|| room(context)),
            context.config().number(Key::StatuslineMaxWidth),
        ),
        theme: theme(context),
    }
}

/// The cells that the client has for a line. Clients before 2.1.156 do not tell; they cut it themselves.
fn room(context: &Context) -> Option<usize> {
    let columns: usize = context.variable("COLUMNS")?.parse().ok()?;
    columns.checked_sub(INDENT).filter(|cells| *cells > 0)
}

/// What went wrong on the way to a line that is shown all the same.
#[derive(Debug, Default)]
struct Errors(Vec<Error>);

impl Errors {
    fn take<T>(&mut self, result: Result<T>) -> Option<T> {
        result.map_err(|why| self.0.push(why)).ok()
    }

    /// To the user if standard error is a terminal, else to the log.
    fn report(self, report: Report, context: &Context) -> Report {
        if context.stderr_is_terminal {
            return report.remarks(self.0.iter().map(Error::to_string));
        }
        self.0.iter().for_each(|error| log_error(context, "statusline", error));
        report
    }
}
