//! Events that a hook could not record, because another process held the lock: they are left to a detached process, for
//! Claude Code waits for a hook.

use jiff::Timestamp;

use super::start_job;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::session::id::SessionId;
use crate::sys::files::{Folder, PRIVATE};
use crate::sys::process::{self, Process};

/// The name of the job.
pub(super) const NAME: &str = "late-event";
/// The folder of the cache for the payloads.
const FOLDER: &str = "late-events";
/// As much as a hook reads.
const PAYLOAD_LIMIT: usize = 32 << 20;

fn failed(why: std::io::Error) -> Error {
    Error::new("recording an event later", FOLDER, why)
}

/// Leaves an event to the job.
///
/// # Errors
/// If its payload cannot be kept.
pub(super) fn hand_over(context: &Context, id: &SessionId, payload: &[u8], process: Option<&Process>) -> Result<()> {
    let name = format!("{}-{}", context.now.as_nanosecond(), process::id());
    let folder = context.root()?.open_cache(FOLDER).map_err(failed)?;
    folder.create_new(&name, payload, PRIVATE).map_err(failed)?;
    let [pid, start] = process.map_or([0, 0], |process| [process.pid.into(), process.start]).map(|id| id.to_string());
    // The session is the subject, so that its events are recorded one after the other.
    start_job(context, NAME, &[id.as_str(), &name, &pid, &start]);
    Ok(())
}

/// An event that was left to the job.
pub(super) struct LateEvent {
    pub(super) payload: Vec<u8>,
    /// When it happened.
    pub(super) at: Timestamp,
    /// The process of the session, which may have ended.
    pub(super) process: Option<Process>,
    folder: Folder,
    name: String,
}

/// Reads the event that [`hand_over`] kept.
///
/// # Errors
/// If its payload cannot be read.
pub(super) fn read(context: &Context, arguments: &[String]) -> Result<Option<LateEvent>> {
    let [_, name, pid, start] = arguments else { return Ok(None) };
    let folder = context.root()?.open_cache(FOLDER).map_err(failed)?;
    let payload = folder.read_own(name, PAYLOAD_LIMIT).map_err(failed)?;
    let at = name.split_once('-').and_then(|(at, _)| Timestamp::from_nanosecond(at.parse().ok()?).ok());
    let (pid, start) = (pid.parse().unwrap_or(0), start.parse().unwrap_or(0));
    let ended = Process { pid, parent: 0, name: String::new(), start, zombie: true, stopped: false };
    let process = process::look_up(pid).filter(|process| process.start == start).unwrap_or(ended);
    let process = (pid != 0).then_some(process);
    Ok(Some(LateEvent { payload, at: at.unwrap_or(context.now), process, folder, name: name.clone() }))
}

impl LateEvent {
    /// Removes the payload of a recorded event.
    ///
    /// # Errors
    /// If it cannot be removed.
    pub(super) fn forget(&self) -> Result<()> {
        self.folder.remove(&self.name).map_err(failed)
    }
}
