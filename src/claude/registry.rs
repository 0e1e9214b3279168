//! Claude Code's own record of a running client: `sessions/<pid>.json`, since 2.1.114 (with a status since 2.1.156).
//!
//! The client rewrites it in place, so a reader can meet half of one. It is right where hooks are silent: after Esc, or
//! when a dialog was rejected. We read it and never write it; the `.key` files beside it are never opened.

use std::path::Path;

use jiff::Timestamp;

use super::client::{TELLS_SESSION, Version, is_headless};
use crate::session::id::SessionId;
use crate::session::json_object::{each_field, number, text};
use crate::session::order::sort_by;
use crate::session::state::{Status, StatusReport};
use crate::sys::files::{self, FileId, Folder};

/// One record.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Record {
    /// The process.
    pub pid: Option<u32>,
    /// The session it runs now.
    pub session_id: String,
    /// Start time of the process, in the kernel's own unit.
    pub process_start: Option<u64>,
    /// When the process started, or was claimed for this session.
    pub started: Option<Timestamp>,
    /// busy, idle, waiting, shell.
    pub status: Option<String>,
    /// `permission prompt`, `input needed`, `dialog open`, `sandbox request`.
    pub waiting_for: Option<String>,
    /// When the status last changed.
    pub status_since: Option<Timestamp>,
    /// The client's version.
    pub version: Option<String>,
    /// The name of the session.
    pub name: Option<String>,
    /// Whether the user gave it that name, with `/rename`.
    pub is_named_by_user: bool,
    /// The folder that the client works in. It follows `/cd` and EnterWorktree, and not a `cd` in the Bash tool.
    pub folder: Option<String>,
    /// How the client was started: `cli`, or `sdk-cli` and others for one without a terminal.
    pub entrypoint: Option<String>,
    /// The pid namespace of the process.
    pub pid_namespace: Option<u64>,
    /// The tmux pane that it runs in: `%3`.
    pub tmux_pane: Option<String>,
}

/// A record is under 1 KiB; more than this is not one.
const LIMIT: usize = 64 * 1024;

/// The processes that have a record, in order. Other files in the folder are passed over.
pub fn pids(sessions: &Path) -> Vec<u32> {
    let mut pids = Vec::new();
    let _ = Folder::open(sessions).and_then(|folder| {
        folder.each_name(|name| {
            let digits = name.strip_suffix(".json").filter(|pid| pid.bytes().all(|byte| byte.is_ascii_digit()));
            pids.extend(digits.and_then(|pid| pid.parse::<u32>().ok()));
        })
    });
    sort_by(&mut pids, Ord::cmp);
    pids
}

/// The sessions that clients run, or ran when they wrote their last record; at most a thousand.
pub fn sessions(folder: &Path) -> Vec<SessionId> {
    let records = pids(folder).into_iter().take(1_000).filter_map(|pid| Record::of_process(folder, pid));
    records.filter_map(|record| SessionId::parse(&record.session_id)).collect()
}

/// The namespace in `linux:MACHINE:pid:[4026531836]`.
fn namespace_of(domain: &str) -> Option<u64> {
    domain.rsplit(':').next()?.trim_matches(['[', ']']).parse().ok()
}

/// The pane in `session:@window.%pane`.
fn pane_of(tmux: &str) -> Option<String> {
    let (_, number) = tmux.rsplit_once(".%")?;
    Some(["%", number].concat())
}

/// The name of the file of a process's record.
pub fn name_of(pid: u32) -> String {
    [itoa::Buffer::new().format(pid), ".json"].concat()
}

impl Record {
    /// Reads the bytes of a record.
    ///
    /// # Errors
    /// The message of serde_json if the bytes are not a JSON object.
    pub fn parse(bytes: &[u8]) -> Result<Record, serde_json::Error> {
        let time = |raw| i64::try_from(number(raw)?).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok());
        let mut record = Record::default();
        each_field(bytes, |name, raw| match name {
            "pid" => record.pid = number(raw).and_then(|pid| u32::try_from(pid).ok()),
            "sessionId" => record.session_id = text(raw).unwrap_or_default(),
            "procStart" => record.process_start = number(raw),
            "startedAt" => record.started = time(raw),
            "status" => record.status = text(raw),
            "waitingFor" => record.waiting_for = text(raw),
            "statusUpdatedAt" => record.status_since = time(raw),
            "version" => record.version = text(raw),
            "name" => record.name = text(raw),
            "nameSource" => record.is_named_by_user = text(raw).is_some_and(|source| source == "user"),
            "cwd" => record.folder = text(raw),
            "entrypoint" => record.entrypoint = text(raw),
            "pidDomain" => record.pid_namespace = text(raw).as_deref().and_then(namespace_of),
            "tmux" => record.tmux_pane = text(raw).as_deref().and_then(pane_of),
            _ => {}
        })?;
        Ok(record)
    }

    /// Whether the client runs a session: not if it still shows the list of sessions to resume, or waits to be given one.
    /// Only clients before 2.1.156 record no status otherwise.
    pub fn has_session(&self) -> bool {
        let version = self.version.as_deref().and_then(Version::parse);
        self.status.is_some() || version.is_some_and(|version| version < TELLS_SESSION)
    }

    /// Whether the session is a headless run, such as `claude -p`; `None` if the client is too old to tell.
    pub fn is_headless(&self) -> Option<bool> {
        self.entrypoint.as_deref().map(is_headless)
    }

    /// The record of a process, from the folder that Claude Code keeps them in. A torn one is read once more.
    pub fn of_process(sessions: &Path, pid: u32) -> Option<Record> {
        let path = sessions.join(name_of(pid));
        let read = || files::read_no_link(&path, LIMIT).ok();
        Record::parse(&read()?).or_else(|_| Record::parse(&read().unwrap_or_default())).ok()
    }

    /// The record in a file of the folder that Claude Code keeps them in, and which version of the file it was read
    /// from. A torn one is read once more.
    pub fn read_in(sessions: &Folder, name: &str) -> Option<(Record, FileId)> {
        let read = || {
            let (bytes, meta) = sessions.read_with_meta(name, LIMIT).ok()?;
            Some((Record::parse(&bytes).ok()?, meta.id))
        };
        read().or_else(read)
    }

    /// The records of all clients, running or not.
    pub fn all(sessions: &Path) -> Vec<Record> {
        let record = |pid| Some(Record { pid: Some(pid), ..Record::of_process(sessions, pid)? });
        pids(sessions).into_iter().filter_map(record).collect()
    }

    /// What the client does now; `None` if it is too old to record it, or records something unknown.
    pub fn report(&self) -> Option<StatusReport> {
        let status = match self.status.as_deref()? {
            "busy" => Status::Busy,
            // A background shell alone does not keep the user from typing.
            "idle" | "shell" => Status::Idle,
            "waiting" => Status::Waiting,
            _ => return None,
        };
        let waiting_for = match self.waiting_for.as_deref() {
            Some("permission prompt" | "sandbox request") => "permission",
            Some("input needed") => "question",
            // Such as `dialog open`: one that the user opened, by `/model` or `/config`.
            _ => "dialog",
        };
        let waiting_for = (status == Status::Waiting).then(|| waiting_for.to_owned());
        Some(StatusReport { status, since: self.status_since, waiting_for })
    }
}
