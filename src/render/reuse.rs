//! The conditions under which a shell may show its last segment again (docs/prompt-protocol.md, version 1).

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

/// The protocol version, as the environment variable asks for it and the answer names it.
pub const VERSION: &str = "1";
/// The environment variable by which a shell asks for conditions.
pub const VARIABLE: &str = "AIT_PROMPT_REUSE";
/// A shell is not asked to check more processes than this at each prompt.
const MAX_PROCESSES: usize = 64;
/// The longest first line of a file, in bytes, that a shell is asked to compare.
const MAX_TEXT: usize = 200;

/// The conditions under which a segment stays valid.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions {
    /// Seconds since 1970 at which the segment is no longer valid.
    pub until: i64,
    /// Processes that exist.
    pub processes: Vec<u32>,
    /// Files with their first line.
    pub files: Vec<(PathBuf, String)>,
    /// A file that is not newer than another one.
    pub unchanged: Option<(PathBuf, PathBuf)>,
}

impl Conditions {
    /// The lines that follow the segment; nothing if the conditions cannot be expressed in lines and tabs, or are too many.
    pub fn lines(&self) -> String {
        let is_plain = |text: &str| !text.bytes().any(|byte| byte.is_ascii_control());
        let is_path = |path: &Path| path.to_str().is_some_and(|text| is_plain(text) && path.is_absolute());
        let is_file =
            |(path, text): &(PathBuf, String)| is_path(path) && is_plain(text) && (1..=MAX_TEXT).contains(&text.len());
        let is_pair = |(path, other): &(PathBuf, PathBuf)| is_path(path) && is_path(other);
        let are_files = self.files.iter().all(is_file) && self.unchanged.iter().all(is_pair);
        if self.processes.len() > MAX_PROCESSES || !are_files {
            return String::new();
        }
        let mut lines = format!("\nreuse\t{VERSION}\nuntil\t{}\n", self.until);
        for pid in &self.processes {
            let _ = writeln!(lines, "process\t{pid}");
        }
        for (path, text) in &self.files {
            let _ = writeln!(lines, "file\t{}\t{text}", path.display());
        }
        if let Some((path, other)) = &self.unchanged {
            let _ = writeln!(lines, "unchanged\t{}\t{}", path.display(), other.display());
        }
        lines.push_str("end\n");
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conditions(path: &str, text: &str) -> Conditions {
        Conditions {
            until: 1_800_000_000,
            processes: vec![10, 20],
            files: vec![(path.into(), text.into())],
            unchanged: None,
        }
    }

    #[test]
    fn one_condition_a_line_in_the_documented_order() {
        let lines =
            "\nreuse\t1\nuntil\t1800000000\nprocess\t10\nprocess\t20\nfile\t/a b/HEAD\tref: refs/heads/é\nend\n";
        assert_eq!(conditions("/a b/HEAD", "ref: refs/heads/é").lines(), lines);
        let unchanged = Some(("/c d".into(), "/e".into()));
        let with_pair = Conditions { unchanged, ..conditions("/a b/HEAD", "ref: refs/heads/é") };
        assert_eq!(with_pair.lines(), lines.replace("end\n", "unchanged\t/c d\t/e\nend\n"));
    }

    #[test]
    fn what_lines_and_tabs_cannot_express_is_not_promised() {
        for (path, text) in [("/a\nb", "x"), ("/a\tb", "x"), ("a", "x"), ("/a", "x\ny"), ("/a", "x\ty"), ("/a", "")] {
            assert_eq!(conditions(path, text).lines(), "", "{path:?} {text:?}");
        }
        for (path, other) in [("/a\nb", "/c"), ("/a", "/c\td"), ("a", "/c")] {
            let unchanged = Some((path.into(), other.into()));
            assert_eq!(Conditions { unchanged, ..conditions("/a", "x") }.lines(), "", "{path:?} {other:?}");
        }
        assert_eq!(conditions("/a", &"x".repeat(MAX_TEXT + 1)).lines(), "");
        let many = Conditions { processes: (1..=65).collect(), ..conditions("/a", "x") };
        assert_eq!(many.lines(), "");
    }
}
