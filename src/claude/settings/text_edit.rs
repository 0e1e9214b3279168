//! Changes to the text of a settings file: values put in, taken out or replaced, every other byte as it was.

use std::ops::Range;

use super::document::{Document, Node, Value};
use crate::session::order::sort_by_key;

/// A value to write.
#[derive(Clone, Debug)]
pub(super) enum NewValue {
    Text(String),
    Number(u32),
    Array(Vec<NewValue>),
    Object(Vec<(&'static str, NewValue)>),
}

/// A value to add: with its key where it becomes a property, without where it becomes an element.
pub(super) type NewItem = (Option<&'static str>, NewValue);

/// Edits of one document, applied all at once by [`TextEdit::finish`].
pub(super) struct TextEdit<'a> {
    document: &'a Document<'a>,
    style: Style,
    /// Which bytes become which; they do not overlap.
    patches: Vec<(Range<usize>, String)>,
}

/// How a file is laid out, so that what is added looks like the rest.
struct Style {
    /// One level of indentation.
    indent: String,
    line_end: &'static str,
    /// The whole file is on one line.
    one_line: bool,
    /// The space after a colon and a comma on one line.
    space: &'static str,
}

/// Where a value is written.
#[derive(Clone, Copy)]
enum Layout<'a> {
    /// On lines of its own, the first of which has this indentation.
    Lines(&'a str),
    /// In the middle of a line.
    Inline,
}

/// An element or a property of a container.
struct Child {
    span: Range<usize>,
    /// Where the comma behind it is.
    comma: Option<usize>,
    /// It is to be removed.
    goes: bool,
}

impl Child {
    /// The end of it and its comma.
    fn end(&self) -> usize {
        self.comma.map_or(self.span.end, |comma| comma + 1)
    }
}

impl<'a> TextEdit<'a> {
    pub(super) fn new(document: &'a Document<'a>) -> TextEdit<'a> {
        TextEdit { document, style: Style::of(document), patches: Vec::new() }
    }

    /// The changed text.
    pub(super) fn finish(mut self) -> String {
        sort_by_key(&mut self.patches, |(range, _)| (range.start, range.end));
        let text = self.document.text;
        let mut changed = String::with_capacity(text.len() + 4096);
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
    pub(super) fn replace(&mut self, range: Range<usize>, new: impl Into<String>) {
        self.patches.push((range, new.into()));
    }

    /// Replaces a whole value.
    pub(super) fn replace_value(&mut self, node: &Node, value: &NewValue) {
        let layout = self.line_start(node.span.start).map_or(Layout::Inline, Layout::Lines);
        self.replace(node.span.clone(), self.style.write(value, layout));
    }

    /// Empties a container.
    pub(super) fn empty(&mut self, container: &Node) {
        self.replace(container.span.start + 1..container.span.end - 1, "");
    }

    /// Adds items at the end of a container. Called at most once for each container.
    pub(super) fn append(&mut self, container: &Node, items: &[NewItem]) {
        if items.is_empty() {
            return;
        }
        match self.children(container, &[]).last() {
            Some(last) => self.append_behind(last, items),
            None => self.append_first(container, items),
        }
    }

    /// Adds a property before all others of an object that has some.
    pub(super) fn prepend(&mut self, object: &Node, key: &'static str, value: NewValue) {
        let Some(first) = object.properties().first() else { return self.append(object, &[(Some(key), value)]) };
        let (layout, between) = match self.line_start(first.start) {
            Some(indent) => (Layout::Lines(indent), format!("{}{indent}", self.style.line_end)),
            None => (Layout::Inline, self.style.space.to_owned()),
        };
        let new = format!("{},{between}", self.style.write_item(&(Some(key), value), layout));
        self.replace(first.start..first.start, new);
    }

    fn append_behind(&mut self, last: &Child, items: &[NewItem]) {
        let indent = self.line_start(last.span.start);
        let (layout, between) = match indent {
            Some(indent) => (Layout::Lines(indent), format!("{}{indent}", self.style.line_end)),
            None => (Layout::Inline, self.style.space.to_owned()),
        };
        if last.comma.is_none() {
            self.replace(last.span.end..last.span.end, ",");
        }
        // A comment on the same line is about what is before it.
        let at = if indent.is_some() { self.end_of_line_comments(last.end()) } else { last.end() };
        let written: Vec<String> = items.iter().map(|item| self.style.write_item(item, layout)).collect();
        let trailing_comma = if last.comma.is_some() { "," } else { "" };
        self.replace(at..at, format!("{between}{}{trailing_comma}", written.join(&format!(",{between}"))));
    }

    fn append_first(&mut self, container: &Node, items: &[NewItem]) {
        let inside = container.span.start + 1..container.span.end - 1;
        // Behind the comments that are there.
        let at = self.document.marks_in(inside.clone()).last().map_or(inside.start, |mark| mark.span.end);
        let rest = self.document.text.get(at..inside.end).unwrap_or_default();
        let has_line_end = rest.contains(['\n', '\r']);
        let behind_comment = at > inside.start;
        if (behind_comment && !has_line_end) || (self.style.one_line && !behind_comment) {
            let written: Vec<String> = items.iter().map(|item| self.style.write_item(item, Layout::Inline)).collect();
            return self.replace(at..at, written.join(&format!(",{}", self.style.space)));
        }
        let outer = self.line_indent(container.span.start);
        let indent = format!("{outer}{}", self.style.indent);
        let between = format!("{}{indent}", self.style.line_end);
        let written: Vec<String> =
            items.iter().map(|item| self.style.write_item(item, Layout::Lines(&indent))).collect();
        let closing = if has_line_end { String::new() } else { format!("{}{outer}", self.style.line_end) };
        self.replace(at..at, format!("{between}{}{closing}", written.join(&format!(",{between}"))));
    }

    /// Takes children out of a container: elements, or properties by their values. `true`: nothing would be left in it,
    /// not even a comment; then nothing was changed, and the container itself should go.
    pub(super) fn remove(&mut self, container: &Node, doomed: &[&Node]) -> bool {
        let children = self.children(container, doomed);
        if children.iter().all(|child| child.goes) && !self.has_comment(container, &children) {
            return true;
        }
        let mut before = container.span.start + 1;
        for (index, child) in children.iter().enumerate() {
            if child.goes {
                self.remove_child(before, child, children.get(index + 1..).unwrap_or_default());
            }
            before = child.end();
        }
        // Without a comma behind the last one there should be none behind the one that is now the last.
        if let Some(last) = children.last()
            && last.goes
            && last.comma.is_none()
            && let Some(comma) = children.iter().rfind(|child| !child.goes).and_then(|kept| kept.comma)
        {
            self.replace(comma..comma + 1, "");
        }
        false
    }

    /// Takes out one child with its comma and the white space before it; if something else stands on its line, with the
    /// white space behind it. `before` is where the child or the bracket in front of it ends; `behind` are the children
    /// behind it.
    fn remove_child(&mut self, before: usize, child: &Child, behind: &[Child]) {
        let text = self.document.text;
        let end = self.own_end(child);
        if let Some(comma) = child.comma.filter(|comma| *comma >= end) {
            self.replace(comma..comma + 1, "");
        }
        let comment = self.document.marks_in(before..child.span.start).last();
        let gap = comment.map_or(before, |comment| comment.span.end);
        let starts_line = self.line_start(child.span.start).is_some();
        let ends_line = |end| matches!(text.as_bytes().get(skip_blanks(text, end)), None | Some(b'\n' | b'\r'));
        if !starts_line && !ends_line(end) && child.comma.is_some() && behind.first().is_some_and(|next| !next.goes) {
            return self.replace(child.span.start..skip_blanks(text, end), "");
        }
        // The line break that ends a comment stays, unless another one follows.
        let keeps_line_end = comment.is_some_and(|comment| comment.is_line) && !ends_line(self.end_of_run(end, behind));
        let start = match text.get(gap..child.span.start) {
            Some(space) if keeps_line_end && space.starts_with("\r\n") => gap + 2,
            Some(_) if keeps_line_end => gap + 1,
            _ => gap,
        };
        self.replace(start..end, "");
    }

    /// The end of a child and its comma; without the comma if a comment stands between them, which is to stay.
    fn own_end(&self, child: &Child) -> usize {
        let comma = child.comma.filter(|comma| self.document.marks_in(child.span.end..*comma).is_empty());
        comma.map_or(child.span.end, |comma| comma + 1)
    }

    /// The end of what goes together with a child that ends at `end`: those directly behind it that go too.
    fn end_of_run(&self, mut end: usize, behind: &[Child]) -> usize {
        for child in behind.iter().take_while(|child| child.goes) {
            if !self.document.marks_in(end..child.span.start).is_empty() {
                break;
            }
            end = self.own_end(child);
        }
        end
    }

    fn children(&self, container: &Node, doomed: &[&Node]) -> Vec<Child> {
        let child = |start: usize, value: &Node| {
            let span = start..value.span.end;
            let mut mark = self.document.mark_from(span.end);
            while let Some(comment) = mark.filter(|mark| mark.is_comment) {
                mark = self.document.mark_from(comment.span.end);
            }
            // Behind the last one there may be none; the next is then that of a container around this one.
            let comma = mark.map(|mark| mark.span.start).filter(|comma| *comma < container.span.end);
            Child { comma, goes: doomed.iter().any(|node| node.same(value)), span }
        };
        match &container.value {
            Value::Object(properties) => {
                properties.iter().map(|property| child(property.start, &property.value)).collect()
            }
            Value::Array(elements) => elements.iter().map(|element| child(element.span.start, element)).collect(),
            _ => Vec::new(),
        }
    }

    /// Whether a comment stands in a container, outside of its children.
    fn has_comment(&self, container: &Node, children: &[Child]) -> bool {
        let ends = std::iter::once(container.span.start + 1).chain(children.iter().map(|child| child.span.end));
        let starts = children.iter().map(|child| child.span.start).chain([container.span.end]);
        let mut gaps = ends.zip(starts).map(|(end, start)| self.document.marks_in(end..start));
        gaps.any(|marks| marks.iter().any(|mark| mark.is_comment))
    }

    /// The indentation of the line, if what begins at `at` is the first thing on it.
    fn line_start(&self, at: usize) -> Option<&'a str> {
        let before = self.document.text.get(..at)?;
        let start = before.rfind(['\n', '\r'])? + 1;
        let indent = before.get(start..)?;
        indent.bytes().all(|byte| matches!(byte, b' ' | b'\t')).then_some(indent)
    }

    /// The indentation of the line that `at` is on.
    fn line_indent(&self, at: usize) -> &'a str {
        let text = self.document.text;
        let start = text.get(..at).and_then(|before| before.rfind(['\n', '\r'])).map_or(0, |found| found + 1);
        text.get(start..skip_blanks(text, start)).unwrap_or_default()
    }

    /// Behind the comments that follow on the same line and end on it; `at` itself where none does.
    fn end_of_line_comments(&self, mut at: usize) -> usize {
        let text = self.document.text;
        loop {
            let start = skip_blanks(text, at);
            match self.document.mark_from(start) {
                Some(mark) if mark.is_comment && mark.span.start == start => {
                    if text.get(mark.span.clone()).unwrap_or_default().contains(['\n', '\r']) {
                        return at;
                    }
                    at = mark.span.end;
                }
                _ => return at,
            }
        }
    }
}

impl Style {
    fn of(document: &Document) -> Style {
        let text = document.text;
        let root = document.raw(&document.root);
        let first = document.root.properties().first();
        let indent = first.and_then(|first| {
            let line = text.get(..first.start)?.rfind(['\n', '\r'])? + 1;
            text.get(line..first.start).filter(|indent| indent.bytes().all(|byte| matches!(byte, b' ' | b'\t')))
        });
        let spaced = first.is_none_or(|first| {
            let before = text.get(..first.value.span.start).unwrap_or_default();
            before.ends_with([' ', '\t', '\n', '\r'])
        });
        Style {
            indent: indent.unwrap_or("  ").to_owned(),
            line_end: if text.split_once('\n').is_some_and(|(line, _)| line.ends_with('\r')) { "\r\n" } else { "\n" },
            one_line: first.is_some() && !root.contains(['\n', '\r']),
            space: if spaced { " " } else { "" },
        }
    }

    fn write_item(&self, (key, value): &NewItem, layout: Layout) -> String {
        match key {
            Some(key) => format!("{}:{}{}", quote(key), self.colon(layout), self.write(value, layout)),
            None => self.write(value, layout),
        }
    }

    fn colon(&self, layout: Layout) -> &'static str {
        match layout {
            Layout::Lines(_) => " ",
            Layout::Inline => self.space,
        }
    }

    fn write(&self, value: &NewValue, layout: Layout) -> String {
        let deeper = match layout {
            Layout::Lines(indent) => format!("{indent}{}", self.indent),
            Layout::Inline => String::new(),
        };
        let inner = match layout {
            Layout::Lines(_) => Layout::Lines(&deeper),
            Layout::Inline => Layout::Inline,
        };
        let (open, close, items): (_, _, Vec<String>) = match value {
            NewValue::Text(text) => return quote(text),
            NewValue::Number(number) => return number.to_string(),
            NewValue::Array(values) => ('[', ']', values.iter().map(|value| self.write(value, inner)).collect()),
            NewValue::Object(properties) => {
                let item = |(key, value): &(&str, NewValue)| {
                    format!("{}:{}{}", quote(key), self.colon(inner), self.write(value, inner))
                };
                ('{', '}', properties.iter().map(item).collect())
            }
        };
        match layout {
            Layout::Lines(indent) => {
                let between = format!("{}{deeper}", self.line_end);
                format!("{open}{between}{}{}{indent}{close}", items.join(&format!(",{between}")), self.line_end)
            }
            Layout::Inline => format!("{open}{}{close}", items.join(&format!(",{}", self.space))),
        }
    }
}

/// Text as a string of JSON, quotes included.
pub(super) fn quote(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

fn skip_blanks(text: &str, at: usize) -> usize {
    let rest = text.as_bytes().get(at..).unwrap_or_default();
    at + rest.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count()
}
