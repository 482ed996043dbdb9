//! What split-brain and vrid-collision have in common: routers that are active at the same time.

use super::{
    local_drop,
    view::{Assessment, Description, Sign, View},
    words::{addresses, advert, cause, common, router, time, who},
};
use crate::{
    record::{Cause, Evidence},
    tracker::Speaker,
};

/// What rivals of the active router there are.
#[derive(Clone, Debug)]
pub(super) struct Rivalry {
    /// Whether they serve addresses that it serves.
    same_addresses: bool,
    sign: Sign,
}

/// Finds rivals of the active router that serve the same addresses as it does, or others.
pub(super) fn assess(view: &View<'_>, same_addresses: bool) -> Assessment {
    match view.rivalry.get_or_init(|| find(view)) {
        Some(rivalry) if rivalry.same_addresses == same_addresses => {
            Assessment::Present(rivalry.sign.clone())
        }
        None if silence_each_other(view, same_addresses) => Assessment::Undecided,
        Some(_) | None => Assessment::Absent,
    }
}

/// Whether neither yields to the other, and each keeps the other from advertising: what was known to be
/// so goes on.
fn silence_each_other(view: &View<'_>, same_addresses: bool) -> bool {
    view.router.active().is_some_and(|active| {
        view.router.speakers().any(|other| {
            other.id() != active.id()
                && other.resigned.is_none()
                && view.now < other.gone_at()
                && other.persists_against(active)
                && active.persists_against(other)
                && other.shares_address(active) == same_addresses
        })
    })
}

fn find(view: &View<'_>) -> Option<Rivalry> {
    let active = view.router.active()?;
    let rivals: Vec<_> = view
        .router
        .rivals(view.now)
        .filter_map(|rival| view.speaker(rival.id).map(|speaker| (rival, speaker)))
        .collect();
    let (first, speaker) = rivals.first()?;
    let same_addresses = rivals
        .iter()
        .any(|(_, speaker)| active.shares_address(speaker));
    let ids = rivals.iter().map(|(rival, _)| rival.id);
    // Which of them is the better one may change while they last: that is no news.
    let mut speakers: Vec<_> = [view.router.tenure().map(|tenure| tenure.speaker)]
        .into_iter()
        .flatten()
        .chain(ids)
        .collect();
    speakers.sort_unstable();
    let cause = match first.cause {
        Cause::NotReceived if local_drop::insists(view).is_some() => Cause::LocalDrop,
        ref cause => cause.clone(),
    };
    let all = if same_addresses {
        common(active, speaker)
    } else {
        active.list().union(&speaker.list())
    };
    let sign = Sign {
        // Of two services it goes without saying that their addresses differ.
        cause: Some(cause).filter(|cause| same_addresses || *cause != Cause::AddressListMismatch),
        addresses: all,
        speakers,
        ..Sign::default()
    };
    Some(Rivalry {
        same_addresses,
        sign,
    })
}

/// The routers of a sign, the active one first.
fn involved<'a>(view: &View<'a>, sign: &Sign) -> Vec<&'a Speaker> {
    let mut speakers: Vec<&Speaker> = sign
        .speakers
        .iter()
        .filter_map(|id| view.speaker(*id))
        .collect();
    let active = view.router.tenure().map(|tenure| tenure.speaker);
    speakers.sort_by_key(|speaker| Some(speaker.id()) != active);
    speakers
}

/// Split brain in words.
pub(super) fn split_brain(view: &View<'_>, sign: &Sign) -> Description {
    let speakers = involved(view, sign);
    let (why, remedy) = one_way(view, &speakers, sign).unwrap_or_else(|| reason(&speakers, sign));
    let names: Vec<String> = speakers.iter().map(|speaker| who(speaker)).collect();
    let held = super::words::list(&sign.addresses);
    let message = format!(
        "{} of {} are active (MASTER) at the same time, and each holds {held}: {why}.",
        names.join(" and "),
        router(view.router)
    );
    Description {
        sources: speakers.iter().map(|speaker| speaker.source).collect(),
        message,
        evidence: evidence(view, &speakers),
        advice: format!(
            "Traffic to {held} goes to either machine until this is fixed. {remedy} If it cannot \
             wait, stop keepalived on the one with the lower priority, unless the other is cut off \
             from its clients."
        ),
    }
}

/// VRID collision in words.
pub(super) fn collision(view: &View<'_>, sign: &Sign) -> Description {
    let speakers = involved(view, sign);
    let names: Vec<String> = speakers
        .iter()
        .map(|speaker| format!("{} for {}", who(speaker), addresses(speaker)))
        .collect();
    let message = format!(
        "Two services use {}: it is advertised by {}.",
        router(view.router),
        names.join(" and by ")
    );
    Description {
        sources: speakers.iter().map(|speaker| speaker.source).collect(),
        message,
        evidence: evidence(view, &speakers),
        advice: "Give one of the services another virtual_router_id, on all of its routers. A \
                 VRID must be unique on a segment even if the addresses are not the same."
            .to_owned(),
    }
}

fn reason(speakers: &[&Speaker], sign: &Sign) -> (String, &'static str) {
    match speakers {
        [one, other, ..] => cause(
            sign.cause.as_ref().unwrap_or(&Cause::NotReceived),
            one,
            other,
        ),
        _ => (String::new(), ""),
    }
}

/// Where this host is the better one: the adverts of the other arrive, and its own leave.
fn one_way(view: &View<'_>, speakers: &[&Speaker], sign: &Sign) -> Option<(String, &'static str)> {
    let [own, other, ..] = speakers else {
        return None;
    };
    let here = view.daemons.is_own(own.source) && !view.daemons.is_own(other.source);
    (here && sign.cause == Some(Cause::NotReceived)).then(|| {
        let why = format!(
            "the adverts of {} arrive here and those of this host leave it, so they do not reach \
             the other or its daemon",
            other.source
        );
        let remedy = "Look on the other machine for what drops VRRP (`vrrpwatch why-dropped` asks \
                      its kernel; allow IP protocol 112), and between the two for IGMP snooping of \
                      224.0.0.18 or a link that is broken in one direction.";
        (why, remedy)
    })
}

fn evidence(view: &View<'_>, speakers: &[&Speaker]) -> Vec<Evidence> {
    speakers
        .iter()
        .map(|speaker| {
            let rival = view
                .router
                .rivals(view.now)
                .find(|rival| rival.id == speaker.id());
            let what = match rival {
                None => format!(
                    "advert number {} of the better router, which it keeps sending",
                    speaker.adverts
                ),
                Some(rival) if rival.loud => format!(
                    "advert number {}; it should have yielded {} ago and has not",
                    speaker.adverts,
                    time(view.now.since(rival.since))
                ),
                Some(rival) => format!(
                    "last advert; it was active {} ago, has not resigned since, and drops the \
                     adverts of the other, each of which delays its own",
                    time(view.now.since(rival.since))
                ),
            };
            advert(view.router, speaker, what)
        })
        .collect()
}
