//! What each request does. A command returns its output; only `main` writes it and exits.

mod chain;
pub mod completions;
pub mod conflicts;
pub mod current;
pub mod demo;
pub mod doctor;
pub mod fleet;
pub mod follow;
pub mod guard;
pub mod history;
pub mod hook;
pub mod hooks;
pub mod init;
pub mod live;
pub mod next;
mod page;
pub mod prompt;
pub mod prune;
pub mod resume;
mod startup;
pub mod statusline;
pub mod task;
mod tell;

use crate::cli::Request;
use crate::error::{Error, Exit, Result, on_one_line};
use crate::store::root::Root;
use crate::store::{active, notes};
use crate::sys::{clock, terminal};

/// What a command has to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Output {
    /// Data.
    pub stdout: String,
    /// Remarks and errors.
    pub stderr: String,
    /// How it ended.
    pub exit: Exit,
}

impl Output {
    /// Data, and success.
    pub fn data(stdout: impl Into<String>) -> Output {
        Output { stdout: stdout.into(), stderr: String::new(), exit: Exit::Done }
    }

    /// Nothing at all, and success.
    pub fn nothing() -> Output {
        Output::data("")
    }

    /// Adds a remark, a line for standard error.
    pub fn remark(mut self, line: impl AsRef<str>) -> Output {
        self.stderr.push_str("ait: ");
        // The lines of a list of candidates are ours; what stands in them may not be.
        let lines: Vec<String> = line.as_ref().split('\n').map(on_one_line).collect();
        self.stderr.push_str(&lines.join("\n"));
        self.stderr.push('\n');
        self
    }

    /// Replaces the exit code.
    pub fn exit(mut self, exit: Exit) -> Output {
        self.exit = exit;
        self
    }
}

impl From<Error> for Output {
    fn from(error: Error) -> Output {
        let exit = error.code();
        Output::nothing().remark(error.to_string()).exit(exit)
    }
}

/// One of the fast three, with words that it does not know: a newer script may say what an older program has not learned.
#[derive(Clone, Debug)]
pub struct Misused {
    /// hook, prompt or statusline.
    pub command: &'static str,
    /// What is wrong.
    pub error: Error,
}

impl Misused {
    /// The person is told where one is looking; else it goes to the log, and nothing fails.
    fn tell(self) -> Output {
        let Misused { command, error } = self;
        if terminal::stderr_is_terminal() {
            // Exit code 2 of a hook is an order to block; of a status line that fails the client shows nothing.
            let exit = if command == "prompt" { error.code() } else { Exit::Done };
            return Output::from(error).exit(exit);
        }
        if let Ok(root) = Root::find() {
            notes::log(&root, clock::now(), &format!("{command}: {error}"));
        }
        Output::nothing()
    }
}

/// Does what was asked for.
pub fn run(request: Request) -> Output {
    match request {
        Request::Hook(request) => hook::run(&request),
        Request::Prompt(request) => prompt::run(&request),
        Request::Statusline(request) => statusline::run(&request),
        Request::Misused(request) => request.tell(),
        Request::Init(request) => at_leisure(init::run, &request),
        // It counts those of others while it reads.
        Request::Live(request) => at_leisure(live::run, &request),
        Request::Current(request) => of_sessions(current::run, &request),
        Request::Task(request) => of_sessions(task::run, &request),
        Request::Conflicts(request) => of_sessions(conflicts::run, &request),
        Request::History(request) => at_leisure(history::run, &request),
        Request::Prune(request) => of_sessions(prune::run, &request),
        Request::Next(request) => of_sessions(next::run, &request),
        Request::Resume(request) => of_sessions(resume::run, &request),
        Request::Guard(request) => at_leisure(guard::run, &request),
        Request::HooksInstall(request) => at_leisure(hooks::install, &request),
        Request::HooksUninstall(request) => at_leisure(hooks::uninstall, &request),
        Request::HooksList(request) => at_leisure(hooks::list, &request),
        Request::Completions(request) => at_leisure(completions::run, &request),
        Request::Demo(request) => at_leisure(demo::run, &request),
        Request::Doctor(request) => at_leisure(doctor::run, &request),
    }
}

/// Runs what is not one of the fast three. Each is kept apart from [`run`], with which its code and its stack would be
/// loaded for every prompt.
#[inline(never)]
fn at_leisure<T>(run: fn(&T) -> Result<Output>, request: &T) -> Output {
    run(request).unwrap_or_else(Output::from)
}

/// [`at_leisure`] for what speaks of the live sessions: whoever misses one is told that it was not read.
#[inline(never)]
fn of_sessions<T>(run: fn(&T) -> Result<Output>, request: &T) -> Output {
    let output = at_leisure(run, request);
    match Root::find().map(|root| active::foreign(&root)) {
        Ok(0) | Err(_) => output,
        Ok(count) => output.remark(foreign_ignored(count)),
    }
}

/// What is said of manifests that are not read because they belong to other users.
fn foreign_ignored(count: usize) -> String {
    match count {
        1 => "1 manifest of another user ignored; type: ait doctor".to_owned(),
        _ => format!("{count} manifests of other users ignored; type: ait doctor"),
    }
}
