//! `ait sessions history --search TEXT --transcripts`: searches the conversations that Claude Code recorded. They are read
//! in pieces, and each session is written as soon as its conversation has been searched.

use std::collections::VecDeque;
use std::io::ErrorKind;
use std::path::Path;

use jiff::Timestamp;
use jiff::tz::TimeZone;
use serde::Serialize;

use super::history_list::{Listed, Unfinished, in_json};
use super::history_query::{self, History};
use super::hook_response::plural;
use super::live::put_heading;
use super::resume_command::resume_command;
use super::{Count, Part, unreadable};
use crate::claude::transcript::{Hit, Needle};
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::render::json;
use crate::render::line::Line;
use crate::render::theme::Role;
use crate::render::ui::{Ui, put};
use crate::report::{Data, Report};
use crate::session::json_object::JsonFields;
use crate::store::history::Day;
use crate::sys::clock::Stopwatch;
use crate::sys::files::Pieces;

/// So much of a conversation is read at once.
const PIECE: usize = 1 << 20;
/// Lines that are longer are passed over. A pasted picture has a few MB.
const MAX_LINE: usize = 32 << 20;
/// So many places are shown of a session; then its conversation is left.
const MAX_HITS: usize = 3;
/// Milliseconds until progress is shown, and between two pieces of news.
const PROGRESS_AFTER: u128 = 1_000;
const PROGRESS_EVERY: u128 = 200;

/// A search under way.
pub(super) struct Search {
    request: History,
    needle: Needle,
    wanted: String,
    sessions: VecDeque<(Day, Listed)>,
    all: usize,
    current: Option<Reading>,
    found: u32,
    /// It was said that nothing was found.
    is_told: bool,
    bytes: u64,
    /// Conversations that cannot be read.
    unread: Vec<String>,
    watch: Stopwatch,
    shown_at: u128,
    now: Timestamp,
    zone: TimeZone,
    ui: Ui,
}

/// A conversation that is being read.
struct Reading {
    day: Day,
    listed: Listed,
    pieces: Option<Pieces>,
    offset: u64,
    /// What was read and not searched yet: the begin of a line.
    line: Vec<u8>,
    /// The line is too long, and its end is awaited.
    is_skipping: bool,
    hits: Vec<Hit>,
}

/// A session in which the text was found.
struct Match {
    day: Day,
    listed: Listed,
    hits: Vec<Hit>,
}

impl Search {
    /// Starts a search in the sessions that a command line selects.
    ///
    /// # Errors
    /// If there is no text to search for, a day is not one, or a folder cannot be read.
    pub(super) fn new(request: &History, context: &Context) -> Result<Search> {
        let wanted = request.search.clone().unwrap_or_default();
        let needle = Needle::new(&wanted).ok_or_else(|| {
            Error::new("reading the command line", "--transcripts", "needs --search TEXT").exit(Exit::NotFound)
        })?;
        let zone = context.time_zone();
        let selected = History { limit: None, ..request.clone() };
        let found = history_query::find(&selected, context, &zone)?;
        let of_day = |(day, sessions): (Day, Vec<Listed>)| sessions.into_iter().map(move |listed| (day, listed));
        let sessions: VecDeque<(Day, Listed)> = found.days.into_iter().flat_map(of_day).collect();
        Ok(Search {
            request: request.clone(),
            needle,
            wanted,
            all: sessions.len(),
            sessions,
            current: None,
            found: 0,
            is_told: false,
            bytes: 0,
            unread: unreadable(&found.unread),
            watch: Stopwatch::start(),
            shown_at: PROGRESS_AFTER - PROGRESS_EVERY,
            now: context.now,
            zone,
            ui: context.ui(request.color),
        })
    }

    /// Searches on: `None` at the end, else a session or, at times, news of how far it is.
    fn step(&mut self) -> Option<Result<Match, String>> {
        if self.request.limit.is_some_and(|Count(limit)| self.found >= limit) {
            return None;
        }
        loop {
            if self.current.is_none() {
                let (day, listed) = self.sessions.pop_front()?;
                self.current = Some(self.open(day, listed));
            }
            let reading = self.current.as_mut()?;
            let is_done = match reading.advance(&self.needle) {
                Ok(read) => {
                    self.bytes += read;
                    read == 0 || reading.hits.len() >= MAX_HITS
                }
                Err(why) => {
                    let path = reading.listed.manifest.transcript_path.as_deref().unwrap_or_default();
                    self.unread.push(Error::new("reading a conversation", path, why).to_string());
                    true
                }
            };
            if is_done
                && let Some(Reading { day, listed, hits, .. }) = self.current.take()
                && (!hits.is_empty() || history_query::mentions(&listed.manifest, &self.wanted))
            {
                self.found += 1;
                return Some(Ok(Match { day, listed, hits }));
            }
            let elapsed = self.watch.milliseconds();
            if elapsed >= self.shown_at + PROGRESS_EVERY {
                self.shown_at = elapsed;
                let number = self.all - self.sessions.len();
                return Some(Err(format!("searching conversation {number} of {}, {} MB", self.all, self.bytes >> 20)));
            }
        }
    }

    fn open(&mut self, day: Day, listed: Listed) -> Reading {
        let path = listed.manifest.transcript_path.as_deref().filter(|path| path.starts_with('/'));
        let pieces = match path.map(|path| Pieces::open(Path::new(path))) {
            Some(Ok(pieces)) => Some(pieces),
            Some(Err(why)) if why.kind() != ErrorKind::NotFound => {
                self.unread.push(Error::new("reading a conversation", path.unwrap_or_default(), why).to_string());
                None
            }
            // Never prompted, or deleted by Claude Code after some weeks.
            _ => None,
        };
        Reading { day, listed, pieces, offset: 0, line: Vec::new(), is_skipping: false, hits: Vec::new() }
    }

    /// A session with what was found in it, as text.
    fn block(&self, found: &Match) -> String {
        let Match { day, listed, hits } = found;
        let manifest = &listed.manifest;
        let mut text = String::new();
        self.ui.line(&mut text, |line| {
            put_heading(line, Some(self.found as usize), manifest, None, self.now);
        });
        self.ui.line(&mut text, |line| {
            line.own(format_args!("   {day} "));
            listed.put_times(line, *day, &self.zone);
            line.fixed(", ");
            line.text(listed.status().unwrap_or("no status"));
        });
        if let Some(task) = &manifest.task {
            self.ui.line(&mut text, |line| {
                line.fixed("   Task: ");
                put(line, Role::Task, task);
            });
        }
        for hit in hits {
            self.ui.line(&mut text, |line| {
                line.fixed("   ");
                if let Some(time) = hit.time {
                    let time = time.to_zoned_datetime(self.zone.clone());
                    line.own(format_args!("{} {:02}:{:02} ", time.date(), time.hour(), time.minute()));
                }
                line.text(&hit.kind);
                line.fixed(": ");
                put_part(line, Role::Plain, &hit.before);
                put_part(line, Role::Waiting, &hit.found);
                put_part(line, Role::Plain, &hit.after);
            });
        }
        if hits.len() == MAX_HITS {
            self.ui.line(&mut text, |line| line.fixed("   There may be more."));
        }
        if listed.unfinished == Some(Unfinished::Running) {
            text.push_str(&format!("   ait sessions go {}\n", manifest.session_id));
        } else {
            let way = resume_command(manifest);
            for command in way.restore.iter().chain([&way.command]) {
                text.push_str(&format!("   {command}\n"));
            }
        }
        text.push('\n');
        text
    }

    /// All of it, for JSON.
    pub(super) fn into_report(mut self) -> Report {
        let mut sessions = Vec::new();
        while let Some(step) = self.step() {
            let Ok(Match { listed, hits, .. }) = step else { continue };
            let mut fields = in_json(&listed, self.now, listed.unfinished.is_none());
            fields.set("more_matches", &(hits.len() == MAX_HITS));
            fields.set("matches", &hits.into_iter().map(Place::from).collect::<Vec<_>>());
            sessions.push(fields);
        }
        let remarks = std::mem::take(&mut self.unread);
        Report::new(Found { sessions, searched: self.all - self.sessions.len() }).remarks(remarks)
    }
}

/// Puts text with the spaces at its ends, which a line leaves out.
fn put_part(line: &mut Line, role: Role, text: &str) {
    if text.starts_with(' ') {
        line.fixed(" ");
    }
    put(line, role, text);
    if text.len() > 1 && text.ends_with(' ') {
        line.fixed(" ");
    }
}

impl Iterator for Search {
    type Item = Part;

    fn next(&mut self) -> Option<Part> {
        match self.step() {
            Some(Ok(found)) => Some(Part::Text(self.block(&found))),
            Some(Err(progress)) => Some(Part::Progress(progress)),
            None if !self.is_told && self.found == 0 => {
                self.is_told = true;
                let what = match self.all {
                    0 => "No conversations on these days".to_owned(),
                    count => format!("Not found in {count} session{}", plural(count)),
                };
                Some(Part::Text(format!("{what}. Search more days with --days N.\n")))
            }
            None => self.unread.pop().map(Part::Remark),
        }
    }
}

impl Reading {
    /// Reads and searches one more piece; returns how many bytes were read, 0 at the end.
    fn advance(&mut self, needle: &Needle) -> std::io::Result<u64> {
        let Some(pieces) = &self.pieces else { return Ok(0) };
        let old = self.line.len();
        let read = pieces.read_into(self.offset, PIECE, &mut self.line)?;
        self.offset += read as u64;
        // The last line may have no newline yet.
        let is_end = read == 0;
        let newline = memchr::memrchr(b'\n', self.line.get(old..).unwrap_or_default()).map(|at| old + at + 1);
        let end = if is_end { Some(self.line.len()) } else { newline };
        if let Some(end) = end {
            let mut lines = self.line.get(..end).unwrap_or_default();
            if self.is_skipping {
                lines = memchr::memchr(b'\n', lines).and_then(|at| lines.get(at + 1..)).unwrap_or_default();
                self.is_skipping = false;
            }
            self.hits.extend(needle.find(lines, MAX_HITS - self.hits.len().min(MAX_HITS)));
            self.line.drain(..end);
        } else if self.line.len() > MAX_LINE || self.is_skipping {
            self.is_skipping = true;
            self.line.clear();
        }
        Ok(read as u64)
    }
}

/// A place in a conversation, in JSON.
#[derive(Serialize)]
struct Place {
    time: Option<Timestamp>,
    kind: String,
    text: String,
}

impl From<Hit> for Place {
    fn from(hit: Hit) -> Place {
        Place { time: hit.time, kind: hit.kind, text: [hit.before, hit.found, hit.after].concat() }
    }
}

#[derive(Serialize)]
struct Found {
    sessions: Vec<JsonFields>,
    /// How many sessions were searched.
    searched: usize,
}

impl Data for Found {
    fn json(&self) -> Option<String> {
        json::object(self)
    }

    fn text(&self, _ui: &Ui) -> String {
        String::new()
    }
}
