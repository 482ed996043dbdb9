//! vmac-mismatch: a virtual MAC that does not fit the VRID, or is used half of the time.

use super::{
    view::{Assessment, Description, Detector, Sign, View},
    words::{advert, router},
};
use crate::{
    model::MacAddr,
    record::{Code, Evidence},
    tracker::Speaker,
};

pub(super) struct VmacMismatch;

impl Detector for VmacMismatch {
    fn code(&self) -> Code {
        Code::VmacMismatch
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        if let Some(speaker) = stranger(view) {
            return Assessment::Present(Sign {
                speakers: vec![speaker.id()],
                macs: speaker.mac.into_iter().collect(),
                ..Sign::default()
            });
        }
        match view.router.neighbours().mixed() {
            Some(mixed) => Assessment::Present(Sign {
                addresses: vec![mixed.address].into(),
                macs: vec![mixed.mac],
                ..Sign::default()
            }),
            None => Assessment::Absent,
        }
    }

    fn describe(&self, view: &View<'_>, sign: &Sign) -> Description {
        let expected = view.router.virtual_mac();
        if let Some(speaker) = sign.speakers.first().and_then(|id| view.speaker(*id)) {
            return wrong_mac(view, speaker, expected);
        }
        let (Some(active), Some(mixed)) = (view.router.active(), view.router.neighbours().mixed())
        else {
            return Description::default();
        };
        Description {
            sources: vec![active.source],
            message: format!(
                "{} of {} advertises with the virtual MAC {expected}, but tells neighbours that \
                 {} is at its own MAC {}.",
                active.source,
                router(view.router),
                mixed.address,
                mixed.mac
            ),
            evidence: vec![
                advert(view.router, active, format!("advert from {expected}")),
                Evidence {
                    time: mixed.time,
                    source: Some(mixed.address),
                    mac: Some(mixed.mac),
                    vrid: Some(view.router.vrid),
                    priority: None,
                    what: format!("{} is said to be at {}", mixed.address, mixed.mac),
                },
            ],
            advice: "With use_vmac the address must be on the macvlan interface alone: look for a \
                     second copy on the parent interface, and set arp_ignore=1 there."
                .to_owned(),
        }
    }
}

/// A router that advertises from the virtual MAC of another virtual router.
fn stranger<'a>(view: &View<'a>) -> Option<&'a Speaker> {
    view.router.speakers().find(|speaker| {
        speaker.is_alive(view.now)
            && speaker
                .mac
                .and_then(MacAddr::virtual_router)
                .is_some_and(|of| of != (view.router.family, view.router.vrid))
    })
}

fn wrong_mac(view: &View<'_>, speaker: &Speaker, expected: MacAddr) -> Description {
    let mac = speaker.mac.map(|mac| mac.to_string()).unwrap_or_default();
    Description {
        sources: vec![speaker.source],
        message: format!(
            "{} advertises {} from {mac}, the virtual MAC of another virtual router; it should be \
             {expected}.",
            speaker.source,
            router(view.router)
        ),
        evidence: vec![advert(view.router, speaker, format!("advert from {mac}"))],
        advice: "Look for a macvlan interface or a use_vmac that was made for another \
                 virtual_router_id, and let keepalived make it anew."
            .to_owned(),
    }
}
