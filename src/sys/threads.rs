//! A second thread, for what is long enough to be worth one.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::thread;

use super::ffi;

/// Bytes; untouched pages of it cost nothing.
const STACK: usize = 2 << 20;

/// What `of` makes of some pieces of work and puts into lists, in no order, done in two threads, each with `room` in its
/// list. Each takes the next piece that is left. Where no thread is to be had, one does all. `None` as soon as `of` says
/// so.
pub fn share<I: Sync, T: Send>(
    pieces: &[I],
    room: usize,
    of: impl Fn(&I, &mut Vec<T>) -> Option<()> + Sync,
) -> Option<Vec<T>> {
    let (taken, has_begun) = (AtomicUsize::new(0), AtomicBool::new(false));
    let work = |after_each: &dyn Fn()| {
        let mut made = Vec::with_capacity(room);
        while let Some(piece) = pieces.get(taken.fetch_add(1, Ordering::Relaxed)) {
            of(piece, &mut made)?;
            after_each();
        }
        Some(made)
    };
    let (first, second) = thread::scope(|scope| {
        let apart = || {
            has_begun.store(true, Ordering::Relaxed);
            ffi::use_second_half();
            work(&|| {})
        };
        // Said, so that no variable of the environment says less.
        let other = thread::Builder::new().stack_size(STACK).spawn_scoped(scope, apart).ok();
        let first = work(&|| {
            if other.is_some() && !has_begun.swap(true, Ordering::Relaxed) {
                step_aside();
            }
        });
        Some((first, other.map(|other| other.join()).transpose().ok()?))
    })?;
    let mut all = first?;
    if let Some(second) = second {
        all.extend(second?);
    }
    Some(all)
}

/// Goes on on another processor. Most kernels start a new thread on a processor that is idle. Some of virtual machines
/// leave it behind the one that made it, for all of the four milliseconds that this one may run.
#[cfg(target_os = "linux")]
fn step_aside() {
    use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};
    let (Ok(all), Some(here)) = (sched_getaffinity(None), ffi::processor()) else { return };
    // A set has room for so many, and panics beyond.
    if here >= CpuSet::MAX_CPU {
        return;
    }
    let mut others = all;
    others.unset(here);
    // Where there is no other one, the first fails, and nothing is changed.
    if sched_setaffinity(None, &others).is_ok() {
        let _ = sched_setaffinity(None, &all);
    }
}

/// macOS lets nobody choose a processor.
#[cfg(target_os = "macos")]
fn step_aside() {}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_piece_is_taken_once() {
        for count in [0, 1, 2, 100] {
            let pieces: Vec<usize> = (0..count).collect();
            let of = |piece: &usize, made: &mut Vec<usize>| {
                made.push(piece * 2);
                Some(())
            };
            let mut made = share(&pieces, count, of).unwrap();
            made.sort_unstable();
            assert_eq!(made, pieces.iter().map(|piece| piece * 2).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_one_refuses_is_nothing() {
        let pieces: Vec<usize> = (0..100).collect();
        assert_eq!(share(&pieces, 0, |piece, _: &mut Vec<()>| (*piece != 77).then_some(())), None);
    }
}
