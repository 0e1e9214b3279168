//! The environment: variables, home, the current folder, this program.
#![expect(clippy::disallowed_methods, reason = "this is the place where the environment is read")]

use std::ffi::OsString;
use std::path::PathBuf;

/// A variable that is set and not empty.
pub fn var(name: &str) -> Option<OsString> {
    std::env::var_os(name).filter(|value| !value.is_empty())
}

/// A variable as text; what is not UTF-8 is replaced.
pub fn text(name: &str) -> Option<String> {
    var(name).map(|value| value.to_string_lossy().into_owned())
}

/// A variable as a path.
pub fn path(name: &str) -> Option<PathBuf> {
    var(name).map(PathBuf::from)
}

/// The arguments after the program's name; what is not UTF-8 is replaced.
pub fn arguments() -> Vec<String> {
    std::env::args_os().skip(1).map(|argument| argument.to_string_lossy().into_owned()).collect()
}

/// The home folder, from `HOME` alone: looking it up in the user database would load libraries at start-up.
pub fn home() -> Option<PathBuf> {
    path("HOME").filter(|home| home.is_absolute())
}

/// The folder for temporary files: `TMPDIR`, else the system's own.
pub fn temporary_folder() -> PathBuf {
    std::env::temp_dir()
}

/// The current folder, as the kernel sees it (symlinks resolved).
pub fn current_dir() -> Option<PathBuf> {
    std::env::current_dir().ok()
}

/// The path of this program.
pub fn this_program() -> Option<PathBuf> {
    std::env::current_exe().ok()
}
