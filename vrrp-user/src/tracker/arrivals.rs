//! New connections that arrive at this host although another router is active.

use std::net::IpAddr;

use super::{Router, RouterId, Tracker};
use crate::{
    model::{Span, Timestamp},
    traffic::Traffic,
};

/// New connections for one address, while this host was not its active router.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Arrivals {
    /// Intervals with any, in a row.
    busy: u32,
    /// Intervals without, in a row.
    quiet: u32,
    /// They keep arriving, as far as can be told.
    pub(crate) persist: bool,
    /// When the first of them came, at the earliest.
    pub(crate) since: Timestamp,
    /// Their number since then.
    pub(crate) total: u64,
    /// Their number in the last interval that had any.
    pub(crate) last: u64,
    /// The length of that interval.
    pub(crate) span: Span,
    /// Its end.
    pub(crate) until: Timestamp,
}

/// Intervals in a row that make it a habit, or end it: a client may try again what it began before a
/// takeover, and may rest for a while.
const HABIT: u32 = 2;

impl Arrivals {
    /// Takes in an interval without any. Returns whether the habit is not over yet.
    const fn lasts_without_more(&mut self) -> bool {
        self.busy = 0;
        self.quiet += 1;
        self.quiet < HABIT
    }
}

impl Tracker {
    /// Takes in the traffic of an address in the interval that ends `now`. `here`: whether this host
    /// may be active in a virtual router. Returns the virtual routers concerned.
    pub(crate) fn note_traffic(
        &mut self,
        traffic: &Traffic,
        here: impl Fn(&Router) -> bool,
        now: Timestamp,
    ) -> Vec<RouterId> {
        let concerned = self.having(&traffic.segment, traffic.address);
        for id in &concerned {
            if let Some(router) = self.routers.get_mut(id) {
                if here(router) {
                    router.arrivals.remove(&traffic.address);
                } else {
                    router.note_traffic(traffic, now);
                }
            }
        }
        concerned
    }
}

impl Router {
    /// The new connections that arrived at this host, by address.
    pub(crate) fn arrivals(&self) -> impl Iterator<Item = (IpAddr, &Arrivals)> {
        self.arrivals
            .iter()
            .map(|(address, arrivals)| (*address, arrivals))
    }

    fn note_traffic(&mut self, traffic: &Traffic, now: Timestamp) {
        let from = now - traffic.span;
        // What belongs to an interval with a takeover in it is of no account.
        let settled = self.is_settled(from, now);
        let new = traffic.arrived.syns;
        if new == 0 {
            self.arrivals.retain(|address, arrivals| {
                *address != traffic.address || arrivals.lasts_without_more()
            });
            return;
        }
        let arrivals = self.arrivals.entry(traffic.address).or_default();
        arrivals.quiet = 0;
        if !settled {
            arrivals.busy = 0;
            return;
        }
        arrivals.busy += 1;
        if arrivals.busy == 1 && !arrivals.persist {
            arrivals.since = from;
            arrivals.total = 0;
        }
        arrivals.total += new;
        arrivals.last = new;
        arrivals.span = traffic.span;
        arrivals.until = now;
        arrivals.persist |= arrivals.busy >= HABIT;
    }
}
