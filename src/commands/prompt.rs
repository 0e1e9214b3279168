//! `ait prompt`: the segment of this folder's session, or of all live sessions. A fast command.
//!
//! Folder -> tree -> the sessions in it -> the one to show -> facts -> one line. No process is started, no time zone is
//! looked up, each file is read once.

use std::borrow::Cow;

use argh::{ArgsInfo, FromArgs};
use jiff::Timestamp;

use super::live_sessions::{self, LiveSession};
use super::nearby::{self, Nearby};
use super::prompt_conditions::{conditions, configuration, limit, with_distance, with_limits};
use super::upstream;
use super::{Part, Run, at_most, limits, log_mistakes, prompt_stream, theme};
use crate::config::Key;
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::git::Operation;
use crate::render::dialect::Dialect;
use crate::render::format::{self, Format};
use crate::render::reuse::{self, Conditions};
use crate::render::segment::{self, Conflict, Facts};
use crate::render::style::Look;
use crate::render::theme::{ColorChoice, Icons};
use crate::report::Report;
use crate::session::conflict::{Grade, crowded};
use crate::session::head;
use crate::session::state::State;
use crate::store::place::Place;
use crate::store::revision;
use crate::store::root::Root;
use crate::sys::env::PathArgument;

/// print the prompt segment for the session of this folder
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(
    subcommand,
    name = "prompt",
    help_triggers("-h", "--help"),
    example = "  ait prompt --format '[{{project}} ][{{icon}} ]{{task:20}}[ {{conflict}}]'",
    note = "The default format, on one line, is",
    note = "[{{project}} ][{{branch}}[|{{operation}}] ][{{elapsed}}][ {{waiting}}][ {{task}}]",
    note = "[ {{conflict}}][ {{moved}}][{{elsewhere}}]",
    note = "To change it in every prompt, set AIT_FORMAT. {{task:12}} is cut to 12 cells.",
    note = "Write a backslash before a literal bracket, brace or backslash. The tokens:",
    note = "  project      name of the project",
    note = "  branch       branch; without a branch, the commit",
    note = "  operation    git operation in progress: rebase or bisect",
    note = "  worktree     name of the linked worktree; empty in the main one",
    note = "  elapsed      how long the session has been running: 45m",
    note = "  task         task of the session",
    note = "  state        idle, working, waiting, finished, stopped, error or unknown",
    note = "  icon         the state as an icon; empty when idle or unknown",
    note = "  waiting      how long the session has been waiting for you",
    note = "  waiting_for  what it waits for: permission, question, input",
    note = "  conflict     how many sessions share this tree or wrote the same file",
    note = "  count        how many sessions are live",
    note = "  path         folder of the session",
    note = "  session      first eight characters of the session's id",
    note = "  moved        old and new HEAD, if another session moved it",
    note = "  elsewhere    without a session here: the one that waits elsewhere",
    note = "  hooks        a warning if hooks do not run",
    note = "  model        name of the model (status line)",
    note = "  context      share of the context that is used (status line)",
    note = "  cost         what the session has cost, in dollars (status line)",
    note = "  lines        lines added and removed (status line)",
    note = "  limits       share of the five-hour and seven-day limits used",
    note = "  dirty        `*` if the tree has changes, as a hook last saw it",
    note = "  ahead        commits that the branch is ahead of its upstream",
    note = "  behind       commits that the branch is behind its upstream",
    note = "  stash        how many stashes the repository has (status line)",
    note = "  name         name of the session (status line)",
    note = "  output_style output style, unless it is the default (status line)",
    note = "  effort       effort of the model (status line)",
    note = "  thinking     `thinking` if that is on (status line)",
    note = "  vim          vim mode (status line)",
    note = "  agent        name of the agent (status line)",
    note = "  version      version of Claude Code (status line)",
    note = "  tokens_in    tokens sent in this session (status line)",
    note = "  tokens_out   tokens received in this session (status line)",
    note = "  context_bar  used context as a bar of ten cells (status line)",
    note = "  cost_rate    dollars per hour (status line)",
    note = "  resets       time until the limits are reset",
    note = "  cache        time until the prompt cache is cold (status line)",
    note = "  api_time     time spent waiting for the model (status line)",
    note = "  dirs         how many folders were added (status line)",
    note = "  pr           number of the pull request (status line)",
    note = "  others       worst state of other sessions, and how many (status line)",
    note = "  arrow        separator in the colours of both sides",
    note = "  fill         spaces up to the width of the line"
)]
pub struct Prompt {
    /// zsh, bash, fish, nushell, elvish, xonsh, tmux, starship, ansi or plain (the default)
    #[argh(option, long = "for", arg_name = "dialect", default = "Dialect::Plain")]
    dialect: Dialect,
    /// what to show: text, {token}, [group hidden when empty]
    #[argh(option, arg_name = "format")]
    format: Option<String>,
    /// use this folder instead of the current one
    #[argh(option, arg_name = "dir")]
    dir: Option<PathArgument>,
    /// summarize all live sessions: count, longest wait, conflicts
    #[argh(switch)]
    all: bool,
    /// print a line now and after each change, until the reader exits (for tmux)
    #[argh(switch)]
    follow: bool,
    /// unicode (the default), nerd or ascii
    #[argh(option, arg_name = "set")]
    icons: Option<Icons>,
    /// always, never or auto (the default)
    #[argh(option, arg_name = "when", default = "ColorChoice::Auto")]
    color: ColorChoice,
    /// maximum width in terminal cells
    #[argh(option, arg_name = "n")]
    max_width: Option<usize>,
}

impl Run for Prompt {
    /// Prints the segment.
    ///
    /// # Errors
    /// If the sessions folder is not known, or the format, the icons or a folder is wrong.
    fn run(&self, context: &Context) -> Result<Report> {
        let Answer { mut segment, conditions } = answer(self, context)?;
        log_mistakes(context, "prompt");
        match conditions {
            Some(conditions) => segment.push_str(&conditions.lines()),
            // Typed by hand; a prompt reads through a pipe.
            None if !segment.is_empty() && context.stdout_is_terminal => segment.push('\n'),
            None => {}
        }
        Ok(Report::text(segment))
    }

    fn fast(&self) -> Option<&'static str> {
        Some("prompt")
    }

    fn parts(&self, context: &Context) -> Option<Result<Box<dyn Iterator<Item = Part>>>> {
        let lines = || prompt_stream::lines(Box::new(self.clone()), context).map(Part::Text);
        self.follow.then(|| Ok(Box::new(lines()) as Box<dyn Iterator<Item = Part>>))
    }
}

/// A segment, and how long a shell may show it.
struct Answer {
    segment: String,
    /// If the shell asked for them.
    conditions: Option<Conditions>,
}

fn answer(request: &Prompt, context: &Context) -> Result<Answer> {
    let now = context.now;
    let look = appearance(request, context)?;
    let root = context.root()?;
    let source = format_of(request, context);
    let format = Format::parse(&source).map_err(|mistake| {
        let error = Error::from(mistake);
        // A mistake on the command line is the user's to see; one in the environment goes to the log.
        if request.format.is_some() { error.exit(Exit::NotFound) } else { error.exit(Exit::Failed) }
    })?;
    if request.all {
        return overview(request, root, format, look, now);
    }
    let is_reusable = context.variable(reuse::VARIABLE).is_some_and(|version| version == reuse::VERSION);
    // Read before any manifest, so that no later change is missed.
    let mut revisions = if is_reusable { revision::current() } else { Vec::new() };
    let unchanged = configuration(context, &mut revisions);
    let here = match &request.dir {
        Some(dir) => Place::of(&context.folder().unwrap_or_default().join(&**dir)),
        None => Place::here(),
    };
    let nearby = nearby::nearby(root, &here, now, format.mentions("elsewhere")).or_writers(&here, now);
    let chosen = to_speak_of(&nearby.live_sessions, now);
    let head = here.tree.as_ref().filter(|_| chosen.is_some()).map(|tree| tree.head_label()).unwrap_or_default();
    let conditions =
        (!revisions.is_empty()).then(|| Conditions { unchanged, ..conditions(&nearby, chosen, &head, revisions, now) });
    let Some(chosen) = chosen else {
        return Ok(without_session(format, request.dialect, look, &nearby, conditions, now));
    };
    let worktree = here.tree.as_ref().and_then(|tree| tree.worktree_name());
    let manifest = &chosen.session.manifest;
    let moved = manifest.head_moved.as_deref().map(head::short_text);
    let distance = upstream::distance(format, &here, Some(manifest));
    let (ahead, behind) = distance.as_ref().map_or((0, 0), |distance| (distance.ahead, distance.behind));
    let (limits, file) = limits::of_prompt(root, format, now.as_second());
    let conditions = conditions.map(|conditions| with_limits(with_distance(conditions, distance, now), file));
    let facts = Facts {
        project: &manifest.project,
        // What is checked out now; the manifest's is as old as the last event.
        branch: head.name.as_deref().or(manifest.git_branch.as_deref()),
        operation: head.operation.map(Operation::as_str),
        worktree: worktree.as_deref(),
        elapsed: manifest.elapsed_seconds(now),
        task: manifest.task.as_deref(),
        state: Some(chosen.observed.state),
        finished: chosen.observed.is_finished(),
        waiting: chosen.waiting(None, now),
        conflict: nearby.conflict(&here, now).map(|(grade, count)| Conflict { count, grade }),
        count: Some(nearby.live_sessions.len()),
        path: Some(&manifest.path),
        session: Some(chosen.session.id.short()),
        moved: moved.as_deref(),
        dirty: manifest.git_dirty == Some(true),
        ahead,
        behind,
        limits,
        ..Facts::default()
    };
    Ok(Answer { segment: segment::render(format, &facts, request.dialect, look), conditions })
}

/// The segment about all live sessions.
fn overview(request: &Prompt, root: &Root, format: Format, look: Look, now: Timestamp) -> Result<Answer> {
    let live_sessions = live_sessions::overview(root, now)?.live_sessions;
    let (limits, _) = limits::of_prompt(root, format, now.as_second());
    let facts = Facts { limits, ..facts_of_all(&live_sessions, now) };
    Ok(Answer { segment: segment::render(format, &facts, request.dialect, look), conditions: None })
}

fn appearance<'a>(request: &Prompt, context: &'a Context) -> Result<Look<'a>> {
    let icons = match (request.icons, context.variable("AIT_ICONS")) {
        (Some(icons), _) => icons,
        (None, Some(name)) => name.parse().map_err(|why| Error::new("reading the environment", "AIT_ICONS", why))?,
        (None, None) => context.configured_icons().unwrap_or_else(|| context.default_icons(request.dialect)),
    };
    let key = if request.all { Key::TmuxMaxWidth } else { Key::PromptMaxWidth };
    // A prompt is always on a terminal, whatever our own output goes to.
    Ok(Look {
        color: context.color(request.color, true),
        icons,
        max_width: at_most(request.max_width, context.config().number(key)),
        theme: theme(context),
    })
}

/// `--format`, else `AIT_FORMAT`, else that of the configuration file, else the default. `AIT_FORMAT` is for the session of
/// a folder; the summary has only a key in the file.
fn format_of<'a>(request: &'a Prompt, context: &'a Context) -> Cow<'a, str> {
    if let Some(format) = &request.format {
        return Cow::Borrowed(format);
    }
    if request.all {
        return Cow::Borrowed(context.config().text(Key::TmuxFormat).unwrap_or(format::ALL_SESSIONS));
    }
    match context.variable("AIT_FORMAT") {
        Some(format) => Cow::Owned(format),
        None => Cow::Borrowed(context.config().text(Key::PromptFormat).unwrap_or(format::PROMPT)),
    }
}

/// The segment of a folder without a session: empty, unless the format shows a session elsewhere.
fn without_session(
    format: Format<'_>,
    dialect: Dialect,
    look: Look<'_>,
    nearby: &Nearby,
    conditions: Option<Conditions>,
    now: Timestamp,
) -> Answer {
    let blocked = nearby.blocked_elsewhere(now);
    let Some(blocked) = blocked else { return Answer { segment: String::new(), conditions } };
    let facts = Facts { elsewhere: blocked.waiting(Some(&blocked.session.manifest.project), now), ..Facts::default() };
    let segment = segment::render(format, &facts, dialect, look);
    Answer { segment, conditions: conditions.map(|conditions| limit(conditions, &blocked, now)) }
}

/// The session that the segment is about: the one that waits most urgently, else one that works, else the newest.
fn to_speak_of(live_sessions: &[LiveSession], now: Timestamp) -> Option<&LiveSession> {
    let works = || live_sessions.iter().filter(|live_session| live_session.observed.state == State::Working);
    most_urgent(live_sessions, now)
        .or_else(|| works().max_by_key(|live_session| live_session.observed.since))
        .or_else(|| live_sessions.iter().max_by_key(|live_session| live_session.session.manifest.started))
}

fn most_urgent(live_sessions: &[LiveSession], now: Timestamp) -> Option<&LiveSession> {
    let waits = live_sessions.iter().filter_map(|live_session| Some((live_session.urgency(now)?, live_session)));
    waits.min_by_key(|(urgency, _)| *urgency).map(|(_, live_session)| live_session)
}

/// The number of sessions, the most urgent wait, and whether sessions share a tree.
fn facts_of_all(live_sessions: &[LiveSession], now: Timestamp) -> Facts<'_> {
    let waits = most_urgent(live_sessions, now);
    let crowded = crowded(live_sessions.iter().map(|live_session| live_session.trees(now))).len();
    Facts {
        waiting: waits.and_then(|live_session| live_session.waiting(Some(&live_session.session.manifest.project), now)),
        conflict: (crowded > 0).then_some(Conflict { count: crowded, grade: Grade::SharedTree }),
        count: (!live_sessions.is_empty()).then_some(live_sessions.len()),
        ..Facts::default()
    }
}
