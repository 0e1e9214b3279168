//! `ait sessions conflicts`: where live sessions can hurt each other.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use jiff::Timestamp;
use serde::Serialize;

use super::hook_response::plural;
use super::live_sessions::{self, LiveSession, LiveSessions};
use super::{Run, foreign_ignored};
use crate::context::Context;
use crate::error::{Exit, Result};
use crate::git::{self, Tree};
use crate::render::theme::{ColorChoice, Mark, Role};
use crate::render::ui::{Ui, put};
use crate::render::{elapsed, json};
use crate::report::{Data, Report};
use crate::session::conflict::{self, Conflict, File, Grade, Worker};
use crate::session::file_write::FileWrite;
use crate::session::json_object::JsonFields;
use crate::session::time::seconds_between;
use crate::store::place::Place;
use crate::store::write_log;

/// show live sessions that may overwrite each other's work
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(
    subcommand,
    name = "conflicts",
    help_triggers("-h", "--help"),
    example = "  ait sessions conflicts --strict && git checkout main"
)]
pub struct Conflicts {
    /// exit with 3 if there are current conflicts
    #[argh(switch)]
    strict: bool,
    /// also ask git whether the sessions' branches would merge
    #[argh(switch)]
    merge: bool,
    /// print one JSON object
    #[argh(switch)]
    json: bool,
    /// always, never or auto (the default)
    #[argh(option, arg_name = "when", default = "ColorChoice::Auto")]
    color: ColorChoice,
}

/// How many files of a conflict people are shown.
const FILES: usize = 8;
/// How long git may take over one pair of branches.
const GIT_LIMIT: Duration = Duration::from_secs(5);
/// How many pairs of branches git is asked about.
const PAIRS: usize = 100;

#[derive(Serialize)]
struct Json<'a> {
    conflicts: Vec<InJson>,
    /// Those that depend on writes older than an hour.
    faded: Vec<InJson>,
    #[serde(skip_serializing_if = "Option::is_none")]
    merges: Option<&'a [Merge]>,
}

#[derive(Serialize)]
struct InJson {
    grade: Grade,
    project: String,
    path: String,
    trees: Vec<String>,
    sessions: Vec<JsonFields>,
    files: Vec<FileInJson>,
}

#[derive(Serialize)]
struct FileInJson {
    path: String,
    writers: Vec<Writer>,
}

#[derive(Serialize)]
struct Writer {
    session_id: String,
    at: Timestamp,
}

/// git's answer about two branches.
#[derive(Serialize)]
struct Merge {
    project: String,
    branches: [String; 2],
    paths: [PathBuf; 2],
    /// The files that would be in conflict; `None` where git did not answer.
    files: Option<Vec<String>>,
    /// Why it could not.
    error: Option<String>,
}

impl Run for Conflicts {
    /// Shows the conflicts, worst first, then those that have faded.
    ///
    /// # Errors
    /// If the folder cannot be read.
    fn run(&self, context: &Context) -> Result<Report> {
        let (root, now) = (context.root()?, context.now);
        let LiveSessions { live_sessions: live, foreign, .. } = live_sessions::gather(root, context.now)?;
        let writes: Vec<Vec<FileWrite>> =
            live.iter().map(|live_session| write_log::all(&live_session.root, &live_session.session.id)).collect();
        let repositories = repositories(&live, &writes);
        let workers: Vec<Worker> =
            live.iter().zip(&writes).map(|(live_session, writes)| worker(live_session, writes)).collect();
        let found = conflict::all(&workers, &|tree| repositories.get(tree).map(String::as_str), now);
        let merges = self.merge.then(|| ask_git(&live, now));

        let stands = found.iter().any(|found| !found.faded)
            || merges.iter().flatten().any(|merge| merge.files.as_ref().is_some_and(|files| !files.is_empty()));
        let exit = if self.strict && stands { Exit::Conflicts } else { Exit::Done };
        let ignored = (foreign > 0).then(|| foreign_ignored(foreign));
        Ok(Report::new(Found { found, live, merges, now }).exit(exit).remarks(ignored))
    }

    fn json(&self) -> bool {
        self.json
    }

    fn color(&self) -> ColorChoice {
        self.color
    }
}

struct Found {
    found: Vec<Conflict>,
    live: Vec<LiveSession>,
    merges: Option<Vec<Merge>>,
    now: Timestamp,
}

impl Data for Found {
    fn json(&self) -> Option<String> {
        let in_json = |faded| {
            let wanted = self.found.iter().filter(move |found: &&Conflict| found.faded == faded);
            wanted.map(|found| in_json(found, &self.live, self.now)).collect()
        };
        json::object(&Json { conflicts: in_json(false), faded: in_json(true), merges: self.merges.as_deref() })
    }

    fn text(&self, ui: &Ui) -> String {
        let mut blocks: Vec<String> = Vec::new();
        if self.found.iter().all(|found| found.faded) {
            let count = self.live.len();
            blocks.push(format!("No conflicts among {count} live session{}.\n", plural(count)));
        }
        blocks.extend(self.found.iter().map(|found| for_people(found, &self.live, ui, self.now)));
        blocks.extend(self.merges.as_ref().map(|merges| merges_for_people(merges, ui)));
        blocks.join("\n")
    }
}

fn worker<'a>(live_session: &'a LiveSession, writes: &'a [FileWrite]) -> Worker<'a> {
    Worker {
        root: &live_session.place.root,
        repository: live_session.place.repository.as_deref(),
        wrote: &live_session.session.manifest.wrote_in,
        writes,
    }
}

/// The common git folder of each tree that was written in.
fn repositories(live: &[LiveSession], writes: &[Vec<FileWrite>]) -> BTreeMap<String, String> {
    let remembered = |tree: &str| {
        let mut wrote = live.iter().flat_map(|live_session| &live_session.session.manifest.wrote_in);
        wrote.find(|wrote| wrote.tree == tree).map(|wrote| wrote.repository.clone())
    };
    let mut asked = BTreeSet::new();
    let mut repositories = BTreeMap::new();
    for tree in writes.iter().flatten().filter_map(|write| write.tree.as_deref()) {
        if asked.insert(tree) {
            let found = Tree::find(Path::new(tree)).filter(|found| found.root == Path::new(tree));
            // A worktree that was removed is remembered by who wrote in it.
            let found = found.map(|found| found.common_dir.to_string_lossy().into_owned());
            if let Some(repository) = found.or_else(|| remembered(tree)) {
                repositories.insert(tree.to_owned(), repository);
            }
        }
    }
    repositories
}

/// The project and the folder of a conflict.
fn place_of(found: &Conflict) -> (String, PathBuf) {
    let path = Path::new(&found.place);
    let path = match (found.grade, path.parent()) {
        (Grade::Merge, Some(main)) if path.file_name().is_some_and(|name| name == ".git") => main,
        _ => path,
    };
    (Place::of(path).project(), path.to_owned())
}

fn in_json(found: &Conflict, live: &[LiveSession], now: Timestamp) -> InJson {
    let (project, path) = place_of(found);
    let id = |who: usize| live.get(who).map(|live_session| live_session.session.id.to_string());
    let writers = |file: &File| {
        let writers = file.writers.iter();
        writers.filter_map(|(who, at)| Some(Writer { session_id: id(*who)?, at: *at })).collect()
    };
    InJson {
        grade: found.grade,
        project,
        path: path.to_string_lossy().into_owned(),
        trees: found.trees.clone(),
        sessions: sessions_of(found, live).map(|live_session| live_sessions::json(live_session, now)).collect(),
        files: found.files.iter().map(|file| FileInJson { path: file.path.clone(), writers: writers(file) }).collect(),
    }
}

fn sessions_of<'a>(found: &'a Conflict, live: &'a [LiveSession]) -> impl Iterator<Item = &'a LiveSession> {
    found.sessions.iter().filter_map(|who| live.get(*who))
}

fn for_people(found: &Conflict, live: &[LiveSession], ui: &Ui, now: Timestamp) -> String {
    let mut text = String::new();
    let (project, _) = place_of(found);
    ui.line(&mut text, |line| {
        line.role(if found.faded { Role::Dim } else { Role::Conflict });
        match found.faded {
            true => line.literal("Old conflict: more than an hour ago"),
            false => line.own(format_args!("{}  Conflict Detected!", ui.icons.mark(Mark::Conflict))),
        }
        line.role(Role::Plain);
    });
    ui.line(&mut text, |line| {
        line.literal("Project: ");
        put(line, Role::Project, &project);
    });
    text.push_str("Sessions:\n");
    for live_session in sessions_of(found, live) {
        put_session(&mut text, live_session, ui, now);
    }
    put_files(&mut text, found, live, ui, now);
    ui.line(&mut text, |line| {
        line.own(format_args!("Grade: {}, in ", found.grade.as_str()));
        for (position, tree) in found.trees.iter().enumerate() {
            line.literal(if position == 0 { "" } else { ", " });
            ui.put_path(line, Path::new(tree));
        }
    });
    if !found.faded {
        text.push('\n');
        ui.sentence(&mut text, "Risk:", found.grade.risk());
        ui.sentence(&mut text, "Recommendation:", found.grade.advice());
    }
    text
}

fn put_session(text: &mut String, live_session: &LiveSession, ui: &Ui, now: Timestamp) {
    let manifest = &live_session.session.manifest;
    ui.line(text, |line| {
        line.own(format_args!("  - {} (", live_session.session.id.short()));
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

fn put_files(text: &mut String, found: &Conflict, live: &[LiveSession], ui: &Ui, now: Timestamp) {
    if !found.files.is_empty() {
        text.push_str("Files:\n");
    }
    for file in found.files.iter().take(FILES) {
        ui.line(text, |line| {
            line.literal("  - ");
            line.text(&file.path);
            for (position, (who, at)) in file.writers.iter().enumerate() {
                let Some(live_session) = live.get(*who) else { continue };
                line.literal(if position == 0 { ": " } else { ", " });
                line.own(format_args!(
                    "{} {}",
                    live_session.session.id.short(),
                    elapsed::Ago(seconds_between(*at, now))
                ));
            }
        });
    }
    if found.files.len() > FILES {
        text.push_str(&format!("  and {} more: ait sessions conflicts --json\n", found.files.len() - FILES));
    }
}

/// Asks git of every two live trees of one repository whether what they stand at would merge. Changes that are not
/// committed are not part of it.
fn ask_git(live: &[LiveSession], now: Timestamp) -> Vec<Merge> {
    let mut trees: BTreeMap<PathBuf, Tree> = BTreeMap::new();
    for live_session in live {
        for root in live_session.trees(now) {
            if let Some(tree) = Tree::find(root) {
                trees.insert(tree.root.clone(), tree);
            }
        }
    }
    let trees: Vec<Tree> = trees.into_values().collect();
    let pairs = trees.iter().enumerate().flat_map(|(position, one)| {
        trees
            .iter()
            .skip(position + 1)
            .filter(|other| other.common_dir == one.common_dir)
            .map(move |other| (one, other))
    });
    pairs.take(PAIRS).filter_map(|(one, other)| merge(one, other)).collect()
}

/// `None` where the two stand at the same commit, or at none.
fn merge(one: &Tree, other: &Tree) -> Option<Merge> {
    let (ours, theirs) = (one.head(), other.head());
    let (from, to) = (ours.commit.as_deref()?, theirs.commit.as_deref()?);
    if from == to {
        return None;
    }
    let asked = git::merge_conflicts(one, from, to, GIT_LIMIT);
    let error = asked.as_ref().err().map(ToString::to_string);
    Some(Merge {
        project: one.project(),
        branches: [ours.display()?, theirs.display()?],
        paths: [one.root.clone(), other.root.clone()],
        files: asked.ok(),
        error,
    })
}

fn merges_for_people(merges: &[Merge], ui: &Ui) -> String {
    if merges.is_empty() {
        return "No two live trees of one repository are at different commits.\n".to_owned();
    }
    let mut text = "Would the committed branches merge? (asked of git)\n".to_owned();
    for merge in merges {
        let [one, other] = &merge.branches;
        ui.line(&mut text, |line| {
            line.literal("  - ");
            put(line, Role::Project, &merge.project);
            line.literal(": ");
            put(line, Role::Branch, one);
            line.literal(" and ");
            put(line, Role::Branch, other);
            match (&merge.files, &merge.error) {
                (Some(files), _) if files.is_empty() => line.literal(" would merge"),
                (Some(files), _) => {
                    line.literal(" ");
                    put(line, Role::Conflict, "would not merge");
                    line.literal(": ");
                    line.text(&files.join(", "));
                }
                (None, error) => {
                    line.literal(": ");
                    line.text(error.as_deref().unwrap_or("git did not answer"));
                }
            }
        });
    }
    text
}
