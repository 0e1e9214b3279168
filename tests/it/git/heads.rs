//! What is checked out, and how it came to be.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::PathBuf;
use std::time::Duration;

use ait::git::{HeadKind, Operation, Tree, has_branch, last_move};

use super::{Lab, agrees, pipe};

#[test]
fn head_is_read_as_git_reads_it() {
    let lab = Lab::new();
    lab.git(&lab.0, &["init", "-q", "-b", "früh/ling", "unborn"]);
    let unborn = agrees(&lab, &lab.0.join("unborn")).head();
    assert_eq!((unborn.kind, unborn.branch.as_deref()), (HeadKind::Unborn, Some("früh/ling")));

    let project = lab.repository("project");
    for branch in ["a/b/c", "日本語/ブランチ", "we\"ird'$(x)`%F{red}#(x)"] {
        lab.git(&project, &["switch", "-q", "-c", branch]);
        assert_eq!(agrees(&lab, &project).head_label().name.as_deref(), Some(branch));
    }
    lab.git(&project, &["switch", "-q", "--detach"]);
    let tree = agrees(&lab, &project);
    let detached = tree.head();
    assert_eq!(detached.kind, HeadKind::Detached);
    assert_eq!(tree.head_label().name.unwrap(), detached.commit.unwrap()[..7]);

    // A symbolic ref as a branch, and a HEAD that is none.
    lab.git(&project, &["symbolic-ref", "refs/heads/alias", "refs/heads/main"]);
    lab.git(&project, &["symbolic-ref", "HEAD", "refs/heads/alias"]);
    assert_eq!(Tree::find(&project).unwrap().head().commit, lab.try_git(&project, &["rev-parse", "HEAD"]));
    lab.git(&project, &["update-ref", "refs/other/place", "main"]);
    fs::write(project.join(".git/HEAD"), "ref: refs/other/place\n").unwrap();
    assert_eq!(agrees(&lab, &project).head_label().name.as_deref(), Some("refs/other/place"));

    // HEAD as a symlink, with a commit and without.
    for (branch, kind) in [("main", HeadKind::Branch), ("none", HeadKind::Unborn)] {
        fs::remove_file(project.join(".git/HEAD")).unwrap();
        symlink(format!("refs/heads/{branch}"), project.join(".git/HEAD")).unwrap();
        let head = agrees(&lab, &project).head();
        assert_eq!((head.branch.as_deref(), head.kind), (Some(branch), kind));
    }
}

#[test]
fn a_tree_found_before_sees_what_is_checked_out_now() {
    let lab = Lab::new();
    let project = lab.repository("project");
    let tree = Tree::find(&project).unwrap();
    lab.git(&project, &["switch", "-q", "-c", "topic"]);
    assert_eq!(tree.head().branch.as_deref(), Some("topic"));
    assert_eq!(tree.head_label().name.as_deref(), Some("main"));
    fs::remove_file(project.join(".git/HEAD")).unwrap();
    assert_eq!(tree.head().kind, HeadKind::Unknown);
}

#[test]
fn a_commit_is_found_in_packed_refs() {
    let lab = Lab::new();
    let project = lab.repository("project");
    lab.git(&project, &["tag", "-a", "-m", "a tag", "v1"]);
    lab.git(&project, &["branch", "a"]);
    lab.git(&project, &["pack-refs", "--all"]);
    assert!(!project.join(".git/refs/heads/main").exists());
    agrees(&lab, &project);
    // A loose ref is newer than the packed one.
    lab.commit(&project, "file", "two\n");
    agrees(&lab, &project);
    lab.git(&project, &["symbolic-ref", "HEAD", "refs/heads/none"]);
    assert_eq!(agrees(&lab, &project).head().kind, HeadKind::Unborn);
}

#[test]
fn a_commit_is_found_among_thousands_of_packed_refs() {
    let lab = Lab::new();
    let project = lab.repository("project");
    let base = lab.git(&project, &["rev-parse", "HEAD"]);
    // Names of several lengths, and a commit of its own for the ones that are asked for.
    let wanted = ["a", "b/0", "b/9999", "b/5000", "m", "zz/last", "b/77"];
    let mut refs: Vec<String> = (0..12_000).map(|n| format!("refs/heads/b/{n}{}", "x".repeat(n % 40))).collect();
    refs.extend(wanted.iter().map(|name| format!("refs/heads/{name}")));
    refs.sort();
    refs.dedup();
    let update: String = refs.iter().map(|name| format!("create {name} {base}\n")).collect();
    lab.write(&lab.0.join("update"), &update);
    let stdin = fs::File::open(lab.0.join("update")).unwrap();
    assert!(lab.command("git", &project).args(["update-ref", "--stdin"]).stdin(stdin).status().unwrap().success());
    for name in wanted {
        let tree = lab.git(&project, &["rev-parse", "HEAD^{tree}"]);
        let commit = lab.git(&project, &["commit-tree", "-m", name, &tree]);
        lab.git(&project, &["update-ref", &format!("refs/heads/{name}"), &commit]);
    }
    lab.git(&project, &["pack-refs", "--all"]);
    let packed = fs::read_to_string(project.join(".git/packed-refs")).unwrap();
    assert!(packed.len() > 500_000 && packed.lines().next().unwrap().contains("sorted"));
    let mut lines: Vec<&str> = packed.lines().skip(1).collect();
    lines.reverse();
    let unsorted = format!("# pack-refs with: peeled fully-peeled \n{}\n", lines.join("\n"));
    for text in [&packed, &unsorted] {
        fs::write(project.join(".git/packed-refs"), text).unwrap();
        for name in wanted.iter().chain(&["0", "b/5000zz", "zzz", "b"]) {
            lab.git(&project, &["symbolic-ref", "HEAD", &format!("refs/heads/{name}")]);
            agrees(&lab, &project);
        }
    }
    // Cut in the middle and without ends of lines: it ends, and finds nothing.
    for text in [&packed.replace('\n', " ")[..], &"x".repeat(1 << 20), &packed[..packed.len() / 3]] {
        fs::write(project.join(".git/packed-refs"), text).unwrap();
        assert_eq!(Tree::find(&project).unwrap().head().kind, HeadKind::Unborn);
    }
}

#[test]
fn a_repository_with_sha256_is_read() {
    let lab = Lab::new();
    lab.git(&lab.0, &["init", "-q", "-b", "main", "--object-format=sha256", "project"]);
    let project = lab.0.join("project");
    lab.commit(&project, "file", "one\n");
    assert_eq!(agrees(&lab, &project).head().commit.unwrap().len(), 64);
    lab.git(&project, &["pack-refs", "--all"]);
    agrees(&lab, &project);
    lab.git(&project, &["switch", "-q", "--detach"]);
    agrees(&lab, &project);
    assert!(last_move(&Tree::find(&project).unwrap()).is_some());
}

/// A repository with one commit and a reftable; `None` if this git is older than 2.45.
fn reftable_repository(lab: &Lab, name: &str, options: &[&str]) -> Option<PathBuf> {
    let init = ["init", "-q", "-b", "main", "--ref-format=reftable", name];
    if lab.try_git(&lab.0, &[&init[..], options].concat()).is_none() {
        eprintln!("skipped: this git knows no reftable");
        return None;
    }
    let project = lab.0.join(name);
    lab.commit(&project, "file", "one\n");
    Some(project)
}

#[test]
fn reftable_branch_and_commit_of_both_trees_are_read_without_git() {
    let lab = Lab::new();
    let Some(project) = reftable_repository(&lab, "project", &[]) else { return };
    let beside = lab.0.join("beside");
    lab.git(&project, &["worktree", "add", "-q", beside.to_str().unwrap()]);
    for (folder, branch) in [(&project, "main"), (&beside, "beside")] {
        let tree = agrees(&lab, folder);
        assert_eq!((tree.project().as_str(), tree.head_label().name.as_deref()), ("project", Some(branch)));
        assert_eq!(last_move(&tree), None);
        let commit = lab.git(folder, &["rev-parse", "HEAD"]);
        assert_eq!(lab.status(folder, Duration::from_secs(30), &[]), format!("clean {branch} {commit}"));
    }
    // git merges tables with every few writes.
    for n in 0..40 {
        lab.git(&project, &["switch", "-q", "-c", &format!("topic/{n}")]);
        lab.git(&project, &["commit", "-q", "--allow-empty", "-m", "more"]);
        assert_eq!(agrees(&lab, &project).head_label().name.unwrap(), format!("topic/{n}"));
    }
    agrees(&lab, &beside);
    lab.git(&project, &["switch", "-q", "--detach"]);
    assert_eq!(agrees(&lab, &project).head().kind, HeadKind::Detached);
    lab.git(&project, &["symbolic-ref", "HEAD", "refs/heads/none"]);
    assert_eq!(agrees(&lab, &project).head().kind, HeadKind::Unborn);
    // A deleted branch is a record of its own in a newer table.
    lab.git(&project, &["pack-refs", "--all"]);
    lab.git(&project, &["branch", "-D", "topic/7"]);
    lab.git(&project, &["symbolic-ref", "HEAD", "refs/heads/topic/7"]);
    assert_eq!(agrees(&lab, &project).head().kind, HeadKind::Unborn);
    assert!(has_branch(&project.join(".git"), "topic/8") && !has_branch(&project.join(".git"), "topic/7"));
}

#[test]
fn reftable_with_thousands_of_branches_and_sha256() {
    let lab = Lab::new();
    let Some(project) = reftable_repository(&lab, "project", &["--object-format=sha256"]) else { return };
    let base = lab.git(&project, &["rev-parse", "HEAD"]);
    let update: String =
        (0..3_000).map(|n| format!("create refs/heads/b/{n}{} {base}\n", "x".repeat(n % 40))).collect();
    lab.write(&lab.0.join("update"), &update);
    let stdin = fs::File::open(lab.0.join("update")).unwrap();
    assert!(lab.command("git", &project).args(["update-ref", "--stdin"]).stdin(stdin).status().unwrap().success());
    lab.git(&project, &["tag", "-a", "-m", "a tag", "v1"]);
    lab.git(&project, &["pack-refs", "--all"]);
    for n in [0, 1, 39, 40, 1500, 2998, 2999] {
        let name = format!("refs/heads/b/{n}{}", "x".repeat(n % 40));
        lab.git(&project, &["symbolic-ref", "HEAD", &name]);
        assert_eq!(agrees(&lab, &project).head().kind, HeadKind::Branch, "{name}");
    }
    for name in ["refs/heads/a", "refs/heads/b/15000", "refs/heads/zzz"] {
        lab.git(&project, &["symbolic-ref", "HEAD", name]);
        assert_eq!(agrees(&lab, &project).head().kind, HeadKind::Unborn, "{name}");
    }
}

#[test]
fn reftable_that_is_damaged_gives_no_branch() {
    let lab = Lab::new();
    let Some(project) = reftable_repository(&lab, "project", &[]) else { return };
    let folder = project.join(".git/reftable");
    let list = fs::read_to_string(folder.join("tables.list")).unwrap();
    let table = folder.join(list.lines().last().unwrap());
    let whole = fs::read(&table).unwrap();
    let kind = || Tree::find(&project).unwrap().head().kind;
    // Cut anywhere, and with any byte changed, it is read without a panic.
    for length in 0..whole.len().min(200) {
        fs::write(&table, &whole[..length]).unwrap();
        let _ = kind();
        let mut changed = whole.clone();
        changed[length] ^= 0xff;
        fs::write(&table, changed).unwrap();
        let _ = kind();
    }
    fs::write(&table, "garbage").unwrap();
    assert_eq!(kind(), HeadKind::Unknown);
    fs::write(folder.join("tables.list"), "../../file\n").unwrap();
    assert_eq!(kind(), HeadKind::Unknown);
    fs::remove_file(folder.join("tables.list")).unwrap();
    assert_eq!(kind(), HeadKind::Unknown);
}

/// A repository in which `topic` and `main` changed the same line.
fn diverged(lab: &Lab) -> PathBuf {
    let project = lab.repository("project");
    lab.git(&project, &["switch", "-q", "-c", "feat/login"]);
    lab.commit(&project, "file", "two\n");
    lab.git(&project, &["switch", "-q", "main"]);
    lab.commit(&project, "file", "three\n");
    lab.git(&project, &["switch", "-q", "feat/login"]);
    project
}

/// The files on which a label depends: what they contain is what is promised.
fn promised(tree: &Tree) -> Vec<String> {
    let files = tree.head_label().files;
    for (file, text) in &files {
        let content = fs::read_to_string(file).unwrap();
        assert!(text.is_empty() || content.lines().next() == Some(text), "{}: {content:?}", file.display());
    }
    files.into_iter().map(|(file, _)| file.strip_prefix(&tree.git_dir).unwrap().display().to_string()).collect()
}

#[test]
fn rebase_in_progress_names_the_branch_in_both_ways_of_git() {
    let lab = Lab::new();
    let project = diverged(&lab);
    for (way, file) in [("--merge", "rebase-merge/head-name"), ("--apply", "rebase-apply/head-name")] {
        assert_eq!(lab.try_git(&project, &["rebase", "-q", way, "main"]), None, "it stops at a conflict");
        let tree = Tree::find(&project).unwrap();
        let head = tree.head();
        assert_eq!((head.kind, head.operation), (HeadKind::Detached, Some(Operation::Rebase)), "{way}");
        assert_eq!((head.branch.as_deref(), head.display().as_deref()), (Some("feat/login"), Some("feat/login")));
        assert_eq!(head.commit, lab.try_git(&project, &["rev-parse", "HEAD"]));
        assert_eq!(promised(&tree), ["HEAD", file]);
        lab.git(&project, &["rebase", "--abort"]);
        let head = agrees(&lab, &project).head();
        assert_eq!((head.kind, head.operation), (HeadKind::Branch, None));
    }
    // Of a detached HEAD no branch is rebased.
    lab.git(&project, &["switch", "-q", "--detach"]);
    lab.try_git(&project, &["rebase", "-q", "main"]);
    let head = Tree::find(&project).unwrap().head();
    assert_eq!((head.branch, head.operation), (None, Some(Operation::Rebase)));
}

#[test]
fn bisect_in_progress_is_marked_and_shows_the_commit() {
    let lab = Lab::new();
    let project = lab.repository("project");
    for n in 0..8 {
        lab.git(&project, &["commit", "-q", "--allow-empty", "-m", &format!("number {n}")]);
    }
    lab.git(&project, &["bisect", "start", "HEAD", "HEAD~7"]);
    let tree = Tree::find(&project).unwrap();
    let label = tree.head_label();
    let short = lab.git(&project, &["rev-parse", "--short=7", "HEAD"]);
    assert_eq!((label.name, label.operation), (Some(short), Some(Operation::Bisect)));
    assert_eq!(promised(&tree), ["HEAD", "BISECT_START"]);
    lab.git(&project, &["bisect", "reset"]);
    assert_eq!(agrees(&lab, &project).head_label().operation, None);
}

#[test]
fn detached_at_a_tag_shows_the_tag_and_the_commit() {
    let lab = Lab::new();
    let project = lab.repository("project");
    lab.git(&project, &["tag", "v1"]);
    lab.git(&project, &["tag", "-a", "-m", "a tag", "release/2"]);
    let short = lab.git(&project, &["rev-parse", "--short=7", "HEAD"]);
    let shown = || agrees(&lab, &project).head_label().name.unwrap();
    for packed in [false, true] {
        if packed {
            lab.git(&project, &["pack-refs", "--all"]);
        }
        for (typed, tag) in [("v1", "v1"), ("release/2", "release/2"), ("refs/tags/v1", "v1")] {
            lab.git(&project, &["checkout", "-q", typed]);
            assert_eq!(shown(), format!("{tag}@{short}"), "{typed}, packed: {packed}");
            lab.git(&project, &["switch", "-q", "main"]);
        }
    }
    // A commit that was typed as such is not a tag's, nor is one that was made since.
    lab.git(&project, &["switch", "-q", "--detach", "main"]);
    assert_eq!(shown(), short);
    lab.git(&project, &["checkout", "-q", "v1"]);
    lab.git(&project, &["commit", "-q", "--allow-empty", "-m", "more"]);
    assert_eq!(shown(), lab.git(&project, &["rev-parse", "--short=7", "HEAD"]));
}

#[test]
fn jj_beside_git_shows_the_bookmark_at_head() {
    let lab = Lab::new();
    let project = lab.repository("project");
    lab.git(&project, &["branch", "push/abc"]);
    lab.commit(&project, "file", "two\n");
    lab.git(&project, &["switch", "-q", "--detach", "main"]);
    let short = lab.git(&project, &["rev-parse", "--short=7", "HEAD"]);
    assert_eq!(agrees(&lab, &project).head_label().name.unwrap(), short, "without jj it is only detached");
    fs::create_dir_all(project.join(".jj/repo")).unwrap();
    let tree = Tree::find(&project).unwrap();
    assert_eq!(tree.head_label().name.as_deref(), Some("main"));
    assert_eq!(promised(&tree), ["HEAD", "refs/heads/main"]);
    lab.git(&project, &["checkout", "-q", "--detach", "push/abc"]);
    assert_eq!(Tree::find(&project).unwrap().head_label().name.as_deref(), Some("push/abc"));
    lab.git(&project, &["pack-refs", "--all"]);
    assert_eq!(Tree::find(&project).unwrap().head_label().name.as_deref(), Some("push/abc"), "packed");
    // The packed commit of a branch that has moved since does not count.
    lab.git(&project, &["branch", "-f", "push/abc", "main"]);
    let head = Tree::find(&project).unwrap().head();
    assert_eq!((head.branch, head.kind), (None, HeadKind::Detached));
}

#[test]
fn hostile_refs_are_read_without_harm() {
    let lab = Lab::new();
    let project = lab.repository("project");
    let git_dir = project.join(".git");
    // Escape sequences and bytes that are not UTF-8 come through as they are, or replaced: one escapes them later.
    fs::write(git_dir.join("HEAD"), b"ref: refs/heads/\x1b[31m\xff\x07 $(x)\n").unwrap();
    let tree = Tree::find(&project).unwrap();
    assert_eq!(tree.head_label().name.as_deref(), Some("\x1b[31m\u{fffd}\x07 $(x)"));
    assert_eq!(tree.head().kind, HeadKind::Unborn);
    fs::write(git_dir.join("HEAD"), format!("ref: refs/heads/{}\n", "x".repeat(1 << 20))).unwrap();
    assert!(Tree::find(&project).is_none());
    // Refs in a circle; refs that are pipes, folders, garbage, symlinks to other people's files.
    fs::write(git_dir.join("HEAD"), "ref: refs/heads/a\n").unwrap();
    let a = git_dir.join("refs/heads/a");
    fs::write(&a, "ref: refs/heads/b\n").unwrap();
    fs::write(git_dir.join("refs/heads/b"), "ref: refs/heads/a\n").unwrap();
    let kind = || {
        let head = Tree::find(&project).unwrap().head();
        assert_eq!((head.branch.as_deref(), head.commit), (Some("a"), None));
        head.kind
    };
    assert_eq!(kind(), HeadKind::Branch);
    fs::write(&a, "garbage").unwrap();
    assert_eq!(kind(), HeadKind::Branch);
    fs::remove_file(&a).unwrap();
    symlink("/etc/passwd", &a).unwrap();
    assert_eq!(kind(), HeadKind::Branch);
    fs::remove_file(&a).unwrap();
    pipe(&a);
    assert_eq!(kind(), HeadKind::Branch);
    fs::remove_file(&a).unwrap();
    fs::create_dir(&a).unwrap();
    assert_eq!(kind(), HeadKind::Unborn);
    pipe(&git_dir.join("packed-refs"));
    assert_eq!(kind(), HeadKind::Branch, "what may not be read is not said to be missing");
}

#[test]
fn the_last_move_of_head_is_read_from_the_reflog() {
    let lab = Lab::new();
    lab.git(&lab.0, &["init", "-q", "-b", "main", "project"]);
    let project = lab.0.join("project");
    let last = || last_move(&Tree::find(&project).unwrap());
    assert_eq!(last(), None);
    lab.commit(&project, "file", "one\n");
    let first = lab.git(&project, &["rev-parse", "HEAD"]);
    let mv = last().unwrap();
    assert_eq!((mv.old, mv.new.as_deref()), (None, Some(first.as_str())));
    assert_eq!((mv.who.as_str(), mv.at.as_second()), ("Ann <ann@example.org>", 1_700_000_000));
    assert_eq!(mv.message, "commit (initial): file is written");
    lab.git(&project, &["switch", "-q", "-c", "topic/x"]);
    let mv = last().unwrap();
    assert_eq!(mv.checkout(), Some(("main", "topic/x")));
    assert_eq!(mv.old, mv.new);
    lab.commit(&project, "file", "two\n");
    lab.git(&project, &["reset", "-q", "--hard", "HEAD~1"]);
    let mv = last().unwrap();
    assert_eq!(mv.new.as_deref(), Some(first.as_str()));
    assert_eq!((mv.message.as_str(), mv.checkout()), ("reset: moving to HEAD~1", None));
    // A log of its own in each tree; hundreds of lines; a first line of 100 KiB.
    let beside = lab.0.join("beside");
    lab.git(&project, &["worktree", "add", "-q", beside.to_str().unwrap()]);
    for n in 0..300 {
        lab.git(&beside, &["commit", "-q", "--allow-empty", "-m", &format!("number {n}")]);
    }
    assert_eq!(last_move(&Tree::find(&beside).unwrap()).unwrap().message, "commit: number 299");
    lab.git(&beside, &["commit", "-q", "--allow-empty", "-m", &"ü".repeat(50_000)]);
    assert!(last_move(&Tree::find(&beside).unwrap()).unwrap().message.starts_with("commit: üüü"));
    assert_eq!(last().unwrap().message, "reset: moving to HEAD~1");

    // A line in the making is not read yet; garbage is nothing.
    let log = project.join(".git/logs/HEAD");
    let text = fs::read_to_string(&log).unwrap();
    fs::write(&log, format!("{text}{first} {first} Bob")).unwrap();
    assert_eq!(last().unwrap().message, "reset: moving to HEAD~1");
    for garbage in ["", "\n", "\n\n\n", "x", "x\n", &format!("{first} {first} Bob\n"), &"x".repeat(1 << 20)] {
        fs::write(&log, garbage).unwrap();
        assert_eq!(last(), None, "{garbage:.20?}");
    }
    fs::remove_file(&log).unwrap();
    pipe(&log);
    assert_eq!(last(), None);
}
