//! The standard input of a status line: one JSON object of Claude Code, nested one or two deep.
//!
//! Source: payloads captured from client 2.1.330 (`tests/payloads/statusLine-*.json`), and its documentation for
//! `rate_limits`, which only subscribers get, after their first response (<https://code.claude.com/docs/en/statusline>).
//! A field that is null, absent or of an unexpected type costs that field only.

use crate::session::details::Details;
use crate::session::json_object::{each_field, number, text, text_start};

/// Bytes of JSON: more than any line has room for, and longer than any path.
const MAX_TEXT: usize = 16 * 1024;

/// The parts of a status-line payload that matter here.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct StatusPayload {
    /// The session.
    pub session_id: String,
    /// The folder that the session works in now; it follows a `cd` of the session's shell.
    pub folder: Option<String>,
    /// The folder that the session was started in.
    pub project_folder: Option<String>,
    /// The name of the linked worktree.
    pub worktree: Option<String>,
    /// The branch of a worktree that the client made itself (`--worktree`).
    pub worktree_branch: Option<String>,
    /// The session's title, once it has one.
    pub title: Option<String>,
    /// The model's name, as people say it.
    pub model: Option<String>,
    /// The share of the context that is used, in percent; absent before the first response.
    pub context: Option<f64>,
    /// The cost of the session in US dollars.
    pub cost: Option<f64>,
    /// How long the session has been running, in milliseconds; a resumed one brings its time along.
    pub duration_ms: Option<u64>,
    /// Lines added and removed.
    pub lines: Option<(u64, u64)>,
    /// The share of the limit over five hours that is used, in percent.
    pub five_hours: Option<f64>,
    /// The share of the limit over seven days that is used, in percent.
    pub seven_days: Option<f64>,
    /// The times, since 1970, at which the limits over five hours and seven days are reset.
    pub resets: (Option<i64>, Option<i64>),
}

impl StatusPayload {
    /// Reads a payload.
    ///
    /// # Errors
    /// The message of serde_json if the bytes are not a JSON object.
    pub fn parse(bytes: &[u8]) -> Result<StatusPayload, serde_json::Error> {
        let mut payload = StatusPayload::default();
        let mut folder = None;
        let mut made_worktree = None;
        each_field(bytes, |name, raw| match name {
            "session_id" => payload.session_id = text(raw).unwrap_or_default(),
            "cwd" => folder = said(raw),
            "session_name" => payload.title = said(raw),
            "model" => payload.model = model(raw),
            "workspace" => each(raw, |name, raw| match name {
                "current_dir" => payload.folder = said(raw),
                "project_dir" => payload.project_folder = said(raw),
                "git_worktree" => payload.worktree = said(raw),
                _ => {}
            }),
            "worktree" => each(raw, |name, raw| match name {
                "name" => made_worktree = said(raw),
                "branch" => payload.worktree_branch = said(raw),
                _ => {}
            }),
            "cost" => payload.take_cost(raw),
            "context_window" => payload.context = context(raw),
            "rate_limits" => each(raw, |name, raw| match name {
                "five_hour" => (payload.five_hours, payload.resets.0) = (share(raw), resets_at(raw)),
                "seven_day" => (payload.seven_days, payload.resets.1) = (share(raw), resets_at(raw)),
                _ => {}
            }),
            _ => {}
        })?;
        // Older clients have only the one, newer ones both, with the same content.
        payload.folder = payload.folder.or(folder);
        payload.worktree = payload.worktree.or(made_worktree);
        Ok(payload)
    }

    /// Reads what only some status lines show; what is not there or of an unexpected type is left out.
    pub fn details(bytes: &[u8]) -> Details {
        let mut details = Details::default();
        let of = |raw: &str, wanted: &str| {
            let mut found = None;
            each(raw, |name, raw| {
                if name == wanted {
                    found = said(raw);
                }
            });
            found
        };
        let seconds = |raw: &str| number(raw).map(|milliseconds: u64| milliseconds / 1000);
        let _ = each_field(bytes, |name, raw| match name {
            "session_name" => details.name = said(raw),
            "version" => details.version = said(raw),
            "output_style" => details.output_style = of(raw, "name"),
            "effort" => details.effort = of(raw, "level"),
            "vim" => details.vim = of(raw, "mode"),
            "agent" => details.agent = of(raw, "name"),
            "thinking" => each(raw, |name, raw| details.thinking |= name == "enabled" && raw == "true"),
            "workspace" => each(raw, |name, raw| {
                if name == "added_dirs" {
                    let dirs: Vec<serde::de::IgnoredAny> = serde_json::from_str(raw).unwrap_or_default();
                    details.dirs = dirs.len();
                }
            }),
            "cost" => each(raw, |name, raw| match name {
                "total_duration_ms" => details.duration = seconds(raw),
                "total_api_duration_ms" => details.api_time = seconds(raw),
                _ => {}
            }),
            "context_window" => each(raw, |name, raw| match name {
                "total_input_tokens" => details.tokens.0 = number(raw),
                "total_output_tokens" => details.tokens.1 = number(raw),
                _ => {}
            }),
            "prompt_cache" => each(raw, |name, raw| {
                if name == "expires_at" {
                    details.cache_until = number(raw).and_then(|at: u64| i64::try_from(at).ok());
                }
            }),
            // Not sent by the clients seen so far.
            "pr" | "pull_request" => each(raw, |name, raw| {
                if name == "number" {
                    details.pr = number(raw);
                }
            }),
            _ => {}
        });
        details
    }

    fn take_cost(&mut self, raw: &str) {
        let (mut added, mut removed) = (None, None);
        each(raw, |name, raw| match name {
            "total_cost_usd" => self.cost = amount(raw),
            "total_duration_ms" => self.duration_ms = number(raw),
            "total_lines_added" => added = number(raw),
            "total_lines_removed" => removed = number(raw),
            _ => {}
        });
        if added.is_some() || removed.is_some() {
            self.lines = Some((added.unwrap_or(0), removed.unwrap_or(0)));
        }
    }
}

/// Calls `take` with every field of an object; any other value has no fields.
fn each<'a>(raw: &'a str, take: impl FnMut(&str, &'a str)) {
    // Any other value has no fields.
    let _ = each_field(raw.as_bytes(), take);
}

/// A text that says something.
fn said(raw: &str) -> Option<String> {
    text_start(raw, MAX_TEXT).filter(|text| !text.trim().is_empty())
}

/// A number, or a text that holds one.
fn amount(raw: &str) -> Option<f64> {
    let amount: Option<f64> = serde_json::from_str(raw).ok().or_else(|| serde_json::from_str(&text(raw)?).ok());
    amount.filter(|amount| amount.is_finite())
}

/// `{id, display_name}`, or a name by itself.
fn model(raw: &str) -> Option<String> {
    let (mut shown, mut id) = (None, None);
    each(raw, |name, raw| match name {
        "display_name" => shown = said(raw),
        "id" => id = said(raw),
        _ => {}
    });
    shown.or(id).or_else(|| said(raw))
}

/// The share of the context window that is used. Clients before 2.1 do not reckon it themselves.
fn context(raw: &str) -> Option<f64> {
    let (mut used, mut left, mut size, mut tokens) = (None, None, None, None);
    each(raw, |name, raw| match name {
        "used_percentage" => used = amount(raw),
        "remaining_percentage" => left = amount(raw),
        "context_window_size" => size = amount(raw).filter(|size| *size >= 1.0),
        "current_usage" => tokens = usage(raw),
        _ => {}
    });
    used.or_else(|| Some(100.0 - left?)).or_else(|| Some(tokens? / size? * 100.0))
}

/// The tokens that the last request took out of the window: what was sent, from the cache or not. What came back is
/// sent with the next one.
fn usage(raw: &str) -> Option<f64> {
    let (mut sent, mut kept, mut known) = (None, None, None);
    each(raw, |name, raw| match name {
        "input_tokens" => sent = amount(raw),
        "cache_creation_input_tokens" => kept = amount(raw),
        "cache_read_input_tokens" => known = amount(raw),
        _ => {}
    });
    [sent, kept, known].into_iter().flatten().reduce(|sum, tokens| sum + tokens)
}

/// When a limit is reset, in seconds since 1970.
fn resets_at(raw: &str) -> Option<i64> {
    let mut at = None;
    each(raw, |name, raw| {
        if name == "resets_at" {
            at = number(raw).and_then(|at: u64| i64::try_from(at).ok());
        }
    });
    at
}

/// The used share of a limit: `{used_percentage, resets_at}`, or the percentage by itself.
fn share(raw: &str) -> Option<f64> {
    let mut used = None;
    each(raw, |name, raw| {
        if name == "used_percentage" {
            used = amount(raw);
        }
    });
    used.or_else(|| amount(raw))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(json: &str) -> StatusPayload {
        StatusPayload::parse(json.as_bytes()).unwrap()
    }

    #[test]
    fn a_field_of_another_shape_costs_that_field_only() {
        let payload = parse(
            r#"{"session_id":"x","cwd":"/a","model":{"id":"m","display_name":null},"workspace":7,"cost":
            {"total_cost_usd":[],"total_duration_ms":"90","total_lines_added":-1,"total_lines_removed":2},
            "context_window":{"used_percentage":"7.5"},"rate_limits":{"five_hour":12,"seven_day":{"used_percentage":3e1}}}"#,
        );
        let wanted = StatusPayload {
            session_id: "x".into(),
            folder: Some("/a".into()),
            model: Some("m".into()),
            context: Some(7.5),
            duration_ms: Some(90),
            lines: Some((0, 2)),
            five_hours: Some(12.0),
            seven_days: Some(30.0),
            ..StatusPayload::default()
        };
        assert_eq!(payload, wanted);
        assert_eq!(parse(r#"{"model":"opus"}"#).model.as_deref(), Some("opus"));
        assert_eq!(parse(r#"{"cost":{"total_cost_usd":1e999}}"#).cost, None);
    }

    #[test]
    fn the_context_is_reckoned_where_the_client_does_not() {
        let context = |window: &str| parse(&format!(r#"{{"context_window":{window}}}"#)).context;
        assert_eq!(context(r#"{"used_percentage":null,"remaining_percentage":null,"current_usage":null}"#), None);
        assert_eq!(context(r#"{"remaining_percentage":60}"#), Some(40.0));
        let usage = r#""current_usage":{"input_tokens":10000,"output_tokens":9,"cache_read_input_tokens":90000}"#;
        assert_eq!(context(&format!(r#"{{"context_window_size":200000,{usage}}}"#)), Some(50.0));
        assert_eq!(context(&format!(r#"{{"context_window_size":0,{usage}}}"#)), None);
    }

    #[test]
    fn what_is_no_object_is_an_error() {
        for bytes in ["", "[]", "null", "{", "{}x", "\u{0}"] {
            assert!(StatusPayload::parse(bytes.as_bytes()).is_err(), "{bytes:?}");
        }
        assert!(StatusPayload::parse(b"{\"session_id\":\"\xff\"}").is_err());
    }
}
