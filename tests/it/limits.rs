//! The limits of a subscription, as the most recent status line of any session was told.

use std::fs;
use std::path::PathBuf;

use jiff::Timestamp;
use serde_json::json;

use crate::common::{Client, TestEnv};

const ONE: &str = "6425757d-2548-4fb2-9ce2-2c43e134d597";
const TWO: &str = "9029aedc-fe71-4c87-b21d-9d372d6ce844";
const FORMAT: &str = "{limits}";

/// Two sessions, in folders of their own.
struct Stage {
    env: TestEnv,
    _clients: [Client; 2],
}

impl Stage {
    fn new() -> Stage {
        let env = TestEnv::new();
        let clients = [Client::new(), Client::new()];
        for (id, client) in [ONE, TWO].into_iter().zip(&clients) {
            let folder = env.create_dir(id);
            env.write_manifest(id, client.pid(), &folder, json!({}));
        }
        Stage { env, _clients: clients }
    }

    /// The status line of a session that was told these shares and resets, in seconds from now.
    fn status_line(&self, id: &str, format: &str, told: &[(&str, f64, i64)]) -> String {
        let now = Timestamp::now().as_second();
        let limits: serde_json::Map<_, _> = told
            .iter()
            .map(|(name, share, left)| {
                ((*name).to_owned(), json!({"used_percentage": share, "resets_at": now.saturating_add(*left)}))
            })
            .collect();
        let payload = json!({"session_id": id, "cwd": self.env.path(id), "rate_limits": limits}).to_string();
        let words = ["statusline", "--color", "never", "--format", format];
        self.env.ait().run_with_input(&words, payload.as_bytes()).success().trim_end().to_owned()
    }

    fn prompt(&self, words: &[&str]) -> String {
        self.env.ait().current_dir(&self.env.path(TWO)).run_args(&[&["prompt"], words].concat()).success()
    }

    fn file(&self) -> PathBuf {
        let roots = fs::read_dir(self.env.path(".cache/ait")).unwrap();
        let mut found = roots.map(|root| root.unwrap().path().join("limits")).filter(|file| file.exists());
        found.next().expect("a file of limits")
    }
}

#[test]
fn other_sessions_and_prompts_show_the_limits_that_the_most_recent_one_was_told() {
    let stage = Stage::new();
    assert_eq!(stage.status_line(TWO, FORMAT, &[]), "", "nothing is known");
    assert_eq!(stage.prompt(&["--format", "{limits}"]), "");
    let told = stage.status_line(ONE, "{limits} {resets}", &[("five_hour", 41.6, 7230), ("seven_day", 7.0, 90_030)]);
    assert_eq!(told, "5h 42% 7d 7% 5h in 2h 7d in 1d 1h");
    assert_eq!(stage.status_line(TWO, FORMAT, &[]), "5h 42% 7d 7%");
    assert_eq!(stage.prompt(&["--format", "{limits} {resets}"]), told);
    assert_eq!(stage.prompt(&["--all", "--format", "{count} {limits}"]), "2 5h 42% 7d 7%");

    // What the other one was told before the same reset, or before an earlier one, is older.
    let reset = fs::read_to_string(stage.file()).unwrap().split(' ').nth(2).unwrap().parse::<i64>().unwrap();
    let left = reset - Timestamp::now().as_second();
    assert_eq!(stage.status_line(TWO, FORMAT, &[("five_hour", 90.0, left - 3600)]), "5h 42% 7d 7%");
    assert_eq!(stage.status_line(TWO, FORMAT, &[("five_hour", 5.0, left + 3600)]), "5h 5% 7d 7%");
    // Also where its own line does not show them.
    stage.status_line(ONE, "{project}", &[("seven_day", 30.0, 100_000)]);
    assert_eq!(stage.prompt(&["--format", "{limits}"]), "5h 5% 7d 30%");
    assert_eq!(stage.env.log_lines(), [""; 0]);
}

#[test]
fn a_limit_that_was_reset_is_not_shown() {
    let stage = Stage::new();
    assert_eq!(stage.status_line(ONE, FORMAT, &[("five_hour", 90.0, -60), ("seven_day", 7.0, 90_000)]), "7d 7%");
    let now = Timestamp::now().as_second();
    fs::write(stage.file(), format!("5h 900 {} 7d 80 {}\n", now - 1, now + 900)).unwrap();
    assert_eq!(stage.status_line(TWO, FORMAT, &[]), "7d 8%");
    assert_eq!(stage.prompt(&["--format", "{limits}"]), "7d 8%");
}

#[test]
fn a_broken_file_of_limits_is_replaced_and_costs_nothing() {
    let stage = Stage::new();
    stage.status_line(ONE, FORMAT, &[("seven_day", 7.0, 90_000)]);
    let file = stage.file();
    let far = "5h 50 9999999999999 7d 1e999 5\n".to_owned();
    for broken in ["", "\0\0", "5h", "5h x y 7d", "5h NaN 1", "{\"a\":1}", &far, &"5h 1 ".repeat(9999)] {
        fs::write(&file, broken).unwrap();
        assert_eq!(stage.prompt(&["--format", "{project}{limits}"]), "aiterm", "{broken:.20}");
        assert_eq!(stage.status_line(TWO, FORMAT, &[("five_hour", 3.0, 900)]), "5h 3%", "{broken:.20}");
        assert_eq!(stage.prompt(&["--format", "{limits}"]), "5h 3%");
        fs::remove_file(&file).unwrap();
    }
    // A payload that cannot be true does not get into it.
    assert_eq!(stage.status_line(ONE, FORMAT, &[("five_hour", 50.0, i64::MAX), ("seven_day", -1.0, 60)]), "");
    assert!(!file.exists());
    assert_eq!(stage.env.log_lines(), [""; 0]);
}

#[test]
fn the_file_of_limits_is_written_only_when_they_change_and_ends_a_reused_segment() {
    let stage = Stage::new();
    let reset = Timestamp::now().as_second() + 900;
    let payload = |share: i64| {
        json!({"session_id": ONE, "cwd": stage.env.path(ONE),
            "rate_limits": {"five_hour": {"used_percentage": share, "resets_at": reset}}})
        .to_string()
    };
    let run = |share| stage.env.ait().run_with_input(&["statusline"], payload(share).as_bytes()).success();
    run(10);
    let inode = || std::os::unix::fs::MetadataExt::ino(&fs::metadata(stage.file()).unwrap());
    let first = inode();
    run(10);
    run(9);
    assert_eq!(inode(), first);
    let ait = stage.env.ait().current_dir(&stage.env.path(TWO)).env("AIT_PROMPT_REUSE", "1");
    let answer = ait.run_args(&["prompt", "--format", "{limits}"]).success();
    assert!(answer.contains(&format!("file\t{}\t5h 100 {reset}\n", stage.file().display())), "{answer}");
    run(11);
    assert_eq!(fs::read_to_string(stage.file()).unwrap(), format!("5h 110 {reset}\n"));
}
