//! A router that became active beside one that stays so, told as if it had taken over.

use super::ledger;
use crate::{
    model::Timestamp,
    record::{Body, ChangeReason, Record, StateRecord},
    tracker::{Router, Speaker},
};

/// The takeover that would have been, had the active router yielded.
pub(super) fn record(router: &Router, own: &Speaker, active: &Speaker, now: Timestamp) -> Record {
    let state = StateRecord {
        vrid: router.vrid,
        family: router.family,
        group: router.group,
        peers: router.peers.iter().copied().collect(),
        from: Some(active.source),
        to: own.source,
        mac: own.mac,
        priority: own.priority,
        addresses: own.addresses().collect(),
        reason: ChangeReason::Timeout,
        outage_ms: None,
        completes: None,
        announced: Some(Vec::new()),
    };
    ledger::record(&router.segment, now, Body::State(state))
}
