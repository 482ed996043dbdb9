//! Log lines: whatever is in them, they are read without a panic and within bounds.

#![no_main]

use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;
use vrrp_user::{
    log::{Calendar, Entry, Envelopes, MAX_LINE, fifo},
    model::Timestamp,
};

fuzz_target!(|raw: &[u8]| {
    let now = Timestamp::from_parts(1_795_380_193, 0);
    let envelopes = Envelopes::new(Calendar::new(TimeZone::UTC, now));
    let mut lines = Vec::new();
    envelopes.read(raw, &mut lines);
    for line in lines {
        assert!(line.text.len() <= MAX_LINE, "a line is bounded");
        let _: Option<_> = fifo::read(&line.text);
        let _: Option<Entry> = Entry::read(line);
    }
});
