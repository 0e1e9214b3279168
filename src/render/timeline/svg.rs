//! A timeline as one SVG file, for light and dark surroundings.

use std::fmt::Write as _;

use super::{Chart, Group, SVG_START};
use crate::render::markup::escape;
use crate::render::width::cut;
use crate::session::timeline::{Bar, Mark};

/// Lengths in pixels.
const WIDTH: f64 = 960.0;
const MARGIN: f64 = 20.0;
/// Where the bars begin and end.
const BARS: (f64, f64) = (290.0, 870.0);
const ROW: f64 = 24.0;
/// The room of an hour of the axis, with its label.
const TICK: f64 = 58.0;
/// The shortest bar that can be seen.
const MIN_BAR: f64 = 1.5;

/// The most cells of a name; a cell is about seven pixels.
const NAME: usize = 34;

const STYLE: &str = include_str!("timeline.css");

impl Chart {
    /// As an SVG image.
    pub fn svg(&self) -> String {
        let mut body = String::new();
        let mut y = MARGIN + 14.0;
        put_text(&mut body, MARGIN, y, "head", &self.title);
        y += ROW;
        let axis = y;
        y += 10.0;
        for group in &self.groups {
            y += ROW;
            let name = format!("<tspan class=\"head\">{}</tspan>", escape(&group.name));
            let figures = escape(&group.figures);
            let _ = write!(
                body,
                "<text class=\"group\" x=\"{MARGIN}\" y=\"{y}\">{name}<tspan class=\"soft\"> {figures}</tspan></text>"
            );
            self.put_svg_rows(&mut body, group, &mut y);
            y += 6.0;
        }
        let end = y + 8.0;
        let mut ticks = String::new();
        self.put_svg_axis(&mut ticks, axis, end);
        y = end + ROW;
        self.put_svg_legend(&mut body, y);
        for (label, note) in &self.notes {
            y += ROW - 4.0;
            put_text(&mut body, MARGIN, y, "soft", &format!("{label} {note}"));
        }
        let (height, title) = (y + MARGIN, escape(&self.title));
        format!(
            "{SVG_START}xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" width=\"{WIDTH}\" \
             height=\"{height}\" role=\"img\" aria-label=\"{title}\">\n<title>{title}</title>\n<style>{STYLE}</style>\n\
             <pattern id=\"stripes\" width=\"5\" height=\"5\" patternUnits=\"userSpaceOnUse\" \
             patternTransform=\"rotate(45)\"><path class=\"stripe\" d=\"M0 0h2.5v5H0z\"/></pattern>\n\
             <rect class=\"paper\" width=\"{WIDTH}\" height=\"{height}\" rx=\"8\"/>\n{ticks}{body}</svg>\n"
        )
    }

    /// Where a moment is, in pixels.
    fn x(&self, at: jiff::Timestamp) -> f64 {
        BARS.0 + self.position(at) * (BARS.1 - BARS.0)
    }

    fn put_svg_axis(&self, out: &mut String, y: f64, end: f64) {
        let now = self.now.map(|now| self.x(now));
        let top = y + 6.0;
        for tick in self.ticks(((BARS.1 - BARS.0) / TICK) as usize) {
            let x = self.x(tick.at);
            let _ = write!(out, "<path class=\"tick\" d=\"M{x:.1} {top}V{end}\"/>");
            if now.is_none_or(|now| (now - x).abs() > 36.0) {
                let label = &tick.label;
                let _ =
                    writeln!(out, "<text class=\"soft\" x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">{label}</text>");
            }
        }
        if let Some(x) = now {
            let text = format!("<text class=\"now\" x=\"{x:.1}\" y=\"{y}\" text-anchor=\"middle\">now</text>");
            let _ = writeln!(out, "<path class=\"now\" d=\"M{x:.1} {top}V{end}\"/>{text}");
        }
    }

    fn put_svg_rows(&self, out: &mut String, group: &Group, y: &mut f64) {
        for row in &group.rows {
            *y += ROW;
            let details: Vec<String> = row.details.iter().map(|(name, text)| format!("{name}: {text}")).collect();
            let _ = write!(
                out,
                "<g><title>{}</title>",
                details.iter().map(|line| escape(line)).collect::<Vec<_>>().join("\n")
            );
            // An inner image cuts a name that is too wide.
            let (top, width) = (*y - 15.0, BARS.0 - MARGIN - 20.0);
            let _ = write!(out, "<svg x=\"{}\" y=\"{top}\" width=\"{width}\" height=\"{ROW}\">", MARGIN + 10.0);
            put_text(out, 0.0, 15.0, "", &cut(&row.name, NAME, "…"));
            out.push_str("</svg>");
            row.bars.iter().for_each(|bar| self.put_svg_bar(out, bar, *y));
            let _ = writeln!(
                out,
                "<text class=\"soft\" x=\"{}\" y=\"{y}\" text-anchor=\"end\">{}</text></g>",
                WIDTH - MARGIN,
                escape(&row.figure)
            );
        }
    }

    fn put_svg_bar(&self, out: &mut String, bar: &Bar, y: f64) {
        let (x, end) = (self.x(bar.from), self.x(bar.to));
        put_bar(out, bar.mark, x, (end - x).max(MIN_BAR), y);
    }

    fn put_svg_legend(&self, out: &mut String, y: f64) {
        for (mark, x) in self.marks().zip([0.0, 110.0, 220.0, 310.0]) {
            put_bar(out, mark, BARS.0 + x, 24.0, y);
            put_text(out, BARS.0 + x + 30.0, y, "soft", mark.name());
        }
    }
}

/// A bar beside text whose base line is `y`. Each mark has its own shape.
fn put_bar(out: &mut String, mark: Mark, x: f64, width: f64, y: f64) {
    let (class, top, height) = match mark {
        Mark::Working => ("working", -12.0, 14.0),
        Mark::Blocked => ("blocked", -11.5, 13.0),
        Mark::Idle => ("idle", -6.5, 3.0),
        Mark::Untimed => ("untimed", -9.5, 9.0),
    };
    let top = y + top;
    let _ = write!(out, "<rect class=\"{class}\" x=\"{x:.1}\" y=\"{top}\" width=\"{width:.1}\" height=\"{height}\"/>");
}

/// Text from outside.
fn put_text(out: &mut String, x: f64, y: f64, class: &str, text: &str) {
    let _ = writeln!(out, "<text class=\"{class}\" x=\"{x}\" y=\"{y}\">{}</text>", escape(text));
}
