//! When sessions worked and were blocked: recording, archiving, coming back, and kills in between.

use std::fs;
use std::path::Path;
use std::process::Stdio;
use std::time::Duration;

use ait::store::root::fnv1a;
use ait::sys::files::{Folder, PRIVATE};
use serde_json::{Value, json};

use crate::common::{Client, TestEnv, file_names, payload, read_json, wait_until};

/// The lines of the log beside a manifest.
fn log(env: &TestEnv, id: &str) -> Vec<Value> {
    let log = fs::read_to_string(env.sessions_path(&format!("active/{id}.activity"))).unwrap_or_default();
    // A kill can cut off a line; the next one then stands right behind it.
    let whole = |line: &str| serde_json::from_str(&line[line.rfind("[\"")?..]).ok();
    log.lines().filter_map(whole).collect()
}

/// Puts all that was recorded of a session back by this many seconds, as if these had passed since.
fn put_back(env: &TestEnv, id: &str, seconds: i64) {
    let earlier = |time: &Value| {
        let time: jiff::Timestamp = time.as_str().unwrap().parse().unwrap();
        json!(time - jiff::SignedDuration::from_secs(seconds))
    };
    let active = Folder::open(env.sessions_path("active")).unwrap();
    let _lock = active.lock(Duration::from_secs(30));
    let replace = |name: &str, text: String| active.replace(name, text.as_bytes(), PRIVATE).unwrap();
    // A hook that comes late may have archived it meanwhile.
    let manifest = read_json(&env.sessions_path(&format!("active/{id}.json")));
    let Some(mut manifest) = manifest.filter(|manifest| manifest["ended"].is_null()) else { return };
    for name in ["state_since", "updated", "started"] {
        manifest[name] = earlier(&manifest[name]);
    }
    replace(&format!("{id}.json"), manifest.to_string());
    let mut entries = log(env, id);
    for entry in &mut entries {
        entry[1] = earlier(&entry[1]);
        if entry[3].is_number() {
            entry[2] = earlier(&entry[2]);
        }
    }
    let lines: String = entries.iter().map(|entry| format!("{entry}\n")).collect();
    replace(&format!("{id}.activity"), lines);
}

/// The seconds of the entries of a kind.
fn seconds(entries: &[Value], kind: &str) -> u64 {
    entries.iter().filter(|entry| entry[0] == kind).map(|entry| entry[3].as_u64().unwrap()).sum()
}

fn entries_of(manifest: &Value) -> Vec<Value> {
    manifest["activity"].as_array().cloned().unwrap_or_default()
}

#[test]
fn a_turn_with_a_dialog_is_recorded_beside_the_manifest_and_archived_with_it() {
    let env = TestEnv::new();
    let (client, folder) = (Client::new(), env.create_dir("p"));
    env.start_session(&client, "one", &folder).no_output();
    let send = |event: &str, more: Value| env.send_event(&client, event, "one", &folder, more).success();
    send("UserPromptSubmit", json!({"prompt": "Fix the login"}));
    put_back(&env, "one", 100);
    send("PreToolUse", json!({"tool_name": "AskUserQuestion", "tool_use_id": "t", "tool_input": {}}));
    put_back(&env, "one", 50);
    send("PostToolUse", json!({"tool_name": "AskUserQuestion", "tool_use_id": "t", "tool_input": {}}));
    put_back(&env, "one", 10);
    let before = log(&env, "one");
    send("PostToolUse", json!({"tool_name": "Bash", "tool_use_id": "t", "tool_input": {}}));
    assert_eq!(log(&env, "one"), before, "an event that ends no span writes no line");
    send("Stop", json!({}));

    let entries = log(&env, "one");
    let kinds: Vec<&str> = entries.iter().map(|entry| entry[0].as_str().unwrap()).collect();
    assert_eq!(kinds, ["task", "working", "blocked", "working"]);
    assert_eq!(entries[0].as_array().unwrap()[2..], [json!(null), json!("Fix the login")]);
    let manifest = env.active_manifest("one");
    assert_eq!(seconds(&entries, "working"), manifest["worked_seconds"].as_u64().unwrap());
    assert_eq!(seconds(&entries, "blocked"), manifest["waited_seconds"].as_u64().unwrap());
    assert!(manifest.get("activity").is_none(), "the manifest is read in every prompt and stays small");

    env.end_session(&client, "one", &folder, "prompt_input_exit");
    let manifest = env.history_manifest("one");
    let entries = entries_of(&manifest);
    assert_eq!(seconds(&entries, "working"), manifest["worked_seconds"].as_u64().unwrap());
    assert_eq!(seconds(&entries, "blocked"), manifest["waited_seconds"].as_u64().unwrap());
    assert!(!env.sessions_path("active/one.activity").exists());
}

#[test]
fn a_resumed_session_keeps_its_activity_and_a_log_left_by_a_kill_is_not_counted_twice() {
    let env = TestEnv::new();
    let (client, folder) = (Client::new(), env.create_dir("p"));
    let turn = |env: &TestEnv| {
        env.send_event(&client, "UserPromptSubmit", "one", &folder, json!({"prompt": "Fix it"})).success();
        put_back(env, "one", 100);
        env.send_event(&client, "Stop", "one", &folder, json!({})).success();
        put_back(env, "one", 100);
    };
    env.start_session(&client, "one", &folder).no_output();
    turn(&env);
    let left = fs::read(env.sessions_path("active/one.activity")).unwrap();
    env.end_session(&client, "one", &folder, "other");
    // As after a kill between the move to history and the removal of the log.
    fs::write(env.sessions_path("active/one.activity"), left).unwrap();
    env.send_event(&client, "SessionStart", "one", &folder, json!({"source": "resume"})).success();
    turn(&env);
    env.end_session(&client, "one", &folder, "other");
    let manifest = env.history_manifest("one");
    let worked = manifest["worked_seconds"].as_u64().unwrap();
    assert!(worked >= 200, "{manifest}");
    assert_eq!(seconds(&entries_of(&manifest), "working"), worked);
}

#[test]
fn a_prompt_after_esc_counts_no_time_since_the_last_event() {
    let env = TestEnv::new();
    let (client, folder) = (Client::new(), env.create_dir("p"));
    env.start_session(&client, "one", &folder).no_output();
    let prompt = || env.send_event(&client, "UserPromptSubmit", "one", &folder, json!({"prompt": "Fix it"})).success();
    prompt();
    put_back(&env, "one", 7_200);
    prompt();
    assert!(env.active_manifest("one")["worked_seconds"].as_u64().unwrap() < 60);
}

#[test]
fn changes_of_task_and_branch_are_recorded_and_a_title_for_the_same_task_is_not() {
    let env = TestEnv::new();
    let (client, folder) = (Client::new(), env.repository("p"));
    env.start_session(&client, "one", &folder).no_output();
    env.send_event(&client, "UserPromptSubmit", "one", &folder, json!({"prompt": "first"})).success();
    env.send_event(&client, "UserPromptSubmit", "one", &folder, json!({"prompt": "x", "session_title": "Named"}))
        .success();
    env.git(&folder, "checkout -q -b other");
    env.send_event(&client, "Stop", "one", &folder, json!({})).success();
    env.ait().child_of(&client, "one").current_dir(&folder).run("sessions task second").success();
    let changes: Vec<String> = log(&env, "one")
        .iter()
        .filter(|entry| entry[0] != "working")
        .map(|entry| format!("{} {} {}", entry[0], entry[2], entry[3]))
        .collect();
    assert_eq!(changes, ["\"task\" null \"first\"", "\"branch\" \"main\" \"other\"", "\"task\" \"Named\" \"second\""]);
}

#[test]
fn prune_removes_the_log_of_a_manifest_that_is_gone_and_keeps_the_others() {
    let env = TestEnv::new();
    let (client, folder) = (Client::new(), env.create_dir("p"));
    env.start_session(&client, "one", &folder).no_output();
    env.write_file(".claude/sessions/active/one.activity", "");
    env.write_file(".claude/sessions/active/gone.activity", "");
    env.run("sessions prune").success();
    assert!(env.sessions_path("active/one.activity").exists());
    assert!(!env.sessions_path("active/gone.activity").exists());
}

/// A sequence of numbers that looks random and is the same each time.
struct Numbers(u64);

impl Numbers {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % bound
    }
}

/// Sends one event of a session to a hook, which is killed at some moment in two of three cases.
fn send_and_kill(env: &TestEnv, client: &Client, event: &Value, numbers: &mut Numbers) {
    let id = event["session_id"].as_str().unwrap();
    let mut command = env.ait().child_of(client, id).command(env!("CARGO_BIN_EXE_ait"));
    command.args(["hook", "session-register"]).stdin(Stdio::piped()).stdout(Stdio::null());
    let mut hook = command.spawn().unwrap();
    std::io::Write::write_all(&mut hook.stdin.take().unwrap(), event.to_string().as_bytes()).unwrap();
    if numbers.below(3) > 0 {
        std::thread::sleep(Duration::from_micros(numbers.below(3_000)));
        let _ = hook.kill();
    }
    hook.wait().unwrap();
}

/// The events of one session: turns with dialogs and tasks, now and then an end and a start.
fn live_through(env: &TestEnv, client: &Client, id: &str, folder: &Path, events: usize) {
    let mut numbers = Numbers(fnv1a(id.as_bytes()));
    env.start_session(client, id, folder);
    for count in 0..events {
        let ask = json!({"tool_name": "AskUserQuestion", "tool_use_id": "t", "tool_input": {}});
        let (name, more) = match numbers.below(40) {
            0..12 => (
                "UserPromptSubmit",
                json!({"prompt": format!("prompt {count}"), "session_title": format!("t{}", count / 50)}),
            ),
            12..20 => ("PreToolUse", ask),
            20..28 => ("PostToolUse", ask),
            28..39 => ("Stop", json!({})),
            _ => ("SessionEnd", json!({"reason": "other"})),
        };
        send_and_kill(env, client, &payload(name, id, folder, more), &mut numbers);
        if name == "SessionEnd" {
            send_and_kill(env, client, &payload("SessionStart", id, folder, json!({"source": "resume"})), &mut numbers);
        }
        if numbers.below(4) == 0 {
            put_back(env, id, i64::try_from(numbers.below(300)).unwrap());
        }
    }
}

/// Twenty sessions at once; `AIT_EVENTS` says how many events they have in all, and the default is more with `CI=true`.
#[test]
fn hooks_killed_at_any_moment_leave_no_span_inverted_doubled_or_longer_than_the_session() {
    const SESSIONS: usize = 20;
    let usual = if std::env::var("CI").is_ok_and(|ci| ci == "true") { 20_000 } else { 2_000 };
    let events = std::env::var("AIT_EVENTS").map_or(usual, |count| count.parse().unwrap()) / SESSIONS;
    let env = TestEnv::new();
    let ids: Vec<String> = (0..SESSIONS).map(|number| format!("s{number}")).collect();
    let clients: Vec<Client> = ids.iter().map(|_| Client::new()).collect();
    std::thread::scope(|scope| {
        for (id, client) in ids.iter().zip(&clients) {
            let env = &env;
            scope.spawn(move || live_through(env, client, id, &env.create_dir(id), events));
        }
    });
    let late_events = env.path(&env.cache()).join("late-events");
    wait_until("late events are recorded", || file_names(&late_events).is_empty());
    let mut all_worked = 0;
    for (id, client) in ids.iter().zip(&clients) {
        let folder = env.path(id);
        let send = |event: &str, more: Value| env.send_event(client, event, id, &folder, more).success();
        // Whatever a killed hook left: it is resumed once more, and ends.
        send("SessionStart", json!({"source": "resume"}));
        send("SessionEnd", json!({"reason": "other"}));
        let manifest = env.history_manifest(id);
        let spans = entries_of(&manifest);
        let worked = manifest["worked_seconds"].as_u64().unwrap();
        assert_eq!(seconds(&spans, "working"), worked, "{manifest}");
        all_worked += worked;
        let time = |value: &Value| value.as_str().unwrap().parse::<jiff::Timestamp>().unwrap();
        for span in spans.iter().filter(|entry| entry[3].is_number()) {
            assert!(time(&span[1]) < time(&span[2]), "{span}");
            assert!(time(&manifest["started"]) <= time(&span[1]), "{span} {manifest}");
            assert!(time(&span[2]) <= time(&manifest["ended"]), "{span} {manifest}");
            assert!(span[3].as_i64().unwrap() <= time(&span[2]).duration_since(time(&span[1])).as_secs(), "{span}");
        }
    }
    assert!(all_worked > 0);
}

/// A session that ended before it worked has no activity in history; a log beside its manifest is one of a killed hook.
#[test]
fn a_log_left_by_a_kill_is_removed_if_the_archived_session_has_no_activity() {
    let env = TestEnv::new();
    let (client, folder) = (Client::new(), env.create_dir("p"));
    env.start_session(&client, "one", &folder).no_output();
    env.end_session(&client, "one", &folder, "other");
    assert_eq!(env.history_manifest("one")["activity"], Value::Null);
    let stale = "[\"working\",\"2026-01-01T00:00:00Z\",\"2026-01-01T01:00:00Z\",3600]\n";
    fs::write(env.sessions_path("active/one.activity"), stale).unwrap();
    env.send_event(&client, "SessionStart", "one", &folder, json!({"source": "resume"})).success();
    assert!(!env.sessions_path("active/one.activity").exists());
    env.end_session(&client, "one", &folder, "other");
    assert_eq!(env.history_manifest("one")["activity"], Value::Null);
}

#[test]
fn a_long_log_is_compacted_and_keeps_its_seconds() {
    let env = TestEnv::new();
    let (client, folder) = (Client::new(), env.create_dir("p"));
    env.start_session(&client, "one", &folder).no_output();
    env.send_event(&client, "UserPromptSubmit", "one", &folder, json!({"prompt": "Fix it"})).success();
    let begin: jiff::Timestamp = "2026-01-01T00:00:00Z".parse().unwrap();
    let line = |number: i64| {
        let from = begin + jiff::SignedDuration::from_secs(number * 100);
        json!(["working", from, from + jiff::SignedDuration::from_secs(10), 10]).to_string() + "\n"
    };
    // One more line takes it over 64 KiB.
    let count = i64::try_from((64 << 10) / line(0).len()).unwrap();
    let lines: String = (0..count).map(line).collect();
    env.write_file(".claude/sessions/active/one.activity", &lines);
    let mut manifest = env.active_manifest("one");
    manifest["state_since"] = json!(crate::common::ago(300));
    fs::write(env.sessions_path("active/one.json"), manifest.to_string()).unwrap();
    env.send_event(&client, "Stop", "one", &folder, json!({})).success();
    let entries = log(&env, "one");
    assert!(entries.len() <= 504, "{}", entries.len());
    let last = entries.last().unwrap()[3].as_u64().unwrap();
    assert!((300..360).contains(&last), "{last}");
    assert_eq!(seconds(&entries, "working"), u64::try_from(count).unwrap() * 10 + last);
}
