//! The manifest: one session as JSON, `active/<session_id>.json`.
//!
//! Eight fields are documented, and other programs write manifests that hold only those. Fields that we do not know, or
//! whose value is not of the type we expect, survive every rewrite to the byte.

use std::borrow::Cow;
use std::collections::HashSet;

use jiff::Timestamp;
use serde::Serialize;
use serde_json::value::RawValue;

use super::activity::{Activity, Change, Entry};
use super::commit::Commit;
use super::file_write::{FileWrite, Overlap, TreeWrite};
pub use super::head_moved::HeadMoved;
use super::json_object::{JsonFields, RawObject, items, number, take, take_some, text, truth};
use super::json_scanner::is_plain;
use super::state::State;
use super::task::TaskSource;
use super::time::{milliseconds, parse_time, seconds_between, whole_seconds};
use super::tmux_window::TmuxWindow;
use super::upstream::Upstream;

/// Names one process for good: a recycled pid has another start time, another boot another id.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ProcessStamp {
    /// Its number.
    pub pid: u32,
    /// When it started, in the kernel's own unit.
    pub start: Option<u64>,
}

/// One session. Times are UTC.
#[derive(Clone, Debug, Default)]
pub struct Manifest {
    /// The id that Claude Code gave it. Empty in a foreign manifest that has none; the file name counts then.
    pub session_id: String,
    /// The name of the main repository's folder, or of the folder itself where there is no repository.
    pub project: String,
    /// The folder it works in.
    pub path: String,
    /// The branch at the last event; absent where HEAD is detached or there is no repository.
    pub git_branch: Option<String>,
    /// Whether the tree had changes that are not committed, at the last start or at the end.
    pub git_dirty: Option<bool>,
    /// How far its branch is ahead of its upstream and behind it, when git was last asked.
    pub git_upstream: Option<Box<Upstream>>,
    /// When it first started.
    pub started: Option<Timestamp>,
    /// When it was last resumed.
    pub resumed: Option<Timestamp>,
    /// It was started without a user, and always resumed without one: `claude -p`.
    pub headless: bool,
    /// The process that runs it.
    pub pid: Option<u32>,
    /// Its task, in the user's words.
    pub task: Option<String>,
    /// Start time of the process, in the kernel's own unit.
    pub pid_start: Option<u64>,
    /// The boot in which `pid` and `pid_start` mean something.
    pub boot_id: Option<String>,
    /// The pid namespace in which `pid` means something (Linux: the inode of `/proc/PID/ns/pid`).
    pub pid_namespace: Option<u64>,
    /// Further processes that run the same session: one id can be resumed in two terminals at once.
    pub processes: Vec<ProcessStamp>,
    /// Its state, as far as hook events tell.
    pub state: State,
    /// Since when.
    pub state_since: Option<Timestamp>,
    /// What it waits for, while it waits: `permission: Bash`, `question`, `plan`, `input`.
    pub waiting_for: Option<String>,
    /// Its turn ended, and no prompt followed.
    pub turn_finished: bool,
    /// The error that its turn ended with, as Claude Code names it, until the next prompt: `rate_limit`.
    pub turn_error: Option<String>,
    /// The tool in use, between its start and its end.
    pub tool: Option<String>,
    /// Where the task came from.
    pub task_source: Option<TaskSource>,
    /// Nothing has come of the prompt that the task was taken from: a hook may have refused it.
    pub task_unconfirmed: bool,
    /// The tasks that scheduled prompts would make ([`super::task::scheduled`]), as the last turn end told them.
    pub scheduled_prompts: Vec<String>,
    /// The commit that HEAD named at the last event.
    pub head: Option<String>,
    /// When the last event was seen.
    pub updated: Option<Timestamp>,
    /// The model, by its id.
    pub model: Option<String>,
    /// Claude Code's own record of the conversation.
    pub transcript_path: Option<String>,
    /// The folder in which the session was last started or resumed; `claude --resume` finds it from there.
    pub started_in: Option<String>,
    /// The root of the tree that it was in at the last event; absent outside of any repository.
    pub tree: Option<String>,
    /// git's common folder, which all trees of that repository share.
    pub repository: Option<String>,
    /// The trees that it lately wrote in, the last one at the end.
    pub wrote_in: Vec<TreeWrite>,
    /// The files that it lately wrote after another session had, the last one at the end.
    pub overlaps: Vec<Overlap>,
    /// Another session moved HEAD of its tree, and Claude has not been told yet.
    pub head_moved: Option<Box<HeadMoved>>,
    /// The tmux pane it runs in, such as `%3`.
    pub tmux_pane: Option<String>,
    /// The socket of the tmux server that has this pane.
    pub tmux_socket: Option<String>,
    /// The tmux window of this pane, as it was shortly after the start.
    pub tmux_window: Option<Box<TmuxWindow>>,
    /// The options that it was started with, as far as they are repeated when it is resumed.
    pub start_options: Vec<String>,
    /// The user it runs as.
    pub user: Option<String>,
    /// The machine it runs on.
    pub host: Option<String>,
    /// Seconds spent working, up to `state_since`.
    pub worked_seconds: u64,
    /// Seconds spent waiting for the user, up to `state_since`.
    pub waited_seconds: u64,
    /// When it ended (history).
    pub ended: Option<Timestamp>,
    /// How it ended (history): `completed` by its user, `interrupted` by a signal or a closed terminal, or `pruned`
    /// because its process was found to be gone.
    pub status: Option<String>,
    /// The reason that Claude Code gave for the end.
    pub end_reason: Option<String>,
    /// The user does not want to resume it (history).
    pub dismissed: bool,
    /// The files it wrote, the last one at the end (history; those of a live session are in a log beside it).
    pub touched: Vec<FileWrite>,
    /// When it worked and was blocked (history; that of a live session is in a log beside it).
    pub activity: Activity,
    /// The commits it made, the last one at the end (history; those of a live session are in a log beside it).
    pub commits: Vec<Commit>,
    /// The lines to append to the log of activity with the next write. Not a field of the file.
    pub new_activity: Vec<Entry>,
    /// Fields of other programs, unchanged and in their order.
    extra: Vec<(String, Box<RawValue>)>,
}

/// The parts of a manifest that a segment shows or depends on. Two manifests of one session with equal parts lead to the
/// same segment, as far as the time of day allows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shown {
    texts: [Option<String>; 6],
    state: State,
    turn_finished: bool,
    turn_error: Option<String>,
    /// Shown only while it waits.
    waiting_since: Option<Timestamp>,
    task_source: Option<TaskSource>,
    started: Option<Timestamp>,
    resumed: Option<Timestamp>,
    stamps: Vec<ProcessStamp>,
    wrote_in: Vec<(String, bool)>,
    overlaps: Vec<(String, String)>,
    head_moved: Option<Box<HeadMoved>>,
    git_upstream: Option<Box<Upstream>>,
    ended: bool,
}

fn time(raw: &str) -> Option<Timestamp> {
    parse_time(&text(raw)?)
}

fn commits(raw: &str) -> Option<Vec<Commit>> {
    items(raw)?.into_iter().map(Commit::parse).collect()
}

fn processes(raw: &str) -> Option<Vec<ProcessStamp>> {
    let pairs: Vec<(u32, Option<u64>)> = serde_json::from_str(raw).ok()?;
    // One id is resumed in two terminals, not in twenty; each one is asked about wherever the session is shown.
    Some(pairs.into_iter().take(16).map(|(pid, start)| ProcessStamp { pid, start }).collect())
}

/// Of fields of one name the last one counts, as everywhere in JSON; whether there were any. By hash: a hostile file has
/// half a million of them.
fn keep_last(pairs: &mut Vec<(Cow<'_, str>, &str)>) -> bool {
    let mut known = HashSet::with_capacity(pairs.len());
    let last: Vec<bool> = pairs.iter().rev().map(|(name, _)| known.insert(&**name)).collect();
    let repeated = last.contains(&false);
    let mut last = last.into_iter().rev();
    pairs.retain(|_| last.next() != Some(false));
    repeated
}

impl Manifest {
    /// Reads a manifest.
    ///
    /// # Errors
    /// The message of serde_json, with line and column, if the bytes are not a JSON object.
    pub fn parse(bytes: &[u8]) -> Result<Manifest, serde_json::Error> {
        let RawObject(mut pairs) = RawObject::parse(bytes)?;
        let mut manifest = Manifest::default();
        let mut others = manifest.take_all(&pairs);
        // A field that was taken may have come again as something that cannot be.
        if !others.is_empty() && keep_last(&mut pairs) {
            manifest = Manifest::default();
            others = manifest.take_all(&pairs);
        }
        let other = |position: usize| {
            let (name, raw) = pairs.get(position)?;
            Some((name.to_string(), RawValue::from_string((*raw).to_owned()).ok()?))
        };
        manifest.extra = others.into_iter().filter_map(other).collect();
        Ok(manifest)
    }

    /// Reads the fields of ait, and returns the positions of the others.
    fn take_all(&mut self, pairs: &[(Cow<'_, str>, &str)]) -> Vec<usize> {
        let pairs = pairs.iter().enumerate();
        pairs.filter(|(_, (name, raw))| !self.take(name, raw)).map(|(position, _)| position).collect()
    }

    /// Reads a field. A value of another type belongs to another program and stays where it was.
    fn take(&mut self, name: &str, raw: &str) -> bool {
        let null = raw == "null";
        match name {
            "session_id" => take(&mut self.session_id, text(raw)),
            "project" => take(&mut self.project, text(raw)),
            "path" => take(&mut self.path, text(raw)),
            "git_branch" => take_some(&mut self.git_branch, text(raw), null),
            "git_dirty" => take_some(&mut self.git_dirty, truth(raw), null),
            "started" => take_some(&mut self.started, time(raw), null),
            "pid" => take_some(&mut self.pid, number(raw).and_then(|pid| u32::try_from(pid).ok()), null),
            "task" => take_some(&mut self.task, text(raw), null),
            "resumed" => take_some(&mut self.resumed, time(raw), null),
            "headless" => take(&mut self.headless, truth(raw)),
            "pid_start" => take_some(&mut self.pid_start, number(raw), null),
            "boot_id" => take_some(&mut self.boot_id, text(raw), null),
            "pid_namespace" => take_some(&mut self.pid_namespace, number(raw), null),
            "processes" => take(&mut self.processes, processes(raw)),
            "state" => take(&mut self.state, text(raw).and_then(|state| State::parse(&state))),
            "state_since" => take_some(&mut self.state_since, time(raw), null),
            "waiting_for" => take_some(&mut self.waiting_for, text(raw), null),
            "turn_finished" => take(&mut self.turn_finished, truth(raw)),
            "turn_error" => take_some(&mut self.turn_error, text(raw), null),
            "tool" => take_some(&mut self.tool, text(raw), null),
            "task_source" => {
                take_some(&mut self.task_source, text(raw).and_then(|source| TaskSource::parse(&source)), null)
            }
            "task_unconfirmed" => take(&mut self.task_unconfirmed, truth(raw)),
            "scheduled_prompts" => take(&mut self.scheduled_prompts, serde_json::from_str(raw).ok()),
            "head" => take_some(&mut self.head, text(raw), null),
            "updated" => take_some(&mut self.updated, time(raw), null),
            "model" => take_some(&mut self.model, text(raw), null),
            "transcript_path" => take_some(&mut self.transcript_path, text(raw), null),
            "started_in" => take_some(&mut self.started_in, text(raw), null),
            "tree" => take_some(&mut self.tree, text(raw), null),
            "repository" => take_some(&mut self.repository, text(raw), null),
            "wrote_in" => take(&mut self.wrote_in, serde_json::from_str(raw).ok()),
            "overlaps" => take(&mut self.overlaps, serde_json::from_str(raw).ok()),
            "git_upstream" => take_some(&mut self.git_upstream, serde_json::from_str(raw).ok(), null),
            "head_moved" => take_some(&mut self.head_moved, serde_json::from_str(raw).ok(), null),
            "tmux_socket" => take_some(&mut self.tmux_socket, text(raw), null),
            "tmux_window" => take_some(&mut self.tmux_window, serde_json::from_str(raw).ok(), null),
            "start_options" => take(&mut self.start_options, serde_json::from_str(raw).ok()),
            "touched" => take(&mut self.touched, serde_json::from_str(raw).ok()),
            "activity" => take(&mut self.activity, Activity::parse(raw)),
            "commits" => take(&mut self.commits, commits(raw)),
            "tmux_pane" => take_some(&mut self.tmux_pane, text(raw), null),
            "user" => take_some(&mut self.user, text(raw), null),
            "host" => take_some(&mut self.host, text(raw), null),
            "worked_seconds" => take(&mut self.worked_seconds, number(raw)),
            "waited_seconds" => take(&mut self.waited_seconds, number(raw)),
            "ended" => take_some(&mut self.ended, time(raw), null),
            "status" => take_some(&mut self.status, text(raw), null),
            "end_reason" => take_some(&mut self.end_reason, text(raw), null),
            "dismissed" => take(&mut self.dismissed, truth(raw)),
            _ => false,
        }
    }

    /// Every field with its JSON text, in the order of the file: the documented ones, those of ait, then those of others.
    fn fields(&self) -> Vec<(Cow<'_, str>, Cow<'_, str>)> {
        let mut fields = Fields { pairs: Vec::with_capacity(40), extra: &self.extra };
        fields.put_text("session_id", Some(&self.session_id));
        fields.put_text("project", Some(&self.project));
        fields.put_text("path", Some(&self.path));
        fields.put_text("git_branch", self.git_branch.as_deref());
        fields.put("git_dirty", &self.git_dirty);
        fields.put("started", &self.started.map(whole_seconds));
        fields.put("pid", &self.pid);
        fields.put_text("task", self.task.as_deref());
        if self.resumed.is_some() {
            fields.put("resumed", &self.resumed.map(whole_seconds));
        }
        fields.put_if(self.headless, "headless", &true);
        fields.put("pid_start", &self.pid_start);
        fields.put_text("boot_id", self.boot_id.as_deref());
        fields.put("pid_namespace", &self.pid_namespace);
        if !self.processes.is_empty() {
            let pairs: Vec<(u32, Option<u64>)> = self.processes.iter().map(|stamp| (stamp.pid, stamp.start)).collect();
            fields.put("processes", &pairs);
        }
        self.put_state(&mut fields);
        fields.put_text("task_source", self.task_source.map(TaskSource::as_str));
        fields.put_if(self.task_unconfirmed, "task_unconfirmed", &true);
        fields.put_if(!self.scheduled_prompts.is_empty(), "scheduled_prompts", &self.scheduled_prompts);
        fields.put_text("head", self.head.as_deref());
        fields.put_if(self.git_upstream.is_some(), "git_upstream", &self.git_upstream);
        fields.put("updated", &self.updated.map(milliseconds));
        fields.put_text("model", self.model.as_deref());
        fields.put_text("transcript_path", self.transcript_path.as_deref());
        fields.put_text("started_in", self.started_in.as_deref());
        fields.put_text("tree", self.tree.as_deref());
        fields.put_text("repository", self.repository.as_deref());
        if !self.wrote_in.is_empty() {
            fields.put("wrote_in", &self.wrote_in);
        }
        fields.put_if(!self.overlaps.is_empty(), "overlaps", &self.overlaps);
        fields.put_if(self.head_moved.is_some(), "head_moved", &self.head_moved);
        self.put_surroundings_and_end(&mut fields);
        let mut pairs = fields.pairs;
        let known = pairs.len();
        for (name, raw) in &self.extra {
            if !pairs.iter().take(known).any(|(known, _)| known == name) {
                pairs.push((Cow::Borrowed(name), Cow::Borrowed(raw.get())));
            }
        }
        pairs
    }

    fn put_state(&self, fields: &mut Fields<'_>) {
        fields.put("state", &self.state);
        fields.put("state_since", &self.state_since.map(milliseconds));
        fields.put_text("waiting_for", self.waiting_for.as_deref());
        fields.put_if(self.turn_finished, "turn_finished", &true);
        if self.turn_error.is_some() {
            fields.put_text("turn_error", self.turn_error.as_deref());
        }
        fields.put_text("tool", self.tool.as_deref());
    }

    fn put_surroundings_and_end(&self, fields: &mut Fields<'_>) {
        fields.put_text("tmux_pane", self.tmux_pane.as_deref());
        fields.put_text("tmux_socket", self.tmux_socket.as_deref());
        fields.put_if(self.tmux_window.is_some(), "tmux_window", &self.tmux_window);
        fields.put_if(!self.start_options.is_empty(), "start_options", &self.start_options);
        fields.put_text("user", self.user.as_deref());
        fields.put_text("host", self.host.as_deref());
        fields.put("worked_seconds", &self.worked_seconds);
        fields.put("waited_seconds", &self.waited_seconds);
        if self.ended.is_some() || self.status.is_some() {
            fields.put("ended", &self.ended.map(whole_seconds));
            fields.put_text("status", self.status.as_deref());
            fields.put_text("end_reason", self.end_reason.as_deref());
        }
        fields.put_if(self.dismissed, "dismissed", &true);
        fields.put_if(!self.touched.is_empty(), "touched", &self.touched);
        if !self.activity.is_empty() {
            fields.put_json("activity", Cow::Owned(self.activity.to_json()));
        }
        if !self.commits.is_empty() {
            fields.put("commits", &self.commits);
        }
    }

    /// The manifest as it is written: one field a line, so that people can read it with `cat`.
    pub fn to_bytes(&self) -> Vec<u8> {
        let mut text = String::with_capacity(2048);
        let mut separator = "{\n  ";
        for (name, value) in self.fields() {
            text.push_str(separator);
            push_quoted(&mut text, &name);
            text.push_str(": ");
            text.push_str(&value);
            separator = ",\n  ";
        }
        text.push_str("\n}\n");
        text.into_bytes()
    }

    /// Every field as a name and a JSON value, for `--json`. Unknown ones come last.
    pub(crate) fn json_fields(&self) -> JsonFields {
        let raw = |text: Cow<'_, str>| RawValue::from_string(text.into_owned()).ok();
        self.fields().into_iter().filter_map(|(name, value)| Some((name.into_owned(), raw(value)?))).collect()
    }

    /// The last sign of life that is written down.
    pub fn last_seen(&self) -> Option<Timestamp> {
        self.updated.or(self.state_since).or(self.started)
    }

    /// The parts that a segment shows or depends on.
    pub fn shown(&self) -> Shown {
        Shown {
            texts: [
                Some(self.project.clone()),
                Some(self.path.clone()),
                self.tree.clone(),
                self.git_branch.clone(),
                self.task.clone(),
                self.waiting_for.clone(),
            ],
            state: self.state,
            turn_finished: self.turn_finished,
            turn_error: self.turn_error.clone(),
            waiting_since: self
                .state_since
                .filter(|_| self.turn_finished || matches!(self.state, State::Waiting | State::Error)),
            task_source: self.task_source,
            started: self.started,
            resumed: self.resumed,
            stamps: self.stamps().collect(),
            wrote_in: self.wrote_in.iter().map(|wrote| (wrote.tree.clone(), wrote.by_subagent)).collect(),
            overlaps: self.overlaps.iter().map(|overlap| (overlap.path.clone(), overlap.session_id.clone())).collect(),
            head_moved: self.head_moved.clone(),
            git_upstream: self.git_upstream.clone(),
            ended: self.ended.is_some(),
        }
    }

    /// For how many seconds the session has run since it was last started or resumed; of an ended session, from its first
    /// start to its end. Never negative, whatever the clock did.
    pub fn elapsed_seconds(&self, now: Timestamp) -> Option<u64> {
        match self.ended {
            Some(ended) => Some(seconds_between(self.started?, ended)),
            None => Some(seconds_between(self.resumed.or(self.started)?, now)),
        }
    }

    /// The processes that run this session, the last one stamped first.
    pub fn stamps(&self) -> impl Iterator<Item = ProcessStamp> + '_ {
        let last = self.pid.map(|pid| ProcessStamp { pid, start: self.pid_start });
        last.into_iter().chain(self.processes.iter().cloned())
    }
}

impl Shown {
    /// Adds the entries for what changed from this to `now`, at the time `at`. A title that replaces the task
    /// of the first prompt is a better name for the same task.
    pub fn push_changes(&self, now: &Shown, entries: &mut Vec<Entry>, at: Timestamp) {
        let [_, _, _, branch, task, _] = &self.texts;
        let [_, _, _, branch_now, task_now, _] = &now.texts;
        let change = |before: &Option<String>, after: &Option<String>| {
            (before != after).then(|| Change { at, before: before.clone(), after: after.clone() })
        };
        let is_renamed = self.task_source == Some(TaskSource::Prompt) && now.task_source == Some(TaskSource::Title);
        entries.extend(change(task, task_now).filter(|_| !is_renamed).map(Entry::Task));
        entries.extend(change(branch, branch_now).map(Entry::Branch));
    }
}

struct Fields<'a> {
    pairs: Vec<(Cow<'a, str>, Cow<'a, str>)>,
    extra: &'a [(String, Box<RawValue>)],
}

impl<'a> Fields<'a> {
    /// Adds a field, unless it is empty and a value of that name from another program was kept.
    fn put<T: Serialize + ?Sized>(&mut self, name: &'static str, value: &T) {
        self.put_json(name, Cow::Owned(json(value)));
    }

    /// [`Fields::put`] for a field that is there on a condition.
    fn put_if<T: Serialize>(&mut self, is_there: bool, name: &'static str, value: &T) {
        if is_there {
            self.put(name, value);
        }
    }

    /// [`Fields::put`] for a text, which nearly always stands for itself.
    fn put_text(&mut self, name: &'static str, text: Option<&str>) {
        self.put_json(name, text.map_or(Cow::Borrowed("null"), |text| Cow::Owned(quoted(text))));
    }

    fn put_json(&mut self, name: &'static str, value: Cow<'a, str>) {
        let is_kept = self.extra.iter().any(|(kept, _)| kept == name);
        if !(is_kept && matches!(&*value, "null" | "\"\"" | "0" | "\"unknown\"")) {
            self.pairs.push((Cow::Borrowed(name), value));
        }
    }
}

/// Texts, numbers and times have no way to fail here; `null` stands for what cannot be.
fn json<T: Serialize + ?Sized>(value: &T) -> String {
    serde_json::to_string(value).unwrap_or_else(|_| "null".to_owned())
}

/// Adds a text as JSON. Nearly all stand for themselves.
fn push_quoted(out: &mut String, text: &str) {
    if text.bytes().all(is_plain) {
        out.push('"');
        out.push_str(text);
        out.push('"');
    } else {
        out.push_str(&json(text));
    }
}

fn quoted(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    push_quoted(&mut quoted, text);
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    const GUIDE: &str = r#"{
  "session_id": "abc123",
  "project": "aiterm",
  "path": "/Users/dt/projects/dev-tools/aiterm",
  "git_branch": "main",
  "git_dirty": true,
  "started": "2025-12-26T14:30:00Z",
  "pid": 12345,
  "task": "Implementing session coordination"
}"#;

    #[test]
    fn the_documented_example_is_read() {
        let manifest = Manifest::parse(GUIDE.as_bytes()).unwrap();
        assert_eq!(manifest.session_id, "abc123");
        assert_eq!(manifest.git_dirty, Some(true));
        assert_eq!(manifest.started.unwrap().to_string(), "2025-12-26T14:30:00Z");
        assert_eq!(manifest.pid, Some(12345));
        assert_eq!(manifest.state, State::Unknown);
    }

    #[test]
    fn a_session_has_a_handful_of_processes() {
        let text = format!("{{\"processes\":[{}]}}", vec!["[1,5]"; 50_000].join(","));
        assert_eq!(Manifest::parse(text.as_bytes()).unwrap().processes.len(), 16);
    }

    #[test]
    fn what_we_do_not_know_survives_to_the_byte() {
        let foreign = r#"{"session_id":"x","mood":{"b":1,"a":[1e999, 123456789012345678901234567890]},"pid":"not a number","esc\u0061pe":" \u00e9 ","task":null,"started":"yesterday"}"#;
        let once = Manifest::parse(foreign.as_bytes()).unwrap();
        let twice = Manifest::parse(&once.to_bytes()).unwrap();
        let written = String::from_utf8(twice.to_bytes()).unwrap();
        for kept in [
            r#""mood": {"b":1,"a":[1e999, 123456789012345678901234567890]}"#,
            r#""pid": "not a number""#,
            r#""escape": " \u00e9 ""#,
            r#""started": "yesterday""#,
        ] {
            assert!(written.contains(kept), "{kept} in {written}");
        }
        assert_eq!(once.to_bytes(), twice.to_bytes());
    }

    #[test]
    fn a_value_we_set_replaces_the_one_that_could_not_be_read() {
        let mut manifest = Manifest::parse(br#"{"pid":"?","started":"yesterday"}"#).unwrap();
        manifest.pid = Some(7);
        let written = String::from_utf8(manifest.to_bytes()).unwrap();
        assert!(written.contains("\"pid\": 7") && !written.contains('?') && written.contains("yesterday"), "{written}");
    }

    #[test]
    fn a_name_given_twice_counts_the_last_time() {
        assert_eq!(Manifest::parse(br#"{"task":"a","task":"b"}"#).unwrap().task.as_deref(), Some("b"));
    }

    #[test]
    fn of_a_field_of_others_the_last_one_is_kept() {
        let once = Manifest::parse(br#"{"mood":1,"pid":"?","mood":2,"x":3,"mood":4}"#).unwrap();
        let written = String::from_utf8(once.to_bytes()).unwrap();
        assert!(written.ends_with(",\n  \"pid\": \"?\",\n  \"x\": 3,\n  \"mood\": 4\n}\n"), "{written}");
    }

    #[test]
    fn a_hundred_thousand_fields_are_no_hang() {
        let fields: Vec<String> = (0..100_000).map(|number| format!("\"{number}\":0")).collect();
        let manifest = Manifest::parse(format!("{{{}}}", fields.join(",")).as_bytes()).unwrap();
        // Comparing each with each would take minutes here.
        assert_eq!(Manifest::parse(&manifest.to_bytes()).unwrap().to_bytes(), manifest.to_bytes());
    }

    #[test]
    fn times_of_other_peoples_scripts() {
        for text in
            ["2025-12-26T14:30:00Z", "2025-12-26T14:30:00+00:00", "2025-12-26T14:30:00.000000", "2025-12-26 14:30:00"]
        {
            assert_eq!(parse_time(text).unwrap().to_string(), "2025-12-26T14:30:00Z", "{text}");
        }
        assert_eq!(parse_time("yesterday"), None);
    }

    #[test]
    fn seconds_between_is_zero_if_the_clock_was_set_back() {
        let at = |second| Timestamp::from_second(second).unwrap();
        assert_eq!(seconds_between(at(100), at(40)), 0);
        assert_eq!(seconds_between(at(40), at(100)), 60);
        assert_eq!(seconds_between(Timestamp::MAX, Timestamp::MIN), 0);
        assert!(seconds_between(Timestamp::MIN, Timestamp::MAX) > 0);
    }

    #[test]
    fn elapsed_is_never_negative() {
        let manifest = Manifest::parse(br#"{"started":"2030-01-01T00:00:00Z"}"#).unwrap();
        assert_eq!(manifest.elapsed_seconds(Timestamp::UNIX_EPOCH), Some(0));
    }

    #[test]
    fn no_object_is_an_error() {
        for bad in [&b""[..], b"{", b"[]", b"null", b"{\"task\":\"\xff\"}", b"{} x"] {
            assert!(Manifest::parse(bad).is_err(), "{bad:?}");
        }
    }
}
