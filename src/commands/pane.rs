//! Where a session can be seen: its tmux pane, which can be shown, or its terminal, which can be named.

use std::path::Path;

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

/// Shows the pane of a session, whatever session of tmux it is in.
///
/// # Errors
/// If it has none, or tmux cannot show it.
pub(super) fn go_to(live_session: &LiveSession) -> Result<()> {
    let doing = "switching to the session's pane";
    let manifest = &live_session.session.manifest;
    let Some(pane) = of(live_session) else {
        let pid = manifest.pid.map(|pid| format!(", pid {pid}")).unwrap_or_default();
        return Err(Error::new(doing, live_session.session.id.short(), format!("it does not run in a tmux pane{pid}")));
    };
    let tmux = Tmux::at(manifest.tmux_socket.as_deref().filter(|socket| socket.starts_with('/')), doing)?;
    let did = |command| tmux.ask(&[command, "-t", pane]).is_some();
    // A client is switched to the pane's session, window and pane at once, where one is attached.
    if did("switch-client") {
        return Ok(());
    }
    if did("select-window") && did("select-pane") {
        return Err(Error::new(doing, pane, "no terminal is attached to this tmux session").hint("type: tmux attach"));
    }
    Err(Error::new(doing, pane, "tmux does not answer, or the pane no longer exists"))
}

/// Where a session without a pane is: its terminal, process and folder.
pub(super) fn place_of(live_session: &LiveSession, ui: &Ui) -> String {
    let manifest = &live_session.session.manifest;
    let tty = manifest.pid.and_then(process::terminal);
    let tty = tty.map_or("unknown".to_owned(), |tty| tty.to_string_lossy().into_owned());
    let pid = manifest.pid.map_or("unknown".to_owned(), |pid| pid.to_string());
    format!("terminal {tty}, process {pid}, folder {}", ui.path(Path::new(&manifest.path)))
}
