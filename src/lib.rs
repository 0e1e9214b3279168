//! `ait`: tracks and coordinates parallel Claude Code sessions.
//!
//! A library with a thin binary, so that tests, benches and fuzzers reach every floor. A floor imports only from
//! floors below it (`tests/it/architecture.rs` reads the source and says so):
//!
//! ```text
//! cli, commands     what the user typed, and what it does
//! team              shared history over git: records, stores, synchronisation
//! config            the user's settings: environment, configuration file, defaults
//! store   render    manifests on disk; text for people and programs. These two never meet.
//! claude  git       foreign formats: Claude Code's files, git's files
//! session           the model, pure: no file, clock, environment or process
//! sys               the only place that touches files, the clock, the environment and processes
//! error             used by all, uses none
//! ```

pub mod claude;
pub mod cli;
pub mod commands;
pub mod config;
pub mod context;
pub mod error;
pub mod git;
pub mod render;
pub mod report;
pub mod session;
pub mod store;
pub mod sys;
pub mod team;
