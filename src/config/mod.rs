//! The user's settings: options of the command line go before variables of the environment, these before the configuration
//! file, and that before the defaults.
//!
//! The file is `$AIT_CONFIG`, else `$XDG_CONFIG_HOME/ait/config.toml`, else `~/.config/ait/config.toml`. It need not exist.
//! A mistake in it costs the value of that key, which is then the default, and never a prompt.

mod edit;
mod keys;
mod toml;

use std::fmt;
use std::path::{Path, PathBuf};

use serde::Serialize;

use crate::error::{Error, on_one_line};
use crate::render::style::{Palette, THRESHOLDS, Theme};
use crate::session::order::sort_by;
use crate::sys::env;
use crate::sys::files::{self, Links};

pub use self::keys::{Info, KEYS, Key, Kind};
use self::keys::{PALETTE_VARIABLE, Refusal, Value};
use self::toml::{Entry, Written};

/// A larger file is not read, in bytes.
pub const MAX_FILE: usize = 64 * 1024;

/// The variable that names the file.
pub const VARIABLE: &str = "AIT_CONFIG";

/// The configuration file, read.
#[derive(Clone, Debug, Default)]
pub struct Config {
    /// Its path; `None` without a home folder.
    pub path: Option<PathBuf>,
    /// Whether it exists.
    pub exists: bool,
    /// The colours, of the file and of `AIT_PALETTE`.
    pub theme: Theme,
    /// Whether the file or that variable may set colours.
    pub has_theme: bool,
    /// The styles of tokens and the marks that the file sets.
    pub look: Vec<LookSetting>,
    settings: Vec<Setting>,
    mistakes: Vec<Mistake>,
}

/// The style of a token or a mark, as the file sets it.
#[derive(Clone, Debug)]
pub struct LookSetting {
    /// Its key: `style.branch`, `icon.waiting`.
    pub name: String,
    /// Its value as it is written.
    pub value: String,
    /// The line, from 1.
    pub line: usize,
}

#[derive(Clone, Debug)]
struct Setting {
    key: Key,
    line: usize,
    value: Value,
}

/// A mistake in the file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mistake {
    /// The line, from 1; `None` if the file cannot be read.
    pub line: Option<usize>,
    /// The column in characters, from 1; `None` if the file cannot be read.
    pub column: Option<usize>,
    /// The key, if it could be read.
    pub key: Option<String>,
    /// The mistake, and the allowed values.
    pub what: String,
}

impl Mistake {
    fn at((line, column): (usize, usize), key: Option<String>, what: String) -> Mistake {
        Mistake { line: Some(line), column: Some(column), key, what }
    }
}

impl fmt::Display for Mistake {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let (Some(line), Some(column)) = (self.line, self.column) {
            write!(f, "line {line}, column {column}: ")?;
        }
        if let Some(key) = &self.key {
            write!(f, "{}: ", on_one_line(key))?;
        }
        f.write_str(&on_one_line(&self.what))
    }
}

/// Where a value comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Source {
    /// This variable of the environment.
    Variable(&'static str),
    /// This line of the file.
    Line(usize),
    /// Nobody has set it.
    Default,
}

/// The path of the file.
pub fn path() -> Option<PathBuf> {
    env::path(VARIABLE).or_else(|| Some(env::config_home()?.join("ait/config.toml")))
}

impl Config {
    /// Reads the file. If it does not exist, this costs one failed attempt to open it.
    pub fn read() -> Config {
        let Some(path) = path() else { return Config::default() };
        let read = files::read_start(&path, Links::Follow, MAX_FILE + 1);
        let mut config = Config { exists: read.is_ok(), path: Some(path), ..Config::default() };
        match read {
            Ok(bytes) if bytes.len() > MAX_FILE => config.refuse(format!("larger than {} KiB", MAX_FILE / 1024)),
            Ok(bytes) => match std::str::from_utf8(&bytes) {
                Ok(text) => config.take(text),
                Err(why) => {
                    let good = bytes.get(..why.valid_up_to()).unwrap_or_default();
                    let position = position(&String::from_utf8_lossy(good), good.len());
                    config.mistakes.push(Mistake::at(position, None, "not UTF-8".to_owned()));
                }
            },
            Err(why) if why.kind() == std::io::ErrorKind::NotFound => {
                // One that is named must exist.
                if env::var(VARIABLE).is_some() {
                    config.refuse("the file does not exist".to_owned());
                }
            }
            Err(why) => config.refuse(why.to_string()),
        }
        config.has_theme = config.exists;
        config.take_variable();
        config
    }

    /// Lets the variable of the palette go before the file.
    fn take_variable(&mut self) {
        let Some(name) = env::text(PALETTE_VARIABLE) else { return };
        self.has_theme = true;
        let palette = Palette::parse(&name);
        self.theme.palette = palette.unwrap_or_default();
        if palette.is_none() {
            let what = format!("expected {}", Palette::NAMES.join(", "));
            self.mistakes.push(Mistake { line: None, column: None, key: Some(PALETTE_VARIABLE.to_owned()), what });
        }
    }

    /// The settings in the text of a file.
    pub fn parse(text: &str) -> Config {
        let mut config = Config { exists: true, ..Config::default() };
        config.take(text);
        config
    }

    fn refuse(&mut self, what: String) {
        self.mistakes.push(Mistake { line: None, column: None, key: None, what });
    }

    fn take(&mut self, text: &str) {
        let (entries, errors) = toml::parse(text);
        let mut errors = errors.into_iter().map(|error| (error.at, None, error.what)).collect::<Vec<_>>();
        // Entries are in the order of the file, so each counts only the lines since the one before.
        let (mut counted, mut line) = (0, 1);
        for entry in entries {
            line += text.get(counted..entry.at).unwrap_or_default().matches('\n').count();
            counted = entry.at;
            match self.take_look(&entry) {
                None => {}
                Some(Ok(())) => {
                    let Written::Text(value) = entry.value else { continue };
                    self.look.push(LookSetting { name: entry.key, value, line });
                    continue;
                }
                Some(Err((at, refusal))) => {
                    errors.push((at, Some(entry.key), with_hint(refusal)));
                    continue;
                }
            }
            let info = match keys::find(&entry.key) {
                Ok(info) => info,
                Err(refusal) => {
                    errors.push((entry.at, Some(entry.key), with_hint(refusal)));
                    continue;
                }
            };
            if self.settings.iter().any(|setting| setting.key == info.key) {
                errors.push((entry.at, Some(entry.key), "set a second time; the first one counts".to_owned()));
                continue;
            }
            match info.kind.read(&entry.value) {
                Ok(value) => {
                    self.settings.push(Setting { key: info.key, line, value });
                }
                Err(refusal) => {
                    let content = entry.text_at.zip(refusal.within).and_then(|(start, characters)| {
                        let rest = text.get(start..)?;
                        Some(start + rest.char_indices().nth(characters).map_or(rest.len(), |(at, _)| at))
                    });
                    errors.push((content.unwrap_or(entry.value_at), Some(entry.key), with_hint(refusal)));
                }
            }
        }
        self.set_theme();
        sort_by(&mut errors, |one, other| one.0.cmp(&other.0));
        self.mistakes.extend(errors.into_iter().map(|(at, key, what)| Mistake::at(position(text, at), key, what)));
    }

    /// Takes the style of a token or a mark; `None` for any other key, a position and the reason for a mistake.
    fn take_look(&mut self, entry: &Entry) -> Option<Result<(), (usize, Refusal)>> {
        let at_key = |refusal| (entry.at, refusal);
        let at_value = |refusal| (entry.value_at, refusal);
        if let Some(token) = keys::styled_token(&entry.key) {
            let style =
                token.map_err(at_key).and_then(|token| Ok((token, keys::style(&entry.value).map_err(at_value)?)));
            return Some(style.map(|style| self.theme.styles.push(style)));
        }
        let mark = keys::mark(&entry.key)?.map_err(at_key);
        let mark = mark.and_then(|mark| Ok((mark, keys::mark_text(&entry.value).map_err(at_value)?)));
        Some(mark.map(|mark| self.theme.marks.push(mark)))
    }

    fn set_theme(&mut self) {
        let percentages = |key| match self.value(key) {
            Some(Value::Percentages(low, high)) => (*low, *high),
            _ => THRESHOLDS,
        };
        let (context, limits) = (percentages(Key::ContextThresholds), percentages(Key::LimitThresholds));
        let palette = self.text(Key::Palette).and_then(Palette::parse).unwrap_or_default();
        self.theme = Theme { palette, context, limits, ..std::mem::take(&mut self.theme) };
    }

    /// The mistakes, in the order of the file.
    pub fn mistakes(&self) -> &[Mistake] {
        &self.mistakes
    }

    /// What to write to the log about mistakes: the first, and how many more there are. `None` if there are none.
    pub fn error(&self) -> Option<Error> {
        let first = self.mistakes.first()?;
        let path = self.path.as_deref().unwrap_or(Path::new("")).display();
        let more = match self.mistakes.len() - 1 {
            0 => String::new(),
            more => format!(" (and {more} more)"),
        };
        let why = format!("{first}{more}");
        Some(Error::new("reading the configuration", path, why).hint("type: ait config check"))
    }

    fn value(&self, key: Key) -> Option<&Value> {
        self.settings.iter().find(|setting| setting.key == key).map(|setting| &setting.value)
    }

    /// The text that the file sets a key to: a format, or one of the words that it may be.
    pub fn text(&self, key: Key) -> Option<&str> {
        match self.value(key)? {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// The number that the file sets a key to.
    pub fn number(&self, key: Key) -> Option<usize> {
        match self.value(key)? {
            Value::Number(number) => Some(*number),
            _ => None,
        }
    }

    /// Whether the file sets a key to `true`.
    pub fn is_on(&self, key: Key) -> bool {
        self.value(key) == Some(&Value::Switch(true))
    }

    /// The value of a key as text, and where it comes from; empty if it is not set and has no default.
    pub fn shown(&self, info: &Info) -> (String, Source) {
        if let Some((value, name)) = info.variable.and_then(|name| Some((env::text(name)?, name))) {
            return (value, Source::Variable(name));
        }
        match self.settings.iter().find(|setting| setting.key == info.key) {
            Some(Setting { value, line, .. }) => {
                let text = match value {
                    Value::Text(text) => text.clone(),
                    Value::Number(number) => number.to_string(),
                    Value::Switch(on) => on.to_string(),
                    Value::Percentages(low, high) => format!("[{low}, {high}]"),
                };
                (text, Source::Line(*line))
            }
            None => (info.default.to_owned(), Source::Default),
        }
    }
}

fn with_hint(refusal: keys::Refusal) -> String {
    match refusal.hint {
        Some(hint) => format!("{}; {hint}", refusal.why),
        None => refusal.why,
    }
}

/// The line and the column, both from 1, of a byte of a text.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let line = before.rsplit('\n').next().unwrap_or_default();
    (before.matches('\n').count() + 1, line.chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mistakes(text: &str) -> Vec<String> {
        Config::parse(text).mistakes().iter().map(Mistake::to_string).collect()
    }

    #[test]
    fn a_mistake_names_its_line_its_column_and_what_is_allowed() {
        for (text, wanted) in [
            ("\nicons = 'fancy'", "line 2, column 9: icons: expected \"unicode\", \"nerd\" or \"ascii\""),
            (
                "[prompt]\nformat = '⚠ {brnch}'",
                "line 2, column 14: prompt.format: unknown token `brnch`; did you mean `branch`?",
            ),
            (
                "prompt.format = \"\\u26a0 {brnch}\"",
                "line 1, column 17: prompt.format: unknown token `brnch`; did you mean `branch`?",
            ),
            ("prompt.fromat = ''", "line 1, column 1: prompt.fromat: no such key; did you mean `prompt.format`?"),
            ("[zzzzzzzzz]\nx = 1", "line 2, column 1: zzzzzzzzz.x: no such key; ait config lists the keys"),
            (
                "[report]\nguard = 'ask'",
                "line 2, column 1: report.guard: no such key; write `guard` above the first [table]",
            ),
            ("notify = true\nnotify = false", "line 2, column 1: notify: set a second time; the first one counts"),
            ("tmux.max_width = 0", "line 1, column 18: tmux.max_width: expected a whole number from 1 to 1000"),
        ] {
            assert_eq!(mistakes(text), [wanted]);
        }
    }

    #[test]
    fn a_mistake_costs_its_key_only() {
        let config = Config::parse("icons = 'fancy'\nguard = 'ask'\nlists.width = = 80\n[prompt]\nmax_width = 30\n");
        assert_eq!(config.text(Key::Icons), None);
        assert_eq!(config.text(Key::Guard), Some("ask"));
        assert_eq!(config.number(Key::PromptMaxWidth), Some(30));
        assert_eq!(config.mistakes().len(), 2, "{:?}", config.mistakes());
    }
}
