//! daemon-stalled: the daemon does not get to run.
//!
//! It says so itself when it runs again, and only above a second. Before that it shows by adverts
//! that stop in the middle of a reign, with no line in the log that would explain it, or, where no
//! log is read, with the daemon still there and in possession of the addresses. Where the adverts had
//! stopped before anything was seen, the host tells: the daemon is there, has the addresses, and its
//! process is stopped or does not read what arrives.

use super::{
    kept::{self, Kept, Why},
    view::{Assessment, Description, Detector, Matter, Sign, View},
    words::{be, list, log_line, router, seen, time, who},
};
use crate::{
    daemon::{Belief, Host},
    log::{LogEvent, Window},
    model::{Span, Timestamp},
    record::Code,
    tracker::Speaker,
};

pub(super) struct DaemonStalled;

/// The lines that would explain why adverts stop.
const EXPLANATIONS: &[LogEvent] = &[
    LogEvent::Life,
    LogEvent::StateBackup,
    LogEvent::FaultWhy,
    LogEvent::SendErr,
    LogEvent::Link,
];

/// A stall that the daemon reported is history after this time.
const MEMORY: Span = Span::from_secs(30);

/// What to do about it.
pub(super) const ADVICE: &str = "See what keeps the daemon from running: a stopped process (`ps -C keepalived -o \
                     pid,stat` shows T; kill -CONT lets it go on), a machine without time (steal \
                     time, a snapshot or migration of the virtual machine), disk waits. Give it a real-time priority (vrrp_rt_priority, vrrp_no_swap) and \
                     longer intervals.";

/// The same where it cannot be seen whether there is a daemon still.
const ADVICE_UNSEEN: &str = "See on that host whether the daemon still runs (`systemctl status keepalived`): \
                     if it was killed, start it again; it removes the addresses, or takes them \
                     properly. If it runs, see what keeps it from the CPU.";

enum Stall<'a> {
    /// The log says so.
    Said(&'a Host, Window, Span),
    /// The adverts say so, and the log nothing. Whether the host shows that the daemon is there.
    Shown(&'a Host, &'a Belief, &'a Speaker, bool),
    /// The adverts say so, and the host, where there is no log.
    Found(&'a Speaker, Timestamp),
    /// The host says so, since this time.
    Stopped(Kept<'a>, Timestamp),
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
            Some(Stall::Shown(_, _, own, _) | Stall::Found(own, _)) => Assessment::Present(Sign {
                addresses: own.list(),
                ..Sign::default()
            }),
            Some(Stall::Said(host, ..)) => Assessment::Present(Sign {
                addresses: view
                    .beliefs()
                    .filter(|(other, _)| other.name == host.name)
                    .filter_map(|(_, belief)| host.own(belief, view.router))
                    .flat_map(Speaker::addresses)
                    .collect(),
                ..Sign::default()
            }),
            Some(Stall::Stopped(kept, _)) => Assessment::Present(Sign {
                addresses: kept.addresses(),
                ..Sign::default()
            }),
            None => Assessment::Absent,
        }
    }

    fn describe(&self, view: &View<'_>, _sign: &Sign) -> Description {
        let Some(stall) = find(view) else {
            return Description::default();
        };
        let unseen = matches!(stall, Stall::Shown(.., false));
        let (sources, message, evidence) = match stall {
            Stall::Said(host, at, late) => (
                Vec::new(),
                format!(
                    "{} ran {} late by its own log: adverts come late, and its backups may take \
                     over.",
                    host.called(),
                    time(late)
                ),
                vec![log_line(
                    at.start,
                    view.router,
                    format!("a timer expired {} late", time(late)),
                )],
            ),
            Stall::Found(own, found) => (
                vec![own.source],
                format!(
                    "This host has stopped advertising {} for {}, although its daemon is there and \
                     has the addresses: the daemon does not run, or cannot send.",
                    router(view.router),
                    time(view.now.since(own.last))
                ),
                vec![
                    seen(view.router, own, own.last, "its last advert".to_owned()),
                    log_line(
                        found,
                        view.router,
                        "a process of this host has a socket for VRRP".to_owned(),
                    ),
                ],
            ),
            Stall::Stopped(kept, since) => {
                let held = list(&kept.addresses());
                let shared = kept.active.map_or_else(String::new, |active| {
                    format!(" {} is active: neighbours reach either.", who(active))
                });
                (
                    kept.active.iter().map(|active| active.source).collect(),
                    format!(
                        "The VRRP daemon of this host is there and does not run, and {held} of {} \
                         {} still on {} and answered for.{shared}",
                        router(view.router),
                        be(&kept.held),
                        kept.interfaces(),
                    ),
                    vec![
                        log_line(
                            since,
                            view.router,
                            "the process that has the socket for VRRP is stopped, or does not \
                             read it"
                                .to_owned(),
                        ),
                        log_line(view.now, view.router, format!("the host has {held}")),
                    ],
                )
            }
            Stall::Shown(host, belief, own, there) => (
                vec![own.source],
                format!(
                    "{} is master of {} and has stopped advertising for {}, without a word in \
                     its log and with its link up: {}.",
                    host.called(),
                    router(view.router),
                    time(view.now.since(own.last)),
                    if there {
                        "the daemon is there and does not run"
                    } else {
                        "the daemon was killed, is stopped, or gets no CPU"
                    }
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
            advice: if unseen { ADVICE_UNSEEN } else { ADVICE }.to_owned(),
        }
    }

    fn deadline(&self, view: &View<'_>) -> Option<Timestamp> {
        view.beliefs()
            .flat_map(|(host, belief)| {
                let said = host.stall.map(|(at, _)| at.end + MEMORY);
                let shown = host.own(belief, view.router).map(|own| due(host, own));
                said.into_iter().chain(shown)
            })
            .chain(view.own().map(silence))
            .filter(|due| *due > view.now)
            .min()
    }
}

fn find<'a>(view: &View<'a>) -> Option<Stall<'a>> {
    let mut told = view.beliefs().filter_map(|(host, belief)| {
        if view.tells(host, belief, EXPLANATIONS)
            && let Some(own) = shown(host, belief, view)
            && let Some(there) = is_there(own, view)
        {
            return Some(Stall::Shown(host, belief, own, there));
        }
        let (at, late) = host.stall.filter(|(at, _)| view.now < at.end + MEMORY)?;
        Some(Stall::Said(host, at, late))
    });
    told.next()
        .or_else(|| {
            let (own, found) = view.own().find_map(|own| found(own, view))?;
            Some(Stall::Found(own, found))
        })
        .or_else(|| {
            let kept = kept::find(view)?;
            match kept.why {
                Why::Stalled(since) => Some(Stall::Stopped(kept, since)),
                _ => None,
            }
        })
}

fn shown<'a>(host: &Host, belief: &Belief, view: &View<'a>) -> Option<&'a Speaker> {
    let since = belief.master_since()?;
    let own = host.own(belief, view.router).filter(|_| host.here)?;
    let stopped = own.last > since.start && has_stopped(own, due(host, own), view);
    (stopped && !is_explained(host, belief, own)).then_some(own)
}

/// Whether the host shows that its daemon is there still. `None` where it is gone, which is another
/// finding, or where the host was not looked at since.
fn is_there(own: &Speaker, view: &View<'_>) -> Option<bool> {
    match view.machine.looked() {
        // As in a recording, or of another host.
        None => Some(false),
        Some(_) => view.machine.daemon_found(own.last).map(|_| true),
    }
}

/// Without a log that tells: the daemon is still there, and still has its addresses.
fn found<'a>(own: &'a Speaker, view: &View<'a>) -> Option<(&'a Speaker, Timestamp)> {
    let found = view.machine.daemon_found(own.last)?;
    let told = view.beliefs_here().any(|(host, belief)| {
        let tells = view.covers(host, belief, EXPLANATIONS) || host.coverage.gap.is_some();
        is_explained(host, belief, own) || (tells && belief.state.is_some())
    });
    let mut addresses = own.addresses().peekable();
    let keeps = addresses.peek().is_some() && addresses.all(|address| view.machine.holds(address));
    (has_stopped(own, silence(own), view) && keeps && !told).then_some((own, found))
}

/// Whether a line tells why the adverts ended.
fn is_explained(host: &Host, belief: &Belief, own: &Speaker) -> bool {
    let since_then = |window: Window| window.end >= own.last;
    host.link_down.is_some_and(since_then)
        || host.life.is_some_and(|(_, at)| since_then(at))
        || belief.leaving.is_some_and(since_then)
        || belief
            .send_error
            .as_ref()
            .is_some_and(|(at, _)| since_then(*at))
}

/// Whether a router has stopped to advertise by `due`, and nothing that is seen explains it.
fn has_stopped(own: &Speaker, due: Timestamp, view: &View<'_>) -> bool {
    let stopped = own.resigned.is_none()
        && own.is_established()
        && due <= view.now
        && view.router.saw_everything_since(own.last)
        && view.machine.daemon_gone(own.last).is_none();
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
    // Its adverts cannot leave while a unicast peer is not found.
    let held_back = view
        .router
        .sought()
        .iter()
        .any(|sought| sought.router == own.source && sought.holds_back(view.now));
    stopped && !disturbed && !silenced && !yields && !held_back
}

/// When an explanation would be in the log.
fn due(host: &Host, own: &Speaker) -> Timestamp {
    silence(own) + host.delay()
}

/// When a router has been silent too long for an accident.
fn silence(own: &Speaker) -> Timestamp {
    own.last + own.interval() * 5 / 2
}
