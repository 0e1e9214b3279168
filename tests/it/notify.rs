//! Notifications on the terminal of a session that becomes blocked.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::Path;
use std::process::{Child, Stdio};

use serde_json::{Value, json};

use crate::common::tools::needs;
use crate::common::{TestEnv, payload, wait_until};

/// A process in a terminal that plays a client. Its pid, and what the terminal got, are in files.
struct InTerminal(Child);

impl InTerminal {
    fn new(env: &TestEnv) -> InTerminal {
        let out = env.path("screen");
        let mut command = env.ait().env("SHELL", "/bin/sh").command("script");
        command.args(["-qfc", "echo $$ > pid; exec sleep 1000", out.to_str().unwrap()]);
        command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let child = command.spawn().unwrap();
        wait_until("the terminal is open", || fs::read(env.path("pid")).is_ok_and(|pid| pid.ends_with(b"\n")));
        InTerminal(child)
    }
}

impl Drop for InTerminal {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn screen(env: &TestEnv) -> String {
    let text = String::from_utf8_lossy(&fs::read(env.path("screen")).unwrap()).into_owned();
    // The first line is that of `script`.
    text.split_once('\n').map(|(_, rest)| rest.to_owned()).unwrap_or_default()
}

fn send(env: &TestEnv, id: &str, folder: &Path, event: &str, more: Value) {
    let pid = fs::read_to_string(env.path("pid")).unwrap();
    let ait = env.ait().env("CLAUDE_PID", pid.trim()).env("TERM", "xterm-256color").env("TERM_PROGRAM", "WezTerm");
    ait.hook(&payload(event, id, folder, more)).success();
}

#[test]
fn blocked_session_notifies_once_and_at_most_once_a_minute() {
    needs!("script");
    let env = TestEnv::new();
    let folder = env.create_dir("shop");
    let _terminal = InTerminal::new(&env);
    let ask =
        |id: &str| send(&env, id, &folder, "PreToolUse", json!({"tool_name": "AskUserQuestion", "tool_input": {}}));
    send(&env, "one", &folder, "SessionStart", json!({"source": "startup"}));
    ask("one");
    assert!(!screen(&env).contains("\u{1b}]9;"), "off by default");
    send(&env, "one", &folder, "PostToolUse", json!({"tool_name": "AskUserQuestion", "tool_input": {}}));
    env.write_file(".config/ait/config.toml", "notify = true\n");
    ask("one");
    let wanted = "\u{1b}]9;shop waits for question\u{7}";
    wait_until("the notification", || screen(&env).contains(wanted));
    // The same block once more, and another one within the minute.
    ask("one");
    send(&env, "one", &folder, "PostToolUse", json!({"tool_name": "AskUserQuestion", "tool_input": {}}));
    ask("one");
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert_eq!(screen(&env).matches("\u{1b}]9;").count(), 1, "{:?}", screen(&env));
    // A minute later.
    let notified = env.path(&env.cache()).join("notify/notified");
    let file = fs::File::options().write(true).open(notified).unwrap();
    file.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(61)).unwrap();
    ask("one");
    std::thread::sleep(std::time::Duration::from_millis(100));
    assert_eq!(screen(&env).matches("\u{1b}]9;").count(), 1, "still the same block: {:?}", screen(&env));
    send(&env, "one", &folder, "PostToolUse", json!({"tool_name": "AskUserQuestion", "tool_input": {}}));
    ask("one");
    wait_until("the next notification", || screen(&env).matches(wanted).count() == 2);
    assert_eq!(env.log_lines(), Vec::<String>::new());
}

/// A client whose standard input is no terminal gets nothing, and nothing is written to its file.
#[test]
fn blocked_session_without_a_terminal_notifies_nobody() {
    let env = TestEnv::new();
    let folder = env.create_dir("shop");
    env.write_file(".config/ait/config.toml", "notify = true\n");
    let input = env.write_file("input", "precious");
    let mut command = env.ait().command("sleep");
    let mut client = command.arg("1000").stdin(fs::File::open(&input).unwrap()).stdout(Stdio::null()).spawn().unwrap();
    env.write_file("pid", &client.id().to_string());
    send(&env, "one", &folder, "PreToolUse", json!({"tool_name": "AskUserQuestion", "tool_input": {}}));
    let _ = client.kill();
    client.wait().unwrap();
    assert_eq!(env.active_manifest("one")["waiting_for"], "question");
    assert_eq!(fs::read_to_string(input).unwrap(), "precious");
}
