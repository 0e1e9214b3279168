//! Text for Markdown: notes, time sheets, pull requests.

use crate::error::moves_cursor;

/// Text from outside, so that Markdown shows it as it is, on one line.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            _ if c.is_whitespace() => out.push(' '),
            _ if moves_cursor(c) => {}
            '\\' | '`' | '*' | '_' | '[' | ']' | '<' | '>' | '#' | '|' | '~' | '&' | '!' | '@' | '$' => {
                out.push('\\');
                out.push(c);
            }
            _ => out.push(c),
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::escape;

    #[test]
    fn markup_is_shown_as_text() {
        assert_eq!(escape("a_b *c*\n# <img> [x](y) \u{1b}[2J"), "a\\_b \\*c\\* \\# \\<img\\> \\[x\\](y) \\[2J");
    }
}
