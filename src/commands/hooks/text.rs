//! What the hook commands say.

use crate::error::Result;
use crate::render::{diff, width};
use crate::report::Report;
use crate::sys::atomic_edit::{AtomicEdit, Change, Current, Done};
use crate::sys::files;

use super::place::Place;

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

/// What a dry run says.
pub(super) fn dry_run(diff: String) -> String {
    if diff.is_empty() { "Nothing would be changed.\n".into() } else { diff }
}

/// What was done to the settings.
pub(super) fn written(place: &Place, done: &Done) -> String {
    let file = place.show(&done.file);
    let mut out = match (done.changed, files::exists(&done.file)) {
        (true, true) => format!("Wrote {file}; what is not ours in it is as it was.\n"),
        (true, false) => format!("Removed {file}: nothing was left in it.\n"),
        (false, _) => format!("{file} was right already.\n"),
    };
    if let Some(copy) = &done.backup {
        out.push_str(&format!("What it was before is in {}\n", place.show(copy)));
    }
    out
}

/// A report of this text, with remarks in which nothing can move a cursor.
pub(super) fn report(text: String, remarks: &[String]) -> Report {
    Report::text(text).remarks(remarks.iter().map(|remark| width::visible(remark)))
}
