//! Removes the entries of ait from a settings file.

use super::document::{Document, Node, Problem, is_blank};
use super::entries::{Entry, entries, take_out};
use super::inspect::{Installed, inspect};
use super::install::install;
use super::status_line;
use super::text_edit::TextEdit;
use super::wanted::{Edit, Hook, Wanted};

/// Removes the hooks of ait from a file, and restores the command of a wrapped status line.
///
/// `earlier` is what the file may have been before the installation, the newest first: the copies that `install` keeps.
/// If the file is still exactly what `install` made of one of them, that one comes back byte for byte; if it is what
/// `install` makes where there is none, the file goes. Otherwise the entries are taken out, and every byte that is not
/// ours stays.
///
/// # Errors
/// Where it cannot be parsed.
pub fn uninstall(bytes: &[u8], hooks: &[Hook], wanted: &Wanted, earlier: &[Vec<u8>]) -> Result<Edit, Problem> {
    let mut remarks = Vec::new();
    if is_blank(bytes) {
        return Ok(Edit { bytes: Some(bytes.to_vec()), remarks });
    }
    let document = Document::parse(bytes)?;
    let all = entries(&document);
    let lines = if hooks.contains(&Hook::Statusline) { status_line::all(&document) } else { Vec::new() };
    let (doomed, mixed): (Vec<&Entry>, Vec<&Entry>) =
        all.iter().filter(|entry| hooks.contains(&entry.hook)).partition(|entry| entry.alone);
    for entry in mixed {
        remarks.push(format!(
            "line {}, {}: not removed: this command does more than run {}; edit it yourself: {}",
            entry.line,
            entry.event,
            entry.hook.name(),
            entry.command
        ));
    }
    if doomed.is_empty() && lines.is_empty() {
        return Ok(Edit { bytes: Some(bytes.to_vec()), remarks });
    }
    if lines.iter().any(|line| line.wrapped.is_some()) {
        remarks.push("restored your earlier status line".into());
    }
    if let Some(bytes) = restored(bytes, hooks, wanted, earlier) {
        return Ok(Edit { bytes, remarks });
    }
    let mut edit = TextEdit::new(&document);
    let mut whole_lines: Vec<&Node> = Vec::new();
    for line in &lines {
        match &line.wrapped {
            Some(raw) => edit.replace(line.command_node.span.clone(), raw.clone()),
            None => whole_lines.push(line.value),
        }
    }
    if take_out(&document, &mut edit, &doomed, &whole_lines) {
        edit.empty(&document.root);
    }
    Ok(Edit { bytes: Some(edit.finish().into_bytes()), remarks })
}

/// A file without the entries of ait.
pub(super) fn without_ours(bytes: &[u8]) -> Result<Vec<u8>, Problem> {
    let nothing = Wanted { hooks: Vec::new(), ait: String::new(), scripts: String::new(), client: None };
    Ok(uninstall(bytes, &Hook::ALL, &nothing, &[])?.bytes.unwrap_or_default())
}

/// What the file was before an installation, if it is still exactly what that made of it: `Some(None)`, there was none.
#[expect(clippy::option_option, reason = "no match and no file are two answers")]
fn restored(bytes: &[u8], hooks: &[Hook], wanted: &Wanted, earlier: &[Vec<u8>]) -> Option<Option<Vec<u8>>> {
    let named = |bytes: &[u8]| {
        let installed = inspect(bytes).map(|found| found.installed).unwrap_or_default();
        installed.into_iter().filter(|entry| entry.alone).collect::<Vec<Installed>>()
    };
    let now = named(bytes);
    let of = |found: &[Installed], hook: Hook| found.iter().any(|entry| entry.hook == hook);
    let there = Hook::ALL.into_iter().filter(|hook| of(&now, *hook)).collect();
    let wanted = Wanted { hooks: there, ..wanted.clone() };
    let made_this =
        |before: Option<&[u8]>| install(before, &wanted).is_ok_and(|edit| edit.bytes.as_deref() == Some(bytes));
    let left = |before: &[u8]| {
        let then = named(before);
        Hook::ALL.into_iter().all(|hook| of(&then, hook) == (of(&now, hook) && !hooks.contains(&hook)))
    };
    if let Some(before) = earlier.iter().find(|before| left(before) && made_this(Some(before))) {
        return Some(Some(before.clone()));
    }
    let nothing_left = wanted.hooks.iter().all(|hook| hooks.contains(hook));
    (nothing_left && made_this(None)).then_some(None)
}
