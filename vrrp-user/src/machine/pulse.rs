//! The adverts of the routers on this machine: when each is due, and what to do when one is not
//! there.

use std::collections::{BTreeMap, BTreeSet};

use crate::{
    model::{Span, Timestamp},
    tracker::RouterId,
};

/// The routers that advertise, by when something has to be done about them.
#[derive(Debug, Default)]
pub(super) struct Pulses {
    pulses: BTreeMap<RouterId, Pulse>,
    by_due: BTreeSet<(Timestamp, RouterId)>,
}

#[derive(Clone, Copy, Debug)]
struct Pulse {
    last: Timestamp,
    due: Timestamp,
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
        if self.pulses.len() >= MAX_PULSES && !self.pulses.contains_key(&router) {
            return;
        }
        let due = now + interval * 5 / 4;
        self.set(router, Pulse { last: now, due });
    }

    /// Something is to be done about a router at once.
    pub(super) fn hurry(&mut self, router: RouterId, now: Timestamp) {
        if let Some(pulse) = self.pulses.get(&router).copied() {
            self.set(router, Pulse { due: now, ..pulse });
        }
    }

    /// A router has said that it ends.
    pub(super) fn end(&mut self, router: RouterId) {
        if let Some(pulse) = self.pulses.remove(&router) {
            self.by_due.remove(&(pulse.due, router));
        }
    }

    pub(super) fn next_due(&self) -> Option<Timestamp> {
        self.by_due.first().map(|(due, _)| *due)
    }

    /// Whether something is due at `now`; it is due again after a while.
    pub(super) fn pause(&mut self, now: Timestamp) -> bool {
        let mut any = false;
        while let Some((due, router)) = self.by_due.first().copied().filter(|(due, _)| *due <= now)
        {
            any = true;
            let Some(pulse) = self.pulses.get(&router).copied() else {
                self.by_due.remove(&(due, router));
                continue;
            };
            if now.since(pulse.last) < PATIENCE {
                self.set(
                    router,
                    Pulse {
                        due: now + PACE,
                        ..pulse
                    },
                );
            } else {
                self.end(router);
            }
        }
        any
    }

    fn set(&mut self, router: RouterId, pulse: Pulse) {
        if let Some(before) = self.pulses.insert(router, pulse) {
            self.by_due.remove(&(before.due, router));
        }
        self.by_due.insert((pulse.due, router));
    }
}
