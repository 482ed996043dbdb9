//! flapping: the active router changed three times or more within a minute.

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
        let recent: Vec<Cause> = recent(view).filter_map(|(_, cause)| cause).collect();
        let enough = recent_count(view) >= ENOUGH;
        Assessment::present_if(enough, || Sign {
            cause: prevailing(&recent),
            addresses: view
                .router
                .active()
                .map(|active| active.addresses().collect())
                .unwrap_or_default(),
            ..Sign::default()
        })
    }

    fn describe(&self, view: &View<'_>, sign: &Sign) -> Description {
        let sources: Vec<_> = view
            .router
            .speakers()
            .filter(|speaker| speaker.has_been_active)
            .map(|speaker| speaker.source)
            .collect();
        let first = recent(view).next().map_or(view.now, |(time, _)| time);
        let (why, advice) = match sign.cause {
            Some(Cause::PriorityChange) => (
                ", with priorities that go up and down",
                "Look at the track_script, track_interface or track_file that changes the \
                 priority: give the script rise and fall, and nopreempt or preempt_delay to the \
                 routers.",
            ),
            Some(Cause::Restart) => (
                ", because a router keeps stopping and starting",
                "See in the log of the router why keepalived is restarted, or goes to FAULT and \
                 back; nopreempt keeps a router that comes back from taking over again.",
            ),
            _ => (
                ", because adverts stay away",
                "Look for loss between the routers, and for a router too busy to advertise in \
                 time; a longer advert_int or down_timer_adverts rides out short gaps.",
            ),
        };
        Description {
            message: format!(
                "The active router of {} changed {} times within {} between {}{why}.",
                router(view.router),
                recent_count(view),
                time(view.now.since(first)),
                list(&sources)
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
                        Some(cause) => format!("another active router: {}", cause.as_str()),
                        None => "another active router".to_owned(),
                    },
                })
                .collect(),
            advice: advice.to_owned(),
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

fn recent_count(view: &View<'_>) -> usize {
    recent(view).count()
}

/// The cause that comes most often, and of equals the latest.
fn prevailing(causes: &[Cause]) -> Option<Cause> {
    let count = |cause: &Cause| causes.iter().filter(|other| *other == cause).count();
    causes.iter().max_by_key(|cause| count(cause)).cloned()
}
