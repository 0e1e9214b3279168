//! Processes that meet at a bad moment: strace holds one of them before or after a lock while another one goes on.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use crate::common::tools::{self, needs};
use crate::common::{AIT, Client, TestEnv, file_names, payload, read_json};

/// Starts a hook of a client that is held for two seconds at a call of flock(2), and gives it the time to get there.
fn held_at(env: &TestEnv, client: &Client, id: &str, moment: &str, event: &Value) -> Child {
    let inject = format!("inject=flock:{moment}");
    let mut command = env.ait().child_of(client, id).command("strace");
    command.args(["-f", "-qq", "-o", "/dev/null", "-e", "trace=flock", "-e", &inject, AIT, "hook", "session-register"]);
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    child.stdin.take().unwrap().write_all(format!("{event}\n").as_bytes()).unwrap();
    std::thread::sleep(Duration::from_millis(700));
    child
}

fn wait(child: Child) {
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

/// The manifests of one session in history.
fn archived(env: &TestEnv, id: &str) -> Vec<Value> {
    let history = env.sessions_path("history");
    let days = file_names(&history).into_iter().map(|day| history.join(day).join(format!("{id}.json")));
    days.filter(|file| file.exists()).map(|file| read_json(&file).unwrap()).collect()
}

#[test]
fn a_hook_that_read_a_session_before_its_end_does_not_bring_it_back() {
    needs!("strace");
    let env = TestEnv::new();
    let client = Client::new();
    let folder = env.create_dir("p");
    env.start_session(&client, "s", &folder).no_output();
    env.run("sessions task precious --session s").success();
    let late = payload("Stop", "s", &folder, json!({}));
    let held = held_at(&env, &client, "s", "delay_enter=2000000:when=1", &late);
    env.send_event(&client, "SessionEnd", "s", &folder, json!({"reason": "logout"})).no_output();
    wait(held);
    assert_eq!(env.active_ids(), Vec::<String>::new());
    let ended = archived(&env, "s");
    assert_eq!(ended.len(), 1);
    assert_eq!((&ended[0]["status"], &ended[0]["task"]), (&json!("completed"), &json!("precious")));
}

#[test]
fn a_resume_that_is_slow_does_not_remove_the_next_end() {
    needs!("strace");
    let env = TestEnv::new();
    let client = Client::new();
    let folder = env.create_dir("p");
    let end = |reason: &str| {
        env.send_event(&client, "SessionEnd", "s", &folder, json!({"reason": reason})).no_output();
    };
    env.start_session(&client, "s", &folder).no_output();
    end("other");
    assert_eq!(archived(&env, "s").len(), 1);
    let resume = payload("SessionStart", "s", &folder, json!({"source": "resume"}));
    // The second call gives the lock back.
    let held = held_at(&env, &client, "s", "delay_exit=2000000:when=2", &resume);
    assert_eq!(env.active_ids(), ["s"]);
    env.run("sessions task second --session s").success();
    end("logout");
    wait(held);
    let ended = archived(&env, "s");
    assert_eq!(ended.len(), 1, "{:?}", env.history_entries());
    assert_eq!(ended[0]["task"], "second");
}

#[test]
fn a_resume_takes_what_history_contains_when_it_has_the_lock() {
    needs!("strace");
    let env = TestEnv::new();
    let client = Client::new();
    let folder = env.create_dir("p");
    let end = || env.send_event(&client, "SessionEnd", "s", &folder, json!({"reason": "other"})).no_output();
    let resume = payload("SessionStart", "s", &folder, json!({"source": "resume"}));
    env.start_session(&client, "s", &folder).no_output();
    end();
    let held = held_at(&env, &client, "s", "delay_enter=2000000:when=1", &resume);
    // Resumed in another terminal meanwhile, given a task, and ended.
    env.ait().child_of(&client, "s").hook(&resume).no_output();
    env.run("sessions task newer --session s").success();
    end();
    wait(held);
    assert_eq!(env.active_manifest("s")["task"], "newer");
    assert_eq!(archived(&env, "s").len(), 0);
}

#[test]
fn a_log_that_was_compacted_meanwhile_is_not_replaced_by_what_was_read_before() {
    needs!("strace");
    let env = TestEnv::new();
    let client = Client::new();
    let folder = env.create_dir("p");
    env.start_session(&client, "s", &folder).no_output();
    let log = env.sessions_path("active/s.touched");
    let line = |name: &str| format!("{}\n", json!([jiff::Timestamp::now().to_string(), "/tree", name]));
    let same = line("same");
    // One more line makes it longer than 64 KiB, and it is worth compacting.
    fs::write(&log, same.repeat((64 << 10) / same.len())).unwrap();
    let write = json!({"tool_name": "Write", "tool_input": {"file_path": folder.join("file")}});
    let write = payload("PostToolUse", "s", &folder, write);
    // The lock is taken and given back for the event, and taken again for the log.
    let held = held_at(&env, &client, "s", "delay_enter=2000000:when=3", &write);
    assert!(fs::metadata(&log).unwrap().len() > 64 << 10);
    let compacted = env.write_file("compacted", &[same, line("file"), line("appended")].concat());
    fs::rename(compacted, &log).unwrap();
    wait(held);
    let kept = fs::read_to_string(&log).unwrap();
    assert!(kept.contains("appended"), "{kept}");
}

/// A write log that cannot be read must not keep its session from history.
#[test]
fn a_session_with_a_broken_write_log_is_archived_when_it_ends() {
    let break_it = |log: &Path, what| match what {
        "a folder" => fs::create_dir(log).unwrap(),
        "a symlink" => symlink("/dev/null", log).unwrap(),
        "too long" => fs::File::create(log).unwrap().set_len(1 << 30).unwrap(),
        _ => assert!(Command::new("mkfifo").arg(log).status().unwrap().success()),
    };
    for what in ["a folder", "a symlink", "too long", "a pipe"] {
        let env = TestEnv::new();
        let client = Client::new();
        let folder = env.create_dir("p");
        env.start_session(&client, "s", &folder).no_output();
        break_it(&env.sessions_path("active/s.touched"), what);
        env.send_event(&client, "SessionEnd", "s", &folder, json!({"reason": "logout"})).no_output();
        assert_eq!(env.active_ids(), Vec::<String>::new(), "{what}");
        assert_eq!(archived(&env, "s").len(), 1, "{what}");
    }
}

#[test]
fn of_a_write_log_that_is_too_long_the_end_is_archived() {
    let env = TestEnv::new();
    let client = Client::new();
    let folder = env.create_dir("p");
    env.start_session(&client, "s", &folder).no_output();
    let log = env.sessions_path("active/s.touched");
    fs::File::create(&log).unwrap().set_len(64 << 20).unwrap();
    let line = json!([jiff::Timestamp::now().to_string(), "/tree", "last"]);
    fs::OpenOptions::new().append(true).open(&log).unwrap().write_all(format!("\n{line}\n").as_bytes()).unwrap();
    env.send_event(&client, "SessionEnd", "s", &folder, json!({"reason": "logout"})).no_output();
    let ended = archived(&env, "s");
    assert_eq!(ended[0]["touched"][0]["path"], "last", "{:?}", ended[0]["touched"]);
}

/// The system makes the runtime folder; after `su` the variable may name the folder of another user.
#[test]
fn a_runtime_folder_that_is_missing_or_of_another_user_is_left_alone() {
    let env = TestEnv::new();
    let client = Client::new();
    let runtime = env.path("run/user");
    let start = || {
        let event = payload("SessionStart", "s", &env.path(""), json!({"source": "startup"}));
        let ait = env.ait().env("XDG_RUNTIME_DIR", &runtime);
        ait.child_of(&client, "s").hook(&event).no_output();
        let ait = env.ait().env("XDG_RUNTIME_DIR", &runtime).env("AIT_PROMPT_REUSE", "1");
        ait.run("prompt").success()
    };
    let said = start();
    assert!(!runtime.exists());
    assert!(said.contains("/ait/revision\t") && !said.contains("run/user"), "{said}");
    env.create_dir("run/user");
    assert!(start().contains("run/user/ait/revision\t"));
    if tools::is_root() {
        fs::remove_dir_all(runtime.join("ait")).unwrap();
        std::os::unix::fs::chown(&runtime, Some(65534), Some(65534)).unwrap();
        assert!(!start().contains("run/user"));
        assert_eq!(file_names(&runtime), Vec::<String>::new());
    }
}
