//! Conflicts: where two sessions can hurt each other.

use serde::Serialize;

/// How two sessions can hurt each other, worst first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// Two live sessions wrote the same file in the same tree.
    Clobber,
    /// Two live sessions work in one tree: one's checkout, stash or reset moves the other's files.
    SharedTree,
    /// Two live sessions wrote the same repository-relative file in different trees of one repository.
    Merge,
}

impl Grade {
    /// As it is written in JSON.
    pub fn as_str(self) -> &'static str {
        match self {
            Grade::Clobber => "clobber",
            Grade::SharedTree => "shared-tree",
            Grade::Merge => "merge",
        }
    }
}
