//! What the fast three ask of the kernel in the usual case: these files, so many calls, and nothing else. Counted from
//! where `main` begins, so that the loader of a build for tests does not matter. strace is installed by tests/run.sh.
#![cfg(target_os = "linux")]

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;
use std::time::Duration;

use crate::common::{AIT, Client, World, payload};
use serde_json::{Value, json};

/// A home with live sessions, each in a tree of its own, and an index that is believed.
struct Lab {
    world: World,
    client: Client,
}

impl Lab {
    fn new(live: usize) -> Lab {
        let lab = Lab { world: World::new(), client: Client::new() };
        let pid = lab.client.pid();
        let stamp = json!({"pid_start": lab.client.start(), "boot_id": ait::sys::process::boot_id(), "host": ait::sys::process::host()});
        lab.world.folder("elsewhere");
        lab.world.write("tree0/.git/HEAD", "ref: refs/heads/main\n");
        lab.world.write("tree0/.git/refs/heads/main", "ce013625030ba8dba906f756967f9e9ca394464a\n");
        lab.world.write("tree0/a.txt", "written by a tool\n");
        for session in 0..live {
            lab.world.write(&format!("tree{session}/.git/HEAD"), "ref: refs/heads/main\n");
            lab.world.by_hand(&format!("s{session}"), pid, &lab.tree(session), stamp.clone());
        }
        lab.world.write(".gitconfig", "");
        let record =
            json!({"pid": pid, "sessionId": "s0", "procStart": lab.client.start().to_string(), "status": "busy"});
        lab.world.write(&format!(".claude/sessions/{pid}.json"), &record.to_string());
        lab.settle();
        lab
    }

    fn tree(&self, session: usize) -> PathBuf {
        self.world.path(&format!("tree{session}"))
    }

    /// Leaves an index that is believed.
    fn settle(&self) {
        std::thread::sleep(Duration::from_millis(60));
        self.world.ait().at(&self.tree(0)).run("prompt").fine();
    }

    /// What a command in a folder asks of the kernel after `main` has begun.
    fn calls(&self, folder: &Path, words: &[&str], input: &str) -> Calls {
        let trace = self.world.path("trace");
        let ask = self.world.ait().at(folder).client(&self.client, "s0").var("TZ", "America/Denver");
        let mut command = ask.command("strace");
        command.args(["-f", "-y", "-s", "256", "-o"]).arg(&trace).arg(AIT).args(words);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        let text = fs::read_to_string(&trace).unwrap();
        // Each line begins with the number of the process.
        let lines = text.lines().map(|line| line.split_once(' ').unwrap().1.trim_start().to_owned());
        // The first thing that `main` does is to look whether its standard input is open. Builds with debug assertions
        // ask the same of each descriptor that they close.
        let lines = lines.skip_while(|line| !line.starts_with("fcntl(0")).filter(|line| !line.contains("F_GETFD"));
        Calls { lines: lines.collect(), output: String::from_utf8(output.stdout).unwrap(), home: self.world.path("") }
    }

    fn prompt(&self, session: usize) -> Calls {
        let calls = self.calls(&self.tree(session), &["prompt", "--for", "zsh"], "");
        assert!(calls.output.contains("Implementing"), "{}", calls.output);
        calls
    }

    fn hook(&self, event: &str, more: Value) -> Calls {
        let payload = payload(event, "s0", &self.tree(0), more).to_string();
        self.calls(&self.tree(0), &["hook", "session-register"], &payload)
    }
}

struct Calls {
    lines: Vec<String>,
    output: String,
    home: PathBuf,
}

impl Calls {
    /// The files that were opened or were to be opened, in order, with what changes from home to home written as a word.
    fn opened(&self) -> Vec<String> {
        self.lines.iter().filter(|line| line.starts_with("open")).map(|line| self.file(line)).collect()
    }

    /// The file of a call, whole: `openat(3</folder>, "name"` is in that folder.
    fn file(&self, line: &str) -> String {
        let name = line.split('"').nth(1).unwrap();
        let folder = line.split_once('<').map_or("", |(_, rest)| rest.split('>').next().unwrap());
        let file = Path::new(folder).join(name);
        let file = file.to_str().unwrap().replace(self.home.to_str().unwrap(), "~");
        file.split('/').map(as_word).collect::<Vec<_>>().join("/")
    }

    #[track_caller]
    fn opens(&self, wanted: &[&str]) {
        assert_eq!(self.opened(), wanted, "{:#?}", self.lines);
    }

    /// No process is started, and the kernel is asked at most so often.
    #[track_caller]
    fn at_most(&self, most: usize) {
        let starts = |line: &&String| ["fork", "vfork", "clone", "execve"].iter().any(|call| line.starts_with(call));
        assert_eq!(self.lines.iter().find(starts), None, "a process is started");
        // The last line says that it has ended.
        let count = self.lines.len() - 1;
        assert!(count <= most, "{count} calls, not {most}: {:#?}", self.lines);
    }
}

fn as_word(part: &str) -> &str {
    let stem = part.strip_suffix(".json").unwrap_or(part);
    let is_key = |part: &str| part.len() == 16 && part.bytes().all(|byte| byte.is_ascii_hexdigit());
    match stem {
        _ if !stem.is_empty() && stem.bytes().all(|byte| byte.is_ascii_digit()) => {
            if stem.len() == part.len() {
                "PID"
            } else {
                "PID.json"
            }
        }
        // The key of the root in the cache.
        _ if is_key(part) => "KEY",
        _ if part.strip_prefix("tree-").is_some_and(is_key) => "tree-KEY",
        _ => part,
    }
}

/// On Linux before 6.9 also `/proc/PID/stat`.
const PROMPT: [&str; 5] = [
    "~/tree0/.git/HEAD",
    "~/.claude/sessions/active",
    "~/.cache/ait/KEY/index",
    "~/.claude/sessions/PID.json",
    // Which files sessions of this tree have written lately.
    "~/.cache/ait/KEY/touched/tree-KEY",
];

#[test]
fn a_prompt_with_twenty_live_sessions() {
    let calls = Lab::new(20).prompt(0);
    calls.opens(&PROMPT);
    calls.at_most(30);
}

/// A larger index is read in three pieces more: its head, the block that is asked for, and the manifest.
#[test]
fn a_prompt_with_a_thousand_opens_no_more_than_with_twenty() {
    let calls = Lab::new(1000).prompt(0);
    calls.opens(&PROMPT);
    calls.at_most(33);
}

#[test]
fn a_prompt_where_nothing_is_live() {
    let lab = Lab::new(20);
    let calls = lab.calls(&lab.world.path("").join("elsewhere"), &["prompt", "--for", "zsh"], "");
    assert_eq!(calls.output, "");
    calls.opens(&[
        "~/elsewhere/.git/HEAD",
        "~/.git/HEAD",
        "/tmp/.git/HEAD",
        "/.git/HEAD",
        "~/.claude/sessions/active",
        "~/.cache/ait/KEY/index",
    ]);
    calls.at_most(18);
    // Nor was anything ever live.
    let none = Lab::new(0);
    let calls = none.calls(&none.tree(0), &["prompt", "--for", "zsh"], "");
    calls.opens(&["~/tree0/.git/HEAD", "~/.claude/sessions/active"]);
    calls.at_most(11);
}

#[test]
fn the_status_line() {
    let lab = Lab::new(20);
    let status = json!({
        "session_id": "s0",
        "cwd": lab.tree(0),
        "model": {"id": "claude-opus-5-5", "display_name": "Opus 5.5"},
        "workspace": {"current_dir": lab.tree(0), "project_dir": lab.tree(0)},
        "cost": {"total_cost_usd": 1.5},
        "context_window": {"used_percentage": 31},
    });
    let calls = lab.calls(&lab.tree(0), &["statusline"], &status.to_string());
    assert!(calls.output.contains("Opus"), "{}", calls.output);
    calls.opens(&PROMPT);
    calls.at_most(32);
}

#[test]
fn a_hook_between_start_and_end() {
    let lab = Lab::new(20);
    let write =
        |tool: &str, file: &str| json!({"tool_name": tool, "tool_input": {"file_path": lab.tree(0).join(file)}});
    for (event, more, most) in [
        ("UserPromptSubmit", json!({"prompt": "go"}), 44),
        ("PreToolUse", json!({"tool_name": "Bash"}), 44),
        ("PostToolUse", json!({"tool_name": "Bash"}), 44),
        ("PreToolUse", write("Edit", "a.txt"), 50),
        ("PostToolUse", write("Edit", "a.txt"), 61),
        // A file that is not there yet, in folders that are not: a look into each of these for a repository, no more.
        ("PreToolUse", write("Write", "new/deep/down/b.txt"), 49),
        ("PostToolUse", write("Write", "new/deep/down/b.txt"), 63),
        ("Notification", json!({"notification_type": "permission_prompt"}), 47),
        ("Stop", json!({}), 44),
    ] {
        // The first of its kind leaves a mark that it was seen.
        lab.hook(event, more.clone());
        let calls = lab.hook(event, more);
        calls.at_most(most);
    }
}
