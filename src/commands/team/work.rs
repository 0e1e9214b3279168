//! The records of the members in some days, for a report and a timeline.

use super::here::{own_records, store_here};
use super::sync::refresh;
use crate::commands::period::Period;
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::team::days::{self, ByMember, Member};
use crate::team::record::{Level, Record};

/// What the members did.
pub(super) struct TeamWork {
    /// The user first, then the others by name; or only the one that was asked for.
    pub(super) members: Vec<Member>,
    /// The user's id.
    pub(super) you: String,
    /// When the records of others were fetched, in seconds since 1970.
    pub(super) fetched: i64,
    /// Why they could not be fetched now, on one line.
    pub(super) problem: Option<String>,
    records: ByMember,
}

impl TeamWork {
    /// Reads the records of a period, of all members or one. Fetches first if the store is old or does not reach back far
    /// enough.
    ///
    /// # Errors
    /// If this repository does not share, or there is no such member.
    pub(super) fn read(context: &Context, period: &Period, member: Option<&str>) -> Result<TeamWork> {
        let (mut store, _) = store_here(context)?;
        let begin = period.first.begin(&context.time_zone());
        let days = (context.now.as_second() - begin.as_second()) / 86_400 + 1;
        let problem = refresh(context, &mut store, days).map(|error| error.to_string());
        let you = store.state.member.clone();
        let mut members = vec![Member { id: you.clone(), name: store.state.name.clone(), ..Member::default() }];
        members.extend(days::members(&store));
        if let Some(name) = member {
            let id = find(&members, name)?.id.clone();
            members.retain(|member| member.id == id);
        }
        // The user's own sessions are shown whether they are shared or not.
        let mut state = store.state.clone();
        state.not_before = 0;
        state.forgotten.clear();
        let own = own_records(context, &state, Level::All, begin)?;
        let mut records = days::records(&store, period.first.0, period.last.0, context.now);
        records.extend(own.into_iter().map(|record| (you.clone(), record)));
        Ok(TeamWork { members, you, fetched: store.state.fetched, problem, records: ByMember::new(records) })
    }

    /// The records of a member, for those of a project if one is given.
    pub(super) fn records(&self, member: &Member, project: Option<&str>) -> impl Iterator<Item = &Record> {
        let is_wanted = move |record: &&Record| project.is_none_or(|name| record.project.eq_ignore_ascii_case(name));
        self.records.of(&member.id).iter().map(|(_, record)| record).filter(is_wanted)
    }
}

/// The member of a name; the id is a name too.
fn find<'a>(members: &'a [Member], name: &str) -> Result<&'a Member> {
    let is_it = |member: &&Member| member.name.eq_ignore_ascii_case(name) || member.id == name;
    members.iter().find(is_it).ok_or_else(|| {
        let names: Vec<&str> = members.iter().map(|member| member.name.as_str()).take(20).collect();
        Error::new("finding a member of the team", name, "no member has this name")
            .hint(format!("there are: {}", names.join(", ")))
            .exit(Exit::NotFound)
    })
}
