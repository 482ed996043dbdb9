//! Which senders are known: their frames have a budget of their own in the kernel, so that no flood
//! of others takes their place.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use super::{Observer, Output, Request};
use crate::{
    model::{MacAddr, Span, Timestamp, Vrid},
    tracker::Tracker,
};

/// A sender that is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Known {
    /// A router that advertises a VRID at its pace.
    Router(IpAddr, Vrid),
    /// A machine that is one of these routers, or keeps claiming an address of theirs.
    Machine(MacAddr),
}

/// The senders that are known to the kernel.
#[derive(Debug, Default)]
pub(super) struct Acquaintances {
    known: BTreeMap<Known, Span>,
    looked: Option<Timestamp>,
    /// When to look again, because something was heard since.
    due: Option<Timestamp>,
}

/// How often it is looked who is known, at most.
const PACE: Span = Span::from_millis(200);
/// Routers send so many times as often as they say before it is too much: several machines may share
/// a source, and a takeover brings adverts out of turn.
const LEEWAY: u32 = 4;
/// Frames a second of all known routers together that can be looked at on a weak machine. Who is known
/// already comes first.
const CAPACITY: f64 = 10_000.0;
/// Claims of an address after which a machine is known by them.
const INSISTS: u64 = 3;

impl Observer {
    /// Tells the kernel who is known, if it is time.
    pub(super) fn acquaint(&mut self) {
        if self.acquaintances.due.is_none_or(|due| due > self.now) {
            return;
        }
        self.acquaintances.due = None;
        self.acquaintances.looked = Some(self.now);
        let requests = self.acquaintances.update(&self.world.tracker, self.now);
        self.outputs
            .extend(requests.into_iter().map(Output::Request));
        self.release();
    }
}

impl Acquaintances {
    pub(super) fn has(&self, known: Known) -> bool {
        self.known.contains_key(&known)
    }

    /// Takes in that something was heard: who is known may have changed.
    pub(super) fn note(&mut self, now: Timestamp) {
        let next = self.looked.map_or(now, |looked| looked + PACE);
        self.due.get_or_insert(next.max(now));
    }

    pub(super) const fn due(&self) -> Option<Timestamp> {
        self.due
    }

    /// The clock was set.
    pub(super) const fn begin_anew(&mut self) {
        self.looked = None;
        self.due = None;
    }

    fn update(&mut self, tracker: &Tracker, now: Timestamp) -> Vec<Request> {
        let wanted = candidates(tracker, now);
        let limit = vrrp_ebpf::budget::MAX_KNOWN as usize;
        let (old, new): (Vec<_>, Vec<_>) = wanted
            .into_iter()
            .partition(|(known, _)| self.known.contains_key(known));
        let mut left = CAPACITY;
        let mut chosen = BTreeMap::new();
        for (known, pace) in old.into_iter().chain(new) {
            let rate = match known {
                Known::Router(..) => 1.0 / pace.as_secs_f64().max(0.001),
                Known::Machine(_) => 0.0,
            };
            if chosen.len() < limit && rate <= left {
                left -= rate;
                chosen.insert(known, pace);
            }
        }
        let before = std::mem::replace(&mut self.known, chosen);
        let gone = before
            .keys()
            .filter(|known| !self.known.contains_key(known))
            .map(|known| Request::Disown(*known));
        let come = self
            .known
            .iter()
            .filter(|(known, pace)| before.get(known) != Some(pace))
            .map(|(known, pace)| Request::Know(*known, *pace));
        gone.chain(come).collect()
    }
}

/// Who may be known, and how often he may send.
fn candidates(tracker: &Tracker, now: Timestamp) -> BTreeMap<Known, Span> {
    let mut wanted = BTreeMap::new();
    let mut machines = BTreeSet::new();
    for router in tracker.routers() {
        let real = router
            .speakers()
            .filter(|speaker| speaker.is_established() && now < speaker.outdated_at());
        for speaker in real {
            let pace = speaker.interval() / LEEWAY;
            let known = Known::Router(speaker.source, router.vrid);
            let most = wanted.get(&known).map_or(pace, |before| pace.min(*before));
            wanted.insert(known, most);
            machines.extend(speaker.mac);
            machines.extend(speaker.own_mac);
            machines.insert(router.virtual_mac());
        }
        let insistent = router
            .neighbours()
            .foreign()
            .filter(|(.., claim)| claim.count >= INSISTS);
        machines.extend(insistent.map(|(_, mac, _)| mac));
    }
    wanted.extend(
        machines
            .into_iter()
            .map(|mac| (Known::Machine(mac), Span::ZERO)),
    );
    wanted
}
