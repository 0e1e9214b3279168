//! `ait completions SHELL`: the completion file of a shell. The same files are in `shell/completions`.

use super::Output;
use crate::cli;
use crate::error::{Error, Exit, Result};
use crate::render::completions::{bash, fish, zsh};

/// `ait completions`
#[derive(Clone, Debug)]
pub struct Completions {
    /// zsh, bash, fish.
    pub shell: String,
}

/// Prints the file.
///
/// # Errors
/// Where the shell is another one.
pub fn run(request: &Completions) -> Result<Output> {
    let ait = cli::description();
    match request.shell.as_str() {
        "bash" => Ok(Output::data(bash(&ait))),
        "zsh" => Ok(Output::data(zsh(&ait))),
        "fish" => Ok(Output::data(fish(&ait))),
        other => Err(Error::new("writing completions", other, "no such shell is known")
            .next("type one of: ait completions bash, ait completions zsh, ait completions fish")
            .exit(Exit::NotFound)),
    }
}
