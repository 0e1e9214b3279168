//! `ait timeline`: text, SVG, HTML and JSON, the files it writes, and the page in a real browser.

use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use serde_json::{Value, json};

use crate::common::tools::has_browser;
use crate::common::{Client, TestEnv, ago, file_names};

/// Text that would be markup if it were not escaped.
const HOSTILE: &str =
    "</title></style></script><script>alert(1)</script><img src=http://127.0.0.1:9/x onerror=alert(2)>";

const DAY: &str = "timeline --date 2025-12-24";

/// Writes a session that ended on 2025-12-24; spans are written `working 10:00 11:00`, in UTC.
fn ended(env: &TestEnv, id: &str, open: [&str; 2], spans: &[&str], fields: Value) {
    let at = |clock: &str| format!("2025-12-24T{clock}:00Z");
    let second = |clock: &str| at(clock).parse::<jiff::Timestamp>().unwrap().as_second();
    let spans: Vec<Value> = spans
        .iter()
        .map(|span| {
            let [kind, from, to] = span.split(' ').collect::<Vec<_>>()[..] else { panic!("{span}") };
            json!([kind, at(from), at(to), second(to) - second(from)])
        })
        .collect();
    let worked: i64 = spans.iter().filter(|span| span[0] == "working").map(|span| span[3].as_i64().unwrap()).sum();
    let mut manifest = json!({
        "project": "shop", "task": format!("Task of {id}"), "state": "idle", "started": at(open[0]), "activity": spans,
        "worked_seconds": worked, "path": "/home/you/shop", "git_branch": "main",
    });
    manifest.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    env.write_history_manifest("2025-12-24", id, &at(open[1]), manifest);
}

/// Three sessions of two projects.
fn a_day(env: &TestEnv) {
    ended(
        env,
        "aaaa",
        ["08:00", "12:00"],
        &["working 08:30 10:00", "blocked 10:00 10:40", "working 10:40 11:30"],
        json!({}),
    );
    ended(env, "bbbb", ["09:00", "13:00"], &["working 09:00 13:00"], json!({"project": "atlas", "task": null}));
    ended(env, "cccc", ["12:00", "14:00"], &[], json!({"worked_seconds": 600}));
}

#[test]
fn text_has_one_line_for_each_session_below_the_hours() {
    let env = TestEnv::new();
    a_day(&env);
    env.run(DAY).stdout_is(
        "\
Timeline on 2025-12-24

               08:00        09:00        10:00        11:00        12:00        13:00
               ┴────────────┴────────────┴────────────┴────────────┴────────────┴────────────
shop - 2h 20m worked, 2 sessions
  Task of aaaa ······████████████████████▒▒▒▒▒▒▒▒▒███████████······                           2h 20m
  Task of cccc                                                     ░░░░░░░░░░░░░░░░░░░░░░░░░░

atlas - 4h worked, 1 session
  main                      ████████████████████████████████████████████████████                  4h

██ working   ▒▒ blocked   ·· idle   ░░ not recorded
Not recorded: the times of 1 session, shown from start to end.
",
    );
}

#[test]
fn marks_differ_without_colour_and_in_ascii() {
    let env = TestEnv::new();
    a_day(&env);
    let ascii = env.ait().env("AIT_ICONS", "ascii").env("AIT_WIDTH", "80").run(DAY).success();
    assert!(ascii.is_ascii(), "{ascii}");
    let line = ascii.lines().find(|line| line.contains("Task of aaaa")).unwrap();
    assert!(line.contains("..####") && line.contains("##??????##"), "{ascii}");
    assert!(ascii.contains("~~~~"), "{ascii}");
    // Where colour is wanted, each mark has its own.
    let colored = env.ait().env("AIT_WIDTH", "80").run(&format!("{DAY} --color always")).success();
    let plain = env.ait().env("AIT_WIDTH", "80").env("NO_COLOR", "1").run(DAY).success();
    assert!(colored.contains("\u{1b}[36m██") && colored.contains("\u{1b}[1;33m▒▒"), "{colored:?}");
    assert!(!plain.contains('\u{1b}'), "{plain:?}");
}

#[test]
fn every_line_fits_the_width() {
    let env = TestEnv::new();
    a_day(&env);
    ended(&env, "dddd", ["08:00", "23:59"], &[], json!({"task": "日本語のタスク名".repeat(20), "project": HOSTILE}));
    for width in [10, 24, 40, 80, 200] {
        let text = env.ait().env("AIT_WIDTH", width.to_string()).run(DAY).success();
        let lists = text.lines().take_while(|line| !line.starts_with("Not recorded"));
        let widest = lists.map(ait::render::width::cells).max().unwrap();
        assert!(widest <= width, "{width}: {text}");
    }
}

#[test]
fn a_running_session_reaches_now_which_is_marked() {
    let env = TestEnv::new();
    let client = Client::new();
    let fields = json!({"state": "working", "state_since": ago(60), "started": ago(120), "updated": ago(1)});
    env.write_manifest("live", client.pid(), &env.path(""), fields);
    let text = env.run("timeline --days 2").success();
    assert!(text.contains(" now") && text.contains('▾') && text.contains("1 session (1 running)"), "{text}");
    let session = &env.run("timeline --days 2 --json").json()["sessions"][0];
    assert_eq!((&session["running"], &session["ended"]), (&json!(true), &Value::Null));
    let bars = session["bars"].as_array().unwrap();
    let states: Vec<&str> = bars.iter().map(|bar| bar["state"].as_str().unwrap()).collect();
    assert_eq!(states, ["idle", "working"]);
    // On a day that is over there is no "now".
    a_day(&env);
    assert!(!env.run(DAY).success().contains("now"));
}

#[test]
fn json_has_the_bars_of_each_session() {
    let env = TestEnv::new();
    a_day(&env);
    let timeline = env.run(&format!("{DAY} --json --project SHOP")).json();
    assert_eq!((&timeline["from"], &timeline["begin"]), (&json!("2025-12-24"), &json!("2025-12-24T00:00:00Z")));
    let session = &timeline["sessions"][0];
    assert_eq!(
        (&session["session_id"], &session["worked_seconds"], &session["blocked_seconds"], &session["timed"]),
        (&json!("aaaa"), &json!(8400), &json!(2400), &json!(true))
    );
    let bars = session["bars"].as_array().unwrap();
    assert_eq!(bars[0], json!({"state": "idle", "from": "2025-12-24T08:00:00Z", "to": "2025-12-24T08:30:00Z"}));
    assert_eq!(bars.len(), 5);
    let untimed = &timeline["sessions"][1];
    assert_eq!((&untimed["timed"], &untimed["bars"][0]["state"]), (&json!(false), &json!("untimed")));
    assert_eq!(timeline["sessions"].as_array().unwrap().len(), 2);
}

#[test]
fn headless_runs_are_left_out_and_counted() {
    let env = TestEnv::new();
    a_day(&env);
    ended(&env, "eeee", ["09:00", "09:10"], &[], json!({"headless": true}));
    let text = env.run(DAY).success();
    assert!(text.ends_with("Headless: 1 run not shown; add --headless.\n") && !text.contains("eeee"), "{text}");
    assert!(env.run(&format!("{DAY} --headless")).success().contains("Task of eeee"));
    assert_eq!(env.run(&format!("{DAY} --json")).json()["headless_left_out"], 1);
}

#[test]
fn days_without_sessions_name_the_nearest_days_that_have_some() {
    let env = TestEnv::new();
    a_day(&env);
    env.run("timeline --date 2025-12-26").stdout_is(
        "No work is recorded on 2025-12-26.\n\
         Nearest days with sessions: 2025-12-24. Type: ait timeline --date 2025-12-24\n",
    );
    assert_eq!(env.run("timeline --date 2025-12-26 --json").json()["sessions"], json!([]));
    let page = env.run("timeline --date 2025-12-26 --html -").success();
    assert!(page.contains("No work is recorded on 2025-12-26."), "{page}");
}

#[test]
fn wrong_options_are_one_line_and_exit_code_2() {
    let env = TestEnv::new();
    for (words, reason) in [
        ("timeline --date 2025-02-30", "2025-02-30: not a day"),
        ("timeline --date 2999-01-01", "2999-01-01: in the future"),
        ("timeline --days 0", "`0`: expected a whole number"),
        ("timeline --days 4000000000", "too many"),
        ("timeline --days 2 --date today", "--date, --days: only one of them is possible"),
        ("timeline --svg - --html -", "--svg, --html: only one of them is possible"),
        ("timeline --svg - --json", "--svg, --json: only one of them is possible"),
        ("timeline --svg missing/a.svg", "missing/a.svg: its folder does not exist"),
        ("timeline --html /", "/: it is a folder"),
        ("timeline --html .", ".: it is a folder"),
    ] {
        let output = env.run(words);
        let errors = &output.stderr;
        assert_eq!((output.exit_code, errors.lines().count()), (Some(2), 1), "{output:?}");
        assert!(errors.starts_with("ait: ") && errors.contains(reason), "{errors}");
    }
}

#[test]
fn it_replaces_its_own_files_and_no_others() {
    let env = TestEnv::new();
    a_day(&env);
    let (page, image) = (env.path("out/a b.html"), env.path("out/a.svg"));
    env.create_dir("out");
    let run = |option: &str, file: &Path| {
        env.ait().run_args(&["timeline", "--date", "2025-12-24", option, file.to_str().unwrap()])
    };
    std::fs::write(&image, "").unwrap();
    for (option, file) in [("--html", &page), ("--svg", &image), ("--html", &page)] {
        assert_eq!(run(option, file).success(), format!("Wrote {}\n", file.display()));
    }
    assert_eq!(std::fs::metadata(&page).unwrap().permissions().mode() & 0o777, 0o600);
    let written = std::fs::read_to_string(&page).unwrap();
    assert_eq!(env.run(&format!("{DAY} --html -")).success(), written);
    // A file of the other kind, and one of another program.
    std::fs::write(env.path("out/mine.html"), "<!doctype html>\nmine").unwrap();
    for file in [&image, &env.path("out/mine.html")] {
        let before = std::fs::read(file).unwrap();
        let reason = "another program wrote this file; remove it, or choose another name";
        run("--html", file).failure(2, &format!("writing the timeline: {}: {reason}", file.display()));
        assert_eq!(std::fs::read(file).unwrap(), before);
    }
    // No temporary file is left, and a relative path is one of the current folder.
    assert_eq!(file_names(&env.path("out")), ["a b.html", "a.svg", "mine.html"]);
    env.ait().current_dir(&env.path("out")).run(&format!("{DAY} --svg b.svg")).success();
    assert!(env.path("out/b.svg").is_file());
}

/// Everything between `<` and `>`.
fn tags(text: &str) -> Vec<&str> {
    text.split('<').skip(1).map(|rest| rest.split([' ', '>', '\n']).next().unwrap()).collect()
}

#[test]
fn text_from_outside_is_text_in_svg_and_html() {
    let (plain, hostile) = (TestEnv::new(), TestEnv::new());
    for (env, text) in [(&plain, "x"), (&hostile, HOSTILE)] {
        let fields = json!({"project": text, "task": text, "git_branch": text, "path": text});
        ended(env, "aaaa", ["08:00", "12:00"], &["working 08:30 10:00"], fields);
    }
    for option in ["--svg", "--html"] {
        let words = format!("{DAY} {option} -");
        let [plain, hostile] = [&plain, &hostile].map(|env| env.run(&words).success());
        assert_eq!(tags(&plain), tags(&hostile), "{option}");
        // As long as any quote is escaped, no attribute can be added.
        assert_eq!(plain.matches('"').count(), hostile.matches('"').count(), "{option}");
    }
}

/// What a reader of a page sees, see `tests/browser/inspect_page.py`.
fn inspect(page: &Path, width: u32, scheme: &str) -> Value {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/browser/inspect_page.py");
    let output =
        Command::new("python3").arg("-B").arg(script).arg(page).args([&width.to_string(), scheme]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn a_browser_shows_the_page_on_wide_and_narrow_screens() {
    if !has_browser() {
        return;
    }
    let env = TestEnv::new();
    a_day(&env);
    let fields = json!({"project": HOSTILE, "task": HOSTILE, "git_branch": "\" onload=alert(3)", "path": HOSTILE});
    ended(&env, "hostile", ["08:00", "12:00"], &["working 08:30 10:00"], fields);
    let fields = json!({"project": "W".repeat(300), "task": "日本語のタスク名".repeat(40)});
    ended(&env, "wide", ["14:00", "14:10"], &["working 14:00 14:01"], fields);
    let (page, image) = (env.path("t.html"), env.path("t.svg"));
    env.run(&format!("{DAY} --html {}", page.display())).success();
    env.run(&format!("{DAY} --svg {}", image.display())).success();
    for (file, width, scheme) in
        [(&page, 1280, "light"), (&page, 390, "dark"), (&page, 390, "light"), (&image, 1000, "dark")]
    {
        let found = inspect(file, width, scheme);
        let look = &found["look"];
        assert_eq!((&found["requests"], &found["errors"]), (&json!([]), &json!([])), "{width} {scheme}");
        assert_eq!((&found["overflow"], &look["overlaps"]), (&json!(false), &json!([])), "{width} {scheme}: {found:#}");
        assert_eq!((&look["elements"], &found["title"]), (&json!(0), &json!("Timeline on 2025-12-24")));
        assert!(look["contrast"].as_f64().unwrap() >= 4.5, "{width} {scheme}: {look}");
        assert!(look["font"].as_f64().unwrap() >= 12.0, "{width} {scheme}: {look}");
        if file == &image {
            continue;
        }
        assert_eq!(look["rows"], 5);
        // The first row has the focus after Tab, the pointer is on the second one.
        let focused = &found["focused"];
        assert_eq!((&focused["visible"], &focused["outline"]), (&json!(true), &json!("solid")), "{focused}");
        assert!(focused["text"].as_str().unwrap().contains("Worked\n2h 20m\nBlocked\n40m"), "{focused}");
        let hovered = found["hovered"].as_array().unwrap();
        assert_eq!(hovered.len(), 1, "{hovered:?}");
        assert!(hovered[0].as_str().unwrap().contains("Session\ncccc"), "{hovered:?}");
    }
}
