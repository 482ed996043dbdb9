//! false-owner: priority 255 from a router that owns none of the addresses.

use super::{
    view::{Assessment, Description, Detector, Sign, View},
    words::{addresses, advert, router, who},
};
use crate::{model::Priority, record::Code};

pub(super) struct FalseOwner;

impl Detector for FalseOwner {
    fn code(&self) -> Code {
        Code::FalseOwner
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        let false_owner = view.router.speakers().find(|speaker| {
            speaker.priority == Priority::OWNER
                && speaker.is_alive(view.now)
                && speaker.addresses().next().is_some()
                && speaker.addresses().all(|address| address != speaker.source)
        });
        match false_owner {
            None => Assessment::Absent,
            Some(speaker) => Assessment::Present(Sign::of(speaker)),
        }
    }

    fn describe(&self, view: &View<'_>, sign: &Sign) -> Description {
        let Some(speaker) = sign.speakers.first().and_then(|id| view.speaker(*id)) else {
            return Description::default();
        };
        Description {
            sources: vec![speaker.source],
            message: format!(
                "{} of {} claims with priority 255 to own {}, but sends from another address.",
                who(speaker),
                router(view.router),
                addresses(speaker)
            ),
            evidence: vec![advert(view.router, speaker, "priority 255".to_owned())],
            advice:
                "Set a priority of at most 254. With 255 keepalived becomes active at once when \
                     it starts, without listening whether another router is."
                    .to_owned(),
        }
    }
}
