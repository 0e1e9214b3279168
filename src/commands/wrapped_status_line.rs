//! The user's own status line: it is run with the same input, and its output is shown below that of ait.
//!
//! The only process that a status line starts, and only where its settings say so (`--then`).

use std::path::Path;
use std::time::Duration;

use crate::error::{Cause, Error, Result};
use crate::sys::process;

/// How long it may take. Ours is shown together with it, and Claude Code ends a status line when the next one is due:
/// a command that hangs must not delay the line of ait for long. Some commands use the network or start node, and need a second or two.
const LIMIT: Duration = Duration::from_secs(5);
/// Claude Code shows a few lines of the width of a terminal.
const MAX_OUTPUT: usize = 64 * 1024;

/// What the command prints, without empty lines at either end; its bytes are shown as they would be without us.
///
/// # Errors
/// Where it cannot be started, takes too long, or ends with another exit code than 0: Claude Code shows nothing then
/// either.
pub(crate) fn output(command: &str, folder: &Path, input: &[u8]) -> Result<String> {
    let failed = |why: Cause| Error::new("running the wrapped status line", command, why);
    // As Claude Code runs it itself.
    let words = ["-c".as_ref(), command.as_ref()];
    let output = process::run_with_input("/bin/sh".as_ref(), &words, folder, input, LIMIT, MAX_OUTPUT)
        .map_err(|why| failed(why.into()))?;
    match output.code {
        Some(0) => {}
        Some(code) => return Err(failed(format_args!("exit code {code}").into())),
        None => return Err(failed("ended by a signal".into())),
    }
    let text = String::from_utf8_lossy(&output.stdout);
    let from = text.find(|c: char| !c.is_whitespace()).unwrap_or(text.len());
    let from = text.get(..from).and_then(|blank| blank.rfind('\n')).map_or(0, |end| end + 1);
    Ok(text.get(from..).unwrap_or_default().trim_end().to_owned())
}
