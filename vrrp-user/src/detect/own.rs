//! What the watched host shows of itself, beside what is seen and what its daemon says.

use std::net::IpAddr;

use super::Analyst;
use crate::{
    machine::{AddressChange, Machine},
    model::Timestamp,
    probe::Host,
    tracker::{Router, RouterId},
};

impl Analyst {
    pub(crate) const fn machine(&self) -> &Machine {
        &self.machine
    }

    pub(crate) const fn machine_mut(&mut self) -> &mut Machine {
        &mut self.machine
    }

    /// Takes in all addresses of the host.
    pub(crate) fn handle_host(&mut self, host: &Host, now: Timestamp) {
        self.machine.survey(host.addresses(), now);
        self.assess_own();
    }

    /// Takes in that an address of the host came or went.
    pub(crate) fn handle_address(&mut self, change: &AddressChange, now: Timestamp) {
        self.machine.note_change(change, now);
        for speaker in self.tracker.routers().flat_map(Router::speakers) {
            if self.daemons.is_own(speaker.source) {
                self.machine.note_loser(speaker);
            }
        }
        self.assess_own();
    }

    /// Takes in whether a VRRP daemon runs on the host.
    pub(crate) fn handle_daemon(&mut self, runs: bool, now: Timestamp) {
        self.machine.note_daemon(runs, now);
        self.assess_own();
    }

    /// Takes in that the host has sent an advert from this address.
    pub(super) fn note_own(&mut self, id: RouterId, source: IpAddr) {
        let own = self.tracker.router(id).and_then(|router| {
            router
                .speakers()
                .filter(|speaker| speaker.source == source)
                .max_by_key(|speaker| speaker.last)
        });
        if let Some(own) = own {
            self.machine.note_advert(id, own, self.now);
        }
    }

    fn assess_own(&mut self) {
        let own: Vec<RouterId> = self
            .tracker
            .routers()
            .filter(|router| {
                router
                    .speakers()
                    .any(|speaker| self.daemons.is_own(speaker.source))
            })
            .map(Router::id)
            .collect();
        for id in own {
            self.assess(id);
        }
    }
}
