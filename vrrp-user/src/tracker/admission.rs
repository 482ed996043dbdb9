//! What a correct router would do with an advert: take it, or drop it and why.
//!
//! A dropped advert must not drive the picture of the election, for it drives none of the routers.

use std::net::IpAddr;

use crate::{
    model::{AddressList, AdvertInterval, Fingerprint, MacAddr, Priority, Version, Vrid},
    wire::{Advert, Auth, Checksum, Defect},
};

/// An advert that its receivers take, unless their configuration differs.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub(crate) source: IpAddr,
    pub(crate) destination: IpAddr,
    pub(crate) vrid: Vrid,
    pub(crate) priority: Priority,
    pub(crate) config: Config,
}

/// What the routers of one virtual router have to agree on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Config {
    /// Version of VRRP.
    pub version: Version,
    /// Time between adverts.
    pub interval: AdvertInterval,
    /// Virtual addresses; `None` where the packet was not captured whole.
    pub addresses: Option<AddressList>,
    /// Authentication.
    pub auth: AuthTag,
    /// Which checksum verifies; `None` where the packet was not captured whole.
    pub checksum: Option<Checksum>,
    /// The MAC that its frames for the group go to, where that is not the group's.
    pub misdirected: Option<MacAddr>,
}

/// Authentication, as far as two routers can be compared by it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum AuthTag {
    /// The packet was not captured that far.
    Unseen,
    /// None.
    None,
    /// A password.
    Pass(Fingerprint),
    /// IPsec authentication header; its key cannot be compared.
    Ah,
    /// Trailer of `auth_hmac`; its key cannot be compared.
    Hmac,
    /// Some other type, such as Cisco's MD5.
    Other(u8),
}

impl AuthTag {
    /// In words.
    pub(crate) const fn describe(self) -> &'static str {
        match self {
            Self::Unseen => "an unknown method",
            Self::None => "no authentication",
            Self::Pass(_) => "a PASS password",
            Self::Ah => "IPsec AH",
            Self::Hmac => "auth_hmac",
            Self::Other(_) => "a proprietary method",
        }
    }
}

/// Why receivers drop an advert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Rejection {
    /// It breaks the format.
    Malformed(Defect),
    /// Its TTL is not 255.
    Ttl(u8),
    /// Its checksum is wrong.
    Checksum,
}

/// Cisco's MD5 authentication: a type of its own, with data behind the message, and understood by
/// its peers.
const CISCO_MD5: u8 = 254;

/// Judges an advert as keepalived and FRR do: padding of the frame and IP options are fine, a
/// message that is longer than its fields is not. `None`: too little was captured to tell.
pub(crate) fn admit(advert: &Advert, to: Option<MacAddr>) -> Option<Result<Claim, Rejection>> {
    let proprietary = advert.auth == Auth::Unknown(CISCO_MD5);
    for defect in &advert.defects {
        match defect {
            Defect::TtlNot255 => return Some(Err(Rejection::Ttl(advert.ttl))),
            // The kernel puts fragments together. FRR and some of keepalived's setups advertise
            // IPv6 without a link-local address first, and take it. keepalived allows for a
            // virtual router without addresses.
            Defect::Fragmented | Defect::FirstAddressNotLinkLocal | Defect::NoAddresses => {}
            Defect::UnknownAuthType | Defect::TrailingBytes if proprietary => {}
            _ => return Some(Err(Rejection::Malformed(*defect))),
        }
    }
    if advert.checksum == Some(Checksum::Bad) {
        return Some(Err(Rejection::Checksum));
    }
    let whole = advert.checksum.is_some();
    let auth = match advert.auth {
        Auth::Pass(Some(fingerprint)) => AuthTag::Pass(fingerprint),
        Auth::Ah { .. } => AuthTag::Ah,
        Auth::Hmac(_) => AuthTag::Hmac,
        Auth::Unknown(number) => AuthTag::Other(number),
        Auth::None if whole => AuthTag::None,
        Auth::None | Auth::Pass(None) => AuthTag::Unseen,
    };
    Some(Ok(Claim {
        source: advert.source,
        destination: advert.destination,
        vrid: advert.vrid?,
        priority: advert.priority?,
        config: Config {
            version: advert.known_version()?,
            interval: advert.interval?,
            addresses: whole.then(|| advert.addresses.iter().copied().collect()),
            auth,
            checksum: advert.checksum,
            misdirected: to
                .filter(|_| advert.destination.is_multicast())
                .filter(|to| MacAddr::of_group(advert.destination) != Some(*to)),
        },
    }))
}
