//! The steps of a writer, for tests that kill it at each of them, or let another one run in between.

use std::cell::RefCell;

/// The next step of a writer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Take a lock; it holds none.
    Lock,
    /// Create, change, rename or remove a file.
    Write,
}

type Hook = Box<dyn FnMut(Step)>;

thread_local!(static HOOK: RefCell<Option<Hook>> = const { RefCell::new(None) });

/// Calls `hook` before each step of this thread's writers while `run` runs, but not for what the hook itself does. A hook that
/// panics kills the writer.
pub(crate) fn observe<T>(hook: impl FnMut(Step) + 'static, run: impl FnOnce() -> T) -> T {
    let outer = HOOK.replace(Some(Box::new(hook)));
    let result = run();
    HOOK.set(outer);
    result
}

pub(super) fn before(step: Step) {
    if let Some(mut hook) = HOOK.take() {
        hook(step);
        HOOK.set(Some(hook));
    }
}
