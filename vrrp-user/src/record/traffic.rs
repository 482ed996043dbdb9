//! The record of the traffic of an address.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// What went to and from an address in a while, counted in the kernel. The interface and the VLAN of
/// the record are where.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct TrafficRecord {
    /// The address.
    pub address: IpAddr,
    /// For how long it was counted, in milliseconds: until the time of the record.
    pub counted_ms: u64,
    /// What arrived for the address, sent to a MAC of this host.
    #[serde(rename = "in")]
    pub arrived: Volume,
    /// What left from here in the name of the address.
    #[serde(rename = "out")]
    pub left: Volume,
}

/// Traffic in numbers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct Volume {
    /// Frames, as many as they are on the wire.
    pub packets: u64,
    /// Their bytes; of frames that the host's stack merged or has yet to cut, with one header.
    pub bytes: u64,
    /// First segments of TCP connections (SYN without ACK) among them.
    pub syns: u64,
}

impl Volume {
    /// What was added since an earlier reading.
    #[must_use]
    pub const fn since(self, earlier: Self) -> Self {
        Self {
            packets: self.packets.saturating_sub(earlier.packets),
            bytes: self.bytes.saturating_sub(earlier.bytes),
            syns: self.syns.saturating_sub(earlier.syns),
        }
    }

    /// Both together.
    #[must_use]
    pub const fn plus(self, other: Self) -> Self {
        Self {
            packets: self.packets + other.packets,
            bytes: self.bytes + other.bytes,
            syns: self.syns + other.syns,
        }
    }
}
