//! The segment in bash.

use crate::common::tools::needs;
use std::fs;

use ait::render::dialect::Dialect;

use super::{TestEnv, render_text};

#[test]
fn bash_shows_it_above_the_prompt() {
    needs!("tmux", "bash");
    let env = TestEnv::new();
    let init = env.init("bash", false);
    env.answer(&render_text("api \\u \\$ $(touch pwned)", Dialect::Bash));
    let bash = env.shell("bash", &format!("PS1='<$?> '\n{init}\n{init}\n"));
    bash.wait_for_last("<0>");
    assert_eq!(bash.screen(), "<0>");
    env.start_session();
    bash.type_line("(exit 7)");
    bash.wait_for_last("<7>");
    assert_eq!(bash.screen(), "<0> (exit 7)\napi \\u \\$ $(touch pwned)\n<7>");
    env.end_session();
    bash.type_line("");
    bash.wait_until("no segment", |screen| screen.ends_with(")\n<7>\n<7>"));
    assert!(!env.path("pwned").exists());
}

#[test]
fn bash_with_a_framework_that_sets_the_prompt_each_time() {
    needs!("tmux", "bash");
    let env = TestEnv::new();
    env.start_session();
    let init = env.init("bash", false);
    let bash = env.shell("bash", &format!("PROMPT_COMMAND='PS1=\"theirs \"'\n{init}\n{init}\n"));
    bash.wait_for_last("theirs");
    assert_eq!(bash.screen(), "SEGMENT\ntheirs");
    bash.type_line("");
    bash.wait_until("twice", |screen| screen == "SEGMENT\ntheirs\nSEGMENT\ntheirs");
}

#[test]
fn bash_shows_the_segment_under_every_shell_option() {
    needs!("tmux", "bash");
    for options in [
        "set -e",
        "set -u",
        "set -o pipefail",
        "set -f",
        "set -C",
        "set -a",
        "set -E; trap 'echo ERR' ERR",
        "set -eu -o pipefail",
        "shopt -s nullglob",
        "shopt -s failglob",
        "shopt -s dotglob extglob nocaseglob",
        "shopt -s lastpipe; set +m",
        "IFS=/.",
        "GLOBIGNORE='*'",
        "set -eu -o pipefail; shopt -s failglob inherit_errexit",
        "set -o posix",
    ] {
        for hook in [
            "unset PROMPT_COMMAND",
            "PROMPT_COMMAND=",
            "PROMPT_COMMAND='seen=$?'",
            "PROMPT_COMMAND='seen=$?;'",
            "PROMPT_COMMAND=$'seen=$?; \\n'",
            "PROMPT_COMMAND='seen=$? # their remark'",
            "PROMPT_COMMAND=('seen=$?' 'more=$?')",
        ] {
            // Every option with one hook, and every hook with one option.
            if options != "set -eu -o pipefail" && !hook.contains("('seen") {
                continue;
            }
            let env = TestEnv::new();
            env.start_session();
            let init = env.init("bash", false);
            let bash = env.shell("bash", &format!("PS1='<$?> '\n{hook}\n{options}\n{init}\n{init}\n"));
            bash.wait_for_last("<0>");
            bash.type_line("! true");
            bash.wait_for_last("<1>");
            bash.type_line("echo got ${seen-} ${more-}; : last");
            bash.wait_until("two", |screen| screen.matches("<0>").count() == 2);
            bash.type_line("echo $_ ${!-none}");
            bash.wait_until("three", |screen| screen.matches("<0>").count() == 3);
            let got = match hook {
                _ if hook.contains("more") => "got 1 1",
                _ if hook.contains("seen") => "got 1",
                _ => "got",
            };
            let screen = bash.screen();
            let lines: Vec<&str> = screen.lines().filter(|line| *line != "SEGMENT").collect();
            let last = lines.iter().find(|line| line.starts_with("last")).copied().unwrap_or_default();
            let expected =
                ["<0> ! true", "<1> echo got ${seen-} ${more-}; : last", got, "<0> echo $_ ${!-none}", last, "<0>"];
            assert_eq!(lines, expected, "{options}; {hook}");
            assert!(last.starts_with("last "), "{screen}");
        }
    }
}

#[test]
fn bash_before_5_1_gets_one_string() {
    needs!("tmux", "bash");
    // What an older bash would make of it: the branch is chosen by BASH_VERSINFO, which is read-only, so the text is
    // told another number.
    let env = TestEnv::new();
    env.start_session();
    env.init("bash", false);
    let text = fs::read_to_string(env.path("init")).unwrap();
    assert!(text.contains(">= 501"));
    fs::write(env.path("init"), text.replace(">= 501", ">= 9901")).unwrap();
    let start = "PS1='<$?> '; keep() { return $?; }; PROMPT_COMMAND='keep;'; . ~/init; . ~/init; PROMPT_COMMAND+='; after=$?'\n";
    let bash = env.shell("bash", start);
    bash.wait_for_last("<0>");
    bash.type_line("(exit 5)");
    bash.wait_for_last("<5>");
    bash.type_line("echo $after; declare -p PROMPT_COMMAND");
    bash.wait_until("the values", |screen| {
        screen.contains("\n5\ndeclare -- PROMPT_COMMAND=$'keep;\\n__ait_prompt; after=$?'\nSEGMENT\n<0>")
    });
}

#[test]
fn bash_keeps_the_number_of_the_users_background_job() {
    needs!("tmux", "bash");
    let env = TestEnv::new();
    env.start_session();
    let init = env.init("bash", false);
    let bash = env.shell("bash", &format!("PS1='<$?> '\n{init}\nset +m\n"));
    bash.wait_for_last("<0>");
    bash.type_line("sleep 1000 & mine=$!");
    bash.wait_until("two", |screen| screen.matches("SEGMENT").count() == 2);
    bash.type_line("true");
    bash.wait_until("three", |screen| screen.matches("SEGMENT").count() == 3);
    bash.type_line("[ $! = $mine ] && kill $! && echo same");
    bash.wait_until("the number", |screen| screen.contains("\nsame\n"));
}

/// Below the empty lines of a prompt, and also where bash expands no variables in it.
#[test]
fn bash_places_the_line_next_to_the_prompt() {
    for vars in ["", "shopt -u promptvars\n"] {
        for (prompt, before) in [("PS1='> '", ""), ("PS1='\\n> '", "\n"), ("PS1=$'\\n\\n'; PS1+='> '", "\n\n")] {
            for how in ["{}", "set_it() { {}; }; PROMPT_COMMAND=set_it"] {
                let env = TestEnv::new();
                let init = env.init("bash", false);
                env.answer(&render_text("a\\b $(touch pwned) \\u", Dialect::Bash));
                let start = format!("{vars}{}\n{init}\n{init}\n", how.replace("{}", prompt));
                let bash = env.shell("bash", &start);
                bash.wait_for_last(">");
                env.start_session();
                for _ in 0..2 {
                    bash.type_line("clear");
                    let wanted = format!("{before}a\\b $(touch pwned) \\u\n>");
                    bash.wait_until(&wanted, |screen| screen == wanted);
                }
                env.end_session();
                bash.type_line("clear");
                let wanted = format!("{before}>");
                bash.wait_until("no segment", |screen| screen == wanted);
                assert!(!env.path("pwned").exists());
            }
        }
    }
}
