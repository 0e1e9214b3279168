//! `ait hooks install | uninstall | list`: what makes Claude Code call `ait`.

mod install;
mod install_paths;
mod list;
mod scripts;
mod text;
mod uninstall;

pub(super) use install::install_diff;
pub use install::{Install, Installation, install_in};
pub use install_paths::InstallPaths;
pub(super) use install_paths::{copies, read_settings};
pub use list::{List, list_in};
pub(super) use list::{Row, managed_remark, rows, settings_remarks};
pub(super) use scripts::scripts;
pub(super) use uninstall::uninstall_diff;
pub use uninstall::{Uninstall, uninstall_in};
