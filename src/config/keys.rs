//! The keys of the configuration file: what each may hold, which variable of the environment goes before it, and its default.

use nu_ansi_term::Style;

use crate::error::{moves_cursor, nearest};
use crate::render::format::{self, Format, TOKENS, Token};
use crate::render::style::{self, Palette, STYLE_HELP};
use crate::render::theme::Mark;

use super::toml::Written;

/// A key of the configuration file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The set of icons.
    Icons,
    /// The palette.
    Palette,
    /// From which share on the used context is a warning, and critical.
    ContextThresholds,
    /// The same for each limit.
    LimitThresholds,
    /// The width of lists, in cells.
    ListsWidth,
    /// The format of the segment in shell prompts, in panes of tmux and in starship.
    PromptFormat,
    /// The most cells of that segment.
    PromptMaxWidth,
    /// The format of the summary in tmux.
    TmuxFormat,
    /// The most cells of that summary.
    TmuxMaxWidth,
    /// The format of Claude Code's status line.
    StatuslineFormat,
    /// The most cells of a line of the status line.
    StatuslineMaxWidth,
    /// Whether to notify when a session becomes blocked.
    Notify,
    /// The default of `ait guard`.
    Guard,
    /// How `ait report` groups.
    ReportBy,
    /// The days of `ait report`.
    ReportDays,
}

/// What a value must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A format.
    Format,
    /// One of these words.
    Choice(&'static [&'static str]),
    /// A whole number from 1 to the highest.
    Number(u16),
    /// `true` or `false`.
    Switch,
    /// Two percentages, the lower first.
    Percentages,
}

/// The definition of a key.
#[derive(Clone, Copy, Debug)]
pub struct Info {
    /// The key.
    pub key: Key,
    /// Its name, with that of its table.
    pub name: &'static str,
    /// What its value must be.
    pub kind: Kind,
    /// The variable of the environment that goes before the file.
    pub variable: Option<&'static str>,
    /// The default as text; empty if there is none.
    pub default: &'static str,
    /// What it is for.
    pub about: &'static str,
}

const fn info(
    key: Key,
    name: &'static str,
    kind: Kind,
    variable: Option<&'static str>,
    default: &'static str,
    about: &'static str,
) -> Info {
    Info { key, name, kind, variable, default, about }
}

/// The variable that names the palette.
pub(super) const PALETTE_VARIABLE: &str = "AIT_PALETTE";
/// The widest that a width may be set to.
const CELLS: Kind = Kind::Number(1000);

/// All keys, tables together.
pub const KEYS: [Info; 15] = {
    use Kind::{Choice, Number, Percentages, Switch};
    [
        info(
            Key::Icons,
            "icons",
            Choice(&["unicode", "nerd", "ascii"]),
            Some("AIT_ICONS"),
            "",
            "unicode, nerd or ascii (default: what the locale and the terminal can show)",
        ),
        info(
            Key::Palette,
            "palette",
            Choice(&Palette::NAMES),
            Some(PALETTE_VARIABLE),
            "default",
            "two are for colour-blind users",
        ),
        info(Key::Guard, "guard", Choice(&["off", "tell", "ask", "deny"]), None, "tell", "see: ait guard --help"),
        info(Key::Notify, "notify", Switch, None, "false", "notify you when a session becomes blocked"),
        info(
            Key::PromptFormat,
            "prompt.format",
            Kind::Format,
            Some("AIT_FORMAT"),
            format::PROMPT,
            "shell prompts, starship, panes of tmux",
        ),
        info(Key::PromptMaxWidth, "prompt.max_width", CELLS, None, "", "most cells of that segment"),
        info(Key::TmuxFormat, "tmux.format", Kind::Format, None, format::ALL_SESSIONS, "the summary in tmux"),
        info(Key::TmuxMaxWidth, "tmux.max_width", CELLS, None, "", "most cells of the summary"),
        info(
            Key::StatuslineFormat,
            "statusline.format",
            Kind::Format,
            Some("AIT_STATUSLINE_FORMAT"),
            format::STATUS_LINE,
            "Claude Code's status line",
        ),
        info(Key::StatuslineMaxWidth, "statusline.max_width", CELLS, None, "", "most cells of each of its lines"),
        info(
            Key::ContextThresholds,
            "thresholds.context",
            Percentages,
            None,
            "[70, 90]",
            "used context that is yellow, and red",
        ),
        info(Key::LimitThresholds, "thresholds.limits", Percentages, None, "[70, 90]", "the same for each limit"),
        info(Key::ListsWidth, "lists.width", CELLS, Some("AIT_WIDTH"), "", "width of lists (default: the terminal's)"),
        info(
            Key::ReportBy,
            "report.by",
            Choice(&["project", "day", "branch", "task"]),
            None,
            "project",
            "how ait report groups",
        ),
        info(Key::ReportDays, "report.days", Number(366), None, "1", "days of ait report, ending today"),
    ]
};

/// A value that is fit for its key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Value {
    Text(String),
    Number(usize),
    Switch(bool),
    Percentages(u16, u16),
}

/// Why a value or a key is not accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) why: String,
    pub(super) hint: Option<String>,
    /// In a text: where the mistake is, in characters from 0.
    pub(super) within: Option<usize>,
}

impl Refusal {
    fn new(why: impl Into<String>) -> Refusal {
        Refusal { why: why.into(), hint: None, within: None }
    }
}

/// Finds a key by its name.
pub(super) fn find(name: &str) -> Result<&'static Info, Refusal> {
    KEYS.iter().find(|info| info.name == name).ok_or_else(|| {
        let last = name.rsplit('.').next().unwrap_or_default();
        let hint = match nearest(name, KEYS.iter().map(|info| info.name)) {
            _ if KEYS.iter().any(|info| info.name == last) => format!("write `{last}` above the first [table]"),
            Some(near) => format!("did you mean `{near}`?"),
            None => "ait config lists the keys".to_owned(),
        };
        Refusal { hint: Some(hint), ..Refusal::new("no such key") }
    })
}

/// The token whose style a key sets: `style.branch`.
pub(super) fn styled_token(name: &str) -> Option<Result<Token, Refusal>> {
    let name = name.strip_prefix("style.")?;
    let token = TOKENS.iter().find(|(known, ..)| *known == name).map(|(_, token, _)| *token);
    Some(token.ok_or_else(|| {
        let near = nearest(name, TOKENS.iter().map(|(known, ..)| *known));
        Refusal { hint: near.map(|near| format!("did you mean `{near}`?")), ..Refusal::new("no such token") }
    }))
}

/// The most characters of a mark.
const MAX_MARK: usize = 4;

/// The mark that a key sets: `icon.waiting`.
pub(super) fn mark(name: &str) -> Option<Result<Mark, Refusal>> {
    let name = name.strip_prefix("icon.")?;
    let mark = Mark::NAMES.iter().find(|(known, _)| *known == name).map(|(_, mark)| *mark);
    Some(mark.ok_or_else(|| {
        let names = Mark::NAMES.map(|(name, _)| name).join(", ");
        Refusal { hint: Some(format!("one of {names}")), ..Refusal::new("no such icon") }
    }))
}

/// Reads the text of a mark.
pub(super) fn mark_text(written: &Written) -> Result<String, Refusal> {
    match written {
        Written::Text(text) if (1..=MAX_MARK).contains(&text.chars().count()) && !text.contains(moves_cursor) => {
            Ok(text.clone())
        }
        _ => Err(Refusal::new(format!("expected a text of 1 to {MAX_MARK} visible characters in quotes"))),
    }
}

/// Reads the style of a token.
pub(super) fn style(written: &Written) -> Result<Style, Refusal> {
    let refused = |why: String| Refusal { hint: Some(STYLE_HELP.to_owned()), ..Refusal::new(why) };
    match written {
        Written::Text(text) => style::parse(text).map_err(|word| refused(format!("`{word}` is not a style"))),
        _ => Err(refused("expected a text in quotes".to_owned())),
    }
}

impl Kind {
    /// What a value must be, for a message.
    fn expected(self) -> String {
        match self {
            Kind::Format => "expected a format in quotes".to_owned(),
            Kind::Choice(words) => match words.split_last() {
                Some((last, [])) => format!("expected \"{last}\""),
                Some((last, rest)) => format!("expected \"{}\" or \"{last}\"", rest.join("\", \"")),
                None => String::new(),
            },
            Kind::Number(most) => format!("expected a whole number from 1 to {most}"),
            Kind::Switch => "expected true or false".to_owned(),
            Kind::Percentages => "expected two percentages, the lower first, as in [70, 90]".to_owned(),
        }
    }

    /// Reads a value, or says what it must be.
    pub(super) fn read(self, written: &Written) -> Result<Value, Refusal> {
        match (self, written) {
            (Kind::Format, Written::Text(text)) => match Format::parse(text) {
                Ok(_) => Ok(Value::Text(text.clone())),
                Err(mistake) => {
                    Err(Refusal { why: mistake.what, hint: mistake.hint, within: Some(mistake.column - 1) })
                }
            },
            (Kind::Choice(words), Written::Text(text)) if words.contains(&text.as_str()) => {
                Ok(Value::Text(text.clone()))
            }
            (Kind::Number(most), Written::Number(number @ 1..)) if *number <= u64::from(most) => {
                Ok(Value::Number(usize::try_from(*number).unwrap_or(usize::MAX)))
            }
            (Kind::Switch, Written::Switch(on)) => Ok(Value::Switch(*on)),
            (Kind::Percentages, Written::Numbers(numbers)) => match numbers[..] {
                [low, high] if low <= high && high <= 999 => {
                    Ok(Value::Percentages(u16::try_from(low).unwrap_or(0), u16::try_from(high).unwrap_or(0)))
                }
                _ => Err(Refusal::new(self.expected())),
            },
            _ => Err(Refusal::new(self.expected())),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_is_in_the_table_once_and_every_default_is_fit_for_its_key() {
        for (at, info) in KEYS.iter().enumerate() {
            assert!(!KEYS[..at].iter().any(|other| other.key == info.key || other.name == info.name), "{}", info.name);
            let written = match (info.kind, info.default) {
                (_, "") => continue,
                (Kind::Number(_), number) => Written::Number(number.parse().unwrap()),
                (Kind::Percentages, "[70, 90]") => Written::Numbers(vec![70, 90]),
                (Kind::Switch, word) => Written::Switch(word.parse().unwrap()),
                (_, text) => Written::Text(text.to_owned()),
            };
            assert!(info.kind.read(&written).is_ok(), "{}", info.name);
        }
    }

    #[test]
    fn a_wrong_value_is_told_what_is_allowed() {
        for (kind, written, why) in [
            (Kind::Choice(&["a", "b", "c"]), Written::Text("d".into()), "expected \"a\", \"b\" or \"c\""),
            (Kind::Number(9), Written::Number(10), "expected a whole number from 1 to 9"),
            (Kind::Number(9), Written::Number(0), "expected a whole number from 1 to 9"),
            (Kind::Number(9), Written::Text("1".into()), "expected a whole number from 1 to 9"),
            (Kind::Switch, Written::Number(1), "expected true or false"),
            (Kind::Format, Written::Number(1), "expected a format in quotes"),
        ] {
            assert_eq!(kind.read(&written), Err(Refusal::new(why)));
        }
    }
}
