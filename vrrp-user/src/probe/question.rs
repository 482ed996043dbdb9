//! The question who has an address, as a frame.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use bytes::Bytes;
use etherparse::{
    ArpEthIpv4Packet, ArpOperation, ArpPacket, EtherType, Ethernet2Header, Icmpv6Type,
    PacketBuilder,
};

use crate::model::MacAddr;

/// Who has an address? Asked by an interface in its own name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Question {
    /// Index of the interface that asks.
    pub ifindex: u32,
    /// Its MAC.
    pub mac: MacAddr,
    pub(super) parties: Parties,
}

/// Who asks for whom.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Parties {
    V4 { own: Ipv4Addr, wanted: Ipv4Addr },
    V6 { own: Ipv6Addr, wanted: Ipv6Addr },
}

impl Question {
    /// The address of this host that asks, and that answers come to.
    pub fn source(&self) -> IpAddr {
        match self.parties {
            Parties::V4 { own, .. } => own.into(),
            Parties::V6 { own, .. } => own.into(),
        }
    }

    /// The address that is asked for.
    pub fn wanted(&self) -> IpAddr {
        match self.parties {
            Parties::V4 { wanted, .. } => wanted.into(),
            Parties::V6 { wanted, .. } => wanted.into(),
        }
    }

    /// The Ethernet frame that asks: an ARP request to all, or a neighbour solicitation to those
    /// whose address ends like the one wanted (RFC 4861 section 7.2.2).
    pub fn frame(&self) -> Bytes {
        match self.parties {
            Parties::V4 { own, wanted } => self.arp_request(own, wanted),
            Parties::V6 { own, wanted } => self.solicitation(own, wanted),
        }
    }

    fn arp_request(&self, own: Ipv4Addr, wanted: Ipv4Addr) -> Bytes {
        let header = Ethernet2Header {
            source: self.mac.octets(),
            destination: [0xff; 6],
            ether_type: EtherType::ARP,
        };
        let packet = ArpPacket::from(ArpEthIpv4Packet {
            operation: ArpOperation::REQUEST,
            sender_mac: self.mac.octets(),
            sender_ipv4: own.octets(),
            target_mac: [0; 6],
            target_ipv4: wanted.octets(),
        });
        [&header.to_bytes()[..], &packet.to_bytes()].concat().into()
    }

    fn solicitation(&self, own: Ipv6Addr, wanted: Ipv6Addr) -> Bytes {
        let [.., a, b, c] = wanted.octets();
        let mut group = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 1, 0xff00, 0).octets();
        group[13..].copy_from_slice(&[a, b, c]);
        let destination = [0x33, 0x33, 0xff, a, b, c];
        // The target, and the option with the sender's link-layer address.
        let mut message = wanted.octets().to_vec();
        message.extend([1, 1]);
        message.extend(self.mac.octets());
        let builder = PacketBuilder::ethernet2(self.mac.octets(), destination)
            .ipv6(own.octets(), group, 255)
            .icmpv6(Icmpv6Type::NeighborSolicitation);
        let mut frame = Vec::with_capacity(builder.size(message.len()));
        // A vector takes all, and 24 bytes fit an IPv6 packet.
        let _: Result<(), _> = builder.write(&mut frame, &message);
        frame.into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        frame::{Frame, LinkType, Origin, Tap},
        model::{FingerprintKey, Timestamp},
        wire::{self, ArpKind, Body, NdKind},
    };

    const MAC: MacAddr = MacAddr::new([2, 0, 0, 0, 0, 0xc3]);

    fn decoded(parties: Parties) -> (wire::Packet, Bytes) {
        let question = Question {
            ifindex: 2,
            mac: MAC,
            parties,
        };
        let data = question.frame();
        let frame = Frame {
            time: Timestamp::default(),
            origin: Origin {
                interface: None,
                direction: None,
                tap: Tap(0),
            },
            link: LinkType::Ethernet,
            stripped_tag: None,
            length: u32::try_from(data.len()).expect("short"),
            data: data.clone(),
        };
        let packet = wire::decode(&frame, &FingerprintKey::new([0; 16])).expect("ours");
        (packet, data)
    }

    #[test]
    fn an_arp_request_in_our_own_name() {
        let (own, wanted) = (Ipv4Addr::new(10, 77, 0, 50), Ipv4Addr::new(10, 77, 0, 100));
        let (packet, _) = decoded(Parties::V4 { own, wanted });
        assert_eq!(packet.destination_mac, Some(MacAddr::new([0xff; 6])));
        let Body::Arp(arp) = packet.body else {
            panic!("{packet:?}")
        };
        assert_eq!(arp.kind, ArpKind::Request);
        assert_eq!((arp.sender_ip, arp.sender_mac), (own, MAC));
        assert_eq!(
            (arp.target_ip, arp.target_mac),
            (wanted, MacAddr::new([0; 6]))
        );
    }

    #[test]
    fn a_solicitation_to_the_group_of_the_wanted_address() {
        let own: Ipv6Addr = "fd77::50".parse().expect("an address");
        let wanted: Ipv6Addr = "fd77::12:3456".parse().expect("an address");
        let (packet, data) = decoded(Parties::V6 { own, wanted });
        assert_eq!(
            packet.destination_mac,
            Some(MacAddr::new([0x33, 0x33, 0xff, 0x12, 0x34, 0x56]))
        );
        let Body::Nd(nd) = packet.body else {
            panic!("{packet:?}")
        };
        assert_eq!(nd.kind, NdKind::Request);
        assert_eq!((nd.source, nd.target), (own, wanted));
        assert_eq!(nd.link_address, Some(MAC));
        assert_eq!(nd.destination.to_string(), "ff02::1:ff12:3456");
        assert_eq!(data[21], 255, "hop limit");
    }
}
