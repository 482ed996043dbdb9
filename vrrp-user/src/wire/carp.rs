//! CARP, which shares protocol number, group and first byte with VRRPv2.

use std::net::IpAddr;

use etherparse::checksum::Sum16BitWords;

use super::checksum::{pseudo_header, sum};

/// A CARP advertisement.
///
/// Read as VRRPv2 it would be a router that resigns every second with seven addresses of noise,
/// which is how tcpdump and tshark print it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Carp {
    /// Sender.
    pub source: IpAddr,
    /// Receiver, usually the VRRP group.
    pub destination: IpAddr,
    /// Time to live or hop limit.
    pub ttl: u8,
    /// Virtual host identifier.
    pub vhid: u8,
    /// Skew of the sender's advertisements in 1/256 s: the lower, the better its claim.
    pub skew: u8,
    /// Demotion counter.
    pub demotion: u8,
    /// Base interval in seconds.
    pub base_seconds: u8,
    /// Whether the checksum verifies.
    pub intact: bool,
}

impl Carp {
    /// Length of every CARP message in bytes.
    const LENGTH: usize = 36;
    /// The length of the authentication data in 32-bit words, a constant of the protocol.
    const AUTH_WORDS: u8 = 7;

    /// Reads a message, if it is CARP: as VRRPv2 with seven addresses it would be 44 bytes long.
    pub(super) fn parse(
        source: IpAddr,
        destination: IpAddr,
        ttl: u8,
        message: &[u8],
    ) -> Option<Self> {
        let [
            0x21,
            vhid,
            skew,
            Self::AUTH_WORDS,
            demotion,
            base_seconds,
            ..,
        ] = *message
        else {
            return None;
        };
        if message.len() != Self::LENGTH {
            return None;
        }
        let start = match source {
            IpAddr::V4(_) => Sum16BitWords::new(),
            IpAddr::V6(_) => pseudo_header(source, destination, message.len()),
        };
        let intact = sum(start, message);
        Some(Self {
            source,
            destination,
            ttl,
            vhid,
            skew,
            demotion,
            base_seconds,
            intact,
        })
    }
}
