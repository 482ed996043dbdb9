//! vip-conflict: a virtual address is claimed by a MAC that is not the active router's.

use std::net::IpAddr;

use super::{
    view::{Assessment, Description, Detector, Sign, View},
    words::{advert, list, router, time, who},
};
use crate::{
    model::MacAddr,
    record::{Cause, Code, Evidence},
    tracker::neighbours::Foreign,
};

pub(super) struct VipConflict;

impl Detector for VipConflict {
    fn code(&self) -> Code {
        Code::VipConflict
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        let claims = claims(view);
        if claims.is_empty() {
            return Assessment::Absent;
        }
        let Some(active) = view.live() else {
            return Assessment::Undecided;
        };
        // The active router has to be heard after the claim: what claims the address may be about
        // to take over.
        let confirmed: Vec<_> = claims
            .into_iter()
            .filter(|(_, _, claim)| active.last > claim.first)
            .collect();
        let Some((_, mac, claim)) = confirmed.first() else {
            return Assessment::Absent;
        };
        let cause = role(view, *mac, claim);
        let mut addresses: Vec<IpAddr> = confirmed.iter().map(|(address, _, _)| *address).collect();
        let mut macs: Vec<MacAddr> = confirmed.iter().map(|(_, mac, _)| *mac).collect();
        addresses.dedup();
        macs.sort_unstable();
        macs.dedup();
        Assessment::Present(Sign {
            cause: Some(cause),
            addresses,
            macs,
            ..Sign::default()
        })
    }

    fn describe(&self, view: &View<'_>, sign: &Sign) -> Description {
        let Some(active) = view.router.active() else {
            return Description::default();
        };
        let claims = claims(view);
        let mut named = Vec::new();
        for mac in &sign.macs {
            if let Some((_, _, claim)) = claims.iter().find(|(_, other, _)| other == mac) {
                named.push(name(view, *mac, claim));
            }
        }
        let evidence = claims
            .iter()
            .map(|(address, mac, claim)| Evidence {
                time: claim.last,
                source: Some(*address),
                mac: Some(*mac),
                vrid: Some(view.router.vrid),
                priority: None,
                what: format!(
                    "claims {address}{}, {} times in {}",
                    if claim.announced {
                        " unasked"
                    } else {
                        " when asked"
                    },
                    claim.count,
                    time(claim.last.since(claim.first))
                ),
            })
            .chain([advert(view.router, active, "the active router".to_owned())])
            .collect();
        Description {
            sources: vec![active.source],
            message: format!(
                "{} of {} is claimed by {} although {} is active.",
                list(&sign.addresses),
                router(view.router),
                named.join(" and by "),
                who(active)
            ),
            evidence,
            advice: advice(sign.cause).to_owned(),
        }
    }
}

/// Claims of those that are not entitled to any.
fn claims(view: &View<'_>) -> Vec<(IpAddr, MacAddr, Foreign)> {
    let entitled = |mac: MacAddr| {
        view.router
            .owner(mac)
            .and_then(|owner| view.speaker(owner))
            .is_some_and(|speaker| view.router.may_be_active(speaker, view.now))
    };
    view.router
        .neighbours()
        .foreign()
        .filter(|(_, mac, _)| !entitled(*mac))
        .collect()
}

fn role(view: &View<'_>, mac: MacAddr, claim: &Foreign) -> Cause {
    match claim.speaker.and_then(|id| view.speaker(id)) {
        Some(speaker) if speaker.has_been_active => Cause::Leftover,
        Some(_) => Cause::Standby,
        None if view.router.neighbours().is_proxy(mac) => Cause::ProxyArp,
        None => Cause::Outsider,
    }
}

fn name(view: &View<'_>, mac: MacAddr, claim: &Foreign) -> String {
    let speaker = claim.speaker.and_then(|id| view.speaker(id));
    let source = speaker.map(|speaker| speaker.source);
    let this = if claim.own {
        ", which is this host"
    } else {
        ""
    };
    match (role(view, mac, claim), source) {
        (Cause::Leftover, Some(source)) => {
            format!("{mac} (formerly active router {source}{this})")
        }
        (_, Some(source)) => format!("{mac} (standby router {source}{this})"),
        (Cause::ProxyArp, None) => {
            format!("{mac} (no router of it, and answers for other addresses too{this})")
        }
        (_, None) => format!("{mac} (no router of it{this})"),
    }
}

const fn advice(cause: Option<Cause>) -> &'static str {
    match cause {
        Some(Cause::Leftover) => {
            "That machine stopped taking part in VRRP and kept the address: start keepalived there, \
             which removes it, or remove it by hand with `ip address del`. Clients that learned its \
             MAC reach a machine without service."
        }
        Some(Cause::Standby) => {
            "A standby router must not have the address: look for it with `ip address` there, and \
             for real servers behind LVS in direct routing set arp_ignore=1 and arp_announce=2."
        }
        Some(Cause::ProxyArp) => {
            "A machine answers ARP for addresses of others: switch proxy_arp off there \
             (net.ipv4.conf.*.proxy_arp=0)."
        }
        _ => {
            "Find the machine by its MAC in the switch, and take the address away from it; if it is \
             a real server behind LVS in direct routing, set arp_ignore=1 and arp_announce=2 there. \
             Then let the active router announce itself (vrrp_garp_master_refresh)."
        }
    }
}
