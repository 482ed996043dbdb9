//! What was lost since the last look, from counters that only grow.

use std::collections::BTreeMap;

use vrrp_ebpf::Counter;

use crate::{capture::Counts, record::LossReason};

/// The counters as they were at the last look.
#[derive(Debug, Default)]
pub(super) struct Losses {
    counts: Counts,
    malformed: u64,
}

/// What changed since then.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct News {
    pub(super) lost: BTreeMap<LossReason, u64>,
    /// ARP and neighbour discovery that the kernel left alone.
    pub(super) unwatched: u64,
}

impl News {
    /// Takes in how many frames were passed over in the ring buffer.
    pub(super) fn pass_over(&mut self, count: u64) {
        if count > 0 {
            self.lost.insert(LossReason::PassedOver, count);
        }
    }
}

impl Losses {
    pub(super) fn update(&mut self, counts: Counts, malformed: u64, dropped: u64) -> News {
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
            };
            news.lost.insert(reason, count);
        }
        news.lost
            .insert(LossReason::BadEvent, malformed - self.malformed);
        news.lost.insert(LossReason::OutputFull, dropped);
        news.lost.retain(|_, count| *count > 0);
        self.counts = counts;
        self.malformed = malformed;
        news
    }
}
