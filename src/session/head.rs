//! Moves of HEAD under a session that another session, or the user elsewhere, made.

use super::event::{Event, EventContext, is_subagent_elsewhere};
use super::manifest::{HeadMoved, Manifest};
use super::state::{INPUT, State};

/// How HEAD changed between two events of a session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// It did not move; or it is not known; or the session went into another tree.
    None,
    /// It moved while a shell of this session ran.
    Own,
    /// It moved, and not through this session.
    Foreign,
}

/// Compares HEAD with the manifest, before the event is applied to the manifest. `shell_ran`: a shell of this session ran
/// between the last event and this one.
pub fn change(manifest: &Manifest, event_context: &EventContext, shell_ran: bool) -> Change {
    // Not comparable: HEAD is not in the manifest or cannot be read now, or the session went into another tree.
    let is_comparable =
        event_context.tree.is_some() && manifest.tree == event_context.tree && event_context.head.is_some();
    let is_same = manifest.head == event_context.head && manifest.git_branch == event_context.branch;
    if !is_comparable || is_same || (manifest.head.is_none() && manifest.git_branch.is_none()) {
        Change::None
    } else if shell_ran && manifest.head_moved.is_none() {
        Change::Own
    } else {
        Change::Foreign
    }
}

/// Whether the event is the end of a command that the user ran with `!`. Claude Code sends no other event of it: a turn
/// ends that never began.
pub fn is_users_command(manifest: &Manifest, event: &Event) -> bool {
    let waits_for_prompt = manifest.state == State::Waiting && manifest.waiting_for.as_deref() == Some(INPUT);
    matches!(event, Event::TurnEnd { .. }) && (manifest.state == State::Idle || waits_for_prompt)
}

/// Records in a manifest that HEAD of its tree moved, before the event is applied to it. An earlier move that Claude has not
/// been told yet is extended to the new place, and dropped if HEAD is back. `by` describes the move.
pub fn record_move(manifest: &mut Manifest, event_context: &EventContext, by: impl FnOnce() -> Option<HeadMoved>) {
    if is_subagent_elsewhere(manifest, event_context) {
        return;
    }
    if manifest.tree != event_context.tree {
        manifest.head_moved = None;
        return;
    }
    let Some(mut moved) = manifest.head_moved.take().or_else(|| by().map(Box::new)) else { return };
    moved.to_branch.clone_from(&event_context.branch);
    moved.to.clone_from(&event_context.head);
    let is_back = moved.from == moved.to && moved.from_branch == moved.to_branch;
    manifest.head_moved = (!is_back).then_some(moved);
}

/// The message for Claude. `ago` is the time since the move, such as `2m ago`.
pub fn message(moved: &HeadMoved, ago: &str) -> String {
    let place = |branch: &Option<String>, commit: &Option<String>| {
        let commit = commit.as_deref().map_or("no commit", |commit| commit.get(..7).unwrap_or(commit));
        match branch {
            Some(branch) => format!("{branch} ({commit})"),
            None => format!("detached ({commit})"),
        }
    };
    let from = place(&moved.from_branch, &moved.from);
    let to = place(&moved.to_branch, &moved.to);
    let by = match (&moved.session_id, &moved.task) {
        (Some(id), Some(task)) => format!("by session {} (task: {task})", short(id)),
        (Some(id), None) => format!("by session {}", short(id)),
        (None, _) => "by an unknown process".to_owned(),
    };
    let how = moved.how.as_ref().map(|how| format!(" ({how})")).unwrap_or_default();
    format!(
        "HEAD of this working tree moved{how} from {from} to {to} {ago}, {by}; files may differ from what you read."
    )
}

/// The text in a prompt: `main -> topic`, or the commits if the branch is the same.
pub fn short_text(moved: &HeadMoved) -> String {
    let commit = |commit: &Option<String>| {
        commit.as_deref().map_or("none", |commit| commit.get(..7).unwrap_or(commit)).to_owned()
    };
    if moved.from_branch == moved.to_branch {
        return format!("{} -> {}", commit(&moved.from), commit(&moved.to));
    }
    let place = |branch: &Option<String>, at: &Option<String>| branch.clone().unwrap_or_else(|| commit(at));
    format!("{} -> {}", place(&moved.from_branch, &moved.from), place(&moved.to_branch, &moved.to))
}

fn short(id: &str) -> &str {
    id.get(..8).unwrap_or(id)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::event::tests::at;

    fn manifest() -> Manifest {
        Manifest::parse(br#"{"tree":"/p","git_branch":"main","head":"aaaaaaaaaa"}"#).unwrap()
    }

    fn event_context(branch: &str, head: &str) -> EventContext {
        EventContext { tree: Some("/p".into()), branch: Some(branch.into()), head: Some(head.into()), ..at(9) }
    }

    fn moved() -> HeadMoved {
        HeadMoved {
            from_branch: Some("main".into()),
            from: Some("aaaaaaaaaa".into()),
            to_branch: None,
            to: None,
            session_id: Some("12345678-9".into()),
            task: Some("other work".into()),
            how: Some("checkout".into()),
            at: at(3).now,
        }
    }

    #[test]
    fn a_move_of_head_is_own_or_foreign() {
        assert_eq!(change(&manifest(), &event_context("main", "aaaaaaaaaa"), false), Change::None);
        assert_eq!(change(&manifest(), &event_context("topic", "aaaaaaaaaa"), true), Change::Own);
        assert_eq!(change(&manifest(), &event_context("main", "bbbbbbbbbb"), false), Change::Foreign);
        let mut observed = manifest();
        observed.head_moved = Some(Box::new(moved()));
        assert_eq!(change(&observed, &event_context("main", "bbbbbbbbbb"), true), Change::Foreign);
        let mut elsewhere = manifest();
        elsewhere.tree = Some("/q".into());
        assert_eq!(change(&elsewhere, &event_context("main", "bbbbbbbbbb"), false), Change::None);
        assert_eq!(
            change(&manifest(), &EventContext { head: None, ..event_context("main", "x") }, false),
            Change::None
        );
    }

    #[test]
    fn a_note_follows_head_and_ends_where_it_began() {
        let mut manifest = manifest();
        record_move(&mut manifest, &event_context("topic", "bbbbbbbbbb"), || Some(moved()));
        record_move(&mut manifest, &event_context("third", "cccccccccc"), || panic!("there is a note"));
        let words = message(manifest.head_moved.as_deref().unwrap(), "2m ago");
        assert_eq!(
            words,
            "HEAD of this working tree moved (checkout) from main (aaaaaaa) to third (ccccccc) 2m ago, by session \
             12345678 (task: other work); files may differ from what you read."
        );
        assert_eq!(short_text(manifest.head_moved.as_deref().unwrap()), "main -> third");
        record_move(&mut manifest, &event_context("main", "dddddddddd"), || None);
        assert_eq!(short_text(manifest.head_moved.as_deref().unwrap()), "aaaaaaa -> ddddddd");
        record_move(&mut manifest, &event_context("main", "aaaaaaaaaa"), || None);
        assert_eq!(manifest.head_moved, None);
    }
}
