//! A timeline as one HTML file. It contains no script and loads nothing: details appear by style rules alone.

use std::fmt::Write as _;

use super::{Chart, HTML_START, Row};
use crate::render::markup::escape;
use crate::session::timeline::Mark;

/// The most labels of the axis; on a narrow screen every second one is left out.
const MAX_TICKS: usize = 13;

/// The length of the axis in hundredths of a percent.
const WHOLE: usize = 10_000;

const STYLE: &str = include_str!("page.css");

/// Nothing is loaded, sent or executed, even if some text were not escaped.
const POLICY: &str = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

impl Chart {
    /// As an HTML page.
    pub fn html(&self) -> String {
        let title = escape(&self.title);
        let mut out = format!(
            "{HTML_START}<html lang=\"en\">\n<meta charset=\"utf-8\">\n\
             <meta http-equiv=\"Content-Security-Policy\" content=\"{POLICY}\">\n\
             <meta name=\"viewport\" content=\"width=device-width\">\n\
             <title>{title}</title>\n<style>\n{STYLE}</style>\n<h1>{title}</h1>\n"
        );
        if !self.groups.is_empty() {
            out.push_str("<ul class=\"legend\">\n");
            for mark in self.marks() {
                let _ = writeln!(out, "<li><i><i class=\"{}\"></i></i>{}</li>", class(mark), mark.name());
            }
            out.push_str("</ul>\n<main class=\"chart\">\n");
            self.put_html_axis(&mut out);
            for group in &self.groups {
                let (name, figures) = (escape(&group.name), escape(&group.figures));
                let _ = writeln!(out, "<h2><bdi>{name}</bdi><span>{figures}</span></h2>\n<ul>");
                group.rows.iter().for_each(|row| self.put_html_row(&mut out, row));
                out.push_str("</ul>\n");
            }
            out.push_str("</main>\n");
        }
        for (label, note) in &self.notes {
            let _ = writeln!(out, "<p class=\"soft\">{} {}</p>", escape(label), escape(note));
        }
        out.push_str("</html>\n");
        out
    }

    fn put_html_axis(&self, out: &mut String) {
        out.push_str("<div class=\"axis\" aria-hidden=\"true\">\n");
        let now = self.now.map(|now| self.position(now, WHOLE));
        let mut put = |class: &str, at: usize, label: &str| {
            // A label at an edge would be cut off on a narrow screen.
            let edge = match at * 100 / WHOLE {
                0..5 => "first ",
                5..95 => "",
                _ => "last ",
            };
            let label = if label.is_empty() { String::new() } else { format!("<span>{label}</span>") };
            let _ = writeln!(out, "<b class=\"{edge}{class}\" style=\"left:{}\">{label}</b>", percent(at));
        };
        for (position, tick) in self.ticks(MAX_TICKS).into_iter().enumerate() {
            let at = self.position(tick.at, WHOLE);
            let is_near_now = now.is_some_and(|now| now.abs_diff(at) < WHOLE * 8 / 100);
            put(if position % 2 == 0 { "" } else { "minor" }, at, if is_near_now { "" } else { &tick.label });
        }
        if let Some(now) = now {
            put("now", now, "now");
        }
        out.push_str("</div>\n");
    }

    fn put_html_row(&self, out: &mut String, row: &Row) {
        let (name, figure) = (escape(&row.name), escape(&row.figure));
        let _ = write!(
            out,
            "<li class=\"row\" tabindex=\"0\"><span class=\"name\"><bdi>{name}</bdi></span><span class=\"bars\">"
        );
        for bar in &row.bars {
            let [left, right] = [bar.from, bar.to].map(|at| self.position(at, WHOLE));
            let (class, left, width) = (class(bar.mark), percent(left), percent(right.saturating_sub(left)));
            let _ = write!(out, "<i class=\"{class}\" style=\"left:{left};width:{width}\"></i>");
        }
        let _ = write!(out, "</span><span class=\"figure\">{figure}</span><dl>");
        for (label, text) in &row.details {
            let _ = write!(out, "<dt>{}</dt><dd><bdi>{}</bdi></dd>", escape(label), escape(text));
        }
        out.push_str("</dl></li>\n");
    }
}

/// `12.34%`
fn percent(hundredths: usize) -> String {
    format!("{}.{:02}%", hundredths / 100, hundredths % 100)
}

fn class(mark: Mark) -> &'static str {
    match mark {
        Mark::Working => "working",
        Mark::Blocked => "blocked",
        Mark::Idle => "idle",
        Mark::Untimed => "untimed",
    }
}
