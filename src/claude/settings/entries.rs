//! The entries of ait in a settings file.

use super::document::{Document, Node, Problem, Property, Value};
use super::recognise::recognise;
use super::text_edit::TextEdit;
use super::wanted::Hook;

/// The form that Claude Code accepts under an event. Up to 2.1.241 it ignores the whole file if the form is wrong.
const HOOK_FORM: &str = r#"Claude Code takes [{"hooks": [{"type": "command", "command": "..."}]}]"#;

/// A command of ait among the hooks, wherever it was found.
pub(super) struct Entry<'d> {
    pub(super) hook: Hook,
    pub(super) event: &'d str,
    pub(super) command: &'d str,
    /// The command does nothing else.
    pub(super) alone: bool,
    /// The line that it begins on.
    pub(super) line: usize,
    /// Neither its event nor `hooks` is followed by another key of the same name.
    pub(super) effective: bool,
    /// The element of that list.
    pub(super) element: &'d Node,
    /// The object with the command; of an entry without the inner `"hooks"` the element itself.
    pub(super) handler: &'d Node,
    /// The inner `"hooks"`.
    pub(super) handlers: Option<&'d Node>,
    /// The value of `"command"`.
    pub(super) command_node: &'d Node,
    /// Nothing keeps a client from running the command as it is written.
    pub(super) plain: bool,
}

impl<'d> Entry<'d> {
    /// It lacks the inner `"hooks"`, and never runs.
    pub(super) fn is_flat(&self) -> bool {
        self.handlers.is_none()
    }

    /// Its group has no other commands.
    pub(super) fn has_own_group(&self) -> bool {
        self.handlers.is_some_and(|handlers| handlers.elements().len() == 1)
    }

    /// The matcher of its group, as Claude Code reads it: none, or one that lets all through, is `None`.
    pub(super) fn matcher(&self) -> Option<&'d str> {
        let matcher = self.handlers.and(self.element.get("matcher")).and_then(Node::text);
        matcher.filter(|matcher| !matches!(*matcher, "" | "*" | ".*"))
    }
}

/// All entries of ait, in the order of the file.
pub(super) fn entries<'d>(document: &'d Document) -> Vec<Entry<'d>> {
    let root = &document.root;
    let mut found = Vec::new();
    for hooks in root.properties().iter().filter(|property| property.key == "hooks") {
        let hooks_count = root.get("hooks").is_some_and(|last| last.same(&hooks.value));
        for event in hooks.value.properties() {
            let event_counts = hooks.value.get(&event.key).is_some_and(|last| last.same(&event.value));
            for element in event.value.elements() {
                let of_element = entries_in(document, event, element);
                found.extend(of_element.map(|entry| Entry { effective: hooks_count && event_counts, ..entry }));
            }
        }
    }
    found
}

fn entries_in<'d>(
    document: &'d Document,
    event: &'d Property,
    element: &'d Node,
) -> impl Iterator<Item = Entry<'d>> + use<'d> {
    let handlers = element.get("hooks").filter(|node| matches!(node.value, Value::Array(_)));
    let each = handlers.map_or(std::slice::from_ref(element), Node::elements);
    each.iter().filter_map(move |handler| {
        let command_node = handler.get("command")?;
        let command = command_node.text()?;
        let arguments = handler.get("args");
        let words = arguments.map(Node::elements).unwrap_or_default().iter().filter_map(Node::text);
        let words: Vec<String> = words.map(str::to_owned).collect();
        let (hook, alone) = recognise(command, &words)?;
        let plain = arguments.is_none() && handler.get("type").and_then(Node::text) == Some("command");
        Some(Entry {
            hook,
            event: &event.key,
            command,
            alone,
            line: document.line(handler.span.start),
            effective: false,
            element,
            handler,
            handlers,
            command_node,
            plain,
        })
    })
}

/// Whether the hooks have the form that Claude Code takes. `"hooks": null` counts as no hooks.
pub(super) fn check_shape(document: &Document) -> Result<(), Problem> {
    let Some(hooks) = document.root.get("hooks").filter(|hooks| !matches!(hooks.value, Value::Null)) else {
        return Ok(());
    };
    if !matches!(hooks.value, Value::Object(_)) {
        return Err(document.problem(hooks, format!("\"hooks\" must be an object, but is {}", hooks.kind())));
    }
    for event in hooks.properties() {
        if !matches!(event.value.value, Value::Array(_)) {
            let (name, kind) = (&event.key, event.value.kind());
            let why = format!("{name:?} must be an array, but is {kind}; {HOOK_FORM}");
            return Err(document.problem(&event.value, why));
        }
    }
    Ok(())
}

/// Takes entries out of the hooks: a group that only they were in goes as a whole, and so do the event and `"hooks"` if
/// nothing is left in them. `also` are values of the outermost object that go too. `true`: nothing is left of that
/// object; it is to be emptied.
pub(super) fn take_out<'d>(
    document: &'d Document,
    edit: &mut TextEdit,
    doomed: &[&Entry<'d>],
    also: &[&'d Node],
) -> bool {
    let root = &document.root;
    let mut of_root: Vec<&Node> = also.to_vec();
    for hooks in root.properties().iter().filter(|property| property.key == "hooks") {
        let mut of_hooks = Vec::new();
        for event in hooks.value.properties() {
            let of_list = groups_to_remove(edit, event, doomed);
            if !of_list.is_empty() && edit.remove(&event.value, &of_list) {
                remove_or_empty(document, edit, &hooks.value, event, &mut of_hooks);
            }
        }
        if !of_hooks.is_empty() && edit.remove(&hooks.value, &of_hooks) {
            remove_or_empty(document, edit, root, hooks, &mut of_root);
        }
    }
    !of_root.is_empty() && edit.remove(root, &of_root)
}

/// The elements of an event's list that go as a whole; of the others the commands are taken out.
fn groups_to_remove<'d>(edit: &mut TextEdit, event: &'d Property, doomed: &[&Entry<'d>]) -> Vec<&'d Node> {
    let mut whole = Vec::new();
    for element in event.value.elements() {
        let here: Vec<&&Entry> = doomed.iter().filter(|entry| entry.element.same(element)).collect();
        let Some(first) = here.first() else { continue };
        let of_group: Vec<&Node> = here.iter().map(|entry| entry.handler).collect();
        if first.handlers.is_none_or(|handlers| edit.remove(handlers, &of_group)) {
            whole.push(element);
        }
    }
    whole
}

/// Removes a property, or leaves it empty if an earlier one of the same name would count again without it, or if a comment
/// stands between its key and its value.
fn remove_or_empty<'d>(
    document: &Document,
    edit: &mut TextEdit,
    object: &Node,
    property: &'d Property,
    doomed: &mut Vec<&'d Node>,
) {
    let first = object.properties().iter().find(|other| other.key == property.key);
    let is_first = first.is_some_and(|first| first.value.same(&property.value));
    if is_first && document.marks_in(property.start..property.value.span.start).is_empty() {
        doomed.push(&property.value);
    } else {
        edit.empty(&property.value);
    }
}
