//! The addresses whose ARP and neighbour discovery matters.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    time::Duration,
};

use crate::model::Timestamp;

/// Bounded: when adverts announce more addresses than the kernel's map holds, the one that was
/// advertised longest ago gives way.
#[derive(Debug)]
pub(super) struct WatchList {
    /// Address to the time it was last advertised; `None` for those that stay.
    known: BTreeMap<IpAddr, Option<Timestamp>>,
    by_age: BTreeSet<(Timestamp, IpAddr)>,
    limit: usize,
}

/// What [`WatchList::learn`] changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) added: bool,
    pub(super) evicted: Option<IpAddr>,
}

/// An address is at home in the list for so long before its age is written again: adverts come
/// several times a second, and a list in order of age need not follow each.
const AGE_STEP: Duration = Duration::from_secs(10);

impl Default for WatchList {
    fn default() -> Self {
        Self::with_limit(vrrp_ebpf::MAX_WATCHED as usize)
    }
}

impl WatchList {
    pub(super) fn with_limit(limit: usize) -> Self {
        Self {
            known: BTreeMap::new(),
            by_age: BTreeSet::new(),
            limit,
        }
    }

    /// Watches an address for good.
    pub(super) fn pin(&mut self, address: IpAddr) {
        if let Some(Some(time)) = self.known.insert(address, None) {
            self.by_age.remove(&(time, address));
        }
    }

    /// Watches an address that was advertised at `now`.
    pub(super) fn learn(&mut self, address: IpAddr, now: Timestamp) -> Change {
        match self.known.get_mut(&address) {
            Some(None) => Change {
                added: false,
                evicted: None,
            },
            Some(Some(time)) => {
                if now.since(*time) >= AGE_STEP {
                    self.by_age.remove(&(*time, address));
                    *time = now;
                    self.by_age.insert((now, address));
                }
                Change {
                    added: false,
                    evicted: None,
                }
            }
            None => {
                let full = self.known.len() >= self.limit;
                let evicted = if full { self.by_age.pop_first() } else { None };
                if let Some((_, oldest)) = evicted {
                    self.known.remove(&oldest);
                } else if full {
                    // Every place is taken by an address that stays.
                    return Change {
                        added: false,
                        evicted: None,
                    };
                }
                self.known.insert(address, Some(now));
                self.by_age.insert((now, address));
                Change {
                    added: true,
                    evicted: evicted.map(|(_, oldest)| oldest),
                }
            }
        }
    }

    /// Whether the address is watched.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        self.known.contains_key(&address)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn address(last: u8) -> IpAddr {
        IpAddr::from([10, 0, 0, last])
    }

    fn at(seconds: u64) -> Timestamp {
        Timestamp::from_parts(seconds, 0)
    }

    #[test]
    fn the_longest_silent_gives_way_and_the_pinned_stay() {
        let mut list = WatchList::with_limit(3);
        list.pin(address(1));
        list.learn(address(2), at(0));
        list.learn(address(3), at(1));
        list.learn(address(2), at(20));
        assert_eq!(
            list.learn(address(4), at(21)),
            Change {
                added: true,
                evicted: Some(address(3))
            }
        );
        assert!(
            [1, 2, 4]
                .into_iter()
                .all(|last| list.contains(address(last)))
        );
        assert!(!list.contains(address(3)));
    }

    #[test]
    fn a_list_of_pinned_addresses_learns_nothing() {
        let mut list = WatchList::with_limit(1);
        list.pin(address(1));
        assert_eq!(
            list.learn(address(2), at(0)),
            Change {
                added: false,
                evicted: None
            }
        );
        assert!(!list.contains(address(2)));
    }
}
