//! How things look: colours by role, marks in three sets, and whether there is colour at all.
//!
//! Waiting, conflict and plain text differ in their mark first, and in brightness and in blue against yellow second;
//! never in red against green, which one man in twelve cannot tell apart.

use std::str::FromStr;

use nu_ansi_term::{Color, Style};

/// The role of a piece of text, which decides its style.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Role {
    /// Text without a style of its own.
    #[default]
    Plain,
    /// The name of a project.
    Project,
    /// The name of a branch or a worktree.
    Branch,
    /// A duration.
    Elapsed,
    /// The task of a session.
    Task,
    /// A session that works.
    Working,
    /// A session that waits for its user.
    Waiting,
    /// A session whose last turn failed, or a part of ait that does not work.
    Error,
    /// Two sessions in one tree.
    Conflict,
    /// Two sessions that wrote one file.
    Clobber,
    /// Less important text.
    Dim,
    /// A heading.
    Title,
    /// Something that is used up soon.
    Warning,
    /// Something that is nearly used up.
    Critical,
}

impl Role {
    /// The style of a role, in the sixteen colours that every terminal theme sets for itself.
    pub fn style(self) -> Style {
        let style = Style::new();
        match self {
            Role::Plain | Role::Task => style,
            Role::Project => style.fg(Color::Cyan).bold(),
            Role::Branch => style.fg(Color::Blue),
            Role::Elapsed | Role::Dim => style.dimmed(),
            Role::Working => style.fg(Color::Cyan),
            Role::Waiting => style.fg(Color::Yellow).bold(),
            Role::Error => style.fg(Color::Magenta).bold(),
            Role::Conflict => style.fg(Color::Magenta).bold(),
            Role::Clobber => style.fg(Color::Magenta).bold().reverse(),
            Role::Title => style.bold(),
            Role::Warning => style.fg(Color::Yellow),
            Role::Critical => style.fg(Color::Red).bold(),
        }
    }
}

/// The set of marks.
///
/// Every mark is one cell wide in all terminals: none is of ambiguous width or has an emoji form, save `⚠`, which
/// people know and whose text form is one cell.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Icons {
    /// Characters that common fonts have.
    #[default]
    Unicode,
    /// Characters of the fonts patched by the Nerd Fonts project.
    Nerd,
    /// ASCII marks.
    Ascii,
    /// ASCII marks, and `?` for everything outside ASCII in text from outside: the locale is not UTF-8. Not chosen by name.
    AsciiOnly,
}

/// The meaning of a mark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mark {
    /// Two sessions can hurt each other.
    Conflict,
    /// A session waits for its user.
    Waiting,
    /// A session works.
    Working,
    /// The last turn of a session failed.
    Error,
    /// Another session moved HEAD of this tree.
    Moved,
    /// The branch has commits that its upstream does not have.
    Ahead,
    /// The upstream has commits that the branch does not have.
    Behind,
    /// A filled cell of a bar.
    Bar,
    /// An empty cell of a bar.
    BarEmpty,
}

impl Mark {
    /// All, each with its name in the configuration file.
    pub const NAMES: [(&'static str, Mark); 9] = [
        ("conflict", Mark::Conflict),
        ("waiting", Mark::Waiting),
        ("working", Mark::Working),
        ("error", Mark::Error),
        ("moved", Mark::Moved),
        ("ahead", Mark::Ahead),
        ("behind", Mark::Behind),
        ("bar", Mark::Bar),
        ("bar_empty", Mark::BarEmpty),
    ];
}

impl Icons {
    fn pick<T>(self, unicode: T, nerd: T, ascii: T) -> T {
        match self {
            Icons::Unicode => unicode,
            Icons::Nerd => nerd,
            Icons::Ascii | Icons::AsciiOnly => ascii,
        }
    }

    /// A mark of this set.
    pub fn mark(self, mark: Mark) -> &'static str {
        match mark {
            Mark::Conflict => self.pick("⚠", "\u{f071}", "!"),
            Mark::Waiting => self.pick("◷", "\u{f017}", "?"),
            Mark::Working => self.pick("▸", "\u{f04b}", ">"),
            Mark::Error => self.pick("✗", "\u{f00d}", "x"),
            Mark::Moved => self.pick("↷", "\u{f064}", "^"),
            Mark::Ahead => self.pick("⇡", "⇡", "+"),
            Mark::Behind => self.pick("⇣", "⇣", "-"),
            Mark::Bar => self.pick("▰", "▰", "#"),
            Mark::BarEmpty => self.pick("▱", "▱", "-"),
        }
    }

    /// Between two parts of a line.
    pub fn arrow(self) -> &'static str {
        self.pick("›", "\u{e0b0}", ">")
    }

    /// Text was cut here.
    pub fn ellipsis(self) -> &'static str {
        self.pick("…", "…", "...")
    }
}

impl FromStr for Icons {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "unicode" => Ok(Icons::Unicode),
            "nerd" => Ok(Icons::Nerd),
            "ascii" => Ok(Icons::Ascii),
            _ => Err("expected unicode, nerd or ascii".to_owned()),
        }
    }
}

/// The value of `--color`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ColorChoice {
    /// Colour where it will be seen as colour.
    #[default]
    Auto,
    /// Colour in any case.
    Always,
    /// No colour in any case.
    Never,
}

impl FromStr for ColorChoice {
    type Err = String;

    fn from_str(name: &str) -> Result<Self, String> {
        match name {
            "auto" => Ok(ColorChoice::Auto),
            "always" => Ok(ColorChoice::Always),
            "never" => Ok(ColorChoice::Never),
            _ => Err("expected auto, always or never".to_owned()),
        }
    }
}

/// Whether there is colour: `--color` beats `NO_COLOR` beats `CLICOLOR_FORCE` beats what is at the other end.
///
/// `no_color` and `clicolor_force` are the values of the variables, `None` where unset or empty (<https://no-color.org>,
/// <https://bixense.com/clicolors>); `terminal` is whether colour would be seen (a prompt is always on a terminal,
/// whatever `ait`'s own output goes to).
pub fn use_color(choice: ColorChoice, no_color: Option<&str>, clicolor_force: Option<&str>, terminal: bool) -> bool {
    match choice {
        ColorChoice::Always => true,
        ColorChoice::Never => false,
        ColorChoice::Auto if no_color.is_some_and(|value| !value.is_empty()) => false,
        ColorChoice::Auto => clicolor_force.is_some_and(|value| !value.is_empty() && value != "0") || terminal,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::width;

    #[test]
    fn the_flag_beats_no_color_beats_force_beats_the_terminal() {
        use ColorChoice::{Always, Auto, Never};
        for (choice, no_color, force, terminal, wanted) in [
            (Always, Some("1"), None, false, true),
            (Never, None, Some("1"), true, false),
            (Auto, Some("1"), Some("1"), true, false),
            (Auto, Some(""), None, true, true),
            (Auto, None, Some("1"), false, true),
            (Auto, None, Some("0"), false, false),
            (Auto, None, Some("0"), true, true),
            (Auto, None, None, true, true),
            (Auto, None, None, false, false),
        ] {
            assert_eq!(use_color(choice, no_color, force, terminal), wanted, "{choice:?} {no_color:?} {force:?}");
        }
    }

    #[test]
    fn marks_differ_and_are_one_cell_wide() {
        for icons in [Icons::Unicode, Icons::Nerd, Icons::Ascii] {
            let marks = Mark::NAMES.map(|(_, mark)| icons.mark(mark));
            for (at, mark) in marks.iter().enumerate() {
                assert_eq!(width::cells(mark), 1, "{mark}");
                // In ASCII an empty cell of a bar is a minus, too: no other character is so much like nothing.
                assert!(!marks[..at].contains(mark) || (at == 8 && *mark == "-"), "{mark}");
                assert!(icons != Icons::Ascii || mark.is_ascii());
            }
        }
    }

    #[test]
    fn waiting_conflict_and_plain_differ_in_more_than_hue() {
        let (waiting, conflict, plain) = (Role::Waiting.style(), Role::Conflict.style(), Role::Plain.style());
        assert!(waiting.is_bold && conflict.is_bold && !plain.is_bold);
        assert_ne!(waiting.foreground, conflict.foreground);
        for role in [Role::Waiting, Role::Conflict, Role::Clobber, Role::Error, Role::Working] {
            assert!(!matches!(role.style().foreground, Some(Color::Red | Color::Green)), "{role:?}");
        }
    }
}
