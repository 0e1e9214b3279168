//! What changed between two texts, as a unified diff.
//!
//! Written here because the crates for it are larger than everything that uses it: what is compared is a settings file
//! before and after a few insertions.

use std::fmt::Write as _;

use crate::error::moves_cursor;

/// Lines shown around a change.
const CONTEXT: usize = 3;
/// More changed lines than this are shown as one block instead of being matched.
const MOST: usize = 1_000;

/// A run of lines that were replaced: `old[from..to]` by `new[into..until]`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Change {
    from: usize,
    to: usize,
    into: usize,
    until: usize,
}

/// The changes from `old` to `new`, under these names; empty where there are none.
pub fn unified(old_name: &str, new_name: &str, old: &str, new: &str) -> String {
    let a: Vec<&str> = old.split_inclusive('\n').collect();
    let b: Vec<&str> = new.split_inclusive('\n').collect();
    let changes = changes(&a, &b);
    let mut out = String::new();
    if !changes.is_empty() {
        let _ = writeln!(out, "--- {old_name}\n+++ {new_name}");
    }
    let mut rest = changes.as_slice();
    while let Some(first) = rest.first() {
        // Changes whose contexts meet share a hunk.
        let apart =
            rest.windows(2).take_while(|pair| matches!(pair, [x, y] if y.from - x.to <= 2 * CONTEXT)).count() + 1;
        let (hunk, behind) = rest.split_at(apart);
        rest = behind;
        let last = hunk.last().unwrap_or(first);
        let before = first.from.min(CONTEXT);
        let after = (a.len() - last.to).min(CONTEXT);
        let (from, into) = (first.from - before, first.into - before);
        let (to, until) = (last.to + after, last.until + after);
        let _ = writeln!(out, "@@ -{} +{} @@", place(from, to), place(into, until));
        let mut at = from;
        for change in hunk {
            lines(&mut out, ' ', a.get(at..change.from));
            lines(&mut out, '-', a.get(change.from..change.to));
            lines(&mut out, '+', b.get(change.into..change.until));
            at = change.to;
        }
        lines(&mut out, ' ', a.get(at..to));
    }
    out
}

/// Line numbers as diff has them: an empty range is named by the line before it.
fn place(from: usize, to: usize) -> String {
    match to - from {
        0 => format!("{from},0"),
        1 => format!("{}", from + 1),
        length => format!("{},{length}", from + 1),
    }
}

fn lines(out: &mut String, sign: char, lines: Option<&[&str]>) {
    for line in lines.unwrap_or_default() {
        let bare = line.strip_suffix('\n').unwrap_or(line);
        // The end of a line as other systems write it: it shows nothing, and `patch` needs it.
        let (bare, end) = bare.strip_suffix('\r').map_or((bare, ""), |bare| (bare, "\r"));
        out.push(sign);
        bare.chars().for_each(|c| show(out, c));
        out.push_str(end);
        out.push_str(if line.ends_with('\n') { "\n" } else { "\n\\ No newline at end of file\n" });
    }
}

/// A character as people are to see it: one that a terminal would act on, or that cannot be seen, by its picture or its
/// number. A person decides by this text whether a file may be changed.
fn show(out: &mut String, c: char) {
    let code = u32::from(c);
    let picture = match c {
        '\t' => None,
        '\u{7f}' => Some('\u{2421}'),
        ..' ' => char::from_u32(0x2400 + code),
        _ => None,
    };
    let unseen = matches!(code, 0xAD | 0x200B | 0x2060..=0x206F | 0xFEFF | 0xE0000..=0xE0FFF);
    match picture {
        Some(picture) => out.push(picture),
        None if c != '\t' && (unseen || moves_cursor(c)) => {
            let _ = write!(out, "<U+{code:04X}>");
        }
        None => out.push(c),
    }
}

/// The shortest list of changes (Myers, "An O(ND) difference algorithm", 1986), in order.
fn changes(a: &[&str], b: &[&str]) -> Vec<Change> {
    let head = a.iter().zip(b).take_while(|(x, y)| x == y).count();
    let tail = a.iter().skip(head).rev().zip(b.iter().skip(head).rev()).take_while(|(x, y)| x == y).count();
    let (a, b) = (a.get(head..a.len() - tail).unwrap_or_default(), b.get(head..b.len() - tail).unwrap_or_default());
    let steps = steps(a, b).unwrap_or_else(|| {
        (0..a.len()).map(|x| (x, 0, false)).chain((0..b.len()).map(|y| (a.len(), y, true))).collect()
    });
    let mut changes: Vec<Change> = Vec::new();
    for (x, y, is_new) in steps {
        let (x, y) = (head + x, head + y);
        let (to, until) = if is_new { (x, y + 1) } else { (x + 1, y) };
        match changes.last_mut() {
            Some(last) if last.to == x && last.until == y => (last.to, last.until) = (to, until),
            _ => changes.push(Change { from: x, to, into: y, until }),
        }
    }
    changes
}

/// Each line that goes (`false`) or comes (`true`), with where that is in both texts; `None` where there are too many.
fn steps(a: &[&str], b: &[&str]) -> Option<Vec<(usize, usize, bool)>> {
    // furthest[d][k]: how far into `a` one gets with d steps on diagonal k - d.
    let mut furthest: Vec<Vec<usize>> = Vec::new();
    let reach = |furthest: &[Vec<usize>], d: usize, k: usize| -> Option<(usize, bool)> {
        let Some(previous) = d.checked_sub(1).and_then(|before| furthest.get(before)) else { return Some((0, true)) };
        // One diagonal less: a line of `a` goes. One more: a line of `b` comes.
        let goes = k.checked_sub(2).and_then(|below| previous.get(below)).map(|x| x + 1);
        let comes = previous.get(k).copied();
        match (goes, comes) {
            (Some(goes), Some(comes)) if goes > comes => Some((goes, false)),
            (Some(goes), None) => Some((goes, false)),
            (_, Some(comes)) => Some((comes, true)),
            (None, None) => None,
        }
    };
    let row = |x: usize, d: usize, k: usize| (x + d).checked_sub(k);
    for d in 0..=MOST {
        let mut ends = vec![0; 2 * d + 1];
        for k in (0..=2 * d).step_by(2) {
            let Some((mut x, _)) = reach(&furthest, d, k) else { continue };
            let Some(mut y) = row(x, d, k) else { continue };
            while a.get(x).is_some_and(|line| b.get(y) == Some(line)) {
                x += 1;
                y += 1;
            }
            if let Some(end) = ends.get_mut(k) {
                *end = x;
            }
            if x >= a.len() && y >= b.len() {
                return Some(back(&furthest, reach, d, k));
            }
        }
        furthest.push(ends);
    }
    None
}

/// The way back from the end.
fn back(
    furthest: &[Vec<usize>],
    reach: impl Fn(&[Vec<usize>], usize, usize) -> Option<(usize, bool)>,
    mut d: usize,
    mut k: usize,
) -> Vec<(usize, usize, bool)> {
    let mut steps = Vec::new();
    while d > 0 {
        let Some((x, comes)) = reach(furthest, d, k) else { break };
        let Some(y) = (x + d).checked_sub(k) else { break };
        steps.push(if comes { (x, y.saturating_sub(1), true) } else { (x.saturating_sub(1), y, false) });
        k = if comes { k } else { k.saturating_sub(2) };
        d -= 1;
    }
    steps.reverse();
    steps
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn insertions_with_context() {
        let old = "1\n2\n3\n4\n5\n6\n7\n8\n9\n10\n11\n12\n13\n";
        let new = "1\n2\n3\n4\nx\ny\n5\n6\n7\n8\n9\n10\n11\n12\nthirteen";
        let expected = "--- a\n+++ b\n@@ -2,6 +2,8 @@\n 2\n 3\n 4\n+x\n+y\n 5\n 6\n 7\n@@ -10,4 +12,4 @@\n 10\n 11\n 12\n-13\n\
                        +thirteen\n\\ No newline at end of file\n";
        assert_eq!(unified("a", "b", old, new), expected);
        assert_eq!(unified("a", "b", old, old), "");
        assert_eq!(
            unified("/dev/null", "b", "", "x\u{1b}[2J\t\u{9b}\r\r\n"),
            "--- /dev/null\n+++ b\n@@ -0,0 +1 @@\n+x␛[2J\t<U+009B>␍\r\n"
        );
    }

    /// Applies changes as `patch` would.
    fn apply(a: &[&str], b: &[&str]) -> Vec<String> {
        let mut out = Vec::new();
        let mut at = 0;
        for change in changes(a, b) {
            out.extend(a[at..change.from].iter().map(|line| (*line).to_owned()));
            out.extend(b[change.into..change.until].iter().map(|line| (*line).to_owned()));
            at = change.to;
        }
        out.extend(a[at..].iter().map(|line| (*line).to_owned()));
        out
    }

    #[test]
    fn changes_lead_from_one_to_the_other() {
        let mut seed: u64 = 7;
        let mut random = move |below: usize| {
            seed ^= seed << 13;
            seed ^= seed >> 7;
            seed ^= seed << 17;
            (seed % below as u64) as usize
        };
        let letters = ["a", "b", "c", "d"];
        for _ in 0..2_000 {
            let a: Vec<&str> = (0..random(12)).map(|_| letters[random(4)]).collect();
            let b: Vec<&str> = (0..random(12)).map(|_| letters[random(4)]).collect();
            assert_eq!(apply(&a, &b), b, "{a:?}");
        }
        let a: Vec<String> = (0..3_000).map(|n| format!("a{n}")).collect();
        let b: Vec<String> = (0..3_000).map(|n| format!("b{n}")).collect();
        let a: Vec<&str> = a.iter().map(String::as_str).collect();
        let b: Vec<&str> = b.iter().map(String::as_str).collect();
        assert_eq!(apply(&a, &b), b);
    }
}
