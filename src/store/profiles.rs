//! The sessions folders of all profiles: Claude Code has one in each `CLAUDE_CONFIG_DIR`.
//!
//! Hooks remember each folder that they are called for in `ait/roots` of the cache folder, one absolute path a line. The
//! default one, `~/.claude/sessions`, is always known and never written there: a user with one profile has no such file.
//! The file may be deleted at any time; the next event of each profile adds its folder again.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::sys::files::{self, Folder, PRIVATE};
use crate::sys::{env, process};

/// The name of the file.
const NAME: &str = "roots";
/// At most this many folders are remembered.
const MAX_ROOTS: usize = 32;
/// A larger file was not written by ait.
const MAX_SIZE: usize = MAX_ROOTS * 4097;

/// The cache folder of ait: `$XDG_CACHE_HOME/ait`, else `~/.cache/ait`. `None` without a home folder.
pub fn cache_home() -> Option<PathBuf> {
    let cache = env::path("XDG_CACHE_HOME").filter(|path| path.is_absolute());
    Some(cache.or_else(|| Some(env::home()?.join(".cache")))?.join("ait"))
}

/// The sessions folder of the default profile.
pub fn default_root() -> Option<PathBuf> {
    Some(env::home()?.join(".claude/sessions"))
}

/// The sessions folders of all known profiles, the default one first. They need not exist.
pub fn roots() -> Vec<PathBuf> {
    default_root().into_iter().chain(remembered()).collect()
}

/// Remembers a sessions folder, for commands of other profiles. Costs one small read if it is known already, and nothing
/// if it is the default one. A write error is ignored: the next event tries again.
pub fn remember(path: &Path) {
    let is_line = path.is_absolute() && !path.as_os_str().as_bytes().contains(&b'\n') && !files::is_too_long(path);
    if !is_line || default_root().is_some_and(|default| default == path) {
        return;
    }
    let mut roots = remembered();
    if roots.iter().any(|known| known == path) {
        return;
    }
    roots.retain(|root| files::is_folder(root));
    // The oldest go first.
    roots.drain(..(roots.len() + 1).saturating_sub(MAX_ROOTS));
    roots.push(path.to_owned());
    let mut text = Vec::new();
    for root in roots {
        text.extend_from_slice(root.as_os_str().as_bytes());
        text.push(b'\n');
    }
    let folder = cache_home().and_then(|cache| Folder::open_or_make_own(cache).ok());
    if let Some(folder) = folder.filter(|folder| folder.meta().is_ok_and(|meta| meta.owner == process::user_id())) {
        let _ = folder.replace(NAME, &text, PRIVATE);
    }
}

/// The folders in the file. A file of another user, a symlink, and lines that are not an absolute path are ignored.
fn remembered() -> Vec<PathBuf> {
    let read = || files::read_own(&cache_home()?.join(NAME), MAX_SIZE).ok();
    parse(&read().unwrap_or_default())
}

fn parse(bytes: &[u8]) -> Vec<PathBuf> {
    let lines = bytes.split(|byte| *byte == b'\n');
    let paths = lines.filter(|line| line.starts_with(b"/") && !line.contains(&0) && line.len() <= 4096);
    paths.take(MAX_ROOTS).map(|path| Path::new(std::ffi::OsStr::from_bytes(path)).to_owned()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_absolute_paths_are_read_and_no_more_than_are_remembered() {
        assert_eq!(parse(b"/a\nb\n\n/c\0d\n/e f\n/g"), ["/a", "/e f", "/g"].map(PathBuf::from));
        assert_eq!(parse("/a\n".repeat(100).as_bytes()).len(), MAX_ROOTS);
        assert_eq!(parse(format!("/{}\n", "x".repeat(5000)).as_bytes()).len(), 0);
    }
}
