//! This process, its ancestors, its user and its machine.

use rustix::process::Pid;
use std::sync::OnceLock;

use super::info::Process;
use super::system;

/// Whether a process with this pid exists, of any user. A zombie counts.
pub fn exists(pid: u32) -> bool {
    let Some(pid) = i32::try_from(pid).ok().and_then(Pid::from_raw) else { return false };
    !matches!(rustix::process::test_kill_process(pid), Err(rustix::io::Errno::SRCH))
}

/// The pid of this process.
pub fn id() -> u32 {
    std::process::id()
}

/// The pid of the parent of this process.
pub fn parent() -> Option<u32> {
    let parent = rustix::process::getppid()?;
    u32::try_from(parent.as_raw_nonzero().get()).ok()
}

/// The ancestors of this process, nearest first, at most 32.
pub fn ancestors() -> impl Iterator<Item = Process> {
    ancestors_from(parent())
}

/// The ancestors of a process, nearest first, at most 32.
pub fn ancestors_of(process: &Process) -> impl Iterator<Item = Process> {
    ancestors_from((process.parent != 0).then_some(process.parent))
}

fn ancestors_from(mut next: Option<u32>) -> impl Iterator<Item = Process> {
    std::iter::from_fn(move || {
        let process = system::look_up(next?)?;
        next = (process.parent != 0).then_some(process.parent);
        Some(process)
    })
    .take(32)
}

/// The id of this boot. After another boot, a recorded pid and start time mean nothing.
pub fn boot_id() -> Option<&'static str> {
    static BOOT_ID: OnceLock<Option<String>> = OnceLock::new();
    BOOT_ID.get_or_init(|| system::boot_id().ok()).as_deref()
}

/// The pid namespace of this process: its pids mean nothing in another one, such as that of a container. `None` where there
/// are no namespaces.
pub fn pid_namespace() -> Option<u64> {
    static NAMESPACE: std::sync::OnceLock<Option<u64>> = std::sync::OnceLock::new();
    *NAMESPACE.get_or_init(|| {
        // proc_pid_ns(5): the link reads `pid:[4026531836]`.
        let link = rustix::fs::readlink("/proc/self/ns/pid", Vec::new()).ok()?;
        link.to_str().ok()?.strip_prefix("pid:[")?.strip_suffix(']')?.parse().ok()
    })
}

/// The name of this machine.
pub fn host() -> &'static str {
    static HOST: OnceLock<String> = OnceLock::new();
    HOST.get_or_init(|| rustix::system::uname().nodename().to_string_lossy().into_owned())
}

/// The effective user id of this process.
pub fn user_id() -> u32 {
    // It never changes here and is needed for each file that is read.
    static USER: OnceLock<u32> = OnceLock::new();
    *USER.get_or_init(|| rustix::process::geteuid().as_raw())
}
