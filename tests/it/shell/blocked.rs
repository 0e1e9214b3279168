//! A session that becomes blocked, in a real tmux: its bell, the notification that passes through to the terminal, and the
//! reminder in the status line.
#![cfg(target_os = "linux")]

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, SystemTime};

use serde_json::json;

use super::situations::Fixture;
use super::tmux::write_plugin;
use super::{Terminal, wait_for};
use crate::common::tools::needs;
use crate::common::{Client, payload};

const ID: &str = "11111111-1111-4111-8111-111111111111";

impl Fixture {
    /// The first window of a tmux server, whose process plays the client.
    fn pane(&self) -> Pane<'_> {
        self.env.write_file(".config/ait/config.toml", "notify = true\n");
        let terminal = Terminal::open(&self.shells, "sh -c 'echo $$ > pid; exec sleep 1000'");
        let pid = self.shells.path("pid");
        wait_for("the client", || fs::read(&pid).is_ok_and(|pid| pid.ends_with(b"\n")));
        let tty = terminal.ask(&["display-message", "-p", "#{pane_tty}"]);
        let socket = terminal.ask(&["display-message", "-p", "#{socket_path},1,0"]);
        let pid = fs::read_to_string(&pid).unwrap().trim().to_owned();
        Pane { fixture: self, terminal, tty: tty.into(), socket, pid, marks: 0 }
    }
}

struct Pane<'a> {
    fixture: &'a Fixture,
    terminal: Terminal<'a>,
    tty: PathBuf,
    socket: String,
    pid: String,
    marks: usize,
}

impl Pane<'_> {
    /// An event of the session, of which tmux has read what it writes to the terminal.
    fn event(&mut self, event: &str) {
        let env = &self.fixture.env;
        let ait = env.ait().env("CLAUDE_PID", &self.pid).env("TMUX", &self.socket).env("TERM", "tmux-256color");
        let fields = json!({"tool_name": "AskUserQuestion", "tool_input": {}});
        ait.hook(&payload(event, ID, &self.fixture.shop, fields)).success();
        self.marks += 1;
        let mark = format!("mark {}.", self.marks);
        fs::write(&self.tty, format!("{mark}\n")).unwrap();
        wait_for("the mark", || self.terminal.ask(&["capture-pane", "-p", "-t", ":0"]).contains(&mark));
    }

    fn is_marked(&self) -> bool {
        self.terminal.ask(&["display-message", "-p", "-t", ":0", "#{window_bell_flag}"]) == "1"
    }

    /// The user looks at the window and leaves it.
    fn visit(&self) {
        self.terminal.ask(&["select-window", "-t", ":0"]);
        self.terminal.ask(&["select-window", "-t", ":1"]);
        assert!(!self.is_marked());
    }

    /// As if the last notification were a minute ago.
    fn a_minute_later(&self) {
        let notified = self.fixture.env.path(&self.fixture.env.cache()).join("notify/notified");
        let file = fs::File::options().write(true).open(notified).unwrap();
        file.set_modified(SystemTime::now() - Duration::from_secs(61)).unwrap();
    }
}

#[test]
fn blocked_session_rings_the_bell_of_its_tmux_window_once_and_at_most_once_a_minute() {
    needs!("tmux");
    let fixture = Fixture::new();
    let mut pane = fixture.pane();
    // A bell in the window that is shown is not marked.
    pane.terminal.ask(&["new-window", "sleep 1000"]);
    pane.event("SessionStart");
    assert!(!pane.is_marked(), "not blocked");
    pane.event("PreToolUse");
    wait_for("the bell", || pane.is_marked());
    assert_eq!(pane.terminal.ask(&["list-windows", "-F", "#{window_bell_flag}"]), "1\n0", "no other window");

    pane.visit();
    pane.event("PostToolUse");
    pane.event("PreToolUse");
    assert!(!pane.is_marked(), "another block within the minute");
    pane.a_minute_later();
    pane.event("PreToolUse");
    assert!(!pane.is_marked(), "still the same block");
    pane.event("PostToolUse");
    assert!(!pane.is_marked(), "no longer blocked");
    pane.event("PreToolUse");
    wait_for("the next bell", || pane.is_marked());
}

/// A client of tmux in a terminal. What the terminal gets is in a file.
fn attach(home: &Path, out: &Path) -> std::process::Child {
    let mut command = Command::new("script");
    command.args(["-qfc", "tmux -u -L outer attach"]).arg(out).env_clear();
    command.env("PATH", std::env::var_os("PATH").unwrap()).env("HOME", home).env("TMUX_TMPDIR", home);
    command.env("LANG", "C.UTF-8").env("SHELL", "/bin/sh").env("TERM", "xterm-256color");
    command.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null());
    command.spawn().unwrap()
}

#[test]
fn blocked_session_in_tmux_notifies_the_terminal_around_it_if_passthrough_is_allowed() {
    needs!("tmux", "script");
    let fixture = Fixture::new();
    let mut pane = fixture.pane();
    let out = fixture.shells.path("screen");
    let mut client = attach(&fixture.shells.path(""), &out);
    wait_for("the client of tmux", || !pane.terminal.ask(&["list-clients"]).is_empty());
    let screen = || String::from_utf8_lossy(&fs::read(&out).unwrap()).into_owned();
    let notification = "\u{1b}]9;shop waits for question\u{7}";
    pane.event("SessionStart");
    pane.event("PreToolUse");
    wait_for("the mark on the screen", || screen().contains("mark 2."));
    assert!(!screen().contains(notification), "tmux allows it to nobody by default: {:?}", screen());
    pane.terminal.ask(&["set-option", "-g", "allow-passthrough", "on"]);
    pane.event("PostToolUse");
    pane.a_minute_later();
    pane.event("PreToolUse");
    wait_for("the notification", || screen().contains(notification));
    assert_eq!(screen().matches("waits for").count(), 1, "it is not shown as text: {:?}", screen());
    let _ = client.kill();
    let _ = client.wait();
}

#[test]
fn tmux_pane_in_a_folder_without_a_session_shows_who_is_blocked_elsewhere() {
    needs!("tmux");
    let fixture = Fixture::new();
    let load = write_plugin(&fixture.shells);
    let inner = Terminal::open_as(&fixture.shells, "inner", "sleep 1000");
    inner.ask(&["set-option", "-g", "status-interval", "1"]);
    inner.ask(&["set-option", "-g", "status-left", "<#{ait_pane}>"]);
    inner.ask(&["set-option", "-g", "status-right", ""]);
    inner.ask(&["run-shell", &load]);
    let outer = Terminal::open(&fixture.shells, "env -u TMUX tmux -u -L inner attach");
    outer.wait_until("nothing", |screen| screen.contains("<>"));
    let client = Client::new();
    let event = |event: &str| {
        let fields = json!({"tool_name": "AskUserQuestion", "tool_input": {}});
        fixture.env.send_event(&client, event, ID, &fixture.shop, fields).success();
    };
    event("SessionStart");
    event("PreToolUse");
    outer.wait_until("the reminder", |screen| screen.contains("<◷shop "));
    event("PostToolUse");
    outer.wait_until("no reminder", |screen| screen.contains("<>"));
    event("PreToolUse");
    outer.wait_until("the next reminder", |screen| screen.contains("<◷shop "));
    client.kill();
    outer.wait_until("no reminder of a process that is gone", |screen| screen.contains("<>"));
}
