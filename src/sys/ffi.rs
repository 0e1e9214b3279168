//! The one module with `unsafe`: where the C start-up code calls us, and the memory of a short life.
//!
//! Why at all, measured on a static musl binary against a program that only exits (ratio 1.00):
//! - the standard library's own start-up (signal stacks, handlers, a guard page) makes an empty program cost 1.47;
//!   entered by the C `main` directly it costs 1.10. What that start-up does and we need is done here: standard
//!   descriptors that are closed are opened, and a closed pipe is an error of `write`, not a signal.
//! - musl's allocator asks the kernel for memory in several calls before it hands out the first byte. A prompt needs a
//!   few dozen KiB for less than a millisecond: they come out of the program's own zeroed pages instead.

#![allow(unsafe_code, reason = "this is the module where it is allowed")]

use std::alloc::{GlobalAlloc, Layout, System};
use std::cell::{Cell, UnsafeCell};
use std::ffi::{CStr, c_char, c_int};
use std::sync::atomic::{AtomicI32, AtomicUsize, Ordering};

/// Bytes of each half of the arena. Untouched pages of it cost nothing.
const HALF: usize = 4 << 20;

thread_local! {
    /// The half that this thread is served from.
    static SERVED_FROM: Cell<usize> = const { Cell::new(0) };
}

/// Serves this thread from the second half of the arena from now on. Two threads that take turns at one counter wait for
/// each other, and neither can give its last piece back.
pub(super) fn use_second_half() {
    SERVED_FROM.set(1);
}

/// An allocator that hands out each half of the arena once, front to back, and then asks the system's.
///
/// Nothing is given back but the last piece, which also grows and shrinks in place: the pattern of a program that
/// builds a few buffers and exits.
#[derive(Debug)]
pub struct Arena([Half; 2]);

#[derive(Debug)]
#[repr(C)]
struct Half {
    /// In front, on a page that is used anyway.
    used: AtomicUsize,
    memory: UnsafeCell<[u8; HALF]>,
}

// SAFETY: pieces of `memory` are handed out once each, by an atomic counter; nobody reaches it otherwise.
unsafe impl Sync for Half {}

impl Half {
    const fn new() -> Half {
        Half { used: AtomicUsize::new(0), memory: UnsafeCell::new([0; HALF]) }
    }

    fn start(&self) -> *mut u8 {
        self.memory.get().cast()
    }

    /// How far into this half a piece lies; `None` where it lies elsewhere.
    fn offset(&self, piece: *mut u8) -> Option<usize> {
        (piece as usize).checked_sub(self.start() as usize).filter(|offset| *offset < HALF)
    }
}

impl Arena {
    /// An untouched arena.
    #[expect(clippy::new_without_default, reason = "it is made once, in a static, where only a const fn will do")]
    pub const fn new() -> Arena {
        Arena([Half::new(), Half::new()])
    }

    /// Where a piece lies; `None` where it is the system's.
    fn place(&self, piece: *mut u8) -> Option<(&Half, usize)> {
        let [first, second] = &self.0;
        let in_first = first.offset(piece).map(|offset| (first, offset));
        in_first.or_else(|| Some((second, second.offset(piece)?)))
    }
}

// SAFETY: `alloc` gives pieces that are aligned, within one half and disjoint (the counter only grows past a piece by
// the exchange that claims it, and only shrinks by the exchange that gives the last one back); all else is the system's.
unsafe impl GlobalAlloc for Arena {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        let [first, second] = &self.0;
        let half = if SERVED_FROM.get() == 0 { first } else { second };
        let mut used = half.used.load(Ordering::Relaxed);
        loop {
            let free = half.start() as usize + used;
            let begin = used + (free.next_multiple_of(layout.align()) - free);
            let end = begin.saturating_add(layout.size());
            if end > HALF {
                // SAFETY: the caller's promises are handed on.
                return unsafe { System.alloc(layout) };
            }
            match half.used.compare_exchange_weak(used, end, Ordering::Relaxed, Ordering::Relaxed) {
                // SAFETY: `begin` is within this half.
                Ok(_) => return unsafe { half.start().add(begin) },
                Err(now) => used = now,
            }
        }
    }

    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        match self.place(piece) {
            // The last piece; where it is not, the exchange fails and the piece is spent.
            Some((half, begin)) => {
                let end = begin + layout.size();
                let _ = half.used.compare_exchange(end, begin, Ordering::Relaxed, Ordering::Relaxed);
            }
            // SAFETY: it came from there.
            None => unsafe { System.dealloc(piece, layout) },
        }
    }

    unsafe fn realloc(&self, piece: *mut u8, layout: Layout, size: usize) -> *mut u8 {
        let Some((half, begin)) = self.place(piece) else {
            // SAFETY: it came from there.
            return unsafe { System.realloc(piece, layout, size) };
        };
        let (end, wanted) = (begin + layout.size(), begin.saturating_add(size));
        let fits = wanted <= HALF;
        if fits && half.used.compare_exchange(end, wanted, Ordering::Relaxed, Ordering::Relaxed).is_ok() {
            return piece;
        }
        // SAFETY: the new layout has the size asked for and the alignment of the old one; both pieces are valid for
        // the lesser of the two sizes and do not overlap.
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

/// The arguments as C hands them over, without the program's name; what is not UTF-8 is replaced.
///
/// # Safety
/// `count` and `values` must be those that the C start-up code gave to `main`.
pub unsafe fn arguments(count: c_int, values: *const *const c_char) -> Vec<String> {
    let count = usize::try_from(count).unwrap_or(0);
    let argument = |position| {
        // SAFETY: `values` holds `count` pointers to texts that end with NUL and live as long as the process.
        let text = unsafe { CStr::from_ptr(*values.add(position)) };
        text.to_string_lossy().into_owned()
    };
    (1..count).map(argument).collect()
}

/// The value of a variable of the environment. This program never changes it, so it stays.
///
/// The texts are compared where they lie: a prompt asks for a dozen variables, and taking all of them apart first, or
/// measuring each, costs more than a dozen walks.
pub fn variable(name: &[u8]) -> Option<&'static [u8]> {
    unsafe extern "C" {
        /// environ(7): texts `name=value`, then a null pointer.
        static environ: *const *const c_char;
    }
    // SAFETY: nobody writes it while the program runs (`set_var` is a lint of ours). Every text ends with NUL, which
    // `name` does not hold: the comparison ends there at the latest.
    unsafe {
        let mut entry = environ;
        while !entry.is_null() && !(*entry).is_null() {
            let text = (*entry).cast::<u8>();
            let is_named = name.iter().enumerate().all(|(at, byte)| *byte != 0 && *text.add(at) == *byte);
            if is_named && *text.add(name.len()) == b'=' {
                return Some(CStr::from_ptr(text.add(name.len() + 1).cast()).to_bytes());
            }
            entry = entry.add(1);
        }
    }
    None
}

/// Does what the standard library does before `main`, as far as this program needs it.
pub fn start_up() {
    // A file that is opened must not become standard output.
    if rustix::io::fcntl_getfd(rustix::stdio::stdin()).is_err()
        || rustix::io::fcntl_getfd(rustix::stdio::stdout()).is_err()
        || rustix::io::fcntl_getfd(rustix::stdio::stderr()).is_err()
    {
        while let Ok(file) = rustix::fs::open("/dev/null", rustix::fs::OFlags::RDWR, rustix::fs::Mode::empty()) {
            use std::os::fd::{AsRawFd, IntoRawFd};
            if file.as_raw_fd() > 2 {
                break;
            }
            let _ = file.into_raw_fd();
        }
    }
    // A pipe that is closed, and a file that grows beyond `ulimit -f`, are errors of `write`.
    for signal in [libc::SIGPIPE, libc::SIGXFSZ] {
        // SAFETY: ignoring a signal installs no code.
        unsafe { libc::signal(signal, libc::SIG_IGN) };
    }
}

/// The signal that asked this program to end; 0 where none did, or nobody listens.
static ASKED: AtomicI32 = AtomicI32::new(0);

/// From now on a signal that asks this program to end is only noted, once; a second one of its kind ends it as ever.
/// One that is ignored (`nohup`) stays so.
pub fn note_end() {
    extern "C" fn note(signal: c_int) {
        ASKED.store(signal, Ordering::Relaxed);
    }
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM] {
        // SAFETY: the structure is plain numbers, for which zero is a value; the handler does nothing but store a
        // number, which a handler may.
        unsafe {
            let mut before: libc::sigaction = std::mem::zeroed();
            let mut action: libc::sigaction = std::mem::zeroed();
            libc::sigaction(signal, std::ptr::null(), &raw mut before);
            if before.sa_sigaction != libc::SIG_IGN {
                action.sa_sigaction = note as extern "C" fn(c_int) as libc::sighandler_t;
                action.sa_flags = libc::SA_RESTART | libc::SA_RESETHAND;
                libc::sigaction(signal, &raw const action, std::ptr::null_mut());
            }
        }
    }
}

/// The signal that [`note_end`] noted.
pub fn asked_to_end() -> Option<c_int> {
    Some(ASKED.load(Ordering::Relaxed)).filter(|signal| *signal != 0)
}

/// Ends by a signal, as without [`note_end`]: whoever started this program sees why it ended.
pub fn end_by(signal: c_int) {
    // SAFETY: the usual action of a signal installs no code.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}

/// Makes the C `main` of a binary out of a function from arguments to an exit code.
#[macro_export]
macro_rules! entry_point {
    ($run:path) => {
        #[global_allocator]
        static ARENA: $crate::sys::ffi::Arena = $crate::sys::ffi::Arena::new();

        /// Called by the C start-up code.
        #[allow(unsafe_code, reason = "written in sys/ffi.rs, which says why")]
        #[unsafe(no_mangle)]
        extern "C" fn main(count: ::std::ffi::c_int, values: *const *const ::std::ffi::c_char) -> ::std::ffi::c_int {
            $crate::sys::ffi::start_up();
            // SAFETY: these are the arguments of `main`.
            let arguments = unsafe { $crate::sys::ffi::arguments(count, values) };
            $run(&arguments)
        }
    };
}

/// The processor that this thread is on. By the C library: rustix looks for the kernel's own function by itself, and does
/// not find where there is none, under valgrind for one.
#[cfg(target_os = "linux")]
pub(super) fn processor() -> Option<usize> {
    // SAFETY: it takes nothing, and gives a number.
    usize::try_from(unsafe { libc::sched_getcpu() }).ok()
}

/// Seconds and nanoseconds since 1970.
///
/// By the system call itself: finding the kernel's page that answers without one costs two page faults, which pays
/// for programs that ask more than once.
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

/// What the kernel says of a process, by proc_pidinfo(PROC_PIDTBSDINFO).
#[cfg(target_os = "macos")]
pub fn look_up(pid: u32) -> Option<super::process::Process> {
    // sys/proc_info.h: pbi_status 5 is SZOMB.
    const ZOMBIE: u32 = 5;
    let size = c_int::try_from(size_of::<libc::proc_bsdinfo>()).ok()?;
    // SAFETY: the structure is plain numbers, for which zero is a value; the kernel writes at most `size` bytes of it.
    let info = unsafe {
        let mut info: libc::proc_bsdinfo = std::mem::zeroed();
        let pid = c_int::try_from(pid).ok()?;
        let filled = libc::proc_pidinfo(pid, libc::PROC_PIDTBSDINFO, 0, (&raw mut info).cast(), size);
        (filled == size).then_some(info)?
    };
    let name: Vec<u8> = info.pbi_comm.iter().map(|byte| byte.cast_unsigned()).take_while(|byte| *byte != 0).collect();
    Some(super::process::Process {
        pid,
        parent: info.pbi_ppid,
        name: String::from_utf8_lossy(&name).into_owned(),
        start: info.pbi_start_tvsec.saturating_mul(1_000_000).saturating_add(info.pbi_start_tvusec),
        zombie: info.pbi_status == ZOMBIE,
    })
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
    let text = CStr::from_bytes_until_nul(&text).map_err(std::io::Error::other)?;
    Ok(text.to_string_lossy().into_owned())
}

/// Copying, on x86-64 in place of musl's: that sets up the processor's own copying for every few bytes, and takes as long
/// for a name as this does for a page. A list of sessions copies sixty names and numbers for each, and is a tenth faster.
#[cfg(all(target_arch = "x86_64", any(test, target_env = "musl")))]
mod copying {
    use std::arch::asm;
    use std::arch::x86_64::{__m128i, _mm_loadu_si128, _mm_storeu_si128};

    /// memcpy(3).
    ///
    /// # Safety
    /// `from` can be read and `to` be written for `count` bytes, and the two do not overlap.
    #[cfg_attr(not(test), unsafe(no_mangle))]
    pub(super) unsafe extern "C" fn memcpy(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
        /// Copies one `T` at an offset.
        unsafe fn copy<T>(to: *mut u8, from: *const u8, at: usize) {
            // SAFETY: the callers keep `at` and the size of `T` within their bytes.
            unsafe { to.add(at).cast::<T>().write_unaligned(from.add(at).cast::<T>().read_unaligned()) }
        }
        // SAFETY: each piece lies within `count` bytes; where the last one overlaps the one before, both say the same.
        unsafe {
            match count {
                0 => {}
                1..4 => {
                    copy::<u8>(to, from, 0);
                    copy::<u8>(to, from, count / 2);
                    copy::<u8>(to, from, count - 1);
                }
                4..8 => {
                    copy::<u32>(to, from, 0);
                    copy::<u32>(to, from, count - 4);
                }
                8..16 => {
                    copy::<u64>(to, from, 0);
                    copy::<u64>(to, from, count - 8);
                }
                16..=256 => {
                    let copy = |at| {
                        let piece = _mm_loadu_si128(from.add(at).cast::<__m128i>());
                        _mm_storeu_si128(to.add(at).cast::<__m128i>(), piece);
                    };
                    let mut at = 0;
                    while at < count - 16 {
                        copy(at);
                        at += 16;
                    }
                    copy(count - 16);
                }
                _ => {
                    asm!("rep movsq", inout("rcx") count / 8 => _, inout("rdi") to => _, inout("rsi") from => _,
                        options(nostack, preserves_flags));
                    copy::<u64>(to, from, count - 8);
                }
            }
        }
        to
    }

    /// memmove(3). Here because musl's is made of its memcpy.
    ///
    /// # Safety
    /// `from` can be read and `to` be written for `count` bytes.
    #[cfg_attr(not(test), unsafe(no_mangle))]
    pub(super) unsafe extern "C" fn memmove(to: *mut u8, from: *const u8, count: usize) -> *mut u8 {
        let ahead = (to as usize).wrapping_sub(from as usize);
        // SAFETY: what overlaps is copied byte by byte, from the end that is not written first; the flag for the direction
        // is put back, as the calling convention has it.
        unsafe {
            if ahead >= count && ahead.wrapping_neg() >= count {
                return memcpy(to, from, count);
            } else if ahead >= count {
                asm!("rep movsb", inout("rcx") count => _, inout("rdi") to => _, inout("rsi") from => _,
                    options(nostack, preserves_flags));
            } else if count > 0 {
                let last = count - 1;
                asm!("std", "rep movsb", "cld", inout("rcx") count => _, inout("rdi") to.add(last) => _,
                    inout("rsi") from.add(last) => _, options(nostack));
            }
        }
        to
    }

    #[cfg(test)]
    mod tests {
        use super::*;

        #[test]
        fn every_length_is_copied_and_nothing_else() {
            let from: Vec<u8> = (0..700_usize).map(|at| (at * 7 % 251) as u8).collect();
            for count in (0..300).chain([511, 512, 513, 600]) {
                for (start, into) in [(0, 0), (1, 0), (0, 3), (5, 8), (13, 31)] {
                    let mut to = vec![0xee; 700];
                    // SAFETY: both are longer than `count` and what is left out in front.
                    let given = unsafe { memcpy(to.as_mut_ptr().add(into), from.as_ptr().add(start), count) };
                    assert_eq!(given, to.as_mut_ptr().wrapping_add(into));
                    assert_eq!(to[into..into + count], from[start..start + count], "{count} bytes");
                    let around = to[..into].iter().chain(&to[into + count..]);
                    assert!(around.into_iter().all(|byte| *byte == 0xee), "{count} bytes");
                }
            }
        }

        #[test]
        fn what_overlaps_is_moved_as_if_it_were_copied_aside() {
            for count in (0..80).chain([255, 256, 257, 400]) {
                for (start, into) in [(0, 1), (1, 0), (0, 8), (8, 0), (17, 40), (40, 17), (0, 300), (300, 0), (9, 9)] {
                    let before: Vec<u8> = (0..800_usize).map(|at| (at * 11 % 253) as u8).collect();
                    let mut wanted = before.clone();
                    wanted.copy_within(start..start + count, into);
                    let mut moved = before.clone();
                    // SAFETY: both places lie within the buffer.
                    unsafe { memmove(moved.as_mut_ptr().add(into), moved.as_ptr().add(start), count) };
                    assert!(moved == wanted, "{count} bytes from {start} to {into}");
                }
            }
        }
    }
}
