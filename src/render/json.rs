//! The one object that `--json` prints, and the line that answers a hook.
//!
//! A reader of either may print it to a terminal unchanged, so nothing in it moves a cursor.

use std::fmt::Write as _;

use serde::Serialize;

use crate::error::moves_cursor;

/// Grows when a field changes its meaning, which is never; fields are only added.
pub const SCHEMA_VERSION: u32 = 1;

#[derive(Serialize)]
struct Versioned<'a, T> {
    schema_version: u32,
    #[serde(flatten)]
    body: &'a T,
}

/// `body` (a struct or a map) as one JSON object with `schema_version` first: two spaces of indentation, so that
/// people can read it, and a final newline. `None` where `body` is not an object.
pub fn object<T: Serialize>(body: &T) -> Option<String> {
    let out = serde_json::to_string_pretty(&Versioned { schema_version: SCHEMA_VERSION, body }).ok()?;
    Some(without_control_characters(&out) + "\n")
}

/// The JSON of a command that failed.
pub fn error(message: &str, exit_code: u8) -> String {
    #[derive(Serialize)]
    struct Failure<'a> {
        error: &'a str,
        exit_code: u8,
    }
    object(&Failure { error: message, exit_code }).unwrap_or_default()
}

/// `body` as one line of JSON. `None` where it cannot be written as JSON.
pub fn line<T: Serialize>(body: &T) -> Option<String> {
    Some(without_control_characters(&serde_json::to_string(body).ok()?) + "\n")
}

/// JSON that means the same, with an escape for every character that a terminal would act on: those below U+0020 are
/// escaped already, by the rules of JSON; DEL, C1, and what reorders a line need not be, and are raw in what was taken
/// over from a manifest.
fn without_control_characters(json: &str) -> String {
    let mut out = String::with_capacity(json.len() + 1);
    for c in json.chars() {
        match c {
            // Between values: in a text there can be none.
            '\n' | '\t' => out.push(c),
            '\r' => out.push(' '),
            // All of them are below U+10000.
            _ if moves_cursor(c) => {
                let _ = write!(out, "\\u{:04x}", u32::from(c));
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn wraps_a_struct_with_the_version_first() {
        #[derive(Serialize)]
        struct Task<'a> {
            session_id: &'a str,
            task: Option<&'a str>,
        }
        assert_eq!(
            object(&Task { session_id: "abc123", task: None }).unwrap(),
            "{\n  \"schema_version\": 1,\n  \"session_id\": \"abc123\",\n  \"task\": null\n}\n"
        );
        assert_eq!(object(&[1, 2]), None);
    }

    #[test]
    fn what_a_terminal_would_act_on_is_escaped_without_loss() {
        let all: String = ('\0'..='\u{ffff}').collect();
        let text = line(&all).unwrap();
        assert!(!text.trim_end().contains(moves_cursor));
        assert_eq!(serde_json::from_str::<String>(&text).unwrap(), all);
        assert_eq!(without_control_characters("{\"\\\\\u{7f}\":\r\n\t1}"), "{\"\\\\\\u007f\": \n\t1}");
    }
}
