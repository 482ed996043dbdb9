//! The adverts of the routers on this machine: when each is due, and what to do when one is not
//! there.

use std::collections::BTreeMap;

use crate::{
    model::{Agenda, Span, Timestamp},
    tracker::RouterId,
};

/// The routers that advertise, by when something has to be done about them.
#[derive(Debug, Default)]
pub(super) struct Pulses {
    /// When each was last heard.
    last: BTreeMap<RouterId, Timestamp>,
    agenda: Agenda<RouterId>,
}

/// Routers that are followed.
const MAX_PULSES: usize = 256;
/// While a router is silent its daemon is looked for this often.
const PACE: Span = Span::from_secs(1);
/// After a minute of silence it no longer is.
const PATIENCE: Span = Span::from_mins(1);

impl Pulses {
    /// A router has advertised.
    pub(super) fn beat(&mut self, router: RouterId, now: Timestamp, interval: Span) {
        if self.last.len() >= MAX_PULSES && !self.last.contains_key(&router) {
            return;
        }
        self.last.insert(router, now);
        self.agenda.set(router, now + interval * 5 / 4);
    }

    /// Something is to be done about a router at once.
    pub(super) fn hurry(&mut self, router: RouterId, now: Timestamp) {
        if self.last.contains_key(&router) {
            self.agenda.set(router, now);
        }
    }

    /// A router has said that it ends.
    pub(super) fn end(&mut self, router: RouterId) {
        self.last.remove(&router);
        self.agenda.remove(&router);
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.agenda.first().map(|(due, _)| due)
    }

    /// Whether something is due at `now`; it is due again after a while.
    pub(super) fn pause(&mut self, now: Timestamp) -> bool {
        let mut any = false;
        while let Some((_, router)) = self.agenda.pop_due(now) {
            any = true;
            let last = self.last.get(&router);
            if last.is_some_and(|last| now.since(*last) < PATIENCE) {
                self.agenda.set(router, now + PACE);
            } else {
                self.end(router);
            }
        }
        any
    }
}
