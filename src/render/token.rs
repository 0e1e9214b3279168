//! How each token of a format is shown.

use crate::session::conflict::Grade;
use crate::session::details::Details;
use crate::session::state::State;

use super::elapsed::Short;
use super::facts::{Facts, Waiting};
use super::format::Token;
use super::line::Line;
use super::style::{Look, THRESHOLDS};
use super::theme::{Mark, Role};
use super::width::cells as cells_of;

/// The least cells of the name of a waiting session; with less room, only the waiting time is shown.
const MIN_WAITING_NAME: usize = 4;
/// Costs from this many US dollars on are not written out: they only come from broken input.
const MAX_COST: f64 = 1e6;
/// The most cells of a bar.
const MAX_BAR: usize = 100;

/// Appends a token to a line, or nothing if its fact is absent. `cells` is the bound of the format, which holds for names
/// only; `bound` is how many cells the segment has room for.
pub(super) fn write(token: Token, cells: usize, bound: usize, facts: &Facts<'_>, look: Look<'_>, line: &mut Line) {
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
        Token::Icon => icon(line, facts, look),
        Token::Waiting => waiting(line, facts.waiting, look, cells, bound),
        Token::Elsewhere => waiting(line, facts.elsewhere, look, cells, bound),
        Token::Conflict => conflict(line, facts, look),
        Token::Moved => moved(line, facts, look, max),
        Token::Hooks if facts.hooks_missing => {
            line.role(Role::Error);
            line.own(format_args!("{}no hooks", look.mark(Mark::Error)));
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
        Token::Context | Token::Cost | Token::Lines | Token::Limits | Token::Resets | Token::ContextBar => {
            line.role(Role::Dim);
            usage(token, cells, facts, look, line);
        }
        Token::Dirty if facts.dirty => {
            line.role(Role::Waiting);
            line.literal("*");
        }
        Token::Dirty => {}
        Token::Ahead => commits(line, look.mark(Mark::Ahead), facts.ahead),
        Token::Behind => commits(line, look.mark(Mark::Behind), facts.behind),
        Token::Arrow => line.arrow(),
        Token::Fill => line.fill(),
        _ => {
            if let Some(details) = facts.details {
                line.role(Role::Dim);
                detail(token, max, details, facts, look, line);
            }
        }
    }
}

fn name(line: &mut Line, role: Role, text: Option<&str>, max: usize) {
    line.role(role);
    line.text_within(text.unwrap_or_default(), max);
}

fn commits(line: &mut Line, mark: &str, count: u64) {
    if count > 0 {
        line.role(Role::Branch);
        line.own(format_args!("{mark}{count}"));
    }
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

fn icon(line: &mut Line, facts: &Facts<'_>, look: Look<'_>) {
    let (role, mark) = match facts.state {
        Some(State::Working) => (Role::Working, look.mark(Mark::Working)),
        Some(State::Error) => (Role::Error, look.mark(Mark::Error)),
        Some(state) if facts.finished || state == State::Waiting => (Role::Waiting, look.mark(Mark::Waiting)),
        _ => return,
    };
    line.role(role);
    line.literal(mark);
}

fn waiting(line: &mut Line, waiting: Option<Waiting<'_>>, look: Look<'_>, cells: usize, bound: usize) {
    let Some(waiting) = waiting else { return };
    let time = Short(waiting.seconds).text();
    line.role(if waiting.failed { Role::Error } else { Role::Waiting });
    let mark = look.mark(if waiting.failed { Mark::Error } else { Mark::Waiting });
    line.literal(mark);
    // The mark, a space and the time take the rest.
    let room = bound.saturating_sub(time.len() + 1 + cells_of(mark));
    if let Some(whose) = waiting.whose.filter(|_| room >= MIN_WAITING_NAME) {
        line.text_within(whose, cells.min(room));
        line.literal(" ");
    }
    line.literal(&time);
}

fn conflict(line: &mut Line, facts: &Facts<'_>, look: Look<'_>) {
    let Some(conflict) = facts.conflict else { return };
    line.role(match conflict.grade {
        Grade::Clobber => Role::Clobber,
        Grade::SharedTree => Role::Conflict,
        Grade::Merge => return,
    });
    line.own(format_args!("{}{}", look.mark(Mark::Conflict), conflict.count));
}

fn moved(line: &mut Line, facts: &Facts<'_>, look: Look<'_>, max: usize) {
    if let Some(moved) = facts.moved.filter(|moved| !moved.is_empty()) {
        line.role(Role::Conflict);
        line.literal(look.mark(Mark::Moved));
        line.text_within(moved, max);
    }
}

/// Appends what the status line knows of the session's use of its model.
fn usage(token: Token, cells: usize, facts: &Facts<'_>, look: Look<'_>, line: &mut Line) {
    let context = look.theme.map_or(THRESHOLDS, |theme| theme.context);
    match token {
        Token::Context => {
            if let Some(percent) = facts.context.and_then(percent) {
                line.role(alarm(percent, context));
                line.own(format_args!("{percent}% context"));
            }
        }
        Token::ContextBar => {
            if let Some(percent) = facts.context.and_then(percent) {
                let cells = if cells > MAX_BAR { 10 } else { cells };
                let full = (usize::from(percent) * cells).div_ceil(100).min(cells);
                let (filled, empty) = (look.mark(Mark::Bar), look.mark(Mark::BarEmpty));
                line.role(alarm(percent, context));
                line.literal(&filled.repeat(full));
                line.literal(&empty.repeat(cells - full));
            }
        }
        Token::Cost => match facts.cost {
            Some(cost) if cost.is_finite() && cost >= MAX_COST => line.literal("$1M+"),
            Some(cost) if cost.is_finite() && cost >= 0.005 => dollars(cost, "", line),
            _ => {}
        },
        Token::Lines => {
            if let Some((added, removed)) = facts.lines.filter(|lines| *lines != (0, 0)) {
                line.own(format_args!("+{added} -{removed}"));
            }
        }
        Token::Limits => {
            let limits = look.theme.map_or(THRESHOLDS, |theme| theme.limits);
            for (name, share) in [("5h", facts.limits.five_hours), ("7d", facts.limits.seven_days)] {
                if let Some(percent) = share.and_then(percent) {
                    line.role(alarm(percent, limits));
                    line.own(format_args!("{name} {percent}%"));
                    line.role(Role::Plain);
                    line.literal(" ");
                }
            }
        }
        Token::Resets => {
            for (name, seconds) in [("5h", facts.limits.resets.0), ("7d", facts.limits.resets.1)] {
                if let Some(seconds) = seconds {
                    line.own(format_args!("{name} in {} ", Short(seconds)));
                }
            }
        }
        _ => {}
    }
}

/// The role of a share that is used up.
fn alarm(percent: u16, (warning, critical): (u16, u16)) -> Role {
    match percent {
        _ if percent >= critical => Role::Critical,
        _ if percent >= warning => Role::Warning,
        _ => Role::Dim,
    }
}

/// Appends what only some status lines show.
fn detail(token: Token, max: usize, details: &Details, facts: &Facts<'_>, look: Look<'_>, line: &mut Line) {
    match token {
        Token::Name => line.text_within(details.name.as_deref().unwrap_or_default(), max),
        Token::OutputStyle => {
            let style = details.output_style.as_deref().filter(|style| *style != "default");
            line.text_within(style.unwrap_or_default(), max);
        }
        Token::Effort => line.text_within(details.effort.as_deref().unwrap_or_default(), max),
        Token::Thinking if details.thinking => line.literal("thinking"),
        Token::Vim => line.text_within(details.vim.as_deref().unwrap_or_default(), max),
        Token::Agent => line.text_within(details.agent.as_deref().unwrap_or_default(), max),
        Token::Version => line.text_within(details.version.as_deref().unwrap_or_default(), max),
        Token::TokensIn => count(details.tokens.0, line),
        Token::TokensOut => count(details.tokens.1, line),
        Token::CostRate => {
            // In the first minute it says nothing yet.
            if let (Some(cost), Some(seconds @ 60..)) = (facts.cost.filter(|cost| cost.is_finite()), details.duration) {
                let rate = (cost * 3600.0 / seconds as f64).clamp(0.0, MAX_COST);
                dollars(rate, "/h", line);
            }
        }
        Token::Cache => match details.cache_until.map(|at| u64::try_from(at - details.now).unwrap_or(0)) {
            Some(0) => line.literal("cache cold"),
            Some(seconds) => line.own(format_args!("cache {}", Short(seconds))),
            None => {}
        },
        Token::ApiTime => {
            if let Some(seconds @ 1..) = details.api_time {
                line.own(format_args!("api {}", Short(seconds)));
            }
        }
        Token::Dirs if details.dirs > 0 => line.own(format_args!("+{} dirs", details.dirs)),
        Token::Pr => {
            if let Some(number) = details.pr {
                line.own(format_args!("#{number}"));
            }
        }
        Token::Stash if details.stashes > 0 => line.own(format_args!("stash {}", details.stashes)),
        Token::Others => {
            if let Some((state, finished, count)) = details.others {
                icon(line, &Facts { state: Some(state), finished, ..Facts::default() }, look);
                line.own(format_args!("{count}"));
            }
        }
        _ => {}
    }
}

/// An amount in dollars and cents. In whole cents, because the standard library's code for decimals takes 12 KiB.
fn dollars(amount: f64, unit: &str, line: &mut Line) {
    let cents = (amount * 100.0).round() as u64;
    line.own(format_args!("${}.{:02}{unit}", cents / 100, cents % 100));
}

/// A number of tokens: `950`, `41k`, `1.2M`.
fn count(tokens: Option<u64>, line: &mut Line) {
    match tokens {
        None | Some(0) => {}
        Some(tokens @ ..1_000) => line.own(format_args!("{tokens}")),
        Some(tokens @ ..1_000_000) => line.own(format_args!("{}k", tokens / 1_000)),
        Some(tokens) => line.own(format_args!("{}.{}M", tokens / 1_000_000, tokens / 100_000 % 10)),
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
