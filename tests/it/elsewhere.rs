//! The reminder of a blocked session elsewhere, in folders without a session.

use std::fs;
use std::path::Path;

use serde_json::{Value, json};

use crate::common::{AitCommand, Client, TestEnv, ago};

fn blocked(env: &TestEnv, client: &Client, id: &str, folder: &Path, seconds: i64, more: Value) {
    let mut fields = json!({
        "project": folder.file_name().unwrap().to_str(), "tree": folder, "state": "waiting",
        "state_since": ago(seconds), "waiting_for": "permission: Bash", "pid_start": client.start_time(),
    });
    fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    write(env, client, id, folder, fields);
}

/// In the layout that ait writes.
fn write(env: &TestEnv, client: &Client, id: &str, folder: &Path, fields: Value) {
    let path = env.write_manifest(id, client.pid(), folder, fields);
    let manifest = fs::read_to_string(path).unwrap();
    assert!(manifest.contains("\n  \"state\": \""), "{manifest}");
}

fn prompt<'a>(env: &'a TestEnv, folder: &Path) -> AitCommand<'a> {
    env.ait().current_dir(folder)
}

#[test]
fn prompt_without_a_session_here_names_the_longest_blocked_session_elsewhere() {
    let env = TestEnv::new();
    let client = || Client::new();
    let (a, b, c) = (client(), client(), client());
    let (here, shop, api) = (env.repository("here"), env.repository("shop"), env.create_dir("api"));
    let say = || prompt(&env, &here).run("prompt").success();
    assert_eq!(say(), "");
    blocked(&env, &a, "one", &shop, 190, json!({}));
    blocked(&env, &b, "two", &api, 70, json!({}));
    // Finished is not blocked, and a run without a user waits for nobody.
    blocked(&env, &c, "three", &api, 900, json!({"waiting_for": "input", "turn_finished": true}));
    assert_eq!(say(), "◷shop 3m");
    assert_eq!(prompt(&env, &here).run("prompt --icons ascii").success(), "?shop 3m");
    assert_eq!(prompt(&env, &here).run_args(&["prompt", "--format", "{project}[{elsewhere:2}]"]).success(), "◷s… 3m");
    assert_eq!(prompt(&env, &here).run_args(&["prompt", "--format", "x{project}"]).success(), "");
    // In a folder with a session the segment is about that one.
    assert!(prompt(&env, &shop).run("prompt").success().starts_with("shop main"));
    blocked(&env, &a, "one", &shop, 190, json!({"headless": true}));
    assert_eq!(say(), "◷api 1m");
    b.kill();
    assert_eq!(say(), "");
}

#[test]
fn prompt_elsewhere_follows_the_client_and_escapes_the_name() {
    let env = TestEnv::new();
    let client = Client::new();
    let (here, shop) = (env.repository("here"), env.create_dir("shop"));
    blocked(&env, &client, "one", &shop, 190, json!({"project": "%F{red}$(touch pwned)\u{1b}[31m"}));
    let shown = prompt(&env, &here).run("prompt --for zsh --color never").success();
    assert!(shown.contains("%%F{red}") && !shown.contains('\u{1b}'), "{shown:?}");
    // Esc in the dialog: only the client's own record tells.
    let record = json!({
        "pid": client.pid(), "sessionId": "one", "procStart": client.start_time().to_string(), "cwd": shop,
        "status": "idle", "statusUpdatedAt": jiff::Timestamp::now().as_millisecond() - 5_000,
    });
    env.write_file(&format!(".claude/sessions/{}.json", client.pid()), &record.to_string());
    assert_eq!(prompt(&env, &here).run("prompt").success(), "");
}

/// A shell shows the reminder again only as long as it is true.
#[test]
fn prompt_elsewhere_is_valid_for_five_seconds_and_while_the_process_runs() {
    let env = TestEnv::new();
    let client = Client::new();
    let (here, shop) = (env.repository("here"), env.create_dir("shop"));
    let ask = || prompt(&env, &here).env("AIT_PROMPT_REUSE", "1").run("prompt").success();
    blocked(&env, &client, "one", &shop, 190, json!({}));
    let now = jiff::Timestamp::now().as_second();
    let answer = ask();
    assert!(answer.starts_with("◷shop 3m\nreuse\t1\n"), "{answer}");
    assert!(answer.contains(&format!("\nprocess\t{}\n", client.pid())), "{answer}");
    let until: i64 = answer.split("until\t").nth(1).unwrap().lines().next().unwrap().parse().unwrap();
    assert!((now + 1..=now + 10).contains(&until), "{answer}");
    // Not blocked: nothing to show, and the revision tells when that changes.
    write(&env, &client, "one", &shop, json!({"tree": shop, "state": "working", "pid_start": client.start_time()}));
    let answer = ask();
    assert!(answer.starts_with("\nreuse\t1\n") && answer.contains("/revision\t"), "{answer}");
    let before = answer.lines().find(|line| line.contains("/revision\t")).unwrap().to_owned();
    env.send_event(&client, "PreToolUse", "one", &shop, json!({"tool_name": "AskUserQuestion", "tool_input": {}}))
        .success();
    let answer = ask();
    assert!(answer.starts_with("◷shop "), "{answer}");
    assert!(!answer.contains(&before), "the revision has changed: {answer}");
}

fn message(answer: &str) -> String {
    let answer: Value = serde_json::from_str(answer).unwrap();
    assert_eq!(answer["hookSpecificOutput"]["additionalContext"], Value::Null, "this is not for the model");
    answer["systemMessage"].as_str().unwrap().to_owned()
}

#[test]
fn start_of_a_session_tells_the_user_who_waits_on_other_projects() {
    let env = TestEnv::new();
    let clients: Vec<Client> = (0..5).map(|_| Client::new()).collect();
    let (here, shop, api) = (env.repository("here"), env.create_dir("shop"), env.create_dir("api"));
    let start = |client: &Client, source: &str, headless: bool| {
        let event = crate::common::payload("SessionStart", "new", &here, json!({"source": source}));
        let ait =
            env.ait().child_of(client, "new").env("CLAUDE_CODE_ENTRYPOINT", if headless { "sdk-cli" } else { "cli" });
        let said = ait.hook(&event).success();
        env.end_session(client, "new", &here, "logout");
        said
    };
    assert_eq!(start(&clients[0], "startup", false), "");
    let finished = json!({"state": "idle", "waiting_for": null, "turn_finished": true});
    blocked(&env, &clients[1], "two", &api, 725, finished);
    blocked(&env, &clients[2], "one", &shop, 190, json!({"project": "sh\u{1b}op\n"}));
    let said = message(&start(&clients[0], "startup", false));
    assert_eq!(
        said,
        "Elsewhere: sh op  waits for permission: Bash (3m); api finished its turn 12m ago. ait sessions next --all"
    );
    // After a compaction, and without a user, nobody is to be told.
    assert_eq!(start(&clients[0], "compact", false), "");
    assert_eq!(start(&clients[0], "startup", true), "");
    // With another session on the same repository there are both.
    env.start_session(&clients[3], "other", &here).success();
    let answer: Value = serde_json::from_str(&start(&clients[0], "startup", false)).unwrap();
    let said = answer["systemMessage"].as_str().unwrap();
    assert!(said.starts_with("here: 1 other live session") && said.contains("\nElsewhere: "), "{said}");
    assert!(!answer["hookSpecificOutput"]["additionalContext"].as_str().unwrap().contains("Elsewhere"));
}
