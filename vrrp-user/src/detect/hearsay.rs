//! What ARP and neighbour discovery say of addresses, in the terms of the tracker.

use std::net::IpAddr;

use super::{Analyst, Sighting, flood};
use crate::{
    frame::Direction,
    tracker::{How, RouterId, Saying, Segment},
    wire::{Arp, ArpKind, Nd, NdKind, NdOperation},
    world::World,
};

impl Analyst {
    pub(super) fn arp(
        &mut self,
        world: &mut World,
        segment: &Segment,
        sighting: &Sighting<'_>,
        arp: &Arp,
    ) {
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
            self.saying(world, segment, saying);
        }
        let peers = match arp.kind {
            ArpKind::Request => world.tracker.seek_peer(
                segment,
                arp.sender_ip.into(),
                arp.target_ip.into(),
                self.now,
            ),
            ArpKind::Reply => world.tracker.find_peer(segment, arp.sender_ip.into()),
            ArpKind::Probe | ArpKind::Gratuitous | ArpKind::Announcement => Vec::new(),
        };
        for id in peers {
            self.reassess(world, id);
        }
        // A question to one machine is answered by that one alone.
        let to_all = sighting
            .packet
            .destination_mac
            .is_some_and(|mac| mac.octets()[0] & 1 == 1);
        if matches!(arp.kind, ArpKind::Request | ArpKind::Probe) && to_all {
            self.question(world, segment, arp.target_ip.into());
        }
    }

    pub(super) fn nd(
        &mut self,
        world: &mut World,
        segment: &Segment,
        sighting: &Sighting<'_>,
        nd: &Nd,
    ) {
        let (address, how) = match nd.kind {
            NdKind::Probe => {
                if let Some(mac) = sighting.packet.source_mac {
                    world
                        .tracker
                        .probe(segment, (nd.target.into(), mac), self.now);
                }
                self.question(world, segment, nd.target.into());
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
            self.saying(world, segment, saying);
        }
        if nd.operation == NdOperation::Solicitation && nd.destination.is_multicast() {
            self.question(world, segment, nd.target.into());
        }
    }

    fn saying(&mut self, world: &mut World, segment: &Segment, saying: Saying) {
        let concerned = world.tracker.saying(segment, saying, self.now);
        let now = self.now;
        let known = |id: &RouterId| world.tracker.is_entitled(*id, saying.mac, now);
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
            self.reassess(world, id);
        }
    }

    fn question(&mut self, world: &mut World, segment: &Segment, address: IpAddr) {
        for id in world.tracker.question(segment, address, self.now) {
            self.reassess(world, id);
        }
    }

    /// Asks all detectors about a virtual router of which neighbours speak: at once, or soon if they
    /// speak all the time.
    fn reassess(&mut self, world: &mut World, id: RouterId) {
        match world.tracker.patience(id, self.now) {
            Some(due) => world.tracker.hasten(id, due),
            None => self.assess(world, id),
        }
    }
}
