//! split-brain: two routers are active for one virtual router and hold the same address.

use super::{
    rivals,
    view::{Assessment, Description, Detector, Matter, PairDetector, Sign, View},
    words::{advert, cause, common, list, router, who},
};
use crate::{
    model::Timestamp,
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
        rivals::assess(view, true)
    }

    fn describe(&self, view: &View<'_>, sign: &Sign) -> Description {
        rivals::split_brain(view, sign)
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
        let (why, remedy) = cause(Cause::UnicastMulticastMix, one, another);
        Description {
            sources: vec![one.source, another.source],
            message: format!(
                "{} and {} of {} are active at the same time and each holds {}: {why}.",
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
    one.kin().get(&other.id()).copied().flatten()?;
    let mixed = one.vrid == other.vrid && one.group.is_some() != other.group.is_some();
    let (first, second) = (one.active()?, other.active()?);
    (mixed && first.source != second.source).then_some((first, second))
}

fn round_over(one: &Router, other: &Router) -> Option<Timestamp> {
    let since = one.kin().get(&other.id()).copied().flatten()?;
    let round = one
        .active()?
        .master_down()
        .max(other.active()?.master_down());
    Some(since + round)
}
