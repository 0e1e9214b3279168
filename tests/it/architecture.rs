//! The laws of the house, checked by reading the source. A law that is broken is named with file and line.
use crate::common::tools::installed;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// One source file, in three readings of the same length: as it stands, without comments and tests, and the latter with
/// what is in quotes blanked as well.
struct Source {
    /// Below `src/`, such as `commands/hook.rs`.
    name: String,
    whole: String,
    code: String,
    bare: String,
}

impl Source {
    fn new(name: &str, whole: &str) -> Source {
        let (code, bare) = strip(whole);
        let (code, bare) = without_tests(&code, &bare);
        Source { name: name.to_owned(), whole: whole.to_owned(), code, bare }
    }

    /// The floor it stands on: its folder, or its own name at the top.
    fn floor(&self) -> &str {
        self.name.split('/').next().unwrap().trim_end_matches(".rs")
    }

    fn line(&self, at: usize) -> usize {
        1 + self.whole[..at].matches('\n').count()
    }

    /// Where a word stands by itself, or a phrase that ends or begins with punctuation.
    fn places(&self, text: &str, wanted: &str) -> Vec<usize> {
        let is_name = |c: Option<char>| c.is_some_and(|c| c.is_alphanumeric() || c == '_');
        let (first, last) = (wanted.chars().next(), wanted.chars().next_back());
        text.match_indices(wanted)
            .filter(|(at, _)| !(is_name(first) && is_name(text[..*at].chars().next_back())))
            .filter(|(at, _)| !(is_name(last) && is_name(text[at + wanted.len()..].chars().next())))
            .map(|(at, _)| at)
            .collect()
    }

    /// Where any of these stands in the code, as `file:line: what`.
    fn found(&self, wanted: &[&str]) -> Vec<String> {
        let mut found = Vec::new();
        for wanted in wanted {
            for at in self.places(&self.bare, wanted) {
                found.push(format!("src/{}:{}: {wanted}", self.name, self.line(at)));
            }
        }
        found
    }

    /// The first words after `crate::`, and after as many `super::` as lead to the root, with their places.
    fn imports(&self) -> Vec<(usize, String)> {
        let mut found = Vec::new();
        for at in self.places(&self.bare, "crate::") {
            found.extend(first_words(&self.bare, at + "crate::".len()));
        }
        let modules = self.name.trim_end_matches(".rs").trim_end_matches("/mod").split('/').count();
        for at in self.places(&self.bare, "super::") {
            // The beginning of a chain only.
            if self.bare[..at].ends_with("super::") {
                continue;
            }
            let chain = self.bare.as_bytes()[at..].chunks(7).take_while(|part| *part == b"super::").count();
            if chain >= modules {
                found.extend(first_words(&self.bare, at + 7 * chain));
            }
        }
        found
    }
}

/// The first word of a path, or of each path in a group in braces.
fn first_words(text: &str, at: usize) -> Vec<(usize, String)> {
    let word = |at: usize| -> String { text[at..].chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect() };
    let Some(group) = text[at..].strip_prefix('{') else { return vec![(at, word(at))] };
    let (mut found, mut depth, mut begins) = (Vec::new(), 0, true);
    for (offset, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => begins = true,
            c if begins && depth == 0 && c.is_alphanumeric() => {
                found.push((at + 1 + offset, word(at + 1 + offset)));
                begins = false;
            }
            _ => {}
        }
    }
    found
}

/// Blanks comments, and in the second text also what stands in quotes. Every byte keeps its place.
fn strip(text: &str) -> (String, String) {
    let bytes = text.as_bytes();
    let (mut code, mut bare) = (bytes.to_vec(), bytes.to_vec());
    let blank = |text: &mut Vec<u8>, from: usize, to: usize| {
        for byte in &mut text[from..to] {
            if *byte != b'\n' {
                *byte = b' ';
            }
        }
    };
    let mut at = 0;
    while at < bytes.len() {
        let rest = &bytes[at..];
        let name_before = at > 0 && (bytes[at - 1].is_ascii_alphanumeric() || bytes[at - 1] == b'_');
        let raw = rest.strip_prefix(b"b").unwrap_or(rest);
        let hashes = raw.iter().skip(1).take_while(|byte| **byte == b'#').count();
        if rest.starts_with(b"//") {
            let end = at + rest.iter().position(|byte| *byte == b'\n').unwrap_or(rest.len());
            blank(&mut code, at, end);
            blank(&mut bare, at, end);
            at = end;
        } else if rest.starts_with(b"/*") {
            let (mut depth, mut end) = (1, at + 2);
            while depth > 0 {
                match &bytes[end..end + 2] {
                    b"/*" => (depth, end) = (depth + 1, end + 2),
                    b"*/" => (depth, end) = (depth - 1, end + 2),
                    _ => end += 1,
                }
            }
            blank(&mut code, at, end);
            blank(&mut bare, at, end);
            at = end;
        } else if !name_before && raw.first() == Some(&b'r') && raw.get(1 + hashes) == Some(&b'"') {
            let begin = at + (rest.len() - raw.len()) + 2 + hashes;
            let close = format!("\"{}", "#".repeat(hashes));
            let end = begin + text[begin..].find(&close).unwrap();
            blank(&mut bare, begin, end);
            at = end + close.len();
        } else if bytes[at] == b'"' {
            let mut end = at + 1;
            while bytes[end] != b'"' {
                end += if bytes[end] == b'\\' { 2 } else { 1 };
            }
            blank(&mut bare, at + 1, end);
            at = end + 1;
        } else if bytes[at] == b'\'' {
            // A letter in quotes, or a lifetime.
            let letter = text[at + 1..].chars().next().unwrap();
            let end = match letter {
                '\\' => at + 3 + text[at + 3..].find('\'').unwrap(),
                letter => at + 1 + letter.len_utf8(),
            };
            if bytes.get(end) == Some(&b'\'') {
                blank(&mut bare, at + 1, end);
                at = end + 1;
            } else {
                at += 1;
            }
        } else {
            at += 1;
        }
    }
    (String::from_utf8(code).unwrap(), String::from_utf8(bare).unwrap())
}

/// Blanks every item under `#[cfg(test)]` in both texts.
fn without_tests(code: &str, bare: &str) -> (String, String) {
    let (mut code, mut bare) = (code.as_bytes().to_vec(), bare.as_bytes().to_vec());
    while let Some(at) = String::from_utf8_lossy(&bare).find("#[cfg(test)]") {
        let (mut depth, mut end) = (0, at);
        loop {
            match bare[end] {
                b'{' => depth += 1,
                b'}' if depth == 1 => break,
                b'}' => depth -= 1,
                b';' if depth == 0 => break,
                _ => {}
            }
            end += 1;
        }
        for text in [&mut code, &mut bare] {
            for byte in &mut text[at..=end] {
                if *byte != b'\n' {
                    *byte = b' ';
                }
            }
        }
    }
    (String::from_utf8(code).unwrap(), String::from_utf8(bare).unwrap())
}

fn here(below: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(below)
}

/// The files below a folder, in order; none where there is no folder.
fn files(folder: &Path) -> Vec<PathBuf> {
    let Ok(entries) = fs::read_dir(folder) else { return Vec::new() };
    let mut paths: Vec<PathBuf> = entries.map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    paths.into_iter().flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

fn sources() -> Vec<Source> {
    let root = here("src");
    let sources: Vec<Source> = files(&root)
        .iter()
        .filter(|file| file.extension().is_some_and(|extension| extension == "rs"))
        .map(|file| {
            let name = file.strip_prefix(&root).unwrap().to_str().unwrap();
            Source::new(name, &fs::read_to_string(file).unwrap())
        })
        .collect();
    assert!(sources.len() > 40, "only {} files were found", sources.len());
    sources
}

/// The files that keep a law, or an account of those that break it.
#[track_caller]
fn holds(law: &str, broken: Vec<String>) {
    assert!(broken.is_empty(), "{law}; broken at\n  {}", broken.join("\n  "));
}

/// The floors, the lowest first. Those that stand side by side do not import each other, but for the two at the top:
/// what may be typed, and what it does.
const FLOORS: [&[&str]; 8] = [
    &["error"],
    &["sys"],
    &["session"],
    &["claude", "git"],
    &["store", "render"],
    &["context", "report"],
    &["commands"],
    &["cli"],
];

fn height(floor: &str) -> Option<usize> {
    FLOORS.iter().position(|floors| floors.contains(&floor))
}

#[test]
fn imports_go_down_only() {
    let mut broken = Vec::new();
    let mut seen = 0;
    for source in sources() {
        let floor = source.floor();
        // `lib.rs` names the floors, `main.rs` stands on them.
        if matches!(floor, "lib" | "main") {
            continue;
        }
        let from = height(floor).unwrap_or_else(|| panic!("src/{} stands on no floor", source.name));
        for (at, import) in source.imports() {
            let Some(to) = height(&import) else {
                broken.push(format!("src/{}:{}: crate::{import} is no floor", source.name, source.line(at)));
                continue;
            };
            seen += 1;
            if import != floor && to >= from {
                broken.push(format!("src/{}:{}: {floor} imports {import}", source.name, source.line(at)));
            }
        }
    }
    assert!(seen > 100, "only {seen} imports were found");
    holds("imports go down only, and floors side by side do not meet", broken);
}

#[test]
fn the_floors_are_those_that_the_library_names() {
    let library = sources().into_iter().find(|source| source.name == "lib.rs").unwrap();
    let mut named: Vec<&str> =
        library.bare.lines().filter_map(|line| line.trim().strip_prefix("pub mod ")?.strip_suffix(';')).collect();
    let mut floors: Vec<&str> = FLOORS.concat();
    named.sort_unstable();
    floors.sort_unstable();
    assert_eq!(named, floors);
}

/// What is outside of the program: files, the environment, processes, the clock, the net.
const OUTSIDE: [&str; 20] = [
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "std::thread",
    "std::os::unix::fs",
    "std::os::unix::net",
    "std::os::unix::process",
    "SystemTime",
    "Instant",
    "rustix",
    "libc",
    "Timestamp::now",
    "Zoned::now",
    "TimeZone::system",
    "TimeZone::try_system",
    "env::args",
    "env::vars",
    "Command::new",
    "File::open",
];

/// Questions to the file system that look like questions to a path.
const ASKED_OF_A_PATH: [&str; 9] = [
    ".canonicalize()",
    ".exists()",
    ".try_exists()",
    ".is_dir()",
    ".is_file()",
    ".is_symlink()",
    ".metadata()",
    ".read_dir()",
    ".read_link()",
];

#[test]
fn only_sys_touches_the_outside() {
    let broken = sources().into_iter().filter(|source| source.floor() != "sys");
    let broken = broken.flat_map(|source| {
        let mut found = [source.found(&OUTSIDE), source.found(&ASKED_OF_A_PATH)].concat();
        // `use std::{fs, io};`
        for group in ["std::{", "std::os::unix::{"] {
            let words = source.places(&source.bare, group).into_iter();
            let words = words.flat_map(|at| first_words(&source.bare, at + group.len() - 1));
            let outside =
                words.filter(|(_, word)| ["fs", "env", "net", "process", "thread", "os"].contains(&word.as_str()));
            found.extend(outside.map(|(at, word)| format!("src/{}:{}: std::{word}", source.name, source.line(at))));
        }
        found
    });
    holds("only sys touches files, the clock, the environment and processes", broken.collect());
}

#[test]
fn the_model_is_pure() {
    let broken = sources().into_iter().filter(|source| source.floor() == "session").flat_map(|source| {
        let imports = source.imports().into_iter().filter(|(_, import)| import == "sys");
        let imports = imports.map(|(at, _)| format!("src/{}:{}: crate::sys", source.name, source.line(at)));
        [source.found(&["sys::", "std::io", "std::time"]), imports.collect()].concat()
    });
    holds("session uses no file, clock, environment or process", broken.collect());
}

#[test]
fn the_pages_are_pure() {
    let broken = sources().into_iter().filter(|source| source.floor() == "render").flat_map(|source| {
        let imports = source.imports().into_iter().filter(|(_, import)| import == "sys");
        imports.map(|(at, _)| format!("src/{}:{}: crate::sys", source.name, source.line(at))).collect::<Vec<_>>()
    });
    holds("what render shows comes in as arguments and goes out as text", broken.collect());
}

#[test]
fn only_main_writes_and_exits() {
    const WRITING: [&str; 12] = [
        "println!",
        "print!",
        "eprintln!",
        "eprint!",
        "dbg!",
        "stdout()",
        "stderr()",
        "write_stdout",
        "write_stderr",
        "process::exit",
        "process::abort",
        "exit_group",
    ];
    let broken = sources().into_iter().filter(|source| source.name != "main.rs").flat_map(|source| {
        // sys is where writing is made of system calls; nobody but main calls it.
        if source.floor() == "sys" { source.found(&WRITING[..5]) } else { source.found(&WRITING) }
    });
    holds("a command returns its output; only main writes it and exits", broken.collect());
    let main = sources().into_iter().find(|source| source.name == "main.rs").unwrap();
    // And a write a line for the one command that goes on until nobody reads.
    let most = 1 + usize::from(!main.found(&["command.lines"]).is_empty());
    assert_eq!(main.places(&main.bare, "write_stdout").len(), most, "main writes once, or once a line");
}

/// The three that somebody waits for.
const FAST: [&str; 3] = ["commands/prompt.rs", "commands/statusline.rs", "commands/hook.rs"];

#[test]
fn the_fast_three_stay_fast() {
    const SLOW: [&str; 24] = [
        "TimeZone",
        "time_zone",
        "jiff::tz",
        "Zoned",
        "to_zoned",
        "strftime",
        "history",
        "read_day",
        "Day",
        "table",
        "Table",
        "regex",
        "Regex",
        "process::run",
        "process::command",
        "process::Run",
        "Run {",
        "find_program",
        "git::ask",
        "git::status",
        "merge_conflicts",
        "last_move",
        "sleep",
        "from_reader",
    ];
    let mut found = Vec::new();
    let sources = sources();
    let fast: Vec<&Source> = sources.iter().filter(|source| FAST.contains(&source.name.as_str())).collect();
    assert!(fast.iter().any(|source| source.name == FAST[0]) && fast.iter().any(|source| source.name == FAST[2]));
    for source in fast {
        let mut slow = source.found(&SLOW);
        if source.name == "commands/hook.rs" {
            // The one exception: whether the tree is dirty, when a session registers or ends.
            let asks = slow.iter().position(|place| place.ends_with("git::status")).expect("hook asks for dirtiness");
            slow.remove(asks);
            let ask = &source.bare[source.places(&source.bare, "git::status")[0]..];
            assert!(ask.contains("GIT_LIMIT"), "with a time limit");
        }
        found.extend(slow);
    }
    holds("the fast three use no time zone, no walk of history, no table, no regex, and start no process", found);
}

/// What moves a cursor or begins a colour, in the languages of terminals, shells and tmux.
#[test]
fn escapes_are_written_in_dialect_only() {
    let mut broken = Vec::new();
    // Where a terminal is told where to write, and no text is dressed.
    let exempt = ["render/dialect.rs", "sys/terminal.rs"];
    for source in sources().into_iter().filter(|source| !exempt.contains(&source.name.as_str())) {
        for escape in [r"\x1b", r"\u{1b}", r"\u{1B}", r"\x1B", r"\e[", r"\x01", r"\x02", "%{", "#["] {
            // `#[` begins an attribute too; in a text it begins a style of tmux.
            for (at, _) in source.code.match_indices(escape).filter(|(at, _)| source.bare.as_bytes()[*at] == b' ') {
                broken.push(format!("src/{}:{}: {escape}", source.name, source.line(at)));
            }
        }
    }
    holds("escaping and colour live in dialect", broken);
}

#[test]
fn segment_and_dialect_do_not_know_each_others_business() {
    let sources = sources();
    let of = |name: &str| sources.iter().find(|source| source.name == name).unwrap();
    holds(
        "dialect does not know what is said",
        of("render/dialect.rs").found(&["segment::", "format::", "Facts", "session::"]),
    );
    let segment =
        ["render/segment.rs", "render/format.rs"].map(|name| of(name).found(&["Zsh", "Bash", "Fish", "Tmux", "Ansi"]));
    holds("segment does not know how it is escaped", segment.concat());
}

#[test]
fn unsafe_in_one_module_only() {
    let broken = sources()
        .iter()
        .filter(|source| source.name != "sys/ffi.rs")
        .flat_map(|source| source.found(&["unsafe", "unsafe_code"]))
        .collect();
    holds("unsafe is in sys/ffi.rs only", broken);
    let ffi = sources().into_iter().find(|source| source.name == "sys/ffi.rs").unwrap();
    let words = ffi.places(&ffi.bare, "unsafe").len();
    let reasons = ffi.whole.matches("// SAFETY:").count();
    assert!(reasons > 0 && words > 0, "each has its reason");
    let manifest = fs::read_to_string(here("Cargo.toml")).unwrap();
    assert!(manifest.contains("unsafe_code = \"deny\""));
}

#[test]
fn nothing_panics_on_purpose() {
    const PANICS: [&str; 10] = [
        ".unwrap()",
        ".expect(",
        ".unwrap_err()",
        ".expect_err(",
        "panic!",
        "todo!",
        "unimplemented!",
        "unreachable!",
        "assert!",
        "assert_eq!",
    ];
    holds("no panic outside of tests", sources().iter().flat_map(|source| source.found(&PANICS)).collect());
}

#[test]
fn lints_are_switched_off_in_sys_only_and_with_a_reason() {
    let mut broken = Vec::new();
    for source in sources() {
        for word in ["#[allow(", "#![allow(", "#[expect(", "#![expect("] {
            for (at, _) in source.bare.match_indices(word) {
                let end = at + source.code[at..].find(")]").unwrap();
                let what = &source.code[at..end];
                // A number that is cut on purpose is everybody's business, the outside is sys's.
                let outside = [
                    "disallowed",
                    "unsafe_code",
                    "unwrap_used",
                    "expect_used",
                    "panic",
                    "indexing_slicing",
                    "missing_docs",
                ];
                let outside = outside.iter().any(|lint| what.contains(lint));
                if !what.contains("reason = ") || (outside && source.floor() != "sys") {
                    broken.push(format!("src/{}:{}: {what}", source.name, source.line(at)));
                }
            }
        }
    }
    holds("a lint is switched off with a reason, one about the outside in sys only", broken);
}

/// `doing: what: why`: each part a phrase in a line, none with a full stop or a capital of its own.
#[test]
fn errors_are_phrases() {
    let mut broken = Vec::new();
    let mut seen = 0;
    for source in sources() {
        for at in source.places(&source.bare, "Error::new(") {
            let call = &source.code[at + "Error::new(".len()..];
            let Some(doing) = call.trim_start().strip_prefix('"') else { continue };
            let doing = &doing[..doing.find('"').unwrap()];
            seen += 1;
            let capital = doing.chars().next().is_none_or(char::is_uppercase) && !doing.starts_with("Claude");
            if capital || doing.ends_with(['.', ':', ' ', '!']) || doing.contains("\\n") {
                broken.push(format!("src/{}:{}: {doing:?}", source.name, source.line(at)));
            }
        }
    }
    assert!(seen > 10, "only {seen} errors were found");
    holds("an error begins with what was being done", broken);
}

#[test]
fn every_file_says_what_it_is() {
    let broken =
        sources().into_iter().filter(|source| !source.whole.starts_with("//! ")).map(|source| source.name.clone());
    holds("a file begins with what it is for", broken.collect());
    let tests = files(&here("tests")).into_iter().filter(|file| file.extension().is_some_and(|kind| kind == "rs"));
    let broken = tests.filter(|file| !fs::read_to_string(file).unwrap().starts_with("//! "));
    holds("a test file too", broken.map(|file| file.display().to_string()).collect());
}

#[test]
fn a_test_that_is_not_run_says_why() {
    let mut broken = Vec::new();
    let ignored = ["#[ignore]", "#[should_panic]"];
    for file in [files(&here("tests")), files(&here("src"))].concat() {
        if file.extension().is_some_and(|kind| kind == "rs") && !file.ends_with("architecture.rs") {
            let text = fs::read_to_string(&file).unwrap();
            broken.extend(
                ignored.iter().filter(|word| text.contains(**word)).map(|word| format!("{}: {word}", file.display())),
            );
        }
    }
    holds("a test that is not run says why", broken);
}

/// A shell file is read by the shell it is for; the shells are installed by tests/run.sh.
#[test]
fn shell_files_parse() {
    let mut broken = Vec::new();
    let mut seen = 0;
    for file in [files(&here("shell")), files(&here("tests")), files(&here("benches")), files(&here(".ci"))].concat() {
        let text = fs::read(&file).unwrap();
        let first = String::from_utf8_lossy(text.split(|byte| *byte == b'\n').next().unwrap()).into_owned();
        let kind = file.extension().and_then(|kind| kind.to_str()).unwrap_or_default();
        // What the first line says counts, then the name.
        let shell = match (first.strip_prefix("#!"), kind) {
            (Some(line), "sh" | "bash" | "zsh" | "fish" | "tmux" | "") => {
                line.trim().rsplit(['/', ' ']).next().unwrap()
            }
            (None, "sh" | "bash" | "zsh" | "fish") => kind,
            _ => continue,
        };
        seen += 1;
        if !installed(&[shell]) {
            continue;
        }
        let output = Command::new(shell).arg("-n").arg(&file).output().unwrap_or_else(|why| panic!("{shell}: {why}"));
        if !output.status.success() || !output.stderr.is_empty() {
            broken.push(format!("{}: {}", file.display(), String::from_utf8_lossy(&output.stderr)));
        }
    }
    assert!(seen > 0, "no shell file was found");
    holds("a shell file parses", broken);
}

/// The reader of the source is itself read.
mod reader {
    use super::*;

    #[test]
    fn comments_quotes_and_tests_are_told_from_code() {
        let whole = r####"//! use crate::store;
use crate::error::{Error, sub::{a, b}};
/* panic!() /* nested */ panic!() */ fn f<'a>(x: &'a str) -> char { let _ = ("crate::no", r#"unwrap "quoted""#, b"x\"", '\'', '"', '\u{1b}'); 'x' }
#[cfg(test)]
use crate::render::x;
#[cfg(test)]
mod tests { fn g() { x.unwrap(); } }
fn h() { super::super::git::x(); crate::{claude::y, session}; super::near(); }
"####;
        let source = Source::new("store/live.rs", whole);
        assert_eq!((source.code.len(), source.bare.len()), (whole.len(), whole.len()));
        let imports: Vec<String> = source.imports().into_iter().map(|(_, import)| import).collect();
        assert_eq!(imports, ["error", "claude", "session", "git"]);
        assert_eq!(source.found(&["panic!", "unwrap", ".unwrap()", "quoted"]), [""; 0]);
        assert!(source.code.contains("quoted") && source.code.contains(r"'\u{1b}'") && !source.bare.contains("1b"));
        assert_eq!(source.found(&["fn h"]), ["src/store/live.rs:8: fn h"]);
        assert_eq!(source.places("an_fn fn fnord fn", "fn"), [6, 15]);
        assert_eq!(source.floor(), "store");
        assert_eq!(Source::new("error.rs", "").floor(), "error");
        let imports =
            |name: &str, text: &str| Source::new(name, text).imports().into_iter().map(|(_, i)| i).collect::<Vec<_>>();
        assert_eq!(imports("store/mod.rs", "use super::git;"), ["git"]);
        assert_eq!(imports("store/live.rs", "use super::root;"), [""; 0]);
        assert_eq!(imports("cli.rs", "use super::git;"), ["git"]);
    }
}
