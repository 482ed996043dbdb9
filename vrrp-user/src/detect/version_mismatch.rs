//! version-mismatch: routers of one virtual router speak different versions of VRRP.

use super::{
    disagreement,
    view::{Assessment, Description, Detector, Matter, Sign, View},
};
use crate::{model::Timestamp, record::Code};

pub(super) struct VersionMismatch;

impl Detector for VersionMismatch {
    fn code(&self) -> Code {
        Code::VersionMismatch
    }

    fn matter(&self) -> Matter {
        Matter::Rivals
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        disagreement::assess(view, |one, other| {
            one.config.version != other.config.version
        })
    }

    fn describe(&self, view: &View<'_>, sign: &Sign) -> Description {
        disagreement::describe(
            view,
            sign,
            "the version of VRRP",
            |config| format!("VRRPv{}", config.version.number()),
            "Set the same vrrp_version on all routers: each drops the adverts of the other version.",
        )
    }

    fn deadline(&self, view: &View<'_>) -> Option<Timestamp> {
        disagreement::deadline(view)
    }
}
