//! Waiting until something changes in a folder, or the reader of standard output is gone.

use std::io;
use std::path::Path;
use std::time::Duration;

use rustix::event::{PollFd, PollFlags, Timespec};

/// Why a wait ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Woken {
    /// A file in a watched folder was made, written, renamed or removed; or may have been, where the system cannot say.
    Changed,
    /// The time is up.
    Late,
    /// The reader of standard output is gone.
    Closed,
}

/// Folders that are watched.
#[derive(Debug)]
pub struct Watch {
    #[cfg(target_os = "linux")]
    fd: std::os::fd::OwnedFd,
}

#[cfg(target_os = "linux")]
impl Watch {
    /// Watches nothing yet. Fails where the user has too many watches.
    pub fn new() -> io::Result<Watch> {
        use rustix::fs::inotify::{CreateFlags, init};
        Ok(Watch { fd: init(CreateFlags::CLOEXEC | CreateFlags::NONBLOCK)? })
    }

    /// Watches a folder too. Once more does no harm, and takes up again a folder that was removed and made anew.
    pub fn add(&self, folder: &Path) -> io::Result<()> {
        use rustix::fs::inotify::{WatchFlags, add_watch};
        let changes = WatchFlags::CREATE | WatchFlags::DELETE | WatchFlags::MOVE | WatchFlags::MODIFY;
        add_watch(&self.fd, folder, changes | WatchFlags::ONLYDIR)?;
        Ok(())
    }

    /// Waits for the first of: a change, the end of our reader, the time limit.
    pub fn wait(&self, limit: Duration) -> Woken {
        let mut descriptors = [reader(), PollFd::new(&self.fd, PollFlags::IN)];
        let woken = wait(&mut descriptors, limit);
        if woken == Woken::Changed {
            let mut events = [0; 4096];
            while rustix::io::read(&self.fd, &mut events).is_ok_and(|read| read > 0) {}
        }
        woken
    }
}

#[cfg(not(target_os = "linux"))]
impl Watch {
    /// Watches nothing yet.
    pub fn new() -> io::Result<Watch> {
        Ok(Watch {})
    }

    /// Says whether there is such a folder.
    pub fn add(&self, folder: &Path) -> io::Result<()> {
        super::files::metadata(folder).map(|_| ())
    }

    /// Waits for the first of: a second, after which something may have changed; the end of our reader; the time limit.
    pub fn wait(&self, limit: Duration) -> Woken {
        let second = Duration::from_secs(1);
        match wait(&mut [reader()], limit.min(second)) {
            Woken::Late if limit > second => Woken::Changed,
            woken => woken,
        }
    }
}

/// Waits for the end of our reader, or for the time limit.
pub fn pause(limit: Duration) -> Woken {
    wait(&mut [reader()], limit)
}

/// No event is asked for: errors and hang-ups are told unasked.
fn reader() -> PollFd<'static> {
    PollFd::from_borrowed_fd(rustix::stdio::stdout(), PollFlags::empty())
}

fn wait(descriptors: &mut [PollFd<'_>], limit: Duration) -> Woken {
    let limit =
        Timespec { tv_sec: limit.as_secs().try_into().unwrap_or(i64::MAX), tv_nsec: limit.subsec_nanos().into() };
    match rustix::event::poll(descriptors, Some(&limit)) {
        Ok(0) => Woken::Late,
        Ok(_) if descriptors.first().is_some_and(|reader| !reader.revents().is_empty()) => Woken::Closed,
        Ok(_) | Err(rustix::io::Errno::INTR) => Woken::Changed,
        Err(_) => Woken::Closed,
    }
}
