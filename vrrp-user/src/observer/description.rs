//! The record of a packet.

use std::net::IpAddr;

use super::{ArpMode, Observer};
use crate::{
    record::{AdvertRecord, ArpRecord, Body, CarpRecord, NdRecord},
    wire::{self, Arp, Nd, NdKind, Packet},
};

impl Observer {
    /// The record of a packet, unless it is one that is only counted.
    pub(super) fn describe(&mut self, packet: &Packet) -> Option<Body> {
        let mac = packet.source_mac;
        Some(match &packet.body {
            wire::Body::Advert(advert) => {
                self.summary.adverts += 1;
                Body::Advert(AdvertRecord::new(advert, mac, packet.destination_mac))
            }
            wire::Body::Carp(carp) => {
                self.summary.carp += 1;
                Body::Carp(CarpRecord::new(carp, mac))
            }
            wire::Body::Arp(arp) => {
                if !self.concerns(arp_addresses(arp), arp.kind.announces()) {
                    return None;
                }
                self.summary.arp += 1;
                Body::Arp(ArpRecord::new(arp, mac))
            }
            wire::Body::Nd(nd) => {
                if !self.concerns(nd_addresses(nd), nd.kind == NdKind::Announcement) {
                    return None;
                }
                self.summary.nd += 1;
                Body::Nd(NdRecord::new(nd, mac))
            }
        })
    }

    /// Whether neighbour traffic about these addresses is reported. The kernel has the same rule;
    /// here it makes replay report what live capture would.
    fn concerns(&mut self, addresses: [IpAddr; 2], announces: bool) -> bool {
        let concerns = match self.settings.arp {
            ArpMode::All => true,
            ArpMode::Off => false,
            ArpMode::Watched => {
                announces
                    || addresses
                        .iter()
                        .any(|address| self.watch.contains(*address))
            }
        };
        if !concerns {
            self.summary.unwatched += 1;
        }
        concerns
    }
}

fn arp_addresses(arp: &Arp) -> [IpAddr; 2] {
    [arp.sender_ip.into(), arp.target_ip.into()]
}

fn nd_addresses(nd: &Nd) -> [IpAddr; 2] {
    [nd.target.into(), nd.source.into()]
}
