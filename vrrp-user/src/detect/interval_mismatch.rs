//! interval-mismatch: routers of one virtual router advertise different intervals.

use super::{
    disagreement,
    view::{Assessment, Description, Detector, Matter, Sign, View},
};
use crate::{model::Timestamp, record::Code};

pub(super) struct IntervalMismatch;

impl Detector for IntervalMismatch {
    fn code(&self) -> Code {
        Code::IntervalMismatch
    }

    fn matter(&self) -> Matter {
        Matter::Rivals
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        disagreement::assess(view, |one, other| {
            one.config.version == other.config.version
                && one.config.interval != other.config.interval
        })
    }

    fn describe(&self, view: &View<'_>, sign: &Sign) -> Description {
        disagreement::describe(
            view,
            sign,
            "the advertisement interval",
            |config| format!("{} (VRRPv{})", config.interval, config.version.number()),
            "Set the same advert_int on all routers. VRRPv2 drops adverts with another interval, so that both routers become active; VRRPv3 learns the interval of the active router, and fails over at another speed than configured.",
        )
    }

    fn deadline(&self, view: &View<'_>) -> Option<Timestamp> {
        disagreement::deadline(view)
    }
}
