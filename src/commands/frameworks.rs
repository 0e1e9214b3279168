//! Prompt frameworks and themes, recognised by the lines of startup files that load them. `ait doctor` names them, and warns
//! where one of them leaves no place for the segment.

/// The name of each framework, and texts of which one is in the line that loads it.
const FRAMEWORKS: [(&str, &[&str]); 20] = [
    ("oh-my-zsh", &["oh-my-zsh.sh"]),
    ("oh-my-bash", &["oh-my-bash.sh"]),
    ("bash-it", &["bash-it.sh", "bash_it.sh"]),
    ("prezto", &["prezto/init.zsh"]),
    ("powerlevel10k", &["powerlevel10k.zsh-theme", ".p10k.zsh", "romkatv/powerlevel10k"]),
    ("spaceship", &["spaceship.zsh", "spaceship-prompt", "prompt spaceship"]),
    ("geometry", &["geometry.zsh", "geometry-zsh/geometry", "geometry.plugin.zsh"]),
    ("typewritten", &["typewritten.zsh", "typewritten.plugin.zsh", "reobin/typewritten", "prompt typewritten"]),
    ("pure", &["prompt pure", "sindresorhus/pure", "pure.zsh"]),
    ("starship", &["starship init"]),
    ("oh-my-posh", &["oh-my-posh init"]),
    ("liquidprompt", &["liquidprompt"]),
    ("git-prompt", &["git-prompt.sh"]),
    ("zplug", &["zplug load"]),
    ("antigen", &["antigen apply"]),
    ("antidote", &["antidote load"]),
    ("tpm", &["tpm/tpm"]),
    ("oh-my-tmux", &["tmux_conf_theme", "gpakosz/.tmux"]),
    ("catppuccin", &["catppuccin"]),
    ("dracula", &["dracula/tmux"]),
];

/// The text by which a line is recognised that loads something which sets the prompt.
pub(super) fn loaded_by(line: &str) -> Option<&'static str> {
    FRAMEWORKS.iter().flat_map(|(_, texts)| texts.iter()).find(|text| line.contains(**text)).copied()
}

/// The names of all frameworks and themes in these lines, each once, in the order of the lines.
pub(super) fn names<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    for line in lines {
        let known = FRAMEWORKS.iter().filter(|(_, texts)| texts.iter().any(|text| line.contains(text)));
        for name in known.map(|(name, _)| (*name).to_owned()).chain(theme(line)) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    names
}

/// The theme in a line that chooses one for oh-my-zsh or oh-my-bash: `ZSH_THEME="agnoster"`.
fn theme(line: &str) -> Option<String> {
    let line = line.trim_start();
    let value = line.strip_prefix("ZSH_THEME=").or_else(|| line.strip_prefix("OSH_THEME="))?;
    let value = value.split_whitespace().next()?.trim_matches(['"', '\'']);
    let name = value.rsplit('/').next().filter(|name| !name.is_empty())?;
    Some(name.to_owned())
}

/// Whether these lines set the right prompt in a widget of zsh's line editor, after every hook, and never have it drawn again:
/// then no code of ait runs after them.
pub(super) fn hides_right_prompt<'a>(lines: impl Iterator<Item = &'a str>) -> bool {
    let (mut has_widget, mut sets, mut draws) = (false, false, false);
    for line in lines {
        has_widget |= ["zle-line-init", "zle-keymap-select"].iter().any(|widget| line.contains(widget));
        sets |= ["RPS1=", "RPROMPT="].iter().any(|name| line.contains(name));
        draws |= line.contains("reset-prompt");
    }
    has_widget && sets && !draws
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_framework_is_named_once_and_so_is_its_theme() {
        let lines = [
            "export ZSH=$HOME/.oh-my-zsh",
            "ZSH_THEME=\"spaceship-prompt/spaceship\"  # mine",
            "source $ZSH/oh-my-zsh.sh",
            "eval \"$(starship init zsh)\"",
            "eval \"$(starship init zsh)\"",
        ];
        assert_eq!(names(lines.into_iter()), ["spaceship", "oh-my-zsh", "starship"]);
        assert_eq!(names(["ZSH_THEME=agnoster", "ZSH_THEME="].into_iter()), ["agnoster"]);
        assert_eq!(names(["alias g=git"].into_iter()), Vec::<String>::new());
    }

    #[test]
    fn a_right_prompt_of_the_line_editor_is_recognised() {
        let hides = |text: &str| hides_right_prompt(text.lines());
        assert!(hides("zle-line-init() {\n  RPS1=N\n}"));
        assert!(!hides("zle-line-init() {\n  RPS1=N\n  zle reset-prompt\n}"));
        assert!(!hides("RPROMPT=mine\n"));
        assert!(!hides("zle-line-init() { echo; }\n"));
    }
}
