//! Interactive shells: the time from Enter to the next prompt, with and without `ait`.

use std::path::Path;

use crate::command::Command;
use crate::home::{Home, SUBMITTED, Spread, write};
use crate::lab::Lab;
use crate::programs;
use crate::random::Random;
use crate::table::{self, Summary};
use crate::terminal::{READY, Terminal};

/// How many prompts come before each measured one: a shell that is in use has its memory in the caches of the processor.
const WARM_UP: usize = 3;

/// A part of the segment: the task. The project is not enough, because a shell may put the folder into the title.
const SEGMENT: &str = "Refactor";

/// A shell, and what differs between them.
struct Shell {
    name: &'static str,
    /// Interactive, and without the user's own configuration.
    arguments: &'static [&'static str],
    /// Makes it as large as a prompt framework with its plugins does, about 40 MB.
    grow: &'static str,
    prompt: &'static str,
    /// Milliseconds that `ait` may add to a prompt while nothing visible changes.
    budget: f64,
}

const SHELLS: [Shell; 3] = [
    Shell {
        name: "zsh",
        arguments: &["-f", "-i"],
        grow: "typeset -ga grown=({1..940000})",
        prompt: "PS1=",
        budget: 0.10,
    },
    Shell {
        name: "bash",
        arguments: &["--norc", "--noprofile", "-i"],
        grow: "grown=({1..132000})",
        prompt: "PS1=",
        budget: 0.10,
    },
    Shell {
        name: "fish",
        arguments: &["--no-config", "-i"],
        grow: "set -g grown (seq 137000)",
        prompt: "function fish_prompt; echo -n ",
        budget: 0.25,
    },
];

/// What a shell shows.
#[derive(Clone, Copy, PartialEq)]
enum Case {
    WithoutAit,
    /// So many live sessions, and nothing changes.
    Unchanged(usize),
    /// 20 live sessions, all in the tree of the shell.
    OneTree,
    /// 20 live sessions; one of the tree of the shell has just changed its state.
    Changed,
}

const CASES: [Case; 6] =
    [Case::WithoutAit, Case::Unchanged(0), Case::Unchanged(5), Case::Unchanged(20), Case::OneTree, Case::Changed];

/// One line of the table.
struct Row {
    shell: &'static Shell,
    grown: bool,
    case: Case,
    terminal: Terminal,
    /// One is run before each prompt, in turns: every one of them changes the state.
    events: Vec<Command>,
    times: Vec<f64>,
    /// How many of the measured prompts started a process.
    processes: usize,
    /// What was printed where the segment was missing, or there without reason.
    wrong: Vec<String>,
}

/// Rows, and what could not be measured.
pub(crate) struct Shells {
    rows: Vec<Row>,
    missing: Vec<String>,
}

impl Shells {
    /// Starts all shells.
    pub(crate) fn new(lab: &Lab, ait: &Path) -> Shells {
        let home = |name: &str, live, spread| lab.home(ait, name, live, spread);
        let homes = CASES.map(|case| match case {
            Case::WithoutAit => Some(home("shell-without", 20, Spread::Trees)),
            Case::Unchanged(live) => Some(home(&format!("shell{live}"), live, Spread::Trees)),
            Case::OneTree => Some(home("shell-tree", 20, Spread::OneTree)),
            // One for each shell, because an event in a home makes all its shells ask.
            Case::Changed => None,
        });
        let mut this = Shells { rows: Vec::new(), missing: Vec::new() };
        for shell in &SHELLS {
            let Some(program) = programs::find(shell.name) else {
                this.missing.push(format!("{}: not installed", shell.name));
                continue;
            };
            for grown in [false, true] {
                let own = home(&format!("shell-changed-{}-{grown}", shell.name), 20, Spread::Trees);
                for (case, home) in CASES.into_iter().zip(&homes) {
                    let home = home.as_ref().unwrap_or(&own);
                    this.rows.push(Row::start(shell, &program, grown, case, home, ait));
                }
            }
        }
        this
    }

    /// Presses Enter once a round in every shell, each round in another order.
    pub(crate) fn measure(mut self, rounds: usize) -> String {
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        let mut random = Random::new();
        for round in 0..rounds {
            random.shuffle(&mut order);
            for row in &order {
                self.rows[*row].prompt(round);
            }
        }
        self.table()
    }

    fn table(mut self) -> String {
        let header = ["Enter to next prompt", "median ms", "p95 ms", "more ms", "x without", "budget", ""];
        let mut rows = vec![header.map(str::to_owned).to_vec()];
        let mut base = f64::NAN;
        for row in self.rows {
            let (name, count) = (row.name(), row.times.len());
            assert!(row.wrong.len() * 10 <= count, "{name}: wrong segments, such as: {:?}", row.wrong[0]);
            if !row.wrong.is_empty() {
                self.missing.push(format!("{name}: {} of {count} prompts had a wrong segment", row.wrong.len()));
            }
            let summary = Summary::of(row.times);
            let mut cells = vec![name, format!("{:.2}", summary.median), format!("{:.2}", summary.p95)];
            if row.case == Case::WithoutAit {
                base = summary.median;
                cells.resize(header.len(), String::new());
            } else {
                let more = summary.median - base;
                cells.extend([format!("{more:+.2}"), format!("{:.2}", summary.median / base)]);
                let started = format!("{} of {count} started a process", row.processes);
                if row.case == Case::Changed {
                    cells.extend([String::new(), started]);
                } else {
                    // A few prompts ask because a minute has passed.
                    let holds = more <= row.shell.budget && row.processes * 20 <= count;
                    let budget = format!("+{:.2} ms, no process", row.shell.budget);
                    cells.extend([budget, format!("{}; {started}", table::verdict(holds))]);
                }
            }
            rows.push(cells);
        }
        let missing: String = self.missing.iter().map(|missing| format!("not measured: {missing}\n")).collect();
        table::align(&rows) + &missing
    }
}

impl Row {
    fn start(shell: &'static Shell, program: &Path, grown: bool, case: Case, home: &Home, ait: &Path) -> Row {
        let mut setup = String::new();
        if grown {
            setup.push_str(&format!("{}\n", shell.grow));
        }
        let end = if shell.name == "fish" { "; end" } else { "" };
        setup.push_str(&format!("{}'{READY}'{end}\n", shell.prompt));
        if case != Case::WithoutAit {
            let init = home.command(ait, &["init", shell.name]).run();
            assert!(init.success, "ait init {}", shell.name);
            setup.push_str(&String::from_utf8(init.stdout).expect("a script in UTF-8"));
        }
        let file = home.folder().join(format!("setup-{}-{grown}", shell.name));
        write(&file, &setup);
        let terminal = Terminal::start(program, shell.arguments, &home.variables(), &home.tree(), &file);
        let mut events = Vec::new();
        if case == Case::Changed {
            events.push(home.hook(ait, 0, "Stop", ""));
            events.push(home.hook(ait, 0, "UserPromptSubmit", SUBMITTED));
        }
        Row { shell, grown, case, terminal, events, times: Vec::new(), processes: 0, wrong: Vec::new() }
    }

    /// Presses Enter some times and measures the last one.
    fn prompt(&mut self, round: usize) {
        let shows_segment = !matches!(self.case, Case::WithoutAit | Case::Unchanged(0));
        let segment = if shows_segment { SEGMENT } else { "" };
        for _ in 0..WARM_UP {
            self.terminal.press_enter(segment);
        }
        if !self.events.is_empty() {
            let event = self.events[round % self.events.len()].run();
            assert!(event.success, "{}: an event", self.name());
        }
        let prompt = self.terminal.press_enter(segment);
        if prompt.text.contains(SEGMENT) != shows_segment {
            self.wrong.push(prompt.text);
        }
        self.times.push(prompt.milliseconds);
        self.processes += usize::from(prompt.process);
    }

    fn name(&self) -> String {
        let size = if self.grown { format!("grown to {} MB", self.terminal.megabytes()) } else { "plain".to_owned() };
        let case = match self.case {
            Case::WithoutAit => "without ait".to_owned(),
            Case::Unchanged(0) => "nothing live".to_owned(),
            Case::Unchanged(live) => format!("{live} live, unchanged"),
            Case::OneTree => "20 live in one tree, unchanged".to_owned(),
            Case::Changed => "20 live, one just changed".to_owned(),
        };
        format!("{}, {size}: {case}", self.shell.name)
    }
}
