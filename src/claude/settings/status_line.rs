//! The status line of a settings file. One that was there before is wrapped: ours runs it and shows its output below its
//! own, and it runs alone if `ait` is missing:
//!
//! ```text
//! ait_wrapped='THEIRS'; [ ! -x AIT ] || exec AIT statusline --then "$ait_wrapped"; eval "$ait_wrapped"
//! ```
//!
//! Their command keeps its escapes in JSON, so that unwrapping gives back the bytes that were there.

use std::ops::Range;

use super::document::{Document, Node, Problem};
use super::recognise::is_ait;
use super::text_edit::{TextEdit, quote};
use crate::claude::shell_lexer::{self, Token};

/// The variable that holds the wrapped command.
const VARIABLE: &str = "ait_wrapped=";

/// A status line that runs `ait statusline`.
pub(super) struct StatusLine<'d> {
    /// The object.
    pub(super) value: &'d Node,
    /// The value of its `"command"`.
    pub(super) command_node: &'d Node,
    pub(super) command: &'d str,
    /// Options behind `ait statusline`, in their JSON escapes, each with a space before it.
    options: String,
    /// The command that it wraps, as a string of JSON exactly as it was written before.
    pub(super) wrapped: Option<String>,
}

/// All status lines that run `ait statusline`; a file may have the key twice.
pub(super) fn all<'d>(document: &'d Document) -> Vec<StatusLine<'d>> {
    let all = document.root.properties().iter().filter(|property| property.key == "statusLine");
    all.filter_map(|property| StatusLine::find(document, &property.value)).collect()
}

/// Makes a status line ours, with the one that is there wrapped.
pub(super) fn wrap(
    document: &Document,
    edit: &mut TextEdit,
    line: &Node,
    command: &str,
) -> Result<Option<String>, Problem> {
    if let Some(found) = StatusLine::find(document, line) {
        let new = written(command, &found.options, found.wrapped.as_deref());
        if document.raw(found.command_node) == new {
            return Ok(None);
        }
        edit.replace(found.command_node.span.clone(), new);
        return Ok(Some("updated the command of the status line".into()));
    }
    let is_command = line.get("type").and_then(Node::text) == Some("command");
    let Some(node) = line.get("command").filter(|node| is_command && node.text().is_some()) else {
        let why = "\"statusLine\" is not of the form {\"type\": \"command\", \"command\": \"...\"}, and Claude Code ignores \
                   the whole file for that";
        return Err(document.problem(line, why));
    };
    edit.replace(node.span.clone(), written(command, "", Some(document.raw(node))));
    Ok(Some("kept your earlier status line: it is shown below ours, and uninstall restores it".into()))
}

/// Our command as a string of JSON. `options` and `wrapped` are in their JSON escapes, the second with its quotes.
fn written(command: &str, options: &str, wrapped: Option<&str>) -> String {
    let command = quote(command);
    let command = command.trim_matches('"');
    let Some(wrapped) = wrapped else { return format!("\"{command}{options}\"") };
    let inside = wrapped.strip_prefix('"').and_then(|raw| raw.strip_suffix('"')).unwrap_or_default();
    let word = quote_raw(inside);
    format!("\"{VARIABLE}{word}; {command}{options} --then \\\"$ait_wrapped\\\"; eval \\\"$ait_wrapped\\\"\"",)
}

impl<'d> StatusLine<'d> {
    fn find(document: &Document, value: &'d Node) -> Option<StatusLine<'d>> {
        let command_node = value.get("command")?;
        let command = command_node.text()?;
        let raw = document.inside_quotes(command_node);
        let tokens = shell_lexer::split(command)?;
        let (assigned, rest) = assignment(&tokens);
        let words = ours(rest, assigned.is_some())?;
        // The last one is that of ait, also in a line that has more of them and never worked.
        let then = words.iter().rposition(|token| token.text == "--then");
        let wrapped = match (assigned, then.and_then(|at| words.get(at + 1))) {
            (Some(token), _) => {
                let word = raw.get(raw_range(raw, &token.span)).unwrap_or_default();
                Some(unquoted(word.strip_prefix(VARIABLE)?, token.text.strip_prefix(VARIABLE)?))
            }
            (None, Some(token)) => {
                Some(unquoted(raw.get(raw_range(raw, &token.span)).unwrap_or_default(), &token.text))
            }
            (None, None) => None,
        };
        let is_option = |at: usize| then.is_none_or(|then| at != then && at != then + 1);
        let options = words.iter().enumerate().filter(|(at, _)| is_option(*at));
        let options =
            options.map(|(_, token)| format!(" {}", raw.get(raw_range(raw, &token.span)).unwrap_or_default()));
        Some(StatusLine { value, command_node, command, options: options.collect(), wrapped })
    }
}

/// The assignment of the wrapped command at the beginning, and the tokens behind it.
fn assignment(tokens: &[Token]) -> (Option<&Token>, &[Token]) {
    match tokens {
        [word, end, rest @ ..] if word.text.starts_with(VARIABLE) && end.operator && end.text == ";" => {
            (Some(word), rest)
        }
        _ => (None, tokens),
    }
}

/// The words behind `ait statusline`, if the tokens do nothing else than to run it.
fn ours(tokens: &[Token], wraps: bool) -> Option<&[Token]> {
    let is = |token: &Token, text: &str, operator: bool| token.text == text && token.operator == operator;
    let tokens = match tokens {
        [open, not, test, _, close, or, rest @ ..]
            if is(open, "[", false)
                && is(not, "!", false)
                && is(test, "-x", false)
                && is(close, "]", false)
                && is(or, "||", true) =>
        {
            rest
        }
        _ => tokens,
    };
    let tokens = match tokens {
        [exec, rest @ ..] if is(exec, "exec", false) => rest,
        _ => tokens,
    };
    let tokens = match tokens {
        [rest @ .., end, eval, _] if wraps && is(end, ";", true) && is(eval, "eval", false) => rest,
        _ => tokens,
    };
    let [program, verb, rest @ ..] = tokens else { return None };
    let only_words = tokens.iter().all(|token| !token.operator);
    (only_words && is_ait(&program.text) && verb.text == "statusline").then_some(rest)
}

/// A word as the string of JSON that it was before it was quoted; `said` is what the word says.
fn unquoted(word: &str, said: &str) -> String {
    // Written by hand, perhaps with other quotes.
    unquote_raw(word).map_or_else(|| quote(said), |raw| format!("\"{raw}\""))
}

/// The bytes that a part of what a string says has between its quotes.
fn raw_range(raw: &str, said: &Range<usize>) -> Range<usize> {
    let mut length = 0;
    let (mut start, mut end) = (raw.len(), raw.len());
    let mut at = 0;
    for (written, meant) in characters(raw) {
        if length == said.start {
            start = at;
        }
        if length == said.end {
            end = at;
        }
        length += meant.len_utf8();
        at += written.len();
    }
    start..end
}

/// The characters between the quotes of a string, each as it was written and as it is meant.
fn characters(raw: &str) -> impl Iterator<Item = (&str, char)> {
    let mut rest = raw;
    std::iter::from_fn(move || {
        let first = rest.chars().next()?;
        let unit = |text: &str| u32::from_str_radix(text.strip_prefix("\\u")?.get(..4)?, 16).ok();
        let (length, meant) = match (rest.as_bytes().get(1), unit(rest)) {
            _ if first != '\\' => (first.len_utf8(), first),
            (_, Some(high @ 0xd800..=0xdbff)) => match rest.get(6..).and_then(unit) {
                Some(low @ 0xdc00..=0xdfff) => (
                    12,
                    char::from_u32(0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00))
                        .unwrap_or(char::REPLACEMENT_CHARACTER),
                ),
                _ => (6, char::REPLACEMENT_CHARACTER),
            },
            (_, Some(code)) => (6, char::from_u32(code).unwrap_or(char::REPLACEMENT_CHARACTER)),
            (Some(b'b'), _) => (2, '\u{8}'),
            (Some(b'f'), _) => (2, '\u{c}'),
            (Some(b'n'), _) => (2, '\n'),
            (Some(b'r'), _) => (2, '\r'),
            (Some(b't'), _) => (2, '\t'),
            (Some(other), _) => (2, char::from(*other)),
            (None, _) => (1, first),
        };
        let (written, behind) = rest.split_at_checked(length)?;
        rest = behind;
        Some((written, meant))
    })
}

/// [`shell_lexer::quote`] for text that stays in its JSON escapes.
fn quote_raw(raw: &str) -> String {
    let quoted = characters(raw).map(|(written, meant)| match meant {
        '\'' => format!("'\\\\{written}'"),
        _ => written.to_owned(),
    });
    format!("'{}'", quoted.collect::<String>())
}

/// Undoes [`quote_raw`]; `None` where the word was not written by it.
fn unquote_raw(raw: &str) -> Option<String> {
    let all: Vec<(&str, char)> = characters(raw).collect();
    let [("'", _), inner @ .., ("'", _)] = all.as_slice() else { return None };
    let mut plain = String::new();
    let mut rest = inner.iter();
    while let Some((written, meant)) = rest.next() {
        if *meant != '\'' {
            plain.push_str(written);
            continue;
        }
        match (rest.next()?, rest.next()?, rest.next()?) {
            ((_, '\\'), (written, '\''), (_, '\'')) => plain.push_str(written),
            _ => return None,
        }
    }
    Some(plain)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoting_keeps_the_escapes_of_json() {
        for raw in ["", "a b", "it's", r#"it\u0027s \u00e9 \ud83d\ude00 \"x\" \\ \/"#, "''", r"'\\''"] {
            let quoted = quote_raw(raw);
            assert_eq!(unquote_raw(&quoted).as_deref(), Some(raw), "{quoted}");
            let meant: String = characters(raw).map(|(_, meant)| meant).collect();
            let quoted_meant: String = characters(&quoted).map(|(_, meant)| meant).collect();
            assert_eq!(quoted_meant, shell_lexer::quote(&meant));
        }
        assert_eq!(unquote_raw("abc"), None);
    }

    #[test]
    fn a_status_line_of_ours_is_found_in_every_form_and_no_other_is() {
        for (command, expected) in [
            ("ait statusline", Some(("", None))),
            ("exec '/a b/ait' statusline --format x", Some((" --format x", None))),
            ("[ ! -x '/a b/ait' ] || exec '/a b/ait' statusline", Some(("", None))),
            ("ait statusline --then 'it'\\''s' --format x", Some((" --format x", Some("it's")))),
            ("ait statusline --then a\\ b", Some(("", Some("a b")))),
            (
                "ait_wrapped='x | y'; [ ! -x /ait ] || exec /ait statusline -f z --then \"$ait_wrapped\"; eval \"$ait_wrapped\"",
                Some((" -f z", Some("x | y"))),
            ),
            ("ait statusline | cat", None),
            ("ait statusline; other", None),
            ("other statusline", None),
            ("ait_wrapped='x'; other; eval \"$ait_wrapped\"", None),
        ] {
            let text = format!("{{\"statusLine\": {{\"type\": \"command\", \"command\": {}}}}}", quote(command));
            let document = Document::parse(text.as_bytes()).unwrap();
            let found = all(&document);
            let found = found.first().map(|line| (line.options.as_str(), line.wrapped.clone()));
            assert_eq!(found, expected.map(|(options, wrapped)| (options, wrapped.map(quote))), "{command}");
        }
    }
}
