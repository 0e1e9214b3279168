//! Claude Code's record of a conversation: one JSON object per line. A search reads `timestamp`, `type`, the title of the
//! session and the texts in `message.content`. Source: files that the client wrote.

use std::borrow::Cow;
use std::ops::Range;

use jiff::Timestamp;
use memchr::memmem;

use super::pattern::Pattern;
use crate::session::json_object::{each_field, text};
use crate::session::time::parse_time;

/// How much of a text is shown before and after what was found in it, in characters.
const AROUND: usize = 40;

/// Text to find in conversations.
#[derive(Clone, Debug)]
pub struct Needle {
    /// All of it, to be found in texts.
    whole: Pattern,
    /// Its longest part that JSON writes as it is, to be found in lines; `None` if every character is escaped.
    plain: Option<Pattern>,
}

/// A place where it was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Hit {
    /// When that was written.
    pub time: Option<Timestamp>,
    /// `user`, `assistant`, or another kind of line.
    pub kind: String,
    /// Some text before it, on one line.
    pub before: String,
    /// The text that was found, as it is written there.
    pub found: String,
    /// Some text after it.
    pub after: String,
}

impl Needle {
    /// `None` if the text is empty.
    pub fn new(wanted: &str) -> Option<Needle> {
        let is_escaped = |letter: char| letter.is_control() || matches!(letter, '"' | '\\' | '/');
        let plain = wanted.split(is_escaped).max_by_key(|part| part.len()).and_then(Pattern::new);
        Some(Needle { whole: Pattern::new(wanted)?, plain })
    }

    /// Searches whole lines, and stops after `max` hits. A line counts once; one that is no JSON object is passed over.
    pub fn find(&self, lines: &[u8], max: usize) -> Vec<Hit> {
        let mut hits = Vec::new();
        let mut candidates = Candidates { needle: self, lines, plain: Next::Unknown, escape: Next::Unknown };
        let mut from = 0;
        while let Some(at) = candidates.next(from).filter(|_| hits.len() < max) {
            let start =
                memchr::memrchr(b'\n', lines.get(from..at).unwrap_or_default()).map_or(from, |found| from + found + 1);
            let end =
                memchr::memchr(b'\n', lines.get(at..).unwrap_or_default()).map_or(lines.len(), |found| at + found);
            hits.extend(lines.get(start..end).and_then(|line| self.find_in_line(line)));
            from = end + 1;
        }
        hits
    }

    fn find_in_line(&self, line: &[u8]) -> Option<Hit> {
        let (mut time, mut kind, mut hit) = (None, None, None);
        each_field(line, |name, raw| match name {
            "timestamp" => time = text(raw).and_then(|time| parse_time(&time)),
            "type" => kind = text(raw),
            // Titles, and messages of the client itself.
            "summary" | "customTitle" | "aiTitle" | "content" => hit = hit.take().or_else(|| self.find_in_value(raw)),
            "message" => {
                let _ = each_field(raw.as_bytes(), |name, raw| {
                    if name == "content" {
                        hit = hit.take().or_else(|| self.find_in_value(raw));
                    }
                });
            }
            _ => {}
        })
        .ok()?;
        hit.map(|hit| Hit { time, kind: kind.unwrap_or_default(), ..hit })
    }

    /// Searches the texts in a JSON value, but not the names of fields and the values that are for the client only.
    fn find_in_value(&self, json: &str) -> Option<Hit> {
        let bytes = json.as_bytes();
        let (mut at, mut is_text) = (0, true);
        while let Some(quote) = memchr::memchr(b'"', bytes.get(at..)?) {
            let start = at + quote + 1;
            let end = string_end(bytes, start)?;
            at = end + 1;
            let raw = json.get(start..end)?;
            if bytes.get(at..)?.iter().find(|byte| !byte.is_ascii_whitespace()) == Some(&b':') {
                is_text = !matches!(raw, "type" | "id" | "tool_use_id" | "signature" | "data" | "media_type");
            } else if is_text && let Some(hit) = self.find_in_text(raw) {
                return Some(hit);
            }
        }
        None
    }

    /// Searches the content of a JSON string.
    fn find_in_text(&self, raw: &str) -> Option<Hit> {
        let may_be_there = match &self.plain {
            Some(plain) => plain.find(raw.as_bytes()).is_some() || next_escape(raw.as_bytes(), 0).is_some(),
            None => true,
        };
        if !may_be_there {
            return None;
        }
        let text = match raw.contains('\\') {
            true => Cow::Owned(text(&["\"", raw, "\""].concat())?),
            false => Cow::Borrowed(raw),
        };
        self.whole.find(text.as_bytes()).and_then(|found| hit(&text, found))
    }
}

fn hit(text: &str, found: Range<usize>) -> Option<Hit> {
    let (before, after) = (text.get(..found.start)?, text.get(found.end..)?);
    let start = before.char_indices().rev().nth(AROUND).map_or(0, |(at, _)| at);
    let end = after.char_indices().nth(AROUND).map_or(after.len(), |(at, _)| at);
    let dots = |is_cut| if is_cut { "…" } else { "" };
    Some(Hit {
        time: None,
        kind: String::new(),
        before: dots(start > 0).to_owned() + &on_one_line(before.get(start..)?),
        found: on_one_line(text.get(found)?),
        after: on_one_line(after.get(..end)?) + dots(end < after.len()),
    })
}

/// The text with each run of white space as one space.
fn on_one_line(text: &str) -> String {
    let mut line = String::with_capacity(text.len());
    for letter in text.chars() {
        if !letter.is_whitespace() {
            line.push(letter);
        } else if !line.ends_with(' ') {
            line.push(' ');
        }
    }
    line
}

fn string_end(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes.get(at) == Some(&b'"') {
            return Some(at);
        }
        at += 2;
    }
}

/// The next `\u` escape of a character that is not a control character: JSON may write any text so. Those of colours in
/// the output of programs are frequent.
fn next_escape(bytes: &[u8], mut from: usize) -> Option<usize> {
    loop {
        let at = from + memmem::find(bytes.get(from..)?, b"\\u")?;
        match bytes.get(at + 2..at + 5) {
            Some(b"000" | b"001") => from = at + 2,
            _ => return Some(at),
        }
    }
}

/// The next position of something.
#[derive(Clone, Copy)]
enum Next {
    Unknown,
    At(usize),
    Nowhere,
}

impl Next {
    /// The first position from `from` on. It is looked for only if the last one was passed.
    fn from(&mut self, from: usize, look: impl FnOnce() -> Option<usize>) -> Option<usize> {
        match *self {
            Next::At(at) if at >= from => Some(at),
            Next::Nowhere => None,
            Next::Unknown | Next::At(_) => {
                let found = look();
                *self = found.map_or(Next::Nowhere, Next::At);
                found
            }
        }
    }
}

/// Positions of which the line is worth taking apart.
struct Candidates<'a> {
    needle: &'a Needle,
    lines: &'a [u8],
    plain: Next,
    escape: Next,
}

impl Candidates<'_> {
    fn next(&mut self, from: usize) -> Option<usize> {
        let lines = self.lines;
        let rest = lines.get(from..)?;
        let Some(pattern) = &self.needle.plain else { return (!rest.is_empty()).then_some(from) };
        let plain = self.plain.from(from, || pattern.find(rest).map(|found| from + found.start));
        let escape = self.escape.from(from, || next_escape(lines, from));
        match (plain, escape) {
            (Some(plain), Some(escape)) => Some(plain.min(escape)),
            (plain, escape) => plain.or(escape),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn find(wanted: &str, lines: &str) -> Vec<String> {
        let hits = Needle::new(wanted).unwrap().find(lines.as_bytes(), usize::MAX);
        hits.into_iter().map(|hit| format!("{}: {}[{}]{}", hit.kind, hit.before, hit.found, hit.after)).collect()
    }

    const LINES: &str = r#"{"type":"user","cwd":"/home/login","message":{"role":"user","content":"Fix the Login bug"},"timestamp":"2026-11-22T10:00:00Z"}
no json login
{"type":"assistant","message":{"content":[{"type":"text","text":"The \u004cogin\n\n page says \"Gr\u00fc\u00DFe\""},{"type":"login","id":"login"}]}}
{"type":"assistant","message":{"content":[{"type":"tool_use","input":{"login":"x","path":"C:\\login\/a"}}]}}
{"type":"summary","summary":"Login page done"}
{"type":"user","message":{"content":"\u001b[31mred"},"toolUseResult":"login"}"#;

    #[test]
    fn texts_are_found_and_names_of_fields_are_not() {
        assert_eq!(
            find("login", LINES),
            [
                "user: Fix the [Login] bug",
                "assistant: The [Login] page says \"Grüße\"",
                r"assistant: C:\[login]/a",
                "summary: [Login] page done",
            ]
        );
        assert_eq!(find("GRÜß", LINES), ["assistant: The Login page says \"[Grüß]e\""]);
        assert_eq!(find("\"grü", LINES), ["assistant: The Login page says [\"Grü]ße\""]);
        assert_eq!(find(r"c:\LOGIN/A", LINES), [r"assistant: [C:\login/a]"]);
        assert_eq!(find("\\", LINES), [r"assistant: C:[\]login/a"]);
        assert_eq!(find("31mred", LINES).len(), 1);
        assert_eq!(find("home", LINES), [""; 0]);
        assert_eq!(Needle::new("login").unwrap().find(LINES.as_bytes(), 2).len(), 2);
    }

    #[test]
    fn a_long_text_is_cut_around_what_was_found() {
        let line = format!("{{\"message\":{{\"content\":\"{}X marks{}\"}}}}", "é ".repeat(500), " ü".repeat(500));
        let hit = Needle::new("x MARKS").unwrap().find(line.as_bytes(), 1).remove(0);
        assert!(hit.before.starts_with("…") && hit.after.ends_with("…"), "{hit:?}");
        assert!(hit.before.chars().count() < 45 && hit.after.chars().count() < 45, "{hit:?}");
    }
}
