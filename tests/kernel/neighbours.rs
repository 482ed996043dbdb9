//! The filter for ARP and neighbour discovery, in each of its modes.

use std::net::{Ipv4Addr, Ipv6Addr};

use etherparse::{EtherType, IpNumber};
use vrrp_ebpf::{Counter, kind, watch_key_v4};
use vrrp_tests::frames;
use vrrp_user::observer::ArpMode;

use crate::lab::Lab;

const GATEWAY: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 100);
const CLIENT: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 7);
const OTHER: Ipv4Addr = Ipv4Addr::new(192, 0, 2, 8);
const GATEWAY_6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 0x100);
const CLIENT_6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 7);
const OTHER_6: Ipv6Addr = Ipv6Addr::new(0x2001, 0xdb8, 0, 0, 0, 0, 0, 8);

fn watching() -> Lab {
    let mut lab = Lab::new(ArpMode::Watched);
    lab.watch(watch_key_v4(GATEWAY.octets()));
    lab.watch(GATEWAY_6.octets());
    lab
}

/// ARP that concerns the gateway or is gratuitous.
fn wanted_arp() -> Vec<Vec<u8>> {
    vec![
        frames::arp(true, CLIENT, GATEWAY),
        frames::arp(false, GATEWAY, CLIENT),
        frames::arp(true, GATEWAY, CLIENT),
        // A probe.
        frames::arp(true, Ipv4Addr::UNSPECIFIED, GATEWAY),
        frames::arp(true, OTHER, OTHER),
        frames::arp(false, OTHER, OTHER),
    ]
}

fn unwanted_arp() -> Vec<Vec<u8>> {
    vec![
        frames::arp(true, CLIENT, OTHER),
        frames::arp(false, OTHER, CLIENT),
        frames::arp(true, Ipv4Addr::UNSPECIFIED, OTHER),
    ]
}

/// Discovery that concerns the gateway or announces something.
fn wanted_discovery() -> Vec<Vec<u8>> {
    vec![
        frames::solicitation(CLIENT_6, GATEWAY_6),
        frames::solicitation(GATEWAY_6, CLIENT_6),
        frames::solicitation(Ipv6Addr::UNSPECIFIED, GATEWAY_6),
        frames::advertisement(CLIENT_6, GATEWAY_6, true),
        frames::advertisement(GATEWAY_6, GATEWAY_6, false),
        frames::advertisement(OTHER_6, OTHER_6, false),
    ]
}

fn unwanted_discovery() -> Vec<Vec<u8>> {
    vec![
        frames::solicitation(CLIENT_6, OTHER_6),
        frames::solicitation(Ipv6Addr::UNSPECIFIED, OTHER_6),
        frames::advertisement(OTHER_6, OTHER_6, true),
    ]
}

#[test]
fn watched_mode_takes_what_concerns_an_address_and_counts_the_rest() {
    let mut lab = watching();
    for frame in wanted_arp() {
        lab.delivers(&frames::padded(frame, 60), kind::ARP, 42);
    }
    for frame in unwanted_arp() {
        lab.counts(&frame, Counter::ArpUnwatched);
    }
    for frame in wanted_discovery() {
        lab.delivers(&frame, kind::ND, frame.len());
    }
    for frame in unwanted_discovery() {
        lab.counts(&frame, Counter::NdUnwatched);
    }
}

#[test]
fn mode_all_takes_everything() {
    let mut lab = Lab::new(ArpMode::All);
    for frame in wanted_arp().into_iter().chain(unwanted_arp()) {
        lab.delivers(&frame, kind::ARP, 42);
    }
    for frame in wanted_discovery().into_iter().chain(unwanted_discovery()) {
        lab.delivers(&frame, kind::ND, frame.len());
    }
}

#[test]
fn mode_off_does_not_even_count() {
    let mut lab = Lab::new(ArpMode::Off);
    let arp = wanted_arp().into_iter().chain(unwanted_arp());
    let discovery = wanted_discovery().into_iter().chain(unwanted_discovery());
    for frame in arp.chain(discovery) {
        lab.ignores(&frame);
    }
}

#[test]
fn an_address_can_be_taken_out_again() {
    let mut lab = watching();
    let question = frames::arp(true, CLIENT, GATEWAY);
    lab.delivers(&question, kind::ARP, 42);
    lab.unwatch(watch_key_v4(GATEWAY.octets()));
    lab.counts(&question, Counter::ArpUnwatched);
}

#[test]
fn an_ipv4_address_is_not_taken_for_an_ipv6_one() {
    let mut lab = Lab::new(ArpMode::Watched);
    let mapped = GATEWAY.to_ipv6_mapped();
    assert_eq!(watch_key_v4(GATEWAY.octets()), mapped.octets());
    lab.watch([0; 16]);
    lab.counts(&frames::arp(true, CLIENT, GATEWAY), Counter::ArpUnwatched);
}

#[test]
fn other_address_resolution_is_left_alone() {
    let mut lab = Lab::new(ArpMode::All);
    // Hardware type, protocol type and both address lengths, each of another network.
    for position in [1, 3, 4, 5] {
        let mut frame = frames::arp(true, GATEWAY, GATEWAY);
        frame[frames::ETHERNET + position] = 0x17;
        lab.ignores(&frame);
    }
    // RARP.
    lab.ignores(&frames::ethernet(EtherType(0x8035), &[0; 28]));
    // Router solicitation, router advertisement, redirect, echo.
    for message in [133, 134, 137, 128] {
        let payload = frames::discovery_message(message, 0, GATEWAY_6);
        lab.ignores(&frames::ipv6(IpNumber::IPV6_ICMP, &payload));
    }
}
