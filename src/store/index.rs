//! An index of the `active` folder by path, so that a prompt looks at the sessions of its own tree and no others, and
//! reads no manifest twice.
//!
//! Derived: it lies in the cache, may be deleted or damaged at any time, and is believed only as long as it cannot be
//! older than the folder. That is told without reading the folder:
//!
//! - Every file that is made, renamed or removed in `active` changes the folder's own times. An index carries the times
//!   it was made under; where they differ, it is not believed.
//! - A file system's clock has ticks. A change in the same tick as the listing would leave the times as they were, so
//!   an index is believed only if the listing began `TICK` after the folder's last change. Until then every reader
//!   lists the folder itself.
//! - A file that was no manifest when it was listed may be one that is still being written, in place, which changes no
//!   folder. Those are kept by name and looked at again each time.
//! - A manifest can also be written in place. The index speaks for one only where the file still has the inode, the size
//!   and the time of change that it had when it was read, and that was more than a `TICK` before the listing; else the
//!   manifest is read. Some hold what has no place here (`session::packed`) and are read each time.
//! - Whether a process runs is asked of the kernel each time. The index remembers what it is known by
//!   (`sys::process::mark`), which means something in the boot that it was made in.
//!
//! Listing after a change reads only what has changed since the last index, told by inode, size and time of change;
//! where that time is less than a `TICK` before the last listing, it tells nothing, and the file is read again.
//! Folders on network file systems, whose times may be seconds old, are not indexed.
//!
//! The index also remembers the id of the boot it was made in, which the kernel takes longer to tell than to read this.
//!
//! ```text
//! header   10 words: magic, check, folder inode, folder mtime, folder ctime, listed at, all read since,
//!          entries << 32 | bytes of boot and head, suspects << 32 | blocks, strangers << 32 | offset of the manifests
//! boot     word: when /proc was mounted; the id of that boot
//! head     suspects: entry each; fences: offset << 32 | length, check, first path of the block
//! blocks   16 entries each, by path: inode, size, ctime, offset << 32 | length of its manifest, id, path
//! manifests  check, mark, packed manifest
//! ```
//! Offsets of blocks count from the end of the head, those of manifests from the first of them. Strangers are files named
//! like a manifest whose name is no session id.
//! Words are 64 bits, little-endian; a text is its length in 16 bits and its bytes. Checks are `check` of the bytes
//! from the folder's inode to the end of the head, of each block, and of each manifest with its mark.

use std::borrow::Cow;
use std::io::ErrorKind;
use std::path::Path;

use jiff::Timestamp;

use super::active::{self, Active, Broken, Session};
use super::live;
use super::place::Place;
use super::root::Root;
use crate::claude::registry;
use crate::error::Result;
use crate::session::id::SessionId;
use crate::session::manifest::Manifest;
use crate::session::order::sort_by;
use crate::session::packed::{self, Reader, WORD, put_text, put_word};
use crate::sys::files::{self, FileId, Folder, Meta, PRIVATE, Pieces};
use crate::sys::{process, threads};

/// Nanoseconds: more than a tick of the kernel's clock that stamps files (10 ms at most).
const TICK: i128 = 50_000_000;
/// Nanoseconds: more than a tick where a file system keeps whole seconds (ext4 with small inodes, HFS+), or every other
/// one (FAT).
const COARSE_TICK: i128 = 2_100_000_000;
/// Nanoseconds after which every manifest is read again whatever the index says: a symlink on a session's path may
/// point elsewhere.
const LONGEST: i128 = 600_000_000_000;
const MAGIC: u64 = u64::from_le_bytes(*b"aitidx05");
const HEADER_WORDS: usize = 10;
const HEADER: usize = HEADER_WORDS * WORD;
const BLOCK: usize = 16;
/// One read of this many bytes brings all but the manifests for a few dozen sessions.
const FIRST_READ: usize = 4 * 1024;
/// To write an index takes as long as to read this many manifests.
const WORTH_WRITING: usize = 8;
/// More than this many files that are no manifests: the folder is not what it should be, and is listed each time.
const MOST_SUSPECTS: usize = 16;
/// More manifests than this are a folder that nobody pruned, and are not indexed.
const MOST: usize = 10_000;
/// A larger index than ten thousand sessions make is damaged.
const LARGEST: usize = 16 << 20;
/// Its name in the cache.
pub const NAME: &str = "index";

/// A file of `active`: which version of it was read, and the resolved path in it (empty: it was no manifest).
#[derive(Clone, Debug, PartialEq, Eq)]
struct Entry {
    id: SessionId,
    file: FileId,
    path: String,
    /// Its mark and the packed manifest; empty where it has to be read.
    packed: Vec<u8>,
}

impl Entry {
    /// The session, its process asked for now.
    fn session(&self, active: &Folder) -> Option<Session> {
        let packed = unpack(&self.packed).and_then(|(mark, manifest)| {
            let meta = active.meta_of(&self.id.file_name()).ok()?;
            session(self.id.clone(), manifest, mark, &meta)
        });
        packed.or_else(|| active::read_one(active, &self.id).ok().flatten())
    }
}

/// An [`Entry`] as it lies in the index: its texts are checked when they are wanted.
#[derive(Clone, Copy, Debug)]
struct Record<'a> {
    id: &'a [u8],
    file: FileId,
    path: &'a [u8],
    /// Where its manifest lies, and how long it is.
    place: (usize, usize),
}

/// What is needed to make a session of a [`Record`].
struct Candidate {
    id: SessionId,
    file: FileId,
    place: (usize, usize),
}

impl Record<'_> {
    fn id(&self) -> Option<SessionId> {
        SessionId::parse(std::str::from_utf8(self.id).ok()?)
    }

    fn candidate(&self) -> Option<Candidate> {
        Some(Candidate { id: self.id()?, file: self.file, place: self.place })
    }

    fn entry(&self, packed: Vec<u8>) -> Option<Entry> {
        let path = std::str::from_utf8(self.path).ok()?.to_owned();
        Some(Entry { id: self.id()?, file: self.file, path, packed })
    }
}

/// What is made of the sessions, and what else lies in the folder.
pub struct Found<T> {
    /// One for each session that is wanted.
    pub found: Vec<T>,
    /// What could not be read.
    pub broken: Vec<Broken>,
    /// How many manifests belong to other users, and are not read.
    pub foreign: usize,
}

/// The sessions of a folder, and what else lies there.
struct Listing {
    entries: Vec<Entry>,
    strangers: usize,
    /// Some of the folder could not be looked at.
    incomplete: bool,
}

/// The sessions that may be shown at a place: those whose path lies in its tree, or without repository those at this
/// folder or one above it. Of their manifests they hold what [`packed`] keeps, or more.
pub fn sessions_at(root: &Root, active: &Folder, here: &Place, now: Timestamp) -> Vec<Session> {
    trusted_at(root, active, here, now).unwrap_or_else(|| {
        let Some(listing) = list(root, active, now) else { return some_at(root, here) };
        let shown = listing.entries.iter().filter(|entry| may_show(here, &entry.path));
        shown.filter_map(|entry| entry.session(active)).collect()
    })
}

/// As many as a hook reads of them: a prompt is no place to read them all.
#[cold]
fn some_at(root: &Root, here: &Place) -> Vec<Session> {
    let mut sessions = active::read_some(root, 0, || registry::sessions(root.path())).sessions;
    sessions.retain(|session| may_show(here, &path_in(&session.manifest)));
    sessions
}

/// What `of` makes of the sessions, live or stale, in no order; nothing of those that are not wanted. Of their manifests they hold what [`packed`] keeps, or
/// more. `None`: there are more than are worth holding at once.
///
/// # Errors
/// Where the folder cannot be read.
pub fn all<T: Send>(root: &Root, now: Timestamp, of: impl Fn(Session) -> Option<T> + Sync) -> Result<Option<Found<T>>> {
    let read_all = || {
        let Active { sessions, broken, foreign } = active::read_all(root)?;
        Ok(Some(Found { found: sessions.into_iter().filter_map(&of).collect(), broken, foreign }))
    };
    let Ok(active) = root.active_folder() else { return read_all() };
    let trusted = trusted(root, &active, now, LARGEST).filter(|index| index.suspects == 0 && index.strangers() == 0);
    let found = match trusted.and_then(|index| index.every(&active, &of)) {
        Some(found) => found,
        None => {
            let Some(listing) = list(root, &active, now) else { return Ok(None) };
            if listing.incomplete || listing.strangers > 0 || listing.entries.iter().any(|entry| entry.path.is_empty())
            {
                return read_all();
            }
            listing.entries.iter().filter_map(|entry| entry.session(&active)).filter_map(of).collect()
        }
    };
    // A manifest of another user is a suspect, too.
    Ok(Some(Found { found, broken: Vec::new(), foreign: 0 }))
}

fn may_show(here: &Place, path: &str) -> bool {
    let path = Path::new(path);
    if here.repository.is_some() {
        path.starts_with(&here.root)
    } else {
        here.root.starts_with(path) && path.is_absolute()
    }
}

/// The session of a packed manifest that is still what its file holds.
fn session(id: SessionId, mut manifest: Box<Manifest>, mark: Option<u64>, meta: &Meta) -> Option<Session> {
    manifest.session_id = id.as_str().to_owned();
    let liveness = live::liveness_by(&manifest, mark);
    let written = Timestamp::from_nanosecond(meta.modified).ok()?;
    Some(Session { id, manifest, liveness, written })
}

/// A manifest with its mark, as it lies in the index.
fn pack(manifest: &Manifest) -> Vec<u8> {
    let Some(packed) = packed::pack(manifest) else { return Vec::new() };
    let mut out = Vec::with_capacity(WORD + packed.len());
    put_word(&mut out, live::mark(manifest).unwrap_or(0));
    out.extend_from_slice(&packed);
    out
}

fn unpack(bytes: &[u8]) -> Option<(Option<u64>, Box<Manifest>)> {
    let mut reader = Reader(bytes);
    let mark = reader.word()?;
    Some((Some(mark).filter(|mark| *mark != 0), packed::unpack(reader.0)?))
}

/// The moment from which on another change would have got another time than this one. A file system that keeps whole
/// seconds is known by them.
pub(super) fn after_tick(changed: i128) -> i128 {
    changed + if changed % 1_000_000_000 == 0 { COARSE_TICK } else { TICK }
}

/// The index, if it can be believed; as many bytes of it are read at once.
fn trusted(root: &Root, active: &Folder, now: Timestamp, first_read: usize) -> Option<Index> {
    let folder = active.meta().ok()?;
    let file = Pieces::open(&root.cache().join(NAME)).ok()?;
    let mut index = Index::open(file, first_read)?;
    if !index.is_of(&folder) || !index.is_settled(&folder, now.as_nanosecond()) {
        return None;
    }
    index.ask_for_boot();
    for suspect in index.suspects()? {
        let meta = active.meta_of(&suspect.id()?.file_name()).ok()?;
        if meta.id != suspect.file || index.listed() <= after_tick(meta.id.changed) {
            return None;
        }
    }
    Some(index)
}

/// What the index says of a place, if it can be believed.
fn trusted_at(root: &Root, active: &Folder, here: &Place, now: Timestamp) -> Option<Vec<Session>> {
    let index = trusted(root, active, now, FIRST_READ)?;
    let mut candidates = Vec::new();
    let mut take = |record: Record<'_>| {
        candidates.push(record.candidate()?);
        Some(())
    };
    let fences = index.fences()?;
    let root = here.root.to_str()?.as_bytes();
    if here.repository.is_some() {
        // From the tree's own path to the last one below it lie others too, such as `/a/tree-2`.
        let is_below =
            |path: &[u8]| path.strip_prefix(root).is_some_and(|rest| root == b"/" || matches!(rest, [] | [b'/', ..]));
        index.visit(&fences, root, |path| path.starts_with(root), &mut |record| {
            if is_below(record.path) { take(record) } else { Some(()) }
        })?;
    } else {
        for above in here.root.ancestors() {
            let above = above.as_os_str().as_encoded_bytes();
            index.visit(&fences, above, |path| path == above, &mut take)?;
        }
    }
    let mut sessions = Vec::with_capacity(candidates.len());
    for candidate in candidates {
        sessions.extend(index.session(active, candidate)?);
    }
    Some(sessions)
}

/// Lists the folder, reading what changed since the last index, and leaves an index for the next reader.
#[cold]
#[inline(never)]
fn list(root: &Root, active: &Folder, now: Timestamp) -> Option<Listing> {
    let mut listing = Listing { entries: Vec::new(), strangers: 0, incomplete: true };
    let Ok(before) = active.meta() else { return Some(listing) };
    let mut ids = Vec::new();
    let listed = active.names_while(|name| {
        match SessionId::from_file_name(name) {
            Some(id) => ids.push(id),
            None => listing.strangers += usize::from(active::is_stranger(name)),
        }
        ids.len() <= MOST
    });
    if ids.len() > MOST {
        return None;
    }
    listing.incomplete = listed.is_err();
    let mut last = Pieces::open(&root.cache().join(NAME)).ok().and_then(|file| Index::open(file, LARGEST));
    last.iter_mut().for_each(Index::ask_for_boot);
    // What a process was known by in another boot may be what another one is known by now.
    let this_boot = |index: &Index| index.same_boot || process::boot_mark().is_none();
    let last = last.filter(|index| index.is_recent(now.as_nanosecond()) && this_boot(index));
    let (last_listed, since) = last.as_ref().map_or((0, now.as_nanosecond()), |index| (index.listed(), index.since()));
    let mut known = last.and_then(|mut index| index.all()).unwrap_or_default();
    sort_by(&mut known, |a, b| a.id.cmp(&b.id));
    listing.entries.reserve(ids.len());
    let mut read_anew = 0;
    for id in ids {
        let meta = match active.meta_of(&id.file_name()) {
            Ok(meta) => meta,
            Err(why) => {
                listing.incomplete |= why.kind() != ErrorKind::NotFound;
                continue;
            }
        };
        let last = known.binary_search_by(|entry| entry.id.cmp(&id)).ok().and_then(|at| known.get_mut(at));
        // What was written within one tick before it was read, or half written, may be another text by now.
        let is_same = |entry: &&mut Entry| entry.file == meta.id && after_tick(meta.id.changed) < last_listed;
        match last.filter(is_same).filter(|entry| !entry.path.is_empty()) {
            Some(entry) => {
                let (path, packed) = (std::mem::take(&mut entry.path), std::mem::take(&mut entry.packed));
                listing.entries.push(Entry { id, file: meta.id, path, packed });
            }
            None => {
                read_anew += 1;
                let read = active::read_manifest(active, &id).ok().flatten();
                let path = read.as_ref().map(path_in).unwrap_or_default();
                let packed = read.as_ref().map(pack).unwrap_or_default();
                listing.entries.push(Entry { id, file: meta.id, path, packed });
            }
        }
    }
    let settled = now.as_nanosecond() > after_tick(before.id.changed).max(after_tick(before.modified));
    // Before the folder has come to rest nobody would believe the index: it spares the next one these readings, no more.
    let worth_it = settled || read_anew >= WORTH_WRITING;
    if !listing.incomplete && worth_it && !files::is_remote(active) {
        sort_by(&mut listing.entries, |a, b| (&a.path, &a.id).cmp(&(&b.path, &b.id)));
        leave(root, &listing, &before, since, now);
    }
    Some(listing)
}

/// The resolved path in a manifest; empty where it leads from whoever reads it.
fn path_in(manifest: &Manifest) -> String {
    let path = Some(Path::new(&manifest.path)).filter(|path| path.is_absolute()).map(files::resolve);
    path.and_then(|path| path.into_os_string().into_string().ok()).unwrap_or_default()
}

/// Writes the index. What cannot be written costs the next reader a listing, nothing else.
fn leave(root: &Root, listing: &Listing, folder: &Meta, since: i128, now: Timestamp) {
    if let Some(bytes) = build(listing, folder, since, now) {
        let _ = Folder::open_or_make_own(root.cache()).and_then(|cache| cache.replace(NAME, &bytes, PRIVATE));
    }
}

/// The bytes of an index of entries that are sorted by path.
fn build(listing: &Listing, folder: &Meta, since: i128, now: Timestamp) -> Option<Vec<u8>> {
    let (suspects, good): (Vec<&Entry>, Vec<&Entry>) = listing.entries.iter().partition(|entry| entry.path.is_empty());
    if suspects.len() > MOST_SUSPECTS {
        return None;
    }
    let mut head = Vec::with_capacity(1024);
    put_word(&mut head, process::boot_mark().map_or(0, low));
    put_text(&mut head, process::boot_id().unwrap_or_default())?;
    let mut manifests = Vec::with_capacity(good.len() * 512);
    for suspect in &suspects {
        put_entry(&mut head, suspect, &mut manifests)?;
    }
    let mut blocks = Vec::with_capacity(good.len() * 128);
    for block in good.chunks(BLOCK) {
        let start = blocks.len();
        for entry in block {
            put_entry(&mut blocks, entry, &mut manifests)?;
        }
        let bytes = blocks.get(start..)?;
        put_word(&mut head, pair(start, bytes.len())?);
        put_word(&mut head, check(bytes));
        put_text(&mut head, &block.first()?.path)?;
    }
    let manifests_at = HEADER + head.len() + blocks.len();
    let mut bytes = Vec::with_capacity(manifests_at + manifests.len());
    let count = good.len().div_ceil(BLOCK);
    let listed = now.as_nanosecond();
    let times = [folder.id.inode, low(folder.modified), low(folder.id.changed), low(listed), low(since)];
    put_word(&mut bytes, MAGIC);
    put_word(&mut bytes, 0);
    times.into_iter().for_each(|word| put_word(&mut bytes, word));
    put_word(&mut bytes, pair(good.len(), head.len())?);
    put_word(&mut bytes, pair(suspects.len(), count)?);
    put_word(&mut bytes, pair(listing.strangers, manifests_at)?);
    bytes.extend_from_slice(&head);
    seal(&mut bytes)?;
    bytes.extend_from_slice(&blocks);
    bytes.extend_from_slice(&manifests);
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
    /// Whether this is the boot that it was made in.
    same_boot: bool,
}

impl Index {
    fn open(file: Pieces, first_read: usize) -> Option<Index> {
        let mut start = file.read_at(0, first_read).ok()?;
        let header: [u64; HEADER_WORDS] = words(&start)?;
        let [magic, sum, _, _, _, _, _, sizes, counts, _] = header;
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
        Some(Index { file, start, blocks_at, suspects, blocks, same_boot: false })
    }

    fn word(&self, position: usize) -> u64 {
        words::<HEADER_WORDS>(&self.start).and_then(|header| header.get(position).copied()).unwrap_or(0)
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

    /// How many files have the name of a manifest, and no session id in it.
    fn strangers(&self) -> u64 {
        self.word(9) >> 32
    }

    fn head(&self) -> Reader<'_> {
        let mut head = Reader(self.start.get(HEADER..self.blocks_at).unwrap_or_default());
        boot(&mut head);
        head
    }

    /// Whether it is still the boot in which the index was made; that spares the question for the boot's id.
    fn ask_for_boot(&mut self) {
        let boot = boot(&mut Reader(self.start.get(HEADER..self.blocks_at).unwrap_or_default()));
        if let Some((mark, id)) = boot.filter(|(mark, id)| *mark != 0 && !id.is_empty())
            && process::boot_mark().map(low) == Some(mark)
            && let Ok(id) = std::str::from_utf8(id)
        {
            process::remember_boot_id(id);
            self.same_boot = true;
        }
    }

    /// The session of a candidate: what the index knows where the file is the same, else what the file says. `None` where
    /// the index is damaged, or the file cannot be read.
    fn session(&self, active: &Folder, candidate: Candidate) -> Option<Option<Session>> {
        let packed = self.packed(candidate.place)?;
        if self.listed() > after_tick(candidate.file.changed) && !packed.is_empty() {
            let (mark, manifest) = unpack(&packed)?;
            match active.meta_of(&candidate.id.file_name()) {
                Ok(meta) if meta.id == candidate.file => {
                    return Some(session(candidate.id, manifest, mark.filter(|_| self.same_boot), &meta));
                }
                Err(why) if why.kind() == ErrorKind::NotFound => return Some(None),
                Ok(_) => {}
                Err(_) => return None,
            }
        }
        active::read_one(active, &candidate.id).ok()
    }

    /// What `of` makes of the sessions, in two threads where they are many; `None` where any part of the index is
    /// damaged.
    fn every<T: Send>(mut self, active: &Folder, of: &(impl Fn(Session) -> Option<T> + Sync)) -> Option<Vec<T>> {
        const WORTH_A_THREAD: usize = 8;
        self.read_whole()?;
        let fences = self.fences()?;
        let make = |fence: &Fence<'_>, made: &mut Vec<T>| {
            self.block(fence, |record| {
                made.extend(self.session(active, record.candidate()?)?.and_then(of));
                Some(())
            })
        };
        let room = fences.len() * BLOCK;
        if fences.len() >= WORTH_A_THREAD {
            return threads::share(&fences, room, make);
        }
        let mut made = Vec::with_capacity(room);
        fences.iter().try_for_each(|fence| make(fence, &mut made))?;
        Some(made)
    }

    /// Reads what was not read at once.
    fn read_whole(&mut self) -> Option<()> {
        let size = usize::try_from(self.file.size()).ok().filter(|size| *size <= LARGEST)?;
        if self.start.len() < size {
            self.start = self.file.read_at(0, size).ok()?;
        }
        Some(())
    }

    /// The bytes from a place in the file on; read where they are not in memory.
    fn bytes(&self, from: usize, length: usize) -> Option<Cow<'_, [u8]>> {
        match self.start.get(from..from.checked_add(length)?) {
            Some(bytes) => Some(Cow::Borrowed(bytes)),
            None => {
                let read = self.file.read_at(from as u64, length.min(LARGEST)).ok()?;
                (read.len() == length).then_some(Cow::Owned(read))
            }
        }
    }

    /// A manifest with its mark, still packed. `None` where it is damaged; empty where it has to be read.
    fn packed(&self, (offset, length): (usize, usize)) -> Option<Cow<'_, [u8]>> {
        if length == 0 {
            return Some(Cow::Borrowed(&[]));
        }
        let from = (self.word(9) & 0xffff_ffff) as usize;
        let bytes = self.bytes(from.checked_add(offset)?, length)?;
        let (sum, rest) = bytes.split_first_chunk()?;
        if check(rest) != u64::from_le_bytes(*sum) {
            return None;
        }
        Some(match bytes {
            Cow::Borrowed(bytes) => Cow::Borrowed(bytes.get(WORD..)?),
            Cow::Owned(mut bytes) => Cow::Owned(bytes.split_off(WORD)),
        })
    }

    fn suspects(&self) -> Option<Vec<Record<'_>>> {
        let mut head = self.head();
        (0..self.suspects.min(MOST_SUSPECTS)).map(|_| record(&mut head)).collect()
    }

    /// Where each block lies, its check, and its first path.
    fn fences(&self) -> Option<Vec<Fence<'_>>> {
        let mut head = self.head();
        for _ in 0..self.suspects {
            record(&mut head)?;
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
        take: &mut impl FnMut(Record<'_>) -> Option<()>,
    ) -> Option<()> {
        // The last block that begins before `first` can hold it; equal paths may begin in the block before that.
        let from = fences.partition_point(|fence| fence.first < first).saturating_sub(1);
        for fence in fences.get(from..)? {
            if fence.first > first && !wanted(fence.first) {
                break;
            }
            self.block(fence, |record| if wanted(record.path) { take(record) } else { Some(()) })?;
        }
        Some(())
    }

    /// Calls `visit` with each record of a block. `None` where it is damaged, or `visit` says so.
    fn block(&self, fence: &Fence<'_>, mut visit: impl FnMut(Record<'_>) -> Option<()>) -> Option<()> {
        let from = self.blocks_at.checked_add(fence.offset)?;
        let bytes = self.bytes(from, fence.length)?;
        if check(&bytes) != fence.sum {
            return None;
        }
        let mut reader = Reader(&bytes);
        while !reader.0.is_empty() {
            visit(record(&mut reader)?)?;
        }
        Some(())
    }

    /// Every entry; `None` where any part is damaged.
    fn all(&mut self) -> Option<Vec<Entry>> {
        self.read_whole()?;
        let entry = |record: &Record<'_>| record.entry(self.packed(record.place)?.into_owned());
        let mut entries: Vec<Entry> = self.suspects()?.iter().map(entry).collect::<Option<_>>()?;
        for fence in self.fences()? {
            self.block(&fence, |record| {
                entries.push(entry(&record)?);
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
    Index::open(file, FIRST_READ).and_then(|mut index| index.all()).is_some_and(|entries| entries.iter().all(is_packed))
}

fn is_packed(entry: &Entry) -> bool {
    entry.packed.is_empty() || unpack(&entry.packed).is_some()
}

fn boot<'a>(reader: &mut Reader<'a>) -> Option<(u64, &'a [u8])> {
    Some((reader.word()?, reader.text()?))
}

fn record<'a>(reader: &mut Reader<'a>) -> Option<Record<'a>> {
    let file = file_id(reader)?;
    let place = reader.word()?;
    let place = ((place >> 32) as usize, (place & 0xffff_ffff) as usize);
    Some(Record { file, place, id: reader.text()?, path: reader.text()? })
}

/// Writes an entry, and its manifest to the others.
fn put_entry(out: &mut Vec<u8>, entry: &Entry, manifests: &mut Vec<u8>) -> Option<()> {
    let offset = manifests.len();
    if !entry.packed.is_empty() {
        put_word(manifests, check(&entry.packed));
        manifests.extend_from_slice(&entry.packed);
    }
    let place = pair(offset, manifests.len() - offset)?;
    put_file_id(out, entry.file);
    put_word(out, place);
    put_text(out, entry.id.as_str())?;
    put_text(out, &entry.path)
}

/// Writes which version of a file was read.
pub(super) fn put_file_id(out: &mut Vec<u8>, file: FileId) {
    [file.inode, file.size, low(file.changed)].into_iter().for_each(|word| put_word(out, word));
}

pub(super) fn file_id(reader: &mut Reader<'_>) -> Option<FileId> {
    Some(FileId { inode: reader.word()?, size: reader.word()?, changed: i128::from(reader.word()? as i64) })
}

/// Puts the [`check`] of all that follows it into the second word.
pub(super) fn seal(bytes: &mut [u8]) -> Option<()> {
    let sum = check(bytes.get(2 * WORD..)?);
    bytes.get_mut(WORD..2 * WORD)?.copy_from_slice(&sum.to_le_bytes());
    Some(())
}

fn pair(high: usize, low: usize) -> Option<u64> {
    Some(u64::from(u32::try_from(high).ok()?) << 32 | u64::from(u32::try_from(low).ok()?))
}

/// Nanoseconds since 1970 in 64 bits: good until 2262.
pub(super) fn low(nanoseconds: i128) -> u64 {
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
