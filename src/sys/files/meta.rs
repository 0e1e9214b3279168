//! Information about files: type, version, mode, owner.

use std::io;
use std::path::Path;

use rustix::fs::{FileType, Stat};

/// Identifies one version of a file: it changes when the file is replaced or rewritten.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct FileId {
    /// Inode number.
    pub inode: u64,
    /// Size in bytes.
    pub size: u64,
    /// Time of the last change of the inode, in nanoseconds since 1970.
    pub changed: i128,
}

/// The type of a file.
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

/// Information about a file, from stat(2).
#[derive(Clone, Copy, Debug)]
pub struct Meta {
    /// The type of file.
    pub kind: Kind,
    /// The version of the file.
    pub id: FileId,
    /// Permission bits.
    pub mode: u32,
    /// The user who owns it.
    pub owner: u32,
    /// Time of the last change of the content, in nanoseconds since 1970.
    pub modified: i128,
}

#[allow(clippy::useless_conversion, reason = "the mode has 16 bits on macOS")]
pub(super) fn meta(stat: &Stat) -> Meta {
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

/// Information about a path; symlinks are followed.
pub fn metadata(path: &Path) -> io::Result<Meta> {
    Ok(meta(&rustix::fs::stat(path)?))
}

/// Information about a path itself, also if it is a symlink.
pub fn link_metadata(path: &Path) -> io::Result<Meta> {
    Ok(meta(&rustix::fs::lstat(path)?))
}

/// Whether the path exists; symlinks are followed.
pub fn exists(path: &Path) -> bool {
    metadata(path).is_ok()
}

/// Whether the path names a folder, or a symlink to one.
pub fn is_folder(path: &Path) -> bool {
    metadata(path).is_ok_and(|meta| meta.kind == Kind::Folder)
}

/// Whether this process may write to the path; symlinks are followed. A file that nobody may write counts as not
/// writable, also for root.
pub fn is_writable(path: &Path) -> bool {
    metadata(path).is_ok_and(|meta| meta.mode & 0o222 != 0)
        && rustix::fs::access(path, rustix::fs::Access::WRITE_OK).is_ok()
}
