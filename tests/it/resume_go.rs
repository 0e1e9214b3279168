//! `ait sessions resume --go`: interrupted sessions in windows of a real tmux server, with a stand-in for Claude Code
//! that records how it was started.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::common::tools::needs;
use crate::common::{AitCommand, Client, CommandOutput, TestEnv, ago, wait_until};

/// A tmux server of a test, ended with it.
struct Tmux<'a> {
    env: &'a TestEnv,
    socket: PathBuf,
}

impl<'a> Tmux<'a> {
    /// A server with the session `main`, whose only window has the number 0.
    fn new(env: &'a TestEnv) -> Tmux<'a> {
        let script = "#!/bin/sh\n{ printf '%s\\0' \"$PWD\" \"${CLAUDE_CONFIG_DIR-}\" \"$@\"; printf '\\n\\0'; } >> \"$HOME/started\"\n";
        env.write_file("bin/claude", script);
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(env.path("bin/claude"), mode).unwrap();
        let tmux = Tmux { env, socket: env.path("s") };
        tmux.ask(&["-f", "/dev/null", "new-session", "-d", "-s", "main", "sleep", "1000"]);
        tmux
    }

    fn ait(&self) -> AitCommand<'_> {
        let path = std::env::var("PATH").unwrap();
        let path = format!("{}:{path}", self.env.path("bin").display());
        self.env.ait().env("PATH", path).env("SHELL", "/bin/sh")
    }

    #[track_caller]
    fn ask(&self, words: &[&str]) -> String {
        let output = self.ait().command("tmux").args(["-u", "-S"]).arg(&self.socket).args(words).output().unwrap();
        assert!(output.status.success(), "{words:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
    }

    /// `ait` as it runs in the pane of `main`.
    fn inside(&self) -> AitCommand<'_> {
        self.ait().env("TMUX", format!("{},1,0", self.socket.display())).env("TMUX_PANE", "%0")
    }

    fn go(&self) -> CommandOutput {
        self.inside().run("sessions resume --go")
    }

    /// `session:number name` of all windows.
    fn windows(&self) -> Vec<String> {
        let listed = self.ask(&["list-windows", "-a", "-F", "#{session_name}:#{window_index} #{window_name}"]);
        listed.lines().map(str::to_owned).collect()
    }

    /// How the stand-in was started, as soon as that was so many times: folder, configuration folder and arguments.
    fn started(&self, times: usize) -> Vec<Vec<String>> {
        let read = || {
            let text = String::from_utf8(fs::read(self.env.path("started")).unwrap_or_default()).unwrap();
            let runs = text.split_terminator("\n\0").map(str::to_owned);
            let mut runs: Vec<Vec<String>> =
                runs.map(|run| run.split_terminator('\0').map(str::to_owned).collect()).collect();
            runs.sort();
            runs
        };
        wait_until("Claude Code was started", || read().len() >= times);
        assert_eq!(read().len(), times);
        read()
    }
}

impl Drop for Tmux<'_> {
    fn drop(&mut self) {
        let _ = self.ait().command("tmux").arg("-S").arg(&self.socket).arg("kill-server").output();
    }
}

/// A session whose process is gone.
fn interrupted(env: &TestEnv, id: &str, folder: &Path, window: Value, more: Value) {
    let mut fields = json!({"pid_start": 1, "started_in": folder, "tmux_window": window, "updated": ago(60)});
    fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    env.write_manifest(id, 1, folder, fields);
}

fn window(session: &str, index: u32, name: impl Into<Value>) -> Value {
    json!({"session": session, "index": index, "name": name.into()})
}

#[test]
fn go_opens_each_session_in_the_tmux_session_and_window_where_it_was() {
    needs!("tmux");
    let env = TestEnv::new();
    let tmux = Tmux::new(&env);
    let folder = env.create_dir("it's #(touch pwned) \"$(touch pwned)\" #{pid}");
    interrupted(&env, "a", &folder, window("main", 4, "api"), json!({}));
    interrupted(&env, "b", &folder, window("gone", 3, Value::Null), json!({}));
    interrupted(&env, "c", &folder, window("gone", 7, "second"), json!({}));
    interrupted(&env, "d", &folder, Value::Null, json!({}));
    let said = tmux.inside().env("CLAUDE_CONFIG_DIR", env.path(".claude")).run("sessions resume --go").success();
    assert_eq!(
        said,
        "Opened aiterm in tmux gone:3\nOpened aiterm in tmux gone:7\nOpened aiterm in tmux main:4\nOpened aiterm in tmux main:1\n"
    );
    let places: Vec<String> =
        tmux.windows().iter().map(|window| window.split(' ').next().unwrap().to_owned()).collect();
    assert_eq!(places, ["gone:3", "gone:7", "main:0", "main:1", "main:4"]);
    assert!(tmux.windows().contains(&"main:4 api".to_owned()), "{:?}", tmux.windows());
    let config = env.path(".claude").to_str().unwrap().to_owned();
    let run = |id: &str| vec![folder.to_str().unwrap().to_owned(), config.clone(), "--resume".into(), id.into()];
    assert_eq!(tmux.started(4), ["a", "b", "c", "d"].map(run));
    assert!(!folder.join("pwned").exists() && !env.path("pwned").exists());
}

#[test]
fn go_takes_the_next_free_number_if_another_window_has_it_and_leaves_that_window_alone() {
    needs!("tmux");
    let env = TestEnv::new();
    let tmux = Tmux::new(&env);
    let folder = env.create_dir("p");
    let before = tmux.ask(&["list-panes", "-a", "-F", "#{pane_id} #{pane_pid}"]);
    for id in ["a", "b"] {
        interrupted(&env, id, &folder, window("main", 0, "x"), json!({"tmux_pane": "%0"}));
    }
    assert_eq!(tmux.go().success(), "Opened aiterm in tmux main:1\nOpened aiterm in tmux main:2\n");
    assert!(tmux.ask(&["list-panes", "-a", "-F", "#{pane_id} #{pane_pid}"]).starts_with(&before));
    tmux.started(2);
}

#[test]
fn go_takes_hostile_names_of_sessions_and_windows_literally() {
    needs!("tmux");
    let env = TestEnv::new();
    let tmux = Tmux::new(&env);
    let folder = env.create_dir("p");
    let names = ["#(touch ~/pwned)", "#{pid}", "=$0", "-t", "ü; kill-server"];
    for (number, name) in names.iter().enumerate() {
        interrupted(&env, &format!("s{number}"), &folder, window(name, 2, *name), json!({"task": name}));
    }
    tmux.go().success();
    assert_eq!(tmux.started(names.len()).len(), names.len());
    let windows = tmux.windows();
    for name in names {
        assert!(windows.contains(&format!("{name}:2 {name}")), "{name}: {windows:?}");
    }
    assert!(!env.path("pwned").exists());
    // Opened again, they find the sessions of tmux that are there now.
    let count = windows.len();
    assert_eq!(tmux.go().success().lines().count(), names.len());
    assert_eq!(tmux.windows().len(), count + names.len());
    assert_eq!(tmux.ask(&["list-sessions"]).lines().count(), 1 + names.len());
}

#[test]
fn go_repeats_model_mode_and_folders_and_neither_a_prompt_nor_skipped_permissions() {
    needs!("tmux");
    let env = TestEnv::new();
    let tmux = Tmux::new(&env);
    let folder = env.create_dir("p");
    env.create_dir("p/a b");
    let words = json!([
        "--model",
        "opus",
        "--permission-mode",
        "plan",
        "--add-dir",
        "a b",
        "gone",
        "--dangerously-skip-permissions",
        "rm -rf /",
        "--settings",
        "/evil.json",
        "--mcp-config",
        "x"
    ]);
    interrupted(&env, "one", &folder, Value::Null, json!({"start_options": words}));
    let remark = "session one was started with --dangerously-skip-permissions, which is not repeated";
    let listed = env.run("sessions resume");
    let command = "claude --resume one --model opus --permission-mode plan '--add-dir=a b'\n";
    assert!(listed.stdout.ends_with(command), "{}", listed.stdout);
    assert_eq!(listed.stderr, format!("ait: {remark}\n"));
    assert_eq!(tmux.go().success_with_warning(remark), "Opened aiterm in tmux main:1\n");
    assert_eq!(
        tmux.started(1)[0][2..],
        ["--resume", "one", "--model", "opus", "--permission-mode", "plan", "--add-dir=a b"]
    );
}

#[test]
fn go_creates_a_removed_worktree_once_for_all_sessions_in_it() {
    needs!("tmux");
    let env = TestEnv::new();
    let tmux = Tmux::new(&env);
    let main = env.repository("shop");
    let tree = env.worktree(&main, "shop-login", "login");
    env.git(&main, &format!("worktree remove {}", tree.display()));
    let fields = json!({"tree": tree, "repository": main.join(".git"), "git_branch": "login"});
    for id in ["a", "b", "c", "d"] {
        interrupted(&env, id, &tree, Value::Null, fields.clone());
    }
    assert_eq!(tmux.go().success().lines().count(), 4);
    assert_eq!(env.git(&tree, "branch --show-current"), "login");
    let folders: Vec<String> = tmux.started(4).into_iter().map(|mut run| run.remove(0)).collect();
    assert_eq!(folders, [tree.to_str().unwrap(); 4]);
    // Where it cannot be created the others are opened all the same.
    env.git(&main, &format!("worktree remove {}", tree.display()));
    fs::write(&tree, "in the way").unwrap();
    let other = env.create_dir("other");
    interrupted(&env, "e", &other, Value::Null, json!({}));
    let failed = tmux.go();
    assert_eq!((failed.exit_code, failed.stdout.lines().count()), (Some(1), 1), "{failed:?}");
    assert_eq!(failed.stderr.lines().count(), 4, "{failed:?}");
    assert!(failed.stderr.starts_with("ait: resuming a session: a: its folder cannot be created: "), "{failed:?}");
}

#[test]
fn go_opens_more_than_five_windows_only_if_told_so() {
    needs!("tmux");
    let env = TestEnv::new();
    let tmux = Tmux::new(&env);
    let folder = env.create_dir("p");
    for number in 0..6 {
        interrupted(&env, &format!("s{number}"), &folder, Value::Null, json!({}));
    }
    tmux.go().failure(2, "resuming sessions: 6 windows would be opened; add --yes");
    // Typed in a terminal of the server itself.
    for (answer, wanted) in [("n", 2), ("y", 8)] {
        let ait = format!("{} sessions resume --go; exec sleep 1000", crate::common::AIT);
        tmux.ask(&["new-window", "-d", "-t", "main:9", "sh", "-c", &ait]);
        wait_until("the question", || {
            tmux.ask(&["capture-pane", "-p", "-t", "main:9"]).contains("Open 6 windows? [y/N]")
        });
        tmux.ask(&["send-keys", "-t", "main:9", answer, "Enter"]);
        let done = if answer == "n" { "Nothing was opened." } else { "Opened aiterm" };
        wait_until("the answer", || tmux.ask(&["capture-pane", "-p", "-t", "main:9"]).contains(done));
        wait_until("the windows", || tmux.windows().len() == wanted);
        tmux.ask(&["kill-window", "-t", "main:9"]);
    }
    tmux.started(6);
    assert_eq!(tmux.inside().run("sessions resume --go --yes --json").json()["opened"].as_array().unwrap().len(), 6);
}

#[test]
fn go_without_tmux_or_claude_code_opens_nothing() {
    needs!("tmux");
    let env = TestEnv::new();
    let folder = env.create_dir("p");
    env.run("sessions resume --go").stdout_is("No interrupted sessions in the last 7 days.\n");
    interrupted(&env, "one", &folder, Value::Null, json!({}));
    let said = env
        .run("sessions resume --go")
        .success_with_warning("not inside tmux, so no window was opened; type the commands");
    assert!(said.ends_with("/p && claude --resume one\n"), "{said}");
    let nowhere = || env.ait().env("TMUX", format!("{},1,0", env.path("none").display()));
    let tmux = Tmux::new(&env);
    let path = tmux.ait();
    path.env("TMUX", format!("{},1,0", env.path("none").display()))
        .run("sessions resume --go")
        .failure(1, &format!("resuming sessions: {}: tmux does not answer", env.path("none").display()));
    env.create_dir("empty");
    nowhere()
        .env("PATH", env.path("empty"))
        .run("sessions resume --go")
        .failure(1, "resuming sessions: claude: not in PATH");
}

#[test]
fn start_records_the_options_of_the_process() {
    let env = TestEnv::new();
    let folder = env.create_dir("p");
    // A process with such a command line: the words after the script are for the shell alone.
    let words = ["-c", "read -r _", "claude", "--model", "opus", "--add-dir", "/x", "/y"];
    let mut child = env.ait().command("sh").args(words).stdin(std::process::Stdio::piped()).spawn().unwrap();
    let event = crate::common::payload("SessionStart", "one", &folder, json!({"source": "startup"}));
    env.ait().env("CLAUDE_PID", child.id().to_string()).hook(&event).no_output();
    let _ = child.kill();
    child.wait().unwrap();
    let wanted = json!(["--model", "opus", "--add-dir=/x", "--add-dir=/y"]);
    assert_eq!(env.active_manifest("one")["start_options"], wanted);
    let client = Client::new();
    env.send_event(&client, "SessionStart", "one", &folder, json!({"source": "resume"})).no_output();
    assert_eq!(env.active_manifest("one")["start_options"], Value::Null);
}

/// The hook runs in a pane of the server, as in the real client: the server is an ancestor of the session's process.
#[test]
fn start_records_the_tmux_window_and_go_opens_the_session_there_after_the_server_is_gone() {
    needs!("tmux");
    let env = TestEnv::new();
    let tmux = Tmux::new(&env);
    let folder = env.create_dir("p");
    env.write_file(
        "event",
        &crate::common::payload("SessionStart", "one", &folder, json!({"source": "startup"})).to_string(),
    );
    env.write_file(
        "prompt",
        &crate::common::payload("UserPromptSubmit", "one", &folder, json!({"prompt": "x"})).to_string(),
    );
    let ait = crate::common::AIT;
    let run = format!(
        "cd p; CLAUDE_PID=$$ {ait} hook session-register < ../event; CLAUDE_PID=$$ {ait} hook session-register < ../prompt; read -r _"
    );
    tmux.ask(&["new-session", "-d", "-s", "w x.#{pid}", "-c", env.path("").to_str().unwrap(), "sleep", "1000"]);
    let session =
        tmux.ask(&["list-sessions", "-F", "#{session_name}"]).lines().find(|name| *name != "main").unwrap().to_owned();
    let home = env.path("").to_str().unwrap().to_owned();
    tmux.ask(&["new-window", "-d", "-t", &format!("={session}:5"), "-n", "it's #[x]", "-c", &home, "sh", "-c", &run]);
    let record = || {
        crate::common::read_json(&env.sessions_path("active/one.json")).map(|manifest| manifest["tmux_window"].clone())
    };
    wait_until("the window is recorded", || record().is_some_and(|window| window.is_object()));
    assert_eq!(record(), Some(window(&session, 5, "it's #[x]")));
    tmux.ask(&["kill-server"]);
    wait_until("the session is interrupted", || {
        !env.run("sessions resume --json").json()["sessions"].as_array().unwrap().is_empty()
    });
    tmux.ask(&["-f", "/dev/null", "new-session", "-d", "-s", "main", "sleep", "1000"]);
    assert_eq!(tmux.go().success(), format!("Opened p in tmux {session}:5\n"));
    assert!(tmux.windows().contains(&format!("{session}:5 it's #[x]")), "{:?}", tmux.windows());
    tmux.started(1);
}

#[test]
fn another_pane_forgets_the_tmux_window_and_other_events_keep_it() {
    let env = TestEnv::new();
    let (client, folder) = (Client::new(), env.create_dir("p"));
    let fields = json!({"tmux_pane": "%1", "tmux_window": window("main", 1, "x")});
    let with = |pane: &str, event: &str| {
        env.ait()
            .child_of(&client, "one")
            .env("TMUX_PANE", pane)
            .hook(&crate::common::payload(event, "one", &folder, json!({"prompt": "x"})))
            .no_output();
        env.active_manifest("one")["tmux_window"].clone()
    };
    env.write_manifest("one", client.pid(), &folder, fields);
    assert_eq!(with("%1", "UserPromptSubmit"), window("main", 1, "x"));
    assert_eq!(with("%2", "Stop"), Value::Null);
}
