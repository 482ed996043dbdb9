//! VRRP and neighbour discovery inside IP packets, behind AH and IPv6 extension headers.

use vrrp_ebpf::{Counter, MAX_EXTENSIONS, kind};

use super::{Judgement, bounds::Frame, budget::Subject, neighbour};

const HOP_BY_HOP: u8 = 0;
const ROUTING: u8 = 43;
const FRAGMENT: u8 = 44;
const AH: u8 = 51;
const ICMPV6: u8 = 58;
const DESTINATION_OPTIONS: u8 = 60;
const VRRP: u8 = 112;

pub(super) const V4_HEADER_MIN: u32 = 20;
pub(super) const V4_FRAGMENT_OFFSET: u16 = 0x1fff;
pub(super) const V6_HEADER: usize = 40;

/// Judges the IPv4 packet that starts at `at`.
#[inline(always)]
pub(super) fn judge_v4(frame: &impl Frame, at: usize) -> Judgement {
    let Some([protocol]) = frame.head(at + 9) else {
        return Judgement::Pass;
    };
    if protocol != VRRP && protocol != AH {
        return Judgement::Pass;
    }
    let (Some([version_ihl, _, total_high, total_low]), Some(fragment)) =
        (frame.head(at), frame.head(at + 6))
    else {
        return Judgement::Pass;
    };
    // What a later fragment of AH belongs to cannot be told, so it is counted too.
    if u16::from_be_bytes(fragment) & V4_FRAGMENT_OFFSET != 0 {
        return Judgement::Count(Counter::LaterFragment);
    }
    let mut message = at + usize::from(version_ihl & 0x0f) * 4;
    if protocol == AH {
        let Some([VRRP, size]) = frame.far(message) else {
            return Judgement::Pass;
        };
        message += (usize::from(size) + 2) * 4;
    }
    let total = u32::from(u16::from_be_bytes([total_high, total_low]));
    Judgement::Take {
        subject: Subject {
            kind: kind::VRRP,
            at,
            message,
            watched: false,
        },
        extent: extent(at, total, V4_HEADER_MIN),
    }
}

/// Judges the IPv6 packet that starts at `at`.
#[inline(always)]
pub(super) fn judge_v6(frame: &impl Frame, at: usize) -> Judgement {
    let Some([next]) = frame.head(at + 6) else {
        return Judgement::Pass;
    };
    match next {
        VRRP => take_v6(frame, at, at + V6_HEADER, kind::VRRP, false),
        ICMPV6 => match frame.head(at + V6_HEADER) {
            Some([message]) if neighbour::is_discovery(message) => Judgement::Inside { at, next },
            _ => Judgement::Pass,
        },
        HOP_BY_HOP | ROUTING | FRAGMENT | AH | DESTINATION_OPTIONS => {
            Judgement::Inside { at, next }
        }
        _ => Judgement::Pass,
    }
}

/// Judges the IPv6 packet at `at` by what follows its header: a message of ICMPv6, or the chain of
/// extension headers that begins with one of type `next`. Offsets are anything from here on.
#[inline(always)]
pub(super) fn look_inside(frame: &impl Frame, at: usize, next: u8) -> Judgement {
    if next == ICMPV6 {
        judge_discovery(frame, at, at + V6_HEADER)
    } else {
        judge_extensions(frame, at, next)
    }
}

/// Follows the chain of extension headers.
#[inline(always)]
fn judge_extensions(frame: &impl Frame, at: usize, mut next: u8) -> Judgement {
    let mut position = at + V6_HEADER;
    for _ in 0..MAX_EXTENSIONS {
        let Some([following, size, offset_high, offset_low]) = frame.far(position) else {
            return Judgement::Pass;
        };
        position += match next {
            AH => (usize::from(size) + 2) * 4,
            FRAGMENT => {
                if u16::from_be_bytes([offset_high, offset_low]) >> 3 != 0 {
                    return match following {
                        VRRP | AH => Judgement::Count(Counter::LaterFragment),
                        _ => Judgement::Pass,
                    };
                }
                8
            }
            _ => (usize::from(size) + 1) * 8,
        };
        match following {
            VRRP => return take_v6(frame, at, position, kind::VRRP, false),
            ICMPV6 => return judge_discovery(frame, at, position),
            HOP_BY_HOP | ROUTING | FRAGMENT | AH | DESTINATION_OPTIONS => next = following,
            _ => return Judgement::Pass,
        }
    }
    Judgement::Count(Counter::ExtensionsTooDeep)
}

/// Judges the ICMPv6 message at `message` of the packet at `at`.
#[inline(always)]
fn judge_discovery(frame: &impl Frame, at: usize, message: usize) -> Judgement {
    match neighbour::judge_discovery(frame, at, message) {
        neighbour::Interest::None => Judgement::Pass,
        neighbour::Interest::Unwatched => Judgement::Count(Counter::NdUnwatched),
        neighbour::Interest::Wanted { watched } => take_v6(frame, at, message, kind::ND, watched),
    }
}

#[inline(always)]
fn take_v6(frame: &impl Frame, at: usize, message: usize, kind: u8, watched: bool) -> Judgement {
    let payload = frame.far(at + 4).map_or(0, u16::from_be_bytes);
    Judgement::Take {
        subject: Subject {
            kind,
            at,
            message,
            watched,
        },
        extent: extent(at + V6_HEADER, u32::from(payload), 1),
    }
}

/// Where the packet ends by its own account, or nowhere if it claims less than `least` bytes: then
/// the length field is wrong, or is zero because segmentation is left to the NIC.
#[inline(always)]
fn extent(from: usize, length: u32, least: u32) -> u32 {
    if length < least {
        u32::MAX
    } else {
        from as u32 + length
    }
}
