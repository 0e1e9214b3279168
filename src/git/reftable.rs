//! Refs in a reftable, the format that `git init --ref-format=reftable` uses instead of files.
//!
//! A folder `reftable` contains a stack of tables: `tables.list` names them, the oldest first, and a newer table overrides
//! an older one. A table is a sequence of blocks with sorted refs. Blocks are aligned, so a table is searched by
//! bisection over its blocks: a few reads, however many refs there are.
//!
//! Format: Documentation/technical/reftable in git's sources. Considered: no crate reads this format.

use std::io;
use std::path::Path;

use super::refs::{RefTarget, symbolic};
use crate::sys::files::{self, Pieces};

/// A longer stack does not occur: git merges tables with every write.
const MAX_TABLES: usize = 200;
/// The most that is read of `tables.list`, in bytes.
const MAX_LIST: usize = 64 << 10;
/// The most that is read of a table whose blocks are not aligned, in bytes. git itself always aligns them.
const MAX_UNALIGNED: usize = 16 << 20;

/// The target of a ref in a stack of tables; `None` if there is no such ref. `folder` contains `tables.list`.
///
/// # Errors
/// If a file cannot be read or is damaged.
pub(super) fn look_up(folder: &Path, name: &str) -> io::Result<Option<RefTarget>> {
    // A table on the list may be gone: another process has just merged it, and the list has changed as well.
    in_stack(folder, name).or_else(|_| in_stack(folder, name))
}

fn in_stack(folder: &Path, name: &str) -> io::Result<Option<RefTarget>> {
    let list = files::read(&folder.join("tables.list"), MAX_LIST)?;
    let tables: Vec<&str> = std::str::from_utf8(&list).map_err(|_| damaged())?.lines().collect();
    if tables.len() > MAX_TABLES || tables.iter().any(|table| table.contains('/')) {
        return Err(damaged());
    }
    for table in tables.iter().rev() {
        match Table::open(&folder.join(table))?.look_up(name.as_bytes())? {
            Some(Record::Deleted) => return Ok(None),
            Some(Record::Target(target)) => return Ok(Some(target)),
            None => {}
        }
    }
    Ok(None)
}

/// The entry of a ref in a table.
enum Record {
    Target(RefTarget),
    /// An older table has it, and it was deleted since.
    Deleted,
}

struct Table {
    file: Pieces,
    /// In bytes; 0 if blocks are not aligned.
    block_size: usize,
    header_size: usize,
    /// Length of an object name in bytes.
    hash_size: usize,
}

impl Table {
    fn open(path: &Path) -> io::Result<Table> {
        let file = Pieces::open(path)?;
        let header = file.read_at(0, 28)?;
        if !header.starts_with(b"REFT") {
            return Err(damaged());
        }
        let (header_size, hash_size) = match (header.get(4), header.get(24..28)) {
            (Some(1), _) => (24, 20),
            (Some(2), Some(b"sha1")) => (28, 20),
            (Some(2), Some(b"s256")) => (28, 32),
            _ => return Err(damaged()),
        };
        let block_size = big_endian(header.get(5..8))?;
        Ok(Table { file, block_size, header_size, hash_size })
    }

    fn look_up(&self, wanted: &[u8]) -> io::Result<Option<Record>> {
        if self.block_size == 0 {
            return self.look_up_unaligned(wanted);
        }
        // Invariant: the block `first` may contain the ref, and blocks from `end` on do not.
        let blocks = self.file.size().div_ceil(self.block_size as u64);
        let (mut first, mut end) = (0, blocks);
        while end - first > 1 {
            let middle = first + (end - first) / 2;
            let block = self.block(middle)?;
            // Blocks of other types follow those with refs.
            let begins_before = Refs::new(&block, 0, self.hash_size).is_some_and(|mut refs| refs.next_name() <= wanted);
            if begins_before { first = middle } else { end = middle }
        }
        let block = self.block(first)?;
        self.scan(&block, if first == 0 { self.header_size } else { 0 }, wanted)
    }

    fn block(&self, number: u64) -> io::Result<Vec<u8>> {
        self.file.read_at(number * self.block_size as u64, self.block_size)
    }

    fn look_up_unaligned(&self, wanted: &[u8]) -> io::Result<Option<Record>> {
        let table = self.file.read_at(0, MAX_UNALIGNED)?;
        // The length of the first block includes the header of the file.
        let (mut block, mut skip) = (table.as_slice(), self.header_size);
        loop {
            let found = self.scan(block, skip, wanted)?;
            let length = big_endian(block.get(skip + 1..skip + 4)).unwrap_or(0);
            match block.get(length..) {
                Some(rest) if found.is_none() && length > 0 && rest.first() == Some(&b'r') => (block, skip) = (rest, 0),
                _ => return Ok(found),
            }
        }
    }

    /// Searches one block, whose first `skip` bytes are the header of the file.
    fn scan(&self, block: &[u8], skip: usize, wanted: &[u8]) -> io::Result<Option<Record>> {
        // A table may have no refs at all, only a log.
        let Some(mut refs) = Refs::new(block, skip, self.hash_size) else { return Ok(None) };
        while !refs.is_at_end() {
            let (name, record) = refs.next().ok_or_else(damaged)?;
            if name == wanted {
                return Ok(Some(record));
            }
            if name.as_slice() > wanted {
                break;
            }
        }
        Ok(None)
    }
}

/// The records of a block, in order.
struct Refs<'a> {
    /// The block up to the end of its records.
    bytes: &'a [u8],
    at: usize,
    hash_size: usize,
    /// The last name: each record only stores how it differs from the one before.
    name: Vec<u8>,
}

impl<'a> Refs<'a> {
    /// `None` if it is not a block of refs.
    fn new(block: &'a [u8], skip: usize, hash_size: usize) -> Option<Refs<'a>> {
        if block.get(skip) != Some(&b'r') {
            return None;
        }
        // Type, length, records, then offsets of 3 bytes each and their number.
        let length = big_endian(block.get(skip + 1..skip + 4)).ok()?;
        let restarts = big_endian(block.get(length.checked_sub(2)?..length)).ok()?;
        let end = length.checked_sub(2 + 3 * restarts)?;
        Some(Refs { bytes: block.get(..end)?, at: skip + 4, hash_size, name: Vec::new() })
    }

    fn is_at_end(&self) -> bool {
        self.at >= self.bytes.len()
    }

    /// The name of the next record; empty if the block is damaged, which ends every search.
    fn next_name(&mut self) -> &[u8] {
        if self.next().is_none() {
            self.name.clear();
        }
        &self.name
    }

    fn next(&mut self) -> Option<(Vec<u8>, Record)> {
        let prefix = self.varint()?;
        let suffix = self.varint()?;
        self.name.truncate(prefix);
        let rest = self.take(suffix >> 3)?;
        self.name.extend_from_slice(rest);
        // The update index, which the order of the stack already expresses.
        self.varint()?;
        let record = match suffix & 7 {
            0 => Record::Deleted,
            1 => Record::Target(self.object_id()?),
            2 => {
                let target = self.object_id()?;
                // The target of a tag object.
                self.take(self.hash_size)?;
                Record::Target(target)
            }
            3 => {
                let length = self.varint()?;
                Record::Target(symbolic(self.take(length)?)?)
            }
            _ => return None,
        };
        Some((self.name.clone(), record))
    }

    fn object_id(&mut self) -> Option<RefTarget> {
        let bytes = self.take(self.hash_size)?;
        Some(RefTarget::Commit(bytes.iter().map(|byte| format!("{byte:02x}")).collect()))
    }

    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let end = self.at.checked_add(length)?;
        let taken = self.bytes.get(self.at..end)?;
        self.at = end;
        Some(taken)
    }

    /// Seven bits per byte, the highest first; each further byte adds one, so that no number has two forms.
    fn varint(&mut self) -> Option<usize> {
        let mut value = 0_usize;
        loop {
            let byte = *self.take(1)?.first()?;
            value |= usize::from(byte & 0x7f);
            if byte & 0x80 == 0 {
                return Some(value);
            }
            value = value.checked_add(1)?.checked_mul(128)?;
        }
    }
}

fn big_endian(bytes: Option<&[u8]>) -> io::Result<usize> {
    Ok(bytes.ok_or_else(damaged)?.iter().fold(0, |value, byte| value << 8 | usize::from(*byte)))
}

fn damaged() -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, "not a reftable")
}
