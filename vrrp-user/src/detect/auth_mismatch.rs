//! auth-mismatch: routers of one virtual router authenticate differently.

use super::{
    disagreement,
    view::{Assessment, Description, Detector, Matter, Sign, View},
};
use crate::{
    model::Timestamp,
    record::Code,
    tracker::{AuthTag, Config, speaker::auth_differs},
};

pub(super) struct AuthMismatch;

impl Detector for AuthMismatch {
    fn code(&self) -> Code {
        Code::AuthMismatch
    }

    fn matter(&self) -> Matter {
        Matter::Rivals
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        disagreement::assess(view, |one, other| {
            one.config.version == other.config.version && auth_differs(&one.config, &other.config)
        })
    }

    fn describe(&self, view: &View<'_>, sign: &Sign) -> Description {
        disagreement::describe(
            view,
            sign,
            "authentication",
            value,
            "Use the same auth_type and auth_pass on all routers, or drop the authentication block from all: it protects against nothing but this.",
        )
    }

    fn deadline(&self, view: &View<'_>) -> Option<Timestamp> {
        disagreement::deadline(view)
    }
}

fn value(config: &Config) -> String {
    match config.auth {
        AuthTag::Pass(fingerprint) => format!("the password with fingerprint {fingerprint}"),
        AuthTag::Other(number) => format!("authentication type {number}"),
        other => other.describe().to_owned(),
    }
}
