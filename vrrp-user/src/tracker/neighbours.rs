//! What ARP and neighbour discovery say of the virtual addresses: who announces them, and who
//! claims them without being the active router.

use std::{
    collections::{BTreeMap, BTreeSet},
    net::IpAddr,
};

use super::{probed::Probed, router::Router, speaker::SpeakerId};
use crate::model::{AddressList, MacAddr, Span, Timestamp};

/// Somebody says that an address is at a MAC.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Saying {
    pub(crate) address: IpAddr,
    pub(crate) mac: MacAddr,
    pub(crate) how: How,
    /// This host says so.
    pub(crate) own: bool,
}

/// In what way somebody says so.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// To all, unasked.
    Announcing,
    /// When asked.
    Replying,
    /// By the way, as the sender of a question.
    Asking,
}

/// What was said about the addresses of one virtual router.
#[derive(Clone, Debug, Default)]
pub(crate) struct Neighbours {
    /// Addresses that were spoken of: they are used on this segment.
    pub(super) spoken_of: BTreeSet<IpAddr>,
    /// The last announcement of each address.
    pub(super) announcements: BTreeMap<IpAddr, Announcement>,
    /// Who announced each address last, whoever that is.
    pub(super) announcers: BTreeMap<IpAddr, (Timestamp, MacAddr)>,
    /// Claims of those who should not have the address.
    pub(super) foreign: BTreeMap<(IpAddr, MacAddr), Foreign>,
    /// The last claim ended because there was no sign of it any more, and not because somebody else
    /// answered in its place.
    lapsed: bool,
    /// Questions for addresses that have foreign claims.
    pub(super) asked: BTreeMap<IpAddr, Asked>,
    /// The active router uses its own MAC for an address although it advertises with the virtual
    /// one.
    pub(super) mixed: Option<Mixed>,
    /// MACs that answer for the routers' own addresses as well.
    pub(super) proxies: BTreeSet<MacAddr>,
    /// What came of asking for each address.
    pub(super) probed: BTreeMap<IpAddr, Probed>,
    /// When somebody last answered for each address, whoever it was.
    pub(super) answered: BTreeMap<IpAddr, Timestamp>,
    /// Who asked last whether an address is free.
    pub(super) probing: BTreeMap<IpAddr, (Timestamp, MacAddr)>,
    /// Who was told that it is not, and by whom.
    pub(super) denied: BTreeMap<IpAddr, Denied>,
}

/// Duplicate address detection has found another holder.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Denied {
    pub(crate) time: Timestamp,
    /// Who wanted the address.
    pub(crate) mac: MacAddr,
    /// Who has it.
    pub(crate) holder: MacAddr,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Announcement {
    pub(crate) time: Timestamp,
    pub(crate) mac: MacAddr,
    /// Whose MAC it is; `None` for the virtual MAC, which is everybody's.
    pub(crate) speaker: Option<SpeakerId>,
    /// The last announcement by the active router since it became so.
    pub(crate) in_tenure: Option<Timestamp>,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Foreign {
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    pub(crate) count: u64,
    /// How often it came unasked.
    pub(crate) announced: u64,
    /// The most announcements that came within [`VOLLEY`].
    pub(crate) volley: u64,
    /// Since when the last ones came, and how many.
    pub(crate) recent: (Timestamp, u64),
    /// Which of the routers it is.
    pub(crate) speaker: Option<SpeakerId>,
    /// It is this host.
    pub(crate) own: bool,
}

#[derive(Clone, Copy, Debug)]
pub(super) struct Asked {
    pub(super) time: Timestamp,
    pub(super) answered: bool,
}

#[derive(Clone, Copy, Debug)]
pub(crate) struct Mixed {
    pub(crate) time: Timestamp,
    pub(crate) address: IpAddr,
    pub(crate) mac: MacAddr,
}

/// Foreign claims that are kept for a virtual router.
const MAX_FOREIGN: usize = 32;
const MAX_PROXIES: usize = 16;
/// A claim that is not repeated for this time has ended; nobody may have asked in between.
pub(crate) const CLAIM_LIFETIME: Span = Span::from_mins(1);
/// Whoever asks whether an address is free waits this long for a no (RFC 4862: RetransTimer, 1 s by
/// default, after the last of its questions).
const DAD_WINDOW: Span = Span::from_millis(1100);
/// What comes within this time belongs together: keepalived sends its announcements within
/// milliseconds, or `vrrp_garp_interval` apart, a fraction of a second.
pub(crate) const VOLLEY: Span = Span::from_secs(1);
/// Within this time a question is answered, by proxies as well, which wait up to 0.8 s.
const ANSWER_WINDOW: Span = Span::from_millis(1500);

impl Neighbours {
    /// Whether any address was announced.
    pub(crate) fn has_announcements(&self) -> bool {
        !self.announcements.is_empty()
    }

    pub(crate) fn announcement(&self, address: IpAddr) -> Option<Announcement> {
        self.announcements.get(&address).copied()
    }

    /// When an address was announced last, and with which MAC.
    pub(crate) fn announcer(&self, address: IpAddr) -> Option<(Timestamp, MacAddr)> {
        self.announcers.get(&address).copied()
    }

    /// When it was last announced, by whomever.
    pub(crate) fn last_announced(&self, address: IpAddr) -> Option<Timestamp> {
        self.announcers.get(&address).map(|(time, _)| *time)
    }

    pub(crate) fn was_spoken_of(&self, address: IpAddr) -> bool {
        self.spoken_of.contains(&address)
    }

    pub(crate) fn foreign(&self) -> impl Iterator<Item = (IpAddr, MacAddr, Foreign)> {
        self.foreign
            .iter()
            .map(|((address, mac), foreign)| (*address, *mac, *foreign))
    }

    pub(crate) const fn mixed(&self) -> Option<Mixed> {
        self.mixed
    }

    pub(crate) fn is_proxy(&self, mac: MacAddr) -> bool {
        self.proxies.contains(&mac)
    }

    /// Who wanted an address and was told that another machine has it.
    pub(crate) fn denied(&self) -> impl Iterator<Item = (IpAddr, Denied)> {
        self.denied
            .iter()
            .map(|(address, denied)| (*address, *denied))
    }

    pub(crate) fn probed(&self) -> impl Iterator<Item = (IpAddr, &Probed)> {
        self.probed
            .iter()
            .map(|(address, probed)| (*address, probed))
    }

    pub(super) fn last_announcement(&self, speaker: SpeakerId) -> Option<Timestamp> {
        self.announcements
            .values()
            .filter(|announcement| announcement.speaker.is_none_or(|other| other == speaker))
            .filter_map(|announcement| announcement.in_tenure)
            .max()
    }

    /// Forgets what concerns addresses that are no longer advertised.
    pub(super) fn retain(&mut self, addresses: &AddressList) {
        self.spoken_of.retain(|address| addresses.has(*address));
        self.announcements
            .retain(|address, _| addresses.has(*address));
        self.announcers.retain(|address, _| addresses.has(*address));
        self.foreign
            .retain(|(address, _), _| addresses.has(*address));
        self.asked.retain(|address, _| addresses.has(*address));
        self.probed.retain(|address, _| addresses.has(*address));
        self.answered.retain(|address, _| addresses.has(*address));
        self.probing.retain(|address, _| addresses.has(*address));
        self.denied.retain(|address, _| addresses.has(*address));
    }

    /// Takes in that somebody says that an address is at its MAC, after another asked whether it is free.
    fn settle_probe(&mut self, address: IpAddr, holder: MacAddr, now: Timestamp) {
        // Who says that it has the address can use it after all.
        if self.denied.get(&address).is_some_and(|it| it.mac == holder) {
            self.denied.remove(&address);
        }
        if let Some((asked, mac)) = self.probing.get(&address).copied()
            && mac != holder
            && now.since(asked) <= DAD_WINDOW
        {
            let denied = Denied {
                time: now,
                mac,
                holder,
            };
            self.denied.insert(address, denied);
        }
    }

    /// Whether the last claim ended for want of signs alone.
    pub(crate) const fn has_lapsed(&self) -> bool {
        self.lapsed
    }

    /// Forgets claims that are known to be over.
    fn forget_claims(&mut self, over: impl Fn(&(IpAddr, MacAddr), &Foreign) -> bool) {
        let before = self.foreign.len();
        self.foreign.retain(|key, claim| !over(key, claim));
        if self.foreign.len() < before {
            self.lapsed = false;
        }
    }

    /// Forgets the claims of a machine that advertises: from now on it is judged by its adverts.
    pub(super) fn supersede(&mut self, mac: MacAddr) {
        self.forget_claims(|(_, claimant), _| *claimant == mac);
    }

    /// `unheard`: when messages were lost last.
    pub(super) fn tick(&mut self, unheard: Option<Timestamp>, now: Timestamp) {
        let done: Vec<(IpAddr, Asked)> = self
            .asked
            .iter()
            .filter(|(_, asked)| asked.time + ANSWER_WINDOW <= now)
            .map(|(address, asked)| (*address, *asked))
            .collect();
        for (address, asked) in done {
            self.asked.remove(&address);
            if asked.answered && unheard.is_none_or(|unheard| unheard < asked.time) {
                // Had it still been there, it would have answered as well.
                self.forget_claims(|(other, _), claim| {
                    *other == address && claim.last < asked.time
                });
            }
        }
        let before = self.foreign.len();
        self.foreign
            .retain(|_, claim| claim.last + CLAIM_LIFETIME > now);
        self.lapsed |= self.foreign.len() < before;
        if self
            .mixed
            .is_some_and(|mixed| mixed.time + CLAIM_LIFETIME <= now)
        {
            self.mixed = None;
        }
    }

    pub(super) fn deadlines(&self) -> impl Iterator<Item = Timestamp> {
        let asked = self.asked.values().map(|asked| asked.time + ANSWER_WINDOW);
        let foreign = self
            .foreign
            .values()
            .map(|claim| claim.last + CLAIM_LIFETIME);
        let mixed = self.mixed.map(|mixed| mixed.time + CLAIM_LIFETIME);
        asked.chain(foreign).chain(mixed)
    }
}

impl Router {
    /// Whose MAC it is, of the routers that advertise.
    pub(crate) fn owner(&self, mac: MacAddr) -> Option<SpeakerId> {
        if mac.virtual_router().is_some() {
            return None;
        }
        let active = self.tenure.map(|tenure| tenure.speaker);
        self.speakers
            .values()
            .filter(|speaker| speaker.mac == Some(mac) || speaker.own_mac == Some(mac))
            .max_by_key(|speaker| (Some(speaker.id) == active, speaker.last))
            .map(|speaker| speaker.id)
    }

    /// Of those who share a virtual MAC, the one whose advert this follows.
    fn last_heard_with(&self, mac: MacAddr, now: Timestamp) -> Option<SpeakerId> {
        self.speakers
            .values()
            .filter(|speaker| speaker.mac == Some(mac))
            .max_by_key(|speaker| speaker.last)
            .filter(|speaker| now.since(speaker.last) <= Span::from_millis(500))
            .map(|speaker| speaker.id)
    }

    /// Takes in that somebody asks for one of the addresses.
    pub(super) fn hear_question(&mut self, address: IpAddr, now: Timestamp) {
        self.neighbours.spoken_of.insert(address);
        let disputed = self
            .neighbours
            .foreign
            .keys()
            .any(|(other, _)| *other == address);
        if disputed {
            self.neighbours.asked.entry(address).or_insert(Asked {
                time: now,
                answered: false,
            });
        }
    }

    /// Takes in that somebody asks whether one of the addresses is free, to use it then.
    pub(super) fn hear_probe(&mut self, address: IpAddr, mac: MacAddr, now: Timestamp) {
        self.neighbours.probing.insert(address, (now, mac));
    }

    /// Learns the MAC of a router's own address. Returns false if the MAC is not its own.
    pub(super) fn learn_mac(&mut self, saying: Saying) {
        let speakers = self
            .speakers
            .values_mut()
            .filter(|speaker| speaker.source == saying.address);
        for speaker in speakers {
            let real = speaker.mac.filter(|mac| mac.virtual_router().is_none());
            let known = real.or(speaker.own_mac);
            let own_word = saying.how != How::Replying;
            if known.is_none() || (real.is_none() && own_word) {
                speaker.own_mac = Some(saying.mac);
            } else if known != Some(saying.mac)
                && saying.how == How::Replying
                && self.neighbours.proxies.len() < MAX_PROXIES
            {
                self.neighbours.proxies.insert(saying.mac);
            }
        }
    }

    /// Takes in what somebody says of one of the addresses. `shared`: the MAC belongs to another
    /// virtual router that advertises the address too.
    pub(super) fn hear(&mut self, saying: Saying, shared: bool, now: Timestamp) {
        let Saying {
            address,
            mac,
            how,
            own,
        } = saying;
        self.neighbours.spoken_of.insert(address);
        if how == How::Replying && !self.neighbours.is_proxy(mac) {
            self.neighbours.answered.insert(address, now);
        }
        if address.is_ipv6() && how != How::Asking {
            self.neighbours.settle_probe(address, mac, now);
        }
        let virtual_mac = mac == self.virtual_mac();
        let owner = self.owner(mac);
        let claimant = owner.or_else(|| self.last_heard_with(mac, now));
        if let Some(claimant) = claimant.and_then(|id| self.speakers.get_mut(&id)) {
            claimant.last_claim = Some(now);
        }
        let active = self.tenure.map(|tenure| tenure.speaker);
        let rightful = virtual_mac || (owner.is_some() && owner == active);
        if how == How::Announcing {
            self.neighbours.announcers.insert(address, (now, mac));
        }
        if how == How::Announcing && (virtual_mac || owner.is_some()) {
            let credited = rightful && self.is_announcing(owner, now);
            self.note_announcement(address, mac, owner, credited, now);
        }
        if rightful {
            if let Some(asked) = self.neighbours.asked.get_mut(&address) {
                asked.answered = true;
            }
            if how == How::Replying && self.is_asking(address) {
                self.note_converged(now);
            }
            self.note_mixed_mac(saying, now);
            return;
        }
        let virtual_mode = self
            .active()
            .and_then(|active| active.mac)
            .is_some_and(|mac| mac.virtual_router().is_some());
        let entitled = owner
            .and_then(|owner| self.speakers.get(&owner))
            .is_some_and(|speaker| self.may_be_active(speaker, now));
        if shared || entitled || (virtual_mode && how == How::Asking) {
            return;
        }
        if self.live(now).is_some() {
            self.note_foreign(saying, owner, own, now);
        }
    }

    /// Whether what is announced with a MAC of the active router is its own announcement, and not
    /// that of one which is about to take over.
    fn is_announcing(&self, owner: Option<SpeakerId>, now: Timestamp) -> bool {
        self.active().is_some_and(|active| {
            active.resigned.is_none() && (owner.is_some() || !active.is_overdue(now))
        })
    }

    fn note_announcement(
        &mut self,
        address: IpAddr,
        mac: MacAddr,
        owner: Option<SpeakerId>,
        credited: bool,
        now: Timestamp,
    ) {
        let before = self.neighbours.announcements.get(&address);
        let in_tenure = before.and_then(|before| before.in_tenure);
        let announcement = Announcement {
            time: now,
            mac,
            speaker: owner,
            in_tenure: if credited { Some(now) } else { in_tenure },
        };
        self.neighbours.announcements.insert(address, announcement);
        if credited && let Some(takeover) = &mut self.takeover {
            takeover.announced.entry(address).or_insert((0, now)).0 += 1;
        }
    }

    /// keepalived's `use_vmac` asks with the MAC of the interface, but announces and answers with
    /// the virtual one, as its adverts have it.
    fn note_mixed_mac(&mut self, saying: Saying, now: Timestamp) {
        let virtual_adverts =
            self.active().and_then(|active| active.mac) == Some(self.virtual_mac());
        if virtual_adverts && saying.mac != self.virtual_mac() && saying.how != How::Asking {
            self.neighbours.mixed = Some(Mixed {
                time: now,
                address: saying.address,
                mac: saying.mac,
            });
        }
    }

    fn note_foreign(
        &mut self,
        saying: Saying,
        owner: Option<SpeakerId>,
        own: bool,
        now: Timestamp,
    ) {
        let key = (saying.address, saying.mac);
        let foreign = &mut self.neighbours.foreign;
        if foreign.len() >= MAX_FOREIGN && !foreign.contains_key(&key) {
            // Who was heard once goes before who keeps claiming.
            let least = foreign
                .iter()
                .min_by_key(|(_, claim)| (claim.count, claim.last))
                .map(|(key, _)| *key);
            if let Some(least) = least {
                foreign.remove(&least);
            }
        }
        self.neighbours.lapsed = false;
        let foreign = &mut self.neighbours.foreign;
        let claim = foreign.entry(key).or_insert(Foreign {
            first: now,
            last: now,
            count: 0,
            announced: 0,
            volley: 0,
            recent: (now, 0),
            speaker: owner,
            own,
        });
        claim.last = now;
        claim.count += 1;
        if saying.how == How::Announcing {
            claim.announced += 1;
            let (since, count) = claim.recent;
            claim.recent = if now.since(since) <= VOLLEY {
                (since, count + 1)
            } else {
                (now, 1)
            };
            claim.volley = claim.volley.max(claim.recent.1);
        }
        claim.speaker = owner;
        claim.own |= own;
    }
}
