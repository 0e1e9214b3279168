//! The layouts for plugin managers in the repository root, as the managers load them.

use crate::common::tools::needs;
use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::process::Command;

use super::{Terminal, TestEnv, both_edges};

const ROOT: &str = env!("CARGO_MANIFEST_DIR");
const SEGMENT: &str = "api main 45m Trial";

/// A home with the real program and a session in it, and the line that puts the program into the `PATH` of a shell.
fn with_program(shell: &str) -> (TestEnv, String) {
    let env = TestEnv::new();
    env.real();
    env.start_real_session("one", "Trial");
    let bin = env.ait().parent().unwrap().display().to_string().replace('\'', r"'\''");
    let line = match shell {
        "fish" => format!("set -x PATH '{}' $PATH\n", bin.replace(r"'\''", r"\'")),
        _ => format!("PATH='{bin}':$PATH\n"),
    };
    (env, line)
}

/// Lines that leave no program named `ait` in the `PATH`.
fn without_program(shell: &str) -> &'static str {
    if shell == "fish" { "set -x PATH /usr/bin /bin\n" } else { "PATH=/usr/bin:/bin\n" }
}

#[test]
fn zsh_plugin_shows_the_segment_at_the_first_prompt_whatever_order_it_is_loaded_in() {
    needs!("tmux", "zsh");
    let theme = "PROMPT='> ' RPROMPT=theirs\n";
    for order in [["", theme], [theme, ""]] {
        let (env, path) = with_program("zsh");
        let [before, after] = order;
        let zsh = env.shell("zsh", &format!("{path}{before}source {ROOT}/ait.plugin.zsh\n{after}"));
        zsh.wait_for_last(&both_edges(">", &format!("{SEGMENT} theirs"), 1));
        zsh.type_line("autoload -Uz compinit && compinit -D; print $_comps[ait]; ait_plugin_unload");
        let screen = zsh.wait_for_last(&both_edges(">", "theirs", 1));
        assert!(screen.contains("\n_ait\n"), "{screen}");
        zsh.type_line(
            "print left: ${(k)functions[(I)*ait_*]} ${(k)parameters[(I)(#i)*ait_*]} ${(M)fpath:#*/completions} .",
        );
        zsh.wait_until("nothing is left", |screen| screen.contains("\nleft: .\n"));
    }
}

#[test]
fn zsh_plugin_for_a_prompt_of_ones_own_only_sets_the_variable() {
    needs!("tmux", "zsh");
    let (env, path) = with_program("zsh");
    let start =
        format!("{path}AIT_MANUAL=1\nsource {ROOT}/ait.plugin.zsh\nsetopt prompt_subst; PROMPT='[$AIT_SEGMENT] '\n");
    env.shell("zsh", &start).wait_for_last(&format!("[{SEGMENT}]"));
}

#[test]
fn zsh_plugin_loaded_after_the_first_prompt_is_shown_at_once() {
    needs!("tmux", "zsh");
    let (env, path) = with_program("zsh");
    // As plugin managers do it that load in the background.
    let start =
        format!("{path}PROMPT='> ' RPROMPT=theirs; zmodload zsh/sched; sched +1 'source {ROOT}/ait.plugin.zsh'\n");
    env.shell("zsh", &start).wait_for_last(&both_edges(">", &format!("{SEGMENT} theirs"), 1));
}

#[test]
fn fish_plugin_shows_the_segment_at_the_first_prompt_and_goes_without_a_trace() {
    needs!("tmux", "fish");
    let (env, path) = with_program("fish");
    fs::create_dir_all(env.path(".config/fish/conf.d")).unwrap();
    fs::copy(format!("{ROOT}/conf.d/ait.fish"), env.path(".config/fish/conf.d/ait.fish")).unwrap();
    let theirs = "function fish_prompt; echo -n '> '; end\nfunction fish_right_prompt; echo theirs; end\n";
    let fish = env.shell("fish", &format!("{path}{theirs}"));
    fish.wait_for_last(&both_edges(">", &format!("{SEGMENT} theirs"), 0));
    fish.type_line("emit ait_uninstall");
    fish.wait_for_last(&both_edges(">", "theirs", 0));
}

#[test]
fn plugins_without_the_program_say_so_once() {
    needs!("tmux", "zsh", "fish");
    for shell in ["zsh", "fish"] {
        let env = TestEnv::new();
        let load = match shell {
            "fish" => format!("source {ROOT}/conf.d/ait.fish\nfunction fish_prompt; echo -n '> '; end\n"),
            _ => format!("source {ROOT}/ait.plugin.zsh\nPROMPT='> '\n"),
        };
        let start = format!("{}{load}", without_program(shell));
        let first = env.shell_in("first", shell, &start, "");
        let screen = first.wait_for_last(">");
        assert_eq!(screen.matches("ait: no program named ait in PATH; install it: ").count(), 1, "{screen}");
        first.type_line("echo again");
        first.wait_until("another prompt", |screen| screen.ends_with("again\n>"));
        let second = env.shell_in("second", shell, &start, "");
        assert_eq!(second.wait_for_last(">"), ">", "{shell}");
    }
}

#[test]
fn tmux_plugin_without_the_program_changes_nothing_and_says_so_once() {
    needs!("tmux");
    let env = TestEnv::new();
    // As tpm runs it, while tmux.conf is read.
    let load = format!("PATH=/usr/bin:/bin:/usr/local/bin {ROOT}/ait.tmux");
    fs::write(env.path("tmux.conf"), format!("set -g status-right mine\nrun-shell '{load}'\n")).unwrap();
    let outer = Terminal::open(&env, "env -u TMUX tmux -u -L inner -f ~/tmux.conf new-session 'sleep 1000'");
    outer.wait_until("the message", |screen| screen.contains("ait: no program named ait in the PATH of tmux"));
    outer.wait_until("the status line", |screen| screen.ends_with(" mine"));
    let inner = Terminal { env: &env, socket: "inner" };
    let options = inner.ask(&["show-options", "-g"]);
    assert!(!options.contains("ait"), "{options}");
    // Loaded again: with a stand-in for tmux that notes what it is asked.
    let calls = |cache: &str| {
        let stub = "#!/bin/sh\nprintf '%s\\n' \"$*\" >> \"$HOME/calls\"\n";
        fs::create_dir_all(env.path("stub")).unwrap();
        fs::write(env.path("stub/tmux"), stub).unwrap();
        fs::set_permissions(env.path("stub/tmux"), fs::Permissions::from_mode(0o755)).unwrap();
        let mut script = Command::new(format!("{ROOT}/ait.tmux"));
        script.env_clear().env("HOME", &env.home).env("XDG_CACHE_HOME", env.path(cache));
        assert!(
            script.env("PATH", format!("{}:/usr/bin:/bin", env.path("stub").display())).status().unwrap().success()
        );
        fs::read_to_string(env.path("calls")).unwrap().matches("display-message").count()
    };
    assert_eq!([calls("another"), calls("another"), calls(".cache")], [1, 1, 1]);
}

#[test]
fn templates_that_are_sourced_as_they_are_say_what_to_use() {
    for (shell, line) in [("zsh", "ait init zsh"), ("bash", "ait init bash"), ("fish", "ait init fish")] {
        if !crate::common::tools::installed(&[shell]) {
            continue;
        }
        let script = format!("source {ROOT}/shell/ait.{shell}; echo $AIT_SEGMENT.");
        let output = Command::new(shell).args(["-c", &script]).env("AIT_SEGMENT", "as before").output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(said.lines().count() == 1 && said.contains("is a template") && said.contains(line), "{said}");
        assert_eq!(String::from_utf8_lossy(&output.stdout), "as before.\n");
    }
}
