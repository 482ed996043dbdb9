//! Virtual routers of a segment that have an address in common.

use std::collections::{BTreeMap, BTreeSet};

use super::{MAX_KIN, Router, RouterId, Tracker};
use crate::model::Timestamp;

impl Tracker {
    /// Links the virtual routers that have an address in common.
    pub(super) fn find_kin(&mut self, id: RouterId) {
        let Some(router) = self.routers.get(&id) else {
            return;
        };
        let mut kin: BTreeSet<RouterId> = router
            .indexed
            .iter()
            .filter_map(|address| self.addresses.get(&(router.segment.clone(), *address)))
            .flatten()
            .copied()
            .filter(|other| *other != id)
            .collect();
        while kin.len() > MAX_KIN {
            kin.pop_last();
        }
        let before: BTreeSet<RouterId> = router.kin.keys().copied().collect();
        for lost in before.difference(&kin) {
            if let Some(other) = self.routers.get_mut(lost) {
                other.kin.remove(&id);
            }
        }
        for gained in kin.difference(&before) {
            if let Some(other) = self.routers.get_mut(gained) {
                other.kin.insert(id, None);
            }
        }
        if let Some(router) = self.routers.get_mut(&id) {
            router.kin.retain(|other, _| kin.contains(other));
            for gained in kin {
                router.kin.entry(gained).or_insert(None);
            }
        }
    }

    /// Notes which addresses of a virtual router without an active router are served by another: one
    /// VRID may be given up for another.
    pub(super) fn note_served(&mut self, id: RouterId, now: Timestamp) {
        let Some(router) = self.routers.get(&id) else {
            return;
        };
        if router.kin.is_empty() || router.live(now).is_some() {
            if !router.served.is_empty()
                && let Some(router) = self.routers.get_mut(&id)
            {
                router.served.clear();
            }
            return;
        }
        let mut served = BTreeMap::new();
        for active in router
            .kin
            .keys()
            .filter_map(|other| self.routers.get(other)?.live(now))
            .filter(|active| active.is_established())
        {
            for address in active.addresses() {
                let until = served.entry(address).or_insert(active.dead_at());
                *until = active.dead_at().max(*until);
            }
        }
        if let Some(router) = self.routers.get_mut(&id) {
            router.served = served;
        }
    }

    /// Notes since when the virtual router and each of its kin have both been alive.
    pub(crate) fn compare_with_kin(&mut self, id: RouterId, now: Timestamp) {
        let Some(router) = self.routers.get(&id) else {
            return;
        };
        let alive = router.live(now).is_some();
        let lasting = |router: &Router| {
            router
                .active()
                .is_some_and(|active| active.resigned.is_none() && now < active.gone_at())
        };
        let here = lasting(router);
        let others: Vec<(RouterId, Option<Timestamp>)> = router
            .kin
            .iter()
            .map(|(other, since)| {
                let there = self.routers.get(other);
                let both_alive = alive && there.is_some_and(|other| other.live(now).is_some());
                let both_last = here && there.is_some_and(lasting);
                let since = match since {
                    Some(since) if both_last => Some(*since),
                    None if both_alive => Some(now),
                    _ => None,
                };
                (*other, since)
            })
            .collect();
        for (other, since) in others {
            if let Some(router) = self.routers.get_mut(&id) {
                router.kin.insert(other, since);
            }
            if let Some(router) = self.routers.get_mut(&other) {
                router.kin.insert(id, since);
            }
        }
    }
}
