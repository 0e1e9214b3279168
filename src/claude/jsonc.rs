//! JSON with comments and trailing commas, parsed into a flat list of nodes that know where their bytes are.
//!
//! For files that people edit and that must come back byte for byte. The crate `jsonc-parser` was looked at first: it
//! is recursive, so it gives up at a nesting of 512, and its syntax tree reprints what it edits, where text surgery
//! on byte ranges leaves everything else alone by construction. What is needed here is a tenth of it.

use std::borrow::Cow;
use std::cell::OnceCell;
use std::ops::Range;

/// The byte order mark that some editors put first.
const BOM: &str = "\u{feff}";

/// Why a file is refused, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong there.
    pub why: String,
}

impl std::fmt::Display for Problem {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.why)
    }
}

/// What a node is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// `null`
    Null,
    /// `true`
    True,
    /// `false`
    False,
    /// A number, in any notation.
    Number,
    /// A string; keys of objects are strings too.
    String,
    /// `[...]`
    Array,
    /// `{...}`
    Object,
}

impl Kind {
    /// The kind in words, with its article.
    pub fn in_words(self) -> &'static str {
        match self {
            Kind::Null => "null",
            Kind::True => "true",
            Kind::False => "false",
            Kind::Number => "a number",
            Kind::String => "a string",
            Kind::Array => "an array",
            Kind::Object => "an object",
        }
    }
}

/// A node of one [`Document`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Id(u32);

#[derive(Clone, Copy, Debug)]
struct Node {
    kind: Kind,
    start: u32,
    end: u32,
    /// The node behind this one and everything in it.
    next: u32,
}

/// A parsed file. Nodes lie in the order of the text, a container before what it holds, and in an object key and value
/// by turns: no pointers, and nothing that recurses.
#[derive(Debug)]
pub struct Document<'a> {
    text: &'a str,
    nodes: Vec<Node>,
    loose: Option<usize>,
    /// Where each line starts; looked for when it is first asked for.
    lines: OnceCell<Vec<usize>>,
}

/// A key and its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Property {
    /// The key.
    pub key: Id,
    /// The value.
    pub value: Id,
}

/// Parses a whole file.
pub fn parse(bytes: &[u8]) -> Result<Document<'_>, Problem> {
    let text = std::str::from_utf8(bytes).map_err(|error| {
        let valid = bytes.get(..error.valid_up_to()).and_then(|valid| std::str::from_utf8(valid).ok()).unwrap_or("");
        problem(valid, valid.len(), "this is not UTF-8")
    })?;
    if u32::try_from(text.len()).is_err() {
        return Err(problem(text, 0, "the file is larger than 4 GiB"));
    }
    let start = if text.starts_with(BOM) { BOM.len() } else { 0 };
    Parser { text, at: start, nodes: Vec::new(), open: Vec::new(), loose: None }.run()
}

/// What may come next.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Expect {
    Value,
    FirstElement,
    NextElement,
    FirstKey,
    NextKey,
    End,
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
    nodes: Vec<Node>,
    open: Vec<Id>,
    loose: Option<usize>,
}

impl<'a> Parser<'a> {
    fn run(mut self) -> Result<Document<'a>, Problem> {
        let mut expect = Expect::Value;
        loop {
            self.skip()?;
            let Some(byte) = self.peek() else {
                return if expect == Expect::End && self.open.is_empty() {
                    Ok(Document { text: self.text, nodes: self.nodes, loose: self.loose, lines: OnceCell::new() })
                } else {
                    Err(self.cut_short())
                };
            };
            expect = match (expect, byte) {
                (Expect::FirstElement | Expect::NextElement, b']') | (Expect::FirstKey | Expect::NextKey, b'}') => {
                    if matches!(expect, Expect::NextElement | Expect::NextKey) {
                        self.loose.get_or_insert(self.at);
                    }
                    self.close()
                }
                (Expect::FirstKey | Expect::NextKey, b'"') => {
                    self.string()?;
                    self.skip()?;
                    if self.peek() != Some(b':') {
                        return Err(self.unexpected("`:`"));
                    }
                    self.at += 1;
                    Expect::Value
                }
                (Expect::FirstKey | Expect::NextKey, _) => return Err(self.unexpected("a key in double quotes or `}`")),
                (Expect::End, _) => match (self.open.last().map(|id| self.kind(*id)), byte) {
                    (Some(Kind::Array), b',') => self.step(Expect::NextElement),
                    (Some(Kind::Object), b',') => self.step(Expect::NextKey),
                    (Some(Kind::Array), b']') | (Some(Kind::Object), b'}') => self.close(),
                    (Some(Kind::Array), _) => return Err(self.unexpected("`,` or `]`")),
                    (Some(_), _) => return Err(self.unexpected("`,` or `}`")),
                    (None, _) => return Err(self.unexpected("the end of the file")),
                },
                (_, b'[') => self.open(Kind::Array, Expect::FirstElement),
                (_, b'{') => self.open(Kind::Object, Expect::FirstKey),
                (_, b'"') => self.string().map(|()| Expect::End)?,
                (_, b'-' | b'0'..=b'9') => self.number()?,
                _ => self.word()?,
            };
        }
    }

    fn peek(&self) -> Option<u8> {
        self.text.as_bytes().get(self.at).copied()
    }

    fn kind(&self, id: Id) -> Kind {
        self.nodes.get(id.0 as usize).map_or(Kind::Null, |node| node.kind)
    }

    fn step(&mut self, expect: Expect) -> Expect {
        self.at += 1;
        expect
    }

    fn push(&mut self, kind: Kind, range: Range<usize>) -> Id {
        let id = Id(self.nodes.len() as u32);
        self.nodes.push(Node { kind, start: range.start as u32, end: range.end as u32, next: id.0 + 1 });
        self.at = range.end;
        id
    }

    fn open(&mut self, kind: Kind, expect: Expect) -> Expect {
        let id = self.push(kind, self.at..self.at + 1);
        self.open.push(id);
        expect
    }

    fn close(&mut self) -> Expect {
        self.at += 1;
        let next = self.nodes.len() as u32;
        if let Some(node) = self.open.pop().and_then(|id| self.nodes.get_mut(id.0 as usize)) {
            node.end = self.at as u32;
            node.next = next;
        }
        Expect::End
    }

    fn skip(&mut self) -> Result<(), Problem> {
        let bytes = self.text.as_bytes();
        loop {
            match bytes.get(self.at) {
                Some(b' ' | b'\t' | b'\n' | b'\r') => self.at += 1,
                Some(b'/') => {
                    let Some(end) = comment_end(bytes, self.at) else {
                        return Err(match bytes.get(self.at + 1) {
                            Some(b'*') => self.problem("the comment that begins here is never closed"),
                            _ => self.problem("a single `/` begins nothing"),
                        });
                    };
                    self.loose.get_or_insert(self.at);
                    self.at = end;
                }
                _ => return Ok(()),
            }
        }
    }

    fn string(&mut self) -> Result<(), Problem> {
        let bytes = self.text.as_bytes();
        let start = self.at;
        let mut at = start + 1;
        loop {
            match bytes.get(at) {
                Some(b'"') => {
                    self.push(Kind::String, start..at + 1);
                    return Ok(());
                }
                Some(b'\\') => {
                    let length = match bytes.get(at + 1) {
                        Some(b'"' | b'\\' | b'/' | b'b' | b'f' | b'n' | b'r' | b't') => 2,
                        Some(b'u') if hex4(bytes, at + 2).is_some() => 6,
                        _ => {
                            self.at = at;
                            return Err(self.problem("no such escape in a string"));
                        }
                    };
                    at += length;
                }
                Some(0x20..) => at += 1,
                Some(_) => {
                    self.at = at;
                    return Err(self.problem("a line break or control character in a string"));
                }
                None => return Err(self.problem("the string that begins here is never closed")),
            }
        }
    }

    /// A number as JSON has it: no leading zero, no plus, no bare point.
    fn number(&mut self) -> Result<Expect, Problem> {
        let bytes = self.text.as_bytes();
        let digits = |from: usize| from + bytes.iter().skip(from).take_while(|byte| byte.is_ascii_digit()).count();
        let start = self.at;
        let whole = start + usize::from(bytes.get(start) == Some(&b'-'));
        let mut end = digits(whole);
        let mut good = end > whole && (bytes.get(whole) != Some(&b'0') || end == whole + 1);
        if bytes.get(end) == Some(&b'.') {
            let fraction = end + 1;
            end = digits(fraction);
            good &= end > fraction;
        }
        if matches!(bytes.get(end), Some(b'e' | b'E')) {
            let exponent = end + 1 + usize::from(matches!(bytes.get(end + 1), Some(b'+' | b'-')));
            end = digits(exponent);
            good &= end > exponent;
        }
        if !good {
            return Err(self.problem("this is not a number of JSON"));
        }
        self.push(Kind::Number, start..end);
        Ok(Expect::End)
    }

    fn word(&mut self) -> Result<Expect, Problem> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let length = rest.bytes().take_while(|byte| byte.is_ascii_alphanumeric() || *byte == b'_').count();
        let kind = match rest.get(..length) {
            Some("null") => Kind::Null,
            Some("true") => Kind::True,
            Some("false") => Kind::False,
            _ => return Err(self.unexpected("a value")),
        };
        self.push(kind, self.at..self.at + length);
        Ok(Expect::End)
    }

    fn unexpected(&self, wanted: &str) -> Problem {
        match self.text.get(self.at..).and_then(|rest| rest.chars().next()) {
            Some(found) if !found.is_control() => self.problem(format!("expected {wanted}, found `{found}`")),
            Some(_) => self.problem(format!("expected {wanted}, found a control character")),
            None => self.cut_short(),
        }
    }

    fn cut_short(&self) -> Problem {
        match self.open.last().and_then(|id| self.nodes.get(id.0 as usize)) {
            Some(node) => {
                let (bracket, at) = if node.kind == Kind::Array { ('[', node.start) } else { ('{', node.start) };
                let (line, column) = position(self.text, &lines(self.text), at as usize);
                self.problem(format!(
                    "the file ends here, but the `{bracket}` of line {line}, column {column} is not closed"
                ))
            }
            None => self.problem("the file ends here, where a value was expected"),
        }
    }

    fn problem(&self, why: impl Into<String>) -> Problem {
        problem(self.text, self.at, why)
    }
}

impl<'a> Document<'a> {
    /// The whole text.
    pub fn text(&self) -> &'a str {
        self.text
    }

    /// The outermost value.
    pub fn root(&self) -> Id {
        Id(0)
    }

    /// Where the first comment or trailing comma is: what a parser of plain JSON would refuse.
    pub fn loose(&self) -> Option<usize> {
        self.loose
    }

    /// What a node is.
    pub fn kind(&self, id: Id) -> Kind {
        self.nodes.get(id.0 as usize).map_or(Kind::Null, |node| node.kind)
    }

    /// Its bytes, brackets and quotes included.
    pub fn span(&self, id: Id) -> Range<usize> {
        self.nodes.get(id.0 as usize).map_or(0..0, |node| node.start as usize..node.end as usize)
    }

    /// Its text as it stands.
    pub fn raw(&self, id: Id) -> &'a str {
        self.text.get(self.span(id)).unwrap_or_default()
    }

    /// The elements of an array; of an object its keys and values by turns; nothing of anything else.
    pub fn children(&self, id: Id) -> impl Iterator<Item = Id> + '_ {
        let end = self.after(id);
        let mut next = id.0 + 1;
        std::iter::from_fn(move || {
            let child = (next < end).then_some(Id(next))?;
            next = self.after(child);
            Some(child)
        })
    }

    /// The properties of an object, duplicates included; nothing of anything else.
    pub fn properties(&self, id: Id) -> impl Iterator<Item = Property> + '_ {
        let end = if self.kind(id) == Kind::Object { self.after(id) } else { 0 };
        let mut next = id.0 + 1;
        std::iter::from_fn(move || {
            let key = (next < end).then_some(Id(next))?;
            let value = Id(self.after(key));
            next = self.after(value);
            Some(Property { key, value })
        })
    }

    /// The elements of an array; nothing of anything else.
    pub fn elements(&self, id: Id) -> impl Iterator<Item = Id> + '_ {
        self.children(id).take_while(move |_| self.kind(id) == Kind::Array)
    }

    /// The value of a key; of duplicates the last, as every reader of JSON has it.
    pub fn get(&self, object: Id, key: &str) -> Option<Id> {
        self.properties(object).filter(|property| self.is(property.key, key)).last().map(|property| property.value)
    }

    /// Whether a node is a string that says just this.
    pub fn is(&self, id: Id, text: &str) -> bool {
        // Compared as it stands: each name is looked for among all keys, and a long key would be taken apart for each.
        self.inside(id).is_some_and(|raw| pieces(raw).map(|(_, said)| said).eq(text.chars()))
    }

    /// What a string says, its escapes resolved. Half of a surrogate pair becomes U+FFFD.
    pub fn string(&self, id: Id) -> Option<Cow<'a, str>> {
        let raw = self.inside(id)?;
        if !raw.contains('\\') {
            return Some(Cow::Borrowed(raw));
        }
        Some(Cow::Owned(pieces(raw).map(|(_, said)| said).collect()))
    }

    /// A string as it is written, without its quotes.
    fn inside(&self, id: Id) -> Option<&'a str> {
        (self.kind(id) == Kind::String).then(|| self.raw(id))?.strip_prefix('"')?.strip_suffix('"')
    }

    /// Line and column of a byte, both from 1, the column in characters.
    pub fn position(&self, at: usize) -> (usize, usize) {
        position(self.text, self.lines.get_or_init(|| lines(self.text)), at)
    }

    /// A problem at a node.
    pub fn problem(&self, id: Id, why: impl Into<String>) -> Problem {
        let (line, column) = self.position(self.span(id).start);
        Problem { line, column, why: why.into() }
    }

    fn after(&self, id: Id) -> u32 {
        self.nodes.get(id.0 as usize).map_or(u32::MAX, |node| node.next)
    }
}

/// The characters of the inside of a string, each with where it begins there, escapes resolved.
pub(crate) fn pieces(raw: &str) -> impl Iterator<Item = (usize, char)> + '_ {
    let mut at = 0;
    std::iter::from_fn(move || {
        let start = at;
        let first = raw.get(at..)?.chars().next()?;
        at += first.len_utf8();
        if first != '\\' {
            return Some((start, first));
        }
        let escape = raw.as_bytes().get(at).copied()?;
        at += 1;
        let said = match escape {
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'n' => '\n',
            b'r' => '\r',
            b't' => '\t',
            b'u' => {
                let unit = hex4(raw.as_bytes(), at).unwrap_or(0xfffd);
                at += 4;
                let low =
                    (raw.as_bytes().get(at..at + 2) == Some(b"\\u")).then(|| hex4(raw.as_bytes(), at + 2)).flatten();
                match (unit, low) {
                    (0xd800..0xdc00, Some(low @ 0xdc00..0xe000)) => {
                        at += 6;
                        char::from_u32(0x10000 + ((unit - 0xd800) << 10) + (low - 0xdc00)).unwrap_or('\u{fffd}')
                    }
                    _ => char::from_u32(unit).unwrap_or('\u{fffd}'),
                }
            }
            other => char::from(other),
        };
        Some((start, said))
    })
}

/// Text as a string of JSON, quotes included.
pub(crate) fn quote(text: &str) -> String {
    let mut quoted = String::with_capacity(text.len() + 2);
    quoted.push('"');
    for character in text.chars() {
        match character {
            '"' => quoted.push_str("\\\""),
            '\\' => quoted.push_str("\\\\"),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            control if control < ' ' => quoted.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// Where the comment that begins at `at` ends: before the line break, or behind `*/`. `None` where none begins, or it
/// is never closed.
pub(crate) fn comment_end(bytes: &[u8], at: usize) -> Option<usize> {
    let rest = bytes.get(at..)?;
    match rest.get(..2)? {
        b"//" => Some(at + rest.iter().position(|byte| matches!(byte, b'\n' | b'\r')).unwrap_or(rest.len())),
        b"/*" => {
            let inside = rest.get(2..)?;
            inside.windows(2).position(|pair| pair == b"*/").map(|end| at + 2 + end + 2)
        }
        _ => None,
    }
}

fn hex4(bytes: &[u8], at: usize) -> Option<u32> {
    bytes.get(at..at + 4)?.iter().try_fold(0, |sum, byte| Some(sum * 16 + char::from(*byte).to_digit(16)?))
}

fn problem(text: &str, at: usize, why: impl Into<String>) -> Problem {
    let (line, column) = position(text, &lines(text), at);
    Problem { line, column, why: why.into() }
}

/// Where each line starts; a mark of the byte order belongs to none.
fn lines(text: &str) -> Vec<usize> {
    let bytes = text.as_bytes();
    let first = if text.starts_with(BOM) { BOM.len() } else { 0 };
    let breaks = bytes.iter().enumerate().filter(|(index, byte)| {
        **byte == b'\n' || (**byte == b'\r' && bytes.get(index + 1).is_some_and(|next| *next != b'\n'))
    });
    std::iter::once(first).chain(breaks.map(|(index, _)| index + 1)).collect()
}

fn position(text: &str, lines: &[usize], at: usize) -> (usize, usize) {
    let line = lines.partition_point(|start| *start <= at).max(1);
    let start = lines.get(line - 1).copied().unwrap_or(0);
    (line, text.get(start..at).map_or(0, |before| before.chars().count()) + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        parse(text.as_bytes()).map(|_| ()).unwrap_err().to_string()
    }

    #[test]
    fn spans_and_last_duplicate() {
        let document =
            parse(b"\xef\xbb\xbf{\"a\": [1, \"x\\u00e9\\ud83d\\ude00\\ud800\"], // c\r\n\"a\":{},}").unwrap();
        let first = document.properties(document.root()).next().unwrap();
        let elements: Vec<Id> = document.elements(first.value).collect();
        assert_eq!(document.raw(elements[0]), "1");
        assert_eq!(document.string(elements[1]).unwrap(), "xé😀\u{fffd}");
        assert_eq!(document.kind(document.get(document.root(), "a").unwrap()), Kind::Object);
        assert_eq!(document.position(document.loose().unwrap()).0, 1);
        assert_eq!(document.elements(document.root()).count(), 0);
    }

    #[test]
    fn problems_say_where() {
        for (text, said) in [
            ("", "line 1, column 1: the file ends here, where a value was expected"),
            ("{\n  \"é\": 1\n  \"b\": 2\n}", "line 3, column 3: expected `,` or `}`, found `\"`"),
            ("{\r\n\"é\": tru}", "line 2, column 6: expected a value, found `t`"),
            ("[1, 2", "line 1, column 6: the file ends here, but the `[` of line 1, column 1 is not closed"),
            ("[01]", "line 1, column 2: this is not a number of JSON"),
            ("[1.]", "line 1, column 2: this is not a number of JSON"),
            ("[-]", "line 1, column 2: this is not a number of JSON"),
            ("{'a': 1}", "line 1, column 2: expected a key in double quotes or `}`, found `'`"),
            ("{\"a\" 1}", "line 1, column 6: expected `:`, found `1`"),
            ("[\"a\nb\"]", "line 1, column 4: a line break or control character in a string"),
            ("[\"\\x\"]", "line 1, column 3: no such escape in a string"),
            ("[\"a", "line 1, column 2: the string that begins here is never closed"),
            ("[1] /* x", "line 1, column 5: the comment that begins here is never closed"),
            ("[1] / 2", "line 1, column 5: a single `/` begins nothing"),
            ("{} {}", "line 1, column 4: expected the end of the file, found `{`"),
            ("[,]", "line 1, column 2: expected a value, found `,`"),
            ("{\"a\":1,,}", "line 1, column 8: expected a key in double quotes or `}`, found `,`"),
            ("\u{feff}x", "line 1, column 1: expected a value, found `x`"),
            ("\r\r[}", "line 3, column 2: expected a value, found `}`"),
        ] {
            assert_eq!(refused(text), said, "{text:?}");
        }
        assert_eq!(parse(b"{\n\"\xff\"}").map(|_| ()).unwrap_err().to_string(), "line 2, column 2: this is not UTF-8");
    }

    #[test]
    fn depth_costs_no_stack() {
        let deep = "[".repeat(100_000) + &"]".repeat(100_000);
        assert_eq!(parse(deep.as_bytes()).unwrap().nodes.len(), 100_000);
        let objects = "{\"a\":".repeat(100_000) + "1" + &"}".repeat(100_000);
        assert!(parse(objects.as_bytes()).is_ok());
        assert!(parse("[".repeat(100_000).as_bytes()).is_err());
    }
}
