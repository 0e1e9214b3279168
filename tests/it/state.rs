//! What a session is doing: hook events and Claude Code's own record of the client, in every combination.
use serde_json::{Value, json};

use crate::common::started::{ID, Started};

impl Started {
    /// The session as `live --json` shows it.
    fn shown(&self) -> Value {
        self.env.run("sessions live --json").json()["sessions"][0].clone()
    }

    /// Its state in a word or two.
    fn state(&self) -> String {
        let shown = self.shown();
        let text = |field: &str| shown[field].as_str().map(str::to_owned);
        match (text("state").unwrap().as_str(), shown["turn_finished"] == true, text("waiting_for")) {
            ("idle" | "waiting", true, _) => "finished".to_owned(),
            (state, _, Some(what)) => format!("{state} for {what}"),
            (state, ..) => state.to_owned(),
        }
    }
}

fn tool(name: &str) -> Value {
    json!({"tool_name": name, "tool_input": {}})
}

/// Events after the start, and the state that they lead to with each record.
struct Row {
    events: &'static [(&'static str, &'static str)],
    without: &'static str,
    busy: &'static str,
    idle: &'static str,
    /// A permission dialog opened just now.
    dialog: &'static str,
    /// A permission dialog has been open for a minute: it is not about what the last event says.
    old_dialog: &'static str,
}

const fn row(events: &'static [(&'static str, &'static str)], states: [&'static str; 5]) -> Row {
    let [without, busy, idle, dialog, old_dialog] = states;
    Row { events, without, busy, idle, dialog, old_dialog }
}

const PERMISSION: &str = "waiting for permission";
const EDIT: &str = "waiting for permission: Edit";
const QUESTION: &str = "waiting for question";
const PLAN: &str = "waiting for plan";

const ROWS: [Row; 9] = [
    row(&[], ["idle", "working", "idle", PERMISSION, PERMISSION]),
    row(&[("UserPromptSubmit", "")], ["working", "working", "idle", PERMISSION, PERMISSION]),
    row(&[("PreToolUse", "Edit")], ["working", "working", "idle", EDIT, PERMISSION]),
    row(&[("PreToolUse", "Edit"), ("PermissionRequest", "Edit")], [EDIT, "working", "idle", EDIT, EDIT]),
    row(&[("PreToolUse", "AskUserQuestion")], [QUESTION, "working", "idle", QUESTION, PERMISSION]),
    row(&[("PreToolUse", "ExitPlanMode")], [PLAN, "working", "idle", PLAN, PLAN]),
    row(&[("UserPromptSubmit", ""), ("Stop", "")], ["finished", "working", "finished", PERMISSION, PERMISSION]),
    row(&[("Stop", ""), ("Notification", "")], ["finished", "working", "finished", PERMISSION, PERMISSION]),
    row(&[("StopFailure", "")], ["error", "working", "error", PERMISSION, PERMISSION]),
];

#[test]
fn the_state_is_what_the_record_says_now_whatever_the_last_event_and_whichever_is_newer() {
    for Row { events, without, busy, idle, dialog, old_dialog } in ROWS {
        let started = Started::new();
        for (event, tool_name) in events {
            let mut more = tool(tool_name);
            more["notification_type"] = json!("idle_prompt");
            started.event(event, more);
        }
        assert_eq!(started.state(), without, "{events:?} without a record");
        for (age, dialog) in [(0, dialog), (60_000, old_dialog)] {
            for (status, wanted) in [("busy", busy), ("idle", idle), ("shell", idle), ("waiting", dialog)] {
                started.record(status, (status == "waiting").then_some("permission prompt"), age);
                assert_eq!(started.state(), wanted, "{events:?} {status} for {age} ms");
            }
        }
    }
}

/// The dialog opened before these events and stays open.
#[test]
fn events_of_the_lead_while_a_sub_agents_dialog_is_open_leave_the_session_waiting() {
    let started = Started::new();
    started.event("UserPromptSubmit", json!({"prompt": "look"}));
    started.event("PreToolUse", tool("Agent"));
    started.event("PostToolUse", tool("Agent"));
    started.record("waiting", Some("permission prompt"), 0);
    for (event, more) in [
        ("PreToolUse", tool("Bash")),
        ("PostToolUse", tool("Bash")),
        ("UserPromptSubmit", json!({"prompt": "and this"})),
        ("Stop", json!({})),
    ] {
        started.event(event, more);
        assert_eq!(started.state(), "waiting for permission", "{event}");
        assert!(started.env.run("sessions next").success().contains("waiting (permission)"), "{event}");
    }
}

#[test]
fn a_lead_whose_teammate_works_is_working_and_finished_when_the_teammate_is() {
    let started = Started::new();
    started.event("UserPromptSubmit", json!({"prompt": "share the work"}));
    started.record("busy", None, 0);
    let teammate = json!([{"id": "a", "type": "teammate", "status": "running", "description": "x"}]);
    started.event("Stop", json!({"background_tasks": teammate}));
    assert_eq!(started.state(), "working");
    started.event("SubagentStop", json!({"agent_id": "a", "agent_type": "mate"}));
    assert_eq!(started.state(), "working");
    started.record("idle", None, 0);
    assert_eq!(started.state(), "finished");
}

#[test]
fn a_session_that_goes_on_after_a_blocked_stop_is_working() {
    let started = Started::new();
    started.event("UserPromptSubmit", json!({"prompt": "go"}));
    started.record("busy", None, 5_000);
    started.event("Stop", json!({"stop_hook_active": false}));
    assert_eq!(started.state(), "working");
    started.event("Stop", json!({"stop_hook_active": true}));
    started.record("idle", None, 0);
    assert_eq!(started.state(), "finished");
}

#[test]
fn a_question_that_a_hook_denied_is_not_waiting() {
    let started = Started::new();
    started.event("UserPromptSubmit", json!({"prompt": "go"}));
    started.record("busy", None, 5_000);
    started.event("PreToolUse", tool("AskUserQuestion"));
    assert_eq!(started.state(), "working");
}

#[test]
fn esc_ends_work_and_an_answer_ends_waiting() {
    let started = Started::new();
    started.event("UserPromptSubmit", json!({"prompt": "go"}));
    started.record("idle", None, -10);
    assert_eq!(started.state(), "idle");
    started.event("PreToolUse", tool("Bash"));
    started.event("PermissionRequest", tool("Bash"));
    started.record("busy", None, -10);
    assert_eq!(started.state(), "working", "approved");
    started.record("idle", None, -20);
    assert_eq!(started.state(), "idle", "rejected");
}

/// `/model` and `/config` are dialogs too, and nobody types a prompt into them.
#[test]
fn a_dialog_that_the_user_opened_is_no_finished_turn() {
    let started = Started::new();
    started.event("Stop", json!({}));
    started.record("waiting", Some("dialog open"), 0);
    assert_eq!(started.state(), "waiting for dialog");
}

#[test]
fn notifications_of_every_kind_are_judged_by_their_text() {
    for (kind, message, wanted) in [
        (None, "Claude needs your permission to use Bash", "waiting for permission: Bash"),
        (None, "Claude Code needs your approval for the plan", "waiting for permission: Bash"),
        (None, "Claude is waiting for your input", "finished"),
        (Some("permission_prompt"), "", "waiting for permission: Bash"),
        (Some("worker_permission_prompt"), "", "waiting for permission: Bash"),
        (Some("idle_prompt"), "", "finished"),
        (Some("elicitation_dialog"), "Claude Code needs your input", "waiting for question"),
        (Some("elicitation_response"), "Elicitation response for server \"x\": accept", "working"),
        (Some("auth_success"), "", "working"),
        (Some("a_future_kind"), "Claude needs your permission", "waiting for permission: Bash"),
        (Some("a_future_kind"), "Claude needs your input", "waiting for question"),
        (Some("a_future_kind"), "Something else", "working"),
    ] {
        let started = Started::new();
        started.event("UserPromptSubmit", json!({"prompt": "go"}));
        started.event("PreToolUse", tool("Bash"));
        started.event("Notification", json!({"notification_type": kind, "message": message}));
        assert_eq!(started.state(), wanted, "{kind:?} {message}");
    }
}

#[test]
fn a_notification_that_says_nothing_is_judged_by_the_record() {
    for (kind, status, waiting_for, wanted) in [
        ("a_future_kind", "waiting", Some("permission prompt"), "waiting for permission: Bash"),
        ("a_future_kind", "waiting", Some("input needed"), "waiting for question"),
        ("a_future_kind", "busy", None, "working"),
        // Answered in the moment in which it was sent.
        ("permission_prompt", "busy", None, "working"),
    ] {
        let started = Started::new();
        started.event("UserPromptSubmit", json!({"prompt": "go"}));
        started.event("PreToolUse", tool("Bash"));
        started.record(status, waiting_for, 0);
        started.event("Notification", json!({"notification_type": kind, "message": "?"}));
        // The event alone leads to it: the record is gone.
        std::fs::remove_file(started.env.path(&format!(".claude/sessions/{}.json", started.client.pid()))).unwrap();
        assert_eq!(started.state(), wanted, "{kind} {status}");
    }
}

#[test]
fn a_client_that_was_suspended_with_ctrl_z_is_stopped_until_it_goes_on() {
    let started = Started::new();
    started.event("UserPromptSubmit", json!({"prompt": "go"}));
    started.record("busy", None, 0);
    let signal = |name: &str| {
        let pid = started.client.pid().to_string();
        assert!(std::process::Command::new("kill").args([name, &pid]).status().unwrap().success());
    };
    signal("-STOP");
    crate::common::wait_until("it is stopped", || started.state() == "stopped");
    let text = started.env.run("sessions live --verbose").success();
    assert!(text.contains("   State: stopped\n"), "{text}");
    assert_eq!(started.shown()["state_source"], "process");
    signal("-CONT");
    crate::common::wait_until("it goes on", || started.state() == "working");
}

#[test]
fn a_tool_that_failed_is_no_longer_in_use_and_a_later_dialog_is_not_about_it() {
    let started = Started::new();
    started.event("UserPromptSubmit", json!({"prompt": "go"}));
    started.event("PreToolUse", tool("Bash"));
    assert_eq!(started.env.active_manifest(ID)["tool"], "Bash");
    started.event("PostToolUseFailure", json!({"tool_name": "Bash", "tool_input": {}, "error": "Exit code 1"}));
    let manifest = started.env.active_manifest(ID);
    assert_eq!((&manifest["tool"], &manifest["state"]), (&Value::Null, &json!("working")));
    started.record("waiting", Some("permission prompt"), 0);
    assert_eq!(started.state(), "waiting for permission");
}
