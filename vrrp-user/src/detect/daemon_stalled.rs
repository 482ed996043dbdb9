//! daemon-stalled: the daemon does not get to run.
//!
//! It says so itself when it runs again, and only above a second. Before that it shows by adverts
//! that stop in the middle of a reign, with no line in the log that would explain it.

use super::{
    view::{Assessment, Description, Detector, Matter, Sign, View},
    words::{log_line, router, seen, time},
};
use crate::{
    daemon::{Belief, Host},
    log::Window,
    model::{Span, Timestamp},
    record::Code,
    tracker::Speaker,
};

pub(super) struct DaemonStalled;

/// A stall that the daemon reported is history after so long.
const MEMORY: Span = Span::from_secs(30);

enum Stall<'a> {
    /// The log says so.
    Said(Window, Span),
    /// The adverts say so.
    Shown(&'a Belief, &'a Speaker),
}

impl Detector for DaemonStalled {
    fn code(&self) -> Code {
        Code::DaemonStalled
    }

    fn matter(&self) -> Matter {
        Matter::Daemon
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        match find(view) {
            Some((_, Stall::Shown(_, own))) => Assessment::Present(Sign {
                addresses: own.addresses().collect(),
                ..Sign::default()
            }),
            Some((host, Stall::Said(..))) => Assessment::Present(Sign {
                addresses: view
                    .beliefs()
                    .filter(|(other, _)| other.name == host.name)
                    .filter_map(|(_, belief)| host.own(belief, view.router))
                    .flat_map(Speaker::addresses)
                    .collect(),
                ..Sign::default()
            }),
            None => Assessment::Absent,
        }
    }

    fn describe(&self, view: &View<'_>, _sign: &Sign) -> Description {
        let Some((host, stall)) = find(view) else {
            return Description::default();
        };
        let name = host.called();
        let (sources, message, evidence) = match stall {
            Stall::Said(at, late) => (
                Vec::new(),
                format!(
                    "{name} ran {} late by its own log: adverts come late, and its backups may \
                     take over.",
                    time(late)
                ),
                vec![log_line(
                    at.start,
                    view.router,
                    format!("a timer expired {} late", time(late)),
                )],
            ),
            Stall::Shown(belief, own) => (
                vec![own.source],
                format!(
                    "{name} is master of {} and has stopped advertising for {}, without a word in \
                     its log and with its link up: the daemon does not run.",
                    router(view.router),
                    time(view.now.since(own.last))
                ),
                vec![
                    seen(view.router, own, own.last, "its last advert".to_owned()),
                    log_line(
                        belief.master_since().map_or(own.last, |since| since.start),
                        view.router,
                        format!("({}) is master since, by its log", belief.name),
                    ),
                ],
            ),
        };
        Description {
            sources,
            message,
            evidence,
            advice: "See what keeps the daemon from running: a machine without time (steal time, \
                     a snapshot or migration of the virtual machine), a stopped process, disk \
                     waits. Give it a real-time priority (vrrp_rt_priority, vrrp_no_swap) and \
                     longer intervals."
                .to_owned(),
        }
    }

    fn deadline(&self, view: &View<'_>) -> Option<Timestamp> {
        view.beliefs()
            .flat_map(|(host, belief)| {
                let said = host.stall.map(|(at, _)| at.end + MEMORY);
                let shown = host.own(belief, view.router).map(|own| due(host, own));
                said.into_iter().chain(shown)
            })
            .filter(|due| *due > view.now)
            .min()
    }
}

fn find<'a>(view: &View<'a>) -> Option<(&'a Host, Stall<'a>)> {
    view.beliefs().find_map(|(host, belief)| {
        if let Some(own) = shown(host, belief, view) {
            return Some((host, Stall::Shown(belief, own)));
        }
        let (at, late) = host.stall.filter(|(at, _)| view.now < at.end + MEMORY)?;
        Some((host, Stall::Said(at, late)))
    })
}

fn shown<'a>(host: &Host, belief: &Belief, view: &View<'a>) -> Option<&'a Speaker> {
    let since = belief.master_since()?;
    let own = host.own(belief, view.router).filter(|_| host.here)?;
    let stopped = own.resigned.is_none()
        && own.is_established()
        && own.last > since.start
        && due(host, own) <= view.now
        && view.router.saw_everything_since(own.last);
    let since_then = |window: Window| window.end >= own.last;
    let explained = host.link_down.is_some_and(since_then)
        || host.life.is_some_and(|(_, at)| since_then(at))
        || belief.leaving.is_some_and(since_then)
        || belief
            .send_error
            .as_ref()
            .is_some_and(|(at, _)| since_then(*at));
    // Packets of others start a master's timer anew, and a better router makes it yield.
    let disturbed = view
        .router
        .noise()
        .is_some_and(|noise| noise >= own.last && noise + own.interval() * 2 > view.now);
    let others = || {
        view.router
            .speakers()
            .filter(|other| other.id() != own.id())
    };
    let silenced = others().any(|other| view.now < other.gone_at() && own.rejects(other).is_some());
    let yields = others().any(|other| other.is_alive(view.now) && other.priority >= own.priority);
    let held_back = disturbed || silenced || yields;
    (stopped && !explained && !held_back).then_some(own)
}

/// When an explanation would be in the log.
fn due(host: &Host, own: &Speaker) -> Timestamp {
    own.last + own.interval() * 5 / 2 + host.delay()
}
