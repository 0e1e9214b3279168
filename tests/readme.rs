//! The README tells the truth: every command in it can be typed, and every command and option group is in it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::disallowed_methods)]

use std::path::Path;

use argh::CommandInfoWithArgs;

fn read(name: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(name)).unwrap()
}

/// A line of shell as words: quotes and escapes taken off, cut at a pipe, a redirection, a comment or `;`.
fn words(line: &str) -> Vec<String> {
    let (mut words, mut word, mut quote) = (Vec::new(), None::<String>, None);
    let mut characters = line.chars();
    while let Some(character) = characters.next() {
        match (quote, character) {
            (Some(open), _) if character == open => quote = None,
            (None, '"' | '\'') => {
                quote = Some(character);
                word.get_or_insert_default();
            }
            (None, '|' | '>' | '<' | '#' | ';' | '&' | ')' | '`') => break,
            (None, ' ') => words.extend(word.take()),
            (None, '\\') => word.get_or_insert_default().extend(characters.next()),
            _ => word.get_or_insert_default().push(character),
        }
    }
    words.extend(word);
    words
}

/// Every `ait ...` of a text that is set as code: in fenced blocks after `$ ` or at the start of a line, and in
/// backquotes. Alternatives (`zsh|bash`) and places to fill in (`DIR`) are no commands.
fn typed(text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut fenced = false;
    for line in text.lines() {
        if line.trim_start().starts_with("```") {
            fenced = !fenced;
        } else if fenced {
            let line = line.trim_start().trim_start_matches("$ ");
            found.extend(line.starts_with("ait ").then(|| line.to_owned()));
        } else {
            let code = line.split('`').skip(1).step_by(2).map(|code| code.replace("\\|", "|"));
            found.extend(code.filter_map(|code| code.find("ait ").map(|at| code.split_at(at).1.to_owned())));
        }
    }
    found.retain(|line| !line.starts_with("ait: "));
    found.retain(|line| !line.split(' ').any(|word| word.contains('|') && word != "|" && !word.starts_with('\'')));
    found
}

#[test]
fn every_command_in_it_can_be_typed() {
    let known = ait::cli::description();
    let mut count = 0;
    for file in ["README.md", "CONTRIBUTING.md"] {
        for line in typed(&read(file)) {
            let words: Vec<String> = words(&line).into_iter().skip(1).collect();
            let group = words.first().is_some_and(|word| known.commands.iter().any(|inner| inner.name == *word));
            if let Err(output) = ait::cli::parse(&words) {
                let shown = output.stdout.starts_with("Usage:") && output.stderr.is_empty();
                assert!(group && shown, "{file}: `{line}`: {}{}", output.stdout, output.stderr);
            }
            count += 1;
        }
    }
    assert!(count > 30, "only {count} commands were found: this test looks in the wrong places");
}

#[test]
fn every_command_is_in_it() {
    fn check(readme: &str, path: &str, command: &CommandInfoWithArgs) {
        assert!(command.commands.is_empty() || !command.name.is_empty());
        for inner in &command.commands {
            let path = format!("{path} {}", inner.name);
            assert!(!inner.command.commands.is_empty() || readme.contains(&path), "`{path}` is not in README.md");
            check(readme, &path, &inner.command);
        }
    }
    check(&read("README.md"), "ait", &ait::cli::description());
}

#[test]
fn every_token_and_variable_is_in_it() {
    let readme = read("README.md");
    for (name, ..) in ait::render::format::TOKENS {
        assert!(readme.contains(&format!("`{name}`")), "the token `{name}` is not in README.md");
    }
    assert!(readme.contains(ait::render::format::PROMPT), "the usual format is another one");
}

#[test]
fn every_file_that_it_names_is_there() {
    for file in ["README.md", "CONTRIBUTING.md", "CHANGELOG.md"] {
        for target in read(file).split("](").skip(1).map(|rest| rest.split(')').next().unwrap()) {
            let local = !target.starts_with("http") && !target.starts_with('#');
            assert!(!local || Path::new(env!("CARGO_MANIFEST_DIR")).join(target).exists(), "{file}: {target}");
        }
    }
}
