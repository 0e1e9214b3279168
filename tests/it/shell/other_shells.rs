//! The segment in nushell, elvish and xonsh. In one shell each where that can be: they take long to start.

use crate::common::tools::{installed, needs};
use std::fs;
use std::os::unix::fs::FileExt;
use std::process::Command;

use super::reuse::{Conditions, unknown_answers_are_not_reused};
use super::typed::Typed;
use super::{TestEnv, both_edges, is_running, wait_for};

const OTHER_SHELLS: [&str; 3] = ["nushell", "elvish", "xonsh"];

/// Lines that give each shell prompts at both edges.
fn both_prompts(shell: &str) -> &'static str {
    match shell {
        "nushell" => {
            "$env.PROMPT_COMMAND = {|| $'<($env.LAST_EXIT_CODE)> ' }; $env.PROMPT_INDICATOR = ''\n\
             $env.PROMPT_COMMAND_RIGHT = {|| $'theirs ($env.LAST_EXIT_CODE)' }\n"
        }
        "elvish" => "set edit:prompt = { put '<> ' }\nset edit:rprompt = { print theirs }\n",
        _ => "$PROMPT = '<{$LAST_RETURN_CODE}> '\n$RIGHT_PROMPT = 'theirs {$LAST_RETURN_CODE}'\n",
    }
}

#[test]
fn the_segment_is_before_the_users_right_prompt_and_the_status_is_kept() {
    for shell in OTHER_SHELLS {
        if !installed(&["tmux", shell]) {
            continue;
        }
        let env = TestEnv::new();
        let init = env.init(shell, false);
        // Loaded twice.
        let terminal = env.shell(shell, &format!("{}{init}\n{init}\n", both_prompts(shell)));
        let edges = |status: u8, segment: &str| match shell {
            "elvish" => both_edges("<>", &format!("{segment}theirs"), 0),
            _ => both_edges(&format!("<{status}>"), &format!("{segment}theirs {status}"), 0),
        };
        terminal.wait_for_last(&edges(0, ""));
        env.start_session();
        terminal.type_line("sh -c 'exit 3'");
        terminal.wait_for_last(&edges(3, "SEGMENT "));
        env.end_session();
        terminal.type_line("");
        terminal.wait_for_last(&edges(3, ""));
        // It stays silent when ait is gone.
        env.start_session();
        fs::remove_file(env.ait()).unwrap();
        terminal.type_line("");
        terminal.wait_until("a prompt", |screen| screen.matches('<').count() == 4);
        terminal.wait_for_last(&edges(3, ""));
        assert!(!terminal.screen().contains("rror"), "{shell}: {}", terminal.screen());
    }
}

/// A shell whose threads are traced too.
fn traced(env: &TestEnv) -> (std::path::PathBuf, String) {
    let trace = env.path("trace");
    let calls = "clone,clone3,fork,vfork,execve";
    let tracer = format!("strace -f --seccomp-bpf -o {} -e trace={calls}", trace.display());
    (trace, tracer)
}

fn started(trace: &std::path::Path) -> usize {
    let text = fs::read_to_string(trace).unwrap();
    text.lines().filter(|line| line.contains('(') && !line.contains("CLONE_THREAD")).count()
}

#[test]
fn no_process_starts_while_nothing_is_live_or_nothing_has_changed() {
    needs!("strace");
    for shell in OTHER_SHELLS {
        if !installed(&["tmux", shell]) {
            continue;
        }
        let conditions = Conditions::new();
        let env = &conditions.env;
        env.end_session();
        let (trace, tracer) = traced(env);
        let mut typed = Typed::open(env, shell, &tracer);
        for (segment, calls) in [("", 0), ("SEGMENT", 1)] {
            assert_eq!(typed.line(""), segment, "{shell}");
            let before = started(&trace);
            assert!(before > 0);
            assert!(typed.terminal.tmux(&["send-keys", "-N", "20", "Enter"]).status.success());
            typed.count += 20;
            assert_eq!(typed.segment(), segment, "{shell}");
            assert_eq!(started(&trace), before, "{shell}: {}", fs::read_to_string(&trace).unwrap());
            assert_eq!(env.calls(), calls, "{shell}");
            env.start_session();
        }
        // Traced, nushell would outlive its terminal.
        let panes = typed.terminal.ask(&["list-panes", "-a", "-F", "#{pane_pid}"]);
        typed.terminal.type_line("exit");
        wait_for("the end of the shell", || !panes.lines().any(is_running));
    }
}

/// What makes a condition fail, with the line that is typed. None of it needs a restart of the shell.
type Change = (&'static str, fn(&Conditions, &Typed<'_>) -> String);

fn overwrite(conditions: &Conditions, text: &str) -> String {
    fs::write(conditions.path("revision"), text).unwrap();
    String::new()
}

/// The line that changes what a shell keeps of an answer.
fn set_kept(shell: &str, name: &str, value: &str) -> String {
    match shell {
        "nushell" => format!("$env.__AIT.{name} = {value}"),
        "elvish" => format!("set ait:{name} = {value}"),
        _ => format!(
            "[d for d in (c.cell_contents for c in $PROMPT_FIELDS['ait'].__closure__) if isinstance(d, dict)][0].update({name}={value})"
        ),
    }
}

const CHANGES: &[Change] = &[
    ("a process ends", |it, _| {
        it.end_process();
        String::new()
    }),
    ("the revision changes", |it, _| overwrite(it, "0002-abc\n")),
    ("the revision becomes longer", |it, _| overwrite(it, "0001-abcd\n")),
    ("the revision changes its case", |it, _| overwrite(it, "0001-ABC\n")),
    ("the revision is empty", |it, _| overwrite(it, "")),
    ("another branch", |it, _| {
        fs::write(it.path("HEAD"), "ref: refs/heads/*\n").unwrap();
        String::new()
    }),
    ("the configuration changes", |it, _| {
        fs::write(it.path("config.toml"), "[format]\n").unwrap();
        it.date_config(10);
        String::new()
    }),
    ("the revision is removed", |it, _| {
        fs::remove_file(it.path("revision")).unwrap();
        String::new()
    }),
    ("the revision is a folder", |it, _| {
        fs::remove_file(it.path("revision")).unwrap();
        fs::create_dir(it.path("revision")).unwrap();
        String::new()
    }),
    ("the revision is a pipe", |it, _| {
        fs::remove_file(it.path("revision")).unwrap();
        assert!(Command::new("mkfifo").arg(it.path("revision")).status().unwrap().success());
        String::new()
    }),
    ("the revision is a GiB after a text", |it, typed| {
        // elvish cannot read a part of a file.
        let length = if typed.shell == "elvish" { 1 << 20 } else { 1 << 30 };
        let file = fs::File::create(it.path("revision")).unwrap();
        file.set_len(length).unwrap();
        file.write_all_at(b"0001-abc0001-abc", 0).unwrap();
        String::new()
    }),
    ("the revision is garbage", |it, _| {
        fs::write(it.path("revision"), b"\x80\xff*\x1b[31m\\$(touch pwned)`touch pwned`\n").unwrap();
        String::new()
    }),
    ("another folder", |_, _| "cd /".to_owned()),
    ("another format", |_, typed| typed.export("AIT_FORMAT", "{task}")),
    ("no colour", |_, typed| typed.export("NO_COLOR", "1")),
    ("the time is over", |_, typed| set_kept(typed.shell, "until", "1")),
    ("the clock is set back", |_, typed| match typed.shell {
        // Its time is that since the start of the system.
        "elvish" => set_kept(typed.shell, "until", "1"),
        shell => set_kept(shell, "asked", "3000000000"),
    }),
    ("another width", |_, typed| {
        assert!(typed.terminal.tmux(&["resize-window", "-x", "90"]).status.success());
        // It does not know its width.
        if typed.shell == "elvish" { set_kept(typed.shell, "until", "1") } else { String::new() }
    }),
];

#[test]
fn a_condition_that_fails_is_asked_about() {
    for shell in OTHER_SHELLS {
        if !installed(&["tmux", shell]) {
            continue;
        }
        let conditions = Conditions::new();
        let mut typed = Typed::open(&conditions.env, shell, "");
        for (what, change) in CHANGES {
            conditions.restore();
            conditions.env.answer("SEGMENT\n");
            assert_eq!(typed.line(""), "SEGMENT", "{shell}: before {what}");
            let calls = conditions.env.calls();
            assert_eq!(typed.line(""), "SEGMENT", "{shell}: before {what}");
            assert_eq!(conditions.env.calls(), calls, "{shell}: before {what}");
            conditions.env.answer("NEW\n");
            conditions.write("");
            let line = change(&conditions, &typed);
            assert_eq!(typed.line(&line), "NEW", "{shell}: {what}");
            assert_eq!(conditions.env.calls(), calls + 1, "{shell}: {what}");
            assert!(!conditions.path("pwned").exists());
        }
    }
}

#[test]
fn an_answer_that_is_not_understood_is_not_reused() {
    unknown_answers_are_not_reused(&OTHER_SHELLS);
}

#[test]
fn sessions_folders_are_found_as_ait_finds_them() {
    for shell in OTHER_SHELLS {
        if !installed(&["tmux", shell]) {
            continue;
        }
        let env = TestEnv::new();
        let mut typed = Typed::open(&env, shell, "");
        let home = env.home.display();
        fs::create_dir_all(env.path("cache/ait")).unwrap();
        fs::write(env.path("cache/ait/roots"), format!("relative\n{home}/remembered\n")).unwrap();
        for (variable, value, folder) in [
            ("XDG_CACHE_HOME", "cache", "remembered/active"),
            ("CLAUDE_CONFIG_DIR", "other [x]", "other [x]/sessions/active"),
            ("AIT_SESSIONS_DIR", "s [a-z]* $HOME", "s [a-z]* $HOME/active"),
        ] {
            typed.line(&typed.export(variable, &format!("{home}/{value}")));
            let calls = env.calls();
            assert_eq!(typed.line(""), "", "{shell}: {variable}");
            assert_eq!(env.calls(), calls, "{shell}: {variable}");
            fs::create_dir_all(env.path(folder)).unwrap();
            fs::write(env.path(folder).join("x.json"), "{}").unwrap();
            assert_eq!(typed.line(""), "SEGMENT", "{shell}: {variable}");
            assert_eq!(env.calls(), calls + 1, "{shell}: {variable}");
            fs::remove_file(env.path(folder).join("x.json")).unwrap();
        }
    }
}

#[test]
fn a_hung_or_broken_program_does_not_hang_the_prompt() {
    for shell in OTHER_SHELLS {
        if !installed(&["tmux", shell]) {
            continue;
        }
        let env = TestEnv::new();
        let mut typed = Typed::open(&env, shell, "");
        env.start_session();
        for broken in ["\u{7f}ELF nonsense", "#!/nowhere\n", "#!/bin/sh\necho broken >&2\nexit 3\n"] {
            env.program(broken);
            assert_eq!(typed.line(""), "", "{shell}: {broken}");
        }
        env.program("#!/bin/sh\nprintf part\nexec sleep 1000\n");
        assert_eq!(typed.line(""), "", "{shell}");
        assert_eq!(typed.line(""), "", "{shell}");
        assert!(!typed.terminal.screen().contains("rror"), "{shell}: {}", typed.terminal.screen());
    }
}

/// As a new user does it, with the lines of `ait init --help`.
#[test]
fn the_real_program_loaded_as_the_help_says() {
    let help = ait::commands::init::HELP;
    for (shell, lines) in [
        (
            "nushell",
            &["let dir = $nu.user-autoload-dirs.0; mkdir $dir", "ait init nushell | save -f ($dir)/ait.nu"][..],
        ),
        ("elvish", &["if (has-external ait) {", "eval (ait init elvish | slurp)", "}"]),
        ("xonsh", &["if !(which -s ait): execx($(ait init xonsh))"]),
    ] {
        for wanted in lines {
            assert!(help.lines().any(|line| line.ends_with(&format!("  {wanted}"))), "{shell}: {wanted}");
        }
        if !installed(&["tmux", shell]) {
            continue;
        }
        let env = TestEnv::new();
        env.real();
        env.start_real_session("one", "100% $(touch pwned) {RED} 日本");
        let bin = env.ait().parent().unwrap().display().to_string();
        let shown = "api main 45m 100% $(touch pwned) {RED} 日本";
        let path = match shell {
            "nushell" => format!("$env.PATH = ($env.PATH | prepend \"{}\")\n", bin.replace('"', "\\\"")),
            "elvish" => format!("set paths = ['{}' $@paths]\n", bin.replace('\'', "''")),
            _ => format!("$PATH.insert(0, '{}')\n", bin.replace('\'', "\\'")),
        };
        let start = format!("{path}{}", both_prompts(shell));
        if shell == "nushell" {
            let terminal = env.shell_in("first", shell, &start, "");
            terminal.wait_for_last(&both_edges("<0>", "theirs 0", 0));
            terminal.type_line(&lines.join("; "));
            terminal.wait_until("a second prompt", |screen| screen.matches("<0>").count() == 2);
            drop(terminal);
            env.shell(shell, &start).wait_for_last(&both_edges("<0>", &format!("{shown} theirs 0"), 2));
        } else {
            let terminal = env.shell(shell, &format!("{start}{}\n", lines.join("\n")));
            // The two wide letters take four cells.
            let (left, right) = if shell == "elvish" { ("<>", "theirs") } else { ("<0>", "theirs 0") };
            terminal.wait_for_last(&both_edges(left, &format!("{shown} {right}"), 2));
        }
        assert!(!env.path("pwned").exists());
    }
}
