//! The list from which `ait sessions go` lets the user choose a session.

use jiff::Timestamp;

use super::live::{put_heading, put_state};
use super::live_sessions::{self, LiveSession};
use super::{Screenful, pane, task};
use crate::context::Context;
use crate::error::Result;
use crate::render::theme::Role;
use crate::render::ui::{Ui, put};
use crate::session::order::sort_by_key;
use crate::sys::terminal::Key;

/// All live sessions: blocked ones first, then finished ones, each the longest first; then the others by their start.
pub(super) fn in_order(context: &Context) -> Result<Vec<LiveSession>> {
    let mut sessions = live_sessions::overview(context.root()?, context.now)?.live_sessions;
    sort_by_key(&mut sessions, |session| {
        let urgency = session.urgency(context.now);
        (urgency.is_none(), urgency)
    });
    Ok(sessions)
}

/// The state of a session, in one word.
pub(super) fn state_of(session: &LiveSession) -> &'static str {
    if session.observed.is_finished() { "finished" } else { session.observed.state.as_str() }
}

/// The keys while the filter is empty, where t and digits are keys.
const HELP: &str = "Enter or 1-9: go; t: set its task; Esc: leave; other letters filter, / first if t or a digit does";
/// The keys while there is a filter, of which t and digits are a part.
const HELP_FILTERED: &str = "Enter: go; arrows: choose; Esc: show all again, the chosen one stays chosen";
/// The keys while a task is typed.
const HELP_TASK: &str = "Enter: set the task; Esc: leave it as it is";
/// With fewer rows than this, no row is left empty.
const ROWS_WITH_SPACE: usize = 12;

/// The list, and what the user typed so far.
pub(super) struct Picker {
    sessions: Vec<LiveSession>,
    now: Timestamp,
    filter: String,
    /// The id of the selected session: it stays selected when the list changes.
    selected: Option<String>,
    /// The task that is being typed.
    task: Option<String>,
    /// What went wrong.
    message: String,
}

impl Picker {
    pub(super) fn new(sessions: Vec<LiveSession>, now: Timestamp) -> Picker {
        Picker { sessions, now, filter: String::new(), selected: None, task: None, message: String::new() }
    }

    /// The sessions that have every word of the filter in project, branch, task, state or id.
    fn shown(&self) -> Vec<&LiveSession> {
        let filter = self.filter.to_lowercase();
        let has_all = |session: &&LiveSession| {
            let manifest = &session.session.manifest;
            let branch = session.branch().unwrap_or_default();
            let task = manifest.task.as_deref().unwrap_or_default();
            let text = [&manifest.project, branch.as_str(), task, state_of(session), session.session.id.as_str()];
            let text = text.join("\n").to_lowercase();
            filter.trim_start_matches('/').split_whitespace().all(|word| text.contains(word))
        };
        self.sessions.iter().filter(has_all).collect()
    }

    /// The position of the selected session; the first one if it is not shown.
    fn position(&self, shown: &[&LiveSession]) -> usize {
        let selected = |session: &&LiveSession| Some(session.session.id.as_str()) == self.selected.as_deref();
        shown.iter().position(selected).unwrap_or(0)
    }

    fn select(&mut self, move_to: impl FnOnce(usize) -> usize) {
        let shown = self.shown();
        let position = move_to(self.position(&shown)).min(shown.len().saturating_sub(1));
        self.selected = shown.get(position).map(|session| session.session.id.to_string());
    }

    /// Goes to a session; `true` if that worked.
    fn go(&mut self, position: usize, context: &Context) -> bool {
        let shown = self.shown();
        let Some(session) = shown.get(position) else { return false };
        self.message = match pane::show(session) {
            Ok(true) => return true,
            Ok(false) => format!("no tmux pane: {}", pane::place_of(session, &Ui::default())),
            Err(error) => error.to_string(),
        };
        self.refresh(context);
        false
    }

    fn press_in_task(&mut self, key: Key, context: &Context) {
        let Some(text) = &mut self.task else { return };
        match key {
            Key::Letter(letter) => text.push(letter),
            Key::Backspace => {
                text.pop();
            }
            Key::Clear => text.clear(),
            Key::Enter => {
                let text = std::mem::take(text);
                let shown = self.shown();
                let id = shown.get(self.position(&shown)).map(|session| session.session.id.to_string());
                if let Some(id) = id.filter(|_| !text.is_empty())
                    && let Err(error) = task::set(context, &id, text)
                {
                    self.message = error.to_string();
                }
                self.task = None;
                self.refresh(context);
            }
            Key::Escape | Key::Leave => self.task = None,
            Key::Up | Key::Down => {}
        }
    }
}

impl Picker {
    fn put_session(&self, text: &mut String, ui: &Ui, position: usize, session: &LiveSession, is_selected: bool) {
        let manifest = &session.session.manifest;
        ui.cut_line(text, |line| {
            line.fixed(if is_selected { "> " } else { "  " });
            put_heading(line, Some(position + 1), manifest, session.branch().as_deref(), self.now);
            line.fixed("  ");
            put_state(line, &session.observed, self.now);
            if let Some(task) = &manifest.task {
                line.fixed("  ");
                put(line, Role::Task, task);
            }
        });
    }

    /// What is below the list: the task that is typed, or what went wrong, and the keys.
    fn footer(&self, ui: &Ui, rows: usize) -> String {
        let mut footer = String::new();
        if rows >= ROWS_WITH_SPACE {
            footer.push('\n');
        }
        if let Some(task) = &self.task {
            ui.cut_line(&mut footer, |line| {
                line.fixed("Task: ");
                line.text(task);
                line.fixed("_");
            });
        }
        if !self.message.is_empty() {
            ui.cut_line(&mut footer, |line| put(line, Role::Error, &self.message));
        }
        let help = match (&self.task, self.filter.is_empty()) {
            (Some(_), _) => HELP_TASK,
            (None, true) => HELP,
            (None, false) => HELP_FILTERED,
        };
        // One session and the filter are worth more than the keys.
        let before = footer.len();
        ui.sentence(&mut footer, "Keys:", help);
        if footer.lines().count() + 2 > rows {
            footer.truncate(before);
        }
        footer
    }
}

impl Screenful for Picker {
    fn text(&self, ui: &Ui, rows: usize) -> String {
        let shown = self.shown();
        let selected = self.position(&shown);
        let mut text = String::new();
        ui.cut_line(&mut text, |line| {
            line.fixed("Go to: ");
            line.text(&self.filter);
            line.fixed("_");
        });
        let footer = self.footer(ui, rows);
        // The selected one is always on the screen.
        let room = rows.saturating_sub(1 + footer.lines().count()).max(1);
        let first = (selected + 1).saturating_sub(room);
        for (position, session) in shown.iter().enumerate().skip(first).take(room) {
            self.put_session(&mut text, ui, position, session, position == selected);
        }
        if shown.is_empty() {
            text.push_str(if self.sessions.is_empty() { "  No live sessions.\n" } else { "  None matches.\n" });
        }
        text + &footer
    }

    fn refresh(&mut self, context: &Context) {
        self.now = context.now;
        match in_order(context) {
            Ok(sessions) => self.sessions = sessions,
            Err(error) => self.message = error.to_string(),
        }
    }

    fn press(&mut self, key: Key, context: &Context) -> bool {
        if self.task.is_some() {
            self.press_in_task(key, context);
            return false;
        }
        self.message.clear();
        match key {
            Key::Leave => return true,
            Key::Escape if self.filter.is_empty() => return true,
            Key::Escape | Key::Clear => {
                // Found by the filter, it can get a task now.
                self.select(|position| position);
                self.filter.clear();
            }
            Key::Backspace => {
                self.filter.pop();
            }
            Key::Up => self.select(|position| position.saturating_sub(1)),
            Key::Down => self.select(|position| position + 1),
            Key::Enter => {
                let position = self.position(&self.shown());
                return self.go(position, context);
            }
            Key::Letter('t') if self.filter.is_empty() && !self.shown().is_empty() => {
                // The task is for the session that is selected now, wherever it moves to.
                self.select(|position| position);
                self.task = Some(String::new());
            }
            Key::Letter(digit @ '1'..='9') if self.filter.is_empty() => {
                let position = digit.to_digit(10).map_or(0, |digit| digit as usize - 1);
                return self.go(position, context);
            }
            Key::Letter(letter) => self.filter.push(letter),
        }
        false
    }
}
