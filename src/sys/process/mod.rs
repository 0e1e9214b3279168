//! Processes: information about them, and running programs with a time limit.

mod detached;
mod identity;
mod info;
mod run;
#[cfg(target_os = "linux")]
#[path = "linux.rs"]
mod system;
#[cfg(target_os = "macos")]
#[path = "macos.rs"]
mod system;

pub use std::process::ExitCode;

pub use detached::start_detached;
pub use identity::{ancestors, ancestors_of, boot_id, exists, host, id, parent, pid_namespace, user_id};
pub use info::Process;
pub use run::{Companion, Output, Run, Typed, command, find_program, in_foreground, run, run_with_input};
pub use system::{command_line, look_up, terminal, variable};
