//! What is known: the virtual routers, what the daemons of hosts say of themselves, and what this host
//! shows of itself.
//!
//! The observer owns it and hands it to the analyst, which puts in it what was told and when to look again.
//! The detectors read it; what they find is not in it.

use std::net::IpAddr;

use crate::{
    daemon::{BESIDE, Concern, Daemons},
    log::Entry,
    machine::Machine,
    model::{Family, Timestamp},
    tracker::{Router, RouterId, Segment, Speaker, Tracker},
};

/// What is known at a point in time.
#[derive(Debug, Default)]
pub struct World {
    pub(crate) tracker: Tracker,
    pub(crate) daemons: Daemons,
    /// The host itself, where it is watched live.
    pub(crate) machine: Machine,
}

impl World {
    /// The virtual routers.
    pub const fn tracker(&self) -> &Tracker {
        &self.tracker
    }

    /// Takes in a line from before the run: what the daemon is, not what it did.
    pub(crate) fn recall(&mut self, entry: &Entry) {
        self.daemons.recall(entry);
        if self.tracker.routers().next().is_some() {
            self.daemons.bind(&self.tracker);
        }
    }

    /// Takes in a line of a log. Returns what it is about.
    pub(crate) fn note_log(&mut self, entry: &Entry, now: Timestamp) -> Concern {
        self.daemons.handle(entry, &self.tracker, now)
    }

    /// Lets the daemons look for their routers among those that are new: their lines may have come
    /// before. A router that is heard for the second time is no mistake.
    pub(crate) fn introduce(&mut self, id: RouterId, source: IpAddr) {
        let is_new = |speaker: &Speaker| speaker.source == source && speaker.adverts == 2;
        let router = self.tracker.router(id);
        if router.is_some_and(|router| router.speakers().any(is_new)) {
            self.daemons.bind(&self.tracker);
        }
    }

    /// A router that was heard soon after the start of the watch may have been active before. Where it
    /// is this host's, its log tells whether it became so just then.
    pub(crate) fn witness(&mut self, id: RouterId) {
        let Some(taken) = self.tracker.router(id).and_then(Router::standing_since) else {
            return;
        };
        let witnessed = self.daemons.about(id).any(|(host, belief)| {
            let since = belief.master_since();
            host.here && since.is_some_and(|since| since.meets(taken, BESIDE))
        });
        if witnessed {
            self.tracker.witness_takeover(id);
        }
    }

    /// Takes in that this host has sent an advert from this address.
    pub(crate) fn note_own(&mut self, id: RouterId, source: IpAddr, now: Timestamp) {
        let own = self.tracker.router(id).and_then(|router| {
            router
                .speakers()
                .filter(|speaker| speaker.source == source)
                .max_by_key(|speaker| speaker.last)
        });
        if let Some(own) = own {
            self.machine.note_advert(id, own, now);
        }
    }

    /// Whether adverts to the group may be withheld from this host on a segment, as a switch does that
    /// snoops IGMP or MLD: it is no member, and nothing that others sent to the group has come since.
    pub(crate) fn is_deaf(&self, segment: &Segment, family: Family) -> bool {
        let Some(since) = self.machine.unjoined(segment, family) else {
            return false;
        };
        !self.tracker.routers().any(|router| {
            let there = router.segment == *segment && router.family == family;
            there && self.has_heard(router, since)
        })
    }

    /// Whether an advert of another machine to the group of a virtual router has come since.
    fn has_heard(&self, router: &Router, since: Timestamp) -> bool {
        let foreign = |speaker: &Speaker| !self.daemons.is_own(speaker.source);
        let mut speakers = router.speakers();
        router.group.is_some() && speakers.any(|it| it.last > since && foreign(it))
    }
}
