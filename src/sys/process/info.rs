//! Information about a process from the kernel.

/// Information about a process.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Process {
    /// The pid.
    pub pid: u32,
    /// The pid of its parent.
    pub parent: u32,
    /// The name of its program, at most 15 bytes.
    pub name: String,
    /// Its start time in the unit of the kernel (Linux: clock ticks since boot; macOS: microseconds since 1970).
    /// Pid, start time and boot id together identify one process.
    pub start: u64,
    /// It has ended, but its parent has not read its exit code yet.
    pub zombie: bool,
    /// It is stopped, as Ctrl-Z does it.
    pub stopped: bool,
}
