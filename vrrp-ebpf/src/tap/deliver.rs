//! Carries a matched frame to user space through the ring buffer.

use aya_ebpf::{macros::map, maps::RingBuf};
use aya_log_ebpf::debug;
use vrrp_ebpf::{Counter, EventHeader, RING_BYTES, SIZE_CLASSES, kind};

use super::bounds::{self, Frame};

#[map]
static EVENTS: RingBuf = RingBuf::with_byte_size(RING_BYTES, 0);

/// Sends the first `extent` bytes of the frame, or all of it where it is shorter, and says which
/// counter that goes to.
#[inline(always)]
pub(super) fn deliver(
    frame: &impl Frame,
    hook: u8,
    kind: u8,
    standing: u8,
    extent: u32,
) -> Counter {
    let frame_len = frame.length();
    let wanted = extent.min(frame_len);
    let (vlan_protocol, vlan_tci) = frame.stripped_tag();
    let header = EventHeader {
        timestamp_ns: bounds::boot_time(),
        ifindex: frame.ifindex(),
        frame_len,
        captured_len: wanted,
        vlan_tci,
        vlan_protocol,
        hook,
        kind,
        standing,
        reserved: [0; 5],
    };
    let outcome = if wanted <= room(0) {
        send::<{ SIZE_CLASSES[0] }>(frame, header)
    } else if wanted <= room(1) {
        send::<{ SIZE_CLASSES[1] }>(frame, header)
    } else if wanted <= room(2) {
        send::<{ SIZE_CLASSES[2] }>(frame, header)
    } else {
        send::<{ SIZE_CLASSES[3] }>(frame, header)
    };
    debug!(
        frame,
        "hook {}: kind {} on interface {}, {} of {} bytes wanted, counter {}",
        hook,
        kind,
        header.ifindex,
        wanted,
        frame_len,
        outcome.index()
    );
    outcome
}

/// Bytes of a frame that fit an event of this size class.
const fn room(class: usize) -> u32 {
    (SIZE_CLASSES[class] - EventHeader::SIZE) as u32
}

/// Sends an event of `SIZE` bytes, cutting the frame to what fits.
#[inline(always)]
fn send<const SIZE: usize>(frame: &impl Frame, mut header: EventHeader) -> Counter {
    let room = (SIZE - EventHeader::SIZE) as u32;
    header.captured_len = header.captured_len.min(room);
    let Some(mut event) = EVENTS.reserve_bytes(SIZE, 0) else {
        return Counter::RingFull;
    };
    if !bounds::fill(&mut event, header, frame) {
        event.discard(0);
        return Counter::Unreadable;
    }
    event.submit(0);
    match header.kind {
        kind::ARP => Counter::DeliveredArp,
        kind::ND => Counter::DeliveredNd,
        _ => Counter::DeliveredVrrp,
    }
}
