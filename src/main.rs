//! argv -> request -> bytes -> one write -> exit code. A closed pipe is success.

use std::process::ExitCode;

use ait::commands::Output;
use ait::error::Exit;
use ait::sys::{env, files};

fn main() -> ExitCode {
    let output = match ait::cli::parse(&env::arguments()) {
        Ok(request) => ait::commands::run(request),
        Err(stopped) => stopped,
    };
    ExitCode::from(write(&output) as u8)
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
