//! The filter for ARP and neighbour discovery: what concerns a watched address, and what anybody
//! announces.

use aya_ebpf::{Global, bindings::BPF_F_NO_PREALLOC, macros::map, maps::HashMap};
use vrrp_ebpf::{Counter, MAX_WATCHED, WatchKey, arp_mode, kind, watch_key_v4};

use super::{Judgement, bounds::Frame, budget::Subject};

/// Addresses to watch. Not preallocated: most hosts watch a handful.
#[map]
static WATCHED: HashMap<WatchKey, u8> = HashMap::with_max_entries(MAX_WATCHED, BPF_F_NO_PREALLOC);

/// Set by the loader, one of [`arp_mode`].
#[unsafe(no_mangle)]
static ARP_MODE: Global<u8> = Global::new(arp_mode::WATCHED);

/// Hardware type Ethernet, protocol IPv4, and the address lengths that go with them.
const ARP_ETHERNET_IPV4: [u8; 6] = [0, 1, 8, 0, 6, 4];
const ARP_SIZE: usize = 28;

const SOLICITATION: u8 = 135;
const ADVERTISEMENT: u8 = 136;
const FLAG_SOLICITED: u8 = 0x40;

/// What the filter makes of a neighbour discovery message.
pub(super) enum Interest {
    /// It is another message, or nobody wants any.
    None,
    /// It concerns no watched address.
    Unwatched,
    /// It is wanted; it is about a watched address, or not.
    Wanted {
        /// Whether it is.
        watched: bool,
    },
}

/// Judges the ARP packet that starts at `at`.
#[inline(always)]
pub(super) fn judge_arp(frame: &impl Frame, at: usize) -> Judgement {
    let mode = ARP_MODE.load();
    if mode == arp_mode::OFF || frame.head(at) != Some(ARP_ETHERNET_IPV4) {
        return Judgement::Pass;
    }
    let mut concerns = false;
    if let (Some(sender), Some(target)) = (frame.head(at + 14), frame.head(at + 24)) {
        concerns = watched(watch_key_v4(sender)) || watched(watch_key_v4(target));
        if mode == arp_mode::WATCHED && sender != target && !concerns {
            return Judgement::Count(Counter::ArpUnwatched);
        }
    } else if mode == arp_mode::WATCHED {
        return Judgement::Count(Counter::ArpUnwatched);
    }
    Judgement::Take {
        subject: Subject {
            kind: kind::ARP,
            at,
            message: at,
            watched: concerns,
        },
        extent: (at + ARP_SIZE) as u32,
    }
}

/// Whether an ICMPv6 message of this type is neighbour discovery.
#[inline(always)]
pub(super) fn is_discovery(message: u8) -> bool {
    matches!(message, SOLICITATION | ADVERTISEMENT)
}

/// Judges the ICMPv6 message at `message` of the IPv6 packet at `at`.
#[inline(always)]
pub(super) fn judge_discovery(frame: &impl Frame, at: usize, message: usize) -> Interest {
    let mode = ARP_MODE.load();
    let Some([message_type, _, _, _, flags]) = frame.far(message) else {
        return Interest::None;
    };
    if mode == arp_mode::OFF || !is_discovery(message_type) {
        return Interest::None;
    }
    let announced = message_type == ADVERTISEMENT && flags & FLAG_SOLICITED == 0;
    let mut concerns = false;
    if let (Some(target), Some(source)) = (frame.far(message + 8), frame.far(at + 8)) {
        concerns = watched(target) || watched(source);
    }
    if mode == arp_mode::WATCHED && !announced && !concerns {
        return Interest::Unwatched;
    }
    Interest::Wanted { watched: concerns }
}

/// Whether all of it is passed, whomever it concerns.
#[inline(always)]
pub(super) fn all_wanted() -> bool {
    ARP_MODE.load() == arp_mode::ALL
}

#[inline(always)]
fn watched(address: WatchKey) -> bool {
    WATCHED.get_ptr(address).is_some()
}
