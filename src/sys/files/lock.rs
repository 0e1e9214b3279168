//! Locks on folders, by flock(2). The kernel releases a lock when its process ends; no lock file is left behind.

use std::os::fd::AsFd;
use std::time::Duration;

use rustix::fs::FlockOperation;
use rustix::io::Errno;

use super::directory::Folder;

/// How an attempt to lock a folder ended.
#[derive(Debug)]
pub enum Locking<'a> {
    /// The lock is held until this is dropped.
    Held(Lock<'a>),
    /// Another process held the lock until the time limit.
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

impl Folder {
    /// Takes the lock of this folder; waits at most `limit`.
    pub fn lock(&self, limit: Duration) -> Locking<'_> {
        #[cfg(test)]
        super::steps::before(super::steps::Step::Lock);
        const MAX_PAUSE: Duration = Duration::from_millis(2);
        let mut pause = Duration::from_micros(200);
        let mut waited = Duration::ZERO;
        loop {
            match rustix::fs::flock(&self.fd, FlockOperation::NonBlockingLockExclusive) {
                Ok(()) => return Locking::Held(Lock(self)),
                Err(Errno::WOULDBLOCK | Errno::INTR) if waited < limit => {
                    std::thread::sleep(pause);
                    waited += pause;
                    pause = (pause * 2).min(MAX_PAUSE);
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
}
