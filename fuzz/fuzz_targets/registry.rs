//! Any bytes as a record of Claude Code's registry.
#![no_main]

use ait::claude::registry::Record;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    ait_fuzz::bounded(|| {
        if let Ok(record) = Record::parse(data) {
            let _ = record.report();
        }
    })
});
