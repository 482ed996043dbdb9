//! owner-conflict: two routers advertise priority 255.

use super::{
    view::{Assessment, Description, Detector, Matter, Sign, View},
    words::{advert, router, who},
};
use crate::{model::Priority, record::Code, tracker::Speaker};

pub(super) struct OwnerConflict;

impl Detector for OwnerConflict {
    fn code(&self) -> Code {
        Code::OwnerConflict
    }

    fn matter(&self) -> Matter {
        Matter::Rivals
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        let owners: Vec<&Speaker> = view
            .router
            .speakers()
            .filter(|speaker| speaker.priority == Priority::OWNER)
            .filter(|speaker| view.router.may_be_active(speaker, view.now))
            .collect();
        Assessment::present_if(owners.len() > 1, || Sign {
            addresses: owners[0].list(),
            speakers: owners.iter().map(|speaker| speaker.id()).collect(),
            ..Sign::default()
        })
    }

    fn describe(&self, view: &View<'_>, sign: &Sign) -> Description {
        let owners: Vec<&Speaker> = sign
            .speakers
            .iter()
            .filter_map(|id| view.speaker(*id))
            .collect();
        let names: Vec<String> = owners.iter().map(|speaker| who(speaker)).collect();
        Description {
            sources: owners.iter().map(|speaker| speaker.source).collect(),
            message: format!(
                "{} of {} both claim to own its addresses.",
                names.join(" and "),
                router(view.router)
            ),
            evidence: owners
                .iter()
                .map(|speaker| advert(view.router, speaker, "priority 255".to_owned()))
                .collect(),
            advice: "Priority 255 is for the one machine that has the address without VRRP. Give \
                     all others, or all if none has, a priority of at most 254."
                .to_owned(),
        }
    }
}
