//! Writers that meet another process which holds the lock of the live sessions.

use std::time::{Duration, Instant};

use ait::sys::files::{Folder, Locking};
use serde_json::json;

use crate::common::{Client, TestEnv, file_names, payload, wait_until};

fn late_events(env: &TestEnv) -> Vec<String> {
    file_names(&env.path(&env.cache()).join("late-events"))
}

#[test]
fn hook_that_does_not_get_the_lock_returns_and_its_event_is_recorded_later() {
    let env = TestEnv::new();
    let (client, folder) = (Client::new(), env.create_dir("p"));
    env.start_session(&client, "one", &folder).no_output();
    let active = Folder::open(env.sessions_path("active")).unwrap();
    let lock = active.lock(Duration::from_secs(1));
    assert!(matches!(lock, Locking::Held(_)));
    env.send_event(&client, "UserPromptSubmit", "one", &folder, json!({"prompt": "precious"})).no_output();
    let write = json!({"tool_name": "Write", "tool_input": {"file_path": folder.join("file")}});
    env.send_event(&client, "PostToolUse", "one", &folder, write).no_output();
    assert_eq!(env.active_manifest("one")["task"], json!(null));
    let path = env.sessions_path("active/one.json").display().to_string();
    env.run("sessions task other --session one")
        .failure(1, &format!("changing a session: {path}: another process holds the lock; try again"));
    drop(lock);
    wait_until("the prompt is recorded", || env.active_manifest("one")["task"] == "precious");
    wait_until("the write is recorded", || env.sessions_path("active/one.touched").exists());
    wait_until("no payload is left", || late_events(&env).is_empty());
    assert_eq!(env.log_lines(), Vec::<String>::new());
}

#[test]
fn session_that_ends_while_another_process_holds_the_lock_is_archived_later() {
    let env = TestEnv::new();
    let (client, folder) = (Client::new(), env.create_dir("p"));
    env.start_session(&client, "one", &folder).no_output();
    let active = Folder::open(env.sessions_path("active")).unwrap();
    let lock = active.lock(Duration::from_secs(1));
    env.end_session(&client, "one", &folder, "logout");
    client.kill();
    assert_eq!(env.active_ids(), ["one"]);
    drop(lock);
    wait_until("it is archived", || env.active_ids().is_empty());
    assert_eq!(env.history_manifest("one")["end_reason"], "logout");
}

/// Its holder was stopped: the change is worth more than a lock that protects nothing any more.
#[test]
fn event_is_recorded_without_the_lock_after_ten_seconds() {
    let env = TestEnv::new();
    let (client, folder) = (Client::new(), env.create_dir("p"));
    env.start_session(&client, "one", &folder).no_output();
    let active = Folder::open(env.sessions_path("active")).unwrap();
    let _lock = active.lock(Duration::from_secs(1));
    let start = Instant::now();
    env.send_event(&client, "UserPromptSubmit", "one", &folder, json!({"prompt": "precious"})).no_output();
    wait_until("the prompt is recorded", || env.active_manifest("one")["task"] == "precious");
    assert!(start.elapsed() > Duration::from_secs(9));
}

#[test]
fn two_hundred_hooks_of_ten_sessions_at_once_lose_no_task() {
    let env = TestEnv::new();
    let folder = env.create_dir("p");
    let clients: Vec<Client> = (0..10).map(|_| Client::new()).collect();
    let ids: Vec<String> = (0..10).map(|number| format!("s{number}")).collect();
    for (client, id) in clients.iter().zip(&ids) {
        env.start_session(client, id, &folder);
    }
    let mut hooks = Vec::new();
    for round in 0..20 {
        for (client, id) in clients.iter().zip(&ids) {
            let event = match round {
                5 => payload("UserPromptSubmit", id, &folder, json!({"prompt": format!("task of {id}")})),
                _ => payload("PreToolUse", id, &folder, json!({"tool_name": "Bash", "tool_input": {}})),
            };
            let mut command = env.ait().child_of(client, id).command(crate::common::AIT);
            command.args(["hook", "session-register"]).stdin(std::process::Stdio::piped());
            let mut hook = command.stdout(std::process::Stdio::null()).spawn().unwrap();
            std::io::Write::write_all(&mut hook.stdin.take().unwrap(), event.to_string().as_bytes()).unwrap();
            hooks.push(hook);
        }
    }
    for hook in &mut hooks {
        assert!(hook.wait().unwrap().success());
    }
    wait_until("all late events are recorded", || late_events(&env).is_empty());
    for id in &ids {
        assert_eq!(env.active_manifest(id)["task"], format!("task of {id}"));
    }
    assert_eq!(env.log_lines(), Vec::<String>::new());
}
