//! Where `ait` is loaded: the files that shells, tmux and starship read at their start, looked through for its line.
//!
//! A child process cannot ask its shell which functions it has, and a variable exported for us would be inherited by
//! programs that have not loaded anything. The files are what a person would look at, too. What they read in turn is
//! not followed.

use std::path::{Path, PathBuf};

/// A file of somebody's, and what of it concerns us.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Place {
    /// zsh, bash, fish, tmux or starship.
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

/// The files that may hold a line of ours.
pub(super) fn places(folders: &Folders) -> Vec<Place> {
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
        ("tmux", home.join(".tmux.conf")),
        ("tmux", config.join("tmux/tmux.conf")),
        ("starship", starship),
    ];
    all.into_iter().map(|(target, file)| Place { target, file }).collect()
}

/// The line that loads `ait`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Loaded {
    /// From 1.
    pub(super) line: usize,
    /// A line below it that sets the prompt anew, and what it is.
    pub(super) later: Option<(usize, String)>,
}

/// What sets a prompt when it is loaded.
const FRAMEWORKS: [&str; 12] = [
    "oh-my-zsh.sh",
    "oh-my-bash.sh",
    "powerlevel10k.zsh-theme",
    ".p10k.zsh",
    "starship init",
    "oh-my-posh init",
    "prompt pure",
    "prezto/init.zsh",
    "bash-it.sh",
    "zplug load",
    "antigen apply",
    "git-prompt.sh",
];

/// Looks for the line of `ait` in a file of a target. The last one counts: it is loaded last.
pub(super) fn find(target: &str, text: &str) -> Option<Loaded> {
    let wanted = if target == "starship" { "--for starship".to_owned() } else { format!("init {target}") };
    let lines = || text.lines().enumerate().filter(|(_, line)| !line.trim_start().starts_with('#'));
    let (at, found) = lines().filter(|(_, line)| calls_ait(line, &wanted, target)).last()?;
    let shell = matches!(target, "zsh" | "bash" | "fish");
    let later = lines()
        .filter(|(line, _)| shell && *line > at && !found.contains("--manual"))
        .find_map(|(line, text)| Some((line + 1, sets_prompt(text)?)));
    Some(Loaded { line: at + 1, later })
}

fn calls_ait(line: &str, wanted: &str, target: &str) -> bool {
    let plain: String = line.chars().filter(|c| !matches!(c, '"' | '\'' | ',' | '[')).collect();
    if target == "starship" {
        return plain.contains(wanted) && plain.contains("prompt");
    }
    plain.match_indices("ait ").any(|(at, word)| {
        let before = plain.get(..at).and_then(|text| text.chars().next_back());
        let starts = before.is_none_or(|c| !(c.is_alphanumeric() || matches!(c, '_' | '-' | '.')));
        starts && plain.get(at + word.len()..).is_some_and(|rest| rest.trim_start().starts_with(wanted))
    })
}

/// What a line does to the prompt that was there, if anything.
fn sets_prompt(line: &str) -> Option<String> {
    if let Some(framework) = FRAMEWORKS.iter().find(|framework| line.contains(**framework)) {
        return Some((*framework).to_owned());
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

/// The line to add to a file, as it is typed.
pub(super) fn to_add(target: &str, file: &Path) -> String {
    let file = file.to_string_lossy();
    match target {
        "fish" => format!("echo 'ait init fish | source' >> {file}"),
        "zsh" | "bash" => format!("echo 'eval \"$(ait init {target})\"' >> {file}"),
        _ => format!("ait init {target} >> {file}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_is_found_as_people_write_it() {
        for (target, line) in [
            ("zsh", r#"eval "$(ait init zsh)""#),
            ("zsh", r#"  source <(~/.local/bin/ait init zsh --manual)"#),
            ("bash", r#"command -v ait >/dev/null && eval "$("$HOME/.local/bin/ait" init bash)""#),
            ("fish", "ait init fish | source"),
            ("tmux", r#"run-shell "'/home/dev/.local/bin/ait' init tmux --plugin | sh""#),
            ("starship", r#"command = ["/home/dev/bin/ait", "--for", "starship", "prompt"]"#),
            ("starship", r#"command = "ait prompt --for starship""#),
        ] {
            assert_eq!(find(target, line), Some(Loaded { line: 1, later: None }), "{line}");
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
    fn what_comes_after_it() {
        let later = |target: &str, below: &str| {
            let line = if target == "fish" { "ait init fish | source" } else { "eval \"$(ait init X)\"" };
            let text = format!("starship init\n{}\n{below}\n", line.replace('X', target));
            find(target, &text).unwrap().later
        };
        assert_eq!(later("zsh", "alias a=b\n# source ~/.p10k.zsh"), None);
        assert_eq!(later("zsh", "\nsource $ZSH/oh-my-zsh.sh"), Some((4, "oh-my-zsh.sh".to_owned())));
        assert_eq!(later("bash", "eval \"$(starship init bash)\""), Some((3, "starship init".to_owned())));
        assert_eq!(later("bash", "PROMPT_COMMAND=history"), Some((3, "PROMPT_COMMAND=".to_owned())));
        assert_eq!(later("bash", "PROMPT_COMMAND=\"history;$PROMPT_COMMAND\""), None);
        assert_eq!(later("bash", "PROMPT_COMMAND+=(history)"), None);
        assert_eq!(later("fish", "function fish_right_prompt"), Some((3, "function fish_right_prompt".to_owned())));
        let manual = "eval \"$(ait init zsh --manual)\"\nsource ~/.p10k.zsh";
        assert_eq!(find("zsh", manual).unwrap().later, None);
    }
}
