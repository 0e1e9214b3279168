//! `ait sessions for`: which sessions made a commit, the commits of a range, a file or a line.

use argh::{ArgsInfo, FromArgs};
use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::Run;
use super::commit_origin::{self, GIT_LIMIT, Origin};
use super::hook_response::plural;
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::git::{self, Tree};
use crate::render::theme::{ColorChoice, Role};
use crate::render::ui::{Ui, put};
use crate::render::{elapsed, json, markdown};
use crate::report::{Data, Report};
use crate::session::activity::in_force_at;
use crate::session::manifest::Manifest;
use crate::session::origin::{Grade, Match};
use crate::store::history::Day;
use crate::sys::files;
use crate::team;
use crate::team::record::Record;

/// show which sessions made a commit, the commits of a range, a file, or a line of a file
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(
    subcommand,
    name = "for",
    help_triggers("-h", "--help"),
    example = "  ait sessions for HEAD\n  ait sessions for main..HEAD --markdown\n  ait sessions for src/main.rs:42",
    note = "Grades: `exact` (this commit), `same patch` (after a rebase, a cherry-pick or another message), `same content` (the same content of a file, as after a squash); `likely` (the session wrote a file of the commit in the 12 hours before) is not certain."
)]
pub struct For {
    /// a commit, A..B, FILE or FILE:LINE
    #[argh(positional, arg_name = "what")]
    what: String,
    /// print a paragraph for a pull request
    #[argh(switch)]
    markdown: bool,
    /// print one JSON object
    #[argh(switch)]
    json: bool,
    /// always, never or auto (the default)
    #[argh(option, arg_name = "when", default = "ColorChoice::Auto")]
    color: ColorChoice,
}

/// The most commits of a range.
const MAX_COMMITS: usize = 1000;
/// How many of the last commits of a file are shown.
const FILE_COMMITS: usize = 10;
/// How many files are named in a paragraph.
const MAX_FILES: usize = 10;
const DOING: &str = "finding the session";

impl Run for For {
    /// Looks for the sessions in all profiles.
    ///
    /// # Errors
    /// If nothing has this name, there is no repository, or git does not answer.
    fn run(&self, context: &Context) -> Result<Report> {
        if self.markdown && self.json {
            let error = Error::new("reading the command line", "--markdown, --json", "only one of them is possible");
            return Err(error.exit(Exit::NotFound));
        }
        let origins = self.origins(context)?;
        let members = members(context, &origins);
        let is_known = !members.is_empty() || origins.iter().any(|origin| !origin.sessions.is_empty());
        let exit = if is_known { Exit::Done } else { Exit::Failed };
        let data = Answer { origins, members, markdown: self.markdown, zone: context.time_zone() };
        Ok(Report::new(data).exit(exit))
    }

    fn json(&self) -> bool {
        self.json
    }

    fn color(&self) -> ColorChoice {
        self.color
    }
}

/// The members of the repository's team whose records name these commits, for those without a session of the user.
fn members(context: &Context, origins: &[Origin]) -> Vec<(String, Record)> {
    let unknown = origins.iter().filter(|origin| origin.sessions.is_empty() && !origin.commit.id.is_empty());
    let unknown: Vec<&str> = unknown.map(|origin| origin.commit.id.as_str()).collect();
    let tree = context.folder().ok().filter(|_| !unknown.is_empty()).and_then(|folder| Tree::find(&folder));
    let store = tree.and_then(|tree| team::store::of_clone(&tree.common_dir));
    store.map(|store| team::days::of_commits(&store, &unknown, context.now)).unwrap_or_default()
}

impl For {
    fn origins(&self, context: &Context) -> Result<Vec<Origin>> {
        let what = self.what.as_str();
        let failed = |why: std::io::Error| Error::new(DOING, what, why);
        let tree = Tree::find(&context.folder()?);
        if let Some(tree) = &tree {
            if what.contains("..")
                && let Some(ids) = git::range(tree, what, MAX_COMMITS, GIT_LIMIT).map_err(failed)?
            {
                return commit_origin::find(context, tree, &ids);
            }
            if let Some(id) = git::resolve(tree, what, GIT_LIMIT).map_err(failed)? {
                return commit_origin::find(context, tree, &[id]);
            }
        }
        self.of_file(context, tree.is_some())
    }

    fn of_file(&self, context: &Context, is_in_tree: bool) -> Result<Vec<Origin>> {
        let what = self.what.as_str();
        let failed = |why: std::io::Error| Error::new(DOING, what, why);
        let not_found = |why: &'static str| Error::new(DOING, what, why).exit(Exit::NotFound);
        let line = what.rsplit_once(':').and_then(|(file, line)| Some((file, line.parse::<usize>().ok()?)));
        let here = context.folder()?;
        let (file, line) = match line {
            Some((file, line)) if !files::exists(&here.join(what)) => (file, Some(line)),
            _ => (what, None),
        };
        let path = files::resolve(&here.join(file));
        if !files::exists(&path) {
            let why = if is_in_tree { "neither a revision nor a file" } else { "no such file, and no repository here" };
            return Err(not_found(why));
        }
        let tree = Tree::find(&path).ok_or_else(|| not_found("outside of any repository"))?;
        let path = path.strip_prefix(&tree.root).map_err(|_| not_found("outside of any repository"))?;
        let path = path.to_string_lossy();
        let Some(line) = line else {
            let ids = git::commits_of_file(&tree, &path, FILE_COMMITS, GIT_LIMIT).map_err(failed)?;
            return match ids.is_empty() {
                true => Ok(vec![commit_origin::of_uncommitted(context, &tree, &path)?]),
                false => commit_origin::find(context, &tree, &ids),
            };
        };
        match git::last_change_of_line(&tree, &path, line, GIT_LIMIT).map_err(failed)? {
            Some(Some(id)) => commit_origin::find(context, &tree, &[id]),
            Some(None) => Ok(vec![commit_origin::of_uncommitted(context, &tree, &path)?]),
            None => Err(not_found("git has no such line")),
        }
    }
}

struct Answer {
    origins: Vec<Origin>,
    /// The names of members, and their records of commits that are no session's of the user.
    members: Vec<(String, Record)>,
    markdown: bool,
    zone: TimeZone,
}

#[derive(Serialize)]
struct Json<'a> {
    commits: Vec<JsonCommit<'a>>,
}

#[derive(Serialize)]
struct JsonCommit<'a> {
    id: Option<&'a str>,
    subject: &'a str,
    author: Option<&'a str>,
    authored: Timestamp,
    grade: Option<Grade>,
    one_of: bool,
    sessions: Vec<JsonSession<'a>>,
    /// The members of the team who made it.
    members: Vec<&'a str>,
}

#[derive(Serialize)]
struct JsonSession<'a> {
    session_id: &'a str,
    project: &'a str,
    task: Option<&'a str>,
    user: Option<&'a str>,
    host: Option<&'a str>,
    at: Timestamp,
    commit: Option<&'a str>,
    files: &'a [String],
    worked_seconds: u64,
    ended: Option<Timestamp>,
}

fn not_empty(text: &str) -> Option<&str> {
    Some(text).filter(|text| !text.is_empty())
}

fn json_commit<'a>(origin: &'a Origin, answer: &'a Answer) -> JsonCommit<'a> {
    JsonCommit {
        id: not_empty(&origin.commit.id),
        subject: &origin.commit.subject,
        author: not_empty(&origin.author),
        authored: origin.commit.authored,
        grade: origin.grade(),
        one_of: origin.is_one_of(),
        sessions: origin.sessions.iter().map(|(manifest, found)| json_session(manifest, found)).collect(),
        members: answer.members_of(origin).map(|(name, _)| name.as_str()).collect(),
    }
}

fn json_session<'a>(manifest: &'a Manifest, found: &'a Match) -> JsonSession<'a> {
    JsonSession {
        session_id: &manifest.session_id,
        project: &manifest.project,
        task: task(manifest, found),
        user: manifest.user.as_deref(),
        host: manifest.host.as_deref(),
        at: found.at,
        commit: found.commit.as_deref(),
        files: &found.files,
        worked_seconds: manifest.worked_seconds,
        ended: manifest.ended,
    }
}

/// The task of the session when it made the commit.
fn task<'a>(manifest: &'a Manifest, found: &Match) -> Option<&'a str> {
    in_force_at(&manifest.activity.tasks, manifest.task.as_deref(), found.at)
}

fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

impl Data for Answer {
    fn json(&self) -> Option<String> {
        json::object(&Json { commits: self.origins.iter().map(|origin| json_commit(origin, self)).collect() })
    }

    fn text(&self, ui: &Ui) -> String {
        if self.markdown {
            return self.paragraph();
        }
        let mut text = String::new();
        for origin in &self.origins {
            self.put_commit(&mut text, origin, ui);
        }
        if self.origins.is_empty() {
            text.push_str("No commits.\n");
        } else if self.origins.len() > 1 {
            text.push_str(&format!("{}.\n", self.count()));
        }
        text
    }
}

impl Answer {
    /// `5 of 6 commits with a known session (3 exact, 2 same patch)`
    fn count(&self) -> String {
        let of = |grade| self.origins.iter().filter(|origin| origin.grade() == Some(grade)).count();
        let grades = [Grade::Exact, Grade::SamePatch, Grade::SameContent, Grade::Likely];
        let counts = grades.into_iter().map(|grade| (of(grade), grade)).filter(|(count, _)| *count > 0);
        let counts: Vec<String> = counts.map(|(count, grade)| format!("{count} {}", grade.as_str())).collect();
        let known = self.origins.iter().filter(|origin| origin.grade().is_some()).count();
        let all = self.origins.len();
        let details = if counts.is_empty() { String::new() } else { format!(" ({})", counts.join(", ")) };
        format!("{known} of {all} commit{} with a known session{details}", plural(all))
    }

    /// The members who made a commit, with their records.
    fn members_of(&self, origin: &Origin) -> impl Iterator<Item = &(String, Record)> {
        self.members.iter().filter(|(_, record)| record.commits.contains(&origin.commit.id))
    }

    fn put_commit(&self, text: &mut String, origin: &Origin, ui: &Ui) {
        let commit = &origin.commit;
        ui.line(text, |line| {
            if !commit.id.is_empty() {
                put(line, Role::Project, short(&commit.id));
                line.literal(" ");
            }
            line.text(&commit.subject);
            if !origin.author.is_empty() {
                line.literal(" (");
                line.text(&origin.author);
                line.own(format_args!(", {})", Day::of(commit.authored, &self.zone)));
            }
        });
        match origin.grade() {
            None if self.members_of(origin).next().is_some() => {}
            None => ui.line(text, |line| line.literal("   no session known")),
            Some(Grade::Likely) => ui.line(text, |line| line.literal("   not certain:")),
            Some(_) if origin.is_one_of() => {
                ui.line(text, |line| line.own(format_args!("   one of these {}:", origin.sessions.len())));
            }
            Some(_) => {}
        }
        for (name, record) in self.members_of(origin) {
            ui.line(text, |line| {
                line.literal("   exact: member ");
                put(line, Role::Project, name);
                if let Some(task) = record.task.as_ref().or(record.title.as_ref()) {
                    line.literal(" ");
                    put(line, Role::Task, task);
                }
            });
        }
        for (manifest, found) in &origin.sessions {
            ui.line(text, |line| {
                line.own(format_args!("   {}: ", found.grade.as_str()));
                line.text(short(&manifest.session_id));
                line.literal(" ");
                put(line, Role::Project, &manifest.project);
                if let Some(task) = task(manifest, found) {
                    line.literal(" ");
                    put(line, Role::Task, task);
                }
                line.own(format_args!(", {}", Day::of(found.at, &self.zone)));
                if let Some(user) = &manifest.user {
                    line.literal(", ");
                    line.text(user);
                }
                if found.grade >= Grade::SameContent {
                    let all = commit.files.len();
                    line.own(format_args!(", {} of {all} file{}", found.files.len(), plural(all)));
                }
            });
        }
    }

    /// A paragraph for a pull request: sessions, tasks, time and files.
    fn paragraph(&self) -> String {
        let certain = self.origins.iter().filter(|origin| origin.grade().is_some_and(|grade| grade < Grade::Likely));
        let mut sessions: Vec<(&Manifest, Option<&str>)> = Vec::new();
        let mut paths: Vec<&str> = Vec::new();
        for origin in certain {
            for (manifest, found) in &origin.sessions {
                if sessions.iter().all(|(known, _)| known.session_id != manifest.session_id) {
                    sessions.push((manifest, task(manifest, found)));
                }
                let files = found.files.iter().map(String::as_str).filter(|path| !paths.contains(path));
                paths.extend(files.collect::<Vec<_>>());
            }
        }
        let mut names: Vec<&str> = self.members.iter().map(|(name, _)| name.as_str()).collect();
        names.dedup();
        let names: Vec<String> = names.into_iter().map(markdown::escape).collect();
        let team = if names.is_empty() { String::new() } else { format!(" Also by: {}.", names.join(", ")) };
        if sessions.is_empty() && !team.is_empty() {
            return format!("Claude Code sessions of the team, for {}.{team}\n", self.origins_text());
        }
        if sessions.is_empty() {
            return format!("Claude Code sessions: none is known for {}.\n", self.origins_text());
        }
        let named: Vec<String> = sessions
            .iter()
            .map(|(manifest, task)| {
                let task = task.map(|task| format!(" {}", markdown::escape(task))).unwrap_or_default();
                let worked = elapsed::Short(manifest.worked_seconds);
                format!("`{}`{task} ({worked})", markdown::escape(short(&manifest.session_id)))
            })
            .collect();
        let total: u64 = sessions.iter().map(|(manifest, _)| manifest.worked_seconds).sum();
        let shown: Vec<String> = paths.iter().take(MAX_FILES).map(|path| markdown::escape(path)).collect();
        let more = paths.len().saturating_sub(MAX_FILES);
        let more = if more > 0 { format!(" and {more} more") } else { String::new() };
        format!(
            "Claude Code sessions: {}; {} in all. Commits: {}. Files: {}{more}.{team}\n",
            named.join(", "),
            elapsed::Short(total),
            self.count(),
            shown.join(", ")
        )
    }

    fn origins_text(&self) -> String {
        let count = self.origins.len();
        format!("{count} commit{}", plural(count))
    }
}
