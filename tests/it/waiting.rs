//! Which session waits for its user: `next`, the summary of all sessions, and the prompt.
use serde_json::{Value, json};

use crate::common::{Client, TestEnv, ago};

/// Sessions as manifests say that they are, each in a folder of its own name.
struct Waiting {
    env: TestEnv,
    clients: Vec<Client>,
}

impl Waiting {
    fn new() -> Waiting {
        Waiting { env: TestEnv::new(), clients: Vec::new() }
    }

    /// A session in a state since so many seconds, in a folder.
    fn add(&mut self, id: &str, folder: &str, seconds: i64, mut fields: Value) {
        let client = Client::new();
        fields["project"] = json!(id);
        fields["state_since"] = json!(ago(seconds));
        let folder = self.env.create_dir(folder);
        self.env.write_manifest(id, client.pid(), &folder, fields);
        self.clients.push(client);
    }

    fn add_all(&mut self) {
        self.add("finished", "finished", 7200, json!({"state": "idle", "turn_finished": true}));
        self.add("untyped", "untyped", 3600, json!({"state": "waiting", "waiting_for": "input"}));
        self.add("failed", "failed", 1800, json!({"state": "error", "turn_error": "rate_limit"}));
        self.add("young", "young", 60, json!({"state": "waiting", "waiting_for": "permission: Bash"}));
        self.add("old", "old", 300, json!({"state": "waiting", "waiting_for": "question"}));
        self.add("idle", "idle", 9000, json!({"state": "idle"}));
        self.add("working", "working", 9000, json!({"state": "working"}));
    }
}

#[test]
fn next_shows_blocked_sessions_before_finished_ones_and_the_longest_first() {
    let mut waiting = Waiting::new();
    waiting.add_all();
    let env = &waiting.env;
    let shown = env.run("sessions next --json").json();
    assert_eq!((&shown["session"]["session_id"], &shown["waiting"]), (&json!("old"), &json!(5)));
    assert_eq!(shown["sessions"], Value::Null);
    assert!((300..400).contains(&shown["waiting_seconds"].as_u64().unwrap()));
    let text = env.run("sessions next").success();
    assert!(text.starts_with("old (main) - 45m\n   waiting (question) for 5m\n"), "{text}");
    assert!(text.ends_with("   and 4 more wait: ait sessions next --all\n"), "{text}");
}

#[test]
fn next_all_lists_every_waiting_session_in_order() {
    let mut waiting = Waiting::new();
    waiting.add_all();
    let order = ["old", "young", "finished", "untyped", "failed"];
    let shown = waiting.env.run("sessions next --all --json").json();
    let ids: Vec<&str> =
        shown["sessions"].as_array().unwrap().iter().map(|session| session["session_id"].as_str().unwrap()).collect();
    assert_eq!(ids, order);
    assert_eq!((&shown["session"]["session_id"], &shown["waiting"]), (&json!("old"), &json!(5)));
    let text = waiting.env.run("sessions next --all").success();
    let states: Vec<&str> = text.lines().skip(1).step_by(4).collect();
    assert_eq!(
        states,
        [
            "   waiting (question) for 5m",
            "   waiting (permission: Bash) for 1m",
            "   finished 2h ago",
            "   finished 1h ago",
            "   error (rate_limit) for 30m",
        ],
        "{text}"
    );
    for (number, id) in order.iter().enumerate() {
        assert!(text.contains(&format!("{}. {id} (main)", number + 1)), "{text}");
    }
}

#[test]
fn next_skips_the_session_of_the_current_tmux_pane_and_all_lists_it() {
    let mut waiting = Waiting::new();
    let pane = |pane: &str, socket: &str| json!({"state": "waiting", "waiting_for": "question", "tmux_pane": pane, "tmux_socket": socket});
    waiting.add("here", "here", 900, pane("%3", "/tmp/tmux-1/default"));
    let tmux = |pane: &str| waiting.env.ait().env("TMUX", "/tmp/tmux-1/default,12,0").env("TMUX_PANE", pane);
    let alone = tmux("%3").run("sessions next");
    assert_eq!((alone.exit_code, alone.stdout.as_str()), (Some(1), "No session is waiting for you.\n"));
    assert_eq!(tmux("%4").run("sessions next --json").json()["session"]["session_id"], "here");
    assert_eq!(tmux("%3").run("sessions next --all --json").json()["session"]["session_id"], "here");
    // A pane of another server has the same number.
    let other = waiting.env.ait().env("TMUX", "/tmp/tmux-1/other,12,0").env("TMUX_PANE", "%3");
    assert_eq!(other.run("sessions next --json").json()["session"]["session_id"], "here");

    waiting.add("there", "there", 60, pane("%5", "/tmp/tmux-1/default"));
    let tmux = waiting.env.ait().env("TMUX", "/tmp/tmux-1/default,12,0").env("TMUX_PANE", "%3");
    let shown = tmux.run("sessions next --json").json();
    assert_eq!((&shown["session"]["session_id"], &shown["waiting"]), (&json!("there"), &json!(1)));
    let shown = tmux.run("sessions next --all --json").json();
    assert_eq!((&shown["session"]["session_id"], &shown["waiting"]), (&json!("here"), &json!(2)));
}

#[test]
fn the_summary_of_all_sessions_names_a_blocked_one_before_a_finished_one_that_waited_longer() {
    let mut waiting = Waiting::new();
    let summary = |waiting: &Waiting| waiting.env.run("prompt --all").success();
    waiting.add("failed", "failed", 1800, json!({"state": "error"}));
    assert_eq!(summary(&waiting), "1 live ✗failed 30m");
    waiting.add("finished", "finished", 7200, json!({"state": "idle", "turn_finished": true}));
    assert_eq!(summary(&waiting), "2 live ◷finished 2h");
    waiting.add("blocked", "blocked", 60, json!({"state": "waiting", "waiting_for": "permission"}));
    assert_eq!(summary(&waiting), "3 live ◷blocked 1m");
}

#[test]
fn the_prompt_of_a_tree_is_about_its_blocked_session_before_one_that_finished_or_works() {
    let mut waiting = Waiting::new();
    let prompt = |waiting: &Waiting| {
        let ait = waiting.env.ait().current_dir(&waiting.env.path("p"));
        ait.run_args(&["prompt", "--format", "{project} {state} {icon} {waiting} {waiting_for}"]).success()
    };
    waiting.add("working", "p", 30, json!({"state": "working"}));
    assert_eq!(prompt(&waiting), "working working ▸");
    waiting.add("failed", "p", 90, json!({"state": "error", "turn_error": "rate_limit"}));
    assert_eq!(prompt(&waiting), "failed error ✗ ✗1m rate_limit");
    waiting.add("finished", "p", 7200, json!({"state": "idle", "turn_finished": true}));
    assert_eq!(prompt(&waiting), "finished finished ◷ ◷2h input");
    waiting.add("blocked", "p", 60, json!({"state": "waiting", "waiting_for": "permission"}));
    assert_eq!(prompt(&waiting), "blocked waiting ◷ ◷1m permission");
}

#[test]
fn a_turn_that_ended_is_finished_at_once_and_a_failed_one_shows_its_error_until_the_next_prompt() {
    let env = TestEnv::new();
    let client = Client::new();
    let folder = env.create_dir("p");
    env.start_session(&client, "one", &folder).no_output();
    let next = || env.run("sessions next").stdout.lines().nth(1).map(|line| line.trim().to_owned());
    let live = || {
        let text = env.run("sessions live").success();
        text.lines().find_map(|line| Some(line.split_once("State: ")?.1.trim_end_matches(" │").trim().to_owned()))
    };
    let event = |event: &str, more: Value| env.send_event(&client, event, "one", &folder, more).no_output();
    assert_eq!((next(), live()), (None, None), "it is idle: no turn has run");
    for (name, more, wanted) in [
        ("UserPromptSubmit", json!({"prompt": "go"}), None),
        ("Stop", json!({}), Some("finished just now")),
        ("UserPromptSubmit", json!({"prompt": "again"}), None),
        ("StopFailure", json!({"error": "rate_limit"}), Some("error (rate_limit) for under a minute")),
        ("Notification", json!({"notification_type": "auth_success"}), Some("error (rate_limit) for under a minute")),
        ("UserPromptSubmit", json!({"prompt": "once more"}), None),
    ] {
        event(name, more);
        assert_eq!(next().as_deref(), wanted, "{name}");
        assert_eq!(live().as_deref(), wanted.or(Some("working for under a minute")), "{name}");
        let prompt = env.ait().current_dir(&folder).run_args(&["prompt", "--format", "{waiting}"]).success();
        assert_eq!(prompt.is_empty(), wanted.is_none(), "{name}: {prompt}");
    }
}
