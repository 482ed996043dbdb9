//! traffic-at-standby: new connections for an address keep arriving here, and another router is
//! active.

use super::{
    view::{Assessment, Description, Detector, Sign, View},
    words::{advert, list, router, time, who},
};
use crate::{
    daemon::Daemons,
    model::Timestamp,
    record::{Code, Evidence},
    tracker::Router,
};

pub(super) struct TrafficAtStandby;

impl Detector for TrafficAtStandby {
    fn code(&self) -> Code {
        Code::TrafficAtStandby
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        let addresses: Vec<_> = view
            .router
            .arrivals()
            .filter(|(_, arrivals)| arrivals.persist)
            .map(|(address, _)| address)
            .collect();
        if addresses.is_empty() || is_active_here(view.router, view.daemons, view.now) {
            return Assessment::Absent;
        }
        if view.live().is_none() {
            // Somebody takes over in a moment, and that may be this host.
            return Assessment::Undecided;
        }
        Assessment::Present(Sign {
            addresses: addresses.into(),
            ..Sign::default()
        })
    }

    fn describe(&self, view: &View<'_>, sign: &Sign) -> Description {
        let Some(active) = view.router.active() else {
            return Description::default();
        };
        let arrived = view
            .router
            .arrivals()
            .filter(|(address, _)| sign.addresses.contains(address))
            .map(|(address, arrivals)| Evidence {
                time: arrivals.until,
                source: None,
                mac: None,
                vrid: Some(view.router.vrid),
                priority: None,
                what: format!(
                    "{} new TCP connections for {address} arrived at this host in {}, {} of them \
                     in the last {}",
                    arrivals.total,
                    time(arrivals.until.since(arrivals.since)),
                    arrivals.last,
                    time(arrivals.span)
                ),
            });
        let advertises = advert(
            view.router,
            active,
            "is active and advertises it".to_owned(),
        );
        Description {
            sources: vec![active.source],
            message: format!(
                "New connections for {} of {} keep arriving at this host although {} is active.",
                list(&sign.addresses),
                router(view.router),
                who(active)
            ),
            evidence: arrived.chain([advertises]).collect(),
            advice: "Capture such a segment here (`tcpdump -e`) to see which machine sends it, and \
                     look there for a neighbour entry or a route that leads here. If this host is a \
                     real server behind LVS in direct routing, or routes for others, all is well."
                .to_owned(),
        }
    }
}

/// Whether a router of this host may be active: of its own adverts it sees every one.
pub(super) fn is_active_here(router: &Router, daemons: &Daemons, now: Timestamp) -> bool {
    router
        .speakers()
        .filter(|speaker| daemons.is_own(speaker.source))
        .any(|speaker| router.may_be_active(speaker, now))
}
