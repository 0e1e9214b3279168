//! `ait demo`: shows every command at work, and leaves nothing behind.
use crate::common::tools::needs;
use std::io::Read as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::common;

/// A home and a folder for temporary files, both empty, gone at the end of the test.
struct Machine(PathBuf);

impl Machine {
    fn new(name: &str) -> Machine {
        let path = std::env::temp_dir().join(format!("ait-test-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&path);
        for folder in ["home", "tmp", "bin"] {
            std::fs::create_dir_all(path.join(folder)).unwrap();
        }
        Machine(std::fs::canonicalize(path).unwrap())
    }

    fn folder(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    fn demo(&self) -> Command {
        self.demo_by(Command::new(env!("CARGO_BIN_EXE_ait")))
    }

    /// The demo, started by this command.
    fn demo_by(&self, mut command: Command) -> Command {
        command.arg("demo").env("HOME", self.folder("home")).env("TMPDIR", self.folder("tmp"));
        command.env("SHELL", "/bin/zsh").current_dir(self.folder("home"));
        for variable in ["AIT_SESSIONS_DIR", "CLAUDE_CONFIG_DIR", "XDG_CACHE_HOME", "CLICOLOR_FORCE", "AIT_WIDTH"] {
            command.env_remove(variable);
        }
        command
    }

    fn is_clean(&self) -> bool {
        empty(&self.folder("home")) && empty(&self.folder("tmp"))
    }

    fn assert_clean(&self) {
        assert!(empty(&self.folder("home")), "the home was touched");
        assert!(empty(&self.folder("tmp")), "the temporary folder is still there");
        assert_eq!(self.processes(), Vec::<String>::new(), "processes are left");
    }

    /// Processes that have a file of this machine, or its name, in what they were started with.
    fn processes(&self) -> Vec<String> {
        let needle = self.0.to_str().unwrap();
        let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
        entries
            .flatten()
            .filter(|entry| entry.file_name().to_string_lossy().bytes().all(|byte| byte.is_ascii_digit()))
            .filter(|entry| entry.file_name() != *std::process::id().to_string())
            .filter_map(|entry| {
                let read = |name: &str| std::fs::read(entry.path().join(name)).unwrap_or_default();
                let said = [read("cmdline"), read("environ")].concat();
                let said = String::from_utf8_lossy(&said).replace('\0', " ");
                said.contains(needle).then_some(said)
            })
            .collect()
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

fn empty(folder: &Path) -> bool {
    std::fs::read_dir(folder).unwrap().next().is_none()
}

fn text(command: &mut Command) -> String {
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
    String::from_utf8(output.stdout).unwrap()
}

fn assert_has(text: &str, wanted: &[&str]) {
    let mut rest = text;
    for wanted in wanted {
        let at = rest.find(wanted).unwrap_or_else(|| panic!("no `{wanted}` (in this order) in:\n{text}"));
        rest = rest.get(at + wanted.len()..).unwrap();
    }
}

#[test]
fn every_command_is_shown_on_three_sessions() {
    let machine = Machine::new("demo");
    let shown = text(&mut machine.demo());
    assert_has(
        &shown,
        &[
            "~/shop $ ait hook session-register < SessionStart.json\n",
            "~/shop-login $ ait hook session-register < SessionStart.json\n",
            "shop: 1 other live session in another working tree\n",
            "shop: 1 other live session in this working tree, 1 in another\n",
            "~/shop-login $ ait sessions task \"Adding the login page\"\n",
            "Adding the login page\n",
            "~/shop $ ait sessions live\n",
            "│ 1. shop (main) - <1m",
            "Round prices to the cent",
            "│ 2. shop (login) - <1m",
            "│ 3. shop (main) - <1m",
            "waiting (permission: Bash)",
            "~/shop-login $ ait sessions current\n",
            "Branch:  login (dirty)\n",
            "~/shop $ ait sessions conflicts\n",
            "Conflict Detected!\n",
            "(main) started just now: Round prices to the cent\n",
            "(main) started just now: Write tests for the cart\n",
            "ait prompt --for zsh\n",
            "ait prompt --for bash\n",
            "ait prompt --for fish\n",
            "ait prompt --for tmux\n",
            "ait prompt --for starship\n",
            "ait prompt --for ansi\n",
            "ait prompt --for plain\nshop main ",
            "ait hook session-cleanup < SessionEnd.json\n",
            "kill -9 ",
            "ait sessions live\n",
            "1 stale",
            "│ 1. shop (main) - <1m",
            "ait sessions prune\n",
            "1 archived, 1 live.\n",
            "ait sessions history\n",
            "sh shell/install.sh",
            "ait setup",
        ],
    );
    // Which of two ended first within one second is not known.
    let history = shown.split("ait sessions history\n").nth(1).unwrap();
    assert!(history.contains(", pruned") && history.contains(", completed (exited)"), "{history}");
    assert!(!shown.contains('\u{1b}'), "colours where nobody sees them");
    machine.assert_clean();
}

#[test]
fn colours_on_demand_and_escapes_that_can_be_read() {
    let machine = Machine::new("demo-colour");
    let shown = text(machine.demo().args(["--color", "always"]));
    assert_has(&shown, &["\u{1b}[1mait demo", "--for zsh\n%B%F{", "--for ansi\n\u{1b}["]);
}

#[test]
fn without_git_it_says_so_and_goes_on() {
    let machine = Machine::new("demo-no-git");
    let rm = ["/bin/rm", "/usr/bin/rm"].into_iter().find(|path| Path::new(path).exists()).unwrap();
    std::os::unix::fs::symlink(rm, machine.folder("bin/rm")).unwrap();
    let shown = text(machine.demo().env("PATH", machine.folder("bin")).env("SHELL", "/bin/dash"));
    assert_has(
        &shown,
        &[
            "git is not in PATH",
            "│ 1. shop - <1m ⚠",
            "│ 2. blog - <1m",
            "│ 3. shop - <1m ⚠",
            "Project: blog\n",
            "Conflict Detected!\n",
            "1 archived, 1 live.\n",
            "ait setup",
        ],
    );
    machine.assert_clean();
}

#[test]
fn a_folder_for_temporary_files_that_is_not_there_is_one_clear_line() {
    let machine = Machine::new("demo-no-tmp");
    let output = machine.demo().env("TMPDIR", machine.folder("nowhere")).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let said = String::from_utf8(output.stderr).unwrap();
    assert!(said.starts_with("ait: running the demo: ") && said.contains("TMPDIR"), "{said}");
    assert_eq!(said.lines().count(), 1);
}

/// Ends the demo in the middle, by `signal`, and waits for the traces to vanish.
fn interrupted(name: &str, signal: &str) {
    let machine = Machine::new(name);
    // Met when its folder has something in it: everything that is to be cleared away is there.
    let mut demo: Child = machine
        .demo_by(common::with_default_signals(Command::new("python3"), env!("CARGO_BIN_EXE_ait")))
        .stdout(Stdio::piped())
        .process_group(0)
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(20);
    let begun = || std::fs::read_dir(machine.folder("tmp")).unwrap().flatten().any(|folder| !empty(&folder.path()));
    while !begun() && demo.try_wait().unwrap().is_none() {
        assert!(Instant::now() < deadline);
    }
    let group = format!("-{}", demo.id());
    assert!(Command::new("kill").args([signal, "--", &group]).status().unwrap().success());
    let status = demo.wait().unwrap();
    let mut said = String::new();
    demo.stdout.take().unwrap().read_to_string(&mut said).unwrap();
    assert!(!status.success() && said.is_empty(), "{status}, {said}");
    while !machine.is_clean() || !machine.processes().is_empty() {
        assert!(Instant::now() < deadline, "left: {:?}", machine.processes());
        std::thread::sleep(Duration::from_millis(5));
    }
}

#[test]
fn ctrl_c_leaves_nothing() {
    needs!("python3");
    interrupted("demo-int", "-INT");
}

#[test]
fn kill_leaves_nothing() {
    needs!("python3");
    interrupted("demo-kill", "-KILL");
}
