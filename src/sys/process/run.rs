//! Running programs, with a time limit.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::os::fd::AsFd;
use std::os::unix::fs::PermissionsExt as _;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::Pid;

use crate::sys::env;

/// The result of a finished program.
#[derive(Debug)]
pub struct Output {
    /// Whether its exit code is 0.
    pub success: bool,
    /// Its exit code; `None` if a signal ended it, also the one that follows [`Run::enough`].
    pub code: Option<i32>,
    /// Its standard output.
    pub stdout: Vec<u8>,
    /// The start of its standard error, for [`Run::run_with_input`]; else empty.
    pub stderr: Vec<u8>,
}

/// A program with the options of [`Run::run`].
pub struct Run<'a> {
    /// Its path, from [`find_program`] if possible.
    pub program: &'a Path,
    /// Its arguments, without its name.
    pub arguments: &'a [&'a OsStr],
    /// Variables added to the environment.
    pub variables: &'a [(&'a str, &'a str)],
    /// Returns `true` for the names of variables that are removed from the environment.
    pub without: fn(&OsStr) -> bool,
    /// Its working folder.
    pub folder: &'a Path,
    /// Its time limit.
    pub limit: Duration,
    /// Returns `true` if the output so far is enough; the program is then killed.
    pub enough: fn(&[u8]) -> bool,
    /// The maximum size of its output in bytes; more is an error.
    pub max_output: usize,
}

impl Run<'_> {
    /// Runs the program. After the time limit it and its children are killed, and the error is `TimedOut`. Its standard
    /// input and standard error are `/dev/null`.
    pub fn run(&self) -> io::Result<Output> {
        let deadline = Instant::now() + self.limit;
        let mut command = command(self.program);
        command.args(self.arguments).current_dir(self.folder);
        for (name, _) in std::env::vars_os().filter(|(name, _)| (self.without)(name)) {
            command.env_remove(name);
        }
        let mut child = command
            .envs(self.variables.iter().copied())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            // Its own process group, so that the time limit also ends its children.
            .process_group(0)
            .spawn()?;
        let mut stdout = Vec::new();
        let ended = match child.stdout.take() {
            Some(pipe) => read(&pipe, &mut stdout, deadline, self.enough, self.max_output),
            None => Ok(End::Closed),
        };
        if !matches!(ended, Ok(End::Closed)) {
            kill_group(&mut child);
        }
        // The time limit also applies after it has closed its output.
        let status = wait(&mut child, deadline)?;
        ended?;
        Ok(Output { success: status.success(), code: status.code(), stdout, stderr: Vec::new() })
    }

    /// Like [`Run::run`], with `input` on its standard input, and with its standard error. It may ignore its input.
    /// Processes that it leaves running (ssh, a credential helper) are left alone, even if they keep its output open.
    pub fn run_with_input(&self, input: &[u8]) -> io::Result<Output> {
        let mut command = command(self.program);
        command.args(self.arguments).current_dir(self.folder);
        for (name, _) in std::env::vars_os().filter(|(name, _)| (self.without)(name)) {
            command.env_remove(name);
        }
        command.envs(self.variables.iter().copied()).stderr(Stdio::piped());
        exchange(&mut command, input, Instant::now() + self.limit, self.max_output)
    }
}

/// Reads a pipe until its writers have closed it or the output is enough.
fn read(
    pipe: &impl AsFd,
    bytes: &mut Vec<u8>,
    deadline: Instant,
    enough: fn(&[u8]) -> bool,
    max: usize,
) -> io::Result<End> {
    loop {
        let left = deadline.checked_duration_since(Instant::now()).ok_or(io::ErrorKind::TimedOut)?;
        let left =
            Timespec { tv_sec: left.as_secs().try_into().unwrap_or(i64::MAX), tv_nsec: left.subsec_nanos().into() };
        let mut waiting = [PollFd::from_borrowed_fd(pipe.as_fd(), PollFlags::IN)];
        match rustix::event::poll(&mut waiting, Some(&left)) {
            Ok(0) => return Err(io::ErrorKind::TimedOut.into()),
            Ok(_) => {
                bytes.reserve(4096);
                if rustix::io::read(pipe, rustix::buffer::spare_capacity(bytes))? == 0 {
                    return Ok(End::Closed);
                }
                if enough(bytes) {
                    return Ok(End::Enough);
                }
                if bytes.len() > max {
                    return Err(io::ErrorKind::FileTooLarge.into());
                }
            }
            Err(rustix::io::Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}

enum End {
    Closed,
    Enough,
}

fn kill_group(child: &mut Child) {
    if let Some(group) = i32::try_from(child.id()).ok().and_then(Pid::from_raw) {
        let _ = rustix::process::kill_process_group(group, rustix::process::Signal::KILL);
    }
    let _ = child.kill();
}

fn wait(child: &mut Child, deadline: Instant) -> io::Result<std::process::ExitStatus> {
    // It usually exits microseconds after it has closed its output; longer pauses are for the exception.
    let mut pause = Duration::from_micros(50);
    loop {
        if let Some(status) = child.try_wait()? {
            return Ok(status);
        }
        if Instant::now() >= deadline {
            kill_group(child);
            child.wait()?;
            return Err(io::ErrorKind::TimedOut.into());
        }
        std::thread::sleep(pause);
        pause = (pause * 2).min(Duration::from_millis(5));
    }
}

/// A program that runs as if the user had typed its command line: with a clean environment.
pub struct Typed<'a> {
    /// Its path.
    pub program: &'a Path,
    /// Its arguments, without its name.
    pub arguments: &'a [&'a str],
    /// Its whole environment.
    pub variables: &'a [(&'a str, &'a OsStr)],
    /// Its working folder.
    pub folder: &'a Path,
    /// Its standard input, at most what a pipe holds (4 KiB on every system).
    pub input: &'a [u8],
    /// Its time limit, after which it is killed.
    pub limit: Duration,
}

impl Typed<'_> {
    /// Runs it to its end. The output contains standard output and standard error in the order in which a terminal would
    /// show them.
    pub fn run(&self) -> io::Result<Output> {
        let deadline = Instant::now() + self.limit;
        let (reader, writer) = io::pipe()?;
        let mut command = command(self.program);
        command.args(self.arguments).current_dir(self.folder).env_clear().envs(self.variables.iter().copied());
        command.stdin(Stdio::piped()).stdout(writer.try_clone()?).stderr(writer).process_group(0);
        let mut child = command.spawn()?;
        // It owns the writing ends of the pipe; the end of the output is seen only after they are closed.
        drop(command);
        if let Some(mut stdin) = child.stdin.take() {
            // A program may ignore its input.
            let _ = stdin.write_all(self.input);
        }
        let mut written = Vec::new();
        let ended = read(&reader, &mut written, deadline, |_| false, 1 << 20);
        if ended.is_err() {
            kill_group(&mut child);
        }
        let status = wait(&mut child, deadline)?;
        ended?;
        Ok(Output { success: status.success(), code: status.code(), stdout: written, stderr: Vec::new() })
    }
}

/// Runs a command of the user's, such as `code --wait`, with a path as its last argument, on the terminal of this process
/// and without a time limit. Its exit code; `None` if a signal ended it.
pub fn in_foreground(typed: &str, path: &Path) -> io::Result<Option<i32>> {
    let mut shell = command(Path::new("/bin/sh"));
    shell.args([OsStr::new("-c"), OsStr::new(&format!("{typed} \"$1\"")), OsStr::new("sh"), path.as_os_str()]);
    Ok(shell.status()?.code())
}

/// A process that ends when told, and at the latest when this process ends: `/bin/sh` waiting for the end of its standard
/// input.
#[derive(Debug)]
pub struct Companion(Child);

impl Companion {
    /// Starts one. `last_words` are shell commands that run at its end, with `argument` as `$1`; they cannot be
    /// interrupted.
    pub fn start(last_words: &str, argument: &OsStr) -> io::Result<Companion> {
        let script = format!("trap '' HUP INT TERM; read -r _; {last_words}");
        let mut shell = command(Path::new("/bin/sh"));
        shell.args([OsStr::new("-c"), OsStr::new(&script), OsStr::new("sh"), argument]);
        // Its own process group: Ctrl-C goes to us, and our end closes its input.
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        Ok(Companion(shell.spawn()?))
    }

    /// Its pid.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Kills it, as `kill -9` does: its last commands do not run.
    pub fn kill(mut self) {
        let _ = self.0.kill();
    }
}

impl Drop for Companion {
    fn drop(&mut self) {
        drop(self.0.stdin.take());
        let _ = self.0.wait();
    }
}

/// Finds a program by its name, only in the absolute folders of `PATH`: never in the current folder.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = env::var("PATH").unwrap_or_else(|| OsString::from("/usr/local/bin:/usr/bin:/bin"));
    std::env::split_paths(&path)
        .filter(|folder| folder.is_absolute())
        .map(|folder| folder.join(name))
        .find(|file| std::fs::metadata(file).is_ok_and(|meta| meta.is_file() && meta.permissions().mode() & 0o111 != 0))
}

/// Runs a program to its end, with the defaults of [`Run`].
pub fn run(
    program: &Path,
    arguments: &[&OsStr],
    variables: &[(&str, &str)],
    folder: &Path,
    limit: Duration,
) -> io::Result<Output> {
    Run { program, arguments, variables, without: |_| false, folder, limit, enough: |_| false, max_output: 64 << 20 }
        .run()
}

/// Runs a program to its end with `input` on its standard input and at most `max_output` bytes of output. After the time
/// limit it and its children are killed, and the error is `TimedOut`. It may ignore its input. Processes that it leaves
/// running are left alone, even if they keep its output open.
pub fn run_with_input(
    program: &Path,
    arguments: &[&OsStr],
    folder: &Path,
    input: &[u8],
    limit: Duration,
    max_output: usize,
) -> io::Result<Output> {
    let mut command = command(program);
    command.args(arguments).current_dir(folder).stderr(Stdio::null());
    exchange(&mut command, input, Instant::now() + limit, max_output)
}

/// Runs a command to its end, in a process group of its own.
fn exchange(
    command: &mut std::process::Command,
    input: &[u8],
    deadline: Instant,
    max_output: usize,
) -> io::Result<Output> {
    let mut child = command.stdin(Stdio::piped()).stdout(Stdio::piped()).process_group(0).spawn()?;
    let (mut stdout, mut stderr) = (Vec::new(), Vec::new());
    let talked = talk(&mut child, input, &mut stdout, &mut stderr, max_output, deadline);
    if talked.is_err() {
        kill_group(&mut child);
    }
    let status = wait(&mut child, deadline);
    talked?;
    let status = status?;
    Ok(Output { success: status.success(), code: status.code(), stdout, stderr })
}

/// Writes to a program and reads from it, in any order, until its output is closed or it has ended.
fn talk(
    child: &mut Child,
    mut input: &[u8],
    output: &mut Vec<u8>,
    errors: &mut Vec<u8>,
    max: usize,
    deadline: Instant,
) -> io::Result<()> {
    /// How often to check whether it has ended while a child of it keeps its output open.
    const CHECK_INTERVAL: Duration = Duration::from_millis(20);
    /// How much of its standard error is kept, in bytes.
    const MAX_ERRORS: usize = 16 << 10;
    let Some(from) = child.stdout.take() else { return Ok(()) };
    let (mut to, mut complaints) = (child.stdin.take(), child.stderr.take());
    if let Some(to) = &to {
        // Only this end: the other end has its own flags.
        rustix::io::ioctl_fionbio(to, true)?;
    }
    loop {
        let left = deadline.checked_duration_since(Instant::now()).ok_or(io::ErrorKind::TimedOut)?;
        let pause = Timespec { tv_sec: 0, tv_nsec: left.min(CHECK_INTERVAL).subsec_nanos().into() };
        let mut ends = vec![PollFd::new(&from, PollFlags::IN)];
        ends.extend(to.as_ref().map(|to| PollFd::new(to, PollFlags::OUT)));
        ends.extend(complaints.as_ref().map(|pipe| PollFd::new(pipe, PollFlags::IN)));
        match rustix::event::poll(&mut ends, Some(&pause)) {
            Ok(0) if child.try_wait()?.is_some() => return Ok(()),
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let ready: Vec<bool> = ends.iter().map(|end| !end.revents().is_empty()).collect();
        if let (Some(pipe), Some(true)) = (&complaints, ready.last())
            && !read_some(pipe, errors, MAX_ERRORS)?
        {
            complaints = None;
        }
        if ready.first() == Some(&true) {
            output.reserve(4096);
            if rustix::io::read(&from, rustix::buffer::spare_capacity(output))? == 0 {
                return Ok(());
            }
            if output.len() > max {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
        }
        if let (Some(pipe), Some(true)) = (&to, ready.get(1)) {
            match rustix::io::write(pipe, input) {
                Ok(written) => input = input.get(written..).unwrap_or_default(),
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => continue,
                // It does not read further input.
                Err(_) => input = &[],
            }
            if input.is_empty() {
                to = None;
            }
        }
    }
}

/// Reads what a pipe has, and keeps the first `max` bytes of everything. Returns `false` at its end.
fn read_some(pipe: &impl AsFd, bytes: &mut Vec<u8>, max: usize) -> io::Result<bool> {
    let mut more = Vec::with_capacity(4096);
    let count = rustix::io::read(pipe, rustix::buffer::spare_capacity(&mut more))?;
    more.truncate(max.saturating_sub(bytes.len()));
    bytes.append(&mut more);
    Ok(count > 0)
}

/// A command. All programs that ait starts are created here.
#[expect(clippy::disallowed_methods, reason = "this is where processes are started")]
pub fn command(program: &Path) -> std::process::Command {
    std::process::Command::new(program)
}
