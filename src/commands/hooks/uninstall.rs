//! `ait hooks uninstall`

use std::path::{Path, PathBuf};

use argh::{ArgsInfo, FromArgs};

use crate::claude::settings::{self, Hook, Wanted};
use crate::commands::Run;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::report::Report;
use crate::sys::atomic_edit::{Change, Current};

use super::install_paths::{InstallPaths, copies, named, refused};
use super::scripts::{give_back, removal};
use super::text::{dry_run, in_conditional, preview, report, written};

const DOING: &str = "uninstalling hooks";

/// remove hooks from Claude Code's settings
#[derive(FromArgs, ArgsInfo, Clone, Debug, Default)]
#[argh(subcommand, name = "uninstall", help_triggers("-h", "--help"), example = "  ait hooks uninstall --dry-run")]
pub struct Uninstall {
    /// session-register, session-cleanup or statusline (default: all)
    #[argh(positional, arg_name = "hook")]
    pub names: Vec<String>,
    /// show what would change, without changing it
    #[argh(switch)]
    pub dry_run: bool,
}

impl Run for Uninstall {
    /// # Errors
    /// If a name is unknown, the settings do not parse, or something cannot be written. The settings are then as they
    /// were.
    fn run(&self, context: &Context) -> Result<Report> {
        uninstall_in(&InstallPaths::find(context)?, self)
    }
}

/// Uninstalls hooks in this place.
///
/// # Errors
/// As for [`Uninstall`].
pub fn uninstall_in(paths: &InstallPaths, request: &Uninstall) -> Result<Report> {
    let hooks = named(&request.names, &Hook::ALL)?;
    let wanted = paths.wanted(&hooks)?;
    let earlier = paths.copies_of_settings();
    let file = paths.settings();
    let suffix = paths.suffix();
    let settings = paths.careful(DOING, &file, &suffix, None);
    let scripts: Vec<PathBuf> =
        hooks.iter().filter_map(|hook| hook.script()).map(|name| paths.scripts().join(name)).collect();
    let mut remarks = Vec::new();
    let mut out = String::new();
    if request.dry_run {
        let diff = diff_of(paths, &hooks, &mut remarks)?;
        let remarks: Vec<String> = remarks.iter().map(|remark| in_conditional(remark)).collect();
        return Ok(report(dry_run(diff), &remarks));
    }
    let done = settings.edit(|current| change(&file, current, &wanted, &earlier, &mut remarks))?;
    paths.remove_old_copies(&done.file);
    let mut changed = done.changed;
    for path in &scripts {
        changed |= remove_script(paths, path, &mut out, &mut remarks)?;
    }
    if !changed {
        let names: Vec<&str> = hooks.iter().map(|hook| hook.name()).collect();
        out = format!("Not installed in {}: {}. Nothing was changed.\n", paths.show(&file), names.join(", "));
        return Ok(report(out, &remarks));
    }
    if done.changed {
        out.push_str(&written(paths, &done));
    }
    let copies = copies(&done.file).len();
    if copies > 0 {
        let them = if copies == 1 { "it" } else { "them" };
        out.push_str(&format!("Backups: {copies}, {}.ait-backup-*. You can delete {them}.\n", paths.show(&done.file)));
    }
    Ok(report(out, &remarks))
}

/// The changes that uninstalling all hooks would make, as a diff; empty if there are none.
///
/// # Errors
/// As for [`Uninstall`].
pub(crate) fn uninstall_diff(paths: &InstallPaths) -> Result<String> {
    diff_of(paths, &Hook::ALL, &mut Vec::new())
}

fn diff_of(paths: &InstallPaths, hooks: &[Hook], remarks: &mut Vec<String>) -> Result<String> {
    let wanted = paths.wanted(hooks)?;
    let (file, suffix, earlier) = (paths.settings(), paths.suffix(), paths.copies_of_settings());
    let mut out = String::new();
    preview(&paths.careful(DOING, &file, &suffix, None), &mut out, |current| {
        change(&file, current, &wanted, &earlier, remarks)
    })?;
    for name in hooks.iter().filter_map(|hook| hook.script()) {
        let path = paths.scripts().join(name);
        preview(&paths.careful(DOING, &path, &suffix, None), &mut out, |current| {
            Ok(removal(current, &path, paths, remarks))
        })?;
    }
    Ok(out)
}

/// The change of the settings. `remarks` are those of the last call.
fn change(
    file: &Path,
    current: Current,
    wanted: &Wanted,
    earlier: &[Vec<u8>],
    remarks: &mut Vec<String>,
) -> Result<Change> {
    let Some(bytes) = current.bytes else { return Ok(Change::Keep) };
    let hooks = &wanted.hooks;
    let edit = settings::uninstall(bytes, hooks, wanted, earlier).map_err(|problem| refused(DOING, file, &problem))?;
    settings::check_uninstalled(edit.bytes.as_deref(), hooks).map_err(|why| Error::new(DOING, file.display(), why))?;
    *remarks = edit.remarks;
    Ok(match edit.bytes {
        Some(bytes) => Change::Write { bytes, backup: true },
        // The target of a link is not removed.
        None if current.is_link => Change::Write { bytes: b"{}\n".to_vec(), backup: true },
        None => Change::Remove { backup: true },
    })
}

/// Removes a script of ait, and restores what was there before. Returns whether it did.
fn remove_script(paths: &InstallPaths, path: &Path, out: &mut String, remarks: &mut Vec<String>) -> Result<bool> {
    let suffix = paths.suffix();
    let mut of_script = Vec::new();
    let removed = paths.careful(DOING, path, &suffix, None).edit(|current| {
        of_script.clear();
        Ok(removal(current, path, paths, &mut of_script))
    })?;
    remarks.append(&mut of_script);
    if removed.changed {
        out.push_str(&format!("Removed {}\n", paths.show(path)));
        if let Some(copy) = give_back(&removed.file)? {
            out.push_str(&format!("Restored your earlier {} from {}\n", paths.show(path), paths.show(&copy)));
        }
    }
    Ok(removed.changed)
}
