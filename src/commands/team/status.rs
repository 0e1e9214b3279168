//! `ait team status`: what is shared, with whom, and whether it works.

use argh::{ArgsInfo, FromArgs};
use serde::Serialize;

use super::here::store_here;
use crate::context::Context;
use crate::error::Result;
use crate::render::theme::Role;
use crate::render::ui::{Ui, put};
use crate::render::{elapsed, json};
use crate::report::{Data, Report};
use crate::team::store::{State, Store};

/// show what is shared, with whom, and when it was last sent
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(subcommand, name = "status", help_triggers("-h", "--help"), example = "  ait team status")]
pub(super) struct Status {
    /// print one JSON object
    #[argh(switch)]
    pub(super) json: bool,
}

impl Status {
    /// Shows the state of the store, without a question to the remote.
    ///
    /// # Errors
    /// If this repository does not share.
    pub(super) fn run(&self, context: &Context) -> Result<Report> {
        let (store, _) = store_here(context)?;
        Ok(report_of(context, store, String::new()))
    }
}

/// The status of a store, below a line about what the command did.
pub(super) fn report_of(context: &Context, store: Store, done: String) -> Report {
    let State { notes, .. } = &store.state;
    let notes = notes.clone();
    Report::new(Sharing { done, now: context.now.as_second(), store }).remarks(notes)
}

struct Sharing {
    done: String,
    now: i64,
    store: Store,
}

#[derive(Serialize)]
struct Json<'a> {
    joined: bool,
    member: &'a str,
    name: &'a str,
    share: &'a str,
    remote: &'a str,
    url: &'a str,
    trees: Vec<String>,
    members: u64,
    sent: Option<String>,
    fetched: Option<String>,
    problem: Option<&'a str>,
    notes: &'a [String],
}

/// A time of the state as it is shown in JSON; `None` for never.
pub(super) fn time(seconds: i64) -> Option<String> {
    let time = jiff::Timestamp::from_second(seconds).ok();
    time.filter(|_| seconds > 0).map(|time| time.to_string())
}

impl Data for Sharing {
    fn json(&self) -> Option<String> {
        let state = &self.store.state;
        json::object(&Json {
            joined: state.is_joined(),
            member: &state.member,
            name: &state.name,
            share: state.level().as_str(),
            remote: &state.remote,
            url: &state.url,
            trees: state.clones.iter().map(|(tree, _)| tree.to_string_lossy().into_owned()).collect(),
            members: state.members,
            sent: time(state.sent),
            fetched: time(state.fetched),
            problem: state.problem.as_deref(),
            notes: &state.notes,
        })
    }

    fn text(&self, ui: &Ui) -> String {
        let state = &self.store.state;
        let mut out = self.done.clone();
        ui.line(&mut out, |line| {
            line.literal(if state.is_joined() { "Sharing as " } else { "Not sharing any more; shared as " });
            put(line, Role::Project, &state.name);
            line.own(format_args!(" (level {}) through ", state.level().as_str()));
            line.text(&state.url);
        });
        ui.line(&mut out, |line| {
            let ago = |time: i64| match time {
                0 => "never".to_owned(),
                time => elapsed::Ago(u64::try_from(self.now - time).unwrap_or(0)).to_string(),
            };
            let members = if state.members == 1 { "member" } else { "members" };
            line.own(format_args!(
                "Last sent: {}; last fetched: {}; {} {members}",
                ago(state.sent),
                ago(state.fetched),
                state.members
            ));
        });
        if let Some(problem) = &state.problem {
            ui.line(&mut out, |line| {
                put(line, Role::Error, "Problem:");
                line.literal(" ");
                line.text(problem);
            });
        }
        out
    }
}
