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

#[test]
fn notify_changes_only_its_line_of_the_file_and_says_where_it_is() {
    let env = TestEnv::new();
    let file = ".config/ait/config.toml";
    let notify = |word: &str| env.ait().env("TERM", "xterm-kitty").run_args(&["notify", word]).success();
    assert_eq!(notify("status"), "off (the default). This terminal: OSC 99.\n");
    assert_eq!(notify("on"), "on (line 1 of ~/.config/ait/config.toml). This terminal: OSC 99.\n");
    assert_eq!(fs::read_to_string(env.path(file)).unwrap(), "notify = true\n");
    env.write_file(file, "# mine\r\nicons = = 1\r\nnotify  = true # yes\r\n[prompt]\r\n");
    assert_eq!(notify("off"), "off (line 3 of ~/.config/ait/config.toml). This terminal: OSC 99.\n");
    assert_eq!(
        fs::read_to_string(env.path(file)).unwrap(),
        "# mine\r\nicons = = 1\r\nnotify  = false # yes\r\n[prompt]\r\n"
    );
    // A symlink stays one, and other files of this name are not made.
    let real = env.write_file("dotfiles/config.toml", "# theirs\n");
    fs::remove_file(env.path(file)).unwrap();
    std::os::unix::fs::symlink(&real, env.path(file)).unwrap();
    notify("on");
    assert!(fs::symlink_metadata(env.path(file)).unwrap().is_symlink());
    assert_eq!(fs::read_to_string(&real).unwrap(), "# theirs\nnotify = true\n");
    let names =
        fs::read_dir(env.path(".config/ait")).unwrap().count() + fs::read_dir(env.path("dotfiles")).unwrap().count();
    assert_eq!(names, 2, "no copies");
    // AIT_CONFIG names another one, which is made.
    let other = env.path("new/other.toml");
    env.ait().env("AIT_CONFIG", other.to_str().unwrap()).run("notify on").success();
    assert_eq!(fs::read_to_string(other).unwrap(), "notify = true\n");
}

#[test]
fn notify_that_cannot_change_the_file_says_why_and_leaves_it() {
    let env = TestEnv::new();
    let file = ".config/ait/config.toml";
    for (text, why) in [
        (&b"\nnotify = 'yes'\n"[..], "line 2, column 10: notify: expected true or false; type: ait config edit"),
        (b"a = \xff\n", "not UTF-8; type: ait config edit"),
    ] {
        fs::create_dir_all(env.path(".config/ait")).unwrap();
        fs::write(env.path(file), text).unwrap();
        let why = format!("changing the configuration file: {}: {why}", env.path(file).display());
        env.ait().run("notify on").failure(1, &why);
        assert_eq!(fs::read(env.path(file)).unwrap(), text);
    }
    let said = env.ait().env("AIT_CONFIG", "/dev/null").run("notify on");
    said.failure(1, "changing the configuration file: /dev/null: not a regular file");
    env.ait().run("notify test").failure(1, "testing notifications: standard output: not a terminal");
    env.ait().run("notify loud").failure(
        2,
        "reading the command line: ait notify: `loud`: expected on, off, status or test; type: ait notify --help",
    );
}

#[test]
fn notify_test_notifies_the_terminal_that_it_is_typed_in() {
    needs!("script");
    let env = TestEnv::new();
    let mut command = env.ait().env("TERM", "foot").env("SHELL", "/bin/sh").command("script");
    command.args(["-qec", &format!("{} notify test", env!("CARGO_BIN_EXE_ait")), "/dev/null"]);
    let output = command.stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.starts_with("\u{1b}]777;notify;Claude Code;ait notifies you so\u{7}Sent: OSC 777.\r\n"), "{text:?}");
}
