//! Bounded reads and complete writes of open files; standard input and output.

use std::io;
use std::os::fd::AsFd;

use rustix::io::Errno;

/// Reads a file in `/proc`, whose size is unknown before it is read.
#[cfg(target_os = "linux")]
pub fn read_procfs(path: &str) -> io::Result<Vec<u8>> {
    use rustix::fs::{Mode, OFlags};
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

/// How a read finds the end of the content.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Ends {
    /// A read returns fewer bytes than asked for: regular files and `/proc`.
    Short,
    /// A read returns nothing: pipes.
    Empty,
}

pub(super) fn read_to_end(fd: &impl AsFd, limit: usize, first: usize, ends: Ends) -> io::Result<Vec<u8>> {
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

pub(super) fn write_all(fd: &impl AsFd, mut bytes: &[u8]) -> io::Result<()> {
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

#[cold]
pub(super) fn too_large(limit: usize) -> io::Error {
    io::Error::new(io::ErrorKind::FileTooLarge, format!("larger than {limit} bytes"))
}
