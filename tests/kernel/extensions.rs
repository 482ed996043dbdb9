//! IPv6 extension headers, followed up to a bound.

use std::net::Ipv6Addr;

use etherparse::IpNumber;
use vrrp_ebpf::{Counter, MAX_EXTENSIONS, kind};
use vrrp_tests::frames::{self, VRRP};
use vrrp_user::observer::ArpMode;

use crate::lab::Lab;

const HOP_BY_HOP: IpNumber = IpNumber::IPV6_HEADER_HOP_BY_HOP;
const ROUTING: IpNumber = IpNumber::IPV6_ROUTE_HEADER;
const FRAGMENT: IpNumber = IpNumber::IPV6_FRAGMENTATION_HEADER;
const DESTINATION: IpNumber = IpNumber::IPV6_DESTINATION_OPTIONS;
const AH: IpNumber = IpNumber::AUTHENTICATION_HEADER;

/// A packet of `depth` destination options headers of growing size before the payload.
fn chain(depth: usize, last: IpNumber, payload: &[u8]) -> Vec<u8> {
    let mut next = last;
    let mut bytes = payload.to_vec();
    for more in 0..depth {
        bytes = frames::extension(next, more, &bytes);
        next = DESTINATION;
    }
    frames::ipv6(next, &bytes)
}

#[test]
fn each_header_is_followed() {
    let mut lab = Lab::new(ArpMode::Off);
    let advert = frames::advert_v3_ipv6(2);
    for (next, payload) in [
        (HOP_BY_HOP, frames::extension(VRRP, 0, &advert)),
        (ROUTING, frames::extension(VRRP, 2, &advert)),
        (DESTINATION, frames::extension(VRRP, 31, &advert)),
        (AH, frames::ah(VRRP, &advert)),
        (FRAGMENT, frames::ipv6_fragment(VRRP, 0, true, &advert)),
        (
            HOP_BY_HOP,
            frames::extension(AH, 1, &frames::ah(VRRP, &advert)),
        ),
    ] {
        let frame = frames::ipv6(next, &payload);
        lab.delivers(&frame, kind::VRRP, frame.len());
    }
}

#[test]
fn a_chain_is_followed_to_its_bound() {
    let mut lab = Lab::new(ArpMode::Off);
    let advert = frames::advert_v3_ipv6(1);
    for depth in 0..=MAX_EXTENSIONS {
        let frame = chain(depth, VRRP, &advert);
        lab.delivers(&frame, kind::VRRP, frame.len());
        lab.ignores(&chain(depth, IpNumber::UDP, &advert));
    }
    for depth in MAX_EXTENSIONS + 1..MAX_EXTENSIONS + 3 {
        lab.counts(&chain(depth, VRRP, &advert), Counter::ExtensionsTooDeep);
    }
}

#[test]
fn later_fragments_are_counted() {
    let mut lab = Lab::new(ArpMode::All);
    for (next, ours) in [
        (VRRP, true),
        (AH, true),
        (IpNumber::UDP, false),
        (DESTINATION, false),
    ] {
        let later = frames::ipv6(
            FRAGMENT,
            &frames::ipv6_fragment(next, 1, false, &[0x31; 40]),
        );
        if ours {
            lab.counts(&later, Counter::LaterFragment);
        } else {
            lab.ignores(&later);
        }
    }
}

#[test]
fn neighbour_discovery_is_found_behind_them() {
    let mut lab = Lab::new(ArpMode::All);
    let target = Ipv6Addr::new(0xfe80, 0, 0, 0, 0, 0, 0, 0x100);
    for message in [135, 136] {
        let frame = chain(
            2,
            IpNumber::IPV6_ICMP,
            &frames::discovery_message(message, 0, target),
        );
        lab.delivers(&frame, kind::ND, frame.len());
    }
    lab.ignores(&chain(2, IpNumber::IPV6_ICMP, &[128, 0, 0, 0, 0, 0, 0, 0]));
}

#[test]
fn a_header_that_points_out_of_the_frame_is_left_alone() {
    let mut lab = Lab::new(ArpMode::All);
    let mut frame = frames::ipv6(DESTINATION, &frames::extension(DESTINATION, 0, &[0; 8]));
    frame[frames::ETHERNET + 41] = 0xff;
    lab.ignores(&frame);
}
