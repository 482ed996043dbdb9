//! Which frames matter: through the VLAN tags to the network layer.

use super::{Judgement, bounds::Frame, ip, neighbour, traffic};

pub(super) const ETHERTYPE: usize = 12;
pub(super) const TAG_SIZE: usize = 4;

pub(super) const IPV4: u16 = 0x0800;
const ARP: u16 = 0x0806;
pub(super) const IPV6: u16 = 0x86dd;

/// Judges a frame by its headers, and counts it if it is traffic of a virtual address.
///
/// The offset of the network layer is a plain number on each of the three ways through the tags,
/// which is what lets the verifier accept direct access behind them.
#[inline(always)]
pub(super) fn judge(frame: &impl Frame, hook: u8) -> Judgement {
    let Some(outer) = ethertype(frame, ETHERTYPE) else {
        return Judgement::Pass;
    };
    if !is_tag(outer) {
        return network(frame, hook, outer, ETHERTYPE + 2);
    }
    let Some(inner) = ethertype(frame, ETHERTYPE + TAG_SIZE) else {
        return Judgement::Pass;
    };
    if !is_tag(inner) {
        return network(frame, hook, inner, ETHERTYPE + TAG_SIZE + 2);
    }
    let Some(innermost) = ethertype(frame, ETHERTYPE + 2 * TAG_SIZE) else {
        return Judgement::Pass;
    };
    network(frame, hook, innermost, ETHERTYPE + 2 * TAG_SIZE + 2)
}

#[inline(always)]
fn ethertype(frame: &impl Frame, at: usize) -> Option<u16> {
    frame.head(at).map(u16::from_be_bytes)
}

#[inline(always)]
fn is_tag(ethertype: u16) -> bool {
    matches!(ethertype, 0x8100 | 0x88a8 | 0x9100)
}

#[inline(always)]
fn network(frame: &impl Frame, hook: u8, ethertype: u16, at: usize) -> Judgement {
    traffic::count(frame, hook, ethertype, at);
    match ethertype {
        IPV4 => ip::judge_v4(frame, at),
        IPV6 => ip::judge_v6(frame, at),
        ARP => neighbour::judge_arp(frame, at),
        _ => Judgement::Pass,
    }
}
