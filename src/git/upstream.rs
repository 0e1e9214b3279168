//! The upstream of the current branch: the ref that `git status` compares it with.
//!
//! Its name follows from the repository's configuration (`branch.NAME.remote`, `branch.NAME.merge`, `remote.NAME.fetch`), and
//! git's files contain its commit. Only git can count the commits between the two.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use super::ask::ask_with_input;
use super::config;
use super::head::HeadKind;
use super::refs::{self, RefTarget, RefValue};
use super::tree::Tree;

/// The commits of a branch and of its upstream.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct BranchEnds {
    /// The commit of the branch.
    pub head: String,
    /// The commit of its upstream.
    pub upstream: String,
    /// The small files that contain them, each with its first line. A commit that is in `packed-refs` has none.
    pub files: Vec<(PathBuf, String)>,
}

impl Tree {
    /// The commits of the current branch and of its upstream; `None` unless both exist. Starts no process. Reads three small
    /// files, and part of `packed-refs` for a packed ref.
    pub fn branch_ends(&self) -> Option<BranchEnds> {
        let text = config::read(&self.common_dir.join("config"))?;
        let head = self.head_for_display();
        let branch = head.branch.filter(|_| head.kind == HeadKind::Branch)?;
        let name = upstream_of(&text, &branch)?;
        let mut ends = BranchEnds::default();
        ends.head = self.commit_of(format!("refs/heads/{branch}"), &mut ends.files)?;
        ends.upstream = self.commit_of(name, &mut ends.files)?;
        Some(ends)
    }

    fn commit_of(&self, name: String, files: &mut Vec<(PathBuf, String)>) -> Option<String> {
        match self.value_of(name, files) {
            RefValue::Commit(commit) => Some(commit),
            RefValue::Missing | RefValue::Unreadable => None,
        }
    }
}

/// Asks git how many commits the branch has that its upstream does not have, and the reverse, for at most `limit`.
///
/// # Errors
/// If git is missing, out of time or does not have a commit.
pub fn ahead_behind(tree: &Tree, ends: &BranchEnds, limit: Duration) -> io::Result<(u64, u64)> {
    let range = format!("{}...{}", ends.head, ends.upstream);
    let arguments = ["rev-list", "--count", "--left-right", &range, "--"];
    let output = ask_with_input(tree, &arguments, b"", limit, |_| false)?;
    let text = String::from_utf8_lossy(&output.stdout);
    let mut numbers = text.split_ascii_whitespace().map_while(|number| number.parse().ok());
    let counted = numbers.next().zip(numbers.next()).filter(|_| output.success);
    counted.ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, "git did not count the commits"))
}

/// The ref that the configuration names as the upstream of a branch, in full.
fn upstream_of(config: &str, branch: &str) -> Option<String> {
    let setting = |section, name, key| config::values(config, section, Some(name), key);
    let remote = setting("branch", branch, "remote").pop()?;
    let merge = setting("branch", branch, "merge").pop()?;
    let name = match remote.as_str() {
        "." => merge,
        remote => setting("remote", remote, "fetch").iter().find_map(|rule| destination(rule, &merge))?,
    };
    // The name becomes a path.
    match refs::symbolic(name.as_bytes())? {
        RefTarget::Symbolic(name) => Some(name),
        RefTarget::Commit(_) => None,
    }
}

/// Where a rule of `remote.NAME.fetch` puts a ref of the remote: `+refs/heads/*:refs/remotes/origin/*`.
fn destination(rule: &str, name: &str) -> Option<String> {
    let (from, to) = rule.trim_start_matches('+').split_once(':')?;
    let Some((start, end)) = from.split_once('*') else { return (from == name).then(|| to.to_owned()) };
    Some(to.replacen('*', name.strip_prefix(start)?.strip_suffix(end)?, 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_upstream_is_what_the_rules_of_the_remote_make_of_the_merged_branch() {
        let branch = "[branch \"t\"]\nremote = origin\nmerge = refs/heads/main\n";
        for (rest, wanted) in [
            ("[remote \"origin\"]\nfetch = +refs/heads/*:refs/remotes/origin/*", Some("refs/remotes/origin/main")),
            ("[remote \"origin\"]\nfetch = refs/heads/main:refs/x/y", Some("refs/x/y")),
            ("[remote \"origin\"]\nfetch = ^refs/heads/*\nfetch = +refs/heads/m*n:refs/r/*", Some("refs/r/ai")),
            ("[branch \"t\"]\nremote = .", Some("refs/heads/main")),
            ("[remote \"origin\"]\nfetch = +refs/heads/*:refs/../../*", None),
            ("[remote \"origin\"]\nfetch = +refs/heads/other:refs/remotes/origin/other", None),
            ("[remote \"other\"]\nfetch = +refs/heads/*:refs/remotes/origin/*", None),
            ("", None),
        ] {
            assert_eq!(upstream_of(&format!("{branch}{rest}"), "t").as_deref(), wanted, "{rest}");
        }
        assert_eq!(upstream_of(branch, "u"), None);
    }
}
