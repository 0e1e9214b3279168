//! Rewriting the own log: what the user forgets is left out, and what is older than 180 days becomes daily totals.

use std::collections::{BTreeMap, HashSet};
use std::io;

use jiff::Timestamp;
use jiff::civil::Date;

use super::DAY;
use super::log::{self, Commit};
use super::own;
use super::record::{DayOfWork, Header, Record, VERSION};
use super::store::Store;
use crate::error::{Error, Result};
use crate::git::Bare;
use crate::session::time::add_days;

/// Sessions are kept one by one for so many days.
pub const RETENTION_DAYS: i64 = 180;
/// The log is rewritten when it has sessions that are so many days older than that: others fetch it anew each time.
const SLACK_DAYS: i64 = 30;
/// So many totals make a batch that can be read, however long the names of their projects are.
const TOTALS_AT_ONCE: usize = 300;

/// What the user wants to forget.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum What {
    /// One session, by its id.
    Session(String),
    /// All sessions that ended before.
    Before(Timestamp),
    /// All sessions, and the name.
    All,
}

/// Rewrites the log without what is to be forgotten, and remembers it, so that it is not sent again. The caller holds the
/// lock, and sends the log afterwards. Returns how many records were dropped.
///
/// # Errors
/// If git fails, or a session was never shared.
pub fn forget(store: &mut Store, what: &What, now: Timestamp) -> Result<usize> {
    let bare = store.repository()?;
    let failed = |why: io::Error| Error::new("forgetting records", "", why);
    let state = &mut store.state;
    match what {
        What::Session(id) => {
            let id = state.record_id(id);
            if !state.forgotten.contains(&id) {
                state.forgotten.push(id);
            }
        }
        What::Before(before) => state.not_before = state.not_before.max(before.as_second()),
        What::All => {
            state.not_before = now.as_second();
            state.forgotten.clear();
        }
    }
    let before = Timestamp::from_second(store.state.not_before).unwrap_or(Timestamp::UNIX_EPOCH);
    let first_day = before.to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    let forgotten = store.state.forgotten.clone();
    let is_kept = |record: &Record| match what {
        What::All => false,
        What::Session(_) => !forgotten.contains(&record.session),
        What::Before(_) if record.sessions.is_some() => record.days.iter().all(|day| day.day >= first_day),
        What::Before(before) => record.to.is_none_or(|to| to >= *before),
    };
    let name = if *what == What::All { String::new() } else { store.state.name.clone() };
    rewrite(store, &bare, &name, now, &is_kept, None).map_err(failed)
}

/// Turns sessions that are older than [`RETENTION_DAYS`] into daily totals, if there are many of them. Returns whether the
/// log was rewritten. The caller holds the lock.
///
/// # Errors
/// If git fails.
pub fn retain(store: &mut Store, bare: &Bare, now: Timestamp) -> io::Result<bool> {
    let oldest = now.as_second() - (RETENTION_DAYS + SLACK_DAYS) * DAY;
    let commits = log::commits(bare, &[store.state.own_ref()], log::ALL)?;
    // The first commit of a rewritten log contains the totals, and is as old as the newest of them.
    let is_old = |commit: &&Commit| commit.time < oldest;
    let first_is_totals = first_header(bare, &commits, now)?.replaced;
    if commits.iter().filter(is_old).count() <= usize::from(first_is_totals) {
        return Ok(false);
    }
    let today = now.to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    let limit = add_days(today, -RETENTION_DAYS);
    let name = store.state.name.clone();
    rewrite(store, bare, &name, now, &|_| true, Some(limit))?;
    Ok(true)
}

fn first_header(bare: &Bare, commits: &[Commit], now: Timestamp) -> io::Result<Header> {
    let mut header = Header::default();
    let first = commits.last().map(std::slice::from_ref).unwrap_or_default();
    log::each_batch(bare, first, now, |_, batch| header = batch.map(|batch| batch.header).unwrap_or_default())?;
    Ok(header)
}

/// Writes the log anew: the first commit says what was forgotten, those after it have the times of the old ones.
fn rewrite(
    store: &mut Store,
    bare: &Bare,
    name: &str,
    now: Timestamp,
    is_kept: &dyn Fn(&Record) -> bool,
    totals_before: Option<Date>,
) -> io::Result<usize> {
    let state = &store.state;
    if own::tip(bare, &state.own_ref()).is_none() {
        return Ok(0);
    }
    let commits = log::commits(bare, &[state.own_ref()], log::ALL)?;
    let (mut seen, mut dropped, mut totals) = (HashSet::new(), 0, BTreeMap::new());
    // The newest first. Lines only: years of records fit into a few megabytes.
    let mut batches: Vec<(i64, String)> = Vec::new();
    log::each_batch(bare, &commits, now, |commit, batch| {
        let mut lines = Vec::new();
        for record in batch.map(|batch| batch.records).unwrap_or_default().into_iter().rev() {
            // Only the last record of a session is valid.
            if record.sessions.is_none() && !seen.insert(record.session.clone()) {
                continue;
            }
            if !is_kept(&record) {
                dropped += 1;
            } else if record.days.iter().all(|day| totals_before.is_some_and(|limit| day.day < limit)) {
                add_to_totals(&mut totals, &record);
            } else {
                lines.push(record.to_line());
            }
        }
        if !lines.is_empty() {
            lines.reverse();
            batches.push((commit.time, lines.concat()));
        }
    })?;
    if dropped == 0 && totals_before.is_none() && !name.is_empty() {
        return Ok(0);
    }
    let mut header = Header { ait: VERSION, member: state.member.clone(), name: name.to_owned(), ..Header::default() };
    let plain = header.to_line();
    header.replaced = true;
    header.forgotten.clone_from(&state.forgotten);
    header.forgotten_before = Timestamp::from_second(state.not_before).ok().filter(|_| state.not_before > 0);
    let oldest = batches.last().map_or(now.as_second(), |(time, _)| *time);
    let newest_total = totals.keys().next_back().map(|(day, _): &(Date, String)| *day);
    let first_time = newest_total
        .and_then(|day| day.at(0, 0, 0, 0).to_zoned_datetime(jiff::tz::TimeZone::UTC).ok())
        .map_or(oldest, |day| day.timestamp().as_second());
    let mut tip = own::commit(bare, None, &header.to_line(), first_time)?;
    let totals: Vec<String> = totals.into_values().map(|total: Record| total.to_line()).collect();
    for part in totals.chunks(TOTALS_AT_ONCE) {
        tip = own::commit(bare, Some(&tip), &[&*plain, &part.concat()].concat(), first_time)?;
    }
    for (time, lines) in batches.iter().rev() {
        tip = own::commit(bare, Some(&tip), &[&*plain, lines].concat(), *time)?;
    }
    own::set_ref(bare, &state.own_ref(), &tip)?;
    store.state.replaces = Some(tip);
    store.save().map_err(|error| io::Error::other(error.to_string()))?;
    Ok(dropped)
}

fn add_to_totals(totals: &mut BTreeMap<(Date, String), Record>, record: &Record) {
    for day in &record.days {
        let key = (day.day, record.project.clone());
        let total = totals.entry(key).or_insert_with(|| Record {
            project: record.project.clone(),
            days: vec![DayOfWork { day: day.day, worked: 0, waited: 0 }],
            sessions: Some(0),
            ..Record::default()
        });
        total.sessions = Some(total.sessions.unwrap_or(0) + record.sessions.unwrap_or(1));
        for work in &mut total.days {
            work.worked = work.worked.saturating_add(day.worked);
            work.waited = work.waited.saturating_add(day.waited);
        }
    }
}
