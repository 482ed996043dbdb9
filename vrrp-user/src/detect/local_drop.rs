//! local-drop: adverts reach this host, and its daemon does not get them.
//!
//! Whether adverts kept coming is judged when the daemon gives up waiting for them; the finding
//! lasts for as long as the daemon stays master beside the router it does not hear. What drops the
//! adverts, the kernel is asked for seconds after the finding was raised.

use super::{
    view::{Assessment, Description, Detector, Matter, Sign, View},
    words::{log_line, router, seen},
};
use crate::{
    daemon::{Belief, Host, Unheard},
    dropped::Dropped,
    log::LogEvent,
    record::{Cause, Code, Evidence},
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
            Some((_, _, speaker, unheard)) => Assessment::Present(Sign {
                cause: unheard
                    .dropped
                    .as_ref()
                    .and_then(Dropped::why)
                    .map(|why| Cause::Kernel(why.into())),
                ..Sign::of(speaker)
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
                 arriving at this host without a gap: {} drops them.",
                host.called(),
                router(view.router),
                speaker.source,
                unheard
                    .dropped
                    .as_ref()
                    .map_or("something on the host".to_owned(), Dropped::describe)
            ),
            evidence: [
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
            ]
            .into_iter()
            .chain(unheard.dropped.as_ref().map(|it| counted(it, view)))
            .collect(),
            advice: match &unheard.dropped {
                Some(dropped) => sentence(dropped.advice()),
                None => "Look for what drops IP protocol 112 behind the network card: nftables or \
                         iptables (a rule for the multicast group, too), rp_filter on the \
                         interface, a full socket buffer; with use_vmac, rules for the macvlan \
                         interface. `vrrpwatch why-dropped` asks the kernel."
                    .to_owned(),
            },
        }
    }

    fn deadline(&self, view: &View<'_>) -> Option<crate::model::Timestamp> {
        find(view).map(|(_, _, speaker, _)| speaker.dead_at())
    }
}

/// What the kernel says, as evidence.
fn counted(dropped: &Dropped, view: &View<'_>) -> Evidence {
    let count = match dropped.count {
        1 => "an advert of it".to_owned(),
        count => format!("{count} adverts of it"),
    };
    let interface = dropped.interface.as_deref().unwrap_or("an interface");
    let place = dropped.place.as_deref().unwrap_or("a place that it hides");
    let reason = dropped.reason.as_deref().unwrap_or("without a reason");
    Evidence {
        time: view.now,
        source: Some(dropped.source),
        mac: None,
        vrid: Some(view.router.vrid),
        priority: None,
        what: format!("the kernel has dropped {count} from {interface}: {reason}, at {place}"),
    }
}

/// Advice as a sentence.
fn sentence(advice: &str) -> String {
    let (first, rest) = advice.split_at(1);
    format!("{}{rest}.", first.to_uppercase())
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
