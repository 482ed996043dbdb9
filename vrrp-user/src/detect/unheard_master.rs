//! unheard-master: nobody is heard, and somebody announces the address.
//!
//! Who announces an address has taken it. That its adverts do not arrive here is another thing than
//! nobody being active. Where this host has left the group, a switch may withhold them rightly.

use std::net::IpAddr;

use super::{
    view::{Assessment, Description, Detector, Sign, View},
    words::{advert, router, time, who},
};
use crate::{
    model::{MacAddr, Timestamp},
    record::{Code, Evidence},
    tracker::{Speaker, timers::crossing},
};

pub(super) struct UnheardMaster;

impl Detector for UnheardMaster {
    fn code(&self) -> Code {
        Code::UnheardMaster
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        let heard = view
            .router
            .speakers()
            .any(|speaker| speaker.is_alive(view.now));
        if heard {
            return Assessment::Absent;
        }
        if view.is_deaf() {
            return Assessment::Undecided;
        }
        match (taken(view), view.router.vacant_at()) {
            (Some((address, _, mac)), Some(due)) if due <= view.now => Assessment::Present(Sign {
                addresses: vec![address].into(),
                macs: vec![mac],
                ..Sign::default()
            }),
            _ => Assessment::Undecided,
        }
    }

    fn describe(&self, view: &View<'_>, _: &Sign) -> Description {
        let (Some(last), Some((address, announced, mac))) = (view.router.active(), taken(view))
        else {
            return Description::default();
        };
        let owner = view.router.owner(mac).and_then(|id| view.speaker(id));
        let holder = match owner {
            Some(speaker) => format!("{} ({mac})", speaker.source),
            None => mac.to_string(),
        };
        Description {
            sources: vec![last.source],
            message: format!(
                "No router of {} is heard any more, but {holder} announced {address} {} ago: it \
                 has the address, and its adverts do not arrive here. The last advert was that of \
                 {}.",
                router(view.router),
                time(view.now.since(announced)),
                who(last)
            ),
            evidence: vec![
                advert(view.router, last, "the last advert".to_owned()),
                Evidence {
                    time: announced,
                    source: Some(address),
                    mac: Some(mac),
                    vrid: Some(view.router.vrid),
                    priority: None,
                    what: format!("announces {address}"),
                },
            ],
            advice:
                "Look for what drops IP protocol 112 on its way here: a firewall, a switch, IGMP \
                     snooping for 224.0.0.18. If nothing does, see whether keepalived runs on that \
                     machine."
                    .to_owned(),
        }
    }

    fn deadline(&self, view: &View<'_>) -> Option<Timestamp> {
        view.router.vacant_at()
    }
}

/// An address of the last active router that was announced since it fell silent, and by whom.
pub(super) fn taken(view: &View<'_>) -> Option<(IpAddr, Timestamp, MacAddr)> {
    let active: &Speaker = view.router.active()?;
    // What was under way beside its last advert says nothing.
    let silent = match active.resigned {
        Some(resigned) => resigned + crossing(active.interval()),
        None => active.last + active.interval(),
    };
    active.addresses().find_map(|address| {
        let (time, mac) = view.router.neighbours().announcer(address)?;
        (time > silent).then_some((address, time, mac))
    })
}
