//! stale-garp: the last announcement of an address came from a router that is not active, or this host
//! sends what is for it elsewhere, by its own neighbour table.

use std::net::IpAddr;

use super::{
    garp_missing::obliges,
    view::{Assessment, Description, Detector, Sign, View},
    words::{advert, list, router, who},
};
use crate::{
    machine::SendsTo,
    model::{MacAddr, Span, Timestamp},
    record::{Code, Evidence},
    tracker::{Speaker, neighbours::Announcement, timers::announcement_window},
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
        let misled = misled(view);
        if stale.is_empty() && misled.is_empty() {
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
        if let (true, Some((_, first))) = (ripe.is_empty(), misled.first()) {
            return Assessment::Present(Sign {
                addresses: misled.iter().map(|(address, _)| *address).collect(),
                macs: vec![first.mac],
                ..Sign::default()
            });
        }
        if ripe.is_empty() {
            return Assessment::Undecided;
        }
        Assessment::Present(Sign {
            addresses: ripe.into(),
            ..Sign::default()
        })
    }

    fn describe(&self, view: &View<'_>, sign: &Sign) -> Description {
        let Some(active) = view.router.active() else {
            return Description::default();
        };
        if let [mac] = sign.macs[..] {
            return describe_misled(view, sign, mac, active);
        }
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
                "Neighbours may send what is for {} of {} to the wrong machine: {} announced it \
                 last, and {} is active.",
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
            advice: match sign.addresses.first() {
                Some(address @ IpAddr::V4(_)) => format!(
                    "Announce the address on the active router (`arping -U -c 3 -I INTERFACE {address}`). \
                     {SETTINGS}"
                ),
                Some(IpAddr::V6(_)) | None => SETTINGS.to_owned(),
            },
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

/// An entry of the neighbour table that lasts for this time is not about to be mended.
const LASTING: Span = Span::from_millis(1500);

/// keepalived's own remedy.
const SETTINGS: &str = "Set garp_master_refresh and garp_lower_prio_repeat on all routers: then the \
                        active one announces its addresses by itself after a split.";

/// The addresses that this host sends elsewhere than to the active router, though it is known by one
/// MAC and alone has them.
pub(super) fn misled(view: &View<'_>) -> Vec<(IpAddr, SendsTo)> {
    wrong(view)
        .filter(|(_, entry)| entry.until.since(entry.since) >= LASTING)
        .collect()
}

/// The same, and be it for a moment.
pub(super) fn wrong<'a>(view: &View<'a>) -> impl Iterator<Item = (IpAddr, SendsTo)> + use<'a> {
    let view = *view;
    let alone = view.router.kin().is_empty();
    let active = view.live().filter(|active| active.adverts > 1 && alone);
    active.into_iter().flat_map(move |active| {
        let is_its = move |mac| {
            let own = [active.mac, active.own_mac, Some(view.router.virtual_mac())];
            own.contains(&Some(mac))
        };
        let known = active.mac.is_some() && !view.daemons.is_own(active.source);
        active
            .addresses()
            .filter(move |address| known && !view.machine.holds(*address))
            .filter_map(move |address| {
                let entry = view.machine.sends_to(&view.router.segment, address)?;
                (!is_its(entry.mac)).then_some((address, entry))
            })
    })
}

fn describe_misled(view: &View<'_>, sign: &Sign, mac: MacAddr, active: &Speaker) -> Description {
    let held = list(&sign.addresses);
    let owner = view.router.owner(mac).and_then(|id| view.speaker(id));
    let whose = owner.map_or_else(
        || format!("{mac}, which is not one of its routers"),
        |owner| format!("{mac}, which is {}", owner.source),
    );
    Description {
        sources: vec![active.source],
        message: format!(
            "This host sends what is for {held} of {} to the wrong machine: its neighbour table \
             has {whose}, and {} is active.",
            router(view.router),
            who(active)
        ),
        evidence: misled(view)
            .into_iter()
            .map(|(address, entry)| Evidence {
                time: entry.until,
                source: Some(address),
                mac: Some(entry.mac),
                vrid: Some(view.router.vrid),
                priority: None,
                what: format!("this host's neighbour table has {address} there, and uses it"),
            })
            .chain([advert(view.router, active, "the active router".to_owned())])
            .collect(),
        advice: "Look at `ip neigh show` here: an entry that somebody made permanent stays wrong \
                 until it is removed (`ip neigh del ADDRESS dev INTERFACE`); another one is renewed when the active router announces the address \
                 (garp_master_refresh), unless the other machine answers for it as well (`vrrpwatch who`)."
            .to_owned(),
    }
}

/// The addresses that another router than the active one announced last. Who took over and has
/// announced nothing at all is the business of garp-missing.
fn stale<'a>(view: &View<'a>) -> impl Iterator<Item = (IpAddr, Announcement)> + 'a {
    let router = view.router;
    let obliged = obliges(view);
    let active = router.active();
    active
        .filter(|_| router.neighbours().has_announcements())
        .into_iter()
        .flat_map(Speaker::addresses)
        .filter_map(move |address| Some((address, router.neighbours().announcement(address)?)))
        .filter(move |(_, announcement)| {
            let by_other =
                announcement.speaker.is_some() && announcement.speaker != active.map(Speaker::id);
            by_other && (!obliged || announcement.in_tenure.is_some())
        })
}
