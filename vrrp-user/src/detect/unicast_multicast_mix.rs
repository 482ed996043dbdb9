//! unicast-multicast-mix: routers of one virtual router advertise by unicast and by multicast.

use super::{
    split_brain::mixed,
    view::{Assessment, Description, PairDetector, Sign, View},
    words::{advert, common, list, router, who},
};
use crate::{record::Code, tracker::Router};

pub(super) struct UnicastMulticastMix;

impl PairDetector for UnicastMulticastMix {
    fn code(&self) -> Code {
        Code::UnicastMulticastMix
    }

    fn assess(&self, view: &View<'_>, other: &Router) -> Assessment {
        match mixed(view.router, other) {
            None => Assessment::Absent,
            Some((one, another)) => Assessment::Present(Sign {
                addresses: common(one, another),
                ..Sign::default()
            }),
        }
    }

    fn describe(&self, view: &View<'_>, other: &Router, _: &Sign) -> Description {
        let Some((one, another)) = mixed(view.router, other) else {
            return Description::default();
        };
        let to = |router: &Router| match router.group {
            Some(group) => format!("by multicast to {group}"),
            None => format!("by unicast among {}", list(&router.peers)),
        };
        Description {
            sources: vec![one.source, another.source],
            message: format!(
                "The routers of {} do not hear each other: {} advertises {} and {} {}.",
                router(view.router),
                who(one),
                to(view.router),
                who(another),
                to(other)
            ),
            evidence: vec![
                advert(view.router, one, to(view.router)),
                advert(other, another, to(other)),
            ],
            advice: "Configure unicast_peer on all routers of the virtual router, each naming all \
                     others, or on none."
                .to_owned(),
        }
    }
}
