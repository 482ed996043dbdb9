//! Events of the ring buffer: whatever the kernel programs write, the header is read or the event is
//! counted as malformed, and the frame in it is decoded like any other.

#![no_main]

use bytes::Bytes;
use libfuzzer_sys::fuzz_target;
use vrrp_ebpf::EventHeader;
use vrrp_user::{
    frame::{Frame, LinkType, Origin, Tap, VlanTag},
    model::{FingerprintKey, Timestamp},
    wire::{Packet, decode},
};

fuzz_target!(|raw: &[u8]| {
    let Some((header, frame)) = EventHeader::parse(raw) else {
        return;
    };
    assert!(frame.len() <= raw.len(), "a frame is a part of its event");
    let frame = Frame {
        time: Timestamp::from_nanos(header.timestamp_ns),
        origin: Origin {
            interface: None,
            direction: None,
            tap: Tap(u64::from(header.ifindex) << 8 | u64::from(header.hook)),
        },
        link: LinkType::Ethernet,
        stripped_tag: (header.vlan_protocol != 0).then_some(VlanTag {
            protocol: header.vlan_protocol,
            tci: header.vlan_tci,
        }),
        length: header.frame_len,
        data: Bytes::from(frame.to_vec()),
    };
    let _: Option<Packet> = decode(&frame, &FingerprintKey::new([7; 16]));
});
