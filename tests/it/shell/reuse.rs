//! The shells show their last segment again without a process while its conditions hold (docs/prompt-protocol.md).

use crate::common::tools::{installed, needs};
use std::cell::RefCell;
use std::fs;
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::process::{Child, Command, Stdio};

use super::typed::{Typed, prompt};
use super::{SHELLS, TestEnv};

/// A process that a segment depends on.
struct Process(Child);

impl Process {
    fn new() -> Process {
        Process(Command::new("sleep").arg("1000").stdout(Stdio::null()).spawn().unwrap())
    }

    fn end(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        self.end();
    }
}

/// A stand-in for `ait` that answers with conditions, and what these depend on.
pub(super) struct Conditions {
    pub(super) env: TestEnv,
    process: RefCell<Process>,
}

impl Conditions {
    pub(super) fn new() -> Conditions {
        let env = TestEnv::new();
        env.program(
            "#!/bin/sh\nprintf '%s\\n' \"$*\" >> \"$HOME/calls\"\ncat \"$HOME/segment\"\n\
             [ \"$AIT_PROMPT_REUSE\" != 1 ] || cat \"$HOME/conditions\"\n",
        );
        env.start_session();
        let conditions = Conditions { env, process: RefCell::new(Process::new()) };
        conditions.env.answer("SEGMENT\n");
        conditions.restore();
        conditions
    }

    pub(super) fn path(&self, name: &str) -> std::path::PathBuf {
        self.env.path(name)
    }

    pub(super) fn lines(&self) -> String {
        let until = jiff::Timestamp::now().as_second() + 1000;
        let (me, other) = (std::process::id(), self.process.borrow().0.id());
        let home = self.env.home.display();
        format!(
            "reuse\t1\nuntil\t{until}\nprocess\t{me}\nprocess\t{other}\nfile\t{home}/revision\t0001-abc\n\
             file\t{home}/HEAD\tref: refs/heads/main\nunchanged\t{home}/config.toml\t{home}/revision\nend\n"
        )
    }

    /// Sets when the configuration was changed, in seconds from now.
    pub(super) fn date_config(&self, seconds: i64) {
        let at = std::time::SystemTime::now();
        let ago = std::time::Duration::from_secs(seconds.unsigned_abs());
        let at = if seconds < 0 { at - ago } else { at + ago };
        fs::File::options().write(true).open(self.path("config.toml")).unwrap().set_modified(at).unwrap();
    }

    pub(super) fn write(&self, lines: &str) {
        fs::write(self.path("conditions"), lines).unwrap();
    }

    pub(super) fn end_process(&self) {
        self.process.borrow_mut().end();
    }

    /// All that the conditions name as it was at first, with a new process.
    pub(super) fn restore(&self) {
        let _ = fs::remove_file(self.path("revision"));
        let _ = fs::remove_dir(self.path("revision"));
        fs::write(self.path("revision"), "0001-abc\n").unwrap();
        fs::write(self.path("HEAD"), "ref: refs/heads/main\n").unwrap();
        fs::write(self.path("config.toml"), "").unwrap();
        self.date_config(-10);
        *self.process.borrow_mut() = Process::new();
        self.write(&self.lines());
    }
}

#[test]
fn conditions_that_hold_start_no_process() {
    needs!("strace");
    for shell in SHELLS {
        if !installed(&["tmux", shell]) {
            continue;
        }
        let conditions = Conditions::new();
        let trace = conditions.path("trace");
        let tracer = format!("strace -o {} -e trace=clone,clone3,fork,vfork,execve", trace.display());
        let mut typed = Typed::open(&conditions.env, shell, &tracer);
        assert_eq!(typed.segment(), "SEGMENT", "{shell}");
        let started = || {
            let text = fs::read_to_string(&trace).unwrap();
            text.lines().filter(|line| line.contains('(') && !line.contains("CLONE_THREAD")).count()
        };
        let before = started();
        assert!(before > 0);
        for _ in 0..10 {
            assert!(typed.terminal.tmux(&["send-keys", "-N", "10", "Enter"]).status.success());
        }
        typed.count += 100;
        assert_eq!(typed.segment(), "SEGMENT", "{shell}");
        assert_eq!(started() - before, 0, "{shell}: {}", fs::read_to_string(&trace).unwrap());
        assert_eq!(conditions.env.calls(), 1, "{shell}");
        // An empty segment is reused as well.
        conditions.env.answer("\n");
        fs::write(conditions.path("revision"), "0002\n").unwrap();
        conditions.write(&conditions.lines().replace("0001-abc", "0002"));
        assert_eq!(typed.line(""), "", "{shell}");
        assert_eq!(typed.line(""), "", "{shell}");
        assert_eq!(conditions.env.calls(), 2, "{shell}");
    }
}

/// What makes a condition fail, with the line that is typed.
type Change = (&'static str, fn(&Conditions, &Typed<'_>) -> String);

fn overwrite(file: &Path, text: &str) -> String {
    fs::write(file, text).unwrap();
    String::new()
}

const CHANGES: &[Change] = &[
    ("a process ends", |it, _| {
        it.end_process();
        String::new()
    }),
    ("the revision changes", |it, _| overwrite(&it.path("revision"), "0002-abc\n")),
    ("the revision becomes longer", |it, _| overwrite(&it.path("revision"), "0001-abcd\n")),
    ("the revision changes its case", |it, _| overwrite(&it.path("revision"), "0001-ABC\n")),
    ("the revision is empty", |it, _| overwrite(&it.path("revision"), "")),
    ("another branch", |it, _| overwrite(&it.path("HEAD"), "ref: refs/heads/*\n")),
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
    ("the revision is a GiB of NUL", |it, _| {
        fs::File::create(it.path("revision")).unwrap().set_len(1 << 30).unwrap();
        String::new()
    }),
    ("the revision is a GiB after a text", |it, _| {
        let file = fs::File::create(it.path("revision")).unwrap();
        file.set_len(1 << 30).unwrap();
        file.write_all_at(b"0001-abc0001-abc", 0).unwrap();
        String::new()
    }),
    ("the revision is garbage", |it, _| {
        fs::write(it.path("revision"), b"\x80\xff*\x1b[31m\\$(touch pwned)`touch pwned`\n").unwrap();
        String::new()
    }),
    ("the configuration is changed", |it, _| {
        it.date_config(10);
        String::new()
    }),
    ("another configuration", |_, typed| typed.export("AIT_CONFIG", "/dev/null")),
    ("another folder", |_, _| "cd /".to_owned()),
    ("another format", |_, typed| typed.export("AIT_FORMAT", "{task}")),
    ("no colour", |_, typed| typed.export("NO_COLOR", "1")),
    ("another language", |_, typed| typed.export("LC_ALL", "C")),
    ("another width", |_, typed| {
        assert!(typed.terminal.tmux(&["resize-window", "-x", "90"]).status.success());
        String::new()
    }),
    ("the clock is set back", |_, typed| typed.set("__ait_asked", "3000000000")),
    ("the time is over", |_, typed| typed.set("__ait_until", "-3000000000")),
];

#[test]
fn a_condition_that_fails_is_asked_about() {
    for shell in SHELLS {
        if !installed(&["tmux", shell]) {
            continue;
        }
        for (what, change) in CHANGES {
            let conditions = Conditions::new();
            let options = if shell == "bash" { "shopt -s nocasematch nullglob; IFS=0; set -Cu" } else { "" };
            let mut typed = Typed::open(&conditions.env, shell, "");
            assert_eq!(typed.line(options), "SEGMENT", "{shell}: {what}");
            assert_eq!(conditions.env.calls(), 1, "{shell}: {what}");
            conditions.env.answer("NEW\n");
            conditions.write("");
            let line = change(&conditions, &typed);
            assert_eq!(typed.line(&line), "NEW", "{shell}: {what}");
            assert_eq!(conditions.env.calls(), 2, "{shell}: {what}");
            assert!(!conditions.path("pwned").exists());
        }
    }
}

/// Changes to an answer after which it is not understood.
const UNKNOWN_ANSWERS: &[fn(&str) -> String] = &[
    |lines| lines.replace("reuse\t1", "reuse\t2"),
    |lines| lines.replace("reuse\t1", "reuse\t1\t"),
    |lines| lines.replace("end\n", ""),
    |lines| lines.replace("end\n", "end\nmore\n"),
    |lines| lines.replace("end\n", "end\nend\n"),
    |lines| lines.replace("end\n", "\nend\n"),
    |lines| lines.replace("end\n", "unknown\t1\nend\n"),
    |lines| lines.replace("end\n", "until\t99999999999999999999\nend\n"),
    |lines| lines.replace("until\t", "until\tx"),
    |lines| lines.replace("until\t", "until\t-"),
    |lines| lines.replace("until\t", "unless\t"),
    |lines| lines.replace("process\t", "process\t0"),
    |lines| lines.replace("process\t", "process\t-"),
    |lines| lines.replace("process\t", "process\t1 "),
    |lines| lines.replace("process\t", "process\t$(touch pwned)"),
    |lines| lines.replace("/revision", "/revision\t"),
    |lines| lines.replace("file\t/", "file\t"),
    |lines| lines.replace("unchanged\t/", "unchanged\t"),
    |lines| lines.replace("/config.toml\t/", "/config.toml\t"),
    |lines| lines.replace("/config.toml\t", "/config.toml"),
    |lines| lines.replace("\t0001-abc", "\t"),
    |lines| lines.replace("\t0001-abc", ""),
    |_| "reuse\t1\nend\n".to_owned(),
    |_| "reuse\t1\nuntil\t1\nend\n".to_owned(),
];

#[test]
fn an_answer_that_is_not_understood_is_not_reused() {
    unknown_answers_are_not_reused(&SHELLS);
}

/// Each of the answers makes the shell ask again at the next prompt.
pub(super) fn unknown_answers_are_not_reused(shells: &[&str]) {
    for &shell in shells {
        if !installed(&["tmux", shell]) {
            continue;
        }
        let conditions = Conditions::new();
        let mut typed = Typed::open(&conditions.env, shell, "");
        for (at, change) in UNKNOWN_ANSWERS.iter().enumerate() {
            let changed = change(&conditions.lines());
            conditions.write(&changed);
            // What was answered before holds no longer.
            assert_eq!(typed.line(&typed.export("AIT_FORMAT", &at.to_string())), "SEGMENT", "{shell}: {at}");
            let before = conditions.env.calls();
            assert_eq!(typed.line(""), "SEGMENT", "{shell}: {at}");
            assert_eq!(conditions.env.calls(), before + 1, "{shell}: {at}: {changed}");
        }
        assert!(!conditions.path("pwned").exists());
    }
}

/// What older shells lack: they ask at each prompt, and show the answer.
#[test]
fn a_shell_without_the_builtins_asks_each_time() {
    for (shell, builtin, other) in [
        ("zsh", "zsh/datetime", "zsh/none"),
        ("zsh", "zsh/system", "zsh/none"),
        ("bash", ">= 404", ">= 9904"),
        ("fish", "path mtime -R /", "path nothing"),
        ("fish", "path mtime", "path nothing"),
    ] {
        if !installed(&["tmux", shell]) {
            continue;
        }
        let conditions = Conditions::new();
        let init = conditions.env.init(shell, true);
        let text = fs::read_to_string(conditions.path("init")).unwrap();
        assert!(text.contains(builtin), "{shell}: {builtin}");
        fs::write(conditions.path("init"), text.replace(builtin, other)).unwrap();
        let start = format!("{}{init}\n", prompt(shell));
        let mut typed = Typed { shell, terminal: conditions.env.shell(shell, &start), count: 1 };
        assert_eq!(typed.segment(), "SEGMENT", "{shell} without {builtin}");
        assert_eq!(typed.line(""), "SEGMENT", "{shell} without {builtin}");
        assert_eq!(conditions.env.calls(), 2, "{shell} without {builtin}");
    }
}
