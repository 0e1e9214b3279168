//! An index of the `active` folder by path, so that a prompt reads the manifests of its own tree and no others.
//!
//! Derived: it lies in the cache, may be deleted or damaged at any time, and is believed only as long as it cannot be
//! older than the folder. That is told without reading the folder:
//!
//! - Every file that is made, renamed or removed in `active` changes the folder's own times. An index carries the times
//!   it was made under; where they differ, it is not believed.
//! - A file system's clock has ticks. A change in the same tick as the listing would leave the times as they were, so
//!   an index is believed only if the listing began [`TICK`] after the folder's last change. Until then every reader
//!   lists the folder itself.
//! - A file that was no manifest when it was listed may be one that is still being written, in place, which changes no
//!   folder. Those are kept by name and looked at again each time.
//! - What the index leads to is read from the manifest itself: the index names candidates, it never speaks for them.
//!
//! Listing after a change reads only what has changed since the last index, told by inode, size and time of change;
//! where that time is less than a [`TICK`] before the last listing, it tells nothing, and the file is read again.
//! Folders on network file systems, whose times may be seconds old, are not indexed.
//!
//! The index also remembers the id of the boot it was made in, which the kernel takes longer to tell than to read this.
//!
//! ```text
//! header   9 words: magic, check, folder inode, folder mtime, folder ctime, listed at, all read since,
//!          entries << 32 | bytes of boot and head, suspects << 32 | blocks
//! boot     word: when /proc was mounted; the id of that boot
//! head     suspects: entry each; fences: offset << 32 | length, check, first path of the block
//! blocks   16 entries each, by path: inode, size, ctime, id, path
//! ```
//! Words are 64 bits, little-endian; a text is its length in 16 bits and its bytes. Checks are [`check`] of the bytes
//! from the folder's inode to the end of the head, and of each block.

use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::active;
use super::place::Place;
use super::root::Root;
use crate::session::id::SessionId;
use crate::session::order::sort_by;
use crate::sys::files::{self, FileId, Folder, Meta, PRIVATE, Pieces};
use crate::sys::process;

/// Nanoseconds: more than a tick of the kernel's clock that stamps files (10 ms at most).
const TICK: i128 = 50_000_000;
/// Nanoseconds: more than a tick where a file system keeps whole seconds (ext4 with small inodes, HFS+), or every other
/// one (FAT).
const COARSE_TICK: i128 = 2_100_000_000;
/// Nanoseconds after which every manifest is read again whatever the index says: a symlink on a session's path may
/// point elsewhere.
const LONGEST: i128 = 600_000_000_000;
const MAGIC: u64 = u64::from_le_bytes(*b"aitidx03");
const WORD: usize = 8;
const HEADER: usize = 9 * WORD;
const BLOCK: usize = 16;
/// One read of this many bytes brings the whole index of a few dozen sessions.
const FIRST_READ: usize = 8 * 1024;
/// More than this many files that are no manifests: the folder is not what it should be, and is listed each time.
const MOST_SUSPECTS: usize = 16;
/// A larger index than ten thousand sessions make is damaged.
const LARGEST: usize = 8 << 20;
/// Its name in the cache.
pub const NAME: &str = "index";

/// A file of `active`: which version of it was read, and the resolved path in it (empty: it was no manifest).
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    id: String,
    file: FileId,
    path: String,
}

/// An [`Entry`] as it lies in the index: its texts are checked when they are wanted.
#[derive(Clone, Copy, Debug)]
struct Record<'a> {
    id: &'a [u8],
    file: FileId,
    path: &'a [u8],
}

impl Record<'_> {
    fn to_entry(self) -> Option<Entry> {
        let text = |bytes| std::str::from_utf8(bytes).ok().map(str::to_owned);
        Some(Entry { id: text(self.id)?, file: self.file, path: text(self.path)? })
    }
}

/// The sessions that may be shown at a place: those whose path lies in its tree, or without repository those at this
/// folder or one above it. Who really is there is for the caller to read.
pub fn candidates(root: &Root, active: &Folder, here: &Place, now: Timestamp) -> Vec<SessionId> {
    let ids = trusted(root, active, here, now).unwrap_or_else(|| {
        let listing = list(root, active, now);
        listing.iter().filter(|entry| may_show(here, &entry.path)).map(|entry| entry.id.clone()).collect()
    });
    ids.iter().filter_map(|id| SessionId::parse(id)).collect()
}

fn may_show(here: &Place, path: &str) -> bool {
    let path = Path::new(path);
    if here.tree.is_some() { path.starts_with(&here.root) } else { here.root.starts_with(path) && path.is_absolute() }
}

/// The moment from which on another change would have got another time than this one. A file system that keeps whole
/// seconds is known by them.
fn after_tick(changed: i128) -> i128 {
    changed + if changed % 1_000_000_000 == 0 { COARSE_TICK } else { TICK }
}

/// What the index says, if it can be believed.
fn trusted(root: &Root, active: &Folder, here: &Place, now: Timestamp) -> Option<Vec<String>> {
    let folder = active.meta().ok()?;
    let file = Pieces::open(&root.cache().join(NAME)).ok()?;
    let index = Index::open(file)?;
    if !index.is_of(&folder) || !index.is_settled(&folder, now.as_nanosecond()) {
        return None;
    }
    index.remember_boot();
    for suspect in index.suspects()? {
        let meta = active.meta_of(&SessionId::parse(std::str::from_utf8(suspect.id).ok()?)?.file_name()).ok()?;
        if meta.id != suspect.file || index.listed() <= after_tick(meta.id.changed) {
            return None;
        }
    }
    let mut ids = Vec::new();
    let mut take = |record: Record<'_>| ids.push(record.id.to_owned());
    let fences = index.fences()?;
    let root = here.root.to_str()?.as_bytes();
    if here.tree.is_some() {
        index.visit(&fences, root, |path| path == root, &mut take)?;
        let below = [root.strip_suffix(b"/").unwrap_or(root), b"/"].concat();
        // The root of all is its own folder's path, and was taken above.
        index.visit(&fences, &below, |path| path != root && path.starts_with(&below), &mut take)?;
    } else {
        for above in here.root.ancestors() {
            let above = above.as_os_str().as_encoded_bytes();
            index.visit(&fences, above, |path| path == above, &mut take)?;
        }
    }
    ids.into_iter().map(|id| String::from_utf8(id).ok()).collect()
}

/// Lists the folder, reading what changed since the last index, and leaves an index for the next reader.
#[cold]
#[inline(never)]
fn list(root: &Root, active: &Folder, now: Timestamp) -> Vec<Entry> {
    let Ok(before) = active.meta() else { return Vec::new() };
    let last = Pieces::open(&root.cache().join(NAME)).ok().and_then(Index::open);
    let last = last.filter(|index| index.is_recent(now.as_nanosecond()));
    let (last_listed, since) = last.as_ref().map_or((0, now.as_nanosecond()), |index| (index.listed(), index.since()));
    let mut known = last.and_then(|index| index.all()).unwrap_or_default();
    sort_by(&mut known, |a, b| a.id.cmp(&b.id));
    let mut entries: Vec<Entry> = Vec::with_capacity(known.len() + 4);
    let mut changed = false;
    let listed = active.each_name(|name| {
        let Some(id) = SessionId::from_file_name(name) else { return };
        let Ok(meta) = active.meta_of(name) else { return };
        let last = known.binary_search_by(|entry| entry.id.as_str().cmp(id.as_str())).ok().and_then(|at| known.get(at));
        // What was written within one tick before it was read, or half written, may be another text by now.
        let is_same = |entry: &&Entry| entry.file == meta.id && after_tick(meta.id.changed) < last_listed;
        match last.filter(is_same).filter(|entry| !entry.path.is_empty()) {
            Some(entry) => entries.push(entry.clone()),
            None => {
                changed = true;
                entries.push(Entry { path: path_in(active, &id), id: id.as_str().to_owned(), file: meta.id });
            }
        }
    });
    let settled = now.as_nanosecond() > after_tick(before.id.changed).max(after_tick(before.modified));
    if listed.is_ok() && (changed || settled || entries.len() != known.len()) && !files::is_remote(active) {
        sort_by(&mut entries, |a, b| (&a.path, &a.id).cmp(&(&b.path, &b.id)));
        leave(root, &entries, &before, since, now);
    }
    entries
}

/// The resolved path in a manifest; empty where it is no manifest of ours, or leads from whoever reads it.
fn path_in(active: &Folder, id: &SessionId) -> String {
    let read = active::read_manifest(active, id).ok().flatten();
    let path = read.map(|manifest| PathBuf::from(manifest.path)).filter(|path| path.is_absolute());
    let path = path.map(|path| files::resolve(&path));
    path.and_then(|path| path.into_os_string().into_string().ok()).unwrap_or_default()
}

/// Writes the index. What cannot be written costs the next reader a listing, nothing else.
fn leave(root: &Root, entries: &[Entry], folder: &Meta, since: i128, now: Timestamp) {
    if let Some(bytes) = build(entries, folder, since, now) {
        let _ = Folder::open_or_make_own(root.cache()).and_then(|cache| cache.replace(NAME, &bytes, PRIVATE));
    }
}

/// The bytes of an index of entries that are sorted by path.
fn build(entries: &[Entry], folder: &Meta, since: i128, now: Timestamp) -> Option<Vec<u8>> {
    let (suspects, good): (Vec<&Entry>, Vec<&Entry>) = entries.iter().partition(|entry| entry.path.is_empty());
    if suspects.len() > MOST_SUSPECTS {
        return None;
    }
    let mut head = Vec::with_capacity(1024);
    put_word(&mut head, process::boot_mark().map_or(0, low));
    put_text(&mut head, process::boot_id().unwrap_or_default())?;
    for suspect in &suspects {
        put_entry(&mut head, suspect)?;
    }
    let mut blocks = Vec::with_capacity(good.len() * 128);
    for block in good.chunks(BLOCK) {
        let start = blocks.len();
        for entry in block {
            put_entry(&mut blocks, entry)?;
        }
        let bytes = blocks.get(start..)?;
        put_word(&mut head, pair(start, bytes.len())?);
        put_word(&mut head, check(bytes));
        put_text(&mut head, &block.first()?.path)?;
    }
    let mut bytes = Vec::with_capacity(HEADER + head.len() + blocks.len());
    let count = good.len().div_ceil(BLOCK);
    let listed = now.as_nanosecond();
    let times = [folder.id.inode, low(folder.modified), low(folder.id.changed), low(listed), low(since)];
    put_word(&mut bytes, MAGIC);
    put_word(&mut bytes, 0);
    times.into_iter().for_each(|word| put_word(&mut bytes, word));
    put_word(&mut bytes, pair(good.len(), head.len())?);
    put_word(&mut bytes, pair(suspects.len(), count)?);
    bytes.extend_from_slice(&head);
    let sum = check(bytes.get(2 * WORD..)?);
    bytes.get_mut(WORD..2 * WORD)?.copy_from_slice(&sum.to_le_bytes());
    bytes.extend_from_slice(&blocks);
    Some(bytes)
}

/// An index whose header and head are sound.
struct Index {
    file: Pieces,
    /// From the start of the file; at least header and head.
    start: Vec<u8>,
    blocks_at: usize,
    suspects: usize,
    blocks: usize,
}

impl Index {
    fn open(file: Pieces) -> Option<Index> {
        let mut start = file.read_at(0, FIRST_READ).ok()?;
        let header: [u64; 9] = words(&start)?;
        let [magic, sum, _, _, _, _, _, sizes, counts] = header;
        let blocks_at = HEADER + (sizes & 0xffff_ffff) as usize;
        if magic != MAGIC || blocks_at > LARGEST {
            return None;
        }
        if start.len() < blocks_at {
            start = file.read_at(0, blocks_at).ok()?;
        }
        if check(start.get(2 * WORD..blocks_at)?) != sum {
            return None;
        }
        let (suspects, blocks) = ((counts >> 32) as usize, (counts & 0xffff_ffff) as usize);
        Some(Index { file, start, blocks_at, suspects, blocks })
    }

    fn word(&self, position: usize) -> u64 {
        words::<9>(&self.start).and_then(|header| header.get(position).copied()).unwrap_or(0)
    }

    fn is_of(&self, folder: &Meta) -> bool {
        let times = [folder.id.inode, low(folder.modified), low(folder.id.changed)];
        times == [self.word(2), self.word(3), self.word(4)]
    }

    /// Whether nothing can have happened to the folder in the tick in which it was listed.
    fn is_settled(&self, folder: &Meta, now: i128) -> bool {
        let rested = after_tick(folder.id.changed).max(after_tick(folder.modified));
        self.listed() > rested && self.listed() <= now && self.is_recent(now)
    }

    /// When the folder was listed.
    fn listed(&self) -> i128 {
        i128::from(self.word(5) as i64)
    }

    /// The moment since which every manifest was read.
    fn since(&self) -> i128 {
        i128::from(self.word(6) as i64)
    }

    /// Whether what was read of the manifests is young enough to be handed on.
    fn is_recent(&self, now: i128) -> bool {
        (0..LONGEST).contains(&(now - self.since()))
    }

    fn head(&self) -> Reader<'_> {
        let mut head = Reader(self.start.get(HEADER..self.blocks_at).unwrap_or_default());
        head.boot();
        head
    }

    /// Spares the question for the boot id where it is still the boot in which the index was made.
    fn remember_boot(&self) {
        let boot = Reader(self.start.get(HEADER..self.blocks_at).unwrap_or_default()).boot();
        if let Some((mark, id)) = boot.filter(|(mark, id)| *mark != 0 && !id.is_empty())
            && process::boot_mark().map(low) == Some(mark)
            && let Ok(id) = std::str::from_utf8(id)
        {
            process::remember_boot_id(id);
        }
    }

    fn suspects(&self) -> Option<Vec<Record<'_>>> {
        let mut head = self.head();
        (0..self.suspects.min(MOST_SUSPECTS)).map(|_| head.record()).collect()
    }

    /// Where each block lies, its check, and its first path.
    fn fences(&self) -> Option<Vec<Fence<'_>>> {
        let mut head = self.head();
        for _ in 0..self.suspects {
            head.record()?;
        }
        let mut fences = Vec::with_capacity(self.blocks.min(1024));
        for _ in 0..self.blocks {
            let place = head.word()?;
            fences.push(Fence {
                offset: (place >> 32) as usize,
                length: (place & 0xffff_ffff) as usize,
                sum: head.word()?,
                first: head.text()?,
            });
        }
        Some(fences)
    }

    /// Calls `take` with the records that are `wanted`: they begin at `first`, the least path that could be, and lie
    /// together. `None` where a block is damaged.
    fn visit(
        &self,
        fences: &[Fence<'_>],
        first: &[u8],
        wanted: impl Fn(&[u8]) -> bool,
        take: &mut impl FnMut(Record<'_>),
    ) -> Option<()> {
        // The last block that begins before `first` can hold it; equal paths may begin in the block before that.
        let from = fences.partition_point(|fence| fence.first < first).saturating_sub(1);
        for fence in fences.get(from..)? {
            if fence.first > first && !wanted(fence.first) {
                break;
            }
            self.block(fence, |record| {
                if wanted(record.path) {
                    take(record);
                }
                Some(())
            })?;
        }
        Some(())
    }

    /// Calls `visit` with each record of a block. `None` where it is damaged, or `visit` says so.
    fn block(&self, fence: &Fence<'_>, mut visit: impl FnMut(Record<'_>) -> Option<()>) -> Option<()> {
        let from = self.blocks_at.checked_add(fence.offset)?;
        let read;
        let bytes = match self.start.get(from..from.checked_add(fence.length)?) {
            Some(bytes) => bytes,
            None => {
                read = self.file.read_at(from as u64, fence.length.min(LARGEST)).ok()?;
                read.get(..fence.length)?
            }
        };
        if check(bytes) != fence.sum {
            return None;
        }
        let mut reader = Reader(bytes);
        while !reader.0.is_empty() {
            visit(reader.record()?)?;
        }
        Some(())
    }

    /// Every entry; `None` where any part is damaged.
    fn all(&self) -> Option<Vec<Entry>> {
        let mut entries: Vec<Entry> = self.suspects()?.into_iter().map(Record::to_entry).collect::<Option<_>>()?;
        for fence in self.fences()? {
            self.block(&fence, |record| {
                entries.push(record.to_entry()?);
                Some(())
            })?;
        }
        Some(entries)
    }
}

/// Where a block lies, counted from the end of the head, its check, and its first path.
struct Fence<'a> {
    offset: usize,
    length: usize,
    sum: u64,
    first: &'a [u8],
}

/// Checks the bytes of an index, as a reader would: for tests of damage and for fuzzing.
pub fn is_sound(file: Pieces) -> bool {
    Index::open(file).and_then(|index| index.all()).is_some()
}

struct Reader<'a>(&'a [u8]);

impl<'a> Reader<'a> {
    fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    fn word(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(WORD)?.try_into().ok()?))
    }

    fn text(&mut self) -> Option<&'a [u8]> {
        let length = u16::from_le_bytes(self.take(2)?.try_into().ok()?);
        self.take(length.into())
    }

    fn boot(&mut self) -> Option<(u64, &'a [u8])> {
        Some((self.word()?, self.text()?))
    }

    fn record(&mut self) -> Option<Record<'a>> {
        let file = FileId { inode: self.word()?, size: self.word()?, changed: i128::from(self.word()? as i64) };
        Some(Record { file, id: self.text()?, path: self.text()? })
    }
}

fn put_word(out: &mut Vec<u8>, word: u64) {
    out.extend_from_slice(&word.to_le_bytes());
}

fn put_text(out: &mut Vec<u8>, text: &str) -> Option<()> {
    out.extend_from_slice(&u16::try_from(text.len()).ok()?.to_le_bytes());
    out.extend_from_slice(text.as_bytes());
    Some(())
}

fn put_entry(out: &mut Vec<u8>, entry: &Entry) -> Option<()> {
    [entry.file.inode, entry.file.size, low(entry.file.changed)].into_iter().for_each(|word| put_word(out, word));
    put_text(out, &entry.id)?;
    put_text(out, &entry.path)
}

fn pair(high: usize, low: usize) -> Option<u64> {
    Some(u64::from(u32::try_from(high).ok()?) << 32 | u64::from(u32::try_from(low).ok()?))
}

/// Nanoseconds since 1970 in 64 bits: good until 2262.
fn low(nanoseconds: i128) -> u64 {
    nanoseconds as i64 as u64
}

fn words<const COUNT: usize>(bytes: &[u8]) -> Option<[u64; COUNT]> {
    let mut reader = Reader(bytes);
    let mut words = [0; COUNT];
    for word in &mut words {
        *word = reader.word()?;
    }
    Some(words)
}

/// A checksum against damage, not against intent: eight bytes a step. Public for whoever makes an index to test with.
pub fn check(bytes: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let step = |sum: u64, word: u64| {
        let mixed = (sum ^ word).wrapping_mul(FACTOR);
        mixed ^ (mixed >> 29)
    };
    let (words, rest) = bytes.as_chunks::<WORD>();
    let sum =
        words.iter().fold((bytes.len() as u64).wrapping_mul(FACTOR), |sum, word| step(sum, u64::from_le_bytes(*word)));
    rest.iter().fold(sum, |sum, byte| step(sum, u64::from(*byte)))
}
