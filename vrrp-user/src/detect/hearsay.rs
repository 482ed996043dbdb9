//! What ARP and neighbour discovery say of addresses, in the terms of the tracker.

use std::net::IpAddr;

use super::{Analyst, Sighting, flood};
use crate::{
    frame::Direction,
    tracker::{How, RouterId, Saying, Segment},
    wire::{Arp, ArpKind, Nd, NdKind, NdOperation},
};

impl Analyst {
    pub(super) fn arp(&mut self, segment: &Segment, sighting: &Sighting<'_>, arp: &Arp) {
        let how = match arp.kind {
            ArpKind::Probe => None,
            ArpKind::Request => Some(How::Asking),
            ArpKind::Reply => Some(How::Replying),
            ArpKind::Gratuitous | ArpKind::Announcement => Some(How::Announcing),
        };
        if let Some(how) = how {
            let saying = Saying {
                address: arp.sender_ip.into(),
                mac: arp.sender_mac,
                how,
                own: sighting.origin.direction == Some(Direction::Out),
            };
            self.saying(segment, saying);
        }
        let peers = match arp.kind {
            ArpKind::Request => self.tracker.seek_peer(
                segment,
                arp.sender_ip.into(),
                arp.target_ip.into(),
                self.now,
            ),
            ArpKind::Reply => self.tracker.find_peer(segment, arp.sender_ip.into()),
            ArpKind::Probe | ArpKind::Gratuitous | ArpKind::Announcement => Vec::new(),
        };
        for id in peers {
            self.reassess(id);
        }
        // A question to one machine is answered by that one alone.
        let to_all = sighting
            .packet
            .destination_mac
            .is_some_and(|mac| mac.octets()[0] & 1 == 1);
        if matches!(arp.kind, ArpKind::Request | ArpKind::Probe) && to_all {
            self.question(segment, arp.target_ip.into());
        }
    }

    pub(super) fn nd(&mut self, segment: &Segment, sighting: &Sighting<'_>, nd: &Nd) {
        let (address, how) = match nd.kind {
            NdKind::Probe => {
                if let Some(mac) = sighting.packet.source_mac {
                    self.tracker
                        .probe(segment, (nd.target.into(), mac), self.now);
                }
                self.question(segment, nd.target.into());
                return;
            }
            NdKind::Request => (nd.source, How::Asking),
            NdKind::Reply => (nd.target, How::Replying),
            NdKind::Announcement => (nd.target, How::Announcing),
        };
        if let Some(mac) = nd.link_address.or(sighting.packet.source_mac) {
            let saying = Saying {
                address: address.into(),
                mac,
                how,
                own: sighting.origin.direction == Some(Direction::Out),
            };
            self.saying(segment, saying);
        }
        if nd.operation == NdOperation::Solicitation && nd.destination.is_multicast() {
            self.question(segment, nd.target.into());
        }
    }

    fn saying(&mut self, segment: &Segment, saying: Saying) {
        let concerned = self.tracker.saying(segment, saying, self.now);
        let now = self.now;
        let known = |id: &RouterId| self.tracker.is_entitled(*id, saying.mac, now);
        let strange = match saying.how {
            How::Announcing => !concerned.iter().any(known),
            How::Replying => !concerned.is_empty() && !concerned.iter().any(known),
            // Anybody may ask.
            How::Asking => false,
        };
        if strange {
            let mac = Some(saying.mac);
            self.note_stranger(segment, flood::Kind::Neighbour, mac, saying.address);
        }
        for id in concerned {
            self.reassess(id);
        }
    }

    fn question(&mut self, segment: &Segment, address: IpAddr) {
        for id in self.tracker.question(segment, address, self.now) {
            self.reassess(id);
        }
    }

    /// Asks all detectors about a virtual router of which neighbours speak: at once, or soon if they
    /// speak all the time.
    fn reassess(&mut self, id: RouterId) {
        match self.tracker.patience(id, self.now) {
            Some(due) => self.tracker.hasten(id, due),
            None => self.assess(id),
        }
    }
}
