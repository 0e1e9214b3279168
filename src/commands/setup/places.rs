//! What `ait setup` sets up, and where: one row for each shell and program. A new shell is a new row.

use std::path::{Path, PathBuf};

use crate::commands::init::{Init, elvish_quoted, python_quoted, text_for, this_program};
use crate::commands::startup::Folders;
use crate::context::Context;
use crate::error::{Error, Result};
use crate::sys::{files, process};

/// The name of Claude Code's hooks and status line in `--only`.
pub(super) const CLAUDE: &str = "claude";

/// The folders of the user and how to call this program.
pub(super) struct Places {
    /// Where configuration is.
    pub(super) folders: Folders,
    /// `XDG_CONFIG_HOME`, else `~/.config`.
    pub(super) config: PathBuf,
    /// `XDG_DATA_HOME`, else `~/.local/share`.
    pub(super) data: PathBuf,
    /// This program.
    pub(super) program: PathBuf,
    /// The name of the user's shell, from `SHELL`.
    pub(super) shell: Option<String>,
    /// `ait` is not found in `PATH`: the shells add its folder.
    pub(super) add_to_path: bool,
}

impl Places {
    /// # Errors
    /// If `HOME` is not set, or this program does not know its own path.
    pub(super) fn find(context: &Context) -> Result<Places> {
        let folders = Folders::find(context)
            .ok_or_else(|| Error::new("setting up", "HOME", "not set to an absolute path").hint("set HOME"))?;
        let below = |name: &str, usual: &str| {
            let set = context.path_variable(name).filter(|path| path.is_absolute());
            set.unwrap_or_else(|| folders.home.join(usual))
        };
        let program = this_program(context)?;
        Ok(Places {
            config: below("XDG_CONFIG_HOME", ".config"),
            data: below("XDG_DATA_HOME", ".local/share"),
            add_to_path: process::find_program("ait").is_none_or(|found| found != program),
            shell: context.path_variable("SHELL").and_then(|shell| Some(shell.file_name()?.to_str()?.to_owned())),
            program,
            folders,
        })
    }

    /// A path as a word of sh, bash, zsh and fish; below the home folder by `$HOME`.
    fn word(&self, path: &Path) -> String {
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"/._-+ ".contains(&byte));
        let below = path.strip_prefix(&self.folders.home).ok().and_then(Path::to_str).filter(|rest| is_plain(rest));
        match below {
            Some(rest) => format!("\"$HOME/{rest}\""),
            None => crate::claude::settings::quote(&path.to_string_lossy()),
        }
    }
}

/// What a row puts into its file.
pub(super) enum Lines {
    /// Lines of the user's own startup file.
    Block(String),
    /// A file of ait alone, which the shell reads too.
    File(String),
}

/// A shell, or another program that shows the segment.
pub(super) struct Target {
    /// The name on the command line.
    pub(super) name: &'static str,
    /// The name of the program.
    program: &'static str,
    /// Set up if it is installed; otherwise only with `--only`.
    pub(super) usual: bool,
    /// The file to change or to write. It need not exist.
    pub(super) file: fn(&Places) -> PathBuf,
    /// What to put in.
    pub(super) lines: fn(&Places) -> Result<Lines>,
    /// Where the shell looks for completions.
    pub(super) completions: Option<fn(&Places) -> PathBuf>,
    /// What to type in one that runs already.
    pub(super) reload: &'static str,
}

/// Everything that shows the segment.
pub(super) const TARGETS: [Target; 8] = [
    Target {
        name: "zsh",
        program: "zsh",
        usual: true,
        file: |places| places.folders.zsh.as_ref().unwrap_or(&places.folders.home).join(".zshrc"),
        lines: |places| Ok(Lines::Block(zsh(places))),
        completions: Some(|places| places.data.join("zsh/site-functions/_ait")),
        reload: "exec zsh",
    },
    Target {
        name: "bash",
        program: "bash",
        usual: true,
        file: bash_file,
        lines: |places| Ok(Lines::Block(posix(places, "bash", ""))),
        completions: Some(|places| places.data.join("bash-completion/completions/ait")),
        reload: "exec bash",
    },
    Target {
        name: "fish",
        program: "fish",
        usual: true,
        // A file of its own, which fish reads before config.fish.
        file: |places| places.config.join("fish/conf.d/ait.fish"),
        lines: |places| Ok(Lines::File(fish(places))),
        completions: Some(|places| places.config.join("fish/completions/ait.fish")),
        reload: "exec fish",
    },
    Target {
        name: "nushell",
        program: "nu",
        usual: true,
        // nushell loads no code that a program prints, only files.
        file: |places| places.config.join("nushell/autoload/ait.nu"),
        lines: nushell,
        completions: Some(|places| places.config.join("nushell/autoload/ait-completions.nu")),
        reload: "exec nu",
    },
    Target {
        name: "elvish",
        program: "elvish",
        usual: true,
        file: |places| places.config.join("elvish/rc.elv"),
        lines: elvish,
        completions: None,
        reload: "exec elvish",
    },
    Target {
        name: "xonsh",
        program: "xonsh",
        usual: true,
        file: xonsh_file,
        lines: xonsh,
        completions: None,
        reload: "exec xonsh",
    },
    Target {
        name: "tmux",
        program: "tmux",
        usual: true,
        file: tmux_file,
        lines: |places| printed(places, "tmux"),
        completions: None,
        reload: "tmux source-file FILE",
    },
    // The shells show the segment beside starship, and start fewer processes for it.
    Target {
        name: "starship",
        program: "starship",
        usual: false,
        file: |places| places.folders.starship.clone().unwrap_or_else(|| places.config.join("starship.toml")),
        lines: |places| printed(places, "starship"),
        completions: None,
        reload: "",
    },
];

impl Target {
    /// Whether to set it up if the user does not name it: the program is installed, and the user uses it.
    pub(super) fn is_used(&self, places: &Places) -> bool {
        let is_mine = places.shell.as_deref() == Some(self.program);
        let folder = places.config.join(self.name);
        let has_file = || self.name == "tmux" || files::exists(&(self.file)(places)) || files::exists(&folder);
        self.usual && (is_mine || process::find_program(self.program).is_some() && has_file())
    }
}

fn posix(places: &Places, shell: &str, more: &str) -> String {
    let ait = places.word(&places.program);
    let mut path = String::new();
    if let Some(folder) = places.program.parent().filter(|_| places.add_to_path) {
        let folder = places.word(folder);
        path = format!("  case \":$PATH:\" in *:{folder}:*) ;; *) export PATH={folder}:\"$PATH\" ;; esac\n");
    }
    format!("if [ -x {ait} ]; then\n{path}  eval \"$({ait} init {shell})\"\n{more}fi")
}

/// With the completions, if `compinit` has run: their folder is not among those that zsh looks into.
fn zsh(places: &Places) -> String {
    let folder = places.word(&places.data.join("zsh/site-functions"));
    posix(
        places,
        "zsh",
        &format!(
            "  (( ! $+functions[compdef] )) || {{ fpath=({folder} $fpath); autoload -Uz _ait; compdef _ait ait }}\n"
        ),
    )
}

/// Just before the first prompt, after config.fish has chosen a prompt.
fn fish(places: &Places) -> String {
    let ait = places.word(&places.program);
    let mut path = String::new();
    if let Some(folder) = places.program.parent().filter(|_| places.add_to_path) {
        let folder = places.word(folder);
        path = format!("    contains -- {folder} $PATH; or set -gx PATH {folder} $PATH\n");
    }
    format!(
        "# Written by `ait setup`; `ait uninstall` removes this file.\n\
         if status is-interactive; and test -x {ait}\n\
         {path}    function __ait_setup --on-event fish_prompt\n        functions -e __ait_setup\n        \
         {ait} init fish | source\n        ait_refresh\n    end\nend\n"
    )
}

/// Written again by `ait setup` after an update of ait.
fn nushell(places: &Places) -> Result<Lines> {
    let code = init(places, "nushell")?;
    Ok(Lines::File(format!("# Written by `ait setup`; `ait uninstall` removes this file.\n{code}")))
}

/// Both parts, because elvish looks for completions nowhere.
fn elvish(places: &Places) -> Result<Lines> {
    let ait = elvish_quoted(&places.program.to_string_lossy());
    let call = |command: &str| format!("  eval ((external {ait}) {command} elvish | slurp)\n");
    Ok(Lines::Block(format!("if (has-external {ait}) {{\n{}{}}}", call("init"), call("completions"))))
}

/// Both parts, because xonsh looks for completions nowhere.
fn xonsh(places: &Places) -> Result<Lines> {
    let ait = python_quoted(&places.program.to_string_lossy());
    let call = |command: &str| format!("    execx($({ait} {command} xonsh))\n");
    Ok(Lines::Block(format!("if __import__('os').access({ait}, 1):\n{}{}", call("init"), call("completions"))))
}

fn xonsh_file(places: &Places) -> PathBuf {
    let (in_home, in_config) = (places.folders.home.join(".xonshrc"), places.config.join("xonsh/rc.xsh"));
    if !files::exists(&in_home) && files::exists(&in_config) { in_config } else { in_home }
}

/// On macOS terminals start login shells, which read only the first of three other files.
fn bash_file(places: &Places) -> PathBuf {
    let home = &places.folders.home;
    let bashrc = home.join(".bashrc");
    if !cfg!(target_os = "macos") {
        return bashrc;
    }
    let login = [".bash_profile", ".bash_login", ".profile"].map(|name| home.join(name));
    let first = login.iter().find(|file| files::exists(file)).unwrap_or(&login[0]);
    let reads_bashrc = files::read(first, 1 << 20).is_ok_and(|text| memchr::memmem::find(&text, b".bashrc").is_some());
    if reads_bashrc { bashrc } else { first.clone() }
}

fn tmux_file(places: &Places) -> PathBuf {
    let home = &places.folders.home;
    let local = home.join(".tmux.conf.local");
    let (in_home, in_config) = (home.join(".tmux.conf"), places.config.join("tmux/tmux.conf"));
    match () {
        // oh-my-tmux says not to change the other one.
        () if files::exists(&local) => local,
        () if !files::exists(&in_home) && files::exists(&in_config) => in_config,
        () => in_home,
    }
}

fn printed(places: &Places, target: &str) -> Result<Lines> {
    init(places, target).map(Lines::Block)
}

/// What `ait init` prints.
fn init(places: &Places, target: &str) -> Result<String> {
    text_for(&Init { target: Some(target.to_owned()), ..Init::default() }, &places.program)
}
