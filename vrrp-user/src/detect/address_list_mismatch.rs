//! address-list-mismatch: routers of one virtual router advertise different addresses.

use super::{
    disagreement,
    view::{Assessment, Description, Detector, Matter, Sign, View},
};
use crate::{
    model::Timestamp,
    record::Code,
    tracker::{Config, Speaker, speaker::addresses_differ},
};

pub(super) struct AddressListMismatch;

impl Detector for AddressListMismatch {
    fn code(&self) -> Code {
        Code::AddressListMismatch
    }

    fn matter(&self) -> Matter {
        Matter::Rivals
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        disagreement::assess(view, |one, other| differs(view, one, other))
    }

    fn describe(&self, view: &View<'_>, sign: &Sign) -> Description {
        disagreement::describe(
            view,
            sign,
            "the virtual addresses",
            value,
            "Make the virtual_ipaddress blocks equal on all routers; move addresses that not all of them should have to virtual_ipaddress_excluded. keepalived up to 2.3.2 drops adverts with other addresses, so that both routers become active.",
        )
    }

    fn deadline(&self, view: &View<'_>) -> Option<Timestamp> {
        disagreement::deadline(view)
    }
}

/// Two routers with nothing in common that are there at once are two services: that is a
/// vrid-collision, once it is certain that neither yields.
fn differs(view: &View<'_>, one: &Speaker, other: &Speaker) -> bool {
    let at_once =
        || view.router.may_be_active(one, view.now) && view.router.may_be_active(other, view.now);
    addresses_differ(&one.config, &other.config) && (one.shares_address(other) || !at_once())
}

fn value(config: &Config) -> String {
    super::words::list(config.addresses.iter().flatten())
}
