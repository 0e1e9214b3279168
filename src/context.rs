//! What every command receives, built once by `main`: the current time, the sessions folder, the environment and the
//! terminal. Commands look up none of these themselves.

use std::cell::OnceCell;
use std::path::{Path, PathBuf};

use argh::CommandInfoWithArgs;
use jiff::Timestamp;
use jiff::tz::TimeZone;

use crate::config::{Config, Key};
use crate::error::{Error, Result};
use crate::render::dialect::Dialect;
use crate::render::theme::{ColorChoice, Icons, use_color};
use crate::render::ui::Ui;
use crate::store::root::Root;
use crate::sys::{clock, env, files, pager, terminal};

/// The surroundings of one command.
#[derive(Clone, Debug)]
pub struct Context {
    /// The time at which the command started.
    pub now: Timestamp,
    /// The home folder, if `HOME` is an absolute path.
    pub home: Option<PathBuf>,
    /// Standard input is a terminal.
    pub stdin_is_terminal: bool,
    /// Standard output is a terminal.
    pub stdout_is_terminal: bool,
    /// Standard error is a terminal.
    pub stderr_is_terminal: bool,
    /// Describes every command, for completions.
    pub commands: fn() -> CommandInfoWithArgs,
    root: Result<Root>,
    config: OnceCell<Config>,
}

impl Context {
    /// Looks at the surroundings of this process.
    pub fn new(commands: fn() -> CommandInfoWithArgs) -> Context {
        Context {
            commands,
            now: clock::now(),
            home: env::home(),
            stdin_is_terminal: terminal::stdin_is_terminal(),
            stdout_is_terminal: terminal::stdout_is_terminal(),
            stderr_is_terminal: terminal::stderr_is_terminal(),
            root: Root::find(),
            config: OnceCell::new(),
        }
    }

    /// The same surroundings, looked at again.
    pub fn refreshed(&self) -> Context {
        Context::new(self.commands)
    }

    /// The sessions folder.
    ///
    /// # Errors
    /// If the environment does not name one.
    pub fn root(&self) -> Result<&Root> {
        self.root.as_ref().map_err(Error::clone)
    }

    /// The configuration file, which is read when it is first asked for.
    pub fn config(&self) -> &Config {
        self.config.get_or_init(Config::read)
    }

    /// An environment variable that is set and not empty, as text; bytes that are not UTF-8 are replaced.
    pub fn variable(&self, name: &str) -> Option<String> {
        env::text(name)
    }

    /// An environment variable that is set and not empty, as a path.
    pub fn path_variable(&self, name: &str) -> Option<PathBuf> {
        env::path(name)
    }

    /// The current folder as the kernel sees it, else as the shell names it in `PWD`.
    ///
    /// # Errors
    /// If it was deleted and `PWD` does not name it either.
    pub fn folder(&self) -> Result<PathBuf> {
        env::current_dir().or_else(|| env::path("PWD").filter(|path| path.is_absolute())).ok_or_else(|| {
            Error::new("finding the current folder", "", "it was deleted").hint("change to a folder that exists")
        })
    }

    /// The path of this program, as the kernel tells it.
    pub fn program(&self) -> Option<PathBuf> {
        env::this_program()
    }

    /// The local time zone. Costs about a millisecond the first time: never for a fast command.
    pub fn time_zone(&self) -> TimeZone {
        clock::time_zone()
    }

    /// How to write for the reader of standard output.
    pub fn ui(&self, choice: ColorChoice) -> Ui {
        let color = self.color(choice, self.stdout_is_terminal);
        // COLUMNS is what a shell exports for programs that cannot ask the terminal.
        let columns = || self.variable("COLUMNS")?.parse().ok();
        let wanted = self.variable("AIT_WIDTH").and_then(|width| width.parse().ok()).filter(|width| *width > 0);
        // For lists that are seen; a pipe gets whole lines.
        let wanted = wanted.or_else(|| self.config().number(Key::ListsWidth).filter(|_| self.stdout_is_terminal));
        let width =
            wanted.or_else(|| self.stdout_is_terminal.then(|| terminal::width().or_else(columns).unwrap_or(80)));
        let text = |path: &Path| path.to_string_lossy().into_owned();
        let home = self.home.as_deref().map(text);
        let real_home = self.home.as_deref().map(|home| text(&files::resolve(home)));
        let asked = self.variable("AIT_ICONS").and_then(|icons| icons.parse().ok());
        let asked = asked.or_else(|| self.configured_icons());
        // In a pipe there is no box, and the text is for programs.
        let usual = || width.map_or(Icons::Unicode, |_| self.default_icons(Dialect::Ansi));
        Ui { color, palette: self.config().theme.palette, width, icons: asked.unwrap_or_else(usual), home, real_home }
    }

    /// Shows text in a pager if it is longer than the screen. Returns `false` if it was not shown: standard output is no
    /// terminal that can do this, or `PAGER` is empty or names no program.
    pub fn page(&self, text: &str) -> bool {
        let rows = terminal::size().map_or(0, |(_, rows)| usize::from(rows));
        // The last row is for the next prompt.
        if !self.stdout_is_terminal || self.terminal_is_dumb() || rows == 0 || text.lines().count() < rows {
            return false;
        }
        match env::set("PAGER") {
            Some(pager) if pager.is_empty() => false,
            pager => pager::show(text, pager.as_deref()),
        }
    }

    /// The icons that the configuration file chooses.
    pub fn configured_icons(&self) -> Option<Icons> {
        self.config().text(Key::Icons)?.parse().ok()
    }

    /// The icons that the locale and the terminal can show, if nothing else chooses some.
    pub fn default_icons(&self, dialect: Dialect) -> Icons {
        // In the order of setlocale(3).
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(|name| self.variable(name));
        dialect.default_icons(locale.as_deref(), self.terminal_is_dumb())
    }

    fn terminal_is_dumb(&self) -> bool {
        self.variable("TERM").is_some_and(|term| term == "dumb")
    }

    /// Whether to use colour, by the option, `NO_COLOR` and `CLICOLOR_FORCE`, and whether the reader is a terminal that
    /// can show it.
    pub fn color(&self, choice: ColorChoice, is_terminal: bool) -> bool {
        let (no_color, forced) = (self.variable("NO_COLOR"), self.variable("CLICOLOR_FORCE"));
        use_color(choice, no_color.as_deref(), forced.as_deref(), is_terminal && !self.terminal_is_dumb())
    }
}
