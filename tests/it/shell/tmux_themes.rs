//! The plugin of tmux beside themes, and its key.

use crate::common::tools::needs;
use std::fs;

use ait::commands::init::{Init, text_for};

use super::{Terminal, TestEnv, wait_for};

/// A server with the plugin, not yet loaded, and the command that loads it. The stand-in for `ait` answers `init` with the
/// plugin, as the program does.
struct Server<'a> {
    inner: Terminal<'a>,
    load: String,
}

impl<'a> Server<'a> {
    fn new(env: &'a TestEnv) -> Server<'a> {
        env.program(
            "#!/bin/sh\nprintf '%s\\n' \"$*\" >> \"$HOME/calls\"\ncase $1 in\n\
             init) cat \"$HOME/plugin\" ;;\nsessions) cat \"$HOME/next\"; exit $(cat \"$HOME/status\") ;;\n\
             *) cat \"$HOME/segment\" ;;\nesac\n",
        );
        let request = Init { target: Some("tmux".to_owned()), manual: false, plugin: true };
        fs::write(env.path("plugin"), text_for(&request, &env.ait()).unwrap()).unwrap();
        let inner = Terminal::open_as(env, "inner", "sleep 1000");
        Server { inner, load: format!("sh {}", env.path("plugin").display()) }
    }

    fn set(&self, option: &str, value: &str) {
        self.inner.ask(&["set-option", "-g", option, value]);
    }

    /// How often the summary is in the status line.
    fn count(&self) -> usize {
        (self.inner.option("status-left") + &self.inner.option("status-right")).matches("--all").count()
    }
}

#[test]
fn tmux_gets_the_summary_back_after_a_theme_took_its_place() {
    needs!("tmux");
    let env = TestEnv::new();
    let server = Server::new(&env);
    let tmux = &server.inner;
    tmux.ask(&["run-shell", &server.load]);
    assert_eq!(server.count(), 1);
    // A theme that is loaded in the background sets many options, one by one.
    let theme =
        "for n in 1 2 3 4 5 6; do tmux set-option -g status-right theme$n; tmux set-option -g status-left left$n; done";
    tmux.ask(&["run-shell", "-b", theme]);
    wait_for("the theme", || tmux.option("status-right").ends_with("theme6"));
    wait_for("the summary", || server.count() == 1);
    assert!(tmux.option("status-right").ends_with(" theme6"), "{}", tmux.option("status-right"));
    assert_eq!(tmux.option("status-left"), "left6");
    // Where the theme has a place for it.
    server.set("status-right", "a #{ait} b");
    wait_for("the summary in its place", || server.count() == 1);
    let right = tmux.option("status-right");
    assert!(right.starts_with("a #(exec") && right.ends_with(") b"), "{right}");
    // Removed, it stays away; so it does where it was never wanted.
    tmux.ask(&["run-shell", &format!("{} --remove", server.load)]);
    assert!(!tmux.ask(&["show-hooks", "-g"]).contains("ait"));
    server.set("status-right", "theme");
    server.set("@ait-position", "none");
    tmux.ask(&["run-shell", &server.load]);
    assert!(!tmux.ask(&["show-hooks", "-g"]).contains("ait"));
    assert_eq!(server.count(), 0);
}

#[test]
fn tmux_replaces_what_an_earlier_version_wrote() {
    needs!("tmux");
    let env = TestEnv::new();
    let server = Server::new(&env);
    let format = "#{?@ait-format, --format #{q:@ait-format},}";
    let job = "#(exec #{q:@ait-bin} prompt --for tmux";
    let color = "#{?#{m:*bg=green*,#{status-style}}, --color never,}";
    server.set("status-right", &format!("{job} --fleet --follow{format}{color}) theirs"));
    server.set("status-left", &format!("{job} --dir #{{q:pane_current_path}}{color})"));
    server.inner.ask(&["run-shell", &server.load]);
    assert_eq!(server.count(), 1);
    let both = server.inner.option("status-right") + &server.inner.option("status-left");
    assert!(!both.contains("--fleet") && !both.contains("--color"), "{both}");
}

#[test]
fn the_key_in_tmux_never_covers_the_pane() {
    needs!("tmux");
    let env = TestEnv::new();
    let server = Server::new(&env);
    server.inner.ask(&["run-shell", &server.load]);
    server.set("display-time", "0");
    let outer = Terminal::open(&env, "env -u TMUX tmux -u -L inner attach");
    outer.wait_until("the answer", |screen| screen.contains("SEGMENT"));
    let odd = "ait: 100%H of #{pid} #S ## #(touch pwned) $(touch pwned) `touch pwned` \"it's\" \\n";
    for (said, status, shown) in
        [("shop main 3m\n", 0, None), ("Nobody waits.\nmore\n", 1, Some("Nobody waits.")), (odd, 1, Some(odd))]
    {
        fs::write(env.path("next"), said).unwrap();
        fs::write(env.path("status"), status.to_string()).unwrap();
        let calls = || fs::read_to_string(env.path("calls")).unwrap().matches("sessions next --go").count();
        let before = calls();
        outer.ask(&["send-keys", "C-b", "N"]);
        wait_for("the call", || calls() > before);
        if let Some(shown) = shown {
            outer.wait_for_last(shown);
            // A message stays until a key is pressed.
            outer.ask(&["send-keys", "Escape"]);
            outer.wait_until("the status line", |screen| screen.contains("SEGMENT"));
        }
        assert_eq!(server.inner.ask(&["display-message", "-p", "#{pane_in_mode}"]), "0", "{said}");
        assert!(!outer.screen().contains("shop main 3m"), "{said}");
    }
    assert!(!env.path("pwned").exists());
}
