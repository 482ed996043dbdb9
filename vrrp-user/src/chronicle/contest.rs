//! A router that became active, by its log, beside one that stays so on the wire.

use crate::{
    log::Entry,
    model::Timestamp,
    record::{Body, ChangeReason, Record, StateRecord},
    tracker::{Router, Speaker},
    world::World,
};

/// What a line says of such a router, as if it had taken over.
pub(crate) fn contest(world: &World, entry: &Entry, now: Timestamp) -> Option<Record> {
    let (router, own) = world.daemons.new_master(entry, &world.tracker)?;
    let active = router.live(now).filter(|active| active.id() != own.id())?;
    Some(takeover(router, own, active, now))
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
    Record {
        interface: router.segment.interface.clone(),
        vlan: router.segment.vlan.ids().to_vec(),
        ..Record::new(now, Body::State(state))
    }
}
