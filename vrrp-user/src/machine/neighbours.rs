//! The neighbour table of this machine: where it sends what is for an address.

use std::{collections::BTreeMap, net::IpAddr};

use crate::{
    model::{MacAddr, Timestamp},
    tracker::Segment,
};

/// The entries that are in use, as the looks found them.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    entries: BTreeMap<(Segment, IpAddr), SendsTo>,
    /// Where the frames of each interface belong, by its index.
    places: BTreeMap<u32, Segment>,
}

/// Where a machine sends what is for an address.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SendsTo {
    pub(crate) mac: MacAddr,
    /// The first look that showed it.
    pub(crate) since: Timestamp,
    /// The last one.
    pub(crate) until: Timestamp,
}

impl Neighbours {
    pub(super) fn set_places(&mut self, places: &BTreeMap<u32, Segment>) {
        self.places.clone_from(places);
    }

    /// Takes in what a look at `now` shows.
    pub(super) fn note(&mut self, entries: &BTreeMap<(u32, IpAddr), MacAddr>, now: Timestamp) {
        self.entries = entries
            .iter()
            .filter_map(|((index, address), mac)| {
                let key = (self.places.get(index)?.clone(), *address);
                let before = self.entries.get(&key).filter(|before| before.mac == *mac);
                let entry = SendsTo {
                    mac: *mac,
                    since: before.map_or(now, |before| before.since),
                    until: now,
                };
                Some((key, entry))
            })
            .collect();
    }

    pub(super) fn get(&self, segment: &Segment, address: IpAddr) -> Option<SendsTo> {
        self.entries.get(&(segment.clone(), address)).copied()
    }
}
