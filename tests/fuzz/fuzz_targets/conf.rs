//! keepalived.conf: whatever stands in it, it is read without a panic and within bounds, and no word of
//! it that may be a password is in what is said of it.

#![no_main]

use std::{fs, path::PathBuf, sync::LazyLock};

use libfuzzer_sys::fuzz_target;
use vrrp_user::{
    keepalived_conf::{Conf, lint},
    model::FingerprintKey,
};

/// Where the text is put for each run, in memory, and from where it may include itself.
static FILE: LazyLock<PathBuf> =
    LazyLock::new(|| format!("/dev/shm/vrrpwatch-fuzz-conf-{}", std::process::id()).into());

/// Notes that are kept, and one that counts the others.
const NOTES: usize = 101;

fuzz_target!(|raw: &[u8]| {
    fs::write(&*FILE, raw).expect("room in memory");
    let key = FingerprintKey::new([7; 16]);
    let conf = Conf::read(&FILE, "lb0", &key).expect("a regular file");
    assert!(conf.notes.len() <= NOTES, "{} notes", conf.notes.len());
    for note in &conf.notes {
        assert!(!note.contains("S3cr3tPw"), "{note}");
    }
    drop(lint::by_itself(&conf));
});
