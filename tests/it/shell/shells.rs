//! What holds in all three shells.

use crate::common::tools::{installed, needs};
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::{SHELLS, TestEnv, both_edges, counting_prompt, is_running, wait_for};

/// A right prompt that has no room is not shown at all, so the segment is told to take half of the line.
#[test]
fn a_segment_is_told_how_much_room_there_is() {
    for (shell, prompt, part) in [
        ("zsh", "setopt prompt_subst; PROMPT='[$AIT_SEGMENT] '", 2),
        ("bash", "PS1='[$AIT_SEGMENT] '", 1),
        ("fish", "function fish_prompt; echo -n \"[$(ait_segment)] \"; end", 2),
    ] {
        if !installed(&["tmux", shell]) {
            continue;
        }
        let env = TestEnv::new();
        env.program("#!/bin/sh\necho \"$*\"\n");
        env.start_session();
        let terminal = env.shell(shell, &format!("{}\n{prompt}\n", env.init(shell, true)));
        terminal.wait_until("a prompt", |screen| screen.contains(&format!("[prompt --for {shell} --max-width ")));
        terminal.type_line("clear; echo columns $COLUMNS");
        terminal.wait_until("the width", |screen| screen.contains("columns") && screen.ends_with(']'));
        let screen = terminal.screen();
        let number = |before: &str| -> usize {
            let after = screen.split(before).last().unwrap();
            after.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
        };
        assert_eq!(number("--max-width "), number("columns ") / part, "{shell}: {screen}");
    }
}

#[test]
fn a_segment_placed_by_the_user_is_shown_there() {
    for (shell, prompt) in [
        ("zsh", "setopt prompt_subst; PROMPT='[$AIT_SEGMENT] <%?> '"),
        ("bash", "PS1='[$AIT_SEGMENT] <$?> '"),
        ("fish", "function fish_prompt; set -l was $status; echo -n \"[$(ait_segment)] <$was> \"; end"),
        ("zsh", "setopt prompt_subst; PROMPT='[$(ait_segment)] <%?> '"),
        ("bash", "PS1='[$(ait_segment)] <$?> '"),
    ] {
        if !installed(&["tmux", shell]) {
            continue;
        }
        // Loaded before the prompt is set as well as after it.
        for before in [true, false] {
            let env = TestEnv::new();
            env.start_session();
            let init = env.init(shell, true);
            let start = if before { format!("{init}\n{prompt}\n") } else { format!("{prompt}\n{init}\n") };
            let terminal = env.shell(shell, &start);
            let prompt = if prompt.starts_with("PS1='[$(ait") { "[SEGMENT] <0>" } else { "[SEGMENT] <1>" };
            terminal.wait_for_last("[SEGMENT] <0>");
            terminal.type_line("false");
            terminal.wait_until("two prompts", |screen| {
                screen.matches("[SEGMENT]").count() == 2 && screen.ends_with(prompt)
            });
            assert_eq!(terminal.screen(), format!("[SEGMENT] <0> false\n{prompt}"), "{shell}");
        }
    }
}

#[test]
fn nothing_live_starts_no_process() {
    needs!("strace");
    for shell in SHELLS {
        if !installed(&["tmux", shell]) {
            continue;
        }
        for manual in [false, true] {
            let env = TestEnv::new();
            let init = env.init(shell, manual);
            let trace = env.path("trace");
            let tracer = format!("strace -o {} -e trace=clone,clone3,fork,vfork,execve", trace.display());
            let terminal = env.shell_under(shell, &format!("{}{init}\n", counting_prompt(shell)), &tracer);
            let started = || {
                let text = fs::read_to_string(&trace).unwrap();
                text.lines().filter(|line| line.contains('(') && !line.contains("CLONE_THREAD")).count()
            };
            terminal.wait_until("the first prompt", |screen| screen.contains("n1 <0>"));
            let before = started();
            assert!(before > 0);
            for _ in 0..10 {
                assert!(terminal.tmux(&["send-keys", "-N", "10", "Enter"]).status.success());
            }
            terminal.wait_until("100 prompts", |screen| screen.contains("n101 <0>"));
            assert_eq!(started() - before, 0, "{shell}: {}", fs::read_to_string(&trace).unwrap());
            assert_eq!(env.calls(), 0);
            // And with a session it is one a prompt.
            env.start_session();
            for n in 102..105 {
                terminal.type_line("");
                terminal.wait_until("a prompt", |screen| screen.contains(&format!("n{n} <0>")));
            }
            assert_eq!(started() - before, 3, "{shell}: {}", fs::read_to_string(&trace).unwrap());
            assert_eq!(env.calls(), 3);
        }
    }
}

#[test]
fn shells_find_the_sessions_folder_as_ait_does() {
    for shell in SHELLS {
        if !installed(&["tmux", shell]) {
            continue;
        }
        let set = |name: &str, value: &str| match shell {
            "fish" => format!("set -gx {name} {value}\n"),
            _ => format!("export {name}={value}\n"),
        };
        for (variables, folder) in [
            (set("CLAUDE_CONFIG_DIR", "~/'other [x]'"), "other [x]/sessions/active"),
            (
                set("AIT_SESSIONS_DIR", "~/'s [a-z]* $HOME'") + &set("CLAUDE_CONFIG_DIR", "/nowhere"),
                "s [a-z]* $HOME/active",
            ),
            (set("AIT_SESSIONS_DIR", "''") + &set("CLAUDE_CONFIG_DIR", "''"), ".claude/sessions/active"),
        ] {
            let env = TestEnv::new();
            let init = env.init(shell, true);
            let terminal = env.shell(shell, &format!("{}{variables}{init}\n", counting_prompt(shell)));
            terminal.wait_until("a prompt", |screen| screen.contains("n1 <0>"));
            let before = env.calls();
            fs::create_dir_all(env.path(folder)).unwrap();
            fs::write(env.path(folder).join("x.json"), "{}").unwrap();
            terminal.type_line("");
            terminal.wait_until("a prompt", |screen| screen.contains("n2 <0>"));
            assert_eq!(env.calls(), before + 1, "{shell}: {folder}");
        }
    }
}

#[test]
fn a_missing_program_leaves_an_empty_prompt() {
    for shell in SHELLS {
        if !installed(&["tmux", shell]) {
            continue;
        }
        let env = TestEnv::new();
        env.start_session();
        let init = env.init(shell, false);
        fs::remove_file(env.ait()).unwrap();
        let terminal = env.shell(shell, &format!("{}{init}\n", counting_prompt(shell)));
        terminal.wait_for_last("n1 <0>");
        terminal.type_line("");
        terminal.wait_for_last("n2 <0>");
        assert_eq!(terminal.screen(), "n1 <0>\nn2 <0>", "{shell}");
        // Not a program of this machine; a script without its interpreter, of which fish itself speaks, whatever is
        // redirected; a program that fails.
        for broken in ["\u{7f}ELF nonsense", "#!/nowhere\n", "#!/bin/sh\necho broken >&2\nexit 3\n"] {
            if shell == "fish" && broken.contains("nowhere") {
                continue;
            }
            env.program(broken);
            terminal.type_line("clear");
            terminal.wait_until("a clear screen", |screen| {
                screen.starts_with('n') && screen.lines().count() == 1 && !screen.contains("clear")
            });
        }
    }
}

#[test]
fn a_hung_program_does_not_hang_the_prompt() {
    for (shell, job) in [("zsh", ""), ("bash", ""), ("bash", "sleep 1000 & disown\n"), ("fish", "")] {
        if !installed(&["tmux", shell]) {
            continue;
        }
        let env = TestEnv::new();
        let init = env.init(shell, false);
        env.start_session();
        // After `ait init` has spoken: what was replaced cannot be trusted to answer. A part of an answer is none.
        let hung = "#!/bin/sh\nprintf '%s\\n' \"$*\" >> \"$HOME/calls\"\necho $$ > \"$HOME/pid\"\nprintf part\nexec sleep 1000\n";
        env.program(hung);
        let touched = Command::new("touch").args(["-d", "2001-02-03"]).arg(env.ait()).status().unwrap();
        assert!(touched.success());
        let terminal = env.shell(shell, &format!("{job}{}{init}\n", counting_prompt(shell)));
        terminal.wait_for_last("n1 <0>");
        let pid = fs::read_to_string(env.path("pid")).unwrap();
        wait_for("the end of what hung", || !is_running(pid.trim()));
        terminal.type_line("");
        terminal.wait_for_last("n2 <0>");
        assert_eq!(env.calls(), 1, "{shell}: asked again at once");
        assert_eq!(terminal.screen(), "n1 <0>\nn2 <0>", "{shell}");
    }
}

#[test]
fn no_home_and_no_folder() {
    for (shell, unset) in [("zsh", "unset HOME\n"), ("bash", "unset HOME\n"), ("fish", "set -e HOME\n")] {
        if !installed(&["tmux", shell]) {
            continue;
        }
        let env = TestEnv::new();
        env.start_session();
        let init = env.init(shell, false);
        let terminal = env.shell(shell, &format!("{}{init}\n{unset}", counting_prompt(shell)));
        terminal.wait_for_last("n1 <0>");
        assert_eq!(terminal.screen(), "n1 <0>", "{shell}");
        let folder = env.path(".claude/sessions/active");
        fs::remove_dir_all(&folder).unwrap();
        terminal.type_line("");
        terminal.wait_for_last("n2 <0>");
        // A file where the folder should be; a folder that only root can read.
        fs::write(&folder, "").unwrap();
        terminal.type_line("");
        terminal.wait_for_last("n3 <0>");
        fs::remove_file(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o000)).unwrap();
        fs::set_permissions(&env.home, fs::Permissions::from_mode(0o500)).unwrap();
        terminal.type_line("");
        terminal.wait_for_last("n4 <0>");
        fs::set_permissions(&env.home, fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(terminal.screen(), "n1 <0>\nn2 <0>\nn3 <0>\nn4 <0>", "{shell}");
    }
}

#[test]
fn no_name_but_ours_is_left_behind() {
    for (shell, names) in [
        ("zsh", "{ print -rl -- ${(k)parameters} ${(k)functions} ${(k)aliases} } | sort -u"),
        ("bash", "{ compgen -v; compgen -A function; compgen -a; } | sort -u"),
        ("fish", "begin; set -n; functions -a -n | string split ', '; alias; end | sort -u"),
    ] {
        if !installed(&["tmux", shell]) {
            continue;
        }
        let env = TestEnv::new();
        env.start_session();
        let init = env.init(shell, false);
        let terminal = env.shell(shell, &format!("{}{names} > ~/before\n", counting_prompt(shell)));
        terminal.wait_until("a prompt", |screen| screen.contains("n1 <"));
        terminal.type_line(&format!("{names} > ~/before; {init}"));
        terminal.wait_until("a prompt", |screen| screen.contains("n2 <0>"));
        terminal.type_line("true");
        terminal.wait_until("a prompt", |screen| screen.contains("n3 <0>"));
        terminal.type_line(&format!("{names} > ~/after; true"));
        terminal.wait_until("a prompt", |screen| screen.contains("n4 <0>"));
        let before = fs::read_to_string(env.path("before")).unwrap();
        let after = fs::read_to_string(env.path("after")).unwrap();
        let new: Vec<&str> = after.lines().filter(|name| !before.lines().any(|old| old == *name)).collect();
        assert!(new.contains(&"AIT_SEGMENT") && new.contains(&"ait_segment"), "{shell}: {new:?}");
        let allowed = match shell {
            // The hook lists, the prompt itself, and what the two `zmodload -F` are asked for.
            "zsh" => &["precmd_functions", "RPROMPT", "RPS1", "sysparams", "EPOCHSECONDS", "builtins", "psvar"][..],
            "bash" => &["PROMPT_COMMAND", "_", "PIPESTATUS"][..],
            _ => &["fish_right_prompt"][..],
        };
        let leaked: Vec<&&str> = new
            .iter()
            .filter(|name| !name.starts_with("__ait_") && !name.to_ascii_lowercase().starts_with("ait_"))
            .filter(|name| !allowed.contains(name))
            .collect();
        assert!(leaked.is_empty(), "{shell}: {leaked:?}");
    }
}

#[test]
fn the_real_program_in_each_shell() {
    for shell in SHELLS {
        if !installed(&["tmux", shell]) {
            continue;
        }
        let env = TestEnv::new();
        env.real();
        // By the real command line, too.
        let load = match shell {
            "fish" => "~/it*/ait init fish | source".to_owned(),
            _ => format!("eval \"$(~/it*/ait init {shell})\""),
        };
        let terminal = env.shell(shell, &format!("{}{load}\n", counting_prompt(shell)));
        terminal.wait_for_last("n1 <0>");
        env.start_real_session("one", "100% $(touch pwned) 日本");
        terminal.type_line("false");
        let shown = "api main 45m 100% $(touch pwned) 日本";
        match shell {
            "bash" => {
                terminal.wait_for_last("n2 <1>");
                assert_eq!(terminal.screen(), format!("n1 <0> false\n{shown}\nn2 <1>"));
            }
            // The two wide letters take four cells.
            "zsh" => _ = terminal.wait_for_last(&both_edges("n2 <1>", shown, 3)),
            _ => _ = terminal.wait_for_last(&both_edges("n2 <1>", shown, 2)),
        }
        assert!(!env.path("pwned").exists());
    }
}

#[test]
fn aliases_do_not_change_the_texts() {
    let names = ["exec", "kill", "read", "printf", "print", "command", "return", "test", "builtin", "compgen", "set"];
    for (shell, global) in [("zsh", "alias -g -- -g=oops -t=oops\n"), ("bash", "shopt -s expand_aliases\n")] {
        if !installed(&["tmux", shell]) {
            continue;
        }
        let env = TestEnv::new();
        env.start_session();
        let init = env.init(shell, false);
        let aliases: String = names.iter().map(|name| format!("alias {name}='echo oops'\n")).collect();
        let terminal = env.shell(shell, &format!("PROMPT='<$n>' PS1='> '\n{aliases}{global}{init}\n"));
        terminal.wait_until("a prompt", |screen| screen.contains("SEGMENT"));
        assert!(!terminal.screen().contains("oops"), "{}", terminal.screen());
    }
}
