//! The stores: one for each remote that the user shares records through, `$XDG_DATA_HOME/ait/team/<16 hex>/`. In it are
//! the bare repository, what `ait` knows of its own log, and a copy of the records by day that is made anew from it.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::{Deserialize, Serialize};

use super::record::{Level, is_id};
use crate::error::{Error, Result};
use crate::git::{Bare, Settings};
use crate::session::json_object;
use crate::store::root::fnv1a;
use crate::sys::env;
use crate::sys::files::{self, Folder, Lock, Locking, PRIVATE};

/// The file with the [`State`].
const STATE: &str = "state.json";
/// A larger file was not written by ait, in bytes.
const MAX_STATE: usize = 4 << 20;

/// What is known of the user's own log. Times are seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct State {
    /// The member's id.
    pub member: String,
    /// A secret from which the ids of records are made.
    pub salt: String,
    /// The member's name.
    pub name: String,
    /// How much is shared: `time`, `tasks` or `all`.
    pub share: String,
    /// The remote as the user named it: a name in the clone, or a URL.
    pub remote: String,
    /// The URL to show, without a password.
    pub url: String,
    /// The trees of the clones that share, and their common git folders.
    pub clones: Vec<(PathBuf, PathBuf)>,
    /// The common git folders of clones that shared before.
    pub left: Vec<PathBuf>,
    /// The tree that joined last: how to reach the remote after every clone has left.
    pub last_tree: PathBuf,
    /// Nothing that ended before is shared.
    pub not_before: i64,
    /// The records that the user has forgotten.
    pub forgotten: Vec<String>,
    /// The own log was rewritten; the remote still has this tip.
    pub replaces: Option<String>,
    /// When records were last sent, and when that was last tried.
    pub sent: i64,
    /// When sending was last tried.
    pub tried: i64,
    /// When the records of others were last fetched.
    pub fetched: i64,
    /// From when on the store has the records of others.
    pub since: i64,
    /// Why the last try failed, on one line.
    pub problem: Option<String>,
    /// What the last fetch found out about other members, a line each.
    pub notes: Vec<String>,
    /// Tips that could not be fetched, or that are not worth it.
    pub rejected: Vec<(String, String)>,
    /// When the own log was last looked through for what is older than the retention.
    pub retained: i64,
    /// The keys with which members sign, as they were first seen.
    pub keys: Vec<(String, String)>,
    /// How many members the remote had.
    pub members: u64,
}

impl State {
    /// The ref of the own log.
    pub fn own_ref(&self) -> String {
        format!("refs/ait/v1/{}", self.member)
    }

    /// How much is shared.
    pub fn level(&self) -> Level {
        self.share.parse().unwrap_or_default()
    }

    /// The id of a session's record.
    pub fn record_id(&self, session_id: &str) -> String {
        format!("{:016x}", fnv1a([session_id, "\n", &self.salt].concat().as_bytes()))
    }

    /// Whether any clone shares.
    pub fn is_joined(&self) -> bool {
        !self.clones.is_empty()
    }

    /// Seconds between two syncs: hosts allow only a few pushes a minute.
    pub fn interval(&self) -> i64 {
        (30 * 60).max(i64::try_from(self.members).unwrap_or(0).saturating_mul(15)).min(86_400)
    }
}

/// A store.
#[derive(Debug)]
pub struct Store {
    folder: Folder,
    /// Its state when it was opened.
    pub state: State,
}

/// The folder of all stores.
pub fn home() -> Option<PathBuf> {
    let data = env::path("XDG_DATA_HOME").filter(|path| path.is_absolute());
    Some(data.or_else(|| Some(env::home()?.join(".local/share")))?.join("ait/team"))
}

/// Whether there are any stores. One system call: hooks ask.
pub fn any() -> bool {
    home().is_some_and(|home| files::is_folder(&home))
}

/// All stores that can be read.
pub fn all() -> Vec<Store> {
    let Some(home) = home() else { return Vec::new() };
    let names = Folder::open_own(&home).and_then(|folder| folder.names()).unwrap_or_default();
    names.iter().filter(|name| is_id(name)).filter_map(|name| Store::open(&home.join(name)).ok()).collect()
}

/// The store that the clone with this common git folder shares through.
pub fn of_clone(common_dir: &Path) -> Option<Store> {
    all().into_iter().find(|store| store.state.clones.iter().any(|(_, common)| common == common_dir))
}

/// The store that this clone shares through, or shared before it left.
pub fn of_clone_ever(common_dir: &Path) -> Option<Store> {
    let had = |store: &Store| store.state.left.iter().any(|common| common == common_dir);
    of_clone(common_dir).or_else(|| all().into_iter().find(had))
}

/// Random digits: the ids of members and the secret of their records.
pub fn random_id() -> String {
    // The standard library takes its hash keys from the system's random numbers.
    format!("{:016x}", RandomState::new().build_hasher().finish())
}

impl Store {
    /// Opens the store in a folder.
    ///
    /// # Errors
    /// If it has none, or it cannot be read.
    pub fn open(path: &Path) -> Result<Store> {
        let failed = |why: crate::error::Cause| Error::new("reading the team's store", path.display(), why);
        let folder = Folder::open_own(path).map_err(|why| failed(why.into()))?;
        let bytes = folder.read_own(STATE, MAX_STATE).map_err(|why| failed(why.into()))?;
        let state: State = json_object::from_slice(&bytes).map_err(|why| failed(why.into()))?;
        if !is_id(&state.member) {
            return Err(failed("no member in it".into()).hint("move the folder away, then type: ait team join"));
        }
        Ok(Store { folder, state })
    }

    /// The store for a URL; a new one is not written yet.
    ///
    /// # Errors
    /// If its folder cannot be opened or created.
    pub fn for_url(url: &str) -> Result<Store> {
        let home = home().ok_or_else(|| {
            Error::new("finding the team's store", "HOME", "not set to an absolute path").hint("set HOME")
        })?;
        // Without the user and the password of a URL: they change, and concern nobody.
        let path = home.join(format!("{:016x}", fnv1a(shown_url(url).as_bytes())));
        if files::exists(&path.join(STATE)) {
            return Store::open(&path);
        }
        let folder = Folder::open_or_make_own(&path)
            .map_err(|why| Error::new("creating the team's store", path.display(), why))?;
        let state =
            State { member: random_id(), salt: random_id() + &random_id(), url: shown_url(url), ..State::default() };
        Ok(Store { folder, state })
    }

    /// Its folder.
    pub fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Its open folder, for files beside the state.
    pub fn folder(&self) -> &Folder {
        &self.folder
    }

    /// Takes its lock, and reads the state again: another process may have changed it meanwhile.
    ///
    /// # Errors
    /// If another process has held the lock for `limit`, or the state cannot be read.
    pub fn lock(&mut self, limit: Duration) -> Result<Guard> {
        let failed = |why: crate::error::Cause| Error::new("locking the team's store", self.path().display(), why);
        // A second description of the folder: the lock outlives any change of this value.
        let folder = Folder::open_own(self.path()).map_err(|why| failed(why.into()))?;
        match folder.lock(limit) {
            // Released when the folder is closed.
            Locking::Held(lock) => std::mem::forget::<Lock<'_>>(lock),
            Locking::Busy => return Err(failed("another sync is running".into()).hint("try again in a minute")),
            Locking::Unsupported => return Err(failed("the file system has no locks".into())),
        }
        if files::exists(&self.path().join(STATE)) {
            self.state = Store::open(self.path())?.state;
        }
        Ok(Guard { _held: folder })
    }

    /// Writes the state.
    ///
    /// # Errors
    /// If it cannot be written.
    pub fn save(&self) -> Result<()> {
        let bytes = serde_json::to_vec(&self.state).unwrap_or_default();
        let staged = self.folder.stage(STATE, &bytes, PRIVATE).and_then(|staged| {
            staged.sync()?;
            staged.commit()
        });
        staged.map_err(|why| Error::new("writing the team's store", self.path().display(), why))
    }

    /// The bare repository, and the clone's settings to reach the remote. Created if it is missing.
    ///
    /// # Errors
    /// If no clone exists any more, or git fails.
    pub fn repository(&self) -> Result<Bare> {
        let path = self.path().join("git");
        let failed = |why: std::io::Error| Error::new("opening the team's store", path.display(), why);
        let mut bare = Bare::new(path.clone()).map_err(failed)?;
        let trees = self.state.clones.iter().map(|(tree, _)| tree).chain([&self.state.last_tree]);
        match trees.into_iter().find(|tree| files::is_folder(tree)) {
            Some(tree) => bare.reach(&Settings::of_clone(tree)?, &self.state.remote, tree),
            None => bare.reach(&Settings::default(), &self.state.url, Path::new("/")),
        }
        if !files::exists(&path.join("HEAD")) {
            bare.create().map_err(failed)?;
        }
        Ok(bare)
    }

    /// Whether something may be sent now, by the rate limit.
    pub fn is_due(&self, now: Timestamp) -> bool {
        let since = now.as_second().saturating_sub(self.state.tried);
        // A clock that was set back.
        since < 0 || since >= self.state.interval()
    }
}

/// The lock of a store. It is released when this is dropped, and when the process ends.
#[derive(Debug)]
pub struct Guard {
    /// Closing it releases the lock.
    _held: Folder,
}

/// A URL without the user and the password in it.
pub fn shown_url(url: &str) -> String {
    match url.split_once("://") {
        Some((scheme, rest)) => {
            let end = rest.find('/').unwrap_or(rest.len());
            let start = rest.get(..end).and_then(|host| host.rfind('@')).map_or(0, |at| at + 1);
            format!("{scheme}://{}", rest.get(start..).unwrap_or_default())
        }
        None => url.to_owned(),
    }
}
