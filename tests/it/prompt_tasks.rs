//! Which prompts become the task of a session.

use std::path::Path;

use crate::common::started::{ID, Started};
use serde_json::{Value, json};

impl Started {
    fn prompt(&self, prompt: &str) {
        self.event("UserPromptSubmit", json!({ "prompt": prompt }));
    }

    /// The task, as each reader shows it.
    fn task(&self) -> Option<String> {
        let prompt = self.env.ait().current_dir(&self.folder).run("prompt --format {task}").success();
        let live = self.env.run("sessions live --json").json();
        let listed = live["sessions"][0]["task"].as_str().map(str::to_owned);
        let payload = json!({"session_id": ID, "cwd": self.folder, "workspace": {"current_dir": self.folder}});
        let words = ["statusline", "--format", "{task}", "--color", "never"];
        let status_line = self.env.ait().run_with_input(&words, payload.to_string().as_bytes()).success();
        assert_eq!(prompt, listed.clone().unwrap_or_default());
        assert_eq!(status_line.trim_end(), prompt);
        listed
    }
}

/// A captured payload, as this session would have sent it.
fn captured(case: &str) -> String {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/payloads/{case}.json"));
    let payload: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
    payload["prompt"].as_str().unwrap().to_owned()
}

#[test]
fn the_task_of_a_pasted_prompt_is_the_pasted_text() {
    for (case, task) in [
        ("UserPromptSubmit-pasted-text-12-lines", "line 0"),
        ("UserPromptSubmit-pasted-text-3-lines", "l1"),
        ("UserPromptSubmit-pasted-text-short", "one two"),
    ] {
        let started = Started::new();
        started.prompt(&captured(case));
        assert_eq!(started.task().as_deref(), Some(task), "{case}");
    }
    let started = Started::new();
    started.prompt(&captured("UserPromptSubmit-pasted-text-900-chars"));
    assert!(started.task().unwrap().starts_with("word word"));
}

#[test]
fn the_task_of_a_wrapped_command_is_what_was_typed() {
    let started = Started::new();
    started.prompt("<local-command-stdout>Set model to Opus</local-command-stdout>");
    assert_eq!(started.task(), None);
    started.prompt("<command-message>greet</command-message>\n<command-name>/greet</command-name>\n<command-args>Bob</command-args>");
    assert_eq!(started.task().as_deref(), Some("/greet Bob"));
}

#[test]
fn a_scheduled_prompt_is_no_task_and_a_typed_one_is() {
    let started = Started::new();
    let cron = |prompt: &str| json!({"id": "a", "schedule": "5 4 1 1 *", "recurring": false, "prompt": prompt});
    let long = "wake up and look at the build ".repeat(50);
    let clipped = format!("{}… [+500 chars]", &long[..1000]);
    started.event("Stop", json!({"background_tasks": [], "session_crons": [cron(&clipped), cron("check the build")]}));
    for prompt in [long.as_str(), "check the build"] {
        started.prompt(prompt);
        assert_eq!(started.task(), None, "{prompt}");
        started.event("Stop", json!({"session_crons": [cron(&clipped), cron("check the build")]}));
    }
    started.event("Stop", json!({"session_crons": []}));
    started.prompt("check the build");
    assert_eq!(started.task().as_deref(), Some("check the build"));
}

#[test]
fn a_refused_prompt_is_no_task_and_the_next_prompt_is() {
    let started = Started::new();
    started.record("busy", None, 0);
    started.prompt("refused");
    assert_eq!(started.task().as_deref(), Some("refused"));
    started.record("idle", None, -3_000);
    assert_eq!(started.task(), None);
    started.prompt("accepted");
    started.record("busy", None, -3_100);
    assert_eq!(started.task().as_deref(), Some("accepted"));
    started.event("Stop", json!({}));
    started.record("idle", None, -6_000);
    started.prompt("another");
    assert_eq!(started.task().as_deref(), Some("accepted"));
}

#[test]
fn a_prompt_after_a_refused_one_counts_when_the_client_is_busy_with_it_already() {
    let started = Started::new();
    started.record("busy", None, 0);
    started.prompt("refused");
    started.record("busy", None, -5_000);
    started.prompt("accepted");
    assert_eq!(started.task().as_deref(), Some("accepted"));
}

#[test]
fn the_first_prompt_stays_the_task_while_more_are_queued_or_after_an_interruption() {
    let queued = Started::new();
    queued.record("busy", None, 0);
    queued.prompt("first");
    queued.prompt("second");
    assert_eq!(queued.task().as_deref(), Some("first"));

    let interrupted = Started::new();
    interrupted.prompt("first");
    interrupted.event("PreToolUse", json!({"tool_name": "Bash", "tool_input": {"command": "ls"}}));
    interrupted.record("idle", None, -3_000);
    assert_eq!(interrupted.task().as_deref(), Some("first"));
    interrupted.prompt("second");
    assert_eq!(interrupted.task().as_deref(), Some("first"));

    // Without a record nothing tells that a prompt was refused.
    let unknown = Started::new();
    unknown.prompt("first");
    unknown.prompt("second");
    assert_eq!(unknown.task().as_deref(), Some("first"));
}
