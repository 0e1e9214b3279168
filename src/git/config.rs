//! Single values of git's configuration, read from one file.
//!
//! Format: git-config(1), "SYNTAX". Includes are not followed. Considered: `gix-config`, which brings twenty crates for the
//! few values that are needed here.

use std::path::Path;

use crate::sys::files;

/// A larger file is not read, in bytes.
const MAX_FILE: usize = 1 << 20;

/// The last value of a key in a section without a subsection: `core`, `worktree`. Both in lower case. `None` if the file
/// does not exist or has no such key.
pub(super) fn value_in(file: &Path, section: &str, key: &str) -> Option<String> {
    values(&read(file)?, section, None, key).pop()
}

/// The text of a file; `None` if it does not exist, cannot be read or is too large.
pub(super) fn read(file: &Path) -> Option<String> {
    Some(String::from_utf8_lossy(&files::read(file, MAX_FILE).ok()?).into_owned())
}

/// All values of a key in a section, in their order. The section and the key are in lower case.
pub(super) fn values(text: &str, section: &str, subsection: Option<&str>, key: &str) -> Vec<String> {
    let mut lines = text.lines();
    let (mut is_in_section, mut found_values) = (false, Vec::new());
    while let Some(line) = lines.next() {
        let mut line = line.trim_start();
        // A key may follow the header of its section on the same line.
        if let Some(header) = line.strip_prefix('[') {
            let Some((name, rest)) = header.split_once(']') else { continue };
            let (name, quoted) = name.split_once('"').map_or((name, None), |(name, quoted)| (name, Some(quoted)));
            is_in_section = name.trim().eq_ignore_ascii_case(section) && is_subsection(quoted, subsection);
            line = rest.trim_start();
        }
        let end = line.find(|c: char| !c.is_ascii_alphanumeric() && c != '-').unwrap_or(line.len());
        let (name, rest) = line.split_at(end);
        let rest = rest.trim_start();
        let found = match rest.strip_prefix('=') {
            Some(value) => unquoted(value, &mut lines),
            // A key without a value is true.
            None if rest.is_empty() || rest.starts_with(['#', ';']) => "true".to_owned(),
            None => continue,
        };
        if is_in_section && name.eq_ignore_ascii_case(key) {
            found_values.push(found);
        }
    }
    found_values
}

/// Whether the text after the first quote of a header is this subsection. In it a backslash stands for the next character.
fn is_subsection(quoted: Option<&str>, wanted: Option<&str>) -> bool {
    let (Some(quoted), Some(wanted)) = (quoted, wanted) else { return quoted.is_none() && wanted.is_none() };
    let mut written = quoted.chars();
    let mut next = || match written.next() {
        Some('\\') => written.next(),
        Some('"') => None,
        other => other,
    };
    wanted.chars().all(|wanted| next() == Some(wanted)) && next().is_none()
}

/// A value without its quotes, escapes, comment and the space around it. A backslash at the end of a line continues it on
/// the next of `lines`.
fn unquoted<'a>(value: &'a str, lines: &mut impl Iterator<Item = &'a str>) -> String {
    let (mut out, mut kept, mut in_quotes) = (String::new(), 0, false);
    let mut rest = value.trim_start().chars();
    loop {
        match rest.next() {
            None => break,
            Some('"') => in_quotes = !in_quotes,
            Some('#' | ';') if !in_quotes => break,
            Some('\\') => match rest.next() {
                None => match lines.next() {
                    Some(next) => rest = next.chars(),
                    None => break,
                },
                Some('n') => out.push('\n'),
                Some('t') => out.push('\t'),
                Some('b') => {
                    out.pop();
                }
                Some(other) => out.push(other),
            },
            Some(other) => out.push(other),
        }
        // Space at the end only counts inside quotes.
        if in_quotes || !out.ends_with(char::is_whitespace) {
            kept = out.len();
        }
    }
    out.truncate(kept.min(out.len()));
    out
}

#[cfg(test)]
mod tests {
    use super::values;

    #[test]
    fn values_as_git_reads_them() {
        let text = r#"; comment
[core]
	bare = false ; comment
	worktree = "../a b # c "  # comment
	Editor = one\
 two
[core "sub"]
	worktree = no
[user] name = "A \"B\" \\ C"
	flag
[Core]
	logAllRefUpdates
	worktree = last
"#;
        let value = |section, key| values(text, section, None, key).pop();
        assert_eq!(value("core", "bare").as_deref(), Some("false"));
        assert_eq!(value("core", "worktree").as_deref(), Some("last"));
        assert_eq!(value("core", "editor").as_deref(), Some("one two"));
        assert_eq!(value("core", "logallrefupdates").as_deref(), Some("true"));
        assert_eq!(value("user", "name").as_deref(), Some("A \"B\" \\ C"));
        assert_eq!(value("user", "flag").as_deref(), Some("true"));
        assert_eq!(value("core", "none"), None);
        let first = &text[..text.len() - 45];
        assert_eq!(values(first, "core", None, "worktree"), ["../a b # c "]);
        assert_eq!(values("[core", "core", None, "worktree"), [""; 0]);
        assert_eq!(values("[core]worktree=\\", "core", None, "worktree"), [""]);
    }

    #[test]
    fn a_subsection_is_compared_as_it_is_and_its_section_without_case() {
        let text = "[branch]\nmerge = none\n[Branch \"a.b/C\"]\n\tmerge = one\n[branch \"q\\\"\\\\x\"] merge = two\n\
                    [branch \"a.b/C\"]\nmerge = three\n[branch \"a.b/C";
        let merge = |branch| values(text, "branch", Some(branch), "merge");
        assert_eq!(merge("a.b/C"), ["one", "three"]);
        assert_eq!(merge("q\"\\x"), ["two"]);
        for other in ["a.b/c", "a.b/", "a.b/CC", "", "q"] {
            assert_eq!(merge(other), [""; 0], "{other}");
        }
    }
}
