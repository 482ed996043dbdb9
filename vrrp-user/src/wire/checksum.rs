//! The checksum of VRRP in all the variants that speakers use.
//!
//! RFC 9568 section 5.2.8 wants no pseudo header for IPv4, keepalived and FRR include one by
//! default, and keepalived up to 1.3.6 put the multicast group into it for unicast packets. A
//! packet that verifies under any of them is intact; which one it was tells whether its receivers
//! will agree.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use etherparse::checksum::Sum16BitWords;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::advert::{MULTICAST_V4, MULTICAST_V6};
use crate::model::Version;

/// IP protocol number of VRRP.
pub(super) const VRRP_PROTOCOL: u8 = 112;

/// Which variant of the checksum verifies.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Checksum {
    /// The usual one: VRRPv2 without, VRRPv3 with a pseudo header.
    Ok,
    /// VRRPv3 over IPv4 without a pseudo header, as RFC 9568 has it.
    OkNoPseudoHeader,
    /// VRRPv3 with the multicast group in the pseudo header of a unicast packet.
    OkMulticastPseudoHeader,
    /// None: the packet was damaged, or rewritten on its way.
    Bad,
}

impl Checksum {
    /// As written in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::OkNoPseudoHeader => "ok-no-pseudo-header",
            Self::OkMulticastPseudoHeader => "ok-multicast-pseudo-header",
            Self::Bad => "bad",
        }
    }

    /// The first variant that verifies `message`, a VRRP message with its checksum field in place.
    ///
    /// `message` may be longer than the fields it announces by a trailer that the sender's checksum
    /// left out; `length` is where the fields end.
    pub(super) fn verify(
        version: Version,
        source: IpAddr,
        destination: IpAddr,
        message: &[u8],
        length: usize,
    ) -> Self {
        let fields = message.get(..length).unwrap_or(message);
        if [fields, message].into_iter().any(|bytes| {
            sum(
                with_pseudo_header(version, source, destination, bytes.len()),
                bytes,
            )
        }) {
            return Self::Ok;
        }
        if version == Version::V3 {
            if sum(Sum16BitWords::new(), fields) {
                return Self::OkNoPseudoHeader;
            }
            let group = match destination {
                IpAddr::V4(_) => IpAddr::V4(MULTICAST_V4),
                IpAddr::V6(_) => IpAddr::V6(MULTICAST_V6),
            };
            if sum(
                with_pseudo_header(version, source, group, fields.len()),
                fields,
            ) {
                return Self::OkMulticastPseudoHeader;
            }
        }
        Self::Bad
    }
}

/// Whether the bytes, checksum included, add up to all ones.
pub(super) fn sum(start: Sum16BitWords, bytes: &[u8]) -> bool {
    start.add_slice(bytes).ones_complement() == 0
}

/// The sum over the pseudo header, where the version has one.
fn with_pseudo_header(
    version: Version,
    source: IpAddr,
    destination: IpAddr,
    length: usize,
) -> Sum16BitWords {
    match version {
        Version::V2 => Sum16BitWords::new(),
        Version::V3 => pseudo_header(source, destination, length),
    }
}

/// The sum over source, destination, protocol and length.
pub(super) fn pseudo_header(source: IpAddr, destination: IpAddr, length: usize) -> Sum16BitWords {
    let add = |mut sum: Sum16BitWords, address| match address {
        IpAddr::V4(address) => sum.add_4bytes(Ipv4Addr::octets(&address)),
        IpAddr::V6(address) => sum.add_16bytes(Ipv6Addr::octets(&address)),
    };
    // An IP packet, and so its length, fits 32 bits; over IPv4 the upper half is zero and adds
    // nothing to the sum.
    let length = u32::try_from(length).unwrap_or(u32::MAX);
    add(add(Sum16BitWords::new(), source), destination)
        .add_4bytes(length.to_be_bytes())
        .add_2bytes([0, VRRP_PROTOCOL])
}
