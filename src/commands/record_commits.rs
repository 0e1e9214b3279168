//! The job `record-commits`: records the commits that a session made, after HEAD moved while one of its commands ran.
//!
//! A commit is the session's own if the reflog says that it was made between the two places of HEAD: by a commit, an amend,
//! a revert or a merge. Rebasing and picking also copies commits of others, so there only the session's own patches count;
//! a pull, a fetch and a checkout make none.

use std::io;
use std::path::Path;
use std::time::Duration;

use super::start_job;
use crate::claude::payload::shell_command;
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::git::{self, CommitInfo, RefMove, Tree};
use crate::session::commit::{Commit, MAX_COMMITS};
use crate::session::event::{Event, EventContext};
use crate::session::id::SessionId;
use crate::store::active::LOCK_TIMEOUT;
use crate::store::commit_log;

/// The name of the job.
pub const NAME: &str = "record-commits";

/// How many moves of HEAD are looked at. A rebase makes one for each commit.
const MAX_MOVES: usize = 300;
/// The time limit of each call of git.
const GIT_LIMIT: Duration = Duration::from_secs(20);

/// Starts the job after an event before which HEAD moved from the commit `from` (empty: from none), if a command of the
/// session may have moved it. `is_own`: no other session has said that it did. `payload` is what the hook read.
pub fn after_event(
    context: &Context,
    id: &SessionId,
    event: &Event,
    event_context: &EventContext,
    from: &str,
    is_own: bool,
    payload: &[u8],
) {
    let (Some(tree), Some(to)) = (&event_context.tree, &event_context.head) else { return };
    if from == to {
        return;
    }
    let is_certain = match event {
        // Commands of two sessions ran at the same time, and both may have committed.
        Event::ToolEnd if !is_own => match shell_command(payload) {
            Some(command) if has_word(&command, &COMMITTING) => true,
            _ => return,
        },
        _ if !is_own => return,
        // Somebody may have committed while a command of another kind ran.
        Event::ToolEnd => shell_command(payload).is_none_or(|command| has_word(&command, &PROGRAMS)),
        Event::ToolStart(_) | Event::TurnEnd { .. } | Event::TurnFailed(_) => true,
        // After Esc the user may have committed.
        _ => false,
    };
    let certainty = if is_certain { CERTAIN } else { "uncertain" };
    let branch = event_context.branch.as_deref().unwrap_or_default();
    start_job(context, NAME, &[tree, id.as_str(), from, to, branch, certainty]);
}

/// The last argument of the job if the session's command made the commits.
const CERTAIN: &str = "certain";

/// One of these words is in most commands that commit.
const PROGRAMS: [&str; 4] = ["git", "jj", "gh", "commit"];
/// Commands of git that make commits.
const COMMITTING: [&str; 7] = ["commit", "merge", "rebase", "pull", "pick", "am", "revert"];

/// Whether a shell command contains one of these words.
pub(super) fn has_word(command: &str, known: &[&str]) -> bool {
    command.split(|c: char| !c.is_alphanumeric()).any(|word| known.contains(&word))
}

/// Records the commits.
///
/// # Errors
/// If an argument is missing, git does not answer, or the commits cannot be written.
pub fn run(context: &Context, arguments: &[String]) -> Result<()> {
    let wrong = || Error::new("recording commits", "", "wrong arguments").exit(Exit::NotFound);
    let [folder, session, from, to, branch, certainty] = arguments else { return Err(wrong()) };
    let id = SessionId::parse(session).ok_or_else(wrong)?;
    let tree = Tree::find(Path::new(folder)).ok_or_else(|| Error::new("recording commits", folder, "not a tree"))?;
    let root = context.root()?;
    let known = commit_log::read_anywhere(root, &id);
    let found = new_commits(&tree, &known, from, to).map_err(|why| Error::new("recording commits", folder, why))?;
    let is_new = |commit: &Commit| known.iter().all(|known| known.id != commit.id);
    let mut commits: Vec<Commit> = found.into_iter().filter(is_new).collect();
    for commit in &mut commits {
        commit.at = context.now;
        commit.branch = Some(branch.clone()).filter(|branch| !branch.is_empty());
        commit.uncertain = certainty != CERTAIN;
    }
    if commits.is_empty() { Ok(()) } else { commit_log::add(root, &id, commits, LOCK_TIMEOUT) }
}

/// How a commit came to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Action {
    /// It was committed, or reverts another one.
    Made,
    /// It replaces the commit that HEAD was at.
    Amended,
    /// It copies a commit: rebase, cherry-pick, am.
    Copied,
    /// It merges.
    Merged,
}

/// What a message of the reflog says; `None` if it made no commit.
fn action_of(message: &str) -> Option<Action> {
    let (action, rest) = message.split_once(": ").unwrap_or((message, ""));
    match action {
        "commit" | "commit (initial)" | "revert" => Some(Action::Made),
        "commit (amend)" => Some(Action::Amended),
        "commit (merge)" => Some(Action::Merged),
        "cherry-pick" | "commit (cherry-pick)" | "am" => Some(Action::Copied),
        _ if rest.starts_with("Merge made by") => Some(Action::Merged),
        _ => {
            // `rebase (pick)`, `rebase -i (fixup)`, `pull --rebase origin main (pick)`
            let step = action.strip_suffix(')').and_then(|action| action.rsplit_once('('))?.1;
            let copies = ["pick", "reword", "edit", "squash", "fixup", "continue", "merge"].contains(&step);
            copies.then_some(Action::Copied)
        }
    }
}

/// The moves from one place of HEAD to another, the newest first: the shortest way, so that what others did before does not
/// count. Only the last one if the reflog does not know where it began.
fn moves_between<'a>(moves: &'a [RefMove], from: &str, to: &str) -> &'a [RefMove] {
    let Some(begin) = moves.iter().position(|step| step.to == to) else { return &[] };
    let moves = moves.get(begin..).unwrap_or_default();
    let end = match from {
        "" => Some(moves.len()),
        from => moves.iter().skip(1).position(|step| step.to == from).map(|position| position + 1),
    };
    moves.get(..end.unwrap_or(1)).unwrap_or_default()
}

fn new_commits(tree: &Tree, known: &[Commit], from: &str, to: &str) -> io::Result<Vec<Commit>> {
    let moves = git::moves_of_head(tree, MAX_MOVES, GIT_LIMIT)?;
    let between = moves_between(&moves, from, to);
    // The oldest first, each with the commit before it.
    let mut steps: Vec<(&str, Action, &str)> = Vec::new();
    for (position, step) in between.iter().enumerate().rev() {
        if let Some(action) = action_of(&step.message) {
            let before = between.get(position + 1).map_or(from, |before| &before.to);
            steps.push((&step.to, action, before));
        }
    }
    steps.drain(..steps.len().saturating_sub(MAX_COMMITS));
    let ids: Vec<String> = steps.iter().map(|(id, ..)| (*id).to_owned()).collect();
    if ids.is_empty() {
        return Ok(Vec::new());
    }
    let infos = git::commits(tree, &ids, GIT_LIMIT)?;
    let patches = git::patch_ids(tree, &ids, GIT_LIMIT)?;
    let mut own: Vec<Commit> = known.to_vec();
    for (id, action, before) in steps {
        let Some(info) = infos.iter().find(|info| info.id == id) else { continue };
        let mut commit = commit_of(info);
        commit.patch_id = patches.get(id).cloned();
        let is_own = match action {
            Action::Made => true,
            Action::Amended => own.iter().any(|own| own.id == before),
            Action::Copied if own.iter().any(|own| commit.is_version_of(own)) => true,
            Action::Copied => continue,
            Action::Merged => false,
        };
        if !is_own {
            // The commit is the session's, the patch is not.
            commit.patch_id = None;
            commit.files.clear();
        }
        own.push(commit);
    }
    own.drain(..known.len());
    Ok(own)
}

/// The record of a commit; what git does not tell is filled in later.
pub(super) fn commit_of(info: &CommitInfo) -> Commit {
    let files = info.files.iter().map(|file| (file.path.clone(), file.after.clone(), file.before.clone()));
    Commit {
        at: info.committed,
        id: info.id.clone(),
        patch_id: None,
        authored: info.authored,
        subject: info.subject.clone(),
        branch: None,
        uncertain: false,
        files: files.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_message_of_the_reflog_tells_how_a_commit_came_to_be() {
        for (message, wanted) in [
            ("commit: fix: the parser", Some(Action::Made)),
            ("commit (initial): start", Some(Action::Made)),
            ("revert: Revert \"x\"", Some(Action::Made)),
            ("commit (amend): fix", Some(Action::Amended)),
            ("commit (merge): Merge branch 't'", Some(Action::Merged)),
            ("merge t: Merge made by the 'ort' strategy.", Some(Action::Merged)),
            ("pull: Merge made by the 'ort' strategy.", Some(Action::Merged)),
            ("cherry-pick: fix", Some(Action::Copied)),
            ("rebase (pick): fix", Some(Action::Copied)),
            ("rebase (continue): fix", Some(Action::Copied)),
            ("rebase -i (fixup): fix", Some(Action::Copied)),
            ("pull --rebase origin main (pick): fix", Some(Action::Copied)),
            ("rebase (start): checkout main", None),
            ("rebase (finish): returning to refs/heads/t", None),
            ("pull: Fast-forward", None),
            ("merge t: Fast-forward", None),
            ("reset: moving to HEAD~1", None),
            ("checkout: moving from main to commit (amend)", None),
            ("", None),
        ] {
            assert_eq!(action_of(message), wanted, "{message}");
        }
    }

    #[test]
    fn the_way_between_two_places_of_head_is_the_shortest_one() {
        let step = |to: &str| RefMove { to: to.to_owned(), message: String::new() };
        let moves = ["d", "c", "a", "b", "a"].map(step);
        let between =
            |from, to| moves_between(&moves, from, to).iter().map(|step| step.to.as_str()).collect::<String>();
        assert_eq!(between("a", "d"), "dc");
        assert_eq!(between("a", "c"), "c");
        assert_eq!(between("", "d"), "dcaba");
        assert_eq!(between("x", "d"), "d");
        assert_eq!(between("a", "x"), "");
    }
}
