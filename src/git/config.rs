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
    last_value(&files::read(file, MAX_FILE).ok()?, section, key)
}

fn last_value(text: &[u8], section: &str, key: &str) -> Option<String> {
    let text = String::from_utf8_lossy(text);
    let mut lines = text.lines();
    let (mut is_in_section, mut last) = (false, None);
    while let Some(line) = lines.next() {
        let mut line = line.trim_start();
        // A key may follow the header of its section on the same line.
        if let Some(header) = line.strip_prefix('[') {
            let Some((name, rest)) = header.split_once(']') else { continue };
            is_in_section = name.trim().eq_ignore_ascii_case(section);
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
            last = Some(found);
        }
    }
    last
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
    use super::last_value;

    #[test]
    fn values_as_git_reads_them() {
        let text = br#"; comment
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
        let value = |section, key| last_value(text, section, key);
        assert_eq!(value("core", "bare").as_deref(), Some("false"));
        assert_eq!(value("core", "worktree").as_deref(), Some("last"));
        assert_eq!(value("core", "editor").as_deref(), Some("one two"));
        assert_eq!(value("core", "logallrefupdates").as_deref(), Some("true"));
        assert_eq!(value("user", "name").as_deref(), Some("A \"B\" \\ C"));
        assert_eq!(value("user", "flag").as_deref(), Some("true"));
        assert_eq!(value("core", "none"), None);
        let first = &text[..text.len() - 45];
        assert_eq!(last_value(first, "core", "worktree").as_deref(), Some("../a b # c "));
        assert_eq!(last_value(b"[core", "core", "worktree"), None);
        assert_eq!(last_value(b"[core]worktree=\\", "core", "worktree").as_deref(), Some(""));
    }
}
