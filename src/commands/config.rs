//! `ait config`: shows the settings and where they come from, opens the configuration file, and checks it.

use std::path::Path;
use std::str::FromStr;

use argh::{ArgsInfo, FromArgs};
use serde::Serialize;

use super::Run;
use crate::config::{self, Config as Settings, Info, KEYS, Kind, LookSetting, Mistake, Source};
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::render::json;
use crate::render::theme::{ColorChoice, Icons, Mark, Role};
use crate::render::ui::Ui;
use crate::render::width;
use crate::report::{Data, Report};
use crate::store::revision;
use crate::sys::files::{self, Folder, PRIVATE};
use crate::sys::process;

/// show the settings and where they come from
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(
    subcommand,
    name = "config",
    help_triggers("-h", "--help"),
    note = "The file is $AIT_CONFIG, else $XDG_CONFIG_HOME/ait/config.toml,",
    note = "else ~/.config/ait/config.toml. It need not exist.",
    example = "  ait config        list all settings\n  ait config edit   open the file in your editor\n  ait config check  name the mistakes in it"
)]
pub struct Config {
    /// edit: open the file in $VISUAL or $EDITOR; check: exit with 1 if it has mistakes
    #[argh(positional)]
    action: Option<Action>,
    /// print one JSON object
    #[argh(switch)]
    json: bool,
    /// always, never or auto (the default)
    #[argh(option, arg_name = "when", default = "ColorChoice::Auto")]
    color: ColorChoice,
}

/// The action of `ait config` on the file.
#[derive(Clone, Copy, Debug)]
enum Action {
    Edit,
    Check,
}

impl FromStr for Action {
    type Err = &'static str;

    fn from_str(word: &str) -> std::result::Result<Action, &'static str> {
        match word {
            "edit" => Ok(Action::Edit),
            "check" => Ok(Action::Check),
            _ => Err("expected edit or check"),
        }
    }
}

impl Run for Config {
    /// Shows, edits or checks the settings.
    ///
    /// # Errors
    /// If the file cannot be created, or the editor fails.
    fn run(&self, context: &Context) -> Result<Report> {
        match self.action {
            None => Ok(Report::new(Shown { config: context.config().clone(), all: true })),
            Some(Action::Check) => Ok(checked(context.config().clone())),
            Some(Action::Edit) => edit(context),
        }
    }

    fn json(&self) -> bool {
        self.json
    }

    fn color(&self) -> ColorChoice {
        self.color
    }
}

/// The settings, or only the mistakes in the file.
struct Shown {
    config: Settings,
    all: bool,
}

#[derive(Serialize)]
struct Json<'a> {
    file: Option<String>,
    exists: bool,
    settings: Vec<JsonSetting<'a>>,
    mistakes: &'a [Mistake],
}

#[derive(Serialize)]
struct JsonSetting<'a> {
    key: &'a str,
    value: Option<String>,
    source: &'static str,
    variable: Option<&'static str>,
    line: Option<usize>,
}

impl Data for Shown {
    fn json(&self) -> Option<String> {
        let setting = |info: &'static Info| {
            let (value, source) = self.config.shown(info);
            let (source, variable, line) = match source {
                Source::Variable(name) => ("environment", Some(name), None),
                Source::Line(line) => ("file", None, Some(line)),
                Source::Default => ("default", None, None),
            };
            JsonSetting { key: info.name, value: (!value.is_empty()).then_some(value), source, variable, line }
        };
        let look = self.config.look.iter().map(|LookSetting { name, value, line }| {
            let value = Some(value.clone());
            JsonSetting { key: name, value, source: "file", variable: None, line: Some(*line) }
        });
        let settings = KEYS.iter().map(setting).chain(look).filter(|_| self.all).collect();
        let file = self.config.path.as_deref().map(|path| path.to_string_lossy().into_owned());
        json::object(&Json { file, exists: self.config.exists, settings, mistakes: self.config.mistakes() })
    }

    fn text(&self, ui: &Ui) -> String {
        let path = self.config.path.as_deref().map_or_else(|| "HOME is not set".to_owned(), |path| ui.path(path));
        let result = match (self.config.exists, self.config.mistakes().len()) {
            (false, 0) => "does not exist; to create it, type: ait config edit".to_owned(),
            (_, 0) => "no mistakes".to_owned(),
            (_, 1) => "1 mistake".to_owned(),
            (_, count) => format!("{count} mistakes"),
        };
        let mut text = String::new();
        ui.line(&mut text, |line| {
            line.text(&path);
            line.own(format_args!(": {result}"));
        });
        for mistake in self.config.mistakes() {
            ui.line(&mut text, |line| {
                line.literal("  ");
                line.text(&mistake.to_string());
            });
        }
        let longest = KEYS.iter().map(|info| info.name.len()).max().unwrap_or_default();
        let mut put = |name: &str, value: &str, source: &str| {
            ui.line(&mut text, |line| {
                line.own(format_args!("{name:longest$}  "));
                line.text(value);
                line.role(Role::Dim);
                line.literal(source);
            });
        };
        for info in KEYS.iter().filter(|_| self.all) {
            let (value, source) = self.config.shown(info);
            let source = match source {
                Source::Variable(name) => format!("  ({name})"),
                Source::Line(number) => format!("  (line {number})"),
                Source::Default if value.is_empty() => "not set".to_owned(),
                Source::Default => "  (default)".to_owned(),
            };
            put(info.name, &value, &source);
        }
        for setting in self.config.look.iter().filter(|_| self.all) {
            put(&setting.name, &setting.value, &format!("  (line {})", setting.line));
        }
        text
    }
}

fn checked(config: Settings) -> Report {
    let exit = if config.mistakes().is_empty() { Exit::Done } else { Exit::Failed };
    Report::new(Shown { config, all: false }).exit(exit)
}

/// Opens the file in the user's editor, and checks it afterwards.
fn edit(context: &Context) -> Result<Report> {
    let path = config::path()
        .ok_or_else(|| Error::new("finding the configuration file", "HOME", "not set to an absolute path"))?;
    if !files::exists(&path) {
        create(&path)?;
    }
    let editor = ["VISUAL", "EDITOR"].into_iter().find_map(|name| context.variable(name));
    let editor = editor.unwrap_or_else(|| "vi".to_owned());
    let failed = |why: String| Error::new("running the editor", &editor, why).hint("set VISUAL or EDITOR");
    match process::in_foreground(&editor, &path) {
        Ok(Some(0)) => {}
        Ok(Some(code)) => return Err(failed(format!("exit code {code}"))),
        Ok(None) => return Err(failed("a signal ended it".to_owned())),
        Err(why) => return Err(failed(why.to_string())),
    }
    // Shells keep a segment for up to a minute.
    revision::change();
    Ok(checked(Settings::read()))
}

fn create(path: &Path) -> Result<()> {
    let failed = |why: std::io::Error| Error::new("creating the configuration file", path.display(), why);
    let (Some(folder), Some(name)) = (path.parent(), path.file_name().and_then(|name| name.to_str())) else {
        return Err(failed(std::io::ErrorKind::InvalidFilename.into()));
    };
    let folder = if folder.as_os_str().is_empty() { Path::new(".") } else { folder };
    Folder::open_or_make(folder).and_then(|folder| folder.replace(name, template().as_bytes(), PRIVATE)).map_err(failed)
}

/// A file with every key as a comment.
fn template() -> String {
    let mut text =
        "# Settings of ait. Options and variables of the environment go before this file. Mistakes: ait config check\n"
            .to_owned();
    let mut table = "";
    for info in &KEYS {
        let (its_table, name) = info.name.split_once('.').unwrap_or(("", info.name));
        if its_table != table {
            text.extend(["\n[", its_table, "]\n"]);
            table = its_table;
        }
        let value = match (info.kind, info.default) {
            (Kind::Choice(words), "") => format!("\"{}\"", words.first().copied().unwrap_or_default()),
            (Kind::Number(_), "") => "80".to_owned(),
            (Kind::Number(_) | Kind::Switch | Kind::Percentages, default) => default.to_owned(),
            (Kind::Format, default) => format!("'{default}'"),
            (_, default) => format!("\"{default}\""),
        };
        text.push_str(&format!("# {name} = {value}"));
        let gap = 24_usize.saturating_sub(width::cells(name) + width::cells(&value)).max(2);
        text.push_str(&format!("{:gap$}# {}\n", "", info.about));
    }
    text.push_str("\n[icon]  # single icons of the set\n");
    text.extend(Mark::NAMES.map(|(name, mark)| format!("# {name} = \"{}\"\n", Icons::Unicode.mark(mark))));
    text.push_str("\n[style]  # of any token\n# project = \"bold cyan\"\n# branch = \"#88c0d0 on 236\"\n");
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_template_sets_nothing_and_is_right_when_its_comments_are_taken_off() {
        let text = template();
        assert!(text.lines().all(|line| line.is_empty() || line.starts_with(['#', '['])), "{text}");
        let used: String = text.lines().skip(1).map(|line| line.trim_start_matches("# ").to_owned() + "\n").collect();
        let config = Settings::parse(&used);
        assert_eq!(config.mistakes(), [], "{used}");
        assert!(KEYS.iter().all(|info| matches!(config.shown(info).1, Source::Line(_) | Source::Variable(_))));
        assert_eq!(Settings::parse(&text).mistakes(), []);
    }
}
