//! argv -> request -> bytes -> one write -> exit code. A closed pipe is success.
#![no_main]

use std::ffi::c_int;

use ait::commands::Output;
use ait::error::Exit;
use ait::sys::files;

ait::entry_point!(run);

fn run(arguments: &[String]) -> c_int {
    let output = match ait::cli::parse(arguments) {
        Ok(request) => ait::commands::run(request),
        Err(stopped) => stopped,
    };
    write(&output) as c_int
}

fn write(output: &Output) -> Exit {
    if !output.stderr.is_empty() {
        let _ = files::write_stderr(output.stderr.as_bytes());
    }
    match files::write_stdout(output.stdout.as_bytes()) {
        Err(why) if why.kind() != std::io::ErrorKind::BrokenPipe => {
            let _ = files::write_stderr(format!("ait: writing the output: standard output: {why}\n").as_bytes());
            if output.exit == Exit::Done { Exit::Failed } else { output.exit }
        }
        _ => output.exit,
    }
}
