//! `ait hook`: the stories that Claude Code's events tell, in every kind of place, also all at once and in ruins.

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::symlink;
use std::path::Path;
use std::process::Stdio;

use crate::common::{AIT, Client, TestEnv, file_names, payload, process_start_time, read_json, wait_until};
use serde_json::{Value, json};

fn resume(env: &TestEnv, client: &Client, id: &str, folder: &Path) {
    env.send_event(client, "SessionStart", id, folder, json!({"source": "resume"})).success();
}

mod life {
    use super::*;

    #[test]
    fn registered_with_the_documented_fields() {
        let env = TestEnv::new();
        let client = Client::new();
        let tree = env.repository("aiterm");
        env.write_file("aiterm/new", "");
        let folder = env.create_dir("aiterm/src");
        env.start_session(&client, "one", &folder).no_output();
        let manifest = env.active_manifest("one");
        for (name, value) in [
            ("session_id", json!("one")),
            ("project", json!("aiterm")),
            ("path", json!(folder)),
            ("git_branch", json!("main")),
            ("git_dirty", json!(true)),
            ("pid", json!(client.pid())),
            ("task", Value::Null),
            ("pid_start", json!(client.start_time())),
            ("head", json!(env.git(&tree, "rev-parse HEAD"))),
            ("state", json!("idle")),
            ("model", json!("claude-opus-5-5")),
            ("user", json!("dev")),
        ] {
            assert_eq!(manifest[name], value, "{name} of {manifest:#}");
        }
        let text = fs::read_to_string(env.sessions_path("active/one.json")).unwrap();
        let lines: Vec<&str> = text.lines().take(9).map(|line| line.trim().split(':').next().unwrap()).collect();
        let order = [
            "{",
            "\"session_id\"",
            "\"project\"",
            "\"path\"",
            "\"git_branch\"",
            "\"git_dirty\"",
            "\"started\"",
            "\"pid\"",
            "\"task\"",
        ];
        assert_eq!(lines, order, "one field a line, the documented ones first");
    }

    #[test]
    fn a_turn_changes_branch_head_and_state() {
        let env = TestEnv::new();
        let client = Client::new();
        let tree = env.repository("aiterm");
        env.start_session(&client, "one", &tree).no_output();
        let started = env.active_manifest("one")["started"].clone();
        env.git(&tree, "checkout --quiet -b feature/x");
        env.git(&tree, "commit --quiet --allow-empty --message=two");
        env.send_event(&client, "UserPromptSubmit", "one", &tree, json!({"prompt": "go on"})).no_output();
        let manifest = env.active_manifest("one");
        assert_eq!((&manifest["git_branch"], &manifest["state"]), (&json!("feature/x"), &json!("working")));
        assert_eq!(manifest["head"], json!(env.git(&tree, "rev-parse HEAD")));
        assert_eq!(manifest["started"], started);
        env.send_event(&client, "PreToolUse", "one", &tree, json!({"tool_name": "Bash"})).no_output();
        let note = json!({"notification_type": "permission_prompt", "message": "Claude needs your permission"});
        env.send_event(&client, "Notification", "one", &tree, note).no_output();
        assert_eq!(env.active_manifest("one")["waiting_for"], "permission: Bash");
        env.send_event(&client, "PostToolUse", "one", &tree, json!({"tool_name": "Bash"})).no_output();
        assert_eq!(env.active_manifest("one")["state"], "working");
        env.send_event(&client, "Stop", "one", &tree, json!({})).no_output();
        assert_eq!(env.active_manifest("one")["state"], "idle");
        // A sub-agent never changes the parent's state.
        env.send_event(&client, "PreToolUse", "one", &tree, json!({"tool_name": "Bash", "agent_id": "a1"})).no_output();
        assert_eq!(env.active_manifest("one")["state"], "idle");
    }

    #[test]
    fn an_end_archives_with_its_reason() {
        let env = TestEnv::new();
        let client = Client::new();
        let folder = env.create_dir("p");
        env.start_session(&client, "one", &folder).no_output();
        env.end_session(&client, "one", &folder, "prompt_input_exit");
        assert_eq!(env.active_ids(), [""; 0]);
        let ended = env.history_manifest("one");
        assert_eq!((&ended["status"], &ended["end_reason"]), (&json!("completed"), &json!("prompt_input_exit")));
        assert!(ended["ended"].as_str().unwrap().ends_with('Z'));
        env.end_session(&client, "one", &folder, "other");
        assert_eq!(env.history_manifest("one"), ended, "a second end changes nothing");
        env.end_session(&client, "never-registered", &folder, "other");
        assert_eq!(env.history_entries().len(), 1);
    }

    #[test]
    fn clear_ends_one_and_starts_another_in_the_same_process() {
        let env = TestEnv::new();
        let client = Client::new();
        let folder = env.create_dir("p");
        env.start_session(&client, "old", &folder).no_output();
        env.end_session(&client, "old", &folder, "clear");
        env.send_event(&client, "SessionStart", "new", &folder, json!({"source": "clear"})).no_output();
        assert_eq!(env.active_ids(), ["new"]);
        assert_eq!(env.active_manifest("new")["pid"], client.pid());
        assert_eq!(env.history_manifest("old")["end_reason"], "clear");
    }

    /// The end can be missing: the hooks of SessionEnd have 1.5 s together, then they are killed.
    #[test]
    fn a_missed_end_is_made_up_for_by_the_next_start_in_the_process() {
        let env = TestEnv::new();
        let client = Client::new();
        let folder = env.create_dir("p");
        env.start_session(&client, "old", &folder).no_output();
        env.send_event(&client, "SessionStart", "new", &folder, json!({"source": "clear"})).no_output();
        assert_eq!(env.active_ids(), ["new"]);
        assert_eq!(env.history_manifest("old")["end_reason"], "replaced");
    }

    #[test]
    fn a_missed_end_of_a_process_that_is_gone() {
        let env = TestEnv::new();
        let client = Client::new();
        let folder = env.create_dir("p");
        env.start_session(&client, "one", &folder).no_output();
        let updated = env.active_manifest("one")["updated"].clone();
        client.kill();
        assert_eq!(
            env.run("sessions live")
                .success_with_warning("1 stale: process no longer exists; type: ait sessions prune"),
            "No live sessions.\n"
        );
        let next = Client::new();
        env.start_session(&next, "two", &folder).no_output();
        let ended = env.history_manifest("one");
        assert_eq!(ended["status"], "pruned");
        assert_eq!(ended["ended"].as_str().unwrap()[..19], updated.as_str().unwrap()[..19], "the last sign of life");
    }

    #[test]
    fn resume_inside_another_session_ends_that_session() {
        let env = TestEnv::new();
        let client = Client::new();
        let folder = env.create_dir("p");
        env.start_session(&client, "first", &folder).no_output();
        env.run("sessions task --session first keep me").success();
        let started = env.active_manifest("first")["started"].clone();
        env.end_session(&client, "first", &folder, "clear");
        env.send_event(&client, "SessionStart", "second", &folder, json!({"source": "clear"})).no_output();
        env.end_session(&client, "second", &folder, "resume");
        resume(&env, &client, "first", &folder);
        assert_eq!(env.active_ids(), ["first"]);
        let manifest = env.active_manifest("first");
        assert_eq!((&manifest["task"], &manifest["started"]), (&json!("keep me"), &started));
        let history: Vec<String> = env.history_entries().into_iter().map(|(_, id)| id).collect();
        assert_eq!(history, ["second"]);
    }

    /// `claude --resume ID`: the same session in another process, perhaps on another day.
    #[test]
    fn resumed_by_another_process_it_leaves_history_and_keeps_task_and_start() {
        let env = TestEnv::new();
        let folder = env.create_dir("p");
        let fields = json!({
            "started": "2025-12-25T14:30:00Z", "task": "set long ago", "task_source": "user", "x_future": [1],
            "end_reason": "other", "pid": 1,
        });
        env.write_history_manifest("2025-12-26", "one", "2025-12-26T15:00:00Z", fields);
        let client = Client::new();
        resume(&env, &client, "one", &folder);
        let manifest = env.active_manifest("one");
        assert_eq!(manifest["started"], "2025-12-25T14:30:00Z");
        assert_eq!((&manifest["task"], &manifest["x_future"]), (&json!("set long ago"), &json!([1])));
        assert_eq!((&manifest["pid"], &manifest["pid_start"]), (&json!(client.pid()), &json!(client.start_time())));
        for gone in ["ended", "status", "end_reason"] {
            assert!(manifest.get(gone).is_none_or(Value::is_null), "{gone} of {manifest:#}");
        }
        assert_eq!(env.history_entries(), []);
    }

    #[test]
    fn resumed_after_a_crash_it_is_the_same_session() {
        let env = TestEnv::new();
        let (client, folder) = (Client::new(), env.create_dir("p"));
        env.start_session(&client, "one", &folder).no_output();
        env.run("sessions task --session one keep me").success();
        client.kill();
        let next = Client::new();
        resume(&env, &next, "one", &folder);
        let manifest = env.active_manifest("one");
        assert_eq!((&manifest["task"], &manifest["pid"]), (&json!("keep me"), &json!(next.pid())));
        assert_eq!(env.history_entries(), []);
    }

    #[test]
    fn a_fork_is_a_session_of_its_own() {
        let env = TestEnv::new();
        let clients = [Client::new(), Client::new()];
        let tree = env.repository("aiterm");
        env.start_session(&clients[0], "one", &tree).no_output();
        env.send_event(&clients[1], "SessionStart", "fork", &tree, json!({"source": "fork"})).success();
        assert_eq!(env.active_ids(), ["fork", "one"]);
    }

    #[test]
    fn one_id_in_two_terminals() {
        let env = TestEnv::new();
        let clients = [Client::new(), Client::new()];
        let folder = env.create_dir("p");
        env.start_session(&clients[0], "one", &folder).no_output();
        resume(&env, &clients[1], "one", &folder);
        assert_eq!(env.active_manifest("one")["pid"], clients[1].pid());
        env.end_session(&clients[1], "one", &folder, "other");
        assert_eq!(env.active_manifest("one")["pid"], clients[0].pid(), "the other one lives on");
        resume(&env, &clients[1], "one", &folder);
        env.end_session(&clients[0], "one", &folder, "other");
        assert_eq!(env.active_manifest("one")["pid"], clients[1].pid(), "whichever ends");
        env.end_session(&clients[1], "one", &folder, "other");
        assert_eq!(env.active_ids(), [""; 0]);
        assert_eq!(env.history_manifest("one")["end_reason"], "other");
    }

    #[test]
    fn one_id_in_two_terminals_of_which_one_crashes() {
        let env = TestEnv::new();
        let folder = env.create_dir("p");
        let (crashing, staying) = (Client::new(), Client::new());
        env.start_session(&staying, "one", &folder).no_output();
        resume(&env, &crashing, "one", &folder);
        crashing.kill();
        env.run("sessions prune").stdout_is("Nothing to archive; 1 live.\n");
        env.end_session(&staying, "one", &folder, "other");
        assert_eq!(env.active_ids(), [""; 0]);
    }

    /// A hook that was slow, and comes after the end.
    #[test]
    fn late_events_do_not_resurrect() {
        let env = TestEnv::new();
        let client = Client::new();
        let folder = env.create_dir("p");
        env.start_session(&client, "one", &folder).no_output();
        env.end_session(&client, "one", &folder, "clear");
        let ended = env.history_manifest("one");
        for (event, more) in [
            ("Stop", json!({})),
            ("PostToolUse", json!({"tool_name": "Bash"})),
            ("UserPromptSubmit", json!({"prompt": "late"})),
            ("Notification", json!({"notification_type": "idle_prompt"})),
            ("SessionStart", json!({"source": "compact"})),
        ] {
            env.send_event(&client, event, "one", &folder, more).no_output();
            assert_eq!((env.active_ids().len(), env.history_manifest("one")), (0, ended.clone()), "{event}");
        }
    }

    /// The guide puts the cleanup under `Stop`, and people have it there: the turn ended, the session did not.
    #[test]
    fn a_clean_up_under_stop_does_not_archive() {
        let env = TestEnv::new();
        let client = Client::new();
        let folder = env.create_dir("p");
        env.start_session(&client, "one", &folder).no_output();
        let stop = payload("Stop", "one", &folder, json!({"stop_hook_active": false})).to_string();
        env.ait().child_of(&client, "one").hook_with_input("session-cleanup", stop.as_bytes()).no_output();
        assert_eq!(env.active_manifest("one")["state"], "idle");
        assert_eq!(env.history_entries(), []);
        // And a register script under SessionEnd does not keep it alive.
        let end = payload("SessionEnd", "one", &folder, json!({"reason": "other"})).to_string();
        env.ait().child_of(&client, "one").hook_with_input("session-register", end.as_bytes()).no_output();
        assert_eq!(env.active_ids(), [""; 0]);
    }

    #[test]
    fn hooks_that_were_installed_while_it_ran() {
        let env = TestEnv::new();
        let client = Client::new();
        let folder = env.create_dir("p");
        let record = json!({
            "pid": client.pid(), "sessionId": "one", "procStart": client.start_time().to_string(), "startedAt": 1766759400000u64,
        });
        env.write_file(&format!(".claude/sessions/{}.json", client.pid()), &record.to_string());
        env.send_event(&client, "UserPromptSubmit", "one", &folder, json!({"prompt": "go"})).no_output();
        assert_eq!(env.active_manifest("one")["started"], "2025-12-26T14:30:00Z", "the client knows since when");
        let other = Client::new();
        env.send_event(&other, "Stop", "two", &folder, json!({})).no_output();
        assert_eq!(env.active_manifest("two")["state"], "idle");
    }

    #[test]
    fn a_manifest_written_by_hand_is_taken_over() {
        let env = TestEnv::new();
        let client = Client::new();
        let folder = env.create_dir("p");
        env.write_manifest("one", client.pid(), &folder, json!({"started": "2025-12-26T14:30:00Z"}));
        env.send_event(&client, "UserPromptSubmit", "one", &folder, json!({"prompt": "go"})).no_output();
        let manifest = env.active_manifest("one");
        assert_eq!((&manifest["state"], &manifest["pid_start"]), (&json!("working"), &json!(client.start_time())));
        assert_eq!(manifest["started"], "2025-12-26T14:30:00Z");
        assert_eq!(manifest["task"], "Implementing session coordination", "somebody's word");
        env.end_session(&client, "one", &folder, "other");
        assert_eq!(env.history_manifest("one")["status"], "interrupted");
    }

    #[test]
    fn a_start_tells_of_the_others_on_the_same_project() {
        let env = TestEnv::new();
        let clients = [Client::new(), Client::new(), Client::new(), Client::new()];
        let tree = env.repository("aiterm");
        let worktree = env.worktree(&tree, "beside", "side");
        env.start_session(&clients[0], "abc123", &tree).no_output();
        env.run("sessions task --session abc123 fix the login").success();
        env.start_session(&clients[1], "elsewhere", &env.create_dir("p")).no_output();
        let told: Value = serde_json::from_str(&env.start_session(&clients[2], "here", &tree).success()).unwrap();
        let row = "abc123 on main, started just now, task: fix the login";
        assert_eq!(told["systemMessage"], format!("aiterm: 1 other live session in this working tree\n- {row}"));
        assert_eq!(told["hookSpecificOutput"]["hookEventName"], "SessionStart");
        let context = told["hookSpecificOutput"]["additionalContext"].as_str().unwrap();
        let (first, second) = context.split_once('\n').unwrap();
        assert!(first.starts_with("aiterm: 1 other live session in this working tree; files may change"), "{context}");
        assert_eq!(second, row);
        let told: Value = serde_json::from_str(&env.start_session(&clients[3], "there", &worktree).success()).unwrap();
        let message = told["systemMessage"].as_str().unwrap();
        assert!(message.starts_with("aiterm: 2 other live sessions in another working tree\n"), "{message}");
        assert!(message.contains(", in ~/aiterm") && !message.contains(&tree.display().to_string()), "{message}");
    }
}

mod process {
    use super::*;

    /// Without CLAUDE_PID, on older clients: the nearest ancestor that is a client, not the shell in between. A shell
    /// that goes by the client's name stands for it.
    fn registered_below(env: &TestEnv, name: &str) -> (u32, Value) {
        let shell = std::env::split_paths(&std::env::var_os("PATH").unwrap())
            .map(|folder| folder.join("bash"))
            .find(|file| file.exists())
            .expect("bash is installed");
        let client = env.create_dir("bin").join(name);
        symlink(shell, &client).unwrap();
        env.write_file(
            "event",
            &payload("SessionStart", "one", &env.path(""), json!({"source": "startup"})).to_string(),
        );
        let mut command = env.ait().env("AIT", AIT).command(&client);
        command.args(["-c", "sh -c '\"$AIT\" hook session-register < event; exit $?'; touch done; read stay; exit 0"]);
        let mut running = command.stdin(Stdio::piped()).spawn().unwrap();
        wait_until("the hook has run", || env.path("done").exists());
        let pid = running.id();
        let manifest = env.active_manifest("one");
        let start = process_start_time(pid);
        drop(running.stdin.take());
        running.wait().unwrap();
        assert!(manifest["pid"] != pid || manifest["pid_start"] == start);
        (pid, manifest["pid"].clone())
    }

    #[test]
    fn an_ancestor_by_the_names_of_the_client() {
        for name in ["claude", "claude.exe", "2.1.330"] {
            let (client, stamped) = registered_below(&TestEnv::new(), name);
            assert_eq!(stamped, client, "{name}");
        }
    }

    #[test]
    fn an_ancestor_under_an_unknown_name_but_never_a_shell() {
        let (client, stamped) = registered_below(&TestEnv::new(), "renamed-client");
        assert_eq!(stamped, client);
    }

    /// An older client inside a newer one inherits both of its variables.
    #[test]
    fn the_variables_of_another_session_are_not_believed() {
        let env = TestEnv::new();
        let outer = Client::new();
        let event = payload("SessionStart", "inner", &env.path(""), json!({"source": "startup"}));
        env.ait().child_of(&outer, "outer").hook(&event).no_output();
        assert_ne!(env.active_manifest("inner")["pid"], outer.pid());
    }

    #[test]
    fn a_client_that_moved_to_another_pane_is_stamped_again() {
        let env = TestEnv::new();
        let clients = [Client::new(), Client::new()];
        let folder = env.create_dir("p");
        let send = |client: &Client, event: &str, pane: &str| {
            let event = payload(event, "one", &folder, json!({"source": "startup"}));
            env.ait().child_of(client, "one").env("TMUX_PANE", pane).hook(&event).no_output();
            env.active_manifest("one")
        };
        assert_eq!(send(&clients[0], "SessionStart", "%3")["tmux_pane"], "%3");
        let manifest = send(&clients[0], "Stop", "%4");
        assert_eq!((&manifest["tmux_pane"], &manifest["pid"]), (&json!("%4"), &json!(clients[0].pid())));
    }
}

/// Programs that were started in tmux pass its variables on to what runs outside of it.
#[test]
fn a_pane_of_a_tmux_server_that_is_no_ancestor_is_not_recorded() {
    let env = TestEnv::new();
    let client = Client::new();
    let folder = env.create_dir("p");
    let pane = |server: u32| {
        let event = payload("Stop", "one", &folder, json!({}));
        let tmux = format!("/tmp/a,b/socket,{server},0");
        env.ait().child_of(&client, "one").env("TMUX", &tmux).env("TMUX_PANE", "%3").hook(&event).no_output();
        let manifest = env.active_manifest("one");
        [manifest["tmux_pane"].clone(), manifest["tmux_socket"].clone()]
    };
    let other = Client::new();
    // The parent of the client.
    assert_eq!(pane(std::process::id()), [json!("%3"), json!("/tmp/a,b/socket")]);
    assert_eq!(pane(other.pid()), [json!(null), json!(null)]);
}

mod places {
    use super::*;

    /// Starts a session in a folder and gives its manifest.
    fn registered(env: &TestEnv, folder: &Path) -> Value {
        let client = Client::new();
        env.start_session(&client, "one", folder).no_output();
        env.active_manifest("one")
    }

    fn project_branch_dirty(manifest: &Value) -> [Value; 3] {
        ["project", "git_branch", "git_dirty"].map(|name| manifest[name].clone())
    }

    #[test]
    fn hook_outside_of_a_repository_writes_no_branch() {
        let env = TestEnv::new();
        let manifest = registered(&env, &env.create_dir("plain folder"));
        assert_eq!(project_branch_dirty(&manifest), [json!("plain folder"), Value::Null, Value::Null]);
        assert_eq!(manifest["head"], Value::Null);
    }

    #[test]
    fn hook_in_a_deleted_folder_keeps_the_session() {
        let env = TestEnv::new();
        let client = Client::new();
        let tree = env.repository("aiterm");
        let folder = env.create_dir("aiterm/deep/down");
        env.start_session(&client, "one", &folder).no_output();
        fs::remove_dir_all(env.path("aiterm/deep")).unwrap();
        env.send_event(&client, "Stop", "one", &folder, json!({})).no_output();
        let manifest = env.active_manifest("one");
        assert_eq!((&manifest["project"], &manifest["path"]), (&json!("aiterm"), &json!(folder)));
        fs::remove_dir_all(&tree).unwrap();
        env.send_event(&client, "Stop", "one", &folder, json!({})).no_output();
        env.run("sessions live").success();
        env.end_session(&client, "one", &folder, "other");
        assert_eq!(env.history_manifest("one")["path"], json!(folder));
    }

    /// A process may stand in a folder that is gone, and Claude Code say nothing of another.
    #[test]
    fn started_in_a_deleted_folder() {
        let env = TestEnv::new();
        let client = Client::new();
        let folder = env.create_dir("gone");
        env.write_file("event", &json!({"session_id": "one", "hook_event_name": "SessionStart"}).to_string());
        let ask = env.ait().current_dir(&folder).child_of(&client, "one").env("AIT", AIT);
        let script = "rmdir ../gone; \"$AIT\" hook session-register < ../event; \"$AIT\" sessions live";
        let output = ask.command("sh").args(["-c", script]).output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        assert_eq!(env.active_ids(), ["one"]);
    }

    #[test]
    fn a_worktree_is_of_its_repositorys_project() {
        let env = TestEnv::new();
        let tree = env.repository("aiterm");
        let worktree = env.worktree(&tree, "aiterm/.claude/worktrees/wt1", "worktree-wt1");
        let manifest = registered(&env, &worktree);
        assert_eq!(project_branch_dirty(&manifest), [json!("aiterm"), json!("worktree-wt1"), json!(false)]);
    }

    #[test]
    fn hook_in_a_bare_repository_writes_its_project() {
        let env = TestEnv::new();
        let bare = env.create_dir("aiterm.git");
        env.git(&bare, "init --quiet --bare --initial-branch=main");
        let manifest = registered(&env, &bare);
        assert_eq!(manifest["project"].as_str().unwrap().trim_end_matches(".git"), "aiterm");
        env.run("sessions live").success_with_warning("1 stale: process no longer exists; type: ait sessions prune");
    }

    #[test]
    fn a_worktree_of_a_bare_repository() {
        let env = TestEnv::new();
        let source = env.repository("source");
        env.git(&env.path(""), &format!("clone --quiet --bare {} aiterm.git", source.display()));
        let worktree = env.worktree(&env.path("aiterm.git"), "trees/feature", "feature");
        let manifest = registered(&env, &worktree);
        assert_eq!(manifest["git_branch"], "feature");
        assert_eq!(manifest["project"], "aiterm", "{manifest:#}");
    }

    #[test]
    fn a_submodule_is_a_project_of_its_own() {
        let env = TestEnv::new();
        let inner = env.repository("inner");
        let outer = env.repository("outer");
        let words = format!("-c protocol.file.allow=always submodule --quiet add {} libs/part", inner.display());
        env.git(&outer, &words);
        let manifest = registered(&env, &outer.join("libs/part"));
        assert_eq!(project_branch_dirty(&manifest), [json!("part"), json!("main"), json!(false)]);
    }

    #[test]
    fn hook_at_a_detached_head_writes_the_commit() {
        let env = TestEnv::new();
        let tree = env.repository("aiterm");
        env.git(&tree, "checkout --quiet --detach");
        let client = Client::new();
        env.start_session(&client, "one", &tree).no_output();
        let manifest = env.active_manifest("one");
        let commit = env.git(&tree, "rev-parse HEAD");
        assert_eq!(project_branch_dirty(&manifest), [json!("aiterm"), Value::Null, json!(false)]);
        assert_eq!(manifest["head"], json!(commit));
        let shown = env.run("sessions live").success();
        assert!(shown.contains(&format!("1. aiterm ({}) - <1m\n", &commit[..7])), "{shown}");
    }

    /// Before the next event tells of it.
    #[test]
    fn a_prompt_after_head_was_detached_shows_the_commit() {
        let env = TestEnv::new();
        let tree = env.repository("aiterm");
        let client = Client::new();
        env.start_session(&client, "one", &tree).no_output();
        env.git(&tree, "checkout --quiet --detach");
        let commit = env.git(&tree, "rev-parse HEAD");
        let said = env.ait().current_dir(&tree).run_args(&["prompt", "--format", "{branch}"]).success();
        assert_eq!(said, commit[..7]);
        let payload = json!({"session_id": "one", "cwd": tree}).to_string();
        let said = env
            .ait()
            .run_with_input(&["statusline", "--format", "{branch}", "--color", "never"], payload.as_bytes())
            .success();
        assert_eq!(said.trim_end(), &commit[..7]);
    }

    #[test]
    fn hook_on_an_unborn_branch_writes_its_name() {
        let env = TestEnv::new();
        let tree = env.create_dir("aiterm");
        env.git(&tree, "init --quiet --initial-branch=trunk");
        let manifest = registered(&env, &tree);
        assert_eq!(project_branch_dirty(&manifest), [json!("aiterm"), json!("trunk"), json!(false)]);
        assert_eq!(manifest["head"], Value::Null);
    }

    /// git 2.45 and newer can keep refs in tables instead of files.
    #[test]
    fn hook_in_a_repository_with_a_reftable_writes_the_branch() {
        let env = TestEnv::new();
        let tree = env.create_dir("aiterm");
        let init = env
            .ait()
            .current_dir(&tree)
            .command("git")
            .args(["init", "--quiet", "--ref-format=reftable", "--initial-branch=main"])
            .output();
        if !init.unwrap().status.success() {
            eprintln!("this git knows no reftable");
            return;
        }
        env.git(&tree, "commit --quiet --allow-empty --message=start");
        let client = Client::new();
        env.start_session(&client, "one", &tree).no_output();
        let manifest = env.active_manifest("one");
        assert_eq!(project_branch_dirty(&manifest), [json!("aiterm"), json!("main"), json!(false)]);
        assert_eq!(manifest["head"], json!(env.git(&tree, "rev-parse HEAD")));
        env.send_event(&client, "Stop", "one", &tree, json!({})).no_output();
        assert_eq!(project_branch_dirty(&env.active_manifest("one")), [json!("aiterm"), json!("main"), json!(false)]);
    }

    #[test]
    fn a_step_into_a_subfolder_is_no_move_and_one_into_another_tree_is() {
        let env = TestEnv::new();
        let client = Client::new();
        let tree = env.repository("aiterm");
        let worktree = env.worktree(&tree, "aiterm/.claude/worktrees/wt1", "wt1");
        env.start_session(&client, "one", &tree).no_output();
        let after = |folder: &Path| {
            env.send_event(&client, "Stop", "one", folder, json!({})).no_output();
            let manifest = env.active_manifest("one");
            (manifest["path"].clone(), manifest["git_branch"].clone())
        };
        assert_eq!(after(&env.create_dir("aiterm/src")), (json!(tree), json!("main")));
        assert_eq!(after(&worktree), (json!(worktree), json!("wt1")));
        assert_eq!(after(&tree), (json!(tree), json!("main")));
        let elsewhere = env.repository("elsewhere");
        assert_eq!(after(&elsewhere), (json!(elsewhere), json!("main")));
        assert_eq!(env.active_manifest("one")["project"], "elsewhere");
    }

    #[test]
    fn hook_keeps_odd_names_of_folders_and_branches() {
        for name in ["with space", "it's", "日本語", "a\nb", "-rf", "$(touch x)", "100%"] {
            let env = TestEnv::new();
            let tree = env.repository(name);
            let client = Client::new();
            env.start_session(&client, "one", &tree).no_output();
            let manifest = env.active_manifest("one");
            assert_eq!((&manifest["project"], &manifest["path"]), (&json!(name), &json!(tree)));
            let shown = env.ait().current_dir(&tree).run("sessions current --json").json();
            assert_eq!(shown["session"]["project"], name);
            env.run("sessions live").success();
        }
    }
}

mod trouble {
    use super::*;

    /// Whatever comes, the client sees success and nothing to read, and the log has one line.
    #[test]
    fn garbage_is_one_line_in_the_log() {
        let deep = "[".repeat(100_000);
        let long = json!({"session_id": "x".repeat(4096), "hook_event_name": "Stop"}).to_string();
        let torn = payload("SessionStart", "one", Path::new("/"), json!({})).to_string();
        let torn = &torn[..torn.len() / 2];
        for input in [
            b"".as_slice(),
            b"\n",
            b"garbage",
            b"null",
            b"[]",
            b"\"x\"",
            b"{",
            b"{}",
            b"\xff\xfe\x00{}",
            b"{\"session_id\": 7, \"hook_event_name\": \"Stop\"}",
            b"{\"session_id\": \"\", \"hook_event_name\": \"Stop\"}",
            b"{\"session_id\": \"../../escape\", \"hook_event_name\": \"SessionStart\"}",
            b"{\"session_id\": \"a/b\", \"hook_event_name\": \"SessionStart\"}",
            b"{\"session_id\": \"..\", \"hook_event_name\": \"SessionStart\"}",
            b"{\"session_id\": \"one\"}",
            b"{\"session_id\": \"one\", \"hook_event_name\": \"\"}",
            b"{\"session_id\": \"one\", \"hook_event_name\": \"Stop\"} trailing",
            deep.as_bytes(),
            long.as_bytes(),
            torn.as_bytes(),
        ] {
            let env = TestEnv::new();
            let shown = String::from_utf8_lossy(&input[..input.len().min(80)]).into_owned();
            for name in ["session-register", "session-cleanup"] {
                env.ait().hook_with_input(name, input).no_output();
            }
            let log = env.log_lines();
            assert_eq!(log.len(), 2, "{shown}: {log:?}");
            assert!(log[0].contains("hook: recording an event: ") && log[0].len() < 600, "{shown}: {log:?}");
            assert_eq!(log[0][20..], log[1][20..], "{shown}");
            let (moment, _) = log[0].split_once(' ').unwrap();
            assert!(moment.parse::<jiff::Timestamp>().is_ok() && moment.ends_with('Z'), "{shown}: {log:?}");
            assert_eq!(env.active_ids(), [""; 0], "{shown}");
            assert_eq!(file_names(&env.path("")).iter().filter(|name| !name.starts_with('.')).count(), 0, "{shown}");
        }
    }

    /// No event can bring the hook to write outside the folder of sessions.
    #[test]
    fn events_with_odd_fields() {
        let env = TestEnv::new();
        let client = Client::new();
        for (number, more) in [
            json!({"cwd": 7}),
            json!({"cwd": ""}),
            json!({"cwd": "relative/folder"}),
            json!({"cwd": "/no/such/folder"}),
            json!({"cwd": "/"}),
            json!({"cwd": "/a\u{0}b"}),
            json!({"model": {"id": "x"}, "source": ["startup"], "session_title": 1}),
            json!({"source": "a source of the future", "new_field": {"deep": [1, 2, {"x": null}]}}),
            json!({"session_title": "\u{1b}]0;evil\u{7}"}),
        ]
        .into_iter()
        .enumerate()
        {
            let id = format!("odd-{number}");
            let said = env.send_event(&client, "SessionStart", &id, &env.path(""), more.clone());
            assert_eq!((said.exit_code, said.stderr.as_str()), (Some(0), ""), "{more}");
            assert!(env.active_ids().contains(&id), "{more}: {:?}", env.log_lines());
        }
        env.send_event(&client, "AnEventOfTheFuture", "odd-8", &env.path(""), json!({})).no_output();
        env.send_event(&client, "../../evil", "odd-8", &env.path(""), json!({})).no_output();
        assert_eq!(env.log_lines(), [""; 0]);
        assert_eq!(file_names(&env.path("")), [".cache", ".claude"]);
    }

    #[test]
    fn an_unknown_or_missing_name_does_no_harm() {
        let env = TestEnv::new();
        let client = Client::new();
        let start = payload("SessionStart", "one", &env.path(""), json!({"source": "startup"})).to_string();
        env.ait().child_of(&client, "one").hook_with_input("some-other-name", start.as_bytes()).no_output();
        assert_eq!(env.active_ids(), ["one"]);
    }

    #[test]
    fn a_manifest_that_does_not_parse_is_left_alone() {
        let env = TestEnv::new();
        let client = Client::new();
        let file = env.write_file(".claude/sessions/active/one.json", "{ torn");
        for event in ["SessionStart", "Stop", "SessionEnd"] {
            env.send_event(&client, event, "one", &env.path(""), json!({"source": "startup"})).no_output();
            assert_eq!(fs::read_to_string(&file).unwrap(), "{ torn", "{event}");
        }
        let log = env.log_lines();
        assert_eq!(log.len(), 3, "{log:?}");
        assert!(log.iter().all(|line| line.contains(&format!("reading a manifest: {}: ", file.display()))), "{log:?}");
        assert!(log.iter().all(|line| line.ends_with("; correct the file, or move it away")), "{log:?}");
    }

    #[test]
    fn without_a_home_or_a_folder_that_can_be_made() {
        let env = TestEnv::new();
        let client = Client::new();
        let event = payload("SessionStart", "one", &env.path(""), json!({"source": "startup"}));
        let ask = env.ait().child_of(&client, "one");
        ask.clone().env_remove("HOME").hook(&event).no_output();
        ask.clone().env("HOME", "/proc/nowhere").hook(&event).no_output();
        ask.clone().env("HOME", "relative").hook(&event).no_output();
        env.write_file("file", "");
        ask.clone().env("AIT_SESSIONS_DIR", env.path("file/below")).hook(&event).no_output();
        ask.env("AIT_SESSIONS_DIR", "relative").hook(&event).no_output();
        assert_eq!(env.active_ids(), [""; 0]);
    }

    /// Where nobody reads what the hook says, and where nobody gives it anything.
    #[test]
    fn hook_with_closed_pipes_exits_with_0() {
        let env = TestEnv::new();
        let clients = [Client::new(), Client::new()];
        env.start_session(&clients[0], "one", &env.path("")).no_output();
        env.write_file(
            "event",
            &payload("SessionStart", "two", &env.path(""), json!({"source": "startup"})).to_string(),
        );
        let ask = env.ait().child_of(&clients[1], "two").env("AIT", AIT);
        for script in [
            "(\"$AIT\" hook session-register < event; echo $? > code) | true",
            "\"$AIT\" hook session-register < event >&-; echo $? > code",
            "\"$AIT\" hook session-register <&-; echo $? > code",
            "\"$AIT\" hook session-register < /dev/null; echo $? > code",
        ] {
            let output = ask.command("sh").args(["-c", script]).output().unwrap();
            wait_until("the hook has ended", || {
                fs::read_to_string(env.path("code")).is_ok_and(|code| code.ends_with('\n'))
            });
            assert_eq!(fs::read_to_string(env.path("code")).unwrap(), "0\n", "{script}");
            assert_eq!((output.stdout.len(), output.stderr.len()), (0, 0), "{script}: {output:?}");
            fs::remove_file(env.path("code")).unwrap();
        }
        assert_eq!(env.active_ids(), ["one", "two"]);
    }

    /// Ten sessions, twenty events each, all at once, and tasks set in between.
    #[test]
    fn two_hundred_hooks_at_once() {
        let env = TestEnv::new();
        let tree = env.repository("aiterm");
        let clients: Vec<Client> = (0..10).map(|_| Client::new()).collect();
        for (number, client) in clients.iter().enumerate() {
            let id = format!("session-{number}");
            env.start_session(client, &id, &tree).success();
            // A field of somebody else's must come through all of it.
            let file = env.sessions_path(&format!("active/{id}.json"));
            let mut manifest = read_json(&file).unwrap();
            manifest["x_kept"] = json!(number);
            fs::write(&file, manifest.to_string()).unwrap();
        }
        std::thread::scope(|scope| {
            for (number, client) in clients.iter().enumerate() {
                let id = format!("session-{number}");
                for half in 0..2 {
                    let (env, tree, id) = (&env, &tree, id.clone());
                    scope.spawn(move || {
                        for turn in 0..10 {
                            let (event, more) = match turn % 5 {
                                0 => ("UserPromptSubmit", json!({"prompt": format!("prompt {number}")})),
                                1 => ("PreToolUse", json!({"tool_name": "Bash"})),
                                2 => ("PostToolUse", json!({"tool_name": "Bash"})),
                                3 => ("Notification", json!({"notification_type": "idle_prompt"})),
                                _ => ("Stop", json!({})),
                            };
                            env.send_event(client, event, &id, tree, more).no_output();
                            if half == 1 && turn == 4 {
                                let words = format!("sessions task --session {id} task {number}");
                                env.run(&words).stdout_is(&format!("Task of {}: task {number}\n", &id[..8]));
                            }
                        }
                    });
                }
            }
            // A reader meanwhile never sees half a manifest, nor misses one.
            let reader = scope.spawn(|| {
                for _ in 0..40 {
                    let shown = env.run("sessions live --json").json();
                    assert_eq!(shown["sessions"].as_array().unwrap().len(), 10);
                }
            });
            reader.join().unwrap();
        });
        for (number, client) in clients.iter().enumerate() {
            let manifest = env.active_manifest(&format!("session-{number}"));
            assert_eq!(manifest["task"], format!("task {number}"), "{manifest:#}");
            assert_eq!((&manifest["x_kept"], &manifest["pid"]), (&json!(number), &json!(client.pid())));
        }
        let mut left = file_names(&env.sessions_path("active"));
        left.retain(|name| !name.ends_with(".json") && !name.ends_with(".activity"));
        assert_eq!(left, [""; 0], "no temporary file is left");
        assert_eq!(env.log_lines(), [""; 0]);
    }
}

/// A day of history that knows the session already, readable or not, loses nothing when the session ends again.
#[test]
fn an_end_never_replaces_what_history_holds() {
    let env = TestEnv::new();
    let client = Client::new();
    let folder = env.create_dir("p");
    env.start_session(&client, "one", &folder).no_output();
    env.end_session(&client, "one", &folder, "other");
    let day = fs::read_dir(env.sessions_path("history")).unwrap().next().unwrap().unwrap().path();
    fs::write(day.join("one.json"), "not JSON, and somebody's").unwrap();
    env.start_session(&client, "one", &folder).no_output();
    env.end_session(&client, "one", &folder, "other");
    assert_eq!(fs::read_to_string(day.join("one.2.json")).unwrap(), "not JSON, and somebody's");
    assert!(read_json(&day.join("one.json")).is_some());
}

/// What is large within the limits of an input costs little all the same.
mod bounded {
    use super::*;

    /// Within this many seconds and KiB of address space; more of either ends it.
    fn within(env: &TestEnv, words: &str, input: &str, limit: &str) -> (Option<i32>, String) {
        let mut command = env.ait().command("timeout");
        command.args(["60", "sh", "-c", &format!("ulimit {limit}; exec \"$0\" {words}"), AIT]);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        // Who does not read all of it closes the pipe.
        let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
        let output = child.wait_with_output().unwrap();
        (output.status.code(), String::from_utf8(output.stderr).unwrap())
    }

    #[test]
    fn a_path_of_a_million_parts_is_none() {
        let env = TestEnv::new();
        let client = Client::new();
        let path = "/x".repeat(1_000_000);
        let more = format!("\"hook_event_name\":\"PostToolUse\",\"tool_name\":\"Write\",\"cwd\":\"{path}\"");
        for event in [
            format!("{{\"session_id\":\"one\",{more}}}"),
            format!("{{\"session_id\":\"one\",{more},\"tool_input\":{{\"file_path\":\"{path}\"}}}}"),
        ] {
            assert_eq!(within(&env, "hook session-register", &event, "-v 1000000"), (Some(0), String::new()));
        }
        let status = format!("{{\"session_id\":\"one\",\"cwd\":\"{path}\"}}");
        assert_eq!(within(&env, "statusline", &status, "-v 1000000").0, Some(0));
        // In a manifest it costs nobody else's prompt.
        env.write_manifest("long", client.pid(), Path::new(&path), json!({"task": "long"}));
        let folder = env.create_dir("p");
        env.write_manifest("short", client.pid(), &folder, json!({"task": "short"}));
        for words in ["prompt", "prompt --all", "sessions live", "sessions conflicts"] {
            assert_eq!(within(&env, words, "", "-v 1000000").0, Some(0), "{words}");
        }
        assert!(env.ait().current_dir(&folder).run("prompt").success().contains("short"));
    }

    #[test]
    fn long_texts_are_not_copied() {
        let env = TestEnv::new();
        let long = "x".repeat(31_000_000);
        let tasks = vec!["{}"; 9_000_000].join(",");
        for (name, more) in [
            ("Stop", format!("\"background_tasks\":[{tasks}]")),
            ("SessionStart", format!("\"cwd\":\"/{long}\\n\"")),
            ("UserPromptSubmit", format!("\"prompt\":\"{long}\"")),
            ("PreToolUse", format!("\"tool_name\":\"Write\",\"tool_input\":{{\"file_path\":\"{long}\"}}")),
        ] {
            let event = format!("{{\"session_id\":\"one\",\"hook_event_name\":\"{name}\",{more}}}");
            let (code, remarks) = within(&env, "hook session-register", &event, "-v 150000");
            assert_eq!((code, remarks), (Some(0), String::new()), "{name}");
        }
        assert_eq!(env.log_lines(), [""; 0]);
        assert!(env.active_manifest("one")["task"].as_str().unwrap().starts_with("xxx"));
    }

    #[test]
    fn a_limit_of_file_sizes_ends_nobody() {
        let env = TestEnv::new();
        let client = Client::new();
        let folder = env.create_dir("p");
        for number in 0..30 {
            env.write_manifest(&format!("s{number}"), client.pid(), &folder, json!({"task": "go"}));
        }
        let event = json!({"session_id": "one", "hook_event_name": "Stop", "cwd": folder}).to_string();
        for (words, input) in [
            ("hook session-register", event.as_str()),
            ("hook session-register", "{torn"),
            ("statusline", "{torn"),
            ("prompt", ""),
        ] {
            assert_eq!(within(&env, words, input, "-f 0"), (Some(0), String::new()), "{words}");
        }
    }
}
