//! Which virtual routers have to do with an address, and which with each other.
//!
//! Addresses rarely change, and to look for those of a long list takes a while: it is done at a pace
//! that no honest network exceeds. Whose addresses changed faster than that is found by those that he
//! had a moment ago.

use std::net::IpAddr;

use super::{MAX_KIN, RouterId, Segment, Tracker, admission::Claim};
use crate::model::{Pace, Timestamp};

/// Unicast peers that are kept for a virtual router.
const MAX_PEERS: usize = 64;
/// Changes of the addresses of a virtual router that are followed in a second, and at once: a
/// configuration is read anew on all routers, one after the other.
const CHANGES: (u32, u32) = (2, 8);
/// Addresses in a second, and at once, of routers that were never heard at their pace; those that are
/// real are with their second advert, and wait for nobody.
const STRANGERS: (u32, u32) = (2500, 5000);

/// The pace of all that are not known.
#[derive(Debug)]
pub(super) struct Strangers(Pace);

impl Default for Strangers {
    fn default() -> Self {
        let (rate, depth) = STRANGERS;
        Self(Pace::new(rate, depth))
    }
}

/// The pace of one virtual router.
pub(super) fn pace() -> Pace {
    let (rate, depth) = CHANGES;
    Pace::new(rate, depth)
}

impl Tracker {
    /// The virtual routers that advertise an address.
    pub(super) fn having(&self, segment: &Segment, address: IpAddr) -> Vec<RouterId> {
        self.addresses
            .get(&(segment.clone(), address))
            .map(|routers| routers.iter().copied().collect())
            .unwrap_or_default()
    }

    /// Keeps the indices in step with what an advert says.
    pub(super) fn index(&mut self, id: RouterId, claim: &Claim, now: Timestamp) {
        let Some(router) = self.routers.get_mut(&id) else {
            return;
        };
        // A new router or source makes the index stale, and a group has no other members.
        if claim.destination.is_multicast() && !router.stale_index {
            return;
        }
        let segment = router.segment.clone();
        if claim.destination.is_multicast() {
            let member = (segment.clone(), claim.vrid, claim.destination);
            self.members.entry(member).or_insert(id);
        } else {
            for peer in [claim.source, claim.destination] {
                // One that belongs to another stays there until it is known that the two are one.
                let member = (segment.clone(), claim.vrid, peer);
                if router.peers.len() < MAX_PEERS && *self.members.entry(member).or_insert(id) == id
                {
                    router.peers.insert(peer);
                }
            }
        }
        let sources = self
            .sources
            .entry((segment.clone(), claim.source))
            .or_default();
        if sources.len() < MAX_KIN {
            sources.insert(id);
        }
        let gone: Vec<IpAddr> = std::mem::take(&mut router.evicted)
            .into_iter()
            .filter(|source| router.speakers().all(|speaker| speaker.source != *source))
            .collect();
        for source in gone {
            self.unindex_source(&segment, source, id);
        }
        self.refresh(id, now);
    }

    /// Looks for the addresses of a virtual router, if they changed and it may.
    pub(super) fn refresh(&mut self, id: RouterId, now: Timestamp) {
        let Some(router) = self.routers.get_mut(&id) else {
            return;
        };
        if !router.stale_index {
            return;
        }
        let known = router.is_established();
        if known && !router.indexing.take(now) {
            return;
        }
        let lengths = router.speakers().map(|speaker| speaker.list().len());
        let length = u32::try_from(lengths.max().unwrap_or_default()).unwrap_or(u32::MAX);
        if !known && !self.strangers.0.take_many(length, now) {
            return;
        }
        router.stale_index = false;
        let current = router.addresses();
        // Routers come and go, and made-up ones do so with every frame; the addresses rarely change.
        if current == router.indexed {
            return;
        }
        let indexed = std::mem::replace(&mut router.indexed, current.clone());
        router.neighbours.retain(&current);
        router.arrivals.retain(|address, _| current.has(*address));
        let segment = router.segment.clone();
        for address in &indexed.without(&current) {
            self.unindex(&segment, address, id);
        }
        for address in &current.without(&indexed) {
            let routers = self
                .addresses
                .entry((segment.clone(), address))
                .or_default();
            if routers.len() < MAX_KIN {
                routers.insert(id);
            }
        }
        self.find_kin(id);
    }

    pub(super) fn unindex(&mut self, segment: &Segment, address: IpAddr, id: RouterId) {
        let key = (segment.clone(), address);
        if let Some(routers) = self.addresses.get_mut(&key) {
            routers.remove(&id);
            if routers.is_empty() {
                self.addresses.remove(&key);
            }
        }
    }

    pub(super) fn unindex_source(&mut self, segment: &Segment, source: IpAddr, id: RouterId) {
        let key = (segment.clone(), source);
        if let Some(routers) = self.sources.get_mut(&key) {
            routers.remove(&id);
            if routers.is_empty() {
                self.sources.remove(&key);
            }
        }
    }
}
