//! bad-ttl: multicast adverts whose TTL or hop limit is not 255.

use super::{
    incident::{Report, advert_evidence, patience},
    view::Description,
};
use crate::{model::MacAddr, record::Code, wire::Advert};

/// The finding in words.
pub(super) fn report(advert: &Advert, mac: Option<MacAddr>, ttl: u8) -> Report {
    Report {
        code: Code::BadTtl,
        severity: Code::BadTtl.severity(),
        source: advert.source,
        vrid: advert.vrid,
        addresses: advert.addresses.clone(),
        quiet: patience(advert),
        description: Description {
            sources: vec![advert.source],
            message: format!(
                "{} sends adverts with TTL {ttl} instead of 255; all receivers drop them, for they \
                 came through a router or are made up.",
                advert.source
            ),
            evidence: vec![advert_evidence(advert, mac, format!("TTL {ttl}"))],
            advice: "Find out how multicast adverts get here from another segment (a multicast \
                     router, a tunnel), or who makes them up. keepalived and FRR always send 255."
                .to_owned(),
        },
    }
}
