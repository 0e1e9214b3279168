//! Logs of members: chains of commits whose trees contain one batch each.

use std::collections::HashMap;
use std::io;
use std::time::Duration;

use jiff::Timestamp;

use super::record::{Batch, Header, MAX_BATCH};
use crate::git::{Bare, Call, complaint};

/// The name of the batch in the tree of a commit.
const FILE: &str = "records";
/// More commits than any member writes in a lifetime.
pub const ALL: usize = 1_000_000;
/// How long git may take for anything that needs no network.
const LOCAL_LIMIT: Duration = Duration::from_secs(60);
/// At most this many commits are read at once. Each start of git costs 20 ms in a store of 1,000 members.
const AT_ONCE: usize = 4000;
/// At most this many bytes of batches are read at once.
const BYTES_AT_ONCE: usize = 16 << 20;

/// A commit of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Commit {
    /// Its id.
    pub id: String,
    /// The ref it was found through.
    pub source: String,
    /// Its time, in seconds since 1970, as its author says.
    pub time: i64,
}

/// Calls git without the network; an error contains the line in which git says why.
pub fn local(bare: &Bare, arguments: &[&str], input: &[u8]) -> io::Result<Vec<u8>> {
    local_as(bare, arguments, input, &[])
}

/// [`local`], with more variables.
pub fn local_as(bare: &Bare, arguments: &[&str], input: &[u8], variables: &[(&str, &str)]) -> io::Result<Vec<u8>> {
    let call = Call { arguments, input, variables, limit: LOCAL_LIMIT, max_output: 256 << 20 };
    let output = bare.call(&call)?;
    if output.success { Ok(output.stdout) } else { Err(io::Error::other(complaint(&output.stderr))) }
}

/// The first line of the answer of [`local`]; `None` if git fails.
pub fn ask(bare: &Bare, arguments: &[&str]) -> Option<String> {
    let output = local(bare, arguments, b"").ok()?;
    let line = String::from_utf8_lossy(&output).lines().next()?.trim().to_owned();
    (!line.is_empty()).then_some(line)
}

/// The commits of the logs that `revisions` (refs and `^commit`) name, the newest first, at most `max`. Only first
/// parents are followed, however many a commit claims to have.
///
/// # Errors
/// If git fails.
pub fn commits(bare: &Bare, revisions: &[String], max: usize) -> io::Result<Vec<Commit>> {
    if revisions.is_empty() {
        return Ok(Vec::new());
    }
    let max = format!("--max-count={max}");
    let arguments = ["log", "--stdin", "--first-parent", &max, "--format=%H %S %ct"];
    let output = local(bare, &arguments, (revisions.join("\n") + "\n").as_bytes())?;
    let parse = |line: &str| {
        let mut words = line.split(' ');
        let (id, source, time) = (words.next()?, words.next()?, words.next()?);
        Some(Commit { id: id.to_owned(), source: source.to_owned(), time: time.parse().unwrap_or(0) })
    };
    Ok(String::from_utf8_lossy(&output).lines().filter_map(parse).collect())
}

/// Calls `visit` with each commit and its batch; with `None` if it has none that is valid, or one that is too large.
///
/// # Errors
/// If git fails.
pub fn each_batch(
    bare: &Bare,
    commits: &[Commit],
    now: Timestamp,
    mut visit: impl FnMut(&Commit, Option<Batch>),
) -> io::Result<()> {
    each_text(bare, commits, &mut |commit, text| visit(commit, text.and_then(|text| Batch::parse(text, now))))
}

/// [`each_batch`] for the bytes.
///
/// # Errors
/// If git fails.
pub fn each_text(bare: &Bare, commits: &[Commit], visit: &mut dyn FnMut(&Commit, Option<&[u8]>)) -> io::Result<()> {
    for part in commits.chunks(AT_ONCE) {
        let names: String = part.iter().map(|commit| format!("{}:{FILE}\n", commit.id)).collect();
        // The sizes first: nothing large is read.
        let format = "--batch-check=%(objecttype) %(objectsize) %(objectname)";
        let blobs = local(bare, &["cat-file", "--buffer", format], names.as_bytes())?;
        let blobs = String::from_utf8_lossy(&blobs);
        let mut wanted: Vec<(&Commit, &str, usize)> = Vec::with_capacity(part.len());
        let mut bytes = 0;
        for (commit, line) in part.iter().zip(blobs.lines()) {
            let blob = line.strip_prefix("blob ").and_then(|line| line.split_once(' '));
            let blob = blob.and_then(|(size, id)| Some((id, size.parse().ok().filter(|size| *size <= MAX_BATCH)?)));
            match blob {
                Some((id, size)) => {
                    wanted.push((commit, id, size));
                    bytes += size;
                }
                None => visit(commit, None),
            }
            if bytes > BYTES_AT_ONCE {
                read(bare, &std::mem::take(&mut wanted), visit)?;
                bytes = 0;
            }
        }
        read(bare, &wanted, visit)?;
    }
    Ok(())
}

/// Reads the blobs of these commits: id and size.
fn read(
    bare: &Bare,
    wanted: &[(&Commit, &str, usize)],
    visit: &mut dyn FnMut(&Commit, Option<&[u8]>),
) -> io::Result<()> {
    if wanted.is_empty() {
        return Ok(());
    }
    let ids: String = wanted.iter().map(|(_, id, _)| format!("{id}\n")).collect();
    let output = local(bare, &["cat-file", "--buffer", "--batch"], ids.as_bytes())?;
    let mut rest = output.as_slice();
    for (commit, _, size) in wanted {
        // A line with the id, the type and the size; the bytes; a line end.
        let header = rest.iter().position(|byte| *byte == b'\n').map_or(rest.len(), |at| at + 1);
        visit(commit, rest.get(header..header + size));
        rest = rest.get(header + size + 1..).unwrap_or_default();
    }
    Ok(())
}

/// The newest valid line of each record in a log, and the newest header.
#[derive(Debug, Default)]
pub struct Contents {
    /// The lines, by the id of the record.
    pub lines: HashMap<String, String>,
    /// The header of the newest batch.
    pub header: Header,
    /// The time of the newest commit, in seconds since 1970.
    pub newest: i64,
    /// How many commits were read.
    pub count: usize,
}

/// Reads the newest `max` batches of one log.
///
/// # Errors
/// If git fails.
pub fn contents(bare: &Bare, revisions: &[String], max: usize, now: Timestamp) -> io::Result<Contents> {
    let commits = commits(bare, revisions, max)?;
    let mut contents = Contents { count: commits.len(), ..Contents::default() };
    contents.newest = commits.first().map_or(0, |commit| commit.time);
    each_batch(bare, &commits, now, |_, batch| {
        let Some(batch) = batch else { return };
        if contents.header.member.is_empty() {
            contents.header = batch.header;
        }
        // Within a batch the last one is valid, among batches that of the newest.
        for record in batch.records.into_iter().rev() {
            contents.lines.entry(record.session.clone()).or_insert_with(|| record.to_line());
        }
    })?;
    Ok(contents)
}
