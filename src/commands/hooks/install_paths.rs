//! Where Claude Code's settings and our scripts are, and which hooks a command names.

use std::path::{Path, PathBuf};

use crate::claude::client::{self, Version};
use crate::claude::registry::Record;
use crate::claude::settings::{self, Hook, Inspection, Problem, Wanted};
use crate::context::Context;
use crate::error::{Error, Exit, Result, nearest};
use crate::render::{ui, width};
use crate::session::order::sort_by_key;
use crate::sys::atomic_edit::AtomicEdit;
use crate::sys::{files, process};

/// A settings file larger than this is not one.
const LIMIT: usize = 64 << 20;
/// The suffix of a copy, before the date.
pub(super) const COPY: &str = ".ait-backup-";
/// How many copies of the settings are kept.
const MAX_COPIES: usize = 5;

/// The files that hooks have to do with.
#[derive(Clone, Debug)]
pub struct InstallPaths {
    /// Claude Code's folder.
    pub claude: PathBuf,
    /// The user's home.
    pub home: Option<PathBuf>,
    /// This program, by the path that lasts longest.
    pub ait: PathBuf,
    /// The settings that an administrator sets for all users.
    pub managed: PathBuf,
    /// The folder that `ait` was started in, where a project's own settings may be.
    pub folder: Option<PathBuf>,
    /// The local date and time, for names of copies: `20261122-180000`.
    pub stamp: String,
    /// The oldest Claude Code that is known to read the settings: the one in `PATH`, and those that have run.
    pub client: Option<Version>,
}

impl InstallPaths {
    /// `$CLAUDE_CONFIG_DIR`, else `~/.claude`, and the rest from where it usually is.
    ///
    /// # Errors
    /// Where neither is set to an absolute path, or this program cannot tell its own.
    pub fn find(context: &Context) -> Result<InstallPaths> {
        let home = context.home.clone();
        let claude = match (context.path_variable("CLAUDE_CONFIG_DIR"), &home) {
            (Some(folder), _) => folder,
            (None, Some(home)) => home.join(".claude"),
            (None, None) => {
                return Err(Error::new("finding Claude Code's settings", "HOME", "not set to an absolute path")
                    .hint("set HOME, or CLAUDE_CONFIG_DIR to Claude Code's folder"));
            }
        };
        if !claude.is_absolute() {
            return Err(Error::new("finding Claude Code's settings", claude.display(), "not an absolute path")
                .hint("set CLAUDE_CONFIG_DIR to an absolute path"));
        }
        let managed = if cfg!(target_os = "macos") {
            "/Library/Application Support/ClaudeCode/managed-settings.json"
        } else {
            "/etc/claude-code/managed-settings.json"
        };
        let now = context.now.to_zoned_datetime(context.time_zone());
        let day = format!("{:04}{:02}{:02}", now.year(), now.month(), now.day());
        let stamp = format!("{day}-{:02}{:02}{:02}", now.hour(), now.minute(), now.second());
        let client = oldest_client(&claude);
        let folder = context.folder().ok();
        Ok(InstallPaths { claude, home, ait: own_path(context)?, managed: managed.into(), folder, stamp, client })
    }

    /// The settings of the user.
    pub fn settings(&self) -> PathBuf {
        self.claude.join("settings.json")
    }

    /// The folder of scripts.
    pub(crate) fn scripts(&self) -> PathBuf {
        self.claude.join("hooks")
    }

    /// The entries for these hooks.
    ///
    /// # Errors
    /// Where a path is not UTF-8.
    pub(crate) fn wanted(&self, hooks: &[Hook]) -> Result<Wanted> {
        let text = |path: &Path| {
            path.to_str().map(str::to_owned).ok_or_else(|| {
                Error::new(
                    "installing hooks",
                    path.display(),
                    "a path that is not UTF-8 cannot be written to settings.json",
                )
            })
        };
        let is_usual = self.home.as_ref().is_some_and(|home| self.claude == home.join(".claude"));
        // The tilde is what the documentation shows, and right on every machine that shares these settings.
        let scripts = if is_usual { "~/.claude/hooks".into() } else { settings::quote(&text(&self.scripts())?) };
        Ok(Wanted { hooks: hooks.to_vec(), ait: text(&self.ait)?, scripts, client: self.client })
    }

    pub(super) fn careful<'a>(
        &'a self,
        doing: &'static str,
        path: &'a Path,
        suffix: &'a str,
        mode: Option<u32>,
    ) -> AtomicEdit<'a> {
        AtomicEdit { doing, path, limit: LIMIT, backup_suffix: suffix, mode }
    }

    pub(crate) fn suffix(&self) -> String {
        format!("{COPY}{}", self.stamp)
    }

    /// A path for people.
    pub(crate) fn show(&self, path: &Path) -> String {
        let home = self.home.as_ref().map(|home| home.to_string_lossy());
        width::visible(&ui::with_tilde(&path.to_string_lossy(), home.as_deref()))
    }

    /// The contents of the copies of the settings, the newest first.
    pub(super) fn copies_of_settings(&self) -> Vec<Vec<u8>> {
        let file = files::resolve(&self.settings());
        let copies = copies(&file).into_iter().rev();
        copies.filter_map(|copy| files::read(&file.with_file_name(copy), LIMIT).ok()).collect()
    }

    /// Removes all but the newest copies of the settings. One that cannot be removed stays.
    pub(super) fn remove_old_copies(&self, file: &Path) {
        let copies = copies(file);
        let old = copies.len().saturating_sub(MAX_COPIES);
        let Some(folder) = file.parent().and_then(|parent| files::Folder::open(parent).ok()) else { return };
        for copy in copies.iter().take(old) {
            let _ = folder.remove(copy);
        }
    }
}

/// The names of the copies of a file that lie beside it, the oldest first.
pub(crate) fn copies(file: &Path) -> Vec<String> {
    let (Some(parent), Some(name)) = (file.parent(), file.file_name().and_then(|name| name.to_str())) else {
        return Vec::new();
    };
    let prefix = format!("{name}{COPY}");
    let mut names = files::Folder::open(parent).and_then(|folder| folder.names()).unwrap_or_default();
    names.retain(|name| name.starts_with(&prefix));
    // 20261122-180000 before 20261122-180000-2.
    sort_by_key(&mut names, |name| {
        let stamp = name.get(prefix.len()..).unwrap_or_default();
        let (stamp, count) = stamp.split_at_checked(15).unwrap_or((stamp, ""));
        (stamp.to_owned(), count.trim_start_matches('-').parse::<u32>().unwrap_or(1))
    });
    names
}

/// The oldest of the clients that are known to read settings of this folder.
fn oldest_client(claude: &Path) -> Option<Version> {
    let records = Record::all(&claude.join("sessions"));
    let ran = records.iter().filter_map(|record| Version::parse(record.version.as_deref()?));
    client::installed().and_then(|(_, version)| version).into_iter().chain(ran).min()
}

/// The path to call this program by: the one in `PATH` if that leads here, since it outlives an update.
fn own_path(context: &Context) -> Result<PathBuf> {
    let error = || {
        Error::new("finding this program", "ait", "the system does not report the path of this program")
            .hint("start ait by its full path")
    };
    let this = context.program().filter(|path| files::exists(path)).ok_or_else(error)?;
    let named = this.file_name().and_then(|name| name.to_str()).and_then(process::find_program);
    Ok(named.filter(|path| files::resolve(path) == files::resolve(&this)).unwrap_or(this))
}

/// Reads a settings file; `None` if there is none.
///
/// # Errors
/// Where it cannot be read or parsed.
pub(crate) fn read_settings(doing: &'static str, file: &Path) -> Result<Option<Inspection>> {
    let bytes = match files::read(file, LIMIT) {
        Ok(bytes) => bytes,
        Err(why) if why.kind() == std::io::ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(Error::new(doing, file.display(), why)),
    };
    settings::inspect(&bytes).map(Some).map_err(|problem| refused(doing, file, &problem))
}

/// The error for a settings file that cannot be changed.
pub(super) fn refused(doing: &'static str, file: &Path, problem: &Problem) -> Error {
    Error::new(doing, file.display(), problem.to_string())
        .hint("nothing was changed; correct the file and run the command again")
}

/// The hooks of these names, in the usual order; `usual` if there is no name.
///
/// # Errors
/// Where a name is unknown.
pub(super) fn named(names: &[String], usual: &[Hook]) -> Result<Vec<Hook>> {
    let mut hooks = Vec::new();
    for name in names {
        let hook = Hook::named(name).ok_or_else(|| {
            let all = Hook::ALL.map(Hook::name);
            let error =
                Error::new("reading the command line", name, format!("unknown hook; the hooks are {}", all.join(", ")));
            let near = nearest(name, all.into_iter());
            near.map_or(error.clone(), |near| error.hint(format!("did you mean `{near}`?"))).exit(Exit::NotFound)
        })?;
        hooks.push(hook);
    }
    let usual = if names.is_empty() { usual } else { &hooks };
    Ok(Hook::ALL.into_iter().filter(|hook| usual.contains(hook)).collect())
}
