//! Folders that a repository ignores, by its files: only needed if the home folder is a repository (people keep their
//! dotfiles in one). Then nearly every other folder is in its tree, and most of them do not belong to it.
//!
//! Format: gitignore(5). Considered: `gix-ignore` and `ignore` bring 15 to 20 crates each, among them a regex engine.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::config;
use crate::sys::{env, files};

/// The most that is read of a file with patterns, in bytes.
const MAX_PATTERNS: usize = 256 << 10;
/// The most that is read of the index, in bytes. That of a larger repository is not searched.
const MAX_INDEX: usize = 16 << 20;

/// Whether this folder is the home folder, under its real name.
pub(super) fn is_home(root: &Path) -> bool {
    let Some(home) = env::home() else { return false };
    // Nearly every repository is below home: no need to resolve symlinks.
    home == root || (!root.starts_with(&home) && files::resolve(&home) == root)
}

/// Whether a folder below the root of a tree is ignored, or lies in one that is, and contains no tracked file. In a
/// repository that hides untracked files, as some do for dotfiles, every folder without a tracked file counts as ignored.
pub(super) fn is_ignored(root: &Path, git_dir: &Path, folder: &Path) -> bool {
    let Ok(below) = folder.strip_prefix(root) else { return false };
    if config::value_in(&git_dir.join("config"), "status", "showuntrackedfiles").is_some_and(|value| value == "no") {
        return !has_tracked_file(git_dir, below);
    }
    let parts: Vec<&[u8]> = below.iter().map(OsStrExt::as_bytes).collect();
    // Later patterns override earlier ones, and those of a folder override those of the folders above it.
    let mut rules: Vec<Rule> = Vec::new();
    let sources = user_excludes(root, git_dir).into_iter().chain([git_dir.join("info/exclude")]);
    sources.for_each(|file| rules.extend(read_rules(&file, 0)));
    let mut at = root.to_owned();
    for depth in 0..parts.len() {
        rules.extend(read_rules(&at.join(".gitignore"), depth));
        let path = parts.get(..=depth).unwrap_or_default();
        // Nothing below an ignored folder can be included again.
        if rules.iter().rev().find(|rule| rule.matches(path)).is_some_and(|rule| !rule.includes) {
            return !has_tracked_file(git_dir, below);
        }
        at.extend(below.iter().nth(depth));
    }
    false
}

/// The user's own file of patterns: `core.excludesFile`, else the default one.
fn user_excludes(root: &Path, git_dir: &Path) -> Option<PathBuf> {
    let xdg = env::path("XDG_CONFIG_HOME").unwrap_or_else(|| root.join(".config")).join("git");
    let settings = [git_dir.join("config"), root.join(".gitconfig"), xdg.join("config")];
    match settings.iter().find_map(|file| config::value_in(file, "core", "excludesfile")) {
        Some(path) => Some(path.strip_prefix("~/").map_or_else(|| PathBuf::from(&path), |path| root.join(path))),
        None => Some(xdg.join("ignore")),
    }
}

/// Whether the index has a file below this folder. Says no for version 4 of the index, which shortens the paths.
fn has_tracked_file(git_dir: &Path, below: &Path) -> bool {
    let Ok(index) = files::read(&git_dir.join("index"), MAX_INDEX) else { return false };
    let start = [below.as_os_str().as_bytes(), b"/"].concat();
    memchr::memmem::find_iter(&index, &start).any(|at| {
        // Before each path are two bytes of flags, 12 bits of which are its length; after it is a NUL.
        let length = index.get(at..).and_then(|rest| rest.iter().position(|byte| *byte == 0));
        let flags = at.checked_sub(2).and_then(|flags| index.get(flags..at));
        let (Some(length), Some([high, low])) = (length, flags) else { return false };
        usize::from(u16::from_be_bytes([*high, *low]) & 0xfff) == length.min(0xfff)
    })
}

/// One pattern.
struct Rule {
    /// The pattern begins with `!`.
    includes: bool,
    /// How many folders below the root its file is.
    depth: usize,
    /// The pattern, split at the slashes. Without a slash it holds at any depth.
    parts: Vec<Vec<u8>>,
}

fn read_rules(file: &Path, depth: usize) -> Vec<Rule> {
    let text = files::read(file, MAX_PATTERNS).unwrap_or_default();
    text.split(|byte| *byte == b'\n').filter_map(|line| Rule::parse(line, depth)).collect()
}

impl Rule {
    fn parse(line: &[u8], depth: usize) -> Option<Rule> {
        let mut line = line.strip_suffix(b"\r").unwrap_or(line);
        // Spaces at the end only count after a backslash.
        while let [start @ .., b' '] = line
            && !start.ends_with(b"\\")
        {
            line = start;
        }
        if line.starts_with(b"#") {
            return None;
        }
        let (includes, line) = line.strip_prefix(b"!").map_or((false, line), |rest| (true, rest));
        // Only folders are asked about, so `name/` is the same as `name`.
        let line = line.strip_suffix(b"/").unwrap_or(line);
        let is_anchored = line.contains(&b'/');
        let line = line.strip_prefix(b"/").unwrap_or(line);
        let mut parts: Vec<Vec<u8>> = line.split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect();
        if !is_anchored {
            parts.insert(0, b"**".to_vec());
        }
        (!line.is_empty()).then_some(Rule { includes, depth, parts })
    }

    /// Whether it matches a path, given by its parts from the root on.
    fn matches(&self, path: &[&[u8]]) -> bool {
        let path = path.get(self.depth..).unwrap_or_default();
        // The numbers of parts of the path that the pattern so far can stand for.
        let mut reached = vec![0];
        for (position, part) in self.parts.iter().enumerate() {
            let Some(first) = reached.first().copied() else { return false };
            if part != b"**" {
                reached.retain(|at| path.get(*at).is_some_and(|name| glob(part, name)));
                reached.iter_mut().for_each(|at| *at += 1);
            } else if position + 1 == self.parts.len() {
                return first < path.len();
            } else {
                reached = (first..=path.len()).collect();
            }
        }
        reached.contains(&path.len())
    }
}

/// Whether a pattern matches a name without slashes.
fn glob(pattern: &[u8], name: &[u8]) -> bool {
    let (mut at, mut read) = (0, 0);
    // The last star: where the pattern continues, and how much of the name it stands for.
    let mut star: Option<(usize, usize)> = None;
    while read < name.len() || at < pattern.len() {
        if pattern.get(at) == Some(&b'*') {
            at += 1;
            star = Some((at, read));
        } else if let Some(length) = name.get(read).and_then(|byte| match_one(pattern.get(at..)?, *byte)) {
            (at, read) = (at + length, read + 1);
        } else if let Some((after, taken)) = star.filter(|(_, taken)| *taken < name.len()) {
            star = Some((after, taken + 1));
            (at, read) = (after, taken + 1);
        } else {
            return false;
        }
    }
    true
}

/// The length of what stands for one byte at the beginning of a pattern, if it matches that byte.
fn match_one(pattern: &[u8], byte: u8) -> Option<usize> {
    match pattern {
        [b'?', ..] => Some(1),
        [b'\\', escaped, ..] => (*escaped == byte).then_some(2),
        [b'[', ..] => match_class(pattern, byte),
        [literal, ..] => (*literal == byte).then_some(1),
        [] => None,
    }
}

/// [`match_one`] for `[a-z]`, `[!abc]` and `[[:digit:]]`.
fn match_class(pattern: &[u8], byte: u8) -> Option<usize> {
    let mut at = 1;
    let is_negated = matches!(pattern.get(at), Some(b'!' | b'^'));
    at += usize::from(is_negated);
    let first = at;
    let mut is_in = false;
    loop {
        let rest = pattern.get(at..)?;
        match rest {
            [b']', ..] if at > first => break,
            [b'[', b':', ..] => {
                let end = rest.windows(2).position(|two| two == b":]")?;
                is_in |= is_of_class(rest.get(2..end)?, byte)?;
                at += end + 2;
            }
            [..] => {
                let (low, length) = literal(rest)?;
                at += length;
                match pattern.get(at..)? {
                    [b'-', high @ ..] if !high.starts_with(b"]") => {
                        let (high, length) = literal(high)?;
                        is_in |= (low..=high).contains(&byte);
                        at += 1 + length;
                    }
                    _ => is_in |= low == byte,
                }
            }
        }
    }
    (is_in != is_negated).then_some(at + 1)
}

fn literal(pattern: &[u8]) -> Option<(u8, usize)> {
    match pattern {
        [b'\\', escaped, ..] => Some((*escaped, 2)),
        [byte, ..] => Some((*byte, 1)),
        [] => None,
    }
}

fn is_of_class(class: &[u8], byte: u8) -> Option<bool> {
    Some(match class {
        b"alnum" => byte.is_ascii_alphanumeric(),
        b"alpha" => byte.is_ascii_alphabetic(),
        b"blank" => matches!(byte, b' ' | b'\t'),
        b"cntrl" => byte.is_ascii_control(),
        b"digit" => byte.is_ascii_digit(),
        b"graph" => byte.is_ascii_graphic(),
        b"lower" => byte.is_ascii_lowercase(),
        b"print" => byte.is_ascii_graphic() || byte == b' ',
        b"punct" => byte.is_ascii_punctuation(),
        b"space" => byte.is_ascii_whitespace() || byte == 0x0b,
        b"upper" => byte.is_ascii_uppercase(),
        b"xdigit" => byte.is_ascii_hexdigit(),
        _ => return None,
    })
}
