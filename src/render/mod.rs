//! (stub)
pub mod dialect;
pub mod elapsed;
pub mod json;
pub mod table;
pub mod theme;
pub mod width;
