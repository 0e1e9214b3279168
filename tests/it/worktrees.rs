//! Where a session works: sub-agents with a worktree of their own, entered worktrees, and what changes between two events.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::common::{Client, TestEnv, process_start_time};

/// The segment in a folder, in this format.
fn segment(env: &TestEnv, folder: &Path, format: &str) -> String {
    env.ait().current_dir(folder).run_args(&["prompt", "--format", format]).success()
}

/// A repository, and a worktree in it as Claude Code makes one for a sub-agent.
fn with_agent_worktree(env: &TestEnv) -> (PathBuf, PathBuf) {
    let tree = env.repository("shop");
    let worktree = env.worktree(&tree, "shop/.claude/worktrees/agent-ac1c4cc3c3cfc83d9", "worktree-agent");
    (tree, worktree)
}

/// The events of a sub-agent with `isolation: "worktree"`, as captured from client 2.1.332.
fn agent_events(env: &TestEnv, client: &Client, id: &str, tree: &Path, worktree: &Path) {
    let lead = json!({"tool_name": "Agent", "tool_input": {"isolation": "worktree"}});
    env.send_event(client, "PreToolUse", id, tree, lead.clone()).no_output();
    env.send_event(client, "PostToolUse", id, tree, lead).no_output();
    let agent = |event: &str, mut more: Value| {
        more["agent_id"] = json!("ac1c4cc3c3cfc83d9");
        more["agent_type"] = json!("general-purpose");
        env.send_event(client, event, id, worktree, more).no_output();
    };
    agent("SubagentStart", json!({}));
    agent("PreToolUse", json!({"tool_name": "Bash", "tool_input": {"command": "pwd"}}));
    agent(
        "PostToolUse",
        json!({"tool_name": "Bash", "tool_input": {"command": "pwd"}, "tool_response": {"stdout": ""}}),
    );
    fs::write(worktree.join("iso.txt"), "i").unwrap();
    let input = json!({"file_path": worktree.join("iso.txt"), "content": "i"});
    agent("PreToolUse", json!({"tool_name": "Write", "tool_input": input}));
    let response = json!({"type": "create", "filePath": "iso.txt"});
    agent("PostToolUse", json!({"tool_name": "Write", "tool_input": input, "tool_response": response}));
    agent("SubagentStop", json!({"stop_hook_active": false}));
}

#[test]
fn sub_agent_in_a_worktree_of_its_own_does_not_move_the_session() {
    let env = TestEnv::new();
    let client = Client::new();
    let (tree, worktree) = with_agent_worktree(&env);
    env.start_session(&client, "one", &tree).no_output();
    let place = || {
        let manifest = env.active_manifest("one");
        ["path", "project", "tree", "git_branch", "head", "git_dirty"].map(|field| manifest[field].clone())
    };
    let before = place();
    agent_events(&env, &client, "one", &tree, &worktree);
    assert_eq!(place(), before);
    assert_eq!(segment(&env, &tree, "{project} {branch}"), "shop main");
    // The session still works in its tree: a second one there is a conflict.
    let other = Client::new();
    env.start_session(&other, "two", &tree);
    let conflicts = env.run("sessions conflicts --json").json();
    assert_eq!(
        (&conflicts["conflicts"][0]["grade"], &conflicts["conflicts"][0]["path"]),
        (&json!("shared-tree"), &json!(tree))
    );
    assert!(segment(&env, &tree, "{conflict}").contains('2'));
    env.end_session(&client, "one", &tree, "prompt_input_exit");
    assert_eq!(env.history_manifest("one")["path"], json!(tree));
}

#[test]
fn sub_agent_elsewhere_does_not_clear_the_note_that_head_moved() {
    let env = TestEnv::new();
    let (client, other) = (Client::new(), Client::new());
    let (tree, worktree) = with_agent_worktree(&env);
    env.start_session(&client, "one", &tree).no_output();
    env.start_session(&other, "two", &tree);
    env.git(&tree, "checkout --quiet -b topic");
    let agent = json!({"agent_id": "a", "tool_name": "Bash", "tool_input": {"command": "pwd"}});
    // A sub-agent in the session's own tree finds HEAD moved, one elsewhere says nothing about it.
    env.send_event(&client, "SubagentStop", "one", &tree, json!({"agent_id": "b"})).no_output();
    assert_eq!(env.active_manifest("one")["head_moved"]["to_branch"], "topic");
    env.send_event(&client, "PreToolUse", "one", &worktree, agent).no_output();
    let told = env.send_event(&client, "UserPromptSubmit", "one", &tree, json!({"prompt": "go on"})).success();
    assert!(told.contains("topic"), "{told}");
}

#[test]
fn prompt_in_an_entered_worktree_shows_the_session_that_writes_there() {
    let env = TestEnv::new();
    let client = Client::new();
    let tree = env.repository("shop");
    let worktree = env.worktree(&tree, "shop/.claude/worktrees/a", "a");
    env.start_session(&client, "one", &tree).no_output();
    assert_eq!(segment(&env, &worktree, "{project}"), "");
    // Older clients go on to name the folder of the start.
    let write = json!({"tool_name": "Write", "tool_input": {"file_path": worktree.join("f")}});
    env.send_event(&client, "PostToolUse", "one", &tree, write).no_output();
    assert_eq!(segment(&env, &worktree, "{project}|{branch}|{worktree}|{conflict}"), "shop|a|a|");
    assert_eq!(segment(&env, &tree, "{branch}"), "main");
}

#[test]
fn file_written_by_a_tool_of_an_mcp_server_counts() {
    let env = TestEnv::new();
    let (client, other) = (Client::new(), Client::new());
    let tree = env.repository("shop");
    let file = env.write_file("shop/f", "x");
    env.start_session(&client, "one", &tree).no_output();
    env.start_session(&other, "two", &tree);
    let edit = json!({"tool_name": "Edit", "tool_input": {"file_path": file}});
    env.send_event(&client, "PostToolUse", "one", &tree, edit).no_output();
    let read = json!({"tool_name": "mcp__filesystem__read_file", "tool_input": {"path": file}});
    env.send_event(&other, "PostToolUse", "two", &tree, read).no_output();
    let grade = || env.run("sessions conflicts --json").json()["conflicts"][0]["grade"].clone();
    assert_eq!(grade(), "shared-tree");
    let write = json!({"tool_name": "mcp__filesystem__write_file", "tool_input": {"path": file, "content": "y"}});
    env.send_event(&other, "PostToolUse", "two", &tree, write).no_output();
    assert_eq!(grade(), "clobber");
}

#[test]
fn live_shows_what_is_checked_out_now() {
    let env = TestEnv::new();
    let client = Client::new();
    let tree = env.repository("shop");
    env.start_session(&client, "one", &tree).no_output();
    env.git(&tree, "checkout --quiet -b topic");
    env.git(&tree, "commit --quiet --allow-empty --message=more");
    let session = || env.run("sessions live --json").json()["sessions"][0].clone();
    assert_eq!(
        (&session()["git_branch"], &session()["head"]),
        (&json!("topic"), &json!(env.git(&tree, "rev-parse HEAD")))
    );
    assert!(env.run("sessions live").success().contains("shop (topic)"));
    env.git(&tree, "bisect start HEAD main");
    env.git(&tree, "checkout --quiet --detach");
    let short = env.git(&tree, "rev-parse --short=7 HEAD");
    assert_eq!((&session()["git_branch"], &session()["git_operation"]), (&json!(null), &json!("bisect")));
    assert!(env.run("sessions live").success().contains(&format!("shop ({short}|bisect)")));
}

/// Claude Code's record of the client, in this folder and with these further fields.
fn write_record(env: &TestEnv, client: &Client, id: &str, folder: &Path, more: Value) {
    let pid = client.pid();
    let mut record = json!({
        "pid": pid, "sessionId": id, "cwd": folder, "procStart": process_start_time(pid).to_string(), "status": "idle",
    });
    record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    env.write_file(&format!(".claude/sessions/{pid}.json"), &record.to_string());
}

#[test]
fn live_follows_cd_and_rename_which_send_no_event() {
    let env = TestEnv::new();
    let client = Client::new();
    let (tree, other) = (env.repository("shop"), env.repository("other"));
    write_record(&env, &client, "one", &tree, json!({}));
    env.start_session(&client, "one", &tree).no_output();
    let fields = || {
        let session = env.run("sessions live --json").json()["sessions"][0].clone();
        ["path", "project", "task"].map(|field| session[field].clone())
    };
    assert_eq!(fields(), [json!(tree), json!("shop"), json!(null)]);
    write_record(&env, &client, "one", &other, json!({"name": "billing", "nameSource": "user"}));
    assert_eq!(fields(), [json!(other), json!("other"), json!("billing")]);
    let current = env.ait().current_dir(&other).run("sessions current --json").json();
    assert_eq!(current["session"]["session_id"], "one");
    // A task that the user set has priority over a title; a derived name is none.
    env.run("sessions task --session one mine").success();
    assert_eq!(fields()[2], "mine");
    env.ait().run_args(&["sessions", "task", "--session", "one", ""]).success();
    write_record(&env, &client, "one", &other, json!({"name": "other-3f", "nameSource": "derived"}));
    assert_eq!(fields()[2], json!(null));
    // Without `/cd`, events are more exact: they follow a `cd` in the Bash tool.
    write_record(&env, &client, "one", &tree, json!({}));
    env.send_event(&client, "Stop", "one", &other, json!({})).no_output();
    assert_eq!(fields()[0], json!(other));
}

#[test]
fn session_is_resumed_from_the_folder_that_its_conversation_moved_to() {
    let env = TestEnv::new();
    let client = Client::new();
    let (tree, other) = (env.repository("shop"), env.repository("other"));
    let event = |event: &str, folder: &Path, project: &str, more: Value| {
        let mut more = more;
        more["transcript_path"] = json!(format!("/home/dev/.claude/projects/{project}/one.jsonl"));
        env.send_event(&client, event, "one", folder, more).no_output();
    };
    event("SessionStart", &tree, "-shop", json!({"source": "startup"}));
    event("Stop", &other, "-shop", json!({}));
    assert_eq!(env.active_manifest("one")["started_in"], json!(tree), "after a cd in the Bash tool");
    event("Stop", &other, "-other", json!({}));
    assert_eq!(env.active_manifest("one")["started_in"], json!(other), "after /cd");
}

#[test]
fn users_own_checkout_with_a_bang_is_not_a_foreign_move() {
    let env = TestEnv::new();
    let (client, other) = (Client::new(), Client::new());
    let tree = env.repository("shop");
    env.start_session(&client, "one", &tree).no_output();
    env.start_session(&other, "two", &tree);
    env.git(&tree, "checkout --quiet -b topic");
    // `!git checkout -b topic` sends one Stop, and no prompt or tool before it.
    env.send_event(&client, "Stop", "one", &tree, json!({"stop_hook_active": false})).no_output();
    assert_eq!(env.active_manifest("one")["head_moved"], json!(null));
    let told = env.send_event(&client, "UserPromptSubmit", "one", &tree, json!({"prompt": "go"})).success();
    assert!(!told.contains("moved"), "{told}");
    // The other session hears who it was.
    let told = env.send_event(&other, "UserPromptSubmit", "two", &tree, json!({"prompt": "go"})).success();
    assert!(told.contains("by session one"), "{told}");
    // At the end of a real turn it was not the user's command.
    env.git(&tree, "checkout --quiet main");
    env.send_event(&client, "Stop", "one", &tree, json!({"stop_hook_active": false})).no_output();
    assert_eq!(env.active_manifest("one")["head_moved"]["to_branch"], "main");
}

#[test]
fn git_dirty_in_json_is_asked_now_or_null() {
    let env = TestEnv::new();
    let client = Client::new();
    let tree = env.repository("shop");
    env.start_session(&client, "one", &tree).no_output();
    let dirty = |ait: crate::common::AitCommand<'_>| {
        let live = ait.run("sessions live --json").json()["sessions"][0]["git_dirty"].clone();
        let current = ait.run("sessions current --session one --json").json()["session"]["git_dirty"].clone();
        (live, current)
    };
    assert_eq!(dirty(env.ait()), (json!(false), json!(false)));
    env.write_file("shop/new", "");
    assert_eq!(dirty(env.ait()), (json!(true), json!(true)));
    assert_eq!(dirty(env.ait().env("PATH", "/nowhere")), (json!(null), json!(null)));
    // Other commands do not ask, and do not repeat what was true at the start.
    let other = Client::new();
    env.start_session(&other, "two", &tree);
    let conflicts = env.run("sessions conflicts --json").json();
    assert_eq!(conflicts["conflicts"][0]["sessions"][0]["git_dirty"], json!(null));
}
