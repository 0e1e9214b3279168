//! Processes: who a pid is, who started whom, and running one with a time limit.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write as _};
use std::os::fd::AsFd;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
pub use std::process::ExitCode;
use std::process::{Child, Stdio};
use std::time::{Duration, Instant};

use once_cell::sync::OnceCell;
use rustix::event::{PollFd, PollFlags, Timespec};
use rustix::process::Pid;

/// What the kernel says of a running process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// Its number.
    pub pid: u32,
    /// The number of the process that started it.
    pub parent: u32,
    /// The name of what it runs, at most 15 bytes of it.
    pub name: String,
    /// When it started, in the kernel's own unit (Linux: clock ticks since boot; macOS: microseconds since 1970).
    /// Together with the pid and the boot id it names one process for good.
    pub start: u64,
    /// It has ended, and its parent has not asked for its exit code yet.
    pub zombie: bool,
}

/// Whether a process of that number exists, whoever it belongs to. A zombie counts.
pub fn exists(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return false };
    !matches!(rustix::process::test_kill_process(pid), Err(rustix::io::Errno::SRCH))
}

/// What the kernel says of a process; `None` where there is none of that number.
#[cfg(target_os = "linux")]
pub fn look_up(pid: u32) -> Option<Process> {
    // proc(5): `pid (comm) state ppid ... starttime`, where comm may itself hold spaces and parentheses.
    let stat = super::files::read_procfs(&format!("/proc/{pid}/stat")).ok()?;
    let open = memchr(&stat, b'(')?;
    let close = stat.iter().rposition(|byte| *byte == b')')?;
    let mut fields = std::str::from_utf8(stat.get(close + 1..)?).ok()?.split_ascii_whitespace();
    let state = fields.next()?;
    let parent = fields.next()?.parse().ok()?;
    let start = fields.nth(17)?.parse().ok()?;
    Some(Process {
        pid,
        parent,
        name: String::from_utf8_lossy(stat.get(open + 1..close)?).into_owned(),
        start,
        zombie: matches!(state, "Z" | "X"),
    })
}

#[cfg(target_os = "linux")]
fn memchr(bytes: &[u8], wanted: u8) -> Option<usize> {
    bytes.iter().position(|byte| *byte == wanted)
}

/// What the kernel says of a process; `None` where there is none of that number.
#[cfg(target_os = "macos")]
pub fn look_up(pid: u32) -> Option<Process> {
    super::ffi::look_up(pid)
}

/// The command line of a process, as text.
#[cfg(target_os = "linux")]
pub fn command_line(pid: u32) -> Option<Vec<String>> {
    let bytes = super::files::read_procfs(&format!("/proc/{pid}/cmdline")).ok()?;
    Some(
        bytes
            .split(|byte| *byte == 0)
            .filter(|part| !part.is_empty())
            .map(|part| String::from_utf8_lossy(part).into_owned())
            .collect(),
    )
}

/// The command line of a process, as text. Not known on macOS without further libraries.
#[cfg(target_os = "macos")]
pub fn command_line(_pid: u32) -> Option<Vec<String>> {
    None
}

/// The pid of this process.
pub fn id() -> u32 {
    std::process::id()
}

/// The pid of the process that started this one.
pub fn parent() -> Option<u32> {
    let parent = rustix::process::getppid()?;
    u32::try_from(parent.as_raw_nonzero().get()).ok()
}

/// The ancestors of this process, the nearest first, at most 32 of them.
pub fn ancestors() -> impl Iterator<Item = Process> {
    let mut next = parent();
    std::iter::from_fn(move || {
        let process = look_up(next?)?;
        next = (process.parent != 0).then_some(process.parent);
        Some(process)
    })
    .take(32)
}

static BOOT_ID: OnceCell<String> = OnceCell::new();

/// What changes with every boot: a pid and its start time from before it mean nothing after it.
pub fn boot_id() -> Option<&'static str> {
    BOOT_ID.get_or_try_init(read_boot_id).ok().map(String::as_str)
}

#[cfg(target_os = "linux")]
fn read_boot_id() -> io::Result<String> {
    let bytes = super::files::read_procfs("/proc/sys/kernel/random/boot_id")?;
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}

#[cfg(target_os = "macos")]
fn read_boot_id() -> io::Result<String> {
    super::ffi::boot_id()
}

/// The name of this machine.
pub fn host() -> &'static str {
    static HOST: OnceCell<String> = OnceCell::new();
    HOST.get_or_init(|| rustix::system::uname().nodename().to_string_lossy().into_owned())
}

/// The number of the user whose rights this process has.
pub fn user_id() -> u32 {
    // It never changes here, and is asked for at each file of ours that is read.
    static USER: std::sync::OnceLock<u32> = std::sync::OnceLock::new();
    *USER.get_or_init(|| rustix::process::geteuid().as_raw())
}

/// What a finished program left.
#[derive(Debug)]
pub struct Output {
    /// Whether it ended with exit code 0.
    pub success: bool,
    /// Its exit code; `None` where a signal ended it, ours ([`Run::enough`]) included.
    pub code: Option<i32>,
    /// What it wrote to standard output.
    pub stdout: Vec<u8>,
}

/// A program to be run to its end by [`Run::run`].
pub struct Run<'a> {
    /// Its path, best from [`find_program`].
    pub program: &'a Path,
    /// What follows its name.
    pub arguments: &'a [&'a OsStr],
    /// Variables added to the environment.
    pub variables: &'a [(&'a str, &'a str)],
    /// Says of a variable's name whether to keep it from the program.
    pub without: fn(&OsStr) -> bool,
    /// The folder that it is started in.
    pub folder: &'a Path,
    /// How long it may take.
    pub limit: Duration,
    /// Says of what was written so far that no more is needed; the program is then ended.
    pub enough: fn(&[u8]) -> bool,
    /// The most bytes that it may write; more is an error.
    pub most: usize,
}

impl Run<'_> {
    /// Runs the program, but not longer than its time, after which it and what it started are killed and the error is
    /// `TimedOut`. Standard input and standard error are closed to it.
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
            // A group of its own, so that the time limit ends its children too.
            .process_group(0)
            .spawn()?;
        let mut stdout = Vec::new();
        let ended = match child.stdout.take() {
            Some(pipe) => read(&pipe, &mut stdout, deadline, self.enough, self.most),
            None => Ok(End::Closed),
        };
        if !matches!(ended, Ok(End::Closed)) {
            kill_group(&mut child);
        }
        // One that closed its output and lives on gets no more time than one that writes.
        let status = wait(&mut child, deadline)?;
        ended?;
        Ok(Output { success: status.success(), code: status.code(), stdout })
    }
}

/// Reads what is written into a pipe, until nobody can write into it any more or enough was written.
fn read(
    pipe: &impl AsFd,
    bytes: &mut Vec<u8>,
    deadline: Instant,
    enough: fn(&[u8]) -> bool,
    most: usize,
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
                if bytes.len() > most {
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
    // Between the end of its output and its exit lie microseconds: the pauses are for the odd one out.
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

/// A program to be run as if a person had typed it: nothing of our own environment reaches it.
pub struct Typed<'a> {
    /// Its path.
    pub program: &'a Path,
    /// What follows its name.
    pub arguments: &'a [&'a str],
    /// The whole of its environment.
    pub variables: &'a [(&'a str, &'a OsStr)],
    /// The folder that it is started in.
    pub folder: &'a Path,
    /// What stands on its standard input; no more than a pipe holds (4 KiB everywhere).
    pub input: &'a [u8],
    /// How long it may take; it is killed after that.
    pub limit: Duration,
}

impl Typed<'_> {
    /// Runs it to its end. The output holds what it wrote to standard output and to standard error, in the order in
    /// which a terminal would have shown it.
    pub fn run(&self) -> io::Result<Output> {
        let deadline = Instant::now() + self.limit;
        let (reader, writer) = io::pipe()?;
        let mut command = command(self.program);
        command.args(self.arguments).current_dir(self.folder).env_clear().envs(self.variables.iter().copied());
        command.stdin(Stdio::piped()).stdout(writer.try_clone()?).stderr(writer).process_group(0);
        let mut child = command.spawn()?;
        // Holds the writing ends of the pipe, which must be closed for its end to be seen.
        drop(command);
        if let Some(mut stdin) = child.stdin.take() {
            // One that does not read its input is no failure.
            let _ = stdin.write_all(self.input);
        }
        let mut written = Vec::new();
        let ended = read(&reader, &mut written, deadline, |_| false, 1 << 20);
        if ended.is_err() {
            kill_group(&mut child);
        }
        let status = wait(&mut child, deadline)?;
        ended?;
        Ok(Output { success: status.success(), code: status.code(), stdout: written })
    }
}

/// A process that lives until it is told to end, and never longer than this one, however this one ends: `/bin/sh`, which
/// waits for the end of its standard input.
#[derive(Debug)]
pub struct Companion(Child);

impl Companion {
    /// Starts one. `last_words` is what the shell runs when it is to end, with `argument` as `$1`; nobody can interrupt
    /// that.
    pub fn start(last_words: &str, argument: &OsStr) -> io::Result<Companion> {
        let script = format!("trap '' HUP INT TERM; read -r _; {last_words}");
        let mut shell = command(Path::new("/bin/sh"));
        shell.args([OsStr::new("-c"), OsStr::new(&script), OsStr::new("sh"), argument]);
        // A group of its own: Ctrl-C is for us, and our end is what it hears of it.
        shell.stdin(Stdio::piped()).stdout(Stdio::null()).stderr(Stdio::null()).process_group(0);
        Ok(Companion(shell.spawn()?))
    }

    /// Its number.
    pub fn pid(&self) -> u32 {
        self.0.id()
    }

    /// Kills it, as `kill -9` does: no last words.
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

/// A program by its name, in the absolute folders of `PATH` only: never one from the current folder.
pub fn find_program(name: &str) -> Option<PathBuf> {
    let path = super::env::var("PATH").unwrap_or_else(|| OsString::from("/usr/local/bin:/usr/bin:/bin"));
    std::env::split_paths(&path).filter(|folder| folder.is_absolute()).map(|folder| folder.join(name)).find(|file| {
        super::files::metadata(file).is_ok_and(|meta| meta.kind == super::files::Kind::File && meta.mode & 0o111 != 0)
    })
}

/// Runs a program to its end, but not longer than `limit`, after which it and what it started are killed and the error
/// is `TimedOut`. Standard input and standard error are closed to it. [`Run`] has more to choose from.
pub fn run(
    program: &Path,
    arguments: &[&OsStr],
    variables: &[(&str, &str)],
    folder: &Path,
    limit: Duration,
) -> io::Result<Output> {
    Run { program, arguments, variables, without: |_| false, folder, limit, enough: |_| false, most: 64 << 20 }.run()
}

/// Runs a program to its end with `input` on its standard input, but not longer than `limit`, after which it and what it
/// started are killed and the error is `TimedOut`; it may write `most` bytes. It need not read its input, and what it
/// leaves running is left alone, even where that holds its output open.
pub fn run_with_input(
    program: &Path,
    arguments: &[&OsStr],
    folder: &Path,
    input: &[u8],
    limit: Duration,
    most: usize,
) -> io::Result<Output> {
    let deadline = Instant::now() + limit;
    let mut child = command(program)
        .args(arguments)
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .process_group(0)
        .spawn()?;
    let mut stdout = Vec::new();
    let talked = talk(&mut child, input, &mut stdout, most, deadline);
    if talked.is_err() {
        kill_group(&mut child);
    }
    let status = wait(&mut child, deadline);
    talked?;
    let status = status?;
    Ok(Output { success: status.success(), code: status.code(), stdout })
}

/// Writes to a program and reads from it as it pleases, until its output is closed or it has ended.
fn talk(child: &mut Child, mut input: &[u8], output: &mut Vec<u8>, most: usize, deadline: Instant) -> io::Result<()> {
    /// How often to look whether it has ended while something that it started holds its output open.
    const LOOK: Duration = Duration::from_millis(20);
    let Some(from) = child.stdout.take() else { return Ok(()) };
    let mut to = child.stdin.take();
    if let Some(to) = &to {
        // This end only: the other is another open file.
        rustix::io::ioctl_fionbio(to, true)?;
    }
    loop {
        let left = deadline.checked_duration_since(Instant::now()).ok_or(io::ErrorKind::TimedOut)?;
        let pause = Timespec { tv_sec: 0, tv_nsec: left.min(LOOK).subsec_nanos().into() };
        let mut ends = vec![PollFd::new(&from, PollFlags::IN)];
        ends.extend(to.as_ref().map(|to| PollFd::new(to, PollFlags::OUT)));
        match rustix::event::poll(&mut ends, Some(&pause)) {
            Ok(0) if child.try_wait()?.is_some() => return Ok(()),
            Ok(_) => {}
            Err(rustix::io::Errno::INTR) => continue,
            Err(error) => return Err(error.into()),
        }
        let ready: Vec<bool> = ends.iter().map(|end| !end.revents().is_empty()).collect();
        if ready.first() == Some(&true) {
            output.reserve(4096);
            if rustix::io::read(&from, rustix::buffer::spare_capacity(output))? == 0 {
                return Ok(());
            }
            if output.len() > most {
                return Err(io::ErrorKind::FileTooLarge.into());
            }
        }
        if let (Some(pipe), Some(true)) = (&to, ready.get(1)) {
            match rustix::io::write(pipe, input) {
                Ok(written) => input = input.get(written..).unwrap_or_default(),
                Err(rustix::io::Errno::AGAIN | rustix::io::Errno::INTR) => continue,
                // It has read enough.
                Err(_) => input = &[],
            }
            if input.is_empty() {
                to = None;
            }
        }
    }
}

/// A program to be started. Everything in `ait` that starts one comes through here.
#[expect(clippy::disallowed_methods, reason = "this is the place where processes are started")]
pub fn command(program: &Path) -> std::process::Command {
    std::process::Command::new(program)
}
