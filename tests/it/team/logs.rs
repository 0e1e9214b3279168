//! The logs of members: concurrent and killed syncs, restored backups, clocks, names, signatures, retention.

use std::collections::BTreeMap;
use std::fs;
use std::process::{Command, Stdio};
use std::time::Duration;

use serde_json::{Value, json};

use super::{Team, snapshot};
use crate::common::{AIT, ago};

/// The lines of all batches of a log, with how often each session is in it.
fn sessions(text: &str) -> BTreeMap<String, usize> {
    let mut counts = BTreeMap::new();
    for line in text.lines() {
        let value: Value = serde_json::from_str(line).unwrap_or_else(|why| panic!("{why}: {line}"));
        if let Some(session) = value["session"].as_str() {
            *counts.entry(session.to_owned()).or_default() += 1;
        }
    }
    counts
}

/// Three members sync all the time and are killed at any moment. `AIT_TEST_SYNCS` sets how many syncs, 60 by default.
#[test]
fn killed_and_concurrent_syncs_neither_lose_nor_repeat_a_record() {
    let rounds: usize = std::env::var("AIT_TEST_SYNCS").ok().and_then(|count| count.parse().ok()).unwrap_or(60) / 6;
    let team = Team::new();
    let members = ["Ada", "Bob", "Cem"].map(|name| team.member(name));
    members.iter().for_each(|member| member.join(""));
    let before: Vec<_> = members.iter().map(|member| snapshot(&member.clone)).collect();
    for round in 0..rounds {
        let mut children = Vec::new();
        for member in &members {
            member.ended_session(&format!("{round}"), json!({"git_branch": format!("branch-{round}")}));
            for _ in 0..2 {
                let mut command = member.ait().command(AIT);
                command.args(["team", "sync"]).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null());
                children.push(command.spawn().unwrap());
            }
        }
        for (number, child) in children.iter_mut().enumerate() {
            // Each is killed after another part of its work; some end before.
            std::thread::sleep(Duration::from_millis(((round * 7 + number * 13) % 60) as u64));
            let _ = child.kill();
        }
        children.into_iter().for_each(|mut child| drop(child.wait()));
    }
    // Git commands of the killed syncs may still be running. In the second round everyone fetches what the first one sent.
    for member in members.iter().chain(&members) {
        let mut output = member.run("team sync");
        for _ in 0..20 {
            if output.exit_code == Some(0) {
                break;
            }
            std::thread::sleep(Duration::from_millis(200));
            output = member.run("team sync");
        }
        assert_eq!(output.exit_code, Some(0), "{output:?}");
    }
    let counts = sessions(&team.batches().concat());
    assert_eq!(counts.len(), 3 * rounds, "{counts:?}");
    assert!(counts.values().all(|count| *count == 1), "{counts:?}");
    for member in &members {
        for name in ["Ada", "Bob", "Cem"] {
            assert_eq!(member.sessions_of(name).len(), rounds, "{name}");
        }
        team.env.git(&member.store().join("git"), "fsck --strict");
    }
    team.git("fsck --strict");
    assert_eq!(members.iter().map(|member| snapshot(&member.clone)).collect::<Vec<_>>(), before);
}

#[test]
fn a_machine_restored_from_a_backup_continues_without_losing_either_side() {
    let team = Team::new();
    let ada = team.ada_with_news();
    ada.sync();
    let backup = ada.home.join("backup");
    let copy = |from: &std::path::Path, to: &std::path::Path| {
        let _ = fs::remove_dir_all(to);
        assert!(Command::new("cp").arg("-a").args([from, to]).status().unwrap().success());
    };
    copy(&ada.store(), &backup);
    ada.ended_session("s2", json!({}));
    ada.sync();
    let history = ada.home.join(".claude/sessions/history");
    // The disk is lost with all manifests; the backup has an older log, and writes a batch before it meets the remote.
    fs::remove_dir_all(&history).unwrap();
    copy(&backup, &ada.store());
    ada.ended_session("s3", json!({}));
    fs::rename(&team.remote, team.env.path("away")).unwrap();
    assert_eq!(ada.run("team sync").exit_code, Some(1));
    fs::rename(team.env.path("away"), &team.remote).unwrap();
    ada.sync();
    let counts = sessions(&team.batches().concat());
    assert_eq!(counts.into_values().collect::<Vec<_>>(), [1, 1, 1]);
    assert_eq!(team.git("for-each-ref refs/ait").lines().count(), 1);
    // A store that was deleted makes a new member; the old log stays readable.
    fs::remove_dir_all(ada.store()).unwrap();
    ada.join("");
    assert_eq!(team.git("for-each-ref refs/ait").lines().count(), 2);
}

#[test]
fn a_backup_from_before_does_not_bring_back_what_was_forgotten() {
    let team = Team::new();
    let ada = team.member("Ada");
    for id in ["s1", "s2"] {
        ada.ended_session(id, json!({"git_branch": format!("branch-of-{id}")}));
    }
    ada.join("");
    let backup = ada.home.join("backup");
    assert!(Command::new("cp").arg("-a").args([ada.store(), backup.clone()]).status().unwrap().success());
    assert_eq!(ada.run("team forget s1").exit_code, Some(0));
    let store = ada.store();
    fs::remove_dir_all(&store).unwrap();
    fs::rename(backup, &store).unwrap();
    ada.ended_session("s3", json!({}));
    ada.sync();
    let text = team.everything();
    assert!(!text.contains("branch-of-s1") && text.contains("branch-of-s2"), "{text}");
    assert_eq!(sessions(&team.batches().concat()).len(), 2);
}

#[test]
fn clocks_that_differ_and_a_new_name_keep_every_record() {
    let team = Team::new();
    let (ada, bob) = (team.member("Ada"), team.member("Bob"));
    bob.join("");
    // Ada's clock is an hour ahead.
    ada.ended_session("s1", json!({"started": ago(-3000), "ended": ago(-3600)}));
    ada.join("");
    let name = team.git("for-each-ref --format=%(refname) --count=1 --sort=-committerdate refs/ait");
    assert_eq!(bob.sessions_of("Ada").len(), 1, "{name}");
    ada.run("team join --yes --name Adele").success();
    bob.sync();
    assert_eq!(bob.sessions_of("Adele").len(), 1);
    assert_eq!(team.git("for-each-ref refs/ait").lines().count(), 2);
    ada.ended_session("s2", json!({}));
    ada.sync();
    bob.sync();
    assert_eq!(bob.sessions_of("Adele").len(), 2);
}

#[test]
fn records_that_are_signed_with_another_key_are_left_out() {
    let team = Team::new();
    let (ada, bob) = (team.member("Ada"), team.member("Bob"));
    for key in ["first", "second"] {
        let file = ada.home.join(key);
        let mut command = Command::new("ssh-keygen");
        command.args(["-q", "-t", "ed25519", "-N", "", "-C", "x", "-f"]).arg(&file).stdout(Stdio::null());
        if !command.status().is_ok_and(|status| status.success()) {
            eprintln!("skipped: ssh-keygen is missing");
            return;
        }
    }
    let sign_with = |key: &str| {
        team.env.git(&ada.clone, "config gpg.format ssh");
        team.env.git(&ada.clone, &format!("config user.signingKey {}", ada.home.join(key).display()));
    };
    bob.join("");
    sign_with("first");
    ada.ended_session("s1", json!({}));
    ada.join("");
    assert!(team.everything().contains("gpgsig"));
    bob.sync();
    assert_eq!(bob.sessions_of("Ada").len(), 1);
    sign_with("second");
    ada.ended_session("s2", json!({}));
    ada.sync();
    let output = bob.run("team sync");
    assert!(output.stderr.contains("are not signed with the key seen first, and are left out"), "{output:?}");
    assert_eq!(bob.sessions_of("Ada").len(), 1);
    sign_with("first");
    ada.ended_session("s3", json!({}));
    ada.sync();
    bob.sync();
    assert_eq!(bob.sessions_of("Ada").len(), 3);
}

#[test]
fn what_is_older_than_the_retention_becomes_daily_totals() {
    let team = Team::new();
    let ada = team.member("Ada");
    ada.join("");
    ada.ended_session("new", json!({}));
    ada.sync();
    // Batches of a year ago, before those that are there.
    let store = ada.store().join("git");
    let name = team.git("for-each-ref --format=%(refname) refs/ait");
    let member = name.rsplit('/').next().unwrap();
    let newest = team.batches().last().unwrap().clone();
    let mut parent = String::new();
    for (number, days) in [(1, 400), (2, 399), (3, 398)] {
        let day = &ago(days * 86_400)[..10];
        let line = |session: u32| {
            format!(
                "{{\"session\":\"{session:016x}\",\"project\":\"shop\",\"branch\":\"old-branch\",\"from\":\"{day}T01:00:00Z\",\
                 \"to\":\"{day}T02:00:00Z\",\"end\":\"completed\",\"days\":[[\"{day}\",600,5]]}}\n"
            )
        };
        let header = format!("{{\"ait\":1,\"member\":\"{member}\",\"name\":\"Ada\"}}\n");
        let batch = header + &line(number * 2) + &line(number * 2 + 1);
        parent = super::add_commit(&team.env, &store, &batch, &parent, days * 86_400);
    }
    super::add_commit(&team.env, &store, &newest, &parent, 60);
    let tip = super::add_commit(&team.env, &store, &newest, &parent, 60);
    team.env.git(&store, &format!("update-ref {name} {tip}"));
    team.env.git(&store, &format!("push --quiet --force {} {name}", team.remote.display()));
    let state = ada.store().join("state.json");
    let mut value: Value = serde_json::from_str(&fs::read_to_string(&state).unwrap()).unwrap();
    value["retained"] = json!(0);
    fs::write(&state, value.to_string()).unwrap();
    ada.sync();
    let text = team.batches().concat();
    assert!(!text.contains("old-branch"), "{text}");
    assert_eq!(text.matches("\"sessions\":2").count(), 3, "{text}");
    assert_eq!(text.matches(",1200,10]").count(), 3, "{text}");
    assert_eq!(sessions(&text).len(), 1);
    // Once is enough.
    let before = team.git("rev-parse --glob=refs/ait/*");
    value["retained"] = json!(0);
    let mut now: Value = serde_json::from_str(&fs::read_to_string(&state).unwrap()).unwrap();
    now["retained"] = json!(0);
    fs::write(&state, now.to_string()).unwrap();
    ada.sync();
    assert_eq!(team.git("rev-parse --glob=refs/ait/*"), before);
}
