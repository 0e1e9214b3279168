//! `ait completions SHELL`: the completion file of a shell. The same files are in `completions/`.

use argh::{ArgsInfo, FromArgs};

use super::Run;
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::render::completion_tables::{elvish, nushell, xonsh};
use crate::render::completions::{bash, fish, zsh};
use crate::report::Report;

/// print the completion file for a shell
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(
    subcommand,
    name = "completions",
    help_triggers("-h", "--help"),
    example = "  ait completions fish > ~/.config/fish/completions/ait.fish"
)]
pub struct Completions {
    /// zsh, bash, fish, nushell, elvish or xonsh
    #[argh(positional)]
    shell: String,
}

impl Run for Completions {
    /// Prints the file.
    ///
    /// # Errors
    /// If the shell is another one.
    fn run(&self, context: &Context) -> Result<Report> {
        let ait = (context.commands)();
        let write = match self.shell.as_str() {
            "bash" => bash,
            "zsh" => zsh,
            "fish" => fish,
            "nushell" => nushell,
            "elvish" => elvish,
            "xonsh" => xonsh,
            other => {
                return Err(Error::new("writing completions", other, "unknown shell")
                    .hint("type one of: zsh, bash, fish, nushell, elvish, xonsh")
                    .exit(Exit::NotFound));
            }
        };
        Ok(Report::text(write(&ait)))
    }
}
