//! The question before a change.

use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::sys::terminal;

/// Asks whether to go on.
///
/// # Errors
/// If standard input is not a terminal.
pub(super) fn confirm(context: &Context, text: &str, question: &str) -> Result<bool> {
    if !context.stdin_is_terminal {
        return Err(Error::new("asking for confirmation", "standard input", "not a terminal; nothing was changed")
            .hint("add --yes, or --dry-run to see the changes")
            .exit(Exit::NotFound));
    }
    terminal::ask(&format!("{text}{question} [y/N] ")).map_err(|why| Error::new("asking", "the terminal", why))
}
