//! Writes: atomic replacement by a temporary file and a rename, appending, and writes in place.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{AtFlags, CWD, Mode, OFlags};
use rustix::io::Errno;

use super::directory::Folder;
use super::meta::{Kind, link_metadata, meta};
use crate::sys::fd::write_all;
use crate::sys::process::user_id;

/// The mode of files that ait creates.
pub const PRIVATE: u32 = 0o600;

impl Folder {
    /// Replaces a file in one step: a temporary file beside it, then a rename. Readers see the old file or the new one.
    pub fn replace(&self, name: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
        self.stage(name, bytes, mode)?.commit()
    }

    /// Writes the new content of a file beside it, under a temporary name: `.NAME.PID.RANDOM.tmp`. What a killed process
    /// leaves behind is removed by [`Folder::sweep`].
    pub fn stage(&self, name: &str, bytes: &[u8], mode: u32) -> io::Result<Staged<'_>> {
        let temporary = temporary_name(name);
        self.create_new(&temporary, bytes, mode)?;
        Ok(Staged { folder: self, name: name.to_owned(), temporary: Some(temporary) })
    }

    /// Like [`Folder::replace`], for a file that other programs write too: only if its content is still `was` (`None`: it
    /// does not exist). The owner stays the same, and the content is synced before the rename. Returns `false` if the
    /// content was different.
    ///
    /// # Errors
    /// If the file cannot be written, or not with the same owner. The file is unchanged then.
    pub fn replace_if(&self, name: &str, bytes: &[u8], mode: u32, was: Option<&[u8]>) -> io::Result<bool> {
        let staged = self.stage(name, bytes, mode)?;
        let temporary = staged.temporary.clone().unwrap_or_default();
        let replaced = self.replace_if_by(name, &temporary, mode, was);
        if matches!(replaced, Ok(true)) && was.is_some() {
            // The rename has removed the temporary name.
            staged.forget();
        }
        if matches!(replaced, Ok(true)) {
            // Syncs the rename. If that fails, the system writes it out later.
            let _ = rustix::fs::fsync(&self.fd);
        }
        replaced
    }

    fn replace_if_by(&self, name: &str, temporary: &str, mode: u32, was: Option<&[u8]>) -> io::Result<bool> {
        let fd = rustix::fs::openat(&self.fd, temporary, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        rustix::fs::fsync(&fd)?;
        let Some(was) = was else {
            // A link fails if the name exists; a rename would replace it.
            return match rustix::fs::linkat(&self.fd, temporary, &self.fd, name, AtFlags::empty()) {
                Ok(()) => Ok(true),
                Err(Errno::EXIST) => Ok(false),
                // A file system without hard links.
                Err(_) => Ok(rustix::fs::renameat(&self.fd, temporary, &self.fd, name).map(|()| true)?),
            };
        };
        let old = rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW)?;
        let new = rustix::fs::fstat(&fd)?;
        if (old.st_uid, old.st_gid) != (new.st_uid, new.st_gid) {
            let owner = (rustix::fs::Uid::from_raw(old.st_uid), rustix::fs::Gid::from_raw(old.st_gid));
            rustix::fs::fchown(&fd, Some(owner.0), Some(owner.1))?;
            // A change of owner removes mode bits.
            rustix::fs::fchmod(&fd, Mode::from_raw_mode(mode as _))?;
        }
        if !self.read(name, was.len()).is_ok_and(|now| now == was) {
            return Ok(false);
        }
        rustix::fs::renameat(&self.fd, temporary, &self.fd, name)?;
        Ok(true)
    }

    /// Creates a file. Fails with `AlreadyExists` if it exists; that file is left alone.
    pub fn create_new(&self, name: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
        #[cfg(test)]
        super::steps::before(super::steps::Step::Write);
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mode = Mode::from_raw_mode(mode as _);
        let fd = rustix::fs::openat(&self.fd, name, flags, mode)?;
        let written = write_all(&fd, bytes).and_then(|()| Ok(set_exact_mode(&fd, mode)?));
        if written.is_err() {
            // This call created it, so this call may remove it.
            let _ = self.remove(name);
        }
        written
    }

    /// Writes an existing file in place and syncs it: for a file that cannot be replaced because it is a mount point. A
    /// reader may see a part of it.
    ///
    /// # Errors
    /// If it cannot be opened or written.
    pub fn rewrite(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let fd = rustix::fs::openat(&self.fd, name, flags, Mode::empty())?;
        write_all(&fd, bytes)?;
        rustix::fs::ftruncate(&fd, bytes.len() as u64)?;
        Ok(rustix::fs::fsync(&fd)?)
    }

    /// Writes a small derived file in place, in one write, creating it with mode 0600 if it is missing. A reader may see
    /// the old bytes or the new ones, or a mix of both. `bytes` always have the same length; a file of another length is
    /// cut first.
    pub fn overwrite(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let mode = Mode::RUSR | Mode::WUSR;
        let fd = rustix::fs::openat(&self.fd, name, flags, mode)?;
        let meta = meta(&rustix::fs::fstat(&fd)?);
        if meta.kind != Kind::File || meta.owner != user_id() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        if meta.id.size != bytes.len() as u64 {
            rustix::fs::ftruncate(&fd, 0)?;
        }
        write_all(&fd, bytes)?;
        Ok(set_exact_mode(&fd, mode)?)
    }

    /// Appends bytes to a file; creates it with mode 0600 if it is missing. One write, so that lines of two writers do not
    /// mix.
    pub fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        #[cfg(test)]
        super::steps::before(super::steps::Step::Write);
        write_all(&self.open_to_append(name)?, bytes)
    }

    /// Like [`Folder::append`]; returns the new size of the file.
    pub fn append_and_size(&self, name: &str, bytes: &[u8]) -> io::Result<u64> {
        #[cfg(test)]
        super::steps::before(super::steps::Step::Write);
        let fd = self.open_to_append(name)?;
        write_all(&fd, bytes)?;
        Ok(rustix::fs::tell(&fd)?)
    }

    fn open_to_append(&self, name: &str) -> io::Result<OwnedFd> {
        let mode = Mode::RUSR | Mode::WUSR;
        let flags = OFlags::WRONLY | OFlags::APPEND | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK;
        let open = |more| rustix::fs::openat(&self.fd, name, flags | more, mode);
        match open(OFlags::empty()) {
            Err(Errno::NOENT) => {}
            opened => return Ok(opened?),
        }
        match open(OFlags::CREATE | OFlags::EXCL) {
            // The umask may have removed bits.
            Ok(fd) => set_exact_mode(&fd, mode).map(|()| fd),
            // Another process created it meanwhile.
            Err(Errno::EXIST) => open(OFlags::empty()),
            failed => failed,
        }
        .map_err(io::Error::from)
    }

    /// Sets the modification time of a file to now; creates an empty file if it is missing.
    pub fn touch(&self, name: &str) -> io::Result<()> {
        let now = rustix::fs::Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW };
        let times = rustix::fs::Timestamps { last_access: now, last_modification: now };
        match rustix::fs::utimensat(&self.fd, name, &times, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => self.append(name, b""),
            touched => Ok(touched?),
        }
    }
}

/// The complete new content of a file, under a temporary name. It is removed if [`Staged::commit`] is not called.
#[derive(Debug)]
pub struct Staged<'a> {
    folder: &'a Folder,
    name: String,
    temporary: Option<String>,
}

impl Staged<'_> {
    /// Syncs it to the disk, so that the file is not empty after a power loss. Costs milliseconds.
    pub fn sync(&self) -> io::Result<()> {
        // Unit tests survive no power loss.
        if cfg!(test) {
            return Ok(());
        }
        let name = self.temporary.as_deref().unwrap_or_default();
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        Ok(rustix::fs::fsync(rustix::fs::openat(&self.folder.fd, name, flags, Mode::empty())?)?)
    }

    /// Renames it to its final name; an existing file is replaced.
    pub fn commit(mut self) -> io::Result<()> {
        #[cfg(test)]
        super::steps::before(super::steps::Step::Write);
        let temporary = self.temporary.as_deref().unwrap_or_default();
        rustix::fs::renameat(&self.folder.fd, temporary, &self.folder.fd, &*self.name)?;
        self.temporary = None;
        Ok(())
    }

    fn forget(mut self) {
        self.temporary = None;
    }
}

impl Drop for Staged<'_> {
    fn drop(&mut self) {
        if let Some(temporary) = &self.temporary {
            let _ = self.folder.remove(temporary);
        }
    }
}

/// Random, so that no other process has created a file of that name. The standard library takes its hash keys from the
/// system's random numbers.
fn temporary_name(name: &str) -> String {
    let random = RandomState::new().build_hasher().finish();
    format!(".{name}.{}.{random:016x}.tmp", std::process::id())
}

/// Sets the mode of a new file if the umask has removed bits. The umask can only remove bits, so the file was never open
/// to others. Reading the mode first costs a fifth of setting it.
fn set_exact_mode(fd: &OwnedFd, mode: Mode) -> rustix::io::Result<()> {
    let given = Mode::from_raw_mode(rustix::fs::fstat(fd)?.st_mode);
    if given == mode { Ok(()) } else { rustix::fs::fchmod(fd, mode) }
}

/// Sets the permission bits of a file or folder of this user. A symlink is an error.
pub fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    let mode = Mode::from_raw_mode(mode as _);
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(fd) => Ok(rustix::fs::fchmod(&fd, mode)?),
        // Not even readable for us. In a folder of this user no one else can replace it by a symlink meanwhile.
        Err(Errno::ACCESS) if link_metadata(path)?.kind != Kind::Link => {
            Ok(rustix::fs::chmodat(CWD, path, mode, AtFlags::empty())?)
        }
        Err(error) => Err(error.into()),
    }
}
