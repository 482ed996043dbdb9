//! advert-gap: an advert came later than one and a half intervals.

use super::{
    view::{Assessment, Description, Detector, Sign, View},
    words::{router, time, who},
};
use crate::record::{Code, Evidence};

pub(super) struct AdvertGap;

impl Detector for AdvertGap {
    fn code(&self) -> Code {
        Code::AdvertGap
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        match view.router.late_advert() {
            Some(late) if view.now < late.over() => Assessment::Present(Sign {
                addresses: view
                    .speaker(late.speaker)
                    .map(|speaker| speaker.addresses().collect())
                    .unwrap_or_default(),
                speakers: vec![late.speaker],
                ..Sign::default()
            }),
            _ => Assessment::Absent,
        }
    }

    fn describe(&self, view: &View<'_>, _: &Sign) -> Description {
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
            format!(
                "{} after a backup should have taken over",
                time(gap.saturating_sub(late.limit))
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
            message: format!(
                "An advert of {} for {} came after {} instead of {}, {margin}.",
                who(speaker),
                router(view.router),
                time(gap),
                time(late.interval)
            ),
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
            advice: format!(
                "If {} was too busy, give keepalived vrrp_rt_priority or vrrp_no_swap; if adverts \
                 were lost, look at the links between; a longer advert_int makes gaps matter less.",
                speaker.source
            ),
        }
    }
}
