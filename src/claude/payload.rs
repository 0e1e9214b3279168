//! The standard input of a hook: one JSON object of Claude Code.
//!
//! Source: payloads captured from clients 2.0.62 to 2.1.330 (`tests/payloads/`). A field of an unexpected type costs
//! that field only: newer clients may send other shapes.

use crate::session::event::{Dialog, Event};
use crate::session::json_object::{each_field, text, text_start};

/// Bytes of JSON: more than any id, name or path takes. The kernel's limit of a path is 4096.
const MAX_NAME: usize = 6 * 4096;
/// Bytes of JSON: a task is cut to its first thousand characters.
const MAX_TEXT: usize = 16 * 1024;
/// Bytes of JSON that a list of tasks in the background may take; a longer one is none.
const MAX_LIST: usize = 1 << 20;

/// The parts of a hook payload that matter here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HookPayload {
    /// The session.
    pub session_id: String,
    /// The name of the event, such as `SessionStart`.
    pub event: String,
    /// The folder the session works in now.
    pub folder: Option<String>,
    /// Claude Code's record of the conversation.
    pub transcript_path: Option<String>,
    /// Set when a sub-agent fired the event.
    pub agent_id: Option<String>,
    /// The session's title, once it has one.
    pub title: Option<String>,
    /// SessionStart: startup, resume, clear, compact, fork.
    pub source: Option<String>,
    /// SessionStart of an interactive session.
    pub model: Option<String>,
    /// SessionEnd: clear, resume, logout, prompt_input_exit, other.
    pub reason: Option<String>,
    /// UserPromptSubmit.
    pub prompt: Option<String>,
    /// Tool events.
    pub tool: Option<String>,
    /// The file that a writing tool is about to write (PreToolUse) or wrote (PostToolUse), as the payload has it.
    pub writes: Option<String>,
    /// Notification: `permission_prompt`, `idle_prompt` and others. Older clients send none.
    pub notification: Option<String>,
    /// Notification: what the client tells the user.
    pub message: Option<String>,
    /// StopFailure: `rate_limit`, `server_error`, `unknown`.
    pub error: Option<String>,
    /// Stop: a sub-agent still runs.
    pub subagent_running: bool,
    /// Stop: the prompts that will wake the session later.
    pub scheduled: Option<Vec<String>>,
}

/// An entry of `session_crons`. There are also `id`, `schedule` and `recurring`.
#[derive(serde::Deserialize)]
struct SessionCron {
    /// At most 1,000 characters.
    #[serde(default)]
    prompt: String,
}

/// The command of a shell tool, from the bytes of a payload.
pub fn shell_command(payload: &[u8]) -> Option<String> {
    let mut command = None;
    let read = each_field(payload, |name, raw| {
        if name == "tool_input" {
            let _ = each_field(raw.as_bytes(), |name, raw| {
                if name == "command" {
                    command = text_start(raw, MAX_TEXT);
                }
            });
        }
    });
    read.ok().and(command)
}

fn scheduled_prompts(raw: &str) -> Option<Vec<String>> {
    let list = Some(raw).filter(|raw| raw.len() <= MAX_LIST)?;
    let crons: Vec<SessionCron> = serde_json::from_str(list).ok()?;
    Some(crons.into_iter().map(|cron| cron.prompt).collect())
}

/// An entry of `background_tasks`.
#[derive(serde::Deserialize)]
struct BackgroundTask {
    #[serde(rename = "type", default)]
    kind: String,
    #[serde(default)]
    status: String,
}

fn subagent_running(raw: &str) -> bool {
    let list = Some(raw).filter(|raw| raw.len() <= MAX_LIST);
    let tasks: Vec<BackgroundTask> = list.and_then(|list| serde_json::from_str(list).ok()).unwrap_or_default();
    tasks.iter().any(|task| task.kind == "subagent" && task.status == "running")
}

/// Claude Code's own tools that write one file.
fn writes_a_file(tool: &str) -> bool {
    matches!(tool, "Write" | "Edit" | "MultiEdit" | "NotebookEdit")
}

/// Whether a tool of an MCP server writes a file, by its name: `mcp__filesystem__write_file`. Servers name their tools
/// freely, so a word for writing is enough.
fn mcp_tool_writes(tool: &str) -> bool {
    const VERBS: [&str; 16] = [
        "append",
        "apply",
        "create",
        "delete",
        "edit",
        "insert",
        "modify",
        "move",
        "overwrite",
        "patch",
        "remove",
        "rename",
        "replace",
        "save",
        "update",
        "write",
    ];
    let Some((_, name)) = tool.strip_prefix("mcp__").and_then(|name| name.split_once("__")) else { return false };
    let words = name.split(|c: char| !c.is_ascii_alphanumeric());
    // `createNewFile` begins with its verb as well.
    words.into_iter().any(|word| {
        let begins = |verb: &&str| word.get(..verb.len()).is_some_and(|start| start.eq_ignore_ascii_case(verb));
        VERBS.iter().find(|verb| begins(verb)).is_some_and(|verb| {
            let rest = word.get(verb.len()..).unwrap_or_default();
            rest.is_empty() || rest.starts_with(|c: char| c.is_ascii_uppercase())
        })
    })
}

/// The fields that hold the path of the written file. The first is from results, the next two from inputs of Claude Code's
/// own tools.
const PATH_FIELDS: [&str; 3] = ["filePath", "file_path", "notebook_path"];
/// The same for tools of MCP servers, as the widespread ones name it.
const MCP_PATH_FIELDS: [&str; 12] = [
    "file_path",
    "filePath",
    "filepath",
    "path",
    "relative_path",
    "pathInProject",
    "file",
    "filename",
    "destination",
    "target_file",
    "absolute_path",
    "notebook_path",
];
/// Fields of tools whose path is in a repository on a server, and not on this machine.
const REMOTE_FIELDS: [&str; 3] = ["owner", "repo", "project_id"];

/// The path in a tool's input or result.
fn path_in(raw: &str) -> Option<String> {
    first_path(raw, &PATH_FIELDS, &[])
}

/// The path in the input of an MCP server's tool.
fn mcp_path_in(raw: &str) -> Option<String> {
    first_path(raw, &MCP_PATH_FIELDS, &REMOTE_FIELDS)
}

/// The path in the first of these fields that has one; `None` if one of `except` is there.
fn first_path(raw: &str, fields: &[&str], except: &[&str]) -> Option<String> {
    let mut found: Option<(usize, String)> = None;
    let mut is_excepted = false;
    each_field(raw.as_bytes(), |name, raw| {
        is_excepted |= except.contains(&name);
        if let Some(rank) = fields.iter().position(|field| *field == name)
            && found.as_ref().is_none_or(|(known, _)| rank < *known)
            && let Some(path) = path(raw).filter(|path| !path.is_empty())
        {
            found = Some((rank, path));
        }
    })
    .ok()?;
    found.filter(|_| !is_excepted).map(|(_, path)| path)
}

/// A path that the kernel would take.
fn path(raw: &str) -> Option<String> {
    text(raw).filter(|_| raw.len() <= MAX_NAME)
}

impl HookPayload {
    /// Reads a payload.
    ///
    /// # Errors
    /// The message of serde_json if the bytes are not a JSON object.
    pub fn parse(bytes: &[u8]) -> Result<HookPayload, serde_json::Error> {
        let mut payload = HookPayload::default();
        let (mut input, mut result) = (None, None);
        each_field(bytes, |name, raw| match name {
            "prompt" => payload.prompt = text_start(raw, MAX_TEXT),
            "session_title" => {
                payload.title = text_start(raw, MAX_TEXT).filter(|title| !title.trim().is_empty());
            }
            "tool_input" => input = Some(raw),
            "tool_response" => result = Some(raw),
            "background_tasks" => payload.subagent_running = subagent_running(raw),
            "session_crons" => payload.scheduled = scheduled_prompts(raw),
            // Nothing of what follows is that long.
            _ if raw.len() > MAX_NAME => {}
            "session_id" => payload.session_id = text(raw).unwrap_or_default(),
            "hook_event_name" => payload.event = text(raw).unwrap_or_default(),
            "cwd" => payload.folder = text(raw),
            "transcript_path" => payload.transcript_path = text(raw),
            "agent_id" => payload.agent_id = text(raw).filter(|id| !id.is_empty()),
            "source" => payload.source = text(raw),
            "model" => payload.model = text(raw),
            "reason" => payload.reason = text(raw),
            "tool_name" => payload.tool = text(raw),
            "notification_type" => payload.notification = text(raw),
            "message" => payload.message = text(raw),
            "error" => payload.error = text(raw),
            _ => {}
        })?;
        if payload.tool.as_deref().is_some_and(writes_a_file) {
            // The tool's response has priority over its input.
            payload.writes = match payload.event.as_str() {
                "PreToolUse" => input.and_then(path_in),
                "PostToolUse" => result.and_then(path_in).or_else(|| input.and_then(path_in)),
                _ => None,
            };
        } else if payload.tool.as_deref().is_some_and(mcp_tool_writes)
            && matches!(payload.event.as_str(), "PreToolUse" | "PostToolUse")
        {
            payload.writes = input.and_then(mcp_path_in);
        }
        Ok(payload)
    }

    /// The event in the terms of the model.
    pub fn happened(&self) -> Event {
        let tool = || self.tool.clone().unwrap_or_default();
        match self.event.as_str() {
            "SessionStart" if self.source.as_deref() == Some("compact") => Event::Compacted,
            "SessionStart" => Event::Start { model: self.model.clone() },
            "SessionEnd" => Event::End { reason: self.reason.clone() },
            "UserPromptSubmit" => Event::Prompt(self.prompt.clone().unwrap_or_default()),
            "PreToolUse" => Event::ToolStart(tool()),
            "PermissionRequest" => Event::PermissionAsked(tool()),
            "PostToolUse" | "PostToolUseFailure" => Event::ToolEnd,
            "Notification" => self.notified(),
            "Stop" => Event::TurnEnd { in_background: self.subagent_running },
            "StopFailure" => Event::TurnFailed(self.error.clone()),
            _ => Event::Other,
        }
    }

    /// What a notification means. There are more kinds than these, new ones are added, and older clients name none: then
    /// the text tells.
    fn notified(&self) -> Event {
        let kind = self.notification.as_deref().unwrap_or_default();
        let message = self.message.as_deref().unwrap_or_default().to_ascii_lowercase();
        match kind {
            // `worker_permission_prompt` is of a teammate.
            "permission_prompt" | "worker_permission_prompt" => Event::DialogOpen(Dialog::Permission),
            "idle_prompt" => Event::NobodyTyped,
            "elicitation_dialog" => Event::DialogOpen(Dialog::Question),
            "elicitation_response" | "elicitation_complete" | "auth_success" => Event::Other,
            _ if message.contains("waiting for your input") => Event::NobodyTyped,
            _ if message.contains("permission") || message.contains("approval") => {
                Event::DialogOpen(Dialog::Permission)
            }
            _ if message.contains("needs your") => Event::DialogOpen(Dialog::Question),
            _ => Event::Other,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_result_of_a_write_goes_before_its_wish() {
        let written = |event: &str, tool: &str, rest: &str| {
            let text = format!(r#"{{"hook_event_name":"{event}","tool_name":"{tool}",{rest}}}"#);
            HookPayload::parse(text.as_bytes()).unwrap().writes
        };
        let both = r#""tool_response":{"filePath":"/did"},"tool_input":{"file_path":"/wish"}"#;
        assert_eq!(written("PostToolUse", "Write", both).as_deref(), Some("/did"));
        assert_eq!(written("PreToolUse", "Edit", both).as_deref(), Some("/wish"));
        let old = r#""tool_input":{"file_path":"/wish"},"tool_response":"done""#;
        assert_eq!(written("PostToolUse", "MultiEdit", old).as_deref(), Some("/wish"));
        let notebook = r#""tool_input":{"notebook_path":"/n.ipynb","new_source":"x"}"#;
        assert_eq!(written("PostToolUse", "NotebookEdit", notebook).as_deref(), Some("/n.ipynb"));
        assert_eq!(written("PostToolUse", "Read", both), None);
        assert_eq!(written("PostToolUseFailure", "Write", both), None);
    }

    #[test]
    fn mcp_tools_that_write_by_their_name_write_the_path_of_their_input() {
        let written = |tool: &str, input: &str| {
            let text = format!(r#"{{"hook_event_name":"PostToolUse","tool_name":"{tool}","tool_input":{input}}}"#);
            HookPayload::parse(text.as_bytes()).unwrap().writes
        };
        for (tool, input, wanted) in [
            ("mcp__filesystem__write_file", r#"{"content":"x","path":"/a"}"#, Some("/a")),
            ("mcp__filesystem__move_file", r#"{"source":"/a","destination":"/b"}"#, Some("/b")),
            ("mcp__serena__replace_symbol_body", r#"{"relative_path":"src/a.rs"}"#, Some("src/a.rs")),
            ("mcp__jetbrains__create_new_file", r#"{"pathInProject":"a","text":"x"}"#, Some("a")),
            ("mcp__x__createFile", r#"{"path":"","file":"a"}"#, Some("a")),
            ("mcp__x__str-replace", r#"{"file_path":"a","path":"b"}"#, Some("a")),
            ("mcp__filesystem__read_file", r#"{"path":"/a"}"#, None),
            ("mcp__x__list_updates", r#"{"path":"/a"}"#, None),
            ("mcp__write__get", r#"{"path":"/a"}"#, None),
            ("mcp__github__create_or_update_file", r#"{"owner":"o","repo":"r","path":"a"}"#, None),
            ("mcp__x__write_file", r#"{"path":7}"#, None),
            ("mcp__x__write_file", "[]", None),
            ("mcp__x", r#"{"path":"/a"}"#, None),
            ("write_file", r#"{"path":"/a"}"#, None),
        ] {
            assert_eq!(written(tool, input).as_deref(), wanted, "{tool} {input}");
        }
    }

    #[test]
    fn a_field_of_another_type_costs_that_field_only() {
        let payload = HookPayload::parse(
            br#"{"session_id":"x","hook_event_name":"SessionStart","model":{"id":"m"},"cwd":7,"source":"startup","background_tasks":3}"#,
        )
        .unwrap();
        assert_eq!((payload.session_id.as_str(), payload.model.as_deref(), payload.folder), ("x", None, None));
        assert_eq!(payload.source.as_deref(), Some("startup"));
    }
}
