//! Tools for which no hook runs (Read, WebFetch, ...): the state of their sessions is right all the same.
use std::process::Command;

use serde_json::{Value, json};

use crate::common::{Client, TestEnv, ago};

/// The state of the only session, and what it waits for.
fn state(env: &TestEnv) -> (String, Value) {
    let live = env.run("sessions live --json").json();
    let session = &live["sessions"][0];
    (session["state"].as_str().unwrap().to_owned(), session["waiting_for"].clone())
}

/// A session in the middle of a turn, whose last tool with an event was a command that failed: no event says so.
fn working(env: &TestEnv, client: &Client) {
    let folder = env.create_dir("p");
    env.send_event(client, "SessionStart", "abc", &folder, json!({"source": "startup"})).success();
    event(env, client, "UserPromptSubmit", json!({"prompt": "look it up"}));
    event(env, client, "PreToolUse", json!({"tool_name": "Bash", "tool_input": {"command": "false"}}));
    assert_eq!(state(env), ("working".to_owned(), Value::Null));
}

fn event(env: &TestEnv, client: &Client, name: &str, mut more: Value) {
    more["transcript_path"] = json!(env.path("t.jsonl"));
    env.send_event(client, name, "abc", &env.path("p"), more).success();
}

/// The status that Claude Code records, since so many seconds from now.
fn record(env: &TestEnv, client: &Client, status: &str, seconds: i64) {
    let since: jiff::Timestamp = ago(-seconds).parse().unwrap();
    let record = json!({
        "pid": client.pid(), "sessionId": "abc", "procStart": client.start_time().to_string(), "version": "2.1.332",
        "status": status, "waitingFor": "permission prompt", "statusUpdatedAt": since.as_millisecond(),
    });
    env.write_file(&format!(".claude/sessions/{}.json", client.pid()), &record.to_string());
}

#[test]
fn a_dialog_of_a_tool_without_events_is_known_from_the_registry_and_so_is_its_end() {
    let env = TestEnv::new();
    let client = Client::new();
    working(&env, &client);
    record(&env, &client, "waiting", 5);
    assert_eq!(state(&env), ("waiting".to_owned(), json!("permission")), "not of the command that ran before it");
    record(&env, &client, "busy", 9);
    assert_eq!(state(&env), ("working".to_owned(), Value::Null));
}

#[test]
fn without_a_registry_the_notification_tells_of_it_and_the_next_event_of_its_end() {
    let env = TestEnv::new();
    let client = Client::new();
    working(&env, &client);
    age(&env, 30);
    event(&env, &client, "Notification", json!({"notification_type": "permission_prompt"}));
    assert_eq!(state(&env), ("waiting".to_owned(), json!("permission")), "not of the command that ran before it");
    event(&env, &client, "Stop", json!({}));
    assert_eq!(state(&env), ("idle".to_owned(), Value::Null));
}

/// The answer was given, and no event says with which result.
#[test]
fn without_a_registry_a_conversation_that_went_on_after_a_dialog_is_in_an_unknown_state() {
    let env = TestEnv::new();
    let client = Client::new();
    working(&env, &client);
    let transcript = env.write_file("t.jsonl", "{}\n");
    event(&env, &client, "Notification", json!({"notification_type": "permission_prompt"}));
    assert_eq!(state(&env).0, "waiting");
    let touch =
        |time: &str| assert!(Command::new("touch").args(["-d", time]).arg(&transcript).status().unwrap().success());
    touch("1 second ago");
    assert_eq!(state(&env).0, "waiting");
    touch("10 seconds");
    assert_eq!(state(&env), ("unknown".to_owned(), Value::Null));
    event(&env, &client, "PreToolUse", json!({"tool_name": "Edit", "tool_input": {"file_path": "x"}}));
    assert_eq!(state(&env).0, "working");
}

/// Makes the last event of the session older.
fn age(env: &TestEnv, seconds: i64) {
    let file = env.sessions_path("active/abc.json");
    let mut manifest: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    manifest["updated"] = json!(ago(seconds));
    std::fs::write(file, manifest.to_string()).unwrap();
}
