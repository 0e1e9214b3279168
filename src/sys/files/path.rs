//! Paths: symlinks, temporary folders, and names.

use std::ffi::{OsStr, OsString};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};

use rustix::fs::CWD;
use rustix::io::Errno;

use super::directory::make_folder;
use crate::sys::env;

/// Whether a path is longer than the kernel accepts. Such a path cannot exist, and looking at each of its parts takes too
/// long.
pub fn is_too_long(path: &Path) -> bool {
    path.as_os_str().len() > 4096
}

/// The absolute path with all symlinks resolved. Parts that do not exist (a deleted folder) are kept; a `..` after such a
/// part removes it.
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

/// Whether resolving would not change the path. Two system calls; resolving needs one for each part, and more for a file
/// that does not exist yet. `false` means unknown: the kernel may be too old for openat2(2), or forbid it.
#[cfg(target_os = "linux")]
fn has_no_links(path: &Path) -> bool {
    use rustix::fs::{Mode, OFlags, ResolveFlags, openat2};
    let bytes = path.as_os_str().as_bytes();
    // The kernel accepts `//`, `.` and `..`; resolving removes them.
    let plain = bytes.starts_with(b"/")
        && bytes.split(|byte| *byte == b'/').skip(1).all(|part| !matches!(part, b"" | b"." | b".."));
    let open = || openat2(CWD, path, OFlags::PATH | OFlags::CLOEXEC, Mode::empty(), ResolveFlags::NO_SYMLINKS);
    // For a missing file too: a symlink in the path would have been another error than NOENT.
    plain && matches!(open(), Ok(_) | Err(Errno::NOENT))
}

#[cfg(not(target_os = "linux"))]
fn has_no_links(_path: &Path) -> bool {
    false
}

/// The path with all symlinks resolved; an error if a part of it does not exist.
pub fn canonical(path: &Path) -> io::Result<PathBuf> {
    std::fs::canonicalize(path)
}

/// The target of a symlink; an error if the path is not a symlink.
pub fn read_link(path: &Path) -> io::Result<PathBuf> {
    let target = rustix::fs::readlink(path, Vec::new())?;
    Ok(PathBuf::from(OsString::from_vec(target.into_bytes())))
}

/// The folder for temporary files: `TMPDIR`, else the system's own.
pub fn temporary_folder() -> PathBuf {
    env::temporary_folder()
}

/// Creates a new folder with mode 0700 in the folder for temporary files. Symlinks in its path are resolved.
pub fn make_temporary_folder(name: &str) -> io::Result<PathBuf> {
    let parent = std::fs::canonicalize(env::temporary_folder())?;
    for _ in 0..100 {
        let random = RandomState::new().build_hasher().finish();
        let path = parent.join(format!("{name}-{}-{random:016x}", std::process::id()));
        match make_folder(CWD, &path) {
            Ok(()) => return Ok(path),
            Err(Errno::EXIST) => {}
            Err(error) => return Err(error.into()),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// Whether ait may use this file name: not hidden, printable ASCII, no `/`.
pub fn is_plain_name(name: &OsStr) -> bool {
    let bytes = name.as_bytes();
    !bytes.is_empty()
        && bytes.len() < 200
        && !bytes.starts_with(b".")
        && bytes.iter().all(|byte| byte.is_ascii_graphic() && *byte != b'/')
}
