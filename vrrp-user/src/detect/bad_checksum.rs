//! bad-checksum: adverts whose checksum is wrong in every variant.

use super::{
    incident::{Report, advert_evidence, patience},
    view::Description,
};
use crate::{model::MacAddr, record::Code, wire::Advert};

/// The finding in words.
pub(super) fn report(advert: &Advert, mac: Option<MacAddr>) -> Report {
    Report {
        code: Code::BadChecksum,
        severity: Code::BadChecksum.severity(),
        source: advert.source,
        vrid: advert.vrid,
        addresses: advert.addresses.clone(),
        quiet: patience(advert),
        description: Description {
            sources: vec![advert.source],
            message: format!(
                "{} sends adverts whose checksum is wrong in every variant; all receivers drop \
                 them.",
                advert.source
            ),
            evidence: vec![advert_evidence(
                advert,
                mac,
                "verifies neither with nor without a pseudo header".to_owned(),
            )],
            advice:
                "The packet was damaged or rewritten on its way (NAT of unicast adverts changes \
                     the pseudo header), or its sender computes wrongly. With keepalived \
                     from 2.3.3 on, v3_checksum_as_v2 on all routers leaves the addresses out of the checksum."
                    .to_owned(),
        },
    }
}
