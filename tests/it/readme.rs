//! The README tells the truth: every command in it can be typed, and every command and option group is in it.
use crate::common::tools::needs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};

use argh::CommandInfoWithArgs;

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// A line of shell as words: quotes and escapes taken off, cut at a pipe, a redirection, a comment or `;`.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, '2') if word.is_none() && characters.as_str().starts_with('>') => break,
            (None, '|' | '>' | '<' | '#' | ';' | '&' | ')' | '`') => break,
            (None, ' ') => words.extend(word.take()),
            (None, '\\') => word.get_or_insert_default().extend(characters.next()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

/// Every `ait ...` of a text that is set as code: in fenced blocks after `$ ` or at the start of a line, and in
/// backquotes. Alternatives (`zsh|bash`) and places to fill in (`DIR`) are no commands.
fn typed(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            let line = line.split_once("$ ").map_or(line, |(_, typed)| typed);
            found.extend(line.starts_with("ait ").then(|| line.to_owned()));
        } else {
            let code = line.split('`').skip(1).step_by(2).map(|code| code.replace("\\|", "|"));
            found.extend(code.filter_map(|code| code.find("ait ").map(|at| code.split_at(at).1.to_owned())));
        }
    }
    found.retain(|line| !line.starts_with("ait: "));
    found.retain(|line| !line.split(' ').any(|word| word.contains('|') && word != "|" && !word.starts_with('\'')));
    found
}

#[test]
fn every_command_in_it_can_be_typed() {
    let mut count = 0;
    for file in ["README.md", "CONTRIBUTING.md"] {
        for line in typed(&read(file)) {
            let words: Vec<String> = words(&line).into_iter().skip(1).collect();
            // Help is an answer too: for `--help`, and for a group of commands by its name.
            if let Err(ait::cli::Stop::Usage { error, .. }) = ait::cli::parse(&words) {
                panic!("{file}: `{line}`: {error}");
            }
            count += 1;
        }
    }
    assert!(count > 30, "only {count} commands were found: this test looks in the wrong places");
}

#[test]
fn every_command_is_in_it() {
    fn check(readme: &str, path: &str, command: &CommandInfoWithArgs) {
        assert!(command.commands.is_empty() || !command.name.is_empty());
        for inner in &command.commands {
            let path = format!("{path} {}", inner.name);
            assert!(!inner.command.commands.is_empty() || readme.contains(&path), "`{path}` is not in README.md");
            check(readme, &path, &inner.command);
        }
    }
    check(&read("README.md"), "ait", &ait::cli::description());
}

#[test]
fn every_token_and_variable_is_in_it() {
    let readme = read("README.md");
    for (name, ..) in ait::render::format::TOKENS {
        assert!(readme.contains(&format!("`{name}`")), "the token `{name}` is not in README.md");
    }
    assert!(readme.contains(ait::render::format::PROMPT), "the usual format is another one");
}

#[test]
fn every_file_that_it_names_is_there() {
    for file in ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        for target in read(file).split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            let local = !target.starts_with("http") && !target.starts_with('#');
            assert!(!local || Path::new(env!("CARGO_MANIFEST_DIR")).join(target).exists(), "{file}: {target}");
        }
    }
}

/// The machine that the README speaks of: two sessions in `~/shop`, one in a linked worktree of it.
struct Machine {
    home: PathBuf,
    processes: Vec<Child>,
}

const SESSIONS: [(&str, &str, i64, &str, &str); 3] = [
    ("3f9c1e07-64d2-4b8a-9a15-70c2de81b64f", "shop", 45, "Round prices to the cent", ""),
    ("8a52d7b3-1c0e-4f96-b7d4-25e9f0a3c618", "shop-login", 123, "Adding the login page", r#""Stop""#),
    (
        "c16e40f8-97ab-4d53-8e22-b3f70d159ac4",
        "shop",
        12,
        "Write tests for the cart",
        r#""PermissionRequest", "tool_name": "Bash""#,
    ),
];

impl Machine {
    fn new(name: &str) -> Machine {
        let home = std::env::temp_dir().join(format!("ait-test-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&home);
        std::fs::create_dir_all(home.join("shop")).unwrap();
        let mut machine = Machine { home: std::fs::canonicalize(home).unwrap(), processes: Vec::new() };
        for line in [
            "init --quiet",
            "symbolic-ref HEAD refs/heads/main",
            "commit --quiet --allow-empty --message Prices",
            "worktree add --quiet -b login ../shop-login",
        ] {
            let words: Vec<&str> = line.split(' ').collect();
            machine.run("git", "shop", &words, "", "");
        }
        std::fs::write(machine.home.join("shop-login/login.txt"), "").unwrap();
        for (id, folder, minutes, prompt, last) in SESSIONS {
            machine.processes.push(Command::new("sleep").arg("600").spawn().unwrap());
            let prompt = format!(r#""UserPromptSubmit", "prompt": "{prompt}""#);
            for event in [r#""SessionStart", "source": "startup""#, &prompt, last] {
                if !event.is_empty() {
                    machine.hook("session-register", id, folder, event);
                }
            }
            machine.age(id, minutes);
        }
        machine
    }

    /// What a program writes, standard error last.
    fn run(&self, program: &str, folder: &str, arguments: &[&str], input: &str, pid: &str) -> String {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(self.home.join(folder)).env_clear().env("HOME", &self.home);
        command.env("PATH", std::env::var("PATH").unwrap()).env("AIT_WIDTH", "100").env("CLAUDE_PID", pid);
        // A zone where it is evening: a session that began before midnight would show its date.
        let hour = jiff::Timestamp::now().as_second() / 3600 % 24;
        command.env("GIT_CONFIG_NOSYSTEM", "1").env("TZ", format!("EVE{}", hour - 18));
        for who in ["AUTHOR", "COMMITTER"] {
            command.env(format!("GIT_{who}_NAME"), "ait").env(format!("GIT_{who}_EMAIL"), "ait@localhost");
        }
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        String::from_utf8([output.stdout, output.stderr].concat()).unwrap()
    }

    fn hook(&self, name: &str, id: &str, folder: &str, event: &str) {
        let at = SESSIONS.iter().position(|session| session.0 == id).unwrap();
        let pid = self.processes.get(at).unwrap().id().to_string();
        let cwd = self.home.join(folder);
        let payload = format!(r#"{{"session_id": "{id}", "cwd": "{}", "hook_event_name": {event}}}"#, cwd.display());
        self.run(env!("CARGO_BIN_EXE_ait"), folder, &["hook", name], &payload, &pid);
    }

    /// Moves a session into the past.
    fn age(&self, id: &str, minutes: i64) {
        let path = self.home.join(".claude/sessions/active").join(format!("{id}.json"));
        let mut manifest: serde_json::Value = serde_json::from_slice(&std::fs::read(&path).unwrap()).unwrap();
        let ago = |minutes: i64| {
            let now = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap().as_secs();
            jiff::Timestamp::from_second(i64::try_from(now).unwrap() - 60 * minutes - 5).unwrap().to_string()
        };
        for (field, minutes) in [("started", minutes), ("state_since", 3), ("updated", 1)] {
            *manifest.get_mut(field).unwrap() = ago(minutes).into();
        }
        std::fs::write(path, manifest.to_string()).unwrap();
    }

    fn kill(&mut self, at: usize) {
        let process = self.processes.get_mut(at).unwrap();
        process.kill().unwrap();
        process.wait().unwrap();
    }
}

impl Drop for Machine {
    fn drop(&mut self) {
        for at in 0..self.processes.len() {
            self.kill(at);
        }
        let _ = std::fs::remove_dir_all(&self.home);
    }
}

/// Days and times of day are different every time.
fn timeless(text: &str) -> String {
    text.trim_end().chars().map(|character| if character.is_ascii_digit() { '0' } else { character }).collect()
}

/// What stands in a `console` block under each command, and where the command is typed.
fn sessions_shown(section: &str) -> Vec<(String, String, String)> {
    let mut shown: Vec<(String, String, String)> = Vec::new();
    for block in section.split("```console\n").skip(1).map(|rest| rest.split("```").next().unwrap()) {
        for line in block.lines() {
            match line.strip_prefix('~').and_then(|line| line.split_once(" $ ")) {
                Some((folder, typed)) => {
                    shown.push((folder.trim_start_matches('/').to_owned(), typed.to_owned(), String::new()));
                }
                None => {
                    let output = &mut shown.last_mut().unwrap().2;
                    output.push_str(line);
                    output.push('\n');
                }
            }
        }
    }
    shown
}

#[test]
fn what_it_shows_is_what_is_printed() {
    let readme = read("README.md");
    for section in ["## Sessions", "## Prompt"] {
        let text = readme.split(&format!("\n{section}\n")).nth(1).unwrap().split("\n## ").next().unwrap();
        let mut machine = Machine::new(&section.replace([' ', '#'], ""));
        let shown = sessions_shown(text);
        assert!(shown.len() > 2);
        for (folder, typed, wanted) in shown {
            if typed.ends_with("prune --dry-run") {
                machine.kill(2);
            } else if typed.ends_with("history") {
                let event = r#""SessionEnd", "reason": "prompt_input_exit""#;
                machine.hook("session-cleanup", SESSIONS[0].0, "shop", event);
            }
            let words = words(&typed);
            let words: Vec<&str> = words.iter().map(String::as_str).skip(1).collect();
            let printed = machine.run(env!("CARGO_BIN_EXE_ait"), &folder, &words, "", "");
            let printed = printed.replace(machine.home.to_str().unwrap(), "/home/you");
            // Times of day, days: the digits differ. Everywhere else they count.
            let (printed, wanted) = match typed.contains("history") || typed.contains("prune") {
                true => (timeless(&printed), timeless(&wanted)),
                false => (printed.trim_end().to_owned(), wanted.trim_end().to_owned()),
            };
            assert!(printed == wanted, "README.md: `{typed}` prints\n{printed}\nand not\n{wanted}");
        }
    }
}

#[test]
fn the_pictures_are_what_is_printed() {
    needs!("python3");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("shell/picture.py");
    let mut python = Command::new("python3");
    python.arg("-B").arg(script).arg("--check").env("AIT", env!("CARGO_BIN_EXE_ait"));
    let output = python.output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}
