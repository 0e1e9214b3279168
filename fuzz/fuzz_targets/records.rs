//! Any bytes as the cache of Claude Code's records. Its check would turn nearly all of them away, so it is put right where
//! the first byte says so.
#![no_main]

use ait::store::{index, records};
use libfuzzer_sys::fuzz_target;

const WORD: usize = 8;

fuzz_target!(|data: &[u8]| {
    let [choice, data @ ..] = data else { return };
    let mut bytes = data.to_vec();
    if choice & 1 == 0 && bytes.len() > 2 * WORD {
        bytes[..WORD].copy_from_slice(b"aitrec01");
        let sum = index::check(&bytes[2 * WORD..]);
        bytes[WORD..2 * WORD].copy_from_slice(&sum.to_le_bytes());
    }
    ait_fuzz::bounded(|| {
        if let Some((_, known)) = records::read(&bytes) {
            for known in known {
                let _ = known.record.state();
            }
        }
    })
});
