//! A settings file, parsed into a tree in which everything knows its bytes.
//!
//! The crate `jsonc-parser` parses; comments and trailing commas are accepted, and everything else that JSON does not
//! have is refused. Its concrete syntax tree, which can also edit, was tried first: it removes the blank lines at both
//! ends of a container that it adds to and the comments on the line of what it takes out, gives up at half of a
//! surrogate pair, and would print such a file otherwise than it was. Edits are therefore made on the text (`text_edit`).

use std::borrow::Cow;
use std::fmt;
use std::ops::Range;

use jsonc_parser::ast;
use jsonc_parser::common::Ranged as _;
use jsonc_parser::tokens::Token as Parsed;
use jsonc_parser::{CollectOptions, CommentCollectionStrategy, ParseOptions, parse_to_ast};

/// The byte order mark that some editors put first.
const BOM: &str = "\u{feff}";

/// Why a file is refused, and where.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// The mistake there.
    pub why: String,
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "line {}, column {}: {}", self.line, self.column, self.why)
    }
}

/// A parsed file whose outermost value is an object.
#[derive(Debug)]
pub(super) struct Document<'a> {
    pub(super) text: &'a str,
    pub(super) root: Node,
    /// Commas and comments, in the order of the text.
    marks: Vec<Mark>,
}

/// A value.
#[derive(Debug)]
pub(super) struct Node {
    /// Its bytes, brackets and quotes included.
    pub(super) span: Range<usize>,
    pub(super) value: Value,
}

#[derive(Debug)]
pub(super) enum Value {
    /// Duplicates of a key included, in the order of the text.
    Object(Vec<Property>),
    Array(Vec<Node>),
    /// Escapes resolved; half of a surrogate pair is U+FFFD.
    Text(String),
    Bool(bool),
    Number,
    Null,
}

#[derive(Debug)]
pub(super) struct Property {
    /// Where the key begins.
    pub(super) start: usize,
    pub(super) key: String,
    pub(super) value: Node,
}

/// A comma or a comment.
#[derive(Debug)]
pub(super) struct Mark {
    pub(super) span: Range<usize>,
    pub(super) is_comment: bool,
    /// A comment to the end of the line.
    pub(super) is_line: bool,
}

/// Whether nothing but white space is there: Claude Code takes such a file as one without settings.
pub(super) fn is_blank(bytes: &[u8]) -> bool {
    bytes.strip_prefix(BOM.as_bytes()).unwrap_or(bytes).iter().all(|byte| is_space(*byte))
}

/// White space of JSON. A form feed is none.
pub(super) fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

impl<'a> Document<'a> {
    /// Parses a whole file.
    ///
    /// # Errors
    /// Where it is not UTF-8, not JSON (comments and trailing commas aside), or not an object.
    pub(super) fn parse(bytes: &'a [u8]) -> Result<Document<'a>, Problem> {
        let text = std::str::from_utf8(bytes).map_err(|error| {
            let valid = bytes.get(..error.valid_up_to()).and_then(|valid| std::str::from_utf8(valid).ok());
            let valid = valid.unwrap_or_default();
            problem_at(valid, valid.len(), "not UTF-8".into())
        })?;
        let body = text.strip_prefix(BOM).unwrap_or(text);
        let offset = text.len() - body.len();
        let masked = mask_halves(body);
        let collect = CollectOptions { comments: CommentCollectionStrategy::AsTokens, tokens: true };
        let parsed = parse_to_ast(&masked, &collect, &strict()).map_err(|error| {
            let why = error.kind().to_string();
            problem_at(text, error.range().start + offset, lower_first(&why))
        })?;
        let tokens = parsed.tokens.unwrap_or_default();
        check_bytes(text, offset, &tokens)?;
        let marks = tokens.iter().filter_map(|token| Mark::of(token, offset)).collect();
        let root = match parsed.value {
            Some(value) => Node::of(&value, offset),
            None => return Err(problem_at(text, text.len(), "the file ends where a value was expected".into())),
        };
        let document = Document { text, root, marks };
        match document.root.value {
            Value::Object(_) => Ok(document),
            _ => {
                let why = format!("expected an object, found {}", document.root.kind());
                Err(document.problem(&document.root, why))
            }
        }
    }

    /// The text of a node.
    pub(super) fn raw(&self, node: &Node) -> &'a str {
        self.text.get(node.span.clone()).unwrap_or_default()
    }

    /// The text between the quotes of a string.
    pub(super) fn inside_quotes(&self, node: &Node) -> &'a str {
        self.raw(node).strip_prefix('"').and_then(|raw| raw.strip_suffix('"')).unwrap_or_default()
    }

    /// The line of a byte, from 1.
    pub(super) fn line(&self, at: usize) -> usize {
        position(self.text, at).0
    }

    /// A problem at a node.
    pub(super) fn problem(&self, node: &Node, why: impl Into<String>) -> Problem {
        problem_at(self.text, node.span.start, why.into())
    }

    /// The line of the first comment or trailing comma, for which Claude Code ignores the whole file.
    pub(super) fn first_extension(&self) -> Option<usize> {
        let trailing = |mark: &Mark| {
            let rest = self.text.get(mark.span.end..).unwrap_or_default();
            rest.trim_start_matches(|c: char| c.is_ascii_whitespace()).starts_with(['}', ']'])
        };
        self.marks.iter().find(|mark| mark.is_comment || trailing(mark)).map(|mark| self.line(mark.span.start))
    }

    /// The commas and comments that begin in a range.
    pub(super) fn marks_in(&self, range: Range<usize>) -> &[Mark] {
        let from = self.marks.partition_point(|mark| mark.span.start < range.start);
        let to = self.marks.partition_point(|mark| mark.span.start < range.end);
        self.marks.get(from..to).unwrap_or_default()
    }

    /// The first comma or comment from a byte on.
    pub(super) fn mark_from(&self, at: usize) -> Option<&Mark> {
        self.marks.get(self.marks.partition_point(|mark| mark.span.start < at))
    }
}

impl Node {
    fn of(value: &ast::Value, offset: usize) -> Node {
        let range = value.range();
        let span = range.start + offset..range.end + offset;
        let value = match value {
            ast::Value::Object(object) => {
                let property = |property: &ast::ObjectProp| Property {
                    start: property.range.start + offset,
                    key: property.name.as_str().to_owned(),
                    value: Node::of(&property.value, offset),
                };
                Value::Object(object.properties.iter().map(property).collect())
            }
            ast::Value::Array(array) => {
                Value::Array(array.elements.iter().map(|element| Node::of(element, offset)).collect())
            }
            ast::Value::StringLit(text) => Value::Text(text.value.clone().into_owned()),
            ast::Value::BooleanLit(literal) => Value::Bool(literal.value),
            ast::Value::NumberLit(_) => Value::Number,
            ast::Value::NullKeyword(_) => Value::Null,
        };
        Node { span, value }
    }

    /// The kind of value in words, with an article.
    pub(super) fn kind(&self) -> &'static str {
        match self.value {
            Value::Object(_) => "an object",
            Value::Array(_) => "an array",
            Value::Text(_) => "a string",
            Value::Bool(true) => "true",
            Value::Bool(false) => "false",
            Value::Number => "a number",
            Value::Null => "null",
        }
    }

    /// The properties of an object, duplicates included; none of anything else.
    pub(super) fn properties(&self) -> &[Property] {
        match &self.value {
            Value::Object(properties) => properties,
            _ => &[],
        }
    }

    /// The elements of an array; none of anything else.
    pub(super) fn elements(&self) -> &[Node] {
        match &self.value {
            Value::Array(elements) => elements,
            _ => &[],
        }
    }

    /// The value of a key; of duplicates the last, as every reader of JSON has it.
    pub(super) fn get(&self, key: &str) -> Option<&Node> {
        self.properties().iter().rfind(|property| property.key == key).map(|property| &property.value)
    }

    /// The decoded text of a string.
    pub(super) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Whether it is the same node of the same document.
    pub(super) fn same(&self, other: &Node) -> bool {
        std::ptr::eq(self, other)
    }
}

impl Mark {
    fn of(token: &jsonc_parser::tokens::TokenAndRange, offset: usize) -> Option<Mark> {
        let (is_comment, is_line) = match token.token {
            Parsed::Comma => (false, false),
            Parsed::CommentLine(_) => (true, true),
            Parsed::CommentBlock(_) => (true, false),
            _ => return None,
        };
        Some(Mark { span: token.range.start + offset..token.range.end + offset, is_comment, is_line })
    }
}

/// JSON with comments and trailing commas, and nothing else that the parser knows.
fn strict() -> ParseOptions {
    ParseOptions {
        allow_comments: true,
        allow_trailing_commas: true,
        allow_loose_object_property_names: false,
        allow_missing_commas: false,
        allow_single_quoted_strings: false,
        allow_hexadecimal_numbers: false,
        allow_unary_plus_numbers: false,
        allow_bare_decimal_point_numbers: false,
        allow_non_finite_numbers: false,
        allow_extended_string_escapes: false,
    }
}

/// The parser lets control characters in strings and white space of Unicode pass; JSON has neither.
fn check_bytes(text: &str, offset: usize, tokens: &[jsonc_parser::tokens::TokenAndRange]) -> Result<(), Problem> {
    let mut before = offset;
    for token in tokens {
        let span = token.range.start + offset..token.range.end + offset;
        check_space(text, before..span.start)?;
        before = span.end;
        if matches!(token.token, Parsed::String(_)) {
            let raw = text.get(span.clone()).unwrap_or_default();
            if let Some(at) = raw.bytes().position(|byte| byte < b' ') {
                return Err(problem_at(text, span.start + at, "a line break or control character in a string".into()));
            }
        }
    }
    check_space(text, before..text.len())
}

fn check_space(text: &str, gap: Range<usize>) -> Result<(), Problem> {
    let between = text.get(gap.clone()).unwrap_or_default();
    match between.bytes().position(|byte| !is_space(byte)) {
        Some(at) => Err(problem_at(text, gap.start + at, "not JSON white space".into())),
        None => Ok(()),
    }
}

/// The text with every half of a surrogate pair replaced by an escape of the same length: JSON allows `\ud800`, the parser
/// does not.
fn mask_halves(text: &str) -> Cow<'_, str> {
    let bytes = text.as_bytes();
    let unit = |at: usize| {
        let digits = bytes.get(at..at + 6)?.strip_prefix(b"\\u")?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let mut masked = None;
    let mut at = 0;
    while let Some(next) = bytes.get(at..).and_then(|rest| memchr::memchr(b'\\', rest)) {
        at += next;
        at += match unit(at) {
            Some(0xd800..=0xdbff) if matches!(unit(at + 6), Some(0xdc00..=0xdfff)) => 12,
            Some(0xd800..=0xdfff) => {
                masked.get_or_insert_with(|| text.to_owned()).replace_range(at..at + 6, "\\ufffd");
                6
            }
            _ => 2,
        };
    }
    masked.map_or(Cow::Borrowed(text), Cow::Owned)
}

fn lower_first(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or_else(String::new, |first| first.to_lowercase().chain(characters).collect())
}

fn problem_at(text: &str, at: usize, why: String) -> Problem {
    let (line, column) = position(text, at);
    Problem { line, column, why }
}

/// Line and column of a byte, both from 1, the column in characters. A lone carriage return ends a line too; a byte order
/// mark takes no column.
fn position(text: &str, at: usize) -> (usize, usize) {
    let before = text.get(..at).unwrap_or(text);
    let before = before.strip_prefix(BOM).unwrap_or(before);
    let rest = text.get(at..).unwrap_or_default();
    let bytes = before.as_bytes();
    let ends_line = |index: usize| match bytes.get(index) {
        Some(b'\n') => true,
        Some(b'\r') => bytes.get(index + 1).or(rest.as_bytes().first()).is_some_and(|next| *next != b'\n'),
        _ => false,
    };
    let ends = memchr::memchr2_iter(b'\n', b'\r', bytes).filter(|index| ends_line(*index));
    let (lines, start) = ends.fold((0, 0), |(lines, _), end| (lines + 1, end + 1));
    (lines + 1, before.get(start..).unwrap_or_default().chars().count() + 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nodes_know_their_bytes_behind_a_byte_order_mark_and_of_duplicates_the_last_counts() {
        let text = "\u{feff}{\"a\": [1, \"x\\u00e9\\ud83d\\ude00\\ud800\"], // c\r\n\"a\":{},}";
        let document = Document::parse(text.as_bytes()).unwrap();
        let elements = document.root.properties()[0].value.elements();
        assert_eq!(document.raw(&elements[0]), "1");
        assert_eq!(elements[1].text(), Some("xé😀\u{fffd}"));
        assert!(matches!(document.root.get("a").unwrap().value, Value::Object(_)));
        assert_eq!(document.first_extension(), Some(1));
        assert_eq!(document.root.elements().len(), 0);
    }

    #[test]
    fn a_file_that_is_not_json_is_refused_with_the_place() {
        for (text, place) in [
            ("", "line 1, column 1: the file ends where a value was expected"),
            ("{\n  \"é\": 1\n  \"b\": 2\n}", "line 2, column 9: expected comma"),
            ("{\r\n\"é\": tru}", "line 2, column 6: unexpected token"),
            ("[1]", "line 1, column 1: expected an object, found an array"),
            ("{\"a\": 01}", "line 1, column 8: expected comma"),
            ("{'a': 1}", "line 1, column 2: single-quoted strings are not allowed"),
            ("{\"a\": \"x\ny\"}", "line 1, column 9: a line break or control character in a string"),
            ("{\"a\":\u{b}1}", "line 1, column 6: not JSON white space"),
            ("{\"a\": \"\\x41\"}", "line 1, column 8: invalid escape"),
            ("{} {}", "line 1, column 4: text cannot contain more than one JSON value"),
            ("\r\r{]", "line 3, column 2: unexpected token in object"),
        ] {
            assert_eq!(Document::parse(text.as_bytes()).unwrap_err().to_string(), place, "{text:?}");
        }
        let bytes = b"{\n\"\xff\"}";
        assert_eq!(Document::parse(bytes).unwrap_err().to_string(), "line 2, column 2: not UTF-8");
        let deep = "{\"a\":".repeat(100_000);
        assert!(Document::parse(deep.as_bytes()).unwrap_err().why.contains("nesting depth"));
    }
}
