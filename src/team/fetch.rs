//! Fetching the logs of other members.

use std::collections::HashMap;
use std::io;

use jiff::Timestamp;

use super::network::{Connection, LIST_LIMIT, RemoteRefs, TRANSFER_LIMIT, Tip};
use super::own::{remote_copy, set_ref};
use super::store::Store;
use super::{DAY, days, log};
use crate::error::{Error, Result};
use crate::git::REMOTE;
use crate::session::order::sort_by;

/// The option of `git fetch` that fetches only the newest batch of a log.
const NEWEST: &str = "--depth=1";
/// How often a fetch that failed is tried again with half of the members, before all that are left wait for the next sync.
const MAX_ATTEMPTS: usize = 40;

/// A store keeps the records of others for at least this many days, enough for a report of a month.
const KEPT_DAYS: i64 = 35;
/// It is cut when it reaches back this many days more, and no command has wanted older records for as many days.
const SLACK_DAYS: i64 = 7;
/// Only a store with more batches than this is cut: fewer are sorted in less than a second.
const MANY_BATCHES: u64 = 20_000;

/// A fetch into a store.
pub(super) struct Fetch<'a> {
    /// The store.
    pub(super) store: &'a mut Store,
    /// Its connection.
    pub(super) connection: &'a Connection,
    /// The time now.
    pub(super) now: Timestamp,
}

impl Fetch<'_> {
    /// Fetches the logs that have changed, from `since` on. Returns how many. The caller sorts the records again if
    /// [`super::store::State::is_partial`] is set, and clears it then.
    pub(super) fn others(&mut self, remote: &RemoteRefs, since: i64) -> Result<usize> {
        let known = self.connection.known_tips()?;
        let reached = self.store.state.since;
        // After a sync that was interrupted it is not known what is missing.
        let is_all = self.move_window(since) || self.store.state.is_partial;
        let is_cut = reached != 0 && self.store.state.since > reached;
        let state = &mut self.store.state;
        let own = state.member.clone();
        let is_rejected = |member: &str, tip: &str| state.rejected.iter().any(|(m, t)| m == member && t == tip);
        let mut changed: Vec<&str> = Vec::new();
        let mut count = 0;
        for (member, tip) in remote.tips.iter().filter(|(member, tip)| **member != own && !is_rejected(member, tip)) {
            let has_news = known.get(member).is_none_or(|known| known.id != *tip);
            count += usize::from(has_news);
            if is_all || has_news {
                changed.push(member);
            }
        }
        sort_by(&mut changed, Ord::cmp);
        let gone: Vec<&String> =
            known.keys().filter(|member| **member != own && !remote.tips.contains_key(*member)).collect();
        if !changed.is_empty() || !gone.is_empty() {
            state.is_partial = true;
            self.store.save()?;
        }
        for member in &gone {
            let name = remote_copy(member);
            let removed = log::local(&self.connection.bare, &["update-ref", "-d", &name], b"");
            removed.map_err(|why| Error::new("removing a member who left", &name, why))?;
        }
        let count = count + gone.len();
        let mut notes = Vec::new();
        let failed = self.fetch_window(&changed, &known, remote)?;
        let failed = self.without_commit(&mut changed, failed)?;
        let forged = self.check_keys(&changed, &known)?;
        let rewritten = self.rewritten(&changed, &known)?;
        if is_cut || !rewritten.is_empty() || !gone.is_empty() {
            self.collect_garbage(&["gc", "--quiet", "--prune=now"]);
        } else if !changed.is_empty() {
            // A first fetch, or one that reaches further back, leaves nothing to delete.
            self.collect_garbage(&["-c", "gc.auto=2000", "-c", "gc.autoPackLimit=20", "gc", "--quiet", "--auto"]);
        }
        notes.extend(rewritten.iter().map(|name| format!("the records of {name} were rewritten since the last fetch")));
        let state = &mut self.store.state;
        state.rejected.retain(|(member, tip)| remote.tips.get(member) == Some(tip));
        let why = |member: &str| format!("the records of member {member} cannot be fetched and are left out");
        let failed = failed.into_iter().map(|member| (why(&member), member));
        for (note, member) in failed.chain(forged) {
            notes.push(note);
            let tip = remote.tips.get(&member).cloned().unwrap_or_default();
            state.rejected.push((member, tip));
        }
        notes.extend(remote.left_out());
        state.notes.extend(notes);
        state.fetched = self.now.as_second();
        Ok(count)
    }

    /// Deletes what others have forgotten, and what is older than the window. A failure is ignored: the next sync tries again.
    fn collect_garbage(&self, arguments: &[&str]) {
        let _ = log::local(&self.connection.bare, arguments, b"");
    }

    /// Compares the keys with which the new tips are signed with those that were seen first, and takes back tips that are
    /// signed with none or another one. A signature of the newest batch covers all before it. Returns those members, each
    /// after what to report.
    fn check_keys(&mut self, changed: &[&str], known: &HashMap<String, Tip>) -> Result<Vec<(String, String)>> {
        let failed = |why: io::Error| Error::new("checking signatures", "", why);
        if changed.is_empty() {
            return Ok(Vec::new());
        }
        let refs: String = changed.iter().map(|member| remote_copy(member) + "\n").collect();
        let arguments = ["log", "--no-walk=unsorted", "--stdin", "--format=%S %G? %GF"];
        let output = log::local(&self.connection.bare, &arguments, refs.as_bytes()).map_err(failed)?;
        let mut forged = Vec::new();
        for line in String::from_utf8_lossy(&output).lines() {
            let mut words = line.split(' ');
            let (Some(name), Some(grade)) = (words.next(), words.next()) else { continue };
            let member = name.rsplit('/').next().unwrap_or_default();
            let key = words.next().filter(|key| matches!(grade, "G" | "U") && !key.is_empty());
            let pinned = self.store.state.keys.iter().find(|(known, _)| known == member).map(|(_, key)| key.as_str());
            match (pinned, key) {
                (None, Some(key)) => self.store.state.keys.push((member.to_owned(), key.to_owned())),
                (Some(pinned), key) if key != Some(pinned) => {
                    let copy = remote_copy(member);
                    let undone = match known.get(member) {
                        Some(before) => set_ref(&self.connection.bare, &copy, &before.id),
                        None => log::local(&self.connection.bare, &["update-ref", "-d", &copy], b"").map(|_| ()),
                    };
                    undone.map_err(failed)?;
                    let why = "are not signed with the key seen first, and are left out";
                    forged.push((format!("new records of member {member} {why}"), member.to_owned()));
                }
                _ => {}
            }
        }
        Ok(forged)
    }

    /// The names of the members whose known tip is not part of their log any more.
    fn rewritten(&self, changed: &[&str], known: &HashMap<String, Tip>) -> Result<Vec<String>> {
        let known: Vec<(&str, &String)> =
            changed.iter().filter_map(|member| Some((*member, &known.get(*member)?.id))).collect();
        if known.is_empty() {
            return Ok(Vec::new());
        }
        let old = known.iter().map(|(_, tip)| (*tip).clone());
        let new = known.iter().map(|(member, _)| format!("^{}", remote_copy(member)));
        let lost = log::commits(&self.connection.bare, &old.chain(new).collect::<Vec<_>>(), log::ALL);
        let lost = lost.map_err(|why| Error::new("reading the team's store", "", why))?;
        let mut names = Vec::new();
        let members = days::members(self.store);
        for (member, tip) in known {
            // Before the first day of this store a log is cut off anyway.
            if lost.iter().any(|commit| commit.id == *tip && commit.time >= self.store.state.since) {
                let name = members.iter().find(|known| known.id == member).map(|known| known.name.clone());
                names.push(name.unwrap_or_else(|| member.to_owned()));
            }
        }
        Ok(names)
    }

    /// Decides from when on the store has records, for a command that wants them from `since` on. Returns whether that
    /// has changed.
    fn move_window(&mut self, since: i64) -> bool {
        let now = self.now.as_second();
        let kept = now - KEPT_DAYS * DAY;
        let state = &mut self.store.state;
        if since < kept {
            state.older_wanted = now;
        }
        let is_large = state.batches > MANY_BATCHES && state.since < kept - SLACK_DAYS * DAY;
        let is_too_large = is_large && now - state.older_wanted > SLACK_DAYS * DAY;
        let wanted = match state.since {
            0 => since,
            _ if is_too_large => kept,
            before => before.min(since),
        };
        std::mem::replace(&mut state.since, wanted) != wanted
    }

    /// Fetches the logs of these members from the beginning of the window on. A log without any batch in the window is
    /// fetched with its newest batch alone: `--shallow-since` would take all of it, see get_shallow_commits_by_rev_list()
    /// in git's shallow.c. Returns the members whose log cannot be fetched.
    fn fetch_window(&self, members: &[&str], known: &HashMap<String, Tip>, remote: &RemoteRefs) -> Result<Vec<String>> {
        let since = self.store.state.since;
        let fetch =
            |members: &[&str], extent: &str| self.fetch_in_parts(members, &Wanted { remote, extent, keep: true });
        // The newest batches alone tell how old they are. Writing a thousand refs takes git half a second, so it writes none.
        let unknown: Vec<&str> = members.iter().copied().filter(|member| !known.contains_key(*member)).collect();
        let doubtful = self.fetch_in_parts(&unknown, &Wanted { remote, extent: NEWEST, keep: false })?;
        let times = self.times(&unknown, remote)?;
        let is_doubtful = |member: &str| doubtful.iter().any(|name| name == member);
        // Logs with news apart from those without: if one has news, git does not move where the others are cut off.
        let (mut quiet, mut unchanged, mut news, mut failed) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
        for member in members.iter().copied().filter(|member| !is_doubtful(member)) {
            let tip = remote.tips.get(member);
            match (known.get(member), tip.and_then(|tip| times.get(tip))) {
                (Some(known), _) if Some(&known.id) != tip => news.push(member),
                (Some(known), _) if known.time >= since => unchanged.push(member),
                (None, Some(time)) if *time >= since => news.push(member),
                (Some(_), _) | (None, Some(_)) => quiet.push(member),
                // It is no commit.
                (None, None) => failed.push(member.to_owned()),
            }
        }
        let extent = format!("--shallow-since={since}");
        failed.extend(fetch(&quiet, NEWEST)?);
        failed.extend(fetch(&unchanged, &extent)?);
        failed.extend(fetch(&news, &extent)?);
        failed.extend(fetch(&doubtful.iter().map(String::as_str).collect::<Vec<_>>(), &extent)?);
        Ok(failed)
    }

    /// The times of the commits that are the tips of these members, in seconds since 1970, by their ids. Tips that
    /// are missing in the store or are not commits are left out.
    fn times(&self, members: &[&str], remote: &RemoteRefs) -> Result<HashMap<String, i64>> {
        if members.is_empty() {
            return Ok(HashMap::new());
        }
        let tips: String = members.iter().filter_map(|member| Some(remote.tips.get(*member)?.clone() + "\n")).collect();
        let arguments = ["log", "--no-walk=unsorted", "--ignore-missing", "--stdin", "--format=%H %ct"];
        let output = log::local(&self.connection.bare, &arguments, tips.as_bytes());
        let output = output.map_err(|why| Error::new("reading the team's store", "", why))?;
        let parse = |line: &str| line.split_once(' ').map(|(id, time)| (id.to_owned(), time.parse().unwrap_or(0)));
        Ok(String::from_utf8_lossy(&output).lines().filter_map(parse).collect())
    }

    /// Takes the members out of `changed` that have no commit here: their log could not be fetched, or their ref is something
    /// else. Returns those, with `failed`.
    fn without_commit(&self, changed: &mut Vec<&str>, mut failed: Vec<String>) -> Result<Vec<String>> {
        let tips = if changed.is_empty() { HashMap::new() } else { self.connection.known_tips()? };
        for member in changed.extract_if(.., |member| !tips.contains_key(*member)) {
            // A tag or a blob; there may be nothing to delete.
            let _ = log::local(&self.connection.bare, &["update-ref", "-d", &remote_copy(member)], b"");
            if !failed.iter().any(|name| name == member) {
                failed.push(member.to_owned());
            }
        }
        changed.retain(|member| !failed.iter().any(|name| name == member));
        Ok(failed)
    }

    /// Fetches the logs of these members; if that fails, halves of them, so that one bad log does not keep the others
    /// away. Returns the members whose log cannot be fetched.
    fn fetch_in_parts(&self, members: &[&str], wanted: &Wanted<'_>) -> Result<Vec<String>> {
        let mut failed = Vec::new();
        let mut parts = vec![members];
        let mut attempts = 0;
        while let Some(part) = parts.pop().filter(|part| !part.is_empty()) {
            attempts += 1;
            let error = match self.fetch(part, wanted) {
                Ok(()) => continue,
                Err(error) => error,
            };
            // Nothing works: it is not the fault of a member.
            if attempts > MAX_ATTEMPTS || (part.len() == members.len() && self.is_unreachable()) {
                return Err(error);
            }
            match part.len() {
                1 => failed.extend(part.iter().map(|member| (*member).to_owned())),
                length => {
                    let (first, second) = part.split_at(length / 2);
                    parts.extend([first, second]);
                }
            }
        }
        Ok(failed)
    }

    fn is_unreachable(&self) -> bool {
        let arguments = ["ls-remote", "--refs", REMOTE, "refs/ait/none"];
        self.connection.network(&arguments, b"", LIST_LIMIT, "reading the team's records").is_err()
    }

    fn fetch(&self, members: &[&str], wanted: &Wanted<'_>) -> Result<()> {
        // git finds a thousand ids faster than a thousand names, by half a second. But a log may have moved since it was
        // listed, and a server of an old git refuses the id then: one log is fetched by its name.
        let tip = |member: &str| wanted.remote.tips.get(member).filter(|_| members.len() > 1).cloned();
        let source = |member: &str| tip(member).unwrap_or_else(|| format!("refs/ait/v1/{member}"));
        let copy = |member: &str| if wanted.keep { ":".to_owned() + &remote_copy(member) } else { String::new() };
        let refspecs: String =
            members.iter().map(|member| ["+", &source(member), &copy(member), "\n"].concat()).collect();
        let extent = wanted.extent;
        let arguments = ["fetch", "--no-tags", "--no-write-fetch-head", "--no-auto-gc", "--stdin", extent, REMOTE];
        let doing = "fetching the team's records";
        match self.connection.network(&arguments, refspecs.as_bytes(), TRANSFER_LIMIT, doing) {
            // None of these members has written anything since then: their clocks are wrong.
            Err(error) if extent != NEWEST && error.to_string().contains("no commits selected") => {
                self.fetch(members, &Wanted { extent: NEWEST, ..*wanted })
            }
            fetched => fetched.map(|_| ()),
        }
    }
}

/// How logs are fetched.
struct Wanted<'a> {
    /// The refs of the remote, as they were listed.
    remote: &'a RemoteRefs,
    /// The option that says how much of each log: [`NEWEST`] or `--shallow-since`.
    extent: &'a str,
    /// Whether refs keep what was fetched. Without them git deletes it at its next garbage collection.
    keep: bool,
}
