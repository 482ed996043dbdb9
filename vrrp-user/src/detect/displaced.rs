//! Virtual routers that were forgotten for want of room, reported in sums: a flood must not make
//! another.

use std::collections::BTreeMap;

use super::Analyst;
use crate::{
    model::{Span, Timestamp},
    record::{Body, Loss, LossReason, Record},
    tracker::Forgotten,
    world::World,
};

/// At most one report in this time.
const WINDOW: Span = Span::from_secs(10);

/// What was forgotten and is not reported yet.
#[derive(Debug, Default)]
pub(super) struct Displaced {
    count: u64,
    /// When the next report may come, once there was one.
    pub(super) due: Option<Timestamp>,
}

impl Displaced {
    /// Takes in that one more was forgotten. The first is reported at once.
    pub(super) fn add(&mut self, now: Timestamp) -> Option<Record> {
        self.count += 1;
        if self.due.is_none() {
            self.report(now)
        } else {
            None
        }
    }

    /// The report of what there is; without any, the next one comes at once again.
    pub(super) fn report(&mut self, now: Timestamp) -> Option<Record> {
        if self.count == 0 {
            self.due = None;
            return None;
        }
        let count = std::mem::take(&mut self.count);
        self.due = Some(now + WINDOW);
        let lost = BTreeMap::from([(LossReason::TrackerFull, count)]);
        Some(Record::new(now, Body::Loss(Loss { lost })))
    }
}

impl Analyst {
    /// Gives up what is known of a virtual router that is kept no longer: nothing of it is over.
    pub(super) fn forget(&mut self, world: &mut World, router: &Forgotten) {
        world.machine.set_puzzle(router.id, None, self.now);
        for key in self.ledger.about(router.id, &router.kin) {
            self.records.extend(self.ledger.forget(&key, self.now));
        }
        if router.displaced {
            self.records.extend(self.displaced.add(self.now));
        }
    }
}
