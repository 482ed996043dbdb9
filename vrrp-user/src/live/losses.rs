//! What was lost since the last look, from counters that only grow.

use std::collections::{BTreeMap, BTreeSet};

use vrrp_ebpf::Counter;

use crate::{
    capture::{Counts, Suppressed},
    model::Vrid,
    record::LossReason,
};

/// The counters as they were at the last look.
#[derive(Debug, Default)]
pub(super) struct Losses {
    counts: Counts,
    malformed: u64,
    suppressed: Suppressed,
}

/// What changed since then.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct News {
    pub(super) lost: BTreeMap<LossReason, u64>,
    /// ARP and neighbour discovery that the kernel left alone.
    pub(super) unwatched: u64,
}

impl News {
    /// Whether adverts of known routers, or like theirs, were suppressed.
    pub(super) fn hides_routers(&self) -> bool {
        [LossReason::KnownFlood, LossReason::AlikeFlood]
            .iter()
            .any(|reason| self.lost.contains_key(reason))
    }

    /// Takes in how many were lost elsewhere.
    pub(super) fn add(&mut self, reason: LossReason, count: u64) {
        if count > 0 {
            self.lost.insert(reason, count);
        }
    }
}

impl Losses {
    /// Takes in how many adverts of which VRIDs were suppressed so far. Returns those of which there
    /// are others than at the last look.
    pub(super) fn note_suppressed(&mut self, suppressed: Suppressed) -> BTreeSet<Vrid> {
        let before = std::mem::replace(&mut self.suppressed, suppressed);
        self.suppressed
            .iter()
            .filter(|(vrid, count)| before.get(vrid) != Some(count))
            .map(|(vrid, _)| Vrid::new(*vrid))
            .collect()
    }

    pub(super) fn update(&mut self, counts: Counts, malformed: u64) -> News {
        let mut news = News {
            lost: BTreeMap::new(),
            unwatched: 0,
        };
        for (counter, count) in counts.since(&self.counts).iter() {
            let reason = match counter {
                Counter::DeliveredVrrp | Counter::DeliveredArp | Counter::DeliveredNd => continue,
                Counter::ArpUnwatched | Counter::NdUnwatched => {
                    news.unwatched += count;
                    continue;
                }
                Counter::RingFull => LossReason::RingFull,
                Counter::Unreadable => LossReason::Unreadable,
                Counter::LaterFragment => LossReason::LaterFragment,
                Counter::ExtensionsTooDeep => LossReason::ExtensionsTooDeep,
                Counter::TrafficFull => LossReason::TrafficFull,
                Counter::KnownOverBudget => LossReason::KnownFlood,
                Counter::AlikeOverBudget => LossReason::AlikeFlood,
                Counter::SenderOverBudget => LossReason::SenderFlood,
                Counter::VrrpOverBudget => LossReason::VrrpFlood,
                Counter::NeighbourOverBudget => LossReason::NeighbourFlood,
            };
            news.lost.insert(reason, count);
        }
        news.lost
            .insert(LossReason::BadEvent, malformed - self.malformed);
        news.lost.retain(|_, count| *count > 0);
        self.counts = counts;
        self.malformed = malformed;
        news
    }
}
