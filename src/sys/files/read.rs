//! Bounded reads. None blocks on a pipe or makes a terminal the controlling one.

use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use rustix::fs::{Mode, OFlags};

use super::directory::Folder;
use super::meta::{Kind, Meta, meta};
use crate::sys::fd::{Ends, read_to_end, too_large};
use crate::sys::process::user_id;

/// How to treat a symlink in the last part of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Links {
    /// Open what it points to.
    Follow,
    /// Fail.
    Refuse,
}

impl Folder {
    /// Reads a regular file of at most `limit` bytes. Never blocks on a pipe, never follows a symlink.
    pub fn read(&self, name: &str, limit: usize) -> io::Result<Vec<u8>> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        read_all(&rustix::fs::openat(&self.fd, name, flags, Mode::empty())?, limit)
    }

    /// Reads a file and its [`Meta`], both of the same version.
    pub fn read_with_meta(&self, name: &str, limit: usize) -> io::Result<(Vec<u8>, Meta)> {
        let flags = OFlags::RDONLY | OFlags::CLOEXEC | OFlags::NOFOLLOW | OFlags::NONBLOCK | OFlags::NOCTTY;
        let fd = rustix::fs::openat(&self.fd, name, flags, Mode::empty())?;
        let meta = meta(&rustix::fs::fstat(&fd)?);
        Ok((read_regular(&fd, &meta, limit)?, meta))
    }

    /// Like [`Folder::read`]; a file of another user counts as missing.
    pub fn read_own(&self, name: &str, limit: usize) -> io::Result<Vec<u8>> {
        let (bytes, meta) = self.read_with_meta(name, limit)?;
        if meta.owner == user_id() { Ok(bytes) } else { Err(io::ErrorKind::NotFound.into()) }
    }
}

/// Reads a regular file of at most `limit` bytes, symlinks followed. Never blocks on a pipe.
pub fn read(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    read_all(&open_to_read(path, Links::Follow)?, limit)
}

/// Like [`read`], but a symlink is an error.
pub fn read_no_link(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    read_all(&open_to_read(path, Links::Refuse)?, limit)
}

/// Like [`read_no_link`]; a file of another user counts as missing.
pub fn read_own(path: &Path, limit: usize) -> io::Result<Vec<u8>> {
    let fd = open_to_read(path, Links::Refuse)?;
    let meta = meta(&rustix::fs::fstat(&fd)?);
    if meta.owner == user_id() { read_regular(&fd, &meta, limit) } else { Err(io::ErrorKind::NotFound.into()) }
}

/// Like [`read`], with the [`Meta`] of the same version.
pub fn read_with_meta(path: &Path, limit: usize) -> io::Result<(Vec<u8>, Meta)> {
    let fd = open_to_read(path, Links::Follow)?;
    let meta = meta(&rustix::fs::fstat(&fd)?);
    Ok((read_all(&fd, limit)?, meta))
}

/// Reads the first bytes of a file with one read, at most `max` bytes: three system calls, for files that are small. If
/// the result has `max` bytes, the file may be larger. The type of file is not checked.
pub fn read_start(path: &Path, links: Links, max: usize) -> io::Result<Vec<u8>> {
    let fd = open_to_read(path, links)?;
    // On the heap: a buffer on the stack costs a page fault for each of its pages, used or not.
    let mut bytes = Vec::with_capacity(max);
    rustix::io::retry_on_intr(|| rustix::io::read(&fd, rustix::buffer::spare_capacity(&mut bytes)))?;
    bytes.shrink_to_fit();
    Ok(bytes)
}

/// A regular file that is read in pieces.
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

    /// Appends at most `length` bytes from `offset` on, also those that were written after it was opened. Returns how many
    /// they are, 0 at the end.
    pub fn read_into(&self, offset: u64, length: usize, bytes: &mut Vec<u8>) -> io::Result<usize> {
        bytes.reserve(length);
        let read = || rustix::io::pread(&self.fd, rustix::buffer::spare_capacity(bytes), offset);
        Ok(rustix::io::retry_on_intr(read)?)
    }

    /// `length` bytes from `offset` on; fewer if the file ends before.
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
