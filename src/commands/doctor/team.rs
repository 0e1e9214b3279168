//! Whether the records of the team are sent.

use jiff::Timestamp;

use super::check::{Check, Findings, Status};
use crate::sys::files;
use crate::team::store;

/// Names the remotes that sessions are shared through, and why the last attempt failed.
pub(super) fn of_team(now: Timestamp) -> Check {
    let mut findings = Findings::default();
    let mut names = Vec::new();
    for store in store::all().into_iter().filter(|store| store.state.is_joined()) {
        let state = &store.state;
        names.push(format!("{} (level {})", state.url, state.level().as_str()));
        if let Some(problem) = &state.problem {
            findings.add(Status::Warn, problem.clone(), Some("ait team sync"));
        }
        if state.tried > now.as_second() + 60 {
            findings.add(Status::Warn, format!("{}: last sent in the future; is the clock right?", state.url), None);
        }
        for (tree, _) in state.clones.iter().filter(|(tree, _)| !files::is_folder(tree)) {
            let detail = format!("{}: shares through {}, and is gone", tree.display(), state.url);
            findings.add(Status::Warn, detail, Some("ait team join"));
        }
    }
    let fine = match names.is_empty() {
        true => "nothing is shared".to_owned(),
        false => format!("shared through {}", names.join(", ")),
    };
    findings.check("team", fine)
}
