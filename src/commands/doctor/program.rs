//! This program, and the one in `PATH`.

use std::path::Path;

use super::check::{Check, Findings, Status};
use crate::claude::settings;
use crate::commands::hooks;
use crate::sys::files;
use crate::sys::process;

/// Where this was built for.
pub(super) const SYSTEM: &str = if cfg!(target_os = "macos") {
    "apple-darwin"
} else if cfg!(target_env = "musl") {
    "unknown-linux-musl"
} else {
    "unknown-linux-gnu"
};

pub(super) const MACHINE: &str = if cfg!(target_arch = "aarch64") { "aarch64" } else { "x86_64" };

pub(super) fn program() -> Check {
    let linking = if cfg!(target_feature = "crt-static") { "static" } else { "dynamic" };
    let build = if cfg!(debug_assertions) { ", with debug checks" } else { "" };
    let about = format!("{}, {MACHINE}-{SYSTEM}, {linking}{build}", env!("CARGO_PKG_VERSION"));
    let mut findings = Findings::default();
    if cfg!(target_os = "linux") && !cfg!(target_feature = "crt-static") {
        let detail = format!("{about}: starts several times slower than the static one");
        findings.add(Status::Warn, detail, Some("sh shell/install.sh"));
    }
    findings.check("program", about)
}

pub(super) fn on_path(paths: &hooks::InstallPaths) -> Check {
    let this = &paths.ait;
    let mut findings = Findings::default();
    match process::find_program("ait") {
        None => {
            let folder = this.parent().unwrap_or(Path::new("/")).to_string_lossy();
            findings.add(
                Status::Warn,
                format!("`ait` is not in PATH (absolute folders only); this program is {}", paths.show(this)),
                Some(&format!("export PATH={}:$PATH", settings::quote(&folder))),
            );
        }
        Some(found) if files::resolve(&found) != files::resolve(this) => findings.add(
            Status::Warn,
            format!("`ait` in PATH is {}, but this program is {}", paths.show(&found), paths.show(this)),
            Some("remove one of the two"),
        ),
        Some(_) => {}
    }
    findings.check("path", paths.show(this))
}
