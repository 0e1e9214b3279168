//! How each token of a format is shown.

use crate::session::conflict::Grade;
use crate::session::state::State;

use super::elapsed::Short;
use super::facts::Facts;
use super::format::Token;
use super::line::Line;
use super::theme::{Icons, Role};

/// The least cells of the name of a waiting session; with less room, only the waiting time is shown.
const MIN_WAITING_NAME: usize = 4;
/// Costs from this many US dollars on are not written out: they only come from broken input.
const MAX_COST: f64 = 1e6;

/// Appends a token to a line, or nothing if its fact is absent. `cells` is the bound of the format, which holds for names
/// only; `bound` is how many cells the segment has room for.
pub(super) fn write(token: Token, cells: usize, bound: usize, facts: &Facts<'_>, icons: Icons, line: &mut Line) {
    let max = cells.min(bound);
    match token {
        Token::Project => name(line, Role::Project, Some(facts.project), max),
        Token::Branch => name(line, Role::Branch, facts.branch, max),
        Token::Operation => name(line, Role::Waiting, facts.operation, max),
        Token::Worktree => name(line, Role::Branch, facts.worktree, max),
        Token::Task => name(line, Role::Task, facts.task, max),
        Token::Path => name(line, Role::Dim, facts.path, max),
        Token::Session => name(line, Role::Dim, facts.session.map(short_id), max),
        Token::Model => name(line, Role::Dim, facts.model, max),
        Token::WaitingFor => name(line, Role::Waiting, facts.waiting.map(|waiting| waiting.for_what), max),
        Token::State => state(line, facts),
        Token::Icon => icon(line, facts, icons),
        Token::Waiting => waiting(line, facts, icons, cells, bound),
        Token::Conflict => conflict(line, facts, icons),
        Token::Moved => moved(line, facts, icons, max),
        Token::Hooks if facts.hooks_missing => {
            line.role(Role::Error);
            line.own(format_args!("{}no hooks", icons.error()));
        }
        Token::Hooks => {}
        Token::Elapsed => {
            if let Some(elapsed) = facts.elapsed {
                line.role(Role::Elapsed);
                line.literal(&Short(elapsed).text());
            }
        }
        Token::Count => {
            if let Some(count @ 1..) = facts.count {
                line.own(format_args!("{count}"));
            }
        }
        Token::Context | Token::Cost | Token::Lines | Token::Limits => {
            line.role(Role::Dim);
            usage(token, facts, line);
        }
    }
}

fn name(line: &mut Line, role: Role, text: Option<&str>, max: usize) {
    line.role(role);
    line.text_within(text.unwrap_or_default(), max);
}

fn state(line: &mut Line, facts: &Facts<'_>) {
    let Some(state) = facts.state else { return };
    line.role(match state {
        State::Working => Role::Working,
        State::Error => Role::Error,
        _ if facts.finished || state == State::Waiting => Role::Waiting,
        _ => Role::Dim,
    });
    line.literal(if facts.finished { "finished" } else { state.as_str() });
}

fn icon(line: &mut Line, facts: &Facts<'_>, icons: Icons) {
    let (role, mark) = match facts.state {
        Some(State::Working) => (Role::Working, icons.working()),
        Some(State::Error) => (Role::Error, icons.error()),
        Some(state) if facts.finished || state == State::Waiting => (Role::Waiting, icons.waiting()),
        _ => return,
    };
    line.role(role);
    line.literal(mark);
}

fn waiting(line: &mut Line, facts: &Facts<'_>, icons: Icons, cells: usize, bound: usize) {
    let Some(waiting) = facts.waiting else { return };
    let time = Short(waiting.seconds).text();
    line.role(if waiting.failed { Role::Error } else { Role::Waiting });
    line.literal(if waiting.failed { icons.error() } else { icons.waiting() });
    // The mark, a space and the time take the rest.
    let room = bound.saturating_sub(time.len() + 2);
    if let Some(whose) = waiting.whose.filter(|_| room >= MIN_WAITING_NAME) {
        line.text_within(whose, cells.min(room));
        line.literal(" ");
    }
    line.literal(&time);
}

fn conflict(line: &mut Line, facts: &Facts<'_>, icons: Icons) {
    let Some(conflict) = facts.conflict else { return };
    line.role(match conflict.grade {
        Grade::Clobber => Role::Clobber,
        Grade::SharedTree => Role::Conflict,
        Grade::Merge => return,
    });
    line.own(format_args!("{}{}", icons.conflict(), conflict.count));
}

fn moved(line: &mut Line, facts: &Facts<'_>, icons: Icons, max: usize) {
    if let Some(moved) = facts.moved.filter(|moved| !moved.is_empty()) {
        line.role(Role::Conflict);
        line.literal(icons.moved());
        line.text_within(moved, max);
    }
}

/// Appends what the status line knows of the session's use of its model.
fn usage(token: Token, facts: &Facts<'_>, line: &mut Line) {
    match token {
        Token::Context => {
            if let Some(percent) = facts.context.and_then(percent) {
                line.own(format_args!("{percent}% context"));
            }
        }
        Token::Cost => match facts.cost {
            Some(cost) if cost.is_finite() && cost >= MAX_COST => line.literal("$1M+"),
            Some(cost) if cost.is_finite() && cost >= 0.005 => line.own(format_args!("${cost:.2}")),
            _ => {}
        },
        Token::Lines => {
            if let Some((added, removed)) = facts.lines.filter(|lines| *lines != (0, 0)) {
                line.own(format_args!("+{added} -{removed}"));
            }
        }
        Token::Limits => {
            if let Some(percent) = facts.limits.five_hours.and_then(percent) {
                line.own(format_args!("5h {percent}% "));
            }
            if let Some(percent) = facts.limits.seven_days.and_then(percent) {
                line.own(format_args!("7d {percent}%"));
            }
        }
        _ => {}
    }
}

/// A share in whole percent, between 0 and 999; `None` if it is not a number.
fn percent(share: f64) -> Option<u16> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    share.is_finite().then(|| share.round().clamp(0.0, 999.0) as u16)
}

/// The first eight characters of a session id, which are unique enough to type.
fn short_id(id: &str) -> &str {
    id.char_indices().nth(8).map_or(id, |(end, _)| id.get(..end).unwrap_or(id))
}
