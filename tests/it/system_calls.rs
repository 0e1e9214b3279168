//! What the fast commands ask of the kernel in the usual case: which files they open, and that they start no process.
//! strace is installed by tests/run.sh.
#![cfg(target_os = "linux")]

use crate::common::tools::needs;
use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use crate::common::{AIT, Client, TestEnv, payload};
use serde_json::{Value, json};

/// A home with live sessions, each in a tree of its own.
struct Lab {
    env: TestEnv,
    client: Client,
}

impl Lab {
    fn new(live: usize) -> Lab {
        let lab = Lab { env: TestEnv::new(), client: Client::new() };
        let pid = lab.client.pid();
        let manifest = |tree: PathBuf| {
            json!({
                "pid_start": lab.client.start_time(), "boot_id": ait::sys::process::boot_id(),
                "host": ait::sys::process::host(), "tree": tree, "repository": tree.join(".git"),
                "git_branch": "main", "head": "ce013625030ba8dba906f756967f9e9ca394464a",
            })
        };
        lab.env.create_dir("elsewhere");
        lab.env.write_file("tree0/.git/HEAD", "ref: refs/heads/main\n");
        lab.env.write_file("tree0/.git/refs/heads/main", "ce013625030ba8dba906f756967f9e9ca394464a\n");
        lab.env.write_file("tree0/a.txt", "written by a tool\n");
        for session in 0..live {
            lab.env.write_file(&format!("tree{session}/.git/HEAD"), "ref: refs/heads/main\n");
            lab.env.write_manifest(&format!("s{session}"), pid, &lab.tree(session), manifest(lab.tree(session)));
        }
        lab.env.write_file(".gitconfig", "");
        let record =
            json!({"pid": pid, "sessionId": "s0", "procStart": lab.client.start_time().to_string(), "status": "busy"});
        lab.env.write_file(&format!(".claude/sessions/{pid}.json"), &record.to_string());
        lab
    }

    fn tree(&self, session: usize) -> PathBuf {
        self.env.path(&format!("tree{session}"))
    }

    /// What a command in a folder asks of the kernel.
    fn calls(&self, folder: &Path, words: &[&str], input: &str) -> Calls {
        let trace = self.env.path("trace");
        let ask = self.env.ait().current_dir(folder).child_of(&self.client, "s0").env("TZ", "America/Denver");
        let mut command = ask.command("strace");
        command.args(["-f", "-y", "-s", "256", "-o"]).arg(&trace).arg(AIT).args(words);
        let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
        let text = fs::read_to_string(&trace).unwrap();
        // Each line begins with the number of the process.
        let lines = text.lines().map(|line| line.split_once(' ').unwrap().1.trim_start().to_owned());
        // The first line is the program itself.
        let lines = lines.skip(1);
        Calls { lines: lines.collect(), output: String::from_utf8(output.stdout).unwrap(), home: self.env.path("") }
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
    /// The files below the home that were opened or were to be opened, in order, with what changes from home to home
    /// written as a word.
    fn opened(&self) -> Vec<String> {
        let files = self.lines.iter().filter(|line| line.starts_with("open")).map(|line| self.file(line));
        files.filter(|file| file.starts_with("~/") && *file != "~/.claude/sessions/active/.").collect()
    }

    /// Those but the manifests, each of which must have been opened once.
    #[track_caller]
    fn opens(&self, wanted: &[&str], manifests: usize) {
        let (mut read, others): (Vec<String>, Vec<String>) =
            self.opened().into_iter().partition(|file| file.starts_with("~/.claude/sessions/active/"));
        assert_eq!(others, wanted, "{:#?}", self.lines);
        read.sort();
        read.dedup();
        assert_eq!(read.len(), manifests, "{read:#?}");
        let calls = self.opened().len() - others.len();
        assert_eq!(calls, manifests, "each manifest is read once");
        self.starts_nothing();
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
    fn starts_nothing(&self) {
        let starts = |line: &&String| ["fork", "vfork", "clone", "execve"].iter().any(|call| line.starts_with(call));
        assert_eq!(self.lines.iter().find(starts), None, "a process is started");
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
        _ => part,
    }
}

const PROMPT: [&str; 5] = [
    "~/.config/ait/config.toml",
    "~/tree0/.git/HEAD",
    "~/.cache/ait/roots",
    "~/.claude/sessions/active",
    "~/.claude/sessions/PID.json",
];

#[test]
fn a_prompt_reads_each_manifest_once_and_the_record_of_its_own_session() {
    needs!("strace");
    for live in [1, 20] {
        Lab::new(live).prompt(0).opens(&PROMPT, live);
    }
}

#[test]
fn a_prompt_looks_at_no_more_than_a_thousand_names() {
    needs!("strace");
    let lab = Lab::new(1_100);
    let calls = lab.calls(&lab.tree(0), &["prompt"], "");
    let read = calls.opened().iter().filter(|file| file.starts_with("~/.claude/sessions/active/")).count();
    assert!((990..=1_000).contains(&read), "{read}");
    calls.starts_nothing();
}

#[test]
fn a_prompt_where_nothing_is_live() {
    needs!("strace");
    let lab = Lab::new(20);
    let calls = lab.calls(&lab.env.path("elsewhere"), &["prompt", "--for", "zsh"], "");
    assert_eq!(calls.output, "");
    calls.opens(
        &[
            "~/.config/ait/config.toml",
            "~/elsewhere/.git/HEAD",
            "~/.git/HEAD",
            "~/.cache/ait/roots",
            "~/.claude/sessions/active",
        ],
        20,
    );
    let none = Lab::new(0);
    let calls = none.calls(&none.tree(0), &["prompt", "--for", "zsh"], "");
    calls.opens(
        &["~/.config/ait/config.toml", "~/tree0/.git/HEAD", "~/.cache/ait/roots", "~/.claude/sessions/active"],
        0,
    );
}

#[test]
fn the_status_line_reads_what_a_prompt_reads() {
    needs!("strace");
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
    // And it marks that it ran, for `ait hooks list`, and shows the limits that other sessions were told.
    let (configuration, sessions) = PROMPT.split_at(1);
    let wanted = [&["~/.cache/ait/KEY/seen"], configuration, &["~/.cache/ait/KEY/limits"], sessions].concat();
    calls.opens(&wanted, 20);
}

#[test]
fn a_hook_between_start_and_end_reads_its_own_manifest_and_starts_no_process() {
    needs!("strace");
    let lab = Lab::new(20);
    let write =
        |tool: &str, file: &str| json!({"tool_name": tool, "tool_input": {"file_path": lab.tree(0).join(file)}});
    for (event, more) in [
        ("UserPromptSubmit", json!({"prompt": "go"})),
        ("PreToolUse", json!({"tool_name": "Bash"})),
        ("PostToolUse", json!({"tool_name": "Bash"})),
        ("PreToolUse", write("Edit", "a.txt")),
        ("PostToolUse", write("Edit", "a.txt")),
        ("PreToolUse", write("Write", "new/deep/down/b.txt")),
        ("PostToolUse", write("Write", "new/deep/down/b.txt")),
        ("Notification", json!({"notification_type": "permission_prompt"})),
        ("Stop", json!({})),
    ] {
        let calls = lab.hook(event, more);
        calls.starts_nothing();
        let others = calls.opened().into_iter().filter(|file| file.starts_with("~/.claude/sessions/active/"));
        let others: Vec<String> = others.filter(|file| !file.contains("s0")).collect();
        assert_eq!(others, [""; 0], "{event}: manifests of others are not read");
    }
}
