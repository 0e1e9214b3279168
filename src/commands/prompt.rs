//! `ait prompt`: the segment of this folder's session, or of all live sessions. A fast command.
//!
//! Folder -> tree -> the sessions in it -> the one to show -> facts -> one line. No process is started, no time zone is
//! looked up, each file is read once.

use std::borrow::Cow;

use jiff::Timestamp;

use super::fleet::{self, Member, Nearby};
use super::{Output, page};
use crate::error::Error;
use crate::render::dialect::Dialect;
use crate::render::format::{self, Format};
use crate::render::reuse::{self, Conditions};
use crate::render::segment::{self, Conflict, Facts, Waiting};
use crate::render::theme::{Icons, Look, use_color};
use crate::session::conflict::{Grade, crowded};
use crate::session::head::in_short;
use crate::session::manifest::{ProcessStamp, seconds_between};
use crate::session::state::State;
use crate::store::active::Session;
use crate::store::live::{self, Liveness};
use crate::store::notes;
use crate::store::place::Place;
use crate::store::revision::{self, Revision};
use crate::store::root::Root;
use crate::sys::{clock, env, terminal};

/// `ait prompt`
#[derive(Clone, Debug, Default)]
pub struct Prompt {
    /// zsh, bash, fish, tmux, starship, ansi, plain.
    pub dialect: Option<String>,
    /// The format; `AIT_FORMAT` where it is not given.
    pub format: Option<String>,
    /// The folder to speak of.
    pub dir: Option<String>,
    /// All sessions, wherever they work.
    pub fleet: bool,
    /// A line now, and one at each change ([`super::follow`]).
    pub follow: bool,
    /// unicode, nerd, ascii.
    pub icons: Option<String>,
    /// always, never, auto.
    pub color: Option<String>,
    /// In terminal cells.
    pub max_width: Option<usize>,
}

/// What went wrong, by where it was put right again.
enum Trouble {
    /// In what was typed: whoever typed it is told.
    Typed(Error),
    /// In the environment or on disk, where no prompt may fail loudly.
    Around(Error),
}

impl From<Error> for Trouble {
    fn from(error: Error) -> Trouble {
        Trouble::Around(error)
    }
}

impl Trouble {
    fn of(typed: bool) -> fn(Error) -> Trouble {
        if typed { Trouble::Typed } else { Trouble::Around }
    }
}

/// Prints the segment. A prompt must come up whatever happens: trouble goes to the log, and a slip of the fingers to the
/// person where one is looking.
pub fn run(request: &Prompt) -> Output {
    let now = clock::now();
    match say(request, now) {
        Ok(Answer { mut segment, conditions }) => {
            match conditions {
                Some(conditions) => segment.push_str(&conditions.lines()),
                // Typed by hand, not asked for by a prompt, which reads through a pipe.
                None if !segment.is_empty() && terminal::stdout_is_terminal() => segment.push('\n'),
                None => {}
            }
            Output::data(segment)
        }
        Err(Trouble::Typed(error)) if terminal::stderr_is_terminal() => error.into(),
        Err(Trouble::Typed(error) | Trouble::Around(error)) => {
            if let Ok(root) = Root::find() {
                notes::log(&root, now, &format!("prompt: {error}"));
            }
            Output::nothing()
        }
    }
}

/// A segment, and how long a shell may show it.
struct Answer {
    segment: String,
    /// If the shell asked for them.
    conditions: Option<Conditions>,
}

fn say(request: &Prompt, now: Timestamp) -> Result<Answer, Trouble> {
    let how = Manner::of(request)?;
    let root = Root::find()?;
    let source = format_of(request, if request.fleet { format::FLEET } else { format::PROMPT });
    let format = Format::parse(&source).map_err(|mistake| Trouble::of(request.format.is_some())(mistake.into()))?;
    if request.fleet {
        let members = fleet::overview(&root)?.members;
        let segment = segment::render(format, &fleet_facts(&members, now), how.dialect, how.look);
        return Ok(Answer { segment, conditions: None });
    }
    let is_reusable = env::text(reuse::VARIABLE).is_some_and(|version| version == reuse::VERSION);
    // Read before any manifest, so that no later change is missed.
    let revisions = if is_reusable { revision::current() } else { Vec::new() };
    let here = match &request.dir {
        Some(dir) => Place::of(&env::current_dir().unwrap_or_default().join(dir)),
        None => Place::here(),
    };
    let nearby = fleet::nearby(&root, &here);
    let chosen = to_speak_of(&nearby.members);
    let conditions = (!revisions.is_empty()).then(|| conditions(&nearby, chosen, &here, revisions, now));
    let Some(chosen) = chosen else { return Ok(Answer { segment: String::new(), conditions }) };
    let branch = here.tree.as_ref().and_then(|tree| tree.checked_out());
    let worktree = here.tree.as_ref().and_then(|tree| tree.worktree_name());
    let manifest = &chosen.session.manifest;
    let moved = manifest.head_moved.as_deref().map(in_short);
    let facts = Facts {
        project: &manifest.project,
        // What is checked out now; the manifest's is as old as the last event.
        branch: branch.as_deref().or(manifest.git_branch.as_deref()),
        worktree: worktree.as_deref(),
        elapsed: manifest.elapsed_seconds(now),
        task: manifest.task.as_deref(),
        state: Some(chosen.told.state),
        waiting: waiting(chosen, None, now),
        conflict: nearby.conflict(&here, now).map(|(grade, count)| Conflict { count, grade }),
        count: Some(nearby.members.len()),
        path: Some(&manifest.path),
        session: Some(chosen.session.id.short()),
        moved: moved.as_deref(),
        ..Facts::default()
    };
    Ok(Answer { segment: segment::render(format, &facts, how.dialect, how.look), conditions })
}

/// Seconds for which any segment is valid at most.
const MAX_VALIDITY: i64 = 60;
/// Seconds for which a segment is valid that shows a waiting session: Esc in Claude Code sends no event.
const WAITING_VALIDITY: i64 = 5;

fn conditions(
    nearby: &Nearby,
    chosen: Option<&Member>,
    here: &Place,
    revisions: Vec<Revision>,
    now: Timestamp,
) -> Conditions {
    // Elapsed and waiting times change when their seconds reach a multiple of 60.
    let until_next_minute = |seconds: u64| MAX_VALIDITY - i64::try_from(seconds % 60).unwrap_or(0);
    let elapsed = chosen.and_then(|chosen| chosen.session.manifest.elapsed_seconds(now)).map_or(0, until_next_minute);
    let mut validity = if chosen.is_some() { elapsed.clamp(1, MAX_VALIDITY) } else { MAX_VALIDITY };
    if nearby.members.iter().any(|member| member.told.state == State::Waiting) {
        validity = validity.min(WAITING_VALIDITY);
    }
    if let Some(waiting) = chosen.and_then(|chosen| waiting(chosen, None, now)) {
        validity = validity.min(until_next_minute(waiting.seconds));
    }
    let is_here = |session: &&Session| session.liveness == Liveness::Live;
    let processes = nearby.sessions().filter(is_here).flat_map(|session| {
        let stamps: Vec<ProcessStamp> = session.manifest.stamps().collect();
        // One of several processes of a live session may be gone already.
        let several = stamps.len() > 1;
        stamps.into_iter().filter(move |stamp| !several || live::runs(stamp)).map(|stamp| stamp.pid)
    });
    let mut files: Vec<_> = revisions.into_iter().map(|revision| (revision.path, revision.text)).collect();
    if let (Some(tree), Some(_)) = (&here.tree, chosen) {
        files.extend(tree.branch_files());
    }
    Conditions { until: now.as_second() + validity, processes: processes.collect(), files }
}

/// How to say it.
struct Manner {
    dialect: Dialect,
    look: Look,
}

impl Manner {
    fn of(request: &Prompt) -> Result<Manner, Trouble> {
        let typed = |option: &'static str, why| Trouble::Typed(Error::new("reading the command line", option, why));
        let dialect = match &request.dialect {
            Some(name) => name.parse().map_err(|why| typed("--for", why))?,
            None => Dialect::Plain,
        };
        let icons = match (&request.icons, env::text("AIT_ICONS")) {
            (Some(name), _) => name.parse().map_err(|why| typed("--icons", why))?,
            (None, Some(name)) => {
                name.parse().map_err(|why| Error::new("reading the environment", "AIT_ICONS", why))?
            }
            (None, None) => Icons::Unicode,
        };
        let choice = page::color_choice(request.color.as_deref()).map_err(Trouble::Typed)?;
        let (no_color, forced) = (env::text("NO_COLOR"), env::text("CLICOLOR_FORCE"));
        // A prompt is always on a terminal, whatever our own output goes to.
        let color = use_color(choice, no_color.as_deref(), forced.as_deref(), true);
        Ok(Manner { dialect, look: Look { color, icons, max_width: request.max_width } })
    }
}

/// `--format`, else `AIT_FORMAT`, else the usual one.
fn format_of(request: &Prompt, usual: &'static str) -> Cow<'static, str> {
    let wanted = request.format.clone().or_else(|| env::text("AIT_FORMAT").filter(|_| !request.fleet));
    wanted.map_or(Cow::Borrowed(usual), Cow::Owned)
}

/// The session that the segment speaks of: the one that waits longest, else one that works, else the newest.
fn to_speak_of(members: &[Member]) -> Option<&Member> {
    let waits = members.iter().filter(|member| member.told.state == State::Waiting);
    let works = || members.iter().filter(|member| member.told.state == State::Working);
    waits
        .min_by_key(|member| member.told.since)
        .or_else(|| works().max_by_key(|member| member.told.since))
        .or_else(|| members.iter().max_by_key(|member| member.session.manifest.started))
}

fn waiting<'a>(member: &'a Member, whose: Option<&'a str>, now: Timestamp) -> Option<Waiting<'a>> {
    (member.told.state == State::Waiting).then(|| Waiting {
        for_what: member.told.waiting_for.as_deref().unwrap_or_default(),
        seconds: member.told.since.map_or(0, |since| seconds_between(since, now)),
        whose,
    })
}

/// How many sessions, who waits longest, and whether two can hurt each other.
fn fleet_facts(members: &[Member], now: Timestamp) -> Facts<'_> {
    let longest =
        members.iter().filter(|member| member.told.state == State::Waiting).min_by_key(|member| member.told.since);
    let crowded = crowded(members.iter().map(|member| member.trees(now))).len();
    Facts {
        waiting: longest.and_then(|member| waiting(member, Some(&member.session.manifest.project), now)),
        conflict: (crowded > 0).then_some(Conflict { count: crowded, grade: Grade::SharedTree }),
        count: (!members.is_empty()).then_some(members.len()),
        ..Facts::default()
    }
}
