//! Questions that only git can answer, asked with a time limit.
//!
//! A repository's configuration can name programs for git to run, and a repository can come from anyone. So this is
//! switched off:
//!
//! - `core.fsmonitor`, hooks, pager, external diff, signature checks: by option or by `-c`; textconv by `--no-textconv`
//!   where text output is requested;
//! - filters and merge drivers that the repository's own configuration defines, by name. The user's own filters (Git
//!   LFS) stay, because without them unchanged files would count as changed;
//! - fetching missing objects in a partial clone: no transport is allowed, whatever `remote.*` and `core.sshCommand` say;
//! - submodules: compared by their commit, not entered, because each would cost another process.
//!
//! git finds the repository itself, from the tree's root: with `--git-dir` it would skip its check that the repository
//! belongs to the user. Variables that point git elsewhere (`GIT_DIR` of a git hook, `GIT_INDEX_FILE` of a commit in
//! progress) are removed; those that locate the user's own configuration stay.

use std::ffi::OsStr;
use std::io;
use std::path::Path;
use std::time::Duration;

use super::refs::is_object_id;
use super::tree::Tree;
use crate::error::{Error, Result};
use crate::sys::files;
use crate::sys::process::{Output, Run, find_program};

/// The answer of `git status` about a tree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Status {
    /// Something is changed, staged, in conflict, or new and not ignored.
    pub dirty: bool,
    /// The branch; `None` if HEAD is detached.
    pub branch: Option<String>,
    /// The commit; `None` if there is none yet.
    pub commit: Option<String>,
}

/// Asks git whether the tree is dirty, for at most `limit`. `None` if that is not known: git is missing or out of time, or
/// the repository is bare or belongs to another user. Whether untracked files count is the user's setting
/// (`status.showUntrackedFiles`).
pub fn status(tree: &Tree, limit: Duration) -> Option<Status> {
    let arguments = [
        "status",
        "--porcelain=v2",
        "--branch",
        "-z",
        "--ignore-submodules=dirty",
        "--no-renames",
        "--no-ahead-behind",
    ];
    let output = ask(tree, &arguments, limit, has_entry).ok()?;
    (output.success || has_entry(&output.stdout)).then(|| parse_status(&output.stdout)).flatten()
}

/// Parses the output of `git status --porcelain=v2 --branch -z`, complete or up to its first entry; `None` if it is
/// something else.
pub fn parse_status(text: &[u8]) -> Option<Status> {
    let value = |key: &[u8]| text.split(|byte| *byte == 0).find_map(|line| line.strip_prefix(key));
    let commit = value(b"# branch.oid ")?;
    let branch = value(b"# branch.head ")?;
    let text_of = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    Some(Status {
        dirty: has_entry(text),
        branch: (branch != b"(detached)").then(|| text_of(branch)),
        commit: is_object_id(commit).then(|| text_of(commit)),
    })
}

/// Whether there is a whole line that is not a header: then the tree is dirty, whatever follows.
fn has_entry(text: &[u8]) -> bool {
    let mut lines = text.split(|byte| *byte == 0);
    lines.next_back();
    lines.any(|line| !line.starts_with(b"# "))
}

/// Asks git whether two commits (or branches) of the tree's repository would merge, for at most `limit`. Returns the files
/// that would be in conflict. Nothing is checked out; git may leave the merged files among its objects until its next
/// garbage collection.
///
/// # Errors
/// If git is missing, older than 2.38 or out of time, or if the two have no common history.
pub fn merge_conflicts(tree: &Tree, ours: &str, theirs: &str, limit: Duration) -> Result<Vec<String>> {
    let doing = "asking git whether two branches merge";
    let what = format!("{ours}, {theirs}");
    if [ours, theirs].iter().any(|side| side.is_empty() || side.starts_with('-')) {
        return Err(Error::new(doing, what, "not the name of a branch"));
    }
    let arguments = ["merge-tree", "--write-tree", "--name-only", "--no-messages", "-z", ours, theirs];
    let output = ask(tree, &arguments, limit, |_| false).map_err(|error| match error.kind() {
        io::ErrorKind::TimedOut => Error::new(doing, &what, format!("no answer in {} ms", limit.as_millis())),
        _ => Error::new(doing, &what, error),
    })?;
    // First the merged tree, then the files. Exit code 1 is also used for a missing branch, but then there is no tree.
    let mut parts = output.stdout.split(|byte| *byte == 0);
    match (parts.next().is_some_and(is_object_id), output.code) {
        (true, Some(0 | 1)) => {
            Ok(parts.filter(|file| !file.is_empty()).map(|file| String::from_utf8_lossy(file).into_owned()).collect())
        }
        _ => Err(Error::new(doing, what, "git did not answer")
            .hint("this needs git 2.38 or newer, two existing branches, and a common history")),
    }
}

/// Options of every call.
const SAFE_OPTIONS: [&str; 11] = [
    "--no-pager",
    "-c",
    "core.fsmonitor=false",
    "-c",
    "core.hooksPath=/dev/null",
    "-c",
    "diff.external=",
    "-c",
    "core.sshCommand=false",
    "-c",
    "log.showSignature=false",
];

/// Variables of every call: no lock that could disturb a command of the user, no question to the user, no transport, no
/// translation.
const SAFE_VARIABLES: [(&str, &str); 6] = [
    ("GIT_OPTIONAL_LOCKS", "0"),
    ("GIT_TERMINAL_PROMPT", "0"),
    ("GIT_ASKPASS", "false"),
    ("GIT_NO_LAZY_FETCH", "1"),
    ("GIT_ALLOW_PROTOCOL", "none"),
    ("LC_ALL", "C"),
];

fn ask(tree: &Tree, arguments: &[&str], limit: Duration, enough: fn(&[u8]) -> bool) -> io::Result<Output> {
    ask_with_input(tree, arguments, b"", limit, enough)
}

/// Runs git in a tree with these arguments and, if it is not empty, this standard input, for at most `limit`. More than 16 MiB
/// of output are an error.
pub(super) fn ask_with_input(
    tree: &Tree,
    arguments: &[&str],
    input: &[u8],
    limit: Duration,
    enough: fn(&[u8]) -> bool,
) -> io::Result<Output> {
    let git = find_program("git").ok_or_else(|| io::Error::new(io::ErrorKind::NotFound, "git is not in PATH"))?;
    let (off, limit) = match defines_programs(tree) {
        false => (Vec::new(), limit),
        true => (programs_off(&git, tree, limit / 4)?, limit - limit / 4),
    };
    let off = off.iter().flat_map(|setting| ["-c", setting]);
    let arguments: Vec<&str> = SAFE_OPTIONS.into_iter().chain(off).chain(arguments.iter().copied()).collect();
    run(&git, &tree.root, &arguments, input, limit, enough)
}

fn run(
    git: &Path,
    folder: &Path,
    arguments: &[&str],
    input: &[u8],
    limit: Duration,
    enough: fn(&[u8]) -> bool,
) -> io::Result<Output> {
    let arguments: Vec<&OsStr> = arguments.iter().map(OsStr::new).collect();
    let run = Run {
        program: git,
        arguments: &arguments,
        variables: &SAFE_VARIABLES,
        without: is_removed,
        folder,
        limit,
        enough,
        max_output: 16 << 20,
    };
    if input.is_empty() { run.run() } else { run.run_with_input(input) }
}

/// Whether a variable is removed: all of git's own except those that locate git and the user's configuration.
pub(super) fn is_removed(name: &OsStr) -> bool {
    let name = name.as_encoded_bytes();
    let user = name.starts_with(b"GIT_CONFIG_") && name != b"GIT_CONFIG_PARAMETERS";
    name.starts_with(b"GIT_") && !user && name != b"GIT_EXEC_PATH"
}

/// Whether the repository's configuration may define a filter or a merge driver, or includes a file that may. Usually it
/// does neither, which saves a call of git.
fn defines_programs(tree: &Tree) -> bool {
    let suspicious = |file: &Path| match files::read(file, 1 << 20) {
        Ok(text) => [&b"filter"[..], b"merge", b"include"].iter().any(|word| begins_section(&text, word)),
        Err(error) => error.kind() != io::ErrorKind::NotFound,
    };
    suspicious(&tree.common_dir.join("config")) || suspicious(&tree.git_dir.join("config.worktree"))
}

/// The settings that disable the filters and merge drivers which the repository itself defines. The repository can give
/// them any name, so git is asked for the names.
fn programs_off(git: &Path, tree: &Tree, limit: Duration) -> io::Result<Vec<String>> {
    let keys = r"^(filter\..*\.(clean|smudge|process|required)|merge\..*\.driver)$";
    let question = ["config", "-z", "--show-scope", "--includes", "--name-only", "--get-regexp", keys];
    let arguments: Vec<&str> = SAFE_OPTIONS.into_iter().chain(question).collect();
    let output = run(git, &tree.root, &arguments, b"", limit, |_| false)?;
    let mut off = Vec::new();
    let mut words = output.stdout.split(|byte| *byte == 0);
    while let (Some(scope), Some(key)) = (words.next(), words.next()) {
        if !matches!(scope, b"local" | b"worktree") {
            continue;
        }
        // `-c` ends a name at the first `=`, and older versions offer no other way.
        let key = std::str::from_utf8(key).ok().filter(|key| !key.contains('='));
        let key = key.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "a filter with an unusable name"))?;
        let value = match key.rsplit('.').next() {
            // Exits with 1, which is a conflict for git; with no program at all it would not merge.
            Some("driver") => "false",
            Some("required") => "false",
            _ => "",
        };
        off.push(format!("{key}={value}"));
    }
    // Exit code 1: no such key.
    if matches!(output.code, Some(0 | 1)) { Ok(off) } else { Err(io::ErrorKind::InvalidData.into()) }
}

fn begins_section(text: &[u8], word: &[u8]) -> bool {
    text.split(|byte| *byte == b'[').skip(1).any(|section| {
        let section = section.trim_ascii_start();
        section.get(..word.len()).is_some_and(|start| start.eq_ignore_ascii_case(word))
    })
}
