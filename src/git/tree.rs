//! Which tree and repository a path belongs to.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use super::head::{self, Points, SMALL};
use crate::session::order::sort_by;
use crate::sys::files::{self, Folder, Kind, Links};

/// A git working tree: the main one, or a linked worktree.
///
/// Two paths are in one tree when its `root` is the same; two trees are of one repository when `common_dir` is.
#[derive(Clone, Debug)]
pub struct Tree {
    /// The folder that holds `.git`, symlinks resolved.
    pub root: PathBuf,
    /// Where git keeps what is this tree's own (HEAD, the index), symlinks resolved.
    pub git_dir: PathBuf,
    /// Where git keeps what the trees share (refs, objects), symlinks resolved.
    pub common_dir: PathBuf,
    /// What HEAD said when the tree was found.
    pub(super) points: Points,
}

impl Tree {
    /// The tree that `path` lies in, whether `path` is a folder, a file, or gone: a deleted one is found from the
    /// deepest of its parents that is still there. Symlinks in `path` are resolved first. `path` is absolute.
    pub fn find(path: &Path) -> Option<Tree> {
        Tree::find_resolved(&files::resolve(path))
    }

    /// As [`Tree::find`], for a path without symlinks, such as the current folder as the kernel gives it.
    ///
    /// System calls: in the root of a main tree 4 (open, read and close HEAD; is `.git` a symlink?). In the root of a
    /// linked worktree 10 (HEAD, `.git`, the HEAD that it leads to, `commondir`), and 1 for each folder on the way to
    /// the repository that is not on the way to the worktree, 1 to 3 as a rule. In both, 1 for each folder below the
    /// root. No folder is listed and no configuration read, so the size of the repository does not matter.
    ///
    /// What counts as a repository: a folder `.git` with a HEAD that git would take. git also asks for `objects` and
    /// `refs`; a valid HEAD without them is no accident, and both would cost a system call in every prompt. As git
    /// does, a `.git` folder that is none is passed over, and a `.git` file that leads nowhere ends the search: the
    /// files of a worktree whose repository was moved belong to no tree, least of all to the one around it.
    ///
    /// What git heeds and this does not, so that a path has one answer in every process (the hook runs in Claude
    /// Code's environment, the prompt in the shell's): `GIT_DIR`, `GIT_WORK_TREE` and the like,
    /// `GIT_CEILING_DIRECTORIES`, file system boundaries, `safe.directory` (text is read, nothing is run), and
    /// `core.worktree`, which names the same folder wherever git set it itself. A bare repository inside a tree is
    /// taken for a part of the tree.
    pub fn find_resolved(path: &Path) -> Option<Tree> {
        Tree::find_beside(path, None)
    }

    /// [`Tree::find_resolved`], where the tree is likely to be one that was found a moment ago: that is not asked for
    /// again.
    pub fn find_beside(path: &Path, known: Option<&Tree>) -> Option<Tree> {
        if files::is_too_long(path) {
            return None;
        }
        for folder in path.ancestors() {
            if let Some(known) = known.filter(|known| known.root == folder) {
                return Some(known.clone());
            }
            match head::read(&folder.join(".git/HEAD")) {
                Ok(Some(points)) => return Tree::main(folder, points),
                Err(error) if error.kind() == io::ErrorKind::NotADirectory => match Tree::by_git_file(folder) {
                    Found::Tree(tree) => return Some(*tree),
                    Found::Nothing => {}
                    Found::Broken => return None,
                },
                // No `.git` here, or none that may be read, or no repository's.
                Ok(None) | Err(_) => {}
            }
        }
        None
    }

    fn main(root: &Path, points: Points) -> Option<Tree> {
        let mut git_dir = root.join(".git");
        // Android's `repo` links it to a folder elsewhere.
        if files::read_link(&git_dir).is_ok() {
            git_dir = files::canonical(&git_dir).ok()?;
        }
        Some(Tree { root: root.to_owned(), common_dir: git_dir.clone(), git_dir, points })
    }

    fn by_git_file(root: &Path) -> Found {
        let file = root.join(".git");
        let text = match files::read_start(&file, Links::Follow, SMALL) {
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
        let points = head::read(&git_dir.join("HEAD")).ok().flatten()?;
        let common_dir = match files::read_start(&git_dir.join("commondir"), Links::Follow, SMALL) {
            // What git writes; worth not resolving again.
            Ok(text) if text == b"../..\n" => git_dir.parent()?.parent()?.to_owned(),
            Ok(text) => files::canonical(&git_dir.join(path_line(&text)?)).ok()?,
            // A submodule, or a repository made with `--separate-git-dir`.
            Err(_) => git_dir.clone(),
        };
        Some(Tree { root: root.to_owned(), git_dir, common_dir, points })
    }

    /// Whether it is a linked worktree, and not the main one of its repository.
    pub fn is_linked(&self) -> bool {
        self.git_dir != self.common_dir
    }

    /// The name of a linked worktree's folder; `None` for the main tree.
    pub fn worktree_name(&self) -> Option<String> {
        self.is_linked().then(|| name(&self.root))
    }

    /// The name of the main repository's folder, the same in all of its trees.
    ///
    /// For a linked worktree: `x` of `x/.git`, `foo` of a bare `foo.git`, `proj` of `proj/.bare`. For any other tree,
    /// a submodule's too: its own folder's name.
    pub fn project(&self) -> String {
        if self.is_linked() { repository_name(&self.common_dir) } else { name(&self.root) }
    }

    /// The linked worktrees of this tree's repository that exist, sorted by their folders. One that was moved without
    /// git's knowledge is missing until `git worktree repair`.
    pub fn linked_trees(&self) -> Vec<Tree> {
        let Ok(entries) = Folder::open(self.common_dir.join("worktrees")) else { return Vec::new() };
        // git makes the names from the ASCII of the folders' names: none of them is left out here.
        let names = entries.names().unwrap_or_default();
        let mut trees: Vec<Tree> = names
            .iter()
            .filter_map(|name| {
                let git_dir = entries.path().join(name);
                let text = files::read_start(&git_dir.join("gitdir"), Links::Follow, SMALL).ok()?;
                let root = files::canonical(git_dir.join(path_line(&text)?).parent()?).ok()?;
                let Found::Tree(tree) = Tree::by_git_file(&root) else { return None };
                (tree.git_dir == git_dir).then_some(*tree)
            })
            .collect();
        sort_by(&mut trees, |one, other| one.root.cmp(&other.root));
        trees
    }
}

enum Found {
    Tree(Box<Tree>),
    /// Nothing of git's: the search goes on above.
    Nothing,
    /// Something of git's that leads nowhere: the search is over.
    Broken,
}

/// Reads a `.git` file: `gitdir: <path>`, the path absolute or from the folder that the file is in. `None` where it is
/// not one that git would take.
pub fn parse_git_file(text: &[u8]) -> Option<&Path> {
    path_line(text.strip_prefix(b"gitdir: ")?)
}

/// Resolves the symlinks in `path`, with fewer system calls than it has parts: those on the way to `root` are resolved
/// already, and in `.git/worktrees/x` git makes no symlinks. That it exists is not checked where there are none.
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

/// A file that holds one path, up to the ends of lines after it.
fn path_line(text: &[u8]) -> Option<&Path> {
    let end = text.iter().rposition(|byte| !matches!(byte, b'\n' | b'\r'))?;
    // A path that is cut by the end of the buffer, or has a NUL, the kernel will refuse.
    Some(Path::new(OsStr::from_bytes(text.get(..=end)?)))
}

/// The project of a path, whether it is in a repository or not: `tree` is what [`Tree::find`] gave for it.
///
/// Without a tree it is the name of a bare repository around the path, else the name of the folder itself, which for
/// `/` is `/`.
pub fn project_of(path: &Path, tree: Option<&Tree>) -> String {
    if let Some(tree) = tree {
        return tree.project();
    }
    let path = files::resolve(path);
    path.ancestors().find(|folder| is_repository(folder)).map_or_else(|| name(&path), repository_name)
}

/// git's own rule, in full: away from `.git` the name HEAD says little.
fn is_repository(folder: &Path) -> bool {
    matches!(head::read(&folder.join("HEAD")), Ok(Some(_)))
        && files::is_folder(&folder.join("objects"))
        && files::is_folder(&folder.join("refs"))
}

fn repository_name(common_dir: &Path) -> String {
    let own = name(common_dir);
    match (own.strip_suffix(".git"), common_dir.parent()) {
        // `.git` itself, and `.bare` or whatever it was hidden as.
        (Some("") | None, Some(parent)) if own.starts_with('.') => name(parent),
        (Some(stem), _) if !stem.is_empty() => stem.to_owned(),
        _ => own,
    }
}

/// The last part of a path as text; `/` for the root.
fn name(path: &Path) -> String {
    path.file_name().unwrap_or(path.as_os_str()).to_string_lossy().into_owned()
}
