//! How a manifest changes: one change at a time, into history at the end, and back when a session is resumed.
//!
//! Writers take the lock of the `active` folder. Everything slow is done before or after: under the lock there is one read,
//! one change and one write, and nothing that grows with the number of sessions, files or days.

use std::io::{self, ErrorKind};
use std::time::Duration;

use jiff::Timestamp;

use super::history::{self, Day, Ended};
use super::live::Liveness;
use super::manifest_file::{self, Session, parse_for_change, read_bytes, read_session};
use super::root::Root;
use super::{activity_log, commit_log, revision, write_log};
use crate::error::{Error, Result};
use crate::session::event::{self, Outcome};
use crate::session::id::SessionId;
use crate::session::manifest::{Manifest, Shown};
use crate::sys::clock;
use crate::sys::files::{Folder, Locking, PRIVATE};

/// The state of a session on disk before the lock is taken.
#[derive(Debug, Default)]
pub struct Known {
    active: Option<(Vec<u8>, Manifest)>,
    ended: Option<Ended>,
}

impl Known {
    /// Reads a session's manifest: the active one, else, if `returning` says so, its last one in history.
    ///
    /// # Errors
    /// If the file is not a manifest (it is left alone), belongs to another user or cannot be read.
    pub fn read(root: &Root, folder: &Folder, id: &SessionId, returning: bool) -> Result<Known> {
        let Some(bytes) = read_bytes(folder, id)? else {
            return Ok(Known { active: None, ended: if returning { history::find(root, id) } else { None } });
        };
        let manifest = parse_for_change(folder, &bytes, id)?;
        Ok(Known { active: Some((bytes, manifest)), ended: None })
    }

    /// The manifest.
    pub fn manifest(&self) -> Option<&Manifest> {
        let active = self.active.as_ref().map(|(_, manifest)| manifest);
        active.or_else(|| Some(&self.ended.as_ref()?.manifest))
    }

    /// What history contains now, asked under the lock of the active sessions, among which this one is not: meanwhile
    /// another process may have archived it, or resumed and archived it again.
    fn ended_now(self, root: &Root, id: &SessionId) -> Option<Ended> {
        match self {
            Known { active: None, ended: None } => None,
            Known { ended: Some(ended), .. } if history::is_unchanged(root, &ended, id) => Some(ended),
            Known { .. } => history::find(root, id),
        }
    }
}

/// A writer that waited this long goes on without the lock: the process that holds it was stopped in the middle of a change
/// of microseconds. With a shorter time limit nothing is written without the lock, so no change of another writer is lost.
pub const UNLOCKED_AFTER: Duration = Duration::from_secs(10);

/// Whether a change failed because another process holds the lock.
pub fn is_busy(error: &Error) -> bool {
    let source = std::error::Error::source(error).and_then(|source| source.downcast_ref::<io::Error>());
    source.is_some_and(|why| why.kind() == ErrorKind::ResourceBusy)
}

/// Changes one manifest, alone among the writers. `known` was read a moment ago, without the lock. `change` gets the
/// manifest as it is now (an empty one for a new session), whether the session is known, and returns what becomes of it.
///
/// # Errors
/// If the file is not a manifest or cannot be written; if another process holds the lock for `timeout` (see [`is_busy`]),
/// which is less than [`UNLOCKED_AFTER`]; and what `change` returns.
pub fn update<T>(
    root: &Root,
    folder: &Folder,
    id: &SessionId,
    known: Known,
    timeout: Duration,
    change: impl FnOnce(&mut Manifest, bool) -> Result<(Outcome, T)>,
) -> Result<T> {
    let mut open = open_for_change(root, folder, id, known, timeout)?;
    let is_known = open.is_active || open.came_back.is_some();
    let (outcome, result) = change(&mut open.manifest, is_known)?;
    if outcome != Outcome::Ignore {
        write_change(root, folder, id, open, outcome, timeout)?;
    }
    Ok(result)
}

/// A manifest that is about to change, under the lock.
struct OpenManifest<'a> {
    lock: Locking<'a>,
    manifest: Manifest,
    /// What it showed before the change; `None` for a new session.
    before: Option<Shown>,
    /// It is among the active ones.
    is_active: bool,
    /// Where it was in history.
    came_back: Option<Ended>,
}

/// The part of [`update`] before the change.
fn open_for_change<'a>(
    root: &Root,
    folder: &'a Folder,
    id: &SessionId,
    known: Known,
    timeout: Duration,
) -> Result<OpenManifest<'a>> {
    let lock = match folder.lock(timeout) {
        Locking::Busy if timeout < UNLOCKED_AFTER => {
            let path = folder.path().join(id.file_name());
            let why = io::Error::new(ErrorKind::ResourceBusy, "another process holds the lock");
            return Err(Error::new("changing a session", path.display(), why).hint("try again"));
        }
        lock => lock,
    };
    let (mut manifest, is_active, came_back) = match (read_bytes(folder, id)?, known) {
        // Unchanged since it was read.
        (Some(bytes), Known { active: Some((same, manifest)), .. }) if bytes == same => (manifest, true, None),
        (Some(bytes), _) => (parse_for_change(folder, &bytes, id)?, true, None),
        (None, known) => match known.ended_now(root, id) {
            Some(mut ended) => {
                let mut manifest = std::mem::take(&mut ended.manifest);
                manifest.dismissed = false;
                (manifest, false, Some(ended))
            }
            None => (Manifest::default(), false, None),
        },
    };
    id.as_str().clone_into(&mut manifest.session_id);
    let before = (is_active || came_back.is_some()).then(|| manifest.shown());
    Ok(OpenManifest { lock, manifest, before, is_active, came_back })
}

/// The part of [`update`] after the change.
fn write_change(
    root: &Root,
    folder: &Folder,
    id: &SessionId,
    open: OpenManifest<'_>,
    outcome: Outcome,
    timeout: Duration,
) -> Result<()> {
    let OpenManifest { lock, mut manifest, before, is_active, came_back } = open;
    let shown = manifest.shown();
    if outcome == Outcome::Keep {
        write_log::unfold(folder, id, &mut manifest);
        commit_log::unfold(folder, id, &mut manifest);
        // One that was about to be archived has the field already.
        if !is_active || !manifest.activity.is_empty() {
            activity_log::unfold(folder, id, &mut manifest);
        }
    }
    let is_due = activity_log::append(folder, id, &mut manifest, before.as_ref().map(|before| (before, &shown)));
    manifest_file::write(folder, id, &manifest.to_bytes(), !is_active)?;
    if let Some(ended) = came_back {
        // Still under the lock: without it the session may end again, and its new end would be taken for the old one.
        history::forget(root, &ended, id);
    }
    drop(lock);
    if is_due {
        activity_log::compact(folder, id, manifest.state_since.unwrap_or(Timestamp::MAX));
    }
    if outcome == Outcome::Archive {
        move_to_history(root, folder, id, timeout)?;
    }
    if outcome == Outcome::Archive || !is_active || before.as_ref() != Some(&shown) {
        revision::change();
    }
    Ok(())
}

/// [`update`] for a session of which nothing else has to be known before.
///
/// # Errors
/// As for [`update`].
pub fn change<T>(
    root: &Root,
    id: &SessionId,
    timeout: Duration,
    change: impl FnOnce(&mut Manifest, bool) -> Result<(Outcome, T)>,
) -> Result<T> {
    update(root, &root.open_active()?, id, Known::default(), timeout, change)
}

/// How often an ended manifest is prepared anew because it or its log changed meanwhile.
const ATTEMPTS: usize = 3;

/// Moves a manifest that says it has ended to the day on which it ended, with what its write log contains. A kill at any
/// moment leaves it in one of the two folders; any later writer that finds an ended manifest in `active` moves it.
///
/// The time zone, the day's folder and the write log are looked up without the lock; under it there are two renames.
/// Nothing is moved if another process holds the lock all the time: the manifest stays and is moved later.
fn move_to_history(root: &Root, folder: &Folder, id: &SessionId, timeout: Duration) -> Result<Option<(Manifest, Day)>> {
    let name = id.file_name();
    for _ in 0..ATTEMPTS {
        let Some(before) = read_bytes(folder, id)? else { return Ok(None) };
        let mut manifest = parse_for_change(folder, &before, id)?;
        let Some(ended) = manifest.ended else { return Ok(None) };
        let day = Day::of(ended, &clock::time_zone());
        let target = history::open_or_make(root, day)?;
        let failed = |why: std::io::Error| Error::new("archiving a session", target.path().join(&name).display(), why);
        let logs = || (write_log::version(folder, id), commit_log::version(folder, id));
        let before_logs = logs();
        write_log::fold(folder, id, &mut manifest);
        activity_log::fold(folder, id, &mut manifest);
        commit_log::fold(folder, id, &mut manifest);
        let bytes = manifest.to_bytes();
        let staged = folder.stage(&name, &bytes, PRIVATE).map_err(failed)?;
        let lock = folder.lock(timeout);
        if matches!(lock, Locking::Busy) {
            return Ok(None);
        }
        if read_bytes(folder, id)?.as_ref() != Some(&before) || logs() != before_logs {
            continue;
        }
        staged.commit().map_err(failed)?;
        keep_what_is_there(&target, id, &name).map_err(failed)?;
        match folder.move_to(&name, &target) {
            Err(why) if why.kind() == ErrorKind::CrossesDevices => {
                target.replace(&name, &bytes, PRIVATE).map_err(failed)?;
                folder.remove(&name).map_err(failed)?;
            }
            moved => moved.map_err(failed)?,
        }
        write_log::forget(folder, id);
        activity_log::forget(folder, id);
        commit_log::forget(folder, id);
        return Ok(Some((manifest, day)));
    }
    Ok(None)
}

/// A day may contain the session already: it ended twice, and the first end was not taken out, or is not a manifest. That
/// one stays, under the next free name, `ID.2.json`.
fn keep_what_is_there(target: &Folder, id: &SessionId, name: &str) -> std::io::Result<()> {
    if target.meta_of(name).is_err() {
        return Ok(());
    }
    let names = (2..1000).map(|number| format!("{id}.{number}.json"));
    match names.into_iter().find(|free| target.meta_of(free).is_err()) {
        Some(free) => target.rename(name, &free),
        None => Err(ErrorKind::AlreadyExists.into()),
    }
}

/// A session that was archived because its process is gone.
#[derive(Clone, Debug)]
pub struct Archived {
    /// What it was.
    pub session: Session,
    /// Its last sign of life.
    pub last_seen: Timestamp,
    /// The day of history that it is in.
    pub day: Day,
}

/// Archives a session whose process is gone; `None` if it came back, another process archived it, or holds the lock.
///
/// # Errors
/// If it cannot be moved.
pub fn archive_stale(root: &Root, id: &SessionId, timeout: Duration) -> Result<Option<Archived>> {
    archive_if(root, id, timeout, |session| session.liveness == Liveness::Stale)
}

/// Marks an ended session as one that its user does not want to resume. `false` if it is not in history, came back
/// meanwhile, or another process holds the lock.
///
/// # Errors
/// If its manifest cannot be written.
pub fn dismiss(root: &Root, id: &SessionId, timeout: Duration) -> Result<bool> {
    archive_stale(root, id, timeout)?;
    let Some(mut ended) = history::find(root, id) else { return Ok(false) };
    ended.manifest.dismissed = true;
    let folder = root.open_active()?;
    let lock = folder.lock(timeout);
    if matches!(lock, Locking::Busy) || !history::is_unchanged(root, &ended, id) {
        return Ok(false);
    }
    history::write(root, &ended, id)?;
    Ok(true)
}

/// Archives a session as pruned if `is_over`, asked under the lock, says so. `None` if it does not, or if another process
/// archived the session meanwhile.
///
/// # Errors
/// If it cannot be moved, or another process holds the lock for longer than `timeout`.
pub fn archive_if(
    root: &Root,
    id: &SessionId,
    timeout: Duration,
    is_over: impl Fn(&Session) -> bool,
) -> Result<Option<Archived>> {
    let folder = root.open_active()?;
    let busy = || {
        let path = folder.path().join(id.file_name());
        Error::new("archiving a session", path.display(), "another process holds the lock").hint("try again")
    };
    let lock = folder.lock(timeout);
    if matches!(lock, Locking::Busy) {
        return Err(busy());
    }
    let Ok(Some(mut session)) = read_session(&folder, id) else { return Ok(None) };
    if !is_over(&session) {
        return Ok(None);
    }
    let last_seen = session.last_seen();
    if session.manifest.ended.is_none() || session.manifest.status.is_none() {
        // The time of its end is unknown; its last event is the best estimate.
        event::archive(&mut session.manifest, last_seen, "pruned", None);
        activity_log::append(&folder, id, &mut session.manifest, None);
        manifest_file::write(&folder, id, &session.manifest.to_bytes(), false)?;
    }
    drop(lock);
    let moved = move_to_history(root, &folder, id, timeout)?;
    revision::change();
    match moved {
        Some((manifest, day)) => {
            *session.manifest = manifest;
            Ok(Some(Archived { session, last_seen, day }))
        }
        None if folder.meta_of(&id.file_name()).is_ok() => Err(busy()),
        None => Ok(None),
    }
}

/// Sessions whose writers are killed at any step, or overtaken by another one, and what is recorded of their activity.
#[cfg(test)]
mod tests {
    use std::panic::{AssertUnwindSafe, catch_unwind, resume_unwind};
    use std::path::PathBuf;

    use jiff::SignedDuration;

    use super::*;
    use crate::session::activity::{Activity, Entry, Kind, Span};
    use crate::session::event::tests::at;
    use crate::session::event::{Dialog, Event, EventContext};
    use crate::session::state::{State, Status, StatusReport};
    use crate::session::time::seconds_between;
    use crate::sys::files::steps::{self, Step};
    use crate::sys::files::{make_temporary_folder, remove_folder};

    /// No hook waits for a lock here: another writer runs to its end before this one goes on.
    const TIMEOUT: Duration = Duration::from_secs(1);

    /// A sequence of numbers that looks random and is the same each time.
    struct Numbers(u64);

    impl Numbers {
        fn below(&mut self, bound: u64) -> u64 {
            self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            (self.0 >> 33) % bound
        }

        fn next(&mut self) -> u64 {
            self.below(u64::MAX)
        }
    }

    /// A session in a folder of its own, which is removed at the end.
    struct OneSession {
        root: Root,
        id: SessionId,
        now: Timestamp,
        /// It starts and ends often, and has few spans.
        ends_often: bool,
        numbers: Numbers,
    }

    impl Drop for OneSession {
        fn drop(&mut self) {
            let _ = remove_folder(self.root.path());
        }
    }

    impl OneSession {
        fn new(seed: u64) -> OneSession {
            let path: PathBuf = make_temporary_folder("ait-kills").unwrap();
            let id = SessionId::parse("one").unwrap();
            OneSession {
                root: Root::at(path),
                id,
                now: at(0).now,
                ends_often: seed.is_multiple_of(2),
                numbers: Numbers(seed),
            }
        }

        /// Some time later a writer runs. Half of the pauses are so short that spans are merged.
        fn run_writer(&mut self) -> &'static str {
            let pause = if self.numbers.below(2) == 0 { 20_000 } else { 300_000 };
            self.now += SignedDuration::from_millis(i64::try_from(self.numbers.below(pause)).unwrap());
            let seed = self.numbers.next();
            let (root, id) = (self.root.clone(), self.id.clone());
            run_and_kill(Writer { root, id, now: self.now, ends_often: self.ends_often, seed }, true)
        }

        /// What is recorded of a session that is not archived adds up.
        fn check_active(&self) {
            let Ok(folder) = self.root.active_folder() else { return };
            let Some(session) = read_session(&folder, &self.id).unwrap() else { return };
            let manifest = session.manifest;
            if manifest.ended.is_some() {
                return;
            }
            let mut entries = activity_log::read(&folder, &self.id);
            let now = self.now + SignedDuration::from_secs(1);
            let open = Kind::of(manifest.state, manifest.waiting_for.as_deref()).zip(manifest.state_since);
            let span = open.map(|(kind, since)| Span::new(kind, since, now));
            entries.extend(span.map(Entry::Span));
            check(&Activity::new(entries), &manifest, span, now);
        }

        /// Whatever the kills left: the session is resumed once more, and ends.
        fn check_archived(&self) {
            let folder = self.root.open_active().unwrap();
            let send = |event| {
                let known = Known::read(&self.root, &folder, &self.id, true).unwrap();
                apply(&self.root, &self.id, known, &event, &EventContext { now: self.now, ..at(0) });
            };
            send(Event::Start { model: None });
            send(Event::End { reason: Some("other".into()) });
            let manifest = history::find(&self.root, &self.id).unwrap().manifest;
            check(&manifest.activity, &manifest, None, manifest.ended.unwrap());
            // A killed writer also leaves its temporary file, which `prune` removes.
            assert!(folder.names().unwrap().iter().all(|name| name.starts_with('.')));
        }
    }

    /// Runs a writer. Two of three may be killed before one of their steps; before one that `is_first` gets a lock, another one
    /// may have run.
    fn run_and_kill(writer: Writer, is_first: bool) -> &'static str {
        let mut numbers = Numbers(writer.seed);
        let mut seeds = Numbers(numbers.next());
        let most_steps = [4, 14, u64::MAX][numbers.below(3) as usize];
        let mut steps_left = numbers.below(most_steps);
        let other = writer.clone();
        let hook = move |step| match step {
            Step::Lock if is_first && seeds.below(4) == 0 => {
                run_and_kill(Writer { seed: seeds.next(), ..other.clone() }, false);
            }
            Step::Lock => {}
            Step::Write if steps_left == 0 => resume_unwind(Box::new(Killed)),
            Step::Write => steps_left -= 1,
        };
        match catch_unwind(AssertUnwindSafe(|| steps::observe(hook, || writer.write(&mut numbers)))) {
            Ok(name) => name,
            Err(why) if why.is::<Killed>() => "killed",
            Err(why) => resume_unwind(why),
        }
    }

    /// What a killed writer panics with.
    struct Killed;

    /// The recorded spans add up to the times of the manifest, and lie within the session. `open` is the span that goes on.
    fn check(activity: &Activity, manifest: &Manifest, open: Option<Span>, now: Timestamp) {
        let seconds = |kind, closed: u64| closed + open.filter(|span| span.kind == kind).map_or(0, |span| span.seconds);
        for (kind, closed) in [(Kind::Working, manifest.worked_seconds), (Kind::Blocked, manifest.waited_seconds)] {
            assert_eq!(activity.seconds(kind), seconds(kind, closed), "{kind:?}: {:#?}", activity.spans);
        }
        for span in &activity.spans {
            assert!(span.from < span.to && span.seconds <= seconds_between(span.from, span.to), "{span:?}");
            assert!(manifest.started.unwrap() <= span.from && span.to <= now, "{span:?}");
        }
    }

    /// What one process does with a session.
    #[derive(Clone)]
    struct Writer {
        root: Root,
        id: SessionId,
        now: Timestamp,
        ends_often: bool,
        seed: u64,
    }

    impl Writer {
        /// An event, the end of the session by another command, or a late compaction of its log. Returns its name.
        fn write(&self, numbers: &mut Numbers) -> &'static str {
            let folder = self.root.open_active().unwrap();
            let active = read_session(&folder, &self.id).unwrap().map(|session| session.manifest);
            let is_over = active.as_ref().is_none_or(|manifest| manifest.ended.is_some());
            let starts_or_ends = numbers.below(if is_over || self.ends_often { 4 } else { 20 }) == 0;
            let event = match numbers.below(if starts_or_ends { 6 } else { 50 }) {
                0..2 if starts_or_ends => Event::Start { model: None },
                2..4 if starts_or_ends => Event::End { reason: Some("other".into()) },
                _ if starts_or_ends => {
                    let _ = archive_if(&self.root, &self.id, TIMEOUT, |_| true);
                    return "prune";
                }
                0..15 => Event::Prompt("go".into()),
                15..24 => Event::ToolStart("AskUserQuestion".into()),
                24..27 => Event::DialogOpen(Dialog::Permission),
                27..37 => Event::ToolEnd,
                37..47 => Event::TurnEnd { in_background: false },
                _ => {
                    let since = active.and_then(|manifest| manifest.state_since);
                    activity_log::compact(&folder, &self.id, since.unwrap_or(Timestamp::MAX));
                    return "compact";
                }
            };
            self.send(&event, numbers);
            event_name(&event)
        }

        fn send(&self, event: &Event, numbers: &mut Numbers) {
            let folder = self.root.open_active().unwrap();
            // A start that does not resume begins a new session, even if history has one with this id.
            let returning = !matches!(event, Event::Start { .. }) || numbers.below(4) > 0;
            let known = Known::read(&self.root, &folder, &self.id, returning).unwrap();
            let mut context = EventContext { now: self.now, ..at(0) };
            if let Some(manifest) = known.manifest() {
                context.silent_change = silent_change(manifest, event, self.now, numbers);
                let since = self.now - SignedDuration::from_secs(i64::try_from(numbers.below(6)).unwrap());
                context.report = Some(StatusReport { status: Status::Waiting, since: Some(since), waiting_for: None });
            }
            context.title = (numbers.below(20) == 0).then(|| format!("task {}", numbers.below(3)));
            apply(&self.root, &self.id, known, event, &context);
        }
    }

    fn event_name(event: &Event) -> &'static str {
        match event {
            Event::Start { .. } => "start",
            Event::Prompt(_) => "prompt",
            Event::ToolStart(_) => "ask",
            Event::DialogOpen(_) => "dialog",
            Event::ToolEnd => "tool end",
            Event::TurnEnd { .. } => "turn end",
            _ => "end",
        }
    }

    /// As the client tells of it, or does not.
    fn silent_change(
        manifest: &Manifest,
        event: &Event,
        now: Timestamp,
        numbers: &mut Numbers,
    ) -> Option<(State, Timestamp)> {
        if !crate::session::silent_change::is_possible(manifest, event, now) || numbers.below(2) == 0 {
            return None;
        }
        let state =
            if manifest.state == State::Working || numbers.below(2) == 0 { State::Idle } else { State::Working };
        let since = manifest.state_since?;
        let after = numbers.below(seconds_between(since, now) + 1);
        Some((state, (since + SignedDuration::from_secs(i64::try_from(after).unwrap())).min(now)))
    }

    /// Lets an event happen to a session, as a hook does.
    fn apply(root: &Root, id: &SessionId, known: Known, event: &Event, context: &EventContext) {
        let folder = root.open_active().unwrap();
        let change = |manifest: &mut Manifest, is_known: bool| {
            let starts = matches!(event, Event::Start { .. });
            if !starts && (!is_known || manifest.ended.is_some()) {
                return Ok((Outcome::Ignore, ()));
            }
            Ok((event.apply(manifest, context, |_| false), ()))
        };
        update(root, &folder, id, known, TIMEOUT, change).unwrap();
    }

    #[test]
    fn the_activity_of_sessions_whose_writers_are_killed_at_any_step_adds_up() {
        for seed in 0..300 {
            let length = 10 + seed / 3;
            let mut session = OneSession::new(seed);
            let mut log = Vec::new();
            let outcome = catch_unwind(AssertUnwindSafe(|| {
                for _ in 0..length {
                    log.push(session.run_writer());
                    session.check_active();
                }
                session.check_archived();
            }));
            if let Err(why) = outcome {
                eprintln!("sequence {seed} after {} of {length} writers: {log:?}", log.len());
                resume_unwind(why);
            }
        }
    }
}
