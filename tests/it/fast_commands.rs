//! The fast commands as the kernel sees them: the rules that a test checks in the source are checked here in
//! the system calls. strace is installed by tests/run.sh.
#![cfg(target_os = "linux")]

use crate::common::tools::needs;
use std::fs;
use std::io::Write;
use std::path::Path;
use std::process::Stdio;

use crate::common::{AIT, Client, TestEnv, payload};
use serde_json::{Value, json};

/// A home with two live sessions in a tree, history of some days, and a time zone that must not be looked up.
struct Lab {
    env: TestEnv,
    clients: [Client; 2],
}

impl Lab {
    fn new() -> Lab {
        let lab = Lab { env: TestEnv::new(), clients: [Client::new(), Client::new()] };
        let tree = lab.env.repository("aiterm");
        for (client, id) in lab.clients.iter().zip(["one", "two"]) {
            lab.env.start_session(client, id, &tree).success();
        }
        for day in ["2025-12-24", "2025-12-25"] {
            lab.env.write_history_manifest(day, &format!("ended-{day}"), &format!("{day}T10:00:00Z"), json!({}));
        }
        lab
    }

    fn tree(&self) -> std::path::PathBuf {
        self.env.path("aiterm")
    }

    /// Runs `ait` in the tree and gives the programs that were started, and the files that were opened.
    fn traced(&self, words: &[&str], input: &str) -> (Vec<String>, Vec<String>) {
        let trace = self.env.path("trace");
        let ask =
            self.env.ait().current_dir(&self.tree()).child_of(&self.clients[0], "one").env("TZ", "America/Denver");
        let mut command = ask.command("strace");
        command
            .args(["-f", "-o"])
            .arg(&trace)
            .args(["-e", "trace=execve,open,openat,fork,vfork,clone,clone3", AIT])
            .args(words);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        let (mut started, mut opened) = (Vec::new(), Vec::new());
        for line in fs::read_to_string(&trace).unwrap().lines().filter(|line| !line.contains("= -1 ")) {
            let Some(name) = line.split('"').nth(1) else {
                // A fork; a thread would be one too.
                started.extend(
                    ["fork", "clone"].iter().filter(|call| line.contains(**call)).map(|call| (*call).to_owned()),
                );
                continue;
            };
            if line.contains("execve(") { started.push(name.to_owned()) } else { opened.push(name.to_owned()) }
        }
        assert_eq!(started.remove(0), AIT);
        (started, opened)
    }

    fn hook(&self, event: &str, more: Value) -> (Vec<String>, Vec<String>) {
        let payload = payload(event, "one", &self.tree(), more).to_string();
        self.traced(&["hook", "session-register"], &payload)
    }
}

/// The local date is looked up in one of these.
fn is_zone(file: &str) -> bool {
    file.contains("zoneinfo") || file.contains("localtime") || file.contains("timezone")
}

fn is_history(file: &str) -> bool {
    file.contains("history")
}

#[track_caller]
fn keeps_the_rules((started, opened): (Vec<String>, Vec<String>)) {
    assert_eq!(started, [""; 0], "no process");
    let slow: Vec<&String> = opened.iter().filter(|file| is_zone(file) || is_history(file)).collect();
    assert_eq!(slow, [""; 0], "no time zone, no history");
}

#[test]
fn prompt_obeys_the_rules_of_fast_commands() {
    needs!("strace");
    let lab = Lab::new();
    for dialect in ["plain", "zsh", "bash", "fish", "tmux", "ansi"] {
        keeps_the_rules(lab.traced(&["prompt", "--for", dialect], ""));
    }
    keeps_the_rules(lab.traced(&["prompt", "--all"], ""));
}

#[test]
fn a_hook_between_start_and_end() {
    needs!("strace");
    let lab = Lab::new();
    for (event, more) in [
        ("UserPromptSubmit", json!({"prompt": "go"})),
        ("PreToolUse", json!({"tool_name": "Bash"})),
        ("PostToolUse", json!({"tool_name": "Bash"})),
        ("Notification", json!({"notification_type": "idle_prompt"})),
        ("Stop", json!({})),
        ("PreCompact", json!({})),
    ] {
        keeps_the_rules(lab.hook(event, more));
    }
}

#[test]
fn a_hook_asks_git_when_a_session_starts_and_ends() {
    needs!("strace");
    let lab = Lab::new();
    let is_git = |program: &String| Path::new(program).ends_with("git");
    let (started, opened) = lab.hook("SessionStart", json!({"source": "startup"}));
    assert!(started.iter().any(is_git), "{started:?}");
    // git may look for its own time zone; it comes after the manifest all the same.
    assert!(opened.iter().any(|file| file.contains("active")), "{opened:?}");
    let (started, opened) = lab.hook("SessionEnd", json!({"reason": "other"}));
    assert!(started.iter().any(is_git), "{started:?}");
    assert!(
        opened.iter().any(|file| is_zone(file)) && opened.iter().any(|file| is_history(file)),
        "the local date: {opened:?}"
    );
    // Nobody asks where there is no repository.
    fs::remove_dir_all(lab.tree().join(".git")).unwrap();
    let (started, _) = lab.hook("SessionStart", json!({"source": "resume"}));
    assert!(!started.iter().any(is_git), "{started:?}");
}

/// The sum of all history is never read: `--days` opens the folders of those days.
#[test]
fn history_opens_the_days_asked_for() {
    needs!("strace");
    let lab = Lab::new();
    let (started, opened) = lab.traced(&["sessions", "history", "--date", "2025-12-25"], "");
    assert_eq!(started, [""; 0]);
    assert!(opened.iter().any(|file| file.contains("2025-12-25")), "{opened:?}");
    assert!(!opened.iter().any(|file| file.contains("2025-12-24")), "{opened:?}");
}

/// The prompt tells manifests apart by their bytes: no layout and no field of another program may hide a session.
#[test]
fn the_prompt_shows_a_session_whose_manifest_has_a_foreign_field_tree() {
    let env = TestEnv::new();
    let client = Client::new();
    let (repository, plain) = (env.repository("r"), env.create_dir("plain"));
    let link = env.path("link");
    std::os::unix::fs::symlink(&repository, &link).unwrap();
    let other = json!({"tree": "/other"});
    for (path, folder) in [(&repository, &repository), (&link, &repository), (&plain, &plain)] {
        for tree in [json!({}), json!({"tree": null})] {
            let mut manifest = json!({"session_id": "s", "project": "shown", "path": path, "git_branch": null,
                "git_dirty": null, "started": "2026-01-01T00:00:00Z", "pid": client.pid(), "task": null, "x": other});
            manifest.as_object_mut().unwrap().extend(tree.as_object().unwrap().clone());
            for text in [manifest.to_string(), format!("{manifest:#}"), manifest.to_string().replace(":", ": ")] {
                // The replaced colons may be in the time, too.
                let text = text.replace("T00: 00: 00Z", "T00:00:00Z");
                env.write_file(".claude/sessions/active/s.json", &text);
                let said = env.ait().current_dir(folder).run("prompt --format {project}").success();
                assert!(said.starts_with("shown"), "{said:?} of {text}");
            }
        }
    }
}
