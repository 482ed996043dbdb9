//! log-wire-disagree: the state in the log is not the one on the wire.

use super::{
    view::{Assessment, Description, Detector, Matter, Sign, View},
    words::{advert, log_line, router, time},
};
use crate::{
    daemon::{Belief, Host},
    log::{LogEvent, LogState},
    model::Timestamp,
    record::Code,
    tracker::Speaker,
};

pub(super) struct LogWireDisagree;

impl Detector for LogWireDisagree {
    fn code(&self) -> Code {
        Code::LogWireDisagree
    }

    fn matter(&self) -> Matter {
        Matter::Daemon
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        let Some((_, _, own, _)) = find(view).filter(|found| found.3 <= view.now) else {
            return Assessment::Absent;
        };
        Assessment::Present(Sign::of(own))
    }

    fn describe(&self, view: &View<'_>, _sign: &Sign) -> Description {
        let Some((host, belief, own, _)) = find(view) else {
            return Description::default();
        };
        let Some((state, since)) = belief.state else {
            return Description::default();
        };
        let (says, does) = match state {
            LogState::Master => ("master", "does not advertise"),
            _ => ("no master", "advertises as the active router"),
        };
        let mut evidence = vec![
            log_line(
                since.start,
                view.router,
                format!("({}) is {says}, by its log", belief.name),
            ),
            advert(view.router, own, "its last advert".to_owned()),
        ];
        let active = view
            .router
            .active()
            .filter(|active| active.id() != own.id());
        evidence.extend(
            active.map(|active| advert(view.router, active, "the active router".to_owned())),
        );
        Description {
            sources: vec![own.source],
            message: format!(
                "By its log {} is {says} of {} since {}, but on the wire it {does}.",
                host.called(),
                router(view.router),
                time(view.now.since(since.start)) + " ago"
            ),
            evidence,
            advice:
                "See whether the daemon runs (a second one, too), whether its log is complete, \
                     and whether its adverts leave the host; restart it if it does not know its \
                     own state."
                    .to_owned(),
        }
    }

    fn deadline(&self, view: &View<'_>) -> Option<Timestamp> {
        find(view)
            .map(|found| found.3)
            .filter(|due| *due > view.now)
    }
}

/// The lines that tell of another state.
const CHANGES: &[LogEvent] = &[
    LogEvent::Life,
    LogEvent::StateMaster,
    LogEvent::StateBackup,
    LogEvent::StateFault,
];

/// A host whose log and adverts differ, and when that has lasted for a `Master_Down_Interval`.
fn find<'a>(view: &View<'a>) -> Option<(&'a Host, &'a Belief, &'a Speaker, Timestamp)> {
    view.telling(CHANGES).find_map(|(host, belief)| {
        let (state, since) = belief.state?;
        let watched = view.router.watched_since();
        if view.machine.is_known() && since.end < watched && !host.has_written_since(watched) {
            return None;
        }
        let own = host.own(belief, view.router)?;
        let active = view.router.live(view.now)?;
        let begun = match state {
            LogState::Master if active.id() != own.id() && is_silent(own, active, view) => {
                view.router.active_since()?.max(own.last + own.interval())
            }
            LogState::Backup | LogState::Fault
                if active.id() == own.id() && own.last > since.end + own.interval() =>
            {
                view.router.active_since()?.max(since.end)
            }
            _ => return None,
        };
        let due = begun.max(since.end) + own.master_down() + host.delay();
        // Who is dead believes nothing any more.
        let dead = view.machine.daemon_gone(own.last).is_some();
        let seen = view.router.saw_everything_since(begun);
        (seen && !dead).then_some((host, belief, own, due))
    })
}

/// Whether a router says nothing, and nothing that the other says explains it: routers that drop
/// each other's adverts silence each other.
fn is_silent(own: &Speaker, active: &Speaker, view: &View<'_>) -> bool {
    let quiet = own.interval() * 3 / 2;
    own.last + quiet < view.now
        && own.rejects(active).is_none()
        && active.rejects(own).is_none()
        && own.priority <= active.priority
}
