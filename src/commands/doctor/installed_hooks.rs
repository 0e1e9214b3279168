//! Whether the hooks are installed and call this program.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

use super::check::{Check, Findings, INSTALL, STARTUP_LIMIT, Status};
use crate::claude::settings::{self, Hook};
use crate::commands::hooks::{self, Row};
use crate::store::event_log;
use crate::store::root::Root;
use crate::sys::files;

/// Whether the hooks are there and call this program; and whether they run at all.
pub(super) fn of_hooks(root: &Root, paths: &hooks::InstallPaths) -> (Check, bool) {
    let mut findings = Findings::default();
    let file = paths.settings();
    let Ok(found) = hooks::read_settings("", &file).map(Option::unwrap_or_default) else {
        findings.add(Status::Fail, "unknown, because the settings cannot be parsed", None);
        return (findings.check("hooks", ""), false);
    };
    let wanted = match paths.wanted(&Hook::ALL) {
        Ok(wanted) => wanted,
        Err(error) => {
            findings.add(Status::Fail, error.to_string(), None);
            return (findings.check("hooks", ""), false);
        }
    };
    let rows = hooks::rows(&file, &found, &wanted, |event| event_log::last_seen(root, event));
    let of_sessions = |row: &&Row| row.event.is_some();
    let missing: Vec<&str> =
        rows.iter().filter(of_sessions).filter(|row| row.state == "no").filter_map(|row| row.event).collect();
    let events = rows.iter().filter(of_sessions).count();
    if missing.len() == events {
        findings.add(Status::Fail, "not installed, so no session is tracked", Some(INSTALL));
    } else if !missing.is_empty() {
        let detail = format!("not installed for {}", missing.join(", "));
        findings.add(Status::Fail, detail, Some(INSTALL));
    }
    of_rows(&mut findings, paths, &rows);
    of_scripts(&mut findings, paths, &rows, &wanted);
    let status_line = rows.iter().any(|row| row.event.is_none() && row.state == "yes");
    let by_plugin = rows.iter().any(|row| row.state == "plugin");
    let installed_by = match (found.plugin, by_plugin) {
        (_, true) => "run by the Claude Code plugin",
        (true, _) => "installed beside the Claude Code plugin, which leaves the events to them,",
        (false, _) => "installed",
    };
    let fine = format!(
        "{installed_by} for {events} events; the status line is {}",
        if status_line { "installed too" } else { "not installed (optional)" }
    );
    let installed = missing.is_empty() && !found.all_disabled && found.loose.is_none();
    (findings.check("hooks", fine), installed)
}

/// Hooks that never run, or call another program.
fn of_rows(findings: &mut Findings, paths: &hooks::InstallPaths, rows: &[Row]) {
    for row in rows {
        let event = row.event.unwrap_or("the status line");
        let again = if row.event.is_some() { INSTALL } else { "ait hooks install statusline" };
        match row.state {
            "never runs" => findings.add(
                Status::Fail,
                format!("{} for {event} has a form that Claude Code never runs", row.name),
                Some(again),
            ),
            "outdated" => match row.command.as_deref().and_then(other_program) {
                Some(program) if program != paths.ait => {
                    add_other_program(findings, paths, &format!("{} for {event} calls", row.name), &program, again);
                }
                _ => findings.add(Status::Warn, format!("{} for {event} is out of date", row.name), Some(again)),
            },
            _ => {}
        }
    }
}

/// Scripts that cannot run, or call another program.
fn of_scripts(findings: &mut Findings, paths: &hooks::InstallPaths, rows: &[Row], wanted: &settings::Wanted) {
    let scripted = rows.iter().any(|row| row.event == Some("SessionStart") && !matches!(row.state, "no" | "plugin"));
    for (path, text) in hooks::scripts(paths, &Hook::ALL, wanted).into_iter().filter(|_| scripted) {
        let shown = paths.show(&path);
        match files::read_with_meta(&path, STARTUP_LIMIT) {
            Err(why) => findings.add(Status::Fail, format!("{shown}: {why}"), Some(INSTALL)),
            Ok((_, meta)) if meta.mode & 0o100 == 0 => {
                findings.add(Status::Fail, format!("{shown} cannot be executed"), Some(INSTALL));
            }
            Ok((bytes, _)) if bytes != text.as_bytes() => match other_program(&String::from_utf8_lossy(&bytes)) {
                Some(program) if program != paths.ait => {
                    add_other_program(findings, paths, &format!("{shown} calls"), &program, INSTALL);
                }
                _ => findings.add(
                    Status::Warn,
                    format!("{shown} differs from the script that ait writes"),
                    Some(INSTALL),
                ),
            },
            Ok(_) => {}
        }
    }
}

/// The `ait` that a command or a script calls by its whole path.
pub(super) fn other_program(command: &str) -> Option<PathBuf> {
    let words = settings::words(command).into_iter();
    let mut programs = words.map(|word| PathBuf::from(word.strip_prefix("ait=").unwrap_or(&word)));
    programs.find(|path| path.is_absolute() && path.file_name() == Some(OsStr::new("ait")))
}

pub(super) fn add_other_program(
    findings: &mut Findings,
    paths: &hooks::InstallPaths,
    who: &str,
    program: &Path,
    again: &str,
) {
    let shown = paths.show(program);
    match files::metadata(program) {
        Ok(meta) if meta.mode & 0o111 != 0 => {
            findings.add(
                Status::Warn,
                format!("{who} {shown}, but this program is {}", paths.show(&paths.ait)),
                Some(again),
            );
        }
        _ => findings.add(Status::Fail, format!("{who} {shown}, which does not exist"), Some(again)),
    }
}
