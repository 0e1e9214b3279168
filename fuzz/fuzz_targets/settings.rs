//! Any bytes as a settings file: refused whole, or: to install adds and takes nothing away, twice is once, and to
//! uninstall gives the file back byte for byte.
#![no_main]

use ait::claude::settings::{self, Hook, Wanted};
use libfuzzer_sys::fuzz_target;

fn only_adds(part: &[u8], whole: &[u8]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|byte| rest.any(|other| other == byte))
}

fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fuzz_target!(|data: &[u8]| {
    ait_fuzz::bounded(|| {
        let _ = settings::uninstall(data, &[Hook::Register]);
        let _ = settings::uninstall(data, &Hook::ALL);
        let found = settings::inspect(data);
        for hooks in [&[Hook::Register, Hook::Cleanup][..], &Hook::ALL] {
            let wanted =
                Wanted { hooks: hooks.to_vec(), ait: "/it's/ait".to_owned(), scripts: "~/.claude/hooks".to_owned() };
            let Ok(edit) = settings::install(Some(data), &wanted) else { continue };
            let after = edit.bytes.expect("what is installed is somewhere");
            let twice = settings::install(Some(&after), &wanted).expect("it can be read again").bytes;
            assert_eq!(twice.as_deref().map(show), Some(show(&after)), "twice is not once");
            let back = settings::uninstall(&after, &Hook::ALL).expect("it can be read again").bytes;
            if found.as_ref().is_ok_and(|found| found.installed.is_empty()) {
                assert!(only_adds(data, &after), "something is gone: {}", show(&after));
                assert_eq!(back.as_deref().map(show), Some(show(data)), "installed it was {}", show(&after));
            }
        }
    })
});
