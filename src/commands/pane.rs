//! Where a session can be seen: its pane or window, which tmux, zellij or kitty can show, or its terminal, which can be named.

use std::ffi::OsStr;
use std::path::Path;
use std::time::Duration;

use super::live_sessions::LiveSession;
use super::tmux::Tmux;
use crate::error::{Error, Result};
use crate::render::ui::Ui;
use crate::sys::process;

/// The tmux pane of a session. It becomes an argument of a program, so anything that is not the name of a pane is refused.
pub(super) fn of(live_session: &LiveSession) -> Option<&str> {
    let pane = live_session.session.manifest.tmux_pane.as_deref()?;
    pane.strip_prefix('%')?.parse::<u32>().is_ok().then_some(pane)
}

const DOING: &str = "switching to the session's pane";

/// How long a terminal may take to answer.
const LIMIT: Duration = Duration::from_secs(5);

/// Shows the pane of a session, whatever session of tmux it is in, or its window.
///
/// # Errors
/// If it has none, or it cannot be shown.
pub(super) fn go_to(live_session: &LiveSession) -> Result<()> {
    if show(live_session)? {
        return Ok(());
    }
    let pid = live_session.session.manifest.pid.map(|pid| format!(", pid {pid}")).unwrap_or_default();
    Err(Error::new(DOING, live_session.session.id.short(), format!("it does not run in a tmux pane{pid}")))
}

/// Like [`go_to`], but `false` if it has neither a pane of tmux nor a window that its terminal shows when it is asked.
///
/// # Errors
/// If tmux cannot show its pane.
pub(super) fn show(live_session: &LiveSession) -> Result<bool> {
    let manifest = &live_session.session.manifest;
    let Some(pane) = of(live_session) else { return Ok(manifest.pid.is_some_and(|pid| focus(pid).is_some())) };
    let tmux = Tmux::at(manifest.tmux_socket.as_deref().filter(|socket| socket.starts_with('/')), DOING)?;
    let did = |command| tmux.ask(&[command, "-t", pane]).is_some();
    // A client is switched to the pane's session, window and pane at once, where one is attached.
    if did("switch-client") {
        return Ok(true);
    }
    if did("select-window") && did("select-pane") {
        return Err(Error::new(DOING, pane, "no terminal is attached to this tmux session").hint("type: tmux attach"));
    }
    Err(Error::new(DOING, pane, "tmux does not answer, or the pane no longer exists"))
}

/// Makes zellij or kitty show the window of a process. Its number is in the environment of the process.
fn focus(pid: u32) -> Option<()> {
    let variable = |name| process::variable(pid, name);
    let number = |name| variable(name)?.parse::<u32>().ok();
    // zellij goes first, because it can run in kitty.
    let (program, words) = if let Some(pane) = number("ZELLIJ_PANE_ID") {
        let session = format!("--session={}", variable("ZELLIJ_SESSION_NAME")?);
        ("zellij", [session, "action".to_owned(), "focus-pane-id".to_owned(), pane.to_string()])
    } else {
        let address = format!("--to={}", variable("KITTY_LISTEN_ON")?);
        let window = format!("--match=id:{}", number("KITTY_WINDOW_ID")?);
        ("kitty", ["@".to_owned(), address, "focus-window".to_owned(), window])
    };
    let words = words.each_ref().map(OsStr::new);
    process::run(&process::find_program(program)?, &words, &[], Path::new("/"), LIMIT).ok()?.success.then_some(())
}

/// Where a session without a pane is: its terminal, process and folder.
pub(super) fn place_of(live_session: &LiveSession, ui: &Ui) -> String {
    let manifest = &live_session.session.manifest;
    let tty = manifest.pid.and_then(process::terminal);
    let tty = tty.map_or("unknown".to_owned(), |tty| tty.to_string_lossy().into_owned());
    let pid = manifest.pid.map_or("unknown".to_owned(), |pid| pid.to_string());
    format!("terminal {tty}, process {pid}, folder {}", ui.path(Path::new(&manifest.path)))
}
