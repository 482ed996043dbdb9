//! Which virtual router an advert belongs to.

use std::net::IpAddr;

use super::{Forgotten, Router, RouterId, Segment, Speaker, Tracker, admission::Claim};
use crate::model::Timestamp;

/// Adverts of one virtual router to a peer of another: evidence that the two are one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Bridge {
    source: IpAddr,
    last: Timestamp,
    count: u32,
}

/// Adverts at their pace that show it. A single one may be a mistake, or made up.
const ENOUGH: u32 = 3;

impl Tracker {
    /// The virtual router of an advert. One by unicast is that of either peer; where adverts show
    /// again and again that two are one, the later is given up.
    pub(super) fn find(
        &mut self,
        segment: &Segment,
        claim: &Claim,
        forgotten: &mut Vec<Forgotten>,
        now: Timestamp,
    ) -> Option<RouterId> {
        let member = |address| (segment.clone(), claim.vrid, address);
        let by_destination = self.members.get(&member(claim.destination)).copied();
        if claim.destination.is_multicast() {
            return by_destination;
        }
        let by_source = self.members.get(&member(claim.source)).copied();
        let (Some(one), Some(other)) = (by_source, by_destination) else {
            return by_source.or(by_destination);
        };
        if one == other {
            return Some(one);
        }
        let (kept, given_up) = (one.min(other), one.max(other));
        if !self.are_one(kept, given_up, claim, now) {
            return Some(one);
        }
        forgotten.extend(self.forget(given_up, false));
        Some(kept)
    }

    /// Takes in an advert of one virtual router to a peer of another. Returns whether that has been
    /// seen often enough, and nothing speaks against it.
    fn are_one(&mut self, one: RouterId, other: RouterId, claim: &Claim, now: Timestamp) -> bool {
        let (Some(first), Some(second)) = (self.routers.get(&one), self.routers.get(&other)) else {
            return false;
        };
        // Who serves other addresses is another virtual router, whatever is sent to it.
        if !share_an_address(first, second) {
            return false;
        }
        let pace = claim.config.interval.span() * 3 / 4;
        let bridge = self.bridges.entry((one, other)).or_insert(Bridge {
            source: claim.source,
            last: now,
            count: 1,
        });
        if bridge.source == claim.source && now.since(bridge.last) >= pace {
            bridge.last = now;
            bridge.count += 1;
        }
        bridge.count >= ENOUGH
    }
}

fn share_an_address(one: &Router, other: &Router) -> bool {
    one.speakers()
        .any(|mine| other.speakers().any(|theirs| mine.shares_address(theirs)))
}

impl Tracker {
    /// Whether a router is known to advertise this virtual router at its pace.
    pub(crate) fn is_established(
        &self,
        segment: &Segment,
        vrid: crate::model::Vrid,
        source: IpAddr,
        destination: IpAddr,
    ) -> bool {
        let member = |address| {
            let key = (segment.clone(), vrid, address);
            self.members.get(&key).and_then(|id| self.routers.get(id))
        };
        [member(destination), member(source)]
            .into_iter()
            .flatten()
            .flat_map(Router::speakers)
            .any(|speaker: &Speaker| speaker.source == source && speaker.is_established())
    }
}
