//! `ait prompt --follow`: a line at once, and a new one whenever it says something else. For tmux, which shows the latest
//! line of a `#()` job that goes on running as soon as it comes.
//!
//! tmux 3.3a draws its status line for a job's output only when the second on the clock is another than that of the
//! line before (`format_job_update` in format.c, where the job's start counts as a line). So no two lines are written
//! in one second, and the first is written again in the next.

use std::time::Duration;

use super::{Run, log_error};
use crate::context::Context;
use crate::render::ui::Ui;
use crate::report::Report;
use crate::store::revision;
use crate::store::root::Root;
use crate::sys::watch::{Watch, Woken, pause};

/// While there is something to show it is looked at anew this often: ages grow, and a process that is killed changes no
/// file.
const WHILE_SHOWN: Duration = Duration::from_secs(5);
/// The same while there is nothing: the watched folders may not even exist yet.
const WHILE_EMPTY: Duration = Duration::from_secs(30);
/// `time(2)`, which tmux asks, may still be in the old second by a tick of the kernel.
const TICK: Duration = Duration::from_millis(20);

/// The lines, each with its newline; the iterator ends when the reader of standard output is gone.
pub struct Lines {
    prompt: Box<dyn Run>,
    context: Context,
    watch: Option<Watch>,
    shown: Option<String>,
    /// Seconds since 1970 at which the last line was written.
    at: i64,
    /// The first line is still to be written again.
    again: bool,
}

/// Follows what `ait prompt` would print.
pub fn lines(prompt: Box<dyn Run>, context: &Context) -> Lines {
    Lines { prompt, context: context.clone(), watch: Watch::new().ok(), shown: None, at: 0, again: false }
}

impl Iterator for Lines {
    type Item = String;

    fn next(&mut self) -> Option<String> {
        loop {
            if let (Some(shown), false) = (&self.shown, self.again) {
                let limit = if shown == "\n" { WHILE_EMPTY } else { WHILE_SHOWN };
                let woken = self.watch.as_ref().map_or_else(|| pause(limit), |watch| watch.wait(limit));
                if woken == Woken::Closed {
                    return None;
                }
            }
            self.leave_this_second()?;
            self.watch_folders();
            let line = self.render();
            if self.again || self.shown.as_ref() != Some(&line) {
                self.again = self.shown.is_none();
                self.shown = Some(line.clone());
                self.at = self.context.refreshed().now.as_second();
                return Some(line);
            }
        }
    }
}

impl Lines {
    fn render(&self) -> String {
        let context = self.context.refreshed();
        let report = self.prompt.run(&context).unwrap_or_else(|error| {
            log_error(&context, "prompt", &error);
            Report::nothing()
        });
        let mut line = report.stdout(&Ui::default(), false);
        line.truncate(line.trim_end_matches('\n').len());
        line.push('\n');
        line
    }

    /// Watches the revision, and the registries of all profiles, which know of a permission dialog at once. To be called
    /// before anything is read, so that no change is missed.
    fn watch_folders(&self) {
        let Some(watch) = &self.watch else { return };
        // Creates its folders where they are missing: one that does not exist cannot be watched.
        revision::current();
        let registries = self.context.root().map(Root::registries).unwrap_or_default();
        for folder in revision::folders().chain(registries) {
            let _ = watch.add(&folder);
        }
    }

    /// Waits until the clock shows another second than when the last line was written. `None`: the reader is gone.
    fn leave_this_second(&self) -> Option<()> {
        let now = self.context.refreshed().now;
        if now.as_second() == self.at {
            let rest = 1_000_000_000 - u64::try_from(now.subsec_nanosecond()).unwrap_or(0);
            if pause(Duration::from_nanos(rest) + TICK) == Woken::Closed {
                return None;
            }
        }
        Some(())
    }
}
