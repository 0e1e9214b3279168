//! Finds text in any case of letters, in bytes that are mostly UTF-8, at the speed of memory.

use std::ops::Range;

/// Bytes by how often they are in conversations, the commonest first: English, source code, and JSON. All others are rare.
const COMMON: &[u8] = b" e\"ta,:oinsrl0/d-1cu2h3m4p5f6g7b8.9yw_v{}[]=();k'x";

/// Text to find, in any case of letters. Letters are compared one by one: `ß` is not `ss`.
#[derive(Clone, Debug)]
pub(super) struct Pattern {
    /// In lower case.
    letters: Vec<char>,
    /// The letter that is searched for first.
    pivot: usize,
    /// The last byte of that letter in lower and in upper case.
    bytes: (u8, u8),
}

impl Pattern {
    /// `None` if the text is empty.
    pub(super) fn new(text: &str) -> Option<Pattern> {
        let letters: Vec<char> = text.chars().map(fold).collect();
        // The rarest letter.
        let common =
            |letter: char| COMMON.iter().position(|common| *common == last_byte(letter)).unwrap_or(COMMON.len());
        let (pivot, letter) = letters.iter().copied().enumerate().rev().max_by_key(|(_, letter)| common(*letter))?;
        let mut upper = letter.to_uppercase();
        let upper = upper.next().filter(|_| upper.next().is_none()).unwrap_or(letter);
        Some(Pattern { pivot, bytes: (last_byte(letter), last_byte(upper)), letters })
    }

    /// Where it is found first.
    pub(super) fn find(&self, text: &[u8]) -> Option<Range<usize>> {
        let mut from = 0;
        loop {
            let rest = text.get(from..)?;
            let (lower, upper) = self.bytes;
            let found = if lower == upper { memchr::memchr(lower, rest) } else { memchr::memchr2(lower, upper, rest) };
            let last = from + found?;
            if let Some(range) = self.matches(text, last) {
                return Some(range);
            }
            from = last + 1;
        }
    }

    /// Whether it is where the pivot's last byte is at `last`.
    fn matches(&self, text: &[u8], last: usize) -> Option<Range<usize>> {
        let (before, after) = (self.letters.get(..self.pivot)?, self.letters.get(self.pivot..)?);
        let at = start_of_letter(text, last);
        let (mut start, mut end) = (at, at);
        for letter in after {
            let (found, length) = letter_at(text, end)?;
            if fold(found) != *letter {
                return None;
            }
            end += length;
        }
        for letter in before.iter().rev() {
            start = start_of_letter(text, start.checked_sub(1)?);
            if fold(letter_at(text, start)?.0) != *letter {
                return None;
            }
        }
        Some(start..end)
    }
}

/// In lower case, if that is one letter as well.
fn fold(letter: char) -> char {
    let mut lower = letter.to_lowercase();
    lower.next().filter(|_| lower.next().is_none()).unwrap_or(letter)
}

fn last_byte(letter: char) -> u8 {
    letter.encode_utf8(&mut [0; 4]).as_bytes().last().copied().unwrap_or(0)
}

fn start_of_letter(text: &[u8], mut at: usize) -> usize {
    for _ in 0..3 {
        if text.get(at).is_none_or(|byte| byte & 0xc0 != 0x80) {
            break;
        }
        at = at.saturating_sub(1);
    }
    at
}

/// The letter that starts at a position, and how many bytes it has.
fn letter_at(text: &[u8], at: usize) -> Option<(char, usize)> {
    let first = *text.get(at)?;
    let length = match first {
        0..0x80 => return Some((char::from(first), 1)),
        0xc0..0xe0 => 2,
        0xe0..0xf0 => 3,
        _ => 4,
    };
    let letter = std::str::from_utf8(text.get(at..at + length)?).ok()?.chars().next()?;
    Some((letter, length))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn found<'a>(pattern: &str, text: &'a str) -> Option<&'a str> {
        Pattern::new(pattern).unwrap().find(text.as_bytes()).map(|range| &text[range])
    }

    #[test]
    fn in_any_case_of_letters() {
        for (pattern, text, wanted) in [
            ("login", "the LogIn page", Some("LogIn")),
            ("über", "die ÜBERSICHT", Some("ÜBER")),
            ("ÜBER", "die Übersicht", Some("Über")),
            ("привет", "ПРИВЕТ, мир", Some("ПРИВЕТ")),
            ("日本", "in 日本語", Some("日本")),
            ("für", "für", Some("für")),
            ("a", "", None),
            ("aab", "aaaab", Some("aab")),
            ("login", "logi", None),
            ("ü", "\u{df}", None),
        ] {
            assert_eq!(found(pattern, text), wanted, "{pattern} in {text}");
        }
        assert!(Pattern::new("").is_none());
        assert_eq!(Pattern::new("ü").unwrap().find(b"\xbc\xbc\xc3"), None, "half of a letter");
    }

    proptest! {
        #[test]
        fn it_is_found_in_whatever_contains_it(before in "\\PC{0,9}", text in "[a-zA-Z0-9 üÜжЖ日é\"\\\\]{1,9}", after in "\\PC{0,9}") {
            let whole = format!("{before}{}{after}", text.to_uppercase());
            prop_assert!(found(&text.to_lowercase(), &whole).is_some(), "{} in {}", text, whole);
        }

        #[test]
        fn any_bytes_are_harmless(text in "\\PC{1,9}", bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
            Pattern::new(&text).unwrap().find(&bytes);
        }
    }
}
