//! ARP for IPv4 over Ethernet.

use std::net::Ipv4Addr;

use etherparse::{ArpEthIpv4Packet, ArpPacketSlice};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::model::MacAddr;

/// An ARP packet.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Arp {
    /// What the operation field says.
    pub operation: ArpOperation,
    /// What the packet is for.
    pub kind: ArpKind,
    /// Who sends it.
    pub sender_ip: Ipv4Addr,
    /// The MAC that the sender claims for itself.
    pub sender_mac: MacAddr,
    /// Whom it concerns.
    pub target_ip: Ipv4Addr,
    /// Unknown in a request; gratuitous ones carry zeros or ones.
    pub target_mac: MacAddr,
}

/// The operation field.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ArpOperation {
    /// 1.
    Request,
    /// 2.
    Reply,
}

/// What an ARP packet is for, told from its operation and addresses.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum ArpKind {
    /// Asks who has an address.
    Request,
    /// Says who has it.
    Reply,
    /// Tells all neighbours a binding: sender and target are one address. keepalived, FRR and most
    /// others send these, as request or as reply, with a target MAC of all ones or their own.
    Gratuitous,
    /// Asks whether an address is free (RFC 5227): the sender has none yet.
    Probe,
    /// The announcement of RFC 5227: as gratuitous, a request with a target MAC of zeros.
    Announcement,
}

impl ArpKind {
    /// Whether the packet tells all neighbours that its sender has the address.
    pub const fn announces(self) -> bool {
        matches!(self, Self::Gratuitous | Self::Announcement)
    }

    /// As written in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Request => "request",
            Self::Reply => "reply",
            Self::Gratuitous => "gratuitous",
            Self::Probe => "probe",
            Self::Announcement => "announcement",
        }
    }
}

impl Arp {
    /// `None` for other networks than IPv4 over Ethernet, and for operations that are not about
    /// who has an address (RARP, InARP).
    pub(super) fn from_slice(slice: &ArpPacketSlice<'_>) -> Option<Self> {
        let operation = match slice.operation().0 {
            1 => ArpOperation::Request,
            2 => ArpOperation::Reply,
            _ => return None,
        };
        let ArpEthIpv4Packet {
            sender_mac,
            sender_ipv4,
            target_mac,
            target_ipv4,
            ..
        } = slice.to_packet().try_eth_ipv4().ok()?;
        let (sender_ip, target_ip) = (Ipv4Addr::from(sender_ipv4), Ipv4Addr::from(target_ipv4));
        let kind = match operation {
            ArpOperation::Request if sender_ip == target_ip && target_mac == [0; 6] => {
                ArpKind::Announcement
            }
            _ if sender_ip == target_ip => ArpKind::Gratuitous,
            ArpOperation::Request if sender_ip.is_unspecified() => ArpKind::Probe,
            ArpOperation::Request => ArpKind::Request,
            ArpOperation::Reply => ArpKind::Reply,
        };
        Some(Self {
            operation,
            kind,
            sender_ip,
            sender_mac: MacAddr::new(sender_mac),
            target_ip,
            target_mac: MacAddr::new(target_mac),
        })
    }
}
