//! config-drift: keepalived.conf and the wire differ.

use super::{
    view::{Assessment, Description, Detector, Matter, Sign, View},
    words::{advert, router},
};
use crate::{
    daemon::{Belief, Host},
    keepalived_conf::drift,
    record::Code,
    tracker::Speaker,
};

pub(super) struct ConfigDrift;

impl Detector for ConfigDrift {
    fn code(&self) -> Code {
        Code::ConfigDrift
    }

    fn matter(&self) -> Matter {
        Matter::Daemon
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        let Some((_, _, own, _)) = find(view) else {
            return Assessment::Absent;
        };
        Assessment::Present(Sign {
            addresses: own.addresses().collect(),
            speakers: vec![own.id()],
            ..Sign::default()
        })
    }

    fn describe(&self, view: &View<'_>, _sign: &Sign) -> Description {
        let Some((host, belief, own, differences)) = find(view) else {
            return Description::default();
        };
        Description {
            sources: vec![own.source],
            message: format!(
                "{} advertises {} otherwise than keepalived.conf says of {}: {}.",
                host.called(),
                router(view.router),
                belief.name,
                differences.join("; ")
            ),
            evidence: vec![advert(view.router, own, differences.join("; "))],
            advice:
                "Reload keepalived if the file was changed since it started; if it was not, see \
                     which file the daemon reads (its command line), and what it included."
                    .to_owned(),
        }
    }
}

fn find<'a>(view: &View<'a>) -> Option<(&'a Host, &'a Belief, &'a Speaker, Vec<String>)> {
    view.beliefs().find_map(|(host, belief)| {
        let instance = host.configured(belief)?;
        let own = host.own(belief, view.router)?;
        let differences = drift::differences(instance, view.router.vrid, own);
        (!differences.is_empty()).then_some((host, belief, own, differences))
    })
}
