//! no-master: the active router stopped and nobody took over in time.

use super::{
    unheard_master,
    view::{Assessment, Description, Detector, Sign, View},
    words::{advert, list, router, time, who},
};
use crate::{
    model::Timestamp,
    record::{Code, Evidence},
    tracker::timers::crossing,
};

pub(super) struct NoMaster;

impl Detector for NoMaster {
    fn code(&self) -> Code {
        Code::NoMaster
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        let Some(active) = view.router.active() else {
            return Assessment::Absent;
        };
        let other = view
            .router
            .speakers()
            .any(|speaker| speaker.id() != active.id() && speaker.is_alive(view.now));
        // Who announces an address has taken it: that is unheard-master.
        if other || unheard_master::taken(view).is_some() {
            return Assessment::Absent;
        }
        if active.is_alive(view.now) {
            return match reunion(view) {
                Some(reunion) if view.open && view.now < reunion.complete => Assessment::Undecided,
                Some(reunion) if reunion.at_once > 1 => Assessment::Over(format!(
                    "adverts of {} were delayed, not lost: {} came at once.",
                    active.source, reunion.at_once
                )),
                _ => Assessment::Over(format!("{} advertises again.", active.source)),
            };
        }
        let (addresses, _) = view.router.unserved();
        if addresses.is_empty() && active.addresses().next().is_some() {
            return Assessment::Absent;
        }
        if view.is_deaf() && !view.router.heard_neighbours_since(active.last) {
            return Assessment::Undecided;
        }
        match view.router.vacant_at() {
            Some(due) if due <= view.now => Assessment::Present(Sign {
                addresses,
                ..Sign::of(active)
            }),
            _ => Assessment::Undecided,
        }
    }

    fn describe(&self, view: &View<'_>, sign: &Sign) -> Description {
        let Some(active) = view.router.active() else {
            return Description::default();
        };
        let (how, consequence) = match active.resigned {
            Some(_) if !view.is_deaf() => ("resigned", "nobody holds"),
            Some(_) => ("resigned", "nobody may hold"),
            None => ("fell silent without resigning", "nobody may hold"),
        };
        let since = time(view.now.since(active.last));
        let backups: Vec<_> = view
            .router
            .speakers()
            .filter(|speaker| speaker.id() != active.id())
            .map(|speaker| speaker.source)
            .collect();
        let known = if backups.is_empty() {
            "No other router has been seen".to_owned()
        } else {
            format!("Seen before and silent now: {}", list(&backups))
        };
        // A switch that snoops should flood 224.0.0.0/24 all the same (RFC 4541, 2.1.2), and not all do.
        // An announcement is a broadcast, which it lets through.
        let snooping = match view.router.group.filter(|_| view.is_deaf()) {
            Some(group) => format!(
                " Nor was an announcement of the addresses seen, and that is all there is to go by: \
                 this host has not joined {group}, and a switch that snoops IGMP or MLD may withhold \
                 adverts from it."
            ),
            None => String::new(),
        };
        Description {
            sources: vec![active.source],
            message: format!(
                "No router is active for {}, and {consequence} {}: {} {how} {since} ago and no \
                 other router took over.{snooping}",
                router(view.router),
                list(&sign.addresses),
                who(active)
            ),
            evidence: vec![
                advert(view.router, active, format!("last advert; it {how}")),
                Evidence {
                    time: view.now,
                    source: None,
                    mac: None,
                    vrid: Some(view.router.vrid),
                    priority: None,
                    what: "no advert until here, later than any backup would have waited"
                        .to_owned(),
                },
            ],
            advice: format!(
                "See on the routers whether one is active and its adverts do not come here. If \
                 none is, start keepalived, or see in its log why it does not become active: \
                 FAULT state, a failed track_script or track_interface. {known}."
            ),
        }
    }

    fn deadline(&self, view: &View<'_>) -> Option<Timestamp> {
        if let Some(reunion) = reunion(view).filter(|reunion| view.now < reunion.complete) {
            return Some(reunion.complete);
        }
        let vacant = view.router.vacant_at()?;
        let (_, served_until) = view.router.unserved();
        Some(
            served_until
                .filter(|_| vacant <= view.now)
                .unwrap_or(vacant),
        )
    }
}

/// The active router is heard again after a silence.
struct Reunion {
    /// How many adverts came at once.
    at_once: u32,
    /// When all have come that come at once.
    complete: Timestamp,
}

fn reunion(view: &View<'_>) -> Option<Reunion> {
    let active = view.router.active()?;
    let late = view
        .router
        .late_advert()
        .filter(|late| late.speaker == active.id())
        .map(|late| Reunion {
            at_once: late.at_once,
            complete: late.complete_at(),
        });
    late.or_else(|| {
        let takeover = view.router.takeover().filter(|it| it.is_reunion())?;
        Some(Reunion {
            at_once: takeover.at_once,
            complete: takeover.time + crossing(active.interval()),
        })
    })
}
