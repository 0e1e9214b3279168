//! Tests of behaviour, through the real binary, real shells and real repositories. One binary: it links once.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    reason = "a test may stop at the first surprise, and touches the system itself"
)]

mod common;

mod activity;
mod architecture;
mod claude_plugin;
mod cli;
mod clock_changes;
mod commits;
mod completions;
mod config;
mod coordination;
mod demo;
mod doctor;
mod elsewhere;
mod escapes;
mod fast_commands;
mod files;
mod git;
mod history;
mod hook;
mod hook_matchers;
mod hookless;
mod hooks_command;
mod hooks_files;
mod jobs;
mod limits;
mod liveness;
mod locks;
mod notify;
mod packages;
mod payloads;
mod profiles;
mod prompt_tasks;
mod races;
mod readme;
mod report;
mod resume_go;
mod robustness;
mod security;
mod segment;
mod sessions;
mod sessions_for;
mod settings;
mod setup;
mod shell;
mod shell_files;
mod snapshots;
mod state;
mod statusline;
mod system_calls;
mod team;
mod timeline;
mod times;
mod transcripts;
mod upstream;
mod waiting;
mod worktrees;
