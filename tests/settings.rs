//! Other people's settings files: what `ait hooks install` and `uninstall` do to a folder of hand-made ones, and to as
//! many generated ones as are asked for (`AIT_TEST_ROUNDS`).
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing, clippy::disallowed_methods, missing_docs)]

use std::path::{Path, PathBuf};

use ait::claude::settings::{self, EVENTS, Hook, Wanted};

fn wanted(hooks: &[Hook]) -> Wanted {
    Wanted { hooks: hooks.to_vec(), ait: "/home/me/it's $HOME \"here\"/ait".into(), scripts: "~/.claude/hooks".into() }
}

const USUAL: [Hook; 2] = [Hook::Register, Hook::Cleanup];

fn install(bytes: &[u8], hooks: &[Hook]) -> Vec<u8> {
    settings::install(Some(bytes), &wanted(hooks)).unwrap().bytes.unwrap()
}

fn uninstall(bytes: &[u8], hooks: &[Hook]) -> Option<Vec<u8>> {
    settings::uninstall(bytes, hooks).unwrap().bytes
}

fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
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
    let orders: [[usize; 3]; 6] = [[0, 1, 2], [0, 2, 1], [1, 0, 2], [1, 2, 0], [2, 0, 1], [2, 1, 0]];
    for there in orders {
        for back in orders {
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
    }
}

fn check_ours(name: &str, before: &[u8]) {
    let clean = uninstall(before, &Hook::ALL);
    for hooks in [&USUAL[..], &Hook::ALL] {
        let after = check_installed(name, before, hooks);
        assert_eq!(
            uninstall(&after, &Hook::ALL).as_deref().map(show),
            clean.as_deref().map(show),
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
