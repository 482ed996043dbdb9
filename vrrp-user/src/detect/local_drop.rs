//! local-drop: adverts reach this host, and its daemon does not get them.
//!
//! The log tells when the daemon gives up waiting: were there adverts then? Without it, and where that
//! was long ago, the daemon shows it by advertising on beside a better router whose adverts arrive
//! here and which it has no reason to drop. What drops them, the kernel is asked; where the daemon
//! listens on a port of a bridge or bond, that is clear without.

use std::sync::Arc;

use super::{
    kept::{self, Why},
    view::{Assessment, Description, Detector, Matter, Sign, View},
    words::{advert, log_line, router, seen, sentence, who},
};
use crate::{
    daemon::{Belief, Host, Unheard},
    dropped::Dropped,
    log::LogEvent,
    machine::Puzzle,
    model::Span,
    record::{Cause, Code, Evidence},
    tracker::{Router, Speaker},
};

pub(super) struct LocalDrop;

/// The lines that would tell why it became master although it heard the other.
const REASONS: &[LogEvent] = &[LogEvent::PrioChange, LogEvent::RxLowerAsBackup];

impl Detector for LocalDrop {
    fn code(&self) -> Code {
        Code::LocalDrop
    }

    fn matter(&self) -> Matter {
        Matter::Daemon
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        match find(view) {
            Some(found) => Assessment::Present(Sign {
                cause: match misplaced(view) {
                    Some(_) => Some(Cause::WrongInterface),
                    None => found
                        .dropped()
                        .and_then(Dropped::why)
                        .map(|why| Cause::Kernel(why.into())),
                },
                ..Sign::of(found.speaker())
            }),
            None => Assessment::Absent,
        }
    }

    fn describe(&self, view: &View<'_>, _sign: &Sign) -> Description {
        let Some(found) = find(view) else {
            return Description::default();
        };
        if let Some((port, bundle)) = misplaced(view) {
            return describe_misplaced(view, found.speaker(), port, bundle);
        }
        let speaker = found.speaker();
        let dropped = found.dropped();
        let drops = dropped.map_or("something on the host".to_owned(), Dropped::describe);
        let (message, evidence) = match &found {
            Found::GaveUp(host, belief, _, unheard) => (
                format!(
                    "{} became master of {} although adverts of {} kept arriving at this host \
                     without a gap: {drops} drops them before its daemon gets them.",
                    host.called(),
                    router(view.router),
                    speaker.source,
                ),
                [
                    seen(
                        view.router,
                        speaker,
                        unheard.last,
                        "an advert arrives at this host, as all before it did".to_owned(),
                    ),
                    log_line(
                        unheard.given_up.start,
                        view.router,
                        format!("({}) has heard nothing, by its log", belief.name),
                    ),
                ],
            ),
            // It is where the daemon listens, and told as that.
            Found::Deaf(_) => return Description::default(),
            Found::Insists(own, better, _) => (
                format!(
                    "This host goes on as master of {} with priority {} although better adverts \
                     arrive here, those of {}: {drops} drops them before its daemon gets them.",
                    router(view.router),
                    own.priority,
                    who(better),
                ),
                [
                    advert(
                        view.router,
                        better,
                        "an advert of the better router arrives at this host".to_owned(),
                    ),
                    advert(
                        view.router,
                        own,
                        "this host advertises beside it and should have yielded".to_owned(),
                    ),
                ],
            ),
        };
        Description {
            sources: vec![speaker.source],
            message,
            evidence: evidence
                .into_iter()
                .chain(dropped.map(|it| counted(it, view)))
                .collect(),
            advice: match dropped {
                Some(dropped) => sentence(dropped.advice()),
                None => "Look for what drops IP protocol 112 behind the network card: nftables or \
                         iptables (a rule for the multicast group, too), rp_filter on the \
                         interface, a full socket buffer; with use_vmac, rules for the macvlan \
                         interface. `vrrpwatch why-dropped` asks the kernel."
                    .to_owned(),
            },
        }
    }

    fn deadline(&self, view: &View<'_>) -> Option<crate::model::Timestamp> {
        let told = view.telling(REASONS).filter(|(host, _)| host.here);
        told.filter_map(|(_, belief)| Some(belief.unheard.as_ref()?.given_up.end + FIRST_ADVERT))
            .filter(|due| *due > view.now)
            .chain(find(view).map(|found| found.speaker().dead_at()))
            .min()
    }
}

/// A daemon that becomes master advertises at once: within this time its own advert is seen, on a busy
/// machine too.
const FIRST_ADVERT: Span = Span::from_millis(250);

/// What the kernel says, as evidence.
fn counted(dropped: &Dropped, view: &View<'_>) -> Evidence {
    let count = match dropped.count {
        1 => "an advert of it".to_owned(),
        count => format!("{count} adverts of it"),
    };
    let interface = dropped.interface.as_deref().unwrap_or("an interface");
    let place = dropped.place.as_deref().unwrap_or("a place that it hides");
    let reason = dropped.reason.as_deref().unwrap_or("without a reason");
    Evidence {
        time: view.now,
        source: Some(dropped.source),
        mac: None,
        vrid: Some(view.router.vrid),
        priority: None,
        what: format!("the kernel has dropped {count} from {interface}: {reason}, at {place}"),
    }
}

/// How it shows.
enum Found<'a> {
    /// The log says that the daemon gave up waiting.
    GaveUp(&'a Host, &'a Belief, &'a Speaker, &'a Unheard),
    /// The router of this host, the better one, and what the kernel says of that.
    Insists(&'a Speaker, &'a Speaker, Option<&'a Dropped>),
    /// The host has the addresses, and its daemon listens where nothing is delivered.
    Deaf(&'a Speaker),
}

impl<'a> Found<'a> {
    /// The router whose adverts are not heard.
    const fn speaker(&self) -> &'a Speaker {
        match self {
            Self::GaveUp(_, _, speaker, _) | Self::Insists(_, speaker, _) | Self::Deaf(speaker) => {
                speaker
            }
        }
    }

    fn dropped(&self) -> Option<&'a Dropped> {
        match self {
            Self::GaveUp(.., unheard) => unheard.dropped.as_ref(),
            Self::Insists(.., dropped) => *dropped,
            Self::Deaf(_) => None,
        }
    }
}

fn find<'a>(view: &View<'a>) -> Option<Found<'a>> {
    gave_up(view).or_else(|| insisting(view)).or_else(|| {
        let kept = kept::find(view).filter(|kept| kept.why == Why::Deaf)?;
        kept.active.map(Found::Deaf)
    })
}

/// The interface on which the daemon listens, and to which of its upper ones is delivered what arrives
/// there.
fn misplaced<'a>(view: &View<'a>) -> Option<(&'a Arc<str>, &'a Arc<str>)> {
    let Router {
        segment, family, ..
    } = view.router;
    view.machine.misplaced(segment, *family)
}

fn describe_misplaced(view: &View<'_>, better: &Speaker, port: &str, bundle: &str) -> Description {
    Description {
        sources: vec![better.source],
        message: format!(
            "The VRRP daemon of this host listens on {port}, a port of {bundle}: the kernel delivers \
             what arrives there to {bundle}, so it does not get the adverts of {} and is master of {} \
             beside it.",
            who(better),
            router(view.router),
        ),
        evidence: vec![
            advert(
                view.router,
                better,
                "an advert of the better router arrives at this host".to_owned(),
            ),
            log_line(
                view.now,
                view.router,
                format!("{port} has joined the group of VRRP, {bundle} has not"),
            ),
        ],
        advice: format!(
            "Set `interface {bundle}` in keepalived.conf in place of {port}, and restart keepalived."
        ),
    }
}

fn insisting<'a>(view: &View<'a>) -> Option<Found<'a>> {
    let (own, better) = insists(view)?;
    let mut rivals = view.router.rivals(view.now);
    let puzzle = view.machine.puzzle(view.router.id());
    rivals
        .any(|rival| rival.id == own.id() && rival.loud)
        .then_some(Found::Insists(
            own,
            better,
            puzzle.and_then(Puzzle::dropped),
        ))
}

fn gave_up<'a>(view: &View<'a>) -> Option<Found<'a>> {
    let mut here = view.telling(REASONS).filter(|(host, _)| host.here);
    here.find_map(|(host, belief)| {
        let unheard = belief.unheard.as_ref()?;
        let speaker = view
            .router
            .speakers()
            .find(|speaker| speaker.source == unheard.source)
            .filter(|speaker| speaker.is_alive(view.now))?;
        // The first advert of its own tells whether it may drop them by itself.
        if view.now < unheard.given_up.end + FIRST_ADVERT
            || view.own().any(|own| own.rejects(speaker).is_some())
        {
            return None;
        }
        Some(Found::GaveUp(host, belief, speaker, unheard))
    })
}

/// A router of this host that has advertised once more after the advert of a better one arrived, and
/// has no reason to drop it; and that one.
pub(super) fn insists<'a>(view: &View<'a>) -> Option<(&'a Speaker, &'a Speaker)> {
    let better = view.live()?;
    if view.daemons.is_own(better.source) {
        return None;
    }
    let own = view.own().find(|own| {
        own.is_alive(view.now)
            && own.contest().is_some_and(|contest| contest.defiances > 0)
            && own.rejects(better).is_none()
    })?;
    Some((own, better))
}
