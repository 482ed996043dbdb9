//! The contract between the kernel programs and user space.
//!
//! Everything that crosses the boundary is named here and nowhere else: the event header, the
//! counters, the map and program names, the settings that the loader patches into the object. The
//! types are integers and byte arrays, because any bit pattern a kernel hands over must be a valid
//! value; user space reads them with safe code ([`EventHeader::parse`]).
//!
//! An event in the ring buffer is an [`EventHeader`] followed by `captured_len` bytes of the frame,
//! rounded up to one of [`SIZE_CLASSES`] because the verifier wants reservations of constant size.
//! What stands behind `captured_len` is padding of unknown content and must not be read.

#![no_std]
#![forbid(unsafe_code)]

pub mod budget;
pub mod dropped;
pub mod traffic;

/// The sizes (header and frame together, in bytes) in which events are reserved.
///
/// The smallest holds any ARP frame, neighbour discovery message and everyday advert; the third an
/// advert with 255 IPv4 addresses; the largest what fits a standard Ethernet frame behind two VLAN
/// tags (an advert with 90 IPv6 addresses, or one with AH or a HMAC trailer).
pub const SIZE_CLASSES: [usize; 4] = [128, 384, 1152, 2048];

/// The most bytes of a frame that one event can carry; longer frames arrive cut, and say so by
/// [`EventHeader::frame_len`].
pub const MAX_CAPTURE: usize = SIZE_CLASSES[SIZE_CLASSES.len() - 1] - EventHeader::SIZE;

/// How many addresses the kernel filter can watch.
pub const MAX_WATCHED: u32 = 16_384;

/// Default size of the ring buffer in bytes, a power of two and a multiple of the page size.
pub const RING_BYTES: u32 = 1 << 20;

/// How many IPv6 extension headers the filter follows; a frame with more is counted as
/// [`Counter::ExtensionsTooDeep`].
pub const MAX_EXTENSIONS: usize = 6;

/// An address as the watch map knows it: IPv6 as it is, IPv4 mapped into `::ffff:0:0/96`.
pub type WatchKey = [u8; 16];

/// The key of an IPv4 address in the watch map.
#[must_use]
pub const fn watch_key_v4(address: [u8; 4]) -> WatchKey {
    let [a, b, c, d] = address;
    [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xff, a, b, c, d]
}

/// Names of the programs in the object.
pub mod program {
    /// XDP, ingress only, sees the frame before the stack does.
    pub const XDP: &str = "vrrp_xdp";
    /// TC classifier on ingress.
    pub const TC_INGRESS: &str = "vrrp_tc_ingress";
    /// TC classifier on egress: the only hook that sees the host's own adverts.
    pub const TC_EGRESS: &str = "vrrp_tc_egress";
    /// XDP that only passes: the yardstick of `cargo xtask bench kernel`, never attached.
    pub const XDP_EMPTY: &str = "vrrp_xdp_empty";
    /// TC classifier that only passes: the other yardstick.
    pub const TC_EMPTY: &str = "vrrp_tc_empty";
    /// Counts dropped packets at the tracepoint [`super::DROP_TRACEPOINT`]; loaded on suspicion only.
    pub const DROPS: &str = "vrrp_drops";
}

/// The tracepoint that every dropped packet passes.
pub const DROP_TRACEPOINT: &str = "kfree_skb";

/// How many [`dropped::DropKey`]s are counted apart.
pub const MAX_DROPS: u32 = 1024;

/// Names of the maps in the object.
pub mod map {
    /// Ring buffer of events.
    pub const EVENTS: &str = "EVENTS";
    /// Per-CPU array of `u64`, indexed by [`crate::Counter`].
    pub const COUNTERS: &str = "COUNTERS";
    /// Hash of [`crate::WatchKey`] to `u8` (the value means nothing).
    pub const WATCHED: &str = "WATCHED";
    /// Hash of [`crate::budget::SenderKey`] to [`crate::budget::Known`]: senders that user space names.
    pub const KNOWN: &str = "KNOWN";
    /// LRU hash of [`crate::budget::Likeness`] to [`crate::budget::Alike`]: what known senders say.
    pub const ALIKE: &str = "ALIKE";
    /// LRU hash of [`crate::budget::SenderKey`] to `u64`: the budgets of others.
    pub const SENDERS: &str = "SENDERS";
    /// Array of `u64`, indexed by [`mod@crate::budget::pool`].
    pub const POOLS: &str = "POOLS";
    /// Per-CPU hash of [`crate::dropped::DropKey`] as bytes to `u64`: how many packets.
    pub const DROPS: &str = "DROPS";
    /// Per-CPU array of one `u64`: dropped packets for which [`DROPS`] had no room.
    pub const DROPS_UNCOUNTED: &str = "DROPS_UNCOUNTED";
    /// Hash of [`crate::WatchKey`] to `u8`: addresses whose traffic is counted.
    pub const COUNTED: &str = "COUNTED";
    /// Hash of [`crate::traffic::MacKey`] to `u8`: where frames for this host are sent to.
    pub const OWN_MACS: &str = "OWN_MACS";
    /// Per-CPU hash of [`crate::traffic::FlowKey`] to [`crate::traffic::FlowCount`].
    pub const FLOWS: &str = "FLOWS";
}

/// Names of the read-only globals that the loader sets before loading.
pub mod global {
    /// `u8`, one of [`mod@crate::arp_mode`].
    ///
    /// Debug lines are not ruled here: aya-log brings a global of its own, and with level 0 the
    /// verifier removes every line of them.
    pub const ARP_MODE: &str = "ARP_MODE";
    /// `u8`: whether there are budgets. With 0 the verifier removes them.
    pub const BUDGETS: &str = "BUDGETS";
    /// [`crate::dropped::Layout`] as words.
    pub const DROP_LAYOUT: &str = "DROP_LAYOUT";
    /// `u32`, inode of the network namespace whose drops are counted; 0 for all.
    pub const DROP_NETNS: &str = "DROP_NETNS";
    /// `u8`, 1 where the tracepoint tells the reason.
    pub const DROP_REASONS: &str = "DROP_REASONS";
    /// `u8`: whether the traffic of the addresses in [`crate::map::COUNTED`] is counted. With 0 the
    /// verifier removes what counts.
    pub const COUNT_TRAFFIC: &str = "COUNT_TRAFFIC";
}

/// Values of [`global::ARP_MODE`].
pub mod arp_mode {
    /// ARP and neighbour discovery are neither looked at nor counted.
    pub const OFF: u8 = 0;
    /// Only what concerns a watched address, or is gratuitous or announced; the rest is counted.
    pub const WATCHED: u8 = 1;
    /// All of it.
    pub const ALL: u8 = 2;
}

/// Values of [`EventHeader::hook`].
pub mod hook {
    /// XDP, ingress.
    pub const XDP: u8 = 1;
    /// TC ingress.
    pub const TC_INGRESS: u8 = 2;
    /// TC egress.
    pub const TC_EGRESS: u8 = 3;
}

/// Values of [`EventHeader::kind`]: why the filter took the frame.
pub mod kind {
    /// IP protocol 112, or AH carrying it: VRRP or CARP.
    pub const VRRP: u8 = 1;
    /// ARP.
    pub const ARP: u8 = 2;
    /// ICMPv6 neighbour solicitation or advertisement.
    pub const ND: u8 = 3;
}

/// Values of [`EventHeader::standing`]: what is known of the sender.
pub mod standing {
    /// Nothing.
    pub const UNKNOWN: u8 = 0;
    /// It is one that user space named.
    pub const KNOWN: u8 = 1;
    /// It says what those say.
    pub const ALIKE: u8 = 2;
}

/// Indices into [`map::COUNTERS`]. Every frame that the filter matched is counted in exactly one
/// of them per hook that saw it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[repr(u32)]
pub enum Counter {
    /// VRRP or CARP delivered to user space.
    DeliveredVrrp = 0,
    /// ARP delivered.
    DeliveredArp = 1,
    /// Neighbour discovery delivered.
    DeliveredNd = 2,
    /// Matched and lost: no room in the ring buffer.
    RingFull = 3,
    /// Matched and lost: the frame's bytes could not be read.
    Unreadable = 4,
    /// ARP that concerns no watched address: seen and left alone.
    ArpUnwatched = 5,
    /// Neighbour discovery that concerns no watched address: seen and left alone.
    NdUnwatched = 6,
    /// A later fragment of a VRRP packet: it has no header to decode.
    LaterFragment = 7,
    /// IPv6 with more extension headers than the filter follows.
    ExtensionsTooDeep = 8,
    /// Traffic of a counted address that found no room among the [`traffic::Flow`]s. Besides the
    /// others: the frame may be one that is matched as well.
    TrafficFull = 9,
    /// VRRP of a known sender beyond its budget.
    KnownOverBudget = 10,
    /// VRRP like that of known senders beyond its budget.
    AlikeOverBudget = 11,
    /// VRRP of a sender that is not known beyond its budget.
    SenderOverBudget = 12,
    /// VRRP of senders that are not known beyond the budget of all of them.
    VrrpOverBudget = 13,
    /// ARP or neighbour discovery beyond the budget of its sender or of all.
    NeighbourOverBudget = 14,
}

impl Counter {
    /// All counters, in the order of their indices.
    pub const ALL: [Self; 15] = [
        Self::DeliveredVrrp,
        Self::DeliveredArp,
        Self::DeliveredNd,
        Self::RingFull,
        Self::Unreadable,
        Self::ArpUnwatched,
        Self::NdUnwatched,
        Self::LaterFragment,
        Self::ExtensionsTooDeep,
        Self::TrafficFull,
        Self::KnownOverBudget,
        Self::AlikeOverBudget,
        Self::SenderOverBudget,
        Self::VrrpOverBudget,
        Self::NeighbourOverBudget,
    ];

    /// Number of counters: the length of the map.
    pub const COUNT: u32 = 15;

    /// Index into the map.
    #[must_use]
    pub const fn index(self) -> u32 {
        self as u32
    }
}

/// The fixed part of an event. Integers are in the host's byte order unless said otherwise.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(C)]
pub struct EventHeader {
    /// Nanoseconds of the boot clock (`CLOCK_BOOTTIME`) when the program saw the frame.
    pub timestamp_ns: u64,
    /// Index of the interface the program is attached to.
    pub ifindex: u32,
    /// Length of the whole frame in bytes.
    pub frame_len: u32,
    /// Bytes of the frame that follow the header, at most [`MAX_CAPTURE`].
    pub captured_len: u32,
    /// Tag control information that the NIC moved out of the frame; meaningful only with
    /// `vlan_protocol` not 0.
    pub vlan_tci: u16,
    /// TPID of that tag (0x8100, 0x88a8) in host order, 0 where there is none.
    pub vlan_protocol: u16,
    /// One of [`mod@hook`].
    pub hook: u8,
    /// One of [`mod@kind`].
    pub kind: u8,
    /// One of [`mod@standing`].
    pub standing: u8,
    /// Zero.
    pub reserved: [u8; 5],
}

impl EventHeader {
    /// Size in bytes.
    pub const SIZE: usize = 32;

    /// Splits an event into its header and the bytes of the frame.
    ///
    /// `None` where the event is shorter than it says: that is a bug or a mismatched object, and
    /// the caller counts it.
    #[must_use]
    pub fn parse(event: &[u8]) -> Option<(Self, &[u8])> {
        let (head, rest) = event.split_first_chunk::<{ Self::SIZE }>()?;
        let [
            t0,
            t1,
            t2,
            t3,
            t4,
            t5,
            t6,
            t7,
            i0,
            i1,
            i2,
            i3,
            f0,
            f1,
            f2,
            f3,
            c0,
            c1,
            c2,
            c3,
            v0,
            v1,
            p0,
            p1,
            hook,
            kind,
            standing,
            reserved @ ..,
        ] = *head;
        let header = Self {
            timestamp_ns: u64::from_ne_bytes([t0, t1, t2, t3, t4, t5, t6, t7]),
            ifindex: u32::from_ne_bytes([i0, i1, i2, i3]),
            frame_len: u32::from_ne_bytes([f0, f1, f2, f3]),
            captured_len: u32::from_ne_bytes([c0, c1, c2, c3]),
            vlan_tci: u16::from_ne_bytes([v0, v1]),
            vlan_protocol: u16::from_ne_bytes([p0, p1]),
            hook,
            kind,
            standing,
            reserved,
        };
        let frame = rest.get(..usize::try_from(header.captured_len).ok()?)?;
        Some((header, frame))
    }

    /// Whether the frame is worth more than others when there are more than can be looked at.
    #[must_use]
    pub const fn is_known(&self) -> bool {
        self.standing != standing::UNKNOWN
    }

    /// The bytes that [`EventHeader::parse`] reads.
    #[must_use]
    pub fn to_bytes(self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[0..8].copy_from_slice(&self.timestamp_ns.to_ne_bytes());
        bytes[8..12].copy_from_slice(&self.ifindex.to_ne_bytes());
        bytes[12..16].copy_from_slice(&self.frame_len.to_ne_bytes());
        bytes[16..20].copy_from_slice(&self.captured_len.to_ne_bytes());
        bytes[20..22].copy_from_slice(&self.vlan_tci.to_ne_bytes());
        bytes[22..24].copy_from_slice(&self.vlan_protocol.to_ne_bytes());
        bytes[24] = self.hook;
        bytes[25] = self.kind;
        bytes[26] = self.standing;
        bytes[27..32].copy_from_slice(&self.reserved);
        bytes
    }
}

const _: () = assert!(size_of::<EventHeader>() == EventHeader::SIZE);
const _: () = assert!(align_of::<EventHeader>() == 8);
const _: () = assert!(Counter::ALL.len() == Counter::COUNT as usize);
const _: () = assert!(RING_BYTES.is_power_of_two());

#[cfg(test)]
mod tests {
    use super::*;

    const HEADER: EventHeader = EventHeader {
        timestamp_ns: 0x0102_0304_0506_0708,
        ifindex: 7,
        frame_len: 60,
        captured_len: 3,
        vlan_tci: 0x6064,
        vlan_protocol: 0x8100,
        hook: hook::TC_EGRESS,
        kind: kind::ARP,
        standing: standing::KNOWN,
        reserved: [0; 5],
    };

    #[test]
    fn parse_reads_what_to_bytes_writes_and_ignores_padding() {
        let mut event = [0xee; 40];
        event[..EventHeader::SIZE].copy_from_slice(&HEADER.to_bytes());
        event[EventHeader::SIZE..EventHeader::SIZE + 3].copy_from_slice(b"abc");
        assert_eq!(EventHeader::parse(&event), Some((HEADER, &b"abc"[..])));
    }

    #[test]
    fn a_short_event_is_refused_at_every_length() {
        let mut event = [0; EventHeader::SIZE + 3];
        event[..EventHeader::SIZE].copy_from_slice(&HEADER.to_bytes());
        for length in 0..event.len() {
            assert_eq!(EventHeader::parse(&event[..length]), None, "{length} bytes");
        }
    }

    #[test]
    fn counters_are_numbered_in_order() {
        for (index, counter) in Counter::ALL.iter().enumerate() {
            assert_eq!(counter.index() as usize, index);
        }
    }
}
