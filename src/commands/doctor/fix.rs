//! The corrections of `--fix`.

use std::path::Path;

use super::check::{Check, Status};
use super::folders::{own_files, own_folders};
use crate::claude::settings::Hook;
use crate::commands::hooks::{self, Install};
use crate::commands::prune;
use crate::context::Context;
use crate::sys::files::{self, Folder, Kind, PRIVATE};
use crate::sys::process;

/// Fixes what is safe to fix without asking, and returns what was done. Errors go to `remarks`.
pub(super) fn fix_problems(context: &Context, checks: &[Check], remarks: &mut Vec<String>) -> Vec<String> {
    let mut done = Vec::new();
    let Ok(root) = context.root() else { return done };
    let wrong = |name: &str| checks.iter().any(|check| check.name == name && check.status != Status::Ok);
    // Modes first: the rest has to read and write there.
    for (path, mode) in own_folders(root).into_iter().map(|path| (path, 0o700)) {
        correct_mode(&path, Kind::Folder, mode, &mut done, remarks);
    }
    for (path, _) in own_files(root) {
        correct_mode(&path, Kind::File, PRIVATE, &mut done, remarks);
    }
    if wrong("hooks") {
        let mut names = vec![Hook::Register.name().to_owned(), Hook::Cleanup.name().to_owned()];
        names.extend(status_line_is_ours(context).then(|| Hook::Statusline.name().to_owned()));
        let install = Install { names, dry_run: false };
        match hooks::InstallPaths::find(context).and_then(|paths| hooks::install_in(&paths, &install)) {
            Ok(installation) => {
                remarks.extend(installation.report.into_remarks());
                if installation.is_complete {
                    done.push("reinstalled the hooks in Claude Code's settings".to_owned());
                }
            }
            Err(error) => remarks.push(error.to_string()),
        }
    }
    if wrong("sessions") {
        match prune::prune(context) {
            Ok(report) => {
                remarks.extend(report.into_remarks());
                done.push("archived stale sessions and removed temporary files".to_owned());
            }
            Err(error) => remarks.push(error.to_string()),
        }
    }
    let _ = Folder::open_own(root.cache()).and_then(|cache| cache.sweep());
    done
}

pub(super) fn correct_mode(path: &Path, kind: Kind, mode: u32, done: &mut Vec<String>, remarks: &mut Vec<String>) {
    let Ok(meta) = files::link_metadata(path) else { return };
    if meta.kind != kind || meta.owner != process::user_id() || meta.mode == mode {
        return;
    }
    match files::set_mode(path, mode) {
        Ok(()) => done.push(format!("changed the mode of {} to {mode:04o} (it was {:04o})", path.display(), meta.mode)),
        Err(why) => remarks.push(format!("setting the mode: {}: {why}", path.display())),
    }
}

/// Whether the status line in the settings runs `ait`, in any form.
pub(super) fn status_line_is_ours(context: &Context) -> bool {
    let found = hooks::InstallPaths::find(context).and_then(|paths| hooks::read_settings("", &paths.settings()));
    let found = found.ok().flatten().unwrap_or_default();
    found.installed.iter().any(|entry| entry.hook == Hook::Statusline)
}
