//! How far a branch and its upstream are apart, as git last counted it.

use serde::{Deserialize, Serialize};

/// How many commits a branch and its upstream differ by, and the two commits for which this is true.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Upstream {
    /// The commit of the branch.
    pub head: String,
    /// The commit of its upstream.
    pub upstream: String,
    /// How many commits the branch has that its upstream does not have.
    pub ahead: u64,
    /// How many commits the upstream has that the branch does not have.
    pub behind: u64,
}

impl Upstream {
    /// Whether this is true for these two commits.
    pub fn is_of(&self, head: &str, upstream: &str) -> bool {
        self.head == head && self.upstream == upstream
    }
}
