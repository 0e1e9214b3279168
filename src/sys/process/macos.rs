//! Processes on macOS, from proc_pidinfo and sysctl.

use std::io;

use super::info::Process;
use crate::sys::ffi;

/// Information about a process; `None` if it does not exist.
pub fn look_up(pid: u32) -> Option<Process> {
    // sys/proc.h: SSTOP and SZOMB.
    const STOPPED: u32 = 4;
    const ZOMBIE: u32 = 5;
    let info = ffi::process_info(pid)?;
    let name: Vec<u8> = info.pbi_comm.iter().map(|byte| byte.cast_unsigned()).take_while(|byte| *byte != 0).collect();
    Some(Process {
        pid,
        parent: info.pbi_ppid,
        name: String::from_utf8_lossy(&name).into_owned(),
        start: info.pbi_start_tvsec.saturating_mul(1_000_000).saturating_add(info.pbi_start_tvusec),
        zombie: info.pbi_status == ZOMBIE,
        stopped: info.pbi_status == STOPPED,
    })
}

/// The terminal that a process reads from. Unknown on macOS without further libraries.
pub fn terminal(_pid: u32) -> Option<std::path::PathBuf> {
    None
}

/// The command line of a process, as text. Unknown on macOS without further libraries.
pub fn command_line(_pid: u32) -> Option<Vec<String>> {
    None
}

/// A variable of the environment that a process was started with. Unknown on macOS without further libraries.
pub fn variable(_pid: u32, _name: &str) -> Option<String> {
    None
}

/// The id of this boot, a new one after each start of the system.
pub(super) fn boot_id() -> io::Result<String> {
    ffi::boot_id()
}
