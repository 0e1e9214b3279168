//! `ait sessions history`: lists sessions, or searches them.

use super::history_list::Sessions;
pub use super::history_query::History;
use super::history_query::find;
use super::transcripts::Search;
use super::{Count, Part, Run, unreadable};
use crate::context::Context;
use crate::error::Result;
use crate::render::theme::ColorChoice;
use crate::report::Report;
use crate::session::order::{sort_by, sort_by_key};
use crate::store::history::{self, Day};
use crate::store::root::Root;

impl Run for History {
    /// Shows the sessions of the days asked for, the newest first.
    ///
    /// # Errors
    /// If the day is not one, or a folder cannot be read.
    fn run(&self, context: &Context) -> Result<Report> {
        if self.transcripts {
            return Ok(Search::new(self, context)?.into_report());
        }
        let zone = context.time_zone();
        let found = find(self, context, &zone)?;
        let hint = if found.days.is_empty() { nothing_found(self, found.last, context.root()?) } else { String::new() };
        let report = Sessions {
            days: found.days,
            left_out: found.left_out,
            hint,
            zone,
            now: context.now,
            resumable: self.resumable,
        };
        Ok(Report::new(report).remarks(unreadable(&found.unread)))
    }

    fn json(&self) -> bool {
        self.json
    }

    fn color(&self) -> ColorChoice {
        self.color
    }

    fn pages(&self) -> bool {
        !self.no_pager
    }

    fn parts(&self, context: &Context) -> Option<Result<Box<dyn Iterator<Item = Part>>>> {
        let search = || Ok(Box::new(Search::new(self, context)?) as Box<dyn Iterator<Item = Part>>);
        (self.transcripts && !self.json).then(search)
    }
}

fn nothing_found(request: &History, last: Day, root: &Root) -> String {
    let filtered = if request.is_filtered() { " that match" } else { "" };
    let span = match request.days {
        Some(Count(days)) if days > 1 => format!("in the {days} days up to {last}"),
        _ => format!("on {last}"),
    };
    let mut text = format!("No sessions{filtered} were active {span}.\n");
    let mut near = history::days(root).unwrap_or_default();
    sort_by_key(&mut near, |day| day.distance(last));
    // Sessions that came back leave empty days behind.
    let mut near: Vec<Day> = near.into_iter().filter(|day| history::has_sessions(root, *day)).take(3).collect();
    sort_by(&mut near, Ord::cmp);
    if filtered.is_empty() && !near.is_empty() {
        let near: Vec<String> = near.iter().map(Day::to_string).collect();
        text.push_str(&format!(
            "Nearest days with sessions: {}. Type: ait sessions history --date {}\n",
            near.join(", "),
            near.last().map(String::as_str).unwrap_or_default()
        ));
    }
    text
}
