//! The addresses whose ARP and neighbour discovery matters.

use std::{collections::BTreeSet, net::IpAddr, time::Duration};

use crate::model::{Agenda, Pace, Timestamp};

/// Bounded: when adverts announce more addresses than the kernel's map holds, the one that was
/// advertised longest ago gives way, and before it those that only senders advertised that were not
/// heard at their pace.
#[derive(Debug)]
pub(super) struct WatchList {
    /// Those that stay.
    pinned: BTreeSet<IpAddr>,
    /// The others, by what they are worth.
    learned: Agenda<IpAddr, Worth>,
    limit: usize,
}

/// Whether an established router advertises the address, and when that was last.
type Worth = (bool, Timestamp);

/// What [`WatchList::learn`] changed.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Change {
    pub(super) added: bool,
    pub(super) evicted: Option<IpAddr>,
}

/// How long an address is in the list before its age is written again: adverts come
/// several times a second, and a list in order of age need not follow each.
const AGE_STEP: Duration = Duration::from_secs(10);

/// How fast addresses are looked at that adverts name, whether they are new or not: a second of
/// honest adverts names fewer, and what is passed over is looked at with the next advert.
#[derive(Debug)]
pub(super) struct Lessons {
    /// Of routers that are heard at their pace.
    established: Pace,
    /// Of all others.
    others: Pace,
}

impl Default for Lessons {
    fn default() -> Self {
        Self {
            established: Pace::new(10_000, 100_000),
            others: Pace::new(5_000, 10_000),
        }
    }
}

impl Lessons {
    /// Whether so many addresses may be looked at.
    pub(super) fn take(&mut self, count: u32, established: bool, now: Timestamp) -> bool {
        let pace = if established {
            &mut self.established
        } else {
            &mut self.others
        };
        pace.take_many(count, now)
    }
}

impl Default for WatchList {
    fn default() -> Self {
        Self::with_limit(vrrp_ebpf::MAX_WATCHED as usize)
    }
}

impl WatchList {
    pub(super) fn with_limit(limit: usize) -> Self {
        Self {
            pinned: BTreeSet::new(),
            learned: Agenda::default(),
            limit,
        }
    }

    /// Watches an address for good.
    pub(super) fn pin(&mut self, address: IpAddr) {
        self.learned.remove(&address);
        self.pinned.insert(address);
    }

    /// Watches an address that was advertised at `now`.
    pub(super) fn learn(&mut self, address: IpAddr, established: bool, now: Timestamp) -> Change {
        let unchanged = Change {
            added: false,
            evicted: None,
        };
        if self.pinned.contains(&address) {
            return unchanged;
        }
        if let Some((before, time)) = self.learned.get(&address) {
            let aged = now.since(time) >= AGE_STEP;
            if (established && !before) || (established == before && aged) {
                self.learned.set(address, (established, now));
            }
            return unchanged;
        }
        let full = self.pinned.len() + self.learned.len() >= self.limit;
        let evicted = if full { self.learned.pop() } else { None };
        if full && evicted.is_none() {
            // Every place is taken by an address that stays.
            return unchanged;
        }
        self.learned.set(address, (established, now));
        Change {
            added: true,
            evicted: evicted.map(|(_, oldest)| oldest),
        }
    }

    /// Whether the address is watched.
    pub(super) fn contains(&self, address: IpAddr) -> bool {
        self.pinned.contains(&address) || self.learned.has(&address)
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
        list.learn(address(2), true, at(0));
        list.learn(address(3), true, at(1));
        list.learn(address(2), true, at(20));
        assert_eq!(
            list.learn(address(4), true, at(21)),
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
    fn made_up_addresses_displace_each_other_and_no_real_one() {
        let mut list = WatchList::with_limit(3);
        list.learn(address(1), true, at(0));
        for last in 2..50 {
            list.learn(address(last), false, at(u64::from(last)));
        }
        assert!(
            [1, 48, 49]
                .into_iter()
                .all(|last| list.contains(address(last)))
        );
    }

    #[test]
    fn a_list_of_pinned_addresses_learns_nothing() {
        let mut list = WatchList::with_limit(1);
        list.pin(address(1));
        assert_eq!(
            list.learn(address(2), true, at(0)),
            Change {
                added: false,
                evicted: None
            }
        );
        assert!(!list.contains(address(2)));
    }
}
