//! `ait report`: periods, groups, running and headless sessions, formats.

use serde_json::{Value, json};

use crate::common::{Client, TestEnv, ago};

/// Writes an ended session with this activity, each entry in UTC.
fn ended(env: &TestEnv, day: &str, id: &str, project: &str, ended: &str, activity: Value) {
    let worked: u64 = activity
        .as_array()
        .unwrap()
        .iter()
        .filter(|entry| entry[0] == "working")
        .map(|entry| entry[3].as_u64().unwrap())
        .sum();
    let fields = json!({
        "project": project, "task": "Fix *it*", "started": "2025-12-01T00:00:00Z", "worked_seconds": worked,
        "activity": activity,
    });
    env.write_history_manifest(day, id, ended, fields);
}

/// Two sessions of one project that overlap, and one of another project on the next day.
fn two_days(env: &TestEnv) {
    ended(
        env,
        "2025-12-24",
        "a",
        "shop",
        "2025-12-24T12:00:00Z",
        json!([
            ["working", "2025-12-24T10:00:00Z", "2025-12-24T11:00:00Z", 3600],
            ["blocked", "2025-12-24T11:00:00Z", "2025-12-24T11:10:00Z", 600],
            ["task", "2025-12-24T10:30:00Z", "Find it", "Fix *it*"],
            ["branch", "2025-12-24T10:45:00Z", "main", "login"],
        ]),
    );
    ended(
        env,
        "2025-12-24",
        "b",
        "shop",
        "2025-12-24T12:00:00Z",
        json!([["working", "2025-12-24T10:30:00Z", "2025-12-24T11:30:00Z", 3600],]),
    );
    ended(
        env,
        "2025-12-25",
        "c",
        "atlas",
        "2025-12-25T09:00:00Z",
        json!([["working", "2025-12-25T08:00:00Z", "2025-12-25T08:30:00Z", 1800],]),
    );
}

fn worked(report: &Value) -> Vec<(String, u64)> {
    let group = |group: &Value| {
        (group["name"].as_str().unwrap_or("null").to_owned(), group["worked_seconds"].as_u64().unwrap())
    };
    report["groups"].as_array().unwrap().iter().map(group).collect()
}

const DAYS: &str = "report --from 2025-12-24 --to 2025-12-25";

#[test]
fn text_lists_projects_with_tasks_branches_and_the_total() {
    let env = TestEnv::new();
    two_days(&env);
    env.run(DAYS).stdout_is(
        "Work from 2025-12-24 to 2025-12-25\n\
         \n\
         shop - 2h worked, 2 sessions\n   1h 30m wall time, 10m blocked\n   \
            Task (1h 30m): Fix *it*\n   Task (30m): Find it\n   \
            Branch (1h 45m): main\n   Branch (15m): login\n\
         \n\
         atlas - 30m worked, 1 session\n   Task (30m): Fix *it*\n   Branch (30m): main\n\
         \n\
         Total - 2h 30m worked, 3 sessions\n   2h wall time, 10m blocked\n",
    );
}

#[test]
fn markdown_shows_names_as_they_are() {
    let env = TestEnv::new();
    two_days(&env);
    env.run("report --from 2025-12-25 --to 2025-12-25 --markdown").stdout_is(
        "## Work on 2025-12-25\n\n**atlas**: 30m worked, 1 session\n\n- Task: Fix \\*it\\* (30m)\n- Branch: main (30m)\n",
    );
}

#[test]
fn groups_are_projects_days_branches_or_tasks() {
    let env = TestEnv::new();
    two_days(&env);
    for (by, wanted) in [
        ("project", vec![("shop", 7200), ("atlas", 1800)]),
        ("day", vec![("2025-12-24", 7200), ("2025-12-25", 1800)]),
        ("branch", vec![("main", 8100), ("login", 900)]),
        ("task", vec![("Fix *it*", 7200), ("Find it", 1800)]),
    ] {
        let report = env.run(&format!("{DAYS} --json --by {by}")).json();
        let wanted: Vec<(String, u64)> = wanted.into_iter().map(|(name, seconds)| (name.to_owned(), seconds)).collect();
        assert_eq!(worked(&report), wanted, "{by}");
        assert_eq!(report["total"]["worked_seconds"], 9000);
    }
    let report = env.run(&format!("{DAYS} --json --project SHOP")).json();
    assert_eq!(worked(&report), [("shop".to_owned(), 7200)]);
}

/// A night of 8 hours by the clock has 7 or 9.
#[test]
fn days_follow_local_time_on_both_sides_of_a_clock_change() {
    let env = TestEnv::new();
    for (day, before, from, to, first, second) in [
        ("2026-03-29", "2026-03-28", "2026-03-28T22:00:00Z", "2026-03-29T05:00:00Z", 3600, 6 * 3600),
        ("2026-10-25", "2026-10-24", "2026-10-24T21:00:00Z", "2026-10-25T06:00:00Z", 3600, 8 * 3600),
    ] {
        let seconds = first + second;
        ended(&env, day, &day.replace('-', ""), "shop", to, json!([["working", from, to, seconds]]));
        let report = format!("report --from {before} --to {day} --by day --json");
        let report = env.ait().env("TZ", "Europe/Berlin").run(&report).json();
        assert_eq!(worked(&report), [(before.to_owned(), first), (day.to_owned(), second)]);
    }
}

#[test]
fn a_session_that_ended_later_counts_with_its_part() {
    let env = TestEnv::new();
    ended(
        &env,
        "2025-12-26",
        "a",
        "shop",
        "2025-12-26T00:00:00Z",
        json!([["working", "2025-12-24T23:00:00Z", "2025-12-25T01:00:00Z", 7200],]),
    );
    let report = env.run("report --from 2025-12-24 --to 2025-12-24 --json").json();
    assert_eq!(worked(&report), [("shop".to_owned(), 3600)]);
}

#[test]
fn a_running_session_counts_up_to_now_and_is_marked() {
    let env = TestEnv::new();
    let (client, folder) = (Client::new(), env.repository("shop"));
    env.start_session(&client, "one", &folder).no_output();
    env.send_event(&client, "UserPromptSubmit", "one", &folder, json!({"prompt": "Fix it"})).success();
    let mut manifest = env.active_manifest("one");
    manifest["state_since"] = json!(ago(600));
    std::fs::write(env.sessions_path("active/one.json"), manifest.to_string()).unwrap();
    // The task was there from the begin on.
    std::fs::write(env.sessions_path("active/one.activity"), "").unwrap();
    let edit = json!({"tool_name": "Edit", "tool_use_id": "t", "tool_input": {"file_path": folder.join("a.rs")}});
    env.send_event(&client, "PostToolUse", "one", &folder, edit).success();
    let group = &env.run("report --days 2 --json").json()["groups"][0];
    let seconds = group["worked_seconds"].as_u64().unwrap();
    assert!((600..660).contains(&seconds), "{group}");
    assert_eq!((&group["running"], &group["files_written"]), (&json!(1), &json!(1)));
    assert_eq!(group["files"][0]["path"], "a.rs");
    let text = env.run("report --days 2").success();
    assert!(text.contains("shop - 10m worked, 1 session (1 running)\n   1 file written\n"), "{text}");
    assert!(text.contains("   Task (10m): Fix it\n   Branch (10m): main\n   Wrote (1 session): a.rs\n"), "{text}");
}

#[test]
fn headless_runs_are_counted_by_themselves() {
    let env = TestEnv::new();
    let (client, folder) = (Client::new(), env.create_dir("p"));
    let ait = || env.ait().child_of(&client, "h").env("CLAUDE_CODE_ENTRYPOINT", "sdk-cli");
    for (event, more) in [("SessionStart", json!({"source": "startup"})), ("UserPromptSubmit", json!({"prompt": "x"}))]
    {
        ait().hook(&crate::common::payload(event, "h", &folder, more)).success();
    }
    let mut manifest = env.active_manifest("h");
    assert_eq!(manifest["headless"], true);
    manifest["state_since"] = json!(ago(120));
    std::fs::write(env.sessions_path("active/h.json"), manifest.to_string()).unwrap();
    let report = env.run("report --days 2 --json").json();
    assert_eq!((&report["groups"], &report["headless"]["sessions"]), (&json!([]), &json!(1)));
    assert!(env.run("report --days 2").success().contains("Headless - 2m worked, 1 session (1 running)\n"));
}

#[test]
fn work_from_before_times_were_recorded_is_told_and_not_invented() {
    let env = TestEnv::new();
    env.write_history_manifest("2025-12-24", "a", "2025-12-24T10:00:00Z", json!({"worked_seconds": 4800}));
    let text = env.run("report --from 2025-12-24 --to 2025-12-24").success();
    assert!(text.ends_with("Not included: 1h 20m that 1 session worked before ait recorded times.\n"), "{text}");
}

#[test]
fn days_without_work_name_the_nearest_days_that_have_some() {
    let env = TestEnv::new();
    two_days(&env);
    env.run("report --from 2025-12-27 --to 2025-12-28").stdout_is(
        "No work is recorded from 2025-12-27 to 2025-12-28.\n\
         Nearest days with sessions: 2025-12-24, 2025-12-25. Type: ait report --from 2025-12-25\n",
    );
    env.run("report").success();
}

#[test]
fn weeks_begin_on_monday() {
    let env = TestEnv::new();
    let week = |words: &str| {
        let report = env.run(words).json();
        [&report["from"], &report["to"]].map(|day| day.as_str().unwrap().parse::<jiff::civil::Date>().unwrap())
    };
    let [monday, today] = week("report --json --week");
    assert_eq!(monday.weekday(), jiff::civil::Weekday::Monday);
    assert!(today >= monday && (today - monday).get_days() < 7);
    let [first, last] = week("report --json --week=-1");
    assert_eq!(((monday - first).get_days(), (last - first).get_days()), (7, 6));
    assert_eq!(week("report --week -1 --json"), [first, last]);
}

#[test]
fn dates_that_are_wrong_are_one_line_and_exit_code_2() {
    let env = TestEnv::new();
    for (words, reason) in [
        ("report --from 2025-02-30", "2025-02-30: not a day"),
        ("report --from 2999-01-01", "2999-01-01"),
        ("report --from 2025-01-01 --to 2999-01-01", "2999-01-01: in the future"),
        ("report --from 2025-12-25 --to 2025-12-24", "2025-12-25: after the last day"),
        ("report --to 2025-12-24", "--to: needs --from"),
        ("report --days 0", "`0`: expected a whole number"),
        ("report --days 4000000000", "too many"),
        ("report --week 1", "--week: in the future"),
        ("report --week x", "`x`"),
        ("report --days 2 --week", "only one of them is possible"),
        ("report --by mood", "expected project, day, branch or task"),
        ("report --json --markdown", "only one of them is possible"),
    ] {
        let output = env.run(words);
        let errors = &output.stderr;
        assert_eq!((output.exit_code, errors.lines().count()), (Some(2), 1), "{output:?}");
        assert!(errors.starts_with("ait: ") && errors.contains(reason), "{errors}");
    }
}
