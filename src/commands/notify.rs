//! Notifies the user that a session needs an answer, if the configuration file says so (`notify = true`).

use crate::config::Key;
use crate::context::Context;
use crate::render::notification::Notifier;
use crate::session::manifest::Manifest;
use crate::session::time::seconds_between;
use crate::store::root::Root;
use crate::sys::terminal;

/// Seconds between two notifications, whichever sessions they are about.
const INTERVAL: u64 = 60;
/// The file of the cache whose time is that of the last notification.
const NOTIFIED: &str = "notified";

/// Notifies on the terminal of a session that has just become blocked. Whatever goes wrong, nothing happens.
pub(super) fn blocked(context: &Context, root: &Root, manifest: &Manifest) {
    if !context.config().is_on(Key::Notify) || manifest.headless {
        return;
    }
    let Some(pid) = manifest.pid else { return };
    let Ok(cache) = root.open_cache("notify") else { return };
    let last = cache.meta_of(NOTIFIED).ok().and_then(|meta| jiff::Timestamp::from_nanosecond(meta.modified).ok());
    if last.is_some_and(|last| last <= context.now && seconds_between(last, context.now) < INTERVAL) {
        return;
    }
    let text = format!("{} waits for {}", manifest.project, manifest.waiting_for.as_deref().unwrap_or("an answer"));
    let sequence = Notifier::of(|name| context.variable(name)).sequence(&text);
    if terminal::write_to_terminal_of(pid, sequence.as_bytes()).is_ok() {
        let _ = cache.touch(NOTIFIED);
    }
}
