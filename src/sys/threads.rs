//! A second thread, for what is long enough to be worth one.

use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::ffi;

/// How many items a thread takes at a time: to take them costs nothing beside them, and nobody waits long for the last.
const SHARE: usize = 16;

/// What `of` makes of some items and puts into a list, in no order, made in two threads: each takes of what is left, as the second one may
/// start late (a processor that sleeps takes longer to wake than many items take). Where no thread is to be had, one
/// makes all. `None` as soon as `of` says so, or panics in the second thread.
pub fn map<I: Sync, T: Send>(items: &[I], of: impl Fn(&I, &mut Vec<T>) -> Option<()> + Sync) -> Option<Vec<T>> {
    let taken = AtomicUsize::new(0);
    let work = || {
        let mut made = Vec::with_capacity(items.len());
        while let Some(share) = items.chunks(SHARE).nth(taken.fetch_add(1, Ordering::Relaxed)) {
            for item in share {
                of(item, &mut made)?;
            }
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
    all.extend(second.unwrap_or_else(|| Some(Vec::new()))?);
    Some(all)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_item_is_taken_once() {
        for count in [0, 1, SHARE - 1, SHARE, SHARE + 1, 10 * SHARE + 3] {
            let items: Vec<usize> = (0..count).collect();
            let mut made = map(&items, |item, made| {
                made.push(item * 2);
                Some(())
            })
            .unwrap();
            made.sort_unstable();
            assert_eq!(made, items.iter().map(|item| item * 2).collect::<Vec<_>>());
        }
    }

    #[test]
    fn what_one_refuses_is_nothing() {
        let items: Vec<usize> = (0..100).collect();
        assert_eq!(map(&items, |item, _: &mut Vec<()>| (*item != 77).then_some(())), None);
    }
}
