//! split-brain: two routers are active for one virtual router and hold the same address.

use super::{
    kept::{self, Why},
    rivals,
    view::{Assessment, Description, Detector, Matter, PairDetector, Sign, View},
    words::{advert, cause, common, list, log_line, router, who},
};
use crate::{
    model::{AddressList, Timestamp},
    record::{Cause, Code},
    tracker::{Router, Speaker},
};

pub(super) struct SplitBrain;

impl Detector for SplitBrain {
    fn code(&self) -> Code {
        Code::SplitBrain
    }

    fn matter(&self) -> Matter {
        Matter::Rivals
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        match rivals::assess(view, true) {
            Assessment::Absent => match (silent_here(view), view.live()) {
                (Some((addresses, cause)), _) => Assessment::Present(Sign {
                    cause: Some(cause),
                    addresses,
                    ..Sign::default()
                }),
                (None, _) if view.overlooks_until().is_some() => Assessment::Undecided,
                (None, Some(active)) if view.open => Assessment::Over(format!(
                    "{} is the only active router of {} again.",
                    who(active),
                    router(view.router)
                )),
                (None, _) => Assessment::Absent,
            },
            other => other,
        }
    }

    fn describe(&self, view: &View<'_>, sign: &Sign) -> Description {
        match silent_here(view) {
            Some((kept, cause)) if sign.speakers.is_empty() => describe_silent(view, &kept, &cause),
            _ => rivals::split_brain(view, sign),
        }
    }

    fn deadline(&self, view: &View<'_>) -> Option<Timestamp> {
        kept::deadline(view)
    }
}

/// This host is active as well, and is kept from advertising: it drops the adverts of the other, each
/// of which starts its own timer anew. Its configuration tells, or its own advert, and that it has the
/// addresses still.
fn silent_here(view: &View<'_>) -> Option<(AddressList, Cause)> {
    if let Some(kept) = kept::find(view)
        && let Why::Rejects(cause) = &kept.why
    {
        return Some((kept.addresses(), cause.clone()));
    }
    let active = view.live().filter(|active| active.adverts > 1)?;
    let own = view.own().find(|own| {
        own.id() != active.id()
            && own.resigned.is_none()
            && own.last < active.last
            && view.now < own.gone_at()
            && own.rejects_for_sure(active)
    })?;
    let held: AddressList = own
        .addresses()
        .filter(|address| view.machine.holding(*address).is_some())
        .collect();
    let stays = !held.is_empty() && !view.machine.has_no_daemon();
    let cause = own.rejects(active).filter(|_| stays)?;
    Some((held, cause))
}

fn describe_silent(view: &View<'_>, held: &AddressList, cause: &Cause) -> Description {
    let held = list(held);
    let (what, remedy) = match cause {
        Cause::VersionMismatch => (
            "the version of VRRP",
            "Set the same vrrp_version on all routers.",
        ),
        Cause::IntervalMismatch => ("the interval", "Set the same advert_int on all routers."),
        _ => (
            "the authentication",
            "Use the same authentication block (auth_type and auth_pass) on all routers, or none.",
        ),
    };
    let active = view.live().map_or_else(|| "another router".to_owned(), who);
    Description {
        sources: view.live().iter().map(|active| active.source).collect(),
        message: format!(
            "{active} is active for {}, and this host has {held} as well: {what} of its keepalived \
             is not that of these adverts, so its daemon drops them, and each that it drops delays \
             its own.",
            router(view.router),
        ),
        evidence: view
            .live()
            .map(|active| {
                let what = "an advert that the daemon of this host drops".to_owned();
                advert(view.router, active, what)
            })
            .into_iter()
            .chain([log_line(
                view.now,
                view.router,
                format!("this host has {held}, and its daemon runs"),
            )])
            .collect(),
        advice: format!(
            "Traffic to {held} goes to either machine until this is fixed. {remedy} If it cannot \
             wait, stop keepalived on the one with the lower priority, unless the other is cut off \
             from its clients."
        ),
    }
}

/// The same between a router that advertises by unicast and one that does so by multicast: they
/// do not even belong to the same election.
impl PairDetector for SplitBrain {
    fn code(&self) -> Code {
        Code::SplitBrain
    }

    fn assess(&self, view: &View<'_>, other: &Router) -> Assessment {
        let Some((one, another)) = mixed(view.router, other) else {
            return Assessment::Absent;
        };
        let due = round_over(view.router, other);
        let real = |speaker: &Speaker| speaker.adverts > 1 || speaker.has_claimed();
        let present = due.is_some_and(|due| due <= view.now) && real(one) && real(another);
        Assessment::present_if(present, || Sign {
            cause: Some(Cause::UnicastMulticastMix),
            addresses: common(one, another),
            ..Sign::default()
        })
    }

    fn describe(&self, view: &View<'_>, other: &Router, sign: &Sign) -> Description {
        let Some((one, another)) = mixed(view.router, other) else {
            return Description::default();
        };
        let (why, remedy) = cause(&Cause::UnicastMulticastMix, one, another);
        Description {
            sources: vec![one.source, another.source],
            message: format!(
                "{} and {} of {} are active (MASTER) at the same time, and each holds {}: {why}.",
                who(one),
                who(another),
                router(view.router),
                list(&sign.addresses)
            ),
            evidence: [(view.router, one), (other, another)]
                .map(|(router, speaker)| {
                    let to = match router.group {
                        Some(group) => group.to_string(),
                        None => list(router.peers.iter().filter(|peer| **peer != speaker.source)),
                    };
                    advert(router, speaker, format!("advertises to {to}"))
                })
                .into(),
            advice: remedy.to_owned(),
        }
    }

    fn deadline(&self, view: &View<'_>, other: &Router) -> Option<Timestamp> {
        mixed(view.router, other)?;
        round_over(view.router, other)
    }
}

/// The active routers of two virtual routers that should be one.
pub(super) fn mixed<'a>(one: &'a Router, other: &'a Router) -> Option<(&'a Speaker, &'a Speaker)> {
    one.alive_with(other.id())?;
    let mixed = one.vrid == other.vrid && one.group.is_some() != other.group.is_some();
    let (first, second) = (one.active()?, other.active()?);
    (mixed && first.source != second.source).then_some((first, second))
}

fn round_over(one: &Router, other: &Router) -> Option<Timestamp> {
    let since = one.alive_with(other.id())?;
    let round = one
        .active()?
        .master_down()
        .max(other.active()?.master_down());
    Some(since + round)
}
