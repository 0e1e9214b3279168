//! The model, pure: no file, clock, environment or process. The time now is an argument.

pub mod conflict;
pub mod state;
