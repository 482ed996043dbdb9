//! Frames: whatever a host sends, and however a capture cuts it, is described without a panic and
//! without a byte read beyond its end.
//!
//! The first byte chooses the link, the second what the capture left out.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use vrrp_user::{
    frame::{Frame, LinkType, Origin, Tap},
    model::{FingerprintKey, Timestamp},
    wire::{Packet, decode},
};

const LINKS: [LinkType; 4] = [
    LinkType::Ethernet,
    LinkType::LinuxSll,
    LinkType::LinuxSll2,
    LinkType::RawIp,
];

fuzz_target!(|raw: &[u8]| {
    let [link, cut, data @ ..] = raw else { return };
    // In memory of its own, so that the sanitizer sees its end.
    let data = Bytes::from(data.to_vec());
    let frame = Frame {
        time: Timestamp::from_parts(1_795_380_193, 0),
        origin: Origin {
            interface: None,
            direction: None,
            tap: Tap(0),
        },
        link: LINKS[usize::from(*link) % LINKS.len()],
        stripped_tag: None,
        length: u32::try_from(data.len()).unwrap_or(u32::MAX).saturating_add(u32::from(*cut)),
        data,
    };
    let _: Option<Packet> = decode(&frame, &FingerprintKey::new([7; 16]));
});
