//! garp-missing: a takeover without announcement of an address.

use std::net::IpAddr;

use super::{
    view::{Assessment, Description, Detector, Sign, View},
    words::{list, router, time, who},
};
use crate::{
    model::Family,
    record::{Code, Evidence},
};

pub(super) struct GarpMissing;

impl Detector for GarpMissing {
    fn code(&self) -> Code {
        Code::GarpMissing
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        let (Some(takeover), Some(active)) = (view.router.takeover(), view.router.active()) else {
            return Assessment::Absent;
        };
        if !obliges(view) {
            return Assessment::Absent;
        }
        if !takeover.completed || !view.router.heard_neighbours_since(takeover.time) {
            return Assessment::Undecided;
        }
        let neighbours = view.router.neighbours();
        // An address that was never spoken of may live on another interface.
        let missing: Vec<IpAddr> = active
            .addresses()
            .filter(|address| neighbours.was_spoken_of(*address))
            .filter(|address| {
                neighbours
                    .announcement(*address)
                    .is_none_or(|announcement| announcement.in_tenure.is_none())
            })
            .collect();
        Assessment::present_if(!missing.is_empty() && view.live().is_some(), || Sign {
            addresses: missing.into(),
            speakers: vec![takeover.speaker],
            ..Sign::default()
        })
    }

    fn describe(&self, view: &View<'_>, sign: &Sign) -> Description {
        let (Some(takeover), Some(active)) = (view.router.takeover(), view.router.active()) else {
            return Description::default();
        };
        let how = match view.router.family {
            Family::Ipv4 => "gratuitous ARP",
            Family::Ipv6 => "unsolicited neighbour advertisement",
        };
        let since = time(view.now.since(takeover.time));
        Description {
            sources: vec![active.source],
            message: format!(
                "{} took over {} {since} ago and has not announced {} by {how}: neighbours may \
                 still send to the old router.",
                who(active),
                router(view.router),
                list(&sign.addresses)
            ),
            evidence: vec![
                Evidence {
                    time: takeover.time,
                    source: Some(active.source),
                    mac: active.mac,
                    vrid: Some(view.router.vrid),
                    priority: Some(active.priority),
                    what: "first advert of the new active router".to_owned(),
                },
                Evidence {
                    time: view.now,
                    source: None,
                    mac: None,
                    vrid: Some(view.router.vrid),
                    priority: None,
                    what: format!("no {how} for {} until here", list(&sign.addresses)),
                },
            ],
            advice: "See that nothing on the router filters its ARP (arptables, nftables), and that the \
                     address is on the interface that the neighbours are on; \
                     garp_master_refresh repeats announcements."
                .to_owned(),
        }
    }
}

/// Whether the active router came by its role in a way that makes it announce the addresses.
pub(super) fn obliges(view: &View<'_>) -> bool {
    view.router
        .takeover()
        .is_some_and(|takeover| !takeover.reason.is_unseen() && !takeover.returning)
}
