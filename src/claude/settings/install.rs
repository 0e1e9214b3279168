//! Adds the entries of ait to a settings file.

use super::document::{Document, Node, Problem, Value, is_blank};
use super::entries::{Entry, check_shape, entries, take_out};
use super::recognise::recognise;
use super::status_line;
use super::text_edit::{NewItem, NewValue, TextEdit, quote};
use super::wanted::{Edit, Hook, Registration, Wanted};

/// A file without settings.
const EMPTY: &[u8] = b"{}\n";

/// Adds the wanted entries to the bytes of a settings file; `None` means that there is no file yet.
///
/// # Errors
/// Where it cannot be parsed, or the hooks or the status line have a form that Claude Code does not take.
pub fn install(bytes: Option<&[u8]>, wanted: &Wanted) -> Result<Edit, Problem> {
    let mut remarks = Vec::new();
    let bytes = match bytes {
        None => EMPTY.to_vec(),
        Some(blank) if is_blank(blank) => blank_with_object(blank),
        Some(bytes) => {
            let document = Document::parse(bytes)?;
            check_shape(&document)?;
            remarks.extend(warnings(&document));
            // Entries in a wrong place go first, so that the additions see the file without them.
            remove_strays(&document, wanted, &mut remarks)
        }
    };
    let bytes = add(&Document::parse(&bytes)?, wanted, &mut remarks)?.into_bytes();
    Ok(Edit { bytes: Some(bytes), remarks })
}

/// A file of white space, with an empty object behind its byte order mark.
fn blank_with_object(blank: &[u8]) -> Vec<u8> {
    let mark: &[u8] = b"\xef\xbb\xbf";
    let rest = blank.strip_prefix(mark);
    [if rest.is_some() { mark } else { b"" }, b"{}", rest.unwrap_or(blank)].concat()
}

/// Warnings about entries of others, which stay as they are.
fn warnings(document: &Document) -> Vec<String> {
    let mut remarks = Vec::new();
    if let Some(line) = document.first_extension() {
        remarks.push(format!(
            "line {line}: Claude Code ignores a settings file with comments or trailing commas as a whole, so no hook \
             will run until you remove them"
        ));
    }
    if matches!(document.root.get("disableAllHooks").map(|node| &node.value), Some(Value::Bool(true))) {
        remarks.push("\"disableAllHooks\" is true: no hook and no status line runs until you remove it".into());
    }
    for event in document.root.get("hooks").map(Node::properties).unwrap_or_default() {
        for element in event.value.elements().iter().filter(|element| element.get("hooks").is_none()) {
            let command = element.get("command").and_then(Node::text);
            if command.is_some_and(|command| recognise(command, &[]).is_none()) {
                let line = document.line(element.span.start);
                remarks.push(format!(
                    "line {line}: another tool's entry under {} has no \"hooks\" list around it: it never runs, and \
                     Claude Code up to 2.1.241 then ignores the whole file",
                    event.key
                ));
            }
        }
    }
    remarks
}

/// Removes entries of the wanted hooks that an addition would not correct: under an event that is not theirs, behind
/// a matcher of another tool, or a second time.
fn remove_strays(document: &Document, wanted: &Wanted, remarks: &mut Vec<String>) -> Vec<u8> {
    let all = entries(document);
    let mut doomed: Vec<&Entry> = Vec::new();
    let mut kept: Vec<&str> = Vec::new();
    for entry in all.iter().filter(|entry| entry.effective && entry.alone && wanted.hooks.contains(&entry.hook)) {
        match removal_reason(entry, &all, &kept, wanted) {
            Some(remark) => {
                remarks.push(remark);
                doomed.push(entry);
            }
            None => kept.push(entry.event),
        }
    }
    let mut edit = TextEdit::new(document);
    if take_out(document, &mut edit, &doomed, &[]) {
        edit.empty(&document.root);
    }
    edit.finish().into_bytes()
}

/// Why an entry should go; `None`: it may stay.
fn removal_reason(entry: &Entry, all: &[Entry], kept: &[&str], wanted: &Wanted) -> Option<String> {
    let (name, event, line) = (entry.hook.name(), entry.event, entry.line);
    let Some(registration) = Registration::find(event, entry.hook) else {
        return Some(match (entry.hook, event) {
            (Hook::Cleanup, "Stop") => {
                format!("moved {name} from Stop, which runs after every turn, to SessionEnd")
            }
            _ => format!("removed {name} from {event}, where it does nothing"),
        });
    };
    if !wanted.may_stay(&registration) {
        return Some(format!("removed {name} from {event}, which the installed Claude Code does not know"));
    }
    let sound = |other: &Entry| {
        let same = other.effective && other.event == event && other.hook == entry.hook;
        same && !other.is_flat() && can_be_updated(other, &registration)
    };
    if !can_be_updated(entry, &registration) {
        Some(format!("line {line}: removed {name} under {event} from a matcher of another tool"))
    } else if kept.contains(&event) {
        Some(format!("line {line}: removed a second {name} under {event}"))
    } else if entry.is_flat() && all.iter().any(sound) {
        Some(format!("line {line}: removed an entry under {event} without a \"hooks\" list around it"))
    } else {
        None
    }
}

/// Whether the matcher of an entry is right, or can be changed because its group has no other commands.
fn can_be_updated(entry: &Entry, registration: &Registration) -> bool {
    entry.is_flat() || entry.matcher() == registration.matcher || entry.has_own_group()
}

/// Adds the wanted entries that are missing, and updates older forms of entries.
fn add(document: &Document, wanted: &Wanted, remarks: &mut Vec<String>) -> Result<String, Problem> {
    let root = &document.root;
    let mut edit = TextEdit::new(document);
    let hooks = root.get("hooks");
    match hooks.map(|hooks| (hooks, &hooks.value)) {
        Some((null, Value::Null)) => {
            if let Some(value) = wanted.hooks_value() {
                edit.replace_value(null, &value);
            }
        }
        Some((hooks, _)) => add_events(document, &mut edit, hooks, wanted, remarks),
        None => {}
    }
    let line = root.get("statusLine");
    if let (Some(line), true) = (line, wanted.hooks.contains(&Hook::Statusline)) {
        remarks.extend(status_line::wrap(document, &mut edit, line, &wanted.command("", Hook::Statusline))?);
    }
    let new_hooks = wanted.hooks_value().filter(|_| hooks.is_none()).map(|value| (Some("hooks"), value));
    let new_line = wanted.status_line_value().filter(|_| line.is_none()).map(|value| (Some("statusLine"), value));
    let items: Vec<NewItem> = new_hooks.into_iter().chain(new_line).collect();
    edit.append(root, &items);
    Ok(edit.finish())
}

fn add_events(document: &Document, edit: &mut TextEdit, hooks: &Node, wanted: &Wanted, remarks: &mut Vec<String>) {
    let found = entries(document);
    let mut missing: Vec<NewItem> = Vec::new();
    for registration in wanted.events() {
        let Registration { event, hook, .. } = registration;
        let mut here = found.iter().filter(|entry| entry.effective && entry.event == event && entry.hook == hook);
        if let Some(entry) = here.clone().find(|entry| entry.alone) {
            remarks.extend(put_right(edit, entry, &registration, wanted));
        } else if let Some(entry) = here.find(|entry| !entry.is_flat()) {
            remarks.push(format!(
                "line {}: not changed: this command under {event} does more than run {}: {}",
                entry.line,
                hook.name(),
                entry.command
            ));
        } else {
            match hooks.get(event) {
                Some(list) => edit.append(list, &[(None, wanted.group(&registration))]),
                None => missing.push((Some(event), NewValue::Array(vec![wanted.group(&registration)]))),
            }
        }
    }
    edit.append(hooks, &missing);
}

/// Brings an entry up to date: its form, its command, its matcher.
fn put_right(edit: &mut TextEdit, entry: &Entry, registration: &Registration, wanted: &Wanted) -> Option<String> {
    let event = entry.event;
    if entry.is_flat() {
        edit.replace_value(entry.element, &wanted.group(registration));
        return Some(format!(
            "line {}: repaired the entry under {event}: without a \"hooks\" list around it, it never ran, and Claude Code up to \
             2.1.241 ignored the whole file",
            entry.line
        ));
    }
    let command = wanted.command(event, entry.hook);
    let matcher_is_right = entry.matcher() == registration.matcher;
    if entry.plain && entry.command == command && matcher_is_right {
        return None;
    }
    if !entry.plain {
        edit.replace_value(entry.handler, &wanted.handler(registration));
    } else if entry.command != command {
        edit.replace(entry.command_node.span.clone(), quote(&command));
    }
    if !matcher_is_right {
        let matcher = registration.matcher.unwrap_or_default();
        match entry.element.get("matcher") {
            Some(node) => edit.replace(node.span.clone(), quote(matcher)),
            None => edit.prepend(entry.element, "matcher", NewValue::Text(matcher.into())),
        }
    }
    let what = if entry.plain && entry.command == command { "matcher" } else { "entry" };
    Some(format!("line {}: updated the {what} under {event}", entry.line))
}
