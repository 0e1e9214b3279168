//! Days on which clocks are changed have 23, 25, or half an hour more or less than 24 hours. Report, timeline and history
//! count by the local day.

use std::collections::BTreeSet;

use jiff::tz::TimeZone;
use jiff::{SignedDuration, Timestamp};
use serde_json::{Value, json};

use crate::common::TestEnv;

/// A zone, a day, and its begin and end in UTC.
const DAYS: [(&str, &str, &str, &str); 6] = [
    ("Europe/Berlin", "2025-03-30", "2025-03-29T23:00:00Z", "2025-03-30T22:00:00Z"),
    ("Europe/Berlin", "2025-10-26", "2025-10-25T22:00:00Z", "2025-10-26T23:00:00Z"),
    ("America/New_York", "2025-03-09", "2025-03-09T05:00:00Z", "2025-03-10T04:00:00Z"),
    ("America/New_York", "2025-11-02", "2025-11-02T04:00:00Z", "2025-11-03T05:00:00Z"),
    ("Australia/Lord_Howe", "2025-04-06", "2025-04-05T13:00:00Z", "2025-04-06T13:30:00Z"),
    ("Australia/Lord_Howe", "2025-10-05", "2025-10-04T13:30:00Z", "2025-10-05T13:00:00Z"),
];

/// A home with sessions on both sides of each end of a day, and the seconds of that day.
fn sessions_around(zone: &str, begin: &str, end: &str) -> (TestEnv, i64) {
    let env = TestEnv::new();
    let at = |text: &str, seconds: i64| -> Timestamp {
        text.parse::<Timestamp>().unwrap() + SignedDuration::from_secs(seconds)
    };
    for (id, from, to) in [
        ("before", at(begin, -600), at(begin, -1)),
        ("first", at(begin, 0), at(begin, 600)),
        ("whole", at(begin, -3600), at(end, 3600)),
        ("last", at(end, -600), at(end, -1)),
        ("after", at(end, 0), at(end, 600)),
    ] {
        let seconds = to.as_second() - from.as_second();
        let day = to.to_zoned_datetime(TimeZone::get(zone).unwrap()).date().to_string();
        let fields = json!({
            "started": from.to_string(), "worked_seconds": seconds, "state": "idle",
            "activity": [["working", from.to_string(), to.to_string(), seconds]],
        });
        env.write_history_manifest(&day, id, &to.to_string(), fields);
    }
    let seconds = at(end, 0).as_second() - at(begin, 0).as_second();
    (env, seconds)
}

fn ids(sessions: &Value) -> BTreeSet<&str> {
    sessions.as_array().unwrap().iter().map(|session| session["session_id"].as_str().unwrap()).collect()
}

#[test]
fn a_day_is_as_long_as_its_clock_says() {
    for (zone, day, begin, end) in DAYS {
        let (env, seconds) = sessions_around(zone, begin, end);
        let json = |words: &str| env.ait().env("TZ", zone).run(words).json();
        let active = BTreeSet::from(["first", "last", "whole"]);

        let timeline = json(&format!("timeline --date {day} --json"));
        assert_eq!((&timeline["begin"], &timeline["end"]), (&json!(begin), &json!(end)), "{zone} {day}");
        assert_eq!(ids(&timeline["sessions"]), active, "timeline {zone} {day}");
        let whole = timeline["sessions"].as_array().unwrap().iter().find(|one| one["session_id"] == "whole").unwrap();
        assert_eq!(whole["worked_seconds"], json!(seconds), "{zone} {day}");
        assert_eq!(whole["bars"], json!([{"state": "working", "from": begin, "to": end}]), "{zone} {day}");

        let report = json(&format!("report --from {day} --to {day} --by day --json"));
        let group = &report["groups"][0];
        assert_eq!((&group["name"], &group["sessions"]), (&json!(day), &json!(3)), "{zone} {day}");
        assert_eq!(group["worked_seconds"], json!(seconds + 600 + 599), "{zone} {day}");
        assert_eq!(group["wall_seconds"], json!(seconds), "{zone} {day}");

        let history = json(&format!("sessions history --date {day} --json"));
        assert_eq!(ids(&history["sessions"]), active, "history {zone} {day}");
    }
}

#[test]
fn neighbouring_days_miss_and_repeat_no_second() {
    for (zone, day, begin, end) in DAYS {
        let (env, _) = sessions_around(zone, begin, end);
        let date: jiff::civil::Date = day.parse().unwrap();
        let (before, after) = (date.yesterday().unwrap(), date.tomorrow().unwrap());
        let report = format!("report --from {before} --to {after} --by day --json");
        let report = env.ait().env("TZ", zone).run(&report).json();
        let days: Vec<u64> =
            report["groups"].as_array().unwrap().iter().map(|group| group["wall_seconds"].as_u64().unwrap()).collect();
        assert_eq!((days[0], days[2]), (3600, 3600), "{zone} {day}: {report:#}");
        let total = &report["total"];
        assert_eq!(total["wall_seconds"], json!(days.iter().sum::<u64>()), "{zone} {day}");
    }
}

#[test]
fn the_axis_of_a_timeline_leaves_out_the_hour_that_is_missing() {
    let (zone, day, begin, end) = DAYS[0];
    let (env, _) = sessions_around(zone, begin, end);
    let text = env.ait().env("TZ", zone).env("AIT_WIDTH", "300").run(&format!("timeline --date {day}")).success();
    assert!(text.contains(" 01:00 ") && text.contains(" 03:00 ") && !text.contains(" 02:00 "), "{text}");
}
