//! TOML as the configuration file needs it: dotted keys with text, numbers, switches and lists of numbers, each with its
//! position.
//!
//! Format: <https://toml.io/en/v1.0.0>. Read by the events of `toml_parser`, on which the `toml` crate is built: without the
//! documents that crate makes, the program is 30 kB smaller, and a prompt reads its file in a third of the time.

use std::borrow::Cow;

use toml_parser::decoder::Encoding;
use toml_parser::lexer::TokenKind;
use toml_parser::parser::{EventReceiver, parse_document};
use toml_parser::{ErrorSink, Expected, ParseError, Raw, Source, Span};

/// A value as it is written.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Written {
    Text(String),
    Number(u64),
    Switch(bool),
    Numbers(Vec<u64>),
    /// A float, a date, a table or a list of anything else.
    Other,
}

/// A key and its value. Positions are bytes from the start of the file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Entry {
    /// The names of its tables and its own, joined by dots.
    pub(super) key: String,
    pub(super) at: usize,
    pub(super) value: Written,
    pub(super) value_at: usize,
    /// Where the text begins, if it is written without escapes.
    pub(super) text_at: Option<usize>,
}

/// A place that is not TOML.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct SyntaxError {
    pub(super) at: usize,
    pub(super) what: String,
}

/// Reads a file. The entries on lines without a syntax error are usable.
pub(super) fn parse(text: &str) -> (Vec<Entry>, Vec<SyntaxError>) {
    let source = Source::new(text);
    // A file consists mostly of comments, and the parser takes longer for each than the lexer.
    let tokens: Vec<_> = source.lex().filter(|token| token.kind() != TokenKind::Comment).collect();
    let mut reader = Reader { source, ..Reader::default() };
    let mut errors = Errors(Vec::new());
    parse_document(&tokens, &mut reader, &mut errors);
    let Errors(mut errors) = errors;
    let are_on_one_line =
        |one: usize, other: usize| text.get(one.min(other)..one.max(other)).is_some_and(|text| !text.contains('\n'));
    // What follows the first error of a line is mostly its consequence.
    errors.dedup_by(|later, first| are_on_one_line(first.at, later.at));
    let mut entries = reader.entries;
    entries.retain(|entry| !errors.iter().any(|error| are_on_one_line(error.at, entry.at)));
    (entries, errors)
}

/// How deep lists and inline tables may be nested.
const MAX_DEPTH: usize = 4;

/// Turns events into entries.
#[derive(Debug)]
struct Reader<'a> {
    source: Source<'a>,
    entries: Vec<Entry>,
    /// The table of the last header, with a dot at its end; for each inline table that is open, the key it is in.
    tables: Vec<String>,
    /// The key that is being read, and where it begins.
    key: String,
    key_at: usize,
    in_header: bool,
    /// How many lists are open, and the numbers in them.
    lists: usize,
    list: Option<Vec<u64>>,
    list_at: usize,
}

impl Default for Reader<'_> {
    fn default() -> Self {
        Reader {
            source: Source::new(""),
            entries: Vec::new(),
            tables: vec![String::new()],
            key: String::new(),
            key_at: 0,
            in_header: false,
            lists: 0,
            list: None,
            list_at: 0,
        }
    }
}

impl Reader<'_> {
    fn header(&mut self) {
        self.in_header = true;
        self.key.clear();
    }

    fn end_of_header(&mut self) {
        self.in_header = false;
        self.tables = vec![std::mem::take(&mut self.key) + "."];
    }

    fn add(&mut self, value: Written, value_at: usize, text_at: Option<usize>) {
        let tables = self.tables.concat();
        let key = tables + &std::mem::take(&mut self.key);
        self.entries.push(Entry { key, at: self.key_at, value, value_at, text_at });
    }

    fn raw(&self, span: Span, encoding: Option<Encoding>) -> Raw<'_> {
        Raw::new_unchecked(self.source.input().get(span.start()..span.end()).unwrap_or_default(), encoding, span)
    }
}

impl EventReceiver for Reader<'_> {
    fn std_table_open(&mut self, _span: Span, _error: &mut dyn ErrorSink) {
        self.header();
    }

    fn std_table_close(&mut self, _span: Span, _error: &mut dyn ErrorSink) {
        self.end_of_header();
    }

    fn array_table_open(&mut self, _span: Span, _error: &mut dyn ErrorSink) {
        self.header();
    }

    fn array_table_close(&mut self, span: Span, error: &mut dyn ErrorSink) {
        self.end_of_header();
        error.report_error(ParseError::new("tables have one pair of brackets here").with_unexpected(span));
    }

    fn inline_table_open(&mut self, _span: Span, _error: &mut dyn ErrorSink) -> bool {
        if self.lists > 0 || self.tables.len() > MAX_DEPTH {
            self.list = None;
            return false;
        }
        self.tables.push(std::mem::take(&mut self.key) + ".");
        true
    }

    fn inline_table_close(&mut self, _span: Span, _error: &mut dyn ErrorSink) {
        if self.lists == 0 && self.tables.len() > 1 {
            self.tables.pop();
            self.key.clear();
        }
    }

    fn array_open(&mut self, span: Span, _error: &mut dyn ErrorSink) -> bool {
        self.lists += 1;
        if self.lists == 1 {
            self.list = Some(Vec::new());
            self.list_at = span.start();
        } else {
            // A list of lists.
            self.list = None;
        }
        self.lists <= MAX_DEPTH
    }

    fn array_close(&mut self, _span: Span, _error: &mut dyn ErrorSink) {
        self.lists = self.lists.saturating_sub(1);
        if self.lists == 0 {
            let value = self.list.take().map_or(Written::Other, Written::Numbers);
            self.add(value, self.list_at, None);
        }
    }

    fn simple_key(&mut self, span: Span, encoding: Option<Encoding>, error: &mut dyn ErrorSink) {
        let mut name = Cow::Borrowed("");
        self.raw(span, encoding).decode_key(&mut name, error);
        let name = name.into_owned();
        if self.key.is_empty() {
            self.key_at = span.start();
        }
        self.key.push_str(&name);
    }

    fn key_sep(&mut self, _span: Span, _error: &mut dyn ErrorSink) {
        self.key.push('.');
    }

    fn scalar(&mut self, span: Span, encoding: Option<Encoding>, error: &mut dyn ErrorSink) {
        let raw = self.raw(span, encoding);
        if raw.is_empty() {
            error.report_error(ParseError::new("the value is missing").with_unexpected(span));
        }
        let (value, text_at) = match encoding {
            Some(encoding) => text(raw, span.start(), encoding, error),
            None => (unquoted(raw.as_str()), None),
        };
        if self.lists == 0 {
            return self.add(value, span.start(), text_at);
        }
        match (&mut self.list, value) {
            (Some(list), Written::Number(number)) => list.push(number),
            (list, _) => *list = None,
        }
    }
}

/// A quoted text, and where its content begins in the file if nothing in it is escaped. It is decoded as a quoted key,
/// whose quotes mean the same: what decodes a value also knows floats and dates, which takes 11 kB.
fn text(raw: Raw<'_>, at: usize, encoding: Encoding, error: &mut dyn ErrorSink) -> (Written, Option<usize>) {
    let is_long = matches!(encoding, Encoding::MlBasicString | Encoding::MlLiteralString);
    let mut text = Cow::Borrowed("");
    let mut errors = |why: ParseError| {
        // Only a value may go over several lines.
        if !(is_long && why.description().starts_with("keys ")) {
            error.report_error(why);
        }
    };
    raw.decode_key(&mut text, &mut errors);
    let start = if is_long { None } else { raw.as_str().get(1..).filter(|written| written.starts_with(&*text)) };
    (Written::Text(text.into_owned()), start.map(|_| at + 1))
}

fn unquoted(text: &str) -> Written {
    match text {
        "true" => Written::Switch(true),
        "false" => Written::Switch(false),
        _ => text.replace('_', "").parse().map_or(Written::Other, Written::Number),
    }
}

/// Collects errors in plain words.
struct Errors(Vec<SyntaxError>);

impl ErrorSink for Errors {
    fn report_error(&mut self, error: ParseError) {
        let at = error.unexpected().or(error.context()).map_or(0, |span| span.start());
        let mut what = error.description().to_owned();
        let mut separator = ", expected ";
        for expected in error.expected().unwrap_or_default() {
            what.push_str(separator);
            match expected {
                Expected::Literal("\n") => what.push_str("the end of the line"),
                Expected::Literal(text) => what.extend(["`", text, "`"]),
                Expected::Description(text) => what.push_str(text),
                _ => {}
            }
            separator = " or ";
        }
        self.0.push(SyntaxError { at, what });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entries(text: &str) -> Vec<(String, Written)> {
        let (entries, errors) = parse(text);
        assert_eq!(errors, [], "{text}");
        entries.into_iter().map(|entry| (entry.key, entry.value)).collect()
    }

    fn text(text: &str) -> Written {
        Written::Text(text.to_owned())
    }

    #[test]
    fn keys_are_joined_with_their_tables_in_every_way_of_writing_them() {
        let flat = [("a.b".to_owned(), text("x")), ("a.c.d".to_owned(), text("y"))];
        for written in [
            "a.b = 'x'\na.c.d = \"y\"",
            "[a]\nb = 'x'\nc.d = 'y'",
            "[a]\nb = 'x'\n[a.c]\nd = 'y'",
            "a = { b = 'x', c = { d = 'y' } }",
            "# first\n [ a ] # a\n\t\"b\" = \"x\" # b\n\n'c' . d = '''y'''\n",
            "\u{feff}a.b = 'x'\r\na.c.d = '''\ny'''\r\n",
        ] {
            assert_eq!(entries(written), flat, "{written}");
        }
    }

    #[test]
    fn values_of_every_type() {
        for (written, value) in [
            ("'a\\n'", text("a\\n")),
            (r#""a\n\u00e9\"""#, text("a\né\"")),
            ("\"\"\"\na\nb\"\"\"", text("a\nb")),
            ("12", Written::Number(12)),
            ("1_000", Written::Number(1000)),
            ("true", Written::Switch(true)),
            ("[70, 90]", Written::Numbers(vec![70, 90])),
            ("[70,\n  90, # red\n]", Written::Numbers(vec![70, 90])),
            ("[]", Written::Numbers(vec![])),
            ("['a']", Written::Other),
            ("[[1]]", Written::Other),
            ("[{ a = 1 }]", Written::Other),
            ("1.5", Written::Other),
            ("nerd", Written::Other),
            ("-1", Written::Other),
            ("2026-11-22", Written::Other),
        ] {
            assert_eq!(entries(&format!("k = {written}")), [("k".to_owned(), value)], "{written}");
        }
    }

    #[test]
    fn a_syntax_error_costs_its_line_only() {
        for wrong in ["b = ", "b = 'x", "b == 1", "b 1", "= 1", "b = \"\\x\"", "b = 'x' y", "]", "b = [1"] {
            let text = format!("a = 1\n{wrong}\n[t]\nc = 2\n");
            let (entries, errors) = parse(&text);
            assert!(!errors.is_empty(), "{wrong}");
            assert_eq!(entries.first().map(|entry| entry.key.as_str()), Some("a"), "{wrong}");
            assert!(
                !entries.iter().any(|entry| entry.key.starts_with('b') && entry.value != Written::Other),
                "{entries:?}"
            );
        }
        assert_eq!(parse("[[a]]\nb = 1").1.len(), 1);
    }

    #[test]
    fn the_text_begins_after_its_quote_unless_it_is_escaped() {
        let text_at = |text: &str| parse(text).0.first().and_then(|entry| entry.text_at);
        assert_eq!(text_at("a = 'bc'"), Some(5));
        assert_eq!(text_at("a = \"bc\""), Some(5));
        assert_eq!(text_at(r#"a = "b\\c""#), None);
        assert_eq!(text_at("a = '''bc'''"), None);
    }

    #[test]
    fn nothing_that_can_be_written_is_too_much() {
        for nested in ["a = [", "a = {b = ", "[", "'", "a.", "a = \"\\", "[["] {
            let _ = parse(&nested.repeat(30_000));
        }
        let pieces = ["[", "]", "{", "}", "a", "=", ".", "'", "\"", "\\", "#", "\n", "1", ",", "'''", "\u{feff}", "é"];
        let mut seed = 7_u32;
        for _ in 0..20_000 {
            let mut text = String::new();
            for _ in 0..12 {
                seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                text.push_str(pieces[usize::try_from(seed >> 16).unwrap() % pieces.len()]);
            }
            let (_, errors) = parse(&text);
            assert!(errors.iter().all(|error| error.at <= text.len()), "{text:?}");
        }
    }
}
