//! Processes on Linux, from `/proc`.

use std::io;
use std::path::PathBuf;

use super::info::Process;
use crate::sys::fd::read_procfs;

/// Information about a process; `None` if it does not exist.
pub fn look_up(pid: u32) -> Option<Process> {
    // proc(5): `pid (comm) state ppid ... starttime`, where comm may contain spaces and parentheses.
    let stat = read_procfs(&format!("/proc/{pid}/stat")).ok()?;
    let open = stat.iter().position(|byte| *byte == b'(')?;
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
        stopped: state == "T",
    })
}

/// The terminal that a process reads from.
pub fn terminal(pid: u32) -> Option<PathBuf> {
    let input = std::fs::read_link(format!("/proc/{pid}/fd/0")).ok()?;
    (input.starts_with("/dev/pts") || input.to_string_lossy().starts_with("/dev/tty")).then_some(input)
}

/// The command line of a process, as text.
pub fn command_line(pid: u32) -> Option<Vec<String>> {
    let bytes = read_procfs(&format!("/proc/{pid}/cmdline")).ok()?;
    Some(
        bytes
            .split(|byte| *byte == 0)
            .filter(|part| !part.is_empty())
            .map(|part| String::from_utf8_lossy(part).into_owned())
            .collect(),
    )
}

/// A variable of the environment that a process was started with.
pub fn variable(pid: u32, name: &str) -> Option<String> {
    let bytes = read_procfs(&format!("/proc/{pid}/environ")).ok()?;
    let mut variables = bytes.split(|byte| *byte == 0);
    variables.find_map(|variable| {
        std::str::from_utf8(variable).ok()?.strip_prefix(name)?.strip_prefix('=').map(str::to_owned)
    })
}

/// The id of this boot, a new one after each start of the system.
pub(super) fn boot_id() -> io::Result<String> {
    let bytes = read_procfs("/proc/sys/kernel/random/boot_id")?;
    Ok(String::from_utf8_lossy(&bytes).trim().to_owned())
}
