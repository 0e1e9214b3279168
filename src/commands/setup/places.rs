//! What `ait setup` sets up, and where: one row for each shell and program. A new shell is a new row.

use std::path::{Path, PathBuf};

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
        let program = crate::commands::init::this_program(context)?;
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
    /// The name on the command line, which is also that of the program.
    pub(super) name: &'static str,
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
pub(super) const TARGETS: [Target; 5] = [
    Target {
        name: "zsh",
        usual: true,
        file: |places| places.folders.zsh.as_ref().unwrap_or(&places.folders.home).join(".zshrc"),
        lines: |places| Ok(Lines::Block(zsh(places))),
        completions: Some(|places| places.data.join("zsh/site-functions/_ait")),
        reload: "exec zsh",
    },
    Target {
        name: "bash",
        usual: true,
        file: bash_file,
        lines: |places| Ok(Lines::Block(posix(places, "bash", ""))),
        completions: Some(|places| places.data.join("bash-completion/completions/ait")),
        reload: "exec bash",
    },
    Target {
        name: "fish",
        usual: true,
        // A file of its own, which fish reads before config.fish.
        file: |places| places.config.join("fish/conf.d/ait.fish"),
        lines: |places| Ok(Lines::File(fish(places))),
        completions: Some(|places| places.config.join("fish/completions/ait.fish")),
        reload: "exec fish",
    },
    Target {
        name: "tmux",
        usual: true,
        file: tmux_file,
        lines: |places| printed(places, "tmux"),
        completions: None,
        reload: "tmux source-file FILE",
    },
    // The shells show the segment beside starship, and start fewer processes for it.
    Target {
        name: "starship",
        usual: false,
        file: |places| places.folders.starship.clone().unwrap_or_else(|| places.config.join("starship.toml")),
        lines: |places| printed(places, "starship"),
        completions: None,
        reload: "",
    },
];

impl Target {
    /// Whether to set it up if nobody names it: the program is there, and the user uses it.
    pub(super) fn is_used(&self, places: &Places) -> bool {
        let is_mine = places.shell.as_deref() == Some(self.name);
        let has_file =
            || files::exists(&(self.file)(places)) || self.name == "fish" && files::exists(&places.config.join("fish"));
        self.usual && (is_mine || process::find_program(self.name).is_some() && (has_file() || self.name == "tmux"))
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

/// What `ait init` prints.
fn printed(places: &Places, target: &str) -> Result<Lines> {
    let request = crate::commands::init::Init { target: Some(target.to_owned()), ..Default::default() };
    crate::commands::init::text_for(&request, &places.program).map(Lines::Block)
}
