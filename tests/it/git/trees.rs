//! Which tree and project a path belongs to.

use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::symlink;
use std::path::Path;

use ait::git::{Tree, is_locked_worktree, project_of};

use super::{Lab, agrees, pipe};

/// A path is resolved the same whether what it leads to is there or is yet to be made.
#[test]
fn what_is_not_there_yet_is_resolved_by_what_is() {
    let lab = Lab::new();
    let real = lab.0.join("real");
    fs::create_dir_all(real.join("deep")).unwrap();
    fs::write(real.join("file"), "").unwrap();
    symlink(&real, lab.0.join("link")).unwrap();
    symlink("deep", real.join("inner")).unwrap();
    symlink("nowhere", real.join("dangling")).unwrap();
    for (path, wanted) in [
        ("real/file", "real/file"),
        ("real/new", "real/new"),
        ("real/new/deep/new", "real/new/deep/new"),
        ("real/file/new", "real/file/new"),
        ("link/new/x", "real/new/x"),
        ("link/inner/new", "real/deep/new"),
        ("real/inner/new/x", "real/deep/new/x"),
        ("real/dangling", "real/dangling"),
        ("real/dangling/x", "real/dangling/x"),
        ("link/new/../x", "real/x"),
        ("real/./new//x", "real/new/x"),
        ("real/new/../inner/x", "real/deep/x"),
    ] {
        assert_eq!(ait::sys::files::resolve(&lab.0.join(path)), lab.0.join(wanted), "{path}");
    }
}

#[test]
fn main_tree_and_folders_in_it() {
    let lab = Lab::new();
    let project = lab.repository("my project");
    let deep = project.join("a/b/c");
    fs::create_dir_all(&deep).unwrap();
    symlink(&deep, lab.0.join("link")).unwrap();
    for folder in [&project, &deep, &lab.0.join("link")] {
        let tree = agrees(&lab, folder);
        assert_eq!(tree.root, project);
        assert_eq!(tree.project(), "my project");
        assert_eq!(tree.head_label().name.as_deref(), Some("main"));
        assert!(!tree.is_linked());
        assert_eq!(tree.worktree_name(), None);
        assert_eq!(project_of(folder, Some(&tree)), "my project");
    }
    assert_eq!(Tree::find(&project.join("file")).unwrap().root, project, "a file lies in the tree too");
    assert_eq!(Tree::find(&project.join(".git/hooks")).unwrap().root, project);
}

#[test]
fn a_folder_outside_of_a_repository_has_no_tree() {
    let lab = Lab::new();
    let folder = lab.0.join("plain folder");
    fs::create_dir(&folder).unwrap();
    assert!(Tree::find(&folder).is_none());
    assert_eq!(project_of(&folder, None), "plain folder");
    assert_eq!(project_of(Path::new("/"), None), "/");
    symlink(&folder, lab.0.join("other name")).unwrap();
    assert_eq!(project_of(&lab.0.join("other name"), None), "plain folder");
}

#[test]
fn a_deleted_folder_belongs_to_the_tree_of_its_parent() {
    let lab = Lab::new();
    let project = lab.repository("project");
    let gone = project.join("was/here");
    assert_eq!(Tree::find(&gone).unwrap().root, project);
    symlink(&project, lab.0.join("link")).unwrap();
    assert_eq!(Tree::find(&lab.0.join("link/was/here")).unwrap().root, project);
    assert_eq!(Tree::find(&project.join("was/../../project/here")).unwrap().root, project);
    assert!(Tree::find(&project.join("was/../../elsewhere")).is_none());
    // A linked worktree that was removed inside the main tree belongs to the main tree again.
    lab.git(&project, &["worktree", "add", "-q", ".claude/worktrees/x"]);
    let worktree = project.join(".claude/worktrees/x");
    assert_eq!(Tree::find(&worktree).unwrap().root, worktree);
    lab.git(&project, &["worktree", "remove", ".claude/worktrees/x"]);
    assert_eq!(Tree::find(&worktree).unwrap().root, project);
}

#[test]
fn linked_worktrees_share_the_common_folder() {
    let lab = Lab::new();
    let project = lab.repository("project");
    let beside = lab.0.join("beside");
    let inside = project.join(".claude/worktrees/x");
    lab.git(&project, &["worktree", "add", "-q", "-b", "topic/one", beside.to_str().unwrap()]);
    lab.git(&project, &["worktree", "add", "-q", "--detach", inside.to_str().unwrap()]);
    fs::create_dir(inside.join("sub")).unwrap();
    let main = agrees(&lab, &project);
    for (folder, name) in [(&beside, "beside"), (&inside, "x"), (&inside.join("sub"), "x")] {
        let tree = agrees(&lab, folder);
        assert!(tree.is_linked());
        assert_eq!(tree.worktree_name().as_deref(), Some(name));
        assert_eq!(tree.project(), "project");
        assert_eq!(tree.common_dir, main.common_dir);
    }
    assert_eq!(Tree::find(&beside).unwrap().head_label().name.as_deref(), Some("topic/one"));
    // The common folder said in other words.
    for words in [format!("{}\n", project.join(".git").display()), "./../..".to_owned(), "..//../\n\n".to_owned()] {
        fs::write(project.join(".git/worktrees/beside/commondir"), words).unwrap();
        assert_eq!(agrees(&lab, &beside).common_dir, main.common_dir);
    }
}

#[test]
fn locked_worktree_is_recognised_when_its_folder_is_gone() {
    let lab = Lab::new();
    let project = lab.repository("project");
    let (free, locked) = (project.join(".claude/worktrees/free"), project.join(".claude/worktrees/locked"));
    for folder in [&free, &locked] {
        lab.git(&project, &["worktree", "add", "-q", "--detach", folder.to_str().unwrap()]);
    }
    lab.git(&project, &["worktree", "lock", "--reason", "claude session x (pid 1 start 2)", locked.to_str().unwrap()]);
    let is_locked = |folder: &Path| is_locked_worktree(&project.join(".git"), folder);
    assert!(is_locked(&locked) && !is_locked(&free) && !is_locked(&project));
    fs::remove_dir_all(project.join(".claude")).unwrap();
    assert!(is_locked(&locked) && !is_locked(&free));
    // As git 2.48 writes it with worktree.useRelativePaths.
    let entry = project.join(".git/worktrees/locked/gitdir");
    fs::write(entry, "../../../.claude/worktrees/locked/.git\n").unwrap();
    assert!(is_locked(&locked));
    lab.git(&project, &["worktree", "unlock", "locked"]);
    assert!(!is_locked(&locked));
}

#[test]
fn linked_worktrees_with_relative_paths_and_settings_of_their_own() {
    let lab = Lab::new();
    let project = lab.repository("project");
    let beside = lab.0.join("beside");
    lab.git(&project, &["worktree", "add", "-q", beside.to_str().unwrap()]);
    // As git 2.48 writes them with worktree.useRelativePaths.
    fs::write(beside.join(".git"), "gitdir: ../project/.git/worktrees/beside\n").unwrap();
    fs::write(project.join(".git/worktrees/beside/gitdir"), "../../../../beside/.git\n").unwrap();
    lab.git(&project, &["config", "extensions.worktreeConfig", "true"]);
    lab.git(&beside, &["config", "--worktree", "user.name", "Bea"]);
    let tree = agrees(&lab, &beside);
    assert_eq!(tree.project(), "project");
    assert_eq!(lab.dirty(&beside), "clean");
}

#[test]
fn a_moved_worktree_finds_its_repository_and_a_moved_repository_loses_its_worktrees() {
    let lab = Lab::new();
    let project = lab.repository("project");
    let beside = lab.0.join("beside");
    let inside = project.join("inside");
    lab.git(&project, &["worktree", "add", "-q", beside.to_str().unwrap()]);
    lab.git(&project, &["worktree", "add", "-q", inside.to_str().unwrap()]);
    // The worktree moved: it still finds the repository, which does not find it.
    let moved = lab.0.join("moved");
    fs::rename(&beside, &moved).unwrap();
    assert_eq!(agrees(&lab, &moved).project(), "project");
    // The repository moved: its worktrees belong to no tree, not even the one inside it.
    let renamed = lab.0.join("renamed");
    fs::rename(&project, &renamed).unwrap();
    for folder in [&moved, &renamed.join("inside")] {
        assert!(Tree::find(folder).is_none());
        assert_eq!(lab.try_git(folder, &["rev-parse", "--show-toplevel"]), None);
    }
    assert_eq!(project_of(&moved, None), "moved");
    // And with a symlink in the old place all is well: one repository, one common folder.
    symlink(&renamed, &project).unwrap();
    assert_eq!(agrees(&lab, &moved).common_dir, agrees(&lab, &renamed).common_dir);
    assert_eq!(agrees(&lab, &moved).project(), "renamed");
    assert_eq!(Tree::find(&project).unwrap().root, renamed);
}

#[test]
fn bare_repositories_have_no_tree() {
    let lab = Lab::new();
    let project = lab.repository("project");
    for (bare, name) in [("foo.git", "foo"), ("bar", "bar"), ("proj/.bare", "proj")] {
        lab.git(&lab.0, &["clone", "-q", "--bare", project.to_str().unwrap(), bare]);
        let bare = lab.0.join(bare);
        assert!(Tree::find(&bare).is_none());
        assert_eq!(project_of(&bare, None), name);
        assert_eq!(project_of(&bare.join("refs/heads"), None), name);
        let worktree = lab.0.join(format!("proj/{name}-tree"));
        lab.git(&bare, &["worktree", "add", "-q", "-b", "other", worktree.to_str().unwrap()]);
        let tree = agrees(&lab, &worktree);
        assert!(tree.is_linked());
        assert_eq!(tree.project(), name);
    }
    // The folder around `.bare`, made known to git in the usual way.
    fs::write(lab.0.join("proj/.git"), "gitdir: ./.bare\n").unwrap();
    let around = Tree::find(&lab.0.join("proj")).unwrap();
    assert_eq!(around.project(), "proj");
    assert_eq!(around.common_dir, lab.0.join("proj/.bare"));
    assert!(!around.is_linked());
}

#[test]
fn submodules_and_separate_git_folders() {
    let lab = Lab::new();
    let library = lab.repository("library");
    let project = lab.repository("project");
    let add = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add"];
    lab.git(&project, &[&add[..], &[library.to_str().unwrap(), "libs/lib"]].concat());
    lab.git(&project, &["commit", "-q", "-m", "a library"]);
    let submodule = agrees(&lab, &project.join("libs/lib"));
    assert_eq!(submodule.project(), "lib");
    assert!(!submodule.is_linked());
    assert_eq!(agrees(&lab, &project.join("libs")).project(), "project");
    // A change in the submodule is the submodule's; another commit of it is the project's.
    lab.write(&project.join("libs/lib/new"), "");
    assert_eq!(lab.dirty(&project), "clean");
    assert_eq!(lab.dirty(&project.join("libs/lib")), "dirty");
    lab.commit(&project.join("libs/lib"), "new", "new");
    assert_eq!(lab.dirty(&project), "dirty");

    fs::create_dir(lab.0.join("store")).unwrap();
    lab.git(&lab.0, &["init", "-q", "--separate-git-dir", "store/elsewhere.git", "apart"]);
    let apart = agrees(&lab, &lab.0.join("apart"));
    assert_eq!(apart.project(), "apart");
    assert!(!apart.is_linked());

    // Android's `repo` links `.git` to a folder elsewhere.
    let linked = lab.0.join("linked");
    fs::create_dir(&linked).unwrap();
    symlink(lab.0.join("store/elsewhere.git"), linked.join(".git")).unwrap();
    let tree = Tree::find(&linked).unwrap();
    assert_eq!((tree.project().as_str(), &tree.common_dir), ("linked", &apart.common_dir));
}

/// The project in a main tree and in a worktree that is added to it.
fn projects(lab: &Lab, main: &Path, worktree: &str) -> (String, String) {
    let worktree = lab.0.join(worktree);
    lab.git(main, &["worktree", "add", "-q", "--detach", worktree.to_str().unwrap()]);
    let linked = agrees(lab, &worktree);
    assert!(linked.is_linked());
    (agrees(lab, main).project(), linked.project())
}

fn both(name: &str) -> (String, String) {
    (name.to_owned(), name.to_owned())
}

#[test]
fn worktree_of_a_separate_git_folder_has_the_name_of_the_main_tree() {
    let lab = Lab::new();
    fs::create_dir(lab.0.join("gits")).unwrap();
    for (git_dir, main) in [("gits/store7", "shop"), ("gits/x.git", "shop2"), ("gits/.hidden", "shop3")] {
        lab.git(&lab.0, &["init", "-q", &format!("--separate-git-dir={git_dir}"), main]);
        let main_tree = lab.0.join(main);
        lab.commit(&main_tree, "file", "one\n");
        assert_eq!(projects(&lab, &main_tree, &format!("{main}-y")), both(main));
        // Also if the worktree is elsewhere, because the main tree lies beside the folder of git folders.
        assert_eq!(projects(&lab, &main_tree, &format!("deep/er/{main}-z")), both(main));
    }
    // `.git` is a symlink.
    let main = lab.repository("linked");
    fs::rename(main.join(".git"), lab.0.join("gits/linked-store")).unwrap();
    symlink(lab.0.join("gits/linked-store"), main.join(".git")).unwrap();
    assert_eq!(projects(&lab, &main, "linked-y"), both("linked"));
    // The main tree is not found: the name of the git folder is the best that is known.
    fs::rename(lab.0.join("shop"), lab.0.join("gits/store7/shop")).unwrap();
    assert_eq!(Tree::find(&lab.0.join("shop-y")).unwrap().project(), "store7");
    // A git folder that is not hidden, with the usual file beside it.
    let seed = lab.repository("seed");
    lab.git(&lab.0, &["clone", "-q", "--bare", seed.to_str().unwrap(), "proj/repo.git"]);
    fs::write(lab.0.join("proj/.git"), "gitdir: ./repo.git\n").unwrap();
    lab.git(&lab.0.join("proj"), &["worktree", "add", "-q", "--detach", "tree"]);
    assert_eq!(Tree::find(&lab.0.join("proj")).unwrap().project(), "proj");
    assert_eq!(agrees(&lab, &lab.0.join("proj/tree")).project(), "proj");
}

#[test]
fn worktree_of_a_renamed_or_moved_submodule_has_the_name_of_its_folder() {
    let lab = Lab::new();
    let library = lab.repository("library");
    let app = lab.repository("app");
    let add = ["-c", "protocol.file.allow=always", "submodule", "--quiet", "add", "--name", "vendored"];
    lab.git(&app, &[&add[..], &[library.to_str().unwrap(), "libs/foo"]].concat());
    lab.git(&app, &["commit", "-q", "-m", "a library"]);
    assert_eq!(projects(&lab, &app.join("libs/foo"), "foo-y"), both("foo"));
    lab.git(&app, &["mv", "libs/foo", "libs/bar"]);
    assert_eq!(projects(&lab, &app.join("libs/bar"), "bar-y"), both("bar"));
    assert_eq!(agrees(&lab, &lab.0.join("foo-y")).project(), "bar");
    // git moves the setting to another file with this extension.
    lab.git(&app.join("libs/bar"), &["config", "extensions.worktreeConfig", "true"]);
    lab.git(&app.join("libs/bar"), &["config", "--unset", "core.worktree"]);
    lab.git(&app.join(".git/modules/vendored"), &["config", "--worktree", "core.worktree", "../../../libs/bar"]);
    assert_eq!(agrees(&lab, &lab.0.join("bar-y")).project(), "bar");
}

#[test]
fn folders_that_only_look_like_a_repository_are_none() {
    let lab = Lab::new();
    let project = lab.repository("project");
    let inner = project.join("inner");
    // Folders `.git` that are none: passed over, as git does.
    for head in [None, Some(""), Some("garbage\n"), Some("ref: main\n"), Some("ref: refs/../../x\n"), Some("\0\0")] {
        let _ = fs::remove_dir_all(&inner);
        fs::create_dir_all(inner.join(".git/objects")).unwrap();
        if let Some(head) = head {
            fs::write(inner.join(".git/HEAD"), head).unwrap();
        }
        assert_eq!(Tree::find(&inner).unwrap().root, project, "{head:?}");
        assert_eq!(lab.git(&inner, &["rev-parse", "--show-toplevel"]), project.to_str().unwrap());
    }
    // HEAD as a pipe, a folder, a loop of symlinks, a symlink out of the refs.
    for (name, make) in [("pipe", 0), ("folder", 1), ("loop", 2), ("out", 3)] {
        let _ = fs::remove_dir_all(&inner);
        fs::create_dir_all(inner.join(".git")).unwrap();
        let head = inner.join(".git/HEAD");
        match make {
            0 => pipe(&head),
            1 => fs::create_dir(&head).unwrap(),
            2 => symlink("HEAD", &head).unwrap(),
            _ => symlink("../../.git/HEAD", &head).unwrap(),
        }
        assert_eq!(Tree::find(&inner).unwrap().root, project, "{name}");
    }
    // Files `.git` that lead nowhere: the end of the search, as with git.
    let long = format!("gitdir: /{}\n", "x/".repeat(1 << 20));
    for text in
        ["", "gitdir:", "gitdir: ", "gitdir: \n", "gitdir: nowhere\n", "gitdir: .git\n", "gitdir: ..\n", "x", &long]
    {
        let _ = fs::remove_dir_all(&inner);
        lab.write(&inner.join(".git"), text);
        assert!(Tree::find(&inner).is_none(), "{text:.20?}");
        assert_eq!(lab.try_git(&inner, &["rev-parse", "--show-toplevel"]), None, "{text:.20?}");
    }
    lab.write(&inner.join(".git"), &format!("gitdir: {}\0/x\n", project.join(".git").display()));
    assert!(Tree::find(&inner).is_none());
    // A pipe: passed over.
    fs::remove_file(inner.join(".git")).unwrap();
    pipe(&inner.join(".git"));
    assert_eq!(Tree::find(&inner).unwrap().root, project);
    // A gigabyte, of which a few thousand bytes are read; a loop.
    fs::remove_file(inner.join(".git")).unwrap();
    fs::File::create(inner.join(".git")).unwrap().set_len(1 << 30).unwrap();
    assert!(Tree::find(&inner).is_none());
    fs::remove_file(inner.join(".git")).unwrap();
    symlink(".git", inner.join(".git")).unwrap();
    assert_eq!(Tree::find(&inner).unwrap().root, project);
}

#[test]
fn names_that_are_not_text() {
    let lab = Lab::new();
    let folder = lab.0.join(OsStr::from_bytes(b"caf\xe9"));
    fs::create_dir(&folder).unwrap();
    lab.git(&folder, &["init", "-q"]);
    assert_eq!(Tree::find(&folder).unwrap().root, folder);
    assert_eq!(Tree::find(&folder).unwrap().project(), "caf\u{fffd}");
}
