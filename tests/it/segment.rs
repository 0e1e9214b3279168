//! How a segment and a list look where the room or the terminal is limited.

use std::path::PathBuf;

use crate::common::{Client, TestEnv};
use serde_json::json;

const FIRST: &str = "6425757d-2548-4fb2-9ce2-2c43e134d597";
const SECOND: &str = "9029aedc-fe71-4c87-b21d-9d372d6ce844";

/// Two sessions in one tree whose branch, project and task are long.
struct Crowded {
    env: TestEnv,
    folder: PathBuf,
    _clients: [Client; 2],
}

impl Crowded {
    fn new(task: &str) -> Crowded {
        let env = TestEnv::new();
        let folder = env.repository("project");
        env.git(&folder, "checkout -q -b feature/authentication");
        let clients = [Client::new(), Client::new()];
        for (id, client) in [FIRST, SECOND].into_iter().zip(&clients) {
            env.write_manifest(
                id,
                client.pid(),
                &folder,
                json!({"project": "aiterm", "task": task, "git_branch": "feature/authentication"}),
            );
        }
        Crowded { env, folder, _clients: clients }
    }

    /// What `ait` prints in the folder, with these variables.
    #[track_caller]
    fn prints(&self, words: &str, variables: &[(&str, &str)]) -> String {
        let command = variables
            .iter()
            .fold(self.env.ait().current_dir(&self.folder), |command, (name, value)| command.env(name, value));
        command.run(words).success()
    }
}

#[test]
fn prompt_with_little_room_keeps_the_warning_and_the_project() {
    let crowded = Crowded::new("Implementing session coordination");
    for (width, wanted) in [
        ("80", "aiterm feature/authentication 45m Implementing session coordination ⚠2"),
        ("41", "aiterm feature/authentication 45m Imp… ⚠2"),
        ("40", "aiterm feature/authentication 45m ⚠2"),
        ("30", "aiterm feature/authent… 45m ⚠2"),
        ("20", "aiterm feature… ⚠2"),
        ("12", "aiterm ⚠2"),
        ("8", "aite… ⚠2"),
        ("2", "⚠2"),
    ] {
        assert_eq!(crowded.prints(&format!("prompt --max-width {width}"), &[]), wanted, "{width}");
    }
}

#[test]
fn prompt_cuts_between_graphemes() {
    let crowded = Crowded::new("👨\u{200d}👩\u{200d}👧👨\u{200d}👩\u{200d}👧👨\u{200d}👩\u{200d}👧");
    for (cells, families, end) in [(6, 3, ""), (5, 2, "…"), (4, 1, "…"), (3, 1, "…"), (2, 0, "…")] {
        let shown = crowded.prints(&format!("prompt --format {{task:{cells}}}"), &[]);
        assert_eq!(shown, "👨\u{200d}👩\u{200d}👧".repeat(families) + end, "{cells}");
    }
}

#[test]
fn prompt_without_a_utf8_locale_is_ascii_unless_icons_are_chosen() {
    let crowded = Crowded::new("日本 fix é");
    let ascii = "aiterm feature/authentication 45m ?? fix ? !2";
    let unicode = "aiterm feature/authentication 45m 日本 fix é ⚠2";
    for variables in [
        &[("LC_ALL", "C")][..],
        &[("LC_CTYPE", "POSIX"), ("LANG", "C.UTF-8")],
        &[("LANG", "C")],
        &[("LANG", "de_DE.ISO-8859-1")],
        &[("LC_ALL", "C"), ("LANG", "C.UTF-8"), ("TERM", "dumb")],
    ] {
        assert_eq!(crowded.prints("prompt --color never", variables), ascii, "{variables:?}");
        assert_eq!(crowded.prints("prompt --icons unicode", variables), unicode, "{variables:?}");
        let chosen = [variables, &[("AIT_ICONS", "unicode")]].concat();
        assert_eq!(crowded.prints("prompt", &chosen), unicode, "{chosen:?}");
    }
    for variables in [&[("LC_ALL", "en_US.UTF-8"), ("LANG", "C")][..], &[("LC_CTYPE", "UTF-8")], &[]] {
        assert_eq!(crowded.prints("prompt", variables), unicode, "{variables:?}");
    }
    // A shell without any locale counts bytes too.
    assert_eq!(crowded.prints("prompt --for zsh --color never", &[]), ascii);
    assert_eq!(crowded.prints("prompt --for zsh --color never --max-width 36", &[("LC_ALL", "C")]).len(), 36);
}

#[test]
fn prompt_in_a_dumb_terminal_has_ascii_marks_and_no_colour() {
    let crowded = Crowded::new("fix é");
    let plain = "aiterm feature/authentication 45m fix é !2";
    let dumb = ("TERM", "dumb");
    assert_eq!(crowded.prints("prompt --for ansi", &[dumb, ("LANG", "C.UTF-8")]), plain);
    assert!(crowded.prints("prompt --for ansi --color always", &[dumb]).starts_with("\u{1b}[1;36maiterm"));
    assert!(crowded.prints("prompt --for ansi", &[dumb, ("CLICOLOR_FORCE", "1")]).starts_with("\u{1b}[1;36maiterm"));
    assert!(crowded.prints("prompt --for ansi --icons unicode", &[dumb]).ends_with("⚠2"));
}

#[test]
fn lists_without_a_utf8_locale_are_ascii() {
    let crowded = Crowded::new("日本 fix");
    for (variable, task) in
        [(("LC_ALL", "C"), "?? fix"), (("TERM", "dumb"), "日本 fix"), (("AIT_ICONS", "ascii"), "日本 fix")]
    {
        let shown = crowded.prints("sessions live --color never", &[("AIT_WIDTH", "70"), variable]);
        assert!(shown.starts_with("+-----"), "{variable:?}\n{shown}");
        assert!(shown.contains("| 1. aiterm (feature/authentication) - 45m !"), "{variable:?}\n{shown}");
        assert!(shown.contains(&format!("Task: {task}")), "{variable:?}\n{shown}");
    }
    let shown = crowded.prints("sessions conflicts --color never", &[("AIT_WIDTH", "70"), ("LC_ALL", "C")]);
    assert!(shown.starts_with("!  Conflict Detected!\n") && shown.is_ascii(), "{shown}");
    // Programs read what is piped, in any locale.
    assert!(crowded.prints("sessions live", &[("LC_ALL", "C")]).contains("Task: 日本 fix\n"));
    let shown = crowded.prints("sessions live", &[("AIT_WIDTH", "70"), ("LC_ALL", "C"), ("AIT_ICONS", "unicode")]);
    assert!(shown.starts_with("╭─────"), "{shown}");
}
