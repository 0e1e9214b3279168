//! The real starship.

use std::path::PathBuf;

/// First in its settings: on a busy machine it gives up sooner than it has begun, and says so across the screen.
pub(crate) const PATIENT: &str = "scan_timeout = 10000\ncommand_timeout = 10000\n";

/// starship, as `sh tests/run.sh install` puts it there.
pub(crate) fn program() -> String {
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from);
    let cache = cache.unwrap_or_else(|| PathBuf::from(std::env::var_os("HOME").unwrap()).join(".cache"));
    let program = cache.join("ait-tests/starship-1.27.0/bin/starship");
    assert!(program.exists(), "{} is needed here; `sh tests/run.sh install` builds it", program.display());
    program.to_str().unwrap().to_owned()
}
