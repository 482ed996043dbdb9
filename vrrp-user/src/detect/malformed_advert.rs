//! malformed-advert: adverts that break the format and are dropped by their receivers.

use super::{
    incident::{Report, advert_evidence, patience},
    view::Description,
};
use crate::{
    model::MacAddr,
    record::Code,
    wire::{Advert, Defect},
};

/// The finding in words.
pub(super) fn report(advert: &Advert, mac: Option<MacAddr>, defect: Defect) -> Report {
    Report {
        code: Code::MalformedAdvert,
        severity: Code::MalformedAdvert.severity(),
        source: advert.source,
        vrid: advert.vrid,
        addresses: advert.addresses.clone(),
        quiet: patience(advert),
        description: Description {
            sources: vec![advert.source],
            message: format!(
                "{} sends adverts that break the format: {}.",
                advert.source,
                consequence(defect)
            ),
            evidence: vec![advert_evidence(advert, mac, defect.as_str().to_owned())],
            advice: "See what sends them: another implementation, a newer keepalived with options \
                     that older ones do not know, or a device on the way that rewrites packets; \
                     an empty one is a scan or an attack. `vrrpwatch run --write FILE` keeps the packets."
                .to_owned(),
        },
    }
}

/// What is wrong, and what receivers do about it.
const fn consequence(defect: Defect) -> &'static str {
    match defect {
        Defect::BadIpChecksum => {
            "the checksum of the IPv4 header is wrong, and hosts drop the packet before keepalived \
             sees it"
        }
        Defect::IpLengthBeyondFrame => {
            "the IP length is larger than the frame, and hosts drop the packet before keepalived \
             sees it"
        }
        Defect::HeaderTooShort => "the VRRP header is cut, and all receivers drop it",
        Defect::UnknownVersion => "the version is neither 2 nor 3, and all receivers drop it",
        Defect::Version2OverIpv6 => "VRRPv2 has no IPv6, and all receivers drop it",
        Defect::UnknownType => "the type is not 1, advertisement, and all receivers drop it",
        Defect::VridZero => "VRID 0 does not exist, and no receiver has it",
        Defect::IntervalZero => "the interval is zero, and receivers drop it",
        Defect::AddressesMissing => {
            "the packet is shorter than the addresses it announces, and all receivers drop it"
        }
        Defect::UnknownAuthType => {
            "the authentication type does not exist, and keepalived and FRR drop it"
        }
        Defect::AuthDataMissing => {
            "the authentication data that ends every VRRPv2 advert is missing, and keepalived and \
             FRR drop it"
        }
        Defect::AuthHeaderMismatch => {
            "authentication type and IPsec AH header do not go together, and keepalived drops it"
        }
        Defect::TrailingBytes => {
            "it is longer than its fields, and keepalived and FRR drop it for its length"
        }
        Defect::TtlNot255
        | Defect::Fragmented
        | Defect::NoAddresses
        | Defect::FirstAddressNotLinkLocal => "it is unusual",
    }
}
