//! A home folder that is a repository: folders that it ignores stand on their own.

use std::collections::BTreeSet;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use ait::git::Tree;
use serde_json::json;

use crate::common::{Client, TestEnv};

/// A home that is a repository with these patterns.
fn home_repository(patterns: &str) -> TestEnv {
    let env = TestEnv::new();
    env.git(&env.path(""), "init --quiet --initial-branch=dotfiles");
    env.write_file(".gitignore", patterns);
    env.git(&env.path(""), "add --force .gitignore");
    env.git(&env.path(""), "commit --quiet --message=start");
    env
}

/// Whether a session in this folder is in the tree of the home, by its manifest.
fn is_in_home(env: &TestEnv, folder: &Path) -> bool {
    let client = Client::new();
    env.start_session(&client, "one", folder);
    let manifest = env.active_manifest("one");
    env.end_session(&client, "one", folder, "prompt_input_exit");
    assert!(manifest["tree"].is_null() || manifest["tree"] == json!(env.path("")), "{manifest}");
    manifest["tree"] == json!(env.path(""))
}

#[test]
fn ignored_folders_below_a_home_repository_are_projects_of_their_own() {
    let env = home_repository("*\n");
    let (client, other) = (Client::new(), Client::new());
    let (notes, work) = (env.create_dir("notes"), env.create_dir("work/deep"));
    env.start_session(&client, "one", &notes).no_output();
    env.start_session(&other, "two", &work).no_output();
    let manifest = env.active_manifest("one");
    let shown = ["project", "tree", "git_branch"].map(|field| manifest[field].clone());
    assert_eq!(shown, [json!("notes"), json!(null), json!(null)]);
    assert_eq!(env.run("sessions conflicts --json").json()["conflicts"], json!([]));
    let segment = |folder: &Path| {
        env.ait().current_dir(folder).run_args(&["prompt", "--format", "{project}|{branch}|{conflict}"]).success()
    };
    assert_eq!((segment(&notes).as_str(), segment(&work).as_str()), ("notes||", "deep||"));
    assert_eq!(segment(&env.path("")), "", "nobody works in the home itself");
    // A file written there is not in the tree of the home either.
    let input = json!({"file_path": notes.join("a.md"), "content": ""});
    env.send_event(&client, "PostToolUse", "one", &notes, json!({"tool_name": "Write", "tool_input": input}))
        .no_output();
    assert_eq!(env.active_manifest("one")["wrote_in"], json!(null));
    // A repository below home, and the home itself, are what they were.
    let project = env.repository("code/shop");
    assert_eq!(ait::git::Tree::find(&project).unwrap().root, project);
    assert!(is_in_home(&env, &env.path("")));
}

#[test]
fn folder_with_tracked_files_belongs_to_the_home_repository() {
    let env = home_repository("*\n");
    env.write_file(".config/nvim/init.lua", "");
    env.git(&env.path(""), "add --force .config/nvim/init.lua");
    assert!(is_in_home(&env, &env.path(".config/nvim")));
    assert!(is_in_home(&env, &env.path(".config")));
    assert!(!is_in_home(&env, &env.create_dir("nvim")), "a part of a tracked path is not a path");
    assert!(!is_in_home(&env, &env.create_dir(".config/nvi")));
}

/// The folders that git ignores.
fn ignored_by_git(home: &Path, folders: &[&str]) -> BTreeSet<String> {
    let mut git = Command::new("git");
    git.current_dir(home).args(["check-ignore", "-z", "--stdin"]).env("GIT_CONFIG_NOSYSTEM", "1");
    let mut git = git.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    git.stdin.take().unwrap().write_all(folders.join("\0").as_bytes()).unwrap();
    let output = git.wait_with_output().unwrap().stdout;
    String::from_utf8(output).unwrap().split_terminator('\0').map(str::to_owned).collect()
}

#[test]
#[ignore = "a part of another test, which runs it in a process with a home of its own"]
fn compare_patterns() {
    let home = PathBuf::from(std::env::var_os("HOME").unwrap());
    let folders = [
        "a",
        "a/b",
        "a/b/c",
        "b",
        "build",
        "Build",
        "x.tmp",
        "a/x.tmp/y",
        "doc [1]",
        "é",
        "a1",
        "ab",
        "#x",
        "!y",
        "z ",
    ];
    for folder in folders {
        fs::create_dir_all(home.join(folder)).unwrap();
    }
    let patterns = [
        "a",
        "/a",
        "a/",
        "b",
        "/b",
        "a/b",
        "/a/b/",
        "*.tmp",
        "a/*.tmp",
        "**/b",
        "a/**",
        "a/**/c",
        "**",
        "*",
        "/*",
        "*\n!a",
        "*\n!/a/",
        "/*\n!/a",
        "a?",
        "a[0-9]",
        "a[!0-9]",
        "a[^b]",
        "[[:upper:]]uild",
        "[[:nope:]]",
        "doc*\\[1]",
        "doc [[]1]",
        "é",
        "\\#x",
        "#x",
        "\\!y",
        "!y",
        "z\\ ",
        "z ",
        "a\n!a",
        "!a\na",
        "a/b\n!a/b",
        "a\n!a/b",
        "build\r",
        "[b-",
        "[]-]",
        "a**",
        "**b",
        "a/**b",
        "**/**/c",
        "\\a",
        "b\\",
        "a//b",
        "/",
        "//",
        "*?*?*?*?b",
        "./a",
        "[a-a]b",
    ];
    for pattern in patterns {
        fs::write(home.join(".gitignore"), pattern).unwrap();
        for nested in ["", "b\n", "/b/c\n", "!*\n"] {
            fs::write(home.join("a/.gitignore"), nested).unwrap();
            let alone = folders.iter().filter(|folder| Tree::find(&home.join(folder)).is_none());
            let alone: BTreeSet<String> = alone.map(|folder| (*folder).to_owned()).collect();
            assert_eq!(alone, ignored_by_git(&home, &folders), "{pattern:?}, in a: {nested:?}");
        }
    }
}

#[test]
fn patterns_mean_what_they_mean_to_git() {
    let env = home_repository("");
    let program = std::env::current_exe().unwrap();
    let mut command = env.ait().command(program);
    let output = command.args(["--exact", "git::home::compare_patterns", "--ignored"]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stdout));
}

#[test]
fn patterns_of_the_user_and_of_the_repository_count() {
    let env = home_repository("");
    let folder = env.create_dir("scratch");
    assert!(is_in_home(&env, &folder));
    env.write_file(".git/info/exclude", "scratch\n");
    assert!(!is_in_home(&env, &folder));
    env.write_file(".git/info/exclude", "");
    env.write_file(".config/git/ignore", "scratch\n");
    assert!(!is_in_home(&env, &folder));
    env.write_file(".gitconfig", "[core]\n\texcludesFile = ~/my-ignore\n");
    assert!(is_in_home(&env, &folder));
    env.write_file("my-ignore", "scr*\n");
    assert!(!is_in_home(&env, &folder));
}

#[test]
fn home_repository_that_hides_untracked_files_has_only_folders_with_tracked_ones() {
    let env = home_repository("");
    env.write_file("bin/tool", "");
    env.git(&env.path(""), "add bin/tool");
    let folder = env.create_dir("notes");
    assert!(is_in_home(&env, &folder));
    env.git(&env.path(""), "config status.showUntrackedFiles no");
    assert!(!is_in_home(&env, &folder) && is_in_home(&env, &env.path("bin")));
}

#[test]
fn ignored_folders_stand_on_their_own_below_a_home_that_is_a_symlink() {
    let env = home_repository("notes\n");
    let client = Client::new();
    let notes = env.create_dir("notes");
    let link = env.path("notes/home");
    std::os::unix::fs::symlink(env.path(""), &link).unwrap();
    let event = crate::common::payload("SessionStart", "one", &notes, json!({"source": "startup"}));
    let ait = env.ait().env("HOME", &link).env("AIT_SESSIONS_DIR", env.sessions_path(""));
    ait.child_of(&client, "one").current_dir(&notes).hook(&event).no_output();
    assert_eq!(env.active_manifest("one")["tree"], json!(null));
}
