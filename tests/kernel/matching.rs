//! Adverts that are taken, fragments that are counted, strangers that are left alone.

use etherparse::{EtherType, IpNumber, Ipv4Options};
use vrrp_ebpf::{Counter, kind};
use vrrp_tests::frames::{self, VRRP};
use vrrp_user::observer::ArpMode;

use crate::lab::Lab;

#[test]
fn adverts_arrive_whole() {
    let mut lab = Lab::new(ArpMode::Off);
    let largest_v6 = frames::ipv6(VRRP, &frames::advert_v3_ipv6(90));
    assert!(
        largest_v6.len() > 1500,
        "larger than a page of small events"
    );
    for advert in [
        frames::advert(),
        frames::ipv4(VRRP, &frames::advert_v2(255)),
        frames::ipv4(
            IpNumber::AUTHENTICATION_HEADER,
            &frames::ah(VRRP, &frames::advert_v2(255)),
        ),
        frames::ipv6(VRRP, &frames::advert_v3_ipv6(1)),
        largest_v6,
    ] {
        lab.delivers(&advert, kind::VRRP, advert.len());
    }
}

#[test]
fn every_length_arrives_as_it_is() {
    let mut lab = Lab::new(ArpMode::Off);
    for addresses in 0..=255 {
        let advert = frames::ipv4(VRRP, &frames::advert_v2(addresses));
        lab.delivers(&advert, kind::VRRP, advert.len());
    }
}

#[test]
fn padding_stays_behind() {
    let mut lab = Lab::new(ArpMode::Off);
    let v4 = frames::ipv4(VRRP, &[0x21; 8]);
    lab.delivers(&frames::padded(v4.clone(), 60), kind::VRRP, v4.len());
    let v6 = frames::ipv6(VRRP, &[0x31; 8]);
    lab.delivers(&frames::padded(v6.clone(), 90), kind::VRRP, v6.len());
}

#[test]
fn a_length_that_cannot_be_right_brings_the_whole_frame() {
    let mut lab = Lab::new(ArpMode::Off);
    for total in [0, 19, 1400, u16::MAX] {
        let advert = frames::ipv4_with(VRRP, &[0x21; 40], |header| header.total_len = total);
        lab.delivers(&advert, kind::VRRP, advert.len());
    }
}

#[test]
fn the_header_length_is_honoured() {
    let mut lab = Lab::new(ArpMode::Off);
    let message = frames::ah(VRRP, &frames::advert_v2(1));
    // The byte that would be AH's next header after 20 bytes is no VRRP: options are zeros.
    for words in 0..=10 {
        let advert = frames::ipv4_with(IpNumber::AUTHENTICATION_HEADER, &message, |header| {
            header.options = Ipv4Options::try_from(&[0; 40][..4 * words]).unwrap();
            header.set_payload_len(message.len()).unwrap();
        });
        lab.delivers(&advert, kind::VRRP, advert.len());
    }
}

#[test]
fn ah_of_other_protocols_is_left_alone() {
    let mut lab = Lab::new(ArpMode::All);
    let message = frames::ah(IpNumber::UDP, &[0x70; 32]);
    lab.ignores(&frames::ipv4(IpNumber::AUTHENTICATION_HEADER, &message));
    lab.ignores(&frames::ipv6(IpNumber::AUTHENTICATION_HEADER, &message));
}

#[test]
fn first_fragments_arrive_and_later_ones_are_counted() {
    let mut lab = Lab::new(ArpMode::Off);
    let ah = IpNumber::AUTHENTICATION_HEADER;
    let message = frames::ah(VRRP, &frames::advert_v2(4));

    let first = frames::ipv4_fragment(VRRP, 0, true, &frames::advert_v2(4));
    lab.delivers(&first, kind::VRRP, first.len());
    let first = frames::ipv4_fragment(ah, 0, true, &message);
    lab.delivers(&first, kind::VRRP, first.len());
    for offset in [1, 8, 0x1fff] {
        for more in [false, true] {
            for protocol in [VRRP, ah] {
                let later = frames::ipv4_fragment(protocol, offset, more, &message);
                lab.counts(&later, Counter::LaterFragment);
            }
        }
    }
    lab.ignores(&frames::ipv4_fragment(IpNumber::UDP, 3, false, &message));
}

#[test]
fn up_to_two_tags_are_looked_through() {
    let mut lab = Lab::new(ArpMode::All);
    let gateway = "192.0.2.100".parse().unwrap();
    let target = "fe80::100".parse().unwrap();
    let arp = frames::arp(true, gateway, gateway);
    let expectations = [
        (frames::advert(), kind::VRRP),
        (frames::ipv6(VRRP, &frames::advert_v3_ipv6(90)), kind::VRRP),
        (arp, kind::ARP),
        (frames::advertisement(target, target, false), kind::ND),
    ];
    let tpids = [0x8100, 0x88a8, 0x9100];
    for (frame, kind) in expectations {
        for outer in tpids {
            let once = frames::tagged(&frame, &[(outer, 100)]);
            lab.delivers(&once, kind, once.len());
            for inner in tpids {
                let twice = frames::tagged(&frame, &[(outer, 0xefff), (inner, 0)]);
                lab.delivers(&twice, kind, twice.len());
                lab.ignores(&frames::tagged(
                    &frame,
                    &[(outer, 1), (inner, 2), (0x8100, 3)],
                ));
            }
        }
    }
}

#[test]
fn tagged_padding_stays_behind() {
    let tagged = frames::tagged(&frames::ipv4(VRRP, &[0x21; 8]), &[(0x8100, 7)]);
    let padded = frames::padded(tagged.clone(), 64);
    Lab::new(ArpMode::Off).delivers(&padded, kind::VRRP, tagged.len());
}

#[test]
fn strangers_are_left_alone() {
    let mut lab = Lab::new(ArpMode::All);
    let ping = frames::ipv6(IpNumber::IPV6_ICMP, &[128, 0, 0, 0, 0, 1, 0, 1]);
    for frame in [
        frames::udp_v4(),
        frames::udp_v6(),
        frames::tcp_syn(),
        frames::tagged(&frames::udp_v4(), &[(0x8100, 100)]),
        frames::tagged(&frames::udp_v6(), &[(0x88a8, 100), (0x8100, 200)]),
        ping,
        // Spanning tree: a length where the ethertype would be.
        frames::ethernet(EtherType(0x0026), &[0x42; 46]),
        // LLDP.
        frames::ethernet(EtherType(0x88cc), &[112; 46]),
    ] {
        lab.ignores(&frame);
    }
}
