//! Text for people and programs: the segment of a prompt in every dialect, boxes, durations, JSON.
//!
//! Nothing here reads a file, the clock or the environment: what is shown comes in as arguments and goes out as text.

pub mod completion_tables;
pub mod completions;
pub mod dialect;
pub mod diff;
pub mod elapsed;
pub mod facts;
pub mod format;
pub mod json;
pub mod line;
pub mod man;
pub mod markdown;
pub mod markup;
pub mod notification;
pub mod reuse;
pub mod segment;
pub mod style;
pub mod table;
pub mod theme;
pub mod timeline;
mod token;
pub mod ui;
pub mod width;
