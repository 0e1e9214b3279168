//! Where a session works: a git working tree, or a folder without a repository.

use std::path::{Path, PathBuf};

use crate::git::{self, Tree};
use crate::sys::{env, files};

/// A place: two sessions with the same `root` work in one tree.
#[derive(Clone, Debug)]
pub struct Place {
    /// The root of the tree, or the folder itself where there is no repository; symlinks resolved.
    pub root: PathBuf,
    /// The tree.
    pub tree: Option<Tree>,
}

impl Place {
    /// The place of a path; symlinks in it are resolved.
    pub fn of(path: &Path) -> Place {
        match Tree::find(path) {
            Some(tree) => Place { root: tree.root.clone(), tree: Some(tree) },
            None => Place { root: files::resolve(path), tree: None },
        }
    }

    /// The place of the current folder.
    pub fn here() -> Place {
        Place::of_resolved(env::current_dir().unwrap_or_else(|| PathBuf::from("/")))
    }

    /// The place of a path without symlinks, such as the kernel gives for the current folder.
    pub fn of_resolved(folder: PathBuf) -> Place {
        let tree = Tree::find_resolved(&folder);
        Place { root: tree.as_ref().map_or(folder, |tree| tree.root.clone()), tree }
    }

    /// The project of this place.
    pub fn project(&self) -> String {
        git::project_of(&self.root, self.tree.as_ref())
    }

    /// What trees of one repository share; `None` without repository.
    pub fn repository(&self) -> Option<&Path> {
        self.tree.as_ref().map(|tree| tree.common_dir.as_path())
    }

    /// Whether a session that works at `other` is to be shown here: it is in this tree; or, without a repository, it
    /// works in this folder or in one above it.
    pub fn shows(&self, other: &Place) -> bool {
        match (&self.tree, &other.tree) {
            (Some(here), Some(there)) => here.root == there.root,
            (None, None) => self.root.starts_with(&other.root),
            _ => false,
        }
    }
}
