//! Files and folders: bounded reads, atomic private writes, locks on folders.
//!
//! Everything is opened relative to a folder that is already open where one is at hand: shorter paths for the kernel,
//! and nobody can swap a folder for a symlink in between.

use std::ffi::{OsStr, OsString};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};
use std::time::Duration;

use rustix::fs::{AtFlags, CWD, FileType, FlockOperation, Mode, OFlags, Stat};
use rustix::io::Errno;

/// Folders that we make: ours alone.
const FOLDER_MODE: Mode = Mode::RWXU;
/// Files that we make: ours alone.
pub const PRIVATE: u32 = 0o600;

/// An open folder.
#[derive(Debug)]
pub struct Folder {
    fd: OwnedFd,
    path: PathBuf,
}

/// What identifies one version of a file: a file that was replaced or rewritten has another one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId {
    /// Inode number.
    pub inode: u64,
    /// Size in bytes.
    pub size: u64,
    /// Time of the last change of the inode, in nanoseconds since 1970.
    pub changed: i128,
}

/// What kind of thing a path names.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A regular file.
    File,
    /// A folder.
    Folder,
    /// A symbolic link (only where links are not followed).
    Link,
    /// A pipe, socket or device.
    Other,
}

/// What is known of a file without reading it.
#[derive(Clone, Copy, Debug)]
pub struct Meta {
    /// What it is.
    pub kind: Kind,
    /// Which version of it.
    pub id: FileId,
    /// Permission bits.
    pub mode: u32,
    /// The user who owns it.
    pub owner: u32,
    /// Time of the last change of the content, in nanoseconds since 1970.
    pub modified: i128,
}

#[allow(clippy::useless_conversion, reason = "the mode has 16 bits on macOS")]
fn meta(stat: &Stat) -> Meta {
    let nanoseconds = |seconds, nanoseconds| i128::from(seconds) * 1_000_000_000 + nanoseconds as i128;
    Meta {
        kind: match FileType::from_raw_mode(stat.st_mode) {
            FileType::RegularFile => Kind::File,
            FileType::Directory => Kind::Folder,
            FileType::Symlink => Kind::Link,
            _ => Kind::Other,
        },
        id: FileId {
            inode: stat.st_ino,
            size: u64::try_from(stat.st_size).unwrap_or(0),
            changed: nanoseconds(stat.st_ctime, stat.st_ctime_nsec),
        },
        mode: u32::from(stat.st_mode) & 0o7777,
        owner: stat.st_uid,
        modified: nanoseconds(stat.st_mtime, stat.st_mtime_nsec),
    }
}

impl Folder {
    /// Opens a folder; a symlink to one is followed.
    pub fn open(path: impl Into<PathBuf>) -> io::Result<Folder> {
        let path = path.into();
        let fd = rustix::fs::open(&path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Folder { fd, path })
    }

    /// Opens a folder, making it and its parents with mode 0700 where they are missing.
    pub fn open_or_make(path: impl Into<PathBuf>) -> io::Result<Folder> {
        let path = path.into();
        match Folder::open(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make_folders(&path)?;
                Folder::open(path)
            }
            opened => opened,
        }
    }

    /// Opens a folder of our own: a symlink in its place is refused, for what is written through it would land
    /// somewhere else. Symlinks above it are followed.
    pub fn open_own(path: impl Into<PathBuf>) -> io::Result<Folder> {
        let path = path.into();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        match rustix::fs::open(&path, flags, Mode::empty()) {
            Ok(fd) => Ok(Folder { fd, path }),
            Err(_) if link_metadata(&path).is_ok_and(|meta| meta.kind == Kind::Link) => {
                Err(io::Error::new(io::ErrorKind::NotADirectory, "a symlink, which is not followed here"))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// [`Folder::open_own`], making it as [`Folder::open_or_make`] does.
    pub fn open_or_make_own(path: impl Into<PathBuf>) -> io::Result<Folder> {
        let path = path.into();
        match Folder::open_own(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                make_folders(&path)?;
                Folder::open_own(path)
            }
            opened => opened,
        }
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// What is known of the folder itself.
    pub fn meta(&self) -> io::Result<Meta> {
        Ok(meta(&rustix::fs::fstat(&self.fd)?))
    }

    /// What is known of a file in it; a symlink is not followed.
    pub fn meta_of(&self, name: &str) -> io::Result<Meta> {
        Ok(meta(&rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW)?))
    }

    /// The names in it, in no order, without `.` and `..`. Names that are not UTF-8 are left out: none of ours is.
    pub fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        self.each_name(|name| names.push(name.to_owned()))?;
        Ok(names)
    }

    /// Calls `visit` with every name that [`Folder::names`] would give.
    pub fn each_name(&self, mut visit: impl FnMut(&str)) -> io::Result<()> {
        self.names_while(|name| {
            visit(name);
            true
        })
    }

    /// [`Folder::each_name`] as long as `visit` says to go on.
    pub fn names_while(&self, mut visit: impl FnMut(&str) -> bool) -> io::Result<()> {
        let fd =
            rustix::fs::openat(&self.fd, ".", OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        each_entry(&fd, |name| std::str::from_utf8(name).map_or(true, &mut visit))
    }

    /// Reads a regular file of at most `limit` bytes. Never blocks on a pipe, never follows a symlink.
    pub fn read(&self, name: &str, limit: usize) -> io::Result<Vec<u8>> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        read_all(&rustix::fs::openat(&self.fd, name, flags, Mode::empty())?, limit)
    }

    /// Reads a file together with its [`Meta`], of one and the same version.
    pub fn read_with_meta(&self, name: &str, limit: usize) -> io::Result<(Vec<u8>, Meta)> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let fd = rustix::fs::openat(&self.fd, name, flags, Mode::empty())?;
        let meta = meta(&rustix::fs::fstat(&fd)?);
        Ok((read_regular(&fd, &meta, limit)?, meta))
    }

    /// [`Folder::read`] for a file that must be this user's; anybody else's counts as not there.
    pub fn read_own(&self, name: &str, limit: usize) -> io::Result<Vec<u8>> {
        let (bytes, meta) = self.read_with_meta(name, limit)?;
        if meta.owner == super::process::user_id() { Ok(bytes) } else { Err(io::ErrorKind::NotFound.into()) }
    }

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

    /// [`Folder::replace`] for a file that others write too: only where it still holds `was` (`None`: is not there),
    /// with the same owner as before, and on the disk before it takes the old one's place. `false`: it does not.
    ///
    /// # Errors
    /// Where it cannot be written, or not with the same owner. The file is then as it was.
    pub fn replace_if(&self, name: &str, bytes: &[u8], mode: u32, was: Option<&[u8]>) -> io::Result<bool> {
        let staged = self.stage(name, bytes, mode)?;
        let temporary = staged.temporary.clone().unwrap_or_default();
        let replaced = self.replace_if_by(name, &temporary, mode, was);
        if matches!(replaced, Ok(true)) && was.is_some() {
            // Its temporary name is gone with the rename.
            staged.forget();
        }
        if matches!(replaced, Ok(true)) {
            // The rename itself; where that cannot be had, the next regular write-out does it.
            let _ = rustix::fs::fsync(&self.fd);
        }
        replaced
    }

    fn replace_if_by(&self, name: &str, temporary: &str, mode: u32, was: Option<&[u8]>) -> io::Result<bool> {
        let fd = rustix::fs::openat(&self.fd, temporary, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
        rustix::fs::fsync(&fd)?;
        let Some(was) = was else {
            // A link fails where the name is taken; a rename would not.
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
            // A change of owner takes bits away.
            rustix::fs::fchmod(&fd, Mode::from_raw_mode(mode as _))?;
        }
        if !self.read(name, was.len()).is_ok_and(|now| now == was) {
            return Ok(false);
        }
        rustix::fs::renameat(&self.fd, temporary, &self.fd, name)?;
        Ok(true)
    }

    /// Writes a file that must not exist yet. Fails with `AlreadyExists` where it does.
    pub fn create_new(&self, name: &str, bytes: &[u8], mode: u32) -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::CREATE | OFlags::EXCL | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let mode = Mode::from_raw_mode(mode as _);
        let fd = rustix::fs::openat(&self.fd, name, flags, mode)?;
        let written = write_all(&fd, bytes).and_then(|()| Ok(give_mode(&fd, mode)?));
        if written.is_err() {
            // Half a file of our own making.
            let _ = self.remove(name);
        }
        written
    }

    /// Writes an existing file in place, and to the disk before it returns: for one that cannot be replaced because it is
    /// a mount point. A reader may see a part of it.
    ///
    /// # Errors
    /// Where it cannot be opened or written.
    pub fn rewrite(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let flags = OFlags::WRONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let fd = rustix::fs::openat(&self.fd, name, flags, Mode::empty())?;
        write_all(&fd, bytes)?;
        rustix::fs::ftruncate(&fd, bytes.len() as u64)?;
        Ok(rustix::fs::fsync(&fd)?)
    }

    /// Writes a small derived file in place, in one write, creating it with mode 0600 where it is missing. A reader may see
    /// the old bytes or the new ones, or a mix of both. `bytes` always have the same length; a file of another length is
    /// cut first.
    pub fn overwrite(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        let flags =
            OFlags::WRONLY | OFlags::CREATE | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let mode = Mode::RUSR | Mode::WUSR;
        let fd = rustix::fs::openat(&self.fd, name, flags, mode)?;
        let meta = meta(&rustix::fs::fstat(&fd)?);
        if meta.kind != Kind::File || meta.owner != super::process::user_id() {
            return Err(io::ErrorKind::PermissionDenied.into());
        }
        if meta.id.size != bytes.len() as u64 {
            rustix::fs::ftruncate(&fd, 0)?;
        }
        write_all(&fd, bytes)?;
        Ok(give_mode(&fd, mode)?)
    }

    /// Adds bytes at the end of a file, making it with mode 0600 where it is missing. One write: lines of two writers
    /// do not mix.
    pub fn append(&self, name: &str, bytes: &[u8]) -> io::Result<()> {
        write_all(&self.open_to_append(name)?, bytes)
    }

    /// As [`Folder::append`], and says how long the file is then.
    pub fn append_and_size(&self, name: &str, bytes: &[u8]) -> io::Result<u64> {
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
            // Whatever the umask took away.
            Ok(fd) => give_mode(&fd, mode).map(|()| fd),
            // Somebody was faster.
            Err(Errno::EXIST) => open(OFlags::empty()),
            failed => failed,
        }
        .map_err(io::Error::from)
    }

    /// Moves a file of this folder to another folder, under the same name, replacing what is there.
    pub fn move_to(&self, name: &str, other: &Folder) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.fd, name, &other.fd, name)?)
    }

    /// Gives a file another name in this folder, replacing what is there.
    pub fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        Ok(rustix::fs::renameat(&self.fd, from, &self.fd, to)?)
    }

    /// Sets the time of a file's last change to now, making an empty one where it is missing.
    pub fn touch(&self, name: &str) -> io::Result<()> {
        let now = rustix::fs::Timespec { tv_sec: 0, tv_nsec: rustix::fs::UTIME_NOW };
        let times = rustix::fs::Timestamps { last_access: now, last_modification: now };
        match rustix::fs::utimensat(&self.fd, name, &times, AtFlags::SYMLINK_NOFOLLOW) {
            Err(Errno::NOENT) => self.append(name, b""),
            touched => Ok(touched?),
        }
    }

    /// Removes a file.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        Ok(rustix::fs::unlinkat(&self.fd, name, AtFlags::empty())?)
    }

    /// Temporary files of [`Folder::replace`] whose writer is gone. Young ones are left out: their writer may be in another
    /// container or on another machine, where its number means another process.
    pub fn leftovers(&self) -> io::Result<Vec<String>> {
        self.leftovers_among(usize::MAX)
    }

    /// [`Folder::leftovers`] among the first so many names.
    fn leftovers_among(&self, most: usize) -> io::Result<Vec<String>> {
        const YOUNG: i128 = 60_000_000_000;
        let now = super::clock::now().as_nanosecond();
        let is_young = |name: &str| self.meta_of(name).is_ok_and(|meta| (now - meta.modified).abs() < YOUNG);
        let is_left = |name: &str| {
            let writer = name.strip_prefix('.').and_then(|rest| rest.strip_suffix(".tmp")).and_then(|rest| {
                let mut parts = rest.rsplit('.');
                parts.next()?;
                parts.next()?.parse::<u32>().ok()
            });
            writer.is_some_and(|pid| !super::process::exists(pid)) && !is_young(name)
        };
        let (mut names, mut seen) = (Vec::new(), 0);
        self.names_while(|name| {
            if is_left(name) {
                names.push(name.to_owned());
            }
            seen += 1;
            seen < most
        })?;
        Ok(names)
    }

    /// Removes those of [`Folder::leftovers`] that were to become one file.
    pub fn sweep_of(&self, name: &str) -> io::Result<()> {
        let (start, names) = (format!(".{name}."), self.leftovers()?);
        names.iter().filter(|left| left.starts_with(&start)).try_for_each(|left| self.remove(left))
    }

    /// Removes [`Folder::leftovers`].
    pub fn sweep(&self) -> io::Result<()> {
        self.sweep_among(usize::MAX)
    }

    /// [`Folder::sweep`] that looks at the first so many names and no more.
    pub fn sweep_among(&self, most: usize) -> io::Result<()> {
        self.leftovers_among(most)?.iter().try_for_each(|name| self.remove(name))
    }

    /// Takes the lock of this folder, waiting at most `limit`. The kernel releases it when the process ends, however it
    /// ends; no lock file is left behind.
    pub fn lock(&self, limit: Duration) -> Locking<'_> {
        const PAUSE: Duration = Duration::from_micros(200);
        let mut waited = Duration::ZERO;
        loop {
            match rustix::fs::flock(&self.fd, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Locking::Held(Lock(self)),
                Err(Errno::WOULDBLOCK | Errno::INTR) if waited < limit => {
                    std::thread::sleep(PAUSE);
                    waited += PAUSE;
                }
                Err(Errno::WOULDBLOCK | Errno::INTR) => return Locking::Busy,
                Err(_) => return Locking::Unsupported,
            }
        }
    }

    /// Whether the file system has locks at all. Not every NFS has, nor every FUSE.
    pub fn has_locks(&self) -> bool {
        match rustix::fs::flock(&self.fd, FlockOperation::NonBlockingLockShared) {
            Ok(()) => {
                let _ = rustix::fs::flock(&self.fd, FlockOperation::Unlock);
                true
            }
            Err(error) => matches!(error, Errno::WOULDBLOCK | Errno::INTR),
        }
    }

    /// Opens a folder in this one.
    pub fn folder(&self, name: &str) -> io::Result<Folder> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let fd = rustix::fs::openat(&self.fd, name, flags, Mode::empty())?;
        Ok(Folder { fd, path: self.path.join(name) })
    }

    /// Opens a folder in this one, making it with mode 0700 where it is missing.
    pub fn folder_or_make(&self, name: &str) -> io::Result<Folder> {
        match make_folder(self.fd.as_fd(), Path::new(name)) {
            Ok(()) | Err(Errno::EXIST) => self.folder(name),
            Err(error) => Err(error.into()),
        }
    }
}

/// Whether a folder lies on a file system whose times and locks may be those of another machine.
#[cfg(target_os = "linux")]
pub fn is_remote(folder: &Folder) -> bool {
    // statfs(2): NFS, SMB, CIFS, SMB2, FUSE, 9P, CEPH, AFS, CODA.
    const REMOTE: [u32; 9] =
        [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x6573_5546, 0x0102_1997, 0x00c3_6400, 0x5346_414f, 0x7375_7245];
    rustix::fs::fstatfs(&folder.fd).is_ok_and(|stat| REMOTE.contains(&(stat.f_type as u32)))
}

/// Whether a folder lies on a file system whose times and locks may be those of another machine. Local ones are marked.
#[cfg(target_os = "macos")]
pub fn is_remote(folder: &Folder) -> bool {
    const MNT_LOCAL: u32 = 0x1000;
    rustix::fs::fstatfs(&folder.fd).is_ok_and(|stat| stat.f_flags & MNT_LOCAL == 0)
}

/// The new content of a file, complete under a temporary name. Dropped without [`Staged::commit`], it is removed.
#[derive(Debug)]
pub struct Staged<'a> {
    folder: &'a Folder,
    name: String,
    temporary: Option<String>,
}

impl Staged<'_> {
    /// Writes it out to the disk, so that after a power loss the file is not empty. Costs milliseconds.
    pub fn sync(&self) -> io::Result<()> {
        let name = self.temporary.as_deref().unwrap_or_default();
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        Ok(rustix::fs::fsync(rustix::fs::openat(&self.folder.fd, name, flags, Mode::empty())?)?)
    }

    /// Gives it its name, replacing the file that has it.
    pub fn commit(mut self) -> io::Result<()> {
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

/// How an attempt to lock a folder ended.
#[derive(Debug)]
pub enum Locking<'a> {
    /// The lock is held until this is dropped.
    Held(Lock<'a>),
    /// Another process held it all the time.
    Busy,
    /// The file system has no locks (some NFS and FUSE).
    Unsupported,
}

/// The lock of a [`Folder`], released when dropped.
#[derive(Debug)]
pub struct Lock<'a>(&'a Folder);

impl Drop for Lock<'_> {
    fn drop(&mut self) {
        let _ = rustix::fs::flock(self.0.fd.as_fd(), FlockOperation::Unlock);
    }
}

/// Random, so that no other process has created a file of that name. The standard library's hash keys are the system's
/// random numbers.
fn temporary_name(name: &str) -> String {
    let random = RandomState::new().build_hasher().finish();
    format!(".{name}.{}.{random:016x}.tmp", std::process::id())
}

#[cfg(target_os = "linux")]
fn each_entry(fd: &OwnedFd, mut visit: impl FnMut(&[u8]) -> bool) -> io::Result<()> {
    // 32 KiB: a thousand names in two calls, where the standard library's reader takes four and an allocation a name.
    // Not on the stack, where a caller that never lists anything would still touch its pages.
    let mut buffer = Vec::with_capacity(32 * 1024);
    let mut entries = rustix::fs::RawDir::new(fd, buffer.spare_capacity_mut());
    while let Some(entry) = entries.next() {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." && !visit(name) {
            break;
        }
    }
    Ok(())
}

#[cfg(not(target_os = "linux"))]
fn each_entry(fd: &OwnedFd, mut visit: impl FnMut(&[u8]) -> bool) -> io::Result<()> {
    for entry in rustix::fs::Dir::read_from(fd)? {
        let entry = entry?;
        let name = entry.file_name().to_bytes();
        if name != b"." && name != b".." && !visit(name) {
            break;
        }
    }
    Ok(())
}

/// Makes a folder with mode 0700 whatever the umask.
fn make_folder(parent: BorrowedFd<'_>, path: &Path) -> rustix::io::Result<()> {
    rustix::fs::mkdirat(parent, path, FOLDER_MODE)?;
    // An odd umask has taken bits from us too. Nobody can have put a link in its place: the folder above is ours.
    rustix::fs::chmodat(parent, path, FOLDER_MODE, AtFlags::empty())
}

/// Makes a folder and its parents, each with mode 0700 whatever the umask.
pub fn make_folders(path: &Path) -> io::Result<()> {
    match make_folder(CWD, path) {
        Ok(()) => Ok(()),
        Err(Errno::EXIST) if is_folder(path) => Ok(()),
        Err(Errno::NOENT) => {
            let parent =
                path.parent().filter(|parent| !parent.as_os_str().is_empty()).ok_or(io::ErrorKind::NotFound)?;
            make_folders(parent)?;
            match make_folder(CWD, path) {
                Ok(()) | Err(Errno::EXIST) => Ok(()),
                Err(error) => Err(error.into()),
            }
        }
        Err(error) => Err(error.into()),
    }
}

/// The folder for temporary files: `TMPDIR`, else the system's own.
pub fn temporary_folder() -> PathBuf {
    super::env::temporary_folder()
}

/// Makes a folder of our own, mode 0700, in the folder for temporary files. Nobody can have made it before us. Symlinks
/// in its path are resolved.
pub fn make_temporary_folder(name: &str) -> io::Result<PathBuf> {
    let parent = std::fs::canonicalize(super::env::temporary_folder())?;
    let now = super::clock::now().subsec_nanosecond();
    for attempt in 0..100 {
        let path = parent.join(format!("{name}-{}-{:x}", std::process::id(), now + attempt));
        match make_folder(CWD, &path) {
            Ok(()) => return Ok(path),
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Sets the permission bits of a file or folder of ours. A symlink in its place is refused.
pub fn set_mode(path: &Path, mode: u32) -> io::Result<()> {
    let mode = Mode::from_raw_mode(mode as _);
    let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
    match rustix::fs::open(path, flags, Mode::empty()) {
        Ok(fd) => Ok(rustix::fs::fchmod(&fd, mode)?),
        // One that we may not even read. Then nobody else can have put a link there, unless the folder is theirs.
        Err(Errno::ACCESS) if link_metadata(path)?.kind != Kind::Link => {
            Ok(rustix::fs::chmodat(CWD, path, mode, AtFlags::empty())?)
        }
        Err(error) => Err(error.into()),
    }
}

/// Removes a folder and everything in it; symlinks in it are removed, not followed.
pub fn remove_folder(path: &Path) -> io::Result<()> {
    std::fs::remove_dir_all(path)
}

/// Removes a folder if nothing is in it.
pub fn remove_empty_folder(path: &Path) -> io::Result<()> {
    Ok(rustix::fs::unlinkat(CWD, path, AtFlags::REMOVEDIR)?)
}

/// Whether the path names a folder, or a symlink to one.
pub fn is_folder(path: &Path) -> bool {
    metadata(path).is_ok_and(|meta| meta.kind == Kind::Folder)
}

/// Whether this process may write to what the path names, symlinks followed. What everybody is kept from writing counts
/// as kept from us too, even where we are root.
pub fn is_writable(path: &Path) -> bool {
    metadata(path).is_ok_and(|meta| meta.mode & 0o222 != 0)
        && rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok()
}

/// Whether anything is there, symlinks followed.
pub fn exists(path: &Path) -> bool {
    metadata(path).is_ok()
}

/// What is known of a path, symlinks followed.
pub fn metadata(path: &Path) -> io::Result<Meta> {
    Ok(meta(&rustix::fs::stat(path)?))
}

/// What is known of a path itself, even where it is a symlink.
pub fn link_metadata(path: &Path) -> io::Result<Meta> {
    Ok(meta(&rustix::fs::lstat(path)?))
}

/// Reads a regular file of at most `limit` bytes, symlinks followed. Never blocks on a pipe.
pub fn read(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    read_all(&open_to_read(path, Links::Follow)?, limit)
}

/// [`read`], but a symlink in its place is refused.
pub fn read_no_link(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    read_all(&open_to_read(path, Links::Refuse)?, limit)
}

/// [`read`], together with the [`Meta`] of the same version.
pub fn read_with_meta(path: &Path, limit: usize) -> io::Result<(Vec<u8>, Meta)> {
    let fd = open_to_read(path, Links::Follow)?;
    let meta = meta(&rustix::fs::fstat(&fd)?);
    Ok((read_all(&fd, limit)?, meta))
}

/// Reads a file of the kernel's, whose size is not known before: `/proc` says 0.
#[cfg(target_os = "linux")]
pub fn read_procfs(path: &str) -> io::Result<Vec<u8>> {
    let fd = rustix::fs::open(path, OFlags::RDONLY | OFlags::CLOEXEC, Mode::empty())?;
    read_to_end(&fd, 1 << 20, 512, Ends::Short)
}

/// Reads standard input to its end, at most `limit` bytes; more is an error.
pub fn read_stdin(limit: usize) -> io::Result<Vec<u8>> {
    read_to_end(&rustix::stdio::stdin(), limit, 4096, Ends::Empty)
}

/// Writes everything to standard output.
pub fn write_stdout(bytes: &[u8]) -> io::Result<()> {
    write_all(&rustix::stdio::stdout(), bytes)
}

/// Writes everything to standard error.
pub fn write_stderr(bytes: &[u8]) -> io::Result<()> {
    write_all(&rustix::stdio::stderr(), bytes)
}

/// Whether a path is longer than any that the kernel takes: nothing can lie there, and what looks at each of its parts
/// would never end.
pub fn is_too_long(path: &Path) -> bool {
    path.as_os_str().len() > 4096
}

/// The path with every symlink in it resolved. Parts that do not exist (a deleted folder) are kept as they are, after
/// the deepest parent that does; a `..` after such a part takes it back. `path` is absolute.
pub fn resolve(path: &Path) -> PathBuf {
    if has_no_links(path) || is_too_long(path) {
        return path.to_owned();
    }
    if let Ok(resolved) = std::fs::canonicalize(path) {
        return resolved;
    }
    let mut resolved = PathBuf::new();
    for part in path.components() {
        match part {
            Component::ParentDir => {
                resolved.pop();
            }
            Component::CurDir => {}
            part => {
                resolved.push(part);
                if let Ok(further) = std::fs::canonicalize(&resolved) {
                    resolved = further;
                }
            }
        }
    }
    resolved
}

/// Whether a path is what resolving would give. Two system calls, where resolving takes one for each part, and for a
/// file that is yet to be made one for each part of each of its parents. `false` says nothing: the kernel may be too old
/// for the question, or not allow it.
#[cfg(target_os = "linux")]
fn has_no_links(path: &Path) -> bool {
    use rustix::fs::{ResolveFlags, openat2};
    let bytes = path.as_os_str().as_bytes();
    // What the kernel would walk through, and resolving takes out.
    let plain = bytes.starts_with(b"/")
        && bytes.split(|byte| *byte == b'/').skip(1).all(|part| !matches!(part, b"" | b"." | b".."));
    let open = || openat2(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::NO_SYMLINKS);
    // A symlink on the way to what is missing, or in its place, would have been the error.
    plain && matches!(open(), Ok(_) | Err(Errno::NOENT))
}

#[cfg(not(target_os = "linux"))]
fn has_no_links(_path: &Path) -> bool {
    false
}

/// The path with every symlink in it resolved; an error where a part of it does not exist.
pub fn canonical(path: &Path) -> io::Result<PathBuf> {
    std::fs::canonicalize(path)
}

/// What a symlink holds; an error where the path names something else.
pub fn read_link(path: &Path) -> io::Result<PathBuf> {
    let target = rustix::fs::readlink(path, Vec::new())?;
    Ok(PathBuf::from(OsString::from_vec(target.into_bytes())))
}

/// What one read gives of a file's beginning, for files that are known to be small: three system calls. A file that
/// gives `most` bytes is larger than that, or may be. Never blocks on a pipe; what is not a regular file gives whatever
/// it gives.
pub fn read_start(path: &Path, links: Links, most: usize) -> io::Result<Vec<u8>> {
    let fd = open_to_read(path, links)?;
    // Not on the stack: a buffer there is a page fault for each page of it, used or not.
    let mut bytes = Vec::with_capacity(most);
    rustix::io::retry_on_intr(|| rustix::io::read(&fd, rustix::buffer::spare_capacity(&mut bytes)))?;
    bytes.shrink_to_fit();
    Ok(bytes)
}

/// What to do about a symlink in the last part of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// Open what it points to.
    Follow,
    /// Fail.
    Refuse,
}

/// A regular file, open to be read in places.
#[derive(Debug)]
pub struct Pieces {
    fd: OwnedFd,
    size: u64,
    owner: u32,
}

impl Pieces {
    /// Opens a regular file, symlinks followed. Never blocks on a pipe.
    pub fn open(path: &Path) -> io::Result<Pieces> {
        let fd = open_to_read(path, Links::Follow)?;
        let meta = meta(&rustix::fs::fstat(&fd)?);
        if meta.kind != Kind::File {
            return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
        }
        Ok(Pieces { fd, size: meta.id.size, owner: meta.owner })
    }

    /// The user who owns it.
    pub fn owner(&self) -> u32 {
        self.owner
    }

    /// Its size in bytes when it was opened.
    pub fn size(&self) -> u64 {
        self.size
    }

    /// The bytes from `offset` on, `length` of them; fewer where the file ends before.
    pub fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let left = usize::try_from(self.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let wanted = length.min(left);
        let mut bytes = Vec::with_capacity(wanted);
        while bytes.len() < wanted {
            let at = offset.saturating_add(bytes.len() as u64);
            let read = || rustix::io::pread(&self.fd, rustix::buffer::spare_capacity(&mut bytes), at);
            if rustix::io::retry_on_intr(read)? == 0 {
                break;
            }
        }
        bytes.truncate(wanted);
        Ok(bytes)
    }
}

/// Whether a name can be a file name of ours: not hidden, no separator, nothing unprintable.
pub fn is_plain_name(name: &OsStr) -> bool {
    let bytes = name.as_bytes();
    !bytes.is_empty()
        && bytes.len() < 200
        && !bytes.starts_with(b".")
        && bytes.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'/')
}

/// Gives a new file its mode, where the umask took bits away: it can do nothing else, so a file that is ours alone was
/// never anybody else's for a moment, and an odd one takes them from us too. To ask takes a fifth of a change to what is.
fn give_mode(fd: &OwnedFd, mode: Mode) -> rustix::io::Result<()> {
    let given = Mode::from_raw_mode(rustix::fs::fstat(fd)?.st_mode);
    if given == mode { Ok(()) } else { rustix::fs::fchmod(fd, mode) }
}

/// Never blocks on a pipe, never takes a terminal for ours.
fn open_to_read(path: &Path, links: Links) -> io::Result<OwnedFd> {
    let mut flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NONBLOCK | OFlags::NOCTTY;
    flags.set(OFlags::NOFOLLOW, links == Links::Refuse);
    Ok(rustix::fs::open(path, flags, Mode::empty())?)
}

fn read_all(fd: &OwnedFd, limit: usize) -> io::Result<Vec<u8>> {
    read_regular(fd, &meta(&rustix::fs::fstat(fd)?), limit)
}

fn read_regular(fd: &OwnedFd, meta: &Meta, limit: usize) -> io::Result<Vec<u8>> {
    if meta.kind != Kind::File {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file"));
    }
    if meta.id.size > limit as u64 {
        return Err(too_large(limit));
    }
    // One byte more than the size: the read that finds the content also finds that nothing follows.
    read_to_end(fd, limit, usize::try_from(meta.id.size).unwrap_or(usize::MAX).min(limit) + 1, Ends::Short)
}

#[cold]
fn too_large(limit: usize) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("larger than {limit} bytes"))
}

/// How the end of what is read shows.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Ends {
    /// By a read that gives less than there was room for: regular files, and the small texts of `/proc`.
    Short,
    /// By a read that gives nothing: pipes.
    Empty,
}

fn read_to_end(fd: &impl AsFd, limit: usize, first: usize, ends: Ends) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::with_capacity(first.max(512));
    loop {
        match rustix::io::read(fd, rustix::buffer::spare_capacity(&mut bytes)) {
            Ok(0) => return Ok(bytes),
            Ok(_) if bytes.len() > limit => {
                return Err(too_large(limit));
            }
            Ok(_) if bytes.len() == bytes.capacity() => bytes.reserve(bytes.len()),
            Ok(_) if ends == Ends::Short => return Ok(bytes),
            Ok(_) | Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

fn write_all(fd: &impl AsFd, mut bytes: &[u8]) -> io::Result<()> {
    while !bytes.is_empty() {
        match rustix::io::write(fd, bytes) {
            Ok(0) => return Err(io::ErrorKind::WriteZero.into()),
            Ok(written) => bytes = bytes.get(written..).unwrap_or_default(),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Ok(())
}
