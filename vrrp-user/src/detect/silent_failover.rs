//! silent-failover: the active router stopped without resigning and another took over.

use super::{
    view::{Assessment, Description, Detector, Sign, View},
    words::{addresses, router, time, who},
};
use crate::record::{Code, Evidence};

pub(super) struct SilentFailover;

impl Detector for SilentFailover {
    fn code(&self) -> Code {
        Code::SilentFailover
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        match view.router.silent_failover() {
            Some(failover) if view.now < failover.until => Assessment::Present(Sign {
                addresses: view
                    .speaker(failover.to)
                    .map(crate::tracker::Speaker::list)
                    .unwrap_or_default(),
                speakers: vec![failover.from, failover.to],
                ..Sign::default()
            }),
            _ => Assessment::Absent,
        }
    }

    fn describe(&self, view: &View<'_>, _: &Sign) -> Description {
        let Some(failover) = view.router.silent_failover() else {
            return Description::default();
        };
        let (Some(from), Some(to)) = (view.speaker(failover.from), view.speaker(failover.to))
        else {
            return Description::default();
        };
        let gap = time(failover.taken.since(failover.last));
        let from_name = if failover.from == failover.to {
            format!("the other machine behind {}", from.source)
        } else {
            who(from)
        };
        let evidence = |time, speaker: &crate::tracker::Speaker, what: &str| Evidence {
            time,
            source: Some(speaker.source),
            mac: speaker.mac,
            vrid: Some(view.router.vrid),
            priority: Some(speaker.priority),
            what: what.to_owned(),
        };
        Description {
            sources: vec![from.source, to.source],
            message: format!(
                "{from_name} of {} fell silent without resigning; {} took {} over {gap} later.",
                router(view.router),
                who(to),
                addresses(to)
            ),
            evidence: vec![
                evidence(failover.last, from, "its last advert, no resignation"),
                evidence(failover.taken, to, "first advert of the new active router"),
            ],
            advice: format!(
                "See what became of {}: crashed, killed, hung, or cut off. If it is up it may \
                 still have the addresses.",
                from.source
            ),
        }
    }
}
