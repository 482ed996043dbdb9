//! Addresses of a virtual router that this host has although it does not advertise them: why that is
//! so, by what its kernel, its log and its configuration show.
//!
//! Nothing of this has to be seen as it happens: a daemon that was killed or stopped, an address that
//! somebody added and adverts that do not get out look the same an hour later. Each is a finding of
//! its own, `daemon-died`, `daemon-stalled`, `vip-conflict`, `egress-blocked` or `split-brain`, and
//! only one of them: the detectors ask here.

use std::net::IpAddr;

use super::{egress_blocked, view::View};
use crate::{
    daemon::{Belief, Host},
    keepalived_conf::drift,
    log::Window,
    machine::{Holding, Machine, Puzzle},
    model::{AddressList, Span, Timestamp},
    record::Cause,
    tracker::{Router, Speaker},
};

/// Addresses that this host has, and why it does.
#[derive(Debug)]
pub(super) struct Kept<'a> {
    /// The addresses, since when that is known, and where they are.
    pub(super) held: Vec<(IpAddr, Timestamp, &'a Holding)>,
    /// The router that is active, if one is.
    pub(super) active: Option<&'a Speaker>,
    pub(super) why: Why<'a>,
}

/// Why a host has addresses that it does not advertise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Why<'a> {
    /// It is not known yet.
    Open,
    /// Its daemon is gone and has left them behind. When it was looked for, and what tells that they
    /// were the daemon's.
    Dead(Timestamp, Proof<'a>),
    /// Its daemon does not run, since this time.
    Stalled(Timestamp),
    /// Its daemon sends adverts, and none leaves.
    Blocked,
    /// Its daemon hears nothing: it listens on a port of a bridge or bond.
    Deaf,
    /// Its daemon is active as well: by its configuration it drops the adverts of the other, and each
    /// of them delays its own.
    Rejects(Cause),
    /// They are not a daemon's: there is none that has to do with them.
    Strange,
    /// Its daemon runs, and nothing tells why it has them.
    Standby,
}

/// What tells that an address is the daemon's.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Proof<'a> {
    /// It has advertised it.
    Adverts,
    /// Its configuration has it.
    Conf(&'a str),
    /// It was master by its log, since this time.
    Log(&'a str, Option<Window>),
}

/// How long a daemon that is there may take to tell by itself what it does.
const SETTLING: Span = Span::from_secs(3);

/// Whether this host has one of the addresses.
pub(super) fn holds_any(machine: &Machine, router: &Router) -> bool {
    !router.advertised().is_disjoint(machine.answering())
}

/// What puzzles about a virtual router on this host: its daemons are to be looked at, and the kernel
/// asked what it drops.
pub(super) fn puzzle(view: &View<'_>) -> Option<Puzzle> {
    if let Some((_, better)) = super::local_drop::insists(view) {
        return Some(Puzzle::Unheeded(better.source, None));
    }
    let kept = find(view)?;
    // Without an active router it may be about to become so.
    let stays = kept.active.is_some() || !matches!(kept.why, Why::Open);
    stays.then_some(Puzzle::Unsent(None))
}

/// The addresses of the virtual router that this host has and does not advertise.
pub(super) fn find<'a>(view: &View<'a>) -> Option<Kept<'a>> {
    if !view.held || view.served_by_kin || view.own().any(|own| own.is_alive(view.now)) {
        return None;
    }
    let active = view.live();
    // It is this host, whose adverts are not seen as they leave.
    if active.is_some_and(|active| view.machine.holds(active.source)) {
        return None;
    }
    let held: Vec<_> = view
        .router
        .advertised()
        .iter()
        .filter_map(|address| {
            let (since, holding) = view.machine.holding(*address)?;
            let near = holding.segment == view.router.segment;
            (near || proof(view, *address).is_some()).then_some((*address, since, holding))
        })
        .collect();
    let since = held.iter().map(|(_, since, _)| *since).max()?;
    let why = why(view, &held, since, active);
    Some(Kept { held, active, why })
}

fn why<'a>(
    view: &View<'a>,
    held: &[(IpAddr, Timestamp, &Holding)],
    since: Timestamp,
    active: Option<&Speaker>,
) -> Why<'a> {
    let Some(looked) = view.machine.looked() else {
        return Why::Open;
    };
    let proof = held.iter().find_map(|(address, ..)| proof(view, *address));
    // What was said at the very end was said while the daemon lived.
    let silent = view.own().all(|own| own.last < looked);
    if view.machine.has_no_daemon() {
        return match (proof, active) {
            (Some(proof), _) if silent => Why::Dead(looked, proof),
            // Who was heard once may be a mistake.
            (None, Some(active)) if active.adverts > 1 && active.last > since => Why::Strange,
            _ => Why::Open,
        };
    }
    if let Some(stopped) = view.machine.daemon_stopped() {
        return Why::Stalled(stopped);
    }
    if view
        .machine
        .misplaced(&view.router.segment, view.router.family)
        .is_some()
    {
        let heard = |active: &Speaker| active.adverts > 1 && active.last > since;
        return if active.is_some_and(heard) {
            Why::Deaf
        } else {
            Why::Open
        };
    }
    if egress_blocked::is_found(view) {
        return Why::Blocked;
    }
    let Some(active) = active else {
        return Why::Open;
    };
    let settling = SETTLING.max(active.interval() * 2);
    let heard = active.adverts > 1 && active.last > since;
    let settled = since.max(active.first) + settling <= view.now;
    if !heard || !settled || !is_counted(view, active) {
        return Why::Open;
    }
    let instance = held
        .iter()
        .find_map(|(address, ..)| configured(view, *address));
    if let Some(cause) = instance.and_then(|instance| drift::rejects(instance, active)) {
        return Why::Rejects(cause);
    }
    // Its log says that it did not yield: then it drops them for what some versions drop.
    if says_master(view).is_some()
        && instance.is_some_and(|instance| drift::lists_differ(instance, active))
    {
        return Why::Rejects(Cause::AddressListMismatch);
    }
    let listens = view.router.group.is_none()
        || view
            .machine
            .listens(&view.router.segment, view.router.family)
            .unwrap_or(true);
    if proof.is_none() && !listens {
        Why::Strange
    } else {
        Why::Standby
    }
}

/// How long the kernel may take to begin to count what it drops.
const PATIENCE: Span = Span::from_millis(4200);

/// Whether the kernel would have told by now that it drops adverts of this host.
fn is_counted(view: &View<'_>, active: &Speaker) -> bool {
    counted_at(view, active).is_some_and(|due| due <= view.now)
}

fn counted_at(view: &View<'_>, active: &Speaker) -> Option<Timestamp> {
    let (counted, since) = view.machine.counted_since(view.router.id())?;
    let round = active.interval() * 5 / 4 + Span::from_millis(250);
    let told = counted.map(|counted| counted + round);
    Some(told.map_or(since + PATIENCE, |told| told.min(since + PATIENCE)))
}

/// When the answer may change because of time alone.
pub(super) fn deadline(view: &View<'_>) -> Option<Timestamp> {
    let kept = find(view).filter(|kept| kept.why == Why::Open)?;
    let active = kept.active?;
    let since = kept.held.iter().map(|(_, since, _)| *since).max()?;
    let settled = since.max(active.first) + SETTLING.max(active.interval() * 2);
    let counted = counted_at(view, active).unwrap_or(settled);
    Some(settled.max(counted))
}

/// What tells that an address is that of a daemon of this host.
fn proof<'a>(view: &View<'a>, address: IpAddr) -> Option<Proof<'a>> {
    if view.own().next().is_some() {
        return Some(Proof::Adverts);
    }
    if let Some(instance) = configured(view, address) {
        return Some(Proof::Conf(&instance.name));
    }
    view.beliefs_here()
        .find(|(_, belief)| belief.master_since().is_some() || belief.addresses.contains(&address))
        .map(|(_, belief)| Proof::Log(&belief.name, belief.master_since()))
}

/// The instance of this host's configuration that has the address, if it is of this virtual router.
fn configured<'a>(
    view: &View<'a>,
    address: IpAddr,
) -> Option<&'a crate::keepalived_conf::Instance> {
    let mut having = view.daemons.conf()?.having(address);
    having.find(|instance| instance.vrid.is_none_or(|vrid| vrid == view.router.vrid))
}

/// The daemon's own account of this virtual router, if it says to be master.
pub(super) fn says_master<'a>(view: &View<'a>) -> Option<(&'a Host, &'a Belief)> {
    view.beliefs_here()
        .find(|(_, belief)| belief.master_since().is_some())
}

impl Kept<'_> {
    pub(super) fn addresses(&self) -> AddressList {
        self.held.iter().map(|(address, ..)| *address).collect()
    }

    /// Where they are, as in "eth0" or "eth0 and eth1".
    pub(super) fn interfaces(&self) -> String {
        let mut names: Vec<&str> = self.held.iter().map(|(.., it)| &*it.interface).collect();
        names.sort_unstable();
        names.dedup();
        super::words::list(names)
    }
}
