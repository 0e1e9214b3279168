//! Questions that git itself answers.

use std::ffi::OsStr;
use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use ait::git::{Tree, merge_conflicts, parse_status};

use super::{Lab, script, touch};

#[test]
fn git_status_tells_a_dirty_tree() {
    let lab = Lab::new();
    let project = lab.repository("project");
    let commit = lab.git(&project, &["rev-parse", "HEAD"]);
    let answer = || lab.status(&project, Duration::from_secs(30), &[]);
    assert_eq!(answer(), format!("clean main {commit}"));
    lab.write(&project.join(".gitignore"), "ignored\n");
    assert_eq!(answer(), format!("dirty main {commit}"), "untracked");
    lab.git(&project, &["add", "."]);
    assert_eq!(lab.dirty(&project), "dirty", "staged");
    lab.git(&project, &["commit", "-q", "-m", "ignore"]);
    lab.write(&project.join("ignored"), "");
    assert_eq!(lab.dirty(&project), "clean", "ignored");
    lab.write(&project.join("file"), "changed, and longer\n");
    assert_eq!(lab.dirty(&project), "dirty", "changed");
    lab.git(&project, &["checkout", "-q", "--detach", "-f"]);
    let commit = lab.git(&project, &["rev-parse", "HEAD"]);
    assert_eq!(answer(), format!("clean - {commit}"));
    lab.git(&lab.0, &["init", "-q", "-b", "first", "unborn"]);
    assert_eq!(lab.status(&lab.0.join("unborn"), Duration::from_secs(30), &[]), "clean first -");
    // From a folder below the root the whole tree is meant.
    fs::create_dir(project.join("sub")).unwrap();
    lab.write(&project.join("new"), "");
    assert_eq!(lab.dirty(&project.join("sub")), "dirty");
}

#[test]
fn untracked_files_make_a_tree_dirty_unless_the_user_hides_them() {
    let lab = Lab::new();
    let project = lab.repository("project");
    lab.write(&project.join("new/file"), "");
    for (setting, wanted) in [("normal", "dirty"), ("all", "dirty"), ("no", "clean")] {
        lab.git(&project, &["config", "status.showUntrackedFiles", setting]);
        assert_eq!(lab.dirty(&project), wanted, "{setting}");
    }
    lab.write(&project.join("file"), "changed, and longer\n");
    assert_eq!(lab.dirty(&project), "dirty");
}

#[test]
fn half_an_answer_of_git() {
    let whole = b"# branch.oid 7807109dcb2065e008a930da6d8d30fa7807109d\0# branch.head (detached)\0? a\0";
    let dirty = |length: usize| parse_status(&whole[..length]).map(|status| status.dirty);
    assert_eq!(dirty(whole.len()), Some(true));
    assert_eq!(dirty(whole.len() - 1), Some(false), "not a whole line");
    assert_eq!(dirty(whole.len() - 4), Some(false));
    assert_eq!(dirty(20), None);
    assert_eq!(parse_status(b""), None);
    assert_eq!(parse_status(b"fatal: not a git repository\n"), None);
}

#[test]
fn many_new_files_are_answered_by_the_first() {
    let lab = Lab::new();
    let project = lab.repository("project");
    for n in 0..5_000 {
        fs::write(project.join(format!("a new file with a long name to fill the pipe {n}")), "").unwrap();
    }
    assert_eq!(lab.dirty(&project), "dirty");
}

#[test]
fn variables_that_point_git_elsewhere_are_kept_from_it() {
    let lab = Lab::new();
    let project = lab.repository("project");
    let other = lab.repository("other");
    lab.write(&other.join("new"), "");
    let other = other.as_os_str();
    let git_dir = Path::new(other).join(".git");
    let variables = [
        ("GIT_DIR", git_dir.as_os_str()),
        ("GIT_WORK_TREE", other),
        ("GIT_INDEX_FILE", OsStr::new("/nowhere/index")),
        ("GIT_COMMON_DIR", git_dir.as_os_str()),
        ("GIT_CONFIG_PARAMETERS", OsStr::new("'core.bare=true'")),
        ("GIT_CEILING_DIRECTORIES", project.as_os_str()),
    ];
    assert!(lab.status(&project, Duration::from_secs(30), &variables).starts_with("clean main "));
    // Where the user's own configuration lives is the user's to say.
    lab.write(&project.join("new"), "");
    let config = lab.0.join("config");
    lab.write(&config, "[core]\n\texcludesFile = ~/ignore\n");
    lab.write(&lab.0.join("home/ignore"), "new\n");
    let answer = lab.status(&project, Duration::from_secs(30), &[("GIT_CONFIG_GLOBAL", config.as_os_str())]);
    assert!(answer.starts_with("clean main "), "{answer}");
}

#[test]
fn a_repository_runs_nothing_of_its_own() {
    let lab = Lab::new();
    let project = lab.repository("project");
    let mark = lab.0.join("ran");
    let trap = lab.0.join("trap");
    script(&trap, &format!("#!/bin/sh\necho \"$0 $*\" >> '{}'\ncat\n", mark.display()));
    let trap = trap.to_str().unwrap();
    let hooks = project.join("hooks");
    fs::create_dir(&hooks).unwrap();
    for hook in ["post-index-change", "fsmonitor-watchman", "pre-commit", "post-checkout", "reference-transaction"] {
        script(&hooks.join(hook), &format!("#!/bin/sh\nexec {trap} {hook}\n"));
    }
    lab.write(&project.join(".gitattributes"), "*.filtered filter=\"a.b\"\n*.piped filter=p diff=d merge=m\n");
    lab.commit(&project, "one.filtered", "text\n");
    lab.commit(&project, "two.piped", "text\n");
    lab.git(&project, &["add", "."]);
    lab.git(&project, &["commit", "-q", "-m", "attributes"]);
    let hidden = lab.0.join("hidden");
    for (key, value) in [
        ("core.hooksPath", hooks.to_str().unwrap()),
        ("core.fsmonitor", trap),
        ("core.pager", trap),
        ("pager.status", trap),
        ("core.sshCommand", trap),
        ("core.editor", trap),
        ("diff.external", trap),
        ("diff.d.textconv", trap),
        ("diff.d.command", trap),
        ("filter.\"a.b\".clean", trap),
        ("Filter.p.process", trap),
        ("include.path", hidden.to_str().unwrap()),
        ("alias.status", &format!("!{trap}")),
        ("status.submoduleSummary", "true"),
        ("extensions.partialClone", "origin"),
        ("remote.origin.promisor", "true"),
        ("remote.origin.url", "ssh://nowhere/x"),
    ] {
        lab.git(&project, &["config", key, value]);
    }
    lab.write(
        &hidden,
        &format!("[filter \"p\"]\n\tclean = {trap}\n\trequired = true\n[merge \"m\"]\n\tdriver = {trap} %A\n"),
    );
    let _ = fs::remove_file(&mark);
    // git itself falls into the trap.
    touch(&project.join("one.filtered"));
    let _ = lab.try_git(&project, &["status"]);
    assert!(mark.exists(), "the trap is not set");
    fs::remove_file(&mark).unwrap();
    touch(&project.join("one.filtered"));
    touch(&project.join("two.piped"));
    let answer = lab.status(&project, Duration::from_secs(30), &[]);
    assert!(answer.starts_with("clean main "), "{answer}");
    assert!(!mark.exists(), "{}", fs::read_to_string(&mark).unwrap());

    // Two branches that change a file with a merge driver of the repository's.
    let tree = Tree::find(&project).unwrap();
    let calm = ["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false"];
    let calm = |arguments: &[&str]| lab.git(&project, &[&calm[..], arguments].concat());
    lab.git(&project, &["config", "--unset", "Filter.p.process"]);
    fs::rename(&hidden, lab.0.join("aside")).unwrap();
    for (branch, text) in [("left", "left\n"), ("right", "right\n")] {
        calm(&["switch", "-q", "-c", branch, "main"]);
        lab.write(&project.join("two.piped"), text);
        calm(&["commit", "-q", "-a", "-m", text]);
    }
    fs::rename(lab.0.join("aside"), &hidden).unwrap();
    let _ = fs::remove_file(&mark);
    lab.try_git(&project, &["-c", "core.hooksPath=/dev/null", "merge-tree", "--write-tree", "left", "right"]);
    assert!(mark.exists(), "the trap is not set");
    fs::remove_file(&mark).unwrap();
    assert_eq!(merge_conflicts(&tree, "left", "right", Duration::from_secs(30)).unwrap(), ["two.piped"]);
    assert!(!mark.exists(), "{}", fs::read_to_string(&mark).unwrap());

    // What is missing is not fetched.
    let blob = lab.git(&project, &["rev-parse", "HEAD^{tree}"]);
    fs::remove_file(project.join(format!(".git/objects/{}/{}", &blob[..2], &blob[2..]))).unwrap();
    assert_eq!(lab.dirty(&project), "unknown");
    assert!(!mark.exists(), "{}", fs::read_to_string(&mark).unwrap());
}

#[test]
fn a_filter_in_a_file_that_the_configuration_includes() {
    let lab = Lab::new();
    let project = lab.repository("project");
    lab.write(&project.join(".gitattributes"), "file filter=f\n");
    lab.git(&project, &["add", "."]);
    lab.git(&project, &["commit", "-q", "-m", "attributes"]);
    let mark = lab.0.join("ran");
    lab.write(&lab.0.join("hidden"), &format!("[filter \"f\"]\n\tclean = touch '{}'; cat\n", mark.display()));
    lab.git(&project, &["config", "includeIf.gitdir:**.path", lab.0.join("hidden").to_str().unwrap()]);
    touch(&project.join("file"));
    assert_eq!(lab.dirty(&project), "clean");
    assert!(!mark.exists());
    lab.git(&project, &["status"]);
    assert!(mark.exists(), "the trap is not set");
}

#[test]
fn the_users_own_filters_stay() {
    let lab = Lab::new();
    let project = lab.repository("project");
    let config = lab.0.join("config");
    // As Git LFS: what is stored differs from what is in the tree.
    lab.write(&config, "[filter \"up\"]\n\tclean = tr a-z A-Z\n\tsmudge = tr A-Z a-z\n\trequired = true\n");
    lab.write(&project.join(".gitattributes"), "*.up filter=up\n");
    lab.write(&project.join("a.up"), "text\n");
    let git = |arguments: &[&str]| {
        let mut command = lab.command("git", &project);
        assert!(command.env("GIT_CONFIG_GLOBAL", &config).args(arguments).status().unwrap().success());
    };
    git(&["add", "."]);
    git(&["commit", "-q", "-m", "filtered"]);
    assert_eq!(lab.git(&project, &["show", "HEAD:a.up"]), "TEXT");
    // The repository's configuration is looked into, and the user's filter is not among what is switched off.
    git(&["config", "filter.other.clean", "false"]);
    touch(&project.join("a.up"));
    let answer = lab.status(&project, Duration::from_secs(30), &[("GIT_CONFIG_GLOBAL", config.as_os_str())]);
    assert!(answer.starts_with("clean main "), "{answer}");
}

#[test]
fn no_lock_is_taken_and_nothing_is_written() {
    let lab = Lab::new();
    let project = lab.repository("project");
    touch(&project.join("file"));
    let index = fs::read(project.join(".git/index")).unwrap();
    assert_eq!(lab.dirty(&project), "clean");
    assert_eq!(fs::read(project.join(".git/index")).unwrap(), index);
    lab.write(&project.join(".git/index.lock"), "");
    assert_eq!(lab.dirty(&project), "clean");
    assert_eq!(fs::read(project.join(".git/index")).unwrap(), index);
}

#[test]
fn a_git_that_takes_too_long_is_ended_with_its_children() {
    let lab = Lab::new();
    let project = lab.repository("project");
    let bin = lab.0.join("bin");
    fs::create_dir(&bin).unwrap();
    let child = lab.0.join("child");
    for text in [
        // Silent; with its output closed; writing without end; slow and stubborn.
        format!("#!/bin/sh\nsleep 600 & echo $! > '{}'\nwait\n", child.display()),
        format!("#!/bin/sh\nexec >&-\nsleep 600 & echo $! > '{}'\nwait\n", child.display()),
        format!("#!/bin/sh\nsleep 600 & echo $! > '{}'\nwhile :; do echo '# x'; sleep 0.01; done\n", child.display()),
        format!("#!/bin/sh\ntrap '' TERM HUP INT\nsleep 600 & echo $! > '{}'\nwait\n", child.display()),
    ] {
        script(&bin.join("git"), &text);
        let path = std::env::join_paths([bin.clone(), "/usr/bin".into(), "/bin".into()]).unwrap();
        let _ = fs::remove_file(&child);
        assert_eq!(lab.status(&project, Duration::from_millis(400), &[("PATH", &path)]), "unknown", "{text}");
        let pid = fs::read_to_string(&child).unwrap_or_else(|_| panic!("the script did not begin: {text}"));
        let pid = pid.trim().parse().unwrap();
        let end = Instant::now() + Duration::from_secs(20);
        while ait::sys::process::look_up(pid).is_some_and(|process| !process.zombie) {
            assert!(Instant::now() < end, "its child lives on: {text}");
            std::thread::yield_now();
        }
    }
}

#[test]
fn no_git_and_one_that_fails() {
    let lab = Lab::new();
    let project = lab.repository("project");
    let limit = Duration::from_secs(30);
    assert_eq!(lab.status(&project, limit, &[("PATH", lab.0.as_os_str())]), "unknown");
    // Never one from the current folder.
    script(&lab.0.join("git"), "#!/bin/sh\nprintf '# branch.oid (initial)\\0# branch.head evil\\0'\n");
    assert_eq!(lab.status(&project, limit, &[("PATH", OsStr::new(".:"))]), "unknown");
    assert_eq!(lab.status(&project, limit, &[("PATH", lab.0.as_os_str())]), "clean evil -");
    fs::write(project.join(".git/index"), "garbage").unwrap();
    assert_eq!(lab.dirty(&project), "unknown");
}

#[test]
fn git_tells_which_files_would_not_merge() {
    let lab = Lab::new();
    let project = lab.repository("project");
    let branch = |name: &str, file: &str, text: &str| {
        lab.git(&project, &["switch", "-q", "-c", name, "main"]);
        lab.commit(&project, file, text);
    };
    branch("a", "file", "a\n");
    branch("b", "file", "b\n");
    branch("c", "öther \"file\"", "c\n");
    branch("d", "öther \"file\"", "d\n");
    lab.git(&project, &["switch", "-q", "--orphan", "alone"]);
    lab.commit(&project, "x", "x");
    let tree = Tree::find(&project).unwrap();
    let ask = |ours: &str, theirs: &str| merge_conflicts(&tree, ours, theirs, Duration::from_secs(30));
    assert_eq!(ask("a", "b").unwrap(), ["file"]);
    assert_eq!(ask("a", "c").unwrap(), [""; 0]);
    assert_eq!(ask("c", "d").unwrap(), ["öther \"file\""]);
    let commit = lab.git(&project, &["rev-parse", "a"]);
    assert_eq!(ask(&commit, "b").unwrap(), ["file"]);
    for (ours, theirs) in [("a", "none"), ("--help", "a"), ("", "a"), ("a", "alone")] {
        let error = ask(ours, theirs).unwrap_err().to_string();
        assert!(error.starts_with("asking git whether two branches merge: "), "{error}");
        assert!(!error.contains('\n'));
    }
}
