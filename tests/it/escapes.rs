//! Hostile text in every dialect, shown by the real shells and by tmux: nothing runs, nothing moves, and the width that
//! the shell believes in is the width on the screen.
//!
//! The terminal is tmux, on a socket of its own. A shell's belief shows when a typed line wraps: it has to know where
//! the prompt ended to break the line at the edge, and to come back to its beginning.

use crate::common::starship;
use crate::common::tools::{brought, needs};

use std::fs;
use std::path::PathBuf;
use std::process::{Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::time::{Duration, Instant};

use ait::render::dialect::Dialect;
use ait::render::format::Format;
use ait::render::segment::{Conflict, Facts, Waiting, render};
use ait::render::style::Look;
use ait::render::theme::Icons;
use ait::render::width;
use ait::session::conflict::Grade;

/// Every one of them is somebody's branch, task, project, path or model.
const HOSTILE: &[&str] = &[
    "plain",
    "%n %m 100% %% %{ %} %(?.a.b) %F{red} %",
    "$(touch x) ${HOME} $HOME $((1+1)) $",
    "`touch x` ` ``",
    r"\[ \] \w \$ \\ \$(touch x) \`touch x\` \",
    r"\\$(touch x) \\\`touch x\\\` \033[5C",
    "#(touch x) #{pane_id} #[fg=red] #S #",
    "## ### #### ##[bold] ###{pane_id} ####(touch x)",
    "!! !x !$ ^a^b",
    r#"'"' "$(touch x)" '$(touch x)' ; touch x & | > x"#,
    "a\u{1b}[31mb\u{1b}[5Cc\u{1b}[2Jd\u{1b}[He",
    "a\u{1b}]0;title\u{7}b\u{1b}]8;;http://x\u{1b}\\c\u{9b}5Cd\u{90}q\u{9c}e",
    "a\nb\r\nc\td\u{b}e\u{c}f\u{8}g\u{7f}h\u{0}i\u{85}j\u{2028}k",
    "a\u{1}\u{2}b\u{e}c\u{f}d",
    "a\u{202e}cba\u{202c}d\u{2066}e\u{2069}f\u{200f}g\u{61c}h",
    "a\u{200b}b\u{200d}c\u{feff}d\u{ad}e\u{34f}f\u{2060}g",
    "日本語 テキスト 한국어",
    "👨\u{200d}👩\u{200d}👧",
    "👩\u{200d}💻 👨\u{200d}👩\u{200d}👧 👍🏽 🇩🇪 ⚠\u{fe0f} ❤\u{fe0f} 🏳\u{fe0f}\u{200d}🌈 1\u{fe0f}\u{20e3}",
    "e\u{301}te\u{301} n\u{303}\u{308} \u{301}x z\u{300}\u{301}\u{302}\u{303}\u{304}\u{305}\u{306}\u{307}",
    "தமிழா हिन्दी ไทยน้ำ \u{1112}\u{1161}\u{11ab} شكرا שלום",
    "☰ ䷀ \u{1d306} \u{3164}\u{ffa0} … ─ ● ★ é Ω \u{e0a0} \u{f600}",
    "a,b}c{d;e:f=g",
];

const COLUMNS: usize = 132;
/// How much of a typed line is on its second row.
const WRAPPED: usize = 18;

/// A folder that goes when the test does.
struct Folder(PathBuf);

impl Folder {
    fn new() -> Folder {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let name = format!("ait-escapes-{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
        let path = std::env::temp_dir().join(name);
        fs::create_dir(&path).unwrap();
        Folder(path)
    }

    fn write(&self, name: &str, text: &str) -> PathBuf {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path
    }

    /// What the hostile texts would leave behind if they ran.
    fn assert_nothing_ran(&self) {
        assert!(!self.0.join("x").exists(), "a text was run as a command");
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// A terminal in which one program runs; its server ends with it.
struct Terminal<'a> {
    folder: &'a Folder,
    socket: &'static str,
}

impl<'a> Terminal<'a> {
    fn start(folder: &'a Folder, program: &[&str]) -> Terminal<'a> {
        let terminal = Terminal { folder, socket: "outer" };
        let (columns, rows) = (COLUMNS.to_string(), "8");
        let mut arguments = vec!["new-session", "-d", "-x", &columns, "-y", rows, "--"];
        arguments.extend(program);
        terminal.tmux(&arguments);
        terminal.tmux(&["set", "-g", "status", "off"]);
        terminal
    }

    fn tmux(&self, arguments: &[&str]) -> String {
        tmux(self.folder, self.socket, arguments)
    }

    /// The rows of the screen, without the spaces at their ends, and the column and row of the cursor, from 0.
    fn screen(&self) -> (Vec<String>, (usize, usize)) {
        let screen = self.tmux(&["capture-pane", "-p", ";", "display-message", "-p", "#{cursor_x} #{cursor_y}"]);
        let mut rows: Vec<_> = screen.lines().map(|row| row.trim_end().to_owned()).collect();
        let cursor = rows.pop().unwrap();
        let (x, y) = cursor.split_once(' ').unwrap();
        (rows, (x.parse().unwrap(), y.parse().unwrap()))
    }

    /// Waits until the screen is as wanted.
    fn wait(&self, what: &str, wanted: impl Fn(&[String], (usize, usize)) -> bool) {
        let deadline = Instant::now() + Duration::from_secs(10);
        loop {
            let (rows, cursor) = self.screen();
            if wanted(&rows, cursor) {
                return;
            }
            assert!(Instant::now() < deadline, "{what}\ncursor {cursor:?}, screen:\n{}", rows.join("\n"));
            std::thread::sleep(Duration::from_millis(10));
        }
    }
}

impl Drop for Terminal<'_> {
    fn drop(&mut self) {
        for socket in ["inner", "outer"] {
            let _ = command(self.folder, "tmux").args(["-L", socket, "kill-server"]).stderr(Stdio::null()).status();
        }
    }
}

/// A command with an environment of its own: nothing of the person who runs the tests gets in.
fn command(folder: &Folder, program: &str) -> Command {
    let mut command = Command::new(program);
    command
        .env_clear()
        .env("PATH", std::env::var_os("PATH").unwrap())
        .envs([("LC_ALL", "C.UTF-8"), ("TERM", "screen-256color"), ("SHELL", "/bin/sh")])
        .envs([("HOME", &folder.0), ("ZDOTDIR", &folder.0), ("TMUX_TMPDIR", &folder.0)])
        .current_dir(&folder.0)
        .stdin(Stdio::null());
    command
}

fn tmux(folder: &Folder, socket: &str, arguments: &[&str]) -> String {
    let output = command(folder, "tmux").args(["-L", socket, "-f", "/dev/null"]).args(arguments).output().unwrap();
    assert!(output.status.success(), "tmux {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

fn facts(text: &str) -> Facts<'_> {
    Facts {
        project: text,
        branch: Some(text),
        task: Some(text),
        elapsed: Some(2700),
        waiting: Some(Waiting { for_what: text, failed: false, seconds: 60, whose: Some(text) }),
        conflict: Some(Conflict { count: 2, grade: Grade::Clobber }),
        model: Some(text),
        path: Some(text),
        moved: Some(text),
        ..Facts::default()
    }
}

/// A segment of one text in four roles, cut to fit, with literal text of a hostile format.
fn segment(text: &str, dialect: Dialect, color: bool, icons: Icons) -> String {
    let format = r"[{project:30}%$\\#][{branch:20}#\[][ {task:12}][ {conflict}]";
    let look = Look { color, icons, max_width: Some(70), theme: None };
    render(Format::parse(format).unwrap(), &facts(text), dialect, look)
}

/// A segment of one text, and no more.
fn whole(text: &str, dialect: Dialect, color: bool, icons: Icons) -> String {
    let look = Look { color, icons, max_width: None, theme: None };
    render(Format::parse("{project}").unwrap(), &facts(text), dialect, look)
}

/// Each text as it is and among others: what the dialect writes, and what is to be seen.
fn cases(dialect: Dialect) -> Vec<(String, String)> {
    cases_with(dialect, Icons::Unicode)
}

fn cases_with(dialect: Dialect, icons: Icons) -> Vec<(String, String)> {
    let case = |segment: fn(&str, Dialect, bool, Icons) -> String, text: &str| {
        let seen = match dialect {
            // Their readers count each part of a joined emoji, so it is written in parts.
            Dialect::Fish | Dialect::Elvish | Dialect::Starship => {
                segment(text, dialect, false, icons).replace("\u{1b}[25m", "")
            }
            Dialect::Xonsh => segment(text, dialect, false, icons).replace("{{", "{").replace("}}", "}"),
            _ => segment(text, Dialect::Plain, false, icons),
        };
        let seen = match dialect {
            Dialect::Zsh | Dialect::Bash | Dialect::Starship => seen.replace('`', "'"),
            _ => seen,
        };
        (segment(text, dialect, true, icons), seen)
    };
    let one = HOSTILE.iter().map(|text| case(whole, text));
    let all = HOSTILE.iter().map(|text| case(segment, text));
    one.chain(all).collect()
}

/// Lets a shell show every segment in its prompt: `settings` shows `<`, the content of the file `segment`, and the
/// number of the prompt between bars.
fn in_a_shell(program: &[&str], file: &str, settings: &str, cases: &[(String, String)]) {
    let folder = Folder::new();
    folder.write("segment", "");
    let file = folder.write(file, settings);
    let program: Vec<_> =
        program.iter().map(|word| if *word == "FILE" { file.to_str().unwrap() } else { word }).collect();
    let terminal = Terminal::start(&folder, &program);
    let mut number = 1;
    terminal.wait("the first prompt", |rows, _| rows[0].starts_with("<|1|"));
    for (written, seen) in cases {
        folder.write("segment", written);
        terminal.tmux(&["send-keys", "Enter"]);
        number += 1;
        let prompt = format!("<{seen}|{number}|");
        let end = width::cells(&prompt);
        terminal.wait(&format!("the prompt {prompt:?} of {written:?}"), |rows, cursor| {
            rows[0] == prompt && cursor == (end, 0)
        });
        terminal.tmux(&["send-keys", "-l", &"x".repeat(COLUMNS - end + WRAPPED), ";", "send-keys", "C-a"]);
        let first = format!("{prompt}{}", "x".repeat(COLUMNS - end));
        // elvish indents what follows a short prompt.
        let indent = if program.first() == Some(&"elvish") && end * 2 < COLUMNS { end } else { 0 };
        let second = format!("{}{}", " ".repeat(indent), "x".repeat(WRAPPED));
        terminal.wait(&format!("a line that wraps after {prompt:?} of {written:?}"), |rows, cursor| {
            rows[0] == first && rows[1] == second && cursor == (end, 0)
        });
        terminal.tmux(&["send-keys", "C-k"]);
    }
    folder.assert_nothing_ran();
}

const ZSH: &str = r#"
bindkey -e
n=0
precmd() { n=$((n+1)); AIT_SEGMENT=$(<segment); printf '\e[H\e[2J'; show }
"#;

fn in_zsh(settings: &str) {
    in_a_shell(&["zsh", "-d", "-i"], ".zshrc", &format!("{ZSH}{settings}"), &cases(Dialect::Zsh));
}

#[test]
fn zsh_shows_the_value_of_a_variable() {
    needs!("tmux", "zsh");
    in_zsh("setopt prompt_subst; show() { PROMPT='<${AIT_SEGMENT}|$n|' }");
}

#[test]
fn zsh_shows_it_written_in_the_prompt() {
    needs!("tmux", "zsh");
    in_zsh(r#"unsetopt prompt_subst; show() { PROMPT="<$AIT_SEGMENT|$n|" }"#);
}

#[test]
fn zsh_shows_it_written_in_a_prompt_that_is_expanded() {
    needs!("tmux", "zsh");
    in_zsh(r#"setopt prompt_subst; show() { PROMPT="<$AIT_SEGMENT|$n|" }"#);
}

/// In such a locale the shells count bytes.
#[test]
fn zsh_in_the_c_locale_knows_the_width_of_ascii_segments() {
    needs!("tmux", "zsh");
    let settings = format!("{ZSH}setopt prompt_subst; show() {{ PROMPT='<${{AIT_SEGMENT}}|$n|' }}");
    let program = ["env", "LC_ALL=C", "zsh", "-d", "-i"];
    in_a_shell(&program, ".zshrc", &settings, &cases_with(Dialect::Zsh, Icons::AsciiOnly));
}

#[test]
fn bash_in_the_c_locale_knows_the_width_of_ascii_segments() {
    needs!("tmux", "bash");
    let settings = r#"
n=0
PROMPT_COMMAND='n=$((n+1)); printf "\e[H\e[2J"; PS1="<$(<segment)|$n|"'
"#;
    let program = ["env", "LC_ALL=C", "bash", "--noprofile", "--rcfile", "FILE", "-i"];
    in_a_shell(&program, "bashrc", settings, &cases_with(Dialect::Bash, Icons::AsciiOnly));
}

#[test]
fn bash_shows_it_written_in_the_prompt() {
    needs!("tmux", "bash");
    let settings = r#"
n=0
PROMPT_COMMAND='n=$((n+1)); printf "\e[H\e[2J"; PS1="<$(<segment)|$n|"'
"#;
    in_a_shell(&["bash", "--noprofile", "--rcfile", "FILE", "-i"], "bashrc", settings, &cases(Dialect::Bash));
}

#[test]
fn bash_shows_the_value_of_a_variable() {
    needs!("tmux", "bash");
    let settings = r#"
n=0
PROMPT_COMMAND='n=$((n+1)); printf "\e[H\e[2J"; AIT_SEGMENT=$(<segment)'
PS1='<${AIT_SEGMENT}|$n|'
"#;
    in_a_shell(&["bash", "--noprofile", "--rcfile", "FILE", "-i"], "bashrc", settings, &cases(Dialect::Bash));
}

#[test]
fn bash_shows_what_a_command_in_the_prompt_says() {
    needs!("tmux", "bash");
    let settings = r#"
n=0
PROMPT_COMMAND='n=$((n+1)); printf "\e[H\e[2J"'
PS1='<$(cat segment)|$n|'
"#;
    in_a_shell(&["bash", "--noprofile", "--rcfile", "FILE", "-i"], "bashrc", settings, &cases(Dialect::Bash));
}

#[test]
fn bash_shows_the_value_of_a_variable_as_a_prompt() {
    needs!("tmux", "bash");
    let settings = r#"
n=0
PROMPT_COMMAND='n=$((n+1)); printf "\e[H\e[2J"; AIT_SEGMENT=$(<segment)'
PS1='<${AIT_SEGMENT@P}|$n|'
"#;
    in_a_shell(&["bash", "--noprofile", "--rcfile", "FILE", "-i"], "bashrc", settings, &cases(Dialect::Bash));
}

#[test]
fn zsh_shows_it_at_the_right_edge() {
    needs!("tmux", "zsh");
    // A right prompt that is believed too wide or too narrow does not end one column before the edge.
    let folder = Folder::new();
    folder.write("segment", "");
    let show = "setopt prompt_subst; show() { PROMPT=\"<$n|\" RPROMPT='${AIT_SEGMENT}' }";
    folder.write(".zshrc", &format!("{ZSH}{show}"));
    let terminal = Terminal::start(&folder, &["zsh", "-d", "-i"]);
    terminal.wait("the first prompt", |rows, _| rows[0].starts_with("<1|"));
    for (number, (written, seen)) in cases(Dialect::Zsh).into_iter().enumerate() {
        folder.write("segment", &written);
        terminal.tmux(&["send-keys", "Enter"]);
        at_the_right_edge(&terminal, &format!("<{}|", number + 2), &seen, COLUMNS - 1);
    }
    folder.assert_nothing_ran();
}

/// Waits for a row that begins with `left` and where `right` ends at a column.
fn at_the_right_edge(terminal: &Terminal<'_>, left: &str, right: &str, end: usize) {
    let gap = end - width::cells(left) - width::cells(right);
    let wanted = format!("{left}{}{right}", " ".repeat(gap));
    terminal.wait(&format!("{right:?} at the right edge"), |rows, cursor| {
        rows[0] == wanted.trim_end() && cursor == (width::cells(left), 0)
    });
}

#[test]
fn bash_shows_it_without_prompt_expansion() {
    needs!("tmux", "bash");
    let settings = r#"
shopt -u promptvars
n=0
PROMPT_COMMAND='n=$((n+1)); printf "\e[H\e[2J"; PS1="<$(<segment)|$n|"'
"#;
    in_a_shell(&["bash", "--noprofile", "--rcfile", "FILE", "-i"], "bashrc", settings, &cases(Dialect::Bash));
}

#[test]
fn bash_without_line_editing_runs_nothing() {
    needs!("tmux", "bash");
    let folder = Folder::new();
    folder.write("segment", "");
    let settings = r#"n=0; PROMPT_COMMAND='n=$((n+1)); printf "\e[H\e[2J"; PS1="<$(<segment)|$n|"'"#;
    folder.write("bashrc", settings);
    let terminal = Terminal::start(&folder, &["bash", "--noediting", "--noprofile", "--rcfile", "bashrc", "-i"]);
    terminal.wait("the first prompt", |rows, _| rows[0] == "<|1|");
    for (number, (written, seen)) in cases(Dialect::Bash).into_iter().enumerate() {
        folder.write("segment", &written);
        terminal.tmux(&["send-keys", "Enter"]);
        let prompt = format!("<{seen}|{}|", number + 2);
        terminal.wait(&format!("the prompt {prompt:?} of {written:?}"), |rows, cursor| {
            rows[0] == prompt && cursor == (width::cells(&prompt), 0)
        });
    }
    folder.assert_nothing_ran();
}

const FISH: &str = r#"
set -g fish_greeting
set -g n 0
function clear_first --on-event fish_prompt
    set -g n (math $n + 1)
    printf '\e[H\e[2J'
end
"#;

#[test]
fn fish_shows_it_before_the_command() {
    needs!("tmux", "fish");
    let show = "function fish_prompt; set -l s (cat segment); printf '<%s|%s|' \"$s\" $n; end; function fish_right_prompt; end";
    let program = ["fish", "--no-config", "--private", "-i", "-C", "source settings.fish"];
    in_a_shell(&program, "settings.fish", &format!("{FISH}{show}"), &cases(Dialect::Fish));
}

#[test]
fn fish_shows_it_at_the_right_edge() {
    needs!("tmux", "fish");
    let folder = Folder::new();
    folder.write("segment", "");
    let show = "function fish_prompt; printf '<%s|' $n; end; function fish_right_prompt; cat segment; end";
    folder.write("settings.fish", &format!("{FISH}{show}"));
    let program = ["fish", "--no-config", "--private", "-i", "-C", "source settings.fish"];
    let terminal = Terminal::start(&folder, &program);
    terminal.wait("the first prompt", |rows, _| rows[0].starts_with("<1|"));
    for (number, (written, seen)) in cases(Dialect::Fish).into_iter().enumerate() {
        folder.write("segment", &written);
        terminal.tmux(&["send-keys", "Enter"]);
        at_the_right_edge(&terminal, &format!("<{}|", number + 2), &seen, COLUMNS);
    }
    folder.assert_nothing_ran();
}

#[test]
fn nushell_shows_it_before_the_command() {
    needs!("tmux", "nushell");
    let settings = r#"
$env.config.show_banner = false
$env.N = 0
$env.config.hooks.pre_prompt = [{|| $env.N += 1; print -n "\e[H\e[2J" }]
$env.PROMPT_COMMAND = {|| $"<(open --raw segment | decode utf-8)|($env.N)|" }
$env.PROMPT_COMMAND_RIGHT = ""
$env.PROMPT_INDICATOR = ""
"#;
    let program = [&brought("nushell").unwrap(), "--no-history", "--config", "FILE"];
    in_a_shell(&program, "config.nu", settings, &cases(Dialect::Nushell));
}

#[test]
fn elvish_shows_it_before_the_command() {
    needs!("tmux", "elvish");
    let settings = r#"
use readline-binding
var n = 0
set edit:before-readline = [{ set n = (+ $n 1); print "\e[H\e[2J" > /dev/tty }]
set edit:prompt = { print '<'(slurp < segment)'|'$n'|' }
set edit:rprompt = { }
"#;
    in_a_shell(&["elvish", "-rc", "FILE"], "rc.elv", settings, &cases(Dialect::Elvish));
}

#[test]
fn xonsh_shows_it_before_the_command() {
    needs!("tmux", "xonsh");
    let settings = r#"
$XONSH_HISTORY_BACKEND = 'dummy'
$PROMPT_FIELDS['number'] = 0
$PROMPT_FIELDS['segment'] = lambda: open('segment').read()
@events.on_pre_prompt_format
def clear(**_):
    $PROMPT_FIELDS['number'] += 1
    print('\x1b[H\x1b[2J', end='', flush=True)
$PROMPT = '<{segment}|{number}|'
"#;
    in_a_shell(&[&brought("xonsh").unwrap(), "--rc", "FILE"], "rc.xsh", settings, &cases(Dialect::Xonsh));
}

#[test]
fn tmux_shows_it_in_the_status_line() {
    needs!("tmux");
    let folder = Folder::new();
    let terminal = Terminal::start(&folder, &["sh", "-c", "tmux -L inner -f /dev/null new-session -s name cat"]);
    terminal.wait("the status line", |rows, _| rows.last().is_some_and(|row| row.contains("[name]")));
    let inner = |arguments: &[&str]| tmux(&folder, "inner", arguments);
    let length = COLUMNS.to_string();
    for (option, value) in [
        ("status-left-length", length.as_str()),
        ("status-right", "right"),
        ("window-status-format", ""),
        ("window-status-current-format", ""),
    ] {
        inner(&["set", "-g", option, value]);
    }
    for (number, (written, seen)) in cases(Dialect::Tmux).iter().enumerate() {
        let file = format!("segment{number}");
        folder.write(&file, written);
        // A command of its own for each, so that tmux runs it at once and not at the next interval.
        inner(&["set", "-g", "status-left", &format!("<#(cat {file})|{number}|")]);
        let left = format!("<{seen}|{number}|");
        let wanted = format!("{left}{}right", " ".repeat(COLUMNS - width::cells(&left) - 5));
        terminal.wait(&format!("the status line {left:?} of {written:?}"), |rows, _| {
            rows.last().is_some_and(|row| *row == wanted)
        });
    }
    folder.assert_nothing_ran();
}

/// Lets a terminal show every text as it is.
fn in_a_terminal(cases: &[(String, String)]) {
    let folder = Folder::new();
    let show = "stty -echo; n=0; while read -r _; do n=$((n+1)); printf '\\033[H\\033[2J<'; cat segment; printf '|%s|' $n; done";
    folder.write("segment", "");
    let terminal = Terminal::start(&folder, &["sh", "-c", show]);
    for (number, (written, seen)) in cases.iter().enumerate() {
        folder.write("segment", written);
        terminal.tmux(&["send-keys", "Enter"]);
        let wanted = format!("<{seen}|{}|", number + 1);
        terminal.wait(&format!("{wanted:?} of {written:?}"), |rows, cursor| {
            rows[0] == wanted && cursor == (width::cells(&wanted), 0)
        });
    }
}

#[test]
fn a_terminal_shows_what_was_computed() {
    needs!("tmux");
    in_a_terminal(&cases(Dialect::Ansi));
}

#[test]
fn a_terminal_shows_plain_text_too() {
    needs!("tmux");
    in_a_terminal(&cases(Dialect::Plain));
}

/// Lets a shell show every segment by way of starship itself: the module of `ait init starship`, with `cat` in place of
/// `ait`.
fn through_starship_itself(program: &[&str], file: &str, shell: &str, cases: &[(String, String)]) {
    let folder = Folder::new();
    let module = include_str!("../../shell/starship.toml").replace(r#"["::AIT::", "--for", "starship"]"#, r#"["cat"]"#);
    let module = module.replace(r#""prompt""#, r#""segment""#).replace("$output ", "$output");
    let number = "[env_var.N]\nformat = '|$env_value|'\n";
    let config = "format = '<${custom.ait}${env_var.N}'\nadd_newline = false\n";
    let config = [starship::PATIENT, config, &module, number].concat();
    let config = folder.write("starship.toml", &config);
    let init = format!("export STARSHIP_CONFIG='{}' N=0\n{shell}\n", config.display());
    in_a_shell(program, file, &init.replace("STARSHIP init", &format!("{} init", brought("starship").unwrap())), cases);
}

#[test]
fn bash_shows_it_by_way_of_starship() {
    needs!("tmux", "bash", "starship");
    let shell = r#"starship_precmd_user_func=count
count() { N=$((N+1)); printf '\e[H\e[2J'; }
eval "$(STARSHIP init bash)""#;
    // Where it has to keep bash from expanding a `$` it writes `\$`, which is `#` in the prompt of root.
    let root = ait::sys::process::user_id() == 0;
    let mut cases = cases(Dialect::Starship);
    cases.iter_mut().filter(|_| root).for_each(|(_, seen)| *seen = seen.replace('$', "#"));
    through_starship_itself(&["bash", "--noprofile", "--rcfile", "FILE", "-i"], "bashrc", shell, &cases);
}

#[test]
fn zsh_shows_it_by_way_of_starship() {
    needs!("tmux", "zsh", "starship");
    let shell = r#"bindkey -e
precmd() { N=$((N+1)); printf '\e[H\e[2J'; }
eval "$(STARSHIP init zsh)""#;
    through_starship_itself(&["zsh", "-d", "-i"], ".zshrc", shell, &cases(Dialect::Starship));
}

/// What starship does with the output of a custom module before bash sees it: since 1.20 it puts a backslash before
/// what bash would expand, and ever since it marks colour codes as taking no cells.
fn through_starship(written: &str, escaped: bool) -> String {
    let mut out = String::new();
    let mut rest = written.chars();
    while let Some(character) = rest.next() {
        match character {
            '\\' | '$' | '`' if escaped => out.extend(['\\', character]),
            '\u{1b}' => {
                out.push_str("\\[\u{1b}");
                for part in rest.by_ref() {
                    out.push(part);
                    if part == 'm' {
                        break;
                    }
                }
                out.push_str("\\]");
            }
            _ => out.push(character),
        }
    }
    out
}

#[test]
fn starship_in_bash_runs_nothing_in_any_version() {
    needs!("tmux", "bash");
    for escaped in [true, false] {
        let folder = Folder::new();
        folder.write("segment", "");
        let settings = r#"n=0; PROMPT_COMMAND='n=$((n+1)); printf "\e[H\e[2J"; PS1="<$(<segment)|$n|"'"#;
        folder.write("bashrc", settings);
        let terminal = Terminal::start(&folder, &["bash", "--noprofile", "--rcfile", "bashrc", "-i"]);
        terminal.wait("the first prompt", |rows, _| rows[0] == "<|1|");
        for (number, (written, _)) in cases(Dialect::Starship).into_iter().enumerate() {
            folder.write("segment", &through_starship(&written, escaped));
            terminal.tmux(&["send-keys", "Enter"]);
            let end = format!("|{}|", number + 2);
            terminal.wait(&format!("the prompt of {written:?}"), |rows, _| rows.iter().any(|row| row.ends_with(&end)));
        }
        folder.assert_nothing_ran();
    }
}

/// The characters of a captured row, each with the background that it has: the last code for one, or none.
fn backgrounds(row: &str) -> Vec<(char, String)> {
    let (mut shown, mut background) = (Vec::new(), String::new());
    let mut rest = row.chars();
    while let Some(character) = rest.next() {
        if character != '\u{1b}' {
            shown.push((character, background.clone()));
            continue;
        }
        let codes: String = rest.by_ref().skip(1).take_while(|character| *character != 'm').collect();
        for code in codes.split(';') {
            match code {
                "" | "0" | "49" => background.clear(),
                code if code.starts_with('4') && code.len() == 2 => code.clone_into(&mut background),
                _ => {}
            }
        }
    }
    shown
}

/// Waits until everything from `<` to `>` in some row stands on the background of the theme, blue.
fn keeps_the_background(terminal: &Terminal<'_>) {
    let deadline = Instant::now() + Duration::from_secs(10);
    loop {
        let screen = terminal.tmux(&["capture-pane", "-e", "-p"]);
        let rows: Vec<_> = screen.lines().map(backgrounds).collect();
        let row = rows.iter().find(|row| row.iter().any(|(character, _)| *character == '⚠'));
        let themed = row.and_then(|row| {
            let from = row.iter().position(|(character, _)| *character == '<')?;
            let to = row.iter().position(|(character, _)| *character == '>')?;
            row.get(from..=to)
        });
        if themed.is_some_and(|themed| themed.iter().all(|(_, background)| background == "44")) {
            return;
        }
        assert!(Instant::now() < deadline, "{themed:?}\n{screen:?}");
        std::thread::sleep(Duration::from_millis(10));
    }
}

/// Starts a program that shows the file `segment`, in every style, on a blue background between `<` and `>`.
fn on_a_background(dialect: Dialect, file: &str, settings: &str, program: &[&str]) {
    let folder = Folder::new();
    let look = Look { color: true, icons: Icons::Unicode, max_width: None, theme: None };
    let format = "{project} {branch} {elapsed} {task} {waiting} {conflict}";
    folder.write("segment", &render(Format::parse(format).unwrap(), &facts("x"), dialect, look));
    folder.write(file, settings);
    let terminal = Terminal::start(&folder, program);
    keeps_the_background(&terminal);
}

#[test]
fn zsh_keeps_the_background_of_a_theme_around_the_segment() {
    needs!("tmux", "zsh");
    let settings = "setopt prompt_subst; s=$(<segment); PROMPT='%K{blue}%F{black}< ${s} >%f%k '";
    on_a_background(Dialect::Zsh, ".zshrc", settings, &["zsh", "-d", "-i"]);
}

#[test]
fn bash_keeps_the_background_of_a_theme_around_the_segment() {
    needs!("tmux", "bash");
    let settings = r#"PS1="\[\e[30;44m\]< $(<segment) >\[\e[0m\] ""#;
    let program = ["bash", "--noprofile", "--rcfile", "bashrc", "-i"];
    on_a_background(Dialect::Bash, "bashrc", settings, &program);
}

#[test]
fn fish_keeps_the_background_of_a_theme_around_the_segment() {
    needs!("tmux", "fish");
    let settings =
        "function fish_prompt; set_color black -b blue; printf '< '; cat segment; printf ' >'; set_color normal; end";
    let program = ["fish", "--no-config", "--private", "-i", "-C", "source settings.fish"];
    on_a_background(Dialect::Fish, "settings.fish", settings, &program);
}

#[test]
fn a_terminal_keeps_the_background_around_the_segment() {
    needs!("tmux");
    let show = "printf '\\033[30;44m< '; cat segment; printf ' >\\033[0m'; sleep 60";
    on_a_background(Dialect::Ansi, "unused", "", &["sh", "-c", show]);
}

#[test]
fn tmux_keeps_the_background_of_a_theme_around_the_segment() {
    needs!("tmux");
    let settings = r#"
set -g status-left-length 100
set -g status-left '#[fg=black,bg=blue]< #(cat segment) >'
"#;
    let show = "tmux -L inner -f settings new-session -s name cat";
    on_a_background(Dialect::Tmux, "settings", settings, &["sh", "-c", show]);
}
