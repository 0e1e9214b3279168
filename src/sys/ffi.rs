//! The one module with `unsafe`: the allocator, signals, and calls of macOS that no crate offers.

#![allow(unsafe_code, reason = "this is the module where it is allowed")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::UnsafeCell;
use std::ffi::c_int;
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

/// Size of the arena in bytes. Pages of it that are never touched cost nothing.
const ARENA_SIZE: usize = 8 << 20;

/// A global allocator that hands out its memory once, front to back, and then asks the system's allocator.
///
/// It takes back only the last piece, which can also grow and shrink in place. That fits a program that builds a few
/// buffers and exits. musl's allocator makes several system calls before it hands out the first byte; a prompt needs
/// a few dozen KiB for less than a millisecond. `cargo bench` shows the difference.
#[derive(Debug)]
#[repr(C)]
pub struct Arena {
    used: AtomicUsize,
    memory: UnsafeCell<[u8; ARENA_SIZE]>,
}

// SAFETY: a piece of `memory` belongs to the caller that claimed it by the atomic counter; nothing else touches it.
unsafe impl Sync for Arena {}

impl Arena {
    /// An unused arena.
    #[expect(clippy::new_without_default, reason = "it is created once, in a static, where only a const fn will do")]
    pub const fn new() -> Arena {
        Arena { used: AtomicUsize::new(0), memory: UnsafeCell::new([0; ARENA_SIZE]) }
    }

    fn start(&self) -> *mut u8 {
        self.memory.get().cast()
    }

    /// The offset of a piece in the arena; `None` for memory of the system's allocator.
    fn offset(&self, piece: *mut u8) -> Option<usize> {
        (piece as usize).checked_sub(self.start() as usize).filter(|offset| *offset < ARENA_SIZE)
    }
}

// SAFETY: `alloc` returns aligned, disjoint pieces of `memory`: the counter grows past a piece only by the exchange that
// claims it (acquire: the claimer sees what the last owner did) and shrinks only by the exchange that returns the last
// piece (release: what its owner did happens before the next claim). All other memory comes from the system's allocator.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let mut used = self.used.load(Ordering::Relaxed);
        loop {
            let free = self.start() as usize + used;
            let begin = used + (free.next_multiple_of(layout.align()) - free);
            let end = begin.saturating_add(layout.size());
            if end > ARENA_SIZE {
                // SAFETY: the caller's promises are passed on.
                return unsafe { System.alloc(layout) };
            }
            match self.used.compare_exchange_weak(used, end, Ordering::Acquire, Ordering::Relaxed) {
                // SAFETY: `begin` is within the arena.
                Ok(_) => return unsafe { self.start().add(begin) },
                Err(now) => used = now,
            }
        }
    }

    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        match self.offset(piece) {
            // If it is not the last piece the exchange fails, and the memory stays unused.
            Some(begin) => {
                let end = begin + layout.size();
                let _ = self.used.compare_exchange(end, begin, Ordering::Release, Ordering::Relaxed);
            }
            // SAFETY: it came from the system's allocator.
            None => unsafe { System.dealloc(piece, layout) },
        }
    }

    unsafe fn realloc(&self, piece: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some(begin) = self.offset(piece) else {
            // SAFETY: it came from the system's allocator.
            return unsafe { System.realloc(piece, layout, size) };
        };
        let (end, wanted) = (begin + layout.size(), begin.saturating_add(size));
        let fits = wanted <= ARENA_SIZE;
        if fits && self.used.compare_exchange(end, wanted, Ordering::AcqRel, Ordering::Relaxed).is_ok() {
            return piece;
        }
        // SAFETY: the new layout has the size asked for and the alignment of the old one; both pieces are valid for the
        // smaller of the two sizes and do not overlap.
        unsafe {
            let moved = self.alloc(Layout::from_size_align_unchecked(size, layout.align()));
            if !moved.is_null() {
                std::ptr::copy_nonoverlapping(piece, moved, layout.size().min(size));
                self.dealloc(piece, layout);
            }
            moved
        }
    }
}

/// Makes writing beyond `ulimit -f` an error instead of a deadly signal.
pub fn ignore_file_size_signal() {
    // SAFETY: ignoring a signal installs no code.
    unsafe { libc::signal(libc::SIGXFSZ, libc::SIG_IGN) };
}

/// The signal that asked this program to end; 0 if none did.
static END_SIGNAL: AtomicI32 = AtomicI32::new(0);

/// From now on the first signal that asks this program to end is only recorded (see [`end_signal`]); a second one of the
/// same kind ends it. A signal that is ignored (as under `nohup`) stays ignored.
pub fn record_end_signals() {
    extern "C" fn record(signal: c_int) {
        END_SIGNAL.store(signal, Ordering::Relaxed);
    }
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM] {
        // SAFETY: the structure consists of plain numbers, for which zero is a value; the handler only stores a number,
        // which a signal handler may.
        unsafe {
            let mut before: libc::sigaction = std::mem::zeroed();
            let mut action: libc::sigaction = std::mem::zeroed();
            libc::sigaction(signal, std::ptr::null(), &raw mut before);
            if before.sa_sigaction != libc::SIG_IGN {
                action.sa_sigaction = record as extern "C" fn(c_int) as libc::sighandler_t;
                action.sa_flags = libc::SA_RESTART | libc::SA_RESETHAND;
                libc::sigaction(signal, &raw const action, std::ptr::null_mut());
            }
        }
    }
}

/// Ctrl-C and Ctrl-\\ no longer end this program. Programs that it starts get their default action back, which would not be
/// so if the signals were ignored.
pub fn outlive_interrupts() {
    extern "C" fn nothing(_signal: c_int) {}
    for signal in [libc::SIGINT, libc::SIGQUIT] {
        // SAFETY: the structure consists of plain numbers, for which zero is a value; the handler does nothing.
        unsafe {
            let mut action: libc::sigaction = std::mem::zeroed();
            action.sa_sigaction = nothing as extern "C" fn(c_int) as libc::sighandler_t;
            action.sa_flags = libc::SA_RESTART;
            libc::sigaction(signal, &raw const action, std::ptr::null_mut());
        }
    }
}

/// The signal recorded by [`record_end_signals`].
pub fn end_signal() -> Option<c_int> {
    Some(END_SIGNAL.load(Ordering::Relaxed)).filter(|signal| *signal != 0)
}

/// Ends by a signal, so that the parent process sees why this program ended.
pub fn end_by(signal: c_int) {
    // SAFETY: the default action of a signal installs no code.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}

/// Prepares a command so that the process it starts outlives this one: it is a session of its own without a terminal, no
/// child of this process, as nice as possible to others, and inherits no descriptor but the three standard ones. The process
/// that `spawn` returns is one in between, which has already ended: `wait` for it, so that it does not stay as a zombie.
pub fn detach(command: &mut std::process::Command) {
    use std::os::unix::process::CommandExt as _;
    let prepare = || {
        // SAFETY: each of these is an async-signal-safe system call without pointers, as needed between fork and exec. The
        // process in between ends without running anything else.
        unsafe {
            libc::setsid();
            libc::setpriority(libc::PRIO_PROCESS, 0, 10);
            close_on_exec_from(3);
            match libc::fork() {
                -1 => Err(std::io::Error::last_os_error()),
                0 => Ok(()),
                _ => libc::_exit(0),
            }
        }
    };
    // SAFETY: `prepare` allocates nothing and takes no lock.
    unsafe { command.pre_exec(prepare) };
}

/// Lets exec close all descriptors from `first` on. Before Linux 5.11, and on macOS, only those below 1024.
fn close_on_exec_from(first: c_int) {
    #[cfg(target_os = "linux")]
    {
        // linux/close_range.h
        const CLOSE_RANGE_CLOEXEC: libc::c_uint = 4;
        // SAFETY: a system call that takes three numbers.
        let done = unsafe { libc::syscall(libc::SYS_close_range, first, libc::c_uint::MAX, CLOSE_RANGE_CLOEXEC) } == 0;
        if done {
            return;
        }
    }
    for descriptor in first..1024 {
        // SAFETY: setting a flag of a descriptor; one that is not open is an error without effect.
        unsafe { libc::fcntl(descriptor, libc::F_SETFD, libc::FD_CLOEXEC) };
    }
}

/// Seconds and nanoseconds since 1970.
///
/// By the system call itself: that saves the two page faults of finding the kernel's page that answers without one, and
/// tests can answer the call with a time of their own.
#[cfg(target_os = "linux")]
pub fn clock() -> (i64, i32) {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the kernel writes the two numbers of `now`, nothing else.
    unsafe { libc::syscall(libc::SYS_clock_gettime, libc::CLOCK_REALTIME, &raw mut now) };
    (now.tv_sec, i32::try_from(now.tv_nsec).unwrap_or(0))
}

/// Seconds and nanoseconds since 1970.
#[cfg(target_os = "macos")]
pub fn clock() -> (i64, i32) {
    let mut now = libc::timespec { tv_sec: 0, tv_nsec: 0 };
    // SAFETY: the two numbers of `now` are written, nothing else.
    unsafe { libc::clock_gettime(libc::CLOCK_REALTIME, &raw mut now) };
    (now.tv_sec, i32::try_from(now.tv_nsec).unwrap_or(0))
}

/// Information about a process, by proc_pidinfo(PROC_PIDTBSDINFO).
#[cfg(target_os = "macos")]
pub fn process_info(pid: u32) -> Option<libc::proc_bsdinfo> {
    let size = c_int::try_from(size_of::<libc::proc_bsdinfo>()).ok()?;
    // SAFETY: the structure consists of plain numbers, for which zero is a value; the kernel writes at most `size` bytes.
    unsafe {
        let mut info: libc::proc_bsdinfo = std::mem::zeroed();
        let pid = c_int::try_from(pid).ok()?;
        let filled = libc::proc_pidinfo(pid, libc::PROC_PIDTBSDINFO, 0, (&raw mut info).cast(), size);
        (filled == size).then_some(info)
    }
}

/// The id of this boot, by sysctl(kern.bootsessionuuid).
#[cfg(target_os = "macos")]
pub fn boot_id() -> std::io::Result<String> {
    let mut text = [0_u8; 64];
    let mut length = text.len();
    // SAFETY: the name ends with NUL; the kernel writes at most `length` bytes into `text`.
    let failed = unsafe {
        let name = c"kern.bootsessionuuid".as_ptr();
        libc::sysctlbyname(name, text.as_mut_ptr().cast(), &raw mut length, std::ptr::null_mut(), 0)
    };
    if failed != 0 {
        return Err(std::io::Error::last_os_error());
    }
    let text = std::ffi::CStr::from_bytes_until_nul(&text).map_err(std::io::Error::other)?;
    Ok(text.to_string_lossy().into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pieces_are_aligned_disjoint_and_the_last_one_is_taken_back() {
        // Too large for a stack.
        static ARENA: Arena = Arena::new();
        // SAFETY: every piece is used with the layout it was asked for, within its size.
        unsafe {
            let small = Layout::from_size_align(3, 1).unwrap();
            let aligned = Layout::from_size_align(64, 64).unwrap();
            let first = ARENA.alloc(small);
            let second = ARENA.alloc(aligned);
            assert_eq!(second as usize % 64, 0);
            assert!(second as usize >= first as usize + 3);
            let grown = ARENA.realloc(second, aligned, 128);
            assert_eq!(grown, second, "the last piece grows in place");
            let moved = ARENA.realloc(first, small, 5);
            assert_ne!(moved, first, "another piece moves");
            ARENA.dealloc(moved, Layout::from_size_align(5, 1).unwrap());
            assert_eq!(ARENA.alloc(Layout::from_size_align(5, 1).unwrap()), moved, "the last piece is taken back");
            let large = Layout::from_size_align(2 * ARENA_SIZE, 8).unwrap();
            let outside = ARENA.alloc(large);
            assert!(ARENA.offset(outside).is_none(), "what does not fit comes from the system");
            ARENA.dealloc(outside, large);
        }
    }

    #[test]
    fn threads_share_an_arena_without_overlap() {
        static ARENA: Arena = Arena::new();
        let work = |mark: u8| {
            for round in 0..2_000 {
                let layout = Layout::from_size_align(1 + round % 40, 8).unwrap();
                // SAFETY: each piece is written and read within its size, then returned with its layout.
                unsafe {
                    let piece = ARENA.alloc(layout);
                    piece.write_bytes(mark, layout.size());
                    std::thread::yield_now();
                    assert!((0..layout.size()).all(|at| *piece.add(at) == mark));
                    ARENA.dealloc(piece, layout);
                }
            }
        };
        std::thread::scope(|scope| {
            for mark in 1..=4 {
                scope.spawn(move || work(mark));
            }
        });
    }
}
