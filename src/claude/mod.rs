//! Claude Code's formats: hook payload, status-line payload, settings.json, its own session registry.

pub mod client;
mod pattern;
pub mod payload;
pub mod registry;
pub mod settings;
mod shell_lexer;
pub mod start_options;
pub mod status_payload;
pub mod transcript;
