//! The job `record-upstream`: asks git how many commits the branch and its upstream differ by.
//!
//! A prompt shows the numbers only while they are true for the commits that it reads from git's files, so they are counted
//! again when a hook finds other commits there: at the start of a session, at the end of a turn, and after a command that may
//! have moved either.

use std::path::Path;
use std::time::Duration;

use super::hook_response::is_shell_tool;
use super::record_commits::has_word;
use super::start_job;
use crate::claude::payload::{HookPayload, shell_command};
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::git::{self, Tree};
use crate::session::event::{Event, Outcome};
use crate::session::id::SessionId;
use crate::session::upstream::Upstream;
use crate::store::active::LOCK_TIMEOUT;
use crate::store::lifecycle;

/// The name of the job.
pub const NAME: &str = "record-upstream";

/// How long git may take to count.
const GIT_LIMIT: Duration = Duration::from_secs(10);
/// A command of the session without one of these words moves neither the branch nor its upstream.
const PROGRAMS: [&str; 3] = ["git", "gh", "jj"];

/// Starts the job after an event in a tree if `known`, the numbers in the manifest, no longer apply. `bytes` is the payload as the
/// hook read it.
pub fn after_event(
    context: &Context,
    id: &SessionId,
    event: &Event,
    (payload, bytes): (&HookPayload, &[u8]),
    tree: Option<&Tree>,
    known: Option<&Upstream>,
) {
    let is_due = match event {
        // A sub-agent may work in a tree of its own.
        _ if payload.agent_id.is_some() => false,
        Event::Start { .. } | Event::TurnEnd { .. } => true,
        Event::ToolEnd if payload.tool.as_deref().is_some_and(is_shell_tool) => {
            shell_command(bytes).is_some_and(|command| has_word(&command, &PROGRAMS))
        }
        _ => false,
    };
    let Some(tree) = tree.filter(|_| is_due) else { return };
    let Some(ends) = tree.branch_ends() else { return };
    // Nothing is shown for equal commits.
    if ends.head != ends.upstream && !known.is_some_and(|known| known.is_of(&ends.head, &ends.upstream)) {
        start_job(context, NAME, &[&tree.root.to_string_lossy(), id.as_str()]);
    }
}

/// Counts the commits and writes the numbers to the manifest.
///
/// # Errors
/// If an argument is missing, git does not answer, or the manifest cannot be written.
pub fn run(context: &Context, arguments: &[String]) -> Result<()> {
    let wrong = || Error::new("counting commits", "", "wrong arguments").exit(Exit::NotFound);
    let [folder, session] = arguments else { return Err(wrong()) };
    let id = SessionId::parse(session).ok_or_else(wrong)?;
    let Some(tree) = Tree::find(Path::new(folder)) else { return Ok(()) };
    let Some(ends) = tree.branch_ends() else { return Ok(()) };
    let (ahead, behind) =
        git::ahead_behind(&tree, &ends, GIT_LIMIT).map_err(|why| Error::new("counting commits", folder, why))?;
    let upstream = Box::new(Upstream { head: ends.head, upstream: ends.upstream, ahead, behind });
    lifecycle::change(context.root()?, &id, LOCK_TIMEOUT, |manifest, is_known| {
        let is_there = manifest.tree.as_deref() == tree.root.to_str();
        if !is_known || !is_there || manifest.ended.is_some() || manifest.git_upstream.as_ref() == Some(&upstream) {
            return Ok((Outcome::Ignore, ()));
        }
        manifest.git_upstream = Some(upstream);
        Ok((Outcome::Keep, ()))
    })
}
