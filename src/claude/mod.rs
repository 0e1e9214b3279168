//! Claude Code's formats: hook payload, status-line payload, settings.json, its own session registry.

pub mod client;
pub mod jsonc;
pub mod payload;
pub mod registry;
pub mod settings;
pub mod status_payload;
mod surgery;
mod words;
