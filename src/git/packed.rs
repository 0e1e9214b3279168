//! `packed-refs`: one file for the refs that have no file of their own.
//!
//! One line per ref, `<hex> <name>`, sorted by name since git 2.17 (the first line then contains `sorted`). Large
//! repositories have a hundred thousand refs, megabytes of text, so a sorted file is searched by bisection.

use std::io;
use std::path::Path;

use super::refs::{RefValue, is_object_id};
use crate::sys::files::Pieces;

/// How many bytes are read at once.
const CHUNK: usize = 64 << 10;
/// The most that is read of a file that is not sorted, in bytes.
const MAX_UNSORTED: usize = 64 << 20;

/// The most that is read to find the branch of a commit, in bytes.
const MAX_SEARCHED: usize = 1 << 20;

/// The commit of a ref.
pub(super) fn look_up(file: &Path, name: &str) -> RefValue {
    let found = match Pieces::open(file) {
        Ok(pieces) => search(&pieces, name.as_bytes()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return RefValue::Missing,
        Err(error) => Err(error),
    };
    match found {
        Ok(Some(commit)) => RefValue::Commit(commit),
        Ok(None) => RefValue::Missing,
        Err(_) => RefValue::Unreadable,
    }
}

/// The first branch at a commit that is not among `except`; only the first megabyte of the file is searched.
pub(super) fn branch_at(file: &Path, commit: &str, except: &[String]) -> Option<String> {
    let text = Pieces::open(file).ok()?.read_at(0, MAX_SEARCHED).ok()?;
    let mut refs = text.split(|byte| *byte == b'\n').filter_map(split);
    refs.find_map(|(found, name)| {
        let branch = std::str::from_utf8(name.strip_prefix(b"refs/heads/")?).ok()?;
        (found == commit.as_bytes() && except.iter().all(|other| other != branch)).then(|| branch.to_owned())
    })
}

fn search(pieces: &Pieces, name: &[u8]) -> io::Result<Option<String>> {
    let (mut from, mut to) = (0, pieces.size());
    let first = pieces.read_at(0, CHUNK)?;
    if to <= CHUNK as u64 {
        return Ok(scan(&first, name));
    }
    if !is_sorted(&first) {
        return Ok(scan(&pieces.read_at(0, MAX_UNSORTED)?, name));
    }
    // Invariant: a line begins at `from`, and the wanted line begins in `from..to`.
    while to - from > CHUNK as u64 {
        let middle = from + (to - from) / 2;
        let chunk = pieces.read_at(middle, CHUNK / 2)?;
        match first_ref(&chunk) {
            Some((at, found)) if found <= name => from = middle + at as u64,
            // Also if no ref begins in this chunk: no real line is as long, and the search must terminate.
            _ => to = middle,
        }
    }
    // The last line begins before `to` and may end after it.
    Ok(scan(&pieces.read_at(from, 2 * CHUNK)?, name))
}

fn is_sorted(file: &[u8]) -> bool {
    let header = file.split(|byte| *byte == b'\n').next().unwrap_or_default();
    header.starts_with(b"# pack-refs with:") && header.split(|byte| *byte == b' ').any(|word| word == b"sorted")
}

/// The first whole line of the chunk that is a ref: its offset and the name. The chunk may begin inside a line.
fn first_ref(chunk: &[u8]) -> Option<(usize, &[u8])> {
    let mut at = 0;
    for line in chunk.split_inclusive(|byte| *byte == b'\n') {
        if at > 0
            && line.ends_with(b"\n")
            && let Some((_, name)) = split(line)
        {
            return Some((at, name));
        }
        at += line.len();
    }
    None
}

fn scan(lines: &[u8], name: &[u8]) -> Option<String> {
    let (commit, _) = lines.split(|byte| *byte == b'\n').filter_map(split).find(|(_, found)| *found == name)?;
    Some(String::from_utf8_lossy(commit).into_owned())
}

/// The commit and the name in a line. `None` for the header and for `^` lines (the object that a tag points to).
fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = line.iter().position(|byte| *byte == b' ')?;
    let (commit, name) = (line.get(..space)?, line.get(space + 1..)?);
    is_object_id(commit).then(|| (commit, name.trim_ascii_end()))
}
