//! Any bytes as a status-line payload: numbers or nothing, never one that cannot be shown.
#![no_main]

use ait::claude::status_payload::StatusPayload;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    ait_fuzz::bounded(|| {
        let Ok(payload) = StatusPayload::parse(data) else { return };
        for number in [payload.context, payload.cost, payload.five_hours, payload.seven_days].into_iter().flatten() {
            assert!(number.is_finite(), "{number}");
        }
    })
});
