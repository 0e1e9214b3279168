//! `ait team sync`, and the same in the background after a session has ended.

use std::time::Duration;

use argh::{ArgsInfo, FromArgs};

use super::here::{store_here, unsent_records};
use super::status::report_of;
use crate::commands::start_job;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::report::Report;
use crate::team::record::is_id;
use crate::team::store::{self, Store};
use crate::team::sync::{Done, Sync};

/// How long a command of the user waits for a sync in the background.
const LOCK_LIMIT: Duration = Duration::from_secs(90);
/// How far back the records of others are fetched if no command asks for more.
const FETCH_DAYS: i64 = 8;
/// The name of the job.
const JOB: &str = "team-sync";

/// send your records now, and fetch those of the team
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(subcommand, name = "sync", help_triggers("-h", "--help"), example = "  ait team sync")]
pub(super) struct SyncNow {
    /// print one JSON object
    #[argh(switch)]
    pub(super) json: bool,
}

impl SyncNow {
    /// Sends and fetches, whatever the rate limit says.
    ///
    /// # Errors
    /// If the remote cannot be reached or refuses.
    pub(super) fn run(&self, context: &Context) -> Result<Report> {
        let (mut store, _) = store_here(context)?;
        let Done { sent, news } = sync(context, &mut store, Some(FETCH_DAYS))?;
        let batches = if sent == 1 { "batch" } else { "batches" };
        let members = if news == 1 { "member" } else { "members" };
        let line = match sent + news {
            0 => "Nothing new.\n".to_owned(),
            _ => format!("Sent {sent} {batches}; news of {news} {members}.\n"),
        };
        Ok(report_of(context, store, line))
    }
}

/// Sends what is new, and fetches the records of others of the last `days` if that is wanted.
pub(super) fn sync(context: &Context, store: &mut Store, days: Option<i64>) -> Result<Done> {
    let _guard = store.lock(LOCK_LIMIT)?;
    locked_sync(context, store, days)
}

/// [`sync`] for a caller that holds the lock.
pub(super) fn locked_sync(context: &Context, store: &mut Store, days: Option<i64>) -> Result<Done> {
    let records = unsent_records(context, &store.state)?;
    let since = days.map(|days| context.now.as_second().saturating_sub(days.saturating_mul(86_400)));
    Sync::new(store, context.now)?.run(records, since)
}

/// Fetches the records of others if the last fetch is more than five minutes ago or did not reach back far enough. Returns
/// why that failed; the store is used as it is then.
pub(super) fn refresh(context: &Context, store: &mut Store, days: i64) -> Option<Error> {
    const FRESH: i64 = 300;
    let age = context.now.as_second().saturating_sub(store.state.fetched);
    let begin = context.now.as_second().saturating_sub(days.saturating_mul(86_400));
    if (0..FRESH).contains(&age) && store.state.since <= begin {
        return None;
    }
    sync(context, store, Some(days.max(FETCH_DAYS))).err()
}

/// Starts a sync in the background after a session has started or ended, if its repository shares and one is due. Costs one system call if the
/// user shares nothing.
pub fn after_session(context: &Context, repository: Option<&std::path::Path>) {
    let Some(repository) = repository.filter(|_| store::any()) else { return };
    if let Some(store) = store::of_clone(repository).filter(|store| store.is_due(context.now)) {
        let name = store.path().file_name().unwrap_or_default().to_string_lossy().into_owned();
        start_job(context, JOB, &[&name]);
    }
}

/// The job: sends what is new. The lock makes a second one wait; it then finds that nothing is due.
///
/// # Errors
/// If the remote cannot be reached or refuses. The reason is in the state too, for `ait team status`.
pub(in crate::commands) fn job(context: &Context, arguments: &[String]) -> Result<()> {
    let name = arguments.first().filter(|name| is_id(name));
    let path = store::home().zip(name).map(|(home, name)| home.join(name));
    let Some(path) = path else { return Err(Error::new("starting a sync", "", "no such store")) };
    let mut store = Store::open(&path)?;
    let guard = store.lock(LOCK_LIMIT)?;
    if !store.is_due(context.now) || !store.state.is_joined() {
        return Ok(());
    }
    // Written first: a sync that is killed counts as one.
    store.state.tried = context.now.as_second();
    store.save()?;
    // Once more after a failure, then not before the next session ends.
    let done = locked_sync(context, &mut store, None).or_else(|_| locked_sync(context, &mut store, None));
    drop(guard);
    done.map(|_| ())
}
