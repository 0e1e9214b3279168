//! From sessions to what is shared of them. Never shared: prompts, transcripts, absolute paths, host names, session ids,
//! and text from the model.

use jiff::Timestamp;
use jiff::civil::Date;
use jiff::tz::TimeZone;

use super::mask::mask;
use super::record::{DayOfWork, Level, MAX_TASK, MAX_TEXT, Record, cut};
use super::store::State;
use crate::session::activity::Kind;
use crate::session::summary::SessionActivity;
use crate::session::task::TaskSource;
use crate::session::time::{add_days, whole_seconds};

/// The most files of a record, the last ones.
const MAX_FILES: usize = 100;
/// The most commits of a record, the last ones.
const MAX_COMMITS: usize = 200;
/// The most days of a record, the last ones.
const MAX_DAYS: usize = 200;

/// The record of a session to share. `None` if nothing is shared: it belongs to another repository, ran without a user, was
/// forgotten, ended before the user joined, or did nothing.
pub fn record_of(session: &SessionActivity, state: &State, level: Level, zone: &TimeZone) -> Option<Record> {
    let SessionActivity { manifest, running, .. } = session;
    let repository = manifest.repository.as_deref()?;
    let is_here = state.clones.iter().any(|(_, common)| common.as_os_str() == repository);
    let ended = manifest.ended.or_else(|| manifest.last_seen());
    let is_early = !running && ended.is_none_or(|ended| ended.as_second() < state.not_before);
    let id = state.record_id(&manifest.session_id);
    if !is_here || manifest.headless || is_early || state.forgotten.contains(&id) {
        return None;
    }
    let days = days_of(session, ended, zone);
    if days.is_empty() && !running {
        return None;
    }
    let masked = |text: &str, max: usize| {
        let mut text = mask(text).into_owned();
        cut(&mut text, max);
        text
    };
    let text = |text: &str| masked(text, MAX_TEXT);
    let task_of = |source, least| {
        let task = manifest.task.as_deref().filter(|_| manifest.task_source == Some(source) && level >= least);
        task.map(|task| masked(task, MAX_TASK))
    };
    let mut files: Vec<String> = Vec::new();
    if level == Level::All {
        // Outside of the repository a path is absolute.
        let is_inside = |path: &&str| !path.starts_with(['/', '~']);
        let inside = manifest.touched.iter().filter(|file| file.tree.is_some()).map(|file| file.path.as_str());
        for path in inside.filter(is_inside).rev().take(MAX_FILES) {
            files.push(text(path));
        }
        files.reverse();
    }
    let certain = manifest.commits.iter().filter(|commit| !commit.uncertain);
    let mut commits: Vec<String> = certain.map(|commit| commit.id.clone()).collect();
    commits.drain(..commits.len().saturating_sub(MAX_COMMITS));
    let status = manifest.status.as_deref().filter(|status| matches!(*status, "completed" | "interrupted" | "pruned"));
    Some(Record {
        session: id,
        project: Some(text(&manifest.project)).filter(|name| !name.is_empty()).unwrap_or_else(|| "unknown".to_owned()),
        branch: manifest.git_branch.as_deref().map(text),
        from: manifest.started.map(whole_seconds),
        to: if *running { None } else { ended.map(whole_seconds) },
        end: status.filter(|_| !running).map(str::to_owned),
        days,
        commits,
        task: task_of(TaskSource::User, Level::Tasks),
        title: task_of(TaskSource::Title, Level::All),
        files,
        sessions: None,
    })
}

/// When a session worked, by local days. Work from before times were recorded counts on its last day.
fn days_of(session: &SessionActivity, ended: Option<Timestamp>, zone: &TimeZone) -> Vec<DayOfWork> {
    let SessionActivity { manifest, activity, .. } = session;
    let date = |time: Timestamp| time.to_zoned_datetime(zone.clone()).date();
    let begin = |day: Date| day.at(0, 0, 0, 0).to_zoned_datetime(zone.clone()).map(|begin| begin.timestamp());
    let mut days: Vec<DayOfWork> = Vec::new();
    let mut add = |day: Date, kind: Kind, seconds: u64| {
        let at = days.binary_search_by(|known| known.day.cmp(&day)).unwrap_or_else(|at| {
            days.insert(at, DayOfWork { day, worked: 0, waited: 0 });
            at
        });
        let Some(known) = days.get_mut(at) else { return };
        let total = if kind == Kind::Working { &mut known.worked } else { &mut known.waited };
        *total = total.saturating_add(seconds).min(24 * 3600);
    };
    for span in &activity.spans {
        let mut from = span.from;
        // No session works for longer without a break; a damaged manifest may say so.
        for _ in 0..MAX_DAYS {
            let day = date(from);
            let next = begin(add_days(day, 1)).unwrap_or(span.to).min(span.to);
            if let Some(part) = span.within(from, next) {
                add(day, span.kind, part.seconds);
            }
            if next <= from || next >= span.to {
                break;
            }
            from = next;
        }
    }
    let untimed = manifest.worked_seconds.saturating_sub(activity.seconds(Kind::Working));
    if let Some(ended) = ended.filter(|_| untimed > 0) {
        add(date(ended), Kind::Working, untimed);
    }
    days.retain(|day| day.worked > 0 || day.waited > 0);
    days.drain(..days.len().saturating_sub(MAX_DAYS));
    days
}
