//! vip-without-master: an address answers, and nobody advertises it.

use std::net::IpAddr;

use super::{
    incident::Report,
    view::{Assessment, Description, Detector, Matter, Sign, View},
    vip_conflict,
    words::{advert, list, router},
};
use crate::{
    model::{Span, Timestamp},
    probe::Round,
    record::{Code, Evidence},
    tracker::{Speaker, probed::Probed},
};

/// Of a virtual router whose routers are silent.
pub(super) struct VipWithoutMaster;

impl Detector for VipWithoutMaster {
    fn code(&self) -> Code {
        Code::VipWithoutMaster
    }

    fn matter(&self) -> Matter {
        Matter::Answers
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        let alive = view
            .router
            .speakers()
            .any(|speaker| speaker.is_alive(view.now));
        if alive {
            return Assessment::Absent;
        }
        if view.is_deaf() {
            return Assessment::Undecided;
        }
        let Some(vacant) = vacant_at(view).filter(|time| *time <= view.now) else {
            return Assessment::Undecided;
        };
        let answered: Vec<(IpAddr, &Probed)> = answered(view, vacant).collect();
        Assessment::present_if(!answered.is_empty(), || Sign::answered(&answered))
    }

    fn describe(&self, view: &View<'_>, sign: &Sign) -> Description {
        let named: Vec<String> = sign
            .macs
            .iter()
            .map(|mac| vip_conflict::name(view, *mac, view.router.owner(*mac), false))
            .collect();
        let answers = view
            .router
            .neighbours()
            .probed()
            .filter(|(address, _)| sign.addresses.contains(address))
            .flat_map(|(address, probed)| {
                probed.macs.iter().map(move |mac| Evidence {
                    time: probed.asked,
                    source: Some(address),
                    mac: Some(*mac),
                    vrid: Some(view.router.vrid),
                    priority: None,
                    what: format!("answers for {address}"),
                })
            });
        let last = view
            .router
            .active()
            .map(|active| advert(view.router, active, "the last advert".to_owned()));
        Description {
            sources: view
                .router
                .active()
                .map(|it| it.source)
                .into_iter()
                .collect(),
            message: format!(
                "{} of {} is answered for by {}, but no router advertises it any more.",
                list(&sign.addresses),
                router(view.router),
                named.join(" and by ")
            ),
            evidence: answers.chain(last).collect(),
            advice: "If that machine fails, no other takes over. See whether keepalived runs \
                there: then its adverts do not come here. If it does not, its log says why, and \
                it left the address behind; start it at a time when the address may go for some \
                seconds."
                .to_owned(),
        }
    }

    fn deadline(&self, view: &View<'_>) -> Option<Timestamp> {
        vacant_at(view)
    }
}

/// Since when somebody else would advertise. An answer is proof enough that the address is real,
/// however few adverts there were.
fn vacant_at(view: &View<'_>) -> Option<Timestamp> {
    view.router.vacant_at().or_else(|| {
        let dead = view.router.speakers().map(Speaker::dead_at).max()?;
        let seen = view.router.saw_everything_since(dead);
        seen.then(|| dead + Span::from_secs(1))
    })
}

fn answered<'a>(
    view: &View<'a>,
    vacant: Timestamp,
) -> impl Iterator<Item = (IpAddr, &'a Probed)> + 'a {
    view.router
        .neighbours()
        .probed()
        .filter(move |(_, probed)| probed.asked >= vacant && !probed.macs.is_empty())
}

/// Of an address that no router has been heard of for.
pub(super) fn report(round: &Round) -> Report {
    let address = round.address;
    let macs: Vec<String> = round
        .answers
        .iter()
        .map(|(mac, _)| mac.to_string())
        .collect();
    Report {
        code: Code::VipWithoutMaster,
        severity: Code::VipWithoutMaster.severity(),
        source: address,
        vrid: None,
        addresses: vec![address],
        quiet: round.next_within,
        description: Description {
            sources: Vec::new(),
            message: format!(
                "{address} is answered for by {}, but no router advertises it.",
                macs.join(" and by ")
            ),
            evidence: round
                .answers
                .iter()
                .map(|(mac, _)| Evidence {
                    time: round.asked,
                    source: Some(address),
                    mac: Some(*mac),
                    vrid: None,
                    priority: None,
                    what: format!("answers for {address}"),
                })
                .collect(),
            advice:
                "If the address is a virtual one, see whether keepalived runs on its routers, and \
                     why their adverts do not come here: IGMP snooping, unicast peers, another \
                     VLAN. If it is not, do not ask for it."
                    .to_owned(),
        },
    }
}
