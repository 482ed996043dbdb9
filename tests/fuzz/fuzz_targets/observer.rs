//! The whole core: any sequence of frames, lines and time is taken without a panic, and what comes out
//! can be written.
//!
//! The input is a list of items, each a kind, a length, milliseconds that pass before it, and bytes.

#![no_main]

use bytes::Bytes;
use jiff::tz::TimeZone;
use libfuzzer_sys::fuzz_target;
use vrrp_user::{
    frame::{Direction, Frame, LinkType, Origin, Tap},
    input::News,
    log::{Calendar, Entry, Envelopes},
    model::{FingerprintKey, Timestamp},
    observer::{ArpMode, Observer, Settings},
};

fuzz_target!(|raw: &[u8]| {
    let mut observer = Observer::new(Settings {
        arp: ArpMode::All,
        ..Settings::new(FingerprintKey::new([7; 16]))
    });
    let mut now = Timestamp::from_parts(1_795_380_193, 0);
    let envelopes = Envelopes::new(Calendar::new(TimeZone::UTC, now));
    let mut rest = raw;
    while let [kind, length, millis, tail @ ..] = rest {
        let (bytes, after) = tail.split_at(usize::from(*length).min(tail.len()));
        rest = after;
        now = now + std::time::Duration::from_millis(u64::from(*millis) * 16);
        match kind % 8 {
            0 => observer.handle(now, &News::Time.into()),
            1 => {
                let mut lines = Vec::new();
                envelopes.read(bytes, &mut lines);
                for entry in lines.into_iter().filter_map(Entry::read) {
                    observer.handle(now, &News::Log(entry).into());
                }
            }
            _ => {
                let frame = Frame {
                    time: now,
                    origin: Origin {
                        interface: None,
                        direction: (kind % 8 == 2).then_some(Direction::Out),
                        tap: Tap(0),
                    },
                    link: LinkType::Ethernet,
                    stripped_tag: None,
                    length: u32::try_from(bytes.len()).unwrap_or(u32::MAX),
                    data: Bytes::from(bytes.to_vec()),
                };
                observer.handle(frame.time, &News::Frame(frame.clone()).into());
            }
        }
        while let Some(output) = observer.poll_output() {
            drop(format!("{output:?}"));
        }
    }
    observer.handle(Timestamp::default(), &News::Finish.into());
});
