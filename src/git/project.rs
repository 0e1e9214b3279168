//! The names of projects and linked worktrees.

use std::io;
use std::path::Path;

use super::config;
use super::refs::{self, MAX_SMALL_FILE};
use super::tree::{Tree, parse_git_file};
use crate::sys::files::{self, Folder, Links};

/// The most folders that are searched beside a worktree for the main tree of its repository.
const MAX_SIBLINGS: usize = 200;

impl Tree {
    /// The name of a linked worktree's folder; `None` for the main tree.
    pub fn worktree_name(&self) -> Option<String> {
        self.is_linked().then(|| name(&self.root))
    }

    /// The name of the main tree's folder, the same in all trees of the repository.
    ///
    /// A linked worktree takes it from the common folder: `x` of `x/.git`, `foo` of a bare `foo.git`, `proj` of
    /// `proj/.bare`; see `Tree::main_tree_name` for the others. Any other tree, also a submodule, has the name of its own
    /// folder.
    pub fn project(&self) -> String {
        if !self.is_linked() {
            return name(&self.root);
        }
        match self.common_dir.file_name() {
            Some(own) if own != ".git" => self.main_tree_name().unwrap_or_else(|| repository_name(&self.common_dir)),
            _ => repository_name(&self.common_dir),
        }
    }

    /// The name of the main tree, if the common folder is not simply the `.git` in it. For a submodule git records the
    /// tree as `core.worktree`. For `--separate-git-dir` it records nothing, so this looks for a folder whose `.git` leads
    /// to the common folder: around the common folder, beside it, and beside this worktree.
    fn main_tree_name(&self) -> Option<String> {
        let setting = |key| {
            // With `extensions.worktreeConfig` the settings of the main tree are in a file of their own.
            ["config.worktree", "config"]
                .iter()
                .find_map(|file| config::value_in(&self.common_dir.join(file), "core", key))
        };
        if let Some(worktree) = setting("worktree") {
            return Some(name(&files::resolve(&self.common_dir.join(worktree))));
        }
        let around = self.common_dir.parent()?;
        if leads_to(around, &self.common_dir) {
            return Some(name(around));
        }
        if setting("bare").is_some_and(|bare| bare.eq_ignore_ascii_case("true")) {
            return None;
        }
        let folders = [self.root.parent(), Some(around), around.parent()];
        folders.into_iter().flatten().find_map(|folder| {
            let mut found = None;
            let mut left = MAX_SIBLINGS;
            let entries = Folder::open(folder).ok()?;
            entries
                .names_while(|sibling| {
                    found = leads_to(&folder.join(sibling), &self.common_dir).then(|| sibling.to_owned());
                    left -= 1;
                    found.is_none() && left > 0
                })
                .ok()?;
            found
        })
    }
}

/// Whether the `.git` of a folder, a file or a symlink, leads to this common folder.
fn leads_to(folder: &Path, common_dir: &Path) -> bool {
    let git = folder.join(".git");
    let target = match files::read_start(&git, Links::Follow, MAX_SMALL_FILE) {
        Ok(text) => parse_git_file(&text).map(|path| folder.join(path)),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(_) => Some(git),
    };
    target.is_some_and(|target| files::canonical(&target).is_ok_and(|target| target == common_dir))
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
