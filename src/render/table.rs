//! Lists: in a rounded box on a terminal, and the same lines without a box in a pipe.

use super::line::Line;
use super::style::Palette;
use super::theme::{Icons, Role};
use super::width;

/// The least cells that a box takes, borders included, where the terminal has them.
const MIN_BOX: usize = 59;
/// Cells that the borders and the spaces beside them take.
const FRAME: usize = 4;
/// A terminal narrower than this gets the lines without the box.
const MIN_TERMINAL: usize = 24;

/// A list under way: a title, and entries of some lines with an empty line between them.
#[derive(Debug)]
pub struct Table {
    color: bool,
    palette: Palette,
    icons: Icons,
    /// The cells that a line may take.
    limit: Option<usize>,
    framed: bool,
    /// The title and the finished lines, one behind the other; where there is no box, as they are written out.
    text: String,
    /// Where each line of a box ends in the text, and its cells.
    lines: Vec<(usize, usize)>,
    /// How many empty lines are due before the next one.
    gap: usize,
}

impl Table {
    /// An empty list. `terminal` is the width of the terminal in cells; `None` for a pipe, where there is neither box
    /// nor bound.
    pub fn new(title: &str, color: bool, icons: Icons, terminal: Option<usize>) -> Table {
        let framed = terminal.is_some_and(|cells| cells >= MIN_TERMINAL);
        let limit = terminal.map(|cells| if framed { cells - FRAME } else { cells });
        let mut table = Table {
            color,
            palette: Palette::Default,
            icons,
            limit,
            framed,
            text: String::new(),
            lines: Vec::new(),
            gap: 0,
        };
        table.add(&mut |line: &mut Line| {
            line.role(Role::Title);
            line.literal(title);
        });
        table.gap = usize::from(!framed);
        table
    }

    /// The cells that a line may take; `None` where there is no bound.
    pub fn room(&self) -> Option<usize> {
        self.limit
    }

    /// Sets the palette of the lines that follow.
    pub(super) fn with_palette(mut self, palette: Palette) -> Table {
        self.palette = palette;
        self
    }

    /// Adds a line to the entry: what `write` puts into it, cut to the width of the list.
    pub fn row(&mut self, write: impl FnOnce(&mut Line)) {
        let mut write = Some(write);
        self.put_row(&mut |line| {
            if let Some(write) = write.take() {
                write(line);
            }
        });
    }

    /// Compiled once for all rows.
    fn put_row(&mut self, write: &mut dyn FnMut(&mut Line)) {
        for _ in 0..std::mem::take(&mut self.gap) {
            self.end_line(0);
        }
        self.add(write);
    }

    fn add(&mut self, write: &mut dyn FnMut(&mut Line)) {
        // Written where it stays: there may be thousands.
        let mut line = Line::row(std::mem::take(&mut self.text), self.color, self.icons, self.limit);
        line.palette(self.palette);
        write(&mut line);
        let cells = line.cells();
        self.text = line.finish();
        self.end_line(cells);
    }

    fn end_line(&mut self, cells: usize) {
        if self.framed {
            self.lines.push((self.text.len(), cells));
        } else {
            self.text.truncate(self.text.trim_end_matches(' ').len());
            self.text.push('\n');
        }
    }

    /// Ends an entry.
    pub fn end_entry(&mut self) {
        self.gap += 1;
    }

    /// The list, with a final newline.
    pub fn finish(self) -> String {
        if self.framed { self.in_a_box() } else { self.text }
    }

    fn in_a_box(&self) -> String {
        let widest = self.lines.iter().map(|(_, cells)| *cells).max().unwrap_or(0);
        let limit = self.limit.unwrap_or(usize::MAX);
        let inner = widest.max(MIN_BOX - FRAME).min(limit);
        // Corners and sides, in the order they are met.
        let [side, flat, corners @ ..] = match self.icons {
            Icons::Ascii | Icons::AsciiOnly => ["|", "-", "+", "+", "+", "+", "+", "+"],
            Icons::Unicode | Icons::Nerd => ["│", "─", "╭", "╮", "├", "┤", "╰", "╯"],
        };
        let [top_left, top_right, left, right, bottom_left, bottom_right] = corners;
        let mut out = String::with_capacity((inner + 16) * (self.lines.len() + 3));
        let rule = |out: &mut String, start: &str, end: &str| {
            out.push_str(start);
            out.extend(std::iter::repeat_n(flat, inner + 2));
            out.push_str(end);
            out.push('\n');
        };
        rule(&mut out, top_left, top_right);
        let mut start = 0;
        for (position, (end, cells)) in self.lines.iter().enumerate() {
            out.push_str(side);
            out.push(' ');
            out.push_str(self.text.get(start..*end).unwrap_or_default());
            width::pad(&mut out, *cells, inner);
            out.push(' ');
            out.push_str(side);
            out.push('\n');
            start = *end;
            if position == 0 {
                rule(&mut out, left, right);
            }
        }
        rule(&mut out, bottom_left, bottom_right);
        out
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn example(color: bool, icons: Icons, terminal: Option<usize>) -> String {
        let mut table = Table::new("Active Claude Code Sessions", color, icons, terminal);
        for (number, name, branch, elapsed, path, task) in [
            (1, "aiterm", "main", "45m", "/Users/dt/projects/dev-tools/aiterm", "Implementing session coordination"),
            (2, "atlas", "feature/auth", "12m", "/Users/dt/projects/apps/atlas", "Adding OAuth support"),
        ] {
            table.row(|line| {
                line.own(format_args!("{number}. "));
                line.role(Role::Project);
                line.text(name);
                line.role(Role::Plain);
                line.literal(" (");
                line.text(branch);
                line.own(format_args!(") - {elapsed}"));
            });
            for (label, text) in [("   ", path), ("   Task: ", task)] {
                table.row(|line| {
                    line.literal(label);
                    line.text(text);
                });
            }
            table.end_entry();
        }
        table.finish()
    }

    #[test]
    fn the_box_of_the_guide() {
        assert_eq!(
            example(false, Icons::Unicode, Some(80)),
            "\
╭─────────────────────────────────────────────────────────╮
│ Active Claude Code Sessions                             │
├─────────────────────────────────────────────────────────┤
│ 1. aiterm (main) - 45m                                  │
│    /Users/dt/projects/dev-tools/aiterm                  │
│    Task: Implementing session coordination              │
│                                                         │
│ 2. atlas (feature/auth) - 12m                           │
│    /Users/dt/projects/apps/atlas                        │
│    Task: Adding OAuth support                           │
╰─────────────────────────────────────────────────────────╯
"
        );
    }

    #[test]
    fn the_same_lines_through_a_pipe() {
        assert_eq!(
            example(false, Icons::Unicode, None),
            "\
Active Claude Code Sessions

1. aiterm (main) - 45m
   /Users/dt/projects/dev-tools/aiterm
   Task: Implementing session coordination

2. atlas (feature/auth) - 12m
   /Users/dt/projects/apps/atlas
   Task: Adding OAuth support
"
        );
    }

    #[test]
    fn the_right_border_is_straight_for_any_text() {
        for terminal in 0..120 {
            for icons in [Icons::Unicode, Icons::Ascii] {
                for color in [false, true] {
                    let mut table = Table::new("Active Claude Code Sessions", color, icons, Some(terminal));
                    for text in [
                        "日本語のタスク名がとても長い場合にも右の罫線はまっすぐでなければならない",
                        "👩\u{200d}💻👍🏽 e\u{301}e\u{301} ⚠\u{fe0f} \u{202e}abc\u{1b}[31m",
                        "x",
                    ] {
                        table.row(|line| {
                            line.literal("   Task: ");
                            line.role(Role::Clobber);
                            line.text(text);
                        });
                        table.end_entry();
                    }
                    let out = table.finish();
                    let out = ["\u{1b}[1m", "\u{1b}[22m", "\u{1b}[1;7;35m", "\u{1b}[22;27;39m"]
                        .iter()
                        .fold(out, |out, code| out.replace(code, ""));
                    let widths: Vec<_> = out.lines().map(width::cells).collect();
                    assert!(widths.iter().all(|cells| *cells <= terminal), "{terminal}\n{out}");
                    if terminal >= MIN_TERMINAL {
                        assert!(widths.iter().all(|cells| *cells == widths[0]), "{terminal}\n{out}");
                    }
                }
            }
        }
    }
}
