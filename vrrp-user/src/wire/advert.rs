//! VRRP advertisements, version 2 and 3.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::checksum::Checksum;
use crate::model::{AdvertInterval, Family, Fingerprint, FingerprintKey, Priority, Version, Vrid};

/// Group of VRRP over IPv4.
pub const MULTICAST_V4: Ipv4Addr = Ipv4Addr::new(224, 0, 0, 18);
/// Group of VRRP over IPv6.
pub const MULTICAST_V6: Ipv6Addr = Ipv6Addr::new(0xff02, 0, 0, 0, 0, 0, 0, 0x12);

/// A VRRP advertisement, as far as it could be read: what the packet was too short to hold is
/// `None`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Advert {
    /// Sender.
    pub source: IpAddr,
    /// The group, or a unicast peer.
    pub destination: IpAddr,
    /// Time to live or hop limit; 255 unless the packet crossed a router or was forged.
    pub ttl: u8,
    /// Identification of the IPv4 packet: a sender has another one for each, a copy has the same.
    pub identification: Option<u16>,
    /// The version field as it is; [`Version::from_number`] tells whether VRRP has it.
    pub version: Option<u8>,
    /// Virtual router.
    pub vrid: Option<Vrid>,
    /// Priority of the sender.
    pub priority: Option<Priority>,
    /// Time between the sender's adverts.
    pub interval: Option<AdvertInterval>,
    /// Virtual addresses, in the order of the packet.
    pub addresses: Vec<IpAddr>,
    /// Authentication.
    pub auth: Auth,
    /// Which checksum verifies; `None` where the capture cut the packet.
    pub checksum: Option<Checksum>,
    /// What is wrong with the packet, in the order of its fields.
    pub defects: Vec<Defect>,
}

/// Authentication of an advert.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Auth {
    /// None.
    None,
    /// A password in clear text (RFC 2338), of which only the fingerprint is kept; `None` where the
    /// packet ends before it.
    Pass(Option<Fingerprint>),
    /// An IPsec authentication header with HMAC-MD5-96.
    Ah {
        /// Security parameters index; keepalived puts its source address there.
        spi: u32,
        /// Sequence number; grows by one a packet.
        sequence: u32,
    },
    /// The trailer of keepalived 2.4's `auth_hmac` (draft-cassen-vrrp-auth-hmac).
    Hmac(AuthTrailer),
    /// A type that no RFC for VRRP has; 254 is Cisco's MD5.
    Unknown(u8),
}

/// What the trailer of `auth_hmac` says in clear.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
pub struct AuthTrailer {
    /// Which of the configured keys signed the advert.
    pub key_id: u8,
    /// Seconds since the epoch by the sender's clock.
    pub seconds: u32,
    /// Counter of adverts within one tick of that clock.
    pub counter: u16,
}

/// Something about an advert that the protocol does not allow.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "kebab-case")]
pub enum Defect {
    /// The checksum of the IPv4 header is wrong: hosts drop the packet unseen.
    BadIpChecksum,
    /// TTL or hop limit is not 255.
    TtlNot255,
    /// The packet was fragmented; what follows the first fragment is not seen.
    Fragmented,
    /// The IP length is larger than the frame.
    IpLengthBeyondFrame,
    /// Fewer than the 8 bytes of the header.
    HeaderTooShort,
    /// Neither version 2 nor 3.
    UnknownVersion,
    /// VRRPv2 has no IPv6.
    Version2OverIpv6,
    /// The type is not 1, advertisement.
    UnknownType,
    /// Virtual router 0.
    VridZero,
    /// An interval of zero.
    IntervalZero,
    /// No virtual address.
    NoAddresses,
    /// The count announces more addresses than the packet holds.
    AddressesMissing,
    /// The first address of an IPv6 router is not link-local (RFC 9568 section 5.2.9).
    FirstAddressNotLinkLocal,
    /// An authentication type that VRRP does not have.
    UnknownAuthType,
    /// The eight bytes of authentication data that end every VRRPv2 advert are missing.
    AuthDataMissing,
    /// The authentication type is AH and there is no AH header, or the reverse.
    AuthHeaderMismatch,
    /// Bytes behind the last field.
    TrailingBytes,
}

impl Defect {
    /// As written in records.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::BadIpChecksum => "bad-ip-checksum",
            Self::TtlNot255 => "ttl-not-255",
            Self::Fragmented => "fragmented",
            Self::IpLengthBeyondFrame => "ip-length-beyond-frame",
            Self::HeaderTooShort => "header-too-short",
            Self::UnknownVersion => "unknown-version",
            Self::Version2OverIpv6 => "version2-over-ipv6",
            Self::UnknownType => "unknown-type",
            Self::VridZero => "vrid-zero",
            Self::IntervalZero => "interval-zero",
            Self::NoAddresses => "no-addresses",
            Self::AddressesMissing => "addresses-missing",
            Self::FirstAddressNotLinkLocal => "first-address-not-link-local",
            Self::UnknownAuthType => "unknown-auth-type",
            Self::AuthDataMissing => "auth-data-missing",
            Self::AuthHeaderMismatch => "auth-header-mismatch",
            Self::TrailingBytes => "trailing-bytes",
        }
    }
}

/// What the IP layer says of the message that [`Advert::parse`] reads.
pub(super) struct IpContext {
    pub(super) source: IpAddr,
    pub(super) destination: IpAddr,
    pub(super) ttl: u8,
    pub(super) identification: Option<u16>,
    /// SPI and sequence number of an AH header.
    pub(super) ah: Option<(u32, u32)>,
    /// The capture, not the sender, cut the message: its length proves nothing.
    pub(super) cut: bool,
    /// Defects found on the way here.
    pub(super) defects: Vec<Defect>,
}

const HEADER: usize = 8;
const V2_AUTH_DATA: usize = 8;
const AUTH_PASS: u8 = 1;
const AUTH_AH: u8 = 2;

impl Advert {
    /// Family of the virtual router.
    pub const fn family(&self) -> Family {
        Family::of(self.source)
    }

    /// Whether the advert went to one peer rather than a group.
    pub const fn is_unicast(&self) -> bool {
        !self.destination.is_multicast()
    }

    /// Reads a message of any length.
    pub(super) fn parse(ip: IpContext, message: &[u8], key: &FingerprintKey) -> Self {
        let IpContext {
            source,
            destination,
            ttl,
            identification,
            ah,
            cut,
            mut defects,
        } = ip;
        // Unicast peers may be several hops away (keepalived's unicast_ttl).
        if ttl != 255 && destination.is_multicast() {
            defects.push(Defect::TtlNot255);
        }
        let mut advert = Self {
            source,
            destination,
            ttl,
            identification,
            version: message.first().map(|byte| byte >> 4),
            vrid: message.get(1).copied().map(Vrid::new),
            priority: message.get(2).copied().map(Priority::new),
            interval: None,
            addresses: Vec::new(),
            auth: ah.map_or(Auth::None, |(spi, sequence)| Auth::Ah { spi, sequence }),
            checksum: None,
            defects,
        };
        let Some((header, rest)) = message.split_first_chunk::<HEADER>() else {
            if !cut {
                advert.defects.push(Defect::HeaderTooShort);
            }
            return advert;
        };
        advert.parse_header(*header);
        let Some(version) = advert.known_version() else {
            return advert;
        };
        let auth_type = header[4];
        // Where the count is too large, the last bytes are the password rather than addresses: it
        // must not be printed as such.
        let reserved = match version {
            Version::V2 if auth_type != 0 && !cut && rest.len() >= V2_AUTH_DATA => V2_AUTH_DATA,
            Version::V2 | Version::V3 => 0,
        };
        let rest = advert.parse_addresses(header[3], rest, reserved, cut);
        let rest = match version {
            Version::V2 => advert.parse_auth_data(auth_type, rest, key, cut),
            Version::V3 => rest,
        };
        advert.parse_trailer(rest);
        if !cut {
            let end = message.len() - rest.len();
            advert.checksum = Some(Checksum::verify(version, source, destination, message, end));
        }
        advert
    }

    /// The version, if VRRP has it.
    pub fn known_version(&self) -> Option<Version> {
        self.version.and_then(Version::from_number)
    }

    fn parse_header(&mut self, [kind, vrid, _, _, high, low, _, _]: [u8; HEADER]) {
        match (self.known_version(), self.family()) {
            (None, _) => self.defects.push(Defect::UnknownVersion),
            (Some(Version::V2), Family::Ipv6) => self.defects.push(Defect::Version2OverIpv6),
            (Some(_), _) => {}
        }
        if kind & 0x0f != 1 {
            self.defects.push(Defect::UnknownType);
        }
        if vrid == 0 {
            self.defects.push(Defect::VridZero);
        }
        self.interval = self.known_version().map(|version| match version {
            Version::V2 => AdvertInterval::from_seconds(low),
            Version::V3 => {
                AdvertInterval::from_centiseconds(u16::from_be_bytes([high & 0x0f, low]))
            }
        });
        if self
            .interval
            .is_some_and(|interval| interval.span().is_zero())
        {
            self.defects.push(Defect::IntervalZero);
        }
    }

    /// Reads as many of `count` addresses as there are in all but the last `reserved` bytes, and
    /// returns what follows them.
    fn parse_addresses<'a>(
        &mut self,
        count: u8,
        bytes: &'a [u8],
        reserved: usize,
        cut: bool,
    ) -> &'a [u8] {
        let size = match self.family() {
            Family::Ipv4 => 4,
            Family::Ipv6 => 16,
        };
        let end = bytes.len() - reserved;
        let whole = (end / size).min(usize::from(count));
        let (list, rest) = bytes.split_at(whole * size);
        self.addresses = list.chunks_exact(size).filter_map(address).collect();
        if count == 0 {
            self.defects.push(Defect::NoAddresses);
        } else if whole < usize::from(count) {
            if !cut {
                self.defects.push(Defect::AddressesMissing);
            }
            // What is left of the list is a piece of an address, not a field of its own.
            return &bytes[end..];
        }
        if let Some(IpAddr::V6(first)) = self.addresses.first()
            && !first.is_unicast_link_local()
        {
            self.defects.push(Defect::FirstAddressNotLinkLocal);
        }
        rest
    }

    /// Reads the authentication data that ends every VRRPv2 advert and returns what follows it.
    fn parse_auth_data<'a>(
        &mut self,
        auth_type: u8,
        bytes: &'a [u8],
        key: &FingerprintKey,
        cut: bool,
    ) -> &'a [u8] {
        let under_ah = matches!(self.auth, Auth::Ah { .. });
        if (auth_type == AUTH_AH) != under_ah {
            self.defects.push(Defect::AuthHeaderMismatch);
        } else if auth_type > AUTH_AH {
            self.defects.push(Defect::UnknownAuthType);
        }
        let (data, rest) = match bytes.split_first_chunk::<V2_AUTH_DATA>() {
            Some((data, rest)) => (Some(data), rest),
            // A capture that ends here says nothing of what follows.
            None if cut => (None, &[][..]),
            None => (None, bytes),
        };
        if data.is_none() && !cut {
            self.defects.push(Defect::AuthDataMissing);
        }
        if !under_ah {
            self.auth = match (auth_type, data) {
                (0, _) => Auth::None,
                (AUTH_PASS, password) => Auth::Pass(password.map(|bytes| key.fingerprint(*bytes))),
                (other, _) => Auth::Unknown(other),
            };
        }
        rest
    }

    /// What stands behind the last field is the trailer of `auth_hmac`, or should not be there.
    fn parse_trailer(&mut self, bytes: &[u8]) {
        match AuthTrailer::parse(bytes) {
            Some(trailer) => self.auth = Auth::Hmac(trailer),
            None if bytes.is_empty() => {}
            None => self.defects.push(Defect::TrailingBytes),
        }
    }
}

impl AuthTrailer {
    /// Extension type (1), key (1), reserved (2), seconds (4), fraction (2), counter (2), MAC (16).
    const LENGTH: usize = 28;
    const TYPE: u8 = 1;

    fn parse(bytes: &[u8]) -> Option<Self> {
        let [Self::TYPE, key_id, 0, 0, s0, s1, s2, s3, _, _, c0, c1, ..] = *bytes else {
            return None;
        };
        (bytes.len() == Self::LENGTH).then_some(Self {
            key_id,
            seconds: u32::from_be_bytes([s0, s1, s2, s3]),
            counter: u16::from_be_bytes([c0, c1]),
        })
    }
}

/// The address in 4 or 16 bytes.
fn address(bytes: &[u8]) -> Option<IpAddr> {
    if let Ok(octets) = <[u8; 4]>::try_from(bytes) {
        return Some(IpAddr::from(octets));
    }
    <[u8; 16]>::try_from(bytes).ok().map(IpAddr::from)
}
