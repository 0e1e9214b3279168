//! Trees, branches and commits in real repositories, made by the real git, and compared with what git says of them.
use std::ffi::OsStr;
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ait::git::{HeadKind, Status, Tree, last_move, merge_conflicts, parse_status, project_of, status};

/// A folder of its own, gone afterwards.
struct Lab(PathBuf);

impl Lab {
    fn new() -> Lab {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("ait-git-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let folder = std::env::temp_dir().join(name);
        fs::create_dir_all(folder.join("home")).unwrap();
        Lab(folder.canonicalize().unwrap())
    }

    /// A repository with one commit.
    fn repository(&self, name: &str) -> PathBuf {
        let folder = self.0.join(name);
        self.git(&self.0, &["init", "-q", "-b", "main", name]);
        self.commit(&folder, "file", "one\n");
        folder
    }

    fn commit(&self, folder: &Path, file: &str, text: &str) {
        self.write(&folder.join(file), text);
        self.git(folder, &["add", "--", file]);
        self.git(folder, &["commit", "-q", "-m", &format!("{file} is written")]);
    }

    fn write(&self, file: &Path, text: &str) {
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(file, text).unwrap();
    }

    /// Runs git, which must succeed, and gives the first line of its output.
    fn git(&self, folder: &Path, arguments: &[&str]) -> String {
        let output = self.command("git", folder).args(arguments).output().unwrap();
        assert!(output.status.success(), "git {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
        first_line(&output.stdout)
    }

    /// As `git`, `None` where it fails.
    fn try_git(&self, folder: &Path, arguments: &[&str]) -> Option<String> {
        let output = self.command("git", folder).args(arguments).output().unwrap();
        output.status.success().then(|| first_line(&output.stdout))
    }

    fn command(&self, program: impl AsRef<OsStr>, folder: &Path) -> Command {
        let mut command = Command::new(program);
        for (name, _) in std::env::vars_os().filter(|(name, _)| name.as_encoded_bytes().starts_with(b"GIT_")) {
            command.env_remove(name);
        }
        command
            .current_dir(folder)
            .env("HOME", self.0.join("home"))
            .env("GIT_CONFIG_GLOBAL", "/dev/null")
            .env("GIT_CONFIG_NOSYSTEM", "1")
            .envs([("GIT_AUTHOR_NAME", "Ann"), ("GIT_AUTHOR_EMAIL", "ann@example.org")])
            .envs([("GIT_COMMITTER_NAME", "Ann"), ("GIT_COMMITTER_EMAIL", "ann@example.org")])
            .envs([("GIT_COMMITTER_DATE", "1700000000 +0000"), ("GIT_AUTHOR_DATE", "1700000000 +0000")]);
        command
    }

    /// Asks `status` in a process of its own, so that it sees this lab's environment and the given variables.
    fn status(&self, folder: &Path, limit: Duration, variables: &[(&str, &OsStr)]) -> String {
        let output = self
            .command(std::env::current_exe().unwrap(), &self.0)
            .args(["--exact", "git::ask_status", "--ignored", "--nocapture"])
            .env("AIT_TEST_FOLDER", folder)
            .env("AIT_TEST_LIMIT", limit.as_millis().to_string())
            .envs(variables.iter().copied())
            .output()
            .unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let (_, answer) = text.split_once("ANSWER ").unwrap_or_else(|| panic!("{text}"));
        answer.lines().next().unwrap().to_owned()
    }

    /// `dirty` or `clean`, with time enough.
    fn dirty(&self, folder: &Path) -> String {
        self.status(folder, Duration::from_secs(30), &[]).split(' ').next().unwrap().to_owned()
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn first_line(text: &[u8]) -> String {
    String::from_utf8_lossy(text).lines().next().unwrap_or_default().to_owned()
}

#[test]
#[ignore = "a part of other tests, run by them in a process of its own"]
fn ask_status() {
    let tree = Tree::find(Path::new(&std::env::var_os("AIT_TEST_FOLDER").unwrap())).unwrap();
    let limit = std::env::var("AIT_TEST_LIMIT").unwrap().parse().unwrap();
    let answer = match status(&tree, Duration::from_millis(limit)) {
        None => "unknown".to_owned(),
        Some(Status { dirty, branch, commit }) => {
            let dirty = if dirty { "dirty" } else { "clean" };
            format!("{dirty} {} {}", branch.as_deref().unwrap_or("-"), commit.as_deref().unwrap_or("-"))
        }
    };
    println!("ANSWER {answer}");
}

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

/// Compares everything with what git says in the same folder, and gives the tree.
fn agrees(lab: &Lab, folder: &Path) -> Tree {
    let tree = Tree::find(folder).unwrap_or_else(|| panic!("no tree at {}", folder.display()));
    let git = |arguments: &[&str]| lab.git(folder, arguments);
    assert_eq!(tree.root, Path::new(&git(&["rev-parse", "--show-toplevel"])));
    assert_eq!(tree.git_dir, Path::new(&git(&["rev-parse", "--absolute-git-dir"])));
    let common = git(&["rev-parse", "--path-format=absolute", "--git-common-dir"]);
    assert_eq!(tree.common_dir, Path::new(&common).canonicalize().unwrap());
    let head = tree.head();
    let branch = lab.try_git(folder, &["symbolic-ref", "-q", "HEAD"]);
    let branch = branch.map(|name| name.strip_prefix("refs/heads/").unwrap_or(&name).to_owned());
    let commit = lab.try_git(folder, &["rev-parse", "-q", "--verify", "HEAD"]);
    assert_eq!(tree.branch(), head.branch);
    if head.kind == HeadKind::Unknown {
        assert_eq!(head.commit, None);
    } else {
        assert_eq!(head.branch, branch);
        assert_eq!(head.commit, commit);
        let kind = match (branch, commit) {
            (Some(_), Some(_)) => HeadKind::Branch,
            (Some(_), None) => HeadKind::Unborn,
            _ => HeadKind::Detached,
        };
        assert_eq!(head.kind, kind);
    }
    let resolved = Tree::find_resolved(&folder.canonicalize().unwrap()).unwrap();
    assert_eq!((resolved.root, resolved.git_dir), (tree.root.clone(), tree.git_dir.clone()));
    tree
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
        assert_eq!(tree.branch().as_deref(), Some("main"));
        assert!(!tree.is_linked());
        assert_eq!(tree.worktree_name(), None);
        assert_eq!(project_of(folder, Some(&tree)), "my project");
    }
    assert_eq!(Tree::find(&project.join("file")).unwrap().root, project, "a file lies in the tree too");
    assert_eq!(Tree::find(&project.join(".git/hooks")).unwrap().root, project);
}

#[test]
fn no_repository() {
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
fn deleted_folders() {
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
fn linked_worktrees() {
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
    assert_eq!(Tree::find(&beside).unwrap().branch().as_deref(), Some("topic/one"));
    let roots = Tree::linked_trees;
    let mut all = vec![beside.clone(), inside.clone()];
    all.sort();
    assert_eq!(roots(&main), all);
    assert_eq!(roots(&Tree::find(&beside).unwrap()), all);
    // An entry that says it is where another worktree is.
    let entry = |name: &str| project.join(".git/worktrees").join(name);
    fs::write(entry("x/gitdir"), fs::read(entry("beside/gitdir")).unwrap()).unwrap();
    assert_eq!(roots(&main), vec![beside.clone()]);
    fs::write(entry("x/gitdir"), format!("{}\n", inside.join(".git").display())).unwrap();
    // The common folder said in other words.
    for words in [format!("{}\n", project.join(".git").display()), "./../..".to_owned(), "..//../\n\n".to_owned()] {
        fs::write(entry("beside/commondir"), words).unwrap();
        assert_eq!(agrees(&lab, &beside).common_dir, main.common_dir);
    }
    fs::remove_dir_all(&beside).unwrap();
    assert_eq!(roots(&main), vec![inside]);
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
    assert_eq!(agrees(&lab, &project).linked_trees().len(), 1);
    assert_eq!(lab.dirty(&beside), "clean");
}

#[test]
fn moved_trees() {
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
    assert_eq!(Tree::find(&project).unwrap().linked_trees().len(), 1);
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
fn bare_repositories() {
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
        assert_eq!(tree.linked_trees().len(), 1);
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

#[test]
fn heads() {
    let lab = Lab::new();
    lab.git(&lab.0, &["init", "-q", "-b", "früh/ling", "unborn"]);
    let unborn = agrees(&lab, &lab.0.join("unborn")).head();
    assert_eq!((unborn.kind, unborn.branch.as_deref()), (HeadKind::Unborn, Some("früh/ling")));

    let project = lab.repository("project");
    for branch in ["a/b/c", "日本語/ブランチ", "we\"ird'$(x)`%F{red}#(x)"] {
        lab.git(&project, &["switch", "-q", "-c", branch]);
        assert_eq!(agrees(&lab, &project).branch().as_deref(), Some(branch));
    }
    lab.git(&project, &["switch", "-q", "--detach"]);
    let tree = agrees(&lab, &project);
    let detached = tree.head();
    assert_eq!(detached.kind, HeadKind::Detached);
    assert_eq!(tree.checked_out().unwrap(), detached.commit.unwrap()[..7]);

    // A symbolic ref as a branch, and a HEAD that is none.
    lab.git(&project, &["symbolic-ref", "refs/heads/alias", "refs/heads/main"]);
    lab.git(&project, &["symbolic-ref", "HEAD", "refs/heads/alias"]);
    assert_eq!(Tree::find(&project).unwrap().head().commit, lab.try_git(&project, &["rev-parse", "HEAD"]));
    lab.git(&project, &["update-ref", "refs/other/place", "main"]);
    fs::write(project.join(".git/HEAD"), "ref: refs/other/place\n").unwrap();
    assert_eq!(agrees(&lab, &project).branch().as_deref(), Some("refs/other/place"));

    // HEAD as a symlink, with a commit and without.
    for (branch, kind) in [("main", HeadKind::Branch), ("none", HeadKind::Unborn)] {
        fs::remove_file(project.join(".git/HEAD")).unwrap();
        symlink(format!("refs/heads/{branch}"), project.join(".git/HEAD")).unwrap();
        let head = agrees(&lab, &project).head();
        assert_eq!((head.branch.as_deref(), head.kind), (Some(branch), kind));
    }
}

#[test]
fn a_tree_found_before_sees_what_is_checked_out_now() {
    let lab = Lab::new();
    let project = lab.repository("project");
    let tree = Tree::find(&project).unwrap();
    lab.git(&project, &["switch", "-q", "-c", "topic"]);
    assert_eq!(tree.head().branch.as_deref(), Some("topic"));
    assert_eq!(tree.branch().as_deref(), Some("main"));
    fs::remove_file(project.join(".git/HEAD")).unwrap();
    assert_eq!(tree.head().kind, HeadKind::Unknown);
}

#[test]
fn packed_refs() {
    let lab = Lab::new();
    let project = lab.repository("project");
    lab.git(&project, &["tag", "-a", "-m", "a tag", "v1"]);
    lab.git(&project, &["branch", "a"]);
    lab.git(&project, &["pack-refs", "--all"]);
    assert!(!project.join(".git/refs/heads/main").exists());
    agrees(&lab, &project);
    // A loose ref is newer than the packed one.
    lab.commit(&project, "file", "two\n");
    agrees(&lab, &project);
    lab.git(&project, &["symbolic-ref", "HEAD", "refs/heads/none"]);
    assert_eq!(agrees(&lab, &project).head().kind, HeadKind::Unborn);
}

#[test]
fn thousands_of_packed_refs() {
    let lab = Lab::new();
    let project = lab.repository("project");
    let base = lab.git(&project, &["rev-parse", "HEAD"]);
    // Names of several lengths, and a commit of its own for the ones that are asked for.
    let wanted = ["a", "b/0", "b/9999", "b/5000", "m", "zz/last", "b/77"];
    let mut refs: Vec<String> = (0..12_000).map(|n| format!("refs/heads/b/{n}{}", "x".repeat(n % 40))).collect();
    refs.extend(wanted.iter().map(|name| format!("refs/heads/{name}")));
    refs.sort();
    refs.dedup();
    let update: String = refs.iter().map(|name| format!("create {name} {base}\n")).collect();
    lab.write(&lab.0.join("update"), &update);
    let stdin = fs::File::open(lab.0.join("update")).unwrap();
    assert!(lab.command("git", &project).args(["update-ref", "--stdin"]).stdin(stdin).status().unwrap().success());
    for name in wanted {
        let tree = lab.git(&project, &["rev-parse", "HEAD^{tree}"]);
        let commit = lab.git(&project, &["commit-tree", "-m", name, &tree]);
        lab.git(&project, &["update-ref", &format!("refs/heads/{name}"), &commit]);
    }
    lab.git(&project, &["pack-refs", "--all"]);
    let packed = fs::read_to_string(project.join(".git/packed-refs")).unwrap();
    assert!(packed.len() > 500_000 && packed.lines().next().unwrap().contains("sorted"));
    let mut lines: Vec<&str> = packed.lines().skip(1).collect();
    lines.reverse();
    let unsorted = format!("# pack-refs with: peeled fully-peeled \n{}\n", lines.join("\n"));
    for text in [&packed, &unsorted] {
        fs::write(project.join(".git/packed-refs"), text).unwrap();
        for name in wanted.iter().chain(&["0", "b/5000zz", "zzz", "b"]) {
            lab.git(&project, &["symbolic-ref", "HEAD", &format!("refs/heads/{name}")]);
            agrees(&lab, &project);
        }
    }
    // Cut in the middle and without ends of lines: it ends, and finds nothing.
    for text in [&packed.replace('\n', " ")[..], &"x".repeat(1 << 20), &packed[..packed.len() / 3]] {
        fs::write(project.join(".git/packed-refs"), text).unwrap();
        assert_eq!(Tree::find(&project).unwrap().head().kind, HeadKind::Unborn);
    }
}

#[test]
fn sha256() {
    let lab = Lab::new();
    lab.git(&lab.0, &["init", "-q", "-b", "main", "--object-format=sha256", "project"]);
    let project = lab.0.join("project");
    lab.commit(&project, "file", "one\n");
    assert_eq!(agrees(&lab, &project).head().commit.unwrap().len(), 64);
    lab.git(&project, &["pack-refs", "--all"]);
    agrees(&lab, &project);
    lab.git(&project, &["switch", "-q", "--detach"]);
    agrees(&lab, &project);
    assert!(last_move(&Tree::find(&project).unwrap()).is_some());
}

#[test]
fn reftable() {
    let lab = Lab::new();
    if lab.try_git(&lab.0, &["init", "-q", "-b", "main", "--ref-format=reftable", "project"]).is_none() {
        eprintln!("left out: this git knows no reftable");
        return;
    }
    let project = lab.0.join("project");
    lab.commit(&project, "file", "one\n");
    let beside = lab.0.join("beside");
    lab.git(&project, &["worktree", "add", "-q", beside.to_str().unwrap()]);
    for (folder, branch) in [(&project, "main"), (&beside, "beside")] {
        let tree = agrees(&lab, folder);
        assert_eq!(tree.project(), "project");
        let head = tree.head();
        assert_eq!((head.kind, head.branch, head.commit), (HeadKind::Unknown, None, None));
        assert_eq!(last_move(&tree), None);
        let commit = lab.git(folder, &["rev-parse", "HEAD"]);
        assert_eq!(lab.status(folder, Duration::from_secs(30), &[]), format!("clean {branch} {commit}"));
    }
}

#[test]
fn what_is_no_repository() {
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

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

#[test]
fn hostile_refs() {
    let lab = Lab::new();
    let project = lab.repository("project");
    let git_dir = project.join(".git");
    // Escape sequences and bytes that are not UTF-8 come through as they are, or replaced: one escapes them later.
    fs::write(git_dir.join("HEAD"), b"ref: refs/heads/\x1b[31m\xff\x07 $(x)\n").unwrap();
    let tree = Tree::find(&project).unwrap();
    assert_eq!(tree.branch().as_deref(), Some("\x1b[31m\u{fffd}\x07 $(x)"));
    assert_eq!(tree.head().kind, HeadKind::Unborn);
    fs::write(git_dir.join("HEAD"), format!("ref: refs/heads/{}\n", "x".repeat(1 << 20))).unwrap();
    assert!(Tree::find(&project).is_none());
    // Refs in a circle; refs that are pipes, folders, garbage, symlinks to other people's files.
    fs::write(git_dir.join("HEAD"), "ref: refs/heads/a\n").unwrap();
    let a = git_dir.join("refs/heads/a");
    fs::write(&a, "ref: refs/heads/b\n").unwrap();
    fs::write(git_dir.join("refs/heads/b"), "ref: refs/heads/a\n").unwrap();
    let kind = || {
        let head = Tree::find(&project).unwrap().head();
        assert_eq!((head.branch.as_deref(), head.commit), (Some("a"), None));
        head.kind
    };
    assert_eq!(kind(), HeadKind::Branch);
    fs::write(&a, "garbage").unwrap();
    assert_eq!(kind(), HeadKind::Branch);
    fs::remove_file(&a).unwrap();
    symlink("/etc/passwd", &a).unwrap();
    assert_eq!(kind(), HeadKind::Branch);
    fs::remove_file(&a).unwrap();
    pipe(&a);
    assert_eq!(kind(), HeadKind::Branch);
    fs::remove_file(&a).unwrap();
    fs::create_dir(&a).unwrap();
    assert_eq!(kind(), HeadKind::Unborn);
    pipe(&git_dir.join("packed-refs"));
    assert_eq!(kind(), HeadKind::Branch, "what may not be read is not said to be missing");
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

#[test]
fn dirtiness() {
    let lab = Lab::new();
    let project = lab.repository("project");
    let commit = lab.git(&project, &["rev-parse", "HEAD"]);
    let answer = || lab.status(&project, Duration::from_secs(30), &[]);
    assert_eq!(answer(), format!("clean main {commit}"));
    lab.write(&project.join(".gitignore"), "ignored\n");
    assert_eq!(answer(), format!("dirty main {commit}"), "untracked");
    lab.git(&project, &["add", "."]);
    assert_eq!(lab.dirty(&project), "dirty", "staged");
    lab.git(&project, &["commit", "-q", "-m", "ignore"]);
    lab.write(&project.join("ignored"), "");
    assert_eq!(lab.dirty(&project), "clean", "ignored");
    lab.write(&project.join("file"), "changed, and longer\n");
    assert_eq!(lab.dirty(&project), "dirty", "changed");
    lab.git(&project, &["checkout", "-q", "--detach", "-f"]);
    let commit = lab.git(&project, &["rev-parse", "HEAD"]);
    assert_eq!(answer(), format!("clean - {commit}"));
    lab.git(&lab.0, &["init", "-q", "-b", "first", "unborn"]);
    assert_eq!(lab.status(&lab.0.join("unborn"), Duration::from_secs(30), &[]), "clean first -");
    // From a folder below the root the whole tree is meant.
    fs::create_dir(project.join("sub")).unwrap();
    lab.write(&project.join("new"), "");
    assert_eq!(lab.dirty(&project.join("sub")), "dirty");
}

#[test]
fn half_an_answer_of_git() {
    let whole = b"# branch.oid 7807109dcb2065e008a930da6d8d30fa7807109d\0# branch.head (detached)\0? a\0";
    let dirty = |length: usize| parse_status(&whole[..length]).map(|status| status.dirty);
    assert_eq!(dirty(whole.len()), Some(true));
    assert_eq!(dirty(whole.len() - 1), Some(false), "not a whole line");
    assert_eq!(dirty(whole.len() - 4), Some(false));
    assert_eq!(dirty(20), None);
    assert_eq!(parse_status(b""), None);
    assert_eq!(parse_status(b"fatal: not a git repository\n"), None);
}

#[test]
fn many_new_files_are_answered_by_the_first() {
    let lab = Lab::new();
    let project = lab.repository("project");
    for n in 0..5_000 {
        fs::write(project.join(format!("a new file with a long name to fill the pipe {n}")), "").unwrap();
    }
    assert_eq!(lab.dirty(&project), "dirty");
}

#[test]
fn variables_that_point_git_elsewhere_are_kept_from_it() {
    let lab = Lab::new();
    let project = lab.repository("project");
    let other = lab.repository("other");
    lab.write(&other.join("new"), "");
    let other = other.as_os_str();
    let git_dir = Path::new(other).join(".git");
    let variables = [
        ("GIT_DIR", git_dir.as_os_str()),
        ("GIT_WORK_TREE", other),
        ("GIT_INDEX_FILE", OsStr::new("/nowhere/index")),
        ("GIT_COMMON_DIR", git_dir.as_os_str()),
        ("GIT_CONFIG_PARAMETERS", OsStr::new("'core.bare=true'")),
        ("GIT_CEILING_DIRECTORIES", project.as_os_str()),
    ];
    assert!(lab.status(&project, Duration::from_secs(30), &variables).starts_with("clean main "));
    // Where the user's own configuration lives is the user's to say.
    lab.write(&project.join("new"), "");
    let config = lab.0.join("config");
    lab.write(&config, "[core]\n\texcludesFile = ~/ignore\n");
    lab.write(&lab.0.join("home/ignore"), "new\n");
    let answer = lab.status(&project, Duration::from_secs(30), &[("GIT_CONFIG_GLOBAL", config.as_os_str())]);
    assert!(answer.starts_with("clean main "), "{answer}");
}

/// An executable script.
fn script(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_repository_runs_nothing_of_its_own() {
    let lab = Lab::new();
    let project = lab.repository("project");
    let mark = lab.0.join("ran");
    let trap = lab.0.join("trap");
    script(&trap, &format!("#!/bin/sh\necho \"$0 $*\" >> '{}'\ncat\n", mark.display()));
    let trap = trap.to_str().unwrap();
    let hooks = project.join("hooks");
    fs::create_dir(&hooks).unwrap();
    for hook in ["post-index-change", "fsmonitor-watchman", "pre-commit", "post-checkout", "reference-transaction"] {
        script(&hooks.join(hook), &format!("#!/bin/sh\nexec {trap} {hook}\n"));
    }
    lab.write(&project.join(".gitattributes"), "*.filtered filter=\"a.b\"\n*.piped filter=p diff=d merge=m\n");
    lab.commit(&project, "one.filtered", "text\n");
    lab.commit(&project, "two.piped", "text\n");
    lab.git(&project, &["add", "."]);
    lab.git(&project, &["commit", "-q", "-m", "attributes"]);
    let hidden = lab.0.join("hidden");
    for (key, value) in [
        ("core.hooksPath", hooks.to_str().unwrap()),
        ("core.fsmonitor", trap),
        ("core.pager", trap),
        ("pager.status", trap),
        ("core.sshCommand", trap),
        ("core.editor", trap),
        ("diff.external", trap),
        ("diff.d.textconv", trap),
        ("diff.d.command", trap),
        ("filter.\"a.b\".clean", trap),
        ("Filter.p.process", trap),
        ("include.path", hidden.to_str().unwrap()),
        ("alias.status", &format!("!{trap}")),
        ("status.submoduleSummary", "true"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.url", "ssh://nowhere/x"),
    ] {
        lab.git(&project, &["config", key, value]);
    }
    lab.write(
        &hidden,
        &format!("[filter \"p\"]\n\tclean = {trap}\n\trequired = true\n[merge \"m\"]\n\tdriver = {trap} %A\n"),
    );
    let _ = fs::remove_file(&mark);
    // git itself falls into the trap.
    touch(&project.join("one.filtered"));
    let _ = lab.try_git(&project, &["status"]);
    assert!(mark.exists(), "the trap is not set");
    fs::remove_file(&mark).unwrap();
    touch(&project.join("one.filtered"));
    touch(&project.join("two.piped"));
    let answer = lab.status(&project, Duration::from_secs(30), &[]);
    assert!(answer.starts_with("clean main "), "{answer}");
    assert!(!mark.exists(), "{}", fs::read_to_string(&mark).unwrap());

    // Two branches that change a file with a merge driver of the repository's.
    let tree = Tree::find(&project).unwrap();
    let calm = ["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"];
    let calm = |arguments: &[&str]| lab.git(&project, &[&calm[..], arguments].concat());
    lab.git(&project, &["config", "--unset", "Filter.p.process"]);
    fs::rename(&hidden, lab.0.join("aside")).unwrap();
    for (branch, text) in [("left", "left\n"), ("right", "right\n")] {
        calm(&["switch", "-q", "-c", branch, "main"]);
        lab.write(&project.join("two.piped"), text);
        calm(&["commit", "-q", "-a", "-m", text]);
    }
    fs::rename(lab.0.join("aside"), &hidden).unwrap();
    let _ = fs::remove_file(&mark);
    lab.try_git(&project, &["-c", "core.hooksPath=/dev/null", "merge-tree", "--write-tree", "left", "right"]);
    assert!(mark.exists(), "the trap is not set");
    fs::remove_file(&mark).unwrap();
    assert_eq!(merge_conflicts(&tree, "left", "right", Duration::from_secs(30)).unwrap(), ["two.piped"]);
    assert!(!mark.exists(), "{}", fs::read_to_string(&mark).unwrap());

    // What is missing is not fetched.
    let blob = lab.git(&project, &["rev-parse", "HEAD^{tree}"]);
    fs::remove_file(project.join(format!(".git/objects/{}/{}", &blob[..2], &blob[2..]))).unwrap();
    assert_eq!(lab.dirty(&project), "unknown");
    assert!(!mark.exists(), "{}", fs::read_to_string(&mark).unwrap());
}

#[test]
fn a_filter_in_a_file_that_the_configuration_includes() {
    let lab = Lab::new();
    let project = lab.repository("project");
    lab.write(&project.join(".gitattributes"), "file filter=f\n");
    lab.git(&project, &["add", "."]);
    lab.git(&project, &["commit", "-q", "-m", "attributes"]);
    let mark = lab.0.join("ran");
    lab.write(&lab.0.join("hidden"), &format!("[filter \"f\"]\n\tclean = touch '{}'; cat\n", mark.display()));
    lab.git(&project, &["config", "includeIf.gitdir:**.path", lab.0.join("hidden").to_str().unwrap()]);
    touch(&project.join("file"));
    assert_eq!(lab.dirty(&project), "clean");
    assert!(!mark.exists());
    lab.git(&project, &["status"]);
    assert!(mark.exists(), "the trap is not set");
}

/// Another time of change, the same content: git has to look inside, and to run the filter.
fn touch(file: &Path) {
    let file = fs::File::options().append(true).open(file).unwrap();
    file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000)).unwrap();
}

#[test]
fn the_users_own_filters_stay() {
    let lab = Lab::new();
    let project = lab.repository("project");
    let config = lab.0.join("config");
    // As Git LFS: what is stored differs from what is in the tree.
    lab.write(&config, "[filter \"up\"]\n\tclean = tr a-z A-Z\n\tsmudge = tr A-Z a-z\n\trequired = true\n");
    lab.write(&project.join(".gitattributes"), "*.up filter=up\n");
    lab.write(&project.join("a.up"), "text\n");
    let git = |arguments: &[&str]| {
        let mut command = lab.command("git", &project);
        assert!(command.env("GIT_CONFIG_GLOBAL", &config).args(arguments).status().unwrap().success());
    };
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "filtered"]);
    assert_eq!(lab.git(&project, &["show", "HEAD:a.up"]), "TEXT");
    // The repository's configuration is looked into, and the user's filter is not among what is switched off.
    git(&["config", "filter.other.clean", "false"]);
    touch(&project.join("a.up"));
    let answer = lab.status(&project, Duration::from_secs(30), &[("GIT_CONFIG_GLOBAL", config.as_os_str())]);
    assert!(answer.starts_with("clean main "), "{answer}");
}

#[test]
fn no_lock_is_taken_and_nothing_is_written() {
    let lab = Lab::new();
    let project = lab.repository("project");
    touch(&project.join("file"));
    let index = fs::read(project.join(".git/index")).unwrap();
    assert_eq!(lab.dirty(&project), "clean");
    assert_eq!(fs::read(project.join(".git/index")).unwrap(), index);
    lab.write(&project.join(".git/index.lock"), "");
    assert_eq!(lab.dirty(&project), "clean");
    assert_eq!(fs::read(project.join(".git/index")).unwrap(), index);
}

#[test]
fn a_git_that_takes_too_long_is_ended_with_its_children() {
    let lab = Lab::new();
    let project = lab.repository("project");
    let bin = lab.0.join("bin");
    fs::create_dir(&bin).unwrap();
    let child = lab.0.join("child");
    for text in [
        // Silent; with its output closed; writing without end; slow and stubborn.
        format!("#!/bin/sh\nsleep 600 & echo $! > '{}'\nwait\n", child.display()),
        format!("#!/bin/sh\nexec >&-\nsleep 600 & echo $! > '{}'\nwait\n", child.display()),
        format!("#!/bin/sh\nsleep 600 & echo $! > '{}'\nwhile :; do echo '# x'; sleep 0.01; done\n", child.display()),
        format!("#!/bin/sh\ntrap '' TERM HUP INT\nsleep 600 & echo $! > '{}'\nwait\n", child.display()),
    ] {
        script(&bin.join("git"), &text);
        let path = std::env::join_paths([bin.clone(), "/usr/bin".into(), "/bin".into()]).unwrap();
        let _ = fs::remove_file(&child);
        assert_eq!(lab.status(&project, Duration::from_millis(400), &[("PATH", &path)]), "unknown", "{text}");
        let pid = fs::read_to_string(&child).unwrap_or_else(|_| panic!("the script did not begin: {text}"));
        let pid = pid.trim().parse().unwrap();
        let end = Instant::now() + Duration::from_secs(20);
        while ait::sys::process::look_up(pid).is_some_and(|process| !process.zombie) {
            assert!(Instant::now() < end, "its child lives on: {text}");
            std::thread::yield_now();
        }
    }
}

#[test]
fn no_git_and_one_that_fails() {
    let lab = Lab::new();
    let project = lab.repository("project");
    let limit = Duration::from_secs(30);
    assert_eq!(lab.status(&project, limit, &[("PATH", lab.0.as_os_str())]), "unknown");
    // Never one from the current folder.
    script(&lab.0.join("git"), "#!/bin/sh\nprintf '# branch.oid (initial)\\0# branch.head evil\\0'\n");
    assert_eq!(lab.status(&project, limit, &[("PATH", OsStr::new(".:"))]), "unknown");
    assert_eq!(lab.status(&project, limit, &[("PATH", lab.0.as_os_str())]), "clean evil -");
    fs::write(project.join(".git/index"), "garbage").unwrap();
    assert_eq!(lab.dirty(&project), "unknown");
}

#[test]
fn merges() {
    let lab = Lab::new();
    let project = lab.repository("project");
    let branch = |name: &str, file: &str, text: &str| {
        lab.git(&project, &["switch", "-q", "-c", name, "main"]);
        lab.commit(&project, file, text);
    };
    branch("a", "file", "a\n");
    branch("b", "file", "b\n");
    branch("c", "öther \"file\"", "c\n");
    branch("d", "öther \"file\"", "d\n");
    lab.git(&project, &["switch", "-q", "--orphan", "alone"]);
    lab.commit(&project, "x", "x");
    let tree = Tree::find(&project).unwrap();
    let ask = |ours: &str, theirs: &str| merge_conflicts(&tree, ours, theirs, Duration::from_secs(30));
    assert_eq!(ask("a", "b").unwrap(), ["file"]);
    assert_eq!(ask("a", "c").unwrap(), [""; 0]);
    assert_eq!(ask("c", "d").unwrap(), ["öther \"file\""]);
    let commit = lab.git(&project, &["rev-parse", "a"]);
    assert_eq!(ask(&commit, "b").unwrap(), ["file"]);
    for (ours, theirs) in [("a", "none"), ("--help", "a"), ("", "a"), ("a", "alone")] {
        let error = ask(ours, theirs).unwrap_err().to_string();
        assert!(error.starts_with("asking git whether two branches merge: "), "{error}");
        assert!(!error.contains('\n'));
    }
}

#[test]
fn the_last_move() {
    let lab = Lab::new();
    lab.git(&lab.0, &["init", "-q", "-b", "main", "project"]);
    let project = lab.0.join("project");
    let last = || last_move(&Tree::find(&project).unwrap());
    assert_eq!(last(), None);
    lab.commit(&project, "file", "one\n");
    let first = lab.git(&project, &["rev-parse", "HEAD"]);
    let mv = last().unwrap();
    assert_eq!((mv.old, mv.new.as_deref()), (None, Some(first.as_str())));
    assert_eq!((mv.who.as_str(), mv.at.as_second()), ("Ann <ann@example.org>", 1_700_000_000));
    assert_eq!(mv.message, "commit (initial): file is written");
    lab.git(&project, &["switch", "-q", "-c", "topic/x"]);
    let mv = last().unwrap();
    assert_eq!(mv.checkout(), Some(("main", "topic/x")));
    assert_eq!(mv.old, mv.new);
    lab.commit(&project, "file", "two\n");
    lab.git(&project, &["reset", "-q", "--hard", "HEAD~1"]);
    let mv = last().unwrap();
    assert_eq!(mv.new.as_deref(), Some(first.as_str()));
    assert_eq!((mv.message.as_str(), mv.checkout()), ("reset: moving to HEAD~1", None));
    // A log of its own in each tree; hundreds of lines; a first line of 100 KiB.
    let beside = lab.0.join("beside");
    lab.git(&project, &["worktree", "add", "-q", beside.to_str().unwrap()]);
    for n in 0..300 {
        lab.git(&beside, &["commit", "-q", "--allow-empty", "-m", &format!("number {n}")]);
    }
    assert_eq!(last_move(&Tree::find(&beside).unwrap()).unwrap().message, "commit: number 299");
    lab.git(&beside, &["commit", "-q", "--allow-empty", "-m", &"ü".repeat(50_000)]);
    assert!(last_move(&Tree::find(&beside).unwrap()).unwrap().message.starts_with("commit: üüü"));
    assert_eq!(last().unwrap().message, "reset: moving to HEAD~1");

    // A line in the making is not read yet; garbage is nothing.
    let log = project.join(".git/logs/HEAD");
    let text = fs::read_to_string(&log).unwrap();
    fs::write(&log, format!("{text}{first} {first} Bob")).unwrap();
    assert_eq!(last().unwrap().message, "reset: moving to HEAD~1");
    for garbage in ["", "\n", "\n\n\n", "x", "x\n", &format!("{first} {first} Bob\n"), &"x".repeat(1 << 20)] {
        fs::write(&log, garbage).unwrap();
        assert_eq!(last(), None, "{garbage:.20?}");
    }
    fs::remove_file(&log).unwrap();
    pipe(&log);
    assert_eq!(last(), None);
}
