//! The two scripts: what is in them, and how they come and go.

use std::path::{Path, PathBuf};

use crate::claude::settings::{self, Hook, Wanted};
use crate::error::{Error, Result};
use crate::sys::atomic_edit::{Change, Current, Done};
use crate::sys::files;

use super::install_paths::{InstallPaths, copies};

/// The scripts, as they are in the repository.
const SCRIPTS: [(Hook, &str); 2] = [
    (Hook::Register, include_str!("../../../shell/session-register.sh")),
    (Hook::Cleanup, include_str!("../../../shell/session-cleanup.sh")),
];
/// The line of a script that says where `ait` is; as it is in the repository, the `ait` in `PATH`.
const PROGRAM: &str = "ait=ait\n";
/// A text in every script that ait wrote.
const OURS: &str = "Written by `ait hooks install`";
/// The mode of a script.
const EXECUTABLE: u32 = 0o755;
const DOING: &str = "installing hooks";

/// Where each script belongs, and its content.
pub(crate) fn scripts(paths: &InstallPaths, hooks: &[Hook], wanted: &Wanted) -> Vec<(PathBuf, String)> {
    let program = format!("ait={}\n", settings::quote(&wanted.ait));
    let of = |(hook, text): (Hook, &str)| {
        let name = hook.script().filter(|_| hooks.contains(&hook))?;
        Some((paths.scripts().join(name), text.replacen(PROGRAM, &program, 1)))
    };
    SCRIPTS.into_iter().filter_map(of).collect()
}

/// A script that was written, and what is needed to take that back.
pub(super) struct Written {
    path: PathBuf,
    before: Option<Vec<u8>>,
    done: Done,
}

impl Written {
    /// Writes a script. One that ait did not write is kept beside it, and `remarks` says so.
    ///
    /// # Errors
    /// Where it cannot be written. It is then as it was.
    pub(super) fn write(paths: &InstallPaths, path: PathBuf, text: &str, remarks: &mut Vec<String>) -> Result<Written> {
        let suffix = paths.suffix();
        let mut before = None;
        let done = paths.careful(DOING, &path, &suffix, Some(EXECUTABLE)).edit(|current| {
            before = current.bytes.map(<[u8]>::to_vec);
            Ok(change(current, text))
        })?;
        if let Some(copy) = &done.backup {
            remarks.push(format!(
                "{} was not written by ait; it was renamed to {}",
                paths.show(&path),
                paths.show(copy)
            ));
        }
        Ok(Written { path, before, done })
    }

    /// Whether it was changed.
    pub(super) fn changed(&self) -> bool {
        self.done.changed
    }

    /// Makes the script what it was, because the rest of the installation failed.
    pub(super) fn take_back(self, paths: &InstallPaths) {
        if !self.done.changed {
            return;
        }
        let suffix = paths.suffix();
        let change = |_: Current| {
            Ok(match &self.before {
                Some(bytes) => Change::Write { bytes: bytes.clone(), backup: false },
                None => Change::Remove { backup: false },
            })
        };
        // If it cannot be restored, it stays: without its entry in the settings the script does nothing.
        if self.done.backup.is_some() {
            let _ = give_back(&self.done.file);
        } else {
            let _ = paths.careful(DOING, &self.path, &suffix, None).edit(change);
        }
    }
}

/// The change of a script by an installation.
pub(super) fn change(current: Current, text: &str) -> Change {
    Change::Write { bytes: text.into(), backup: current.bytes.is_some_and(|bytes| !is_ours(bytes)) }
}

/// The remark of a dry run about a script.
pub(super) fn foreign_remark(current: Current, path: &Path, paths: &InstallPaths) -> Option<String> {
    let foreign = current.bytes.is_some_and(|bytes| !is_ours(bytes));
    foreign.then(|| format!("{} was not written by ait; it would be renamed and kept", paths.show(path)))
}

/// The change of a script by an uninstallation.
pub(super) fn removal(current: Current, path: &Path, paths: &InstallPaths, remarks: &mut Vec<String>) -> Change {
    if current.bytes.is_some_and(is_ours) {
        return Change::Remove { backup: false };
    }
    if current.bytes.is_some() {
        remarks.push(format!("{} was not removed: ait did not write it", paths.show(path)));
    }
    Change::Keep
}

/// Puts the newest copy of a foreign script back that an installation set aside.
///
/// # Errors
/// Where it cannot be renamed.
pub(super) fn give_back(file: &Path) -> Result<Option<PathBuf>> {
    let (Some(parent), Some(name), Some(newest)) =
        (file.parent(), file.file_name().and_then(|name| name.to_str()), copies(file).pop())
    else {
        return Ok(None);
    };
    let error = |why| Error::new("uninstalling hooks", file.display(), why);
    let folder = files::Folder::open(parent).map_err(error)?;
    folder.rename(&newest, name).map_err(error)?;
    Ok(Some(parent.join(newest)))
}

fn is_ours(script: &[u8]) -> bool {
    String::from_utf8_lossy(script).contains(OURS)
}
