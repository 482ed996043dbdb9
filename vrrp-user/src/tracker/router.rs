//! One virtual router: who advertises it, who is active, and what its neighbours are told.

use std::{
    collections::{BTreeMap, BTreeSet, VecDeque},
    net::IpAddr,
};

use super::{
    admission::Claim,
    arrivals::Arrivals,
    index,
    kin::{Kinship, Served},
    neighbours::Neighbours,
    peers::PeerSought,
    segment::Segment,
    speaker::{Speaker, SpeakerId},
    takeover::Takeover,
    timers::{crossing, grace, late_after},
};
use crate::{
    model::{AddressList, Family, MacAddr, Pace, Priority, Span, Timestamp, Vrid},
    record::{Body, Cause},
    sight::Sight,
};

/// Number of a virtual router; never used again after it was forgotten.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RouterId(pub(super) u64);

impl RouterId {
    pub(crate) const FIRST: Self = Self(0);
    pub(crate) const LAST: Self = Self(u64::MAX);
}

/// A virtual router.
#[derive(Clone, Debug)]
pub struct Router {
    pub(super) id: RouterId,
    /// Where it lives.
    pub segment: Segment,
    /// Its address family.
    pub family: Family,
    /// Its VRID.
    pub vrid: Vrid,
    /// The group it advertises to; `None` where it advertises to unicast peers.
    pub group: Option<IpAddr>,
    /// The routers that advertise to each other by unicast.
    pub peers: BTreeSet<IpAddr>,
    pub(super) speakers: BTreeMap<SpeakerId, Speaker>,
    pub(super) next_speaker: u32,
    pub(super) tenure: Option<Tenure>,
    pub(super) takeover: Option<Takeover>,
    pub(super) neighbours: Neighbours,
    /// New connections that arrived at this host for its addresses.
    pub(super) arrivals: BTreeMap<IpAddr, Arrivals>,
    /// Changes of the active router in the last minute, and why.
    pub(super) changes: VecDeque<(Timestamp, Option<Cause>)>,
    pub(super) silent_failover: Option<SilentFailover>,
    pub(super) late_advert: Option<LateAdvert>,
    /// The last packet for this virtual router that was not from its active router: keepalived
    /// starts its timer anew for any, and so adverts later.
    pub(super) noise: Option<Timestamp>,
    /// The last of them that its receivers take.
    pub(super) contended: Option<Timestamp>,
    /// Unicast peers that are asked for.
    pub(super) sought: Vec<PeerSought>,
    /// What is seen of its segment.
    pub(super) sight: Sight,
    /// When ARP or neighbour discovery was lost last.
    pub(super) unheard: Option<Timestamp>,
    pub(super) reports: Vec<(Timestamp, Body)>,
    /// Virtual routers of the segment that share an address with this one.
    pub(super) kin: BTreeMap<RouterId, Kinship>,
    /// What other virtual routers serve while this one has no active router.
    pub(super) served: Served,
    /// The addresses under which the tracker finds it.
    pub(super) indexed: AddressList,
    /// Since when its adverts would have been seen.
    pub(super) watched_since: Timestamp,
    /// How fast it may be looked at because of what neighbours say.
    pub(super) listening: Pace,
    /// How fast it may be indexed anew.
    pub(super) indexing: Pace,
    /// Addresses or routers have come or gone since it was indexed.
    pub(super) stale_index: bool,
    /// Sources of routers that were forgotten since.
    pub(super) evicted: Vec<IpAddr>,
    /// When the last advert came.
    pub(super) heard: Timestamp,
}

/// The time for which a router is active.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Tenure {
    pub(crate) speaker: SpeakerId,
    pub(crate) since: Timestamp,
    /// Its highest priority since then.
    pub(super) best: Priority,
}

/// A router stopped without a word, and another took over.
#[derive(Clone, Copy, Debug)]
pub(crate) struct SilentFailover {
    pub(crate) from: SpeakerId,
    pub(crate) to: SpeakerId,
    pub(crate) last: Timestamp,
    pub(crate) taken: Timestamp,
    pub(crate) until: Timestamp,
}

/// An advert came late.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LateAdvert {
    pub(crate) speaker: SpeakerId,
    pub(crate) previous: Timestamp,
    pub(crate) time: Timestamp,
    pub(crate) interval: Span,
    /// After which silence a backup would have taken over.
    pub(crate) limit: Span,
    /// How many adverts came at once with it, itself included: more than one were delayed.
    pub(crate) at_once: u32,
}

impl LateAdvert {
    /// When all have come that come at once with it.
    pub(crate) fn complete_at(&self) -> Timestamp {
        self.time + crossing(self.interval)
    }

    /// When it is history, because adverts have been on time since.
    pub(crate) fn over(&self) -> Timestamp {
        self.time + self.limit
    }
}

/// Looks at a virtual router because of ARP or neighbour discovery in a second, and at once: of a
/// flood of these each would be looked at for every router that has the address.
const LISTENING: (u32, u32) = (100, 64);

/// Routers of one virtual router that are kept: more than any real one has.
const MAX_SPEAKERS: usize = 16;

impl Router {
    pub(super) fn new(id: RouterId, segment: Segment, claim: &Claim, now: Timestamp) -> Self {
        let multicast = claim.destination.is_multicast();
        let (rate, depth) = LISTENING;
        Self {
            id,
            segment,
            family: Family::of(claim.source),
            vrid: claim.vrid,
            group: multicast.then_some(claim.destination),
            peers: BTreeSet::new(),
            speakers: BTreeMap::new(),
            next_speaker: 0,
            tenure: None,
            takeover: None,
            neighbours: Neighbours::default(),
            arrivals: BTreeMap::new(),
            changes: VecDeque::new(),
            silent_failover: None,
            late_advert: None,
            noise: None,
            contended: None,
            sought: Vec::new(),
            sight: Sight::since(now),
            unheard: None,
            reports: Vec::new(),
            kin: BTreeMap::new(),
            served: Served::default(),
            indexed: AddressList::default(),
            watched_since: now,
            listening: Pace::new(rate, depth),
            indexing: index::pace(),
            stale_index: true,
            evicted: Vec::new(),
            heard: now,
        }
    }

    /// The routers, in the order they were first heard.
    pub fn speakers(&self) -> impl Iterator<Item = &Speaker> {
        self.speakers.values()
    }

    /// The active router: the one that was so last, if none is now.
    pub fn active(&self) -> Option<&Speaker> {
        self.speakers.get(&self.tenure?.speaker)
    }

    /// Since when it has been active.
    pub fn active_since(&self) -> Option<Timestamp> {
        self.tenure.map(|tenure| tenure.since)
    }

    pub(crate) fn speaker(&self, id: SpeakerId) -> Option<&Speaker> {
        self.speakers.get(&id)
    }

    pub(crate) const fn id(&self) -> RouterId {
        self.id
    }

    pub(crate) const fn tenure(&self) -> Option<Tenure> {
        self.tenure
    }

    pub(crate) const fn takeover(&self) -> Option<&Takeover> {
        self.takeover.as_ref()
    }

    pub(crate) const fn neighbours(&self) -> &Neighbours {
        &self.neighbours
    }

    pub(crate) const fn changes(&self) -> &VecDeque<(Timestamp, Option<Cause>)> {
        &self.changes
    }

    pub(crate) const fn silent_failover(&self) -> Option<SilentFailover> {
        self.silent_failover
    }

    pub(crate) const fn late_advert(&self) -> Option<LateAdvert> {
        self.late_advert
    }

    /// The last packet for it that was not from its active router.
    pub(crate) const fn noise(&self) -> Option<Timestamp> {
        self.noise
    }

    pub(crate) const fn kin(&self) -> &BTreeMap<RouterId, Kinship> {
        &self.kin
    }

    /// The addresses of the active router that no other virtual router serves in its place, and
    /// when the first that one serves may be served no longer.
    pub(crate) fn unserved(&self) -> (AddressList, Option<Timestamp>) {
        let addresses = self.active().map(Speaker::list).unwrap_or_default();
        (self.served.rest(&addresses), self.served.until())
    }

    /// Whether other virtual routers serve all addresses of the one that was active last.
    pub(super) fn is_served_elsewhere(&self) -> bool {
        self.served.until().is_some() && self.unserved().0.is_empty()
    }

    /// The active router, if it is alive.
    pub(crate) fn live(&self, now: Timestamp) -> Option<&Speaker> {
        self.active().filter(|speaker| speaker.is_alive(now))
    }

    /// The virtual MAC of this virtual router.
    pub(crate) const fn virtual_mac(&self) -> MacAddr {
        MacAddr::of_virtual_router(self.family, self.vrid)
    }

    /// Whether it has been heard often enough for its silence to mean something.
    pub(crate) fn is_established(&self) -> bool {
        self.speakers.values().any(Speaker::is_established)
    }

    /// Whether all frames since `time` have been seen.
    pub(crate) fn saw_everything_since(&self, time: Timestamp) -> bool {
        self.sight
            .complete_since()
            .is_some_and(|since| since <= time)
    }

    /// Whether all ARP and neighbour discovery since `time` has been seen.
    pub(crate) fn heard_neighbours_since(&self, time: Timestamp) -> bool {
        self.saw_everything_since(time) && self.unheard.is_none_or(|unheard| unheard <= time)
    }

    /// Whether frames are known to have been lost since `time`.
    pub(super) fn lost_since(&self, time: Timestamp) -> bool {
        self.sight
            .complete_since()
            .is_some_and(|since| since > time)
    }

    /// What is seen of its segment.
    pub(crate) const fn sight(&self) -> Sight {
        self.sight
    }

    /// Its segment goes out of sight, comes back, or has lost frames.
    pub(super) fn set_sight(&mut self, sight: Sight, now: Timestamp) {
        let was_open = self.sight.is_open();
        self.sight = sight;
        self.watched_since = sight.complete_since().unwrap_or(now);
        for speaker in self.speakers.values_mut() {
            match (was_open, sight.is_open()) {
                (true, false) => speaker.lose_sight(now),
                (false, true) => speaker.regain_sight(now),
                (true, true) | (false, false) => {}
            }
        }
    }

    /// Since when its adverts would have been seen.
    pub(crate) const fn watched_since(&self) -> Timestamp {
        self.watched_since
    }

    /// Until when what is missing may only have been overlooked: everything is seen again, and a backup
    /// would still wait.
    pub(crate) fn overlooks_until(&self) -> Option<Timestamp> {
        let since = self.sight.complete_since()?;
        let real = self
            .speakers
            .values()
            .filter(|speaker| speaker.is_established());
        let longest = real.map(Speaker::master_down).max().unwrap_or_default();
        Some(since + longest)
    }

    /// Whether a router that advertises at this interval and is heard for the first time may have been
    /// active before there was anything to be seen.
    pub(super) fn may_be_old(&self, interval: Span, now: Timestamp) -> bool {
        now.since(self.watched_since) <= late_after(interval) + grace(interval)
    }

    /// When another router should have taken over from the active one, at the latest; `None` while
    /// there is nothing to take over, or it could not be seen.
    ///
    /// The backups need not be known: their skew is at most one interval (one second in VRRPv2).
    /// FRR sends its first IPv6 advert an interval late.
    pub(crate) fn vacant_at(&self) -> Option<Timestamp> {
        let active = self.active().filter(|active| active.is_proven())?;
        let seen_since = self.sight.complete_since()?;
        let interval = active.interval();
        let lowest = Priority::new(1);
        let skew = super::timers::skew(active.config.version, lowest, interval);
        let late = match self.family {
            Family::Ipv4 => Span::ZERO,
            Family::Ipv6 => interval,
        };
        let since = active.resigned.unwrap_or(active.last);
        let since = since.max(seen_since);
        let wait = match active.resigned {
            Some(_) => skew,
            None => interval * 3 + skew,
        };
        Some(since + wait + late + grace(interval))
    }

    /// The priority of the best backup that is known.
    pub(crate) fn best_backup(&self) -> Option<Priority> {
        let active = self.tenure?.speaker;
        self.speakers
            .values()
            .filter(|speaker| speaker.id != active)
            .map(|speaker| speaker.priority)
            .max()
    }

    /// The virtual addresses that a live router advertises.
    pub(super) fn addresses(&self) -> AddressList {
        let lists = self
            .speakers
            .values()
            .filter_map(|speaker| speaker.config.addresses.as_ref());
        // Nearly always they have the same.
        lists.fold(AddressList::default(), |all, list| {
            if all == *list { all } else { all.union(list) }
        })
    }

    /// The same, as of the last change: cheap to look at.
    pub(crate) const fn advertised(&self) -> &AddressList {
        &self.indexed
    }

    /// Finds the speaker of an advert, or makes it.
    pub(super) fn resolve(&mut self, claim: &Claim, now: Timestamp) -> SpeakerId {
        let mut twins = self
            .speakers
            .values()
            .filter(|speaker| speaker.source == claim.source)
            .map(|speaker| speaker.id);
        match (twins.next(), twins.next()) {
            (None, _) => self.add_speaker(claim, now),
            (Some(only), None) => {
                if self.speaks_for_two(only, claim, now) {
                    self.add_speaker(claim, now)
                } else {
                    only
                }
            }
            (Some(one), Some(other)) => {
                let twins: Vec<SpeakerId> = [one, other].into_iter().chain(twins).collect();
                self.nearest_twin(&twins, claim.priority)
            }
        }
    }

    /// Whether the advert shows that a source address has two machines behind it: two priorities in
    /// turn, each at its own pace. One machine that changes its priority does not change it back
    /// with the next advert, twice.
    fn speaks_for_two(&mut self, id: SpeakerId, claim: &Claim, now: Timestamp) -> bool {
        let Some(speaker) = self.speakers.get_mut(&id) else {
            return false;
        };
        if claim.priority == Priority::RESIGN || claim.priority == speaker.priority {
            if claim.priority == speaker.priority {
                speaker.alternation = super::speaker::Alternation::default();
            }
            return false;
        }
        let in_turn = speaker.alternation.other.is_some_and(|(priority, last)| {
            priority == claim.priority && now.since(last) <= late_after(speaker.interval())
        });
        let turns = if in_turn {
            speaker.alternation.turns + 1
        } else {
            0
        };
        speaker.alternation = super::speaker::Alternation {
            other: Some((speaker.priority, speaker.last)),
            turns,
        };
        turns >= 2
    }

    fn nearest_twin(&self, twins: &[SpeakerId], priority: Priority) -> SpeakerId {
        let speaker = |id: &SpeakerId| &self.speakers[id];
        let active = self.tenure.map(|tenure| tenure.speaker);
        let same = twins.iter().find(|id| speaker(id).priority == priority);
        let resigning = twins
            .iter()
            .find(|id| priority == Priority::RESIGN && active == Some(**id));
        let longest_silent = || twins.iter().min_by_key(|id| speaker(id).last);
        *same
            .or(resigning)
            .or_else(longest_silent)
            .unwrap_or(&twins[0])
    }

    fn add_speaker(&mut self, claim: &Claim, now: Timestamp) -> SpeakerId {
        if self.speakers.len() >= MAX_SPEAKERS {
            let active = self.tenure.map(|tenure| tenure.speaker);
            let oldest = self
                .speakers
                .values()
                .filter(|speaker| Some(speaker.id) != active)
                .min_by_key(|speaker| {
                    let real = speaker.is_established();
                    (real && speaker.contest().is_some(), real, speaker.last)
                })
                .map(|speaker| speaker.id);
            if let Some(oldest) = oldest.and_then(|oldest| self.speakers.remove(&oldest)) {
                self.evicted.push(oldest.source);
            }
        }
        let id = SpeakerId(self.next_speaker);
        self.next_speaker += 1;
        let config = claim.config.clone();
        let speaker = Speaker::new(id, claim.source, claim.priority, config, now);
        self.speakers.insert(id, speaker);
        self.stale_index = true;
        id
    }
}
