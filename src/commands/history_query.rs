//! Which sessions `ait sessions history` is about: those that were active on a day or on several days.
//!
//! A session is listed once, on the last of these days on which it was active. History has a folder for each day on which
//! sessions ended; one that ended later may have been active as well, so the folders of a few later days are read too.

use std::collections::{BTreeMap, BTreeSet};
use std::str::FromStr;

use argh::{ArgsInfo, FromArgs};
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};

use super::history_list::{Listed, Unfinished};
use super::period::{day, days_up_to};
use super::{Count, period, resume};
use crate::context::Context;
use crate::error::Result;
use crate::render::theme::ColorChoice;
use crate::session::manifest::Manifest;
use crate::session::order::sort_by;
use crate::session::summary::SessionActivity;
use crate::store::active;
use crate::store::history::{self, Day};
use crate::store::manifest_file::UnreadableManifest;

/// list the sessions that were active today or on other days
#[derive(FromArgs, ArgsInfo, Clone, Debug)]
#[argh(
    subcommand,
    name = "history",
    help_triggers("-h", "--help"),
    example = "  ait sessions history --days 7 --project aiterm\n  ait sessions history --date 2025-12-25"
)]
pub struct History {
    /// the day: YYYY-MM-DD, today or yesterday
    #[argh(option, arg_name = "day")]
    pub(super) date: Option<String>,
    /// number of days, ending with --date or today
    #[argh(option, arg_name = "n")]
    pub(super) days: Option<Count>,
    /// only this project
    #[argh(option, arg_name = "name")]
    pub(super) project: Option<String>,
    /// only sessions with this text in task, project, branch or path
    #[argh(option, arg_name = "text")]
    pub(super) search: Option<String>,
    /// with --search: also in conversations; the last 30 days by default
    #[argh(switch)]
    pub(super) transcripts: bool,
    /// only sessions that ran as this user of the machine
    #[argh(option, arg_name = "name")]
    pub(super) user: Option<String>,
    /// running, stale, completed, interrupted or pruned
    #[argh(option, arg_name = "status")]
    pub(super) status: Option<Status>,
    /// only ended sessions that can be resumed, with the command
    #[argh(switch)]
    pub(super) resumable: bool,
    /// at most this many sessions
    #[argh(option, arg_name = "n")]
    pub(super) limit: Option<Count>,
    /// also headless runs (claude -p)
    #[argh(switch)]
    pub(super) headless: bool,
    /// never show the list in a pager
    #[argh(switch)]
    pub(super) no_pager: bool,
    /// print one JSON object
    #[argh(switch)]
    pub(super) json: bool,
    /// always, never or auto (the default)
    #[argh(option, arg_name = "when", default = "ColorChoice::Auto")]
    pub(super) color: ColorChoice,
}

/// A status that `--status` accepts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Status(&'static str);

impl FromStr for Status {
    type Err = &'static str;

    fn from_str(text: &str) -> std::result::Result<Status, &'static str> {
        let known = ["running", "stale", "completed", "interrupted", "pruned"].into_iter().find(|known| *known == text);
        known.map(Status).ok_or("expected running, stale, completed, interrupted or pruned")
    }
}

/// For how many days after the last one asked for the sessions that ended then are read. One that ended still later is not
/// found: the whole history would have to be read.
const LATER_DAYS: i64 = 7;

/// The sessions that the options of `history` select.
pub(super) struct Found {
    /// The days with sessions, the newest first; the sessions of a day: running ones first, then the latest first.
    pub(super) days: Vec<(Day, Vec<Listed>)>,
    /// How many headless runs were left out.
    pub(super) left_out: usize,
    /// Files that are not manifests.
    pub(super) unread: Vec<UnreadableManifest>,
    /// The last day asked for.
    pub(super) last: Day,
}

/// Reads the sessions that have not been archived, the folders of the days asked for, and those of a few later days.
pub(super) fn find(request: &History, context: &Context, zone: &TimeZone) -> Result<Found> {
    let root = context.root()?;
    let last = day(request.date.as_deref().unwrap_or("today"), context.now, zone)?;
    // After thirty days Claude Code deletes a conversation.
    let usual = if request.transcripts && request.date.is_none() { 30 } else { 1 };
    let range =
        Range { first: days_up_to(last, request.days.map_or(usual, |Count(days)| days)), last, zone: zone.clone() };
    let mut found = Found { days: Vec::new(), left_out: 0, unread: Vec::new(), last };
    let mut days: BTreeMap<Day, Vec<Listed>> = BTreeMap::new();
    let mut active_ids = BTreeSet::new();
    let mut take = |listed: Listed| {
        if let Some(day) = range.last_active_day(&listed).filter(|_| request.wants(&listed)) {
            days.entry(day).or_default().push(listed);
        }
    };
    let active = active::read_all(root)?;
    found.unread.extend(active.broken);
    for session in active.sessions {
        let last_seen = session.last_seen();
        let SessionActivity { mut manifest, activity, running } = period::running(root, session, context.now);
        active_ids.insert(manifest.session_id.clone());
        manifest.activity = activity;
        let (unfinished, end) =
            if running { (Unfinished::Running, context.now) } else { (Unfinished::Stale, last_seen) };
        take(Listed { manifest, unfinished: Some(unfinished), end });
    }
    let known = history::days(root)?;
    let later = last.plus(LATER_DAYS);
    for day in known.iter().copied().filter(|day| *day > last && *day <= later) {
        for manifest in history::read_day(root, day)?.0 {
            take(Listed::ended(manifest, day, zone));
        }
    }
    for day in known.into_iter().filter(|day| *day <= last && range.first.is_none_or(|first| *day >= first)) {
        days.entry(day).or_default();
    }
    let mut left = request.limit.map_or(usize::MAX, |Count(limit)| limit as usize);
    while let Some((day, mut sessions)) = days.pop_last().filter(|_| left > 0) {
        let (ended, broken) = history::read_day(root, day)?;
        found.unread.extend(broken);
        let ended = ended.into_iter().filter(|manifest| !active_ids.contains(&manifest.session_id));
        sessions
            .extend(ended.map(|manifest| Listed::ended(manifest, day, zone)).filter(|listed| request.wants(listed)));
        let all = sessions.len();
        sessions.retain(|listed| request.headless || !listed.manifest.headless);
        found.left_out += all - sessions.len();
        sort_by(&mut sessions, |a, b| b.order().cmp(&a.order()));
        sessions.truncate(left);
        left -= sessions.len();
        if !sessions.is_empty() {
            found.days.push((day, sessions));
        }
    }
    Ok(found)
}

/// The days asked for.
struct Range {
    /// `None`: all days up to the last one.
    first: Option<Day>,
    last: Day,
    zone: TimeZone,
}

impl Range {
    /// The last of these days on which a session was active. If it is not recorded when it worked, it counts as active
    /// from its start to its end.
    fn last_active_day(&self, listed: &Listed) -> Option<Day> {
        let from = self.first.map_or(Timestamp::MIN, |first| first.begin(&self.zone));
        let to = self.last.plus(1).begin(&self.zone);
        let manifest = &listed.manifest;
        let begin = manifest.started.unwrap_or(listed.end);
        let mut times: Vec<(Timestamp, Timestamp)> =
            [Some(begin), manifest.resumed, Some(listed.end)].into_iter().flatten().map(|at| (at, at)).collect();
        match manifest.activity.spans.as_slice() {
            [] => times.push((begin, listed.end)),
            spans => times.extend(spans.iter().map(|span| (span.from, span.to))),
        }
        let before_end = to.checked_sub(1.second()).unwrap_or(to);
        let within = times.into_iter().filter(|(begin, end)| *begin < to && (*begin >= from || *end > from));
        within.map(|(_, end)| end.min(before_end)).max().map(|last| Day::of(last, &self.zone))
    }
}

impl History {
    fn wants(&self, listed: &Listed) -> bool {
        let manifest = &listed.manifest;
        let project = self.project.as_ref().is_none_or(|project| manifest.project.eq_ignore_ascii_case(project));
        let user = self.user.as_ref().is_none_or(|user| manifest.user.as_ref() == Some(user));
        let status = self.status.is_none_or(|Status(status)| listed.status() == Some(status));
        let resumable = !self.resumable || (listed.unfinished.is_none() && resume::has_conversation(manifest));
        let text = self.transcripts || self.search.as_ref().is_none_or(|text| mentions(manifest, text));
        project && user && status && resumable && text
    }

    /// Whether it leaves out some sessions of the days.
    pub(super) fn is_filtered(&self) -> bool {
        [&self.project, &self.search, &self.user].into_iter().any(Option::is_some)
            || self.status.is_some()
            || self.resumable
    }
}

/// Whether the text is in what is recorded of a session, in any case of letters.
pub(super) fn mentions(manifest: &Manifest, text: &str) -> bool {
    let text = text.to_lowercase();
    let fields = [
        manifest.task.as_deref(),
        Some(manifest.project.as_str()),
        manifest.git_branch.as_deref(),
        Some(manifest.path.as_str()),
    ];
    fields.into_iter().flatten().any(|field| field.to_lowercase().contains(&text))
}
