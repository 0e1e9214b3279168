//! `ait team forget`: removes records from the own log, here and in the remote.

use std::time::Duration;

use argh::{ArgsInfo, FromArgs};
use jiff::Timestamp;

use super::here::tree_here;
use super::status::report_of;
use super::sync::locked_sync;
use crate::commands::period::{self, day};
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::report::Report;
use crate::session::order::sort_by;
use crate::store::history::Day;
use crate::team::forget::{self, What};
use crate::team::store::{self, State};

/// How long to wait for a sync in the background.
const LOCK_LIMIT: Duration = Duration::from_secs(90);

/// remove records of yours from the remote
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(
    subcommand,
    name = "forget",
    help_triggers("-h", "--help"),
    example = "  ait team forget 0b9c3c1e\n  ait team forget --before 2026-01-01\n  ait team forget --all"
)]
pub(super) struct Forget {
    /// the id of a session, or its beginning
    #[argh(positional)]
    session: Option<String>,
    /// all sessions that ended before this day: YYYY-MM-DD, today or yesterday
    #[argh(option, arg_name = "day")]
    before: Option<String>,
    /// everything, your name too
    #[argh(switch)]
    all: bool,
    /// print one JSON object
    #[argh(switch)]
    pub(super) json: bool,
}

impl Forget {
    /// Rewrites the own log and replaces the one in the remote. Works after `leave` too.
    ///
    /// # Errors
    /// If nothing or several things are chosen, or the remote cannot be reached; the next sync tries again then.
    pub(super) fn run(&self, context: &Context) -> Result<Report> {
        let doing = "forgetting records";
        let tree = tree_here(context, doing)?;
        let mut store = store::of_clone_ever(&tree.common_dir).ok_or_else(|| {
            Error::new(doing, tree.root.display(), "this repository has never shared its sessions").exit(Exit::NotFound)
        })?;
        let _guard = store.lock(LOCK_LIMIT)?;
        let what = match (&self.session, &self.before, self.all) {
            (Some(session), None, false) => What::Session(whole_id(context, &store.state, session)?),
            (None, Some(before), false) => {
                let zone = context.time_zone();
                let begin = day(before, context.now, &zone)?.0.at(0, 0, 0, 0).to_zoned_datetime(zone);
                What::Before(begin.map_or(Timestamp::UNIX_EPOCH, |begin| begin.timestamp()))
            }
            (None, None, true) => What::All,
            _ => {
                let why = "choose one: SESSION, --before or --all";
                return Err(Error::new(doing, "", why).exit(Exit::NotFound));
            }
        };
        // First what this store may not have: it may come from a backup.
        let _ = locked_sync(context, &mut store, None);
        let count = forget::forget(&mut store, &what, context.now)?;
        let records = if count == 1 { "record" } else { "records" };
        let done = locked_sync(context, &mut store, None);
        let name = if what == What::All { " and your name" } else { "" };
        let line = format!("Forgot {count} {records}{name}.\n");
        let report = report_of(context, store, line);
        let report = match count {
            0 if what != What::All => report.exit(Exit::Failed),
            _ => report
                .remark("the host may keep unreachable objects for some time; others drop them at their next fetch"),
        };
        Ok(match done {
            Ok(_) => report,
            Err(error) => report.remark(error.to_string()).exit(Exit::Failed),
        })
    }
}

/// The full id of the session whose id begins with `typed`, among those since the user joined; `typed` if none matches.
fn whole_id(context: &Context, state: &State, typed: &str) -> Result<String> {
    let since = Timestamp::from_second(state.not_before).unwrap_or(Timestamp::UNIX_EPOCH);
    let (sessions, _) = period::sessions(context, Day::of(since, &context.time_zone()))?;
    let mut ids: Vec<&str> = sessions.iter().map(|session| session.manifest.session_id.as_str()).collect();
    ids.retain(|id| id.starts_with(typed));
    sort_by(&mut ids, Ord::cmp);
    ids.dedup();
    match ids.as_slice() {
        [] => Ok(typed.to_owned()),
        [only] => Ok((*only).to_owned()),
        several => Err(Error::new("forgetting records", typed, format!("{} sessions match", several.len()))
            .hint(format!("choose one: {}", several.join(", ")))
            .exit(Exit::NotFound)),
    }
}
