//! daemon-died: the daemon is gone by its log, and its host still answers for the addresses.

use super::{
    view::{Assessment, Description, Detector, Matter, Sign, View},
    words::{log_line, router, seen},
};
use crate::{
    daemon::{Belief, Host},
    log::{Life, Window},
    model::{Span, Timestamp},
    record::Code,
    tracker::Speaker,
};

pub(super) struct DaemonDied;

/// What was said at the very end was said while the daemon lived.
const LAST_WORDS: Span = Span::from_millis(500);

impl Detector for DaemonDied {
    fn code(&self) -> Code {
        Code::DaemonDied
    }

    fn matter(&self) -> Matter {
        Matter::Daemon
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        let Some((.., own, _, _)) = find(view) else {
            return Assessment::Absent;
        };
        Assessment::Present(Sign {
            addresses: own.addresses().collect(),
            speakers: vec![own.id()],
            ..Sign::default()
        })
    }

    fn describe(&self, view: &View<'_>, _sign: &Sign) -> Description {
        let Some((host, _, own, gone, claim)) = find(view) else {
            return Description::default();
        };
        Description {
            sources: vec![own.source],
            message: format!(
                "The daemon of {} is gone by its log, but the host still answers for the addresses \
                 of {}: the router that takes over shares them with it.",
                host.called(),
                router(view.router)
            ),
            evidence: vec![
                log_line(
                    gone.start,
                    view.router,
                    "the daemon ends, by its log".to_owned(),
                ),
                seen(view.router, own, claim, "it claims an address".to_owned()),
            ],
            advice: "Start keepalived again, or remove the addresses from the host by hand \
                     (ip address del). A service that is killed leaves them behind; let the \
                     service manager restart it."
                .to_owned(),
        }
    }

    fn deadline(&self, _view: &View<'_>) -> Option<Timestamp> {
        None
    }
}

type Found<'a> = (&'a Host, &'a Belief, &'a Speaker, Window, Timestamp);

fn find<'a>(view: &View<'a>) -> Option<Found<'a>> {
    view.beliefs().find_map(|(host, belief)| {
        let (life, gone) = host.life?;
        let own = host.own(belief, view.router)?;
        let claim = own.last_claim()?;
        let dead = matches!(life, Life::Died | Life::Stopped);
        // One that advertises is back.
        let silent = own.last < gone.end + LAST_WORDS;
        (dead && silent && claim > gone.end + LAST_WORDS)
            .then_some((host, belief, own, gone, claim))
    })
}
