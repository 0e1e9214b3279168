//! Other people's settings files: what `ait hooks install` and `uninstall` do to a folder of hand-made ones, and to as
//! many generated ones as are asked for (`AIT_TEST_ROUNDS`).
use std::cell::Cell;
use std::path::{Path, PathBuf};

use proptest::prelude::*;
use proptest::test_runner::TestRunner;

use ait::claude::client::Version;
use ait::claude::settings::{self, EVENTS, Hook, TOOLS, Wanted};

fn wanted(hooks: &[Hook]) -> Wanted {
    Wanted {
        hooks: hooks.to_vec(),
        ait: "/home/me/it's $HOME \"here\"/ait".into(),
        scripts: "~/.claude/hooks".into(),
        client: None,
    }
}

const USUAL: [Hook; 2] = [Hook::Register, Hook::Cleanup];

const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

fn install(bytes: &[u8], hooks: &[Hook]) -> Vec<u8> {
    settings::install(Some(bytes), &wanted(hooks)).unwrap().bytes.unwrap()
}

/// Uninstalls with no copies of what was there before.
fn take_out(bytes: &[u8], hooks: &[Hook]) -> Option<Vec<u8>> {
    settings::uninstall(bytes, hooks, &wanted(hooks), &[]).unwrap().bytes
}

/// Uninstalls with copies, the newest first.
fn uninstall(bytes: &[u8], hooks: &[Hook], copies: &[Vec<u8>]) -> Option<Vec<u8>> {
    settings::uninstall(bytes, hooks, &wanted(hooks), copies).unwrap().bytes
}

fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The text without white space and commas, and without events and hooks that are empty: after an uninstallation without
/// copies, an empty container that was there is not told from one that became empty.
fn dense(bytes: &[u8]) -> String {
    let mut text = plain(bytes);
    while let Some((at, empty)) = empties().find_map(|empty| Some((text.find(&empty)?, empty))) {
        text.replace_range(at..at + empty.len(), "");
    }
    // The outermost object.
    if text == "{}" { String::new() } else { text }
}

fn plain(bytes: &[u8]) -> String {
    let text = show(bytes).split_ascii_whitespace().collect::<String>().replace("\\u006f", "o");
    text.trim_start_matches('\u{feff}').replace(',', "")
}

/// Events and hooks that are empty.
fn empties() -> impl Iterator<Item = String> {
    let keys = EVENTS.iter().map(|each| each.event).chain(["hooks", "Foo"]);
    keys.flat_map(|key| ["[]", "{}", "null"].map(|value| format!("\"{key}\":{value}")))
}

/// Whether the file has containers that an installation fills and an uninstallation cannot know to have been there.
fn has_empty_hooks(bytes: &[u8]) -> bool {
    let plain = plain(bytes);
    let empty_root = plain.is_empty() || plain.ends_with("{}");
    // A comment may stand anywhere in between.
    let commented = plain.contains('/') && ["{}", "[]"].iter().any(|empty| plain.contains(empty));
    empty_root || commented || empties().any(|empty| plain.contains(&empty))
}

fn corpus(folder: &str) -> Vec<(String, Vec<u8>)> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/settings").join(folder);
    let mut paths: Vec<PathBuf> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.retain(|path| path.extension().is_some_and(|extension| extension == "json"));
    paths.sort();
    paths
        .into_iter()
        .map(|path| (path.file_name().unwrap().to_str().unwrap().to_owned(), std::fs::read(&path).unwrap()))
        .collect()
}

/// Whether `whole` is `part` with insertions only: nothing that was there is gone, changed or moved.
fn only_adds(part: &[u8], whole: &[u8]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|byte| rest.any(|other| other == byte))
}

/// What must hold of every file after an installation.
fn check_installed(name: &str, before: &[u8], hooks: &[Hook]) -> Vec<u8> {
    let after = install(before, hooks);
    assert_eq!(show(&install(&after, hooks)), show(&after), "{name}: a second install changes something");
    let found = settings::inspect(&after).unwrap_or_else(|problem| panic!("{name}: {problem}:\n{}", show(&after)));
    for each in wanted(hooks).events() {
        let (event, hook) = (each.event, each.hook);
        let running: Vec<_> =
            found.installed.iter().filter(|entry| entry.runs && entry.hook == hook && entry.event == event).collect();
        assert!(running.len() == 1 || running.iter().any(|entry| !entry.alone), "{name}: {event}: {running:?}");
        let right = |command: &str, matcher: Option<&str>| {
            command == wanted(hooks).command(event, hook) && matcher == each.matcher
        };
        assert!(
            running.iter().any(|entry| !entry.alone || right(&entry.command, entry.matcher.as_deref())),
            "{name}: {event}: {running:?}"
        );
    }
    if hooks.contains(&Hook::Statusline) {
        assert!(found.installed.iter().any(|entry| entry.hook == Hook::Statusline && entry.runs), "{name}");
    }
    if serde_json::from_slice::<serde_json::Value>(before.strip_prefix(b"\xef\xbb\xbf").unwrap_or(before)).is_ok() {
        let after = after.strip_prefix(b"\xef\xbb\xbf").unwrap_or(&after);
        serde_json::from_slice::<serde_json::Value>(after)
            .unwrap_or_else(|error| panic!("{name}: no longer strict JSON: {error}\n{}", show(after)));
    }
    after
}

/// What must hold of a file in which nothing is ours.
fn check_foreign(name: &str, before: &[u8]) {
    for hooks in [&USUAL[..], &[Hook::Register], &[Hook::Cleanup], &[Hook::Statusline], &Hook::ALL] {
        let after = check_installed(name, before, hooks);
        // `"hooks": null` is replaced.
        assert!(show(before).contains("null") || only_adds(before, &after), "{name}: lost:\n{}", show(&after));
        check_taken_back(name, before, &after);
    }
    assert_eq!(take_out(before, &Hook::ALL).as_deref().map(show), Some(show(before)), "{name}");
    // One after the other, taken back in another order.
    for (index, there) in ORDERS.into_iter().enumerate() {
        check_order(name, before, there, ORDERS[(5 * index + 2) % ORDERS.len()]);
    }
}

/// The file comes back byte for byte while it is what was installed; once somebody changed it, their change stays, and so
/// does everything else that is not ours.
fn check_taken_back(name: &str, before: &[u8], after: &[u8]) {
    let copies = [after.to_vec(), before.to_vec()];
    let back = uninstall(after, &Hook::ALL, &copies);
    let installed = format!("{name}: installed it was\n{}", show(after));
    assert_eq!(back.as_deref().map(show), Some(show(before)), "{installed}");

    let left = take_out(after, &Hook::ALL).unwrap_or_default();
    assert!(only_adds(&left, after), "{installed}\nleft is\n{}", show(&left));
    check_left(&installed, before, &left);

    let change = b"\n// somebody's change\n";
    let changed = [after, change].concat();
    let back = uninstall(&changed, &Hook::ALL, &copies).unwrap();
    let rest = back.strip_suffix(change).unwrap_or_else(|| panic!("{installed}\nthe change is gone:\n{}", show(&back)));
    check_left(&installed, before, rest);
}

/// What is left after an uninstallation that only has the file itself to go by.
#[track_caller]
fn check_left(installed: &str, before: &[u8], left: &[u8]) {
    if has_empty_hooks(before) {
        settings::inspect(left).unwrap_or_else(|problem| panic!("{installed}: {problem}:\n{}", show(left)));
        assert_eq!(dense(left), dense(before), "{installed}");
    } else {
        assert_eq!(show(left), show(before), "{installed}");
    }
}

fn check_order(name: &str, before: &[u8], there: [usize; 3], back: [usize; 3]) {
    let mut copies: Vec<Vec<u8>> = Vec::new();
    let mut bytes = before.to_vec();
    for index in there {
        let after = check_installed(name, &bytes, &[Hook::ALL[index]]);
        copies.insert(0, std::mem::replace(&mut bytes, after));
    }
    let full = bytes.clone();
    for index in back {
        let after = uninstall(&bytes, &[Hook::ALL[index]], &copies).unwrap_or_default();
        copies.insert(0, std::mem::replace(&mut bytes, after));
    }
    check_left(&format!("{name}: {there:?} then back {back:?}; in between\n{}", show(&full)), before, &bytes);
}

fn check_ours(name: &str, before: &[u8]) {
    let clean = take_out(before, &Hook::ALL);
    for hooks in [&USUAL[..], &Hook::ALL] {
        let after = check_installed(name, before, hooks);
        // White space around what was ours may end up on either side, and a file of ours alone may go.
        let left = take_out(&after, &Hook::ALL).unwrap_or_else(|| b"{}".to_vec());
        let clean = clean.as_deref().unwrap_or(b"{}");
        // A group that a comment keeps from going keeps the matcher that we gave it.
        let left = dense(&left).replace(&format!("\"matcher\":\"{TOOLS}\""), "");
        assert_eq!(left, dense(clean), "{name}: installed it was\n{}", show(&after));
    }
    if let Some(clean) = clean {
        let left = settings::inspect(&clean);
        let left = left.unwrap_or_else(|problem| panic!("{name}: {problem}:\n{}\nof\n{}", show(&clean), show(before)));
        let left = left.installed;
        assert!(left.iter().all(|entry| !entry.alone), "{name}: {left:?}");
        assert_eq!(take_out(&clean, &Hook::ALL).as_deref().map(show), Some(show(&clean)), "{name}");
    }
}

#[test]
fn files_without_ours_come_back() {
    let files = corpus("foreign");
    for (name, bytes) in &files {
        assert!(settings::inspect(bytes).unwrap().installed.iter().all(|entry| !entry.alone), "{name}");
        check_foreign(name, bytes);
    }
}

#[test]
fn files_with_ours_in_an_older_shape_are_put_right() {
    for (name, bytes) in corpus("ours") {
        assert!(settings::inspect(&bytes).unwrap().installed.iter().any(|entry| entry.alone), "{name}");
        check_ours(&name, &bytes);
    }
}

#[test]
fn files_that_do_not_fit_are_refused() {
    for (name, bytes) in corpus("refused") {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/settings/refused").join(&name);
        let said = std::fs::read_to_string(path.with_extension("problem")).unwrap();
        let problem = settings::install(Some(&bytes), &wanted(&Hook::ALL)).unwrap_err();
        assert_eq!(problem.to_string(), said.trim_end(), "{name}");
    }
}

#[test]
fn corpus_is_large_enough() {
    let count = ["foreign", "ours", "refused"].map(|folder| corpus(folder).len()).iter().sum::<usize>();
    assert!(count >= 60, "{count}");
}

#[test]
fn no_file_comes_and_goes() {
    for hooks in [&USUAL[..], &[Hook::Statusline], &Hook::ALL] {
        let made = settings::install(None, &wanted(hooks)).unwrap().bytes.unwrap();
        serde_json::from_slice::<serde_json::Value>(&made).unwrap();
        check_installed("new", &made, hooks);
        assert_eq!(uninstall(&made, &Hook::ALL, &[]), None);
    }
    let made = settings::install(None, &wanted(&USUAL)).unwrap().bytes.unwrap();
    assert!(show(&made).starts_with("{\n  \"hooks\": {\n    \"SessionStart\": [\n      {\n"), "{}", show(&made));
    assert!(show(&made).ends_with("  }\n}\n"), "{}", show(&made));
}

#[test]
fn a_large_file_comes_back() {
    let many: Vec<String> = (0..200_000).map(|n| format!("    \"Bash(command number {n} of many:*)\"")).collect();
    let file = format!("{{\n  \"permissions\": {{\n   \"allow\": [\n{}\n    ]\n  }}\n}}\n", many.join(",\n"));
    let after = install(file.as_bytes(), &Hook::ALL);
    assert_eq!(take_out(&after, &Hook::ALL).unwrap(), file.as_bytes());
}

/// Comments of others stay, wherever they stand next to an entry that goes.
#[test]
fn comments_next_to_an_entry_stay_when_it_is_taken_out() {
    let ours = r#"{"hooks": [{"type": "command", "command": "ait hook session-register"}]}"#;
    let theirs = r#"{"hooks": [{"type": "command", "command": "bell"}]}"#;
    for (before, after) in [
        (format!("[/* a */ {ours} /* b */]"), "[/* a */ /* b */]".to_owned()),
        (format!("[\n// a\n{ours} // b\n]"), "[\n// a\n // b\n]".to_owned()),
        (format!("[{theirs}, // a\n{ours} // b\n]"), format!("[{theirs} // a\n // b\n]")),
        (format!("[{theirs}, {ours} // b\n]"), format!("[{theirs} // b\n]")),
        (format!("[\n  {ours}, // b\n  {theirs}\n]"), format!("[ // b\n  {theirs}\n]")),
        (format!("[{ours} /* a */ , {theirs}]"), format!("[/* a */  {theirs}]")),
    ] {
        let file = |list: &str| format!("{{\"hooks\": {{\"Stop\": {list}}}}}");
        let left = take_out(file(&before).as_bytes(), &Hook::ALL).unwrap();
        assert_eq!(show(&left), file(&after), "{before}");
    }
}

/// The matcher of the tools that tell something is anchored: a client takes it as a regular expression.
#[test]
fn tool_events_are_registered_for_the_tools_that_tell_something() {
    let made = settings::install(None, &wanted(&USUAL)).unwrap().bytes.unwrap();
    let made: serde_json::Value = serde_json::from_slice(&made).unwrap();
    for (event, groups) in made["hooks"].as_object().unwrap() {
        let is_of_tools = matches!(event.as_str(), "PreToolUse" | "PostToolUse");
        assert_eq!(groups[0]["matcher"], if is_of_tools { TOOLS.into() } else { serde_json::Value::Null }, "{event}");
    }
    let names = TOOLS.strip_prefix("^(").unwrap().strip_suffix(")$").unwrap();
    for tool in ["Write", "Edit", "MultiEdit", "NotebookEdit", "Bash", "AskUserQuestion", "ExitPlanMode", "mcp__.*"] {
        assert!(names.split('|').any(|name| name == tool), "{tool}");
    }
    for tool in ["Read", "Grep", "Glob", "WebFetch", "WebSearch", "TodoWrite", "Skill"] {
        assert!(names.split('|').all(|name| name != tool), "{tool}");
    }
}

#[test]
fn an_entry_without_matcher_or_with_an_older_one_is_brought_up_to_date_in_place() {
    let command = wanted(&USUAL).command("PreToolUse", Hook::Register);
    let command = serde_json::Value::from(command).to_string();
    let handler = format!("{{\"type\": \"command\", \"command\": {command}, \"timeout\": 5}}");
    let theirs = "{\"type\": \"command\", \"command\": \"bell\"}";
    let right = format!("{{\"matcher\": \"{TOOLS}\", \"hooks\": [{handler}]}}");
    for (before, after) in [
        (format!("{{\"hooks\": [{handler}]}}"), right.clone()),
        (format!("{{\"matcher\": \"Write|Edit\", \"hooks\": [{handler}]}}"), right.clone()),
        (format!("{{\"matcher\": \"\", \"hooks\": [{handler}]}}"), right.clone()),
        // Somebody else's command in the same group keeps its matcher.
        (
            format!("{{\"matcher\": \"Bash\", \"hooks\": [{theirs}, {handler}]}}"),
            format!("{{\"matcher\": \"Bash\", \"hooks\": [{theirs}]}}, {right}"),
        ),
        (format!("{{\"hooks\": [{handler}, {theirs}]}}"), format!("{{\"hooks\": [{theirs}]}}, {right}")),
    ] {
        let file = |group: &str| format!("{{\"hooks\": {{\"PreToolUse\": [{group}]}}}}");
        let changed = install(file(&before).as_bytes(), &[Hook::Register]);
        let list = show(&changed).split_once("\"PreToolUse\": ").unwrap().1.to_owned();
        assert!(list.starts_with(&format!("[{after}]")), "{before}:\n{list}");
        assert_eq!(show(&install(&changed, &[Hook::Register])), show(&changed));
    }
}

#[test]
fn the_manual_installation_of_the_readme_runs_for_every_event_and_is_recognised() {
    let readme = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("README.md")).unwrap();
    let example = readme.split("```json\n").map(|block| block.split("```").next().unwrap());
    let example = example.into_iter().find(|block| block.contains("SessionStart")).unwrap();
    let found = settings::inspect(example.as_bytes()).unwrap();
    assert_eq!((found.loose, &found.misshapen), (None, &None));
    for each in wanted(&USUAL).events() {
        let entry = found.installed.iter().find(|entry| entry.event == each.event && entry.hook == each.hook).unwrap();
        assert!(entry.runs && entry.alone && entry.matcher.as_deref() == each.matcher, "{entry:?}");
    }
    assert_eq!(take_out(example.as_bytes(), &Hook::ALL).as_deref().map(show), Some("{}\n".to_owned()));
}

/// Older clients show a dialog for a name that they do not know, or refuse the whole file.
#[test]
fn events_of_failures_are_registered_only_if_the_client_is_known_to_accept_them() {
    let with = |client: Option<Version>, bytes: Option<&[u8]>| {
        let wanted = Wanted { client, ..wanted(&USUAL) };
        settings::install(bytes, &wanted).unwrap().bytes.unwrap()
    };
    let has = |bytes: &[u8]| {
        let both = ["\"StopFailure\"", "\"PostToolUseFailure\""].map(|event| show(bytes).contains(event));
        assert_eq!(both[0], both[1], "{}", show(bytes));
        both[0]
    };
    let new = with(Some(Version(2, 1, 332)), None);
    assert!(has(&new));
    for client in [None, Some(Version(2, 0, 62)), Some(Version(2, 1, 113))] {
        assert!(!has(&with(client, None)), "{client:?}");
    }
    assert!(has(&with(None, Some(&new))), "an unknown client is no reason to take it out");
    assert!(!has(&with(Some(Version(2, 0, 62)), Some(&new))), "a client that is known to be older is");
}

/// `ait statusline` accepts one `--then`: such a line was written by hand.
#[test]
fn a_status_line_with_two_commands_to_wrap_is_installed_once() {
    let line = "/old/ait statusline --then 'a' --then 'b'";
    let file = format!("{{\"statusLine\": {{\"type\": \"command\", \"command\": \"{line}\"}}}}");
    let once = install(file.as_bytes(), &Hook::ALL);
    assert!(show(&once).contains("ait_wrapped='b'; "), "{}", show(&once));
    assert_eq!(show(&install(&once, &Hook::ALL)), show(&once));
}

/// The choices of a generated file, made by proptest, which finds a small file for each failure. The first one when they
/// are used up.
struct Choices(std::vec::IntoIter<u16>);

impl Choices {
    fn below(&mut self, limit: usize) -> usize {
        usize::from(self.0.next().unwrap_or(0)) % limit
    }

    fn one_in(&mut self, odds: usize) -> bool {
        self.below(odds) == 0
    }

    fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())]
    }
}

/// How a generated file is laid out.
struct Layout {
    indent: &'static str,
    line_end: &'static str,
    after_colon: &'static str,
    after_comma: &'static str,
    one_line: bool,
    /// White space where nobody would put it.
    wild: bool,
    comments: bool,
    commas: bool,
}

/// Writes a settings file of somebody who has tools, habits and accidents.
struct Writer {
    choices: Choices,
    layout: Layout,
    out: String,
    /// Puts in entries of ours in every shape.
    ours: bool,
}

const THEIRS: [&str; 5] = [
    r#""peer start""#,
    r#""it's \"quoted\" \\ \u0027x\u0027 \/""#,
    r#""caf\u00e9 \ud83d\ude00 日本""#,
    r#""""#,
    r#""~/bin/x && echo 'a b' | tee 'c""#,
];
const OURS: [&str; 6] = [
    r#""~/.claude/hooks/session-register.sh""#,
    r#""bash \"$HOME/.claude/hooks/session-cleanup.sh\" || true""#,
    r#""/old/ait hook session-register""#,
    r#""[ ! -x '/o ld/ait' ] || exec '/o ld/ait' hook session-cleanup""#,
    r#""\u007e/.claude/hooks/session-cleanup.sh -v""#,
    r#""ait hook session-register >/dev/null 2>&1""#,
];

impl Writer {
    fn new(mut choices: Choices) -> Writer {
        let loose = choices.one_in(2);
        let layout = Layout {
            indent: choices.pick(&["  ", "    ", "\t", " ", ""]),
            line_end: choices.pick(&["\n", "\n", "\r\n"]),
            after_colon: choices.pick(&[" ", " ", ""]),
            after_comma: choices.pick(&[" ", ""]),
            one_line: choices.one_in(4),
            wild: choices.one_in(4),
            comments: loose && choices.one_in(2),
            commas: loose && choices.one_in(2),
        };
        let ours = choices.one_in(3);
        Writer { choices, layout, out: String::new(), ours }
    }

    fn file(mut self) -> Vec<u8> {
        if self.choices.one_in(8) {
            self.out.push('\u{feff}');
        }
        if self.choices.one_in(10) {
            let end = self.layout.line_end;
            self.out.push_str(end);
        }
        self.gap();
        self.root();
        self.gap();
        for _ in 0..self.choices.below(3) {
            let end = self.layout.line_end;
            self.out.push_str(end);
        }
        self.out.into_bytes()
    }

    /// What may stand between any two things.
    fn gap(&mut self) {
        if self.layout.wild && self.choices.one_in(3) {
            let space = self.choices.pick(&[" ", "  ", "   ", "\t", "\n", "\r\n", "\r", "\n\n  "]);
            self.out.push_str(space);
        }
        if self.layout.comments && self.choices.one_in(12) {
            let comment = self.choices.pick(&[
                " /* c */",
                "/**/",
                " // c, \"d\": [{\n",
                "// }\r\n",
                "/* a\n b */",
                " // x\n // y\n\n",
            ]);
            self.out.push_str(comment);
        }
    }

    fn new_line(&mut self, depth: usize) {
        if !self.layout.one_line {
            self.out.push_str(self.layout.line_end);
            for _ in 0..depth {
                self.out.push_str(self.layout.indent);
            }
        }
    }

    fn list(&mut self, brackets: (char, char), depth: usize, count: usize, mut item: impl FnMut(&mut Self, usize)) {
        self.out.push(brackets.0);
        // Now and then on one line within many.
        let one_line = self.layout.one_line;
        self.layout.one_line |= self.choices.one_in(6);
        let marks = self.choices.one_in(10);
        if marks {
            let spaces = self.choices.pick(&[" ", "  ", "   "]);
            self.out.push_str(spaces);
        }
        for index in 0..count {
            if index > 0 {
                self.gap();
                self.out.push(',');
                if self.layout.one_line {
                    self.out.push_str(self.layout.after_comma);
                }
            }
            self.gap();
            self.new_line(depth + 1);
            self.gap();
            item(self, index);
        }
        self.gap();
        if count > 0 && self.layout.commas && self.choices.one_in(3) {
            self.out.push(',');
            self.gap();
        }
        if count > 0 || self.choices.one_in(5) {
            self.new_line(depth);
        }
        self.gap();
        self.out.push(brackets.1);
        self.layout.one_line = one_line;
    }

    fn key(&mut self, key: &str) {
        self.out.push_str(key);
        self.gap();
        self.out.push(':');
        self.out.push_str(self.layout.after_colon);
        self.gap();
    }

    fn root(&mut self) {
        let count = self.choices.pick(&[0, 1, 1, 2, 3, 4]);
        let mut has_line = false;
        self.list(('{', '}'), 0, count, |this, _| match this.choices.below(5) {
            0 | 1 => {
                let key = this.choices.pick(&["\"hooks\"", "\"hooks\"", "\"h\\u006foks\""]);
                this.key(key);
                this.hooks();
            }
            2 if !has_line => {
                has_line = true;
                this.key("\"statusLine\"");
                this.status_line();
            }
            _ => {
                let key = this.choices.pick(&["\"model\"", "\"x\"", "\"日本\"", "\"permissions\""]);
                this.key(key);
                this.anything(1);
            }
        });
    }

    fn hooks(&mut self) {
        let count = self.choices.below(5);
        self.list(('{', '}'), 1, count, |this, _| {
            let names = ["\"Stop\"", "\"Stop\"", "\"SessionStart\"", "\"SessionEnd\"", "\"PreToolUse\"", "\"Foo\""];
            let name = this.choices.pick(&names);
            this.key(name);
            let count = this.choices.below(4);
            this.list(('[', ']'), 2, count, |this, _| this.group());
        });
    }

    fn group(&mut self) {
        match self.choices.below(12) {
            0 => self.anything(3),
            1 => self.handler(3),
            _ => {
                let matcher = self.choices.one_in(3);
                let count = 1 + usize::from(matcher);
                self.list(('{', '}'), 3, count, |this, index| {
                    if matcher && index == 0 {
                        this.key("\"matcher\"");
                        let matcher = this.choices.pick(&["\"\"", "\"*\"", "\"Bash\""]);
                        this.out.push_str(matcher);
                        return;
                    }
                    this.key("\"hooks\"");
                    let count = this.choices.below(3);
                    this.list(('[', ']'), 4, count, |this, _| this.handler(5));
                });
            }
        }
    }

    fn handler(&mut self, depth: usize) {
        let swapped = self.choices.one_in(3);
        let count = 2 + self.choices.below(2);
        self.list(('{', '}'), depth, count, |this, index| match (index, swapped) {
            (0, false) | (1, true) => {
                this.key("\"type\"");
                this.out.push_str("\"command\"");
            }
            (0 | 1, _) => {
                this.key("\"command\"");
                let command = if this.ours && this.choices.one_in(2) {
                    this.choices.pick(&OURS)
                } else {
                    this.choices.pick(&THEIRS)
                };
                this.out.push_str(command);
            }
            _ => {
                this.key("\"timeout\"");
                this.out.push_str("10");
            }
        });
    }

    fn status_line(&mut self) {
        let count = 2 + self.choices.below(2);
        self.list(('{', '}'), 1, count, |this, index| match index {
            0 => {
                this.key("\"type\"");
                this.out.push_str("\"command\"");
            }
            1 => {
                this.key("\"command\"");
                let command = if this.ours && this.choices.one_in(2) {
                    this.choices.pick(&[
                        "\"/old/ait statusline\"",
                        "\"ait statusline --then 'a\\\\''b'\"",
                        "\"ait statusline --then a\\\\ b\"",
                    ])
                } else {
                    this.choices.pick(&THEIRS)
                };
                this.out.push_str(command);
            }
            _ => {
                this.key("\"padding\"");
                this.out.push('0');
            }
        });
    }

    fn anything(&mut self, depth: usize) {
        match self.choices.below(if depth > 6 { 4 } else { 6 }) {
            0 => self.out.push_str("null"),
            1 => self.out.push_str("-1.5e3"),
            2 => self.out.push_str("true"),
            3 => self.out.push_str("\"// no \\\" /* comment\""),
            4 => {
                let count = self.choices.below(3);
                self.list(('[', ']'), depth, count, |this, _| this.anything(depth + 1));
            }
            _ => {
                let count = self.choices.below(3);
                self.list(('{', '}'), depth, count, |this, index| {
                    this.key(["\"a\"", "\"command\"", "\"c\""][index]);
                    this.anything(depth + 1);
                });
            }
        }
    }
}

#[test]
fn generated_settings_come_back_and_keep_what_is_not_ours() {
    let rounds = std::env::var("AIT_TEST_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(300);
    let config = ProptestConfig { cases: rounds, failure_persistence: None, ..ProptestConfig::default() };
    let (foreign, ours) = (Cell::new(0), Cell::new(0));
    let inputs = (prop::collection::vec(any::<u16>(), 0..800), 0..ORDERS.len(), 0..ORDERS.len());
    TestRunner::new(config)
        .run(&inputs, |(choices, first, second)| {
            let bytes = Writer::new(Choices(choices.into_iter())).file();
            let found = settings::inspect(&bytes).unwrap_or_else(|problem| panic!("{problem}\n{}", show(&bytes)));
            if found.installed.iter().any(|entry| entry.alone) {
                ours.set(ours.get() + 1);
                check_ours("generated", &bytes);
            } else {
                foreign.set(foreign.get() + 1);
                for hooks in [&USUAL[..], &Hook::ALL] {
                    let after = check_installed("generated", &bytes, hooks);
                    assert!(only_adds(&bytes, &after), "something of others is gone:\n{}", show(&after));
                    check_taken_back("generated", &bytes, &after);
                }
                check_order("generated", &bytes, ORDERS[first], ORDERS[second]);
            }
            Ok(())
        })
        .unwrap();
    // Both kinds are met often enough to mean something.
    let (foreign, ours) = (foreign.get(), ours.get());
    assert!(foreign * 10 > rounds && ours * 10 > rounds, "{foreign} without ours, {ours} with");
}
