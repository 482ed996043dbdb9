//! The records of VRRP and CARP advertisements.

use std::net::IpAddr;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use crate::{
    model::{Family, Fingerprint, MacAddr, Priority, Vrid},
    wire::{Advert, Auth, Carp, Checksum, Defect},
};

/// A VRRP advertisement, as far as it could be read; what the packet was too short to hold is
/// absent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AdvertRecord {
    /// Version of VRRP.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub version: Option<u8>,
    /// Virtual router.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub vrid: Option<Vrid>,
    /// Address family.
    pub family: Family,
    /// Priority of the sender: 255 owns the addresses, 0 resigns.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub priority: Option<Priority>,
    /// Time between two adverts of the sender, in milliseconds.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub interval_ms: Option<u64>,
    /// Virtual addresses, in the order of the packet.
    pub addresses: Vec<IpAddr>,
    /// Authentication.
    pub auth: AuthKind,
    /// Number of the authentication type, where VRRP has no such type.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub auth_type: Option<u8>,
    /// Stands for the password of `pass`: equal for equal passwords within one run.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub auth_fingerprint: Option<Fingerprint>,
    /// Security parameters index of `ah`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub auth_spi: Option<u32>,
    /// Sequence number of `ah`, counter of `hmac`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub auth_sequence: Option<u32>,
    /// Key identifier of `hmac`.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub auth_key_id: Option<u8>,
    /// The sender's clock in `hmac`: seconds since the epoch.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub auth_seconds: Option<u32>,
    /// Sender.
    pub source: IpAddr,
    /// The multicast group, or a unicast peer.
    pub destination: IpAddr,
    /// Sender on the link.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source_mac: Option<MacAddr>,
    /// Receiver on the link.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub destination_mac: Option<MacAddr>,
    /// TTL or hop limit.
    pub ttl: u8,
    /// Identification of the IPv4 packet: with the source it tells one advert from the next.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub ip_id: Option<u16>,
    /// Which checksum verifies; absent where the packet was not captured whole.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub checksum: Option<Checksum>,
    /// What is wrong with the packet.
    pub defects: Vec<Defect>,
}

/// How an advert is authenticated.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
pub enum AuthKind {
    /// Not at all.
    None,
    /// A password in clear text.
    Pass,
    /// IPsec authentication header.
    Ah,
    /// Trailer of keepalived's `auth_hmac`.
    Hmac,
    /// A type that VRRP does not have.
    Unknown,
}

impl AuthKind {
    /// As written in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::Pass => "pass",
            Self::Ah => "ah",
            Self::Hmac => "hmac",
            Self::Unknown => "unknown",
        }
    }
}

impl AdvertRecord {
    /// The record of a decoded advert.
    pub fn new(
        advert: &Advert,
        source_mac: Option<MacAddr>,
        destination_mac: Option<MacAddr>,
    ) -> Self {
        let mut record = Self {
            version: advert.version,
            vrid: advert.vrid,
            family: advert.family(),
            priority: advert.priority,
            interval_ms: advert.interval.map(crate::model::AdvertInterval::as_millis),
            addresses: advert.addresses.clone(),
            auth: AuthKind::None,
            auth_type: None,
            auth_fingerprint: None,
            auth_spi: None,
            auth_sequence: None,
            auth_key_id: None,
            auth_seconds: None,
            source: advert.source,
            destination: advert.destination,
            source_mac,
            destination_mac,
            ttl: advert.ttl,
            ip_id: advert.identification,
            checksum: advert.checksum,
            defects: advert.defects.clone(),
        };
        match advert.auth {
            Auth::None => {}
            Auth::Pass(fingerprint) => {
                record.auth = AuthKind::Pass;
                record.auth_fingerprint = fingerprint;
            }
            Auth::Ah { spi, sequence } => {
                record.auth = AuthKind::Ah;
                record.auth_spi = Some(spi);
                record.auth_sequence = Some(sequence);
            }
            Auth::Hmac(trailer) => {
                record.auth = AuthKind::Hmac;
                record.auth_key_id = Some(trailer.key_id);
                record.auth_seconds = Some(trailer.seconds);
                record.auth_sequence = Some(u32::from(trailer.counter));
            }
            Auth::Unknown(number) => {
                record.auth = AuthKind::Unknown;
                record.auth_type = Some(number);
            }
        }
        record
    }
}

/// A CARP advertisement.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct CarpRecord {
    /// Virtual host identifier.
    pub vhid: u8,
    /// Address family.
    pub family: Family,
    /// Skew in 1/256 s: the lower, the better the sender's claim.
    pub skew: u8,
    /// Demotion counter.
    pub demotion: u8,
    /// Base interval, in milliseconds.
    pub interval_ms: u64,
    /// Sender.
    pub source: IpAddr,
    /// Receiver.
    pub destination: IpAddr,
    /// Sender on the link.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub source_mac: Option<MacAddr>,
    /// TTL or hop limit.
    pub ttl: u8,
    /// Whether the checksum verifies.
    pub checksum: Checksum,
}

impl CarpRecord {
    /// The record of a decoded message.
    pub fn new(carp: &Carp, source_mac: Option<MacAddr>) -> Self {
        Self {
            vhid: carp.vhid,
            family: Family::of(carp.source),
            skew: carp.skew,
            demotion: carp.demotion,
            interval_ms: u64::from(carp.base_seconds) * 1000,
            source: carp.source,
            destination: carp.destination,
            source_mac,
            ttl: carp.ttl,
            checksum: if carp.intact {
                Checksum::Ok
            } else {
                Checksum::Bad
            },
        }
    }
}
