//! Completion files for shells, from the description of the command line that also makes its help.

use argh::{CommandInfoWithArgs, FlagInfo, FlagInfoKind};

/// The possible values of an option or argument.
#[derive(Clone, Copy)]
pub(super) enum Values {
    /// One of these words.
    Words(&'static str),
    /// A folder.
    Folder,
    /// A file.
    File,
    /// What `ait completions NAME` prints when it is needed: a line for each word, with a tab and its meaning after it.
    Asked(&'static str),
    /// Anything: nothing to propose.
    Free,
}

/// The values of an option, by the name of its value in the help.
fn values_of(name: &str) -> Values {
    match name {
        "when" => Values::Words("always never auto"),
        "dialect" => Values::Words("zsh bash fish nushell elvish xonsh tmux starship ansi plain"),
        "set" => Values::Words("unicode nerd ascii"),
        "day" => Values::Asked("days"),
        "dir" => Values::Folder,
        "file" => Values::File,
        "id" => Values::Asked("sessions"),
        _ => Values::Free,
    }
}

/// The values of a command's arguments.
pub(super) fn arguments_of(path: &str) -> Values {
    match path {
        "ait sessions go" => Values::Asked("targets"),
        "ait completions" => Values::Words("zsh bash fish nushell elvish xonsh"),
        "ait notify" => Values::Words("on off status test"),
        "ait hook" => Values::Words("session-register session-cleanup"),
        "ait hooks install" | "ait hooks uninstall" => Values::Words("session-register session-cleanup statusline"),
        "ait init" => Values::Words("zsh bash fish nushell elvish xonsh tmux starship claude"),
        _ => Values::Free,
    }
}

/// One command and all below it, each with what to type to get there.
pub(super) struct CommandPath<'a> {
    pub(super) path: String,
    pub(super) command: &'a CommandInfoWithArgs,
}

pub(super) fn places<'a>(path: &str, command: &'a CommandInfoWithArgs) -> Vec<CommandPath<'a>> {
    let below = command.commands.iter().flat_map(|inner| places(&format!("{path} {}", inner.name), &inner.command));
    std::iter::once(CommandPath { path: path.to_owned(), command }).chain(below).collect()
}

impl CommandPath<'_> {
    pub(super) fn options(&self) -> impl Iterator<Item = &FlagInfo<'_>> {
        self.command.flags.iter().filter(|flag| !flag.hidden)
    }
}

pub(super) fn value_of(flag: &FlagInfo<'_>) -> Option<Values> {
    match flag.kind {
        FlagInfoKind::Switch => None,
        FlagInfoKind::Option { .. } if flag.long == "--project" => Some(Values::Asked("projects")),
        FlagInfoKind::Option { .. } if flag.long == "--dismiss" => Some(Values::Asked("interrupted")),
        FlagInfoKind::Option { arg_name } => Some(values_of(arg_name)),
    }
}

/// A description without the doubled braces of argh.
pub(super) fn described(text: &str) -> String {
    text.replace("{{", "{").replace("}}", "}")
}

fn quoted(text: &str) -> String {
    text.replace('\'', r"'\''")
}

fn bash_words(values: Values) -> String {
    match values {
        Values::Words(words) => format!("words='{words}'"),
        Values::Folder => "words='' paths=-d".to_owned(),
        Values::File => "words='' paths=-f".to_owned(),
        Values::Asked(name) => format!("words=$(ait completions {name} 2>/dev/null | cut -f1)"),
        Values::Free => "words=''".to_owned(),
    }
}

/// The file for bash, to be sourced, or put where bash-completion looks for it.
pub fn bash(ait: &CommandInfoWithArgs) -> String {
    let all = places("ait", ait);
    let paths: Vec<String> = all.iter().skip(1).map(|place| format!("'{}'", place.path)).collect();
    let mut after_option = String::new();
    let mut words = String::new();
    for place in &all {
        let mut proposed: Vec<&str> = place.command.commands.iter().map(|inner| inner.name).collect();
        if let Values::Words(words) = arguments_of(&place.path) {
            proposed.push(words);
        }
        for flag in place.options() {
            proposed.push(flag.long);
            let Some(what) = value_of(flag).map(bash_words) else { continue };
            after_option.push_str(&format!("    '{} {}') {what} ;;\n", place.path, flag.long));
        }
        let more = match arguments_of(&place.path) {
            Values::Asked(name) => format!("\" $(ait completions {name} 2>/dev/null | cut -f1)\""),
            _ => String::new(),
        };
        words.push_str(&format!("        '{}') words='{}'{more} ;;\n", place.path, quoted(&proposed.join(" "))));
    }
    format!(
        r#"# Completion of ait for bash. Written by `ait completions bash`.

_ait() {{
    local at=ait current=${{COMP_WORDS[COMP_CWORD]}} before=${{COMP_WORDS[COMP_CWORD - 1]}} paths='' words i
    for ((i = 1; i < COMP_CWORD; i++)); do
        case "$at ${{COMP_WORDS[i]}}" in
        {paths}) at="$at ${{COMP_WORDS[i]}}" ;;
        esac
    done
    # bash takes --option=value apart.
    if [ "$current" = '=' ]; then
        current=''
    elif [ "$before" = '=' ]; then
        before=${{COMP_WORDS[COMP_CWORD - 2]}}
    fi
    case "$at $before" in
{after_option}    *)
        case $at in
{words}        esac
        ;;
    esac
    COMPREPLY=()
    while IFS= read -r i; do
        COMPREPLY+=("$i")
    done < <(if [ -n "$paths" ]; then compgen "$paths" -- "$current"; else compgen -W "$words" -- "$current"; fi)
    if [ -n "$paths" ]; then compopt -o filenames 2>/dev/null || :; fi
}}

complete -F _ait ait
"#,
        paths = paths.join(" | ")
    )
}

/// The file for zsh, `_ait`, to be put into a folder of `fpath`.
pub fn zsh(ait: &CommandInfoWithArgs) -> String {
    let mut out = String::from(
        r#"#compdef ait
# Completion of ait for zsh. Written by `ait completions zsh`.

_ait_asked() {
    local -a offered=(${(f)"$(ait completions $1 2>/dev/null)"})
    offered=("${offered[@]/$'\t'/:}")
    _describe -V -t $1 $1 offered
}
"#,
    );
    for place in places("ait", ait) {
        out.push_str(&zsh_function(&place));
    }
    // Autoloaded, the file itself is the function; sourced, it has to be made known.
    out.push_str("\nif [ \"$funcstack[1]\" = _ait ]; then\n    _ait \"$@\"\nelse\n    compdef _ait ait\nfi\n");
    out
}

fn zsh_function(place: &CommandPath<'_>) -> String {
    let mut specs = Vec::new();
    for flag in place.options() {
        let what = zsh_text(flag.description);
        let action = match value_of(flag) {
            None => String::new(),
            Some(Values::Words(words)) => format!(":value:({words})"),
            Some(Values::Folder) => ":folder:_files -/".to_owned(),
            Some(Values::File) => ":file:_files".to_owned(),
            Some(Values::Asked(name)) => format!(":{name}: _ait_asked {name}"),
            Some(Values::Free) => ":value: ".to_owned(),
        };
        let equals = if action.is_empty() { "" } else { "=" };
        match flag.short {
            Some(short) => specs
                .push(format!("'(-{short} {long})'{{-{short},{long}{equals}}}'[{what}]{action}'", long = flag.long)),
            None => specs.push(format!("'{}{equals}[{what}]{action}'", flag.long)),
        }
    }
    let name = place.path.replace([' ', '-'], "_");
    if place.command.commands.is_empty() {
        // An argument with nothing to propose is left out: zsh would show its name instead of completing an option.
        match arguments_of(&place.path) {
            Values::Words(words) => specs.push(format!("'*:argument:({words})'")),
            Values::Asked(name) => specs.push(format!("':{name}: _ait_asked {name}'")),
            _ => {}
        }
        return format!("\n_{name}() {{\n    _arguments -S : \\\n        {}\n}}\n", specs.join(" \\\n        "));
    }
    specs.extend(["'(-)1: :->command'".to_owned(), "'(-)*:: :->rest'".to_owned()]);
    let mut out = format!(
        "\n_{name}() {{\n    local curcontext=$curcontext state line\n    local -A opt_args\n    \
         local -a commands=(\n"
    );
    for inner in &place.command.commands {
        let what = described(inner.command.description).replace(':', "\\:");
        out.push_str(&format!("        '{}:{}'\n", inner.name, quoted(&what)));
    }
    out.push_str(&format!("    )\n    _arguments -C -S : \\\n        {}\n", specs.join(" \\\n        ")));
    out.push_str("    case $state in\n    command) _describe -t commands command commands ;;\n    rest)\n");
    out.push_str("        case $words[1] in\n");
    for inner in &place.command.commands {
        out.push_str(&format!("        {}) _{name}_{} ;;\n", inner.name, inner.name.replace('-', "_")));
    }
    out.push_str("        esac\n        ;;\n    esac\n}\n");
    out
}

/// In the brackets of a specification of `_arguments`.
fn zsh_text(text: &str) -> String {
    let mut out = String::new();
    for character in quoted(&described(text)).chars() {
        if matches!(character, '[' | ']' | ':') {
            out.push('\\');
        }
        out.push(character);
    }
    out
}

fn fish_values(values: Values) -> String {
    match values {
        Values::Words(words) => format!(" -x -a '{words}'"),
        Values::Folder => " -x -a '(__fish_complete_directories)'".to_owned(),
        Values::File => " -r".to_owned(),
        Values::Asked(name) => format!(" -x -k -a '(ait completions {name} 2>/dev/null)'"),
        Values::Free => " -x".to_owned(),
    }
}

/// The file for fish, to be put into a folder of `fish_complete_path`.
pub fn fish(ait: &CommandInfoWithArgs) -> String {
    let all = places("ait", ait);
    let paths: Vec<String> = all.iter().skip(1).map(|place| format!("'{}'", place.path)).collect();
    let mut out = format!(
        r#"# Completion of ait for fish. Written by `ait completions fish`.

function __ait_at
    set -l at ait
    for word in (commandline -opc)[2..-1]
        switch "$at $word"
            case {}
                set at "$at $word"
        end
    end
    test "$at" = "$argv"
end

complete -c ait -f
"#,
        paths.join(" ")
    );
    for place in &all {
        let start = format!("complete -c ait -n '__ait_at {}'", place.path);
        for inner in &place.command.commands {
            out.push_str(&format!("{start} -a {} -d '{}'\n", inner.name, fish_text(inner.command.description)));
        }
        match arguments_of(&place.path) {
            Values::Words(words) => out.push_str(&format!("{start} -a '{words}'\n")),
            Values::Asked(name) => out.push_str(&format!("{start} -k -a '(ait completions {name} 2>/dev/null)'\n")),
            _ => {}
        }
        for flag in place.options() {
            let short = flag.short.map(|short| format!(" -s {short}")).unwrap_or_default();
            let value = value_of(flag).map(fish_values).unwrap_or_default();
            let long = flag.long.trim_start_matches('-');
            out.push_str(&format!("{start}{short} -l {long}{value} -d '{}'\n", fish_text(flag.description)));
        }
    }
    out
}

fn fish_text(text: &str) -> String {
    described(text).replace('\\', r"\\").replace('\'', r"\'")
}
