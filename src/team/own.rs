//! The own log: batches of what is new, and commits of them.

use std::io;

use jiff::Timestamp;

use super::log::{self, Contents, local, local_as};
use super::record::{Header, MAX_RECORDS, Record, VERSION};
use super::store::State;
use crate::git::{Bare, REMOTE};
use crate::session::order::sort_by;

/// How many batches of the own log are read to find what was sent already.
const READ_BACK: usize = 400;
/// A batch is ended when it has reached this size in bytes.
const BATCH_SIZE: usize = 512 << 10;

/// The copy of a ref as it was last seen in the remote.
pub fn remote_copy(member: &str) -> String {
    format!("refs/remotes/{REMOTE}/v1/{member}")
}

/// The tip of a ref; `None` if it does not exist.
pub fn tip(bare: &Bare, name: &str) -> Option<String> {
    log::ask(bare, &["rev-parse", "--verify", "--quiet", "--end-of-options", name])
}

/// What the own log says.
///
/// # Errors
/// If git fails.
pub fn read_back(bare: &Bare, state: &State, now: Timestamp) -> io::Result<Contents> {
    match tip(bare, &state.own_ref()) {
        Some(_) => log::contents(bare, &[state.own_ref()], READ_BACK, now),
        None => Ok(Contents::default()),
    }
}

/// The batches of what is new or has changed since `contents`. None if there is nothing to send.
pub fn batches(state: &State, contents: &Contents, mut records: Vec<Record>) -> Vec<String> {
    sort_by(&mut records, |a, b| (a.from, &a.session).cmp(&(b.from, &b.session)));
    let header = Header { ait: VERSION, member: state.member.clone(), name: state.name.clone(), ..Header::default() };
    let header = header.to_line();
    let (mut batches, mut batch, mut count) = (Vec::new(), header.clone(), 0);
    for record in records {
        let line = record.to_line();
        if contents.lines.get(&record.session) == Some(&line) {
            continue;
        }
        batch.push_str(&line);
        count += 1;
        if batch.len() >= BATCH_SIZE || count >= MAX_RECORDS {
            batches.push(std::mem::replace(&mut batch, header.clone()));
            count = 0;
        }
    }
    // The name alone is news when it is new; after everything was forgotten only together with a record.
    let is_new_name = contents.header.name != state.name && !contents.header.replaced;
    if count > 0 || (batches.is_empty() && is_new_name) {
        batches.push(batch);
    }
    batches
}

/// Adds a batch to the own log.
///
/// # Errors
/// If git fails: the disk is full, or the key to sign with is not at hand.
pub fn add(bare: &Bare, state: &State, batch: &str, now: Timestamp) -> io::Result<()> {
    let parent = tip(bare, &state.own_ref());
    let id = commit(bare, parent.as_deref(), batch, now.as_second())?;
    set_ref(bare, &state.own_ref(), &id)
}

/// Writes a commit whose tree contains only this batch; returns its id. Times are in UTC, so that they tell no zone.
///
/// # Errors
/// If git fails.
pub fn commit(bare: &Bare, parent: Option<&str>, batch: &str, time: i64) -> io::Result<String> {
    let id_of = |output: Vec<u8>| String::from_utf8_lossy(&output).trim().to_owned();
    let blob = id_of(local(bare, &["hash-object", "-w", "--stdin"], batch.as_bytes())?);
    let tree = id_of(local(bare, &["mktree"], format!("100644 blob {blob}\trecords\n").as_bytes())?);
    let date = format!("{time} +0000");
    let variables = [
        ("GIT_AUTHOR_NAME", "ait"),
        ("GIT_AUTHOR_EMAIL", ""),
        ("GIT_AUTHOR_DATE", &date),
        ("GIT_COMMITTER_NAME", "ait"),
        ("GIT_COMMITTER_EMAIL", ""),
        ("GIT_COMMITTER_DATE", &date),
    ];
    let mut arguments = vec!["commit-tree", "-m", "records", &tree];
    if bare.signs() {
        arguments.push("-S");
    }
    arguments.extend(parent.into_iter().flat_map(|parent| ["-p", parent]));
    Ok(id_of(local_as(bare, &arguments, b"", &variables)?))
}

/// Points a ref at a commit.
///
/// # Errors
/// If git fails.
pub fn set_ref(bare: &Bare, name: &str, id: &str) -> io::Result<()> {
    local(bare, &["update-ref", name, id], b"").map(|_| ())
}

/// Whether one commit is in the history of another; `false` if one of them is missing.
pub fn is_ancestor(bare: &Bare, ancestor: &str, commit: &str) -> bool {
    local(bare, &["merge-base", "--is-ancestor", ancestor, commit], b"").is_ok()
}

/// The bytes that the remote does not have yet: the batches of the own log that were not sent, and those to come.
///
/// # Errors
/// If git fails.
pub fn unsent(bare: &Bare, state: &State, records: Vec<Record>, now: Timestamp) -> io::Result<Vec<String>> {
    let mut unsent = Vec::new();
    if tip(bare, &state.own_ref()).is_some() {
        let mut revisions = vec![state.own_ref()];
        revisions.extend(tip(bare, &remote_copy(&state.member)).map(|known| format!("^{known}")));
        let mut commits = log::commits(bare, &revisions, log::ALL)?;
        commits.reverse();
        log::each_text(bare, &commits, &mut |_, text| {
            unsent.extend(text.map(|text| String::from_utf8_lossy(text).into_owned()));
        })?;
    }
    unsent.extend(batches(state, &read_back(bare, state, now)?, records));
    Ok(unsent)
}
