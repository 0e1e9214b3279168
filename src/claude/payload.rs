//! What Claude Code hands to a hook on standard input: one JSON object.
//!
//! Source: payloads captured from clients 2.0.62 to 2.1.330 (`tests/payloads/`). A field of an unexpected type costs
//! that field only: newer clients may send other shapes.

use crate::session::event::Event;
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
    /// Notification: permission_prompt, idle_prompt.
    pub notification: Option<String>,
    /// Stop: a sub-agent still runs.
    pub subagent_running: bool,
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

/// The tools that write one file.
fn writes_a_file(tool: &str) -> bool {
    matches!(tool, "Write" | "Edit" | "MultiEdit" | "NotebookEdit")
}

/// The path in a tool's input or result. Results say `filePath`; inputs `file_path`, of notebooks `notebook_path`.
fn path_in(raw: &str) -> Option<String> {
    let mut paths = [None, None, None];
    let [result, input, notebook] = &mut paths;
    each_field(raw.as_bytes(), |name, raw| match name {
        "filePath" => *result = path(raw),
        "file_path" => *input = path(raw),
        "notebook_path" => *notebook = path(raw),
        _ => {}
    })
    .ok()?;
    paths.into_iter().flatten().find(|path| !path.is_empty())
}

/// A path that the kernel would take.
fn path(raw: &str) -> Option<String> {
    text(raw).filter(|_| raw.len() <= MAX_NAME)
}

impl HookPayload {
    /// Reads a payload.
    ///
    /// # Errors
    /// What serde_json says where the bytes are no JSON object.
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
            _ => {}
        })?;
        if payload.tool.as_deref().is_some_and(writes_a_file) {
            // What the tool says it did goes before what it was asked to do.
            payload.writes = match payload.event.as_str() {
                "PreToolUse" => input.and_then(path_in),
                "PostToolUse" => result.and_then(path_in).or_else(|| input.and_then(path_in)),
                _ => None,
            };
        }
        Ok(payload)
    }

    /// What happened, in the words of the model.
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
            "Notification" => match self.notification.as_deref() {
                Some("permission_prompt") => Event::DialogOpen,
                Some("idle_prompt") => Event::NobodyTyped,
                _ => Event::Other,
            },
            "Stop" => Event::TurnEnd { in_background: self.subagent_running },
            "StopFailure" => Event::TurnFailed,
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
    fn a_field_of_another_type_costs_that_field_only() {
        let payload = HookPayload::parse(
            br#"{"session_id":"x","hook_event_name":"SessionStart","model":{"id":"m"},"cwd":7,"source":"startup","background_tasks":3}"#,
        )
        .unwrap();
        assert_eq!((payload.session_id.as_str(), payload.model.as_deref(), payload.folder), ("x", None, None));
        assert_eq!(payload.source.as_deref(), Some("startup"));
    }
}
