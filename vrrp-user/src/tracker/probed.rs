//! What came of asking for the virtual addresses.

use std::net::IpAddr;

use super::{Router, RouterId, Segment, Tracker, timers::late_after};
use crate::{
    model::{MacAddr, Span, Timestamp},
    probe::Round,
};

/// The last rounds for one address.
#[derive(Clone, Debug, Default)]
pub(crate) struct Probed {
    /// Since when a question is under way.
    pub(crate) asking: Option<Timestamp>,
    /// When the last round was asked.
    pub(crate) asked: Timestamp,
    /// The MACs that answered it.
    pub(crate) macs: Vec<MacAddr>,
    /// How many in a row nobody answered, though somebody was active all the time.
    pub(crate) silent: u32,
    /// How many in a row only those answered who should not.
    pub(crate) wrong: u32,
    /// How many in a row the virtual MAC answered more often than it was asked.
    pub(crate) doubled: u32,
    /// When that began.
    pub(crate) since: Timestamp,
    /// The first question since the last answer, by whomever that was.
    pub(crate) unanswered_since: Option<Timestamp>,
    /// The last round fell into a time in which it can be told who should answer.
    pub(crate) judged: bool,
}

impl Tracker {
    /// Takes in that an address is asked for.
    pub(crate) fn note_question(&mut self, segment: &Segment, address: IpAddr, now: Timestamp) {
        for id in self.having(segment, address) {
            if let Some(router) = self.routers.get_mut(&id) {
                let probed = router.neighbours.probed.entry(address).or_default();
                probed.asking = Some(now);
            }
        }
    }

    /// Takes in what came of it. Returns the virtual routers concerned.
    pub(crate) fn note_round(&mut self, round: &Round, now: Timestamp) -> Vec<RouterId> {
        let concerned = self.having(&round.segment, round.address);
        for id in &concerned {
            if let Some(router) = self.routers.get_mut(id) {
                router.note_round(round, now);
            }
        }
        concerned
    }
}

impl Router {
    fn note_round(&mut self, round: &Round, now: Timestamp) {
        let judged = round.sent && !round.held && self.is_settled(round.asked, now);
        let right = round
            .answers
            .iter()
            .any(|(mac, _)| self.may_answer(*mac, now));
        let virtual_mac = self.virtual_mac();
        let probed = self.neighbours.probed.entry(round.address).or_default();
        let before = (probed.silent, probed.wrong);
        // Where this host has the address itself, whoever answers is another machine.
        let elsewhere = round.held && round.answers.iter().any(|(mac, _)| *mac == virtual_mac);
        if elsewhere || round.repeated.contains(&virtual_mac) {
            probed.doubled += 1;
            if probed.doubled == 1 {
                probed.since = round.asked;
            }
        } else if round.sent && !round.held {
            probed.doubled = 0;
        }
        probed.asking = None;
        probed.asked = round.asked;
        probed.judged = judged;
        if round.held || !round.answers.is_empty() {
            probed.unanswered_since = None;
        } else if round.sent {
            probed.unanswered_since.get_or_insert(round.asked);
        }
        probed.macs = round.answers.iter().map(|(mac, _)| *mac).collect();
        let silent = judged && round.answers.is_empty();
        let wrong = judged && !round.answers.is_empty() && !right;
        probed.silent = if silent { before.0 + 1 } else { 0 };
        probed.wrong = if wrong { before.1 + 1 } else { 0 };
        if probed.silent == 1 || probed.wrong == 1 {
            probed.since = round.asked;
        }
    }

    /// Whether one and the same router was active from `from` until `now`, and some time before,
    /// and nothing was overlooked meanwhile.
    pub(super) fn is_settled(&self, from: Timestamp, now: Timestamp) -> bool {
        let (Some(active), Some(tenure)) = (self.active(), self.tenure()) else {
            return false;
        };
        let window = late_after(active.interval()).max(Span::from_secs(1));
        active.is_alive(now)
            && from.since(tenure.since) >= window
            && self.heard_neighbours_since(from)
    }

    /// Whether it is the virtual MAC, or that of a router that may be active.
    fn may_answer(&self, mac: MacAddr, now: Timestamp) -> bool {
        mac == self.virtual_mac()
            || self
                .owner(mac)
                .and_then(|owner| self.speaker(owner))
                .is_some_and(|speaker| self.may_be_active(speaker, now))
    }

    /// Whether somebody active has answered for the address since `time`, as far as was asked.
    pub(super) fn is_asking(&self, address: IpAddr) -> bool {
        self.neighbours
            .probed
            .get(&address)
            .is_some_and(|probed| probed.asking.is_some())
    }
}
