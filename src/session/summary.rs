//! What several sessions did in a period, in groups: by project, day, branch or task.

use std::collections::BTreeSet;

use jiff::Timestamp;
use serde::Serialize;

use super::activity::{Activity, Kind, in_force_at};
use super::commit::latest_versions;
use super::manifest::Manifest;
use super::order::sort_by;
use super::time::seconds_between;

/// How many of the files that were written are named.
const MAX_FILES: usize = 10;
/// How many of the commits are named, the last ones.
const MAX_COMMITS: usize = 50;

/// A session, and what is recorded of its activity.
#[derive(Debug)]
pub struct SessionActivity {
    /// Its manifest, with the files it wrote.
    pub manifest: Manifest,
    /// Its activity up to now.
    pub activity: Activity,
    /// It has not ended.
    pub running: bool,
}

/// What makes a group.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// The project.
    Project,
    /// The local day.
    Day,
    /// The branch at that time.
    Branch,
    /// The task at that time.
    Task,
}

/// A local day.
#[derive(Debug)]
pub struct DayBounds {
    /// Its date.
    pub name: String,
    /// Its first moment.
    pub from: Timestamp,
    /// The first moment of the next day.
    pub to: Timestamp,
}

/// A name, and how long was worked under it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Share {
    /// The name; `None` for no branch or no task.
    pub name: Option<String>,
    /// Seconds.
    pub worked_seconds: u64,
}

/// A file that was written.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WrittenFile {
    /// The path, from the root of its tree on.
    pub path: String,
    /// By how many sessions.
    pub sessions: usize,
    #[serde(skip)]
    last: Timestamp,
}

/// A commit of a session.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct MadeCommit {
    /// Its id.
    pub id: String,
    /// The first line of its message.
    pub subject: String,
    /// When.
    pub at: Timestamp,
}

/// What was done in one group.
#[derive(Debug, Default, PartialEq, Eq, Serialize)]
pub struct Group {
    /// The project, date, branch or task; `None` for no branch or no task.
    pub name: Option<String>,
    /// How many sessions.
    pub sessions: usize,
    /// How many of them are running.
    pub running: usize,
    /// Seconds that the sessions worked, added up.
    pub worked_seconds: u64,
    /// Seconds in which at least one of them worked.
    pub wall_seconds: u64,
    /// Seconds that they waited for a permission or an answer, added up.
    pub blocked_seconds: u64,
    /// How long in which project, the longest first.
    pub projects: Vec<Share>,
    /// How long on which task, the longest first.
    pub tasks: Vec<Share>,
    /// How long on which branch, the longest first.
    pub branches: Vec<Share>,
    /// How many files were written.
    pub files_written: usize,
    /// Those that most sessions wrote, the latest first among equals.
    pub files: Vec<WrittenFile>,
    /// How many commits the sessions made; one that was amended or rebased counts once.
    pub commits_made: usize,
    /// The last ones, in order of time.
    pub commits: Vec<MadeCommit>,
}

/// All that was done in a period.
#[derive(Debug, Default)]
pub struct Summary {
    /// The groups: days in their order, others by the time worked.
    pub groups: Vec<Group>,
    /// All of them together.
    pub total: Group,
    /// How many sessions worked before times were recorded, or in part.
    pub untimed_sessions: usize,
    /// How long they did. It is not known when, and it is in no other number.
    pub untimed_seconds: u64,
}

/// A group under construction.
#[derive(Default)]
struct Gathered {
    group: Group,
    /// The positions of its sessions among all of them.
    positions: BTreeSet<usize>,
    worked: Vec<(Timestamp, Timestamp)>,
    files: Vec<(usize, WrittenFile)>,
}

/// Sums up sessions over days that follow each other.
pub fn summarize(sessions: &[SessionActivity], days: &[DayBounds], by: By) -> Summary {
    let mut summary = Summary::default();
    let mut groups: Vec<Gathered> = Vec::new();
    let mut total = Gathered::default();
    let (Some(first), Some(last)) = (days.first(), days.last()) else { return summary };
    for (position, session) in sessions.iter().enumerate() {
        let mut add = |at: Timestamp, put: &mut dyn FnMut(&mut Gathered)| {
            let name = name_at(session, days, by, at);
            let known = groups.iter().position(|known| known.group.name == name);
            let index = known.unwrap_or_else(|| {
                groups.push(Gathered { group: Group { name, ..Group::default() }, ..Gathered::default() });
                groups.len() - 1
            });
            for gathered in [groups.get_mut(index), Some(&mut total)].into_iter().flatten() {
                gathered.positions.insert(position);
                put(gathered);
            }
        };
        add_times(session, days, &mut add);
        for file in session.manifest.touched.iter().filter(|file| first.from <= file.at && file.at < last.to) {
            let written = WrittenFile { path: file.path.clone(), sessions: 1, last: file.at };
            add(file.at, &mut |gathered| gathered.files.push((position, written.clone())));
        }
        let is_in = |at| first.from <= at && at < last.to;
        let certain = latest_versions(&session.manifest.commits).into_iter().filter(|commit| !commit.uncertain);
        for commit in certain.filter(|commit| is_in(commit.at)) {
            let made = MadeCommit { id: commit.id.clone(), subject: commit.subject.clone(), at: commit.at };
            add(commit.at, &mut |gathered| gathered.group.commits.push(made.clone()));
        }
        let untimed = session.manifest.worked_seconds.saturating_sub(session.activity.seconds(Kind::Working));
        let ended = session.manifest.ended.is_some_and(|end| first.from <= end && end < last.to);
        if untimed > 0 && ended {
            summary.untimed_sessions += 1;
            summary.untimed_seconds = summary.untimed_seconds.saturating_add(untimed);
        }
    }
    summary.groups = groups.into_iter().map(|gathered| finish(gathered, sessions)).collect();
    match by {
        By::Day => sort_by(&mut summary.groups, |a, b| a.name.cmp(&b.name)),
        _ => sort_by(&mut summary.groups, |a, b| (b.worked_seconds, &a.name).cmp(&(a.worked_seconds, &b.name))),
    }
    summary.total = finish(total, sessions);
    summary
}

/// Puts something into the group of a session at a time, and into the total.
type Add<'a> = &'a mut dyn FnMut(Timestamp, &mut dyn FnMut(&mut Gathered));

/// Adds the spans of a session, cut where the day, the task or the branch changes.
fn add_times(session: &SessionActivity, days: &[DayBounds], add: Add<'_>) {
    let SessionActivity { manifest, activity, .. } = session;
    let begin = activity.spans.iter().map(|span| span.from).min();
    let end = activity.spans.iter().map(|span| span.to).max();
    let is_met = |day: &&DayBounds| begin < Some(day.to) && Some(day.from) < end;
    let mut cuts: Vec<Timestamp> = days.iter().filter(is_met).flat_map(|day| [day.from, day.to]).collect();
    let (Some(first), Some(last)) = (cuts.first().copied(), cuts.last().copied()) else { return };
    let changes = activity.tasks.iter().chain(&activity.branches).map(|change| change.at);
    cuts.extend(changes.filter(|at| first < *at && *at < last));
    sort_by(&mut cuts, Ord::cmp);
    for span in &activity.spans {
        let before = cuts.partition_point(|cut| *cut <= span.from).saturating_sub(1);
        let cuts = cuts.get(before..).unwrap_or_default();
        for (from, to) in cuts.iter().zip(cuts.iter().skip(1)).take_while(|(from, _)| **from < span.to) {
            let Some(part) = span.within(*from, *to) else { continue };
            let task = in_force_at(&activity.tasks, manifest.task.as_deref(), part.from);
            let branch = in_force_at(&activity.branches, manifest.git_branch.as_deref(), part.from);
            add(part.from, &mut |Gathered { group, worked, .. }| match part.kind {
                Kind::Blocked => group.blocked_seconds += part.seconds,
                Kind::Working => {
                    group.worked_seconds += part.seconds;
                    worked.push((part.from, part.to));
                    add_share(&mut group.projects, Some(&manifest.project), part.seconds);
                    add_share(&mut group.tasks, task, part.seconds);
                    add_share(&mut group.branches, branch, part.seconds);
                }
            });
        }
    }
}

fn add_share(shares: &mut Vec<Share>, name: Option<&str>, seconds: u64) {
    match shares.iter_mut().find(|share| share.name.as_deref() == name) {
        Some(share) => share.worked_seconds += seconds,
        None => shares.push(Share { name: name.map(str::to_owned), worked_seconds: seconds }),
    }
}

/// The group that a session belongs to at a time.
fn name_at(session: &SessionActivity, days: &[DayBounds], by: By, at: Timestamp) -> Option<String> {
    let SessionActivity { manifest, activity, .. } = session;
    let name = match by {
        By::Project => Some(manifest.project.as_str()),
        By::Day => days.get(days.partition_point(|day| day.to <= at)).map(|day| day.name.as_str()),
        By::Branch => in_force_at(&activity.branches, manifest.git_branch.as_deref(), at),
        By::Task => in_force_at(&activity.tasks, manifest.task.as_deref(), at),
    };
    name.map(str::to_owned)
}

fn finish(gathered: Gathered, sessions: &[SessionActivity]) -> Group {
    let Gathered { mut group, positions, mut worked, files } = gathered;
    group.sessions = positions.len();
    let is_running = |position: &&usize| sessions.get(**position).is_some_and(|session| session.running);
    group.running = positions.iter().filter(is_running).count();
    sort_by(&mut worked, Ord::cmp);
    let mut end = Timestamp::MIN;
    for (from, to) in worked {
        group.wall_seconds += seconds_between(from.max(end), to);
        end = end.max(to);
    }
    // Short pauses within a span are in the union of spans, and in nobody's work.
    group.wall_seconds = group.wall_seconds.min(group.worked_seconds);
    for shares in [&mut group.projects, &mut group.tasks, &mut group.branches] {
        sort_by(shares, |a, b| (b.worked_seconds, &a.name).cmp(&(a.worked_seconds, &b.name)));
    }
    let mut known: Vec<(BTreeSet<usize>, WrittenFile)> = Vec::new();
    for (session, file) in files {
        match known.iter_mut().find(|(_, known)| known.path == file.path) {
            Some((by, known)) => {
                by.insert(session);
                known.last = known.last.max(file.last);
                known.sessions = by.len();
            }
            None => known.push((BTreeSet::from([session]), file)),
        }
    }
    group.files_written = known.len();
    group.files = known.into_iter().map(|(_, file)| file).collect();
    sort_by(&mut group.files, |a, b| (b.sessions, b.last, &a.path).cmp(&(a.sessions, a.last, &b.path)));
    group.files.truncate(MAX_FILES);
    // Two sessions in one tree may have made the same commit.
    sort_by(&mut group.commits, |a, b| (&a.id, a.at).cmp(&(&b.id, b.at)));
    group.commits.dedup_by(|later, earlier| later.id == earlier.id);
    sort_by(&mut group.commits, |a, b| (a.at, &a.id).cmp(&(b.at, &b.id)));
    group.commits_made = group.commits.len();
    group.commits.drain(..group.commits_made.saturating_sub(MAX_COMMITS));
    group
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::session::activity::{Change, Entry, Span};

    fn at(second: i64) -> Timestamp {
        Timestamp::from_second(1_800_000_000 + second).unwrap()
    }

    fn session(project: &str, spans: &[(i64, i64)], more: Vec<Entry>) -> SessionActivity {
        let work = |(from, to): &(i64, i64)| Entry::Span(Span::new(Kind::Working, at(*from), at(*to)));
        let mut manifest = Manifest::default();
        manifest.project = project.into();
        manifest.git_branch = Some("main".into());
        manifest.ended = Some(at(5));
        let activity = Activity::new(spans.iter().map(work).chain(more).collect());
        SessionActivity { manifest, activity, running: false }
    }

    fn days() -> [DayBounds; 2] {
        [0, 1].map(|day| DayBounds { name: day.to_string(), from: at(day * 1000), to: at((day + 1) * 1000) })
    }

    #[test]
    fn sessions_that_overlap_took_less_wall_time() {
        let sessions = [session("a", &[(0, 100)], vec![]), session("a", &[(50, 150)], vec![])];
        let summary = summarize(&sessions, &days(), By::Project);
        let [group] = &summary.groups[..] else { panic!("{summary:?}") };
        assert_eq!((group.sessions, group.worked_seconds, group.wall_seconds), (2, 200, 150));
    }

    #[test]
    fn a_span_across_midnight_and_a_change_of_task_is_cut_and_nothing_is_lost() {
        let change = Change { at: at(1200), before: Some("old".into()), after: Some("new".into()) };
        let sessions = [session("a", &[(-500, 2500)], vec![Entry::Task(change)])];
        let worked = |by| {
            let groups = summarize(&sessions, &days(), by).groups;
            groups.into_iter().map(|group| (group.name.unwrap(), group.worked_seconds)).collect::<Vec<_>>()
        };
        assert_eq!(worked(By::Day), [("0".into(), 1000), ("1".into(), 1000)]);
        assert_eq!(worked(By::Task), [("old".into(), 1200), ("new".into(), 800)]);
        assert_eq!(worked(By::Branch), [("main".into(), 2000)]);
    }

    #[test]
    fn work_from_before_times_were_recorded_is_told_apart() {
        let mut old = session("a", &[], vec![]);
        old.manifest.worked_seconds = 300;
        let summary = summarize(&[old], &days(), By::Project);
        assert_eq!((summary.groups.len(), summary.untimed_sessions, summary.untimed_seconds), (0, 1, 300));
    }
}
