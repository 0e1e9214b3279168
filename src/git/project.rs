//! The names of projects and linked worktrees.

use std::path::{Path, PathBuf};

use super::refs::{self, MAX_SMALL_FILE, path_line};
use super::tree::Tree;
use crate::session::order::sort_by;
use crate::sys::files::{self, Folder, Links};

impl Tree {
    /// The name of a linked worktree's folder; `None` for the main tree.
    pub fn worktree_name(&self) -> Option<String> {
        self.is_linked().then(|| name(&self.root))
    }

    /// The name of the main repository's folder, the same in all of its trees.
    ///
    /// For a linked worktree: `x` of `x/.git`, `foo` of a bare `foo.git`, `proj` of `proj/.bare`. For any other tree,
    /// also for a submodule: the name of its own folder.
    pub fn project(&self) -> String {
        if self.is_linked() { repository_name(&self.common_dir) } else { name(&self.root) }
    }

    /// The roots of the existing linked worktrees of this tree's repository, sorted. A worktree that was moved without
    /// git's knowledge is missing until `git worktree repair`.
    pub fn linked_trees(&self) -> Vec<PathBuf> {
        let Ok(entries) = Folder::open(self.common_dir.join("worktrees")) else { return Vec::new() };
        // git makes these names from the ASCII part of the folders' names, so all of them are UTF-8.
        let names = entries.names().unwrap_or_default();
        let mut roots: Vec<PathBuf> = names
            .iter()
            .filter_map(|name| {
                let git_dir = entries.path().join(name);
                let text = files::read_start(&git_dir.join("gitdir"), Links::Follow, MAX_SMALL_FILE).ok()?;
                let root = files::canonical(git_dir.join(path_line(&text)?).parent()?).ok()?;
                let tree = Tree::find_resolved(&root)?;
                (tree.git_dir == git_dir && tree.root == root).then_some(root)
            })
            .collect();
        sort_by(&mut roots, Ord::cmp);
        roots
    }
}

/// The project of a path, inside a repository or not. `tree` is the result of [`Tree::find`] for this path.
///
/// Without a tree: the name of a bare repository around the path, else the name of the folder itself, which is `/` for
/// `/`.
pub fn project_of(path: &Path, tree: Option<&Tree>) -> String {
    if let Some(tree) = tree {
        return tree.project();
    }
    let path = files::resolve(path);
    path.ancestors().find(|folder| is_repository(folder)).map_or_else(|| name(&path), repository_name)
}

/// git's full rule for a repository. Outside of `.git`, a file with the name HEAD proves little.
fn is_repository(folder: &Path) -> bool {
    matches!(refs::read_head(&folder.join("HEAD")), Ok(Some(_)))
        && files::is_folder(&folder.join("objects"))
        && files::is_folder(&folder.join("refs"))
}

fn repository_name(common_dir: &Path) -> String {
    let own = name(common_dir);
    match (own.strip_suffix(".git"), common_dir.parent()) {
        // `.git` itself, and hidden names such as `.bare`.
        (Some("") | None, Some(parent)) if own.starts_with('.') => name(parent),
        (Some(stem), _) if !stem.is_empty() => stem.to_owned(),
        _ => own,
    }
}

/// The last part of a path as text; `/` for the root.
fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
