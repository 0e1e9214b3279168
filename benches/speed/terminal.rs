//! An interactive shell in a pseudo-terminal, and the time from Enter to its next prompt.

#![allow(unsafe_code, reason = "a child makes the terminal its own between fork and exec")]

use std::fs::File;
use std::io::{Read as _, Write as _};
use std::os::fd::{AsFd as _, OwnedFd};
use std::os::unix::process::CommandExt as _;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use rustix::event::{PollFd, PollFlags, Timespec, poll};
use rustix::pty::OpenptFlags;

/// The end of every prompt. Nothing else that a shell prints contains it.
pub(crate) const READY: &str = "ready> ";

/// A shell is at rest when it has printed nothing for this long.
const QUIET: Duration = Duration::from_millis(1);
/// How long a shell may take from its prompt to a right prompt.
const SEGMENT_LIMIT: Duration = Duration::from_millis(500);
/// After this long a prompt is taken as lost.
const LIMIT: Duration = Duration::from_secs(30);

/// A running shell. It ends when this is dropped.
pub(crate) struct Terminal {
    /// The side of the user: what is written here is typed.
    user: File,
    shell: Child,
}

/// One prompt.
pub(crate) struct Prompt {
    /// From Enter until the end of the prompt was read.
    pub(crate) milliseconds: f64,
    /// Everything the shell printed.
    pub(crate) text: String,
    /// Whether the shell started a process. Only known on Linux.
    pub(crate) process: bool,
}

impl Terminal {
    /// Starts an interactive shell with exactly these environment variables and makes it read a file.
    pub(crate) fn start(
        program: &Path,
        arguments: &[&str],
        variables: &[(String, String)],
        folder: &Path,
        setup: &Path,
    ) -> Terminal {
        let user =
            rustix::pty::openpt(OpenptFlags::RDWR | OpenptFlags::NOCTTY | OpenptFlags::CLOEXEC).expect("a terminal");
        rustix::pty::grantpt(&user).expect("a terminal");
        rustix::pty::unlockpt(&user).expect("a terminal");
        let size = rustix::termios::Winsize { ws_row: 40, ws_col: 120, ws_xpixel: 0, ws_ypixel: 0 };
        rustix::termios::tcsetwinsize(&user, size).expect("the size of a terminal");
        let name = rustix::pty::ptsname(&user, Vec::new()).expect("the name of a terminal");
        let name = name.into_string().expect("a name in UTF-8");
        let side = || Stdio::from(open_terminal(&name));

        let mut command = Command::new(program);
        command.args(arguments).env_clear().envs(variables.iter().cloned()).current_dir(folder);
        command.stdin(side()).stdout(side()).stderr(side());
        let own = || {
            rustix::process::setsid()?;
            rustix::process::ioctl_tiocsctty(rustix::stdio::stdin())?;
            Ok(())
        };
        // SAFETY: the closure makes two system calls and nothing else.
        let shell = unsafe { command.pre_exec(own) }.spawn().expect("a shell");
        let mut terminal = Terminal { user: File::from(user), shell };
        terminal.type_text(&format!("source '{}'\r", setup.display()));
        terminal.read_until_ready();
        terminal.read_until_quiet();
        terminal
    }

    /// Presses Enter and waits for the next prompt, and for `segment` if it is to be shown.
    pub(crate) fn press_enter(&mut self, segment: &str) -> Prompt {
        self.read_until_quiet();
        let faults = self.faults_of_children();
        let start = Instant::now();
        self.type_text("\r");
        let mut text = self.read_until_ready();
        let milliseconds = start.elapsed().as_secs_f64() * 1e3;
        text.push_str(&self.read_until_quiet());
        if !text.contains(segment) {
            // zsh and fish print it after the prompt, and other programs may have had the processor in between.
            text.push_str(&self.read(SEGMENT_LIMIT));
        }
        Prompt { milliseconds, text, process: self.faults_of_children() != faults }
    }

    /// The memory of the shell in MB. 0 where there is no `/proc`.
    pub(crate) fn megabytes(&self) -> usize {
        let status = std::fs::read_to_string(format!("/proc/{}/status", self.shell.id())).unwrap_or_default();
        let kilobytes = status.lines().find_map(|line| line.strip_prefix("VmRSS:"));
        let kilobytes = kilobytes.and_then(|text| text.trim().trim_end_matches(" kB").parse::<usize>().ok());
        (kilobytes.unwrap_or(0) + 512) / 1024
    }

    /// Page faults of all children that have ended: field 11 of `/proc/PID/stat`. Every process has some, so the number
    /// changes when the shell has started one.
    fn faults_of_children(&self) -> String {
        let stat = std::fs::read_to_string(format!("/proc/{}/stat", self.shell.id())).unwrap_or_default();
        let after_name = stat.rsplit(')').next().unwrap_or_default();
        after_name.split_whitespace().nth(8).unwrap_or_default().to_owned()
    }

    fn type_text(&mut self, text: &str) {
        self.user.write_all(text.as_bytes()).expect("typing");
    }

    fn read_until_ready(&mut self) -> String {
        let mut text = String::new();
        while !text.contains(READY) {
            let more = self.read(LIMIT);
            assert!(!more.is_empty(), "no prompt came; the shell printed: {text}");
            text.push_str(&more);
        }
        text
    }

    fn read_until_quiet(&mut self) -> String {
        let mut text = String::new();
        loop {
            let more = self.read(QUIET);
            if more.is_empty() {
                return text;
            }
            text.push_str(&more);
        }
    }

    /// What the shell prints next; empty if it prints nothing for `limit`.
    fn read(&mut self, limit: Duration) -> String {
        let limit = Timespec::try_from(limit).expect("a duration");
        let ready = poll(&mut [PollFd::from_borrowed_fd(self.user.as_fd(), PollFlags::IN)], Some(&limit));
        if ready.expect("waiting for a terminal") == 0 {
            return String::new();
        }
        let mut bytes = [0; 16 * 1024];
        let count = self.user.read(&mut bytes).expect("reading a terminal");
        String::from_utf8_lossy(&bytes[..count]).into_owned()
    }
}

impl Drop for Terminal {
    fn drop(&mut self) {
        let _ = self.shell.kill();
        let _ = self.shell.wait();
    }
}

fn open_terminal(name: &str) -> OwnedFd {
    use std::os::unix::fs::OpenOptionsExt as _;
    let flags = libc::O_NOCTTY;
    File::options().read(true).write(true).custom_flags(flags).open(name).expect("a terminal").into()
}
