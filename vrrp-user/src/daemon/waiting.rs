//! A daemon that gave up waiting for adverts: whether they had come to its host.

use super::{Host, belief::Unheard};
use crate::{
    keepalived_conf::drift,
    log::{LogEvent, Window},
    model::Span,
    tracker::{Router, Speaker, Tracker},
};

impl Host {
    /// A daemon gave up waiting for adverts: were there any?
    pub(super) fn judge(&mut self, name: &str, tracker: &Tracker, time: Window) {
        let Some(belief) = self.instances.get(name).filter(|_| self.here) else {
            return;
        };
        let Some(router) = belief.router.and_then(|id| tracker.router(id)) else {
            return;
        };
        // It got the last advert of the other, a resignation, and did not wait in vain.
        if belief
            .resignation
            .is_some_and(|told| told.end + Span::from_secs(1) >= time.start)
        {
            return;
        }
        let own = self.own(belief, router);
        let Some(priority) = self.priority(belief, router) else {
            return;
        };
        let unheard = router
            .speakers()
            .filter(|speaker| own.is_none_or(|own| own.id() != speaker.id()))
            .filter(|speaker| own.is_none_or(|own| own.rejects(speaker).is_none()))
            .filter(|speaker| {
                let meant = self.configured(belief);
                meant.is_none_or(|instance| drift::rejects(instance, speaker).is_none())
            })
            // A better router takes over although there are adverts, and says whose it ignores.
            .filter(|speaker| !belief.ignores(speaker.source, time.start - speaker.interval() * 2))
            .find(|speaker| speaker.priority > priority && kept_coming(speaker, router, time))
            .map(|speaker| Unheard {
                source: speaker.source,
                last: speaker.last.min(time.end),
                given_up: time,
                dropped: None,
            });
        if let Some(belief) = self.instances.get_mut(name)
            && unheard.is_some()
        {
            belief.unheard = unheard;
        }
    }
}

/// Whether this line is about having waited in vain.
pub(super) const fn gives_up(event: LogEvent) -> bool {
    matches!(
        event,
        LogEvent::AdvertTimeout | LogEvent::StateMaster | LogEvent::StateMasterPre
    )
}

/// Whether the adverts of a router kept coming without a gap, for as long as a backup waits for
/// one, until this time.
fn kept_coming(speaker: &Speaker, router: &Router, until: Window) -> bool {
    let wait = speaker.master_down();
    let late = speaker.interval() * 3 / 2;
    let gap = router
        .late_advert()
        .is_some_and(|gap| gap.speaker == speaker.id() && gap.time + wait > until.start);
    speaker.resigned.is_none()
        && speaker.is_established()
        && speaker.first + wait < until.start
        && router
            .tenure()
            .is_some_and(|it| it.speaker == speaker.id() && it.since + wait < until.start)
        && speaker.last + late > until.end
        && !gap
}
