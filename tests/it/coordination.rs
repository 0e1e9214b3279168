//! Whole stories: what each session does, who waits, who is about to overwrite whom, and what Claude is told of it.
use crate::common;
use crate::common::tools::needs;

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use crate::common::{Client, CommandOutput, TestEnv, ago, read_json, wait_until};
use serde_json::{Value, json};

/// The words of a story on top of the common ones.
trait Story {
    fn before(&self, client: &Client, id: &str, folder: &Path, tool: &str, file: &str) -> CommandOutput;
    fn after(&self, client: &Client, id: &str, folder: &Path, tool: &str, file: &str) -> CommandOutput;
    fn prompt(&self, client: &Client, id: &str, folder: &Path, text: &str) -> CommandOutput;
    fn shell(&self, client: &Client, id: &str, folder: &Path, does: impl FnOnce()) -> CommandOutput;
    fn conflicts(&self) -> Vec<Value>;
    fn one(&self, id: &str) -> Value;
    fn registry(&self, client: &Client, id: &str, fields: Value);
    fn age_touches(&self, id: &str, seconds: i64);
}

impl Story for TestEnv {
    fn before(&self, client: &Client, id: &str, folder: &Path, tool: &str, file: &str) -> CommandOutput {
        let more = json!({"tool_name": tool, "tool_input": {"file_path": file}, "tool_use_id": "toolu_1"});
        self.send_event(client, "PreToolUse", id, folder, more)
    }

    fn after(&self, client: &Client, id: &str, folder: &Path, tool: &str, file: &str) -> CommandOutput {
        let more = json!({"tool_name": tool, "tool_input": {"file_path": file}, "tool_response": {"filePath": file}});
        self.send_event(client, "PostToolUse", id, folder, more)
    }

    fn prompt(&self, client: &Client, id: &str, folder: &Path, text: &str) -> CommandOutput {
        self.send_event(client, "UserPromptSubmit", id, folder, json!({ "prompt": text }))
    }

    /// A shell of the session does something.
    fn shell(&self, client: &Client, id: &str, folder: &Path, does: impl FnOnce()) -> CommandOutput {
        let more = json!({"tool_name": "Bash", "tool_input": {"command": "..."}});
        self.send_event(client, "PreToolUse", id, folder, more.clone()).success();
        does();
        self.send_event(client, "PostToolUse", id, folder, more)
    }

    fn conflicts(&self) -> Vec<Value> {
        self.run("sessions conflicts --json").json()["conflicts"].as_array().unwrap().clone()
    }

    /// A session as `live --json` shows it.
    fn one(&self, id: &str) -> Value {
        let live = self.run("sessions live --json").json();
        live["sessions"].as_array().unwrap().iter().find(|session| session["session_id"] == id).unwrap().clone()
    }

    /// What the client itself writes about a running session.
    fn registry(&self, client: &Client, id: &str, fields: Value) {
        let mut record = json!({
            "pid": client.pid(),
            "sessionId": id,
            "procStart": client.start_time().to_string(),
            "version": "2.1.330",
            "kind": "interactive",
        });
        record.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        self.write_file(&format!(".claude/sessions/{}.json", client.pid()), &record.to_string());
    }

    /// Makes all touches of a session older than they are, and what is derived from them go.
    fn age_touches(&self, id: &str, seconds: i64) {
        let log = self.sessions_path(&format!("active/{id}.touched"));
        let aged: String = fs::read_to_string(&log)
            .unwrap()
            .lines()
            .map(|line| {
                let mut touch: Value = serde_json::from_str(line).unwrap();
                touch[0] = json!(ago(seconds));
                format!("{touch}\n")
            })
            .collect();
        fs::write(log, aged).unwrap();
        let file = self.sessions_path(&format!("active/{id}.json"));
        let mut manifest = read_json(&file).unwrap();
        for list in ["wrote_in", "overlaps"] {
            for entry in manifest[list].as_array_mut().into_iter().flatten() {
                entry["at"] = json!(ago(seconds));
            }
        }
        fs::write(file, manifest.to_string()).unwrap();
        for root in fs::read_dir(self.path(".cache/ait")).unwrap() {
            let _ = fs::remove_dir_all(root.unwrap().path().join("touched"));
        }
    }
}

/// What a hook told Claude; empty where it said nothing.
#[track_caller]
fn context(said: CommandOutput) -> String {
    let text = said.success();
    if text.is_empty() {
        return text;
    }
    let answer: Value = serde_json::from_str(&text).unwrap();
    answer["hookSpecificOutput"]["additionalContext"].as_str().unwrap_or_default().to_owned()
}

fn now_ms() -> i64 {
    jiff::Timestamp::now().as_millisecond()
}

/// The files of a conflict and who wrote each.
fn files(conflict: &Value) -> Vec<(String, Vec<String>)> {
    let writers = |file: &Value| {
        let writers = file["writers"].as_array().unwrap();
        writers.iter().map(|writer| writer["session_id"].as_str().unwrap().to_owned()).collect()
    };
    let files = conflict["files"].as_array().unwrap();
    files.iter().map(|file| (file["path"].as_str().unwrap().to_owned(), writers(file))).collect()
}

mod touches {
    use super::*;

    #[test]
    fn two_sessions_edit_one_file() {
        let env = TestEnv::new();
        let (a, b) = (Client::new(), Client::new());
        let tree = env.repository("aiterm");
        let file = env.write_file("aiterm/src/a.rs", "one");
        let file = file.to_str().unwrap();
        env.start_session(&a, "first", &tree).no_output();
        env.prompt(&a, "first", &tree, "fix the login").no_output();
        env.before(&a, "first", &tree, "Edit", file).no_output();
        env.after(&a, "first", &tree, "Edit", file).no_output();

        let told = context(env.start_session(&b, "second", &tree));
        let row = told.lines().nth(1).unwrap();
        assert_eq!(row, "first on main, started just now, task: fix the login, recently wrote src/a.rs");
        assert_eq!(told.lines().count(), 2);
        assert_eq!(env.conflicts()[0]["grade"], "shared-tree");
        assert_eq!(files(&env.conflicts()[0]), [("src/a.rs".to_owned(), vec!["first".to_owned()])]);
        let segment = env.ait().current_dir(&tree).run("prompt").success();
        assert!(segment.contains('⚠'), "{segment}");

        let said = env.before(&b, "second", &tree, "Write", file).success();
        let answer: Value = serde_json::from_str(&said).unwrap();
        assert_eq!(
            answer,
            json!({"hookSpecificOutput": {
                "hookEventName": "PreToolUse",
                "additionalContext": "src/a.rs was written just now by session first (main, task: fix the login). \
                    Read it again before you write it.",
            }}),
            "the write goes on"
        );
        env.after(&b, "second", &tree, "Write", file).no_output();
        env.before(&b, "second", &tree, "Write", file).no_output();
        let conflict = &env.conflicts()[0];
        assert_eq!((&conflict["grade"], &conflict["path"]), (&json!("clobber"), &json!(tree)));
        assert_eq!(files(conflict), [("src/a.rs".to_owned(), vec!["second".to_owned(), "first".to_owned()])]);
        let shown = env.run("sessions conflicts --strict");
        assert_eq!(shown.exit_code, Some(3));
        assert!(
            shown.stdout.contains("\n  - src/a.rs: second just now, first just now\nGrade: clobber, in ~/aiterm\n")
        );
        assert!(shown.stdout.contains("\nRisk: Both write the same file;"), "{}", shown.stdout);

        // The first one writes again: it has not heard of the second yet.
        assert!(context(env.before(&a, "first", &tree, "Edit", file)).contains("by session second (main)"));

        env.end_session(&a, "first", &tree, "prompt_input_exit");
        env.before(&b, "second", &tree, "Write", file).no_output();
        assert_eq!(env.conflicts(), [] as [Value; 0], "the other one has ended");
        let ended = env.history_manifest("first");
        assert_eq!((&ended["touched"][0]["path"], &ended["touched"][0]["tree"]), (&json!("src/a.rs"), &json!(tree)));
        assert!(!env.sessions_path("active/first.touched").exists());
    }

    #[test]
    fn sub_agents_and_every_writing_tool_count_and_what_failed_does_not() {
        let env = TestEnv::new();
        let client = Client::new();
        let tree = env.repository("p");
        env.start_session(&client, "one", &tree).no_output();
        let write = |event: &str, more: Value| env.send_event(&client, event, "one", &tree, more).no_output();
        let at = |name: &str| tree.join(name);
        write("PostToolUse", json!({"tool_name": "Write", "tool_input": {"file_path": at("a")}, "agent_id": "x"}));
        write("PostToolUse", json!({"tool_name": "MultiEdit", "tool_input": {"file_path": at("b")}}));
        write("PostToolUse", json!({"tool_name": "NotebookEdit", "tool_input": {"notebook_path": at("c")}}));
        write(
            "PostToolUse",
            json!({"tool_name": "Edit", "tool_input": {"file_path": at("wish")}, "tool_response": {"filePath": at("d")}}),
        );
        write("PostToolUse", json!({"tool_name": "Read", "tool_input": {"file_path": at("read")}}));
        write("PostToolUseFailure", json!({"tool_name": "Write", "tool_input": {"file_path": at("failed")}}));
        write("PreToolUse", json!({"tool_name": "Write", "tool_input": {"file_path": at("wish")}}));
        write("PostToolUse", json!({"tool_name": "Write", "tool_input": 7, "tool_response": [1]}));
        env.end_session(&client, "one", &tree, "other");
        let ended = env.history_manifest("one");
        let touched: Vec<&Value> = ended["touched"].as_array().unwrap().iter().map(|touch| &touch["path"]).collect();
        assert_eq!(touched, ["a", "b", "c", "d"]);
    }

    /// However the path is written, it is the same file.
    #[test]
    fn one_file_by_many_paths() {
        let env = TestEnv::new();
        let tree = env.repository("p");
        env.write_file("p/src/deep/a", "");
        symlink(&tree, env.path("link")).unwrap();
        symlink(tree.join("src/deep/a"), tree.join("alias")).unwrap();
        let absolute = |below: &str| env.path(below).to_str().unwrap().to_owned();
        for path in [
            absolute("p/src/deep/a"),
            absolute("link/src/deep/a"),
            absolute("p/src/../src/./deep/a"),
            absolute("p/gone/../src/deep/a"),
            absolute("p/alias"),
            "src/deep/a".to_owned(),
            "../p/src/deep/a".to_owned(),
        ] {
            let (a, b) = (Client::new(), Client::new());
            env.start_session(&a, "first", &tree).no_output();
            env.after(&a, "first", &tree, "Write", &absolute("p/src/deep/a")).no_output();
            env.start_session(&b, "second", &tree).success();
            env.after(&b, "second", &tree, "Write", &path).no_output();
            let conflict = &env.conflicts()[0];
            assert_eq!(files(conflict)[0].1.len(), 2, "{path}: {conflict}");
            env.end_session(&a, "first", &tree, "other");
            env.end_session(&b, "second", &tree, "other");
        }
    }

    #[test]
    fn a_file_outside_of_any_repository() {
        let env = TestEnv::new();
        let (a, b) = (Client::new(), Client::new());
        let (one, two) = (env.repository("one"), env.repository("two"));
        let notes = env.create_dir("notes").join("n.md");
        let notes = notes.to_str().unwrap();
        env.start_session(&a, "first", &one).no_output();
        env.start_session(&b, "second", &two).no_output();
        env.after(&a, "first", &one, "Write", notes).no_output();
        assert!(context(env.before(&b, "second", &two, "Write", notes)).contains("/notes/n.md was written just now"));
        env.after(&b, "second", &two, "Write", notes).no_output();
        let conflict = &env.conflicts()[0];
        assert_eq!((&conflict["grade"], &conflict["project"]), (&json!("clobber"), &json!("notes")));
        assert_eq!(conflict["path"], json!(env.path("notes")));
    }

    #[test]
    fn a_folder_that_was_deleted() {
        let env = TestEnv::new();
        let (a, b) = (Client::new(), Client::new());
        let tree = env.repository("p");
        let worktree = env.worktree(&tree, "beside", "side");
        env.start_session(&a, "first", &worktree).no_output();
        let file = worktree.join("x").to_str().unwrap().to_owned();
        env.after(&a, "first", &worktree, "Write", &file).no_output();
        fs::remove_dir_all(&worktree).unwrap();
        env.after(&a, "first", &worktree, "Write", &file).no_output();
        env.start_session(&b, "second", &tree).success();
        env.after(&b, "second", &tree, "Write", tree.join("x").to_str().unwrap()).no_output();
        let grades: Vec<Value> = env.conflicts().iter().map(|conflict| conflict["grade"].clone()).collect();
        assert_eq!(grades, ["merge"], "the tree that is gone is remembered with its repository");
    }

    #[test]
    fn started_in_the_main_tree_and_writing_in_a_worktree() {
        let env = TestEnv::new();
        let (a, b, c) = (Client::new(), Client::new(), Client::new());
        let tree = env.repository("aiterm");
        let worktree = env.worktree(&tree, "aiterm-auth", "feature/auth");
        env.start_session(&a, "wanderer", &tree).no_output();
        env.start_session(&b, "main", &tree).success();
        assert_eq!(env.conflicts().len(), 1);
        env.after(&a, "wanderer", &tree, "Write", worktree.join("x").to_str().unwrap()).no_output();
        assert_eq!(env.conflicts(), [] as [Value; 0], "it works in the worktree now");
        let prompt = |folder: &Path| env.ait().current_dir(folder).run("prompt").success();
        assert!(!prompt(&tree).contains('⚠'), "{}", prompt(&tree));

        env.start_session(&c, "auth", &worktree).success();
        let conflict = &env.conflicts()[0];
        assert_eq!((&conflict["grade"], &conflict["path"]), (&json!("shared-tree"), &json!(worktree)));
        assert_eq!(conflict["project"], "aiterm");
        assert!(prompt(&worktree).contains("⚠2"), "a guest counts: {}", prompt(&worktree));

        env.after(&b, "main", &tree, "Write", tree.join("x").to_str().unwrap()).no_output();
        let found = env.conflicts();
        assert_eq!((found[1]["grade"].as_str(), found[1]["path"].as_str()), (Some("merge"), tree.to_str()));
        assert_eq!(files(&found[1]), [("x".to_owned(), vec!["main".to_owned(), "wanderer".to_owned()])]);
        assert_eq!(found[1]["trees"], json!([tree, worktree]));
        let shown = env.run("sessions conflicts").success();
        assert!(shown.contains("Grade: merge, in ~/aiterm, ~/aiterm-auth\n"), "{shown}");
        assert!(!prompt(&tree).contains('⚠'), "a merge is nothing that a prompt warns of");
    }

    #[test]
    fn a_conflict_is_old_an_hour_after_the_last_write() {
        let env = TestEnv::new();
        let (a, b) = (Client::new(), Client::new());
        let tree = env.repository("p");
        let worktree = env.worktree(&tree, "w", "side");
        let file = worktree.join("x");
        let file = file.to_str().unwrap();
        env.start_session(&a, "first", &tree).no_output();
        env.after(&a, "first", &tree, "Write", file).no_output();
        env.start_session(&b, "second", &worktree).success();
        assert!(!context(env.before(&b, "second", &worktree, "Write", file)).is_empty());
        env.age_touches("first", 3700);
        env.before(&b, "second", &worktree, "Write", file).no_output();
        env.after(&b, "second", &worktree, "Write", file).no_output();
        let shown = env.run("sessions conflicts --json --strict").json();
        assert_eq!(shown["conflicts"], json!([]));
        assert_eq!((&shown["faded"][0]["grade"], files(&shown["faded"][0]).len()), (&json!("clobber"), 1));
        let text = env.run("sessions conflicts --strict").success();
        assert!(
            text.starts_with("No conflicts among 2 live sessions.\n\nOld conflict: more than an hour ago\n"),
            "{text}"
        );
        assert!(text.contains("\n  - x: second just now, first 1h ago\n") && !text.contains("Risk"), "{text}");
    }

    /// A session that writes one file all day leaves a log that stays small, and so does what is derived from it.
    #[test]
    fn the_log_does_not_grow_with_the_same_file() {
        let env = TestEnv::new();
        let client = Client::new();
        let tree = env.repository("p");
        env.start_session(&client, "one", &tree).no_output();
        let line = format!("[\"{}\",{:?},{:?}]\n", ago(10), tree, "x".repeat(200));
        // The next write passes 64 KiB, where it is made small.
        let log = line.repeat(65535 / line.len());
        env.write_file(".claude/sessions/active/one.touched", &(log.clone() + &"\n".repeat(65535 - log.len())));
        for _ in 0..3 {
            env.after(&client, "one", &tree, "Write", tree.join("y").to_str().unwrap()).no_output();
        }
        let size = fs::metadata(env.sessions_path("active/one.touched")).unwrap().len();
        assert!(size < 1000, "{size}");
        env.end_session(&client, "one", &tree, "other");
        assert_eq!(env.history_manifest("one")["touched"].as_array().unwrap().len(), 2);
    }

    #[test]
    fn a_resumed_session_has_its_touches_again_beside_a_small_manifest() {
        let env = TestEnv::new();
        let (a, again) = (Client::new(), Client::new());
        let tree = env.repository("p");
        env.start_session(&a, "one", &tree).no_output();
        env.after(&a, "one", &tree, "Write", tree.join("x").to_str().unwrap()).no_output();
        env.end_session(&a, "one", &tree, "prompt_input_exit");
        a.kill();
        env.send_event(&again, "SessionStart", "one", &tree, json!({"source": "resume"})).no_output();
        assert_eq!(env.active_manifest("one")["touched"], Value::Null);
        assert_eq!(env.active_manifest("one")["pid"], again.pid());
        env.after(&again, "one", &tree, "Write", tree.join("y").to_str().unwrap()).no_output();
        env.end_session(&again, "one", &tree, "other");
        let ended = env.history_manifest("one");
        let touched: Vec<&Value> = ended["touched"].as_array().unwrap().iter().map(|touch| &touch["path"]).collect();
        assert_eq!(touched, ["x", "y"]);
    }

    /// What is derived may be deleted at any time.
    #[test]
    fn the_cache_is_made_again_from_the_logs() {
        let env = TestEnv::new();
        let (a, b) = (Client::new(), Client::new());
        let tree = env.repository("p");
        let file = tree.join("x").to_str().unwrap().to_owned();
        env.start_session(&a, "first", &tree).no_output();
        env.after(&a, "first", &tree, "Write", &file).no_output();
        env.start_session(&b, "second", &tree).success();
        fs::remove_dir_all(env.path(".cache")).unwrap();
        assert!(context(env.before(&b, "second", &tree, "Edit", &file)).contains("by session first"));
    }

    #[test]
    fn a_log_without_a_manifest_is_swept() {
        let env = TestEnv::new();
        env.write_file(".claude/sessions/active/gone.touched", "");
        env.write_file(".claude/sessions/active/notes.txt", "");
        env.run("sessions prune").stdout_is("Nothing to archive; 0 live.\n");
        assert_eq!(common::file_names(&env.sessions_path("active")), ["notes.txt"]);
    }
}

mod guard {
    use super::*;

    /// Two sessions in a tree, the first of which wrote this file.
    fn two(env: &TestEnv) -> (Client, Client, std::path::PathBuf, String) {
        let (a, b) = (Client::new(), Client::new());
        let tree = env.repository("aiterm");
        let file = tree.join("x").to_str().unwrap().to_owned();
        env.start_session(&a, "first", &tree).no_output();
        env.after(&a, "first", &tree, "Write", &file).no_output();
        env.start_session(&b, "second", &tree).success();
        (a, b, tree, file)
    }

    #[test]
    fn each_word_does_what_it_says() {
        let env = TestEnv::new();
        let (_a, b, tree, file) = two(&env);
        let set = |word: &str| env.ait().current_dir(&tree).run(&format!("guard {word}")).success();
        let before = || env.before(&b, "second", &tree, "Edit", &file).success();
        assert!(set("").starts_with("tell: Claude is told"), "the default");
        for word in ["ask", "deny"] {
            assert!(set(word).starts_with(word));
            let answer: Value = serde_json::from_str(&before()).unwrap();
            let answer = &answer["hookSpecificOutput"];
            assert_eq!((&answer["hookEventName"], &answer["permissionDecision"]), (&json!("PreToolUse"), &json!(word)));
            let reason = answer["permissionDecisionReason"].as_str().unwrap();
            assert!(reason.starts_with("x was written just now by session first (main). `ait guard`"), "{reason}");
        }
        set("off");
        assert_eq!(before(), "");
        set("tell");
        assert!(before().contains("additionalContext"));
    }

    #[test]
    fn of_the_repository_and_of_the_user() {
        let env = TestEnv::new();
        let tree = env.repository("aiterm");
        let worktree = env.worktree(&tree, "w", "side");
        let other = env.repository("other");
        let shown = |folder: &Path| {
            let shown = env.ait().current_dir(folder).run("guard --json").json();
            (shown["guard"].as_str().unwrap().to_owned(), shown["source"].as_str().unwrap().to_owned())
        };
        let pair = |word: &str, source: &str| (word.to_owned(), source.to_owned());
        assert_eq!(shown(&tree), pair("tell", "default"));
        env.ait().current_dir(&worktree).run("guard deny").success();
        assert_eq!(shown(&tree), pair("deny", "repository"));
        assert_eq!(shown(&other), pair("tell", "default"));
        env.run("guard off --user").success();
        assert_eq!(shown(&other), pair("off", "user"));
        assert_eq!(shown(&tree), pair("deny", "repository"));
        env.run("guard ask").failure(
            1,
            &format!(
                "changing the guard setting: {}: not in a git repository; type: ait guard ask --user",
                env.path("").display()
            ),
        );
        env.run("guard maybe").failure(
            2,
            "reading the command line: ait guard: `maybe`: expected off, tell, ask or deny; type: ait guard --help",
        );
    }

    /// Whatever goes wrong, the write goes on.
    #[test]
    fn a_broken_setting_holds_nothing_up() {
        let env = TestEnv::new();
        let (_a, b, tree, file) = two(&env);
        env.write_file(".config/ait/guard.json", "{\"*\": \"deny\"");
        assert!(context(env.before(&b, "second", &tree, "Edit", &file)).contains("by session first"));
        env.write_file(".config/ait/guard.json", "{\"*\": \"explode\"}");
        assert!(context(env.before(&b, "second", &tree, "Edit", &file)).contains("by session first"));
        assert_eq!(env.ait().current_dir(&tree).run("guard").exit_code, Some(0));
    }

    #[test]
    fn a_write_of_a_killed_session_causes_no_warning() {
        let env = TestEnv::new();
        let (a, b, tree, file) = two(&env);
        a.kill();
        env.before(&b, "second", &tree, "Edit", &file).no_output();
    }
}

mod head {
    use super::*;

    #[test]
    fn a_branch_switched_by_a_sibling_is_told_once() {
        let env = TestEnv::new();
        let (a, b) = (Client::new(), Client::new());
        let tree = env.repository("aiterm");
        env.start_session(&a, "first", &tree).no_output();
        env.prompt(&a, "first", &tree, "rework the parser").no_output();
        env.start_session(&b, "second", &tree).success();
        env.shell(&a, "first", &tree, || drop(env.git(&tree, "checkout --quiet -b topic"))).no_output();
        let moved = &env.active_manifest("second")["head_moved"];
        assert_eq!((&moved["from_branch"], &moved["to_branch"]), (&json!("main"), &json!("topic")));
        assert_eq!((&moved["session_id"], &moved["how"]), (&json!("first"), &json!("checkout")));
        env.send_event(&b, "Notification", "second", &tree, json!({"notification_type": "idle_prompt"})).no_output();
        // The prompt speaks of the session that works, else of the newest: once the first has ended its turn, the second.
        env.send_event(&a, "Stop", "first", &tree, json!({})).no_output();
        let segment = || env.ait().current_dir(&tree).run("prompt").success();
        assert!(segment().contains("main -> topic"), "{}", segment());
        let commit = env.git(&tree, "rev-parse --short=7 HEAD");
        assert_eq!(
            context(env.prompt(&b, "second", &tree, "go on")),
            format!(
                "HEAD of this working tree moved (checkout) from main ({commit}) to topic ({commit}) just now, by \
                 session first (task: rework the parser); files may differ from what you read."
            )
        );
        assert!(!segment().contains("main -> topic"), "{}", segment());
        env.before(&b, "second", &tree, "Read", "x").no_output();
        assert_eq!(env.active_manifest("second")["head_moved"], Value::Null);
        env.before(&a, "first", &tree, "Read", "x").no_output();
    }

    #[test]
    fn a_commit_of_the_own_shell_is_nothing_to_tell() {
        let env = TestEnv::new();
        let (a, b) = (Client::new(), Client::new());
        let tree = env.repository("p");
        env.start_session(&a, "first", &tree).no_output();
        env.start_session(&b, "second", &tree).success();
        let commit = || drop(env.git(&tree, "commit --quiet --allow-empty --message=more"));
        env.shell(&a, "first", &tree, commit).no_output();
        env.prompt(&a, "first", &tree, "next").no_output();
        // Interrupted with Esc: the end of the tool is never told.
        env.send_event(&a, "PreToolUse", "first", &tree, json!({"tool_name": "Bash"})).no_output();
        commit();
        env.prompt(&a, "first", &tree, "next").no_output();
        let told = context(env.before(&b, "second", &tree, "Read", "x"));
        assert!(told.contains("moved (commit) from main (") && told.contains("by session first"), "{told}");
    }

    #[test]
    fn there_and_back_is_no_movement() {
        let env = TestEnv::new();
        let (a, b) = (Client::new(), Client::new());
        let tree = env.repository("p");
        env.start_session(&a, "first", &tree).no_output();
        env.start_session(&b, "second", &tree).success();
        env.shell(&a, "first", &tree, || drop(env.git(&tree, "checkout --quiet -b topic"))).no_output();
        env.shell(&a, "first", &tree, || drop(env.git(&tree, "checkout --quiet main"))).no_output();
        env.prompt(&b, "second", &tree, "go on").no_output();
    }

    /// By hand, in a terminal: the one session of the tree hears nothing, two hear that it was none of them.
    #[test]
    fn by_nobody_that_is_known() {
        let env = TestEnv::new();
        let (a, b) = (Client::new(), Client::new());
        let tree = env.repository("p");
        env.start_session(&a, "first", &tree).no_output();
        env.git(&tree, "checkout --quiet -b one");
        env.prompt(&a, "first", &tree, "go on").no_output();
        env.start_session(&b, "second", &tree).success();
        env.git(&tree, "checkout --quiet -b two");
        let told = context(env.prompt(&a, "first", &tree, "go on"));
        assert!(told.contains("from one (") && told.contains("by an unknown process"), "{told}");
    }

    #[test]
    fn another_tree_is_another_head() {
        let env = TestEnv::new();
        let (a, b) = (Client::new(), Client::new());
        let tree = env.repository("p");
        let worktree = env.worktree(&tree, "w", "side");
        env.start_session(&a, "first", &tree).no_output();
        env.start_session(&b, "second", &worktree).success();
        env.shell(&a, "first", &tree, || drop(env.git(&tree, "checkout --quiet -b topic"))).no_output();
        env.prompt(&b, "second", &worktree, "go on").no_output();
        // A step into another tree is no movement either.
        env.prompt(&b, "second", &tree, "go on").no_output();
    }

    #[test]
    fn a_sub_agent_does_not_hear_it_for_its_parent() {
        let env = TestEnv::new();
        let (a, b) = (Client::new(), Client::new());
        let tree = env.repository("p");
        env.start_session(&a, "first", &tree).no_output();
        env.start_session(&b, "second", &tree).success();
        env.shell(&a, "first", &tree, || drop(env.git(&tree, "checkout --quiet -b topic"))).no_output();
        let read = json!({"tool_name": "Read", "agent_id": "agent"});
        env.send_event(&b, "PreToolUse", "second", &tree, read).no_output();
        assert!(context(env.before(&b, "second", &tree, "Read", "x")).contains("to topic"));
    }
}

mod merges {
    use super::*;

    #[test]
    fn git_says_which_files_would_be_in_conflict() {
        let env = TestEnv::new();
        let (a, b) = (Client::new(), Client::new());
        let tree = env.repository("aiterm");
        let worktree = env.worktree(&tree, "w", "side");
        env.start_session(&a, "first", &tree).no_output();
        env.start_session(&b, "second", &worktree).success();
        let same = env.run("sessions conflicts --merge").success();
        assert!(same.ends_with("\nNo two live trees of one repository are at different commits.\n"), "{same}");
        for (folder, text) in [(&tree, "ours"), (&worktree, "theirs")] {
            fs::write(folder.join("x"), text).unwrap();
            env.git(folder, "add x");
            env.git(folder, "commit --quiet --message=x");
        }
        let text = env.run("sessions conflicts --merge").success();
        let line = "Would the committed branches merge? (asked of git)\n  - aiterm: main and side would not merge: x\n";
        assert!(text.ends_with(line), "{text}");
        let strict = env.run("sessions conflicts --merge --strict --json");
        assert_eq!(strict.exit_code, Some(3));
        let shown: Value = serde_json::from_str(&strict.stdout).unwrap();
        assert_eq!(shown["merges"][0]["files"], json!(["x"]));
        assert_eq!(shown["merges"][0]["branches"], json!(["main", "side"]));
        assert_eq!(env.run("sessions conflicts --strict").exit_code, Some(0), "nobody wrote it through a tool");
    }
}

mod state {
    use super::*;

    #[test]
    fn esc_in_the_middle_of_a_tool() {
        let env = TestEnv::new();
        let client = Client::new();
        let folder = env.create_dir("p");
        env.start_session(&client, "one", &folder).no_output();
        env.prompt(&client, "one", &folder, "go").no_output();
        env.send_event(&client, "PreToolUse", "one", &folder, json!({"tool_name": "Bash"})).no_output();
        env.registry(&client, "one", json!({"status": "busy", "statusUpdatedAt": now_ms() - 50}));
        assert_eq!(env.one("one")["state"], "working");
        env.registry(&client, "one", json!({"status": "idle", "statusUpdatedAt": now_ms() + 50}));
        let session = env.one("one");
        assert_eq!((&session["state"], &session["state_source"]), (&json!("idle"), &json!("registry")));
        let text = env.run("sessions live --verbose").success();
        let state = "   State: idle for under a minute\n   Source: Claude Code's registry, just now\n";
        assert!(text.contains(state), "{text}");
    }

    /// StopFailure is not among the events that old clients take; the registry says idle, and idle it is.
    #[test]
    fn an_api_error_is_the_state_until_the_next_prompt() {
        let env = TestEnv::new();
        let client = Client::new();
        let folder = env.create_dir("p");
        env.start_session(&client, "one", &folder).no_output();
        env.prompt(&client, "one", &folder, "go").no_output();
        env.registry(&client, "one", json!({"status": "idle", "statusUpdatedAt": now_ms() + 50}));
        assert_eq!(env.one("one")["state"], "idle");
        // Where it is registered, it says more than the registry.
        env.send_event(&client, "StopFailure", "one", &folder, json!({"error": "rate_limit"})).no_output();
        env.registry(&client, "one", json!({"status": "idle", "statusUpdatedAt": now_ms() + 50}));
        assert_eq!(env.one("one")["state"], "error");
    }

    #[test]
    fn a_permission_dialog_is_known_at_once_and_for_which_tool() {
        let env = TestEnv::new();
        let client = Client::new();
        let folder = env.create_dir("p");
        env.start_session(&client, "one", &folder).no_output();
        env.send_event(&client, "PreToolUse", "one", &folder, json!({"tool_name": "Bash"})).no_output();
        let waiting = json!({"status": "waiting", "waitingFor": "permission prompt", "statusUpdatedAt": now_ms() + 50});
        env.registry(&client, "one", waiting);
        let session = env.one("one");
        assert_eq!((&session["state"], &session["waiting_for"]), (&json!("waiting"), &json!("permission: Bash")));
        let next = env.run("sessions next").success();
        assert!(next.contains("waiting (permission: Bash)"), "{next}");
        // The hook comes six seconds later, and the wait is as long as it was.
        let mut manifest = env.active_manifest("one");
        manifest["state_since"] = json!(ago(60));
        env.write_file(".claude/sessions/active/one.json", &manifest.to_string());
        let since = now_ms() - 6000;
        let waiting = json!({"status": "waiting", "waitingFor": "permission prompt", "statusUpdatedAt": since});
        env.registry(&client, "one", waiting);
        env.send_event(&client, "Notification", "one", &folder, json!({"notification_type": "permission_prompt"}))
            .no_output();
        let since = jiff::Timestamp::from_millisecond(since).unwrap();
        assert_eq!(env.active_manifest("one")["state_since"], json!(since));
    }

    #[test]
    fn a_sub_agents_permission_request_changes_nothing_the_registry_does() {
        let env = TestEnv::new();
        let client = Client::new();
        let folder = env.create_dir("p");
        env.start_session(&client, "one", &folder).no_output();
        env.prompt(&client, "one", &folder, "go").no_output();
        env.send_event(&client, "PreToolUse", "one", &folder, json!({"tool_name": "Agent"})).no_output();
        let before = env.active_manifest("one");
        for event in ["PreToolUse", "PermissionRequest", "Stop", "SubagentStop"] {
            env.send_event(&client, event, "one", &folder, json!({"tool_name": "Bash", "agent_id": "agent"}))
                .no_output();
            let after = env.active_manifest("one");
            for field in ["state", "state_since", "waiting_for", "tool"] {
                assert_eq!(after[field], before[field], "{event}: {field}");
            }
        }
        let waiting = json!({"status": "waiting", "waitingFor": "permission prompt", "statusUpdatedAt": now_ms() + 50});
        env.registry(&client, "one", waiting);
        let session = env.one("one");
        assert_eq!((&session["state"], &session["waiting_for"]), (&json!("waiting"), &json!("permission")));
    }

    /// A registry record of another process under the same number says nothing.
    #[test]
    fn a_record_of_another_process() {
        let env = TestEnv::new();
        let client = Client::new();
        let folder = env.create_dir("p");
        env.start_session(&client, "one", &folder).no_output();
        let record = json!({"status": "busy", "statusUpdatedAt": now_ms() + 50, "procStart": "1"});
        env.registry(&client, "one", record);
        assert_eq!(env.one("one")["state"], "idle");
        env.registry(&client, "other", json!({"status": "busy", "statusUpdatedAt": now_ms() + 50}));
        assert_eq!(env.one("one")["state"], "idle");
    }

    #[test]
    fn history_keeps_how_long_it_worked_and_waited() {
        let env = TestEnv::new();
        let client = Client::new();
        let folder = env.create_dir("p");
        env.start_session(&client, "one", &folder).no_output();
        let file = env.sessions_path("active/one.json");
        let mut manifest = read_json(&file).unwrap();
        manifest["worked_seconds"] = json!(130);
        manifest["waited_seconds"] = json!(3700);
        fs::write(&file, manifest.to_string()).unwrap();
        env.end_session(&client, "one", &folder, "other");
        let text = env.run("sessions history").success();
        assert!(text.contains("interrupted, worked 2m, waited 1h"), "{text}");
    }
}

mod next {
    use super::*;

    #[test]
    fn next_without_waiting_sessions_fails_and_else_shows_the_longest_wait() {
        let env = TestEnv::new();
        let nobody = env.run("sessions next");
        assert_eq!((nobody.exit_code, nobody.stdout.as_str()), (Some(1), "No session is waiting for you.\n"));
        let clients = [Client::new(), Client::new(), Client::new()];
        for (client, (id, state, since)) in
            clients.iter().zip([("young", "waiting", 60), ("old", "waiting", 300), ("idle", "idle", 900)])
        {
            let fields = json!({
                "state": state, "state_since": ago(since), "waiting_for": "permission: Bash", "project": id,
            });
            env.write_manifest(id, client.pid(), &env.create_dir(id), fields);
        }
        let shown = env.run("sessions next --json").json();
        assert_eq!((&shown["session"]["session_id"], &shown["waiting"]), (&json!("old"), &json!(2)));
        assert!((300..400).contains(&shown["waiting_seconds"].as_u64().unwrap()));
        let text = env.run("sessions next").success();
        assert!(text.contains("old (main)") && text.contains("waiting (permission: Bash) for 5m"), "{text}");
        assert!(text.ends_with("   and 1 more waits: ait sessions next --all\n"), "{text}");
        env.run("sessions next --go").failure(
            1,
            &format!("switching to the session's pane: old: it does not run in a tmux pane, pid {}", clients[1].pid()),
        );
    }
}

mod pane {
    use super::*;
    use std::process::{Command, Stdio};

    /// A server of tmux, ended with the test.
    struct Server<'w>(&'w TestEnv, std::path::PathBuf);

    impl Server<'_> {
        fn ask(&self, words: &[&str]) -> std::io::Result<String> {
            let output = self.0.ait().command("tmux").arg("-S").arg(&self.1).args(words).output()?;
            Ok(String::from_utf8(output.stdout).unwrap().trim().to_owned())
        }
    }

    impl Drop for Server<'_> {
        fn drop(&mut self) {
            let _ = self.ask(&["kill-server"]);
        }
    }

    /// A terminal attached to one session of tmux is shown a pane of another.
    #[test]
    fn goes_to_a_pane_of_another_tmux_session() {
        needs!("tmux", "script");
        let env = TestEnv::new();
        // A socket's path must be short.
        let socket = env.path("s");
        let server = Server(&env, socket.clone());
        let tmux = |words: &[&str]| server.ask(words);
        tmux(&["-f", "/dev/null", "new-session", "-d", "-s", "one"]).unwrap();
        tmux(&["new-session", "-d", "-s", "two"]).unwrap();
        tmux(&["new-window", "-d", "-t", "two"]).unwrap();
        let pane = tmux(&["list-panes", "-t", "two:1", "-F", "#{pane_id}"]).unwrap();
        let client = Client::new();
        let fields = json!({
            "state": "waiting", "state_since": ago(60), "tmux_pane": pane, "tmux_socket": socket,
        });
        env.write_manifest("one", client.pid(), &env.create_dir("p"), fields);
        let alone = env.run("sessions next --go");
        assert_eq!(alone.exit_code, Some(1));
        assert!(
            alone.stderr.contains("no terminal is attached to this tmux session; type: tmux attach"),
            "{}",
            alone.stderr
        );

        let attach = format!("tmux -S {} attach -t one", socket.display());
        let mut command: Command = env.ait().env("TERM", "xterm").command("script");
        command.args(["-qfc", &attach, "/dev/null"]).stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
        let mut terminal = command.spawn().unwrap();
        let shown = || tmux(&["list-clients", "-F", "#{client_session}:#{window_index} #{pane_id}"]).unwrap();
        wait_until("the terminal is attached", || shown().starts_with("one:"));
        assert!(env.run("sessions next --go").success().contains(&format!("tmux {pane}")));
        assert_eq!(shown(), format!("two:1 {pane}"));
        tmux(&["kill-server"]).unwrap();
        terminal.wait().unwrap();
    }
}

mod resume {
    use super::*;

    #[test]
    fn everything_that_did_not_end_properly() {
        let env = TestEnv::new();
        let clients: Vec<Client> = (0..4).map(|_| Client::new()).collect();
        let [ended, killed, pruned, live] = <[Client; 4]>::try_from(clients).ok().unwrap();
        let tree = env.repository("it's mine");
        for (client, id) in [(&ended, "ended"), (&killed, "killed"), (&pruned, "pruned"), (&live, "live")] {
            env.start_session(client, id, &tree).success();
            env.prompt(client, id, &tree, &format!("task of {id}")).success();
        }
        env.end_session(&ended, "ended", &tree, "prompt_input_exit");
        pruned.kill();
        env.run("sessions prune").success();
        killed.kill();
        // Lost once, and begun anew under the same id: it runs.
        let today = ago(0);
        env.write_history_manifest(&today[..10], "live", &today, json!({"status": "pruned"}));
        let shown = env.run("sessions resume --json").json();
        let sessions = shown["sessions"].as_array().unwrap();
        let ids: Vec<&Value> = sessions.iter().map(|session| &session["session_id"]).collect();
        assert_eq!(ids.len(), 2, "{shown}");
        for session in sessions {
            let id = session["session_id"].as_str().unwrap();
            assert!(["killed", "pruned"].contains(&id));
            let quoted = format!("'{}'", tree.to_str().unwrap().replace('\'', "'\\''"));
            assert_eq!(session["command"], format!("cd {quoted} && claude --resume {id}"));
            assert_eq!((&session["restore"], &session["folder_exists"]), (&Value::Null, &json!(true)));
            assert_eq!((&session["git_branch"], &session["tree"]), (&json!("main"), &json!(tree)));
            assert_eq!(session["task"], format!("task of {id}"));
        }
        let text = env.run("sessions resume").success();
        assert!(text.contains("Task: task of killed") && text.contains("claude --resume killed"), "{text}");
    }

    #[test]
    fn it_ran_no_longer_than_it_was_seen() {
        let env = TestEnv::new();
        let fields = json!({"started": ago(7200), "updated": ago(3600)});
        env.write_manifest("one", Client::new().kill(), &env.path("p"), fields);
        let seconds = env.run("sessions resume --json").json()["sessions"][0]["elapsed_seconds"].as_u64().unwrap();
        assert!((3599..=3601).contains(&seconds), "{seconds}");
        let text = env.run("sessions resume").success();
        assert!(text.contains(" - 1h\n   last seen 1h ago\n") || text.contains(" - 59m\n"), "{text}");
    }

    /// The line that is printed works as it stands: the worktree is there again, on its branch.
    #[test]
    fn a_worktree_that_is_gone() {
        let env = TestEnv::new();
        let client = Client::new();
        let tree = env.repository("main tree");
        let folder = env.create_dir("elsewhere/deep");
        fs::remove_dir(&folder).unwrap();
        let command = format!("worktree add --quiet -b feature/x {}", folder.display());
        env.git(&tree, &command);
        env.start_session(&client, "one", &folder).no_output();
        env.prompt(&client, "one", &folder, "go").success();
        client.kill();
        fs::remove_dir_all(&folder).unwrap();
        let session = env.run("sessions resume --json").json()["sessions"][0].clone();
        assert_eq!(session["folder_exists"], false);
        let restore = session["restore"].as_str().unwrap();
        let done = std::process::Command::new("sh").args(["-c", restore]).output().unwrap();
        assert!(done.status.success(), "{restore}: {done:?}");
        assert_eq!(env.git(&folder, "symbolic-ref --short HEAD"), "feature/x");

        // The branch is gone too: it begins again where the session was.
        fs::remove_dir_all(&folder).unwrap();
        env.git(&tree, "worktree prune");
        env.git(&tree, "branch --quiet -D feature/x");
        let session = env.run("sessions resume --json").json()["sessions"][0].clone();
        let restore = session["restore"].as_str().unwrap();
        let done = std::process::Command::new("sh").args(["-c", restore]).output().unwrap();
        assert!(done.status.success(), "{restore}: {done:?}");
        assert_eq!(env.git(&folder, "symbolic-ref --short HEAD"), "feature/x");
    }

    /// Claude Code locks the worktrees that it makes, and the lock survives a killed client.
    #[test]
    fn locked_worktree_that_is_gone_is_unlocked_first() {
        let env = TestEnv::new();
        let client = Client::new();
        let tree = env.repository("main tree");
        let other = env.worktree(&tree, "other", "other");
        let folder = env.path("main tree/.claude/worktrees/one");
        env.git(&tree, "worktree add --quiet -b worktree-one .claude/worktrees/one");
        env.git(&tree, "worktree lock --reason=claude .claude/worktrees/one");
        env.start_session(&client, "one", &folder).no_output();
        env.prompt(&client, "one", &folder, "go").success();
        client.kill();
        fs::remove_dir_all(&folder).unwrap();
        let restore = || {
            let session = env.run("sessions resume --json").json()["sessions"][0].clone();
            let restore = session["restore"].as_str().unwrap().to_owned();
            std::process::Command::new("sh").args(["-c", &restore]).output().unwrap()
        };
        let done = restore();
        assert!(done.status.success(), "{done:?}");
        assert_eq!(env.git(&folder, "symbolic-ref --short HEAD"), "worktree-one");
        // A branch that another tree has checked out meanwhile is not taken from it.
        fs::remove_dir_all(&folder).unwrap();
        env.git(&other, "checkout --quiet --ignore-other-worktrees worktree-one");
        assert!(!restore().status.success());
    }

    /// What is printed can be typed as it stands, in any shell, and holds nothing that a terminal would act on.
    #[test]
    fn the_lines_work_in_every_shell_whatever_the_folder_is_called() {
        let env = TestEnv::new();
        env.write_file("bin/claude", "#!/bin/sh\nprintf '%s|' \"$PWD\" \"$@\" > \"$OUT\"\n");
        let program = env.path("bin/claude");
        fs::set_permissions(&program, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let path = format!("{}:{}", env.path("bin").display(), std::env::var("PATH").unwrap());
        let odd = [
            "-dash",
            "two  spaces ",
            "it's",
            "back\\slash\\",
            "\\'\\\\''",
            "$HOME `id` $(id)",
            "bang!bang !! \"q\"",
            "a;b&c|d<e>f",
            "*?[x]{a,b}~#^=",
            "new\nline",
            "ends in newline\n\n",
            "tab\tcr\r",
            "esc\u{1b}[31m%s%%\\n'!\"",
            "c1\u{85}\u{9b}x",
            "\u{202e}bidi\u{2066}",
            "\u{2028}",
            "日本語 é",
            "👩\u{200d}💻⚠\u{fe0f}",
            "\u{7f}",
        ];
        let dead = Client::new().kill();
        for (number, name) in odd.iter().enumerate() {
            let folder = env.path("work").join(name);
            // Every other one is gone, and made again by the line before.
            if number % 2 == 0 {
                fs::create_dir_all(&folder).unwrap();
            }
            env.write_manifest("one", dead, &folder, json!({}));
            let text = env.run("sessions resume").success();
            assert!(!text.contains(|c| c != '\n' && ait::error::moves_cursor(c)), "{text:?}");
            let typed: Vec<&str> = text.split_once("\nType:\n").unwrap().1.lines().map(|line| &line[5..]).collect();
            assert_eq!(typed.len(), 1 + number % 2, "{typed:?}");
            let shells: [(&str, &[&str]); 5] = [
                ("sh", &[]),
                ("dash", &[]),
                ("bash", &["--norc", "--noprofile", "-i"]),
                ("zsh", &["-f", "-i"]),
                ("fish", &["--no-config"]),
            ];
            for (shell, words) in shells {
                let out = env.path("out");
                let _ = fs::remove_file(&out);
                let ask = env.ait().env("PATH", &path).env("OUT", &out).env("CDPATH", env.path("bin"));
                let mut command = ask.command(shell);
                command.args(words).stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::piped());
                let Ok(mut running) = command.stderr(std::process::Stdio::piped()).spawn() else { continue };
                let lines = typed.join("\n") + "\n";
                std::io::Write::write_all(&mut running.stdin.take().unwrap(), lines.as_bytes()).unwrap();
                let said = running.wait_with_output().unwrap();
                let wanted = format!("{}|--resume|one|", folder.display());
                let got = fs::read(&out).unwrap_or_else(|why| panic!("{shell}: {lines}: {why}: {said:?}"));
                assert_eq!(String::from_utf8(got).unwrap(), wanted, "{shell}: {lines}");
            }
        }
    }

    #[test]
    fn a_folder_that_is_not_absolute_or_not_known_is_no_option() {
        let env = TestEnv::new();
        let dead = Client::new().kill();
        let line = |path: &str, fields: Value| {
            env.write_manifest("one", dead, std::path::Path::new(path), fields);
            let text = env.run("sessions resume").success();
            let json = env.run("sessions resume --json").json()["sessions"][0].clone();
            let typed: Vec<String> =
                text.split_once("\nType:\n").unwrap().1.lines().map(|line| line[5..].to_owned()).collect();
            assert_eq!(*typed.last().unwrap(), json["command"], "{text}");
            (typed, json)
        };
        assert_eq!(line("-L", json!({})).0, ["mkdir -p ./-L", "cd ./-L && claude --resume one"]);
        assert_eq!(line("x", json!({})).0, ["mkdir -p ./x", "cd ./x && claude --resume one"]);
        let (typed, json) = line("", json!({}));
        assert_eq!(typed, ["claude --resume one"]);
        assert_eq!(
            (&json["folder"], &json["folder_exists"], &json["restore"]),
            (&json!(null), &json!(false), &json!(null))
        );
        assert!(env.run("sessions resume").success().contains("   folder unknown\n"));
        // No branch and no commit: git would take them for options.
        let main = env.repository("main");
        let gone = env.path("gone");
        let fields = json!({"tree": gone, "repository": main.join(".git"), "git_branch": "-f", "head": "--exec=x"});
        let (typed, _) = line(gone.to_str().unwrap(), fields);
        assert!(typed[0].ends_with(&format!(" worktree add {}", gone.display())), "{typed:?}");
    }

    #[test]
    fn resume_without_interrupted_sessions_lists_none() {
        let env = TestEnv::new();
        env.run("sessions resume").stdout_is("No interrupted sessions in the last 7 days.\n");
        env.run("sessions resume --days 4000000000").success();
        assert_eq!(env.run("sessions resume --json").json()["sessions"], json!([]));
    }

    fn listed(env: &TestEnv) -> Vec<String> {
        let listed = env.run("sessions resume --json").json();
        let id = |session: &Value| session["session_id"].as_str().unwrap().to_owned();
        let mut ids: Vec<String> = listed["sessions"].as_array().unwrap().iter().map(id).collect();
        ids.sort();
        ids
    }

    #[test]
    fn a_session_ended_by_a_signal_is_interrupted_keeps_its_state_and_is_listed() {
        let env = TestEnv::new();
        let client = Client::new();
        let folder = env.create_dir("p");
        env.start_session(&client, "one", &folder).no_output();
        env.send_event(&client, "UserPromptSubmit", "one", &folder, json!({"prompt": "Fix the login"}));
        env.send_event(&client, "SessionEnd", "one", &folder, json!({"reason": "other"}));
        let ended = env.history_manifest("one");
        assert_eq!((&ended["status"], &ended["state"]), (&json!("interrupted"), &json!("working")));
        // The captured payload names a conversation that does not exist here.
        fs::write(env.path("t.jsonl"), "{}\n").unwrap();
        let (day, _) = env.history_entries().remove(0);
        let path = env.sessions_path("history").join(day).join("one.json");
        let with = |name: &str, value: Value| {
            let mut manifest = read_json(&path).unwrap();
            manifest[name] = value;
            fs::write(&path, manifest.to_string()).unwrap();
        };
        with("transcript_path", json!(env.path("t.jsonl")));
        assert_eq!(listed(&env), ["one"]);
        // As earlier versions recorded it.
        with("status", json!("completed"));
        assert_eq!(listed(&env), ["one"]);
        with("end_reason", json!("prompt_input_exit"));
        assert_eq!(listed(&env), [""; 0]);
    }

    #[test]
    fn a_session_without_a_conversation_is_not_listed() {
        let env = TestEnv::new();
        let folder = env.create_dir("p");
        let fields =
            |path: &str, source: Value| json!({"pid_start": 1, "transcript_path": path, "task_source": source});
        let file = env.create_dir(".claude/projects/p").join("none.jsonl");
        env.write_manifest("deleted", 1, &folder, fields(file.to_str().unwrap(), json!("prompt")));
        env.write_manifest("never", 1, &folder, fields("/not/mounted.jsonl", json!(null)));
        assert_eq!(listed(&env), [""; 0]);
        env.write_manifest("prompted", 1, &folder, fields("/not/mounted.jsonl", json!("prompt")));
        env.write_manifest("unknown", 1, &folder, json!({"pid_start": 1}));
        assert_eq!(listed(&env), ["prompted", "unknown"]);
    }

    #[test]
    fn a_dismissed_session_is_not_listed_until_it_is_resumed_and_interrupted_again() {
        let env = TestEnv::new();
        let folder = env.create_dir("p");
        for id in ["aa1", "aa2", "bb"] {
            env.write_manifest(id, 1, &folder, json!({"pid_start": 1}));
        }
        env.run("sessions resume --dismiss aa")
            .failure(2, "dismissing a session: aa: 2 interrupted sessions match; type more of the id");
        env.run("sessions resume --dismiss x")
            .failure(2, "dismissing a session: x: no interrupted session has this id; type: ait sessions resume");
        env.run("sessions resume --dismiss aa1").stdout_is("Dismissed 1 session.\n");
        assert_eq!(listed(&env), ["aa2", "bb"]);
        let all = env.run("sessions resume --dismiss all --json").json();
        assert_eq!(all["dismissed"].as_array().unwrap().len(), 2, "{all}");
        assert_eq!(listed(&env), [""; 0]);
        env.run("sessions resume --dismiss all").stdout_is("Nothing to dismiss.\n");
        assert_eq!(env.history_manifest("aa1")["dismissed"], true);
        let client = Client::new();
        env.send_event(&client, "SessionStart", "aa1", &folder, json!({"source": "resume"})).no_output();
        assert_eq!(env.active_manifest("aa1")["dismissed"], json!(null));
    }

    #[test]
    fn resume_lists_sessions_of_an_earlier_boot() {
        let env = TestEnv::new();
        let client = Client::new();
        let folder = env.create_dir("p");
        let fields = json!({"boot_id": "another", "pid_start": client.start_time(), "started_in": folder});
        env.write_manifest("one", client.pid(), &folder, fields);
        let shown = env.run("sessions resume --json").json();
        assert_eq!(shown["sessions"][0]["session_id"], "one");
        assert_eq!(env.run("sessions live --json").exit_code, Some(0));
    }
}

mod process {
    use super::*;

    #[test]
    fn resumed_under_a_new_pid() {
        let env = TestEnv::new();
        let (a, b) = (Client::new(), Client::new());
        let folder = env.create_dir("p");
        env.start_session(&a, "one", &folder).no_output();
        a.kill();
        env.send_event(&b, "SessionStart", "one", &folder, json!({"source": "resume"})).no_output();
        let session = env.one("one");
        assert_eq!((&session["pid"], &session["live"]), (&json!(b.pid()), &json!(true)));
        assert_eq!(env.run("sessions resume --json").json()["sessions"], json!([]));
    }

    /// A real recycled pid: in a pid namespace of its own, where the next number can be chosen. Where that is not
    /// allowed, a manifest whose start time differs says the same.
    #[test]
    fn resume_lists_a_session_whose_pid_was_reused() {
        let env = TestEnv::new();
        let folder = env.create_dir("p");
        let script = format!(
            "set -e; mount -t proc proc /proc; sleep 1000 & pid=$!; \
             printf '{{\"session_id\":\"one\",\"cwd\":\"{0}\",\"hook_event_name\":\"SessionStart\",\"source\":\"startup\"}}' \
             | CLAUDE_PID=$pid {1} hook session-register; \
             {1} sessions live --json > before; kill -9 $pid; wait $pid || :; \
             sleep 0.05; echo $((pid - 1)) > /proc/sys/kernel/ns_last_pid; sleep 1000 & again=$!; \
             {1} sessions live --json > after 2> remark; echo $pid $again > pids; kill $again",
            folder.display(),
            common::AIT
        );
        let ran = env
            .ait()
            .current_dir(&folder)
            .command("unshare")
            .args(["--user", "--map-root-user", "--pid", "--fork", "--mount", "sh", "-c", &script])
            .output();
        if ran.as_ref().is_ok_and(|output| output.status.success()) {
            let pids = fs::read_to_string(folder.join("pids")).unwrap();
            let pids: Vec<&str> = pids.split_whitespace().collect();
            assert_eq!(pids[0], pids[1], "the number came round");
            assert_eq!(read_json(&folder.join("before")).unwrap()["sessions"][0]["session_id"], "one");
            assert_eq!(read_json(&folder.join("after")).unwrap()["sessions"], json!([]));
            return;
        }
        eprintln!("no pid namespace here: {ran:?}");
        let client = Client::new();
        env.write_manifest("one", client.pid(), &folder, json!({"pid_start": client.start_time() - 1}));
        assert_eq!(env.run("sessions live --json").remarks_json()["sessions"], json!([]));
    }
}

trait Remarks {
    fn remarks_json(self) -> Value;
}

impl Remarks for CommandOutput {
    fn remarks_json(self) -> Value {
        serde_json::from_str(&self.stdout).unwrap()
    }
}

mod watch {
    use super::*;

    /// In a real terminal, that of `script`: the list appears, changes when something changes, and leaves the terminal
    /// as it was, whichever way it is left.
    #[test]
    fn redraws_in_place_and_leaves_the_terminal_as_it_was() {
        needs!("script");
        for key in ["q", "\u{3}"] {
            let env = TestEnv::new();
            let client = Client::new();
            env.write_manifest("abc123", client.pid(), &env.create_dir("p"), json!({"task": "the first task"}));
            let out = env.path("screen");
            let inner =
                format!("stty -a > before; {} sessions live --watch; echo $? > code; stty -a > after", common::AIT);
            let mut command = env.ait().env("TERM", "xterm").command("script");
            command.args(["-qfc", &inner, out.to_str().unwrap()]);
            command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null());
            let mut running = command.spawn().unwrap();
            let screen = || String::from_utf8_lossy(&fs::read(&out).unwrap_or_default()).into_owned();
            wait_until("the list is shown", || screen().contains("the first task"));
            let drawn = screen().matches("\u{1b}[H").count();
            env.run("sessions task --session abc123 another task").success();
            wait_until("the list is another", || screen().contains("another task"));
            assert_eq!(screen().matches("\u{1b}[H").count(), drawn + 1, "drawn when something changed");
            use std::io::Write;
            running.stdin.as_mut().unwrap().write_all(key.as_bytes()).unwrap();
            wait_until("it has left", || {
                env.path("after").exists() && !fs::read(env.path("after")).unwrap().is_empty()
            });
            running.wait().unwrap();
            assert_eq!(fs::read_to_string(env.path("code")).unwrap().trim(), "0");
            let (before, after) = (fs::read(env.path("before")).unwrap(), fs::read(env.path("after")).unwrap());
            assert_eq!(before, after, "{}", String::from_utf8_lossy(&after));
            assert!(
                screen().contains("\u{1b}[?7h")
                    && screen().contains("\u{1b}[?1049l")
                    && screen().contains("\u{1b}[?25h")
            );
        }
    }

    /// Ended from elsewhere: by somebody who tidies up, or by the end of the connection.
    #[test]
    fn a_signal_that_ends_it_leaves_the_terminal_as_it_was() {
        needs!("script");
        for (signal, number) in [("TERM", 15), ("HUP", 1), ("INT", 2), ("QUIT", 3)] {
            let env = TestEnv::new();
            let client = Client::new();
            env.write_manifest("abc123", client.pid(), &env.create_dir("p"), json!({}));
            let out = env.path("screen");
            let inner = format!(
                "stty -a > before; sh -c 'echo $$ > pid; exec {} sessions live --watch'; echo $? > code; stty -a > after",
                common::AIT
            );
            let python = env.ait().env("TERM", "xterm").env("SHELL", "/bin/sh").command("python3");
            let mut command = common::with_default_signals(python, "script");
            command.args(["-qfc", &inner, out.to_str().unwrap()]);
            command.stdin(std::process::Stdio::piped()).stdout(std::process::Stdio::null());
            let mut running = command.spawn().unwrap();
            let screen = || String::from_utf8_lossy(&fs::read(&out).unwrap_or_default()).into_owned();
            wait_until("the list is shown", || screen().contains("aiterm"));
            let pid = fs::read_to_string(env.path("pid")).unwrap();
            let sent = std::process::Command::new("kill").args([&format!("-{signal}"), pid.trim()]).status().unwrap();
            assert!(sent.success());
            wait_until("it has left", || {
                env.path("after").exists() && !fs::read(env.path("after")).unwrap().is_empty()
            });
            running.wait().unwrap();
            // Whoever started it sees that it ended by the signal.
            assert_eq!(fs::read_to_string(env.path("code")).unwrap().trim(), (128 + number).to_string(), "{signal}");
            let (before, after) = (fs::read(env.path("before")).unwrap(), fs::read(env.path("after")).unwrap());
            assert_eq!(before, after, "{signal}: {}", String::from_utf8_lossy(&after));
            assert!(screen().contains("\u{1b}[?25h\u{1b}[?1049l"), "{signal}: {:?}", screen());
        }
    }

    #[test]
    fn live_watch_without_a_terminal_fails() {
        let env = TestEnv::new();
        env.run("sessions live --watch")
            .failure(1, "watching the sessions: the terminal: not a terminal; type: ait sessions live");
    }
}
