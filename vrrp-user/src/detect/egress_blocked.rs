//! egress-blocked: the daemon is master by its log, and none of its adverts leaves the host. Without a
//! log the host has to have the addresses, and its kernel to drop the adverts.

use super::{
    kept::{self, Kept, Why},
    view::{Assessment, Description, Detector, Matter, Sign, View},
    words::{list, log_line, router, time},
};
use crate::{
    daemon::{Belief, Host},
    dropped::Dropped,
    keepalived_conf::drift,
    log::{LogEvent, Window},
    machine::Puzzle,
    model::{Span, Timestamp},
    record::{Cause, Code},
};

pub(super) struct EgressBlocked;

impl Detector for EgressBlocked {
    fn code(&self) -> Code {
        Code::EgressBlocked
    }

    fn matter(&self) -> Matter {
        Matter::Daemon
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        if let Some((_, belief, _)) = find(view) {
            // What the host has is known at once, what the log names of it one by one.
            let addresses = kept::find(view).map_or_else(
                || belief.addresses.iter().copied().collect(),
                |kept| kept.addresses(),
            );
            return Assessment::Present(Sign {
                addresses,
                ..Sign::default()
            });
        }
        match counted(view) {
            Some((kept, dropped)) => Assessment::Present(Sign {
                cause: dropped.why().map(|why| Cause::Kernel(why.into())),
                addresses: kept.addresses(),
                ..Sign::default()
            }),
            None => Assessment::Absent,
        }
    }

    fn describe(&self, view: &View<'_>, _sign: &Sign) -> Description {
        let Some((host, belief, since)) = find(view) else {
            return counted(view)
                .map(|(kept, dropped)| describe_counted(view, &kept, dropped))
                .unwrap_or_default();
        };
        // What left before the watch began was not seen.
        let seen = since.start.max(view.router.watched_since());
        let why = match &belief.send_error {
            Some((_, error)) => format!(": the system refuses to send them ({error})"),
            None => String::new(),
        };
        let mut evidence = vec![log_line(
            since.start,
            view.router,
            format!("({}) is master, by its log", belief.name),
        )];
        if let Some((time, error)) = &belief.send_error {
            evidence.push(log_line(
                time.start,
                view.router,
                format!("({}) cannot send an advert: {error}", belief.name),
            ));
        }
        evidence.push(log_line(
            view.now,
            view.router,
            "no advert of this host until here".to_owned(),
        ));
        Description {
            sources: host
                .own(belief, view.router)
                .map(|own| own.source)
                .into_iter()
                .collect(),
            message: format!(
                "{} is master of {} by its log, but none of its adverts has left this host for \
                 {}{why}.",
                host.called(),
                router(view.router),
                time(
                    view.now
                        .since(silent_since(host, belief, view).unwrap_or(seen))
                )
            ),
            evidence,
            advice: "Look for what drops IP protocol 112 on its way out: the output chain of \
                     nftables or iptables, the ruleset of a container or hypervisor, a missing \
                     route or interface for the multicast group."
                .to_owned(),
        }
    }

    fn deadline(&self, view: &View<'_>) -> Option<Timestamp> {
        view.beliefs_here()
            .filter_map(|(host, belief)| Some(due(host, belief, view)?.0))
            .filter(|due| *due > view.now)
            .min()
    }
}

/// Whether it is so: the address that is still here is a master's.
pub(super) fn is_found(view: &View<'_>) -> bool {
    find(view).is_some() || drops(view).is_some()
}

/// Adverts of this host that its kernel drops on their way out.
fn drops<'a>(view: &View<'a>) -> Option<&'a Dropped> {
    match view.machine.puzzle(view.router.id())? {
        Puzzle::Unsent(dropped) => dropped.as_ref(),
        Puzzle::Unheeded(..) => None,
    }
}

/// Without a log: this host has the addresses, and its kernel drops the adverts that it sends.
fn counted<'a>(view: &View<'a>) -> Option<(Kept<'a>, &'a Dropped)> {
    let kept = kept::find(view).filter(|kept| kept.why == Why::Blocked)?;
    Some((kept, drops(view)?))
}

fn describe_counted(view: &View<'_>, kept: &Kept<'_>, dropped: &Dropped) -> Description {
    let place = dropped.place.as_deref().unwrap_or("a place that it hides");
    Description {
        sources: vec![dropped.source],
        message: format!(
            "The daemon of this host is active for {} and has {}, but none of its adverts leaves: \
             {} drops them.",
            router(view.router),
            list(&kept.addresses()),
            dropped.describe()
        ),
        evidence: vec![
            log_line(
                view.now,
                view.router,
                format!(
                    "the kernel has dropped {} that {} sent, at {place}",
                    match dropped.count {
                        1 => "an advert".to_owned(),
                        count => format!("{count} adverts"),
                    },
                    dropped.source
                ),
            ),
            log_line(
                view.now,
                view.router,
                "no advert of this host until here".to_owned(),
            ),
        ],
        advice: super::words::sentence(dropped.advice()),
    }
}

fn find<'a>(view: &View<'a>) -> Option<(&'a Host, &'a Belief, Window)> {
    view.beliefs_here().find_map(|(host, belief)| {
        let due = due(host, belief, view)?;
        // Who is gone or stopped sends nothing that could be blocked.
        if view.machine.has_no_daemon() || view.machine.daemon_stopped().is_some() {
            return None;
        }
        let refused = || belief.send_error.as_ref().map(|(time, _)| *time);
        let since = belief.master_since().or_else(refused)?;
        // Each advert that it drops starts its timer anew.
        let rejects = host.configured(belief).is_some_and(|instance| {
            view.live()
                .is_some_and(|active| drift::rejects(instance, active).is_some())
        });
        let stuck = due.0 <= view.now && !is_held_back(due.1, view) && !rejects;
        stuck.then_some((host, belief, since))
    })
}

/// The lines that tell that it is no longer master.
const ENDS: &[LogEvent] = &[LogEvent::Life, LogEvent::StateBackup, LogEvent::FaultWhy];

/// When an advert is due at the latest, and since when one would have been seen, if the daemon gives
/// reason to expect that none will come: it has become master and not advertised since, or could not
/// send.
fn due(host: &Host, belief: &Belief, view: &View<'_>) -> Option<(Timestamp, Timestamp)> {
    let last = host.own(belief, view.router).map(|own| own.last);
    let patience = view.interval() * 3 / 2 + Span::from_millis(200);
    let refused = belief
        .send_error
        .as_ref()
        .filter(|(time, _)| last.is_none_or(|last| time.end > last));
    match refused {
        // The daemon says so itself, and only a master sends; a frame that left before is no proof of
        // the contrary.
        Some((time, _)) if belief.state.is_none() || belief.is_settled_master() => {
            let due = last.map_or(time.end, |last| last + view.interval() * 5 / 4);
            Some((due, last.unwrap_or(time.end)))
        }
        _ => {
            let since = belief
                .master_since()
                .filter(|_| belief.is_settled_master())?;
            let never = match last {
                Some(last) => last + view.interval() < since.start,
                None => !may_be_heard(since, view),
            };
            // What left before the watch began was not seen. That it is master still, the host has to
            // show: its log may be an old one.
            let watched = view.router.watched_since();
            let known = since.end >= watched || !view.machine.is_known() || view.held;
            let begun = since.end.max(watched);
            (never && known && view.tells(host, belief, ENDS)).then_some((begun + patience, begun))
        }
    }
}

/// Whether a router that is heard may be that of the log: where frames do not tell by which way they
/// went, and nothing tells the host's own address. One that advertised before the daemon became master
/// is another.
fn may_be_heard(since: Window, view: &View<'_>) -> bool {
    !view.machine.is_known()
        && view
            .router
            .speakers()
            .any(|speaker| speaker.is_alive(view.now) && speaker.first >= since.start)
}

fn silent_since(host: &Host, belief: &Belief, view: &View<'_>) -> Option<Timestamp> {
    Some(host.own(belief, view.router)?.last)
}

/// A master that reads packets of others starts its timer anew, and may have nothing to say; and
/// what was not seen may have been.
fn is_held_back(since: Timestamp, view: &View<'_>) -> bool {
    let quiet = view.interval() * 2;
    let disturbed = view
        .router
        .noise()
        .is_some_and(|noise| noise + quiet > view.now);
    disturbed || !view.router.saw_everything_since(since)
}
