//! `ait doctor`: each check seen well and not well, with real files, real processes and the real program; and what
//! `--fix` mends.

use crate::common::tools::needs;
use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};

use crate::common::{AIT, AitCommand, Client, TestEnv, ago, file_names, payload};
use serde_json::{Value, json};

/// One check, as programs read it.
#[derive(Debug)]
struct Found {
    status: String,
    detail: String,
    fix: Option<String>,
}

impl Found {
    #[track_caller]
    fn is(&self, status: &str, detail: &str) -> &Found {
        assert!(self.status == status && self.detail.contains(detail), "not {status}, {detail}: {self:?}");
        self
    }

    #[track_caller]
    fn fix(&self, fix: &str) {
        assert!(self.fix.as_deref().is_some_and(|found| found.contains(fix)), "not {fix}: {self:?}");
    }
}

/// Asks for all checks; the exit code must fit them.
#[track_caller]
fn checks(ait: &AitCommand, words: &str) -> Value {
    let said = ait.run(&format!("doctor --json {words}"));
    let value: Value = serde_json::from_str(&said.stdout).unwrap_or_else(|why| panic!("{why}: {said:?}"));
    assert_eq!(value["schema_version"], 1);
    let fails = value["checks"].as_array().unwrap().iter().any(|check| check["status"] == "fail");
    assert_eq!(said.exit_code, Some(i32::from(fails)), "{said:?}");
    value
}

#[track_caller]
fn found(ait: &AitCommand, name: &str) -> Found {
    let value = checks(ait, "");
    let mut found = value["checks"].as_array().unwrap().iter().filter(|check| check["name"] == name);
    let check = found.next().unwrap_or_else(|| panic!("no check {name}: {value}"));
    assert!(found.next().is_none(), "two of {name}");
    let text = |field: &str| check[field].as_str().map(str::to_owned);
    Found { status: text("status").unwrap(), detail: text("detail").unwrap(), fix: text("fix") }
}

#[track_caller]
fn check(env: &TestEnv, name: &str) -> Found {
    found(&env.ait(), name)
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// A record of Claude Code's, as it writes it for a process.
fn record(env: &TestEnv, client: &Client, id: &str, since: i64, more: Value) -> PathBuf {
    let at = |seconds: i64| {
        jiff::Timestamp::now().checked_sub(jiff::SignedDuration::from_secs(seconds)).unwrap().as_millisecond()
    };
    let mut record = json!({
        "pid": client.pid(), "sessionId": id, "cwd": env.path(""), "startedAt": at(since + 60),
        "procStart": client.start_time().to_string(), "version": "2.1.330", "kind": "interactive",
        "status": "busy", "statusUpdatedAt": at(since),
    });
    record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    record.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    env.write_file(&format!(".claude/sessions/{}.json", client.pid()), &record.to_string())
}

/// The folder of what is derived.
/// The one program that is not the static one under test: its figures are the build's.
#[test]
fn the_program_and_its_place_in_path() {
    let env = TestEnv::new();
    let program = check(&env, "program");
    assert!(program.detail.starts_with(concat!(env!("CARGO_PKG_VERSION"), ", ")), "{program:?}");
    assert_eq!(program.status == "ok", program.detail.contains(", static"), "{program:?}");
    check(&env, "path").is("warn", "is not in PATH (absolute folders only)").fix("export PATH=");
    let bin = env.create_dir("bin");
    symlink(AIT, bin.join("ait")).unwrap();
    let path = |folder: &Path| format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    found(&env.ait().env("PATH", path(&bin)), "path").is("ok", "~/bin/ait");
    let other = env.create_dir("other");
    fs::copy("/bin/true", other.join("ait")).unwrap();
    found(&env.ait().env("PATH", path(&other)), "path").is("warn", "~/other/ait, but this program is");
}

mod settings {
    use super::*;

    #[test]
    fn one_that_does_not_parse() {
        let env = TestEnv::new();
        check(&env, "settings").is("ok", "does not exist");
        let file = env.write_file(".claude/settings.json", "{\n  \"model\": \"x\"\n  \"y\": 1\n}\n");
        check(&env, "settings").is("fail", "line 2, column 15");
        check(&env, "hooks").is("fail", "unknown, because the settings cannot be parsed");
        let before = fs::read(&file).unwrap();
        checks(&env.ait(), "--fix");
        assert_eq!(fs::read(&file).unwrap(), before, "it is not touched");
        fs::write(&file, "{\n  \"model\": \"x\"\n}\n").unwrap();
        check(&env, "settings").is("ok", "~/.claude/settings.json");
        fs::write(&file, "{\n  // mine\n  \"model\": \"x\"\n}\n").unwrap();
        check(&env, "settings").is("fail", "line 2: Claude Code ignores a settings file with comments");
    }

    #[test]
    fn doctor_reports_that_all_hooks_are_disabled() {
        let env = TestEnv::new();
        env.write_file(".claude/settings.json", "{\"disableAllHooks\": true}\n");
        env.run("hooks install");
        check(&env, "settings").is("fail", "\"disableAllHooks\" is true");
        checks(&env.ait(), "--fix");
        check(&env, "settings").is("fail", "\"disableAllHooks\" is true");
        env.write_file(".claude/settings.json", "{\"disableAllHooks\": false}\n");
        check(&env, "settings").is("ok", "");
    }

    #[test]
    fn doctor_reports_hooks_in_the_settings_of_a_project() {
        let env = TestEnv::new();
        env.run("hooks install");
        let settings = fs::read_to_string(env.path(".claude/settings.json")).unwrap();
        env.write_file("p/.claude/settings.json", &settings);
        found(&env.ait().current_dir(&env.path("p")), "settings").is("warn", "in this project's settings too");
        env.write_file("p/.claude/settings.json", "{}");
        env.write_file("p/.claude/settings.local.json", "{\"disableAllHooks\": true}");
        found(&env.ait().current_dir(&env.path("p")), "settings")
            .is("warn", "settings.local.json: \"disableAllHooks\" is true");
        check(&env, "settings").is("ok", "");
    }
}

mod hooks {
    use super::*;

    #[test]
    fn doctor_fix_reinstalls_missing_hooks() {
        let env = TestEnv::new();
        check(&env, "hooks").is("fail", "not installed, so no session is tracked").fix("ait hooks install");
        env.run("hooks install");
        check(&env, "hooks").is("ok", "installed for 7 events; the status line is not");
        // As Claude Code leaves the file when it loses them.
        let lost = "{\n  \"model\": \"opus\"\n}\n";
        env.write_file(".claude/settings.json", lost);
        check(&env, "hooks").is("fail", "not installed, so no session is tracked");
        let said = checks(&env.ait(), "--fix");
        assert!(said["mended"][0].as_str().unwrap().contains("reinstalled the hooks"), "{said}");
        check(&env, "hooks").is("ok", "installed for 7 events");
        assert_eq!(checks(&env.ait(), "--fix")["mended"], json!([]), "nothing is left to mend");
        env.run("hooks uninstall");
        assert_eq!(fs::read_to_string(env.path(".claude/settings.json")).unwrap(), lost);
    }

    #[test]
    fn doctor_names_the_events_without_a_hook() {
        let env = TestEnv::new();
        env.run("hooks install statusline");
        env.run("hooks install session-cleanup");
        check(&env, "hooks").is("fail", "not installed for SessionStart, UserPromptSubmit");
        checks(&env.ait(), "--fix");
        check(&env, "hooks").is("ok", "the status line is installed too");
    }

    /// As an older ait wrote it, which started a process for every Read.
    #[test]
    fn an_entry_without_its_matcher_is_out_of_date_until_hooks_install() {
        let env = TestEnv::new();
        env.run("hooks install");
        let file = env.path(".claude/settings.json");
        let mut settings: Value = serde_json::from_slice(&fs::read(&file).unwrap()).unwrap();
        settings["hooks"]["PreToolUse"][0].as_object_mut().unwrap().remove("matcher").unwrap();
        fs::write(&file, settings.to_string()).unwrap();
        check(&env, "hooks").is("warn", "session-register for PreToolUse is out of date").fix("ait hooks install");
        let list = env.run("hooks list");
        assert!(list.stdout.contains("Hooks are missing or out of date"), "{}", list.stdout);
        env.run("hooks install");
        check(&env, "hooks").is("ok", "installed for 7 events");
    }

    #[test]
    fn in_a_form_that_never_runs() {
        let env = TestEnv::new();
        let flat =
            r#"{"hooks": {"SessionStart": [{"type": "command", "command": "~/.claude/hooks/session-register.sh"}]}}"#;
        env.write_file(".claude/settings.json", flat);
        let said = check(&env, "hooks");
        assert!(said.status == "fail", "{said:?}");
        checks(&env.ait(), "--fix");
        check(&env, "hooks").is("ok", "installed for 7 events");
    }

    #[test]
    fn a_script_that_is_gone_or_calls_another_ait() {
        let env = TestEnv::new();
        env.run("hooks install");
        let script = env.path(".claude/hooks/session-register.sh");
        let text = fs::read_to_string(&script).unwrap();
        fs::remove_file(&script).unwrap();
        check(&env, "hooks").is("fail", "~/.claude/hooks/session-register.sh: No such file").fix("ait hooks install");
        fs::write(&script, &text).unwrap();
        chmod(&script, 0o644);
        check(&env, "hooks").is("fail", "cannot be executed");
        chmod(&script, 0o755);
        check(&env, "hooks").is("ok", "");
        fs::write(&script, text.replace(AIT, "/gone/ait")).unwrap();
        check(&env, "hooks").is("fail", "calls /gone/ait, which does not exist");
        let other = env.create_dir("other").join("ait");
        fs::copy("/bin/true", &other).unwrap();
        fs::write(&script, text.replace(AIT, other.to_str().unwrap())).unwrap();
        check(&env, "hooks").is("warn", "calls ~/other/ait, but this program is");
        checks(&env.ait(), "--fix");
        assert_eq!(fs::read_to_string(&script).unwrap(), text);
        check(&env, "hooks").is("ok", "");
    }

    #[test]
    fn a_command_that_calls_another_ait() {
        let env = TestEnv::new();
        env.run("hooks install");
        let file = env.path(".claude/settings.json");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace(AIT, "/gone/ait")).unwrap();
        check(&env, "hooks").is("fail", "session-register for UserPromptSubmit calls /gone/ait, which does not exist");
        checks(&env.ait(), "--fix");
        check(&env, "hooks").is("ok", "");
    }
}

mod firing {
    use super::*;

    #[test]
    fn doctor_shows_the_last_event() {
        let env = TestEnv::new();
        check(&env, "firing").is("ok", "no event seen yet");
        env.run("hooks install");
        check(&env, "firing").is("warn", "no event seen yet").fix("start Claude Code");
        env.start_session(&Client::new(), "one", &env.path("")).no_output();
        check(&env, "firing").is("ok", "the last event was SessionStart, just now");
    }

    /// Claude Code lost its hooks: it runs a session, and nobody told of it.
    #[test]
    fn a_live_session_without_a_manifest() {
        let env = TestEnv::new();
        let client = Client::new();
        record(&env, &client, "one", 20, json!({}));
        let said = check(&env, "firing");
        said.is("fail", &format!("(pid {}) that no hook has reported", client.pid())).fix("ait doctor --fix");
        // They are put back, and the session has done nothing since.
        checks(&env.ait(), "--fix");
        check(&env, "firing").is("warn", "no event seen yet");
        // The next event makes it known.
        env.send_event(&client, "UserPromptSubmit", "one", &env.path(""), json!({"prompt": "x"})).no_output();
        check(&env, "firing").is("ok", "UserPromptSubmit");
    }

    #[test]
    fn installed_and_silent_all_the_same() {
        let env = TestEnv::new();
        let client = Client::new();
        env.run("hooks install");
        let old = fs::File::options().write(true).open(env.path(".claude/settings.json")).unwrap();
        old.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(600)).unwrap();
        let file = record(&env, &client, "one", 20, json!({}));
        check(&env, "firing").is("fail", "hooks do not run").fix("/hooks");
        // What a moment ago has happened may still be on its way.
        record(&env, &client, "one", 2, json!({}));
        check(&env, "firing").is("warn", "no event seen yet");
        // A picker of sessions has no status; a record of another process says nothing.
        record(&env, &client, "one", 20, json!({"status": null, "statusUpdatedAt": null}));
        check(&env, "firing").is("warn", "no event seen yet");
        record(&env, &client, "one", 20, json!({"procStart": "1"}));
        check(&env, "firing").is("warn", "no event seen yet");
        fs::write(file, "{\"pid\": ").unwrap();
        check(&env, "firing").is("warn", "no event seen yet");
    }
}

mod folders {
    use super::*;

    #[test]
    fn modes_are_told_and_set_right() {
        let env = TestEnv::new();
        check(&env, "folders").is("ok", "not created yet");
        let client = Client::new();
        env.start_session(&client, "one", &env.path("")).no_output();
        env.send_event(&client, "SessionStart", "two", &env.path(""), json!({"source": "clear"})).no_output();
        env.run("prompt");
        check(&env, "folders").is("ok", "private, owned by you");
        let (active, history) = (env.sessions_path("active"), env.sessions_path("history"));
        for (path, bad, status, said) in [
            (active.clone(), 0o755, "warn", "others can read"),
            (active.clone(), 0o777, "fail", "others can write to"),
            (active.clone(), 0o500, "fail", "cannot be read or written"),
            (history.clone(), 0o770, "fail", "others can write to"),
            (env.path(&env.cache()), 0o711, "warn", "others can read"),
            (active.join("two.json"), 0o644, "warn", "others can read or write"),
            (active.join("two.json"), 0o666, "fail", "others can read or write"),
        ] {
            let good = mode(&path);
            chmod(&path, bad);
            check(&env, "folders").is(status, said).fix("ait doctor --fix");
            let mended = checks(&env.ait(), "--fix")["mended"].to_string();
            assert!(mended.contains(&format!("to {good:04o} (it was {bad:04o})")), "{mended}");
            assert_eq!(mode(&path), good);
            check(&env, "folders").is("ok", "");
        }
    }

    #[test]
    fn doctor_reports_files_of_other_kinds_and_users() {
        let env = TestEnv::new();
        let file = env.write_manifest("one", 1, &env.path(""), json!({}));
        chmod(&file, 0o600);
        chmod(&env.sessions_path("active"), 0o700);
        check(&env, "folders").is("ok", "");
        if ait::sys::process::user_id() == 0 {
            chown(&file, Some(65534), None).unwrap();
            check(&env, "folders").is("warn", "belongs to another user and is not read");
            chown(&file, Some(0), None).unwrap();
            chown(env.sessions_path("active"), Some(65534), None).unwrap();
            check(&env, "folders").is("fail", "belongs to another user");
            chown(env.sessions_path("active"), Some(0), None).unwrap();
        }
        symlink("/etc/passwd", env.sessions_path("active/link.json")).unwrap();
        check(&env, "folders").is("warn", "not a regular file");
        fs::remove_file(env.sessions_path("active/link.json")).unwrap();
        fs::write(env.sessions_path("history"), "").unwrap();
        check(&env, "folders").is("fail", "history is not a folder");
    }

    #[test]
    fn doctor_without_home_says_so() {
        let env = TestEnv::new();
        let said = env.ait().env_remove("HOME").run("doctor");
        assert!(said.exit_code == Some(1) && said.stdout.contains("HOME: not set to an absolute path"), "{said:?}");
    }
}

mod manifests {
    use super::*;

    #[test]
    fn doctor_reports_manifests_that_do_not_parse() {
        let env = TestEnv::new();
        let client = Client::new();
        env.start_session(&client, "one", &env.path("")).no_output();
        check(&env, "manifests").is("ok", "1 readable");
        let active = env.write_file(".claude/sessions/active/bad.json", "{\"session_id\": ");
        check(&env, "manifests").is("warn", "active/bad.json: ");
        fs::remove_file(active).unwrap();
        env.write_file(".claude/sessions/history/2026-01-02/old.json", "[]");
        check(&env, "manifests").is("warn", "history/2026-01-02/old.json: ");
        checks(&env.ait(), "--fix");
        assert!(env.sessions_path("history/2026-01-02/old.json").exists(), "it is left where it is");
    }

    #[test]
    fn of_sessions_that_are_gone() {
        let env = TestEnv::new();
        let client = Client::new();
        env.start_session(&client, "live", &env.path("")).no_output();
        check(&env, "sessions").is("ok", "1 live, 0 stale");
        env.write_manifest("dead", Client::new().kill(), &env.path(""), json!({"updated": ago(60)}));
        check(&env, "sessions").is("warn", "1 stale: the process no longer exists").fix("ait sessions prune");
        let gone = Client::new().kill();
        let left = env.write_file(&format!(".claude/sessions/active/.dead.json.{gone}.0.tmp"), "{");
        let own = env.write_file(&format!(".claude/sessions/active/.live.json.{}.0.tmp", client.pid()), "{");
        // A young one may be a writer's in another container, whose pids mean nothing here.
        let age = |file: &Path| {
            let touched = std::process::Command::new("touch").args(["-d", "2 minutes ago"]).arg(file).status().unwrap();
            assert!(touched.success());
        };
        age(&left);
        age(&own);
        check(&env, "sessions").is("warn", "; also: 1 temporary file");
        checks(&env.ait(), "--fix");
        check(&env, "sessions").is("ok", "1 live");
        assert_eq!(env.history_entries().len(), 1);
        assert!(!left.exists() && own.exists(), "what a running program writes is left");
        fs::write(&left, "{").unwrap();
        age(&left);
        check(&env, "sessions").is("warn", "1 temporary file of").fix("--fix");
    }
}

mod client {
    use super::*;

    #[test]
    fn doctor_reads_the_client_version_from_its_records() {
        let env = TestEnv::new();
        let client = Client::new();
        for (version, status, said) in [
            ("2.1.330", "ok", "2.1.330: reports session id, process and status"),
            ("2.1.197", "ok", "ait finds the process by its ancestors"),
            (
                "2.1.114",
                "warn",
                "2.1.114 writes no status to its session record and does not report the session id (added in 2.1.156)",
            ),
            ("2.1.27", "warn", "writes no session record"),
        ] {
            record(&env, &client, "one", 0, json!({"version": version}));
            check(&env, "client").is(status, said);
        }
    }

    #[test]
    fn by_its_installation_without_running_it() {
        let env = TestEnv::new();
        let empty = env.create_dir("empty");
        let ait = |bin: &Path| env.ait().env("PATH", bin);
        found(&ait(&empty), "client").is("warn", "not in PATH, and none is running");
        let trap = format!("#!/bin/sh\n: > {}\n", env.path("was-run").display());
        // The native installer.
        let bin = env.create_dir("native");
        chmod(&env.write_file("share/claude/versions/2.1.330", &trap), 0o755);
        symlink(env.path("share/claude/versions/2.1.330"), bin.join("claude")).unwrap();
        found(&ait(&bin), "client").is("ok", "2.1.330");
        // npm.
        let bin = env.create_dir("npm");
        let package = "lib/node_modules/@anthropic-ai/claude-code";
        chmod(&env.write_file(&format!("{package}/bin/claude.exe"), &trap), 0o755);
        let json = r#"{"name": "@anthropic-ai/claude-code", "version": "2.1.72"}"#;
        env.write_file(&format!("{package}/package.json"), json);
        symlink(env.path(package).join("bin/claude.exe"), bin.join("claude")).unwrap();
        found(&ait(&bin), "client").is("warn", "2.1.72 writes no session record").fix("claude update");
        // Something else of that name.
        let bin = env.create_dir("own");
        chmod(&env.write_file("own/claude", &trap), 0o755);
        env.write_file("package.json", r#"{"name": "another", "version": "9.9.9"}"#);
        found(&ait(&bin), "client").is("warn", "cannot be read without running it");
        assert!(!env.path("was-run").exists());
    }
}

mod shell {
    use super::*;

    #[test]
    fn doctor_tells_whether_a_shell_loads_ait() {
        let env = TestEnv::new();
        check(&env, "shell").is("warn", "no shell, tmux or starship loads ait").fix("ait init --help");
        let zsh = || found(&env.ait().env("SHELL", "/usr/bin/zsh"), "shell");
        zsh().is("warn", "your shell is zsh, and ~/.zshrc does not load ait");
        zsh().fix("ait setup --only zsh");
        env.write_file(".zshrc", "# mine\neval \"$(ait init zsh)\"\n");
        zsh().is("ok", "zsh (~/.zshrc, line 2)");
        found(&env.ait().env("SHELL", "/bin/bash"), "shell").is("warn", "your shell is bash, and ~/.bashrc");
        found(&env.ait().env("ZDOTDIR", env.create_dir("z")), "shell").is("warn", "no shell, tmux or starship");
        env.write_file(".config/fish/config.fish", "ait init fish | source\n");
        env.write_file(".tmux.conf", "run-shell \"'ait' init tmux --plugin | sh\"\n");
        zsh()
            .is("ok", "zsh (~/.zshrc, line 2), fish (~/.config/fish/config.fish, line 1), tmux (~/.tmux.conf, line 1)");
    }

    /// What the command adds is what is found then.
    #[test]
    fn the_command_that_loads_it() {
        for (shell, file) in [("zsh", ".zshrc"), ("bash", ".bashrc"), ("fish", ".config/fish/conf.d/ait.fish")] {
            let env = TestEnv::new();
            env.write_file(".config/fish/config.fish", "");
            let ait = env.ait().env("SHELL", format!("/bin/{shell}"));
            let fix = found(&ait, "shell").fix.unwrap();
            ait.run(&format!("{} --yes", fix.strip_prefix("ait ").unwrap()));
            found(&ait, "shell").is("ok", &format!("{shell} (~/{file}, line "));
        }
    }

    /// The file of nushell is what `ait init` prints.
    #[test]
    fn doctor_finds_the_file_of_nushell() {
        let env = TestEnv::new();
        let nushell = || found(&env.ait().env("SHELL", "/usr/bin/nu"), "shell");
        nushell().is("warn", "your shell is nushell, and ~/.config/nushell/autoload/ait.nu does not load ait");
        nushell().fix("ait setup --only nushell");
        let text = env.ait().run("init nushell").stdout;
        env.write_file(".config/nushell/autoload/ait.nu", &text);
        nushell().is("ok", "nushell (~/.config/nushell/autoload/ait.nu, line ");
    }

    #[test]
    fn doctor_reports_a_line_that_overrides_ait() {
        let env = TestEnv::new();
        env.write_file(".zshrc", "eval \"$(ait init zsh)\"\n\nsource $ZSH/oh-my-zsh.sh\n");
        let said = found(&env.ait().env("SHELL", "/bin/zsh"), "shell");
        said.is("warn", "`oh-my-zsh.sh` on line 3 comes after the ait line, line 1").fix("to the end of the file");
        env.write_file(".zshrc", "source $ZSH/oh-my-zsh.sh\neval \"$(ait init zsh)\"\n");
        found(&env.ait().env("SHELL", "/bin/zsh"), "shell").is("ok", "line 2");
    }

    #[test]
    fn doctor_names_prompt_frameworks() {
        let env = TestEnv::new();
        let zsh = || found(&env.ait().env("SHELL", "/bin/zsh"), "shell");
        env.write_file(".zshrc", "ZSH_THEME=agnoster\nsource $ZSH/oh-my-zsh.sh\neval \"$(ait init zsh)\"\n");
        zsh().is("ok", "zsh (~/.zshrc, line 3, with agnoster, oh-my-zsh)");
        for (line, text) in [
            ("source ~/spaceship/spaceship.zsh", "spaceship.zsh"),
            ("source ~/geometry/geometry.zsh", "geometry.zsh"),
            ("source ~/typewritten/typewritten.zsh", "typewritten.zsh"),
            ("source ~/liquidprompt/liquidprompt", "liquidprompt"),
        ] {
            let name = text.trim_end_matches(".zsh");
            env.write_file(".zshrc", &format!("{line}\neval \"$(ait init zsh)\"\n"));
            zsh().is("ok", &format!("zsh (~/.zshrc, line 2, with {name})"));
            env.write_file(".zshrc", &format!("eval \"$(ait init zsh)\"\n{line}\n"));
            zsh().is(
                "warn",
                &format!("~/.zshrc: `{text}` on line 2 comes after the ait line, line 1, and may override it"),
            );
        }
        let vi = "zle-line-init() { RPS1=N }; zle -N zle-line-init\n";
        env.write_file(".zshrc", &format!("{vi}eval \"$(ait init zsh)\"\n"));
        zsh().is("warn", "~/.zshrc: a zle widget sets RPS1 and does not redraw the prompt");
        zsh().fix("zle reset-prompt");
        let vi = vi.replace("=N", "=N; zle reset-prompt");
        env.write_file(".zshrc", &format!("{vi}eval \"$(ait init zsh)\"\n"));
        zsh().is("ok", "zsh (~/.zshrc, line 2)");
        found(&env.ait().env("SHELL", "/bin/zsh").env("TERM_PROGRAM", "vscode"), "shell")
            .is("ok", "zsh (~/.zshrc, line 2), the shell integration of VS Code");

        let env = TestEnv::new();
        env.write_file(".config/fish/config.fish", "ait init fish | source\n");
        env.write_file(".config/fish/conf.d/_tide_init.fish", "");
        found(&env.ait().env("SHELL", "/bin/fish"), "shell")
            .is("ok", "fish (~/.config/fish/config.fish, line 1, with tide)");
    }

    /// People keep a line of theirs in a file that the usual one reads.
    #[test]
    fn through_a_file_that_another_one_reads() {
        let zsh = |env: &TestEnv| found(&env.ait().env("SHELL", "/bin/zsh"), "shell");
        let env = TestEnv::new();
        env.write_file(".zshrc", "# mine\n[ -f ~/.zshrc.local ] && source ~/.zshrc.local\n");
        env.write_file(".zshrc.local", "source \"$HOME/.zsh/ait.zsh\"\n");
        env.write_file(".zsh/ait.zsh", "\neval \"$(ait init zsh)\"\n");
        zsh(&env).is("ok", "zsh (~/.zsh/ait.zsh, line 2)");
        // What comes after it in the first file undoes it.
        env.write_file(".zshrc", "source ~/.zshrc.local\nsource ~/.p10k.zsh\n");
        zsh(&env).is(
            "warn",
            "~/.zshrc: `.p10k.zsh` on line 2 comes after the ait line, line 2 of ~/.zsh/ait.zsh, and may override it",
        );
        zsh(&env).fix("to the end of ~/.zshrc");
        // And so does a file that is read after it.
        env.write_file(".zshrc", "eval \"$(ait init zsh)\"\n. ~/.zshrc.local\n");
        env.write_file(".zshrc.local", "eval \"$(starship init zsh)\"\n");
        zsh(&env).is(
            "warn",
            "~/.zshrc.local: `starship init` on line 1 comes after the ait line, line 1 of ~/.zshrc, and may override it",
        );
        // Before it is as it should be; a comment reads nothing; a file that is not there or reads itself is no trouble.
        env.write_file(
            ".zshrc",
            "# source ~/.zshrc.local\n. ~/.none\n. ~/.zshrc\nsource ~/.zshrc.local\neval \"$(ait init zsh)\"\n",
        );
        zsh(&env).is("ok", "zsh (~/.zshrc, line 5, with starship)");
        // The login shell's file reads the other one: loaded once.
        let env = TestEnv::new();
        env.write_file(".bashrc", "eval \"$(ait init bash)\"\n");
        env.write_file(".bash_profile", "if [ -f ~/.bashrc ]; then . ~/.bashrc; fi\n");
        let bash = || found(&env.ait().env("SHELL", "/bin/bash"), "shell");
        bash().is("ok", "bash (~/.bashrc, line 1)");
        assert_eq!(bash().detail, "bash (~/.bashrc, line 1)");
        env.write_file(".bash_profile", ". ~/.bashrc\nPROMPT_COMMAND=date\n");
        bash().is("warn", "~/.bash_profile: `PROMPT_COMMAND=` on line 2 comes after the ait line, line 1 of ~/.bashrc");
    }

    /// What `ait init` prints for configurations is found there.
    #[test]
    fn as_ait_init_writes_it() {
        for (target, file) in [("tmux", ".tmux.conf"), ("starship", ".config/starship.toml")] {
            let env = TestEnv::new();
            let text = env.run(&format!("init {target}")).success();
            env.write_file(file, &text);
            check(&env, "shell").is("ok", &format!("{target} (~/{file}, line "));
        }
    }
}

#[test]
fn doctor_reports_mistakes_in_the_variables_of_the_prompt() {
    let env = TestEnv::new();
    let said = check(&env, "prompt");
    assert!(said.detail.starts_with("a prompt here takes ") && said.detail.ends_with(" ms"), "{said:?}");
    let bad = |name: &str, value: &str| found(&env.ait().env(name, value), "prompt");
    bad("AIT_FORMAT", "{project").is("warn", "AIT_FORMAT: ").fix("ait prompt --format '{project'");
    bad("AIT_STATUSLINE_FORMAT", "{nothing}").is("warn", "AIT_STATUSLINE_FORMAT: ");
    bad("AIT_ICONS", "gold").is("warn", "AIT_ICONS: ");
}

#[test]
fn doctor_counts_the_errors_in_the_log() {
    let env = TestEnv::new();
    check(&env, "log").is("ok", "no errors of hooks");
    env.ait().hook_with_input("session-register", b"garbage").no_output();
    env.ait().hook_with_input("session-register", b"{}").no_output();
    check(&env, "log").is("warn", "2 errors in the last day, latest: ").fix("tail ");
    let log = env.path(&env.cache()).join("log");
    let text = fs::read_to_string(&log).unwrap();
    let old = text.lines().map(|line| format!("2026-01-02T03:04:05Z{}\n", &line[20..]));
    fs::write(&log, old.collect::<String>()).unwrap();
    check(&env, "log").is("ok", "no error in the last day, latest ");
}

#[test]
fn doctor_prints_a_line_for_each_check_and_its_fix() {
    let env = TestEnv::new();
    let said = env.run("doctor");
    assert_eq!((said.exit_code, said.stderr.as_str()), (Some(1), ""), "{said:?}");
    assert!(said.stdout.contains("\nfail  hooks       not installed, so no session is tracked\n"), "{}", said.stdout);
    assert!(said.stdout.contains("\n                  fix: ait hooks install\n"), "{}", said.stdout);
    assert!(said.stdout.ends_with(" warn, 1 fail.\n"), "{}", said.stdout);
    assert_eq!(file_names(&env.path("")), [""; 0], "to look makes nothing");
    let said = env.run("doctor --fix");
    assert!(said.stdout.starts_with("Fixed: reinstalled the hooks in Claude Code's settings\n"), "{said:?}");
    assert_eq!(said.exit_code, Some(0), "warnings are no failure: {}", said.stdout);
    // Nothing from outside moves the cursor.
    env.ait().hook_with_input("session-register", b"{\"session_id\": \"\\u001b[2J\"}").no_output();
    env.write_file(".claude/sessions/active/bad.json", "{\"pid\": \"\u{1b}[2J\"");
    assert!(!env.run("doctor").stdout.contains('\u{1b}'));
    assert!(env.run("doctor --color always").stdout.contains('\u{1b}'));
}

/// The administrator's file, at its real place: in a mount namespace of its own, where that is allowed.
#[test]
#[cfg(target_os = "linux")]
fn what_the_administrator_has_switched_off() {
    needs!("unshare");
    let env = TestEnv::new();
    env.run("hooks install");
    let said = |managed: &str, words: &str| {
        let script = format!(
            "mount -t tmpfs none /etc && mkdir /etc/claude-code && printf %s \"$1\" > /etc/claude-code/managed-settings.json \
             && : > mounted && \"$2\" {words}; echo $?"
        );
        let _ = fs::remove_file(env.path("mounted"));
        let mut command = env.ait().command("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script, "sh", managed, AIT]);
        let output = command.output().unwrap();
        assert!(env.path("mounted").exists(), "{output:?}");
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        (text(output.stdout), text(output.stderr))
    };
    let (text, _) = said("{}", "doctor");
    assert!(text.contains("\nok    settings    ~/.claude/settings.json\n"), "{text}");
    for (managed, why) in [
        ("{\"disableAllHooks\": true}", "\"disableAllHooks\""),
        ("{\"allowManagedHooksOnly\": true}", "\"allowManagedHooksOnly\""),
        ("{\"allowManagedHooksOnly\": true, \"disableAllHooks\": true}", "\"disableAllHooks\""),
    ] {
        let remark =
            format!("/etc/claude-code/managed-settings.json: {why} is true, so Claude Code runs none of your hooks");
        let (text, _) = said(managed, "doctor");
        assert!(text.contains(&format!("\nfail  settings    {remark}\n")) && text.ends_with("\n1\n"), "{text}");
        for words in ["hooks list", "hooks install"] {
            let (text, remarks) = said(managed, words);
            assert!(text.ends_with("\n0\n") && remarks.contains(&format!("ait: {remark}\n")), "{words}: {remarks}");
        }
    }
    for harmless in ["{\"disableAllHooks\": false, \"allowManagedHooksOnly\": \"true\"}", ""] {
        let (text, _) = said(harmless, "doctor");
        assert!(text.contains("\nok    settings    "), "{harmless}: {text}");
    }
    for torn in ["{ torn", "[]"] {
        let (text, _) = said(torn, "doctor");
        let remark = "/etc/claude-code/managed-settings.json: not readable, so it is unknown whether it disables hooks";
        assert!(text.contains(&format!("\nwarn  settings    {remark}\n")), "{torn}: {text}");
    }
}

/// What the demo of a whole life leaves is well.
#[test]
fn after_a_whole_life_all_of_ours_is_well() {
    let env = TestEnv::new();
    env.run("hooks install");
    let client = Client::new();
    let folder = env.repository("p");
    record(&env, &client, "one", 20, json!({}));
    env.start_session(&client, "one", &folder).no_output();
    let write = json!({"tool_name": "Edit", "tool_input": {"file_path": folder.join("a.txt")}});
    env.send_event(&client, "PostToolUse", "one", &folder, write).no_output();
    env.ait()
        .current_dir(&folder)
        .run_with_input(&["statusline"], payload("Status", "one", &folder, json!({})).to_string().as_bytes());
    let value = checks(&env.ait().current_dir(&folder), "");
    for name in ["settings", "hooks", "folders", "firing", "manifests", "sessions", "client", "log"] {
        let check = value["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap();
        assert_eq!(check["status"], "ok", "{check}");
    }
}
