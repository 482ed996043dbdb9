//! peer-unreachable: a unicast peer does not answer, and there is no backup.

use super::{
    view::{Assessment, Description, Detector, Sign, View},
    words::{router, time, who},
};
use crate::{
    model::Timestamp,
    record::{Code, Evidence},
    tracker::{Speaker, peers::PeerSought},
};

pub(super) struct PeerUnreachable;

impl Detector for PeerUnreachable {
    fn code(&self) -> Code {
        Code::PeerUnreachable
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        Assessment::present_if(find(view).next().is_some(), || Sign {
            addresses: view.router.active().map(Speaker::list).unwrap_or_default(),
            speakers: view.router.active().map(Speaker::id).into_iter().collect(),
            ..Sign::default()
        })
    }

    fn describe(&self, view: &View<'_>, _: &Sign) -> Description {
        let (Some(active), Some(sought)) = (view.router.active(), find(view).next()) else {
            return Description::default();
        };
        let peer = sought.peer;
        Description {
            sources: vec![active.source],
            message: format!(
                "{} of {} has no backup: its unicast peer {peer} has not answered ARP for {}, so its \
                 adverts cannot leave. It holds the addresses, and goes on.",
                who(active),
                router(view.router),
                time(view.now.since(sought.first))
            ),
            evidence: vec![Evidence {
                time: sought.last,
                source: Some(active.source),
                mac: active.mac,
                vrid: Some(view.router.vrid),
                priority: Some(active.priority),
                what: format!("asks for {peer}, {} times without an answer", sought.count),
            }],
            advice: advice(&peer.to_string()),
        }
    }

    fn deadline(&self, view: &View<'_>) -> Option<Timestamp> {
        find(view).map(PeerSought::over_at).min()
    }
}

/// What to do about it.
pub(super) fn advice(peer: &str) -> String {
    format!(
        "See whether {peer} is up and connected. Until it answers, nobody takes over if this router \
         fails."
    )
}

/// The peers that the active router seeks in vain.
fn find<'a>(view: &View<'a>) -> impl Iterator<Item = &'a PeerSought> + use<'a> {
    let active = view.router.active().map(|active| active.source);
    let now = view.now;
    view.router
        .sought()
        .iter()
        .filter(move |sought| Some(sought.router) == active && sought.in_vain(now))
}
