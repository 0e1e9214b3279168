//! The model, pure: sessions, their manifests, states, events, conflicts, tasks, ages. No file, clock, environment or
//! process; the time now is an argument.

pub mod activity;
pub mod commit;
pub mod conflict;
pub mod details;
pub mod event;
pub mod file_write;
pub mod head;
pub mod head_moved;
pub mod id;
pub(crate) mod json_object;
pub mod json_scanner;
pub mod limits;
pub mod manifest;
pub mod order;
pub mod origin;
pub mod silent_change;
pub mod state;
pub mod summary;
pub mod task;
pub mod time;
pub mod timeline;
pub mod tmux_window;
pub mod upstream;
