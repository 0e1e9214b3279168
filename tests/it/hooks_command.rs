//! `ait hooks ...` as it is typed: the whole program in a home of its own.
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

struct Home(PathBuf);

impl Drop for Home {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

struct CommandOutput {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Home {
    fn new() -> Home {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("ait-hooks-command-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let home = fs::canonicalize(std::env::temp_dir()).unwrap().join(name);
        fs::create_dir_all(home.join(".claude")).unwrap();
        Home(home)
    }

    fn command(&self, program: &Path, arguments: &[&str]) -> CommandOutput {
        let done = Command::new(program)
            .args(arguments)
            .env_clear()
            .env("HOME", &self.0)
            .env("PATH", "/usr/bin:/bin")
            .current_dir(&self.0)
            .output()
            .unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        CommandOutput { code: done.status.code(), stdout: text(&done.stdout), stderr: text(&done.stderr) }
    }

    fn ait(&self, arguments: &[&str]) -> CommandOutput {
        self.command(Path::new(env!("CARGO_BIN_EXE_ait")), arguments)
    }

    fn settings(&self) -> PathBuf {
        self.0.join(".claude/settings.json")
    }
}

#[test]
fn install_then_uninstall_restores_the_settings() {
    let home = Home::new();
    let before = "{\n  \"model\": \"opus\"\n}\n";
    fs::write(home.settings(), before).unwrap();

    let dry = home.ait(&["hooks", "install", "--dry-run"]);
    assert_eq!(dry.code, Some(0), "{}", dry.stderr);
    assert!(dry.stdout.contains("+  \"hooks\": {\n"), "{}", dry.stdout);
    assert_eq!(fs::read_to_string(home.settings()).unwrap(), before);

    let done = home.ait(&["hooks", "install"]);
    assert_eq!(done.code, Some(0), "{}", done.stderr);
    let installed = fs::read_to_string(home.settings()).unwrap();
    assert!(installed.contains("exec ~/.claude/hooks/session-register.sh\""), "{installed}");
    assert!(!installed.contains("statusLine"), "{installed}");
    assert_eq!(home.ait(&["hooks", "install"]).code, Some(0));
    assert_eq!(fs::read_to_string(home.settings()).unwrap(), installed);

    let list = home.ait(&["hooks", "list", "--json"]);
    let list: serde_json::Value = serde_json::from_str(&list.stdout).unwrap();
    let rows = list["hooks"].as_array().unwrap();
    assert!(rows.iter().all(|row| row["installed"] == (row["name"] != "statusline")), "{list}");

    assert_eq!(home.ait(&["hooks", "uninstall"]).code, Some(0));
    assert_eq!(fs::read_to_string(home.settings()).unwrap(), before);
}

#[test]
fn hooks_are_installed_and_uninstalled_one_at_a_time() {
    let home = Home::new();
    assert_eq!(home.ait(&["hooks", "install", "session-register"]).code, Some(0));
    assert!(!fs::read_to_string(home.settings()).unwrap().contains("SessionEnd"));
    assert_eq!(home.ait(&["hooks", "install", "session-cleanup", "statusline"]).code, Some(0));
    let all = fs::read_to_string(home.settings()).unwrap();
    assert!(all.contains("SessionEnd") && all.contains("statusLine"), "{all}");
    assert_eq!(home.ait(&["hooks", "uninstall", "session-register"]).code, Some(0));
    let rest = fs::read_to_string(home.settings()).unwrap();
    assert!(!rest.contains("SessionStart") && rest.contains("SessionEnd"), "{rest}");
    assert_eq!(home.ait(&["hooks", "uninstall"]).code, Some(0));
    assert!(!home.settings().exists());
}

#[test]
fn a_mistyped_hook_name_gets_a_suggestion() {
    let home = Home::new();
    let said = home.ait(&["hooks", "install", "session-registr"]);
    assert_eq!((said.code, said.stdout.as_str()), (Some(2), ""));
    assert!(said.stderr.contains("did you mean `session-register`?"), "{}", said.stderr);

    fs::write(home.settings(), "{\n  oops\n}\n").unwrap();
    for verb in ["install", "uninstall", "list"] {
        let said = home.ait(&["hooks", verb]);
        assert_eq!(said.code, Some(1), "{}", said.stdout);
        assert!(said.stderr.contains("settings.json: line 2, column 3: "), "{}", said.stderr);
    }
    assert_eq!(fs::read_to_string(home.settings()).unwrap(), "{\n  oops\n}\n");
}

#[test]
fn a_home_that_is_not_set() {
    let done = Command::new(env!("CARGO_BIN_EXE_ait")).args(["hooks", "install"]).env_clear().output().unwrap();
    assert_eq!(done.status.code(), Some(1));
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    assert!(said.contains("HOME") && said.lines().count() == 1, "{said}");
}

#[test]
fn another_folder_of_the_client() {
    let home = Home::new();
    let done = Command::new(env!("CARGO_BIN_EXE_ait"))
        .args(["hooks", "install"])
        .env("HOME", &home.0)
        .env("CLAUDE_CONFIG_DIR", home.0.join("my config"))
        .output()
        .unwrap();
    assert!(done.status.success());
    let text = fs::read_to_string(home.0.join("my config/settings.json")).unwrap();
    let script = home.0.join("my config/hooks");
    assert!(text.contains(&format!("'{}'/session-register.sh", script.display())), "{text}");
    assert!(!home.settings().exists());
}

/// A person decides by the diff: what a terminal would act on, or nobody can see, is shown by its picture or number.
#[test]
fn the_diff_shows_what_a_terminal_would_act_on() {
    let home = Home::new();
    let odd = "a\u{7f}b\u{85}c\u{9b}31md\u{202e}e\u{2066}f\u{200f}g\u{2028}h\u{200b}i\u{e0041}j";
    let escapes = "\\u001b[2J\\u202e";
    let before = format!("\u{feff}{{\r\n  \"model\": \"{odd}\", \r \"x\": \"{escapes}\"\r\n}}\r\n");
    fs::write(home.settings(), &before).unwrap();
    let dry = home.ait(&["hooks", "install", "--dry-run"]);
    assert_eq!(dry.code, Some(0), "{}", dry.stderr);
    let raw =
        |c: char| c != '\n' && (ait::error::moves_cursor(c) || matches!(c, '\u{feff}' | '\u{200b}' | '\u{e0041}'));
    assert!(!dry.stdout.replace("\r\n", "\n").contains(raw), "{:?}", dry.stdout);
    let shown = "a␡b<U+0085>c<U+009B>31md<U+202E>e<U+2066>f<U+200F>g<U+2028>h<U+200B>i<U+E0041>j\", ␍ \"x\": ";
    assert!(dry.stdout.contains(shown) && dry.stdout.contains(escapes), "{}", dry.stdout);
    assert_eq!(fs::read_to_string(home.settings()).unwrap(), before);
}

/// Claude Code takes an array under an event, and older ones refuse the whole file for anything else: to add to it would be
/// to guess what was meant.
#[test]
fn a_command_in_place_of_the_array_is_refused_with_its_place_and_the_form_that_is_taken() {
    let home = Home::new();
    let before = "{\n  \"hooks\": {\n    \"SessionStart\": \"ait hook session-register\"\n  }\n}\n";
    fs::write(home.settings(), before).unwrap();
    let said = home.ait(&["hooks", "install"]);
    let wanted = format!(
        "ait: installing hooks: {}: line 3, column 21: \"SessionStart\" must be an array, but is a string; Claude Code takes \
         [{{\"hooks\": [{{\"type\": \"command\", \"command\": \"...\"}}]}}]; nothing was changed; correct the file and run the \
         command again\n",
        home.settings().display()
    );
    assert_eq!((said.code, said.stdout.as_str(), said.stderr), (Some(1), "", wanted));
    assert_eq!(fs::read_to_string(home.settings()).unwrap(), before);
    assert!(!home.0.join(".claude/hooks").exists(), "nothing is half installed");
    let doctor = home.ait(&["doctor"]).stdout;
    let line = "fail  settings    ~/.claude/settings.json: line 3, column 21: \"SessionStart\" must be an array, but is a string; ";
    assert!(doctor.contains(line) && doctor.contains("fix: correct it, then type: ait hooks install\n"), "{doctor}");
}
