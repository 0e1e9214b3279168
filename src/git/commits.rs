//! Commits, asked of git: what they changed, the ids of their patches, and where a line comes from.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use jiff::Timestamp;

use super::ask::ask_with_input;
use super::refs::is_object_id;
use super::tree::Tree;
use crate::sys::files;

/// A commit, and what it changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct CommitInfo {
    /// Its id.
    pub id: String,
    /// The ids of its parents.
    pub parents: Vec<String>,
    /// When its patch was made: amending, rebasing and picking keep this time.
    pub authored: Timestamp,
    /// When it was made.
    pub committed: Timestamp,
    /// The name of its author.
    pub author: String,
    /// The first line of its message.
    pub subject: String,
    /// The files in which it differs from its parent; none for a merge.
    pub files: Vec<ChangedFile>,
}

/// A file that a commit changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ChangedFile {
    /// The path from the root of the tree on.
    pub path: String,
    /// The blob in the parent; `None` if the file is new.
    pub before: Option<String>,
    /// The blob in the commit; `None` if the file was removed.
    pub after: Option<String>,
}

/// A move of HEAD from the reflog.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RefMove {
    /// The commit after it.
    pub to: String,
    /// git's description, such as `commit: message`.
    pub message: String,
}

/// Runs git for lines of text. `Ok(None)`: it failed.
fn lines(tree: &Tree, arguments: &[&str], limit: Duration) -> io::Result<Option<Vec<String>>> {
    let output = output(tree, arguments, b"", limit)?;
    Ok(output.map(|text| String::from_utf8_lossy(&text).lines().map(str::to_owned).collect()))
}

fn only_ids(lines: Vec<String>) -> Vec<String> {
    lines.into_iter().filter(|line| is_object_id(line.as_bytes())).collect()
}

/// The commit that a revision names; `None` if it names none.
///
/// # Errors
/// If git is missing or out of time.
pub fn resolve(tree: &Tree, revision: &str, limit: Duration) -> io::Result<Option<String>> {
    if revision.is_empty() || revision.starts_with('-') {
        return Ok(None);
    }
    let commit = format!("{revision}^{{commit}}");
    let found = lines(tree, &["rev-parse", "--verify", "--quiet", &commit], limit)?;
    Ok(found.map(only_ids).and_then(|ids| ids.into_iter().next()))
}

/// The commits of a range such as `main..topic`, the newest first, at most `max`; `None` if it is not one.
///
/// # Errors
/// If git is missing or out of time.
pub fn range(tree: &Tree, range: &str, max: usize, limit: Duration) -> io::Result<Option<Vec<String>>> {
    if range.starts_with(['-', '^']) {
        return Ok(None);
    }
    Ok(lines(tree, &["rev-list", &format!("--max-count={max}"), range, "--"], limit)?.map(only_ids))
}

/// The last commits that changed a file, the newest first. `path` is from the root of the tree on.
///
/// # Errors
/// If git is missing or out of time.
pub fn commits_of_file(tree: &Tree, path: &str, max: usize, limit: Duration) -> io::Result<Vec<String>> {
    let path = literal(path);
    let found = lines(tree, &["rev-list", &format!("--max-count={max}"), "HEAD", "--", &path], limit)?;
    Ok(found.map(only_ids).unwrap_or_default())
}

/// The commit that last changed a line of a file, which git finds through `git blame`. `Ok(Some(None))`: the line is not
/// committed. `Ok(None)`: there is no such line, or git does not track the file.
///
/// # Errors
/// If git is missing or out of time.
pub fn last_change_of_line(
    tree: &Tree,
    path: &str,
    line: usize,
    limit: Duration,
) -> io::Result<Option<Option<String>>> {
    let position = format!("{line},{line}");
    let arguments = ["blame", "--porcelain", "--no-textconv", "-L", &position, "--", path];
    let found = lines(tree, &arguments, limit)?;
    let id = found.and_then(|lines| Some(lines.first()?.split(' ').next()?.to_owned()));
    let id = id.filter(|id| is_object_id(id.as_bytes()));
    Ok(id.map(|id| (!is_zero(&id)).then_some(id)))
}

/// Whether a commit before this one gave a file this content, not earlier than `since`.
///
/// # Errors
/// If git is missing or out of time.
pub fn has_introduced(
    tree: &Tree,
    before: &CommitInfo,
    path: &str,
    blob: &str,
    since: Timestamp,
    limit: Duration,
) -> io::Result<bool> {
    if before.parents.is_empty() || blob.is_empty() {
        return Ok(false);
    }
    let (object, since) = (format!("--find-object={blob}"), format!("--since={}", since.as_second()));
    let mut arguments = vec!["log", "-1", "--format=%H", "--no-patch", "--no-renames", &object, &since];
    arguments.extend(before.parents.iter().map(String::as_str));
    let path = literal(path);
    arguments.extend(["--", &path]);
    Ok(lines(tree, &arguments, limit)?.is_some_and(|found| !only_ids(found).is_empty()))
}

/// The last moves of the tree's HEAD, the newest first.
///
/// # Errors
/// If git is missing or out of time.
pub fn moves_of_head(tree: &Tree, max: usize, limit: Duration) -> io::Result<Vec<RefMove>> {
    let found = lines(tree, &["log", "-g", &format!("--max-count={max}"), "--format=%H %gs", "HEAD", "--"], limit)?;
    let parse = |line: String| {
        let (to, message) = line.split_once(' ')?;
        is_object_id(to.as_bytes()).then(|| RefMove { to: to.to_owned(), message: message.to_owned() })
    };
    Ok(found.unwrap_or_default().into_iter().filter_map(parse).collect())
}

/// What commits are and changed, in the order of `ids`. Those that git does not have are left out, and those that changed
/// so much that the list takes more than 16 MiB.
///
/// # Errors
/// If git is missing or out of time.
pub fn commits(tree: &Tree, ids: &[String], limit: Duration) -> io::Result<Vec<CommitInfo>> {
    const ARGUMENTS: [&str; 10] = [
        "diff-tree",
        "--stdin",
        "--always",
        "-r",
        "--root",
        "--raw",
        "-z",
        "--no-renames",
        "--no-abbrev",
        "--format=%x01%H%x00%P%x00%at%x00%ct%x00%an%x00%s%x00",
    ];
    let answers = in_parts(ids, &|ids| output(tree, &ARGUMENTS, ids, limit))?;
    Ok(answers.iter().flat_map(|answer| parse_commits(answer)).collect())
}

/// The output of git; `None` if it failed.
type Answer = io::Result<Option<Vec<u8>>>;

/// Asks about all ids at once; if the answer is too large or incomplete, about each half. One commit for which that
/// happens is left out.
fn in_parts(ids: &[String], ask: &dyn Fn(&[u8]) -> Answer) -> io::Result<Vec<Vec<u8>>> {
    let input: Vec<u8> = ids.iter().flat_map(|id| [id.as_bytes(), b"\n"].concat()).collect();
    let answer = match ids.is_empty() {
        true => return Ok(Vec::new()),
        false => ask(&input),
    };
    match answer {
        Ok(Some(answer)) => Ok(vec![answer]),
        Err(error) if error.kind() != io::ErrorKind::FileTooLarge => Err(error),
        _ if ids.len() == 1 => Ok(Vec::new()),
        _ => {
            let (first, second) = ids.split_at(ids.len() / 2);
            let mut answers = in_parts(first, ask)?;
            answers.extend(in_parts(second, ask)?);
            Ok(answers)
        }
    }
}

fn output(tree: &Tree, arguments: &[&str], input: &[u8], limit: Duration) -> Answer {
    let output = ask_with_input(tree, arguments, input, limit, |_| false)?;
    Ok(output.success.then_some(output.stdout))
}

/// Reads the output of `git diff-tree --raw -z` with the format above: a field ends with NUL, a commit begins with 0x01, and
/// a file is `:MODE MODE BLOB BLOB STATUS` and its path.
fn parse_commits(output: &[u8]) -> Vec<CommitInfo> {
    let mut commits: Vec<CommitInfo> = Vec::new();
    let mut fields = output.split(|byte| *byte == 0).map(|field| String::from_utf8_lossy(field));
    while let Some(field) = fields.next() {
        if let Some(id) = field.strip_prefix('\u{1}') {
            let mut next = || fields.next().unwrap_or_default();
            let parents = next().split_whitespace().map(str::to_owned).collect();
            let time = |text: &str| Timestamp::from_second(text.parse().unwrap_or(0)).unwrap_or(Timestamp::UNIX_EPOCH);
            let (authored, committed) = (time(&next()), time(&next()));
            let (author, subject) = (next().into_owned(), next().into_owned());
            let files = Vec::new();
            commits.push(CommitInfo { id: id.to_owned(), parents, authored, committed, author, subject, files });
        } else if let Some(file) = field.trim_start_matches('\n').strip_prefix(':') {
            let mut words = file.split(' ').skip(2);
            let mut blob = || words.next().filter(|id| !is_zero(id)).map(str::to_owned);
            let (before, after) = (blob(), blob());
            let path = fields.next().unwrap_or_default().into_owned();
            if let Some(commit) = commits.last_mut() {
                commit.files.push(ChangedFile { path, before, after });
            }
        }
    }
    commits
}

/// The ids of the commits' patches, by `git patch-id --stable`: equal after a rebase, a cherry-pick or another message. A
/// merge and an empty commit have none. A patch of more than 16 MiB is left out.
///
/// # Errors
/// If git is missing or out of time.
pub fn patch_ids(tree: &Tree, ids: &[String], limit: Duration) -> io::Result<BTreeMap<String, String>> {
    // Everything that a user's settings could change is fixed.
    const ARGUMENTS: [&str; 14] = [
        "diff-tree",
        "--stdin",
        "-r",
        "--root",
        "-p",
        "--no-ext-diff",
        "--no-textconv",
        "--no-renames",
        "--full-index",
        "--no-color",
        "--unified=3",
        "--diff-algorithm=myers",
        "--src-prefix=a/",
        "--dst-prefix=b/",
    ];
    let ask = |ids: &[u8]| match output(tree, &ARGUMENTS, ids, limit)? {
        Some(patches) if !patches.is_empty() => output(tree, &["patch-id", "--stable"], &patches, limit),
        other => Ok(other),
    };
    let mut found = BTreeMap::new();
    for answer in in_parts(ids, &ask)? {
        let answer = String::from_utf8_lossy(&answer);
        let pairs = answer.lines().filter_map(|line| line.split_once(' '));
        found.extend(pairs.map(|(patch, commit)| (commit.to_owned(), patch.to_owned())));
    }
    Ok(found)
}

/// The commits of a shallow clone whose parents are missing, so that what they changed is not known.
pub fn shallow_boundary(tree: &Tree) -> Vec<String> {
    let text = files::read(&tree.common_dir.join("shallow"), 1 << 20).unwrap_or_default();
    only_ids(String::from_utf8_lossy(&text).lines().map(str::to_owned).collect())
}

fn literal(path: &str) -> String {
    format!(":(top,literal){path}")
}

fn is_zero(id: &str) -> bool {
    id.bytes().all(|digit| digit == b'0')
}
