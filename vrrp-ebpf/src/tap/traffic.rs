//! Counts the traffic of virtual addresses, where that was asked for.
//!
//! `in` is what arrives for an address *at this host*: its destination MAC is one of the host's own.
//! What a bridge forwards, a switch floods or a promiscuous interface overhears is somebody else's.
//! `out` is what leaves in the name of the address.

use aya_ebpf::{
    Global,
    bindings::BPF_F_NO_PREALLOC,
    macros::map,
    maps::{HashMap, PerCpuHashMap},
};
use vrrp_ebpf::{
    Counter, WatchKey, hook,
    traffic::{Flow, FlowCount, FlowKey, MAX_COUNTED, MAX_FLOWS, MAX_OWN_MACS, MacKey, direction},
    watch_key_v4,
};

use super::{
    accept::{ETHERTYPE, IPV4, IPV6, TAG_SIZE},
    bounds::{self, Frame},
    counter,
    ip::{V4_FRAGMENT_OFFSET, V4_HEADER_MIN, V6_HEADER},
};

/// Set by the loader: whether anything is counted.
#[unsafe(no_mangle)]
static COUNT_TRAFFIC: Global<u8> = Global::new(0);

/// Addresses to count for.
#[map]
static COUNTED: HashMap<WatchKey, u8> = HashMap::with_max_entries(MAX_COUNTED, BPF_F_NO_PREALLOC);

/// Where frames for this host are sent to.
#[map]
static OWN_MACS: HashMap<MacKey, u8> = HashMap::with_max_entries(MAX_OWN_MACS, BPF_F_NO_PREALLOC);

#[map]
static FLOWS: PerCpuHashMap<FlowKey, FlowCount> =
    PerCpuHashMap::with_max_entries(MAX_FLOWS, BPF_F_NO_PREALLOC);

const TCP: u8 = 6;
/// Offset of the flags in a TCP header.
const TCP_FLAGS: usize = 13;
const SYN: u8 = 0x02;
const ACK: u8 = 0x10;
const VLAN_ID: u16 = 0x0fff;

/// Counts the frame whose network layer starts at `at`, if it is one of a counted address.
#[inline(always)]
pub(super) fn count(frame: &impl Frame, hook: u8, ethertype: u16, at: usize) {
    if COUNT_TRAFFIC.load() == 0 {
        return;
    }
    let inward = hook != hook::TC_EGRESS;
    let address = match ethertype {
        IPV4 => frame
            .head(at + if inward { 16 } else { 12 })
            .map(watch_key_v4),
        IPV6 => frame.head(at + if inward { 24 } else { 8 }),
        _ => return,
    };
    let Some(address) = address else { return };
    if COUNTED.get_ptr(address).is_none() || (inward && !is_for_this_host(frame)) {
        return;
    }
    let flow = Flow {
        address,
        ifindex: frame.ifindex(),
        vlan: vlan(frame, at),
        direction: if inward {
            direction::IN
        } else {
            direction::OUT
        },
    };
    let opens = if ethertype == IPV4 {
        opens_v4(frame, at)
    } else {
        opens_v6(frame, at)
    };
    let key = flow.to_key();
    let more = [
        u64::from(frame.segments()),
        u64::from(frame.length()),
        u64::from(opens),
    ];
    // Another CPU may add the flow in between: then only the value of this one is written.
    if !bounds::add_to_flow(&FLOWS, &key, more) && FLOWS.insert(key, more, 0).is_err() {
        counter::count(Counter::TrafficFull);
    }
}

#[inline(always)]
fn is_for_this_host(frame: &impl Frame) -> bool {
    let receiver: Option<MacKey> = frame.head(0);
    receiver.is_some_and(|mac| OWN_MACS.get_ptr(mac).is_some())
}

/// The VLAN identifiers of a frame whose network layer starts at `at`.
#[inline(always)]
fn vlan(frame: &impl Frame, at: usize) -> [u16; 3] {
    let tags = (at - ETHERTYPE - 2) / TAG_SIZE;
    let tag = |number: usize| {
        let control = frame.head(ETHERTYPE + 2 + number * TAG_SIZE);
        control.map_or(0, |control| u16::from_be_bytes(control) & VLAN_ID)
    };
    let (_, stripped) = frame.stripped_tag();
    [
        stripped & VLAN_ID,
        if tags > 0 { tag(0) } else { 0 },
        if tags > 1 { tag(1) } else { 0 },
    ]
}

/// Whether the IPv4 packet at `at` is the first segment of a TCP connection.
#[inline(always)]
fn opens_v4(frame: &impl Frame, at: usize) -> bool {
    let (Some([version_ihl]), Some(fragment), Some([protocol])) =
        (frame.head(at), frame.head(at + 6), frame.head(at + 9))
    else {
        return false;
    };
    if protocol != TCP || u16::from_be_bytes(fragment) & V4_FRAGMENT_OFFSET != 0 {
        return false;
    }
    let header = usize::from(version_ihl & 0x0f) * 4;
    let flags = if header == V4_HEADER_MIN as usize {
        frame.head(at + V4_HEADER_MIN as usize + TCP_FLAGS)
    } else {
        frame.far(at + header + TCP_FLAGS)
    };
    opens(flags)
}

/// The same of an IPv6 packet; behind extension headers it is not looked for.
#[inline(always)]
fn opens_v6(frame: &impl Frame, at: usize) -> bool {
    frame.head(at + 6) == Some([TCP]) && opens(frame.head(at + V6_HEADER + TCP_FLAGS))
}

#[inline(always)]
fn opens(flags: Option<[u8; 1]>) -> bool {
    flags.is_some_and(|[flags]| flags & (SYN | ACK) == SYN)
}
