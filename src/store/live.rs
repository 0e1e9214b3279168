//! Whether a session is live: its process exists, and is the one that was stamped.

use crate::session::manifest::{Manifest, ProcessStamp};
use crate::sys::process;

/// Whether the process of a session runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Liveness {
    /// It runs.
    Live,
    /// It is gone.
    Stale,
    /// It runs on another machine that shares this folder: nothing can be said from here, nothing is archived.
    Elsewhere,
}

impl Liveness {
    /// Whether the session counts among the live ones.
    pub fn counts(self) -> bool {
        self != Liveness::Stale
    }
}

/// Whether the session of a manifest is live.
pub fn liveness(manifest: &Manifest) -> Liveness {
    if manifest.ended.is_some() {
        return Liveness::Stale;
    }
    if manifest.host.as_deref().is_some_and(|host| host != process::host()) {
        return Liveness::Elsewhere;
    }
    if !this_boot(manifest) {
        return Liveness::Stale;
    }
    if manifest.stamps().any(|stamp| runs(&stamp)) { Liveness::Live } else { Liveness::Stale }
}

/// Whether the pids of a manifest are of this boot. A manifest that does not say is believed.
pub fn this_boot(manifest: &Manifest) -> bool {
    match (manifest.boot_id.as_deref(), process::boot_id()) {
        (Some(stamped), Some(boot)) => stamped == boot,
        _ => true,
    }
}

/// Whether the very process of a stamp runs: the pid exists, is no zombie, and started when the stamp says. Where the
/// kernel does not tell more of it (no `/proc`, no more files to be opened), one that exists runs.
pub fn runs(stamp: &ProcessStamp) -> bool {
    match process::look_up(stamp.pid) {
        Some(found) => !found.zombie && stamp.start.is_none_or(|start| start == found.start),
        None => process::exists(stamp.pid),
    }
}
