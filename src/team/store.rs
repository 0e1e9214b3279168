//! The stores: one for each remote that the user shares records through, `$XDG_DATA_HOME/ait/team/<16 hex>/`. In it are
//! the bare repository, what `ait` knows of its own log, and a copy of the records by day that is made anew from it.

use std::hash::{BuildHasher as _, Hasher as _, RandomState};
use std::path::{Path, PathBuf};
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;

use super::record::{Level, is_id};
use crate::error::{Error, Result};
use crate::git::{Bare, Settings};
use crate::session::json_object::{each_field, take, take_some, text, truth};
use crate::store::root::fnv1a;
use crate::sys::env;
use crate::sys::files::{self, Folder, Lock, Locking, PRIVATE};

/// The file with the [`State`].
const STATE: &str = "state.json";
/// A larger file was not written by ait, in bytes.
const MAX_STATE: usize = 4 << 20;

/// The state of the user's own log. Times are seconds since 1970.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
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
    /// When a command last wanted older records than a store keeps in any case.
    pub older_wanted: i64,
    /// How many batches of others the store has.
    pub batches: u64,
    /// A fetch has begun, and its records are not sorted yet.
    pub is_partial: bool,
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
    /// How many members the remote had, the user included.
    pub members: u64,
}

impl State {
    fn parse(bytes: &[u8]) -> serde_json::Result<State> {
        let (mut state, mut wrong) = (State::default(), None);
        each_field(bytes, |name, raw| {
            if !state.take(name, raw) {
                wrong = Some(format!("`{name}` has a value of another type"));
            }
        })?;
        wrong.map_or(Ok(state), |wrong| Err(serde::de::Error::custom(wrong)))
    }

    /// Reads a field; false if its value has another type.
    fn take(&mut self, name: &str, raw: &str) -> bool {
        let null = raw == "null";
        let seconds = || raw.parse().ok();
        let texts = || serde_json::from_str(raw).ok();
        let pairs = || serde_json::from_str::<Vec<(String, String)>>(raw).ok();
        match name {
            "member" => take(&mut self.member, text(raw)),
            "salt" => take(&mut self.salt, text(raw)),
            "name" => take(&mut self.name, text(raw)),
            "share" => take(&mut self.share, text(raw)),
            "remote" => take(&mut self.remote, text(raw)),
            "url" => take(&mut self.url, text(raw)),
            "clones" => take(
                &mut self.clones,
                pairs().map(|pairs| pairs.into_iter().map(|(tree, common)| (tree.into(), common.into())).collect()),
            ),
            "left" => {
                take(&mut self.left, texts().map(|left: Vec<String>| left.into_iter().map(PathBuf::from).collect()))
            }
            "last_tree" => take(&mut self.last_tree, text(raw).map(PathBuf::from)),
            "not_before" => take(&mut self.not_before, seconds()),
            "forgotten" => take(&mut self.forgotten, texts()),
            "replaces" => take_some(&mut self.replaces, text(raw), null),
            "sent" => take(&mut self.sent, seconds()),
            "tried" => take(&mut self.tried, seconds()),
            "fetched" => take(&mut self.fetched, seconds()),
            "since" => take(&mut self.since, seconds()),
            "older_wanted" => take(&mut self.older_wanted, seconds()),
            "batches" => take(&mut self.batches, raw.parse().ok()),
            "is_partial" => take(&mut self.is_partial, truth(raw)),
            "problem" => take_some(&mut self.problem, text(raw), null),
            "notes" => take(&mut self.notes, texts()),
            "rejected" => take(&mut self.rejected, pairs()),
            "retained" => take(&mut self.retained, seconds()),
            "keys" => take(&mut self.keys, pairs()),
            "members" => take(&mut self.members, raw.parse().ok()),
            _ => true,
        }
    }

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
        let state = State::parse(&bytes).map_err(|why| failed(why.into()))?;
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
        // Stores of earlier versions are named after the URL itself.
        let path = home.join(format!("{:016x}", fnv1a(shown_url(url).as_bytes())));
        if files::exists(&path.join(STATE)) {
            return Store::open(&path);
        }
        let key = repository_key(url);
        if let Some(store) = all().into_iter().find(|store| repository_key(&store.state.url) == key) {
            return Ok(store);
        }
        let path = home.join(format!("{:016x}", fnv1a(key.as_bytes())));
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
        // The tree that joined last knows the remote by this name; in others it may have another one.
        let mut trees = [&self.state.last_tree].into_iter().chain(self.state.clones.iter().map(|(tree, _)| tree));
        match trees.find(|tree| files::is_folder(tree)) {
            Some(tree) => {
                let settings = Settings::of_clone(tree)?;
                let is_known = settings.url(&self.state.remote, tree).is_some();
                bare.reach(&settings, if is_known { &self.state.remote } else { &self.state.url }, tree);
            }
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

/// Identifies a repository, however its URL is written: `host/path`, with the port unless it is the default. It is the same
/// for `git@host:o/r.git`, `ssh://git@host/o/r` and `https://host/o/r.git`. An ssh user other than `git` is part of it if the
/// path is relative to that user's home. Local paths are kept, without `file://`.
fn repository_key(url: &str) -> String {
    const USUAL_PORTS: [(&str, &str); 4] = [("ssh", "22"), ("git", "9418"), ("http", "80"), ("https", "443")];
    let (scheme, authority, path) = match url.split_once("://") {
        Some(("file", path)) => return path.trim_end_matches('/').to_owned(),
        Some((scheme, rest)) => {
            let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
            (scheme, authority, path)
        }
        // `user@host:path`, see git-clone(1); a slash before the colon makes it a local path.
        None => match url.split_once(':') {
            Some((authority, path)) if !authority.contains('/') => ("scp", authority, path),
            _ => return url.trim_end_matches('/').to_owned(),
        },
    };
    let (user, host) = authority.rsplit_once('@').unwrap_or(("", authority));
    let usual = USUAL_PORTS.iter().find(|(name, _)| *name == scheme).and_then(|(_, port)| host.strip_suffix(port));
    let host = usual.and_then(|host| host.strip_suffix(':')).unwrap_or(host).to_ascii_lowercase();
    let is_home = path.starts_with('~') || (scheme == "scp" && !path.starts_with('/'));
    let user = user.split(':').next().unwrap_or_default();
    let is_person = is_home && matches!(scheme, "scp" | "ssh") && !matches!(user, "" | "git");
    let path = path.trim_matches('/');
    let path = path.strip_suffix(".git").unwrap_or(path).trim_end_matches('/');
    if is_person { format!("{user}@{host}/{path}") } else { format!("{host}/{path}") }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_state_is_read_as_it_was_written() {
        let two = |first: &str, second: &str| vec![(first.to_owned(), second.to_owned())];
        // Each field is named, so that a new one cannot be left out here.
        let state = State {
            member: "m".into(),
            salt: "s".into(),
            name: "Nadia \"N\"".into(),
            share: "tasks".into(),
            remote: "origin".into(),
            url: "https://example.org".into(),
            clones: vec![("/a".into(), "/a/.git".into())],
            left: vec!["/b/.git".into()],
            last_tree: "/a".into(),
            not_before: 1,
            forgotten: vec!["f".into()],
            replaces: Some("r".into()),
            sent: 2,
            tried: 3,
            fetched: 4,
            since: 5,
            older_wanted: 6,
            batches: 7,
            is_partial: true,
            problem: Some("p".into()),
            notes: vec!["n".into()],
            rejected: two("x", "y"),
            retained: -8,
            keys: two("k", "l"),
            members: 9,
        };
        assert_eq!(State::parse(&serde_json::to_vec(&state).unwrap()).unwrap(), state);
        let default = State::default();
        assert_eq!(State::parse(&serde_json::to_vec(&default).unwrap()).unwrap(), default);
        assert_eq!(State::parse(br#"{"unknown":1}"#).unwrap(), default);
        for wrong in ["[]", "{", r#"{"member":1}"#, r#"{"clones":["/a"]}"#, r#"{"sent":"1"}"#, r#"{"forgotten":null}"#]
        {
            assert!(State::parse(wrong.as_bytes()).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_forms_of_one_repository_have_one_key_and_others_have_their_own() {
        for url in [
            "git@host:o/r.git",
            "host:o/r",
            "ssh://git@host/o/r",
            "ssh://git@HOST:22/o/r.git/",
            "https://host/o/r.git",
            "https://me:secret@host:443/o/r",
            "http://host/o/r/",
            "git://host:9418/o/r.git",
        ] {
            assert_eq!(repository_key(url), "host/o/r", "{url}");
        }
        for (url, key) in [
            ("ssh://git@host:2222/o/r", "host:2222/o/r"),
            ("https://host:8443/o/r", "host:8443/o/r"),
            ("https://host/O/r", "host/O/r"),
            ("ada@host:r.git", "ada@host/r"),
            ("bob@host:r.git", "bob@host/r"),
            ("ada@host:/srv/r.git", "host/srv/r"),
            ("ssh://[::1]:2222/o/r", "[::1]:2222/o/r"),
            ("file:///srv/r.git/", "/srv/r.git"),
            ("/srv/r.git", "/srv/r.git"),
            ("./a:b", "./a:b"),
            ("", ""),
        ] {
            assert_eq!(repository_key(url), key, "{url}");
        }
    }
}
