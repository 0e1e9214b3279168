//! What fast commands leave for `ait doctor` and `ait hooks list`: the time of the last events, and the log of errors.

use jiff::Timestamp;

use super::root::Root;
use crate::sys::files::{self, Folder};

/// The log is rotated at this size in bytes; the previous one is kept as `log.1`.
const LOG_LIMIT: u64 = 64 * 1024;

/// The name under which the time is kept at which the status line last ran. Not the name of an event.
pub const STATUS_LINE: &str = "statusline";

/// Marks that an event was seen now.
pub fn mark_seen(root: &Root, event: &str) {
    if files::is_plain_name(event.as_ref()) {
        let _ = root.open_cache("seen").and_then(|folder| folder.touch(event));
    }
}

/// Marks that the status line ran now. Costs two system calls; where no event was ever seen, nothing is created.
pub fn mark_status_line(root: &Root) {
    let _ = Folder::open_own(root.cache().join("seen")).and_then(|folder| folder.touch(STATUS_LINE));
}

/// When an event was last seen, or the status line ran.
pub fn last_seen(root: &Root, event: &str) -> Option<Timestamp> {
    let meta = files::metadata(&root.cache().join("seen").join(event)).ok()?;
    Timestamp::from_nanosecond(meta.modified).ok()
}

/// Writes the error of a fast command to the log: one line, in a file of bounded size.
pub fn log(root: &Root, now: Timestamp, line: &str) {
    let Ok(folder) = Folder::open_or_make_own(root.cache()) else { return };
    if folder.meta_of("log").is_ok_and(|meta| meta.id.size > LOG_LIMIT) {
        let _ = folder.rename("log", "log.1");
    }
    let line: String = line.chars().map(|c| if c.is_control() { ' ' } else { c }).take(500).collect();
    let _ = folder.append("log", format!("{now:.0} {line}\n").as_bytes());
}

/// The lines of the log, the oldest first.
pub fn read_log(root: &Root) -> Vec<String> {
    let Ok(folder) = Folder::open(root.cache()) else { return Vec::new() };
    let mut lines = Vec::new();
    for name in ["log.1", "log"] {
        let bytes = folder.read(name, 1 << 20).unwrap_or_default();
        lines.extend(String::from_utf8_lossy(&bytes).lines().map(str::to_owned));
    }
    lines
}
