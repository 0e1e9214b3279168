//! Recognises the commands of ait in a settings file.

use super::wanted::Hook;
use crate::claude::shell_lexer::{self, Token};

/// Which hook of ait a command runs, and whether it does nothing else.
pub(super) fn recognise(command: &str, arguments: &[String]) -> Option<(Hook, bool)> {
    if !command.contains("session-") && !arguments.iter().any(|argument| argument.starts_with("session-")) {
        return None;
    }
    let mut tokens = shell_lexer::split(command)?;
    let argument = |text: &String| Token { text: text.clone(), operator: false, span: 0..0 };
    tokens.extend(arguments.iter().map(argument));
    let tokens: Vec<(&str, bool)> = tokens.iter().map(|token| (token.text.as_str(), token.operator)).collect();
    let bare = without_guards(&tokens);
    if bare.iter().all(|(_, operator)| !operator)
        && let Some(hook) = called_at(bare)
    {
        return Some((hook, true));
    }
    (0..tokens.len()).find_map(|at| called_at(tokens.get(at..)?)).map(|hook| (hook, false))
}

/// Whether a program is `ait`, by its name.
pub(super) fn is_ait(program: &str) -> bool {
    let name = program.rsplit('/').next().unwrap_or_default();
    name == "ait" || name.starts_with("ait-")
}

/// The hook that the first words call.
fn called_at(tokens: &[(&str, bool)]) -> Option<Hook> {
    if let [(program, false), ("hook", false), (name, false), ..] = tokens
        && is_ait(program)
    {
        return Hook::named(name).filter(|hook| hook.script().is_some());
    }
    let (word, _) = tokens.first().filter(|(_, operator)| !operator)?;
    // A project's or a plugin's script is its own, whatever its name.
    if word.contains("CLAUDE_PROJECT_DIR") || word.contains("CLAUDE_PLUGIN_ROOT") {
        return None;
    }
    let (folder, name) = word.rsplit_once('/')?;
    if folder != "hooks" && !folder.ends_with("/hooks") {
        return None;
    }
    Hook::ALL.into_iter().find(|hook| hook.script() == Some(name))
}

/// Takes off what only says how to run a command: a test whether it exists, `exec`, a shell in front of a script,
/// redirections, `|| true`.
fn without_guards<'a>(mut tokens: &'a [(&'a str, bool)]) -> &'a [(&'a str, bool)] {
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_of_ours_are_recognised_with_and_without_guards() {
        use Hook::{Cleanup, Register};
        for (command, expected) in [
            ("~/.claude/hooks/session-register.sh", Some((Register, true))),
            (
                "[ ! -x ~/.claude/hooks/session-register.sh ] || exec ~/.claude/hooks/session-register.sh",
                Some((Register, true)),
            ),
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
}
