//! Where a session works: a git working tree, or a folder without a repository.

use std::path::{Path, PathBuf};

use crate::git::{self, Tree};
use crate::session::manifest::Manifest;
use crate::sys::{env, files};

/// A place: two sessions with the same `root` work in one tree.
#[derive(Clone, Debug)]
pub struct Place {
    /// The root of the tree, or the folder itself if it is in no tree; symlinks resolved.
    pub root: PathBuf,
    /// The common git folder of the repository; `None` if the folder is in no tree.
    pub repository: Option<PathBuf>,
    /// The tree as it is now. `None` if the folder is in no tree, or if the place is only as recorded.
    pub tree: Option<Box<Tree>>,
}

impl Place {
    /// The place of a path; symlinks in it are resolved.
    pub fn of(path: &Path) -> Place {
        Place::of_tree(Tree::find(path), || files::resolve(path))
    }

    /// The place of a session as its last event recorded it; if nothing is recorded, it is looked up.
    pub fn recorded(manifest: &Manifest) -> Place {
        let path = Path::new(&manifest.path);
        match (&manifest.tree, &manifest.repository) {
            // Comparing texts first is faster than comparing paths part by part.
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

    /// Whether a session that works at `other` is shown here: in the same tree; or, outside of any tree, in this folder or
    /// one above it.
    pub fn shows(&self, other: &Place) -> bool {
        match (&self.repository, &other.repository) {
            (Some(_), Some(_)) => self.root == other.root,
            (None, None) => self.root.starts_with(&other.root),
            _ => false,
        }
    }
}
