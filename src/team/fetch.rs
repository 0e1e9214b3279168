//! Fetching the logs of other members.

use std::collections::HashMap;
use std::io;

use jiff::Timestamp;

use super::network::{Connection, LIST_LIMIT, RemoteRefs, TRANSFER_LIMIT};
use super::own::{remote_copy, set_ref};
use super::store::Store;
use super::{days, log};
use crate::error::{Error, Result};
use crate::git::REMOTE;
use crate::session::order::sort_by;

/// How often a fetch that failed is tried again with half of the members, before all that are left wait for the next sync.
const MAX_ATTEMPTS: usize = 40;

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
    /// Fetches the logs that have changed, from `since` on. Returns how many.
    pub(super) fn others(&mut self, remote: &RemoteRefs, since: i64) -> Result<usize> {
        let known = self.known_tips()?;
        let state = &mut self.store.state;
        let is_deeper = state.since == 0 || since < state.since;
        state.since = if is_deeper { since } else { state.since };
        let own = state.member.clone();
        let is_rejected = |member: &str, tip: &str| state.rejected.iter().any(|(m, t)| m == member && t == tip);
        let mut changed: Vec<&str> = Vec::new();
        for (member, tip) in remote.tips.iter().filter(|(member, tip)| **member != own && !is_rejected(member, tip)) {
            if is_deeper || known.get(member) != Some(tip) {
                changed.push(member);
            }
        }
        sort_by(&mut changed, Ord::cmp);
        let gone: Vec<&String> =
            known.keys().filter(|member| **member != own && !remote.tips.contains_key(*member)).collect();
        for member in &gone {
            let name = remote_copy(member);
            let removed = log::local(&self.connection.bare, &["update-ref", "-d", &name], b"");
            removed.map_err(|why| Error::new("removing a member who left", &name, why))?;
        }
        let count = changed.len() + gone.len();
        let mut notes = Vec::new();
        let failed = self.fetch_in_parts(&changed)?;
        let forged = self.check_keys(&changed, &known)?;
        let rewritten = self.rewritten(&changed, &known)?;
        if !rewritten.is_empty() || !gone.is_empty() {
            // What others have forgotten disappears here too.
            let _ = log::local(&self.connection.bare, &["gc", "--quiet", "--prune=now"], b"");
        } else if !changed.is_empty() {
            let _ = log::local(
                &self.connection.bare,
                &["-c", "gc.auto=2000", "-c", "gc.autoPackLimit=20", "gc", "--quiet", "--auto"],
                b"",
            );
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
        if remote.newer > 0 {
            let logs = if remote.newer == 1 { "log" } else { "logs" };
            notes.push(format!("{} {logs} of a newer version of ait left out; update ait", remote.newer));
        }
        state.notes.extend(notes);
        state.fetched = self.now.as_second();
        Ok(count)
    }

    /// Compares the keys with which the new tips are signed with those that were seen first, and takes back tips that are
    /// signed with none or another one. A signature of the newest batch covers all before it. Returns those members, each
    /// after what to report.
    fn check_keys(&mut self, changed: &[&str], known: &HashMap<String, String>) -> Result<Vec<(String, String)>> {
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
                        Some(before) => set_ref(&self.connection.bare, &copy, before),
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
    fn rewritten(&self, changed: &[&str], known: &HashMap<String, String>) -> Result<Vec<String>> {
        let known: Vec<(&str, &String)> =
            changed.iter().filter_map(|member| Some((*member, known.get(*member)?))).collect();
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

    fn known_tips(&self) -> Result<HashMap<String, String>> {
        let prefix = remote_copy("");
        let output =
            log::local(&self.connection.bare, &["for-each-ref", "--format=%(objectname) %(refname)", &prefix], b"");
        let output = output.map_err(|why| Error::new("reading the team's store", "", why))?;
        let lines = String::from_utf8_lossy(&output).into_owned();
        let parse = |line: &str| {
            let (id, name) = line.split_once(' ')?;
            Some((name.strip_prefix(&prefix)?.to_owned(), id.to_owned()))
        };
        Ok(lines.lines().filter_map(parse).collect())
    }

    /// Fetches the logs of these members; if that fails, halves of them, so that one bad log does not keep the others
    /// away. Returns the members whose log cannot be fetched.
    fn fetch_in_parts(&self, members: &[&str]) -> Result<Vec<String>> {
        let mut failed = Vec::new();
        let mut parts = vec![members];
        let mut attempts = 0;
        while let Some(part) = parts.pop().filter(|part| !part.is_empty()) {
            attempts += 1;
            let error = match self.fetch(part) {
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

    fn fetch(&self, members: &[&str]) -> Result<()> {
        let refspecs: String =
            members.iter().map(|member| format!("+refs/ait/v1/{member}:{}\n", remote_copy(member))).collect();
        let since = format!("--shallow-since={}", self.store.state.since);
        let arguments = ["fetch", "--no-tags", "--no-write-fetch-head", "--no-auto-gc", "--stdin", &since, REMOTE];
        let doing = "fetching the team's records";
        let fetched = self.connection.network(&arguments, refspecs.as_bytes(), TRANSFER_LIMIT, doing);
        match fetched {
            // None of these members has written anything since then.
            Err(error) if error.to_string().contains("no commits selected") => {
                let arguments =
                    ["fetch", "--no-tags", "--no-write-fetch-head", "--no-auto-gc", "--stdin", "--depth=1", REMOTE];
                self.connection.network(&arguments, refspecs.as_bytes(), TRANSFER_LIMIT, doing)
            }
            fetched => fetched,
        }
        .map(|_| ())
    }
}
