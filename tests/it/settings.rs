//! Other people's settings files: what `ait hooks install` and `uninstall` do to a folder of hand-made ones, and to as
//! many generated ones as are asked for (`AIT_TEST_ROUNDS`).
use std::path::{Path, PathBuf};

use ait::claude::settings::{self, EVENTS, Hook, Wanted};

fn wanted(hooks: &[Hook]) -> Wanted {
    Wanted { hooks: hooks.to_vec(), ait: "/home/me/it's $HOME \"here\"/ait".into(), scripts: "~/.claude/hooks".into() }
}

const USUAL: [Hook; 2] = [Hook::Register, Hook::Cleanup];

const ORDERS: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];

fn install(bytes: &[u8], hooks: &[Hook]) -> Vec<u8> {
    settings::install(Some(bytes), &wanted(hooks)).unwrap().bytes.unwrap()
}

fn uninstall(bytes: &[u8], hooks: &[Hook]) -> Option<Vec<u8>> {
    settings::uninstall(bytes, hooks).unwrap().bytes
}

fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fn dense(bytes: &[u8]) -> String {
    show(bytes).split_ascii_whitespace().collect()
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
    for (event, hook) in EVENTS.into_iter().filter(|(_, hook)| hooks.contains(hook)) {
        let running: Vec<_> =
            found.installed.iter().filter(|entry| entry.runs && entry.hook == hook && entry.event == event).collect();
        assert!(running.len() == 1 || running.iter().any(|entry| !entry.alone), "{name}: {event}: {running:?}");
        assert!(
            running.iter().any(|entry| !entry.alone || entry.command == wanted(hooks).command(event, hook)),
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

fn check_foreign(name: &str, before: &[u8]) {
    for hooks in [&USUAL[..], &[Hook::Register], &[Hook::Cleanup], &[Hook::Statusline], &Hook::ALL] {
        let after = check_installed(name, before, hooks);
        assert!(only_adds(before, &after), "{name}: something of others is gone:\n{}", show(&after));
        let back = uninstall(&after, &Hook::ALL);
        assert_eq!(
            back.as_deref().map(show),
            Some(show(before)),
            "{name}: {hooks:?} taken back; installed it was\n{}",
            show(&after)
        );
    }
    assert_eq!(uninstall(before, &Hook::ALL).as_deref().map(show), Some(show(before)), "{name}");
    // One after the other, taken back in another order.
    for (index, there) in ORDERS.into_iter().enumerate() {
        check_order(name, before, there, ORDERS[(5 * index + 2) % ORDERS.len()]);
    }
}

fn check_order(name: &str, before: &[u8], there: [usize; 3], back: [usize; 3]) {
    let mut bytes = before.to_vec();
    for index in there {
        bytes = check_installed(name, &bytes, &[Hook::ALL[index]]);
    }
    let full = bytes.clone();
    for index in back {
        bytes = uninstall(&bytes, &[Hook::ALL[index]]).unwrap();
    }
    assert_eq!(show(&bytes), show(before), "{name}: {there:?} then back {back:?}; in between\n{}", show(&full));
}

fn check_ours(name: &str, before: &[u8]) {
    let clean = uninstall(before, &Hook::ALL);
    for hooks in [&USUAL[..], &Hook::ALL] {
        let after = check_installed(name, before, hooks);
        // White space around what was ours may end up on either side.
        assert_eq!(
            uninstall(&after, &Hook::ALL).as_deref().map(dense),
            clean.as_deref().map(dense),
            "{name}: installed it was\n{}",
            show(&after)
        );
    }
    if let Some(clean) = clean {
        let left = settings::inspect(&clean).unwrap().installed;
        assert!(left.iter().all(|entry| !entry.alone), "{name}: {left:?}");
        assert_eq!(uninstall(&clean, &Hook::ALL).as_deref().map(show), Some(show(&clean)), "{name}");
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
        assert_eq!(uninstall(&made, &Hook::ALL), None);
    }
    let made = settings::install(None, &wanted(&USUAL)).unwrap().bytes.unwrap();
    assert!(show(&made).starts_with("{\n  \"hooks\": {\n    \"SessionStart\": [\n      {\n"), "{}", show(&made));
    assert!(show(&made).ends_with("  }\n}\n"), "{}", show(&made));
}

#[test]
fn large_and_deep() {
    let deep = format!("{{\"x\": {}{}}}", "[".repeat(100_000), "]".repeat(100_000));
    let many: Vec<String> = (0..200_000).map(|n| format!("    \"Bash(command number {n} of many:*)\"")).collect();
    let large = format!("{{\n  \"permissions\": {{\n   \"allow\": [\n{}\n    ]\n  }}\n}}\n", many.join(",\n"));
    for file in [deep, large] {
        let after = install(file.as_bytes(), &Hook::ALL);
        assert_eq!(uninstall(&after, &Hook::ALL).unwrap(), file.as_bytes());
    }
}

/// Random numbers that are the same every time (xorshift).
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        (self.0 % limit as u64) as usize
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
    random: Random,
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
    fn new(seed: u64) -> Writer {
        let mut random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1);
        let loose = random.one_in(2);
        let layout = Layout {
            indent: random.pick(&["  ", "    ", "\t", " ", ""]),
            line_end: random.pick(&["\n", "\n", "\r\n"]),
            after_colon: random.pick(&[" ", " ", ""]),
            after_comma: random.pick(&[" ", ""]),
            one_line: random.one_in(4),
            wild: random.one_in(4),
            comments: loose && random.one_in(2),
            commas: loose && random.one_in(2),
        };
        let ours = random.one_in(3);
        Writer { random, layout, out: String::new(), ours }
    }

    fn file(mut self) -> Vec<u8> {
        if self.random.one_in(8) {
            self.out.push('\u{feff}');
        }
        if self.random.one_in(10) {
            let end = self.layout.line_end;
            self.out.push_str(end);
        }
        self.gap();
        self.root();
        self.gap();
        for _ in 0..self.random.below(3) {
            let end = self.layout.line_end;
            self.out.push_str(end);
        }
        self.out.into_bytes()
    }

    /// What may stand between any two things.
    fn gap(&mut self) {
        if self.layout.wild && self.random.one_in(3) {
            let space = self.random.pick(&[" ", "  ", "   ", "\t", "\n", "\r\n", "\r", "\n\n  "]);
            self.out.push_str(space);
        }
        if self.layout.comments && self.random.one_in(12) {
            let comment = self.random.pick(&[
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
        self.layout.one_line |= self.random.one_in(6);
        let marks = self.random.one_in(10);
        if marks {
            let spaces = self.random.pick(&[" ", "  ", "   "]);
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
        if count > 0 && self.layout.commas && self.random.one_in(3) {
            self.out.push(',');
            self.gap();
        }
        if count > 0 || self.random.one_in(5) {
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
        let count = self.random.pick(&[0, 1, 1, 2, 3, 4]);
        let mut has_line = false;
        self.list(('{', '}'), 0, count, |this, _| match this.random.below(5) {
            0 | 1 => {
                let key = this.random.pick(&["\"hooks\"", "\"hooks\"", "\"h\\u006foks\""]);
                this.key(key);
                this.hooks();
            }
            2 if !has_line => {
                has_line = true;
                this.key("\"statusLine\"");
                this.status_line();
            }
            _ => {
                let key = this.random.pick(&["\"model\"", "\"x\"", "\"日本\"", "\"permissions\""]);
                this.key(key);
                this.anything(1);
            }
        });
    }

    fn hooks(&mut self) {
        let count = self.random.below(5);
        self.list(('{', '}'), 1, count, |this, _| {
            let names = ["\"Stop\"", "\"Stop\"", "\"SessionStart\"", "\"SessionEnd\"", "\"PreToolUse\"", "\"Foo\""];
            let name = this.random.pick(&names);
            this.key(name);
            let count = this.random.below(4);
            this.list(('[', ']'), 2, count, |this, _| this.group());
        });
    }

    fn group(&mut self) {
        match self.random.below(12) {
            0 => self.anything(3),
            1 => self.handler(3),
            _ => {
                let matcher = self.random.one_in(3);
                let count = 1 + usize::from(matcher);
                self.list(('{', '}'), 3, count, |this, index| {
                    if matcher && index == 0 {
                        this.key("\"matcher\"");
                        let matcher = this.random.pick(&["\"\"", "\"*\"", "\"Bash\""]);
                        this.out.push_str(matcher);
                        return;
                    }
                    this.key("\"hooks\"");
                    let count = this.random.below(3);
                    this.list(('[', ']'), 4, count, |this, _| this.handler(5));
                });
            }
        }
    }

    fn handler(&mut self, depth: usize) {
        let swapped = self.random.one_in(3);
        let count = 2 + self.random.below(2);
        self.list(('{', '}'), depth, count, |this, index| match (index, swapped) {
            (0, false) | (1, true) => {
                this.key("\"type\"");
                this.out.push_str("\"command\"");
            }
            (0 | 1, _) => {
                this.key("\"command\"");
                let command = if this.ours && this.random.one_in(2) {
                    this.random.pick(&OURS)
                } else {
                    this.random.pick(&THEIRS)
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
        let count = 2 + self.random.below(2);
        self.list(('{', '}'), 1, count, |this, index| match index {
            0 => {
                this.key("\"type\"");
                this.out.push_str("\"command\"");
            }
            1 => {
                this.key("\"command\"");
                let command = if this.ours && this.random.one_in(2) {
                    this.random.pick(&[
                        "\"/old/ait statusline\"",
                        "\"ait statusline --then 'a\\\\''b'\"",
                        "\"ait statusline --then a\\\\ b\"",
                    ])
                } else {
                    this.random.pick(&THEIRS)
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
        match self.random.below(if depth > 6 { 4 } else { 6 }) {
            0 => self.out.push_str("null"),
            1 => self.out.push_str("-1.5e3"),
            2 => self.out.push_str("true"),
            3 => self.out.push_str("\"// no \\\" /* comment\""),
            4 => {
                let count = self.random.below(3);
                self.list(('[', ']'), depth, count, |this, _| this.anything(depth + 1));
            }
            _ => {
                let count = self.random.below(3);
                self.list(('{', '}'), depth, count, |this, index| {
                    this.key(["\"a\"", "\"command\"", "\"c\""][index]);
                    this.anything(depth + 1);
                });
            }
        }
    }
}

#[test]
fn generated_files() {
    let rounds = std::env::var("AIT_TEST_ROUNDS").ok().and_then(|rounds| rounds.parse().ok()).unwrap_or(600);
    let (mut foreign, mut ours) = (0, 0);
    for seed in 1..=rounds {
        let bytes = Writer::new(seed).file();
        let name = format!("seed {seed}");
        let found = settings::inspect(&bytes).unwrap_or_else(|problem| panic!("{name}: {problem}\n{}", show(&bytes)));
        if found.installed.iter().any(|entry| entry.alone) {
            ours += 1;
            check_ours(&name, &bytes);
        } else {
            foreign += 1;
            for hooks in [&USUAL[..], &Hook::ALL] {
                let after = check_installed(&name, &bytes, hooks);
                assert!(only_adds(&bytes, &after), "{name}: something of others is gone:\n{}", show(&after));
                let back = uninstall(&after, &Hook::ALL);
                assert_eq!(back.as_deref().map(show), Some(show(&bytes)), "{name}; in between\n{}", show(&after));
            }
            let mut random = Random(seed);
            check_order(&name, &bytes, random.pick(&ORDERS), random.pick(&ORDERS));
        }
    }
    // Both kinds are met often enough to mean something.
    assert!(foreign * 10 > rounds && ours * 10 > rounds, "{foreign} without ours, {ours} with");
}
