//! The segment: facts and a format become one line that fits the width it has.

use nu_ansi_term::Color;

use super::dialect::Dialect;
use super::format::{Format, MAX_DEPTH, Piece, TOKENS, Token};
use super::line::Line;
use super::style::Look;
use super::theme::Role;
use super::token;

pub use super::facts::{Conflict, Facts, Limits, Waiting};

/// The cells of a segment without a given width: more than a terminal has, and few enough not to flood one.
const MAX_SEGMENT: usize = 500;
/// The most cells of any token, whatever the width. Longer names only come from mistakes or attacks.
const MAX_TOKEN: usize = 200;
/// The least cells of a name that is shortened.
const MIN_NAME: usize = 4;

/// One way to make a segment narrower.
#[derive(Clone, Copy)]
enum Reduction {
    /// Shorten a token as far as needed, but not below so many cells.
    Shorten(Token, usize),
    /// Leave a token out. A shortened project gets its cells back.
    Drop(Token),
}

/// The parts that are left out, in this order, if the segment is too wide. Warnings and the project come last.
const REDUCTIONS: [Reduction; 51] = {
    use Reduction::{Drop, Shorten};
    [
        Shorten(Token::Task, MIN_NAME),
        Drop(Token::Task),
        Drop(Token::Version),
        Drop(Token::OutputStyle),
        Drop(Token::Thinking),
        Drop(Token::Effort),
        Drop(Token::TokensIn),
        Drop(Token::TokensOut),
        Drop(Token::ApiTime),
        Drop(Token::CostRate),
        Drop(Token::Cache),
        Drop(Token::Dirs),
        Drop(Token::Resets),
        Drop(Token::ContextBar),
        Drop(Token::Name),
        Drop(Token::Agent),
        Drop(Token::Pr),
        Drop(Token::Stash),
        Drop(Token::Ahead),
        Drop(Token::Behind),
        Drop(Token::Vim),
        Drop(Token::Limits),
        Drop(Token::Lines),
        Drop(Token::Cost),
        Drop(Token::Context),
        Drop(Token::Model),
        Shorten(Token::Path, MIN_NAME),
        Shorten(Token::Worktree, MIN_NAME),
        // Its beginning is often the same for all: `feature/`.
        Shorten(Token::Branch, 2 * MIN_NAME),
        Drop(Token::WaitingFor),
        Shorten(Token::Waiting, MIN_NAME),
        Drop(Token::Session),
        Drop(Token::Others),
        Drop(Token::Path),
        Drop(Token::Elapsed),
        Drop(Token::Worktree),
        Shorten(Token::Branch, MIN_NAME),
        Drop(Token::Operation),
        Drop(Token::Dirty),
        Drop(Token::Branch),
        Drop(Token::State),
        Drop(Token::Count),
        Shorten(Token::Moved, MIN_NAME),
        Drop(Token::Moved),
        Shorten(Token::Project, MIN_NAME),
        Drop(Token::Hooks),
        Shorten(Token::Project, MIN_NAME),
        Drop(Token::Waiting),
        Shorten(Token::Elsewhere, MIN_NAME),
        Drop(Token::Elsewhere),
        Shorten(Token::Project, MIN_NAME),
    ]
};

/// The segment that `format` makes of `facts`, at most `look.max_width` cells wide; empty if nothing is known.
///
/// A segment that is too wide loses the end of the task first, then one token after the other, and at last the end of the
/// line.
pub fn render(format: Format<'_>, facts: &Facts<'_>, dialect: Dialect, look: Look<'_>) -> String {
    let segment = Segment { format, facts, dialect, look };
    let max = look.max_width.unwrap_or(MAX_SEGMENT);
    let mut bounds = Bounds([MAX_TOKEN; TOKENS.len()]);
    let mut line = segment.draw(&bounds, None);
    for reduction in REDUCTIONS {
        let excess = line.cells().saturating_sub(max);
        if excess == 0 {
            return line.finish_within(look.max_width);
        }
        if segment.reduce(&mut bounds, reduction, excess) {
            line = segment.draw(&bounds, None);
        }
    }
    if line.cells() > max && facts.conflict.is_some() {
        bounds.set(Token::Project, 0);
    }
    segment.draw(&bounds, Some(max)).finish_within(look.max_width)
}

/// The lines that a format of several lines makes, without empty ones.
pub fn render_lines(format: Format<'_>, facts: &Facts<'_>, dialect: Dialect, look: Look<'_>) -> String {
    let lines = format.lines().map(|line| render(line, facts, dialect, look)).filter(|line| !line.is_empty());
    lines.collect::<Vec<_>>().join("\n")
}

/// The most cells that each token may take, in the order of their declaration; 0 leaves a token out.
struct Bounds([usize; TOKENS.len()]);

impl Bounds {
    fn of(&self, token: Token) -> usize {
        self.0.get(token as usize).copied().unwrap_or_default()
    }

    fn set(&mut self, token: Token, cells: usize) {
        if let Some(bound) = self.0.get_mut(token as usize) {
            *bound = cells;
        }
    }
}

/// The parts of a segment.
struct Segment<'a> {
    format: Format<'a>,
    facts: &'a Facts<'a>,
    dialect: Dialect,
    look: Look<'a>,
}

impl Segment<'_> {
    /// Draws the line, cut at `limit`.
    fn draw(&self, bounds: &Bounds, limit: Option<usize>) -> Line {
        let mut line = Line::segment(self.dialect, self.look.color, self.look.icons, limit);
        // For each open group: the line before it, and whether a token in it has shown anything.
        let mut groups = [(line.mark(), false, None); MAX_DEPTH];
        let mut depth = 0;
        if let Some(theme) = self.look.theme {
            line.palette(theme.palette);
        }
        let mut pieces = self.format.pieces();
        while let Some(piece) = pieces.next() {
            match piece {
                Piece::Literal(text) => line.literal(text),
                Piece::Token(token, cells) => {
                    if self.write(token, cells, bounds.of(token), &mut line) {
                        groups.iter_mut().take(depth).for_each(|(_, shown, _)| *shown = true);
                    }
                }
                Piece::Open => {
                    if let Some(group) = groups.get_mut(depth) {
                        let ground = self.ground_of_group(pieces.clone());
                        *group = (line.mark(), false, line.ground(ground));
                    }
                    depth += 1;
                }
                Piece::Close => {
                    depth = depth.saturating_sub(1);
                    let Some((mark, shown, ground)) = groups.get(depth) else { continue };
                    if !shown {
                        line.rewind(*mark);
                    }
                    line.end_ground(*ground);
                }
            }
        }
        line.end_part();
        line
    }

    /// The background of a group: that of the first token in it that has one.
    fn ground_of_group<'b>(&self, pieces: impl Iterator<Item = Piece<'b>>) -> Option<Color> {
        let theme = self.look.theme.filter(|theme| !theme.styles.is_empty())?;
        let mut pieces = pieces.take_while(|piece| *piece != Piece::Close);
        pieces.find_map(|piece| match piece {
            Piece::Token(token, _) => theme.ground(token),
            _ => None,
        })
    }

    /// Appends a token; whether it showed anything.
    fn write(&self, token: Token, cells: usize, bound: usize, line: &mut Line) -> bool {
        let before = line.cells();
        if bound > 0 {
            let style = self.look.theme.and_then(|theme| theme.style(token));
            if style.is_some() {
                line.force(style);
            }
            token::write(token, cells, bound, self.facts, self.look, line);
            if style.is_some() {
                line.force(None);
            }
            line.role(Role::Plain);
        }
        line.cells() > before
    }

    /// Applies a reduction where `excess` cells are too many; whether that changed anything.
    fn reduce(&self, bounds: &mut Bounds, reduction: Reduction, excess: usize) -> bool {
        let (Reduction::Shorten(token, _) | Reduction::Drop(token)) = reduction;
        let shown = self.cells(token, bounds.of(token));
        let keep = match reduction {
            Reduction::Drop(_) => 0,
            // The task explains; a stump of it does not.
            Reduction::Shorten(Token::Task, least) if shown < excess + least => return false,
            Reduction::Shorten(_, least) => shown.saturating_sub(excess).max(least),
        };
        if keep >= shown {
            return false;
        }
        if keep == 0 {
            bounds.set(Token::Project, MAX_TOKEN);
        }
        bounds.set(token, keep);
        true
    }

    /// The cells that a token takes where the format has it; 0 if it has not.
    fn cells(&self, wanted: Token, bound: usize) -> usize {
        let places = self.format.pieces().filter_map(|piece| match piece {
            Piece::Token(token, cells) if token == wanted => Some(cells),
            _ => None,
        });
        let Some(cells) = places.max() else { return 0 };
        let mut line = Line::segment(self.dialect, false, self.look.icons, None);
        self.write(wanted, cells, bound, &mut line);
        line.cells()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::format::{ALL_SESSIONS, PROMPT, STATUS_LINE, TOKENS};
    use crate::render::style::{self, Palette, Theme};
    use crate::render::theme::Icons;
    use crate::render::width;
    use crate::session::conflict::Grade;
    use crate::session::details::Details;
    use crate::session::state::State;

    const FACTS: Facts<'_> = Facts {
        project: "aiterm",
        branch: Some("main"),
        operation: None,
        worktree: None,
        elapsed: Some(45 * 60),
        task: Some("Implementing session coordination"),
        state: Some(State::Working),
        finished: false,
        waiting: None,
        conflict: Some(Conflict { count: 2, grade: Grade::SharedTree }),
        count: None,
        path: None,
        session: None,
        moved: None,
        elsewhere: None,
        hooks_missing: false,
        model: None,
        context: None,
        cost: None,
        lines: None,
        limits: Limits { five_hours: None, seven_days: None, resets: (None, None) },
        dirty: false,
        ahead: 0,
        behind: 0,
        details: None,
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
        for format in [PROMPT, STATUS_LINE, ALL_SESSIONS, &all] {
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
    fn every_token_shows_its_fact() {
        let facts = Facts {
            project: "aiterm",
            branch: Some("dev"),
            operation: Some("rebase"),
            worktree: Some("wt"),
            elapsed: Some(7500),
            task: Some("a task"),
            state: Some(State::Waiting),
            waiting: Some(Waiting { for_what: "permission", failed: false, seconds: 130, whose: Some("atlas") }),
            count: Some(3),
            path: Some("~/aiterm"),
            session: Some("0123456789abcdef"),
            moved: Some("main -> dev"),
            elsewhere: Some(Waiting { for_what: "question", failed: false, seconds: 200, whose: Some("shop") }),
            hooks_missing: true,
            model: Some("Opus"),
            context: Some(36.6),
            cost: Some(1.239),
            lines: Some((120, 30)),
            limits: Limits { five_hours: Some(42.0), seven_days: Some(7.4), resets: (None, None) },
            ..FACTS
        };
        for (name, wanted) in [
            ("project", "aiterm"),
            ("branch", "dev"),
            ("operation", "rebase"),
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
            ("elsewhere", "◷shop 3m"),
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
            "aiterm dev|rebase (wt) 2h 5m a task ⚠2 ↷main -> dev ✗no hooks | Opus | 37% context | $1.24 | +120 -30 \
             | 5h 42% 7d 7%"
        );
        assert_eq!(plain(ALL_SESSIONS, &facts), "3 live ◷atlas 2m ⚠2");
    }

    fn colored(format: &str, facts: &Facts<'_>, theme: &Theme, max_width: Option<usize>) -> String {
        let look = Look { color: true, max_width, theme: Some(theme), ..Look::default() };
        render_lines(Format::parse(format).unwrap(), facts, Dialect::Ansi, look).replace('\u{1b}', "^")
    }

    fn theme(styles: &[(Token, &str)]) -> Theme {
        let styles = styles.iter().map(|(token, style)| (*token, style::parse(style).unwrap())).collect();
        Theme { styles, ..Theme::default() }
    }

    #[test]
    fn a_token_has_the_style_that_its_user_gave_it() {
        let theme = theme(&[(Token::Project, "underline 208"), (Token::Task, "plain")]);
        assert_eq!(
            colored("{project} {branch} {task:6}", &FACTS, &theme, None),
            "^[4;38;5;208maiterm^[24;39m ^[34mmain^[39m Imple…"
        );
        let mono = Theme { palette: Palette::Mono, ..Theme::default() };
        assert_eq!(colored("{project} {branch}", &FACTS, &mono, None), "^[1maiterm^[22m main");
    }

    #[test]
    fn shares_are_alarming_from_the_thresholds_on() {
        let at = |context| {
            let facts = Facts { context: Some(context), ..Facts::default() };
            colored("{context}", &facts, &Theme { context: (50, 80), ..Theme::default() }, None)
        };
        assert!(at(49.0).starts_with("^[2m"), "{}", at(49.0));
        assert!(at(50.0).starts_with("^[33m"), "{}", at(50.0));
        assert!(at(80.0).starts_with("^[1;31m"), "{}", at(80.0));
    }

    #[test]
    fn a_background_reaches_over_its_group_and_ends_in_an_arrow() {
        let theme = theme(&[(Token::Project, "on 1"), (Token::Branch, "on 2")]);
        let format = "[ {project} ]{arrow}[ {branch} ]{arrow}[ {task} ]{arrow}";
        let facts = Facts { task: None, ..FACTS };
        let on = |number: u8, text: &str| format!("^[48;5;{number}m{text}^[49m");
        let cap = |number: u8| format!("^[38;5;{number}m›^[39m");
        let first = [on(1, " aiterm "), "^[48;5;2;38;5;1m›^[39;49m".to_owned()].concat();
        assert_eq!(colored(format, &facts, &theme, None), [first, on(2, " main "), cap(2)].concat());
        let alone = Facts { branch: None, ..facts };
        assert_eq!(colored(format, &alone, &theme, None), [on(1, " aiterm "), cap(1)].concat());
        // Without backgrounds it only separates.
        assert_eq!(plain(format, &FACTS), "aiterm › main › Implementing session coordination");
        assert_eq!(plain(format, &alone), "aiterm");
        assert_eq!(plain(format, &Facts::default()), "");
    }

    #[test]
    fn a_line_is_filled_up_to_its_width() {
        let at = |format, max_width| {
            let look = Look { max_width, ..Look::default() };
            render(Format::parse(format).unwrap(), &FACTS, Dialect::Plain, look)
        };
        assert_eq!(at("{project}{fill}{branch}", Some(20)), "aiterm          main");
        assert_eq!(at("{project} {fill} {branch}", Some(11)), "aiterm main");
        assert_eq!(at("{project}{fill}{branch}", None), "aiterm main");
        assert_eq!(at("{project}{fill}[{worktree}]", Some(20)), "aiterm");
        assert_eq!(at("[{worktree}]{fill}{project}", Some(10)), "    aiterm");
        assert_eq!(at("[{worktree}{fill}]{project}", Some(10)), "    aiterm");
        assert_eq!(at("{project}{fill}{task}", Some(16)), "aiterm Implemen…");
    }

    #[test]
    fn lines_without_content_are_left_out() {
        let look = Look::default();
        let lines = |format| render_lines(Format::parse(format).unwrap(), &FACTS, Dialect::Plain, look);
        assert_eq!(lines("{project}\\n[{worktree}]\\n{branch}"), "aiterm\nmain");
        assert_eq!(lines("{project}\n{branch}"), "aiterm\nmain");
        // A prompt has one line.
        assert_eq!(plain("{project}\\n{branch}\n{elapsed}", &FACTS), "aiterm main 45m");
    }

    #[test]
    fn details_of_a_status_line_show_what_the_client_tells() {
        let details = Details {
            name: Some("login".into()),
            output_style: Some("Explanatory".into()),
            effort: Some("high".into()),
            thinking: true,
            vim: Some("NORMAL".into()),
            agent: Some("reviewer".into()),
            version: Some("2.1.330".into()),
            tokens: (Some(41_234), Some(1_260_000)),
            duration: Some(1800),
            api_time: Some(90),
            dirs: 2,
            pr: Some(12),
            cache_until: Some(1_240),
            now: 1_000,
            stashes: 3,
            others: Some((State::Waiting, false, 2)),
        };
        let limits = Limits { resets: (Some(7_500), Some(0)), ..FACTS.limits };
        let facts =
            Facts { context: Some(36.6), cost: Some(1.5), details: Some(&details), dirty: true, limits, ..FACTS };
        for (name, wanted) in [
            ("dirty", "*"),
            ("stash", "stash 3"),
            ("name", "login"),
            ("output_style", "Explanatory"),
            ("effort", "high"),
            ("thinking", "thinking"),
            ("vim", "NORMAL"),
            ("agent", "reviewer"),
            ("version", "2.1.330"),
            ("tokens_in", "41k"),
            ("tokens_out", "1.2M"),
            ("context_bar", "▰▰▰▰▱▱▱▱▱▱"),
            ("context_bar:5", "▰▰▱▱▱"),
            ("cost_rate", "$3.00/h"),
            ("resets", "5h in 2h 5m 7d in <1m"),
            ("cache", "cache 4m"),
            ("api_time", "api 1m"),
            ("dirs", "+2 dirs"),
            ("pr", "#12"),
            ("others", "◷2"),
        ] {
            assert_eq!(plain(&format!("{{{name}}}"), &facts), wanted, "{name}");
        }
        let cold = Details { cache_until: Some(5), output_style: Some("default".into()), now: 9, ..Details::default() };
        let facts = Facts { details: Some(&cold), ..Facts::default() };
        assert_eq!(plain("{cache}{output_style}{tokens_in}{stash}{dirs}{pr}{others}{thinking}", &facts), "cache cold");
    }

    #[test]
    fn numbers_that_are_not_finite_show_nothing() {
        for odd in [f64::NAN, f64::INFINITY, f64::NEG_INFINITY] {
            let limits = Limits { five_hours: Some(odd), seven_days: Some(odd), ..Limits::default() };
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
    fn a_narrow_segment_loses_the_task_first_and_keeps_the_warning() {
        for (max, wanted) in [
            (52, "aiterm main 45m Implementing session coordination ⚠2"),
            (51, "aiterm main 45m Implementing session coordinati… ⚠2"),
            (30, "aiterm main 45m Implementi… ⚠2"),
            (29, "aiterm main 45m Implement… ⚠2"),
            (23, "aiterm main 45m Imp… ⚠2"),
            (22, "aiterm main 45m ⚠2"),
            (18, "aiterm main 45m ⚠2"),
            (17, "aiterm main ⚠2"),
            (14, "aiterm main ⚠2"),
            (13, "aiterm ⚠2"),
            (8, "aite… ⚠2"),
            (7, "ait… ⚠2"),
            (6, "⚠2"),
            (2, "⚠2"),
            (1, "…"),
            (0, ""),
        ] {
            let look = Look { max_width: Some(max), ..Look::default() };
            let text = render(Format::parse(PROMPT).unwrap(), &FACTS, Dialect::Plain, look);
            assert_eq!(text, wanted, "{max}");
        }
        let without = Facts { conflict: None, ..FACTS };
        for (max, wanted) in [(15, "aiterm main 45m"), (10, "aiterm"), (5, "aite…"), (3, "ai…"), (1, "…"), (0, "")]
        {
            let look = Look { max_width: Some(max), ..Look::default() };
            assert_eq!(render(Format::parse(PROMPT).unwrap(), &without, Dialect::Plain, look), wanted, "{max}");
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
    fn a_narrow_status_line_keeps_the_project_and_the_warnings_before_the_model() {
        let facts = Facts {
            branch: Some("feature/authentication"),
            worktree: Some("login"),
            elapsed: Some(7500),
            moved: Some("main -> dev"),
            model: Some("Opus 4.5"),
            context: Some(36.6),
            cost: Some(1.239),
            lines: Some((120, 30)),
            limits: Limits { five_hours: Some(42.0), seven_days: Some(7.4), resets: (None, None) },
            ..FACTS
        };
        for (max, wanted) in [
            (86, "aiterm feature/authentication (login) 2h 5m ⚠2 ↷main -> dev | Opus 4.5 | 37% context"),
            (76, "aiterm feature/authentication (login) 2h 5m ⚠2 ↷main -> dev | Opus 4.5"),
            (60, "aiterm feature/authentication (login) 2h 5m ⚠2 ↷main -> dev"),
            (45, "aiterm feature/… (log…) 2h 5m ⚠2 ↷main -> dev"),
            (36, "aiterm feature… ⚠2 ↷main -> dev"),
            (22, "aiterm ⚠2 ↷main -> dev"),
            (16, "aiterm ⚠2 ↷main…"),
            (9, "aiterm ⚠2"),
        ] {
            let look = Look { max_width: Some(max), ..Look::default() };
            let text = render(Format::parse(STATUS_LINE).unwrap(), &facts, Dialect::Plain, look);
            assert_eq!(text, wanted, "{max}");
        }
    }

    #[test]
    fn a_narrow_overview_shortens_the_name_that_waits_and_keeps_the_warning() {
        let facts = Facts {
            waiting: Some(Waiting {
                for_what: "permission",
                failed: false,
                seconds: 130,
                whose: Some("atlas-frontend"),
            }),
            count: Some(3),
            conflict: FACTS.conflict,
            ..Facts::default()
        };
        for (max, wanted) in [
            (28, "3 live ◷atlas-frontend 2m ⚠2"),
            (20, "3 live ◷atlas… 2m ⚠2"),
            (18, "3 live ◷atl… 2m ⚠2"),
            (17, "3 live ◷2m ⚠2"),
            (12, "◷2m ⚠2"),
            (5, "⚠2"),
        ] {
            let look = Look { max_width: Some(max), ..Look::default() };
            assert_eq!(render(Format::parse(ALL_SESSIONS).unwrap(), &facts, Dialect::Plain, look), wanted, "{max}");
        }
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
                    let look = Look { icons, max_width: Some(max), ..Look::default() };
                    let text = render(Format::parse(format).unwrap(), &facts, Dialect::Plain, look);
                    assert!(width::cells(&text) <= max, "{text:?} {max}");
                    assert_eq!(text.trim(), text);
                }
            }
        }
    }
}
