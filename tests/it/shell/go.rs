//! `ait sessions go` under a real tmux: to a pane, from the list, and from the popup of the plugin.

use std::fs;

use super::tmux::write_plugin;
use super::{Terminal, TestEnv};
use crate::common::tools::needs;

/// Two windows in the inner tmux, each with a session of Claude Code, and a session without a pane. Returns the panes.
fn two_panes(env: &TestEnv, inner: &Terminal<'_>) -> [String; 2] {
    env.real();
    inner.ask(&["rename-window", "api"]);
    inner.ask(&["new-window", "-d", "-n", "shop", "sleep 1000"]);
    let panes = inner.ask(&["list-panes", "-s", "-F", "#{pane_id}"]);
    let socket = inner.ask(&["display-message", "-p", "#{socket_path}"]);
    let panes: Vec<String> = panes.lines().map(str::to_owned).collect();
    for (id, project, task, pane) in [
        ("aaaa1111-x", "api", "Fix the login", Some(&panes[0])),
        ("bbbb2222-x", "shop", "Round the prices", Some(&panes[1])),
        ("cccc3333-x", "docs", "Write a guide", None),
    ] {
        let mut manifest = serde_json::json!({
            "session_id": id, "project": project, "path": env.path("."), "git_branch": null, "git_dirty": null,
            "started": crate::common::ago(100), "pid": std::process::id(), "task": task,
        });
        if let Some(pane) = pane {
            manifest["tmux_pane"] = pane.as_str().into();
            manifest["tmux_socket"] = socket.as_str().into();
        }
        fs::write(env.path(&format!(".claude/sessions/active/{id}.json")), manifest.to_string()).unwrap();
    }
    panes.try_into().unwrap()
}

fn current_window(inner: &Terminal<'_>) -> String {
    inner.ask(&["list-windows", "-F", "#{?window_active,#{window_name},}"]).trim().to_owned()
}

#[test]
fn go_shows_the_pane_of_a_session_by_its_id_project_or_task() {
    needs!("tmux");
    let env = TestEnv::new();
    let inner = Terminal::open_as(&env, "inner", "sleep 1000");
    two_panes(&env, &inner);
    let outer = Terminal::open(&env, "env -u TMUX tmux -u -L inner attach");
    outer.wait_until("a status line", |screen| screen.contains("[0]"));
    let ait = env.ait();
    let go = |wanted: &str| {
        let output = std::process::Command::new(&ait)
            .args(["sessions", "go", wanted])
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", env.path("."))
            .output()
            .unwrap();
        let text = |bytes| String::from_utf8(bytes).unwrap();
        (output.status.code(), text(output.stdout) + &text(output.stderr))
    };
    assert_eq!((go("shop"), current_window(&inner).as_str()), ((Some(0), String::new()), "shop"));
    assert_eq!((go("LOGIN"), current_window(&inner).as_str()), ((Some(0), String::new()), "api"));
    assert_eq!((go("bbbb"), current_window(&inner).as_str()), ((Some(0), String::new()), "shop"));
    let (code, text) = go("docs");
    assert_eq!(code, Some(1), "{text}");
    let pid = format!("process {}, folder ~", std::process::id());
    assert!(text.starts_with("docs does not run in a tmux pane: terminal ") && text.contains(&pid), "{text}");
    let (code, text) = go("i");
    assert_eq!(code, Some(2));
    assert!(text.contains("3 live sessions match; choose one:\n  ait sessions go "), "{text}");
    let (code, text) = go("nothing");
    assert_eq!(
        (code, text.as_str()),
        (
            Some(2),
            "ait: finding a session: nothing: no live session has this id, project or task; type: ait sessions live\n"
        )
    );
    let (code, text) = go("--list");
    assert_eq!(code, Some(0));
    assert!(text.contains("bbbb2222-x\tshop\t\tunknown\tRound the prices\n"), "{text}");
}

#[test]
fn the_popup_of_tmux_lets_the_user_choose() {
    needs!("tmux");
    let env = TestEnv::new();
    let inner = Terminal::open_as(&env, "inner", "sleep 1000");
    two_panes(&env, &inner);
    let load = write_plugin(&env);
    inner.ask(&["set-option", "-g", "@ait-position", "none"]);
    inner.ask(&["run-shell", &load]);
    let outer = Terminal::open(&env, "env -u TMUX tmux -u -L inner attach");
    outer.wait_until("a status line", |screen| screen.contains("[0]"));
    let press = |keys: &[&str]| {
        outer.ask(&[&["send-keys"], keys].concat());
    };
    let open = || {
        press(&["C-b", "S"]);
        outer.wait_until("the list", |screen| screen.contains("Go to: _") && screen.contains("docs"));
    };
    // Typed text filters, and Enter goes there and closes the popup.
    open();
    press(&["p", "r", "i", "c"]);
    outer.wait_until("one session", |screen| screen.contains("Go to: pric_") && !screen.contains("docs"));
    press(&["Enter"]);
    outer.wait_until("no list", |screen| !screen.contains("Go to:"));
    assert_eq!(current_window(&inner), "shop");
    // The first one by its number.
    open();
    let position = |project: &str| {
        let line = outer.screen().lines().find(|line| line.contains(&format!(". {project} "))).unwrap().to_owned();
        line.split_once('.').unwrap().0.chars().last().unwrap().to_string()
    };
    press(&[&position("api")]);
    outer.wait_until("no list", |screen| !screen.contains("Go to:"));
    assert_eq!(current_window(&inner), "api");
    // A session without a pane: the list says where it is, and stays. `t` sets its task.
    open();
    press(&["d", "o", "c", "s", "Enter"]);
    outer.wait_until("where it is", |screen| screen.contains("no tmux pane: terminal"));
    press(&["C-u", "/", "d", "o", "c", "s"]);
    outer.wait_until("the filter", |screen| screen.contains("Go to: /docs_"));
    press(&["Escape"]);
    outer.wait_until("no filter", |screen| screen.contains("Go to: _"));
    for _ in 1..position("docs").parse().unwrap() {
        press(&["Down"]);
    }
    outer.wait_until("the last one", |screen| screen.lines().any(|line| line.contains("> ") && line.contains("docs")));
    press(&["t"]);
    outer.wait_until("a task", |screen| screen.contains("Task: _"));
    press(&["N", "e", "w", "Enter"]);
    outer.wait_until("the new task", |screen| screen.lines().any(|line| line.contains("docs") && line.contains("New")));
    let manifest = fs::read_to_string(env.path(".claude/sessions/active/cccc3333-x.json")).unwrap();
    assert!(manifest.contains("\"task\": \"New\""), "{manifest}");
    press(&["Escape"]);
    outer.wait_until("no list", |screen| !screen.contains("Go to:"));
}

#[test]
fn the_key_of_the_popup_is_an_option_and_takes_no_key_of_the_user() {
    needs!("tmux");
    let env = TestEnv::new();
    let load = write_plugin(&env);
    let tmux = Terminal::open_as(&env, "inner", "sleep 1000");
    let bound = |key: &str| {
        let output = tmux.tmux(&["list-keys", "-T", "prefix", key]);
        String::from_utf8(output.stdout).unwrap().contains("display-popup")
    };
    tmux.ask(&["bind-key", "S", "display-message", "mine"]);
    tmux.ask(&["run-shell", &load]);
    assert!(!bound("S"));
    tmux.ask(&["set-option", "-g", "@ait-popup-key", "M-s"]);
    tmux.ask(&["run-shell", &load]);
    assert!(!bound("S") && bound("M-s"));
    tmux.ask(&["set-option", "-g", "@ait-popup-key", "none"]);
    tmux.ask(&["run-shell", &load]);
    assert!(!bound("M-s"));
    assert!(tmux.ask(&["list-keys", "-T", "prefix", "S"]).contains("mine"));
}

/// A terminal with a shell in which `ait` can be typed, and the three sessions of [`two_panes`].
fn shell_with_ait<'a>(env: &'a TestEnv, inner: &Terminal<'_>) -> Terminal<'a> {
    two_panes(env, inner);
    std::os::unix::fs::symlink(env.ait(), env.path("ait")).unwrap();
    let terminal = Terminal::open(env, "env -u TMUX PS1='$ ' PATH=\"$HOME:$PATH\" sh");
    terminal.wait_for_last("$");
    terminal
}

#[test]
fn the_list_fits_small_and_large_terminals_and_says_which_keys_there_are() {
    needs!("tmux");
    let env = TestEnv::new();
    let inner = Terminal::open_as(&env, "inner", "sleep 1000");
    let terminal = shell_with_ait(&env, &inner);
    let wide = "日本".repeat(60);
    for number in 0..30 {
        env.start_real_session(&format!("many-{number:02}"), &wide);
    }
    terminal.type_line("ait sessions go");
    let unwrapped = |screen: &str| screen.split_whitespace().collect::<Vec<_>>().join(" ");
    let keys =
        "Keys: Enter or 1-9: go; t: set its task; Esc: leave; other letters filter, / first if t or a digit does";
    for (columns, rows) in [(40, 10), (300, 100), (100, 30), (20, 4), (40, 10)] {
        terminal.ask(&["resize-window", "-x", &columns.to_string(), "-y", &rows.to_string()]);
        let shows_keys = rows >= 10;
        let screen = terminal.wait_until("the list in this size", |screen| {
            screen.starts_with("Go to: _\n> 1. ")
                && unwrapped(screen).contains(keys) == shows_keys
                && screen.contains(if rows >= 36 { " 33. " } else { " 2. " })
        });
        assert!(screen.lines().count() <= rows, "{columns}x{rows}:\n{screen}");
        assert!(
            !screen.contains("more lines") && screen.contains('…') == (columns < 300),
            "{columns}x{rows}:\n{screen}"
        );
    }
    // The selected one is always seen.
    assert!(terminal.tmux(&["send-keys", "-N", "40", "Down"]).status.success());
    terminal.wait_until("the last one", |screen| screen.contains("> 33. ") && screen.contains("Keys: Enter or 1-9"));
    // With a filter, t and digits belong to it; what it found can get a task.
    terminal.ask(&["send-keys", "c", "c", "c", "c", "3", "3"]);
    terminal.wait_until("the one with that id", |screen| {
        screen.starts_with("Go to: cccc33_\n> 1. docs") && unwrapped(screen).contains("Esc: show all again, the chosen")
    });
    terminal.ask(&["send-keys", "Escape"]);
    terminal.wait_until("all, and it is chosen", |screen| {
        screen.starts_with("Go to: _\n") && screen.lines().any(|line| line.starts_with('>') && line.contains(" docs "))
    });
    terminal.ask(&["send-keys", "t"]);
    terminal.wait_until("a task", |screen| screen.contains("Task: _\nKeys: Enter: set the task"));
    terminal.ask(&["send-keys", "1", "t", "Enter"]);
    terminal.wait_until("no task", |screen| !screen.contains("Task: "));
    let manifest = fs::read_to_string(env.path(".claude/sessions/active/cccc3333-x.json")).unwrap();
    assert!(manifest.contains("\"task\": \"1t\""), "{manifest}");
}

#[test]
fn the_list_gives_the_terminal_back_whatever_ends_it() {
    needs!("tmux");
    let env = TestEnv::new();
    let inner = Terminal::open_as(&env, "inner", "sleep 1000");
    let terminal = shell_with_ait(&env, &inner);
    let state = || terminal.ask(&["display-message", "-p", "#{alternate_on} #{cursor_flag} #{wrap_flag}"]);
    let signal = |name: &str| {
        let pid = fs::read_to_string(env.path("pid")).unwrap();
        let done = std::process::Command::new("kill").args([name, pid.trim()]).status().unwrap();
        assert!(done.success());
    };
    let end: [(&str, &str, &dyn Fn()); 5] = [
        ("Ctrl-C", "0", &|| drop(terminal.ask(&["send-keys", "C-c"]))),
        ("Ctrl-D", "0", &|| drop(terminal.ask(&["send-keys", "C-d"]))),
        ("Esc", "0", &|| drop(terminal.ask(&["send-keys", "Escape"]))),
        ("SIGTERM", "143", &|| signal("-TERM")),
        ("SIGHUP", "129", &|| signal("-HUP")),
    ];
    for (name, code, end) in end {
        assert_eq!(state(), "0 1 1", "before {name}");
        terminal.type_line(
            "stty -g > before; sh -c 'echo $$ > pid; exec ait sessions go'; echo $? > code; stty -g > after; printf '\\033[H\\033[2J'",
        );
        terminal.wait_until("the list", |screen| screen.starts_with("Go to: _\n") && screen.contains("docs"));
        assert!(state().starts_with("1 0 "), "{name}");
        end();
        terminal.wait_until("the shell", |screen| screen == "$");
        let read = |file: &str| fs::read_to_string(env.path(file)).unwrap();
        assert_eq!((read("code").trim(), state().as_str()), (code, "0 1 1"), "{name}");
        assert_eq!(read("before"), read("after"), "{name}");
    }
}

/// The line of the help, with a real fzf.
#[test]
fn fzf_goes_to_the_chosen_session() {
    needs!("tmux", "fzf");
    let env = TestEnv::new();
    let inner = Terminal::open_as(&env, "inner", "sleep 1000");
    let terminal = shell_with_ait(&env, &inner);
    let outer = Terminal::open_as(&env, "attached", "env -u TMUX tmux -u -L inner attach");
    outer.wait_until("a status line", |screen| screen.contains("[0]"));
    let line = "ait sessions go --list | fzf | cut -f1 | xargs -r ait sessions go";
    assert!(fs::read_to_string("src/commands/go.rs").unwrap().contains(&format!("With fzf: {line}\"")));
    let fzf = |typed: &str, left: &str, key: &str| {
        terminal.type_line(&format!("printf '\\033[H\\033[2J'; {line}; echo code $?"));
        terminal.wait_until("fzf", |screen| screen.contains("3/3"));
        terminal.ask(&["send-keys", "-l", typed]);
        terminal.wait_until("what matches", |screen| screen.contains(left));
        terminal.ask(&["send-keys", key]);
        terminal.wait_until("its end", |screen| screen.contains("\ncode 0") || screen.starts_with("code 0"))
    };
    fzf("prices", "1/3", "Enter");
    assert_eq!(current_window(&inner), "shop");
    let screen = fzf("s", "/3", "Escape");
    assert!(!screen.contains("ait:"), "nothing is chosen: {screen}");
    assert_eq!(current_window(&inner), "shop");
}

/// The windows of terminals other than tmux: the process of the session has their number in its environment, and the
/// terminal's own program, of which this is a stand-in, is asked to show them.
#[test]
#[cfg(target_os = "linux")]
fn go_shows_the_window_of_a_session_in_kitty_or_zellij() {
    use std::os::unix::fs::PermissionsExt;
    use std::process::Command;

    let env = TestEnv::new();
    env.real();
    fs::create_dir_all(env.path("bin")).unwrap();
    for (terminal, exit) in [("kitty", "[ \"${4-}\" != --match=id:9 ]"), ("zellij", ":")] {
        let program = env.path(&format!("bin/{terminal}"));
        fs::write(&program, format!("#!/bin/sh\nprintf '%s|' {terminal} \"$@\" >> \"$HOME/asked\"\n{exit}\n")).unwrap();
        fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let kitty = ("KITTY_LISTEN_ON", "unix:/tmp/kitty of a user");
    let zellij = ("ZELLIJ_SESSION_NAME", "--two words");
    for (variables, asked) in [
        (&[kitty, ("KITTY_WINDOW_ID", "7")][..], "kitty|@|--to=unix:/tmp/kitty of a user|focus-window|--match=id:7|"),
        // The terminal says no: the window is gone.
        (&[kitty, ("KITTY_WINDOW_ID", "9")], "kitty|@|--to=unix:/tmp/kitty of a user|focus-window|--match=id:9|"),
        (
            &[kitty, ("KITTY_WINDOW_ID", "7"), zellij, ("ZELLIJ_PANE_ID", "0")],
            "zellij|--session=--two words|action|focus-pane-id|0|",
        ),
        (&[kitty, ("KITTY_WINDOW_ID", "7 or all")], ""),
        (&[("KITTY_WINDOW_ID", "7")], ""),
        (&[zellij, ("ZELLIJ_PANE_ID", "-1")], ""),
        (&[], ""),
    ] {
        let mut session = Command::new("sleep");
        session.arg("1000").env_clear().env("PATH", std::env::var_os("PATH").unwrap());
        let mut session = session.envs(variables.iter().copied()).spawn().unwrap();
        let manifest = serde_json::json!({
            "session_id": "aaaa1111-x", "project": "api", "path": env.path("."), "git_branch": null, "git_dirty": null,
            "started": crate::common::ago(100), "pid": session.id(), "task": null,
        });
        fs::write(env.path(".claude/sessions/active/aaaa1111-x.json"), manifest.to_string()).unwrap();
        fs::write(env.path("asked"), "").unwrap();
        let mut go = Command::new(env.ait());
        go.args(["sessions", "go", "api"]).env_clear().env("HOME", env.path("."));
        let output = go.env("PATH", format!("{}:/usr/bin:/bin", env.path("bin").display())).output().unwrap();
        session.kill().unwrap();
        session.wait().unwrap();
        assert_eq!(fs::read_to_string(env.path("asked")).unwrap(), asked, "{variables:?}");
        let shown = !asked.is_empty() && !asked.contains("id:9");
        assert_eq!(output.status.code(), Some(if shown { 0 } else { 1 }), "{variables:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        assert_eq!(text.contains("api does not run in a tmux pane: terminal "), !shown, "{variables:?}: {text}");
    }
}
