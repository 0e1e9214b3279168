//! Running sessions that no hook has reported: they are listed from Claude Code's registry, marked with the reason, and count
//! for conflicts.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::common::{Client, TestEnv, process_start_time};

/// Claude Code's record of a process, in a folder below the home. The session has been idle for a minute.
fn record(env: &TestEnv, below: &str, pid: u32, id: &str, folder: &Path, fields: Value) {
    let ago = jiff::Timestamp::now().as_millisecond() - 60_000;
    let mut record = json!({
        "pid": pid, "sessionId": id, "cwd": folder, "startedAt": ago, "procStart": process_start_time(pid).to_string(),
        "version": "2.1.332", "kind": "interactive", "entrypoint": "cli", "status": "idle", "statusUpdatedAt": ago,
    });
    record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    env.write_file(&format!("{below}/{pid}.json"), &record.to_string());
}

fn usual(env: &TestEnv, client: &Client, id: &str, folder: &Path, fields: Value) {
    record(env, ".claude/sessions", client.pid(), id, folder, fields);
}

/// Installs the hooks; a warning says that they call a program of this build.
fn install(env: &TestEnv) {
    assert_eq!(env.run("hooks install").exit_code, Some(0));
}

fn sessions(env: &TestEnv) -> Vec<Value> {
    env.run("sessions live --json").json()["sessions"].as_array().unwrap().clone()
}

/// The only session that `live --json` lists.
#[track_caller]
fn only(env: &TestEnv) -> Value {
    let sessions = sessions(env);
    assert_eq!(sessions.len(), 1, "{sessions:?}");
    sessions[0].clone()
}

#[test]
fn a_session_without_hooks_is_listed_with_place_state_and_reason() {
    let env = TestEnv::new();
    let client = Client::new();
    let tree = env.repository("shop");
    usual(&env, &client, "one", &tree, json!({"status": "waiting", "waitingFor": "permission prompt"}));
    let one = only(&env);
    let wanted = json!({
        "session_id": "one", "project": "shop", "path": tree, "git_branch": "main", "git_dirty": false,
        "pid": client.pid(), "state": "waiting", "waiting_for": "permission", "state_source": "registry", "live": true,
        "headless": false, "hookless": true, "hookless_reason": "not_installed",
        "hookless_hint": "type: ait hooks install",
    });
    for (field, value) in wanted.as_object().unwrap() {
        assert_eq!(&one[field], value, "{field}: {one}");
    }
    let text = env.run("sessions live").success();
    for wanted in ["1. shop (main) - 1m", "No hooks: they are not installed", "To track it, type: ait hooks install"] {
        assert!(text.contains(wanted), "{wanted}: {text}");
    }
    assert_eq!(env.ait().current_dir(&tree).run("sessions current --json").json()["session"]["hookless"], true);
    assert_eq!(env.run("sessions next --json").json()["session"]["session_id"], "one");
    assert_eq!(env.run("prompt --fleet --format {count}").success(), "1");
}

#[test]
fn right_after_the_install_a_running_session_is_listed_until_an_event_reports_it() {
    let env = TestEnv::new();
    let client = Client::new();
    usual(&env, &client, "one", &env.path(""), json!({}));
    install(&env);
    let one = only(&env);
    assert_eq!(one["hookless_reason"], "idle_since_install", "{one}");
    env.send_event(&client, "UserPromptSubmit", "one", &env.path(""), json!({"prompt": "go"})).no_output();
    let one = only(&env);
    assert_eq!((&one["hookless"], &one["hookless_reason"], &one["task"]), (&json!(false), &Value::Null, &json!("go")));
}

#[test]
fn a_session_that_goes_on_without_hooks_after_the_install_does_not_run_them() {
    let env = TestEnv::new();
    let client = Client::new();
    install(&env);
    let later = jiff::Timestamp::now().as_millisecond() + 5_000;
    usual(&env, &client, "one", &env.path(""), json!({"statusUpdatedAt": later}));
    let one = only(&env);
    assert_eq!(one["hookless_reason"], "unknown", "{one}");
    assert!(one["hookless_hint"].as_str().unwrap().contains("/hooks"), "{one}");
}

#[test]
fn disabled_hooks_are_the_reason_and_their_file_is_named() {
    let env = TestEnv::new();
    let client = Client::new();
    let shop = env.create_dir("shop");
    usual(&env, &client, "one", &shop, json!({}));
    install(&env);
    let disabled = |file: &str| {
        let one = only(&env);
        assert_eq!(one["hookless_reason"], "disabled", "{one}");
        assert!(one["hookless_hint"].as_str().unwrap().contains(file), "{file}: {one}");
    };
    env.write_file("shop/.claude/settings.local.json", r#"{"disableAllHooks": true}"#);
    disabled("remove \"disableAllHooks\" from ~/shop/.claude/settings.local.json");
    fs::remove_dir_all(shop.join(".claude")).unwrap();
    env.write_file(".claude/settings.json", r#"{"disableAllHooks": true}"#);
    disabled("remove \"disableAllHooks\" from ~/.claude/settings.json");
    env.write_file(".claude/settings.json", "{} // a comment\n");
    disabled("correct line 1 of ~/.claude/settings.json");
    env.write_file(".claude/settings.json", "{");
    disabled("correct ~/.claude/settings.json");
}

#[test]
#[cfg(target_os = "linux")]
fn a_session_that_was_started_with_bare_says_so() {
    let env = TestEnv::new();
    install(&env);
    // Waits for its standard input before it looks for a file of that name.
    let mut command = Command::new("cat");
    let mut client = command.args(["--", "-", "--bare"]).stdin(Stdio::piped()).spawn().unwrap();
    record(&env, ".claude/sessions", client.id(), "one", &env.path(""), json!({}));
    let one = only(&env);
    client.kill().unwrap();
    client.wait().unwrap();
    assert_eq!(one["hookless_reason"], "bare", "{one}");
}

#[test]
fn a_headless_run_is_marked_with_and_without_hooks() {
    let env = TestEnv::new();
    let (one, two) = (Client::new(), Client::new());
    usual(&env, &one, "one", &env.path(""), json!({"entrypoint": "sdk-cli"}));
    usual(&env, &two, "two", &env.path(""), json!({"entrypoint": "sdk-cli"}));
    env.start_session(&two, "two", &env.path(""));
    for session in sessions(&env) {
        assert_eq!(session["headless"], true, "{session}");
    }
    let text = env.run("sessions live").success();
    assert_eq!(text.matches("\n   Headless\n").count(), 2, "{text}");
}

#[test]
fn two_sessions_in_one_tree_are_a_conflict_also_if_one_has_no_hooks() {
    let env = TestEnv::new();
    let (one, two) = (Client::new(), Client::new());
    let tree = env.repository("shop");
    env.start_session(&one, "one", &tree).no_output();
    usual(&env, &two, "two", &tree, json!({}));
    let conflicts = env.run("sessions conflicts --json").json();
    assert_eq!(conflicts["conflicts"][0]["grade"], "shared-tree", "{conflicts}");
    assert_eq!(conflicts["conflicts"][0]["sessions"].as_array().unwrap().len(), 2);
    assert_eq!(env.run("prompt --fleet --format {count}{conflict}").success(), "2⚠2");
}

#[test]
fn sessions_of_other_profiles_without_hooks_are_listed_with_what_to_type_there() {
    let env = TestEnv::new();
    let (one, two) = (Client::new(), Client::new());
    env.ait()
        .env("CLAUDE_CONFIG_DIR", env.path("my work"))
        .child_of(&one, "one")
        .hook(&crate::common::payload("SessionStart", "one", &env.path(""), json!({"source": "startup"})))
        .no_output();
    record(&env, "my work/sessions", two.pid(), "two", &env.path("shop"), json!({}));
    let two = sessions(&env).into_iter().find(|session| session["session_id"] == "two").unwrap();
    let hint = format!("type: env CLAUDE_CONFIG_DIR='{}' ait hooks install", env.path("my work").display());
    assert_eq!(two["hookless_hint"], json!(hint));
    let ait = env.ait().env("CLAUDE_CONFIG_DIR", env.path("my work"));
    let live = ait.run("sessions live --json").json();
    assert_eq!(live["sessions"][0]["hookless_hint"], "type: ait hooks install", "{live}");
}

#[test]
fn records_that_are_no_session_are_not_listed() {
    let env = TestEnv::new();
    let clients: Vec<Client> = (0..6).map(|_| Client::new()).collect();
    let home = env.path("");
    usual(&env, &clients[0], "picker", &home, json!({"status": Value::Null}));
    usual(&env, &clients[1], "../../etc/passwd", &home, json!({}));
    usual(&env, &clients[2], "reused", &home, json!({"procStart": "1"}));
    usual(&env, &clients[3], "relative", Path::new("work"), json!({}));
    // Without a start time any process may have got the number; this one is not called claude.
    usual(&env, &clients[4], "old", &home, json!({"procStart": Value::Null, "version": "2.1.114"}));
    env.write_file(&format!(".claude/sessions/{}.json", clients[5].pid()), "{\"pid\": 1, ");
    let dead = Client::new();
    usual(&env, &dead, "dead", &home, json!({}));
    dead.kill();
    env.run("sessions live").stdout_is("No live sessions.\n");
}

#[test]
fn a_process_whose_session_is_known_is_not_listed_twice() {
    let env = TestEnv::new();
    let (one, two) = (Client::new(), Client::new());
    env.start_session(&one, "one", &env.path("")).no_output();
    // Clients of 2.1.114 keep the id before `/clear`.
    usual(&env, &one, "before-clear", &env.path(""), json!({}));
    // The same conversation in a second terminal.
    usual(&env, &two, "one", &env.path(""), json!({}));
    assert_eq!(only(&env)["session_id"], "one");
}

#[test]
fn in_a_folder_of_its_own_sessions_with_hooks_of_other_folders_are_not_listed() {
    let env = TestEnv::new();
    let (one, two) = (Client::new(), Client::new());
    env.start_session(&one, "one", &env.path("")).no_output();
    usual(&env, &one, "one", &env.path(""), json!({}));
    usual(&env, &two, "two", &env.path(""), json!({}));
    let live = env.ait().env("AIT_SESSIONS_DIR", env.path("own")).run("sessions live --json").json();
    let ids: Vec<&Value> = live["sessions"].as_array().unwrap().iter().map(|session| &session["session_id"]).collect();
    assert_eq!(ids, ["two"]);
}

#[test]
fn the_task_of_a_session_without_hooks_cannot_be_set() {
    let env = TestEnv::new();
    let client = Client::new();
    usual(&env, &client, "one", &env.path(""), json!({}));
    env.run("sessions task --session one go").failure(
        1,
        "setting the task: one: no hook has reported this session, so it has no manifest; type: ait sessions live",
    );
    assert_eq!(env.active_ids(), [""; 0]);
}

#[test]
fn a_session_that_starts_is_told_of_one_without_hooks_in_its_tree() {
    let env = TestEnv::new();
    let (one, two, three) = (Client::new(), Client::new(), Client::new());
    let (tree, other) = (env.repository("shop"), env.repository("blog"));
    usual(&env, &one, "one", &tree, json!({}));
    usual(&env, &two, "two", &other, json!({}));
    // The client writes its own record at the same time.
    usual(&env, &three, "three", &tree, json!({}));
    let told = env.start_session(&three, "three", &tree).success();
    assert!(told.contains("1 other live session in this working tree") && told.contains("- one on main"), "{told}");
    assert!(!told.contains("two"), "{told}");
}
