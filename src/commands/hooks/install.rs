//! `ait hooks install`: all of it or nothing.

use std::path::Path;

use argh::{ArgsInfo, FromArgs};

use crate::claude::settings::{self, Hook, Wanted};
use crate::commands::Run;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::render::width;
use crate::report::Report;
use crate::sys::atomic_edit::{Change, Current, Done};
use crate::sys::files;

use super::install_paths::{InstallPaths, named, refused};
use super::list::managed_remark;
use super::scripts::{self, Written, scripts};
use super::text::{dry_run, in_conditional, preview, report, written};

const DOING: &str = "installing hooks";

/// install hooks into Claude Code's settings
#[derive(FromArgs, ArgsInfo, Clone, Debug, Default)]
#[argh(
    subcommand,
    name = "install",
    help_triggers("-h", "--help"),
    example = "  ait hooks install              both session hooks\n  ait hooks install statusline   the status line\n  ait hooks install --dry-run    show what would change"
)]
pub struct Install {
    /// session-register, session-cleanup or statusline (default: the first two)
    #[argh(positional, arg_name = "hook")]
    pub names: Vec<String>,
    /// show what would change, without changing it
    #[argh(switch)]
    pub dry_run: bool,
}

impl Run for Install {
    /// # Errors
    /// If a name is unknown, the settings do not parse or are not of the right form, or something cannot be written.
    /// Everything is then as it was.
    fn run(&self, context: &Context) -> Result<Report> {
        Ok(install_in(&InstallPaths::find(context)?, self)?.report)
    }
}

/// The result of an installation.
pub struct Installation {
    /// For the user.
    pub report: Report,
    /// The settings now have all the hooks asked for. False after a dry run.
    pub is_complete: bool,
}

/// Installs hooks in this place.
///
/// # Errors
/// As for [`Install`].
pub fn install_in(paths: &InstallPaths, request: &Install) -> Result<Installation> {
    let hooks = named(&request.names, &[Hook::Register, Hook::Cleanup])?;
    let wanted = paths.wanted(&hooks)?;
    if request.dry_run {
        return Ok(Installation { report: show_changes(paths, &hooks, &wanted)?, is_complete: false });
    }
    let file = paths.settings();
    let suffix = paths.suffix();
    let settings = paths.careful(DOING, &file, &suffix, None);
    // First whether the settings can be changed at all.
    preview(&settings, &mut String::new(), |current| change(&file, current, &wanted, &mut Vec::new()))?;
    check_writable(&file)?;
    let mut remarks = Vec::new();
    let had_folder = files::exists(&paths.scripts());
    let mut done_scripts: Vec<Written> = Vec::new();
    for (path, text) in scripts(paths, &hooks, &wanted) {
        match Written::write(paths, path, &text, &mut remarks) {
            Ok(done) => done_scripts.push(done),
            Err(error) => {
                take_back(paths, done_scripts, had_folder);
                return Err(error);
            }
        }
    }
    let mut of_settings = Vec::new();
    let done = match settings.edit(|current| change(&file, current, &wanted, &mut of_settings)) {
        Ok(done) => done,
        Err(error) => {
            take_back(paths, done_scripts, had_folder);
            return Err(error);
        }
    };
    paths.remove_old_copies(&done.file);
    remarks.append(&mut of_settings);
    remarks.extend(build_folder_remark(&paths.ait));
    remarks.extend(managed_remark(paths));
    let changed = done.changed || done_scripts.iter().any(Written::changed);
    let text = if changed { changes(paths, &wanted, &done) } else { nothing_to_do(paths, &hooks) };
    Ok(Installation { report: report(text, &remarks), is_complete: true })
}

fn show_changes(paths: &InstallPaths, hooks: &[Hook], wanted: &Wanted) -> Result<Report> {
    let (diff, remarks) = diff_of(paths, hooks, wanted)?;
    let remarks: Vec<String> = remarks.iter().map(|remark| in_conditional(remark)).collect();
    Ok(report(dry_run(diff), &remarks))
}

/// The changes that installing these hooks would make, as a diff; empty if there are none.
///
/// # Errors
/// As for [`Install`].
pub(crate) fn install_diff(paths: &InstallPaths, names: &[String]) -> Result<String> {
    let hooks = named(names, &[Hook::Register, Hook::Cleanup])?;
    let wanted = paths.wanted(&hooks)?;
    check_writable(&paths.settings())?;
    Ok(diff_of(paths, &hooks, &wanted)?.0)
}

/// The diff, and remarks about it.
fn diff_of(paths: &InstallPaths, hooks: &[Hook], wanted: &Wanted) -> Result<(String, Vec<String>)> {
    let suffix = paths.suffix();
    let mut out = String::new();
    let mut remarks = Vec::new();
    for (path, text) in scripts(paths, hooks, wanted) {
        preview(&paths.careful(DOING, &path, &suffix, None), &mut out, |current| {
            remarks.extend(scripts::foreign_remark(current, &path, paths));
            Ok(scripts::change(current, &text))
        })?;
    }
    let file = paths.settings();
    preview(&paths.careful(DOING, &file, &suffix, None), &mut out, |current| {
        change(&file, current, wanted, &mut remarks)
    })?;
    Ok((out, remarks))
}

/// The change of the settings. `remarks` are those of the last call.
fn change(file: &Path, current: Current, wanted: &Wanted, remarks: &mut Vec<String>) -> Result<Change> {
    let edit = settings::install(current.bytes, wanted).map_err(|problem| refused(DOING, file, &problem))?;
    let after = edit.bytes.unwrap_or_default();
    settings::check_installed(current.bytes, &after, wanted).map_err(|why| Error::new(DOING, file.display(), why))?;
    remarks.retain(|remark| !edit.remarks.contains(remark));
    remarks.extend(edit.remarks);
    Ok(Change::Write { bytes: after, backup: true })
}

/// Whether the settings can be written: the file, and its folder, which gets the copy and the new file.
fn check_writable(file: &Path) -> Result<()> {
    let file = files::resolve(file);
    let folder = file.parent().unwrap_or(&file);
    if files::exists(&file) && !files::is_writable(&file) {
        let error = Error::new(DOING, file.display(), "it is read-only; nothing was changed");
        return Err(error.hint("make it writable, or edit the file that it is generated from"));
    }
    if files::exists(folder) && !files::is_writable(folder) {
        let error = Error::new(DOING, folder.display(), "no permission to write to this folder; nothing was changed");
        return Err(error.hint("make the folder writable"));
    }
    Ok(())
}

/// Makes the scripts what they were.
fn take_back(paths: &InstallPaths, done: Vec<Written>, had_folder: bool) {
    for script in done {
        script.take_back(paths);
    }
    if !had_folder {
        let _ = files::remove_empty_folder(&paths.scripts());
    }
}

fn build_folder_remark(ait: &Path) -> Option<String> {
    let ait = ait.to_string_lossy();
    let built = ait.contains("/target/debug/") || ait.contains("/target/release/");
    built.then(|| {
        format!(
            "the hooks call {}, which `cargo clean` removes; install ait elsewhere, then run this command again",
            width::visible(&ait)
        )
    })
}

fn changes(paths: &InstallPaths, wanted: &Wanted, done: &Done) -> String {
    let mut out = String::new();
    for hook in &wanted.hooks {
        let events: Vec<&str> = wanted.events().filter(|each| each.hook == *hook).map(|each| each.event).collect();
        // In 80 columns.
        let lines: Vec<String> = events.chunks(4).map(|events| events.join(", ")).collect();
        let events = if lines.is_empty() { "the status line".to_owned() } else { lines.join(",\n                  ") };
        out.push_str(&format!("{:<17} {events}\n", hook.name()));
    }
    out.push_str(&written(paths, done));
    out.push_str("Running sessions are tracked from their next event.\n");
    out
}

fn nothing_to_do(paths: &InstallPaths, hooks: &[Hook]) -> String {
    let names: Vec<&str> = hooks.iter().map(|hook| hook.name()).collect();
    format!("Already installed in {}: {}. Nothing was changed.\n", paths.show(&paths.settings()), names.join(", "))
}
