//! `ait timeline --team`: on which days each member worked.

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde::Serialize;

use super::status::time;
use super::work::TeamWork;
use crate::commands::hook_response::plural;
use crate::commands::period::Period;
use crate::context::Context;
use crate::error::Result;
use crate::render::timeline::{Chart, Group, Row};
use crate::render::ui::Ui;
use crate::render::{elapsed, json};
use crate::report::Data;
use crate::session::time::whole_seconds;
use crate::session::timeline::{Bar, Mark};
use crate::store::history::Day;
use crate::team::days::Member;
use crate::team::record::{DayOfWork, Record};

/// At most this many tasks and branches of a member are named.
const MAX_NAMED: usize = 20;

/// The members, and when they worked.
pub(in crate::commands) struct TeamTimeline {
    /// Why records could not be fetched, on one line.
    pub(in crate::commands) problem: Option<String>,
    period: Period,
    /// The only member that is shown.
    member: Option<String>,
    now: Timestamp,
    zone: TimeZone,
    fetched: i64,
    people: Vec<Person>,
}

/// A member who worked in these days.
#[derive(Default, Serialize)]
struct Person {
    id: String,
    name: String,
    is_you: bool,
    branches: Vec<String>,
    tasks: Vec<String>,
    days: Vec<JsonDay>,
    #[serde(skip)]
    bars: Vec<Bar>,
}

#[derive(Serialize)]
struct JsonDay {
    day: String,
    worked_seconds: u64,
    waited_seconds: u64,
}

/// Reads the records of a period; the members without any are left out.
///
/// # Errors
/// If this repository does not share, or there is no such member.
pub(in crate::commands) fn timeline(
    context: &Context,
    period: Period,
    project: Option<&str>,
    member: Option<&str>,
) -> Result<TeamTimeline> {
    let work = TeamWork::read(context, &period, member)?;
    let mut timeline = TeamTimeline {
        problem: None,
        period,
        member: member.map(str::to_owned),
        now: whole_seconds(context.now),
        zone: context.time_zone(),
        fetched: work.fetched,
        people: Vec::new(),
    };
    for member in &work.members {
        let mut person = Person::of(member, member.id == work.you);
        for record in work.records(member, project) {
            timeline.add(&mut person, record);
        }
        if !person.days.is_empty() {
            timeline.people.push(person);
        }
    }
    timeline.problem = work.problem;
    Ok(timeline)
}

impl Person {
    fn of(member: &Member, is_you: bool) -> Person {
        Person { id: member.id.clone(), name: member.name.clone(), is_you, ..Person::default() }
    }

    fn worked(&self) -> u64 {
        self.days.iter().map(|day| day.worked_seconds).sum()
    }
}

impl TeamTimeline {
    fn add(&self, person: &mut Person, record: &Record) {
        for work in record.days.iter().filter(|work| self.period.contains(work.day)) {
            let day = work.day.to_string();
            let at = person.days.iter().position(|known| known.day == day).unwrap_or_else(|| {
                person.days.push(JsonDay { day, worked_seconds: 0, waited_seconds: 0 });
                person.days.len() - 1
            });
            if let Some(known) = person.days.get_mut(at) {
                known.worked_seconds = known.worked_seconds.saturating_add(work.worked);
                known.waited_seconds = known.waited_seconds.saturating_add(work.waited);
            }
            self.add_bars(&mut person.bars, record, work);
            let task = record.task.as_ref().or(record.title.as_ref());
            for (texts, text) in [(&mut person.branches, record.branch.as_ref()), (&mut person.tasks, task)] {
                let is_full = texts.len() >= MAX_NAMED;
                texts.extend(text.filter(|text| !is_full && !texts.contains(text)).cloned());
            }
        }
    }

    /// How long a session worked and waited on a day is shared, not when: its bars begin with it.
    fn add_bars(&self, bars: &mut Vec<Bar>, record: &Record, work: &DayOfWork) {
        let begin = Day(work.day).begin(&self.zone);
        let end = Day(work.day).plus(1).begin(&self.zone).min(self.now);
        let mut from = record.from.filter(|from| *from >= begin && *from < end).unwrap_or(begin);
        for (mark, seconds) in [(Mark::Working, work.worked), (Mark::Blocked, work.waited)] {
            let length = SignedDuration::from_secs(i64::try_from(seconds).unwrap_or(0));
            let to = from.checked_add(length).unwrap_or(end).min(end);
            if from < to {
                bars.push(Bar { mark, from, to });
                from = to;
            }
        }
    }

    /// One line for each member, the user's first.
    pub(in crate::commands) fn chart(&self) -> Chart {
        let from = self.period.first.begin(&self.zone);
        let to = self.period.last.plus(1).begin(&self.zone);
        let fetched = match self.fetched {
            0 => "never fetched".to_owned(),
            time => {
                let ago = u64::try_from(self.now.as_second().saturating_sub(time)).unwrap_or(0);
                format!("fetched {}", elapsed::Ago(ago))
            }
        };
        let seconds = self.people.iter().map(Person::worked).fold(0, u64::saturating_add);
        let count = self.people.len();
        let group = Group {
            name: "Team".to_owned(),
            figures: format!("{} worked, {count} member{}", elapsed::Short(seconds), plural(count)),
            rows: self.people.iter().map(|person| self.row(person)).collect(),
        };
        let note = "a bar begins with a session and is as long as it worked or waited that day; when is not shared.";
        Chart {
            title: format!("Team timeline {}, {fetched}", self.period),
            from,
            to,
            now: Some(self.now).filter(|now| *now < to),
            zone: self.zone.clone(),
            groups: vec![group],
            notes: vec![("Bars:", note.to_owned())],
        }
    }

    fn row(&self, person: &Person) -> Row {
        let mut details = Vec::new();
        for (label, texts) in [("Task", &person.tasks), ("Branch", &person.branches)] {
            details.extend(texts.iter().map(|text| (label, text.clone())));
        }
        // A total of one person only for whoever asks for that person.
        let figure = self.member.as_ref().map(|_| elapsed::Short(person.worked()).text());
        Row {
            name: if person.is_you { format!("{} (you)", person.name) } else { person.name.clone() },
            figure: figure.unwrap_or_default(),
            details,
            bars: person.bars.clone(),
        }
    }
}

#[derive(Serialize)]
struct Json<'a> {
    from: String,
    to: String,
    member: Option<&'a str>,
    fetched: Option<String>,
    members: &'a [Person],
}

impl Data for TeamTimeline {
    fn json(&self) -> Option<String> {
        json::object(&Json {
            from: self.period.first.to_string(),
            to: self.period.last.to_string(),
            member: self.member.as_deref(),
            fetched: time(self.fetched),
            members: &self.people,
        })
    }

    fn text(&self, ui: &Ui) -> String {
        match self.people.is_empty() {
            true => format!("No work of the team is recorded {}.\n", self.period),
            false => self.chart().text(ui),
        }
    }
}
