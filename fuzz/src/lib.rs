//! What every fuzz target is held to: an input may cost 50 ms of processor time and 64 MiB of memory.
//!
//! libFuzzer's own limits are whole seconds, and the memory of the whole process with all the inputs it keeps. These are
//! the time of this thread and what it has allocated, for one input alone, so another program that takes the processor
//! away is no failure.

use std::alloc::{GlobalAlloc, Layout, System};
use std::path::PathBuf;
use std::sync::atomic::{AtomicUsize, Ordering::Relaxed};

use rustix::time::{ClockId, clock_gettime};

/// Nanoseconds that one input may take.
const TIME: i64 = 50_000_000;
/// Bytes that one input may take.
const MEMORY: usize = 64 << 20;

struct Counting;

static USED: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

fn count(added: usize) {
    let used = USED.fetch_add(added, Relaxed) + added;
    MOST.fetch_max(used, Relaxed);
}

// SAFETY: everything is the system's; the counts are beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        count(layout.size());
        // SAFETY: the caller's promises are handed on.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, piece: *mut u8, layout: Layout) {
        USED.fetch_sub(layout.size(), Relaxed);
        // SAFETY: the caller's promises are handed on.
        unsafe { System.dealloc(piece, layout) }
    }
}

#[global_allocator]
static ALLOCATOR: Counting = Counting;

fn time() -> i64 {
    let now = clock_gettime(ClockId::ThreadCPUTime);
    now.tv_sec * 1_000_000_000 + now.tv_nsec
}

/// Runs a target on one input, and stops everything where that costs more than it may. A time that is too long has to be
/// so four times: another machine on the same processor, or a page that was not there, is nobody's fault.
pub fn bounded(target: impl Fn()) {
    let mut took = 0;
    for _ in 0..4 {
        let before = USED.load(Relaxed);
        MOST.store(before, Relaxed);
        let began = time();
        target();
        took = time() - began;
        let most = MOST.load(Relaxed).saturating_sub(before);
        assert!(most <= MEMORY, "{} KiB for one input", most >> 10);
        if took <= TIME {
            return;
        }
    }
    panic!("{} ms for one input", took / 1_000_000);
}

/// A folder for a target that needs files: `AIT_FUZZ_FOLDER`, which whoever set it removes.
pub fn folder() -> PathBuf {
    let folder = std::env::var_os("AIT_FUZZ_FOLDER").map_or_else(std::env::temp_dir, PathBuf::from);
    std::fs::create_dir_all(&folder).expect("a folder for the files of this target");
    folder
}
