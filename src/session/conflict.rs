//! Conflicts: where two sessions can hurt each other.
//!
//! The tree that a session writes to decides, not the one it was started in: see [`works_in`]. Writes fade after an hour
//! ([`super::file_write::FADES_AFTER`]); a conflict that depends on an older write is listed as old, and causes no warning.

use std::cmp::Reverse;
use std::collections::BTreeMap;
use std::ffi::OsStr;
use std::hash::{DefaultHasher, Hasher};
use std::path::Path;

use jiff::Timestamp;
use serde::Serialize;

use super::file_write::{FileWrite, TreeWrite, is_fresh};
use super::manifest::Manifest;
use crate::session::order::{sort_by, sort_by_key};

/// How two sessions can hurt each other; the worst is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// Two live sessions wrote the same repository-relative file in different trees of one repository.
    Merge,
    /// Two live sessions work in one tree: one's checkout, stash or reset moves the other's files.
    SharedTree,
    /// Two live sessions wrote the same file in the same tree.
    Clobber,
}

impl Grade {
    /// Its name in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Grade::Clobber => "clobber",
            Grade::SharedTree => "shared-tree",
            Grade::Merge => "merge",
        }
    }

    /// What can happen, in one sentence.
    pub fn risk(self) -> &'static str {
        match self {
            Grade::Clobber => "Both write the same file; the later write may overwrite the earlier one.",
            Grade::SharedTree => {
                "Parallel edits may overwrite each other; a checkout, stash or reset by one changes the other's files."
            }
            Grade::Merge => "Parallel edits may cause merge conflicts when these branches are merged.",
        }
    }

    /// What to do about it.
    pub fn advice(self) -> &'static str {
        match self {
            Grade::Clobber => {
                "Coordinate work or close one session; let one finish and commit, and the other read the file again."
            }
            Grade::SharedTree => {
                "Coordinate work or close one session; `claude --worktree NAME` gives one a tree of its own."
            }
            Grade::Merge => "Coordinate work, or merge one branch early; `ait sessions conflicts --merge` asks git.",
        }
    }
}

/// Which sessions share a tree with another: their positions, in order. `trees` gives those that each works in.
pub fn crowded<'a>(trees: impl Iterator<Item = Vec<&'a Path>>) -> Vec<usize> {
    // By a number first: the paths of a thousand trees differ at their ends only. By bytes, as paths are compared part
    // by part.
    let number = |tree: &OsStr| {
        let mut hasher = DefaultHasher::new();
        hasher.write(tree.as_encoded_bytes());
        hasher.finish()
    };
    let mut at_work: Vec<(u64, &OsStr, usize)> = Vec::new();
    for (position, trees) in trees.enumerate() {
        at_work.extend(trees.into_iter().map(|tree| (number(tree.as_os_str()), tree.as_os_str(), position)));
    }
    sort_by(&mut at_work, Ord::cmp);
    let in_one_tree = at_work.chunk_by(|(number, tree, _), (other, there, _)| number == other && tree == there);
    let together = in_one_tree.filter(|together| together.len() > 1).flatten();
    let mut crowded: Vec<usize> = together.map(|(_, _, position)| *position).collect();
    sort_by(&mut crowded, Ord::cmp);
    crowded.dedup();
    crowded
}

/// The trees that a session works in: the one that its folder lies in, and those that it wrote in within the last hour. A
/// session that only wrote in other trees of its repository (it was started in the main tree and sent into a worktree)
/// works in those, and not where it was started. What its sub-agents write in worktrees of their own does not move it.
pub fn works_in<'a>(
    root: &'a Path,
    repository: Option<&Path>,
    wrote: &'a [TreeWrite],
    now: Timestamp,
) -> Vec<&'a Path> {
    let fresh = || wrote.iter().filter(|wrote| is_fresh(wrote.at, now));
    let mut trees: Vec<&Path> = fresh().map(|wrote| Path::new(&wrote.tree)).collect();
    trees.dedup();
    let is_own = |wrote: &&TreeWrite| !wrote.by_subagent && repository == Some(Path::new(&wrote.repository));
    let has_moved = fresh().any(|wrote| is_own(&wrote));
    if !has_moved && !trees.contains(&root) {
        trees.insert(0, root);
    }
    trees
}

/// The conflict of one tree, as far as the manifests of the sessions tell: cheap enough for a prompt.
///
/// `sessions` are all live ones, each with the root and the repository of the folder it works in; `here` is the root
/// of the tree in question. Gives the grade and how many sessions work in the tree; never [`Grade::Merge`].
pub fn in_tree<'a, S>(sessions: S, here: &Path, now: Timestamp) -> Option<(Grade, usize)>
where
    S: Iterator<Item = (&'a Manifest, &'a Path, Option<&'a Path>)> + Clone,
{
    let at_work = |(manifest, root, repository): &(&Manifest, &Path, Option<&Path>)| {
        works_in(root, *repository, &manifest.wrote_in, now).contains(&here)
    };
    let count = sessions.clone().filter(at_work).count();
    let is_live = |id: &str| sessions.clone().any(|(other, ..)| other.session_id == id);
    let overlaps = sessions.clone().flat_map(|(manifest, ..)| &manifest.overlaps).any(|overlap| {
        is_fresh(overlap.at, now) && Path::new(&overlap.path).starts_with(here) && is_live(&overlap.session_id)
    });
    match (overlaps, count) {
        (true, count) => Some((Grade::Clobber, count.max(2))),
        (false, count) if count > 1 => Some((Grade::SharedTree, count)),
        _ => None,
    }
}

/// A live session, as far as conflicts go.
#[derive(Clone, Copy, Debug)]
pub struct Worker<'a> {
    /// The root of the tree that its folder lies in, or that folder itself.
    pub root: &'a Path,
    /// The repository of that tree.
    pub repository: Option<&'a Path>,
    /// The trees it lately wrote in.
    pub wrote: &'a [TreeWrite],
    /// The files it wrote, each once.
    pub writes: &'a [FileWrite],
}

/// A place where sessions can hurt each other. Sessions are named by their positions among the workers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// How.
    pub grade: Grade,
    /// The root of the tree; of a [`Grade::Merge`] the repository's common git folder; the file's folder outside of any
    /// repository.
    pub place: String,
    /// The trees: that of the place, or for a [`Grade::Merge`] those in which the files were written.
    pub trees: Vec<String>,
    /// Who.
    pub sessions: Vec<usize>,
    /// Which files, the last written first.
    pub files: Vec<File>,
    /// It depends on writes older than an hour.
    pub faded: bool,
}

/// A file of a conflict.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// From the root of the tree, or of each tree of a [`Grade::Merge`].
    pub path: String,
    /// Who wrote it, and when last, the last one first.
    pub writers: Vec<(usize, Timestamp)>,
}

impl File {
    /// Whether two of its writers wrote it within the hour.
    fn is_fresh(&self, now: Timestamp) -> bool {
        self.writers.iter().filter(|(_, at)| is_fresh(*at, now)).count() > 1
    }

    fn last(&self) -> Option<Timestamp> {
        self.writers.first().map(|(_, at)| *at)
    }
}

/// All conflicts among the workers, worst first, faded ones last: at most one of each tree, and one more of each
/// repository. `repository_of` knows the common git folder of a tree.
pub fn all<'a>(
    workers: &'a [Worker],
    repository_of: &dyn Fn(&str) -> Option<&'a str>,
    now: Timestamp,
) -> Vec<Conflict> {
    let mut found = in_trees(workers, now);
    found.extend(across_trees(workers, repository_of, now));
    sort_by(&mut found, |a, b| (a.faded, b.grade, &a.place).cmp(&(b.faded, a.grade, &b.place)));
    found
}

fn in_trees(workers: &[Worker], now: Timestamp) -> Vec<Conflict> {
    type Writers<'a> = BTreeMap<&'a str, Vec<(usize, Timestamp)>>;
    // Tree -> file -> who wrote it when.
    let mut written: BTreeMap<&str, Writers> = BTreeMap::new();
    for (position, worker) in workers.iter().enumerate() {
        for write in worker.writes {
            let (place, path) = match &write.tree {
                Some(tree) => (tree.as_str(), write.path.as_str()),
                None => write.path.rsplit_once('/').unwrap_or(("/", &write.path)),
            };
            let writers = written.entry(place).or_default().entry(path).or_default();
            // One file can have been in a tree and in none, when the tree was removed.
            match writers.last_mut() {
                Some((last, at)) if *last == position => *at = write.at.max(*at),
                _ => writers.push((position, write.at)),
            }
        }
    }
    let mut at_work: BTreeMap<&str, Vec<usize>> = BTreeMap::new();
    for (position, worker) in workers.iter().enumerate() {
        for tree in works_in(worker.root, worker.repository, worker.wrote, now) {
            at_work.entry(tree.to_str().unwrap_or_default()).or_default().push(position);
        }
    }
    let mut places: Vec<&str> = written.keys().chain(at_work.keys()).copied().collect();
    sort_by(&mut places, Ord::cmp);
    places.dedup();
    let nobody = Vec::new();
    let nothing = BTreeMap::new();
    places
        .into_iter()
        .filter_map(|place| {
            let present = at_work.get(place).unwrap_or(&nobody);
            let files: Vec<File> = written.get(place).unwrap_or(&nothing).iter().map(file).collect();
            let (clobbered, others): (Vec<File>, Vec<File>) =
                files.into_iter().partition(|file| file.writers.len() > 1);
            let (fresh, faded): (Vec<File>, Vec<File>) = clobbered.into_iter().partition(|file| file.is_fresh(now));
            let conflict = |grade, files: Vec<File>, faded| {
                let mut sessions: Vec<usize> =
                    files.iter().flat_map(|file| &file.writers).map(|(who, _)| *who).collect();
                sessions.extend(if faded { &nobody } else { present });
                sort_by(&mut sessions, Ord::cmp);
                sessions.dedup();
                let trees = vec![place.to_owned()];
                Conflict { grade, place: place.to_owned(), trees, sessions, files: newest_first(files), faded }
            };
            if !fresh.is_empty() {
                Some(conflict(Grade::Clobber, fresh, false))
            } else if present.len() > 1 {
                let lately = |file: &File| file.last().is_some_and(|at| is_fresh(at, now));
                let by_one_of_them = |file: &File| file.writers.iter().all(|(who, _)| present.contains(who));
                let files = others.into_iter().chain(faded).filter(lately).filter(by_one_of_them).collect();
                Some(conflict(Grade::SharedTree, files, false))
            } else if !faded.is_empty() {
                Some(conflict(Grade::Clobber, faded, true))
            } else {
                None
            }
        })
        .collect()
}

fn file((path, writers): (&&str, &Vec<(usize, Timestamp)>)) -> File {
    let mut writers = writers.clone();
    sort_by_key(&mut writers, |(_, at)| Reverse(*at));
    File { path: (*path).to_owned(), writers }
}

fn newest_first(mut files: Vec<File>) -> Vec<File> {
    sort_by(&mut files, |a, b| (b.last(), &a.path).cmp(&(a.last(), &b.path)));
    files
}

fn across_trees<'a>(
    workers: &'a [Worker],
    repository_of: &dyn Fn(&str) -> Option<&'a str>,
    now: Timestamp,
) -> Vec<Conflict> {
    // Repository -> file -> who wrote it when, in which tree.
    type Writers<'a> = Vec<(usize, Timestamp, &'a str)>;
    let mut written: BTreeMap<&str, BTreeMap<&str, Writers>> = BTreeMap::new();
    for (position, worker) in workers.iter().enumerate() {
        for write in worker.writes {
            let Some(tree) = write.tree.as_deref() else { continue };
            let Some(repository) = repository_of(tree) else { continue };
            let writers = written.entry(repository).or_default().entry(&write.path).or_default();
            writers.push((position, write.at, tree));
        }
    }
    // Two sessions in two trees. Two in one tree are a conflict of that tree, and one in two trees is no conflict.
    let apart = |writers: &Writers| {
        writers.iter().any(|(who, _, tree)| writers.iter().any(|(other, _, there)| who != other && tree != there))
    };
    let mut found = Vec::new();
    for (repository, files) in written {
        let mut trees_of: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
        let files = files.into_iter().filter(|(_, writers)| apart(writers)).map(|(path, writers)| {
            trees_of.insert(path, writers.iter().map(|(_, _, tree)| *tree).collect());
            let mut last: Vec<(usize, Timestamp)> = Vec::new();
            for (who, at, _) in writers {
                match last.iter_mut().find(|(known, _)| *known == who) {
                    Some((_, known)) => *known = at.max(*known),
                    None => last.push((who, at)),
                }
            }
            file((&path, &last))
        });
        let (fresh, faded): (Vec<File>, Vec<File>) = files.partition(|file| file.is_fresh(now));
        for (files, faded) in [(fresh, false), (faded, true)] {
            if files.is_empty() {
                continue;
            }
            let mut sessions: Vec<usize> = files.iter().flat_map(|file| &file.writers).map(|(who, _)| *who).collect();
            sort_by(&mut sessions, Ord::cmp);
            sessions.dedup();
            let place = repository.to_owned();
            let trees = files.iter().filter_map(|file| trees_of.get(file.path.as_str())).flatten();
            let mut trees: Vec<String> = trees.map(|tree| (*tree).to_owned()).collect();
            sort_by(&mut trees, Ord::cmp);
            trees.dedup();
            let files = newest_first(files);
            found.push(Conflict { grade: Grade::Merge, place, trees, sessions, files, faded });
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    fn minutes(minutes: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + minutes * 60).unwrap()
    }

    fn write(tree: &str, path: &str, at: i64) -> FileWrite {
        FileWrite { tree: (!tree.is_empty()).then(|| tree.to_owned()), path: path.into(), at: minutes(at) }
    }

    fn wrote(tree: &str, at: i64) -> TreeWrite {
        TreeWrite { tree: tree.into(), repository: "/r/.git".into(), at: minutes(at), by_subagent: false }
    }

    type Found = (Grade, String, Vec<usize>, Vec<String>, bool);

    /// The grades, places, sessions and files at minute 100; sessions are (root, writes).
    fn found(sessions: &[(&str, &[FileWrite])]) -> Vec<Found> {
        let wrote: Vec<Vec<TreeWrite>> = sessions
            .iter()
            .map(|(_, writes)| {
                let trees = writes.iter().filter_map(|write| Some((write.tree.as_deref()?, write.at)));
                trees.map(|(tree, at)| TreeWrite { at, ..wrote(tree, 0) }).collect()
            })
            .collect();
        let workers: Vec<Worker> = sessions
            .iter()
            .zip(&wrote)
            .map(|((root, writes), wrote)| Worker {
                root: Path::new(root),
                repository: Some(Path::new("/r/.git")),
                wrote,
                writes,
            })
            .collect();
        all(&workers, &|_| Some("/r/.git"), minutes(100))
            .into_iter()
            .map(|found| {
                let files = found.files.into_iter().map(|file| file.path).collect();
                (found.grade, found.place, found.sessions, files, found.faded)
            })
            .collect()
    }

    #[test]
    fn sessions_that_share_a_tree_are_found() {
        let trees = [vec!["/a", "/b"], vec!["/b"], vec!["/c"], vec!["/b"], vec![]];
        let trees = trees.iter().map(|trees| trees.iter().map(Path::new).collect());
        assert_eq!(crowded(trees), [0, 1, 3]);
    }

    #[test]
    fn the_same_file_in_one_tree() {
        let a = [write("/r", "x", 90), write("/r", "only a", 91)];
        let b = [write("/r", "x", 95)];
        let clobber = (Grade::Clobber, "/r".to_owned(), vec![0, 1, 2], vec!["x".to_owned()], false);
        assert_eq!(found(&[("/r", &a), ("/r", &b), ("/r", &[])]), [clobber]);
    }

    #[test]
    fn one_tree_and_different_files() {
        let (a, b) = ([write("/r", "x", 90), write("/r", "old", 10)], [write("/r", "y", 95)]);
        let shared = (Grade::SharedTree, "/r".to_owned(), vec![0, 1], vec!["y".to_owned(), "x".to_owned()], false);
        assert_eq!(found(&[("/r", &a), ("/r", &b)]), [shared]);
    }

    #[test]
    fn two_trees_of_one_repository() {
        let (a, b) = ([write("/r", "x", 90)], [write("/w", "x", 95), write("/w", "y", 95)]);
        let merge = (Grade::Merge, "/r/.git".to_owned(), vec![0, 1], vec!["x".to_owned()], false);
        assert_eq!(found(&[("/r", &a), ("/w", &b)]), [merge]);
        assert_eq!(found(&[("/r", &a), ("/w", &b[1..])]), []);
    }

    #[test]
    fn started_in_the_main_tree_and_writing_in_a_worktree() {
        let a = [write("/w", "x", 90)];
        assert_eq!(found(&[("/r", &a), ("/r", &[])]), [], "it works in the worktree");
        assert_eq!(found(&[("/r", &a), ("/w", &[])]).len(), 1);
        let faded = [write("/w", "x", 10)];
        assert_eq!(found(&[("/r", &faded), ("/r", &[])]).len(), 1, "after an hour it is back where it was started");
    }

    #[test]
    fn a_file_of_another_repository_does_not_move_a_session() {
        // A sub-agent in a worktree of its own: the session goes on working in its tree.
        let by_subagent = [TreeWrite { by_subagent: true, ..wrote("/r/wt", 95) }];
        let trees = works_in(Path::new("/r"), Some(Path::new("/r/.git")), &by_subagent, minutes(100));
        assert_eq!(trees, [Path::new("/r"), Path::new("/r/wt")]);
        let notes = [TreeWrite { repository: "/notes/.git".into(), ..wrote("/notes", 95) }];
        let trees = works_in(Path::new("/r"), Some(Path::new("/r/.git")), &notes, minutes(100));
        assert_eq!(trees, [Path::new("/r"), Path::new("/notes")]);
    }

    #[test]
    fn a_conflict_is_old_an_hour_after_the_last_write() {
        let (a, b) = ([write("/w", "x", 10)], [write("/w", "x", 95)]);
        let faded = (Grade::Clobber, "/w".to_owned(), vec![0, 1], vec!["x".to_owned()], true);
        assert_eq!(found(&[("/r", &a), ("/w", &b)]), [faded]);
    }

    #[test]
    fn files_outside_of_any_repository_conflict_by_folder() {
        let (a, b) = ([write("", "/tmp/n/x", 90)], [write("", "/tmp/n/x", 95)]);
        let clobber = (Grade::Clobber, "/tmp/n".to_owned(), vec![0, 1], vec!["x".to_owned()], false);
        assert_eq!(found(&[("/r", &a), ("/w", &b)]), [clobber]);
    }

    #[test]
    fn a_prompt_warns_of_conflicts_in_its_own_tree() {
        let manifest = |id: &str, overlaps: &str| {
            let text = format!(r#"{{"session_id":"{id}","overlaps":{overlaps}}}"#);
            Manifest::parse(text.as_bytes()).unwrap()
        };
        let at = minutes(95);
        let (a, b) = (manifest("a", "[]"), manifest("b", "[]"));
        let c = manifest("c", &format!(r#"[{{"path":"/r/x","session_id":"a","at":"{at}"}}]"#));
        let seen = |sessions: &[&Manifest], now| {
            let sessions = sessions.iter().map(|manifest| (*manifest, Path::new("/r"), None));
            in_tree(sessions, Path::new("/r"), minutes(now))
        };
        assert_eq!(seen(&[&a], 100), None);
        assert_eq!(seen(&[&a, &b], 100), Some((Grade::SharedTree, 2)));
        assert_eq!(seen(&[&a, &c], 100), Some((Grade::Clobber, 2)));
        assert_eq!(seen(&[&a, &c], 160), Some((Grade::SharedTree, 2)), "faded");
        assert_eq!(seen(&[&b, &c], 100), Some((Grade::SharedTree, 2)), "the other one has ended");
    }
}
