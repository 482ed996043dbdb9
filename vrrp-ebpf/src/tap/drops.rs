//! Counts the VRRP packets that the kernel drops, by reason and place.
//!
//! The packet is only looked at: whoever dropped it frees it next. Most of what is dropped on a host
//! is no VRRP, and costs three reads.

use aya_ebpf::{
    Global,
    macros::map,
    maps::{PerCpuArray, PerCpuHashMap},
    programs::RawTracePointContext,
};
use vrrp_ebpf::{
    MAX_DROPS, WatchKey,
    dropped::{DropKey, Layout},
    watch_key_v4,
};

use super::bounds;

#[map]
static DROPS: PerCpuHashMap<[u8; DropKey::SIZE], u64> =
    PerCpuHashMap::with_max_entries(MAX_DROPS, 0);

#[map]
static DROPS_UNCOUNTED: PerCpuArray<u64> = PerCpuArray::with_max_entries(1, 0);

/// Set by the loader from what the kernel says of its types.
#[unsafe(no_mangle)]
static DROP_LAYOUT: Global<[u32; Layout::WORDS]> = Global::new([0; Layout::WORDS]);

/// Set by the loader.
#[unsafe(no_mangle)]
static DROP_NETNS: Global<u32> = Global::new(0);

/// Set by the loader. Where it is 0, the verifier removes the access to an argument that is not
/// there.
#[unsafe(no_mangle)]
static DROP_REASONS: Global<u8> = Global::new(0);

const IPV4: [u8; 2] = [0x08, 0x00];
const IPV6: [u8; 2] = [0x86, 0xdd];
const AH: u8 = 51;
const VRRP: u8 = 112;

/// Without the flag that a route is borrowed.
const ROUTE_ADDRESS: u64 = !1;

const V4_HEADER: u64 = 20;
const V4_FRAGMENT_OFFSET: u16 = 0x1fff;
const V6_HEADER: u64 = 40;

/// Counts the packet that the tracepoint is about, if it is VRRP and of the namespace.
#[inline(always)]
pub(crate) fn count_drop(context: &RawTracePointContext) {
    let buffer = Buffer {
        address: context.arg(0),
        layout: Layout::from_words(DROP_LAYOUT.load()),
    };
    let Some(packet) = buffer.packet() else {
        return;
    };
    let Some(origin) = buffer.origin() else {
        return;
    };
    let reason: u64 = if DROP_REASONS.load() == 1 {
        context.arg(2)
    } else {
        0
    };
    let key = DropKey {
        location: context.arg(1),
        reason: reason as u32,
        ifindex: origin.ifindex,
        source: packet.source,
        vrid: packet.vrid,
        incoming: u8::from(origin.incoming),
        reserved: [0; 6],
    };
    if !bounds::add_one_under(&DROPS, &key.to_bytes()) {
        bounds::add_one(&DROPS_UNCOUNTED, 0);
    }
}

/// The kernel's `struct sk_buff`.
struct Buffer {
    address: u64,
    layout: Layout,
}

/// Whose packet it is.
struct Packet {
    source: WatchKey,
    vrid: u8,
}

/// Where the packet was dropped.
struct Origin {
    ifindex: u32,
    incoming: bool,
}

impl Buffer {
    /// The packet, if it is VRRP (or CARP, which shares the number).
    #[inline(always)]
    fn packet(&self) -> Option<Packet> {
        let protocol = self.field::<2>(self.layout.protocol)?;
        if protocol != IPV4 && protocol != IPV6 {
            return None;
        }
        let head = self.number(self.layout.head)?;
        let end = head + u64::from(u32::from_ne_bytes(self.field(self.layout.tail)?));
        let at = match u16::from_ne_bytes(self.field(self.layout.network_header)?) {
            // Not set: so early the data begins with the network layer.
            0 | u16::MAX => self.number(self.layout.data)?,
            offset => head + u64::from(offset),
        };
        if protocol == IPV4 {
            packet_v4(at, end)
        } else {
            packet_v6(at, end)
        }
    }

    /// Where it was dropped, if that is in the namespace whose drops are counted.
    #[inline(always)]
    fn origin(&self) -> Option<Origin> {
        let came_in_by = u32::from_ne_bytes(self.field(self.layout.skb_iif)?);
        // Other things may stand in the place of the device while a packet waits in a queue: then
        // there is nothing at that address, or another namespace.
        let device = self.number(self.layout.dev)?;
        if device != 0 && is_counted(device, self.layout.device_net, self.layout.net_inode) {
            return Some(Origin {
                ifindex: self.ifindex(device)?,
                incoming: came_in_by != 0,
            });
        }
        let socket = self.number(self.layout.sk)?;
        let mine = socket != 0 && is_counted(socket, self.layout.sock_net, self.layout.net_inode);
        mine.then(|| Origin {
            ifindex: match came_in_by {
                0 => self.route().unwrap_or(0),
                came_in_by => came_in_by,
            },
            incoming: came_in_by != 0,
        })
    }

    /// Index of the interface that the packet was to leave by: a packet that is refused before it is
    /// sent has a route, but no device yet.
    #[inline(always)]
    fn route(&self) -> Option<u32> {
        let route = self.number(self.layout.route)? & ROUTE_ADDRESS;
        if route == 0 {
            return None;
        }
        let device = bounds::kernel(route + u64::from(self.layout.route_dev))?;
        self.ifindex(u64::from_ne_bytes(device))
    }

    #[inline(always)]
    fn ifindex(&self, device: u64) -> Option<u32> {
        bounds::kernel(device + u64::from(self.layout.device_ifindex)).map(u32::from_ne_bytes)
    }

    #[inline(always)]
    fn field<const N: usize>(&self, offset: u32) -> Option<[u8; N]> {
        bounds::kernel(self.address + u64::from(offset))
    }

    #[inline(always)]
    fn number(&self, offset: u32) -> Option<u64> {
        self.field(offset).map(u64::from_ne_bytes)
    }
}

/// Whether a device or socket is in the namespace whose drops are counted.
#[inline(always)]
fn is_counted(owner: u64, net: u32, inode: u32) -> bool {
    let wanted = DROP_NETNS.load();
    if wanted == 0 {
        return true;
    }
    let Some(net) = bounds::kernel(owner + u64::from(net)) else {
        return false;
    };
    let inode = bounds::kernel(u64::from_ne_bytes(net) + u64::from(inode));
    inode.map(u32::from_ne_bytes) == Some(wanted)
}

#[inline(always)]
fn packet_v4(at: u64, end: u64) -> Option<Packet> {
    if at + V4_HEADER > end {
        return None;
    }
    let header: [u8; V4_HEADER as usize] = bounds::kernel(at)?;
    let payload = at + u64::from(header[0] & 0x0f) * 4;
    let vrrp = find_vrrp(header[9], payload, end)?;
    let later_fragment = u16::from_be_bytes([header[6], header[7]]) & V4_FRAGMENT_OFFSET != 0;
    Some(Packet {
        source: watch_key_v4([header[12], header[13], header[14], header[15]]),
        vrid: if later_fragment { 0 } else { vrid(vrrp, end) },
    })
}

#[inline(always)]
fn packet_v6(at: u64, end: u64) -> Option<Packet> {
    if at + V6_HEADER > end {
        return None;
    }
    let [next] = bounds::kernel(at + 6)?;
    let vrrp = find_vrrp(next, at + V6_HEADER, end)?;
    Some(Packet {
        source: bounds::kernel(at + 8)?,
        vrid: vrid(vrrp, end),
    })
}

/// Where VRRP begins, given the number and the address of what follows the network header.
#[inline(always)]
fn find_vrrp(protocol: u8, payload: u64, end: u64) -> Option<u64> {
    match protocol {
        VRRP => Some(payload),
        AH if payload + 2 <= end => match bounds::kernel(payload)? {
            [VRRP, words] => Some(payload + (u64::from(words) + 2) * 4),
            _ => None,
        },
        _ => None,
    }
}

/// The VRID, or 0 where the header is not where it can be read.
#[inline(always)]
fn vrid(vrrp: u64, end: u64) -> u8 {
    if vrrp + 2 > end {
        return 0;
    }
    match bounds::kernel(vrrp) {
        Some([_, vrid]) => vrid,
        None => 0,
    }
}
