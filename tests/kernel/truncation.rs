//! Frames of every kind, cut off at every byte.

use std::net::{Ipv4Addr, Ipv6Addr};

use etherparse::IpNumber;
use vrrp_ebpf::{Counter, watch_key_v4};
use vrrp_tests::frames::{self, VRRP};
use vrrp_user::observer::ArpMode;

use crate::lab::{HOOKS, Lab, Outcome};

/// The least of this frame that `BPF_PROG_TEST_RUN` takes. TC runs want a whole IP header where the
/// ethertype promises one; behind a tag they do not look, so nothing is left out.
fn shortest(hook: u8, frame: &[u8]) -> usize {
    let header = match (hook, &frame[12..14]) {
        (vrrp_ebpf::hook::XDP, _) => 0,
        (_, [0x08, 0x00]) => 20,
        (_, [0x86, 0xdd]) => 40,
        _ => 0,
    };
    frames::ETHERNET + header
}

#[test]
fn a_cut_frame_is_taken_as_far_as_it_goes_or_not_at_all() {
    let gateway = Ipv4Addr::new(192, 0, 2, 100);
    let client = Ipv4Addr::new(192, 0, 2, 7);
    let gateway_6 = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x100);
    let advert_6 = frames::advert_v3_ipv6(3);
    let ah = IpNumber::AUTHENTICATION_HEADER;
    let options = IpNumber::IPV6_DESTINATION_OPTIONS;
    let mut lab = Lab::new(ArpMode::Watched);
    lab.watch(watch_key_v4(gateway.octets()));
    lab.watch(gateway_6.octets());

    let whole = [
        frames::advert(),
        frames::ipv4(ah, &frames::ah(VRRP, &frames::advert_v2(2))),
        frames::ipv4_fragment(VRRP, 5, false, &[0x21; 16]),
        frames::ipv6(VRRP, &advert_6),
        frames::ipv6(
            options,
            &frames::extension(ah, 1, &frames::ah(VRRP, &advert_6)),
        ),
        frames::arp(true, client, gateway),
        frames::arp(true, client, client),
        frames::arp(true, client, Ipv4Addr::new(192, 0, 2, 8)),
        frames::solicitation(gateway_6, gateway_6),
        frames::advertisement(gateway_6, gateway_6, true),
        frames::udp_v4(),
        frames::udp_v6(),
    ];
    for frame in whole {
        for tags in [&[][..], &[(0x8100, 5)], &[(0x88a8, 5), (0x8100, 6)]] {
            let frame = frames::tagged(&frame, tags);
            for hook in HOOKS {
                let full = lab.run_on(hook, &frame);
                for length in shortest(hook, &frame)..frame.len() {
                    let cut = lab.run_on(hook, &frame[..length]);
                    check(&full, &cut, &frame[..length]);
                }
            }
        }
    }
}

/// The cut frame must be counted at most once: as the whole frame is, or as one whose addresses
/// cannot be read, or not at all. What is delivered must be what there is.
fn check(full: &Outcome, cut: &Outcome, frame: &[u8]) {
    let allowed = full.moved();
    match &cut.moved()[..] {
        [] => assert!(cut.events.is_empty()),
        [(Counter::ArpUnwatched | Counter::NdUnwatched, 1)] => {
            assert!(cut.events.is_empty());
            assert!(!allowed.is_empty(), "{frame:02x?}");
        }
        [(counter, 1)] => {
            assert_eq!(&[(*counter, 1)], &allowed[..], "{frame:02x?}");
            assert_eq!(cut.events.len(), full.events.len());
            for (header, bytes) in &cut.events {
                assert_eq!(header.frame_len as usize, frame.len());
                assert_eq!(bytes, frame);
            }
        }
        other => panic!("{other:?} of {frame:02x?}"),
    }
}
