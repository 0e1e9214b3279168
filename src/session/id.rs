//! Session ids. One is checked before it becomes a file name.

use std::fmt;

/// The `session_id` of a session, safe as a file name: 1 to 128 letters, digits, `-`, `_` and `.`, not starting with
/// `.` or `-`. Claude Code makes UUIDs; scripts of other people make what they like.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SessionId(String);

impl SessionId {
    /// Checks a text; `None` if it cannot be a file name.
    pub fn parse(text: &str) -> Option<SessionId> {
        let allowed = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
        let safe = !text.is_empty() && text.len() <= 128 && !text.starts_with(['.', '-']) && text.bytes().all(allowed);
        safe.then(|| SessionId(text.to_owned()))
    }

    /// The id in the name of a manifest file, `ID.json`.
    pub fn from_file_name(name: &str) -> Option<SessionId> {
        SessionId::parse(name.strip_suffix(".json")?)
    }

    /// The name of its manifest file.
    pub fn file_name(&self) -> String {
        [&self.0, ".json"].concat()
    }

    /// The name of its write log.
    pub fn touched_name(&self) -> String {
        [&self.0, ".touched"].concat()
    }

    /// The name of the log of its activity.
    pub fn activity_name(&self) -> String {
        [&self.0, ".activity"].concat()
    }

    /// The name of the log of its commits.
    pub fn commits_name(&self) -> String {
        [&self.0, ".commits"].concat()
    }

    /// The id as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Enough of it to tell sessions apart by eye: the first eight bytes.
    pub fn short(&self) -> &str {
        self.0.get(..8).unwrap_or(&self.0)
    }
}

impl fmt::Display for SessionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::SessionId;

    #[test]
    fn refuses_what_must_not_become_a_path() {
        let long = "x".repeat(4096);
        for bad in ["", ".", "..", "../../x", "a/b", "a\0b", "a\nb", "-rf", ".hidden", "ü", " ", "a b", &long] {
            assert_eq!(SessionId::parse(bad), None, "{bad:?}");
        }
        for good in ["abc123", "6425757d-2548-4fb2-9ce2-2c43e134d597", "a.b_c-D"] {
            assert_eq!(SessionId::parse(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn an_id_is_read_back_from_its_file_name() {
        let id = SessionId::parse("abc123").unwrap();
        assert_eq!(SessionId::from_file_name(&id.file_name()), Some(id));
        assert_eq!(SessionId::from_file_name(".abc.json.12.0.tmp"), None);
    }
}
