//! local-drop: adverts reach this host, and its daemon does not get them.
//!
//! Whether adverts kept coming is judged when the daemon gives up waiting for them; the finding
//! lasts for as long as the daemon stays master beside the router it does not hear.

use super::{
    view::{Assessment, Description, Detector, Matter, Sign, View},
    words::{log_line, router, seen},
};
use crate::{
    daemon::{Belief, Host, Unheard},
    log::LogEvent,
    record::Code,
    tracker::Speaker,
};

pub(super) struct LocalDrop;

/// The lines that would tell why it became master although it heard the other.
const REASONS: &[LogEvent] = &[LogEvent::PrioChange, LogEvent::RxLowerAsBackup];

impl Detector for LocalDrop {
    fn code(&self) -> Code {
        Code::LocalDrop
    }

    fn matter(&self) -> Matter {
        Matter::Daemon
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        match find(view) {
            Some((_, _, speaker, _)) => Assessment::Present(Sign {
                addresses: speaker.addresses().collect(),
                speakers: vec![speaker.id()],
                ..Sign::default()
            }),
            None => Assessment::Absent,
        }
    }

    fn describe(&self, view: &View<'_>, _sign: &Sign) -> Description {
        let Some((host, belief, speaker, unheard)) = find(view) else {
            return Description::default();
        };
        Description {
            sources: vec![speaker.source],
            message: format!(
                "{} gave up waiting for adverts of {} and became master, although those of {} kept \
                 arriving at this host without a gap: something on the host drops them.",
                host.called(),
                router(view.router),
                speaker.source
            ),
            evidence: vec![
                seen(
                    view.router,
                    speaker,
                    unheard.last,
                    "an advert arrives at this host, as all before it did".to_owned(),
                ),
                log_line(
                    unheard.given_up.start,
                    view.router,
                    format!("({}) has heard nothing, by its log", belief.name),
                ),
            ],
            advice: "Look for what drops IP protocol 112 behind the network card: nftables or \
                     iptables (a rule for the multicast group, too), rp_filter on the interface, \
                     a full socket buffer; with use_vmac, rules for the macvlan interface."
                .to_owned(),
        }
    }

    fn deadline(&self, view: &View<'_>) -> Option<crate::model::Timestamp> {
        find(view).map(|(_, _, speaker, _)| speaker.dead_at())
    }
}

fn find<'a>(view: &View<'a>) -> Option<(&'a Host, &'a Belief, &'a Speaker, &'a Unheard)> {
    let mut here = view.telling(REASONS).filter(|(host, _)| host.here);
    here.find_map(|(host, belief)| {
        let unheard = belief.unheard.as_ref()?;
        let speaker = view
            .router
            .speakers()
            .find(|speaker| speaker.source == unheard.source)
            .filter(|speaker| speaker.is_alive(view.now))?;
        Some((host, belief, speaker, unheard))
    })
}
