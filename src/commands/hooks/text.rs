//! The output of the hook commands.

use crate::error::Result;
use crate::render::{diff, width};
use crate::report::Report;
use crate::sys::atomic_edit::{AtomicEdit, Change, Current, Done};
use crate::sys::files;

use super::install_paths::InstallPaths;

/// Adds what a change would do to a file, as a diff.
pub(super) fn preview(
    careful: &AtomicEdit,
    out: &mut String,
    change: impl FnOnce(Current) -> Result<Change>,
) -> Result<()> {
    let (current, change) = careful.preview(change)?;
    let after = match &change {
        Change::Keep => return Ok(()),
        Change::Write { bytes, .. } => Some(bytes),
        Change::Remove { .. } => None,
    };
    let name =
        |there: bool| if there { width::visible(&careful.path.to_string_lossy()) } else { "/dev/null".to_owned() };
    let text = |bytes: Option<&[u8]>| String::from_utf8_lossy(bytes.unwrap_or_default()).into_owned();
    let after_text = text(after.map(Vec::as_slice));
    out.push_str(&diff::unified(
        &name(current.is_some()),
        &name(after.is_some()),
        &text(current.as_deref()),
        &after_text,
    ));
    Ok(())
}

/// The output of a dry run.
pub(super) fn dry_run(diff: String) -> String {
    if diff.is_empty() { "Nothing would be changed.\n".into() } else { diff }
}

/// A remark about a change, for a dry run, which changes nothing: `line 3: would remove ...`.
pub(super) fn in_conditional(remark: &str) -> String {
    const FORMS: [(&str, &str); 7] = [
        ("removed ", "would remove "),
        ("moved ", "would move "),
        ("repaired ", "would repair "),
        ("updated ", "would update "),
        ("kept ", "would keep "),
        ("restored ", "would restore "),
        ("not changed", "would not be changed"),
    ];
    // A warning, or the number of a line, may stand before the verb.
    let (line, rest) = match remark.split_once(": ") {
        Some((line, rest)) if line.starts_with("line ") => (format!("{line}: "), rest),
        _ => (String::new(), remark),
    };
    match FORMS.iter().find_map(|(past, conditional)| Some((conditional, rest.strip_prefix(past)?))) {
        Some((conditional, rest)) => format!("{line}{conditional}{rest}"),
        None => remark.replacen(" was not removed", " would not be removed", 1),
    }
}

/// The line about the settings.
pub(super) fn written(paths: &InstallPaths, done: &Done) -> String {
    let file = paths.show(&done.file);
    let mut out = match (done.changed, files::exists(&done.file)) {
        (true, true) => format!("Wrote {file}; all other settings are unchanged.\n"),
        (true, false) => format!("Removed {file}: nothing was left in it.\n"),
        (false, _) => format!("{file} was already up to date.\n"),
    };
    if let Some(copy) = &done.backup {
        out.push_str(&format!("Backup: {}\n", paths.show(copy)));
    }
    out
}

/// A report of this text, with remarks in which nothing can move a cursor.
pub(super) fn report(text: String, remarks: &[String]) -> Report {
    Report::text(text).remarks(remarks.iter().map(|remark| width::visible(remark)))
}
