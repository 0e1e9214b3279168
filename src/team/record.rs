//! Records: what members share about sessions, as lines of JSON.
//!
//! A batch is a header line and the records that are new or have changed; the last record of a session is the valid one.
//! A batch may come from anyone who can write to the remote, so everything in it is checked and bounded when it is read.

use std::borrow::Cow;
use std::str::FromStr;

use jiff::civil::Date;
use jiff::{SignedDuration, Timestamp};
use serde::{Serialize, Serializer};
use serde_json::value::RawValue;

use crate::render::json;
use crate::session::json_object::{RawObject, items, number, text};
use crate::session::time::{parse_date, parse_time, whole_seconds};

/// The version of the format, in the name of a ref and in each header.
pub const VERSION: u32 = 1;
/// A larger batch is not read, in bytes.
pub const MAX_BATCH: usize = 1 << 20;
/// At most this many records of a batch are read or written.
pub const MAX_RECORDS: usize = 5_000;
/// The longest text that is kept, in bytes: a branch, a project, a file.
pub const MAX_TEXT: usize = 400;
/// The longest task, in bytes.
pub const MAX_TASK: usize = 4_000;
/// The longest name of a member, in bytes.
const MAX_NAME: usize = 100;
/// The most commits, files and days of a record.
const MAX_LIST: usize = 400;
/// No session works longer than this on one day; a day has 25 hours when the clock is set back.
const MAX_DAY_SECONDS: u64 = 25 * 3600;
/// Nothing was recorded before this year.
const FIRST_YEAR: i16 = 2020;

/// How much a member shares.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Name, project, branch, times, how sessions ended, and commits.
    #[default]
    Time,
    /// Also tasks that the user set.
    Tasks,
    /// Also titles, and the files that were written.
    All,
}

impl Level {
    /// Its name on the command line.
    pub fn as_str(self) -> &'static str {
        match self {
            Level::Time => "time",
            Level::Tasks => "tasks",
            Level::All => "all",
        }
    }
}

impl FromStr for Level {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Level, &'static str> {
        let known = [Level::Time, Level::Tasks, Level::All].into_iter().find(|level| level.as_str() == text);
        known.ok_or("expected time, tasks or all")
    }
}

/// Whether a text is the id of a member or of a session's record: 16 lower-case hexadecimal digits.
pub fn is_id(text: &str) -> bool {
    text.len() == 16 && text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f'))
}

/// The work of one day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DayOfWork {
    /// The day by the member's own calendar.
    pub day: Date,
    /// Seconds worked.
    pub worked: u64,
    /// Seconds that it was blocked: waiting for a permission or an answer.
    pub waited: u64,
}

impl Serialize for DayOfWork {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        (self.day.to_string(), self.worked, self.waited).serialize(serializer)
    }
}

/// The shared facts of one session, or the total of several sessions on an old day.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Record {
    /// Random digits that stand for the session; its id is not shared. Empty in a total.
    #[serde(skip_serializing_if = "String::is_empty")]
    pub session: String,
    /// The project.
    pub project: String,
    /// The branch.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub branch: Option<String>,
    /// When it started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<Timestamp>,
    /// When it ended; `None` while it runs.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to: Option<Timestamp>,
    /// How it ended: `completed`, `interrupted` or `pruned`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub end: Option<String>,
    /// When it worked.
    pub days: Vec<DayOfWork>,
    /// The commits that it made.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub commits: Vec<String>,
    /// The task that the user set (level `tasks`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<String>,
    /// Its title (level `all`).
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// The files that it wrote, from the root of the repository on (level `all`).
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// How many sessions a total stands for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub sessions: Option<u64>,
}

impl Record {
    /// Whether it is running, as far as its member has said.
    pub fn is_running(&self) -> bool {
        self.to.is_none() && self.sessions.is_none()
    }

    /// Its line, with the line end. Nothing in it moves a cursor.
    pub fn to_line(&self) -> String {
        json::line(self).unwrap_or_default()
    }

    /// Reads a line. `None` if it is not a record, or one that cannot be true: `now` bounds its times, with a day for clocks
    /// that are wrong.
    pub fn parse(line: &[u8], now: Timestamp) -> Option<Record> {
        let RawObject(fields) = RawObject::parse(line).ok()?;
        let mut record = Record::default();
        for (name, raw) in &fields {
            match &**name {
                "session" => record.session = text(raw).filter(|id| is_id(id))?,
                "project" => record.project = short(raw, MAX_TEXT)?,
                "branch" => record.branch = Some(short(raw, MAX_TEXT)?),
                "from" => record.from = Some(time(raw, now)?),
                "to" if *raw != "null" => record.to = Some(time(raw, now)?),
                "end" => {
                    record.end = text(raw).filter(|end| matches!(&**end, "completed" | "interrupted" | "pruned"));
                }
                "days" => record.days = list(raw, |raw| day(raw, now))?,
                "commits" => record.commits = list(raw, commit)?,
                "task" => record.task = Some(short(raw, MAX_TASK)?),
                "title" => record.title = Some(short(raw, MAX_TASK)?),
                "files" => record.files = list(raw, |raw| short(raw, MAX_TEXT))?,
                "sessions" => record.sessions = Some(number(raw).filter(|count| (1..100_000).contains(count))?),
                // A field of a newer version.
                _ => {}
            }
        }
        let is_total = record.sessions.is_some();
        let most = MAX_DAY_SECONDS.saturating_mul(record.sessions.unwrap_or(1));
        let is_possible = record.days.iter().all(|day| day.worked <= most && day.waited <= most);
        (is_possible && record.session.is_empty() == is_total && !record.project.is_empty()).then_some(record)
    }
}

fn short(raw: &str, max: usize) -> Option<String> {
    let mut text = text(raw)?;
    cut(&mut text, max);
    Some(text)
}

/// Shortens a text to at most `max` bytes.
pub fn cut(text: &mut String, max: usize) {
    if text.len() > max {
        text.truncate(text.floor_char_boundary(max.saturating_sub(3)));
        text.push('…');
    }
}

fn time(raw: &str, now: Timestamp) -> Option<Timestamp> {
    let time = parse_time(&text(raw)?)?;
    let latest = now.checked_add(SignedDuration::from_hours(24)).ok()?;
    (time <= latest && time.as_second() >= 1_577_836_800).then(|| whole_seconds(time))
}

fn day(raw: &str, now: Timestamp) -> Option<DayOfWork> {
    let [day, worked, waited] = serde_json::from_str::<[&RawValue; 3]>(raw).ok()?.map(RawValue::get);
    let day = parse_date(&text(day)?)?;
    let latest =
        now.checked_add(SignedDuration::from_hours(48)).ok()?.to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
    let day = DayOfWork { day, worked: number(worked)?, waited: number(waited)? };
    (day.day <= latest && day.day.year() >= FIRST_YEAR).then_some(day)
}

fn commit(raw: &str) -> Option<String> {
    let is_commit = |id: &String| matches!(id.len(), 40 | 64) && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    text(raw).filter(is_commit)
}

/// A list of at most [`MAX_LIST`] items; `None` if it is longer, or one item is wrong.
fn list<T>(raw: &str, parse: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    let items = items(raw)?;
    (items.len() <= MAX_LIST).then(|| items.into_iter().map(parse).collect())?
}

/// The first line of a batch.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Header {
    /// The version of the format.
    pub ait: u32,
    /// The member's id; a batch under another member's ref is not read.
    pub member: String,
    /// The member's name at that time. Empty after everything was forgotten.
    pub name: String,
    /// The batch begins a log that replaces an earlier one: the member has forgotten something.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub replaced: bool,
    /// The records that were forgotten, and must not come back from a backup.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub forgotten: Vec<String>,
    /// Everything that ended before was forgotten.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub forgotten_before: Option<Timestamp>,
}

impl Header {
    /// Its line, with the line end.
    pub fn to_line(&self) -> String {
        json::line(self).unwrap_or_default()
    }

    fn parse(line: &[u8]) -> Option<Header> {
        let RawObject(fields) = RawObject::parse(line).ok()?;
        let mut header = Header::default();
        for (name, raw) in &fields {
            match &**name {
                "ait" => header.ait = u32::try_from(number(raw)?).ok()?,
                "member" => header.member = text(raw).filter(|id| is_id(id))?,
                "name" => header.name = short(raw, MAX_NAME)?,
                "replaced" => header.replaced = *raw == "true",
                "forgotten" => header.forgotten = serde_json::from_str(raw).ok()?,
                "forgotten_before" => header.forgotten_before = parse_time(&text(raw)?),
                _ => {}
            }
        }
        (header.ait == VERSION && !header.member.is_empty()).then_some(header)
    }
}

/// A name that can be shared: on one line, not too long.
pub fn clean_name(name: &str) -> Cow<'_, str> {
    let name = name.trim();
    if name.len() <= MAX_NAME && !name.contains(crate::error::moves_cursor) {
        return Cow::Borrowed(name);
    }
    let mut name = crate::error::on_one_line(name).trim().to_owned();
    cut(&mut name, MAX_NAME);
    Cow::Owned(name)
}

/// A batch as it was read.
#[derive(Debug, Default)]
pub struct Batch {
    /// Its first line.
    pub header: Header,
    /// Its records, in their order.
    pub records: Vec<Record>,
    /// How many lines were not valid.
    pub rejected: usize,
}

impl Batch {
    /// Reads a batch; `None` if its header is not valid. `now` bounds the times in it.
    pub fn parse(bytes: &[u8], now: Timestamp) -> Option<Batch> {
        let mut lines = bytes.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
        let header = Header::parse(lines.next()?)?;
        let mut batch = Batch { header, ..Batch::default() };
        for line in lines.by_ref().take(MAX_RECORDS) {
            match Record::parse(line, now) {
                Some(record) => batch.records.push(record),
                None => batch.rejected += 1,
            }
        }
        batch.rejected += lines.count();
        Some(batch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn now() -> Timestamp {
        "2026-11-27T12:00:00Z".parse().unwrap()
    }

    fn record() -> Record {
        Record {
            session: "0123456789abcdef".into(),
            project: "aiterm".into(),
            branch: Some("main\u{202e}".into()),
            from: Some("2026-11-27T09:00:00Z".parse().unwrap()),
            days: vec![DayOfWork { day: "2026-11-27".parse().unwrap(), worked: 60, waited: 5 }],
            commits: vec!["a".repeat(40)],
            ..Record::default()
        }
    }

    #[test]
    fn a_record_is_read_as_it_was_written() {
        let line = record().to_line();
        assert!(!line.trim_end().contains(crate::error::moves_cursor), "{line}");
        assert_eq!(Record::parse(line.as_bytes(), now()), Some(record()));
        let total = Record { session: String::new(), sessions: Some(3), ..record() };
        assert_eq!(Record::parse(total.to_line().as_bytes(), now()), Some(total));
    }

    #[test]
    fn what_cannot_be_true_is_not_a_record() {
        let line = record().to_line();
        for (from, to) in [
            ("2026-11-27T09", "9999-11-27T09"),
            ("2026-11-27T09", "1999-11-27T09"),
            ("[\"2026-11-27\"", "[\"9999-12-31\""),
            ("[\"2026-11-27\"", "[\"2026-11-31\""),
            (",60,", ",99999999,"),
            (",60,", ",-1,"),
            ("0123456789abcdef", "../../etc/passwd"),
            ("aaaaaaaaaa", "--upload-p"),
            ("\"aiterm\"", "\"\""),
            ("\"days\":[", "\"days\":[[],"),
            ("{", "["),
        ] {
            let wrong = line.replacen(from, to, 1);
            assert_ne!(wrong, line);
            assert_eq!(Record::parse(wrong.as_bytes(), now()), None, "{wrong}");
        }
    }

    #[test]
    fn a_batch_counts_the_lines_that_are_no_records() {
        let header =
            Header { ait: VERSION, member: "0123456789abcdef".into(), name: "Ada".into(), ..Header::default() };
        let text = format!("{}{}junk\n", header.to_line(), record().to_line());
        let batch = Batch::parse(text.as_bytes(), now()).unwrap();
        assert_eq!((batch.header, batch.records, batch.rejected), (header, vec![record()], 1));
        let many = text.replacen("junk\n", &"\nx".repeat(10_000), 1);
        assert_eq!(Batch::parse(many.as_bytes(), now()).unwrap().rejected, 10_000);
        assert!(Batch::parse(b"{\"ait\":2,\"member\":\"0123456789abcdef\"}\n", now()).is_none());
        assert!(Batch::parse(b"", now()).is_none());
    }
}
