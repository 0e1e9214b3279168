//! Changes to files that belong to other people: links stay links, modes and owners stay, what was there is kept
//! beside it, a writer who comes in between is not overwritten, and what was written is read again.

use std::ffi::OsStr;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use super::files::{self, Folder, Kind};
use crate::error::{Cause, Error, Result};

/// How often a change is tried again when somebody else has written in between.
const TRIES: usize = 5;
/// How long to wait for another `ait` that edits a file in the same folder.
const LOCK_TIMEOUT: Duration = Duration::from_secs(2);

/// A file to be changed.
#[derive(Clone, Copy, Debug)]
pub struct AtomicEdit<'a> {
    /// What is being done, for errors: `installing hooks`.
    pub doing: &'static str,
    /// Where it is, or a symlink to it.
    pub path: &'a Path,
    /// A larger file is an error.
    pub limit: usize,
    /// What is put behind the name for the copy of what was there: `.backup-20261122-180000`.
    pub backup_suffix: &'a str,
    /// The mode that it must have; `None`: the one it has, 0600 where it is made.
    pub mode: Option<u32>,
}

/// What is there before the change.
#[derive(Clone, Copy, Debug)]
pub struct Current<'a> {
    /// The content; `None`: no such file.
    pub bytes: Option<&'a [u8]>,
    /// The path is a symlink to it.
    pub is_link: bool,
}

/// What to do about it.
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

/// What was done.
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
    /// Changes the file as `change` says. It is asked again where the file has changed in the meantime.
    ///
    /// # Errors
    /// Where `change` fails, or the file cannot be read, written or found where a link says it is. It is then as it
    /// was. Also where others kept writing to it.
    pub fn edit(&self, mut change: impl FnMut(Current) -> Result<Change>) -> Result<Done> {
        let is_link = files::link_metadata(self.path).is_ok_and(|meta| meta.kind == Kind::Link);
        let file = self.find(is_link)?;
        let (Some(parent), Some(name)) = (file.parent(), file.file_name().and_then(OsStr::to_str)) else {
            return Err(self.error(&file, "not the name of a file"));
        };
        // What was killed in the middle of this has left its temporary file; where it cannot be removed, it stays.
        let _ = Folder::open(parent).and_then(|folder| folder.sweep_of(name));
        let mut backups = Vec::new();
        for _ in 0..TRIES {
            let (bytes, mode) = self.read(&file)?;
            let wanted = match change(Current { bytes: bytes.as_deref(), is_link })? {
                Change::Keep => None,
                Change::Write { bytes: new, .. }
                    if bytes.as_ref() == Some(&new) && self.mode.is_none_or(|m| m == mode) =>
                {
                    None
                }
                Change::Remove { .. } if bytes.is_none() => None,
                Change::Write { bytes, backup } => Some((Some(bytes), backup)),
                Change::Remove { backup } => Some((None, backup)),
            };
            let Some((new, backup)) = wanted else {
                return Ok(Done { file, changed: !backups.is_empty(), backup: backups.into_iter().next() });
            };
            if bytes.is_some() && !files::is_writable(&file) {
                return Err(self
                    .error(&file, "it is read-only")
                    .hint("make it writable, or edit what it is made from"));
            }
            let folder = Folder::open_or_make(parent).map_err(|why| self.error(parent, why))?;
            let _lock = folder.lock(LOCK_TIMEOUT);
            let mut copy = None;
            if let (true, Some(bytes)) = (backup, &bytes) {
                copy = Some(self.keep_copy(&folder, name, bytes, mode)?);
            }
            let was = bytes.as_deref();
            let mut new = new;
            let mut written = match &new {
                Some(new) => folder.replace_if(name, new, self.mode.unwrap_or(mode), was),
                None => Self::remove_if(&folder, name, was.unwrap_or_default()),
            };
            // A file that is mounted on its own, as into a container, can be neither replaced nor removed.
            let in_place =
                copy.is_some() && written.as_ref().is_err_and(|why| why.kind() == io::ErrorKind::ResourceBusy);
            if in_place {
                let bytes = new.get_or_insert_default();
                written = Self::rewrite_if(&folder, name, was.unwrap_or_default(), bytes);
            }
            match written {
                Ok(true) => backups.extend(copy.map(|name| parent.join(name))),
                not => {
                    let half_written = in_place && not.is_err();
                    match copy {
                        Some(copy) if half_written => {
                            let hint = format!("what it was is in {}", parent.join(copy).display());
                            return Err(self.error(&file, "it could not be written in place").hint(&hint));
                        }
                        Some(copy) => {
                            let _ = folder.remove(&copy);
                        }
                        None => {}
                    }
                    match not {
                        Err(why) => return Err(self.error(&file, why)),
                        Ok(_) => continue,
                    }
                }
            }
            if self.read(&file)?.0 == new {
                return Ok(Done { file, changed: true, backup: backups.into_iter().next() });
            }
        }
        Err(self.error(&file, "another program keeps writing to it").hint("type the same again"))
    }

    /// What is there, and what `change` would do about it.
    ///
    /// # Errors
    /// Where `change` fails, or the file cannot be read.
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
                    Err(self.error(self.path, why).hint("make that file, or remove the link"))
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

    /// Copies what was there, under a name that is free. Gives that name.
    fn keep_copy(&self, folder: &Folder, name: &str, bytes: &[u8], mode: u32) -> Result<String> {
        let mut count = 1;
        loop {
            let number = if count == 1 { String::new() } else { format!("-{count}") };
            let copy = format!("{name}{}{number}", self.backup_suffix);
            match folder.create_new(&copy, bytes, mode) {
                Ok(()) => return Ok(copy),
                Err(why) if why.kind() == io::ErrorKind::AlreadyExists && count < 1_000 => count += 1,
                Err(why) => {
                    // A full disk leaves half a copy.
                    if why.kind() != io::ErrorKind::AlreadyExists {
                        let _ = folder.remove(&copy);
                    }
                    return Err(self.error(folder.path(), format_args!("cannot keep a copy there: {why}")));
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
