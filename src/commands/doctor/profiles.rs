//! The profiles, each with a `CLAUDE_CONFIG_DIR` of its own.

use std::path::Path;

use super::check::{Check, Findings};
use crate::commands::hooks;
use crate::store::root::Root;

/// Names the profiles whose sessions are read.
pub(super) fn of_profiles(root: &Root, paths: &hooks::InstallPaths) -> Check {
    let roots = root.with_profiles();
    let name = |root: &Path| match root.parent() {
        Some(config) if root.ends_with("sessions") => paths.show(config),
        _ => paths.show(root),
    };
    let names: Vec<String> = roots.iter().map(|root| name(root.path())).collect();
    let fine = match names.as_slice() {
        _ if root.is_explicit() => "AIT_SESSIONS_DIR is set: sessions of other folders are not read".to_owned(),
        [one] => format!("one: {one}"),
        several => format!("{}: {}", several.len(), several.join(", ")),
    };
    Findings::default().check("profiles", fine)
}
