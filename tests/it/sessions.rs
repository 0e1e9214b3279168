//! `ait sessions live | current | task | conflicts | prune`, over manifests as anybody may have written them.
use crate::common;

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;
use std::process::Stdio;
use std::time::{Duration, SystemTime};

use crate::common::{AIT, Client, World, ago, keys, manifest, names, read, start_of};
use serde_json::{Value, json};

/// The two sessions of the guide, written by hand with the documented fields only.
fn the_guide(world: &World) -> [Client; 2] {
    let clients = [Client::new(), Client::new()];
    let aiterm = world.folder("projects/dev-tools/aiterm");
    let atlas = world.folder("projects/apps/atlas");
    world.by_hand("abc123", clients[0].pid(), &aiterm, json!({}));
    let fields = json!({
        "project": "atlas", "git_branch": "feature/auth", "started": ago(12 * 60 + 30), "task": "Adding OAuth support",
    });
    world.by_hand("def456", clients[1].pid(), &atlas, fields);
    clients
}

mod live {
    use super::*;

    #[test]
    fn shows_the_lines_of_the_guide() {
        let world = World::new();
        let _clients = the_guide(&world);
        world.run("sessions live").prints(
            "Active Claude Code Sessions\n\
             \n\
             1. aiterm (main) - 45m\n   ~/projects/dev-tools/aiterm\n   Task: Implementing session coordination\n\
             \n\
             2. atlas (feature/auth) - 12m\n   ~/projects/apps/atlas\n   Task: Adding OAuth support\n",
        );
    }

    /// In a terminal of this many columns, the output as the terminal gets it.
    #[cfg(target_os = "linux")]
    pub(super) fn in_a_terminal(world: &World, columns: u32, words: &str) -> String {
        let line = format!("stty cols {columns} rows 40; exec {AIT} {words}");
        let ask = world.ait().var("TERM", "xterm").var("SHELL", "/bin/sh");
        let output = ask.command("script").args(["-qec", &line, "/dev/null"]).stdin(Stdio::null()).output().unwrap();
        String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n")
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn stands_in_the_box_of_the_guide_in_a_terminal() {
        let world = World::new();
        let _clients = the_guide(&world);
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
        assert_eq!(in_a_terminal(&world, 80, "sessions live --color never"), wanted);
        let coloured = in_a_terminal(&world, 80, "sessions live");
        assert!(coloured.contains("\x1b["), "{coloured}");
        let narrow = in_a_terminal(&world, 40, "sessions live --color never");
        let cells: Vec<usize> = narrow.lines().map(|line| line.chars().count()).collect();
        assert!(cells.iter().all(|cells| *cells == 40), "{narrow}");
        assert!(narrow.contains("│    Task: Implementing session coord… │"), "{narrow}");
    }

    /// Names are cut by terminal cells: the right side of the box stays straight.
    #[test]
    #[cfg(target_os = "linux")]
    fn wide_letters_keep_the_box_straight() {
        let world = World::new();
        let client = Client::new();
        let task = "日本語の説明をとても長く書いたもの👩‍👩‍👧‍👦e\u{301}e\u{301}🇩🇪日本語の説明をとても長く書いたもの";
        world.by_hand("abc123", client.pid(), &world.path("p"), json!({"project": "日本語", "task": task}));
        for columns in [41, 60, 80, 200] {
            let shown = in_a_terminal(&world, columns, "sessions live --color never");
            let lines: Vec<&str> = shown.lines().collect();
            assert!(lines.len() >= 6, "{shown}");
            let cells: Vec<usize> = lines.iter().map(|line| ait::render::width::cells(line)).collect();
            assert!(cells.iter().all(|width| *width == cells[0] && *width <= columns as usize), "{cells:?}\n{shown}");
        }
    }

    #[test]
    fn colour_by_the_usual_rules() {
        let world = World::new();
        let _clients = the_guide(&world);
        let coloured = |ask: common::Ask<'_>, words: &str| ask.run(words).fine().contains("\x1b[");
        assert!(!coloured(world.ait(), "sessions live"));
        assert!(coloured(world.ait(), "sessions live --color always"));
        assert!(coloured(world.ait().var("CLICOLOR_FORCE", "1"), "sessions live"));
        assert!(!coloured(world.ait().var("CLICOLOR_FORCE", "1").var("NO_COLOR", "1"), "sessions live"));
        assert!(coloured(world.ait().var("NO_COLOR", "1"), "sessions live --color=always"));
        assert!(!coloured(world.ait().var("CLICOLOR_FORCE", "1"), "sessions live --color=never"));
    }

    #[test]
    fn as_json() {
        let world = World::new();
        let _clients = the_guide(&world);
        let shown = world.run("sessions live --json").json();
        assert_eq!(keys(&shown), ["schema_version", "sessions"]);
        let sessions = shown["sessions"].as_array().unwrap();
        assert_eq!(sessions.iter().map(|session| &session["session_id"]).collect::<Vec<_>>(), ["abc123", "def456"]);
        let (session, manifest) = (&sessions[0], world.active("abc123"));
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
        let world = World::new();
        let _clients = the_guide(&world);
        let ids = |words: &str| {
            let shown = world.run(&format!("sessions live --json {words}")).json();
            let sessions = shown["sessions"].as_array().unwrap();
            sessions.iter().map(|session| session["session_id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(ids("--project atlas"), ["def456"]);
        assert_eq!(ids("--project ATLAS"), ["def456"]);
        assert_eq!(ids("--project=atl"), [""; 0]);
        let absolute = world.path("projects/dev-tools");
        assert_eq!(ids(&format!("--path {}", absolute.display())), ["abc123"]);
        assert_eq!(ids("--path projects"), ["abc123", "def456"], "a path from the current folder");
        assert_eq!(ids("--path projects/apps/../dev-tools"), ["abc123"]);
        assert_eq!(ids("--path projects/dev"), [""; 0], "part of a name is no folder");
        symlink(world.path("projects/apps"), world.path("link")).unwrap();
        assert_eq!(ids("--path link"), ["def456"]);
        assert_eq!(ids("--path projects --project aiterm"), ["abc123"]);
        world.run("sessions live --project nothing").prints("No live sessions that match.\n");
    }

    #[test]
    fn verbose_tells_the_process_and_where_the_state_comes_from() {
        let world = World::new();
        let [by_hand, _other] = the_guide(&world);
        let client = Client::new();
        let folder = world.folder("lone");
        world.start(&client, "6425757d-2548-4fb2-9ce2-2c43e134d597", &folder).silent();
        let shown = world.run("sessions live --verbose").fine();
        let (pid, start) = (client.pid(), client.start());
        let block = format!(
            "   State: idle for under a minute\n   Source: the hooks, heard just now\n   \
             Session: 6425757d-2548-4fb2-9ce2-2c43e134d597\n   \
             Process: {pid} (sleep), start time {start}, boot {}\n",
            ait::sys::process::boot_id().unwrap().get(..8).unwrap()
        );
        assert!(shown.contains(&block), "{block}\n{shown}");
        let unknown = format!(
            "   State: unknown\n   Source: nothing tells\n   Session: abc123\n   \
             Process: {} (sleep), start time not stamped\n",
            by_hand.pid()
        );
        assert!(shown.contains(&unknown), "{unknown}\n{shown}");
        assert_eq!(world.run("sessions live -v").fine(), shown);
        let boxed = world.ait().var("AIT_WIDTH", "80").words(&["sessions", "live", "-v"]).fine();
        assert!(boxed.contains('│') && !boxed.contains('…'), "{boxed}");
    }

    /// The registry of Claude Code is right where hooks are silent: after Esc, or a dialog that was rejected.
    #[test]
    fn the_state_is_put_right_by_the_registry_where_that_is_newer() {
        let world = World::new();
        let client = Client::new();
        let folder = world.folder("lone");
        world.start(&client, "one", &folder).silent();
        world.event(&client, "UserPromptSubmit", "one", &folder, json!({"prompt": "go"})).silent();
        let state = || {
            let session = world.run("sessions live --json").json()["sessions"][0].clone();
            (session["state"].clone(), session["state_source"].clone(), session["waiting_for"].clone())
        };
        assert_eq!(state(), (json!("working"), json!("hook"), Value::Null));
        let later = jiff::Timestamp::now().as_millisecond() + 50;
        let mut record = json!({
            "pid": client.pid(), "sessionId": "one", "procStart": client.start().to_string(), "status": "waiting",
            "waitingFor": "permission prompt", "statusUpdatedAt": later,
        });
        let file = format!(".claude/sessions/{}.json", client.pid());
        let put = |record: &Value| world.write(&file, &record.to_string());
        put(&record);
        assert_eq!(state(), (json!("waiting"), json!("registry"), json!("permission")));
        record["statusUpdatedAt"] = json!(1);
        put(&record);
        assert_eq!(state().0, "working", "an older record says nothing");
        record["statusUpdatedAt"] = json!(later);
        record["sessionId"] = json!("another");
        put(&record);
        assert_eq!(state().0, "working", "a record of another session says nothing");
        record["sessionId"] = json!("one");
        record["procStart"] = json!("1");
        put(&record);
        assert_eq!(state().0, "working", "a record of another process says nothing");
        world.write(&file, &record.to_string()[..40]);
        assert_eq!(state().0, "working", "half a record says nothing");
        assert_eq!(names(&world.sessions("")), [&format!("{}.json", client.pid()), "active"], "and it is left alone");
    }

    #[test]
    fn nothing_there_is_said_and_nothing_is_made() {
        let world = World::new();
        world.run("sessions live").prints("No live sessions.\n");
        assert_eq!(world.run("sessions live --json").json()["sessions"], json!([]));
        assert_eq!(names(&world.path("")), [""; 0]);
    }

    #[test]
    fn the_folder_of_sessions_is_found_by_variable() {
        let world = World::new();
        let client = Client::new();
        let text = manifest("one", client.pid(), &world.path("p"), json!({"project": "found"})).to_string();
        let found = |ask: common::Ask<'_>| ask.run("sessions live").fine().contains("1. found (main)");
        world.write("a/active/one.json", &text);
        assert!(found(world.ait().var("AIT_SESSIONS_DIR", world.path("a"))));
        world.write("b/sessions/active/one.json", &text);
        assert!(found(world.ait().var("CLAUDE_CONFIG_DIR", world.path("b"))));
        assert!(!found(world.ait()));
        assert!(!found(
            world.ait().var("AIT_SESSIONS_DIR", world.path("none")).var("CLAUDE_CONFIG_DIR", world.path("b"))
        ));
        assert!(found(world.ait().without("HOME").var("AIT_SESSIONS_DIR", world.path("a"))), "no home is needed then");
        world.ait().without("HOME").run("sessions live").fails(
            1,
            "finding the sessions: HOME: not set to an absolute path; set HOME, or AIT_SESSIONS_DIR to the folder of sessions",
        );
    }

    #[test]
    fn a_file_that_does_not_parse_is_reported_and_left() {
        let world = World::new();
        let _clients = the_guide(&world);
        for (name, text, why) in [
            ("torn", "{\"session_id\": \"torn\", ", "EOF while parsing a value at line 1 column 23"),
            ("empty", "", "EOF while parsing a value at line 1 column 0"),
            ("list", "[1]", "invalid type: sequence, expected a JSON object at line 1 column 0"),
        ] {
            let file = world.write(&format!(".claude/sessions/active/{name}.json"), text);
            let remark = format!("reading a manifest: {}: {why}; left where it is", file.display());
            let shown = world.run("sessions live").remarks(&remark);
            assert!(shown.contains("1. aiterm") && shown.contains("2. atlas"), "{shown}");
            world.run("sessions prune").remarks(&remark);
            assert_eq!(fs::read_to_string(&file).unwrap(), text);
            fs::remove_file(file).unwrap();
        }
    }

    #[test]
    fn files_that_are_no_manifests_are_passed_over() {
        let world = World::new();
        let _clients = the_guide(&world);
        let before = world.run("sessions live --json").fine();
        for name in ["notes.txt", ".hidden.json", ".abc.json.1.0.tmp", "-rf.json", "a b.json", "folder.json/inner"] {
            world.write(&format!(".claude/sessions/active/{name}"), "{");
        }
        symlink("/etc/passwd", world.sessions("active/link.json")).unwrap();
        let said = world.run("sessions live --json");
        let strip = |text: &str| text.split("elapsed_seconds").next().unwrap().to_owned();
        assert_eq!(strip(&said.out), strip(&before));
        for line in said.err.lines() {
            assert!(
                ["link.json", "folder.json", "-rf.json", "a b.json"].iter().any(|name| line.contains(name)),
                "{line}"
            );
        }
    }

    #[test]
    fn a_manifest_with_next_to_nothing_in_it() {
        let world = World::new();
        let client = Client::new();
        world.write(".claude/sessions/active/bare.json", &json!({"pid": client.pid()}).to_string());
        world.write(
            ".claude/sessions/active/odd.json",
            &json!({"pid": client.pid().to_string(), "started": "yesterday", "project": 7, "path": "", "task": ["x"]})
                .to_string(),
        );
        let shown = world.run("sessions live --json").json();
        assert_eq!(shown["sessions"].as_array().unwrap().len(), 2, "{shown}");
        world.run("sessions live").fine();
        world.run("sessions live --verbose").fine();
        world.run("sessions conflicts").fine();
    }

    #[test]
    fn outside_text_cannot_move_the_cursor() {
        let world = World::new();
        let client = Client::new();
        let evil = "a\u{1b}[2Jb\rc\nd\u{7}e\u{202e}f\u{9b}31m";
        let fields = json!({"project": evil, "git_branch": evil, "task": evil, "waiting_for": evil, "state": "waiting", "tmux_pane": evil, "host": null});
        world.by_hand("evil", client.pid(), &world.path(evil), fields);
        for words in ["sessions live --verbose", "sessions current --session evil", "sessions task --session evil"] {
            let shown = world.run(words).fine();
            let moved = shown.chars().find(|c| (c.is_control() && *c != '\n') || *c == '\u{202e}');
            assert_eq!(moved, None, "{words}: {shown:?}");
        }
        assert_eq!(world.run("sessions live --json").json()["sessions"][0]["task"], evil, "JSON has it whole");
    }
}

mod current {
    use super::*;

    #[test]
    fn shows_the_lines_of_the_guide() {
        let world = World::new();
        let client = Client::new();
        let tree = world.repository("aiterm");
        world.write("aiterm/new", "");
        world.by_hand("abc123", client.pid(), &tree, json!({}));
        world.ait().at(&tree).run("sessions current").prints(
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
        let world = World::new();
        let client = Client::new();
        let folder = world.folder("lone");
        world.start(&client, "one", &folder).silent();
        let shown = world.ait().at(&folder).run("sessions current --json").json();
        assert_eq!(keys(&shown), ["schema_version", "session"]);
        let session = &shown["session"];
        for (name, value) in world.active("one").as_object().unwrap() {
            assert_eq!(session[name], *value, "{name}");
        }
        assert_eq!(session["live"], true);
        assert_eq!((&session["state"], &session["state_source"]), (&json!("idle"), &json!("hook")));
        assert!(session["elapsed_seconds"].as_u64().unwrap() < 60);
    }

    #[test]
    fn tells_branch_and_dirtiness_as_they_are_now() {
        let world = World::new();
        let client = Client::new();
        let tree = world.repository("aiterm");
        world.start(&client, "one", &tree).silent();
        let branch = |wanted: &str| {
            let shown = world.ait().at(&tree).run("sessions current").fine();
            assert!(shown.contains(wanted), "{wanted}: {shown}");
        };
        branch("Branch:  main\n");
        world.git(&tree, "checkout --quiet -b other");
        world.write("aiterm/new", "");
        branch("Branch:  other (dirty)\n");
        world.git(&tree, "checkout --quiet --detach");
        let commit = world.git(&tree, "rev-parse HEAD");
        branch(&format!("Branch:  detached at {} (dirty)\n", &commit[..7]));
    }

    #[test]
    fn by_the_tree_in_a_plain_terminal() {
        let world = World::new();
        let clients = [Client::new(), Client::new()];
        let (one, two) = (world.repository("one"), world.repository("two"));
        world.by_hand("in-one", clients[0].pid(), &one, json!({}));
        world.by_hand("in-two", clients[1].pid(), &two.join("deep/down"), json!({}));
        let here = |folder: &Path| {
            world.ait().at(folder).run("sessions current --json").json()["session"]["session_id"].clone()
        };
        assert_eq!(here(&one), "in-one");
        assert_eq!(here(&world.folder("one/src/deep")), "in-one", "in a subfolder");
        assert_eq!(here(&two), "in-two", "above the folder that the session works in, in its tree");
        symlink(&one, world.path("link")).unwrap();
        assert_eq!(here(&world.path("link")), "in-one", "through a symlink");
        let worktree = world.worktree(&one, "one/.claude/worktrees/wt", "wt");
        world.ait().at(&worktree).run("sessions current").fails(
            1,
            "finding the current session: ~/one/.claude/worktrees/wt: no live session works here; type: ait sessions live",
        );
        world
            .run("sessions current")
            .fails(1, "finding the current session: ~: no live session works here; type: ait sessions live");
    }

    #[test]
    fn without_a_repository_by_the_nearest_folder_above() {
        let world = World::new();
        let clients = [Client::new(), Client::new()];
        world.by_hand("outer", clients[0].pid(), &world.folder("a"), json!({}));
        world.by_hand("inner", clients[1].pid(), &world.folder("a/b"), json!({}));
        let here = |folder: &str| {
            world.ait().at(&world.folder(folder)).run("sessions current --json").json()["session"]["session_id"].clone()
        };
        assert_eq!(here("a"), "outer");
        assert_eq!(here("a/c"), "outer");
        assert_eq!(here("a/b/c/d"), "inner");
        let repository = world.repository("a/b/repository");
        assert_eq!(world.ait().at(&repository).run("sessions current").code, Some(1), "a repository is another place");
    }

    #[test]
    fn two_candidates_are_listed_with_what_to_type() {
        let world = World::new();
        let clients = [Client::new(), Client::new()];
        let tree = world.repository("aiterm");
        world.by_hand("6425757d-2548-4fb2-9ce2-2c43e134d597", clients[0].pid(), &tree, json!({}));
        world.by_hand(
            "6425757d-9999-4fb2-9ce2-2c43e134d597",
            clients[1].pid(),
            &tree.join("src"),
            json!({"git_branch": null, "task": null, "started": ago(30)}),
        );
        let said = world.ait().at(&tree).run("sessions current");
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
        let wanted = "ait: finding the current session: ~/aiterm: 2 live sessions answer to it; say which one:\n  \
             ait sessions current --session 6425757d-2   aiterm (main) - 45m, Implementing session coordination\n  \
             ait sessions current --session 6425757d-9   aiterm (no branch) - <1m\n";
        assert_eq!(said.err, wanted);
        let said = world.ait().at(&tree).words(&["sessions", "task", "it's \"done\""]);
        assert_eq!((said.code, said.out.as_str()), (Some(2), ""));
        // Every line that is listed can be typed.
        for line in said.err.lines().skip(1) {
            let (typed, _) = line.trim().split_once("   ").unwrap();
            let typed = format!("{}; exit $?", typed.replacen("ait", AIT, 1));
            let output = world.ait().at(&tree).command("sh").args(["-c", &typed]).output().unwrap();
            assert!(output.status.success(), "{typed}: {output:?}");
        }
        for id in world.active_ids() {
            assert_eq!(world.active(&id)["task"], "it's \"done\"");
        }
    }

    #[test]
    fn by_an_id_that_may_be_shortened() {
        let world = World::new();
        let clients = [Client::new(), Client::new(), Client::new()];
        for (client, id) in clients.iter().zip(["abc", "abcdef", "xyz"]) {
            world.by_hand(id, client.pid(), &world.path(id), json!({}));
        }
        let named = |id: &str| world.ait().words(&["sessions", "current", "--json", "--session", id]);
        assert_eq!(named("x").json()["session"]["session_id"], "xyz");
        assert_eq!(named("abc").json()["session"]["session_id"], "abc", "an exact id is no start of another");
        assert_eq!(named("abcd").json()["session"]["session_id"], "abcdef");
        let said = named("ab");
        assert_eq!((said.code, said.err.lines().count()), (Some(2), 3), "{said:?}");
        assert!(said.err.contains("--session abc   ") && said.err.contains("--session abcdef   "), "{said:?}");
        for unknown in ["y", "", "xyzz", "../xyz"] {
            let why =
                format!("finding a session: {unknown}: no live session has this id; type: ait sessions live --verbose");
            named(unknown).fails(2, &why.replace(": : ", ": "));
        }
    }

    #[test]
    fn stale_ones_are_no_candidates() {
        let world = World::new();
        let client = Client::new();
        let tree = world.repository("aiterm");
        world.by_hand("dead", Client::new().kill(), &tree, json!({}));
        world.by_hand("alive", client.pid(), &tree, json!({}));
        assert_eq!(world.ait().at(&tree).run("sessions current --json").json()["session"]["session_id"], "alive");
        assert_eq!(world.ait().run("sessions current --session dead").code, Some(2));
    }

    /// What Claude Code's Bash tool has in its environment, on newer clients.
    #[test]
    fn inside_by_the_id_that_the_client_hands_down() {
        let world = World::new();
        let clients = [Client::new(), Client::new()];
        let tree = world.repository("aiterm");
        world.by_hand("one", clients[0].pid(), &tree, json!({}));
        world.by_hand("two", clients[1].pid(), &tree, json!({}));
        let inside = |id: &str| world.ait().at(&world.path("")).var("CLAUDE_CODE_SESSION_ID", id);
        assert_eq!(inside("two").run("sessions current --json").json()["session"]["session_id"], "two");
        inside("two").run("sessions task found it").prints("Task of two: found it\n");
        assert_eq!(world.active("two")["task"], "found it");
        assert_eq!(inside("two").run("sessions current --session one --json").json()["session"]["session_id"], "one");
        // An id that is not known says nothing; the folder does.
        assert_eq!(inside("gone").run("sessions current").code, Some(1));
        assert_eq!(inside("gone").at(&tree).run("sessions current").code, Some(2));
    }

    /// Older clients hand down no id. `ait` runs in a shell in a shell, whose process is stamped in a manifest.
    #[test]
    fn inside_by_ancestry() {
        let world = World::new();
        let other = Client::new();
        let tree = world.repository("aiterm");
        let inside = |fields: &dyn Fn(u32) -> Value| {
            let script = "read go; sh -c \"$AIT sessions task from inside; exit \\$?\"; exit $?";
            let mut command = world.ait().at(&tree).var("AIT", AIT).command("sh");
            command.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
            let mut shell = command.spawn().unwrap();
            world.by_hand("inside", shell.id(), &tree, fields(shell.id()));
            world.by_hand("other", other.pid(), &tree, json!({}));
            // The end of its input lets it go on.
            drop(shell.stdin.take());
            let output = shell.wait_with_output().unwrap();
            (output.status.code(), String::from_utf8(output.stdout).unwrap())
        };
        let found = (Some(0), "Task of inside: from inside\n".to_owned());
        assert_eq!(inside(&|_| json!({})), found);
        assert_eq!(world.active("inside")["task"], "from inside");
        assert_eq!(inside(&|pid| json!({"pid_start": start_of(pid)})), found);
        // The pid of another process that is gone: then the tree says, and two work there.
        assert_eq!(inside(&|pid| json!({"pid_start": start_of(pid) - 1})).0, Some(0), "only one of them is live");
        assert_ne!(world.active("other")["task"], "Implementing session coordination");
    }
}

mod prompt {
    use super::*;

    const DIALECTS: [&str; 7] = ["plain", "zsh", "bash", "fish", "tmux", "starship", "ansi"];

    #[test]
    fn speaks_of_a_session_that_was_written_by_hand() {
        let world = World::new();
        let client = Client::new();
        let tree = world.repository("aiterm");
        world.by_hand("abc123", client.pid(), &tree, json!({}));
        let here = world.ait().at(&world.folder("aiterm/src"));
        here.run("prompt").prints("aiterm main 45m Implementing session coordination");
        here.run("prompt --for plain").prints("aiterm main 45m Implementing session coordination");
        for dialect in DIALECTS {
            let shown = here.run(&format!("prompt --for {dialect} --color never")).fine();
            assert_eq!(shown, "aiterm main 45m Implementing session coordination", "{dialect}");
        }
        world
            .run(&format!("prompt --dir {}", tree.display()))
            .prints("aiterm main 45m Implementing session coordination");
    }

    #[test]
    fn warns_of_two_in_one_tree() {
        let world = World::new();
        let clients = [Client::new(), Client::new()];
        let tree = world.repository("aiterm");
        world.by_hand("one", clients[0].pid(), &tree, json!({"started": ago(7200)}));
        world.by_hand("two", clients[1].pid(), &tree.join("src"), json!({"task": "the newest"}));
        world.ait().at(&tree).run("prompt").prints("aiterm main 45m the newest ⚠2");
        let worktree = world.worktree(&tree, "beside", "side");
        world.ait().at(&worktree).run("prompt").silent();
    }

    #[test]
    fn without_a_session_there_is_nothing() {
        let world = World::new();
        let tree = world.repository("aiterm");
        let ask = world.ait().at(&tree);
        for dialect in DIALECTS {
            ask.run(&format!("prompt --for {dialect}")).silent();
        }
        world.by_hand("dead", Client::new().kill(), &tree, json!({}));
        ask.run("prompt").silent();
        world.write(".claude/sessions/active/torn.json", "{");
        ask.run("prompt").silent();
        ask.clone().without("HOME").run("prompt").silent();
        ask.clone().without("PATH").run("prompt").silent();
        assert_eq!(world.active_ids(), ["dead", "torn"], "a prompt archives nothing");
    }

    /// Whoever changes manifests, in whatever way: the next prompt shows it.
    #[test]
    fn shows_what_is_there_now() {
        let world = World::new();
        let clients = [Client::new(), Client::new()];
        let tree = world.repository("aiterm");
        let ask = world.ait().at(&tree);
        let shows = |wanted: &str| {
            let prompt = || ask.words(&["prompt", "--format", "{task}[ {conflict}]"]);
            prompt().prints(wanted);
        };
        shows("");
        let one = world.by_hand("one", clients[0].pid(), &tree, json!({"task": "first"}));
        shows("first");
        // In place, as the original does it: no folder changes.
        fs::write(&one, manifest("one", clients[0].pid(), &tree, json!({"task": "other"})).to_string()).unwrap();
        shows("other");
        let elsewhere = manifest("one", clients[0].pid(), &world.path("elsewhere"), json!({"task": "other"}));
        fs::write(&one, elsewhere.to_string()).unwrap();
        shows("");
        fs::write(&one, manifest("one", clients[0].pid(), &tree, json!({"task": "other"})).to_string()).unwrap();
        shows("other");
        world.run("sessions task --session one third").fine();
        shows("third");
        world.start(&clients[1], "two", &tree).fine();
        world.run("sessions task --session two newest").fine();
        shows("newest ⚠2");
        world.end(&clients[1], "two", &tree, "other");
        shows("third");
        fs::remove_file(&one).unwrap();
        shows("");
    }
}

mod task {
    use super::*;

    fn one(world: &World) -> Client {
        let client = Client::new();
        let fields = json!({"task": "before", "x_future": {"kept": [1, 2.50, "ü"]}, "pid_namespace": 4026531836u64});
        world.by_hand("one", client.pid(), &world.path(""), fields);
        client
    }

    #[test]
    fn shows_sets_and_clears() {
        let world = World::new();
        let _client = one(&world);
        let before = fs::read(world.sessions("active/one.json")).unwrap();
        world.run("sessions task").prints("before\n");
        assert_eq!(fs::read(world.sessions("active/one.json")).unwrap(), before, "showing changes nothing");
        world.ait().words(&["sessions", "task", "Fixing login bug"]).prints("Task of one: Fixing login bug\n");
        world.run("sessions task").prints("Fixing login bug\n");
        world.run("sessions task several words").prints("Task of one: several words\n");
        world.run("sessions task --session o with an id").prints("Task of one: with an id\n");
        world.run("sessions task -- --dashes -x").prints("Task of one: --dashes -x\n");
        world.ait().words(&["sessions", "task", " two\nlines\t of it "]).prints("Task of one: two lines of it\n");
        assert_eq!(world.active("one")["task_source"], "user");
        world.ait().words(&["sessions", "task", ""]).prints("Task of one cleared\n");
        assert_eq!(world.active("one")["task"], Value::Null);
        assert_eq!(world.run("sessions task").remarks("session one has no task; type: ait sessions task \"...\""), "");
    }

    #[test]
    fn as_json() {
        let world = World::new();
        let _client = one(&world);
        let task = |words: &[&str]| world.ait().words(words).json();
        let shown = |task: Value| json!({"schema_version": 1, "session_id": "one", "task": task});
        assert_eq!(task(&["sessions", "task", "--json"]), shown(json!("before")));
        assert_eq!(task(&["sessions", "task", "--json", "after"]), shown(json!("after")));
        assert_eq!(task(&["sessions", "task", "", "--json"]), shown(Value::Null));
        assert_eq!(task(&["sessions", "task", "--json"]), shown(Value::Null));
    }

    /// A task stands in every list; and a manifest that grew beyond what is read would be lost.
    #[test]
    fn a_task_of_megabytes_is_cut_and_said() {
        let world = World::new();
        let _client = one(&world);
        let other = Client::new();
        let cut = "the task was cut to 1000 characters";
        // What JSON writes as six bytes each; a word of an argument list holds 128 KiB.
        let word = "\u{1}é".repeat(40_000);
        let words = [&["sessions", "task", "--session", "one"][..], &[word.as_str(); 15]].concat();
        world.ait().words(&words).remarks(cut);
        let task = world.active("one")["task"].as_str().unwrap().to_owned();
        assert_eq!(task, format!("{}…", "\u{1}é".repeat(500)));
        assert!(fs::metadata(world.sessions("active/one.json")).unwrap().len() < 10_000);
        assert!(world.run("sessions live").fine().contains("Task: éé"));
        world.ait().words(&["sessions", "task", "--json", &word]).remarks(cut);
        let whole = "x".repeat(1_000);
        world.ait().words(&["sessions", "task", &whole]).prints(&format!("Task of one: {whole}\n"));
        // What there is to type is no longer than that, for each that answers.
        world.by_hand("two", other.pid(), &world.path(""), json!({}));
        let said = world
            .ait()
            .words(&words.iter().filter(|word| !["--session", "one"].contains(word)).copied().collect::<Vec<_>>());
        assert_eq!((said.code, said.err.lines().count()), (Some(2), 3), "{}", said.err.len());
        assert!(said.err.len() < 20_000, "{}", said.err.len());
    }

    #[test]
    fn a_task_that_is_not_utf_8_is_refused() {
        use std::os::unix::ffi::OsStrExt;
        let world = World::new();
        let _client = one(&world);
        for bytes in [&b"caf\xe9"[..], b"\xff\xfe", b"\xed\xa0\x80"] {
            let mut command = world.ait().command(AIT);
            command.args(["sessions", "task"]).arg(std::ffi::OsStr::from_bytes(bytes));
            let output = command.stdin(Stdio::null()).output().unwrap();
            assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(1), &b""[..]));
            let wanted = "ait: setting the task: the text is not UTF-8; type it in UTF-8\n";
            assert_eq!(String::from_utf8(output.stderr).unwrap(), wanted);
            assert_eq!(world.active("one")["task"], "before");
        }
    }

    /// One that would grow beyond what is read stays as it was.
    #[test]
    fn no_event_writes_a_manifest_that_nobody_reads() {
        let world = World::new();
        let client = Client::new();
        let nearly = json!({"x_future": "x".repeat((4 << 20) - 400)});
        world.by_hand("one", client.pid(), &world.path(""), nearly);
        let before = fs::read(world.sessions("active/one.json")).unwrap();
        world.event(&client, "UserPromptSubmit", "one", &world.path(""), json!({"prompt": "go"})).silent();
        let log = world.log().pop().unwrap();
        assert!(log.contains("it would be larger than 4194304 bytes, which nobody reads"), "{log}");
        assert_eq!(fs::read(world.sessions("active/one.json")).unwrap(), before);
        assert_eq!(world.active_ids(), ["one"]);
    }

    /// Fields that we do not know survive every rewrite, to the byte.
    #[test]
    fn unknown_fields_survive() {
        let world = World::new();
        let client = one(&world);
        let kept = "\"x_future\": {\"kept\":[1,2.50,\"\\u00fc\"],  \"n\": 1e400}";
        let file = world.sessions("active/one.json");
        fs::write(&file, format!("{{\"pid\": {}, {kept}, \"git_dirty\": \"perhaps\"}}", client.pid())).unwrap();
        let rewrites: [&dyn Fn(); 4] = [
            &|| drop(world.run("sessions task --session one new").fine()),
            &|| world.event(&client, "UserPromptSubmit", "one", &world.path(""), json!({"prompt": "x"})).silent(),
            &|| world.event(&client, "Stop", "one", &world.path(""), json!({})).silent(),
            &|| world.start(&client, "one", &world.path("")).silent(),
        ];
        for rewrite in rewrites {
            rewrite();
            let text = fs::read_to_string(&file).unwrap();
            assert!(text.contains(kept) && text.contains("\"git_dirty\": \"perhaps\""), "{text}");
        }
        world.end(&client, "one", &world.path(""), "other");
        let (day, _) = world.history().remove(0);
        let text = fs::read_to_string(world.sessions("history").join(day).join("one.json")).unwrap();
        assert!(text.contains(kept), "{text}");
    }

    /// Of fields of one name the last one counts, as everywhere in JSON, whether it is ours, of a type that is not, or
    /// somebody else's; all that is there once stays.
    #[test]
    fn of_a_field_that_is_there_twice_the_last_one_counts() {
        let world = World::new();
        let client = Client::new();
        let pid = client.pid();
        let place = world.path("");
        let kept = "\"x_future\": {\"a\":1,\"a\":2}";
        let text = format!(
            r#"{{"task": "first", "project": "first", "pid": {pid}, "x_mood": 1, "git_branch": "first", "model": "first",
            "path": "/first", "path": "{}", "t\u0061sk": "last", "project": "last", {kept}, "x_mood": "last",
            "git_branch": ["not", "ours"], "model": null, "pid": {pid}}}"#,
            place.display()
        );
        let file = world.write(".claude/sessions/active/one.json", &text);
        let shown = || world.run("sessions live --json").json()["sessions"][0].clone();
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
        world.run("sessions live").prints("Active Claude Code Sessions\n\n1. last\n   ~\n   Task: last\n");
        world.run("sessions task --session one new").fine();
        let text = fs::read_to_string(&file).unwrap();
        for (name, value) in wanted.iter().filter(|(name, _)| *name != "task") {
            assert_eq!(shown()[*name], *value, "{name}: {text}");
            assert_eq!(text.matches(&format!("\"{name}\":")).count(), 1, "{text}");
        }
        assert!(text.contains(kept), "what is in a field of others is theirs: {text}");
    }

    #[test]
    fn what_the_user_set_wins_over_title_and_prompt() {
        let world = World::new();
        let client = Client::new();
        let folder = world.folder("p");
        world.start(&client, "one", &folder).silent();
        let task = || world.active("one")["task"].clone();
        let prompt = |text: &str, more: Value| {
            let mut fields = json!({ "prompt": text });
            fields.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
            world.event(&client, "UserPromptSubmit", "one", &folder, fields).silent();
        };
        prompt("<task-notification>\nnobody typed this", json!({}));
        assert_eq!(task(), Value::Null);
        prompt("\n first line \nsecond", json!({}));
        assert_eq!(task(), "first line");
        prompt("another", json!({}));
        assert_eq!(task(), "first line", "the first prompt stays");
        prompt("another", json!({"session_title": "a title"}));
        assert_eq!(task(), "a title");
        world.run("sessions task --session one mine").fine();
        prompt("another", json!({"session_title": "a newer title"}));
        assert_eq!(task(), "mine");
        world.ait().words(&["sessions", "task", "--session", "one", ""]).fine();
        prompt("another", json!({"session_title": "a newer title"}));
        assert_eq!(task(), Value::Null, "cleared is the user's word too");
    }

    #[test]
    fn without_a_session_here() {
        let world = World::new();
        let why = "finding the current session: ~: no live session works here; type: ait sessions live";
        world.run("sessions task").fails(1, why);
        world.run("sessions task text").fails(1, why);
        assert_eq!(names(&world.path("")), [""; 0]);
    }

    #[test]
    fn a_folder_that_cannot_be_written_is_said() {
        let world = World::new();
        let _client = one(&world);
        let folder = world.sessions("active");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o555)).unwrap();
        let writable = fs::write(folder.join("probe"), "").is_ok();
        let said = world.run("sessions task new");
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
        // Nothing is forbidden to root.
        if !writable {
            let why =
                format!("writing a manifest: {}: Permission denied (os error 13)", folder.join("one.json").display());
            said.fails(1, &why);
            assert_eq!(world.active("one")["task"], "before");
        }
    }
}

mod conflicts {
    use super::*;

    #[test]
    fn two_sessions_in_one_tree() {
        let world = World::new();
        let clients = [Client::new(), Client::new()];
        let tree = world.repository("aiterm");
        world.by_hand("abc123", clients[0].pid(), &tree, json!({"started": ago(2 * 3600 + 30), "task": null}));
        world.by_hand("def456", clients[1].pid(), &tree, json!({"git_branch": "dev", "started": ago(15 * 60 + 30)}));
        let wanted = "⚠  Conflict Detected!\n\
             Project: aiterm\n\
             Sessions:\n  \
             - abc123 (main) started 2h ago\n  \
             - def456 (dev) started 15m ago: Implementing session coordination\n\
             Grade: shared-tree, in ~/aiterm\n\
             \n\
             Risk: Parallel edits may overwrite each other; a checkout, stash or reset of one moves the other's files.\n\
             Recommendation: Coordinate work or close one session; `claude --worktree NAME` gives one a tree of its own.\n";
        world.run("sessions conflicts").prints(wanted);
        let strict = world.run("sessions conflicts --strict");
        assert_eq!((strict.code, strict.out.as_str(), strict.err.as_str()), (Some(3), wanted, ""));
        let shown = world.run("sessions conflicts --json").json();
        assert_eq!(keys(&shown), ["conflicts", "faded", "schema_version"]);
        let conflict = &shown["conflicts"][0];
        assert_eq!(shown["conflicts"].as_array().unwrap().len(), 1);
        assert_eq!(keys(conflict), ["files", "grade", "path", "project", "sessions"]);
        assert_eq!((&conflict["grade"], &conflict["project"]), (&json!("shared-tree"), &json!("aiterm")));
        assert_eq!((&conflict["path"], &conflict["files"]), (&json!(tree), &json!([])));
        let ids: Vec<&Value> = conflict["sessions"].as_array().unwrap().iter().map(|s| &s["session_id"]).collect();
        assert_eq!(ids, ["abc123", "def456"]);
        assert_eq!(world.run("sessions conflicts --json --strict").code, Some(3));
        let live = world.run("sessions live").fine();
        assert_eq!(live.matches('⚠').count(), 2, "{live}");
    }

    /// The words of the guide, on as many lines as the terminal is wide for; in a pipe they stay on one.
    #[test]
    #[cfg(target_os = "linux")]
    fn risk_and_advice_keep_to_the_width_of_the_terminal() {
        let world = World::new();
        let clients = [Client::new(), Client::new()];
        let tree = world.repository("t");
        for (client, id) in clients.iter().zip(["one", "two"]) {
            world.start(client, id, &tree).fine();
        }
        let sentences = |text: &str| {
            let at = text.find("\nRisk: ").unwrap_or_else(|| panic!("{text}"));
            text[at + 1..].to_owned()
        };
        let piped = sentences(&world.run("sessions conflicts").fine());
        assert_eq!(piped.lines().count(), 2, "{piped}");
        assert!(piped.lines().any(|line| line.len() > 80), "else there is nothing to prove: {piped}");
        // 0 is a terminal that nobody has told its size.
        for columns in [0, 40, 80, 200] {
            let shown = sentences(&super::live::in_a_terminal(&world, columns, "sessions conflicts --color never"));
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
            let world = World::new();
            let clients = [Client::new(), Client::new()];
            let tree = world.repository("aiterm");
            world.folder("aiterm/src/deep");
            symlink(&tree, world.path("link")).unwrap();
            world.by_hand("one", clients[0].pid(), &tree, json!({}));
            world.by_hand("two", clients[1].pid(), &world.path(other), json!({}));
            let said = world.run("sessions conflicts --strict");
            assert_eq!(said.code, Some(3), "{other}: {said:?}");
        }
    }

    #[test]
    fn a_folder_without_repository_is_one_through_symlinks() {
        let world = World::new();
        let clients = [Client::new(), Client::new(), Client::new()];
        let folder = world.folder("plain");
        symlink(&folder, world.path("link")).unwrap();
        world.by_hand("one", clients[0].pid(), &folder, json!({}));
        world.by_hand("below", clients[1].pid(), &world.folder("plain/below"), json!({}));
        world.run("sessions conflicts --strict").prints("No conflicts among 2 live sessions.\n");
        world.by_hand("two", clients[2].pid(), &world.path("link"), json!({}));
        let said = world.run("sessions conflicts --strict");
        assert_eq!(said.code, Some(3), "{said:?}");
        assert!(said.out.contains("- one (main)") && said.out.contains("- two (main)"), "{said:?}");
        assert!(!said.out.contains("- below"), "{said:?}");
    }

    #[test]
    fn two_trees_are_none() {
        let world = World::new();
        let clients = [Client::new(), Client::new(), Client::new(), Client::new()];
        let tree = world.repository("aiterm");
        let beside = world.worktree(&tree, "beside", "beside");
        let within = world.worktree(&tree, "aiterm/.claude/worktrees/wt", "within");
        // Another repository in a folder of the same name.
        let namesake = world.repository("elsewhere/aiterm");
        for (client, (id, folder)) in
            clients.iter().zip([("a", &tree), ("b", &beside), ("c", &within), ("d", &namesake)])
        {
            world.start(client, id, folder).fine();
        }
        world.run("sessions conflicts --strict").prints("No conflicts among 4 live sessions.\n");
        assert_eq!(world.run("sessions conflicts --json").json()["conflicts"], json!([]));
    }

    #[test]
    fn the_dead_and_the_lone_have_none() {
        let world = World::new();
        world.run("sessions conflicts --strict").prints("No conflicts among 0 live sessions.\n");
        let client = Client::new();
        let tree = world.repository("aiterm");
        world.by_hand("one", client.pid(), &tree, json!({}));
        world.by_hand("two", Client::new().kill(), &tree, json!({}));
        world.run("sessions conflicts --strict").prints("No conflicts among 1 live session.\n");
    }
}

mod prune {
    use super::*;

    #[test]
    fn archives_what_is_gone_and_says_so() {
        let world = World::new();
        let client = Client::new();
        world.by_hand("alive", client.pid(), &world.path("p"), json!({}));
        let fields = json!({"started": "2025-12-26T14:30:00Z", "updated": "2025-12-26T15:00:00Z", "x_future": 1});
        let dead = world.by_hand("dead", Client::new().kill(), &world.path("p"), fields);
        let before = fs::read(&dead).unwrap();
        let remark = "1 stale: process gone; type: ait sessions prune";
        assert!(!world.run("sessions live").remarks(remark).contains("2."));
        assert_eq!(fs::read(&dead).unwrap(), before, "whoever only looks changes nothing");

        let ago = {
            let seconds = jiff::Timestamp::now().as_second()
                - "2025-12-26T15:00:00Z".parse::<jiff::Timestamp>().unwrap().as_second();
            format!("{}d ago", seconds / 86400)
        };
        world.run("sessions prune --dry-run").prints(&format!(
            "Would archive dead aiterm, last seen {ago}: Implementing session coordination\n\
             1 stale, 1 live. Archive them: ait sessions prune\n"
        ));
        let shown = world.run("sessions prune --dry-run --json").json();
        assert_eq!(keys(&shown), ["alive", "dry_run", "pruned", "schema_version"]);
        assert_eq!((&shown["alive"], &shown["dry_run"]), (&json!(1), &json!(true)));
        assert_eq!(shown["pruned"][0]["session_id"], "dead");
        assert_eq!(shown["pruned"][0]["history"], Value::Null);
        assert_eq!(fs::read(&dead).unwrap(), before, "a dry run changes nothing");

        world.run("sessions prune").prints(&format!(
            "Archived dead aiterm, last seen {ago}: Implementing session coordination -> history/2025-12-26\n\
             1 archived, 1 live.\n"
        ));
        let ended = read(&world.sessions("history/2025-12-26/dead.json")).unwrap();
        assert_eq!((&ended["status"], &ended["ended"]), (&json!("pruned"), &json!("2025-12-26T15:00:00Z")));
        assert_eq!((&ended["task"], &ended["x_future"]), (&json!("Implementing session coordination"), &json!(1)));
        assert_eq!(world.active_ids(), ["alive"]);
        world.run("sessions prune").prints("Nothing to archive; 1 live.\n");
    }

    #[test]
    fn as_json() {
        let world = World::new();
        world.by_hand("dead", Client::new().kill(), &world.path("p"), json!({"updated": "2025-12-26T15:00:00Z"}));
        let shown = world.run("sessions prune --json").json();
        assert_eq!((&shown["alive"], &shown["dry_run"]), (&json!(0), &json!(false)));
        assert_eq!(
            shown["pruned"],
            json!([{
                "session_id": "dead", "project": "aiterm", "path": world.path("p"),
                "task": "Implementing session coordination", "history": "2025-12-26",
            }])
        );
        assert_eq!(world.run("sessions prune --json").json()["pruned"], json!([]));
    }

    fn is_live(world: &World, id: &str) -> bool {
        let said = world.run("sessions live --json");
        let shown: Value = serde_json::from_str(&said.out).unwrap();
        shown["sessions"].as_array().unwrap().iter().any(|session| session["session_id"] == id)
    }

    #[test]
    fn a_session_is_live_while_the_very_process_runs_that_was_stamped() {
        let world = World::new();
        let client = Client::new();
        let mut dead = Client::new();
        dead.make_zombie();
        let boot = ait::sys::process::boot_id();
        let host = ait::sys::process::host();
        for (id, pid, fields, live) in [
            ("plain", client.pid(), json!({}), true),
            ("same-start", client.pid(), json!({"pid_start": client.start(), "boot_id": boot}), true),
            ("start-as-text", client.pid(), json!({"pid_start": client.start().to_string()}), true),
            ("recycled-pid", client.pid(), json!({"pid_start": client.start() - 1, "boot_id": boot}), false),
            ("other-boot", client.pid(), json!({"pid_start": client.start(), "boot_id": "11111111-2222"}), false),
            ("this-host", client.pid(), json!({"host": host}), true),
            ("zombie", dead.pid(), json!({}), false),
            ("no-process", Client::new().kill(), json!({}), false),
            ("no-pid", 0, json!({}), false),
            ("huge-pid", u32::MAX, json!({}), false),
            ("null-pid", 0, json!({"pid": null}), false),
            ("ended", client.pid(), json!({"ended": "2025-12-26T15:00:00Z", "status": "completed"}), false),
        ] {
            world.by_hand(id, pid, &world.path(id), fields);
            assert_eq!(is_live(&world, id), live, "{id}");
        }
    }

    /// A folder of sessions may lie on a disk that machines share: from here nothing can be said of the others'.
    #[test]
    fn a_session_of_another_host_is_never_archived() {
        let world = World::new();
        let gone = Client::new().kill();
        world.by_hand("far", gone, &world.path("p"), json!({"host": "another.example", "boot_id": "11111111"}));
        assert!(is_live(&world, "far"));
        world.run("sessions prune").prints("Nothing to archive; 1 live.\n");
        let client = Client::new();
        world.start(&client, "near", &world.folder("q")).silent();
        assert_eq!(world.active_ids(), ["far", "near"]);
        let shown = world.run("sessions live --verbose").fine();
        assert!(shown.contains(", on another.example\n"), "{shown}");
    }

    /// A kill between writing the end and the move leaves a manifest that has ended: its own end stays.
    #[test]
    fn an_end_that_was_written_and_not_moved_keeps_its_status() {
        let world = World::new();
        let client = Client::new();
        let fields = json!({"ended": "2025-12-26T15:00:00Z", "status": "completed", "end_reason": "clear"});
        world.by_hand("half", client.pid(), &world.path("p"), fields);
        world.run("sessions prune").fine();
        let ended = read(&world.sessions("history/2025-12-26/half.json")).unwrap();
        assert_eq!((&ended["status"], &ended["end_reason"]), (&json!("completed"), &json!("clear")));
    }

    #[test]
    fn what_a_kill_left_behind_is_swept() {
        let world = World::new();
        let client = Client::new();
        let dead = format!(".claude/sessions/active/.one.json.{}.0.tmp", Client::new().kill());
        let running = format!(".claude/sessions/active/.two.json.{}.0.tmp", client.pid());
        let (dead, running) = (world.write(&dead, "{"), world.write(&running, "{"));
        let day = SystemTime::now() - Duration::from_secs(86_400);
        for file in [&dead, &running] {
            fs::File::options().write(true).open(file).unwrap().set_modified(day).unwrap();
        }
        world.run("sessions prune").prints("Nothing to archive; 0 live.\n");
        assert!(!dead.exists() && running.exists());
    }

    #[test]
    fn stale_ones_are_archived_in_passing_by_the_next_start() {
        let world = World::new();
        let client = Client::new();
        world.by_hand("dead", Client::new().kill(), &world.path("p"), json!({"updated": "2025-12-26T15:00:00Z"}));
        world.start(&client, "new", &world.folder("q")).silent();
        assert_eq!(world.active_ids(), ["new"]);
        assert_eq!(world.ended("dead")["status"], "pruned");
    }

    #[test]
    fn ours_are_private_and_only_ours() {
        let world = World::new();
        let client = Client::new();
        world.write(".claude/sessions/4711.json", "{}");
        world.start(&client, "one", &world.folder("p")).silent();
        world.end(&client, "one", &world.folder("p"), "other");
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        let (day, _) = world.history().remove(0);
        for folder in ["active", "history"] {
            assert_eq!(mode(&world.sessions(folder)), 0o700, "{folder}");
        }
        let day = world.sessions("history").join(day);
        assert_eq!((mode(&day), mode(&day.join("one.json"))), (0o700, 0o600));
        assert_eq!(names(&world.sessions("")), ["4711.json", "active", "history"]);
    }
}
