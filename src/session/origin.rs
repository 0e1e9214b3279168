//! Which session made a commit, by what is recorded of the sessions' commits and writes.

use std::collections::BTreeSet;

use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::commit::Commit;
use super::file_write::FileWrite;

/// How surely a session made a commit, the surest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Grade {
    /// The session made this very commit.
    Exact,
    /// The session made a commit with the same patch: it was rebased, picked, or got another message.
    SamePatch,
    /// The session committed the same content of the same file, such as before a squash.
    SameContent,
    /// The session wrote a file of the commit in the hours before, or ran a command while the commit was made. Not certain.
    Likely,
}

impl Grade {
    /// Its name for people.
    pub fn as_str(self) -> &'static str {
        match self {
            Grade::Exact => "exact",
            Grade::SamePatch => "same patch",
            Grade::SameContent => "same content",
            Grade::Likely => "likely",
        }
    }
}

/// A file with this content.
pub type Content = (String, String);

/// How long before a commit a write may be that makes a session likely.
const LIKELY_BEFORE: SignedDuration = SignedDuration::from_hours(12);
/// The blob of an empty file, in both kinds of repositories: it says nothing about who wrote it.
const EMPTY: [&str; 2] =
    ["e69de29bb2d1d6434b8b29ae775ad8c2e48c5391", "473a0f4c3be8a93681a267e3b1e9a7dcda1185436fe141f7749120a303721813"];

/// The contents that a commit gave its files, of those that say something.
pub fn contents(commit: &Commit) -> impl Iterator<Item = Content> {
    commit.files.iter().filter_map(|(path, after, _)| {
        let blob = after.as_deref().filter(|blob| !EMPTY.contains(blob))?;
        Some((path.clone(), blob.to_owned()))
    })
}

/// The contents before those in `known`, by the commits of a session: what a squash joins. Not what was there before
/// `wanted`.
pub fn earlier_contents(wanted: &Commit, records: &[Commit], known: &BTreeSet<Content>) -> Vec<Content> {
    let mut earlier = Vec::new();
    for (path, after, before) in records.iter().flat_map(|record| &record.files) {
        let (Some(after), Some(before)) = (after, before) else { continue };
        let is_start = wanted.files.iter().any(|(file, _, start)| file == path && start.as_ref() == Some(before));
        if !is_start && !EMPTY.contains(&before.as_str()) && known.contains(&(path.clone(), after.clone())) {
            earlier.push((path.clone(), before.clone()));
        }
    }
    earlier.retain(|content| !known.contains(content));
    earlier
}

/// What connects a session with a commit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Match {
    /// How surely.
    pub grade: Grade,
    /// When the session did it.
    pub at: Timestamp,
    /// The commit that the session made.
    pub commit: Option<String>,
    /// The files of the commit that it is about.
    pub files: Vec<String>,
}

/// Compares a commit with the commits that a session made. `contents` are those of the commit, and earlier ones.
pub fn by_commits(wanted: &Commit, contents: &BTreeSet<Content>, records: &[Commit]) -> Option<Match> {
    let all_files = || wanted.files.iter().map(|(path, ..)| path.clone()).collect();
    let found = |grade, record: &Commit, files| Match { grade, at: record.at, commit: Some(record.id.clone()), files };
    if let Some(record) = records.iter().find(|record| record.id == wanted.id) {
        let grade = if record.uncertain { Grade::Likely } else { Grade::Exact };
        return Some(found(grade, record, all_files()));
    }
    let mut certain = records.iter().rev().filter(|record| !record.uncertain);
    let has_patch = |record: &&Commit| record.patch_id.is_some() && record.patch_id == wanted.patch_id;
    if let Some(record) = certain.clone().find(has_patch) {
        return Some(found(Grade::SamePatch, record, all_files()));
    }
    let mut files = BTreeSet::new();
    let mut latest = None;
    for record in certain.by_ref() {
        for content in self::contents(record).filter(|content| contents.contains(content)) {
            files.insert(content.0);
            latest = latest.or(Some(record));
        }
    }
    latest.map(|record| found(Grade::SameContent, record, files.into_iter().collect()))
}

/// Compares a commit with the files that a session wrote.
pub fn by_writes(wanted: &Commit, committed: Timestamp, writes: &[FileWrite]) -> Option<Match> {
    let from = wanted.authored.checked_sub(LIKELY_BEFORE).unwrap_or(Timestamp::MIN);
    let to = committed.checked_add(SignedDuration::from_mins(1)).unwrap_or(Timestamp::MAX);
    let is_of = |write: &&FileWrite| {
        (from..=to).contains(&write.at) && wanted.files.iter().any(|(path, ..)| *path == write.path)
    };
    let written: Vec<&FileWrite> = writes.iter().filter(is_of).collect();
    let at = written.iter().map(|write| write.at).max()?;
    let files = written.into_iter().map(|write| write.path.clone()).collect();
    Some(Match { grade: Grade::Likely, at, commit: None, files })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn commit(id: &str, patch: Option<&str>, files: &[(&str, Option<&str>, Option<&str>)]) -> Commit {
        let text = |blob: Option<&str>| blob.map(str::to_owned);
        Commit {
            at: at(0),
            id: id.into(),
            patch_id: text(patch),
            authored: at(0),
            subject: "change".into(),
            branch: None,
            uncertain: false,
            files: files.iter().map(|(path, after, before)| ((*path).into(), text(*after), text(*before))).collect(),
        }
    }

    fn grade(wanted: &Commit, records: &[Commit]) -> Option<(Grade, Vec<String>)> {
        let contents = contents(wanted).collect();
        by_commits(wanted, &contents, records).map(|found| (found.grade, found.files))
    }

    #[test]
    fn the_id_counts_before_the_patch_and_the_patch_before_the_content() {
        let wanted = commit("c", Some("p"), &[("a", Some("1"), None), ("b", Some("2"), None)]);
        let same_content = commit("x", None, &[("b", Some("2"), None), ("z", Some("2"), None)]);
        let same_patch = commit("y", Some("p"), &[]);
        let uncertain = Commit { uncertain: true, ..wanted.clone() };
        let other = commit("o", None, &[("a", Some("2"), None)]);
        let all = ["a".to_owned(), "b".to_owned()].to_vec();
        assert_eq!(
            grade(&wanted, &[same_content.clone(), same_patch.clone(), wanted.clone()]),
            Some((Grade::Exact, all.clone()))
        );
        assert_eq!(grade(&wanted, &[same_content.clone(), same_patch]), Some((Grade::SamePatch, all.clone())));
        assert_eq!(grade(&wanted, &[same_content, other.clone()]), Some((Grade::SameContent, vec!["b".into()])));
        assert_eq!(grade(&wanted, &[uncertain]), Some((Grade::Likely, all)));
        assert_eq!(grade(&wanted, &[other]), None);
        assert_eq!(grade(&commit("c", None, &[]), &[commit("d", None, &[])]), None, "two commits without a patch");
    }

    #[test]
    fn empty_and_removed_files_are_no_evidence() {
        let files = [("a", Some(EMPTY[0]), None), ("b", None, Some("1"))];
        assert_eq!(grade(&commit("c", None, &files), &[commit("d", None, &files)]), None);
    }

    #[test]
    fn a_squash_leads_to_the_commits_before_the_last_one_and_not_further_than_its_parent() {
        let squash = commit("s", None, &[("a", Some("4"), Some("1"))]);
        let records = [
            commit("x", None, &[("a", Some("1"), Some("0"))]),
            commit("y", None, &[("a", Some("2"), Some("1"))]),
            commit("z", None, &[("a", Some("4"), Some("2"))]),
        ];
        let known: BTreeSet<Content> = contents(&squash).collect();
        let earlier = earlier_contents(&squash, &records, &known);
        assert_eq!(earlier, [("a".to_owned(), "2".to_owned())]);
        let known = known.into_iter().chain(earlier).collect();
        assert_eq!(earlier_contents(&squash, &records, &known), []);
    }

    #[test]
    fn a_write_counts_for_half_a_day_and_not_after_the_commit() {
        let wanted = commit("c", None, &[("a", Some("1"), None)]);
        let write = |second, path: &str| FileWrite { tree: None, path: path.into(), at: at(second) };
        let likely = |second, path| by_writes(&wanted, at(10), &[write(second, path)]).is_some();
        assert_eq!([likely(-43_000, "a"), likely(5, "a")], [true, true]);
        assert_eq!([likely(-43_300, "a"), likely(80, "a"), likely(5, "b")], [false, false, false]);
    }
}
