//! Claude Code's `settings.json`: entries of ours put in, taken out and looked at. Pure: bytes in, bytes out.
//!
//! The one form that every client runs is `{"hooks": {"EVENT": [{"hooks": [{"type": "command", "command": "..."}]}]}}`.
//! An entry without the inner `"hooks"` never runs, and clients up to 2.1.241 then ignore the whole file; so does every
//! client where the file has comments or trailing commas.

use std::borrow::Cow;
use std::ops::Range;

use super::jsonc::{self, Document, Id, Kind, Problem, Property};
use super::surgery::{Item, Surgery, Value};
use super::words::{self, Token};

/// A thing that `ait hooks install` can put into Claude Code's settings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Hook {
    /// Makes the manifest of a session and keeps it true.
    Register,
    /// Archives the manifest when the session ends.
    Cleanup,
    /// The status line.
    Statusline,
}

impl Hook {
    /// All of them.
    pub const ALL: [Hook; 3] = [Hook::Register, Hook::Cleanup, Hook::Statusline];

    /// Its name, as it is typed.
    pub fn name(self) -> &'static str {
        match self {
            Hook::Register => "session-register",
            Hook::Cleanup => "session-cleanup",
            Hook::Statusline => "statusline",
        }
    }

    /// The hook of that name.
    pub fn named(name: &str) -> Option<Hook> {
        Hook::ALL.into_iter().find(|hook| hook.name() == name)
    }

    /// The file name of its script, where it has one.
    pub fn script(self) -> Option<&'static str> {
        match self {
            Hook::Register => Some("session-register.sh"),
            Hook::Cleanup => Some("session-cleanup.sh"),
            Hook::Statusline => None,
        }
    }
}

/// Which event runs which hook.
///
/// An event that a client does not know costs its user a dialog at every start, so only names that all clients from
/// 2.0.62 on accept are here. Two of those are left out: SubagentStop and PreCompact say nothing that changes a
/// manifest, and would cost each session a process.
pub const EVENTS: [(&str, Hook); 7] = [
    ("SessionStart", Hook::Register),
    ("UserPromptSubmit", Hook::Register),
    ("PreToolUse", Hook::Register),
    ("PostToolUse", Hook::Register),
    ("Notification", Hook::Register),
    ("Stop", Hook::Register),
    ("SessionEnd", Hook::Cleanup),
];

/// How long a hook of ours may take, in seconds. Without a limit a hook that hangs (a home folder on a server that is
/// gone) holds every tool call for Claude Code's own 600 seconds. And where SessionEnd is given no limit, all its hooks
/// together have 1.5 seconds, other people's slow ones included; ours must get to the end.
const TIMEOUT: u32 = 5;

/// What is to be installed, and how it is called.
#[derive(Clone, Debug)]
pub struct Wanted {
    /// Which hooks.
    pub hooks: Vec<Hook>,
    /// The path of `ait`, absolute.
    pub ait: String,
    /// The folder with the two scripts, as a word of the shell, without a slash at its end: `~/.claude/hooks`.
    pub scripts: String,
}

impl Wanted {
    /// The command for an event.
    ///
    /// The two events that come once go through the scripts, which people know by name and can look into. The others
    /// come with every prompt and tool call, where a second shell would double what the client pays for the first.
    pub fn command(&self, event: &str, hook: Hook) -> String {
        let ait = words::quote(&self.ait);
        match (hook.script(), event) {
            (Some(script), "SessionStart" | "SessionEnd") => format!("{}/{script}", self.scripts),
            (Some(_), _) => format!("[ ! -x {ait} ] || exec {ait} hook {}", hook.name()),
            (None, _) => format!("{ait} statusline"),
        }
    }

    fn events(&self) -> impl Iterator<Item = (&'static str, Hook)> + '_ {
        EVENTS.into_iter().filter(|(_, hook)| self.hooks.contains(hook))
    }

    fn group(&self, event: &str, hook: Hook) -> Value {
        Value::Object(vec![("hooks", Value::Array(vec![self.handler(event, hook)]))])
    }

    fn handler(&self, event: &str, hook: Hook) -> Value {
        Value::Object(vec![
            ("type", Value::Text("command".into())),
            ("command", Value::Text(self.command(event, hook))),
            ("timeout", Value::Number(TIMEOUT)),
        ])
    }

    fn hooks_value(&self) -> Option<Value> {
        let event = |(event, hook): (&'static str, Hook)| (event, Value::Array(vec![self.group(event, hook)]));
        let events: Vec<_> = self.events().map(event).collect();
        (!events.is_empty()).then_some(Value::Object(events))
    }

    fn statusline_value(&self) -> Option<Value> {
        self.hooks.contains(&Hook::Statusline).then(|| {
            Value::Object(vec![
                ("type", Value::Text("command".into())),
                ("command", Value::Text(self.command("", Hook::Statusline))),
            ])
        })
    }
}

/// A changed file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Edit {
    /// The whole new content; `None`: nothing is left that was not ours, and the file should not exist.
    pub bytes: Option<Vec<u8>>,
    /// What a person should know, one sentence each.
    pub remarks: Vec<String>,
}

/// An entry of ours that was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Installed {
    /// What it runs.
    pub hook: Hook,
    /// The event; empty for the status line.
    pub event: String,
    /// The command as it stands.
    pub command: String,
    /// The line it begins on, from 1.
    pub line: usize,
    /// Whether Claude Code runs it: right form, and not shadowed by a later key of the same name.
    pub runs: bool,
    /// Whether the command does nothing else.
    pub alone: bool,
}

/// What was found in a file.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Inspection {
    /// Entries of ours, in the order of the file.
    pub installed: Vec<Installed>,
    /// `"disableAllHooks": true`: neither hooks nor the status line run.
    pub all_disabled: bool,
    /// `"allowManagedHooksOnly": true`: in a managed file it keeps the user's own hooks from running.
    pub managed_only: bool,
    /// The line of the first comment or trailing comma, for which Claude Code ignores the whole file.
    pub loose: Option<usize>,
    /// Where the hooks are not of the form that Claude Code takes, and nobody can add to them.
    pub misshapen: Option<String>,
}

/// Puts what is wanted into a file; `None` where there is none yet.
pub fn install(bytes: Option<&[u8]>, wanted: &Wanted) -> Result<Edit, Problem> {
    let mut remarks = Vec::new();
    let mut current = bytes.map(<[u8]>::to_vec);
    // Entries in a wrong place go first, so that the additions see the file without them.
    if let Some(bytes) = bytes.filter(|bytes| !is_blank(bytes)) {
        let document = parse_object(bytes)?;
        check_shape(&document)?;
        remarks.extend(warnings(&document));
        let strays = strays(&document, wanted, &mut remarks);
        if !strays.is_empty() {
            current = take_out(&document, &strays);
        }
    }
    let bytes = match current {
        Some(bytes) if !is_blank(&bytes) => add(&parse_object(&bytes)?, wanted, &mut remarks)?.into_bytes(),
        // Three spaces: the mark of a file that was there and blank.
        Some(blank) => {
            let fresh = fresh(wanted);
            let fresh = fresh.trim_end().strip_prefix('{').unwrap_or_default();
            [&blank, b"{   ".as_slice(), fresh.as_bytes()].concat()
        }
        None => fresh(wanted).into_bytes(),
    };
    Ok(Edit { bytes: Some(bytes), remarks })
}

/// Takes hooks of ours out of a file, and gives a chained status line back its own command.
pub fn uninstall(bytes: &[u8], hooks: &[Hook]) -> Result<Edit, Problem> {
    let mut remarks = Vec::new();
    if is_blank(bytes) {
        return Ok(Edit { bytes: Some(bytes.to_vec()), remarks });
    }
    let document = parse_object(bytes)?;
    let mut doomed = Vec::new();
    for entry in entries(&document).into_iter().filter(|entry| hooks.contains(&entry.hook)) {
        if entry.alone {
            doomed.push(entry.doomed());
        } else {
            remarks.push(format!(
                "line {}, {}: left alone, because this command does more than run {}; take it out by hand: {}",
                entry.line,
                entry.event,
                entry.hook.name(),
                entry.command
            ));
        }
    }
    if doomed.is_empty() && !hooks.contains(&Hook::Statusline) {
        return Ok(Edit { bytes: Some(bytes.to_vec()), remarks });
    }
    let restores = if hooks.contains(&Hook::Statusline) { statuslines(&document) } else { Vec::new() };
    if restores.iter().any(|each| each.then.is_some()) {
        remarks.push("the status line that was there before is back".into());
    }
    Ok(Edit { bytes: take_out_all(&document, &doomed, &restores), remarks })
}

/// Looks at a file.
pub fn inspect(bytes: &[u8]) -> Result<Inspection, Problem> {
    if is_blank(bytes) {
        return Ok(Inspection::default());
    }
    let document = parse_object(bytes)?;
    let says_yes = |key| document.get(document.root(), key).is_some_and(|id| document.kind(id) == Kind::True);
    let hooks = entries(&document).into_iter().map(|entry| Installed {
        runs: entry.effective && !entry.is_flat(),
        hook: entry.hook,
        event: entry.event,
        command: entry.command,
        line: entry.line,
        alone: entry.alone,
    });
    let lines = statuslines(&document).into_iter().map(|line| Installed {
        hook: Hook::Statusline,
        event: String::new(),
        command: line.command,
        line: document.position(document.span(line.value).start).0,
        runs: Some(line.value) == document.get(document.root(), "statusLine"),
        alone: true,
    });
    Ok(Inspection {
        installed: hooks.chain(lines).collect(),
        all_disabled: says_yes("disableAllHooks"),
        managed_only: says_yes("allowManagedHooksOnly"),
        loose: document.loose().map(|at| document.position(at).0),
        misshapen: check_shape(&document).err().map(|problem| problem.to_string()),
    })
}

/// Text as one word of the shell, whatever it holds.
pub fn quote(text: &str) -> String {
    words::quote(text)
}

/// The words of a command or of a short script as a shell reads them, quotes taken off, operators left out.
pub fn words(text: &str) -> Vec<String> {
    let tokens = words::split(text).unwrap_or_default();
    tokens.into_iter().filter(|token| !token.operator).map(|token| token.text).collect()
}

/// Whether nothing but white space is there: Claude Code takes such a file as one without settings.
fn is_blank(bytes: &[u8]) -> bool {
    // Of JSON: a form feed is none, and what is put behind one would be no JSON either.
    let white = |byte: &u8| matches!(byte, b' ' | b'\t' | b'\n' | b'\r');
    bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).iter().all(white)
}

fn parse_object(bytes: &[u8]) -> Result<Document<'_>, Problem> {
    let document = jsonc::parse(bytes)?;
    match document.kind(document.root()) {
        Kind::Object => Ok(document),
        kind => Err(document.problem(document.root(), format!("expected an object, found {}", kind.in_words()))),
    }
}

fn check_shape(document: &Document) -> Result<(), Problem> {
    let Some(hooks) = document.get(document.root(), "hooks") else { return Ok(()) };
    expect(document, hooks, Kind::Object, "\"hooks\"")?;
    for event in document.properties(hooks) {
        let name = document.raw(event.key);
        expect(document, event.value, Kind::Array, name)
            .map_err(|problem| Problem { why: format!("{}; {HOOK_FORM}", problem.why), ..problem })?;
    }
    Ok(())
}

/// What Claude Code takes under an event. Up to 2.1.241 it refuses the whole file for any other form.
const HOOK_FORM: &str = r#"Claude Code takes [{"hooks": [{"type": "command", "command": "..."}]}]"#;

fn expect(document: &Document, id: Id, kind: Kind, name: &str) -> Result<(), Problem> {
    let found = document.kind(id);
    if found == kind {
        return Ok(());
    }
    Err(document.problem(id, format!("{name} must be {}, but is {}", kind.in_words(), found.in_words())))
}

fn fresh(wanted: &Wanted) -> String {
    // An unmarked pair of brackets, so that taking everything out again takes the file away.
    match jsonc::parse(b"{}") {
        Ok(document) => {
            let mut surgery = Surgery::new(&document);
            surgery.append(document.root(), &root_items(wanted, true, true));
            surgery.finish().replacen("{ ", "{", 1) + "\n"
        }
        Err(_) => String::new(),
    }
}

fn root_items(wanted: &Wanted, hooks: bool, statusline: bool) -> Vec<Item> {
    let hooks = wanted.hooks_value().filter(|_| hooks).map(|value| (Some("hooks"), value));
    let statusline = wanted.statusline_value().filter(|_| statusline).map(|value| (Some("statusLine"), value));
    hooks.into_iter().chain(statusline).collect()
}

/// A command of ours among the hooks, wherever it was found.
struct Entry {
    hook: Hook,
    event: String,
    command: String,
    alone: bool,
    line: usize,
    /// Neither its event nor `hooks` is followed by another key of the same name.
    effective: bool,
    /// The group has a matcher that lets only some events through.
    limited: bool,
    /// The list of the event.
    list: Id,
    /// The element of that list.
    element: Id,
    /// What holds the command, and the array it is in; of a flat entry the element itself.
    handler: Id,
    handlers: Option<Id>,
    /// The value of `"command"`.
    command_id: Id,
    /// It says nothing that keeps a client from running the command as it stands.
    plain: bool,
}

impl Entry {
    fn is_flat(&self) -> bool {
        self.handlers.is_none()
    }

    fn doomed(&self) -> Doomed {
        Doomed { list: self.list, element: self.element, handlers: self.handlers, handler: self.handler }
    }
}

/// What is to be taken out.
#[derive(Clone, Copy)]
struct Doomed {
    list: Id,
    element: Id,
    handlers: Option<Id>,
    handler: Id,
}

/// All entries of ours, in the order of the file.
fn entries(document: &Document) -> Vec<Entry> {
    let root = document.root();
    let effective_hooks = document.get(root, "hooks");
    let mut found = Vec::new();
    for hooks in document.properties(root).filter(|property| document.is(property.key, "hooks")) {
        for event in document.properties(hooks.value) {
            let Some(name) = document.string(event.key) else { continue };
            let mut of_event = Vec::new();
            for element in document.elements(event.value) {
                let matcher = document.get(element, "matcher").and_then(|id| document.string(id));
                let limited = matcher.is_some_and(|matcher| !matches!(&*matcher, "" | "*" | ".*"));
                let handlers = document.get(element, "hooks").filter(|id| document.kind(*id) == Kind::Array);
                let each = match handlers {
                    Some(handlers) => document.elements(handlers).collect(),
                    None => vec![element],
                };
                for handler in each {
                    let Some((command_id, command)) = command_of(document, handler) else { continue };
                    let arguments = document.get(handler, "args");
                    let Some((hook, alone)) = recognise(&command, &arguments_of(document, arguments)) else { continue };
                    let kind = document.get(handler, "type");
                    of_event.push(Entry {
                        hook,
                        event: name.clone().into_owned(),
                        command: command.into_owned(),
                        alone,
                        line: document.position(document.span(handler).start).0,
                        effective: false,
                        limited,
                        list: event.value,
                        element,
                        handler,
                        handlers,
                        command_id,
                        plain: arguments.is_none() && kind.is_some_and(|kind| document.is(kind, "command")),
                    });
                }
            }
            if !of_event.is_empty() {
                let effective =
                    effective_hooks == Some(hooks.value) && document.get(hooks.value, &name) == Some(event.value);
                found.extend(of_event.into_iter().map(|entry| Entry { effective, ..entry }));
            }
        }
    }
    found
}

fn command_of<'a>(document: &Document<'a>, handler: Id) -> Option<(Id, Cow<'a, str>)> {
    let id = document.get(handler, "command")?;
    Some((id, document.string(id)?))
}

fn arguments_of(document: &Document, arguments: Option<Id>) -> Vec<String> {
    let elements = arguments.into_iter().flat_map(|id| document.elements(id));
    elements.filter_map(|id| document.string(id)).map(Cow::into_owned).collect()
}

/// What is worth a warning, though it is not ours to change.
fn warnings(document: &Document) -> Vec<String> {
    let root = document.root();
    let mut remarks = Vec::new();
    if let Some(at) = document.loose() {
        let line = document.position(at).0;
        remarks.push(format!(
            "line {line}: Claude Code ignores a settings file with comments or trailing commas as a whole, so no hook \
             will run until they are gone"
        ));
    }
    if document.get(root, "disableAllHooks").is_some_and(|id| document.kind(id) == Kind::True) {
        remarks.push("\"disableAllHooks\" is true: no hook and no status line will run until it is taken out".into());
    }
    for event in document.get(root, "hooks").into_iter().flat_map(|hooks| document.properties(hooks)) {
        for element in document.elements(event.value) {
            let flat = document.get(element, "hooks").is_none();
            if let Some((_, command)) = command_of(document, element).filter(|_| flat)
                && recognise(&command, &[]).is_none()
            {
                let line = document.position(document.span(element).start).0;
                remarks.push(format!(
                    "line {line}: another tool's entry under {} lacks the \"hooks\" around it: it never runs, and \
                     Claude Code up to 2.1.241 then ignores the whole file",
                    document.raw(event.key).trim_matches('"')
                ));
            }
        }
    }
    remarks
}

/// Entries of the wanted hooks that an addition would not put right: under an event that is not theirs, behind a
/// matcher, or a second time.
fn strays(document: &Document, wanted: &Wanted, remarks: &mut Vec<String>) -> Vec<Doomed> {
    let mut doomed = Vec::new();
    let mut kept: Vec<&str> = Vec::new();
    let all = entries(document);
    for entry in all.iter().filter(|entry| entry.effective && entry.alone && wanted.hooks.contains(&entry.hook)) {
        let name = entry.hook.name();
        let right_event = EVENTS.iter().any(|(event, hook)| *event == entry.event && *hook == entry.hook);
        let sound = |other: &&Entry| {
            other.effective
                && other.event == entry.event
                && other.hook == entry.hook
                && !other.is_flat()
                && !other.limited
        };
        let remark = if !right_event {
            match (entry.hook, entry.event.as_str()) {
                (Hook::Cleanup, "Stop") => {
                    format!("moved {name} from Stop, which comes after every turn, to SessionEnd")
                }
                (_, event) => format!("took {name} out of {event}, where it does nothing"),
            }
        } else if entry.limited {
            format!(
                "line {}: took {name} under {} out of a matcher that let only some through",
                entry.line, entry.event
            )
        } else if kept.contains(&entry.event.as_str()) {
            format!("line {}: took out a second {name} under {}", entry.line, entry.event)
        } else if entry.is_flat() && all.iter().any(|other| sound(&other)) {
            format!("line {}: took out an entry under {} without \"hooks\" around it", entry.line, entry.event)
        } else {
            kept.push(&entry.event);
            continue;
        };
        remarks.push(remark);
        doomed.push(entry.doomed());
    }
    doomed
}

fn take_out(document: &Document, doomed: &[Doomed]) -> Option<Vec<u8>> {
    take_out_all(document, doomed, &[])
}

/// Takes hooks and status lines out; `None` where the file was made for them alone.
fn take_out_all(document: &Document, doomed: &[Doomed], restores: &[Statusline]) -> Option<Vec<u8>> {
    let root = document.root();
    let mut surgery = Surgery::new(document);
    let mut of_root = Vec::new();
    for hooks in document.properties(root).filter(|property| document.is(property.key, "hooks")) {
        let mut of_hooks = Vec::new();
        for event in document.properties(hooks.value) {
            let mut of_list = Vec::new();
            for element in document.elements(event.value) {
                let here: Vec<&Doomed> =
                    doomed.iter().filter(|each| each.list == event.value && each.element == element).collect();
                let Some(first) = here.first() else { continue };
                let whole = match first.handlers {
                    Some(handlers) if document.elements(handlers).count() > here.len() => {
                        let of_group: Vec<Id> = here.iter().map(|each| each.handler).collect();
                        surgery.remove(handlers, &of_group)
                    }
                    _ => true,
                };
                if whole {
                    of_list.push(element);
                }
            }
            if !of_list.is_empty() && surgery.remove(event.value, &of_list) {
                drop_or_empty(document, &mut surgery, hooks.value, event, &mut of_hooks);
            }
        }
        if !of_hooks.is_empty() && surgery.remove(hooks.value, &of_hooks) {
            drop_or_empty(document, &mut surgery, root, hooks, &mut of_root);
        }
    }
    for line in restores {
        match &line.then {
            Some(raw) => surgery.replace(document.span(line.command_id), raw.clone()),
            None => of_root.push(line.value),
        }
    }
    let text = document.text();
    let span = document.span(root);
    let all_go = !of_root.is_empty() && document.properties(root).all(|property| of_root.contains(&property.value));
    if all_go && surgery.mark(root) == 3 && document.loose().is_none() {
        // The file was blank before us.
        return Some(
            [text.get(..span.start), text.get(span.end..)].map(Option::unwrap_or_default).concat().into_bytes(),
        );
    }
    if !of_root.is_empty() && surgery.remove(root, &of_root) {
        if span.start == 0 && text.get(span.end..) == Some("\n") {
            return None;
        }
        surgery.empty(root);
    }
    Some(surgery.finish().into_bytes())
}

/// Lets a property go, or leaves it empty where an earlier one of the same name would come back to life without it.
fn drop_or_empty(document: &Document, surgery: &mut Surgery, object: Id, property: Property, doomed: &mut Vec<Id>) {
    let name = document.string(property.key).unwrap_or_default();
    let mut same = document.properties(object).filter(|other| document.is(other.key, &name));
    if same.next() == Some(property) {
        doomed.push(property.value);
    } else {
        surgery.empty(property.value);
    }
}

/// Adds what is wanted and missing, and puts right what is there in an older shape.
fn add(document: &Document, wanted: &Wanted, remarks: &mut Vec<String>) -> Result<String, Problem> {
    let root = document.root();
    let mut surgery = Surgery::new(document);
    let hooks = document.get(root, "hooks");
    if let Some(hooks) = hooks {
        let found = entries(document);
        let mut missing: Vec<Item> = Vec::new();
        for (event, hook) in wanted.events() {
            let mut here = found.iter().filter(|entry| entry.effective && entry.event == event && entry.hook == hook);
            if let Some(entry) = here.clone().find(|entry| entry.alone) {
                remarks.extend(put_right(document, &mut surgery, entry, wanted));
            } else if let Some(entry) = here.find(|entry| !entry.is_flat()) {
                remarks.push(format!(
                    "line {}: left alone, because this command under {event} does more than run {}: {}",
                    entry.line,
                    hook.name(),
                    entry.command
                ));
            } else {
                match document.get(hooks, event) {
                    Some(list) => surgery.append(list, &[(None, wanted.group(event, hook))]),
                    None => missing.push((Some(event), Value::Array(vec![wanted.group(event, hook)]))),
                }
            }
        }
        surgery.append(hooks, &missing);
    }
    let line = document.get(root, "statusLine");
    if let (Some(line), true) = (line, wanted.hooks.contains(&Hook::Statusline)) {
        remarks.extend(chain(document, &mut surgery, line, &wanted.command("", Hook::Statusline))?);
    }
    surgery.append(root, &root_items(wanted, hooks.is_none(), line.is_none()));
    Ok(surgery.finish())
}

fn put_right(document: &Document, surgery: &mut Surgery, entry: &Entry, wanted: &Wanted) -> Option<String> {
    let event = entry.event.as_str();
    let command = wanted.command(event, entry.hook);
    if entry.is_flat() {
        surgery.replace_value(entry.element, &wanted.group(event, entry.hook));
        return Some(format!(
            "line {}: repaired the entry under {event}: without \"hooks\" around it, it never ran, and Claude Code up to \
             2.1.241 ignored the whole file",
            entry.line
        ));
    }
    if !entry.plain {
        surgery.replace_value(entry.handler, &wanted.handler(event, entry.hook));
    } else if entry.command != command {
        surgery.replace(document.span(entry.command_id), jsonc::quote(&command));
    } else {
        return None;
    }
    Some(format!("line {}: brought the command under {event} up to date", entry.line))
}

/// A status line of ours.
struct Statusline {
    /// The object.
    value: Id,
    command_id: Id,
    command: String,
    /// The part of the command that says `ait statusline`, in bytes of it.
    ours: Range<usize>,
    /// The command that it chains, as a string of JSON, exactly as it was written before.
    then: Option<String>,
}

fn statuslines(document: &Document) -> Vec<Statusline> {
    let all = document.properties(document.root()).filter(|property| document.is(property.key, "statusLine"));
    all.filter_map(|property| statusline(document, property.value)).collect()
}

fn statusline(document: &Document, value: Id) -> Option<Statusline> {
    let (command_id, command) = command_of(document, value)?;
    let tokens = words::split(&command)?;
    let first = usize::from(tokens.first().is_some_and(|token| token.text == "exec"));
    let [program, verb, rest @ ..] = tokens.get(first..)? else { return None };
    if tokens.iter().any(|token| token.operator) || !is_ait(&program.text) || verb.text != "statusline" {
        return None;
    }
    let then = rest.iter().position(|token| token.text == "--then").and_then(|at| rest.get(at + 1));
    let then = then.map(|word| {
        let raw = inside(document, command_id);
        unquote_raw(raw.get(raw_range(raw, &word.span)).unwrap_or_default())
            .map_or_else(|| jsonc::quote(&word.text), |raw| format!("\"{raw}\""))
    });
    let ours = 0..verb.span.end;
    Some(Statusline { value, command_id, command: command.into_owned(), ours, then })
}

/// Makes a status line ours, with the one that is there chained behind it.
fn chain(document: &Document, surgery: &mut Surgery, line: Id, command: &str) -> Result<Option<String>, Problem> {
    let inner = |text: &str| jsonc::quote(text).trim_matches('"').to_owned();
    if let Some(found) = statusline(document, line) {
        if found.command.get(found.ours.clone()) == Some(command) {
            return Ok(None);
        }
        let raw = inside(document, found.command_id);
        let behind = raw.get(raw_range(raw, &found.ours).end..).unwrap_or_default();
        surgery.replace(document.span(found.command_id), format!("\"{}{behind}\"", inner(command)));
        return Ok(Some("brought the command of the status line up to date".into()));
    }
    let is_command = document.get(line, "type").is_some_and(|kind| document.is(kind, "command"));
    let Some((id, _)) = command_of(document, line).filter(|_| is_command) else {
        return Err(document.problem(
            line,
            "\"statusLine\" is not of the form {\"type\": \"command\", \"command\": \"...\"}, and Claude Code ignores the \
             whole file for that",
        ));
    };
    let quoted = quote_raw(inside(document, id));
    surgery.replace(document.span(id), format!("\"{} --then {quoted}\"", inner(command)));
    Ok(Some("the status line that was there is kept: it follows ours, and uninstall brings it back".into()))
}

/// What stands between the quotes of a string.
fn inside<'a>(document: &Document<'a>, id: Id) -> &'a str {
    document.raw(id).strip_prefix('"').and_then(|raw| raw.strip_suffix('"')).unwrap_or_default()
}

/// The bytes that a part of what a string says has between its quotes.
fn raw_range(raw: &str, said: &Range<usize>) -> Range<usize> {
    let mut length = 0;
    let (mut start, mut end) = (raw.len(), raw.len());
    for (at, character) in jsonc::pieces(raw) {
        if length == said.start {
            start = at;
        }
        if length == said.end {
            end = at;
        }
        length += character.len_utf8();
    }
    start..end
}

/// The characters between the quotes of a string, each as it was written and as it is meant.
fn written_and_meant(raw: &str) -> Vec<(&str, char)> {
    let starts: Vec<(usize, char)> = jsonc::pieces(raw).collect();
    let ends = starts.iter().skip(1).map(|(at, _)| *at).chain([raw.len()]);
    starts.iter().zip(ends).map(|((at, meant), end)| (raw.get(*at..end).unwrap_or_default(), *meant)).collect()
}

/// [`words::quote`] for text that stays in its JSON escapes, so that it comes back as it was written.
fn quote_raw(raw: &str) -> String {
    let quoted = written_and_meant(raw).into_iter().map(|(written, meant)| match meant {
        '\'' => format!("'\\\\{written}'"),
        _ => written.to_owned(),
    });
    format!("'{}'", quoted.collect::<String>())
}

/// Undoes [`quote_raw`]; `None` where the word was not written by it.
fn unquote_raw(raw: &str) -> Option<String> {
    let pieces = written_and_meant(raw);
    let [("'", _), inner @ .., ("'", _)] = pieces.as_slice() else { return None };
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

/// Which hook of ours a command runs, and whether it does nothing else.
fn recognise(command: &str, arguments: &[String]) -> Option<(Hook, bool)> {
    if !command.contains("session-") && !arguments.iter().any(|argument| argument.starts_with("session-")) {
        return None;
    }
    let mut tokens = words::split(command)?;
    let argument = |text: &String| Token { text: text.clone(), operator: false, span: 0..0 };
    tokens.extend(arguments.iter().map(argument));
    let tokens: Vec<(&str, bool)> = tokens.iter().map(|token| (token.text.as_str(), token.operator)).collect();
    let bare = bare(&tokens);
    if bare.iter().all(|(_, operator)| !operator)
        && let Some(hook) = called_at(bare)
    {
        return Some((hook, true));
    }
    (0..tokens.len()).find_map(|at| called_at(tokens.get(at..)?)).map(|hook| (hook, false))
}

/// The hook that the first words call.
fn called_at(tokens: &[(&str, bool)]) -> Option<Hook> {
    if let [(program, false), ("hook", false), (name, false), ..] = tokens
        && is_ait(program)
    {
        return Hook::named(name).filter(|hook| hook.script().is_some());
    }
    let (word, _) = tokens.first().filter(|(_, operator)| !operator)?;
    // A project's or a plug-in's script is its own, whatever its name.
    if word.contains("CLAUDE_PROJECT_DIR") || word.contains("CLAUDE_PLUGIN_ROOT") {
        return None;
    }
    let (folder, name) = word.rsplit_once('/')?;
    if folder != "hooks" && !folder.ends_with("/hooks") {
        return None;
    }
    Hook::ALL.into_iter().find(|hook| hook.script() == Some(name))
}

/// Takes off what says only how to run a command, not what: a test whether it exists, `exec`, a shell in front of a
/// script, redirections, `|| true`.
fn bare<'a>(mut tokens: &'a [(&'a str, bool)]) -> &'a [(&'a str, bool)] {
    loop {
        tokens = match tokens {
            [("[", false), ("!", false), (_, false), (_, false), ("]", false), ("||", true), rest @ ..]
            | [("test", false), ("!", false), (_, false), (_, false), ("||", true), rest @ ..]
            | [("[", false), (_, false), (_, false), ("]", false), ("&&", true), rest @ ..]
            | [("test", false), (_, false), (_, false), ("&&", true), rest @ ..]
            | [("exec", false), rest @ ..]
            | [rest @ .., (">" | ">>" | ">&" | "<", true), (_, false)]
            | [rest @ .., ("||" | ";", true), ("true" | ":", false)]
            | [rest @ .., ("||" | ";", true), ("exit", false), ("0", false)]
            | [rest @ .., (";" | "&" | "\n", true)] => rest,
            [(shell, false), (script, false), ..]
                if matches!(shell.rsplit('/').next(), Some("sh" | "bash" | "dash" | "zsh"))
                    && !script.starts_with('-') =>
            {
                tokens.get(1..).unwrap_or_default()
            }
            _ => return tokens,
        }
    }
}

fn is_ait(program: &str) -> bool {
    let name = program.rsplit('/').next().unwrap_or_default();
    name == "ait" || name.starts_with("ait-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_ours() {
        use Hook::{Cleanup, Register};
        for (command, expected) in [
            ("~/.claude/hooks/session-register.sh", Some((Register, true))),
            ("\"$HOME/.claude/hooks/session-cleanup.sh\" --verbose", Some((Cleanup, true))),
            ("bash '/home/a b/.claude/hooks/session-cleanup.sh' >/dev/null 2>&1 || true", Some((Cleanup, true))),
            ("[ ! -x '/a b/ait' ] || exec '/a b/ait' hook session-register", Some((Register, true))),
            ("[ -x ~/bin/ait ] && ~/bin/ait hook session-register; exit 0", Some((Register, true))),
            ("ait hook session-cleanup &", Some((Cleanup, true))),
            ("ait hook session-register && notify-send hi", Some((Register, false))),
            ("echo x | ~/.claude/hooks/session-register.sh", Some((Register, false))),
            ("/opt/other/session-register.sh", None),
            ("~/.claude/hooks/my-session-register.sh", None),
            ("$CLAUDE_PROJECT_DIR/.claude/hooks/session-register.sh", None),
            ("other hook session-register", None),
            ("ait hook session-something", None),
            ("echo 'unclosed ~/.claude/hooks/session-register.sh", None),
            ("", None),
        ] {
            assert_eq!(recognise(command, &[]), expected, "{command}");
        }
        let arguments = ["hook", "session-register"].map(String::from);
        assert_eq!(recognise("/usr/bin/ait", &arguments), Some((Register, true)));
    }

    #[test]
    fn raw_quoting_keeps_escapes() {
        for raw in ["", "a b", "it's", r#"it\u0027s \u00e9 \"x\" \\ \/"#, "''", r"'\\''"] {
            let quoted = quote_raw(raw);
            assert_eq!(unquote_raw(&quoted).as_deref(), Some(raw), "{quoted}");
            let said: String = jsonc::pieces(raw).map(|(_, said)| said).collect();
            let said_quoted: String = jsonc::pieces(&quoted).map(|(_, said)| said).collect();
            assert_eq!(said_quoted, words::quote(&said));
        }
        assert_eq!(unquote_raw("abc"), None);
    }
}
