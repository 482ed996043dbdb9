//! A frame as a source hands it over: bytes, and where and when they were seen.

use std::sync::Arc;

use bytes::Bytes;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::Timestamp;

/// One captured frame. Live capture, replay and tests all make these; nothing behind them can tell
/// which of the three did.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Frame {
    /// When it was seen.
    pub time: Timestamp,
    /// Where it was seen.
    pub origin: Origin,
    /// What the bytes begin with.
    pub link: LinkType,
    /// VLAN tag that was moved out of the frame before it was seen.
    pub stripped_tag: Option<VlanTag>,
    /// Length of the whole frame in bytes; more than `data` holds where the capture cut it.
    pub length: u32,
    /// The captured bytes, from the link header on.
    pub data: Bytes,
}

/// Where a frame was seen.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct Origin {
    /// Name of the interface; `None` in a capture file that names none.
    pub interface: Option<Arc<str>>,
    /// Which way it went, where that is known.
    pub direction: Option<Direction>,
    /// Tells apart the places that may see one and the same frame: the hook of an interface, or
    /// the capture file. Two sightings from one tap are two frames.
    pub tap: Tap,
}

/// Number of a place where frames are seen: see [`Origin::tap`].
#[derive(
    Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub struct Tap(pub u64);

/// Which way a frame went, seen from the host.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Direction {
    /// Received.
    In,
    /// Sent.
    Out,
}

/// What the bytes of a frame begin with.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum LinkType {
    /// An Ethernet header.
    Ethernet,
    /// The cooked header of `tcpdump -i any`, version 1.
    LinuxSll,
    /// The cooked header of `tcpdump -i any`, version 2.
    LinuxSll2,
    /// An IP header.
    RawIp,
}

/// A VLAN tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct VlanTag {
    /// Tag protocol identifier: 0x8100, 0x88a8 or 0x9100.
    pub protocol: u16,
    /// Priority, drop eligibility and VLAN identifier.
    pub tci: u16,
}

impl VlanTag {
    /// VLAN identifier, 0 to 4095; 0 is a priority tag on an untagged frame.
    pub const fn id(self) -> u16 {
        self.tci & 0x0fff
    }
}
