//! The store of the repository in the current folder, and the user's records for it.

use jiff::{SignedDuration, Timestamp};

use crate::commands::period;
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::git::Tree;
use crate::store::history::Day;
use crate::team::record::{Level, Record};
use crate::team::share;
use crate::team::store::{self, State, Store};

/// The tree of the current folder.
pub(super) fn tree_here(context: &Context, doing: &'static str) -> Result<Tree> {
    let folder = context.folder()?;
    Tree::find(&folder)
        .ok_or_else(|| Error::new(doing, folder.display(), "not in a git repository").exit(Exit::NotFound))
}

/// The store that the repository of the current folder shares through.
pub(super) fn store_here(context: &Context) -> Result<(Store, Tree)> {
    let tree = tree_here(context, "finding the team")?;
    match store::of_clone(&tree.common_dir) {
        Some(store) => Ok((store, tree)),
        None => Err(Error::new("finding the team", tree.root.display(), "this repository does not share its sessions")
            .hint("type: ait team join")
            .exit(Exit::NotFound)),
    }
}

/// How many days back sessions are looked for that were not sent yet.
const LOOK_BACK_DAYS: i64 = 14;

/// The records of the user's sessions in the clones of a store that may be new to the remote.
pub(super) fn unsent_records(context: &Context, state: &State) -> Result<Vec<Record>> {
    let day = SignedDuration::from_hours(24);
    let look_back = context.now.checked_sub(SignedDuration::from_hours(24 * LOOK_BACK_DAYS)).unwrap_or(context.now);
    // After a longer time without a remote, from the last day that was sent on.
    let sent = Timestamp::from_second(state.sent).ok().filter(|_| state.sent > 0);
    let sent = sent.and_then(|sent| sent.checked_sub(day).ok()).unwrap_or(look_back);
    let begin = Timestamp::from_second(state.not_before).unwrap_or(Timestamp::UNIX_EPOCH);
    own_records(context, state, state.level(), sent.min(look_back).max(begin))
}

/// The records of the user's sessions since a time.
pub(super) fn own_records(context: &Context, state: &State, level: Level, since: Timestamp) -> Result<Vec<Record>> {
    let zone = context.time_zone();
    let (sessions, _) = period::sessions(context, Day::of(since, &zone))?;
    Ok(sessions.iter().filter_map(|session| share::record_of(session, state, level, &zone)).collect())
}
