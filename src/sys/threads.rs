//! A second thread, for what is long enough to be worth one.

use std::thread;

use super::ffi;

/// Does both at once. Where no thread is to be had they are done one after the other; `None` where the second panics.
pub fn both<A, B: Send>(first: impl FnOnce() -> A, second: impl Fn() -> B + Sync) -> Option<(A, B)> {
    thread::scope(|scope| {
        let apart = || {
            ffi::use_second_half();
            second()
        };
        let other = thread::Builder::new().spawn_scoped(scope, apart).ok();
        let first = first();
        let second = match other {
            Some(other) => other.join().ok()?,
            None => second(),
        };
        Some((first, second))
    })
}
