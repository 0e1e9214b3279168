//! The words that the behaviour tests are written in: a home of its own, processes that stand for running clients, real
//! repositories, events, and `ait` itself, run as a user would run it.

pub(crate) mod starship;

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

/// A home of its own, removed at the end.
pub(crate) struct World {
    home: PathBuf,
}

impl World {
    pub(crate) fn new() -> World {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("ait-test-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let home = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&home);
        fs::create_dir_all(&home).unwrap();
        World { home: home.canonicalize().unwrap() }
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

    /// A folder below the home, made where it is missing.
    pub(crate) fn folder(&self, below: &str) -> PathBuf {
        let folder = self.path(below);
        fs::create_dir_all(&folder).unwrap();
        folder
    }

    /// Writes a file below the home, with its folders.
    pub(crate) fn write(&self, below: &str, text: &str) -> PathBuf {
        let file = self.path(below);
        fs::create_dir_all(file.parent().unwrap()).unwrap();
        fs::write(&file, text).unwrap();
        file
    }

    /// A path below the folder of sessions.
    pub(crate) fn sessions(&self, below: &str) -> PathBuf {
        self.path(".claude/sessions").join(below)
    }

    /// `ait`, to be run in the home unless told otherwise.
    pub(crate) fn ait(&self) -> Ask<'_> {
        let mut ask = Ask { home: PhantomData, folder: self.home.clone(), variables: BTreeMap::new() };
        for (name, value) in [("HOME", self.home.as_os_str()), ("TZ", OsStr::new("UTC")), ("USER", OsStr::new("dev"))] {
            ask.variables.insert(name.to_owned(), value.to_owned());
        }
        ask.variables.insert("PATH".to_owned(), std::env::var_os("PATH").unwrap());
        ask
    }

    /// Runs `ait WORDS` in the home; the words are separated by spaces.
    pub(crate) fn run(&self, words: &str) -> Said {
        self.ait().run(words)
    }

    /// A repository below the home with one commit on `main`, and nothing else.
    pub(crate) fn repository(&self, below: &str) -> PathBuf {
        let folder = self.folder(below);
        self.git(&folder, "init --quiet --initial-branch=main");
        self.git(&folder, "commit --quiet --allow-empty --message=start");
        folder
    }

    /// A worktree below the home, on a branch of its own.
    pub(crate) fn worktree(&self, repository: &Path, below: &str, branch: &str) -> PathBuf {
        let folder = self.path(below);
        self.git(repository, &format!("worktree add --quiet -b {branch} {}", folder.display()));
        folder
    }

    /// Runs git, which must succeed, and gives what it says.
    pub(crate) fn git(&self, folder: &Path, words: &str) -> String {
        let output = clean(Command::new("git"), &self.home)
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

    /// Sends an event of a session to the hook, as the client does; `more` holds the fields of that event.
    pub(crate) fn event(&self, client: &Client, event: &str, id: &str, folder: &Path, more: Value) -> Said {
        self.ait().client(client, id).at_if_there(folder).hook(&payload(event, id, folder, more))
    }

    /// The start of a session: nothing but an announcement may come of it.
    pub(crate) fn start(&self, client: &Client, id: &str, folder: &Path) -> Said {
        self.event(client, "SessionStart", id, folder, json!({"source": "startup", "model": "claude-opus-5-5"}))
    }

    /// The end of a session.
    pub(crate) fn end(&self, client: &Client, id: &str, folder: &Path, reason: &str) {
        self.event(client, "SessionEnd", id, folder, json!({ "reason": reason })).silent();
    }

    /// Writes a manifest by hand, as somebody else's script does: the eight documented fields, those in `fields`
    /// replaced or added. Started 45 minutes and a half ago.
    pub(crate) fn by_hand(&self, id: &str, pid: u32, path: &Path, fields: Value) -> PathBuf {
        let manifest = manifest(id, pid, path, fields);
        self.write(&format!(".claude/sessions/active/{id}.json"), &format!("{manifest:#}\n"))
    }

    /// Writes the manifest of an ended session by hand.
    pub(crate) fn ended_by_hand(&self, day: &str, id: &str, ended: &str, fields: Value) -> PathBuf {
        let mut manifest = manifest(id, 1, &self.home, json!({"ended": ended, "status": "completed"}));
        add(&mut manifest, fields);
        self.write(&format!(".claude/sessions/history/{day}/{id}.json"), &format!("{manifest:#}\n"))
    }

    /// The manifest of a live session.
    #[track_caller]
    pub(crate) fn active(&self, id: &str) -> Value {
        let file = self.sessions("active").join(format!("{id}.json"));
        read(&file).unwrap_or_else(|| panic!("{} is not there; {:?} are", file.display(), self.active_ids()))
    }

    /// The ids of all manifests among the live ones, in order.
    pub(crate) fn active_ids(&self) -> Vec<String> {
        ids(&self.sessions("active"))
    }

    /// The days and ids of all ended manifests, in order.
    pub(crate) fn history(&self) -> Vec<(String, String)> {
        let mut found = Vec::new();
        for day in names(&self.sessions("history")) {
            found.extend(ids(&self.sessions("history").join(&day)).into_iter().map(|id| (day.clone(), id)));
        }
        found
    }

    /// The one ended manifest of a session.
    #[track_caller]
    pub(crate) fn ended(&self, id: &str) -> Value {
        let days: Vec<String> =
            self.history().into_iter().filter(|(_, found)| found == id).map(|(day, _)| day).collect();
        let [day] = days.as_slice() else { panic!("{id} ended on {days:?}; active: {:?}", self.active_ids()) };
        read(&self.sessions("history").join(day).join(format!("{id}.json"))).unwrap()
    }

    /// The lines that the hook left in its log.
    pub(crate) fn log(&self) -> Vec<String> {
        let mut lines = Vec::new();
        for root in names(&self.path(".cache/ait")) {
            let text = fs::read_to_string(self.path(".cache/ait").join(root).join("log")).unwrap_or_default();
            lines.extend(text.lines().map(str::to_owned));
        }
        lines
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.home);
    }
}

/// `ait`, about to be run with an environment of its own.
#[derive(Clone)]
pub(crate) struct Ask<'w> {
    home: PhantomData<&'w World>,
    folder: PathBuf,
    variables: BTreeMap<String, OsString>,
}

impl Ask<'_> {
    /// Runs it in this folder.
    pub(crate) fn at(mut self, folder: &Path) -> Self {
        folder.clone_into(&mut self.folder);
        self
    }

    /// Runs it in this folder, unless that is gone: a client whose folder was deleted starts its hooks in another.
    fn at_if_there(self, folder: &Path) -> Self {
        if folder.is_dir() { self.at(folder) } else { self }
    }

    /// With this variable.
    pub(crate) fn var(mut self, name: &str, value: impl AsRef<OsStr>) -> Self {
        self.variables.insert(name.to_owned(), value.as_ref().to_owned());
        self
    }

    /// Without this variable.
    pub(crate) fn without(mut self, name: &str) -> Self {
        self.variables.remove(name);
        self
    }

    /// As a child of this client, which runs this session.
    pub(crate) fn client(self, client: &Client, id: &str) -> Self {
        self.var("CLAUDECODE", "1").var("CLAUDE_PID", client.pid().to_string()).var("CLAUDE_CODE_SESSION_ID", id)
    }

    /// Runs `ait WORDS`; the words are separated by spaces.
    pub(crate) fn run(&self, words: &str) -> Said {
        self.words(&words.split_whitespace().collect::<Vec<_>>())
    }

    /// Runs `ait` with these words.
    pub(crate) fn words(&self, words: &[&str]) -> Said {
        self.given(words, b"")
    }

    /// Hands an event to the hook: one line on standard input.
    pub(crate) fn hook(&self, payload: &Value) -> Said {
        let cleanup = matches!(payload["hook_event_name"].as_str(), Some("SessionEnd"));
        let name = if cleanup { "session-cleanup" } else { "session-register" };
        self.hook_named(name, format!("{payload}\n").as_bytes())
    }

    /// Hands any bytes to the hook.
    pub(crate) fn hook_named(&self, name: &str, bytes: &[u8]) -> Said {
        self.given(&["hook", name], bytes)
    }

    /// A program with this environment, to which this home is home.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>) -> Command {
        let mut command = Command::new(program);
        command.env_clear().envs(&self.variables).current_dir(&self.folder);
        command
    }

    /// Runs `ait` with these words and these bytes on standard input.
    pub(crate) fn given(&self, words: &[&str], input: &[u8]) -> Said {
        let mut child = self
            .command(AIT)
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // It may end before it has read everything; that is its right.
        let _ = child.stdin.take().unwrap().write_all(input);
        let output = child.wait_with_output().unwrap();
        Said {
            what: format!("ait {}", words.join(" ")),
            out: String::from_utf8(output.stdout).unwrap(),
            err: String::from_utf8(output.stderr).unwrap(),
            code: output.status.code(),
        }
    }
}

/// What a program left.
#[derive(Debug)]
pub(crate) struct Said {
    pub(crate) what: String,
    pub(crate) out: String,
    pub(crate) err: String,
    pub(crate) code: Option<i32>,
}

impl Said {
    /// It went well and had nothing to remark; gives what it printed.
    #[track_caller]
    pub(crate) fn fine(self) -> String {
        assert_eq!((self.code, self.err.as_str()), (Some(0), ""), "{self:?}");
        self.out
    }

    /// It went well and said nothing at all.
    #[track_caller]
    pub(crate) fn silent(self) {
        let what = self.what.clone();
        assert_eq!(self.fine(), "", "{what}");
    }

    /// It went well, and printed this.
    #[track_caller]
    pub(crate) fn prints(self, wanted: &str) {
        let what = self.what.clone();
        assert_eq!(self.fine(), wanted, "{what}");
    }

    /// It went well, and printed one JSON object of the documented form.
    #[track_caller]
    pub(crate) fn json(self) -> Value {
        let text = self.fine();
        let value: Value = serde_json::from_str(&text).unwrap_or_else(|why| panic!("{why}: {text}"));
        assert_eq!(value["schema_version"], 1, "{value}");
        assert!(text.ends_with('\n'), "{text}");
        value
    }

    /// It failed with this exit code, and gave the reason in one line; on standard output only if JSON was asked for.
    #[track_caller]
    pub(crate) fn fails(self, code: i32, reason: &str) {
        assert_eq!((self.code, &self.err), (Some(code), &format!("ait: {reason}\n")), "{self:?}");
        if self.what.split(' ').any(|word| word == "--json") {
            let object: Value = serde_json::from_str(&self.out).unwrap();
            assert_eq!(object, json!({"schema_version": 1, "error": reason, "exit_code": code}), "{}", self.what);
        } else {
            assert_eq!(self.out, "", "{}", self.what);
        }
    }

    /// It went well, printed what is returned, and remarked this in one line.
    #[track_caller]
    pub(crate) fn remarks(self, remark: &str) -> String {
        assert_eq!((self.code, self.err), (Some(0), format!("ait: {remark}\n")), "{}", self.what);
        self.out
    }
}

/// A process that stands for a running client, ended with the test.
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
    pub(crate) fn start(&self) -> u64 {
        start_of(self.pid())
    }

    /// Ends it as a crash does, and gives the pid that nobody has now.
    pub(crate) fn kill(mut self) -> u32 {
        let _ = self.0.kill();
        let _ = self.0.wait();
        self.0.id()
    }

    /// Ends it, and leaves it for somebody to ask for its exit code: nobody will.
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
pub(crate) fn start_of(pid: u32) -> u64 {
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
    add(&mut payload, more);
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
    add(&mut manifest, fields);
    manifest
}

fn add(object: &mut Value, fields: Value) {
    if let Value::Object(fields) = fields {
        object.as_object_mut().unwrap().extend(fields);
    }
}

/// The moment so many seconds ago, as the guide writes times.
pub(crate) fn ago(seconds: i64) -> String {
    format!("{:.0}", Timestamp::now().checked_sub(SignedDuration::from_secs(seconds)).unwrap())
}

/// Reads a JSON file; `None` where it is not there.
#[track_caller]
pub(crate) fn read(file: &Path) -> Option<Value> {
    let bytes = fs::read(file).ok()?;
    Some(serde_json::from_slice(&bytes).unwrap_or_else(|why| panic!("{}: {why}", file.display())))
}

/// The names in a folder, in order; none where there is no folder.
pub(crate) fn names(folder: &Path) -> Vec<String> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut names: Vec<String> = entries.map(|entry| entry.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

fn ids(folder: &Path) -> Vec<String> {
    names(folder).iter().filter_map(|name| name.strip_suffix(".json")).map(str::to_owned).collect()
}

/// The keys of an object.
pub(crate) fn keys(value: &Value) -> Vec<&str> {
    value.as_object().unwrap().keys().map(String::as_str).collect()
}

/// Waits for something that is bound to happen.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(30), "waited in vain until {what}");
        std::thread::sleep(Duration::from_millis(5));
    }
}

fn clean(mut command: Command, home: &Path) -> Command {
    command.env_clear().env("HOME", home).env("PATH", std::env::var_os("PATH").unwrap());
    command
}
