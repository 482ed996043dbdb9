//! How many frames of whom reach user space: the contract of the budgets.
//!
//! A budget is kept by the time at which it would be used up no more (the generic cell rate
//! algorithm): one number, and no division. All numbers are nanoseconds of the boot clock.

/// A sender: an address or a MAC (the rest zero), the VRID, one of [`mod@crate::kind`].
pub type SenderKey = [u8; 20];

/// The beginning of a VRRP message without what differs between the routers of one virtual router:
/// its second half is zero where the message is shorter, and priority and checksum are.
pub type Likeness = [u8; 32];

/// What is kept of a known sender: the time between two of its frames, when its budget is whole
/// again, and how many frames were suppressed.
pub type Known = [u64; 3];

/// What is kept of a likeness: when its budget is whole again, and how many frames were suppressed.
pub type Alike = [u64; 2];

/// Known senders that there is room for.
pub const MAX_KNOWN: u32 = 2048;
/// Likenesses that are remembered.
pub const MAX_ALIKE: u32 = 1024;
/// Senders that are not known, of which each has a budget.
pub const MAX_SENDERS: u32 = 8192;

/// A second.
const SECOND: u64 = 1_000_000_000;

/// A steady rate and what may come at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Budget {
    /// Time between two frames at the steady rate.
    pub step: u64,
    /// How far ahead of the steady rate a sender may be.
    pub slack: u64,
}

impl Budget {
    /// So many frames a second, and so many at once.
    #[must_use]
    pub const fn new(rate: u64, burst: u64) -> Self {
        Self {
            step: SECOND / rate,
            slack: SECOND / rate * burst,
        }
    }
}

/// Frames at once of a known sender of adverts; its rate is set by user space.
pub const KNOWN_BURST: u64 = 32;
/// Adverts like those of known routers: a backup that takes over sends one at each interval.
pub const ALIKE: Budget = Budget::new(32, 64);
/// Adverts of one sender that is not known.
pub const SENDER: Budget = Budget::new(4, 64);
/// Adverts of all senders that are not known. At the start no one is: the burst is two adverts of
/// each VRID.
pub const STRANGERS: Budget = Budget::new(8, 512);
/// ARP and neighbour discovery of one machine: a takeover announces hundreds of addresses five times.
pub const NEIGHBOUR: Budget = Budget::new(128, 4096);
/// ARP and neighbour discovery about watched addresses, of all machines that are not known.
pub const WATCHED: Budget = Budget::new(16, 2048);
/// ARP and neighbour discovery about other addresses, where only what is announced is passed.
pub const UNWATCHED: Budget = Budget::new(8, 256);
/// The same where all of it is wanted.
pub const ALL: Budget = Budget::new(4096, 8192);

/// Indices of the budgets for all senders of a kind.
pub mod pool {
    /// [`super::STRANGERS`].
    pub const STRANGERS: u32 = 0;
    /// [`super::WATCHED`].
    pub const WATCHED: u32 = 1;
    /// [`super::UNWATCHED`] or [`super::ALL`].
    pub const UNWATCHED: u32 = 2;
    /// How many there are.
    pub const COUNT: u32 = 3;
}

/// The key of a router that advertises a VRID over IPv4.
#[must_use]
#[inline]
pub fn router_v4(source: [u8; 4], vrid: u8) -> SenderKey {
    router_v6(crate::watch_key_v4(source), vrid)
}

/// The key of a router that advertises a VRID over IPv6.
#[must_use]
#[inline]
pub fn router_v6(source: [u8; 16], vrid: u8) -> SenderKey {
    let mut key = [0; 20];
    key[..16].copy_from_slice(&source);
    key[16] = vrid;
    key[17] = crate::kind::VRRP;
    key
}

/// The key of a machine that speaks ARP or neighbour discovery.
#[must_use]
#[inline]
pub fn machine(mac: [u8; 6]) -> SenderKey {
    let mut key = [0; 20];
    key[..6].copy_from_slice(&mac);
    key[17] = crate::kind::ARP;
    key
}

/// The VRID in the key of a router; `None` for a machine.
#[must_use]
pub const fn vrid_of(key: &SenderKey) -> Option<u8> {
    if key[17] == crate::kind::VRRP {
        Some(key[16])
    } else {
        None
    }
}
