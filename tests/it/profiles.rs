//! Several profiles, each with its own `CLAUDE_CONFIG_DIR`: their sessions see each other, and each writes in its own folder
//! only.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use serde_json::{Value, json};

use crate::common::{Client, CommandOutput, TestEnv, ago, payload, read_json};

const WORK: &str = ".claude-work";

/// Sends an event of a session of the profile in this folder below the home.
fn event(
    env: &TestEnv,
    profile: &str,
    client: &Client,
    event: &str,
    id: &str,
    folder: &Path,
    more: Value,
) -> CommandOutput {
    let ait = env.ait().env("CLAUDE_CONFIG_DIR", env.path(profile)).child_of(client, id).current_dir(folder);
    ait.hook(&payload(event, id, folder, more))
}

fn start(env: &TestEnv, profile: &str, client: &Client, id: &str, folder: &Path) -> CommandOutput {
    event(env, profile, client, "SessionStart", id, folder, json!({"source": "startup"}))
}

/// The ids that `live --json` lists under a profile.
fn live(env: &TestEnv, profile: &str) -> Vec<String> {
    let live = env.ait().env("CLAUDE_CONFIG_DIR", env.path(profile)).run("sessions live --json").json();
    let sessions = live["sessions"].as_array().unwrap().iter();
    sessions.map(|session| session["session_id"].as_str().unwrap().to_owned()).collect()
}

fn roots(env: &TestEnv) -> String {
    fs::read_to_string(env.path(".cache/ait/roots")).unwrap_or_default()
}

#[test]
fn two_profiles_in_one_tree_are_a_conflict_and_the_second_one_is_told() {
    let env = TestEnv::new();
    let tree = env.repository("shop");
    let (one, two) = (Client::new(), Client::new());
    env.start_session(&one, "private", &tree).no_output();
    let told = start(&env, WORK, &two, "work", &tree).success();
    assert!(told.contains("1 other live session in this working tree") && told.contains("- private"), "{told}");
    for profile in [".claude", WORK] {
        assert_eq!(live(&env, profile), ["private", "work"], "{profile}");
        let ait = env.ait().env("CLAUDE_CONFIG_DIR", env.path(profile)).current_dir(&tree);
        let conflicts = ait.run("sessions conflicts --json").json();
        assert_eq!(conflicts["conflicts"][0]["grade"], "shared-tree", "{profile}");
        assert_eq!(ait.run("prompt --format {project}{conflict}").success(), "shop⚠2", "{profile}");
        assert_eq!(ait.run("prompt --all --format {count}{conflict}").success(), "2⚠2", "{profile}");
        assert_eq!(ait.run("sessions current --session work --json").json()["session"]["session_id"], "work");
    }
    let status = json!({"session_id": "private", "workspace": {"current_dir": tree}}).to_string();
    let line = env
        .ait()
        .current_dir(&tree)
        .run_with_input(&["statusline", "--format", "{project}{conflict}", "--color", "never"], status.as_bytes());
    assert_eq!(line.success(), "shop⚠2\n");
    // Each manifest is in its own folder.
    assert_eq!(env.active_ids(), ["private"]);
    assert!(env.path(WORK).join("sessions/active/work.json").is_file());
}

#[test]
fn a_third_session_hears_of_all_profiles_and_moves_nobodys_manifest() {
    let env = TestEnv::new();
    let tree = env.repository("shop");
    let (one, two, three) = (Client::new(), Client::new(), Client::new());
    start(&env, WORK, &one, "gone", &tree).no_output();
    one.kill();
    start(&env, ".claude-else", &two, "else", &tree).no_output();
    let told = env.start_session(&three, "private", &tree).success();
    assert!(told.contains("- else") && !told.contains("gone"), "{told}");
    env.run("sessions prune").stdout_is("Nothing to archive; 1 live.\n");
    assert!(env.path(WORK).join("sessions/active/gone.json").is_file(), "only its own profile archives it");
    let pruned = env.ait().env("CLAUDE_CONFIG_DIR", env.path(WORK)).run("sessions prune").success();
    assert!(pruned.contains("1 archived"), "{pruned}");
}

#[test]
fn a_write_of_another_profile_is_told_before_the_file_is_written() {
    let env = TestEnv::new();
    let tree = env.repository("shop");
    let (one, two) = (Client::new(), Client::new());
    let file = tree.join("cart.rs");
    let edit = |response: bool| {
        let mut more = json!({"tool_name": "Edit", "tool_input": {"file_path": file}, "tool_use_id": "toolu_1"});
        if response {
            more["tool_response"] = json!({"filePath": file});
        }
        more
    };
    start(&env, WORK, &one, "work", &tree).no_output();
    event(&env, WORK, &one, "PostToolUse", "work", &tree, edit(true)).no_output();
    env.start_session(&two, "private", &tree);
    let told = env.send_event(&two, "PreToolUse", "private", &tree, edit(false)).success();
    assert!(told.contains("cart.rs was written") && told.contains("by session work"), "{told}");
    env.send_event(&two, "PostToolUse", "private", &tree, edit(true)).no_output();
    let conflicts = env.run("sessions conflicts --json").json();
    assert_eq!(conflicts["conflicts"][0]["grade"], "clobber", "{conflicts}");
}

#[test]
fn a_checkout_of_another_profile_is_told_to_the_session_whose_tree_it_moved() {
    let env = TestEnv::new();
    let tree = env.repository("shop");
    let (one, two) = (Client::new(), Client::new());
    start(&env, WORK, &one, "work", &tree).no_output();
    env.start_session(&two, "private", &tree);
    let shell = json!({"tool_name": "Bash", "tool_input": {"command": "git switch -c other"}});
    event(&env, WORK, &one, "PreToolUse", "work", &tree, shell.clone()).no_output();
    env.git(&tree, "switch --quiet -c other");
    event(&env, WORK, &one, "PostToolUse", "work", &tree, shell).no_output();
    let told = env.send_event(&two, "UserPromptSubmit", "private", &tree, json!({"prompt": "go"})).success();
    assert!(told.contains("other"), "{told}");
}

#[test]
fn the_state_of_a_session_of_another_profile_comes_from_its_own_registry() {
    let env = TestEnv::new();
    let client = Client::new();
    let tree = env.repository("shop");
    start(&env, WORK, &client, "work", &tree).no_output();
    let record = json!({
        "pid": client.pid(), "sessionId": "work", "procStart": client.start_time().to_string(), "status": "waiting",
        "waitingFor": "permission prompt", "statusUpdatedAt": jiff::Timestamp::now().as_millisecond() + 2,
    });
    env.write_file(&format!("{WORK}/sessions/{}.json", client.pid()), &record.to_string());
    assert_eq!(env.run("sessions live --json").json()["sessions"][0]["state"], "waiting");
    assert_eq!(env.run("sessions next --json").json()["session"]["session_id"], "work");
    assert_eq!(env.ait().current_dir(&tree).run("prompt --format {state}").success(), "waiting");
}

#[test]
fn with_one_profile_no_roots_are_remembered() {
    let env = TestEnv::new();
    let client = Client::new();
    env.start_session(&client, "one", &env.path("")).no_output();
    assert!(!env.path(".cache/ait/roots").exists());
}

#[test]
fn a_root_is_remembered_once_and_the_file_is_written_only_if_it_changes() {
    let env = TestEnv::new();
    let client = Client::new();
    start(&env, WORK, &client, "work", &env.path("")).no_output();
    let line = format!("{}\n", env.path(WORK).join("sessions").display());
    assert_eq!(roots(&env), line);
    let file = env.path(".cache/ait/roots");
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o600);
    let before = fs::metadata(&file).unwrap().modified().unwrap();
    event(&env, WORK, &client, "UserPromptSubmit", "work", &env.path(""), json!({"prompt": "go"})).no_output();
    assert_eq!(fs::metadata(&file).unwrap().modified().unwrap(), before);
    // Any event remembers it again.
    fs::remove_file(&file).unwrap();
    event(&env, WORK, &client, "Stop", "work", &env.path(""), json!({})).no_output();
    assert_eq!(roots(&env), line);
}

#[test]
fn of_many_roots_those_that_are_gone_and_the_oldest_are_forgotten() {
    let env = TestEnv::new();
    let client = Client::new();
    for n in 0..40 {
        start(&env, &format!("profile{n}"), &client, &format!("s{n}"), &env.path(""));
        if n == 30 {
            fs::remove_dir_all(env.path("profile25")).unwrap();
        }
    }
    let roots = roots(&env);
    assert_eq!(roots.lines().count(), 32, "{roots}");
    assert!(!roots.contains("profile25/") && !roots.contains("profile6/") && roots.contains("profile39/"), "{roots}");
}

#[test]
fn a_roots_file_of_garbage_is_ignored_and_replaced() {
    let env = TestEnv::new();
    let (one, two) = (Client::new(), Client::new());
    env.start_session(&one, "private", &env.path("")).no_output();
    env.create_dir(".cache/ait");
    let file = env.path(".cache/ait/roots");
    fs::write(&file, b"relative/path\n\0\n\xff\xfe\n/no/such/folder\n\n../..\n").unwrap();
    assert_eq!(live(&env, ".claude"), ["private"]);
    start(&env, WORK, &two, "work", &env.path(""));
    assert_eq!(roots(&env), format!("{}\n", env.path(WORK).join("sessions").display()));
    // Something of another kind in its place is not followed and not waited for.
    fs::remove_file(&file).unwrap();
    symlink("/dev/zero", &file).unwrap();
    assert_eq!(live(&env, ".claude"), ["private"]);
    fs::remove_file(&file).unwrap();
    assert!(env.ait().command("mkfifo").arg(&file).status().unwrap().success());
    assert_eq!(live(&env, ".claude"), ["private"]);
    fs::write(env.path("big"), vec![b'/'; 1 << 20]).unwrap();
    fs::rename(env.path("big"), &file).unwrap();
    assert_eq!(live(&env, ".claude"), ["private"]);
}

#[test]
fn two_profiles_that_share_one_folder_by_a_symlink_list_each_session_once() {
    let env = TestEnv::new();
    let client = Client::new();
    env.create_dir(".claude/sessions");
    env.create_dir(WORK);
    symlink(env.path(".claude/sessions"), env.path(WORK).join("sessions")).unwrap();
    start(&env, WORK, &client, "work", &env.path("")).no_output();
    assert_eq!((live(&env, ".claude"), live(&env, WORK)), (vec!["work".to_owned()], vec!["work".to_owned()]));
    assert_eq!(env.run("sessions conflicts --json").json()["conflicts"], json!([]));
}

#[test]
fn a_conversation_that_was_resumed_under_another_profile_is_listed_once() {
    let env = TestEnv::new();
    let (one, two) = (Client::new(), Client::new());
    env.start_session(&one, "same", &env.path("")).no_output();
    start(&env, WORK, &two, "same", &env.path("")).no_output();
    assert_eq!((live(&env, ".claude"), live(&env, WORK)), (vec!["same".to_owned()], vec!["same".to_owned()]));
}

#[test]
fn a_sessions_folder_that_is_set_explicitly_stands_alone() {
    let env = TestEnv::new();
    let (one, two) = (Client::new(), Client::new());
    env.start_session(&one, "private", &env.path("")).no_output();
    let own = || env.ait().env("AIT_SESSIONS_DIR", env.path("own"));
    own().child_of(&two, "own").hook(&payload("SessionStart", "own", &env.path(""), json!({"source": "startup"})));
    let ids = |live: Value| -> Vec<String> {
        live["sessions"].as_array().unwrap().iter().map(|s| s["session_id"].as_str().unwrap().to_owned()).collect()
    };
    assert_eq!(ids(own().run("sessions live --json").json()), ["own"]);
    assert_eq!(live(&env, ".claude"), ["private"]);
}

#[test]
fn in_a_folder_of_its_own_the_state_of_every_profile_is_known() {
    let env = TestEnv::new();
    let client = Client::new();
    let own = || env.ait().env("AIT_SESSIONS_DIR", env.path("own"));
    let start = payload("SessionStart", "one", &env.path(""), json!({"source": "startup"}));
    own().env("CLAUDE_CONFIG_DIR", env.path(WORK)).child_of(&client, "one").hook(&start).no_output();
    let record = json!({
        "pid": client.pid(), "sessionId": "one", "procStart": client.start_time().to_string(), "status": "busy",
        "statusUpdatedAt": jiff::Timestamp::now().as_millisecond() + 2,
    });
    env.write_file(&format!("{WORK}/sessions/{}.json", client.pid()), &record.to_string());
    // A dead record of the same pid, under the default profile.
    env.write_file(&format!(".claude/sessions/{}.json", client.pid()), r#"{"sessionId": "x", "procStart": "1"}"#);
    assert_eq!(own().run("sessions live --json").json()["sessions"][0]["state"], "working");
}

#[test]
fn the_task_of_a_session_of_another_profile_is_set_in_its_own_folder() {
    let env = TestEnv::new();
    let client = Client::new();
    let tree = env.repository("shop");
    start(&env, WORK, &client, "work", &tree).no_output();
    env.ait().current_dir(&tree).run_args(&["sessions", "task", "Fix the till"]).success();
    let manifest = read_json(&env.path(WORK).join("sessions/active/work.json")).unwrap();
    assert_eq!(manifest["task"], "Fix the till");
    assert_eq!(env.active_ids(), [""; 0]);
}

#[test]
fn a_folder_of_another_profile_that_cannot_be_read_hides_nothing() {
    let env = TestEnv::new();
    env.write_manifest("private", std::process::id(), &env.path(""), json!({"started": ago(60)}));
    let other = env.create_dir(&format!("{WORK}/sessions/active"));
    env.write_file(".cache/ait/roots", &format!("{}\n", other.parent().unwrap().display()));
    fs::remove_dir(&other).unwrap();
    // A symlink in place of the folder is refused.
    symlink(env.path(""), &other).unwrap();
    let live = env.run("sessions live");
    assert!(live.stdout.contains("aiterm"), "{live:?}");
    assert!(live.stderr.contains(".claude-work/sessions/active"), "{live:?}");
}

#[test]
fn doctor_names_the_profiles() {
    let env = TestEnv::new();
    let client = Client::new();
    let check = |ait: &crate::common::AitCommand<'_>| {
        let doctor: Value = serde_json::from_str(&ait.run("doctor --json").stdout).unwrap();
        let mut checks = doctor["checks"].as_array().unwrap().iter();
        checks.find(|check| check["name"] == "profiles").unwrap()["detail"].as_str().unwrap().to_owned()
    };
    assert_eq!(check(&env.ait()), "one: ~/.claude");
    start(&env, WORK, &client, "work", &env.path("")).no_output();
    assert_eq!(check(&env.ait()), "2: ~/.claude, ~/.claude-work");
    let own = env.ait().env("AIT_SESSIONS_DIR", env.path("own"));
    assert_eq!(check(&own), "AIT_SESSIONS_DIR is set: sessions of other folders are not read");
}
