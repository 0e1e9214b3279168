//! `ait sessions history`, and what time does to manifests: days, zones, elapsed.
use crate::common;

use std::fs;

use crate::common::{Client, TestEnv, ago, file_names, object_keys};
use jiff::civil::Date;
use jiff::tz::TimeZone;
use jiff::{Timestamp, ToSpan};
use serde_json::{Value, json};

fn ids(shown: &Value) -> Vec<&str> {
    shown["sessions"].as_array().unwrap().iter().map(|session| session["session_id"].as_str().unwrap()).collect()
}

/// Three days with sessions of two projects.
fn three_days(env: &TestEnv) {
    let fields =
        |project: &str, started: &str, task: &str| json!({"project": project, "started": started, "task": task});
    env.write_history_manifest(
        "2025-12-24",
        "a",
        "2025-12-24T09:30:00Z",
        fields("atlas", "2025-12-24T08:00:00Z", "OAuth"),
    );
    env.write_history_manifest(
        "2025-12-25",
        "b",
        "2025-12-25T10:00:00Z",
        fields("aiterm", "2025-12-25T09:00:00Z", "tree"),
    );
    env.write_history_manifest(
        "2025-12-25",
        "c",
        "2025-12-25T12:03:00Z",
        fields("atlas", "2025-12-25T10:00:00Z", "login bug"),
    );
    env.write_history_manifest(
        "2025-12-27",
        "d",
        "2025-12-27T10:00:30Z",
        fields("aiterm", "2025-12-27T10:00:00Z", "ÜBER it"),
    );
}

mod listing {
    use super::*;

    #[test]
    fn of_one_day_the_last_one_first() {
        let env = TestEnv::new();
        three_days(&env);
        env.write_history_manifest(
            "2025-12-25",
            "e",
            "2025-12-25T11:00:00Z",
            json!({
                "started": null, "task": null, "git_branch": null, "status": "pruned", "end_reason": "other",
            }),
        );
        env.run("sessions history --date 2025-12-25").stdout_is(
            "Sessions on 2025-12-25\n\
             \n\
             1. atlas (main) - 2h 3m\n   10:00 to 12:03, completed\n   ~\n   Task: login bug\n   Session: c\n\
             \n\
             2. aiterm\n   ? to 11:00, pruned\n   ~\n   Session: e\n\
             \n\
             3. aiterm (main) - 1h\n   09:00 to 10:00, completed\n   ~\n   Task: tree\n   Session: b\n",
        );
    }

    #[test]
    fn history_without_options_lists_today() {
        let env = TestEnv::new();
        three_days(&env);
        let client = Client::new();
        env.start_session(&client, "one", &env.create_dir("p")).no_output();
        env.end_session(&client, "one", &env.create_dir("p"), "other");
        let (today, _) = env.history_entries().pop().unwrap();
        let shown = env.run("sessions history").success();
        assert!(shown.starts_with(&format!("Sessions on {today}\n\n1. p - <1m\n")), "{shown}");
        assert_eq!(env.run("sessions history --date today").success(), shown);
        assert_eq!(ids(&env.run("sessions history --json").json()), ["one"]);
    }

    /// Manifests say to the second when a session ended, and more precisely when it was last heard of.
    #[test]
    fn of_one_second_the_last_one_first_too() {
        let env = TestEnv::new();
        for (id, updated) in [("a", "10:00:00.3Z"), ("b", "10:00:00.5Z"), ("c", "10:00:00.4Z")] {
            let fields = json!({"updated": format!("2025-12-25T{updated}")});
            env.write_history_manifest("2025-12-25", id, "2025-12-25T10:00:00Z", fields);
        }
        assert_eq!(ids(&env.run("sessions history --date 2025-12-25 --json").json()), ["b", "c", "a"]);
    }

    #[test]
    fn why_a_session_ended_is_said_in_words() {
        for (reason, words) in [
            (json!("clear"), " (cleared)"),
            (json!("prompt_input_exit"), " (exited)"),
            (json!("logout"), " (logged out)"),
            (json!("resume"), " (switched to another session)"),
            (json!("replaced"), " (replaced by another session)"),
            (json!("brand new"), " (brand new)"),
            (json!("other"), ""),
            (Value::Null, ""),
        ] {
            let env = TestEnv::new();
            env.write_history_manifest("2025-12-25", "a", "2025-12-25T10:00:00Z", json!({ "end_reason": reason }));
            let shown = env.run("sessions history --date 2025-12-25").success();
            assert!(shown.contains(&format!(" to 10:00, completed{words}\n")), "{shown}");
            let raw = env.run("sessions history --date 2025-12-25 --json").json();
            assert_eq!(raw["sessions"][0]["end_reason"], reason);
        }
    }

    #[test]
    fn history_of_several_days_lists_the_newest_first() {
        let env = TestEnv::new();
        three_days(&env);
        let shown = |words: &str| {
            let shown = env.run(&format!("sessions history --json {words}")).json();
            let days: Vec<String> =
                shown["days"].as_array().unwrap().iter().map(|day| day.as_str().unwrap().to_owned()).collect();
            (ids(&shown).join(" "), days.join(" "))
        };
        let both = |ids: &str, days: &str| (ids.to_owned(), days.to_owned());
        assert_eq!(shown("--date 2025-12-27 --days 3"), both("d c b", "2025-12-27 2025-12-25"));
        assert_eq!(shown("--date 2025-12-27 --days=4"), both("d c b a", "2025-12-27 2025-12-25 2025-12-24"));
        assert_eq!(shown("--date 2025-12-26 --days 2"), both("c b", "2025-12-25"));
        assert_eq!(shown("--date 2025-12-25 --days 1"), both("c b", "2025-12-25"));
        assert_eq!(shown("--date 2025-12-25 --days 4000000000"), both("c b a", "2025-12-25 2025-12-24"));
        assert_eq!(shown("--days 100000"), both("d c b a", "2025-12-27 2025-12-25 2025-12-24"));
        let people = env.run("sessions history --date 2025-12-27 --days 4").success();
        let titles: Vec<&str> = people.lines().filter(|line| line.starts_with("Sessions on")).collect();
        assert_eq!(titles, ["Sessions on 2025-12-27", "Sessions on 2025-12-25", "Sessions on 2025-12-24"]);
    }

    #[test]
    fn history_is_filtered_and_limited() {
        let env = TestEnv::new();
        three_days(&env);
        let shown = |words: &[&str]| {
            let words = [&["sessions", "history", "--json", "--days", "100000"], words].concat();
            ids(&env.ait().run_args(&words).json()).join(" ")
        };
        assert_eq!(shown(&["--project", "atlas"]), "c a");
        assert_eq!(shown(&["--project", "Atlas"]), "c a");
        assert_eq!(shown(&["--search", "LOGIN"]), "c");
        assert_eq!(shown(&["--search", "über"]), "d");
        assert_eq!(shown(&["--search", "main"]), "d c b a", "a branch");
        assert_eq!(shown(&["--search=login bug"]), "c");
        assert_eq!(shown(&["--search", "zzz"]), "");
        assert_eq!(shown(&["--limit", "2"]), "d c");
        assert_eq!(shown(&["--limit", "1", "--project", "atlas"]), "c");
        assert_eq!(shown(&["--limit=3", "--search", "e"]), "d c b");
    }

    #[test]
    fn as_json() {
        let env = TestEnv::new();
        three_days(&env);
        let shown = env.run("sessions history --date 2025-12-24 --json").json();
        assert_eq!(object_keys(&shown), ["days", "headless_left_out", "schema_version", "sessions"]);
        let session = &shown["sessions"][0];
        for (name, value) in [
            ("session_id", json!("a")),
            ("ended", json!("2025-12-24T09:30:00Z")),
            ("status", json!("completed")),
            ("end_reason", Value::Null),
            ("elapsed_seconds", json!(5400)),
            ("task", json!("OAuth")),
        ] {
            assert_eq!(session.get(name), Some(&value), "{name} of {session:#}");
        }
        let none = env.run("sessions history --date 2025-12-26 --json").json();
        assert_eq!((&none["sessions"], &none["days"]), (&json!([]), &json!([])));
    }

    #[test]
    fn a_day_without_sessions_names_the_days_near_it() {
        let env = TestEnv::new();
        env.run("sessions history --date 2025-12-26").stdout_is("No sessions were active on 2025-12-26.\n");
        three_days(&env);
        env.run("sessions history --date 2025-12-26").stdout_is(
            "No sessions were active on 2025-12-26.\n\
             Nearest days with sessions: 2025-12-24, 2025-12-25, 2025-12-27. Type: ait sessions history --date 2025-12-27\n",
        );
        env.run("sessions history --date 2025-12-31 --days 3").stdout_is(
            "No sessions were active in the 3 days up to 2025-12-31.\n\
             Nearest days with sessions: 2025-12-24, 2025-12-25, 2025-12-27. Type: ait sessions history --date 2025-12-27\n",
        );
        env.run("sessions history --date 2025-12-25 --project none")
            .stdout_is("No sessions that match were active on 2025-12-25.\n");
    }

    #[test]
    fn what_is_no_day_is_said() {
        let env = TestEnv::new();
        for day in ["2025-13-01", "25.12.2025", "2025-02-30", "tomorrow", "2025-1-1", "../active", "0"] {
            let why = format!("reading the date: {day}: not a day; write it as 2025-12-25, today or yesterday");
            env.run(&format!("sessions history --date {day}")).failure(2, &why);
        }
    }

    #[test]
    fn broken_and_foreign_files_in_history() {
        let env = TestEnv::new();
        three_days(&env);
        let file = env.write_file(".claude/sessions/history/2025-12-25/torn.json", "{");
        env.write_file(".claude/sessions/history/2025-12-25/notes.txt", "x");
        env.write_file(".claude/sessions/history/not-a-day/x.json", "{}");
        env.write_file(".claude/sessions/history/2025-12-23", "a file");
        let remark = format!(
            "reading a manifest: {}: EOF while parsing an object at line 1 column 1; the file was not changed",
            file.display()
        );
        let shown = env.run("sessions history --date 2025-12-25").success_with_warning(&remark);
        assert!(shown.contains("1. atlas") && shown.contains("2. aiterm"), "{shown}");
        assert!(file.exists());
    }

    /// Earlier days are not read, and broken files of later ones are of no interest.
    #[test]
    #[cfg(target_os = "linux")]
    fn other_days_are_not_reported() {
        use std::os::unix::fs::PermissionsExt;
        let env = TestEnv::new();
        three_days(&env);
        for day in ["2025-12-24", "2025-12-26", "2025-12-27"] {
            env.write_file(&format!(".claude/sessions/history/{day}/torn.json"), "{");
        }
        let closed = env.sessions_path("history/2025-12-24");
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o000)).unwrap();
        let shown = env.run("sessions history --date 2025-12-25 --json").json();
        fs::set_permissions(&closed, fs::Permissions::from_mode(0o700)).unwrap();
        assert_eq!(ids(&shown), ["c", "b"]);
    }
}

mod active_on {
    use super::*;

    fn on(env: &TestEnv, words: &str) -> String {
        ids(&env.run(&format!("sessions history --json {words}")).json()).join(" ")
    }

    #[test]
    fn a_session_of_thirty_hours_is_in_both_days() {
        let env = TestEnv::new();
        env.write_history_manifest(
            "2025-12-25",
            "long",
            "2025-12-25T12:00:00Z",
            json!({"started": "2025-12-24T06:00:00Z"}),
        );
        assert_eq!(on(&env, "--date 2025-12-23"), "");
        assert_eq!(on(&env, "--date 2025-12-24"), "long");
        assert_eq!(on(&env, "--date 2025-12-25"), "long");
        assert_eq!(on(&env, "--date 2025-12-26"), "");
        let shown = env.run("sessions history --date 2025-12-24").success();
        assert!(shown.contains("Sessions on 2025-12-24\n") && shown.contains("06:00 to 2025-12-25 12:00"), "{shown}");
        let both = env.run("sessions history --date 2025-12-25 --days 2 --json").json();
        assert_eq!((ids(&both), &both["days"]), (vec!["long"], &json!(["2025-12-25"])), "listed once");
    }

    #[test]
    fn a_day_without_recorded_activity_is_left_out() {
        let env = TestEnv::new();
        let activity = json!([
            ["working", "2025-12-21T10:00:00Z", "2025-12-21T11:00:00Z", 3600],
            ["blocked", "2025-12-23T23:50:00Z", "2025-12-24T00:00:00Z", 600],
        ]);
        let fields = json!({"started": "2025-12-20T08:00:00Z", "activity": activity});
        env.write_history_manifest("2025-12-25", "idle", "2025-12-25T12:00:00Z", fields);
        let days: Vec<u32> = (18..28).filter(|day| on(&env, &format!("--date 2025-12-{day}")) == "idle").collect();
        assert_eq!(days, [20, 21, 23, 25], "a span until midnight is not in the next day");
    }

    #[test]
    fn a_session_that_ended_more_than_a_week_later_is_not_looked_for() {
        let env = TestEnv::new();
        for day in ["2025-12-27", "2025-12-28"] {
            let started = json!({"started": "2025-12-20T08:00:00Z"});
            env.write_history_manifest(day, &format!("to-{day}"), &format!("{day}T12:00:00Z"), started);
        }
        assert_eq!(on(&env, "--date 2025-12-20"), "to-2025-12-27");
        assert_eq!(on(&env, "--date 2025-12-21"), "to-2025-12-28 to-2025-12-27");
    }

    #[test]
    fn a_running_session_is_in_today_and_marked() {
        let env = TestEnv::new();
        let client = Client::new();
        env.write_manifest("old-and-idle", client.pid(), &env.path(""), json!({"started": ago(4 * 86400)}));
        env.write_manifest("dead", Client::new().kill(), &env.path(""), json!({"updated": ago(0)}));
        let shown = env.run("sessions history").success();
        assert!(shown.contains(" to now, running\n"), "{shown}");
        assert!(shown.contains(", stale: its process no longer exists\n"), "{shown}");
        assert!(shown.find("running") < shown.find("stale"), "{shown}");
        let sessions = env.run("sessions history --json").json()["sessions"].clone();
        assert_eq!((&sessions[0]["running"], &sessions[0]["status"]), (&json!(true), &json!("running")));
        assert_eq!((&sessions[1]["running"], &sessions[1]["status"]), (&json!(false), &json!("stale")));
        assert_eq!(on(&env, "--status running --date yesterday"), "old-and-idle");
    }

    #[test]
    fn by_user_status_and_whether_it_can_be_resumed() {
        let env = TestEnv::new();
        let client = Client::new();
        env.write_manifest("runs", client.pid(), &env.path(""), json!({"user": "ann"}));
        let today = ago(0);
        let file = env.write_file("kept.jsonl", "{}\n");
        for (id, status, user, transcript) in [
            ("done", "completed", "ann", file.to_str().unwrap()),
            ("cut", "interrupted", "bob", file.to_str().unwrap()),
            ("gone", "pruned", "ann", "/transcripts/none.jsonl"),
        ] {
            let fields = json!({"status": status, "user": user, "transcript_path": transcript});
            env.write_history_manifest(&today[..10], id, &today, fields);
        }
        let sorted = |words: &str| {
            let shown = on(&env, words);
            let mut ids: Vec<&str> = shown.split(' ').collect();
            ids.sort_unstable();
            ids.join(" ")
        };
        assert_eq!(sorted(""), "cut done gone runs");
        assert_eq!(sorted("--user ann"), "done gone runs");
        assert_eq!(sorted("--user bob"), "cut");
        for (status, id) in [("running", "runs"), ("completed", "done"), ("interrupted", "cut"), ("pruned", "gone")] {
            assert_eq!(sorted(&format!("--status {status}")), id);
        }
        assert_eq!(sorted("--resumable"), "cut done");
        let shown = env.run("sessions history --resumable --user bob").success();
        assert!(shown.contains("\nType:\n  1. cd "), "{shown}");
        assert!(shown.contains("claude --resume cut\n"), "{shown}");
        env.run("sessions history --status over").failure(
            2,
            "reading the command line: ait sessions history: --status: `over`: expected running, stale, completed, \
             interrupted or pruned; type: ait sessions history --help",
        );
    }

    #[test]
    fn the_id_is_as_short_as_it_can_be() {
        let env = TestEnv::new();
        for id in ["3f9c1e07-aaaa", "3f9c1e07-abbb", "77777777-cccc"] {
            env.write_history_manifest("2025-12-25", id, "2025-12-25T12:00:00Z", json!({}));
        }
        let shown = env.run("sessions history --date 2025-12-25").success();
        let ids: Vec<&str> = shown.lines().filter_map(|line| line.strip_prefix("   Session: ")).collect();
        assert_eq!(ids, ["77777777", "3f9c1e07-ab", "3f9c1e07-aa"]);
    }
}

#[cfg(target_os = "linux")]
mod pager {
    use super::*;
    use crate::common::AIT;
    use crate::common::tools::needs;
    use std::process::Stdio;

    /// What a terminal of ten rows shows.
    fn shown(env: &TestEnv, pager: Option<&str>, words: &str) -> String {
        let line = format!("stty cols 80 rows 10; {AIT} sessions history --color never {words}; echo exit $?");
        let mut ait = env.ait().env("TERM", "xterm").env("SHELL", "/bin/sh");
        if let Some(pager) = pager {
            ait = ait.env("PAGER", pager);
        }
        let output = ait.command("script").args(["-qec", &line, "/dev/null"]).stdin(Stdio::null()).output().unwrap();
        String::from_utf8(output.stdout).unwrap().replace("\r\n", "\n")
    }

    #[test]
    fn only_a_list_longer_than_the_screen_goes_to_the_pager() {
        needs!("script");
        let env = TestEnv::new();
        three_days(&env);
        let paged = |words: &str| shown(&env, Some("sed 's/^/PAGED /'"), words).contains("PAGED");
        assert!(paged("--date 2025-12-25"), "two sessions");
        assert!(!paged("--date 2025-12-24"), "one session");
        assert!(!paged("--date 2025-12-25 --no-pager"));
        assert!(!paged("--date 2025-12-25 --json"));
        // Not a terminal.
        let plain = env.ait().env("PAGER", "sed 's/^/PAGED /'").run("sessions history --date 2025-12-25").success();
        assert!(!plain.contains("PAGED"), "{plain}");
    }

    #[test]
    fn a_pager_may_be_missing_or_left_early() {
        needs!("script");
        let env = TestEnv::new();
        three_days(&env);
        let plain = shown(&env, Some(""), "--date 2025-12-25");
        assert!(plain.contains("aiterm (main)") && plain.ends_with("exit 0\n"), "{plain}");
        for pager in ["no-such-pager --option", "/dev/null"] {
            let shown = shown(&env, Some(pager), "--date 2025-12-25");
            assert!(shown.ends_with(&plain), "{pager}: {shown}");
        }
        assert_eq!(shown(&env, Some("true"), "--date 2025-12-25"), "exit 0\n");
        assert_eq!(shown(&env, Some("head -n 1 >/dev/null"), "--date 2025-12-25"), "exit 0\n");
    }
}

mod time {
    use super::*;

    /// A zone that nobody can mistake for UTC, one of odd minutes, the system's, and two that do not exist.
    const ZONES: [Option<&str>; 6] =
        [Some("America/Denver"), Some("Asia/Kathmandu"), Some("UTC"), None, Some("No/Such_Zone"), Some("::nonsense::")];

    fn in_zone<'w>(env: &'w TestEnv, zone: Option<&str>) -> common::AitCommand<'w> {
        match zone {
            Some(zone) => env.ait().env("TZ", zone),
            None => env.ait().env_remove("TZ"),
        }
    }

    /// The zone as it is to be understood: one that does not exist is UTC.
    fn zone_of(name: Option<&str>) -> TimeZone {
        match name {
            Some(name) => TimeZone::get(name).unwrap_or(TimeZone::UTC),
            None => TimeZone::try_system().unwrap_or(TimeZone::UTC),
        }
    }

    #[test]
    fn the_start_is_utc_in_every_zone() {
        for zone in ZONES {
            let env = TestEnv::new();
            let client = Client::new();
            let before = Timestamp::now().as_second();
            let start = common::payload("SessionStart", "one", &env.path(""), json!({"source": "startup"}));
            in_zone(&env, zone).child_of(&client, "one").hook(&start).no_output();
            let started = env.active_manifest("one")["started"].as_str().unwrap().to_owned();
            assert!(started.len() == 20 && started.ends_with('Z'), "{zone:?}: {started}");
            let second = started.parse::<Timestamp>().unwrap().as_second();
            assert!((before..=Timestamp::now().as_second()).contains(&second), "{zone:?}: {started}");
        }
    }

    #[test]
    fn elapsed_is_right_in_every_zone() {
        let env = TestEnv::new();
        let clients: Vec<Client> = (0..6).map(|_| Client::new()).collect();
        for (client, (id, started)) in clients.iter().zip([
            ("a", json!(ago(3 * 86400 + 4 * 3600 + 90))),
            ("b", json!(ago(2 * 3600 + 3 * 60 + 30))),
            ("c", json!(ago(45 * 60 + 30))),
            // As other people's scripts write it: another offset, no offset at all (then it is UTC), fractions.
            (
                "d",
                json!(
                    Timestamp::now()
                        .checked_sub(30.minutes())
                        .unwrap()
                        .checked_sub(30.seconds())
                        .unwrap()
                        .to_zoned_datetime(TimeZone::get("Asia/Kathmandu").unwrap())
                        .strftime("%Y-%m-%dT%H:%M:%S%:z")
                        .to_string()
                ),
            ),
            ("e", json!(ago(20 * 60 + 30).trim_end_matches('Z'))),
            ("f", json!(ago(-3600))),
        ]) {
            env.write_manifest(id, client.pid(), &env.path(id), json!({"started": started, "task": null}));
        }
        for zone in ZONES {
            let shown = in_zone(&env, zone).run("sessions live").success();
            let elapsed: Vec<&str> = shown.lines().filter_map(|line| Some(line.split_once(" - ")?.1)).collect();
            assert_eq!(elapsed, ["3d 4h", "2h 3m", "45m", "30m", "20m", "<1m"], "{zone:?}");
        }
    }

    /// One moment, two dates: the folder is of the local date on which the session ended.
    #[test]
    fn the_day_is_the_local_one() {
        for zone in ZONES {
            let env = TestEnv::new();
            let client = Client::new();
            env.start_session(&client, "one", &env.path("")).no_output();
            let end = common::payload("SessionEnd", "one", &env.path(""), json!({"reason": "other"}));
            in_zone(&env, zone).child_of(&client, "one").hook(&end).no_output();
            let (day, _) = env.history_entries().remove(0);
            let ended: Timestamp = env.history_manifest("one")["ended"].as_str().unwrap().parse().unwrap();
            assert_eq!(day, ended.to_zoned_datetime(zone_of(zone)).date().to_string(), "{zone:?}");
            let shown = in_zone(&env, zone).run(&format!("sessions history --json --date {day}")).json();
            assert_eq!(ids(&shown), ["one"], "{zone:?}");
        }
    }

    /// At each of these moments it is one date in one of the zones, and another in another.
    #[test]
    fn the_day_of_a_stale_session_is_the_local_one_of_its_last_sign_of_life() {
        for (zone, updated, day) in [
            ("America/Denver", "2025-12-26T06:59:59Z", "2025-12-25"),
            ("America/Denver", "2025-12-26T07:00:00Z", "2025-12-26"),
            ("America/Denver", "2025-07-02T05:59:59Z", "2025-07-01"),
            ("Asia/Kathmandu", "2025-12-26T18:14:59Z", "2025-12-26"),
            ("Asia/Kathmandu", "2025-12-26T18:15:00Z", "2025-12-27"),
            ("UTC", "2025-12-26T23:59:59Z", "2025-12-26"),
            ("No/Such_Zone", "2025-12-26T23:59:59Z", "2025-12-26"),
        ] {
            let env = TestEnv::new();
            let fields = json!({"updated": updated, "started": "2025-12-26T00:00:00Z"});
            env.write_manifest("one", Client::new().kill(), &env.path("p"), fields);
            env.ait().env("TZ", zone).run("sessions prune").success();
            assert_eq!(env.history_entries(), [(day.to_owned(), "one".to_owned())], "{updated} in {zone}");
            assert_eq!(env.history_manifest("one")["ended"], updated);
        }
    }

    #[test]
    fn the_clock_in_history_is_local() {
        let env = TestEnv::new();
        three_days(&env);
        for (zone, hours) in [
            ("America/Denver", "   03:00 to 05:03,"),
            ("Asia/Kathmandu", "   15:45 to 17:48,"),
            ("Nonsense", "   10:00 to 12:03,"),
        ] {
            let shown = env.ait().env("TZ", zone).run("sessions history --date 2025-12-25").success();
            assert!(shown.contains(hours), "{zone}: {shown}");
        }
    }

    #[test]
    fn a_session_of_several_days_says_when_it_began() {
        let env = TestEnv::new();
        let ended = "2025-12-25T12:03:00Z";
        env.write_history_manifest("2025-12-25", "a", ended, json!({"started": "2025-12-23T22:10:00Z"}));
        let shown = env.run("sessions history --date 2025-12-25").success();
        assert!(shown.contains("\n   2025-12-23 22:10 to 12:03,"), "{shown}");
    }

    #[test]
    fn today_and_yesterday_are_local() {
        for zone in ["America/Denver", "Asia/Kathmandu", "Pacific/Kiritimati", "Pacific/Pago_Pago"] {
            let env = TestEnv::new();
            let tz = TimeZone::get(zone).unwrap();
            // The date can change while the test runs: then it is asked again.
            for attempt in 0.. {
                let today = || Timestamp::now().to_zoned_datetime(tz.clone()).date();
                let before = today();
                let yesterday: Date = before.yesterday().unwrap();
                // Begun when they end, so that neither reaches into the day before.
                for (day, id, ended) in [(before, "now", ago(0)), (yesterday, "then", ago(86400))] {
                    env.write_history_manifest(&day.to_string(), id, &ended, json!({"started": ended}));
                }
                let shown = |words: &str| {
                    let shown = env.ait().env("TZ", zone).run(&format!("sessions history --json {words}")).json();
                    ids(&shown).join(" ")
                };
                let found = [shown(""), shown("--date yesterday"), shown("--days 2")];
                if today() == before {
                    assert_eq!(found, ["now", "then", "now then"], "{zone}");
                    break;
                }
                assert!(attempt < 2, "two midnights in a row");
                fs::remove_dir_all(env.sessions_path("history")).unwrap();
            }
        }
    }

    /// Ended here, resumed there: a session is in one place, and a day that it left is no day with sessions.
    #[test]
    fn what_was_archived_lies_in_one_day_only() {
        let env = TestEnv::new();
        let client = Client::new();
        let folder = env.create_dir("p");
        env.start_session(&client, "one", &folder).no_output();
        let end = common::payload("SessionEnd", "one", &folder, json!({"reason": "other"}));
        let resume = common::payload("SessionStart", "one", &folder, json!({"source": "resume"}));
        for zone in ["Pacific/Kiritimati", "Pacific/Pago_Pago", "UTC", ""] {
            let ait = env.ait().env("TZ", zone).child_of(&client, "one");
            ait.hook(&end).no_output();
            assert_eq!(env.history_entries().len(), 1, "{zone}: {:?}", env.history_entries());
            ait.hook(&resume).no_output();
            assert_eq!((env.history_entries().len(), env.active_ids().len()), (0, 1), "{zone}");
        }
        let days = file_names(&env.sessions_path("history"));
        let shown = env.run("sessions history --date 2020-01-01").success();
        assert_eq!(shown, "No sessions were active on 2020-01-01.\n", "{days:?}");
    }
}
