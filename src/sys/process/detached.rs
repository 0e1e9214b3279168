//! Slow work in the background: this program again, detached from the process that starts it.

use std::io;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::Stdio;

use super::run::command;
use crate::sys::{env, ffi};

/// Starts this program again with these arguments, and returns while it runs. It survives the end of this process and of its
/// process group, has the environment of this process, `/` as its folder and `/dev/null` as its standard input and output.
/// Costs about half a millisecond.
///
/// # Errors
/// If the program cannot be started.
pub fn start_detached(arguments: &[&str]) -> io::Result<()> {
    let mut job = command(&this_program()?);
    job.arg0("ait").args(arguments).current_dir("/");
    job.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
    ffi::detach(&mut job);
    job.spawn()?.wait()?;
    Ok(())
}

/// On Linux the running program itself, even if its file was replaced by another version.
fn this_program() -> io::Result<PathBuf> {
    let running = Path::new("/proc/self/exe");
    match running.symlink_metadata() {
        Ok(_) => Ok(running.to_owned()),
        Err(_) => env::this_program().ok_or_else(|| io::ErrorKind::NotFound.into()),
    }
}
