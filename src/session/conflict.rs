//! How two sessions can hurt each other.

/// How two sessions can hurt each other; the worst is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Grade {
    /// They wrote the same repository-relative file in different trees of one repository.
    Merge,
    /// They work in one tree.
    SharedTree,
    /// They wrote the same file in the same tree.
    Clobber,
}
