//! The machine that vrrpwatch runs on, as its kernel shows it: which addresses it holds and where,
//! which were taken from a master, whether a VRRP daemon is there and runs, and what the kernel drops
//! where that is asked for.
//!
//! Pure: the shell hands in what the kernel says. Without that, as in replay, nothing is known and
//! nothing is concluded.

mod daemon;
mod neighbours;
mod pulse;
mod puzzle;

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
    sync::Arc,
};

pub use daemon::{HostLook, ProcessState, VrrpSocket};
pub(crate) use neighbours::SendsTo;
pub(crate) use puzzle::Puzzle;
use serde::{Deserialize, Serialize};

use crate::{
    dropped::Dropped,
    model::{AddressList, Family, MacAddr, Span, Timestamp, Vrid},
    probe::Host,
    tracker::{RouterId, Segment, Speaker},
};
use daemon::Daemon;
use neighbours::Neighbours;
use pulse::Pulses;
use puzzle::Puzzles;

/// An address of this machine came or went.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AddressChange {
    /// The address.
    pub address: IpAddr,
    /// Whether it is there now.
    pub present: bool,
    /// Netlink port of whoever asked the kernel for it: another one for each program that runs.
    /// `None` where the kernel does not tell, as for IPv6.
    pub by: Option<u32>,
}

/// Where an address of this machine is.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Holding {
    /// The interface that has it.
    pub interface: Arc<str>,
    /// Where frames of that interface belong.
    pub segment: Segment,
    /// The Ethernet address that it is answered for with.
    pub mac: Option<MacAddr>,
    /// Neighbours that ask for it there get an answer.
    pub answers: bool,
    /// Duplicate address detection has found another holder: this machine cannot use it.
    pub duplicate: bool,
}

/// What is known of this machine.
#[derive(Debug, Default)]
pub struct Machine {
    /// Its addresses, and who added each, where that was seen.
    held: BTreeMap<IpAddr, Option<u32>>,
    /// Where each is, and since when that is known.
    holdings: BTreeMap<IpAddr, (Timestamp, Holding)>,
    /// Those that neighbours get an answer for.
    answering: AddressList,
    /// Those that it cannot use, because duplicate address detection has found another holder.
    duplicates: BTreeSet<IpAddr>,
    /// Where the frames of each interface belong.
    places: BTreeMap<Arc<str>, Segment>,
    /// The ports of its bridges and bonds, and to which of these is delivered what arrives there.
    ports: BTreeMap<Arc<str>, Arc<str>>,
    /// Addresses that it no longer holds.
    gone: BTreeMap<IpAddr, Gone>,
    /// Where it sends what is for its neighbours.
    neighbours: Neighbours,
    /// The routers on it that advertise.
    pulses: Pulses,
    /// What the machine does otherwise than it should, and only more of it can explain.
    puzzles: Puzzles,
    daemon: Daemon,
    /// Where nobody on it listens to the group of VRRP, and since when that is known: a switch that
    /// snoops IGMP or MLD may withhold adverts there.
    unjoined: BTreeMap<(Segment, Family), Timestamp>,
    /// When its daemons are to be looked at, for the first time or because somebody asks for it.
    next_look: Option<Timestamp>,
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

/// Addresses that went and are remembered.
const MAX_GONE: usize = 512;
/// The kernel tells of an address that went within this time.
const NEWS: Span = Span::from_millis(250);
/// When a daemon that was not found once, for it uses other means, is looked for again.
const AGAIN: Span = Span::from_secs(10);

impl Machine {
    /// Takes in all addresses of the machine, and where they are.
    pub(crate) fn survey(&mut self, host: &Host, now: Timestamp) {
        let holdings: BTreeMap<IpAddr, (Timestamp, Holding)> = host
            .holdings()
            .map(|(address, holding)| {
                let known = self.holdings.get(&address);
                let known = known.filter(|(_, known)| known == holding);
                let since = known.map_or(now, |(since, _)| *since);
                (address, (since, holding.clone()))
            })
            .collect();
        self.places.clone_from(host.places());
        self.ports.clone_from(host.ports());
        self.neighbours.set_places(host.indices());
        let went: Vec<IpAddr> = self
            .held
            .keys()
            .filter(|held| !holdings.contains_key(held))
            .copied()
            .collect();
        let came: Vec<IpAddr> = holdings.keys().copied().collect();
        let went = went.into_iter().map(|address| (address, false));
        for (address, present) in went.chain(came.into_iter().map(|address| (address, true))) {
            let change = AddressChange {
                address,
                present,
                by: None,
            };
            self.note_change(&change, now);
        }
        self.answering = holdings
            .iter()
            .filter(|(_, (_, holding))| holding.answers)
            .map(|(address, _)| *address)
            .collect();
        self.duplicates = holdings
            .iter()
            .filter(|(_, (_, holding))| holding.duplicate)
            .map(|(address, _)| *address)
            .collect();
        self.holdings = holdings;
        if self.daemon.looked().is_none() {
            self.next_look.get_or_insert(now);
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
        self.holdings.remove(&address);
        if self.answering.has(address) {
            self.answering = self
                .answering
                .iter()
                .copied()
                .filter(|it| *it != address)
                .collect();
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
        let looked = self.daemon.looked();
        // One that was not there when the watch began has come.
        let again = speaker.adverts == 1 || looked.is_none_or(|looked| now >= looked + AGAIN);
        if self.daemon.missing.is_some() || (self.daemon.found.is_none() && again) {
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

    /// Whether it has been shown.
    pub(crate) fn is_known(&self) -> bool {
        !self.places.is_empty()
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

    /// The addresses that neighbours get an answer for.
    pub(crate) const fn answering(&self) -> &AddressList {
        &self.answering
    }

    /// Where such an address is, and since when that is known.
    pub(crate) fn holding(&self, address: IpAddr) -> Option<(Timestamp, &Holding)> {
        let (since, holding) = self.holdings.get(&address)?;
        holding.answers.then_some((*since, holding))
    }

    /// The addresses that this machine has and cannot use, because duplicate address detection has found
    /// another holder; and since when that is known.
    pub(crate) fn duplicates(&self) -> impl Iterator<Item = (IpAddr, Timestamp, &Holding)> {
        self.duplicates.iter().filter_map(|address| {
            let (since, holding) = self.holdings.get(address)?;
            Some((*address, *since, holding))
        })
    }

    /// Whether it has a link-local IPv6 address on a segment that it can use.
    pub(crate) fn has_link_local(&self, segment: &Segment) -> bool {
        self.holdings.iter().any(|(address, (_, holding))| {
            let link_local =
                matches!(address, IpAddr::V6(address) if address.is_unicast_link_local());
            link_local && !holding.duplicate && holding.segment == *segment
        })
    }

    /// Where this machine sends what is for an address, and between which looks that was so.
    pub(crate) fn sends_to(&self, segment: &Segment, address: IpAddr) -> Option<SendsTo> {
        self.neighbours.get(segment, address)
    }

    /// Since when the daemon is known to be gone that sent adverts at `last`.
    pub(crate) fn is_silent(&self, segment: &Segment, neighbour: IpAddr) -> bool {
        self.neighbours.is_silent(segment, neighbour)
    }

    pub(crate) fn daemon_gone(&self, last: Timestamp) -> Option<Timestamp> {
        self.daemon.missing.filter(|missing| *missing > last)
    }

    /// When the daemon was last seen to be there, if that was after it sent adverts at `last`.
    pub(crate) fn daemon_found(&self, last: Timestamp) -> Option<Timestamp> {
        self.daemon.found.filter(|found| *found > last)
    }

    /// When the daemons were last looked at; `None` while they were not.
    pub(crate) fn looked(&self) -> Option<Timestamp> {
        self.daemon.looked()
    }

    /// Whether no daemon was there at the last look.
    pub(crate) fn has_no_daemon(&self) -> bool {
        self.daemon.is_absent()
    }

    /// Since when the daemon is known not to run although it is there.
    pub(crate) const fn daemon_stopped(&self) -> Option<Timestamp> {
        self.daemon.stopped
    }

    /// Whether a daemon listens to the group of VRRP on a segment; `None` where that is not known.
    pub(crate) fn listens(&self, segment: &Segment, family: Family) -> Option<bool> {
        self.daemon.has_joined(family, |interface| {
            self.places.get(interface) == Some(segment)
        })
    }

    /// Since when nobody on this machine listens to the group of VRRP on a segment; `None` where somebody
    /// does, or that is not known.
    pub(crate) fn unjoined(&self, segment: &Segment, family: Family) -> Option<Timestamp> {
        self.unjoined.get(&(segment.clone(), family)).copied()
    }

    fn note_groups(&mut self, now: Timestamp) {
        let places: BTreeSet<&Segment> = self.places.values().collect();
        let unjoined = places.into_iter().flat_map(|place| {
            [Family::Ipv4, Family::Ipv6]
                .into_iter()
                .filter(|family| self.listens(place, *family) == Some(false))
                .map(|family| (place.clone(), family))
        });
        self.unjoined = unjoined
            .map(|key| {
                let since = self.unjoined.get(&key).copied().unwrap_or(now);
                (key, since)
            })
            .collect();
    }

    /// The interface on which alone a daemon listens to the group on a segment, although it is a port of
    /// a bridge or bond; and the one to which is delivered what arrives there.
    pub(crate) fn misplaced(
        &self,
        segment: &Segment,
        family: Family,
    ) -> Option<(&Arc<str>, &Arc<str>)> {
        let mut joined = self
            .daemon
            .joined(family)
            .filter(|interface| self.places.get(*interface) == Some(segment));
        let (port, bundle) = self.ports.get_key_value(joined.next()?)?;
        joined
            .all(|other| self.ports.contains_key(other))
            .then_some((port, bundle))
    }

    /// Whether a daemon listens to a group of VRRP on an interface.
    pub(crate) fn listens_on(&self, interface: &str) -> bool {
        [Family::Ipv4, Family::Ipv6].into_iter().any(|family| {
            let joined = self.daemon.has_joined(family, |name| **name == *interface);
            joined == Some(true)
        })
    }

    /// What puzzles about a virtual router, if something does.
    pub(crate) fn puzzle(&self, router: RouterId) -> Option<&Puzzle> {
        self.puzzles.get(router)
    }

    /// Takes in what puzzles about a virtual router: the machine is looked at more closely.
    pub(crate) fn set_puzzle(&mut self, router: RouterId, puzzle: Option<Puzzle>, now: Timestamp) {
        self.puzzles.set(router, puzzle, now);
    }

    /// Whether the kernel is to be asked what it drops: something puzzles for which it was not asked
    /// yet.
    pub(crate) fn wants_drops(&mut self) -> bool {
        let runs = self.daemon.is_there() && self.daemon.stopped.is_none();
        self.puzzles.wants_drops(runs)
    }

    /// Whether something puzzles that drops may explain and have not explained yet.
    pub(crate) fn is_puzzled(&self) -> bool {
        self.puzzles.is_open()
    }

    /// Since when the kernel is known to count what it drops of a virtual router that puzzles, and
    /// since when that puzzles.
    pub(crate) fn counted_since(&self, router: RouterId) -> Option<(Option<Timestamp>, Timestamp)> {
        self.puzzles.counted_since(router)
    }

    /// Looks for what puzzles among what the kernel dropped. Returns the virtual routers for which
    /// that is new.
    pub(crate) fn note_drops(
        &mut self,
        dropped: &[Dropped],
        vrid: impl Fn(RouterId) -> Option<Vrid>,
        now: Timestamp,
    ) -> Vec<RouterId> {
        self.puzzles.explain(dropped, vrid, now)
    }

    /// Has the daemons looked at again at this time, or before.
    pub(crate) fn look_at(&mut self, time: Timestamp) {
        self.next_look = Some(self.next_look.map_or(time, |next| next.min(time)));
    }

    /// When [`Machine::seeks_daemon`] has to be asked.
    pub(crate) fn next_due(&self) -> Option<Timestamp> {
        let dues = [
            self.next_look,
            self.pulses.next_due(),
            self.puzzles.next_due(),
        ];
        dues.into_iter().flatten().min()
    }

    /// Whether the daemons are to be looked at: because a look is due, or because a router has begun to
    /// advertise, or has stopped, or something puzzles.
    pub(crate) fn seeks_daemon(&mut self, now: Timestamp) -> bool {
        let asked = self.next_look.take_if(|due| *due <= now).is_some();
        let pulse = self.pulses.pause(now);
        let puzzle = self.puzzles.pause(now);
        asked || pulse || puzzle
    }

    /// Takes in a look at the VRRP daemons that was taken at `time`.
    pub(crate) fn note_daemon(&mut self, look: HostLook, time: Timestamp) {
        self.neighbours.note(&look.neighbours, time);
        self.daemon.note(look, time);
        self.note_groups(time);
        self.next_look = self.next_look.filter(|due| *due > time);
    }
}

#[cfg(test)]
mod tests;
