//! The neighbour table of this machine: where it sends what is for an address.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use crate::{
    model::{MacAddr, Timestamp},
    tracker::Segment,
};

/// The entries that are in use, as the looks found them.
#[derive(Debug, Default)]
pub(super) struct Neighbours {
    entries: BTreeMap<(Segment, IpAddr), SendsTo>,
    /// Neighbours that it has something for and that do not answer.
    silent: BTreeSet<(Segment, IpAddr)>,
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
    pub(super) fn note(
        &mut self,
        entries: &BTreeMap<(u32, IpAddr), Option<MacAddr>>,
        now: Timestamp,
    ) {
        let key = |index, address| Some((self.places.get(&index)?.clone(), address));
        self.silent = entries
            .iter()
            .filter(|(_, mac)| mac.is_none())
            .filter_map(|((index, address), _)| key(*index, *address))
            .collect();
        self.entries = entries
            .iter()
            .filter_map(|((index, address), mac)| {
                let mac = (*mac)?;
                let key = key(*index, *address)?;
                let before = self.entries.get(&key).filter(|before| before.mac == mac);
                let entry = SendsTo {
                    mac,
                    since: before.map_or(now, |before| before.since),
                    until: now,
                };
                Some((key, entry))
            })
            .collect();
    }

    /// Whether a neighbour does not answer.
    pub(super) fn is_silent(&self, segment: &Segment, address: IpAddr) -> bool {
        self.silent.contains(&(segment.clone(), address))
    }

    pub(super) fn get(&self, segment: &Segment, address: IpAddr) -> Option<SendsTo> {
        if self.entries.is_empty() {
            return None;
        }
        self.entries.get(&(segment.clone(), address)).copied()
    }
}
