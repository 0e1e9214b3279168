//! Any format over any text, in each dialect: no control character but the dialect's own, never wider than asked, and
//! colours add nothing but colours.
//!
//! The first byte chooses icons and colour, the second the width; then the format, a NUL, and the text of every fact.
#![no_main]

use std::cell::RefCell;

use ait::render::dialect::Dialect;
use ait::render::format::Format;
use ait::render::segment::{self, Conflict, Facts, Limits, Waiting};
use ait::render::style::Look;
use ait::render::theme::Icons;
use ait::render::width;
use ait::session::conflict::Grade;
use ait::session::state::State;
use libfuzzer_sys::fuzz_target;

/// A line without its colours; stops where an escape is no colour.
fn without_colours(line: &str) -> String {
    let mut parts = line.split('\u{1b}');
    let mut plain = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (colour, text) = part.split_once('m').expect("an escape that is no colour");
        let codes = colour.strip_prefix('[').expect("an escape that is no colour");
        assert!(codes.bytes().all(|byte| byte.is_ascii_digit() || byte == b';'), "{codes:?}");
        plain.push_str(text);
    }
    plain
}

fuzz_target!(|data: &[u8]| {
    let [choice, columns, rest @ ..] = data else { return };
    let rest = String::from_utf8_lossy(rest);
    let (source, text) = rest.split_once('\0').unwrap_or((&rest, "text"));
    let format = match Format::parse(source) {
        Ok(format) => format,
        Err(mistake) => {
            assert!(mistake.column >= 1 && mistake.column <= source.chars().count() + 1, "{mistake:?}");
            let _ = mistake.pointer();
            return;
        }
    };
    let seconds = u64::from(*columns) << (choice % 56);
    let facts = Facts {
        project: text,
        branch: Some(text),
        operation: Some(text),
        worktree: Some(text),
        elapsed: Some(seconds),
        task: Some(text),
        state: Some(State::Waiting),
        finished: choice & 16 != 0,
        waiting: Some(Waiting { for_what: text, failed: false, seconds, whose: Some(text) }),
        conflict: Some(Conflict { count: seconds as usize, grade: Grade::Clobber }),
        count: Some(seconds as usize),
        path: Some(text),
        session: Some(text),
        moved: Some(text),
        elsewhere: Some(Waiting { for_what: text, failed: true, seconds, whose: Some(text) }),
        hooks_missing: choice & 8 != 0,
        model: Some(text),
        context: Some(seconds as f64),
        cost: Some(seconds as f64 / 7.0),
        lines: Some((seconds, seconds)),
        limits: Limits { five_hours: Some(seconds as f64), seven_days: Some(0.0), resets: (Some(seconds), None) },
        dirty: choice & 16 != 0,
        ahead: seconds,
        behind: 1,
        details: None,
    };
    let look = Look {
        color: choice & 4 != 0,
        icons: [Icons::Unicode, Icons::Nerd, Icons::Ascii][usize::from(choice % 3)],
        max_width: (*columns != 255).then_some(usize::from(*columns)),
        theme: None,
    };
    // One line is what an input may cost; here eight are made of it.
    let render = |dialect| {
        let line = RefCell::new(String::new());
        ait_fuzz::bounded(|| *line.borrow_mut() = segment::render(format, &facts, dialect, look));
        line.into_inner()
    };
    let plain = render(Dialect::Plain);
    assert!(!plain.chars().any(char::is_control), "{plain:?}");
    if let Some(most) = look.max_width {
        assert!(width::cells(&plain) <= most, "{} cells: {plain:?}", width::cells(&plain));
    }
    for (name, dialect) in Dialect::ALL {
        let line = render(dialect);
        let mut bare = without_colours(&line);
        if dialect == Dialect::Bash {
            bare = bare.replace(['\u{1}', '\u{2}'], "");
        }
        assert!(!bare.chars().any(char::is_control), "{name}: {line:?}");
        if matches!(dialect, Dialect::Ansi | Dialect::Fish | Dialect::Nushell) {
            assert_eq!(bare, plain, "{name}");
        }
    }
});
