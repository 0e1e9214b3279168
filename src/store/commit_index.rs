//! In which sessions of the history a commit, a patch, a content or a written file occurs.
//!
//! For each day of the history the cache contains `commits/YYYY-MM-DD`: the names of that day's manifests, and for each
//! commit id, patch id, path with blob, and written path a hash with the number of the manifest. The table of a day counts
//! while the day's folder has the modification time that is written in it; otherwise it is made anew. Hashes only find
//! candidates: the manifest itself decides.
//!
//! A table is: the magic text, then in little-endian order the modification time (8 bytes, nanoseconds), the number of names
//! (4), each name after its length (2), and the entries: hash (8) and number of the name (4).

use std::collections::HashSet;

use super::history::{self, Day};
use super::root::{Root, fnv1a};
use crate::error::Result;
use crate::session::id::SessionId;
use crate::session::manifest::Manifest;
use crate::session::origin;
use crate::sys::files::{Folder, PRIVATE};

const MAGIC: &[u8] = b"ait commits 1\n";
/// The most bytes of a table: five million entries.
const MAX_TABLE: usize = 64 << 20;
/// Nanoseconds. A folder that changed less than this before it was read may change again without a new time.
const CLOCK_STEP: i128 = 2_000_000_000;

/// The tables of all days.
#[derive(Debug)]
pub struct CommitIndex {
    days: Vec<(Day, Vec<u8>)>,
}

/// What is looked for.
#[derive(Debug, Default)]
pub struct Keys {
    hashes: HashSet<u64>,
    /// The lowest 16 bits of all hashes, so that most entries need no further look.
    low_bits: Vec<bool>,
}

impl Keys {
    /// No key yet.
    pub fn new() -> Keys {
        Keys { hashes: HashSet::new(), low_bits: vec![false; 1 << 16] }
    }

    /// Looks for the id of a commit.
    pub fn add_commit(&mut self, id: &str) {
        self.add(hash('i', &[id]));
    }

    /// Looks for the id of a patch.
    pub fn add_patch(&mut self, id: &str) {
        self.add(hash('p', &[id]));
    }

    /// Looks for a file with this content.
    pub fn add_content(&mut self, path: &str, blob: &str) {
        self.add(hash('c', &[path, blob]));
    }

    /// Looks for writes of a file.
    pub fn add_write(&mut self, path: &str) {
        self.add(hash('w', &[path]));
    }

    fn add(&mut self, hash: u64) {
        if let Some(bit) = self.low_bits.get_mut(low_bits(hash)) {
            *bit = true;
        }
        self.hashes.insert(hash);
    }

    fn contain(&self, hash: u64) -> bool {
        self.low_bits.get(low_bits(hash)) == Some(&true) && self.hashes.contains(&hash)
    }
}

fn low_bits(hash: u64) -> usize {
    (hash & 0xffff) as usize
}

fn hash(kind: char, parts: &[&str]) -> u64 {
    fnv1a([&kind.to_string(), parts.join("\0").as_str()].concat().as_bytes())
}

impl CommitIndex {
    /// Reads the tables, and makes those that are missing or too old.
    ///
    /// # Errors
    /// If the folder of the history cannot be read.
    pub fn open(root: &Root) -> Result<CommitIndex> {
        let cache = root.open_cache("commits").ok();
        let mut days = Vec::new();
        let history = Folder::open_own(root.history()).ok();
        for day in history::days(root)? {
            let name = day.to_string();
            let Some(folder) = history.as_ref().and_then(|history| history.folder(&name).ok()) else { continue };
            let Ok(modified) = folder.meta().map(|meta| meta.modified) else { continue };
            let table = cache.as_ref().and_then(|cache| cache.read_own(&name, MAX_TABLE).ok());
            let is_valid = |table: &Vec<u8>| modified_of(table) == i64::try_from(modified).ok();
            let table = table.filter(is_valid).unwrap_or_else(|| make(&folder, modified, cache.as_ref(), &name));
            days.push((day, table));
        }
        Ok(CommitIndex { days })
    }

    /// The manifests in which one of the keys occurs, at most `max`, those of the last days first.
    pub fn find(&self, keys: &Keys, max: usize) -> Vec<(Day, SessionId)> {
        let mut found = Vec::new();
        for (day, table) in &self.days {
            let Some(numbers) = numbers_of(table, keys) else { continue };
            found.extend(names(table).into_iter().enumerate().filter_map(|(number, name)| {
                let name = if numbers.contains(&u32::try_from(number).ok()?) { name } else { return None };
                Some((*day, SessionId::parse(name)?))
            }));
            if found.len() >= max {
                break;
            }
        }
        found.truncate(max);
        found
    }
}

/// The numbers of the names with one of the keys; `None` if there are none.
fn numbers_of(table: &[u8], keys: &Keys) -> Option<HashSet<u32>> {
    let (entries, _) = entries(table)?.as_chunks::<12>();
    let mut numbers = HashSet::new();
    for [h0, h1, h2, h3, h4, h5, h6, h7, n0, n1, n2, n3] in entries {
        if keys.contain(u64::from_le_bytes([*h0, *h1, *h2, *h3, *h4, *h5, *h6, *h7])) {
            numbers.insert(u32::from_le_bytes([*n0, *n1, *n2, *n3]));
        }
    }
    (!numbers.is_empty()).then_some(numbers)
}

fn modified_of(table: &[u8]) -> Option<i64> {
    let (time, _) = table.strip_prefix(MAGIC)?.split_first_chunk::<8>()?;
    Some(i64::from_le_bytes(*time))
}

/// The names, and the rest of the table.
fn names_and_rest(table: &[u8]) -> Option<(Vec<&str>, &[u8])> {
    let (count, mut rest) = table.get(MAGIC.len() + 8..)?.split_first_chunk::<4>()?;
    let mut names = Vec::new();
    for _ in 0..u32::from_le_bytes(*count) {
        let (length, more) = rest.split_first_chunk::<2>()?;
        let (name, more) = more.split_at_checked(u16::from_le_bytes(*length).into())?;
        names.push(std::str::from_utf8(name).ok()?);
        rest = more;
    }
    Some((names, rest))
}

fn names(table: &[u8]) -> Vec<&str> {
    names_and_rest(table).map(|(names, _)| names).unwrap_or_default()
}

fn entries(table: &[u8]) -> Option<&[u8]> {
    names_and_rest(table).map(|(_, rest)| rest)
}

/// Makes the table of a day, and writes it into the cache.
fn make(folder: &Folder, modified: i128, cache: Option<&Folder>, name: &str) -> Vec<u8> {
    let (mut names, mut entries) = (Vec::new(), Vec::new());
    let mut count: u32 = 0;
    for file in folder.names().unwrap_or_default() {
        let Some(id) = SessionId::from_file_name(&file) else { continue };
        let hashes = history::read_for_index(folder, &id).map(|manifest| hashes_of(&manifest)).unwrap_or_default();
        if hashes.is_empty() {
            continue;
        }
        let text = id.as_str().as_bytes();
        names.extend(u16::try_from(text.len()).unwrap_or(0).to_le_bytes());
        names.extend(text);
        for hash in hashes {
            entries.extend(hash.to_le_bytes());
            entries.extend(count.to_le_bytes());
        }
        count += 1;
    }
    let is_settled = crate::sys::clock::now().as_nanosecond() - modified > CLOCK_STEP;
    let time = i64::try_from(modified).unwrap_or(0).to_le_bytes();
    let table = [MAGIC, &time, &count.to_le_bytes(), &names, &entries].concat();
    if let Some(cache) = cache.filter(|_| is_settled) {
        // It is made again if it cannot be written.
        let _ = cache.replace(name, &table, PRIVATE);
    }
    table
}

fn hashes_of(manifest: &Manifest) -> HashSet<u64> {
    let mut keys = Keys::default();
    for commit in &manifest.commits {
        keys.add_commit(&commit.id);
        commit.patch_id.iter().for_each(|patch| keys.add_patch(patch));
        origin::contents(commit).for_each(|(path, blob)| keys.add_content(&path, &blob));
    }
    manifest.touched.iter().for_each(|write| keys.add_write(&write.path));
    keys.hashes
}
