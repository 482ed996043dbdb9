//! duplicate-address: a router cannot use an address, because duplicate address detection has found
//! another holder.
//!
//! The kernel of the watched host shows it, and logs it; on the wire somebody asks whether the address is
//! free and is told that it is not. keepalived adds its addresses without asking; FRR's, which are on an
//! interface before, and the routers' own are asked for.

use std::{collections::BTreeMap, net::IpAddr};

use super::{
    view::{Assessment, Description, Detector, Sign, View},
    words::{list, log_line, router},
};
use crate::{
    model::{Family, MacAddr, Timestamp},
    record::{Code, Evidence},
    tracker::Speaker,
};

pub(super) struct DuplicateAddress;

/// Addresses that a router has and cannot use.
#[derive(Default)]
struct Unusable {
    /// The router, in words.
    whose: String,
    source: Option<IpAddr>,
    /// Who has them, where that was seen.
    holders: Vec<MacAddr>,
    addresses: BTreeMap<IpAddr, (Timestamp, String)>,
}

impl Detector for DuplicateAddress {
    fn code(&self) -> Code {
        Code::DuplicateAddress
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        Assessment::from(find(view).map(|unusable| Sign {
            addresses: unusable.addresses.into_keys().collect(),
            macs: unusable.holders,
            ..Sign::default()
        }))
    }

    fn describe(&self, view: &View<'_>, sign: &Sign) -> Description {
        let unusable = find(view).unwrap_or_default();
        let by = match sign.macs.first() {
            Some(mac) => format!("{mac} has"),
            None => "another machine has".to_owned(),
        };
        let evidence = unusable.addresses.into_values();
        let evidence = evidence.map(|(time, what)| Evidence {
            source: unusable.source,
            ..log_line(time, view.router, what)
        });
        Description {
            sources: unusable.source.into_iter().collect(),
            message: format!(
                "{} cannot use {} of {}: duplicate address detection failed, as {by} it.",
                unusable.whose,
                list(&sign.addresses),
                router(view.router),
            ),
            evidence: evidence.collect(),
            advice: "Find the other machine by its MAC in the switch, and decide which of the two is to \
                     have the address: one that was active before, a clone, or one set by hand. Once the \
                     other has given it up, restart the daemon here: the kernel does not ask again by \
                     itself. `ip -6 address show dadfailed` lists such addresses."
                .to_owned(),
        }
    }
}

fn find(view: &View<'_>) -> Option<Unusable> {
    if view.router.family != Family::Ipv6 {
        return None;
    }
    here(view).or_else(|| logged(view)).or_else(|| seen(view))
}

/// By the kernel of this host: virtual addresses while it is active, and its own at any time.
fn here(view: &View<'_>) -> Option<Unusable> {
    let own = view.own().find(|own| own.is_alive(view.now));
    // Without a link-local address that can be used its daemon cannot send.
    let mute = || {
        view.machine.looked().is_some()
            && !view.machine.has_no_daemon()
            && !view.machine.has_link_local(&view.router.segment)
    };
    let concerns = |address: IpAddr| match address {
        IpAddr::V6(own) if own.is_unicast_link_local() && mute() => true,
        address => own.is_some() && view.router.advertised().contains(&address),
    };
    let duplicates = view.machine.duplicates();
    let addresses: BTreeMap<_, _> = duplicates
        .filter(|(address, _, holding)| {
            holding.segment == view.router.segment && concerns(*address)
        })
        .map(|(address, since, holding)| {
            let what = format!(
                "{address} on {} of this host is marked dadfailed by the kernel",
                holding.interface
            );
            (address, (since, what))
        })
        .collect();
    (!addresses.is_empty()).then(|| Unusable {
        whose: "This host".to_owned(),
        source: own.map(|own| own.source),
        holders: holders(view, &addresses),
        addresses,
    })
}

/// By the log of a master.
fn logged(view: &View<'_>) -> Option<Unusable> {
    // What the kernel of this host shows now counts more than what it once logged.
    let mut beliefs = view
        .beliefs()
        .filter(|(host, _)| !(host.here && view.machine.is_known()));
    let (host, belief) = beliefs
        .find(|(_, belief)| belief.master_since().is_some() && !belief.duplicates.is_empty())?;
    let addresses: BTreeMap<_, _> = belief
        .duplicates
        .iter()
        .map(|(address, time)| {
            let what = format!("the kernel says that {address} is a duplicate");
            (*address, (time.start, what))
        })
        .collect();
    Some(Unusable {
        whose: host.called().to_owned(),
        source: host.own(belief, view.router).map(|own| own.source),
        holders: holders(view, &addresses),
        addresses,
    })
}

/// By what is said: the active router asked whether an address is free, and another machine has it.
fn seen(view: &View<'_>) -> Option<Unusable> {
    let active = view.live()?;
    let denied = view.router.neighbours().denied();
    let denied: Vec<_> = denied
        .filter(|(_, denied)| is_of(view, active, denied.mac))
        .collect();
    let addresses: BTreeMap<_, _> = denied
        .iter()
        .map(|(address, denied)| {
            let what = format!(
                "{} asks whether {address} is free, and {} has it",
                denied.mac, denied.holder
            );
            (*address, (denied.time, what))
        })
        .collect();
    (!addresses.is_empty()).then(|| Unusable {
        whose: super::words::who(active),
        source: Some(active.source),
        holders: holders(view, &addresses),
        addresses,
    })
}

fn is_of(view: &View<'_>, speaker: &Speaker, mac: MacAddr) -> bool {
    mac == view.router.virtual_mac() || view.router.owner(mac) == Some(speaker.id())
}

/// Who said that it has one of the addresses.
fn holders(view: &View<'_>, addresses: &BTreeMap<IpAddr, (Timestamp, String)>) -> Vec<MacAddr> {
    let denied = view.router.neighbours().denied();
    let mut holders: Vec<MacAddr> = denied
        .filter(|(address, _)| addresses.contains_key(address))
        .map(|(_, denied)| denied.holder)
        .collect();
    holders.sort_unstable();
    holders.dedup();
    holders
}
