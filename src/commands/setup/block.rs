//! The lines of ait in a file that belongs to the user, between two marks. Pure: bytes in, bytes out.
//!
//! What stands around them is never changed. If the file does not end with a newline, the lines are put after one and end
//! without one, so that taking them out gives back the same bytes.

/// A text in every file with lines of ait.
pub(super) const OURS: &str = "# >>> ait: added by `ait setup`";
/// The line before.
const BEGIN: &str = "# >>> ait: added by `ait setup`, removed by `ait uninstall` >>>";
/// The line after.
const END: &str = "# <<< ait <<<";

/// Where the lines are: from the first mark to the end of the last one, without its newline.
fn find(text: &[u8]) -> Option<Result<std::ops::Range<usize>, &'static str>> {
    let line_at = |mark: &str, from: usize| {
        let rest = text.get(from..)?;
        let found = memchr::memmem::find_iter(rest, mark.as_bytes()).map(|at| from + at);
        let mut found = found.filter(|at| *at == 0 || text.get(at - 1) == Some(&b'\n'));
        found.next()
    };
    let begin = line_at(BEGIN, 0)?;
    Some(line_at(END, begin).map(|end| begin..end + END.len()).ok_or("the last line that `ait setup` added is missing"))
}

/// The file with these lines: in the place of earlier ones, else at its end.
///
/// # Errors
/// If one of the two marks is missing.
pub(super) fn put(text: &[u8], lines: &str) -> Result<Vec<u8>, &'static str> {
    let block = shown(lines);
    let around = |before: &[u8], start: &str, end: &str, after: &[u8]| {
        [before, start.as_bytes(), block.as_bytes(), end.as_bytes(), after].concat()
    };
    match find(text).transpose()? {
        Some(range) => Ok(around(part(text, ..range.start), "", "", part(text, range.end..))),
        None if text.is_empty() || text.ends_with(b"\n") => Ok(around(text, "", "\n", b"")),
        None => Ok(around(text, "\n", "", b"")),
    }
}

/// The file without the lines; `None` if there are none.
///
/// # Errors
/// If one of the two marks is missing.
pub(super) fn take_out(text: &[u8]) -> Result<Option<Vec<u8>>, &'static str> {
    let Some(range) = find(text).transpose()? else { return Ok(None) };
    let (before, after) = (part(text, ..range.start), part(text, range.end..));
    Ok(Some(match after.strip_prefix(b"\n") {
        Some(after) => [before, after].concat(),
        None => [before.strip_suffix(b"\n").unwrap_or(before), after].concat(),
    }))
}

/// The lines between their marks, without a newline at the end.
pub(super) fn shown(lines: &str) -> String {
    format!("{BEGIN}\n{}\n{END}", lines.trim_end_matches('\n'))
}

fn part<R: std::slice::SliceIndex<[u8], Output = [u8]>>(text: &[u8], range: R) -> &[u8] {
    text.get(range).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_that_are_taken_out_leave_the_same_bytes() {
        for before in ["", "\n", "a", "a\n", "a\n\n", "a\r\n", "# >>> ait\n", "\u{e9}\n"] {
            let with = put(before.as_bytes(), "one\ntwo\n").unwrap();
            assert!(String::from_utf8_lossy(&with).contains(">>>\none\ntwo\n# <<< ait <<<"), "{before:?}");
            assert_eq!(take_out(&with), Ok(Some(before.as_bytes().to_vec())), "{before:?}");
            assert_eq!(put(&with, "one\ntwo").unwrap(), with);
            // Changed, they stay where they are; what the user adds stays too.
            let more = [with.as_slice(), b"\nmine"].concat();
            let changed = put(&more, "three").unwrap();
            assert!(
                String::from_utf8_lossy(&changed).ends_with("three\n# <<< ait <<<\nmine")
                    || before.is_empty()
                    || before.ends_with('\n')
            );
            let rest = String::from_utf8(take_out(&changed).unwrap().unwrap()).unwrap();
            assert_eq!(rest.trim_end_matches("mine").trim_end(), before.trim_end());
        }
    }

    #[test]
    fn lines_without_their_last_mark_are_left_alone() {
        let text = format!("a\n{BEGIN}\nb\n");
        assert!(put(text.as_bytes(), "x").is_err() && take_out(text.as_bytes()).is_err());
        // A mark inside a line is none.
        let text = format!("echo '{BEGIN}'\n");
        assert_eq!(take_out(text.as_bytes()), Ok(None));
    }
}
