//! plaintext-auth: the VRRP password is readable on the wire.

use super::{
    view::{Assessment, Description, Detector, Sign, View},
    words::{advert, router},
};
use crate::{record::Code, tracker::AuthTag};

pub(super) struct PlaintextAuth;

impl Detector for PlaintextAuth {
    fn code(&self) -> Code {
        Code::PlaintextAuth
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        let readable = view
            .router
            .active()
            .is_some_and(|active| matches!(active.config.auth, AuthTag::Pass(_)));
        Assessment::present_if(readable, Sign::default)
    }

    fn describe(&self, view: &View<'_>, _: &Sign) -> Description {
        let Some(active) = view.router.active() else {
            return Description::default();
        };
        Description {
            sources: vec![active.source],
            message: format!(
                "{} carries its password in clear text, for everyone on the segment to read.",
                router(view.router)
            ),
            evidence: vec![advert(
                view.router,
                active,
                "authentication type 1, PASS".to_owned(),
            )],
            advice: "The password guards against mistakes only; do not use it for anything else. \
                     Filter IP protocol 112 at the edge of the segment, use VRRPv3, which has no \
                     authentication, or auth_hmac of keepalived 2.4."
                .to_owned(),
        }
    }
}
