//! What `ait` costs, beside the floor and its peers: one table from one run.
//!
//! ```text
//! cargo bench                        200 rounds
//! cargo bench -- --rounds 50
//! cargo bench -- --quick             20 rounds, a tenth of the history
//! AIT_BENCH_BINARY=./ait cargo bench
//! ```
//! A round runs each command once, in an order of its own: whatever else the machine does, and whatever a command
//! leaves in the caches, meets all of them alike. What counts is the whole process: from before its start to after its
//! exit, its output read from a pipe to the end. The budgets are ratios to the floor, of medians.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a measurement that met trouble must stop, and it touches the system itself"
)]

mod lab;
mod measure;
mod programs;
mod table;

use std::fs::Permissions;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;

use lab::{Home, Lab};
use measure::{Command, Ran};
use table::{Budget, Figure, Table};

const SIZES: [usize; 6] = [0, 1, 5, 20, 200, 1000];
/// Files that each session has written, where writes are measured.
const TOUCHES: usize = 5000;
/// How many prompts a shell shows between its start and its end, where one prompt is measured.
const PROMPTS: usize = 500;

/// One line of the table: what it takes to get one time.
struct Row {
    name: String,
    budget: Budget,
    command: Command,
    /// Run before it, and not measured.
    before: Option<Command>,
    /// What is taken off: the same without the part that is of interest, and how often that part was done.
    without: Option<(Command, usize)>,
    /// Whether the output is what it should be.
    right: fn(&str) -> bool,
    times: Vec<f64>,
}

impl Row {
    fn new(name: impl Into<String>, budget: Budget, command: Command, right: fn(&str) -> bool) -> Row {
        Row { name: name.into(), budget, command, before: None, without: None, right, times: Vec::new() }
    }

    fn after(mut self, before: Command) -> Row {
        self.before = Some(before);
        self
    }

    fn less(mut self, without: Command, times: usize) -> Row {
        self.without = Some((without, times));
        self
    }

    fn time(&self) -> f64 {
        if let Some(before) = &self.before {
            self.expect(&before.run(), |_| true);
        }
        let ran = self.command.run();
        self.expect(&ran, self.right);
        match &self.without {
            Some((without, times)) => {
                let less = without.run();
                self.expect(&less, |_| true);
                (ran.microseconds - less.microseconds) / *times as f64
            }
            None => ran.microseconds,
        }
    }

    fn expect(&self, ran: &Ran, right: fn(&str) -> bool) {
        let stdout = String::from_utf8_lossy(&ran.stdout);
        assert!(ran.success && right(&stdout), "{}: success {}, and it says: {stdout:.300}", self.name, ran.success);
    }
}

fn main() {
    let options = Options::of(std::env::args().skip(1));
    let ait = programs::ait();
    let most = *SIZES.iter().max().unwrap();
    let lab = Lab::new(most, options.ended);
    let floor = programs::floor(&lab.path(""));
    // As shell/install.sh installs it: written in one piece. What a linker wrote in no order lies in the page cache in
    // small lots, and each start of it pays for mapping them.
    let installed = lab.path("ait");
    std::fs::write(&installed, std::fs::read(&ait).unwrap()).unwrap();
    std::fs::set_permissions(&installed, Permissions::from_mode(0o755)).unwrap();
    let ait = installed;

    let mut rows = vec![Row::new(
        format!("the floor: {}", floor.made_of),
        Budget::None,
        Command::new(&floor.program, &[], &[], &lab.path("")),
        str::is_empty,
    )];
    let mut missing = Vec::new();
    let homes: Vec<Home> = SIZES.iter().map(|live| lab.home(&ait, &format!("home{live}"), *live)).collect();
    peers(&mut rows, &mut missing, &homes[1]);
    prompts(&mut rows, &ait, &homes);
    let busy = [20, most].map(|live| lab.home(&ait, &format!("busy{live}"), live));
    events(&mut rows, &ait, &busy, &homes[3]);
    let touched = lab.home(&ait, "touched20", 20);
    touched.write_touches(TOUCHES);
    writes(&mut rows, &ait, &touched);
    lists(&mut rows, &ait, &homes);
    shells(&mut rows, &mut missing, &ait, &homes[0]);

    // What was written for it would go to the disk while hooks are measured that write there.
    rustix::fs::sync();
    // The first rounds fill the caches and settle the index; they are not counted.
    let mut order: Vec<usize> = (0..rows.len()).collect();
    let mut random = Random(0x2545_f491_4f6c_dd1d);
    for round in 0..options.rounds + 3 {
        random.shuffle(&mut order);
        for at in &order {
            let time = rows[*at].time();
            if round >= 3 {
                rows[*at].times.push(time);
            }
        }
    }

    let figures = rows.into_iter().map(|row| Figure::new(row.name, row.budget, row.times)).collect();
    let size = std::fs::metadata(&ait).unwrap().len();
    println!("{}", Table { figures, missing, rounds: options.rounds, ended: options.ended, size });
}

/// What a person is used to wait for.
fn peers(rows: &mut Vec<Row>, missing: &mut Vec<String>, home: &Home) {
    let mut peer =
        |name: &str, program: &str, arguments: &[&str], right: fn(&str) -> bool| match programs::find(program) {
            Some(found) => rows.push(Row::new(name, Budget::None, home.command(&found, arguments), right)),
            None => missing.push(format!("{name}: {program} is not installed")),
        };
    peer("true", "true", &[], str::is_empty);
    peer("git rev-parse --abbrev-ref HEAD", "git", &["rev-parse", "--abbrev-ref", "HEAD"], |out| out == "main\n");
    peer("starship prompt", "starship", &["prompt"], |out| !out.is_empty());
}

fn prompts(rows: &mut Vec<Row>, ait: &Path, homes: &[Home]) {
    for home in homes {
        let live = home.live();
        let (budget, right): (_, fn(&str) -> bool) = match live {
            0 => (Budget::None, str::is_empty),
            1..=20 => (Budget::Floors { most: 2.0, aim: Some(1.5) }, |out| out.contains("project0000")),
            _ => (Budget::OfItsOwn { most: 1.15, row: "ait prompt, 20 live" }, |out| out.contains("project0000")),
        };
        let command = home.command(ait, &["prompt", "--for", "zsh"]);
        rows.push(Row::new(format!("ait prompt, {live} live"), budget, command, right));
    }
}

/// What happens at each event of a session.
fn events(rows: &mut Vec<Row>, ait: &Path, busy: &[Home], at_rest: &Home) {
    let edit = r#","tool_name":"Edit","tool_input":{"file_path":"/a.txt","old_string":"alpha","new_string":"beta","replace_all":false},"tool_response":{"filePath":"/a.txt","oldString":"alpha","newString":"beta","originalFile":"alpha\n","structuredPatch":[],"userModified":false,"replaceAll":false},"tool_use_id":"toolu_6b5f52ec11ad4b7fb027b7cb","duration_ms":48"#;
    let budget = || Budget::Floors { most: 4.0, aim: None };
    let home = &busy[0];
    // The state must change for the time to be that of a change of state.
    let stop = || home.hook(ait, 0, "Stop", "");
    let ask = || home.hook(ait, 0, "UserPromptSubmit", r#","prompt":"Refactor the index""#);
    rows.push(Row::new("ait hook, UserPromptSubmit, 20 live", budget(), ask(), str::is_empty).after(stop()));
    let edit = home.hook(ait, 0, "PostToolUse", edit);
    rows.push(Row::new("ait hook, PostToolUse of Edit, 20 live", budget(), edit, str::is_empty).after(ask()));
    rows.push(Row::new("ait hook, Stop, 20 live", budget(), stop(), str::is_empty).after(ask()));

    // Another session has just changed its state: the index is older than the folder.
    for home in busy {
        let event = home.hook(ait, home.live() - 1, "UserPromptSubmit", r#","prompt":"Refactor the index""#);
        let command = home.command(ait, &["prompt", "--for", "zsh"]);
        let name = format!("ait prompt, {} live, one has just changed", home.live());
        rows.push(Row::new(name, Budget::None, command, |out| out.contains("project0000")).after(event));
    }
    // The client runs its status line when something has happened, so the second is its usual case.
    let right: fn(&str) -> bool = |out| out.contains("Opus");
    let name = "ait statusline, 20 live";
    let budget = Budget::Floors { most: 2.2, aim: None };
    rows.push(Row::new(name, budget, at_rest.statusline(ait), right));
    let name = format!("{name}, one has just changed");
    rows.push(Row::new(name, Budget::None, home.statusline(ait), right).after(stop()));
}

/// What happens around a write, where every session has written thousands of files within the hour.
fn writes(rows: &mut Vec<Row>, ait: &Path, home: &Home) {
    for (event, whose, file) in [
        ("PreToolUse", "own", "src/file3.rs"),
        ("PreToolUse", "a sibling's", "src/file7.rs"),
        ("PostToolUse", "own", "src/file3.rs"),
    ] {
        let file = home.tree(0).join(file);
        let payload = format!(
            r#","tool_name":"Edit","tool_input":{{"file_path":"{0}"}},"tool_response":{{"filePath":"{0}"}}"#,
            file.display()
        );
        let name = format!("ait hook, {event} of Edit, {whose} file, 20 live x {TOUCHES} touches");
        let command = home.hook(ait, 0, event, &payload);
        // As the other events are: one comes after another.
        let before = match event {
            "PreToolUse" => home.hook(ait, 0, "UserPromptSubmit", r#","prompt":"Refactor the index""#),
            _ => home.hook(ait, 0, "PreToolUse", &payload),
        };
        rows.push(Row::new(name, Budget::Floors { most: 4.0, aim: None }, command, |_| true).after(before));
    }
}

fn lists(rows: &mut Vec<Row>, ait: &Path, homes: &[Home]) {
    for (live, most) in [(20, 3.0), (1000, 60.0)] {
        let home = homes.iter().find(|home| home.live() == live).unwrap();
        let command = home.command(ait, &["sessions", "live"]);
        let budget = Budget::Floors { most, aim: None };
        rows.push(Row::new(format!("ait sessions live, {live} live"), budget, command, |out| {
            out.contains("project0000")
        }));
    }
    let command = homes[3].command(ait, &["sessions", "history", "--days", "7"]);
    rows.push(Row::new("ait sessions history --days 7", Budget::None, command, |out| out.contains("project0")));
}

/// What a shell takes to have the segment, and what it takes for a prompt where nothing is live.
fn shells(rows: &mut Vec<Row>, missing: &mut Vec<String>, ait: &Path, home: &Home) {
    let source = |shell: &str| {
        let ait = ait.display();
        if shell == "fish" {
            format!("'{ait}' init fish | source")
        } else {
            format!("eval \"$('{ait}' init {shell})\"")
        }
    };
    let prompt = |shell: &str| match shell {
        "zsh" => format!("repeat {PROMPTS} {{ for f in $precmd_functions; do $f; done }}"),
        "bash" => format!(
            "for ((i = 0; i < {PROMPTS}; i++)); do for c in \"${{PROMPT_COMMAND[@]}}\"; do eval \"$c\"; done; done"
        ),
        _ => format!("for i in (seq {PROMPTS}); emit fish_prompt; fish_right_prompt >/dev/null; end"),
    };
    for (shell, bare) in
        [("zsh", &["-f", "-c"][..]), ("bash", &["--norc", "--noprofile", "-c"]), ("fish", &["--no-config", "-c"])]
    {
        let Some(program) = programs::find(shell) else {
            missing.push(format!("{shell}: not installed"));
            continue;
        };
        if !home.command(ait, &["init", shell]).run().success {
            missing.push(format!("{shell}: this program has no ait init"));
            continue;
        }
        let run = |script: &str| home.command(&program, &[bare, &[script]].concat());
        let name = format!("{shell}: sourcing ait init");
        rows.push(Row::new(name, Budget::None, run(&source(shell)), str::is_empty).less(run(":"), 1));
        let (name, script) =
            (format!("{shell}: a prompt, nothing live"), format!("{}\n{}\ntrue", source(shell), prompt(shell)));
        let budget = Budget::Microseconds(100.0);
        rows.push(Row::new(name, budget, run(&script), str::is_empty).less(run(&source(shell)), PROMPTS));
    }
}

struct Options {
    rounds: usize,
    /// Sessions in history.
    ended: usize,
}

impl Options {
    fn of(mut arguments: impl Iterator<Item = String>) -> Options {
        let mut options = Options { rounds: 200, ended: 100_000 };
        while let Some(argument) = arguments.next() {
            match argument.as_str() {
                // Cargo's own.
                "--bench" => {}
                "--quick" => options = Options { rounds: 20, ended: 10_000 },
                "--rounds" => {
                    let rounds = arguments.next().and_then(|rounds| rounds.parse().ok());
                    options.rounds = rounds.filter(|rounds| *rounds > 0).expect("--rounds takes a number");
                }
                other => panic!("{other}: not known; there are --rounds N and --quick"),
            }
        }
        options
    }
}

/// xorshift64: an order that is the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
    }

    fn shuffle(&mut self, order: &mut [usize]) {
        for at in (1..order.len()).rev() {
            order.swap(at, self.below(at + 1));
        }
    }
}
