//! `ait team`: who works on what in this repository, shared through its git remote.

mod forget;
mod here;
mod join;
mod report;
mod show;
mod status;
mod sync;
mod timeline;
mod work;

use argh::{ArgsInfo, FromArgs};

use super::Run;
use crate::context::Context;
use crate::error::Result;
use crate::render::theme::ColorChoice;
use crate::report::Report;

pub(super) use report::{Wanted, report};
pub use sync::after_session;
pub(super) use sync::job;
pub(super) use timeline::timeline;

/// show who works on what in this repository, and share it through git
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(
    subcommand,
    name = "team",
    help_triggers("-h", "--help"),
    example = "  ait team join           share what you work on in this repository\n  ait team                who works on what today"
)]
pub struct Team {
    #[argh(subcommand)]
    command: Option<TeamCommand>,
    /// do not fetch: show what is known already
    #[argh(switch)]
    offline: bool,
    /// print one JSON object
    #[argh(switch)]
    json: bool,
    /// always, never or auto (the default)
    #[argh(option, arg_name = "when", default = "ColorChoice::Auto")]
    color: ColorChoice,
}

#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(subcommand)]
enum TeamCommand {
    Join(join::Join),
    Leave(join::Leave),
    Status(status::Status),
    Preview(join::Preview),
    Sync(sync::SyncNow),
    Forget(forget::Forget),
}

impl Run for Team {
    /// Shows today, or runs the command that was given.
    ///
    /// # Errors
    /// If this is not a repository that shares, or the command fails.
    fn run(&self, context: &Context) -> Result<Report> {
        match &self.command {
            None => show::today(context, self.offline),
            Some(TeamCommand::Join(command)) => command.run(context),
            Some(TeamCommand::Leave(command)) => command.run(context),
            Some(TeamCommand::Status(command)) => command.run(context),
            Some(TeamCommand::Preview(command)) => command.run(context),
            Some(TeamCommand::Sync(command)) => command.run(context),
            Some(TeamCommand::Forget(command)) => command.run(context),
        }
    }

    fn json(&self) -> bool {
        match &self.command {
            None => self.json,
            Some(TeamCommand::Join(command)) => command.json,
            Some(TeamCommand::Leave(command)) => command.json,
            Some(TeamCommand::Status(command)) => command.json,
            Some(TeamCommand::Preview(_)) => false,
            Some(TeamCommand::Sync(command)) => command.json,
            Some(TeamCommand::Forget(command)) => command.json,
        }
    }

    fn color(&self) -> ColorChoice {
        self.color
    }
}
