//! `ait sessions live | current | task | conflicts | prune`, over manifests as anybody may have written them.
use crate::common;
use crate::common::tools::needs;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use crate::common::{AIT, Client, TestEnv, ago, file_names, manifest, object_keys, process_start_time, read_json};
use serde_json::{Value, json};

/// The two sessions of the guide, written by hand with the documented fields only.
fn the_guide(env: &TestEnv) -> [Client; 2] {
    let clients = [Client::new(), Client::new()];
    let aiterm = env.create_dir("projects/dev-tools/aiterm");
    let atlas = env.create_dir("projects/apps/atlas");
    env.write_manifest("abc123", clients[0].pid(), &aiterm, json!({}));
    let fields = json!({
        "project": "atlas", "git_branch": "feature/auth", "started": ago(12 * 60 + 30), "task": "Adding OAuth support",
    });
    env.write_manifest("def456", clients[1].pid(), &atlas, fields);
    clients
}

mod live {
    use super::*;

    #[test]
    fn shows_the_lines_of_the_guide() {
        let env = TestEnv::new();
        let _clients = the_guide(&env);
        env.run("sessions live").stdout_is(
            "Active Claude Code Sessions\n\
             \n\
             1. aiterm (main) - 45m\n   ~/projects/dev-tools/aiterm\n   Task: Implementing session coordination\n\
             \n\
             2. atlas (feature/auth) - 12m\n   ~/projects/apps/atlas\n   Task: Adding OAuth support\n",
        );
    }

    /// In a terminal of this many columns, the output as the terminal gets it.
    #[cfg(target_os = "linux")]
    pub(super) fn in_a_terminal(env: &TestEnv, columns: u32, words: &str) -> String {
        let line = format!("stty cols {columns} rows 40; exec {AIT} {words}");
        let ait = env.ait().env("TERM", "xterm").env("SHELL", "/bin/sh");
        let output = ait.command("script").args(["-qec", &line, "/dev/null"]).stdin(Stdio::null()).output().unwrap();
        String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n")
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn stands_in_the_box_of_the_guide_in_a_terminal() {
        needs!("script");
        let env = TestEnv::new();
        let _clients = the_guide(&env);
        let wanted = "\
╭─────────────────────────────────────────────────────────╮
│ Active Claude Code Sessions                             │
├─────────────────────────────────────────────────────────┤
│ 1. aiterm (main) - 45m                                  │
│    ~/projects/dev-tools/aiterm                          │
│    Task: Implementing session coordination              │
│                                                         │
│ 2. atlas (feature/auth) - 12m                           │
│    ~/projects/apps/atlas                                │
│    Task: Adding OAuth support                           │
╰─────────────────────────────────────────────────────────╯
";
        assert_eq!(in_a_terminal(&env, 80, "sessions live --color never"), wanted);
        let coloured = in_a_terminal(&env, 80, "sessions live");
        assert!(coloured.contains("\x1b["), "{coloured}");
        let narrow = in_a_terminal(&env, 40, "sessions live --color never");
        let cells: Vec<usize> = narrow.lines().map(|line| line.chars().count()).collect();
        assert!(cells.iter().all(|cells| *cells == 40), "{narrow}");
        assert!(narrow.contains("│    Task: Implementing session coord… │"), "{narrow}");
    }

    /// Names are cut by terminal cells: the right side of the box stays straight.
    #[test]
    #[cfg(target_os = "linux")]
    fn wide_letters_keep_the_box_straight() {
        needs!("script");
        let env = TestEnv::new();
        let client = Client::new();
        let task = "日本語の説明をとても長く書いたもの👩‍👩‍👧‍👦e\u{301}e\u{301}🇩🇪日本語の説明をとても長く書いたもの";
        env.write_manifest("abc123", client.pid(), &env.path("p"), json!({"project": "日本語", "task": task}));
        for columns in [41, 60, 80, 200] {
            let shown = in_a_terminal(&env, columns, "sessions live --color never");
            let lines: Vec<&str> = shown.lines().collect();
            assert!(lines.len() >= 6, "{shown}");
            let cells: Vec<usize> = lines.iter().map(|line| ait::render::width::cells(line)).collect();
            assert!(cells.iter().all(|width| *width == cells[0] && *width <= columns as usize), "{cells:?}\n{shown}");
        }
    }

    #[test]
    fn colour_by_the_usual_rules() {
        let env = TestEnv::new();
        let _clients = the_guide(&env);
        let coloured = |ait: common::AitCommand<'_>, words: &str| ait.run(words).success().contains("\x1b[");
        assert!(!coloured(env.ait(), "sessions live"));
        assert!(coloured(env.ait(), "sessions live --color always"));
        assert!(coloured(env.ait().env("CLICOLOR_FORCE", "1"), "sessions live"));
        assert!(!coloured(env.ait().env("CLICOLOR_FORCE", "1").env("NO_COLOR", "1"), "sessions live"));
        assert!(coloured(env.ait().env("NO_COLOR", "1"), "sessions live --color=always"));
        assert!(!coloured(env.ait().env("CLICOLOR_FORCE", "1"), "sessions live --color=never"));
    }

    #[test]
    fn as_json() {
        let env = TestEnv::new();
        let _clients = the_guide(&env);
        let shown = env.run("sessions live --json").json();
        assert_eq!(object_keys(&shown), ["schema_version", "sessions"]);
        let sessions = shown["sessions"].as_array().unwrap();
        assert_eq!(sessions.iter().map(|session| &session["session_id"]).collect::<Vec<_>>(), ["abc123", "def456"]);
        let (session, manifest) = (&sessions[0], env.active_manifest("abc123"));
        for (name, value) in manifest.as_object().unwrap() {
            assert_eq!(session[name], *value, "{name}");
        }
        let elapsed = session["elapsed_seconds"].as_u64().unwrap();
        assert!((2730..2790).contains(&elapsed), "{elapsed}");
        assert_eq!((&session["live"], &session["state"]), (&json!(true), &json!("unknown")));
        for absent in ["state_since", "waiting_for", "pid_start", "boot_id", "model", "updated", "head", "task_source"]
        {
            assert_eq!(session.get(absent), Some(&Value::Null), "{absent}");
        }
        for there in ["state_source", "transcript_path", "tmux_pane", "user", "host"] {
            assert!(session.get(there).is_some(), "{there}");
        }
    }

    #[test]
    fn of_one_project_or_below_one_folder() {
        let env = TestEnv::new();
        let _clients = the_guide(&env);
        let ids = |words: &str| {
            let shown = env.run(&format!("sessions live --json {words}")).json();
            let sessions = shown["sessions"].as_array().unwrap();
            sessions.iter().map(|session| session["session_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(ids("--project atlas"), ["def456"]);
        assert_eq!(ids("--project ATLAS"), ["def456"]);
        assert_eq!(ids("--project=atl"), [""; 0]);
        let absolute = env.path("projects/dev-tools");
        assert_eq!(ids(&format!("--path {}", absolute.display())), ["abc123"]);
        assert_eq!(ids("--path projects"), ["abc123", "def456"], "a path from the current folder");
        assert_eq!(ids("--path projects/apps/../dev-tools"), ["abc123"]);
        assert_eq!(ids("--path projects/dev"), [""; 0], "part of a name is no folder");
        symlink(env.path("projects/apps"), env.path("link")).unwrap();
        assert_eq!(ids("--path link"), ["def456"]);
        assert_eq!(ids("--path projects --project aiterm"), ["abc123"]);
        env.run("sessions live --project nothing").stdout_is("No live sessions that match.\n");
    }

    #[test]
    fn live_shows_the_id_and_pane_of_sessions_with_the_same_folder_and_task() {
        let env = TestEnv::new();
        let clients = [Client::new(), Client::new(), Client::new()];
        let (folder, other) = (env.create_dir("p"), env.create_dir("q"));
        let idle = |pane: &str| json!({"task": null, "state": "idle", "tmux_pane": pane});
        env.write_manifest("3f9c1e07-64d2-4b8a-9a15-70c2de81b64f", clients[0].pid(), &folder, idle("%5"));
        env.write_manifest("3f9c1e07-97ab-4d53-8e22-b3f70d159ac4", clients[1].pid(), &folder, idle("%7"));
        env.write_manifest("9029aedc-fe71-4c87-b21d-9d372d6ce844", clients[2].pid(), &other, idle("%9"));
        let shown = env.run("sessions live").success();
        for wanted in ["   Session: 3f9c1e07-6, tmux %5\n", "   Session: 3f9c1e07-9, tmux %7\n"] {
            assert!(shown.contains(wanted), "{shown}");
        }
        assert_eq!(shown.matches("Session: ").count(), 2, "the third is alone in its folder: {shown}");
    }

    #[test]
    fn verbose_tells_the_process_and_where_the_state_comes_from() {
        let env = TestEnv::new();
        let [by_hand, _other] = the_guide(&env);
        let client = Client::new();
        let folder = env.create_dir("lone");
        env.start_session(&client, "6425757d-2548-4fb2-9ce2-2c43e134d597", &folder).no_output();
        let shown = env.run("sessions live --verbose").success();
        let (pid, start) = (client.pid(), client.start_time());
        let block = format!(
            "   State: idle for under a minute\n   Source: hooks, just now\n   \
             Session: 6425757d-2548-4fb2-9ce2-2c43e134d597\n   \
             Process: {pid} (sleep), start time {start}, boot {}\n",
            ait::sys::process::boot_id().unwrap().get(..8).unwrap()
        );
        assert!(shown.contains(&block), "{block}\n{shown}");
        let unknown = format!(
            "   State: unknown\n   Source: none\n   Session: abc123\n   \
             Process: {} (sleep), start time not recorded\n",
            by_hand.pid()
        );
        assert!(shown.contains(&unknown), "{unknown}\n{shown}");
        assert_eq!(env.run("sessions live -v").success(), shown);
        let boxed = env.ait().env("AIT_WIDTH", "80").run_args(&["sessions", "live", "-v"]).success();
        assert!(boxed.contains('│') && !boxed.contains('…'), "{boxed}");
    }

    /// The registry of Claude Code is right where hooks are silent: after Esc, or a dialog that was rejected.
    #[test]
    fn the_state_is_what_the_registry_says_of_this_session_and_process() {
        let env = TestEnv::new();
        let client = Client::new();
        let folder = env.create_dir("lone");
        env.start_session(&client, "one", &folder).no_output();
        env.send_event(&client, "UserPromptSubmit", "one", &folder, json!({"prompt": "go"})).no_output();
        let state = || {
            let session = env.run("sessions live --json").json()["sessions"][0].clone();
            (session["state"].clone(), session["state_source"].clone(), session["waiting_for"].clone())
        };
        assert_eq!(state(), (json!("working"), json!("hook"), Value::Null));
        let later = jiff::Timestamp::now().as_millisecond() + 50;
        let mut record = json!({
            "pid": client.pid(), "sessionId": "one", "procStart": client.start_time().to_string(), "status": "waiting",
            "waitingFor": "permission prompt", "statusUpdatedAt": later,
        });
        let file = format!(".claude/sessions/{}.json", client.pid());
        let put = |record: &Value| env.write_file(&file, &record.to_string());
        put(&record);
        assert_eq!(state(), (json!("waiting"), json!("registry"), json!("permission")));
        record["statusUpdatedAt"] = json!(1);
        put(&record);
        assert_eq!(state().0, "waiting", "its time stands still while its status stays true");
        record["sessionId"] = json!("another");
        put(&record);
        assert_eq!(state().0, "working", "a record of another session says nothing");
        record["sessionId"] = json!("one");
        record["procStart"] = json!("1");
        put(&record);
        assert_eq!(state().0, "working", "a record of another process says nothing");
        env.write_file(&file, &record.to_string()[..40]);
        assert_eq!(state().0, "working", "half a record says nothing");
        assert_eq!(
            file_names(&env.sessions_path("")),
            [&format!("{}.json", client.pid()), "active"],
            "and it is left alone"
        );
    }

    #[test]
    fn nothing_there_is_said_and_nothing_is_made() {
        let env = TestEnv::new();
        env.run("sessions live").stdout_is("No live sessions.\n");
        assert_eq!(env.run("sessions live --json").json()["sessions"], json!([]));
        assert_eq!(file_names(&env.path("")), [""; 0]);
    }

    #[test]
    fn the_folder_of_sessions_is_found_by_variable() {
        let env = TestEnv::new();
        let client = Client::new();
        let text = manifest("one", client.pid(), &env.path("p"), json!({"project": "found"})).to_string();
        let found = |ait: common::AitCommand<'_>| ait.run("sessions live").success().contains("1. found (main)");
        env.write_file("a/active/one.json", &text);
        assert!(found(env.ait().env("AIT_SESSIONS_DIR", env.path("a"))));
        env.write_file("b/sessions/active/one.json", &text);
        assert!(found(env.ait().env("CLAUDE_CONFIG_DIR", env.path("b"))));
        assert!(!found(env.ait()));
        assert!(!found(env.ait().env("AIT_SESSIONS_DIR", env.path("none")).env("CLAUDE_CONFIG_DIR", env.path("b"))));
        assert!(found(env.ait().env_remove("HOME").env("AIT_SESSIONS_DIR", env.path("a"))), "no home is needed then");
        env.ait().env_remove("HOME").run("sessions live").failure(
            1,
            "finding the sessions: HOME: not set to an absolute path; set HOME, or set AIT_SESSIONS_DIR to the sessions folder",
        );
    }

    #[test]
    fn a_file_that_does_not_parse_is_reported_and_left() {
        let env = TestEnv::new();
        let _clients = the_guide(&env);
        for (name, text, why) in [
            ("torn", "{\"session_id\": \"torn\", ", "EOF while parsing a value at line 1 column 23"),
            ("empty", "", "EOF while parsing a value at line 1 column 0"),
            ("list", "[1]", "invalid type: sequence, expected a JSON object at line 1 column 0"),
        ] {
            let file = env.write_file(&format!(".claude/sessions/active/{name}.json"), text);
            let remark = format!("reading a manifest: {}: {why}; the file was not changed", file.display());
            let shown = env.run("sessions live").success_with_warning(&remark);
            assert!(shown.contains("1. aiterm") && shown.contains("2. atlas"), "{shown}");
            env.run("sessions prune").success_with_warning(&remark);
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
            fs::remove_file(file).unwrap();
        }
    }

    #[test]
    fn files_that_are_no_manifests_are_passed_over() {
        let env = TestEnv::new();
        let _clients = the_guide(&env);
        let before = env.run("sessions live --json").success();
        for name in ["notes.txt", ".hidden.json", ".abc.json.1.0.tmp", "-rf.json", "a b.json", "folder.json/inner"] {
            env.write_file(&format!(".claude/sessions/active/{name}"), "{");
        }
        symlink("/etc/passwd", env.sessions_path("active/link.json")).unwrap();
        let said = env.run("sessions live --json");
        let strip = |text: &str| text.split("elapsed_seconds").next().unwrap().to_owned();
        assert_eq!(strip(&said.stdout), strip(&before));
        for line in said.stderr.lines() {
            assert!(
                ["link.json", "folder.json", "-rf.json", "a b.json"].iter().any(|name| line.contains(name)),
                "{line}"
            );
        }
    }

    #[test]
    fn a_manifest_with_next_to_nothing_in_it() {
        let env = TestEnv::new();
        let (bare, client) = (Client::new(), Client::new());
        env.write_file(".claude/sessions/active/bare.json", &json!({"pid": bare.pid()}).to_string());
        env.write_file(
            ".claude/sessions/active/odd.json",
            &json!({"pid": client.pid().to_string(), "started": "yesterday", "project": 7, "path": "", "task": ["x"]})
                .to_string(),
        );
        let shown = env.run("sessions live --json").json();
        assert_eq!(shown["sessions"].as_array().unwrap().len(), 2, "{shown}");
        env.run("sessions live").success();
        env.run("sessions live --verbose").success();
        env.run("sessions conflicts").success();
    }

    #[test]
    fn outside_text_cannot_move_the_cursor() {
        let env = TestEnv::new();
        let client = Client::new();
        let evil = "a\u{1b}[2Jb\rc\nd\u{7}e\u{202e}f\u{9b}31m";
        let fields = json!({"project": evil, "git_branch": evil, "task": evil, "waiting_for": evil, "state": "waiting", "tmux_pane": evil, "host": null});
        env.write_manifest("evil", client.pid(), &env.path(evil), fields);
        for words in ["sessions live --verbose", "sessions current --session evil", "sessions task --session evil"] {
            let shown = env.run(words).success();
            let moved = shown.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
            assert_eq!(moved, None, "{words}: {shown:?}");
        }
        assert_eq!(env.run("sessions live --json").json()["sessions"][0]["task"], evil, "JSON has it whole");
    }
}

mod current {
    use super::*;

    #[test]
    fn shows_the_lines_of_the_guide() {
        let env = TestEnv::new();
        let client = Client::new();
        let tree = env.repository("aiterm");
        env.write_file("aiterm/new", "");
        env.write_manifest("abc123", client.pid(), &tree, json!({}));
        env.ait().current_dir(&tree).run("sessions current").stdout_is(
            "Session: abc123\n\
             Project: aiterm\n\
             Branch:  main (dirty)\n\
             Started: 45 minutes ago\n\
             Task:    Implementing session coordination\n\
             Path:    ~/aiterm\n",
        );
    }

    #[test]
    fn as_json() {
        let env = TestEnv::new();
        let client = Client::new();
        let folder = env.create_dir("lone");
        env.start_session(&client, "one", &folder).no_output();
        let shown = env.ait().current_dir(&folder).run("sessions current --json").json();
        assert_eq!(object_keys(&shown), ["schema_version", "session"]);
        let session = &shown["session"];
        for (name, value) in env.active_manifest("one").as_object().unwrap() {
            assert_eq!(session[name], *value, "{name}");
        }
        assert_eq!(session["live"], true);
        assert_eq!((&session["state"], &session["state_source"]), (&json!("idle"), &json!("hook")));
        assert!(session["elapsed_seconds"].as_u64().unwrap() < 60);
    }

    #[test]
    fn tells_branch_and_dirtiness_as_they_are_now() {
        let env = TestEnv::new();
        let client = Client::new();
        let tree = env.repository("aiterm");
        env.start_session(&client, "one", &tree).no_output();
        let branch = |wanted: &str| {
            let shown = env.ait().current_dir(&tree).run("sessions current").success();
            assert!(shown.contains(wanted), "{wanted}: {shown}");
        };
        branch("Branch:  main\n");
        env.git(&tree, "checkout --quiet -b other");
        env.write_file("aiterm/new", "");
        branch("Branch:  other (dirty)\n");
        env.git(&tree, "checkout --quiet --detach");
        let commit = env.git(&tree, "rev-parse HEAD");
        branch(&format!("Branch:  detached at {} (dirty)\n", &commit[..7]));
    }

    #[test]
    fn by_the_tree_in_a_plain_terminal() {
        let env = TestEnv::new();
        let clients = [Client::new(), Client::new()];
        let (one, two) = (env.repository("one"), env.repository("two"));
        env.write_manifest("in-one", clients[0].pid(), &one, json!({}));
        env.write_manifest("in-two", clients[1].pid(), &two.join("deep/down"), json!({}));
        let here = |folder: &Path| {
            env.ait().current_dir(folder).run("sessions current --json").json()["session"]["session_id"].clone()
        };
        assert_eq!(here(&one), "in-one");
        assert_eq!(here(&env.create_dir("one/src/deep")), "in-one", "in a subfolder");
        assert_eq!(here(&two), "in-two", "above the folder that the session works in, in its tree");
        symlink(&one, env.path("link")).unwrap();
        assert_eq!(here(&env.path("link")), "in-one", "through a symlink");
        let worktree = env.worktree(&one, "one/.claude/worktrees/wt", "wt");
        env.ait().current_dir(&worktree).run("sessions current").failure(
            1,
            "finding the current session: ~/one/.claude/worktrees/wt: no live session works in this folder; type: ait sessions live",
        );
        env.run("sessions current").failure(
            1,
            "finding the current session: ~: no live session works in this folder; type: ait sessions live",
        );
    }

    #[test]
    fn without_a_repository_by_the_nearest_folder_above() {
        let env = TestEnv::new();
        let clients = [Client::new(), Client::new()];
        env.write_manifest("outer", clients[0].pid(), &env.create_dir("a"), json!({}));
        env.write_manifest("inner", clients[1].pid(), &env.create_dir("a/b"), json!({}));
        let here = |folder: &str| {
            env.ait().current_dir(&env.create_dir(folder)).run("sessions current --json").json()["session"]["session_id"].clone()
        };
        assert_eq!(here("a"), "outer");
        assert_eq!(here("a/c"), "outer");
        assert_eq!(here("a/b/c/d"), "inner");
        let repository = env.repository("a/b/repository");
        assert_eq!(
            env.ait().current_dir(&repository).run("sessions current").exit_code,
            Some(1),
            "a repository is another place"
        );
    }

    #[test]
    fn two_candidates_are_listed_with_what_to_type() {
        let env = TestEnv::new();
        let clients = [Client::new(), Client::new()];
        let tree = env.repository("aiterm");
        env.write_manifest("6425757d-2548-4fb2-9ce2-2c43e134d597", clients[0].pid(), &tree, json!({}));
        env.write_manifest(
            "6425757d-9999-4fb2-9ce2-2c43e134d597",
            clients[1].pid(),
            &tree.join("src"),
            json!({"git_branch": null, "task": null, "started": ago(30)}),
        );
        let said = env.ait().current_dir(&tree).run("sessions current");
        assert_eq!((said.exit_code, said.stdout.as_str()), (Some(2), ""));
        let wanted = "ait: finding the current session: ~/aiterm: 2 live sessions match; choose one with --session:\n  \
             ait sessions current --session 6425757d-2   aiterm (main) - 45m, Implementing session coordination\n  \
             ait sessions current --session 6425757d-9   aiterm (no branch) - <1m\n";
        assert_eq!(said.stderr, wanted);
        let said = env.ait().current_dir(&tree).run_args(&["sessions", "task", "it's \"done\""]);
        assert_eq!((said.exit_code, said.stdout.as_str()), (Some(2), ""));
        // Every line that is listed can be typed.
        for line in said.stderr.lines().skip(1) {
            let (typed, _) = line.trim().split_once("   ").unwrap();
            let typed = format!("{}; exit $?", typed.replacen("ait", AIT, 1));
            let output = env.ait().current_dir(&tree).command("sh").args(["-c", &typed]).output().unwrap();
            assert!(output.status.success(), "{typed}: {output:?}");
        }
        for id in env.active_ids() {
            assert_eq!(env.active_manifest(&id)["task"], "it's \"done\"");
        }
    }

    #[test]
    fn by_an_id_that_may_be_shortened() {
        let env = TestEnv::new();
        let clients = [Client::new(), Client::new(), Client::new()];
        for (client, id) in clients.iter().zip(["abc", "abcdef", "xyz"]) {
            env.write_manifest(id, client.pid(), &env.path(id), json!({}));
        }
        let named = |id: &str| env.ait().run_args(&["sessions", "current", "--json", "--session", id]);
        assert_eq!(named("x").json()["session"]["session_id"], "xyz");
        assert_eq!(named("abc").json()["session"]["session_id"], "abc", "an exact id is no start of another");
        assert_eq!(named("abcd").json()["session"]["session_id"], "abcdef");
        let said = named("ab");
        assert_eq!((said.exit_code, said.stderr.lines().count()), (Some(2), 3), "{said:?}");
        assert!(said.stderr.contains("--session abc   ") && said.stderr.contains("--session abcdef   "), "{said:?}");
        for unknown in ["y", "", "xyzz", "../xyz"] {
            let why = format!(
                "finding a session: {unknown}: no live session with this id; type: ait sessions live --verbose"
            );
            named(unknown).failure(2, &why.replace(": : ", ": "));
        }
    }

    #[test]
    fn stale_ones_are_no_candidates() {
        let env = TestEnv::new();
        let client = Client::new();
        let tree = env.repository("aiterm");
        env.write_manifest("dead", Client::new().kill(), &tree, json!({}));
        env.write_manifest("alive", client.pid(), &tree, json!({}));
        assert_eq!(
            env.ait().current_dir(&tree).run("sessions current --json").json()["session"]["session_id"],
            "alive"
        );
        assert_eq!(env.ait().run("sessions current --session dead").exit_code, Some(2));
    }

    /// What Claude Code's Bash tool has in its environment, on newer clients.
    #[test]
    fn inside_by_the_id_that_the_client_hands_down() {
        let env = TestEnv::new();
        let clients = [Client::new(), Client::new()];
        let tree = env.repository("aiterm");
        env.write_manifest("one", clients[0].pid(), &tree, json!({}));
        env.write_manifest("two", clients[1].pid(), &tree, json!({}));
        let inside = |id: &str| env.ait().current_dir(&env.path("")).env("CLAUDE_CODE_SESSION_ID", id);
        assert_eq!(inside("two").run("sessions current --json").json()["session"]["session_id"], "two");
        inside("two").run("sessions task found it").stdout_is("Task of two: found it\n");
        assert_eq!(env.active_manifest("two")["task"], "found it");
        assert_eq!(inside("two").run("sessions current --session one --json").json()["session"]["session_id"], "one");
        // An id that is not known says nothing; the folder does.
        assert_eq!(inside("gone").run("sessions current").exit_code, Some(1));
        assert_eq!(inside("gone").current_dir(&tree).run("sessions current").exit_code, Some(2));
    }

    /// Older clients hand down no id. `ait` runs in a shell in a shell, whose process is stamped in a manifest.
    #[test]
    fn current_inside_claude_code_is_found_by_the_ancestors_of_the_process() {
        let env = TestEnv::new();
        let other = Client::new();
        let tree = env.repository("aiterm");
        let inside = |fields: &dyn Fn(u32) -> Value| {
            let script = "read go; sh -c \"$AIT sessions task from inside; exit \\$?\"; exit $?";
            let mut command = env.ait().current_dir(&tree).env("AIT", AIT).command("sh");
            command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut shell = command.spawn().unwrap();
            env.write_manifest("inside", shell.id(), &tree, fields(shell.id()));
            env.write_manifest("other", other.pid(), &tree, json!({}));
            // The end of its input lets it go on.
            drop(shell.stdin.take());
            let output = shell.wait_with_output().unwrap();
            (output.status.code(), String::from_utf8(output.stdout).unwrap())
        };
        let found = (Some(0), "Task of inside: from inside\n".to_owned());
        assert_eq!(inside(&|_| json!({})), found);
        assert_eq!(env.active_manifest("inside")["task"], "from inside");
        assert_eq!(inside(&|pid| json!({"pid_start": process_start_time(pid)})), found);
        // The pid of another process that is gone: then the tree says, and two work there.
        assert_eq!(
            inside(&|pid| json!({"pid_start": process_start_time(pid) - 1})).0,
            Some(0),
            "only one of them is live"
        );
        assert_ne!(env.active_manifest("other")["task"], "Implementing session coordination");
    }
}

mod prompt {
    use super::*;

    const DIALECTS: [&str; 7] = ["plain", "zsh", "bash", "fish", "tmux", "starship", "ansi"];

    #[test]
    fn speaks_of_a_session_that_was_written_by_hand() {
        let env = TestEnv::new();
        let client = Client::new();
        let tree = env.repository("aiterm");
        env.write_manifest("abc123", client.pid(), &tree, json!({}));
        let here = env.ait().current_dir(&env.create_dir("aiterm/src"));
        here.run("prompt").stdout_is("aiterm main 45m Implementing session coordination");
        here.run("prompt --for plain").stdout_is("aiterm main 45m Implementing session coordination");
        for dialect in DIALECTS {
            let shown = here.run(&format!("prompt --for {dialect} --color never")).success();
            assert_eq!(shown, "aiterm main 45m Implementing session coordination", "{dialect}");
        }
        env.run(&format!("prompt --dir {}", tree.display()))
            .stdout_is("aiterm main 45m Implementing session coordination");
    }

    #[test]
    fn warns_of_two_in_one_tree() {
        let env = TestEnv::new();
        let clients = [Client::new(), Client::new()];
        let tree = env.repository("aiterm");
        env.write_manifest("one", clients[0].pid(), &tree, json!({"started": ago(7200)}));
        env.write_manifest("two", clients[1].pid(), &tree.join("src"), json!({"task": "the newest"}));
        env.ait().current_dir(&tree).run("prompt").stdout_is("aiterm main 45m the newest ⚠2");
        let worktree = env.worktree(&tree, "beside", "side");
        env.ait().current_dir(&worktree).run("prompt").no_output();
    }

    #[test]
    fn without_a_session_there_is_nothing() {
        let env = TestEnv::new();
        let tree = env.repository("aiterm");
        let ait = env.ait().current_dir(&tree);
        for dialect in DIALECTS {
            ait.run(&format!("prompt --for {dialect}")).no_output();
        }
        env.write_manifest("dead", Client::new().kill(), &tree, json!({}));
        ait.run("prompt").no_output();
        env.write_file(".claude/sessions/active/torn.json", "{");
        ait.run("prompt").no_output();
        ait.clone().env_remove("HOME").run("prompt").no_output();
        ait.clone().env_remove("PATH").run("prompt").no_output();
        assert_eq!(env.active_ids(), ["dead", "torn"], "a prompt archives nothing");
    }

    /// Whoever changes manifests, in whatever way: the next prompt shows it.
    #[test]
    fn shows_what_is_there_now() {
        let env = TestEnv::new();
        let clients = [Client::new(), Client::new()];
        let tree = env.repository("aiterm");
        let ait = env.ait().current_dir(&tree);
        let shows = |wanted: &str| {
            let prompt = || ait.run_args(&["prompt", "--format", "{task}[ {conflict}]"]);
            prompt().stdout_is(wanted);
        };
        shows("");
        let one = env.write_manifest("one", clients[0].pid(), &tree, json!({"task": "first"}));
        shows("first");
        // In place, as the original does it: no folder changes.
        fs::write(&one, manifest("one", clients[0].pid(), &tree, json!({"task": "other"})).to_string()).unwrap();
        shows("other");
        let elsewhere = manifest("one", clients[0].pid(), &env.path("elsewhere"), json!({"task": "other"}));
        fs::write(&one, elsewhere.to_string()).unwrap();
        shows("");
        fs::write(&one, manifest("one", clients[0].pid(), &tree, json!({"task": "other"})).to_string()).unwrap();
        shows("other");
        env.run("sessions task --session one third").success();
        shows("third");
        env.start_session(&clients[1], "two", &tree).success();
        env.run("sessions task --session two newest").success();
        shows("newest ⚠2");
        env.end_session(&clients[1], "two", &tree, "other");
        shows("third");
        fs::remove_file(&one).unwrap();
        shows("");
    }
}

mod task {
    use super::*;

    fn one(env: &TestEnv) -> Client {
        let client = Client::new();
        let fields = json!({"task": "before", "x_future": {"kept": [1, 2.50, "ü"]}, "pid_namespace": 4026531836u64});
        env.write_manifest("one", client.pid(), &env.path(""), fields);
        client
    }

    #[test]
    fn task_is_shown_set_and_cleared() {
        let env = TestEnv::new();
        let _client = one(&env);
        let before = fs::read(env.sessions_path("active/one.json")).unwrap();
        env.run("sessions task").stdout_is("before\n");
        assert_eq!(fs::read(env.sessions_path("active/one.json")).unwrap(), before, "showing changes nothing");
        env.ait().run_args(&["sessions", "task", "Fixing login bug"]).stdout_is("Task of one: Fixing login bug\n");
        env.run("sessions task").stdout_is("Fixing login bug\n");
        env.run("sessions task several words").stdout_is("Task of one: several words\n");
        env.run("sessions task --session o with an id").stdout_is("Task of one: with an id\n");
        env.run("sessions task -- --dashes -x").stdout_is("Task of one: --dashes -x\n");
        env.ait().run_args(&["sessions", "task", " two\nlines\t of it "]).stdout_is("Task of one: two lines of it\n");
        assert_eq!(env.active_manifest("one")["task_source"], "user");
        env.ait().run_args(&["sessions", "task", ""]).stdout_is("Task of one cleared\n");
        assert_eq!(env.active_manifest("one")["task"], Value::Null);
        assert_eq!(
            env.run("sessions task").success_with_warning("session one has no task; type: ait sessions task \"...\""),
            ""
        );
    }

    #[test]
    fn as_json() {
        let env = TestEnv::new();
        let _client = one(&env);
        let task = |words: &[&str]| env.ait().run_args(words).json();
        let shown = |task: Value| json!({"schema_version": 1, "session_id": "one", "task": task});
        assert_eq!(task(&["sessions", "task", "--json"]), shown(json!("before")));
        assert_eq!(task(&["sessions", "task", "--json", "after"]), shown(json!("after")));
        assert_eq!(task(&["sessions", "task", "", "--json"]), shown(Value::Null));
        assert_eq!(task(&["sessions", "task", "--json"]), shown(Value::Null));
    }

    /// A task stands in every list; and a manifest that grew beyond what is read would be lost.
    #[test]
    fn a_task_of_megabytes_is_cut_and_said() {
        let env = TestEnv::new();
        let _client = one(&env);
        let other = Client::new();
        let cut = "the task was cut to 1000 characters";
        // What JSON writes as six bytes each; a word of an argument list holds 128 KiB.
        let word = "\u{1}é".repeat(40_000);
        let words = [&["sessions", "task", "--session", "one"][..], &[word.as_str(); 15]].concat();
        env.ait().run_args(&words).success_with_warning(cut);
        let task = env.active_manifest("one")["task"].as_str().unwrap().to_owned();
        assert_eq!(task, format!("{}…", "\u{1}é".repeat(500)));
        assert!(fs::metadata(env.sessions_path("active/one.json")).unwrap().len() < 10_000);
        assert!(env.run("sessions live").success().contains("Task: éé"));
        env.ait().run_args(&["sessions", "task", "--json", &word]).success_with_warning(cut);
        let whole = "x".repeat(1_000);
        env.ait().run_args(&["sessions", "task", &whole]).stdout_is(&format!("Task of one: {whole}\n"));
        // What there is to type is no longer than that, for each that answers.
        env.write_manifest("two", other.pid(), &env.path(""), json!({}));
        let said = env
            .ait()
            .run_args(&words.iter().filter(|word| !["--session", "one"].contains(word)).copied().collect::<Vec<_>>());
        assert_eq!((said.exit_code, said.stderr.lines().count()), (Some(2), 3), "{}", said.stderr.len());
        assert!(said.stderr.len() < 20_000, "{}", said.stderr.len());
    }

    #[test]
    fn a_task_that_is_not_utf_8_is_refused() {
        use std::os::unix::ffi::OsStrExt;
        let env = TestEnv::new();
        let _client = one(&env);
        for bytes in [&b"caf\xe9"[..], b"\xff\xfe", b"\xed\xa0\x80"] {
            let mut command = env.ait().command(AIT);
            command.args(["sessions", "task"]).arg(std::ffi::OsStr::from_bytes(bytes));
            let output = command.stdin(Stdio::null()).output().unwrap();
            assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), &b""[..]));
            let wanted = format!("ait: reading the command line: {}: not UTF-8\n", String::from_utf8_lossy(bytes));
            assert_eq!(String::from_utf8(output.stderr).unwrap(), wanted);
            assert_eq!(env.active_manifest("one")["task"], "before");
        }
    }

    /// One that would grow beyond what is read stays as it was.
    #[test]
    fn no_event_writes_a_manifest_that_nobody_reads() {
        let env = TestEnv::new();
        let client = Client::new();
        let nearly = json!({"x_future": "x".repeat((4 << 20) - 400)});
        env.write_manifest("one", client.pid(), &env.path(""), nearly);
        let before = fs::read(env.sessions_path("active/one.json")).unwrap();
        env.send_event(&client, "UserPromptSubmit", "one", &env.path(""), json!({"prompt": "go"})).no_output();
        let log = env.log_lines().pop().unwrap();
        assert!(log.contains("it would be larger than the 4194304 bytes that are read"), "{log}");
        assert_eq!(fs::read(env.sessions_path("active/one.json")).unwrap(), before);
        assert_eq!(env.active_ids(), ["one"]);
    }

    /// Fields that we do not know survive every rewrite, to the byte.
    #[test]
    fn task_keeps_unknown_fields_of_the_manifest() {
        let env = TestEnv::new();
        let client = one(&env);
        let kept = "\"x_future\": {\"kept\":[1,2.50,\"\\u00fc\"],  \"n\": 1e400}";
        let file = env.sessions_path("active/one.json");
        fs::write(&file, format!("{{\"pid\": {}, {kept}, \"git_dirty\": \"perhaps\"}}", client.pid())).unwrap();
        let rewrites: [&dyn Fn(); 4] = [
            &|| drop(env.run("sessions task --session one new").success()),
            &|| env.send_event(&client, "UserPromptSubmit", "one", &env.path(""), json!({"prompt": "x"})).no_output(),
            &|| env.send_event(&client, "Stop", "one", &env.path(""), json!({})).no_output(),
            &|| env.start_session(&client, "one", &env.path("")).no_output(),
        ];
        for rewrite in rewrites {
            rewrite();
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.contains(kept) && text.contains("\"git_dirty\": \"perhaps\""), "{text}");
        }
        env.end_session(&client, "one", &env.path(""), "other");
        let (day, _) = env.history_entries().remove(0);
        let text = fs::read_to_string(env.sessions_path("history").join(day).join("one.json")).unwrap();
        assert!(text.contains(kept), "{text}");
    }

    /// Of fields of one name the last one counts, as everywhere in JSON, whether it is ours, of a type that is not, or
    /// somebody else's; all that is there once stays.
    #[test]
    fn of_a_field_that_is_there_twice_the_last_one_counts() {
        let env = TestEnv::new();
        let client = Client::new();
        let pid = client.pid();
        let place = env.path("");
        let kept = "\"x_future\": {\"a\":1,\"a\":2}";
        let text = format!(
            r#"{{"task": "first", "project": "first", "pid": {pid}, "x_mood": 1, "git_branch": "first", "model": "first",
            "path": "/first", "path": "{}", "t\u0061sk": "last", "project": "last", {kept}, "x_mood": "last",
            "git_branch": ["not", "ours"], "model": null, "pid": {pid}}}"#,
            place.display()
        );
        let file = env.write_file(".claude/sessions/active/one.json", &text);
        let shown = || env.run("sessions live --json").json()["sessions"][0].clone();
        let wanted = [
            ("task", json!("last")),
            ("project", json!("last")),
            ("path", json!(place)),
            ("x_mood", json!("last")),
            ("git_branch", json!(["not", "ours"])),
            ("model", Value::Null),
            ("pid", json!(pid)),
            ("x_future", json!({"a": 2})),
        ];
        for (name, value) in &wanted {
            assert_eq!(shown()[*name], *value, "{name}");
        }
        env.run("sessions live").stdout_is("Active Claude Code Sessions\n\n1. last\n   ~\n   Task: last\n");
        env.run("sessions task --session one new").success();
        let text = fs::read_to_string(&file).unwrap();
        for (name, value) in wanted.iter().filter(|(name, _)| *name != "task") {
            assert_eq!(shown()[*name], *value, "{name}: {text}");
            assert_eq!(text.matches(&format!("\"{name}\":")).count(), 1, "{text}");
        }
        assert!(text.contains(kept), "what is in a field of others is theirs: {text}");
    }

    #[test]
    fn what_the_user_set_wins_over_title_and_prompt() {
        let env = TestEnv::new();
        let client = Client::new();
        let folder = env.create_dir("p");
        env.start_session(&client, "one", &folder).no_output();
        let task = || env.active_manifest("one")["task"].clone();
        let prompt = |text: &str, more: Value| {
            let mut fields = json!({ "prompt": text });
            fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            env.send_event(&client, "UserPromptSubmit", "one", &folder, fields).no_output();
        };
        prompt("<task-notification>\nnobody typed this", json!({}));
        assert_eq!(task(), Value::Null);
        prompt("\n first line \nsecond", json!({}));
        assert_eq!(task(), "first line");
        prompt("another", json!({}));
        assert_eq!(task(), "first line", "the first prompt stays");
        prompt("another", json!({"session_title": "a title"}));
        assert_eq!(task(), "a title");
        env.run("sessions task --session one mine").success();
        prompt("another", json!({"session_title": "a newer title"}));
        assert_eq!(task(), "mine");
        env.ait().run_args(&["sessions", "task", "--session", "one", ""]).success();
        prompt("another", json!({"session_title": "a newer title"}));
        assert_eq!(task(), Value::Null, "cleared is the user's word too");
    }

    #[test]
    fn task_without_a_session_in_this_folder_fails() {
        let env = TestEnv::new();
        let why = "finding the current session: ~: no live session works in this folder; type: ait sessions live";
        env.run("sessions task").failure(1, why);
        env.run("sessions task text").failure(1, why);
        assert_eq!(file_names(&env.path("")), [""; 0]);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_said() {
        let env = TestEnv::new();
        let _client = one(&env);
        let folder = env.sessions_path("active");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
        let writable = fs::write(folder.join("probe"), "").is_ok();
        let said = env.run("sessions task new");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        // Nothing is forbidden to root.
        if !writable {
            let why =
                format!("writing a manifest: {}: Permission denied (os error 13)", folder.join("one.json").display());
            said.failure(1, &why);
            assert_eq!(env.active_manifest("one")["task"], "before");
        }
    }
}

mod conflicts {
    use super::*;

    #[test]
    fn two_sessions_in_one_tree() {
        let env = TestEnv::new();
        let clients = [Client::new(), Client::new()];
        let tree = env.repository("aiterm");
        env.write_manifest("abc123", clients[0].pid(), &tree, json!({"started": ago(2 * 3600 + 30), "task": null}));
        env.write_manifest(
            "def456",
            clients[1].pid(),
            &tree,
            json!({"git_branch": "dev", "started": ago(15 * 60 + 30)}),
        );
        let wanted = "⚠  Conflict Detected!\n\
             Project: aiterm\n\
             Sessions:\n  \
             - abc123 (main) started 2h ago\n  \
             - def456 (dev) started 15m ago: Implementing session coordination\n\
             Grade: shared-tree, in ~/aiterm\n\
             \n\
             Risk: Parallel edits may overwrite each other; a checkout, stash or reset by one changes the other's files.\n\
             Recommendation: Coordinate work or close one session; `claude --worktree NAME` gives one a tree of its own.\n";
        env.run("sessions conflicts").stdout_is(wanted);
        let strict = env.run("sessions conflicts --strict");
        assert_eq!((strict.exit_code, strict.stdout.as_str(), strict.stderr.as_str()), (Some(3), wanted, ""));
        let shown = env.run("sessions conflicts --json").json();
        assert_eq!(object_keys(&shown), ["conflicts", "faded", "schema_version"]);
        let conflict = &shown["conflicts"][0];
        assert_eq!(shown["conflicts"].as_array().unwrap().len(), 1);
        assert_eq!(object_keys(conflict), ["files", "grade", "path", "project", "sessions", "trees"]);
        assert_eq!((&conflict["grade"], &conflict["project"]), (&json!("shared-tree"), &json!("aiterm")));
        assert_eq!((&conflict["path"], &conflict["files"]), (&json!(tree), &json!([])));
        let ids: Vec<&Value> = conflict["sessions"].as_array().unwrap().iter().map(|s| &s["session_id"]).collect();
        assert_eq!(ids, ["abc123", "def456"]);
        assert_eq!(env.run("sessions conflicts --json --strict").exit_code, Some(3));
        let live = env.run("sessions live").success();
        assert_eq!(live.matches('⚠').count(), 2, "{live}");
    }

    /// The words of the guide, on as many lines as the terminal is wide for; in a pipe they stay on one.
    #[test]
    #[cfg(target_os = "linux")]
    fn risk_and_advice_keep_to_the_width_of_the_terminal() {
        needs!("script");
        let env = TestEnv::new();
        let clients = [Client::new(), Client::new()];
        let tree = env.repository("t");
        for (client, id) in clients.iter().zip(["one", "two"]) {
            env.start_session(client, id, &tree).success();
        }
        let sentences = |text: &str| {
            let at = text.find("\nRisk: ").unwrap_or_else(|| panic!("{text}"));
            text[at + 1..].to_owned()
        };
        let piped = sentences(&env.run("sessions conflicts").success());
        assert_eq!(piped.lines().count(), 2, "{piped}");
        assert!(piped.lines().any(|line| line.len() > 80), "else there is nothing to prove: {piped}");
        // 0 is a terminal that nobody has told its size.
        for columns in [0, 40, 80, 200] {
            let shown = sentences(&super::live::in_a_terminal(&env, columns, "sessions conflicts --color never"));
            let width = if columns == 0 { 80 } else { columns as usize };
            assert!(shown.lines().all(|line| line.chars().count() <= width), "{columns}: {shown}");
            let words = |text: &str| text.split_whitespace().map(str::to_owned).collect::<Vec<_>>();
            assert_eq!(words(&shown), words(&piped), "{columns}");
            let further = shown.lines().filter(|line| !line.starts_with('R'));
            assert!(further.clone().all(|line| line.starts_with("  ")), "{columns}: {shown}");
            assert_eq!(further.count() == 0, columns == 200, "{columns}: {shown}");
        }
    }

    #[test]
    fn a_tree_is_one_through_symlinks_and_subfolders() {
        for other in ["link", "aiterm/src/deep", "link/src", "aiterm/../aiterm", "aiterm/gone"] {
            let env = TestEnv::new();
            let clients = [Client::new(), Client::new()];
            let tree = env.repository("aiterm");
            env.create_dir("aiterm/src/deep");
            symlink(&tree, env.path("link")).unwrap();
            env.write_manifest("one", clients[0].pid(), &tree, json!({}));
            env.write_manifest("two", clients[1].pid(), &env.path(other), json!({}));
            let said = env.run("sessions conflicts --strict");
            assert_eq!(said.exit_code, Some(3), "{other}: {said:?}");
        }
    }

    #[test]
    fn a_folder_without_repository_is_one_through_symlinks() {
        let env = TestEnv::new();
        let clients = [Client::new(), Client::new(), Client::new()];
        let folder = env.create_dir("plain");
        symlink(&folder, env.path("link")).unwrap();
        env.write_manifest("one", clients[0].pid(), &folder, json!({}));
        env.write_manifest("below", clients[1].pid(), &env.create_dir("plain/below"), json!({}));
        env.run("sessions conflicts --strict").stdout_is("No conflicts among 2 live sessions.\n");
        env.write_manifest("two", clients[2].pid(), &env.path("link"), json!({}));
        let said = env.run("sessions conflicts --strict");
        assert_eq!(said.exit_code, Some(3), "{said:?}");
        assert!(said.stdout.contains("- one (main)") && said.stdout.contains("- two (main)"), "{said:?}");
        assert!(!said.stdout.contains("- below"), "{said:?}");
    }

    #[test]
    fn conflicts_of_sessions_in_two_trees_are_none() {
        let env = TestEnv::new();
        let clients = [Client::new(), Client::new(), Client::new(), Client::new()];
        let tree = env.repository("aiterm");
        let beside = env.worktree(&tree, "beside", "beside");
        let within = env.worktree(&tree, "aiterm/.claude/worktrees/wt", "within");
        // Another repository in a folder of the same name.
        let namesake = env.repository("elsewhere/aiterm");
        for (client, (id, folder)) in
            clients.iter().zip([("a", &tree), ("b", &beside), ("c", &within), ("d", &namesake)])
        {
            env.start_session(client, id, folder).success();
        }
        env.run("sessions conflicts --strict").stdout_is("No conflicts among 4 live sessions.\n");
        assert_eq!(env.run("sessions conflicts --json").json()["conflicts"], json!([]));
    }

    #[test]
    fn the_dead_and_the_lone_have_none() {
        let env = TestEnv::new();
        env.run("sessions conflicts --strict").stdout_is("No conflicts among 0 live sessions.\n");
        let client = Client::new();
        let tree = env.repository("aiterm");
        env.write_manifest("one", client.pid(), &tree, json!({}));
        env.write_manifest("two", Client::new().kill(), &tree, json!({}));
        env.run("sessions conflicts --strict").stdout_is("No conflicts among 1 live session.\n");
    }
}

mod prune {
    use super::*;

    #[test]
    fn archives_what_is_gone_and_says_so() {
        let env = TestEnv::new();
        let client = Client::new();
        env.write_manifest("alive", client.pid(), &env.path("p"), json!({}));
        let fields = json!({"started": "2025-12-26T14:30:00Z", "updated": "2025-12-26T15:00:00Z", "x_future": 1});
        let dead = env.write_manifest("dead", Client::new().kill(), &env.path("p"), fields);
        let before = fs::read(&dead).unwrap();
        let remark = "1 stale: process no longer exists; type: ait sessions prune";
        assert!(!env.run("sessions live").success_with_warning(remark).contains("2."));
        assert_eq!(fs::read(&dead).unwrap(), before, "whoever only looks changes nothing");

        let ago = {
            let seconds = jiff::Timestamp::now().as_second()
                - "2025-12-26T15:00:00Z".parse::<jiff::Timestamp>().unwrap().as_second();
            format!("{}d ago", seconds / 86400)
        };
        env.run("sessions prune --dry-run").stdout_is(&format!(
            "Would archive dead aiterm, last seen {ago}: Implementing session coordination\n\
             1 stale, 1 live. Archive them: ait sessions prune\n"
        ));
        let shown = env.run("sessions prune --dry-run --json").json();
        assert_eq!(object_keys(&shown), ["alive", "dry_run", "elsewhere", "pruned", "schema_version"]);
        assert_eq!((&shown["alive"], &shown["dry_run"]), (&json!(1), &json!(true)));
        assert_eq!(shown["pruned"][0]["session_id"], "dead");
        assert_eq!(shown["pruned"][0]["history"], Value::Null);
        assert_eq!(fs::read(&dead).unwrap(), before, "a dry run changes nothing");

        env.run("sessions prune").stdout_is(&format!(
            "Archived dead aiterm, last seen {ago}: Implementing session coordination -> history/2025-12-26\n\
             1 archived, 1 live.\n"
        ));
        let ended = read_json(&env.sessions_path("history/2025-12-26/dead.json")).unwrap();
        assert_eq!((&ended["status"], &ended["ended"]), (&json!("pruned"), &json!("2025-12-26T15:00:00Z")));
        assert_eq!((&ended["task"], &ended["x_future"]), (&json!("Implementing session coordination"), &json!(1)));
        assert_eq!(env.active_ids(), ["alive"]);
        env.run("sessions prune").stdout_is("Nothing to archive; 1 live.\n");
    }

    #[test]
    fn as_json() {
        let env = TestEnv::new();
        env.write_manifest("dead", Client::new().kill(), &env.path("p"), json!({"updated": "2025-12-26T15:00:00Z"}));
        let shown = env.run("sessions prune --json").json();
        assert_eq!((&shown["alive"], &shown["dry_run"]), (&json!(0), &json!(false)));
        assert_eq!(
            shown["pruned"],
            json!([{
                "session_id": "dead", "project": "aiterm", "path": env.path("p"),
                "task": "Implementing session coordination", "history": "2025-12-26",
            }])
        );
        assert_eq!(env.run("sessions prune --json").json()["pruned"], json!([]));
    }

    fn is_live(env: &TestEnv, id: &str) -> bool {
        let said = env.run("sessions live --json");
        let shown: Value = serde_json::from_str(&said.stdout).unwrap();
        shown["sessions"].as_array().unwrap().iter().any(|session| session["session_id"] == id)
    }

    #[test]
    fn a_session_is_live_while_the_very_process_runs_that_was_stamped() {
        let env = TestEnv::new();
        let client = Client::new();
        let mut dead = Client::new();
        dead.make_zombie();
        let boot = ait::sys::process::boot_id();
        let host = ait::sys::process::host();
        for (id, pid, fields, live) in [
            ("plain", client.pid(), json!({}), true),
            ("same-start", client.pid(), json!({"pid_start": client.start_time(), "boot_id": boot}), true),
            ("start-as-text", client.pid(), json!({"pid_start": client.start_time().to_string()}), true),
            ("recycled-pid", client.pid(), json!({"pid_start": client.start_time() - 1, "boot_id": boot}), false),
            ("other-boot", client.pid(), json!({"pid_start": client.start_time(), "boot_id": "11111111-2222"}), false),
            ("this-host", client.pid(), json!({"host": host}), true),
            ("zombie", dead.pid(), json!({}), false),
            ("no-process", Client::new().kill(), json!({}), false),
            ("no-pid", 0, json!({}), false),
            ("huge-pid", u32::MAX, json!({}), false),
            ("null-pid", 0, json!({"pid": null}), false),
            ("ended", client.pid(), json!({"ended": "2025-12-26T15:00:00Z", "status": "completed"}), false),
        ] {
            env.write_manifest(id, pid, &env.path(id), fields);
            assert_eq!(is_live(&env, id), live, "{id}");
        }
    }

    /// A folder of sessions may lie on a disk that machines share: from here nothing can be said of the others'.
    #[test]
    fn a_session_of_another_host_is_never_archived() {
        let env = TestEnv::new();
        let gone = Client::new().kill();
        env.write_manifest("far", gone, &env.path("p"), json!({"host": "another.example", "boot_id": "11111111"}));
        assert!(is_live(&env, "far"));
        let pruned = env.run("sessions prune").success_with_warning(
            "1 session of another container or machine cannot be seen from here and is left alone; ait sessions prune \
             --elsewhere archives those without an event for a day",
        );
        assert_eq!(pruned, "Nothing to archive; 0 live.\n");
        let client = Client::new();
        env.start_session(&client, "near", &env.create_dir("q")).no_output();
        assert_eq!(env.active_ids(), ["far", "near"]);
        let shown = env.run("sessions live --verbose").success();
        assert!(
            shown.contains("Elsewhere: on host another.example, or in a container with this host name\n"),
            "{shown}"
        );
    }

    /// A kill between writing the end and the move leaves a manifest that has ended: its own end stays.
    #[test]
    fn an_end_that_was_written_and_not_moved_keeps_its_status() {
        let env = TestEnv::new();
        let client = Client::new();
        let fields = json!({"ended": "2025-12-26T15:00:00Z", "status": "completed", "end_reason": "clear"});
        env.write_manifest("half", client.pid(), &env.path("p"), fields);
        env.run("sessions prune").success();
        let ended = read_json(&env.sessions_path("history/2025-12-26/half.json")).unwrap();
        assert_eq!((&ended["status"], &ended["end_reason"]), (&json!("completed"), &json!("clear")));
    }

    #[test]
    fn what_a_kill_left_behind_is_swept() {
        let env = TestEnv::new();
        let client = Client::new();
        let dead = format!(".claude/sessions/active/.one.json.{}.0.tmp", Client::new().kill());
        let running = format!(".claude/sessions/active/.two.json.{}.0.tmp", client.pid());
        let (dead, running) = (env.write_file(&dead, "{"), env.write_file(&running, "{"));
        let day = SystemTime::now() - Duration::from_secs(86_400);
        for file in [&dead, &running] {
            fs::File::options().write(true).open(file).unwrap().set_modified(day).unwrap();
        }
        env.run("sessions prune").stdout_is("Nothing to archive; 0 live.\n");
        assert!(!dead.exists() && running.exists());
    }

    #[test]
    fn stale_ones_are_archived_in_passing_by_the_next_start() {
        let env = TestEnv::new();
        let client = Client::new();
        env.write_manifest("dead", Client::new().kill(), &env.path("p"), json!({"updated": "2025-12-26T15:00:00Z"}));
        env.start_session(&client, "new", &env.create_dir("q")).no_output();
        assert_eq!(env.active_ids(), ["new"]);
        assert_eq!(env.history_manifest("dead")["status"], "pruned");
    }

    #[test]
    fn ours_are_private_and_only_ours() {
        let env = TestEnv::new();
        let client = Client::new();
        env.write_file(".claude/sessions/4711.json", "{}");
        env.start_session(&client, "one", &env.create_dir("p")).no_output();
        env.end_session(&client, "one", &env.create_dir("p"), "other");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let (day, _) = env.history_entries().remove(0);
        for folder in ["active", "history"] {
            assert_eq!(mode(&env.sessions_path(folder)), 0o700, "{folder}");
        }
        let day = env.sessions_path("history").join(day);
        assert_eq!((mode(&day), mode(&day.join("one.json"))), (0o700, 0o600));
        assert_eq!(file_names(&env.sessions_path("")), ["4711.json", "active", "history"]);
    }
}
