//! Neighbour solicitation and advertisement (RFC 4861): the ARP of IPv6.

use std::net::Ipv6Addr;

use etherparse::{Icmpv6Slice, Icmpv6Type};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::MacAddr;

/// A neighbour solicitation or advertisement.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Nd {
    /// What the type field says.
    pub operation: NdOperation,
    /// What the message is for.
    pub kind: NdKind,
    /// Sender's address; unspecified in a probe.
    pub source: Ipv6Addr,
    /// Receiver's address.
    pub destination: Ipv6Addr,
    /// The address in question.
    pub target: Ipv6Addr,
    /// Link-layer address option: the sender's in a solicitation, the target's in an
    /// advertisement.
    pub link_address: Option<MacAddr>,
    /// Override flag of an advertisement.
    pub override_flag: bool,
    /// Router flag of an advertisement.
    pub router_flag: bool,
}

/// The type field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NdOperation {
    /// 135.
    Solicitation,
    /// 136.
    Advertisement,
}

/// What a neighbour discovery message is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum NdKind {
    /// Asks who has an address.
    Request,
    /// Says who has it.
    Reply,
    /// Asks whether an address is free: duplicate address detection (RFC 4862).
    Probe,
    /// Tells all neighbours a binding: an unsolicited advertisement.
    Announcement,
}

impl NdKind {
    /// As written in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Reply => "reply",
            Self::Probe => "probe",
            Self::Announcement => "announcement",
        }
    }
}

impl Nd {
    /// `None` for any other ICMPv6 message, and where the target address is cut off.
    pub(super) fn from_slice(
        source: Ipv6Addr,
        destination: Ipv6Addr,
        message: &Icmpv6Slice<'_>,
    ) -> Option<Self> {
        let (target, options) = message.payload().split_first_chunk::<16>()?;
        let target = Ipv6Addr::from(*target);
        Some(match message.icmp_type() {
            Icmpv6Type::NeighborSolicitation => Self {
                operation: NdOperation::Solicitation,
                kind: if source.is_unspecified() {
                    NdKind::Probe
                } else {
                    NdKind::Request
                },
                source,
                destination,
                target,
                link_address: link_address(options, 1),
                override_flag: false,
                router_flag: false,
            },
            Icmpv6Type::NeighborAdvertisement(flags) => Self {
                operation: NdOperation::Advertisement,
                kind: if flags.solicited {
                    NdKind::Reply
                } else {
                    NdKind::Announcement
                },
                source,
                destination,
                target,
                link_address: link_address(options, 2),
                override_flag: flags.r#override,
                router_flag: flags.router,
            },
            _ => return None,
        })
    }
}

/// The Ethernet address in the option of this type (RFC 4861 section 4.6.1). Lengths are in units
/// of eight bytes; one of zero ends the list, since it would never advance.
fn link_address(mut options: &[u8], wanted: u8) -> Option<MacAddr> {
    loop {
        let [kind, length, ..] = *options else {
            return None;
        };
        let option = options
            .get(2..usize::from(length) * 8)
            .filter(|_| length > 0)?;
        if kind == wanted {
            return option.first_chunk::<6>().copied().map(MacAddr::new);
        }
        options = &options[usize::from(length) * 8..];
    }
}
