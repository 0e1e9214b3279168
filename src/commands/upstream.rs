//! How far the branch of a tree is ahead of its upstream and behind it, for a format that shows this.

use std::path::PathBuf;

use crate::render::format::Format;
use crate::session::manifest::Manifest;
use crate::store::place::Place;

/// The numbers, and what they depend on.
pub(super) struct Distance {
    /// Commits that the upstream does not have.
    pub ahead: u64,
    /// Commits that the branch does not have.
    pub behind: u64,
    /// The files of the two commits, each with its first line; fewer than two if one is in `packed-refs`.
    pub files: Vec<(PathBuf, String)>,
}

/// The numbers that a hook recorded, if the two commits are still those for which it did.
pub(super) fn distance(format: Format<'_>, here: &Place, manifest: Option<&Manifest>) -> Option<Distance> {
    if !format.mentions("ahead") && !format.mentions("behind") {
        return None;
    }
    let known = manifest?.git_upstream.as_deref()?;
    let ends = here.tree.as_ref()?.branch_ends()?;
    let distance = Distance { ahead: known.ahead, behind: known.behind, files: ends.files };
    known.is_of(&ends.head, &ends.upstream).then_some(distance)
}
