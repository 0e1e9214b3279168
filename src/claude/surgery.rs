//! Additions to and removals from the text of a JSON file, such that a removal takes back exactly what an addition
//! did, and every byte in between is left alone.
//!
//! What an addition to a container did can be read off the text afterwards, so no memory is needed to undo it:
//! - behind other elements, ours carries a comma behind it where the last one before it did;
//! - a container that we made is made without spaces behind its opening bracket, and goes when it is empty again;
//! - a container that was there and empty gets a mark, spaces behind its opening bracket: one where nothing was
//!   between the brackets, two where something was, which then stands before the closing one; three where the file
//!   itself was blank. Somebody who strips the mark loses an empty pair of brackets, nothing else.

use std::ops::Range;

use super::jsonc::{self, Document, Id, Kind};
use crate::session::order::sort_by_key;

/// A value to be written.
pub(crate) enum Value {
    /// A string.
    Text(String),
    /// A number.
    Number(u32),
    /// An array.
    Array(Vec<Value>),
    /// An object.
    Object(Vec<(&'static str, Value)>),
}

/// What is added to a container: an element, or a property where there is a key.
pub(crate) type Item = (Option<&'static str>, Value);

/// How the file is laid out.
#[derive(Debug)]
struct Layout {
    /// What one level is indented by.
    unit: String,
    /// What ends a line.
    line_end: &'static str,
    /// Everything stands on one line.
    one_line: bool,
    /// What stands behind the colon of a property, where it is written on the line of its container.
    after_colon: &'static str,
    /// What stands behind a comma there.
    after_comma: &'static str,
}

/// Where a value is written.
#[derive(Clone, Copy)]
enum Place<'a> {
    /// On the line of what surrounds it.
    Inline,
    /// On lines of its own, with this in front.
    Lines(&'a str),
}

/// Changes to one document, gathered first and made at once.
#[derive(Debug)]
pub(crate) struct Surgery<'a> {
    document: &'a Document<'a>,
    layout: Layout,
    patches: Vec<(Range<usize>, String)>,
}

struct Child {
    /// From the key on, where there is one.
    span: Range<usize>,
    /// The comma behind it.
    comma: Option<usize>,
    goes: bool,
}

impl<'a> Surgery<'a> {
    /// Looks at how the file is laid out.
    pub(crate) fn new(document: &'a Document<'a>) -> Self {
        Surgery { document, layout: Layout::of(document), patches: Vec::new() }
    }

    /// The changed text.
    pub(crate) fn finish(mut self) -> String {
        // Stable: of two insertions at one place the earlier comes first.
        sort_by_key(&mut self.patches, |(range, _)| (range.start, range.end));
        let text = self.document.text();
        let mut changed =
            String::with_capacity(text.len() + self.patches.iter().map(|(_, new)| new.len()).sum::<usize>());
        let mut done = 0;
        for (range, new) in &self.patches {
            changed.push_str(text.get(done..range.start).unwrap_or_default());
            changed.push_str(new);
            done = done.max(range.end);
        }
        changed.push_str(text.get(done..).unwrap_or_default());
        changed
    }

    /// Replaces bytes by others.
    pub(crate) fn replace(&mut self, range: Range<usize>, new: impl Into<String>) {
        self.patches.push((range, new.into()));
    }

    /// Replaces a whole value.
    pub(crate) fn replace_value(&mut self, id: Id, value: &Value) {
        let span = self.document.span(id);
        let new = match self.line_start(span.start) {
            Some(indent) => self.layout.write(value, Place::Lines(indent)),
            None => self.layout.write(value, Place::Inline),
        };
        self.replace(span, new);
    }

    /// Adds items at the end of a container. Called once for each container: what is added does not see what was
    /// added before.
    pub(crate) fn append(&mut self, container: Id, items: &[Item]) {
        if items.is_empty() {
            return;
        }
        match self.children(container, &[]).pop() {
            Some(last) => self.append_behind(container, &last, items),
            None => self.append_first(container, items),
        }
    }

    fn append_behind(&mut self, container: Id, last: &Child, items: &[Item]) {
        let text = self.document.text();
        let mut at = last.comma.map_or(last.span.end, |comma| comma + 1);
        let indent = self.line_start(last.span.start);
        let (place, between) = match indent {
            Some(indent) => (Place::Lines(indent), format!("{}{indent}", self.layout.line_end)),
            None => (Place::Inline, self.layout.after_comma.to_owned()),
        };
        // A comment on the same line speaks of the element before it. What a mark of two keeps must stay in one piece.
        if indent.is_some() && self.mark(container) != 2 {
            at = end_of_line_comments(text, at);
        }
        if last.comma.is_none() {
            self.replace(last.span.end..last.span.end, ",");
        }
        let written: Vec<String> = items.iter().map(|item| self.layout.write_item(item, place)).collect();
        let mut new = between.clone() + &written.join(&format!(",{between}"));
        if last.comma.is_some() {
            new.push(',');
        }
        self.replace(at..at, new);
    }

    fn append_first(&mut self, container: Id, items: &[Item]) {
        let span = self.document.span(container);
        let inside = span.start + 1..span.end - 1;
        let mark = if inside.is_empty() { " " } else { "  " };
        let new = if self.layout.one_line {
            let written: Vec<String> = items.iter().map(|item| self.layout.write_item(item, Place::Inline)).collect();
            mark.to_owned() + &written.join(&format!(",{}", self.layout.after_comma))
        } else {
            let outer = self.line_indent(span.start);
            let indent = format!("{outer}{}", self.layout.unit);
            let between = format!("{}{indent}", self.layout.line_end);
            let written: Vec<String> =
                items.iter().map(|item| self.layout.write_item(item, Place::Lines(&indent))).collect();
            let closing = if inside.is_empty() { format!("{}{outer}", self.layout.line_end) } else { String::new() };
            format!("{mark}{between}{}{closing}", written.join(&format!(",{between}")))
        };
        self.replace(inside.start..inside.start, new);
    }

    /// Takes children out of a container: elements, or values of properties. `true`: nothing would be left in it and
    /// we made it, so nothing was changed and the container itself should go.
    pub(crate) fn remove(&mut self, container: Id, doomed: &[Id]) -> bool {
        let children = self.children(container, doomed);
        let span = self.document.span(container);
        let inside = span.start + 1..span.end - 1;
        let Some(last) = children.last() else { return true };
        if children.iter().all(|child| child.goes) {
            let kept = last.comma.map_or(last.span.end, |comma| comma + 1);
            match self.mark(container) {
                1 if !self.has_comment(inside.clone(), &children) => {
                    self.replace(inside, "");
                    return false;
                }
                2 if !self.has_comment(inside.start..kept, &children) => {
                    self.replace(inside.start..kept, "");
                    return false;
                }
                0 if !self.has_comment(inside, &children) => return true,
                _ => {}
            }
        }
        let first_kept = children.iter().position(|child| !child.goes).unwrap_or(children.len());
        let last_kept = children.iter().rposition(|child| !child.goes);
        let mut before = span.start + 1;
        for (index, child) in children.iter().enumerate() {
            if child.goes {
                // At the head the space behind goes along, further on the space before: a mark stays where it is.
                let start = if index < first_kept {
                    child.span.start
                } else {
                    self.space_before(before, rest_of(&children, index))
                };
                self.replace(start..child.span.end, "");
                if let Some(comma) = child.comma {
                    let end = if index < first_kept { skip_space(self.document.text(), comma + 1) } else { comma + 1 };
                    self.replace(comma..end, "");
                }
            }
            before = child.comma.map_or(child.span.end, |comma| comma + 1);
        }
        // The last one left has no comma behind it if the last one of all had none.
        if let (Some(kept), None) = (last_kept, last.comma)
            && last.goes
            && let Some(comma) = children.get(kept).and_then(|child| child.comma)
        {
            self.replace(comma..comma + 1, "");
        }
        false
    }

    /// Empties a container, whatever is in it.
    pub(crate) fn empty(&mut self, container: Id) {
        let span = self.document.span(container);
        self.replace(span.start + 1..span.end - 1, "");
    }

    /// The mark of a container: how many spaces follow its opening bracket, up to three.
    pub(crate) fn mark(&self, container: Id) -> usize {
        let start = self.document.span(container).start + 1;
        let rest = self.document.text().as_bytes().get(start..).unwrap_or_default();
        let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
        if spaces > 3 { 0 } else { spaces }
    }

    fn children(&self, container: Id, doomed: &[Id]) -> Vec<Child> {
        let document = self.document;
        let text = document.text();
        let child = |start: usize, value: Id| {
            let span = start..document.span(value).end;
            let next = skip_trivia(text, span.end);
            let comma = (text.as_bytes().get(next) == Some(&b',')).then_some(next);
            Child { span, comma, goes: doomed.contains(&value) }
        };
        if document.kind(container) == Kind::Object {
            document.properties(container).map(|each| child(document.span(each.key).start, each.value)).collect()
        } else {
            document.elements(container).map(|each| child(document.span(each).start, each)).collect()
        }
    }

    /// Whether a comment stands in a range, outside of the children.
    fn has_comment(&self, range: Range<usize>, children: &[Child]) -> bool {
        let gaps = children.iter().map(|child| child.span.end).chain([range.start]);
        let bytes = self.document.text().as_bytes();
        gaps.filter(|gap| *gap < range.end).any(|gap| {
            let at = skip_space(self.document.text(), gap);
            let at = if bytes.get(at) == Some(&b',') { skip_space(self.document.text(), at + 1) } else { at };
            at < range.end && bytes.get(at) == Some(&b'/')
        })
    }

    /// Where the blank space before a child begins, which goes together with it. A line break that ends a comment
    /// stays, unless another one follows.
    fn space_before(&self, from: usize, children: &[Child]) -> usize {
        let Some(child) = children.first() else { return from };
        let text = self.document.text();
        let bytes = text.as_bytes();
        let mut comment = None;
        let mut at = from;
        while at < child.span.start {
            at = match jsonc::comment_end(bytes, at) {
                Some(end) => {
                    comment = Some((bytes.get(at + 1) == Some(&b'/'), end));
                    end
                }
                None => at + 1,
            };
        }
        let Some((to_line_end, start)) = comment else { return from };
        // What will follow once the children behind that go too have gone.
        let mut behind = child.span.end;
        for (index, child) in children.iter().enumerate() {
            behind = child.span.end;
            let Some(comma) = child.comma.filter(|comma| *comma == behind) else { break };
            behind = comma + 1;
            let next = children.get(index + 1).filter(|next| next.goes);
            if next.is_none_or(|next| skip_space(text, behind) != next.span.start) {
                break;
            }
        }
        let ends_line = matches!(bytes.get(skip_blanks(text, behind)), None | Some(b'\n' | b'\r'));
        match (to_line_end && !ends_line, bytes.get(start..start + 2)) {
            (true, Some(b"\r\n")) => start + 2,
            (true, _) => start + 1,
            _ => start,
        }
    }

    /// The indentation of the line, if what begins at `at` is the first thing on it.
    fn line_start(&self, at: usize) -> Option<&'a str> {
        let text = self.document.text();
        let before = text.get(..at)?;
        let start = before.rfind(['\n', '\r'])? + 1;
        let indent = text.get(start..at)?;
        indent.bytes().all(|byte| matches!(byte, b' ' | b'\t')).then_some(indent)
    }

    /// The indentation of the line that `at` is on.
    fn line_indent(&self, at: usize) -> &'a str {
        let text = self.document.text();
        let start = text.get(..at).and_then(|before| before.rfind(['\n', '\r'])).map_or(0, |found| found + 1);
        text.get(start..skip_blanks(text, start)).unwrap_or_default()
    }
}

impl Layout {
    fn of(document: &Document) -> Layout {
        let text = document.text();
        let root = document.root();
        let root_text = document.raw(root);
        let first = document.properties(root).next();
        let line_end = match text.find('\n') {
            Some(at) if at > 0 && text.as_bytes().get(at - 1) == Some(&b'\r') => "\r\n",
            _ => "\n",
        };
        let one_line = first.is_some() && !root_text.contains('\n');
        let behind = |at: usize, sign: u8| {
            let at = skip_trivia(text, at);
            text.as_bytes().get(at) == Some(&sign) && matches!(text.as_bytes().get(at + 1), Some(b' ' | b'\n' | b'\r'))
        };
        let spaced = first.is_none_or(|first| behind(document.span(first.key).end, b':'));
        let commas = document.properties(root).nth(1).and(first);
        let airy = commas.map_or(spaced, |first| behind(document.span(first.value).end, b','));
        let indent = first.and_then(|first| {
            let start = document.span(first.key).start;
            let line = text.get(..start)?.rfind(['\n', '\r'])? + 1;
            text.get(line..start).filter(|indent| indent.bytes().all(|byte| matches!(byte, b' ' | b'\t')))
        });
        Layout {
            unit: indent.unwrap_or("  ").to_owned(),
            line_end,
            one_line,
            after_colon: if spaced { " " } else { "" },
            after_comma: if airy { " " } else { "" },
        }
    }

    fn write_item(&self, (key, value): &Item, place: Place) -> String {
        match key {
            Some(key) => format!("{}:{}{}", jsonc::quote(key), self.colon(place), self.write(value, place)),
            None => self.write(value, place),
        }
    }

    fn colon(&self, place: Place) -> &'static str {
        match place {
            Place::Lines(_) => " ",
            Place::Inline => self.after_colon,
        }
    }

    fn write(&self, value: &Value, place: Place) -> String {
        let deeper = match place {
            Place::Lines(indent) => format!("{indent}{}", self.unit),
            Place::Inline => String::new(),
        };
        let inner = match place {
            Place::Lines(_) => Place::Lines(&deeper),
            Place::Inline => Place::Inline,
        };
        let (open, close, items): (_, _, Vec<String>) = match value {
            Value::Text(text) => return jsonc::quote(text),
            Value::Number(number) => return number.to_string(),
            Value::Array(values) => ('[', ']', values.iter().map(|value| self.write(value, inner)).collect()),
            Value::Object(properties) => {
                let item = |(key, value): &(&str, Value)| {
                    format!("{}:{}{}", jsonc::quote(key), self.colon(inner), self.write(value, inner))
                };
                ('{', '}', properties.iter().map(item).collect())
            }
        };
        match place {
            Place::Lines(indent) => {
                let between = format!("{}{deeper}", self.line_end);
                format!("{open}{between}{}{}{indent}{close}", items.join(&format!(",{between}")), self.line_end)
            }
            Place::Inline => format!("{open}{}{close}", items.join(&format!(",{}", self.after_comma))),
        }
    }
}

fn rest_of(children: &[Child], index: usize) -> &[Child] {
    children.get(index..).unwrap_or_default()
}

fn skip_blanks(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}

fn skip_space(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).count()
}

fn skip_trivia(text: &str, mut at: usize) -> usize {
    loop {
        at = skip_space(text, at);
        match jsonc::comment_end(text.as_bytes(), at) {
            Some(end) => at = end,
            None => return at,
        }
    }
}

/// Behind the comments that follow on the same line and end on it; `at` itself where none does.
fn end_of_line_comments(text: &str, mut at: usize) -> usize {
    loop {
        let start = skip_blanks(text, at);
        match jsonc::comment_end(text.as_bytes(), start) {
            Some(end) if !text.get(start..end).unwrap_or_default().contains(['\n', '\r']) => at = end,
            _ => return at,
        }
    }
}
