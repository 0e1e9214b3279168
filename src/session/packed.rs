//! A manifest in few bytes, for an index: reading it back costs a tenth of parsing JSON.
//!
//! Only what a prompt, a status line or a list of sessions shows. Words are 64 bits, little-endian; a text is its length
//! in 16 bits and its bytes, `ABSENT` for none; a time is its seconds since 1970 in a word, and the nanoseconds in one.

use jiff::Timestamp;

use super::manifest::Manifest;
use super::state::State;
use super::task::TaskSource;
use super::touch::Wrote;

/// Bytes of a word.
pub(crate) const WORD: usize = 8;
/// The length of a text that is not there.
const ABSENT: u16 = u16::MAX;
/// A number that is not there.
pub(crate) const NO_NUMBER: u64 = u64::MAX;
/// The seconds of a time that is not there.
const NO_TIME: u64 = i64::MIN as u64;

const STATES: [State; 5] = [State::Unknown, State::Idle, State::Working, State::Waiting, State::Error];
const SOURCES: [Option<TaskSource>; 4] =
    [None, Some(TaskSource::Prompt), Some(TaskSource::Title), Some(TaskSource::User)];

/// Packs a manifest. `None` where it holds what is rare and has no place here (several processes, an end, files that
/// two sessions wrote, a HEAD that was moved) or is too long: then the manifest itself has to be read.
pub fn pack(manifest: &Manifest) -> Option<Vec<u8>> {
    let rare = manifest.ended.is_some()
        || !manifest.processes.is_empty()
        || !manifest.overlaps.is_empty()
        || manifest.head_moved.is_some();
    if rare {
        return None;
    }
    let mut out = Vec::with_capacity(512);
    let states = STATES.iter().position(|state| *state == manifest.state)? as u64;
    let sources = SOURCES.iter().position(|source| *source == manifest.task_source)? as u64;
    put_word(&mut out, states << 32 | sources);
    put_word(&mut out, manifest.pid.map_or(NO_NUMBER, u64::from));
    put_word(&mut out, manifest.pid_start.unwrap_or(NO_NUMBER));
    for time in [manifest.started, manifest.state_since, manifest.updated] {
        put_time(&mut out, time);
    }
    for text in [&manifest.project, &manifest.path] {
        put_text(&mut out, text)?;
    }
    let texts = [
        &manifest.git_branch,
        &manifest.task,
        &manifest.boot_id,
        &manifest.waiting_for,
        &manifest.tool,
        &manifest.head,
        &manifest.tree,
        &manifest.repository,
        &manifest.tmux_pane,
        &manifest.tmux_socket,
        &manifest.host,
    ];
    for text in texts {
        put_text_or_none(&mut out, text.as_deref())?;
    }
    put_word(&mut out, manifest.wrote_in.len() as u64);
    for wrote in &manifest.wrote_in {
        put_text(&mut out, &wrote.tree)?;
        put_text(&mut out, &wrote.repository)?;
        put_time(&mut out, Some(wrote.at));
    }
    Some(out)
}

/// Reads what [`pack`] wrote. The fields that it left out are empty, and so is the id, which is the file's name.
pub fn unpack(bytes: &[u8]) -> Option<Box<Manifest>> {
    let mut reader = Reader(bytes);
    let mut manifest = Box::<Manifest>::default();
    let kinds = reader.word()?;
    manifest.state = *STATES.get((kinds >> 32) as usize)?;
    manifest.task_source = *SOURCES.get((kinds & 0xffff_ffff) as usize)?;
    let mut number = || Some(Some(reader.word()?).filter(|number| *number != NO_NUMBER));
    manifest.pid = match number()? {
        Some(pid) => Some(u32::try_from(pid).ok()?),
        None => None,
    };
    manifest.pid_start = number()?;
    manifest.started = reader.time()?;
    manifest.state_since = reader.time()?;
    manifest.updated = reader.time()?;
    manifest.project = reader.string()?.to_owned();
    manifest.path = reader.string()?.to_owned();
    let texts = [
        &mut manifest.git_branch,
        &mut manifest.task,
        &mut manifest.boot_id,
        &mut manifest.waiting_for,
        &mut manifest.tool,
        &mut manifest.head,
        &mut manifest.tree,
        &mut manifest.repository,
        &mut manifest.tmux_pane,
        &mut manifest.tmux_socket,
        &mut manifest.host,
    ];
    for text in texts {
        *text = reader.string_or_none()?;
    }
    for _ in 0..reader.word()? {
        let (tree, repository) = (reader.string()?.to_owned(), reader.string()?.to_owned());
        manifest.wrote_in.push(Wrote { tree, repository, at: reader.time()?? });
    }
    Some(manifest)
}

/// Bytes to be taken from the front.
pub(crate) struct Reader<'a>(pub(crate) &'a [u8]);

impl<'a> Reader<'a> {
    pub(crate) fn take(&mut self, length: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(taken)
    }

    pub(crate) fn word(&mut self) -> Option<u64> {
        Some(u64::from_le_bytes(self.take(WORD)?.try_into().ok()?))
    }

    pub(crate) fn text(&mut self) -> Option<&'a [u8]> {
        self.text_or_none()?
    }

    fn text_or_none(&mut self) -> Option<Option<&'a [u8]>> {
        match u16::from_le_bytes(self.take(2)?.try_into().ok()?) {
            ABSENT => Some(None),
            length => self.take(length.into()).map(Some),
        }
    }

    pub(crate) fn string(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.text()?).ok()
    }

    pub(crate) fn string_or_none(&mut self) -> Option<Option<String>> {
        match self.text_or_none()? {
            Some(text) => Some(Some(std::str::from_utf8(text).ok()?.to_owned())),
            None => Some(None),
        }
    }

    pub(crate) fn time(&mut self) -> Option<Option<Timestamp>> {
        match (self.word()?, self.word()?) {
            (NO_TIME, _) => Some(None),
            (seconds, nanoseconds) => {
                Timestamp::new(seconds.cast_signed(), i32::try_from(nanoseconds.cast_signed()).ok()?).ok().map(Some)
            }
        }
    }
}

pub(crate) fn put_word(out: &mut Vec<u8>, word: u64) {
    out.extend_from_slice(&word.to_le_bytes());
}

/// `None` where it is too long.
pub(crate) fn put_text(out: &mut Vec<u8>, text: &str) -> Option<()> {
    let length = u16::try_from(text.len()).ok().filter(|length| *length != ABSENT)?;
    out.extend_from_slice(&length.to_le_bytes());
    out.extend_from_slice(text.as_bytes());
    Some(())
}

/// `None` where it is too long.
pub(crate) fn put_text_or_none(out: &mut Vec<u8>, text: Option<&str>) -> Option<()> {
    match text {
        Some(text) => put_text(out, text)?,
        None => out.extend_from_slice(&ABSENT.to_le_bytes()),
    }
    Some(())
}

pub(crate) fn put_time(out: &mut Vec<u8>, time: Option<Timestamp>) {
    put_word(out, time.map_or(NO_TIME, |time| time.as_second().cast_unsigned()));
    put_word(out, time.map_or(0, |time| i64::from(time.subsec_nanosecond()).cast_unsigned()));
}

#[cfg(test)]
mod tests {
    use super::*;

    const FULL: &str = r#"{
  "session_id": "", "project": "p", "path": "/p", "git_branch": "main", "git_dirty": null,
  "started": "2025-12-26T14:30:00Z", "pid": 12345, "task": "Fix \u00e9", "pid_start": 99, "boot_id": "b",
  "state": "waiting", "state_since": "2025-12-26T14:30:00.123Z", "waiting_for": "permission: Bash", "tool": "Bash",
  "task_source": "title", "head": "0123", "updated": "1969-12-31T23:59:59.5Z", "tree": "/p", "repository": "/p/.git",
  "wrote_in": [{"tree": "/q", "repository": "/p/.git", "at": "2025-12-26T14:30:00.123Z"}],
  "tmux_pane": "%3", "tmux_socket": "/s", "host": "h"
}"#;

    #[test]
    fn what_is_packed_comes_back() {
        for text in [FULL, "{}", r#"{"task":"","pid":0}"#] {
            let manifest = Manifest::parse(text.as_bytes()).unwrap();
            let back = unpack(&pack(&manifest).unwrap()).unwrap();
            assert_eq!(String::from_utf8(back.to_bytes()), String::from_utf8(manifest.to_bytes()), "{text}");
        }
    }

    #[test]
    fn what_has_no_place_is_not_packed() {
        let stamp = r#"{"from_branch":null,"from":null,"to_branch":null,"to":null,"session_id":null,"task":null,"how":null,"at":"2025-12-26T14:30:00Z"}"#;
        for rare in [
            r#"{"ended":"2025-12-26T14:30:00Z"}"#.to_owned(),
            r#"{"processes":[[1,2]]}"#.to_owned(),
            r#"{"overlaps":[{"path":"/a","session_id":"b","at":"2025-12-26T14:30:00Z"}]}"#.to_owned(),
            format!(r#"{{"head_moved":{stamp}}}"#),
            format!(r#"{{"task":"{}"}}"#, "x".repeat(65_535)),
        ] {
            assert!(pack(&Manifest::parse(rare.as_bytes()).unwrap()).is_none(), "{rare:.80}");
        }
    }

    #[test]
    fn a_piece_of_it_is_nothing() {
        let packed = pack(&Manifest::parse(FULL.as_bytes()).unwrap()).unwrap();
        assert!((0..packed.len()).all(|end| unpack(&packed[..end]).is_none()));
    }
}
