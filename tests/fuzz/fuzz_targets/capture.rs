//! Capture files: whatever bytes they hold, they are read without a panic, and what comes out is in
//! proportion to what went in.

#![no_main]

use std::{fs, path::PathBuf, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use vrrp_user::{
    frame::Tap,
    model::FingerprintKey,
    replay::{CaptureSource, Item, Reader},
    wire,
};

/// Where the bytes are put for each run, in memory.
static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| format!("/dev/shm/vrrpwatch-fuzz-capture-{}", std::process::id()).into());

/// Bytes of the smallest record of a packet; what a gzip holds may be more than it is.
const SMALLEST: usize = 16;

fuzz_target!(|raw: &[u8]| {
    fs::write(&*FILE, raw).expect("room in memory");
    let Ok(mut reader) = Reader::open(CaptureSource::File(FILE.clone()), Tap(0)) else {
        return;
    };
    let is_plain = !raw.starts_with(&[0x1f, 0x8b]);
    let mut frames = 0;
    while let Some(item) = reader.next_item() {
        match item {
            Ok(Item::Frame(frame)) => {
                frames += 1;
                drop(wire::decode(&frame, &FingerprintKey::new([7; 16])));
                assert!(frame.data.len() <= frame.length as usize);
            }
            Ok(Item::Loss { .. } | Item::Settings(_) | Item::Told(..)) => {}
            Err(error) => drop(error.to_string()),
        }
    }
    assert!(!is_plain || frames <= raw.len() / SMALLEST, "{frames} frames");
});
