//! Manifests on disk: where they are, one live session, all live sessions, history.

pub mod active;
pub mod activity_log;
pub mod commit_index;
pub mod commit_log;
pub mod event_log;
pub mod guard;
pub mod history;
pub mod lifecycle;
pub mod limits;
pub mod live;
pub mod manifest_file;
pub mod place;
pub mod profiles;
pub mod revision;
pub mod root;
pub mod write_log;
