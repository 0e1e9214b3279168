//! Runs one command and times the whole process: from before its start to after its exit, its output read to the end.

#![allow(unsafe_code, reason = "posix_spawn directly: std does more around it, and that would be measured too")]

use std::ffi::CString;
use std::fs::File;
use std::io::{PipeReader, Read, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::ptr::null_mut;
use std::time::Instant;

/// A command with everything it needs, already in the form that the kernel takes.
pub(crate) struct Command {
    program: CString,
    arguments: Vec<CString>,
    variables: Vec<CString>,
    folder: PathBuf,
    stdin: Vec<u8>,
}

/// The result of one run.
pub(crate) struct Outcome {
    /// From before the start to after the exit.
    pub(crate) microseconds: f64,
    /// Whether the exit code was 0.
    pub(crate) success: bool,
    /// What the command wrote to standard output.
    pub(crate) stdout: Vec<u8>,
}

impl Command {
    /// A program with arguments and exactly these environment variables, run in `folder` with empty standard input.
    pub(crate) fn new(program: &Path, arguments: &[&str], variables: &[(String, String)], folder: &Path) -> Command {
        let program = c_string(program.to_str().expect("a path in UTF-8"));
        Command {
            arguments: std::iter::once(program.clone()).chain(arguments.iter().map(|word| c_string(word))).collect(),
            program,
            variables: variables.iter().map(|(name, value)| c_string(&format!("{name}={value}"))).collect(),
            folder: folder.to_owned(),
            stdin: Vec::new(),
        }
    }

    /// The same command with `text` as standard input. It must fit into a pipe, because nothing reads it while it is written.
    pub(crate) fn stdin(mut self, text: &str) -> Command {
        assert!(text.len() < 16 * 1024, "standard input is larger than a pipe holds on every system");
        self.stdin = text.into();
        self
    }

    /// The same command with one more environment variable.
    pub(crate) fn variable(mut self, name: &str, value: &str) -> Command {
        self.variables.push(c_string(&format!("{name}={value}")));
        self
    }

    /// Runs it once.
    pub(crate) fn run(&self) -> Outcome {
        // Set here and not in the child: this program has one thread, and so it is not part of the measured time.
        std::env::set_current_dir(&self.folder).expect("the folder of a command");
        let (stdin, mut writer) = std::io::pipe().expect("a pipe");
        writer.write_all(&self.stdin).expect("standard input of a command");
        drop(writer);
        self.run_with(&stdin)
    }

    fn run_with(&self, stdin: &PipeReader) -> Outcome {
        let null = File::options().write(true).open("/dev/null").expect("/dev/null");
        let (mut output, writer) = std::io::pipe().expect("a pipe");
        let mut stdout = Vec::with_capacity(64 * 1024);
        let descriptors = [stdin.as_raw_fd(), writer.as_raw_fd(), null.as_raw_fd()];

        let start = Instant::now();
        let pid = self.spawn(descriptors);
        drop(writer);
        output.read_to_end(&mut stdout).expect("the output of a command");
        let mut status = 0;
        // SAFETY: `status` lives until the call returns.
        let waited = unsafe { libc::waitpid(pid, &raw mut status, 0) };
        let microseconds = start.elapsed().as_secs_f64() * 1e6;

        assert_eq!(waited, pid, "waiting for a command");
        Outcome { microseconds, success: status == 0, stdout }
    }

    fn spawn(&self, descriptors: [i32; 3]) -> libc::pid_t {
        let (arguments, variables) = (pointers(&self.arguments), pointers(&self.variables));
        let mut pid = 0;
        // SAFETY: both lists end with NULL and point to strings that live as long as `self`; the actions are initialized
        // before they are used and destroyed after.
        let error = unsafe {
            let mut actions = std::mem::zeroed();
            libc::posix_spawn_file_actions_init(&raw mut actions);
            for (to, from) in (0..).zip(descriptors) {
                libc::posix_spawn_file_actions_adddup2(&raw mut actions, from, to);
            }
            let error = libc::posix_spawn(
                &raw mut pid,
                self.program.as_ptr(),
                &raw const actions,
                std::ptr::null(),
                arguments.as_ptr(),
                variables.as_ptr(),
            );
            libc::posix_spawn_file_actions_destroy(&raw mut actions);
            error
        };
        assert_eq!(error, 0, "{:?} does not start", self.program);
        pid
    }
}

/// A list as `execve` takes it: pointers, ended by NULL.
fn pointers(strings: &[CString]) -> Vec<*mut libc::c_char> {
    strings.iter().map(|string| string.as_ptr().cast_mut()).chain([null_mut()]).collect()
}

fn c_string(text: &str) -> CString {
    CString::new(text).expect("a text without NUL")
}
