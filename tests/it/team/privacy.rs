//! What leaves the machine, and what comes in from a hostile member.

use std::fmt::Write as _;
use std::fs;

use serde_json::{Value, json};

use super::{Team, add_commit};
use crate::common::ago;

/// A secret of a published format; each number gives another one.
fn secret(number: usize) -> String {
    const LETTERS: &[u8] = b"aB3dE5gH7jK9mN1pQ3sT5vX7zA9cD1fG3hJ5kL7n";
    let random = |length: usize| -> String {
        (0..length).map(|at| char::from(LETTERS[(number * 31 + at * 7 + at * at) % LETTERS.len()])).collect()
    };
    let upper = |length| random(length).to_uppercase();
    match number % 25 {
        0 => format!("AKIA{}", upper(16)),
        1 => format!("ghp_{}", random(36)),
        2 => format!("github_pat_{}", random(40)),
        3 => format!("glpat-{}", random(20)),
        4 => format!("xoxb-{}-{}", 1_000_000 + number, random(24)),
        5 => format!("sk_live_{}", random(24)),
        6 => format!("AIza{}", random(35)),
        7 => format!("sk-ant-api03-{}", random(40)),
        8 => format!("sk-proj-{}", random(40)),
        9 => format!("npm_{}", random(36)),
        10 => format!("pypi-{}", random(40)),
        11 => format!("SG.{}.{}", random(22), random(30)),
        12 => format!("hf_{}", random(34)),
        13 => format!("dop_v1_{number:064x}"),
        14 => format!("shpat_{number:032x}"),
        15 => format!("eyJ{}.eyJ{}.{}", random(20), random(20), random(20)),
        16 => format!("password={}", random(12)),
        17 => format!("token={}", random(20)),
        18 => format!("api_key={}", random(16)),
        19 => format!("https://user:{}@host.example/x", random(14)),
        20 => format!("{number:040x}ab"),
        21 => format!("hvs.{}", random(24)),
        22 => format!("glsa_{}", random(32)),
        23 => format!("secret={}", random(18)),
        _ => random(40),
    }
}

/// The part of a secret that must not be found.
fn core(secret: &str) -> &str {
    let value = secret.split_once('=').map_or(secret, |(_, value)| value);
    value.strip_prefix("https://user:").map_or(value, |rest| rest.split('@').next().unwrap())
}

#[test]
fn none_of_500_planted_secrets_reaches_the_remote() {
    let team = Team::new();
    let ada = team.member("Ada");
    let mut planted = Vec::new();
    for number in 0..100 {
        let mut next = |kind: usize| {
            let secret = secret(number + 100 * kind);
            planted.push(secret.clone());
            secret
        };
        ada.ended_session(
            &format!("s{number}"),
            json!({
                "task": next(0), "task_source": "user",
                "git_branch": format!("fix/{}", next(1)),
                "path": format!("/home/ada/{}", next(2)),
                "transcript_path": format!("/home/ada/{}.jsonl", next(3)),
                "waiting_for": next(4), "host": "the-host-of-ada", "user": "the-user-of-ada",
                "project": format!("shop {}", secret(number + 100)),
            }),
        );
    }
    assert_eq!(planted.len(), 500);
    ada.join("");
    let text = team.everything();
    assert_eq!(text.matches("\"session\":").count(), 100);
    let found: Vec<&String> = planted.iter().filter(|secret| text.contains(core(secret))).collect();
    assert!(found.is_empty(), "{found:?}");
    for private in ["/home/", "the-host-of-ada", "the-user-of-ada", "\"s1\"", "\"task\"", "@localhost"] {
        assert!(!text.contains(private), "{private}");
    }
    // Tasks are masked too where they are shared.
    ada.run("team join --yes --share tasks").success();
    let text = team.everything();
    assert!(text.contains("\"task\""));
    let found: Vec<&String> = planted.iter().filter(|secret| text.contains(core(secret))).collect();
    assert!(found.is_empty(), "{found:?}");
}

#[test]
fn each_level_shares_what_it_says() {
    let team = Team::new();
    let ada = team.member("Ada");
    let tree = ada.clone.clone();
    let files =
        json!([{"tree": tree, "path": "src/a.rs", "at": ago(100)}, {"tree": null, "path": "/etc/x", "at": ago(90)}]);
    for (id, source) in [("s1", "user"), ("s2", "title"), ("s3", "prompt")] {
        ada.ended_session(id, json!({"task": format!("from {source}"), "task_source": source, "touched": files}));
    }
    let headless = json!({"headless": true, "git_branch": "headless-branch"});
    ada.ended_session("s4", headless);
    ada.ended_session("s5", json!({"repository": "/elsewhere/.git", "git_branch": "elsewhere-branch"}));
    let never = ["from prompt", "/etc/x", "headless-branch", "elsewhere-branch"];
    for (level, shared, not_shared) in [
        ("time", &["\"branch\":\"main\""][..], &["from user", "from title", "src/a.rs"][..]),
        ("tasks", &["from user"], &["from title", "src/a.rs"]),
        ("all", &["from user", "from title", "src/a.rs"], &[]),
    ] {
        ada.join(&format!("--share {level}"));
        let text = team.everything();
        assert!(shared.iter().all(|word| text.contains(word)), "{level}: {text}");
        assert!(!not_shared.iter().chain(&never).any(|word| text.contains(word)), "{level}: {text}");
    }
}

#[test]
fn a_hostile_member_is_harmless_and_does_not_hide_the_others() {
    let team = Team::new();
    let (ada, bob) = team.ada_and_bob();
    let ada_id = ada.run("team status --json").json()["member"].as_str().unwrap().to_owned();
    let head = |id: &str, name: &str| format!("{}\n", json!({"ait": 1, "member": id, "name": name}));
    let day = &ago(0)[..10];
    let record = |branch: &str, day: &str, seconds: u64| {
        let from = format!("{day}T00:00:00Z");
        let days = json!([[day, seconds, 0]]);
        format!(
            "{}\n",
            json!({"session": "aaaaaaaaaaaaaaaa", "project": "<b>x</b>\u{1b}]0;t\u{7}", "branch": branch, "from": from, "days": days})
        )
    };
    let put = |id: &str, batch: &str| {
        let commit = add_commit(&team.env, &team.remote, batch, "", 60);
        team.git(&format!("update-ref refs/ait/v1/{id} {commit}"));
    };
    let id = |number: u32| format!("{number:016x}");
    // Escapes and markup, another's name, another's id, a year to come, impossible work.
    put(&id(1), &(head(&id(1), "\u{1b}[2J\u{202e}<script>") + &record("\u{1b}[31m`$(touch x)`", day, 60)));
    put(&id(2), &(head(&id(2), "Ada") + &record("copied", day, 60)));
    put(&id(3), &(head(&ada_id, "Ada") + &record("forged", day, 60)));
    put(&id(4), &(head(&id(4), "Future") + &record("future", "9999-12-31", 60)));
    put(&id(5), &(head(&id(5), "Worker") + &record("worker", day, 99_999_999)));
    // A large blob, and a million lines.
    put(&id(6), &"x".repeat(20 << 20));
    let mut lines = head(&id(7), "Lines");
    (0..1_000_000).for_each(|_| lines.push('\n'));
    put(&id(7), &lines);
    let mut lines = head(&id(8), "Many");
    (0..9_000).for_each(|number| writeln!(lines, "{number}").unwrap());
    put(&id(8), &lines);
    // A ref to Ada's own log, one to no log at all, one to a tag of a blob, and one of a newer version.
    let ada_tip = team.git(&format!("rev-parse refs/ait/v1/{ada_id}"));
    team.git(&format!("update-ref refs/ait/v1/{} {ada_tip}", id(9)));
    team.git(&format!("update-ref refs/ait/v1/{} {}", id(10), team.git("rev-parse main")));
    let blob = team.git("rev-parse refs/ait/v1/0000000000000001:records");
    team.git(&format!("update-ref refs/ait/v1/{} {blob}", id(11)));
    team.git(&format!("update-ref refs/ait/v2/{} {ada_tip}", id(12)));
    bob.run("team sync");
    let output = bob.run("team");
    assert_eq!(output.exit_code, Some(0), "{output:?}");
    let text = output.stdout + &output.stderr;
    assert!(!text.chars().any(|c| c != '\n' && ait::error::moves_cursor(c)), "{text:?}");
    assert!(text.contains(&format!("Ada ({})\n   main - 5m worked", &ada_id[..6])), "{text}");
    assert!(!text.contains("forged") && !text.contains("9999") && !text.contains("worker"), "{text}");
    assert!(text.contains("1 log of a newer version of ait left out"), "{text}");
    for name in ["Future", "Worker", "Many"] {
        assert!(text.lines().any(|line| line.contains(name) && line.contains("ignored: not valid")), "{name}: {text}");
    }
    let json = bob.run("team --json").stdout;
    assert!(!json.chars().any(|c| c != '\n' && ait::error::moves_cursor(c)), "{json:?}");
    let value: Value = serde_json::from_str(&json).unwrap();
    assert!(value["members"].as_array().unwrap().iter().any(|member| member["id"] == json!(ada_id)));
    let markdown = bob.run("report --team --markdown").stdout;
    assert!(!markdown.contains("<b>") || markdown.contains("\\<b\\>"), "{markdown}");
    // Its refs are no trouble for the own log.
    bob.ended_session("s9", json!({}));
    bob.run("team sync");
    let status: Value = serde_json::from_str(&bob.run("team status --json").stdout).unwrap();
    assert_eq!(status["problem"], Value::Null);
    assert!(fs::metadata(bob.store()).is_ok());
}
