//! Where `ait` is loaded: the files that shells, tmux and starship read at their start, looked through for its line.
//!
//! A child process cannot ask its shell which functions it has, and an exported variable would be inherited by programs that
//! have not loaded anything. So these files are searched, and the user's own files that they read in turn, two levels deep.

use std::path::{Component, Path, PathBuf};

use super::frameworks;
use crate::context::Context;

/// A startup file of the user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct StartupFile {
    /// A shell, tmux or starship.
    pub(super) target: &'static str,
    /// Where the line belongs. The first of a target is the usual one.
    pub(super) file: PathBuf,
}

/// The variables that say where files are.
#[derive(Clone, Debug, Default)]
pub(super) struct Folders {
    pub(super) home: PathBuf,
    /// `XDG_CONFIG_HOME`
    pub(super) config: Option<PathBuf>,
    /// `ZDOTDIR`
    pub(super) zsh: Option<PathBuf>,
    /// `STARSHIP_CONFIG`
    pub(super) starship: Option<PathBuf>,
}

impl Folders {
    /// As the environment names them; `None` if `HOME` is not set.
    pub(super) fn find(context: &Context) -> Option<Folders> {
        let absolute = |name: &str| context.path_variable(name).filter(|path| path.is_absolute());
        Some(Folders {
            home: context.home.clone()?,
            config: absolute("XDG_CONFIG_HOME"),
            zsh: absolute("ZDOTDIR"),
            starship: absolute("STARSHIP_CONFIG"),
        })
    }
}

/// The files that may contain a line that loads ait.
pub(super) fn places(folders: &Folders) -> Vec<StartupFile> {
    let home = &folders.home;
    let config = folders.config.clone().unwrap_or_else(|| home.join(".config"));
    let zsh = folders.zsh.clone().unwrap_or_else(|| home.clone());
    let starship = folders.starship.clone().unwrap_or_else(|| config.join("starship.toml"));
    let all = [
        ("zsh", zsh.join(".zshrc")),
        ("bash", home.join(".bashrc")),
        ("bash", home.join(".bash_profile")),
        ("bash", home.join(".profile")),
        ("fish", config.join("fish/config.fish")),
        ("fish", config.join("fish/conf.d/ait.fish")),
        ("nushell", config.join("nushell/autoload/ait.nu")),
        ("elvish", config.join("elvish/rc.elv")),
        ("xonsh", home.join(".xonshrc")),
        ("xonsh", config.join("xonsh/rc.xsh")),
        ("tmux", home.join(".tmux.conf")),
        ("tmux", config.join("tmux/tmux.conf")),
        ("starship", starship),
    ];
    all.into_iter().map(|(target, file)| StartupFile { target, file }).collect()
}

/// A line that is read at a start, and where it stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Line {
    pub(super) file: PathBuf,
    /// From 1.
    pub(super) number: usize,
    text: String,
}

/// How deep a file is followed that another one reads.
const DEPTH: usize = 2;
/// How many files are read for one.
const MAX_FILES: usize = 32;

/// The lines of a file in the order in which they are read: those of a file that it reads stand behind the line that
/// reads it. Only in the person's own folders: what a framework does is its own business.
pub(super) fn lines(file: &Path, folders: &Folders, read: &dyn Fn(&Path) -> Option<String>) -> Vec<Line> {
    let (mut all, mut left) = (Vec::new(), MAX_FILES);
    follow(file, folders, read, DEPTH, &mut left, &mut all);
    all
}

fn follow(
    file: &Path,
    folders: &Folders,
    read: &dyn Fn(&Path) -> Option<String>,
    depth: usize,
    left: &mut usize,
    all: &mut Vec<Line>,
) {
    let Some(fewer) = left.checked_sub(1) else { return };
    let Some(text) = read(file) else { return };
    *left = fewer;
    for (at, text) in text.lines().enumerate() {
        all.push(Line { file: file.to_owned(), number: at + 1, text: text.to_owned() });
        let deeper = depth.checked_sub(1).filter(|_| !is_comment(text));
        if let Some((depth, inner)) = deeper.and_then(|depth| Some((depth, sourced(text, folders)?))) {
            follow(&inner, folders, read, depth, left, all);
        }
    }
}

/// The file that a line reads, where it is named plainly: `source FILE`, `. FILE` or tmux's `source-file FILE`, after a
/// condition or not.
fn sourced(line: &str, folders: &Folders) -> Option<PathBuf> {
    let spaced = line.replace(';', " ; ");
    let words: Vec<&str> = spaced.split_whitespace().collect();
    let begins = |before: Option<&&str>| {
        before.is_none_or(|word| matches!(*word, ";" | "&&" | "||" | "then" | "else" | "do" | "{" | "and" | "or"))
    };
    let at = words.iter().enumerate().position(|(at, word)| {
        matches!(*word, "source" | "." | "source-file")
            && begins(at.checked_sub(1).and_then(|before| words.get(before)))
    })?;
    let name = words.get(at + 1..)?.iter().find(|word| **word != "-q")?.trim_matches(['"', '\'']);
    let home = &folders.home;
    let config = folders.config.clone().unwrap_or_else(|| home.join(".config"));
    let zsh = folders.zsh.clone().unwrap_or_else(|| home.clone());
    let known = [
        ("~/", home),
        ("$HOME/", home),
        ("${HOME}/", home),
        ("$XDG_CONFIG_HOME/", &config),
        ("${XDG_CONFIG_HOME}/", &config),
        ("$ZDOTDIR/", &zsh),
        ("${ZDOTDIR}/", &zsh),
    ];
    let below = known.iter().find_map(|(start, folder)| Some(folder.join(name.strip_prefix(start)?)));
    let file = below.unwrap_or_else(|| PathBuf::from(name));
    let plain = !name.contains("${") || known.iter().any(|(start, _)| name.starts_with(start));
    let rest = file.to_str()?;
    let own = [home, &config, &zsh].iter().any(|folder| file.starts_with(folder));
    let up = file.components().any(|part| part == Component::ParentDir);
    (plain && own && !up && !rest.contains(['$', '`', '*', '?', '(', '<'])).then_some(file)
}

fn is_comment(line: &str) -> bool {
    line.trim_start().starts_with('#')
}

/// The line that loads `ait`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Loaded {
    /// Where it stands.
    pub(super) file: PathBuf,
    /// From 1.
    pub(super) line: usize,
    /// A line that is read after it and sets the prompt anew: its file, its number, and what it is.
    pub(super) later: Option<(PathBuf, usize, String)>,
}

/// Looks for the line of `ait` in what a target reads. The last one counts: it is loaded last.
pub(super) fn find(target: &str, lines: &[Line]) -> Option<Loaded> {
    let wanted = if is_whole_text(target) { format!("--for {target}") } else { format!("init {target}") };
    let lines = || lines.iter().enumerate().filter(|(_, line)| !is_comment(&line.text));
    let (at, found) = lines().rfind(|(_, line)| calls_ait(&line.text, &wanted, target))?;
    let shell = matches!(target, "zsh" | "bash" | "fish");
    let later = lines()
        .filter(|(position, _)| shell && *position > at && !found.text.contains("--manual"))
        .find_map(|(_, line)| Some((line.file.clone(), line.number, sets_prompt(&line.text)?)));
    Some(Loaded { file: found.file.clone(), line: found.number, later })
}

/// Whether the file holds what `ait init` prints, rather than a line that runs it.
fn is_whole_text(target: &str) -> bool {
    matches!(target, "starship" | "nushell")
}

fn calls_ait(line: &str, wanted: &str, target: &str) -> bool {
    let plain: String = line.chars().filter(|c| !matches!(c, '"' | '\'' | ',' | '[')).collect();
    if is_whole_text(target) {
        return plain.contains(wanted);
    }
    plain.match_indices("ait ").any(|(at, word)| {
        let before = plain.get(..at).and_then(|text| text.chars().next_back());
        let starts = before.is_none_or(|c| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.')));
        starts && plain.get(at + word.len()..).is_some_and(|rest| rest.trim_start().starts_with(wanted))
    })
}

/// The text in a line that overrides the prompt, if any.
fn sets_prompt(line: &str) -> Option<String> {
    if let Some(framework) = frameworks::loaded_by(line) {
        return Some(framework.to_owned());
    }
    let line = line.trim_start();
    // A variable that takes the place of the one we are in, rather than adding to it.
    for (start, kept) in [("PROMPT_COMMAND=", "PROMPT_COMMAND"), ("precmd_functions=(", "precmd_functions")] {
        if line.strip_prefix(start).is_some_and(|value| !value.contains(kept)) {
            return Some(start.trim_end_matches('(').to_owned());
        }
    }
    line.starts_with("function fish_right_prompt").then(|| "function fish_right_prompt".to_owned())
}

/// The text of all lines that are not comments.
pub(super) fn active(lines: &[Line]) -> impl Iterator<Item = &str> {
    lines.iter().map(|line| line.text.as_str()).filter(|text| !is_comment(text))
}

/// Whether tide is installed, which needs no line in config.fish.
pub(super) fn has_tide(folders: &Folders, read: &dyn Fn(&Path) -> Option<String>) -> bool {
    let config = folders.config.clone().unwrap_or_else(|| folders.home.join(".config"));
    read(&config.join("fish/conf.d/_tide_init.fish")).is_some()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// As [`find`] finds it in a file of this text: the number of the line, and of a later one with what it is.
    fn find(target: &str, text: &str) -> Option<(usize, Option<(usize, String)>)> {
        let read = lines(Path::new("/home/dev/x"), &Folders::default(), &|_| Some(text.to_owned()));
        let found = super::find(target, &read)?;
        Some((found.line, found.later.map(|(_, line, what)| (line, what))))
    }

    #[test]
    fn the_line_is_found_as_people_write_it() {
        for (target, line) in [
            ("zsh", r#"eval "$(ait init zsh)""#),
            ("zsh", r#"  source <(~/.local/bin/ait init zsh --manual)"#),
            ("bash", r#"command -v ait >/dev/null && eval "$("$HOME/.local/bin/ait" init bash)""#),
            ("fish", "ait init fish | source"),
            ("tmux", r#"run-shell "'/home/dev/.local/bin/ait' init tmux --plugin | sh""#),
            ("starship", r#"shell = ["/home/dev/bin/ait", "--for", "starship"]"#),
            ("starship", r#"command = "ait prompt --for starship""#),
        ] {
            assert_eq!(find(target, line), Some((1, None)), "{line}");
        }
        for (target, line) in [
            ("zsh", r#"# eval "$(ait init zsh)""#),
            ("zsh", r#"eval "$(wait init zsh)""#),
            ("zsh", r#"eval "$(ait init bash)""#),
            ("bash", "ait sessions live"),
            ("starship", "[custom.ait]"),
        ] {
            assert_eq!(find(target, line), None, "{line}");
        }
    }

    #[test]
    fn a_later_line_that_overrides_ait_is_found() {
        let later = |target: &str, below: &str| {
            let line = if target == "fish" { "ait init fish | source" } else { "eval \"$(ait init X)\"" };
            let text = format!("starship init\n{}\n{below}\n", line.replace('X', target));
            find(target, &text).unwrap().1
        };
        assert_eq!(later("zsh", "alias a=b\n# source ~/.p10k.zsh"), None);
        assert_eq!(later("zsh", "\nsource $ZSH/oh-my-zsh.sh"), Some((4, "oh-my-zsh.sh".to_owned())));
        assert_eq!(later("bash", "eval \"$(starship init bash)\""), Some((3, "starship init".to_owned())));
        assert_eq!(later("bash", "PROMPT_COMMAND=history"), Some((3, "PROMPT_COMMAND=".to_owned())));
        assert_eq!(later("bash", "PROMPT_COMMAND=\"history;$PROMPT_COMMAND\""), None);
        assert_eq!(later("bash", "PROMPT_COMMAND+=(history)"), None);
        assert_eq!(later("fish", "function fish_right_prompt"), Some((3, "function fish_right_prompt".to_owned())));
        let manual = "eval \"$(ait init zsh --manual)\"\nsource ~/.p10k.zsh";
        assert_eq!(find("zsh", manual).unwrap().1, None);
    }

    #[test]
    fn a_file_that_is_read_as_people_write_it() {
        let folders = Folders { home: "/home/dev".into(), zsh: Some("/home/dev/z".into()), ..Folders::default() };
        for (line, file) in [
            ("source ~/.zshrc.local", Some("/home/dev/.zshrc.local")),
            (". \"$HOME/.bashrc\"", Some("/home/dev/.bashrc")),
            ("[ -f ~/.bash_aliases ] && . ~/.bash_aliases", Some("/home/dev/.bash_aliases")),
            ("[[ ! -f ~/.p10k.zsh ]] || source ~/.p10k.zsh", Some("/home/dev/.p10k.zsh")),
            ("if [ -f ~/a ]; then . ~/a; fi", Some("/home/dev/a")),
            ("test -f ~/a; and source ~/a", Some("/home/dev/a")),
            ("  source ${ZDOTDIR}/'b'", Some("/home/dev/z/'b")),
            ("source $XDG_CONFIG_HOME/c", Some("/home/dev/.config/c")),
            ("source-file -q ~/.tmux.local.conf", Some("/home/dev/.tmux.local.conf")),
            ("source /home/dev/d", Some("/home/dev/d")),
            ("source /etc/bashrc", None),
            ("source ~/../other/x", None),
            ("source $ZSH/oh-my-zsh.sh", None),
            ("source ~/$NAME", None),
            ("source <(ait init zsh)", None),
            ("ait init fish | source", None),
            ("echo source ~/x", None),
            ("source relative", None),
            ("source", None),
        ] {
            assert_eq!(sourced(line, &folders), file.map(PathBuf::from), "{line}");
        }
    }

    #[test]
    fn files_that_read_each_other_come_to_an_end() {
        let folders = Folders { home: "/home/dev".into(), ..Folders::default() };
        let many = "source ~/x\n".repeat(1_000);
        let read = lines(Path::new("/home/dev/x"), &folders, &|_| Some(many.clone()));
        assert_eq!(read.len(), 1_000 * MAX_FILES);
        let read = lines(Path::new("/home/dev/x"), &folders, &|_| Some("source ~/x\n".to_owned()));
        assert_eq!(read.len(), 1 + DEPTH);
    }
}
