//! One manifest as a file: `active/<session_id>.json`.

use std::io::ErrorKind;
use std::path::PathBuf;

use jiff::Timestamp;

use super::live::{Liveness, liveness};
use crate::error::{Cause, Error, Result};
use crate::session::id::SessionId;
use crate::session::manifest::Manifest;
use crate::session::time::seconds_between;
use crate::sys::files::{Folder, Meta, PRIVATE};
use crate::sys::process;

/// A manifest is a few KiB. A larger file is not one, and is not read into memory.
pub const MAX_SIZE: usize = 4 << 20;

/// Seconds after its last event for which a session on another machine or in another container counts: a day.
const SECONDS_ELSEWHERE: u64 = 86_400;

/// One session of the `active` folder.
#[derive(Clone, Debug)]
pub struct Session {
    /// Its id, from the name of its file.
    pub id: SessionId,
    /// Its manifest. Boxed, because sessions are moved and sorted.
    pub manifest: Box<Manifest>,
    /// Whether its process runs.
    pub liveness: Liveness,
    /// Whether its process is stopped, as Ctrl-Z does it.
    pub is_stopped: bool,
    /// When its file was last written, for manifests that do not say when the session was last seen.
    pub written: Timestamp,
}

impl Session {
    /// A session as its manifest describes it; asks whether its process runs.
    pub fn new(id: SessionId, manifest: Manifest, meta: &Meta) -> Session {
        let (liveness, is_stopped) = liveness(&manifest);
        let written = Timestamp::from_nanosecond(meta.modified).unwrap_or(Timestamp::UNIX_EPOCH);
        Session { id, manifest: Box::new(manifest), liveness, is_stopped, written }
    }

    /// Whether the session counts among the live ones. One that is elsewhere counts for a day after its last event: its
    /// container or machine may be gone.
    pub fn counts(&self, now: Timestamp) -> bool {
        match self.liveness {
            Liveness::Live => true,
            Liveness::Elsewhere => seconds_between(self.last_seen(), now) < SECONDS_ELSEWHERE,
            Liveness::Stale | Liveness::Replaced => false,
        }
    }

    /// The last sign of life.
    pub fn last_seen(&self) -> Timestamp {
        self.manifest.last_seen().unwrap_or(self.written)
    }
}

/// A file that is named like a manifest and is not one. It is reported, and left where it is.
#[derive(Clone, Debug)]
pub struct UnreadableManifest {
    /// The file.
    pub path: PathBuf,
    /// Why it is not a manifest.
    pub why: String,
}

/// Reads one session; `None` if its file is gone or belongs to another user.
///
/// # Errors
/// Why the file is not a manifest.
pub fn read_session(folder: &Folder, id: &SessionId) -> std::result::Result<Option<Session>, String> {
    let (bytes, meta) = match folder.read_with_meta(&id.file_name(), MAX_SIZE) {
        Ok(read) => read,
        Err(why) if why.kind() == ErrorKind::NotFound => return Ok(None),
        Err(why) => return Err(why.to_string()),
    };
    if meta.owner != process::user_id() {
        return Ok(None);
    }
    Ok(Some(Session::new(id.clone(), parse(&bytes, id)?, &meta)))
}

/// Reads the bytes of a manifest for a writer; `None` if there is no such file.
///
/// # Errors
/// If the file belongs to another user or cannot be read.
pub fn read_bytes(folder: &Folder, id: &SessionId) -> Result<Option<Vec<u8>>> {
    let path = || folder.path().join(id.file_name());
    match folder.read_with_meta(&id.file_name(), MAX_SIZE) {
        Ok((_, meta)) if meta.owner != process::user_id() => {
            Err(Error::new("reading a manifest", path().display(), "the file belongs to another user")
                .hint("remove it if you do not expect it there"))
        }
        Ok((bytes, _)) => Ok(Some(bytes)),
        Err(why) if why.kind() == ErrorKind::NotFound => Ok(None),
        Err(why) => Err(Error::new("reading a manifest", path().display(), why)),
    }
}

/// Parses the bytes of a manifest. Its id is the name of its file, whatever the text says.
///
/// # Errors
/// Why the bytes are not a manifest.
pub fn parse(bytes: &[u8], id: &SessionId) -> std::result::Result<Manifest, String> {
    let mut manifest = Manifest::parse(bytes).map_err(|why| why.to_string())?;
    id.as_str().clone_into(&mut manifest.session_id);
    Ok(manifest)
}

/// [`parse`] for a writer.
///
/// # Errors
/// If the bytes are not a manifest: it is left alone.
pub fn parse_for_change(folder: &Folder, bytes: &[u8], id: &SessionId) -> Result<Manifest> {
    parse(bytes, id).map_err(|why| {
        let path = folder.path().join(id.file_name());
        Error::new("reading a manifest", path.display(), why).hint("correct the file, or move it away")
    })
}

/// Writes a manifest in one step. `is_first` says that the session had none: it is then written out to the disk first, so
/// that a power loss leaves no empty file.
///
/// # Errors
/// If it is too large, or cannot be written.
pub fn write(folder: &Folder, id: &SessionId, bytes: &[u8], is_first: bool) -> Result<()> {
    let name = id.file_name();
    let failed = |why: Cause| Error::new("writing a manifest", folder.path().join(&name).display(), why);
    if bytes.len() > MAX_SIZE {
        return Err(failed(format_args!("it would be larger than the {MAX_SIZE} bytes that are read").into()));
    }
    let staged = folder.stage(&name, bytes, PRIVATE).map_err(|why| failed(why.into()))?;
    if is_first {
        staged.sync().map_err(|why| failed(why.into()))?;
    }
    staged.commit().map_err(|why| failed(why.into()))
}
