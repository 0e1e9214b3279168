//! Arguments -> context -> command -> report -> one write -> exit code.

use std::time::Duration;

use ait::cli::{self, Stop};
use ait::commands::{Part, Run, Screenful, log_error};
use ait::context::Context;
use ait::error::{Error, Exit};
use ait::render::json;
use ait::render::theme::ColorChoice;
use ait::render::ui::Ui;
use ait::report::Report;
use ait::sys::process::ExitCode;
use ait::sys::terminal::{self, Screen, Typed, Waited};
use ait::sys::{env, fd, ffi};

#[cfg(not(feature = "system-allocator"))]
#[global_allocator]
static ARENA: ffi::Arena = ffi::Arena::new();

fn main() -> ExitCode {
    ffi::ignore_file_size_signal();
    let command = cli::parse(&env::arguments());
    let context = Context::new(cli::description);
    let exit = match command {
        Ok(command) => run(&*command, &context),
        Err(Stop::Answer(text)) => write(&text, "", Exit::Done, false),
        Err(Stop::Usage { error, fast: Some(name), .. }) => fail_fast(name, &error, &context),
        Err(Stop::Usage { error, fast: None, json }) => fail(error, json),
    };
    ExitCode::from(exit as u8)
}

fn run(command: &dyn Run, context: &Context) -> Exit {
    if command.watches() {
        return watch(command, context);
    }
    match command.screenful(context) {
        Some(Ok(screenful)) => return choose(screenful, context, command.color()),
        Some(Err(error)) => return fail(error, false),
        None => {}
    }
    match command.parts(context) {
        Some(Ok(parts)) => return write_parts(parts, context),
        Some(Err(error)) => return fail(error, command.json()),
        None => {}
    }
    match (command.run(context), command.fast()) {
        // The text of a fast command is the same for every reader.
        (Ok(report), Some(_)) => write(&report.stdout(&Ui::default(), false), &report.stderr(), report.exit, true),
        (Ok(report), None) => {
            let text = report.stdout(&context.ui(command.color()), command.json());
            let is_shown = command.pages() && !command.json() && context.page(&text);
            write(if is_shown { "" } else { &text }, &report.stderr(), report.exit, false)
        }
        (Err(error), Some(name)) => fail_fast(name, &error, context),
        (Err(error), None) => fail(error, command.json()),
    }
}

/// Writes an output as it comes, until it ends or has no reader. A terminal also shows how far it is.
fn write_parts(parts: Box<dyn Iterator<Item = Part>>, context: &Context) -> Exit {
    let mut is_progress_shown = false;
    for part in parts {
        if is_progress_shown {
            terminal::show_progress("");
            is_progress_shown = false;
        }
        let written = match part {
            Part::Text(text) => fd::write_stdout(text.as_bytes()),
            Part::Remark(remark) => fd::write_stderr(Report::nothing().remark(remark).stderr().as_bytes()),
            Part::Progress(progress) => {
                if context.stderr_is_terminal {
                    terminal::show_progress(&progress);
                    is_progress_shown = true;
                }
                Ok(())
            }
        };
        if written.is_err() {
            break;
        }
    }
    if is_progress_shown {
        terminal::show_progress("");
    }
    Exit::Done
}

/// An error for the user; with `--json` an object with `error` and `exit_code` as well.
fn fail(error: Error, json: bool) -> Exit {
    let exit = error.code();
    let stdout = if json { json::error(&error.to_string(), exit as u8) } else { String::new() };
    write(&stdout, &Report::from(error).stderr(), exit, false)
}

/// An error of a fast command. A wrong argument is shown if standard error is a terminal; everything else goes to the log,
/// and nothing fails: Claude Code takes exit code 2 of a hook as an order to block, and shows nothing of a status line
/// that fails.
fn fail_fast(name: &str, error: &Error, context: &Context) -> Exit {
    if error.code() == Exit::NotFound && context.stderr_is_terminal {
        let exit = if name == "prompt" { error.code() } else { Exit::Done };
        return write("", &Report::from(error.clone()).stderr(), exit, true);
    }
    log_error(context, name, error);
    Exit::Done
}

/// Runs a command once a second, and shows its report in place when it has changed, until the user leaves.
fn watch(command: &dyn Run, context: &Context) -> Exit {
    let failed =
        |why| fail(Error::new("watching the sessions", "the terminal", why).hint("type: ait sessions live"), false);
    let screen = match Screen::open() {
        Ok(screen) => screen,
        Err(why) => return failed(why),
    };
    let mut shown = None;
    loop {
        let context = context.refreshed();
        let report = match command.run(&context) {
            Ok(report) => report,
            Err(error) => {
                drop(screen);
                return fail(error, false);
            }
        };
        let now = (terminal::size(), report.stdout(&context.ui(command.color()), false) + &report.stderr());
        if shown.as_ref() != Some(&now) {
            if let Err(why) = screen.show(&now.1) {
                drop(screen);
                return failed(why);
            }
            shown = Some(now);
        }
        match screen.wait(Duration::from_secs(1)) {
            Waited::TimeUp => {}
            Waited::Leave => return Exit::Done,
            Waited::Signal(signal) => {
                drop(screen);
                terminal::end_by(signal);
                return Exit::Done;
            }
        }
    }
}

/// Lets the user choose on the whole screen. What it shows is looked at again once a second.
fn choose(mut screenful: Box<dyn Screenful>, context: &Context, color: ColorChoice) -> Exit {
    let failed = |why| fail(Error::new("choosing a session", "the terminal", why), false);
    let screen = match Screen::open() {
        Ok(screen) => screen,
        Err(why) => return failed(why),
    };
    let mut shown = None;
    loop {
        let context = context.refreshed();
        let (columns, rows) = terminal::size().filter(|(columns, rows)| *columns > 0 && *rows > 0).unwrap_or((80, 24));
        let ui = Ui { width: Some(columns.into()), ..context.ui(color) };
        let now = (columns, rows, screenful.text(&ui, rows.into()));
        // Written only if it is new: nothing flickers, and a slow line stays free.
        if shown.as_ref() != Some(&now) {
            if let Err(why) = screen.show(&now.2) {
                drop(screen);
                return failed(why);
            }
            shown = Some(now);
        }
        match screen.keys(Duration::from_secs(1)) {
            Typed::Keys(keys) => {
                if keys.into_iter().any(|key| screenful.press(key, &context)) {
                    return Exit::Done;
                }
            }
            Typed::TimeUp => screenful.refresh(&context),
            Typed::Gone => return Exit::Done,
            Typed::Signal(signal) => {
                drop(screen);
                terminal::end_by(signal);
                return Exit::Done;
            }
        }
    }
}

/// Writes everything. A closed pipe is success; a fast command ignores any write error.
fn write(stdout: &str, stderr: &str, exit: Exit, fast: bool) -> Exit {
    if !stderr.is_empty() {
        let _ = fd::write_stderr(stderr.as_bytes());
    }
    match fd::write_stdout(stdout.as_bytes()) {
        Err(why) if why.kind() != std::io::ErrorKind::BrokenPipe && !fast => {
            let _ = fd::write_stderr(format!("ait: writing the output: standard output: {why}\n").as_bytes());
            if exit == Exit::Done { Exit::Failed } else { exit }
        }
        _ => exit,
    }
}
