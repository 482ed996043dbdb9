//! The daemons' own account, beside what is seen.

use std::net::IpAddr;

use super::{Analyst, ledger};
use crate::{
    daemon::{BESIDE, Concern, Daemons},
    log::Entry,
    model::Timestamp,
    record::{Body, ChangeReason, Record, StateRecord},
    tracker::{Router, RouterId, Speaker},
};

impl Analyst {
    /// The same, to be told of their configuration.
    pub const fn daemons_mut(&mut self) -> &mut Daemons {
        &mut self.daemons
    }

    /// What the daemons say of themselves.
    pub const fn daemons(&self) -> &Daemons {
        &self.daemons
    }

    /// Takes a line of a log in. Returns what it is about.
    pub(crate) fn handle_log(&mut self, entry: &Entry) -> Concern {
        let concern = self.daemons.handle(entry, &self.tracker, self.now);
        for id in &concern.routers {
            self.assess(*id);
        }
        concern
    }

    /// Lets the daemons look for their routers among those that are new: their lines may have come
    /// before. A router that is heard for the second time is no mistake.
    pub(super) fn introduce(&mut self, id: RouterId, source: IpAddr) {
        let is_new = |speaker: &Speaker| speaker.source == source && speaker.adverts == 2;
        let router = self.tracker.router(id);
        if router.is_some_and(|router| router.speakers().any(is_new)) {
            self.daemons.bind(&self.tracker);
        }
    }

    /// A router that was heard soon after the start of the watch may have been active before. Where it
    /// is this host's, its log tells whether it became so just then.
    pub(super) fn witness(&mut self, id: RouterId) {
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

    /// Takes in a line that was written when nothing was seen any more: nothing is found in it.
    pub(crate) fn handle_afterword(&mut self, entry: &Entry) -> Concern {
        self.daemons.handle(entry, &self.tracker, self.now)
    }

    /// A router that became active, by this line, beside one that stays so on the wire: as if it
    /// had taken over.
    pub(crate) fn contest(&self, entry: &Entry) -> Option<Record> {
        let (router, own) = self.daemons.new_master(entry, &self.tracker)?;
        let active = router
            .live(self.now)
            .filter(|active| active.id() != own.id())?;
        Some(takeover(router, own, active, self.now))
    }

    /// Takes in a line from before the run.
    pub fn recall_log(&mut self, entry: &Entry) {
        self.daemons.recall(entry);
        if self.tracker.routers().next().is_some() {
            self.daemons.bind(&self.tracker);
        }
    }
}

/// The takeover that would have been, had the active router yielded.
fn takeover(router: &Router, own: &Speaker, active: &Speaker, now: Timestamp) -> Record {
    let state = StateRecord {
        vrid: router.vrid,
        family: router.family,
        group: router.group,
        peers: router.peers.iter().copied().collect(),
        from: Some(active.source),
        to: own.source,
        mac: own.mac,
        priority: own.priority,
        addresses: own.list().to_vec(),
        reason: ChangeReason::Timeout,
        silence_ms: None,
        outage_ms: None,
    };
    ledger::record(&router.segment, now, Body::State(state))
}
