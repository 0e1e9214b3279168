//! What the user may type, and its translation into typed requests.

use argh::{ArgsInfo, CommandInfoWithArgs, EarlyExit, FlagInfoKind, FromArgs};

use crate::commands::{
    Misused, Output, completions, conflicts, current, demo, doctor, guard, history, hook, hooks, init, live, next,
    prompt, prune, resume, statusline, task,
};
use crate::error::{Error, Exit, edits};

/// What the user asks for.
#[derive(Clone, Debug)]
pub enum Request {
    /// `ait hook NAME`
    Hook(hook::Hook),
    /// `ait prompt`
    Prompt(prompt::Prompt),
    /// `ait statusline`
    Statusline(statusline::Statusline),
    /// `ait init`
    Init(init::Init),
    /// `ait sessions live`
    Live(live::Live),
    /// `ait sessions current`
    Current(current::Current),
    /// `ait sessions task`
    Task(task::Task),
    /// `ait sessions conflicts`
    Conflicts(conflicts::Conflicts),
    /// `ait sessions history`
    History(history::History),
    /// `ait sessions prune`
    Prune(prune::Prune),
    /// `ait sessions next`
    Next(next::Next),
    /// `ait sessions resume`
    Resume(resume::Resume),
    /// `ait guard`
    Guard(guard::Guard),
    /// `ait hooks install`
    HooksInstall(hooks::Install),
    /// `ait hooks uninstall`
    HooksUninstall(hooks::Uninstall),
    /// `ait hooks list`
    HooksList(hooks::List),
    /// `ait demo`
    Demo(demo::Demo),
    /// `ait doctor`
    Doctor(doctor::Doctor),
    /// `ait completions`
    Completions(completions::Completions),
    /// One of the fast three, with words that it does not know.
    Misused(Misused),
}

/// track and coordinate parallel Claude Code sessions
#[derive(FromArgs, ArgsInfo)]
#[argh(
    name = "ait",
    help_triggers("-h", "--help"),
    example = "  ait hooks install       have every session tracked from now on\n  ait sessions live       what runs where, since when, on what task\n  eval \"$(ait init zsh)\"  show it in the prompt",
    error_code(0, "done"),
    error_code(1, "failed, or nothing there"),
    error_code(2, "not found, or more than one thing answers to it"),
    error_code(3, "conflicts, with --strict")
)]
struct Ait {
    /// print the version and exit
    #[argh(switch, short = 'V')]
    version: bool,

    #[argh(subcommand)]
    command: Option<Command>,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum Command {
    Sessions(Sessions),
    Guard(GuardArguments),
    Hooks(Hooks),
    Prompt(PromptArguments),
    Statusline(StatuslineArguments),
    Init(InitArguments),
    Hook(HookArguments),
    Doctor(DoctorArguments),
    Demo(DemoArguments),
    Completions(CompletionsArguments),
}

/// see and steer the sessions
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "sessions",
    help_triggers("-h", "--help"),
    example = "  ait sessions live\n  ait sessions task \"Fixing login bug\""
)]
struct Sessions {
    #[argh(subcommand)]
    command: SessionsCommand,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum SessionsCommand {
    Live(LiveArguments),
    Current(CurrentArguments),
    Task(TaskArguments),
    Conflicts(ConflictsArguments),
    History(HistoryArguments),
    Next(NextArguments),
    Resume(ResumeArguments),
    Prune(PruneArguments),
}

/// show all live sessions
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "live",
    help_triggers("-h", "--help"),
    example = "  ait sessions live --project aiterm --verbose"
)]
struct LiveArguments {
    /// only this project
    #[argh(option, arg_name = "name")]
    project: Option<String>,
    /// only sessions in this folder or below
    #[argh(option, arg_name = "dir")]
    path: Option<String>,
    /// also the process, and where each state comes from
    #[argh(switch, short = 'v')]
    verbose: bool,
    /// keep it on the screen, up to date; q leaves
    #[argh(switch, short = 'w')]
    watch: bool,
    /// one JSON object
    #[argh(switch)]
    json: bool,
    /// always, never or auto (the default)
    #[argh(option, arg_name = "when")]
    color: Option<String>,
}

/// show the session of this folder, or the one whose shell this is
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "current", help_triggers("-h", "--help"), example = "  ait sessions current --json")]
struct CurrentArguments {
    /// this session (an id, or the start of one)
    #[argh(option, arg_name = "id")]
    session: Option<String>,
    /// one JSON object
    #[argh(switch)]
    json: bool,
    /// always, never or auto (the default)
    #[argh(option, arg_name = "when")]
    color: Option<String>,
}

/// show, set or clear the task of the current session
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "task",
    help_triggers("-h", "--help"),
    example = "  ait sessions task \"Fixing login bug\"   set it\n  ait sessions task                      show it\n  ait sessions task \"\"                   clear it"
)]
struct TaskArguments {
    /// the task; without it the task is shown, an empty one clears it
    #[argh(positional)]
    text: Vec<String>,
    /// this session (an id, or the start of one)
    #[argh(option, arg_name = "id")]
    session: Option<String>,
    /// one JSON object
    #[argh(switch)]
    json: bool,
}

/// show where live sessions can hurt each other
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "conflicts",
    help_triggers("-h", "--help"),
    example = "  ait sessions conflicts --strict && git checkout main"
)]
struct ConflictsArguments {
    /// exit with 3 where there are conflicts that have not faded
    #[argh(switch)]
    strict: bool,
    /// also ask git whether the branches of live trees would merge
    #[argh(switch)]
    merge: bool,
    /// one JSON object
    #[argh(switch)]
    json: bool,
    /// always, never or auto (the default)
    #[argh(option, arg_name = "when")]
    color: Option<String>,
}

/// show ended sessions: today's, or those of other days
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "history",
    help_triggers("-h", "--help"),
    example = "  ait sessions history --days 7 --project aiterm\n  ait sessions history --date 2025-12-25"
)]
struct HistoryArguments {
    /// this day (YYYY-MM-DD, today, yesterday)
    #[argh(option, arg_name = "day")]
    date: Option<String>,
    /// this many days, up to --date or today
    #[argh(option, arg_name = "n")]
    days: Option<u32>,
    /// only this project
    #[argh(option, arg_name = "name")]
    project: Option<String>,
    /// only sessions with this text in task, project, branch or path
    #[argh(option, arg_name = "text")]
    search: Option<String>,
    /// at most this many sessions
    #[argh(option, arg_name = "n")]
    limit: Option<usize>,
    /// one JSON object
    #[argh(switch)]
    json: bool,
    /// always, never or auto (the default)
    #[argh(option, arg_name = "when")]
    color: Option<String>,
}

/// show which session has waited for you longest
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "next", help_triggers("-h", "--help"), example = "  ait sessions next --go")]
struct NextArguments {
    /// switch to its tmux pane
    #[argh(switch)]
    go: bool,
    /// one JSON object
    #[argh(switch)]
    json: bool,
    /// always, never or auto (the default)
    #[argh(option, arg_name = "when")]
    color: Option<String>,
}

/// list sessions that did not end properly, with the line that brings each back
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "resume", help_triggers("-h", "--help"), example = "  ait sessions resume --days 30")]
struct ResumeArguments {
    /// look through this many days of history (7)
    #[argh(option, arg_name = "n")]
    days: Option<u32>,
    /// one JSON object
    #[argh(switch)]
    json: bool,
    /// always, never or auto (the default)
    #[argh(option, arg_name = "when")]
    color: Option<String>,
}

/// say what happens before a session writes what another one wrote within the hour
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "guard",
    help_triggers("-h", "--help"),
    example = "  ait guard             show what counts here\n  ait guard ask         in this repository, have Claude Code ask you\n  ait guard off --user  everywhere else, say nothing"
)]
struct GuardArguments {
    /// off, tell (the default: Claude is told, and the write goes on), ask or deny
    #[argh(positional)]
    word: Option<String>,
    /// for every repository that has no word of its own
    #[argh(switch)]
    user: bool,
    /// one JSON object
    #[argh(switch)]
    json: bool,
}

/// archive sessions whose process is gone
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "prune", help_triggers("-h", "--help"), example = "  ait sessions prune --dry-run")]
struct PruneArguments {
    /// say what would be archived, and archive nothing
    #[argh(switch)]
    dry_run: bool,
    /// one JSON object
    #[argh(switch)]
    json: bool,
}

/// have Claude Code call ait
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "hooks", help_triggers("-h", "--help"), example = "  ait hooks install\n  ait hooks list")]
struct Hooks {
    #[argh(subcommand)]
    command: HooksCommand,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum HooksCommand {
    Install(InstallArguments),
    Uninstall(UninstallArguments),
    List(ListArguments),
}

/// install hooks into Claude Code's settings
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "install",
    help_triggers("-h", "--help"),
    example = "  ait hooks install              both hooks of sessions\n  ait hooks install statusline   the status line\n  ait hooks install --dry-run    show what would change"
)]
struct InstallArguments {
    /// session-register, session-cleanup, statusline; the first two where none is named
    #[argh(positional, arg_name = "hook")]
    names: Vec<String>,
    /// show what would change, and change nothing
    #[argh(switch)]
    dry_run: bool,
}

/// take hooks out of Claude Code's settings again
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "uninstall", help_triggers("-h", "--help"), example = "  ait hooks uninstall --dry-run")]
struct UninstallArguments {
    /// session-register, session-cleanup, statusline; all where none is named
    #[argh(positional, arg_name = "hook")]
    names: Vec<String>,
    /// show what would change, and change nothing
    #[argh(switch)]
    dry_run: bool,
}

/// show which hooks are installed, and when each was last seen to fire
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "list", help_triggers("-h", "--help"), example = "  ait hooks list --json")]
struct ListArguments {
    /// one JSON object
    #[argh(switch)]
    json: bool,
}

/// print the segment of this folder's session, for a prompt
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "prompt",
    help_triggers("-h", "--help"),
    example = "  ait prompt --format '[{{project}} ][{{icon}} ]{{task:20}}[ {{conflict}}]'",
    note = "The usual format is",
    note = "[{{project}} ][{{branch}} ][{{elapsed}}][ {{waiting}}][ {{task}}][ {{conflict}}][ {{moved}}]",
    note = "AIT_FORMAT holds another one, for every prompt. {{task:12}} is cut to 12 cells;",
    note = "a backslash goes before a bracket or brace that is meant as such. The tokens:",
    note = "  project      name of the project",
    note = "  branch       branch, or the commit where there is none",
    note = "  worktree     name of the linked worktree; empty in the main one",
    note = "  elapsed      how long the session has been running: 45m",
    note = "  task         what the session is for",
    note = "  state        what it is doing: idle, working, waiting, error, unknown",
    note = "  icon         the same as a mark; empty when idle or unknown",
    note = "  waiting      who waits longest for you, and how long",
    note = "  waiting_for  what it waits for: permission, question, input",
    note = "  conflict     how many sessions share this tree or wrote one file",
    note = "  count        how many sessions are live",
    note = "  path         folder of the session",
    note = "  session      first eight characters of the session's id",
    note = "  moved        where another session moved this tree's branch or commit",
    note = "  hooks        a warning where hooks do not fire",
    note = "  model        name of the model (status line)",
    note = "  context      share of the context that is used (status line)",
    note = "  cost         what the session has cost, in dollars (status line)",
    note = "  lines        lines added and removed (status line)",
    note = "  limits       share of the five-hour and seven-day limits used (status line)"
)]
struct PromptArguments {
    /// zsh, bash, fish, tmux, starship, ansi or plain (the default)
    #[argh(option, long = "for", arg_name = "dialect")]
    dialect: Option<String>,
    /// what to show: text, {token}, [group that vanishes when empty]
    #[argh(option, arg_name = "format")]
    format: Option<String>,
    /// the folder to speak of, instead of the current one
    #[argh(option, arg_name = "dir")]
    dir: Option<String>,
    /// all sessions, wherever they work: how many, who waits, conflicts
    #[argh(switch)]
    fleet: bool,
    /// a line now and one at each change, until nobody reads: for a #() of tmux
    #[argh(switch)]
    follow: bool,
    /// unicode (the default), nerd or ascii
    #[argh(option, arg_name = "set")]
    icons: Option<String>,
    /// always, never or auto (the default)
    #[argh(option, arg_name = "when")]
    color: Option<String>,
    /// at most this many terminal cells
    #[argh(option, arg_name = "n")]
    max_width: Option<usize>,
}

/// print the status line; Claude Code calls this, with JSON on standard input
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "statusline",
    help_triggers("-h", "--help"),
    example = "  ait statusline --format '[{{project}} ][{{branch}} ][{{task}}][ | {{context}}][ | {{cost}}]' < payload.json",
    note = "The tokens are those of: ait prompt --help"
)]
struct StatuslineArguments {
    /// what to show: text, {token}, [group that vanishes when empty]; AIT_STATUSLINE_FORMAT is the default
    #[argh(option, arg_name = "format")]
    format: Option<String>,
    /// unicode (the default), nerd or ascii
    #[argh(option, arg_name = "set")]
    icons: Option<String>,
    /// always, never or auto (the default: always, unless NO_COLOR is set)
    #[argh(option, arg_name = "when")]
    color: Option<String>,
    /// at most this many terminal cells; what Claude Code has room for is the default
    #[argh(option, arg_name = "n")]
    max_width: Option<usize>,
    /// show what this command prints below: the status line that was there before
    #[argh(option, arg_name = "command")]
    then: Option<String>,
}

/// print what puts the segment in a prompt, in tmux or in starship
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "init", help_triggers("-h", "--help"), example = "  eval \"$(ait init zsh)\"")]
struct InitArguments {
    /// zsh, bash, fish, tmux, starship or claude
    #[argh(positional)]
    target: Option<String>,
    /// shells: touch no prompt, only set $AIT_SEGMENT
    #[argh(switch)]
    manual: bool,
    /// tmux: the plug-in itself
    #[argh(switch)]
    plugin: bool,
}

/// take an event from Claude Code on standard input (Claude Code calls this)
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "hook", help_triggers("-h", "--help"), example = "  ait hook session-register < event.json")]
struct HookArguments {
    /// session-register or session-cleanup
    #[argh(positional)]
    name: Option<String>,
}

/// see it all at work with three played sessions, in a temporary folder
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "demo", help_triggers("-h", "--help"), example = "  ait demo")]
struct DemoArguments {
    /// always, never or auto (the default)
    #[argh(option, arg_name = "when")]
    color: Option<String>,
}

/// find out why something does not work, and what mends it
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "doctor",
    help_triggers("-h", "--help"),
    example = "  ait doctor        look at everything\n  ait doctor --fix  put hooks back, set modes right, archive what is gone"
)]
struct DoctorArguments {
    /// mend what can be mended safely, then look again
    #[argh(switch)]
    fix: bool,
    /// one JSON object
    #[argh(switch)]
    json: bool,
    /// always, never or auto (the default)
    #[argh(option, arg_name = "when")]
    color: Option<String>,
}

/// print the completion file of a shell
#[derive(FromArgs, ArgsInfo)]
#[argh(
    subcommand,
    name = "completions",
    help_triggers("-h", "--help"),
    example = "  ait completions fish > ~/.config/fish/completions/ait.fish"
)]
struct CompletionsArguments {
    /// zsh, bash or fish
    #[argh(positional)]
    shell: String,
}

impl From<Command> for Request {
    fn from(command: Command) -> Request {
        match command {
            Command::Sessions(Sessions { command }) => match command {
                SessionsCommand::Live(LiveArguments { project, path, verbose, watch, json, color }) => {
                    Request::Live(live::Live { project, path, verbose, watch, json, color })
                }
                SessionsCommand::Current(CurrentArguments { session, json, color }) => {
                    Request::Current(current::Current { session, json, color })
                }
                SessionsCommand::Task(TaskArguments { text, session, json }) => {
                    let text = (!text.is_empty()).then(|| text.join(" "));
                    Request::Task(task::Task { text, session, json })
                }
                SessionsCommand::Conflicts(ConflictsArguments { strict, merge, json, color }) => {
                    Request::Conflicts(conflicts::Conflicts { strict, merge, json, color })
                }
                SessionsCommand::History(HistoryArguments { date, days, project, search, limit, json, color }) => {
                    Request::History(history::History { date, days, project, search, limit, json, color })
                }
                SessionsCommand::Next(NextArguments { go, json, color }) => {
                    Request::Next(next::Next { go, json, color })
                }
                SessionsCommand::Resume(ResumeArguments { days, json, color }) => {
                    Request::Resume(resume::Resume { days, json, color })
                }
                SessionsCommand::Prune(PruneArguments { dry_run, json }) => {
                    Request::Prune(prune::Prune { dry_run, json })
                }
            },
            Command::Hooks(Hooks { command }) => match command {
                HooksCommand::Install(InstallArguments { names, dry_run }) => {
                    Request::HooksInstall(hooks::Install { names, dry_run })
                }
                HooksCommand::Uninstall(UninstallArguments { names, dry_run }) => {
                    Request::HooksUninstall(hooks::Uninstall { names, dry_run })
                }
                HooksCommand::List(ListArguments { json }) => Request::HooksList(hooks::List { json }),
            },
            Command::Prompt(PromptArguments { dialect, format, dir, fleet, follow, icons, color, max_width }) => {
                Request::Prompt(prompt::Prompt { dialect, format, dir, fleet, follow, icons, color, max_width })
            }
            Command::Init(InitArguments { target, manual, plugin }) => {
                Request::Init(init::Init { target, manual, plugin })
            }
            Command::Statusline(StatuslineArguments { format, icons, color, max_width, then }) => {
                Request::Statusline(statusline::Statusline { format, icons, color, max_width, then })
            }
            Command::Guard(GuardArguments { word, user, json }) => Request::Guard(guard::Guard { word, user, json }),
            Command::Hook(HookArguments { name }) => Request::Hook(hook::Hook { name }),
            Command::Completions(CompletionsArguments { shell }) => {
                Request::Completions(completions::Completions { shell })
            }
            Command::Doctor(DoctorArguments { fix, json, color }) => {
                Request::Doctor(doctor::Doctor { fix, json, color })
            }
            Command::Demo(DemoArguments { color }) => Request::Demo(demo::Demo { color }),
        }
    }
}

/// Everything that may be typed: commands, options, arguments, and what each is for.
pub fn description() -> CommandInfoWithArgs {
    Ait::get_args_info()
}

/// Reads the command line.
///
/// # Errors
/// Help, the version, or what is wrong with it: in each case what to print and how to exit.
pub fn parse(arguments: &[String]) -> Result<Request, Output> {
    let mut arguments = split_equals(arguments);
    // In starship's configuration the command comes last; shell/starship.toml says why.
    if let ([first, ..], [.., last]) = (arguments.as_slice(), arguments.as_slice())
        && (first.as_str(), last.as_str()) == ("--for", "prompt")
    {
        arguments.rotate_right(1);
    }
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    match Ait::from_args(&["ait"], &words) {
        Ok(Ait { version: true, .. }) => Err(Output::data(format!("ait {}\n", env!("CARGO_PKG_VERSION")))),
        Ok(Ait { command: Some(command), .. }) => Ok(command.into()),
        Ok(Ait { command: None, .. }) => Err(help(&[])),
        // How to use it with each prompt framework is more than a list of options.
        Err(EarlyExit { status: Ok(()), .. }) if words.first() == Some(&"init") => Err(Output::data(init::HELP)),
        Err(EarlyExit { output, status: Ok(()) }) => Err(Output::data(output)),
        Err(EarlyExit { output, .. }) => match (wrong_usage(&words, &output), words.first()) {
            (Ok(error), Some(&"hook")) => Ok(Request::Misused(Misused { command: "hook", error })),
            (Ok(error), Some(&"prompt")) => Ok(Request::Misused(Misused { command: "prompt", error })),
            (Ok(error), Some(&"statusline")) => Ok(Request::Misused(Misused { command: "statusline", error })),
            (Ok(error), _) => Err(error.into()),
            (Err(group), _) => Err(help(&group)),
        },
    }
}

/// `--x=y` works as `--x y`, for the options that take a value.
fn split_equals(arguments: &[String]) -> Vec<String> {
    if !arguments.iter().any(|argument| argument.starts_with("--") && argument.contains('=')) {
        return arguments.to_vec();
    }
    let mut split = Vec::with_capacity(arguments.len() + 1);
    let mut command = Ait::get_args_info();
    let mut words = arguments.iter();
    while let Some(word) = words.next() {
        if word == "--" {
            split.push(word.clone());
            split.extend(words.by_ref().cloned());
        } else if let Some((name, value)) = word.split_once('=').filter(|(name, _)| takes_value(&command, name)) {
            split.extend([name.to_owned(), value.to_owned()]);
        } else {
            split.push(word.clone());
            if takes_value(&command, word) {
                split.extend(words.next().cloned());
            } else if let Some(inner) = command.commands.iter().find(|inner| inner.name == *word) {
                command = inner.command.clone();
            }
        }
    }
    split
}

fn takes_value(command: &CommandInfoWithArgs, option: &str) -> bool {
    command.flags.iter().any(|flag| flag.long == option && matches!(flag.kind, FlagInfoKind::Option { .. }))
}

fn help(path: &[&str]) -> Output {
    let words: Vec<&str> = path.iter().copied().chain(["--help"]).collect();
    match Ait::from_args(&["ait"], &words) {
        Err(EarlyExit { output, status: Ok(()) }) => Output::data(output),
        _ => Output::nothing(),
    }
}

/// One line that says what is wrong and what was probably meant; a group of commands by itself is none, but a question
/// what there is.
fn wrong_usage<'a>(words: &[&'a str], said: &str) -> std::result::Result<Error, Vec<&'a str>> {
    let mut path: Vec<&str> = Vec::new();
    let mut command = Ait::get_args_info();
    let mut rest = words.iter().copied();
    let mut fault = None;
    while let Some(word) = rest.next() {
        if word == "--" {
            break;
        } else if word.starts_with('-') && word.len() > 1 {
            let short = word.chars().nth(1).filter(|_| word.chars().count() == 2);
            let known = command.flags.iter().find(|flag| flag.long == word || short.is_some() && flag.short == short);
            match known {
                None => {
                    let names = command.flags.iter().map(|flag| flag.long).chain(["--help"]);
                    let name = word.split_once('=').map_or(word, |(name, _)| name);
                    fault = Some((format!("unknown option `{word}`"), nearest(name, names)));
                    break;
                }
                Some(flag) if matches!(flag.kind, FlagInfoKind::Option { .. }) => {
                    rest.next();
                }
                Some(_) => {}
            }
        } else if !command.commands.is_empty() {
            match command.commands.iter().find(|inner| inner.name == word) {
                Some(inner) => {
                    path.push(word);
                    command = inner.command.clone();
                }
                None => {
                    let names = command.commands.iter().map(|inner| inner.name);
                    fault = Some((format!("unknown command `{word}`"), nearest(word, names)));
                    break;
                }
            }
        }
    }
    if fault.is_none() && !command.commands.is_empty() {
        return Err(path);
    }
    let typed = std::iter::once("ait").chain(path.iter().copied()).collect::<Vec<_>>().join(" ");
    let (why, near) = fault.unwrap_or_else(|| (in_our_words(said), None));
    let next = match near {
        Some(near) => format!("did you mean `{near}`?"),
        None => format!("type: {typed} --help"),
    };
    Ok(Error::new("reading the command line", typed, why).next(next).exit(Exit::NotFound))
}

/// What argh says, on one line and without its ceremony.
fn in_our_words(said: &str) -> String {
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let value = || {
        let (option, value) = said.strip_prefix("Error parsing option '")?.split_once("' with value '")?;
        let (value, why) = value.rsplit_once("': ")?;
        Some(format!("{option}: `{value}`: {why}"))
    };
    value().unwrap_or(said)
}

/// The word that was probably meant: the fewest letters to change, and few of them.
pub fn nearest<'a>(word: &str, candidates: impl Iterator<Item = &'a str>) -> Option<&'a str> {
    candidates
        .map(|candidate| (edits(word, candidate), candidate))
        .filter(|(edits, candidate)| {
            let letters = |word: &str| word.trim_start_matches('-').len();
            *edits <= 1 + letters(word).min(letters(candidate)) / 4 || (word.len() > 2 && candidate.starts_with(word))
        })
        .min_by_key(|(edits, _)| *edits)
        .map(|(_, candidate)| candidate)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(line: &str) -> String {
        split_equals(&line.split(' ').map(str::to_owned).collect::<Vec<_>>()).join(" ")
    }

    #[test]
    fn equals_sign_is_a_space_for_options_with_a_value_only() {
        assert_eq!(split("sessions history --days=7 --json"), "sessions history --days 7 --json");
        assert_eq!(split("sessions task --session=ab x=y --z=1"), "sessions task --session ab x=y --z=1");
        assert_eq!(split("sessions history --search --a=b"), "sessions history --search --a=b");
        assert_eq!(split("sessions task -- --days=7"), "sessions task -- --days=7");
    }

    #[test]
    fn near_words() {
        let words = ["live", "current", "task", "conflicts", "history", "prune"];
        for (typed, meant) in [("liev", "live"), ("conflict", "conflicts"), ("hist", "history"), ("purne", "prune")] {
            assert_eq!(nearest(typed, words.into_iter()), Some(meant));
        }
        for (typed, words) in [("zzzzzz", &words[..]), ("foo", &["hook", "init"]), ("--foo", &["--json", "--color"])] {
            assert_eq!(nearest(typed, words.iter().copied()), None);
        }
    }
}
