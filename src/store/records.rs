//! What Claude Code's registry held when sessions were last listed, so that the next list asks only whether a record has
//! changed, and reads those that have.
//!
//! Derived: it lies in the cache and may be deleted or damaged at any time. A record is taken from here only where its
//! file still has the inode, the size and the time of change that it had when it was read, and that was more than a tick
//! before: the client rewrites it in place.
//!
//! ```text
//! header   4 words: magic, check of all that follows, when the records were read, how many there are
//! record   words: pid, inode, size, ctime, start of the process, since when (2); texts: session, status, waiting for
//! ```

use std::borrow::Cow;

use jiff::Timestamp;

use super::index::{after_tick, check, file_id, low, put_file_id, seal};
use super::root::Root;
use crate::claude::registry::{self, Record};
use crate::session::order::sort_by_key;
use crate::session::packed::{NO_NUMBER, Reader, WORD, put_text, put_text_or_none, put_time, put_word};
use crate::sys::files::{self, FileId, Folder, PRIVATE, Pieces};

const MAGIC: u64 = u64::from_le_bytes(*b"aitrec01");
/// To write them down takes as long as to read this many.
const WORTH_WRITING: usize = 8;
/// More than ten thousand records take less; a larger file is damaged.
const LARGEST: u64 = 4 << 20;
/// Its name in the cache.
pub const NAME: &str = "records";

/// One record, of the version of its file that was read. Of its fields it has those that tell a state.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Known {
    /// The process.
    pub pid: u32,
    /// The file that was read.
    pub file: FileId,
    /// What it said.
    pub record: Record,
}

/// The folder of the records, and what is known of them.
#[derive(Debug)]
pub struct Records {
    folder: Folder,
    /// By pid.
    known: Vec<Known>,
    /// Nanoseconds since 1970: none of them was read earlier.
    read: i128,
}

impl Records {
    /// What is known of the records of a root. `None` where they cannot be reached.
    pub fn open(root: &Root) -> Option<Records> {
        let folder = Folder::open(root.path()).ok()?;
        let file = Pieces::open(&root.cache().join(NAME)).ok().filter(|file| file.size() <= LARGEST);
        let bytes = file.and_then(|file| file.read_at(0, file.size() as usize).ok());
        let (read, known) = bytes.and_then(|bytes| read(&bytes)).unwrap_or_default();
        Some(Records { folder, known, read })
    }

    /// The record of a process: owned where it had to be read.
    pub fn of_process(&self, pid: u32) -> Option<Cow<'_, Known>> {
        let name = registry::name_of(pid);
        let known = self.known.binary_search_by_key(&pid, |known| known.pid).ok().and_then(|at| self.known.get(at));
        if let Some(known) = known.filter(|known| after_tick(known.file.changed) < self.read)
            && self.folder.meta_of(&name).ok()?.id == known.file
        {
            return Some(Cow::Borrowed(known));
        }
        let (record, file) = Record::read_in(&self.folder, &name)?;
        Some(Cow::Owned(Known { pid, file, record }))
    }

    /// Writes down what was read anew, with what else is known of the processes that are `listed`; where it is little,
    /// it is read again instead. `now` is a moment before the first of them was read.
    pub fn keep(mut self, root: &Root, mut fresh: Vec<Known>, mut listed: Vec<u32>, now: Timestamp) {
        if fresh.len() < WORTH_WRITING || files::is_remote(&self.folder) {
            return;
        }
        sort_by_key(&mut fresh, |fresh| fresh.pid);
        sort_by_key(&mut listed, |pid| *pid);
        let is_fresh = |pid: u32| fresh.binary_search_by_key(&pid, |fresh| fresh.pid).is_ok();
        self.known.retain(|known| listed.binary_search(&known.pid).is_ok() && !is_fresh(known.pid));
        self.known.extend(fresh);
        sort_by_key(&mut self.known, |known| known.pid);
        if let Some(bytes) = build(&self.known, now) {
            // What cannot be written costs the next list as many readings.
            let _ = Folder::open_or_make_own(root.cache()).and_then(|cache| cache.replace(NAME, &bytes, PRIVATE));
        }
    }
}

fn build(known: &[Known], now: Timestamp) -> Option<Vec<u8>> {
    let mut bytes = Vec::with_capacity((known.len() + 1) * 160);
    put_word(&mut bytes, MAGIC);
    put_word(&mut bytes, 0);
    put_word(&mut bytes, low(now.as_nanosecond()));
    put_word(&mut bytes, known.len() as u64);
    for Known { pid, file, record } in known {
        put_word(&mut bytes, u64::from(*pid));
        put_file_id(&mut bytes, *file);
        put_word(&mut bytes, record.process_start.unwrap_or(NO_NUMBER));
        put_time(&mut bytes, record.status_since);
        put_text(&mut bytes, &record.session_id)?;
        put_text_or_none(&mut bytes, record.status.as_deref())?;
        put_text_or_none(&mut bytes, record.waiting_for.as_deref())?;
    }
    seal(&mut bytes)?;
    Some(bytes)
}

/// Reads the bytes of such a file: when, and what. Public for fuzzing.
pub fn read(bytes: &[u8]) -> Option<(i128, Vec<Known>)> {
    let mut reader = Reader(bytes);
    let magic = reader.word()?;
    if magic != MAGIC || reader.word()? != check(reader.0) {
        return None;
    }
    let at = i128::from(reader.word()? as i64);
    let count = usize::try_from(reader.word()?).ok()?;
    let mut known = Vec::with_capacity(count.min(bytes.len() / (8 * WORD)));
    for _ in 0..count {
        let pid = u32::try_from(reader.word()?).ok()?;
        let file = file_id(&mut reader)?;
        let process_start = Some(reader.word()?).filter(|start| *start != NO_NUMBER);
        let status_since = reader.time()?;
        let session_id = reader.string()?.to_owned();
        let (status, waiting_for) = (reader.string_or_none()?, reader.string_or_none()?);
        let record = Record { session_id, process_start, status, waiting_for, status_since, ..Record::default() };
        known.push(Known { pid, file, record });
    }
    Some((at, known))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn known(pid: u32) -> Known {
        let record = Record {
            session_id: format!("id-{pid}"),
            process_start: pid.is_multiple_of(2).then_some(u64::from(pid)),
            status: Some("waiting".to_owned()),
            waiting_for: pid.is_multiple_of(3).then(|| "permission prompt".to_owned()),
            status_since: pid.is_multiple_of(5).then(|| Timestamp::from_millisecond(1_700_000_000_123).unwrap()),
            ..Record::default()
        };
        Known { pid, file: FileId { inode: 7, size: 8, changed: 9 }, record }
    }

    #[test]
    fn what_is_written_is_read_back() {
        let all: Vec<Known> = (1..40).map(known).collect();
        let now = Timestamp::from_second(1_800_000_000).unwrap();
        let bytes = build(&all, now).unwrap();
        assert_eq!(read(&bytes), Some((now.as_nanosecond(), all)));
    }

    #[test]
    fn what_is_damaged_is_not_believed() {
        let bytes = build(&[known(30)], Timestamp::UNIX_EPOCH).unwrap();
        assert!((0..bytes.len()).all(|end| read(&bytes[..end]).is_none()));
        for at in 0..bytes.len() {
            let mut bytes = bytes.clone();
            bytes[at] ^= 1;
            assert!(read(&bytes).is_none(), "byte {at}");
        }
    }
}
