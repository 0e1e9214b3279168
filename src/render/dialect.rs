//! The dialects that a segment is written in: what each reader would act on, and how each is told a style.
//!
//! [`super::line::Line`] writes all text through this file, so text from outside is escaped exactly once. Architecture
//! tests keep escape sequences out of every other file.
//!
//! What each dialect needs, as found with zsh 5.9, bash 5.2, fish 3.6, nushell 0.115, elvish 0.19, xonsh 0.25 and tmux 3.3a
//! (`tests/it/escapes.rs` shows it):
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
//! - nushell shows what a prompt closure returns, and ignores colours when it computes the width.
//! - elvish reads colours out of what a prompt prints. It does not know the codes that end bold, faint and reverse, so a
//!   style is ended by a full reset. The rest of the prompt has styles of its own, which that does not touch.
//! - xonsh reads the value of a prompt field once more for the names of colours in braces. A doubled brace is a brace. It
//!   counts four cells for a flag, which takes two, so a flag is written as the two letters that it consists of.
//! - tmux expands the output of `#()` once more as a format (without running `#()` in it, and without `strftime`), then
//!   reads styles, halving runs of `#` in both steps but not before `[`. So each `#` is followed by an empty style.
//! - starship escapes the output of a custom module for the shell itself, since 1.20 (GHSA-vx24-x4mv-vwr5). Before, bash
//!   ran what it found there: a colour code that changes nothing (25: not blinking) after `$` and `\` keeps these harmless
//!   there too.

use std::fmt::Write as _;
use std::str::FromStr;

use nu_ansi_term::Style;

use super::style::{self, Palette};
use super::theme::{Icons, Role};
use super::width::Counting;

/// The shell or program that reads a segment.
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
    /// The result of a prompt closure of nushell.
    Nushell,
    /// The output of a prompt function of elvish.
    Elvish,
    /// The value of a field of `$PROMPT_FIELDS` of xonsh.
    Xonsh,
    /// The output of `#()` in a status line of tmux.
    Tmux,
    /// The output of a custom module of starship.
    Starship,
    /// A terminal.
    Ansi,
}

impl Dialect {
    /// All dialects, by name.
    pub const ALL: [(&'static str, Dialect); 10] = [
        ("zsh", Dialect::Zsh),
        ("bash", Dialect::Bash),
        ("fish", Dialect::Fish),
        ("nushell", Dialect::Nushell),
        ("elvish", Dialect::Elvish),
        ("xonsh", Dialect::Xonsh),
        ("tmux", Dialect::Tmux),
        ("starship", Dialect::Starship),
        ("ansi", Dialect::Ansi),
        ("plain", Dialect::Plain),
    ];

    /// Whether the reader of this dialect shows colour, whatever the output of `ait` itself goes to.
    pub fn has_color(self) -> bool {
        self != Dialect::Plain
    }

    /// The escape of a character; `None` if the reader shows it unchanged.
    pub(super) fn escape(self, character: char) -> Option<&'static str> {
        match (self, character) {
            (Dialect::Zsh, '%') => Some("%%"),
            (Dialect::Zsh, '$') => Some("$%{%}"),
            (Dialect::Zsh, '\\') => Some("\\%{%}"),
            (Dialect::Zsh | Dialect::Bash | Dialect::Starship, '`') => Some("'"),
            (Dialect::Bash, '\\') => Some("\\\u{1}\u{2}"),
            (Dialect::Bash, '$') => Some("$\u{1}\u{2}"),
            (Dialect::Xonsh, '{') => Some("{{"),
            (Dialect::Xonsh, '}') => Some("}}"),
            (Dialect::Xonsh, '\u{1F1E6}'..='\u{1F1FF}') => {
                let at = (character as usize).checked_sub(0x1F1E6)?;
                "ABCDEFGHIJKLMNOPQRSTUVWXYZ".get(at..=at)
            }
            (Dialect::Tmux, '#') => Some("###[]"),
            (Dialect::Starship, '$') => Some("$\u{1b}[25m"),
            // starship escapes each backslash, and bash then reads two of them as one.
            (Dialect::Starship, '\\') => Some("\\\u{1b}[25m"),
            _ => None,
        }
    }

    /// Whether [`Dialect::escape`] replaces any character.
    pub(super) fn has_escapes(self) -> bool {
        matches!(self, Dialect::Zsh | Dialect::Bash | Dialect::Xonsh | Dialect::Tmux | Dialect::Starship)
    }

    /// What to write before and after text so that the reader counts no cells for it.
    pub(super) fn without_cells(self) -> (&'static str, &'static str) {
        match self {
            Dialect::Zsh => ("%{", "%}"),
            Dialect::Bash => ("\u{1}", "\u{2}"),
            _ => ("", ""),
        }
    }

    /// How the reader knows the width of text. fish, elvish, xonsh, and the shell behind starship, count characters and
    /// cannot be told otherwise.
    pub(super) fn counting(self) -> Counting {
        match self {
            Dialect::Fish | Dialect::Starship => Counting::Characters,
            Dialect::Elvish => Counting::Unicode5,
            Dialect::Xonsh => Counting::Letters,
            _ => Counting::Graphemes,
        }
    }

    /// The icons to use if nothing else is asked for. `locale` is the value of the variable that names the locale of
    /// characters, if one is set; a `dumb` terminal shows text and nothing else.
    pub fn default_icons(self, locale: Option<&str>, dumb: bool) -> Icons {
        let is_utf8 = match locale {
            Some(locale) => {
                let locale = locale.to_ascii_lowercase();
                locale.contains("utf-8") || locale.contains("utf8")
            }
            // zsh and bash are in the C locale then, and count bytes. Other readers may be started without a locale and
            // still show UTF-8: a status line by Claude Code, for example.
            None => !matches!(self, Dialect::Zsh | Dialect::Bash),
        };
        match (is_utf8, dumb) {
            (false, _) => Icons::AsciiOnly,
            (true, true) => Icons::Ascii,
            (true, false) => Icons::Unicode,
        }
    }

    /// The style of a role for this reader. In tmux there are no colours: ait does not know the background, which is green by
    /// default.
    pub(super) fn style_of(self, role: Role, palette: Palette) -> Style {
        let style = palette.style(role);
        match self {
            Dialect::Tmux if role == Role::Waiting => Style { foreground: None, is_reverse: true, ..style },
            Dialect::Tmux => Style { foreground: None, is_dimmed: false, ..style },
            _ => style,
        }
    }

    /// Begins a style.
    pub(super) fn open_style(self, out: &mut String, style: Style) {
        match self {
            Dialect::Plain => {}
            Dialect::Tmux => write_tmux_style(out, style, true),
            Dialect::Zsh => write_zsh_style(out, style, true),
            _ if style.is_plain() => {}
            _ => {
                let (before, after) = self.without_cells();
                // Writing to a string cannot fail.
                let _ = write!(out, "{before}{}{after}", style.prefix());
            }
        }
    }

    /// Ends a style. What surrounds the segment keeps its own style as far as possible, above all its background, which a
    /// full reset would end.
    pub(super) fn close_style(self, out: &mut String, style: Style) {
        match self {
            Dialect::Plain => {}
            Dialect::Tmux => write_tmux_style(out, style, false),
            Dialect::Zsh => write_zsh_style(out, style, false),
            _ if style.is_plain() => {}
            Dialect::Elvish => out.push_str("\u{1b}[0m"),
            _ => {
                let (before, after) = self.without_cells();
                out.push_str(before);
                let mut separator = "\u{1b}[";
                for (used, code) in [
                    (style.is_bold || style.is_dimmed, "22"),
                    (style.is_italic, "23"),
                    (style.is_underline, "24"),
                    (style.is_reverse, "27"),
                    (style.foreground.is_some(), "39"),
                    (style.background.is_some(), "49"),
                ] {
                    if used {
                        out.push_str(separator);
                        out.push_str(code);
                        separator = ";";
                    }
                }
                out.push('m');
                out.push_str(after);
            }
        }
    }
}

impl FromStr for Dialect {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        let found = Dialect::ALL.into_iter().find(|(known, _)| *known == name);
        found.map(|(_, dialect)| dialect).ok_or_else(|| {
            let known = Dialect::ALL.map(|(known, _)| known).join(", ");
            format!("expected one of: {known}")
        })
    }
}

/// A segment with its escapes in readable form, to show on a terminal what a dialect looks like.
pub(crate) fn with_escapes_shown(segment: &str) -> String {
    segment.replace('\u{1b}', "\\e")
}

/// Begins or ends a style in zsh. zsh knows about bold and colours that are set this way (zshmisc(1), VISUAL EFFECTS): when
/// it ends them, it restores what the rest of the prompt has set. It has no form for faint and none for reverse that works
/// everywhere.
fn write_zsh_style(out: &mut String, style: Style, begin: bool) {
    for (used, on, off) in [
        (style.is_bold, "%B", "%b"),
        (style.is_underline, "%U", "%u"),
        (style.is_dimmed, "%{\u{1b}[2m%}", "%{\u{1b}[22m%}"),
        (style.is_italic, "%{\u{1b}[3m%}", "%{\u{1b}[23m%}"),
        (style.is_reverse, "%{\u{1b}[7m%}", "%{\u{1b}[27m%}"),
    ] {
        if used {
            out.push_str(if begin { on } else { off });
        }
    }
    for (color, on, off) in [(style.foreground, "%F{", "%f"), (style.background, "%K{", "%k")] {
        let Some(color) = color else { continue };
        if begin {
            out.extend([on, &style::name_of(color, None, ""), "}"]);
        } else {
            out.push_str(off);
        }
    }
}

/// Begins or ends a style in tmux (tmux(1), STYLES). `default` is the colour of what surrounds the segment.
fn write_tmux_style(out: &mut String, style: Style, begin: bool) {
    let mut separator = "#[";
    let mut write = |parts: [&str; 2]| {
        out.push_str(separator);
        out.extend(parts);
        separator = ",";
    };
    let prefix = if begin { "" } else { "no" };
    for (used, name) in [
        (style.is_bold, "bold"),
        (style.is_dimmed, "dim"),
        (style.is_italic, "italics"),
        (style.is_underline, "underscore"),
        (style.is_reverse, "reverse"),
    ] {
        if used {
            write([prefix, name]);
        }
    }
    for (color, name) in [(style.foreground, "fg="), (style.background, "bg=")] {
        if let Some(color) = color {
            let color = if begin { style::name_of(color, Some("bright"), "colour") } else { "default".to_owned() };
            write([name, &color]);
        }
    }
    if separator == "," {
        out.push(']');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::line::Line;

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
            (Dialect::Nushell, r"%n $(x) `x` \[ #{y} #[z]"),
            (Dialect::Elvish, r"%n $(x) `x` \[ #{y} #[z]"),
            (Dialect::Xonsh, r"%n $(x) `x` \[ #{{y}} #[z]"),
            (Dialect::Tmux, r"%n $(x) `x` \[ ###[]{y} ###[][z]"),
            (Dialect::Starship, "%n $\u{1b}[25m(x) 'x' \\\u{1b}[25m[ #{y} #[z]"),
            (Dialect::Ansi, r"%n $(x) `x` \[ #{y} #[z]"),
        ] {
            assert_eq!(text(dialect, r"%n $(x) `x` \[ #{y} #[z]"), wanted, "{dialect:?}");
        }
    }

    #[test]
    fn a_flag_is_two_letters_in_xonsh() {
        assert_eq!(text(Dialect::Xonsh, "🇩🇪 🇦🇿"), "DE AZ");
        assert_eq!(text(Dialect::Ansi, "🇩🇪"), "🇩🇪");
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
    fn icons_are_ascii_without_a_utf8_locale_and_on_a_dumb_terminal() {
        use Icons::{Ascii, AsciiOnly, Unicode};
        for (dialect, locale, dumb, wanted) in [
            (Dialect::Zsh, Some("en_US.UTF-8"), false, Unicode),
            (Dialect::Zsh, Some("C.utf8"), false, Unicode),
            // The value on macOS.
            (Dialect::Zsh, Some("UTF-8"), false, Unicode),
            (Dialect::Zsh, Some("C"), false, AsciiOnly),
            (Dialect::Plain, Some("POSIX"), false, AsciiOnly),
            (Dialect::Ansi, Some("de_DE.ISO-8859-1"), true, AsciiOnly),
            (Dialect::Ansi, Some("C.UTF-8"), true, Ascii),
            (Dialect::Bash, None, false, AsciiOnly),
            (Dialect::Plain, None, false, Unicode),
            (Dialect::Plain, None, true, Ascii),
        ] {
            assert_eq!(dialect.default_icons(locale, dumb), wanted, "{dialect:?} {locale:?} {dumb}");
        }
    }

    #[test]
    fn styles_take_no_cells_and_end_without_ending_the_background() {
        for (dialect, wanted) in [
            (Dialect::Plain, "a b"),
            (Dialect::Zsh, "%B%F{yellow}a%b%f b"),
            (Dialect::Bash, "\u{1}\u{1b}[1;33m\u{2}a\u{1}\u{1b}[22;39m\u{2} b"),
            (Dialect::Fish, "\u{1b}[1;33ma\u{1b}[22;39m b"),
            (Dialect::Nushell, "\u{1b}[1;33ma\u{1b}[22;39m b"),
            (Dialect::Elvish, "\u{1b}[1;33ma\u{1b}[0m b"),
            (Dialect::Xonsh, "\u{1b}[1;33ma\u{1b}[22;39m b"),
            (Dialect::Tmux, "#[bold,reverse]a#[nobold,noreverse] b"),
            (Dialect::Starship, "\u{1b}[1;33ma\u{1b}[22;39m b"),
            (Dialect::Ansi, "\u{1b}[1;33ma\u{1b}[22;39m b"),
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
    fn every_style_is_ended_by_its_own_codes() {
        for (dialect, role, wanted) in [
            (Dialect::Ansi, Role::Branch, "\u{1b}[34mx\u{1b}[39m"),
            (Dialect::Ansi, Role::Dim, "\u{1b}[2mx\u{1b}[22m"),
            (Dialect::Ansi, Role::Clobber, "\u{1b}[1;7;35mx\u{1b}[22;27;39m"),
            (Dialect::Ansi, Role::Task, "x"),
            (Dialect::Zsh, Role::Dim, "%{\u{1b}[2m%}x%{\u{1b}[22m%}"),
            (Dialect::Zsh, Role::Clobber, "%B%{\u{1b}[7m%}%F{magenta}x%b%{\u{1b}[27m%}%f"),
            (Dialect::Tmux, Role::Branch, "x"),
            (Dialect::Tmux, Role::Project, "#[bold]x#[nobold]"),
            (Dialect::Tmux, Role::Clobber, "#[bold,reverse]x#[nobold,noreverse]"),
        ] {
            let mut line = Line::segment(dialect, true, Icons::Unicode, None);
            line.role(role);
            line.text("x");
            assert_eq!(line.finish(), wanted, "{dialect:?} {role:?}");
        }
    }
}
