//! The commits of sessions: how they are recorded.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use serde_json::{Value, json};

use crate::common::{AIT, Client, TestEnv, payload, wait_until};

/// Lets a session run git in its shell: the events around it, and git itself.
pub(crate) fn session_git(env: &TestEnv, client: &Client, id: &str, tree: &Path, words: &str) {
    let tool = json!({"tool_name": "Bash", "tool_input": {"command": format!("git {words}")}});
    env.send_event(client, "PreToolUse", id, tree, tool.clone());
    env.git(tree, words);
    env.send_event(client, "PostToolUse", id, tree, tool);
}

/// Writes a file, and lets a session commit it.
pub(crate) fn session_commit(env: &TestEnv, client: &Client, id: &str, tree: &Path, file: &str, text: &str) -> String {
    fs::write(tree.join(file), text).unwrap();
    env.git(tree, "add --all");
    session_git(env, client, id, tree, &format!("commit --quiet --message=change-{file}"));
    env.git(tree, "rev-parse HEAD")
}

/// What is recorded of a session's commits, live or in history.
pub(crate) fn recorded(env: &TestEnv, id: &str) -> Vec<Value> {
    let log = fs::read_to_string(env.sessions_path("active").join(format!("{id}.commits"))).unwrap_or_default();
    let lines: Vec<Value> = log.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    if !lines.is_empty() || env.active_ids().contains(&id.to_owned()) {
        return lines;
    }
    env.history_manifest(id)["commits"].as_array().cloned().unwrap_or_default()
}

fn recorded_ids(env: &TestEnv, id: &str) -> Vec<String> {
    recorded(env, id).iter().map(|commit| commit["id"].as_str().unwrap().to_owned()).collect()
}

/// Waits until the last recorded commit of a session is this one.
pub(crate) fn wait_for_record(env: &TestEnv, id: &str, commit: &str) {
    wait_until("the commit is recorded", || recorded_ids(env, id).last().is_some_and(|last| last == commit));
}

#[test]
fn a_commit_of_a_session_is_recorded_with_its_patch_and_its_files() {
    let env = TestEnv::new();
    let (client, tree) = (Client::new(), env.repository("project"));
    env.start_session(&client, "one", &tree);
    let id = session_commit(&env, &client, "one", &tree, "a", "1\n");
    wait_for_record(&env, "one", &id);
    let commit = &recorded(&env, "one")[0];
    let blob = env.git(&tree, "rev-parse HEAD:a");
    assert_eq!(commit["files"], json!([["a", blob, null]]));
    assert_eq!((&commit["subject"], &commit["branch"]), (&json!("change-a"), &json!("main")));
    assert!(commit["patch_id"].is_string() && commit["uncertain"].is_null(), "{commit}");

    env.end_session(&client, "one", &tree, "prompt_input_exit");
    assert_eq!(recorded_ids(&env, "one"), std::slice::from_ref(&id), "in history");
    env.send_event(&client, "SessionStart", "one", &tree, json!({"source": "resume"}));
    assert_eq!(recorded_ids(&env, "one"), [id], "back in a log");
    assert_eq!(env.log_lines(), [""; 0]);
}

#[test]
fn commits_of_others_are_not_recorded() {
    let env = TestEnv::new();
    let (client, tree) = (Client::new(), env.repository("project"));
    let upstream = env.path("upstream");
    env.git(&env.path(""), "clone --quiet project upstream");
    fs::write(upstream.join("theirs"), "x").unwrap();
    env.git(&upstream, "add --all");
    env.git(&upstream, "commit --quiet --message=theirs");
    env.git(&upstream, "switch --quiet --create=more");
    fs::write(upstream.join("more"), "x").unwrap();
    env.git(&upstream, "add --all");
    env.git(&upstream, "commit --quiet --message=more");
    env.git(&tree, &format!("remote add origin {}", upstream.display()));

    env.start_session(&client, "one", &tree);
    let mine = session_commit(&env, &client, "one", &tree, "mine", "1\n");
    wait_for_record(&env, "one", &mine);
    // A merge is the session's own, what it brings is not.
    session_git(&env, &client, "one", &tree, "pull --quiet --no-rebase --no-edit origin main");
    let merge = env.git(&tree, "rev-parse HEAD");
    wait_for_record(&env, "one", &merge);
    // Nor is a commit of someone else that is picked, or one that is fetched.
    session_git(&env, &client, "one", &tree, "fetch --quiet");
    session_git(&env, &client, "one", &tree, "cherry-pick origin/more");
    // A commit of the user, between two commands of the session.
    env.git(&tree, "commit --quiet --allow-empty --message=user");
    // And one of the user while a command ran that commits nothing: that one is not certain.
    let tool = json!({"tool_name": "Bash", "tool_input": {"command": "cargo test"}});
    env.send_event(&client, "PreToolUse", "one", &tree, tool.clone());
    env.git(&tree, "commit --quiet --allow-empty --message=during");
    let during = env.git(&tree, "rev-parse HEAD");
    env.send_event(&client, "PostToolUse", "one", &tree, tool);
    wait_for_record(&env, "one", &during);
    assert_eq!(recorded_ids(&env, "one"), [mine, merge, during]);
    let uncertain: Vec<bool> = recorded(&env, "one").iter().map(|commit| commit["uncertain"] == true).collect();
    assert_eq!(uncertain, [false, false, true]);
    assert_eq!(recorded(&env, "one")[1]["files"], json!([]), "a merge has no patch of its own");
    assert_eq!(env.log_lines(), [""; 0]);
}

#[test]
fn own_commits_are_recorded_again_after_amend_rebase_and_pull() {
    let env = TestEnv::new();
    let (client, tree) = (Client::new(), env.repository("project"));
    env.git(&env.path(""), "clone --quiet project upstream");
    env.git(&env.path("upstream"), "commit --quiet --allow-empty --message=theirs");
    env.git(&tree, &format!("remote add origin {}", env.path("upstream").display()));
    // A commit of the user, that a rebase copies too.
    fs::write(tree.join("user"), "x").unwrap();
    env.git(&tree, "add --all");
    env.git(&tree, "commit --quiet --message=user");

    env.start_session(&client, "one", &tree);
    let first = session_commit(&env, &client, "one", &tree, "a", "1\n");
    wait_for_record(&env, "one", &first);
    session_git(&env, &client, "one", &tree, "commit --quiet --amend --message=reworded");
    let amended = env.git(&tree, "rev-parse HEAD");
    wait_for_record(&env, "one", &amended);
    session_git(&env, &client, "one", &tree, "pull --quiet --rebase origin main");
    let rebased = env.git(&tree, "rev-parse HEAD");
    wait_for_record(&env, "one", &rebased);
    assert_eq!(recorded_ids(&env, "one"), [first, amended, rebased]);
    let patches: Vec<Value> = recorded(&env, "one").iter().map(|commit| commit["patch_id"].clone()).collect();
    assert!(patches[0].is_string() && patches.iter().all(|patch| *patch == patches[0]), "{patches:?}");

    // Rewording a commit of someone else makes a new commit, and no patch.
    env.git(&tree, "reset --quiet --hard HEAD~1");
    env.send_event(&client, "UserPromptSubmit", "one", &tree, json!({"prompt": "go"}));
    session_git(&env, &client, "one", &tree, "commit --quiet --amend --message=other");
    let other = env.git(&tree, "rev-parse HEAD");
    wait_for_record(&env, "one", &other);
    assert_eq!(recorded(&env, "one").last().unwrap()["patch_id"], Value::Null);
}

/// A git that waits for a file before it answers what only the job asks.
fn slow_git(env: &TestEnv) -> (String, PathBuf) {
    let (go, real) = (env.path("go"), ait::sys::process::find_program("git").unwrap());
    let script = format!(
        "#!/bin/sh\ncase \" $* \" in *' log '*) while [ ! -e '{}' ]; do sleep 0.02; done;; esac\nexec '{}' \"$@\"\n",
        go.display(),
        real.display()
    );
    let file = env.write_file("slow/git", &script);
    fs::set_permissions(&file, fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var("PATH").unwrap();
    (format!("{}:{path}", file.parent().unwrap().display()), go)
}

#[test]
fn the_hook_returns_before_the_job_ends_and_the_job_survives_its_process_group_and_its_session() {
    let env = TestEnv::new();
    let (client, tree) = (Client::new(), env.repository("project"));
    env.start_session(&client, "one", &tree);
    let tool = json!({"tool_name": "Bash", "tool_input": {"command": "git commit"}});
    env.send_event(&client, "PreToolUse", "one", &tree, tool.clone());
    env.git(&tree, "commit --quiet --allow-empty --message=change");
    let commit = env.git(&tree, "rev-parse HEAD");
    let (path, go) = slow_git(&env);
    let mut hook = env.ait().child_of(&client, "one").env("PATH", path).current_dir(&tree).command(AIT);
    let input = env.write_file("event.json", &payload("PostToolUse", "one", &tree, tool).to_string());
    let output = fs::File::create(env.path("output")).unwrap();
    hook.args(["hook", "session-register"]).process_group(0).stdin(fs::File::open(input).unwrap());
    let mut hook = hook.stdout(output.try_clone().unwrap()).stderr(output).spawn().unwrap();
    assert!(hook.wait().unwrap().success());
    // The job waits for git now, or will.
    let group = rustix::process::Pid::from_raw(i32::try_from(hook.id()).unwrap()).unwrap();
    let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    assert_eq!(recorded_ids(&env, "one"), [""; 0], "it is not done yet");
    env.end_session(&client, "one", &tree, "other");
    assert!(env.active_ids().is_empty());
    fs::write(go, "").unwrap();
    wait_for_record(&env, "one", &commit);
    assert_eq!(env.history_manifest("one")["commits"][0]["id"], json!(commit));
    assert!(!env.sessions_path("active").join("one.commits").exists());
}

#[test]
fn the_same_job_of_one_tree_runs_once_at_a_time() {
    let env = TestEnv::new();
    let (client, tree) = (Client::new(), env.repository("project"));
    env.start_session(&client, "one", &tree);
    let (path, go) = slow_git(&env);
    let head = env.git(&tree, "rev-parse HEAD");
    env.git(&tree, "commit --quiet --allow-empty --message=change");
    let commit = env.git(&tree, "rev-parse HEAD");
    let folder = tree.to_str().unwrap();
    let job = || {
        let mut job = env.ait().env("PATH", &path).command(AIT);
        job.args(["job", "record-commits", folder, "one", &head, &commit, "main", "certain"]);
        job.stdin(Stdio::null()).spawn().unwrap()
    };
    let (mut first, mut second) = (job(), job());
    let jobs = env.path(&env.cache()).join("jobs");
    let locked = || {
        let folders = fs::read_dir(&jobs).into_iter().flatten();
        folders.map(|entry| fs::File::open(entry.unwrap().path()).unwrap()).any(|folder| folder.try_lock().is_err())
    };
    wait_until("one of them holds the lock", locked);
    fs::write(go, "").unwrap();
    assert!(first.wait().unwrap().success() && second.wait().unwrap().success());
    assert_eq!(recorded_ids(&env, "one"), [commit], "the second one found it recorded");
}

#[test]
fn a_report_lists_the_commits_of_each_project_and_branch_once() {
    let env = TestEnv::new();
    let (client, tree) = (Client::new(), env.repository("project"));
    env.start_session(&client, "one", &tree);
    let first = session_commit(&env, &client, "one", &tree, "a", "1\n");
    wait_for_record(&env, "one", &first);
    session_git(&env, &client, "one", &tree, "commit --quiet --amend --message=amended");
    let amended = env.git(&tree, "rev-parse HEAD");
    wait_for_record(&env, "one", &amended);
    for by in ["project", "branch", "task"] {
        let group = env.run(&format!("report --by {by} --json")).json()["groups"][0].clone();
        assert_eq!(group["commits_made"], json!(1), "{by}: {group}");
        assert_eq!((&group["commits"][0]["id"], &group["commits"][0]["subject"]), (&json!(amended), &json!("amended")));
    }
    let text = env.run("report").success();
    assert!(text.contains(&format!("Commit ({}): amended\n", &amended[..8])) && text.contains("1 commit"), "{text}");
    let text = env.run("report --markdown").success();
    assert!(text.contains(&format!("- Commit: amended ({})\n", &amended[..8])), "{text}");
}
