//! Where everything is.

use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::profiles::{self, cache_home};
use crate::claude::registry::Record;
use crate::error::{Error, Result};
use crate::sys::{env, files};

/// The folder of sessions, and what lies in it and beside it.
#[derive(Clone, Debug)]
pub struct Root {
    path: PathBuf,
    registry: PathBuf,
    cache: PathBuf,
    /// `AIT_SESSIONS_DIR` names it: it stands alone.
    is_explicit: bool,
}

impl Root {
    /// `$AIT_SESSIONS_DIR`, else `$CLAUDE_CONFIG_DIR/sessions`, else `~/.claude/sessions`.
    ///
    /// # Errors
    /// Where none of the three is set to an absolute path.
    pub fn find() -> Result<Root> {
        let explicit = env::path("AIT_SESSIONS_DIR");
        let is_explicit = explicit.is_some();
        // Claude Code knows nothing of AIT_SESSIONS_DIR.
        let registry =
            env::path("CLAUDE_CONFIG_DIR").map(|config| config.join("sessions")).or_else(profiles::default_root);
        let Some(path) = explicit.or_else(|| registry.clone()) else {
            return Err(Error::new("finding the sessions", "HOME", "not set to an absolute path")
                .hint("set HOME, or set AIT_SESSIONS_DIR to the sessions folder"));
        };
        if !path.is_absolute() {
            return Err(Error::new("finding the sessions", path.display(), "not an absolute path"));
        }
        let registry = registry.unwrap_or_else(|| path.clone());
        Ok(Root { is_explicit, registry, ..Root::of_profile(path) })
    }

    /// The root of another profile.
    fn of_profile(path: PathBuf) -> Root {
        // Without a home, derived files go beside the folders.
        let cache = cache_home().map_or_else(|| path.join(".ait"), |cache| cache.join(key_of(&path)));
        Root { registry: path.clone(), path, cache, is_explicit: false }
    }

    /// The root of a test.
    #[cfg(test)]
    pub(super) fn at(path: PathBuf) -> Root {
        Root { registry: path.clone(), cache: path.join(".ait"), path, is_explicit: true }
    }

    /// Whether `AIT_SESSIONS_DIR` names it: then it stands alone.
    pub fn is_explicit(&self) -> bool {
        self.is_explicit
    }

    /// Remembers this root, for commands of other profiles. With `AIT_SESSIONS_DIR` only the client's own folder, in which
    /// its records are.
    pub fn remember(&self) {
        profiles::remember(&self.registry);
    }

    /// The roots that readers read: this one first, then those of other profiles that have a folder of live sessions. One
    /// that `AIT_SESSIONS_DIR` names stands alone.
    pub fn with_profiles(&self) -> Vec<Rc<Root>> {
        let mut roots = vec![Rc::new(self.clone())];
        if self.is_explicit {
            return roots;
        }
        // A profile may share this folder with another one, through a symlink.
        let mut resolved = Vec::new();
        for path in profiles::roots().into_iter().filter(|path| *path != self.path) {
            let root = Root::of_profile(path);
            if !files::is_folder(&root.active()) {
                continue;
            }
            if resolved.is_empty() {
                resolved.push(files::resolve(&self.path));
            }
            let real = files::resolve(&root.path);
            if !resolved.contains(&real) {
                resolved.push(real);
                roots.push(Rc::new(root));
            }
        }
        roots
    }

    /// The folders in which clients may keep their records: of this profile first, then of all others.
    pub fn registries(&self) -> Vec<PathBuf> {
        let mut folders = vec![self.registry.clone()];
        for folder in profiles::roots() {
            if !folders.contains(&folder) {
                folders.push(folder);
            }
        }
        folders
    }

    /// The root of the profile whose client keeps its records in this folder. With `AIT_SESSIONS_DIR` this one.
    pub fn of_registry(&self, registry: &Path) -> Rc<Root> {
        Rc::new(if self.is_explicit || registry == self.registry {
            self.clone()
        } else {
            Root::of_profile(registry.to_owned())
        })
    }

    /// Claude Code's record of the process that runs a session of this root. `start` is the start time of the process, if it
    /// is known. In a folder of their own, `AIT_SESSIONS_DIR`, there may be sessions of every profile.
    pub fn record_of(&self, pid: u32, start: Option<u64>) -> Option<Record> {
        let is_same =
            |record: &Record| record.process_start.is_none() || start.is_none() || record.process_start == start;
        let record = Record::of_process(&self.registry, pid);
        if !self.is_explicit || record.as_ref().is_some_and(is_same) {
            return record;
        }
        let others = self.registries().into_iter().skip(1);
        let other = others.filter_map(|folder| Record::of_process(&folder, pid)).find(is_same);
        other.or(record)
    }

    /// The root itself. Claude Code keeps its own files in it; only `active` and `history` belong to ait.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The folder in which Claude Code keeps its records of running clients.
    pub fn registry(&self) -> &Path {
        &self.registry
    }

    /// The folder of live sessions' manifests.
    pub fn active(&self) -> PathBuf {
        self.path.join("active")
    }

    /// The folder of ended sessions, a folder a day in it.
    pub fn history(&self) -> PathBuf {
        self.path.join("history")
    }

    /// The folder of what may be deleted at any time: marks, the log, the index.
    pub fn cache(&self) -> &Path {
        &self.cache
    }

    /// Opens a folder of the cache where there is one; a symlink in its place, or in that of the cache, is refused.
    ///
    /// # Errors
    /// Where it is missing or cannot be opened.
    pub fn cache_folder(&self, name: &str) -> std::io::Result<files::Folder> {
        files::Folder::open_own(&self.cache)?.folder(name)
    }

    /// [`Root::cache_folder`], making it where it is missing.
    ///
    /// # Errors
    /// Where it cannot be made or opened.
    pub fn open_cache(&self, name: &str) -> std::io::Result<files::Folder> {
        match self.cache_folder(name) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
                files::Folder::open_or_make_own(&self.cache)?.folder_or_make(name)
            }
            opened => opened,
        }
    }

    /// Opens the folder of live sessions where there is one. A symlink in its place is refused: what is written would
    /// land somewhere else.
    ///
    /// # Errors
    /// Where it is missing or cannot be opened.
    pub fn active_folder(&self) -> std::io::Result<files::Folder> {
        files::Folder::open_own(self.active())
    }

    /// Opens the folder of live sessions, making it where it is missing.
    ///
    /// # Errors
    /// Where it cannot be made or opened.
    pub fn open_active(&self) -> Result<files::Folder> {
        let path = self.active();
        files::Folder::open_or_make_own(&path)
            .map_err(|why| Error::new("opening the live sessions", path.display(), why).hint("type: ait doctor"))
    }
}

/// A name for the cache of one root: two roots must not share one. FNV-1a, 64 bits.
fn key_of(path: &Path) -> String {
    format!("{:016x}", fnv1a(path.as_os_str().as_encoded_bytes()))
}

/// FNV-1a, 64 bits: names that need no defence against an attacker.
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
