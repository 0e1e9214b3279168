//! The dialects that a segment is written in: what each reader would act on, and how each is told a style.
//!
//! [`super::line::Line`] writes all text through this file, so text from outside is escaped exactly once. Architecture
//! tests keep escape sequences out of every other file.
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

use std::fmt::Write as _;
use std::str::FromStr;

use nu_ansi_term::{Color, Style};

use super::theme::Role;
use super::width::Joined;

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

    /// Whether the reader of this dialect shows colour, whatever the output of `ait` itself goes to.
    pub fn has_color(self) -> bool {
        self != Dialect::Plain
    }

    /// What to write instead of a character; `None` if the reader shows it as it is.
    pub(super) fn escape(self, character: char) -> Option<&'static str> {
        match (self, character) {
            (Dialect::Zsh, '%') => Some("%%"),
            (Dialect::Zsh, '$') => Some("$%{%}"),
            (Dialect::Zsh, '\\') => Some("\\%{%}"),
            (Dialect::Zsh | Dialect::Bash | Dialect::Starship, '`') => Some("'"),
            (Dialect::Bash, '\\') => Some("\\\u{1}\u{2}"),
            (Dialect::Bash, '$') => Some("$\u{1}\u{2}"),
            (Dialect::Tmux, '#') => Some("###[]"),
            (Dialect::Starship, '$') => Some("$\u{1b}[25m"),
            // starship escapes each backslash, and bash then reads two of them as one.
            (Dialect::Starship, '\\') => Some("\\\u{1b}[25m"),
            _ => None,
        }
    }

    /// Whether [`Dialect::escape`] replaces any character.
    pub(super) fn has_escapes(self) -> bool {
        !matches!(self, Dialect::Plain | Dialect::Ansi | Dialect::Fish)
    }

    /// What to write before and after text so that the reader counts no cells for it.
    pub(super) fn without_cells(self) -> (&'static str, &'static str) {
        match self {
            Dialect::Zsh => ("%{", "%}"),
            Dialect::Bash => ("\u{1}", "\u{2}"),
            _ => ("", ""),
        }
    }

    /// How to write a joined emoji. fish, and the shell behind starship, count each of its parts and cannot be told
    /// otherwise.
    pub(super) fn joined(self) -> Joined {
        match self {
            Dialect::Fish | Dialect::Starship => Joined::Apart,
            _ => Joined::Whole,
        }
    }

    /// Begins the style of a role.
    pub(super) fn open_style(self, out: &mut String, role: Role) {
        if role.style() != Style::new() {
            self.write_style(out, Some(role.style()));
        }
    }

    /// Ends the style of a role.
    pub(super) fn close_style(self, out: &mut String, role: Role) {
        if role.style() != Style::new() {
            self.write_style(out, None);
        }
    }

    fn write_style(self, out: &mut String, style: Option<Style>) {
        let (before, after) = match self {
            Dialect::Plain => return,
            Dialect::Tmux => return write_tmux_style(out, style),
            dialect => dialect.without_cells(),
        };
        out.push_str(before);
        match style {
            // Writing to a string cannot fail.
            Some(style) => _ = write!(out, "{}", style.prefix()),
            None => out.push_str("\u{1b}[0m"),
        }
        out.push_str(after);
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

/// A segment with its escapes in readable form, to show on a terminal what a dialect looks like.
pub(crate) fn with_escapes_shown(segment: &str) -> String {
    segment.replace('\u{1b}', "\\e")
}

/// Styles of tmux(1), section STYLES: `default` is the style of the status line around us.
fn write_tmux_style(out: &mut String, style: Option<Style>) {
    out.push_str("#[default");
    if let Some(style) = style {
        for (set, name) in [(style.is_bold, ",bold"), (style.is_dimmed, ",dim"), (style.is_reverse, ",reverse")] {
            if set {
                out.push_str(name);
            }
        }
        if let Some(name) = style.foreground.and_then(tmux_color) {
            out.push_str(",fg=");
            out.push_str(name);
        }
    }
    out.push(']');
}

/// The names in tmux of the colours that the theme uses.
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
    use crate::render::line::Line;
    use crate::render::theme::Icons;

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
}
