//! Temporary files that a killed process left behind.

use std::io;

use super::directory::Folder;
use crate::sys::{ffi, process};

impl Folder {
    /// Temporary files of [`Folder::replace`] whose writer no longer exists. Files of the last minute are left out: their
    /// writer may be in another container or on another machine, where the pid means another process.
    pub fn leftovers(&self) -> io::Result<Vec<String>> {
        self.leftovers_among(usize::MAX)
    }

    /// Like [`Folder::leftovers`], but looks at the first `max` names only.
    fn leftovers_among(&self, max: usize) -> io::Result<Vec<String>> {
        const MIN_AGE: i128 = 60_000_000_000;
        let now = now();
        let is_young = |name: &str| self.meta_of(name).is_ok_and(|meta| (now - meta.modified).abs() < MIN_AGE);
        let is_left = |name: &str| {
            let writer = name.strip_prefix('.').and_then(|rest| rest.strip_suffix(".tmp")).and_then(|rest| {
                let mut parts = rest.rsplit('.');
                parts.next()?;
                parts.next()?.parse::<u32>().ok()
            });
            writer.is_some_and(|pid| !process::exists(pid)) && !is_young(name)
        };
        let (mut names, mut seen) = (Vec::new(), 0);
        self.names_while(|name| {
            if is_left(name) {
                names.push(name.to_owned());
            }
            seen += 1;
            seen < max
        })?;
        Ok(names)
    }

    /// Removes the [`Folder::leftovers`] of one file.
    pub fn sweep_of(&self, name: &str) -> io::Result<()> {
        let (start, names) = (format!(".{name}."), self.leftovers()?);
        names.iter().filter(|left| left.starts_with(&start)).try_for_each(|left| self.remove(left))
    }

    /// Removes [`Folder::leftovers`].
    pub fn sweep(&self) -> io::Result<()> {
        self.sweep_among(usize::MAX)
    }

    /// Like [`Folder::sweep`], but looks at the first `max` names only.
    pub fn sweep_among(&self, max: usize) -> io::Result<()> {
        self.leftovers_among(max)?.iter().try_for_each(|name| self.remove(name))
    }
}

/// Nanoseconds since 1970, to compare with the times of files.
fn now() -> i128 {
    let (seconds, nanoseconds) = ffi::clock();
    i128::from(seconds) * 1_000_000_000 + i128::from(nanoseconds)
}
