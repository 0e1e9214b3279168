//! What the commands show in unusual layouts: through the binary, with events as the client sends them.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use serde_json::json;

use crate::common::{Client, TestEnv};

/// The segment in a folder, in this format.
fn segment(env: &TestEnv, folder: &Path, format: &str) -> String {
    env.ait().current_dir(folder).run_args(&["prompt", "--format", format]).success()
}

#[test]
fn paths_are_shown_below_a_home_that_is_a_symlink() {
    let env = TestEnv::new();
    let client = Client::new();
    let tree = env.repository("data/shop");
    symlink(env.path("data"), env.path("home")).unwrap();
    let home = env.path("home");
    let ask = env.ait().env("HOME", &home).env("AIT_SESSIONS_DIR", env.sessions_path(""));
    let event = crate::common::payload("SessionStart", "one", &tree, json!({"source": "startup"}));
    ask.clone().child_of(&client, "one").current_dir(&tree).hook(&event).no_output();
    let shown = ask.run("sessions live").success();
    assert!(shown.contains("~/shop") && !shown.contains("data/shop"), "{shown}");
}

#[test]
fn reftable_checkout_in_another_shell_is_seen_by_prompt_and_next_event() {
    let env = TestEnv::new();
    let client = Client::new();
    let tree = env.create_dir("shop");
    let init = ["init", "--quiet", "--ref-format=reftable", "--initial-branch=main"];
    if !env.ait().current_dir(&tree).command("git").args(init).output().unwrap().status.success() {
        eprintln!("skipped: this git knows no reftable");
        return;
    }
    env.git(&tree, "commit --quiet --allow-empty --message=start");
    // A git that never answers must not cost the branch.
    env.write_file("bin/git", "#!/bin/sh\nexec sleep 60\n");
    fs::set_permissions(env.path("bin/git"), PermissionsExt::from_mode(0o755)).unwrap();
    let path = format!("{}:{}", env.path("bin").display(), std::env::var("PATH").unwrap());
    let start = crate::common::payload("SessionStart", "one", &tree, json!({"source": "startup"}));
    env.ait().child_of(&client, "one").current_dir(&tree).env("PATH", path).hook(&start).no_output();
    let manifest = env.active_manifest("one");
    assert_eq!((&manifest["git_branch"], &manifest["git_dirty"]), (&json!("main"), &json!(null)));
    env.git(&tree, "switch --quiet --create topic");
    assert_eq!(segment(&env, &tree, "{branch}"), "topic");
    // A shell cannot compare the list of tables, so it is promised nothing.
    let ask = env.ait().current_dir(&tree).env("AIT_PROMPT_REUSE", "1");
    assert_eq!(ask.run_args(&["prompt", "--format", "{branch}"]).success(), "topic");
    env.send_event(&client, "Stop", "one", &tree, json!({})).no_output();
    assert_eq!(env.active_manifest("one")["git_branch"], "topic");
    assert_eq!(env.active_manifest("one")["head"], json!(env.git(&tree, "rev-parse HEAD")));
}

#[test]
fn rebase_and_bisect_are_marked_in_the_default_segment() {
    let env = TestEnv::new();
    let client = Client::new();
    let tree = env.repository("shop");
    env.git(&tree, "checkout --quiet -b feat/login");
    env.git(&tree, "commit --quiet --allow-empty --message=more");
    env.start_session(&client, "one", &tree).no_output();
    let shown = || env.ait().current_dir(&tree).run("prompt").success();
    assert!(shown().starts_with("shop feat/login "), "{}", shown());
    let editor = env.write_file("editor", "#!/bin/sh\necho break > \"$1\"\n");
    fs::set_permissions(&editor, PermissionsExt::from_mode(0o755)).unwrap();
    let rebase = format!("-c sequence.editor={} rebase --quiet --interactive HEAD~1", editor.display());
    env.git(&tree, &rebase);
    assert!(shown().starts_with("shop feat/login|rebase "), "{}", shown());
    // A shell may show it again as long as HEAD and the name of the branch are the same.
    let answer = env.ait().current_dir(&tree).env("AIT_PROMPT_REUSE", "1").run("prompt").success();
    let head_name = tree.join(".git/rebase-merge/head-name");
    assert!(answer.contains(&format!("file\t{}\trefs/heads/feat/login\n", head_name.display())), "{answer}");
    env.send_event(&client, "Stop", "one", &tree, json!({})).no_output();
    assert_eq!(env.active_manifest("one")["git_branch"], "feat/login");
    env.git(&tree, "rebase --abort");
    for n in 0..4 {
        env.git(&tree, &format!("commit --quiet --allow-empty --message={n}"));
    }
    env.git(&tree, "bisect start HEAD main");
    let short = env.git(&tree, "rev-parse --short=7 HEAD");
    assert!(shown().starts_with(&format!("shop {short}|bisect ")), "{}", shown());
}
