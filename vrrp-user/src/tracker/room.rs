//! Who has to go when there is no more room.
//!
//! Made-up virtual routers must not displace real ones. Those that were never heard at their pace go
//! first, then those of which nothing is open, and those of which something is last. Among equals
//! the segment that has most of them gives way: each has its share.

use std::{cmp::Reverse, collections::BTreeMap};

use super::{Forgotten, Router, RouterId, Segment, Tracker};
use crate::model::Timestamp;

/// Virtual routers that are kept.
const MAX_ROUTERS: usize = 512;
/// How many of those that were never heard at their pace go at once: to find out who has to go means
/// to look at all.
const BATCH: usize = 16;

/// What a virtual router is worth; the least goes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Worth {
    Unproven,
    Proven,
    /// Something about it is not over.
    Open,
}

impl Tracker {
    /// Makes room for one more in this segment. Returns who had to go for it.
    pub(super) fn make_room(
        &mut self,
        segment: &Segment,
        matters: impl Fn(RouterId) -> bool,
    ) -> Vec<Forgotten> {
        if self.routers.len() < MAX_ROUTERS {
            return Vec::new();
        }
        let worth = |router: &Router| match (router.is_established(), matters(router.id())) {
            (false, _) => Worth::Unproven,
            (true, false) => Worth::Proven,
            (true, true) => Worth::Open,
        };
        let mut shares: BTreeMap<(Worth, &Segment), usize> = BTreeMap::new();
        for router in self.routers() {
            *shares.entry((worth(router), &router.segment)).or_default() += 1;
        }
        // The one to come is unproven, and counts.
        *shares.entry((Worth::Unproven, segment)).or_default() += 1;
        let mut order: Vec<(Worth, Reverse<usize>, Timestamp, RouterId)> = self
            .routers()
            .map(|router| {
                let worth = worth(router);
                let share = shares[&(worth, &router.segment)];
                (worth, Reverse(share), router.heard, router.id())
            })
            .collect();
        order.sort_unstable();
        let unproven = order
            .iter()
            .filter(|(worth, ..)| *worth == Worth::Unproven)
            .count();
        let going: Vec<RouterId> = order
            .iter()
            .take(unproven.clamp(1, BATCH))
            .map(|(.., id)| *id)
            .collect();
        going
            .into_iter()
            .filter_map(|id| self.forget(id, true))
            .collect()
    }
}
