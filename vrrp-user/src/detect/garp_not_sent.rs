//! garp-not-sent: the log says that an address was announced, and no frame left.

use std::net::IpAddr;

use super::{
    view::{Assessment, Description, Detector, Matter, Sign, View},
    words::{list, log_line, router},
};
use crate::{
    daemon::{Announcing, Belief, Host, SENDING},
    model::{AddressList, Timestamp},
    record::Code,
};

pub(super) struct GarpNotSent;

impl Detector for GarpNotSent {
    fn code(&self) -> Code {
        Code::GarpNotSent
    }

    fn matter(&self) -> Matter {
        Matter::Daemon
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        let addresses: AddressList = missing(view).map(|(_, _, address, _)| address).collect();
        if addresses.is_empty() && unfollowed(*view).next().is_some() {
            return Assessment::Undecided;
        }
        Assessment::present_if(!addresses.is_empty(), || Sign {
            addresses,
            ..Sign::default()
        })
    }

    fn describe(&self, view: &View<'_>, sign: &Sign) -> Description {
        let Some((host, belief, _, announcing)) = missing(view).next() else {
            return Description::default();
        };
        let error = announcing
            .error
            .as_ref()
            .map(|error| format!(" ({error})"))
            .unwrap_or_default();
        Description {
            sources: host
                .own(belief, view.router)
                .map(|own| own.source)
                .into_iter()
                .collect(),
            message: format!(
                "{} announced {} of {} by its log, and no such frame left this host{error}: \
                 neighbours may still send elsewhere.",
                host.called(),
                list(&sign.addresses),
                router(view.router)
            ),
            evidence: vec![
                log_line(
                    announcing.since.start,
                    view.router,
                    format!(
                        "({}) announces {}, by its log",
                        belief.name,
                        list(&sign.addresses)
                    ),
                ),
                log_line(
                    announcing.since.end + SENDING,
                    view.router,
                    "no announcement was seen until here".to_owned(),
                ),
            ],
            advice: "Look for what filters ARP or ICMPv6 on its way out: arptables, nftables \
                     (tables arp, netdev, bridge), anti-spoofing of the hypervisor."
                .to_owned(),
        }
    }

    fn deadline(&self, view: &View<'_>) -> Option<Timestamp> {
        view.beliefs_here()
            .flat_map(|(_, belief)| belief.announced.values())
            .map(|announcing| announcing.since.end + SENDING)
            .filter(|due| *due > view.now)
            .min()
    }
}

/// The announcements of which nothing was seen.
fn missing<'a>(
    view: &View<'a>,
) -> impl Iterator<Item = (&'a Host, &'a Belief, IpAddr, &'a Announcing)> {
    let view = *view;
    unfollowed(view).filter(move |(_, _, _, announcing)| {
        announcing.since.end + SENDING <= view.now
            && view
                .router
                .heard_neighbours_since(announcing.since.start - SENDING)
    })
}

/// Those of which nothing was seen so far.
fn unfollowed(view: View<'_>) -> impl Iterator<Item = (&Host, &Belief, IpAddr, &Announcing)> {
    view.beliefs_here()
        .filter(|(_, belief)| belief.is_settled_master())
        .flat_map(move |(host, belief)| {
            belief
                .announced
                .iter()
                .filter(move |(address, announcing)| {
                    let seen = view.router.neighbours().last_announced(**address);
                    !announcing.is_followed(seen)
                        && is_here(host, belief, **address, announcing, &view)
                })
                .map(move |(address, announcing)| (host, belief, *address, announcing))
        })
}

/// Whether the announcement would have left by an interface that is watched.
fn is_here(
    host: &Host,
    belief: &Belief,
    address: IpAddr,
    announcing: &Announcing,
    view: &View<'_>,
) -> bool {
    if view.router.neighbours().was_spoken_of(address) {
        return true;
    }
    let interface = announcing.interface.as_deref();
    match view.router.segment.interface.as_deref() {
        Some(watched) => interface == Some(watched),
        None => {
            let configured = host
                .configured(belief)
                .and_then(|instance| instance.interface.as_deref());
            interface.is_some() && interface == configured
        }
    }
}
