//! `ait hooks install | uninstall | list`: what makes Claude Code call `ait`.

mod install;
mod list;
mod place;
mod scripts;
mod text;
mod uninstall;

pub use install::{Install, Installation, install_in};
pub use list::{List, list_in};
pub(super) use list::{Row, managed_remark, rows, settings_remarks};
pub use place::Place;
pub(super) use place::read_settings;
pub(super) use scripts::scripts;
pub use uninstall::{Uninstall, uninstall_in};
