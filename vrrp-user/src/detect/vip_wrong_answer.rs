//! vip-wrong-answer: only a machine that is not active answers for a virtual address.

use std::net::IpAddr;

use super::{
    view::{Assessment, Description, Detector, Matter, Sign, View},
    vip_conflict,
    words::{advert, list, router, who},
};
use crate::{
    record::{Code, Evidence},
    tracker::probed::Probed,
};

pub(super) struct VipWrongAnswer;

/// One answer of the active router may be lost, but not two in a row.
pub(super) const PROOF: u32 = 2;

impl Detector for VipWrongAnswer {
    fn code(&self) -> Code {
        Code::VipWrongAnswer
    }

    fn matter(&self) -> Matter {
        Matter::Answers
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        if view.live().is_none() {
            return Assessment::Absent;
        }
        let wrong: Vec<(IpAddr, &Probed)> = wrong(view).collect();
        let Some(mac) = wrong.first().and_then(|(_, probed)| probed.macs.first()) else {
            return Assessment::Absent;
        };
        Assessment::Present(Sign {
            cause: vip_conflict::role(view, *mac, view.router.owner(*mac)),
            ..Sign::answered(&wrong)
        })
    }

    fn describe(&self, view: &View<'_>, sign: &Sign) -> Description {
        let Some(active) = view.router.active() else {
            return Description::default();
        };
        let named: Vec<String> = sign
            .macs
            .iter()
            .map(|mac| vip_conflict::name(view, *mac, view.router.owner(*mac), false))
            .collect();
        let answers = wrong(view).flat_map(|(address, probed)| {
            probed.macs.iter().map(move |mac| Evidence {
                time: probed.asked,
                source: Some(address),
                mac: Some(*mac),
                vrid: Some(view.router.vrid),
                priority: None,
                what: format!(
                    "answers for {address}, and the active router does not, {} times in a row",
                    probed.wrong
                ),
            })
        });
        let advertises = advert(view.router, active, "the active router".to_owned());
        Description {
            sources: vec![active.source],
            message: format!(
                "{} of {} is answered for only by {}, although {} is active and advertises it.",
                list(&sign.addresses),
                router(view.router),
                named.join(" and by "),
                who(active)
            ),
            evidence: answers.chain([advertises]).collect(),
            advice: format!(
                "See with `ip address` on {} why it does not answer. {}",
                active.source,
                vip_conflict::advice(sign.cause.as_ref())
            ),
        }
    }
}

fn wrong<'a>(view: &View<'a>) -> impl Iterator<Item = (IpAddr, &'a Probed)> + 'a {
    view.router
        .neighbours()
        .probed()
        .filter(|(_, probed)| probed.wrong >= PROOF)
}
