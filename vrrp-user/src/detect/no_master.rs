//! no-master: the active router stopped and nobody took over in time.

use super::{
    unheard_master,
    view::{Assessment, Description, Detector, Sign, View},
    words::{addresses, advert, list, router, time, who},
};
use crate::{
    model::Timestamp,
    record::{Code, Evidence},
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
        if active.is_alive(view.now) || other || unheard_master::taken(view).is_some() {
            return Assessment::Absent;
        }
        match view.router.vacant_at() {
            Some(due) if due <= view.now => Assessment::Present(Sign::of(active)),
            _ => Assessment::Undecided,
        }
    }

    fn describe(&self, view: &View<'_>, _: &Sign) -> Description {
        let Some(active) = view.router.active() else {
            return Description::default();
        };
        let how = match active.resigned {
            Some(_) => "resigned",
            None => "fell silent without resigning",
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
        Description {
            sources: vec![active.source],
            message: format!(
                "Nobody is active for {} and {} unreachable: {} {how} {since} ago and no other \
                 router took over.",
                router(view.router),
                match active.addresses().count() {
                    1 => format!("{} is", addresses(active)),
                    _ => format!("{} are", addresses(active)),
                },
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
                "{known}. Start keepalived on a router, or see in its log why it does not become \
                 active: FAULT state, a failed track_script or track_interface, or adverts that \
                 it cannot send."
            ),
        }
    }

    fn deadline(&self, view: &View<'_>) -> Option<Timestamp> {
        view.router.vacant_at()
    }
}
