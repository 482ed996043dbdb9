//! An address of an interface, and the subnet that comes with it.

use std::net::IpAddr;

use serde::{Deserialize, Serialize};

/// An address of an interface.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Assigned {
    /// The address.
    pub address: IpAddr,
    /// Length of the subnet's prefix in bits.
    pub prefix: u8,
    /// It may be spoken from: duplicate address detection is over and has found no other holder.
    pub usable: bool,
    /// Duplicate address detection has found another holder.
    pub duplicate: bool,
}

impl Assigned {
    /// Whether the address lies in the same subnet.
    pub fn reaches(&self, address: IpAddr) -> bool {
        match (self.address, address) {
            (IpAddr::V4(own), IpAddr::V4(other)) => {
                let mask = u32::MAX.checked_shl(32 - u32::from(self.prefix.min(32)));
                (own.to_bits() ^ other.to_bits()) & mask.unwrap_or(0) == 0
            }
            (IpAddr::V6(own), IpAddr::V6(other)) => {
                let mask = u128::MAX.checked_shl(128 - u32::from(self.prefix.min(128)));
                (own.to_bits() ^ other.to_bits()) & mask.unwrap_or(0) == 0
            }
            (IpAddr::V4(_), IpAddr::V6(_)) | (IpAddr::V6(_), IpAddr::V4(_)) => false,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reaches(own: &str, prefix: u8, other: &str) -> bool {
        let assigned = Assigned {
            address: own.parse().expect("an address"),
            prefix,
            usable: true,
            duplicate: false,
        };
        assigned.reaches(other.parse().expect("an address"))
    }

    #[test]
    fn the_prefix_decides() {
        assert!(reaches("10.77.0.10", 24, "10.77.0.100"));
        assert!(!reaches("10.77.0.10", 24, "10.77.1.100"));
        assert!(!reaches("10.77.0.10", 32, "10.77.0.100"));
        assert!(reaches("10.77.0.10", 0, "192.0.2.1"));
        assert!(reaches("fe80::1", 64, "fe80::77:100"));
        assert!(!reaches("fd77::1", 64, "fe80::77:100"));
        assert!(!reaches("10.77.0.10", 0, "fd77::1"));
    }
}
