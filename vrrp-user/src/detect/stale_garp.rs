//! stale-garp: the last announcement of an address came from a router that is not active.

use std::net::IpAddr;

use super::{
    garp_missing::obliges,
    view::{Assessment, Description, Detector, Sign, View},
    words::{advert, list, router, who},
};
use crate::{
    model::Timestamp,
    record::{Code, Evidence},
    tracker::{neighbours::Announcement, timers::announcement_window},
};

pub(super) struct StaleGarp;

impl Detector for StaleGarp {
    fn code(&self) -> Code {
        Code::StaleGarp
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        let Some(active) = view.live() else {
            return Assessment::Undecided;
        };
        // While several are active, no announcement is the right one.
        let disputed = view.router.rivals(view.now).next().is_some()
            || view.router.speakers().any(|speaker| {
                speaker.id() != active.id() && view.router.may_be_active(speaker, view.now)
            });
        let window = announcement_window(active.interval());
        let settled = view
            .router
            .tenure()
            .is_some_and(|tenure| tenure.since + window <= view.now);
        let stale: Vec<(IpAddr, Announcement)> = stale(view).collect();
        if stale.is_empty() {
            return Assessment::Absent;
        }
        if disputed || !settled {
            return Assessment::Undecided;
        }
        let ripe: Vec<IpAddr> = stale
            .into_iter()
            .filter(|(_, announcement)| announcement.time + window <= view.now)
            .map(|(address, _)| address)
            .collect();
        if ripe.is_empty() {
            return Assessment::Undecided;
        }
        Assessment::Present(Sign {
            addresses: ripe,
            ..Sign::default()
        })
    }

    fn describe(&self, view: &View<'_>, sign: &Sign) -> Description {
        let Some(active) = view.router.active() else {
            return Description::default();
        };
        let last: Vec<(IpAddr, Announcement)> = stale(view)
            .filter(|(address, _)| sign.addresses.contains(address))
            .collect();
        let by = last
            .first()
            .and_then(|(_, announcement)| announcement.speaker)
            .and_then(|id| view.speaker(id));
        Description {
            sources: by
                .into_iter()
                .map(|by| by.source)
                .chain([active.source])
                .collect(),
            message: format!(
                "{} of {} was last announced by {}, which is not active; neighbours may not find \
                 the active router {}.",
                list(&sign.addresses),
                router(view.router),
                by.map(who).unwrap_or_default(),
                who(active)
            ),
            evidence: last
                .iter()
                .map(|(address, announcement)| Evidence {
                    time: announcement.time,
                    source: Some(*address),
                    mac: Some(announcement.mac),
                    vrid: Some(view.router.vrid),
                    priority: None,
                    what: format!("last announcement of {address}"),
                })
                .chain([advert(view.router, active, "the active router".to_owned())])
                .collect(),
            advice: format!(
                "Let the active router announce its addresses now (`arping -U -I INTERFACE {}`), and \
                 set garp_master_refresh and garp_lower_prio_repeat so that it does so by itself \
                 after a split.",
                sign.addresses
                    .first()
                    .map(ToString::to_string)
                    .unwrap_or_default()
            ),
        }
    }

    fn deadline(&self, view: &View<'_>) -> Option<Timestamp> {
        let window = announcement_window(view.router.active()?.interval());
        let settled = view.router.tenure()?.since + window;
        stale(view)
            .map(|(_, announcement)| announcement.time + window)
            .chain([settled])
            .filter(|time| *time > view.now)
            .min()
    }
}

/// The addresses that another router than the active one announced last. Who took over and has
/// announced nothing at all is the business of garp-missing.
fn stale<'a>(view: &View<'a>) -> impl Iterator<Item = (IpAddr, Announcement)> + 'a {
    let router = view.router;
    let obliged = obliges(view);
    let active = router.active();
    active
        .into_iter()
        .flat_map(crate::tracker::Speaker::addresses)
        .filter_map(move |address| Some((address, router.neighbours().announcement(address)?)))
        .filter(move |(_, announcement)| {
            let by_other = announcement.speaker.is_some()
                && announcement.speaker != active.map(crate::tracker::Speaker::id);
            by_other && (!obliged || announcement.in_tenure.is_some())
        })
}
