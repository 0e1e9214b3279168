//! The segment in starship, and typed by hand.

use crate::common::tools::{brought, needs};
use std::fs;
use std::process::Command;

use super::{Terminal, TestEnv, text};
use crate::common::starship;

/// On a terminal the segment is a line. What was mistyped is said there; a mistake in a variable would be said before
/// each prompt, and goes to the log.
#[test]
fn the_prompt_typed_by_hand() {
    needs!("tmux");
    let env = TestEnv::new();
    env.real();
    let terminal = Terminal::open(&env, "env PS1='$ ' sh");
    let count = std::cell::Cell::new(0);
    let typed = |line: &str, wanted: &str| {
        count.set(count.get() + 1);
        let mark = format!("=={}", count.get());
        terminal.type_line(&format!("echo {mark}=; ~/it*/ait prompt {line}; echo $?; echo {mark}."));
        terminal.wait_until(wanted, |screen| screen.contains(&format!("{mark}=\n{wanted}\n{mark}.\n")));
    };
    typed("", "0");
    env.start_real_session("one", "Fix it");
    typed("", "api main 45m Fix it\n0");
    typed("--format {task}", "Fix it\n0");
    typed("--format {tsk}", "ait: reading the format: column 2: unknown token `tsk`; did you mean `task`?\n2");
    terminal.type_line("export AIT_FORMAT={tsk}");
    typed("", "0");
    typed("--format {task}", "Fix it\n0");
    terminal.type_line("export AIT_ICONS=runes");
    typed("--format {task}", "0");
    typed("--icons ascii --format {task}", "Fix it\n0");
    let caches = fs::read_dir(env.path(".cache/ait")).unwrap();
    let logs: Vec<String> =
        caches.map(|cache| fs::read_to_string(cache.unwrap().path().join("log")).unwrap()).collect();
    let told = |what: &str| logs.iter().any(|log| log.contains(what));
    assert!(told("prompt: reading the format: column 2") && told("AIT_ICONS: "), "{logs:?}");
}

/// The module is run as starship runs it, and by starship itself.
#[test]
fn starship_runs_it_without_a_shell() {
    needs!("starship");
    let env = TestEnv::new();
    env.real();
    env.start_real_session("one", "100% $(touch pwned)");
    let module = Command::new(env.ait()).args(["init", "starship"]).output().unwrap();
    fs::write(
        env.path("starship.toml"),
        format!("{}format = '${{custom.ait}}>'\n{}", starship::PATIENT, text(&module)),
    )
    .unwrap();
    assert!(text(&module).contains("/ait\", \"--for\", \"starship\"]\ncommand = \"prompt\"\nuse_stdin = false\n"));
    let run = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&env.home).env("HOME", &env.home);
        command.env("STARSHIP_CONFIG", env.path("starship.toml")).env("STARSHIP_SHELL", "sh").env("TERM", "xterm");
        command.env_remove("AIT_SESSIONS_DIR").env_remove("CLAUDE_CONFIG_DIR").env_remove("NO_COLOR");
        command.output().unwrap()
    };
    let ait = env.ait().display().to_string();
    let colourless = |written: &str| {
        let mut shown = String::new();
        let mut rest = written;
        while let Some((before, after)) = rest.split_once('\u{1b}') {
            shown.push_str(before);
            rest = after.split_once('m').unwrap().1;
        }
        shown + rest
    };
    let answer = text(&run(&ait, &["--for", "starship", "prompt"]));
    assert_eq!(answer, text(&run(&ait, &["prompt", "--for", "starship"])));
    assert_eq!(colourless(&answer), "api main 45m 100% $(touch pwned)");
    // What starship does when the program is gone, in a folder that holds files of these names.
    for name in ["prompt", "starship", "--for"] {
        fs::write(env.path(name), "touch pwned\n").unwrap();
    }
    assert!(!run("sh", &["--for", "starship", "prompt"]).status.success());
    assert!(!run("bash", &["--posix", "--for", "starship", "prompt"]).status.success());
    let starship = brought("starship").unwrap();
    assert_eq!(colourless(&text(&run(&starship, &["prompt"]))).trim(), "api main 45m 100% $(touch pwned) >");
    fs::remove_file(env.ait()).unwrap();
    assert_eq!(colourless(&text(&run(&starship, &["prompt"]))).trim(), ">");
    assert!(!env.path("pwned").exists());
}
