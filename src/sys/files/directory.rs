//! Open folders. Files are opened relative to an open folder: the kernel walks shorter paths, and nobody can replace the
//! folder by a symlink in between.

use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use rustix::fs::{AtFlags, CWD, Mode, OFlags, SeekFrom};
use rustix::io::Errno;

use super::meta::{Kind, Meta, is_folder, link_metadata, meta};

/// The mode of folders that ait creates.
const FOLDER_MODE: Mode = Mode::RWXU;

/// An open folder.
#[derive(Debug)]
pub struct Folder {
    pub(super) fd: OwnedFd,
    path: PathBuf,
}

impl Folder {
    /// Opens a folder; a symlink to one is followed.
    pub fn open(path: impl Into<PathBuf>) -> io::Result<Folder> {
        let path = path.into();
        let fd = rustix::fs::open(&path, OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC, Mode::empty())?;
        Ok(Folder { fd, path })
    }

    /// Opens a folder; creates it and its parents with mode 0700 if they are missing.
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

    /// Opens a folder that belongs to ait. A symlink in its place is an error, because files would be written somewhere
    /// else. Symlinks above it are followed.
    pub fn open_own(path: impl Into<PathBuf>) -> io::Result<Folder> {
        let path = path.into();
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        match rustix::fs::open(&path, flags, Mode::empty()) {
            Ok(fd) => Ok(Folder { fd, path }),
            Err(_) if link_metadata(&path).is_ok_and(|meta| meta.kind == Kind::Link) => {
                Err(io::Error::new(io::ErrorKind::NotADirectory, "a symlink, which ait does not follow here"))
            }
            Err(error) => Err(error.into()),
        }
    }

    /// Like [`Folder::open_own`]; creates it as [`Folder::open_or_make`] does.
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

    /// Opens a folder in this one.
    pub fn folder(&self, name: &str) -> io::Result<Folder> {
        let flags = OFlags::RDONLY | OFlags::DIRECTORY | OFlags::CLOEXEC | OFlags::NOFOLLOW;
        let fd = rustix::fs::openat(&self.fd, name, flags, Mode::empty())?;
        Ok(Folder { fd, path: self.path.join(name) })
    }

    /// Opens a folder in this one; creates it with mode 0700 if it is missing.
    pub fn folder_or_make(&self, name: &str) -> io::Result<Folder> {
        match make_folder(self.fd.as_fd(), Path::new(name)) {
            Ok(()) | Err(Errno::EXIST) => self.folder(name),
            Err(error) => Err(error.into()),
        }
    }

    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Information about the folder itself.
    pub fn meta(&self) -> io::Result<Meta> {
        Ok(meta(&rustix::fs::fstat(&self.fd)?))
    }

    /// Information about a file in it; a symlink is not followed.
    pub fn meta_of(&self, name: &str) -> io::Result<Meta> {
        Ok(meta(&rustix::fs::statat(&self.fd, name, AtFlags::SYMLINK_NOFOLLOW)?))
    }

    /// The names in it, in no order, without `.` and `..`. Names that are not UTF-8 are left out; ait writes none.
    pub fn names(&self) -> io::Result<Vec<String>> {
        let mut names = Vec::new();
        self.each_name(|name| names.push(name.to_owned()))?;
        Ok(names)
    }

    /// Calls `visit` with every name that [`Folder::names`] returns.
    pub fn each_name(&self, mut visit: impl FnMut(&str)) -> io::Result<()> {
        self.names_while(|name| {
            visit(name);
            true
        })
    }

    /// Like [`Folder::each_name`], until `visit` returns `false`.
    pub fn names_while(&self, mut visit: impl FnMut(&str) -> bool) -> io::Result<()> {
        // An earlier listing left the position at its end.
        rustix::fs::seek(&self.fd, SeekFrom::Start(0))?;
        each_entry(&self.fd, |name| std::str::from_utf8(name).map_or(true, &mut visit))
    }

    /// Moves a file to another folder under the same name; an existing file there is replaced.
    pub fn move_to(&self, name: &str, other: &Folder) -> io::Result<()> {
        #[cfg(test)]
        super::steps::before(super::steps::Step::Write);
        Ok(rustix::fs::renameat(&self.fd, name, &other.fd, name)?)
    }

    /// Renames a file in this folder; an existing file of the new name is replaced.
    pub fn rename(&self, from: &str, to: &str) -> io::Result<()> {
        #[cfg(test)]
        super::steps::before(super::steps::Step::Write);
        Ok(rustix::fs::renameat(&self.fd, from, &self.fd, to)?)
    }

    /// Removes a file.
    pub fn remove(&self, name: &str) -> io::Result<()> {
        #[cfg(test)]
        super::steps::before(super::steps::Step::Write);
        Ok(rustix::fs::unlinkat(&self.fd, name, AtFlags::empty())?)
    }
}

#[cfg(target_os = "linux")]
fn each_entry(fd: &OwnedFd, mut visit: impl FnMut(&[u8]) -> bool) -> io::Result<()> {
    // On the heap, because a large stack frame costs page faults even if it is not used.
    let mut buffer = Vec::with_capacity(4 * 1024);
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

/// Whether a folder is on a file system whose times and locks may come from another machine.
#[cfg(target_os = "linux")]
pub fn is_remote(folder: &Folder) -> bool {
    // statfs(2): NFS, SMB, CIFS, SMB2, FUSE, 9P, CEPH, AFS, CODA.
    const REMOTE: [u32; 9] =
        [0x6969, 0x517b, 0xff53_4d42, 0xfe53_4d42, 0x6573_5546, 0x0102_1997, 0x00c3_6400, 0x5346_414f, 0x7375_7245];
    rustix::fs::fstatfs(&folder.fd).is_ok_and(|stat| REMOTE.contains(&(stat.f_type as u32)))
}

/// Whether a folder is on a file system whose times and locks may come from another machine.
#[cfg(target_os = "macos")]
pub fn is_remote(folder: &Folder) -> bool {
    const MNT_LOCAL: u32 = 0x1000;
    rustix::fs::fstatfs(&folder.fd).is_ok_and(|stat| stat.f_flags & MNT_LOCAL == 0)
}

/// Creates a folder with mode 0700 under any umask.
pub(super) fn make_folder(parent: BorrowedFd<'_>, path: &Path) -> rustix::io::Result<()> {
    rustix::fs::mkdirat(parent, path, FOLDER_MODE)?;
    // A strict umask may have removed bits. No one else can have replaced it by a symlink: the parent is ours.
    rustix::fs::chmodat(parent, path, FOLDER_MODE, AtFlags::empty())
}

/// Creates a folder and its parents, each with mode 0700 under any umask.
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

/// Removes a folder and everything in it; symlinks in it are removed, not followed.
pub fn remove_folder(path: &Path) -> io::Result<()> {
    std::fs::remove_dir_all(path)
}

/// Removes a folder if nothing is in it.
pub fn remove_empty_folder(path: &Path) -> io::Result<()> {
    Ok(rustix::fs::unlinkat(CWD, path, AtFlags::REMOVEDIR)?)
}
