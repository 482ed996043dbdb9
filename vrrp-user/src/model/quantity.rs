//! The quantities of VRRP, and the fingerprint that stands for a password.

use std::{borrow::Cow, fmt, hash::Hasher as _, net::IpAddr, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};
use siphasher::sip::SipHasher24;

use super::Span;

/// Virtual router identifier, 1 to 255; 0 is on the wire only by mistake.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Vrid(u8);

impl Vrid {
    /// The identifier with this number.
    pub const fn new(number: u8) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Vrid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Priority of a router in the election: 255 owns the addresses, 0 resigns.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(transparent)]
pub struct Priority(u8);

impl Priority {
    /// The active router gives its role up.
    pub const RESIGN: Self = Self(0);
    /// The router owns the addresses.
    pub const OWNER: Self = Self(255);

    /// The priority with this number.
    pub const fn new(number: u8) -> Self {
        Self(number)
    }

    /// The number.
    pub const fn get(self) -> u8 {
        self.0
    }
}

impl fmt::Display for Priority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Time between two adverts, as the advert states it: whole seconds in VRRPv2, centiseconds in
/// VRRPv3.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AdvertInterval(Span);

impl AdvertInterval {
    /// The interval of a VRRPv2 advert.
    pub const fn from_seconds(seconds: u8) -> Self {
        Self(Span::from_secs(seconds as u64))
    }

    /// The interval of a VRRPv3 advert.
    pub const fn from_centiseconds(centiseconds: u16) -> Self {
        Self(Span::from_millis(centiseconds as u64 * 10))
    }

    /// The interval as a duration.
    pub const fn span(self) -> Span {
        self.0
    }

    /// The interval in milliseconds; both units of the protocol are multiples of it.
    pub fn as_millis(self) -> u64 {
        u64::try_from(self.0.as_millis()).unwrap_or(u64::MAX)
    }
}

impl fmt::Display for AdvertInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // `Span` has a debug form only, and that one is just what is wanted: "1s", "200ms".
        write!(f, "{:?}", self.0)
    }
}

impl fmt::Debug for AdvertInterval {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// Version of VRRP.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Version {
    /// RFC 3768: IPv4, seconds, authentication.
    V2,
    /// RFC 5798 and 9568: IPv4 and IPv6, centiseconds, no authentication.
    V3,
}

impl Version {
    /// The version with this number, if VRRP has it.
    pub const fn from_number(number: u8) -> Option<Self> {
        match number {
            2 => Some(Self::V2),
            3 => Some(Self::V3),
            _ => None,
        }
    }

    /// The number in the packet.
    pub const fn number(self) -> u8 {
        match self {
            Self::V2 => 2,
            Self::V3 => 3,
        }
    }
}

/// Address family of a virtual router.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, JsonSchema,
)]
#[serde(rename_all = "lowercase")]
pub enum Family {
    /// IPv4.
    Ipv4,
    /// IPv6.
    Ipv6,
}

impl Family {
    /// The family of an address.
    pub const fn of(address: IpAddr) -> Self {
        match address {
            IpAddr::V4(_) => Self::Ipv4,
            IpAddr::V6(_) => Self::Ipv6,
        }
    }
}

impl fmt::Display for Family {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Ipv4 => "IPv4",
            Self::Ipv6 => "IPv6",
        })
    }
}

/// Secret of one run, under which passwords are fingerprinted.
///
/// Eight bytes of password could be guessed from an unkeyed hash; under a key that never leaves
/// the process, a fingerprint tells only whether two routers use the same one.
#[derive(Clone, PartialEq, Eq)]
pub struct FingerprintKey(Option<[u8; 16]>);

impl FingerprintKey {
    /// For a recording, in which the fingerprint stands where the password was.
    pub const RECORDED: Self = Self(None);

    /// A key made of these bytes, which should come from the system's random source.
    pub const fn new(bytes: [u8; 16]) -> Self {
        Self(Some(bytes))
    }

    /// The fingerprint of the eight bytes of a password, as an advert carries it.
    pub fn fingerprint(&self, password: [u8; 8]) -> Fingerprint {
        let Some(key) = &self.0 else {
            return Fingerprint(u64::from_be_bytes(password));
        };
        let mut hasher = SipHasher24::new_with_key(key);
        hasher.write(&password);
        Fingerprint(hasher.finish())
    }
}

impl fmt::Debug for FingerprintKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FingerprintKey(secret)")
    }
}

/// Stands for a password: equal for equal passwords within one run, and good for nothing else.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// As it stands in a frame in the place of the password.
    pub const fn octets(self) -> [u8; 8] {
        self.0.to_be_bytes()
    }
}

impl fmt::Display for Fingerprint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:016x}", self.0)
    }
}

impl From<Fingerprint> for String {
    fn from(fingerprint: Fingerprint) -> Self {
        fingerprint.to_string()
    }
}

/// The text is not sixteen hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a fingerprint (sixteen hexadecimal digits): {0:?}")]
pub struct ParseFingerprintError(String);

impl FromStr for Fingerprint {
    type Err = ParseFingerprintError;

    fn from_str(text: &str) -> Result<Self, ParseFingerprintError> {
        Some(text)
            .filter(|text| text.len() == 16)
            .and_then(|text| u64::from_str_radix(text, 16).ok())
            .map(Self)
            .ok_or_else(|| ParseFingerprintError(text.to_owned()))
    }
}

impl TryFrom<String> for Fingerprint {
    type Error = ParseFingerprintError;

    fn try_from(text: String) -> Result<Self, ParseFingerprintError> {
        text.parse()
    }
}

impl JsonSchema for Fingerprint {
    fn schema_name() -> Cow<'static, str> {
        "Fingerprint".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "Stands for a password: equal for equal passwords within one run.",
            "type": "string",
            "pattern": "^[0-9a-f]{16}$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn seconds_and_centiseconds_meet_in_one_unit() {
        assert_eq!(
            AdvertInterval::from_seconds(1),
            AdvertInterval::from_centiseconds(100)
        );
        assert_eq!(AdvertInterval::from_centiseconds(1).as_millis(), 10);
        assert_eq!(AdvertInterval::from_centiseconds(20).to_string(), "200ms");
    }

    #[test]
    fn a_fingerprint_tells_passwords_apart_and_depends_on_the_key() {
        let key = FingerprintKey::new([7; 16]);
        assert_eq!(key.fingerprint(*b"12345678"), key.fingerprint(*b"12345678"));
        assert_ne!(key.fingerprint(*b"12345678"), key.fingerprint(*b"87654321"));
        let other = FingerprintKey::new([8; 16]);
        assert_ne!(
            key.fingerprint(*b"12345678"),
            other.fingerprint(*b"12345678")
        );
        let text = key.fingerprint(*b"12345678").to_string();
        assert_eq!(text.parse(), Ok(key.fingerprint(*b"12345678")));
    }
}
