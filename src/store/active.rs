//! The live sessions' manifests: reading them all, changing one, archiving one.
//!
//! A reader takes no lock and never waits; it sees an old manifest or the new one. Writers take the lock of the
//! `active` folder for the microseconds between reading and renaming.

use std::cmp::Ordering;
use std::io::ErrorKind;
use std::path::PathBuf;
use std::time::Duration;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::history;
use super::live::{Liveness, liveness};
use super::root::Root;
use super::{revision, touched};
use crate::error::{Error, Result};
use crate::session::event::{self, Outcome};
use crate::session::id::SessionId;
use crate::session::manifest::Manifest;
use crate::session::order::sort_by;
use crate::sys::files::{Folder, Meta, PRIVATE};
use crate::sys::process;

/// A manifest is a few KiB; a larger file is not one of ours and is not read into memory.
pub const MANIFEST_LIMIT: usize = 4 << 20;

/// How long a command waits for another writer. A writer holds the lock for microseconds, unless it was stopped.
pub const PATIENCE: Duration = Duration::from_secs(2);

/// One session of the `active` folder.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its id, from the name of its file.
    pub id: SessionId,
    /// What is written there. Sessions are handed on and sorted: it stays where it is.
    pub manifest: Box<Manifest>,
    /// Whether its process runs.
    pub liveness: Liveness,
    /// When its file was last written, for manifests that do not say themselves.
    pub written: Timestamp,
}

impl Session {
    /// A session as its manifest describes it; asks whether its process runs.
    pub fn new(id: SessionId, manifest: Manifest, meta: &Meta) -> Session {
        let liveness = liveness(&manifest);
        let written = Timestamp::from_nanosecond(meta.modified).unwrap_or(Timestamp::UNIX_EPOCH);
        Session { id, manifest: Box::new(manifest), liveness, written }
    }

    /// The last sign of life.
    pub fn last_seen(&self) -> Timestamp {
        self.manifest.last_seen().unwrap_or(self.written)
    }
}

/// A file in `active` that is no manifest. It is reported, and left where it is.
#[derive(Clone, Debug)]
pub struct Broken {
    /// Which.
    pub path: PathBuf,
    /// Why.
    pub why: String,
}

/// All that is in `active`.
#[derive(Clone, Debug, Default)]
pub struct Active {
    /// The sessions, the oldest start first.
    pub sessions: Vec<Session>,
    /// What could not be read.
    pub broken: Vec<Broken>,
    /// How many manifests belong to other users, and are not read.
    pub foreign: usize,
}

impl Active {
    /// The sessions whose process runs.
    pub fn live(&self) -> impl Iterator<Item = &Session> {
        self.sessions.iter().filter(|session| session.liveness.counts())
    }

    /// The sessions whose process is gone.
    pub fn stale(&self) -> impl Iterator<Item = &Session> {
        self.sessions.iter().filter(|session| !session.liveness.counts())
    }
}

/// Reads every manifest. No folder means no sessions.
///
/// # Errors
/// Where the folder is there and cannot be read.
pub fn read_all(root: &Root) -> Result<Active> {
    read_where(root, |_| true)
}

/// [`read_all`], keeping the sessions that are wanted: each of the others is forgotten before the next one is read.
///
/// # Errors
/// As [`read_all`].
pub fn read_where(root: &Root, mut wanted: impl FnMut(&Session) -> bool) -> Result<Active> {
    let path = root.active();
    let failed =
        |why: std::io::Error| Error::new("reading the live sessions", path.display(), why).next("type: ait doctor");
    let folder = match root.active_folder() {
        Ok(folder) => folder,
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(Active::default()),
        Err(why) => return Err(failed(why)),
    };
    let mut active = Active::default();
    for name in folder.names().map_err(failed)? {
        let Some(id) = SessionId::from_file_name(&name) else {
            if is_stranger(&name) {
                active.broken.push(Broken { path: path.join(&name), why: "its name is not a session id".to_owned() });
            }
            continue;
        };
        match read_one(&folder, &id) {
            Ok(Some(session)) if wanted(&session) => active.sessions.push(session),
            Ok(Some(_)) => {}
            Ok(None) => active.foreign += usize::from(is_foreign(&folder, &name)),
            Err(why) => active.broken.push(Broken { path: path.join(&name), why }),
        }
    }
    sort_by(&mut active.sessions, by_age);
    sort_by(&mut active.broken, |a, b| a.path.cmp(&b.path));
    Ok(active)
}

/// At most this many names are looked at by a fast command. A folder with more was never pruned.
const FAST_NAMES: usize = 1_000;

/// The manifests that `may_matter` accepts by their bytes, each read once and parsed; whether their processes run is not
/// asked. Looks at the first thousand names; what cannot be read is left out.
///
/// Costs about 4 microseconds for a manifest that does not matter.
pub fn read_if(root: &Root, may_matter: impl Fn(&[u8]) -> bool) -> Vec<(SessionId, Manifest, Meta)> {
    let Ok(folder) = root.active_folder() else { return Vec::new() };
    let (mut ids, mut names) = (Vec::new(), 0);
    let _ = folder.names_while(|name| {
        names += 1;
        ids.extend(SessionId::from_file_name(name));
        names < FAST_NAMES
    });
    let read = |id: SessionId| {
        let (bytes, meta) = folder.read_with_meta(&id.file_name(), MANIFEST_LIMIT).ok()?;
        if meta.owner != process::user_id() || !may_matter(&bytes) {
            return None;
        }
        let manifest = parse(&bytes, &id).ok()?;
        Some((id, manifest, meta))
    };
    ids.into_iter().filter_map(read).collect()
}

/// How many manifests a hook reads of those that are not its own, and at how many names it looks. Who has that many
/// sessions has a folder that nobody pruned.
const HOOK_READS: usize = 1_000;
const HOOK_NAMES: usize = 20_000;

/// The sessions as far as a hook reads them, so that its time and memory do not grow with what lies in the folder: all
/// the live ones and some of the stale ones, no more than `stale`. Where there are more than a thousand manifests, those
/// that `known` names, and the first ones of the folder. What is no manifest is passed over.
pub fn read_some(root: &Root, stale: usize, known: impl FnOnce() -> Vec<SessionId>) -> Active {
    let mut active = Active::default();
    let Ok(folder) = root.active_folder() else { return active };
    let (mut ids, mut names) = (Vec::new(), 0);
    let listed = folder.names_while(|name| {
        names += 1;
        ids.extend(SessionId::from_file_name(name));
        names < HOOK_NAMES && ids.len() < HOOK_READS
    });
    let is_all = names < HOOK_NAMES && ids.len() < HOOK_READS;
    if listed.is_ok() && !is_all {
        ids.extend(known().into_iter().take(HOOK_READS));
        sort_by(&mut ids, Ord::cmp);
        ids.dedup();
    }
    let mut left = stale;
    for id in ids {
        let Ok(Some(session)) = read_one(&folder, &id) else { continue };
        if !session.liveness.counts() {
            let Some(less) = left.checked_sub(1) else { continue };
            left = less;
        }
        active.sessions.push(session);
    }
    sort_by(&mut active.sessions, by_age);
    active
}

/// Which of two sessions goes first in a list: the one that started earlier.
pub fn by_age(a: &Session, b: &Session) -> Ordering {
    (a.manifest.started, &a.id).cmp(&(b.manifest.started, &b.id))
}

/// Whether a file whose name is no session id looks like a manifest.
pub(super) fn is_stranger(name: &str) -> bool {
    name.ends_with(".json") && !name.starts_with('.')
}

/// How many manifests belong to other users, and are not read; none where that cannot be told.
pub fn foreign(root: &Root) -> usize {
    let Ok(folder) = root.active_folder() else { return 0 };
    let mut count = 0;
    let _ = folder.each_name(|name| {
        count += usize::from(SessionId::from_file_name(name).is_some() && is_foreign(&folder, name));
    });
    count
}

fn is_foreign(folder: &Folder, name: &str) -> bool {
    folder.meta_of(name).is_ok_and(|meta| meta.owner != process::user_id())
}

/// Reads one session of the `active` folder; `None` where it is gone meanwhile, or is somebody else's.
///
/// # Errors
/// Why it is no manifest.
pub fn read_one(folder: &Folder, id: &SessionId) -> std::result::Result<Option<Session>, String> {
    let Some((manifest, meta)) = read_manifest(folder, id)? else { return Ok(None) };
    Ok(Some(Session::new(id.clone(), manifest, &meta)))
}

fn read_manifest(folder: &Folder, id: &SessionId) -> std::result::Result<Option<(Manifest, Meta)>, String> {
    let (bytes, meta) = match folder.read_with_meta(&id.file_name(), MANIFEST_LIMIT) {
        Ok(read) => read,
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(why.to_string()),
    };
    if meta.owner != process::user_id() {
        return Ok(None);
    }
    Ok(Some((parse(&bytes, id)?, meta)))
}

fn parse(bytes: &[u8], id: &SessionId) -> std::result::Result<Manifest, String> {
    let mut manifest = Manifest::parse(bytes).map_err(|why| why.to_string())?;
    // The file name is what everything else goes by.
    id.as_str().clone_into(&mut manifest.session_id);
    Ok(manifest)
}

/// Changes one manifest, alone among the writers for the moment it takes. `change` gets the manifest (a new one where
/// there is none, out of history where the session had ended and `returning` says to look there) and says what
/// becomes of it.
///
/// # Errors
/// Where the file that is there is no manifest (it is left alone), or cannot be written; and what `change` says.
pub fn update<T>(
    root: &Root,
    id: &SessionId,
    returning: bool,
    patience: Duration,
    change: impl FnOnce(&mut Manifest, bool) -> Result<(Outcome, T)>,
) -> Result<T> {
    update_in(root, &root.open_active()?, id, returning, patience, change)
}

/// [`update`], where the folder of live sessions is open already.
///
/// # Errors
/// As [`update`].
pub fn update_in<T>(
    root: &Root,
    folder: &Folder,
    id: &SessionId,
    returning: bool,
    patience: Duration,
    change: impl FnOnce(&mut Manifest, bool) -> Result<(Outcome, T)>,
) -> Result<T> {
    let name = id.file_name();
    let path = || folder.path().join(&name);
    let lock = folder.lock(patience);
    let (mut manifest, known) = match folder.read_with_meta(&name, MANIFEST_LIMIT) {
        Ok((_, meta)) if meta.owner != process::user_id() => {
            return Err(Error::new("reading a manifest", path().display(), "it belongs to another user")
                .next("find out who put it there, and remove it"));
        }
        Ok((bytes, _)) => match parse(&bytes, id) {
            Ok(manifest) => (manifest, true),
            Err(why) => {
                return Err(Error::new("reading a manifest", path().display(), why).next("mend it or move it away"));
            }
        },
        Err(why) if why.kind() == ErrorKind::NotFound => (Manifest::default(), false),
        Err(why) => return Err(Error::new("reading a manifest", path().display(), why)),
    };
    let mut came_back = None;
    if !known
        && returning
        && let Some((day, ended)) = history::find(root, id)
    {
        manifest = ended;
        came_back = Some(day);
    }
    id.as_str().clone_into(&mut manifest.session_id);
    let before = known.then(|| manifest.shown());
    let (outcome, result) = change(&mut manifest, known || came_back.is_some())?;
    match outcome {
        Outcome::Keep => {
            touched::unfold(folder, id, &mut manifest);
            let bytes = manifest.to_bytes();
            if bytes.len() > MANIFEST_LIMIT {
                let why = format!("it would be larger than {MANIFEST_LIMIT} bytes, which nobody reads");
                return Err(Error::new("writing a manifest", path().display(), why));
            }
            write(folder, &name, &bytes)?;
        }
        Outcome::Archive => move_to_history(root, folder, id, &mut manifest)?,
        Outcome::Ignore => return Ok(result),
    }
    if let Some(day) = came_back {
        history::forget(root, day, id);
    }
    drop(lock);
    if outcome == Outcome::Archive || before.as_ref() != Some(&manifest.shown()) {
        revision::change();
    }
    Ok(result)
}

fn write(folder: &Folder, name: &str, bytes: &[u8]) -> Result<()> {
    folder
        .replace(name, bytes, PRIVATE)
        .map_err(|why| Error::new("writing a manifest", folder.path().join(name).display(), why))
}

/// Writes the end into the manifest where it lies, then moves it: a kill in between leaves a manifest that says it has
/// ended, and the next one who meets it finishes the move.
fn move_to_history(root: &Root, folder: &Folder, id: &SessionId, manifest: &mut Manifest) -> Result<()> {
    let name = id.file_name();
    touched::fold(folder, id, manifest);
    write(folder, &name, &manifest.to_bytes())?;
    let ended = manifest.ended.unwrap_or(Timestamp::UNIX_EPOCH);
    let day = history::Day::of(ended, &local_time_zone());
    let target = history::open_or_make(root, day)?;
    let failed = |why: std::io::Error| Error::new("archiving a session", target.path().join(&name).display(), why);
    keep_what_is_there(&target, id, &name).map_err(failed)?;
    match folder.move_to(&name, &target) {
        Err(why) if why.kind() == ErrorKind::CrossesDevices => {
            target.replace(&name, &manifest.to_bytes(), PRIVATE).map_err(failed)?;
            folder.remove(&name).map_err(failed)
        }
        moved => moved.map_err(failed),
    }?;
    touched::forget(folder, id);
    Ok(())
}

/// A day may know the session already: it ended twice, and the first end was not taken out, or is no manifest. That one
/// stays, under the next free name, `ID.2.json`.
fn keep_what_is_there(target: &Folder, id: &SessionId, name: &str) -> std::io::Result<()> {
    if target.meta_of(name).is_err() {
        return Ok(());
    }
    let names = (2..1000).map(|number| format!("{id}.{number}.json"));
    match names.into_iter().find(|free| target.meta_of(free).is_err()) {
        Some(free) => target.rename(name, &free),
        None => Err(ErrorKind::AlreadyExists.into()),
    }
}

/// Removes what killed writers left: their temporary files, here and in the cache.
pub fn sweep(root: &Root) {
    sweep_among(root, usize::MAX);
}

/// [`sweep`] as far as a hook does it.
pub fn sweep_some(root: &Root) {
    sweep_among(root, HOOK_NAMES);
}

fn sweep_among(root: &Root, most: usize) {
    for path in [root.active(), root.cache().to_owned(), root.cache().join("touched")] {
        let _ = Folder::open(path).and_then(|folder| folder.sweep_among(most));
    }
}

fn local_time_zone() -> TimeZone {
    crate::sys::clock::time_zone()
}

/// A session that was archived because its process is gone.
#[derive(Clone, Debug)]
pub struct Archived {
    /// What it was.
    pub session: Session,
    /// Its last sign of life.
    pub last_seen: Timestamp,
    /// The day on which it is to be found.
    pub day: history::Day,
}

/// Archives a session whose process is gone; `None` where it came back meanwhile, or somebody else archived it.
///
/// # Errors
/// Where it cannot be moved.
pub fn archive_stale(root: &Root, id: &SessionId, patience: Duration) -> Result<Option<Archived>> {
    let folder = root.open_active()?;
    let lock = folder.lock(patience);
    let Ok(Some(mut session)) = read_one(&folder, id) else { return Ok(None) };
    if session.liveness != Liveness::Stale {
        return Ok(None);
    }
    let last_seen = session.last_seen();
    if session.manifest.ended.is_none() || session.manifest.status.is_none() {
        // The moment of the end is not known; the last sign of life is the best that is.
        event::archive(&mut session.manifest, last_seen, "pruned", None);
    }
    move_to_history(root, &folder, id, &mut session.manifest)?;
    drop(lock);
    revision::change();
    let day = history::Day::of(session.manifest.ended.unwrap_or(last_seen), &local_time_zone());
    Ok(Some(Archived { session, last_seen, day }))
}
