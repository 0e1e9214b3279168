//! Helpers of the behaviour tests: a temporary home folder, processes that play running clients, real repositories,
//! hook events, and `ait` itself, run as a user runs it.

pub(crate) mod starship;
pub(crate) mod started;
pub(crate) mod tools;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fs;
use std::io::Write;
use std::marker::PhantomData;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

/// The program under test.
pub(crate) const AIT: &str = env!("CARGO_BIN_EXE_ait");

/// A home folder for one test, removed when the test ends.
pub(crate) struct TestEnv {
    home: PathBuf,
}

impl TestEnv {
    pub(crate) fn new() -> TestEnv {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("ait-test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let home = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&home);
        fs::create_dir_all(&home).unwrap();
        TestEnv { home: home.canonicalize().unwrap() }
    }

    /// A path below the home; `""` is the home itself.
    pub(crate) fn path(&self, below: &str) -> PathBuf {
        if below.is_empty() { self.home.clone() } else { self.home.join(below) }
    }

    /// The cache folder of this home's sessions, below the home.
    pub(crate) fn cache(&self) -> String {
        let path = self.path(".claude/sessions");
        format!(".cache/ait/{:016x}", ait::store::root::fnv1a(path.as_os_str().as_encoded_bytes()))
    }

    /// A folder below the home, created if it is missing.
    pub(crate) fn create_dir(&self, below: &str) -> PathBuf {
        let folder = self.path(below);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// Writes a file below the home and creates its folders.
    pub(crate) fn write_file(&self, below: &str, text: &str) -> PathBuf {
        let file = self.path(below);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        file
    }

    /// A path below the folder of sessions.
    pub(crate) fn sessions_path(&self, below: &str) -> PathBuf {
        self.path(".claude/sessions").join(below)
    }

    /// An `ait` command that runs in the home unless `current_dir` changes it.
    pub(crate) fn ait(&self) -> AitCommand<'_> {
        let mut ait = AitCommand { home: PhantomData, folder: self.home.clone(), variables: BTreeMap::new() };
        for (name, value) in [("HOME", self.home.as_os_str()), ("TZ", OsStr::new("UTC")), ("USER", OsStr::new("dev"))] {
            ait.variables.insert(name.to_owned(), value.to_owned());
        }
        ait.variables.insert("PATH".to_owned(), std::env::var_os("PATH").unwrap());
        ait
    }

    /// Runs `ait WORDS` in the home; the words are separated by spaces.
    pub(crate) fn run(&self, words: &str) -> CommandOutput {
        self.ait().run(words)
    }

    /// Creates a repository below the home, with one empty commit on `main`.
    pub(crate) fn repository(&self, below: &str) -> PathBuf {
        let folder = self.create_dir(below);
        self.git(&folder, "init --quiet --initial-branch=main");
        self.git(&folder, "commit --quiet --allow-empty --message=start");
        folder
    }

    /// Creates a worktree below the home, on a new branch.
    pub(crate) fn worktree(&self, repository: &Path, below: &str, branch: &str) -> PathBuf {
        let folder = self.path(below);
        self.git(repository, &format!("worktree add --quiet -b {branch} {}", folder.display()));
        folder
    }

    /// Runs git, which must succeed, and returns its output.
    pub(crate) fn git(&self, folder: &Path, words: &str) -> String {
        let output = clean_environment(Command::new("git"), &self.home)
            .args(words.split_whitespace())
            .current_dir(folder)
            .envs([("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")])
            .envs([("GIT_AUTHOR_NAME", "dev"), ("GIT_AUTHOR_EMAIL", "dev@localhost")])
            .envs([("GIT_COMMITTER_NAME", "dev"), ("GIT_COMMITTER_EMAIL", "dev@localhost")])
            .output()
            .unwrap();
        assert!(output.status.success(), "git {words}: {}", String::from_utf8_lossy(&output.stderr));
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    /// Sends an event of a session to the hook, as the client does; `more` contains the fields of that event.
    pub(crate) fn send_event(
        &self,
        client: &Client,
        event: &str,
        id: &str,
        folder: &Path,
        more: Value,
    ) -> CommandOutput {
        self.ait().child_of(client, id).current_dir_if_exists(folder).hook(&payload(event, id, folder, more))
    }

    /// Sends the start of a session.
    pub(crate) fn start_session(&self, client: &Client, id: &str, folder: &Path) -> CommandOutput {
        self.send_event(client, "SessionStart", id, folder, json!({"source": "startup", "model": "claude-opus-5-5"}))
    }

    /// Sends the end of a session, which must print nothing.
    pub(crate) fn end_session(&self, client: &Client, id: &str, folder: &Path, reason: &str) {
        self.send_event(client, "SessionEnd", id, folder, json!({ "reason": reason })).no_output();
    }

    /// Writes a manifest as another program would: the eight documented fields, with `fields` replaced or added. The
    /// session started 45 minutes and a half ago.
    pub(crate) fn write_manifest(&self, id: &str, pid: u32, path: &Path, fields: Value) -> PathBuf {
        let manifest = manifest(id, pid, path, fields);
        self.write_file(&format!(".claude/sessions/active/{id}.json"), &format!("{manifest:#}\n"))
    }

    /// Writes the manifest of an ended session.
    pub(crate) fn write_history_manifest(&self, day: &str, id: &str, ended: &str, fields: Value) -> PathBuf {
        let mut manifest = manifest(id, 1, &self.home, json!({"ended": ended, "status": "completed"}));
        add_fields(&mut manifest, fields);
        self.write_file(&format!(".claude/sessions/history/{day}/{id}.json"), &format!("{manifest:#}\n"))
    }

    /// Reads the manifest of a live session.
    #[track_caller]
    pub(crate) fn active_manifest(&self, id: &str) -> Value {
        let file = self.sessions_path("active").join(format!("{id}.json"));
        read_json(&file).unwrap_or_else(|| panic!("{} does not exist; active: {:?}", file.display(), self.active_ids()))
    }

    /// The sorted ids of all active manifests.
    pub(crate) fn active_ids(&self) -> Vec<String> {
        manifest_ids(&self.sessions_path("active"))
    }

    /// The sorted days and ids of all manifests in history.
    pub(crate) fn history_entries(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for day in file_names(&self.sessions_path("history")) {
            found.extend(
                manifest_ids(&self.sessions_path("history").join(&day)).into_iter().map(|id| (day.clone(), id)),
            );
        }
        found
    }

    /// Reads the only manifest of a session in history.
    #[track_caller]
    pub(crate) fn history_manifest(&self, id: &str) -> Value {
        let days: Vec<String> =
            self.history_entries().into_iter().filter(|(_, found)| found == id).map(|(day, _)| day).collect();
        let [day] = days.as_slice() else { panic!("{id} ended on {days:?}; active: {:?}", self.active_ids()) };
        read_json(&self.sessions_path("history").join(day).join(format!("{id}.json"))).unwrap()
    }

    /// The lines that hooks wrote to the log.
    pub(crate) fn log_lines(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for root in file_names(&self.path(".cache/ait")) {
            let text = fs::read_to_string(self.path(".cache/ait").join(root).join("log")).unwrap_or_default();
            lines.extend(text.lines().map(str::to_owned));
        }
        lines
    }
}

impl Drop for TestEnv {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.home);
    }
}

/// An `ait` command with its own environment.
#[derive(Clone)]
pub(crate) struct AitCommand<'w> {
    home: PhantomData<&'w TestEnv>,
    folder: PathBuf,
    variables: BTreeMap<String, OsString>,
}

impl AitCommand<'_> {
    /// Runs it in this folder.
    pub(crate) fn current_dir(mut self, folder: &Path) -> Self {
        folder.clone_into(&mut self.folder);
        self
    }

    /// Runs it in this folder if it exists: a client whose folder was deleted starts its hooks in another.
    fn current_dir_if_exists(self, folder: &Path) -> Self {
        if folder.is_dir() { self.current_dir(folder) } else { self }
    }

    /// Sets an environment variable.
    pub(crate) fn env(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables.insert(name.to_owned(), value.as_ref().to_owned());
        self
    }

    /// Removes an environment variable.
    pub(crate) fn env_remove(mut self, name: &str) -> Self {
        self.variables.remove(name);
        self
    }

    /// Sets the variables that this client sets for the commands of this session.
    pub(crate) fn child_of(self, client: &Client, id: &str) -> Self {
        self.env("CLAUDECODE", "1").env("CLAUDE_PID", client.pid().to_string()).env("CLAUDE_CODE_SESSION_ID", id)
    }

    /// Runs `ait WORDS`; the words are separated by spaces.
    pub(crate) fn run(&self, words: &str) -> CommandOutput {
        self.run_args(&words.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs `ait` with these arguments.
    pub(crate) fn run_args(&self, words: &[&str]) -> CommandOutput {
        self.run_with_input(words, b"")
    }

    /// Runs the hook of this event with the event on standard input.
    pub(crate) fn hook(&self, payload: &Value) -> CommandOutput {
        let cleanup = matches!(payload["hook_event_name"].as_str(), Some("SessionEnd"));
        let name = if cleanup { "session-cleanup" } else { "session-register" };
        self.hook_with_input(name, format!("{payload}\n").as_bytes())
    }

    /// Runs a hook with any bytes on standard input.
    pub(crate) fn hook_with_input(&self, name: &str, bytes: &[u8]) -> CommandOutput {
        self.run_with_input(&["hook", name], bytes)
    }

    /// Another program with the same environment and folder.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(&self.variables).current_dir(&self.folder);
        command
    }

    /// Runs `ait` with these arguments and these bytes on standard input.
    pub(crate) fn run_with_input(&self, words: &[&str], input: &[u8]) -> CommandOutput {
        let mut child = self
            .command(AIT)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It may exit before it has read everything; then the write fails.
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        CommandOutput {
            command: format!("ait {}", words.join(" ")),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
            exit_code: output.status.code(),
        }
    }
}

/// The output and exit code of a command.
#[derive(Debug)]
pub(crate) struct CommandOutput {
    pub(crate) command: String,
    pub(crate) stdout: String,
    pub(crate) stderr: String,
    pub(crate) exit_code: Option<i32>,
}

impl CommandOutput {
    /// Expects exit code 0 and an empty standard error; returns standard output.
    #[track_caller]
    pub(crate) fn success(self) -> String {
        assert_eq!((self.exit_code, self.stderr.as_str()), (Some(0), ""), "{self:?}");
        self.stdout
    }

    /// Expects exit code 0 and no output.
    #[track_caller]
    pub(crate) fn no_output(self) {
        let what = self.command.clone();
        assert_eq!(self.success(), "", "{what}");
    }

    /// Expects exit code 0 and exactly this on standard output.
    #[track_caller]
    pub(crate) fn stdout_is(self, wanted: &str) {
        let what = self.command.clone();
        assert_eq!(self.success(), wanted, "{what}");
    }

    /// Expects exit code 0 and one JSON object with the current schema version.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        let text = self.success();
        let value: Value = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {text}"));
        assert_eq!(value["schema_version"], 1, "{value}");
        assert!(text.ends_with('\n'), "{text}");
        value
    }

    /// It failed with this exit code, and gave the reason in one line; on standard output only if JSON was asked for.
    #[track_caller]
    pub(crate) fn failure(self, code: i32, reason: &str) {
        assert_eq!((self.exit_code, &self.stderr), (Some(code), &format!("ait: {reason}\n")), "{self:?}");
        if self.command.split(' ').any(|word| word == "--json") {
            let object: Value = serde_json::from_str(&self.stdout).unwrap();
            assert_eq!(object, json!({"schema_version": 1, "error": reason, "exit_code": code}), "{}", self.command);
        } else {
            assert_eq!(self.stdout, "", "{}", self.command);
        }
    }

    /// Expects exit code 0 and this one-line warning; returns standard output.
    #[track_caller]
    pub(crate) fn success_with_warning(self, remark: &str) -> String {
        assert_eq!((self.exit_code, self.stderr), (Some(0), format!("ait: {remark}\n")), "{}", self.command);
        self.stdout
    }
}

/// A process that plays a running client; it ends with the test.
pub(crate) struct Client(Child);

impl Client {
    pub(crate) fn new() -> Client {
        let mut command = Command::new("sleep");
        // A day: a million events take longer than any test beside them.
        Client(command.arg("86400").stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn().unwrap())
    }

    pub(crate) fn pid(&self) -> u32 {
        self.0.id()
    }

    /// The start time of the process.
    pub(crate) fn start_time(&self) -> u64 {
        process_start_time(self.pid())
    }

    /// Kills it, as a crash does, and returns its pid, which no longer exists.
    pub(crate) fn kill(mut self) -> u32 {
        let _ = self.0.kill();
        let _ = self.0.wait();
        self.0.id()
    }

    /// Kills it without reading its exit code, so that it stays as a zombie.
    pub(crate) fn make_zombie(&mut self) {
        self.0.kill().unwrap();
        let pid = self.pid();
        wait_until("the process is a zombie", || ait::sys::process::look_up(pid).unwrap().zombie);
    }
}

impl Drop for Client {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A program with the default action of every signal that can end it. What a parent ignores (`nohup`, a background job
/// of a script) its children ignore too, and a test that sends the signal would wait in vain. `python` is a command of
/// `python3`, with the environment that the program is to have; the process id stays the same.
pub(crate) fn with_default_signals(mut python: Command, program: impl AsRef<OsStr>) -> Command {
    const RESET: &str = "import os, signal, sys
for number in signal.SIGHUP, signal.SIGINT, signal.SIGQUIT, signal.SIGTERM:
    signal.signal(number, signal.SIG_DFL)
os.execvp(sys.argv[1], sys.argv[1:])";
    python.args(["-S", "-c", RESET]).arg(program);
    python
}

/// The start time of a running process.
pub(crate) fn process_start_time(pid: u32) -> u64 {
    ait::sys::process::look_up(pid).unwrap().start
}

/// A payload of the client.
pub(crate) fn payload(event: &str, id: &str, folder: &Path, more: Value) -> Value {
    let mut payload = json!({
        "session_id": id,
        "transcript_path": format!("/transcripts/{id}.jsonl"),
        "cwd": folder,
        "hook_event_name": event,
    });
    add_fields(&mut payload, more);
    payload
}

/// The eight documented fields, and more.
pub(crate) fn manifest(id: &str, pid: u32, path: &Path, fields: Value) -> Value {
    let mut manifest = json!({
        "session_id": id,
        "project": "aiterm",
        "path": path,
        "git_branch": "main",
        "git_dirty": false,
        "started": ago(45 * 60 + 30),
        "pid": pid,
        "task": "Implementing session coordination",
    });
    add_fields(&mut manifest, fields);
    manifest
}

fn add_fields(object: &mut Value, fields: Value) {
    if let Value::Object(fields) = fields {
        object.as_object_mut().unwrap().extend(fields);
    }
}

/// The time so many seconds ago, as manifests write it.
pub(crate) fn ago(seconds: i64) -> String {
    format!("{:.0}", Timestamp::now().checked_sub(SignedDuration::from_secs(seconds)).unwrap())
}

/// Reads a JSON file; `None` if it does not exist.
#[track_caller]
pub(crate) fn read_json(file: &Path) -> Option<Value> {
    let bytes = fs::read(file).ok()?;
    Some(serde_json::from_slice(&bytes).unwrap_or_else(|why| panic!("{}: {why}", file.display())))
}

/// The sorted names in a folder; none if the folder does not exist.
pub(crate) fn file_names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn manifest_ids(folder: &Path) -> Vec<String> {
    file_names(folder).iter().filter_map(|name| name.strip_suffix(".json")).map(str::to_owned).collect()
}

/// The keys of an object.
pub(crate) fn object_keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Waits until a condition holds, at most 30 seconds.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(30), "after 30 seconds, not yet: {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn clean_environment(mut command: Command, home: &Path) -> Command {
    command.env_clear().env("HOME", home).env("PATH", std::env::var_os("PATH").unwrap());
    command
}
