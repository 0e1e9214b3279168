//! Which sessions count as live: pid namespaces, host names, several sessions recorded for one process, and the folder of
//! Claude Code's own records.

use std::fs;
use std::process::Stdio;

use serde_json::{Value, json};

use crate::common::{AIT, Client, TestEnv, ago, payload};

/// The ids that `live --json` lists.
fn live_ids(env: &TestEnv) -> Vec<String> {
    let live = env.run("sessions live --json").json();
    live["sessions"]
        .as_array()
        .unwrap()
        .iter()
        .map(|session| session["session_id"].as_str().unwrap().to_owned())
        .collect()
}

/// Claude Code's record of a client, in a folder below the home.
fn record(env: &TestEnv, below: &str, client: &Client, id: &str, status: &str) {
    let record = json!({
        "pid": client.pid(), "sessionId": id, "cwd": env.path(""), "procStart": client.start_time().to_string(),
        "status": status, "statusUpdatedAt": jiff::Timestamp::now().as_millisecond() + 2, "version": "2.1.332",
    });
    env.write_file(&format!("{below}/{}.json", client.pid()), &record.to_string());
}

/// Changes a field of an active manifest.
fn edit(env: &TestEnv, id: &str, field: &str, value: Value) {
    let file = env.sessions_path(&format!("active/{id}.json"));
    let mut manifest = env.active_manifest(id);
    manifest[field] = value;
    fs::write(file, manifest.to_string()).unwrap();
}

/// Runs `ait` in a pid namespace of its own, as in a container that shares the home folder; `None` if that is not allowed.
#[cfg(target_os = "linux")]
fn in_a_container(env: &TestEnv, words: &str, input: &[u8]) -> Option<String> {
    use std::io::Write as _;
    let mut command = env.ait().command("unshare");
    command.args(["--user", "--map-root-user", "--pid", "--fork", "--mount-proc", AIT]).args(words.split(' '));
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().ok()?;
    let _ = child.stdin.take().unwrap().write_all(input);
    let output = child.wait_with_output().unwrap();
    let text = String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout);
    if text.contains("unshare: ") {
        println!("skipped: {text}");
        return None;
    }
    Some(text)
}

#[test]
#[cfg(target_os = "linux")]
fn a_session_of_another_pid_namespace_is_elsewhere_and_never_archived() {
    let env = TestEnv::new();
    let client = Client::new();
    env.start_session(&client, "host", &env.path("")).no_output();
    let Some(pruned) = in_a_container(&env, "sessions prune", b"") else { return };
    assert!(
        pruned.contains("1 session of another container or machine cannot be seen from here and is left alone"),
        "{pruned}"
    );
    let start = payload("SessionStart", "inside", &env.path(""), json!({"source": "startup"}));
    in_a_container(&env, "hook session-register", format!("{start}\n").as_bytes()).unwrap();
    in_a_container(&env, "doctor --fix", b"").unwrap();
    let listed = in_a_container(&env, "sessions live", b"").unwrap();
    assert!(listed.contains("Elsewhere: in another container on this machine"), "{listed}");
    assert!(env.active_ids().contains(&"host".to_owned()));
    // Seen from the host it is simply live.
    let live = env.run("sessions live --json").json();
    let host = live["sessions"].as_array().unwrap().iter().find(|session| session["session_id"] == "host").unwrap();
    assert_eq!((&host["liveness"], &host["live"]), (&json!("live"), &json!(true)));
}

#[test]
#[cfg(target_os = "linux")]
fn an_elsewhere_session_counts_for_a_day_and_is_pruned_only_on_request() {
    let env = TestEnv::new();
    let client = Client::new();
    let tree = env.repository("shop");
    env.start_session(&client, "inside", &tree).no_output();
    // Its pid means nothing here.
    client.kill();
    edit(&env, "inside", "pid_namespace", json!(1));
    let prompt = || env.ait().current_dir(&tree).run("prompt --format {project}").success();
    assert_eq!((live_ids(&env), prompt()), (vec!["inside".to_owned()], "shop".to_owned()));
    env.run("sessions prune --elsewhere --dry-run").success_with_warning(
        "1 session of another container or machine cannot be seen from here and is left alone; their last event is less than a day old",
    );
    edit(&env, "inside", "updated", json!(ago(86_500)));
    assert_eq!((live_ids(&env), prompt()), (vec![], String::new()));
    let pruned: Value = serde_json::from_str(&env.run("sessions prune --json").stdout).unwrap();
    assert_eq!(pruned["elsewhere"], 1);
    assert_eq!(env.active_ids(), ["inside"], "without --elsewhere it stays");
    env.run("sessions prune --elsewhere").success();
    assert_eq!(env.active_ids(), [""; 0]);
    assert_eq!(env.history_manifest("inside")["status"], "pruned");
}

#[test]
fn after_a_change_of_the_host_name_a_dead_session_is_stale() {
    let env = TestEnv::new();
    let client = Client::new();
    env.start_session(&client, "one", &env.path("")).no_output();
    edit(&env, "one", "host", json!("old-name"));
    assert_eq!(live_ids(&env), ["one"], "its process runs, whatever the host is called now");
    client.kill();
    let live = env.run("sessions live");
    assert!(live.stderr.contains("1 stale: process no longer exists"), "{live:?}");
}

#[test]
fn a_session_of_another_boot_and_host_is_elsewhere() {
    let env = TestEnv::new();
    env.write_manifest("far", 1, &env.path(""), json!({"host": "far", "boot_id": "b", "updated": ago(60)}));
    let live = env.run("sessions live --json").json();
    assert_eq!(live["sessions"][0]["liveness"], "elsewhere");
    env.write_manifest(
        "old",
        1,
        &env.path(""),
        json!({"host": ait::sys::process::host(), "boot_id": "b", "updated": ago(60)}),
    );
    let live = env.run("sessions live --json");
    assert!(live.stderr.contains("1 stale: process no longer exists"), "the same host after a reboot: {live:?}");
}

#[test]
fn of_two_sessions_in_one_process_the_one_in_the_clients_record_is_live() {
    let env = TestEnv::new();
    let client = Client::new();
    let tree = env.repository("shop");
    env.start_session(&client, "real", &tree).no_output();
    record(&env, ".claude/sessions", &client, "real", "idle");
    env.start_session(&client, "phantom", &tree);
    env.send_event(&client, "UserPromptSubmit", "real", &tree, json!({"prompt": "fix the cart"}));
    assert_eq!(live_ids(&env), ["real"]);
    assert_eq!(env.run("sessions conflicts --json").json()["conflicts"], json!([]));
    assert_eq!(env.ait().current_dir(&tree).run("prompt --format {task}[{conflict}]").success(), "fix the cart");
    env.run("sessions prune").stdout_is("Nothing to archive; 2 live.\n");
}

#[test]
fn of_two_sessions_in_one_process_without_a_record_the_one_with_the_latest_event_is_live() {
    let env = TestEnv::new();
    let client = Client::new();
    env.start_session(&client, "real", &env.path("")).no_output();
    env.start_session(&client, "phantom", &env.path(""));
    std::thread::sleep(std::time::Duration::from_millis(5));
    env.send_event(&client, "UserPromptSubmit", "real", &env.path(""), json!({"prompt": "go"}));
    assert_eq!(live_ids(&env), ["real"]);
}

#[test]
fn a_clear_without_an_end_archives_the_session_before_it() {
    let env = TestEnv::new();
    let client = Client::new();
    env.start_session(&client, "before", &env.path("")).no_output();
    env.send_event(&client, "SessionStart", "after", &env.path(""), json!({"source": "clear"}));
    assert_eq!(live_ids(&env), ["after"]);
    assert_eq!(env.history_manifest("before")["end_reason"], "replaced");
}

#[test]
fn the_clients_records_are_found_whatever_the_sessions_folder_is() {
    let env = TestEnv::new();
    let client = Client::new();
    let own = || env.ait().env("AIT_SESSIONS_DIR", env.path("elsewhere"));
    let tree = env.repository("shop");
    for (event, more) in [("SessionStart", json!({"source": "startup"})), ("UserPromptSubmit", json!({"prompt": "go"}))]
    {
        let payload = payload(event, "one", &tree, more);
        own().child_of(&client, "one").hook(&payload);
    }
    record(&env, ".claude/sessions", &client, "one", "waiting");
    let live = own().run("sessions live --json").json();
    assert_eq!(live["sessions"][0]["state"], "waiting");
}
