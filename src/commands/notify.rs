//! Notifies the user that a session needs an answer, if the configuration file says so (`notify = true`), and
//! `ait notify`, which writes that.

use std::str::FromStr;

use argh::{ArgsInfo, FromArgs};

use super::Run;
use crate::config::{self, Config, KEYS, Key, MAX_FILE, Source};
use crate::context::Context;
use crate::error::{Error, Result};
use crate::render::notification::Notifier;
use crate::render::theme::ColorChoice;
use crate::report::Report;
use crate::session::manifest::Manifest;
use crate::session::time::seconds_between;
use crate::store::root::Root;
use crate::sys::atomic_edit::{AtomicEdit, Change};
use crate::sys::terminal;

/// Seconds between two notifications, whichever sessions they are about.
const INTERVAL: u64 = 60;
/// The file of the cache whose time is that of the last notification.
const NOTIFIED: &str = "notified";

/// Notifies on the terminal of a session that has just become blocked. Whatever goes wrong, nothing happens.
pub(super) fn blocked(context: &Context, root: &Root, manifest: &Manifest) {
    if !context.config().is_on(Key::Notify) || manifest.headless {
        return;
    }
    let Some(pid) = manifest.pid else { return };
    let Ok(cache) = root.open_cache("notify") else { return };
    let last = cache.meta_of(NOTIFIED).ok().and_then(|meta| jiff::Timestamp::from_nanosecond(meta.modified).ok());
    if last.is_some_and(|last| last <= context.now && seconds_between(last, context.now) < INTERVAL) {
        return;
    }
    let text = format!("{} waits for {}", manifest.project, manifest.waiting_for.as_deref().unwrap_or("an answer"));
    let sequence = Notifier::of(|name| context.variable(name)).sequence(&text);
    if terminal::write_to_terminal_of(pid, sequence.as_bytes()).is_ok() {
        let _ = cache.touch(NOTIFIED);
    }
}

/// notify you in the terminal when a session becomes blocked
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(
    subcommand,
    name = "notify",
    help_triggers("-h", "--help"),
    note = "Once for each permission or question, at most once a minute, on Linux. How:",
    note = "what the terminal understands (OSC 9, 99 or 777), else the bell. In tmux the",
    note = "bell, and OSC 9 for the terminal around it, if `allow-passthrough` is `on`",
    note = "(only from panes that are shown) or `all` (tmux 3.4).",
    example = "  ait notify on    write notify = true into the configuration file\n  ait notify test  notify once, in this terminal"
)]
pub struct Notify {
    /// on, off, test, or status (the default)
    #[argh(positional)]
    action: Option<Action>,
}

#[derive(Clone, Copy, Debug)]
enum Action {
    On,
    Off,
    Status,
    Test,
}

impl FromStr for Action {
    type Err = &'static str;

    fn from_str(word: &str) -> std::result::Result<Action, &'static str> {
        match word {
            "on" => Ok(Action::On),
            "off" => Ok(Action::Off),
            "status" => Ok(Action::Status),
            "test" => Ok(Action::Test),
            _ => Err("expected on, off, status or test"),
        }
    }
}

impl Run for Notify {
    /// Shows or changes the setting, or notifies once.
    ///
    /// # Errors
    /// If the file cannot be changed, or a test has no terminal.
    fn run(&self, context: &Context) -> Result<Report> {
        match self.action.unwrap_or(Action::Status) {
            Action::On => set(context, true),
            Action::Off => set(context, false),
            Action::Status => Ok(Report::text(status(context.config(), context))),
            Action::Test => test(context),
        }
    }
}

/// Writes the setting into the configuration file.
fn set(context: &Context, on: bool) -> Result<Report> {
    let doing = "changing the configuration file";
    let path = config::path().ok_or_else(|| Error::new(doing, "HOME", "not set to an absolute path"))?;
    let Some(info) = KEYS.iter().find(|info| info.key == Key::Notify) else { return Ok(Report::nothing()) };
    let edit = AtomicEdit { doing, path: &path, limit: MAX_FILE, backup_suffix: "", mode: None };
    edit.edit(|current| {
        let refused = |why: String| Error::new(doing, path.display(), why).hint("type: ait config edit");
        let text =
            std::str::from_utf8(current.bytes.unwrap_or_default()).map_err(|_| refused("not UTF-8".to_owned()))?;
        let new = Config::with_switch(text, info, on).map_err(|mistake| refused(mistake.to_string()))?;
        Ok(Change::Write { bytes: new.into_bytes(), backup: false })
    })?;
    Ok(Report::text(status(&Config::read(), context)))
}

fn status(config: &Config, context: &Context) -> String {
    let word = if config.is_on(Key::Notify) { "on" } else { "off" };
    let source = KEYS.iter().find(|info| info.key == Key::Notify).map(|info| config.shown(info).1);
    let place = match (source, &config.path) {
        (Some(Source::Line(line)), Some(path)) => {
            format!("line {line} of {}", context.ui(ColorChoice::Never).path(path))
        }
        _ => "the default".to_owned(),
    };
    let how = Notifier::of(|name| context.variable(name)).name();
    format!("{word} ({place}). This terminal: {how}.\n")
}

/// Notifies in the terminal behind standard output.
fn test(context: &Context) -> Result<Report> {
    if !context.stdout_is_terminal {
        return Err(Error::new("testing notifications", "standard output", "not a terminal"));
    }
    let notifier = Notifier::of(|name| context.variable(name));
    let sequence = notifier.sequence("ait notifies you so");
    let how = notifier.name();
    Ok(Report::text(format!(
        "{sequence}Sent: {how}.\nTerminals often show it only while another window has the focus: sleep 3; ait notify test\n"
    )))
}
