//! The completion files: the same as the program prints, complete, and good for the real shells.
use crate::common::tools::needs;
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use argh::CommandInfoWithArgs;

const FILES: [(&str, &str); 3] = [("bash", "ait.bash"), ("zsh", "_ait"), ("fish", "ait.fish")];

fn file(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("completions").join(name)
}

/// A home of its own with one live session in it (this process) and `ait` in `PATH`.
struct Home(PathBuf);

impl Home {
    fn new(name: &str) -> Home {
        let home = std::env::temp_dir().join(format!("ait-test-{name}-{}", std::process::id()));
        let _ = std::fs::remove_dir_all(&home);
        let active = home.join(".claude/sessions/active");
        std::fs::create_dir_all(&active).unwrap();
        let manifest =
            format!(r#"{{"session_id": "abc-123", "project": "p", "path": "/", "pid": {}}}"#, std::process::id());
        std::fs::write(active.join("abc-123.json"), manifest).unwrap();
        Home(home)
    }

    /// What a shell writes to standard output for a script; it must write nothing to standard error.
    fn run(&self, shell: &str, arguments: &[&str], script: &str) -> String {
        let bin = Path::new(env!("CARGO_BIN_EXE_ait")).parent().unwrap().to_str().unwrap();
        let path = format!("{bin}:{}", std::env::var("PATH").unwrap());
        let mut command = Command::new(shell);
        command.args(arguments).env_clear().env("HOME", &self.0).env("PATH", path).env("TERM", "xterm");
        command.env("FILE", file(FILES.iter().find(|(name, _)| *name == shell).unwrap().1));
        command.current_dir(&self.0).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().unwrap();
        child.stdin.take().unwrap().write_all(script.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success() && said.is_empty(), "{shell}: {}: {said}", output.status);
        String::from_utf8_lossy(&output.stdout).into_owned()
    }
}

impl Drop for Home {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}

#[test]
fn the_files_are_what_the_program_prints() {
    for (shell, name) in FILES {
        let output = Command::new(env!("CARGO_BIN_EXE_ait")).args(["completions", shell]).output().unwrap();
        assert!(output.status.success());
        let kept = std::fs::read_to_string(file(name)).unwrap();
        let printed = String::from_utf8(output.stdout).unwrap();
        assert!(kept == printed, "out of date; type: ait completions {shell} > completions/{name}");
    }
}

#[test]
fn every_command_and_option_is_in_them() {
    fn check(path: &str, command: &CommandInfoWithArgs) {
        let [bash, zsh, fish] = FILES.map(|(_, name)| std::fs::read_to_string(file(name)).unwrap());
        for inner in &command.commands {
            let path = format!("{path} {}", inner.name);
            assert!(bash.contains(&format!("'{path}'")) && fish.contains(&format!("'{path}'")), "{path}");
            assert!(zsh.contains(&format!("_{}() {{", path.replace([' ', '-'], "_"))), "{path}");
            check(&path, &inner.command);
        }
        for flag in command.flags.iter().filter(|flag| !flag.hidden) {
            let long = flag.long.trim_start_matches('-');
            let place = format!("complete -c ait -n '__ait_at {path}'");
            assert!(
                fish.lines().any(|line| line.starts_with(&place) && line.contains(&format!(" -l {long} "))),
                "fish: {path} --{long}"
            );
            let words = bash.lines().find(|line| line.trim().starts_with(&format!("'{path}') words='"))).unwrap();
            assert!(words.contains(&format!("--{long}")), "bash: {path} --{long}");
            let function = format!("_{}() {{", path.replace([' ', '-'], "_"));
            let body = zsh.split(&function).nth(1).unwrap().split("\n}\n").next().unwrap();
            assert!(body.contains(&format!("--{long}")), "zsh: {path} --{long}");
        }
    }
    check("ait", &ait::cli::description());
}

#[test]
fn bash_completes_commands_options_and_values() {
    needs!("bash");
    let home = Home::new("complete-bash");
    let script = r#"
        source "$FILE"; source "$FILE"
        try() { COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1)); _ait; echo "${COMPREPLY[@]}"; }
        mkdir folder; touch file.svg
        try ait se
        try ait sessions li
        try ait sessions live --pa
        try ait sessions live --path f
        try ait timeline --svg fi
        try ait sessions live --color = al
        try ait sessions task --session ''
        try ait prompt --for z
        try ait sessions history --date y
        try ait sessions live --project ''
        complete -p ait
    "#;
    let said = home.run("bash", &["--norc", "--noprofile", "-eu"], script);
    assert_eq!(
        said,
        "sessions setup\nlive\n--path\nfolder\nfile.svg\nalways\nabc-123\nzsh\nyesterday\n\ncomplete -F _ait ait\n"
    );
}

#[test]
fn fish_completes_commands_options_and_values() {
    needs!("fish");
    let home = Home::new("complete-fish");
    let script = r#"
        source "$FILE"; source "$FILE"
        mkdir folder; touch file.svg
        complete -C 'ait sess'
        complete -C 'ait sessions li'
        complete -C 'ait sessions live --verb'
        complete -C 'ait sessions live --path fo'
        complete -C 'ait timeline --svg fi'
        complete -C 'ait prompt --for z'
        complete -C 'ait sessions task --session '
    "#;
    let said = home.run("fish", &["--no-config"], script);
    let first: Vec<&str> = said.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(first, ["sessions", "live", "--verbose", "folder/", "file.svg", "zsh", "abc-123"]);
}

#[test]
fn zsh_completes_commands_options_and_values() {
    needs!("zsh");
    let home = Home::new("complete-zsh");
    // A zsh in a terminal of its own, typed at; `ait` there prints what the line had become.
    let script = r#"
        zmodload zsh/zpty
        zpty z zsh -f -i
        zpty -w z 'PS1= RPS1=; fpath=(${FILE:h} $fpath); autoload -Uz compinit; compinit -u -D; setopt no_beep'
        zpty -w z 'ait() { print -r -- "<$*>" } 2>/dev/null; print -r -- rea""dy'
        zpty -r -m z said '*ready*'
        ask() { zpty -w z "$1"$'\t'; zpty -r -m z said '*<*>*'; print -r -- "${${said##*<}%%>*}" }
        ask 'ait sessions li'
        ask 'ait sessions live --verb'
        ask 'ait sessions task --sess'
        ask 'ait prompt --for=z'
        ask 'ait sessions history --date=y'
        zpty -d z
        autoload -Uz compinit; compinit -u -D; source $FILE; source $FILE; print -r -- $_comps[ait]
    "#;
    let said = home.run("zsh", &["-f"], script);
    let lines: Vec<&str> = said.lines().map(str::trim).collect();
    assert_eq!(
        lines,
        [
            "sessions live",
            "sessions live --verbose",
            "sessions task --session",
            "prompt --for=zsh",
            "sessions history --date=yesterday",
            "_ait"
        ]
    );
}
