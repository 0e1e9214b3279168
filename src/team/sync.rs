//! Exchanging records with the remote: sending the own log, fetching those of others.

use std::io;

use jiff::Timestamp;

use super::fetch::Fetch;
use super::network::{Connection, RemoteRefs, TRANSFER_LIMIT};
use super::own::{self, is_ancestor, remote_copy, set_ref, tip};
use super::record::Record;
use super::store::{State, Store};
use super::{DAY, days, forget, log};
use crate::error::{Error, Result};
use crate::git::REMOTE;

/// What a sync did.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// How many batches were sent.
    pub sent: usize,
    /// How many other members had news.
    pub news: usize,
}

/// One connection to the remote of a store.
pub struct Sync<'a> {
    store: &'a mut Store,
    connection: Connection,
    now: Timestamp,
}

impl<'a> Sync<'a> {
    /// Prepares one. The caller holds the lock of the store.
    ///
    /// # Errors
    /// If git is missing, or the repository cannot be created.
    pub fn new(store: &'a mut Store, now: Timestamp) -> Result<Sync<'a>> {
        let connection = Connection { bare: store.repository()?, url: store.state.url.clone() };
        Ok(Sync { store, connection, now })
    }

    /// Sends what is new of `records`, then fetches the logs of others from `since` on if that is wanted. The state of the
    /// store is saved in any case, with the reason for a failure.
    ///
    /// # Errors
    /// If the remote cannot be reached or refuses; nothing is lost then.
    pub fn run(&mut self, records: Vec<Record>, since: Option<i64>) -> Result<Done> {
        self.store.state.tried = self.now.as_second();
        let done = self.exchange(records, since);
        self.store.state.problem = done.as_ref().err().map(ToString::to_string);
        self.store.save()?;
        done
    }

    fn exchange(&mut self, records: Vec<Record>, since: Option<i64>) -> Result<Done> {
        let remote = self.connection.list(&self.store.state.member)?;
        let State { member, .. } = &self.store.state;
        // A new member is not in the list yet.
        let is_new = self.store.state.is_joined() && !remote.tips.contains_key(member);
        self.store.state.members = remote.tips.len() as u64 + u64::from(is_new);
        if since.is_some() {
            self.store.state.notes.clear();
        }
        let mut done = Done::default();
        if self.store.state.is_joined() || self.store.state.replaces.is_some() {
            done.sent = self.send(records, &remote)?;
        }
        if let Some(since) = since {
            let (connection, now) = (&self.connection, self.now);
            done.news = Fetch { store: &mut *self.store, connection, now }.others(&remote, since)?;
            if self.store.state.is_partial || !days::exist(self.store) {
                let rebuilt = days::rebuild(self.store, &self.connection.bare, self.now);
                let batches = rebuilt
                    .map_err(|why| Error::new("sorting the team's records", self.store.path().display(), why))?;
                self.store.state.batches = batches as u64;
                self.store.state.is_partial = false;
            }
        }
        Ok(done)
    }

    /// Brings the own log up to date and pushes it; returns how many batches are new in the remote.
    fn send(&mut self, mut records: Vec<Record>, remote: &RemoteRefs) -> Result<usize> {
        let failed = |why: io::Error| Error::new("writing the own records", "", why);
        let member = self.store.state.member.clone();
        let (own, copy) = (self.store.state.own_ref(), remote_copy(&member));
        let there = remote.tips.get(&member).cloned();
        let lease = self.meet(there.as_deref())?;
        // The remote may know of more that was forgotten.
        let State { forgotten, not_before, .. } = &self.store.state;
        let is_early = |record: &Record| record.to.is_some_and(|to| to.as_second() < *not_before);
        records.retain(|record| !forgotten.contains(&record.session) && !is_early(record));
        let contents = own::read_back(&self.connection.bare, &self.store.state, self.now).map_err(failed)?;
        let batches = own::batches(&self.store.state, &contents, records);
        for batch in batches.iter().filter(|_| self.store.state.is_joined()) {
            own::add(&self.connection.bare, &self.store.state, batch, self.now).map_err(failed)?;
        }
        let lease = if self.retain().map_err(failed)? { there.clone() } else { lease };
        let Some(here) = tip(&self.connection.bare, &own) else { return Ok(0) };
        if there.as_deref() == Some(&here) {
            set_ref(&self.connection.bare, &copy, &here).map_err(failed)?;
            return Ok(0);
        }
        let new = match &there {
            Some(there) if lease.is_none() => format!("{there}..{own}"),
            _ => own.clone(),
        };
        let new = log::ask(&self.connection.bare, &["rev-list", "--count", &new])
            .and_then(|count| count.parse().ok())
            .unwrap_or(0);
        self.push(lease.as_deref())?;
        set_ref(&self.connection.bare, &copy, &here).map_err(failed)?;
        self.store.state.replaces = None;
        self.store.state.sent = self.now.as_second();
        Ok(new)
    }

    /// Once a day, turns what is older than the retention into daily totals. Returns whether the log was rewritten.
    fn retain(&mut self) -> io::Result<bool> {
        let now = self.now.as_second();
        if (0..DAY).contains(&now.saturating_sub(self.store.state.retained)) || !self.store.state.is_joined() {
            return Ok(false);
        }
        self.store.state.retained = now;
        forget::retain(self.store, &self.connection.bare, self.now)
    }

    /// Compares the own log with that in the remote. Returns the tip there if it must be replaced.
    fn meet(&mut self, there: Option<&str>) -> Result<Option<String>> {
        let failed = |why: io::Error| Error::new("reading the own records", "", why);
        let own = self.store.state.own_ref();
        let here = tip(&self.connection.bare, &own);
        let Some(there) = there else { return Ok(None) };
        if self.store.state.replaces.is_some() {
            return Ok(Some(there.to_owned()));
        }
        if here.as_deref().is_some_and(|here| here == there || is_ancestor(&self.connection.bare, there, here)) {
            return Ok(None);
        }
        // The remote has more: this machine was restored from a backup, or its store was deleted.
        let copy = remote_copy(&self.store.state.member);
        let refspec = format!("+{own}:{copy}");
        let arguments = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", REMOTE, &refspec];
        self.connection.network(&arguments, b"", TRANSFER_LIMIT, "reading the own records")?;
        let Some(here) = here else {
            set_ref(&self.connection.bare, &own, there).map_err(failed)?;
            self.take_over_forgotten(&own)?;
            return Ok(None);
        };
        let is_related = log::ask(&self.connection.bare, &["merge-base", &here, there]).is_some();
        let theirs =
            log::contents(&self.connection.bare, std::slice::from_ref(&copy), log::ALL, self.now).map_err(failed)?;
        if !is_related && !self.is_replacement(&copy)? {
            // Someone else has written over it.
            self.store
                .state
                .notes
                .push("your records in the remote were overwritten, and have been restored".to_owned());
            return Ok(Some(there.to_owned()));
        }
        let only_here = match is_related {
            true => log::contents(&self.connection.bare, &[own.clone(), format!("^{there}")], log::ALL, self.now),
            false => Ok(log::Contents::default()),
        };
        let only_here = only_here.map_err(failed)?;
        set_ref(&self.connection.bare, &own, there).map_err(failed)?;
        self.take_over_forgotten(&own)?;
        let lines = only_here.lines.into_iter().filter(|(id, _)| !theirs.lines.contains_key(id));
        let lost: Vec<Record> = lines.filter_map(|(_, line)| Record::parse(line.as_bytes(), self.now)).collect();
        if !lost.is_empty() {
            for batch in own::batches(&self.store.state, &theirs, lost) {
                own::add(&self.connection.bare, &self.store.state, &batch, self.now).map_err(failed)?;
            }
        }
        Ok(None)
    }

    /// Whether a log begins with a header that says it replaces an earlier one of this member.
    fn is_replacement(&self, name: &str) -> Result<bool> {
        let failed = |why: io::Error| Error::new("reading the own records", name, why);
        let commits = log::commits(&self.connection.bare, &[name.to_owned()], log::ALL).map_err(failed)?;
        let mut replaces = false;
        let first = commits.last().map(std::slice::from_ref).unwrap_or_default();
        log::each_batch(&self.connection.bare, first, self.now, |_, batch| {
            let header = batch.map(|batch| batch.header).unwrap_or_default();
            replaces = header.replaced && header.member == self.store.state.member;
        })
        .map_err(failed)?;
        Ok(replaces)
    }

    /// What was forgotten must not come back, also after a backup from before.
    fn take_over_forgotten(&mut self, name: &str) -> Result<()> {
        let failed = |why: io::Error| Error::new("reading the own records", name, why);
        let commits = log::commits(&self.connection.bare, &[name.to_owned()], log::ALL).map_err(failed)?;
        let state = &mut self.store.state;
        let first = commits.last().map(std::slice::from_ref).unwrap_or_default();
        log::each_batch(&self.connection.bare, first, self.now, |_, batch| {
            let header = batch.map(|batch| batch.header).unwrap_or_default();
            if header.member == state.member {
                state.not_before =
                    header.forgotten_before.map_or(state.not_before, |at| at.as_second().max(state.not_before));
                let new: Vec<String> =
                    header.forgotten.into_iter().filter(|id| !state.forgotten.contains(id)).collect();
                state.forgotten.extend(new);
            }
        })
        .map_err(failed)
    }

    /// Pushes the own log. `lease` is the tip in the remote that it replaces.
    fn push(&self, lease: Option<&str>) -> Result<()> {
        let own = self.store.state.own_ref();
        let refspec = format!("{own}:{own}");
        let lease = lease.map(|tip| format!("--force-with-lease={own}:{tip}"));
        let mut arguments = vec!["push", "--porcelain", "--no-verify", "--no-follow-tags"];
        arguments.extend(lease.as_deref());
        arguments.extend([REMOTE, &refspec]);
        let doing = "sending records";
        // Once more after a refusal: another machine may have had its turn just now.
        match self.connection.network(&arguments, b"", TRANSFER_LIMIT, doing) {
            Err(_) => self.connection.network(&arguments, b"", TRANSFER_LIMIT, doing).map(|_| ()),
            Ok(_) => Ok(()),
        }
    }
}
