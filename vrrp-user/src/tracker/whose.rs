//! Whose MAC it is that answers for an address, by what is true now.

use std::net::IpAddr;

use super::{Router, Segment, Speaker, Tracker, timers::late_after};
use crate::{
    model::{MacAddr, Span, Timestamp},
    record::Role,
};

/// Whose MAC it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Whose {
    pub(crate) role: Role,
    /// Source address of the router.
    pub(crate) router: Option<IpAddr>,
}

impl Tracker {
    /// Whose MAC it is, seen from the virtual routers that have the address; `None` where there are
    /// none, or where it was not listened for long enough to tell. `own`: the MAC is this host's.
    pub(crate) fn whose(
        &self,
        segment: &Segment,
        address: IpAddr,
        (mac, own): (MacAddr, bool),
        now: Timestamp,
    ) -> Option<Whose> {
        self.having(segment, address)
            .into_iter()
            .filter_map(|id| self.router(id))
            .filter_map(|router| whose(router, mac, own, now))
            .min()
    }

    /// The virtual routers that have the address.
    pub(crate) fn routers_of(
        &self,
        segment: &Segment,
        address: IpAddr,
    ) -> impl Iterator<Item = &Router> {
        self.having(segment, address)
            .into_iter()
            .filter_map(|id| self.router(id))
    }
}

fn whose(router: &Router, mac: MacAddr, own: bool, now: Timestamp) -> Option<Whose> {
    let active = router.active();
    if mac == router.virtual_mac() {
        return Some(Whose {
            role: Role::VirtualMac,
            router: active.map(|active| active.source),
        });
    }
    let owner = router.owner(mac).and_then(|owner| router.speaker(owner));
    let Some(owner) = owner else {
        let role = if own {
            Role::ThisHost
        } else if router.neighbours().is_proxy(mac) {
            Role::ProxyArp
        } else if has_heard_all(router, now) {
            Role::Outsider
        } else {
            return None;
        };
        return Some(Whose { role, router: None });
    };
    let is_active = active.is_some_and(|active| active.id() == owner.id());
    let rivals = || router.rivals(now).any(|rival| rival.id == owner.id());
    let role = if is_active || router.is_advertising(owner, now) || rivals() {
        Role::ActiveRouter
    } else if own {
        Role::ThisHost
    } else if owner.has_been_active && !owner.is_alive(now) {
        Role::FormerRouter
    } else {
        Role::Standby
    };
    Some(Whose {
        role,
        router: Some(owner.source),
    })
}

/// Whether every router that advertises would have been heard by now.
fn has_heard_all(router: &Router, now: Timestamp) -> bool {
    let interval = router.active().map(Speaker::interval);
    let window = late_after(interval.unwrap_or(Span::from_secs(1)));
    router.saw_everything_since(now - window)
}
