//! One frame seen in several places is one frame.
//!
//! A host may see a frame on a device and on its upper device, or on two hooks; two capture files
//! may hold the same broadcast. Each such place is a [`Tap`]. A second sighting *from the same tap*
//! is a second frame: that an advert arrives twice is something to report.

use std::{
    collections::{HashMap, VecDeque},
    hash::Hasher as _,
    time::Duration,
};

use siphasher::sip::SipHasher13;

use crate::{
    frame::{Frame, LinkType, Tap},
    model::Timestamp,
    wire::VlanStack,
};

/// A frame reaches all its taps within this time. The kernel hands broadcasts to a macvlan by a
/// worker, which a busy host keeps waiting.
const WINDOW: Duration = Duration::from_secs(1);

/// A host hands a frame from one of its interfaces to the next within this time.
const SAME_MOMENT: Duration = Duration::from_millis(1);

/// Frames that are remembered at most.
const LIMIT: usize = 65_536;

/// Frames that are the same to the last bit and remembered at most: a flood of them must not be
/// searched one by one.
const SAME_LIMIT: usize = 32;

/// The recent frames, and the taps each was seen from.
#[derive(Debug, Default)]
pub(super) struct Duplicates {
    /// By content, the oldest first.
    recent: HashMap<u64, VecDeque<Sighted>>,
    /// All of them, the oldest first.
    order: VecDeque<(Timestamp, u64)>,
}

#[derive(Debug)]
struct Sighted {
    time: Timestamp,
    taps: Vec<Tap>,
}

impl Duplicates {
    /// Whether the frame was seen already, from another tap.
    ///
    /// An IPv6 router repeats itself to the last bit with every advert, and the next one may be
    /// seen from one tap before this one is from another. Each tap sees the frames in their order,
    /// though: what it sees is the oldest one that it has not seen yet.
    pub(super) fn is_duplicate(&mut self, frame: &Frame, vlan: &VlanStack) -> bool {
        self.forget(frame.time);
        let hash = fingerprint(frame, vlan);
        let tap = frame.origin.tap;
        let same = self.recent.entry(hash).or_default();
        // A cooked header of the first version does not tell on which interface a frame was seen: the
        // same again at once is the same, on another.
        if frame.link == LinkType::LinuxSll
            && same
                .back()
                .is_some_and(|sighted| frame.time.since(sighted.time) < SAME_MOMENT)
        {
            return true;
        }
        if let Some(sighted) = same.iter_mut().find(|sighted| !sighted.taps.contains(&tap)) {
            sighted.taps.push(tap);
            return true;
        }
        if same.len() == SAME_LIMIT {
            same.pop_front();
        }
        same.push_back(Sighted {
            time: frame.time,
            taps: vec![tap],
        });
        self.order.push_back((frame.time, hash));
        false
    }

    fn forget(&mut self, now: Timestamp) {
        while let Some((time, hash)) = self.order.front().copied()
            && (now.since(time) > WINDOW || self.order.len() > LIMIT)
        {
            self.order.pop_front();
            let Some(same) = self.recent.get_mut(&hash) else {
                continue;
            };
            same.pop_front_if(|sighted| sighted.time <= time);
            if same.is_empty() {
                self.recent.remove(&hash);
            }
        }
    }
}

/// Hash of what is the same in all sightings: addresses, VLANs and payload, but not the tags, which
/// are in the frame in one place and beside it in another.
fn fingerprint(frame: &Frame, vlan: &VlanStack) -> u64 {
    let mut hasher = SipHasher13::new();
    for id in vlan.ids() {
        hasher.write_u16(*id);
    }
    // A bridge takes in at one port what it sends at another, and `tcpdump -i any` has both.
    let cooked = matches!(frame.link, LinkType::LinuxSll | LinkType::LinuxSll2);
    if let Some(direction) = frame.origin.direction.filter(|_| !cooked) {
        hasher.write_u8(direction as u8 + 1);
    }
    if let Some(interface) = &frame.origin.interface {
        hasher.write(interface.as_bytes());
    }
    let data = &frame.data[..];
    match (frame.link, data.split_at_checked(12)) {
        (LinkType::Ethernet, Some((addresses, mut rest))) => {
            hasher.write(addresses);
            while let [0x81 | 0x91, 0x00, ..] | [0x88, 0xa8, ..] = *rest
                && let Some((_, inner)) = rest.split_at_checked(4)
            {
                rest = inner;
            }
            hasher.write(rest);
        }
        // Not the packet type, nor the interface.
        (LinkType::LinuxSll, _) => hasher.write(data.get(2..).unwrap_or_default()),
        (LinkType::LinuxSll2, _) => {
            hasher.write(data.get(..2).unwrap_or_default());
            hasher.write(data.get(12..).unwrap_or_default());
        }
        _ => hasher.write(data),
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use bytes::Bytes;

    use super::*;
    use crate::frame::{Direction, Origin, VlanTag};

    fn frame(tap: u64, millis: u64, data: &'static [u8]) -> Frame {
        Frame {
            time: Timestamp::from_nanos(millis * 1_000_000),
            origin: Origin {
                interface: Some(Arc::from("eth0")),
                direction: Some(Direction::In),
                tap: Tap(tap),
            },
            link: LinkType::Ethernet,
            stripped_tag: None,
            length: 0,
            data: Bytes::from_static(data),
        }
    }

    const TAGGED: &[u8] = b"\x01\0\x5e\0\0\x12\x02\0\0\0\0\xa0\x81\0\0\x64\x08\0payload";
    const PLAIN: &[u8] = b"\x01\0\x5e\0\0\x12\x02\0\0\0\0\xa0\x08\0payload";

    #[test]
    fn another_tap_sees_the_same_frame_once() {
        let mut duplicates = Duplicates::default();
        let vlan = VlanStack::new([100]);
        assert!(!duplicates.is_duplicate(&frame(2, 0, TAGGED), &vlan));
        let mut stripped = frame(1, 1, PLAIN);
        stripped.stripped_tag = Some(VlanTag {
            protocol: 0x8100,
            tci: 100,
        });
        assert!(duplicates.is_duplicate(&stripped, &vlan));
        assert!(
            !duplicates.is_duplicate(&frame(2, 2, TAGGED), &vlan),
            "sent twice"
        );
    }

    #[test]
    fn a_tap_may_lag_behind_by_more_than_a_frame() {
        let mut duplicates = Duplicates::default();
        let vlan = VlanStack::default();
        for (tap, millis, seen_before) in [
            (1, 0, false),
            (1, 200, false),
            (2, 210, true),
            (1, 400, false),
            (2, 410, true),
            (2, 420, true),
        ] {
            let frame = frame(tap, millis, PLAIN);
            let is_duplicate = duplicates.is_duplicate(&frame, &vlan);
            assert_eq!(is_duplicate, seen_before, "tap {tap} after {millis} ms");
        }
    }

    #[test]
    fn what_one_tap_missed_the_other_has() {
        let mut duplicates = Duplicates::default();
        let vlan = VlanStack::default();
        let mut reported = 0;
        // The first tap misses the second of five frames.
        for (tap, millis) in [
            (1, 0),
            (2, 1),
            (2, 101),
            (1, 200),
            (2, 201),
            (1, 300),
            (2, 301),
            (1, 400),
            (2, 401),
        ] {
            let is_duplicate = duplicates.is_duplicate(&frame(tap, millis, PLAIN), &vlan);
            reported += u32::from(!is_duplicate);
        }
        assert_eq!(reported, 5);
    }

    #[test]
    fn the_same_bytes_much_later_are_a_new_frame() {
        let mut duplicates = Duplicates::default();
        let vlan = VlanStack::default();
        assert!(!duplicates.is_duplicate(&frame(1, 0, PLAIN), &vlan));
        assert!(!duplicates.is_duplicate(&frame(2, 1500, PLAIN), &vlan));
    }
}
