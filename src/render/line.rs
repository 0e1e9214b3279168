//! One line of output, assembled from pieces: escaped, styled, and cut to a width.
//!
//! Text from outside comes in through [`Line::text`], text of the user's format or of ait through [`Line::literal`]. Both
//! lose what could move the cursor, and both are escaped for the dialect. Styles come in as a [`Role`].

use std::fmt::{self, Write as _};

use nu_ansi_term::{Color, Style};

use super::dialect::Dialect;
use super::style::Palette;
use super::theme::{Icons, Role};
use super::width::{self, Counting, Grapheme, JOINER};

/// Whether a text is visible ASCII and spaces; with `single`, also whether no space is doubled or at an end.
fn is_plain(text: &str, single: bool) -> bool {
    let mut last = b' ';
    let mut is_plain_byte = |byte| {
        let before = std::mem::replace(&mut last, byte);
        matches!(byte, b'!'..=b'~') || (byte == b' ' && !(single && before == b' '))
    };
    text.bytes().all(&mut is_plain_byte) && !(single && last == b' ')
}

/// A point to which a line can be taken back.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    len: usize,
    cells: usize,
    space: bool,
    written: Style,
    written_role: Option<Role>,
    /// The background of what was written last.
    left: Option<Color>,
    arrow: Option<Arrow>,
}

/// A separator that is written when something follows it.
#[derive(Clone, Copy, Debug)]
struct Arrow {
    /// The background of what is before it.
    left: Option<Color>,
    /// Whether a space is between that and it.
    space: bool,
}

/// One line of output under construction, in a dialect.
///
/// In a segment, runs of spaces become one and there are none at the ends, so that the text of a format between two
/// tokens leaves no gap if a token is empty. In a row of a list, spaces stay.
#[derive(Debug)]
pub struct Line {
    out: String,
    dialect: Dialect,
    counting: Counting,
    color: bool,
    /// Whether runs of spaces become one.
    collapse: bool,
    ellipsis: &'static str,
    ellipsis_cells: usize,
    /// The most cells the line may take.
    limit: usize,
    /// The cells taken so far.
    cells: usize,
    /// Whether to write a space before the next character.
    space: bool,
    /// The background of that space.
    space_ground: Option<Color>,
    palette: Palette,
    /// The user's style of the token that is being written.
    forced: Option<Style>,
    /// The background of everything that has no other.
    ground: Option<Color>,
    /// Whether there is either of them: most lines have none.
    is_forced: bool,
    /// The role of what comes next.
    role: Role,
    /// The style that was written last.
    written: Style,
    /// The role that this is the style of, if it is one of the palette.
    written_role: Option<Role>,
    /// The background of what was written last.
    left: Option<Color>,
    arrow: Option<Arrow>,
    icons: Icons,
    /// Where the line can be filled with spaces.
    fill: Option<usize>,
    /// The last point after which the ellipsis still fits.
    cut: Mark,
    /// Whether the limit was reached: nothing more is taken.
    full: bool,
}

impl Line {
    /// An empty segment. `limit` is the most cells it may take; what does not fit is cut with an ellipsis.
    pub fn segment(dialect: Dialect, color: bool, icons: Icons, limit: Option<usize>) -> Line {
        Line::new(String::with_capacity(256), true, dialect, color, icons, limit)
    }

    /// An empty row of a list that is appended to `before`, for a terminal, or without colour for a pipe.
    pub fn row(before: String, color: bool, icons: Icons, limit: Option<usize>) -> Line {
        let dialect = if color { Dialect::Ansi } else { Dialect::Plain };
        Line::new(before, false, dialect, color, icons, limit)
    }

    fn new(out: String, collapse: bool, dialect: Dialect, color: bool, icons: Icons, limit: Option<usize>) -> Line {
        let len = out.len();
        Line {
            out,
            dialect,
            counting: if icons == Icons::AsciiOnly { Counting::Bytes } else { dialect.counting() },
            color: color && dialect.has_color(),
            collapse,
            ellipsis: icons.ellipsis(),
            // Each of its characters takes one.
            ellipsis_cells: icons.ellipsis().chars().count(),
            limit: limit.unwrap_or(usize::MAX),
            cells: 0,
            space: false,
            space_ground: None,
            palette: Palette::Default,
            forced: None,
            ground: None,
            is_forced: false,
            role: Role::Plain,
            written: Style::default(),
            written_role: Some(Role::Plain),
            left: None,
            arrow: None,
            icons,
            fill: None,
            cut: Mark {
                len,
                cells: 0,
                space: false,
                written: Style::default(),
                written_role: Some(Role::Plain),
                left: None,
                arrow: None,
            },
            full: false,
        }
    }

    /// Appends text from outside: branch, task, project, path, model. White space of any kind becomes single spaces.
    pub fn text(&mut self, text: &str) {
        self.text_within(text, usize::MAX);
    }

    /// Appends text from outside in at most `max` cells, cut with an ellipsis.
    pub fn text_within(&mut self, text: &str, max: usize) {
        let fits = text.len() + self.ellipsis_cells <= max;
        if fits && self.takes_unchanged(text, !self.collapse) {
            return self.put_words(text);
        }
        let room = max.checked_sub(self.ellipsis_cells);
        let mut used = 0;
        let mut cut = self.mark();
        let mut space = false;
        for grapheme in width::graphemes(text, self.counting) {
            if grapheme.is_space() {
                space = used > 0;
                continue;
            }
            let taken = grapheme.cells + usize::from(space);
            if used + taken > max {
                self.rewind(cut);
                if room.is_some() {
                    self.literal(self.ellipsis);
                }
                return;
            }
            if std::mem::take(&mut space) {
                self.put_space();
            }
            self.put(grapheme);
            used += taken;
            if room.is_some_and(|room| used <= room) {
                cut = self.mark();
            }
        }
    }

    /// Appends text of the user's format, or of ait.
    pub fn literal(&mut self, text: &str) {
        if !self.collapse && self.takes_unchanged(text, false) {
            return self.put_word(text);
        }
        for grapheme in width::graphemes(text, self.counting) {
            if grapheme.is_space() { self.put_space() } else { self.put(grapheme) }
        }
    }

    /// Appends text of ait that is visible ASCII without anything to escape. A row does not check that again: there may
    /// be thousands.
    pub fn fixed(&mut self, text: &'static str) {
        if !self.collapse && self.has_room_for_word(text) { self.put_word(text) } else { self.literal(text) }
    }

    /// Appends formatted text of ait, such as numbers.
    pub fn own(&mut self, text: fmt::Arguments<'_>) {
        struct Own<'a>(&'a mut Line);
        impl fmt::Write for Own<'_> {
            fn write_str(&mut self, text: &str) -> fmt::Result {
                self.0.literal(text);
                Ok(())
            }
        }
        // Writing to a line cannot fail.
        let _ = Own(self).write_fmt(text);
    }

    /// Sets the role of everything that is appended from now on.
    pub fn role(&mut self, role: Role) {
        self.role = role;
    }

    /// The style of what comes next.
    fn style(&self) -> Style {
        let style = self.forced.unwrap_or_else(|| self.dialect.style_of(self.role, self.palette));
        Style { background: style.background.or(self.ground), ..style }
    }

    /// The background of what comes next. No role has one.
    fn background(&self) -> Option<Color> {
        if !self.is_forced {
            return None;
        }
        self.forced.and_then(|style| style.background).or(self.ground)
    }

    /// Sets the palette of the roles.
    pub(crate) fn palette(&mut self, palette: Palette) {
        self.palette = palette;
    }

    /// Sets the style of everything that is appended from now on, whatever its role; `None` ends that.
    pub(super) fn force(&mut self, style: Option<Style>) {
        self.forced = style.filter(|_| self.color);
        self.is_forced = self.forced.is_some() || self.ground.is_some();
    }

    /// Sets the background of everything that is appended from now on and has no other, unless it is `None`; gives the one
    /// before.
    pub(super) fn ground(&mut self, ground: Option<Color>) -> Option<Color> {
        let before = self.ground;
        if ground.is_some() {
            self.end_ground(ground);
        }
        before
    }

    /// Sets the background to what it was before.
    pub(super) fn end_ground(&mut self, before: Option<Color>) {
        if self.color {
            self.ground = before;
            self.is_forced = self.forced.is_some() || self.ground.is_some();
        }
    }

    /// Appends a separator in the colours of what is before and after it, if there is something at both sides. After a
    /// background, the end of the line is something.
    pub(super) fn arrow(&mut self) {
        if self.cells > 0 && self.arrow.is_none() {
            self.arrow = Some(Arrow { left: self.left, space: std::mem::take(&mut self.space) });
        }
    }

    /// Marks where the line is filled with spaces, at least one.
    pub(super) fn fill(&mut self) {
        if self.fill.is_none() && !self.full {
            self.end_part();
            self.write_style(Style::default());
            self.left = None;
            self.fill = Some(self.out.len());
            self.cells += 1;
        }
    }

    /// Ends the line or the part before a filling: a background reaches over its last space, and ends in an arrow.
    pub(super) fn end_part(&mut self) {
        let arrow = self.arrow.take().filter(|arrow| arrow.left.is_some());
        let has_space = self.space && self.space_ground.is_some();
        let cells = usize::from(has_space) + arrow.map_or(0, |arrow| 1 + usize::from(arrow.space));
        if cells > 0 && self.make_room(cells) {
            if let Some(arrow) = arrow {
                self.put_arrow(arrow, None);
            } else {
                self.put_space_on(self.space_ground);
            }
        }
        self.space = false;
    }

    fn put_arrow(&mut self, arrow: Arrow, right: Option<Color>) {
        if arrow.space {
            self.put_space_on(arrow.left);
        }
        self.write_style(Style { foreground: arrow.left, background: right, ..Style::default() });
        self.out.push_str(self.icons.arrow());
        self.cells += 1;
    }

    fn put_space_on(&mut self, ground: Option<Color>) {
        // It belongs to neither side: it has no underline, and a background only if it is within one.
        if ground.is_some() || self.written_role != Some(Role::Plain) {
            self.write_style(Style { background: ground, ..Style::default() });
        }
        self.out.push(' ');
        self.cells += 1;
    }

    /// The cells taken so far.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// Ends the line: the output, including what was before a row, with the style back to normal.
    pub fn finish(mut self) -> String {
        self.write_style(Style::default());
        self.out
    }

    /// Ends a segment that may fill so many cells.
    pub(super) fn finish_within(mut self, width: Option<usize>) -> String {
        if let Some(fill) = self.fill {
            let missing = width.map_or(0, |width| width.saturating_sub(self.cells));
            // Nothing is to the right of it.
            let is_last = self.out.get(fill..).is_none_or(str::is_empty);
            if !is_last {
                self.out.insert_str(fill, &" ".repeat(missing + 1));
            }
        }
        self.finish()
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark {
            len: self.out.len(),
            cells: self.cells,
            space: self.space,
            written: self.written,
            written_role: self.written_role,
            left: self.left,
            arrow: self.arrow,
        }
    }

    pub(crate) fn rewind(&mut self, mark: Mark) {
        // A full line has been cut already, perhaps before the mark.
        if self.full {
            return;
        }
        self.out.truncate(mark.len);
        self.cells = mark.cells;
        self.space = mark.space;
        self.written = mark.written;
        self.written_role = mark.written_role;
        self.left = mark.left;
        self.arrow = mark.arrow;
        self.fill = self.fill.filter(|at| *at <= mark.len && self.cells > 0);
        if self.cut.len > mark.len {
            self.cut = mark;
        }
    }

    /// Whether a text can be written as it is: it is plain ASCII ([`is_plain`]) without anything to escape, and there is
    /// room for it. Nearly all text is, and takes a tenth of the time that its graphemes take one by one.
    fn takes_unchanged(&self, text: &str, single: bool) -> bool {
        let is_shown = |byte: u8| self.dialect.escape(byte.into()).is_none();
        self.has_room_for_word(text)
            && is_plain(text, single)
            && (!self.dialect.has_escapes() || text.bytes().all(is_shown))
    }

    /// Whether there is room for ASCII text, and for a space before and an ellipsis after it.
    fn has_room_for_word(&self, text: &str) -> bool {
        !self.full
            && self.cells.saturating_add(text.len() + self.pending_cells().max(1) + self.ellipsis_cells) <= self.limit
    }

    /// Appends a text that [`Line::takes_unchanged`] accepts.
    fn put_words(&mut self, text: &str) {
        // In a row, spaces between words are written like the words.
        if !self.collapse {
            return self.put_word(text);
        }
        let mut words = text.split(' ').filter(|word| !word.is_empty());
        words.next().into_iter().for_each(|word| self.put_word(word));
        for word in words {
            self.put_space();
            self.put_word(word);
        }
    }

    /// Appends a word that [`Line::takes_unchanged`] accepts. In a row it may contain spaces.
    fn put_word(&mut self, word: &str) {
        if word.is_empty() {
            return;
        }
        self.put_pending();
        self.out.push_str(word);
        self.cells += word.len();
        if self.limit < usize::MAX {
            let spaces = word.len() - word.trim_end_matches(' ').len();
            if spaces < word.len() {
                let mark = self.mark();
                self.cut = Mark { len: mark.len - spaces, cells: mark.cells - spaces, ..mark };
            }
        }
    }

    /// Appends a space; in a segment only if something follows it, or if it is within a background.
    fn put_space(&mut self) {
        if self.collapse {
            let is_filled = self.fill == Some(self.out.len());
            let background = self.background();
            if !self.space && !is_filled && (self.cells > 0 || background.is_some()) {
                self.space = true;
                self.space_ground = background;
            }
        } else if self.make_room(1) {
            self.write_role();
            self.out.push(' ');
            self.cells += 1;
        }
    }

    /// The cells that come before the next character.
    fn pending_cells(&self) -> usize {
        usize::from(self.space) + self.arrow.map_or(0, |arrow| 1 + usize::from(arrow.space))
    }

    /// Writes what comes before the next character, and begins its style.
    fn put_pending(&mut self) {
        if let Some(arrow) = self.arrow.take() {
            self.put_arrow(arrow, self.background());
        }
        if std::mem::take(&mut self.space) {
            self.put_space_on(self.space_ground);
        }
        if self.color {
            self.write_role();
            self.left = self.background();
        }
    }

    fn put(&mut self, grapheme: Grapheme<'_>) {
        if !self.make_room(self.pending_cells() + grapheme.cells) {
            return;
        }
        self.put_pending();
        let (before, after) = self.dialect.without_cells();
        let mut joined = false;
        for character in grapheme.chars() {
            if character == JOINER && !joined {
                self.out.push_str(before);
                joined = true;
            }
            match self.dialect.escape(character) {
                Some(escaped) => self.out.push_str(escaped),
                None => self.out.push(character),
            }
        }
        if joined {
            self.out.push_str(after);
        }
        self.cells += grapheme.cells;
        if self.limit < usize::MAX && self.cells + self.ellipsis_cells <= self.limit {
            self.cut = self.mark();
        }
    }

    /// Whether there is room for so many cells. If not, the line is cut where the ellipsis fits, and closed.
    fn make_room(&mut self, cells: usize) -> bool {
        if !self.full && self.cells.saturating_add(cells) > self.limit {
            self.rewind(self.cut);
            self.space = false;
            self.arrow = None;
            if self.cells + self.ellipsis_cells <= self.limit {
                self.out.push_str(self.ellipsis);
                self.cells += self.ellipsis_cells;
            }
            self.full = true;
        }
        !self.full
    }

    /// Begins the style of what comes next. Most pieces are shown in the style of a role, and many in that of the last one.
    fn write_role(&mut self) {
        if !self.is_forced && self.written_role == Some(self.role) {
            return;
        }
        self.write_style(self.style());
        self.written_role = (!self.is_forced).then_some(self.role);
    }

    /// Ends the style written last and begins another one, where they differ.
    fn write_style(&mut self, style: Style) {
        if !self.color || self.written == style {
            return;
        }
        self.written_role = style.is_plain().then_some(Role::Plain);
        self.dialect.close_style(&mut self.out, self.written);
        self.dialect.open_style(&mut self.out, style);
        self.written = style;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Written in one piece or by its characters, a text is the same: a mark of no width at its end makes the difference.
    #[test]
    fn a_text_in_one_piece_is_the_text_by_its_characters() {
        let texts = ["", " ", "a", " a  b ", "feature/x-1", "a b c d e f", "50% $HOME `x`", "0123456789"];
        for (_, dialect) in Dialect::ALL {
            for (text, limit, max, row) in texts.iter().flat_map(|text| {
                let limits = [None, Some(0), Some(1), Some(3), Some(9), Some(12), Some(30)];
                limits.into_iter().flat_map(move |limit| {
                    [0, 1, 5, 9, 11, usize::MAX]
                        .into_iter()
                        .flat_map(move |max| [false, true].map(|row| (text, limit, max, row)))
                })
            }) {
                let say = |text: &str| {
                    let mut line = Line { collapse: !row, ..Line::segment(dialect, true, Icons::Unicode, limit) };
                    line.literal(&format!("({text}"));
                    line.role(Role::Branch);
                    line.text_within(text, max);
                    line.role(Role::Plain);
                    line.literal(&format!(" {text}"));
                    let cells = line.cells();
                    (line.finish(), cells)
                };
                assert_eq!(say(text), say(&format!("{text}\u{200b}")), "{dialect:?} {text:?} {limit:?} {max} {row}");
            }
        }
    }

    #[test]
    fn spaces_never_double_and_never_stand_at_the_ends() {
        let mut line = Line::segment(Dialect::Plain, false, Icons::Unicode, None);
        line.literal("  ");
        line.text(" a \n\t b ");
        line.literal(" ");
        line.text("  ");
        line.literal(" c ");
        assert_eq!(line.cells(), 5);
        assert_eq!(line.finish(), "a b c");
    }

    #[test]
    fn a_row_keeps_its_spaces() {
        let mut line = Line::row(String::new(), false, Icons::Unicode, None);
        line.literal("   ");
        line.text("a  b");
        assert_eq!(line.cells(), 6);
        assert_eq!(line.finish(), "   a b");
    }

    #[test]
    fn a_limit_holds_and_closes_the_line() {
        for limit in 0..12 {
            for icons in [Icons::Unicode, Icons::Ascii] {
                let mut line = Line::segment(Dialect::Ansi, true, icons, Some(limit));
                line.role(Role::Project);
                line.text("日本語");
                line.literal(" ");
                line.role(Role::Branch);
                line.text("main e\u{301}");
                assert!(line.cells() <= limit);
                let out = line.finish();
                let codes = ["\u{1b}[1;36m", "\u{1b}[22;39m", "\u{1b}[34m", "\u{1b}[39m"];
                let plain = codes.iter().fold(out.clone(), |out, code| out.replace(code, ""));
                assert!(!plain.contains('\u{1b}'), "{plain:?}");
                assert!(width::cells(&plain) <= limit, "{plain:?} {limit}");
                assert_eq!(out.matches("39m").count(), out.matches('\u{1b}').count() / 2, "{out:?}");
            }
        }
        let mut line = Line::segment(Dialect::Plain, false, Icons::Unicode, Some(6));
        line.text("abc");
        line.literal(" ");
        line.text("defg");
        line.text("h");
        assert_eq!(line.finish(), "abc d…");
    }

    #[test]
    fn text_is_cut_to_its_own_bound() {
        let mut line = Line::segment(Dialect::Plain, false, Icons::Unicode, None);
        line.text_within("implementing things", 9);
        line.literal(" ");
        line.text_within("ab cdef", 4);
        line.literal(" ");
        line.text_within("abc", 0);
        line.text_within("abc", 3);
        assert_eq!(line.finish(), "implemen… ab… abc");
    }
}
