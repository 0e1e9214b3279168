//! Where a session works: a git working tree, or a folder without a repository.

use std::path::{Path, PathBuf};

use crate::git::{self, Tree};
use crate::session::manifest::Manifest;
use crate::sys::{env, files};

/// A place: two sessions with the same `root` work in one tree.
#[derive(Clone, Debug)]
pub struct Place {
    /// The root of the tree, or the folder itself where there is no repository; symlinks resolved.
    pub root: PathBuf,
    /// What trees of one repository share; `None` without repository.
    pub repository: Option<PathBuf>,
    /// The tree as it is now. `None` without repository, and where the place was only noted.
    pub tree: Option<Box<Tree>>,
}

impl Place {
    /// The place of a path; symlinks in it are resolved.
    pub fn of(path: &Path) -> Place {
        Place::of_tree(Tree::find(path), || files::resolve(path))
    }

    /// The place of a session, as its last event noted it; where nothing is noted, it is looked for.
    pub fn noted(manifest: &Manifest) -> Place {
        let path = Path::new(&manifest.path);
        match (&manifest.tree, &manifest.repository) {
            // Paths are compared part by part; that they are the same is seen sooner.
            (Some(tree), Some(repository)) if *tree == manifest.path || path.starts_with(tree) => {
                Place { root: PathBuf::from(tree), repository: Some(PathBuf::from(repository)), tree: None }
            }
            _ => Place::of(path),
        }
    }

    /// The place of the current folder.
    pub fn here() -> Place {
        Place::of_resolved(env::current_dir().unwrap_or_else(|| PathBuf::from("/")))
    }

    /// The place of a path without symlinks, such as the kernel gives for the current folder.
    pub fn of_resolved(folder: PathBuf) -> Place {
        Place::of_tree(Tree::find_resolved(&folder), || folder)
    }

    fn of_tree(tree: Option<Tree>, folder: impl FnOnce() -> PathBuf) -> Place {
        let root = tree.as_ref().map_or_else(folder, |tree| tree.root.clone());
        Place { root, repository: tree.as_ref().map(|tree| tree.common_dir.clone()), tree: tree.map(Box::new) }
    }

    /// The project of this place.
    pub fn project(&self) -> String {
        git::project_of(&self.root, self.tree.as_deref())
    }

    /// Whether a session that works at `other` is to be shown here: it is in this tree; or, without a repository, it
    /// works in this folder or in one above it.
    pub fn shows(&self, other: &Place) -> bool {
        match (&self.repository, &other.repository) {
            (Some(_), Some(_)) => self.root == other.root,
            (None, None) => self.root.starts_with(&other.root),
            _ => false,
        }
    }
}
