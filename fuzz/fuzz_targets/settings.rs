//! Any bytes as a settings file: refused whole, or: an installation adds and takes nothing away, twice is once, and to
//! uninstall gives the file back byte for byte; without a copy of it, nothing that is not ours is gone.
#![no_main]

use ait::claude::settings::{self, Hook, Wanted};
use libfuzzer_sys::fuzz_target;

fn only_adds(part: &[u8], whole: &[u8]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|byte| rest.any(|other| other == byte))
}

fn wanted(hooks: &[Hook]) -> Wanted {
    Wanted { hooks: hooks.to_vec(), ait: "/it's/ait".to_owned(), scripts: "~/.claude/hooks".to_owned(), client: None }
}

fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

fuzz_target!(|data: &[u8]| {
    ait_fuzz::bounded(|| {
        let _ = settings::uninstall(data, &[Hook::Register], &wanted(&[Hook::Register]), &[]);
        let _ = settings::uninstall(data, &Hook::ALL, &wanted(&Hook::ALL), &[data.to_vec()]);
        let found = settings::inspect(data);
        for hooks in [&[Hook::Register, Hook::Cleanup][..], &Hook::ALL] {
            let wanted = wanted(hooks);
            let Ok(edit) = settings::install(Some(data), &wanted) else { continue };
            let after = edit.bytes.expect("what is installed is somewhere");
            let twice = settings::install(Some(&after), &wanted).expect("it can be read again").bytes;
            assert_eq!(twice.as_deref().map(show), Some(show(&after)), "twice is not once");
            let taken_out = settings::uninstall(&after, &Hook::ALL, &wanted, &[]).expect("it can be read again").bytes;
            if found.as_ref().is_ok_and(|found| found.installed.is_empty()) {
                let copies = [data.to_vec()];
                let back =
                    settings::uninstall(&after, &Hook::ALL, &wanted, &copies).expect("it can be read again").bytes;
                assert_eq!(back.as_deref().map(show), Some(show(data)), "installed it was {}", show(&after));
                assert!(only_adds(&taken_out.unwrap_or_default(), &after), "something was added: {}", show(&after));
                settings::check_installed(Some(data), &after, &wanted).expect("nothing of others is gone");
            }
        }
    })
});
