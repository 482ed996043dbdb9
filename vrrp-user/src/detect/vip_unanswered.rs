//! vip-unanswered: the active router advertises, and the address answers nobody.

use super::{
    view::{Assessment, Description, Detector, Matter, Sign, View},
    words::{advert, list, router, who},
};
use crate::record::{Code, Evidence};

pub(super) struct VipUnanswered;

/// Questions without an answer, one right after the other.
const PROOF: u32 = 3;

impl Detector for VipUnanswered {
    fn code(&self) -> Code {
        Code::VipUnanswered
    }

    fn matter(&self) -> Matter {
        Matter::Answers
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        if view.live().is_none() {
            // Then it is no wonder, and no-master says so.
            return Assessment::Absent;
        }
        let addresses: Vec<_> = view
            .router
            .neighbours()
            .probed()
            .filter(|(_, probed)| probed.silent >= PROOF)
            .map(|(address, _)| address)
            .collect();
        Assessment::present_if(!addresses.is_empty(), || Sign {
            addresses: addresses.clone().into(),
            ..Sign::default()
        })
    }

    fn describe(&self, view: &View<'_>, sign: &Sign) -> Description {
        let Some(active) = view.router.active() else {
            return Description::default();
        };
        let asked = view
            .router
            .neighbours()
            .probed()
            .filter(|(address, _)| sign.addresses.contains(address))
            .map(|(address, probed)| Evidence {
                time: probed.asked,
                source: None,
                mac: None,
                vrid: Some(view.router.vrid),
                priority: None,
                what: format!(
                    "{address} was asked for {} times in a row, the last time now, and nobody \
                     answered",
                    probed.silent
                ),
            });
        let advertises = advert(view.router, active, "advertises it".to_owned());
        Description {
            sources: vec![active.source],
            message: format!(
                "{} of {} does not answer although {} is active and advertises it.",
                list(&sign.addresses),
                router(view.router),
                who(active)
            ),
            evidence: asked.chain([advertises]).collect(),
            advice: format!(
                "See with `ip address` on {} whether it has the address: NetworkManager, \
                 systemd-networkd or a hand may have removed it, and restarting keepalived adds it \
                 again. If it is there, look for arp_ignore or a filter for ARP.",
                active.source
            ),
        }
    }
}
