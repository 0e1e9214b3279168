//! The completion files: the same as the program prints, complete, and good for the real shells.
use crate::common::tools::{brought, needs};
use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use argh::CommandInfoWithArgs;

const FILES: [(&str, &str); 6] = [
    ("bash", "ait.bash"),
    ("zsh", "_ait"),
    ("fish", "ait.fish"),
    ("nushell", "ait.nu"),
    ("elvish", "ait.elv"),
    ("xonsh", "ait.xsh"),
];

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
        let manifest = format!(
            r#"{{"session_id": "abc-123", "project": "p", "path": "/", "task": "Fix it", "pid": {}}}"#,
            std::process::id()
        );
        std::fs::write(active.join("abc-123.json"), manifest).unwrap();
        // bash would run what is in this name if it were offered.
        let hostile = format!(
            r#"{{"session_id": "zzz", "project": "$(touch pwned)", "path": "/", "pid": {}}}"#,
            std::process::id()
        );
        std::fs::write(active.join("zzz.json"), hostile).unwrap();
        let interrupted = r#"{"session_id": "gone-1", "project": "p", "path": "/", "task": "Lost", "pid": 4194999}"#;
        std::fs::write(active.join("gone-1.json"), interrupted).unwrap();
        std::fs::create_dir_all(home.join(".claude/sessions/history/2025-12-25")).unwrap();
        Home(home)
    }

    /// What a shell writes to standard output for a script; it must write nothing to standard error.
    fn run(&self, shell: &str, arguments: &[&str], script: &str) -> String {
        let bin = Path::new(env!("CARGO_BIN_EXE_ait")).parent().unwrap().to_str().unwrap();
        let path = format!("{bin}:{}", std::env::var("PATH").unwrap());
        let mut command = Command::new(brought(shell).unwrap_or_else(|| shell.to_owned()));
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
        assert!(!self.0.join("pwned").exists() || std::thread::panicking());
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
        let [bash, zsh, fish, nushell, elvish, xonsh] =
            FILES.map(|(_, name)| std::fs::read_to_string(file(name)).unwrap());
        for inner in &command.commands {
            let path = format!("{path} {}", inner.name);
            assert!(bash.contains(&format!("'{path}'")) && fish.contains(&format!("'{path}'")), "{path}");
            assert!(zsh.contains(&format!("_{}() {{", path.replace([' ', '-'], "_"))), "{path}");
            assert!(nushell.contains(&format!("\nextern \"{path}\" [\n")), "{path}");
            assert!(elvish.contains(&format!("\n  &'{path}'=[")) && xonsh.contains(&format!("\n        '{path}': {{")));
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
            let signature =
                nushell.split(&format!("\nextern \"{path}\" [\n")).nth(1).unwrap().split("\n]").next().unwrap();
            assert!(long == "help" || signature.contains(&format!("    --{long}")), "nushell: {path} --{long}");
            let line = elvish.lines().find(|line| line.starts_with(&format!("  &'{path}'=["))).unwrap();
            assert!(line.contains(&format!("--{long} '")), "elvish: {path} --{long}");
            let line = xonsh.lines().find(|line| line.starts_with(&format!("        '{path}': {{"))).unwrap();
            assert!(line.contains(&format!("'--{long}': '")), "xonsh: {path} --{long}");
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
        try ait sessions history --date 2025
        try ait sessions live --project ''
        try ait sessions go a
        try ait sessions go p
        try ait sessions resume --dismiss ''
        try ait sessions history --limit ''
        complete -p ait
    "#;
    let said = home.run("bash", &["--norc", "--noprofile", "-eu"], script);
    assert_eq!(
        said,
        "sessions setup\nlive\n--path\nfolder\nfile.svg\nalways\nabc-123 zzz\nzsh\nyesterday\n2025-12-25\np\nabc-123\np\ngone-1 all\n\ncomplete -F _ait ait\n"
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
        complete -C 'ait sessions go abc'
        complete -C 'ait sessions live --project '
        complete -C 'ait report --from 2025'
        complete -C 'ait sessions resume --dismiss g'
    "#;
    let said = home.run("fish", &["--no-config"], script);
    let first: Vec<&str> = said.lines().map(|line| line.split('\t').next().unwrap()).collect();
    assert_eq!(
        first,
        [
            "sessions",
            "live",
            "--verbose",
            "folder/",
            "file.svg",
            "zsh",
            "abc-123",
            "zzz",
            "abc-123",
            "p",
            "2025-12-25",
            "gone-1"
        ]
    );
    assert!(said.contains("abc-123\tp: Fix it\n"), "{said}");
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
        zpty -w z 'ait() { if [[ "$1" == completions ]]; then command ait "$@"; else print -r -- "<$*>"; fi } 2>/dev/null; print -r -- rea""dy'
        zpty -r -m z said '*ready*'
        ask() { zpty -w z "$1"$'\t'; zpty -r -m z said '*<*>*'; print -r -- "${${said##*<}%%>*}" }
        ask 'ait sessions li'
        ask 'ait sessions live --verb'
        ask 'ait sessions task --sess'
        ask 'ait prompt --for=z'
        ask 'ait sessions history --date=y'
        ask 'ait sessions history --date 2025'
        ask 'ait sessions live --project '
        ask 'ait sessions go a'
        ask 'ait sessions resume --dismiss g'
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
            "sessions history --date 2025-12-25",
            "sessions live --project p",
            "sessions go abc-123",
            "sessions resume --dismiss gone-1",
            "_ait"
        ]
    );
}

/// Lines that are completed in nushell and xonsh, and the words that are proposed first.
const COMPLETED: [(&str, &str); 11] = [
    ("ait sessions li", "live"),
    ("ait sessions live --pa", "--path"),
    ("ait sessions live --path fo", "folder/"),
    ("ait sessions live --color al", "always"),
    ("ait sessions task --session ", "abc-123"),
    ("ait prompt --for z", "zsh"),
    ("ait init nu", "nushell"),
    ("ait sessions live --project ", "p"),
    ("ait sessions history --date 2025", "2025-12-25"),
    ("ait sessions go ab", "abc-123"),
    ("ait sessions resume --dismiss g", "gone-1"),
];

#[test]
fn nushell_completes_commands_options_and_values() {
    needs!("nushell");
    let home = Home::new("complete-nushell");
    std::fs::create_dir(home.0.join("folder")).unwrap();
    for (line, word) in COMPLETED {
        let text = format!("source '{0}'\nsource '{0}'\n{line}", file("ait.nu").display());
        std::fs::write(home.0.join("line.nu"), &text).unwrap();
        let said = home.run("nushell", &["--no-config-file", "--ide-complete", &text.len().to_string(), "line.nu"], "");
        let said: serde_json::Value = serde_json::from_str(&said).unwrap();
        let found = said["completions"][0].as_str().unwrap_or_default();
        assert!(found == word || found.ends_with(&format!(" {word}")), "{line}: {said}");
    }
    // The help is that of ait, as ever.
    let script = format!("source '{}'; ait sessions live --help", file("ait.nu").display());
    let said = home.run("nushell", &["--no-config-file", "-c", &script], "");
    assert!(said.starts_with("Usage: ait sessions live"), "{said}");
}

#[test]
fn xonsh_completes_commands_options_and_values() {
    needs!("xonsh");
    let home = Home::new("complete-xonsh");
    std::fs::create_dir(home.0.join("folder")).unwrap();
    let lines = COMPLETED.map(|(line, _)| line);
    let script = format!(
        "from xonsh.completer import Completer\n\
         for _ in range(2): execx(open($FILE).read())\n\
         for line in {lines:?}: print(str(Completer().complete_line(line)[0][0]).strip())\n"
    );
    std::fs::write(home.0.join("script.xsh"), script).unwrap();
    let said = home.run("xonsh", &["--no-rc", "script.xsh"], "");
    assert_eq!(said.lines().collect::<Vec<_>>(), COMPLETED.map(|(_, word)| word));
}

/// The completions of elvish are there only in its editor, so it runs in a terminal.
#[test]
fn elvish_completes_commands_options_and_values() {
    needs!("elvish", "script");
    let home = Home::new("complete-elvish");
    let typed = r#"
for _ [1 2] { eval (slurp < $E:FILE) }
fn ask {|@words| $edit:completion:arg-completer[ait] $@words | each {|it| try { echo $it[stem] } catch { echo $it } } }
{ ask ait se; ask ait sessions li; ask ait sessions live --color al; ask ait sessions task --session ''; ask ait sessions go ''; ask ait sessions live --project p; ask ait report --from ''; ask ait sessions resume --dismiss '' } > said
exit
"#;
    let bin = Path::new(env!("CARGO_BIN_EXE_ait")).parent().unwrap().to_str().unwrap();
    let mut child = Command::new("script")
        .args(["-qec", "elvish -norc", "/dev/null"])
        .env_clear()
        .envs([("HOME", home.0.to_str().unwrap()), ("TERM", "xterm"), ("FILE", file("ait.elv").to_str().unwrap())])
        .env("PATH", format!("{bin}:{}", std::env::var("PATH").unwrap()))
        .current_dir(&home.0)
        .stdin(Stdio::piped())
        .stdout(Stdio::null())
        .spawn()
        .unwrap();
    for line in typed.lines() {
        child.stdin.as_mut().unwrap().write_all(format!("{line}\r").as_bytes()).unwrap();
    }
    assert!(child.wait().unwrap().success());
    let said = std::fs::read_to_string(home.0.join("said")).unwrap();
    for word in ["sessions", "live", "always", "abc-123", "zzz", "--list", "p", "2025-12-25", "gone-1"] {
        assert!(said.lines().any(|line| line == word), "{word}: {said}");
    }
}
