//! The commits that a session made.
//!
//! They are recorded beside the manifest (`store::commit_log`). When the session is archived, they become the field
//! `commits` of its manifest. Nothing is added to the commits themselves.

use std::collections::HashSet;

use jiff::Timestamp;
use serde::Serialize;

use super::json_object::{each_field, take, take_some, text, truth};
use super::time::parse_time;

/// The most commits that are kept of one session: the latest.
pub const MAX_COMMITS: usize = 100;
/// The most files that are kept of one commit.
const MAX_FILES: usize = 200;
/// The most bytes that the files of a session's commits may take, the latest commits first.
const MAX_BYTES: usize = 512 << 10;

/// A commit that a session made.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Commit {
    /// When the session made it, or rewrote it.
    pub at: Timestamp,
    /// Its id.
    pub id: String,
    /// The id of its patch, by `git patch-id --stable`; `None` for a merge, an empty commit, and a patch of someone else that
    /// the session only reworded.
    pub patch_id: Option<String>,
    /// Its author date: amending and rebasing keep it.
    pub authored: Timestamp,
    /// The first line of its message.
    pub subject: String,
    /// The branch.
    pub branch: Option<String>,
    /// It was made while a command of the session ran, and it is not known whether by that command.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub uncertain: bool,
    /// The files that it changed: the path, and the blob after and before; `None` where there is no such file.
    pub files: Vec<(String, Option<String>, Option<String>)>,
}

impl Commit {
    /// A line of a log.
    pub fn to_line(&self) -> String {
        serde_json::to_string(self).unwrap_or_default() + "\n"
    }

    /// Reads a JSON object; `None` if it is not a commit.
    pub fn parse(raw: &str) -> Option<Commit> {
        let (mut id, mut at, mut authored, mut subject, mut files) = (None, None, None, None, None);
        let (mut patch_id, mut branch, mut uncertain) = (None, None, false);
        let mut is_commit = true;
        let time = |raw| parse_time(&text(raw)?);
        let read = each_field(raw.as_bytes(), |name, raw| {
            let null = raw == "null";
            is_commit &= match name {
                "at" => take_some(&mut at, time(raw), false),
                "id" => take_some(&mut id, text(raw), false),
                "patch_id" => take_some(&mut patch_id, text(raw), null),
                "authored" => take_some(&mut authored, time(raw), false),
                "subject" => take_some(&mut subject, text(raw), false),
                "branch" => take_some(&mut branch, text(raw), null),
                "uncertain" => take(&mut uncertain, truth(raw)),
                "files" => take_some(&mut files, serde_json::from_str(raw).ok(), false),
                _ => true,
            };
        });
        read.ok().filter(|()| is_commit)?;
        let (at, authored, id) = (at?, authored?, id?);
        Some(Commit { at, id, patch_id, authored, subject: subject?, branch, uncertain, files: files? })
    }

    /// Whether it is the same change as another commit of its session, such as before an amend or a rebase.
    pub fn is_version_of(&self, other: &Commit) -> bool {
        self.id == other.id
            || self.patch_id.is_some() && self.patch_id == other.patch_id
            || (self.authored, &self.subject) == (other.authored, &other.subject)
    }
}

/// Reads a log; lines that are not commits are left out.
pub fn parse_log(log: &[u8]) -> Vec<Commit> {
    bounded(String::from_utf8_lossy(log).lines().filter_map(Commit::parse).collect())
}

/// Each commit once, as it was recorded last, and no more than a manifest can hold.
pub fn bounded(mut commits: Vec<Commit>) -> Vec<Commit> {
    let mut known = HashSet::new();
    let is_last: Vec<bool> = commits.iter().rev().map(|commit| known.insert(commit.id.clone())).collect();
    let mut is_last = is_last.into_iter().rev();
    commits.retain(|_| is_last.next() == Some(true));
    commits.drain(..commits.len().saturating_sub(MAX_COMMITS));
    let mut left = MAX_BYTES;
    for commit in commits.iter_mut().rev() {
        commit.files.truncate(MAX_FILES);
        let size: usize = commit.files.iter().map(|(path, ..)| path.len() + 140).sum();
        match left.checked_sub(size) {
            Some(rest) => left = rest,
            None => commit.files.clear(),
        }
    }
    commits
}

/// The latest version of each change, such as of a commit that was amended.
pub fn latest_versions(commits: &[Commit]) -> Vec<&Commit> {
    let mut latest: Vec<&Commit> = Vec::new();
    for commit in commits {
        latest.retain(|known| !commit.is_version_of(known));
        latest.push(commit);
    }
    latest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn commit(id: usize, files: usize) -> Commit {
        let authored = Timestamp::from_second(i64::try_from(id).unwrap()).unwrap();
        let file = |number| (format!("{}{number}", "x".repeat(1000)), Some("blob".to_owned()), None);
        Commit {
            at: authored,
            id: id.to_string(),
            patch_id: None,
            authored,
            subject: format!("change {id}"),
            branch: None,
            uncertain: false,
            files: (0..files).map(file).collect(),
        }
    }

    #[test]
    fn a_log_is_read_back_without_what_is_not_a_commit() {
        let commits = [commit(1, 1), Commit { uncertain: true, patch_id: Some("p".into()), ..commit(2, 0) }];
        let log = format!("{}nonsense\n{{\"id\":1}}\n{}", commits[0].to_line(), commits[1].to_line());
        assert_eq!(parse_log(log.as_bytes()), commits);
    }

    #[test]
    fn the_latest_commits_stay_and_the_oldest_lose_their_files_first() {
        let kept = bounded((0..200).map(|id| commit(id, 300)).chain([commit(150, 1)]).collect());
        assert_eq!(kept.len(), MAX_COMMITS);
        assert_eq!((kept[0].id.as_str(), kept[99].id.as_str()), ("100", "150"));
        assert_eq!((kept[99].files.len(), kept[98].files.len(), kept[0].files.len()), (1, MAX_FILES, 0));
    }

    #[test]
    fn an_amended_commit_is_listed_once() {
        let (first, other) = (commit(1, 0), commit(2, 0));
        let amended = Commit { id: "3".into(), ..first.clone() };
        assert_eq!(latest_versions(&[first, other.clone(), amended.clone()]), [&other, &amended]);
    }
}
