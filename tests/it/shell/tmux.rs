//! The plugin of tmux.

use crate::common::tools::needs;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Command, Stdio};

use ait::commands::init::{Init, text_for};

use super::{Terminal, TestEnv, wait_for};

/// Writes the plugin to a file, and returns the command that loads it.
pub(super) fn write_plugin(env: &TestEnv) -> String {
    let request = Init { target: Some("tmux".to_owned()), manual: false, plugin: true };
    fs::write(env.path("plugin"), text_for(&request, &env.ait()).unwrap()).unwrap();
    format!("sh {}", env.path("plugin").display())
}

#[test]
fn tmux_shows_all_sessions_until_the_plug_in_is_removed() {
    needs!("tmux");
    let env = TestEnv::new();
    // What `ait prompt --follow` does: a line at once, the same in the next second, and one at each change, never two in
    // a second.
    env.program(
        "#!/bin/sh\nprintf '%s\\n' \"$*\" >> \"$HOME/calls\"\ncase \"$*\" in *--follow*) ;; *) cat \"$HOME/segment\"; exit ;; esac\n\
         cat \"$HOME/segment\"; echo; sleep 1.1; old=\n\
         while sleep 0.05; do new=$(cat \"$HOME/segment\"); [ \"$new\" = \"$old\" ] || { echo \"$new\"; old=$new; sleep 1.1; }; done\n",
    );
    env.answer("2 sessions");
    let load = write_plugin(&env);

    let inner = Terminal::open_as(&env, "inner", "sleep 1000");
    inner.ask(&["set-option", "-g", "status-interval", "0"]);
    let untouched = inner.ask(&["show-options", "-g"]) + &inner.ask(&["list-keys"]);
    let outer = Terminal::open(&env, "env -u TMUX tmux -u -L inner attach");
    outer.wait_until("a status line", |screen| screen.contains("[0]"));

    // Loaded twice, the summary is there once.
    inner.ask(&["run-shell", &load]);
    let once = inner.ask(&["show-options", "-g"]) + &inner.ask(&["list-keys"]);
    inner.ask(&["run-shell", &load]);
    assert_eq!(inner.ask(&["show-options", "-g"]) + &inner.ask(&["list-keys"]), once);
    assert!(inner.option("status-right").starts_with("#(exec #{q:@ait-bin} prompt --for tmux --all --follow"));
    assert!(inner.ask(&["list-keys", "-T", "prefix", "N"]).contains("sessions next --go"));
    outer.wait_until("the summary", |screen| screen.contains("2 sessions"));
    // status-interval is 0: nothing but the job itself brings this.
    env.answer("3 sessions #[fg=red]api waits");
    outer.wait_until("the change", |screen| screen.contains("3 sessions api waits"));

    // A format of any shape arrives as one word, and at once.
    let format = "it's {count} \"x\" $(touch pwned) `touch pwned` ;#{x} )(";
    inner.ask(&["set-option", "-g", "@ait-format", format]);
    inner.ask(&["refresh-client", "-S", "-t", &inner.ask(&["list-clients", "-F", "#{client_name}"])]);
    let calls = || fs::read_to_string(env.path("calls")).unwrap_or_default();
    wait_for("the format", || calls().contains(&format!("--follow --format {format}\n")));
    assert!(!env.path("pwned").exists());

    // Removed, nothing is left.
    inner.ask(&["run-shell", &format!("{load} --remove")]);
    assert_eq!(inner.ask(&["show-options", "-g"]) + &inner.ask(&["list-keys"]), untouched);
    let program = env.ait().display().to_string();
    wait_for("the end of the job", || {
        let processes = Command::new("ps").args(["-A", "-o", "args="]).output().unwrap();
        !String::from_utf8_lossy(&processes.stdout).lines().any(|line| line.contains(&program))
    });
}

#[test]
fn tmux_options_place_and_format_the_summary() {
    needs!("tmux");
    let env = TestEnv::new();
    let load = write_plugin(&env);
    let tmux = Terminal::open_as(&env, "inner", "sleep 1000");

    // Placed by the user, on both sides, with the shape that is asked for each time.
    tmux.ask(&["set-option", "-g", "status-left", "a #{ait} b #{ait_pane} c"]);
    tmux.ask(&["set-option", "-g", "status-right", "d #{ait}"]);
    tmux.ask(&["set-option", "-g", "@ait-follow", "off"]);
    tmux.ask(&["set-option", "-g", "@ait-key", "M-w"]);
    tmux.ask(&["run-shell", &load]);
    let all = "#(exec #{q:@ait-bin} prompt --for tmux --all#{?@ait-format, --format #{q:@ait-format},})";
    let pane = "#(exec #{q:@ait-bin} prompt --for tmux --dir #{q:pane_current_path})";
    assert_eq!(tmux.option("status-left"), format!("a {all} b {pane} c"));
    assert_eq!(tmux.option("status-right"), format!("d {all}"));
    assert_eq!(tmux.option("status-right-length"), "40");
    assert!(tmux.ask(&["list-keys", "-T", "prefix", "M-w"]).contains("sessions next --go"));
    // tmux.conf is read again, with a line that appends; then with another key.
    tmux.ask(&["set-option", "-g", "-a", "status-right", " #{ait}"]);
    tmux.ask(&["set-option", "-g", "@ait-key", "none"]);
    tmux.ask(&["run-shell", &load]);
    assert_eq!(tmux.option("status-right"), format!("d {all} "));
    assert!(!tmux.ask(&["list-keys"]).contains("sessions next"));
    // Another way of asking replaces the first.
    tmux.ask(&["set-option", "-g", "@ait-follow", "on"]);
    tmux.ask(&["run-shell", &load]);
    assert!(tmux.option("status-right").starts_with("d #(exec #{q:@ait-bin} prompt --for tmux --all --follow"));
    tmux.ask(&["run-shell", &format!("{load} --remove")]);
    assert_eq!(tmux.option("status-left"), "a #{ait} b #{ait_pane} c");
    assert_eq!(tmux.option("status-right"), "d #{ait} ");
    assert!(!tmux.ask(&["show-options", "-g"]).contains("@ait"));

    // On the left; on no side; a key that is taken.
    tmux.ask(&["set-option", "-g", "status-left", "L"]);
    tmux.ask(&["set-option", "-g", "status-right", "R"]);
    tmux.ask(&["set-option", "-g", "@ait-position", "none"]);
    tmux.ask(&["bind-key", "N", "new-window"]);
    tmux.ask(&["run-shell", &load]);
    assert_eq!(tmux.option("status-left") + &tmux.option("status-right"), "LR");
    assert!(tmux.ask(&["list-keys", "-T", "prefix", "N"]).contains("new-window"));
    tmux.ask(&["set-option", "-g", "@ait-position", "left"]);
    tmux.ask(&["run-shell", &load]);
    assert!(tmux.option("status-left").ends_with("} L") || tmux.option("status-left").ends_with(") L"));
    tmux.ask(&["run-shell", &format!("{load} --remove")]);
    assert_eq!(tmux.option("status-left") + &tmux.option("status-right"), "LR");
    assert!(tmux.ask(&["list-keys", "-T", "prefix", "N"]).contains("new-window"));
}

#[test]
fn tmux_loads_the_two_lines() {
    needs!("tmux");
    let env = TestEnv::new();
    env.program("#!/bin/sh\ncase $1 in init) cat \"$HOME/plugin\" ;; *) echo ANSWER ;; esac\n");
    write_plugin(&env);
    let request = Init { target: Some("tmux".to_owned()), manual: false, plugin: false };
    let lines = text_for(&request, &env.ait()).unwrap();
    assert_eq!(lines.lines().filter(|line| !line.starts_with('#')).count(), 2);
    fs::write(env.path("tmux.conf"), lines).unwrap();
    let tmux = Terminal::open_as(&env, "inner", "sleep 1000");
    tmux.ask(&["source-file", &env.path("tmux.conf").display().to_string()]);
    wait_for("the plugin", || tmux.option("status-right").contains("--all"));
    assert_eq!(tmux.option("@ait-bin"), env.ait().display().to_string());
}

#[test]
fn tmux_pane_folder_is_one_word() {
    needs!("tmux");
    let env = TestEnv::new();
    let odd = env.path("it's; touch pwned; $(touch pwned) #{pane_id} #(touch pwned) `touch pwned` %H");
    let two_lines = env.path("a\ntouch pwned");
    fs::create_dir(&odd).unwrap();
    fs::create_dir(&two_lines).unwrap();
    let load = write_plugin(&env);
    fs::write(env.path("in"), "cd \"$1\"\nexec sleep 1000\n").unwrap();
    let inner = Terminal::open_as(&env, "inner", "sleep 1000");
    inner.ask(&["set-option", "-g", "status-right", "#{ait_pane}"]);
    inner.ask(&["set-option", "-g", "status-interval", "1"]);
    inner.ask(&["run-shell", &load]);
    let outer = Terminal::open(&env, "env -u TMUX tmux -u -L inner attach");
    let calls = || fs::read_to_string(env.path("calls")).unwrap_or_default();
    let enter = |folder: &Path| {
        inner.ask(&["new-window", "sh", &env.path("in").display().to_string(), &folder.display().to_string()]);
    };
    enter(&odd);
    wait_for("the folder", || calls().contains(&format!("prompt --for tmux --dir {}\n", odd.display())));
    outer.wait_until("the answer", |screen| screen.contains("SEGMENT"));
    fs::remove_file(env.path("calls")).unwrap();
    enter(&two_lines);
    let first_line = format!("prompt --for tmux --dir {}/a\n", env.home.display());
    wait_for("the folder", || calls().matches(&first_line).count() > 1);
    for folder in [&env.home, &odd, &two_lines] {
        assert!(!folder.join("pwned").exists());
    }
}

#[test]
fn tmux_shows_a_change_at_once() {
    needs!("tmux");
    let env = TestEnv::new();
    env.real();
    env.start_real_session("one", "first");
    let inner = Terminal::open_as(&env, "inner", "sleep 1000");
    // tmux itself draws nothing by the clock.
    inner.ask(&["set-option", "-g", "status-interval", "0"]);
    let outer = Terminal::open(&env, "env -u TMUX tmux -u -L inner attach");
    outer.wait_until("a status line", |screen| screen.contains("[0]"));
    let lines = Command::new(env.ait()).args(["init", "tmux"]).output().unwrap();
    fs::write(env.path("tmux.conf"), lines.stdout).unwrap();
    inner.ask(&["source-file", &env.path("tmux.conf").display().to_string()]);
    outer.wait_until("one session", |screen| screen.contains(" 1 "));
    env.start_real_session("two", "second");
    outer.wait_until("two sessions", |screen| screen.contains("⚠2"));
    fs::remove_file(env.path(".claude/sessions/active/one.json")).unwrap();
    outer.wait_until("one session", |screen| !screen.contains("⚠2") && screen.contains(" 1 "));
}

#[test]
fn follow_writes_at_each_change_and_ends_with_its_reader() {
    needs!("tmux");
    let env = TestEnv::new();
    env.real();
    // The folders come later.
    fs::remove_dir_all(env.path(".claude/sessions/active")).unwrap();
    let mut follow = Command::new(env.ait())
        .args(["prompt", "--all", "--follow", "--format", "[{count}]"])
        .env_clear()
        .env("HOME", &env.home)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(follow.stdout.take().unwrap());
    let mut next = || {
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        (line, jiff::Timestamp::now().as_second())
    };
    let (first, at) = next();
    assert_eq!(first, "\n");
    let (again, second) = next();
    assert_eq!(again, "\n");
    assert!(second > at, "two lines in one second");
    fs::create_dir(env.path(".claude/sessions/active")).unwrap();
    env.start_real_session("one", "first");
    let (line, third) = next();
    assert_eq!(line, "1\n");
    assert!(third > second, "two lines in one second");
    env.start_real_session("two", "second");
    let (line, fourth) = next();
    assert_eq!(line, "2\n");
    assert!(fourth > third, "two lines in one second");
    drop(lines);
    assert!(follow.wait().unwrap().success());
}
