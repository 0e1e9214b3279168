//! The segment in zsh.

use crate::common::tools::needs;
use std::path::Path;

use ait::render::dialect::Dialect;

use super::{TestEnv, both_edges, render_text};

#[test]
fn zsh_shows_it_before_the_users_right_prompt() {
    needs!("tmux", "zsh");
    for subst in ["", "setopt prompt_subst\n"] {
        let env = TestEnv::new();
        let init = env.init("zsh", false);
        env.answer(&render_text("api 100% $(touch pwned) \\$HOME", Dialect::Zsh));
        let zsh = env.shell("zsh", &format!("{subst}PROMPT='<%?> ' RPROMPT='theirs %1~'\n{init}\n{init}\n"));
        zsh.wait_for_last(&both_edges("<0>", "theirs ~", 1));
        env.start_session();
        zsh.type_line("false");
        let shown = "api 100% $(touch pwned) \\$HOME theirs ~";
        let before = zsh.wait_for_last(&both_edges("<1>", shown, 1));
        assert_eq!(before.lines().count(), 2, "{before}");
        env.end_session();
        zsh.type_line("");
        zsh.wait_for_last(&both_edges("<1>", "theirs ~", 1));
        // A hook that turns expansion on after the segment was placed.
        env.start_session();
        zsh.type_line("precmd_functions+=(later); later() { setopt prompt_subst }; cd /");
        zsh.wait_until("/", |screen| screen.ends_with("theirs /") && screen.contains("touch pwned"));
        assert!(!env.path("pwned").exists());
        assert!(!Path::new("/pwned").exists());
    }
}

#[test]
fn zsh_with_a_hook_that_sets_the_right_prompt_each_time() {
    needs!("tmux", "zsh");
    for order in ["INIT; precmd_functions+=(theirs)", "precmd_functions+=(theirs); INIT"] {
        let env = TestEnv::new();
        env.start_session();
        let lines = order.replace("INIT", &env.init("zsh", false));
        let zsh = env.shell("zsh", &format!("PROMPT='> '; theirs() {{ RPROMPT='theirs' }}; {lines}\n"));
        zsh.wait_until("a prompt", |screen| screen.ends_with("theirs"));
        zsh.type_line("");
        zsh.wait_for_last(&both_edges(">", "SEGMENT theirs", 1));
        zsh.type_line("echo $RPROMPT");
        zsh.wait_until("the value", |screen| screen.contains("\nSEGMENT theirs\n"));
    }
}

#[test]
fn zsh_under_every_option() {
    needs!("tmux", "zsh");
    for options in [
        "err_exit",
        "err_return",
        "no_unset",
        "ksh_arrays",
        "sh_word_split",
        "extended_glob",
        "null_glob",
        "no_nomatch",
        "csh_null_glob",
        "glob_subst no_glob",
        "warn_create_global",
        "no_bare_glob_qual",
        "ignore_braces",
        "no_multi_func_def",
        "posix_builtins",
        "posix_identifiers",
        "no_clobber",
        "pipe_fail",
        "ksh_glob sh_glob",
        "no_hash_cmds",
        "no_short_loops",
        "no_prompt_sp rc_expand_param",
        "err_exit no_unset ksh_arrays sh_word_split extended_glob null_glob nomatch pipe_fail prompt_subst",
    ] {
        for when in ["before", "after"] {
            let env = TestEnv::new();
            env.start_session();
            let init = env.init("zsh", false);
            let (first, last) = if when == "before" {
                (format!("setopt {options}\n"), String::new())
            } else {
                (String::new(), format!("setopt {options}\n"))
            };
            // The other hook sees the exit code too.
            let hook = "seen=; precmd() { seen=$? }";
            let zsh = env.shell("zsh", &format!("PROMPT='<%?> '\n{hook}\n{first}{init}\n{init}\n{last}"));
            zsh.wait_for_last(&both_edges("<0>", "SEGMENT", 1));
            zsh.type_line("! true");
            zsh.wait_for_last(&both_edges("<1>", "SEGMENT", 1));
            zsh.type_line("echo got $seen; : last");
            zsh.wait_for_last(&both_edges("<0>", "SEGMENT", 1));
            zsh.type_line("echo $_");
            zsh.wait_until("$_", |screen| screen.lines().filter(|line| line.starts_with("<0>")).count() == 3);
            // The right prompt of a line that was entered stays where the line was short enough.
            let lines: Vec<String> =
                zsh.screen().lines().map(|line| line.replace("SEGMENT", "").trim_end().to_owned()).collect();
            assert_eq!(
                lines,
                ["<0> ! true", "<1> echo got $seen; : last", "got 1", "<0> echo $_", "last", "<0>"],
                "{options} {when}"
            );
        }
    }
}
