//! The real starship.

/// The first lines of its settings: with the default time limits it prints warnings on a busy machine.
pub(crate) const PATIENT: &str = "scan_timeout = 10000\ncommand_timeout = 10000\n";
