//! A timeline as one SVG file, for light and dark surroundings.

use std::fmt::Write as _;

use jiff::Timestamp;

use super::{Chart, Group, SVG_START};
use crate::render::markup::escape;
use crate::render::width::cut;
use crate::session::timeline::{Bar, Mark};

/// Lengths are in tenths of a pixel, so that whole numbers are exact enough.
const WIDTH: usize = 9600;
const MARGIN: usize = 200;
/// Where the bars begin, and their room.
const BARS: usize = 2900;
const BARS_WIDTH: usize = 5800;
const ROW: usize = 240;
/// The room of a label of the axis.
const LABEL: usize = 580;
/// The shortest bar that can be seen.
const MIN_BAR: usize = 15;
/// The most cells of a name; a cell is about seven pixels.
const NAME: usize = 34;

const STYLE: &str = include_str!("timeline.css");

impl Chart {
    /// As an SVG image.
    pub fn svg(&self) -> String {
        let mut body = String::new();
        let mut y = MARGIN + 140;
        put_text(&mut body, MARGIN, y, "head", &self.title);
        y += ROW;
        let axis = y;
        y += 100;
        for group in &self.groups {
            y += ROW;
            let (name, figures) = (escape(&group.name), escape(&group.figures));
            let text = format!("<tspan class=\"head\">{name}</tspan><tspan class=\"soft\"> {figures}</tspan>");
            let _ = writeln!(body, "<text class=\"group\" x=\"{MARGIN}\" y=\"{y}\">{text}</text>");
            self.put_svg_rows(&mut body, group, &mut y);
            y += 60;
        }
        let end = y + 80;
        let mut ticks = String::new();
        if !self.groups.is_empty() {
            self.put_svg_axis(&mut ticks, axis, end);
            y = end + ROW;
            for (position, mark) in self.marks().enumerate() {
                let x = BARS + position * 1100;
                put_bar(&mut body, mark, x, ROW, y);
                put_text(&mut body, x + 300, y, "soft", mark.name());
            }
        }
        for (label, note) in &self.notes {
            y += ROW - 40;
            put_text(&mut body, MARGIN, y, "soft", &format!("{label} {note}"));
        }
        let (height, title) = (y + MARGIN, escape(&self.title));
        format!(
            "{SVG_START}xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{}\" \
             height=\"{}\" role=\"img\" aria-label=\"{title}\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
             <pattern id=\"stripes\" width=\"50\" height=\"50\" patternUnits=\"userSpaceOnUse\" \
             patternTransform=\"rotate(45)\"><path class=\"stripe\" d=\"M0 0h25v50H0z\"/></pattern>\n\
             <rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\" rx=\"80\"/>\n{ticks}{body}</svg>\n",
            WIDTH / 10,
            height / 10
        )
    }

    fn x(&self, at: Timestamp) -> usize {
        BARS + self.position(at, BARS_WIDTH)
    }

    fn put_svg_axis(&self, out: &mut String, y: usize, end: usize) {
        let now = self.now.map(|now| self.x(now));
        let mut put = |x: usize, line: &str, text: &str, label: &str| {
            let _ = write!(out, "<path class=\"{line}\" d=\"M{x} {}V{end}\"/>", y + 60);
            let _ = writeln!(out, "<text class=\"{text}\" x=\"{x}\" y=\"{y}\" text-anchor=\"middle\">{label}</text>");
        };
        for tick in self.ticks(BARS_WIDTH / LABEL) {
            let x = self.x(tick.at);
            let is_near_now = now.is_some_and(|now| now.abs_diff(x) < 400);
            put(x, "tick", "soft", if is_near_now { "" } else { &tick.label });
        }
        if let Some(x) = now {
            put(x, "now", "now", "now");
        }
    }

    fn put_svg_rows(&self, out: &mut String, group: &Group, y: &mut usize) {
        for row in &group.rows {
            *y += ROW;
            out.push_str("<g><title>");
            for (label, text) in &row.details {
                let _ = writeln!(out, "{}: {}", escape(label), escape(text));
            }
            // An inner image cuts a name that is too wide after all.
            let (x, top, width) = (MARGIN + 100, *y - 150, BARS - MARGIN - 200);
            let _ = write!(out, "</title><svg x=\"{x}\" y=\"{top}\" width=\"{width}\" height=\"{ROW}\">");
            put_text(out, 0, 150, "", &cut(&row.name, NAME, "…"));
            out.push_str("</svg>");
            for Bar { mark, from, to } in &row.bars {
                let x = self.x(*from);
                put_bar(out, *mark, x, self.x(*to).saturating_sub(x).max(MIN_BAR), *y);
            }
            let (end, figure) = (WIDTH - MARGIN, escape(&row.figure));
            let _ = writeln!(out, "<text class=\"soft\" x=\"{end}\" y=\"{y}\" text-anchor=\"end\">{figure}</text></g>");
        }
    }
}

/// A bar beside text whose base line is `y`. Each mark has its own shape.
fn put_bar(out: &mut String, mark: Mark, x: usize, width: usize, y: usize) {
    let (class, above, height) = match mark {
        Mark::Working => ("working", 120, 140),
        Mark::Blocked => ("blocked", 115, 130),
        Mark::Idle => ("idle", 65, 30),
        Mark::Untimed => ("untimed", 95, 90),
    };
    let top = y - above;
    let _ = writeln!(out, "<rect class=\"{class}\" x=\"{x}\" y=\"{top}\" width=\"{width}\" height=\"{height}\"/>");
}

/// Text from outside.
fn put_text(out: &mut String, x: usize, y: usize, class: &str, text: &str) {
    let _ = writeln!(out, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}</text>", escape(text));
}
