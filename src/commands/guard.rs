//! `ait guard`: what happens before a session writes a file that another one wrote in the last hour.

use argh::{ArgsInfo, FromArgs};
use serde::Serialize;

use super::Run;
use crate::config::Key;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::render::json;
use crate::render::ui::Ui;
use crate::report::{Data, Report};
use crate::store::guard::{Guard as Setting, Settings};
use crate::store::place::Place;

/// set what happens when two sessions write the same file within an hour
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(
    subcommand,
    name = "guard",
    help_triggers("-h", "--help"),
    note = "off   allow the write without a message",
    note = "tell  tell Claude about the other session; the write goes on (the default)",
    note = "ask   have Claude Code ask you first",
    note = "deny  refuse the write",
    example = "  ait guard             show the current setting\n  ait guard ask         in this repository, ask you before such a write\n  ait guard off --user  in all others, allow it without a message"
)]
pub struct Guard {
    /// off, tell, ask or deny; without it, show the current setting
    #[argh(positional)]
    setting: Option<Setting>,
    /// change the default, for repositories without a setting of their own
    #[argh(switch)]
    user: bool,
    /// print one JSON object
    #[argh(switch)]
    json: bool,
}

impl Run for Guard {
    /// Shows the setting that applies here, or changes it.
    ///
    /// # Errors
    /// If the setting cannot be read or written.
    fn run(&self, context: &Context) -> Result<Report> {
        let settings = Settings::read()?;
        let place = if self.user { None } else { Some(Place::of(&context.folder()?)) };
        let repository = place.as_ref().and_then(|place| place.repository.as_deref());
        if let Some(setting) = self.setting {
            if repository.is_none() && !self.user {
                return Err(Error::new(
                    "changing the guard setting",
                    context.folder()?.display(),
                    "not in a git repository",
                )
                .hint(format!("type: ait guard {} --user", setting.as_str())));
            }
            settings.set(repository, setting)?;
        }
        let settings = Settings::read()?;
        let own = repository.and_then(|repository| settings.own(Some(repository)));
        let (setting, source) = match (own, settings.own(None), configured(context)) {
            (Some(own), ..) => (own, "repository"),
            (None, Some(user), _) => (user, "user"),
            (None, None, Some(setting)) => (setting, "configuration"),
            (None, None, None) => (Setting::Tell, "default"),
        };
        Ok(Report::new(InForce { setting, source, place }))
    }

    fn json(&self) -> bool {
        self.json
    }
}

/// The setting in the configuration file.
pub(super) fn configured(context: &Context) -> Option<Setting> {
    context.config().text(Key::Guard).and_then(Setting::parse)
}

/// The setting that applies.
struct InForce {
    setting: Setting,
    source: &'static str,
    place: Option<Place>,
}

#[derive(Serialize)]
struct Json<'a> {
    guard: &'a str,
    repository: Option<String>,
    source: &'a str,
}

impl Data for InForce {
    fn json(&self) -> Option<String> {
        let repository = self.place.as_ref().and_then(|place| place.repository.as_deref());
        let repository = repository.map(|repository| repository.to_string_lossy().into_owned());
        json::object(&Json { guard: self.setting.as_str(), repository, source: self.source })
    }

    fn text(&self, ui: &Ui) -> String {
        let mut text = String::new();
        ui.line(&mut text, |line| {
            line.own(format_args!("{}: {}, ", self.setting.as_str(), meaning(self.setting)));
            match (self.source, &self.place) {
                ("repository", Some(place)) => {
                    line.literal("in every tree of ");
                    line.text(&place.project());
                    line.literal(" (");
                    line.text(&ui.path(&place.root));
                    line.literal(")");
                }
                ("user", _) => line.literal("in every repository without a setting of its own"),
                ("configuration", _) => line.literal("as the configuration file says"),
                _ => line.literal("the default"),
            }
        });
        text
    }
}

fn meaning(setting: Setting) -> &'static str {
    match setting {
        Setting::Off => "the write is allowed without a message",
        Setting::Tell => "Claude is told before it writes a file that another session wrote within the last hour",
        Setting::Ask => "you are asked before a session writes a file that another wrote within the last hour",
        Setting::Deny => "a session may not write a file that another wrote within the last hour",
    }
}
