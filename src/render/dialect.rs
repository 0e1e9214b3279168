//! The dialects that a segment is written in, and the only way to write in one.
//!
//! A [`Line`] takes text in and gives finished output. What comes in through [`Line::text`] is from outside and through
//! [`Line::literal`] from the user's own format or from us; both lose what could move the cursor, and both are escaped
//! for the dialect, once, in one place. Colours are the only other thing that gets in, as a [`Role`].
//!
//! What each dialect needs, as found with zsh 5.9, bash 5.2, fish 3.6 and tmux 3.3a (`tests/it/escapes.rs` shows it):
//!
//! - zsh expands `%` in a prompt; with `prompt_subst` it first expands `$`, backquotes and backslashes in what is
//!   written in the prompt itself, though not in the value of a variable named there. What is written here shows the
//!   same in all three cases: an empty `%{%}` after `$` and `\` leaves them nothing to act on. A backquote has no such
//!   form and becomes an apostrophe.
//! - bash decodes backslashes in what is written in `PS1`, then expands that like a double-quoted string (`promptvars`,
//!   on by default), though neither in the value of a variable named there. What is written here shows the same in all
//!   cases: `\[` and `\]` are written as the two control characters that they stand for, which readline takes in a value
//!   too, and an empty pair of them after `$` and `\` leaves these nothing to act on. A backquote becomes an apostrophe.
//! - fish prints what a prompt function prints, and reads colours out of it to know its width.
//! - tmux expands the output of `#()` once more as a format (without running `#()` in it, and without `strftime`), then
//!   reads styles, halving runs of `#` in both steps but not before `[`. So each `#` is followed by an empty style.
//! - starship escapes the output of a custom module for the shell itself, since 1.20 (GHSA-vx24-x4mv-vwr5). Before, bash
//!   ran what it found there: a colour code that changes nothing (25: not blinking) after `$` and `\` keeps these harmless
//!   there too.

use std::fmt::{self, Write as _};
use std::str::FromStr;

use nu_ansi_term::{Color, Style};

use super::theme::{Icons, Role};
use super::width::{self, Grapheme, JOINER, Joined};

/// What a segment is written for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Dialect {
    /// Text without colour.
    Plain,
    /// `PROMPT` or `RPROMPT` of zsh.
    Zsh,
    /// `PS1` of bash.
    Bash,
    /// The output of a prompt function of fish.
    Fish,
    /// The output of `#()` in a status line of tmux.
    Tmux,
    /// The output of a custom module of starship.
    Starship,
    /// A terminal.
    Ansi,
}

impl Dialect {
    /// All dialects, by name.
    pub const ALL: [(&'static str, Dialect); 7] = [
        ("zsh", Dialect::Zsh),
        ("bash", Dialect::Bash),
        ("fish", Dialect::Fish),
        ("tmux", Dialect::Tmux),
        ("starship", Dialect::Starship),
        ("ansi", Dialect::Ansi),
        ("plain", Dialect::Plain),
    ];

    /// Whether colour is seen where this dialect is read, whatever the output of `ait` itself goes to.
    pub fn has_color(self) -> bool {
        self != Dialect::Plain
    }

    /// What to write before and after text so that the reader counts no cells for it.
    fn no_cells(self) -> (&'static str, &'static str) {
        match self {
            Dialect::Zsh => ("%{", "%}"),
            Dialect::Bash => ("\u{1}", "\u{2}"),
            _ => ("", ""),
        }
    }

    /// fish counts each part of a joined emoji, as the shell behind starship does, and neither can be told otherwise.
    fn joined(self) -> Joined {
        match self {
            Dialect::Fish | Dialect::Starship => Joined::Apart,
            _ => Joined::Whole,
        }
    }
}

impl FromStr for Dialect {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Dialect::ALL.into_iter().find(|(known, _)| *known == name);
        found.map(|(_, dialect)| dialect).ok_or_else(|| {
            format!("no dialect is called `{name}`; there are zsh, bash, fish, tmux, starship, ansi and plain")
        })
    }
}

/// What stands in for one character in a dialect; `None` where it stands for itself.
///
/// This and [`Line::write_style`] are all that the dialects differ in.
fn escape(dialect: Dialect, character: char) -> Option<&'static str> {
    match (dialect, character) {
        (Dialect::Zsh, '%') => Some("%%"),
        (Dialect::Zsh, '$') => Some("$%{%}"),
        (Dialect::Zsh, '\\') => Some("\\%{%}"),
        (Dialect::Zsh | Dialect::Bash | Dialect::Starship, '`') => Some("'"),
        (Dialect::Bash, '\\') => Some("\\\u{1}\u{2}"),
        (Dialect::Bash, '$') => Some("$\u{1}\u{2}"),
        (Dialect::Tmux, '#') => Some("###[]"),
        (Dialect::Starship, '$') => Some("$\u{1b}[25m"),
        // Two of them in a row bash takes for one, after starship has escaped both.
        (Dialect::Starship, '\\') => Some("\\\u{1b}[25m"),
        _ => None,
    }
}

/// Whether a text is ASCII that is seen, or spaces; these single and not at its ends, where that is asked for.
fn is_plain(text: &str, single: bool) -> bool {
    let mut last = b' ';
    let mut stands = |byte| {
        let before = std::mem::replace(&mut last, byte);
        matches!(byte, b'!'..=b'~') || (byte == b' ' && !(single && before == b' '))
    };
    text.bytes().all(&mut stands) && !(single && last == b' ')
}

/// Whether [`escape`] does anything.
fn has_escapes(dialect: Dialect) -> bool {
    !matches!(dialect, Dialect::Plain | Dialect::Ansi | Dialect::Fish)
}

/// A segment with its escapes written out, for a terminal that is to show how it is made and not to act on it.
pub(crate) fn with_escapes_shown(segment: &str) -> String {
    segment.replace('\u{1b}', "\\e")
}

/// Where a line can be taken back to.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Mark {
    len: usize,
    cells: usize,
    space: bool,
    written: Role,
}

/// One line of output under way, in a dialect.
///
/// In a segment, runs of spaces become one and there are none at the ends, so that what a format puts between tokens
/// never shows where a token is empty. In a row of a list, spaces stay.
#[derive(Debug)]
pub struct Line {
    out: String,
    dialect: Dialect,
    color: bool,
    collapse: bool,
    ellipsis: &'static str,
    ellipsis_cells: usize,
    /// The most cells the line may take.
    limit: usize,
    /// The cells taken so far.
    cells: usize,
    /// A space is due before the next character that is shown.
    space: bool,
    /// The role that the next character is to have.
    role: Role,
    /// The role whose style was written last.
    written: Role,
    /// The last point at which the ellipsis still fits.
    cut: Mark,
    /// The limit was met: nothing more is taken.
    full: bool,
}

impl Line {
    /// An empty segment. `limit` is the most cells it may take; what does not fit is cut with an ellipsis.
    pub fn segment(dialect: Dialect, color: bool, icons: Icons, limit: Option<usize>) -> Line {
        Line::new(String::with_capacity(256), true, dialect, color, icons, limit)
    }

    /// An empty row of a list, behind the `before` it, for a terminal or for a pipe, where there is no colour.
    pub fn row(before: String, color: bool, icons: Icons, limit: Option<usize>) -> Line {
        let dialect = if color { Dialect::Ansi } else { Dialect::Plain };
        Line::new(before, false, dialect, color, icons, limit)
    }

    fn new(out: String, collapse: bool, dialect: Dialect, color: bool, icons: Icons, limit: Option<usize>) -> Line {
        let len = out.len();
        Line {
            out,
            dialect,
            color: color && dialect.has_color(),
            collapse,
            ellipsis: icons.ellipsis(),
            // Each of its characters takes one.
            ellipsis_cells: icons.ellipsis().chars().count(),
            limit: limit.unwrap_or(usize::MAX),
            cells: 0,
            space: false,
            role: Role::Plain,
            written: Role::Plain,
            cut: Mark { len, cells: 0, space: false, written: Role::Plain },
            full: false,
        }
    }

    /// Text from outside: branch, task, project, path, model. White space of any kind becomes single spaces.
    pub fn text(&mut self, text: &str) {
        self.text_within(text, usize::MAX);
    }

    /// Text from outside in at most `max` cells, cut with an ellipsis.
    pub fn text_within(&mut self, text: &str, max: usize) {
        let fits = text.len() + self.ellipsis_cells <= max;
        if fits && self.takes_as_it_stands(text, !self.collapse) {
            // In a row, spaces between words are written as the words are.
            if !self.collapse {
                return self.put_word(text);
            }
            let mut words = text.split(' ').filter(|word| !word.is_empty());
            words.next().into_iter().for_each(|word| self.put_word(word));
            for word in words {
                self.put_space();
                self.put_word(word);
            }
            return;
        }
        let room = max.checked_sub(self.ellipsis_cells);
        let mut used = 0;
        let mut fits = self.mark();
        let mut space = false;
        for grapheme in width::graphemes(text, self.dialect.joined()) {
            if grapheme.is_space() {
                space = used > 0;
                continue;
            }
            let taken = grapheme.cells + usize::from(space);
            if used + taken > max {
                self.rewind(fits);
                if room.is_some() {
                    self.literal(self.ellipsis);
                }
                return;
            }
            if space {
                self.put_space();
                space = false;
            }
            self.put(grapheme);
            used += taken;
            if room.is_some_and(|room| used <= room) {
                fits = self.mark();
            }
        }
    }

    /// Text of the user's own format, or of ours.
    pub fn literal(&mut self, text: &str) {
        if !self.collapse && self.takes_as_it_stands(text, false) {
            return self.put_word(text);
        }
        for grapheme in width::graphemes(text, self.dialect.joined()) {
            if grapheme.is_space() { self.put_space() } else { self.put(grapheme) }
        }
    }

    /// A piece of a row that is the same in all: plain ASCII, which need not be looked for.
    pub fn fixed(&mut self, text: &'static str) {
        if !self.collapse && self.takes(text) { self.put_word(text) } else { self.literal(text) }
    }

    /// Numbers and marks of ours.
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

    /// What comes next looks like this, until it is said otherwise.
    pub fn role(&mut self, role: Role) {
        self.role = role;
    }

    /// The cells taken so far.
    pub fn cells(&self) -> usize {
        self.cells
    }

    /// The line is written: the output, what was before it included, with the style back to normal.
    pub fn finish(mut self) -> String {
        self.style_is(Role::Plain);
        self.out
    }

    pub(crate) fn mark(&self) -> Mark {
        Mark { len: self.out.len(), cells: self.cells, space: self.space, written: self.written }
    }

    pub(crate) fn rewind(&mut self, mark: Mark) {
        // A full line has been cut already, maybe before the mark.
        if self.full {
            return;
        }
        self.out.truncate(mark.len);
        self.cells = mark.cells;
        self.space = mark.space;
        self.written = mark.written;
        if self.cut.len > mark.len {
            self.cut = mark;
        }
    }

    /// Whether a text is plain ASCII ([`is_plain`]) that nobody acts on, and there is room for it: it can be written in one
    /// piece. Nearly all text is, in a tenth of the time that its characters take one by one.
    fn takes_as_it_stands(&self, text: &str, single: bool) -> bool {
        let stands = |byte: u8| escape(self.dialect, byte.into()).is_none();
        self.takes(text) && is_plain(text, single) && (!has_escapes(self.dialect) || text.bytes().all(stands))
    }

    /// Whether there is room for a text of which each byte takes a cell, and for an ellipsis after it.
    fn takes(&self, text: &str) -> bool {
        !self.full && self.cells.saturating_add(text.len() + 1 + self.ellipsis_cells) <= self.limit
    }

    /// Writes a piece of a text that [`Line::takes_as_it_stands`] allows.
    fn put_word(&mut self, word: &str) {
        if word.is_empty() {
            return;
        }
        if self.space {
            self.space = false;
            self.style_is(Role::Plain);
            self.out.push(' ');
            self.cells += 1;
        }
        self.style_is(self.role);
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

    fn put_space(&mut self) {
        if self.collapse {
            self.space |= self.cells > 0;
        } else if self.has_room(1) {
            self.style_is(self.role);
            self.out.push(' ');
            self.cells += 1;
        }
    }

    fn put(&mut self, grapheme: Grapheme<'_>) {
        if !self.has_room(usize::from(self.space) + grapheme.cells) {
            return;
        }
        if std::mem::take(&mut self.space) {
            // The space belongs to neither side: written plain, it carries no underline or background.
            self.style_is(Role::Plain);
            self.out.push(' ');
            self.cells += 1;
        }
        self.style_is(self.role);
        let (before, after) = self.dialect.no_cells();
        let mut joined = false;
        for character in grapheme.chars() {
            if character == JOINER && !joined {
                self.out.push_str(before);
                joined = true;
            }
            match escape(self.dialect, character) {
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

    /// Whether there is room for so many cells; if not, the line is cut and closed.
    fn has_room(&mut self, cells: usize) -> bool {
        if !self.full && self.cells.saturating_add(cells) > self.limit {
            self.overflow();
        }
        !self.full
    }

    /// Takes the line back to where the ellipsis fits, writes it, and closes the line.
    fn overflow(&mut self) {
        let cut = self.cut;
        self.out.truncate(cut.len);
        self.cells = cut.cells;
        self.written = cut.written;
        self.space = false;
        if self.cells + self.ellipsis_cells <= self.limit {
            self.out.push_str(self.ellipsis);
            self.cells += self.ellipsis_cells;
        }
        self.full = true;
    }

    fn style_is(&mut self, role: Role) {
        if !self.color || self.written == role {
            return;
        }
        if self.written.style() != role.style() {
            if self.written.style() != Style::new() {
                self.write_style(None);
            }
            if role.style() != Style::new() {
                self.write_style(Some(role.style()));
            }
        }
        self.written = role;
    }

    /// Writes a style, or the end of it, so that the reader of the dialect knows that it takes no cells.
    fn write_style(&mut self, style: Option<Style>) {
        let (before, after) = match self.dialect {
            Dialect::Plain => return,
            Dialect::Tmux => return self.write_tmux_style(style),
            dialect => dialect.no_cells(),
        };
        self.out.push_str(before);
        match style {
            // Writing to a string cannot fail.
            Some(style) => _ = write!(self.out, "{}", style.prefix()),
            None => self.out.push_str("\u{1b}[0m"),
        }
        self.out.push_str(after);
    }

    /// Styles of tmux(1), section STYLES: `default` is the style of the status line around us.
    fn write_tmux_style(&mut self, style: Option<Style>) {
        self.out.push_str("#[default");
        if let Some(style) = style {
            for (set, name) in [(style.is_bold, ",bold"), (style.is_dimmed, ",dim"), (style.is_reverse, ",reverse")] {
                if set {
                    self.out.push_str(name);
                }
            }
            if let Some(name) = style.foreground.and_then(tmux_color) {
                self.out.push_str(",fg=");
                self.out.push_str(name);
            }
        }
        self.out.push(']');
    }
}

/// The names that tmux has for the colours which the theme uses.
fn tmux_color(color: Color) -> Option<&'static str> {
    Some(match color {
        Color::Red => "red",
        Color::Green => "green",
        Color::Yellow => "yellow",
        Color::Blue => "blue",
        Color::Magenta => "magenta",
        Color::Cyan => "cyan",
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(dialect: Dialect, text: &str) -> String {
        let mut line = Line::segment(dialect, true, Icons::Unicode, None);
        line.text(text);
        line.finish()
    }

    #[test]
    fn every_dialect_escapes_what_its_reader_would_act_on() {
        for (dialect, wanted) in [
            (Dialect::Plain, r"%n $(x) `x` \[ #{y} #[z]"),
            (Dialect::Zsh, r"%%n $%{%}(x) 'x' \%{%}[ #{y} #[z]"),
            (Dialect::Bash, "%n $\u{1}\u{2}(x) 'x' \\\u{1}\u{2}[ #{y} #[z]"),
            (Dialect::Fish, r"%n $(x) `x` \[ #{y} #[z]"),
            (Dialect::Tmux, r"%n $(x) `x` \[ ###[]{y} ###[][z]"),
            (Dialect::Starship, "%n $\u{1b}[25m(x) 'x' \\\u{1b}[25m[ #{y} #[z]"),
            (Dialect::Ansi, r"%n $(x) `x` \[ #{y} #[z]"),
        ] {
            assert_eq!(text(dialect, r"%n $(x) `x` \[ #{y} #[z]"), wanted, "{dialect:?}");
        }
    }

    #[test]
    fn literal_text_is_escaped_and_cleaned_too() {
        let mut line = Line::segment(Dialect::Zsh, true, Icons::Unicode, None);
        line.literal("100% \u{1b}[31m\n$x");
        assert_eq!(line.finish(), "100%% [31m $%{%}x");
    }

    #[test]
    fn no_control_character_gets_through_in_any_dialect() {
        let hostile: String = (0..0x2100).filter_map(char::from_u32).collect();
        for (name, dialect) in Dialect::ALL {
            let shown = text(dialect, &hostile).replace("\u{1b}[25m", "").replace("\u{1}\u{2}", "");
            assert!(!shown.chars().any(char::is_control), "{name}");
        }
    }

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
    fn colours_are_marked_as_taking_no_cells() {
        for (dialect, wanted) in [
            (Dialect::Plain, "a b"),
            (Dialect::Zsh, "%{\u{1b}[1;33m%}a%{\u{1b}[0m%} b"),
            (Dialect::Bash, "\u{1}\u{1b}[1;33m\u{2}a\u{1}\u{1b}[0m\u{2} b"),
            (Dialect::Fish, "\u{1b}[1;33ma\u{1b}[0m b"),
            (Dialect::Tmux, "#[default,bold,fg=yellow]a#[default] b"),
            (Dialect::Starship, "\u{1b}[1;33ma\u{1b}[0m b"),
            (Dialect::Ansi, "\u{1b}[1;33ma\u{1b}[0m b"),
        ] {
            let mut line = Line::segment(dialect, true, Icons::Unicode, None);
            line.role(Role::Waiting);
            line.text("a");
            line.role(Role::Dim);
            line.text("  ");
            line.literal(" ");
            line.role(Role::Plain);
            line.text("b");
            assert_eq!(line.cells(), 3);
            assert_eq!(line.finish(), wanted, "{dialect:?}");
        }
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
                let plain = out.replace("\u{1b}[1;36m", "").replace("\u{1b}[34m", "").replace("\u{1b}[0m", "");
                assert!(!plain.contains('\u{1b}'), "{plain:?}");
                assert!(width::cells(&plain) <= limit, "{plain:?} {limit}");
                assert_eq!(out.matches("\u{1b}[0m").count(), out.matches('\u{1b}').count() / 2, "{out:?}");
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
