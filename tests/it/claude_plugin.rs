//! The Claude Code plugin in the repository: its files, and its hooks beside those of `ait hooks install`.

use std::fs;
use std::path::Path;

use ait::claude::settings::{EVENTS, Hook};
use serde_json::{Value, json};

use crate::common::{Client, TestEnv, payload};

const ID: &str = "6425757d-2548-4fb2-9ce2-2c43e134d597";

fn read(name: &str) -> Value {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(name);
    serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap()
}

#[test]
fn hooks_of_the_plugin_are_those_that_every_client_accepts() {
    let hooks = read("plugin/hooks/hooks.json");
    let hooks = hooks["hooks"].as_object().unwrap();
    let expected: Vec<_> = EVENTS.into_iter().filter(|each| each.since.is_none()).collect();
    assert_eq!(hooks.len(), expected.len());
    for each in expected {
        let name = if each.hook == Hook::Cleanup { "session-cleanup" } else { "session-register" };
        let command = format!("! command -v ait >/dev/null || exec ait hook {name} --plugin");
        let mut group = json!({ "hooks": [{ "type": "command", "command": command, "timeout": 5 }] });
        if let Some(matcher) = each.matcher {
            group["matcher"] = matcher.into();
        }
        assert_eq!(hooks[each.event], json!([group]), "{}", each.event);
    }
}

#[test]
fn plugin_and_marketplace_have_the_name_ait_and_the_version_of_the_program() {
    let plugin = read("plugin/.claude-plugin/plugin.json");
    assert_eq!((plugin["name"].as_str(), plugin["version"].as_str()), (Some("ait"), Some(env!("CARGO_PKG_VERSION"))));
    let marketplace = read(".claude-plugin/marketplace.json");
    assert_eq!(marketplace["plugins"][0]["name"], "ait");
    assert_eq!(marketplace["plugins"][0]["source"], "./plugin");
}

#[test]
fn hook_with_plugin_records_only_if_the_settings_do_not_call_ait() {
    let env = TestEnv::new();
    let folder = env.create_dir("project");
    let client = Client::new();
    let start = payload("SessionStart", ID, &folder, json!({ "source": "startup" })).to_string();
    let hook = |name: &str| {
        env.ait().child_of(&client, ID).run_with_input(&["hook", name, "--plugin"], start.as_bytes()).success()
    };
    assert_eq!(env.run("hooks install").exit_code, Some(0));
    assert_eq!(hook("session-register"), "");
    assert!(env.active_ids().is_empty());
    // Only one of the two hooks is in the settings.
    env.run("hooks uninstall session-register").success();
    hook("session-register");
    assert_eq!(env.active_ids(), [ID]);
    let end = payload("SessionEnd", ID, &folder, json!({ "reason": "logout" })).to_string();
    let end = |env: &TestEnv| {
        env.ait().child_of(&client, ID).run_with_input(&["hook", "session-cleanup", "--plugin"], end.as_bytes())
    };
    end(&env).no_output();
    assert_eq!(env.active_ids(), [ID]);
    env.run("hooks uninstall").success();
    end(&env).no_output();
    assert!(env.active_ids().is_empty());
}

#[test]
fn hooks_list_and_doctor_know_the_plugin() {
    let env = TestEnv::new();
    let settings = env.write_file(".claude/settings.json", r#"{"enabledPlugins": {"ait@somewhere": true}}"#);
    let states = || {
        let list = serde_json::from_str::<Value>(&env.run("hooks list --json").stdout).unwrap();
        let rows = list["hooks"].as_array().unwrap().clone();
        rows.iter().filter(|row| row["name"] != "statusline").map(|row| row["state"].clone()).collect::<Vec<_>>()
    };
    let hooks_check = || {
        let output = env.run("doctor --json");
        let doctor: Value = serde_json::from_str(&output.stdout).unwrap();
        doctor["checks"].as_array().unwrap().iter().find(|check| check["name"] == "hooks").unwrap().clone()
    };
    assert!(states().iter().all(|state| state == "plugin"), "{:?}", states());
    assert!(!env.run("hooks list").success().contains("Hooks are missing"));
    let hooks = hooks_check();
    assert!(hooks["detail"].as_str().unwrap().starts_with("run by the Claude Code plugin for 7 events"), "{hooks}");
    // Both: the settings win.
    assert_eq!(env.run("hooks install").exit_code, Some(0));
    assert!(states().iter().all(|state| state == "yes"), "{:?}", states());
    let said = env.run("hooks list").stderr;
    assert!(said.contains("the Claude Code plugin is enabled too; it does nothing"), "{said}");
    assert!(hooks_check()["detail"].as_str().unwrap().starts_with("installed beside the Claude Code plugin"));
    // Disabled.
    env.run("hooks uninstall").success();
    fs::write(settings, r#"{"enabledPlugins": {"ait@somewhere": false}}"#).unwrap();
    assert!(states().iter().all(|state| state == "no"), "{:?}", states());
}
