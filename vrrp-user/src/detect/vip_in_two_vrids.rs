//! vip-in-two-vrids: one address is advertised under two VRIDs of a segment.

use super::{
    view::{Assessment, Description, PairDetector, Sign, View},
    words::{advert, list, who},
};
use crate::{
    model::Timestamp,
    record::Code,
    tracker::{Known, Router},
};

pub(super) struct VipInTwoVrids;

impl PairDetector for VipInTwoVrids {
    fn code(&self) -> Code {
        Code::VipInTwoVrids
    }

    fn assess(&self, view: &View<'_>, other: &Router) -> Assessment {
        if view.router.vrid == other.vrid {
            return Assessment::Absent;
        }
        let (Some(one), Some(another)) = (view.live(), other.live(view.now)) else {
            return Assessment::Absent;
        };
        // A single advert may be a mistake that nobody acts upon, or made up.
        let real = one.adverts > 1 && another.adverts > 1;
        match view.router.shared_with(other) {
            Known::Since(Some(shared)) if real && !shared.is_empty() => Assessment::Present(Sign {
                addresses: shared.clone(),
                ..Sign::default()
            }),
            Known::At(_) if real => Assessment::Undecided,
            Known::Since(_) | Known::At(_) => Assessment::Absent,
        }
    }

    fn deadline(&self, view: &View<'_>, other: &Router) -> Option<Timestamp> {
        match view.router.shared_with(other) {
            Known::Since(_) => None,
            Known::At(due) => due,
        }
    }

    fn describe(&self, view: &View<'_>, other: &Router, sign: &Sign) -> Description {
        let (Some(one), Some(another)) = (view.router.active(), other.active()) else {
            return Description::default();
        };
        let shared = list(&sign.addresses);
        let (first, second) = (view.router.vrid, other.vrid);
        let consequence = if one.source == another.source {
            "both now on the same machine, but they can move apart"
        } else {
            "and each holds it, for routers of different VRIDs ignore each other"
        };
        Description {
            sources: vec![one.source, another.source],
            message: format!(
                "{shared} is advertised under VRID {first} by {} and under VRID {second} by {}, \
                 {consequence}.",
                who(one),
                who(another)
            ),
            evidence: vec![
                advert(
                    view.router,
                    one,
                    format!("advertises {shared} under VRID {first}"),
                ),
                advert(
                    other,
                    another,
                    format!("advertises {shared} under VRID {second}"),
                ),
            ],
            advice: format!(
                "If the two are a pair, use one VRID: set the same virtual_router_id on both, \
                 {first} or {second}, and the one with the higher priority stays active. If they \
                 are two services, {shared} may belong to only one of them."
            ),
        }
    }
}
