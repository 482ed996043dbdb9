//! The records of ARP and neighbour discovery.

use std::net::{Ipv4Addr, Ipv6Addr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    model::MacAddr,
    wire::{Arp, ArpKind, ArpOperation, Nd, NdKind, NdOperation},
};

/// An ARP packet.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct ArpRecord {
    /// The operation field.
    pub operation: ArpOperation,
    /// What the packet is for.
    pub kind: ArpKind,
    /// The address that it is about: asked for, answered for or announced.
    pub address: Ipv4Addr,
    /// Sender's protocol address.
    pub sender_ip: Ipv4Addr,
    /// Sender's hardware address.
    pub sender_mac: MacAddr,
    /// Target's protocol address.
    pub target_ip: Ipv4Addr,
    /// Target's hardware address.
    pub target_mac: MacAddr,
    /// Sender on the link; differs from `sender_mac` where somebody answers for somebody else.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source_mac: Option<MacAddr>,
}

impl ArpRecord {
    /// The record of a decoded packet.
    pub const fn new(arp: &Arp, source_mac: Option<MacAddr>) -> Self {
        Self {
            operation: arp.operation,
            kind: arp.kind,
            address: match arp.kind {
                ArpKind::Request | ArpKind::Probe => arp.target_ip,
                _ => arp.sender_ip,
            },
            sender_ip: arp.sender_ip,
            sender_mac: arp.sender_mac,
            target_ip: arp.target_ip,
            target_mac: arp.target_mac,
            source_mac,
        }
    }
}

/// A neighbour solicitation or advertisement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct NdRecord {
    /// The type field.
    pub operation: NdOperation,
    /// What the message is for.
    pub kind: NdKind,
    /// Sender.
    pub source: Ipv6Addr,
    /// Receiver.
    pub destination: Ipv6Addr,
    /// The address that it is about: asked for, answered for or announced.
    pub address: Ipv6Addr,
    /// Link-layer address option: the sender's in a solicitation, the target's in an
    /// advertisement.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub link_address: Option<MacAddr>,
    /// Override flag.
    #[serde(rename = "override")]
    pub override_flag: bool,
    /// Router flag.
    pub router_flag: bool,
    /// Sender on the link.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source_mac: Option<MacAddr>,
}

impl NdRecord {
    /// The record of a decoded message.
    pub const fn new(nd: &Nd, source_mac: Option<MacAddr>) -> Self {
        Self {
            operation: nd.operation,
            kind: nd.kind,
            source: nd.source,
            destination: nd.destination,
            address: nd.target,
            link_address: nd.link_address,
            override_flag: nd.override_flag,
            router_flag: nd.router_flag,
            source_mac,
        }
    }
}
