//! What this observer can see of the virtual routers.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use super::{Router, RouterId, Segment, Tracker};
use crate::{
    model::{Timestamp, Vrid},
    sight::{Change, Seat, Sights},
};

impl Tracker {
    /// What is seen of the interfaces.
    pub(crate) const fn sights(&self) -> &Sights {
        &self.sights
    }

    /// A tracker that knows no virtual router, and what is seen of the interfaces.
    pub(crate) fn with_sights(sights: Sights) -> Self {
        Self {
            sights,
            ..Self::default()
        }
    }

    /// What is seen of the interfaces, from `time` on.
    pub(crate) fn take_sights(&mut self, time: Timestamp) -> Sights {
        std::mem::take(&mut self.sights).from(time)
    }

    /// Takes in that the observer begins to see.
    pub(crate) fn begin(&mut self, now: Timestamp) {
        self.sights.begin(now);
    }

    /// Takes in that frames were lost.
    pub(crate) fn lose(&mut self, now: Timestamp) {
        self.sights.lose(now);
        self.look(now);
    }

    /// Takes in that adverts of these virtual routers were lost, and of no others. Returns which they
    /// are.
    pub(crate) fn lose_adverts(&mut self, vrids: &BTreeSet<Vrid>, now: Timestamp) -> Vec<RouterId> {
        let mut concerned = Vec::new();
        for router in self.routers.values_mut() {
            if vrids.contains(&router.vrid) {
                router.set_sight(router.sight.from(now), now);
                concerned.push(router.id);
            }
        }
        concerned
    }

    /// Takes in that ARP or neighbour discovery was lost, and nothing else.
    pub(crate) fn lose_neighbours(&mut self, now: Timestamp) {
        for router in self.routers.values_mut() {
            router.unheard = Some(now);
        }
    }

    /// Takes in from where there is to see. Returns which places began or ended to be seen.
    pub(crate) fn set_seats(&mut self, seats: &[Seat], now: Timestamp) -> Vec<Change> {
        for seat in seats {
            if let Some(formerly) = &seat.formerly {
                self.rename(formerly, &seat.interface);
            }
        }
        let changes = self.sights.update(seats, now);
        self.look(now);
        changes
    }

    /// The virtual routers of an interface.
    pub(crate) fn on<'a>(&'a self, interface: &'a str) -> impl Iterator<Item = &'a Router> {
        self.routers()
            .filter(move |router| router.segment.interface.as_deref() == Some(interface))
    }

    /// Tells every virtual router what is seen of it.
    fn look(&mut self, now: Timestamp) {
        for router in self.routers.values_mut() {
            let sight = self.sights.of(router.segment.interface.as_deref(), now);
            router.set_sight(sight, now);
        }
    }

    /// An interface has another name: its virtual routers stay what they are.
    fn rename(&mut self, formerly: &str, name: &Arc<str>) {
        let renamed = |segment: Segment| segment.renamed(formerly, name);
        for router in self.routers.values_mut() {
            router.segment = renamed(router.segment.clone());
        }
        let members = std::mem::take(&mut self.members).into_iter();
        self.members = members
            .map(|((segment, vrid, address), id)| ((renamed(segment), vrid, address), id))
            .collect::<BTreeMap<_, RouterId>>();
        for index in [&mut self.addresses, &mut self.sources] {
            let entries = std::mem::take(index).into_iter();
            *index = entries
                .map(|((segment, address), ids)| ((renamed(segment), address), ids))
                .collect();
        }
    }
}
