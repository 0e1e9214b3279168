//! Checks of a changed file, before it is written.

use super::inspect::inspect;
use super::uninstall::without_ours;
use super::wanted::{Hook, Wanted};

/// Checks the result of an installation before it is written: every hook runs, and nothing of others is gone.
///
/// # Errors
/// The first mistake.
pub fn check_installed(before: Option<&[u8]>, after: &[u8], wanted: &Wanted) -> Result<(), String> {
    let found = inspect(after).map_err(|problem| format!("the changed file would not parse: {problem}"))?;
    let runs = |event: &str, hook: Hook| {
        found.installed.iter().any(|entry| entry.runs && entry.event == event && entry.hook == hook)
    };
    let events = wanted.events().map(|each| (each.event, each.hook));
    let line = wanted.hooks.contains(&Hook::Statusline).then_some(("", Hook::Statusline));
    if let Some((event, hook)) = events.chain(line).find(|(event, hook)| !runs(event, *hook)) {
        return Err(format!(
            "{} {event} would not be recognised later; is this program named ait? ({})",
            hook.name(),
            wanted.ait
        ));
    }
    let theirs = before.map(without_ours).transpose().map_err(|problem| problem.to_string())?.unwrap_or_default();
    let mut rest = after.iter();
    let is_kept = |byte: &u8| byte.is_ascii_whitespace() || rest.any(|other| other == byte);
    if theirs.iter().all(is_kept) {
        Ok(())
    } else {
        Err("settings that ait does not own would be lost; please report this file".into())
    }
}

/// Checks the result of an uninstallation before it is written.
///
/// # Errors
/// The first mistake.
pub fn check_uninstalled(after: Option<&[u8]>, hooks: &[Hook]) -> Result<(), String> {
    let Some(after) = after else { return Ok(()) };
    let found = inspect(after).map_err(|problem| format!("the changed file would not parse: {problem}"))?;
    match found.installed.iter().find(|entry| entry.alone && hooks.contains(&entry.hook)) {
        Some(entry) => Err(format!("{} {} would remain; please report this file", entry.hook.name(), entry.event)),
        None => Ok(()),
    }
}
