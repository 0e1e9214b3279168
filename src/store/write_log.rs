//! The files that each session wrote, and the sessions that recently wrote a file.
//!
//! There are two forms, for two questions.
//!
//! **Which files did this session write?** `active/<session_id>.touched`, beside the manifest, with one line for each write
//! ([`FileWrite::to_line`]). The list is not in the manifest, because that is rewritten at each event, and five thousand
//! files would make it half a megabyte. A write is appended with one system call. When the size of the log passes a power
//! of two from 64 KiB on, it is compacted, if that halves it at least: writing one file again and again does not make the log
//! grow, and a log is never longer than four times its content. When the session is archived, the list moves to the field
//! `touched` of the manifest; when the session returns, it becomes a log again.
//!
//! **Which sessions recently wrote this file?** A hook asks this before each write, and there is no time to read twenty logs
//! of five thousand lines. So the cache contains `touched/<three hex digits of a hash of the path>`, with one line for each
//! write: the session and the whole path. The answer is in one small file, which usually does not exist. These files are
//! compacted in the same way, from 4 KiB on, and writes older than an hour are dropped then. So their size is bounded by
//! the writes of an hour, and their number by 4096. The cache is written before the log, so it is never behind it; if the
//! folder is missing, it is made again from the logs.

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, BufRead, ErrorKind};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

use super::active::LOCK_TIMEOUT;
use super::manifest_file::{Session, read_session};
use super::root::{Root, fnv1a};
use crate::session::file_write::{self, FileWrite, is_fresh, parse_line};
use crate::session::id::SessionId;
use crate::session::manifest::Manifest;
use crate::session::order::sort_by;
use crate::session::time::parse_time;
use crate::sys::files::{FileId, Folder, Kind, Locking, PRIVATE, Pieces};
use crate::sys::process;

/// A log is compacted when its size passes this, or a power of two above it.
const LOG_SIZE: u64 = 64 << 10;
/// The same for a file of the cache.
const BUCKET_SIZE: u64 = 4 << 10;
/// Longer than any log that compacting leaves: a hundred thousand different files.
const MAX_LOG: usize = 32 << 20;
/// More bytes than hooks append to a log while it is being compacted.
const MAX_APPENDED: usize = 64 << 10;
/// The most files that an archived manifest lists, the newest.
const MAX_ARCHIVED: usize = 1000;
/// How much of the end of a log is read to find recent writes.
const TAIL: usize = 4 << 10;
/// The most sessions that are reported to have written the same file.
const MAX_WRITERS: usize = 4;

/// Appends a write to the log and to the cache. `folder` is that of live sessions; the caller holds its lock. Returns the
/// logs that have become worth compacting, for [`compact`].
///
/// # Errors
/// If the log cannot be written.
pub fn append(folder: &Folder, id: &SessionId, file_write: &FileWrite, write: &PendingWrite) -> io::Result<Vec<Due>> {
    let mut due = Vec::new();
    if let Some(cache) = &write.cache {
        let line = file_write::line(file_write.at, id.as_str(), &write.file.to_string_lossy());
        let name = bucket_of(&write.file);
        if let Ok(size) = cache.append_and_size(&name, line.as_bytes())
            && passes(size, line.len(), BUCKET_SIZE)
        {
            due.push(Due { name, is_cache: true });
        }
    }
    let (name, line) = (id.touched_name(), file_write.to_line());
    let size = folder.append_and_size(&name, line.as_bytes())?;
    if passes(size, line.len(), LOG_SIZE) {
        due.push(Due { name, is_cache: false });
    }
    Ok(due)
}

/// A log that has become worth compacting.
#[derive(Debug)]
pub struct Due {
    name: String,
    is_cache: bool,
}

/// Compacts logs, without the lock for as long as that takes; under the lock only what was appended meanwhile is copied.
/// A log that cannot be compacted stays as it is.
pub fn compact(root: &Root, folder: &Folder, due: &[Due], now: Timestamp) {
    for due in due {
        let _ = if due.is_cache {
            root.cache_folder("touched").and_then(|cache| {
                let is_fresh = |line: &str| {
                    let when = parse_line(line).and_then(|(when, _, _)| parse_time(&when));
                    when.is_some_and(|when| is_fresh(when, now))
                };
                compact_log(folder, &cache, &due.name, |log| compacted(log, is_fresh))
            })
        } else {
            compact_log(folder, folder, &due.name, |log| compacted(log, |_| true))
        };
    }
}

fn compacted(log: &[u8], keep: impl Fn(&str) -> bool) -> String {
    let mut kept = String::new();
    for line in file_write::compact(&String::from_utf8_lossy(log)).lines().filter(|line| keep(line)) {
        let _ = writeln!(kept, "{line}");
    }
    kept
}

/// Replaces the log `name` in `folder` by what `compacted` makes of it, if that halves it. `lock` is the folder whose lock
/// its writers hold.
pub(super) fn compact_log(
    lock: &Folder,
    folder: &Folder,
    name: &str,
    compacted: impl FnOnce(&[u8]) -> String,
) -> io::Result<()> {
    let (log, was) = folder.read_with_meta(name, MAX_LOG)?;
    let kept = compacted(&log);
    // Unless it halves the log it waits until the size has doubled again: a log whose lines nearly all count would be
    // rewritten every few writes otherwise.
    if kept.len() > log.len() / 2 {
        return Ok(());
    }
    let Locking::Held(_lock) = lock.lock(LOCK_TIMEOUT) else { return Ok(()) };
    let now = folder.meta_of(name)?.id;
    if now.inode != was.id.inode || now.size < log.len() as u64 {
        // Another process compacted it meanwhile, or its session left and came back: this is not the log that was read.
        return Ok(());
    }
    let appended = Pieces::open(&folder.path().join(name))?.read_at(log.len() as u64, MAX_APPENDED)?;
    if appended.len() == MAX_APPENDED {
        return Ok(());
    }
    folder.replace(name, &[kept.as_bytes(), &appended].concat(), PRIVATE)
}

/// Whether a file that grew by `added` to `size` passed a power of two, `from` the first.
pub(super) fn passes(size: u64, added: usize, from: u64) -> bool {
    let before = size.saturating_sub(added as u64);
    size > from && before.checked_ilog2() != size.checked_ilog2()
}

/// The files that a session wrote, each once, the last one at the end.
pub fn all(root: &Root, id: &SessionId) -> Vec<FileWrite> {
    root.active_folder().map(|folder| read(&folder, id)).unwrap_or_default()
}

fn read(folder: &Folder, id: &SessionId) -> Vec<FileWrite> {
    writes_in(&folder.read_own(&id.touched_name(), MAX_LOG).unwrap_or_default())
}

fn writes_in(log: &[u8]) -> Vec<FileWrite> {
    file_write::compact(&String::from_utf8_lossy(log)).lines().filter_map(FileWrite::from_line).collect()
}

/// The files that a session wrote last, the newest first, each once: no more than the end of its log is read.
pub fn recent(root: &Root, id: &SessionId, count: usize) -> Vec<FileWrite> {
    let log = Pieces::open(&root.active().join(id.touched_name()));
    let Some(log) = log.ok().filter(|log| log.owner() == process::user_id()) else { return Vec::new() };
    let from = log.size().saturating_sub(TAIL as u64);
    let tail = log.read_at(from, TAIL).unwrap_or_default();
    let mut file_writes: Vec<FileWrite> = Vec::new();
    for file_write in String::from_utf8_lossy(&tail).lines().rev().filter_map(FileWrite::from_line) {
        if file_writes.len() < count && file_writes.iter().all(|known| known.file() != file_write.file()) {
            file_writes.push(file_write);
        }
    }
    file_writes
}

/// A file that a session is about to write or wrote.
#[derive(Debug)]
pub struct PendingWrite {
    /// Its whole path, symlinks resolved.
    pub file: PathBuf,
    /// The other live sessions that wrote it within the hour, and when each last did, the newest first.
    pub others: Vec<(Session, Timestamp)>,
    /// When this session last did, within the hour.
    pub mine: Option<Timestamp>,
    cache: Option<Folder>,
}

/// The sessions of any profile that recently wrote a file, seen from one session. `file` is the whole path, symlinks resolved.
pub fn look_up(root: &Root, file: PathBuf, me: &SessionId, now: Timestamp) -> PendingWrite {
    let own = cache(root, now).ok();
    let (mine, mut others) = own.as_ref().map(|cache| writers(root, cache, &file, me, now)).unwrap_or_default();
    for root in root.with_profiles().iter().skip(1) {
        let Ok(cache) = root.cache_folder("touched") else { continue };
        let (_, theirs) = writers(root, &cache, &file, me, now);
        others.extend(theirs);
        sort_by(&mut others, |one, other| other.1.cmp(&one.1));
    }
    others.truncate(MAX_WRITERS);
    PendingWrite { file, others, mine, cache: own }
}

/// When a session last wrote a file, and which other live sessions of a root did, the newest first; within the hour.
fn writers(
    root: &Root,
    cache: &Folder,
    file: &Path,
    me: &SessionId,
    now: Timestamp,
) -> (Option<Timestamp>, Vec<(Session, Timestamp)>) {
    let bucket = cache.read(&bucket_of(file), MAX_LOG).unwrap_or_default();
    // Most lines are of other files; those are not taken apart, nor looked at for anything but where they end.
    let end = serde_json::to_string(&file.to_string_lossy()).unwrap_or_default() + "]\n";
    let mut last: Vec<(Cow<'_, str>, Cow<'_, str>)> = Vec::new();
    for line in Lines(&bucket) {
        let Some(before) = line.strip_suffix(end.as_bytes()) else { continue };
        let Some((at, id)) = time_and_id(line, before) else { continue };
        last.retain(|(known, _)| *known != id);
        last.push((id, at));
    }
    let fresh = |(id, at): (Cow<'_, str>, Cow<'_, str>)| {
        let at = parse_time(&at).filter(|at| is_fresh(*at, now))?;
        Some((id.into_owned(), at))
    };
    let mut last: Vec<(String, Timestamp)> = last.into_iter().filter_map(fresh).collect();
    let mine = last.iter().find(|(id, _)| id == me.as_str()).map(|(_, at)| *at);
    last.retain(|(id, _)| id != me.as_str());
    let folder = if last.is_empty() { None } else { root.active_folder().ok() };
    let session = |(id, at): (String, Timestamp)| {
        let session = read_session(folder.as_ref()?, &SessionId::parse(&id)?).ok()??;
        session.counts(now).then_some((session, at))
    };
    (mine, last.into_iter().rev().filter_map(session).take(MAX_WRITERS).collect())
}

/// When a line of the cache was written and by whom; `before` is the line without its third text. One session may have
/// written a file many times: only its last line is worth taking apart.
fn time_and_id<'a>(line: &'a [u8], before: &'a [u8]) -> Option<(Cow<'a, str>, Cow<'a, str>)> {
    let as_it_stands = |before: &'a [u8]| {
        let (at, id) =
            std::str::from_utf8(before).ok()?.strip_prefix("[\"")?.strip_suffix("\",")?.split_once("\",\"")?;
        let is_plain = |text: &str| !text.contains(['"', '\\']);
        (is_plain(at) && is_plain(id)).then_some((Cow::Borrowed(at), Cow::Borrowed(id)))
    };
    as_it_stands(before).or_else(|| {
        let (at, id, _) = std::str::from_utf8(line).ok().and_then(parse_line)?;
        Some((at, id))
    })
}

/// The lines of a file, each with its line feed: found by the C library, which looks at many bytes at a time.
struct Lines<'a>(&'a [u8]);

impl<'a> Iterator for Lines<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let all = self.0;
        let length = self.0.skip_until(b'\n').ok()?;
        all.get(..length).filter(|line| !line.is_empty())
    }
}

fn bucket_of(file: &Path) -> String {
    format!("{:03x}", fnv1a(file.as_os_str().as_encoded_bytes()) & 0xfff)
}

/// Opens the cache, made from the logs where it is gone. Two that make it at once write some lines twice.
fn cache(root: &Root, now: Timestamp) -> io::Result<Folder> {
    match root.cache_folder("touched") {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            let cache = root.open_cache("touched")?;
            rebuild(root, &cache, now);
            Ok(cache)
        }
        opened => opened,
    }
}

fn rebuild(root: &Root, cache: &Folder, now: Timestamp) {
    let Ok(folder) = root.active_folder() else { return };
    for name in folder.names().unwrap_or_default() {
        let Some(id) = name.strip_suffix(".touched").and_then(SessionId::parse) else { continue };
        for file_write in read(&folder, &id).into_iter().filter(|file_write| is_fresh(file_write.at, now)) {
            let file = file_write
                .tree
                .as_deref()
                .map_or(Path::new(&file_write.path).to_owned(), |tree| Path::new(tree).join(&file_write.path));
            let line = file_write::line(file_write.at, id.as_str(), &file.to_string_lossy());
            let _ = cache.append(&bucket_of(&file), line.as_bytes());
        }
    }
}

/// Adds what the log contains to a manifest that goes to history. The log stays until [`forget`], so a kill in between
/// loses nothing. Of a log that is too long the end is read; a file that is not such a log counts as empty.
pub(super) fn fold(folder: &Folder, id: &SessionId, manifest: &mut Manifest) {
    for file_write in writes_in(&end_of_log(folder, id).unwrap_or_default()) {
        manifest.touched.retain(|known| known.file() != file_write.file());
        manifest.touched.push(file_write);
    }
    let surplus = manifest.touched.len().saturating_sub(MAX_ARCHIVED);
    manifest.touched.drain(..surplus);
}

fn end_of_log(folder: &Folder, id: &SessionId) -> io::Result<Vec<u8>> {
    let meta = folder.meta_of(&id.touched_name())?;
    if meta.kind != Kind::File || meta.owner != process::user_id() {
        return Err(ErrorKind::NotFound.into());
    }
    let log = Pieces::open(&folder.path().join(id.touched_name()))?;
    log.read_at(log.size().saturating_sub(MAX_LOG as u64), MAX_LOG)
}

/// The version of a session's log, whether it can be read or not; `None` if there is none.
pub(super) fn version(folder: &Folder, id: &SessionId) -> Option<FileId> {
    folder.meta_of(&id.touched_name()).ok().map(|meta| meta.id)
}

/// Removes the log of a session that is archived.
pub(super) fn forget(folder: &Folder, id: &SessionId) {
    let _ = folder.remove(&id.touched_name());
}

/// Makes a log again of what a manifest out of history lists.
pub(super) fn unfold(folder: &Folder, id: &SessionId, manifest: &mut Manifest) {
    if manifest.touched.is_empty() {
        return;
    }
    let lines: String = manifest.touched.iter().map(FileWrite::to_line).collect();
    // Where it cannot be written the manifest keeps them.
    if folder.append(&id.touched_name(), lines.as_bytes()).is_ok() {
        manifest.touched.clear();
    }
}

fn log_of(name: &str) -> Option<SessionId> {
    let endings = [".touched", ".activity", ".commits"];
    endings.iter().find_map(|ending| name.strip_suffix(ending)).and_then(SessionId::parse)
}

/// Removes logs without a manifest, which another program's cleanup of `*.json` leaves.
pub fn sweep(root: &Root) {
    let Ok(folder) = root.active_folder() else { return };
    let Locking::Held(_lock) = folder.lock(LOCK_TIMEOUT) else { return };
    for name in folder.names().unwrap_or_default() {
        let Some(id) = log_of(&name) else { continue };
        if folder.meta_of(&id.file_name()).is_err_and(|why| why.kind() == ErrorKind::NotFound) {
            let _ = folder.remove(&name);
        }
    }
}
