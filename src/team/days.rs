//! The records of other members by day, in `days/` of the store: made anew after each fetch that brought news, so that
//! commands read only the days that they show, without git.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::io;

use jiff::Timestamp;
use jiff::civil::Date;

use super::log::{self, Commit};
use super::own::remote_copy;
use super::record::{Batch, Record, is_id};
use super::store::Store;
use crate::git::Bare;
use crate::session::json_object::{RawObject, number, text};
use crate::session::order::sort_by;
use crate::session::time::{add_days, parse_date};
use crate::store::root::fnv1a;
use crate::sys::files::{self, Folder};

/// The folder with a file for each day, and the file in it with the members.
const DAYS: &str = "days";
const NEW: &str = "days.new";
const OLD: &str = "days.old";
const MEMBERS: &str = "members";
/// At most this many commits are read, of all members together.
const MAX_COMMITS: usize = 200_000;
/// Records are written to their files when this many bytes have come together.
const MAX_HELD: usize = 4 << 20;
/// A larger file is not read, in bytes: 100,000 records on one day.
const MAX_FILE: usize = 64 << 20;
/// How many logs are read again because others claim parts of them.
const MAX_CLAIMED: usize = 100;

/// Another member.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Member {
    /// The id.
    pub id: String,
    /// The name, as the newest batch says.
    pub name: String,
    /// When the newest batch was written, in seconds since 1970, at most now.
    pub heard: i64,
    /// How many batches and records were not valid.
    pub rejected: usize,
}

/// Reads all logs in the store, and replaces the folder of days. Returns how many batches the store has.
///
/// # Errors
/// If git fails, or the disk is full; the old folder is kept then.
pub fn rebuild(store: &Store, bare: &Bare, now: Timestamp) -> io::Result<usize> {
    let _ = files::remove_folder(&store.path().join(NEW));
    let folder = store.folder().folder_or_make(NEW)?;
    let prefix = remote_copy("");
    let refs = log::local(bare, &["for-each-ref", "--format=%(refname)", &prefix], b"")?;
    let refs = String::from_utf8_lossy(&refs);
    let is_other = |name: &&str| name.strip_prefix(&prefix).is_some_and(|id| is_id(id) && id != store.state.member);
    let names: Vec<String> = refs.lines().filter(is_other).map(str::to_owned).collect();
    let mut reading = Reading::new(&folder, &prefix, now);
    for name in &names {
        reading.member(name.strip_prefix(&prefix).unwrap_or_default());
    }
    let count = reading.read(bare, &names)?;
    // Whoever points at someone else's log does not hide it.
    let claimed: Vec<String> = std::mem::take(&mut reading.claimed).into_iter().take(MAX_CLAIMED).collect();
    for member in claimed {
        reading.read(bare, &[remote_copy(&member)])?;
    }
    reading.finish()?;
    let _ = files::remove_folder(&store.path().join(OLD));
    let _ = store.folder().rename(DAYS, OLD);
    store.folder().rename(NEW, DAYS)?;
    let _ = files::remove_folder(&store.path().join(OLD));
    Ok(count)
}

/// Whether the folder of days exists.
pub fn exist(store: &Store) -> bool {
    files::is_folder(&store.path().join(DAYS))
}

struct Reading<'a> {
    now: Timestamp,
    folder: &'a Folder,
    prefix: &'a str,
    members: Vec<Member>,
    positions: HashMap<String, usize>,
    /// Records that a newer one replaces.
    seen: HashSet<(u32, u64)>,
    /// Lines that are not written yet, by day.
    held: BTreeMap<Date, String>,
    held_bytes: usize,
    claimed: HashSet<String>,
    /// The members whose newest batch was read.
    named: HashSet<usize>,
    failed: Option<io::Error>,
}

impl<'a> Reading<'a> {
    fn new(folder: &'a Folder, prefix: &'a str, now: Timestamp) -> Self {
        Reading {
            now,
            folder,
            prefix,
            members: Vec::new(),
            positions: HashMap::new(),
            seen: HashSet::new(),
            held: BTreeMap::new(),
            held_bytes: 0,
            claimed: HashSet::new(),
            named: HashSet::new(),
            failed: None,
        }
    }

    fn member(&mut self, id: &str) -> usize {
        if let Some(position) = self.positions.get(id) {
            return *position;
        }
        self.members.push(Member { id: id.to_owned(), ..Member::default() });
        self.positions.insert(id.to_owned(), self.members.len() - 1);
        self.members.len() - 1
    }

    fn read(&mut self, bare: &Bare, names: &[String]) -> io::Result<usize> {
        let mut commits = log::commits(bare, names, MAX_COMMITS)?;
        if commits.len() == MAX_COMMITS {
            // Whoever writes that many does not push the others out: each log gets its share.
            commits.clear();
            for name in names {
                commits.extend(log::commits(bare, std::slice::from_ref(name), MAX_COMMITS / names.len())?);
            }
        }
        let now = self.now;
        log::each_batch(bare, &commits, now, |commit, batch| self.take(commit, batch))?;
        self.failed.take().map_or(Ok(commits.len()), Err)
    }

    fn take(&mut self, commit: &Commit, batch: Option<Batch>) {
        let id = commit.source.strip_prefix(self.prefix).unwrap_or_default().to_owned();
        let position = self.member(&id);
        let batch = batch.filter(|batch| {
            let is_own = batch.header.member == id;
            if !is_own && self.positions.contains_key(&batch.header.member) {
                self.claimed.insert(batch.header.member.clone());
            }
            is_own
        });
        let heard = commit.time.min(self.now.as_second());
        let Some(member) = self.members.get_mut(position) else { return };
        let Some(batch) = batch else {
            member.rejected += 1;
            return;
        };
        // The newest batch of a log comes first, whatever the clocks say.
        if self.named.insert(position) {
            member.name = batch.header.name;
        }
        member.heard = member.heard.max(heard);
        member.rejected += batch.rejected;
        // Within a batch the last record of a session is valid.
        for record in batch.records.into_iter().rev() {
            let key = match record.sessions {
                None => u64::from_str_radix(&record.session, 16).unwrap_or(0),
                Some(_) => {
                    let day = record.days.first().map(|day| day.day.to_string()).unwrap_or_default();
                    fnv1a(
                        [&*day, "\n", &record.project, "\n", record.branch.as_deref().unwrap_or_default()]
                            .concat()
                            .as_bytes(),
                    )
                }
            };
            if self.seen.insert((u32::try_from(position).unwrap_or(u32::MAX), key)) {
                self.hold(&id, record);
            }
        }
    }

    /// Puts a record into each day on which it worked; one that runs and has not worked yet into its first day.
    fn hold(&mut self, member: &str, mut record: Record) {
        let days = std::mem::take(&mut record.days);
        if days.is_empty() {
            let start = record.from.unwrap_or(self.now).to_zoned_datetime(jiff::tz::TimeZone::UTC).date();
            self.put(start, member, &record);
        }
        for day in days {
            record.days = vec![day];
            self.put(day.day, member, &record);
        }
    }

    fn put(&mut self, day: Date, member: &str, record: &Record) {
        let line = [member, " ", &record.to_line()].concat();
        self.held_bytes += line.len();
        self.held.entry(day).or_default().push_str(&line);
        if self.held_bytes > MAX_HELD
            && let Err(error) = self.write()
        {
            self.failed.get_or_insert(error);
        }
    }

    fn write(&mut self) -> io::Result<()> {
        self.held_bytes = 0;
        for (day, lines) in std::mem::take(&mut self.held) {
            self.folder.append(&day.to_string(), lines.as_bytes())?;
        }
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        self.write()?;
        let mut text = String::new();
        for member in &self.members {
            let name = serde_json::to_string(&member.name).unwrap_or_default();
            text.push_str(&format!(
                "{{\"id\":\"{}\",\"name\":{name},\"heard\":{},\"rejected\":{}}}\n",
                member.id, member.heard, member.rejected
            ));
        }
        self.folder.append(MEMBERS, text.as_bytes())
    }
}

/// The other members: those with a name, by name.
pub fn members(store: &Store) -> Vec<Member> {
    let text = store.folder().folder(DAYS).and_then(|folder| folder.read_own(MEMBERS, MAX_FILE)).unwrap_or_default();
    let mut members: Vec<Member> = text.split(|byte| *byte == b'\n').filter_map(member_of).collect();
    sort_by(&mut members, |a, b| (&a.name, &a.id).cmp(&(&b.name, &b.id)));
    // A name that two members use does not tell who it is.
    let taken: Vec<bool> = members.iter().map(|member| is_taken(&members, member)).collect();
    for (member, _) in members.iter_mut().zip(taken).filter(|(_, taken)| *taken) {
        let short = member.id.get(..6).unwrap_or_default().to_owned();
        member.name = match member.name.is_empty() {
            true => member.id.clone(),
            false => format!("{} ({short})", member.name),
        };
    }
    members
}

fn is_taken(members: &[Member], member: &Member) -> bool {
    // They are sorted by name.
    let at = members.partition_point(|other| other.name < member.name);
    member.name.is_empty() || members.get(at + 1).is_some_and(|next| next.name == member.name)
}

fn member_of(line: &[u8]) -> Option<Member> {
    let RawObject(fields) = RawObject::parse(line).ok()?;
    let mut member = Member::default();
    for (name, raw) in fields {
        match &*name {
            "id" => member.id = text(raw)?,
            "name" => member.name = text(raw)?,
            "heard" => member.heard = raw.parse().ok()?,
            "rejected" => member.rejected = usize::try_from(number(raw)?).ok()?,
            _ => {}
        }
    }
    Some(member)
}

/// The members, with the record, of whom one of these commits is, the newest first.
pub fn of_commits(store: &Store, commits: &[&str], now: Timestamp) -> Vec<(String, Record)> {
    let Ok(folder) = store.folder().folder(DAYS) else { return Vec::new() };
    let names = folder.names().unwrap_or_default();
    let mut days: Vec<&String> = names.iter().filter(|name| parse_date(name).is_some()).collect();
    sort_by(&mut days, |a, b| b.cmp(a));
    let members = members(store);
    let mut found: Vec<(String, Record)> = Vec::new();
    for day in days {
        let text = folder.read_own(day, MAX_FILE).unwrap_or_default();
        if !commits.iter().any(|commit| memchr::memmem::find(&text, commit.as_bytes()).is_some()) {
            continue;
        }
        for (id, record) in text.split(|byte| *byte == b'\n').filter_map(|line| record_of(line, now)) {
            let is_it = record.commits.iter().any(|commit| commits.contains(&&**commit));
            let is_known = || found.iter().any(|(_, known)| known.session == record.session);
            if is_it && !is_known() {
                let name = members.iter().find(|member| member.id == id).map_or(id, |member| member.name.clone());
                found.push((name, record));
            }
        }
    }
    found
}

/// A line of a file of a day: the member's id, and the record.
fn record_of(line: &[u8], now: Timestamp) -> Option<(String, Record)> {
    let (member, record) = line.split_at_checked(17)?;
    let member = std::str::from_utf8(member).ok()?.trim_end().to_owned();
    Some((member, Record::parse(record, now)?))
}

/// The records of others in the days from `first` to `last`, with the members' ids: one record for each session and day.
pub fn records(store: &Store, first: Date, last: Date, now: Timestamp) -> Vec<(String, Record)> {
    records_if(store, first, last, now, &|_, _| true)
}

/// The records of others that matter on a day: of this day or the next, which a member further east may have begun, and
/// those of the day before that have not ended.
pub fn current_records(store: &Store, day: Date, now: Timestamp) -> Vec<(String, Record)> {
    // In a text of JSON the quotes would be escaped.
    let has_ended = memchr::memmem::Finder::new("\"to\":\"");
    let is_current = |date: Date, line: &[u8]| date >= day || has_ended.find(line).is_none();
    records_if(store, add_days(day, -1), add_days(day, 1), now, &is_current)
}

fn records_if(
    store: &Store,
    first: Date,
    last: Date,
    now: Timestamp,
    is_wanted: &dyn Fn(Date, &[u8]) -> bool,
) -> Vec<(String, Record)> {
    let Ok(folder) = store.folder().folder(DAYS) else { return Vec::new() };
    let mut records = Vec::new();
    for name in folder.names().unwrap_or_default() {
        let Some(day) = parse_date(&name).filter(|day| (first..=last).contains(day)) else { continue };
        let text = folder.read_own(&name, MAX_FILE).unwrap_or_default();
        let lines = text.split(|byte| *byte == b'\n').filter(|line| is_wanted(day, line));
        records.extend(lines.filter_map(|line| record_of(line, now)));
    }
    records
}

/// Records in which those of a member are found without a look at all the others.
pub struct ByMember(Vec<(String, Record)>);

impl ByMember {
    /// Sorts records by the ids of their members.
    pub fn new(mut records: Vec<(String, Record)>) -> ByMember {
        sort_by(&mut records, |a, b| a.0.cmp(&b.0));
        ByMember(records)
    }

    /// The records of a member.
    pub fn of(&self, member: &str) -> &[(String, Record)] {
        let start = self.0.partition_point(|(id, _)| id.as_str() < member);
        let rest = self.0.get(start..).unwrap_or_default();
        rest.get(..rest.partition_point(|(id, _)| id == member)).unwrap_or_default()
    }
}
