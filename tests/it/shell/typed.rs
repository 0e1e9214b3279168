//! A shell whose prompts tell their number, the last exit code and the segment.

use super::{Terminal, TestEnv};

/// Lines that give each shell a prompt with its number, the last exit code and the segment.
pub(super) fn prompt(shell: &str) -> &'static str {
    match shell {
        "zsh" => "setopt prompt_subst; n=0; precmd() { n=$((n+1)) }; PROMPT='n$n <%?> [$AIT_SEGMENT] '\n",
        "bash" => "n=0; PROMPT_COMMAND='n=$((n+1))'; PS1='n$n <$?> [$AIT_SEGMENT] '\n",
        "nushell" => {
            "$env.N = 0; $env.config.hooks.pre_prompt = [{|| $env.N += 1 }]; $env.PROMPT_INDICATOR = ''\n\
             $env.PROMPT_COMMAND_RIGHT = ''\n\
             $env.PROMPT_COMMAND = {|| $\"n($env.N) <($env.LAST_EXIT_CODE)> [($env.AIT_SEGMENT)] \" }\n"
        }
        // It has no exit code of the last command.
        "elvish" => {
            "use ait\nvar n = 0\nset edit:before-readline = [{ set n = (+ $n 1) }]\nset edit:rprompt = { }\n\
             set edit:prompt = { put 'n'$n' <0> ['; ait:segment; put '] ' }\n"
        }
        "xonsh" => {
            "$PROMPT_FIELDS['n'] = 0\n@events.on_pre_prompt_format\ndef counting(**_):\n    $PROMPT_FIELDS['n'] += 1\n\
             $PROMPT = 'n{n} <{$LAST_RETURN_CODE}> [{ait}] '\n"
        }
        _ => {
            "set n 0\nfunction counting --on-event fish_prompt; set -g n (math $n + 1); end\nfunction fish_prompt; echo -n \"n$n <$status> [$AIT_SEGMENT] \"; end\n"
        }
    }
}

/// A shell in which lines are typed, and what its prompts say.
pub(super) struct Typed<'a> {
    pub(super) shell: &'a str,
    pub(super) terminal: Terminal<'a>,
    pub(super) count: usize,
}

impl<'a> Typed<'a> {
    pub(super) fn open(env: &'a TestEnv, shell: &'a str, tracer: &str) -> Typed<'a> {
        Typed::open_in(env, "outer", shell, tracer)
    }

    /// In a terminal of this name: more than one can be open.
    pub(super) fn open_in(env: &'a TestEnv, terminal: &'static str, shell: &'a str, tracer: &str) -> Typed<'a> {
        let start = format!("{}{}\n", prompt(shell), env.init(shell, true));
        let typed = Typed { shell, terminal: env.shell_in(terminal, shell, &start, tracer), count: 1 };
        typed.segment();
        typed
    }

    /// Types a line, and gives the segment of the next prompt.
    #[track_caller]
    pub(super) fn line(&mut self, line: &str) -> String {
        self.terminal.type_line(line);
        self.count += 1;
        self.segment()
    }

    #[track_caller]
    pub(super) fn segment(&self) -> String {
        let start = format!("n{} <0> [", self.count);
        let wanted = format!("{}: {start}", self.shell);
        let screen = self.terminal.wait_until(&wanted, |screen| {
            screen.lines().last().is_some_and(|line| line.starts_with(&start) && line.ends_with(']'))
        });
        screen.lines().last().unwrap()[start.len()..].trim_end_matches(']').to_owned()
    }

    /// The line that sets a variable, exported.
    pub(super) fn export(&self, name: &str, value: &str) -> String {
        match self.shell {
            "fish" => format!("set -gx {name} '{value}'"),
            "nushell" => format!("$env.{name} = '{value}'"),
            "elvish" => format!("set-env {name} '{value}'"),
            "xonsh" => format!("${name} = '{value}'"),
            _ => format!("export {name}='{value}'"),
        }
    }

    /// The line that sets a variable of the shell.
    pub(super) fn set(&self, name: &str, value: &str) -> String {
        match self.shell {
            "fish" => format!("set -g {name} '{value}'"),
            _ => format!("{name}='{value}'"),
        }
    }
}
