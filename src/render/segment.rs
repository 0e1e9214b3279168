//! What a segment says: facts and a format go in, one line comes out.

use crate::session::conflict::Grade;
use crate::session::state::State;

use super::dialect::Dialect;
use super::elapsed::Short;
use super::format::{DEPTH, Format, Piece, Token};
use super::line::Line;
use super::theme::{Icons, Look, Role};

/// What is known. All of it may be absent, and what is absent is not shown.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Facts<'a> {
    /// The name of the project.
    pub project: &'a str,
    /// The branch, or what stands for one.
    pub branch: Option<&'a str>,
    /// The name of the linked worktree; `None` in the main one.
    pub worktree: Option<&'a str>,
    /// How long the session has been running, in seconds.
    pub elapsed: Option<u64>,
    /// What the session is for.
    pub task: Option<&'a str>,
    /// What the session is doing; `None` where there is no session.
    pub state: Option<State>,
    /// Who waits longest for the person.
    pub waiting: Option<Waiting<'a>>,
    /// The worst conflict here.
    pub conflict: Option<Conflict>,
    /// How many sessions are live, where that is to be said.
    pub count: Option<usize>,
    /// The folder.
    pub path: Option<&'a str>,
    /// The session's id.
    pub session: Option<&'a str>,
    /// Where another session moved this tree's branch or commit: `main -> dev`.
    pub moved: Option<&'a str>,
    /// Hooks are known not to fire.
    pub hooks_missing: bool,
    /// The model's name.
    pub model: Option<&'a str>,
    /// The share of the context that is used, in percent.
    pub context: Option<f64>,
    /// What the session cost, in US dollars.
    pub cost: Option<f64>,
    /// Lines added and removed.
    pub lines: Option<(u64, u64)>,
    /// The shares of the limits that are used.
    pub limits: Limits,
}

/// A session that waits for its person.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Waiting<'a> {
    /// What for: `permission`, `question`, `input`; empty where that is not known.
    pub for_what: &'a str,
    /// For how many seconds.
    pub seconds: u64,
    /// The project of the session, where it is another than the one that the segment speaks of.
    pub whose: Option<&'a str>,
}

/// Sessions that can hurt each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Conflict {
    /// How many sessions.
    pub count: usize,
    /// How badly. `Merge` is not shown: it is no reason to stop.
    pub grade: Grade,
}

/// How much of the limits of a subscription is used, in percent.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Limits {
    /// Of the limit over five hours.
    pub five_hours: Option<f64>,
    /// Of the limit over seven days.
    pub seven_days: Option<f64>,
}

/// The least cells that a name keeps when it is cut; a task that would keep less goes altogether.
const LEAST: usize = 4;

/// The most cells of a line that nobody gave a width: more than a terminal has, less than what floods one.
const WIDEST: usize = 500;
/// The most cells of any name, whatever the width: who sends a longer one means no good.
const LONGEST: usize = 200;
/// What a session does not cost, in dollars: a figure above it is nonsense, and not written out.
const COSTLIEST: f64 = 1e6;

/// The segment that `format` makes of `facts`, at most `look.max_width` cells wide; empty where nothing is known.
///
/// Where it is too wide the task is cut first, then the branch, the worktree and the project, and at last the end of
/// the line: a warning is worth more than the end of a name.
pub fn render(format: Format<'_>, facts: &Facts<'_>, dialect: Dialect, look: Look) -> String {
    let mut facts = *facts;
    let mut bounds = Bounds::default();
    let mut line = draw(format, &facts, &bounds, dialect, look, None);
    let max = look.max_width.unwrap_or(WIDEST);
    for name in [Token::Task, Token::Branch, Token::Worktree, Token::Project] {
        let Some(excess) = line.cells().checked_sub(max).filter(|excess| *excess > 0) else { return line.finish() };
        let text = match name {
            Token::Task => facts.task.unwrap_or_default(),
            Token::Branch => facts.branch.unwrap_or_default(),
            Token::Worktree => facts.worktree.unwrap_or_default(),
            _ => facts.project,
        };
        // Measured as it is drawn: runs of spaces are one cell.
        let mut alone = Line::segment(Dialect::Plain, false, look.icons, None);
        alone.text_within(text, widest(format, name).min(LONGEST));
        if alone.cells() == 0 {
            continue;
        }
        let keep = alone.cells().saturating_sub(excess);
        match name {
            Token::Task if keep < LEAST => facts.task = None,
            Token::Task => bounds.task = keep,
            Token::Branch => bounds.branch = keep.max(LEAST),
            Token::Worktree => bounds.worktree = keep.max(LEAST),
            _ => bounds.project = keep.max(LEAST),
        }
        line = draw(format, &facts, &bounds, dialect, look, None);
    }
    if line.cells() <= max {
        return line.finish();
    }
    draw(format, &facts, &bounds, dialect, look, Some(max)).finish()
}

/// The most cells that the names may take.
struct Bounds {
    task: usize,
    branch: usize,
    worktree: usize,
    project: usize,
}

impl Default for Bounds {
    fn default() -> Self {
        Bounds { task: LONGEST, branch: LONGEST, worktree: LONGEST, project: LONGEST }
    }
}

/// The most cells that the format itself lets a token take.
fn widest(format: Format<'_>, wanted: Token) -> usize {
    let bounds = format.pieces().filter_map(|piece| match piece {
        Piece::Token(token, cells) if token == wanted => Some(cells),
        _ => None,
    });
    bounds.max().unwrap_or(0)
}

fn draw(
    format: Format<'_>,
    facts: &Facts<'_>,
    bounds: &Bounds,
    dialect: Dialect,
    look: Look,
    limit: Option<usize>,
) -> Line {
    let mut line = Line::segment(dialect, look.color, look.icons, limit);
    // For each open group: where the line stood, and whether a token in it had something to say.
    let mut groups = [(line.mark(), false); DEPTH];
    let mut depth = 0;
    for piece in format.pieces() {
        match piece {
            Piece::Literal(text) => line.literal(text),
            Piece::Token(token, cells) => {
                if say(token, cells, facts, bounds, look.icons, &mut line) {
                    groups.iter_mut().take(depth).for_each(|(_, said)| *said = true);
                }
                line.role(Role::Plain);
            }
            Piece::Open => {
                if let Some(group) = groups.get_mut(depth) {
                    *group = (line.mark(), false);
                }
                depth += 1;
            }
            Piece::Close => {
                depth = depth.saturating_sub(1);
                if let Some((mark, false)) = groups.get(depth) {
                    line.rewind(*mark);
                }
            }
        }
    }
    line
}

/// Writes what a token shows; whether that was anything.
fn say(token: Token, cells: usize, facts: &Facts<'_>, bounds: &Bounds, icons: Icons, line: &mut Line) -> bool {
    let mut name = |role: Role, text: Option<&str>, bound: usize| {
        let before = line.cells();
        line.role(role);
        line.text_within(text.unwrap_or_default(), cells.min(bound));
        line.cells() > before
    };
    match token {
        Token::Project => return name(Role::Project, Some(facts.project), bounds.project),
        Token::Branch => return name(Role::Branch, facts.branch, bounds.branch),
        Token::Worktree => return name(Role::Branch, facts.worktree, bounds.worktree),
        Token::Task => return name(Role::Task, facts.task, bounds.task),
        Token::Path => return name(Role::Dim, facts.path, LONGEST),
        Token::Session => return name(Role::Dim, facts.session.map(short_id), LONGEST),
        Token::Model => return name(Role::Dim, facts.model, LONGEST),
        Token::WaitingFor => return name(Role::Waiting, facts.waiting.map(|waiting| waiting.for_what), LONGEST),
        _ => {}
    }
    let before = line.cells();
    match token {
        Token::Elapsed => {
            if let Some(elapsed) = facts.elapsed {
                line.role(Role::Elapsed);
                line.literal(&Short(elapsed).text());
            }
        }
        Token::State => {
            let (role, word) = match facts.state {
                None => (Role::Plain, ""),
                Some(State::Idle) => (Role::Dim, "idle"),
                Some(State::Working) => (Role::Working, "working"),
                Some(State::Waiting) => (Role::Waiting, "waiting"),
                Some(State::Error) => (Role::Error, "error"),
                Some(State::Unknown) => (Role::Dim, "unknown"),
            };
            line.role(role);
            line.literal(word);
        }
        Token::Icon => {
            let (role, mark) = match facts.state {
                None | Some(State::Idle | State::Unknown) => (Role::Plain, ""),
                Some(State::Working) => (Role::Working, icons.working()),
                Some(State::Waiting) => (Role::Waiting, icons.waiting()),
                Some(State::Error) => (Role::Error, icons.error()),
            };
            line.role(role);
            line.literal(mark);
        }
        Token::Waiting => {
            if let Some(waiting) = facts.waiting {
                line.role(Role::Waiting);
                line.literal(icons.waiting());
                if let Some(whose) = waiting.whose {
                    line.text_within(whose, cells.min(LONGEST));
                    line.literal(" ");
                }
                line.literal(&Short(waiting.seconds).text());
            }
        }
        Token::Conflict => {
            let role = match facts.conflict.map(|conflict| conflict.grade) {
                Some(Grade::Clobber) => Role::Clobber,
                Some(Grade::SharedTree) => Role::Conflict,
                Some(Grade::Merge) | None => return false,
            };
            line.role(role);
            line.own(format_args!("{}{}", icons.conflict(), facts.conflict.map_or(0, |conflict| conflict.count)));
        }
        Token::Count => {
            if let Some(count @ 1..) = facts.count {
                line.own(format_args!("{count}"));
            }
        }
        Token::Moved => {
            if let Some(moved) = facts.moved.filter(|moved| !moved.is_empty()) {
                line.role(Role::Conflict);
                line.literal(icons.moved());
                line.text_within(moved, cells.min(LONGEST));
            }
        }
        Token::Hooks if facts.hooks_missing => {
            line.role(Role::Error);
            line.own(format_args!("{}no hooks", icons.error()));
        }
        Token::Context => {
            if let Some(percent) = facts.context.and_then(percent) {
                line.role(Role::Dim);
                line.own(format_args!("{percent}% context"));
            }
        }
        Token::Cost => {
            if let Some(cost) = facts.cost.filter(|cost| cost.is_finite() && *cost >= 0.005) {
                line.role(Role::Dim);
                match cost < COSTLIEST {
                    true => line.own(format_args!("${cost:.2}")),
                    false => line.literal("$1M+"),
                }
            }
        }
        Token::Lines => {
            if let Some((added, removed)) = facts.lines.filter(|lines| *lines != (0, 0)) {
                line.role(Role::Dim);
                line.own(format_args!("+{added} -{removed}"));
            }
        }
        Token::Limits => {
            line.role(Role::Dim);
            if let Some(percent) = facts.limits.five_hours.and_then(percent) {
                line.own(format_args!("5h {percent}% "));
            }
            if let Some(percent) = facts.limits.seven_days.and_then(percent) {
                line.own(format_args!("7d {percent}%"));
            }
        }
        _ => {}
    }
    line.cells() > before
}

/// A share in percent as people write it, within 0 and 999; `None` where it is no number.
fn percent(share: f64) -> Option<u16> {
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped")]
    share.is_finite().then(|| share.round().clamp(0.0, 999.0) as u16)
}

/// The first eight characters of a session id, which is unique enough to type.
pub fn short_id(id: &str) -> &str {
    id.char_indices().nth(8).map_or(id, |(end, _)| id.get(..end).unwrap_or(id))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::format::{FLEET, PROMPT, STATUS_LINE, TOKENS};
    use crate::render::width;

    const FACTS: Facts<'_> = Facts {
        project: "aiterm",
        branch: Some("main"),
        worktree: None,
        elapsed: Some(45 * 60),
        task: Some("Implementing session coordination"),
        state: Some(State::Working),
        waiting: None,
        conflict: Some(Conflict { count: 2, grade: Grade::SharedTree }),
        count: None,
        path: None,
        session: None,
        moved: None,
        hooks_missing: false,
        model: None,
        context: None,
        cost: None,
        lines: None,
        limits: Limits { five_hours: None, seven_days: None },
    };

    fn plain(format: &str, facts: &Facts<'_>) -> String {
        let look = Look { color: true, ..Look::default() };
        render(Format::parse(format).unwrap(), facts, Dialect::Plain, look)
    }

    #[test]
    fn the_default_reading() {
        assert_eq!(plain(PROMPT, &FACTS), "aiterm main 45m Implementing session coordination ⚠2");
        let ascii = Look { icons: Icons::Ascii, ..Look::default() };
        assert_eq!(
            render(Format::parse(PROMPT).unwrap(), &FACTS, Dialect::Plain, ascii),
            "aiterm main 45m Implementing session coordination !2"
        );
    }

    #[test]
    fn nothing_known_is_nothing_shown() {
        let all = TOKENS.map(|(name, ..)| format!("{{{name}}} ")).concat();
        for format in [PROMPT, STATUS_LINE, FLEET, &all] {
            for (_, dialect) in Dialect::ALL {
                let look = Look { color: true, ..Look::default() };
                assert_eq!(render(Format::parse(format).unwrap(), &Facts::default(), dialect, look), "");
            }
        }
    }

    #[test]
    fn absent_facts_leave_no_stray_spaces() {
        for mask in 0..32_u8 {
            let has = |bit: u8| mask & (1 << bit) != 0;
            let facts = Facts {
                project: if has(0) { "aiterm" } else { "" },
                branch: FACTS.branch.filter(|_| has(1)),
                elapsed: FACTS.elapsed.filter(|_| has(2)),
                task: FACTS.task.filter(|_| has(3)),
                conflict: FACTS.conflict.filter(|_| has(4)),
                ..FACTS
            };
            let text = plain(PROMPT, &facts);
            assert_eq!(text, text.split_whitespace().collect::<Vec<_>>().join(" "));
            assert_eq!(text.is_empty(), mask == 0);
        }
    }

    #[test]
    fn groups_vanish_with_their_tokens_and_stay_with_one_of_them() {
        let facts = Facts { project: "p", task: Some("t"), ..Facts::default() };
        assert_eq!(plain("[a{branch}][b{task}]", &facts), "bt");
        assert_eq!(plain("[<{branch}[|{task}]>]", &facts), "<|t>");
        assert_eq!(plain("[<{branch}[|{worktree}]>]x", &facts), "x");
        assert_eq!(plain(r"\[{project}\]", &facts), "[p]");
    }

    #[test]
    fn merge_is_not_shown_and_clobber_looks_worse() {
        let with = |grade| Facts { conflict: Some(Conflict { count: 2, grade }), ..Facts::default() };
        assert_eq!(plain(PROMPT, &with(Grade::Merge)), "");
        let ansi = |grade| {
            let look = Look { color: true, ..Look::default() };
            render(Format::parse("{conflict}").unwrap(), &with(grade), Dialect::Ansi, look)
        };
        assert_ne!(ansi(Grade::Clobber), ansi(Grade::SharedTree));
    }

    #[test]
    fn every_token_says_something() {
        let facts = Facts {
            project: "aiterm",
            branch: Some("dev"),
            worktree: Some("wt"),
            elapsed: Some(7500),
            task: Some("a task"),
            state: Some(State::Waiting),
            waiting: Some(Waiting { for_what: "permission", seconds: 130, whose: Some("atlas") }),
            count: Some(3),
            path: Some("~/aiterm"),
            session: Some("0123456789abcdef"),
            moved: Some("main -> dev"),
            hooks_missing: true,
            model: Some("Opus"),
            context: Some(36.6),
            cost: Some(1.239),
            lines: Some((120, 30)),
            limits: Limits { five_hours: Some(42.0), seven_days: Some(7.4) },
            ..FACTS
        };
        for (name, wanted) in [
            ("project", "aiterm"),
            ("branch", "dev"),
            ("worktree", "wt"),
            ("elapsed", "2h 5m"),
            ("task", "a task"),
            ("state", "waiting"),
            ("icon", "◷"),
            ("waiting", "◷atlas 2m"),
            ("waiting_for", "permission"),
            ("conflict", "⚠2"),
            ("count", "3"),
            ("path", "~/aiterm"),
            ("session", "01234567"),
            ("moved", "↷main -> dev"),
            ("hooks", "✗no hooks"),
            ("model", "Opus"),
            ("context", "37% context"),
            ("cost", "$1.24"),
            ("lines", "+120 -30"),
            ("limits", "5h 42% 7d 7%"),
        ] {
            assert_eq!(plain(&format!("{{{name}}}"), &facts), wanted);
        }
        assert_eq!(
            plain(STATUS_LINE, &facts),
            "aiterm dev (wt) 2h 5m a task ⚠2 ↷main -> dev ✗no hooks | Opus | 37% context | $1.24 | +120 -30 \
             | 5h 42% 7d 7%"
        );
        assert_eq!(plain(FLEET, &facts), "3 live ◷atlas 2m ⚠2");
    }

    #[test]
    fn numbers_that_are_none_say_nothing() {
        for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let limits = Limits { five_hours: Some(odd), seven_days: Some(odd) };
            let facts = Facts { context: Some(odd), cost: Some(odd), limits, ..Facts::default() };
            assert_eq!(plain(STATUS_LINE, &facts), "");
        }
        assert_eq!(plain("{context}", &Facts { context: Some(-3.0), ..Facts::default() }), "0% context");
        assert_eq!(plain("{context}", &Facts { context: Some(1e300), ..Facts::default() }), "999% context");
    }

    #[test]
    fn a_bound_in_the_format_holds() {
        assert_eq!(plain("{task:8}|{project:3}", &FACTS), "Impleme…|ai…");
    }

    #[test]
    fn too_wide_the_task_is_cut_first_and_the_warning_last() {
        for (max, wanted) in [
            (52, "aiterm main 45m Implementing session coordination ⚠2"),
            (51, "aiterm main 45m Implementing session coordinati… ⚠2"),
            (30, "aiterm main 45m Implementi… ⚠2"),
            (29, "aiterm main 45m Implement… ⚠2"),
            (23, "aiterm main 45m Imp… ⚠2"),
            (22, "aiterm main 45m ⚠2"),
            (18, "aiterm main 45m ⚠2"),
            (17, "aite… main 45m ⚠2"),
            (16, "ait… main 45m ⚠2"),
            (15, "ait… main 45m…"),
            (4, "ait…"),
            (3, "ai…"),
            (1, "…"),
            (0, ""),
        ] {
            let look = Look { max_width: Some(max), ..Look::default() };
            let text = render(Format::parse(PROMPT).unwrap(), &FACTS, Dialect::Plain, look);
            assert_eq!(text, wanted, "{max}");
        }
        let facts = Facts { branch: Some("feature/authentication"), ..FACTS };
        let look = Look { max_width: Some(24), ..Look::default() };
        let text = render(Format::parse(PROMPT).unwrap(), &facts, Dialect::Plain, look);
        assert_eq!(text, "aiterm feature/a… 45m ⚠2");
        let facts = Facts { task: Some("many \n\n    lines   of   a   task"), ..FACTS };
        let text = render(Format::parse(PROMPT).unwrap(), &facts, Dialect::Plain, look);
        assert_eq!(text, "aiterm main 45m many… ⚠2");
    }

    #[test]
    fn never_wider_than_asked_whatever_the_text() {
        let facts = Facts {
            project: "日本語プロジェクト",
            branch: Some("e\u{301}te\u{301}/👩\u{200d}💻"),
            task: Some("한국어 task with ⚠\u{fe0f} wide and e\u{301} marks"),
            ..FACTS
        };
        for format in [PROMPT, STATUS_LINE, "{task}{task} {branch:5}{task:9}"] {
            for icons in [Icons::Unicode, Icons::Ascii] {
                for max in 0..90 {
                    let look = Look { color: false, icons, max_width: Some(max) };
                    let text = render(Format::parse(format).unwrap(), &facts, Dialect::Plain, look);
                    assert!(width::cells(&text) <= max, "{text:?} {max}");
                    assert_eq!(text.trim(), text);
                }
            }
        }
    }
}
