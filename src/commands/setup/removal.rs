//! Removes the lines of ait from the text of a startup file.

use super::block;
use crate::commands::init::TMUX_COMMENT;

/// A startup file without the lines of `ait setup`, and without lines that people write after the documentation.
///
/// # Errors
/// If lines that `ait setup` added are damaged.
pub(super) fn without_ait(text: &[u8], target: &str, printed: &str) -> Result<Vec<u8>, &'static str> {
    let mut rest = block::take_out(text)?.unwrap_or_else(|| text.to_vec());
    // What `ait init` printed, appended as it was.
    if !printed.is_empty()
        && let Some(at) = memchr::memmem::find(&rest, printed.as_bytes())
    {
        rest.drain(at..at + printed.len());
    }
    let Ok(text) = String::from_utf8(rest.clone()) else { return Ok(rest) };
    let mut kept = String::with_capacity(text.len());
    for line in text.split_inclusive('\n') {
        if !only_loads_ait(line, target) {
            kept.push_str(line);
        } else if matches!(target, "zsh" | "bash") && needs_command_after(&kept) {
            let command = line.trim();
            kept.push_str(&line.replacen(command, ":", 1));
        }
    }
    Ok(kept.into_bytes())
}

/// Whether the last line is one after which sh needs a command, such as `if ...; then`: an empty block is an error in bash.
fn needs_command_after(text: &str) -> bool {
    let mut lines = text.lines().rev().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    let ends = ["then", "else", "do", "{", "(", ")", "&&", "||", "|", "\\"];
    lines.next().is_some_and(|line| {
        ends.iter().any(|end| {
            let before = line.strip_suffix(end);
            let is_word = |before: &str| !before.ends_with(|c: char| c.is_alphanumeric() || c == '_');
            before.is_some_and(|before| !end.starts_with(char::is_alphabetic) || is_word(before))
        })
    })
}

/// Whether a line does nothing but load ait, as the documentation has it, with or without a test for the program.
fn only_loads_ait(line: &str, target: &str) -> bool {
    let line = line.trim();
    let plain: String = line.chars().map(|c| if "\"'()$<;".contains(c) { ' ' } else { c }).collect();
    let words: Vec<&str> = plain.split_whitespace().collect();
    if target == "tmux" {
        let sets_option = matches!(words.first(), Some(&("set" | "set-option")))
            && words.iter().any(|word| word.starts_with("@ait-"));
        let loads = words.first() == Some(&"run-shell") && line.contains("init tmux --plugin | sh");
        return sets_option || loads || line == TMUX_COMMENT;
    }
    let is_program = |word: &str| word == "ait" || word.ends_with("/ait");
    let is_known = |word: &&str| {
        const WORDS: [&str; 23] = [
            "eval",
            "source",
            ".",
            "|",
            "command",
            "-v",
            "-q",
            "type",
            "and",
            "&&",
            "||",
            "[",
            "]",
            "!",
            "-x",
            "test",
            "init",
            "--manual",
            "2",
            "2>/dev/null",
            ">/dev/null",
            "2>&1",
            "/dev/null",
        ];
        WORDS.contains(word) || is_program(word) || *word == target || matches!(*word, ">" | "2>" | "&>/dev/null")
    };
    let calls = words
        .windows(3)
        .any(|three| matches!(three, [program, "init", name] if is_program(program) && *name == target));
    calls && !line.starts_with('#') && words.iter().all(is_known)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_block_that_only_loads_ait_keeps_a_command() {
        for (before, after) in [
            ("if [ -t 1 ]; then\n  eval \"$(ait init bash)\"\nfi\n", "if [ -t 1 ]; then\n  :\nfi\n"),
            ("f() {\n  # prompt\n\teval \"$(ait init bash)\"\n}\n", "f() {\n  # prompt\n\t:\n}\n"),
            ("command -v ait >/dev/null &&\r\neval \"$(ait init bash)\"\r\n", "command -v ait >/dev/null &&\r\n:\r\n"),
            ("todo\neval \"$(ait init bash)\"\n", "todo\n"),
            ("if a; then\n  b\n  eval \"$(ait init bash)\"\nfi\n", "if a; then\n  b\nfi\n"),
        ] {
            let rest = without_ait(before.as_bytes(), "bash", "").unwrap();
            assert_eq!(String::from_utf8(rest).unwrap(), after);
        }
    }

    #[test]
    fn lines_of_the_documentation_are_taken_out_and_no_others() {
        for (target, line) in [
            ("zsh", r#"eval "$(ait init zsh)""#),
            ("zsh", r#"eval "$(ait init zsh --manual)""#),
            ("zsh", r#"source <(~/.local/bin/ait init zsh 2>/dev/null)"#),
            ("bash", r#"[ ! -x "$HOME/.local/bin/ait" ] || eval "$("$HOME/.local/bin/ait" init bash)""#),
            ("bash", r#"command -v ait >/dev/null 2>&1 && eval "$(ait init bash)""#),
            ("fish", "ait init fish | source"),
            ("fish", "command -q ait; and ait init fish --manual | source"),
            ("tmux", "set -goq @ait-position right"),
            ("tmux", r#"run-shell "/opt/ait init tmux --plugin | sh""#),
        ] {
            let text = format!("before\n  {line}\nafter\n");
            let rest = without_ait(text.as_bytes(), target, "").unwrap();
            assert_eq!(String::from_utf8(rest).unwrap(), "before\nafter\n", "{line}");
        }
        for (target, line) in [
            ("zsh", r#"# eval "$(ait init zsh)""#),
            ("zsh", r#"eval "$(ait init bash)""#),
            ("zsh", r#"alias a=b; eval "$(ait init zsh)""#),
            ("zsh", r#"eval "$(wait init zsh)""#),
            ("tmux", "set -g status-right '#{ait}'"),
        ] {
            let rest = without_ait(line.as_bytes(), target, "").unwrap();
            assert_eq!(String::from_utf8(rest).unwrap(), line);
        }
    }
}
