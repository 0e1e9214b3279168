//! The difference of two texts as a unified diff that is safe to show on a terminal.

use std::fmt::Write as _;

use similar::algorithms::{Capture, Compact, Replace, myers};
use similar::udiff::UnifiedHunkHeader;
use similar::{ChangeTag, group_diff_ops};

use crate::error::moves_cursor;

/// Lines of context around a change, as in `diff -u`.
const CONTEXT: usize = 3;

/// The changes from `old` to `new`, under these names; empty if there are none.
///
/// The result has the form that `diff -u` writes, with three lines of context, so that it can be compared and applied.
/// Control characters within a line are shown as pictures: see `push_visible`.
pub fn unified(old_name: &str, new_name: &str, old: &str, new: &str) -> String {
    // `TextDiff::from_lines` also ends a line at a lone carriage return, which `patch` does not.
    let old: Vec<&str> = old.split_inclusive('\n').collect();
    let new: Vec<&str> = new.split_inclusive('\n').collect();
    // `TextDiff` would add five algorithms to the program: 100 KiB.
    let mut changes = Compact::new(Replace::new(Capture::new()), &old, &new);
    // `myers::diff` would contain two copies of the algorithm.
    let Ok(()) = myers::diff_deadline_raw(&mut changes, &old, 0..old.len(), &new, 0..new.len(), None);
    let mut out = String::new();
    for hunk in group_diff_ops(changes.into_inner().into_inner().into_ops(), CONTEXT) {
        if out.is_empty() {
            let _ = writeln!(out, "--- {old_name}\n+++ {new_name}");
        }
        let _ = writeln!(out, "{}", UnifiedHunkHeader::new(&hunk));
        for change in hunk.iter().flat_map(|operation| operation.iter_changes(&old, &new)) {
            out.push(match change.tag() {
                ChangeTag::Equal => ' ',
                ChangeTag::Delete => '-',
                ChangeTag::Insert => '+',
            });
            push_line(&mut out, change.value());
        }
    }
    out
}

/// Writes one line of a text, with or without its line end.
fn push_line(out: &mut String, line: &str) {
    let content = line.strip_suffix('\n').unwrap_or(line);
    // `patch` needs the carriage return of a CRLF line end, and a terminal shows nothing for it.
    let (content, end) = content.strip_suffix('\r').map_or((content, ""), |content| (content, "\r"));
    content.chars().for_each(|character| push_visible(out, character));
    out.push_str(end);
    out.push_str(if line.ends_with('\n') { "\n" } else { "\n\\ No newline at end of file\n" });
}

/// Writes a character, or a picture or the code point of one that a terminal would act on or not show: people decide by
/// this text whether a file may be changed.
fn push_visible(out: &mut String, character: char) {
    let code = u32::from(character);
    let picture = match character {
        '\t' => None,
        '\u{7f}' => Some('\u{2421}'),
        ..' ' => char::from_u32(0x2400 + code),
        _ => None,
    };
    let invisible = matches!(code, 0xAD | 0x200B | 0x2060..=0x206F | 0xFEFF | 0xE0000..=0xE0FFF);
    match picture {
        Some(picture) => out.push(picture),
        None if character != '\t' && (invisible || moves_cursor(character)) => {
            let _ = write!(out, "<U+{code:04X}>");
        }
        None => out.push(character),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn insertions_are_shown_with_context_and_names() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n";
        let new = "1\n2\n3\n4\nx\ny\n5\n6\n7\n8\n9\n10\n11\n12\nthirteen";
        let expected = "--- a\n+++ b\n@@ -2,6 +2,8 @@\n 2\n 3\n 4\n+x\n+y\n 5\n 6\n 7\n@@ -10,4 +12,4 @@\n 10\n 11\n 12\n-13\n\
                        +thirteen\n\\ No newline at end of file\n";
        assert_eq!(unified("a", "b", old, new), expected);
        assert_eq!(unified("a", "b", old, old), "");
    }

    #[test]
    fn control_characters_are_shown_and_do_not_end_a_line() {
        assert_eq!(
            unified("/dev/null", "b", "", "x\u{1b}[2J\t\u{9b}\r\r\n"),
            "--- /dev/null\n+++ b\n@@ -0,0 +1 @@\n+x␛[2J\t<U+009B>␍\r\n"
        );
        assert_eq!(unified("a", "b", "x\ry\n", "x\rz\n"), "--- a\n+++ b\n@@ -1 +1 @@\n-x␍y\n+x␍z\n");
    }
}
