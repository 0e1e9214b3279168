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
