//! How long a session worked and waited, and how long it has been running.
use serde_json::{Value, json};

use crate::common::started::{ID, Started};
use crate::common::{Client, TestEnv, ago, read_json};

impl Started {
    /// Sends an event that names a transcript in the home folder.
    fn send(&self, event: &str, mut more: Value) {
        more["transcript_path"] = json!(self.env.path("t.jsonl"));
        self.event(event, more);
    }

    /// Makes the current state older.
    fn age_state(&self, seconds: i64) {
        let file = self.env.sessions_path("active").join(format!("{ID}.json"));
        let mut manifest = read_json(&file).unwrap();
        manifest["state_since"] = json!(ago(seconds));
        std::fs::write(file, manifest.to_string()).unwrap();
    }

    /// When Claude Code last wrote into the conversation.
    fn transcript(&self, seconds: i64) {
        let file = self.env.write_file("t.jsonl", "{}\n");
        let time = format!("{seconds} seconds ago");
        assert!(std::process::Command::new("touch").args(["-d", &time]).arg(file).status().unwrap().success());
    }

    /// The times worked and waited, give or take the seconds that the test itself takes.
    fn times(&self, manifest: &Value, wanted: (u64, u64)) {
        let times = [("worked_seconds", wanted.0), ("waited_seconds", wanted.1)];
        for (field, wanted) in times {
            let found = manifest[field].as_u64().unwrap();
            assert!((wanted..wanted + 8).contains(&found), "{field}: {found}, not {wanted}: {manifest:#}");
        }
    }

    fn manifest(&self) -> Value {
        self.env.active_manifest(ID)
    }
}

#[test]
fn work_ends_at_esc_and_not_at_the_next_prompt() {
    // The client's record still tells of Esc, or already of the next prompt; then its last writing tells.
    for (status, age) in [("idle", 40), ("busy", 0)] {
        let started = Started::new();
        started.send("UserPromptSubmit", json!({"prompt": "go"}));
        started.age_state(70);
        started.transcript(40);
        started.record(status, None, age * 1000);
        started.send("UserPromptSubmit", json!({"prompt": "again"}));
        started.times(&started.manifest(), (30, 0));
        assert_eq!(started.manifest()["state"], "working");
    }
}

#[test]
fn a_prompt_that_is_queued_while_the_session_works_is_no_interruption() {
    let started = Started::new();
    started.send("UserPromptSubmit", json!({"prompt": "go"}));
    started.age_state(70);
    started.transcript(40);
    started.record("busy", None, 70_000);
    started.send("UserPromptSubmit", json!({"prompt": "and this"}));
    started.send("Stop", json!({}));
    started.times(&started.manifest(), (70, 0));
}

#[test]
fn work_ends_at_esc_and_not_at_exit_whose_record_is_gone() {
    let started = Started::new();
    started.send("UserPromptSubmit", json!({"prompt": "go"}));
    started.age_state(70);
    started.transcript(40);
    started.send("SessionEnd", json!({"reason": "prompt_input_exit"}));
    started.times(&started.env.history_manifest(ID), (30, 0));
}

#[test]
fn waiting_ends_when_the_dialog_is_approved_and_not_when_the_tool_has_run() {
    let started = Started::new();
    started.send("PreToolUse", json!({"tool_name": "Bash"}));
    started.send("PermissionRequest", json!({"tool_name": "Bash"}));
    started.age_state(90);
    started.record("busy", None, 60_000);
    started.send("PostToolUse", json!({"tool_name": "Bash"}));
    started.send("Stop", json!({}));
    started.times(&started.manifest(), (60, 30));
}

#[test]
fn waiting_ends_when_the_dialog_is_rejected_and_not_at_the_next_prompt() {
    let started = Started::new();
    started.send("PreToolUse", json!({"tool_name": "Bash"}));
    started.send("PermissionRequest", json!({"tool_name": "Bash"}));
    started.age_state(90);
    started.record("idle", None, 60_000);
    started.send("UserPromptSubmit", json!({"prompt": "no, do that"}));
    started.times(&started.manifest(), (0, 30));
}

#[test]
fn a_resumed_session_shows_the_time_of_this_run_and_keeps_its_first_start() {
    let started = Started::new();
    started.send("SessionEnd", json!({"reason": "prompt_input_exit"}));
    let file = started.env.sessions_path("history");
    let day = crate::common::file_names(&file).remove(0);
    let file = file.join(day).join(format!("{ID}.json"));
    let mut manifest = read_json(&file).unwrap();
    let first = ago(7 * 86_400);
    manifest["started"] = json!(first);
    std::fs::write(file, manifest.to_string()).unwrap();
    let again = Client::new();
    started.env.send_event(&again, "SessionStart", ID, &started.folder, json!({"source": "resume"})).success();
    let manifest = started.manifest();
    assert_eq!(manifest["started"], json!(first));
    assert!(manifest["resumed"].as_str().unwrap() > first.as_str(), "{manifest:#}");
    let shown = started.env.run(&format!("sessions current --session {ID} --json")).json();
    assert!(shown["session"]["elapsed_seconds"].as_u64().unwrap() < 60, "{shown}");
    let prompt = started.env.ait().current_dir(&started.folder).run("prompt --format {elapsed}").success();
    assert_eq!(prompt, "<1m");
    let text = started.env.run(&format!("sessions current --session {ID}")).success();
    assert!(text.contains("Started: 7 days ago, resumed just now\n"), "{text}");
    // In history it is as long as from its first start to its end.
    started.env.end_session(&again, ID, &started.folder, "prompt_input_exit");
    let history = started.env.run("sessions history --json").json();
    assert!(history["sessions"][0]["elapsed_seconds"].as_u64().unwrap() >= 7 * 86_400, "{history}");
}

#[test]
fn history_leaves_headless_runs_out_and_says_how_many() {
    let env = TestEnv::new();
    let folder = env.repository("repo");
    let run = |id: &str, entrypoint: &str| {
        let client = Client::new();
        let ait = env.ait().child_of(&client, id).current_dir(&folder).env("CLAUDE_CODE_ENTRYPOINT", entrypoint);
        let send = |event: &str, more: Value| ait.hook(&crate::common::payload(event, id, &folder, more)).success();
        send("SessionStart", json!({"source": "startup"}));
        send("SessionEnd", json!({"reason": "other"}));
    };
    run("typed", "cli");
    let text = env.run("sessions history").success();
    assert!(!text.contains("headless"), "{text}");
    run("first-headless", "sdk-cli");
    let text = env.run("sessions history").success();
    assert!(text.ends_with("1 headless run is not listed; add --headless to list them.\n"), "{text}");
    run("second-headless", "sdk-cli");
    let ids = |words: &str| {
        let shown = env.run(words).json();
        let sessions = shown["sessions"].as_array().unwrap();
        let mut ids: Vec<String> =
            sessions.iter().map(|session| session["session_id"].as_str().unwrap().to_owned()).collect();
        ids.sort();
        (ids.join(" "), shown["headless_left_out"].clone())
    };
    assert_eq!(ids("sessions history --json"), ("typed".to_owned(), json!(2)));
    let all = "first-headless second-headless typed".to_owned();
    assert_eq!(ids("sessions history --headless --json"), (all, json!(0)));
    let text = env.run("sessions history --project nothing").success();
    assert!(!text.contains("headless"), "only those that match count: {text}");
}

/// Its user works in it: one run of `claude -p --resume` does not hide it.
#[test]
fn a_session_that_was_resumed_without_a_user_is_not_headless() {
    let env = TestEnv::new();
    let folder = env.repository("repo");
    let start = |source: &str, entrypoint: &str| {
        let client = Client::new();
        let ait = env.ait().child_of(&client, ID).current_dir(&folder).env("CLAUDE_CODE_ENTRYPOINT", entrypoint);
        ait.hook(&crate::common::payload("SessionStart", ID, &folder, json!({ "source": source }))).success();
        client
    };
    let clients = [start("startup", "sdk-cli")];
    assert_eq!(env.active_manifest(ID)["headless"], true);
    let more = [start("resume", "cli"), start("resume", "sdk-cli")];
    assert_eq!(env.active_manifest(ID)["headless"], Value::Null);
    drop((clients, more));
}
