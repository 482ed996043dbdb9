//! checksum-variant-mismatch: routers of one virtual router compute the checksum differently.

use super::{
    disagreement,
    view::{Assessment, Description, Detector, Matter, Sign, View},
    words::checksum_variant,
};
use crate::{model::Timestamp, record::Code, tracker::Config, wire::Checksum};

pub(super) struct ChecksumVariantMismatch;

impl Detector for ChecksumVariantMismatch {
    fn code(&self) -> Code {
        Code::ChecksumVariantMismatch
    }

    fn matter(&self) -> Matter {
        Matter::Rivals
    }

    fn assess(&self, view: &View<'_>) -> Assessment {
        disagreement::assess(view, |one, other| differs(&one.config, &other.config))
    }

    fn describe(&self, view: &View<'_>, sign: &Sign) -> Description {
        let mut configs = sign
            .speakers
            .iter()
            .filter_map(|id| view.speaker(*id))
            .map(|speaker| &speaker.config);
        let advice = match (configs.next(), configs.next()) {
            (Some(one), Some(other)) => checksum_variant(one, other).1,
            _ => "",
        };
        disagreement::describe(
            view,
            sign,
            "the checksum of VRRPv3 over IPv4",
            |config| value(config).to_owned(),
            advice,
        )
    }

    fn deadline(&self, view: &View<'_>) -> Option<Timestamp> {
        disagreement::deadline(view)
    }
}

/// VRRPv2 knows one variant only; that its version differs is another finding.
fn differs(one: &Config, other: &Config) -> bool {
    one.version == other.version
        && one.checksum.is_some()
        && other.checksum.is_some()
        && one.checksum != other.checksum
}

const fn value(config: &Config) -> &'static str {
    match config.checksum {
        Some(Checksum::OkNoPseudoHeader) => "none of the IP header in it (RFC 9568)",
        Some(Checksum::OkMulticastPseudoHeader) => "the multicast group in it",
        _ => "the IPv4 pseudo header in it",
    }
}
