//! A timeline for terminals: one cell is a stretch of time, and each mark has its own character.

use std::iter::repeat_n;

use super::{Chart, Row};
use crate::render::line::Line;
use crate::render::theme::{Icons, Role};
use crate::render::ui::{Ui, put};
use crate::render::width::cells;
use crate::session::time::seconds_between;
use crate::session::timeline::Mark;

/// The width of a pipe, in cells.
const PIPE: usize = 100;
/// The most cells of a name.
const MAX_NAME: usize = 40;
/// Spaces before a name.
const INDENT: usize = 2;
/// Below this width there are no figures behind the bars.
const MIN_WITH_FIGURES: usize = 50;
/// The cells of a label of the axis, with the space behind it.
const LABEL: usize = 8;

/// How the cells of a line are shared out.
struct Columns {
    name: usize,
    bars: usize,
    figure: usize,
}

impl Chart {
    /// As a list for a terminal or a pipe.
    pub fn text(&self, ui: &Ui) -> String {
        let mut table = ui.table(&self.title);
        let width = table.room().unwrap_or(PIPE);
        let columns = self.columns(width);
        let [labels, ruler] = self.axis(columns.bars, ui.icons);
        let start = INDENT + columns.name + 1;
        for axis in [labels, ruler] {
            table.row(|line| {
                line.role(Role::Dim);
                line.own(format_args!("{:start$}{axis}", ""));
            });
        }
        for group in &self.groups {
            table.row(|line| {
                put(line, Role::Project, &group.name);
                line.own(format_args!(" - {}", group.figures));
            });
            for row in &group.rows {
                table.row(|line| self.put_row(line, row, &columns, ui.icons));
            }
            table.end_entry();
        }
        let marks: Vec<Mark> = self.marks().collect();
        // Four of them take 51 cells.
        for marks in marks.chunks(if width < MIN_WITH_FIGURES + 1 { 2 } else { 4 }) {
            table.row(|line| {
                for (position, mark) in marks.iter().enumerate() {
                    line.literal(if position > 0 { "   " } else { "" });
                    put_marks(line, *mark, 2, ui.icons);
                    line.own(format_args!(" {}", mark.name()));
                }
            });
        }
        let mut text = table.finish();
        for (label, note) in &self.notes {
            ui.sentence(&mut text, label, note);
        }
        text
    }

    fn columns(&self, width: usize) -> Columns {
        let rows = || self.groups.iter().flat_map(|group| &group.rows);
        let widest = |of: fn(&Row) -> &str| rows().map(|row| cells(of(row))).max().unwrap_or(0);
        let name = widest(|row| &row.name).min(MAX_NAME).min(width * 2 / 5);
        let figure = if width < MIN_WITH_FIGURES { 0 } else { widest(|row| &row.figure) + 1 };
        let bars = width.saturating_sub(INDENT + name + 1 + figure).max(1);
        Columns { name, bars, figure }
    }

    /// The labels and, below them, the points they are for. "now" takes the room of an hour.
    fn axis(&self, width: usize, icons: Icons) -> [String; 2] {
        let (line, point, arrow) = match icons {
            Icons::Ascii | Icons::AsciiOnly => ('-', '+', 'v'),
            Icons::Unicode | Icons::Nerd => ('─', '┴', '▾'),
        };
        let (mut labels, mut ruler) = (vec![' '; width], vec![line; width]);
        let column = |at| self.position(at, width).min(width.saturating_sub(1));
        let mut write = |text: &str, at: usize, start: usize, sign: char| {
            if let Some(cell) = ruler.get_mut(at).filter(|cell| **cell == line) {
                *cell = sign;
            }
            let end = start + text.len();
            // With a space on both sides.
            let around = labels.get(start.saturating_sub(1)..(end + 1).min(width));
            if end > width || around.is_none_or(|around| around.iter().any(|c| *c != ' ')) {
                return;
            }
            for (cell, c) in labels.iter_mut().skip(start).zip(text.chars()) {
                *cell = c;
            }
        };
        if let Some(now) = self.now {
            let at = column(now);
            write("now", at, at.saturating_sub(1).min(width.saturating_sub(3)), arrow);
        }
        for tick in self.ticks(width / LABEL) {
            let at = column(tick.at);
            write(&tick.label, at, at, point);
        }
        [labels, ruler].map(String::from_iter)
    }

    fn put_row(&self, line: &mut Line, row: &Row, columns: &Columns, icons: Icons) {
        line.own(format_args!("{:INDENT$}", ""));
        let start = line.cells();
        line.text_within(&row.name, columns.name);
        line.own(format_args!("{:1$}", "", (start + columns.name + 1).saturating_sub(line.cells())));
        let cells = self.cells(row, columns.bars);
        for run in cells.chunk_by(|a, b| a == b) {
            match run.first() {
                Some(Some(mark)) => put_marks(line, *mark, run.len(), icons),
                _ => line.own(format_args!("{:1$}", "", run.len())),
            }
        }
        if columns.figure > 0 {
            line.role(Role::Elapsed);
            line.own(format_args!("{:>1$}", row.figure, columns.figure));
            line.role(Role::Plain);
        }
    }

    /// The mark of each cell: working or blocked, whichever took longer, even if it was a moment; else the other ones.
    fn cells(&self, row: &Row, width: usize) -> Vec<Option<Mark>> {
        let mut cells: Vec<(Option<Mark>, u64)> = vec![(None, 0); width];
        let length = seconds_between(self.from, self.to).max(1);
        for bar in &row.bars {
            // In units of a second divided by the cells of the axis: cell n is from n to n + 1 times `length`.
            let unit = |at| seconds_between(self.from, at).saturating_mul(width as u64);
            let (from, to) = (unit(bar.from), unit(bar.to));
            let first = usize::try_from(from / length).unwrap_or(usize::MAX);
            let is_active = matches!(bar.mark, Mark::Working | Mark::Blocked);
            for (cell, (mark, weight)) in cells.iter_mut().enumerate().skip(first) {
                let (begin, end) = (cell as u64 * length, (cell as u64 + 1) * length);
                if begin >= to {
                    break;
                }
                // An active stretch of a moment outweighs any other.
                let taken = to.min(end) - from.max(begin) + if is_active { length } else { 0 };
                if taken > *weight {
                    (*mark, *weight) = (Some(bar.mark), taken);
                }
            }
        }
        cells.into_iter().map(|(mark, _)| mark).collect()
    }
}

fn put_marks(line: &mut Line, mark: Mark, count: usize, icons: Icons) {
    let (role, unicode, ascii) = match mark {
        Mark::Working => (Role::Working, '█', '#'),
        Mark::Blocked => (Role::Waiting, '▒', '?'),
        Mark::Idle => (Role::Dim, '·', '.'),
        Mark::Untimed => (Role::Dim, '░', '~'),
    };
    let sign = if matches!(icons, Icons::Ascii | Icons::AsciiOnly) { ascii } else { unicode };
    line.role(role);
    line.literal(&String::from_iter(repeat_n(sign, count)));
    line.role(Role::Plain);
}

#[cfg(test)]
mod tests {
    use jiff::SignedDuration;

    use super::super::tests::chart;
    use super::super::{Bar, Group};
    use super::*;

    fn example() -> Chart {
        let mut chart = chart("UTC", "2026-11-27T08:00", "2026-11-27T14:00");
        let at = |minutes| chart.from + SignedDuration::from_mins(minutes);
        let bar = |mark, from, to| Bar { mark, from: at(from), to: at(to) };
        let row = |name: &str, bars: Vec<Bar>| Row { name: name.into(), figure: "2h 5m".into(), details: vec![], bars };
        let rows = vec![
            row(
                "Round prices",
                vec![
                    bar(Mark::Idle, 0, 30),
                    bar(Mark::Working, 30, 150),
                    bar(Mark::Blocked, 150, 200),
                    bar(Mark::Working, 200, 201),
                    bar(Mark::Idle, 201, 330),
                ],
            ),
            row(
                "日本語のタスク名がとても長い場合にも右の罫線はまっすぐでなければならない",
                vec![bar(Mark::Untimed, 60, 300)],
            ),
        ];
        chart.now = Some(at(330));
        chart.title = "Timeline".into();
        chart.groups = vec![Group { name: "shop".into(), figures: "2h 5m worked".into(), rows }];
        chart
    }

    fn shown(width: Option<usize>, icons: Icons) -> String {
        example().text(&Ui { width, icons, ..Ui::default() })
    }

    #[test]
    fn marks_hours_and_now_in_ascii() {
        assert_eq!(
            shown(Some(64), Icons::Ascii),
            "\
+--------------------------------------------------------------+
| Timeline                                                     |
+--------------------------------------------------------------+
|                            08:00    10:00         now        |
|                            +--------+--------+-----v--       |
| shop - 2h 5m worked                                          |
|   Round prices             ..#########????#.........   2h 5m |
|   日本語のタスク名がと...      ~~~~~~~~~~~~~~~~~~~     2h 5m |
|                                                              |
| ## working   ?? blocked   .. idle   ~~ not recorded          |
+--------------------------------------------------------------+
"
        );
    }

    #[test]
    fn it_fits_every_width() {
        for width in 0..140 {
            let text = shown(Some(width), Icons::Unicode);
            assert!(text.lines().all(|line| cells(line) <= width), "{width}\n{text}");
        }
        assert!(shown(None, Icons::Unicode).lines().all(|line| cells(line) <= PIPE));
    }
}
