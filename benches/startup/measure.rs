//! One command, from its start to its exit and the end of its output.

#![allow(unsafe_code, reason = "posix_spawn itself: what the standard library does around it would be measured too")]

use std::ffi::CString;
use std::fs::File;
use std::io::{PipeReader, Read, Write};
use std::os::fd::AsRawFd;
use std::path::{Path, PathBuf};
use std::ptr::null_mut;
use std::time::Instant;

/// A command with all that it needs, put into the form that the kernel takes before anything is measured.
pub(crate) struct Command {
    program: CString,
    arguments: Vec<CString>,
    variables: Vec<CString>,
    folder: PathBuf,
    stdin: Vec<u8>,
}

/// What came of a command.
pub(crate) struct Ran {
    /// From before its start to after its exit.
    pub(crate) microseconds: f64,
    /// Whether it ended with exit code 0.
    pub(crate) success: bool,
    /// What it wrote.
    pub(crate) stdout: Vec<u8>,
}

impl Command {
    /// The program and its arguments, in a folder. The environment holds what is given and nothing else.
    pub(crate) fn new(program: &Path, arguments: &[&str], variables: &[(&str, &str)], folder: &Path) -> Command {
        let program = text(program.to_str().expect("a path in UTF-8"));
        Command {
            arguments: std::iter::once(program.clone()).chain(arguments.iter().map(|word| text(word))).collect(),
            program,
            variables: variables.iter().map(|(name, value)| text(&format!("{name}={value}"))).collect(),
            folder: folder.to_owned(),
            stdin: Vec::new(),
        }
    }

    /// With standard input; it fits in a pipe.
    pub(crate) fn stdin(mut self, bytes: &str) -> Command {
        assert!(bytes.len() < 16 * 1024, "more than a pipe holds on every system");
        self.stdin = bytes.into();
        self
    }

    /// Runs it once.
    pub(crate) fn run(&self) -> Ran {
        // Sets the folder here, not in the child: the bench has one thread, and it costs nothing that is measured.
        std::env::set_current_dir(&self.folder).expect("the folder of a command");
        let stdin = self.input();
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

        assert_eq!(waited, pid);
        Ran { microseconds, success: status == 0, stdout }
    }

    fn input(&self) -> PipeReader {
        let (reader, mut writer) = std::io::pipe().expect("a pipe");
        writer.write_all(&self.stdin).expect("standard input of a command");
        reader
    }

    fn spawn(&self, descriptors: [i32; 3]) -> libc::pid_t {
        let list = |texts: &[CString]| {
            texts.iter().map(|text| text.as_ptr().cast_mut()).chain([null_mut()]).collect::<Vec<*mut libc::c_char>>()
        };
        let (arguments, variables) = (list(&self.arguments), list(&self.variables));
        let mut pid = 0;
        // SAFETY: both lists end with NULL and point to texts that live as long as `self`; the actions are made before
        // they are used and destroyed after.
        let failed = unsafe {
            let mut actions = std::mem::zeroed();
            libc::posix_spawn_file_actions_init(&raw mut actions);
            for (to, from) in (0..).zip(descriptors) {
                libc::posix_spawn_file_actions_adddup2(&raw mut actions, from, to);
            }
            let failed = libc::posix_spawn(
                &raw mut pid,
                self.program.as_ptr(),
                &raw const actions,
                std::ptr::null(),
                arguments.as_ptr(),
                variables.as_ptr(),
            );
            libc::posix_spawn_file_actions_destroy(&raw mut actions);
            failed
        };
        assert_eq!(failed, 0, "{:?} does not start", self.program);
        pid
    }
}

fn text(text: &str) -> CString {
    CString::new(text).expect("a text without NUL")
}
