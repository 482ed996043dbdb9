//! Unicast peers that do not answer.
//!
//! A router that advertises to a unicast peer can send nothing while its kernel cannot resolve the
//! peer's address: its adverts stop, and in their place stand questions for the peer, about one a
//! second. They show that the router goes on.

use std::net::IpAddr;

use super::{Router, RouterId, Segment, Tracker};
use crate::model::{Span, Timestamp};

/// Questions of a router for one of its peers that were not answered.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PeerSought {
    pub(crate) router: IpAddr,
    pub(crate) peer: IpAddr,
    pub(crate) first: Timestamp,
    pub(crate) last: Timestamp,
    pub(crate) count: u32,
}

/// One question may cross its answer, or be about something else.
const UNANSWERED: u32 = 3;
/// Linux asks again after 1 s, and gives up for the time of one packet after three questions
/// (arp(7): `retrans_time`, `mcast_solicit`).
const AGAIN_WITHIN: Span = Span::from_secs(4);
/// Pairs of a router and a peer that are kept.
const MAX_SOUGHT: usize = 16;

impl PeerSought {
    /// Whether the peer is sought in vain at `now`.
    pub(crate) fn in_vain(&self, now: Timestamp) -> bool {
        self.count >= UNANSWERED && now < self.over_at()
    }

    /// Whether what is to be sent to the peer waits for its answer.
    pub(crate) fn holds_back(&self, now: Timestamp) -> bool {
        self.count >= 2 && now < self.over_at()
    }

    /// When no question for it has come for a time in which one would have.
    pub(crate) fn over_at(&self) -> Timestamp {
        self.last + AGAIN_WITHIN
    }
}

impl Tracker {
    /// Takes in that a machine asks for another. Returns the virtual routers in which the two are
    /// unicast peers.
    pub(crate) fn seek_peer(
        &mut self,
        segment: &Segment,
        router: IpAddr,
        peer: IpAddr,
        now: Timestamp,
    ) -> Vec<RouterId> {
        let key = (segment.clone(), router);
        let ids = self.sources.get(&key).into_iter().flatten().copied();
        let ids: Vec<RouterId> = ids.collect();
        ids.into_iter()
            .filter(|id| {
                let found = self.routers.get_mut(id);
                found.is_some_and(|found| found.seek_peer(router, peer, now))
            })
            .collect()
    }

    /// Takes in that a machine answers or advertises: it is not sought in vain. Returns the virtual
    /// routers that this concerns.
    pub(crate) fn find_peer(&mut self, segment: &Segment, peer: IpAddr) -> Vec<RouterId> {
        let key = (segment.clone(), peer);
        let ids = self.sources.get(&key).into_iter().flatten().copied();
        let ids: Vec<RouterId> = ids.collect();
        ids.into_iter()
            .filter(|id| {
                self.routers.get_mut(id).is_some_and(|router| {
                    let before = router.sought.len();
                    router.sought.retain(|sought| sought.peer != peer);
                    router.sought.len() < before
                })
            })
            .collect()
    }
}

impl Router {
    /// The peers that are sought, and by whom.
    pub(crate) fn sought(&self) -> &[PeerSought] {
        &self.sought
    }

    fn seek_peer(&mut self, router: IpAddr, peer: IpAddr, now: Timestamp) -> bool {
        if router == peer || !self.peers.contains(&peer) {
            return false;
        }
        let known = self
            .sought
            .iter()
            .position(|sought| sought.router == router && sought.peer == peer);
        let position = match known {
            Some(position) => position,
            None if self.sought.len() < MAX_SOUGHT => {
                self.sought.push(PeerSought {
                    router,
                    peer,
                    first: now,
                    last: now,
                    count: 0,
                });
                self.sought.len() - 1
            }
            None => return false,
        };
        let Some(sought) = self.sought.get_mut(position) else {
            return false;
        };
        if now >= sought.over_at() {
            (sought.first, sought.count) = (now, 0);
        }
        sought.count = sought.count.saturating_add(1);
        sought.last = now;
        if sought.count >= 2 {
            // It has an advert to send each time.
            for speaker in self.speakers.values_mut() {
                if speaker.source == router {
                    speaker.show_life(now);
                }
            }
        }
        true
    }
}
