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
}

impl Conditions {
    /// The lines that follow the segment; nothing if the conditions cannot be expressed in lines and tabs, or are too many.
    pub fn lines(&self) -> String {
        let is_plain = |text: &str| !text.bytes().any(|byte| byte.is_ascii_control());
        let is_file = |(path, text): &(PathBuf, String)| {
            let path = path.to_str().is_some_and(|path| is_plain(path) && Path::new(path).is_absolute());
            path && is_plain(text) && (1..=MAX_TEXT).contains(&text.len())
        };
        if self.processes.len() > MAX_PROCESSES || !self.files.iter().all(is_file) {
            return String::new();
        }
        let mut lines = format!("\nreuse\t{VERSION}\nuntil\t{}\n", self.until);
        for pid in &self.processes {
            let _ = writeln!(lines, "process\t{pid}");
        }
        for (path, text) in &self.files {
            let _ = writeln!(lines, "file\t{}\t{text}", path.display());
        }
        lines.push_str("end\n");
        lines
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn conditions(path: &str, text: &str) -> Conditions {
        Conditions { until: 1_800_000_000, processes: vec![10, 20], files: vec![(path.into(), text.into())] }
    }

    #[test]
    fn one_condition_a_line_in_the_documented_order() {
        let lines =
            "\nreuse\t1\nuntil\t1800000000\nprocess\t10\nprocess\t20\nfile\t/a b/HEAD\tref: refs/heads/é\nend\n";
        assert_eq!(conditions("/a b/HEAD", "ref: refs/heads/é").lines(), lines);
    }

    #[test]
    fn what_lines_and_tabs_cannot_express_is_not_promised() {
        for (path, text) in [("/a\nb", "x"), ("/a\tb", "x"), ("a", "x"), ("/a", "x\ny"), ("/a", "x\ty"), ("/a", "")] {
            assert_eq!(conditions(path, text).lines(), "", "{path:?} {text:?}");
        }
        assert_eq!(conditions("/a", &"x".repeat(MAX_TEXT + 1)).lines(), "");
        let many = Conditions { processes: (1..=65).collect(), ..conditions("/a", "x") };
        assert_eq!(many.lines(), "");
    }
}
