//! flapping: the active router changed three times or more within a minute.

use std::cmp::Reverse;

use super::{
    view::{Assessment, Description, Detector, Sign, View},
    words::{list, router, time},
};
use crate::{
    model::Timestamp,
    record::{Cause, Code, Evidence},
    tracker::election::FLAP_WINDOW,
};

pub(super) struct Flapping;

const ENOUGH: usize = 3;

impl Detector for Flapping {
    fn code(&self) -> Code {
        Code::Flapping
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        let causes = causes(view);
        let enough = recent(view).count() >= ENOUGH;
        Assessment::present_if(enough, || Sign {
            cause: causes.first().map(|(cause, _)| cause.clone()),
            causes: distinct(&causes),
            addresses: view
                .router
                .active()
                .map(crate::tracker::Speaker::list)
                .unwrap_or_default(),
            ..Sign::default()
        })
    }

    fn describe(&self, view: &View<'_>, _: &Sign) -> Description {
        let sources: Vec<_> = view
            .router
            .speakers()
            .filter(|speaker| speaker.has_been_active)
            .map(|speaker| speaker.source)
            .collect();
        let first = recent(view).next().map_or(view.now, |(time, _)| time);
        let causes = causes(view);
        let why: Vec<String> = causes
            .iter()
            .map(|(cause, count)| format!("{} {}", times(*count), what(cause)))
            .collect();
        let advice: Vec<&str> = causes
            .iter()
            .filter_map(|(cause, _)| advice(cause))
            .collect();
        Description {
            message: format!(
                "The active router of {} changed {} times within {} between {}{}{}.",
                router(view.router),
                recent(view).count(),
                time(view.now.since(first)),
                list(&sources),
                if why.is_empty() { "" } else { ": " },
                why.join(", ")
            ),
            sources,
            evidence: recent(view)
                .map(|(time, cause)| Evidence {
                    time,
                    source: None,
                    mac: None,
                    vrid: Some(view.router.vrid),
                    priority: None,
                    what: match cause {
                        Some(cause) => format!("another active router: {}", what(&cause)),
                        None => "another active router".to_owned(),
                    },
                })
                .collect(),
            advice: advice.join(" "),
        }
    }

    fn deadline(&self, view: &View<'_>) -> Option<Timestamp> {
        let changes = view.router.changes();
        let last = changes.len().checked_sub(ENOUGH)?;
        changes.get(last).map(|(time, _)| *time + FLAP_WINDOW)
    }
}

fn recent<'a>(view: &View<'a>) -> impl Iterator<Item = (Timestamp, Option<Cause>)> + 'a {
    let now = view.now;
    view.router
        .changes()
        .iter()
        .filter(move |(time, _)| now < *time + FLAP_WINDOW)
        .cloned()
}

/// What the changes came about by, and how often: the most frequent first.
fn causes(view: &View<'_>) -> Vec<(Cause, usize)> {
    let mut causes: Vec<(Cause, usize)> = Vec::new();
    for (_, cause) in recent(view) {
        let Some(cause) = cause else { continue };
        match causes.iter_mut().find(|(other, _)| *other == cause) {
            Some((_, count)) => *count += 1,
            None => causes.push((cause, 1)),
        }
    }
    // A router that comes back takes over again: that follows from why it went.
    causes.sort_by_key(|(cause, count)| (*cause == Cause::Preemption, Reverse(*count)));
    causes
}

/// The causes, where there are several, in an order that does not change with their numbers.
fn distinct(causes: &[(Cause, usize)]) -> Vec<Cause> {
    if causes.len() < 2 {
        return Vec::new();
    }
    let mut distinct: Vec<Cause> = causes.iter().map(|(cause, _)| cause.clone()).collect();
    distinct.sort_unstable_by(|one, other| one.as_str().cmp(other.as_str()));
    distinct
}

fn times(count: usize) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        more => format!("{more} times"),
    }
}

const fn what(cause: &Cause) -> &'static str {
    match cause {
        Cause::PriorityChange => "a priority changed",
        Cause::Restart => "a router resigned (stopped, restarted, or went to FAULT)",
        Cause::Preemption => "one with a higher priority came",
        _ => "adverts stayed away",
    }
}

const fn advice(cause: &Cause) -> Option<&'static str> {
    match cause {
        Cause::PriorityChange => Some(
            "Look at the track_script, track_interface or track_file that changes the priority: \
             give the script rise and fall, and the routers nopreempt or preempt_delay.",
        ),
        Cause::Restart => Some(
            "See in the log of the router why keepalived is restarted, or goes to FAULT and back; \
             nopreempt keeps a router that comes back from taking over again.",
        ),
        Cause::Preemption => None,
        _ => Some(
            "Look for loss between the routers, and for a router too busy to advertise in time; a \
             longer advert_int on all routers, or a higher down_timer_adverts on the backups, rides \
             out short gaps.",
        ),
    }
}
