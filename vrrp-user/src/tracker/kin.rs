//! Virtual routers of a segment that have an address in common.

use std::collections::BTreeSet;

use super::{MAX_KIN, Router, RouterId, Speaker, Tracker};
use crate::model::{AddressList, Span, Timestamp};

/// What a virtual router has to do with another one.
#[derive(Clone, Debug, Default)]
pub(crate) struct Kinship {
    /// Since when both have been alive.
    since: Option<Timestamp>,
    shared: Shared,
}

/// What the active routers of two virtual routers advertise, and when that was looked at.
#[derive(Clone, Debug, Default)]
struct Shared {
    mine: AddressList,
    theirs: AddressList,
    common: AddressList,
    looked: Option<Timestamp>,
}

/// Two lists that go on changing are compared this often.
const PACE: Span = Span::from_millis(500);

impl Kinship {
    /// The same, as the other one has it.
    fn turned(&self) -> Self {
        let Shared {
            mine,
            theirs,
            common,
            looked,
        } = self.shared.clone();
        Self {
            since: self.since,
            shared: Shared {
                mine: theirs,
                theirs: mine,
                common,
                looked,
            },
        }
    }
}

impl Shared {
    fn is_of(&self, mine: &AddressList, theirs: &AddressList) -> bool {
        self.looked.is_some() && self.mine.is_same(mine) && self.theirs.is_same(theirs)
    }

    /// When it may be looked at again.
    fn due(&self) -> Option<Timestamp> {
        Some(self.looked? + PACE)
    }

    /// The same of these lists, unless that was looked at a moment ago.
    fn renewed(&self, mine: AddressList, theirs: AddressList, now: Timestamp) -> Self {
        if self.is_of(&mine, &theirs) || self.due().is_some_and(|due| now < due) {
            return self.clone();
        }
        Self {
            common: mine.common(&theirs),
            mine,
            theirs,
            looked: Some(now),
        }
    }
}

/// What two virtual routers share, as far as it is known.
#[derive(Debug)]
pub(crate) enum Known<'a> {
    /// These addresses, if the two have to do with each other.
    Since(Option<&'a AddressList>),
    /// It is looked at again at this time.
    At(Option<Timestamp>),
}

/// What other virtual routers serve while one has no active router.
#[derive(Clone, Debug, Default)]
pub(super) struct Served {
    /// Their lists, and until when each is served, should nothing more be heard of it.
    lists: Vec<(AddressList, Timestamp)>,
    /// What they leave of a list.
    rest: Option<(AddressList, AddressList)>,
}

impl Served {
    /// Takes in what is served now, of these addresses.
    fn update(&mut self, lists: Vec<(AddressList, Timestamp)>, addresses: &AddressList) {
        let known = self
            .rest
            .as_ref()
            .is_some_and(|(of, _)| of.is_same(addresses))
            && self.lists.len() == lists.len()
            && std::iter::zip(&self.lists, &lists).all(|((one, _), (other, _))| one.is_same(other));
        self.lists = lists;
        if !known {
            self.rest = Some((addresses.clone(), self.left_of(addresses)));
        }
    }

    fn left_of(&self, addresses: &AddressList) -> AddressList {
        let lists = self.lists.iter().map(|(list, _)| list);
        lists.fold(addresses.clone(), |rest, list| rest.without(list))
    }

    /// Those of the addresses that nobody serves.
    pub(super) fn rest(&self, addresses: &AddressList) -> AddressList {
        match &self.rest {
            Some((of, rest)) if of.is_same(addresses) => rest.clone(),
            _ => self.left_of(addresses),
        }
    }

    /// When the first of them may be served no longer; nothing while none is.
    pub(super) fn until(&self) -> Option<Timestamp> {
        self.lists.iter().map(|(_, until)| *until).min()
    }
}

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
                other.kin.insert(id, Kinship::default());
            }
        }
        if let Some(router) = self.routers.get_mut(&id) {
            router.kin.retain(|other, _| kin.contains(other));
            for gained in kin {
                router.kin.entry(gained).or_default();
            }
        }
    }

    /// Notes which addresses of a virtual router without an active router are served by another: one
    /// VRID may be given up for another.
    pub(super) fn note_served(&mut self, id: RouterId, now: Timestamp) {
        let Some(router) = self.routers.get(&id) else {
            return;
        };
        let mut served = Served::default();
        if router.live(now).is_none() {
            served.lists = router
                .kin
                .keys()
                .filter_map(|other| self.routers.get(other)?.live(now))
                .filter(|active| active.is_established())
                .map(|active| (active.list(), active.dead_at()))
                .filter(|(list, _)| !list.is_empty())
                .collect();
        }
        if let Some(router) = self.routers.get_mut(&id) {
            let addresses = router.active().map(Speaker::list).unwrap_or_default();
            router.served.update(served.lists, &addresses);
        }
    }

    /// Notes since when the virtual router and each of its kin have both been alive, and what both
    /// advertise.
    pub(crate) fn compare_with_kin(&mut self, id: RouterId, now: Timestamp) {
        let Some(router) = self.routers.get(&id) else {
            return;
        };
        let live = |router: &Router| router.live(now).map(Speaker::list);
        let lasting = |router: &Router| {
            router
                .active()
                .is_some_and(|active| active.resigned.is_none() && now < active.gone_at())
        };
        let (mine, here) = (live(router), lasting(router));
        let others: Vec<(RouterId, Kinship)> = router
            .kin
            .iter()
            .map(|(other, before)| {
                let there = self.routers.get(other);
                let both = mine.clone().zip(there.and_then(live));
                let both_last = here && there.is_some_and(lasting);
                let since = match before.since {
                    Some(since) if both_last => Some(since),
                    None if both.is_some() => Some(now),
                    _ => None,
                };
                let shared = match both {
                    Some((mine, theirs)) => before.shared.renewed(mine, theirs, now),
                    None => before.shared.clone(),
                };
                (*other, Kinship { since, shared })
            })
            .collect();
        for (other, kinship) in others {
            if let Some(router) = self.routers.get_mut(&other) {
                router.kin.insert(id, kinship.turned());
            }
            if let Some(router) = self.routers.get_mut(&id) {
                router.kin.insert(other, kinship);
            }
        }
    }
}

impl Router {
    /// Since when this one and another one that shares an address have both been alive.
    pub(crate) fn alive_with(&self, other: RouterId) -> Option<Timestamp> {
        self.kin.get(&other)?.since
    }

    /// The addresses that the active routers of this one and of another one both advertise.
    pub(crate) fn shared_with(&self, other: &Self) -> Known<'_> {
        let Some(kinship) = self.kin.get(&other.id) else {
            return Known::Since(None);
        };
        let lists = [self, other].map(|router| router.active().map(Speaker::list));
        match lists {
            [Some(mine), Some(theirs)] if kinship.shared.is_of(&mine, &theirs) => {
                Known::Since(Some(&kinship.shared.common))
            }
            _ => Known::At(kinship.shared.due()),
        }
    }
}
