//! `packed-refs`: one file for the refs that have none of their own.
//!
//! A line a ref, `<hex> <name>`, sorted by name since git 2.17 (the first line then says `sorted`). Large repositories
//! have a hundred thousand of them, megabytes that are not read to find one: it is looked up by halves.

use std::io;
use std::path::Path;

use super::head::{Commit, is_commit};
use crate::sys::files::Pieces;

/// Up to this many bytes are read at once.
const PIECE: usize = 64 << 10;
/// The most that is read of a file which is not sorted.
const MOST: usize = 64 << 20;

/// The commit that a ref stands at.
pub(super) fn look_up(file: &Path, name: &str) -> Commit {
    let found = match Pieces::open(file) {
        Ok(pieces) => search(&pieces, name.as_bytes()),
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Commit::None,
        Err(error) => Err(error),
    };
    match found {
        Ok(Some(commit)) => Commit::At(commit),
        Ok(None) => Commit::None,
        Err(_) => Commit::Unreadable,
    }
}

fn search(pieces: &Pieces, name: &[u8]) -> io::Result<Option<String>> {
    let (mut from, mut to) = (0, pieces.size());
    let first = pieces.read_at(0, PIECE)?;
    if to <= PIECE as u64 {
        return Ok(scan(&first, name));
    }
    if !is_sorted(&first) {
        return Ok(scan(&pieces.read_at(0, MOST)?, name));
    }
    // `from` is always the beginning of a line, and the wanted line begins in `from..to`.
    while to - from > PIECE as u64 {
        let middle = from + (to - from) / 2;
        let piece = pieces.read_at(middle, PIECE / 2)?;
        match first_ref(&piece) {
            Some((at, found)) if found <= name => from = middle + at as u64,
            // Also where no ref begins in the piece: no real line is as long, and the search must come to an end.
            _ => to = middle,
        }
    }
    // The last line begins before `to` and may end after it.
    Ok(scan(&pieces.read_at(from, 2 * PIECE)?, name))
}

fn is_sorted(file: &[u8]) -> bool {
    let header = file.split(|byte| *byte == b'\n').next().unwrap_or_default();
    header.starts_with(b"# pack-refs with:") && header.split(|byte| *byte == b' ').any(|word| word == b"sorted")
}

/// The first ref whose line begins in the piece, after the line that the piece begins in, and where it begins.
fn first_ref(piece: &[u8]) -> Option<(usize, &[u8])> {
    let mut at = 0;
    for line in piece.split_inclusive(|byte| *byte == b'\n') {
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

/// A line's commit and ref. The header and the lines with `^` (what a tag stands for) have none.
fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let space = line.iter().position(|byte| *byte == b' ')?;
    let (commit, name) = (line.get(..space)?, line.get(space + 1..)?);
    is_commit(commit).then(|| (commit, name.trim_ascii_end()))
}
