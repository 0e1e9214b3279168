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
        zsh.type_line("print -P $RPROMPT");
        zsh.wait_until("the value", |screen| screen.contains("\nSEGMENT theirs\n"));
    }
}

#[test]
fn zsh_shows_the_segment_under_every_shell_option() {
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

/// Hooks that wrap the right prompt, keep copies of it, and set it back.
#[test]
fn zsh_shows_the_segment_once_whatever_is_done_to_the_right_prompt() {
    let wrap = "saved= running=1\n\
        w_precmd() { [[ -z $running ]] || { running=; [[ -z $RPROMPT ]] || { saved=$RPROMPT; RPROMPT=$'%{\\e]633;H\\a%}'$RPROMPT$'%{\\e]633;I\\a%}' } } }\n\
        w_preexec() { [[ -z $RPROMPT ]] || RPROMPT=$saved; running=1 }\n\
        precmd_functions+=(w_precmd); preexec_functions+=(w_preexec)\n";
    let prepend = "w_precmd() { RPROMPT=\"x$RPROMPT\" }; precmd_functions+=(w_precmd)\n";
    let restore = "saved=\nw_precmd() { saved=${saved:-$RPROMPT}; RPROMPT=$saved }; precmd_functions+=(w_precmd)\n";
    for (hooks, theirs) in [(wrap, ""), (prepend, ""), (restore, ""), (wrap, "theirs"), (restore, "theirs")] {
        for subst in ["", "setopt prompt_subst\n"] {
            let env = TestEnv::new();
            env.start_session();
            let init = env.init("zsh", false);
            let zsh = env.shell("zsh", &format!("{subst}PROMPT='> ' RPROMPT='{theirs}'\n{init}\n{hooks}"));
            zsh.wait_until("a prompt", |screen| screen.contains("SEGMENT"));
            for segment in ["one", "two", "three"] {
                env.answer(segment);
                zsh.type_line("true");
                zsh.wait_until(segment, |screen| screen.lines().last().is_some_and(|line| line.contains(segment)));
                let screen = zsh.screen();
                let last = screen.lines().last().unwrap();
                assert_eq!(last.matches(segment).count(), 1, "{hooks}: {screen}");
                assert!(!last.contains("SEGMENT") && !last.contains("one two"), "{hooks}: {screen}");
                assert!(last.contains(theirs), "{hooks}: {screen}");
            }
            env.end_session();
            zsh.type_line("clear; echo cleared");
            zsh.wait_until("no segment", |screen| screen.starts_with("cleared\n>"));
            let screen = zsh.screen();
            assert!(!screen.contains("three") && screen.contains(theirs), "{hooks}: {screen}");
        }
    }
}

#[test]
fn zsh_with_a_right_prompt_that_is_set_after_precmd() {
    let vi = "bindkey -v; zle-line-init() { RPS1=-I-; zle reset-prompt }; zle -N zle-line-init\n";
    let later = "setter() { read -r -u $1 RPROMPT; zle reset-prompt; zle -F $1; exec {1}<&- }\n\
        starter() { local fd; RPROMPT=; exec {fd}< <(sleep 0.1; echo -I-); zle -F $fd setter }; precmd_functions+=(starter)\n";
    // Someone else's widget of that name is still run.
    let theirs = "drawn=0; counter() { (( drawn++ )); zle .reset-prompt }; zle -N reset-prompt counter\n";
    for hooks in [vi.to_owned(), later.to_owned(), format!("{theirs}{vi}")] {
        let env = TestEnv::new();
        env.start_session();
        let init = env.init("zsh", false);
        let zsh = env.shell("zsh", &format!("PROMPT='> '\n{hooks}{init}\n{init}\n"));
        zsh.wait_for_last(&both_edges(">", "SEGMENT -I-", 1));
        env.answer("NEW");
        zsh.type_line("true");
        zsh.wait_for_last(&both_edges(">", "NEW -I-", 1));
        env.end_session();
        zsh.type_line("clear; (( ${drawn-1} )) && echo drawn");
        zsh.wait_until("both", |screen| screen.starts_with("drawn\n>") && screen.ends_with("-I-"));
        assert!(!zsh.screen().contains("NEW"), "{}", zsh.screen());
    }
}

/// What these frameworks offer, as far as a section needs it.
#[test]
fn zsh_frameworks_that_draw_the_whole_right_prompt_get_a_section() {
    let spaceship = "SPACESHIP_PROMPT_ORDER=(char) SPACESHIP_RPROMPT_ORDER=(time)\n\
        spaceship::section() { print -rn -- ${@[-1]} }\n\
        draw() { local s out=; for s in $SPACESHIP_RPROMPT_ORDER; do (( $+functions[spaceship_$s] )) && out+=$(spaceship_$s); done; RPROMPT=$out }\n";
    let geometry = "GEOMETRY_PROMPT=(a) GEOMETRY_RPROMPT=(b)\ngeometry::wrap() { : }; b() { : }\n\
        draw() { local s out=; for s in $GEOMETRY_RPROMPT; do out+=$($s); done; RPROMPT=$out }\n";
    let typewritten = "tw_redraw() { : }; draw() { RPROMPT=$($TYPEWRITTEN_RIGHT_PROMPT_PREFIX_FUNCTION) }\n";
    for framework in [spaceship, geometry, typewritten] {
        let env = TestEnv::new();
        env.start_session();
        let init = env.init("zsh", false);
        let start = format!("PROMPT='> '\n{framework}precmd_functions+=(draw)\n{init}\n{init}\n");
        let zsh = env.shell("zsh", &start);
        zsh.wait_for_last(&both_edges(">", "SEGMENT", 1));
        env.answer("NEW");
        zsh.type_line("true");
        zsh.wait_for_last(&both_edges(">", "NEW", 1));
        env.end_session();
        zsh.type_line("clear");
        zsh.wait_for_last(">");
    }
}

#[test]
fn zsh_in_a_narrow_terminal_shows_a_shorter_segment_beside_a_left_prompt_that_runs_commands() {
    needs!("tmux", "zsh");
    let env = TestEnv::new();
    env.real();
    env.start_real_session("one", "Implementing session coordination");
    // As wide as the left prompt of agnoster.
    let left =
        "setopt prompt_subst; build() { print -n 'user@host ~/work/some/longer/project main' }; PROMPT='$(build)> '\n";
    let zsh = env.shell("zsh", &format!("{left}{}\n", env.init("zsh", false)));
    assert!(zsh.tmux(&["resize-window", "-x", "80"]).status.success());
    zsh.type_line("");
    zsh.wait_until("the project and the branch", |screen| {
        screen.lines().last().is_some_and(|line| line.contains("main> ") && line.contains("api main 45m"))
    });
}
