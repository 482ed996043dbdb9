//! VRRP messages made to order: the counterpart of the decoder, for tests and benchmarks.

use std::net::IpAddr;

use etherparse::checksum::Sum16BitWords;

/// What a VRRP message is to say. Any value may be wrong on purpose.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// Version field, 0 to 15.
    pub version: u8,
    /// Virtual router.
    pub vrid: u8,
    /// Priority.
    pub priority: u8,
    /// VRRPv2: seconds, 0 to 255. VRRPv3: centiseconds, 0 to 4095.
    pub interval: u16,
    /// Virtual addresses, all of the family of the packet.
    pub addresses: Vec<IpAddr>,
    /// VRRPv2: the authentication type.
    pub auth_type: u8,
    /// VRRPv2: the authentication data.
    pub auth_data: [u8; 8],
    /// What follows, uncovered by the checksum.
    pub trailer: Vec<u8>,
    /// Which checksum to write.
    pub checksum: Variant,
}

/// The variants of the checksum that speakers use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Variant {
    /// VRRPv2: no pseudo header; VRRPv3: with pseudo header.
    Usual,
    /// Never a pseudo header.
    NoPseudoHeader,
    /// The multicast group in the pseudo header.
    Multicast(IpAddr),
    /// None of them.
    Wrong,
}

impl Message {
    /// An everyday VRRPv2 advert with the password "testpass".
    pub fn v2(vrid: u8, priority: u8, addresses: impl Into<Vec<IpAddr>>) -> Self {
        Self {
            version: 2,
            vrid,
            priority,
            interval: 1,
            addresses: addresses.into(),
            auth_type: 1,
            auth_data: *b"testpass",
            trailer: Vec::new(),
            checksum: Variant::Usual,
        }
    }

    /// An everyday VRRPv3 advert.
    pub fn v3(vrid: u8, priority: u8, addresses: impl Into<Vec<IpAddr>>) -> Self {
        Self {
            version: 3,
            interval: 100,
            auth_type: 0,
            ..Self::v2(vrid, priority, addresses)
        }
    }

    /// The bytes of the message in a packet from `source` to `destination`.
    ///
    /// # Panics
    /// With more than 255 addresses, which no message can count.
    pub fn encode(&self, source: IpAddr, destination: IpAddr) -> Vec<u8> {
        let [high, low] = self.interval.to_be_bytes();
        let count = u8::try_from(self.addresses.len()).expect("at most 255 addresses");
        let fourth = if self.version == 3 {
            high & 0x0f
        } else {
            self.auth_type
        };
        let mut bytes = vec![
            self.version << 4 | 1,
            self.vrid,
            self.priority,
            count,
            fourth,
            low,
            0,
            0,
        ];
        for address in &self.addresses {
            match address {
                IpAddr::V4(address) => bytes.extend(address.octets()),
                IpAddr::V6(address) => bytes.extend(address.octets()),
            }
        }
        if self.version == 2 {
            bytes.extend(self.auth_data);
        }
        let pseudo = match (self.version, self.checksum) {
            (2, _) | (_, Variant::NoPseudoHeader) => Sum16BitWords::new(),
            (_, Variant::Usual | Variant::Wrong) => pseudo(source, destination, bytes.len()),
            (_, Variant::Multicast(group)) => pseudo(source, group, bytes.len()),
        };
        let mut checksum = pseudo.add_slice(&bytes).ones_complement().to_ne_bytes();
        if self.checksum == Variant::Wrong {
            checksum[0] ^= 0x55;
        }
        bytes[6..8].copy_from_slice(&checksum);
        bytes.extend(&self.trailer);
        bytes
    }
}

fn pseudo(source: IpAddr, destination: IpAddr, length: usize) -> Sum16BitWords {
    let add = |mut sum: Sum16BitWords, address| match address {
        IpAddr::V4(address) => sum.add_4bytes(address.octets()),
        IpAddr::V6(address) => sum.add_16bytes(address.octets()),
    };
    let length = u32::try_from(length).expect("a packet");
    add(add(Sum16BitWords::new(), source), destination)
        .add_4bytes(length.to_be_bytes())
        .add_2bytes([0, 112])
}
