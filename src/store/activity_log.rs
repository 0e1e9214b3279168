//! The activity of live sessions: `active/<session_id>.activity`, beside the manifest.
//!
//! A line is appended when a span of working or of being blocked ends, and when the task or the branch changes; an event
//! that does none of these writes nothing here. The lines are written before the manifest: after a kill in between, the
//! next event that ends the same span writes a line with the same begin, which replaces what the killed one wrote.
//!
//! When the session is archived the log becomes the field `activity` of its manifest; when it comes back, that becomes a log
//! again. A manifest with this field contains all that its log does, which a kill may have left beside it.

use jiff::Timestamp;

use super::write_log::{compact_log, passes};
use crate::session::activity::{self, Activity, Entry};
use crate::session::id::SessionId;
use crate::session::manifest::{Manifest, Shown};
use crate::sys::clock;
use crate::sys::files::{Folder, PRIVATE};

/// A log is compacted when its size passes this, or a power of two above it: 500 spans take half of it.
/// Small in unit tests, so that short sessions are compacted.
const COMPACTED_FROM: u64 = if cfg!(test) { 1 << 9 } else { 64 << 10 };
/// Compacting keeps every log far below this.
const MAX_LOG: usize = 4 << 20;

/// Notes what changed from `before` on, and appends the new activity of a manifest; the caller holds the lock. Returns
/// whether the log is worth compacting. If it cannot be written, the manifest still adds up the time.
#[inline(never)]
pub(super) fn append(
    folder: &Folder,
    id: &SessionId,
    manifest: &mut Manifest,
    before: Option<(&Shown, &Shown)>,
) -> bool {
    let mut entries = std::mem::take(&mut manifest.new_activity);
    if let Some((before, now)) = before {
        before.push_changes(now, &mut entries, clock::now());
    }
    if entries.is_empty() {
        return false;
    }
    let lines = activity::to_log(&entries);
    let size = folder.append_and_size(&id.activity_name(), lines.as_bytes());
    size.is_ok_and(|size| passes(size, lines.len(), COMPACTED_FROM))
}

/// Compacts the log, for the most part without the lock. `since` is when the state of the manifest began. A log that cannot
/// be compacted stays as it is.
pub(super) fn compact(folder: &Folder, id: &SessionId, since: Timestamp) {
    let _ = compact_log(folder, folder, &id.activity_name(), |log| activity::compact(log, since));
}

/// The entries of a live session.
pub fn read(folder: &Folder, id: &SessionId) -> Vec<Entry> {
    activity::parse_log(&folder.read_own(&id.activity_name(), MAX_LOG).unwrap_or_default())
}

/// Puts what the log contains into a manifest that goes to history. The log stays until [`forget`].
pub(super) fn fold(folder: &Folder, id: &SessionId, manifest: &mut Manifest) {
    // Otherwise a writer was killed after it had done this.
    if manifest.activity.is_empty() {
        manifest.activity = Activity::new(read(folder, id));
    }
}

/// Removes the log of a session that is archived.
pub(super) fn forget(folder: &Folder, id: &SessionId) {
    let _ = folder.remove(&id.activity_name());
}

/// Makes a log again of what an archived manifest contains, in place of one that a killed writer left.
pub(super) fn unfold(folder: &Folder, id: &SessionId, manifest: &mut Manifest) {
    let entries = manifest.activity.entries();
    if entries.is_empty() {
        return forget(folder, id);
    }
    // If it cannot be written, the manifest keeps them.
    if folder.replace(&id.activity_name(), activity::to_log(&entries).as_bytes(), PRIVATE).is_ok() {
        manifest.activity = Activity::default();
    }
}
