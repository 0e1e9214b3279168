//! `ait job NAME SUBJECT [ARGUMENT...]`: slow work that another command left to a detached process. It is not in the help
//! and not in the completions: no person types it.

use std::time::Duration;

use super::{Run, hook, late_event, log_error, record_commits, record_upstream, team, tmux};
use crate::context::Context;
use crate::error::{Error, Exit, Result};
use crate::report::Report;
use crate::store::root::fnv1a;
use crate::sys::files::Locking;

/// A kind of job.
struct Kind {
    name: &'static str,
    /// Does the work. The first argument is the subject.
    run: fn(&Context, &[String]) -> Result<()>,
}

/// All jobs. To start one, call [`super::start_job`].
const KINDS: [Kind; 5] = [
    Kind { name: late_event::NAME, run: hook::record_late },
    Kind { name: record_commits::NAME, run: record_commits::run },
    Kind { name: record_upstream::NAME, run: record_upstream::run },
    Kind { name: "team-sync", run: team::job },
    Kind { name: tmux::RECORD_WINDOW, run: tmux::record_window },
];

/// How long a job waits for the same job of the same subject. That one may have begun before the reason for this one, so
/// this one has to run too.
const LOCK_TIMEOUT: Duration = Duration::from_secs(60);

/// How many locks there are for the jobs of a kind. Two subjects may share one; their jobs then run one after the other.
const LOCKS: u64 = 256;

/// A job of a known kind.
pub struct Job {
    kind: &'static Kind,
    arguments: Vec<String>,
}

/// Reads the words after `ait job`.
///
/// # Errors
/// If the job is unknown or has no subject.
pub fn parse(words: &[&str]) -> Result<Job> {
    let wrong = |what: &str, why: &'static str| Error::new("starting a job", what, why).exit(Exit::NotFound);
    let (name, arguments) = words.split_first().ok_or_else(|| wrong("", "its name is missing"))?;
    let kind = KINDS.iter().find(|kind| kind.name == *name).ok_or_else(|| wrong(name, "unknown job"))?;
    match arguments.is_empty() {
        true => Err(wrong(name, "its subject is missing")),
        false => Ok(Job { kind, arguments: arguments.iter().map(|&word| word.to_owned()).collect() }),
    }
}

impl Run for Job {
    /// Does the work, after the same job of the same subject has ended. Errors also go to the log, because the
    /// output of a detached process is discarded.
    ///
    /// # Errors
    /// If the work fails, or the same job runs for longer than a minute.
    fn run(&self, context: &Context) -> Result<Report> {
        self.run_alone(context).inspect_err(|error| log_error(context, self.kind.name, error))?;
        Ok(Report::nothing())
    }
}

impl Job {
    fn run_alone(&self, context: &Context) -> Result<()> {
        let Kind { name, run } = self.kind;
        let subject = self.arguments.first().map(String::as_str).unwrap_or_default();
        let failed = |why: std::io::Error| Error::new("starting a job", format!("{name} {subject}"), why);
        let jobs = context.root()?.open_cache("jobs").map_err(failed)?;
        let folder =
            jobs.folder_or_make(&format!("{name}-{:02x}", fnv1a(subject.as_bytes()) % LOCKS)).map_err(failed)?;
        // Released at the end of the process, however it ends.
        match folder.lock(LOCK_TIMEOUT) {
            Locking::Busy => Err(failed(std::io::ErrorKind::TimedOut.into())),
            Locking::Held(_) | Locking::Unsupported => run(context, &self.arguments),
        }
    }
}
