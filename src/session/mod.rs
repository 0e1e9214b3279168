//! The model, pure: sessions, their manifests, states, events, conflicts, tasks, ages. No file, clock, environment or
//! process; the time now is an argument.

pub mod conflict;
pub mod event;
pub mod fields;
pub mod head;
pub mod id;
pub mod manifest;
pub mod order;
pub(crate) mod raw;
pub mod state;
pub mod task;
pub mod touch;
