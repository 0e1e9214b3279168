//! Claude Code's `settings.json`: what `ait hooks install` puts in, takes out and looks at. Pure: bytes in, bytes out.
//!
//! The one form that every client runs is `{"hooks": {"EVENT": [{"hooks": [{"type": "command", "command": "..."}]}]}}`.
//! An entry without the inner `"hooks"` never runs, and clients up to 2.1.241 then ignore the whole file; so does every
//! client if the file has comments or trailing commas.

mod check;
mod document;
mod entries;
mod inspect;
mod install;
mod recognise;
mod status_line;
mod text_edit;
mod uninstall;
mod wanted;

pub use check::{check_installed, check_uninstalled};
pub use document::Problem;
pub use inspect::{Inspection, Installed, inspect};
pub use install::install;
pub use uninstall::uninstall;
pub use wanted::{EVENTS, Edit, Hook, Registration, TOOLS, Wanted};

use super::shell_lexer;

/// Text as one word of the shell, whatever it holds.
pub fn quote(text: &str) -> String {
    shell_lexer::quote(text)
}

/// The words of a command or of a short script as a shell reads them, quotes taken off, operators left out.
pub fn words(text: &str) -> Vec<String> {
    let tokens = shell_lexer::split(text).unwrap_or_default();
    tokens.into_iter().filter(|token| !token.operator).map(|token| token.text).collect()
}
