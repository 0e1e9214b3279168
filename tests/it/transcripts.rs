//! `ait sessions history --search TEXT --transcripts`: what it finds in conversations, and what cannot stop it.

use std::fs::{self, File};
use std::io::{Seek as _, SeekFrom, Write as _};
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::{Value, json};

use crate::common::tools::needs;
use crate::common::{Client, TestEnv, ago};

/// A line of a conversation.
fn line(kind: &str, time: &str, content: Value) -> String {
    let line = json!({"type": kind, "timestamp": time, "cwd": "/w", "message": {"role": kind, "content": content}});
    format!("{line}\n")
}

/// Adds a session that ended today, with its conversation.
fn ended(env: &TestEnv, id: &str, task: &str, transcript: &Path) {
    let now = ago(0);
    let fields = json!({"task": task, "transcript_path": transcript, "started": ago(60)});
    env.write_history_manifest(&now[..10], id, &now, fields);
}

fn search(env: &TestEnv, text: &str) -> String {
    env.ait().run_args(&["sessions", "history", "--search", text, "--transcripts"]).success()
}

#[test]
fn a_text_is_shown_with_its_session_its_time_and_the_command_that_resumes_it() {
    let env = TestEnv::new();
    let text = [
        line("user", "2026-11-22T10:00:00Z", json!("Please fix the login page, in Größe XL")),
        line("assistant", "2026-11-22T10:01:00Z", json!([{"type": "text", "text": "It was\nthe LOGIN cookie."}])),
        // The last line is still being written.
        "{\"type\":\"user\",\"message\":{\"content\":\"login".to_owned(),
    ];
    let file = env.write_file("one.jsonl", &text.concat());
    ended(&env, "first", "Cookies", &file);
    ended(&env, "second", "The login page", &env.path("never-written.jsonl"));
    ended(&env, "third", "Something else", &env.write_file("three.jsonl", &line("user", "x", json!("nothing"))));
    let shown = search(&env, "Login");
    for wanted in [
        "   Task: Cookies\n",
        "   2026-11-22 10:00 user: Please fix the login page, in Größe XL\n",
        "   2026-11-22 10:01 assistant: It was the LOGIN cookie.\n",
        "claude --resume first\n",
        "   Task: The login page\n",
        "claude --resume second\n",
    ] {
        assert!(shown.contains(wanted), "{wanted}: {shown}");
    }
    assert!(!shown.contains("third") && !shown.contains("There may be more"), "{shown}");
    assert_eq!(search(&env, "GRÖSSE"), "Not found in 3 sessions. Search more days with --days N.\n");
    assert!(search(&env, "GRÖß").contains("claude --resume first\n"));
}

#[test]
fn as_json_with_the_first_three_places() {
    let env = TestEnv::new();
    let lines = (0..5).map(|second| line("user", &format!("2026-11-22T10:00:0{second}Z"), json!("a needle here")));
    ended(&env, "one", "x", &env.write_file("one.jsonl", &lines.collect::<String>()));
    let client = Client::new();
    let transcript = env.write_file("two.jsonl", &line("user", "2026-11-22T11:00:00Z", json!("the Needle")));
    env.write_manifest("two", client.pid(), &env.path(""), json!({"transcript_path": transcript}));
    let found = env.run("sessions history --search needle --transcripts --json").json();
    assert_eq!(found["searched"], 2);
    let [running, ended] = found["sessions"].as_array().unwrap().as_slice() else { panic!("{found}") };
    assert_eq!((&running["session_id"], &running["running"]), (&json!("two"), &json!(true)));
    assert_eq!(running["matches"], json!([{"time": "2026-11-22T11:00:00Z", "kind": "user", "text": "the Needle"}]));
    assert_eq!((&running["more_matches"], running.get("command")), (&json!(false), None));
    assert_eq!((ended["matches"].as_array().unwrap().len(), &ended["more_matches"]), (3, &json!(true)));
    assert!(ended["command"].as_str().unwrap().ends_with("claude --resume one"), "{ended}");
    let limited = env.run("sessions history --search needle --transcripts --json --limit 1").json();
    assert_eq!(limited["sessions"].as_array().unwrap().len(), 1);
}

#[test]
fn a_month_is_searched_unless_days_are_given() {
    let env = TestEnv::new();
    let file = env.write_file("old.jsonl", &line("user", "2026-11-22T10:00:00Z", json!("the needle")));
    let then = ago(20 * 86_400);
    env.write_history_manifest(&then[..10], "old", &then, json!({"transcript_path": file, "started": then}));
    assert!(search(&env, "needle").contains("claude --resume old"));
    let one_day = env.run("sessions history --search needle --transcripts --days 1").success();
    assert_eq!(one_day, "No conversations on these days. Search more days with --days N.\n");
}

#[test]
fn without_a_text_it_is_a_usage_error() {
    let env = TestEnv::new();
    for words in ["sessions history --transcripts", "sessions history --transcripts --json"] {
        env.run(words).failure(2, "reading the command line: --transcripts: needs --search TEXT");
    }
    env.run("sessions history --transcripts --search x --date never")
        .failure(2, "reading the date: never: not a day; write it as 2025-12-25, today or yesterday");
}

#[test]
fn hostile_conversations_are_passed_over() {
    needs!("mkfifo");
    let env = TestEnv::new();
    let needle = line("user", "2026-11-22T10:00:00Z", json!("the needle"));
    // Zeros and one line that is longer than any that is read, and after it one that is not.
    let long = env.write_file("long.jsonl", "\0needle\0\n{\"message\":{\"content\":\"needle");
    let mut file = File::options().write(true).open(&long).unwrap();
    file.seek(SeekFrom::Start(40 << 20)).unwrap();
    file.write_all(format!("\n{needle}").as_bytes()).unwrap();
    ended(&env, "long", "x", &long);
    let fifo = env.path("fifo");
    assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
    symlink(&long, env.path("link")).unwrap();
    symlink(env.path("circle"), env.path("circle")).unwrap();
    env.write_file("broken.jsonl", &format!("{{]\n\u{1b}[2J needle\n{}{needle}", "[".repeat(100_000) + "\n"));
    fs::write(env.path("bytes.jsonl"), [b"\xff\xfe needle\n".as_slice(), needle.as_bytes()].concat()).unwrap();
    for name in ["fifo", "link", "circle", "broken.jsonl", "bytes.jsonl", ""] {
        ended(&env, &format!("s{name}"), "x", &env.path(name));
    }
    ended(&env, "zero", "x", Path::new("/dev/zero"));
    ended(&env, "relative", "x", Path::new("one.jsonl"));
    let output = env.run("sessions history --search needle --transcripts");
    let found: Vec<&str> =
        output.stdout.lines().filter_map(|line| line.split_once("--resume ")).map(|(_, id)| id).collect();
    assert_eq!(found.len(), 4, "{output:?}");
    for id in ["long", "slink", "sbroken.jsonl", "sbytes.jsonl"] {
        assert!(found.contains(&id), "{id}: {output:?}");
    }
    assert!(!output.stdout.contains('\u{1b}'), "{output:?}");
    let unread: Vec<&str> = output.stderr.lines().collect();
    assert_eq!(unread.len(), 4, "{output:?}");
    for path in [env.path("fifo"), env.path("circle"), env.path(""), "/dev/zero".into()] {
        let start = format!("ait: reading a conversation: {}: ", path.display());
        assert!(unread.iter().any(|line| line.starts_with(&start)), "{start}: {output:?}");
    }
}

/// A snippet is text from outside.
#[test]
fn what_is_shown_moves_no_cursor() {
    let env = TestEnv::new();
    let text = line("us\u{1b}[2Jer", "2026-11-22T10:00:00Z", json!("\u{1b}]0;x\u{7} \u{202e}needle\r\u{9b}2J"));
    ended(&env, "one", "x", &env.write_file("one.jsonl", &text));
    let shown = search(&env, "needle");
    assert!(shown.contains("needle"), "{shown}");
    let moves = |letter: char| (letter.is_control() && letter != '\n') || letter == '\u{202e}';
    assert!(!shown.contains(moves), "{shown:?}");
}
