//! Text from outside in SVG and HTML: the only place that escapes it.

use crate::error::moves_cursor;

/// Text from outside, for the content of an element or a quoted attribute, on one line. Characters that reorder text and
/// those that XML does not allow are left out.
pub fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len() + 8);
    for c in text.chars() {
        match c {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '"' => out.push_str("&quot;"),
            '\'' => out.push_str("&#39;"),
            _ if c.is_whitespace() => out.push(' '),
            // U+FFFE and U+FFFF are no characters, <https://www.w3.org/TR/xml/#charsets>.
            _ if moves_cursor(c) || matches!(c, '\u{fffe}' | '\u{ffff}') => {}
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
        let hostile = "</title><script>alert('1')</script> &amp; \"x\" onload=\n\u{202e}]]>\u{1b}\u{0}\u{ffff}é日";
        assert_eq!(
            escape(hostile),
            "&lt;/title&gt;&lt;script&gt;alert(&#39;1&#39;)&lt;/script&gt; &amp;amp; &quot;x&quot; onload= ]]&gt;é日"
        );
        let all: String = ('\0'..=char::MAX).collect();
        assert!(!escape(&all).contains(['<', '>', '"', '\'', '\n', '\0', '\u{ffff}']));
    }
}
