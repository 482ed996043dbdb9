//! Taking passwords out of frames that are kept: a file is sent to others, and read by them.
//!
//! In the place of the eight bytes stands their fingerprint, and the checksum changes by the difference:
//! what verified still verifies, and what did not still does not.

use std::ops::Range;

use bytes::{Bytes, BytesMut};
use etherparse::{IpNumber, LaxNetSlice, LaxSlicedPacket};

use super::{checksum::VRRP_PROTOCOL, link::Link};
use crate::{
    frame::Frame,
    model::{Family, FingerprintKey},
};

/// Bytes before the addresses of an advert.
const HEADER: usize = 8;
/// Bytes of the authentication data of VRRPv2.
const PASSWORD: usize = 8;
/// Where the checksum of a message is.
const CHECKSUM: Range<usize> = 6..8;
/// Version 3 has no password.
const V3: u8 = 3;
/// Authentication types without one: none, and the authentication header.
const WITHOUT: [u8; 2] = [0, 2];

/// The bytes of a frame without the password in it; `None` where there is none.
pub fn withhold(frame: &Frame, key: &FingerprintKey) -> Option<Bytes> {
    let (message, family, cut) = message(frame)?;
    let place = place(&frame.data[message.clone()], family, cut)?;
    let mut data = BytesMut::from(&frame.data[..]);
    let message = &mut data[message];
    let before = sum(message);
    match <[u8; PASSWORD]>::try_from(&message[place.clone()]) {
        Ok(password) => {
            let fingerprint = key.fingerprint(password);
            message[place].copy_from_slice(&fingerprint.octets());
        }
        // A piece of one, where the capture or the packet ends.
        Err(_) => message[place].fill(0),
    }
    message[CHECKSUM].fill(0);
    let checksum = add(before, !sum(message));
    message[CHECKSUM].copy_from_slice(&checksum.to_be_bytes());
    Some(data.freeze())
}

/// Where in a frame the VRRP message is, if it has one, and whether it is cut.
fn message(frame: &Frame) -> Option<(Range<usize>, Family, bool)> {
    let link = Link::parse(frame)?;
    let packet = LaxSlicedPacket::from_ether_type(link.ether_type, link.payload);
    let (payload, family) = match packet.net.as_ref()? {
        LaxNetSlice::Ipv4(ip) => (ip.payload(), Family::Ipv4),
        LaxNetSlice::Ipv6(ip) => (ip.payload(), Family::Ipv6),
        LaxNetSlice::Arp(_) => return None,
    };
    if payload.ip_number != IpNumber(VRRP_PROTOCOL) {
        return None;
    }
    // A slice of the frame: the distance of the two is where it begins.
    let begin = payload.payload.as_ptr().addr() - frame.data.as_ptr().addr();
    let captured = frame.data.len() as u64;
    let cut = captured < u64::from(frame.length) && payload.incomplete;
    let range = begin..begin + payload.payload.len();
    Some((range, family, cut || payload.fragmented))
}

/// Where in a message the password is, or a piece of it, as [`Advert`](super::Advert) reads it.
fn place(message: &[u8], family: Family, cut: bool) -> Option<Range<usize>> {
    let [version, _, _, count, auth, ..] = *message else {
        return None;
    };
    if message.len() <= HEADER || version >> 4 == V3 || WITHOUT.contains(&auth) {
        return None;
    }
    let size = match family {
        Family::Ipv4 => 4,
        Family::Ipv6 => 16,
    };
    let end = message.len();
    let begin = HEADER + size * usize::from(count);
    // Where the count is too large, the last bytes of a whole message are the password.
    let begin = match end.checked_sub(PASSWORD) {
        Some(last) if !cut && last >= HEADER => begin.min(last),
        _ => begin,
    };
    (begin < end).then(|| begin..(begin + PASSWORD).min(end))
}

/// The sum of the bytes' 16-bit words, as RFC 1071 has it.
fn sum(bytes: &[u8]) -> u16 {
    bytes.chunks(2).fold(0, |sum, pair| match *pair {
        [high, low] => add(sum, u16::from_be_bytes([high, low])),
        [high] => add(sum, u16::from_be_bytes([high, 0])),
        _ => sum,
    })
}

/// Adds with the carry coming round.
const fn add(one: u16, other: u16) -> u16 {
    let (sum, carried) = one.overflowing_add(other);
    // A sum that overflowed is below the maximum.
    if carried { sum + 1 } else { sum }
}
