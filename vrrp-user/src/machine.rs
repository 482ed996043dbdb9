//! The machine that vrrpwatch runs on, as its kernel shows it: which addresses it holds, which were
//! taken from a master, and whether a VRRP daemon still runs.
//!
//! Pure: the shell hands in what the kernel says. Without that, as in replay, nothing is known and
//! nothing is concluded.

mod pulse;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use crate::{
    model::{Span, Timestamp},
    tracker::{RouterId, Speaker},
};
use pulse::Pulses;

/// An address of this machine came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AddressChange {
    /// The address.
    pub address: IpAddr,
    /// Whether it is there now.
    pub present: bool,
    /// Netlink port of whoever asked the kernel for it: another one for each program that runs.
    /// `None` where the kernel does not tell, as for IPv6.
    pub by: Option<u32>,
}

/// What is known of this machine.
#[derive(Debug, Default)]
pub struct Machine {
    /// Its addresses, and who added each, where that was seen.
    held: BTreeMap<IpAddr, Option<u32>>,
    /// Addresses that it no longer holds.
    gone: BTreeMap<IpAddr, Gone>,
    /// The routers on it that advertise.
    pulses: Pulses,
    daemon: Daemon,
}

/// An address that went.
#[derive(Clone, Copy, Debug)]
struct Gone {
    /// When that was told: it went a moment before.
    time: Timestamp,
    /// It was taken away by somebody else than it was added by.
    foreign: bool,
    /// A router of this machine has advertised it since.
    missed: bool,
}

/// What is known of the VRRP daemon on this machine.
#[derive(Clone, Copy, Debug, Default)]
struct Daemon {
    /// The last time it was looked for.
    sought: Option<Timestamp>,
    /// The last time it was found.
    found: Option<Timestamp>,
    /// Since when it is not to be found any more.
    missing: Option<Timestamp>,
}

/// Addresses that went and are remembered.
const MAX_GONE: usize = 512;
/// The kernel tells of an address that went within so long.
const NEWS: Span = Span::from_millis(250);
/// A daemon that was not found once, for it uses other means, is looked for again after so long.
const AGAIN: Span = Span::from_secs(10);

impl Machine {
    /// Takes in all addresses of the machine.
    pub(crate) fn survey(&mut self, addresses: impl Iterator<Item = IpAddr>, now: Timestamp) {
        let addresses: BTreeSet<IpAddr> = addresses.collect();
        let went: Vec<IpAddr> = self
            .held
            .keys()
            .filter(|held| !addresses.contains(held))
            .copied()
            .collect();
        for address in went {
            self.note_change(
                &AddressChange {
                    address,
                    present: false,
                    by: None,
                },
                now,
            );
        }
        for address in addresses {
            self.note_change(
                &AddressChange {
                    address,
                    present: true,
                    by: None,
                },
                now,
            );
        }
    }

    /// Takes in that an address came or went, which was told at `now`.
    pub(crate) fn note_change(&mut self, change: &AddressChange, now: Timestamp) {
        let AddressChange {
            address,
            present,
            by,
        } = *change;
        if present {
            self.gone.remove(&address);
            // A later message about it is a change of its lifetime, by whomever.
            let added_by = self.held.entry(address).or_insert(by);
            *added_by = added_by.or(by);
            return;
        }
        let Some(added_by) = self.held.remove(&address) else {
            return;
        };
        let by_owner = by.is_some() && by == added_by;
        if by_owner || self.gone.len() >= MAX_GONE {
            return;
        }
        let gone = Gone {
            time: now,
            foreign: by.is_some() && added_by.is_some(),
            missed: false,
        };
        self.gone.insert(address, gone);
    }

    /// Takes in an advert of a router on this machine.
    pub(crate) fn note_advert(&mut self, router: RouterId, speaker: &Speaker, now: Timestamp) {
        let interval = speaker.interval();
        for address in speaker.addresses() {
            if let Some(gone) = self.gone.get_mut(&address) {
                // A daemon that is started anew takes longer to say so again.
                gone.missed |= now > gone.time && now <= gone.time + interval * 5 / 4;
            }
        }
        if speaker.resigned.is_some() {
            self.pulses.end(router);
            return;
        }
        self.pulses.beat(router, now, interval);
        let Daemon {
            sought,
            found,
            missing,
        } = self.daemon;
        let again = sought.is_none_or(|sought| now >= sought + AGAIN);
        if missing.is_some() || (found.is_none() && again) {
            self.pulses.hurry(router, now);
        }
    }

    /// Takes in that a router of this machine advertises addresses of which one has just gone:
    /// keepalived 2 notices, and resigns before it is known here.
    pub(crate) fn note_loser(&mut self, speaker: &Speaker) {
        for address in speaker.addresses() {
            if let Some(gone) = self.gone.get_mut(&address) {
                let near = |resigned: Timestamp| resigned + NEWS >= gone.time;
                gone.missed |= gone.foreign && speaker.resigned.is_some_and(near);
            }
        }
    }

    /// Whether the machine has the address on one of its interfaces.
    pub(crate) fn holds(&self, address: IpAddr) -> bool {
        self.held.contains_key(&address)
    }

    /// When the address was taken from a router that went on advertising it.
    pub(crate) fn lost(&self, address: IpAddr) -> Option<Timestamp> {
        let gone = self.gone.get(&address).filter(|gone| gone.missed)?;
        Some(gone.time)
    }

    /// Since when the daemon is known to be gone that sent adverts at `last`.
    pub(crate) fn daemon_gone(&self, last: Timestamp) -> Option<Timestamp> {
        self.daemon.missing.filter(|missing| *missing > last)
    }

    /// When the daemon was last seen to be there, if that was after it sent adverts at `last`.
    pub(crate) fn daemon_found(&self, last: Timestamp) -> Option<Timestamp> {
        self.daemon.found.filter(|found| *found > last)
    }

    /// When [`Machine::seeks_daemon`] has to be asked.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        self.pulses.next_due()
    }

    /// Whether it is to be found out if a daemon runs: a router has begun to advertise, or has
    /// stopped.
    pub(crate) fn seeks_daemon(&mut self, now: Timestamp) -> bool {
        self.pulses.pause(now)
    }

    /// Takes in whether a VRRP daemon runs.
    pub(crate) fn note_daemon(&mut self, runs: bool, now: Timestamp) {
        self.daemon.sought = Some(now);
        if runs {
            self.daemon.found = Some(now);
            self.daemon.missing = None;
        } else if self.daemon.found.is_some() {
            self.daemon.missing.get_or_insert(now);
        }
    }
}

#[cfg(test)]
mod tests;
