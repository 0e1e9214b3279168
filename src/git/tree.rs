//! Which tree and repository a path belongs to.

use std::io;
use std::path::{Component, Path, PathBuf};

use super::ignore;
use super::refs::{self, MAX_SMALL_FILE, RefTarget, path_line};
use crate::sys::files::{self, Kind, Links};

/// A git working tree: the main one, or a linked worktree.
///
/// Two paths are in one tree if its `root` is the same; two trees belong to one repository if `common_dir` is the same.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The folder that contains `.git`, symlinks resolved.
    pub root: PathBuf,
    /// The folder for what only this tree has (HEAD, the index), symlinks resolved.
    pub git_dir: PathBuf,
    /// The folder for what all trees of the repository share (refs, objects), symlinks resolved.
    pub common_dir: PathBuf,
    /// The content of HEAD when the tree was found.
    pub(super) head_file: RefTarget,
}

impl Tree {
    /// The tree that `path` lies in. `path` is absolute; it may be a folder, a file, or deleted: then the deepest parent
    /// that still exists decides. Symlinks in `path` are resolved first.
    pub fn find(path: &Path) -> Option<Tree> {
        Tree::find_resolved(&files::resolve(path))
    }

    /// As [`Tree::find`], for a path without symlinks, such as the current folder as the kernel gives it.
    ///
    /// Cost in the root of a main tree: 4 system calls (open, read and close HEAD; is `.git` a symlink?). In the root of
    /// a linked worktree: 10 (HEAD, `.git`, the HEAD that it leads to, `commondir`), and 1 for each folder on the way to
    /// the repository that is not on the way to the worktree, usually 1 to 3. In both, 1 for each folder below the root.
    /// No folder is listed and no configuration is read, so the size of the repository does not matter.
    ///
    /// A repository is a folder `.git` with a HEAD that git would accept. git also looks for `objects` and `refs`; that
    /// would cost two system calls in every prompt, and a valid HEAD without them does not occur by accident. As in git,
    /// any other folder `.git` is passed over, and a `.git` file that leads nowhere ends the search: the files of a
    /// worktree whose repository was moved belong to no tree, and certainly not to the tree around it.
    ///
    /// A path must give the same answer in every process (the hook runs in Claude Code's environment, the prompt in the
    /// shell's). So, unlike git, this ignores `GIT_DIR`, `GIT_WORK_TREE` and the like, `GIT_CEILING_DIRECTORIES`, file
    /// system boundaries, `safe.directory` (files are only read, nothing is run), and `core.worktree`, which names the
    /// same folder if git itself set it. A bare repository inside a tree counts as a part of the tree.
    pub fn find_resolved(path: &Path) -> Option<Tree> {
        Tree::find_beside(path, None)
    }

    /// [`Tree::find_resolved`] for a path that is probably in the tree `known`, which is then not read again.
    ///
    /// If the home folder is a repository, the folders that it ignores belong to no tree. This costs about ten more system
    /// calls in a folder below home that is in no other repository, and two in a repository outside of home.
    pub fn find_beside(path: &Path, known: Option<&Tree>) -> Option<Tree> {
        if files::is_too_long(path) {
            return None;
        }
        let tree = Tree::around(path, known)?;
        let is_below_home = tree.root != path && ignore::is_home(&tree.root);
        // A file is not ignored as a folder; the folder that it is in decides.
        let is_file = || files::metadata(path).is_ok_and(|meta| meta.kind == Kind::File);
        let folder = || path.parent().filter(|_| is_file()).unwrap_or(path);
        (!is_below_home || !ignore::is_ignored(&tree.root, &tree.git_dir, folder())).then_some(tree)
    }

    fn around(path: &Path, known: Option<&Tree>) -> Option<Tree> {
        for folder in path.ancestors() {
            if let Some(known) = known.filter(|known| known.root == folder) {
                return Some(known.clone());
            }
            match refs::read_head(&folder.join(".git/HEAD")) {
                Ok(Some(head_file)) => return Tree::main(folder, head_file),
                Err(error) if error.kind() == io::ErrorKind::NotADirectory => match Tree::by_git_file(folder) {
                    Found::Tree(tree) => return Some(*tree),
                    Found::Nothing => {}
                    Found::Broken => return None,
                },
                // No `.git` here, or an unreadable one, or one that is not a repository.
                Ok(None) | Err(_) => {}
            }
        }
        None
    }

    fn main(root: &Path, head_file: RefTarget) -> Option<Tree> {
        let mut git_dir = root.join(".git");
        // Android's `repo` links it to a folder elsewhere.
        if files::read_link(&git_dir).is_ok() {
            git_dir = files::canonical(&git_dir).ok()?;
        }
        Some(Tree { root: root.to_owned(), common_dir: git_dir.clone(), git_dir, head_file })
    }

    fn by_git_file(root: &Path) -> Found {
        let file = root.join(".git");
        let text = match files::read_start(&file, Links::Follow, MAX_SMALL_FILE) {
            Ok(text) => text,
            // `root` is a file itself.
            Err(error) if error.kind() == io::ErrorKind::NotADirectory => return Found::Nothing,
            Err(_) => return Found::Broken,
        };
        let Some(git_dir) = parse_git_file(&text) else {
            // git passes over a pipe or a device, and stops at a file that it does not understand.
            let is_file = files::metadata(&file).is_ok_and(|meta| meta.kind == Kind::File);
            return if is_file { Found::Broken } else { Found::Nothing };
        };
        Tree::linked(root, git_dir).map_or(Found::Broken, |tree| Found::Tree(Box::new(tree)))
    }

    fn linked(root: &Path, git_dir: &Path) -> Option<Tree> {
        let git_dir = resolve_beside(root, root.join(git_dir))?;
        let head_file = refs::read_head(&git_dir.join("HEAD")).ok().flatten()?;
        let common_dir = match files::read_start(&git_dir.join("commondir"), Links::Follow, MAX_SMALL_FILE) {
            // This is what git writes. No need to resolve it again.
            Ok(text) if text == b"../..\n" => git_dir.parent()?.parent()?.to_owned(),
            Ok(text) => files::canonical(&git_dir.join(path_line(&text)?)).ok()?,
            // A submodule, or a repository made with `--separate-git-dir`.
            Err(_) => git_dir.clone(),
        };
        Some(Tree { root: root.to_owned(), git_dir, common_dir, head_file })
    }

    /// Whether it is a linked worktree, and not the main tree of its repository.
    pub fn is_linked(&self) -> bool {
        self.git_dir != self.common_dir
    }
}

enum Found {
    Tree(Box<Tree>),
    /// Not a repository: the search continues above.
    Nothing,
    /// A `.git` that leads nowhere: the search ends.
    Broken,
}

/// Parses a `.git` file: `gitdir: <path>`, the path absolute or relative to the file's folder. `None` if git would not
/// accept it.
pub fn parse_git_file(text: &[u8]) -> Option<&Path> {
    path_line(text.strip_prefix(b"gitdir: ")?)
}

/// Resolves the symlinks in `path` with few system calls: the folders on the way to `root` are already resolved, and git
/// makes no symlinks in `.git/worktrees/x`. Does not check that a path without symlinks exists.
fn resolve_beside(root: &Path, path: PathBuf) -> Option<PathBuf> {
    if path.components().any(|part| part == Component::ParentDir) {
        return files::canonical(&path).ok();
    }
    let path: PathBuf = path.components().collect();
    let worktrees = path.parent().filter(|parent| parent.ends_with("worktrees"));
    let unknown = worktrees.and_then(Path::parent).unwrap_or(&path);
    let mut unknown = unknown.ancestors().take_while(|folder| !root.starts_with(folder));
    if unknown.any(|folder| files::read_link(folder).is_ok()) { files::canonical(&path).ok() } else { Some(path) }
}
