//! The shell files in real shells, in a real terminal: tmux with a server of its own.

mod bash;
mod blocked;
mod fish;
mod go;
mod install;
mod other_shells;
mod plugins;
mod profiles;
mod reuse;
mod shells;
mod situations;
mod starship;
mod tmux;
mod tmux_themes;
mod typed;
mod zsh;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::process::{Command, Output};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use crate::common::tools::{brought, copy_program};
use ait::commands::init::{Init, text_for};
use ait::render::dialect::Dialect;
use ait::render::format::Format;
use ait::render::segment::{Facts, render};
use ait::render::style::Look;
use ait::render::theme::Icons;

/// A home of its own, with a stand-in for `ait` that answers `segment` and notes each call. What a segment says is not
/// tested here; that the right program is asked at the right time, and what becomes of its answer, is.
struct TestEnv {
    home: PathBuf,
}

impl TestEnv {
    fn new() -> TestEnv {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("ait-sh-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let home = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&home);
        fs::create_dir_all(home.join(".claude/sessions/active")).unwrap();
        let env = TestEnv::at(home);
        env.program("#!/bin/sh\nprintf '%s\\n' \"$*\" >> \"$HOME/calls\"\ncat \"$HOME/segment\"\n");
        env.answer("SEGMENT");
        env
    }

    /// In a home that is there already.
    fn at(home: PathBuf) -> TestEnv {
        fs::create_dir_all(home.join("it's a \"bin\"")).unwrap();
        TestEnv { home }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    /// Where the program is: a path that needs quoting.
    fn ait(&self) -> PathBuf {
        self.home.join("it's a \"bin\"/ait")
    }

    fn program(&self, script: &str) {
        // Beside and renamed: a program that is being run cannot be written to.
        let new = self.home.join("new");
        fs::write(&new, script).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(new, self.ait()).unwrap();
    }

    /// The real program in place of the stand-in.
    fn real(&self) {
        fs::remove_file(self.ait()).unwrap();
        copy_program(env!("CARGO_BIN_EXE_ait"), &self.ait());
    }

    /// A session of 45 minutes that works in the home folder, in the process that runs the tests.
    fn start_real_session(&self, id: &str, task: &str) {
        let started = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(45);
        let manifest = format!(
            r#"{{"session_id":"{id}","project":"api","path":"{}","git_branch":"main","git_dirty":false,"started":"{started:.0}","pid":{},"task":"{task}"}}"#,
            self.home.display(),
            std::process::id(),
        );
        let new = self.path(".claude/sessions/active/.new");
        fs::write(&new, manifest).unwrap();
        fs::rename(new, self.path(&format!(".claude/sessions/active/{id}.json"))).unwrap();
    }

    fn answer(&self, segment: &str) {
        fs::write(self.path("segment"), segment).unwrap();
    }

    fn start_session(&self) {
        fs::write(self.path(".claude/sessions/active/one.json"), "{}").unwrap();
    }

    fn end_session(&self) {
        fs::remove_file(self.path(".claude/sessions/active/one.json")).unwrap();
    }

    fn calls(&self) -> usize {
        fs::read_to_string(self.path("calls")).unwrap_or_default().lines().count()
    }

    /// Writes what `ait init` prints to a file of the home, and gives the line that loads it.
    fn init(&self, shell: &str, manual: bool) -> String {
        let request = Init { target: Some(shell.to_owned()), manual, plugin: false };
        let text = text_for(&request, &self.ait()).unwrap();
        fs::write(self.path("init"), text).unwrap();
        match shell {
            "fish" => "cat ~/init | source".to_owned(),
            "nushell" => format!("source '{}'", self.path("init").display()),
            "elvish" if manual => {
                fs::create_dir_all(self.path(".config/elvish/lib")).unwrap();
                fs::rename(self.path("init"), self.path(".config/elvish/lib/ait.elv")).unwrap();
                "use ait".to_owned()
            }
            "elvish" => "eval (slurp < ~/init)".to_owned(),
            "xonsh" => format!("execx(open('{}').read())", self.path("init").display()),
            _ => "eval \"$(cat ~/init)\"".to_owned(),
        }
    }

    /// A shell with these start-up lines, and nothing of this machine's.
    fn shell(&self, shell: &str, start: &str) -> Terminal<'_> {
        self.shell_under(shell, start, "")
    }

    fn shell_under(&self, shell: &str, start: &str, tracer: &str) -> Terminal<'_> {
        self.shell_in("outer", shell, start, tracer)
    }

    /// In a terminal of this name: more than one can be open.
    fn shell_in(&self, terminal: &'static str, shell: &str, start: &str, tracer: &str) -> Terminal<'_> {
        match shell {
            "zsh" => {
                fs::write(self.path(".zshrc"), start).unwrap();
                Terminal::open_as(self, terminal, &format!("{tracer} zsh -d -i"))
            }
            "bash" => {
                fs::write(self.path("bashrc"), start).unwrap();
                Terminal::open_as(self, terminal, &format!("{tracer} bash --noprofile --rcfile ~/bashrc -i"))
            }
            "fish" => {
                fs::create_dir_all(self.path(".config/fish")).unwrap();
                let start = format!("set -g fish_greeting\nset -g fish_history ''\n{start}");
                fs::write(self.path(".config/fish/config.fish"), start).unwrap();
                Terminal::open_as(self, terminal, &format!("{tracer} fish -i"))
            }
            "nushell" => {
                let start = format!("$env.config.show_banner = false\n{start}");
                fs::write(self.path("config.nu"), start).unwrap();
                let nushell = brought("nushell").unwrap();
                Terminal::open_as(self, terminal, &format!("{tracer} {nushell} --no-history --config ~/config.nu"))
            }
            "elvish" => {
                fs::create_dir_all(self.path(".config/elvish")).unwrap();
                fs::write(self.path(".config/elvish/rc.elv"), start).unwrap();
                Terminal::open_as(self, terminal, &format!("{tracer} elvish"))
            }
            "xonsh" => {
                let start = format!("$XONSH_HISTORY_BACKEND = 'dummy'\n{start}");
                fs::write(self.path(".xonshrc"), start).unwrap();
                Terminal::open_as(self, terminal, &format!("{tracer} {}", brought("xonsh").unwrap()))
            }
            other => panic!("{other}"),
        }
    }
}

impl Drop for TestEnv {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.home);
    }
}

/// A terminal of 100 x 30 cells.
struct Terminal<'a> {
    env: &'a TestEnv,
    socket: &'static str,
}

impl<'a> Terminal<'a> {
    fn open(env: &'a TestEnv, command: &str) -> Terminal<'a> {
        Terminal::open_as(env, "outer", command)
    }

    fn open_as(env: &'a TestEnv, socket: &'static str, command: &str) -> Terminal<'a> {
        let terminal = Terminal { env, socket };
        let command = format!("cd ~; exec {command}");
        let made = terminal.tmux(&["-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "30", &command]);
        assert!(made.status.success(), "{made:?}");
        terminal
    }

    fn tmux(&self, arguments: &[&str]) -> Output {
        Command::new("tmux")
            .args(["-u", "-L", self.socket])
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", &self.env.home)
            .env("TMUX_TMPDIR", &self.env.home)
            .env("LANG", "C.UTF-8")
            .env("SHELL", "/bin/sh")
            .env("TERM", "xterm-256color")
            .output()
            .unwrap()
    }

    /// What tmux answers, without the newline at the end.
    fn ask(&self, arguments: &[&str]) -> String {
        let output = self.tmux(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim_end_matches('\n').to_owned()
    }

    fn option(&self, name: &str) -> String {
        self.ask(&["show-options", "-gqv", name])
    }

    /// The screen, without empty lines at its end and spaces at the ends of lines.
    fn screen(&self) -> String {
        let output = self.tmux(&["capture-pane", "-p"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim_end().to_owned()
    }

    fn type_line(&self, line: &str) {
        if !line.is_empty() {
            assert!(self.tmux(&["send-keys", "-l", "--", line]).status.success());
        }
        assert!(self.tmux(&["send-keys", "Enter"]).status.success());
    }

    #[track_caller]
    fn wait_until(&self, wanted: &str, mut holds: impl FnMut(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let screen = self.screen();
            if holds(&screen) {
                return screen;
            }
            if start.elapsed() > Duration::from_secs(30) {
                let start = fs::read_to_string(self.env.path(".zshrc")).unwrap_or_default();
                panic!("waited for {wanted}; the screen:\n{screen}\n{start}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the last line of the screen is this.
    #[track_caller]
    fn wait_for_last(&self, wanted: &str) -> String {
        self.wait_until(wanted, |screen| screen.lines().last().unwrap_or_default() == wanted)
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        // A shell that is hung up still writes to its home: it is to be gone before that goes.
        let panes = self.tmux(&["list-panes", "-a", "-F", "#{pane_pid}"]).stdout;
        let _ = self.tmux(&["kill-server"]);
        let start = Instant::now();
        for pid in String::from_utf8_lossy(&panes).lines() {
            while is_running(pid) && start.elapsed() < Duration::from_secs(5) {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

/// A line with text at both edges of the terminal; zsh and fish keep one cell free at the right.
fn both_edges(left: &str, right: &str, free: usize) -> String {
    let width = 100 - free - right.chars().count();
    format!("{left:width$}{right}")
}

fn wait_for(wanted: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(30), "waited for {wanted}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A text from outside as `ait prompt` writes it, with colour.
fn render_text(text: &str, dialect: Dialect) -> String {
    let look = Look { color: true, icons: Icons::Unicode, max_width: None, theme: None };
    render(Format::parse("{project}").unwrap(), &Facts { project: text, ..Facts::default() }, dialect, look)
}

const SHELLS: [&str; 3] = ["zsh", "bash", "fish"];

/// Lines that give each shell a prompt which shows how often it was shown, and the last exit code.
fn counting_prompt(shell: &str) -> &'static str {
    match shell {
        "zsh" => "setopt prompt_subst; n=0; precmd() { n=$((n+1)) }; PROMPT='n$n <%?> '\n",
        "bash" => "n=0; PROMPT_COMMAND='n=$((n+1))'; PS1='n$n <$?> '\n",
        _ => {
            "set n 0\nfunction count --on-event fish_prompt; set -g n (math $n + 1); end\nfunction fish_prompt; echo -n \"n$n <$status> \"; end\n"
        }
    }
}

fn is_running(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

fn text(output: &Output) -> String {
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}
