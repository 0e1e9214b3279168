//! The command line: the tree of commands, and one line about what is wrong with it.

use argh::{ArgsInfo, CommandInfoWithArgs, EarlyExit, FlagInfoKind, FromArgs};

use crate::commands::{
    JOB, Run, completions, config, conflicts, current, demo, doctor, go, guard, history, hook, hooks, init, jobs, live,
    man, next, notify, prompt, prune, report, resume, sessions_for, setup, statusline, task, team, timeline,
};
use crate::error::{Error, Exit, nearest};
use crate::sys::env;

/// track and coordinate parallel Claude Code sessions
#[derive(FromArgs, ArgsInfo)]
#[argh(
    name = "ait",
    help_triggers("-h", "--help"),
    example = "  ait setup               set up shells, tmux and Claude Code\n  ait sessions live       list live sessions: where, since when, which task\n  eval \"$(ait init zsh)\"  show the session in the prompt",
    error_code(0, "done"),
    error_code(1, "failed, or nothing found"),
    error_code(2, "usage error, not found, or several match"),
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
    Guard(guard::Guard),
    Notify(notify::Notify),
    Hooks(Hooks),
    Prompt(prompt::Prompt),
    Statusline(statusline::Statusline),
    Setup(setup::Setup),
    Uninstall(setup::Uninstall),
    Init(init::Init),
    Hook(hook::Hook),
    Doctor(doctor::Doctor),
    Report(report::Report),
    Timeline(timeline::Timeline),
    Config(config::Config),
    Team(team::Team),
    Demo(demo::Demo),
    Completions(completions::Completions),
    Man(man::Man),
}

/// list and manage sessions
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
    Live(live::Live),
    Current(current::Current),
    Task(task::Task),
    Conflicts(conflicts::Conflicts),
    History(history::History),
    Next(next::Next),
    Go(go::Go),
    Resume(resume::Resume),
    For(sessions_for::For),
    Prune(prune::Prune),
}

/// install, remove and inspect Claude Code hooks
#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand, name = "hooks", help_triggers("-h", "--help"), example = "  ait hooks install\n  ait hooks list")]
struct Hooks {
    #[argh(subcommand)]
    command: HooksCommand,
}

#[derive(FromArgs, ArgsInfo)]
#[argh(subcommand)]
enum HooksCommand {
    Install(hooks::Install),
    Uninstall(hooks::Uninstall),
    List(hooks::List),
}

impl Command {
    fn into_run(self) -> Box<dyn Run> {
        match self {
            Command::Sessions(Sessions { command }) => match command {
                SessionsCommand::Live(command) => Box::new(command),
                SessionsCommand::Current(command) => Box::new(command),
                SessionsCommand::Task(command) => Box::new(command),
                SessionsCommand::Conflicts(command) => Box::new(command),
                SessionsCommand::History(command) => Box::new(command),
                SessionsCommand::Next(command) => Box::new(command),
                SessionsCommand::Go(command) => Box::new(command),
                SessionsCommand::Resume(command) => Box::new(command),
                SessionsCommand::For(command) => Box::new(command),
                SessionsCommand::Prune(command) => Box::new(command),
            },
            Command::Hooks(Hooks { command }) => match command {
                HooksCommand::Install(command) => Box::new(command),
                HooksCommand::Uninstall(command) => Box::new(command),
                HooksCommand::List(command) => Box::new(command),
            },
            Command::Guard(command) => Box::new(command),
            Command::Notify(command) => Box::new(command),
            Command::Prompt(command) => Box::new(command),
            Command::Statusline(command) => Box::new(command),
            Command::Setup(command) => Box::new(command),
            Command::Uninstall(command) => Box::new(command),
            Command::Init(command) => Box::new(command),
            Command::Hook(command) => Box::new(command),
            Command::Doctor(command) => Box::new(command),
            Command::Report(command) => Box::new(command),
            Command::Timeline(command) => Box::new(command),
            Command::Config(command) => Box::new(command),
            Command::Team(command) => Box::new(command),
            Command::Demo(command) => Box::new(command),
            Command::Completions(command) => Box::new(command),
            Command::Man(command) => Box::new(command),
        }
    }
}

/// A command line without a command to run: it asks for help, or contains a mistake.
pub enum Stop {
    /// Help or the version: what to print.
    Answer(String),
    /// A wrong argument. `fast` names the fast command it was for, if any.
    Usage {
        /// The mistake.
        error: Error,
        /// `hook`, `prompt` or `statusline`.
        fast: Option<&'static str>,
        /// `--json` was among the words.
        json: bool,
    },
}

/// Describes all commands, options and arguments.
pub fn description() -> CommandInfoWithArgs {
    Ait::get_args_info()
}

/// Reads the command line.
///
/// # Errors
/// Help, the version, or what is wrong with it.
pub fn parse(arguments: &[String]) -> Result<Box<dyn Run>, Stop> {
    let mut arguments = split_equals(arguments);
    // The earlier name of the option.
    if arguments.first().is_some_and(|command| command == "prompt") {
        arguments.iter_mut().filter(|word| *word == "--fleet").for_each(|word| "--all".clone_into(word));
    }
    // In starship's configuration the command comes last; shell/starship.toml says why.
    if let ([first, ..], [.., last]) = (arguments.as_slice(), arguments.as_slice())
        && (first.as_str(), last.as_str()) == ("--for", "prompt")
    {
        arguments.rotate_right(1);
    }
    // `--week` alone is this week.
    if arguments.first().is_some_and(|word| word == "report")
        && let Some(at) = arguments.iter().position(|word| word == "--week")
        && arguments.get(at + 1).is_none_or(|next| next.starts_with("--"))
    {
        arguments.insert(at + 1, "0".to_owned());
    }
    let words: Vec<&str> = arguments.iter().map(String::as_str).collect();
    if words.first() == Some(&JOB) {
        return match jobs::parse(words.get(1..).unwrap_or_default()) {
            Ok(job) => Ok(Box::new(job)),
            Err(error) => Err(Stop::Usage { error, fast: None, json: false }),
        };
    }
    if let Some(argument) = not_text(&words) {
        let error = Error::new("reading the command line", env::shown(argument), "not UTF-8").exit(Exit::NotFound);
        return Err(usage(error, &words));
    }
    match Ait::from_args(&["ait"], &words) {
        Ok(Ait { version: true, .. }) => Err(Stop::Answer(format!("ait {}\n", env!("CARGO_PKG_VERSION")))),
        Ok(Ait { command: Some(command), .. }) => Ok(command.into_run()),
        Ok(Ait { command: None, .. }) => Err(help(&[])),
        // How to use it with each prompt framework is more than a list of options.
        Err(EarlyExit { status: Ok(()), .. }) if words.first() == Some(&"init") => {
            Err(Stop::Answer(init::HELP.to_owned()))
        }
        Err(EarlyExit { output, status: Ok(()) }) => Err(Stop::Answer(output)),
        Err(EarlyExit { output, .. }) => match wrong_usage(&words, &output) {
            Ok(error) => Err(usage(error, &words)),
            Err(group) => Err(help(&group)),
        },
    }
}

fn usage(error: Error, words: &[&str]) -> Stop {
    let fast = ["hook", "prompt", "statusline"].into_iter().find(|name| words.first() == Some(name));
    Stop::Usage { error, fast, json: words.contains(&"--json") }
}

/// An argument that is not UTF-8 and not a path.
fn not_text<'a>(words: &[&'a str]) -> Option<&'a str> {
    if !words.iter().any(|word| env::is_escaped(word)) {
        return None;
    }
    // The options that take a path are the only ones of their names.
    let before = std::iter::once(&"").chain(words);
    let is_path = |option: &str| matches!(option, "--dir" | "--path" | "--svg" | "--html");
    words.iter().zip(before).find(|(word, before)| env::is_escaped(word) && !is_path(before)).map(|(word, _)| *word)
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

fn help(path: &[&str]) -> Stop {
    let words: Vec<&str> = path.iter().copied().chain(["--help"]).collect();
    match Ait::from_args(&["ait"], &words) {
        Err(EarlyExit { output, status: Ok(()) }) => Stop::Answer(output),
        _ => Stop::Answer(String::new()),
    }
}

/// The error for a wrong command line, with what was probably meant. The name of a group of commands alone is not an
/// error: then its help is shown, and this returns the group.
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
                    fault = Some((format!("unknown option `{word}`"), nearest(name, names).map(str::to_owned)));
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
                    fault = Some((format!("unknown command `{word}`"), meant(&command, &path, word)));
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
    Ok(Error::new("reading the command line", typed, why).hint(next).exit(Exit::NotFound))
}

/// The command that was probably meant by an unknown one: a similar name, `--help`, or the same name in a group.
fn meant(command: &CommandInfoWithArgs, path: &[&str], word: &str) -> Option<String> {
    let typed = std::iter::once("ait").chain(path.iter().copied()).collect::<Vec<_>>().join(" ");
    if word == "help" {
        return Some(format!("{typed} --help"));
    }
    let in_group = command.commands.iter().find_map(|group| {
        let inner = nearest(word, group.command.commands.iter().map(|inner| inner.name))?;
        Some(format!("{typed} {} {inner}", group.name))
    });
    // A name that is exactly that of a command in a group beats a similar one.
    let exact = in_group.as_ref().is_some_and(|meant| meant.ends_with(&format!(" {word}")));
    match nearest(word, command.commands.iter().map(|inner| inner.name)) {
        Some(near) if !exact => Some(near.to_owned()),
        _ => in_group,
    }
}

/// The message of argh, on one line and in the form of our errors.
fn in_our_words(said: &str) -> String {
    let said = said.split_whitespace().collect::<Vec<_>>().join(" ");
    let value = || {
        let parsed = said.strip_prefix("Error parsing ")?;
        let (what, value) = parsed.split_once(" '")?;
        let (name, value) = value.split_once("' with value '")?;
        let (value, why) = value.rsplit_once("': ")?;
        let why = match why {
            // Of `usize::from_str`.
            "invalid digit found in string" | "cannot parse integer from empty string" => "expected a whole number",
            why => why,
        };
        match what {
            "option" => Some(format!("{name}: `{value}`: {why}")),
            _ => Some(format!("`{value}`: {why}")),
        }
    };
    value().unwrap_or(said)
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
}
