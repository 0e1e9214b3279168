//! Which characters of a text are shown, and how many cells of the terminal each takes.
//!
//! Terminals, shells and the tables of Unicode disagree on the width of a few hundred characters, and on nearly every
//! sequence that joins several into one. A prompt whose width the shell gets wrong breaks the line being edited, so
//! what is shown is what all of them agree on: joiners, variation selectors and skin tones go (each part of a joined
//! emoji then stands for itself, two cells wide everywhere), and a character of disputed width becomes U+FFFD.
//! Compared: unicode-width 0.2, glibc 2.36 (bash, tmux 3.3a), zsh 5.9, fish 3.6, over all of Unicode.

use std::borrow::Cow;
use std::str::Chars;

use unicode_width::UnicodeWidthChar;

/// Shown in place of a character whose width is disputed.
const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;

/// Combining marks kept on one character. A tower of them draws over the lines above, and tmux keeps at most 21 bytes
/// in a cell: four of the base and four times four are within it.
const MARKS: u8 = 4;

/// What becomes of one character.
enum Fate {
    /// Takes so many cells, 1 or 2.
    Shown(char, usize),
    /// Drawn over the character before it.
    Mark,
    /// White space of any kind.
    Space,
    /// Moves the cursor, hides or reorders text, or cannot be seen: not shown.
    Dropped,
}

fn fate(character: char) -> Fate {
    if character.is_ascii() {
        return match character {
            '!'..='~' => Fate::Shown(character, 1),
            ' ' | '\t'..='\r' => Fate::Space,
            _ => Fate::Dropped,
        };
    }
    if character.is_whitespace() {
        return Fate::Space;
    }
    match u32::from(character) {
        // C1 controls; soft hyphen; grapheme joiner; Arabic and Syriac format characters; fillers; Mongolian and other
        // variation selectors; zero-width, direction and invisible operators; annotations; shorthand and musical
        // format characters; skin tones; tags.
        0x80..=0x9F
        | 0xAD
        | 0x34F
        | 0x600..=0x605
        | 0x61C
        | 0x6DD
        | 0x70F
        | 0x890..=0x891
        | 0x8E2
        | 0x115F..=0x1160
        | 0x17B4..=0x17B5
        | 0x180B..=0x180F
        | 0x200B..=0x200F
        | 0x2028..=0x202E
        | 0x2060..=0x206F
        | 0x2D7F
        | 0x3164
        | 0xFE00..=0xFE0F
        | 0xFEFF
        | 0xFFA0
        | 0xFFF0..=0xFFFB
        | 0x1BCA0..=0x1BCA3
        | 0x1D173..=0x1D17A
        | 0x1F3FB..=0x1F3FF
        | 0xE0000..=0xE0FFF => Fate::Dropped,
        // Wide since Unicode 16 and narrow before, or given another width by one shell; planes without a character;
        // code points that never will be one.
        0x17A4
        | 0x17D8
        | 0x2630..=0x2637
        | 0x268A..=0x268F
        | 0x302E..=0x302F
        | 0x3248..=0x324F
        | 0x4DC0..=0x4DFF
        | 0xF600..=0xF6FF
        | 0xFDD0..=0xFDEF
        | 0xFFFE..=0xFFFF
        | 0x1171E
        | 0x13430..=0x1345F
        | 0x16FF0..=0x16FF1
        | 0x1D300..=0x1D356
        | 0x1D360..=0x1D378
        | 0x40000..=0xDFFFF => Fate::Shown(REPLACEMENT, 1),
        // Vowel signs that join the syllable before them in a font and take a cell of their own in a terminal. The
        // width table counts them as nothing.
        0x9BE
        | 0x9D7
        | 0xB3E
        | 0xB57
        | 0xBBE
        | 0xBD7
        | 0xCC0..=0xCC2
        | 0xCC7..=0xCC8
        | 0xCCA..=0xCCB
        | 0xCD5..=0xCD6
        | 0xD3E
        | 0xD4E
        | 0xD57
        | 0xDCF
        | 0xDDF
        | 0x1715
        | 0x1734
        | 0x1B35
        | 0x1B3B
        | 0x1B3D
        | 0x1B43..=0x1B44
        | 0x1BAA
        | 0x1BF2..=0x1BF3
        | 0xA8FA
        | 0xA953
        | 0xA9C0
        | 0x111C0
        | 0x111C2..=0x111C3
        | 0x11235
        | 0x1133E
        | 0x1134D
        | 0x11357
        | 0x114B0
        | 0x114BD
        | 0x115AF
        | 0x116B6
        | 0x11930
        | 0x1193D
        | 0x1193F
        | 0x11941
        | 0x11A84..=0x11A89
        | 0x11D46
        | 0x1D165..=0x1D166
        | 0x1D16D..=0x1D172 => Fate::Shown(character, 1),
        _ => match character.width() {
            Some(0) => Fate::Mark,
            Some(cells @ 1..=2) => Fate::Shown(character, cells),
            Some(_) => Fate::Shown(REPLACEMENT, 1),
            None => Fate::Dropped,
        },
    }
}

/// The characters of a text that are shown, each with its cells: 0 for a mark drawn over the one before it.
///
/// White space of every kind is a space. Nothing that comes out moves the cursor, and the cells that come out add up
/// to what the terminal uses.
pub(crate) struct Shown<'a> {
    rest: Chars<'a>,
    marks_left: u8,
}

/// The characters of a text that are shown.
pub(crate) fn shown(text: &str) -> Shown<'_> {
    Shown { rest: text.chars(), marks_left: 0 }
}

impl Iterator for Shown<'_> {
    type Item = (char, usize);

    fn next(&mut self) -> Option<(char, usize)> {
        loop {
            let character = self.rest.next()?;
            match fate(character) {
                Fate::Shown(character, cells) => {
                    self.marks_left = MARKS;
                    return Some((character, cells));
                }
                Fate::Space => {
                    self.marks_left = 0;
                    return Some((' ', 1));
                }
                Fate::Mark if self.marks_left > 0 => {
                    self.marks_left -= 1;
                    return Some((character, 0));
                }
                Fate::Mark | Fate::Dropped => {}
            }
        }
    }
}

/// The cells that a text takes when it is shown.
pub fn cells(text: &str) -> usize {
    shown(text).map(|(_, cells)| cells).sum()
}

/// A text as it is shown, cut to `max` cells with `ellipsis` in place of what was cut; white space at its ends goes.
///
/// Marks stay with the character they are drawn over. Where not even the ellipsis fits, nothing is left.
pub fn cut<'a>(text: &'a str, max: usize, ellipsis: &str) -> Cow<'a, str> {
    let text = text.trim();
    let clean = text.chars().eq(shown(text).map(|(character, _)| character));
    if clean && cells(text) <= max {
        return Cow::Borrowed(text);
    }
    let room = max.checked_sub(cells(ellipsis));
    let (mut out, mut used) = (String::with_capacity(text.len()), 0);
    let mut fits = 0;
    for (character, cells) in shown(text) {
        used += cells;
        if used > max {
            out.truncate(fits);
            let end = out.trim_end().len();
            out.truncate(end);
            if room.is_some() {
                out.push_str(ellipsis);
            }
            return Cow::Owned(out);
        }
        out.push(character);
        if room.is_some_and(|room| used <= room) {
            fits = out.len();
        }
    }
    Cow::Owned(out)
}

/// Adds spaces to a text that takes `used` cells, until it takes `width`.
pub fn pad(text: &mut String, used: usize, width: usize) {
    text.extend(std::iter::repeat_n(' ', width.saturating_sub(used)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_cells_not_bytes_or_characters() {
        for (text, wanted) in [
            ("abc", 3),
            ("日本語", 6),
            ("e\u{301}", 1),
            ("👩\u{200d}💻", 4),
            ("🇩🇪", 2),
            ("⚠\u{fe0f}", 1),
            ("👍🏽", 2),
            ("தமிழா", 5),
            ("한국어", 6),
            ("\u{1112}\u{1161}\u{11ab}", 2),
        ] {
            assert_eq!(cells(text), wanted, "{text}");
        }
    }

    #[test]
    fn shows_nothing_that_moves_hides_or_reorders() {
        for character in (0..=0x10_FFFF).filter_map(char::from_u32) {
            let text = String::from_iter(['a', character, 'b']);
            for (shown, cells) in shown(&text) {
                assert!(!shown.is_control(), "{character:?}");
                assert!(cells <= 2, "{character:?}");
                assert!(
                    !matches!(u32::from(shown), 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0xFEFF | 0x61C)
                );
            }
        }
        assert_eq!(shown("a\u{1b}[31mb\r\nc\u{202e}d").map(|(c, _)| c).collect::<String>(), "a[31mb  cd");
    }

    #[test]
    fn a_mark_needs_something_to_stand_on_and_towers_are_capped() {
        assert_eq!(cut("\u{301}a", 9, "…"), "a");
        assert_eq!(cut(&format!("a{}", "\u{301}".repeat(50)), 9, "…").chars().count(), 5);
    }

    #[test]
    fn cuts_within_the_cells_and_never_inside_a_character() {
        assert_eq!(cut("abcdef", 6, "…"), "abcdef");
        assert!(matches!(cut("abcdef", 6, "…"), Cow::Borrowed(_)));
        assert_eq!(cut("abcdef", 5, "…"), "abcd…");
        assert_eq!(cut("日本語", 5, "…"), "日本…");
        assert_eq!(cut("日本語", 4, "…"), "日…");
        assert_eq!(cut("ae\u{301}iou", 3, "…"), "ae\u{301}…");
        assert_eq!(cut("abcdef", 4, "..."), "a...");
        assert_eq!(cut("abcdef", 2, "..."), "");
        assert_eq!(cut("ab cdef", 4, "…"), "ab…");
        assert_eq!(cut("", 0, "…"), "");
        assert_eq!(cut("abc", 0, "…"), "");
        for max in 0..20 {
            for text in ["日本語のテキスト", "ae\u{301}\u{302}o日x", "👩\u{200d}💻👍🏽x", "a\u{200b}b\nc"]
            {
                assert!(cells(&cut(text, max, "…")) <= max, "{text} {max}");
            }
        }
    }
}
