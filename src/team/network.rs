//! git with the network: a connection of a store to its remote, and what to do about its failures.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use super::log;
use super::mask::mask;
use super::own::remote_copy;
use super::record::is_id;
use crate::error::{Cause, Error, Result, on_one_line};
use crate::git::{Bare, Call, REMOTE, complaint};
use crate::sys::process::Output;

/// How long listing the refs of the remote may take.
pub(super) const LIST_LIMIT: Duration = Duration::from_secs(20);
/// How long sending may take, and one attempt to fetch.
pub(super) const TRANSFER_LIMIT: Duration = Duration::from_secs(60);
/// How many members are read; a remote with more refs than that is not a team.
const MAX_MEMBERS: usize = 5_000;
/// How many bytes the list of refs may have.
const MAX_LIST: usize = 8 << 20;

/// The logs in the remote.
#[derive(Debug, Default)]
pub(super) struct RemoteRefs {
    /// The tips, by member.
    pub(super) tips: HashMap<String, String>,
    /// How many refs belong to a newer version of the format.
    pub(super) newer: usize,
    /// How many logs are left out, because there are more than [`MAX_MEMBERS`].
    pub(super) omitted: usize,
}

impl RemoteRefs {
    /// What to report about logs that are not read.
    pub(super) fn left_out(&self) -> Vec<String> {
        let mut notes = Vec::new();
        if self.newer > 0 {
            let logs = if self.newer == 1 { "log" } else { "logs" };
            notes.push(format!("{} {logs} of a newer version of ait left out; update ait", self.newer));
        }
        if self.omitted > 0 {
            notes.push(format!("{} logs left out: at most {MAX_MEMBERS} members of one remote are read", self.omitted));
        }
        notes
    }
}

/// The newest commit of a log as it was last fetched.
pub(super) struct Tip {
    /// Its id.
    pub(super) id: String,
    /// In seconds since 1970, as its author says.
    pub(super) time: i64,
}

/// The repository of a store, with the way to its remote.
pub(super) struct Connection {
    /// The repository.
    pub(super) bare: Bare,
    /// The URL to show.
    pub(super) url: String,
}

impl Connection {
    /// The tips of all logs in the remote. If there are too many: the own one, those that are here already, and others by
    /// their ids. A member who is here must not be taken for one who left, nor the own log for a new one.
    pub(super) fn list(&self, own: &str) -> Result<RemoteRefs> {
        let arguments = ["ls-remote", "--refs", REMOTE, "refs/ait/*"];
        let output = self.network(&arguments, b"", LIST_LIMIT, "reading the team's records")?;
        let mut remote = RemoteRefs::default();
        let mut logs: Vec<(&str, &str)> = Vec::new();
        let list = String::from_utf8_lossy(&output.stdout);
        for line in list.lines() {
            let Some((id, name)) = line.split_once("\trefs/ait/") else { continue };
            match name.split_once('/') {
                Some(("v1", member)) if is_id(member) => logs.push((member, id)),
                Some((version, _)) if version != "v1" && version.starts_with('v') => remote.newer += 1,
                _ => {}
            }
        }
        let mut room = MAX_MEMBERS;
        if logs.len() > room {
            let known = self.known_tips()?;
            let is_known = |member: &str| member == own || known.contains_key(member);
            room = room.saturating_sub(logs.iter().filter(|(member, _)| is_known(member)).count());
            logs.retain(|(member, _)| {
                let is_kept = is_known(member) || room > 0;
                room -= usize::from(is_kept && !is_known(member));
                remote.omitted += usize::from(!is_kept);
                is_kept
            });
        }
        remote.tips.extend(logs.into_iter().map(|(member, id)| (member.to_owned(), id.to_owned())));
        Ok(remote)
    }

    /// The tips that are here, by member; those that are no commits are left out.
    pub(super) fn known_tips(&self) -> Result<HashMap<String, Tip>> {
        let prefix = remote_copy("");
        let format = "--format=%(objectname) %(refname) %(committerdate:unix) %(objecttype)";
        let output = log::local(&self.bare, &["for-each-ref", format, &prefix], b"");
        let output = output.map_err(|why| Error::new("reading the team's store", "", why))?;
        let lines = String::from_utf8_lossy(&output).into_owned();
        let parse = |line: &str| {
            let mut words = line.split(' ');
            let (id, name) = (words.next()?, words.next()?);
            let time = words.next()?.parse().unwrap_or(0);
            words.next().filter(|kind| *kind == "commit")?;
            Some((name.strip_prefix(&prefix)?.to_owned(), Tip { id: id.to_owned(), time }))
        };
        Ok(lines.lines().filter_map(parse).collect())
    }

    /// Runs git with the network. A failure is explained in one line, with the next step.
    pub(super) fn network(
        &self,
        arguments: &[&str],
        input: &[u8],
        limit: Duration,
        doing: &'static str,
    ) -> Result<Output> {
        let url = &self.url;
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
    if has(&["host key verification failed"]) {
        "the host is unknown or has changed its key: connect once with ssh, and check the key"
    } else if has(&[
        "could not read username",
        "could not read password",
        "authentication failed",
        "permission denied (",
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
