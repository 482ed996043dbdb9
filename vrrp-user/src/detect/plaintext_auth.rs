//! plaintext-auth: the VRRP password is readable on the wire.

use super::{
    view::{Assessment, Description, Detector, Sign, View},
    words::{advert, router},
};
use crate::{
    record::Code,
    tracker::{AuthTag, Speaker},
};

pub(super) struct PlaintextAuth;

impl Detector for PlaintextAuth {
    fn code(&self) -> Code {
        Code::PlaintextAuth
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        Assessment::present_if(readable(view).is_some(), Sign::default)
    }

    fn describe(&self, view: &View<'_>, _: &Sign) -> Description {
        let Some(speaker) = readable(view) else {
            return Description::default();
        };
        Description {
            sources: vec![speaker.source],
            message: format!(
                "{} sends its password in clear text, as auth_type PASS always does.",
                router(view.router)
            ),
            evidence: vec![advert(
                view.router,
                speaker,
                "authentication type 1, PASS".to_owned(),
            )],
            advice: "Do not use that password for anything else. More: `vrrpwatch explain \
                plaintext-auth`."
                .to_owned(),
        }
    }
}

/// A router whose password can be read: the active one if it is so, or one that the others reject.
fn readable<'a>(view: &View<'a>) -> Option<&'a Speaker> {
    let others = view
        .router
        .speakers()
        .filter(|speaker| speaker.is_alive(view.now));
    view.router
        .active()
        .into_iter()
        .chain(others)
        .find(|speaker| matches!(speaker.config.auth, AuthTag::Pass(_)))
}
