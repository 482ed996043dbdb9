//! Every virtual router on the wire: who advertises it, who is active, and how that changes.
//!
//! The tracker watches as an outsider. It knows what the routers say, not what they hear, and so
//! derives what a correct router must make of it:
//!
//! - `admission`: which adverts count;
//! - `election`: who is active after each of them;
//! - `rivalry`: who is active although another router is;
//! - `takeover` and `neighbours`: what ARP and neighbour discovery add.
//!
//! It judges nothing; that is what `detect` does. It is bounded: `room` says who has to go.

pub(crate) mod admission;
pub(crate) mod arrivals;
pub(crate) mod election;
mod gaps;
mod index;
mod kin;
mod members;
pub(crate) mod neighbours;
pub(crate) mod peers;
pub(crate) mod probed;
mod rivalry;
mod room;
mod router;
mod seats;
mod segment;
pub(crate) mod senders;
pub(crate) mod speaker;
mod takeover;
pub(crate) mod timers;
pub(crate) mod whose;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

pub use admission::{AuthTag, Config};
pub use gaps::{GAP_BOUNDS, Gaps};
pub(crate) use kin::Known;
pub(crate) use router::LateAdvert;
pub use router::{Router, RouterId};
pub use segment::Segment;
pub use speaker::{Speaker, SpeakerId};

pub(crate) use neighbours::{How, Saying};

use crate::{
    model::{Agenda, Lists, MacAddr, Timestamp, Vrid},
    record::Body,
    sight::Sights,
};
use admission::Claim;
use index::Strangers;
use members::Bridge;

/// All virtual routers.
#[derive(Debug, Default)]
pub struct Tracker {
    routers: BTreeMap<RouterId, Router>,
    next: u64,
    /// By multicast group, or by each of the unicast peers.
    members: BTreeMap<(Segment, Vrid, IpAddr), RouterId>,
    /// By virtual address.
    addresses: BTreeMap<(Segment, IpAddr), BTreeSet<RouterId>>,
    /// By the source addresses of the routers.
    sources: BTreeMap<(Segment, IpAddr), BTreeSet<RouterId>>,
    /// Adverts that speak for two virtual routers being one.
    bridges: BTreeMap<(RouterId, RouterId), Bridge>,
    /// When each has to be looked at again.
    agenda: Agenda<RouterId>,
    /// How fast the addresses of routers that are not known are put into the index.
    strangers: Strangers,
    /// What the routers advertise.
    lists: Lists,
    /// What is seen of the interfaces.
    sights: Sights,
}

/// A virtual router that is kept no longer.
#[derive(Debug)]
pub(crate) struct Forgotten {
    pub(crate) id: RouterId,
    /// Those it shared an address with.
    pub(crate) kin: Vec<RouterId>,
    /// For want of room; otherwise it turned out to be part of another.
    pub(crate) displaced: bool,
}

/// Virtual routers with a common address, or sources, that are compared with each other.
const MAX_KIN: usize = 8;

impl Tracker {
    /// The virtual routers, in the order they were first seen.
    pub fn routers(&self) -> impl Iterator<Item = &Router> {
        self.routers.values()
    }

    pub(crate) fn router(&self, id: RouterId) -> Option<&Router> {
        self.routers.get(&id)
    }

    /// Takes an advert in. Returns its virtual router, and those that had to be forgotten for it;
    /// `matters` tells of which something is known that is not over.
    pub(crate) fn advert(
        &mut self,
        segment: &Segment,
        mut claim: Claim,
        mac: Option<MacAddr>,
        matters: impl Fn(RouterId) -> bool,
        now: Timestamp,
    ) -> (RouterId, Vec<Forgotten>) {
        claim.config.addresses = claim.config.addresses.map(|list| self.lists.keep(list));
        let claim = &claim;
        let mut forgotten = Vec::new();
        let id = match self.find(segment, claim, &mut forgotten, now) {
            Some(id) => id,
            None => {
                forgotten.extend(self.make_room(segment, matters));
                self.add(segment, claim, now)
            }
        };
        if let Some(router) = self.routers.get_mut(&id) {
            router.advert(claim, mac, now);
        }
        self.index(id, claim, now);
        (id, forgotten)
    }

    /// Takes in that a packet came for a virtual router that its receivers drop.
    pub(crate) fn disturb(&mut self, segment: &Segment, vrid: Vrid, to: IpAddr, now: Timestamp) {
        let router = self.members.get(&(segment.clone(), vrid, to));
        if let Some(router) = router.and_then(|id| self.routers.get_mut(id)) {
            router.disturb(now);
        }
    }

    /// Takes in that somebody asks for an address. Returns the virtual routers concerned.
    pub(crate) fn question(
        &mut self,
        segment: &Segment,
        address: IpAddr,
        now: Timestamp,
    ) -> Vec<RouterId> {
        let concerned = self.having(segment, address);
        for id in &concerned {
            if let Some(router) = self.routers.get_mut(id) {
                router.hear_question(address, now);
            }
        }
        concerned
    }

    /// Takes in that somebody asks whether an address is free. Returns the virtual routers concerned.
    pub(crate) fn probe(
        &mut self,
        segment: &Segment,
        (address, mac): (IpAddr, MacAddr),
        now: Timestamp,
    ) -> Vec<RouterId> {
        let concerned = self.having(segment, address);
        for id in &concerned {
            if let Some(router) = self.routers.get_mut(id) {
                router.hear_probe(address, mac, now);
            }
        }
        concerned
    }

    /// Takes in what somebody says of an address. Returns the virtual routers concerned.
    pub(crate) fn saying(
        &mut self,
        segment: &Segment,
        saying: Saying,
        now: Timestamp,
    ) -> Vec<RouterId> {
        let key = (segment.clone(), saying.address);
        for id in self.sources.get(&key).into_iter().flatten() {
            if let Some(router) = self.routers.get_mut(id) {
                router.learn_mac(saying);
            }
        }
        let concerned = self.having(segment, saying.address);
        let entitled: Vec<bool> = concerned
            .iter()
            .map(|id| self.is_entitled(*id, saying.mac, now))
            .collect();
        for (position, id) in concerned.iter().enumerate() {
            let shared = entitled
                .iter()
                .enumerate()
                .any(|(other, entitled)| other != position && *entitled);
            if let Some(router) = self.routers.get_mut(id) {
                router.hear(saying, shared, now);
            }
        }
        concerned
    }

    /// Whether the MAC belongs to a router that may be active.
    pub(crate) fn is_entitled(&self, id: RouterId, mac: MacAddr, now: Timestamp) -> bool {
        self.routers.get(&id).is_some_and(|router| {
            mac == router.virtual_mac()
                || router
                    .owner(mac)
                    .and_then(|owner| router.speaker(owner))
                    .is_some_and(|speaker| router.may_be_active(speaker, now))
        })
    }

    /// Lets time pass for a virtual router.
    pub(crate) fn tick(&mut self, id: RouterId, now: Timestamp) {
        let Some(router) = self.routers.get_mut(&id) else {
            return;
        };
        router.neighbours.tick(router.unheard, now);
        if router.takeover_due().is_some_and(|due| due <= now) {
            router.close_takeover(now);
        }
        if router
            .silent_failover
            .is_some_and(|failover| failover.until <= now)
        {
            router.silent_failover = None;
        }
        if router.late_advert.is_some_and(|late| late.over() <= now) {
            router.late_advert = None;
        }
        self.refresh(id, now);
        self.compare_with_kin(id, now);
        self.note_served(id, now);
    }

    /// The records of changes since the last call.
    pub(crate) fn take_reports(&mut self, id: RouterId) -> Vec<(Timestamp, Body)> {
        self.routers
            .get_mut(&id)
            .map(|router| std::mem::take(&mut router.reports))
            .unwrap_or_default()
    }

    /// Sets when the virtual router has to be looked at again, in view of its own deadlines and of
    /// the first one of its detectors. What is not after `now` is no deadline.
    pub(crate) fn schedule(&mut self, id: RouterId, deadline: Option<Timestamp>, now: Timestamp) {
        let Some(router) = self.routers.get(&id) else {
            return;
        };
        let own = router
            .neighbours
            .deadlines()
            .chain(router.takeover_due())
            .chain(router.silent_failover.map(|failover| failover.until))
            .chain(router.late_advert.map(|late| late.over()))
            .chain(router.rivalry_deadlines());
        let due = own.chain(deadline).filter(|due| *due > now).min();
        match due {
            Some(due) => self.agenda.set(id, due),
            None => self.agenda.remove(&id),
        };
    }

    /// Has a virtual router looked at by this time.
    pub(crate) fn hasten(&mut self, id: RouterId, due: Timestamp) {
        let is_soon = self.agenda.get(&id).is_some_and(|before| before <= due);
        if !is_soon && self.routers.contains_key(&id) {
            self.agenda.set(id, due);
        }
    }

    /// When a virtual router may be looked at because of what neighbours say; nothing if that is now.
    pub(crate) fn patience(&mut self, id: RouterId, now: Timestamp) -> Option<Timestamp> {
        let router = self.routers.get_mut(&id)?;
        (!router.listening.take(now)).then(|| router.listening.ready_at())
    }

    /// The next virtual router that has to be looked at, and when.
    pub(crate) fn next_due(&self) -> Option<(Timestamp, RouterId)> {
        self.agenda.first().map(|(due, id)| (due, *id))
    }

    fn add(&mut self, segment: &Segment, claim: &Claim, now: Timestamp) -> RouterId {
        let id = RouterId(self.next);
        self.next += 1;
        let mut router = Router::new(id, segment.clone(), claim, now);
        let sight = self.sights.of(segment.interface.as_deref(), now);
        router.sight = sight.from(now);
        router.watched_since = sight.complete_since().unwrap_or(now);
        self.routers.insert(id, router);
        id
    }

    fn forget(&mut self, id: RouterId, displaced: bool) -> Option<Forgotten> {
        let router = self.routers.remove(&id)?;
        self.bridges
            .retain(|(one, other), _| *one != id && *other != id);
        self.agenda.remove(&id);
        for address in &router.indexed {
            self.unindex(&router.segment, address, id);
        }
        for other in router.kin.keys() {
            if let Some(other) = self.routers.get_mut(other) {
                other.kin.remove(&id);
            }
        }
        let members = router.peers.iter().copied().chain(router.group);
        for member in members {
            let key = (router.segment.clone(), router.vrid, member);
            if self.members.get(&key) == Some(&id) {
                self.members.remove(&key);
            }
        }
        for speaker in router.speakers.values() {
            self.unindex_source(&router.segment, speaker.source, id);
        }
        Some(Forgotten {
            id,
            kin: router.kin.into_keys().collect(),
            displaced,
        })
    }
}
