//! Ethernet addresses.

use std::{borrow::Cow, fmt, net::IpAddr, str::FromStr};

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use super::{Family, Vrid};

const HEX: [u8; 16] = *b"0123456789abcdef";

/// An Ethernet address, written as six lower-case hexadecimal pairs.
#[derive(Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(into = "String", try_from = "String")]
pub struct MacAddr([u8; 6]);

impl MacAddr {
    /// The address made of these octets, in transmission order.
    pub const fn new(octets: [u8; 6]) -> Self {
        Self(octets)
    }

    /// The octets in transmission order.
    pub const fn octets(self) -> [u8; 6] {
        self.0
    }

    /// Where frames for a multicast group go (RFC 1112 section 6.4, RFC 2464 section 7); `None` for an
    /// address that is no group.
    pub const fn of_group(group: IpAddr) -> Option<Self> {
        match group {
            IpAddr::V4(group) if group.is_multicast() => {
                let [_, b, c, d] = group.octets();
                Some(Self([0x01, 0, 0x5e, b & 0x7f, c, d]))
            }
            IpAddr::V6(group) if group.is_multicast() => {
                let [.., a, b, c, d] = group.octets();
                Some(Self([0x33, 0x33, a, b, c, d]))
            }
            IpAddr::V4(_) | IpAddr::V6(_) => None,
        }
    }

    /// The virtual router's own address: `00:00:5e:00:01:{VRID}` for IPv4 and
    /// `00:00:5e:00:02:{VRID}` for IPv6 (RFC 9568 section 7.3).
    pub const fn of_virtual_router(family: Family, vrid: Vrid) -> Self {
        let group = match family {
            Family::Ipv4 => 1,
            Family::Ipv6 => 2,
        };
        Self([0, 0, 0x5e, 0, group, vrid.get()])
    }

    /// The VRID and family in a virtual router's address; `None` for any other address.
    pub const fn virtual_router(self) -> Option<(Family, Vrid)> {
        match self.0 {
            [0, 0, 0x5e, 0, 1, vrid] => Some((Family::Ipv4, Vrid::new(vrid))),
            [0, 0, 0x5e, 0, 2, vrid] => Some((Family::Ipv6, Vrid::new(vrid))),
            _ => None,
        }
    }
}

impl fmt::Display for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // By hand, since every line of output has one and six formatted writes add up.
        let mut text = *b"00:00:00:00:00:00";
        for (pair, octet) in text.chunks_mut(3).zip(self.0) {
            pair[0] = HEX[usize::from(octet >> 4)];
            pair[1] = HEX[usize::from(octet & 0x0f)];
        }
        f.write_str(str::from_utf8(&text).unwrap_or_default())
    }
}

impl fmt::Debug for MacAddr {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl From<MacAddr> for String {
    fn from(address: MacAddr) -> Self {
        address.to_string()
    }
}

/// The text is not six hexadecimal pairs between colons.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not an Ethernet address (six hexadecimal pairs between colons): {0:?}")]
pub struct ParseMacError(String);

impl FromStr for MacAddr {
    type Err = ParseMacError;

    fn from_str(text: &str) -> Result<Self, ParseMacError> {
        let mut octets = [0; 6];
        let mut pairs = text.split(':');
        for octet in &mut octets {
            *octet = pairs
                .next()
                .filter(|pair| pair.len() == 2)
                .and_then(|pair| u8::from_str_radix(pair, 16).ok())
                .ok_or_else(|| ParseMacError(text.to_owned()))?;
        }
        match pairs.next() {
            None => Ok(Self(octets)),
            Some(_) => Err(ParseMacError(text.to_owned())),
        }
    }
}

impl TryFrom<String> for MacAddr {
    type Error = ParseMacError;

    fn try_from(text: String) -> Result<Self, ParseMacError> {
        text.parse()
    }
}

impl JsonSchema for MacAddr {
    fn schema_name() -> Cow<'static, str> {
        "MacAddr".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "An Ethernet address.",
            "type": "string",
            "pattern": "^[0-9a-f]{2}(:[0-9a-f]{2}){5}$"
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_reads_back() {
        let address = MacAddr::new([2, 0, 0, 0, 0, 0xa0]);
        assert_eq!(address.to_string(), "02:00:00:00:00:a0");
        assert_eq!("02:00:00:00:00:a0".parse(), Ok(address));
    }

    #[test]
    fn other_text_is_refused() {
        for text in [
            "",
            "02:00",
            "02:00:00:00:00:a0:00",
            "2:0:0:0:0:a0",
            "02-00-00-00-00-a0",
        ] {
            assert!(text.parse::<MacAddr>().is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_virtual_address_names_its_router() {
        let address = MacAddr::of_virtual_router(Family::Ipv6, Vrid::new(51));
        assert_eq!(address.to_string(), "00:00:5e:00:02:33");
        assert_eq!(
            address.virtual_router(),
            Some((Family::Ipv6, Vrid::new(51)))
        );
        // CARP's own range differs from VRRP's in the fifth octet.
        assert_eq!(MacAddr::new([0, 0, 0x5e, 0, 0, 51]).virtual_router(), None);
    }
}
