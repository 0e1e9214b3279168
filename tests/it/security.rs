//! Who may read and write: modes, other users, symlinks, programs of the current folder; and SECURITY.md, whose every
//! promise names a test.
use crate::common;
use crate::common::tools::{self, needs};

use std::fs;
use std::io::Write as _;
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::common::{AIT, Client, TestEnv, file_names, payload};
use serde_json::{Value, json};

/// The user that nobody is.
const NOBODY: u32 = 65534;

/// What lies below a folder, folders too; symlinks are not followed.
fn below(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for name in file_names(folder) {
        let path = folder.join(name);
        if fs::symlink_metadata(&path).unwrap().is_dir() {
            found.extend(below(&path));
        }
        found.push(path);
    }
    found
}

fn mode(path: &Path) -> u32 {
    fs::symlink_metadata(path).unwrap().mode() & 0o7777
}

/// Runs a command to its end, with this on its standard input.
fn feed(command: &mut Command, input: &str) -> std::process::Output {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let _ = child.stdin.take().unwrap().write_all(input.as_bytes());
    child.wait_with_output().unwrap()
}

mod modes {
    use super::*;

    /// Everything that `ait` writes, written under this umask; as a user for whom modes count, where we are root.
    fn everything_under(umask: &str, as_nobody: bool) {
        let env = TestEnv::new();
        let program = env.path("ait");
        tools::copy_program(AIT, &program);
        let folder = env.create_dir("p");
        let file = env.write_file("p/a.txt", "");
        if as_nobody {
            for path in below(&env.path("")).into_iter().chain([env.path("")]) {
                chown(path, Some(NOBODY), Some(NOBODY)).unwrap();
            }
        }
        let client = Client::new();
        let run = |words: &[&str], input: &str| {
            let ait = env.ait().child_of(&client, "one").current_dir(&folder);
            let mut command = ait.command(if as_nobody { "setpriv" } else { "sh" });
            if as_nobody {
                command.args(["--reuid=65534", "--regid=65534", "--clear-groups", "sh"]);
            }
            command.args(["-c", &format!("umask {umask}; exec \"$0\" \"$@\"")]).arg(&program).args(words);
            let output = feed(&mut command, input);
            assert!(output.status.success(), "umask {umask}, {words:?}: {output:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        let event = |event: &str, more: Value| {
            run(&["hook", "session-register"], &payload(event, "one", &folder, more).to_string())
        };
        event("SessionStart", json!({"source": "startup"}));
        event("UserPromptSubmit", json!({"prompt": "go"}));
        event("PostToolUse", json!({"tool_name": "Edit", "tool_input": {"file_path": file}}));
        run(&["hook", "session-register"], "garbage");
        assert!(run(&["prompt"], "").contains("go"), "umask {umask}: what was written can be read");
        run(&["guard", "ask", "--user"], "");
        run(&["hooks", "install"], "");
        event("SessionEnd", json!({"reason": "other"}));
        event("SessionStart", json!({"source": "resume"}));
        assert!(run(&["sessions", "live"], "").contains("go"), "umask {umask}: it came back out of history");
        event("SessionEnd", json!({"reason": "other"}));
        assert_eq!(env.history_entries().len(), 1, "umask {umask}");

        let mut seen = Vec::new();
        for top in [".claude", ".cache", ".config"] {
            for path in below(&env.path(top)).into_iter().chain([env.path(top)]) {
                let script = path.extension().is_some_and(|kind| kind == "sh");
                let wanted = if path.is_dir() { 0o700 } else { 0o600 };
                let wanted = if script { 0o755 } else { wanted };
                assert_eq!(mode(&path), wanted, "umask {umask}: {}", path.display());
                seen.push(path.file_name().unwrap().to_str().unwrap().to_owned());
            }
        }
        for name in
            ["active", "history", "one.json", "seen", "SessionStart", "log", "revision", "touched", "guard.json"]
        {
            assert!(seen.iter().any(|seen| seen == name), "{name} is not among {seen:?}");
        }
    }

    #[test]
    fn ours_alone_whatever_the_umask() {
        needs!("setpriv");
        for umask in ["0", "022", "077", "0777"] {
            everything_under(umask, tools::is_root());
        }
    }
}

mod other_users {
    use super::*;

    #[test]
    fn a_manifest_of_another_user_is_not_there() {
        if !tools::is_root() {
            return;
        }
        let env = TestEnv::new();
        let client = Client::new();
        let folder = env.create_dir("p");
        let file = env.write_manifest("theirs", client.pid(), &folder, json!({"task": "Theirs"}));
        assert!(env.run("sessions live").success().contains("Theirs"), "as long as it is ours");
        chown(&file, Some(NOBODY), None).unwrap();
        let ignored = "1 manifest of another user ignored; type: ait doctor";
        assert!(!env.run("sessions live").success_with_warning(ignored).contains("Theirs"));
        env.ait().current_dir(&folder).run("prompt").no_output();
        assert_eq!(env.ait().current_dir(&folder).run("sessions task").exit_code, Some(1));
        env.run("sessions prune").success_with_warning(ignored);
        let before = fs::read(&file).unwrap();
        // Not even an event of that very session takes anything from it, or writes over it.
        env.send_event(&client, "UserPromptSubmit", "theirs", &folder, json!({"prompt": "mine"})).no_output();
        assert_eq!((fs::read(&file).unwrap(), fs::metadata(&file).unwrap().uid()), (before, NOBODY));
        assert!(env.log_lines().last().unwrap().contains("belongs to another user"), "{:?}", env.log_lines());
    }

    /// A session that is missed is looked for: whoever asks is told why it is not there, and prompts are not.
    #[test]
    fn what_is_ignored_is_said_once() {
        if !tools::is_root() {
            return;
        }
        let env = TestEnv::new();
        let client = Client::new();
        let folder = env.create_dir("p");
        env.write_manifest("mine", client.pid(), &folder, json!({}));
        for id in ["one", "two"] {
            chown(env.write_manifest(id, client.pid(), &folder, json!({})), Some(NOBODY), None).unwrap();
        }
        for name in ["", "mine.json"] {
            let mode = if name.is_empty() { 0o700 } else { 0o600 };
            fs::set_permissions(env.sessions_path("active").join(name), fs::Permissions::from_mode(mode)).unwrap();
        }
        let ignored = "2 manifests of other users ignored; type: ait doctor";
        for command in ["live", "live --json", "current", "task", "conflicts", "resume", "prune", "prune --dry-run"] {
            env.ait().current_dir(&folder).run(&format!("sessions {command}")).success_with_warning(ignored);
        }
        let next = env.run("sessions next");
        assert!(next.stderr.ends_with(&format!("ait: {ignored}\n")), "{next:?}");
        env.ait().current_dir(&folder).run("prompt").success();
        env.ait().run("prompt --all").success();
        env.ait().current_dir(&folder).run_with_input(&["statusline"], b"{}").success();
        env.send_event(&client, "Stop", "mine", &folder, json!({})).no_output();
        assert_eq!(env.log_lines(), [""; 0]);
        let doctor: Value = serde_json::from_str(&env.run("doctor --json").stdout).unwrap();
        let folders = doctor["checks"].as_array().unwrap().iter().find(|check| check["name"] == "folders").unwrap();
        let detail = folders["detail"].as_str().unwrap();
        assert_eq!(folders["status"], "warn", "{folders}");
        let each = ["/one.json", "/two.json"].map(|name| format!("{name} belongs to another user and is not read"));
        assert!(each.iter().all(|each| detail.contains(each)), "{folders}");
    }

    #[test]
    fn history_and_touches_of_another_user_are_not_there() {
        if !tools::is_root() {
            return;
        }
        let env = TestEnv::new();
        let clients = [Client::new(), Client::new()];
        let folder = env.repository("p");
        let ended = env.write_history_manifest("2026-01-02", "old", "2026-01-02T03:04:05Z", json!({"task": "Theirs"}));
        assert!(env.run("sessions history --date 2026-01-02").success().contains("Theirs"));
        chown(&ended, Some(NOBODY), None).unwrap();
        assert!(!env.run("sessions history --date 2026-01-02").stdout.contains("Theirs"));
        let write = json!({"tool_name": "Edit", "tool_input": {"file_path": folder.join("a.txt")}});
        for (client, id) in clients.iter().zip(["one", "two"]) {
            env.start_session(client, id, &folder);
            env.send_event(client, "PostToolUse", id, &folder, write.clone());
        }
        let grade = || env.run("sessions conflicts --json").json()["conflicts"][0]["grade"].clone();
        assert_eq!(grade(), "clobber");
        chown(env.sessions_path("active/two.touched"), Some(NOBODY), None).unwrap();
        assert_eq!(grade(), "shared-tree");
    }
}

mod links {
    use super::*;

    const VICTIM: &str = "what was there\n";

    /// Each test has a file and a folder outside of ours that must stay as they are.
    struct Lab {
        env: TestEnv,
        client: Client,
        folder: PathBuf,
        file: PathBuf,
        outside: PathBuf,
    }

    impl Lab {
        fn new() -> Lab {
            let env = TestEnv::new();
            let (file, outside, folder) =
                (env.write_file("victim", VICTIM), env.create_dir("outside"), env.create_dir("p"));
            env.create_dir(".claude/sessions");
            Lab { env, client: Client::new(), folder, file, outside }
        }

        fn event(&self, event: &str, more: Value) {
            self.env.send_event(&self.client, event, "one", &self.folder, more).no_output();
        }

        /// Everything that writes, and then a look at what must not have been written.
        fn live_through_it(&self) {
            self.event("SessionStart", json!({"source": "startup"}));
            self.event("UserPromptSubmit", json!({"prompt": "go"}));
            let file = self.folder.join("a.txt");
            self.event("PostToolUse", json!({"tool_name": "Edit", "tool_input": {"file_path": file}}));
            self.env.ait().current_dir(&self.folder).run("prompt");
            self.event("SessionEnd", json!({"reason": "other"}));
            self.env.run("sessions prune");
            self.env.run("doctor --fix");
            self.intact();
        }

        #[track_caller]
        fn intact(&self) {
            assert_eq!(fs::read_to_string(&self.file).unwrap(), VICTIM);
            assert_eq!(mode(&self.file), 0o644);
            assert_eq!(file_names(&self.outside), [""; 0]);
            assert_eq!(mode(&self.outside), 0o755);
        }

        fn cache(&self, name: &str) -> PathBuf {
            self.env.create_dir(&self.env.cache()).join(name)
        }
    }

    fn lab() -> Lab {
        let lab = Lab::new();
        fs::set_permissions(&lab.file, fs::Permissions::from_mode(0o644)).unwrap();
        fs::set_permissions(&lab.outside, fs::Permissions::from_mode(0o755)).unwrap();
        lab
    }

    #[test]
    fn in_the_place_of_a_manifest_or_a_log_of_touches() {
        for name in ["one.json", "one.touched"] {
            let lab = lab();
            let link = lab.env.create_dir(".claude/sessions/active").join(name);
            symlink(&lab.file, &link).unwrap();
            lab.live_through_it();
            if name == "one.json" {
                assert!(lab.env.history_entries().is_empty(), "what is no manifest is not archived");
                assert!(fs::symlink_metadata(&link).unwrap().is_symlink(), "it is left where it is");
            }
        }
    }

    #[test]
    fn in_the_place_of_a_folder() {
        for name in ["active", "history"] {
            let lab = lab();
            symlink(&lab.outside, lab.env.sessions_path(name)).unwrap();
            lab.live_through_it();
            assert!(!lab.env.log_lines().is_empty(), "{name}: the reason is in the log");
            let said = lab.env.run("doctor");
            assert!(
                said.exit_code == Some(1) && said.stdout.contains("is a symlink, which ait does not follow"),
                "{said:?}"
            );
        }
        let lab = lab();
        symlink(&lab.outside, lab.env.sessions_path("active")).unwrap();
        let what = lab.env.sessions_path("active");
        let why = format!(
            "reading the live sessions: {}: a symlink, which ait does not follow here; type: ait doctor",
            what.display()
        );
        lab.env.run("sessions live").failure(1, &why);
    }

    #[test]
    fn in_the_place_of_a_day() {
        let lab = lab();
        let history = lab.env.create_dir(".claude/sessions/history");
        // Today, whatever the hour: the session ends while this test runs.
        let today = jiff::Timestamp::now().to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
        for day in [today, today.tomorrow().unwrap()] {
            symlink(&lab.outside, history.join(day.to_string())).unwrap();
        }
        lab.live_through_it();
        assert_eq!(lab.env.active_ids(), ["one"], "it stays where it was");
    }

    #[test]
    fn in_the_place_of_what_is_derived() {
        for name in ["log", "seen", "touched", "seen/SessionStart"] {
            let lab = lab();
            let link = lab.cache(name);
            fs::create_dir_all(link.parent().unwrap()).unwrap();
            let target = if matches!(name, "seen" | "touched") { &lab.outside } else { &lab.file };
            symlink(target, &link).unwrap();
            lab.env.run("hook").no_output();
            lab.live_through_it();
        }
        let lab = lab();
        let cache = lab.cache("");
        fs::remove_dir(&cache).unwrap();
        symlink(&lab.outside, cache.to_str().unwrap().trim_end_matches('/')).unwrap();
        lab.live_through_it();
    }

    /// The name of a temporary file is random: files that look like one are neither written through nor removed.
    #[test]
    fn in_the_place_of_a_temporary_file() {
        let lab = lab();
        let active = lab.env.create_dir(".claude/sessions/active");
        let ait = lab.env.ait().child_of(&lab.client, "one").current_dir(&lab.folder);
        let mut command = ait.command("sh");
        // The shell becomes the program: the number stays.
        let script =
            r#"for n in 0 1 2 3; do ln -s "$1" "$2/.one.json.$$.$n.tmp"; done; exec "$0" hook session-register"#;
        command.args(["-c", script, AIT]).args([&lab.file, &active]);
        let start = payload("SessionStart", "one", &lab.folder, json!({"source": "startup"}));
        let output = feed(&mut command, &start.to_string());
        assert!(output.status.success() && output.stdout.is_empty() && output.stderr.is_empty(), "{output:?}");
        lab.intact();
        assert_eq!(lab.env.active_ids(), ["one"]);
        let links = file_names(&active).into_iter().filter(|name| name.ends_with(".tmp")).count();
        assert_eq!(links, 4, "what another process created is not removed");
        lab.live_through_it();
    }
}

mod programs {
    use super::*;

    #[test]
    fn none_of_the_current_folder_is_run() {
        let env = TestEnv::new();
        let (one, two) = (Client::new(), Client::new());
        let tree = env.repository("p");
        for name in ["git", "sh", "claude", "tmux", "ait", "rm", "sleep", "ps", "kill", "uname"] {
            for folder in ["p", "p/bin"] {
                let file = env.write_file(&format!("{folder}/{name}"), "#!/bin/sh\n: > \"$HOME/was-run\"\n");
                fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
            }
        }
        let path = format!(".::bin:./bin:{}", std::env::var("PATH").unwrap());
        let ait = |client: &Client, id: &str| env.ait().child_of(client, id).current_dir(&tree).env("PATH", &path);
        for (client, id) in [(&one, "one"), (&two, "two")] {
            let start = payload("SessionStart", id, &tree, json!({"source": "startup"}));
            assert_eq!(ait(client, id).hook(&start).exit_code, Some(0));
        }
        assert_eq!(env.active_manifest("one")["git_dirty"], true, "the right git was asked");
        let plain = env.ait().current_dir(&tree).env("PATH", &path);
        for words in [
            "sessions live",
            "sessions current --session one",
            "sessions conflicts --merge",
            "sessions next --go",
            "sessions resume",
            "sessions prune",
            "sessions history",
            "prompt --for zsh",
            "prompt --all",
            "hooks install",
            "hooks list",
            "doctor",
            "doctor --fix",
            "init zsh",
            "init tmux --plugin",
            "demo",
        ] {
            plain.run(words);
            assert!(!env.path("was-run").exists(), "ait {words}");
        }
        plain.run_with_input(&["statusline", "--then", "true"], b"{}");
        let end = payload("SessionEnd", "one", &tree, json!({"reason": "other"}));
        ait(&one, "one").hook(&end).no_output();
        assert!(!env.path("was-run").exists());
        // The trap works: a program that looks through PATH as it stands falls into it.
        let mut shell = plain.command("/bin/sh");
        assert!(shell.args(["-c", "git"]).status().unwrap().success() && env.path("was-run").exists());
    }

    #[test]
    fn what_is_installed_is_called_by_its_whole_path() {
        let env = TestEnv::new();
        env.run("hooks install");
        env.run("hooks install statusline");
        let settings = fs::read_to_string(env.path(".claude/settings.json")).unwrap();
        let settings: Value = serde_json::from_str(&settings).unwrap();
        let mut commands = vec![settings["statusLine"]["command"].as_str().unwrap().to_owned()];
        for groups in settings["hooks"].as_object().unwrap().values() {
            commands
                .extend(groups.as_array().unwrap().iter().map(|g| g["hooks"][0]["command"].as_str().unwrap().into()));
        }
        assert!(commands.len() > 7);
        for command in commands {
            assert!(command.contains(AIT) || command.contains("|| exec ~/.claude/hooks/session-"), "{command}");
        }
    }

    /// A file in a place that everybody can write to and guess could be somebody else's before it is ours.
    #[test]
    fn nothing_in_a_fixed_place_under_tmp() {
        let root = Path::new(env!("CARGO_MANIFEST_DIR"));
        let mut seen = 0;
        for file in below(&root.join("src")).into_iter().chain(below(&root.join("shell"))) {
            let Ok(text) = fs::read_to_string(&file) else { continue };
            if file.extension().is_some_and(|kind| kind == "svg") {
                continue;
            }
            seen += 1;
            let code = text.split("#[cfg(test)]").next().unwrap();
            for (number, line) in code.lines().enumerate() {
                assert!(!line.contains("/tmp"), "{}:{}: {line}", file.display(), number + 1);
            }
        }
        assert!(seen > 50, "{seen}");
    }
}

mod output {
    use super::*;

    /// What a terminal would act on: C0 but for the final newlines, DEL, C1, marks that reorder, separators of lines.
    fn acts(c: char) -> bool {
        c != '\n' && c.is_control()
            || matches!(u32::from(c), 0x61C | 0x200E | 0x200F | 0x2028..=0x202E | 0x2066..=0x2069)
    }

    /// JSON is piped to a terminal as often as to a program, and Claude Code shows what a hook answers.
    #[test]
    fn json_and_answers_of_hooks_hold_escapes_only() {
        let env = TestEnv::new();
        let odd = "a\u{1}\u{1b}[2J\u{7f}\u{80}\u{85}\u{9b}31m\u{9f}\u{61c}\u{200e}\u{200f}\u{2028}\u{2029}\u{202e}\u{2066}\u{2069}z";
        let tree = env.repository("p");
        let (client, other) = (Client::new(), Client::new());
        let dead = Client::new().kill();
        let fields = json!({
            "project": odd, "task": odd, "git_branch": odd, "mood": {odd: [odd]}, "tree": tree, "model": odd,
        });
        env.write_manifest("one", client.pid(), &tree, fields.clone());
        env.write_manifest("gone", dead, &tree, fields.clone());
        let today = common::ago(0);
        env.write_history_manifest(&today[..10], "ended", &today, fields);
        // Written by hand on another system.
        let file = env.sessions_path("active/one.json");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace('\n', "\r\n")).unwrap();
        env.write_file(&format!("p/{odd}"), "x");
        let touch = json!({"tool_name": "Edit", "tool_input": {"file_path": tree.join(odd)}});
        env.send_event(&client, "PostToolUse", "one", &tree, touch.clone());
        let mut said = Vec::new();
        for command in ["live", "current --session one", "task --session one", "conflicts", "history", "resume", "next"]
        {
            let said_here = env.run(&format!("sessions {command} --json"));
            let read: Value =
                serde_json::from_str(&said_here.stdout).unwrap_or_else(|why| panic!("{why}: {said_here:?}"));
            if command == "live" {
                assert_eq!(read["sessions"][0]["mood"], json!({odd: [odd]}), "nothing is lost");
                assert_eq!(read["sessions"][0]["task"], odd);
            }
            said.push(said_here);
        }
        said.push(env.run("sessions prune --dry-run --json"));
        said.push(env.run("hooks list --json"));
        said.push(env.run("doctor --json"));
        let start = env.start_session(&other, "two", &tree);
        assert!(start.stdout.contains("systemMessage"), "{start:?}");
        said.push(start);
        let warned = env.send_event(&other, "PreToolUse", "two", &tree, touch);
        assert!(warned.stdout.contains("was written"), "{warned:?}");
        said.push(warned);
        for said in said {
            assert!(!said.stdout.contains(acts) && !said.stderr.contains(acts), "{said:?}");
            assert!(said.stdout.lines().count() > 0, "{said:?}");
        }
    }
}

/// Every row of the table names tests, and each of them is there.
#[test]
fn every_promise_names_a_test_that_is_there() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let text = fs::read_to_string(root.join("SECURITY.md")).unwrap();
    let rows: Vec<&str> = text.lines().filter(|line| line.starts_with('|')).skip(2).collect();
    assert!(rows.len() >= 15, "{} promises", rows.len());
    for row in rows {
        let cell = row.trim_end_matches('|').rsplit('|').next().unwrap();
        let tests: Vec<&str> = cell.split('`').skip(1).step_by(2).collect();
        assert!(!tests.is_empty(), "no test: {row}");
        for test in tests {
            let (file, name) = test.split_once("::").unwrap_or_else(|| panic!("`{test}` is no test: {row}"));
            let source = fs::read_to_string(root.join(file)).unwrap_or_else(|why| panic!("{file}: {why}"));
            let name = name.rsplit("::").next().unwrap();
            let at = source.find(&format!("fn {name}() {{")).unwrap_or_else(|| panic!("{test} is not there"));
            let before: Vec<&str> = source[..at].lines().rev().take(2).map(str::trim).collect();
            assert!(before.contains(&"#[test]"), "{test} is not a test: {before:?}");
        }
    }
}
