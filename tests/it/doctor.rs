//! `ait doctor`: each check seen well and not well, with real files, real processes and the real program; and what
//! `--fix` mends.

use std::fs;
use std::os::unix::fs::{PermissionsExt as _, chown, symlink};
use std::path::{Path, PathBuf};

use crate::common::{AIT, Ask, Client, World, ago, names, payload};
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
    fn mend(&self, fix: &str) {
        assert!(self.fix.as_deref().is_some_and(|found| found.contains(fix)), "not {fix}: {self:?}");
    }
}

/// Asks for all checks; the exit code must fit them.
#[track_caller]
fn checks(ask: &Ask, words: &str) -> Value {
    let said = ask.run(&format!("doctor --json {words}"));
    let value: Value = serde_json::from_str(&said.out).unwrap_or_else(|why| panic!("{why}: {said:?}"));
    assert_eq!(value["schema_version"], 1);
    let fails = value["checks"].as_array().unwrap().iter().any(|check| check["status"] == "fail");
    assert_eq!(said.code, Some(i32::from(fails)), "{said:?}");
    value
}

#[track_caller]
fn found(ask: &Ask, name: &str) -> Found {
    let value = checks(ask, "");
    let mut found = value["checks"].as_array().unwrap().iter().filter(|check| check["name"] == name);
    let check = found.next().unwrap_or_else(|| panic!("no check {name}: {value}"));
    assert!(found.next().is_none(), "two of {name}");
    let text = |field: &str| check[field].as_str().map(str::to_owned);
    Found { status: text("status").unwrap(), detail: text("detail").unwrap(), fix: text("fix") }
}

#[track_caller]
fn check(world: &World, name: &str) -> Found {
    found(&world.ait(), name)
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, fs::Permissions::from_mode(mode)).unwrap();
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().permissions().mode() & 0o7777
}

/// A record of Claude Code's, as it writes it for a process.
fn record(world: &World, client: &Client, id: &str, since: i64, more: Value) -> PathBuf {
    let at = |seconds: i64| {
        jiff::Timestamp::now().checked_sub(jiff::SignedDuration::from_secs(seconds)).unwrap().as_millisecond()
    };
    let mut record = json!({
        "pid": client.pid(), "sessionId": id, "cwd": world.path(""), "startedAt": at(since + 60),
        "procStart": client.start().to_string(), "version": "2.1.330", "kind": "interactive",
        "status": "busy", "statusUpdatedAt": at(since),
    });
    record.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    record.as_object_mut().unwrap().retain(|_, value| !value.is_null());
    world.write(&format!(".claude/sessions/{}.json", client.pid()), &record.to_string())
}

/// The folder of what is derived.
/// The one program that is not the static one under test: its figures are the build's.
#[test]
fn the_program_and_its_place_in_path() {
    let world = World::new();
    let program = check(&world, "program");
    assert!(program.detail.starts_with(concat!(env!("CARGO_PKG_VERSION"), ", ")), "{program:?}");
    assert_eq!(program.status == "ok", program.detail.contains(", static"), "{program:?}");
    check(&world, "path").is("warn", "in none of the absolute folders of PATH").mend("export PATH=");
    let bin = world.folder("bin");
    symlink(AIT, bin.join("ait")).unwrap();
    let path = |folder: &Path| format!("{}:{}", folder.display(), std::env::var("PATH").unwrap());
    found(&world.ait().var("PATH", path(&bin)), "path").is("ok", "~/bin/ait");
    let other = world.folder("other");
    fs::copy("/bin/true", other.join("ait")).unwrap();
    found(&world.ait().var("PATH", path(&other)), "path").is("warn", "~/other/ait, and this one is");
}

mod settings {
    use super::*;

    #[test]
    fn one_that_does_not_parse() {
        let world = World::new();
        check(&world, "settings").is("ok", "not there");
        let file = world.write(".claude/settings.json", "{\n  \"model\": \"x\"\n  \"y\": 1\n}\n");
        check(&world, "settings").is("fail", "line 3, column 3");
        check(&world, "hooks").is("fail", "cannot be told while the settings do not parse");
        let before = fs::read(&file).unwrap();
        checks(&world.ait(), "--fix");
        assert_eq!(fs::read(&file).unwrap(), before, "it is not touched");
        fs::write(&file, "{\n  \"model\": \"x\"\n}\n").unwrap();
        check(&world, "settings").is("ok", "~/.claude/settings.json");
        fs::write(&file, "{\n  // mine\n  \"model\": \"x\"\n}\n").unwrap();
        check(&world, "settings").is("fail", "line 2: Claude Code ignores a settings file with comments");
    }

    #[test]
    fn all_hooks_switched_off() {
        let world = World::new();
        world.write(".claude/settings.json", "{\"disableAllHooks\": true}\n");
        world.run("hooks install");
        check(&world, "settings").is("fail", "\"disableAllHooks\" is true");
        checks(&world.ait(), "--fix");
        check(&world, "settings").is("fail", "\"disableAllHooks\" is true");
        world.write(".claude/settings.json", "{\"disableAllHooks\": false}\n");
        check(&world, "settings").is("ok", "");
    }

    #[test]
    fn a_projects_own() {
        let world = World::new();
        world.run("hooks install");
        let settings = fs::read_to_string(world.path(".claude/settings.json")).unwrap();
        world.write("p/.claude/settings.json", &settings);
        found(&world.ait().at(&world.path("p")), "settings").is("warn", "in this project's settings too");
        world.write("p/.claude/settings.json", "{}");
        world.write("p/.claude/settings.local.json", "{\"disableAllHooks\": true}");
        found(&world.ait().at(&world.path("p")), "settings")
            .is("warn", "settings.local.json: \"disableAllHooks\" is true");
        check(&world, "settings").is("ok", "");
    }
}

mod hooks {
    use super::*;

    #[test]
    fn dropped_and_put_back() {
        let world = World::new();
        check(&world, "hooks").is("fail", "none is installed").mend("ait hooks install");
        world.run("hooks install");
        check(&world, "hooks").is("ok", "installed for 7 events; the status line is not");
        // As Claude Code leaves the file when it loses them.
        let lost = "{\n  \"model\": \"opus\"\n}\n";
        world.write(".claude/settings.json", lost);
        check(&world, "hooks").is("fail", "none is installed");
        let said = checks(&world.ait(), "--fix");
        assert!(said["mended"][0].as_str().unwrap().contains("put the hooks back"), "{said}");
        check(&world, "hooks").is("ok", "installed for 7 events");
        assert_eq!(checks(&world.ait(), "--fix")["mended"], json!([]), "nothing is left to mend");
        world.run("hooks uninstall");
        assert_eq!(fs::read_to_string(world.path(".claude/settings.json")).unwrap(), lost);
    }

    #[test]
    fn a_part_of_them() {
        let world = World::new();
        world.run("hooks install statusline");
        world.run("hooks install session-cleanup");
        check(&world, "hooks").is("fail", "not installed for SessionStart, UserPromptSubmit");
        checks(&world.ait(), "--fix");
        check(&world, "hooks").is("ok", "the status line is too");
    }

    #[test]
    fn in_a_form_that_never_runs() {
        let world = World::new();
        let flat =
            r#"{"hooks": {"SessionStart": [{"type": "command", "command": "~/.claude/hooks/session-register.sh"}]}}"#;
        world.write(".claude/settings.json", flat);
        let said = check(&world, "hooks");
        assert!(said.status == "fail", "{said:?}");
        checks(&world.ait(), "--fix");
        check(&world, "hooks").is("ok", "installed for 7 events");
    }

    #[test]
    fn a_script_that_is_gone_or_calls_another_ait() {
        let world = World::new();
        world.run("hooks install");
        let script = world.path(".claude/hooks/session-register.sh");
        let text = fs::read_to_string(&script).unwrap();
        fs::remove_file(&script).unwrap();
        check(&world, "hooks")
            .is("fail", "~/.claude/hooks/session-register.sh: No such file")
            .mend("ait hooks install");
        fs::write(&script, &text).unwrap();
        chmod(&script, 0o644);
        check(&world, "hooks").is("fail", "cannot be executed");
        chmod(&script, 0o755);
        check(&world, "hooks").is("ok", "");
        fs::write(&script, text.replace(AIT, "/gone/ait")).unwrap();
        check(&world, "hooks").is("fail", "calls /gone/ait, which is not there");
        let other = world.folder("other").join("ait");
        fs::copy("/bin/true", &other).unwrap();
        fs::write(&script, text.replace(AIT, other.to_str().unwrap())).unwrap();
        check(&world, "hooks").is("warn", "calls ~/other/ait, and this one is");
        checks(&world.ait(), "--fix");
        assert_eq!(fs::read_to_string(&script).unwrap(), text);
        check(&world, "hooks").is("ok", "");
    }

    #[test]
    fn a_command_that_calls_another_ait() {
        let world = World::new();
        world.run("hooks install");
        let file = world.path(".claude/settings.json");
        let text = fs::read_to_string(&file).unwrap();
        fs::write(&file, text.replace(AIT, "/gone/ait")).unwrap();
        check(&world, "hooks").is("fail", "session-register for UserPromptSubmit calls /gone/ait, which is not there");
        checks(&world.ait(), "--fix");
        check(&world, "hooks").is("ok", "");
    }
}

mod firing {
    use super::*;

    #[test]
    fn events_that_were_seen() {
        let world = World::new();
        check(&world, "firing").is("ok", "no event was ever seen");
        world.run("hooks install");
        check(&world, "firing").is("warn", "no event was ever seen").mend("start Claude Code");
        world.start(&Client::new(), "one", &world.path("")).silent();
        check(&world, "firing").is("ok", "the last event was SessionStart, just now");
    }

    /// Claude Code lost its hooks: it runs a session, and nobody told of it.
    #[test]
    fn a_live_session_without_a_manifest() {
        let world = World::new();
        let client = Client::new();
        record(&world, &client, "one", 20, json!({}));
        let said = check(&world, "firing");
        said.is("fail", &format!("(pid {}) that no hook has told of", client.pid())).mend("ait doctor --fix");
        // They are put back, and the session has done nothing since.
        checks(&world.ait(), "--fix");
        check(&world, "firing").is("warn", "no event was ever seen");
        // The next event makes it known.
        world.event(&client, "UserPromptSubmit", "one", &world.path(""), json!({"prompt": "x"})).silent();
        check(&world, "firing").is("ok", "UserPromptSubmit");
    }

    #[test]
    fn installed_and_silent_all_the_same() {
        let world = World::new();
        let client = Client::new();
        world.run("hooks install");
        let old = fs::File::options().write(true).open(world.path(".claude/settings.json")).unwrap();
        old.set_modified(std::time::SystemTime::now() - std::time::Duration::from_secs(600)).unwrap();
        let file = record(&world, &client, "one", 20, json!({}));
        check(&world, "firing").is("fail", "hooks do not fire").mend("/hooks");
        // What a moment ago has happened may still be on its way.
        record(&world, &client, "one", 2, json!({}));
        check(&world, "firing").is("warn", "no event was ever seen");
        // A picker of sessions has no status; a record of another process says nothing.
        record(&world, &client, "one", 20, json!({"status": null, "statusUpdatedAt": null}));
        check(&world, "firing").is("warn", "no event was ever seen");
        record(&world, &client, "one", 20, json!({"procStart": "1"}));
        check(&world, "firing").is("warn", "no event was ever seen");
        fs::write(file, "{\"pid\": ").unwrap();
        check(&world, "firing").is("warn", "no event was ever seen");
    }
}

mod folders {
    use super::*;

    #[test]
    fn modes_are_told_and_set_right() {
        let world = World::new();
        check(&world, "folders").is("ok", "not made yet");
        let client = Client::new();
        world.start(&client, "one", &world.path("")).silent();
        world.start(&client, "two", &world.path("")).silent();
        world.run("prompt");
        check(&world, "folders").is("ok", "yours alone");
        let (active, history) = (world.sessions("active"), world.sessions("history"));
        for (path, bad, status, said) in [
            (active.clone(), 0o755, "warn", "others can read"),
            (active.clone(), 0o777, "fail", "others can write to"),
            (active.clone(), 0o500, "fail", "cannot be read or written"),
            (history.clone(), 0o770, "fail", "others can write to"),
            (world.path(&world.cache()), 0o711, "warn", "others can read"),
            (active.join("two.json"), 0o644, "warn", "others can reach"),
            (active.join("two.json"), 0o666, "fail", "others can reach"),
        ] {
            let good = mode(&path);
            chmod(&path, bad);
            check(&world, "folders").is(status, said).mend("ait doctor --fix");
            let mended = checks(&world.ait(), "--fix")["mended"].to_string();
            assert!(mended.contains(&format!("{good:04o} now, not {bad:04o}")), "{mended}");
            assert_eq!(mode(&path), good);
            check(&world, "folders").is("ok", "");
        }
    }

    #[test]
    fn what_is_not_ours() {
        let world = World::new();
        let file = world.by_hand("one", 1, &world.path(""), json!({}));
        chmod(&file, 0o600);
        chmod(&world.sessions("active"), 0o700);
        check(&world, "folders").is("ok", "");
        if ait::sys::process::user_id() == 0 {
            chown(&file, Some(65534), None).unwrap();
            check(&world, "folders").is("warn", "belongs to another user and is not read");
            chown(&file, Some(0), None).unwrap();
            chown(world.sessions("active"), Some(65534), None).unwrap();
            check(&world, "folders").is("fail", "belongs to another user");
            chown(world.sessions("active"), Some(0), None).unwrap();
        }
        symlink("/etc/passwd", world.sessions("active/link.json")).unwrap();
        check(&world, "folders").is("warn", "no regular file");
        fs::remove_file(world.sessions("active/link.json")).unwrap();
        fs::write(world.sessions("history"), "").unwrap();
        check(&world, "folders").is("fail", "history is not a folder");
    }

    #[test]
    fn without_a_home() {
        let world = World::new();
        let said = world.ait().without("HOME").run("doctor");
        assert!(said.code == Some(1) && said.out.contains("HOME: not set to an absolute path"), "{said:?}");
    }
}

mod manifests {
    use super::*;

    #[test]
    fn that_do_not_parse() {
        let world = World::new();
        let client = Client::new();
        world.start(&client, "one", &world.path("")).silent();
        check(&world, "manifests").is("ok", "1 can be read");
        let active = world.write(".claude/sessions/active/bad.json", "{\"session_id\": ");
        check(&world, "manifests").is("warn", "active/bad.json: ");
        fs::remove_file(active).unwrap();
        world.write(".claude/sessions/history/2026-01-02/old.json", "[]");
        check(&world, "manifests").is("warn", "history/2026-01-02/old.json: ");
        checks(&world.ait(), "--fix");
        assert!(world.sessions("history/2026-01-02/old.json").exists(), "it is left where it is");
    }

    #[test]
    fn of_sessions_that_are_gone() {
        let world = World::new();
        let client = Client::new();
        world.start(&client, "live", &world.path("")).silent();
        check(&world, "sessions").is("ok", "1 live, none of them stale");
        world.by_hand("dead", Client::new().kill(), &world.path(""), json!({"updated": ago(60)}));
        check(&world, "sessions").is("warn", "1 of which the process is gone").mend("ait sessions prune");
        let gone = Client::new().kill();
        let left = world.write(&format!(".claude/sessions/active/.dead.json.{gone}.0.tmp"), "{");
        let own = world.write(&format!(".claude/sessions/active/.live.json.{}.0.tmp", client.pid()), "{");
        // A young one may be a writer's in another container, whose pids mean nothing here.
        let age = |file: &Path| {
            let touched = std::process::Command::new("touch").args(["-d", "2 minutes ago"]).arg(file).status().unwrap();
            assert!(touched.success());
        };
        age(&left);
        age(&own);
        check(&world, "sessions").is("warn", "; also: 1 temporary file");
        checks(&world.ait(), "--fix");
        check(&world, "sessions").is("ok", "1 live");
        assert_eq!(world.history().len(), 1);
        assert!(!left.exists() && own.exists(), "what a running program writes is left");
        fs::write(&left, "{").unwrap();
        age(&left);
        check(&world, "sessions").is("warn", "1 temporary file of").mend("--fix");
    }
}

mod client {
    use super::*;

    #[test]
    fn by_its_records() {
        let world = World::new();
        let client = Client::new();
        for (version, status, said) in [
            ("2.1.330", "ok", "2.1.330: hands down session and process"),
            ("2.1.197", "ok", "found by ancestry (told since 2.1.241)"),
            ("2.1.114", "warn", "2.1.114 records no status and hands down no session id (since 2.1.156)"),
            ("2.1.27", "warn", "keeps no record of itself"),
        ] {
            record(&world, &client, "one", 0, json!({"version": version}));
            check(&world, "client").is(status, said);
        }
    }

    #[test]
    fn by_its_installation_without_running_it() {
        let world = World::new();
        let empty = world.folder("empty");
        let ask = |bin: &Path| world.ait().var("PATH", bin);
        found(&ask(&empty), "client").is("warn", "not in PATH, and none is running");
        let trap = format!("#!/bin/sh\n: > {}\n", world.path("was-run").display());
        // The native installer.
        let bin = world.folder("native");
        chmod(&world.write("share/claude/versions/2.1.330", &trap), 0o755);
        symlink(world.path("share/claude/versions/2.1.330"), bin.join("claude")).unwrap();
        found(&ask(&bin), "client").is("ok", "2.1.330");
        // npm.
        let bin = world.folder("npm");
        let package = "lib/node_modules/@anthropic-ai/claude-code";
        chmod(&world.write(&format!("{package}/bin/claude.exe"), &trap), 0o755);
        let json = r#"{"name": "@anthropic-ai/claude-code", "version": "2.1.72"}"#;
        world.write(&format!("{package}/package.json"), json);
        symlink(world.path(package).join("bin/claude.exe"), bin.join("claude")).unwrap();
        found(&ask(&bin), "client").is("warn", "2.1.72 keeps no record of itself").mend("claude update");
        // Something else of that name.
        let bin = world.folder("own");
        chmod(&world.write("own/claude", &trap), 0o755);
        world.write("package.json", r#"{"name": "another", "version": "9.9.9"}"#);
        found(&ask(&bin), "client").is("warn", "cannot be told without running it");
        assert!(!world.path("was-run").exists());
    }
}

mod shell {
    use super::*;

    #[test]
    fn loaded_or_not() {
        let world = World::new();
        check(&world, "shell").is("warn", "no shell, tmux or starship loads ait").mend("ait init --help");
        let zsh = || found(&world.ait().var("SHELL", "/usr/bin/zsh"), "shell");
        zsh().is("warn", "your shell is zsh, and ~/.zshrc does not load ait");
        zsh().mend("echo 'eval \"$(ait init zsh)\"' >> ~/.zshrc");
        world.write(".zshrc", "# mine\neval \"$(ait init zsh)\"\n");
        zsh().is("ok", "zsh (~/.zshrc, line 2)");
        found(&world.ait().var("SHELL", "/bin/bash"), "shell").is("warn", "your shell is bash, and ~/.bashrc");
        found(&world.ait().var("ZDOTDIR", world.folder("z")), "shell").is("warn", "no shell, tmux or starship");
        world.write(".config/fish/config.fish", "ait init fish | source\n");
        world.write(".tmux.conf", "run-shell \"'ait' init tmux --plugin | sh\"\n");
        zsh()
            .is("ok", "zsh (~/.zshrc, line 2), fish (~/.config/fish/config.fish, line 1), tmux (~/.tmux.conf, line 1)");
    }

    /// What the mending line adds is what is found then.
    #[test]
    fn the_line_that_mends_it() {
        for (shell, file) in [("zsh", ".zshrc"), ("bash", ".bashrc"), ("fish", ".config/fish/config.fish")] {
            let world = World::new();
            world.write(file, "");
            let ask = world.ait().var("SHELL", format!("/bin/{shell}"));
            let fix = found(&ask, "shell").fix.unwrap();
            assert!(ask.command("sh").args(["-c", &fix]).status().unwrap().success(), "{fix}");
            found(&ask, "shell").is("ok", &format!("{shell} (~/{file}, line 1)"));
        }
    }

    #[test]
    fn in_the_wrong_order() {
        let world = World::new();
        world.write(".zshrc", "eval \"$(ait init zsh)\"\n\nsource $ZSH/oh-my-zsh.sh\n");
        let said = found(&world.ait().var("SHELL", "/bin/zsh"), "shell");
        said.is("warn", "`oh-my-zsh.sh` on line 3 comes after ait on line 1").mend("to the end of the file");
        world.write(".zshrc", "source $ZSH/oh-my-zsh.sh\neval \"$(ait init zsh)\"\n");
        found(&world.ait().var("SHELL", "/bin/zsh"), "shell").is("ok", "line 2");
    }

    /// People keep a line of theirs in a file that the usual one reads.
    #[test]
    fn through_a_file_that_another_one_reads() {
        let zsh = |world: &World| found(&world.ait().var("SHELL", "/bin/zsh"), "shell");
        let world = World::new();
        world.write(".zshrc", "# mine\n[ -f ~/.zshrc.local ] && source ~/.zshrc.local\n");
        world.write(".zshrc.local", "source \"$HOME/.zsh/ait.zsh\"\n");
        world.write(".zsh/ait.zsh", "\neval \"$(ait init zsh)\"\n");
        zsh(&world).is("ok", "zsh (~/.zsh/ait.zsh, line 2)");
        // What comes after it in the first file undoes it.
        world.write(".zshrc", "source ~/.zshrc.local\nsource ~/.p10k.zsh\n");
        zsh(&world)
            .is("warn", "~/.zshrc: `.p10k.zsh` on line 2 comes after ait on line 2 of ~/.zsh/ait.zsh and may undo it");
        zsh(&world).mend("to the end of ~/.zshrc");
        // And so does a file that is read after it.
        world.write(".zshrc", "eval \"$(ait init zsh)\"\n. ~/.zshrc.local\n");
        world.write(".zshrc.local", "eval \"$(starship init zsh)\"\n");
        zsh(&world).is(
            "warn",
            "~/.zshrc.local: `starship init` on line 1 comes after ait on line 1 of ~/.zshrc and may undo it",
        );
        // Before it is as it should be; a comment reads nothing; a file that is not there or reads itself is no trouble.
        world.write(
            ".zshrc",
            "# source ~/.zshrc.local\n. ~/.none\n. ~/.zshrc\nsource ~/.zshrc.local\neval \"$(ait init zsh)\"\n",
        );
        zsh(&world).is("ok", "zsh (~/.zshrc, line 5)");
        // The login shell's file reads the other one: loaded once.
        let world = World::new();
        world.write(".bashrc", "eval \"$(ait init bash)\"\n");
        world.write(".bash_profile", "if [ -f ~/.bashrc ]; then . ~/.bashrc; fi\n");
        let bash = || found(&world.ait().var("SHELL", "/bin/bash"), "shell");
        bash().is("ok", "bash (~/.bashrc, line 1)");
        assert_eq!(bash().detail, "bash (~/.bashrc, line 1)");
        world.write(".bash_profile", ". ~/.bashrc\nPROMPT_COMMAND=date\n");
        bash().is("warn", "~/.bash_profile: `PROMPT_COMMAND=` on line 2 comes after ait on line 1 of ~/.bashrc");
    }

    /// What `ait init` prints for configurations is found there.
    #[test]
    fn as_ait_init_writes_it() {
        for (target, file) in [("tmux", ".tmux.conf"), ("starship", ".config/starship.toml")] {
            let world = World::new();
            let text = world.run(&format!("init {target}")).fine();
            world.write(file, &text);
            check(&world, "shell").is("ok", &format!("{target} (~/{file}, line "));
        }
    }
}

#[test]
fn the_prompt() {
    let world = World::new();
    let said = check(&world, "prompt");
    assert!(said.detail.starts_with("a prompt here takes ") && said.detail.ends_with(" ms"), "{said:?}");
    let bad = |name: &str, value: &str| found(&world.ait().var(name, value), "prompt");
    bad("AIT_FORMAT", "{project").is("warn", "AIT_FORMAT: ").mend("ait prompt --format '{project'");
    bad("AIT_STATUSLINE_FORMAT", "{nothing}").is("warn", "AIT_STATUSLINE_FORMAT: ");
    bad("AIT_ICONS", "gold").is("warn", "AIT_ICONS: ");
}

#[test]
fn what_was_swallowed() {
    let world = World::new();
    check(&world, "log").is("ok", "met with no trouble");
    world.ait().hook_named("session-register", b"garbage").silent();
    world.ait().hook_named("session-register", b"{}").silent();
    check(&world, "log").is("warn", "2 troubles within a day, the last: ").mend("tail ");
    let log = world.path(&world.cache()).join("log");
    let text = fs::read_to_string(&log).unwrap();
    let old = text.lines().map(|line| format!("2026-01-02T03:04:05Z{}\n", &line[20..]));
    fs::write(&log, old.collect::<String>()).unwrap();
    check(&world, "log").is("ok", "nothing lately, the last ");
}

#[test]
fn for_people() {
    let world = World::new();
    let said = world.run("doctor");
    assert_eq!((said.code, said.err.as_str()), (Some(1), ""), "{said:?}");
    assert!(said.out.contains("\nfail  hooks       none is installed, so no session is tracked\n"), "{}", said.out);
    assert!(said.out.contains("\n                  mend it: ait hooks install\n"), "{}", said.out);
    assert!(said.out.ends_with(" to look at, 1 wrong.\n"), "{}", said.out);
    assert_eq!(names(&world.path("")), [""; 0], "to look makes nothing");
    let said = world.run("doctor --fix");
    assert!(said.out.starts_with("Mended: put the hooks back into Claude Code's settings\n"), "{said:?}");
    assert_eq!(said.code, Some(0), "warnings are no failure: {}", said.out);
    // Nothing from outside moves the cursor.
    world.ait().hook_named("session-register", b"{\"session_id\": \"\\u001b[2J\"}").silent();
    world.write(".claude/sessions/active/bad.json", "{\"pid\": \"\u{1b}[2J\"");
    assert!(!world.run("doctor").out.contains('\u{1b}'));
    assert!(world.run("doctor --color always").out.contains('\u{1b}'));
}

/// The administrator's file, at its real place: in a mount namespace of its own, where that is allowed.
#[test]
#[cfg(target_os = "linux")]
fn what_the_administrator_has_switched_off() {
    let world = World::new();
    world.run("hooks install");
    let said = |managed: &str, words: &str| {
        let script = format!(
            "mount -t tmpfs none /etc && mkdir /etc/claude-code && printf %s \"$1\" > /etc/claude-code/managed-settings.json \
             && : > mounted && \"$2\" {words}; echo $?"
        );
        let _ = fs::remove_file(world.path("mounted"));
        let mut command = world.ait().command("unshare");
        command.args(["--user", "--map-root-user", "--mount", "sh", "-c", &script, "sh", managed, AIT]);
        let output = command.output().ok().filter(|_| world.path("mounted").exists())?;
        let text = |bytes: Vec<u8>| String::from_utf8(bytes).unwrap();
        Some((text(output.stdout), text(output.stderr)))
    };
    let Some((text, _)) = said("{}", "doctor") else { return eprintln!("no mount namespace here: not tried") };
    assert!(text.contains("\nok    settings    ~/.claude/settings.json\n"), "{text}");
    for (managed, why) in [
        ("{\"disableAllHooks\": true}", "\"disableAllHooks\""),
        ("{\"allowManagedHooksOnly\": true}", "\"allowManagedHooksOnly\""),
        ("{\"allowManagedHooksOnly\": true, \"disableAllHooks\": true}", "\"disableAllHooks\""),
    ] {
        let remark =
            format!("/etc/claude-code/managed-settings.json: {why} is true, so Claude Code runs no hooks of yours");
        let (text, _) = said(managed, "doctor").unwrap();
        assert!(text.contains(&format!("\nfail  settings    {remark}\n")) && text.ends_with("\n1\n"), "{text}");
        for words in ["hooks list", "hooks install"] {
            let (text, remarks) = said(managed, words).unwrap();
            assert!(text.ends_with("\n0\n") && remarks.contains(&format!("ait: {remark}\n")), "{words}: {remarks}");
        }
    }
    for harmless in ["{\"disableAllHooks\": false, \"allowManagedHooksOnly\": \"true\"}", ""] {
        let (text, _) = said(harmless, "doctor").unwrap();
        assert!(text.contains("\nok    settings    "), "{harmless}: {text}");
    }
    for torn in ["{ torn", "[]"] {
        let (text, _) = said(torn, "doctor").unwrap();
        let remark = "/etc/claude-code/managed-settings.json: not readable, so what it switches off is not known";
        assert!(text.contains(&format!("\nwarn  settings    {remark}\n")), "{torn}: {text}");
    }
}

/// What the demo of a whole life leaves is well.
#[test]
fn after_a_whole_life_all_of_ours_is_well() {
    let world = World::new();
    world.run("hooks install");
    let client = Client::new();
    let folder = world.repository("p");
    record(&world, &client, "one", 20, json!({}));
    world.start(&client, "one", &folder).silent();
    let write = json!({"tool_name": "Edit", "tool_input": {"file_path": folder.join("a.txt")}});
    world.event(&client, "PostToolUse", "one", &folder, write).silent();
    world.ait().at(&folder).given(&["statusline"], payload("Status", "one", &folder, json!({})).to_string().as_bytes());
    let value = checks(&world.ait().at(&folder), "");
    for name in ["settings", "hooks", "folders", "firing", "manifests", "sessions", "client", "log"] {
        let check = value["checks"].as_array().unwrap().iter().find(|check| check["name"] == name).unwrap();
        assert_eq!(check["status"], "ok", "{check}");
    }
}
