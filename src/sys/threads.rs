//! A second thread, for what is long enough to be worth one.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::ffi;

/// What `of` makes of some pieces of work and puts into lists, in no order, done in two threads, each with `room` in its
/// list. Each takes the next piece that is left, as the second may start late: a processor that sleeps takes longer to
/// wake than much of this work does. Where no thread is to be had, one does all. `None` as soon as `of` says so, or
/// panics in the second thread.
pub fn share<I: Sync, T: Send>(
    pieces: &[I],
    room: usize,
    of: impl Fn(&I, &mut Vec<T>) -> Option<()> + Sync,
) -> Option<Vec<T>> {
    let taken = AtomicUsize::new(0);
    let work = || {
        let mut made = Vec::with_capacity(room);
        while let Some(piece) = pieces.get(taken.fetch_add(1, Ordering::Relaxed)) {
            of(piece, &mut made)?;
        }
        Some(made)
    };
    let (first, second) = thread::scope(|scope| {
        let apart = || {
            ffi::use_second_half();
            work()
        };
        let other = thread::Builder::new().spawn_scoped(scope, apart).ok();
        let first = work();
        Some((first, other.map(|other| other.join()).transpose().ok()?))
    })?;
    let mut all = first?;
    if let Some(second) = second {
        all.extend(second?);
    }
    Some(all)
}

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
