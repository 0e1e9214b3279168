//! `ait team`, with real git: bare remotes and several homes as members.

mod full_disk;
mod hostile;
mod logs;
mod privacy;
mod remotes;
mod ssh;
mod window;

use std::io::Write as _;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use serde_json::{Value, json};

use crate::common::{AitCommand, Client, CommandOutput, TestEnv, ago};

/// A team: a bare remote, and members with a home and a clone each.
pub(crate) struct Team {
    pub(crate) env: TestEnv,
    pub(crate) remote: PathBuf,
}

/// A member of a test.
pub(crate) struct Member<'a> {
    pub(crate) team: &'a Team,
    pub(crate) home: PathBuf,
    pub(crate) clone: PathBuf,
}

impl Team {
    pub(crate) fn new() -> Team {
        let env = TestEnv::new();
        let remote = env.path("remote.git");
        env.git(&env.path(""), &format!("init --quiet --bare {}", remote.display()));
        let seed = env.repository("seed");
        env.git(&seed, &format!("push --quiet {} main", remote.display()));
        Team { env, remote }
    }

    pub(crate) fn member(&self, name: &str) -> Member<'_> {
        let home = self.env.create_dir(name);
        let clone = home.join("shop");
        self.env.git(&home, &format!("clone --quiet {} shop", self.remote.display()));
        self.env.git(&clone, &format!("config user.name {name}"));
        Member { team: self, home, clone }
    }

    /// Ada, who has joined and has one session to send.
    pub(crate) fn ada_with_news(&self) -> Member<'_> {
        let ada = self.member("Ada");
        ada.join("");
        ada.ended_session("s1", json!({}));
        ada
    }

    /// Ada, who has sent one session, and Bob; both have joined.
    pub(crate) fn ada_and_bob(&self) -> (Member<'_>, Member<'_>) {
        let (ada, bob) = (self.member("Ada"), self.member("Bob"));
        ada.ended_session("s1", json!({}));
        ada.join("");
        bob.join("");
        (ada, bob)
    }

    pub(crate) fn git(&self, words: &str) -> String {
        self.env.git(&self.remote, words)
    }

    /// All that the refs of the remote reach: commits, trees and blobs, as git prints them.
    pub(crate) fn everything(&self) -> String {
        let mut text = self.git("for-each-ref refs/ait");
        for object in self.git("rev-list --objects --no-object-names --glob=refs/ait/*").lines() {
            text.push_str(&self.git(&format!("cat-file -p {object}")));
        }
        text
    }

    /// The batches in the remote, the oldest first.
    pub(crate) fn batches(&self) -> Vec<String> {
        let commits = self.git("rev-list --reverse --glob=refs/ait/*");
        commits.lines().map(|commit| self.git(&format!("cat-file -p {commit}:records")) + "\n").collect()
    }
}

impl Member<'_> {
    pub(crate) fn ait(&self) -> AitCommand<'_> {
        self.team.env.ait().env("HOME", &self.home).current_dir(&self.clone)
    }

    pub(crate) fn run(&self, words: &str) -> CommandOutput {
        self.ait().run(words)
    }

    pub(crate) fn run_args(&self, words: &[&str]) -> CommandOutput {
        self.ait().run_args(words)
    }

    pub(crate) fn join(&self, options: &str) {
        self.run(&format!("team join --yes {options}")).success();
    }

    pub(crate) fn sync(&self) {
        self.run("team sync").success();
    }

    /// A session that ended a minute ago.
    pub(crate) fn ended_session(&self, id: &str, fields: Value) {
        let ended = ago(60);
        let mut manifest = json!({
            "session_id": id, "project": "shop", "path": self.clone, "git_branch": "main", "git_dirty": false,
            "started": ago(600), "ended": ended, "status": "completed", "pid": 1, "worked_seconds": 300,
            "tree": self.clone, "repository": self.clone.join(".git"),
        });
        manifest.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        let day = manifest["ended"].as_str().unwrap()[..10].to_owned();
        let folder = self.home.join(".claude/sessions/history").join(day);
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join(format!("{id}.json")), manifest.to_string()).unwrap();
    }

    /// The sessions of a member, by the name that this member sees.
    pub(crate) fn sessions_of(&self, name: &str) -> Vec<Value> {
        let output = self.run("team --json");
        let today: Value = serde_json::from_str(&output.stdout).unwrap_or_else(|why| panic!("{why}: {output:?}"));
        let members = today["members"].as_array().unwrap();
        let member = members.iter().find(|member| member["name"] == name);
        member.unwrap_or_else(|| panic!("{name} is not in {today:#}"))["sessions"].as_array().unwrap().clone()
    }

    pub(crate) fn store(&self) -> PathBuf {
        let folder = self.home.join(".local/share/ait/team");
        let names: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path()).collect();
        assert_eq!(names.len(), 1, "{names:?}");
        names[0].clone()
    }
}

/// Runs git with bytes on its standard input.
fn git_with_input(folder: &Path, words: &[&str], input: &[u8], date: &str) -> String {
    let mut command = Command::new("git");
    command.args(words).current_dir(folder).stdin(Stdio::piped()).stdout(Stdio::piped());
    for name in ["AUTHOR", "COMMITTER"] {
        command.env(format!("GIT_{name}_NAME"), "x").env(format!("GIT_{name}_EMAIL"), "");
        command.env(format!("GIT_{name}_DATE"), date);
    }
    let mut child = command.spawn().unwrap();
    child.stdin.take().unwrap().write_all(input).unwrap();
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "git {words:?}");
    String::from_utf8(output.stdout).unwrap().trim().to_owned()
}

/// Writes a commit with one batch as anyone could; `parent` may be empty. Returns its id.
pub(crate) fn add_commit(_env: &TestEnv, repository: &Path, batch: &str, parent: &str, seconds_ago: i64) -> String {
    let date = format!("{} +0000", jiff::Timestamp::now().as_second() - seconds_ago);
    let blob = git_with_input(repository, &["hash-object", "-w", "--stdin"], batch.as_bytes(), &date);
    let tree = git_with_input(repository, &["mktree"], format!("100644 blob {blob}\trecords\n").as_bytes(), &date);
    let mut words = vec!["commit-tree", "-m", "records", &tree];
    if !parent.is_empty() {
        words.extend(["-p", parent]);
    }
    git_with_input(repository, &words, b"", &date)
}

/// Every file below a folder with its content.
pub(crate) fn snapshot(folder: &Path) -> Vec<(PathBuf, Vec<u8>)> {
    let mut files = Vec::new();
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        match path.is_dir() {
            true => files.extend(snapshot(&path)),
            false => files.push((path.clone(), std::fs::read(&path).unwrap())),
        }
    }
    files.sort();
    files
}

#[test]
fn members_see_what_others_worked_on_and_the_clones_do_not_change() {
    let team = Team::new();
    let (ada, bob) = (team.member("Ada"), team.member("Bob"));
    let before = (snapshot(&ada.clone), snapshot(&bob.clone));
    ada.ended_session("s1", json!({"task": "the first prompt", "task_source": "prompt"}));
    ada.join("");
    bob.join("--share all");
    let sessions = bob.sessions_of("Ada");
    assert_eq!(sessions.len(), 1, "{sessions:?}");
    assert_eq!((&sessions[0]["branch"], &sessions[0]["worked_seconds"]), (&json!("main"), &json!(300)));
    assert_eq!(sessions[0]["task"], Value::Null);
    let text = bob.run("team").success();
    assert!(text.contains("Bob (you) - nothing yet") && text.contains("Ada\n   main - 5m worked, 1 session"), "{text}");
    assert_eq!((snapshot(&ada.clone), snapshot(&bob.clone)), before);
    assert_eq!(team.git("for-each-ref --format=%(refname) refs/ait/v1").lines().count(), 2);
    team.git("fsck --strict");
}

#[test]
fn preview_prints_the_bytes_that_are_pushed() {
    let team = Team::new();
    let ada = team.member("Ada");
    ada.join("--share all");
    let before = team.batches().len();
    for (id, task) in [("s1", "Ünïcode \u{202e} \"task\""), ("s2", "another")] {
        ada.ended_session(id, json!({"task": task, "task_source": "user"}));
    }
    let preview = ada.run("team preview").success();
    assert!(preview.contains("another") && !preview.contains('\u{202e}'), "{preview}");
    ada.sync();
    assert_eq!(team.batches()[before..].concat(), preview);
    assert_eq!(ada.run("team preview").success(), "");
}

#[test]
fn forgotten_sessions_leave_the_remote_and_the_stores_of_others() {
    let team = Team::new();
    let (ada, bob) = (team.member("Ada"), team.member("Bob"));
    for id in ["s1", "s2"] {
        ada.ended_session(id, json!({"git_branch": format!("branch-of-{id}")}));
    }
    ada.join("");
    bob.join("");
    assert_eq!(bob.sessions_of("Ada").len(), 2);
    let output = ada.run("team forget s");
    assert!(output.stderr.contains("2 sessions match; choose one: s1, s2"), "{output:?}");
    assert_eq!(ada.run("team forget never-shared").exit_code, Some(1));
    let output = ada.run("team forget s1");
    assert_eq!(output.exit_code, Some(0), "{output:?}");
    assert!(!team.everything().contains("branch-of-s1") && team.everything().contains("branch-of-s2"));
    bob.run("team sync").success_with_warning("the records of Ada were rewritten since the last fetch");
    assert_eq!(bob.sessions_of("Ada").len(), 1);
    let store = bob.store().join("git");
    let objects = team.env.git(&store, "cat-file --batch-all-objects --batch-check=%(objectname)");
    let objects: Vec<String> = objects.lines().map(|id| team.env.git(&store, &format!("cat-file -p {id}"))).collect();
    assert!(!objects.concat().contains("branch-of-s1") && objects.concat().contains("branch-of-s2"), "{objects:?}");
    // It does not come back, and the rest goes on.
    ada.sync();
    assert!(!team.everything().contains("branch-of-s1"));
    ada.run("team forget --all");
    assert!(!team.everything().contains("branch-of-s2") && !team.everything().contains("Ada"));
}

#[test]
fn leaving_shares_nothing_more() {
    let team = Team::new();
    let ada = team.member("Ada");
    ada.join("");
    assert!(ada.run("team status").success().ends_with("; last fetched: never; 1 member\n"));
    assert!(ada.run("team sync").success().starts_with("Nothing new.\n"));
    let output = ada.run("team leave");
    assert_eq!(output.stderr, "ait: your records stay in the remote; to remove them, type: ait team forget --all\n");
    ada.ended_session("s1", json!({}));
    let why = "this repository does not share its sessions; type: ait team join";
    let reason = format!("finding the team: {}: {why}", ada.clone.display());
    ada.run("team sync").failure(2, &reason);
    ada.run("team").failure(2, &reason);
    let output = ada.run("team forget --all");
    assert!(
        output.exit_code == Some(0) && output.stdout.starts_with("Forgot 0 records and your name.\n"),
        "{output:?}"
    );
    assert!(!team.everything().contains("Ada"), "{}", team.everything());
}

#[test]
fn clones_that_name_one_remote_differently_share_one_store() {
    let team = Team::new();
    let ada = team.member("Ada");
    ada.join("");
    // A store of an earlier version has another name.
    let store = ada.store();
    std::fs::rename(&store, store.with_file_name("00000000000000aa")).unwrap();
    team.env.git(&ada.home, "clone --quiet shop second");
    let second = ada.home.join("second");
    team.env.git(&second, &format!("remote add upstream file://{}", team.remote.display()));
    let run = |words: &str| ada.ait().current_dir(&second).run(words).success();
    let joined = run("team join --yes --remote upstream");
    assert!(joined.contains(&format!("through file://{}\n", team.remote.display())), "{joined}");
    assert_eq!(ada.store().file_name().unwrap(), "00000000000000aa");
    ada.ended_session("s1", json!({}));
    // The first clone has no remote of this name.
    ada.sync();
    std::fs::remove_dir_all(&second).unwrap();
    ada.ended_session("s2", json!({}));
    ada.sync();
    // git expands the URL of the third.
    team.env.git(&ada.home, "clone --quiet shop third");
    let third = ada.home.join("third");
    team.env.git(&third, &format!("config url.{}/.insteadOf work:", team.remote.parent().unwrap().display()));
    team.env.git(&third, "config url.https://example.org/.insteadOf wo");
    team.env.git(&third, "remote set-url origin work:remote.git");
    let joined = ada.ait().current_dir(&third).run("team join --yes").success();
    assert!(joined.contains(&format!("through {}\n", team.remote.display())), "{joined}");
    assert_eq!(ada.store().file_name().unwrap(), "00000000000000aa");
    assert_eq!(team.git("for-each-ref refs/ait").lines().count(), 1);
    assert_eq!(team.batches().len(), 3, "{:?}", team.batches());
}

#[test]
fn joining_needs_consent_and_a_remote() {
    let team = Team::new();
    let ada = team.member("Ada");
    let output = ada.run("team join");
    assert_eq!((output.exit_code, output.stdout.as_str()), (Some(2), ""));
    assert!(output.stderr.contains("this needs your consent"), "{output:?}");
    assert_eq!(team.git("for-each-ref refs/ait"), "");
    let alone = team.env.repository("alone");
    let output = ada.ait().current_dir(&alone).run("team join --yes --name Ada");
    assert!(output.stderr.contains("this repository has no remote"), "{output:?}");
    let output = ada.ait().current_dir(&ada.home).run("team join --yes");
    assert!(output.stderr.contains("not in a git repository"), "{output:?}");
    let output = ada.run("team join --yes --remote nowhere");
    assert!(output.stderr.contains("neither a remote of this repository nor a URL"), "{output:?}");
    assert_eq!(team.git("for-each-ref refs/ait"), "");
}

#[test]
fn the_end_of_a_session_sends_it_in_the_background() {
    let team = Team::new();
    let ada = team.member("Ada");
    ada.join("");
    // Joining was a sync: the next one is not due yet.
    let state = ada.store().join("state.json");
    let text = std::fs::read_to_string(&state).unwrap();
    let mut value: Value = serde_json::from_str(&text).unwrap();
    value["tried"] = json!(0);
    std::fs::write(&state, value.to_string()).unwrap();
    let client = Client::new();
    let hook = |event: &str, more: Value| {
        let mut payload = json!({"session_id": "s1", "hook_event_name": event, "cwd": ada.clone});
        payload.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
        ada.ait().child_of(&client, "s1").hook(&payload)
    };
    hook("SessionStart", json!({"source": "startup"})).success();
    crate::common::wait_until("the session is in the remote", || team.everything().contains("\"session\":"));
    // Not again within half an hour.
    let sent = team.batches();
    hook("SessionEnd", json!({"reason": "exit"})).no_output();
    std::thread::sleep(std::time::Duration::from_millis(300));
    assert_eq!(team.batches(), sent);
}

#[test]
fn a_commit_of_another_member_names_the_member() {
    let team = Team::new();
    let (ada, bob) = (team.member("Ada"), team.member("Bob"));
    for member in [&ada, &bob] {
        team.env.git(&member.clone, "checkout --quiet main");
    }
    team.env.git(&ada.clone, "commit --quiet --allow-empty --message=work");
    team.env.git(&ada.clone, "push --quiet origin HEAD:main");
    let commit = team.env.git(&ada.clone, "rev-parse HEAD");
    let commits = json!([{"at": ago(300), "id": commit, "patch_id": null, "authored": ago(300), "subject": "work",
        "branch": "main", "files": []}]);
    ada.ended_session("s1", json!({ "commits": commits }));
    ada.join("");
    bob.join("");
    bob.run("team sync").success();
    team.env.git(&bob.clone, "pull --quiet");
    let text = bob.run("sessions for HEAD").success();
    assert!(text.contains("   exact: member Ada\n") && !text.contains("no session known"), "{text}");
    assert_eq!(bob.run("sessions for HEAD --json").json()["commits"][0]["members"], json!(["Ada"]));
    assert!(bob.run("sessions for HEAD --markdown").success().contains("Also by: Ada."));
    assert_eq!(bob.run("sessions for HEAD~").exit_code, Some(1));
}
