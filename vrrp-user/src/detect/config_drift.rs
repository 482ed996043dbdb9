//! config-drift: keepalived.conf and the wire differ.

use super::{
    view::{Assessment, Description, Detector, Matter, Sign, View},
    words::{advert, router},
};
use crate::{
    keepalived_conf::{Instance, drift},
    model::Timestamp,
    record::Code,
    tracker::{Router, Speaker},
};

pub(super) struct ConfigDrift;

struct Drift<'a> {
    holder: String,
    instance: &'a Instance,
    own: &'a Speaker,
    differences: Vec<String>,
}

impl Detector for ConfigDrift {
    fn code(&self) -> Code {
        Code::ConfigDrift
    }

    fn matter(&self) -> Matter {
        Matter::Daemon
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        let Some(Drift { own, .. }) = find(view) else {
            return Assessment::Absent;
        };
        // It may be about to be reloaded.
        if settles(view).is_some() {
            return Assessment::Undecided;
        }
        Assessment::Present(Sign::of(own))
    }

    fn deadline(&self, view: &View<'_>) -> Option<Timestamp> {
        settles(view)
    }

    fn describe(&self, view: &View<'_>, _sign: &Sign) -> Description {
        let Some(drift) = find(view) else {
            return Description::default();
        };
        let differences = drift.differences.join("; ");
        Description {
            sources: vec![drift.own.source],
            message: format!(
                "{} advertises {}, but keepalived.conf has other values for {}: {differences}.",
                drift.holder,
                router(view.router),
                drift.instance.name,
            ),
            evidence: vec![advert(view.router, drift.own, differences)],
            advice:
                "Reload keepalived if the file was changed since it started; if it was not, see \
                     which file the daemon reads (its command line), and what it included."
                    .to_owned(),
        }
    }
}

/// Until when a changed file may still be read by the daemon.
fn settles(view: &View<'_>) -> Option<Timestamp> {
    view.daemons
        .conf_settles()
        .filter(|settles| *settles > view.now)
}

fn find<'a>(view: &View<'a>) -> Option<Drift<'a>> {
    let mut known = view.beliefs().filter_map(|(host, belief)| {
        let instance = host.configured(belief)?;
        let own = host.own(belief, view.router)?;
        drift(host.called(), instance, own, view.router)
    });
    known.next().or_else(|| {
        let conf = view.daemons.conf()?;
        view.own().find_map(|own| {
            let mut meant = conf
                .instances
                .iter()
                .filter(|it| fits(it, own, view.router));
            // Two that fit are none.
            let instance = meant.next().filter(|_| meant.next().is_none())?;
            drift("This host", instance, own, view.router)
        })
    })
}

/// Whether an instance is meant to be this router, as far as can be told without a log.
fn fits(instance: &Instance, own: &Speaker, router: &Router) -> bool {
    let interface = router.segment.interface.as_deref();
    let elsewhere = instance.interface.as_deref() != interface && interface.is_some();
    let shares = own.addresses().any(|address| instance.holds(address));
    let same = instance.vrid == Some(router.vrid) && instance.family() == router.family;
    (shares || same) && !elsewhere
}

fn drift<'a>(
    holder: &str,
    instance: &'a Instance,
    own: &'a Speaker,
    router: &Router,
) -> Option<Drift<'a>> {
    let differences = drift::differences(instance, router.vrid, own);
    (!differences.is_empty()).then(|| Drift {
        holder: holder.to_owned(),
        instance,
        own,
        differences,
    })
}
