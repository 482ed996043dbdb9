//! One router that advertises a virtual router.

use std::{collections::BTreeMap, net::IpAddr};

use super::{
    admission::Config,
    gaps::Gaps,
    senders::Senders,
    timers::{crossing, late_after, master_down},
};
use crate::{
    model::{AddressList, MacAddr, Priority, Span, Timestamp, Version},
    record::Cause,
    wire::Checksum,
};

/// Number of a speaker within its virtual router.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct SpeakerId(pub(super) u32);

/// A router, as its adverts show it.
///
/// Two machines may share a source address (FRR does so over IPv6): they are told apart by their
/// priorities once both are heard at the same time.
#[derive(Clone, Debug)]
pub struct Speaker {
    pub(super) id: SpeakerId,
    /// Source address.
    pub source: IpAddr,
    /// MAC of its adverts.
    pub mac: Option<MacAddr>,
    /// All that they come from.
    pub(super) senders: Senders,
    /// MAC that its source address has by ARP or neighbour discovery; tells machines apart where
    /// adverts carry a virtual MAC.
    pub own_mac: Option<MacAddr>,
    /// Priority of its last advert that was no resignation.
    pub priority: Priority,
    /// Its `Master_Down_Interval`: nearly all that is asked of it depends on this.
    down: Span,
    /// What the others have to agree with.
    pub config: Config,
    /// Its first advert.
    pub first: Timestamp,
    /// Its last advert.
    pub last: Timestamp,
    /// Since when it would have been heard and was not.
    silence: Silence,
    /// How many it has sent.
    pub adverts: u64,
    /// When it resigned, if it did so last.
    pub resigned: Option<Timestamp>,
    /// How regular its adverts are.
    pub gaps: Gaps,
    /// Whether it has ever been active.
    pub has_been_active: bool,
    /// It resigned while another router was active, and so leaves nothing behind.
    pub(super) left: bool,
    /// It lost its role without having yielded or resigned: when it comes back it may never have
    /// known, and has no reason to announce the addresses.
    pub(super) lost_silently: bool,
    /// The last advert that was clearly before `last`.
    pub(super) before: Option<Timestamp>,
    /// When it was last heard by each of its destinations.
    pub(super) heard_by: BTreeMap<IpAddr, Timestamp>,
    /// Its last ARP or neighbour discovery for one of the virtual addresses.
    pub(super) last_claim: Option<Timestamp>,
    pub(super) contest: Option<Contest>,
    pub(super) alternation: Alternation,
}

/// Since when a router would have been heard and was not.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Silence {
    /// Its last advert, or when its place came back into sight.
    Since(Timestamp),
    /// It was alive when its place went out of sight, which it still is.
    Unseen,
}

/// Evidence that a router stays active beside the active one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Contest {
    /// When it should have yielded first.
    pub(crate) since: Timestamp,
    /// The last time it did not.
    pub(crate) last: Option<Timestamp>,
    /// The active router dropped its last advert.
    pub(crate) dropped: bool,
    /// Adverts it has sent at its pace since although it should have heard the active router.
    pub(crate) defiances: u32,
}

/// Two priorities in turn from one source are two machines.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Alternation {
    /// The other priority, and when it was last advertised.
    pub(super) other: Option<(Priority, Timestamp)>,
    pub(super) turns: u8,
}

/// Destinations of unicast adverts that are kept for a speaker.
const MAX_DESTINATIONS: usize = 64;

impl Speaker {
    pub(super) fn new(
        id: SpeakerId,
        source: IpAddr,
        priority: Priority,
        config: Config,
        now: Timestamp,
    ) -> Self {
        Self {
            id,
            source,
            mac: None,
            senders: Senders::default(),
            own_mac: None,
            priority,
            down: master_down(config.version, priority, config.interval.span()),
            config,
            first: now,
            last: now,
            silence: Silence::Since(now),
            adverts: 0,
            resigned: None,
            gaps: Gaps::default(),
            has_been_active: false,
            left: false,
            lost_silently: false,
            before: None,
            heard_by: BTreeMap::new(),
            last_claim: None,
            contest: None,
            alternation: Alternation::default(),
        }
    }

    pub(crate) const fn id(&self) -> SpeakerId {
        self.id
    }

    /// Whether it was seen to claim one of the virtual addresses.
    pub(crate) const fn has_claimed(&self) -> bool {
        self.last_claim.is_some()
    }

    /// When it was last seen to claim one of the virtual addresses.
    pub(crate) const fn last_claim(&self) -> Option<Timestamp> {
        self.last_claim
    }

    /// From which MACs its adverts come.
    pub(crate) const fn senders(&self) -> &Senders {
        &self.senders
    }

    /// Its advertisement interval.
    pub fn interval(&self) -> Span {
        self.config.interval.span()
    }

    /// Its own `Master_Down_Interval`.
    pub const fn master_down(&self) -> Span {
        self.down
    }

    /// Takes in what its last advert said of its priority.
    pub(super) fn set_priority(&mut self, priority: Priority) {
        self.priority = priority;
        self.down = master_down(self.config.version, priority, self.interval());
    }

    /// The addresses of its last advert that was captured whole.
    pub fn addresses(&self) -> impl Iterator<Item = IpAddr> {
        self.config.addresses.iter().flatten()
    }

    /// The same as a list.
    pub(crate) fn list(&self) -> AddressList {
        self.config.addresses.clone().unwrap_or_default()
    }

    /// It has sent adverts at its pace, so that its silence means something: single packets may be
    /// mistakes, or made up.
    pub(crate) fn is_established(&self) -> bool {
        self.gaps.regular() > 0
    }

    /// It has done so for long enough to raise an alarm by falling silent.
    pub(crate) fn is_proven(&self) -> bool {
        self.gaps.regular() > 1
    }

    /// It has been heard of recently, and has not resigned.
    pub(crate) fn is_alive(&self, now: Timestamp) -> bool {
        self.resigned.is_none() && now < self.dead_at()
    }

    /// When its silence has others take over.
    pub(crate) fn dead_at(&self) -> Timestamp {
        match self.silence {
            Silence::Since(time) => time + self.master_down(),
            Silence::Unseen => Timestamp::from_nanos(u64::MAX),
        }
    }

    /// Since when it would have been heard and was not: its last advert, or when its place came back
    /// into sight.
    pub(super) const fn silent_since(&self) -> Timestamp {
        match self.silence {
            Silence::Since(time) => time,
            Silence::Unseen => self.last,
        }
    }

    /// Its place goes out of sight: what is not seen does not die.
    pub(super) fn lose_sight(&mut self, now: Timestamp) {
        if self.is_alive(now) {
            self.silence = Silence::Unseen;
        }
    }

    /// Its place is seen again: its timers start anew, as at the start of a capture.
    pub(super) fn regain_sight(&mut self, now: Timestamp) {
        if self.silence == Silence::Unseen {
            self.silence = Silence::Since(now);
            self.before = None;
            self.heard_by.clear();
        }
    }

    /// It shows that it goes on, though it cannot advertise.
    pub(super) fn show_life(&mut self, now: Timestamp) {
        if self.resigned.is_none() && self.is_alive(now) {
            self.silence = Silence::Since(now);
        }
    }

    /// Whether its last advert was heard before its place went out of sight for a time.
    pub(super) fn was_out_of_sight(&self) -> bool {
        self.silent_since() > self.last
    }

    /// When it is taken for gone, because nothing has been seen of it, even if another
    /// router keeps it from advertising.
    pub(crate) fn gone_at(&self) -> Timestamp {
        self.silent_since().max_of(self.last_claim) + self.master_down() * 10
    }

    /// When what its last advert said is no longer worth comparing with.
    pub(crate) fn outdated_at(&self) -> Timestamp {
        let span = if self.left { 1 } else { 10 };
        self.silent_since() + self.master_down() * span
    }

    pub(crate) fn contest(&self) -> Option<Contest> {
        self.contest.filter(|_| self.resigned.is_none())
    }

    /// Which of two routers stays active when both are: RFC 9568 section 6.4.3.
    pub(super) fn beats(&self, other: &Self) -> bool {
        (self.priority, self.source) > (other.priority, other.source)
    }

    pub(super) fn is_overdue(&self, now: Timestamp) -> bool {
        now.since(self.silent_since()) > late_after(self.interval())
    }

    /// The last of its adverts that another router must have dealt with by `now`.
    pub(super) fn heeded(&self, now: Timestamp) -> Option<Timestamp> {
        if now.since(self.last) > crossing(self.interval()) {
            Some(self.last)
        } else {
            self.before
        }
    }

    /// Takes an advert in; returns the time since the one before to the same destination.
    pub(super) fn hear(
        &mut self,
        destination: IpAddr,
        mac: Option<MacAddr>,
        config: &Config,
        now: Timestamp,
    ) -> Option<Span> {
        if self.adverts > 0 && now.since(self.last) > crossing(self.interval()) {
            self.before = Some(self.last);
        }
        self.last = now;
        self.silence = Silence::Since(now);
        self.adverts += 1;
        self.mac = mac.or(self.mac);
        if let Some(mac) = mac {
            self.senders.note(mac, now);
        }
        if self.config != *config {
            let before = self.config.addresses.take();
            self.config = config.clone();
            let addresses = &mut self.config.addresses;
            *addresses = addresses.take().or(before);
            self.set_priority(self.priority);
        }
        if self.heard_by.len() >= MAX_DESTINATIONS && !self.heard_by.contains_key(&destination) {
            self.heard_by.clear();
        }
        let gap = self
            .heard_by
            .insert(destination, now)
            .map(|last| now.since(last));
        if let Some(gap) = gap {
            self.gaps.record(gap, self.interval());
        }
        gap
    }

    /// Why this router drops the adverts of another, as far as adverts tell; `None` if it takes
    /// them.
    pub(crate) fn rejects(&self, other: &Self) -> Option<Cause> {
        let (mine, theirs) = (&self.config, &other.config);
        if mine.version != theirs.version {
            Some(Cause::VersionMismatch)
        } else if auth_differs(mine, theirs) {
            Some(Cause::AuthMismatch)
        } else if mine.version == Version::V2 && mine.interval != theirs.interval {
            Some(Cause::IntervalMismatch)
        } else if self.priority == Priority::OWNER && other.priority == Priority::OWNER {
            Some(Cause::OwnerConflict)
        } else if checksum_clash(mine, theirs).is_some() {
            Some(Cause::ChecksumVariant)
        } else if theirs.misdirected.is_some() {
            Some(Cause::WrongDestinationMac)
        } else if addresses_differ(mine, theirs) {
            // keepalived up to 2.3.2; later versions and FRR only log it.
            Some(Cause::AddressListMismatch)
        } else {
            None
        }
    }

    /// Whether the reason for which it rejects the adverts of another leaves no doubt. That differing
    /// address lists are dropped is true of keepalived up to 2.3.2 only, and of the checksums for
    /// unicast peers a setting decides: there, something else has to show it.
    pub(crate) fn rejects_for_sure(&self, other: &Self) -> bool {
        match self.rejects(other) {
            // Who hears all multicast takes it all the same.
            None | Some(Cause::AddressListMismatch | Cause::WrongDestinationMac) => false,
            Some(Cause::ChecksumVariant) => {
                checksum_clash(&self.config, &other.config) == Some(Clash::Sure)
            }
            Some(_) => true,
        }
    }

    /// Whether this router drops the adverts of another while it stays active itself. Of two owners
    /// keepalived lets one step back.
    pub(crate) fn persists_against(&self, other: &Self) -> bool {
        self.rejects(other)
            .is_some_and(|cause| cause != Cause::OwnerConflict)
    }

    /// Whether the two serve the same addresses at least in part.
    pub(crate) fn shares_address(&self, other: &Self) -> bool {
        let (Some(mine), Some(theirs)) = (&self.config.addresses, &other.config.addresses) else {
            return true;
        };
        mine.is_empty() || theirs.is_empty() || !mine.is_disjoint(theirs)
    }
}

/// Whether two routers authenticate differently, where both are known.
pub(crate) fn auth_differs(one: &Config, other: &Config) -> bool {
    use super::admission::AuthTag::Unseen;
    one.auth != Unseen && other.auth != Unseen && one.auth != other.auth
}

/// Whether a router drops the checksums of another.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Clash {
    Sure,
    /// keepalived takes what its first versions sent to unicast peers and follows suit, unless it
    /// has `old_unicast_checksum` set, to `never` or to do so always.
    BySetting,
}

fn checksum_clash(mine: &Config, theirs: &Config) -> Option<Clash> {
    use Checksum::{Ok, OkMulticastPseudoHeader, OkNoPseudoHeader};
    match (mine.checksum?, theirs.checksum?) {
        // The reverse is taken: keepalived with v3_checksum_as_v2 accepts any.
        (Ok, OkNoPseudoHeader) => Some(Clash::Sure),
        (Ok | OkMulticastPseudoHeader, Ok | OkMulticastPseudoHeader)
            if mine.checksum != theirs.checksum =>
        {
            Some(Clash::BySetting)
        }
        _ => None,
    }
}

/// Whether two routers advertise different addresses, where both are known.
pub(crate) fn addresses_differ(one: &Config, other: &Config) -> bool {
    matches!((&one.addresses, &other.addresses), (Some(one), Some(other)) if one != other)
}

trait MaxOf {
    fn max_of(self, other: Option<Self>) -> Self
    where
        Self: Sized;
}

impl MaxOf for Timestamp {
    fn max_of(self, other: Option<Self>) -> Self {
        other.map_or(self, |other| self.max(other))
    }
}
