//! `ait sessions for`: which session made a commit.

use std::fs;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};

use crate::commits::{session_commit, session_git, wait_for_record};
use crate::common::{Client, CommandOutput, TestEnv};

fn ask(env: &TestEnv, tree: &Path, what: &str) -> CommandOutput {
    env.ait().current_dir(tree).run_args(&["sessions", "for", what, "--json"])
}

/// The grade of a commit and its sessions; `None` if no session is known.
fn origin(env: &TestEnv, tree: &Path, what: &str) -> Option<(String, Vec<String>)> {
    let output = ask(env, tree, what);
    assert_eq!(output.stderr, "", "{what}");
    let answer: Value = serde_json::from_str(&output.stdout).unwrap();
    let commits = answer["commits"].as_array().unwrap();
    assert_eq!(commits.len(), 1, "{what}: {answer}");
    let grade = commits[0]["grade"].as_str().map(str::to_owned);
    assert_eq!(output.exit_code, Some(i32::from(grade.is_none())), "{what}");
    let sessions = commits[0]["sessions"].as_array().unwrap().iter();
    let ids = sessions.map(|session| session["session_id"].as_str().unwrap().to_owned()).collect();
    grade.map(|grade| (grade, ids))
}

fn found(grade: &str, id: &str) -> Option<(String, Vec<String>)> {
    Some((grade.to_owned(), vec![id.to_owned()]))
}

fn head(env: &TestEnv, tree: &Path) -> String {
    env.git(tree, "rev-parse HEAD")
}

fn commit_all(env: &TestEnv, tree: &Path, file: &str, text: &str) -> String {
    fs::write(tree.join(file), text).unwrap();
    env.git(tree, "add --all");
    env.git(tree, &format!("commit --quiet --message=user-{file}"));
    head(env, tree)
}

struct Lab {
    env: TestEnv,
    client: Client,
    tree: PathBuf,
}

impl Lab {
    /// A session `one` in a repository with a file `base`.
    fn new() -> Lab {
        let env = TestEnv::new();
        let (client, tree) = (Client::new(), env.repository("project"));
        commit_all(&env, &tree, "base", "base\n");
        env.start_session(&client, "one", &tree);
        Lab { env, client, tree }
    }

    fn commit(&self, file: &str, text: &str) -> String {
        let id = session_commit(&self.env, &self.client, "one", &self.tree, file, text);
        wait_for_record(&self.env, "one", &id);
        id
    }

    fn git(&self, words: &str) -> String {
        self.env.git(&self.tree, words)
    }

    fn origin(&self, what: &str) -> Option<(String, Vec<String>)> {
        origin(&self.env, &self.tree, what)
    }
}

#[test]
fn a_commit_of_a_session_is_exact_while_it_lives_and_in_history_and_one_of_the_user_is_unknown() {
    let lab = Lab::new();
    let (user, id) = (lab.git("rev-parse HEAD"), lab.commit("a", "1\n"));
    assert_eq!(lab.origin(&id), found("exact", "one"));
    lab.env.end_session(&lab.client, "one", &lab.tree, "prompt_input_exit");
    for what in [id.as_str(), "HEAD", "a", "a:1"] {
        assert_eq!(lab.origin(what), found("exact", "one"), "{what}");
    }
    assert_eq!(lab.origin(&user), None);
    let text = lab.env.ait().current_dir(&lab.tree).run(&format!("sessions for {user}"));
    assert_eq!((text.exit_code, text.stderr.as_str()), (Some(1), ""));
    assert!(text.stdout.ends_with("   no session known\n"), "{}", text.stdout);
    let text = lab.env.ait().current_dir(&lab.tree).run("sessions for HEAD").success();
    assert!(text.contains(" change-a (dev, 20") && text.contains("\n   exact: one project"), "{text}");
}

#[test]
fn rebase_pick_and_reword_are_the_same_patch_also_in_a_clone_a_worktree_and_a_shallow_clone() {
    let lab = Lab::new();
    let id = lab.commit("a", "1\n");
    lab.env.end_session(&lab.client, "one", &lab.tree, "prompt_input_exit");
    lab.git("switch --quiet --create=other HEAD~1");
    commit_all(&lab.env, &lab.tree, "b", "2\n");
    lab.git(&format!("cherry-pick {id}"));
    assert_eq!(lab.origin("HEAD"), found("same_patch", "one"), "picked");
    lab.git("commit --quiet --amend --message=reworded");
    assert_eq!(lab.origin("HEAD"), found("same_patch", "one"), "reworded");
    commit_all(&lab.env, &lab.tree, "c", "3\n");
    lab.git("rebase --quiet --force-rebase HEAD~2");
    assert_eq!(lab.origin("HEAD~1"), found("same_patch", "one"), "rebased");
    let home = lab.env.path("");
    lab.env.git(&home, "clone --quiet project clone");
    assert_eq!(origin(&lab.env, &lab.env.path("clone"), "HEAD~1"), found("same_patch", "one"));
    lab.env.git(&home, &format!("clone --quiet --depth=2 file://{} shallow", lab.tree.display()));
    let shallow = lab.env.path("shallow");
    // Its parent is missing: everything would look new in it.
    assert_eq!(origin(&lab.env, &shallow, "HEAD~1"), None);
    let beside = lab.env.worktree(&lab.tree, "beside", "more");
    assert_eq!(origin(&lab.env, &beside, "HEAD~1"), found("same_patch", "one"));
}

#[test]
fn a_squash_is_the_same_content_of_all_its_sessions_and_restoring_it_later_is_not() {
    let lab = Lab::new();
    lab.git("switch --quiet --create=topic");
    lab.env.send_event(&lab.client, "UserPromptSubmit", "one", &lab.tree, json!({"prompt": "go"}));
    lab.commit("a", "1\n");
    lab.env.end_session(&lab.client, "one", &lab.tree, "prompt_input_exit");
    let client = Client::new();
    lab.env.start_session(&client, "two", &lab.tree);
    let second = session_commit(&lab.env, &client, "two", &lab.tree, "a", "1\n2\n");
    wait_for_record(&lab.env, "two", &second);
    lab.env.end_session(&client, "two", &lab.tree, "prompt_input_exit");
    lab.git("switch --quiet main");
    commit_all(&lab.env, &lab.tree, "user", "x\n");
    lab.git("merge --quiet --squash topic");
    lab.git("commit --quiet --message=squashed");
    let both = Some(("same_content".to_owned(), vec!["two".to_owned(), "one".to_owned()]));
    assert_eq!(lab.origin("HEAD"), both);

    let squash = lab.git("rev-parse HEAD");
    lab.git("revert --no-edit HEAD");
    assert_eq!(lab.origin("HEAD"), None, "the user removed it");
    lab.git("revert --no-edit HEAD");
    assert_eq!(lab.origin("HEAD"), None, "the user restored it");
    assert_eq!(lab.origin(&squash), both);
}

#[test]
fn a_file_that_a_session_wrote_before_a_commit_is_likely_and_never_more() {
    let lab = Lab::new();
    let file = lab.tree.join("b");
    let tool = json!({"tool_name": "Write", "tool_input": {"file_path": file}});
    lab.env.send_event(&lab.client, "PreToolUse", "one", &lab.tree, tool.clone());
    commit_all(&lab.env, &lab.tree, "b", "by the session\n");
    lab.env.send_event(&lab.client, "PostToolUse", "one", &lab.tree, tool);
    lab.git("commit --quiet --amend --message=user");
    assert_eq!(lab.origin("HEAD"), found("likely", "one"));
    lab.env.end_session(&lab.client, "one", &lab.tree, "prompt_input_exit");
    assert_eq!(lab.origin("HEAD"), found("likely", "one"), "in history");
    fs::write(&file, "by the session\nby the user\n").unwrap();
    assert_eq!(lab.origin("b:2"), found("likely", "one"), "not committed");
    let text = lab.env.ait().current_dir(&lab.tree).run("sessions for HEAD").success();
    assert!(text.contains("\n   not certain:\n   likely: one "), "{text}");
    lab.git("commit --quiet --all --message=user");
    commit_all(&lab.env, &lab.tree, "c", "by the user\n");
    assert_eq!(lab.origin("HEAD"), None);
}

#[test]
fn sessions_whose_commands_overlap_are_both_named() {
    let lab = Lab::new();
    let client = Client::new();
    lab.env.start_session(&client, "two", &lab.tree);
    let tool = json!({"tool_name": "Bash", "tool_input": {"command": "git commit -m two"}});
    lab.env.send_event(&client, "PreToolUse", "two", &lab.tree, tool.clone());
    let id = lab.commit("a", "1\n");
    lab.env.send_event(&client, "PostToolUse", "two", &lab.tree, tool);
    wait_for_record(&lab.env, "two", &id);
    let text = lab.env.ait().current_dir(&lab.tree).run("sessions for HEAD").success();
    assert!(text.contains("\n   one of these 2:\n   exact: two "), "{text}");
    assert_eq!(ask(&lab.env, &lab.tree, "HEAD").json()["commits"][0]["one_of"], json!(true));
}

#[test]
fn a_range_is_summed_up_and_makes_a_paragraph() {
    let lab = Lab::new();
    let base = lab.git("rev-parse HEAD");
    lab.env.run("sessions task Fixing_*login* --session one").success();
    lab.commit("a", "1\n");
    lab.commit("b", "2\n");
    session_git(&lab.env, &lab.client, "one", &lab.tree, "tag v1");
    commit_all(&lab.env, &lab.tree, "c", "3\n");
    let run = |words: &str| lab.env.ait().current_dir(&lab.tree).run(words).success();
    let text = run(&format!("sessions for {base}..HEAD"));
    assert!(text.ends_with("2 of 3 commits with a known session (2 exact).\n"), "{text}");
    let text = run(&format!("sessions for {base}.. --markdown"));
    assert!(text.starts_with("Claude Code sessions: `one` Fixing\\_\\*login\\* ("), "{text}");
    assert!(text.ends_with(". Commits: 2 of 3 commits with a known session (2 exact). Files: b, a.\n"), "{text}");
}

#[test]
fn an_unknown_revision_and_a_file_outside_of_any_repository_are_refused() {
    let lab = Lab::new();
    let outside = lab.env.write_file("outside", "x");
    let failure = |what: &str, why: &str| {
        ask(&lab.env, &lab.tree, what).failure(2, &format!("finding the session: {what}: {why}"))
    };
    for what in ["nonsense", "main..nonsense", "-x", "a:3", "\u{1b}[31m"] {
        if what != "-x" && what != "\u{1b}[31m" {
            failure(what, "neither a revision nor a file");
        } else {
            assert_eq!(ask(&lab.env, &lab.tree, what).exit_code, Some(2));
        }
    }
    failure("base:7", "git has no such line");
    failure(outside.to_str().unwrap(), "outside of any repository");
    let output = lab.env.ait().run_args(&["sessions", "for", "HEAD"]);
    output.failure(2, "finding the session: HEAD: no such file, and no repository here");
}

#[test]
fn a_repository_cannot_run_a_program_of_its_own() {
    let lab = Lab::new();
    let id = lab.commit("a", "1\n");
    let mark = lab.env.path("ran");
    let script = lab.env.write_file("evil", &format!("#!/bin/sh\ntouch '{}'\n", mark.display()));
    fs::set_permissions(&script, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
    for key in [
        "diff.external",
        "diff.x.textconv",
        "diff.x.command",
        "gpg.program",
        "core.fsmonitor",
        "core.pager",
        "filter.x.clean",
    ] {
        lab.git(&format!("config {key} {}", script.display()));
    }
    lab.git("config log.showSignature true");
    fs::create_dir_all(lab.tree.join(".git/info")).unwrap();
    fs::write(lab.tree.join(".git/info/attributes"), "* diff=x filter=x\n").unwrap();
    for what in [id.as_str(), "a", "a:1", "HEAD~1..HEAD"] {
        assert_eq!(lab.origin(what), found("exact", "one"), "{what}");
    }
    assert!(!mark.exists());
}

#[test]
fn submodules_and_repositories_with_sha_256_have_answers_too() {
    let env = TestEnv::new();
    let client = Client::new();
    let big = env.create_dir("big");
    env.git(&big, "init --quiet --object-format=sha256 --initial-branch=main");
    env.git(&big, "commit --quiet --allow-empty --message=start");
    let inner = env.repository("inner");
    let outer = env.repository("outer");
    env.git(&outer, &format!("-c protocol.file.allow=always submodule add --quiet {} sub", inner.display()));
    for (id, tree) in [("big", big), ("sub", outer.join("sub"))] {
        env.start_session(&client, id, &tree);
        let commit = session_commit(&env, &client, id, &tree, "a", "1\n");
        wait_for_record(&env, id, &commit);
        assert_eq!(origin(&env, &tree, &commit), found("exact", id));
        env.git(&tree, "commit --quiet --amend --message=reworded");
        assert_eq!(origin(&env, &tree, "HEAD"), found("same_patch", id));
        env.end_session(&client, id, &tree, "prompt_input_exit");
        assert_eq!(origin(&env, &tree, &commit), found("exact", id), "in history");
    }
}

/// Who makes a commit.
#[derive(Clone, Copy, PartialEq)]
enum Maker {
    Session(usize),
    Person,
    Bot,
}

/// Commits by four sessions, a person and a bot, on a branch that begins at `base`: who made each, and its id.
fn mixed_commits(lab: &Lab, count: usize) -> Vec<(Maker, String)> {
    let clients: Vec<Client> = (0..4).map(|_| Client::new()).collect();
    for (number, client) in clients.iter().enumerate() {
        lab.env.start_session(client, &format!("s{number}"), &lab.tree);
    }
    let mut commits = Vec::new();
    for number in 0..count {
        // Of 27 commits 20 are made by sessions, 5 by a person and 2 by a bot.
        let maker = match number % 27 {
            5 | 10 | 15 | 20 | 25 => Maker::Person,
            7 | 21 => Maker::Bot,
            _ => Maker::Session(number % 4),
        };
        let (file, text) = (format!("file{}", number % 60), format!("content {number}\n"));
        let id = match maker {
            Maker::Session(session) => {
                let name = format!("s{session}");
                // What happened meanwhile is told at the next prompt.
                lab.env.send_event(&clients[session], "UserPromptSubmit", &name, &lab.tree, json!({"prompt": "go"}));
                session_commit(&lab.env, &clients[session], &name, &lab.tree, &file, &text)
            }
            Maker::Person => commit_all(&lab.env, &lab.tree, &file, &text),
            Maker::Bot => {
                fs::write(lab.tree.join("VERSION"), format!("1.{number}\n")).unwrap();
                lab.git("add --all");
                lab.git("-c user.name=bot commit --quiet --message=release");
                head(&lab.env, &lab.tree)
            }
        };
        commits.push((maker, id));
    }
    for (number, client) in clients.iter().enumerate() {
        lab.env.end_session(client, &format!("s{number}"), &lab.tree, "prompt_input_exit");
    }
    commits
}

/// The answers for all commits of a range, the oldest first: the grade and the sessions.
fn answers(env: &TestEnv, tree: &Path, range: &str) -> Vec<(Option<String>, Vec<String>)> {
    let answer: Value = serde_json::from_str(&ask(env, tree, range).stdout).unwrap();
    let commits = answer["commits"].as_array().unwrap().iter().rev();
    let sessions = |commit: &Value| {
        let sessions = commit["sessions"].as_array().unwrap().iter();
        sessions.map(|session| session["session_id"].as_str().unwrap().to_owned()).collect()
    };
    commits.map(|commit| (commit["grade"].as_str().map(str::to_owned), sessions(commit))).collect()
}

/// Checks that the session of each commit is found with one of these grades, and none for the others.
#[track_caller]
fn check(commits: &[(Maker, String)], answers: &[(Option<String>, Vec<String>)], grades: &[&str]) {
    assert_eq!(commits.len(), answers.len());
    for ((maker, id), (grade, sessions)) in commits.iter().zip(answers) {
        let grade = grade.as_deref().unwrap_or("none");
        match maker {
            Maker::Session(session) => {
                assert!(grades.contains(&grade) && *sessions == [format!("s{session}")], "{id}: {grade} {sessions:?}");
            }
            Maker::Person | Maker::Bot => assert!(["none", "likely"].contains(&grade), "{id}: {grade} {sessions:?}"),
        }
    }
}

/// The number of commits is that of `AIT_COMMITS`, such as 270.
#[test]
fn commits_of_sessions_are_found_again_after_everything_that_git_does_to_them_and_those_of_others_are_not() {
    let count = std::env::var("AIT_COMMITS").map_or(54, |count| count.parse().unwrap());
    let lab = Lab::new();
    lab.env.end_session(&lab.client, "one", &lab.tree, "clear");
    let base = head(&lab.env, &lab.tree);
    lab.git("switch --quiet --create=topic");
    let commits = mixed_commits(&lab, count);
    let range = format!("{base}..topic");
    let of_sessions = commits.iter().filter(|(maker, _)| matches!(maker, Maker::Session(_))).count();
    let recorded =
        || answers(&lab.env, &lab.tree, &range).iter().filter(|(grade, _)| grade.as_deref() == Some("exact")).count();
    crate::common::wait_until("all commits are recorded", || recorded() == of_sessions);
    check(&commits, &answers(&lab.env, &lab.tree, &range), &["exact"]);
    for (_, id) in &commits {
        assert_eq!(lab.git(&format!("log -1 --format=%B%N {id}")).lines().count(), 1, "nothing is added to a commit");
    }
    assert!(lab.git("for-each-ref").lines().all(|line| line.contains("refs/heads/")));
    let hooks = fs::read_dir(lab.tree.join(".git/hooks")).unwrap();
    assert!(hooks.map(|file| file.unwrap().file_name()).all(|name| name.to_str().unwrap().ends_with(".sample")));

    // Rebased on a main that moved on, and pulled with a rebase by another clone.
    lab.git("switch --quiet main");
    commit_all(&lab.env, &lab.tree, "elsewhere", "x\n");
    let onto = head(&lab.env, &lab.tree);
    lab.git("switch --quiet --create=rebased topic");
    lab.git("rebase --quiet main");
    check(&commits, &answers(&lab.env, &lab.tree, "main..rebased"), &["same_patch"]);
    lab.git("commit --quiet --amend --message=reworded");
    let last = commits.last().unwrap().clone();
    check(&[last], &answers(&lab.env, &lab.tree, "rebased~1..rebased"), &["same_patch"]);
    lab.env.git(&lab.env.path(""), "clone --quiet --branch=topic project clone");
    let clone = lab.env.path("clone");
    lab.env.git(&clone, "pull --quiet --rebase origin main");
    check(&commits, &answers(&lab.env, &clone, &format!("{onto}..HEAD")), &["same_patch"]);

    // Picked one by one.
    lab.git("switch --quiet --create=picked main");
    lab.git(&format!("cherry-pick {range}"));
    check(&commits, &answers(&lab.env, &lab.tree, "main..picked"), &["same_patch"]);

    // Squashed in parts of three.
    lab.git("switch --quiet --create=squashed main");
    let (mut found, mut all) = (0, 0);
    for part in commits.chunks(3) {
        let squashed: Vec<&str> = part.iter().map(|(_, id)| id.as_str()).collect();
        lab.git(&format!("cherry-pick --no-commit {}", squashed.join(" ")));
        lab.git("commit --quiet --message=squashed");
        let (grade, sessions) = answers(&lab.env, &lab.tree, "HEAD~1..HEAD").remove(0);
        let wanted = part.iter().filter_map(|(maker, _)| match maker {
            Maker::Session(session) => Some(format!("s{session}")),
            _ => None,
        });
        for session in wanted {
            all += 1;
            found += usize::from(grade.as_deref() == Some("same_content") && sessions.contains(&session));
        }
    }
    assert!(found * 100 >= all * 95, "{found} of {all}");
}
