//! The one object that `--json` prints.

use serde::Serialize;

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
    let mut out = serde_json::to_string_pretty(&Versioned { schema_version: SCHEMA_VERSION, body }).ok()?;
    out.push('\n');
    Some(out)
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
}
