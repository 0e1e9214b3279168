//! The command line: help, slips of the finger, errors of one line, exit codes.

use crate::common::tools::needs;
use std::ffi::OsStr;
use std::process::Stdio;

use crate::common::{AIT, Client, TestEnv, file_names};
use serde_json::json;

/// Every command that there is, by its words, from the help texts themselves: `[], [sessions], [sessions, live], ...`.
fn commands(env: &TestEnv) -> Vec<Vec<String>> {
    let mut found = vec![Vec::new()];
    let mut next = 0;
    while next < found.len() {
        let path: Vec<String> = found[next].clone();
        let help = env.run(&format!("{} --help", path.join(" "))).success();
        let listed = help.split_once("\nCommands:\n").map_or("", |(_, rest)| rest);
        for line in listed.lines().take_while(|line| !line.is_empty()) {
            // A description that goes on in the next line is indented further.
            if let Some(name) = line.strip_prefix("  ").filter(|rest| !rest.starts_with(' ')) {
                let name = name.split_whitespace().next().unwrap().to_owned();
                found.push([path.as_slice(), &[name]].concat());
            }
        }
        next += 1;
    }
    found
}

#[test]
fn every_help_has_an_example_of_its_command() {
    let env = TestEnv::new();
    let commands = commands(&env);
    for wanted in [
        "sessions live",
        "sessions current",
        "sessions task",
        "sessions conflicts",
        "sessions history",
        "sessions prune",
        "hook",
        "prompt",
    ] {
        assert!(commands.iter().any(|path| path.join(" ") == wanted), "{wanted} of {commands:?}");
    }
    for path in &commands {
        let typed = path.join(" ");
        let help = env.run(&format!("{typed} --help")).success();
        assert_eq!(env.run(&format!("{typed} -h")).success(), help, "{typed} -h");
        let usage = format!("Usage: {}", ["ait", &typed].join(" ").trim());
        assert!(help.strip_prefix(&usage).is_some_and(|rest| rest.starts_with([' ', '\n'])), "{typed}: {help}");
        let (_, examples) =
            help.split_once("\nExamples:\n").unwrap_or_else(|| panic!("{typed} has no example: {help}"));
        let example = examples.lines().next().unwrap().trim();
        assert!(example.contains(format!("ait {typed}").trim()), "{typed}: {example}");
        // The first group's example is of a command of its own.
        let options = example.split(' ').filter(|word| word.starts_with("--") && !typed.is_empty());
        for option in options {
            assert!(
                help.contains(&format!("  {option}")) || help.contains(&format!(", {option}")),
                "{typed}: {option}"
            );
        }
    }
    assert_eq!(file_names(&env.path("")), [""; 0], "help makes nothing");
}

/// The tokens stand in a help text that is written by hand.
#[test]
fn the_help_of_the_prompt_lists_the_tokens() {
    let help = TestEnv::new().run("prompt --help").success();
    let tokens = ait::render::format::TOKENS.map(|(name, _, says)| format!("    {name:<12} {says}\n"));
    assert!(help.contains(&tokens.concat()), "{help}");
    let on_one_line = help.replace("]\n  [", "][");
    assert!(on_one_line.contains(&format!("\n  {}\n", ait::render::format::PROMPT)), "{help}");
    let (_, rest) = help.split_once("\nOptions:\n").unwrap();
    assert!(rest.lines().all(|line| line.len() <= 80), "no wider than a terminal: {help}");
}

#[test]
fn version_is_printed_by_both_options() {
    let env = TestEnv::new();
    let version = format!("ait {}\n", env!("CARGO_PKG_VERSION"));
    env.run("--version").stdout_is(&version);
    env.run("-V").stdout_is(&version);
}

#[test]
fn a_group_by_itself_shows_its_help() {
    let env = TestEnv::new();
    env.run("").stdout_is(&env.run("--help").stdout);
    env.run("sessions").stdout_is(&env.run("sessions --help").stdout);
}

#[test]
fn unknown_words_suggest_the_near_one() {
    let env = TestEnv::new();
    for (typed, why) in [
        ("session live", "ait: unknown command `session`; did you mean `sessions`?"),
        ("sessions liev", "ait sessions: unknown command `liev`; did you mean `live`?"),
        ("sessions conflict", "ait sessions: unknown command `conflict`; did you mean `conflicts`?"),
        ("sessions hist", "ait sessions: unknown command `hist`; did you mean `history`?"),
        ("sessions xyzzy", "ait sessions: unknown command `xyzzy`; type: ait sessions --help"),
        ("xyzzy", "ait: unknown command `xyzzy`; type: ait --help"),
        ("sessions live --jsno", "ait sessions live: unknown option `--jsno`; did you mean `--json`?"),
        ("sessions live --porject=x", "ait sessions live: unknown option `--porject=x`; did you mean `--project`?"),
        (
            "sessions live --project x --verbos",
            "ait sessions live: unknown option `--verbos`; did you mean `--verbose`?",
        ),
        ("sessions prune --dryrun", "ait sessions prune: unknown option `--dryrun`; did you mean `--dry-run`?"),
        ("sessions prune -x", "ait sessions prune: unknown option `-x`; type: ait sessions prune --help"),
    ] {
        env.run(typed).failure(2, &format!("reading the command line: {why}"));
    }
}

#[test]
fn what_else_is_wrong_is_one_line() {
    let env = TestEnv::new();
    for typed in [
        "sessions live extra",
        "sessions live --project",
        "sessions live --project a --project b",
        "sessions live --color purple",
        "sessions live --json=1",
        "sessions history --days x",
        "sessions history --days -1",
        "sessions history --limit x",
        "sessions history --date",
        "sessions task --session",
        "sessions --json",
    ] {
        let said = env.run(typed);
        assert_eq!((said.exit_code, said.stderr.lines().count()), (Some(2), 1), "{said:?}");
        if typed.ends_with("--json") {
            let object: serde_json::Value = serde_json::from_str(&said.stdout).unwrap();
            assert_eq!(object["exit_code"], 2, "{said:?}");
        } else {
            assert_eq!(said.stdout, "", "{said:?}");
        }
        assert!(said.stderr.starts_with("ait: reading the command line: "), "{said:?}");
    }
}

#[test]
fn equals_sign_is_a_space() {
    let env = TestEnv::new();
    let client = Client::new();
    env.write_manifest("one", client.pid(), &env.path("p"), json!({"task": "a=b"}));
    let same = |one: &[&str], other: &[&str]| {
        let strip = |words: &[&str]| {
            let out = env.ait().run_args(words).success();
            out.split("elapsed_seconds").next().unwrap().to_owned()
        };
        assert_eq!(strip(one), strip(other), "{one:?}");
    };
    same(&["sessions", "live", "--project=aiterm", "--json"], &["sessions", "live", "--project", "aiterm", "--json"]);
    same(&["sessions", "live", "--path=p"], &["sessions", "live", "--path", "p"]);
    same(&["sessions", "history", "--days=7"], &["sessions", "history", "--days", "7"]);
    same(&["sessions", "history", "--search=a=b"], &["sessions", "history", "--search", "a=b"]);
    same(&["sessions", "current", "--session=one"], &["sessions", "current", "--session", "one"]);
    env.run("sessions task --session=one x=y").stdout_is("Task of one: x=y\n");
    env.run("sessions task --session one --").success();
}

/// A newer script may say what an older program does not know; Claude Code and prompts show nothing of it, the log does.
#[test]
fn wrong_arguments_of_fast_commands_go_to_the_log() {
    let env = TestEnv::new();
    let wrong = [
        ("prompt --nonsense", "prompt: reading the command line: ait prompt: unknown option `--nonsense`; "),
        ("prompt --max-width x", "prompt: reading the command line: ait prompt: "),
        ("prompt extra", "prompt: reading the command line: ait prompt: "),
        ("--for --nonsense prompt", "prompt: reading the command line: "),
        ("prompt --for nonsense", "prompt: reading the command line: ait prompt: --for: "),
        (
            "statusline --formt x",
            "statusline: reading the command line: ait statusline: unknown option `--formt`; did ",
        ),
        ("statusline --color purple", "statusline: reading the command line: --color: "),
        ("hook --nope", "hook: reading the command line: ait hook: unknown option `--nope`; "),
        ("hook a b", "hook: reading the command line: ait hook: "),
        ("hook session-register --x=1", "hook: reading the command line: ait hook: unknown option `--x=1`; "),
        ("hook nonsense", "hook nonsense: recording an event: standard input: "),
        ("hook --", "hook: recording an event: standard input: "),
    ];
    for (typed, logged) in wrong {
        let said = env.run(typed);
        let shown = if typed.starts_with("statusline --color") { said.stdout.as_str() } else { "" };
        assert_eq!((said.exit_code, said.stdout.as_str(), said.stderr.as_str()), (Some(0), shown, ""), "{said:?}");
        let last = env.log_lines().pop().unwrap_or_else(|| panic!("{typed} left nothing in the log"));
        assert!(last.split_once(' ').unwrap().1.starts_with(logged), "{typed}: {last}");
    }
    let doctor: serde_json::Value = serde_json::from_str(&env.run("doctor --json").stdout).unwrap();
    let log = doctor["checks"].as_array().unwrap().iter().find(|check| check["name"] == "log").unwrap();
    assert_eq!(log["status"], "warn", "{log}");
    assert!(log["detail"].as_str().unwrap().contains(" errors in the last day, latest: "), "{log}");
}

/// On a terminal the person is told, and nothing goes to the log. Exit code 2 of a hook is an order to block.
#[test]
#[cfg(target_os = "linux")]
fn wrong_words_of_the_fast_three_are_told_on_a_terminal() {
    needs!("script");
    let env = TestEnv::new();
    for (typed, code, told) in [
        ("prompt --nonsense", 2, "ait: reading the command line: ait prompt: unknown option `--nonsense`; "),
        ("statusline --nonsense", 0, "ait: reading the command line: ait statusline: unknown option `--nonsense`; "),
        ("hook --nope", 0, "ait: reading the command line: ait hook: unknown option `--nope`; "),
        ("hook nonsense", 0, "ait: unknown hook `nonsense`; the hooks are session-register and session-cleanup\r\n"),
    ] {
        let line = format!("{AIT} {typed}");
        let mut script = env.ait().command("script");
        let output = script.args(["-qec", &line, "/dev/null"]).stdin(Stdio::null()).output().unwrap();
        let shown = String::from_utf8(output.stdout).unwrap();
        assert_eq!(output.status.code(), Some(code), "{typed}: {shown}");
        assert!(shown.starts_with(told), "{typed}: {shown:?}");
    }
    assert_eq!(env.log_lines(), [""; 0]);
}

#[test]
fn a_reader_that_goes_away_is_no_error() {
    let env = TestEnv::new();
    let clients: Vec<Client> = (0..2).map(|_| Client::new()).collect();
    for (number, client) in clients.iter().enumerate() {
        // Larger than a pipe holds.
        let task = "x".repeat(200_000);
        env.write_manifest(&format!("s{number}"), client.pid(), &env.path("p"), json!({ "task": task }));
    }
    let script =
        "(\"$AIT\" sessions live --json; echo $? > code) | head -c 10 > /dev/null; while ! [ -s code ]; do :; done";
    let output = env.ait().env("AIT", AIT).command("sh").args(["-c", script]).output().unwrap();
    assert!(output.stderr.is_empty(), "{output:?}");
    assert_eq!(std::fs::read_to_string(env.path("code")).unwrap(), "0\n");
}

#[test]
#[cfg(target_os = "linux")]
fn output_that_cannot_be_written_is_an_error() {
    let env = TestEnv::new();
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let mut command = env.ait().command(AIT);
    let output = command.args(["sessions", "live"]).stdout(Stdio::from(full)).stderr(Stdio::piped()).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let wanted = "ait: writing the output: standard output: No space left on device (os error 28)\n";
    assert_eq!(String::from_utf8(output.stderr).unwrap(), wanted);
}

/// Names of folders, ids and words that were typed come back in error lines: none of them moves a cursor.
#[test]
fn error_lines_contain_no_control_characters() {
    let env = TestEnv::new();
    let odd = env.create_dir("d\u{1b}[31m\u{7}");
    let typed =
        ["sessions current", "sessions current --session \u{1b}[31m", "\u{1b}[31m", "guard \u{7}x", "init \u{9b}x"];
    for words in typed {
        let said = env.ait().current_dir(&odd).run(words).stderr;
        assert!(said.starts_with("ait: "), "{words:?}: {said:?}");
        assert!(!said.contains(|c: char| c.is_control() && c != '\n'), "{words:?}: {said:?}");
    }
}

#[test]
fn options_that_take_a_path_accept_a_folder_whose_name_is_not_utf_8() {
    use std::os::unix::ffi::OsStrExt as _;
    let env = TestEnv::new();
    let project = env.repository("project");
    let client = Client::new();
    env.write_manifest("one", client.pid(), &project, json!({"project": "aiterm", "task": "Round prices"}));
    // Two names that are the same once their bytes are replaced, and one that looks like an escaped byte.
    for (name, leads_there) in [(&b"caf\xe9"[..], true), (b"caf\xe8", false), ("caf\u{10ffe9}".as_bytes(), false)] {
        let path = env.path("").join(OsStr::from_bytes(name));
        match leads_there {
            true => std::os::unix::fs::symlink(&project, &path).unwrap(),
            false => std::fs::create_dir(&path).unwrap(),
        }
        let equals = [OsStr::new("--dir="), path.as_os_str()].join(OsStr::new(""));
        let run = |words: &[&OsStr]| {
            let output = env.ait().command(AIT).args(words).stdin(Stdio::null()).output().unwrap();
            assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]), "{words:?}");
            String::from_utf8(output.stdout).unwrap()
        };
        let apart = run(&["prompt".as_ref(), "--dir".as_ref(), path.as_ref()]);
        assert_eq!(apart.contains("Round prices"), leads_there, "{name:?}: {apart}");
        assert_eq!(run(&["prompt".as_ref(), equals.as_ref()]), apart);
        let live = run(&["sessions".as_ref(), "live".as_ref(), "--path".as_ref(), path.as_ref()]);
        assert_eq!(live.contains("Round prices"), leads_there, "{name:?}: {live}");
    }
}

#[test]
fn an_unknown_command_names_the_command_in_a_group_that_was_meant() {
    let env = TestEnv::new();
    for (typed, meant) in [
        ("live", "ait sessions live"),
        ("next", "ait sessions next"),
        ("histroy", "ait sessions history"),
        ("install", "ait hooks install"),
        ("help", "ait --help"),
        ("sessions help", "ait sessions --help"),
        ("promt", "prompt"),
        ("sessions lvie", "live"),
    ] {
        let said = env.run(typed);
        assert_eq!((said.exit_code, said.stdout.as_str()), (Some(2), ""), "{typed}: {said:?}");
        assert!(said.stderr.ends_with(&format!("; did you mean `{meant}`?\n")), "{typed}: {}", said.stderr);
    }
}

#[test]
fn a_number_of_days_or_sessions_is_at_least_one() {
    let env = TestEnv::new();
    for words in ["sessions history --days", "sessions history --limit", "sessions resume --days"] {
        for value in ["0", "x", "-1", "99999999999", "1.5"] {
            let said = env.run(&format!("{words} {value}"));
            assert_eq!((said.exit_code, said.stdout.as_str()), (Some(2), ""), "{words} {value}: {said:?}");
            let wanted = format!(": `{value}`: expected a whole number, 1 or more; type: ait sessions ");
            assert!(said.stderr.contains(&wanted), "{words} {value}: {}", said.stderr);
        }
        env.run(&format!("{words} 4294967295")).success();
    }
    let said = env.run("prompt --max-width x").exit_code;
    assert_eq!(said, Some(0), "a prompt never fails loudly");
    assert!(env.log_lines().concat().contains("--max-width: `x`: expected a whole number"), "{:?}", env.log_lines());
}
