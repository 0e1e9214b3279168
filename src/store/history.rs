//! Ended sessions: `history/YYYY-MM-DD/<session_id>.json`, a folder for each local date on which one ended.

use std::fmt;
use std::io::ErrorKind;

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::manifest_file::{MAX_SIZE, UnreadableManifest, parse};
use super::root::Root;
use crate::error::{Error, Result};
use crate::session::id::SessionId;
use crate::session::manifest::Manifest;
use crate::session::order::sort_by;
use crate::session::time::{add_days, parse_date};
use crate::sys::files::{FileId, Folder, PRIVATE};

/// A day of history, by the local calendar.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Day(pub Date);

impl Day {
    /// The local date of a moment.
    pub fn of(moment: Timestamp, zone: &TimeZone) -> Day {
        Day(moment.to_zoned_datetime(zone.clone()).date())
    }

    /// The day so many days later, or earlier.
    pub fn plus(self, days: i64) -> Day {
        Day(add_days(self.0, days))
    }

    /// How many days lie between two days.
    pub fn distance(self, other: Day) -> i64 {
        (self.0.duration_since(other.0).as_hours() / 24).abs()
    }

    /// Its first moment by the local clock.
    pub fn begin(self, zone: &TimeZone) -> Timestamp {
        self.0.at(0, 0, 0, 0).to_zoned_datetime(zone.clone()).map_or(Timestamp::MAX, |begin| begin.timestamp())
    }

    /// Reads `YYYY-MM-DD`.
    pub fn parse(text: &str) -> Option<Day> {
        parse_date(text).map(Day)
    }
}

impl fmt::Display for Day {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(&self.0, f)
    }
}

/// The days that have a folder, the newest first. No history means no days.
///
/// # Errors
/// Where the folder is there and cannot be read.
pub fn days(root: &Root) -> Result<Vec<Day>> {
    let path = root.history();
    let listed = match Folder::open(&path) {
        Ok(folder) => folder.names(),
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
        Err(why) => Err(why),
    };
    let names = listed.map_err(|why| Error::new("reading the history", path.display(), why))?;
    let mut days: Vec<Day> = names.iter().filter_map(|name| Day::parse(name)).collect();
    sort_by(&mut days, |a, b| b.cmp(a));
    Ok(days)
}

/// Whether there is a manifest in the folder of a day.
pub fn has_sessions(root: &Root, day: Day) -> bool {
    let names = Folder::open(root.history().join(day.to_string())).and_then(|folder| folder.names());
    names.is_ok_and(|names| names.iter().any(|name| SessionId::from_file_name(name).is_some()))
}

/// The sessions that ended on a day, the last one first, and the files of that day that are not manifests.
///
/// # Errors
/// Where the day's folder is there and cannot be read.
pub fn read_day(root: &Root, day: Day) -> Result<(Vec<Manifest>, Vec<UnreadableManifest>)> {
    let path = root.history().join(day.to_string());
    let failed = |why: std::io::Error| Error::new("reading the history", path.display(), why);
    let folder = match Folder::open(&path) {
        Ok(folder) => folder,
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(Default::default()),
        Err(why) => return Err(failed(why)),
    };
    let (mut sessions, mut broken) = (Vec::new(), Vec::new());
    for name in folder.names().map_err(failed)? {
        let Some(id) = SessionId::from_file_name(&name) else { continue };
        match read(&folder, &id) {
            Ok(manifest) => sessions.push(manifest),
            Err(why) => broken.push(UnreadableManifest { path: path.join(&name), why }),
        }
    }
    // `ended` has whole seconds, `updated` has more.
    sort_by(&mut sessions, |a, b| (b.ended, b.updated, &b.session_id).cmp(&(a.ended, a.updated, &a.session_id)));
    Ok((sessions, broken))
}

fn read(folder: &Folder, id: &SessionId) -> std::result::Result<Manifest, String> {
    let bytes = folder.read_own(&id.file_name(), MAX_SIZE).map_err(|why| why.to_string())?;
    parse(&bytes, id)
}

/// One session of a day, if it may have commits or written files; without parsing most of the others.
pub(super) fn read_for_index(folder: &Folder, id: &SessionId) -> Option<Manifest> {
    let bytes = folder.read_own(&id.file_name(), MAX_SIZE).ok()?;
    let has = |field: &[u8]| memchr::memmem::find(&bytes, field).is_some();
    if has(b"\"commits\"") || has(b"\"touched\"") { parse(&bytes, id).ok() } else { None }
}

/// One session of a day; `None` if it is not there, or is not a manifest.
pub fn read_session(root: &Root, day: Day, id: &SessionId) -> Option<Manifest> {
    read(&day_folder(root, day).ok()?, id).ok()
}

/// Opens the folder of a day, making it where it is missing. A symlink in its place, or in that of all days, is refused.
///
/// # Errors
/// Where it cannot be made.
pub fn open_or_make(root: &Root, day: Day) -> Result<Folder> {
    let path = root.history().join(day.to_string());
    let folder = Folder::open_or_make_own(root.history()).and_then(|history| history.folder_or_make(&day.to_string()));
    folder.map_err(|why| Error::new("archiving a session", path.display(), why))
}

/// A session of history.
#[derive(Debug)]
pub struct Ended {
    /// What it was.
    pub manifest: Manifest,
    day: Day,
    file: FileId,
}

/// The last ended manifest of a session. One look at each day's folder, by name: nothing is listed but the days, nothing
/// is read but what is found.
pub fn find(root: &Root, id: &SessionId) -> Option<Ended> {
    let history = Folder::open(root.history()).ok()?;
    days(root).ok()?.into_iter().find_map(|day| {
        let folder = history.folder(&day.to_string()).ok()?;
        let file = folder.meta_of(&id.file_name()).ok()?.id;
        Some(Ended { manifest: read(&folder, id).ok()?, day, file })
    })
}

/// Whether the file of a session that [`find`] found is still the same.
pub fn is_unchanged(root: &Root, ended: &Ended, id: &SessionId) -> bool {
    day_folder(root, ended.day)
        .and_then(|folder| folder.meta_of(&id.file_name()))
        .is_ok_and(|meta| meta.id == ended.file)
}

/// Takes a session that came back out of its day; a file that is not the one that [`find`] found stays.
pub fn forget(root: &Root, ended: &Ended, id: &SessionId) {
    if is_unchanged(root, ended, id) {
        let _ = day_folder(root, ended.day).and_then(|folder| folder.remove(&id.file_name()));
    }
}

/// Writes a changed manifest in place of the one that [`find`] found.
///
/// # Errors
/// If it cannot be written.
pub fn write(root: &Root, ended: &Ended, id: &SessionId) -> Result<()> {
    let path = root.history().join(ended.day.to_string()).join(id.file_name());
    day_folder(root, ended.day)
        .and_then(|folder| folder.replace(&id.file_name(), &ended.manifest.to_bytes(), PRIVATE))
        .map_err(|why| Error::new("writing a session of the history", path.display(), why))
}

fn day_folder(root: &Root, day: Day) -> std::io::Result<Folder> {
    Folder::open_own(root.history()).and_then(|history| history.folder(&day.to_string()))
}
