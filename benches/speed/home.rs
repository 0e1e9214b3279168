//! The home folder of a user with live sessions, and the commands that are run in it.

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};
use std::time::{SystemTime, UNIX_EPOCH};

use crate::command::Command;

/// The prompt that sessions submit.
pub(crate) const SUBMITTED: &str = r#","prompt":"Refactor the parser""#;

/// How live sessions are spread over working trees.
#[derive(Clone, Copy)]
pub(crate) enum Spread {
    /// As in real use: a few in the measured tree (1 of 1, 2 of 5, 3 of 20), every other one in a tree of its own.
    Trees,
    /// The worst case: all in the measured tree.
    OneTree,
}

/// A home folder.
pub(crate) struct Home {
    folder: PathBuf,
    /// The process of each live session.
    pids: Vec<u32>,
    /// How many of them work in the measured tree.
    in_tree: usize,
}

impl Home {
    pub(crate) fn new(folder: PathBuf, pids: Vec<u32>, spread: Spread) -> Home {
        let in_tree = match (spread, pids.len()) {
            (Spread::OneTree, live) => live,
            (Spread::Trees, live @ 0..=1) => live,
            (Spread::Trees, 2..=19) => 2,
            (Spread::Trees, _) => 3,
        };
        Home { folder, pids, in_tree }
    }

    /// Makes the folders and repositories, and registers every session.
    pub(crate) fn register(&self, ait: &Path) {
        fs::create_dir_all(self.sessions()).expect("a folder of sessions");
        let runtime = self.folder.join("runtime");
        fs::create_dir_all(&runtime).expect("a runtime folder");
        fs::set_permissions(runtime, fs::Permissions::from_mode(0o700)).expect("a private runtime folder");
        make_repository(&self.tree());
        for session in 0..self.live() {
            make_repository(&self.tree_of(session));
            let registered = self.hook(ait, session, "UserPromptSubmit", SUBMITTED).run();
            assert!(registered.success, "registering a session");
            self.write_registry_record(session);
        }
        let manifests = fs::read_dir(self.sessions().join("active")).into_iter().flatten().flatten();
        let manifests = manifests.filter(|file| file.path().extension().is_some_and(|ext| ext == "json")).count();
        assert_eq!(manifests, self.live(), "registered sessions");
    }

    /// The number of live sessions.
    pub(crate) fn live(&self) -> usize {
        self.pids.len()
    }

    /// The home folder itself.
    pub(crate) fn folder(&self) -> &Path {
        &self.folder
    }

    /// The folder of manifests and of the client's registry.
    pub(crate) fn sessions(&self) -> PathBuf {
        self.folder.join(".claude/sessions")
    }

    /// The working tree in which commands are measured.
    pub(crate) fn tree(&self) -> PathBuf {
        self.folder.join("work/project0000")
    }

    fn tree_of(&self, session: usize) -> PathBuf {
        if session < self.in_tree { self.tree() } else { self.folder.join(format!("work/project{session:04}")) }
    }

    /// A command in the measured tree.
    pub(crate) fn command(&self, program: &Path, arguments: &[&str]) -> Command {
        Command::new(program, arguments, &self.variables(), &self.tree())
    }

    /// The environment of every command.
    pub(crate) fn variables(&self) -> Vec<(String, String)> {
        let home = self.folder.to_str().expect("a path in UTF-8");
        let variables = [
            ("HOME", home),
            ("XDG_RUNTIME_DIR", &format!("{home}/runtime")),
            ("PATH", "/usr/local/bin:/usr/bin:/bin"),
            ("USER", "dev"),
            ("LANG", "C.UTF-8"),
            ("TERM", "xterm-256color"),
        ];
        variables.map(|(name, value)| (name.to_owned(), value.to_owned())).to_vec()
    }

    /// `ait hook` as the client runs it for an event of a session. `more` is added to the payload.
    pub(crate) fn hook(&self, ait: &Path, session: usize, event: &str, more: &str) -> Command {
        let name = if event == "SessionEnd" { "session-cleanup" } else { "session-register" };
        self.with_payload(ait, &["hook", name], session, event, more)
    }

    /// Any program that reads the payload of a hook.
    pub(crate) fn with_payload(
        &self,
        program: &Path,
        arguments: &[&str],
        session: usize,
        event: &str,
        more: &str,
    ) -> Command {
        let (id, pid) = (id_of(session), self.pids[session].to_string());
        let payload = format!(
            r#"{{"session_id":"{id}","transcript_path":"{0}/.claude/projects/p/{id}.jsonl","cwd":"{1}","prompt_id":"d0f1b29c-95c1-4a5c-8a1a-34ad27c0de11","permission_mode":"default","hook_event_name":"{event}"{more}}}"#,
            self.folder.display(),
            self.tree_of(session).display(),
        );
        let command = self.command(program, arguments).stdin(&(payload + "\n"));
        command.variable("CLAUDE_PID", &pid).variable("CLAUDE_CODE_SESSION_ID", &id)
    }

    /// A status line program as the client runs it for the first session.
    pub(crate) fn status_line(&self, program: &Path, arguments: &[&str]) -> Command {
        let payload = format!(
            r#"{{"session_id":"{}","transcript_path":"/t.jsonl","cwd":"{1}","prompt_id":"d0f1b29c-95c1-4a5c-8a1a-34ad27c0de11","effort":{{"level":"medium"}},"model":{{"id":"claude-opus-5-5","display_name":"Opus 5.5"}},"workspace":{{"current_dir":"{1}","project_dir":"{1}","added_dirs":[]}},"version":"2.1.330","output_style":{{"name":"default"}},"cost":{{"total_cost_usd":1.2345,"total_duration_ms":163000,"total_api_duration_ms":61000,"total_lines_added":120,"total_lines_removed":31}},"context_window":{{"total_input_tokens":41000,"total_output_tokens":5200,"context_window_size":200000,"current_usage":{{"input_tokens":8,"output_tokens":402,"cache_creation_input_tokens":312,"cache_read_input_tokens":61000}},"used_percentage":31,"remaining_percentage":69}},"exceeds_200k_tokens":false,"fast_mode":false,"thinking":{{"enabled":true}}}}"#,
            id_of(0),
            self.tree().display(),
        );
        self.command(program, arguments).stdin(&(payload + "\n"))
    }

    /// Makes every session have written this many files of its own tree just now, and the second session also one file
    /// of the measured tree: its path is returned.
    pub(crate) fn write_file_logs(&self, files: usize) -> PathBuf {
        let shared = self.tree().join("src/shared.rs");
        write(&shared, "alpha\n");
        let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("a clock after 1970").as_secs();
        let now = jiff::Timestamp::from_second(now as i64).expect("a time");
        for session in 0..self.live() {
            let tree = self.tree_of(session);
            let line = |file: &str| format!("[\"{now:.3}\",\"{}\",\"{file}\"]\n", tree.display());
            let mut log: String = (0..files).map(|file| line(&format!("src/file{session}-{file}.rs"))).collect();
            if session == 1 {
                log.push_str(&line("src/shared.rs"));
            }
            write(&self.sessions().join("active").join(format!("{}.touched", id_of(session))), &log);
        }
        // What ait derived from earlier logs.
        let _ = fs::remove_dir_all(self.folder.join(".cache"));
        shared
    }

    /// The record that the client itself keeps of each session.
    fn write_registry_record(&self, session: usize) {
        let pid = self.pids[session];
        let record = format!(
            r#"{{"pid":{pid},"sessionId":"{}","cwd":"{}","startedAt":1795366646696,"procStart":"{}","version":"2.1.330","peerProtocol":1,"peerFeatures":["notify_idle","reply_across_default_dirs","artifact_yield"],"kind":"interactive","entrypoint":"cli","messagingSocketPath":"/tmp/cc-socks/{pid}.sock","name":"project-d1","nameSource":"derived","nameSince":1795366646696,"status":"busy","updatedAt":1795366648255,"statusUpdatedAt":1795366648255}}"#,
            id_of(session),
            self.tree_of(session).display(),
            start_time(pid),
        );
        write(&self.sessions().join(format!("{pid}.json")), &record);
    }
}

/// A session id; the numbers are spread like real ones.
pub(crate) fn id_of(session: usize) -> String {
    let mixed = (session as u32).wrapping_mul(0x9e37_79b1);
    format!("{mixed:08x}-5f0c-4a1e-9d2b-{session:012x}")
}

/// Writes a file and makes its folders.
pub(crate) fn write(file: &Path, text: &str) {
    fs::create_dir_all(file.parent().expect("a folder")).expect("a folder of the lab");
    fs::write(file, text).expect("a file of the lab");
}

/// When a process started, as Linux counts it: field 22 of `/proc/PID/stat`. Empty on other systems.
fn start_time(pid: u32) -> String {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    let after_name = stat.rsplit(')').next().unwrap_or_default();
    after_name.split_whitespace().nth(19).unwrap_or_default().to_owned()
}

/// The files of a repository that are needed to find its branch.
fn make_repository(folder: &Path) {
    write(&folder.join(".git/HEAD"), "ref: refs/heads/main\n");
    write(&folder.join(".git/refs/heads/main"), "ce013625030ba8dba906f756967f9e9ca394464a\n");
    fs::create_dir_all(folder.join(".git/objects")).expect("a repository");
}
