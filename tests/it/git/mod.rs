//! Trees, branches and commits in real repositories that the real git made, compared with git's own answers.

mod asking;
mod heads;
mod home;
mod layouts;
mod trees;

use std::ffi::OsStr;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::Duration;

use ait::git::{HeadKind, Status, Tree, status};

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
    assert_eq!(tree.head_label().name, head.display());
    assert_eq!(head.branch, branch);
    assert_eq!(head.commit, commit);
    let kind = match (branch, commit) {
        (Some(_), Some(_)) => HeadKind::Branch,
        (Some(_), None) => HeadKind::Unborn,
        _ => HeadKind::Detached,
    };
    assert_eq!(head.kind, kind);
    let resolved = Tree::find_resolved(&folder.canonicalize().unwrap()).unwrap();
    assert_eq!((resolved.root, resolved.git_dir), (tree.root.clone(), tree.git_dir.clone()));
    tree
}

fn pipe(path: &Path) {
    assert!(Command::new("mkfifo").arg(path).status().unwrap().success());
}

/// An executable script.
fn script(path: &Path, text: &str) {
    fs::write(path, text).unwrap();
    fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
}

/// Another time of change, the same content: git has to look inside, and to run the filter.
fn touch(file: &Path) {
    let file = fs::File::options().append(true).open(file).unwrap();
    file.set_modified(std::time::UNIX_EPOCH + Duration::from_secs(1_000_000_000)).unwrap();
}
