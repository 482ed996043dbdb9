//! The contract for counting the traffic of virtual addresses.

use crate::WatchKey;

/// How many addresses are counted.
pub const MAX_COUNTED: u32 = 4096;

/// How many [`Flow`]s are kept; a frame that would need one more is counted as
/// [`crate::Counter::TrafficFull`].
pub const MAX_FLOWS: u32 = 16_384;

/// How many MACs this host can have.
pub const MAX_OWN_MACS: u32 = 1024;

/// VLAN tags that are told apart: one that the NIC moved out of the frame and two in it.
pub const TAGS: usize = 3;

/// An Ethernet address as the map of this host's own has it.
pub type MacKey = [u8; 6];

/// Values of [`Flow::direction`].
pub mod direction {
    /// Arrived here for the address.
    pub const IN: u8 = 1;
    /// Left from here in the name of the address.
    pub const OUT: u8 = 2;
}

/// What is counted apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Flow {
    /// The virtual address.
    pub address: WatchKey,
    /// Index of the interface that the program is attached to.
    pub ifindex: u32,
    /// VLAN identifiers, the outer first; 0 where there is no tag, as in a priority tag.
    pub vlan: [u16; TAGS],
    /// One of [`mod@direction`].
    pub direction: u8,
}

/// A [`Flow`] as the map has it, in the host's byte order.
pub type FlowKey = [u8; 28];

/// What was counted of a flow, as the map has it: frames, bytes, first segments of TCP connections.
///
/// Frames that the stack merged, or has yet to cut, count as many as they are on the wire; their
/// bytes are those of the merged frame, with one header.
pub type FlowCount = [u64; 3];

impl Flow {
    /// The key of this flow.
    #[must_use]
    #[inline]
    pub fn to_key(self) -> FlowKey {
        let mut key = [0; 28];
        key[..16].copy_from_slice(&self.address);
        key[16..20].copy_from_slice(&self.ifindex.to_ne_bytes());
        let [outer, middle, inner] = self.vlan;
        key[20..22].copy_from_slice(&outer.to_ne_bytes());
        key[22..24].copy_from_slice(&middle.to_ne_bytes());
        key[24..26].copy_from_slice(&inner.to_ne_bytes());
        key[26] = self.direction;
        key
    }

    /// The flow of a key.
    #[must_use]
    pub fn of_key(key: FlowKey) -> Self {
        let [
            address @ ..,
            i0,
            i1,
            i2,
            i3,
            o0,
            o1,
            m0,
            m1,
            n0,
            n1,
            direction,
            _zero,
        ] = key;
        Self {
            address,
            ifindex: u32::from_ne_bytes([i0, i1, i2, i3]),
            vlan: [[o0, o1], [m0, m1], [n0, n1]].map(u16::from_ne_bytes),
            direction,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::watch_key_v4;

    #[test]
    fn a_key_reads_back_as_its_flow() {
        let flow = Flow {
            address: watch_key_v4([10, 77, 0, 100]),
            ifindex: 0x0102_0304,
            vlan: [100, 0, 4095],
            direction: direction::OUT,
        };
        assert_eq!(Flow::of_key(flow.to_key()), flow);
        let other = Flow {
            vlan: [0, 100, 4095],
            ..flow
        };
        assert_ne!(other.to_key(), flow.to_key());
    }
}
