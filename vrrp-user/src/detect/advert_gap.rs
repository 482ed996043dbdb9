//! advert-gap: an advert came later than one and a half intervals.

use super::{
    view::{Assessment, Description, Detector, Sign, View},
    words::{router, time, who},
};
use crate::{
    model::Timestamp,
    record::{Cause, Code, Evidence},
    tracker::LateAdvert,
};

pub(super) struct AdvertGap;

impl Detector for AdvertGap {
    fn code(&self) -> Code {
        Code::AdvertGap
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        match view.router.late_advert() {
            Some(late) if view.now < late.over() => Assessment::Present(Sign {
                cause: is_delay(&late, view.now).then_some(Cause::Delay),
                addresses: view
                    .speaker(late.speaker)
                    .map(crate::tracker::Speaker::list)
                    .unwrap_or_default(),
                speakers: vec![late.speaker],
                ..Sign::default()
            }),
            _ => Assessment::Absent,
        }
    }

    fn describe(&self, view: &View<'_>, sign: &Sign) -> Description {
        let late = view.router.late_advert();
        let Some((late, speaker)) = late.and_then(|late| Some((late, view.speaker(late.speaker)?)))
        else {
            return Description::default();
        };
        let gap = late.time.since(late.previous);
        let margin = if gap < late.limit {
            format!(
                "{} before a backup takes over",
                time(late.limit.saturating_sub(gap))
            )
        } else {
            format!("and a backup waits {}", time(late.limit))
        };
        let delayed = sign.cause == Some(Cause::Delay);
        let (what, advice) = if delayed {
            (
                format!(
                    "Adverts of {} for {} were delayed, not lost: {} came at once after {} instead \
                     of one every {}, {margin}.",
                    who(speaker),
                    router(view.router),
                    late.at_once,
                    time(gap),
                    time(late.interval)
                ),
                "Look for what holds frames back on their way here: power saving of a wireless \
                 link, a paused virtual machine or bridge, a full queue. A longer advert_int, on \
                 all routers, makes gaps matter less."
                    .to_owned(),
            )
        } else {
            (
                format!(
                    "An advert of {} for {} came after {} instead of {}, {margin}.",
                    who(speaker),
                    router(view.router),
                    time(gap),
                    time(late.interval)
                ),
                format!(
                    "If {} was too busy, give keepalived vrrp_rt_priority or vrrp_no_swap; if \
                     adverts were lost, look at the links between. A longer advert_int, on all \
                     routers, makes gaps matter less.",
                    speaker.source
                ),
            )
        };
        let evidence = |time, what: String| Evidence {
            time,
            source: Some(speaker.source),
            mac: speaker.mac,
            vrid: Some(view.router.vrid),
            priority: Some(speaker.priority),
            what,
        };
        Description {
            sources: vec![speaker.source],
            message: what,
            evidence: vec![
                evidence(late.previous, "the advert before".to_owned()),
                evidence(
                    late.time,
                    format!(
                        "the late advert; jitter so far {}, longest gap {}",
                        time(speaker.gaps.jitter),
                        time(speaker.gaps.longest)
                    ),
                ),
            ],
            advice,
        }
    }

    fn deadline(&self, view: &View<'_>) -> Option<Timestamp> {
        view.router.late_advert().map(|late| late.complete_at())
    }
}

/// Whether it is known that the adverts were on their way meanwhile.
fn is_delay(late: &LateAdvert, now: Timestamp) -> bool {
    late.at_once > 1 && late.complete_at() <= now
}
