//! Exchanging records with the remote: sending the own log, fetching those of others.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use jiff::Timestamp;

use super::own::{self, is_ancestor, remote_copy, set_ref, tip};
use super::record::{Record, is_id};
use super::store::Store;
use super::{days, log};
use crate::error::{Cause, Error, Result, on_one_line};
use crate::git::{Bare, Call, REMOTE, complaint};
use crate::sys::process::Output;
use crate::team::mask::mask;

/// How long listing the refs of the remote may take.
const LIST_LIMIT: Duration = Duration::from_secs(20);
/// How long sending may take, and one attempt to fetch.
const TRANSFER_LIMIT: Duration = Duration::from_secs(60);
/// How many members are read; a remote with more refs than that is not a team.
const MAX_MEMBERS: usize = 20_000;
/// How many bytes the list of refs may have.
const MAX_LIST: usize = 8 << 20;
/// How often a fetch that failed is tried again with half of the members, before all that are left wait for the next sync.
const MAX_ATTEMPTS: usize = 40;

/// The logs in the remote.
#[derive(Debug, Default)]
struct RemoteRefs {
    /// The tips, by member.
    tips: HashMap<String, String>,
    /// How many refs belong to a newer version of the format.
    newer: usize,
}

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
    bare: Bare,
    now: Timestamp,
}

impl<'a> Sync<'a> {
    /// Prepares one. The caller holds the lock of the store.
    ///
    /// # Errors
    /// If git is missing, or the repository cannot be created.
    pub fn new(store: &'a mut Store, now: Timestamp) -> Result<Sync<'a>> {
        let bare = store.repository()?;
        Ok(Sync { store, bare, now })
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
        let remote = self.list()?;
        let mut done = Done::default();
        if self.store.state.is_joined() || self.store.state.replaces.is_some() {
            done.sent = self.send(records, &remote)?;
        }
        if let Some(since) = since {
            self.store.state.notes.clear();
            done.news = self.fetch_others(&remote, since)?;
            if done.news > 0 || !days::exist(self.store) {
                let rebuilt = days::rebuild(self.store, &self.bare, self.now);
                rebuilt.map_err(|why| Error::new("sorting the team's records", self.store.path().display(), why))?;
            }
        }
        Ok(done)
    }

    /// The tips of all logs in the remote.
    fn list(&mut self) -> Result<RemoteRefs> {
        let arguments = ["ls-remote", "--refs", REMOTE, "refs/ait/*"];
        let output = self.network(&arguments, b"", LIST_LIMIT, "reading the team's records")?;
        let mut remote = RemoteRefs::default();
        for line in String::from_utf8_lossy(&output.stdout).lines() {
            let Some((id, name)) = line.split_once("\trefs/ait/") else { continue };
            match name.split_once('/') {
                Some(("v1", member)) if is_id(member) && remote.tips.len() < MAX_MEMBERS => {
                    remote.tips.insert(member.to_owned(), id.to_owned());
                }
                Some((version, _)) if version != "v1" && version.starts_with('v') => remote.newer += 1,
                _ => {}
            }
        }
        self.store.state.members = remote.tips.len() as u64;
        Ok(remote)
    }

    /// Brings the own log up to date and pushes it; returns how many batches are new in the remote.
    fn send(&mut self, records: Vec<Record>, remote: &RemoteRefs) -> Result<usize> {
        let failed = |why: io::Error| Error::new("writing the own records", "", why);
        let member = self.store.state.member.clone();
        let (own, copy) = (self.store.state.own_ref(), remote_copy(&member));
        let there = remote.tips.get(&member).cloned();
        let lease = self.meet(there.as_deref())?;
        let contents = own::read_back(&self.bare, &self.store.state, self.now).map_err(failed)?;
        let batches = own::batches(&self.store.state, &contents, records);
        for batch in batches.iter().filter(|_| self.store.state.is_joined()) {
            own::add(&self.bare, &self.store.state, batch, self.now).map_err(failed)?;
        }
        let Some(here) = tip(&self.bare, &own) else { return Ok(0) };
        if there.as_deref() == Some(&here) {
            set_ref(&self.bare, &copy, &here).map_err(failed)?;
            return Ok(0);
        }
        let new = match &there {
            Some(there) if lease.is_none() => format!("{there}..{own}"),
            _ => own.clone(),
        };
        let new =
            log::ask(&self.bare, &["rev-list", "--count", &new]).and_then(|count| count.parse().ok()).unwrap_or(0);
        self.push(lease.as_deref())?;
        set_ref(&self.bare, &copy, &here).map_err(failed)?;
        self.store.state.replaces = None;
        self.store.state.sent = self.now.as_second();
        Ok(new)
    }

    /// Compares the own log with that in the remote. Returns the tip there if it must be replaced.
    fn meet(&mut self, there: Option<&str>) -> Result<Option<String>> {
        let failed = |why: io::Error| Error::new("reading the own records", "", why);
        let own = self.store.state.own_ref();
        let here = tip(&self.bare, &own);
        let Some(there) = there else { return Ok(None) };
        if self.store.state.replaces.is_some() {
            return Ok(Some(there.to_owned()));
        }
        if here.as_deref().is_some_and(|here| here == there || is_ancestor(&self.bare, there, here)) {
            return Ok(None);
        }
        // The remote has more: this machine was restored from a backup, or its store was deleted.
        let copy = remote_copy(&self.store.state.member);
        let refspec = format!("+{own}:{copy}");
        let arguments = ["fetch", "--quiet", "--no-tags", "--no-write-fetch-head", REMOTE, &refspec];
        self.network(&arguments, b"", TRANSFER_LIMIT, "reading the own records")?;
        let Some(here) = here else {
            set_ref(&self.bare, &own, there).map_err(failed)?;
            self.take_over_forgotten(&own)?;
            return Ok(None);
        };
        let is_related = log::ask(&self.bare, &["merge-base", &here, there]).is_some();
        let theirs = log::contents(&self.bare, std::slice::from_ref(&copy), log::ALL, self.now).map_err(failed)?;
        if !is_related && !self.is_replacement(&copy)? {
            // Someone else has written over it.
            self.store
                .state
                .notes
                .push("your records in the remote were overwritten, and have been restored".to_owned());
            return Ok(Some(there.to_owned()));
        }
        let only_here = match is_related {
            true => log::contents(&self.bare, &[own.clone(), format!("^{there}")], log::ALL, self.now),
            false => Ok(log::Contents::default()),
        };
        let only_here = only_here.map_err(failed)?;
        set_ref(&self.bare, &own, there).map_err(failed)?;
        self.take_over_forgotten(&own)?;
        let lines = only_here.lines.into_iter().filter(|(id, _)| !theirs.lines.contains_key(id));
        let lost: Vec<Record> = lines.filter_map(|(_, line)| Record::parse(line.as_bytes(), self.now)).collect();
        if !lost.is_empty() {
            for batch in own::batches(&self.store.state, &theirs, lost) {
                own::add(&self.bare, &self.store.state, &batch, self.now).map_err(failed)?;
            }
        }
        Ok(None)
    }

    /// Whether a log begins with a header that says it replaces an earlier one of this member.
    fn is_replacement(&self, name: &str) -> Result<bool> {
        let failed = |why: io::Error| Error::new("reading the own records", name, why);
        let commits = log::commits(&self.bare, &[name.to_owned()], log::ALL).map_err(failed)?;
        let mut replaces = false;
        let first = commits.last().map(std::slice::from_ref).unwrap_or_default();
        log::each_batch(&self.bare, first, self.now, |_, batch| {
            let header = batch.map(|batch| batch.header).unwrap_or_default();
            replaces = header.replaced && header.member == self.store.state.member;
        })
        .map_err(failed)?;
        Ok(replaces)
    }

    /// What was forgotten must not come back, also after a backup from before.
    fn take_over_forgotten(&mut self, name: &str) -> Result<()> {
        let failed = |why: io::Error| Error::new("reading the own records", name, why);
        let commits = log::commits(&self.bare, &[name.to_owned()], log::ALL).map_err(failed)?;
        let state = &mut self.store.state;
        let first = commits.last().map(std::slice::from_ref).unwrap_or_default();
        log::each_batch(&self.bare, first, self.now, |_, batch| {
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
        match self.network(&arguments, b"", TRANSFER_LIMIT, doing) {
            Err(_) => self.network(&arguments, b"", TRANSFER_LIMIT, doing).map(|_| ()),
            Ok(_) => Ok(()),
        }
    }

    /// Fetches the logs that have changed, from `since` on. Returns how many.
    fn fetch_others(&mut self, remote: &RemoteRefs, since: i64) -> Result<usize> {
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
        changed.sort_unstable();
        let gone: Vec<&String> =
            known.keys().filter(|member| **member != own && !remote.tips.contains_key(*member)).collect();
        for member in &gone {
            let name = remote_copy(member);
            let removed = log::local(&self.bare, &["update-ref", "-d", &name], b"");
            removed.map_err(|why| Error::new("removing a member who left", &name, why))?;
        }
        let count = changed.len() + gone.len();
        let mut notes = Vec::new();
        let failed = self.fetch_in_parts(&changed)?;
        let rewritten = self.rewritten(&changed, &known)?;
        if !rewritten.is_empty() || !gone.is_empty() {
            // What others have forgotten disappears here too.
            let _ = log::local(&self.bare, &["gc", "--quiet", "--prune=now"], b"");
        } else if !changed.is_empty() {
            let _ = log::local(
                &self.bare,
                &["-c", "gc.auto=2000", "-c", "gc.autoPackLimit=20", "gc", "--quiet", "--auto"],
                b"",
            );
        }
        notes.extend(rewritten.iter().map(|name| format!("the records of {name} were rewritten since the last fetch")));
        let state = &mut self.store.state;
        state.rejected.retain(|(member, tip)| remote.tips.get(member) == Some(tip));
        for member in failed {
            let tip = remote.tips.get(&member).cloned().unwrap_or_default();
            notes.push(format!("the records of member {member} cannot be fetched and are left out"));
            state.rejected.push((member, tip));
        }
        if remote.newer > 0 {
            notes.push(format!("{} records of a newer version of ait are left out; update ait", remote.newer));
        }
        state.notes.extend(notes);
        state.fetched = self.now.as_second();
        Ok(count)
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
        let lost = log::commits(&self.bare, &old.chain(new).collect::<Vec<_>>(), log::ALL);
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
        let output = log::local(&self.bare, &["for-each-ref", "--format=%(objectname) %(refname)", &prefix], b"");
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
        self.network(&arguments, b"", LIST_LIMIT, "reading the team's records").is_err()
    }

    fn fetch(&self, members: &[&str]) -> Result<()> {
        let refspecs: String =
            members.iter().map(|member| format!("+refs/ait/v1/{member}:{}\n", remote_copy(member))).collect();
        let since = format!("--shallow-since={}", self.store.state.since);
        let arguments = ["fetch", "--no-tags", "--no-write-fetch-head", "--no-auto-gc", "--stdin", &since, REMOTE];
        let doing = "fetching the team's records";
        let fetched = self.network(&arguments, refspecs.as_bytes(), TRANSFER_LIMIT, doing);
        match fetched {
            // None of these members has written anything since then.
            Err(error) if error.to_string().contains("no commits selected") => {
                let arguments =
                    ["fetch", "--no-tags", "--no-write-fetch-head", "--no-auto-gc", "--stdin", "--depth=1", REMOTE];
                self.network(&arguments, refspecs.as_bytes(), TRANSFER_LIMIT, doing)
            }
            fetched => fetched,
        }
        .map(|_| ())
    }

    /// Runs git with the network. A failure is explained in one line, with the next step.
    fn network(&self, arguments: &[&str], input: &[u8], limit: Duration, doing: &'static str) -> Result<Output> {
        let url = &self.store.state.url;
        let call = Call { arguments, input, variables: &[], limit, max_output: MAX_LIST };
        match self.bare.call(&call) {
            Ok(output) if output.success => Ok(output),
            Ok(output) => {
                let refused = String::from_utf8_lossy(&output.stdout).into_owned();
                let refused = refused.lines().find(|line| line.starts_with('!'));
                let why = refused.map_or_else(|| complaint(&output.stderr), |line| line.replace('\t', " "));
                let all = [&why, "\n", &String::from_utf8_lossy(&output.stderr)].concat();
                Err(Error::new(doing, url, mask(&on_one_line(&why)).into_owned()).hint(hint(&all)))
            }
            Err(why) if why.kind() == io::ErrorKind::TimedOut => {
                Err(Error::new(doing, url, format!("no answer in {} s", limit.as_secs()))
                    .hint("the next sync tries again"))
            }
            Err(why) => Err(Error::new(doing, url, Cause::from(why)).hint("the next sync tries again")),
        }
    }
}

/// What to do about a failure of git, by the messages of git and of the usual hosts.
fn hint(text: &str) -> &'static str {
    let text = text.to_lowercase();
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    if has(&[
        "could not read username",
        "could not read password",
        "authentication failed",
        "permission denied (",
        "host key",
    ]) {
        "git must reach it without asking: set up a credential helper or an ssh key, or choose another remote with \
         ait team join --remote URL"
    } else if has(&["no space left", "disk quota", "unable to write", "unpacker error", "file too large"]) {
        "the remote needs free space; nothing is lost, and the next sync sends it"
    } else if has(&["dubious ownership"]) {
        "git does not trust this folder; see safe.directory in git help config"
    } else if has(&["non-fast-forward", "fetch first", "stale info", "failed to update ref", "cannot lock ref"]) {
        "the next sync tries again"
    } else if has(&["remote rejected", "declined", "hidden ref", "not allowed", "403", "denied to"]) {
        "this host refuses such refs or your account may not write; choose a repository of your own with \
         ait team join --remote URL"
    } else if has(&["not found", "does not appear to be", "does not exist", "no such"]) {
        "check the address with git remote -v, or choose another with ait team join --remote URL"
    } else {
        "the next sync tries again"
    }
}
