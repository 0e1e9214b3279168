//! Any bytes as a manifest: what is written can be read, and is written the same again; fields of others stay to the
//! byte.
#![no_main]

use std::collections::HashMap;

use ait::session::manifest::Manifest;
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;
use serde_json::value::RawValue;

type Fields = HashMap<String, Box<RawValue>>;

fuzz_target!(|data: &[u8]| {
    ait_fuzz::bounded(|| {
        let Ok(manifest) = Manifest::parse(data) else { return };
        let once = manifest.to_bytes();
        let again = Manifest::parse(&once).expect("what was written can be read");
        assert_eq!(show(&again.to_bytes()), show(&once));

        let ours: Fields = serde_json::from_slice(&Manifest::default().to_bytes()).expect("an object");
        let before: Fields = serde_json::from_slice(data).expect("it was an object");
        let after: Fields = serde_json::from_slice(&once).expect("an object");
        for (name, value) in before.iter().filter(|(name, _)| !OURS.contains(&name.as_str())) {
            assert_eq!(after.get(name).map(|value| value.get()), Some(value.get()), "{name}");
        }
        for name in ours.keys().chain(before.keys()) {
            assert!(after.contains_key(name) || OURS.contains(&name.as_str()), "{name} is gone: {}", show(&once));
        }
        // A moment in 1970, and the last one there is.
        for now in [Timestamp::UNIX_EPOCH, Timestamp::MAX] {
            assert!(again.elapsed_seconds(now).is_none_or(|seconds| seconds < 1 << 40));
        }
    })
});

const OURS: [&str; 36] = [
    "session_id",
    "project",
    "path",
    "git_branch",
    "git_dirty",
    "started",
    "pid",
    "task",
    "pid_start",
    "boot_id",
    "processes",
    "state",
    "state_since",
    "waiting_for",
    "tool",
    "task_source",
    "head",
    "updated",
    "model",
    "transcript_path",
    "started_in",
    "tree",
    "repository",
    "wrote_in",
    "overlaps",
    "head_moved",
    "tmux_pane",
    "tmux_socket",
    "user",
    "host",
    "worked_seconds",
    "waited_seconds",
    "ended",
    "status",
    "end_reason",
    "touched",
];

fn show(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
