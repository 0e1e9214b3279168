//! Where everything is.

use std::path::{Path, PathBuf};

use crate::error::{Error, Result};
use crate::sys::{env, files};

/// The folder of sessions, and what lies in it and beside it.
#[derive(Clone, Debug)]
pub struct Root {
    path: PathBuf,
    registry: PathBuf,
    cache: PathBuf,
}

impl Root {
    /// `$AIT_SESSIONS_DIR`, else `$CLAUDE_CONFIG_DIR/sessions`, else `~/.claude/sessions`.
    ///
    /// # Errors
    /// Where none of the three is set to an absolute path.
    pub fn find() -> Result<Root> {
        let home = env::home();
        let path = match (env::path("AIT_SESSIONS_DIR"), env::path("CLAUDE_CONFIG_DIR"), &home) {
            (Some(path), _, _) => path,
            (None, Some(config), _) => config.join("sessions"),
            (None, None, Some(home)) => home.join(".claude/sessions"),
            (None, None, None) => {
                return Err(Error::new("finding the sessions", "HOME", "not set to an absolute path")
                    .hint("set HOME, or AIT_SESSIONS_DIR to the folder of sessions"));
            }
        };
        if !path.is_absolute() {
            return Err(Error::new("finding the sessions", path.display(), "not an absolute path"));
        }
        // Claude Code knows nothing of AIT_SESSIONS_DIR.
        let client = env::path("CLAUDE_CONFIG_DIR").or_else(|| Some(home?.join(".claude")));
        let registry = client.map_or_else(|| path.clone(), |client| client.join("sessions"));
        // Without a home, derived files go beside the folders.
        let cache = cache_home().map_or_else(|| path.join(".ait"), |cache| cache.join(key_of(&path)));
        Ok(Root { path, registry, cache })
    }

    /// The root itself. Claude Code keeps its own files in it; only `active` and `history` are ours.
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

/// The cache folder of ait: `$XDG_CACHE_HOME/ait`, else `~/.cache/ait`. `None` without a home folder.
pub fn cache_home() -> Option<PathBuf> {
    let cache = env::path("XDG_CACHE_HOME").filter(|path| path.is_absolute());
    Some(cache.or_else(|| Some(env::home()?.join(".cache")))?.join("ait"))
}

/// A name for the cache of one root: two roots must not share one. FNV-1a, 64 bits.
fn key_of(path: &Path) -> String {
    format!("{:016x}", fnv1a(path.as_os_str().as_encoded_bytes()))
}

/// FNV-1a, 64 bits: names that need no defence against an attacker.
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}
