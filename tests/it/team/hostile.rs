//! Members who try to make others run out of time or memory, with objects of git that no ait writes.

use std::fmt::Write as _;
use std::process::Stdio;

use serde_json::{Value, json};

use super::{Member, Team, add_commit, git_with_input};
use crate::common::{AIT, ago};

/// Runs `ait` and returns its output and the memory of the largest process, of ait or of git, in MiB.
fn with_memory(member: &Member<'_>, words: &str) -> (String, u64) {
    const SCRIPT: &str = "import resource, subprocess, sys\n\
         run = subprocess.run(sys.argv[1:], stdout=subprocess.PIPE, stderr=subprocess.STDOUT)\n\
         print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024)\n\
         sys.stdout.flush()\n\
         sys.stdout.buffer.write(run.stdout)\n";
    let mut command = member.ait().command("python3");
    command.args(["-c", SCRIPT, AIT]).args(words.split(' ')).stdin(Stdio::null());
    let output = command.output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let text = String::from_utf8(output.stdout).unwrap();
    let (memory, text) = text.split_once('\n').unwrap();
    (text.to_owned(), memory.parse().unwrap())
}

fn id(number: u32) -> String {
    format!("{number:016x}")
}

fn head(number: u32, name: &str) -> String {
    format!("{}\n", json!({"ait": 1, "member": id(number), "name": name}))
}

fn record(number: u64, branch: &str) -> String {
    let record = json!({
        "session": format!("{number:016x}"), "project": "shop", "branch": branch, "from": ago(600), "to": ago(60),
        "days": [[ago(0)[..10], 60, 0]],
    });
    format!("{record}\n")
}

/// A commit as text, with these parents.
fn commit(team: &Team, tree: &str, parents: &[&str], seconds_ago: i64) -> String {
    let time = jiff::Timestamp::now().as_second() - seconds_ago;
    let mut text = format!("tree {tree}\n");
    parents.iter().for_each(|parent| writeln!(text, "parent {parent}").unwrap());
    write!(text, "author x <> {time} +0000\ncommitter x <> {time} +0000\n\nrecords\n").unwrap();
    git_with_input(&team.remote, &["hash-object", "-w", "-t", "commit", "--stdin"], text.as_bytes(), "")
}

fn tree(team: &Team, entries: &str) -> String {
    git_with_input(&team.remote, &["mktree"], entries.as_bytes(), "")
}

fn blob(team: &Team, content: &str) -> String {
    git_with_input(&team.remote, &["hash-object", "-w", "--stdin"], content.as_bytes(), "")
}

#[test]
fn objects_that_no_ait_writes_cost_bounded_memory_and_do_not_hide_the_others() {
    let team = Team::new();
    let (_ada, bob) = team.ada_and_bob();
    let put = |number: u32, commit: &str| {
        team.git(&format!("update-ref refs/ait/v1/{} {commit}", id(number)));
    };
    // 100 MB in one blob, and a million records.
    put(1, &add_commit(&team.env, &team.remote, &"x".repeat(100 << 20), "", 60));
    let mut lines = head(2, "Million");
    (0..1_000_000).for_each(|number| writeln!(lines, "{{\"session\":\"{number:016x}\"}}").unwrap());
    put(2, &add_commit(&team.env, &team.remote, &lines, "", 60));
    // A commit with 100,000 parents; the first of them is an honest batch, the commit itself is one too.
    let parent = add_commit(&team.env, &team.remote, &(head(3, "Parents") + &record(1, "first")), "", 120);
    let entries = format!("100644 blob {}\trecords\n", blob(&team, &(head(3, "Parents") + &record(2, "second"))));
    put(3, &commit(&team, &tree(&team, &entries), &vec![&*parent; 100_000], 60));
    // Links instead of records: one, and a tree full of them; a folder; and many files beside the records.
    let link = blob(&team, "/etc/passwd");
    let links = |name: &dyn Fn(u32) -> String| {
        (0..10_000).map(|number| format!("120000 blob {link}\t{}\n", name(number))).collect::<String>()
    };
    put(4, &commit(&team, &tree(&team, &format!("120000 blob {link}\trecords\n")), &[], 60));
    let many = tree(&team, &links(&|number| format!("link{number:05}")));
    put(5, &commit(&team, &many, &[], 60));
    put(6, &commit(&team, &tree(&team, &format!("040000 tree {many}\trecords\n")), &[], 60));
    let entries = format!("100644 blob {}\trecords\n", blob(&team, &(head(7, "Files") + &record(1, "files"))));
    put(7, &commit(&team, &tree(&team, &(entries + &links(&|number| format!("s{number:05}")))), &[], 60));
    // The remote sends what is packed without unpacking it, so that its memory is not measured here.
    team.git("repack -a -d -q");

    let (synced, memory) = with_memory(&bob, "team sync");
    assert!(synced.contains("news of") && memory < 128, "{memory} MiB: {synced}");
    for words in ["team", "team --json", "report --team", "timeline --team"] {
        let (text, memory) = with_memory(&bob, words);
        assert!(text.contains("Ada") && memory < 64, "{words}: {memory} MiB: {text}");
        assert!(!text.contains("root:"), "{text}");
    }
    let text = bob.run("team");
    let shown = &text.stdout;
    assert!(shown.contains("Ada\n   main - 5m worked"), "{shown}");
    // Who has honest batches is shown, whatever else the commits contain.
    for branch in ["first", "second", "files"] {
        assert!(shown.contains(&format!("   {branch} - 1m worked, 1 session")), "{branch}: {shown}");
    }
    for number in [1, 2, 4, 5, 6] {
        let lines = text.stderr.lines().filter(|line| line.contains(&id(number))).count();
        assert_eq!(lines, 1, "{number}: {}", text.stderr);
    }
}

#[test]
fn refs_that_are_no_logs_are_left_out_and_reported_and_the_others_are_shown() {
    let team = Team::new();
    let (ada, bob) = team.ada_and_bob();
    let nothing = tree(&team, "");
    let empty = commit(&team, &nothing, &[], 60);
    let submodule = commit(&team, &tree(&team, &format!("160000 commit {empty}\trecords\n")), &[], 60);
    let tag = format!("object {empty}\ntype commit\ntag t\ntagger x <> 1 +0000\n\nx\n");
    let tag = git_with_input(&team.remote, &["hash-object", "-w", "-t", "tag", "--stdin"], tag.as_bytes(), "");
    // A time that git refuses to unpack.
    let person = "x <> 99999999999999999999 +0000";
    let invalid = format!("tree {nothing}\nauthor {person}\ncommitter {person}\n\nx\n");
    let words = ["hash-object", "-w", "--literally", "-t", "commit", "--stdin"];
    let invalid = git_with_input(&team.remote, &words, invalid.as_bytes(), "");
    let text = blob(&team, "hi");
    for (name, object) in [
        (id(1), &empty),
        (id(2), &submodule),
        (id(3), &tag),
        (id(4), &invalid),
        (id(5), &text),
        (id(6), &nothing),
        (id(7) + "/x", &empty),
        (id(8).replace('8', "A"), &empty),
        ("0".to_owned(), &empty),
    ] {
        team.git(&format!("update-ref refs/ait/v1/{name} {object}"));
    }
    let synced = bob.run("team sync");
    assert_eq!(synced.exit_code, Some(0), "{synced:?}");
    let left_out = |number: u32| format!("the records of member {} cannot be fetched and are left out\n", id(number));
    for number in 3..=6 {
        assert!(synced.stderr.contains(&left_out(number)), "{number}: {synced:?}");
    }
    assert_eq!(bob.sessions_of("Ada").len(), 1);
    // A folder where there was a log, and the other way round.
    team.git(&format!("update-ref -d refs/ait/v1/{}", id(1)));
    team.git(&format!("update-ref refs/ait/v1/{}/x {empty}", id(1)));
    team.git(&format!("update-ref -d refs/ait/v1/{}/x", id(7)));
    team.git(&format!("update-ref refs/ait/v1/{} {empty}", id(7)));
    ada.ended_session("s2", json!({}));
    assert_eq!(ada.run("team sync").exit_code, Some(0));
    let synced = bob.run("team sync");
    assert_eq!(synced.exit_code, Some(0), "{synced:?}");
    assert_eq!(bob.sessions_of("Ada").len(), 2);
}

/// The output for programs and for other programs' files, from a member with markup and escapes everywhere.
#[test]
fn text_of_a_hostile_member_is_escaped_in_every_dialect() {
    const HOSTILE: &str =
        "</title></script><script>alert(1)</script><img src=x onerror=alert(2)>\u{1b}]0;t\u{7}\u{202e}`$(id)`";
    let team = Team::new();
    let (_ada, bob) = team.ada_and_bob();
    let record = json!({
        "session": id(1), "project": HOSTILE, "branch": HOSTILE, "task": HOSTILE, "title": HOSTILE, "files": [HOSTILE],
        "from": ago(600), "to": ago(60), "days": [[ago(0)[..10], 300, 60]],
    });
    let commit = add_commit(&team.env, &team.remote, &format!("{}{record}\n", head(1, HOSTILE)), "", 60);
    team.git(&format!("update-ref refs/ait/v1/{} {commit}", id(1)));
    bob.sync();
    for words in [
        "team",
        "team --json",
        "report --team",
        "report --team --by task --json",
        "report --team --markdown",
        "timeline --team",
        "timeline --team --json",
        "timeline --team --svg -",
        "timeline --team --html -",
    ] {
        let text = bob.run(words).success();
        assert!(text.contains("alert") && text.contains("Ada"), "{words}: {text}");
        assert!(!text.contains(|c| c != '\n' && ait::error::moves_cursor(c)), "{words}: {text:?}");
        let is_markup = words.contains("svg") || words.contains("html");
        assert!(!is_markup || !(text.contains("<script") || text.contains("<img")), "{words}: {text}");
    }
}

#[test]
fn a_timeline_of_the_team_shows_who_worked_on_which_day_without_totals() {
    let team = Team::new();
    let (ada, bob) = (team.member("Ada"), team.member("Bob"));
    ada.ended_session("s1", json!({"git_branch": "feature/cart"}));
    ada.join("");
    bob.ended_session("s2", json!({"worked_seconds": 7_200}));
    bob.join("");
    let text = bob.run("timeline --team").success();
    let row = |name: &str| text.lines().position(|line| line.trim_start().starts_with(name)).unwrap();
    // The user's own data first; no figure of one person.
    assert!(row("Bob (you) ") < row("Ada "), "{text}");
    assert!(text.contains("Team - 2h 5m worked, 2 members"), "{text}");
    assert!(!text.lines().nth(row("Ada ")).unwrap().contains("5m"), "{text}");
    let one = bob.run_args(&["timeline", "--member", "ada"]).success();
    assert!(one.lines().any(|line| line.trim_start().starts_with("Ada ") && line.ends_with(" 5m")), "{one}");
    let json = bob.run("timeline --team --json").json();
    let member = &json["members"][1];
    assert_eq!((&member["name"], &member["is_you"]), (&json!("Ada"), &json!(false)));
    assert_eq!(member["days"], json!([{"day": ago(60)[..10], "worked_seconds": 300, "waited_seconds": 0}]));
    assert_eq!((&member["branches"], &member["tasks"]), (&json!(["feature/cart"]), &json!([])));
    assert_eq!(json["member"], Value::Null);
    let file = bob.clone.join("../week.svg");
    bob.run_args(&["timeline", "--team", "--svg", file.to_str().unwrap()]).success();
    let picture = std::fs::read_to_string(&file).unwrap();
    assert!(picture.starts_with("<!-- Written by ait timeline. -->") && picture.contains("feature/cart"), "{picture}");
    let reason = "finding a member of the team: Zoe: no member has this name; there are: Bob, Ada";
    bob.run("timeline --member Zoe").failure(2, reason);
    assert!(bob.run("timeline --team --date 2025-12-24").success().contains("No work of the team is recorded"));
}
