//! Where it is measured: homes with live sessions of real processes in real repositories, and a long history.

use std::fs;
use std::io::PipeWriter;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Child, Command as Start, Stdio};

use ait::sys::process;

use crate::measure::Command;

/// Ended sessions, and over how many days.
pub(crate) const DAYS: usize = 400;

/// A folder that is gone afterwards, with processes that end with it.
pub(crate) struct Lab {
    folder: PathBuf,
    clients: Vec<Child>,
    /// Each client reads from it, and ends when it is closed: at our end, however it comes.
    pipe: Option<PipeWriter>,
    history: PathBuf,
}

/// The home of a user with some sessions.
pub(crate) struct Home {
    folder: PathBuf,
    live: usize,
    pids: Vec<u32>,
}

impl Lab {
    /// A lab with `most` processes that stand for clients, and `ended` sessions in history.
    pub(crate) fn new(most: usize, ended: usize) -> Lab {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("startup-{}", std::process::id()));
        fs::create_dir_all(&folder).expect("a folder for the lab");
        let folder = folder.canonicalize().expect("a folder for the lab");
        let (reader, pipe) = std::io::pipe().expect("a pipe");
        let client = || {
            let stdin = Stdio::from(reader.try_clone().expect("a pipe"));
            Start::new("cat").stdin(stdin).stdout(Stdio::null()).spawn().expect("cat")
        };
        let clients = (0..most).map(|_| client()).collect();
        let history = folder.join("history");
        write_history(&history, ended);
        Lab { folder, clients, pipe: Some(pipe), history }
    }

    /// A file or folder of the lab.
    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join(name)
    }

    /// A home with so many live sessions, each in a repository of its own, registered by `ait hook` itself.
    pub(crate) fn home(&self, ait: &Path, name: &str, live: usize) -> Home {
        let pids = self.clients.iter().take(live).map(Child::id).collect();
        let home = Home { folder: self.folder.join(name), live, pids };
        write(&home.folder.join("plain/file"), "");
        repository(&home.tree(0));
        for session in 0..live {
            repository(&home.tree(session));
            let registered = home.hook(ait, session, "UserPromptSubmit", r#","prompt":"Refactor the index""#).run();
            assert!(registered.success, "a session is registered");
            home.write_record(session);
        }
        // Linked afterwards: who registers looks for its session in history.
        fs::create_dir_all(home.sessions()).expect("a folder of sessions");
        symlink(&self.history, home.sessions().join("history")).expect("history");
        let registered = fs::read_dir(home.sessions().join("active")).map_or(0, Iterator::count);
        assert_eq!(registered, live, "sessions are registered");
        home
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        drop(self.pipe.take());
        for client in &mut self.clients {
            let _ = client.wait();
        }
        let _ = std::env::set_current_dir("/");
        let _ = fs::remove_dir_all(&self.folder);
    }
}

impl Home {
    fn sessions(&self) -> PathBuf {
        self.folder.join(".claude/sessions")
    }

    /// The repository that a session works in; the first is there in any case.
    pub(crate) fn tree(&self, session: usize) -> PathBuf {
        self.folder.join(format!("work/project{session:04}"))
    }

    /// A command in the first session's repository.
    pub(crate) fn command(&self, program: &Path, arguments: &[&str]) -> Command {
        self.command_with(program, arguments, &[])
    }

    fn command_with(&self, program: &Path, arguments: &[&str], more: &[(&str, &str)]) -> Command {
        let mut variables = vec![
            ("HOME", self.folder.to_str().expect("a path in UTF-8")),
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("USER", "dev"),
            ("LANG", "C.UTF-8"),
            ("TERM", "xterm-256color"),
        ];
        variables.extend(more);
        Command::new(program, arguments, &variables, &self.tree(0))
    }

    /// `ait hook` as the client runs it; `more` goes into the payload.
    pub(crate) fn hook(&self, ait: &Path, session: usize, event: &str, more: &str) -> Command {
        let (id, pid) = (id_of(session), self.pids[session].to_string());
        let folder = self.tree(session);
        let payload = format!(
            r#"{{"session_id":"{id}","transcript_path":"{0}/.claude/projects/p/{id}.jsonl","cwd":"{1}","prompt_id":"d0f1b29c-95c1-4a5c-8a1a-34ad27c0de11","permission_mode":"default","hook_event_name":"{event}"{more}}}"#,
            self.folder.display(),
            folder.display(),
        );
        let name = if event == "SessionEnd" { "session-cleanup" } else { "session-register" };
        let variables = [("CLAUDE_PID", pid.as_str()), ("CLAUDE_CODE_SESSION_ID", id.as_str())];
        self.command_with(ait, &["hook", name], &variables).stdin(&(payload + "\n"))
    }

    /// `ait statusline` as the client runs it for the first session.
    pub(crate) fn statusline(&self, ait: &Path) -> Command {
        let tree = self.tree(0);
        let payload = format!(
            r#"{{"session_id":"{}","transcript_path":"/t.jsonl","cwd":"{1}","prompt_id":"d0f1b29c-95c1-4a5c-8a1a-34ad27c0de11","effort":{{"level":"medium"}},"model":{{"id":"claude-opus-5-5","display_name":"Opus 5.5"}},"workspace":{{"current_dir":"{1}","project_dir":"{1}","added_dirs":[]}},"version":"2.1.330","output_style":{{"name":"default"}},"cost":{{"total_cost_usd":1.2345,"total_duration_ms":163000,"total_api_duration_ms":61000,"total_lines_added":120,"total_lines_removed":31}},"context_window":{{"total_input_tokens":41000,"total_output_tokens":5200,"context_window_size":200000,"current_usage":{{"input_tokens":8,"output_tokens":402,"cache_creation_input_tokens":312,"cache_read_input_tokens":61000}},"used_percentage":31,"remaining_percentage":69}},"exceeds_200k_tokens":false,"fast_mode":false,"thinking":{{"enabled":true}}}}"#,
            id_of(0),
            tree.display(),
        );
        self.command(ait, &["statusline"]).stdin(&(payload + "\n"))
    }

    /// Each session has lately written so many files of its own tree, and the second one also the first one's.
    pub(crate) fn write_touches(&self, files: usize) {
        let now = ait::sys::clock::now();
        for session in 0..self.live {
            let tree = self.tree(session);
            let mut log = String::new();
            for file in 0..files {
                log.push_str(&format!("[\"{now:.3}\",\"{}\",\"src/file{file}.rs\"]\n", tree.display()));
            }
            if session == 1 {
                log.push_str(&format!("[\"{now:.3}\",\"{}\",\"src/file7.rs\"]\n", self.tree(0).display()));
            }
            write(&self.sessions().join("active").join(format!("{}.touched", id_of(session))), &log);
        }
        write(&self.tree(0).join("src/file7.rs"), "alpha\n");
        let _ = fs::remove_dir_all(self.folder.join(".cache"));
    }

    /// The record that the client itself keeps of each session.
    fn write_record(&self, session: usize) {
        let pid = self.pids[session];
        let start = process::look_up(pid).expect("a client").start;
        let record = format!(
            r#"{{"pid":{pid},"sessionId":"{}","cwd":"{}","startedAt":1795366646696,"procStart":"{start}","version":"2.1.330","peerProtocol":1,"peerFeatures":["notify_idle","reply_across_default_dirs","artifact_yield"],"kind":"interactive","entrypoint":"cli","messagingSocketPath":"/tmp/cc-socks/{pid}.sock","name":"project-d1","nameSource":"derived","nameSince":1795366646696,"status":"busy","updatedAt":1795366648255,"statusUpdatedAt":1795366648255}}"#,
            id_of(session),
            self.tree(session).display(),
        );
        write(&self.sessions().join(format!("{pid}.json")), &record);
    }

    /// How many sessions are live here.
    pub(crate) fn live(&self) -> usize {
        self.live
    }
}

fn id_of(session: usize) -> String {
    // Spread, as real ones are.
    let mixed = (session as u32).wrapping_mul(0x9e37_79b1);
    format!("{mixed:08x}-5f0c-4a1e-9d2b-{session:012x}")
}

/// As much of a repository as git itself needs to tell the branch.
fn repository(folder: &Path) {
    write(&folder.join(".git/HEAD"), "ref: refs/heads/main\n");
    write(&folder.join(".git/refs/heads/main"), "ce013625030ba8dba906f756967f9e9ca394464a\n");
    fs::create_dir_all(folder.join(".git/objects")).expect("a repository");
}

/// Ended sessions over the last [`DAYS`] days, the files of one day being one file under many names.
fn write_history(folder: &Path, ended: usize) {
    let now = ait::sys::clock::now().as_second();
    for day in 0..DAYS {
        let second = now - 86_400 * day as i64;
        let ended_at = jiff::Timestamp::from_second(second).expect("a time");
        let day_folder = folder.join(ended_at.strftime("%Y-%m-%d").to_string());
        fs::create_dir_all(&day_folder).expect("a day of history");
        let manifest = format!(
            r#"{{"session_id":"","project":"project{day}","path":"/home/dev/project{day}","git_branch":"main","git_dirty":false,"started":"{ended_at:.0}","pid":{day},"task":"What was done on day {day}","pid_start":4711,"state":"idle","updated":"{ended_at:.0}","model":"claude-opus-5-5","ended":"{ended_at:.0}","status":"completed","end_reason":"prompt_input_exit"}}"#,
        );
        let first = day_folder.join(format!("{}.json", id_of(day * 1000)));
        for session in 0..ended / DAYS {
            if session == 0 {
                write(&first, &manifest);
            } else {
                let name = format!("{}.json", id_of(day * 1000 + session));
                fs::hard_link(&first, day_folder.join(name)).expect("a further name");
            }
        }
    }
}

fn write(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().expect("a folder"))
        .and_then(|()| fs::write(file, text))
        .expect("a file of the lab");
}
