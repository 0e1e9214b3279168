//! Any bytes as a log of touches: compacting it twice is compacting it once, and a touch that was read is written the
//! same.
#![no_main]

use ait::session::file_write::{self, FileWrite};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    ait_fuzz::bounded(|| {
        // Reading by lines takes a carriage return before the end for a part of it; no line of ours has one.
        let log = String::from_utf8_lossy(data).replace('\r', " ");
        let once = file_write::compact(&log);
        assert_eq!(file_write::compact(&once), once);
        for read in log.lines().filter_map(FileWrite::from_line) {
            let line = read.to_line();
            assert!(line.ends_with('\n') && !line.trim_end_matches('\n').contains('\n'), "{line:?}");
            let again = FileWrite::from_line(line.trim_end()).expect("what was written can be read");
            assert_eq!((again.file(), again.to_line()), (read.file(), line));
        }
    })
});
