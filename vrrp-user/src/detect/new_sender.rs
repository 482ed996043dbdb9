//! new-sender: the adverts of a router come from another MAC than before.

use super::{
    view::{Assessment, Description, Detector, Sign, View},
    words::{router, time},
};
use crate::{
    model::Timestamp,
    record::{Code, Evidence},
    tracker::{Speaker, senders::Sender},
};

pub(super) struct NewSender;

impl Detector for NewSender {
    fn code(&self) -> Code {
        Code::NewSender
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        let Some((speaker, usual, other)) = doubtful(view) else {
            return Assessment::Absent;
        };
        let mut macs = vec![usual.mac, other.mac];
        macs.sort_unstable();
        Assessment::Present(Sign {
            macs,
            ..Sign::of(speaker)
        })
    }

    fn describe(&self, view: &View<'_>, _: &Sign) -> Description {
        let Some((speaker, usual, other)) = doubtful(view) else {
            return Description::default();
        };
        let evidence = |sender: Sender| Evidence {
            time: sender.last,
            source: Some(speaker.source),
            mac: Some(sender.mac),
            vrid: Some(view.router.vrid),
            priority: Some(speaker.priority),
            what: format!(
                "{} adverts from {}, over {}",
                sender.adverts,
                sender.mac,
                time(sender.last.since(sender.first))
            ),
        };
        let (before, after) = if usual.first <= other.first {
            (usual, other)
        } else {
            (other, usual)
        };
        Description {
            sources: vec![speaker.source],
            message: format!(
                "Adverts of {} for {} come from {}; before they came from {}.",
                speaker.source,
                router(view.router),
                after.mac,
                before.mac
            ),
            evidence: vec![evidence(before), evidence(after)],
            advice: format!(
                "If the machine, its network card or use_vmac was changed just now, or two routers \
                 share the address {}, it is fine. Otherwise another machine sends in its name, and \
                 what is said of this virtual router may be made up: find {} in the switch (`bridge \
                 fdb show` on a Linux bridge), and let ports of others send no IP protocol 112.",
                speaker.source, after.mac
            ),
        }
    }

    fn deadline(&self, view: &View<'_>) -> Option<Timestamp> {
        view.router
            .speakers()
            .filter_map(|speaker| speaker.senders().over())
            .filter(|over| *over > view.now)
            .min()
    }
}

/// The router whose adverts came from two MACs of late, the latest first.
fn doubtful<'a>(view: &View<'a>) -> Option<(&'a Speaker, Sender, Sender)> {
    view.router
        .speakers()
        .filter_map(|speaker| {
            let (usual, other) = speaker.senders().two(view.now)?;
            Some((speaker, usual, other))
        })
        .max_by_key(|(speaker, _, other)| (other.last, speaker.id()))
}
