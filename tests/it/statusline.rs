//! `ait statusline`: what the client sends, as it was captured and as it might be; the session that it names; the status
//! line that was there before.

use std::fs;
use std::ops::Deref;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::common::{Client, TestEnv, ago, wait_until};
use jiff::Timestamp;
use serde_json::{Value, json};

const ID: &str = "6425757d-2548-4fb2-9ce2-2c43e134d597";
const OTHER: &str = "9029aedc-fe71-4c87-b21d-9d372d6ce844";

/// A home with a folder `project`, and a repository `repo` with a worktree; and how `ait statusline` is run in it.
struct Stage {
    env: TestEnv,
    variables: Vec<(&'static str, String)>,
}

impl Deref for Stage {
    type Target = TestEnv;

    fn deref(&self) -> &TestEnv {
        &self.env
    }
}

impl Stage {
    fn new() -> Stage {
        let env = TestEnv::new();
        env.create_dir("project/sub");
        let repository = env.repository("repo");
        env.worktree(&repository, "repo/.claude/worktrees/wt1", "worktree-wt1");
        Stage { env, variables: Vec::new() }
    }

    /// With this variable.
    fn var(mut self, name: &'static str, value: impl Into<String>) -> Stage {
        self.variables.push((name, value.into()));
        self
    }

    /// Writes the manifest of a session that started 45 minutes ago.
    fn manifest(&self, id: &str, pid: u32, folder: &str, fields: Value) -> PathBuf {
        let mut all = json!({"task": "Fixing login"});
        all.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        self.write_manifest(id, pid, &self.path(folder), all)
    }

    /// A captured payload, with this home in place of the one it was captured in.
    fn captured(&self, case: &str) -> String {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("tests/payloads/statusLine-{case}.json"));
        fs::read_to_string(file).unwrap().replace("/home/dev", self.path("").to_str().unwrap())
    }

    /// Runs `ait statusline`; gives what it prints. It always goes well.
    #[track_caller]
    fn shows(&self, words: &[&str], input: impl AsRef<[u8]>) -> String {
        let ask = self.variables.iter().fold(self.ait(), |ask, (name, value)| ask.env(name, value));
        ask.run_with_input(&[&["statusline"], words].concat(), input.as_ref()).success()
    }

    /// The same without colour.
    #[track_caller]
    fn plain(&self, input: impl AsRef<[u8]>) -> String {
        self.shows(&["--color", "never"], input)
    }
}

/// A payload with a session at a folder, and more.
fn payload(id: &str, folder: &Path, fields: Value) -> String {
    let mut payload = json!({"session_id": id, "cwd": folder, "workspace": {"current_dir": folder}});
    payload.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    payload.to_string()
}

#[test]
fn every_captured_payload_makes_a_line() {
    let env = Stage::new();
    let known = Stage::new();
    let client = Client::new();
    // What it shows of a session that nobody knows, and of the same session with a task of the user's.
    let cases = [
        ("auto-compact", "project <1m | Opus 5.5 | 1% context | $0.21", "Opus 5.5 | 1% context | $0.21"),
        ("bash-cd", "sub <1m | Opus 5.5 | 1% context | $0.01", "Opus 5.5 | 1% context | $0.01"),
        ("bash", "project <1m | Opus 5.5 | 1% context | $0.01", "Opus 5.5 | 1% context | $0.01"),
        ("bg-session", "project <1m | Sonnet 5.5", "Sonnet 5.5"),
        ("branch", "project <1m next SAY[ok] (Branch) | Opus 5.5 | 1% context", "Opus 5.5 | 1% context"),
        ("clear", "project <1m my-name | Opus 5.5", "Opus 5.5"),
        (
            "compact",
            "project <1m my-name ✗no hooks | Opus 5.5 | 0% context | $0.05 | +3 -1",
            "Opus 5.5 | 0% context | $0.05 | +3 -1",
        ),
        ("continue", "project <1m my-name | Opus 5.5 | 1% context", "Opus 5.5 | 1% context"),
        ("fork-session", "project <1m lab-name | Opus 5.5 | 1% context", "Opus 5.5 | 1% context"),
        ("git-repo-2", "repo main <1m | Sonnet 5.5 | 1% context", "Sonnet 5.5 | 1% context"),
        ("model-switch", "project <1m | Sonnet 5.5", "Sonnet 5.5"),
        ("permission-prompt", "project <1m | Opus 5.5 | 1% context | $0.01", "Opus 5.5 | 1% context | $0.01"),
        ("prompt", "project <1m | Opus 5.5 | 1% context", "Opus 5.5 | 1% context"),
        (
            "rename",
            "project <1m my-name ✗no hooks | Opus 5.5 | 2% context | $0.05 | +3 -1",
            "Opus 5.5 | 2% context | $0.05 | +3 -1",
        ),
        ("slash-cd", "project <1m | Opus 5.5 | 1% context | $0.01", "Opus 5.5 | 1% context | $0.01"),
        ("start", "project <1m | Opus 5.5", "Opus 5.5"),
        ("worktree", "repo worktree-wt1 (wt1) <1m | Sonnet 5.5", "Sonnet 5.5"),
    ];
    let captured = fs::read_dir(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/payloads")).unwrap();
    let names = captured.map(|entry| entry.unwrap().file_name().into_string().unwrap());
    assert_eq!(names.filter(|name| name.starts_with("statusLine-")).count(), cases.len());
    for (case, unknown, end) in cases {
        assert_eq!(env.plain(env.captured(case)), format!("{unknown}\n"), "{case}");

        let payload = known.captured(case);
        let sent: Value = serde_json::from_str(&payload).unwrap();
        let id = sent["session_id"].as_str().unwrap();
        let file = known.manifest(id, client.pid(), "elsewhere", json!({"task_source": "user", "git_branch": "old"}));
        let place = match case {
            "git-repo-2" => "main",
            "worktree" => "worktree-wt1 (wt1)",
            _ => "old",
        };
        assert_eq!(known.plain(payload), format!("aiterm {place} 45m Fixing login | {end}\n"), "{case}");
        fs::remove_file(file).unwrap();
    }
    assert_eq!(env.log_lines(), [""; 0]);
}

#[test]
fn what_subscribers_and_other_versions_of_the_client_get() {
    let env = Stage::new();
    let at = |fields: Value| env.plain(payload(ID, &env.path("repo"), fields));
    assert_eq!(at(json!({"rate_limits": {"seven_day": {"used_percentage": 41.2}}})), "repo main | 7d 41%\n");
    assert_eq!(at(json!({"rate_limits": {"five_hour": 23.5, "seven_day": 105}})), "repo main | 5h 24% 7d 105%\n");
    assert_eq!(at(json!({"rate_limits": {"five_hour": null, "new": 3}})), "repo main\n");
    let window = json!({"context_window_size": 200_000, "current_usage": {"input_tokens": 20, "cache_read_input_tokens": 99_980}});
    assert_eq!(at(json!({ "context_window": window })), "repo main | 50% context\n");
    let gone = json!({
        "cwd": "/nowhere/demo",
        "workspace": {"current_dir": "/nowhere/demo", "git_worktree": "wt1"},
        "worktree": {"name": "new", "branch": "worktree-new"},
    });
    assert_eq!(env.plain(gone.to_string()), "demo worktree-new (wt1)\n");
    assert_eq!(at(json!({"model": {"id": "claude-opus-5-5"}})), "repo main | claude-opus-5-5\n");
    assert_eq!(
        at(json!({"cost": {"total_duration_ms": 7_500_000, "total_lines_removed": 4}, "version": [2, 1]})),
        "repo main 2h 5m ✗no hooks | +0 -4\n"
    );
}

/// The places of all fields in an object, however deep.
fn places(value: &Value, above: &str) -> Vec<String> {
    let Value::Object(fields) = value else { return Vec::new() };
    let of_field = |(name, value): (&String, &Value)| {
        let place = format!("{above}/{name}");
        let mut below = places(value, &place);
        below.push(place);
        below
    };
    fields.iter().flat_map(of_field).collect()
}

#[test]
fn any_field_may_be_null_absent_or_of_another_type() {
    let env = Stage::new();
    let whole: Value = serde_json::from_str(&env.captured("rename")).unwrap();
    let full = "project <1m my-name ✗no hooks | Opus 5.5 | 2% context | $0.05 | +3 -1\n";
    assert_eq!(env.plain(whole.to_string()), full);
    for place in places(&whole, "") {
        // What the line loses with the field; what stands in for it where something does.
        let want = match place.as_str() {
            "/session_id" => full.replace(" ✗no hooks", ""),
            "/session_name" => full.replace(" my-name", ""),
            "/model" => full.replace(" | Opus 5.5", ""),
            "/model/display_name" => full.replace("Opus 5.5", "claude-opus-5-5"),
            "/cost" => "project my-name | Opus 5.5 | 2% context\n".to_owned(),
            "/cost/total_cost_usd" => full.replace(" | $0.05", ""),
            "/cost/total_duration_ms" => full.replace(" <1m", "").replace(" ✗no hooks", ""),
            "/cost/total_lines_added" => full.replace("+3", "+0"),
            "/cost/total_lines_removed" => full.replace("-1", "-0"),
            "/context_window" => full.replace(" | 2% context", ""),
            _ => full.to_owned(),
        };
        let mut seen = vec![with(&whole, &place, None)];
        seen.extend(
            [json!(null), json!([1]), json!({"new": {}}), json!(true)].map(|other| with(&whole, &place, Some(other))),
        );
        for payload in seen {
            assert_eq!(env.plain(payload.to_string()), want, "{place}: {payload}");
        }
    }
    assert_eq!(env.log_lines(), [""; 0]);
}

/// The object with another value at a place, or without the field.
fn with(whole: &Value, place: &str, value: Option<Value>) -> Value {
    let mut changed = whole.clone();
    let (above, name) = place.rsplit_once('/').unwrap();
    let object = changed.pointer_mut(above).unwrap().as_object_mut().unwrap();
    match value {
        Some(value) => object.insert(name.to_owned(), value),
        None => object.remove(name),
    };
    changed
}

#[test]
fn the_session_is_the_one_in_the_payload() {
    let env = Stage::new().var("CLAUDE_CODE_SESSION_ID", OTHER);
    let (one, two) = (Client::new(), Client::new());
    env.manifest(ID, one.pid(), "repo", json!({"task": "mine"}));
    env.manifest(OTHER, two.pid(), "repo", json!({"task": "theirs", "project": "wrong"}));
    let repo = env.path("repo");
    assert_eq!(env.plain(payload(ID, &repo, json!({}))), "aiterm main 45m mine ⚠2\n");
    assert_eq!(env.plain(payload(OTHER, &repo, json!({}))), "wrong main 45m theirs ⚠2\n");
    // One that nobody knows is in their way too.
    assert_eq!(env.plain(payload("new", &repo, json!({}))), "repo main ⚠3\n");
    assert_eq!(env.plain(payload("../../x", &repo, json!({}))), "repo main ⚠3\n");
    // It moved on to another tree since its last event, and has nobody there.
    let worktree = env.path("repo/.claude/worktrees/wt1");
    assert_eq!(env.plain(payload(ID, &worktree, json!({}))), "aiterm worktree-wt1 (wt1) 45m mine\n");
    // The other one has ended without a word.
    drop(two);
    assert_eq!(env.plain(payload(ID, &repo, json!({}))), "aiterm main 45m mine\n");
}

#[test]
fn one_file_written_by_two_and_a_head_that_moved() {
    let env = Stage::new();
    let (one, two) = (Client::new(), Client::new());
    let path = env.path("repo/x.rs");
    let overlaps = json!([{"path": path, "session_id": OTHER, "at": ago(60)}]);
    let head_moved = json!({"from_branch": "main", "to_branch": "dev", "at": ago(60)});
    env.manifest(ID, one.pid(), "repo", json!({ "overlaps": overlaps, "head_moved": head_moved }));
    env.manifest(OTHER, two.pid(), "repo", json!({}));
    let shown = env.shows(&["--color", "always"], payload(ID, &env.path("repo"), json!({})));
    // Reversed, which a tree that is only shared is not.
    assert!(shown.contains("\u{1b}[1;7;35m⚠2\u{1b}[22;27;39m"), "{shown:?}");
    assert!(shown.contains("↷main"), "{shown:?}");
    let plain = env.plain(payload(ID, &env.path("repo"), json!({})));
    assert_eq!(plain, "aiterm main 45m Fixing login ⚠2 ↷main -> dev\n");
}

#[test]
fn a_session_in_a_folder_above_is_no_conflict() {
    let env = Stage::new();
    let client = Client::new();
    env.manifest(OTHER, client.pid(), "project", json!({}));
    assert_eq!(env.plain(payload(ID, &env.path("project/sub"), json!({}))), "sub\n");
    assert_eq!(env.plain(payload(ID, &env.path("project"), json!({}))), "project ⚠2\n");
}

#[test]
fn what_the_user_set_wins_over_the_title_and_that_over_the_prompt() {
    let env = Stage::new();
    let client = Client::new();
    for (fields, wanted) in [
        (json!({"task_source": "user"}), " Fixing login"),
        (json!({"task_source": "user", "task": null}), ""),
        (json!({"task_source": "title"}), " Title"),
        (json!({"task_source": "prompt"}), " Title"),
        (json!({"task": null}), " Title"),
        (json!({}), " Fixing login"),
    ] {
        env.manifest(ID, client.pid(), "repo", fields.clone());
        let shown = env.plain(payload(ID, &env.path("repo"), json!({"session_name": "Title"})));
        assert_eq!(shown, format!("aiterm main 45m{wanted}\n"), "{fields}");
    }
}

#[test]
fn the_mark_for_hooks_waits_until_one_must_have_come() {
    let client = Client::new();
    let env = Stage::new().var("CLAUDE_PID", client.pid().to_string());
    let shown = |milliseconds: u64, started: i64| {
        let started = Timestamp::now().as_millisecond() - started;
        let record = json!({"pid": client.pid(), "sessionId": ID, "startedAt": started}).to_string();
        env.write_file(&format!(".claude/sessions/{}.json", client.pid()), &record);
        env.plain(payload(ID, &env.path("repo"), json!({"cost": {"total_duration_ms": milliseconds}})))
    };
    assert_eq!(shown(60_000, 60_000), "repo main 1m ✗no hooks\n");
    // Resumed this moment; and after /clear.
    assert_eq!(shown(60_000, 500), "repo main 1m\n");
    assert_eq!(shown(500, 60_000), "repo main <1m\n");
}

#[test]
fn a_state_is_shown_where_the_format_asks() {
    let env = Stage::new().var("AIT_STATUSLINE_FORMAT", "{session}[ {state}][ {waiting_for}][ {waiting}]");
    let client = Client::new();
    let fields = json!({"state": "waiting", "state_since": ago(130), "waiting_for": "question"});
    env.manifest(ID, client.pid(), "repo", fields);
    let sent = payload(ID, &env.path("repo"), json!({}));
    assert_eq!(env.plain(&sent), "6425757d waiting question ◷2m\n");
    assert_eq!(env.shows(&["--color", "never", "--icons", "ascii", "--format", "{waiting}"], &sent), "?2m\n");
    // The format of the prompt is another matter.
    let env = Stage::new().var("AIT_FORMAT", "{path}");
    assert_eq!(env.plain(payload(ID, &env.path("repo"), json!({}))), "repo main\n");
}

#[test]
fn bad_input_costs_what_it_brings_and_leaves_a_reason() {
    let env = Stage::new();
    let deep = format!("{{\"model\":{}1{}}}", "[".repeat(10_000), "]".repeat(10_000));
    let garbage: [&[u8]; 8] =
        [b"", b"\n", b"[]", b"null", b"{\"session_id\":", b"\xff\xfe", b"{\"cwd\":\"\\ud800\"}x", b"\0"];
    for (count, bytes) in garbage.into_iter().enumerate() {
        // What the folder that it runs in says.
        let name = env.path("").file_name().unwrap().to_str().unwrap().to_owned();
        assert_eq!(env.plain(bytes), format!("{name}\n"), "{bytes:?}");
        let log = env.log_lines();
        assert_eq!(log.len(), count + 1, "{bytes:?}");
        assert!(log[count].contains("statusline: reading a payload: standard input: "), "{log:?}");
    }
    assert!(env.plain(deep).ends_with('\n'));
    let huge = format!("{{\"x\":\"{}\"}}", "y".repeat(100 << 20));
    assert!(env.plain(huge).starts_with("ait-test-"));
    assert!(env.log_lines().last().unwrap().contains("larger than 1048576 bytes"), "{:?}", env.log_lines());
    // A folder that is none, gone, or relative.
    for cwd in [json!("repo"), json!("/nowhere/x"), json!(7), json!("\u{0}")] {
        assert!(env.plain(json!({ "cwd": cwd }).to_string()).ends_with('\n'), "{cwd}");
    }
}

/// Whatever the client, a manifest or a repository says, the line stays one that a terminal can show.
#[test]
fn no_value_makes_the_line_endless() {
    let env = Stage::new();
    let huge = "x".repeat(400_000);
    let cost = |json: &str| {
        let sent = format!("{{\"cwd\":\"{}\",\"cost\":{{\"total_cost_usd\":{json}}}}}", env.path("repo").display());
        let line = env.plain(sent);
        line.trim_end().strip_prefix("repo main").unwrap().trim_start_matches(" | ").to_owned()
    };
    for (json, shown) in [
        ("1e308", "$1M+"),
        ("\"1e300\"", "$1M+"),
        ("1000000", "$1M+"),
        ("999999.5", "$999999.50"),
        ("12.345", "$12.35"),
        ("0.001", ""),
        ("-1e308", ""),
        ("-0.0", ""),
        ("1e999", ""),
        ("\"NaN\"", ""),
        ("\"inf\"", ""),
        ("\"-infinity\"", ""),
    ] {
        assert_eq!(cost(json), shown, "{json}");
    }
    let client = Client::new();
    env.manifest(
        ID,
        client.pid(),
        "repo",
        json!({"project": huge, "task": huge, "git_branch": huge, "state": "waiting"}),
    );
    fs::write(env.path("repo/.git/HEAD"), format!("ref: refs/heads/{}\n", &huge[..60_000])).unwrap();
    let most = json!({
        "model": {"display_name": huge}, "cost": {"total_cost_usd": 1e308, "total_duration_ms": u64::MAX,
            "total_lines_added": u64::MAX, "total_lines_removed": u64::MAX},
        "context_window": {"used_percentage": 1e308},
        "rate_limits": {"five_hour": {"used_percentage": 1e308}, "seven_day": {"used_percentage": -1e308}},
    });
    let sent = payload(ID, &env.path("repo"), most);
    let all = "{project} {branch} {worktree} {elapsed} {task} {state} {waiting} {waiting_for} {conflict} {count} {path} \
               {session} {moved} {model} {context} {cost} {lines} {limits}";
    let names = "{project} {branch} {task} {model}";
    for format in [all, names, "{model}"] {
        let line = env.shows(&["--color", "never", "--format", format], &sent);
        assert!(line.chars().count() <= 501, "{}: {line}", line.chars().count());
        let narrow = env.shows(&["--color", "never", "--format", format, "--max-width", "60"], &sent);
        assert!(narrow.chars().count() <= 61, "{narrow}");
    }
    let line = env.plain(&sent);
    assert!(line.chars().count() <= 501, "{}: {line}", line.chars().count());
    let prompt = env.ait().current_dir(&env.path("repo")).run("prompt").success();
    assert!((1..=500).contains(&prompt.chars().count()), "{prompt}");
}

#[test]
fn a_broken_manifest_is_not_believed_and_not_touched() {
    let env = Stage::new();
    let file = format!(".claude/sessions/active/{ID}.json");
    env.write_file(&file, "{\"task\":");
    assert_eq!(env.plain(payload(ID, &env.path("repo"), json!({}))), "repo main\n");
    assert_eq!(fs::read(env.path(&file)).unwrap(), b"{\"task\":");
    assert!(
        env.log_lines()[0].contains(&format!("reading a manifest: {}", env.path(&file).display())),
        "{:?}",
        env.log_lines()
    );
}

#[test]
fn a_mistake_in_an_option_does_not_cost_the_line() {
    let env = Stage::new();
    let sent = payload(ID, &env.path("repo"), json!({}));
    let words = ["--format", "{brnch}", "--icons", "big", "--color", "red"];
    assert_eq!(env.shows(&words, &sent), "\u{1b}[1;36mrepo\u{1b}[22;39m \u{1b}[34mmain\u{1b}[39m\n");
    let log = env.log_lines().join("\n");
    assert_eq!(env.ait().run_with_input(&["statusline", "--new", "x"], sent.as_bytes()).exit_code, Some(0));
    for reason in ["did you mean `branch`?", "--icons: `big`: expected unicode", "--color: `red`: expected auto"] {
        assert!(log.contains(reason), "{log}");
    }
}

#[test]
fn without_a_home_there_is_a_line_too() {
    let env = Stage::new().var("HOME", "");
    assert_eq!(env.plain(payload(ID, &env.path("repo"), json!({"model": "opus"}))), "repo main | opus\n");
    let env = Stage::new().var("HOME", "/dev/null");
    assert_eq!(env.plain(payload(ID, &env.path("repo"), json!({"model": "opus"}))), "repo main | opus\n");
}

#[test]
fn colour_unless_it_is_not_wanted() {
    let colored = "\u{1b}[1;36mrepo\u{1b}[22;39m \u{1b}[34mmain\u{1b}[39m\n";
    let env = Stage::new();
    let sent = payload(ID, &env.path("repo"), json!({}));
    assert_eq!(env.shows(&[], &sent), colored);
    let env = Stage::new().var("NO_COLOR", "1");
    let sent = payload(ID, &env.path("repo"), json!({}));
    assert_eq!(env.shows(&[], &sent), "repo main\n");
    assert_eq!(env.shows(&["--color", "always"], &sent), colored);
}

#[test]
fn the_line_keeps_to_the_room_that_the_client_has() {
    let client = Client::new();
    let widths = [("110", 106), ("60", 56), ("40", 36), ("24", 20), ("9", 5), ("5", 1)];
    for (columns, room) in widths {
        let env = Stage::new().var("COLUMNS", columns);
        env.manifest(ID, client.pid(), "repo", json!({"task": "日本語 ".repeat(40)}));
        env.manifest(OTHER, client.pid(), "repo", json!({}));
        let more = json!({"model": {"display_name": "Opus"}, "cost": {"total_cost_usd": 1}});
        let shown = env.plain(payload(ID, &env.path("repo"), more));
        let cells = ait::render::width::cells(shown.trim_end());
        assert!(cells <= room && cells + 12 > room.min(12), "{columns}: {cells}: {shown}");
        // The task goes first; what warns and what comes after stay as long as they can.
        assert_eq!(shown.contains("⚠2 | Opus | $1.00"), room >= 36, "{columns}: {shown}");
        assert_eq!(shown.contains("日本"), room >= 56, "{columns}: {shown}");
    }
    for columns in ["0", "4", "x", ""] {
        let env = Stage::new().var("COLUMNS", columns);
        let sent = payload(ID, &env.path("repo"), json!({"session_name": "x".repeat(150)}));
        assert_eq!(env.plain(&sent).len(), 161, "{columns}");
        assert_eq!(env.shows(&["--color", "never", "--max-width", "11"], &sent), "repo main\n");
    }
}

#[test]
fn a_line_in_40_columns_keeps_the_project_and_the_warning_before_the_model() {
    let client = Client::new();
    let env = Stage::new().var("COLUMNS", "40");
    env.git(&env.path("repo"), "checkout -q -b feature/authentication");
    env.manifest(ID, client.pid(), "repo", json!({"task": "Fixing login"}));
    env.manifest(OTHER, client.pid(), "repo", json!({}));
    let more = json!({"model": {"display_name": "Opus 4.5 (1M context)"}, "cost": {"total_cost_usd": 1}});
    assert_eq!(env.plain(payload(ID, &env.path("repo"), more)), "aiterm feature/authentication 45m ⚠2\n");
}

/// EnterWorktree moves the session, and the client goes on to tell the folder of the start.
#[test]
fn a_session_that_entered_a_worktree_is_shown_there() {
    let env = Stage::new();
    let (client, repo) = (Client::new(), env.path("repo"));
    let worktree = env.path("repo/.claude/worktrees/wt1");
    env.start_session(&client, ID, &repo).no_output();
    let tool = json!({"tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_response": {}});
    env.send_event(&client, "PostToolUse", ID, &worktree, tool).no_output();
    // Another session in the tree of the start is no conflict any more.
    env.manifest(OTHER, client.pid(), "repo", json!({}));
    let sent =
        json!({"session_id": ID, "cwd": repo, "workspace": {"current_dir": repo, "project_dir": repo}}).to_string();
    let format = ["--color", "never", "--format", "{project}|{branch}|{worktree}|{path}|{conflict}"];
    assert_eq!(env.shows(&format, &sent), "repo|worktree-wt1|wt1|~/repo/.claude/worktrees/wt1|\n");

    // In the tree of the start again.
    let tool = json!({"tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_response": {}});
    env.send_event(&client, "PostToolUse", ID, &repo, tool).success();
    assert_eq!(env.shows(&format, &sent), "repo|main||~/repo|⚠2\n");
}

#[test]
fn a_folder_that_no_hook_has_told_yet_is_shown() {
    let env = Stage::new();
    let (client, repo) = (Client::new(), env.path("repo"));
    env.start_session(&client, ID, &repo).no_output();
    // `/cd` sends no event.
    let format = ["--color", "never", "--format", "{project}|{branch}|{path}"];
    assert_eq!(env.shows(&format, payload(ID, &env.path("project"), json!({}))), "project||~/project\n");
    let worktree = env.path("repo/.claude/worktrees/wt1");
    assert_eq!(
        env.shows(&format, payload(ID, &worktree, json!({}))),
        "repo|worktree-wt1|~/repo/.claude/worktrees/wt1\n"
    );
}

/// The client's own record follows both `/cd` and EnterWorktree.
#[test]
fn the_folder_of_the_clients_record_wins_over_that_of_the_payload() {
    let env = Stage::new();
    let (client, repo) = (Client::new(), env.path("repo"));
    let worktree = env.path("repo/.claude/worktrees/wt1");
    env.start_session(&client, ID, &repo).no_output();
    let record = json!({"pid": client.pid(), "sessionId": ID, "cwd": worktree, "status": "idle",
        "procStart": client.start_time().to_string()});
    env.write_file(&format!(".claude/sessions/{}.json", client.pid()), &record.to_string());
    let tool = json!({"tool_name": "Bash", "tool_input": {"command": "ls"}, "tool_response": {},
        "transcript_path": "/elsewhere/t.jsonl"});
    env.send_event(&client, "PostToolUse", ID, &worktree, tool).no_output();
    let format = ["--color", "never", "--format", "{branch}|{worktree}"];
    assert_eq!(env.shows(&format, payload(ID, &repo, json!({}))), "worktree-wt1|wt1\n");
}

#[test]
fn nothing_from_outside_reaches_the_terminal_raw() {
    let env = Stage::new();
    let client = Client::new();
    let hostile = "a\u{1b}[2Jb\u{1b}]8;;http://x\u{1b}\\c\u{7}d\u{9b}5Ce\nf\r\ng\u{202e}h\u{0}i";
    let fields = json!({"project": hostile, "task": hostile, "git_branch": hostile});
    let sent = json!({"model": {"display_name": hostile}, "session_name": hostile,
        "workspace": {"current_dir": "/nowhere", "git_worktree": hostile}, "worktree": {"branch": hostile}});
    for known in [true, false] {
        if known {
            env.manifest(ID, client.pid(), "repo", fields.clone());
        } else {
            fs::remove_file(env.path(&format!(".claude/sessions/active/{ID}.json"))).unwrap();
        }
        let shown = env.shows(&["--color", "never"], payload(ID, Path::new("/nowhere"), sent.clone()));
        assert_eq!(shown.matches("a[2Jb]8;;http://x\\cd5Ce f g").count(), if known { 5 } else { 4 }, "{shown:?}");
        let line = shown.strip_suffix('\n').unwrap();
        assert!(!line.chars().any(|c| c.is_control() || c == '\u{202e}'), "{shown:?}");
    }
    let path = json!({"cwd": format!("/nowhere/{hostile}"), "workspace": null});
    let shown = env.shows(&["--format", "{project} {path} {session}", "--color", "never"], path.to_string());
    assert!(!shown.trim_end().chars().any(char::is_control), "{shown:?}");
}

#[test]
fn the_status_line_that_was_there_before_follows_ours() {
    let env = Stage::new();
    let sent = payload(ID, &env.path("repo"), json!({"model": "opus"}));
    let shown = |then: &str| env.shows(&["--color", "never", "--then", then], &sent);
    let ours = "repo main | opus\n";
    for (then, theirs) in [
        ("echo theirs", "theirs\n"),
        ("printf 'a\\nb\\n\\n\\n'", "a\nb\n"),
        ("printf '\\n \\n  a \\n b'", "  a \n b\n"),
        ("printf '\\033[31mred\\033[0m'", "\u{1b}[31mred\u{1b}[0m\n"),
        ("printf 'x\\377y'", "x\u{fffd}y\n"),
        ("echo \"it's $((1+1))\" | tr a-z A-Z", "IT'S 2\n"),
        ("grep -o '\"model\":\"opus\"'", "\"model\":\"opus\"\n"),
        ("pwd", &format!("{}\n", env.path("").display())),
        // It says something and leaves something behind that holds its output open.
        ("sleep 1000 & echo $! >left; echo theirs", "theirs\n"),
        ("true", ""),
        ("printf '\\n\\n'", ""),
    ] {
        assert_eq!(shown(then), format!("{ours}{theirs}"), "{then}");
    }
    let left = fs::read_to_string(env.path("left")).unwrap();
    assert!(Command::new("kill").arg(left.trim()).status().unwrap().success(), "what it left running goes on");
    assert_eq!(env.log_lines(), [""; 0]);
    // Ours is empty: theirs stands alone. What it gets is what came in.
    assert_eq!(env.shows(&["--format", "{task}", "--then", "cat"], "garbage"), "garbage\n");
}

#[test]
fn a_chained_command_that_fails_does_not_cost_ours() {
    let env = Stage::new();
    let sent = payload(ID, &env.path("repo"), json!({"model": "opus"}));
    for (then, reason) in [
        ("echo half; exit 3", "exit code 3"),
        ("no-such-program", "exit code 127"),
        ("kill -9 $$", "ended by a signal"),
        ("if then", "exit code 2"),
        ("yes", ""),
    ] {
        assert_eq!(env.shows(&["--color", "never", "--then", then], &sent), "repo main | opus\n", "{then}");
        let log = env.log_lines();
        assert!(log.last().unwrap().contains("running the wrapped status line"), "{log:?}");
        assert!(log.last().unwrap().ends_with(reason), "{then}: {log:?}");
    }
}

#[test]
fn a_chained_command_that_hangs_is_ended_with_all_it_started() {
    let env = Stage::new();
    // It does not read either, and this is more than a pipe holds.
    let sent = payload(ID, &env.path("repo"), json!({"model": "opus", "x": "y".repeat(900_000)}));
    let then = "echo half; sleep 1000 & echo $! >child; wait";
    assert_eq!(env.shows(&["--color", "never", "--then", then], &sent), "repo main | opus\n");
    assert!(env.log_lines()[0].ends_with("timed out"), "{:?}", env.log_lines());
    let child: u32 = fs::read_to_string(env.path("child")).unwrap().trim().parse().unwrap();
    wait_until("what it started is gone", || ait::sys::process::look_up(child).is_none_or(|process| process.zombie));
}

#[test]
fn a_chained_command_may_read_late_or_never() {
    let env = Stage::new();
    // More than a pipe holds.
    let sent = payload(ID, &env.path("repo"), json!({"x": "y".repeat(900_000)}));
    let length = sent.len();
    for (then, theirs) in [
        ("echo first; wc -c", format!("first\n{length}")),
        ("exec <&-; echo blind", "blind".to_owned()),
        ("head -c 9 >/dev/null; echo enough", "enough".to_owned()),
        ("head -c 9; sed -n '$='", format!("{}1", &sent[..9])),
    ] {
        let shown = env.shows(&["--color", "never", "--then", then], &sent);
        assert_eq!(shown, format!("repo main\n{theirs}\n"), "{then}");
    }
}

#[test]
fn hooks_list_shows_when_the_status_line_last_ran() {
    let env = TestEnv::new();
    let client = Client::new();
    env.run("hooks install session-register session-cleanup statusline");
    let last_seen = || {
        let hooks = env.run("hooks list --json").json()["hooks"].clone();
        let line = hooks.as_array().unwrap().iter().find(|hook| hook["name"] == "statusline").unwrap().clone();
        line["last_seen"].clone()
    };
    assert_eq!(last_seen(), Value::Null);
    env.start_session(&client, "one", &env.create_dir("p")).no_output();
    assert_eq!(last_seen(), Value::Null, "an event is not the status line");
    let payload = json!({"session_id": "one", "cwd": env.path("p")}).to_string();
    assert_ne!(env.ait().run_with_input(&["statusline"], payload.as_bytes()).stdout, "");
    assert!(last_seen().is_string());
}

#[test]
fn a_status_line_of_several_lines_shows_what_the_format_asks_for() {
    let env = Stage::new().var("COLUMNS", "44");
    let client = Client::new();
    let other = Client::new();
    env.write_manifest(
        OTHER,
        other.pid(),
        &env.path("project"),
        json!({"state": "waiting", "waiting_for": "permission"}),
    );
    env.manifest(
        ID,
        client.pid(),
        "repo",
        json!({"git_dirty": true, "tree": env.path("repo"), "repository": env.path("repo/.git")}),
    );
    env.git(&env.path("repo"), "config user.name dev");
    for name in ["one", "two"] {
        env.write_file("repo/a.txt", name);
        env.git(&env.path("repo"), "add a.txt");
        env.git(&env.path("repo"), "stash --quiet");
    }
    let soon = Timestamp::now().as_second() + 59;
    let sent = payload(
        ID,
        &env.path("repo"),
        json!({
            "session_name": "login", "version": "2.1.330", "output_style": {"name": "Explanatory"},
            "effort": {"level": "high"}, "thinking": {"enabled": true}, "vim": {"mode": "NORMAL"},
            "agent": {"name": "reviewer"}, "workspace": {"added_dirs": ["/a", "/b"]}, "pr": {"number": 12},
            "cost": {"total_cost_usd": 1.5, "total_duration_ms": 1_800_000, "total_api_duration_ms": 95_000},
            "context_window": {"total_input_tokens": 41_000, "total_output_tokens": 950, "used_percentage": 36.5},
            "prompt_cache": {"expires_at": 5}, "rate_limits": {"five_hour": {"used_percentage": 10, "resets_at": soon}},
        }),
    );
    let format = "{branch}{dirty}{fill}{context_bar}\\n[{worktree}]\\n{name} {output_style} {effort} {thinking}\\n\
                  {vim} {agent} {version} {tokens_in} {tokens_out}\\n{cost_rate} {cache} {api_time} {dirs} {pr}\\n\
                  {stash} {others} {resets}";
    assert_eq!(
        env.shows(&["--color", "never", "--format", format], &sent),
        "main*                         ▰▰▰▰▱▱▱▱▱▱\nlogin Explanatory high thinking\nNORMAL reviewer 2.1.330 41k 950\n\
         $3.00/h cache cold api 1m +2 dirs #12\nstash 2 ◷1 5h in <1m\n"
    );
    // What has another type than it should costs only itself.
    let odd = r#"{"session_id":1,"effort":7,"thinking":"yes","workspace":{"added_dirs":{}},"pr":[],"prompt_cache":{"expires_at":-1},
        "cost":null,"version":["a"],"rate_limits":{"five_hour":{"resets_at":"soon"}},"vim":{},"agent":"x","session_name":"n"}"#;
    assert_eq!(
        env.shows(
            &["--color", "never", "--format", "{name}{effort}{thinking}{dirs}{pr}{cache}{version}{vim}{resets}"],
            odd
        ),
        // The limit is that of the payload before.
        "n5h in <1m\n"
    );
    assert_eq!(env.log_lines(), [""; 0]);
}
