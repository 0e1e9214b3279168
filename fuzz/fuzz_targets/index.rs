//! Any bytes as an index. Its checks would turn nearly all of them away, so they are put right first where the first byte
//! says so: what a reader does with a sound check and senseless content is the question.
#![no_main]

use std::os::fd::AsRawFd;
use std::path::PathBuf;

use ait::store::index;
use ait::sys::files::Pieces;
use libfuzzer_sys::fuzz_target;
use rustix::fs::{MemfdFlags, memfd_create};

const WORD: usize = 8;
const HEADER: usize = 10 * WORD;
const MAGIC: &[u8; 8] = b"aitidx04";

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_le_bytes(bytes.get(at..at.checked_add(WORD)?)?.try_into().ok()?))
}

fn put(bytes: &mut [u8], at: usize, word: u64) -> Option<()> {
    bytes.get_mut(at..at.checked_add(WORD)?)?.copy_from_slice(&word.to_le_bytes());
    Some(())
}

/// The end of a text that begins there.
fn text(bytes: &[u8], at: usize) -> Option<usize> {
    let length = u16::from_le_bytes(bytes.get(at..at.checked_add(2)?)?.try_into().ok()?);
    Some(at + 2 + usize::from(length))
}

/// Puts the checks right: of each block that the head speaks of, then of the head.
fn seal(bytes: &mut [u8]) -> Option<()> {
    bytes.get_mut(..WORD)?.copy_from_slice(MAGIC);
    let blocks_at = HEADER + (word(bytes, 7 * WORD)? & 0xffff_ffff) as usize;
    let _ = blocks(bytes, blocks_at);
    let sum = index::check(bytes.get(2 * WORD..blocks_at)?);
    put(bytes, WORD, sum)
}

fn blocks(bytes: &mut [u8], blocks_at: usize) -> Option<()> {
    let counts = word(bytes, 8 * WORD)?;
    let mut at = text(bytes, HEADER + WORD)?;
    for _ in 0..counts >> 32 {
        at = text(bytes, text(bytes, at + 4 * WORD)?)?;
    }
    for _ in 0..counts & 0xffff_ffff {
        let place = word(bytes, at)?;
        let from = blocks_at + (place >> 32) as usize;
        let to = from + (place & 0xffff_ffff) as usize;
        let _ = manifests(bytes, from, to);
        let sum = index::check(bytes.get(from..to).unwrap_or_default());
        put(bytes, at + WORD, sum)?;
        at = text(bytes, at + 2 * WORD)?;
    }
    Some(())
}

/// Puts the checks of the manifests right that the records between two places speak of.
fn manifests(bytes: &mut [u8], mut at: usize, to: usize) -> Option<()> {
    let manifests_at = (word(bytes, 9 * WORD)? & 0xffff_ffff) as usize;
    while at < to {
        let place = word(bytes, at + 3 * WORD)?;
        let from = manifests_at + (place >> 32) as usize;
        let sum = index::check(bytes.get(from + WORD..from + (place & 0xffff_ffff) as usize).unwrap_or_default());
        put(bytes, from, sum);
        at = text(bytes, text(bytes, at + 4 * WORD)?)?;
    }
    Some(())
}

fuzz_target!(|data: &[u8]| {
    let [choice, data @ ..] = data else { return };
    let mut bytes = data.to_vec();
    if choice & 1 == 0 {
        let _ = seal(&mut bytes);
    }
    let file = memfd_create("index", MemfdFlags::CLOEXEC).expect("a file in memory");
    rustix::io::write(&file, &bytes).expect("a file in memory");
    let path = PathBuf::from(format!("/proc/self/fd/{}", file.as_raw_fd()));
    ait_fuzz::bounded(|| {
        let _ = index::is_sound(Pieces::open(&path).expect("a file in memory"));
    })
});
