//! argv -> request -> bytes -> one write -> exit code. A closed pipe is success.

use std::time::Duration;

use ait::cli::Request;
use ait::commands::{Output, follow, live};
use ait::error::{Error, Exit};
use ait::sys::process::ExitCode;
use ait::sys::terminal::{self, Screen, Waited};
use ait::sys::{env, ffi, files};

#[cfg(not(feature = "system-allocator"))]
#[global_allocator]
static ARENA: ffi::Arena = ffi::Arena::new();

fn main() -> ExitCode {
    ffi::ignore_file_size_signal();
    ExitCode::from(run(&env::arguments()) as u8)
}

fn run(arguments: &[String]) -> Exit {
    // What cannot be written is no trouble of a prompt, a status line or a hook.
    let mut calm = false;
    let output = match ait::cli::parse(arguments) {
        Ok(request @ Request::Live(live::Live { watch: true, json: false, .. })) => watch(&request),
        // One more that goes on: a write a line, until nobody reads.
        Ok(Request::Prompt(request)) if request.follow => {
            let _ = follow::lines(&request).try_for_each(|line| files::write_stdout(line.as_bytes()));
            return Exit::Done;
        }
        Ok(request) => {
            calm =
                matches!(request, Request::Prompt(_) | Request::Statusline(_) | Request::Hook(_) | Request::Misused(_));
            ait::commands::run(request)
        }
        Err(stopped) => stopped,
    };
    write(&output, calm)
}

/// Answers a request once a second, and shows the answer in place when it is another one, until somebody leaves. What is
/// left to say afterwards is an error.
#[inline(never)]
fn watch(request: &Request) -> Output {
    let failed = |why| Error::new("watching the sessions", "the terminal", why).next("type: ait sessions live").into();
    let screen = match Screen::open() {
        Ok(screen) => screen,
        Err(why) => return failed(why),
    };
    let mut shown = None;
    loop {
        let output = ait::commands::run(request.clone());
        if output.exit != Exit::Done {
            return output;
        }
        let now = (terminal::size(), format!("{}{}", output.stdout, output.stderr));
        if shown.as_ref() != Some(&now) {
            if let Err(why) = screen.show(&now.1) {
                return failed(why);
            }
            shown = Some(now);
        }
        match screen.wait(Duration::from_secs(1)) {
            Waited::TimeUp => {}
            Waited::Leave => return Output::nothing(),
            Waited::Told(signal) => {
                drop(screen);
                terminal::end_by(signal);
                return Output::nothing();
            }
        }
    }
}

fn write(output: &Output, calm: bool) -> Exit {
    if !output.stderr.is_empty() {
        let _ = files::write_stderr(output.stderr.as_bytes());
    }
    match files::write_stdout(output.stdout.as_bytes()) {
        Err(why) if why.kind() != std::io::ErrorKind::BrokenPipe && !calm => {
            let _ = files::write_stderr(format!("ait: writing the output: standard output: {why}\n").as_bytes());
            if output.exit == Exit::Done { Exit::Failed } else { output.exit }
        }
        _ => output.exit,
    }
}
