//! Team: who worked on what, shared through the git remote that the team already has.
//!
//! Each member (a person on a machine) writes one log, a chain of commits under a ref of its own,
//! `refs/ait/v1/<16 hexadecimal digits>`. The tree of a commit contains only that batch of records. Nobody else writes
//! there, so nothing is ever merged. Everything is kept in a bare repository of ait's own; the user's clone is asked for
//! its configuration, and never changed.

pub mod days;
mod fetch;
pub mod forget;
pub mod log;
pub mod mask;
mod network;
pub mod own;
pub mod record;
pub mod share;
pub mod store;
pub mod sync;

/// A day, in seconds.
const DAY: i64 = 86_400;
