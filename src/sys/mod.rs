//! The only place that touches files, the clock, the environment and processes.

pub mod atomic_edit;
pub mod clock;
pub mod env;
pub mod fd;
pub mod ffi;
pub mod files;
pub mod pager;
pub mod process;
pub mod terminal;
pub mod watch;
