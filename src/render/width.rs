//! Which characters of a text are shown, and how many terminal cells each grapheme takes.
//!
//! The crate `unicode-segmentation` finds graphemes (what people see as one character), and `unicode-width` knows the
//! width of most characters. The table in this file holds only what neither offers: the characters whose width
//! terminals, shells and Unicode disagree on. A prompt whose width the shell gets wrong breaks the line being edited,
//! so only text that all of them agree on is shown:
//!
//! - A character of disputed width becomes U+FFFD.
//! - Variation selectors and skin tones are dropped; the emoji before them has the same width everywhere without them.
//! - A joined emoji (a wide one, joiners, and others) takes two cells in terminals that know graphemes. Shells count each
//!   of its parts, so it is only kept in one piece where its width can be declared (`Counting`).
//!
//! Compared: unicode-width 0.2, glibc 2.36 (bash, tmux 3.3a), zsh 5.9, fish 3.6, over all of Unicode.

use std::borrow::Cow;
use std::str::Chars;

use unicode_segmentation::UnicodeSegmentation;
use unicode_width::UnicodeWidthChar;

/// Shown instead of a character whose width is disputed.
const REPLACEMENT: char = char::REPLACEMENT_CHARACTER;
/// Joins emoji into one.
pub(crate) const JOINER: char = '\u{200d}';
/// Combining marks kept on one character. More of them draw over the lines above, and tmux keeps at most 21 bytes in a
/// cell: four of the base and four times four are within it.
const MAX_MARKS: u8 = 4;
/// Emoji joined to the first one. The longest sequences that Unicode recommends have three.
const MAX_JOINED: u8 = 3;

/// How the reader of a text knows its width, which decides what it can be shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Counting {
    /// It counts graphemes, or can be told their width: a joined emoji is shown in one piece, two cells wide.
    Graphemes,
    /// It counts characters: the parts of a joined emoji are shown side by side.
    Characters,
    /// It counts characters, and nothing for the vowel signs of Indian scripts: those are not shown.
    Letters,
    /// It counts characters by the table of Unicode 5: later emoji are shown as U+FFFD, later marks and the vowel signs of
    /// Indian scripts are not shown.
    Unicode5,
    /// It counts bytes, like a shell whose locale is not UTF-8: a grapheme outside ASCII is shown as `?`.
    Bytes,
}

/// How one character is shown.
enum Shape {
    /// It takes this many cells, 1 or 2.
    Cells(char, usize),
    /// It is drawn over the character before it.
    Mark,
    /// White space of any kind.
    Space,
    /// It moves the cursor, hides or reorders text, or cannot be seen: it is not shown.
    Dropped,
}

/// Not shown: C1 controls; soft hyphen; grapheme joiner; Arabic and Syriac format characters; fillers; Mongolian and other
/// variation selectors; zero-width, direction and invisible operators; annotations; shorthand and musical format
/// characters; skin tones; tags.
const DROPPED: [(u32, u32); 25] = [
    (0x80, 0x9F),
    (0xAD, 0xAD),
    (0x34F, 0x34F),
    (0x600, 0x605),
    (0x61C, 0x61C),
    (0x6DD, 0x6DD),
    (0x70F, 0x70F),
    (0x890, 0x891),
    (0x8E2, 0x8E2),
    (0x115F, 0x1160),
    (0x17B4, 0x17B5),
    (0x180B, 0x180F),
    (0x200B, 0x200F),
    (0x2028, 0x202E),
    (0x2060, 0x206F),
    (0x2D7F, 0x2D7F),
    (0x3164, 0x3164),
    (0xFE00, 0xFE0F),
    (0xFEFF, 0xFEFF),
    (0xFFA0, 0xFFA0),
    (0xFFF0, 0xFFFB),
    (0x1BCA0, 0x1BCA3),
    (0x1D173, 0x1D17A),
    (0x1F3FB, 0x1F3FF),
    (0xE0000, 0xE0FFF),
];

/// Of disputed width: wide since Unicode 16 and narrow before, or given another width by one shell; planes without a
/// character; code points that will never be one.
const DISPUTED: [(u32, u32); 16] = [
    (0x17A4, 0x17A4),
    (0x17D8, 0x17D8),
    (0x2630, 0x2637),
    (0x268A, 0x268F),
    (0x302E, 0x302F),
    (0x3248, 0x324F),
    (0x4DC0, 0x4DFF),
    (0xF600, 0xF6FF),
    (0xFDD0, 0xFDEF),
    (0xFFFE, 0xFFFF),
    (0x1171E, 0x1171E),
    (0x13430, 0x1345F),
    (0x16FF0, 0x16FF1),
    (0x1D300, 0x1D356),
    (0x1D360, 0x1D378),
    (0x40000, 0xDFFFF),
];

/// Vowel signs that join the syllable before them in a font and take a cell of their own in a terminal. unicode-width counts
/// them as nothing.
const SPACING: [(u32, u32); 44] = [
    (0x9BE, 0x9BE),
    (0x9D7, 0x9D7),
    (0xB3E, 0xB3E),
    (0xB57, 0xB57),
    (0xBBE, 0xBBE),
    (0xBD7, 0xBD7),
    (0xCC0, 0xCC2),
    (0xCC7, 0xCC8),
    (0xCCA, 0xCCB),
    (0xCD5, 0xCD6),
    (0xD3E, 0xD3E),
    (0xD4E, 0xD4E),
    (0xD57, 0xD57),
    (0xDCF, 0xDCF),
    (0xDDF, 0xDDF),
    (0x1715, 0x1715),
    (0x1734, 0x1734),
    (0x1B35, 0x1B35),
    (0x1B3B, 0x1B3B),
    (0x1B3D, 0x1B3D),
    (0x1B43, 0x1B44),
    (0x1BAA, 0x1BAA),
    (0x1BF2, 0x1BF3),
    (0xA8FA, 0xA8FA),
    (0xA953, 0xA953),
    (0xA9C0, 0xA9C0),
    (0x111C0, 0x111C0),
    (0x111C2, 0x111C3),
    (0x11235, 0x11235),
    (0x1133E, 0x1133E),
    (0x1134D, 0x1134D),
    (0x11357, 0x11357),
    (0x114B0, 0x114B0),
    (0x114BD, 0x114BD),
    (0x115AF, 0x115AF),
    (0x116B6, 0x116B6),
    (0x11930, 0x11930),
    (0x1193D, 0x1193D),
    (0x1193F, 0x1193F),
    (0x11941, 0x11941),
    (0x11A84, 0x11A89),
    (0x11D46, 0x11D46),
    (0x1D165, 0x1D166),
    (0x1D16D, 0x1D172),
];

/// Two cells wide by <https://www.cl.cam.ac.uk/~mgk25/ucs/wcwidth.c>, which elvish has extended by emoji.
const WIDE_IN_UNICODE_5: [(u32, u32); 11] = [
    (0x1100, 0x115F),
    (0x2329, 0x232A),
    (0x2E80, 0x303E),
    (0x3040, 0xA4CF),
    (0xAC00, 0xD7A3),
    (0xF900, 0xFAFF),
    (0xFE10, 0xFE6F),
    (0xFF00, 0xFF60),
    (0xFFE0, 0xFFE6),
    (0x1F300, 0x1F6FF),
    (0x20000, 0x3FFFD),
];

/// Whether a code point is in a table of sorted ranges, both ends included.
fn is_in(table: &[(u32, u32)], code: u32) -> bool {
    let behind = table.partition_point(|(first, _)| *first <= code);
    table.get(..behind).and_then(<[_]>::last).is_some_and(|(_, last)| code <= *last)
}

fn shape(character: char) -> Shape {
    if character.is_ascii() {
        return match character {
            '!'..='~' => Shape::Cells(character, 1),
            ' ' | '\t'..='\r' => Shape::Space,
            _ => Shape::Dropped,
        };
    }
    let code = u32::from(character);
    if character.is_whitespace() {
        Shape::Space
    } else if is_in(&DROPPED, code) {
        Shape::Dropped
    } else if is_in(&DISPUTED, code) {
        Shape::Cells(REPLACEMENT, 1)
    } else if is_in(&SPACING, code) {
        Shape::Cells(character, 1)
    } else {
        match character.width() {
            Some(0) => Shape::Mark,
            Some(cells @ 1..=2) => Shape::Cells(character, cells),
            Some(_) => Shape::Cells(REPLACEMENT, 1),
            None => Shape::Dropped,
        }
    }
}

/// How a character is shown to a reader that counts in this way. `is_first`: it is the first of its grapheme.
fn shape_for(counting: Counting, character: char, is_first: bool) -> Shape {
    let shape = shape(character);
    if !matches!(counting, Counting::Letters | Counting::Unicode5) {
        return shape;
    }
    match (shape, u32::from(character)) {
        // A vowel sign; half a flag is none.
        (Shape::Cells(_, 1), code) if !is_first && !(0x1F1E6..=0x1F1FF).contains(&code) => Shape::Dropped,
        (shape, _) if counting == Counting::Letters => shape,
        (Shape::Cells(_, cells), code) if (cells == 2) != is_in(&WIDE_IN_UNICODE_5, code) => {
            Shape::Cells(REPLACEMENT, 1)
        }
        (Shape::Mark, code) if !matches!(code, 0x300..=0x36F | 0x1160..=0x11FF) => Shape::Dropped,
        (shape, _) => shape,
    }
}

/// A grapheme that is shown.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Grapheme<'a> {
    source: &'a str,
    counting: Counting,
    /// The terminal cells it takes, at least one.
    pub(crate) cells: usize,
}

impl<'a> Grapheme<'a> {
    /// White space of any kind. It is shown as one space.
    pub(crate) fn is_space(self) -> bool {
        self.chars().next() == Some(' ')
    }

    /// The characters to write. Those from the first [`JOINER`] on take no cells of their own.
    pub(crate) fn chars(self) -> ShownChars<'a> {
        ShownChars::new(self.source, self.counting)
    }
}

/// The characters of one grapheme that are shown.
#[derive(Debug)]
pub(crate) struct ShownChars<'a> {
    rest: Chars<'a>,
    counting: Counting,
    /// The cells they take so far.
    cells: usize,
    /// Characters so far that take cells of their own.
    parts: u8,
    marks_left: u8,
    joined_left: u8,
    /// Whether a joiner has been read whose emoji has not.
    joiner: bool,
    /// The emoji after the joiner that was returned last.
    next: Option<char>,
}

impl<'a> ShownChars<'a> {
    fn new(grapheme: &'a str, counting: Counting) -> ShownChars<'a> {
        ShownChars {
            rest: grapheme.chars(),
            counting,
            cells: 0,
            parts: 0,
            marks_left: 0,
            joined_left: MAX_JOINED,
            joiner: false,
            next: None,
        }
    }

    fn count(mut self) -> usize {
        while self.next().is_some() {}
        self.cells
    }
}

impl Iterator for ShownChars<'_> {
    type Item = char;

    fn next(&mut self) -> Option<char> {
        if let Some(character) = self.next.take() {
            return Some(character);
        }
        loop {
            let character = self.rest.next()?;
            match shape_for(self.counting, character, self.parts == 0) {
                Shape::Cells(..) | Shape::Mark if self.counting == Counting::Bytes && self.parts > 0 => {}
                Shape::Cells(character, _) if self.counting == Counting::Bytes => {
                    (self.cells, self.parts) = (1, 1);
                    return Some(if character.is_ascii() { character } else { '?' });
                }
                Shape::Cells(character, _) if self.joiner => {
                    self.joiner = false;
                    if let Some(left) = self.joined_left.checked_sub(1) {
                        self.joined_left = left;
                        self.next = Some(character);
                        return Some(JOINER);
                    }
                }
                Shape::Cells(character, cells) => {
                    self.marks_left = MAX_MARKS;
                    self.cells += cells;
                    self.parts = self.parts.saturating_add(1);
                    return Some(character);
                }
                Shape::Space => {
                    self.marks_left = 0;
                    self.cells += 1;
                    return Some(' ');
                }
                Shape::Mark if self.marks_left > 0 => {
                    self.marks_left -= 1;
                    return Some(character);
                }
                // A narrow emoji with others joined to it takes one cell in some terminals and two in others, so its
                // parts stay apart.
                Shape::Dropped if character == JOINER => {
                    self.joiner = self.counting == Counting::Graphemes && self.parts == 1 && self.cells == 2;
                }
                Shape::Mark | Shape::Dropped => {}
            }
        }
    }
}

/// The graphemes of a text that are shown. None of them moves the cursor, and their cells add up to what the terminal
/// uses.
pub(crate) fn graphemes(text: &str, counting: Counting) -> impl Iterator<Item = Grapheme<'_>> {
    let mut rest = text;
    std::iter::from_fn(move || {
        while !rest.is_empty() {
            let (source, behind) = rest.split_at_checked(first_length(rest))?;
            rest = behind;
            let cells = ShownChars::new(source, counting).count();
            if cells > 0 {
                return Some(Grapheme { source, counting, cells });
            }
        }
        None
    })
}

/// The length of the first grapheme in bytes.
fn first_length(text: &str) -> usize {
    // An ASCII character before another one stands alone: nearly all text takes this way. (CR and LF would belong
    // together, but both are spaces.)
    match text.as_bytes() {
        [first, second, ..] if first.is_ascii() && second.is_ascii() => 1,
        _ => text.graphemes(true).next().map_or(text.len(), str::len),
    }
}

/// The cells that a text takes when it is shown.
pub fn cells(text: &str) -> usize {
    graphemes(text, Counting::Graphemes).map(|grapheme| grapheme.cells).sum()
}

/// A text as it is shown: without what moves the cursor, hides or reorders text.
pub fn visible(text: &str) -> String {
    graphemes(text, Counting::Graphemes).flat_map(Grapheme::chars).collect()
}

/// A text as it is shown, cut to `max` cells with `ellipsis` instead of what was cut; white space at its ends goes.
///
/// A grapheme is never cut. If not even the ellipsis fits, nothing is left.
pub fn cut<'a>(text: &'a str, max: usize, ellipsis: &str) -> Cow<'a, str> {
    let text = text.trim();
    let shown = visible(text);
    if cells(&shown) <= max {
        return if shown == text { Cow::Borrowed(text) } else { Cow::Owned(shown) };
    }
    let Some(mut room) = max.checked_sub(cells(ellipsis)) else { return Cow::Borrowed("") };
    let fits = graphemes(&shown, Counting::Graphemes).map_while(|grapheme| {
        room = room.checked_sub(grapheme.cells)?;
        Some(grapheme.source.len())
    });
    let end = fits.sum();
    Cow::Owned([shown.get(..end).unwrap_or_default().trim_end(), ellipsis].concat())
}

/// Adds spaces to a text that takes `used` cells, until it takes `width`.
pub fn pad(text: &mut String, used: usize, width: usize) {
    text.extend(std::iter::repeat_n(' ', width.saturating_sub(used)));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_the_cells_of_graphemes() {
        for (text, wanted) in [
            ("abc", 3),
            ("日本語", 6),
            ("e\u{301}", 1),
            ("👩\u{200d}💻", 2),
            ("👨\u{200d}👩\u{200d}👧", 2),
            ("🏳\u{fe0f}\u{200d}🌈", 3),
            ("🇩🇪", 2),
            ("⚠\u{fe0f}", 1),
            ("👍🏽", 2),
            ("தமிழா", 5),
            ("한국어", 6),
            ("\u{1112}\u{1161}\u{11ab}", 2),
        ] {
            assert_eq!(cells(text), wanted, "{text}");
            assert_eq!(cells(&visible(text)), wanted, "{text}");
        }
    }

    #[test]
    fn a_reader_that_counts_bytes_gets_one_byte_for_each_grapheme() {
        for (text, wanted) in [
            ("abc 1", "abc 1"),
            ("日本 é", "?? ?"),
            ("e\u{301}x", "ex"),
            ("a👨\u{200d}👩\u{200d}👧b 🇩🇪", "a?b ?"),
            ("\u{301}\u{200b}", ""),
            ("\u{3000}", " "),
        ] {
            let all: Vec<_> = graphemes(text, Counting::Bytes).collect();
            assert_eq!(all.iter().flat_map(|grapheme| grapheme.chars()).collect::<String>(), wanted);
            assert_eq!(all.iter().map(|grapheme| grapheme.cells).sum::<usize>(), wanted.len(), "{text}");
        }
    }

    #[test]
    fn a_joined_emoji_is_shown_whole_or_in_parts() {
        let shown = |text, counting| {
            let all: Vec<_> = graphemes(text, counting).collect();
            let text: String = all.iter().flat_map(|grapheme| grapheme.chars()).collect();
            (text, all.iter().map(|grapheme| grapheme.cells).collect::<Vec<_>>())
        };
        let family = "a👨\u{200d}👩\u{200d}👧b";
        assert_eq!(shown(family, Counting::Graphemes), (family.to_owned(), vec![1, 2, 1]));
        assert_eq!(shown(family, Counting::Characters), ("a👨👩👧b".to_owned(), vec![1, 6, 1]));
        // Without the skin tones and variation selectors.
        let kiss = "👩🏻\u{200d}❤\u{fe0f}\u{200d}💋\u{200d}👨🏻";
        assert_eq!(shown(kiss, Counting::Graphemes), ("👩\u{200d}❤\u{200d}💋\u{200d}👨".to_owned(), vec![2]));
        let endless = "👩\u{200d}".repeat(50);
        assert_eq!(shown(&endless, Counting::Graphemes), ("👩\u{200d}👩\u{200d}👩\u{200d}👩".to_owned(), vec![2]));
        // Joiners elsewhere have no picture of their own.
        assert_eq!(shown("क\u{94d}\u{200d}ष a\u{200d}b", Counting::Graphemes).0, "क\u{94d}ष ab");
    }

    /// All but the planes in which every character is alike or none is assigned.
    fn interesting_characters() -> impl Iterator<Item = char> {
        (0..0x2_0400).chain(0xE_0000..0xE_0400).chain(0x10_FF00..=0x10_FFFF).filter_map(char::from_u32)
    }

    #[test]
    fn shows_nothing_that_moves_hides_or_reorders() {
        for character in interesting_characters() {
            let text = String::from_iter(['a', character, 'b']);
            for shown in visible(&text).chars() {
                assert!(!shown.is_control(), "{character:?}");
                assert!(
                    !matches!(u32::from(shown), 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0xFEFF | 0x61C)
                );
            }
        }
        assert_eq!(visible("a\u{1b}[31mb\r\nc\u{202e}d"), "a[31mb  cd");
    }

    #[test]
    fn the_cells_of_a_text_are_those_of_its_characters() {
        // Only joined emoji are wider in parts than whole, so a shell that counts characters agrees.
        for character in interesting_characters() {
            for text in [String::from_iter(['a', character]), String::from_iter([character, 'a'])] {
                let parts: usize = visible(&text).chars().map(|one| cells(&one.to_string())).sum();
                assert_eq!(cells(&text), parts, "{character:?}");
            }
        }
    }

    #[test]
    fn the_tables_are_sorted_and_do_not_overlap() {
        for table in [&DROPPED[..], &DISPUTED, &SPACING] {
            assert!(table.iter().all(|(first, last)| first <= last));
            assert!(table.windows(2).all(|pair| pair[0].1 < pair[1].0), "{table:x?}");
        }
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
        assert_eq!(cut("ab 👨\u{200d}👩\u{200d}👧 cd", 5, "…"), "ab…");
        assert_eq!(cut("ab 👨\u{200d}👩\u{200d}👧 cd", 6, "…"), "ab 👨\u{200d}👩\u{200d}👧…");
        assert_eq!(cut("🇩🇪🇫🇷🇮🇹", 3, "…"), "🇩🇪…");
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
