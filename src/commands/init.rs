//! `ait init`: what to put in a shell's, tmux's or starship's configuration. The texts are real files in `shell/`, and
//! `ait.tmux`; the path of this program is filled in, so that no prompt searches `PATH`.

use std::path::{Path, PathBuf};

use argh::{ArgsInfo, FromArgs};

use super::Run;
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::report::Report;
use crate::sys::{files, process};

/// print the code that shows the segment in a shell, tmux or starship
#[derive(FromArgs, ArgsInfo, Clone, Debug, Default)]
#[argh(subcommand, name = "init", help_triggers("-h", "--help"), example = "  eval \"$(ait init zsh)\"")]
pub struct Init {
    /// zsh, bash, fish, nushell, elvish, xonsh, tmux, starship or claude
    #[argh(positional)]
    pub target: Option<String>,
    /// shells: only set $AIT_SEGMENT, and leave the prompt alone
    #[argh(switch)]
    pub manual: bool,
    /// tmux: print the plugin itself, a script for sh
    #[argh(switch)]
    pub plugin: bool,
}

/// The output of `ait init --help` and of `ait init`.
pub const HELP: &str = r#"Usage: ait init <TARGET> [--manual] [--plugin]

print the code that shows the segment in a shell, tmux or starship

TARGET is zsh, bash, fish, nushell, elvish, xonsh, tmux, starship or claude.

Options:
  --manual          shells: only set $AIT_SEGMENT, and leave the prompt alone
  --plugin          tmux: print the plugin itself, a script for sh
  -h, --help        display usage information

`ait setup` does this for you. By hand: add the line at the end of the file,
after your prompt framework:

  ~/.zshrc                      eval "$(ait init zsh 2>/dev/null)"
  ~/.bashrc                     eval "$(ait init bash 2>/dev/null)"
  ~/.config/fish/config.fish    type -q ait; and ait init fish | source
  ~/.config/elvish/rc.elv       if (has-external ait) {
                                  eval (ait init elvish | slurp)
                                }
  ~/.xonshrc                    if !(which -s ait): execx($(ait init xonsh))
  nushell, typed once           let dir = $nu.user-autoload-dirs.0; mkdir $dir
                                ait init nushell | save -f ($dir)/ait.nu
  ~/.tmux.conf                  what `ait init tmux` prints
  ~/.config/starship.toml       what `ait init starship` prints
  Claude Code's status line     ait hooks install statusline

The segment is at the left of the right prompt; in bash it is on its own line
above the prompt. In a folder without a session the prompt does not
change. This works with oh-my-zsh, prezto, pure, starship, liquidprompt, tide, a
vi-mode prompt that sets RPS1, and the shell integration of VS Code. In
spaceship and geometry the segment is a section of the right prompt, in
typewritten a prefix.

To put the segment somewhere else, add --manual and use $AIT_SEGMENT:

  zsh, your own PROMPT   setopt prompt_subst
                         PROMPT='${AIT_SEGMENT:+$AIT_SEGMENT }'$PROMPT
  bash, your own PS1     PS1='${AIT_SEGMENT:+$AIT_SEGMENT }'$PS1
  fish, your own prompt  ait_segment, in fish_prompt or fish_right_prompt
                         (Keep the single quotes above: with them the shell
                         never runs the name of a branch or task.)
  nushell                $env.AIT_SEGMENT, in $env.PROMPT_COMMAND
  elvish                 ait init elvish --manual > ~/.config/elvish/lib/ait.elv
                         use ait; set edit:prompt = { ait:segment; put ' > ' }
  xonsh                  $PROMPT = '{ait:{} }' + $PROMPT
  powerlevel10k          --manual; in ~/.p10k.zsh add ait to
                         POWERLEVEL9K_RIGHT_PROMPT_ELEMENTS, and
    prompt_ait() { p10k segment -e -c '$AIT_SEGMENT' -t '$AIT_SEGMENT' }
  spaceship              after the ait line: spaceship add ait
  geometry               geometry_ait, in GEOMETRY_PROMPT
  typewritten            TYPEWRITTEN_LEFT_PROMPT_PREFIX_FUNCTION=ait_segment
  tide                   set -U -a tide_right_prompt_items ait; exec fish
                         Colours: tide_ait_color, tide_ait_bg_color.
  starship               use the module that `ait init starship` prints

Variables: AIT_FORMAT (exported) sets the format; see `ait prompt --help`.

Examples:
  eval "$(ait init zsh)"
  eval "$(ait init bash --manual)"; PS1='${AIT_SEGMENT:+[$AIT_SEGMENT] }\w \$ '
  ait init tmux >> ~/.tmux.conf
"#;

/// The programs that `ait init` knows.
pub const TARGETS: [&str; 9] = ["zsh", "bash", "fish", "nushell", "elvish", "xonsh", "tmux", "starship", "claude"];

const ZSH: &str = include_str!("../../shell/ait.zsh");
const BASH: &str = include_str!("../../shell/ait.bash");
const FISH: &str = include_str!("../../shell/ait.fish");
const NUSHELL: &str = include_str!("../../shell/ait.nu");
const ELVISH: &str = include_str!("../../shell/ait.elv");
const XONSH: &str = include_str!("../../shell/ait.xsh");
const TMUX: &str = include_str!("../../ait.tmux");
const STARSHIP: &str = include_str!("../../shell/starship.toml");

impl Run for Init {
    /// Prints the text for this program as `PATH` names it.
    ///
    /// # Errors
    /// An unknown target, an option that the target does not have, or a path that is not UTF-8.
    fn run(&self, context: &Context) -> Result<Report> {
        text_for(self, &this_program(context)?).map(Report::text)
    }
}

/// The output of `ait init` for a program at this path.
///
/// # Errors
/// As for [`Init`].
pub fn text_for(request: &Init, program: &Path) -> Result<String> {
    let Some(target) = request.target.as_deref() else { return Ok(HELP.to_owned()) };
    let known = TARGETS.contains(&target);
    if known && request.manual && matches!(target, "tmux" | "starship" | "claude") {
        return Err(misused("--manual", "only for shells"));
    }
    if known && request.plugin && target != "tmux" {
        return Err(misused("--plugin", "only for tmux"));
    }
    let path = program.to_str().ok_or_else(|| {
        Error::new("printing the shell code", program.display(), "the path of this program is not UTF-8")
            .hint("install ait in another folder")
    })?;
    let manual = if request.manual { "1" } else { "0" };
    Ok(match target {
        "zsh" => {
            let text = fill(ZSH, &[("'::AIT::'", &shell_quoted(path)), ("'::MANUAL::'", manual)]);
            format!("\\builtin emulate zsh -o no_aliases -c {}\n", shell_quoted(&text))
        }
        "bash" => fill(BASH, &[("'::AIT::'", &shell_quoted(path)), ("'::MANUAL::'", manual)]),
        "fish" => {
            let changed = files::metadata(program).map_or(0, |meta| meta.modified.div_euclid(1_000_000_000));
            let changed = changed.to_string();
            fill(FISH, &[("'::AIT::'", &fish_quoted(path)), ("'::CHANGED::'", &changed), ("'::MANUAL::'", manual)])
        }
        "nushell" => fill(NUSHELL, &[("'::AIT::'", &nushell_quoted(path)), ("'::MANUAL::'", manual)]),
        "elvish" => fill(ELVISH, &[("'::AIT::'", &elvish_quoted(path)), ("'::MANUAL::'", manual)]),
        "xonsh" => fill(XONSH, &[("'::AIT::'", &python_quoted(path)), ("'::MANUAL::'", manual)]),
        "tmux" if request.plugin => fill(TMUX, &[("'::AIT::'", &shell_quoted(path))]),
        "tmux" => tmux_lines(path),
        "starship" => fill(STARSHIP, &[("\"::AIT::\"", &toml_quoted(path))]),
        "claude" => CLAUDE.to_owned(),
        other => {
            return Err(Error::new("reading the command line", "ait init", format!("unknown target `{other}`"))
                .hint(format!("type one of: {}", TARGETS.join(", ")))
                .exit(Exit::NotFound));
        }
    })
}

const CLAUDE: &str = "\
Claude Code's status line is set in its settings.json. This does it, keeps what is there, and can be taken back:

    ait hooks install statusline
    ait hooks uninstall statusline
";

/// The first line for tmux.conf.
pub(super) const TMUX_COMMENT: &str =
    "# All Claude Code sessions in the status line: right, left, or where you write #{ait} yourself.";

/// The two lines for tmux.conf. Without an apostrophe if the path needs none: some configurations also read the file as a
/// shell script.
fn tmux_lines(path: &str) -> String {
    let is_plain = path.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-+".contains(&byte));
    let program = if is_plain { path.to_owned() } else { shell_quoted(path) };
    format!(
        "{TMUX_COMMENT}\n\
         set -goq @ait-position right\n\
         run-shell {}\n",
        tmux_quoted(&format!("{program} init tmux --plugin | sh"))
    )
}

fn misused(option: &str, why: &str) -> Error {
    Error::new("reading the command line", format!("ait init {option}"), why)
        .hint("type: ait init --help")
        .exit(Exit::NotFound)
}

/// This program under the name that `PATH` has for it, which outlives an update where a package manager keeps each
/// version in a folder of its own and `PATH` names a link; else where it really is.
pub(super) fn this_program(context: &Context) -> Result<PathBuf> {
    let program = context.program().ok_or_else(|| {
        Error::new("finding this program", "", "the system does not report its path").hint("start ait by its full path")
    })?;
    let found = process::find_program("ait").filter(|found| files::resolve(found) == files::resolve(&program));
    Ok(found.unwrap_or(program))
}

/// Fills in every placeholder. One pass: a path that looks like a placeholder stays what it is.
fn fill(text: &str, values: &[(&str, &str)]) -> String {
    let mut filled = String::with_capacity(text.len() + 64);
    let mut rest = text;
    while let Some((at, name, value)) = values
        .iter()
        .filter_map(|(name, value)| rest.find(name).map(|at| (at, *name, *value)))
        .min_by_key(|(at, ..)| *at)
    {
        let (before, after) = rest.split_at(at);
        filled.push_str(before);
        filled.push_str(value);
        rest = after.strip_prefix(name).unwrap_or_default();
    }
    filled + rest
}

/// One word for sh, bash and zsh.
fn shell_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', r"'\''"))
}

/// One word for fish, which knows two escapes inside single quotes.
fn fish_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'"))
}

/// A string of nushell, in which `$` and parentheses mean themselves.
fn nushell_quoted(text: &str) -> String {
    format!("\"{}\"", text.replace('\\', r"\\").replace('"', "\\\""))
}

/// One word for elvish, which knows one escape inside single quotes.
pub(super) fn elvish_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\'', "''"))
}

/// A string of Python.
pub(super) fn python_quoted(text: &str) -> String {
    format!("'{}'", text.replace('\\', r"\\").replace('\'', r"\'").replace('\n', r"\n"))
}

/// One word for tmux.conf, and safe from the expansion of formats that `run-shell` does.
fn tmux_quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' | '$' => quoted.extend(['\\', letter]),
            '#' => quoted.push_str("##"),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

/// A basic string of TOML (<https://toml.io/en/v1.0.0#string>).
fn toml_quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            letter if letter.is_control() => quoted.push_str(&format!("\\u{:04X}", u32::from(letter))),
            letter => quoted.push(letter),
        }
    }
    quoted.push('"');
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn init(target: &str) -> Init {
        Init { target: Some(target.to_owned()), ..Init::default() }
    }

    #[test]
    fn no_placeholder_is_left() {
        for target in TARGETS {
            let plugin = target == "tmux";
            for request in [init(target), Init { plugin, ..init(target) }] {
                let text = text_for(&request, Path::new("/opt/a'b c/ait")).unwrap();
                assert!(!text.contains("::AIT::") && !text.contains("::MANUAL::"), "{text}");
                assert!(!text.contains("::CHANGED::"), "{text}");
                assert!(target == "claude" || text.contains("b c/ait"), "{text}");
            }
        }
    }

    #[test]
    fn a_path_that_looks_like_a_placeholder_stays_a_path() {
        let text = text_for(&init("bash"), Path::new("/x'::MANUAL::'/ait")).unwrap();
        assert!(text.contains(r"__ait_bin='/x'\''::MANUAL::'\''/ait'"), "{text}");
    }

    #[test]
    fn options_that_mean_nothing_are_refused() {
        for (request, named) in [
            (Init { manual: true, ..init("tmux") }, "--manual"),
            (Init { plugin: true, ..init("zsh") }, "--plugin"),
            (init("csh"), "csh"),
        ] {
            let error = text_for(&request, Path::new("/ait")).unwrap_err();
            assert_eq!(error.code(), Exit::NotFound);
            assert!(error.to_string().contains(named), "{error}");
        }
    }

    #[test]
    fn paths_are_quoted_for_each_shell() {
        assert_eq!(shell_quoted("a'b"), r"'a'\''b'");
        assert_eq!(fish_quoted(r"a'b\"), r"'a\'b\\'");
        assert_eq!(nushell_quoted(r#"a'"\$"#), r#""a'\"\\$""#);
        assert_eq!(elvish_quoted(r"a'b\"), r"'a''b\'");
        assert_eq!(python_quoted(r"a'b\"), r"'a\'b\\'");
        assert_eq!(tmux_quoted("'/a$#\"b'"), "\"'/a\\$##\\\"b'\"");
        assert_eq!(toml_quoted("a\"\\\n"), "\"a\\\"\\\\\\u000A\"");
    }
}
