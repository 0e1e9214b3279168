//! How many commits a branch is ahead of its upstream and behind it: counted by hooks, shown while it is true.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::commits::{session_commit, session_git};
use crate::common::{Client, TestEnv, wait_until};

const FORMAT: &str = "{project}[ {ahead}][ {behind}]";

/// A session in a clone whose branch has an upstream, and another clone of the same remote.
struct Stage {
    env: TestEnv,
    client: Client,
    tree: PathBuf,
    other: PathBuf,
}

impl Stage {
    fn new() -> Stage {
        let (env, client) = (TestEnv::new(), Client::new());
        env.repository("first");
        let home = env.path("");
        env.git(&home, "clone --quiet --bare first remote.git");
        env.git(&home, "clone --quiet remote.git shop");
        env.git(&home, "clone --quiet remote.git other");
        let (tree, other) = (env.path("shop"), env.path("other"));
        env.start_session(&client, "one", &tree);
        Stage { env, client, tree, other }
    }

    fn commit(&self, tree: &Path, file: &str) {
        fs::write(tree.join(file), "x").unwrap();
        self.env.git(tree, "add --all");
        self.env.git(tree, &format!("commit --quiet --message={file}"));
    }

    /// Waits until the manifest says so many commits.
    fn wait_for(&self, ahead: u64, behind: u64) {
        wait_until("the commits are counted", || {
            let known = &self.env.active_manifest("one")["git_upstream"];
            (&known["ahead"], &known["behind"]) == (&json!(ahead), &json!(behind))
        });
    }

    fn prompt(&self, words: &[&str]) -> String {
        self.env.ait().current_dir(&self.tree).run_args(&[&["prompt", "--format", FORMAT], words].concat()).success()
    }

    /// What the prompt and the status line show. It is the same.
    #[track_caller]
    fn shows(&self) -> String {
        let payload = json!({"session_id": "one", "cwd": self.tree}).to_string();
        let words = ["statusline", "--color", "never", "--format", FORMAT];
        let status_line = self.env.ait().run_with_input(&words, payload.as_bytes()).success();
        let prompt = self.prompt(&[]);
        assert_eq!(status_line.trim_end(), prompt);
        prompt
    }

    fn conditions(&self) -> Vec<String> {
        let ait = self.env.ait().current_dir(&self.tree).env("AIT_PROMPT_REUSE", "1");
        let answer = ait.run_args(&["prompt", "--format", FORMAT]).success();
        answer.lines().skip(1).map(str::to_owned).collect()
    }
}

#[test]
fn prompt_and_status_line_show_how_far_a_branch_and_its_upstream_are_apart() {
    let stage = Stage::new();
    let (env, client, tree) = (&stage.env, &stage.client, &stage.tree);
    assert_eq!(stage.shows(), "shop", "equal commits");
    session_commit(env, client, "one", tree, "a", "1");
    session_commit(env, client, "one", tree, "b", "1");
    stage.wait_for(2, 0);
    assert_eq!(stage.shows(), "shop ⇡2");
    assert_eq!(stage.prompt(&["--icons", "ascii"]), "shop +2");

    stage.commit(&stage.other, "c");
    env.git(&stage.other, "push --quiet");
    session_git(env, client, "one", tree, "fetch --quiet");
    stage.wait_for(2, 1);
    assert_eq!(stage.shows(), "shop ⇡2 ⇣1");
    session_git(env, client, "one", tree, "pull --quiet --rebase");
    stage.wait_for(2, 0);
    session_git(env, client, "one", tree, "push --quiet");
    assert_eq!(stage.shows(), "shop", "everything is pushed");
    assert_eq!(env.log_lines(), [""; 0]);
}

#[test]
fn numbers_that_are_not_true_any_more_are_not_shown() {
    let stage = Stage::new();
    let (env, client, tree) = (&stage.env, &stage.client, &stage.tree);
    session_commit(env, client, "one", tree, "a", "1");
    stage.wait_for(1, 0);
    // The user commits, fetches, and takes the upstream away, and no hook sees it.
    stage.commit(tree, "b");
    assert_eq!(stage.shows(), "shop");
    env.git(tree, "reset --quiet --hard HEAD~1");
    assert_eq!(stage.shows(), "shop ⇡1");
    stage.commit(&stage.other, "c");
    env.git(&stage.other, "push --quiet");
    env.git(tree, "fetch --quiet");
    assert_eq!(stage.shows(), "shop");
    env.send_event(client, "Stop", "one", tree, json!({}));
    stage.wait_for(1, 1);
    assert_eq!(stage.shows(), "shop ⇡1 ⇣1");
    env.git(tree, "switch --quiet --create=topic");
    assert_eq!(stage.shows(), "shop", "a branch without an upstream");
    env.git(tree, "branch --quiet --set-upstream-to=main");
    assert_eq!(stage.shows(), "shop", "equal to its upstream, a branch of the same repository");
    env.git(tree, "switch --quiet main");
    assert_eq!(stage.shows(), "shop ⇡1 ⇣1");
    env.git(tree, "branch --quiet --unset-upstream");
    assert_eq!(stage.shows(), "shop");
}

#[test]
fn a_shell_asks_again_when_the_branch_or_its_upstream_moves() {
    let stage = Stage::new();
    let (env, client, tree) = (&stage.env, &stage.client, &stage.tree);
    session_commit(env, client, "one", tree, "a", "1");
    stage.wait_for(1, 0);
    let file =
        |name: &str| format!("file\t{}\t{}", tree.join(".git").join(name).display(), env.git(tree, "rev-parse HEAD"));
    let seconds = |conditions: &[String]| -> i64 {
        let until = conditions.iter().find_map(|line| line.strip_prefix("until\t")).unwrap();
        until.parse::<i64>().unwrap() - jiff::Timestamp::now().as_second()
    };
    // After a clone the upstream is in packed-refs, which tells nothing.
    let packed = stage.conditions();
    assert!(packed.contains(&file("refs/heads/main")) && seconds(&packed) <= 5, "{packed:?}");
    stage.commit(&stage.other, "c");
    env.git(&stage.other, "push --quiet");
    session_git(env, client, "one", tree, "fetch --quiet");
    stage.wait_for(1, 1);
    let loose = stage.conditions();
    let has_upstream = |line: &String| line.contains("/refs/remotes/origin/main\t");
    assert!(loose.contains(&file("refs/heads/main")) && loose.iter().any(has_upstream), "{loose:?}");
    assert_eq!(stage.env.active_manifest("one")["git_upstream"]["head"], json!(env.git(tree, "rev-parse HEAD")));
}

#[test]
fn a_manifest_with_broken_numbers_shows_none_and_keeps_them() {
    let stage = Stage::new();
    let (env, client, tree) = (&stage.env, &stage.client, &stage.tree);
    session_commit(env, client, "one", tree, "a", "1");
    stage.wait_for(1, 0);
    let manifest = env.active_manifest("one");
    let file = env.sessions_path("active").join("one.json");
    for broken in [json!(7), json!({"head": 1}), json!({"ahead": -1}), json!("x"), Value::Null] {
        let mut manifest = manifest.clone();
        manifest["git_upstream"] = broken;
        fs::write(&file, manifest.to_string()).unwrap();
        assert_eq!(stage.shows(), "shop");
    }
}
