//! What happens before a session writes a file that another live session wrote within the last hour: the setting of
//! `ait guard`.
//!
//! Kept in its own file, `$XDG_CONFIG_HOME/ait/guard.json`, else `~/.config/ait/guard.json`: an object from a
//! repository's common git folder to a setting, `*` for all others. Not in git's own configuration: reading that as git
//! does means reading what it includes, and a tool that only watches has no business writing it. It is read when there
//! is something to say, which is seldom.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::str::FromStr;

use crate::error::{Cause, Error, Result};
use crate::session::json_object;
use crate::sys::env;
use crate::sys::files::{self, Folder, PRIVATE};

/// The reaction of a hook to such a write.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Guard {
    /// Nothing.
    Off,
    /// It tells Claude, and the write goes on.
    Tell,
    /// The person is asked.
    Ask,
    /// The write is refused.
    Deny,
}

impl Guard {
    /// All of them, the mildest first.
    pub const ALL: [Guard; 4] = [Guard::Off, Guard::Tell, Guard::Ask, Guard::Deny];

    /// Its name in the file and on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Guard::Off => "off",
            Guard::Tell => "tell",
            Guard::Ask => "ask",
            Guard::Deny => "deny",
        }
    }

    /// Reads what [`Guard::as_str`] wrote.
    pub fn parse(text: &str) -> Option<Guard> {
        Guard::ALL.into_iter().find(|guard| guard.as_str() == text)
    }
}

impl FromStr for Guard {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Guard, &'static str> {
        Guard::parse(text).ok_or("expected off, tell, ask or deny")
    }
}

/// The key for all repositories without a setting of their own.
const USER: &str = "*";
/// No list of repositories is longer.
const LIMIT: usize = 1 << 20;

/// The settings. Unknown values are kept.
#[derive(Clone, Debug, Default)]
pub struct Settings(BTreeMap<String, String>);

impl Settings {
    /// Reads the settings; where there are none, none.
    ///
    /// # Errors
    /// Where the file is there and is not what we write.
    pub fn read() -> Result<Settings> {
        let path = file()?;
        let failed = |why: Cause| Error::new("reading the guard settings", path.display(), why);
        let bytes = match files::read(&path, LIMIT) {
            Ok(bytes) => bytes,
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(Settings::default()),
            Err(why) => return Err(failed(why.into())),
        };
        let settings =
            json_object::from_slice(&bytes).map_err(|why| failed(why.into()).hint("correct or remove the file"))?;
        Ok(Settings(settings))
    }

    /// The setting of a repository, given by its common git folder; `None` stands for the user's.
    pub fn own(&self, repository: Option<&Path>) -> Option<Guard> {
        let key = repository.map_or(USER.into(), Path::to_string_lossy);
        self.0.get(&*key).and_then(|word| Guard::parse(word))
    }

    /// The setting for a repository: its own, else the user's. `None` if there is neither.
    pub fn of(&self, repository: Option<&Path>) -> Option<Guard> {
        let own = repository.and_then(|repository| self.own(Some(repository)));
        own.or_else(|| self.own(None))
    }

    /// Writes the setting of a repository, or the user's.
    ///
    /// # Errors
    /// Where the file cannot be written.
    pub fn set(mut self, repository: Option<&Path>, guard: Guard) -> Result<()> {
        let key = repository.map_or(USER.into(), Path::to_string_lossy);
        self.0.insert(key.into_owned(), guard.as_str().to_owned());
        let path = file()?;
        let failed = |why: Cause| Error::new("writing the guard settings", path.display(), why);
        let mut text = serde_json::to_string_pretty(&self.0).map_err(|why| failed(why.into()))?;
        text.push('\n');
        let folder = path.parent().unwrap_or(Path::new("/"));
        Folder::open_or_make(folder)
            .and_then(|folder| folder.replace("guard.json", text.as_bytes(), PRIVATE))
            .map_err(|why| failed(why.into()))
    }
}

/// The setting for a repository, else `default`; [`Guard::Tell`] if the settings cannot be read: an error of ait must not
/// block anything.
pub fn of(repository: Option<&Path>, default: impl FnOnce() -> Option<Guard>) -> Guard {
    let setting = Settings::read().map(|settings| settings.of(repository).or_else(default));
    setting.ok().flatten().unwrap_or(Guard::Tell)
}

fn file() -> Result<PathBuf> {
    let config = env::config_home()
        .ok_or_else(|| Error::new("finding the guard settings", "HOME", "not set to an absolute path"))?;
    Ok(config.join("ait/guard.json"))
}
