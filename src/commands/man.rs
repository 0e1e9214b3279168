//! `ait man`: the manual page, for packages and for `ait setup`.

use argh::{ArgsInfo, FromArgs};

use super::Run;
use crate::context::Context;
use crate::error::Result;
use crate::render::man;
use crate::report::Report;

/// print the manual page
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(subcommand, name = "man", help_triggers("-h", "--help"), example = "  ait man > ~/.local/share/man/man1/ait.1")]
pub struct Man {}

impl Run for Man {
    fn run(&self, context: &Context) -> Result<Report> {
        Ok(Report::text(man::page(&(context.commands)())))
    }
}
