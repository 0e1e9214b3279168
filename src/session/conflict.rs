//! Conflicts: where two sessions can hurt each other.

use std::path::Path;

use serde::Serialize;

/// How two sessions can hurt each other; the worst is the greatest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Grade {
    /// Two live sessions wrote the same repository-relative file in different trees of one repository.
    Merge,
    /// Two live sessions work in one tree: one's checkout, stash or reset moves the other's files.
    SharedTree,
    /// Two live sessions wrote the same file in the same tree.
    Clobber,
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

/// Which of the places hold more than one session: the positions of those that share a root, in their order.
pub fn shared<'a>(roots: impl Iterator<Item = &'a Path>) -> Vec<Vec<usize>> {
    let mut groups: Vec<(&Path, Vec<usize>)> = Vec::new();
    for (position, root) in roots.enumerate() {
        match groups.iter_mut().find(|(known, _)| *known == root) {
            Some((_, members)) => members.push(position),
            None => groups.push((root, vec![position])),
        }
    }
    groups.into_iter().map(|(_, members)| members).filter(|members| members.len() > 1).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn groups_of_two_and_more() {
        let roots = ["/a", "/b", "/a", "/c", "/b", "/a"];
        assert_eq!(shared(roots.iter().map(Path::new)), [vec![0, 2, 5], vec![1, 4]]);
    }
}
