//! daemon-died: the daemon is gone, and its host still answers for the addresses.
//!
//! Its log says so, or, where nobody is left to write a line, the host: no socket for VRRP is open, and
//! addresses are still there that its adverts, its configuration or its log have. That need not be
//! seen as it happens.

use std::net::IpAddr;

use super::{
    kept::{self, Kept, Proof, Why},
    view::{Assessment, Description, Detector, Matter, Sign, View},
    words::{advert, be, list, log_line, router, seen, who},
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
        if let Some(Death { own, .. }) = find(view) {
            return Assessment::Present(Sign::of(own));
        }
        Assessment::from(left(view).map(|(kept, ..)| Sign {
            addresses: kept.addresses(),
            ..Sign::default()
        }))
    }

    fn describe(&self, view: &View<'_>, _sign: &Sign) -> Description {
        let description = match (find(view), left(view)) {
            (Some(death), _) => describe_death(view, &death),
            (None, Some((kept, looked, proof))) => describe_left(view, &kept, looked, proof),
            (None, None) => Description::default(),
        };
        Description {
            advice: ADVICE.to_owned(),
            ..description
        }
    }

    fn deadline(&self, view: &View<'_>) -> Option<Timestamp> {
        view.beliefs_here()
            .filter_map(|(host, _)| Some(host.life?.1.end + LAST_WORDS))
            .filter(|due| *due > view.now)
            .min()
    }
}

/// It does not say to remove the addresses: where nobody else is active they are all that serves.
pub(super) const ADVICE: &str = "Start keepalived again: it removes the addresses, or takes them properly if it \
                      becomes active. A service that is killed leaves them behind; let the service \
                      manager restart it.";

fn describe_death(view: &View<'_>, death: &Death<'_>) -> Description {
    let Death { own, how, claim } = death;
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
        advice: String::new(),
    }
}

/// What a daemon left that was gone before anything was seen of it.
fn left<'a>(view: &View<'a>) -> Option<(Kept<'a>, Timestamp, Proof<'a>)> {
    let kept = kept::find(view)?;
    match kept.why {
        Why::Dead(looked, proof) => Some((kept, looked, proof)),
        _ => None,
    }
}

fn describe_left(
    view: &View<'_>,
    kept: &Kept<'_>,
    looked: Timestamp,
    proof: Proof<'_>,
) -> Description {
    let held = list(&kept.addresses());
    let (whose, time) = match proof {
        Proof::Adverts => ("it has advertised them".to_owned(), looked),
        Proof::Conf(name) => (format!("({name}) has them by keepalived.conf"), looked),
        Proof::Log(name, Some(since)) => (format!("({name}) was master by its log"), since.start),
        Proof::Log(name, None) => (format!("({name}) has them by its log"), looked),
    };
    let shared = kept.active.map_or_else(String::new, |active| {
        format!(", and {} is active: neighbours reach either", who(active))
    });
    let active = kept
        .active
        .map(|active| advert(view.router, active, "the active router".to_owned()));
    Description {
        sources: view
            .own()
            .next()
            .or(kept.active)
            .map(|speaker| speaker.source)
            .into_iter()
            .collect(),
        message: format!(
            "No VRRP daemon runs on this host, but {held} of {} {} still on {} and answered \
             for{shared}.",
            router(view.router),
            be(&kept.held),
            kept.interfaces(),
        ),
        evidence: [
            log_line(
                looked,
                view.router,
                "no process of this host has a socket for VRRP".to_owned(),
            ),
            log_line(time, view.router, whose),
            log_line(view.now, view.router, format!("the host has {held}")),
        ]
        .into_iter()
        .chain(active)
        .collect(),
        advice: String::new(),
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
