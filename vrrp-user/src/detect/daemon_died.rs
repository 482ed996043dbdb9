//! daemon-died: the daemon is gone, and its host still answers for the addresses.
//!
//! Its log says so, or, where nobody is left to write a line, the host: no socket for VRRP is open
//! any more, and the addresses are still there.

use std::net::IpAddr;

use super::{
    view::{Assessment, Description, Detector, Matter, Sign, View},
    words::{list, log_line, router, seen},
};
use crate::{
    daemon::{Belief, Host},
    log::{Life, Window},
    model::{Span, Timestamp},
    record::{Code, Evidence},
    tracker::Speaker,
};

pub(super) struct DaemonDied;

/// What was said at the very end was said while the daemon lived.
const LAST_WORDS: Span = Span::from_millis(500);

struct Death<'a> {
    own: &'a Speaker,
    how: How<'a>,
    /// When it claimed an address after that; otherwise the host still has them.
    claim: Option<Timestamp>,
}

enum How<'a> {
    /// The log says so.
    Said(&'a Host, Window),
    /// There is no daemon any more on this host.
    Shown(Timestamp),
}

impl Detector for DaemonDied {
    fn code(&self) -> Code {
        Code::DaemonDied
    }

    fn matter(&self) -> Matter {
        Matter::Daemon
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        let Some(Death { own, .. }) = find(view) else {
            return Assessment::Absent;
        };
        Assessment::Present(Sign::of(own))
    }

    fn describe(&self, view: &View<'_>, _sign: &Sign) -> Description {
        let Some(death) = find(view) else {
            return Description::default();
        };
        let Death { own, how, claim } = &death;
        let (whose, end) = match how {
            How::Said(host, gone) => (
                format!("The daemon of {} is gone by its log", host.called()),
                log_line(
                    gone.start,
                    view.router,
                    "the daemon ends, by its log".to_owned(),
                ),
            ),
            How::Shown(gone) => (
                "The VRRP daemon of this host is gone without a word".to_owned(),
                log_line(
                    *gone,
                    view.router,
                    "no process of this host has a socket for VRRP any more".to_owned(),
                ),
            ),
        };
        let kept: Vec<IpAddr> = held(view, own).collect();
        let proof = match claim {
            Some(claim) => seen(view.router, own, *claim, "it claims an address".to_owned()),
            None => Evidence {
                source: Some(own.source),
                ..log_line(
                    view.now,
                    view.router,
                    format!("the host still has {}", list(kept)),
                )
            },
        };
        Description {
            sources: vec![own.source],
            message: format!(
                "{whose}, but the host still answers for the addresses of {}: the router that takes \
                 over shares them with it.",
                router(view.router)
            ),
            evidence: vec![
                seen(view.router, own, own.last, "its last advert".to_owned()),
                end,
                proof,
            ],
            advice: "Start keepalived again, or remove the addresses from the host by hand \
                     (ip address del). A service that is killed leaves them behind; let the \
                     service manager restart it."
                .to_owned(),
        }
    }

    fn deadline(&self, view: &View<'_>) -> Option<Timestamp> {
        view.beliefs_here()
            .filter_map(|(host, _)| Some(host.life?.1.end + LAST_WORDS))
            .filter(|due| *due > view.now)
            .min()
    }
}

fn find<'a>(view: &View<'a>) -> Option<Death<'a>> {
    view.beliefs()
        .find_map(|(host, belief)| said(host, belief, view))
        .or_else(|| view.own().find_map(|own| shown(own, view)))
}

fn said<'a>(host: &'a Host, belief: &Belief, view: &View<'a>) -> Option<Death<'a>> {
    let (life, gone) = host.life?;
    let own = host.own(belief, view.router)?;
    // It takes its addresses with it when it ends in good order, and has no time to when not.
    let over = match life {
        Life::Died => gone.end,
        Life::Stopped => gone.end + LAST_WORDS,
        Life::Starting | Life::Reloading | Life::Stopping => return None,
    };
    let claim = own
        .last_claim()
        .filter(|claim| *claim > gone.end + LAST_WORDS);
    let kept = host.here && view.now >= over && held(view, own).next().is_some();
    // One that advertises is back.
    let silent = own.resigned.is_some() || own.last < gone.end + LAST_WORDS;
    (silent && (claim.is_some() || kept)).then_some(Death {
        own,
        how: How::Said(host, gone),
        claim,
    })
}

fn shown<'a>(own: &'a Speaker, view: &View<'a>) -> Option<Death<'a>> {
    let gone = view.machine.daemon_gone(own.last)?;
    let kept = own.resigned.is_none() && held(view, own).next().is_some();
    kept.then_some(Death {
        own,
        how: How::Shown(gone),
        claim: None,
    })
}

/// The addresses of a router that this host has.
fn held<'a>(view: &View<'a>, own: &'a Speaker) -> impl Iterator<Item = IpAddr> + use<'a> {
    let machine = view.machine;
    own.addresses()
        .filter(move |address| machine.holds(*address))
}
