//! Whole processes: the floor, peers, and every command of `ait` that is run often.

use std::path::Path;

use crate::command::{Command, Outcome};
use crate::home::{Home, SUBMITTED, Spread};
use crate::lab::Lab;
use crate::programs::{self, Ait};
use crate::random::Random;
use crate::table::{self, Summary};

/// Numbers of live sessions.
const LIVE: [usize; 6] = [0, 1, 5, 20, 200, 1000];
/// How many files each session has written, where writing is measured.
const FILES: usize = 5000;
/// How many of the first rounds only fill caches.
const WARM_UP: usize = 3;

/// The most that a row may cost.
enum Budget {
    None,
    /// Times the floor, and microseconds on top of it.
    Floors(f64, f64),
    /// Times the floor on top of another row.
    Above(String, f64),
}

/// One line of the table.
struct Row {
    name: String,
    budget: Budget,
    command: Command,
    /// Run before the command, and not measured.
    before: Option<Command>,
    /// Whether the output is as expected.
    expected: fn(&str) -> bool,
    times: Vec<f64>,
}

impl Row {
    fn new(name: impl Into<String>, budget: Budget, command: Command, expected: fn(&str) -> bool) -> Row {
        Row { name: name.into(), budget, command, before: None, expected, times: Vec::new() }
    }

    fn before(mut self, command: Command) -> Row {
        self.before = Some(command);
        self
    }

    fn time(&self) -> f64 {
        if let Some(before) = &self.before {
            self.check(&before.run(), |_| true);
        }
        let outcome = self.command.run();
        self.check(&outcome, self.expected);
        outcome.microseconds
    }

    fn check(&self, outcome: &Outcome, expected: fn(&str) -> bool) {
        let stdout = String::from_utf8_lossy(&outcome.stdout);
        assert!(outcome.success && expected(&stdout), "{}: success {}: {stdout:.300}", self.name, outcome.success);
    }
}

/// Rows, and what could not be measured.
pub(crate) struct Processes {
    rows: Vec<Row>,
    missing: Vec<String>,
}

impl Processes {
    /// Prepares all rows.
    pub(crate) fn new(lab: &Lab, programs: &Ait) -> Processes {
        let ait = &programs.program;
        let floor = programs::floor(&lab.path(""));
        let name = format!("the floor: {}", floor.description);
        let floor = Command::new(&floor.program, &[], &[], &lab.path(""));
        let mut this =
            Processes { rows: vec![Row::new(name, Budget::None, floor, str::is_empty)], missing: Vec::new() };
        let quiet = LIVE.map(|live| lab.home(ait, &format!("quiet{live}"), live, Spread::Trees));
        let busy = LIVE.map(|live| lab.home(ait, &format!("busy{live}"), live, Spread::Trees));
        let twenty = LIVE.iter().position(|live| *live == 20).expect("a home with 20 live sessions");
        this.add_peers(&quiet[twenty]);
        for (quiet, busy) in quiet.iter().zip(&busy) {
            this.add_prompts(ait, quiet, busy);
        }
        this.add_variants(lab, programs, &quiet[twenty]);
        this.add_status_lines(ait, &quiet[twenty], &busy[twenty]);
        this.add_hooks(ait, &busy[twenty]);
        this.add_writes(ait, &lab.home(ait, "written20", 20, Spread::Trees));
        for (quiet, busy) in quiet.iter().zip(&busy) {
            this.add_lists(ait, quiet, busy);
        }
        this
    }

    fn add(&mut self, row: Row) {
        self.rows.push(row);
    }

    /// What a person is used to.
    fn add_peers(&mut self, home: &Home) {
        let mut system = |name: &str, arguments: &[&str], expected: fn(&str) -> bool| match programs::find(name) {
            Some(program) => {
                let command = home.command(&program, arguments);
                self.rows.push(Row::new([&[name], arguments].concat().join(" "), Budget::None, command, expected));
            }
            None => self.missing.push(format!("{name}: not installed")),
        };
        system("true", &[], str::is_empty);
        system("git", &["rev-parse", "--abbrev-ref", "HEAD"], |out| out == "main\n");

        let mut peer = |name: &str, what: &str, command: &dyn Fn(&Path) -> Row| match programs::peer(name) {
            Some((program, version)) => {
                let mut row = command(&program);
                row.name = format!("{name} {version}: {what}");
                self.rows.push(row);
            }
            None => self.missing.push(format!("{name}: {what}: not installed; type: sh benches/peers.sh")),
        };
        let some = |out: &str| !out.is_empty();
        peer("starship", "prompt", &|program| Row::new("", Budget::None, home.command(program, &["prompt"]), some));
        let lines = "[cship]\nlines = [\"$cship.model $cship.context_bar $cship.cost\"]\n";
        crate::home::write(&home.folder().join(".config/cship.toml"), lines);
        peer("cship", "status line", &|program| Row::new("", Budget::None, home.status_line(program, &[]), some));
        let set = |program: &Path, event: &str| {
            home.with_payload(program, &["set", "--agent", "claude-code", event], 0, "Stop", "")
        };
        peer("agent-status", "status, one of 20 waits", &|program| {
            for session in 0..20 {
                let event = if session == 0 { "done" } else { "working" };
                let arguments = ["set", "--agent", "claude-code", event];
                assert!(home.with_payload(program, &arguments, session, "Stop", "").run().success);
            }
            Row::new("", Budget::None, home.command(program, &["status"]), some)
        });
        peer("agent-status", "hook, a state change", &|program| {
            Row::new("", Budget::None, set(program, "done"), str::is_empty).before(set(program, "working"))
        });
    }

    fn add_prompts(&mut self, ait: &Path, quiet: &Home, busy: &Home) {
        let live = quiet.live();
        let budget = || match live {
            0 => Budget::None,
            1..=5 => Budget::Floors(2.0, 0.0),
            _ => Budget::Floors(2.5, 5.0 * (live - 20) as f64),
        };
        let expected: fn(&str) -> bool = if live == 0 { str::is_empty } else { shows_project };
        let prompt = |home: &Home| home.command(ait, &["prompt", "--for", "zsh"]);
        let name = prompt_name(live);
        self.add(Row::new(&name, budget(), prompt(quiet), expected));
        if live > 0 {
            let event = busy.hook(ait, live - 1, "UserPromptSubmit", SUBMITTED);
            self.add(Row::new(name + AFTER_EVENT, budget(), prompt(busy), expected).before(event));
        }
    }

    /// Other forms of `ait prompt` with 20 live sessions.
    fn add_variants(&mut self, lab: &Lab, ait: &Ait, quiet: &Home) {
        let program = &ait.program;
        let arguments = ["prompt", "--for", "zsh"];
        let budget = || Budget::Floors(2.5, 0.0);
        let for_shell = quiet.command(program, &arguments).variable("AIT_PROMPT_REUSE", "1");
        let name = format!("{}, with the conditions for a shell", prompt_name(20));
        self.add(Row::new(name, budget(), for_shell, shows_project));

        let name = format!("{}, all in one tree", prompt_name(20));
        let home = lab.home(program, "quiet-tree", 20, Spread::OneTree);
        self.add(Row::new(&name, budget(), home.command(program, &arguments), shows_project));
        let home = lab.home(program, "busy-tree", 20, Spread::OneTree);
        let event = home.hook(program, 19, "UserPromptSubmit", SUBMITTED);
        self.add(
            Row::new(name + AFTER_EVENT, budget(), home.command(program, &arguments), shows_project).before(event),
        );

        let name = format!("{}, without the arena", prompt_name(20));
        match &ait.system_allocator {
            Ok(program) => self.add(Row::new(name, Budget::None, quiet.command(program, &arguments), shows_project)),
            Err(reason) => self.missing.push(format!("{name}: {reason}")),
        }
    }

    fn add_status_lines(&mut self, ait: &Path, quiet: &Home, busy: &Home) {
        let expected: fn(&str) -> bool = |out| out.contains("Opus");
        let name = "ait statusline, 20 live";
        let budget = Budget::Above(prompt_name(20), 0.3);
        self.add(Row::new(name, budget, quiet.status_line(ait, &["statusline"]), expected));
        let budget = Budget::Above(prompt_name(20) + AFTER_EVENT, 0.3);
        let row = Row::new(name.to_owned() + AFTER_EVENT, budget, busy.status_line(ait, &["statusline"]), expected);
        self.add(row.before(busy.hook(ait, 0, "UserPromptSubmit", SUBMITTED)));
    }

    /// One hook after another, as they come. Each changes the state that the one before it left.
    fn add_hooks(&mut self, ait: &Path, home: &Home) {
        let submit = || home.hook(ait, 0, "UserPromptSubmit", SUBMITTED);
        let stop = || home.hook(ait, 0, "Stop", "");
        let budget = || Budget::Floors(4.0, 0.0);
        self.add(Row::new("ait hook, UserPromptSubmit, 20 live", budget(), submit(), |_| true).before(stop()));
        self.add(Row::new("ait hook, Stop, 20 live", budget(), stop(), |_| true).before(submit()));
    }

    /// Hooks around an edit. Every session has written thousands of files within the hour.
    fn add_writes(&mut self, ait: &Path, home: &Home) {
        let shared = home.write_file_logs(FILES);
        let own = home.tree().join("src/file0-3.rs");
        for (event, whose, file) in [
            ("PreToolUse", "its own", &own),
            ("PreToolUse", "another session's", &shared),
            ("PostToolUse", "its own", &own),
        ] {
            let payload = format!(
                r#","tool_name":"Edit","tool_input":{{"file_path":"{0}","old_string":"alpha","new_string":"beta","replace_all":false}},"tool_response":{{"filePath":"{0}","oldString":"alpha","newString":"beta","originalFile":"alpha\n","structuredPatch":[],"userModified":false,"replaceAll":false}},"tool_use_id":"toolu_6b5f52ec11ad4b7fb027b7cb","duration_ms":48"#,
                file.display()
            );
            let before = match event {
                "PreToolUse" => home.hook(ait, 0, "UserPromptSubmit", SUBMITTED),
                _ => home.hook(ait, 0, "PreToolUse", &payload),
            };
            let name = format!("ait hook, {event} of Edit, {whose} file, 20 live, {FILES} files written by each");
            let row = Row::new(name, Budget::Floors(4.5, 0.0), home.hook(ait, 0, event, &payload), |_| true);
            self.add(row.before(before));
        }
    }

    fn add_lists(&mut self, ait: &Path, quiet: &Home, busy: &Home) {
        let live = quiet.live();
        if live != 20 && live != 1000 {
            return;
        }
        let budget = || if live == 20 { Budget::Floors(6.0, 0.0) } else { Budget::None };
        let list = |home: &Home| home.command(ait, &["sessions", "live"]);
        let name = format!("ait sessions live, {live} live");
        self.add(Row::new(&name, budget(), list(quiet), shows_project));
        let event = busy.hook(ait, live - 1, "UserPromptSubmit", SUBMITTED);
        self.add(Row::new(name + AFTER_EVENT, budget(), list(busy), shows_project).before(event));
        if live == 20 {
            let command = quiet.command(ait, &["sessions", "history", "--days", "7"]);
            self.add(Row::new("ait sessions history --days 7", Budget::None, command, |out| out.contains("project0")));
        }
    }

    /// Runs every row once a round, each round in another order: whatever else the machine does, and whatever a command
    /// leaves in the caches, affects all rows alike.
    pub(crate) fn measure(mut self, rounds: usize) -> String {
        // Otherwise files of the lab are written to the disk while hooks are measured.
        rustix::fs::sync();
        let mut order: Vec<usize> = (0..self.rows.len()).collect();
        let mut random = Random::new();
        for round in 0..WARM_UP + rounds {
            random.shuffle(&mut order);
            for row in &order {
                let time = self.rows[*row].time();
                if round >= WARM_UP {
                    self.rows[*row].times.push(time);
                }
            }
        }
        self.table()
    }

    fn table(self) -> String {
        let figures: Vec<(String, Budget, Summary)> =
            self.rows.into_iter().map(|row| (row.name, row.budget, Summary::of(row.times))).collect();
        let floor = figures[0].2.median;
        let header = ["whole process", "median us", "p95 us", "x floor", "budget", ""];
        let mut rows = vec![header.map(str::to_owned).to_vec()];
        for (name, budget, summary) in &figures {
            let (budget, verdict) = judge(budget, summary.median, floor, &figures);
            let [median, p95] = [summary.median, summary.p95].map(|time| format!("{time:.0}"));
            rows.push(vec![name.clone(), median, p95, format!("{:.2}", summary.median / floor), budget, verdict]);
        }
        let missing: String = self.missing.iter().map(|missing| format!("not measured: {missing}\n")).collect();
        table::align(&rows) + &missing
    }
}

/// The budget in words, and whether it holds.
fn judge(budget: &Budget, median: f64, floor: f64, figures: &[(String, Budget, Summary)]) -> (String, String) {
    match budget {
        Budget::None => (String::new(), String::new()),
        Budget::Floors(most, 0.0) => (format!("{most} x"), table::verdict(median <= most * floor)),
        Budget::Floors(most, more) => (format!("{most} x + {more} us"), table::verdict(median <= most * floor + more)),
        Budget::Above(row, most) => {
            let other = figures.iter().find(|(name, ..)| name == row).map_or(f64::NAN, |(.., summary)| summary.median);
            (format!("prompt + {most} x"), table::verdict(median <= other + most * floor))
        }
    }
}

const AFTER_EVENT: &str = ", right after an event";

fn prompt_name(live: usize) -> String {
    format!("ait prompt, {live} live")
}

fn shows_project(out: &str) -> bool {
    out.contains("project0000")
}
