//! The contract about packets that the kernel drops: what is counted, and what the program has to be
//! told of the running kernel.

use crate::WatchKey;

/// What dropped packets are told apart by. Integers are in the host's byte order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DropKey {
    /// Address of the instruction that dropped the packet.
    pub location: u64,
    /// The kernel's `enum skb_drop_reason`; 0 where it gives none.
    pub reason: u32,
    /// Index of the interface, 0 where none is known.
    pub ifindex: u32,
    /// Source address of the packet.
    pub source: WatchKey,
    /// VRID in the packet; 0, which is none, where it could not be read.
    pub vrid: u8,
    /// 1 where the packet came in by an interface, 0 where this host sent it.
    pub incoming: u8,
    /// Zero.
    pub reserved: [u8; 6],
}

impl DropKey {
    /// Size in bytes.
    pub const SIZE: usize = 40;

    /// The key that [`DropKey::to_bytes`] wrote.
    #[must_use]
    pub fn from_bytes(bytes: &[u8; Self::SIZE]) -> Self {
        Self {
            location: u64::from_ne_bytes(part(bytes, 0)),
            reason: u32::from_ne_bytes(part(bytes, 8)),
            ifindex: u32::from_ne_bytes(part(bytes, 12)),
            source: part(bytes, 16),
            vrid: bytes[32],
            incoming: bytes[33],
            reserved: part(bytes, 34),
        }
    }

    /// The key as the map has it.
    #[must_use]
    #[inline]
    pub fn to_bytes(self) -> [u8; Self::SIZE] {
        let mut bytes = [0; Self::SIZE];
        bytes[0..8].copy_from_slice(&self.location.to_ne_bytes());
        bytes[8..12].copy_from_slice(&self.reason.to_ne_bytes());
        bytes[12..16].copy_from_slice(&self.ifindex.to_ne_bytes());
        bytes[16..32].copy_from_slice(&self.source);
        bytes[32] = self.vrid;
        bytes[33] = self.incoming;
        bytes[34..40].copy_from_slice(&self.reserved);
        bytes
    }
}

/// `N` of the bytes, from `at` on.
fn part<const N: usize>(bytes: &[u8; DropKey::SIZE], at: usize) -> [u8; N] {
    core::array::from_fn(|index| bytes[at + index])
}

/// Where the running kernel keeps what the program reads: offsets in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Layout {
    /// Of `head` in `struct sk_buff`: the address that the next offsets in the packet count from.
    pub head: u32,
    /// Of `data` in `struct sk_buff`: an address.
    pub data: u32,
    /// Of `tail` in `struct sk_buff`: an offset from `head`.
    pub tail: u32,
    /// Of `network_header` in `struct sk_buff`: an offset from `head`.
    pub network_header: u32,
    /// Of `protocol` in `struct sk_buff`.
    pub protocol: u32,
    /// Of `dev` in `struct sk_buff`.
    pub dev: u32,
    /// Of `sk` in `struct sk_buff`.
    pub sk: u32,
    /// Of `skb_iif` in `struct sk_buff`.
    pub skb_iif: u32,
    /// Of `_skb_refdst` in `struct sk_buff`: address of the route, the lowest bit of which is a flag.
    pub route: u32,
    /// Of `dev` in `struct dst_entry`, the route.
    pub route_dev: u32,
    /// Of `ifindex` in `struct net_device`.
    pub device_ifindex: u32,
    /// Of the namespace in `struct net_device`.
    pub device_net: u32,
    /// Of the namespace in `struct sock`.
    pub sock_net: u32,
    /// Of the inode in `struct net`.
    pub net_inode: u32,
}

impl Layout {
    /// Number of words.
    pub const WORDS: usize = 14;

    /// The layout as the loader hands it over.
    #[must_use]
    pub const fn to_words(self) -> [u32; Self::WORDS] {
        [
            self.head,
            self.data,
            self.tail,
            self.network_header,
            self.protocol,
            self.dev,
            self.sk,
            self.skb_iif,
            self.route,
            self.route_dev,
            self.device_ifindex,
            self.device_net,
            self.sock_net,
            self.net_inode,
        ]
    }

    /// What [`Layout::to_words`] wrote.
    #[must_use]
    #[inline]
    pub const fn from_words(words: [u32; Self::WORDS]) -> Self {
        let [
            head,
            data,
            tail,
            network_header,
            protocol,
            dev,
            sk,
            skb_iif,
            route,
            route_dev,
            device_ifindex,
            device_net,
            sock_net,
            net_inode,
        ] = words;
        Self {
            head,
            data,
            tail,
            network_header,
            protocol,
            dev,
            sk,
            skb_iif,
            route,
            route_dev,
            device_ifindex,
            device_net,
            sock_net,
            net_inode,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_as_it_was_written() {
        let key = DropKey {
            location: 0xffff_ffff_8123_4567,
            reason: 12,
            ifindex: 3,
            source: crate::watch_key_v4([10, 77, 0, 10]),
            vrid: 51,
            incoming: 1,
            reserved: [0; 6],
        };
        assert_eq!(DropKey::from_bytes(&key.to_bytes()), key);
    }

    #[test]
    fn a_layout_is_read_as_it_was_written() {
        let words = core::array::from_fn(|index| u32::try_from(index).unwrap_or(0) * 8);
        assert_eq!(Layout::from_words(words).to_words(), words);
    }
}
