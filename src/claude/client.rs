//! Claude Code itself: which version is installed, and what that version tells a tool like this one.

use std::fmt;
use std::path::{Path, PathBuf};

use crate::session::json_object::{RawObject, text};
use crate::sys::{files, process};

/// A version of Claude Code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Version(pub u32, pub u32, pub u32);

/// From here on commands and hooks learn the session's id (`CLAUDE_CODE_SESSION_ID`), and the client records its status.
pub const TELLS_SESSION: Version = Version(2, 1, 156);
/// From here on they learn the process too (`CLAUDE_PID`).
pub const TELLS_PROCESS: Version = Version(2, 1, 241);
/// From here on `sessions/<pid>.json` is written.
pub const RECORDS: Version = Version(2, 1, 114);

/// From here on the hook events StopFailure and PostToolUseFailure are known to be accepted. Older clients show a dialog for
/// a name that they do not know, or refuse the whole settings file.
pub const KNOWS_FAILURES: Version = Version(2, 1, 114);

impl Version {
    /// Reads `2.1.330`; anything after the third number is ignored.
    pub fn parse(text: &str) -> Option<Version> {
        let mut parts = text.trim().splitn(3, '.');
        let (major, minor, rest) = (parts.next()?, parts.next()?, parts.next()?);
        let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
        Some(Version(major.parse().ok()?, minor.parse().ok()?, digits.parse().ok()?))
    }
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}.{}.{}", self.0, self.1, self.2)
    }
}

/// Whether a client that was started in this way has no user: `sdk-cli` is `claude -p`, other values of this kind are
/// programs that use the SDK.
pub fn is_headless(entrypoint: &str) -> bool {
    entrypoint.starts_with("sdk")
}

/// Whether a process of this name is Claude Code: `claude`, `claude.exe`, or its version number (`versions/2.1.330` run
/// directly).
pub fn is_client(name: &str) -> bool {
    let is_version = name.contains('.') && name.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    name == "claude" || name == "claude.exe" || is_version
}

/// A package description is a few KiB.
const LIMIT: usize = 1 << 20;
/// The name of the npm package.
const PACKAGE: &str = "@anthropic-ai/claude-code";

/// The `claude` in `PATH`, and its version where its path or its package tells. It is not run.
pub fn installed() -> Option<(PathBuf, Option<Version>)> {
    let program = process::find_program("claude")?;
    let real = files::resolve(&program);
    // The native installer keeps each version as `versions/2.1.330`.
    let named = real.file_name().and_then(|name| Version::parse(&name.to_string_lossy()));
    let version = named.or_else(|| real.ancestors().skip(1).take(6).find_map(package_version));
    Some((program, version))
}

fn package_version(folder: &Path) -> Option<Version> {
    let bytes = files::read(&folder.join("package.json"), LIMIT).ok()?;
    let RawObject(pairs) = RawObject::parse(&bytes).ok()?;
    let field = |wanted: &str| text(pairs.iter().find(|(name, _)| *name == wanted)?.1);
    // The platform's own package has the same beginning.
    field("name").filter(|name| name.starts_with(PACKAGE))?;
    Version::parse(&field("version")?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_parsed_and_compared() {
        assert_eq!(Version::parse("2.1.330"), Some(Version(2, 1, 330)));
        assert_eq!(Version::parse("2.1.27-beta.1\n"), Some(Version(2, 1, 27)));
        for bad in ["", "claude", "2.1", "2.1.", "v2.1.3", "-1.2.3", "99999999999.1.1"] {
            assert_eq!(Version::parse(bad), None, "{bad}");
        }
        assert!(Version(2, 1, 27) < TELLS_SESSION && Version(2, 1, 330) > TELLS_PROCESS);
    }
}
