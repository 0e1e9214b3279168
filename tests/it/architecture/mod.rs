//! The rules of the architecture that neither the compiler nor clippy can check, see docs/design.md. A violation is
//! reported with its file and line.

mod source;

use std::collections::{BTreeMap, BTreeSet};
use std::fs;

use source::{Source, files, modules, repository, sources};

/// Fails with the list of violations of a rule.
#[track_caller]
fn assert_rule(rule: &str, violations: &[String]) {
    assert!(violations.is_empty(), "{rule}; violated at\n  {}", violations.join("\n  "));
}

/// Compares what violates a rule with the known violations: none may be added, and a fixed one leaves the list.
#[track_caller]
fn assert_known(rule: &str, found: &BTreeSet<String>, known: &[&str]) {
    let known: BTreeSet<String> = known.iter().map(|name| (*name).to_owned()).collect();
    let new: Vec<String> = found.difference(&known).cloned().collect();
    let fixed: Vec<String> = known.difference(found).cloned().collect();
    assert!(new.is_empty(), "{rule}; new violations:\n  {}", new.join("\n  "));
    assert!(fixed.is_empty(), "{rule}; fixed, remove them from the list of known ones:\n  {}", fixed.join("\n  "));
}

/// The layers, lowest first. Those on one line do not import each other.
const LAYERS: [&[&str]; 9] = [
    &["error"],
    &["sys"],
    &["session"],
    &["claude", "git"],
    &["store", "render"],
    &["config", "team"],
    &["context", "report"],
    &["commands"],
    &["cli"],
];

fn height(layer: &str) -> Option<usize> {
    LAYERS.iter().position(|layers| layers.contains(&layer))
}

#[test]
fn imports_go_down_only() {
    let (mut violations, mut count) = (Vec::new(), 0);
    for source in sources() {
        // `lib.rs` declares the layers, `main.rs` is above them.
        if matches!(source.layer(), "lib" | "main") {
            continue;
        }
        let from = height(source.layer()).unwrap_or_else(|| panic!("src/{} belongs to no layer", source.name));
        for (line, path) in source.crate_paths(&BTreeSet::new()) {
            count += 1;
            match height(&path[0]) {
                Some(to) if to < from || path[0] == source.layer() => {}
                _ => violations.push(format!("src/{}:{line}: imports {}", source.name, path.join("::"))),
            }
        }
    }
    assert!(count > 100, "only {count} imports found");
    assert_rule("a layer imports only from lower layers", &violations);
}

/// The files that a file imports, directly or through others.
fn reachable_from<'a>(file: &'a str, imports: &BTreeMap<&'a str, BTreeSet<&'a str>>) -> BTreeSet<&'a str> {
    let (mut seen, mut next) = (BTreeSet::new(), vec![file]);
    while let Some(file) = next.pop() {
        next.extend(imports.get(file).into_iter().flatten().filter(|file| seen.insert(**file)));
    }
    seen
}

/// Cycles that still have to be removed, as sorted lists of files.
const KNOWN_CYCLES: &[&str] = &[];

#[test]
fn imports_form_no_cycle() {
    let sources = sources();
    let modules = modules(&sources);
    let mut imports: BTreeMap<&str, BTreeSet<&str>> = BTreeMap::new();
    for source in sources.iter().filter(|source| !matches!(source.layer(), "lib" | "main")) {
        let own = source.module();
        let is_child = |module: &Vec<String>| module.len() == own.len() + 1 && module.starts_with(&own);
        let children = modules.keys().filter(|module| is_child(module)).map(|module| module.last().unwrap().clone());
        for (_, path) in source.crate_paths(&children.collect()) {
            // The longest beginning of the path that is a module.
            let targets = (1..=path.len()).rev().find_map(|length| modules.get(&path[..length]));
            let targets = targets.into_iter().flatten().map(String::as_str).filter(|target| *target != source.name);
            imports.entry(&source.name).or_default().extend(targets);
        }
    }
    let reachable: BTreeMap<&str, BTreeSet<&str>> =
        imports.keys().map(|file| (*file, reachable_from(file, &imports))).collect();
    let mut cycles = BTreeSet::new();
    for (file, seen) in reachable.iter().filter(|(file, seen)| seen.contains(**file)) {
        let members = seen.iter().filter(|other| reachable.get(**other).is_some_and(|seen| seen.contains(file)));
        cycles.insert(members.copied().collect::<Vec<_>>().join(" "));
    }
    assert_known("imports form no cycle", &cycles, KNOWN_CYCLES);
}

#[test]
fn the_layers_are_those_that_the_library_declares() {
    let library = sources().into_iter().find(|source| source.name == "lib.rs").unwrap();
    let mut declared: Vec<&str> =
        library.positions("pub mod").into_iter().map(|at| library.tokens[at + 2].text.as_str()).collect();
    let mut layers: Vec<&str> = LAYERS.concat();
    declared.sort_unstable();
    layers.sort_unstable();
    assert_eq!(declared, layers);
}

const MAX_FILE_LINES: usize = 400;
const MAX_FUNCTION_LINES: usize = 60;

/// Files that still have to be split.
const KNOWN_LONG_FILES: &[&str] = &[];

/// Functions that still have to be split.
const KNOWN_LONG_FUNCTIONS: &[&str] = &[];

#[test]
fn no_file_has_more_than_400_lines_of_code() {
    let long = sources().into_iter().filter(|source| source.code_lines() > MAX_FILE_LINES).map(|source| source.name);
    assert_known("a file has at most 400 lines of code", &long.collect(), KNOWN_LONG_FILES);
}

#[test]
fn no_function_has_more_than_60_lines_of_code() {
    let sources = sources();
    let of = |source: &Source| {
        let long = source.functions.iter().filter(|(_, _, lines)| *lines > MAX_FUNCTION_LINES);
        long.map(|(function, ..)| format!("{}::{function}", source.name)).collect::<Vec<_>>()
    };
    let long = sources.iter().flat_map(of).collect();
    assert_known("a function has at most 60 lines of code", &long, KNOWN_LONG_FUNCTIONS);
}

/// Files, the environment, processes, the clock, the network.
const OUTSIDE: [&str; 18] = [
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
    "Command::new",
    "File::open",
];

/// Methods of `Path` that ask the file system.
const PATH_METHODS: [&str; 9] = [
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
    let mut violations = Vec::new();
    for source in sources().into_iter().filter(|source| source.layer() != "sys") {
        violations.extend(source.uses(&OUTSIDE));
        violations.extend(source.uses(&PATH_METHODS));
        // `use std::{fs, io};` would hide it.
        let groups = source.positions("use std::").into_iter().filter(|at| source.tokens[at + 4].text == "{");
        violations.extend(groups.map(|at| format!("src/{}:{}: use std::{{", source.name, source.tokens[at].line)));
    }
    assert_rule("only sys touches files, the clock, the environment and processes", &violations);
}

#[test]
fn session_and_render_do_not_use_sys() {
    let mut violations = Vec::new();
    for source in sources().into_iter().filter(|source| matches!(source.layer(), "session" | "render")) {
        let imports = source.crate_paths(&BTreeSet::new()).into_iter().filter(|(_, path)| path[0] == "sys");
        violations.extend(imports.map(|(line, path)| format!("src/{}:{line}: {}", source.name, path.join("::"))));
        violations.extend(source.uses(&["std::io", "std::time"]));
    }
    assert_rule("session and render compute: what they need are arguments", &violations);
}

#[test]
fn only_main_writes_and_exits() {
    const PRINTING: [&str; 5] = ["println!", "print!", "eprintln!", "eprint!", "dbg!"];
    const SYSTEM: [&str; 7] =
        ["stdout()", "stderr()", "write_stdout", "write_stderr", "process::exit", "process::abort", "exit_group"];
    let mut violations = Vec::new();
    for source in sources().into_iter().filter(|source| source.name != "main.rs") {
        violations.extend(source.uses(&PRINTING));
        if source.layer() != "sys" {
            violations.extend(source.uses(&SYSTEM));
        }
    }
    assert_rule("a command returns its report; only main writes it and exits", &violations);
}

/// The commands that run at each prompt or event, and their parts.
const FAST_COMMANDS: [&str; 4] =
    ["commands/prompt.rs", "commands/statusline.rs", "commands/hook.rs", "commands/session_start.rs"];

#[test]
fn fast_commands_do_nothing_slow() {
    const SLOW: [&str; 22] = [
        "TimeZone",
        "time_zone",
        "jiff::tz",
        "Zoned",
        "to_zoned_datetime",
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
        "find_program",
        "git::ask",
        "merge_conflicts",
        "last_move",
        "sleep",
        "from_reader",
    ];
    let sources = sources();
    let mut violations = Vec::new();
    for name in FAST_COMMANDS {
        let source = sources.iter().find(|source| source.name == name).unwrap();
        violations.extend(source.uses(&SLOW));
        let asks = source.positions("git::status").len();
        // A hook asks git whether the tree is dirty, with a time limit, when a session registers or ends.
        let allowed = name == "commands/hook.rs" && asks == 1 && !source.positions("GIT_LIMIT").is_empty();
        if asks > 0 && !allowed {
            violations.push(format!("src/{name}: git::status"));
        }
    }
    assert_rule(
        "prompt, statusline and hook use no time zone, history, table or regex, and start no process",
        &violations,
    );
}

#[test]
fn escapes_are_written_in_dialect_only() {
    // `sys/terminal.rs` moves the cursor; it does not write text. A notification has no dialect: no shell reads it.
    let exempt = ["render/dialect.rs", "render/notification.rs", "sys/terminal.rs"];
    let mut violations = Vec::new();
    for source in sources().into_iter().filter(|source| !exempt.contains(&source.name.as_str())) {
        for token in source.tokens.iter().filter(|token| token.text.contains(['"', '\''])) {
            let escapes = [r"\x1b", r"\u{1b}", r"\u{1B}", r"\x1B", r"\e[", r"\x01", r"\x02", "%{", "#["];
            let found = escapes.iter().filter(|escape| token.text.contains(**escape));
            violations.extend(found.map(|escape| format!("src/{}:{}: {escape}", source.name, token.line)));
        }
    }
    assert_rule("escape sequences are written in render/dialect.rs", &violations);
}

#[test]
fn segment_and_dialect_are_independent() {
    let sources = sources();
    let of = |name: &str| sources.iter().find(|source| source.name == name).unwrap();
    let dialect = of("render/dialect.rs").uses(&["segment::", "format::", "Facts", "session::"]);
    assert_rule("dialect does not know the content of a segment", &dialect);
    let names = ["Zsh", "Bash", "Fish", "Tmux", "Ansi"];
    let segment = ["render/segment.rs", "render/format.rs"].map(|name| of(name).uses(&names)).concat();
    assert_rule("segment does not know how it is escaped", &segment);
}

/// Clippy rejects `unwrap`, `expect`, `panic!` and indexing; these macros it accepts.
#[test]
fn no_assertion_outside_of_tests() {
    let violations: Vec<String> =
        sources().iter().flat_map(|source| source.uses(&["assert!", "assert_eq!", "assert_ne!"])).collect();
    assert_rule("nothing panics on purpose outside of tests", &violations);
}

/// The compiler rejects `unsafe` and clippy the rest, unless a file switches that off.
#[test]
fn lints_about_the_outside_are_switched_off_in_sys_only() {
    const LINTS: [&str; 7] = [
        "clippy::disallowed_methods",
        "unsafe_code",
        "clippy::unwrap_used",
        "clippy::expect_used",
        "clippy::panic",
        "clippy::indexing_slicing",
        "missing_docs",
    ];
    let mut violations = Vec::new();
    for source in sources() {
        match source.name.as_str() {
            "sys/ffi.rs" => {}
            _ if source.layer() == "sys" => violations.extend(source.uses(&["unsafe_code", "unsafe"])),
            _ => violations.extend(source.uses(&LINTS)),
        }
    }
    assert_rule("unsafe code is in sys/ffi.rs only, and other lints are switched off in sys only", &violations);
}

/// An error reads `ait: action: subject: cause`, so an action is a phrase.
#[test]
fn the_action_of_an_error_is_a_phrase() {
    let (mut violations, mut count) = (Vec::new(), 0);
    for source in sources() {
        for at in source.positions("Error::new").into_iter().map(|at| at + 5) {
            let Some(action) = source.tokens.get(at).filter(|token| token.text.starts_with('"')) else { continue };
            count += 1;
            let text = action.text.trim_matches('"');
            let capital = text.starts_with(char::is_uppercase) && !text.starts_with("Claude");
            if text.is_empty() || capital || text.ends_with(['.', ':', ' ', '!']) || text.contains("\\n") {
                violations.push(format!("src/{}:{}: {text:?}", source.name, action.line));
            }
        }
    }
    assert!(count > 10, "only {count} errors found");
    assert_rule("the action of an error is a phrase without a capital or a full stop", &violations);
}

#[test]
fn each_file_begins_with_its_purpose() {
    let has_none = |text: &str| !text.starts_with("//! ");
    let mut violations: Vec<String> =
        sources().into_iter().filter(|source| has_none(&source.text)).map(|source| source.name).collect();
    let tests =
        files(&repository("tests")).into_iter().filter(|file| file.extension().is_some_and(|kind| kind == "rs"));
    let tests = tests.filter(|file| has_none(&fs::read_to_string(file).unwrap()));
    violations.extend(tests.map(|file| file.display().to_string()));
    assert_rule("a file begins with a comment that says what it is for", &violations);
}
