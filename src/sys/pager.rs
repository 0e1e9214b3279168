//! Shows text in the user's pager.

use std::ffi::OsStr;
use std::io::Write as _;
use std::path::Path;
use std::process::Stdio;

use super::process::{command, find_program};
use super::{env, ffi};

/// What git sets too: quit if it fits, show colours, leave the text on the screen. A `LESS` of the user has priority.
const LESS: &str = "FRX";

/// Shows text in `pager`, a line of shell, else in `less`, and waits until the user leaves it. Leaving early is fine.
/// Returns `false` if there is no such program, and nothing was shown.
pub fn show(text: &str, pager: Option<&OsStr>) -> bool {
    let mut command = match pager {
        // PAGER may contain arguments, quotes and variables.
        Some(pager) => {
            let mut shell = command(Path::new("/bin/sh"));
            shell.arg("-c").arg(pager);
            shell
        }
        None => {
            let Some(less) = find_program("less") else { return false };
            let mut less = command(&less);
            less.arg(format!("-{LESS}"));
            less
        }
    };
    if env::text("LESS").is_none() {
        command.env("LESS", LESS);
    }
    // Ctrl-C goes to the pager as well, and there it stops a search; the pager must not lose the terminal by it.
    ffi::outlive_interrupts();
    let Ok(mut child) = command.stdin(Stdio::piped()).spawn() else { return false };
    if let Some(mut stdin) = child.stdin.take() {
        // Fails if the user leaves before the end.
        let _ = stdin.write_all(text.as_bytes());
    }
    // A shell exits with these if it could not start the program.
    !child.wait().is_ok_and(|status| matches!(status.code(), Some(126 | 127)))
}
