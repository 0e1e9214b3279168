//! The shell files in real shells, in a real terminal: tmux with a server of its own.
use crate::common::starship;

use std::fs;
use std::io::{BufRead, BufReader};
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ait::commands::init::{Init, text_for};
use ait::render::dialect::Dialect;
use ait::render::format::Format;
use ait::render::segment::{Facts, render};
use ait::render::theme::{Icons, Look};

/// A home of its own, with a stand-in for `ait` that answers `segment` and notes each call. What a segment says is not
/// tested here; that the right program is asked at the right time, and what becomes of its answer, is.
struct World {
    home: PathBuf,
}

impl World {
    fn new() -> World {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let name = format!("ait-sh-{}-{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed));
        let home = std::env::temp_dir().join(name);
        let _ = fs::remove_dir_all(&home);
        fs::create_dir_all(home.join(".claude/sessions/active")).unwrap();
        fs::create_dir_all(home.join("it's a \"bin\"")).unwrap();
        let world = World { home };
        world.program("#!/bin/sh\nprintf '%s\\n' \"$*\" >> \"$HOME/calls\"\ncat \"$HOME/segment\"\n");
        world.answer("SEGMENT");
        world
    }

    fn path(&self, name: &str) -> PathBuf {
        self.home.join(name)
    }

    /// Where the program is: a path that needs quoting.
    fn ait(&self) -> PathBuf {
        self.home.join("it's a \"bin\"/ait")
    }

    fn program(&self, script: &str) {
        // Beside and renamed: a program that is being run cannot be written to.
        let new = self.home.join("new");
        fs::write(&new, script).unwrap();
        fs::set_permissions(&new, fs::Permissions::from_mode(0o755)).unwrap();
        fs::rename(new, self.ait()).unwrap();
    }

    /// The real program in place of the stand-in.
    fn real(&self) {
        fs::remove_file(self.ait()).unwrap();
        // By a process of its own: one that another thread starts meanwhile would hold the file open for writing, and
        // the kernel runs no such file.
        assert!(Command::new("cp").arg(env!("CARGO_BIN_EXE_ait")).arg(self.ait()).status().unwrap().success());
    }

    /// A session of 45 minutes that works in the home folder, in the process that runs the tests.
    fn start_real_session(&self, id: &str, task: &str) {
        let started = jiff::Timestamp::now() - jiff::SignedDuration::from_mins(45);
        let manifest = format!(
            r#"{{"session_id":"{id}","project":"api","path":"{}","git_branch":"main","git_dirty":false,"started":"{started:.0}","pid":{},"task":"{task}"}}"#,
            self.home.display(),
            std::process::id(),
        );
        let new = self.path(".claude/sessions/active/.new");
        fs::write(&new, manifest).unwrap();
        fs::rename(new, self.path(&format!(".claude/sessions/active/{id}.json"))).unwrap();
    }

    fn answer(&self, segment: &str) {
        fs::write(self.path("segment"), segment).unwrap();
    }

    fn start_session(&self) {
        fs::write(self.path(".claude/sessions/active/one.json"), "{}").unwrap();
    }

    fn end_session(&self) {
        fs::remove_file(self.path(".claude/sessions/active/one.json")).unwrap();
    }

    fn calls(&self) -> usize {
        fs::read_to_string(self.path("calls")).unwrap_or_default().lines().count()
    }

    /// Writes what `ait init` prints to a file of the home, and gives the line that loads it.
    fn init(&self, shell: &str, manual: bool) -> String {
        let request = Init { target: Some(shell.to_owned()), manual, plugin: false };
        let text = text_for(&request, &self.ait()).unwrap();
        fs::write(self.path("init"), text).unwrap();
        match shell {
            "fish" => "cat ~/init | source".to_owned(),
            _ => "eval \"$(cat ~/init)\"".to_owned(),
        }
    }

    /// A shell with these start-up lines, and nothing of this machine's.
    fn shell(&self, shell: &str, start: &str) -> Terminal<'_> {
        self.shell_under(shell, start, "")
    }

    fn shell_under(&self, shell: &str, start: &str, tracer: &str) -> Terminal<'_> {
        match shell {
            "zsh" => {
                fs::write(self.path(".zshrc"), start).unwrap();
                Terminal::open(self, &format!("{tracer} zsh -d -i"))
            }
            "bash" => {
                fs::write(self.path("bashrc"), start).unwrap();
                Terminal::open(self, &format!("{tracer} bash --noprofile --rcfile ~/bashrc -i"))
            }
            "fish" => {
                fs::create_dir_all(self.path(".config/fish")).unwrap();
                let start = format!("set -g fish_greeting\nset -g fish_history ''\n{start}");
                fs::write(self.path(".config/fish/config.fish"), start).unwrap();
                Terminal::open(self, &format!("{tracer} fish -i"))
            }
            other => panic!("{other}"),
        }
    }
}

impl Drop for World {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.home);
    }
}

/// A terminal of 100 x 30 cells.
struct Terminal<'a> {
    world: &'a World,
    socket: &'static str,
}

impl<'a> Terminal<'a> {
    fn open(world: &'a World, command: &str) -> Terminal<'a> {
        Terminal::open_as(world, "outer", command)
    }

    fn open_as(world: &'a World, socket: &'static str, command: &str) -> Terminal<'a> {
        let terminal = Terminal { world, socket };
        let command = format!("cd ~; exec {command}");
        let made = terminal.tmux(&["-f", "/dev/null", "new-session", "-d", "-x", "100", "-y", "30", &command]);
        assert!(made.status.success(), "{made:?}");
        terminal
    }

    fn tmux(&self, arguments: &[&str]) -> Output {
        Command::new("tmux")
            .args(["-u", "-L", self.socket])
            .args(arguments)
            .env_clear()
            .env("PATH", std::env::var_os("PATH").unwrap())
            .env("HOME", &self.world.home)
            .env("TMUX_TMPDIR", &self.world.home)
            .env("LANG", "C.UTF-8")
            .env("SHELL", "/bin/sh")
            .env("TERM", "xterm-256color")
            .output()
            .unwrap()
    }

    /// What tmux answers, without the newline at the end.
    fn ask(&self, arguments: &[&str]) -> String {
        let output = self.tmux(arguments);
        assert!(output.status.success(), "{arguments:?}: {output:?}");
        String::from_utf8(output.stdout).unwrap().trim_end_matches('\n').to_owned()
    }

    fn option(&self, name: &str) -> String {
        self.ask(&["show-options", "-gqv", name])
    }

    /// The screen, without empty lines at its end and spaces at the ends of lines.
    fn screen(&self) -> String {
        let output = self.tmux(&["capture-pane", "-p"]);
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        text.lines().map(str::trim_end).collect::<Vec<_>>().join("\n").trim_end().to_owned()
    }

    fn type_line(&self, line: &str) {
        if !line.is_empty() {
            assert!(self.tmux(&["send-keys", "-l", "--", line]).status.success());
        }
        assert!(self.tmux(&["send-keys", "Enter"]).status.success());
    }

    #[track_caller]
    fn wait_until(&self, wanted: &str, mut holds: impl FnMut(&str) -> bool) -> String {
        let start = Instant::now();
        loop {
            let screen = self.screen();
            if holds(&screen) {
                return screen;
            }
            if start.elapsed() > Duration::from_secs(30) {
                let start = fs::read_to_string(self.world.path(".zshrc")).unwrap_or_default();
                panic!("waited for {wanted}; the screen:\n{screen}\n{start}");
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }

    /// Waits until the last line of the screen is this.
    #[track_caller]
    fn wait_for_last(&self, wanted: &str) -> String {
        self.wait_until(wanted, |screen| screen.lines().last().unwrap_or_default() == wanted)
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        // A shell that is hung up still writes to its home: it is to be gone before that goes.
        let panes = self.tmux(&["list-panes", "-a", "-F", "#{pane_pid}"]).stdout;
        let _ = self.tmux(&["kill-server"]);
        let start = Instant::now();
        for pid in String::from_utf8_lossy(&panes).lines() {
            while is_running(pid) && start.elapsed() < Duration::from_secs(5) {
                std::thread::sleep(Duration::from_millis(5));
            }
        }
    }
}

/// A line with text at both edges of the terminal; zsh and fish keep one cell free at the right.
fn both_edges(left: &str, right: &str, free: usize) -> String {
    let width = 100 - free - right.chars().count();
    format!("{left:width$}{right}")
}

fn wait_for(wanted: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(30), "waited for {wanted}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A text from outside as `ait prompt` writes it, with colour.
fn render_text(text: &str, dialect: Dialect) -> String {
    let look = Look { color: true, icons: Icons::Unicode, max_width: None };
    render(Format::parse("{project}").unwrap(), &Facts { project: text, ..Facts::default() }, dialect, look)
}

const SHELLS: [&str; 3] = ["zsh", "bash", "fish"];

/// Lines that give each shell a prompt which shows how often it was shown, and the last exit code.
fn counting_prompt(shell: &str) -> &'static str {
    match shell {
        "zsh" => "setopt prompt_subst; n=0; precmd() { n=$((n+1)) }; PROMPT='n$n <%?> '\n",
        "bash" => "n=0; PROMPT_COMMAND='n=$((n+1))'; PS1='n$n <$?> '\n",
        _ => {
            "set n 0\nfunction count --on-event fish_prompt; set -g n (math $n + 1); end\nfunction fish_prompt; echo -n \"n$n <$status> \"; end\n"
        }
    }
}

#[test]
fn zsh_shows_it_before_the_users_right_prompt() {
    for subst in ["", "setopt prompt_subst\n"] {
        let world = World::new();
        let init = world.init("zsh", false);
        world.answer(&render_text("api 100% $(touch pwned) \\$HOME", Dialect::Zsh));
        let zsh = world.shell("zsh", &format!("{subst}PROMPT='<%?> ' RPROMPT='theirs %1~'\n{init}\n{init}\n"));
        zsh.wait_for_last(&both_edges("<0>", "theirs ~", 1));
        world.start_session();
        zsh.type_line("false");
        let shown = "api 100% $(touch pwned) \\$HOME theirs ~";
        let before = zsh.wait_for_last(&both_edges("<1>", shown, 1));
        assert_eq!(before.lines().count(), 2, "{before}");
        world.end_session();
        zsh.type_line("");
        zsh.wait_for_last(&both_edges("<1>", "theirs ~", 1));
        // A hook that turns expansion on after the segment was placed.
        world.start_session();
        zsh.type_line("precmd_functions+=(later); later() { setopt prompt_subst }; cd /");
        zsh.wait_until("/", |screen| screen.ends_with("theirs /") && screen.contains("touch pwned"));
        assert!(!world.path("pwned").exists());
        assert!(!Path::new("/pwned").exists());
    }
}

#[test]
fn zsh_with_a_hook_that_sets_the_right_prompt_each_time() {
    for order in ["INIT; precmd_functions+=(theirs)", "precmd_functions+=(theirs); INIT"] {
        let world = World::new();
        world.start_session();
        let lines = order.replace("INIT", &world.init("zsh", false));
        let zsh = world.shell("zsh", &format!("PROMPT='> '; theirs() {{ RPROMPT='theirs' }}; {lines}\n"));
        zsh.wait_until("a prompt", |screen| screen.ends_with("theirs"));
        zsh.type_line("");
        zsh.wait_for_last(&both_edges(">", "SEGMENT theirs", 1));
        zsh.type_line("echo $RPROMPT");
        zsh.wait_until("the value", |screen| screen.contains("\nSEGMENT theirs\n"));
    }
}

#[test]
fn bash_shows_it_above_the_prompt() {
    let world = World::new();
    let init = world.init("bash", false);
    world.answer(&render_text("api \\u \\$ $(touch pwned)", Dialect::Bash));
    let bash = world.shell("bash", &format!("PS1='<$?> '\n{init}\n{init}\n"));
    bash.wait_for_last("<0>");
    assert_eq!(bash.screen(), "<0>");
    world.start_session();
    bash.type_line("(exit 7)");
    bash.wait_for_last("<7>");
    assert_eq!(bash.screen(), "<0> (exit 7)\napi \\u \\$ $(touch pwned)\n<7>");
    world.end_session();
    bash.type_line("");
    bash.wait_until("no segment", |screen| screen.ends_with(")\n<7>\n<7>"));
    assert!(!world.path("pwned").exists());
}

#[test]
fn bash_with_a_framework_that_sets_the_prompt_each_time() {
    let world = World::new();
    world.start_session();
    let init = world.init("bash", false);
    let bash = world.shell("bash", &format!("PROMPT_COMMAND='PS1=\"theirs \"'\n{init}\n{init}\n"));
    bash.wait_for_last("theirs");
    assert_eq!(bash.screen(), "SEGMENT\ntheirs");
    bash.type_line("");
    bash.wait_until("twice", |screen| screen == "SEGMENT\ntheirs\nSEGMENT\ntheirs");
}

#[test]
fn fish_shows_it_before_the_users_right_prompt() {
    let world = World::new();
    let init = world.init("fish", false);
    world.answer(&render_text("api $(touch pwned) (touch pwned)", Dialect::Fish));
    let theirs =
        "function fish_prompt; echo -n \"<$status> \"; end\nfunction fish_right_prompt; echo \"theirs $status\"; end";
    let fish = world.shell("fish", &format!("{theirs}\n{init}\n{init}\n"));
    fish.wait_for_last(&both_edges("<0>", "theirs 0", 0));
    world.start_session();
    fish.type_line("false");
    fish.wait_for_last(&both_edges("<1>", "api $(touch pwned) (touch pwned) theirs 1", 0));
    world.end_session();
    fish.type_line("");
    fish.wait_for_last(&both_edges("<1>", "theirs 1", 0));
    assert!(!world.path("pwned").exists());
}

/// A right prompt that has no room is not shown at all, so the segment is told to take half of the line.
#[test]
fn a_segment_is_told_how_much_room_there_is() {
    for (shell, prompt, part) in [
        ("zsh", "setopt prompt_subst; PROMPT='[$AIT_SEGMENT] '", 2),
        ("bash", "PS1='[$AIT_SEGMENT] '", 1),
        ("fish", "function fish_prompt; echo -n \"[$(ait_segment)] \"; end", 2),
    ] {
        let world = World::new();
        world.program("#!/bin/sh\necho \"$*\"\n");
        world.start_session();
        let terminal = world.shell(shell, &format!("{}\n{prompt}\n", world.init(shell, true)));
        terminal.wait_until("a prompt", |screen| screen.contains(&format!("[prompt --for {shell} --max-width ")));
        terminal.type_line("clear; echo columns $COLUMNS");
        terminal.wait_until("the width", |screen| screen.contains("columns") && screen.ends_with(']'));
        let screen = terminal.screen();
        let number = |before: &str| -> usize {
            let after = screen.split(before).last().unwrap();
            after.split(|c: char| !c.is_ascii_digit()).next().unwrap().parse().unwrap()
        };
        assert_eq!(number("--max-width "), number("columns ") / part, "{shell}: {screen}");
    }
}

#[test]
fn placed_by_the_user() {
    for (shell, prompt) in [
        ("zsh", "setopt prompt_subst; PROMPT='[$AIT_SEGMENT] <%?> '"),
        ("bash", "PS1='[$AIT_SEGMENT] <$?> '"),
        ("fish", "function fish_prompt; set -l was $status; echo -n \"[$(ait_segment)] <$was> \"; end"),
        ("zsh", "setopt prompt_subst; PROMPT='[$(ait_segment)] <%?> '"),
        ("bash", "PS1='[$(ait_segment)] <$?> '"),
    ] {
        // Loaded before the prompt is set as well as after it.
        for before in [true, false] {
            let world = World::new();
            world.start_session();
            let init = world.init(shell, true);
            let start = if before { format!("{init}\n{prompt}\n") } else { format!("{prompt}\n{init}\n") };
            let terminal = world.shell(shell, &start);
            let prompt = if prompt.starts_with("PS1='[$(ait") { "[SEGMENT] <0>" } else { "[SEGMENT] <1>" };
            terminal.wait_for_last("[SEGMENT] <0>");
            terminal.type_line("false");
            terminal.wait_until("two prompts", |screen| {
                screen.matches("[SEGMENT]").count() == 2 && screen.ends_with(prompt)
            });
            assert_eq!(terminal.screen(), format!("[SEGMENT] <0> false\n{prompt}"), "{shell}");
        }
    }
}

#[test]
fn zsh_under_every_option() {
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
            let world = World::new();
            world.start_session();
            let init = world.init("zsh", false);
            let (first, last) = if when == "before" {
                (format!("setopt {options}\n"), String::new())
            } else {
                (String::new(), format!("setopt {options}\n"))
            };
            // The other hook sees the exit code too.
            let hook = "seen=; precmd() { seen=$? }";
            let zsh = world.shell("zsh", &format!("PROMPT='<%?> '\n{hook}\n{first}{init}\n{init}\n{last}"));
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

#[test]
fn bash_under_every_option() {
    for options in [
        "set -e",
        "set -u",
        "set -o pipefail",
        "set -f",
        "set -C",
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
            let world = World::new();
            world.start_session();
            let init = world.init("bash", false);
            let bash = world.shell("bash", &format!("PS1='<$?> '\n{hook}\n{options}\n{init}\n{init}\n"));
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
    // What an older bash would make of it: the branch is chosen by BASH_VERSINFO, which is read-only, so the text is
    // told another number.
    let world = World::new();
    world.start_session();
    world.init("bash", false);
    let text = fs::read_to_string(world.path("init")).unwrap();
    assert!(text.contains(">= 501"));
    fs::write(world.path("init"), text.replace(">= 501", ">= 9901")).unwrap();
    let start = "PS1='<$?> '; keep() { return $?; }; PROMPT_COMMAND='keep;'; . ~/init; . ~/init; PROMPT_COMMAND+='; after=$?'\n";
    let bash = world.shell("bash", start);
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
    let world = World::new();
    world.start_session();
    let init = world.init("bash", false);
    let bash = world.shell("bash", &format!("PS1='<$?> '\n{init}\nset +m\n"));
    bash.wait_for_last("<0>");
    bash.type_line("sleep 1000 & mine=$!");
    bash.wait_until("two", |screen| screen.matches("SEGMENT").count() == 2);
    bash.type_line("true");
    bash.wait_until("three", |screen| screen.matches("SEGMENT").count() == 3);
    bash.type_line("[ $! = $mine ] && kill $! && echo same");
    bash.wait_until("the number", |screen| screen.contains("\nsame\n"));
}

#[test]
fn nothing_live_starts_no_process() {
    for shell in SHELLS {
        for manual in [false, true] {
            let world = World::new();
            let init = world.init(shell, manual);
            let trace = world.path("trace");
            let tracer = format!("strace -o {} -e trace=clone,clone3,fork,vfork,execve", trace.display());
            let terminal = world.shell_under(shell, &format!("{}{init}\n", counting_prompt(shell)), &tracer);
            let started = || {
                let text = fs::read_to_string(&trace).unwrap();
                text.lines().filter(|line| line.contains('(') && !line.contains("CLONE_THREAD")).count()
            };
            terminal.wait_until("the first prompt", |screen| screen.contains("n1 <0>"));
            let before = started();
            assert!(before > 0);
            for _ in 0..10 {
                assert!(terminal.tmux(&["send-keys", "-N", "10", "Enter"]).status.success());
            }
            terminal.wait_until("100 prompts", |screen| screen.contains("n101 <0>"));
            assert_eq!(started() - before, 0, "{shell}: {}", fs::read_to_string(&trace).unwrap());
            assert_eq!(world.calls(), 0);
            // And with a session it is one a prompt.
            world.start_session();
            for n in 102..105 {
                terminal.type_line("");
                terminal.wait_until("a prompt", |screen| screen.contains(&format!("n{n} <0>")));
            }
            assert_eq!(started() - before, 3, "{shell}: {}", fs::read_to_string(&trace).unwrap());
            assert_eq!(world.calls(), 3);
        }
    }
}

#[test]
fn where_the_sessions_are() {
    for shell in SHELLS {
        let set = |name: &str, value: &str| match shell {
            "fish" => format!("set -gx {name} {value}\n"),
            _ => format!("export {name}={value}\n"),
        };
        for (variables, folder) in [
            (set("CLAUDE_CONFIG_DIR", "~/'other [x]'"), "other [x]/sessions/active"),
            (
                set("AIT_SESSIONS_DIR", "~/'s [a-z]* $HOME'") + &set("CLAUDE_CONFIG_DIR", "/nowhere"),
                "s [a-z]* $HOME/active",
            ),
            (set("AIT_SESSIONS_DIR", "''") + &set("CLAUDE_CONFIG_DIR", "''"), ".claude/sessions/active"),
        ] {
            let world = World::new();
            let init = world.init(shell, true);
            let terminal = world.shell(shell, &format!("{}{variables}{init}\n", counting_prompt(shell)));
            terminal.wait_until("a prompt", |screen| screen.contains("n1 <0>"));
            let before = world.calls();
            fs::create_dir_all(world.path(folder)).unwrap();
            fs::write(world.path(folder).join("x.json"), "{}").unwrap();
            terminal.type_line("");
            terminal.wait_until("a prompt", |screen| screen.contains("n2 <0>"));
            assert_eq!(world.calls(), before + 1, "{shell}: {folder}");
        }
    }
}

#[test]
fn a_missing_program_leaves_an_empty_prompt() {
    for shell in SHELLS {
        let world = World::new();
        world.start_session();
        let init = world.init(shell, false);
        fs::remove_file(world.ait()).unwrap();
        let terminal = world.shell(shell, &format!("{}{init}\n", counting_prompt(shell)));
        terminal.wait_for_last("n1 <0>");
        terminal.type_line("");
        terminal.wait_for_last("n2 <0>");
        assert_eq!(terminal.screen(), "n1 <0>\nn2 <0>", "{shell}");
        // Not a program of this machine; a script without its interpreter, of which fish itself speaks, whatever is
        // redirected; a program that fails.
        for broken in ["\u{7f}ELF nonsense", "#!/nowhere\n", "#!/bin/sh\necho broken >&2\nexit 3\n"] {
            if shell == "fish" && broken.contains("nowhere") {
                continue;
            }
            world.program(broken);
            terminal.type_line("clear");
            terminal.wait_until("a clear screen", |screen| {
                screen.starts_with('n') && screen.lines().count() == 1 && !screen.contains("clear")
            });
        }
    }
}

#[test]
fn a_hung_program_does_not_hang_the_prompt() {
    for (shell, job) in [("zsh", ""), ("bash", ""), ("bash", "sleep 1000 & disown\n"), ("fish", "")] {
        let world = World::new();
        let init = world.init(shell, false);
        world.start_session();
        // After `ait init` has spoken: what was replaced cannot be trusted to answer. A part of an answer is none.
        let hung = "#!/bin/sh\nprintf '%s\\n' \"$*\" >> \"$HOME/calls\"\necho $$ > \"$HOME/pid\"\nprintf part\nexec sleep 1000\n";
        world.program(hung);
        let touched = Command::new("touch").args(["-d", "2001-02-03"]).arg(world.ait()).status().unwrap();
        assert!(touched.success());
        let terminal = world.shell(shell, &format!("{job}{}{init}\n", counting_prompt(shell)));
        terminal.wait_for_last("n1 <0>");
        let pid = fs::read_to_string(world.path("pid")).unwrap();
        wait_for("the end of what hung", || !is_running(pid.trim()));
        terminal.type_line("");
        terminal.wait_for_last("n2 <0>");
        assert_eq!(world.calls(), 1, "{shell}: asked again at once");
        assert_eq!(terminal.screen(), "n1 <0>\nn2 <0>", "{shell}");
    }
}

fn is_running(pid: &str) -> bool {
    let stat = fs::read_to_string(format!("/proc/{pid}/stat")).unwrap_or_default();
    !stat.is_empty() && !stat.contains(") Z ")
}

#[test]
fn no_home_and_no_folder() {
    for (shell, unset) in [("zsh", "unset HOME\n"), ("bash", "unset HOME\n"), ("fish", "set -e HOME\n")] {
        let world = World::new();
        world.start_session();
        let init = world.init(shell, false);
        let terminal = world.shell(shell, &format!("{}{init}\n{unset}", counting_prompt(shell)));
        terminal.wait_for_last("n1 <0>");
        assert_eq!(terminal.screen(), "n1 <0>", "{shell}");
        let folder = world.path(".claude/sessions/active");
        fs::remove_dir_all(&folder).unwrap();
        terminal.type_line("");
        terminal.wait_for_last("n2 <0>");
        // A file where the folder should be; a folder that only root can read.
        fs::write(&folder, "").unwrap();
        terminal.type_line("");
        terminal.wait_for_last("n3 <0>");
        fs::remove_file(&folder).unwrap();
        fs::create_dir(&folder).unwrap();
        fs::set_permissions(&folder, fs::Permissions::from_mode(0o000)).unwrap();
        fs::set_permissions(&world.home, fs::Permissions::from_mode(0o500)).unwrap();
        terminal.type_line("");
        terminal.wait_for_last("n4 <0>");
        fs::set_permissions(&world.home, fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(terminal.screen(), "n1 <0>\nn2 <0>\nn3 <0>\nn4 <0>", "{shell}");
    }
}

#[test]
fn no_name_but_ours_is_left_behind() {
    for (shell, names) in [
        ("zsh", "{ print -rl -- ${(k)parameters} ${(k)functions} ${(k)aliases} } | sort -u"),
        ("bash", "{ compgen -v; compgen -A function; compgen -a; } | sort -u"),
        ("fish", "begin; set -n; functions -a -n | string split ', '; alias; end | sort -u"),
    ] {
        let world = World::new();
        world.start_session();
        let init = world.init(shell, false);
        let terminal = world.shell(shell, &format!("{}{names} > ~/before\n", counting_prompt(shell)));
        terminal.wait_until("a prompt", |screen| screen.contains("n1 <"));
        terminal.type_line(&format!("{names} > ~/before; {init}"));
        terminal.wait_until("a prompt", |screen| screen.contains("n2 <0>"));
        terminal.type_line("true");
        terminal.wait_until("a prompt", |screen| screen.contains("n3 <0>"));
        terminal.type_line(&format!("{names} > ~/after; true"));
        terminal.wait_until("a prompt", |screen| screen.contains("n4 <0>"));
        let before = fs::read_to_string(world.path("before")).unwrap();
        let after = fs::read_to_string(world.path("after")).unwrap();
        let new: Vec<&str> = after.lines().filter(|name| !before.lines().any(|old| old == *name)).collect();
        assert!(new.contains(&"AIT_SEGMENT") && new.contains(&"ait_segment"), "{shell}: {new:?}");
        let allowed = match shell {
            // The hook lists, the prompt itself, and what `zmodload -F zsh/system p:sysparams` is asked for.
            "zsh" => &["precmd_functions", "RPROMPT", "RPS1", "sysparams", "builtins", "psvar"][..],
            "bash" => &["PROMPT_COMMAND", "_", "PIPESTATUS"][..],
            _ => &["fish_right_prompt"][..],
        };
        let leaked: Vec<&&str> = new
            .iter()
            .filter(|name| !name.starts_with("__ait_") && !name.to_ascii_lowercase().starts_with("ait_"))
            .filter(|name| !allowed.contains(name))
            .collect();
        assert!(leaked.is_empty(), "{shell}: {leaked:?}");
    }
}

#[test]
fn tmux_shows_the_fleet_and_forgets_it() {
    let world = World::new();
    // What `ait prompt --follow` does: a line at once, the same in the next second, and one at each change, never two in
    // a second.
    world.program(
        "#!/bin/sh\nprintf '%s\\n' \"$*\" >> \"$HOME/calls\"\ncase \"$*\" in *--follow*) ;; *) cat \"$HOME/segment\"; exit ;; esac\n\
         cat \"$HOME/segment\"; echo; sleep 1.1; old=\n\
         while sleep 0.05; do new=$(cat \"$HOME/segment\"); [ \"$new\" = \"$old\" ] || { echo \"$new\"; old=$new; sleep 1.1; }; done\n",
    );
    world.answer("2 sessions");
    let request = Init { target: Some("tmux".to_owned()), manual: false, plugin: true };
    fs::write(world.path("plugin"), text_for(&request, &world.ait()).unwrap()).unwrap();

    let inner = Terminal::open_as(&world, "inner", "sleep 1000");
    inner.ask(&["set-option", "-g", "status-interval", "0"]);
    let untouched = inner.ask(&["show-options", "-g"]) + &inner.ask(&["list-keys"]);
    let outer = Terminal::open(&world, "env -u TMUX tmux -u -L inner attach");
    outer.wait_until("a status line", |screen| screen.contains("[0]"));
    let load = format!("sh {}", world.path("plugin").display());

    // Loaded twice, the fleet is there once.
    inner.ask(&["run-shell", &load]);
    let once = inner.ask(&["show-options", "-g"]) + &inner.ask(&["list-keys"]);
    inner.ask(&["run-shell", &load]);
    assert_eq!(inner.ask(&["show-options", "-g"]) + &inner.ask(&["list-keys"]), once);
    assert!(inner.option("status-right").starts_with("#(exec #{q:@ait-bin} prompt --for tmux --fleet --follow"));
    assert!(inner.ask(&["list-keys", "-T", "prefix", "N"]).contains("sessions next --go"));
    outer.wait_until("the fleet", |screen| screen.contains("2 sessions"));
    // status-interval is 0: nothing but the job itself brings this.
    world.answer("3 sessions #[fg=red]api waits");
    outer.wait_until("the change", |screen| screen.contains("3 sessions api waits"));

    // A format of any shape arrives as one word, and at once.
    let format = "it's {count} \"x\" $(touch pwned) `touch pwned` ;#{x} )(";
    inner.ask(&["set-option", "-g", "@ait-format", format]);
    inner.ask(&["refresh-client", "-S", "-t", &inner.ask(&["list-clients", "-F", "#{client_name}"])]);
    let calls = || fs::read_to_string(world.path("calls")).unwrap_or_default();
    wait_for("the format", || calls().contains(&format!("--follow --format {format}\n")));
    assert!(!world.path("pwned").exists());

    // Removed, nothing is left.
    inner.ask(&["run-shell", &format!("{load} --remove")]);
    assert_eq!(inner.ask(&["show-options", "-g"]) + &inner.ask(&["list-keys"]), untouched);
    let program = world.ait().display().to_string();
    wait_for("the end of the job", || {
        let processes = Command::new("ps").args(["-A", "-o", "args="]).output().unwrap();
        !String::from_utf8_lossy(&processes.stdout).lines().any(|line| line.contains(&program))
    });
}

#[test]
fn tmux_options() {
    let world = World::new();
    let request = Init { target: Some("tmux".to_owned()), manual: false, plugin: true };
    fs::write(world.path("plugin"), text_for(&request, &world.ait()).unwrap()).unwrap();
    let load = format!("sh {}", world.path("plugin").display());
    let tmux = Terminal::open_as(&world, "inner", "sleep 1000");

    // Placed by the user, on both sides, with the shape that is asked for each time.
    tmux.ask(&["set-option", "-g", "status-left", "a #{ait} b #{ait_pane} c"]);
    tmux.ask(&["set-option", "-g", "status-right", "d #{ait}"]);
    tmux.ask(&["set-option", "-g", "@ait-follow", "off"]);
    tmux.ask(&["set-option", "-g", "@ait-key", "M-w"]);
    tmux.ask(&["run-shell", &load]);
    let fleet = "#(exec #{q:@ait-bin} prompt --for tmux --fleet#{?@ait-format, --format #{q:@ait-format},})";
    let pane = "#(exec #{q:@ait-bin} prompt --for tmux --dir #{q:pane_current_path})";
    assert_eq!(tmux.option("status-left"), format!("a {fleet} b {pane} c"));
    assert_eq!(tmux.option("status-right"), format!("d {fleet}"));
    assert_eq!(tmux.option("status-right-length"), "40");
    assert!(tmux.ask(&["list-keys", "-T", "prefix", "M-w"]).contains("sessions next --go"));
    // tmux.conf is read again, with a line that appends; then with another key.
    tmux.ask(&["set-option", "-g", "-a", "status-right", " #{ait}"]);
    tmux.ask(&["set-option", "-g", "@ait-key", "none"]);
    tmux.ask(&["run-shell", &load]);
    assert_eq!(tmux.option("status-right"), format!("d {fleet} "));
    assert!(!tmux.ask(&["list-keys"]).contains("sessions next"));
    // Another way of asking replaces the first.
    tmux.ask(&["set-option", "-g", "@ait-follow", "on"]);
    tmux.ask(&["run-shell", &load]);
    assert!(tmux.option("status-right").starts_with("d #(exec #{q:@ait-bin} prompt --for tmux --fleet --follow"));
    tmux.ask(&["run-shell", &format!("{load} --remove")]);
    assert_eq!(tmux.option("status-left"), "a #{ait} b #{ait_pane} c");
    assert_eq!(tmux.option("status-right"), "d #{ait} ");
    assert!(!tmux.ask(&["show-options", "-g"]).contains("@ait"));

    // On the left; on no side; a key that is taken.
    tmux.ask(&["set-option", "-g", "status-left", "L"]);
    tmux.ask(&["set-option", "-g", "status-right", "R"]);
    tmux.ask(&["set-option", "-g", "@ait-position", "none"]);
    tmux.ask(&["bind-key", "N", "new-window"]);
    tmux.ask(&["run-shell", &load]);
    assert_eq!(tmux.option("status-left") + &tmux.option("status-right"), "LR");
    assert!(tmux.ask(&["list-keys", "-T", "prefix", "N"]).contains("new-window"));
    tmux.ask(&["set-option", "-g", "@ait-position", "left"]);
    tmux.ask(&["run-shell", &load]);
    assert!(tmux.option("status-left").ends_with("} L") || tmux.option("status-left").ends_with(") L"));
    tmux.ask(&["run-shell", &format!("{load} --remove")]);
    assert_eq!(tmux.option("status-left") + &tmux.option("status-right"), "LR");
    assert!(tmux.ask(&["list-keys", "-T", "prefix", "N"]).contains("new-window"));
}

#[test]
fn tmux_loads_the_two_lines() {
    let world = World::new();
    world.program("#!/bin/sh\ncase $1 in init) cat \"$HOME/plugin\" ;; *) echo ANSWER ;; esac\n");
    let plugin = Init { target: Some("tmux".to_owned()), manual: false, plugin: true };
    fs::write(world.path("plugin"), text_for(&plugin, &world.ait()).unwrap()).unwrap();
    let lines = text_for(&Init { plugin: false, ..plugin }, &world.ait()).unwrap();
    assert_eq!(lines.lines().filter(|line| !line.starts_with('#')).count(), 2);
    fs::write(world.path("tmux.conf"), lines).unwrap();
    let tmux = Terminal::open_as(&world, "inner", "sleep 1000");
    tmux.ask(&["source-file", &world.path("tmux.conf").display().to_string()]);
    wait_for("the plug-in", || tmux.option("status-right").contains("--fleet"));
    assert_eq!(tmux.option("@ait-bin"), world.ait().display().to_string());
}

#[test]
fn tmux_pane_folder_is_one_word() {
    let world = World::new();
    let odd = world.path("it's; touch pwned; $(touch pwned) #{pane_id} #(touch pwned) `touch pwned` %H");
    let two_lines = world.path("a\ntouch pwned");
    fs::create_dir(&odd).unwrap();
    fs::create_dir(&two_lines).unwrap();
    let plugin = Init { target: Some("tmux".to_owned()), manual: false, plugin: true };
    fs::write(world.path("plugin"), text_for(&plugin, &world.ait()).unwrap()).unwrap();
    fs::write(world.path("in"), "cd \"$1\"\nexec sleep 1000\n").unwrap();
    let inner = Terminal::open_as(&world, "inner", "sleep 1000");
    inner.ask(&["set-option", "-g", "status-right", "#{ait_pane}"]);
    inner.ask(&["set-option", "-g", "status-interval", "1"]);
    inner.ask(&["run-shell", &format!("sh {}", world.path("plugin").display())]);
    let outer = Terminal::open(&world, "env -u TMUX tmux -u -L inner attach");
    let calls = || fs::read_to_string(world.path("calls")).unwrap_or_default();
    let enter = |folder: &Path| {
        inner.ask(&["new-window", "sh", &world.path("in").display().to_string(), &folder.display().to_string()]);
    };
    enter(&odd);
    wait_for("the folder", || calls().contains(&format!("prompt --for tmux --dir {}\n", odd.display())));
    outer.wait_until("the answer", |screen| screen.contains("SEGMENT"));
    fs::remove_file(world.path("calls")).unwrap();
    enter(&two_lines);
    let first_line = format!("prompt --for tmux --dir {}/a\n", world.home.display());
    wait_for("the folder", || calls().matches(&first_line).count() > 1);
    for folder in [&world.home, &odd, &two_lines] {
        assert!(!folder.join("pwned").exists());
    }
}

/// On a terminal the segment is a line. What was mistyped is said there; a mistake in a variable would be said before
/// each prompt, and goes to the log.
#[test]
fn the_prompt_typed_by_hand() {
    let world = World::new();
    world.real();
    let terminal = Terminal::open(&world, "env PS1='$ ' sh");
    let count = std::cell::Cell::new(0);
    let typed = |line: &str, wanted: &str| {
        count.set(count.get() + 1);
        let mark = format!("=={}", count.get());
        terminal.type_line(&format!("echo {mark}=; ~/it*/ait prompt {line}; echo $?; echo {mark}."));
        terminal.wait_until(wanted, |screen| screen.contains(&format!("{mark}=\n{wanted}\n{mark}.\n")));
    };
    typed("", "0");
    world.start_real_session("one", "Fix it");
    typed("", "api main 45m Fix it\n0");
    typed("--format {task}", "Fix it\n0");
    typed("--format {tsk}", "ait: reading the format: column 2: unknown token `tsk`; did you mean `task`?\n1");
    terminal.type_line("export AIT_FORMAT={tsk}");
    typed("", "0");
    typed("--format {task}", "Fix it\n0");
    terminal.type_line("export AIT_ICONS=runes");
    typed("--format {task}", "0");
    typed("--icons ascii --format {task}", "Fix it\n0");
    let caches = fs::read_dir(world.path(".cache/ait")).unwrap();
    let logs: Vec<String> =
        caches.map(|cache| fs::read_to_string(cache.unwrap().path().join("log")).unwrap()).collect();
    let told = |what: &str| logs.iter().any(|log| log.contains(what));
    assert!(told("prompt: reading the format: column 2") && told("AIT_ICONS: "), "{logs:?}");
}

#[test]
fn the_real_program_in_each_shell() {
    for shell in SHELLS {
        let world = World::new();
        world.real();
        // By the real command line, too.
        let load = match shell {
            "fish" => "~/it*/ait init fish | source".to_owned(),
            _ => format!("eval \"$(~/it*/ait init {shell})\""),
        };
        let terminal = world.shell(shell, &format!("{}{load}\n", counting_prompt(shell)));
        terminal.wait_for_last("n1 <0>");
        world.start_real_session("one", "100% $(touch pwned) 日本");
        terminal.type_line("false");
        let shown = "api main 45m 100% $(touch pwned) 日本";
        match shell {
            "bash" => {
                terminal.wait_for_last("n2 <1>");
                assert_eq!(terminal.screen(), format!("n1 <0> false\n{shown}\nn2 <1>"));
            }
            // The two wide letters take four cells.
            "zsh" => _ = terminal.wait_for_last(&both_edges("n2 <1>", shown, 3)),
            _ => _ = terminal.wait_for_last(&both_edges("n2 <1>", shown, 2)),
        }
        assert!(!world.path("pwned").exists());
    }
}

#[test]
fn tmux_shows_a_change_at_once() {
    let world = World::new();
    world.real();
    world.start_real_session("one", "first");
    let inner = Terminal::open_as(&world, "inner", "sleep 1000");
    // tmux itself draws nothing by the clock.
    inner.ask(&["set-option", "-g", "status-interval", "0"]);
    let outer = Terminal::open(&world, "env -u TMUX tmux -u -L inner attach");
    outer.wait_until("a status line", |screen| screen.contains("[0]"));
    let lines = Command::new(world.ait()).args(["init", "tmux"]).output().unwrap();
    fs::write(world.path("tmux.conf"), lines.stdout).unwrap();
    inner.ask(&["source-file", &world.path("tmux.conf").display().to_string()]);
    outer.wait_until("one session", |screen| screen.contains(" 1 "));
    world.start_real_session("two", "second");
    outer.wait_until("two sessions", |screen| screen.contains("⚠2"));
    fs::remove_file(world.path(".claude/sessions/active/one.json")).unwrap();
    outer.wait_until("one session", |screen| !screen.contains("⚠2") && screen.contains(" 1 "));
}

#[test]
fn follow_writes_at_each_change_and_ends_with_its_reader() {
    let world = World::new();
    world.real();
    // The folders come later.
    fs::remove_dir_all(world.path(".claude/sessions/active")).unwrap();
    let mut follow = Command::new(world.ait())
        .args(["prompt", "--fleet", "--follow", "--format", "[{count}]"])
        .env_clear()
        .env("HOME", &world.home)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut lines = BufReader::new(follow.stdout.take().unwrap());
    let mut next = || {
        let mut line = String::new();
        lines.read_line(&mut line).unwrap();
        (line, jiff::Timestamp::now().as_second())
    };
    let (first, at) = next();
    assert_eq!(first, "\n");
    let (again, second) = next();
    assert_eq!(again, "\n");
    assert!(second > at, "two lines in one second");
    fs::create_dir(world.path(".claude/sessions/active")).unwrap();
    world.start_real_session("one", "first");
    let (line, third) = next();
    assert_eq!(line, "1\n");
    assert!(third > second, "two lines in one second");
    world.start_real_session("two", "second");
    let (line, fourth) = next();
    assert_eq!(line, "2\n");
    assert!(fourth > third, "two lines in one second");
    drop(lines);
    assert!(follow.wait().unwrap().success());
}

/// The module is run as starship runs it, and by starship itself.
#[test]
fn starship_runs_it_without_a_shell() {
    let world = World::new();
    world.real();
    world.start_real_session("one", "100% $(touch pwned)");
    let module = Command::new(world.ait()).args(["init", "starship"]).output().unwrap();
    fs::write(
        world.path("starship.toml"),
        format!("{}format = '${{custom.ait}}>'\n{}", starship::PATIENT, text(&module)),
    )
    .unwrap();
    assert!(text(&module).contains("/ait\", \"--for\", \"starship\"]\ncommand = \"prompt\"\nuse_stdin = false\n"));
    let run = |program: &str, arguments: &[&str]| {
        let mut command = Command::new(program);
        command.args(arguments).current_dir(&world.home).env("HOME", &world.home);
        command.env("STARSHIP_CONFIG", world.path("starship.toml")).env("STARSHIP_SHELL", "sh").env("TERM", "xterm");
        command.env_remove("AIT_SESSIONS_DIR").env_remove("CLAUDE_CONFIG_DIR").env_remove("NO_COLOR");
        command.output().unwrap()
    };
    let ait = world.ait().display().to_string();
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
        fs::write(world.path(name), "touch pwned\n").unwrap();
    }
    assert!(!run("sh", &["--for", "starship", "prompt"]).status.success());
    assert!(!run("bash", &["--posix", "--for", "starship", "prompt"]).status.success());
    let starship = starship::program();
    assert_eq!(colourless(&text(&run(&starship, &["prompt"]))).trim(), "api main 45m 100% $(touch pwned) >");
    fs::remove_file(world.ait()).unwrap();
    assert_eq!(colourless(&text(&run(&starship, &["prompt"]))).trim(), ">");
    assert!(!world.path("pwned").exists());
}

fn text(output: &Output) -> String {
    assert!(output.status.success() && output.stderr.is_empty(), "{output:?}");
    String::from_utf8(output.stdout.clone()).unwrap()
}

#[test]
fn aliases_do_not_change_the_texts() {
    let names = ["exec", "kill", "read", "printf", "print", "command", "return", "test", "builtin", "compgen", "set"];
    for (shell, global) in [("zsh", "alias -g -- -g=oops -t=oops\n"), ("bash", "shopt -s expand_aliases\n")] {
        let world = World::new();
        world.start_session();
        let init = world.init(shell, false);
        let aliases: String = names.iter().map(|name| format!("alias {name}='echo oops'\n")).collect();
        let terminal = world.shell(shell, &format!("PROMPT='<$n>' PS1='> '\n{aliases}{global}{init}\n"));
        terminal.wait_until("a prompt", |screen| screen.contains("SEGMENT"));
        assert!(!terminal.screen().contains("oops"), "{}", terminal.screen());
    }
}

#[test]
fn install() {
    let world = World::new();
    for folder in ["tree/shell", "tools", "to"] {
        fs::create_dir_all(world.path(folder)).unwrap();
    }
    for script in ["install.sh", "build.sh"] {
        let source = Path::new(concat!(env!("CARGO_MANIFEST_DIR"), "/shell")).join(script);
        fs::copy(source, world.path("tree/shell").join(script)).unwrap();
    }
    fs::write(world.path("tree/Cargo.toml"), "").unwrap();
    let install = |folder: &str| {
        let output = Command::new("/bin/sh")
            .arg(world.path("tree/shell/install.sh"))
            .env_clear()
            .env("PATH", format!("{}:{}", world.path("tools").display(), world.path("system").display()))
            .env("HOME", &world.home)
            .env("SHELL", "/bin/zsh")
            .env("AIT_INSTALL_DIR", world.path(folder))
            .output()
            .unwrap();
        (output.status.success(), String::from_utf8(output.stdout).unwrap(), String::from_utf8(output.stderr).unwrap())
    };
    // The system's own tools, and no cargo among them.
    fs::create_dir(world.path("system")).unwrap();
    for tool in ["dirname", "uname", "sed", "mkdir", "cp", "dd", "mv", "chmod", "rm", "cat", "sh"] {
        let real =
            ["/usr/bin", "/bin"].map(|folder| Path::new(folder).join(tool)).into_iter().find(|file| file.exists());
        std::os::unix::fs::symlink(real.unwrap(), world.path("system").join(tool)).unwrap();
    }
    let (done, _, said) = install("to");
    assert!(!done && said.starts_with("build.sh: cargo is not in PATH: install Rust"), "{said}");

    let tool = |name: &str, script: &str| {
        let file = world.path("tools").join(name);
        fs::write(&file, format!("#!/bin/sh\necho \"{name} $*\" >> \"$HOME/calls\"\n{script}")).unwrap();
        fs::set_permissions(file, fs::Permissions::from_mode(0o755)).unwrap();
    };
    let build = "case $1 in metadata) echo '{\"target_directory\":\"'\"$HOME\"'/target\"}'; exit ;; esac\n\
                 case \"$*\" in *-musl*) last=$(uname -m)-unknown-linux-musl ;; *) last= ;; esac\n\
                 mkdir -p \"$HOME/target/$last/release\"; cp \"$HOME/built\" \"$HOME/target/$last/release/ait\"\n";
    tool("cargo", build);
    tool("rustc", "case $2 in sysroot) echo \"$HOME/rust\" ;; *) echo \"$HOME/libraries\" ;; esac\n");
    fs::write(world.path("built"), "#!/bin/sh\necho ait 1\n").unwrap();
    fs::set_permissions(world.path("built"), fs::Permissions::from_mode(0o755)).unwrap();
    if cfg!(target_os = "linux") {
        let (done, _, said) = install("to");
        assert!(!done && said.contains("no rustup to add it"), "{said}");
        tool("rustup", "[ \"$1\" = target ] && mkdir \"$HOME/libraries\"\n");
    }
    let (done, said, wrong) = install("to");
    assert!(done, "{wrong}");
    assert!(said.contains("/to/ait: ait 1\n") && said.contains("is not in PATH"), "{said}");
    assert!(said.contains("ait hooks install") && said.contains("eval \"$(ait init zsh)\""), "{said}");
    if cfg!(target_os = "linux") {
        let calls = fs::read_to_string(world.path("calls")).unwrap();
        assert_eq!(calls.matches("rustup target add").count(), 1, "{calls}");
        assert!(calls.contains("-unknown-linux-musl\n"), "{calls}");
    }
    // Run again, it updates, and says so; and leaves nothing else there.
    fs::write(world.path("built"), "#!/bin/sh\necho ait 2\n").unwrap();
    let (done, said, wrong) = install("to");
    assert!(done && said.contains("ait 2 (was ait 1)"), "{said}{wrong}");
    assert_eq!(fs::read_dir(world.path("to")).unwrap().count(), 1);
    // A folder that cannot be made.
    let (done, _, said) = install("built/in");
    assert!(!done && said.contains("install.sh: cannot make"), "{said}");
}

#[test]
fn the_texts_are_clean() {
    for (program, arguments) in [
        ("zsh", &["-n", "shell/ait.zsh"][..]),
        ("bash", &["-n", "shell/ait.bash"]),
        ("fish", &["-n", "shell/ait.fish"]),
        ("sh", &["-n", "shell/ait.tmux"]),
        ("sh", &["-n", "shell/install.sh"]),
        ("sh", &["-n", "shell/build.sh"]),
        ("shellcheck", &["shell/ait.bash", "shell/ait.tmux", "shell/install.sh", "shell/build.sh"]),
    ] {
        let checked = Command::new(program).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
        assert!(checked.status.success() && checked.stdout.is_empty() && checked.stderr.is_empty(), "{checked:?}");
    }
}
