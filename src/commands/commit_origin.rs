//! Looks for the sessions that made commits: in the history of all profiles, and among the live ones.

use std::collections::{BTreeMap, BTreeSet};
use std::io;
use std::rc::Rc;
use std::time::Duration;

use super::record_commits::commit_of;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::git::{self, CommitInfo, Tree};
use crate::session::commit::Commit;
use crate::session::manifest::Manifest;
use crate::session::order::sort_by;
use crate::session::origin::{self, Content, Grade, Match};
use crate::store::commit_index::{CommitIndex, Keys};
use crate::store::root::Root;
use crate::store::{active, commit_log, history, write_log};

/// The time limit of each call of git.
pub(super) const GIT_LIMIT: Duration = Duration::from_secs(10);
/// The most sessions of the history that are read for a question.
const MAX_SESSIONS: usize = 500;
/// The most commits before the last one of a squash that are followed.
const MAX_SQUASHED: usize = 16;
/// The most files of a commit for which git is asked whether their content is new.
const MAX_ASKED: usize = 30;

/// A commit, and the sessions that made it.
pub(super) struct Origin {
    /// The commit; its id is empty for changes that are not committed.
    pub(super) commit: Commit,
    /// Its author.
    pub(super) author: String,
    /// The sessions of the best grade that was found, the latest first.
    pub(super) sessions: Vec<(Rc<Manifest>, Match)>,
}

impl Origin {
    /// The grade of the sessions.
    pub(super) fn grade(&self) -> Option<Grade> {
        self.sessions.first().map(|(_, found)| found.grade)
    }

    /// Only one of the sessions made the commit, and it is not known which: their commands ran at the same time.
    pub(super) fn is_one_of(&self) -> bool {
        matches!(self.grade(), Some(Grade::Exact | Grade::SamePatch)) && self.sessions.len() > 1
    }
}

/// Finds the sessions of commits, in the order of `ids`.
///
/// # Errors
/// If git does not answer, or a folder of sessions cannot be read.
pub(super) fn find(context: &Context, tree: &Tree, ids: &[String]) -> Result<Vec<Origin>> {
    let failed = |why: io::Error| Error::new("reading commits", tree.root.display(), why);
    let boundary = git::shallow_boundary(tree);
    let mut infos = git::commits(tree, ids, GIT_LIMIT).map_err(failed)?;
    // What they changed is not known.
    infos.iter_mut().filter(|info| boundary.contains(&info.id)).for_each(|info| info.files.clear());
    let whole: Vec<String> = ids.iter().filter(|id| !boundary.contains(id)).cloned().collect();
    let patches = git::patch_ids(tree, &whole, GIT_LIMIT).map_err(failed)?;
    let mut sessions = Sessions::open(context)?;
    let wanted: Vec<Wanted<'_>> = infos.iter().map(|info| Wanted::new(info, &patches)).collect();
    let wanted = sessions.load(wanted)?;
    let mut origins = Vec::new();
    for wanted in wanted {
        let found = sessions.matches(tree, &wanted);
        let author = wanted.info.author.clone();
        origins.push(Origin { commit: wanted.commit, author, sessions: found });
    }
    sessions.add_likely(tree, &mut origins);
    Ok(origins)
}

/// The sessions that lately wrote a file, for changes that are not committed.
///
/// # Errors
/// If a folder of sessions cannot be read.
pub(super) fn of_uncommitted(context: &Context, tree: &Tree, path: &str) -> Result<Origin> {
    let commit = Commit {
        at: context.now,
        id: String::new(),
        patch_id: None,
        authored: context.now,
        subject: "not committed yet".to_owned(),
        branch: None,
        uncertain: false,
        files: vec![(path.to_owned(), None, None)],
    };
    let mut origins = [Origin { commit, author: String::new(), sessions: Vec::new() }];
    Sessions::open(context)?.add_likely(tree, &mut origins);
    let [origin] = origins;
    Ok(origin)
}

/// A commit to look for.
struct Wanted<'a> {
    info: &'a CommitInfo,
    commit: Commit,
    contents: BTreeSet<Content>,
}

impl<'a> Wanted<'a> {
    fn new(info: &'a CommitInfo, patches: &BTreeMap<String, String>) -> Wanted<'a> {
        let commit = Commit { patch_id: patches.get(&info.id).cloned(), ..commit_of(info) };
        let mut contents = BTreeSet::new();
        // `collect` would bring another copy of the standard library's sort.
        contents.extend(origin::contents(&commit));
        Wanted { info, commit, contents }
    }
}

/// The sessions that may have made a commit.
struct Sessions {
    indexes: Vec<(Rc<Root>, CommitIndex)>,
    loaded: Vec<Rc<Manifest>>,
    /// The sessions of the history that are loaded: profile, day and id.
    known: BTreeSet<(usize, String)>,
}

impl Sessions {
    /// Loads those that have not been archived, and the index of the others.
    fn open(context: &Context) -> Result<Sessions> {
        let mut sessions = Sessions { indexes: Vec::new(), loaded: Vec::new(), known: BTreeSet::new() };
        for root in context.root()?.with_profiles() {
            let folder = root.active_folder().ok();
            for session in active::read_all(&root)?.sessions {
                let mut manifest = *session.manifest;
                manifest.touched = write_log::all(&root, &session.id);
                manifest.commits =
                    folder.as_ref().map(|folder| commit_log::read(folder, &session.id)).unwrap_or_default();
                sessions.loaded.push(Rc::new(manifest));
            }
            let index = CommitIndex::open(&root)?;
            sessions.indexes.push((root, index));
        }
        Ok(sessions)
    }

    fn load_where(&mut self, keys: &Keys) {
        for (number, (root, index)) in self.indexes.iter().enumerate() {
            for (day, id) in index.find(keys, MAX_SESSIONS) {
                if self.known.insert((number, format!("{day} {id}"))) {
                    self.loaded.extend(history::read_session(root, day, &id).map(Rc::new));
                }
            }
        }
    }

    /// Loads the sessions of the history that may have made the commits, and adds the contents that squashes join.
    fn load<'a>(&mut self, mut wanted: Vec<Wanted<'a>>) -> Result<Vec<Wanted<'a>>> {
        let mut keys = Keys::new();
        for Wanted { commit, contents, .. } in &wanted {
            keys.add_commit(&commit.id);
            commit.patch_id.iter().for_each(|patch| keys.add_patch(patch));
            contents.iter().for_each(|(path, blob)| keys.add_content(path, blob));
        }
        for _ in 0..MAX_SQUASHED {
            self.load_where(&keys);
            keys = Keys::new();
            let mut is_new = false;
            for Wanted { commit, contents, .. } in &mut wanted {
                for manifest in &self.loaded {
                    for (path, blob) in origin::earlier_contents(commit, &manifest.commits, contents) {
                        keys.add_content(&path, &blob);
                        is_new |= contents.insert((path, blob));
                    }
                }
            }
            if !is_new {
                break;
            }
        }
        Ok(wanted)
    }

    /// The sessions that made a commit, of the best grade.
    fn matches(&self, tree: &Tree, wanted: &Wanted<'_>) -> Vec<(Rc<Manifest>, Match)> {
        let mut found: Vec<(Rc<Manifest>, Match)> = Vec::new();
        for manifest in &self.loaded {
            let by_commits = origin::by_commits(&wanted.commit, &wanted.contents, &manifest.commits);
            found.extend(by_commits.map(|by| (Rc::clone(manifest), by)));
        }
        // A later commit that restores what a session once wrote is not the session's.
        let is_rewritten = |(manifest, by): &(Rc<Manifest>, Match)| {
            let same = |record: &&Commit| Some(&record.id) == by.commit.as_ref();
            let record = manifest.commits.iter().find(same);
            let keeps = |record: &Commit| {
                (record.authored, &record.subject) == (wanted.commit.authored, &wanted.commit.subject)
            };
            by.grade == Grade::SamePatch && record.is_some_and(keeps)
        };
        let doubtful = |(_, by): &(Rc<Manifest>, Match)| matches!(by.grade, Grade::SamePatch | Grade::SameContent);
        if found.iter().any(|entry| doubtful(entry) && !is_rewritten(entry)) {
            let restored = restored(tree, wanted, &found);
            for entry in &mut found {
                if doubtful(entry) && !is_rewritten(entry) {
                    entry.1.files.retain(|file| !restored.contains(file));
                }
            }
            found.retain(|entry| !doubtful(entry) || !entry.1.files.is_empty());
        }
        best(found)
    }

    /// For the commits without a session: those that wrote their files in the hours before.
    fn add_likely(&mut self, tree: &Tree, origins: &mut [Origin]) {
        let mut keys = Keys::new();
        let unknown = |origin: &&Origin| origin.sessions.is_empty();
        let files = |origin: &Origin| origin.commit.files.iter().map(|(path, ..)| path.clone()).collect::<Vec<_>>();
        origins.iter().filter(unknown).flat_map(files).for_each(|path| keys.add_write(&path));
        self.load_where(&keys);
        let repository = tree.common_dir.to_string_lossy();
        let here = |manifest: &&Rc<Manifest>| manifest.repository.as_deref() == Some(&*repository);
        for origin in origins.iter_mut().filter(|origin| origin.sessions.is_empty()) {
            let commit = &origin.commit;
            let by_writes = |manifest: &Rc<Manifest>| {
                let by = origin::by_writes(commit, commit.at, &manifest.touched)?;
                Some((Rc::clone(manifest), by))
            };
            origin.sessions = best(self.loaded.iter().filter(here).filter_map(by_writes).collect());
        }
    }
}

/// The files of a commit whose content is not new: a commit before it had it.
fn restored(tree: &Tree, wanted: &Wanted<'_>, found: &[(Rc<Manifest>, Match)]) -> Vec<String> {
    let mut files: Vec<&String> = found.iter().flat_map(|(_, by)| &by.files).collect();
    sort_by(&mut files, Ord::cmp);
    files.dedup();
    // The session's commit may have been copied into this history a little earlier than it was recorded.
    let since = found.iter().map(|(_, by)| by.at).min().unwrap_or(wanted.info.committed).min(wanted.info.authored);
    let since = since.checked_sub(jiff::SignedDuration::from_hours(24)).unwrap_or(since);
    let is_restored = |file: &&&String| {
        let blob =
            wanted.commit.files.iter().find(|(path, ..)| path == **file).and_then(|(_, after, _)| after.as_deref());
        blob.is_some_and(|blob| git::has_introduced(tree, wanted.info, file, blob, since, GIT_LIMIT).unwrap_or(false))
    };
    files.iter().take(MAX_ASKED).filter(is_restored).map(|file| (*file).clone()).collect()
}

/// Those of the best grade, each session once, the latest first.
fn best(mut found: Vec<(Rc<Manifest>, Match)>) -> Vec<(Rc<Manifest>, Match)> {
    let grade = found.iter().map(|(_, by)| by.grade).min();
    found.retain(|(_, by)| Some(by.grade) == grade);
    sort_by(&mut found, |(a, by_a), (b, by_b)| (by_b.at, &b.session_id).cmp(&(by_a.at, &a.session_id)));
    found.dedup_by(|(a, _), (b, _)| a.session_id == b.session_id);
    found
}
