//! How far back a store reaches: as far as a command wanted, and in a large team not for ever.

use std::fs;

use serde_json::{Value, json};

use super::{Member, Team, add_commit, git_with_input};
use crate::common::ago;

const DAY: i64 = 86_400;

/// Adds to a log in the remote a batch of so many days ago each.
fn log(team: &Team, number: u32, days: &[i64]) {
    let id = format!("{number:016x}");
    let mut tip = team.git(&format!("for-each-ref --format=%(objectname) refs/ait/v1/{id}")).trim().to_owned();
    for days in days {
        let record = json!({
            "session": format!("{number:08x}{days:08x}"), "project": "shop", "branch": "main",
            "from": ago(days * DAY + 600), "to": ago(days * DAY + 60), "days": [[&ago(days * DAY + 600)[..10], 60, 0]],
        });
        let head = json!({"ait": 1, "member": id, "name": format!("Member {number}")});
        tip = add_commit(&team.env, &team.remote, &format!("{head}\n{record}\n"), &tip, days * DAY);
    }
    team.git(&format!("update-ref refs/ait/v1/{id} {tip}"));
}

impl Member<'_> {
    /// How many batches of a log the store has.
    fn batches_of(&self, number: u32) -> usize {
        let git = self.store().join("git");
        let count = format!("rev-list --count refs/remotes/ait/v1/{number:016x}");
        self.team.env.git(&git, &count).trim().parse().unwrap()
    }

    fn state(&self) -> Value {
        serde_json::from_str(&fs::read_to_string(self.store().join("state.json")).unwrap()).unwrap()
    }

    fn change_state(&self, fields: Value) {
        let mut state = self.state();
        state.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
        fs::write(self.store().join("state.json"), state.to_string()).unwrap();
    }
}

#[test]
fn a_large_store_is_cut_to_the_last_weeks_without_a_false_report() {
    let team = Team::new();
    let bob = team.member("Bob");
    log(&team, 1, &[100, 60, 50, 40, 20, 10, 1]);
    log(&team, 2, &[100, 60, 50]);
    log(&team, 3, &[55, 2]);
    bob.join("");
    bob.run("report --team --days 70").success();
    assert_eq!([1, 2, 3].map(|number| bob.batches_of(number)), [6, 2, 2]);
    // A small team, or one whose older days were wanted lately, is not cut.
    for fields in [json!({"batches": 30_000}), json!({"older_wanted": 0, "batches": 10})] {
        bob.change_state(fields);
        bob.sync();
        assert_eq!(bob.batches_of(1), 6);
    }
    let since = bob.state()["since"].as_i64().unwrap();
    bob.change_state(json!({"older_wanted": 0, "batches": 30_000}));
    // News of one member at the same time.
    log(&team, 3, &[0]);
    bob.run("team sync").success();
    assert!(bob.state()["since"].as_i64().unwrap() - since > 34 * DAY, "{}", bob.state());
    // Of a member without news in these weeks the newest batch is kept.
    assert_eq!([1, 2, 3].map(|number| bob.batches_of(number)), [3, 1, 2]);
    let git = bob.store().join("git");
    let objects = team.env.git(&git, "cat-file --batch-all-objects --batch-check=%(objecttype)");
    // Its own log has one batch.
    assert_eq!(objects.lines().filter(|kind| kind.trim() == "commit").count(), 7, "{objects}");
    team.env.git(&git, "fsck --strict");
    assert_eq!(bob.state()["batches"], json!(6));
    // What is older comes back when it is wanted, also with news of someone else, and is kept then.
    log(&team, 3, &[0]);
    let report = bob.run("report --team --days 70 --json").success();
    assert!(report.contains("Member 2"), "{report}");
    assert_eq!([1, 2, 3].map(|number| bob.batches_of(number)), [6, 2, 4]);
    team.env.git(&git, "fsck --strict");
}

#[test]
fn of_a_member_who_left_long_ago_only_the_newest_batch_is_fetched() {
    let team = Team::new();
    let bob = team.member("Bob");
    log(&team, 1, &[300, 200, 100]);
    log(&team, 2, &[300, 200, 100, 1]);
    bob.join("");
    bob.sync();
    assert_eq!([1, 2].map(|number| bob.batches_of(number)), [1, 1]);
    // The member comes back.
    log(&team, 1, &[0]);
    bob.run("team sync").success();
    assert_eq!(bob.batches_of(1), 1);
}

#[test]
fn a_fetch_that_was_interrupted_before_it_sorted_is_made_up_for() {
    let team = Team::new();
    let bob = team.member("Bob");
    log(&team, 1, &[3, 2, 1, 0]);
    bob.join("");
    bob.sync();
    // As after kill -9 when only the newest batch was there, and no record was sorted.
    let git = bob.store().join("git");
    let fetch = format!("fetch --quiet --depth=1 {} +refs/ait/v1/*:refs/remotes/ait/v1/*", team.remote.display());
    team.env.git(&git, &fetch.replace(" /", " file:///"));
    assert_eq!(bob.batches_of(1), 1);
    fs::remove_dir_all(bob.store().join("days")).unwrap();
    bob.change_state(json!({"is_partial": true}));
    bob.sync();
    assert_eq!((bob.batches_of(1), bob.state()["is_partial"].clone()), (4, json!(false)));
    assert_eq!(bob.sessions_of("Member 1").len(), 1);
}

#[test]
fn of_too_many_members_the_known_ones_and_the_own_log_are_read_first() {
    const LEFT_OUT: &str = "3 logs left out: at most 5000 members of one remote are read";
    let team = Team::new();
    let bob = team.member("Bob");
    // In the order of ids it comes after all that are added below.
    log(&team, u32::MAX, &[2]);
    bob.join("");
    bob.sync();
    let other = add_commit(&team.env, &team.remote, "{}\n", "", DAY);
    let names: Vec<String> = (0..5_001).map(|number| format!("{number:016x}")).collect();
    let commands: String = names.iter().map(|name| format!("create refs/ait/v1/{name} {other}\n")).collect();
    git_with_input(&team.remote, &["update-ref", "--stdin"], commands.as_bytes(), "@0 +0000");
    // Bob need not fetch all of these.
    bob.change_state(json!({"rejected": names.iter().map(|name| (name, &other)).collect::<Vec<_>>()}));
    log(&team, u32::MAX, &[1]);
    let output = bob.run("team sync");
    assert_eq!((output.exit_code, output.stderr.as_str()), (Some(0), format!("ait: {LEFT_OUT}\n").as_str()));
    assert_eq!(bob.batches_of(u32::MAX), 2);
    // That member, Bob and 4,998 others.
    let state = bob.state();
    assert_eq!(state["members"], json!(5_000));
    assert_eq!(state["notes"], json!([LEFT_OUT]));
}
