//! What the cooked headers of `tcpdump -i any` tell beside the frame: which way it went, and, in their
//! second version, which interface it was seen on.

use crate::frame::{Direction, LinkType, Tap};

/// What a cooked header tells; nothing for other links.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Cooked {
    pub(super) direction: Option<Direction>,
    /// Index of the interface.
    interface: Option<u32>,
}

/// The packet types of `<linux/if_packet.h>`.
const TO_HOST_MULTICAST: [u16; 3] = [0, 1, 2];
const OUTGOING: u16 = 4;

impl Cooked {
    pub(super) fn read(link: LinkType, data: &[u8]) -> Self {
        match (link, data) {
            (LinkType::LinuxSll, [high, low, ..]) => Self {
                direction: direction(u16::from_be_bytes([*high, *low])),
                interface: None,
            },
            (LinkType::LinuxSll2, [_, _, _, _, i0, i1, i2, i3, _, _, kind, ..]) => Self {
                direction: direction(u16::from(*kind)),
                interface: Some(u32::from_be_bytes([*i0, *i1, *i2, *i3])),
            },
            _ => Self::default(),
        }
    }

    /// Where the frame was seen: a host sees one and the same frame on a bridge and on its port, and
    /// `tcpdump -i any` records both.
    pub(super) fn tap(self, file: Tap) -> Tap {
        match self.interface {
            Some(interface) => Tap((file.0 + 1) << 32 | u64::from(interface)),
            None => file,
        }
    }
}

fn direction(packet_type: u16) -> Option<Direction> {
    match packet_type {
        OUTGOING => Some(Direction::Out),
        kind if TO_HOST_MULTICAST.contains(&kind) => Some(Direction::In),
        _ => None,
    }
}
