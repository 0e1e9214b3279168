//! Edits of files that other programs also write, such as Claude Code's settings. Symlinks, modes and owners stay, a copy
//! of the old file can be kept, a concurrent writer is not overwritten, and the result is read back.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::files::{self, Folder, Kind};
use crate::error::{Cause, Error, Result};

/// How often an edit is tried if other programs write the file meanwhile.
const MAX_ATTEMPTS: usize = 5;
/// How long to wait for another `ait` that edits a file in the same folder.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// An edit of one file.
#[derive(Clone, Copy, Debug)]
pub struct AtomicEdit<'a> {
    /// The action, for errors: `installing hooks`.
    pub doing: &'static str,
    /// Where it is, or a symlink to it.
    pub path: &'a Path,
    /// A larger file is an error.
    pub limit: usize,
    /// The suffix of the name of the copy: `.backup-20261122-180000`.
    pub backup_suffix: &'a str,
    /// The mode that the file gets; `None`: its present mode, 0600 for a new file.
    pub mode: Option<u32>,
}

/// The file before the change.
#[derive(Clone, Copy, Debug)]
pub struct Current<'a> {
    /// The content; `None`: no such file.
    pub bytes: Option<&'a [u8]>,
    /// The path is a symlink to it.
    pub is_link: bool,
}

/// The change of a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Change {
    /// Nothing.
    Keep,
    /// This is the new content.
    Write {
        /// All of it.
        bytes: Vec<u8>,
        /// Keep a copy of what was there.
        backup: bool,
    },
    /// The file should not exist.
    Remove {
        /// Keep a copy of what was there.
        backup: bool,
    },
}

/// The result of an edit.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Done {
    /// The file itself, symlinks resolved.
    pub file: PathBuf,
    /// Whether it was changed.
    pub changed: bool,
    /// The copy of what was there.
    pub backup: Option<PathBuf>,
}

impl AtomicEdit<'_> {
    /// Applies `change` to the file, again if the file has changed meanwhile.
    ///
    /// # Errors
    /// If `change` fails, the file cannot be read or written, a symlink leads nowhere, or other programs keep writing to the
    /// file. The file is unchanged then.
    pub fn edit(&self, mut change: impl FnMut(Current) -> Result<Change>) -> Result<Done> {
        self.apply(&mut change)
    }

    /// The same, compiled once for all kinds of changes: each copy would take 4 kB.
    fn apply(&self, change: &mut dyn FnMut(Current) -> Result<Change>) -> Result<Done> {
        let is_link = files::link_metadata(self.path).is_ok_and(|meta| meta.kind == Kind::Link);
        let file = self.find(is_link)?;
        let (Some(parent), Some(name)) = (file.parent(), file.file_name().and_then(OsStr::to_str)) else {
            return Err(self.error(&file, "not the name of a file"));
        };
        // A killed edit leaves its temporary file. If it cannot be removed, it stays.
        let _ = Folder::open(parent).and_then(|folder| folder.sweep_of(name));
        let mut backups = Vec::new();
        for _ in 0..MAX_ATTEMPTS {
            let (bytes, mode) = self.read(&file)?;
            let change = change(Current { bytes: bytes.as_deref(), is_link })?;
            let Some((mut new, backup)) = self.difference(change, bytes.as_deref(), mode) else {
                return Ok(Done { file, changed: !backups.is_empty(), backup: backups.into_iter().next() });
            };
            if bytes.is_some() && !files::is_writable(&file) {
                return Err(self
                    .error(&file, "it is read-only")
                    .hint("make it writable, or edit the file that it is generated from"));
            }
            let folder = Folder::open_or_make(parent).map_err(|why| self.error(parent, why))?;
            // Without the lock the edit still fails if the file has changed; the lock only saves another attempt.
            let _lock = folder.lock(LOCK_TIMEOUT);
            let copy = match (backup, &bytes) {
                (true, Some(bytes)) => Some(self.keep_copy(&folder, name, bytes, mode)?),
                _ => None,
            };
            let written = self.write(&folder, name, bytes.as_deref(), &mut new, mode, copy.is_some());
            if !matches!(written, Ok(true)) {
                if let Some(copy) = copy {
                    let _ = folder.remove(&copy);
                }
                written.map_err(|why| self.error(&file, why))?;
                continue;
            }
            backups.extend(copy.map(|name| parent.join(name)));
            if self.read(&file)?.0 == new {
                return Ok(Done { file, changed: true, backup: backups.into_iter().next() });
            }
        }
        Err(self.error(&file, "another program keeps writing to it").hint("run the command again"))
    }

    /// The new content (`None`: no file) and whether to keep a copy; `None` if the file is already as wanted.
    fn difference(&self, change: Change, bytes: Option<&[u8]>, mode: u32) -> Option<(Option<Vec<u8>>, bool)> {
        let same_mode = self.mode.is_none_or(|wanted| wanted == mode);
        match change {
            Change::Keep => None,
            Change::Write { bytes: new, .. } if bytes == Some(&new) && same_mode => None,
            Change::Remove { .. } if bytes.is_none() => None,
            Change::Write { bytes, backup } => Some((Some(bytes), backup)),
            Change::Remove { backup } => Some((None, backup)),
        }
    }

    /// Replaces or removes the file if it still contains `was`; `false` if it does not.
    fn write(
        &self,
        folder: &Folder,
        name: &str,
        was: Option<&[u8]>,
        new: &mut Option<Vec<u8>>,
        mode: u32,
        has_copy: bool,
    ) -> io::Result<bool> {
        let written = match new {
            Some(new) => folder.replace_if(name, new, self.mode.unwrap_or(mode), was),
            None => Self::remove_if(folder, name, was.unwrap_or_default()),
        };
        // A file that is mounted on its own, as in a container, can be neither replaced nor removed.
        if has_copy && written.as_ref().is_err_and(|why| why.kind() == io::ErrorKind::ResourceBusy) {
            return Self::rewrite_if(folder, name, was.unwrap_or_default(), new.get_or_insert_default());
        }
        written
    }

    /// The content of the file, and the result of `change` for it.
    ///
    /// # Errors
    /// If `change` fails, or the file cannot be read.
    pub fn preview(&self, change: impl FnOnce(Current) -> Result<Change>) -> Result<(Option<Vec<u8>>, Change)> {
        let is_link = files::link_metadata(self.path).is_ok_and(|meta| meta.kind == Kind::Link);
        let (bytes, _) = self.read(&self.find(is_link)?)?;
        let change = change(Current { bytes: bytes.as_deref(), is_link })?;
        Ok((bytes, change))
    }

    /// The file itself. Where there is none yet, a link above it is still followed.
    fn find(&self, is_link: bool) -> Result<PathBuf> {
        match files::canonical(self.path) {
            Ok(file) => Ok(file),
            Err(why) if why.kind() == io::ErrorKind::NotFound => match files::read_link(self.path) {
                Ok(target) if is_link => {
                    let why = format!("it is a symlink to {}, which does not exist", target.display());
                    Err(self.error(self.path, why).hint("create that file, or remove the link"))
                }
                _ => Ok(files::resolve(self.path)),
            },
            Err(why) => Err(self.error(self.path, why)),
        }
    }

    fn read(&self, file: &Path) -> Result<(Option<Vec<u8>>, u32)> {
        match files::read_with_meta(file, self.limit) {
            Ok((bytes, meta)) => Ok((Some(bytes), meta.mode)),
            Err(why) if why.kind() == io::ErrorKind::NotFound => Ok((None, self.mode.unwrap_or(files::PRIVATE))),
            Err(why) => Err(self.error(file, why)),
        }
    }

    /// Copies the old content to a free name, and returns that name.
    fn keep_copy(&self, folder: &Folder, name: &str, bytes: &[u8], mode: u32) -> Result<String> {
        let mut count = 1;
        loop {
            let number = if count == 1 { String::new() } else { format!("-{count}") };
            let copy = format!("{name}{}{number}", self.backup_suffix);
            match folder.create_new(&copy, bytes, mode) {
                Ok(()) => return Ok(copy),
                Err(why) if why.kind() == io::ErrorKind::AlreadyExists && count < 1_000 => count += 1,
                // Half a copy, as on a full disk, is removed by `create_new`.
                Err(why) => {
                    return Err(self.error(folder.path(), format_args!("cannot create a backup here: {why}")));
                }
            }
        }
    }

    fn remove_if(folder: &Folder, name: &str, was: &[u8]) -> io::Result<bool> {
        if !folder.read(name, was.len()).is_ok_and(|now| now == was) {
            return Ok(false);
        }
        folder.remove(name).map(|()| true)
    }

    fn rewrite_if(folder: &Folder, name: &str, was: &[u8], new: &[u8]) -> io::Result<bool> {
        if !folder.read(name, was.len()).is_ok_and(|now| now == was) {
            return Ok(false);
        }
        folder.rewrite(name, new).map(|()| true)
    }

    fn error(&self, path: &Path, why: impl Into<Cause>) -> Error {
        Error::new(self.doing, path.display(), why)
    }
}
